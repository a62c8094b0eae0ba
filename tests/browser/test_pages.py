"""The pages beside the products in a real browser: the way to them, Evaluation, Data, Models."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from tests.browser.driven import executable, fits, opened, violations
from tests.browser.served import served
from tests.browser.shown import shop
from tests.serve.test_decide import policy as policy
from tests.serve.test_origin import other

from thence.decide.policy import Policy
from thence.serve import Models

pytestmark = [
    pytest.mark.skipif(executable() is None, reason="Chromium is not installed"),
    pytest.mark.slow,
]
TOKEN = "0123456789abcdef"
PAGES = ("/evaluation", "/conversion", "/decision", "/data", "/models")
REFUSED = ("403", "404")
VIEWS = ("/", "/?item=phone", *PAGES, "/docs")


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("pages") / "bundle"


@pytest.fixture(scope="module")
def address(folder: Path) -> Iterator[str]:
    with served(shop(), folder, TOKEN) as base:
        yield base


@pytest.fixture
def page(address: str) -> Iterator[Page]:
    with opened(address) as fresh:
        yield fresh


def settled(page: Page) -> None:
    """Wait until a page has drawn itself."""
    expect(page.locator("main h1")).to_be_visible()
    expect(page.locator("main[aria-busy]")).to_have_count(0)
    if page.url.endswith("/docs"):
        expect(page.locator("main section").last).to_be_visible()


def test_every_page_is_reached_and_back_and_forward_return(page: Page, address: str):
    page.goto(address)
    bar = page.get_by_role("navigation", name="Pages")
    for name in ("Evaluation", "Conversion", "Decision", "Data", "Models"):
        bar.get_by_role("link", name=name).click()
        expect(page.locator("main h1")).to_have_text(name)
        expect(page.locator("main h1")).to_be_focused()
        expect(bar.locator("[aria-current=page]")).to_have_text([name])
        assert page.url == f"{address}/{name.lower()}" and page.title() == f"{name} · thence"
        expect(page.locator("#said")).to_have_text(f"{name} · thence")
    page.go_back()
    expect(page.locator("main h1")).to_have_text("Data")
    page.go_back()
    page.go_back()
    page.go_back()
    expect(page.locator("main h1")).to_have_text("Evaluation")
    page.go_forward()
    expect(page.locator("main h1")).to_have_text("Conversion")
    page.goto(f"{address}/data")  # an address of its own
    expect(bar.locator("[aria-current=page]")).to_have_text(["Data"])
    bar.get_by_role("link", name="Products").click()
    expect(page.locator("h1")).to_have_text("What do customers want next?")


def test_the_keyboard_reaches_everything(page: Page, address: str):
    page.goto(f"{address}/models")
    settled(page)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    order = []
    for _ in range(12):
        page.keyboard.press("Tab")
        order.append(page.evaluate("document.activeElement.textContent || document.activeElement.id"))
    wanted = ["Products", "Evaluation", "Conversion", "Decision", "Data", "Models", "API", "token"]
    assert [one for one in order if one in wanted] == wanted
    assert order[order.index("token") + 1] == "Load what lies in the folder"


def test_the_evaluation_leads_with_the_verdict_and_owns_up(page: Page, address: str):
    page.goto(f"{address}/evaluation")
    verdict = page.locator(".verdict")
    expect(verdict).to_contain_text(
        "The model finds 30.0 % of what customers went on to buy among its first 10"
    )
    expect(verdict).to_contain_text("The best plain method, counts, finds 24.0 %: 25 % more")
    expect(verdict).to_contain_text("95 % interval +20 % to +30 %")
    expect(page.locator(".lead").first).to_contain_text(
        "drawn at random from these 1,001 products finds 1.00 %"
    )
    expect(page.locator(".lead").first).to_contain_text("better on 2 of 5 figures")
    expect(page.locator(".strips tbody th")).to_have_text(
        ["oursthe model", "countshow often both were bought together", "popularitywhat is bought most"]
    )
    page.get_by_label("Measure").select_option("direction_auc_paired")
    expect(page.locator(".strips tbody th").first).to_contain_text("popularity")
    page.get_by_role("link", name="2 of 5 figures").click()
    expect(page.locator("#behind")).to_be_in_viewport()
    expect(page.locator("#behind li")).to_have_text(
        ["popularity before ours on direction AUC, paired: 0.7000 to 0.6000.",
         "counts before ours on HR@10 for products often bought: 0.4200 to 0.4000, within the noise."]
    )  # fmt: skip
    expect(page.locator("#slices .behind th")).to_contain_text("products often bought")
    picture = page.get_by_role("img", name="HR@10 by how much was known of the product")
    expect(picture).to_be_visible()
    page.locator("#degree summary").click()
    expect(page.locator("#degree tbody tr").first.locator("td")).to_have_text(["0.2", "0.4"])
    page.get_by_role("link", name="the full report").click()
    assert page.url == f"{address}/report"


def test_where_no_learned_method_wins_it_says_so_first(page: Page, address: str):
    """Also of an older bundle, whose report has figures by name alone."""
    figures = {
        "ours.HR@10": 0.2,
        "lift.HR@10": 0.25,
        "ours.HR@10.degree 1–3": 0.2,
        "lift.HR@10.degree 1–3": 0.3,
    }
    page.route("**/report.json*", lambda route, _: route.fulfill(json=figures))
    page.goto(f"{address}/evaluation")
    expect(page.locator(".verdict")).to_have_text(
        "No learned method beats the plain ones. lift finds 25.0\u00a0% of what customers went on to buy "
        "among its first 10; ours finds 20.0\u00a0%: 20\u00a0% less."
    )
    expect(page.locator(".lead")).to_contain_text("A plain method is better on the only figure")
    expect(page.locator(".strips tbody tr").first).to_contain_text("lift")
    page.route("**/report.json*", lambda route, _: route.fulfill(json={"HR@10": 0.5}))
    page.reload()
    expect(page.locator(".lead")).to_have_text("This report holds no figures of methods.")
    expect(page.locator("pre")).to_have_text("thence evaluate RUN")


def test_a_result_is_explained_when_it_is_asked_for(page: Page, address: str):
    page.goto(f"{address}/?item=case")
    row = page.locator(".side.before .model-list > li").filter(has=page.get_by_role("link", name="Red Phone"))
    expect(row.locator(".explained")).to_be_empty()
    row.locator("summary").focus()
    page.keyboard.press("Enter")
    expect(row.locator(".explained")).to_contain_text("30 of 40 customers went this way (75 %).")
    expect(row.locator(".explained")).to_contain_text("more than chance: between 60 % and 86 %")
    evidence = row.locator(".explained tbody tr").first
    expect(evidence).to_have_text("bought after30 customers10 customers")
    effect = row.locator(".effects li").first
    expect(effect).to_contain_text("Red Phone → Phone case (the pair itself)")
    page.goto(f"{address}/?item=tv")
    few = page.locator(".side.next .model-list > li").filter(has=page.get_by_role("link", name="Red Phone"))
    expect(few).to_contain_text("3 customers in this order")
    expect(few).to_contain_text("little evidence")
    few.locator("summary").click()
    expect(few.locator(".explained")).to_contain_text("Little evidence. 3 of 3 customers went this way")
    assert violations(page) == [] and fits(page)


def test_the_data_page_tells_what_became_of_every_row(page: Page, address: str):
    page.goto(f"{address}/data")
    expect(page.locator(".verdict")).to_contain_text(
        "90 events of 12 customers between 5 Jan 2026 and 7 Jan 2026"
    )
    expect(page.locator(".sums dd")).to_have_text(
        ["100", "9090 % of the rows", "77 % of the rows", "33 % of the rows"]
    )
    expect(page.locator(".reasons tbody th")).to_have_text(
        ["no user_id", "timestamp in the future", "no item_id"]
    )
    bars = page.locator("#events svg .draw-bars rect")
    heights = [float(bar.get_attribute("height") or 0) for bar in bars.all()]
    assert len(heights) == 3 and heights[0] > heights[2] > heights[1] == 0
    expect(page.locator(".kinds tr").first).to_contain_text("purchase60")
    expect(page.locator("#graph tbody tr").first).to_contain_text("875 %25 %")  # 8 arcs, one-way, clear
    expect(page.locator("#graph")).to_contain_text("1 product (12.5 %) has no arc at all")
    page.locator("#degrees summary").first.click()
    expect(page.locator("#degrees tbody").first.locator("tr").first).to_contain_text("0")


def test_a_model_is_loaded_and_taken_back_by_whoever_has_the_token(address: str, folder: Path):
    with opened(address, excused=("401", "422")) as page:
        page.goto(f"{address}/models")
        first = page.locator(".verdict b").inner_text()
        load = page.get_by_role("button", name="Load what lies in the folder")
        back = page.get_by_role("button", name="One step back")
        expect(back).to_be_disabled()
        load.click()
        expect(page.get_by_role("alert")).to_have_text("The token is missing or wrong; nothing was changed.")
        expect(page.get_by_label("Token")).to_be_focused()
        page.get_by_label("Token").fill(TOKEN)
        page.keyboard.press("Enter")
        expect(page.locator(".done")).to_contain_text(
            f"Nothing has changed: the folder holds what is live, {first}."
        )
        other().save(folder)
        load.click()
        expect(page.locator(".done")).to_contain_text("answers now")
        second = page.locator(".verdict b").inner_text()
        assert first != second
        expect(page.locator("#loaded")).to_contain_text(second)
        expect(page.get_by_role("region", name="Before")).to_contain_text(first)
        manifest = folder / "manifest.json"
        kept = manifest.read_bytes()
        manifest.write_bytes(kept[:-9])
        load.click()
        expect(page.get_by_role("alert")).to_contain_text("Refused. What lies there cannot be served")
        expect(page.locator(".verdict b")).to_have_text(second)
        page.get_by_role("navigation").get_by_role("link", name="Data").click()
        expect(page.locator("h1")).to_have_text("Data")
        page.go_back()
        expect(page.get_by_label("Token")).to_have_value(TOKEN)  # kept while the page is, and nowhere else
        assert page.evaluate("() => localStorage.length + sessionStorage.length + document.cookie.length") == 0
        back.click()
        expect(page.locator(".verdict b")).to_have_text(first)
        page.reload()
        expect(page.get_by_label("Token")).to_have_value("")
        assert TOKEN not in page.url
        shop().save(folder)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_every_page_is_sound_for_everybody_and_fits_a_phone(address: str, dark: bool):
    """What axe-core finds on a wide window; nothing wider than a narrow one, also where a wide one shrinks."""
    wrong: dict[str, list[str]] = {}
    with opened(address, dark=dark) as page:
        for view in VIEWS:
            page.set_viewport_size({"width": 1280, "height": 900})
            page.goto(f"{address}{view}")
            settled(page)
            page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true; })")
            wrong[view] = violations(page)
            page.set_viewport_size({"width": 360, "height": 800})
            wrong[view] += [] if fits(page) else ["too wide"]
    assert {view: found for view, found in wrong.items() if found} == {}


def test_models_without_items_have_their_pages_and_no_search(policy: Policy, tmp_path: Path):
    with served(Models(policy=policy), tmp_path / "alone") as base, opened(base, excused=REFUSED) as page:
        page.goto(f"{base}/models")
        expect(page.locator(".verdict")).to_contain_text(f"{policy.version} has answered since")
        expect(page.locator(".verdict")).to_contain_text("serves no products")
        expect(page.get_by_role("search")).to_be_hidden()
        links = page.get_by_role("navigation", name="Pages").get_by_role("link")
        expect(links).to_have_text(["Conversion", "Decision", "Models", "API"])
        assert violations(page) == []
        page.get_by_role("button", name="Load what lies in the folder").click()
        expect(page.get_by_role("alert")).to_contain_text("closed: this service was started without a token")
        for path, words in (("/data", "no log and no graph"), ("/evaluation", "not judged")):
            page.goto(f"{base}{path}")
            expect(page.locator(".lead")).to_contain_text(words)
        page.goto(base)
        expect(page.locator("h1")).to_have_text("API")
        expect(links).to_have_text(["Conversion", "Decision", "Models", "API"])
