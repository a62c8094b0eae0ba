"""The page Decision in a real browser: the map and its boundary, the slider, why on one cell."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
import pytest
from playwright.sync_api import Page, expect
from tests.browser.driven import executable, fits, opened, violations
from tests.browser.served import served

from thence.decide.estimator import DecisionBoundary
from thence.decide.fitting import fit_policy
from thence.decide.policy import Policy
from thence.decide.sample import Sample
from thence.serve import Models

pytestmark = [
    pytest.mark.skipif(executable() is None, reason="Chromium is not installed"),
    pytest.mark.slow,
]


def sample() -> Sample:
    rng = np.random.default_rng(0)
    score, unsure = rng.random((2, 6000))
    return Sample.make(score, unsure, rng.random(6000) < score * (1 - unsure))


def fitted(precision: float | None = 0.6, share: float | None = None, *, frontier: bool = True) -> Policy:
    target = "recall" if share is None else "budget"
    boundary = DecisionBoundary(target, precision=precision if share is None else None, share=share)
    return fit_policy(sample(), boundary, miss=0.3, frontier=frontier).policy


@pytest.fixture(scope="module")
def policy() -> Policy:
    return fitted()


@pytest.fixture(scope="module")
def address(policy: Policy, tmp_path_factory) -> Iterator[str]:
    with served(Models(policy=policy), tmp_path_factory.mktemp("decision")) as base:
        yield base


@pytest.fixture
def page(address: str) -> Iterator[Page]:
    with opened(address, excused=("404",)) as fresh:  # there are no products: /v1/model says so
        fresh.goto(f"{address}/decision")
        expect(fresh.locator("main h1")).to_have_text("Decision")
        yield fresh


def cell(page: Page, level: int, bin_: int):
    return (
        page.get_by_role("row")
        .filter(has=page.get_by_role("gridcell"))
        .nth(level)
        .get_by_role("button")
        .nth(bin_)
    )


def test_the_map_has_every_cell_and_the_boundary_of_the_policy(page: Page, policy: Policy) -> None:
    kept = policy.picture
    assert kept is not None
    expect(page.locator(".verdict")).to_contain_text("60.0\u00a0% were wanted")
    assert page.get_by_role("gridcell").count() == sum(len(row) for row in kept["cells"])
    for level, bin_ in ((0, 0), (0, 11), (5, 11)):
        told = kept["cells"][level][bin_]
        expect(cell(page, level, bin_)).to_have_text(str(round(100 * told["rate"])))
        name = cell(page, level, bin_).get_attribute("aria-label") or ""
        assert f"{told['count']} cases" in name
    assert (
        page.locator(".boundaries path.act").count() == 1 and page.locator(".boundaries path.asks").count() == 1
    )
    page.locator("summary", has_text="Numbers").first.click()
    expect(page.get_by_role("region", name="Rates over score and uncertainty")).to_be_visible()


def test_a_cell_says_in_words_what_is_done_there(page: Page, policy: Policy) -> None:
    kept = policy.picture
    assert kept is not None
    words = {"act": "Act", "ask": "Ask somebody", "hold": "Hold back"}
    for level, bin_ in ((0, 11), (5, 0), (3, 11)):
        cell(page, level, bin_).click()
        expect(cell(page, level, bin_)).to_have_attribute("aria-pressed", "true")
        told = kept["cells"][level][bin_]
        made = policy.decide([told["score"]], [told["uncertainty"]])
        shown = page.locator(".why-cell")
        expect(shown.locator(".action")).to_contain_text(words[made.named()[0]])
        expect(shown).to_contain_text(policy.why(made, 0).split("; ")[1])
        expect(shown).to_contain_text(f"{told['positive']} of which came true")


def test_the_slider_moves_boundary_and_outcomes_and_leads_back(page: Page, policy: Policy) -> None:
    kept = policy.picture
    assert kept is not None
    slide, wanted = page.get_by_role("slider"), page.locator(".wanted")
    expect(wanted).to_have_text("60.0\u00a0% as served")
    before = page.locator(".boundaries path.act").get_attribute("d")
    cell(page, 0, 11).click()
    slide.press("Home")
    low = kept["steps"][0]
    expect(wanted).to_have_text(re.compile(f"^{100 * low['precision']:.1f}"))
    assert page.locator(".boundaries path.act").get_attribute("d") != before
    rows = page.locator(".outcome tbody tr")
    for row, name in ((0, "boundary"), (1, "single")):
        expect(rows.nth(row)).to_contain_text(f"{low[name]['taken']:,} cases")
        expect(rows.nth(row)).to_contain_text(f"{100 * low[name]['hits'] / kept['positives']:.1f}")
    expect(page.locator(".why-cell")).to_contain_text("At a wanted precision of")
    slide.press("End")
    last = kept["steps"][-1]
    expect(rows.nth(1)).to_contain_text("none is known to keep it" if last["single"] is None else "case")
    page.get_by_role("button", name="As served").click()
    expect(wanted).to_have_text("60.0\u00a0% as served")
    assert page.locator(".boundaries path.act").get_attribute("d") == before


def test_what_a_step_would_do_is_what_its_policy_does(page: Page, policy: Policy) -> None:
    """The words under a cell at another precision, against a policy that was fitted for it."""
    kept = policy.picture
    assert kept is not None
    place = next(i for i, step in enumerate(kept["steps"]) if step["precision"] == 0.5)
    other = fitted(0.5, frontier=False)
    own = next(i for i, step in enumerate(kept["steps"]) if step["precision"] == 0.6)
    for _ in range(own - place):
        page.get_by_role("slider").press("ArrowLeft")
    words = {"act": "act.", "ask": "ask somebody.", "hold": "hold back."}
    for level, bin_ in ((0, 11), (0, 4), (1, 6), (2, 9), (4, 11), (5, 2)):
        told = kept["cells"][level][bin_]
        made = other.decide([told["score"]], [told["uncertainty"]]).named()[0]
        cell(page, level, bin_).click()
        expect(page.locator(".why-cell")).to_contain_text(
            f"At a wanted precision of 50.0\u00a0%: {words[made]}"
        )


def test_cells_are_reached_by_keyboard(page: Page) -> None:
    cell(page, 0, 0).focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowDown", "ArrowLeft"):
        page.keyboard.press(key)
    expect(cell(page, 1, 1)).to_be_focused()
    page.keyboard.press("Enter")
    expect(cell(page, 1, 1)).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".why-cell .action")).to_be_visible()
    assert page.locator(".heat button[tabindex='0']").count() == 1


def test_one_case_is_asked_by_its_numbers(page: Page) -> None:
    page.get_by_label("Score", exact=True).fill("0.95")
    page.locator("[name=uncertainty]").fill("0.05")
    page.get_by_role("button", name="Act on it?").click()
    answer = page.locator(".answer")
    expect(answer).to_contain_text("Act")
    page.locator("[name=uncertainty]").fill("")
    page.get_by_role("button", name="Act on it?").click()
    assert page.locator("form.asking input:invalid").count() == 1


def test_a_policy_of_another_goal_begins_as_it_is_served(tmp_path) -> None:
    with served(Models(policy=fitted(share=0.2)), tmp_path) as base, opened(base, excused=("404",)) as page:
        page.goto(f"{base}/decision")
        expect(page.locator(".wanted")).to_have_text("as served")
        expect(page.get_by_role("button", name="As served")).to_be_disabled()
        page.get_by_role("slider").press("End")
        expect(page.get_by_role("button", name="As served")).to_be_enabled()


def test_without_a_picture_it_says_which_command_makes_one(tmp_path) -> None:
    bare = fitted(frontier=False)
    with served(Models(policy=bare), tmp_path) as base, opened(base, excused=("404",)) as page:
        page.goto(f"{base}/decision")
        expect(page.locator("main")).to_contain_text("saved without its picture")
        expect(page.locator("main")).to_contain_text("thence decide fit")
        expect(page.get_by_role("grid")).to_have_count(0)
        expect(page.get_by_role("button", name="Act on it?")).to_be_visible()


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (1280, True), (390, False), (390, True)])
def test_it_fits_and_is_accessible(address: str, width: int, dark: bool) -> None:
    with opened(address, width=width, dark=dark, excused=("404",)) as page:
        page.goto(f"{address}/decision")
        expect(page.locator(".boundaries path.act")).to_have_count(1)
        cell(page, 0, 11).click()
        expect(page.locator(".why-cell .action")).to_be_visible()
        assert fits(page) and violations(page) == []
