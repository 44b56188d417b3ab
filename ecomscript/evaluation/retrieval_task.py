"""Which ranker finds the kinds that a step of a hand-written plan needs: what the purchase intentions are worth.

Whatever is learnt is learnt on other objectives than those that are measured.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import bm25s
import numpy as np
import numpy.typing as npt

from ecomscript.association.encoder import Encoder
from ecomscript.association.index import IntentionIndex
from ecomscript.association.rank import FEATURES, KindRanker
from ecomscript.evaluation.fit import LibrarySteps, fit_maps, fit_rank
from ecomscript.learnt import LearntWeights, probability, unit
from ecomscript.planning.library import Library
from ecomscript.words import tokens

Scores = npt.NDArray[np.float32]
Ranker = Callable[[int], Scores]
HELD_OUT = 0.2
RESAMPLES = 2000
TOP = 3


def rows(library: Library, index: IntentionIndex, encoder: Encoder, seed: int, most: int = 1500) -> list[dict[str, Any]]:
    """Return hit@3, recall@10 and nDCG@10 for each ranker on the steps of held-out objectives.

    Args:
        library: The hand-written plans.
        index: Index over the same kinds.
        encoder: Their encoder.
        seed: Of split, sample and bootstrap.
        most: Most steps to measure.
    """
    split = _split(library, index, encoder, seed, most)
    steps, rng = split.steps, np.random.default_rng(seed)
    found = []
    for name, ranker in _rankers(index, encoder, steps, split.weights).items():
        per_step = np.array([_metrics(ranker(int(n)), steps.needs[n]) for n in split.measured])
        hit, recall, gain = per_step.mean(axis=0)
        means = rng.choice(per_step[:, 2], (RESAMPLES, len(per_step))).mean(axis=1)
        low, high = np.quantile(means, (0.025, 0.975))
        found.append(
            {
                "ranker": name,
                "steps": len(split.measured),
                "hit@3": round(float(hit), 4),
                "recall@10": round(float(recall), 4),
                "ndcg@10": round(float(gain), 4),
                "ndcg@10_ci95": [round(float(low), 4), round(float(high), 4)],
            }
        )
    return found


def threshold_rows(library: Library, index: IntentionIndex, encoder: Encoder, seed: int, most: int = 1500) -> list[dict[str, Any]]:
    """Return what a gate lets through on held-out steps: the paper's cosine threshold on the best intention, or one on the fit.

    ``precision`` is the share of the (at most ``TOP``) best-ranked kinds above the gate that the step needs, ``recall`` the share of the
    needed kinds above it, ``kinds_through`` how many kinds pass in all, ``steps_answered`` the share of steps that keep any kind.
    """
    split = _split(library, index, encoder, seed, most)
    ranker = KindRanker(index, encoder, split.weights)
    cosines, chances, needed = [], [], []
    for n in split.measured:
        features = ranker.features(split.steps.queries[n], f"{split.steps.texts[n]} {split.steps.objectives[n]}")
        cosines.append(features[:, FEATURES.index("best intention")])
        chances.append(probability(features, split.weights.rank_coef))
        needed.append(split.steps.needs[n])
    cosine_gates = [("cosine of the best intention", round(t, 3), cosines) for t in np.arange(0.30, 0.6001, 0.025)]
    chance_gates = [("fitted probability", t, chances) for t in (0.02, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4)]
    return [{"gate": name, "threshold": float(t), **_gate(gated, chances, needed, t)} for name, t, gated in (*cosine_gates, *chance_gates)]


def _gate(gated: list[Scores], ranked: list[Scores], needed: list[npt.NDArray[np.int64]], threshold: float) -> dict[str, float | None]:
    shown, right, reached, wanted, through, answered = 0, 0, 0, 0, 0, 0
    for gate, rank, needs in zip(gated, ranked, needed, strict=True):
        passing = gate >= threshold
        top = np.argsort(-np.where(passing, rank, -1.0), kind="stable")[: min(TOP, int(passing.sum()))]
        shown, right = shown + len(top), right + int(np.isin(top, needs).sum())
        reached, wanted = reached + int(passing[needs].sum()), wanted + len(needs)
        through, answered = through + int(passing.sum()), answered + bool(len(top))
    return {
        "precision": round(right / shown, 4) if shown else None,
        "recall": round(reached / wanted, 4),
        "kinds_through": round(through / len(needed), 2),
        "steps_answered": round(answered / len(needed), 4),
    }


@dataclass(frozen=True, slots=True)
class _Split:
    """Steps, the held-out ones to measure on, and weights learnt on the others' objectives."""

    steps: LibrarySteps
    measured: npt.NDArray[np.int64]
    weights: LearntWeights


