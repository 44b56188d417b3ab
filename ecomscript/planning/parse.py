"""A language model's answer, read while it arrives: every step as soon as it is complete."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

MOST_OBJECTS = 300
"""Objects that are looked at in search of the next step; an answer with more between two steps is no plan."""
_TEXT_KEYS = ("text", "step", "action")
_JSON = json.JSONDecoder()


@dataclass(frozen=True, slots=True)
class WrittenStep:
    """A step as it was written.

    Attributes:
        text: The step.
        buys: Whether anything is bought for it; None where it does not say, or not clearly.
        needs: What is bought, in the writer's words.
    """

    text: str
    buys: bool | None
    needs: tuple[str, ...] = ()


class StepReader:
    """Finds steps in an object with a list of steps, a bare list, or one object a line, whatever stands around them.

    A step is an object with its text under "text" ("step" and "action" are understood too), and under "buys" a list of what is bought, or
    true or false; texts alone are steps as well.
    """

    def __init__(self) -> None:
        self._text, self._at, self._found, self._given_up = "", 0, False, False

    def feed(self, piece: str) -> list[WrittenStep]:
        """Take the next piece of the answer and return the steps that are complete with it."""
        self._text += piece
        return self._objects() if "}" in piece and not self._given_up else []

    def end(self) -> list[WrittenStep]:
        """Return the steps of a bare list of texts, which is known to be one when nothing else was found."""
        start = self._text.find("[")
        return [] if self._found or start < 0 else _steps(decoded(self._text, start)[0])

    def _objects(self) -> list[WrittenStep]:
        """Return the steps of all whole objects that were not read yet; one that encloses others is whole only after them."""
        found: list[WrittenStep] = []
        at, looked = self._at, 0
        while (at := self._text.find("{", at)) >= 0 and looked < MOST_OBJECTS:
            value, end = decoded(self._text, at)
            steps = _steps(value)
            if steps:
                found += steps
                self._at, looked, self._found = end, 0, True
            at, looked = end, looked + 1
        self._given_up = looked >= MOST_OBJECTS
        return found


def decoded(text: str, at: int) -> tuple[Any, int]:
    """Return the JSON value that begins at a place, and where it ends; None and the next place where there is none."""
    try:
        return _JSON.raw_decode(text, at)
    except (ValueError, RecursionError):
        return None, at + 1


def _steps(value: Any) -> list[WrittenStep]:
    if isinstance(value, list):
        return [step for item in value for step in ([WrittenStep(item, None)] if isinstance(item, str) else _own(item))]
    inner = value.get("steps") if isinstance(value, Mapping) else None
    return _steps(inner) if isinstance(inner, list) else _own(value)


def _own(value: Any) -> list[WrittenStep]:
    """Return the step that an object is, if it is one."""
    if not isinstance(value, Mapping):
        return []
    texts = [value[key] for key in _TEXT_KEYS if isinstance(value.get(key), str)]
    buys = value.get("buys")
    needs = tuple(need for need in buys if isinstance(need, str)) if isinstance(buys, list) else ()
    mark = bool(buys) if isinstance(buys, bool | list) else None
    return [WrittenStep(text, mark, needs) for text in texts[:1]]
