"""Debian's Chromium, driven by Playwright: one browser for a run of tests, a fresh profile for each page."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

SECONDS = 20
"""How long a page may take to show what is waited for; a busy machine is slow."""
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars"]
LOCAL = ("data:", "about:", "blob:")


def executable() -> str | None:
    """Where Chromium is, if it is installed."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return next((path for name in names if (path := shutil.which(name))), None)


class Driver:
    """Starts Playwright and the browser when they are first needed; :meth:`stop` ends both.

    While it runs, its event loop counts as running in this thread, so other tests' ``asyncio.run`` must wait.
    """

    def __init__(self) -> None:
        self._playwright: Any = None
        self._browser: Browser | None = None

    def browser(self) -> Browser:
        """The browser; the test is skipped where there is none."""
        if (found := self._browser) is None:
            binary = executable()
            if binary is None:
                pytest.skip("Chromium is not installed")
            expect.set_options(timeout=SECONDS * 1000)
            self._playwright = sync_playwright().start()
            found = self._browser = self._playwright.chromium.launch(executable_path=binary, args=FLAGS)
        return found

    def stop(self) -> None:
        """End the browser; it starts again when it is needed again."""
        if self._browser is not None:
            self._browser.close()
            self._playwright.stop()
        self._browser = self._playwright = None


DRIVER = Driver()


class Heard:
    """What a page complained of and whom it asked."""

    def __init__(self, context: BrowserContext) -> None:
        self.complaints: list[str] = []
        self.asked: list[str] = []
        context.on("request", lambda request: self.asked.append(request.url))
        context.on("weberror", lambda error: self.complaints.append(str(error.error)))
        context.on("console", self._logged)

    def _logged(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(f"{message.text} {message.location.get('url', '')}")


@contextmanager
def opened(
    own: str, *, width: int = 1280, height: int = 900, dark: bool = False, excused: tuple[str, ...] = ()
) -> Iterator[Page]:
    """A page that at its end has complained of nothing and asked nobody but ``own``.

    Args:
        own: the address that it may ask.
        width: of the window; below 700 it is a phone's.
        height: of the window.
        dark: the system's scheme.
        excused: parts of complaints that belong to what is tested.
    """
    context = DRIVER.browser().new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if dark else "light",
        has_touch=width < 700,
        reduced_motion="reduce",
    )
    context.set_default_timeout(SECONDS * 1000)
    heard = Heard(context)
    try:
        yield context.new_page()
    finally:
        context.close()
    complaints = [one for one in heard.complaints if not any(part in one for part in excused)]
    foreign = [url for url in heard.asked if not url.startswith((own, *LOCAL))]
    assert not complaints, complaints
    assert not foreign, foreign


def violations(page: Page) -> list[str]:
    """What axe-core finds wrong with the page as it is now: each rule with the elements that break it."""
    found = Axe().run(page, options={"preload": False}).response["violations"]
    return [f"{one['id']}: {json.dumps([node['target'] for node in one['nodes']])}" for one in found]


def fits(page: Page) -> bool:
    """Whether nothing lies beyond the right edge of the window."""
    return page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
