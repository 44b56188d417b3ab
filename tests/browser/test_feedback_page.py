"""Thumbs, the sheet and the page of visitors' ratings, in a real Chromium."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import expect
from test_page import plan, violations
from ui_fakes import CARDS, describe

from ecomscript.config import Settings
from ecomscript.feedback.collect import Collector
from ecomscript.feedback.record import SHEETS
from ecomscript.feedback.store import FeedbackStore, Limits
from ecomscript.ui.page import build_ui, launch

pytestmark = pytest.mark.browser
SHOTS = os.environ.get("ECOMSCRIPT_SHOTS")
SIZES = [("desktop", "light"), ("phone", "dark")]


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return FeedbackStore(tmp_path_factory.mktemp("ratings") / "feedback.sqlite", Limits(40, 10_000))


@pytest.fixture(scope="module")
def url(pipeline, store):
    demo = build_ui(pipeline, describe, CARDS, (), feedback=Collector(store, "abc123"))
    yield launch(demo, Settings(), prevent_thread_lock=True)
    demo.close(verbose=False)


@pytest.fixture(params=SIZES, ids=lambda p: p[0])
def page(open_page, request):
    page = open_page(size=request.param[0], scheme=request.param[1])
    plan(page, "verified camping")
    return page


def shoot(page, name):
    if SHOTS:
        page.screenshot(path=Path(SHOTS) / f"feedback-{name}-{page.viewport_size['width']}.png", full_page=True)


def thumb(page, label):
    return page.get_by_role("button", name=label, exact=True)


def place(page, product_id):
    return page.locator(".es-card", has=page.locator(f"[data-act=cart][data-pid={product_id}]")).locator(".es-asked")


def answer(page, marks):
    page.locator(".es-sheet").evaluate("one => { one.open = true; }")
    for name, mark in zip(SHEETS, marks, strict=True):
        page.locator(f"[name={name}][value='{mark}']").check()


def send(page):
    page.get_by_role("button", name="Send rating").click()
    expect(page.locator(".es-sheet .es-thanks")).to_have_text("Thanks, noted.")


def mine(store, before):
    return store.read()[before:]


def test_thumbs_are_stored_pressed_and_can_be_changed(page, store):
    before = store.last()
    up, down = (thumb(page, f"{word} for this step: Cairnfold Ridgeline 4-Person Tent") for word in ("Useful", "Not useful"))
    expect(up).to_have_attribute("aria-pressed", "false")
    up.click()
    expect(up).to_have_attribute("aria-pressed", "true")
    expect(place(page, "tent").locator("[role=status]")).to_have_text("Thanks, noted.")
    assert up.evaluate("e => e === document.activeElement")
    down.click()
    expect(down).to_have_attribute("aria-pressed", "true")
    expect(up).to_have_attribute("aria-pressed", "false")
    down.press("Enter")
    expect(place(page, "tent").locator("[role=status]")).to_have_text("Taken back.")
    expect(page.locator(".es-thumb[aria-pressed=true]")).to_have_count(0)
    found = mine(store, before)
    assert [(r.product_id, r.step, dict(r.marks), r.t2, r.goal, r.version) for r in found] == [
        ("tent", 2, marks, 0.93, None, "abc123") for marks in ({"useful": 1}, {"useful": 0}, {})
    ]
    assert len({r.session for r in found}) == 1
    assert (
        page.locator(".es-thumb, .es-mark, .es-sheet summary").evaluate_all(
            "all => all.filter(e => e.checkVisibility()).map(e => e.getBoundingClientRect()).filter(r => r.height < 44 || r.width < 44)"
        )
        == []
    )


def test_what_is_pressed_outlives_an_edit_of_another_step(page, store):
    thumb(page, "Useful for this step: Mossbed Self-Inflating Mat").click()
    expect(thumb(page, "Useful for this step: Mossbed Self-Inflating Mat")).to_have_attribute("aria-pressed", "true")
    thumb(page, "This plan is useful").click()
    expect(thumb(page, "This plan is useful")).to_have_attribute("aria-pressed", "true")
    add = page.locator("[data-form=add] input")
    add.fill("Buy a stove")
    add.press("Enter")
    expect(page.locator(".es-step")).to_have_count(6)
    expect(thumb(page, "Useful for this step: Mossbed Self-Inflating Mat")).to_have_attribute("aria-pressed", "true")
    expect(thumb(page, "This plan is useful")).to_have_attribute("aria-pressed", "false")  # it is another plan
    page.click("[data-edit=undo]")
    expect(page.locator(".es-step")).to_have_count(5)
    expect(thumb(page, "This plan is useful")).to_have_attribute("aria-pressed", "true")


def test_the_sheet_by_keyboard_alone(open_page, store):
    page = open_page()
    plan(page, "verified camping")
    before = store.last()
    page.locator(".es-sheet summary").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    for steps in range(5):
        page.keyboard.press("Space")
        for _ in range(steps):
            page.keyboard.press("ArrowRight")
        page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.name") == "consent"
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator(".es-sheet .es-thanks")).to_have_text("Thanks, noted.")
    (record,) = mine(store, before)
    assert [record.marks[sheet] for sheet in SHEETS] == [1, 2, 3, 4, 5] and record.goal is None


def test_a_sheet_needs_all_answers_and_keeps_the_goal_only_with_consent(page, store):
    before = store.last()
    assert "No name, no address" in page.inner_text(".es-rate-stored")
    page.click(".es-sheet summary")
    page.get_by_role("button", name="Send rating").click()
    assert page.evaluate("document.activeElement.name") == SHEETS[0]  # the browser points at the first that is missing
    answer(page, (5, 4, 4, 3, 4))
    page.check("[name=consent]")
    shoot(page, "sheet")
    send(page)
    assert page.locator(".es-sheet").get_attribute("open") is not None
    answer(page, (5, 4, 4, 3, 2))
    page.uncheck("[name=consent]")
    send(page)
    first, second = mine(store, before)
    assert (first.goal, second.goal, second.marks["would_use"], first.session) == ("verified camping", None, 2, second.session)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_another_plan_gets_an_empty_sheet_and_the_first_its_answers_back(page):
    answer(page, (5, 4, 4, 3, 2))
    send(page)
    add = page.locator("[data-form=add] input")
    add.fill("Buy a stove")
    add.press("Enter")
    expect(page.locator(".es-step")).to_have_count(6)
    expect(page.locator(".es-mark input:checked")).to_have_count(0)
    page.click("[data-edit=undo]")
    expect(page.locator(".es-step")).to_have_count(5)
    expect(page.locator(".es-mark input:checked")).to_have_count(5)


def test_two_visits_have_two_names_and_see_nothing_of_each_other(open_page, store):
    before = store.last()
    for _ in range(2):
        page = open_page()
        plan(page, "verified camping")
        expect(page.locator(".es-thumb[aria-pressed=true]")).to_have_count(0)
        thumb(page, "This plan is useful").click()
        expect(page.locator(".es-thumb[aria-pressed=true]")).to_have_count(1)
    first, second = mine(store, before)
    assert first.session != second.session and first.thing == second.thing


def test_a_locked_file_is_said_and_the_page_goes_on(open_page, store):
    page = open_page()
    plan(page, "verified camping")
    with closing(sqlite3.connect(store.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        thumb(page, "This plan is useful").click()
        page.wait_for_selector("text=Your rating was not stored")
    expect(page.locator(".es-thumb[aria-pressed=true]")).to_have_count(0)
    thumb(page, "This plan is useful").click()
    expect(thumb(page, "This plan is useful")).to_have_attribute("aria-pressed", "true")
    page.locator("[data-act=cart]").first.click()
    page.wait_for_selector(".es-line")


def test_one_visit_is_limited_and_told_so(open_page, store):
    page = open_page()
    plan(page, "verified camping")
    before = store.last()
    for n in range(40):
        thumb(page, "This plan is useful").click()
        expect(thumb(page, "This plan is useful")).to_have_attribute("aria-pressed", "true" if n % 2 == 0 else "false")
    thumb(page, "This plan is useful").click()
    page.wait_for_selector("text=which is the most")
    assert store.last() == before + 40


def test_forged_payloads_store_nothing(open_page, url, store):
    page = open_page()
    plan(page, "verified camping")
    before = store.last()
    forge = """async ([base, payloads, session_hash]) => {
      const dep = window.gradio_config.dependencies.find(d => d.targets.some(([, name]) => name === 'rate'));
      for (const event_data of payloads)
        await fetch(base + 'gradio_api/queue/join', {method: 'POST', headers: {'Content-Type': 'application/json'},
          body: JSON.stringify({data: dep.inputs.map(() => null), fn_index: dep.id, trigger_id: null, session_hash, event_data})});
    }"""
    thing = page.locator(".es-rate .es-asked").get_attribute("data-thing")
    fine = {"subject": "sheet", "thing": thing, "marks": dict.fromkeys(SHEETS, 5)}
    bad = [None, [], {**fine, "marks": dict.fromkeys(SHEETS, 9)}, {**fine, "thing": "0" * 16}, {"subject": "x" * 100_000, "marks": {}}]
    page.evaluate(forge, [url, [*bad, fine], "forged"])  # another session sees another plan, or none
    own = page.evaluate("window.__gradio_session_hash__")
    assert own
    page.evaluate(forge, [url, bad, own])
    page.wait_for_timeout(800)
    assert store.last() == before
    page.evaluate(forge, [url, [fine], own])  # so the ways above do arrive
    for _ in range(100):
        if store.last() > before:
            break
        page.wait_for_timeout(100)
    assert store.last() == before + 1


@pytest.mark.parametrize(("size", "scheme"), [*SIZES, ("desktop", "dark"), ("phone", "light")])
def test_no_axe_violation_and_no_sideways_scroll(open_page, size, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed").Axe()
    page = open_page(size=size, scheme=scheme)
    plan(page, "verified camping")
    thumb(page, "This plan is useful").click()
    answer(page, (1, 2, 3, 4, 5))
    send(page)
    page.mouse.move(0, 0)
    assert violations(axe, page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    shoot(page, f"rated-{scheme}")
    page.click("role=tab[name=Benchmark]")
    page.click("#bench-index a >> text=Visitors' ratings")
    expect(page.locator("#bench-exhibit h2")).to_have_text("Visitors' ratings")
    assert "not a stored result" in page.inner_text(".es-live")
    assert violations(axe, page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    shoot(page, f"bench-{scheme}")


def test_the_live_page_counts_a_rating_that_has_just_come(open_page, store):
    page = open_page()
    plan(page, "verified camping")
    page.click("role=tab[name=Benchmark]")
    page.wait_for_selector("#bench-exhibit .es-live")
    counted = page.inner_text(".es-finding")
    page.click("role=tab[name=Plan]")
    thumb(page, "This plan is not useful").click()
    expect(thumb(page, "This plan is not useful")).to_have_attribute("aria-pressed", "true")
    page.click("role=tab[name=Benchmark]")
    page.click("#bench-index a >> text=Visitors' ratings")
    page.wait_for_function("before => document.querySelector('.es-finding').textContent !== before", arg=counted)


def test_paper_shows_none_of_it(open_page):
    page = open_page()
    plan(page, "verified camping")
    page.emulate_media(media="print")
    assert page.locator(".es-thumb, .es-rate, .es-asked").evaluate_all("all => all.some(e => e.checkVisibility())") is False
