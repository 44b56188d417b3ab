"""Sharing, keeping and printing a plan, in a real Chromium."""

import os
from pathlib import Path

import pytest
from playwright.sync_api import expect

from ecomscript.ui.kept import MOST, PREFIX

pytestmark = pytest.mark.browser
GOAL = "#goal input"
TEXTS = "#plan h2, #plan .es-step h3, #plan .es-card h4"
SHOTS = os.environ.get("ECOMSCRIPT_SHOTS")


def shoot(page, name):
    if SHOTS:
        page.screenshot(path=Path(SHOTS) / f"share-{name}.png", full_page=True)


def plan(page, goal="verified camping"):
    page.fill(GOAL, goal)
    page.press(GOAL, "Enter")
    page.wait_for_selector("text=Done in")
    page.wait_for_selector("#plan-button")


def fill_basket(page):
    page.click("[data-act=all]")
    page.wait_for_selector(".es-line >> nth=7")
    page.locator("[data-act=more][data-more='1'][data-pid=stove]").click()
    page.wait_for_selector(".es-line input[data-pid=stove][value='2']")


def reopened(page, script=""):
    """Open the page once more in the same browser, after ``script``; an error in it fails the test."""
    other = page.context.new_page()
    other.on("pageerror", lambda error: pytest.fail(str(error)))
    other.add_init_script(script)
    other.goto(page.url)
    other.wait_for_selector(".es-welcome")
    page.close()
    return other


def texts_of(page):
    return page.locator(TEXTS).all_inner_texts()


def lines_of(page):
    return page.locator(".es-line input[type=number]").evaluate_all("all => all.map(e => [e.dataset.pid, e.value])")


def shared_link(page):
    page.click("[data-act=share]")
    page.wait_for_selector("#share-dialog[open]")
    return page.input_value("#share-link")


def keep(page, name):
    page.click("[data-act=keep]")
    page.wait_for_selector("#keep-dialog[open]")
    page.fill("#keep-name", name)
    page.keyboard.press("Enter")


@pytest.mark.parametrize("size", ["desktop", "phone"])
def test_a_shared_link_opens_the_same_plan_and_basket(open_page, size):
    page = open_page(size=size)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.fill("#people input, #people textarea", "4")
    plan(page)
    fill_basket(page)
    link = shared_link(page)
    expect(page.locator("#share-dialog .es-said")).to_have_text("Link copied")
    assert page.evaluate("navigator.clipboard.readText()") == link and len(link) < 1500
    shoot(page, f"dialog-{size}")
    page.keyboard.press("Escape")
    expect(page.locator("#share-dialog")).to_be_hidden()
    assert page.evaluate("document.activeElement.dataset.act") == "share"
    other = open_page(link.partition("?")[2], size=size, wait=".es-card")
    other.wait_for_selector("text=Done in")
    expect(other.locator(".es-line")).to_have_count(8)
    assert texts_of(other) == texts_of(page) and lines_of(other) == lines_of(page)
    assert other.input_value(GOAL) == "verified camping" and other.input_value("#people input, #people textarea") == "4"
    assert "Opened from a link" in other.inner_text(".es-notices")
    expect(other.locator(".es-card [data-act=cart].is-on")).to_have_count(8)
    assert other.evaluate("document.documentElement.scrollWidth <= innerWidth")
    shoot(other, f"opened-{size}")


def test_a_blocked_clipboard_leaves_the_field(open_page):
    page = open_page()
    page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(new Error('blocked')); }")
    plan(page)
    link = shared_link(page)
    expect(page.locator("#share-dialog .es-said")).to_have_text("The clipboard is blocked here: copy the link from the field.")
    assert page.evaluate("document.activeElement.id") == "share-link" and page.evaluate("getSelection().toString()") == link


@pytest.mark.parametrize("code", ["1.broken", "0.eJyrVspPUrJSSlSqBQAOXAMm", "x" * 50, "1." + "A" * 7000])
def test_a_broken_link_is_a_sentence_and_the_page_works(open_page, code):
    page = open_page(f"plan={code}", wait="[role=alert]")
    assert "This link" in page.inner_text("#plan [role=alert]")
    plan(page)
    assert page.locator(".es-card").count() == 8


@pytest.mark.parametrize(("size", "scheme"), [("desktop", "light"), ("phone", "dark")])
def test_plans_are_kept_opened_and_deleted(open_page, size, scheme):
    page = open_page(size=size, scheme=scheme)
    expect(page.locator(".es-plans")).to_be_hidden()
    plan(page)
    fill_basket(page)
    whole, lines = texts_of(page), lines_of(page)
    page.click("[data-act=keep]")
    page.wait_for_selector("#keep-dialog[open]")
    assert page.input_value("#keep-name") == "Verified camping"
    shoot(page, f"keep-{size}")
    page.fill("#keep-name", "<b>Trip</b> ${1}")
    page.keyboard.press("Enter")
    expect(page.locator(".es-plans .es-said")).to_have_text("Kept “<b>Trip</b> ${1}”.")
    keep(page, "Second")
    expect(page.locator(".es-plans li")).to_have_count(2)
    page = reopened(page)
    page.wait_for_selector(".es-plans li")
    plan(page, "camping with dad")
    page.locator("[data-act=cart][data-pid=tent]").click()
    page.wait_for_selector(".es-line")
    page.click(".es-plans-name:text-is('<b>Trip</b> ${1}')")
    expect(page.locator(".es-line")).to_have_count(8)
    page.wait_for_selector("text=Opened “<b>Trip</b> ${1}”.")
    assert texts_of(page) == whole and lines_of(page) == lines
    expect(page.locator("#plan h2")).to_be_focused()
    shoot(page, f"kept-{size}")
    page.click("text=Back to the plan before")
    expect(page.locator(".es-line")).to_have_count(1)
    assert page.input_value(GOAL) == "camping with dad"
    page.click("[aria-label='Delete Second']")
    expect(page.locator(".es-plans li")).to_have_count(1)
    assert page.evaluate("document.activeElement.id") == "kept-title"
    page.click("[aria-label='Delete <b>Trip</b> ${1}']")
    page = reopened(page)
    expect(page.locator(".es-plans")).to_be_hidden()


