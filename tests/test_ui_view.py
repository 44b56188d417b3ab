from types import SimpleNamespace

import pytest
from ui_fakes import CONFLICT, NEAR, SCORES, STEPS, FakePipeline, describe, views

from ecomscript.errors import CatalogError, InputError
from ecomscript.events import Failed, Finished, Planned, StepMatched, StepPlanned, Writing
from ecomscript.schema import Constraints, MatchedStep, PlanRequest, Script, Step, Usage
from ecomscript.ui import texts
from ecomscript.ui.border import visitor_of, watch
from ecomscript.ui.render import plan_html
from ecomscript.ui.view import PlanView, advance, follow, question_parts


def test_steps_arrive_one_by_one():
    seen = views("camping")
    assert [len(v.matched) for v in seen] == [0, 0, 1, 2, 3, 4, 5, 5, 5, 5]
    assert [v.phase for v in seen] == ["working"] * 9 + ["done"]
    assert seen[1].pending == tuple(s.step for s in STEPS)
    assert seen[-1].objective == "Camp with two children for a weekend"
    assert len(seen[-1].products) == 8


def test_verdicts_arrive_after_the_steps():
    seen = views("clash camping")
    assert [v.checked for v in seen[-4:]] == [(), ("t1",), ("t1", "t3"), ("t1", "t3")]
    assert seen[-3].script_verdict.places == (2, 4) and seen[-3].bundle_verdict is None
    assert seen[-1].conflicts == seen[-2].conflicts == (CONFLICT,)
    assert seen[-1].t2 == SCORES


def test_expected_and_unexpected_errors_end_in_one_sentence(caplog):
    assert views("fail")[-1].message == "The index folder is damaged. Build it again with make index."
    last = views("boom")[-1]
    assert (last.phase, last.message) == ("failed", texts.NEUTRAL_ERROR)
    assert "secret traceback text" in caplog.text


@pytest.mark.parametrize(
    ("events", "message"), [([], texts.NEUTRAL_ERROR), (CatalogError("A row is broken", "Mend it."), "A row is broken. Mend it.")]
)
def test_a_stream_that_ends_early(events, message):
    class Broken:
        def product(self, product_id):
            return None

        def stream(self, request, visitor="", own=None):
            if isinstance(events, Exception):
                raise events
            yield from events

    assert list(watch(Broken(), PlanRequest("x"), describe))[-1].message == message


def test_chips_lead_to_requests():
    view = views("something for dad", budget_usd=90.0, exclude=("tent", "glass"))[-1]
    assert follow(view, {"act": "example", "index": 1}) == PlanRequest(texts.EXAMPLES[1])
    assert follow(view, {"act": "answer", "index": 0, "option": 1}).goal == "something for dad, sport and travel"
    less = follow(view, {"act": "unset", "key": "exclude:tent"})
    assert (less.exclude, less.removed, less.budget_usd) == (("glass",), {"exclude:tent"}, 90.0)
    assert follow(view, {"act": "unset", "key": "budget_usd"}).budget_usd is None
    assert follow(view, {"act": "unset", "key": "owned:cool box"}).removed == {"owned:cool box"}


def test_a_near_plan_leads_to_a_request_that_starts_from_it():
    view = views("camping near the sea", budget_usd=90.0)[-1]
    request = follow(view, {"act": "like", "index": 0})
    assert (request.like, request.goal, request.budget_usd) == (NEAR[1], "camping near the sea", 90.0)
    again = list(watch(FakePipeline(), request, describe))[-1]
    assert (again.objective, again.near[0]) == (NEAR[1], NEAR[0])
    assert follow(again, {"act": "unset", "key": "budget_usd"}).like == NEAR[1]


@pytest.mark.parametrize(
    "payload",
    [
        None,
        [],
        "unset",
        {},
        {"act": "unset"},
        {"act": "unset", "key": ["x"]},
        {"act": "unset", "key": "people"},
        {"act": "unset", "key": "__class__"},
        {"act": "example", "index": 6},
        {"act": "example", "index": -1},
        {"act": "example", "index": True},
        {"act": "example", "index": "1"},
        {"act": "answer", "index": 0},
        {"act": "answer", "index": 0, "option": 9},
        {"act": "answer", "index": 9, "option": 0},
        {"act": "like", "index": 2},
        {"act": "like", "index": "Pack for a <cruise>"},
    ],
)
def test_forged_chips_are_refused(payload):
    with pytest.raises(InputError, match="Reload"):
        follow(views("something for dad, near")[-1], payload)
    with pytest.raises(InputError):
        follow(PlanView(), payload)


