"""What goes wrong around a plan in a real Chromium: two tabs, blocked storage in a frame, input of any size."""

import pytest
from playwright.sync_api import expect
from test_edit import press, step
from test_page import GOAL, plan

pytestmark = pytest.mark.browser
BLOCKED = """for (const name of ['localStorage', 'sessionStorage'])
  Object.defineProperty(window, name, {get() { throw new DOMException('denied', 'SecurityError'); }});"""

LATE = """
const ask = window.fetch;
const late = async (text, stream) => {
  const end = window.hold ? text.indexOf('data: {"msg":"close_stream"') : -1;
  if (end >= 0) {
    stream.enqueue(text.slice(0, end));
    await new Promise(done => { window.letGo = done; });
    window.letGo = null;
  }
  stream.enqueue(text.slice(Math.max(end, 0)));
};
window.fetch = async (...call) => {
  const response = await ask(...call);
  if (!response.url.includes('/queue/data')) return response;
  return new Response(response.body.pipeThrough(new TextDecoderStream()).pipeThrough(new TransformStream({transform: late}))
    .pipeThrough(new TextEncoderStream()), response);
};
"""


def test_two_tabs_edit_at_once_and_neither_loses_anything(open_page):
    first = open_page()
    plan(first, "verified camping")
    second = first.context.new_page()
    second.goto(first.url)
    second.wait_for_selector(".es-welcome")
    plan(second, "verified camping")
    for page, text in ((first, "Walk to the lake"), (second, "Row to the island")):
        page.fill("[data-form=add] input", text)
        page.press("[data-form=add] input", "Enter")
    press(first, step(first, "Rent a canoe"), "Remove step")
    for page, own, foreign in ((first, "Walk to the lake", "Row to"), (second, "Row to the island", "Walk to")):
        expect(step(page, own)).to_have_count(1)
        expect(step(page, foreign)).to_have_count(0)
    expect(step(first, "Rent a canoe")).to_have_count(0)
    expect(step(second, "Rent a canoe")).to_have_count(1)


def test_a_frame_without_storage_has_a_whole_page(open_page, url):
    page = open_page()
    frame_page = page.context.new_page()
    frame_page.add_init_script(BLOCKED)
    errors = []
    frame_page.on("pageerror", lambda error: errors.append(str(error)))
    frame_page.route("**/frame", lambda route: route.fulfill(content_type="text/html", body=f"<iframe src='{url}' width=1200 height=850>"))
    frame_page.goto(f"{url}frame")
    inside = frame_page.frame_locator("iframe")
    inside.locator(GOAL).fill("verified camping")
    inside.locator(GOAL).press("Enter")
    expect(inside.locator(".es-card")).to_have_count(8)
    expect(inside.locator(".es-hint")).to_be_visible()
    inside.locator(".es-hint button").click()
    expect(inside.locator(".es-hint")).to_be_hidden()
    inside.locator("[data-act=all]").click()
    expect(inside.locator(".es-line")).to_have_count(8)
    expect(inside.get_by_text("This browser stores nothing")).to_be_visible()
    assert errors == []


def test_too_many_steps_and_huge_titles_end_in_a_sentence(open_page):
    page = open_page()
    plan(page)
    field = page.locator("[data-form=add] input")
    page.evaluate("document.querySelector('[data-form=add] input').maxLength = 1000000")
    for text, said in (("x" * 100_000, "100,000 characters"), ("\u202e\u2066 \u200f", "The step is empty")):
        field.fill(text)
        field.press("Enter")
        expect(page.get_by_test_id("toast-body").filter(has_text=said)).to_have_count(1)
    expect(page.locator(".es-step")).to_have_count(5)
    field.fill("Walk \u202edrawkcab\u202c home")
    field.press("Enter")
    expect(step(page, "Walk drawkcab home")).to_have_count(1)
    page.evaluate(
        "() => { const form = document.querySelector('[data-form=add]'); "
        "for (let n = 0; n < 60; n++) { form.elements.text.value = 'Step ' + n; form.requestSubmit(); } }"
    )
    page.get_by_text("A plan holds at most 30 steps").first.wait_for(timeout=60000)
    expect(page.locator(".es-step")).to_have_count(30, timeout=60000)


def test_a_click_between_two_streams_is_answered(open_page):
    page = open_page(script=LATE)
    plan(page)
    page.evaluate("window.hold = true")
    page.locator("[data-act=cart]").first.click()
    for count in (2, 3):
        page.wait_for_function("!!window.letGo")  # the server has ended a stream, and the client does not know
        with page.expect_response("**/queue/join*"):
            page.locator(f"[data-act=cart] >> nth={count}").click()
        page.evaluate("window.letGo()")
        expect(page.locator(".es-line")).to_have_count(count)


def test_a_click_on_more_counts_from_what_the_basket_holds(open_page):
    page = open_page()
    plan(page)
    page.locator("[data-act=cart]").first.click()
    quantity = page.get_by_role("spinbutton")
    for _ in range(3):
        quantity.evaluate("input => input.value = 1")  # as an answer to an earlier click would
        page.locator("[data-act=more][data-more='1']").click()
    expect(page.locator(".es-subtotal")).to_have_text("$596.00")
    expect(quantity).to_have_value("4")
