"""Ten whole shopping sessions with the real pipeline: planned, changed, filled, ticked off, exported and shared.

After each the list is held against the page, the catalogue, the three exports, and the same plan opened from its link.
"""

import csv
import io
import json

import pytest
from playwright.sync_api import expect
from test_page import GOAL, download
from test_share import shared_link, texts_of

from ecomscript.config import Settings
from ecomscript.pipeline import Pipeline
from ecomscript.ui.page import build_ui, launch

pytestmark = [pytest.mark.browser, pytest.mark.slow]
STATUS = "#status .is-change"

SESSIONS = (
    ("host a backyard barbecue for 12", "desktop", "no alcohol"),
    ("picnic by the lake for 10 under $150", "phone", "for 12"),
    ("first camping weekend with a toddler, we already have a tent", "desktop", "cheaper"),
    ("bake sourdough bread for the first time", "phone", "better rated"),
    ("start home brewing in a small flat", "desktop", "under $150"),
    ("paint the nursery before the baby comes", "phone", "cheaper"),
    ("plant a balcony herb garden", "desktop", "add watering while we travel"),
    ("train for a first half marathon", "phone", "remove the last step"),
    ("birthday dinner at home for 6", "desktop", "make it vegan"),
    ("make my grandmother's bathroom safer", "phone", "under $200"),
)


@pytest.fixture(scope="module")
def shop():
    return Pipeline.open(Settings.from_env())


@pytest.fixture(scope="module")
def url(shop):
    """The page with the real pipeline, in place of the one with the fake."""
    demo = build_ui(shop)
    yield launch(demo, Settings.from_env(), prevent_thread_lock=True)
    demo.close(verbose=False)


@pytest.fixture
def session(open_page, request):
    goal, size, wish = request.param
    page = open_page(size=size)
    page.set_default_timeout(60000)
    return page, goal, size, wish


@pytest.mark.parametrize("session", SESSIONS, indirect=True, ids=[goal[:24] for goal, *_ in SESSIONS])
def test_a_whole_session(session, open_page, shop):
    page, goal, size, wish = session
    page.fill(GOAL, goal)
    page.press(GOAL, "Enter")
    page.wait_for_selector("#status >> text=Done in")
    assert page.inner_text("#plan h2").lower() == goal.lower()
    change(page, wish)
    act(page, page.locator(".es-card").first, "Cheaper")
    add_step(page, "Keep a first aid kit at hand")
    fill(page)
    lines = listed(page)
    check_against_catalogue(page, lines, shop)
    check_exports(page, lines, goal)
    link = shared_link(page)
    other = open_page(link.partition("?")[2], size=size, wait=".es-card")
    expect(other.locator(".es-line")).to_have_count(len(lines))
    assert listed(other) == lines and texts_of(other) == texts_of(page)
    assert other.inner_text("#basket .es-total b") == page.inner_text("#basket .es-total b")


def change(page, wish):
    """Refine the plan in words; whatever comes of it is said."""
    page.fill("[data-form=refine] input", wish)
    page.press("[data-form=refine] input", "Enter")
    expect(page.locator(STATUS)).to_be_visible()


def act(page, card, label):
    """Choose from a card's menu; a change is named on the page, and so is that none was found."""
    card.locator(".es-more").click()
    page.locator(".es-menu:popover-open .es-act", has_text=label).click()
    expect(page.get_by_text("Swapped").or_(page.get_by_text("Nothing cheaper")).first).to_be_visible()


def add_step(page, text):
    steps = page.locator(".es-step").count()
    page.fill("[data-form=add] input", text)
    page.press("[data-form=add] input", "Enter")
    expect(page.locator(".es-step")).to_have_count(steps + 1)
    expect(page.locator(STATUS)).to_contain_text("added")


def fill(page):
    """Put everything into the basket, leave one out, take two of another, mark one as nice to have, tick one off."""
    products = page.locator(".es-card").count()
    assert products >= 4
    page.click("[data-act=all]")
    lines = page.locator(".es-line")
    expect(lines).to_have_count(products)
    lines.last.locator("[data-act=remove]").click()
    expect(lines).to_have_count(products - 1)
    first = lines.first.locator("input[type=number]")
    wanted = str(int(first.input_value()) + 1)
    lines.first.locator("[data-more='1']").click()
    expect(first).to_have_value(wanted)
    lines.nth(1).locator(".es-nice").click()
    expect(lines.nth(1).locator(".es-nice")).to_have_attribute("aria-pressed", "true")
    lines.nth(2).locator(".es-tick input").check()
    expect(page.locator(".es-count")).to_contain_text("1 of")


def listed(page):
    """Return the basket as it is shown: product id, name, quantity, subtotal in cents, nice to have, ticked."""
    return page.locator(".es-line").evaluate_all(
        "all => all.map(e => [e.querySelector('input[type=number]').dataset.pid, e.querySelector('.es-line-title').innerText,"
        " Number(e.querySelector('input[type=number]').value),"
        " Math.round(Number(e.querySelector('.es-subtotal').innerText.replace(/[$,]/g, '')) * 100),"
        " e.querySelector('.es-nice').ariaPressed === 'true', e.querySelector('.es-tick input').checked])"
    )


def cents(text):
    return round(float(text.replace("$", "").replace(",", "")) * 100)


def check_against_catalogue(page, lines, shop):
    for product_id, name, quantity, subtotal, *_ in lines:
        product = shop.product(product_id)
        assert product is not None and product.title.startswith(name)
        assert subtotal == round(product.price_usd * 100) * quantity
    assert cents(page.inner_text("#basket .es-total b")) == sum(line[3] for line in lines)
    shown = set(page.locator("#plan .es-card [data-act=cart]").evaluate_all("all => all.map(e => e.dataset.pid)"))
    assert {line[0] for line in lines} <= shown


def check_exports(page, lines, goal):
    rows = list(csv.DictReader(io.StringIO(download(page, "CSV").lstrip("\ufeff"))))
    whole, markdown = json.loads(download(page, "JSON")), download(page, "Markdown")
    assert [(r["product_id"], int(r["quantity"]), cents(r["subtotal_usd"]), r["ticked"] == "yes") for r in rows] == [
        (pid, quantity, subtotal, ticked) for pid, _, quantity, subtotal, _, ticked in lines
    ]
    assert [(i["product_id"], i["quantity"], round(i["subtotal_usd"] * 100), not i["must_have"], i["ticked"]) for i in whole["items"]] == [
        (pid, quantity, subtotal, nice, ticked) for pid, _, quantity, subtotal, nice, ticked in lines
    ]
    assert whole["goal"] == goal and round(whole["total_usd"] * 100) == sum(line[3] for line in lines)
    assert markdown.count("- [x] ") == 1 and markdown.count("- [ ] ") == len(lines) - 1
