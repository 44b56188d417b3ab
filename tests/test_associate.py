"""From steps to products: ranking kinds, choosing inside a kind, keeping a budget."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecomscript.association.associate import Associator
from ecomscript.association.choose import Option, ProductChooser, fit_budget
from ecomscript.association.eligibility import Eligibility
from ecomscript.schema import Constraints, Script, Step


@pytest.fixture(scope="module")
def associator(tiny_parts):
    _, index, encoder, weights = tiny_parts
    return Associator(index, encoder, weights)


def match(associator, *steps, constraints=None):
    script = Script("Take the family on a first camping weekend", steps, "library", "ready")
    constraints = constraints or Constraints()
    return associator.match_script(script, "camping", constraints, Eligibility(constraints))


def test_a_step_without_needs_asks_the_ranker(associator):
    (found,) = match(associator, Step("s1", "cook a warm meal at a campsite"))
    assert found.matches[0].product.kind == "camp stove"


def test_a_step_that_buys_nothing_stays_empty(associator):
    (found,) = match(associator, Step("s1", "cook a warm meal at a campsite", buys=False))
    assert found.matches == ()


def test_a_need_that_no_product_may_meet_says_why(associator):
    step = Step("s1", "spread a snack", ("peanut butter",))
    (found,) = match(associator, step, constraints=Constraints(allergens=("peanut",)))
    assert found.matches == ()
    assert "peanut butter" in found.note
    assert "peanut" in found.note.split(":")[1]


def test_a_second_step_with_the_same_need_points_back(associator):
    steps = Step("s1", "light the tent", ("camping lantern",)), Step("s2", "read to the children", ("camping lantern",))
    first, second = match(associator, *steps)
    assert len(first.matches) == 1
    assert second.matches == ()
    assert "step 1" in second.note


def test_match_step_gives_one_of_each_kind_first(associator):
    found = associator.match_step("Take the family on a first camping weekend", "cook a warm meal at a campsite", count=5)
    assert found[0].product.kind == "camp stove"
    assert len({m.product.kind for m in found[:3]}) == 3
    assert len(found) == 5


def test_for_more_people_the_larger_one_is_chosen(tiny_parts):
    _, index, encoder, _ = tiny_parts
    query = encoder.encode(["sleep dry on a camping weekend"])[0]

    def chosen(people):
        option = ProductChooser(index, "camping", Constraints(people=people)).options("family tent", query)[0]
        return index.products[option.row].attributes["capacity_people"]

    assert chosen(4) == 4


def test_the_words_of_the_goal_prefer_the_variant_that_carries_them(tiny_parts):
    _, index, encoder, _ = tiny_parts
    query = encoder.encode(["cook a warm meal at a campsite"])[0]
    for word, title in (("pocket", "Kettlewick Pocket Stove"), ("two burner gas", "Brandle Two-Burner Gas Stove")):
        option = ProductChooser(index, f"a {word} stove for the trip", Constraints()).options("camp stove", query)[0]
        assert index.products[option.row].title == title


options = st.lists(st.builds(Option, st.integers(0, 99), st.floats(0, 1), st.floats(0, 120)), max_size=4)


@given(st.lists(st.tuples(options, st.floats(0.01, 1)), max_size=6), st.floats(1, 300))
def test_a_fitted_basket_never_exceeds_the_budget(groups, budget):
    chosen = fit_budget([g for g, _ in groups], [w for _, w in groups], budget)
    assert len(chosen) == len(groups)
    assert sum(o.price_usd for o in chosen if o) <= budget + 1e-6
    assert all(o is None or o in g for o, (g, _) in zip(chosen, groups, strict=True))


def test_the_more_important_need_is_met_first():
    dear, cheap = Option(0, 0.5, 30.0), Option(1, 0.5, 30.0)
    assert fit_budget([[dear], [cheap]], [0.2, 0.9], 40.0) == [None, cheap]


def test_a_cheaper_variant_makes_room_for_another_need():
    fine, plain, other = Option(0, 0.9, 38.0), Option(1, 0.8, 20.0), Option(2, 0.5, 18.0)
    assert fit_budget([[fine, plain], [other]], [1.0, 1.0], 40.0) == [plain, other]
