"""Shopping goals with what a sensible person would buy for them, and how a plan is held against that."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ecomscript.association.eligibility import Eligibility
from ecomscript.config import ASSETS
from ecomscript.folders import read_rows
from ecomscript.schema import Constraints, Plan, Status

GOALS = ASSETS / "benchmark" / "goals.dev.jsonl"
JUDGEMENTS = ASSETS / "benchmark" / "needs.dev.jsonl"

_EXPECTED = re.compile(r"^(CLARIFY\+PLAN|CLARIFY|PLAN|REDIRECT|REFUSE)")
_ANSWERS: Mapping[str, frozenset[Status]] = {
    "PLAN": frozenset({"plan"}),
    "CLARIFY": frozenset({"clarify"}),
    "CLARIFY+PLAN": frozenset({"plan", "clarify"}),
    "REDIRECT": frozenset({"redirect"}),
    "REFUSE": frozenset({"refuse"}),
}


@dataclass(frozen=True, slots=True)
class Goal:
    """One test goal.

    Attributes:
        goal_id: Its id.
        group: "everyday", "constrained", "rare", "vague" or "hostile".
        text: The goal as typed.
        needs: For each need the catalogue kinds that meet it, as a careful reader judged; empty where the catalogue has none.
        avoid: For each thing to avoid the kinds that would be a hit.
        constraints: What the goal demands, written down by hand; a plan is checked against these, not against what the app understood.
        expected: Statuses that are a right answer.
        asks: Whether a question has to come along.
    """

    goal_id: str
    group: str
    text: str
    needs: Mapping[str, frozenset[str]]
    avoid: Mapping[str, frozenset[str]]
    constraints: Constraints
    expected: frozenset[Status]
    asks: bool


@dataclass(frozen=True, slots=True)
class Verdict:
    """How one plan did.

    Attributes:
        coverage: Share of the needs met by some product; None for goals without needs.
        products: How many different products the plan shows.
        avoid_hits: Things to avoid that it shows.
        violations: Products that break a written constraint, with the reason.
        answered_rightly: Whether status, and question or absence of products, are as expected.
    """

    coverage: float | None
    products: int
    avoid_hits: int
    violations: tuple[str, ...]
    answered_rightly: bool


def load_goals(goals: Path = GOALS, judgements: Path = JUDGEMENTS) -> list[Goal]:
    """Read the test goals and the judged kinds of their needs."""
    judged = {row["id"]: row for row in read_rows(judgements)}
    return [_goal(row, judged.get(row["id"], {"needs": {}, "avoid": {}})) for row in read_rows(goals)]


def judge(goal: Goal, plan: Plan) -> Verdict:
    """Hold a plan against its goal."""
    kinds = {p.kind for p in plan.products if p.kind is not None}
    met = [bool(kinds & wanted) for wanted in goal.needs.values()]
    eligibility = Eligibility(goal.constraints)
    violations = [f"{p.title}: {reason}" for p in plan.products if (reason := eligibility.violation(p))]
    if goal.constraints.budget_usd is not None and plan.total_usd > goal.constraints.budget_usd:
        violations.append(f"${plan.total_usd:.2f} in all, over ${goal.constraints.budget_usd:.2f}")
    asked = bool(plan.questions) or plan.status == "clarify"
    rightly = plan.status in goal.expected and (asked or not goal.asks) and (plan.status == "plan" or not plan.products)
    return Verdict(
        coverage=sum(met) / len(met) if met else None,
        products=len(plan.products),
        avoid_hits=sum(bool(kinds & hits) for hits in goal.avoid.values()),
        violations=tuple(violations),
        answered_rightly=rightly,
    )


def _goal(row: Mapping[str, Any], judged: Mapping[str, Any]) -> Goal:
    expected = _EXPECTED.match(row["note"]) if row["kind"] in ("vague", "hostile") else None
    answer = expected.group(1) if expected else "PLAN"
    return Goal(
        goal_id=row["id"],
        group=row["kind"],
        text=row["goal"],
        needs={need: frozenset(kinds) for need, kinds in judged["needs"].items()},
        avoid={thing: frozenset(kinds) for thing, kinds in judged["avoid"].items()},
        constraints=_constraints(row["constraints"]),
        expected=_ANSWERS[answer],
        asks="CLARIFY" in answer,
    )


def _constraints(written: Mapping[str, Any]) -> Constraints:
    """Return the part of the written constraints that a product can break."""
    diet = written.get("diet") or ()
    diets = ((diet,) if isinstance(diet, str) else tuple(diet)) + (("vegan",) if written.get("vegan") else ())
    return Constraints(
        budget_usd=written.get("budget_usd"),
        ages=tuple(written.get("ages", ())),
        diets=diets,
        allergens=tuple("tree nut" if name == "tree nuts" else name for name in written.get("allergies", ())),
        exclude=tuple(written.get("exclude", ())),
    )
