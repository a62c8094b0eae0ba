"""One browser for all tests of this folder; it ends with the last of them."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import pytest
from tests.browser.driven import DRIVER

HERE = Path(__file__).parent


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Generator[None]:
    try:
        return (yield)
    finally:
        if nextitem is None or HERE not in nextitem.path.parents:
            DRIVER.stop()
