"""Editing a plan in a real Chromium, on both sizes: by pointer, by touch and by keyboard alone."""

import pytest
from playwright.sync_api import expect
from test_page import plan, violations

pytestmark = pytest.mark.browser
STATUS = "#status [role=status]"


@pytest.fixture(params=["desktop", "phone"])
def page(open_page, request):
    page = open_page(size=request.param)
    plan(page, "verified camping")
    return page


def step(page, text):
    return page.locator(".es-step", has=page.locator("h3", has_text=text))


def press(page, where, label):
    """Open a menu and choose from it, by touch where there is touch."""
    act = "tap" if page.evaluate("navigator.maxTouchPoints > 0") else "click"
    getattr(where.locator(".es-more").first, act)()
    getattr(page.locator(".es-menu:popover-open .es-act", has_text=label), act)()
    expect(page.locator(".es-menu:popover-open")).to_have_count(0)


def said(page, text):
    expect(page.locator(STATUS)).to_contain_text(text)


def focused(page):
    return page.evaluate("document.activeElement.closest('[data-step]')?.dataset.step + ' ' + document.activeElement.className")


def card(page, product_id):
    return page.locator(".es-cards > li", has=page.locator(f"[data-act=cart][data-pid={product_id}]"))


def test_rename_add_remove_and_undo(page):
    canoe = step(page, "Rent a canoe")
    canoe.locator(".es-more").first.click()
    field = page.locator(".es-menu:popover-open input")
    field.fill("Light the way with a lamp <b>")
    field.press("Enter")
    said(page, "Step 4 renamed; 1 product found.")
    expect(step(page, "Light the way with a lamp <b>").locator(".es-card")).to_have_count(1)
    assert focused(page) == "s4 es-more"
    add = page.locator("[data-form=add] input")
    add.fill("Buy a stove")
    add.press("Enter")
    said(page, "Step 6 added; 1 product found.")
    assert add.input_value() == "" and add.evaluate("e => e === document.activeElement")
    press(page, step(page, "Set up a dry place"), "Remove step")
    said(page, "Step 2 removed")
    expect(page.locator(".es-step")).to_have_count(5)
    for left in (6, 5, 5):
        page.click("[data-edit=undo]")
        expect(page.locator(".es-step")).to_have_count(left)
    expect(step(page, "Rent a canoe")).to_have_count(1)
    assert page.locator("[data-edit=undo]").is_disabled()
    page.click("[data-edit=redo]")
    said(page, "Done again: Step 4 renamed")


def test_move(page):
    press(page, step(page, "Cook simple"), "Move up")
    said(page, "Step 3 is now step 2.")
    assert "Cook simple" in page.locator(".es-step h3").nth(1).inner_text()
    assert focused(page) == "s3 es-more"
    press(page, step(page, "Cook simple"), "Move down")
    said(page, "Step 2 is now step 3.")


def test_swap_from_the_list_and_the_basket_follows(page):
    card(page, "tent").locator("[data-act=cart]").click()
    page.wait_for_selector(".es-line")
    press(page, card(page, "tent"), "More like this…")
    options = page.locator(".es-option:visible")
    expect(page.locator(".es-choose h4")).to_be_focused()
    assert "$144.00 · ★ 4.9" in options.first.inner_text()
    assert options.count() > 2
    page.fill(".es-choose [name=under]", "30")
    page.check(".es-choose [name=four]")
    assert "$144.00" not in page.inner_text(".es-choose")
    page.fill(".es-choose [name=under]", "1")
    expect(page.locator(".es-none")).to_be_visible()
    page.fill(".es-choose [name=under]", "")
    options.filter(has_text="Cairnfold Meadow").get_by_role("button").click()
    said(page, "Swapped Cairnfold Ridgeline 4-Person Tent for Cairnfold Meadow 4-Person Tent.")
    expect(page.locator(".es-line-title")).to_have_text("Cairnfold Meadow 4-Person Tent")
    assert focused(page) == "s2 es-more"
    expect(card(page, "tent2").locator("[data-label]")).to_have_text("Remove")
    page.click("[data-edit=undo]")
    expect(page.locator(".es-line-title")).to_have_text("Cairnfold Ridgeline 4-Person Tent")


