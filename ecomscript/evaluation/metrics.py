"""What scores of labelled claims are worth, with 95 % intervals by the bootstrap."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

from ecomscript.verification.combine import calibration_error
from ecomscript.verification.items import Item

Array = npt.NDArray[np.float64]
RESAMPLES, MEAN_RESAMPLES = 1000, 2000
FEWEST = 8
"""Fewest items of an error or a domain for which an area under the curve is given."""
FEWEST_RANKED = 3
"""Fewest pairs that a rank correlation is given for."""


def interval_of_mean(values: Sequence[float], rng: np.random.Generator) -> list[float] | None:
    """Return the 95 % interval of the mean by the bootstrap, drawn from ``rng``; None without values."""
    if not values:
        return None
    means = rng.choice(np.asarray(values), (MEAN_RESAMPLES, len(values))).mean(axis=1)
    return [round(float(q), 4) for q in np.quantile(means, (0.025, 0.975))]


def p50_p95(seconds: Sequence[float], digits: int) -> dict[str, float]:
    """Return what half of the runs took at most, and 95 in 100 of them, rounded."""
    return {name: round(float(q), digits) for name, q in zip(("p50", "p95"), np.percentile(seconds, (50, 95)), strict=True)}


def rank_correlation(x: Array, y: Array, seed: int) -> dict[str, Any]:
    """Return Spearman's correlation of (n,) values with its 95 % interval by the bootstrap over pairs; None where it is not defined."""
    if len(x) < FEWEST_RANKED or not np.ptp(x) or not np.ptp(y):
        return {"spearman": None, "spearman_ci95": None}
    draws = np.random.default_rng(seed).integers(0, len(x), (MEAN_RESAMPLES, len(x)))
    interval = np.nanquantile(spearman(x[draws], y[draws]), (0.025, 0.975))
    return {"spearman": round(float(spearman(x[None], y[None])[0]), 4), "spearman_ci95": [round(float(q), 4) for q in interval]}


def spearman(x: Array, y: Array) -> Array:
    """Return the (rows,) rank correlations of paired rows, ties sharing their mean rank; NaN where a row is constant.

    Args:
        x: (rows, n).
        y: (rows, n).
    """
    a, b = (ranks - ranks.mean(axis=1, keepdims=True) for ranks in (rankdata(x, axis=1), rankdata(y, axis=1)))
    with np.errstate(invalid="ignore"):
        return (a * b).sum(axis=1) / np.sqrt((a**2).sum(axis=1) * (b**2).sum(axis=1))


def fleiss_kappa(counts: Sequence[Sequence[int]]) -> float | None:
    """Return Fleiss' kappa (1971); None without subjects, or when all ratings are in one category, where chance explains everything.

    Where subjects have different numbers of readers, the agreement of each is the share of its own pairs of readers who agree, and
    every subject counts alike; with the same number everywhere that is the formula of the paper.

    Args:
        counts: (subjects, categories) how many readers chose the category; every row sums to two or more.
    """
    if not len(counts):
        return None
    table = np.asarray(counts, np.float64)
    readers = table.sum(axis=1)
    observed = float((((table**2).sum(axis=1) - readers) / (readers * (readers - 1))).mean())
    chance = float(((table.sum(axis=0) / table.sum()) ** 2).sum())
    return None if chance == 1 else (observed - chance) / (1 - chance)


def in_three(marks: Sequence[int]) -> list[int]:
    """Return how many of the marks from 1 to 5 are low (1, 2), middle (3) and high (4, 5)."""
    return [sum(mark <= 2 for mark in marks), sum(mark == 3 for mark in marks), sum(mark >= 4 for mark in marks)]


def measure(items: Sequence[Item], probabilities: Array, seed: int) -> dict[str, Any]:
    """Return accuracy, AUC and macro-F1 with intervals, accuracy inside contrast pairs, ECE, and AUC per error and domain.

    Args:
        items: Labelled claims.
        probabilities: (n,) P(label 1); above ½ counts as a yes.
        seed: Of the bootstrap, which draws whole pairs: their members are not independent.
    """
    labels = np.array([item.label for item in items])
    groups = list(_places_by_pair(items).values())
    rng = np.random.default_rng(seed)
    draws = [np.concatenate([groups[g] for g in rng.integers(0, len(groups), len(groups))]) for _ in range(RESAMPLES)]
    row: dict[str, Any] = {"items": len(items), "positive": int(labels.sum())}
    for name, metric in (("accuracy", _accuracy), ("auc", _auc), ("macro_f1", _macro_f1)):
        spread = [metric(labels[d], probabilities[d]) for d in draws if 0 < labels[d].sum() < len(d)]
        row[name] = round(metric(labels, probabilities), 4)
        row[f"{name}_ci95"] = [round(float(q), 4) for q in np.quantile(spread, (0.025, 0.975))]
    row["pair_accuracy"] = pair_accuracy(items, probabilities)
    row["ece"] = round(calibration_error(probabilities, labels.tolist()), 4)
    row["auc_by_error"] = _by_error(items, labels, probabilities)
    row["auc_by_domain"] = _by_domain(items, labels, probabilities)
    return row


def pair_accuracy(items: Sequence[Item], scores: Array) -> float | None:
    """Return how often the right member of a contrast pair scores above a wrong one (ties count half); None without pairs."""
    wins = [
        float(scores[a] > scores[b]) + 0.5 * float(scores[a] == scores[b])
        for group in _places_by_pair(items).values()
        for a in group
        for b in group
        if items[a].label > items[b].label
    ]
    return round(float(np.mean(wins)), 4) if wins else None


def _places_by_pair(items: Sequence[Item]) -> dict[str, list[int]]:
    groups: defaultdict[str, list[int]] = defaultdict(list)
    for n, item in enumerate(items):
        groups[item.pair or item.item_id].append(n)
    return groups


def _accuracy(labels: npt.NDArray[np.int64], probabilities: Array) -> float:
    return float(((probabilities > 0.5) == labels).mean())


def _auc(labels: npt.NDArray[np.int64], probabilities: Array) -> float:
    """Return the rank-sum form of the area under the ROC curve: a thousand resamples need it fast."""
    positive = int(labels.sum())
    ranks = rankdata(probabilities)[labels == 1].sum()
    return float((ranks - positive * (positive + 1) / 2) / (positive * (len(labels) - positive)))


def _macro_f1(labels: npt.NDArray[np.int64], probabilities: Array) -> float:
    said, truth = probabilities > 0.5, labels == 1
    right = ((said & truth).sum(), (~said & ~truth).sum())
    seen = (said.sum() + truth.sum(), (~said).sum() + (~truth).sum())
    return float(np.mean([2 * r / n if n else 0.0 for r, n in zip(right, seen, strict=True)]))


def _by_error(items: Sequence[Item], labels: npt.NDArray[np.int64], probabilities: Array) -> dict[str, float]:
    """Return for each error the AUC of its items against all right ones."""
    found = {}
    for error in sorted({item.error for item in items if not item.label}):
        chosen = np.array([item.label == 1 or item.error == error for item in items])
        found[error] = round(_auc(labels[chosen], probabilities[chosen]), 3)
    return found


def _by_domain(items: Sequence[Item], labels: npt.NDArray[np.int64], probabilities: Array) -> dict[str, float]:
    found = {}
    for domain in sorted({item.domain for item in items}):
        chosen = np.array([item.domain == domain for item in items])
        if chosen.sum() >= FEWEST and 0 < labels[chosen].sum() < chosen.sum():
            found[domain] = round(_auc(labels[chosen], probabilities[chosen]), 3)
    return found
