"""Which ranker finds the kinds that a step of a hand-written plan needs: what the purchase intentions are worth.

Whatever is learnt is learnt on other objectives than those that are measured.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import bm25s
import numpy as np
import numpy.typing as npt

from ecomscript.association.encoder import Encoder
from ecomscript.association.index import IntentionIndex
from ecomscript.association.rank import KindRanker
from ecomscript.evaluation.fit import LibrarySteps
from ecomscript.evaluation.held_out import ALL, BestProducts, Rows, by_department, hold_out, learn, unseen_by_t2
from ecomscript.learnt import LearntWeights, unit
from ecomscript.planning.library import Library
from ecomscript.verification.suite import Verifiers
from ecomscript.words import tokens

Scores = npt.NDArray[np.float32]
Ranker = Callable[[int], Scores]
"""Returns the (kinds,) scores for a row of the steps."""
METRICS = ("hit@1", "hit@3", "hit@10", "recall@10", "ndcg@10", "mrr")
WITH_INTERVAL = ("ndcg@10", "mrr")
RESAMPLES = 2000
FUSION = 60
"""Added to every rank before it is inverted (Cormack et al. 2009)."""
RERANKED, RERANK_WEIGHT = 10, 0.2
"""How many kinds T2 re-orders, and the share of its probability beside the ranker's. On 300 other held-out steps every share up to 0.2 left
nDCG@10 as it was (within 0.003); larger ones lowered it."""
JUDGED = 300
"""Steps for T2, which reads every step with every product."""
BINS = np.arange(-4, 21) / 20
"""Ends of the histogram's bins."""


def rows(
    library: Library, index: IntentionIndex, encoder: Encoder, verifiers: Verifiers, seed: int, most: int = 1500
) -> list[dict[str, Any]]:
    """Return hit@k, recall@10, nDCG@10 and MRR for each ranker and department on the steps of held-out objectives.

    T2 re-ranks on fewer steps, none of which is in its own training items; the row after it says what the ranker alone does on these.
    Without T2 both are absent.

    Args:
        library: The hand-written plans.
        index: Index over the same kinds.
        encoder: Their encoder.
        verifiers: For T2, which may be missing.
        seed: Of split, sample and bootstrap.
        most: Most steps to measure.
    """
    split = hold_out(library, encoder, seed, most)
    groups = by_department(split.departments)
    rankers = _rankers(index, encoder, split.steps, learn(library, index, encoder, split, seed))
    found = [row for name, ranker in rankers.items() for row in _ranker_rows(name, ranker, split.steps, split.measured, groups, seed)]
    best = BestProducts.of(index, encoder, split.steps, verifiers)
    if best is not None:
        few = split.measured[unseen_by_t2(split.steps)[split.measured]][:JUDGED]
        shipped = rankers["shipped ranker"]
        everything = {ALL: np.arange(len(few))}
        for name, ranker in (
            ("shipped ranker + T2 re-ranking", reranked(shipped, best, few, RERANK_WEIGHT)),
            ("shipped ranker (same steps)", shipped),
        ):
            found += _ranker_rows(name, ranker, split.steps, few, everything, seed)
    return found


def gap_rows(library: Library, index: IntentionIndex, encoder: Encoder, seed: int, most: int = 1500) -> list[dict[str, Any]]:
    """Return the semantic gap: how near the kinds that a held-out step needs lie to it, by titles and by purchase intentions.

    Each row is a bin of the cosines with its ``share``; ``mean`` and ``cosines`` (their number) are of the whole pair. "best" keeps the
    nearest one of each needed kind, which has more intentions than titles. A step asks with the matcher's query vector, so that the gates
    of ``--task threshold`` can be read off.

    Args:
        library: The hand-written plans.
        index: Index over the same kinds.
        encoder: Their encoder.
        seed: Of split and sample.
        most: Most steps to measure.
    """
    split = hold_out(library, encoder, seed, most)
    wanted = sorted({int(kind) for n in split.measured for kind in split.steps.needs[n]})
    products = {kind: index.products_of_kind[index.kinds[kind].name] for kind in wanted}
    shelf = [row for rows_of_kind in products.values() for row in rows_of_kind]
    titles = dict(zip(shelf, encoder.encode([index.products[row].title for row in shelf]), strict=True))
    title_vectors = {kind: np.stack([titles[row] for row in rows_of_kind]) for kind, rows_of_kind in products.items()}
    intention_vectors = {
        kind: index.intention_vectors[sorted({n for row in rows_of_kind for n in index.intentions_of_product[row]})]
        for kind, rows_of_kind in products.items()
    }
    asked = [(split.steps.queries[n], int(kind)) for n in split.measured for kind in split.steps.needs[n]]
    found = []
    for name, vectors in (("title", title_vectors), ("intention", intention_vectors)):
        cosines = [vectors[kind] @ query for query, kind in asked]
        found += _histogram(f"step to {name}", np.concatenate(cosines))
        found += _histogram(f"step to best {name}", np.array([own.max() for own in cosines]))
    return found


def _histogram(pair: str, cosines: Scores) -> list[dict[str, Any]]:
    """Return the bins; what lies outside goes to the outermost ones."""
    counts, _ = np.histogram(np.clip(cosines, BINS[0], BINS[-1]), BINS)
    whole = {"mean": round(float(cosines.mean()), 4), "cosines": len(cosines)}
    return [
        {"pair": pair, "from": round(float(low), 2), "to": round(float(high), 2), "share": round(count / len(cosines), 6), **whole}
        for low, high, count in zip(BINS, BINS[1:], counts.tolist(), strict=False)
    ]


