"""Script and products in a single call: a language model writes the steps and picks among products that were retrieved for the goal.

The first of the paper's open questions; ``--task one-pass`` holds it against the three stages of the pipeline.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace

from ecomscript.asked import explicit_fields, requested_constraints
from ecomscript.association.associate import Associator
from ecomscript.association.choose import ProductChooser
from ecomscript.association.eligibility import Eligibility
from ecomscript.llm.chat import ChatModel
from ecomscript.planning.constraints import clean_goal
from ecomscript.planning.draft import Checks
from ecomscript.planning.ground import MOST_CHARS, Ground
from ecomscript.planning.llm import Brief, LlmPlanner
from ecomscript.review import Reviewer
from ecomscript.schema import NO_USAGE, Constraints, MatchedStep, Plan, PlanRequest, Product, Step

OFFERED = 24
"""Products in one question, each of another kind: some 25 tokens each."""
LOOKED_AT = 2 * OFFERED
"""Kinds that are looked at for them; of some no product keeps the constraints."""
OVER_BUDGET = "Left out to stay within the budget: {titles}."


@dataclass(frozen=True, slots=True)
class Offer:
    """What may be picked.

    Attributes:
        products: Product by handle ("c1" …), the likeliest first, one of a kind.
    """

    products: Mapping[str, Product]

    def find(self, called: str, step: str, goal: str) -> str | None:  # noqa: ARG002
        """Return the id of the product that a handle stands for; None for everything that was not offered."""
        product = self.products.get(called.strip().lower())
        return None if product is None else product.product_id

    def shown(self) -> dict[str, str]:
        """Return what the model sees of each."""
        return {handle: f"{product.title[:MOST_CHARS]}{_price(product)}" for handle, product in self.products.items()}


class OnePass:
    """Plans with one call to a language model.

    Args:
        model: The model.
        associator: Retrieves the products.
        reviewer: Its verifiers judge the plan.
        checks: What every step is held against; the products are found by their handles.
        timeout_s: Most seconds for the call.
    """

    def __init__(self, model: ChatModel, associator: Associator, reviewer: Reviewer, checks: Checks, timeout_s: float = 60.0) -> None:
        self._model, self._associator, self._reviewer = model, associator, reviewer
        self._checks, self._timeout_s = checks, timeout_s

    def plan(self, request: PlanRequest) -> Plan:
        """Return the plan; the goal has passed the gate.

        Raises:
            LanguageModelError: The model could not be asked, or what it wrote cannot be used: there is no second call.
        """
        began = time.perf_counter()
        constraints = requested_constraints(request)
        core = clean_goal(request.goal, constraints)
        eligibility = Eligibility(constraints)
        offer = self.offer(request.goal, core, constraints, eligibility)
        planner = LlmPlanner(self._model, replace(self._checks, find=offer.find), 1, self._timeout_s, "one_pass.yaml", repairs=0)
        said = {**explicit_fields(request), "products": offer.shown()}
        writing = planner.write(Brief(request.goal, Ground((), ()), said), lambda _: None)
        usage = NO_USAGE
        while True:
            try:
                usage = next(writing).usage
            except StopIteration as end:
                written: tuple[Step, ...] = end.value
                break
        steps = self._picked(written, core, constraints.budget_usd)
        bundle, conflicts = self._reviewer.bundle(request.goal, steps, eligibility)
        return Plan(
            request.goal,
            "plan",
            constraints,
            "one-pass",
            "written",
            core,
            tuple(steps),
            self._reviewer.script(request.goal, steps),
            bundle,
            conflicts,
            timings_s={"total": time.perf_counter() - began},
            usage=usage,
        )

    def offer(self, goal: str, core: str, constraints: Constraints, eligibility: Eligibility) -> Offer:
        """Return the best product that keeps the constraints of each of the likeliest kinds."""
        index, ranker = self._associator.index, self._associator.ranker
        query = ranker.encode(core)
        chooser = ProductChooser(index, goal, ranker.encode(goal), constraints)
        found: list[Product] = []
        for kind in ranker.rank(query, core, LOOKED_AT):
            if eligibility.kind_excluded(kind.name) is None and len(found) < OFFERED:
                products = (index.products[option.row] for option in chooser.options(kind.name, query))
                found += [product for product in products if eligibility.violation(product) is None][:1]
        return Offer({f"c{n}": product for n, product in enumerate(found, 1)})

    def _picked(self, written: tuple[Step, ...], objective: str, budget_usd: float | None) -> list[MatchedStep]:
        """Return the steps with the products that were picked, each once and only as far as the budget goes."""
        index = self._associator.index
        taken: set[str] = set()
        left = budget_usd
        steps = []
        for step in written:
            matches, too_dear = [], []
            for product_id in (id_ for id_ in step.needs if id_ not in taken):
                product = index.products[index.row_of[product_id]]
                if left is not None and (product.price_usd or 0.0) > left:
                    too_dear.append(product.title)
                    continue
                taken.add(product_id)
                left = None if left is None else round(left - (product.price_usd or 0.0), 2)
                matches.append(self._associator.place(objective, step.text, index.row_of[product_id]))
            note = OVER_BUDGET.format(titles=", ".join(too_dear)) if too_dear else ""
            steps.append(MatchedStep(replace(step, needs=()), tuple(matches), note))
        return steps


def _price(product: Product) -> str:
    return "" if product.price_usd is None else f" (${product.price_usd:,.2f})"
