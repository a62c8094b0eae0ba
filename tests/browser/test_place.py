"""The form "Place a new product" in a real browser. Skipped where there is no Chromium."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect
from tests.browser.driven import executable, opened, violations
from tests.browser.served import served
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
def page(address: str) -> Iterator[Page]:
    with opened(address, excused=("422",)) as fresh:
        yield fresh


def place(page: Page, title: str) -> None:
    """Fill in the title and send the form by the keyboard."""
    page.get_by_label("Title").fill(title)
    page.get_by_label("Title").press("Enter")


def titles(page: Page, side: str) -> list[str]:
    return page.locator(f".side.{side} .model-list .title").all_text_contents()


def test_a_new_product_is_placed_by_its_title_from_the_first_page_on(page: Page, address: str):
    page.goto(address)
    page.get_by_role("link", name="Place a new product").click()
    expect(page.locator("h1")).to_have_text("What would it be?")
    place(page, "pink phone")
    expect(page.locator("h1")).to_have_text("pink phone")
    expect(page.locator(".read b")).to_have_text("phone")  # pink says nothing
    after, before = titles(page, "next"), titles(page, "before")
    assert set(after[:2]) == {"red case", "blue case"}  # phones lead to cases, not the other way
    assert not {"red case", "blue case"} & set(before[:2])
    assert {"red phone", "blue phone"} & set(page.locator(".side.next .none a").all_text_contents())
    assert violations(page) == []


def test_the_way_there_is_an_address_and_back_returns(page: Page, address: str):
    page.goto(f"{address}/?new=pink+case")
    expect(page.get_by_label("Title")).to_have_value("pink case")
    assert set(titles(page, "before")[:2]) == {"red phone", "blue phone"}
    page.locator(".side.before .model-list .title").first.click()
    expect(page.locator("form.newcomer")).to_have_count(0)
    assert "?item=" in page.url
    page.go_back()
    expect(page.get_by_label("Title")).to_have_value("pink case")


def test_what_was_never_learned_is_told_in_words_and_nothing_runs(page: Page, address: str):
    page.goto(f"{address}/?new=")
    place(page, "<img src=x onerror=alert``>")
    expect(page.locator(".place .none")).to_contain_text("learned")
    expect(page.locator("main img")).to_have_count(0)
    expect(page.get_by_label("Title")).to_have_value("<img src=x onerror=alert``>")
