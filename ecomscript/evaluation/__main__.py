"""Run experiments and store their results under assets/benchmark/results/.

python -m ecomscript.evaluation [--task NAME …] [--seed 0] [--resume]
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ecomscript.association.encoder import Encoder
from ecomscript.association.index import IntentionIndex
from ecomscript.association.vector_store import open_encoder
from ecomscript.config import DEMO_CATALOG, Settings
from ecomscript.demo import ensure_demo
from ecomscript.errors import EcomScriptError, InputError
from ecomscript.evaluation import (
    data_task,
    errors_task,
    injection_task,
    language_model_task,
    leave_out_task,
    plan_task,
    precision_task,
    reading_task,
    retrieval_task,
    signals_task,
    speed_task,
    study_task,
    threshold_task,
    transfer_task,
    verifier_task,
)
from ecomscript.evaluation.goals import load_goals
from ecomscript.evaluation.results import read_result, write_results
from ecomscript.folders import fingerprint
from ecomscript.learnt import INTAKE_WEIGHTS
from ecomscript.pipeline import Pipeline
from ecomscript.planning.intake import Intake
from ecomscript.planning.library import LIBRARY_FOLDER, Library
from ecomscript.verification.items import TRAINING, load_plan_items
from ecomscript.verification.suite import Verifiers

Rows = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Options:
    """What was typed: the settings of the environment and what the options say.

    Attributes:
        model: Language model for ``language-models``.
        gguf_file: Its file of weights where it is one.
    """

    settings: Settings
    seed: int
    model: str = ""
    gguf_file: str | None = None


def _plan(told: Options) -> Rows:
    pipeline = Pipeline.open(told.settings, _tell)
    return plan_task.rows(plan_task.answer(pipeline, load_goals()), told.seed)


def _retrieval(told: Options) -> Rows:
    return retrieval_task.rows(*_parts(told.settings), _verifiers(told.settings), told.seed)


def _gap(told: Options) -> Rows:
    return retrieval_task.gap_rows(*_parts(told.settings), told.seed)


def _threshold(told: Options) -> Rows:
    return threshold_task.rows(*_parts(told.settings), _verifiers(told.settings), told.seed)


def _leave_out(told: Options) -> Rows:
    library, index, encoder = _parts(told.settings)
    return leave_out_task.rows(library, index, encoder, Intake.load(INTAKE_WEIGHTS, encoder.encode), told.seed)


def _curve(told: Options) -> Rows:
    library, index, encoder = _parts(told.settings)
    return leave_out_task.curve_rows(library, index, encoder, Intake.load(INTAKE_WEIGHTS, encoder.encode), told.seed)


def _signals(told: Options) -> Rows:
    _, index, encoder = _parts(told.settings)
    return signals_task.rows(index, encoder, _verifiers(told.settings), load_plan_items(), told.seed)


def _language_models(told: Options) -> Rows:
    """Return the rows of the model, beside those of other models that are stored."""
    if not told.model:
        raise InputError("--task language-models needs a language model", "Add --model with a hub name or a folder.")
    new = language_model_task.rows(told.model, told.seed, gguf_file=told.gguf_file)
    names = {row["model"] for row in new}
    return [*(dict(row) for row in read_result("language-models").rows if row.get("model") not in names), *new]


@dataclass(frozen=True, slots=True)
class Experiment:
    """What is run, and the folder of the data that it is about."""

    run: Callable[[Options], Rows]
    data: Path = DEMO_CATALOG


EXPERIMENTS: dict[str, Experiment] = {
    "plan": Experiment(_plan),
    "retrieval": Experiment(_retrieval),
    "semantic-gap": Experiment(_gap),
    "threshold": Experiment(_threshold),
    "leave-out": Experiment(_leave_out),
    "learning-curve": Experiment(_curve),
    "reading": Experiment(lambda _: reading_task.rows()),
    "study": Experiment(lambda told: study_task.rows(study_task.read_ratings(), study_task.read_scores(), told.seed)),
    "signals": Experiment(_signals, TRAINING),
    "training-data": Experiment(lambda _: data_task.rows(), TRAINING),
    "verifiers": Experiment(lambda told: verifier_task.rows(told.seed, told.settings.models_dir), TRAINING),
    "product-precision": Experiment(lambda told: precision_task.rows(told.settings, told.seed), TRAINING),
    "verify-speed": Experiment(lambda told: speed_task.rows(told.settings, told.seed), TRAINING),
    "injection": Experiment(lambda told: injection_task.rows(told.seed), TRAINING),
    "transfer": Experiment(lambda told: transfer_task.rows(told.seed), TRAINING),
    "errors": Experiment(lambda told: errors_task.rows(told.settings.models_dir), TRAINING),
    "language-models": Experiment(_language_models, TRAINING),
}
ASKED_FOR = ("language-models",)
"""What runs only when it is named, since it needs more than the repository."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the chosen tasks and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m ecomscript.evaluation", description=__doc__)
    parser.add_argument("--task", choices=list(EXPERIMENTS), action="append", help="repeatable; default: all but language-models")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--resume", action="store_true", help="leave out what is stored already for the same data and seed")
    parser.add_argument("--model", default="", help="language model for language-models: a hub name or a folder")
    parser.add_argument("--gguf-file", help="its file of weights in that folder, where it is one")
    args = parser.parse_args(argv)
    try:
        settings = replace(Settings.from_env(), index_dir=None)  # results name the demo catalogue, so they are about it
        told = Options(settings, args.seed, args.model, args.gguf_file)
        for name in args.task or [name for name in EXPERIMENTS if name not in ASKED_FOR]:
            experiment = EXPERIMENTS[name]
            data = fingerprint(experiment.data)
            stored = read_result(name).source
            if args.resume and not stored.problem and (stored.data_sha256, tuple(stored.seeds)) == (data, (args.seed,)):
                print(f"{name}: stored already")
                continue
            rows = experiment.run(told)
            command = f"python -m ecomscript.evaluation --task {name} --seed {args.seed}" + (" --model NAME" if name in ASKED_FOR else "")
            path = write_results(name, command, rows, data, [args.seed])
            for row in rows:
                if row.get("row") not in {"goal", "case"}:
                    print(json.dumps(row, ensure_ascii=False))
            print(f"stored in {path}")
    except EcomScriptError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def _verifiers(settings: Settings) -> Verifiers:
    return Verifiers.load(open_encoder(settings.encoder, settings.threads).encode, settings.models_dir)


def _parts(settings: Settings) -> tuple[Library, IntentionIndex, Encoder]:
    demo = ensure_demo(settings, _tell)
    encoder = open_encoder(settings.encoder, settings.threads)
    return Library.load(demo / LIBRARY_FOLDER, settings.encoder), IntentionIndex.load(demo, settings.encoder), encoder


def _tell(line: str) -> None:
    print(line, file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
