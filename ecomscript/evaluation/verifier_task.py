"""The verifiers against baselines: on our held-out split, held-out domains, judged products of plans, and the gold development items.

Every scorer is put on one scale by a logistic regression over its score, fitted on the validation split; what is measured was
neither trained nor fitted on. Adapters of other settings (``make verifier-runs``) are measured where their folders are found.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ecomscript.association.vector_store import open_encoder
from ecomscript.config import DEFAULT_ENCODER, PROJECT_ROOT, SHIPPED_MODELS
from ecomscript.evaluation.baselines import Scorer, baselines
from ecomscript.evaluation.calibrate import parts_of
from ecomscript.evaluation.metrics import measure
from ecomscript.verification.claims import TASKS, ProductClaim, Task
from ecomscript.verification.combine import Combiner
from ecomscript.verification.items import Item, in_split, load_gold, load_items, load_plan_items
from ecomscript.verification.lora import META, SegmentModel, load_adapter
from ecomscript.verification.product import ProductVerifier
from ecomscript.verification.scoring import logits_of
from ecomscript.verification.suite import CHOICE, STRONG, adapters_of

Array = npt.NDArray[np.float64]
Rows = Iterator[dict[str, Any]]
GOLD, HELD_OUT = "gold dev", "held-out"
RUNS = PROJECT_ROOT / "build" / "verifiers"
"""Where adapters of other settings are kept for comparison."""
RUN_NAMES = {
    "paper": "LoRA, the paper's settings",
    "held-out-domains": "LoRA without the held-out domains",
}
"""Folder of a run, without its task → what results call it."""


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
        measured = {HELD_OUT: in_split(items, "test"), "held-out domains": in_split(items, "domain")}
        if task == "t2":
            measured["judged plans"] = in_split(load_plan_items(), "test")
        measured[GOLD] = load_gold(task)
        return cls(in_split(items, "train"), in_split(items, "validation"), measured)


def rows(seed: int, models: Path = SHIPPED_MODELS, runs: Path = RUNS) -> list[dict[str, Any]]:
    """Return one row for each task, scorer and split: see ``metrics.measure``.

    Rows of adapters in ``runs`` also have the ``seed`` and the ``base`` that they were trained with.

    Raises:
        InputError: The items cannot be read.
        ModelError: A shipped model is missing, or one of the models is damaged.
    """
    return [row for task in TASKS for row in _task_rows(task, Data.of(task), seed, models, runs)]


def gold_rows(task: Task, seed: int, models: Path = SHIPPED_MODELS) -> list[dict[str, Any]]:
    """Return the one of ``rows`` that is about the shipped verifier on the gold development items: the quick part."""
    items = load_gold(task)
    parts, _ = parts_of(task, models, items)
    combiner = Combiner.load(models / task, list(parts))
    return [{"task": task, "model": "shipped", "split": GOLD, **measure(items, combiner.probability(parts), seed)}]


def _task_rows(task: Task, data: Data, seed: int, models: Path, runs: Path) -> Rows:
    for split, items in data.measured.items():
        yield {"task": task, "model": "majority", "split": split, **_majority(items)}
        chance = np.random.default_rng(seed).random(len(items))
        yield {"task": task, "model": "random", "split": split, **measure(items, chance, seed)}
    for name, scorer in baselines(data.train, open_encoder(DEFAULT_ENCODER).encode).items():
        yield from scored(task, name, scorer, data, seed)
    yield from _shipped(task, data, seed, models)
    for folder in sorted(runs.glob(f"{task}-*")):
        if (folder / META).is_file():
            model = load_adapter(folder, task)
            meta = json.loads((folder / META).read_text(encoding="utf-8"))
            name = run_name(folder.name.removeprefix(f"{task}-"))
            told = {"seed": meta["train"]["seed"], "base": meta["base_model"]}
            for row in scored(task, name, _adapter(model), data, seed):
                # An adapter that saw the held-out domains is not measured on them.
                if row["split"] != "held-out domains" or meta["held_out_domains"]:
                    yield row | told


def run_name(run: str) -> str:
    """Return how a run of ``make verifier-runs`` is called in results; another run goes by the name of its folder."""
    if run.startswith("inject-"):
        how, _, seed = run.removeprefix("inject-").rpartition("-")
        return f"LoRA, no injection, seed {seed}" if how == "none" else f"LoRA after {how} injection, seed {seed}"
    return RUN_NAMES.get(run, f"LoRA, {run}")


def _adapter(model: SegmentModel) -> Scorer:
    return lambda items: logits_of(model, items).astype(np.float64)


def _majority(items: Sequence[Item]) -> dict[str, Any]:
    share = float(np.mean([item.label for item in items]))
    most = max(share, 1 - share)
    return {"items": len(items), "accuracy": round(most, 4), "auc": 0.5, "macro_f1": round(most / (1 + most), 4)}


def scored(task: Task, name: str, scorer: Scorer, data: Data, seed: int) -> Rows:
    """Yield a row for each split that is measured, the scores put on the scale of probabilities by the validation items."""
    scale = Combiner.fit([name], scorer(data.validation)[:, None].astype(np.float64), [i.label for i in data.validation], {})
    for split, items in data.measured.items():
        yield {"task": task, "model": name, "split": split, **measure(items, scale.probability({name: scorer(items)}), seed)}


def _shipped(task: Task, data: Data, seed: int, models: Path) -> Rows:
    """Yield the shipped verifier, then each of its parts alone; both sizes together; for T2 also the large one alone and the one for plans.

    No shipped verifier is measured on the held-out domains, which it may have seen.
    """
    on_validation, _ = parts_of(task, models, data.validation)
    combiner = Combiner.load(models / task, list(on_validation))
    labels = [item.label for item in data.validation]
    unseen = {split: items for split, items in data.measured.items() if split != "held-out domains"}
    for split, items in unseen.items():
        parts, _ = parts_of(task, models, items)
        yield {"task": task, "model": "shipped", "split": split, **measure(items, combiner.probability(parts), seed)}
        for name, scores in parts.items() if len(parts) > 1 else ():
            alone = Combiner.fit([name], on_validation[name][:, None], labels, {})
            yield {"task": task, "model": f"part: {name}", "split": split, **measure(items, alone.probability({name: scores}), seed)}
    if (models / STRONG / task).is_dir():
        both, *_ = adapters_of(task, models, strong=True)
        pooled = Combiner.load(both, list(on_validation))
        for split, items in unseen.items():
            parts, _ = parts_of(task, models, items, strong=True)
            yield {"task": task, "model": "shipped, both bases", "split": split, **measure(items, pooled.probability(parts), seed)}
        if task == "t2":
            large = _adapter(load_adapter(models / STRONG / task, task))
            yield from (row for row in scored(task, "shipped, large base alone", large, data, seed) if row["split"] in unseen)
    if task == "t2" and (models / CHOICE).is_dir():
        choice = ProductVerifier.load([models / CHOICE])
        for split, items in unseen.items():
            claims = [item.claim for item in items if isinstance(item.claim, ProductClaim)]
            yield {"task": task, "model": "shipped, for plans", "split": split, **measure(items, choice.scores(claims), seed)}
