"""From steps to products: ranking kinds, choosing inside a kind, keeping a budget."""

from dataclasses import replace

import numpy as np
import pytest
from fakes import HashEncoder, kind, product, write_lines
from hypothesis import given
from hypothesis import strategies as st

from ecomscript.association.alternatives import Wanted, alternatives
from ecomscript.association.associate import Associator
from ecomscript.association.choose import BEST, Option, ProductChooser, fit_budget, shortened
from ecomscript.association.eligibility import Eligibility
from ecomscript.association.index import IntentionIndex
from ecomscript.schema import Constraints, Script, Step
from index_build.build import build


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


def test_a_variant_that_does_not_go_with_the_goal_is_shown_only_where_no_other_can_be(tiny_parts):
    _, index, encoder, weights = tiny_parts
    step = Step("s1", "sleep dry", ("family tent",))
    tents = {index.products[row].product_id for row in index.products_of_kind["family tent"]}
    assert len(tents) > 1
    (usual,) = match(Associator(index, encoder, weights), step)[0].matches
    barred = {usual.product.product_id}

    def shown():
        return match(Associator(index, encoder, weights, unfit=lambda goal, text, product: product.product_id in barred), step)[0].matches

    assert {m.product.product_id for m in shown()} <= tents - barred
    barred |= tents
    assert [m.product.product_id for m in shown()] == [usual.product.product_id]


def test_a_kind_is_shown_while_one_product_of_it_passes(associator):
    def shows(kind, **constraints):
        return associator.shows(kind, Eligibility(Constraints(**constraints)))

    assert shows("family tent")
    assert not shows("family tent", owned=("tent",))
    assert not shows("peanut butter", allergens=("peanut",))
    assert not shows("family tent", budget_usd=1.0)
    assert shows("moon lamp", budget_usd=1.0)


def test_a_step_that_buys_nothing_stays_empty(associator):
    (found,) = match(associator, Step("s1", "cook a warm meal at a campsite", buys=False))
    assert found.matches == ()


def test_a_need_that_no_product_may_meet_says_why(associator):
    step = Step("s1", "spread a snack", ("peanut butter",))
    (found,) = match(associator, step, constraints=Constraints(allergens=("peanut",)))
    assert found.matches == ()
    assert "peanut butter" in found.note
    assert "peanut" in found.note.split(":")[1]


def test_a_step_that_names_what_was_ruled_out_gets_no_products(associator):
    steps = (
        Step("s1", "Spread peanut butter and light the lantern", ("peanut butter", "camping lantern")),
        Step("s2", "Boil water", ("camp stove",)),
    )
    against, fine = match(associator, *steps, constraints=Constraints(allergens=("peanut",)))
    assert against.matches == ()
    assert "goes against" in against.note
    assert fine.matches


def test_what_a_later_step_needs_too_is_shown_there_when_the_first_goes_against_the_goal(associator):
    steps = (
        Step("s1", "Spread peanut butter by the lantern", ("peanut butter", "camping lantern")),
        Step("s2", "Light the tent", ("camping lantern",)),
    )
    against, later = match(associator, *steps, constraints=Constraints(allergens=("peanut",)))
    assert against.matches == ()
    assert [m.product.kind for m in later.matches] == ["camping lantern"]
    assert later.note == ""


@pytest.mark.parametrize(
    ("goal", "constraints", "wanted", "other"),
    [
        ("a stove for low noise", Constraints(), "Low Stove", "High Stove"),
        ("a stove", Constraints(season="winter"), "Plain Stove", "Summer Stove"),
        ("a stove", Constraints(quiet=True), "Silent Stove", "Plain Stove"),
        ("a stove for an old man", Constraints(), "Senior Stove", "Plain Stove"),
        ("a stove", Constraints(small_space=True), "Folding Stove", "Plain Stove"),
    ],
)
def test_a_variant_for_the_opposite_stands_back(tmp_path, goal, constraints, wanted, other):
    rows = [kind("camp stove", "🔥", ["cook a warm meal"], [product(title, "B", 20.0) for title in (other, wanted)])]
    encoder = HashEncoder()
    build(write_lines(tmp_path / "one.jsonl", rows), tmp_path / "index", encoder, quiet=True)
    index = IntentionIndex.load(tmp_path / "index", encoder.name)
    query = encoder.encode(["cook"])[0]
    best = ProductChooser(index, goal, query, constraints).options("camp stove", query)[0]
    assert index.products[best.row].title == wanted


