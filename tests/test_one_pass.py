"""Script and products in one call: only what was offered can be picked."""

import json

import pytest

from ecomscript.association.associate import Associator
from ecomscript.association.eligibility import Eligibility
from ecomscript.drafting import checks_of
from ecomscript.errors import LanguageModelError
from ecomscript.llm.chat import Delta, Reply
from ecomscript.one_pass import OnePass
from ecomscript.request import make_request
from ecomscript.review import Reviewer
from ecomscript.schema import Constraints, Usage
from ecomscript.verification.suite import NO_VERIFIERS

GOAL = "Take the family on a first camping weekend"
STEPS = ("Reserve a campsite by the lake", "Set up a dry tent to sleep in", "Cook a warm meal at the campsite")


class Chat:
    """Answers with what a function makes of the offered products; nothing is offered by another name than c1 …"""

    name = "listed"

    def __init__(self, pick):
        self.pick, self.asked = pick, []

    def cost_usd(self, prompt_tokens, completion_tokens):
        return 0.0

    def chat(self, messages, options):
        self.asked.append(messages)
        offered = json.loads(messages[1].content.partition("\n\n")[0])["products"]
        picks = self.pick(offered)
        if not isinstance(picks, str):
            picks = json.dumps({"steps": [{"text": text, "buys": buys} for text, buys in zip(STEPS, picks, strict=True)]})
        yield Delta(picks)
        yield Reply(Usage(1, 10, 5, 0.0))


@pytest.fixture
def make(tiny_parts):
    """Return a planner over the tiny catalogue and its model."""
    library, index, encoder, weights = tiny_parts

    def made(pick):
        associator = Associator(index, encoder, weights)
        chat = Chat(pick)
        return OnePass(chat, associator, Reviewer(NO_VERIFIERS, index), checks_of(library, encoder.encode, associator)), chat

    return made


def handle_of(offered, word):
    return next(handle for handle, title in offered.items() if word in title.lower())


def shown(plan):
    return [[match.product.kind for match in step.matches] for step in plan.steps]


def test_one_call_writes_the_steps_and_picks_products(make, tiny_parts):
    planner, chat = make(lambda offered: ([], [handle_of(offered, "tent")], [handle_of(offered, "stove").upper() + " "]))
    plan = planner.plan(make_request(GOAL))
    assert (plan.status, plan.planner, plan.confidence, plan.usage.calls, len(chat.asked)) == ("plan", "one-pass", "written", 1, 1)
    assert tuple(step.step.text for step in plan.steps) == STEPS
    assert shown(plan) == [[], ["family tent"], ["camp stove"]]
    index = tiny_parts[1]
    assert all(product == index.products[index.row_of[product.product_id]] for product in plan.products)
    assert plan.steps[1].matches[0].intention


def test_products_are_offered_by_handles_that_mean_nothing_elsewhere(make, tiny_parts):
    planner, chat = make(lambda _: ([], [], []))
    planner.plan(make_request(GOAL))
    user = chat.asked[0][1].content
    offered = json.loads(user.partition("\n\n")[0])["products"]
    assert list(offered) == [f"c{n}" for n in range(1, len(offered) + 1)]
    assert len(offered) >= 5
    assert not any(product_id in user for product_id in tiny_parts[1].row_of)


@pytest.mark.parametrize("named", ["c0", "c99", "C", "", "c1 c2", "family tent", "../c1", "$5", "c1'); --"])
def test_what_was_not_offered_is_not_accepted(make, named):
    plan = make(lambda _: ([named], [named], [named]))[0].plan(make_request(GOAL))
    assert shown(plan) == [[], [], []]


def test_ids_of_the_catalogue_are_not_accepted(make, tiny_parts):
    ids = list(tiny_parts[1].row_of)[:3]
    plan = make(lambda _: (ids[:1], ids[1:2], ids[2:]))[0].plan(make_request(GOAL))
    assert shown(plan) == [[], [], []]


def test_a_product_is_shown_once_and_at_most_three_in_a_step(make):
    plan = make(lambda _: (["c1", "c1", "c2", "c3", "c4"], ["c1", "c4"], []))[0].plan(make_request(GOAL))
    assert [len(step.matches) for step in plan.steps] == [2, 1, 0]


def pick_all(offered):
    return list(offered)[:3], list(offered)[3:6], []


def test_the_budget_is_kept_and_what_is_left_out_is_named(make):
    whole = make(pick_all)[0].plan(make_request(GOAL))
    dearest = max(product.price_usd for product in whole.products)
    plan = make(pick_all)[0].plan(make_request(GOAL, budget_usd=dearest))
    assert 0 < plan.total_usd <= dearest < whole.total_usd
    assert any("Left out to stay within the budget" in step.note for step in plan.steps)


def test_what_breaks_a_constraint_is_not_offered(make):
    planner, _ = make(lambda _: ([], [], []))
    constraints = Constraints(exclude=("tent",), owned=("lantern",))
    offer = planner.offer(GOAL, GOAL, constraints, Eligibility(constraints))
    kinds = {product.kind for product in offer.products.values()}
    assert "camp stove" in kinds
    assert not kinds & {"family tent", "camping lantern"}


def test_an_answer_that_cannot_be_used_is_not_asked_for_again(make):
    planner, chat = make(lambda _: "Here you are: a tent!")
    with pytest.raises(LanguageModelError, match="not the JSON"):
        planner.plan(make_request(GOAL))
    assert len(chat.asked) == 1
