"""What a click on a thumb or the sheet says, and how it is drawn."""

from dataclasses import replace

import gradio as gr
import pytest
from ui_fakes import CARDS, HOSTILE, FakePipeline, describe

from ecomscript.errors import FeedbackError, InputError
from ecomscript.evaluation.exhibit import Exhibit
from ecomscript.feedback.collect import Collector
from ecomscript.feedback.record import MAX_GOAL_CHARS, SHEETS
from ecomscript.feedback.store import FeedbackStore, Limits
from ecomscript.schema import PlanRequest
from ecomscript.ui import texts
from ecomscript.ui.about import about_html
from ecomscript.ui.bench.tab import BenchTab
from ecomscript.ui.bench.visitors import Ratings
from ecomscript.ui.border import watch
from ecomscript.ui.feedback import MOST_GIVEN, Rater, plan_thing, product_thing, rating
from ecomscript.ui.feedback_tools import FeedbackTools
from ecomscript.ui.page import build_ui
from ecomscript.ui.render import plan_html
from ecomscript.ui.trust import Backing

NAME = "0123456789abcdef"
MARKS = dict.fromkeys(SHEETS, 4)
ASKS = Backing(CARDS, rated=True)


def planned(goal="verified camping"):
    *_, view = watch(FakePipeline(), PlanRequest(goal), describe)
    return view


@pytest.fixture(scope="module")
def view():
    return planned()


def tent(view):
    return {"subject": "product", "thing": product_thing("Set up a dry place to sleep", "tent"), "marks": {"useful": 1}}


def sheet(view, **changes):
    return {"subject": "sheet", "thing": plan_thing(view), "marks": MARKS, "consent": False, **changes}


def said(view, payload):
    return rating(view, NAME, payload, "abc")


def test_a_thumb_on_a_product_names_step_product_and_scores(view):
    record = said(view, {**tent(view), "goal": "my secret", "session": "ffff", "step": 99, "t2": 1.0})
    assert (record.session, record.subject, record.product_id, record.step, dict(record.marks)) == (
        NAME,
        "product",
        "tent",
        2,
        {"useful": 1},
    )
    assert (record.t1, record.t2, record.t3, record.version, record.goal) == (0.62, 0.93, 0.86, "abc", None)
    assert said(planned("camping"), tent(view)).t2 is None
    assert dict(said(view, {**tent(view), "marks": {}}).marks) == {}


def test_the_sheet_holds_the_goal_only_with_consent(view):
    assert said(view, sheet(view)).goal is None
    record = said(view, sheet(view, consent=True))
    assert (record.goal, dict(record.marks), record.t2) == ("verified camping", MARKS, 0.7)
    for no_consent in ("true", 1, {"a": 1}, None):
        assert said(view, sheet(view, consent=no_consent)).goal is None
    assert said(view, sheet(view, consent=True, marks={})).goal is None
    assert said(view, {"subject": "plan", "thing": plan_thing(view), "marks": {"useful": 0}, "consent": True}).goal is None
    long = replace(view, goal="x" * 6000)
    assert len(said(long, sheet(long, consent=True)).goal) == MAX_GOAL_CHARS


def test_the_digest_is_that_of_what_is_rated_and_not_of_the_goal(view):
    other = planned("verified camping in Wales with my neighbour")
    assert other.goal != view.goal and plan_thing(other) == plan_thing(view)
    fewer = replace(view, matched=view.matched[:3])
    assert plan_thing(fewer) != plan_thing(view)
    assert said(fewer, tent(view)).thing == said(view, tent(view)).thing  # the tent in its step is the same when another step goes
    assert product_thing("a step", "tent") != product_thing("another", "tent")


@pytest.mark.parametrize(
    "change",
    [
        *({"subject": value} for value in ("person", ["sheet"], None, "plan", "sheet")),
        *({"thing": value} for value in ("0" * 16, None, ["x"])),
        *({"marks": value} for value in (None, [1], MARKS, {"x" * 10**6: 1})),
        *({"marks": {"useful": value}} for value in (2, "1", float("nan"), 10**400, {}, True)),
    ],
)
def test_hostile_payloads_are_refused(view, change):
    with pytest.raises(InputError):
        said(view, {**tent(view), **change})


@pytest.mark.parametrize("payload", [None, [], "thumb", 7, {}, {"subject": "sheet"}])
def test_what_is_no_payload_is_refused(view, payload):
    with pytest.raises(InputError):
        said(view, payload)


@pytest.mark.parametrize("phase", ["idle", "working"])
def test_nothing_is_rated_without_a_finished_plan(view, phase):
    with pytest.raises(InputError):
        said(replace(view, phase=phase, status=None if phase == "idle" else "plan"), sheet(view))


def test_a_sheet_with_a_missing_answer_says_so(view):
    with pytest.raises(InputError, match="Answer all five"):
        said(view, sheet(view, marks={"plausible": 3}))


def test_a_visit_remembers_what_stands_and_not_more_than_it_may(view):
    rater = Rater().named()
    assert rater.session != Rater().named().session and rater.named() is rater
    record = said(view, tent(view))
    rater = rater.after(record)
    assert dict(rater.given) == {f"product {record.thing}": {"useful": 1}}
    assert rater.after(replace(record, marks={})).given == {}
    for n in range(MOST_GIVEN + 5):
        rater = rater.after(replace(record, thing=f"{n:016x}"))
    assert len(rater.given) == MOST_GIVEN and f"product {record.thing}" not in rater.given


