"""The page in a real browser: what a person sees and does. Skipped where there is no Chromium."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.browser.chromium import Chromium, executable
from tests.browser.served import quiet, served, text, texts
from tests.serve.shop import HOSTILE, bundle

pytestmark = [
    pytest.mark.skipif(executable() is None, reason="Chromium is not installed"),
    pytest.mark.slow,
]


@pytest.fixture(scope="module")
def address(tmp_path_factory) -> Iterator[str]:
    with served(bundle(), tmp_path_factory.mktemp("page") / "bundle") as base:
        yield base


@pytest.fixture
def browser(address: str) -> Iterator[Chromium]:
    with quiet(address) as chromium:
        yield chromium


def test_the_first_visit_leads_to_an_item_by_keyboard_alone(browser: Chromium, address: str):
    browser.open(address, ".home h1")
    assert text(browser, "h1") == "What do customers want next?"
    assert len(texts(browser, ".example")) >= 1
    browser.press("/")
    assert browser.run("document.activeElement.id") == "search"
    for key in "phone":
        browser.press(key)
    browser.wait("document.querySelectorAll('#found [role=option]').length === 2")
    browser.press("ArrowDown")
    assert browser.run("document.querySelector('#search').getAttribute('aria-activedescendant')") == "found-1"
    browser.press("ArrowUp")
    browser.press("Enter")
    browser.wait("document.querySelector('.item h1')")
    assert text(browser, "h1") == "Red Phone" and browser.run("location.search") == "?item=phone"
    assert browser.run("document.activeElement.tagName") == "H1"


def test_escape_closes_the_list(browser: Chromium, address: str):
    browser.open(address, ".home h1")
    browser.press("/")
    browser.press("p")
    browser.wait("!document.querySelector('#found').hidden")
    browser.press("Escape")
    assert browser.run("document.querySelector('#found').hidden") is True


def test_each_side_shows_its_direction_beside_the_baseline(browser: Chromium, address: str):
    browser.open(f"{address}/?item=phone", ".drawing svg")
    assert texts(browser, ".side h2") == ["What leads here", "What follows"]
    follows = texts(browser, ".side.next .model-list .title")
    leads = texts(browser, ".side.before .model-list .title")
    assert follows[:2] == ["Phone case", "Fast charger"] and leads[:2] == ["Phone case", "Télévision"]
    assert "30 customers in this order" in text(browser, ".side.next .model-list li") and "75 %" in text(
        browser, ".side.next .model-list li"
    )
    assert "10 customers in this order" in text(browser, ".side.before .model-list li")
    assert len(texts(browser, ".side.next .baseline-list li")) == 5
    assert "model’s" in text(browser, ".side.next .baseline-list")
    assert browser.run("document.querySelectorAll('path.arc.next[marker-end]').length") >= 4


def test_a_click_in_the_drawing_moves_there_and_back_returns(browser: Chromium, address: str):
    browser.open(f"{address}/?item=phone", ".drawing svg")
    browser.hover("a.node[data-item=charger] circle")
    browser.wait("!document.querySelector('.tip').hidden")
    assert "Fast charger" in text(browser, ".tip") and "20 customers" in text(browser, ".tip")
    browser.run("document.querySelector('.tip').hidden = true")
    browser.click("a.node[data-item=charger] circle")
    browser.wait("document.querySelector('h1').innerText === 'Fast charger'")
    browser.run("history.back()")
    browser.wait("document.querySelector('h1').innerText === 'Red Phone'")


def test_a_hostile_title_is_shown_and_not_run(browser: Chromium, address: str):
    browser.open(f"{address}/?item=a%2Fb%2Cc", ".drawing svg")
    assert texts(browser, "h1") == [HOSTILE]
    assert "broken" not in browser.run("document.title.replace(document.querySelector('h1').textContent, '')")
    assert browser.run("document.querySelectorAll('main script, main img').length") == 0


def test_an_unknown_item_offers_the_nearest(browser: Chromium, address: str):
    browser.open(f"{address}/?item=charge", ".perhaps")
    assert texts(browser, ".perhaps a") == ["Fast charger"]
    browser.events.clear()  # the refusals are logged as failed requests


def test_it_is_readable_on_a_phone_in_the_dark_and_nothing_jumps(browser: Chromium, address: str):
    browser.resize(390, 844, dark=True)
    browser.open(f"{address}/?item=phone", ".drawing svg")
    assert browser.run("document.documentElement.scrollWidth") <= 390
    assert browser.run("getComputedStyle(document.body).backgroundColor") == "rgb(19, 20, 22)"
    shift = (
        "new Promise(done => { let sum = 0; const add = list => list.getEntries().forEach(e => sum += e.value);"
        " new PerformanceObserver(add).observe({type: 'layout-shift', buffered: true});"
        " setTimeout(() => done(sum), 300); })"
    )
    assert browser.run(shift) < 0.02


def test_everything_that_can_be_used_has_a_name(browser: Chromium, address: str):
    browser.open(f"{address}/?item=phone", ".drawing svg")
    nameless = browser.run(
        "[...document.querySelectorAll('a, button, input, select')].filter(e => !(e.getAttribute('aria-label')"
        " || e.textContent.trim())).map(e => e.outerHTML)"
    )
    assert nameless == []
    assert browser.run("document.documentElement.lang") == "en"
    ids = browser.run("[...document.querySelectorAll('[id]')].map(e => e.id)")
    assert len(ids) == len(set(ids))


def test_the_api_page_tries_a_route(browser: Chromium, address: str):
    browser.open(f"{address}/docs", "main section")
    browser.run(
        "(() => { const f = document.querySelector('section[aria-label=\"/v1/related/{item_id}\"] form');"
        " f.item_id.value = 'phone'; f.requestSubmit(); })()"
    )
    browser.wait("[...document.querySelectorAll('pre')].some(pre => pre.innerText.includes('Phone case'))")


def test_it_draws_itself_within_a_second(browser: Chromium, address: str):
    browser.open(f"{address}/?item=phone", ".drawing svg")
    assert browser.run("performance.getEntriesByName('first-contentful-paint')[0].startTime") < 1000
