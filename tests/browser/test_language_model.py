"""A plan by a language model in a real Chromium, with a server that replays answers behind the real pipeline."""


import pytest
from axe_playwright_python.sync_playwright import Axe
from chat_server import KEY, ChatServer
from playwright.sync_api import expect
from test_page import plan as make_plan
from ui_fakes import CARDS, UNSURE

from ecomscript.config import Settings
from ecomscript.llm.service import ServiceChat
from ecomscript.pipeline import Pipeline
from ecomscript.planning.constraints import describe
from ecomscript.planning.intake import Intake
from ecomscript.ui.page import build_ui, launch
from ecomscript.verification.suite import NO_VERIFIERS

pytestmark = pytest.mark.browser
GOAL = "Take the family on a first camping weekend"
ASK = "[data-act=opinion][data-key={}]"
CHANGE, SAID = ".es-refine input", "#status [role=status]"
WRITING = "text=A language model is writing the plan"


@pytest.fixture(scope="module")
def served(tiny_parts):
    """Address of a page whose plans are written by a model, the model, and its server."""
    server = ChatServer()
    chat = ServiceChat("good", KEY, server.url)
    demo = build_ui(Pipeline.of(*tiny_parts, Intake(), NO_VERIFIERS, chat, Settings(planner="llm")))
    yield launch(demo, Settings(), prevent_thread_lock=True), chat, server
    demo.close(verbose=False)
    server.close()


@pytest.fixture(scope="module")
def url(served):
    return served[0]


@pytest.fixture
def start(served, open_page):
    """Type the goal on a fresh page; the model is chosen by the name of its answers."""

    def started(model, pause_s):
        _, chat, server = served
        chat.name, server.pause_s = model, pause_s
        server.ended.clear(), server.broken_off.clear()
        page = open_page()
        page.fill("#goal input", GOAL)
        page.press("#goal input", "Enter")
        if pause_s:  # without pauses the words may be gone before anybody looks
            page.wait_for_selector(WRITING)
        return page, server

    return started


def test_steps_appear_with_products_while_the_model_still_writes(start):
    page, server = start("good", 0.1)
    page.wait_for_selector(".es-step .es-card")
    assert not server.ended.is_set()
    assert page.locator(".es-step h3").first.inner_text() == "Choose dates and reserve a campsite"
    assert Axe().run(page).response["violations"] == []
    page.wait_for_selector("text=Done in")
    assert page.locator(".es-step").count() == 4
    assert page.locator(".es-bone").count() == 0
    head = page.inner_text(".es-head")
    assert "Written by a language model" in head
    assert "150 tokens of a language model" in head
    assert Axe().run(page).response["violations"] == []


def test_when_the_server_dies_in_the_middle_the_plan_comes_from_the_library(start):
    page, _ = start("dies", 0.1)
    page.wait_for_selector("text=Set up a dry tent to sleep in")
    page.wait_for_selector("text=Done in")
    assert [text.strip() for text in page.locator(".es-step h3").all_inner_texts()] == [
        "Choose dates and reserve a campsite",
        "Set up a dry place to sleep",
        "Cook a warm meal at the campsite",
    ]
    notice = page.inner_text(".es-notices")
    assert "broke off in the middle of its answer" in notice
    assert "comes from the library of plans instead" in notice
    assert page.locator(".es-bone").count() == 0
    assert page.locator(".es-card").count() > 0


@pytest.mark.parametrize("model", ["silent", "good"])
def test_stop_ends_the_request_at_the_server(start, model):
    page, server = start(model, 0.3)
    page.click("#stop-button")
    assert server.broken_off.wait(30)
    page.wait_for_selector("text=Stopped")
    expect(page.locator("#plan-button")).to_be_visible()
    assert not server.ended.is_set()


MINE = "sk-visitor-0123456789"


@pytest.fixture(scope="module")
def shop(tiny_parts):
    """Address of a page without a model of its own for a service, and that service."""
    server = ChatServer()
    settings = Settings(openai_base_url=server.url, planner_model="good")
    demo = build_ui(Pipeline.of(*tiny_parts, Intake(), NO_VERIFIERS, None, settings))
    yield launch(demo, settings, prevent_thread_lock=True), server
    demo.close(verbose=False)
    server.close()


