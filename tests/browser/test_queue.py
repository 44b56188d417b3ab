"""What a visitor sees while others are being served, and what a change looks like when its line is out of sight."""

import json
import re
import urllib.request

import pytest
from playwright.sync_api import expect
from test_edit import card, press, step
from test_page import GOAL, plan
from test_share import reopened

from ecomscript.ui.border import PLAN_SLOTS

pytestmark = pytest.mark.browser
QUEUE = "#status .es-queue"


def others(url, count):
    """Let as many other visitors plan something slow, over the API, which has the same slots."""
    for _ in range(count):
        body = json.dumps({"data": ["slow camping", None, None, None]}).encode()
        request = urllib.request.Request(f"{url}gradio_api/call/plan", body, {"Content-Type": "application/json"})
        urllib.request.urlopen(request, timeout=10).close()


@pytest.mark.parametrize("size", ["desktop", "phone"])
def test_a_waiting_visitor_sees_the_place_in_the_queue_move_on(open_page, url, size):
    page = open_page(size=size)
    expect(page.locator(QUEUE)).to_be_hidden()
    others(url, PLAN_SLOTS + 2)
    page.fill(GOAL, "camping for two kids")
    page.press(GOAL, "Enter")
    expect(page.locator(QUEUE)).to_be_visible()
    # At first those count too that take a slot at once.
    expect(page.locator(QUEUE)).to_have_text(re.compile(f"[2-{PLAN_SLOTS + 2}] plans are before yours"))
    assert page.locator(QUEUE).bounding_box()["y"] < 900 and page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    expect(page.locator(QUEUE)).to_have_text(re.compile("1 plan is before yours|Yours is next"))
    page.wait_for_selector("text=Done in")
    expect(page.locator(QUEUE)).to_be_hidden()
    plan(page, "camping again")


def test_a_visitor_who_is_answered_at_once_never_sees_it(open_page):
    page = open_page()
    page.evaluate(
        "() => { window.seen = 0; new MutationObserver(() => { window.seen += !document.querySelector('.es-queue').hidden; })"
        ".observe(document.querySelector('#status'), {subtree: true, attributes: true, childList: true}); }"
    )
    plan(page, "slow camping")
    assert page.evaluate("window.seen") == 0


@pytest.mark.parametrize("size", ["desktop", "phone"])
def test_undo_is_at_hand_far_down_the_page(open_page, size):
    page = open_page(size=size)
    plan(page, "verified camping")
    press(page, card(page, "aid"), "Keep this one")
    line = page.locator("#status .is-change")
    expect(line).to_contain_text("Halewick First Aid Kit stays")
    expect(line).to_be_in_viewport(ratio=1)
    assert page.locator("#plan h2").bounding_box()["y"] < 0
    before = page.evaluate("scrollY")
    line.get_by_role("button", name="Undo").click()
    expect(line).to_contain_text("Undone: Halewick First Aid Kit stays")
    expect(page.locator(".es-kept")).to_have_count(0)
    assert abs(page.evaluate("scrollY") - before) < 60  # what is taken out above moves the page a little
    expect(line.get_by_role("button", name="Redo")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".es-kept")).to_have_count(1)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_what_is_turned_down_leaves_the_basket_and_undo_brings_it_back(open_page):
    page = open_page()
    plan(page, "verified camping under $250")
    page.click("[data-act=all]")
    page.wait_for_selector(".es-line >> nth=7")
    page.locator("[data-act=more][data-more='1'][data-pid=aid]").click()
    page.wait_for_selector(".es-line input[data-pid=aid][value='2']")
    press(page, card(page, "aid"), "Not interested")
    page.wait_for_selector("text=Nothing else suits its place")
    expect(page.locator(".es-line input[type=number][data-pid=aid]")).to_have_count(0)
    expect(page.locator(".es-line")).to_have_count(7)
    page.click("[data-edit=undo]")
    expect(page.locator(".es-line input[type=number][data-pid=aid]")).to_have_value("2")


@pytest.mark.parametrize(("size", "scheme"), [("desktop", "light"), ("phone", "dark")])
def test_the_hint_is_shown_until_it_is_put_away(open_page, size, scheme):
    page = open_page(size=size, scheme=scheme)
    hint = page.locator(".es-hint")
    expect(hint).to_be_hidden()
    plan(page)
    expect(hint).to_be_visible()
    assert hint.locator("button").bounding_box()["height"] >= 44
    hint.locator("button").click()
    expect(hint).to_be_hidden()
    assert page.evaluate("document.activeElement.tagName") == "H2"
    page = reopened(page)
    plan(page)
    expect(page.locator(".es-hint")).to_be_hidden()
    expect(step(page, "Cook simple")).to_be_visible()
