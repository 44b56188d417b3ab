"""Refining a plan in words: what changes, what stays, what is said, and that suggestions work."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ui_fakes import HOSTILE, PRODUCTS, FakePipeline, describe, views

from ecomscript.association.associate import AGAINST_THE_GOAL
from ecomscript.association.notes import already_have, as_asked, left_out, without_kind
from ecomscript.errors import InputError
from ecomscript.request import MAX_REFINEMENTS, make_request
from ecomscript.schema import Constraints, MatchedStep
from ecomscript.ui import texts
from ecomscript.ui.basket import Basket
from ecomscript.ui.edit import apply_edit
from ecomscript.ui.refine import by_rules, read
from ecomscript.ui.render import plan_html
from ecomscript.ui.render_basket import basket_html
from ecomscript.ui.render_refine import suggestions
from ecomscript.ui.share import decode, encode
from ecomscript.ui.view import PlanView

PIPELINE = FakePipeline()


@pytest.fixture
def view():
    return views("verified camping")[-1]


@pytest.fixture
def plastic(view):
    """The same plan with a lantern of plastic."""
    lamp, *others = view.matched[4].matches
    lamp = replace(lamp, product=replace(lamp.product, attributes={"material": ("plastic",)}))
    return replace(view, matched=(*view.matched[:4], replace(view.matched[4], matches=(lamp, *others))))


def said(view, text):
    return by_rules(view, read(view, text, PIPELINE), PIPELINE, describe, texts.REFINE_NO_MODEL)


def ids(view):
    return [[m.product.product_id for m in matched.matches] for matched in view.matched]


BEFORE = [[], ["tent", "bag", "mat"], ["stove", "pot"], [], ["lamp", "game", "aid"]]


def test_a_product_that_is_ruled_out_goes_and_the_rest_stays(plastic):
    view = plastic
    after = said(view, "no plastic")
    assert ids(after) == [*BEFORE[:4], ["lamp2", "game", "aid"]]
    assert [m for n, m in enumerate(after.matched) if n != 4] == [m for n, m in enumerate(view.matched) if n != 4]
    assert after.said == "Exclude: plastic – 1 product replaced."
    assert after.constraints.exclude == ("plastic",) and "exclude:plastic" in {chip.key for chip in after.chips}
    assert [(s.old.product_id, s.new.product_id) for s in after.swaps] == [("lamp", "lamp2")]
    assert after.request.refinements == ("no plastic",)


def test_what_the_person_has_is_left_out_with_a_note(view):
    after = said(view, "we already have a tent and a stove")
    assert ids(after) == [[], ["bag", "mat"], ["pot"], [], BEFORE[4]]
    assert already_have("tent") in after.matched[1].note and already_have("stove") in after.matched[2].note
    assert "2 left out (Cairnfold Ridgeline 4-Person Tent, Brandle Two-Burner Gas Stove)" in after.said


def test_a_kept_product_stays_and_is_named(plastic):
    view = plastic
    locked = apply_edit(view, {"act": "lock", "pid": "lamp"}, PIPELINE)
    after = said(locked, "no plastic")
    assert ids(after) == BEFORE
    assert "Still there because you keep it: Wickerlight Rechargeable Camp Lantern (you said no plastic)." in after.said
    assert "Breaks what you asked: you said no plastic." in plan_html(after)
    assert ids(said(apply_edit(after, {"act": "lock", "pid": "lamp"}, PIPELINE), "no candles"))[4][0] == "lamp2"  # no longer kept


def test_undo_and_redo_bring_back_plan_chips_and_products(plastic):
    view = plastic
    after = said(view, "no plastic")
    back = apply_edit(after, {"act": "undo"}, PIPELINE)
    assert (back.matched, back.constraints, back.chips, back.request) == (view.matched, view.constraints, view.chips, view.request)
    assert [(s.old.product_id, s.new.product_id) for s in back.swaps] == [("lamp2", "lamp")]
    again = apply_edit(back, {"act": "redo"}, PIPELINE)
    assert (ids(again), again.chips) == (ids(after), after.chips)


def test_cheaper_says_what_is_saved_and_leaves_what_is_kept(view):
    after = said(view, "cheaper")
    assert ids(after) == [[], ["tent2", "bag", "mat"], BEFORE[2], [], BEFORE[4]]  # the cheaper mat is far less liked
    assert after.said == "Cheaper: 1 product swapped, $30.00 saved."
    assert after.request.refinements == ()
    assert "the products stay" in said(after, "cheaper").said
    kept = apply_edit(view, {"act": "lock", "pid": "tent"}, PIPELINE)
    assert said(kept, "cheaper").matched == kept.matched


def test_better_rated(view):
    after = said(view, "better rated")
    assert ids(after)[1][0] == "tent3" and after.said == "Better rated: 1 product swapped."


def test_people_change_quantities_and_the_total(view):
    after = said(view, "for 8")
    assert ids(after) == BEFORE and after.total_usd == round(view.total_usd + 149.0, 2)
    assert f"That is ${after.total_usd:,.2f} in all." in after.said
    assert f"${after.total_usd:,.2f} for 8 people" in plan_html(after) and "× 2" in plan_html(after)
    held = Basket().add(after.products).follow(after.goal, after.constraints, after.matched)
    assert held.total_usd == after.total_usd


def test_a_budget_is_kept_with_quantities_and_what_is_left_out_comes_back(view):
    after = said(said(view, "for 8"), "under $300")
    assert after.total_usd <= 300.0
    assert any("Left out to stay within $300" in matched.note for matched in after.matched)
    more = said(after, "no budget")
    assert set(ids(more)[2]) == {"stove", "pot"} or "stove" in ids(after)[2]
    assert more.constraints.budget_usd is None and not any("Left out" in matched.note for matched in more.matched)
    assert "added" in more.said


def test_kept_products_over_the_budget_change_nothing(view):
    locked = apply_edit(view, {"act": "lock", "pid": "tent"}, PIPELINE)
    after = said(locked, "under $100")
    assert ids(after) == BEFORE
    assert "over the budget, because what you keep costs more than that alone" in after.said


def test_time_is_noted_and_said_to_be_unchecked(view):
    after = said(view, "only two hours")
    assert after.constraints.deadline == "only two hours" and ids(after) == BEFORE
    assert "Steps carry no times" in after.said
    assert apply_edit(after, {"act": "undo"}, PIPELINE).constraints == view.constraints


def test_steps_are_added_and_removed(view):
    after = said(view, "remove step 4 and add a second lamp")
    assert [m.step.text for m in after.matched] == [*(m.step.text for n, m in enumerate(view.matched) if n != 3), "Add a second lamp"]
    assert ids(after)[-1] == ["lamp2"] and "Step 4 removed" in after.said and "Step 5 added" in after.said
    with pytest.raises(InputError, match=r"no step 9.*5 steps"):
        said(view, "remove step 9")
    assert len(said(view, "remove the last step").matched) == 4


def test_a_step_that_speaks_of_what_is_ruled_out_says_so(view):
    script = replace(view.script[3], text="Grill the beef")
    meat = replace(view, matched=(*view.matched[:3], MatchedStep(script), *view.matched[4:]))
    assert AGAINST_THE_GOAL in said(meat, "make it vegetarian").matched[3].note


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("dessert please", "not understood.*What works"),
        ("two more guests", "Say the new number"),
        ("", "Nothing was said"),
        ("\u202e \n", "Nothing was said"),
        ("x" * 201, "201 characters"),
        (None, "not text"),
        ({"text": "cheaper"}, "not text"),
        ("refuse no alcohol", "not changed.*988"),
    ],
)
def test_what_cannot_be_used_is_one_sentence(view, text, message):
    with pytest.raises(InputError, match=message):
        said(view, text)


def test_no_plan_or_one_being_made_is_not_refined():
    for state in (PlanView(), views("verified camping")[1], views("clarify")[-1]):
        with pytest.raises(InputError):
            said(state, "cheaper")


def test_what_holds_already_is_said_and_not_remembered(view):
    after = said(said(view, "no glitter"), "no glitter")
    assert "holds already" in after.said and len(after.past) == 1
    assert len(after.request.refinements) == 1


def test_refinements_end_at_a_number(view):
    full = replace(view, request=replace(view.request, refinements=("no glitter",) * MAX_REFINEMENTS))
    with pytest.raises(InputError, match="20 times"):
        said(full, "no alcohol")
    with pytest.raises(InputError, match="21 times"):
        make_request("camp", refinements=["no glitter"] * 21)


def test_a_link_keeps_what_was_refined(view):
    after = said(view, "no lantern")
    assert decode(encode(after, Basket())).request == after.request


def test_a_constraint_taken_away_and_asked_for_again_holds(view):
    without = replace(view, request=replace(view.request, removed=frozenset({"exclude:lantern", "people"})))
    assert said(without, "no lantern").request.removed == {"people"}


def test_the_basket_follows_and_names_what_breaks(view):
    held = Basket().add([PRODUCTS["tent"], PRODUCTS["lamp"]]).follow(view.goal, view.constraints, view.matched)
    after = said(view, "we already have a tent")
    html = basket_html(held.follow(after.goal, after.constraints, after.matched))
    assert "Breaks what you asked: you already have a tent." in html and html.count("Breaks") == 1


def test_every_suggestion_changes_the_plan(view):
    found = suggestions(view)
    assert {"cheaper", "for 4", "under $300"} <= set(found) and 4 <= len(found) <= 6
    for text in found:
        after = said(view, text)
        assert (after.matched, after.constraints) != (view.matched, view.constraints), text
    assert "for 14" in suggestions(said(view, "for 12"))
    assert not any("tent" in text for text in suggestions(said(view, "we already have a tent")))


def test_what_somebody_may_have_is_named_as_people_say_it(view):
    rug = replace(PRODUCTS["tent"], product_id="rug", title="Loomvale Area Rug", kind="area rug", price_usd=900.0)
    step = view.matched[1]
    dear = replace(view, matched=(replace(step, matches=(replace(step.matches[0], product=rug),)),))
    assert "we already have an area rug" in suggestions(dear)


def test_hostile_words_are_text(view):
    html = plan_html(said(view, f"add a step: {HOSTILE[0]}"))
    assert "<img src=x" not in html and "&lt;img src=x" in html


def test_left_out_notes_lose_one_kind_at_a_time():
    note = f"Bring a friend. {left_out(['gas grill (from $69.99)', 'tent (from $1,200.00)'], 200)} {as_asked('wine')}"
    assert without_kind(note, "gas grill") == f"Bring a friend. {left_out(['tent (from $1,200.00)'], 200)} {as_asked('wine')}"
    assert without_kind(without_kind(without_kind(note, "tent"), "gas grill"), "wine") == "Bring a friend."


TEXTS = (
    "no lantern",
    "for 8",
    "under $200",
    "no budget",
    "cheaper",
    "better rated",
    "we already have a stove",
    "remove step 1",
    "make it vegan",
)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(TEXTS), max_size=6), st.sampled_from(sorted(m for step in BEFORE for m in step)))
def test_after_any_refinements_the_constraints_hold_and_the_kept_product_stays(asked, kept):
    view = apply_edit(views("verified camping")[-1], {"act": "lock", "pid": kept}, PIPELINE)
    for text in asked:
        before = view
        try:
            view = said(view, text)
        except InputError:
            assert view == before
    budget = view.constraints.budget_usd
    held = 2 * 149.0 if kept == "tent" and view.constraints.people == 8 else PRODUCTS[kept].price_usd or 0.0
    assert budget is None or view.total_usd <= budget or held > budget
    shown = [m.product for matched in view.matched for m in matched.matches]
    assert len({p.product_id for p in shown}) == len(shown) and all(p in PRODUCTS.values() for p in shown)
    assert kept in {p.product_id for p in shown} or "remove step 1" in asked
    assert Constraints.without(view.constraints, frozenset(view.constraints.keys())) == Constraints()