class TestOwnKey:
    """A visitor brings a key."""

    @pytest.fixture
    def url(self, shop):
        return shop[0]

    @pytest.mark.parametrize(("size", "scheme"), [("desktop", "light"), ("phone", "dark")])
    def test_the_disclosure_is_closed_reachable_and_accessible(self, open_page, size, scheme):
        page = open_page(size=size, scheme=scheme)
        assert not page.locator("#own-key input").is_visible()
        page.get_by_role("button", name="Language model (optional)").press("Enter")
        expect(page.locator("#own-key input")).to_be_visible()
        assert page.get_attribute("#own-key input", "type") == "password"
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert Axe().run(page).response["violations"] == []

    def test_the_key_writes_this_visitors_plan_and_stays_in_the_page(self, shop, open_page):
        server = shop[1]
        server.keys.clear()
        page = open_page()
        page.get_by_role("button", name="Language model (optional)").click()
        page.fill("#own-key input", MINE)
        page.fill("#goal input", GOAL)
        page.press("#goal input", "Enter")
        page.wait_for_selector("text=Written by a language model")
        page.wait_for_selector("text=Done in")
        assert set(server.keys) == {MINE}
        kept = page.evaluate("JSON.stringify([location.href, document.cookie, {...localStorage}, {...sessionStorage}])")
        assert MINE not in kept and MINE not in page.content()
        other = open_page()
        other.fill("#goal input", GOAL)
        other.press("#goal input", "Enter")
        other.wait_for_selector("text=Done in")
        assert server.keys == [MINE] * len(server.keys)
        assert other.locator("text=Written by a language model").count() == 0
        assert MINE not in other.content()

    def test_what_cannot_be_a_key_is_said_and_not_repeated(self, open_page):
        page = open_page()
        page.get_by_role("button", name="Language model (optional)").click()
        page.fill("#own-key input", "sk with spaces")
        page.fill("#goal input", GOAL)
        page.press("#goal input", "Enter")
        page.wait_for_selector("text=The key has characters that no key has")
        assert "sk with spaces" not in page.inner_text("body")


@pytest.fixture
def changing(start, served):
    """A finished plan on a page; what is typed then is read by the model of the name."""
    page, server = start("good", 0.0)
    page.wait_for_selector("text=Done in")

    def ask(model, text, pause_s=0.0):
        served[1].name, server.pause_s = model, pause_s
        server.broken_off.clear()
        page.fill(CHANGE, text)
        page.press(CHANGE, "Enter")

    return page, server, ask


def test_a_change_in_free_words_is_made_said_and_undone(changing):
    page, _, ask = changing
    page.click("[data-act=all]")
    page.wait_for_selector(".es-line")
    ask("calls-good", "a more romantic evening", 0.1)
    page.wait_for_selector("text=A language model is reading what you want changed")
    expect(page.locator(CHANGE)).to_be_disabled()
    assert page.locator(".es-step").count() == 4
    assert Axe().run(page).response["violations"] == []
    expect(page.locator(SAID)).to_contain_text("Read by a language model (150 tokens).")
    assert page.locator(".es-step h3").first.inner_text().strip() == "Reserve a campsite beside a lake"
    expect(page.locator("[data-act=unset][data-key='exclude:glass']")).to_have_count(1)
    expect(page.locator(CHANGE)).to_have_value("")
    expect(page.locator("#plan-button")).to_be_visible()
    assert Axe().run(page).response["violations"] == []
    page.click("[data-edit=undo]")
    expect(page.locator(".es-step h3").first).to_have_text("Choose dates and reserve a campsite")


def test_a_swap_in_free_words_reaches_the_basket(changing):
    page, _, ask = changing
    page.click("[data-act=all]")
    page.wait_for_selector(".es-line")
    before = page.locator("#basket .es-line").all_inner_texts()
    ask("calls-swap", "something else for the night")
    expect(page.locator(SAID)).to_contain_text("Read by a language model")
    page.wait_for_function("before => document.querySelector('#basket .es-line').innerText !== before", arg=before[0])
    assert page.locator("#basket .es-line").count() == len(before)


