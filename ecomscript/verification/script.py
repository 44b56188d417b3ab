"""T1: is this script plausible for this objective? Three parts speak: the whole, the likeliest flawed step, the order of the steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ecomscript.schema import Verdict
from ecomscript.verification.claims import ScriptClaim
from ecomscript.verification.combine import Combiner
from ecomscript.verification.lora import Base, SegmentModel, load_adapter
from ecomscript.verification.order import Encode, OrderModel

STANDS_OUT = 1.0
"""By how many log-odds the likeliest flawed step must lead the median step before it is named."""
TURNED = -2.0
"""Log-odds below which two steps are said to stand in the wrong order."""


@dataclass(frozen=True, slots=True)
class ScriptParts:
    """What the parts say of n scripts.

    Attributes:
        table: The parts by name, each (n,); more speaks for the script.
        flaws: For each script (steps,) log-odds that a step is flawed.
        orders: For each script (steps, steps), see ``OrderModel.log_odds``.
    """

    table: dict[str, npt.NDArray[np.float64]]
    flaws: list[npt.NDArray[np.float32]]
    orders: list[npt.NDArray[np.float32]]


class ScriptVerifier:
    """The T1 models and the combiner over them.

    Args:
        model: The merged adapter.
        order: The order of two steps.
        encode: The sentence encoder that ``order`` was learnt with.
        combiner: Over the parts of ``parts``.
    """

    def __init__(self, model: SegmentModel, order: OrderModel, encode: Encode, combiner: Combiner) -> None:
        self.model, self.order, self.encode, self.combiner = model, order, encode, combiner

    @classmethod
    def load(cls, folder: Path, encode: Encode, base: Base | None = None) -> ScriptVerifier:
        """Read adapter, order model and combiner.

        Raises:
            ModelError: A file is missing, damaged or for another base.
        """
        return cls(load_adapter(folder, "t1", base), OrderModel.load(folder), encode, Combiner.load(folder))

    def parts(self, claims: Sequence[ScriptClaim]) -> ScriptParts:
        """Return what each part says of the scripts."""
        found = self.model.score([claim.segments() for claim in claims])
        flaws = [segments[1:] for segments in found.segments]
        orders = [self.order.log_odds(claim, self.encode) for claim in claims]
        table = {
            "whole": found.whole.astype(np.float64),
            "worst step": np.array([-steps.max() for steps in flaws], np.float64),
            "other steps": np.array([-np.sort(steps)[:-1].mean() if len(steps) > 1 else 0.0 for steps in flaws], np.float64),
            "order": np.array([_order_part(order) for order in orders], np.float64),
        }
        return ScriptParts(table, flaws, orders)

    def verdicts(self, claims: Sequence[ScriptClaim]) -> list[Verdict]:
        """Return P(plausible) with the weakest spot of each script."""
        parts = self.parts(claims)
        scores = self.combiner.probability(parts.table)
        return [
            Verdict(float(score), *_weakest(flaws, order))
            for score, flaws, order in zip(scores, parts.flaws, parts.orders, strict=True)
        ]


def _order_part(log_odds: npt.NDArray[np.float32]) -> float:
    """Return the mean log-probability of the order as it is; 0 for a single step."""
    above = log_odds[np.triu_indices(len(log_odds), 1)]
    return float(-np.logaddexp(0, -above).mean()) if len(above) else 0.0


def _weakest(flaws: npt.NDArray[np.float32], order: npt.NDArray[np.float32]) -> tuple[str, tuple[int, ...]]:
    """Return the reason and the steps that it is about: two steps turned round, or one that stands out."""
    if len(order) > 1:
        first, second = np.unravel_index(int(order.argmin()), order.shape)
        if order[first, second] < TURNED:
            return f"Step {second + 1} usually comes before step {first + 1}.", (int(first), int(second))
    worst = int(flaws.argmax())
    if flaws[worst] > 0 and flaws[worst] - np.median(flaws) > STANDS_OUT:
        return f"Step {worst + 1} is the one that looks out of place.", (worst,)
    return "", ()
