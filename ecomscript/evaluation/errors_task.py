"""Where the shipped verifiers are wrong on the held-out test split: each wrong case with its texts, sorted by signs of why.

The signatures are the paper's failures and what is left: "semantic drift" (T2 lets a product pass whose title has the words of step and
goal: right words, wrong goal), "product conflict" (T3 lets a bundle pass whose products T2 finds fine one by one), "false alarm" (a
right claim is rejected), else "missed:" and the error.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import binomtest

from ecomscript.association.vector_store import open_encoder
from ecomscript.config import DEFAULT_ENCODER, SHIPPED_MODELS
from ecomscript.errors import ModelError
from ecomscript.schema import Verdict
from ecomscript.verification.claims import TASKS, BundleClaim, Claim, ProductClaim, ScriptClaim, Task
from ecomscript.verification.items import Item, in_split, load_items
from ecomscript.verification.product import ProductVerifier
from ecomscript.verification.suite import Verifiers
from ecomscript.words import FUNCTION_WORDS, tokens

Rows = Iterator[dict[str, Any]]
PASSED = 0.5
"""Score from which on a claim counts as accepted."""
MOST = 150
"""Cases of a task that are kept: the most confident mistakes."""
DRIFT, CONFLICT, ALARM = "semantic drift", "product conflict", "false alarm"


@dataclass(frozen=True, slots=True)
class Mistake:
    """A case that a verifier got wrong; ``reason`` is what the verifier says against the claim, often nothing."""

    item: Item
    score: float
    signature: str
    reason: str


def rows(models: Path = SHIPPED_MODELS) -> list[dict[str, Any]]:
    """Return rows of three kinds, told apart by ``row``, for each task.

    ``summary``: items of an error ("none": right ones) and how many were judged wrongly, the share with Wilson's interval.
    ``signature``: how many mistakes have it. ``case``: one of the ``MOST`` most confident mistakes, the most confident first.

    Args:
        models: Folder of the verifiers.

    Raises:
        InputError: The items cannot be read.
        ModelError: A verifier cannot be used.
    """
    verifiers = Verifiers.load(open_encoder(DEFAULT_ENCODER).encode, models)
    if verifiers.t1 is None or verifiers.t2 is None or verifiers.t3 is None:
        raise ModelError(verifiers.problems[0], "All three verifiers are needed.")
    found: list[dict[str, Any]] = []
    for task in TASKS:
        items = in_split(load_items(task), "test")
        mistakes = find_mistakes(items, judged(verifiers, task, items), verifiers.t2)
        found += [*_summaries(task, items, mistakes), *_signatures(task, mistakes), *_cases(task, mistakes)]
    return found


def judged(verifiers: Verifiers, task: Task, items: Sequence[Item]) -> list[Verdict]:
    """Return the verdict on each item of one task."""
    claims = [item.claim for item in items]
    if task == "t1" and verifiers.t1 is not None:
        return verifiers.t1.verdicts([claim for claim in claims if isinstance(claim, ScriptClaim)])
    if task == "t3" and verifiers.t3 is not None:
        return verifiers.t3.verdicts([claim for claim in claims if isinstance(claim, BundleClaim)])
    return [Verdict(score) for score in verifiers.scores(task, claims)]


def find_mistakes(items: Sequence[Item], verdicts: Sequence[Verdict], product: ProductVerifier) -> list[Mistake]:
    """Return the wrong cases, the most confident first.

    Args:
        items: Labelled claims of one task.
        verdicts: On each of them.
        product: T2, which looks at the single products of bundles.
    """
    wrong = [n for n, item in enumerate(items) if (verdicts[n].score >= PASSED) != item.label]
    missed = [n for n in wrong if not items[n].label]
    usual = float(np.median([overlap(item.claim) for item in items if item.label and isinstance(item.claim, ProductClaim)] or [0.0]))
    fitting = dict(zip(missed, every_product_passes([items[n].claim for n in missed], product), strict=True))

    def signature(n: int) -> str:
        item = items[n]
        if item.label:
            return ALARM
        if isinstance(item.claim, ProductClaim) and overlap(item.claim) > usual:
            return DRIFT
        return CONFLICT if fitting[n] else f"missed: {item.error.replace('_', ' ')}"

    found = [Mistake(items[n], verdicts[n].score, signature(n), verdicts[n].reason) for n in wrong]
    return sorted(found, key=lambda mistake: -abs(mistake.score - PASSED))


def overlap(claim: ProductClaim) -> float:
    """Return the share of the words of the product's title that step or objective has too, in [0, 1]."""
    title, goal = ({*tokens(text)} - FUNCTION_WORDS for text in (claim.product, f"{claim.objective} {claim.step}"))
    return len(title & goal) / max(len(title), 1)


def every_product_passes(claims: Sequence[Claim], product: ProductVerifier) -> npt.NDArray[np.bool_]:
    """Return whether each claim is a bundle all of whose products pass T2 in their steps, (n,)."""
    bundles = [claim if isinstance(claim, BundleClaim) else None for claim in claims]
    placed = [ProductClaim(b.objective, step, title) for b in bundles if b for step, title in b.placed]
    scores = iter(product.scores(placed).tolist() if placed else ())
    least = [min((next(scores) for _ in b.placed), default=0.0) if b else 0.0 for b in bundles]
    return np.array(least, np.float64) >= PASSED


def readable(claim: Claim) -> str:
    """Return what stands against the objective, one step or product a line."""
    if isinstance(claim, ScriptClaim):
        return "\n".join(f"{n}. {step}" for n, step in enumerate(claim.steps, 1))
    if isinstance(claim, ProductClaim):
        return "\n".join(filter(None, (claim.step, claim.product, claim.features)))
    return "\n".join(f"{n}. {entry.step}: {'; '.join(entry.products) or '—'}" for n, entry in enumerate(claim.steps, 1))


def _summaries(task: Task, items: Sequence[Item], mistakes: Sequence[Mistake]) -> Rows:
    wrong = Counter(mistake.item.error for mistake in mistakes)
    for error, count in Counter(item.error for item in items).most_common():
        interval = binomtest(wrong[error], count).proportion_ci(0.95, "wilson")
        yield {
            "row": "summary",
            "task": task,
            "error": error,
            "items": count,
            "wrong": wrong[error],
            "share_wrong": round(wrong[error] / count, 4),
            "share_wrong_ci95": [round(float(interval.low), 4), round(float(interval.high), 4)],
        }


def _signatures(task: Task, mistakes: Sequence[Mistake]) -> Rows:
    for signature, count in Counter(mistake.signature for mistake in mistakes).most_common():
        yield {"row": "signature", "task": task, "signature": signature, "count": count}


def _cases(task: Task, mistakes: Sequence[Mistake]) -> Rows:
    for mistake in mistakes[:MOST]:
        item = mistake.item
        yield {
            "row": "case",
            "task": task,
            "item_id": item.item_id,
            "domain": item.domain,
            "error": item.error,
            "label": item.label,
            "score": round(mistake.score, 4),
            "signature": mistake.signature,
            "objective": item.claim.objective,
            "text": readable(item.claim),
            "reason": mistake.reason,
        }