def _split(library: Library, index: IntentionIndex, encoder: Encoder, seed: int, most: int) -> _Split:
    rng = np.random.default_rng(seed)
    steps = LibrarySteps.of(library, encoder)
    outside = rng.random(len(library.scripts)) < HELD_OUT
    measured = np.flatnonzero(outside[steps.script] & steps.buys)
    weights = fit_maps(library, steps, ~outside, seed)
    weights = replace(weights, rank_coef=fit_rank(index, encoder, library, steps, ~outside, seed))
    return _Split(steps, rng.choice(measured, min(most, len(measured)), replace=False), weights)


def _rankers(index: IntentionIndex, encoder: Encoder, steps: LibrarySteps, weights: LearntWeights) -> dict[str, Ranker]:
    titles = encoder.encode([p.title for p in index.products])
    kind_of = np.array([index.kind_row[p.kind or ""] for p in index.products])
    lexicon = bm25s.BM25()
    lexicon.index([tokens(p.title) for p in index.products], show_progress=False)
    pairs = [(row, kind) for row, kinds in enumerate(index.kinds_of_intention) for kind in kinds]
    pair_row, pair_kind = np.array(pairs).T
    names = encoder.encode([kind.name for kind in index.kinds])
    sums = np.zeros_like(names)
    np.add.at(sums, pair_kind, index.intention_vectors[pair_row])
    centroids = unit(sums)
    ranker = KindRanker(index, encoder, weights)
    words = [f"{text} {objective}" for text, objective in zip(steps.texts, steps.objectives, strict=True)]

    def best(scores: Scores, groups: npt.NDArray[np.int64]) -> Scores:
        top = np.full(len(index.kinds), -np.inf, np.float32)
        np.maximum.at(top, groups, scores)
        return top

    return {
        "BM25 over titles": lambda n: best(np.asarray(lexicon.get_scores(tokens(words[n])), np.float32), kind_of),
        "title embedding": lambda n: best(titles @ steps.queries[n], kind_of),
        "kind name embedding": lambda n: names @ steps.queries[n],
        "best intention": lambda n: best((index.intention_vectors @ steps.queries[n])[pair_row], pair_kind),
        "centroid of intentions": lambda n: centroids @ steps.queries[n],
        "product vectors (best product)": lambda n: best(index.product_vectors @ steps.queries[n], kind_of),
        "kind vectors": lambda n: index.kind_vectors @ steps.queries[n],
        "shipped ranker": lambda n: ranker.scores(steps.queries[n], words[n]),
    }


def _metrics(scores: Scores, needed: npt.NDArray[np.int64]) -> tuple[float, float, float]:
    """Return hit@3, recall@10 and nDCG@10 (binary gains) of (kinds,) scores against the rows of the needed kinds, at least one."""
    top = np.argsort(-scores, kind="stable")[:10]
    hits = np.isin(top, needed)
    discounts = 1 / np.log2(np.arange(2, len(top) + 2))
    ideal = discounts[: min(len(needed), 10)].sum()
    return float(hits[:3].any()), float(hits.sum() / len(needed)), float((hits * discounts).sum() / ideal)
