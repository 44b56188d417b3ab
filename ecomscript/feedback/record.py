"""What one visitor says of a product, a plan or its five questions, as it is stored and published."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import Any, Literal, get_args

from ecomscript.errors import InputError

Subject = Literal["product", "plan", "sheet"]
"""A thumb on a product in its step, a thumb on a plan, or the sheet of five questions on a plan."""
SHEETS = ("plausible", "complete", "in_order", "products_fit", "would_use")
"""The questions of the sheet, each answered from 1 (not at all) to 5 (fully)."""
GOOD_FROM = 4.0
"""Mean of several answers from which a plan counts as good."""
USEFUL = "useful"
"""The mark of a thumb: 1 up, 0 down."""
MAX_GOAL_CHARS = 500
MAX_ID_CHARS = 100
MAX_STEP = 200

_SUBJECTS = get_args(Subject)
_NAME = re.compile(r"[0-9a-f]{16}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00|")
_FIX = "Take the line out, or export the ratings again."


@dataclass(frozen=True, slots=True)
class Record:
    """One answer. It holds no name and no address; whoever answers twice about one thing has changed their mind.

    Attributes:
        session: Random name of the visit, 16 hexadecimal digits.
        subject: What was rated.
        thing: Digest of it, by which visitors agree or not: the step's text and the product, or the steps with their products.
        plan: Digest of the plan that was on the page.
        marks: ``{"useful": 0 or 1}``, or 1 to 5 for each of ``SHEETS``; empty where an answer is taken back.
        product_id: The product; "" for a plan.
        step: Its step, counted from 1; 0 for a plan.
        goal: The goal in the visitor's words; None without consent.
        t1: P(the steps lead to the goal) when it was rated; None when no model said.
        t2: P(the product helps with its step); for a plan the mean over its products.
        t3: P(all products go together).
        version: Commit of the app.
        created: UTC time in seconds, ISO 8601; "" until it is stored.

    Raises:
        InputError: A value is not one of these.
    """

    session: str
    subject: Subject
    thing: str
    plan: str
    marks: Mapping[str, int]
    product_id: str = ""
    step: int = 0
    goal: str | None = None
    t1: float | None = None
    t2: float | None = None
    t3: float | None = None
    version: str = ""
    created: str = ""

    def __post_init__(self) -> None:
        for name in ("session", "thing", "plan"):
            _need(isinstance(getattr(self, name), str) and bool(_NAME.fullmatch(getattr(self, name))), name)
        _need(self.subject in _SUBJECTS, "subject")
        _need(isinstance(self.marks, Mapping) and (not self.marks or _right(self.subject, self.marks)), "marks")
        _need(_is_text(self.product_id, MAX_ID_CHARS) and bool(self.product_id) == (self.subject == "product"), "product_id")
        _need(type(self.step) is int and 0 <= self.step <= MAX_STEP, "step")
        _need(self.goal is None or _is_text(self.goal, MAX_GOAL_CHARS), "goal")
        _need(_is_text(self.version, MAX_ID_CHARS), "version")
        _need(isinstance(self.created, str) and bool(_TIME.fullmatch(self.created)), "created")
        for name in ("t1", "t2", "t3"):
            score = getattr(self, name)
            _need(score is None or (type(score) in (int, float) and 0 <= score <= 1), name)  # NaN fails the comparison too
        object.__setattr__(self, "marks", MappingProxyType(dict(self.marks)))

    @property
    def key(self) -> tuple[str, str, str]:
        """What a later answer replaces."""
        return (self.session, self.subject, self.thing)

    def plain(self) -> dict[str, Any]:
        """Return the fields by name, as JSON can hold them."""
        return {field.name: getattr(self, field.name) for field in fields(self)} | {"marks": dict(self.marks)}


def latest(records: Iterable[Record]) -> list[Record]:
    """Return the last answer of every visitor to every thing, without those that were taken back.

    Args:
        records: In the order in which they were given.
    """
    last: dict[tuple[str, str, str], Record] = {}
    for record in records:
        last.pop(record.key, None)  # so that the order is that of the last answers
        last[record.key] = record
    return [record for record in last.values() if record.marks]


def _right(subject: Subject, marks: Mapping[str, int]) -> bool:
    if not all(type(mark) is int for mark in marks.values()):
        return False
    if subject == "sheet":
        return set(marks) == set(SHEETS) and all(1 <= mark <= 5 for mark in marks.values())
    return set(marks) == {USEFUL} and marks[USEFUL] in (0, 1)


def _is_text(value: object, most: int) -> bool:
    return isinstance(value, str) and len(value) <= most


def _need(holds: bool, field: str) -> None:
    if not holds:
        raise InputError(f"A rating has an unusable {field!r}", _FIX)
