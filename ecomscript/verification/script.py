"""T1: is this script plausible for this objective? Parts: the whole, its steps one by one, their order, and the tables of flaws."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ecomscript.schema import Verdict
from ecomscript.verification.claims import ScriptClaim
from ecomscript.verification.combine import Combiner
from ecomscript.verification.flaws.rules import Flaw, flaws
from ecomscript.verification.lora import Base
from ecomscript.verification.order import Encode, OrderModel
from ecomscript.verification.pooled import Model, open_model

PARTS = ("whole", "steps", "order", "rules")
"""Names of the parts."""


@dataclass(frozen=True, slots=True)
class ScriptParts:
    """What the parts say of n scripts.

    Attributes:
        table: The parts by name, each (n,); more speaks for the script.
        flaws: For each script (steps,) log-odds that a step is flawed.
        orders: For each script (steps, steps), see ``OrderModel.log_odds``.
        named: For each script what the tables find wrong with it.
        signals: (n,) "step", the log-odds of the likeliest flawed step, "order", those of the pair that is likeliest turned round, and
            "rules", how many rows of the tables speak.
    """

    table: dict[str, npt.NDArray[np.float64]]
    flaws: list[npt.NDArray[np.float32]]
    orders: list[npt.NDArray[np.float32]]
    named: list[tuple[Flaw, ...]]
    signals: dict[str, npt.NDArray[np.float64]]


class ScriptVerifier:
    """The T1 models and the combiner over them.

    Args:
        model: The merged adapter, or several as one.
        order: The order of two steps.
        encode: The sentence encoder that ``order`` was learnt with.
        combiner: Over the parts of ``parts``.
    """

    def __init__(self, model: Model, order: OrderModel, encode: Encode, combiner: Combiner) -> None:
        self.model, self.order, self.encode, self.combiner = model, order, encode, combiner

    @classmethod
    def load(cls, folders: Sequence[Path], encode: Encode, base: Base | None = None) -> ScriptVerifier:
        """Read the adapters of ``folders`` as one (``suite.adapters_of``), the combiner in the first, and the order model in the last.

        Raises:
            ModelError: A file is missing, damaged or for another base.
        """
        return cls(open_model(folders, "t1", base), OrderModel.load(folders[-1]), encode, Combiner.load(folders[0], PARTS))

    def parts(self, claims: Sequence[ScriptClaim]) -> ScriptParts:
        """Return what each part says of the scripts."""
        scored = self.model.score([claim.segments() for claim in claims])
        steps = [segments[1:] for segments in scored.segments]
        orders = [self.order.log_odds(claim, self.encode) for claim in claims]
        named = [flaws(claim.objective, claim.steps) for claim in claims]
        table = {
            "whole": scored.whole.astype(np.float64),
            "steps": np.array([-np.logaddexp.reduce(each) for each in steps], np.float64),
            "order": np.array([_order_part(order) for order in orders], np.float64),
            "rules": np.array([-np.log1p(len(found)) for found in named], np.float64),
        }
        signals = {
            "step": np.array([each.max() for each in steps], np.float64),
            "order": np.array([-order.min() for order in orders], np.float64),  # the diagonal is 0: nothing turned
            "rules": np.array([len(found) for found in named], np.float64),
        }
        return ScriptParts(table, steps, orders, named, signals)

    def verdicts(self, claims: Sequence[ScriptClaim]) -> list[Verdict]:
        """Return P(plausible) with the weakest spot of each script."""
        parts = self.parts(claims)
        scores = self.combiner.probability(parts.table)
        turned = self.combiner.speaks("order", parts.signals["order"])
        flawed = self.combiner.speaks("step", parts.signals["step"])
        known = self.combiner.speaks("rules", parts.signals["rules"])
        return [
            Verdict(
                float(score),
                *_reason(
                    parts.named[n] if known[n] else (),
                    parts.flaws[n] if flawed[n] else None,
                    parts.orders[n] if turned[n] else None,
                ),
            )
            for n, score in enumerate(scores)
        ]


def _order_part(log_odds: npt.NDArray[np.float32]) -> float:
    """Return the mean log-probability of the order as it is; 0 for a single step."""
    above = log_odds[np.triu_indices(len(log_odds), 1)]
    return float(-np.logaddexp(0, -above).mean()) if len(above) else 0.0


def _reason(
    named: Sequence[Flaw], flaws: npt.NDArray[np.float32] | None, order: npt.NDArray[np.float32] | None
) -> tuple[str, tuple[int, ...]]:
    """Return the reason and the steps that it is about: what most rows agree on, two steps turned round, or one that stands out.

    None, or no row, speaks of nothing.
    """
    if named:
        most = Counter(flaw.steps for flaw in named).most_common(1)[0][0]
        return next((flaw.reason, flaw.steps) for flaw in named if flaw.steps == most)
    if order is not None and len(order) > 1:
        above = np.where(np.triu(np.ones(order.shape, bool), 1), order, np.inf)
        first, second = np.unravel_index(int(above.argmin()), above.shape)
        return f"Step {second + 1} usually comes before step {first + 1}.", (int(first), int(second))
    if flaws is not None:
        return f"Step {int(flaws.argmax()) + 1} is the one that looks out of place.", (int(flaws.argmax()),)
    return "", ()