def _ranker_rows(
    name: str, ranker: Ranker, steps: LibrarySteps, measured: Rows, groups: Mapping[str, Rows], seed: int
) -> list[dict[str, Any]]:
    per_step = np.array([ranking_metrics(ranker(int(n)), steps.needs[n]) for n in measured])
    return [{"ranker": name, "department": group, **_summary(per_step[places], seed)} for group, places in groups.items()]


def _summary(per_step: npt.NDArray[np.float64], seed: int) -> dict[str, Any]:
    """Return the means of (steps, metrics) values, some with an interval from whole steps drawn again."""
    drawn = np.random.default_rng(seed).integers(0, len(per_step), (RESAMPLES, len(per_step)))
    row: dict[str, Any] = {"steps": len(per_step)}
    for name, values in zip(METRICS, per_step.T, strict=True):
        row[name] = round(float(values.mean()), 4)
        if name in WITH_INTERVAL:
            row[f"{name}_ci95"] = [round(float(q), 4) for q in np.quantile(values[drawn].mean(axis=1), (0.025, 0.975))]
    return row


def _rankers(index: IntentionIndex, encoder: Encoder, steps: LibrarySteps, weights: LearntWeights) -> dict[str, Ranker]:
    titles = encoder.encode([p.title for p in index.products])
    described = encoder.encode([". ".join((p.title, *p.features[:1])) for p in index.products])
    kind_of = np.array([index.kind_row[p.kind or ""] for p in index.products])
    lexicon = bm25s.BM25()
    lexicon.index([tokens(p.title) for p in index.products], show_progress=False)
    pairs = [(row, kind) for row, kinds in enumerate(index.kinds_of_intention) for kind in kinds]
    pair_row, pair_kind = np.array(pairs).T
    products = np.asarray(index.product_vectors, np.float32)
    names = encoder.encode([kind.name for kind in index.kinds])
    sums = np.zeros_like(names)
    np.add.at(sums, pair_kind, index.intention_vectors[pair_row])
    centroids = unit(sums)
    ranker = KindRanker(index, encoder, weights)
    words = [f"{text} {objective}" for text, objective in zip(steps.texts, steps.objectives, strict=True)]

    def best(scores: Scores, groups: Rows) -> Scores:
        top = np.full(len(index.kinds), -np.inf, np.float32)
        np.maximum.at(top, groups, scores)
        return top

    found: dict[str, Ranker] = {
        "BM25 over titles": lambda n: best(np.asarray(lexicon.get_scores(tokens(words[n]) or [""]), np.float32), kind_of),
        "title embedding": lambda n: best(titles @ steps.queries[n], kind_of),
        "title + features embedding": lambda n: best(described @ steps.queries[n], kind_of),
        "kind name embedding": lambda n: names @ steps.queries[n],
        "best intention": lambda n: best((index.intention_vectors @ steps.queries[n])[pair_row], pair_kind),
        "centroid of intentions": lambda n: centroids @ steps.queries[n],
        "product vectors (best product)": lambda n: best(products @ steps.queries[n], kind_of),
        "kind vectors": lambda n: index.kind_vectors @ steps.queries[n],
    }
    parts = [found[name] for name in ("BM25 over titles", "best intention", "kind vectors")]
    found["reciprocal rank fusion"] = lambda n: fused([part(n) for part in parts])
    found["shipped ranker"] = lambda n: ranker.scores(steps.queries[n], words[n])
    return found


def fused(rankings: Sequence[Scores]) -> Scores:
    """Return the reciprocal rank fusion of (kinds,) scores: the sum of 1 / (``FUSION`` + rank), ranks from 1."""
    total = np.zeros(len(rankings[0]), np.float32)
    for scores in rankings:
        total[np.argsort(-scores, kind="stable")] += 1 / (FUSION + np.arange(1, len(scores) + 1, dtype=np.float32))
    return total


def reranked(ranker: Ranker, best: BestProducts, measured: Rows, weight: float) -> Ranker:
    """Return a ranker whose ``RERANKED`` best kinds are ordered anew by what T2 says of their best products; the rest stay below them.

    Args:
        ranker: Scores are probabilities.
        best: T2 with the products.
        measured: The rows of the steps that will be asked about.
        weight: Share of T2's probability in the order; the rest is the ranker's.
    """
    tops = {int(n): np.argsort(-ranker(int(n)), kind="stable")[:RERANKED] for n in measured}
    best.helps([(n, int(kind)) for n, top in tops.items() for kind in top])  # all in one go

    def rank(n: int) -> Scores:
        scores = ranker(n).copy()
        said = best.helps([(n, int(kind)) for kind in tops[n]])
        scores[tops[n]] = 1 + (1 - weight) * scores[tops[n]] + weight * said
        return scores

    return rank


def ranking_metrics(scores: Scores, needed: Rows) -> npt.NDArray[np.float64]:
    """Return ``METRICS`` of (kinds,) scores against the rows of the needed kinds, at least one; gains are binary."""
    order = np.argsort(-scores, kind="stable")
    hits = np.isin(order, needed)
    top = hits[:10]
    discounts = 1 / np.log2(np.arange(2, len(top) + 2))
    gain = (top * discounts).sum() / discounts[: len(needed)].sum()
    first = 1 / (1 + int(hits.argmax()))
    return np.array([hits[:1].any(), hits[:3].any(), top.any(), top.sum() / len(needed), gain, first], np.float64)
