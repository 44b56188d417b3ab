import base64
from dataclasses import replace
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ui_fakes import CARDS, NEAR, PRODUCTS, FakePipeline, describe, packed

from ecomscript.errors import InputError
from ecomscript.request import MAX_STEP_CHARS, MAX_STEPS, clean_text, make_request
from ecomscript.schema import Match, MatchedStep, PlanRequest, Step
from ecomscript.ui import texts
from ecomscript.ui.basket import Basket, Line, Origin
from ecomscript.ui.border import watch
from ecomscript.ui.page import build_ui
from ecomscript.ui.share import MAX_CODE, MAX_UNPACKED, decode, encode, restore, shared_plan
from ecomscript.ui.view import PlanView

LINES = Basket(
    (Line(PRODUCTS["stove"], 2, by_hand=True), Line(PRODUCTS["game"], optional=True), Line(PRODUCTS["tent"], 99, by_hand=True, ticked=True))
)


def planned(goal="camping", **fields):
    return list(watch(FakePipeline(), PlanRequest(goal, **fields), describe))[-1]


def reopened(code):
    return restore(decode(code), FakePipeline(), describe)


def cause(error):
    return error.value.cause


def shown(view):
    return [(m.step.text, [x.product.product_id for x in m.matches], m.note) for m in view.matched]


def test_a_link_shows_the_same_plan_and_basket():
    view = planned("verified camping", budget_usd=300.0, people=4, exclude=("canoe",), removed=frozenset({"owned:cool box"}))
    again, basket = reopened(encode(view, LINES))
    assert shown(again) == shown(view) and again.script == view.script
    assert (again.request, again.objective, again.constraints, again.chips) == (view.request, view.objective, view.constraints, view.chips)
    assert (again.phase, again.status, again.confidence) == ("done", "plan", "ready")
    assert [replace(line, t2=None, origin=Origin()) for line in basket.lines] == list(LINES.lines)
    assert basket.lines[2].origin == Origin("verified camping", ("Set up a dry place to sleep",), view.constraints)


def test_the_verifiers_are_asked_again_and_nothing_is_planned_anew():
    again, basket = reopened(encode(planned("clash camping"), LINES))
    assert again.script_verdict.places == (2, 4) and again.checked == ("t1", "t3")
    assert [c.product_id for c in again.conflicts] == ["stove"]
    assert {m.t2 for s in again.matched for m in s.matches} == {0.77}
    assert [line.t2 for line in basket.lines] == [0.77, 0.77, 0.77]
    silent = restore(decode(encode(planned("clash camping"), LINES)), FakePipeline(), describe, show_t2=False)[1]
    assert {line.t2 for line in silent.lines} == {None}


def test_edited_steps_come_back_in_their_order_without_the_badge_of_a_ready_plan():
    view = planned()
    own = MatchedStep(Step("mine", "Pack <b>snacks</b>", buys=True), (Match(PRODUCTS["pot"], "eat", 0.5, "why"),))
    edited = (view.matched[4], own, view.matched[1])
    view = replace(view, matched=edited, script=tuple(m.step for m in edited))
    again, _ = reopened(encode(view, Basket()))
    assert shown(again) == shown(view)
    assert [s.step_id for s in again.script] == ["s5", "shared2", "s2"] and again.script[1].buys is True
    assert again.confidence is None


def test_the_near_plan_that_was_chosen_comes_along():
    view = planned("camping near the sea", like=NEAR[1])
    again, _ = reopened(encode(view, Basket()))
    assert (again.request.like, again.objective, again.near) == (NEAR[1], NEAR[1], (NEAR[0], NEAR[2]))
    older, _ = reopened(packed({"g": "camping near the sea", "s": [["Do it", [], 0, ""]]}))
    assert older.request.like == ""


def test_two_steps_of_one_text_keep_ids_of_their_own():
    view = planned()
    twice = (view.matched[1], replace(view.matched[1], step=replace(view.matched[1].step, step_id="other")))
    again, _ = reopened(encode(replace(view, matched=twice, script=tuple(m.step for m in twice)), Basket()))
    assert len({s.step_id for s in again.script}) == 2


