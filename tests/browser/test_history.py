"""Back and then forward again, and plans of a thousand steps, in a real Chromium on both sizes."""


import pytest
from playwright.sync_api import expect
from test_edit import card, press, step
from test_page import GOAL, plan
from test_share import TEXTS, lines_of, texts_of
from ui_fakes import packed

from ecomscript.ui.kept import PREFIX

pytestmark = pytest.mark.browser
TOO_MANY = "This link has 1,000 steps, a plan holds at most 30"


@pytest.fixture(params=["desktop", "phone"])
def size(request):
    return request.param


def code_of(steps):
    """Return the code of a link with so many steps."""
    return packed({"g": "verified camping", "s": [[f"Step {n}", [], 1, ""] for n in range(steps)]})


def left(page):
    """Return what the page shows, once it is remembered."""
    page.wait_for_timeout(300)
    return texts_of(page), lines_of(page), page.input_value(GOAL)


def expect_as_left(page, whole):
    """Expect what was left, or the way back to it where the browser has made the page anew."""
    page.wait_for_selector("#plan .es-head" if "goal=" in page.url else "#plan .es-head, .es-plans [data-do=back]")
    expect(page.locator("#status .es-seconds")).to_have_count(0)  # a goal in the address is planned again
    if (texts_of(page), lines_of(page), page.input_value(GOAL)) != whole:
        page.click("text=Back to the plan before")
        expect(page.locator(TEXTS)).to_have_count(len(whole[0]))
        expect(page.locator(".es-line")).to_have_count(len(whole[1]))
    assert (texts_of(page), lines_of(page), page.input_value(GOAL)) == whole


def changed_plan(open_page, url, size):
    """Return a page with a plan and a basket in which a product was swapped."""
    page = open_page(size=size).context.new_page()  # not watched: leaving a page cuts its streams, which the console calls an error
    page.goto(url)
    page.wait_for_selector(".es-welcome")
    plan(page, "verified camping")
    page.click("[data-act=all]")
    page.wait_for_selector(".es-line >> nth=7")
    press(page, card(page, "tent"), "Cheaper")
    expect(page.locator(".es-line input[type=number][data-pid=tent3]")).to_have_count(1)
    return page


def test_back_loses_nothing(open_page, url, size):
    page = changed_plan(open_page, url, size)
    page.wait_for_function("sessionStorage.getItem('ecomscript.draft')")
    whole, lines = texts_of(page), lines_of(page)
    page.wait_for_timeout(300)
    page.goto("about:blank")
    page.go_back()
    page.wait_for_selector("#plan :is(section, header)")
    if page.locator("#plan .es-head").count() == 0:
        page.click("text=Back to the plan before")
    expect(page.locator(".es-line")).to_have_count(len(lines))
    assert texts_of(page) == whole and lines_of(page) == lines
    assert page.input_value(GOAL) == "verified camping"


def test_forward_after_back_shows_each_plan_as_it_was_left(open_page, url, size):
    page = changed_plan(open_page, url, size)
    first = left(page)
    page.goto(f"{url}?goal=camping+again")
    page.wait_for_selector("text=Done in")
    press(page, step(page, "Rent a canoe"), "Remove step")
    expect(step(page, "Rent a canoe")).to_have_count(0)
    second = left(page)
    assert first[0] != second[0]
    page.go_back()
    expect_as_left(page, first)
    page.go_forward()
    expect_as_left(page, second)
    page.go_back()
    expect_as_left(page, first)


def test_a_link_and_a_kept_plan_of_a_thousand_steps_say_why_and_the_page_works(open_page, size):
    page = open_page(f"plan={code_of(1000)}", size=size, wait="[role=alert]")
    expect(page.locator("#plan [role=alert]")).to_contain_text(TOO_MANY)
    plan(page, "verified camping")
    page.evaluate("([name, code]) => localStorage.setItem(name, code)", [f"{PREFIX}Long", code_of(1000)])
    page.evaluate("name => dispatchEvent(new StorageEvent('storage', {key: name}))", f"{PREFIX}Long")
    page.click(".es-plans-name:text-is('Long')")
    expect(page.get_by_test_id("toast-body").filter(has_text=TOO_MANY)).to_have_count(1)
    expect(page.locator(".es-card")).to_have_count(8)


def test_the_longest_plan_opens_from_a_link(open_page, size):
    page = open_page(f"plan={code_of(30)}", size=size, wait=".es-step")
    expect(page.locator(".es-step")).to_have_count(30)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