def test_a_change_that_no_model_can_read_leaves_plan_and_words(changing):
    page, _, ask = changing
    before = page.inner_text(".es-steps")
    for model, why in (("dies", "broke off in the middle"), ("calls-markup", "cannot be changed like that")):
        ask(model, "a more romantic evening")
        expect(page.get_by_text(why).first).to_be_visible()
        expect(page.get_by_text("What works: cheaper").first).to_be_visible()
        expect(page.locator(CHANGE)).to_have_value("a more romantic evening")
        expect(page.locator(CHANGE)).to_be_enabled()
        assert page.inner_text(".es-steps") == before


def test_stop_ends_the_question_and_the_plan_stays(changing):
    page, server, ask = changing
    before = page.locator(".es-step h3").all_inner_texts()
    ask("silent", "a more romantic evening")
    page.wait_for_selector("text=A language model is reading")
    page.click("#stop-button")
    assert server.broken_off.wait(30)
    expect(page.locator(SAID)).to_contain_text("Stopped. The plan stays as it is.")
    assert page.locator(".es-step h3").all_inner_texts() == before
    ask("calls-good", "a more romantic evening")
    expect(page.locator(SAID)).to_contain_text("Read by a language model")


@pytest.fixture(scope="module")
def judged(tiny_parts):
    """Address of a page whose T1 is weak and whose T3 is fairly sure, the model beside them, and its server."""
    server = ChatServer()
    chat = ServiceChat("yes", KEY, server.url)
    pipeline = Pipeline.of(*tiny_parts, Intake(), UNSURE, chat, Settings(planner="library"))
    demo = build_ui(pipeline, describe, CARDS)
    yield launch(demo, Settings(), prevent_thread_lock=True), chat, server
    demo.close(verbose=False)
    server.close()


class TestSecondOpinion:
    """The verifiers are unsure, and a model is asked beside them."""

    @pytest.fixture
    def url(self, judged):
        return judged[0]

    @pytest.fixture
    def plan(self, judged, open_page):
        def planned(model, **options):
            judged[1].name = model
            judged[2].broken_off.clear()
            page = open_page(**options)
            make_plan(page, GOAL)
            return page

        return planned

    @pytest.mark.parametrize(("size", "scheme"), [("desktop", "light"), ("phone", "dark")])
    def test_it_is_asked_said_and_read_out(self, plan, size, scheme):
        page = plan("yes", size=size, scheme=scheme)
        before = page.locator(".es-steps").inner_text()
        button = page.locator(ASK.format("t1"))
        assert button.inner_text() == "Ask a second opinion"
        assert Axe().run(page).response["violations"] == []
        button.press("Enter")
        expect(page.locator(".es-opinion[data-key=t1]")).to_contain_text("Second opinion of yes: yes, these steps lead to the goal.")
        expect(page.locator(".es-opinion[data-key=t1]")).to_be_focused()
        expect(button).to_have_count(0)
        expect(page.locator(ASK.format("t3"))).to_be_enabled()
        expect(page.locator("#plan-button")).to_be_visible()
        assert page.locator(".es-steps").inner_text() == before
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert Axe().run(page).response["violations"] == []

    @pytest.mark.parametrize(("size", "scheme"), [("desktop", "dark"), ("phone", "light")])
    def test_it_is_asked_about_one_product(self, plan, size, scheme):
        page = plan("untold-no", size=size, scheme=scheme)
        reasons = page.locator(".es-card .es-why").nth(1)
        reasons.locator("summary").click()
        assert Axe().run(page).response["violations"] == []
        reasons.locator(ASK.format("t2")).press("Enter")
        answer = reasons.locator(".es-opinion")
        expect(answer).to_contain_text("Second opinion of untold-no: no, this product does not help with the step.")
        expect(answer).to_be_focused()
        expect(page.locator(".es-opinion")).to_have_count(1)
        expect(page.locator(ASK.format("t1"))).to_be_enabled()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert Axe().run(page).response["violations"] == []

    def test_stop_ends_the_question(self, judged, plan):
        page = plan("silent")
        page.click(ASK.format("t3"))
        page.wait_for_selector("text=A language model is giving a second opinion")
        page.click("#stop-button")
        assert judged[2].broken_off.wait(30)
        expect(page.locator(SAID)).to_contain_text("Stopped. The plan stays as it is, without a second opinion.")
        expect(page.locator(ASK.format("t3"))).to_be_enabled()
        judged[1].name = "untold-unclear"
        page.click(ASK.format("t3"))
        expect(page.locator(".es-opinion[data-key=t3]")).to_contain_text("no verdict")