def test_a_stopped_plan_keeps_the_steps_that_were_not_reached():
    view = next(v for v in watch(FakePipeline(), PlanRequest("camping"), describe) if len(v.matched) == 2)
    again, _ = reopened(encode(replace(view, phase="stopped"), Basket()))
    assert [m.step.text for m in again.matched] == [s.text for s in view.script] and len(again.products) == 3
    assert [m.note for m in again.matched[2:]] == [texts.NOT_REACHED] * 3


def test_products_that_are_gone_are_counted_once_and_left_out():
    view = planned()
    gone = replace(PRODUCTS["mat"], product_id="gone1")
    steps = tuple(replace(m, matches=(*m.matches[:1], Match(gone, "", 0.5, ""))) if m.matches else m for m in view.matched)
    again, basket = reopened(encode(replace(view, matched=steps), Basket((Line(gone), Line(replace(gone, product_id="gone2"), 3)))))
    assert "2 products are no longer in the catalogue." in again.notices
    assert [p.product_id for p in again.products] == ["tent", "stove", "lamp"] and basket == Basket()
    assert texts.shared_gone(1) == "1 product is no longer in the catalogue."


def test_a_product_that_breaks_a_constraint_is_left_out_by_name():
    view = planned(exclude=("stove",))
    again, _ = reopened(encode(view, Basket()))
    assert "stove" in [p.product_id for p in view.products] and "stove" not in [p.product_id for p in again.products]
    assert again.matched[2].note == f"Left out {PRODUCTS['stove'].title}: you said no stove."


@pytest.mark.parametrize(("goal", "status"), [("refuse", "refuse"), ("redirect", "redirect")])
def test_a_goal_that_gets_no_plan_gets_none_by_a_link(goal, status):
    again, basket = reopened(packed({"g": goal, "s": [["Do it", ["tent"], 0, ""]], "k": [["tent", 1, 0]]}))
    assert (again.phase, again.status, again.matched, basket) == ("done", status, (), Basket())


def test_words_of_a_link_that_would_be_refused_are_left_out():
    steps = [["refuse this", ["tent"], 0, ""], ["Sleep", ["bag"], 0, "refuse that"]]
    again, _ = reopened(packed({"g": "camping", "o": "refuse all", "s": steps}))
    assert shown(again) == [("Sleep", ["bag"], "")] and again.objective == "camping"
    assert "1 step was left out: this page does not plan that." in again.notices


def test_a_link_of_nothing_but_refused_words_is_refused():
    again, basket = reopened(packed({"g": "camping", "s": [["refuse this", ["tent"], 0, ""]], "k": [["tent", 1, 0]]}))
    assert (again.phase, again.status, again.script, again.matched, basket) == ("done", "refuse", (), (), Basket())
    assert "988" in again.notices[0]


def test_locked_and_dismissed_products_stay_so():
    view = replace(planned(), locked=frozenset({"stove", "gone"}), dismissed=frozenset({"pot2"}))
    again, _ = reopened(encode(view, Basket()))
    assert (again.locked, again.dismissed) == ({"stove"}, {"pot2"})


def test_a_goal_that_is_not_understood_any_more_keeps_the_steps_that_were_sent():
    again, _ = reopened(packed({"g": "clarify", "s": [["Sleep outside", ["tent"], 0, ""]]}))
    assert again.status == "plan" and shown(again) == [("Sleep outside", ["tent"], "")]


def test_an_error_of_the_pipeline_is_said():
    assert reopened(packed({"g": "fail", "s": [["Do it", [], 0, ""]]}))[0].message.startswith("The index folder is damaged")


TEXTS = st.text(max_size=60)
IDS = st.sampled_from(sorted(PRODUCTS))
STEPS = st.lists(
    st.tuples(TEXTS.filter(clean_text), st.lists(IDS, max_size=3, unique=True), st.sampled_from([None, False, True]), TEXTS),
    min_size=1,
    max_size=12,
)


