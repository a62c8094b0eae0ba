"""The form "Place a new product" in a real browser. Skipped where there is no Chromium."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.browser.chromium import Chromium, executable
from tests.browser.served import quiet, served, text, texts
from tests.serve.test_place import shop as shop

pytestmark = [
    pytest.mark.skipif(executable() is None, reason="Chromium is not installed"),
    pytest.mark.slow,
]


@pytest.fixture(scope="module")
def address(shop, tmp_path_factory) -> Iterator[str]:
    with served(shop, tmp_path_factory.mktemp("place") / "bundle") as base:
        yield base


@pytest.fixture
def browser(address: str) -> Iterator[Chromium]:
    with quiet(address, excused=("422",)) as chromium:
        yield chromium


def place(browser: Chromium, title: str) -> None:
    """Fill in the title and send the form by the keyboard."""
    browser.run("document.querySelector('.newcomer [name=title]').select()")
    browser.run("document.querySelector('.newcomer [name=title]').focus()")
    for key in title:
        browser.press(key)
    browser.press("Enter")


def test_a_new_product_is_placed_by_its_title_from_the_first_page_on(browser: Chromium, address: str):
    browser.open(address, ".home h1")
    browser.run("document.querySelector('.newcomer-link a').click()")
    browser.wait("document.querySelector('form.newcomer')")
    assert text(browser, "h1") == "What would it be?"
    place(browser, "pink phone")
    browser.wait("document.querySelector('.side.next .model-list li')")
    assert text(browser, "h1") == "pink phone" and text(browser, ".read b") == "phone"  # pink says nothing
    after, before = (texts(browser, f".side.{side} .model-list .title") for side in ("next", "before"))
    assert set(after[:2]) == {"red case", "blue case"}  # phones lead to cases, not the other way
    assert not {"red case", "blue case"} & set(before[:2])
    assert {"red phone", "blue phone"} & set(texts(browser, ".side.next .none a"))


def test_the_way_there_is_an_address_and_back_returns(browser: Chromium, address: str):
    browser.open(f"{address}/?new=pink+case", ".side.before .model-list li")
    assert set(texts(browser, ".side.before .model-list .title")[:2]) == {"red phone", "blue phone"}
    assert browser.run("document.querySelector('.newcomer [name=title]').value") == "pink case"
    browser.run("document.querySelector('.side.before .model-list .title').click()")
    browser.wait("location.search.startsWith('?item=')")
    browser.run("history.back()")
    browser.wait("document.querySelector('form.newcomer')")
    assert browser.run("document.querySelector('.newcomer [name=title]').value") == "pink case"


def test_what_was_never_learned_is_told_in_words_and_nothing_runs(browser: Chromium, address: str):
    browser.open(f"{address}/?new=", "form.newcomer")
    place(browser, "<img src=x onerror=alert``>")
    browser.wait("document.querySelector('.place .none')")
    assert "learned" in text(browser, ".place .none")
    assert browser.run("document.querySelectorAll('main img').length") == 0
    assert (
        browser.run("document.querySelector('.newcomer [name=title]').value") == "<img src=x onerror=alert``>"
    )