def test_cards_and_plan_ask_only_where_ratings_are_taken(view):
    page = plan_html(view, ASKS)
    assert page.count('data-subject="product"') == 8 and page.count('data-subject="plan"') == page.count('data-subject="sheet"') == 1
    assert page.count('type="radio"') == 25 and page.count("<fieldset") == 5
    assert 'aria-label="Useful for this step: Cairnfold Ridgeline 4-Person Tent"' in page
    assert texts.RATE_STORED in page and texts.RATE_HERE in page and " checked>" not in page
    for silent in (
        plan_html(view, Backing(CARDS)),
        plan_html(replace(view, phase="working"), ASKS),
        plan_html(planned("something clarify"), ASKS),
    ):
        assert "data-thing" not in silent and texts.RATE_STORED not in silent


def test_what_is_published_is_said_beside_the_sheet_and_at_the_consent(view):
    page = plan_html(view, replace(ASKS, published_in="some<b>one/ratings"))
    assert "published in the dataset some&lt;b&gt;one/ratings" in page
    assert texts.RATE_CONSENT_PUBLISHED in page and texts.RATE_CONSENT not in page.replace(texts.RATE_CONSENT_PUBLISHED, "")


def test_hostile_titles_are_shown_as_text():
    page = plan_html(planned("hostile"), ASKS)
    assert page.count("data-useful") == 8
    assert not any(title in page for title in HOSTILE[:1]) and "Useful for this step: &lt;img src=x" in page


class Click:
    def __init__(self, data):
        self._data = data


@pytest.fixture
def tools(tmp_path):
    with gr.Blocks():
        plan = gr.HTML("", js_on_load="trigger('rate', {})")
        made = FeedbackTools(Collector(FeedbackStore(tmp_path / "f.sqlite", Limits(3, 100)), "abc"))
        made.wire(plan, gr.State())
    return made


def test_the_handler_stores_and_says_thanks_and_a_change_of_mind_replaces(tools, view):
    found = tools.on_rate(view, Rater(), Click(tent(view)))
    rater = found[tools.rater]
    rated = found[tools.plan].props["rated"]
    assert (rated["said"], rated["given"]) == (texts.RATE_THANKS, rater.given) and rated["key"] in rater.given
    found = tools.on_rate(view, rater, Click({**tent(view), "marks": {"useful": 0}}))
    assert list(found[tools.rater].given.values()) == [{"useful": 0}] and found[tools.rater].session == rater.session
    found = tools.on_rate(view, rater, Click({**tent(view), "marks": {}}))
    assert found[tools.plan].props["rated"]["said"] == texts.RATE_TAKEN_BACK and found[tools.rater].given == {}
    assert [dict(r.marks) for r in tools.collector.store.read()] == [{"useful": 1}, {"useful": 0}, {}]
    with pytest.raises(gr.Error, match="not stored: You gave 3 ratings"):
        tools.on_rate(view, rater, Click(tent(view)))


def test_a_damaged_file_is_said_and_nothing_is_pressed(tools, view):
    tools.collector.store.path.write_bytes(b"rubbish" * 1000)
    with pytest.raises(gr.Error, match=r"Your rating was not stored: .* Everything else works"):
        tools.on_rate(view, Rater(), Click(tent(view)))


def test_the_live_page_without_with_and_with_a_broken_file(tmp_path, view):
    store = FeedbackStore(tmp_path / "f.sqlite")
    page = Ratings(store)
    assert texts.RATINGS_NONE in page.html() and not store.path.exists()
    store.add(said(view, sheet(view, consent=True)))
    shown = page.html()
    assert texts.RATINGS_LIVE in shown and "1 visitor gave 1 rating that stand" in shown
    assert "verified camping" not in shown  # what one visitor wrote is not shown to others
    store.path.write_bytes(b"rubbish" * 1000)
    assert texts.RATINGS_PROBLEM in page.html() and str(tmp_path) not in page.html()


def test_the_live_page_is_drawn_again_only_after_a_rating(tmp_path, view, monkeypatch):
    store, reads = FeedbackStore(tmp_path / "f.sqlite"), []
    whole = store.read
    monkeypatch.setattr(store, "read", lambda: reads.append(1) or whole())
    page = Ratings(store)
    store.add(said(view, sheet(view)))
    assert page.html() == page.html() and len(reads) == 1
    store.add(said(view, tent(view)))
    page.html()
    assert len(reads) == 2


def test_the_tab_keeps_live_ratings_apart_from_stored_results(tmp_path):
    stored = Exhibit("stored", "Stored", "What?", "")
    with gr.Blocks():
        tab = BenchTab([stored], None, FeedbackStore(tmp_path / "f.sqlite"))
        without = BenchTab([stored])
    assert list(tab.titles) == ["stored", "visitors"] and list(without.titles) == ["stored"]
    assert texts.RATINGS_NONE in tab.on_open("visitors")[tab.exhibit]
    assert tab.exhibits == (stored,)  # so the report holds stored results alone
    assert "There is no experiment “visitors”" in without.on_open("visitors")[without.exhibit]


def test_without_a_collector_the_page_has_no_such_event():
    names = [name for d in build_ui(FakePipeline(), describe, {}, ()).get_config_file()["dependencies"] for _, name in d["targets"]]
    assert "rate" not in names and "cart" in names


def test_the_about_page_speaks_of_ratings_only_where_they_are_taken():
    assert texts.ABOUT_RATINGS in about_html({}, rated=True) and texts.ABOUT_RATINGS not in about_html({})


def test_errors_of_the_store_reach_the_visitor_in_one_sentence(tools, view, monkeypatch):
    monkeypatch.setattr(tools.collector.store, "add", lambda record: (_ for _ in ()).throw(FeedbackError("It is full", "Try later.")))
    with pytest.raises(gr.Error) as caught:
        tools.on_rate(view, Rater(), Click(tent(view)))
    assert caught.value.message == "Your rating was not stored: It is full. Try later."
