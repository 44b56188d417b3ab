"""What the training data hold, and what their labels can be told from without understanding."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline

from ecomscript.evaluation.baselines import count
from ecomscript.verification.claims import TASKS, BundleClaim, Claim, ScriptClaim, Task
from ecomscript.verification.items import Item, load_items, load_plan_items


def rows() -> list[dict[str, Any]]:
    """Return the counts of each task's items by split, label, error and domain, and what the cues are worth.

    ``cue …`` is the accuracy of bag of words, count of steps (words of a product) and length, cross-validated by pair: above .60 the
    data give themselves away.

    Raises:
        InputError: The items cannot be read.
    """
    found: list[dict[str, Any]] = []
    for task in TASKS:
        items = load_items(task)
        found += _counts(task, items)
        found.append({"task": task, "items": len(items), "pairs": len({item.pair for item in items}), **_cues(items)})
    judged = load_plan_items()
    found.append({"task": "t2, judged plans", "items": len(judged), **dict(Counter(item.error for item in judged))})
    return found


def counts() -> list[dict[str, Any]]:
    """Return those of ``rows`` that are only counted: the quick part."""
    return [row for task in TASKS for row in _counts(task, load_items(task))]


def _counts(task: Task, items: Sequence[Item]) -> list[dict[str, Any]]:
    """Return for each field how many items have each of its values, the commonest first."""
    fields: dict[str, Counter[str]] = {
        "split": Counter(item.split for item in items),
        "label": Counter(str(item.label) for item in items),
        "error": Counter(item.error for item in items),
        "domain": Counter(item.domain for item in items),
    }
    return [{"task": task, "counts of": name, **dict(group.most_common())} for name, group in fields.items()]


def _cues(items: Sequence[Item]) -> dict[str, float]:
    labels = np.array([item.label for item in items])
    texts = [" ".join(_own_text(item.claim)) for item in items]
    sizes = np.array([[count(item.claim), sum(map(len, item.claim.segments()))] for item in items], np.float64)
    words = make_pipeline(CountVectorizer(ngram_range=(1, 2), min_df=3, binary=True), LogisticRegression(C=0.1, max_iter=300))
    found = {}
    for name, model, inputs in (
        ("cue bag of words", words, texts),
        ("cue count", LogisticRegression(), sizes[:, :1]),
        ("cue length", LogisticRegression(), sizes[:, 1:] / 100),
    ):
        guesses = cross_val_predict(model, inputs, labels, groups=[item.pair for item in items], cv=GroupKFold(5))
        found[name] = round(float((guesses == labels).mean()), 4)
    return found


def _own_text(claim: Claim) -> Sequence[str]:
    """Return the words that differ between the sides of a pair: steps, or products."""
    if isinstance(claim, ScriptClaim):
        return claim.steps
    return [title for _, title in claim.placed] if isinstance(claim, BundleClaim) else claim.segments()[2:]
