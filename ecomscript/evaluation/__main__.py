"""Run experiments and store their results under assets/benchmark/results/.

python -m ecomscript.evaluation [--task NAME …] [--seed 0] [--resume]
python -m ecomscript.evaluation --task language-model-plans|one-pass|language-model-verifiers --model NAME [--limit N]
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from ecomscript.association.encoder import Encoder
from ecomscript.association.index import IntentionIndex
from ecomscript.association.vector_store import open_encoder
from ecomscript.config import DEMO_CATALOG, Settings
from ecomscript.demo import ensure_demo
from ecomscript.errors import EcomScriptError, InputError
from ecomscript.evaluation import (
    asked_task,
    data_task,
    errors_task,
    injection_task,
    language_model_task,
    leave_out_task,
    load_task,
    page_task,
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
    written_task,
)
from ecomscript.evaluation.goals import load_goals
from ecomscript.evaluation.recorded import RecordedChat, answers_dir, file_stem
from ecomscript.evaluation.results import Result, Row, read_result, write_results
from ecomscript.folders import fingerprint
from ecomscript.learnt import INTAKE_WEIGHTS
from ecomscript.llm.choose import named_chat
from ecomscript.pipeline import Pipeline
from ecomscript.planning.intake import Intake
from ecomscript.planning.library import LIBRARY_FOLDER, Library
from ecomscript.verification.items import TRAINING, load_plan_items
from ecomscript.verification.suite import Verifiers

Rows = list[dict[str, Any]]
SHOTS = (0, 5)


@dataclass(frozen=True, slots=True)
class Options:
    """What was typed: the settings of the environment and what the options say.

    Attributes:
        model: Language model for the tasks of ``NEEDS_MODEL``.
        gguf_file: Its file of weights where it is one; for ``language-models``.
        shots: Numbers of solved examples in its prompts; for ``language-models``.
        limit: Most goals, or items of a verifier, that it is asked about; None takes what the task takes by itself.
        linear_head: Fit a head over its states instead of asking it; for ``language-models``.
    """

    settings: Settings
    seed: int
    model: str = ""
    gguf_file: str | None = None
    shots: tuple[int, ...] = SHOTS
    limit: int | None = None
    linear_head: bool = False


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


def _verifier_rows(told: Options) -> Rows:
    """Return the rows of the verifiers, with what is stored of trained variants that are not here."""
    return _with_stored("verifiers", verifier_task.rows(told.seed, told.settings.models_dir), ("task", "model", "split"), trained="seed")


def _injection(told: Options) -> Rows:
    """Return the rows of the runs, with what is stored of runs that are not here."""
    return _with_stored("injection", injection_task.rows(told.seed), ("row", "injection", "seed", "split", "epoch"), trained="injection")


def _with_stored(name: str, new: Rows, key: Sequence[str], trained: str) -> Rows:
    """Return new rows and the stored ones of the same data about runs whose folder is not here; of two summaries that of more seeds.

    Args:
        name: The experiment.
        new: Its rows of today.
        key: Fields that tell rows apart.
        trained: A field that rows about trained runs have.
    """
    stored = read_result(name)
    together = {_values(row, key): row for row in new}
    for row in stored.rows if _is_of(stored, fingerprint(TRAINING)) else ():
        now = together.get(_values(row, key))
        if trained in row and (now is None or now.get("seeds", 0) < row.get("seeds", 0)):
            together[_values(row, key)] = dict(row)
    return list(together.values())


def _language_models(told: Options) -> Rows:
    """Return the rows of the model, beside those that are stored."""
    if told.linear_head:
        rows = language_model_task.head_rows(told.model, told.seed, answers_dir(told.settings), told.gguf_file)
    else:
        rows = language_model_task.rows(told.model, told.seed, answers_dir(told.settings), told.shots, told.limit, told.gguf_file)
    return _beside("language-models", rows, told)


def _written(name: str, ways: Sequence[str], told: Options) -> Rows:
    """Return what the model's plans are worth, beside what is stored."""
    library, index, encoder = _parts(told.settings)
    intake = Intake.load(INTAKE_WEIGHTS, encoder.encode)
    parts = written_task.Parts(library, index, encoder, intake, _verifiers(told.settings))
    goals = written_task.sample(load_goals(), told.limit or written_task.GOALS)
    return _beside(name, written_task.rows(parts, _chat(told), goals, ways, told.settings, told.seed), told)


def _asked(told: Options) -> Rows:
    return _beside("language-model-verifiers", asked_task.rows(_chat(told), told.seed, told.limit or asked_task.ITEMS), told)


def _chat(told: Options) -> RecordedChat:
    """Return the model, its answers kept in the cache folder."""
    model = named_chat(told.settings, told.model)
    return RecordedChat(model, answers_dir(told.settings) / f"{file_stem(model.name)}-answers.jsonl")


def _is_of(stored: Result, data: str, seed: int | None = None) -> bool:
    """Return whether a result is whole and about the same data, and the seed if one is given."""
    source = stored.source
    return not stored.problem and source.data_sha256 == data and (seed is None or list(source.seeds) == [seed])


