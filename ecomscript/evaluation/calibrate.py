"""Fit what stands over the trained adapters: the order model of T1, the calibrated combiner of each task, and what grounds are worth.

python -m ecomscript.evaluation.calibrate [--models assets/models]

Combiners are fitted on the validation split, on which training only chose its epoch. The words of the page (high, fair, low) start
where scores from five-fold cross-fitting by pair earn them, and the share that was right at each level is stored beside them. A part may
name its reason from the strength on at which it was right ``PRECISE`` of the time there. ``grounds`` are what speaks for the library's
plan that a script starts from: fitted in the same way to whether readers found whole plans plausible.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold

from ecomscript.association.vector_store import open_encoder
from ecomscript.config import ASSETS, DEFAULT_ENCODER, DEMO_CATALOG, SHIPPED_MODELS
from ecomscript.errors import EcomScriptError, InputError
from ecomscript.feedback.record import GOOD_FROM
from ecomscript.jsonl import read_lines
from ecomscript.verification.bundle import BundleVerifier
from ecomscript.verification.claims import TASKS, BundleClaim, ProductClaim, ScriptClaim, Task
from ecomscript.verification.combine import Combiner, adapter_hash, calibration_error
from ecomscript.verification.items import Item, in_split, load_gold, load_items, load_plan_items, measured_objectives
from ecomscript.verification.lora import load_adapter
from ecomscript.verification.order import OrderModel, fit_order
from ecomscript.verification.pooled import open_model
from ecomscript.verification.product import ProductVerifier
from ecomscript.verification.samples import flawed_library
from ecomscript.verification.script import ScriptVerifier
from ecomscript.verification.suite import CHOICE, GROUNDS, PARTS_OF_GROUNDS, STRONG, adapters_of

Parts = dict[str, npt.NDArray[np.float64]]
NOTHING = Combiner((), np.zeros(0), np.ones(0), np.zeros(0), 0.0, {})
"""In the place of a combiner while there is none yet."""
RATED_PLANS = ASSETS / "ratings" / "plans.jsonl.xz"
PRECISE, FEWEST = 0.85, 15
HIGH, LOW, FEW = 0.75, 0.3, 30
PROBABLY = 0.8
"""In the place of ``HIGH`` for whole plans, most of which are good."""


def fit_t1_order(folder: Path) -> None:
    """Learn the order of steps from the library, whose vectors are at hand, and write it beside the T1 adapter."""
    encode = open_encoder(DEFAULT_ENCODER).encode
    library = flawed_library(DEMO_CATALOG / "scripts", measured_objectives([*load_items("t1"), *load_gold("t1")]), encode)
    fit_order([item.claim for item in library if item.label and isinstance(item.claim, ScriptClaim)], encode).save(folder)


def parts_of(task: Task, folder: Path, items: Sequence[Item], strong: bool = False) -> tuple[Parts, Parts]:
    """Return the parts of the task's verifier for labelled items, each (n,), and the signals that may name a reason, each (n,).

    Args:
        task: One of the three.
        folder: Holds the adapters.
        items: Of the task.
        strong: Whether both sizes judge.
    """
    claims = [item.claim for item in items]
    model = open_model(adapters_of(task, folder, strong), task)
    if task == "t1":
        encode = open_encoder(DEFAULT_ENCODER).encode
        script = ScriptVerifier(model, OrderModel.load(folder / "t1"), encode, NOTHING)
        scripts = script.parts([claim for claim in claims if isinstance(claim, ScriptClaim)])
        return scripts.table, scripts.signals
    if task == "t2":
        return ProductVerifier(model, NOTHING).parts([claim for claim in claims if isinstance(claim, ProductClaim)]), {}
    bundle = BundleVerifier(model, ProductVerifier(open_model(adapters_of("t2", folder), "t2"), NOTHING), NOTHING)
    bundles = bundle.parts([claim for claim in claims if isinstance(claim, BundleClaim)])
    return bundles.table, bundles.signals


def fit_combiner(task: Task, folder: Path, strong: bool = False) -> Combiner:
    """Fit the combiner of one task, or of both its sizes, on the validation split and write it."""
    items = in_split(load_items(task), "validation")
    return _fit(adapters_of(task, folder, strong)[0], _labelled(items), *parts_of(task, folder, items, strong))


def fit_choice(folder: Path) -> Combiner:
    """Fit the calibration of the T2 adapter that chooses among products, on judged products of the validation split, and write it."""
    items = in_split(load_plan_items(), "validation")
    product = ProductVerifier(load_adapter(folder, "t2"), NOTHING)
    parts = product.parts([item.claim for item in items if isinstance(item.claim, ProductClaim)])
    return _fit(folder, _labelled(items), parts, {})


def fit_grounds(folder: Path, ratings: Path = RATED_PLANS) -> Combiner:
    """Fit P(readers find a plan plausible) to what spoke for the library's plan that it started from, and write it.

    Raises:
        InputError: The ratings, or one of their lines, cannot be used.
    """
    lines = read_lines(ratings, ("id", "plausible", *PARTS_OF_GROUNDS))
    try:
        labelled = [(int(np.mean(line.data["plausible"]) >= GOOD_FROM), str(line.data["id"])) for line in lines]
        parts = {name: np.array([float(line.data[name]) for line in lines]) for name in PARTS_OF_GROUNDS}
    except (TypeError, ValueError) as error:
        raise InputError(f"{ratings} cannot be used ({error})", "Every mark, closeness and support has to be a number.") from None
    folder.mkdir(parents=True, exist_ok=True)
    return _fit(folder, labelled, parts, {}, "plans that readers rated", PROBABLY)


def _labelled(items: Sequence[Item]) -> list[tuple[int, str]]:
    return [(item.label, item.pair) for item in items]


def _fit(
    folder: Path,
    labelled: Sequence[tuple[int, str]],
    parts: Parts,
    signals: Parts,
    fitted_on: str = "validation split",
    high: float = HIGH,
) -> Combiner:
    """Fit and write a combiner to labels, each with the group that cross-fitting keeps together."""
    labels = [label for label, _ in labelled]
    names = list(parts)
    table = np.stack([parts[name] for name in names], axis=1)
    crossed = np.zeros(len(labels))
    for fit, measured in GroupKFold(5).split(table, labels, [group for _, group in labelled]):
        fold = Combiner.fit(names, table[fit], [labels[n] for n in fit], {})
        crossed[measured] = fold.probability({name: parts[name][measured] for name in names})
    spoken = {name: starts_from(signal, 1 - np.asarray(labels), PRECISE, FEWEST) for name, signal in signals.items()}
    meta = {
        "fitted_on": fitted_on,
        "items": len(labels),
        "auc": round(float(roc_auc_score(labels, crossed)), 4),
        "ece": round(calibration_error(crossed, labels), 4),
        "levels": levels(crossed, labels, high),
        "speaks_from": {name: least for name, least in spoken.items() if least is not None},
        "adapter_sha256": adapter_hash(folder),
    }
    combiner = Combiner.fit(names, table, labels, meta)
    combiner.save(folder)
    return combiner


def starts_from(scores: npt.NDArray[np.float64], truths: npt.NDArray[np.int64], share: float, fewest: int) -> float | None:
    """Return the least score from which on at least ``share`` of the items, and ``fewest`` of them, are true; None when there is none."""
    order = np.argsort(-scores)
    counts = np.arange(1, len(order) + 1)
    last_of_its_score = np.append(np.diff(scores[order]) != 0, True)
    enough = np.flatnonzero((np.cumsum(truths[order]) / counts >= share) & (counts >= fewest) & last_of_its_score)
    return float(scores[order[enough[-1]]]) if len(enough) else None


def levels(probabilities: npt.NDArray[np.float64], labels: Sequence[int], least_high: float = HIGH) -> list[dict[str, Any]]:
    """Return for each word, the highest first, the score that it starts from and the share of items at that level whose claim held.

    "high" starts where at least ``least_high`` of the items above held, "low" ends where at most ``LOW`` of the items below did; a
    word that no ``FEW`` items earn is absent.
    """
    truth = np.asarray(labels)
    least, most = starts_from(probabilities, truth, least_high, FEW), starts_from(-probabilities, 1 - truth, 1 - LOW, FEW)
    high = np.inf if least is None else least
    low = -np.inf if most is None else -most
    words = np.where(probabilities >= high, "high", np.where(probabilities <= low, "low", "fair"))
    starts = {"high": high, "fair": max(0.0, float(np.nextafter(low, 2.0))), "low": 0.0}
    return [
        {"word": word, "from": round(float(start), 4), "items": int(at.sum()), "right": round(float(truth[at].mean()), 4)}
        for word, start in starts.items()
        if (at := words == word).any()
    ]


def main(argv: Sequence[str] | None = None) -> int:
    """Fit order model and combiners; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m ecomscript.evaluation.calibrate", description=__doc__)
    parser.add_argument("--models", type=Path, default=SHIPPED_MODELS, help="folder with the adapters t1, t2 and t3")
    parser.add_argument("--task", choices=(*TASKS, GROUNDS), action="append", help="repeatable; default: all")
    args = parser.parse_args(argv)
    chosen = args.task or (*TASKS, GROUNDS)
    try:
        if GROUNDS in chosen:
            _tell(GROUNDS, fit_grounds(args.models / GROUNDS))
        for task in (task for task in TASKS if task in chosen):
            if task == "t1":
                fit_t1_order(args.models / "t1")
            combiner = fit_combiner(task, args.models)
            if task == "t2" and (args.models / CHOICE).is_dir():
                fit_choice(args.models / CHOICE)
            if (args.models / STRONG / task).is_dir():
                fit_combiner(task, args.models, strong=True)
            _tell(task, combiner)
    except EcomScriptError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def _tell(name: str, combiner: Combiner) -> None:
    print(json.dumps({"task": name, "parts": dict(zip(combiner.names, combiner.coef.round(3), strict=True)), **combiner.meta}))


if __name__ == "__main__":
    sys.exit(main())
