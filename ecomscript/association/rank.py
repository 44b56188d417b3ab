"""Step → kinds: which groups of like products serve a step.

Kinds are ranked first and the product inside afterwards; ranking products directly puts one and a half kinds into the top three.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import bm25s
import numpy as np

from ecomscript.association.encoder import Encoder, Vectors
from ecomscript.association.index import IntentionIndex
from ecomscript.learnt import LearntWeights, mix, probability, unit
from ecomscript.words import tokens

CANDIDATES = 100
"""Intentions fetched for a step; the paper's threshold lets some 250 through on this catalogue, so the count is the limit."""
READ = 32
"""Products of a kind whose words speak for it: every one of them in a small catalogue."""
FEATURES = ("cosine to the kind", "cosine after the learnt map", "BM25 over the kind's texts", "best intention")


@dataclass(frozen=True, slots=True)
class RankedKind:
    """A kind that may serve a step; ``score`` is the fitted probability that an author would need it there."""

    name: str
    score: float


class KindRanker:
    """Ranks the kinds of an index for a step.

    Args:
        index: Kinds, products and intentions.
        encoder: The encoder of the index.
        weights: What was learnt from the library.
    """

    def __init__(self, index: IntentionIndex, encoder: Encoder, weights: LearntWeights) -> None:
        self._index = index
        self._encoder = encoder
        self._weights = weights
        self._lexicon = bm25s.BM25()
        self._lexicon.index([tokens(_document(index, kind.name)) for kind in index.kinds], show_progress=False)

    def encode(self, text: str) -> Vectors:
        """Return the (dim,) unit vector of one text."""
        return self._encoder.encode([text])[0]

    def queries(self, steps: Sequence[str], objective: str) -> Vectors:
        """Return ``(len(steps), dim)`` unit rows: ``STEP_SHARE`` · step + the rest · objective, mixed as vectors."""
        vectors = self._encoder.encode([*steps, objective])
        return mix(vectors[:-1], vectors[-1])

    def features(self, query: Vectors, words: str) -> Vectors:
        """Return ``(kinds, len(FEATURES))`` float32 for one step query and its words."""
        index = self._index
        mapped = unit(query @ self._weights.step_map)
        lexical = np.asarray(self._lexicon.get_scores(tokens(words) or [""]), np.float32)
        near = index.nearest(query, CANDIDATES)
        best = np.zeros(len(index.kinds), np.float32)
        for row, cosine in zip(near.rows[::-1], near.cosines[::-1], strict=True):
            best[index.kinds_of_intention[row]] = cosine
        return np.stack((index.kind_vectors @ query, index.kind_vectors @ mapped, np.log1p(lexical), best), axis=1)

    def scores(self, query: Vectors, words: str) -> Vectors:
        """Return ``(kinds,)`` float32 fitted probabilities that an author would need the kind in the step."""
        return probability(self.features(query, words), self._weights.rank_coef)

    def rank(self, query: Vectors, words: str, count: int) -> list[RankedKind]:
        """Return the ``count`` best kinds, best first."""
        scores = self.scores(query, words)
        return [RankedKind(self._index.kinds[n].name, float(scores[n])) for n in np.argsort(-scores, kind="stable")[:count]]

    def buys(self, step: str) -> float:
        """Return P(the step needs anything bought): "choose a date with your guests" does not."""
        return float(probability(self._encoder.encode([step])[0], self._weights.buys_coef))


def _document(index: IntentionIndex, kind: str) -> str:
    """Return all words that speak of a kind: its name, twice, its products' titles and its intentions."""
    rows = index.products_of_kind.get(kind, [])[:READ]
    titles = [index.products[row].title for row in rows]
    intentions = {index.intentions[n].text: None for row in rows for n in index.intentions_of_product[row]}
    return " ".join((kind, kind, *titles, *intentions))
