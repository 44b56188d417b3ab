"""Is one ranking better than another? Both are measured on the same resamples of the same items, so that what they share cancels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.metrics import roc_auc_score

from ecomscript.evaluation.metrics import RESAMPLES
from ecomscript.verification.items import Item

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Areas under two ROC curves over the same items, each the mean over its runs.

    Attributes:
        first: In [0, 1].
        second: In [0, 1].
        difference: The first less the second.
        ci95: The 95 % interval of the difference over the items, [low, high].
    """

    first: float
    second: float
    difference: float
    ci95: list[float]


def compare_aucs(items: Sequence[Item], first: Array, second: Array, seed: int) -> Comparison:
    """Compare two scorers, or the runs of two settings.

    Args:
        items: Labelled claims; both labels must occur.
        first: (runs, n) scores.
        second: (runs, n) scores of the runs that those of ``first`` are compared with, in the same order.
        seed: Of the bootstrap, which draws whole pairs of items, the same ones for all runs.
    """
    labels = np.array([item.label for item in items])
    _, group_of = np.unique([item.pair or item.item_id for item in items], return_inverse=True)
    groups = [np.flatnonzero(group_of == g) for g in range(group_of.max() + 1)]
    rng = np.random.default_rng(seed)
    draws = [np.concatenate([groups[g] for g in rng.integers(0, len(groups), len(groups))]) for _ in range(RESAMPLES)]

    def aucs(rows: npt.NDArray[np.int64]) -> Array:
        """Return both areas on some of the items, (2,)."""
        return np.array([np.mean([roc_auc_score(labels[rows], scores[rows]) for scores in runs]) for runs in (first, second)])

    spread = [-np.diff(aucs(rows))[0] for rows in draws if 0 < labels[rows].sum() < len(rows)]
    one, two = aucs(np.arange(len(items)))
    low, high = np.quantile(spread, (0.025, 0.975))
    return Comparison(round(float(one), 4), round(float(two), 4), round(float(one - two), 4), [round(float(low), 4), round(float(high), 4)])
