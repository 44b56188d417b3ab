"""Do the scores mean anything for people? Plans for goals of no data set, rated by careful readers, held against T1, T2 and T3.

python -m ecomscript.evaluation.study_task --plans FILE --scores FILE    make the plans and score them
python -m ecomscript.evaluation.study_task --score FILE --scores FILE    score plans made before, with the models of today

Readers rate what is in the file of plans, which holds no score, on the sheets of ``SHEETS``, each from 1 (not at all) to 5 (fully).
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path

import numpy as np

from ecomscript.config import ASSETS, Settings
from ecomscript.errors import EcomScriptError, InputError
from ecomscript.evaluation.metrics import fleiss_kappa, in_three, rank_correlation
from ecomscript.evaluation.study_plans import GOALS, SCORED, Row, collect, key_of, read_goals, read_plans, read_unique, score
from ecomscript.feedback.record import GOOD_FROM, SHEETS
from ecomscript.jsonl import read_lines, write_lines
from ecomscript.pipeline import Pipeline

RATINGS = ASSETS / "benchmark" / "study.jsonl"
SCORES = ASSETS / "benchmark" / "study-scores.jsonl"
GOOD_BY = {"t1": "plausible", "t2": "products_fit", "t3": "overall"}
"""For each verifier the rating whose mean makes a plan good, from ``GOOD_FROM`` on."""
BINS = 5


@dataclass(frozen=True, slots=True)
class Rating:
    """What one reader says of one plan; ``marks`` holds a whole number from 1 to 5 for each of ``SHEETS``."""

    plan_id: str
    reader: str
    marks: Mapping[str, int]
    note: str


def read_ratings(path: Path = RATINGS) -> list[Rating]:
    """Return the ratings of a file with one line per plan and reader.

    Raises:
        InputError: The file or one of its lines cannot be used; the message names the line.
    """
    found: dict[tuple[str, str], Rating] = {}
    for line in read_lines(path, ("id", "reader", *SHEETS, "note")):
        key = (key_of(line, "id"), key_of(line, "reader"))
        if key in found:
            raise line.error(f"{key[1]} has rated {key[0]} on an earlier line too", "Keep one of the two.")
        marks = {sheet: line.data[sheet] for sheet in SHEETS}
        for sheet, mark in marks.items():
            if type(mark) is not int or not 1 <= mark <= 5:
                raise line.error(f"{sheet!r} is {mark!r}, expected a whole number from 1 to 5")
        if not isinstance(line.data["note"], str):
            raise line.error("'note' is not a text")
        found[key] = Rating(*key, marks, line.data["note"])
    return list(found.values())


def read_scores(path: Path = SCORES) -> list[Row]:
    """Return the stored scores of plans.

    Raises:
        InputError: The file or one of its lines cannot be used; the message names the line.
    """
    lines = read_unique(path, SCORED)
    for line in lines:
        for name in SCORED:
            value = line.data[name]
            if value is not None and (type(value) not in (int, float) or not 0 <= value <= 1):  # NaN fails the comparison too
                raise line.error(f"{name!r} is {value!r}, expected a number from 0 to 1, or null", "Score the plans again with --score.")
    return [line.data for line in lines]


def rows(ratings: Sequence[Rating], scores: Sequence[Row], seed: int = 0) -> list[Row]:
    """Return one row a rated plan, then correlations, reliability and the agreement of the readers; null where undefined.

    Raises:
        InputError: A rated plan has no scores.
    """
    by_id = {row["id"]: row for row in scores}
    by_plan: defaultdict[str, list[Rating]] = defaultdict(list)
    for rating in ratings:
        by_plan[rating.plan_id].append(rating)
    for key in by_plan:
        if key not in by_id:
            raise InputError(f"The plan {key} was rated but has no scores", "Score the plans again with --score.")
    plans = [_plan(key, given, by_id[key]) for key, given in by_plan.items()]
    return [*plans, *_correlations(plans, seed), *_reliability(plans), *_agreement(list(by_plan.values()))]


def _plan(key: str, given: Sequence[Rating], scores: Row) -> Row:
    means = {sheet: _mean([rating.marks[sheet] for rating in given]) for sheet in SHEETS}
    overall = _mean([rating.marks[sheet] for rating in given for sheet in SHEETS])
    told = {"goal": scores.get("goal"), "readers": len(given)}
    return {"row": "plan", "id": key, **told, **means, "overall": overall, **{name: scores[name] for name in SCORED}}


def _correlations(plans: Sequence[Row], seed: int) -> list[Row]:
    """Return the rank correlation of every score with every rating."""
    found = []
    for name in SCORED:
        scored = [plan for plan in plans if plan[name] is not None]
        x = np.array([plan[name] for plan in scored], np.float64)
        for rating in (*SHEETS, "overall"):
            y = np.array([plan[rating] for plan in scored], np.float64)
            row: Row = {"row": "correlation", "score": name, "rating": rating, "plans": len(scored)}
            found.append(row | rank_correlation(x, y, seed))
    return found


def _reliability(plans: Sequence[Row]) -> list[Row]:
    """Return for each verifier the share of good plans in bins of equal count, the lowest scores first."""
    found: list[Row] = []
    for task, rating in GOOD_BY.items():
        ordered = sorted((plan for plan in plans if plan[task] is not None), key=lambda plan: plan[task])
        for places in np.array_split(np.arange(len(ordered)), BINS):
            if not len(places):
                continue
            scores = [ordered[n][task] for n in places]
            good = [ordered[n][rating] >= GOOD_FROM for n in places]
            row: Row = {"row": "reliability", "task": task, "from": scores[0], "to": scores[-1], "plans": len(places)}
            found.append(row | {"mean_score": _mean(scores), "share_good": _mean(good)})
    return found


def _agreement(by_plan: Sequence[Sequence[Rating]]) -> list[Row]:
    """Return for each sheet how far readers agree, over the plans that most readers rated; nothing while no plan has two."""
    readers = max(map(len, by_plan), default=0)
    if readers < 2:
        return []
    shared = [given for given in by_plan if len(given) == readers]
    found = []
    for sheet in SHEETS:
        marks = [[rating.marks[sheet] for rating in given] for given in shared]
        kappa = fleiss_kappa([in_three(of) for of in marks])
        apart = [abs(a - b) for of in marks for a, b in combinations(of, 2)]
        row: Row = {"row": "agreement", "sheet": sheet, "readers": readers, "plans": len(shared)}
        found.append(row | {"kappa": None if kappa is None else round(kappa, 4), "mean_difference": _mean(apart)})
    return found


def _mean(values: Sequence[float]) -> float:
    return round(float(np.mean(values)), 4)


def main(argv: Sequence[str] | None = None) -> int:
    """Make and score plans, or score stored ones; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m ecomscript.evaluation.study_task", description=__doc__, allow_abbrev=False)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--plans", type=Path, help="JSONL file to write plans of the study's goals to")
    source.add_argument("--score", type=Path, help="JSONL file with plans made before")
    parser.add_argument("--scores", type=Path, required=True, help="JSONL file to write the scores to")
    parser.add_argument("--goals", type=Path, default=GOALS)
    args = parser.parse_args(argv)
    try:
        settings = replace(Settings.from_env(), index_dir=None, planner="library")  # the study is about the demo catalogue
        if args.plans is not None:
            goals = read_goals(args.goals)
            pipeline = Pipeline.open(settings, _tell)
            collected = collect(pipeline, goals)
            write_lines(args.plans, collected.plans)
            for key, status in collected.left_out.items():
                _tell(f"{key} got no plan but {status!r} and is left out")
            plans = read_plans(args.plans)
        else:
            plans = read_plans(args.score)
            pipeline = Pipeline.open(settings, _tell)
        write_lines(args.scores, score(plans, pipeline.reviewer.verifiers, pipeline.product))
    except EcomScriptError as error:
        _tell(str(error))
        return 2
    _tell(f"{len(plans)} plans scored, stored in {args.scores}")
    return 0


def _tell(line: str) -> None:
    sys.stderr.write(f"{line}\n")


if __name__ == "__main__":
    sys.exit(main())