def test_questions_are_split_from_their_starting_points():
    assert question_parts("How many? — up to 6 — about 12").options == ("up to 6", "about 12")
    assert question_parts("How many?").options == ()


def test_the_fakes_speak_the_contract():
    assert isinstance(list(FakePipeline().stream(PlanRequest("camping")))[-1], Finished)
    assert isinstance(list(FakePipeline().stream(PlanRequest("fail")))[-1], Failed)


@pytest.mark.parametrize(
    ("goal", "headline"),
    [
        ("picnic by the lake for 10 under $150", "Picnic by the lake for 10 under $150"),
        (" plan a party. ", "Plan a party"),
        ("word " * 40, "Word" + " word" * 17 + "…"),
        ("x" * 200, "X" + "x" * 89 + "…"),
        ("", ""),
    ],
)
def test_the_headline_is_the_goal_and_short(goal, headline):
    assert PlanView(goal=goal).headline == headline


def test_the_plan_that_it_comes_from_is_named_where_it_says_something_else():
    view = PlanView(goal="host a picnic!", objective="Host a Picnic")
    assert view.base == ""
    assert PlanView(goal="picnic by the lake", objective="Enjoy a picnic.").base == "Enjoy a picnic"
    html = plan_html(views("weak goal <b>")[-1])
    assert "<h2 tabindex=\"-1\">Weak goal &lt;b&gt;</h2>" in html and "A ready plan: <q>Camp with two children for a weekend</q>" in html


FIRST, SECOND = Step("w1", "Pack a tent"), Step("w2", "Cook a meal")


def planned(*steps, complete=True):
    script = Script("camp", steps, "llm", "written")
    return Planned("plan", "camp", Constraints(), script, (), (), 0.1, complete)


def after(*events):
    view = PlanView(PlanRequest("camp"), "working")
    for event in events:
        view = advance(view, event, describe)
    return view


WRITTEN = (planned(complete=False), StepPlanned(FIRST, 0.2), StepMatched(MatchedStep(FIRST), 0.3), StepPlanned(SECOND, 0.4))


def test_steps_that_are_being_written_arrive_one_by_one():
    view = after(*WRITTEN, Writing(0.5, Usage(1, 10, 20)))
    assert view.writing
    assert view.script == (FIRST, SECOND)
    assert view.pending == (SECOND,)
    assert (view.elapsed_s, view.usage.tokens) == (0.5, 30)
    assert not after(*WRITTEN, planned(FIRST, SECOND)).writing


def test_products_of_a_step_that_come_again_take_the_place_of_the_first():
    better = MatchedStep(FIRST, (), "Left out.")
    view = after(*WRITTEN, StepMatched(MatchedStep(SECOND), 0.5), planned(FIRST, SECOND), StepMatched(better, 0.6))
    assert view.matched == (better, MatchedStep(SECOND))


def test_another_script_takes_the_place_of_what_was_written():
    other = Step("s1", "Reserve a campsite")
    view = after(*WRITTEN, planned(other))
    assert (view.script, view.matched, view.pending) == ((other,), (), (other,))
    assert after(*WRITTEN, planned(complete=False)).matched == ()


@pytest.mark.parametrize(
    ("headers", "host", "visitor"),
    [({}, "10.0.0.1", "10.0.0.1"), ({"x-forwarded-for": "6.6.6.6, 9.9.9.9"}, "10.0.0.1", "9.9.9.9"), ({"x-forwarded-for": " "}, None, "")],
)
def test_a_visitor_is_known_by_the_address_that_the_nearest_proxy_names(headers, host, visitor):
    assert visitor_of(SimpleNamespace(headers=headers, client=host and SimpleNamespace(host=host))) == visitor