def test_what_is_taken_still_tells_the_products_of_a_kind_apart(tmp_path, tiny_parts):
    titles = ("Plain Curtain Rod", "Rod with Screws, for Drilling", "No-Drill Tension Rod", "No-Drill Spring Rod")
    rows = [kind("curtain rod", "🪟", ["hang a curtain"], [product(title, "B", 20.0) for title in titles])]
    encoder = HashEncoder()
    build(write_lines(tmp_path / "one.jsonl", rows), tmp_path / "index", encoder, quiet=True)
    index = IntentionIndex.load(tmp_path / "index", encoder.name)
    associator, id_of = Associator(index, encoder, tiny_parts[3]), {p.title: p.product_id for p in index.products}
    rules, step = Constraints(exclude=("drilling",)), Step("s1", "hang a curtain", ("curtain rod",))

    def shown(*taken):
        matched = associator.match_one(step, "curtains", "curtains", rules, [id_of[title] for title in taken])
        return [m.product.title for m in matched.matches]

    assert set(shown()) <= set(titles[2:])
    assert shown(titles[2]) == [titles[3]] and shown(*titles[2:]) == []  # a plain one, of which nothing is said, is none
    place = Wanted(step.text, id_of[titles[2]], rules)
    (found,) = alternatives(associator, "curtains", [place], {id_of[titles[2]]})
    assert [m.product.title for m in found] == [titles[3]]


def test_a_second_step_with_the_same_need_points_back(associator):
    steps = Step("s1", "light the tent", ("camping lantern",)), Step("s2", "read to the children", ("camping lantern",))
    first, second = match(associator, *steps)
    assert len(first.matches) == 1
    assert second.matches == ()
    assert "step 1" in second.note


def test_a_later_step_does_not_claim_what_was_left_out(associator):
    steps = Step("s1", "sleep dry", ("family tent", "camping lantern")), Step("s2", "read in the tent", ("family tent", "camp stove"))
    first, second = match(associator, *steps, constraints=Constraints(budget_usd=60.0))
    assert "family tent" not in {m.product.kind for m in first.matches}
    assert "Uses the family tent" not in second.note
    assert "Needs the family tent too: see step 1." in second.note


def test_what_the_catalogue_does_not_list_is_named(associator):
    (found,) = match(associator, Step("s1", "light the tent", ("camping lantern", "moon lamp")))
    assert [m.product.kind for m in found.matches] == ["camping lantern"]
    assert found.note == "Not listed in this catalogue: moon lamp."


def test_needs_of_another_catalogue_leave_the_step_to_the_ranker(associator):
    (found,) = match(associator, Step("s1", "cook a warm meal at a campsite", ("gas cooker",), buys=True))
    assert found.matches[0].product.kind == "camp stove"
    assert found.note == ""


def test_a_step_with_nothing_suitable_says_so(tiny_parts):
    _, index, encoder, weights = tiny_parts
    never = Associator(index, encoder, replace(weights, rank_coef=np.array([0, 0, 0, 0, -9], np.float32)))
    named, unnamed = match(never, Step("s1", "polish", ("zebra",), buys=True), Step("s2", "polish more"))
    assert named.matches == unnamed.matches == ()
    assert named.note == "Nothing suitable in this catalogue for: zebra."
    assert unnamed.note == "Nothing suitable in this catalogue."


def test_what_is_owned_is_said_even_where_the_catalogue_lacks_it(associator):
    (found,) = match(associator, Step("s1", "pitch", ("dome tent",), buys=True), constraints=Constraints(owned=("tent",)))
    assert found.matches == ()
    assert found.note == "You already have the dome tent."


def test_a_budget_that_the_best_products_just_use_up_is_kept(associator):
    steps = Step("s1", "bake", ("cake tin",)), Step("s2", "eat", ("peanut butter",))
    found = match(associator, *steps, constraints=Constraints(budget_usd=19.2))
    assert [len(step.matches) for step in found] == [1, 1]


@pytest.mark.parametrize("name", ["walking pole", "étagère", "杖"])
def test_a_catalogue_of_one_kind_without_prices_and_ratings(tmp_path, tiny_parts, name):
    bare = {"title": "Grip", "intentions": []}
    row = kind(name, "🥾", ["walk a steep path"], [bare, {**bare, "title": "Grip Two", "price": 12.0}, product("Grip Three", "B", None)])
    encoder = HashEncoder()
    build(write_lines(tmp_path / "one.jsonl", [row]), tmp_path / "index", encoder, quiet=True)
    one = Associator(IntentionIndex.load(tmp_path / "index", encoder.name), encoder, tiny_parts[3])
    (found,) = match(one, Step("s1", "walk a steep path", (name,)), constraints=Constraints(budget_usd=12.0))
    (shown,) = found.matches
    unknown = shown.product.price_usd is None
    assert ("its price is unknown" in found.note) is unknown
    assert len(one.match_step("hike", "walk a steep path")) == 3


