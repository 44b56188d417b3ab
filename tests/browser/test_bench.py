"""What a visitor does on the Benchmark tab, in a real Chromium."""

import base64
import csv
import io
import re
import urllib.parse
from pathlib import Path

import pytest
from bench_fakes import EXHIBITS, HOSTILE_EXHIBITS
from playwright.sync_api import expect
from test_page import violations
from ui_fakes import CARDS, describe

from ecomscript.config import Settings
from ecomscript.ui.bench.try_it import TryIt
from ecomscript.ui.page import build_ui, launch

pytestmark = pytest.mark.browser
H2 = "#bench-exhibit h2"
EVERY = (*EXHIBITS, *HOSTILE_EXHIBITS)


@pytest.fixture(scope="module")
def url(pipeline):
    demo = build_ui(pipeline, describe, CARDS, EVERY, lambda: TryIt(pipeline.reviewer.verifiers, None, CARDS))
    yield launch(demo, Settings(), prevent_thread_lock=True)
    demo.close(verbose=False)


@pytest.fixture
def open_bench(open_page):
    def opener(key="", **options):
        return open_page(f"tab=bench{'&exp=' + urllib.parse.quote(key) if key else ''}", wait="#bench-exhibit article", **options)

    return opener


def column(page, n):
    return [
        re.split(r"\n| \[", text)[0].lstrip("◆ ")
        for text in page.locator(f"#bench-exhibit tbody tr:not([hidden]) > :nth-child({n})").all_inner_texts()
    ]


def head(page, name):
    return page.locator("#bench-exhibit th", has=page.get_by_role("button", name=name, exact=True))


def test_the_tab_shows_the_first_experiment_and_the_index(open_page):
    page = open_page()
    assert page.locator("#bench-exhibit").count() == 0
    page.click("role=tab[name=Benchmark]")
    expect(page.locator(H2)).to_have_text("Leaderboard")
    assert page.locator("#bench-index a").all_inner_texts()[:6] == [e.title for e in EXHIBITS]
    assert page.locator("#bench-index [aria-current=page]").all_inner_texts() == ["Leaderboard"]
    assert "0.884" in page.inner_text(".es-finding")


def test_a_link_opens_the_experiment_and_a_click_changes_the_link(open_bench):
    page = open_bench("threshold")
    expect(page.locator(H2)).to_have_text("Threshold sweep")
    assert "is not JSON" in page.inner_text(".es-made .es-problem")
    page.click("#bench-index a >> text=Cross-domain transfer")
    expect(page.locator(H2)).to_have_text("Cross-domain transfer")
    assert "tab=bench&exp=transfer" in page.url
    expect(page.locator("#bench-index [aria-current=page]")).to_have_text("Cross-domain transfer")
    page.go_back()
    expect(page.locator(H2)).to_have_text("Threshold sweep")
    page.go_forward()
    expect(page.locator(H2)).to_have_text("Cross-domain transfer")
    page.click("role=tab[name=Plan]")
    page.click("role=tab[name=Benchmark]")
    expect(page.locator(H2)).to_have_text("Cross-domain transfer")


def test_of_clicks_in_haste_the_last_one_counts(open_bench):
    page = open_bench()
    page.route("**/queue/join*", lambda route: (page.wait_for_timeout(400), route.continue_()))
    for title in ("Threshold sweep", "Error analysis", "Cross-domain transfer"):
        page.click(f"#bench-index a >> text={title}")
    expect(page.locator(H2)).to_have_text("Cross-domain transfer")
    expect(page.locator("#bench-index [aria-current=page]")).to_have_text("Cross-domain transfer")
    assert "exp=transfer" in page.url


def test_an_unknown_experiment_is_named_and_the_first_one_shown(open_bench):
    page = open_bench("no<b>such")
    expect(page.locator(H2)).to_have_text("Leaderboard")
    expect(page.locator("#bench-exhibit .es-problem")).to_have_text("There is no experiment “no<b>such”. This is the first one.")
    page.click("#bench-index a >> text=Product signals")
    expect(page.locator(".es-panel")).to_contain_text("Not run yet")
    assert "--task signals" in page.inner_text(".es-panel code")


