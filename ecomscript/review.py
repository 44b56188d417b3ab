"""The verifiers laid over a plan: products judged while they are chosen, then the script, then the whole bundle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from ecomscript.association.associate import JUDGE_DROPS, Judge
from ecomscript.association.eligibility import Eligibility
from ecomscript.association.index import IntentionIndex
from ecomscript.schema import Conflict, Grounds, MatchedStep, Product, Verdict
from ecomscript.verification.claims import BundleClaim, ProductClaim, ScriptClaim
from ecomscript.verification.compatibility import Clash, Placed, clashes, unfit
from ecomscript.verification.suite import Verifiers

REMEMBERED = 256
"""Verdicts on scripts that are kept, the last ones asked for."""


class Reviewer:
    """What the verifiers say of plans.

    Args:
        verifiers: The three models, each of which may be missing.
        index: For the products that could take the place of one in a conflict.
    """

    def __init__(self, verifiers: Verifiers, index: IntentionIndex) -> None:
        self.verifiers, self._index = verifiers, index
        self._choice = verifiers.choice or verifiers.t2
        # The same script gets the same verdict, so that keeping a product, or going back and forth, asks no model again.
        self._script_verdict = lru_cache(REMEMBERED)(self._ask_script)

    @property
    def judge(self) -> Judge | None:
        """T2 as a judge of candidate products; None when its model cannot be used."""
        return None if self._choice is None else self._judge

    def _judge(self, goal: str, placed: Sequence[tuple[str, Product]]) -> npt.NDArray[np.float64]:
        assert self._choice is not None
        return self._choice.scores([ProductClaim.of(goal, step, product) for step, product in placed])

    def unfit(self, goal: str, step: str, product: Product) -> bool:
        """Return whether an attribute rule says that a product does not go with the goal."""
        return unfit(goal, _placed(step, product))

    def fit(self, grounds: Grounds | None) -> float | None:
        """Return the probability that a reader would find a plan made for the goal; None where nothing is known of how it was chosen."""
        if grounds is None or self.verifiers.grounds is None:
            return None
        return float(self.verifiers.grounds.probability({name: [value] for name, value in asdict(grounds).items()})[0])

    def script(self, goal: str, steps: Sequence[MatchedStep]) -> Verdict | None:
        """Return T1's verdict on the steps for the goal as typed; None when the model cannot be used."""
        if self.verifiers.t1 is None or not steps:
            return None
        return self._script_verdict(ScriptClaim.of(goal, steps))

    def bundle(self, goal: str, steps: Sequence[MatchedStep], eligibility: Eligibility) -> tuple[Verdict | None, tuple[Conflict, ...]]:
        """Return T3's verdict on all products together, and every conflict that the attribute rules name.

        Which products its model suspects is left out: a plan holds many more pairs than the claims on which that was precise, few of
        which clash.

        Args:
            goal: The goal as typed.
            steps: The plan.
            eligibility: What a product that takes another's place must keep.
        """
        placed = [_placed(matched.step.text, m.product, eligibility.quantity(m.product)) for matched in steps for m in matched.matches]
        products = [m.product for matched in steps for m in matched.matches]
        found = clashes(goal, placed)
        conflicts = tuple(self._conflict(goal, clash, placed, products, eligibility) for clash in found)
        if self.verifiers.t3 is None or not placed:
            return None, conflicts
        score = self.verifiers.t3.verdicts([BundleClaim.of(goal, steps)], [found])[0].score
        return Verdict(score, *((found[0].reason, found[0].places) if found else ())), conflicts

    def _conflict(
        self, goal: str, clash: Clash, placed: Sequence[Placed], products: Sequence[Product], eligibility: Eligibility
    ) -> Conflict:
        """Name both sides, and the best product of the same kind that ends the clash without bringing another."""
        other = goal if clash.second is None else placed[clash.second].title
        for culprit in (clash.first,) if clash.second is None else (clash.second, clash.first):
            for candidate in self._replacements(goal, placed[culprit].step, culprit, products, eligibility):
                swapped = [*placed]
                swapped[culprit] = _placed(placed[culprit].step, candidate, eligibility.quantity(candidate))
                if not any(culprit in c.places for c in clashes(goal, swapped)):
                    old = products[culprit].product_id
                    return Conflict(placed[clash.first].title, other, clash.reason, old, candidate.product_id)
        return Conflict(placed[clash.first].title, other, clash.reason)

    def _ask_script(self, claim: ScriptClaim) -> Verdict:
        assert self.verifiers.t1 is not None
        return self.verifiers.t1.verdicts([claim])[0]

    def _replacements(self, goal: str, step: str, culprit: int, products: Sequence[Product], eligibility: Eligibility) -> list[Product]:
        """Return the other products of the culprit's kind that keep the constraints and the budget, the most helpful first."""
        old, taken = products[culprit], {product.product_id for product in products}
        budget = eligibility.budget_usd
        room = None if budget is None else round(budget - sum(map(eligibility.cost_usd, products)) + eligibility.cost_usd(old), 2)
        kin = [self._index.products[row] for row in self._index.products_of_kind.get(old.kind or "", [])]
        found = [
            product
            for product, reason in zip(kin, eligibility.violations(kin), strict=True)
            if reason is None and product.product_id not in taken and (room is None or eligibility.cost_usd(product) <= room)
        ]
        if not found or self.judge is None:
            return found
        said = self.judge(goal, [(step, product) for product in found])
        return [found[n] for n in np.argsort(-said, kind="stable") if said[n] >= JUDGE_DROPS]


def _placed(step: str, product: Product, quantity: int = 1) -> Placed:
    return Placed(step, product.title, " ".join(product.features), product.attributes, quantity)
