"""A second opinion of a language model: when it is offered, what is asked and said, and that it changes nothing."""

from dataclasses import replace

import pytest
from chat_server import KEY
from ui_fakes import CARDS, UNSURE

from ecomscript.config import Settings
from ecomscript.errors import InputError
from ecomscript.llm.guard import GuardedChat, Ledger
from ecomscript.llm.own import OwnKey
from ecomscript.llm.service import ServiceChat
from ecomscript.pipeline import Pipeline
from ecomscript.planning.constraints import describe
from ecomscript.planning.intake import Intake
from ecomscript.request import make_request
from ecomscript.schema import NO_USAGE, Opinion, Usage, Verdict
from ecomscript.ui.border import watch
from ecomscript.ui.edit import apply_edit
from ecomscript.ui.opinion import consulting
from ecomscript.ui.render import plan_html, status_html
from ecomscript.ui.trust import Backing, claimed

GOAL = "Take the family on a first camping weekend"
BACKING = Backing(CARDS, has_model=True)
ASK = 'data-act="opinion" data-key="{}" data-pid="{}"'


@pytest.fixture
def make(tiny_parts, chat_server):
    """Return a pipeline of the library beside a model; the model is an answer of the server."""

    def made(model, visitor_tokens=10**7):
        chat = GuardedChat(ServiceChat(model, KEY, chat_server.url), Ledger(10**7, visitor_tokens))
        return Pipeline.of(*tiny_parts, Intake(), UNSURE, chat, Settings(planner="library", llm_timeout_s=20))

    return made


@pytest.fixture(scope="module")
def view(tiny_parts):
    """A plan that all verifiers are unsure of."""
    *_, last = watch(Pipeline.of(*tiny_parts, Intake(), UNSURE), make_request(GOAL), describe)
    return last


def first(view):
    return view.products[0].product_id


def step_of_first(view):
    return next(matched.step for matched in view.matched if matched.matches)


def judged(view, score):
    """Return the plan with another word of T2 on its products."""
    return replace(view, matched=tuple(replace(s, matches=tuple(replace(m, t2=score) for m in s.matches)) for s in view.matched))


def asked(view, pipeline, key="t1", visitor="", own=None):
    payload = {"key": key, "pid": first(view)} if key == "t2" else {"key": key}
    *_, after = consulting(view, payload, pipeline, BACKING, visitor, own)
    return after


def second(view, key):
    claim, _ = claimed(view, key, first(view))
    return view.second(claim)


@pytest.mark.parametrize(
    ("key", "model", "said"),
    [
        ("t1", "yes", "Second opinion of yes: yes, these steps lead to the goal."),
        ("t2", "yes", "Second opinion of yes: yes, this product helps with the step."),
        ("t3", "yes", "Second opinion of yes: yes, everything goes together."),
        ("t1", "untold-no", "Second opinion of untold-no: no, these steps do not lead to the goal."),
        ("t2", "untold-no", "Second opinion of untold-no: no, this product does not help with the step."),
        ("t3", "untold-no", "Second opinion of untold-no: no, not everything goes together."),
        ("t1", "untold-unclear", "Second opinion of untold-unclear: no verdict, its answer was neither yes nor no."),
    ],
)
def test_what_the_model_says_stands_beside_the_verifiers_word_and_changes_nothing(make, chat_server, view, key, model, said):
    after = asked(view, make(model), key)
    assert said in plan_html(after, BACKING)
    assert said not in plan_html(view, BACKING)
    assert replace(after, opinions=(), usage=view.usage) == view
    assert after.usage.calls == len(chat_server.asked) > 0
    question = chat_server.asked[0]["messages"][1]["content"]
    steps, titles = [matched.step.text for matched in view.matched], [product.title for product in view.products]
    told = {"t1": steps, "t2": [step_of_first(view).text, *titles[:1]], "t3": [*steps, *titles]}[key]
    assert GOAL in question
    assert [text for text in (*steps, *titles) if text in question] == told
    page, pid = plan_html(after, BACKING), first(view) if key == "t2" else ""
    assert ASK.format(key, pid) in plan_html(view, BACKING)
    assert ASK.format(key, pid) not in page
    assert ASK.format("t3" if key == "t1" else "t1", "") in page


def test_while_it_is_asked_the_plan_waits_and_says_so(make, view):
    waiting = next(iter(consulting(view, {"key": "t1"}, make("yes"), BACKING)))
    assert "A language model is giving a second opinion" in status_html(waiting)
    assert f"{ASK.format('t1', '')} disabled" in plan_html(waiting, BACKING)
    assert waiting.settled == view
    unread = replace(view, asking="two more guests")  # words that were not understood wait in their field
    assert "second opinion" in status_html(next(iter(consulting(unread, {"key": "t1"}, make("yes"), BACKING))))


