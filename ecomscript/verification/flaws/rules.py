"""What the tables say of a script: rows of ``tables/order``, ``tables/missing`` and ``tables/against``, a file for each field of life.

Patterns are read on folded texts (``fold``). In every row ``goal`` and ``goal_unless`` look at the objective, ``why`` is shown.

* ``order``: a step like ``first`` has to come before any like ``then``. It speaks where both are there and ``then`` begins earlier.
* ``missing``: where the goal, and if named a step like ``step``, are there, some step has to be like ``needs``.
* ``against``: a step like ``step`` does not go with the goal, with another step like ``other``, or with anything when neither is named;
  ``solved_by`` is a step that makes it sound.

``first_unless``, ``then_unless``, ``step_unless`` and ``other_unless`` excuse a step that says them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from ecomscript.verification.rules.attributes import OBJECTIVES, fold, matches, rows_in

Row = Mapping[str, Any]
Steps = tuple[str, ...]
"""The folded steps of a script."""
TABLES = Path(__file__).parent / "tables"


@dataclass(frozen=True, slots=True)
class Flaw:
    """What is wrong with a script.

    Attributes:
        steps: The steps that it is about, counted from 0; empty when one is missing.
        reason: One plain sentence.
    """

    steps: tuple[int, ...]
    reason: str


def flaws(objective: str, steps: Sequence[str]) -> tuple[Flaw, ...]:
    """Return what the tables find wrong with a script, at most one flaw a row, the order of its steps first.

    Args:
        objective: What the script is for, as typed.
        steps: In order; any number.
    """
    folded = tuple(fold(step) for step in steps)
    rows = _asked(fold(objective))
    return tuple(flaw for name, judge in JUDGES.items() for row in rows[name] if (flaw := judge(row, folded)))


def _like(steps: Steps, row: Row, side: str) -> list[int]:
    """Return the places of the steps that match one side of a row and are not excused."""
    return [n for n, step in enumerate(steps) if _is(step, row, side)]


def _is(text: str, row: Row, side: str) -> bool:
    unless = row.get(f"{side}_unless")
    return matches(row[side], text) and not (unless and matches(unless, text))


@cache
def tables() -> dict[str, list[Row]]:
    """Return the rows of each folder of ``tables/``."""
    return {name: rows_in(TABLES / name) for name in JUDGES}


@lru_cache(maxsize=OBJECTIVES)
def _asked(objective: str) -> dict[str, list[Row]]:
    """Return the rows that a folded objective leaves open."""
    return {name: [row for row in rows if _is(objective, {"goal": "", **row}, "goal")] for name, rows in tables().items()}


def _order(row: Row, steps: Steps) -> Flaw | None:
    then = _like(steps, row, "then")
    first = _like(steps, row, "first") if then else []
    if not first or first[0] <= then[0]:
        return None
    return Flaw((then[0], first[0]), f"Step {first[0] + 1} has to come before step {then[0] + 1}: {row['why']}.")


def _missing(row: Row, steps: Steps) -> Flaw | None:
    needed = "step" not in row or _like(steps, row, "step")
    return Flaw((), f"A step is missing: {row['why']}.") if needed and not _like(steps, row, "needs") else None


def _against(row: Row, steps: Steps) -> Flaw | None:
    wrong = _like(steps, row, "step")
    if not wrong or ("solved_by" in row and _like(steps, row, "solved_by")):
        return None
    if "other" not in row:
        return Flaw((wrong[0],), f"Step {wrong[0] + 1} cannot be right: {row['why']}.")
    met = next(((step, other) for step in wrong for other in _like(steps, row, "other") if other != step), None)
    return met and Flaw(met, f"Steps {met[0] + 1} and {met[1] + 1} do not go together: {row['why']}.")


JUDGES: Mapping[str, Callable[[Row, Steps], Flaw | None]] = {"order": _order, "missing": _missing, "against": _against}
"""How the rows of each folder are read."""