def test_two_tabs_see_each_others_plans_and_the_last_one_wins(open_page):
    page = open_page()
    plan(page)
    keep(page, "Mine")
    other = page.context.new_page()
    other.goto(page.url)
    other.wait_for_selector(".es-plans li")
    plan(other, "camping again")
    keep(other, "Mine")
    expect(other.locator(".es-plans .es-said")).to_have_text("Kept “Mine”.")
    keep(other, "Theirs")
    expect(page.locator(".es-plans li")).to_have_count(2)
    page.click(".es-plans-name:text-is('Mine')")
    page.wait_for_function("document.querySelector('#goal input').value === 'camping again'")


def test_no_more_are_kept_than_fit_and_what_others_wrote_is_no_trouble(open_page):
    page = open_page()
    page.evaluate("([prefix, n]) => { for (let i = 0; i < n; i++) localStorage.setItem(prefix + 'plan ' + i, 'rubbish'); }", [PREFIX, MOST])
    page = reopened(page)
    page.wait_for_selector(".es-plans li >> nth=29")
    plan(page)
    keep(page, "one more")
    expect(page.locator("#keep-dialog .es-said")).to_contain_text("30 plans are kept")
    page.keyboard.press("Escape")
    page.locator(".es-plans-name").first.click()
    page.wait_for_selector("text=This link is damaged or cut off")
    assert page.locator(".es-card").count() == 8


def test_blocked_storage_is_said_and_breaks_nothing(open_page):
    page = reopened(
        open_page(), "Object.defineProperty(window, 'localStorage', {get() { throw new DOMException('denied', 'SecurityError'); }})"
    )
    page.wait_for_selector(".es-plans >> text=This browser stores nothing")
    plan(page)
    shoot(page, "blocked")
    keep(page, "Mine")
    expect(page.locator("#keep-dialog .es-said")).to_contain_text("Share gives you a link")
    page.keyboard.press("Escape")
    assert shared_link(page).partition("?plan=1.")[2]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_print_shows_plan_and_checklist_without_controls(open_page, scheme):
    page = open_page(scheme=scheme)
    plan(page)
    fill_basket(page)
    page.evaluate("window.print = () => { window.printed = true; }")
    page.click("[data-act=print]")
    assert page.evaluate("window.printed")
    page.emulate_media(media="print")
    controls = "button:not(.es-chip, .es-trust-words, .es-nice), [role=tab], #goal, .es-exports, .es-bar, #kept, footer"
    assert page.locator(controls).evaluate_all("all => all.filter(e => e.checkVisibility()).map(e => e.outerHTML.slice(0, 80))") == []
    expect(page.locator(".es-step h3").first).to_have_css("color", "rgb(28, 35, 32)")
    for text in (".es-step h3", ".es-card .es-price", ".es-tick", ".es-line-title", ".es-total"):
        assert page.locator(text).first.is_visible()
    shoot(page, f"print-{scheme}")


@pytest.mark.parametrize(("size", "scheme"), [("desktop", "light"), ("phone", "dark")])
def test_no_axe_violation_in_dialogs_and_panel(open_page, size, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed").Axe()
    page = open_page(size=size, scheme=scheme)
    plan(page)
    keep(page, "Mine")
    page.wait_for_selector(".es-plans li")
    for act in ("share", "keep"):
        page.click(f"[data-act={act}]")
        page.wait_for_selector(f"#{act}-dialog[open]")
        found = axe.run(page).response["violations"]
        assert [(v["id"], [n["html"][:120] for n in v["nodes"]][:3]) for v in found] == []
        small = "all => all.map(e => [e.outerHTML.slice(0, 80), e.getBoundingClientRect()]).filter(([, r]) => r.width && r.height < 44)"
        assert page.locator("#kept :is(button, input)").evaluate_all(small) == []
        page.keyboard.press("Escape")


def test_forged_payloads_change_nothing(open_page, url):
    page = open_page()
    plan(page)
    forge = """async ([base, payload]) => {
      const config = window.gradio_config, session_hash = 'forged' + Math.random();
      for (const dep of config.dependencies.filter(d => d.targets.some(([, name]) => name === 'open' || name === 'code')))
        for (const event_data of payload)
          await fetch(base + 'gradio_api/queue/join', {method: 'POST', headers: {'Content-Type': 'application/json'},
            body: JSON.stringify({data: dep.inputs.map(() => null), fn_index: dep.id, trigger_id: null, session_hash, event_data})});
    }"""
    page.evaluate(forge, [url, [None, [], {"for": "opened"}, {"code": {"a": 1}}, {"code": "1." + "A" * 100000}]])
    plan(page, "camping again")
    expect(page.locator(".es-card")).to_have_count(8)
