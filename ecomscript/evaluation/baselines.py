"""What the verifiers are held against: scorers that look at sizes, words or vectors and at most learn a line through them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import bm25s
import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression

from ecomscript.verification.claims import Claim, ProductClaim
from ecomscript.verification.items import Item
from ecomscript.verification.order import Encode
from ecomscript.words import tokens

Array = npt.NDArray[np.float64]
Scorer = Callable[[Sequence[Item]], Array]
"""Items → (n,) scores; more speaks for label 1."""
PROBE = "frozen embedding + logistic regression"
FROZEN = 2_000
"""Training items of that baseline."""


def baselines(train: Sequence[Item], encode: Encode) -> dict[str, Scorer]:
    """Return the baselines by name; two of them learn from the training items of one task."""
    encode = remembering(encode)
    return {
        "count": lambda items: np.array([float(count(item.claim)) for item in items]),
        "length": lambda items: np.array([float(sum(map(len, item.claim.segments()))) for item in items]),
        "BM25": bm25(train),
        "cosine, zero-shot": lambda items: np.einsum("nd,nd->n", *_vectors(items, encode)).astype(np.float64),
        PROBE: fit_probe(train[:FROZEN], encode),
    }


def bm25(train: Sequence[Item]) -> Scorer:
    """Return a scorer by the words that goal and text share; how rare a word is, the texts of the training items say."""
    known = [tokens(sides(item.claim)[1]) for item in train]

    def score(items: Sequence[Item]) -> Array:
        pairs = [sides(item.claim) for item in items]
        texts = [*known, *(tokens(text) for _, text in pairs)]
        lexicon = bm25s.BM25()
        lexicon.index(texts, show_progress=False)
        vocabulary = {word for text in texts for word in text}
        goals = [[word for word in tokens(goal) if word in vocabulary] for goal, _ in pairs]
        return np.array([lexicon.get_scores(goal)[n] if goal else 0.0 for n, goal in enumerate(goals, len(known))], np.float64)

    return score


def fit_probe(train: Sequence[Item], encode: Encode) -> Scorer:
    """Return a logistic regression over the frozen vectors of both sides, their product and their distance, as log-odds."""
    model = LogisticRegression(C=0.3, max_iter=300).fit(_features(train, encode), [item.label for item in train])
    return lambda items: np.asarray(model.decision_function(_features(items, encode)), np.float64)


def remembering(encode: Encode) -> Encode:
    """Return an encoder that computes the vector of each text once."""
    known: dict[str, npt.NDArray[np.float32]] = {}

    def look_up(texts: Sequence[str]) -> npt.NDArray[np.float32]:
        fresh = [text for text in dict.fromkeys(texts) if text not in known]
        if fresh:
            known.update(zip(fresh, encode(fresh), strict=True))
        return np.stack([known[text] for text in texts])

    return look_up


def sides(claim: Claim) -> tuple[str, str]:
    """Return the two texts that a claim is about: the goal, and everything that should serve it."""
    if isinstance(claim, ProductClaim):
        return f"{claim.objective}. {claim.step}", claim.segments()[2]
    return claim.objective, ". ".join(claim.segments()[1:])


def count(claim: Claim) -> int:
    """Return the number of steps, or of words of a product."""
    if isinstance(claim, ProductClaim):
        return len(claim.product.split())
    return len(claim.steps)


def _vectors(items: Sequence[Item], encode: Encode) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Return the unit vectors of goals and texts, each (n, dim)."""
    pairs = [sides(item.claim) for item in items]
    return encode([goal for goal, _ in pairs]), encode([text for _, text in pairs])


def _features(items: Sequence[Item], encode: Encode) -> npt.NDArray[np.float32]:
    goals, texts = _vectors(items, encode)
    return np.hstack([goals, texts, goals * texts, np.abs(goals - texts)])
