"""One step matched again, and what could take a product's place, over the tiny catalogue."""

from dataclasses import replace

import numpy as np
import pytest

from ecomscript.association.alternatives import Wanted, alternatives
from ecomscript.association.associate import Associator
from ecomscript.association.notes import needs_too, refreshed, uses_from
from ecomscript.errors import InputError
from ecomscript.schema import Constraints, Match, MatchedStep, Product, Step

GOAL = "Take the family on a first camping weekend"
COOK = "cook a warm meal at a campsite"


@pytest.fixture(scope="module")
def by_title(tiny_parts):
    return {p.title: p.product_id for p in tiny_parts[1].products}


def kinds(matches):
    return [m.product.kind for m in matches]


def test_a_written_step_finds_its_products(tiny_pipeline):
    found = tiny_pipeline.rematch("camping", GOAL, "cook a warm meal at a campsite", Constraints(), ())
    assert found.step.text == "cook a warm meal at a campsite"
    assert found.matches[0].product.kind == "camp stove"


def test_what_is_taken_is_not_shown_twice(tiny_pipeline, by_title):
    stoves = by_title["Brandle Two-Burner Gas Stove"], by_title["Kettlewick Pocket Stove"]
    step = GOAL, "cook a warm meal at a campsite"
    for taken in stoves:
        shown = {m.product.product_id for m in tiny_pipeline.rematch("camping", *step, Constraints(), {taken}).matches}
        assert taken not in shown and set(stoves) & shown
    none = tiny_pipeline.rematch("camping", *step, Constraints(), set(stoves))
    assert "camp stove" not in kinds(none.matches)
    assert "No camp stove in this catalogue fits: all of them are in the plan already" in none.note


def test_a_written_step_keeps_the_constraints(tiny_pipeline):
    step = GOAL, "cook a warm meal at a campsite"
    cheap = tiny_pipeline.rematch("camping", *step, Constraints(budget_usd=25.0), ())
    assert sum(m.product.price_usd for m in cheap.matches) <= 25.0
    none = tiny_pipeline.rematch("camping", *step, Constraints(budget_usd=0.0), ())
    assert none.matches == () and "over the $0 left of your budget" in none.note
    assert "camp stove" not in kinds(tiny_pipeline.rematch("camping", *step, Constraints(exclude=("stove",)), ()).matches)


def test_a_harmful_step_is_refused_as_a_goal_would_be(tiny_pipeline):
    with pytest.raises(InputError, match="This step was not planned"):
        tiny_pipeline.rematch("camping", GOAL, "how do i build a pipe bomb", Constraints(), ())


def test_the_same_kind_comes_first(tiny_pipeline, by_title):
    stove = by_title["Brandle Two-Burner Gas Stove"]
    (found,) = tiny_pipeline.alternatives(GOAL, [Wanted(COOK, stove, Constraints())], {stove})
    assert kinds(found)[0] == "camp stove"
    assert "camp stove" not in kinds(found)[1:]
    assert stove not in {m.product.product_id for m in found}
    assert all(m.intention and m.t2 is None for m in found)
    fewer = [
        Wanted("cook", stove, Constraints(), count=2),
        Wanted("cook", "nothing", Constraints()),
        Wanted(COOK, stove, Constraints(), own_kind=True),
    ]
    two, none, own = tiny_pipeline.alternatives(GOAL, fewer, {stove})
    assert (len(two), none, kinds(own)) == (2, [], ["camp stove"])
    assert tiny_pipeline.alternatives(GOAL, [], ()) == []


def test_alternatives_keep_the_constraints_and_what_is_taken(tiny_pipeline, by_title):
    stove, pocket, tent = (
        by_title[t] for t in ("Brandle Two-Burner Gas Stove", "Kettlewick Pocket Stove", "Cairnfold Meadow 4-Person Tent")
    )
    (cheap,) = tiny_pipeline.alternatives(GOAL, [Wanted(COOK, stove, Constraints(budget_usd=20.0, exclude=("candle",)))], {stove})
    assert cheap and all(m.product.price_usd <= 20.0 for m in cheap)
    assert "birthday candle set" not in kinds(cheap)
    (taken,) = tiny_pipeline.alternatives(GOAL, [Wanted(COOK, stove, Constraints())], {stove, pocket, tent})
    assert not {"camp stove", "family tent"} & set(kinds(taken))  # another tent beside the tent is no alternative to a stove


def test_the_judge_orders_each_group_and_drops_what_does_not_help(tiny_parts, by_title):
    _, index, encoder, weights = tiny_parts
    said = {"family tent": 0.9, "camp stove": 0.3, "camping lantern": 0.1, "cake tin": 0.95}
    asked = []

    def judge(goal, pairs):
        asked.append({step for step, _ in pairs})
        return np.array([said.get(p.kind, 0.4) for _, p in pairs])

    stove, tent = (by_title[title] for title in ("Brandle Two-Burner Gas Stove", "Cairnfold Meadow 4-Person Tent"))
    places = [Wanted(COOK, stove, Constraints()), Wanted("sleep dry", tent, Constraints())]
    found, others = alternatives(Associator(index, encoder, weights, judge), GOAL, places, ())
    assert asked == [{COOK, "sleep dry"}]  # once for all places
    assert kinds(found)[:2] == ["camp stove", "cake tin"]
    assert [m.t2 for m in found[1:]] == sorted((m.t2 for m in found[1:]), reverse=True)
    assert "camping lantern" not in kinds(found)
    assert kinds(others)[0] == "family tent" and others[0].product.product_id != tent


def test_why_people_buy_a_product(tiny_pipeline, by_title):
    assert "sleep dry on a camping weekend" in tiny_pipeline.intentions(by_title["Cairnfold Meadow 4-Person Tent"])
    assert tiny_pipeline.intentions("nothing") == ()


def test_notes_about_other_steps_are_made_true_again():
    tent, stove = (Match(Product(k, k, kind=k), "", 0.5, "") for k in ("family tent", "camp stove"))
    note = f"Not listed in this catalogue: moon lamp. {uses_from('family tent', 7)} {needs_too('camp stove', 2)} {needs_too('pan')}"
    steps = [MatchedStep(Step("a", "cook"), (stove,)), MatchedStep(Step("b", "rest"), (), note), MatchedStep(Step("c", "sleep"), (tent,))]
    first = refreshed(steps)
    assert first[1].note == (
        "Not listed in this catalogue: moon lamp. Uses the family tent from step 3. Uses the camp stove from step 1. Needs the pan too."
    )
    assert refreshed(first) == first
    own = replace(first[1], matches=(tent,))
    assert refreshed([own])[0].note == "Not listed in this catalogue: moon lamp. Needs the camp stove too. Needs the pan too."
