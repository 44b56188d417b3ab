"""The border where what a person typed becomes a ``PlanRequest``: cleaned, bound-checked, or refused in one sentence."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable

from ecomscript.errors import InputError
from ecomscript.schema import PlanRequest

MAX_GOAL_CHARS = 6000
MAX_PEOPLE = 1000
MAX_EXCLUDED = 20
MAX_EXCLUDED_CHARS = 60
MAX_REMOVED = 100
MAX_REFINEMENTS = 20
MAX_REFINEMENT_CHARS = 200
MAX_STEPS = 30
MAX_STEP_CHARS = 200
MAX_OBJECTIVE_CHARS = 300
MAX_NOTE_CHARS = 1_000
MAX_NAME_CHARS = 100
"""Of a plan that a person edits, shares or sends back."""
MAX_BUDGET_USD = 1_000_000

# Marks that reorder text on screen (Trojan Source); the zero-width joiner is not among them because emoji need it.
_BIDI_MARKS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_THOUSANDS = re.compile(r"\d{1,3}(,\d{3})+(\.\d+)?")
_SEPARATORS = re.compile(r"[,;\n]")


def clean_text(text: str) -> str:
    """Return ``text`` as one line without control characters, bidi marks and lone surrogates; emoji and all scripts stay."""
    kept = (" " if c.isspace() else c for c in unicodedata.normalize("NFC", text) if c not in _BIDI_MARKS)
    return " ".join("".join(c for c in kept if unicodedata.category(c) not in {"Cc", "Cs"}).split())


def make_request(
    goal: str,
    budget_usd: float | str | None = None,
    people: float | str | None = None,
    exclude: str | Iterable[str] | None = None,
    removed: Iterable[str] = (),
    refinements: Iterable[str] = (),
    like: str | None = None,
) -> PlanRequest:
    """Check and clean what was typed.

    Args:
        goal: The goal in the person's words; an empty one is allowed, the planner asks for more.
        budget_usd: Most that everything may cost; None or "" when there is no limit.
        people: How many people the plan is for; None or "" when it was not said.
        exclude: What must not appear, as a list or as comma-separated text.
        removed: Keys of constraints found in the goal that the person took away again.
        refinements: What the person asked for later, in words.
        like: Objective of the plan of the library to start from.

    Raises:
        InputError: A value cannot be used; the message says which and what to do.
    """
    if not isinstance(goal, str):
        raise InputError("The goal is not text", "Write it as one or two sentences.")
    if len(goal) > MAX_GOAL_CHARS:
        cause = f"The goal has {len(goal):,} characters, at most {MAX_GOAL_CHARS:,} can be read"
        raise InputError(cause, "Shorten it to what matters most.")
    return PlanRequest(
        goal=clean_text(goal),
        budget_usd=_budget(budget_usd),
        people=_people(people),
        exclude=_exclude(exclude),
        removed=_removed(removed),
        refinements=_refinements(refinements),
        like=_like(like),
    )


def clean_refinement(text: object) -> str:
    """Return what a person asks to change as one clean line.

    Raises:
        InputError: It is not text, empty or too long.
    """
    if not isinstance(text, str):
        raise InputError("What is to change is not text", "Say it in a few words, such as: no alcohol.")
    if len(text) > MAX_REFINEMENT_CHARS:
        cause = f"What is to change has {len(text):,} characters, at most {MAX_REFINEMENT_CHARS} can be read"
        raise InputError(cause, "Say one change at a time.")
    cleaned = clean_text(text)
    if not cleaned:
        raise InputError("Nothing was said", "Say in a few words what is to change, such as: no alcohol.")
    return cleaned


def _number(value: float | str | None, cause: str, fix: str) -> float | None:
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    if isinstance(value, str):
        value = value.strip().removeprefix("$")
        value = value.replace(",", "") if _THOUSANDS.fullmatch(value) else value
    try:
        number = float("nan" if isinstance(value, bool) else value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        raise InputError(f"{cause} is {str(value)[:40]!r}, expected a number", fix)
    return number


def _budget(value: float | str | None) -> float | None:
    fix = "Enter an amount in US dollars such as 80, or leave it empty."
    number = _number(value, "The budget", fix)
    if number is not None and not 0 < number <= MAX_BUDGET_USD:
        raise InputError(f"The budget is {number:,.12g}, expected more than 0 and at most {MAX_BUDGET_USD:,} dollars", fix)
    return number


def _people(value: float | str | None) -> int | None:
    fix = f"Enter a whole number from 1 to {MAX_PEOPLE:,}, or leave it empty."
    number = _number(value, "The number of people", fix)
    if number is None:
        return None
    if number != int(number) or not 1 <= number <= MAX_PEOPLE:
        raise InputError(f"The number of people is {number:,.12g}, expected 1 to {MAX_PEOPLE:,}", fix)
    return int(number)


def _exclude(value: str | Iterable[str] | None) -> tuple[str, ...]:
    items = _texts(value, "What to leave out")
    kept = tuple(dict.fromkeys(cleaned for item in items if (cleaned := clean_text(item))))
    if len(kept) > MAX_EXCLUDED:
        raise InputError(f"There are {len(kept)} things to leave out, at most {MAX_EXCLUDED} can be kept", "Name the most important ones.")
    for item in kept:
        if len(item) > MAX_EXCLUDED_CHARS:
            cause = f"One thing to leave out has {len(item)} characters, at most {MAX_EXCLUDED_CHARS} can be kept"
            raise InputError(cause, "Name it in a few words and put commas between several things.")
    return kept


def _removed(value: Iterable[str]) -> frozenset[str]:
    keys = frozenset(_texts(value, "The removed constraints"))
    if len(keys) > MAX_REMOVED:
        raise InputError(f"{len(keys)} constraints were removed, at most {MAX_REMOVED} can be", "Start again from the goal.")
    return keys


def _refinements(value: Iterable[str]) -> tuple[str, ...]:
    texts = tuple(map(clean_refinement, _texts(value, "The refinements")))
    if len(texts) > MAX_REFINEMENTS:
        cause = f"The plan was refined {len(texts)} times, at most {MAX_REFINEMENTS} can be kept"
        raise InputError(cause, "Put it all into the goal and plan again.")
    return texts


def _like(value: str | None) -> str:
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > MAX_OBJECTIVE_CHARS:
        raise InputError("The plan to start from is no plan's name", "Take one of those listed as near, or leave it out.")
    return clean_text(value)


def _texts(value: str | Iterable[str] | None, name: str) -> list[str]:
    """Return the members of a list, or the comma-separated parts of a text."""
    if value is None:
        return []
    if isinstance(value, str):
        return _SEPARATORS.split(value)
    items = list(value) if isinstance(value, Iterable) else [value]
    if not all(isinstance(item, str) for item in items):
        raise InputError(f"{name} must be texts", 'Use a list such as ["tent", "alcohol"] or comma-separated words.')
    return items