def test_the_panel_to_try_it_has_its_own_place_and_link(open_page):
    page = open_page("tab=bench&exp=try-it", wait="#try-it")
    expect(page.locator("#bench-index [aria-current=page]")).to_have_text("Try it")
    page.fill("#try-objective input, #try-objective textarea", "camp with children")
    page.click("#bench-index a >> text=Leaderboard")
    expect(page.locator(H2)).to_have_text("Leaderboard")
    expect(page.locator("#try-it")).to_be_hidden()
    page.click("#bench-index a >> text=Try it")
    expect(page.locator("#try-it")).to_be_visible()
    expect(page.locator("#bench-exhibit article")).to_have_count(0)
    assert page.input_value("#try-objective input, #try-objective textarea") == "camp with children"


def test_a_goal_link_still_plans(open_page):
    page = open_page("goal=camping", wait=".es-card")
    page.wait_for_selector("text=Done in")
    assert page.get_attribute("role=tab[name=Plan]", "aria-selected") == "true"


def test_a_table_is_sorted_by_its_heads(open_bench):
    page = open_bench()
    auc = head(page, "AUC")
    assert auc.get_attribute("aria-sort") == "none"
    auc.get_by_role("button", name="AUC", exact=True).focus()
    page.keyboard.press("Enter")
    assert auc.get_attribute("aria-sort") == "descending"
    assert column(page, 4)[:3] == ["0.884", "0.871", "0.770"]
    assert column(page, 4)[-1] == "—"
    page.keyboard.press("Enter")
    assert auc.get_attribute("aria-sort") == "ascending"
    assert column(page, 4)[0] == "0.498" and column(page, 4)[-1] == "—"
    head(page, "Model").get_by_role("button", name="Model").click()
    assert auc.get_attribute("aria-sort") == "none"
    assert column(page, 1)[:2] == ["BM25", "BM25"]


def test_search_and_filter_keep_the_baselines(open_bench):
    page = open_bench()
    page.get_by_label("Search").fill("SHIPPED")
    assert column(page, 1) == ["majority", "majority", "random", "random", "shipped", "shipped"]
    expect(page.locator("[data-shown]")).to_have_text("6 of 13 rows")
    page.get_by_role("combobox", name="Domain").select_option("outdoors")
    assert column(page, 1) == ["majority", "random", "shipped"]
    assert page.locator("tr:not([hidden]) .is-best").all_inner_texts()[0].startswith("0.871")
    page.get_by_label("Search").fill("nothing like this")
    assert column(page, 1) == ["majority", "random"]
    page.click("#bench-index a >> text=Intention ablation")
    page.click("#bench-index a >> text=Leaderboard")
    expect(page.locator("#bench-exhibit tbody tr:not([hidden])")).to_have_count(13)
    assert page.get_by_label("Search").input_value() == page.get_by_role("combobox", name="Domain").input_value() == ""


def test_a_heading_explains_its_metric(open_bench):
    page = open_bench()
    tip = page.locator(".es-tip:popover-open")
    page.get_by_role("button", name="What “ECE” means").focus()
    expect(tip).to_have_text("How far confidences are from how often they hold; 0 is best.")
    page.keyboard.press("Escape")
    expect(tip).to_have_count(0)


def test_csv_and_report_are_downloaded(open_bench):
    page = open_bench()
    with page.expect_download() as caught:
        page.click("#bench-exhibit a[download]")
    assert caught.value.suggested_filename == "leaderboard-board.csv"
    rows = list(csv.DictReader(io.StringIO(Path(caught.value.path()).read_text(encoding="utf-8-sig"))))
    assert len(rows) == 13 and rows[10]["auc_low"] == "0.8441" and rows[12]["auc"] == ""
    with page.expect_download() as caught:
        page.click("#bench-report")
    assert caught.value.suggested_filename == "ecomscript-benchmark.html"
    report = page.context.new_page()
    requests = []
    report.on("request", lambda r: requests.append(r.url))
    report.goto("data:text/html;base64," + base64.b64encode(Path(caught.value.path()).read_bytes()).decode())
    assert report.locator("article").count() == len(EVERY)
    assert [url for url in requests if not url.startswith("data:")] == []
    assert report.evaluate("window.__y") is None


