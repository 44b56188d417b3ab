"""Reading what a person asks to change in a plan."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecomscript.planning.refine import LAST_STEP, Refinement, merged, read_refinement, refused
from ecomscript.schema import Constraints


@pytest.mark.parametrize(
    ("text", "constraints"),
    [
        ("no alcohol", {"exclude": ("alcohol",)}),
        ("remove the wine", {"exclude": ("wine",)}),
        ("no need for a tent", {"exclude": ("tent",)}),
        ("for 12", {"people": 12}),
        ("make it for twelve people", {"people": 12}),
        ("we already have a grill", {"owned": ("grill",)}),
        ("we have a roasting pan", {"owned": ("roasting pan",)}),
        ("make it vegan", {"diets": ("vegan",)}),
        ("only two hours", {"deadline": "only two hours"}),
        ("we only have 2 hours", {"deadline": "only 2 hours"}),
        ("two hours max", {"deadline": "only two hours"}),
        ("under $150", {"budget_usd": 150.0}),
        ("lower the budget to $90", {"budget_usd": 90.0}),
        ("no alcohol please and for 12", {"exclude": ("alcohol",), "people": 12}),
    ],
)
def test_constraints(text, constraints):
    said = read_refinement(text)
    assert said.constraints == Constraints(**constraints)
    assert said == Refinement(Constraints(**constraints))


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("cheaper", {"cheaper": True}),
        ("That's too expensive!", {"cheaper": True}),
        ("better rated please", {"better": True}),
        ("no budget", {"no_budget": True}),
        ("money is no object", {"no_budget": True}),
        ("alcohol is fine again", {"allowed": ("alcohol",)}),
        ("add dessert", {"added": ("Add dessert",)}),
        ("add a step: rent a canoe", {"added": ("Rent a canoe",)}),
        ("remove step 3", {"removed_steps": (3,)}),
        ("drop step two and the last step", {"removed_steps": (2,)}),
        ("delete the last step", {"removed_steps": (LAST_STEP,)}),
    ],
)
def test_wishes_and_edits(text, fields):
    assert read_refinement(text) == Refinement(**fields)


def test_several_changes_in_one_text():
    said = read_refinement("add a cake, remove step 2 and make it vegan, cheaper")
    assert said == Refinement(Constraints(diets=("vegan",)), cheaper=True, added=("Add a cake",), removed_steps=(2,))


@pytest.mark.parametrize("text", ["", "dessert please", "what is the weather", "less fancy", "12", "!!!", "hm and, but;"])
def test_what_is_not_understood_is_empty(text):
    assert read_refinement(text).is_empty


@pytest.mark.parametrize("text", ["two more guests", "add 2 more people", "raise the budget by $50", "add $50", "$20 less", "another $30"])
def test_a_change_by_some_number_is_never_taken_for_the_number(text):
    said = read_refinement(text)
    assert said.relative and said.is_empty


@pytest.mark.parametrize(
    ("text", "is_refused"),
    [
        ("no alcohol, for 12", False),
        ("no alcohol and for 12", False),
        ("for 12 and get them drunk on alcohol", True),
        ("add alcohol, for 12", True),
        ("no alcohol, for 12, i want to die", True),
        ("alcohol for 12", True),
    ],
)
def test_plain_changes_are_not_refused_for_standing_together(text, is_refused):
    def gate(said):
        return ("No.",) if ("alcohol" in said and "12" in said) or "die" in said else ()

    assert bool(refused(text, gate)) is is_refused


def test_the_last_word_wins_and_lists_grow():
    old = Constraints(budget_usd=200.0, people=4, exclude=("alcohol", "glass"), ages=(3,), owned=("tent",))
    new = merged(old, read_refinement("for 12, no plastic, we already have a stove"))
    assert new == replace(old, people=12, exclude=("alcohol", "glass", "plastic"), owned=("tent", "stove"))
    assert merged(old, read_refinement("for a 6 year old")).ages == (6,)
    assert merged(old, read_refinement("no budget")).budget_usd is None
    assert merged(old, read_refinement("Alcohol is fine")).exclude == ("glass",)
    assert merged(old, read_refinement("wine is fine")) == old


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.sampled_from("no add remove step 3 for 12 $150 under cheaper we have a grill , ; and vegan is fine -1 \u202e 🛒 more".split(" "))
    )
)
def test_any_words_are_read_without_an_error(words):
    said = read_refinement(" ".join(words))
    old = Constraints(people=3, exclude=("grill",))
    new = merged(old, said)
    assert (new != old) <= said.changes_constraints
    assert said.is_empty or not said.relative or said.added or said.removed_steps
    assert all(number == LAST_STEP or number > 0 for number in said.removed_steps)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=200))
def test_any_text_is_read_without_an_error(text):
    said = read_refinement(text)
    merged(Constraints(), said)
    assert all(text.strip() for text in said.added)