@given(
    TEXTS,
    st.none() | st.floats(0.01, 1e6),
    st.none() | st.integers(1, 1000),
    st.lists(TEXTS, max_size=4),
    STEPS,
    st.dictionaries(IDS, st.tuples(st.integers(1, 99), st.booleans(), st.booleans(), st.booleans())),
)
def test_what_is_encoded_comes_back(goal, budget, people, exclude, steps, lines):
    request = make_request(goal, budget, people, exclude, ["budget_usd", "exclude:tent"])
    matched = tuple(
        MatchedStep(Step(f"s{n}", text, buys=buys), tuple(Match(PRODUCTS[i], "", 0.1, "") for i in ids), note)
        for n, (text, ids, buys, note) in enumerate(steps)
    )
    view = PlanView(request, "done", "plan", objective=goal, script=tuple(m.step for m in matched), matched=matched)
    basket = Basket(tuple(Line(PRODUCTS[i], n, None, *flags) for i, (n, *flags) in lines.items()))
    code = encode(view, basket)
    assert decode(code) == shared_plan(view, basket)
    assert len(code) <= MAX_CODE and decode(code).request == request


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("gbpxroskld"), inner, max_size=8),
    )
)
def test_whatever_is_inside_is_refused_or_bounded(whole):
    try:
        shared = decode(packed(whole))
    except InputError as error:
        assert error.fix
    else:
        assert 0 < len(shared.steps) <= MAX_STEPS


@given(
    st.text(max_size=80) | st.binary(max_size=80).map(lambda raw: "1." + base64.urlsafe_b64encode(raw).decode()) | st.none() | st.integers()
)
def test_no_text_at_all_gets_past_as_an_error_of_another_kind(code):
    with pytest.raises(InputError):
        decode(code)


def test_every_cut_of_a_link_is_damage():
    code = encode(planned(), LINES)
    for length in range(len(code)):
        with pytest.raises(InputError):
            decode(code[:length])
    for extra in ("A", "=", code):
        with pytest.raises(InputError) as error:
            decode(code + extra)
    assert cause(error) == texts.SHARE_BROKEN[0]


STEP = ["Sleep", ["tent"], 0, ""]


@pytest.mark.parametrize(
    "whole",
    [
        {},
        [],
        None,
        {"s": []},
        {"s": "x"},
        {"s": [["Sleep"]]},
        {"s": [["", [], 0, ""]]},
        {"s": [["\u202e\u0000", [], 0, ""]]},
        {"s": [["x" * 301, [], 0, ""]]},
        {"s": [["Sleep", ["tent"] * 4, 0, ""]]},
        {"s": [["Sleep", ["t" * 101], 0, ""]]},
        {"s": [["Sleep", [7], 0, ""]]},
        {"s": [["Sleep", [], True, ""]]},
        {"s": [["Sleep", [], 3, ""]]},
        {"s": [["Sleep", [], -1, ""]]},
        {"s": [["Sleep", [], 0, "n" * 1001]]},
        {"s": [STEP] * (MAX_STEPS + 1)},
        {"s": [["x" * (MAX_STEP_CHARS + 1), [], 0, ""]]},
        {"s": [STEP], "k": [["tent", 0, 0]]},
        {"s": [STEP], "k": [["tent", 1.5, 0]]},
        {"s": [STEP], "k": [["tent", True, 0]]},
        {"s": [STEP], "k": [["tent", 100, 0]]},
        {"s": [STEP], "k": {"tent": 1}},
        {"s": [STEP], "k": [["tent", 1, 8]]},
        {"s": [STEP], "k": [["tent", 1]]},
        {"s": [STEP], "l": [5]},
        {"s": [STEP], "d": "tent"},
        {"s": [STEP], "d": ["tent"] * 201},
        {"s": [STEP], "k": [[f"p{n}", 1, 0] for n in range(101)]},
        {"s": [STEP], "g": ["a"]},
        {"s": [STEP], "g": "x" * 6001},
        {"s": [STEP], "b": float("inf")},
        {"s": [STEP], "b": -1},
        {"s": [STEP], "p": 10**400},
        {"s": [STEP], "x": [str(n) for n in range(21)]},
        {"s": [STEP], "r": ["__class__"]},
        {"s": [STEP], "r": ["exclude:" + "x" * 200]},
        {"s": [STEP], "r": 5},
        {"s": [STEP], "o": "x" * 301},
    ],
)
def test_what_is_out_of_bounds_is_refused_in_one_sentence(whole):
    with pytest.raises(InputError) as error:
        decode(packed(whole))
    assert str(error.value).count(". ") == 1


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("", texts.SHARE_BROKEN),
        ("plan", texts.SHARE_BROKEN),
        ("1.", texts.SHARE_BROKEN),
        ("1.a+b/", texts.SHARE_BROKEN),
        ("1.é", texts.SHARE_BROKEN),
        (packed({"s": [STEP]}, "0"), texts.SHARE_VERSION),
        (packed({"s": [STEP]}, "2"), texts.SHARE_VERSION),
        ("1." + "A" * MAX_CODE, texts.SHARE_LONG),
        (packed(b" " * (MAX_UNPACKED + 1)), texts.SHARE_LONG),
        (packed(b"[" * MAX_UNPACKED), texts.SHARE_BROKEN),
        (packed(b'{"g": "\xff"}'), texts.SHARE_BROKEN),
        (packed(b'{"b": ' + b"9" * 5000 + b"}"), texts.SHARE_BROKEN),
    ],
)
def test_broken_ancient_and_swollen_links(code, said):
    with pytest.raises(InputError) as error:
        decode(code)
    assert (error.value.cause, error.value.fix) == said