def test_dismiss_lock_cheaper_and_better(page):
    press(page, card(page, "tent"), "Not interested")
    said(page, "Cairnfold Ridgeline 4-Person Tent will not come back. Tarnhollow Dome Tent takes its place.")
    press(page, card(page, "tent3"), "Cheaper")
    said(page, "Swapped Tarnhollow Dome Tent for Cairnfold Meadow 4-Person Tent.")
    press(page, card(page, "tent2"), "Keep this one")
    expect(card(page, "tent2").locator(".es-kept")).to_be_visible()
    press(page, card(page, "pot"), "Better rated")
    expect(page.get_by_text("Nothing better rated of this kind fits in place of Pallamere Nesting Cook Set for 4.").last).to_be_visible()


def test_cards_and_steps_open_to_their_reasons(page):
    why = card(page, "tent").locator(".es-why")
    why.locator("summary").click()
    text = why.inner_text()
    for part in (
        "Set up a dry place to sleep",
        "sleep dry with the whole family on a first camping weekend (strong match, 0.78)",
        "keep dry in the rain; sleep under the stars",
        "High confidence 0.93",
    ):
        assert part in text
    searched = step(page, "Set up a dry place").locator(".es-why").first
    searched.locator("summary").click()
    assert "Looked for: tent, bag, mat" in searched.inner_text()
    assert "A larger tent was left out" in searched.inner_text()


def test_by_keyboard_alone(open_page):
    page = open_page()
    plan(page)
    card(page, "tent").locator(".es-more").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".es-menu:popover-open")).to_have_count(1)
    page.keyboard.press("Escape")
    expect(page.locator(".es-menu:popover-open")).to_have_count(0)
    assert focused(page) == "s2 es-more"
    page.keyboard.press("Enter")
    for _ in range(4):
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")  # the fourth choice: not interested
    said(page, "Tarnhollow Dome Tent takes its place.")
    assert focused(page) == "s2 es-more"


def test_quick_edits_are_all_kept(open_page):
    page = open_page()
    plan(page)
    add = page.locator("[data-form=add] input")
    for n in range(4):
        add.fill(f"Walk {n}")
        add.press("Enter")
    expect(page.locator(".es-step")).to_have_count(9)


def test_what_cannot_be_used_says_why_and_changes_nothing(open_page):
    page = open_page()
    plan(page)
    page.evaluate("document.querySelector('[data-form=add] input').maxLength = 100000")
    page.fill("[data-form=add] input", "x" * 9000)
    page.press("[data-form=add] input", "Enter")
    page.wait_for_selector("[data-testid=toast-body]:has-text('9,000 characters')")
    assert page.locator(".es-step").count() == 5


@pytest.mark.parametrize(("size", "scheme"), [("desktop", "dark"), ("phone", "light")])
def test_no_axe_violation_in_any_state_of_editing(open_page, size, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed").Axe()
    page = open_page(size=size, scheme=scheme)
    plan(page, "clash camping")
    step(page, "Cook simple").locator(".es-more").first.click()
    page.wait_for_selector(".es-menu:popover-open")
    assert violations(axe, page) == []
    page.keyboard.press("Escape")
    card(page, "tent").locator(".es-why summary").click()
    step(page, "Set up a dry place").locator(".es-why summary").first.click()
    assert violations(axe, page) == []
    card(page, "tent").locator(".es-more").click()
    page.wait_for_selector(".es-menu:popover-open")
    assert violations(axe, page) == []
    page.keyboard.press("Escape")
    press(page, card(page, "bag"), "Keep this one")
    press(page, card(page, "tent"), "More like this…")
    page.wait_for_selector(".es-choose")
    assert violations(axe, page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    small = page.evaluate(
        "[...document.querySelectorAll(':is(.es-choose, .es-step-head, .es-add-step, .es-head) '"
        " + ':is(button, input:not([type=checkbox]), label.es-check)')]"
        ".map(e => [e.outerHTML.slice(0, 80), e.getBoundingClientRect()])"
        ".filter(([, r]) => r.width > 1 && r.height > 0 && r.height < 44).map(([text]) => text)"
    )
    assert small == []
