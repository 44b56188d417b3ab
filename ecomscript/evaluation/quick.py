"""Are the stored numbers still what the code gives? A sample of every experiment is made again and held against its results file.

python -m ecomscript.evaluation.quick [--only NAME]

A number that has moved by more than its tolerance, or a row that is no longer there, is named, and the exit status is 2.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ecomscript.config import Settings
from ecomscript.errors import EcomScriptError
from ecomscript.evaluation import data_task, plan_task, reading_task, study_task, verifier_task
from ecomscript.evaluation.goals import load_goals
from ecomscript.evaluation.results import RESULTS, Row, read_result
from ecomscript.pipeline import Pipeline
from ecomscript.verification.claims import TASKS

SAME = 1e-6
"""Tolerance of what is counted."""
ROUNDING = 0.01
"""Tolerance of what a model computes: other processors round bfloat16 in other ways."""
GOALS = "everyday"
"""The group of goals that are planned again."""


@dataclass(frozen=True, slots=True)
class Check:
    """One results file and how some of its rows are made again.

    Attributes:
        name: Name of the results file.
        rows: Makes the rows.
        keys: Fields that say which row is which.
        values: Numbers that are compared.
        tolerance: Largest difference that counts as the same.
    """

    name: str
    rows: Callable[[Settings, int], list[dict[str, Any]]]
    keys: tuple[str, ...]
    values: tuple[str, ...]
    tolerance: float


def _verifiers(settings: Settings, seed: int) -> list[dict[str, Any]]:
    return [row for task in TASKS for row in verifier_task.gold_rows(task, seed, settings.models_dir)]


def _plans(settings: Settings, seed: int) -> list[dict[str, Any]]:
    goals = [goal for goal in load_goals() if goal.group == GOALS]
    return [row for row in plan_task.rows(plan_task.answer(Pipeline.open(settings), goals), seed) if row["row"] == "group"]


def _study(settings: Settings, seed: int) -> list[dict[str, Any]]:  # noqa: ARG001 (all checks are called alike)
    return [r for r in study_task.rows(study_task.read_ratings(), study_task.read_scores(), seed) if r["row"] == "correlation"]


CHECKS = (
    Check("training-data", lambda *_: data_task.counts(), ("task", "counts of"), ("train", "test", "validation"), SAME),
    Check("reading", lambda *_: reading_task.rows(), ("confidence",), ("plans", "products", "off", "share_off"), SAME),
    Check("study", _study, ("score", "rating"), ("plans", "spearman"), SAME),
    Check("verifiers", _verifiers, ("task", "model", "split"), ("items", "auc", "accuracy"), ROUNDING),
    Check("plan", _plans, ("row", "group"), ("goals", "needs_coverage", "products_per_plan", "constraint_violations"), ROUNDING),
)


def differences(check: Check, stored: Sequence[Row], made: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return a sentence for each number that the stored rows give otherwise, and for each row that they lack."""
    known = {tuple(row.get(key) for key in check.keys): row for row in stored}
    if not made:
        return [f"{check.name}: nothing was made"]
    found = []
    for row in made:
        which = tuple(row.get(key) for key in check.keys)
        about = f"{check.name}, {', '.join(map(str, which))}"
        if which not in known:
            found.append(f"{about}: not in the results file")
            continue
        for value in check.values:
            before, now = known[which].get(value), row.get(value)
            if (before is None) != (now is None) or (now is not None and abs(before - now) > check.tolerance):
                found.append(f"{about}: {value} is {now}, stored is {before}")
    return found


def main(argv: Sequence[str] | None = None, folder: Path = RESULTS) -> int:
    """Check all files, or those named; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m ecomscript.evaluation.quick", description=__doc__)
    parser.add_argument("--only", choices=[check.name for check in CHECKS], action="append", help="repeatable; default: all")
    args = parser.parse_args(argv)
    found = []
    try:
        settings = replace(Settings.from_env(), index_dir=None, planner="library")
        for check in CHECKS:
            if args.only and check.name not in args.only:
                continue
            result = read_result(check.name, folder)
            made = check.rows(settings, result.source.seeds[0] if result.source.seeds else 0)
            wrong = [f"{check.name}: {result.problem}"] if result.problem else differences(check, result.rows, made)
            print(f"{check.name}: {len(made)} rows made again, {len(wrong) or 'nothing'} different")
            found += wrong
    except EcomScriptError as error:
        found.append(str(error))
    for sentence in found:
        print(sentence, file=sys.stderr)
    return 2 if found else 0


if __name__ == "__main__":
    sys.exit(main())
