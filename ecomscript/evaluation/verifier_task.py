"""The verifiers against baselines: on our held-out split, held-out domains, judged products of plans, and the gold development items.

Every scorer is put on one scale by a logistic regression over its score, fitted on the validation split; what is measured was
neither trained nor fitted on. Adapters of other settings (``make verifier-runs``) are measured where their folders are found.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline

from ecomscript.association.vector_store import open_encoder
from ecomscript.config import DEFAULT_ENCODER, PROJECT_ROOT, SHIPPED_MODELS
from ecomscript.evaluation.calibrate import parts_of
from ecomscript.evaluation.metrics import measure
from ecomscript.verification.claims import TASKS, BundleClaim, Claim, ProductClaim, ScriptClaim, Task
from ecomscript.verification.combine import Combiner
from ecomscript.verification.items import Item, in_split, load_gold, load_items, load_plan_items
from ecomscript.verification.lora import META, SegmentModel, load_adapter
from ecomscript.verification.product import ProductVerifier
from ecomscript.verification.scoring import logits_of
from ecomscript.verification.suite import CHOICE

Array = npt.NDArray[np.float64]
Rows = Iterator[dict[str, Any]]
Scorer = Callable[[Sequence[Item]], Array]
RUNS = PROJECT_ROOT / "build" / "verifiers"
"""Where adapters of other settings are kept for comparison."""
FROZEN = 2_000
"""Training items of the baseline over frozen embeddings."""


@dataclass(frozen=True, slots=True)
class Data:
    """What one task is fitted and measured on.

    Attributes:
        train: For baselines that learn.
        validation: For the scale of every scorer.
        measured: Splits by name.
    """

    train: list[Item]
    validation: list[Item]
    measured: Mapping[str, list[Item]]

    @classmethod
    def of(cls, task: Task) -> Data:
        """Read the items of a task."""
        items = load_items(task)
        measured = {"held-out": in_split(items, "test"), "held-out domains": in_split(items, "domain")}
        if task == "t2":
            measured["judged plans"] = in_split(load_plan_items(), "test")
        measured["gold dev"] = load_gold(task)
        return cls(in_split(items, "train"), in_split(items, "validation"), measured)


def rows(seed: int, models: Path = SHIPPED_MODELS, runs: Path = RUNS) -> list[dict[str, Any]]:
    """Return one row for each task, scorer and split: see ``metrics.measure``."""
    return [row for task in TASKS for row in _task_rows(task, Data.of(task), seed, models, runs)]


def _task_rows(task: Task, data: Data, seed: int, models: Path, runs: Path) -> Rows:
    for split, items in data.measured.items():
        yield {"task": task, "model": "majority", "split": split, **_majority(items)}
        chance = np.random.default_rng(seed).random(len(items))
        yield {"task": task, "model": "random", "split": split, **measure(items, chance, seed)}
    for name, scorer in _baselines(data.train).items():
        yield from _scored(task, name, scorer, data, seed)
    yield from _shipped(task, data, seed, models)
    if task == "t2":
        choice = ProductVerifier.load(models / CHOICE)
        for split, items in data.measured.items():
            if split != "held-out domains":
                claims = [item.claim for item in items if isinstance(item.claim, ProductClaim)]
                yield {"task": task, "model": "shipped, for plans", "split": split, **measure(items, choice.scores(claims), seed)}
    for folder in sorted(runs.glob(f"{task}-*")):
        if (folder / META).is_file():
            meta = json.loads((folder / META).read_text(encoding="utf-8"))
            name = f"adapter {folder.name.removeprefix(f'{task}-')}"
            for row in _scored(task, name, _adapter(load_adapter(folder, task)), data, seed):
                # An adapter that saw the held-out domains is not measured on them.
                if row["split"] != "held-out domains" or meta["held_out_domains"]:
                    yield row


def _adapter(model: SegmentModel) -> Scorer:
    return lambda items: logits_of(model, items).astype(np.float64)


def _majority(items: Sequence[Item]) -> dict[str, Any]:
    share = float(np.mean([item.label for item in items]))
    most = max(share, 1 - share)
    return {"items": len(items), "accuracy": round(most, 4), "auc": 0.5, "macro_f1": round(most / (1 + most), 4)}


def _scored(task: Task, name: str, scorer: Scorer, data: Data, seed: int) -> Rows:
    scale = Combiner.fit([name], scorer(data.validation)[:, None].astype(np.float64), [i.label for i in data.validation], {})
    for split, items in data.measured.items():
        yield {"task": task, "model": name, "split": split, **measure(items, scale.probability({name: scorer(items)}), seed)}


def _shipped(task: Task, data: Data, seed: int, models: Path) -> Rows:
    """Yield the shipped verifier, then each of its parts alone."""
    meta = json.loads((models / task / META).read_text(encoding="utf-8"))
    on_validation, _ = parts_of(task, models, data.validation)
    combiner = Combiner.load(models / task, list(on_validation))
    labels = [item.label for item in data.validation]
    for split, items in data.measured.items():
        if split == "held-out domains" and not meta["held_out_domains"]:
            continue
        parts, _ = parts_of(task, models, items)
        yield {"task": task, "model": "shipped", "split": split, **measure(items, combiner.probability(parts), seed)}
        for name, scores in parts.items() if len(parts) > 1 else ():
            alone = Combiner.fit([name], on_validation[name][:, None], labels, {})
            yield {"task": task, "model": f"part: {name}", "split": split, **measure(items, alone.probability({name: scores}), seed)}


def _baselines(train: Sequence[Item]) -> dict[str, Scorer]:
    encode = open_encoder(DEFAULT_ENCODER).encode

    def cosine(items: Sequence[Item]) -> Array:
        goals, texts = zip(*(_sides(item.claim) for item in items), strict=True)
        return np.einsum("nd,nd->n", encode(goals), encode(texts)).astype(np.float64)

    def vectors(items: Sequence[Item]) -> npt.NDArray[np.float32]:
        goals, texts = zip(*(_sides(item.claim) for item in items), strict=True)
        a, b = encode(goals), encode(texts)
        return np.hstack([a, b, a * b, np.abs(a - b)])

    learnt = list(train[:FROZEN])
    frozen = LogisticRegression(C=0.3, max_iter=300).fit(vectors(learnt), [item.label for item in learnt])
    return {
        "count": lambda items: np.array([float(_count(item.claim)) for item in items]),
        "length": lambda items: np.array([float(sum(map(len, item.claim.segments()))) for item in items]),
        "cosine, zero-shot": cosine,
        "frozen embedding + logistic regression": lambda items: np.asarray(frozen.decision_function(vectors(items)), np.float64),
    }


def _sides(claim: Claim) -> tuple[str, str]:
    """Return the two texts whose vectors a claim is about: the goal, and everything that should serve it."""
    if isinstance(claim, ProductClaim):
        return f"{claim.objective}. {claim.step}", claim.segments()[2]
    return claim.objective, ". ".join(claim.segments()[1:])


def _count(claim: Claim) -> int:
    """Return the number of steps, or of words of a product."""
    if isinstance(claim, ProductClaim):
        return len(claim.product.split())
    return len(claim.steps)


def data_rows() -> list[dict[str, Any]]:
    """Return what the training data hold, and what their labels can be told from without understanding.

    ``cue …`` is the accuracy of bag of words, count of steps (words of a product) and length, cross-validated by pair: above .60 the
    data give themselves away.
    """
    found = []
    for task in TASKS:
        items = load_items(task)
        for name, group in (
            ("split", Counter(item.split for item in items)),
            ("label", Counter(str(item.label) for item in items)),
            ("error", Counter(item.error for item in items)),
            ("domain", Counter(item.domain for item in items)),
        ):
            found.append({"task": task, "counts of": name, **dict(group.most_common())})
        found.append({"task": task, "items": len(items), "pairs": len({item.pair for item in items}), **_cues(items)})
    judged = load_plan_items()
    found.append({"task": "t2, judged plans", "items": len(judged), **dict(Counter(item.error for item in judged))})
    return found


def _cues(items: Sequence[Item]) -> dict[str, float]:
    labels = np.array([item.label for item in items])
    texts = [" ".join(_own_text(item.claim)) for item in items]
    sizes = np.array([[_count(item.claim), sum(map(len, item.claim.segments()))] for item in items], np.float64)
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
