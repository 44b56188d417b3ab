"""Quantities, ticks, swaps for a budget and the comparison, in a real Chromium."""

import csv
import io
from pathlib import Path

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser
SIZES = pytest.mark.parametrize("size", ["desktop", "phone"])


def filled(open_page, size, query="goal=verified+camping&people=8&budget_usd=530", scheme="light"):
    """Open a plan and put all of it into the basket."""
    page = open_page(query, size=size, scheme=scheme)
    page.wait_for_selector("text=Done in")
    page.click("[data-act=all]")
    page.wait_for_selector(".es-line >> nth=7")
    return page


def line(page, pid):
    return page.locator(f".es-line:has([data-pid={pid}])")


@SIZES
def test_quantities_follow_the_people_but_not_over_the_person(open_page, size):
    page = filled(open_page, size)
    expect(line(page, "tent").locator("input[type=number]")).to_have_value("2")
    expect(line(page, "tent")).to_contain_text("2 × 4-person for 8 people")
    expect(line(page, "tent").locator(".es-subtotal")).to_have_text("$298.00")
    page.fill("#people input, #people textarea", "12")
    page.click("#plan-button")
    expect(line(page, "tent").locator("input[type=number]")).to_have_value("3")
    line(page, "tent").locator("[data-more='-1']").click()
    expect(line(page, "tent")).to_contain_text("your number; 3 × 4-person for 12 people would do")
    page.fill("#people input, #people textarea", "40")
    page.click("#plan-button")
    expect(line(page, "tent")).to_contain_text("10 × 4-person for 40 people would do")
    expect(line(page, "tent").locator("input[type=number]")).to_have_value("2")


@SIZES
def test_one_click_brings_the_basket_back_under_its_budget(open_page, size):
    page = filled(open_page, size)
    offer = page.locator("#offer")
    expect(offer).to_contain_text("Over by $28.49")
    expect(offer).to_contain_text("Cairnfold Ridgeline 4-Person Tent → Tarnhollow Dome Tent saves $10.00")
    page.focus("#offer [data-act=fit]")
    page.keyboard.press("Enter")
    page.wait_for_selector(".es-line [data-pid=mat2]")
    assert page.locator(".es-line").count() == 8
    expect(page.locator(".es-budget")).to_have_text("$7.50 under the budget")
    expect(offer.locator(".es-offer")).to_have_count(0)
    assert page.evaluate("document.activeElement.id") == "basket-title"


def test_nice_to_have_is_left_out_before_anything_is_swapped(open_page):
    page = filled(open_page, "desktop")
    line(page, "bag").locator(".es-nice").click()
    expect(line(page, "bag").locator(".es-nice")).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#offer")).to_contain_text("Leave out Tarnhollow Kids Sleeping Bag saves $39.50")
    page.get_by_role("button", name="Leave out", exact=True).click()
    expect(page.locator(".es-line")).to_have_count(7)
    expect(page.locator(".es-budget")).to_have_text("$11.01 under the budget")


@SIZES
def test_ticked_off_by_keyboard_and_carried_into_the_exports(open_page, size):
    page = filled(open_page, size)
    boxes = page.locator(".es-tick input")
    for n in (0, 2, 3):
        boxes.nth(n).focus()
        page.keyboard.press("Space")
        expect(page.locator(".es-line").nth(n)).to_have_class("es-line is-ticked")
    expect(page.locator(".es-count")).to_have_text("9 items · 3 of 8 ticked off")
    page.keyboard.press("Space")
    expect(page.locator(".es-line.is-ticked")).to_have_count(2)
    assert [boxes.nth(n).is_checked() for n in range(8)] == [True, False, True, *[False] * 5]
    with page.expect_download() as caught:
        page.click(".es-exports a:text-is('CSV')")
    rows = list(csv.DictReader(io.StringIO(Path(caught.value.path()).read_text(encoding="utf-8-sig"))))
    assert [row["ticked"] for row in rows] == ["yes", "no", "yes", *["no"] * 5]
    assert rows[0]["quantity"] == "2"


@SIZES
def test_compare_side_by_side(open_page, size):
    page = filled(open_page, size)
    buttons = page.locator("#plan [data-act=compare]")
    for n in range(4):
        buttons.nth(n).click()
        expect(page.locator("#compare [data-act=open]")).to_have_text(f"Compare ({n + 1})")
        expect(buttons.nth(n)).to_have_attribute("aria-pressed", "true")
    buttons.nth(4).click()
    page.wait_for_selector("text=Four products are being compared already")
    page.focus("#compare [data-act=open]")
    page.keyboard.press("Enter")
    dialog = page.locator("#compare dialog")
    expect(dialog.locator("h2")).to_be_focused()
    expect(dialog).to_contain_text("High confidence · 0.93")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    box = dialog.bounding_box()
    assert box["x"] >= 0 and box["x"] + box["width"] <= page.viewport_size["width"]
    region = dialog.locator(".es-compare-scroll")
    if size == "phone":
        assert region.evaluate("e => e.scrollWidth > e.clientWidth && getComputedStyle(e).overflowX === 'auto'")
    dialog.locator("[data-act=drop]").first.click()
    expect(dialog.locator("thead th")).to_have_count(3)
    expect(dialog).to_be_visible()
    assert page.evaluate("document.querySelector('#compare dialog').matches(':modal')")
    cart = dialog.locator("[data-act=cart]").first
    expect(cart).to_contain_text("Take out of basket")
    cart.click()
    expect(cart).to_contain_text("Add to basket")
    cart.click()
    expect(cart).to_contain_text("Take out of basket")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(buttons.first).to_have_attribute("aria-pressed", "false")
    page.click("#compare [data-act=none]")
    expect(page.locator(".es-compare-bar")).to_have_count(0)


@pytest.mark.parametrize(("size", "scheme"), [("desktop", "light"), ("desktop", "dark"), ("phone", "light"), ("phone", "dark")])
def test_no_axe_violation_in_basket_and_comparison(open_page, size, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed").Axe()
    page = filled(open_page, size, scheme=scheme)
    page.wait_for_selector("#offer .es-offer")
    page.locator(".es-tick input").first.check()
    page.locator(".es-nice").nth(1).click()
    page.wait_for_selector(".es-nice[aria-pressed=true]")
    for n in range(2):
        page.locator("#plan [data-act=compare]").nth(n).click()
        page.wait_for_selector(f"text=Compare ({n + 1})")
    assert violations(axe, page) == []
    small = page.evaluate(
        "[...document.querySelectorAll(':is(#offer, #compare, .es-line) :is(button, input[type=number], .es-tick)')]"
        ".map(e => [e.outerHTML.slice(0, 80), e.getBoundingClientRect()])"
        ".filter(([, r]) => r.height > 0 && (r.height < 44 || r.width < 44)).map(([text]) => text)"
    )
    assert small == []
    page.click("#compare [data-act=open]")
    assert violations(axe, page) == []


def violations(axe, page):
    return [(v["id"], [n["html"][:120] for n in v["nodes"]][:3]) for v in axe.run(page).response["violations"]]