@pytest.mark.parametrize(
    ("model", "why"), [("missing", "does not have the model"), ("dies", "broke off"), ("filtered", "held its answer back")]
)
def test_a_model_that_cannot_be_asked_is_said_and_may_be_asked_again(make, view, model, why):
    after = asked(view, make(model))
    page = plan_html(after, BACKING)
    assert why in page
    assert ASK.format("t1", "") in page and "Ask again" in page
    assert replace(after, opinions=(), usage=view.usage) == view
    again = asked(after, make("yes"))
    assert [one.opinion for one in again.opinions] == [Opinion("yes", pytest.approx(0.92, abs=0.01))]


def test_it_is_offered_where_a_verifier_is_unsure_and_a_model_is_at_hand(view):
    assert [ASK.format(task, "") in plan_html(view, BACKING) for task in ("t1", "t3")] == [True, True]  # weak, and fair
    assert "opinion" not in plan_html(view, replace(BACKING, has_model=False))
    assert plan_html(view, BACKING).count('data-act="opinion" data-key="t2"') == len(view.products)
    sure = judged(replace(view, bundle_verdict=Verdict(0.9), script_verdict=None), 0.9)
    assert "opinion" not in plan_html(sure, BACKING)
    assert ASK.format("t1", "") in plan_html(
        replace(view, usage=Usage(1, 10, 5, None)), replace(BACKING, has_model=False)
    )  # a key of their own
    unverified = judged(replace(view, bundle_verdict=None, script_verdict=None), None)
    assert "opinion" not in plan_html(unverified, BACKING)


@pytest.mark.parametrize(
    "payload",
    [None, {}, {"key": "t2"}, {"key": "t2", "pid": "none"}, {"key": "t2", "pid": ["x"]}, {"key": ["t1"]}, {"key": "<b>"}, "t1"],
)
def test_what_is_not_offered_cannot_be_asked_for(make, chat_server, view, payload):
    with pytest.raises(InputError):
        next(consulting(view, payload, make("yes"), BACKING))
    with pytest.raises(InputError):
        next(consulting(replace(view, phase="working"), {"key": "t1"}, make("yes"), BACKING))
    with pytest.raises(InputError):
        next(consulting(replace(view, script_verdict=None), {"key": "t1"}, make("yes"), BACKING))
    with pytest.raises(InputError):
        next(consulting(judged(view, 0.9), {"key": "t2", "pid": first(view)}, make("yes"), BACKING))
    assert chat_server.asked == []


def test_each_visitor_has_a_share(make, chat_server, view):
    pipeline = make("yes", visitor_tokens=400)
    found = [asked(view, pipeline, visitor=name).opinions[0].problem for name in ("a", "a", "a", "b")]
    assert [bool(problem) for problem in found] == [False, False, True, False]
    assert found[2] == "you have used up your share of the language model for today"
    assert len(chat_server.asked) == 3


def test_a_visitors_own_key_is_used_for_it(tiny_parts, chat_server, view):
    settings = Settings(openai_base_url=chat_server.url, planner_model="yes")
    pipeline = Pipeline.of(*tiny_parts, Intake(), UNSURE, None, settings)
    assert "no language model is set up" in asked(view, pipeline).opinions[0].problem
    after = asked(view, pipeline, own=OwnKey("sk-mine", "yes"))
    assert second(after, "t1").opinion.model == "yes"
    assert chat_server.keys == ["sk-mine"]


def test_a_stop_reaches_the_service(make, chat_server, view):
    asking = consulting(view, {"key": "t1"}, make("silent"), BACKING)
    next(asking), next(asking)
    asking.close()
    assert chat_server.broken_off.wait(5)


def test_an_opinion_is_about_one_plan(make, view):
    pipeline = make("yes")
    both = asked(asked(view, pipeline, "t1"), pipeline, "t3")
    assert [second(both, task) is not None for task in ("t1", "t3")] == [True, True]
    gone = apply_edit(both, {"act": "dismiss", "pid": view.products[-1].product_id}, pipeline)
    assert [second(gone, task) is not None for task in ("t1", "t3")] == [True, False]
    of_product = asked(both, pipeline, "t2")
    renamed = apply_edit(of_product, {"act": "rename", "step": step_of_first(view).step_id, "text": "Sleep dry in a tent"}, pipeline)
    assert second(of_product, "t2") and not second(renamed, "t2")
    other = apply_edit(of_product, {"act": "remove", "step": view.matched[-1].step.step_id}, pipeline)
    assert second(other, "t2") == second(of_product, "t2")
    fewer = apply_edit(both, {"act": "remove", "step": view.matched[0].step.step_id}, pipeline)
    assert [second(fewer, task) for task in ("t1", "t3")] == [None, None]
    back = apply_edit(fewer, {"act": "undo"}, pipeline)
    assert second(back, "t1") == second(both, "t1")
    swapped = asked(gone, pipeline, "t3")
    assert second(swapped, "t3") is not None
    undone = apply_edit(asked(fewer, pipeline, "t1"), {"act": "undo"}, pipeline)
    assert second(undone, "t1") == second(both, "t1") and second(undone, "t3") == second(both, "t3")
    assert second(apply_edit(undone, {"act": "redo"}, pipeline), "t1") is not None  # paid for once
    assert view.usage == NO_USAGE