def test_cases_are_filtered_and_shown_in_parts(open_bench):
    page = open_bench("errors")
    shown = page.locator(".es-case:not([hidden])")
    assert shown.count() == 30
    page.get_by_role("button", name="Show 30 more").click()
    assert shown.count() == 60
    assert page.evaluate("document.activeElement.closest('.es-case') === document.querySelectorAll('.es-case')[30]")
    page.get_by_label("Signature").select_option("semantic drift")
    expect(page.locator("[data-shown]")).to_have_text("30 of 37 texts")
    page.get_by_label("Task").select_option("T1")
    page.get_by_label("Search").fill("sourdough")
    expect(page.locator("[data-shown]")).to_have_text("12 of 12 texts")
    expect(page.get_by_role("button", name="Show 30 more")).to_be_hidden()
    shown.first.locator("summary").click()
    expect(shown.first).to_contain_text("Cairnfold")
    page.click("#bench-index a >> text=Leaderboard")
    page.click("#bench-index a >> text=Error analysis")
    expect(shown).to_have_count(30)
    assert page.locator(".es-case[open]").count() == 0


@pytest.mark.parametrize("n", range(len(HOSTILE_EXHIBITS)))
def test_hostile_text_is_shown_and_never_run(open_bench, n):
    key = HOSTILE_EXHIBITS[n].key
    page = open_bench(key)
    assert page.inner_text(H2).strip() == key
    assert page.evaluate("window.__y") is None
    page.locator("#bench-exhibit [data-sort]").first.click()
    page.get_by_label("Search").first.fill("lantern")
    page.locator("#bench-index a").nth(len(EXHIBITS) + n).click()
    expect(page.locator(H2)).to_have_text(key)
    assert page.evaluate("window.__y") is None


def test_forged_events_change_nothing(open_bench, url):
    page = open_bench("transfer")
    forge = """async ([base, payload]) => {
      const session_hash = 'forged' + Math.random();
      for (const dep of window.gradio_config.dependencies) for (const forged of payload)
        await fetch(base + 'gradio_api/queue/join', {method: 'POST', headers: {'Content-Type': 'application/json'},
          body: JSON.stringify({
            data: dep.inputs.map(() => forged), fn_index: dep.id, trigger_id: null, session_hash, event_data: forged})});
    }"""
    page.evaluate(forge, [url, [None, [], ["x"], {"exp": {"a": 1}}, 5]])
    page.click("#bench-index a >> text=Leaderboard")
    expect(page.locator(H2)).to_have_text("Leaderboard")


@pytest.mark.parametrize("size", ["desktop", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_axe_violation_and_no_sideways_scroll(open_bench, size, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed").Axe()
    page = open_bench(size=size, scheme=scheme)
    for exhibit in EXHIBITS:
        page.locator("#bench-index a").nth(EXHIBITS.index(exhibit)).click()
        expect(page.locator(H2)).to_have_text(exhibit.title)
        assert violations(axe, page) == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        small = page.evaluate(
            "[...document.querySelectorAll('#bench-board :is(a, button, input, select, summary), #bench-report')]"
            ".map(e => [e.outerHTML.slice(0, 80), e.getBoundingClientRect()])"
            ".filter(([, r]) => r.width > 1 && r.height > 0 && r.height < 44).map(([text]) => text)"
        )
        assert small == []
        letters = page.evaluate(
            "[...document.querySelectorAll('.es-plot text')].map(e => parseFloat(getComputedStyle(e).fontSize) * e.getScreenCTM().a)"
        )
        assert all(size_px >= 12 for size_px in letters)
    page.click("#bench-index a >> text=Try it")
    page.wait_for_selector("#try-it")
    assert violations(axe, page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