def test_a_bomb_is_not_unpacked():
    bomb = packed(b"0" * 4_000_000)
    assert len(bomb) < MAX_CODE
    with pytest.raises(InputError) as error:
        decode(bomb)
    assert cause(error) == texts.SHARE_LONG[0]


def test_hostile_texts_come_back_cleaned():
    shared = decode(
        packed({"g": "go\u202e od\u0000", "o": "a\nb", "s": [["${x}\u2066 {{y}}<b>", [], 0, "\u200fnote\r"]], "x": ["\u202dtent"]})
    )
    assert (shared.request.goal, shared.objective, shared.request.exclude) == ("go od", "a b", ("tent",))
    assert (shared.steps[0].text, shared.steps[0].note) == ("${x} {{y}}<b>", "note")


@pytest.mark.parametrize("view", [PlanView(), PlanView(PlanRequest("x"), "done", "clarify")])
def test_without_a_plan_there_is_nothing_to_share(view):
    with pytest.raises(InputError) as error:
        encode(view, LINES)
    assert cause(error) == texts.SHARE_NOTHING[0]


@pytest.mark.parametrize("steps", [[f"step {n}" for n in range(MAX_STEPS + 1)], ["x" * (MAX_STEP_CHARS + 1)]])
def test_a_plan_that_no_link_can_hold_is_said(steps):
    script = tuple(Step(f"s{n}", text) for n, text in enumerate(steps))
    with pytest.raises(InputError) as error:
        encode(replace(planned(), script=script, matched=()), LINES)
    assert cause(error) == texts.SHARE_TOO_LARGE[0]


def test_the_end_of_an_earlier_run_leaves_a_kept_plan_that_is_on_its_way_alone():
    handlers = {each.fn.__name__: each.fn for each in build_ui(FakePipeline(), describe, CARDS).fns.values() if each.fn}
    waiting = PlanView(PlanRequest("camping"), "working", reopening=True)
    assert len(handlers["on_ended"](waiting, Basket())) == 1
    stopped = handlers["on_kept_ended"](waiting, Basket())
    assert "stopped" in {getattr(value, "phase", "") for value in stopped.values()}
    opened = handlers["on_open_ended"]
    working = replace(waiting, reopening=False)
    for query, touched in (({}, False), ({"goal": "camping"}, True)):
        page = SimpleNamespace(query_params=query)
        assert (len(opened(working, Basket(), page)) > 1) is touched
