"""Does it help T2 to learn why people buy before the task is learnt? Runs with and without injection, compared seed by seed.

The runs are those of ``make verifier-runs``: ``t2-inject-HOW-SEED`` with HOW none, contrastive or matching. One that is not finished
is absent.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import numpy as np
import numpy.typing as npt
from sklearn.metrics import roc_auc_score

from ecomscript.evaluation.metrics import measure
from ecomscript.evaluation.paired import compare_aucs
from ecomscript.evaluation.verifier_task import GOLD, RUNS
from ecomscript.verification.inject import Injection
from ecomscript.verification.items import Item, in_split, load_gold, load_items
from ecomscript.verification.lora import META, load_adapter
from ecomscript.verification.scoring import logits_of

Array = npt.NDArray[np.float64]
Rows = Iterator[dict[str, Any]]
NONE = "none"
INJECTIONS: tuple[str, ...] = (NONE, *get_args(Injection))


@dataclass(frozen=True, slots=True)
class Run:
    """A finished run.

    Attributes:
        data_sha256: Of what it was trained on; runs of different data are not compared.
        curve: Area under the ROC curve on validation after each epoch; empty where it was not kept.
        scores: Logits of the items by split, each (n,).
    """

    injection: str
    seed: int
    data_sha256: str
    curve: Sequence[float]
    scores: Mapping[str, Array]


def rows(seed: int, runs: Path = RUNS) -> list[dict[str, Any]]:
    """Return rows of three kinds, told apart by ``row``.

    ``curve``: validation AUC of a run after each epoch. ``measured``: AUC of a run on a split. ``summary``: mean and standard deviation
    over the seeds, and the mean difference to the run without injection of the same seed and data, with its interval over the items;
    what cannot be had from one seed, or without such a run, is absent.

    Args:
        seed: Of the bootstrap.
        runs: Folder of the runs.

    Raises:
        InputError: The items cannot be read.
        ModelError: A finished run is damaged.
    """
    splits = {"held-out": in_split(load_items("t2"), "test"), GOLD: load_gold("t2")}
    found = [run for injection in INJECTIONS for run in _finished(runs, injection, splits)]
    return [*_curves(found), *_measured(found, splits, seed), *_summaries(found, splits, seed)]


def _finished(runs: Path, injection: str, splits: Mapping[str, Sequence[Item]]) -> Iterator[Run]:
    named = {folder: re.fullmatch(rf"t2-inject-{injection}-(\d+)", folder.name) for folder in runs.glob(f"t2-inject-{injection}-*")}
    for seed, folder in sorted((int(match[1]), folder) for folder, match in named.items() if match and (folder / META).is_file()):
        model = load_adapter(folder, "t2")
        meta = json.loads((folder / META).read_text(encoding="utf-8"))
        scores = {split: logits_of(model, items).astype(np.float64) for split, items in splits.items()}
        yield Run(injection, seed, meta["data_sha256"], meta.get("validation_aucs", ()), scores)


def _curves(found: Sequence[Run]) -> Rows:
    for run in found:
        for epoch, auc in enumerate(run.curve, 1):
            yield {"row": "curve", "injection": run.injection, "seed": run.seed, "epoch": epoch, "validation_auc": auc}


def _measured(found: Sequence[Run], splits: Mapping[str, Sequence[Item]], seed: int) -> Rows:
    for run in found:
        for split, items in splits.items():
            row = measure(items, 1 / (1 + np.exp(-run.scores[split])), seed)
            told = {"row": "measured", "injection": run.injection, "seed": run.seed, "split": split, "items": len(items)}
            yield {**told, "auc": row["auc"], "auc_ci95": row["auc_ci95"]}


def _summaries(found: Sequence[Run], splits: Mapping[str, Sequence[Item]], seed: int) -> Rows:
    without = {(run.seed, run.data_sha256): run for run in found if run.injection == NONE}
    for injection in INJECTIONS:
        own = [run for run in found if run.injection == injection]
        for split, items in splits.items() if own else ():
            aucs = [roc_auc_score([item.label for item in items], run.scores[split]) for run in own]
            row = {"row": "summary", "injection": injection, "split": split, "seeds": len(own), "auc_mean": round(float(np.mean(aucs)), 4)}
            if len(own) > 1:
                row["auc_sd"] = round(float(np.std(aucs, ddof=1)), 4)
            pairs = [(run, without[run.seed, run.data_sha256]) for run in own if (run.seed, run.data_sha256) in without]
            if injection != NONE and pairs:
                first, second = (np.stack([pair[side].scores[split] for pair in pairs]) for side in (0, 1))
                both = compare_aucs(items, first, second, seed)
                row |= {"pairs": len(pairs), "difference_to_none": both.difference, "difference_ci95": both.ci95}
            yield row
