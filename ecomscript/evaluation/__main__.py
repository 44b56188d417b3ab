"""Run experiments and store their results under assets/benchmark/results/.

python -m ecomscript.evaluation [--task plan|retrieval|threshold|leave-out|reading|
    training-data|verifiers|product-precision|verify-speed] [--seed 0]
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from ecomscript.association.encoder import Encoder
from ecomscript.association.index import IntentionIndex
from ecomscript.association.vector_store import open_encoder
from ecomscript.config import DEMO_CATALOG, Settings
from ecomscript.demo import ensure_demo
from ecomscript.errors import EcomScriptError
from ecomscript.evaluation import leave_out_task, plan_task, precision_task, reading_task, retrieval_task, speed_task, verifier_task
from ecomscript.evaluation.goals import load_goals
from ecomscript.evaluation.results import write_results
from ecomscript.folders import fingerprint
from ecomscript.learnt import INTAKE_WEIGHTS
from ecomscript.pipeline import Pipeline
from ecomscript.planning.intake import Intake
from ecomscript.planning.library import LIBRARY_FOLDER, Library
from ecomscript.verification.items import TRAINING

Rows = list[dict[str, Any]]


def _plan(settings: Settings, seed: int) -> Rows:
    pipeline = Pipeline.open(settings, _tell)
    return plan_task.rows(plan_task.answer(pipeline, load_goals()), seed)


def _retrieval(settings: Settings, seed: int) -> Rows:
    return retrieval_task.rows(*_parts(settings), seed)


def _threshold(settings: Settings, seed: int) -> Rows:
    return retrieval_task.threshold_rows(*_parts(settings), seed)


def _leave_out(settings: Settings, seed: int) -> Rows:
    library, index, encoder = _parts(settings)
    return leave_out_task.rows(library, index, encoder, Intake.load(INTAKE_WEIGHTS, encoder.encode), seed)


def _reading(settings: Settings, seed: int) -> Rows:  # noqa: ARG001 (all tasks are called alike)
    return reading_task.rows()


def _training_data(settings: Settings, seed: int) -> Rows:  # noqa: ARG001
    return verifier_task.data_rows()


def _verifiers(settings: Settings, seed: int) -> Rows:
    return verifier_task.rows(seed, settings.models_dir)


TASKS: dict[str, Callable[[Settings, int], Rows]] = {
    "plan": _plan,
    "retrieval": _retrieval,
    "threshold": _threshold,
    "leave-out": _leave_out,
    "reading": _reading,
}
VERIFIER_TASKS: dict[str, Callable[[Settings, int], Rows]] = {
    "training-data": _training_data,
    "verifiers": _verifiers,
    "product-precision": precision_task.rows,
    "verify-speed": speed_task.rows,
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the chosen tasks and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m ecomscript.evaluation", description="Run experiments and store their results.")
    parser.add_argument("--task", choices=sorted({**TASKS, **VERIFIER_TASKS}), action="append", help="repeatable; default: all about plans")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args(argv)
    try:
        settings = replace(Settings.from_env(), index_dir=None)  # results name the demo catalogue, so they are about it
        for name in args.task or TASKS:
            rows = (TASKS | VERIFIER_TASKS)[name](settings, args.seed)
            command = f"python -m ecomscript.evaluation --task {name} --seed {args.seed}"
            path = write_results(name, command, rows, fingerprint(TRAINING if name in VERIFIER_TASKS else DEMO_CATALOG), [args.seed])
            for row in rows:
                if row.get("row") != "goal":
                    print(json.dumps(row, ensure_ascii=False))
            print(f"stored in {path}")
    except EcomScriptError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def _parts(settings: Settings) -> tuple[Library, IntentionIndex, Encoder]:
    demo = ensure_demo(settings, _tell)
    encoder = open_encoder(settings.encoder, settings.threads)
    return Library.load(demo / LIBRARY_FOLDER, settings.encoder), IntentionIndex.load(demo, settings.encoder), encoder


def _tell(line: str) -> None:
    print(line, file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