def _beside(name: str, new: Rows, told: Options) -> Rows:
    """Return new rows after the stored ones; of the same model asked the same way those of the larger run, of two alike the new ones.

    What is stored of other data or another seed is no larger run of the same.
    """
    result = read_result(name)
    stored, fresh = _groups(result.rows), _groups(new)
    alike = _is_of(result, fingerprint(EXPERIMENTS[name].data), told.seed)
    larger = [key for key in fresh if alike and key in stored and _size(stored[key]) > _size(fresh[key])]
    if larger:
        _tell(f"{name}: a larger run of this model is stored already; its rows stay")
    together = stored | {key: rows for key, rows in fresh.items() if key not in larger}
    return [row for rows in together.values() for row in rows]


def _groups(rows: Sequence[Row]) -> dict[tuple[Any, ...], Rows]:
    """Return rows by what a run of a language model gives once, or once a goal."""
    groups: dict[tuple[Any, ...], Rows] = {}
    for row in rows:
        groups.setdefault(_values(row, ("model", "row", "way", "task", "prompt")), []).append(dict(row))
    return groups


def _values(row: Row, fields: Sequence[str]) -> tuple[Any, ...]:
    return tuple(row.get(field) for field in fields)


def _size(rows: Rows) -> int:
    """Return how many items or goals rows of one group are about."""
    return sum(row.get("goals") or row.get("items", 0) + row.get("unclear", 0) or 1 for row in rows)


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
    "verifiers": Experiment(_verifier_rows, TRAINING),
    "product-precision": Experiment(lambda told: precision_task.rows(told.settings, told.seed), TRAINING),
    "verify-speed": Experiment(lambda told: speed_task.rows(told.settings, told.seed), TRAINING),
    "injection": Experiment(_injection, TRAINING),
    "transfer": Experiment(lambda told: transfer_task.rows(told.seed), TRAINING),
    "errors": Experiment(lambda told: errors_task.rows(told.settings.models_dir), TRAINING),
    "language-models": Experiment(_language_models, TRAINING),
    "language-model-plans": Experiment(partial(_written, "language-model-plans", (written_task.LIBRARY, written_task.PLANNER))),
    "one-pass": Experiment(partial(_written, "one-pass", written_task.WAYS)),
    "language-model-verifiers": Experiment(_asked, TRAINING),
    "load": Experiment(lambda told: load_task.rows(told.seed)),
    "page-speed": Experiment(lambda told: page_task.rows(told.settings.chromium)),
}
NEEDS_MODEL = ("language-models", "language-model-plans", "one-pass", "language-model-verifiers")
ASKED_FOR = (*NEEDS_MODEL, "load", "page-speed")
"""What runs only when it is named, since it needs a language model or the whole machine."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the chosen tasks and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m ecomscript.evaluation", description=__doc__)
    parser.add_argument("--task", choices=list(EXPERIMENTS), action="append", help=f"repeatable; default: all but {', '.join(ASKED_FOR)}")
    parser.add_argument("--seed", type=int, default=0)
    resume = "leave out what is stored already for the same data and seed; language models go on by their kept answers"
    parser.add_argument("--resume", action="store_true", help=resume)
    parser.add_argument("--model", default="", help=f"language model, for {', '.join(NEEDS_MODEL)}")
    parser.add_argument("--limit", type=int, help="most goals, or items of a verifier, that the language model is asked about")
    parser.add_argument("--gguf-file", help="its file of weights in that folder, where it is one")
    parser.add_argument("--shots", type=int, action="append", help="solved examples in its prompts (repeatable; default: 0 and 5)")
    parser.add_argument("--linear-head", action="store_true", help="language-models: a head over its states, for T2, instead of asking it")
    args = parser.parse_args(argv)
    try:
        settings = replace(Settings.from_env(), index_dir=None, planner="library")  # results name the demo catalogue
        told = Options(settings, args.seed, args.model, args.gguf_file, tuple(args.shots or SHOTS), args.limit, args.linear_head)
        if args.limit is not None and args.limit < 2:
            raise InputError(f"--limit is {args.limit}", "Give at least 2.")
        for name in args.task or [name for name in EXPERIMENTS if name not in ASKED_FOR]:
            if name in NEEDS_MODEL and not args.model:
                raise InputError(f"--task {name} needs a language model", "Add --model with its name at the service, or a folder.")
            experiment = EXPERIMENTS[name]
            data = fingerprint(experiment.data)
            stored = read_result(name)
            if args.resume and name not in NEEDS_MODEL and _is_of(stored, data, args.seed):
                print(f"{name}: stored already")
                continue
            rows = experiment.run(told)
            if name in NEEDS_MODEL and rows == [dict(row) for row in stored.rows]:
                print(f"{name}: nothing new to store")
                continue
            command = f"python -m ecomscript.evaluation --task {name} --seed {args.seed}"
            command += f" --model {_shown(args.model)}" if name in NEEDS_MODEL else ""
            command += f" --limit {args.limit}" if args.limit else ""
            command += "".join(f" --shots {count}" for count in args.shots or ())
            command += f" --gguf-file {args.gguf_file}" if args.gguf_file else ""
            command += " --linear-head" if args.linear_head else ""
            path = write_results(name, command, rows, data, [args.seed])
            for row in rows:
                if row.get("row") not in {"goal", "case"}:
                    print(json.dumps(row, ensure_ascii=False))
            print(f"stored in {path}")
    except EcomScriptError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def _shown(model: str) -> str:
    """Return a model's name without the folders of this machine."""
    return Path(model).name if Path(model).exists() else model


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
