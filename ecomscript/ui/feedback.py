"""What a visitor's click on a thumb or on the sheet says, as a record to store; the payload is hostile until it is looked up."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

from ecomscript.errors import InputError
from ecomscript.feedback.record import MAX_GOAL_CHARS, Record, Subject
from ecomscript.schema import Match
from ecomscript.ui import texts
from ecomscript.ui.view import PlanView

MOST_GIVEN = 500
"""How many answers of a visit are remembered, to show what is pressed."""


@dataclass(frozen=True, slots=True)
class Rater:
    """One visit as the ratings know it.

    Attributes:
        session: A random name; "" until the first rating.
        given: The marks that stand, by subject and thing as in ``key_of``.
    """

    session: str = ""
    given: Mapping[str, Mapping[str, int]] = field(default_factory=dict)

    def named(self) -> Rater:
        """Return the visit with a name."""
        return self if self.session else replace(self, session=secrets.token_hex(8))

    def after(self, record: Record) -> Rater:
        """Return the visit after a rating was stored."""
        key = key_of(record.subject, record.thing)
        others = {other: marks for other, marks in self.given.items() if other != key}
        kept = dict(islice(others.items(), max(0, len(others) - MOST_GIVEN + 1), None))
        return replace(self, given={**kept, key: dict(record.marks)} if record.marks else kept)


def key_of(subject: Subject, thing: str) -> str:
    """Return the name of a thing with what is asked of it."""
    return f"{subject} {thing}"


def product_thing(step: str, product_id: str) -> str:
    """Return the digest of a product in a step with this text."""
    return _digest([step, product_id])


def plan_thing(view: PlanView) -> str:
    """Return the digest of the steps with their products; the goal is no part of it, so that none can be guessed from it."""
    return _digest([[matched.step.text, [match.product.product_id for match in matched.matches]] for matched in view.matched])


def rating(view: PlanView, session: str, payload: Any, version: str) -> Record:
    """Return what a click says.

    Args:
        view: What the visitor sees.
        session: Name of the visit.
        payload: ``{"subject": …, "thing": …, "marks": {…}, "consent": bool}``; comes from the browser, so anything is possible.
        version: Commit of the app.

    Raises:
        InputError: The payload names nothing that is on the page, or its marks are none.
    """
    data: Mapping[str, Any] = payload if isinstance(payload, Mapping) else {}
    subject, marks = data.get("subject"), data.get("marks")
    thing: Any = data.get("thing")
    if view.status != "plan" or view.phase == "working" or not isinstance(marks, Mapping):
        raise InputError(*texts.STALE)
    plan = plan_thing(view)
    t1, t3 = (_score(verdict.score if verdict else None) for verdict in (view.script_verdict, view.bundle_verdict))
    try:
        if subject == "product":
            step, match = _placed(view, thing)
            pid, t2 = match.product.product_id, _score(match.t2)
            return Record(session, "product", thing, plan, marks, pid, step, t1=t1, t2=t2, t3=t3, version=version)
        if subject in ("plan", "sheet") and thing == plan:
            goal = view.goal[:MAX_GOAL_CHARS] if subject == "sheet" and data.get("consent") is True and marks else None
            t2 = _score(sum(view.t2.values()) / len(view.t2) if view.t2 else None)
            return Record(session, subject, plan, plan, marks, goal=goal, t1=t1, t2=t2, t3=t3, version=version)
    except InputError as error:
        raise InputError(*texts.RATE_MARKS) from error
    raise InputError(*texts.STALE)


def _placed(view: PlanView, thing: Any) -> tuple[int, Match]:
    """Return the number of the step and the product in it that a digest names."""
    for number, matched in enumerate(view.matched, 1):
        for match in matched.matches:
            if product_thing(matched.step.text, match.product.product_id) == thing:
                return number, match
    raise InputError(*texts.STALE)


def _score(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _digest(parts: list[Any]) -> str:
    return hashlib.sha256(json.dumps(parts, ensure_ascii=False).encode("utf-8", "replace")).hexdigest()[:16]
