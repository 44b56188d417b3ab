"""What must never meet, whatever else is there: rows of ``tables/never/``, a file for each kind of reason.

A row names a product (``a``) and what it must not meet: another product or the objective (``b``), or the objective alone (``goal``).
Each of the three may be narrowed by a second pattern (``a_is``, ``b_is``, ``goal_is``) and excused by a third (``unless``, ``b_unless``,
``goal_unless``). ``climate`` asks for one of the climates of the objective ("cold|chilly"), alone or besides the objective's words;
``when`` is what the objective must say besides; ``solved_by`` names a product whose presence makes it sound; ``same_step`` asks for two
products of one step; ``why`` ends the sentence that is shown.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache, partial
from typing import Any

from ecomscript.verification.rules.attributes import OBJECTIVES, Facts, facts_of, tables
from ecomscript.verification.rules.climate import climates
from ecomscript.verification.rules.registry import Finding, Rule

Row = Mapping[str, Any]


def never_rules() -> dict[str, Rule]:
    """Return the rules by their names: "poisonous to animals", "bad chemistry" …"""
    return {row["rule"]: partial(_meetings, row["rule"]) for row in tables()["never"]}


def never_for(goal: Facts, product: Facts) -> bool:
    """Return whether a product must not meet the objective, whatever else is there."""
    return any(not {"b", "solved_by"} & row.keys() and _is(product, row, "a") for row in _asked(goal.text))


@lru_cache(maxsize=OBJECTIVES)
def _asked(objective: str) -> tuple[Row, ...]:
    """Return the rows that the objective, folded, leaves open: few of those that name one themselves."""
    goal = facts_of(objective)
    return tuple(row for row in tables()["never"] if _is_open(goal, row))


def _is_open(goal: Facts, row: Row) -> bool:
    if "climate" in row and not climates(goal.text) & set(row["climate"].split("|")):
        return False
    return ("goal" not in row or _is(goal, row, "goal")) and goal.says(row.get("when", ""))


def _meetings(rule: str, goal: Facts, bundle: Sequence[Facts]) -> Iterator[Finding]:
    for row in (row for row in _asked(goal.text) if row["rule"] == rule):
        if "solved_by" in row and any(product.says(row["solved_by"]) for product in bundle):
            continue
        for first in (place for place, product in enumerate(bundle) if _is(product, row, "a")):
            for second in _met(row, goal, bundle, first):
                partner = "your plan" if second is None else bundle[second].name
                yield Finding(first, second, f"{bundle[first].name} does not go with {partner}: {row['why']}.")


def _met(row: Row, goal: Facts, bundle: Sequence[Facts], first: int) -> Iterator[int | None]:
    """Yield the place that the product at ``first`` must not meet, None for the objective; at most one."""
    if "b" not in row:
        yield None
        return
    others = [p for p in range(len(bundle)) if p != first and ("same_step" not in row or bundle[p].step == bundle[first].step)]
    second = next((place for place in others if _is(bundle[place], row, "b")), None)
    if second is not None or _is(goal, row, "b"):
        yield second


def _is(facts: Facts, row: Row, side: str) -> bool:
    unless = "unless" if side == "a" else f"{side}_unless"
    if not facts.says(row[side]) or (unless in row and facts.claims(row[unless])):
        return False
    return f"{side}_is" not in row or facts.says(row[f"{side}_is"])
