"""The pictures of the documentation, taken of a run that is being served; only when asked for.

``thence serve runs/demo`` in one window, in another
``THENCE_PICTURES=http://127.0.0.1:8000 pytest tests/browser/test_pictures.py`` and look at ``docs/assets``.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from playwright.sync_api import expect
from tests.browser.driven import executable, fits, opened

ADDRESS = os.environ.get("THENCE_PICTURES", "").rstrip("/")
ASSETS = Path(__file__).parents[2] / "docs" / "assets"
ITEM = os.environ.get("THENCE_PICTURES_ITEM", "9526410")

pytestmark = [
    pytest.mark.skipif(not ADDRESS or executable() is None, reason="no pictures asked for"),
    pytest.mark.slow,
]


@pytest.mark.parametrize(
    ("name", "path", "ready", "size", "dark"),
    [
        ("page", f"/?item={ITEM}", ".drawing a.node", (1280, 1500), False),
        ("page-dark", f"/?item={ITEM}", ".drawing a.node", (1280, 1100), True),
        ("page-phone", f"/?item={ITEM}", ".drawing a.node", (390, 1100), False),
        ("page-evaluation", "/evaluation", ".strips", (1280, 1400), False),
        ("page-data", "/data", "#degrees svg", (1280, 1400), True),
        ("page-models", "/models", ".standing table", (1280, 1000), False),
    ],
)
def test_a_picture_is_taken(name: str, path: str, ready: str, size: tuple[int, int], dark: bool):
    with opened(ADDRESS, width=size[0], height=size[1], dark=dark) as page:
        page.goto(f"{ADDRESS}{path}")
        expect(page.locator(ready).first).to_be_visible()
        expect(page.locator("main[aria-busy]")).to_have_count(0)
        assert fits(page)
        page.screenshot(path=ASSETS / f"{name}.png")
        assert (ASSETS / f"{name}.png").stat().st_size > 10_000