def test_without_a_budget_a_missing_price_needs_no_note(tmp_path, tiny_parts):
    encoder = HashEncoder()
    row = kind("walking pole", "🥾", ["walk a steep path"], [{"title": "Grip"}])
    build(write_lines(tmp_path / "one.jsonl", [row]), tmp_path / "index", encoder, quiet=True)
    one = Associator(IntentionIndex.load(tmp_path / "index", encoder.name), encoder, tiny_parts[3])
    (found,) = match(one, Step("s1", "walk", ("walking pole",)))
    assert found.note == ""
    (found,) = match(one, Step("s1", "walk", ("walking pole",)), constraints=Constraints(budget_usd=5.0))
    assert found.note == "The budget does not count Grip: its price is unknown."


def test_a_script_without_steps_matches_nothing(associator):
    assert match(associator) == []


def test_match_step_gives_one_of_each_kind_first(associator):
    found = associator.match_step("Take the family on a first camping weekend", "cook a warm meal at a campsite", count=5)
    assert found[0].product.kind == "camp stove"
    assert len({m.product.kind for m in found[:3]}) == 3
    assert len(found) == 5


def test_for_more_people_the_larger_one_is_chosen(tiny_parts):
    _, index, encoder, _ = tiny_parts
    query = encoder.encode(["sleep dry on a camping weekend"])[0]

    option = ProductChooser(index, "camping", query, Constraints(people=4)).options("family tent", query)[0]
    assert index.products[option.row].attributes["capacity_people"] == 4


def test_the_words_of_the_goal_prefer_the_variant_that_carries_them(tiny_parts):
    _, index, encoder, _ = tiny_parts
    query = encoder.encode(["cook a warm meal at a campsite"])[0]
    for word, title in (("pocket", "Kettlewick Pocket Stove"), ("two burner gas", "Brandle Two-Burner Gas Stove")):
        option = ProductChooser(index, f"a {word} stove for the trip", query, Constraints()).options("camp stove", query)[0]
        assert index.products[option.row].title == title


options = st.lists(st.builds(Option, st.integers(0, 99), st.floats(0, 1), st.floats(0, 120)), max_size=4)


@given(st.lists(st.tuples(options, st.floats(0.01, 1)), max_size=6), st.floats(1, 300))
def test_a_fitted_basket_never_exceeds_the_budget(groups, budget):
    chosen = fit_budget([g for g, _ in groups], [w for _, w in groups], budget)
    assert len(chosen) == len(groups)
    assert sum(o.cost_usd for o in chosen if o) <= budget + 1e-6
    assert all(o is None or o in g for o, (g, _) in zip(chosen, groups, strict=True))


def test_the_more_important_need_is_met_first():
    dear, cheap = Option(0, 0.5, 30.0), Option(1, 0.5, 30.0)
    assert fit_budget([[dear], [cheap]], [0.2, 0.9], 40.0) == [None, cheap]


def test_a_budget_of_nothing_leaves_what_costs_nothing():
    free, dear = Option(0, 0.5, 0.0), Option(1, 0.9, 5.0)
    assert fit_budget([[dear, free], [dear], []], [1.0, 1.0, 1.0], 0.004) == [free, None, None]
    assert fit_budget([], [], 10.0) == []


def test_a_cheaper_variant_makes_room_for_another_need():
    fine, plain, other = Option(0, 0.9, 38.0), Option(1, 0.8, 20.0), Option(2, 0.5, 18.0)
    assert fit_budget([[fine, plain], [other]], [1.0, 1.0], 40.0) == [plain, other]


def test_of_many_options_the_best_and_the_cheapest_go_on():
    options = [Option(n, 1.0 - n / 100, float(50 - n)) for n in range(40)]
    kept = shortened(options)
    assert [o.row for o in kept] == [*range(BEST), 36, 37, 38, 39]
    assert shortened(options[:5]) == options[:5]


def test_of_a_very_large_kind_the_nearest_are_scored(tiny_parts, monkeypatch):
    _, index, encoder, _ = tiny_parts
    monkeypatch.setattr("ecomscript.association.choose.SHORTLIST", 1)
    query = encoder.encode(["camp as a couple on a small budget"])[0]
    (option,) = ProductChooser(index, "camp", query, Constraints()).options("family tent", query)
    assert index.products[option.row].brand == "Tarnhollow"
