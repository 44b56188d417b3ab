"""The plan object of ``/plan`` sent back to be changed: hostile until checked, its products looked up anew, its claims made again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from ecomscript.association.eligibility import Eligibility
from ecomscript.errors import InputError
from ecomscript.request import (
    MAX_BUDGET_USD,
    MAX_GOAL_CHARS,
    MAX_NAME_CHARS,
    MAX_NOTE_CHARS,
    MAX_OBJECTIVE_CHARS,
    MAX_PEOPLE,
    MAX_STEP_CHARS,
    MAX_STEPS,
    clean_text,
)
from ecomscript.schema import CONFIDENCE_WORDS, PER_STEP, Constraints, MatchedStep, Plan, Step
from ecomscript.ui import texts
from ecomscript.ui.border import Planner, refuses_notes
from ecomscript.ui.view import Describe, PlanView

MAX_OBJECT_CHARS = 200_000
MAX_NEEDS, MAX_MEMBERS, MAX_LOCKED = 10, 100, 100
_NUMBERS = {"budget_usd": MAX_BUDGET_USD, "people": MAX_PEOPLE, "pet_weight_kg": 1_000}
_WHOLE = frozenset(["people"])
_FLAGS = frozenset(["small_space", "quiet"])
LISTS = frozenset(f.name for f in fields(Constraints) if f.default == ())
_OLDEST = 120


def view_of(sent: Any, planner: Planner, describe: Describe) -> PlanView:
    """Return a plan object as a plan that can be changed.

    Args:
        sent: The object, or its JSON text; anything is possible. Of a product only its ``product_id`` is read.
        planner: Knows the products and the gate.
        describe: Puts constraints as removable chips.

    Raises:
        InputError: It is no plan object, it is too large, or the gate refuses its words.
    """
    data = _object(sent)
    goal, objective = _text(data, "goal", MAX_GOAL_CHARS), _text(data, "objective", MAX_OBJECTIVE_CHARS, optional=True)
    constraints = _constraints(data.get("constraints"))
    steps = [_step(step, n) for n, step in enumerate(_list(data.get("steps"), "steps", MAX_STEPS), start=1)]
    locked = frozenset(_names(data.get("locked", []), "locked", MAX_LOCKED))
    for said in (goal, objective, *(step.text for step, _ in steps)):
        if said and (notices := planner.refusal(said)):
            raise InputError(texts.OBJECT_REFUSED, " ".join(notices))
    if refuses_notes(planner, (step.note for step, _ in steps)):
        steps = [(replace(step, note=""), ids) for step, ids in steps]
    matched, gone = [], 0
    eligibility, used = Eligibility(replace(constraints, budget_usd=None)), set[str]()
    for step, ids in steps:
        found = [match for pid in ids if pid not in used and (match := planner.place(goal, step.text, pid))]
        gone += sum(planner.product(pid) is None for pid in ids)
        used.update(ids)
        kept = tuple(m for m in found if m.product.product_id in locked or eligibility.violation(m.product) is None)
        matched.append(MatchedStep(replace(step, note=""), kept, step.note))
    return PlanView(
        phase="done",
        status="plan",
        goal=goal,
        objective=objective or goal,
        confidence=next((level for level, words in CONFIDENCE_WORDS.items() if words == data.get("confidence")), None),
        constraints=constraints,
        chips=describe(constraints),
        script=tuple(m.step for m in matched),
        matched=tuple(matched),
        locked=locked & used,
        notices=tuple(filter(None, (texts.shared_gone(gone),))),
    )


def object_of(view: PlanView) -> dict[str, Any]:
    """Return a changed plan as the object of ``/plan``, with ``said``, what the change did, and ``locked``, what stays."""
    plan = Plan(
        goal=view.goal,
        status="plan",
        constraints=view.constraints,
        planner="llm" if view.confidence == "written" else "library",
        confidence=view.confidence,
        objective=view.objective,
        steps=view.matched,
        script_verdict=view.script_verdict,
        bundle_verdict=view.bundle_verdict,
        conflicts=view.conflicts,
        notices=view.notices,
        usage=view.usage,
        near=view.near,
        fit=view.fit,
    )
    return {**plan.to_json(), "said": view.said, "locked": sorted(view.locked)}


def _bad(what: str) -> InputError:
    cause, fix = texts.OBJECT_BAD
    return InputError(cause.format(what=what), fix)


def _object(sent: Any) -> Mapping[str, Any]:
    if isinstance(sent, str):
        if len(sent) > MAX_OBJECT_CHARS:
            raise _bad(f"it has {len(sent):,} characters, at most {MAX_OBJECT_CHARS:,} can be read")
        try:
            sent = json.loads(sent)
        except (ValueError, RecursionError) as error:
            raise _bad("it is not JSON") from error
    if not isinstance(sent, Mapping):
        raise _bad("it is not an object")
    if sent.get("status") != "plan":
        raise _bad("its status is not “plan”")
    return sent


def _text(data: Mapping[str, Any], key: str, most: int, *, optional: bool = False) -> str:
    value = data.get(key)
    if value is None and optional:
        return ""
    if not isinstance(value, str) or len(value) > most:
        raise _bad(f"“{key}” is not a text of at most {most:,} characters")
    cleaned = clean_text(value)
    if not cleaned and not optional:
        raise _bad(f"“{key}” is empty")
    return cleaned


def _list(value: Any, name: str, most: int) -> list[Any]:
    if not isinstance(value, list | tuple) or len(value) > most:
        raise _bad(f"“{name}” is not a list of at most {most}")
    return list(value)


def _names(value: Any, name: str, most: int) -> tuple[str, ...]:
    members = _list(value, name, most)
    if not all(isinstance(member, str) and 0 < len(member) <= MAX_NAME_CHARS for member in members):
        raise _bad(f"“{name}” has a member that is not a text of 1 to {MAX_NAME_CHARS} characters")
    return tuple(dict.fromkeys(filter(None, map(clean_text, members))))


def _step(value: Any, number: int) -> tuple[Step, tuple[str, ...]]:
    """Return a step, its note in it, and the ids of its products."""
    if not isinstance(value, Mapping):
        raise _bad(f"step {number} is not an object")
    products = _list(value.get("products", []), "products", PER_STEP)
    ids = _names([p.get("product_id") if isinstance(p, Mapping) else None for p in products], "product_id", PER_STEP)
    needs = _names(value.get("needs", []), "needs", MAX_NEEDS)
    text, note = _text(value, "text", MAX_STEP_CHARS), _text(value, "note", MAX_NOTE_CHARS, optional=True)
    return Step(f"s{number}", text, needs, note=note, buys=None if ids or note or needs else False), ids


def _constraints(value: Any) -> Constraints:
    """Return constraints whose every value has the type and the bounds of the field."""
    if not isinstance(value, Mapping) or not set(value) <= {f.name for f in fields(Constraints)}:
        raise _bad("“constraints” has not the fields of a plan's constraints")
    return Constraints(**{name: constraint_value(name, given) for name, given in value.items() if given is not None})


def constraint_value(name: str, value: Any) -> Any:
    """Return a value as the field of ``Constraints`` with this name has it; raises ``InputError`` for one that it cannot have."""
    if name in _FLAGS:
        if isinstance(value, bool):
            return value
    elif name == "ages":
        ages = _list(value, name, MAX_MEMBERS)
        if all(type(age) is int and 0 <= age <= _OLDEST for age in ages):
            return tuple(ages)
    elif name in LISTS:
        return _names(value, name, MAX_MEMBERS)
    elif name in _NUMBERS:
        number = type(value) is int or (type(value) is float and name not in _WHOLE)
        if number and 0 < value <= _NUMBERS[name]:
            return value
    elif isinstance(value, str) and 0 < len(value) <= MAX_NAME_CHARS:
        return clean_text(value)
    raise _bad(f"the constraint “{name}” has a value that it cannot have")
