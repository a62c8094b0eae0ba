"""The page Conversion in a real browser: is the model right, how late conversions come, one exposure asked."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from playwright.sync_api import Page, expect
from tests.browser.driven import executable, fits, opened, violations
from tests.browser.served import served

from thence.conversion.exposures import NEVER, Exposures
from thence.conversion.learn import LearnConfig
from thence.conversion.model import ConversionModel
from thence.conversion.net import NetConfig
from thence.conversion.sources.hashing import describe
from thence.evaluate.conversion.later import judge_later
from thence.events.clock import DAY, HOUR
from thence.serve import Models

pytestmark = [
    pytest.mark.skipif(executable() is None, reason="Chromium is not installed"),
    pytest.mark.slow,
]


def exposures() -> Exposures:
    """Mugs convert, most of them on the second day; cups hardly."""
    rng = np.random.default_rng(0)
    item = np.where(rng.random(6000) < 0.5, "mug", "cup")
    time = np.sort(rng.integers(0, 30 * DAY, 6000))
    delay = np.where(rng.random(6000) < 0.25, 12 * HOUR, 36 * HOUR)
    ends = np.where(rng.random(6000) < np.where(item == "mug", 0.6, 0.1), time + delay, NEVER)
    price = rng.uniform(1, 9, 6000)
    return Exposures.make(
        time, ends, window=4 * DAY, features=describe({"item": item}, {"price": price}, buckets=50)
    )


def fitted(estimator: str, judged: bool) -> ConversionModel:
    shown, learn = exposures(), LearnConfig(128, 0.05, passes=3)
    model = ConversionModel(estimator, net=NetConfig("logistic"), learn=learn, kinds={"item": "text"})
    model.fit(shown, at=20 * DAY)
    model.figures = judge_later(model, shown) if judged else None
    return model


@pytest.fixture(scope="module")
def model() -> ConversionModel:
    return fitted("wait", judged=True)


@pytest.fixture(scope="module")
def address(model: ConversionModel, tmp_path_factory) -> Iterator[str]:
    with served(Models(conversion=model), tmp_path_factory.mktemp("conversion")) as base:
        yield base


@pytest.fixture
def page(address: str) -> Iterator[Page]:
    with opened(address, excused=("404", "422")) as fresh:  # there are no products: /v1/model says so
        fresh.goto(f"{address}/conversion")
        expect(fresh.locator("main h1")).to_have_text("Conversion")
        yield fresh


def test_it_says_what_the_model_is_and_whether_it_is_right(page: Page, model: ConversionModel) -> None:
    found = model.figures
    assert found is not None
    verdict = page.locator(".verdict")
    expect(verdict).to_contain_text(f"{100 * found['rate']:.1f}")
    expect(verdict).to_contain_text(f"it said {100 * found['told']:.1f}")
    sums = page.locator(".sums")
    for words in (model.version, "21 Jan 1970", "4 days", "wait, logistic"):
        expect(sums).to_contain_text(words)
    right = page.locator("section", has=page.get_by_role("heading", name="Is it right?"))
    expect(right).to_contain_text(f"Judged by {found['exposures']:,} exposures")
    points = len(found["rates"]) + len(found["ages"])
    expect(right.locator("svg .plot-mark.draw-points circle")).to_have_count(points)
    right.locator("summary").first.click()
    expect(right.locator("table").first).to_contain_text(f"{found['rates'][0]['conversions']}")


def test_it_says_how_a_young_label_is_read(page: Page) -> None:
    late = page.locator("section", has=page.get_by_role("heading", name="How late conversions come"))
    expect(late.locator("> p")).to_contain_text("is not a no")
    rows = late.locator(".reading tbody tr")
    expect(rows.nth(0)).to_contain_text("12 hours")  # a quarter comes then, the rest after a day and a half
    share = float(rows.nth(0).locator("td").first.inner_text().split("\u00a0")[0])
    assert 20 < share < 30
    expect(rows).to_have_count(1)  # at a day no more have come than at half of one, and at two days all


def test_an_exposure_is_asked_and_silence_lowers_it(page: Page, model: ConversionModel) -> None:
    ask = page.locator("section", has=page.get_by_role("heading", name="Ask about one exposure"))
    ask.get_by_label("item").fill("mug")
    ask.get_by_label("price").fill("2.5")
    ask.get_by_role("button", name="Will it convert?").click()
    said = ask.locator(".said")
    expect(said).to_have_count(1)
    asked = model.schema.features({"item": ["mug"], "price": [2.5]})
    expect(said).to_contain_text(f"{100 * model.predict_proba(asked)[0, 1]:.1f}")
    ask.get_by_label("Silent for, days").fill("1")
    ask.get_by_label("Silent for, days").press("Enter")
    expect(said).to_have_count(2)
    left = model.predict_later(asked, DAY)[0]
    expect(said.nth(1)).to_contain_text(f"{100 * left:.1f}")
    expect(said.nth(1)).to_contain_text("nothing has come for 1 day")
    ask.get_by_label("Silent for, days").fill("-3")
    ask.get_by_role("button", name="Will it convert?").click()
    assert ask.locator("input:invalid").count() == 1  # the browser says so, and nothing is asked
    ask.get_by_label("Silent for, days").fill("")
    ask.get_by_label("price").fill("1e300")
    ask.get_by_role("button", name="Will it convert?").click()
    expect(ask.locator(".refused")).to_contain_text("Column 'price' holds an infinite number")


def test_a_model_with_a_delay_of_each_shows_quick_and_slow_ones(tmp_path) -> None:
    with (
        served(Models(conversion=fitted("dfm", judged=True)), tmp_path) as base,
        opened(base, excused=("404",)) as page,
    ):
        page.goto(f"{base}/conversion")
        thirds = page.locator("figure", has_text="in thirds")
        for name in ("quick", "median", "slow"):
            expect(thirds.locator("figcaption")).to_contain_text(f"{name}, predicted")


def test_what_is_not_there_is_said_with_the_command_that_makes_it(tmp_path) -> None:
    old = fitted("wait", judged=False)
    old.delays = None
    with served(Models(conversion=old), tmp_path / "old") as base, opened(base, excused=("404",)) as page:
        page.goto(f"{base}/conversion")
        expect(page.locator(".verdict")).to_contain_text("not been judged")
        expect(page.locator("main")).to_contain_text("thence conversion judge MODEL")
        expect(page.locator("main")).to_contain_text("saved before models kept their delays")
        expect(page.locator("main svg")).to_have_count(0)
        expect(page.get_by_label("Silent for, days")).to_have_count(0)


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (1280, True), (390, False), (390, True)])
def test_it_fits_and_is_accessible(address: str, width: int, dark: bool) -> None:
    with opened(address, width=width, dark=dark, excused=("404",)) as page:
        page.goto(f"{address}/conversion")
        expect(page.locator(".plot svg").first).to_be_visible()
        page.locator("summary").first.click()
        assert fits(page) and violations(page) == []
