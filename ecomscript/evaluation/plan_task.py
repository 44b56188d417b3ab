"""How good whole plans are: needs met, products shown, constraints kept, the right answer to vague and hostile goals, and seconds."""

from __future__ import annotations

import resource
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ecomscript.errors import InputError
from ecomscript.evaluation.goals import Goal, Verdict, judge
from ecomscript.evaluation.metrics import interval_of_mean, p50_p95
from ecomscript.pipeline import Pipeline
from ecomscript.request import make_request
from ecomscript.schema import Plan


@dataclass(frozen=True, slots=True)
class Answered:
    """A goal, its plan (None when the request was refused as unusable input) and the verdict."""

    goal: Goal
    plan: Plan | None
    verdict: Verdict | None


def answer(pipeline: Pipeline, goals: Iterable[Goal]) -> list[Answered]:
    """Plan every goal once."""
    answered = []
    for goal in goals:
        try:
            plan = pipeline.run(make_request(goal.text))
            answered.append(Answered(goal, plan, judge(goal, plan)))
        except InputError:
            answered.append(Answered(goal, None, None))
    return answered


def rows(answered: Sequence[Answered], seed: int = 0) -> list[dict[str, Any]]:
    """Return one row a group, one over all goals with the timings, and one a goal."""
    groups = list(dict.fromkeys(a.goal.group for a in answered))
    summary = [{"row": "group", "group": group, **_summary([a for a in answered if a.goal.group == group], seed)} for group in groups]
    plans = [a.plan for a in answered if a.plan is not None and a.plan.status == "plan"]
    total = {
        "row": "all",
        "goals": len(answered),
        "constraint_violations": sum(len(a.verdict.violations) for a in answered if a.verdict),
        "seconds_to_first_step": _seconds([p.timings_s["first_step"] for p in plans if "first_step" in p.timings_s]),
        "seconds_to_end": _seconds([p.timings_s["total"] for p in plans]),
        "peak_memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }
    return [*summary, total, *(_detail(a) for a in answered)]


def _summary(answered: Sequence[Answered], seed: int) -> dict[str, Any]:
    verdicts = [a.verdict for a in answered if a.verdict is not None]
    coverage = [v.coverage for v in verdicts if v.coverage is not None]
    found: dict[str, Any] = {
        "goals": len(answered),
        "answered_rightly": sum(v.answered_rightly for v in verdicts),
        "avoid_hits": sum(v.avoid_hits for v in verdicts),
        "constraint_violations": sum(len(v.violations) for v in verdicts),
        "products_per_plan": round(float(np.mean([v.products for v in verdicts])), 2) if verdicts else None,
    }
    if coverage:
        found |= {
            "needs_coverage": round(float(np.mean(coverage)), 4),
            "needs_coverage_ci95": interval_of_mean(coverage, np.random.default_rng(seed)),
        }
        reachable = [sum(map(bool, a.goal.needs.values())) / len(a.goal.needs) for a in answered if a.goal.needs]
        found["needs_coverage_of_whole_catalogue"] = round(float(np.mean(reachable)), 4)
    return found


def _detail(answered: Answered) -> dict[str, Any]:
    goal, plan, verdict = answered.goal, answered.plan, answered.verdict
    row: dict[str, Any] = {"row": "goal", "id": goal.goal_id, "group": goal.group}
    if plan is None or verdict is None:
        return row | {"status": None, "answered_rightly": False}
    unmet = [need for need, kinds in goal.needs.items() if not kinds & {p.kind for p in plan.products}]
    return row | {
        "status": plan.status,
        "confidence": plan.confidence,
        "objective": plan.objective,
        "coverage": verdict.coverage,
        "products": verdict.products,
        "unmet": unmet,
        "violations": list(verdict.violations),
        "answered_rightly": verdict.answered_rightly,
    }


def _seconds(seconds: Sequence[float]) -> Mapping[str, float] | None:
    return p50_p95(seconds, 4) if seconds else None
