"""Every edit of a plan, what forged ones get, and what holds after any sequence of them."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_ui_render import BACKING, Tags
from ui_fakes import HOSTILE, PRODUCTS, FakePipeline, views

from ecomscript.errors import InputError
from ecomscript.request import MAX_STEP_CHARS, MAX_STEPS
from ecomscript.schema import Conflict, MatchedStep, Step, Verdict
from ecomscript.ui import texts
from ecomscript.ui.edit import apply_edit
from ecomscript.ui.history import MAX_CHANGES
from ecomscript.ui.render import plan_html, status_html
from ecomscript.ui.swap import swap_product
from ecomscript.ui.view import PlanView

PIPELINE = FakePipeline()


@pytest.fixture
def view():
    return views("verified camping")[-1]


def edit(view, act, **payload):
    return apply_edit(view, {"act": act, **payload}, PIPELINE)


def ids(view):
    return [[m.product.product_id for m in matched.matches] for matched in view.matched]


def texts_of(view):
    return [matched.step.text for matched in view.matched]


BEFORE = [[], ["tent", "bag", "mat"], ["stove", "pot"], [], ["lamp", "game", "aid"]]


def test_a_renamed_step_alone_is_matched_again(view):
    after = edit(view, "rename", step="s4", text="  light the\u202e way with a \n lamp ")
    assert texts_of(after)[3] == "light the way with a lamp"
    assert ids(after) == [*BEFORE[:3], ["lamp2"], BEFORE[4]]  # "lamp" is shown already
    assert [m for n, m in enumerate(after.matched) if n != 3] == [m for n, m in enumerate(view.matched) if n != 3]
    assert after.matched[3].step.step_id == "s4" and after.script == tuple(m.step for m in after.matched)
    assert "Step 4 renamed; 1 product found." in status_html(after)


def test_a_renamed_step_keeps_its_locked_products(view):
    after = edit(edit(view, "lock", pid="pot"), "rename", step="s3", text="pitch a tent and a stove")
    assert ids(after)[2] == ["pot", "stove", "stove2"]  # three at most, and what the step itself showed may come again
    assert after.matched[2].matches[0].intention == "cook outdoors"  # judged anew for the new words
    assert after.locked == {"pot"}


def test_an_added_step_comes_last(view):
    after = edit(edit(view, "add", text="buy a stove"), "add", text="just walk")
    assert [m.step.step_id for m in after.matched[-2:]] == ["own1", "own2"]
    assert ids(after)[-2:] == [["stove2"], []]
    assert after.said == "Step 7 added; 0 products found."
    assert texts.NOTHING_SUITABLE in plan_html(after, BACKING)


def test_steps_move_and_go(view):
    assert texts_of(edit(view, "up", step="s3"))[1] == texts_of(view)[2]
    assert texts_of(edit(view, "down", step="s3"))[3] == texts_of(view)[2]
    assert texts_of(edit(view, "move", step="s5", place=0))[0] == texts_of(view)[4]
    assert edit(view, "up", step="s1").matched == edit(view, "down", step="s5").matched == view.matched
    assert edit(view, "up", step="s1").past == ()
    after = edit(view, "remove", step="s2")
    assert ids(after) == [BEFORE[0], *BEFORE[2:]]
    assert after.said.startswith("Step 2 removed: Set up a dry place")


def test_even_the_last_step_can_go_and_come_back(view):
    for step in ("s1", "s2", "s3", "s4", "s5"):
        view = edit(view, "remove", step=step)
    assert view.matched == () and "data-form" in plan_html(view, BACKING)
    assert ids(edit(view, "add", text="lamp"))[0] == ["lamp", "lamp2"]


def test_notes_on_other_steps_stay_true(view):
    steps = (*view.matched[:3], replace(view.matched[3], note="Uses the tent from step 2. Needs the pot too: see step 3."), view.matched[4])
    view = replace(view, matched=steps)
    assert edit(view, "remove", step="s1").matched[2].note == "Uses the tent from step 1. Uses the pot from step 2."
    gone = edit(view, "remove", step="s2")
    assert gone.matched[2].note == "Needs the tent too. Uses the pot from step 2."
    assert edit(gone, "undo").matched == steps


def test_a_dismissed_product_gives_way_and_never_comes_back(view):
    after = edit(view, "dismiss", pid="tent")
    assert ids(after)[1] == ["tent3", "bag", "mat"]  # of the same kind the best by T2
    assert (after.swaps[0].old.product_id, after.swaps[0].new.product_id) == ("tent", "tent3")
    assert after.said == "Cairnfold Ridgeline 4-Person Tent will not come back. Tarnhollow Dome Tent takes its place."
    again = edit(after, "rename", step="s4", text="tent")
    assert ids(again)[3] == ["tent2"]


def test_a_dismissed_product_without_an_alternative_leaves_its_place(view, monkeypatch):
    monkeypatch.setattr(PIPELINE, "alternatives", lambda *asked: [[]])
    after = edit(view, "dismiss", pid="bag")
    assert ids(after)[1] == ["tent", "mat"] and after.swaps == ()
    assert "Nothing else suits" in after.said


def test_cheaper_and_better_rated(view):
    cheaper, better = edit(view, "cheaper", pid="tent"), edit(view, "better", pid="tent")
    assert ids(cheaper)[1][0] == "tent3" and ids(better)[1][0] == "tent3"  # $144 and 4.9 stars
    assert ids(edit(cheaper, "cheaper", pid="tent3"))[1][0] == "tent2"
    none = edit(better, "better", pid="tent3")
    assert ids(none) == ids(better) and none.past == better.past
    assert none.said == "Nothing better rated of this kind fits in place of Tarnhollow Dome Tent."
    assert "Nothing cheaper" in edit(view, "cheaper", pid="game").said  # its price is unknown


def test_a_list_of_alternatives_opens_in_the_place_and_one_is_chosen(view):
    opened = edit(view, "choose", pid="tent")
    assert [m.product.product_id for m in opened.choosing.options][:2] == ["tent3", "tent2"]
    assert len(opened.choosing.options) <= 10 and opened.past == ()
    text = Tags(plan_html(opened, BACKING)).text
    assert "More like Cairnfold Ridgeline 4-Person Tent" in text and "$144.00 · ★ 4.9 · Fits this step: 0.98" in text
    assert edit(opened, "close").choosing is None
    after = edit(opened, "swap", pid="tent", swap="tent2")
    assert ids(after)[1] == ["tent2", "bag", "mat"] and after.choosing is None
    assert "In place of Cairnfold Ridgeline 4-Person Tent." in after.matched[1].matches[0].why
    with pytest.raises(InputError, match="Reload"):
        edit(after, "swap", pid="tent2", swap="tent3")  # the list is closed


def test_nothing_else_is_said_in_words(view, monkeypatch):
    monkeypatch.setattr(PIPELINE, "alternatives", lambda *asked: [[]])
    after = edit(view, "choose", pid="tent")
    assert after.choosing is None and "Nothing else in this catalogue fits" in after.said


def test_a_locked_product_stays(view):
    locked = edit(view, "lock", pid="tent")
    assert "Kept" in plan_html(locked, BACKING) and locked.said.endswith("stays, whatever changes.")
    for act in ("dismiss", "cheaper", "better", "choose", "swap"):
        with pytest.raises(InputError, match="No longer keep"):
            edit(locked, act, pid="tent", swap="tent2")
    assert edit(locked, "lock", pid="tent").locked == frozenset()
    assert edit(locked, "remove", step="s2").locked == frozenset()


def test_the_budget_is_kept():
    view = views("camping", budget_usd=500.0)[-1]
    assert sum(p.price_usd or 0 for p in view.products) == 409.49
    assert "tent" in {p.product_id for p in view.products}
    assert ids(edit(view, "add", text="stove"))[-1] == ["stove2"]  # 84.50 of the 90.51 left
    tight = replace(view, constraints=replace(view.constraints, budget_usd=450.0))
    assert ids(edit(tight, "add", text="stove"))[-1] == []
    over = replace(view, constraints=replace(view.constraints, budget_usd=100.0))
    assert ids(edit(over, "add", text="stove lamp"))[-1] == []
    assert edit(over, "choose", pid="tent").choosing is None or all(
        m.product.price_usd is None for m in edit(over, "choose", pid="tent").choosing.options
    )


def test_everything_is_judged_again_and_shown():
    view = views("clash camping")[-1]
    assert view.conflicts
    asked = len(PIPELINE.reviewer.bundles)
    gone = edit(view, "remove", step="s3")
    assert gone.conflicts == () and gone.bundle_verdict == Verdict(0.86)
    assert len(PIPELINE.reviewer.bundles) == asked + 1
    assert PIPELINE.reviewer.bundles[-1] == {"tent", "bag", "mat", "lamp", "game", "aid"}


def test_the_script_is_judged_again_only_where_its_steps_change(view, monkeypatch):
    monkeypatch.setattr(PIPELINE.reviewer, "script", lambda goal, steps: Verdict(0.11))
    assert edit(view, "dismiss", pid="tent").script_verdict == view.script_verdict
    assert edit(view, "up", step="s3").script_verdict == Verdict(0.11)


def test_conflicts_offer_no_swap_to_what_is_locked_or_was_turned_down():
    view = views("clash camping")[-1]
    assert view.conflicts[0].swap_id == "stove2"
    assert edit(view, "lock", pid="stove").conflicts[0].swap_id == ""
    turned_down = replace(view, dismissed=frozenset({"stove2"}))
    assert edit(turned_down, "up", step="s5").conflicts == (replace(view.conflicts[0], product_id="", swap_id=""),)


def test_a_conflicts_swap_can_be_undone():
    view = views("clash camping")[-1]
    after = swap_product(view, {"pid": "stove", "swap": "stove2"}, PIPELINE)
    back = edit(after, "undo")
    assert ids(back) == BEFORE and back.conflicts == view.conflicts
    assert (back.swaps[0].old.product_id, back.swaps[0].new.product_id) == ("stove2", "stove")
    assert ids(edit(back, "redo")) == ids(after) and edit(back, "redo").swaps == after.swaps


def test_undo_and_redo_say_what_they_did(view):
    after = edit(edit(view, "remove", step="s1"), "add", text="lamp")
    back = edit(after, "undo")
    assert back.said == "Undone: Step 5 added; 1 product found."
    assert ids(edit(back, "undo")) == BEFORE
    assert edit(back, "redo").said.startswith("Done again: Step 5 added")
    assert edit(view, "undo").matched == edit(view, "redo").matched == view.matched
    assert edit(back, "remove", step="s2").future == ()
    markup = plan_html(back, BACKING)
    assert 'data-edit="undo"' in markup and 'data-edit="redo"' in markup
    assert 'data-edit="undo"' not in plan_html(view, BACKING)


def test_history_is_bounded(view):
    for n in range(MAX_CHANGES + 5):
        view = edit(view, "rename", step="s1", text=f"walk {n}")
    assert len(view.past) == MAX_CHANGES
    assert all(change.view.past == () == change.view.future for change in view.past)


def test_a_stopped_plan_can_be_edited():
    view = replace(views("camping")[3], phase="stopped")
    after = edit(view, "rename", step="s5", text="lamp")
    assert len(after.matched) == 5 and ids(after)[4] == ["lamp", "lamp2"]
    assert after.pending == () and after.phase == "done"
    assert after.matched[3].note == texts.NOT_REACHED


def test_a_failed_request_keeps_the_plan_editable(view):
    failed = replace(view, phase="failed", message="The budget is -5.")
    after = edit(failed, "remove", step="s1")
    assert (after.phase, after.message) == ("done", "")
    assert edit(after, "undo").phase == "done"


FORGED = [
    None,
    [],
    "remove",
    {},
    {"act": None},
    {"act": ["remove"]},
    {"act": {"remove": 1}, "step": "s1"},
    {"act": "__class__"},
    {"act": "remove"},
    {"act": "remove", "step": "s9"},
    {"act": "remove", "step": ["s1"]},
    {"act": "remove", "step": 0},
    {"act": "up", "step": {}},
    {"act": "move", "step": "s1"},
    {"act": "move", "step": "s1", "place": -1},
    {"act": "move", "step": "s1", "place": 5},
    {"act": "move", "step": "s1", "place": True},
    {"act": "move", "step": "s1", "place": "1"},
    {"act": "move", "step": "s1", "place": 1e99},
    {"act": "rename", "step": "s1"},
    {"act": "rename", "step": "s1", "text": 7},
    {"act": "rename", "step": "s9", "text": "lamp"},
    {"act": "add"},
    {"act": "add", "text": ["lamp"]},
    {"act": "dismiss"},
    {"act": "dismiss", "pid": "tent2"},
    {"act": "dismiss", "pid": ["tent"]},
    {"act": "lock", "pid": "lamp2"},
    {"act": "cheaper", "pid": None},
    {"act": "swap", "pid": "tent"},
    {"act": "swap", "pid": "tent", "swap": "tent2"},
    {"act": "swap", "pid": "tent", "swap": ["tent2"]},
]


@pytest.mark.parametrize("payload", FORGED)
def test_forged_edits_are_refused(view, payload):
    for shown in (view, PlanView(), views("clarify")[-1]):
        with pytest.raises(InputError, match="Reload"):
            apply_edit(shown, payload, PIPELINE)


@pytest.mark.parametrize("swap", ["stove", "nothing", ["tent2"], None, "hostile0"])
def test_an_open_list_gives_only_what_it_shows(view, swap):
    opened = edit(view, "choose", pid="tent")
    with pytest.raises(InputError, match="Reload"):
        edit(opened, "swap", pid="tent", swap=swap)
    with pytest.raises(InputError, match="Reload"):
        edit(opened, "swap", pid="bag", swap="tent2")


def test_texts_that_cannot_be_used_are_refused_with_a_sentence(view):
    for act in ("add", "rename"):
        with pytest.raises(InputError, match="100,000 characters, at most 200"):
            edit(view, act, step="s1", text="x" * 100_000)
        for empty in ("", "  \n ", "\u202e\x00"):
            with pytest.raises(InputError, match="The step is empty"):
                edit(view, act, step="s1", text=empty)
    assert texts_of(edit(view, "add", text="x" * MAX_STEP_CHARS))[-1] == "x" * MAX_STEP_CHARS


def test_a_plan_cannot_grow_without_end(view):
    many = tuple(MatchedStep(Step(f"x{n}", "walk")) for n in range(1000))
    for steps in (many, many[:MAX_STEPS]):
        with pytest.raises(InputError, match="at most 30 steps"):
            edit(replace(view, matched=steps, script=tuple(m.step for m in steps)), "add", text="walk")


def test_edits_wait_until_the_plan_is_made():
    working = views("camping")[4]
    for payload in ({"act": "remove", "step": "s1"}, {"act": "undo"}, None):
        with pytest.raises(InputError, match="A plan is being made"):
            apply_edit(working, payload, PIPELINE)
    assert "data-edit" not in plan_html(working, BACKING) and "data-form" not in plan_html(working, BACKING)


def test_hostile_texts_are_shown_as_they_are(view):
    for text in HOSTILE:
        view = edit(view, "add", text=text)
    hostile = replace(view, choosing=replace(edit(view, "choose", pid="tent").choosing))
    shown = with_hostile_words(hostile)
    tags = Tags(plan_html(shown, BACKING) + status_html(shown))
    assert not {"img", "script"} & {tag for tag, _ in tags.found}
    assert "<img src=x onerror=" in tags.text and "${Object.assign(window,{__y:1})} Tent" in tags.text


def with_hostile_words(view):
    options = tuple(replace(m, product=PRODUCTS["hostile0"], intention=HOSTILE[0]) for m in view.choosing.options[:1])
    conflict = Conflict(HOSTILE[0], HOSTILE[1], HOSTILE[2])
    return replace(view, choosing=replace(view.choosing, options=options), conflicts=(conflict,), said=HOSTILE[0])


STEP_IDS = st.sampled_from(["s1", "s2", "s3", "s4", "s5", "own1", "own2", "own3", "nowhere"])
PIDS = st.sampled_from([*PRODUCTS, "nothing"])
WORDS = st.sampled_from(["tent", "lamp and stove", "walk", "bag mat aid", "", "x" * 300])
PAYLOADS = st.one_of(
    st.fixed_dictionaries({"act": st.sampled_from(["rename", "add"]), "step": STEP_IDS, "text": WORDS}),
    st.fixed_dictionaries({"act": st.sampled_from(["remove", "up", "down", "move"]), "step": STEP_IDS, "place": st.integers(-1, 6)}),
    st.fixed_dictionaries(
        {"act": st.sampled_from(["dismiss", "cheaper", "better", "lock", "choose", "swap"]), "pid": PIDS, "swap": PIDS},
    ),
    st.fixed_dictionaries({"act": st.sampled_from(["undo", "redo", "close"])}),
)
START = views("clash camping", budget_usd=600.0)[-1]


def content(view):
    return replace(view, past=(), future=(), said="", swaps=(), choosing=None)


@settings(max_examples=60, deadline=None)
@given(st.lists(PAYLOADS, max_size=12))
def test_any_sequence_of_edits_keeps_what_must_hold(payloads):
    view = START
    for payload in payloads:
        before = view
        try:
            view = apply_edit(view, payload, PIPELINE)
        except InputError:
            continue
        shown = [m.product.product_id for matched in view.matched for m in matched.matches]
        assert len(shown) == len(set(shown))
        assert not view.dismissed & set(shown)
        assert view.locked <= set(shown)
        assert len({m.step.step_id for m in view.matched}) == len(view.matched) <= MAX_STEPS
        assert all(len(matched.matches) <= 3 for matched in view.matched)
        assert all(PRODUCTS[i] in view.products for i in shown)
        assert sum(p.price_usd or 0.0 for p in view.products) <= 600.0
        assert view.script == tuple(m.step for m in view.matched)
        assert len(view.past) <= MAX_CHANGES
        Tags(plan_html(view, BACKING) + status_html(view))
        if payload["act"] not in {"undo", "redo"} and view.past != before.past:
            back = apply_edit(view, {"act": "undo"}, PIPELINE)
            assert content(back) == content(before)
            assert content(apply_edit(back, {"act": "redo"}, PIPELINE)) == content(view)
