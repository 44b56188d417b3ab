"""Values of stored rows as they may be shown: what is absent or of another kind is None, never zero and never guessed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from ecomscript.evaluation.exhibit import Column, Series, Table
from ecomscript.evaluation.results import Row

ALL = "all"
"""The department of rows that are about all of them."""
LARGEST = 1e15
CHANCE = 0.5
"""Area under the ROC curve of guessing."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A measured number of something that has a name; without an interval its ends are None."""

    name: str
    value: float
    low: float | None = None
    high: float | None = None


def number(row: Row, key: str) -> float | None:
    """Return a number of a row that is finite and of a size that anything here could have."""
    value = row.get(key)
    usable = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= LARGEST
    return value if usable else None


def text(row: Row, key: str) -> str | None:
    """Return a text of a row that is not empty; numbers become texts, True and False "yes" and "no", lists of texts are joined."""
    value = row.get(key)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        value = ", ".join(part for part in value if isinstance(part, str))
    if isinstance(value, str):
        return value or None
    return None if number(row, key) is None else str(value)


def interval(row: Row, key: str) -> tuple[float, float] | None:
    """Return [low, high] of a row."""
    value = row.get(key)
    if not isinstance(value, list) or len(value) != 2:
        return None
    low, high = (number({"end": end}, "end") for end in value)
    return None if low is None or high is None or low > high else (low, high)


def estimate(row: Row, key: str, name: str, ends: str = "") -> Estimate | None:
    """Return a number with the interval in the field ``ends`` (without a name: ``key_ci95``); None when the number is absent."""
    value = number(row, key)
    low, high = interval(row, ends or f"{key}_ci95") or (None, None)
    return None if value is None else Estimate(name, value, low, high)


def estimates(rows: Iterable[Row], key: str, name: str) -> list[Estimate]:
    """Return the numbers that are there, called by the text in the field ``name``, the highest first."""
    found = (estimate(row, key, text(row, name) or "?") for row in rows)
    return sorted((one for one in found if one is not None), key=lambda one: -one.value)


def table(name: str, caption: str, columns: Sequence[Column], rows: Iterable[Row], **options: Any) -> Table:
    """Return a table whose cells are what their column's kind says, or None.

    Args:
        name: Name of its CSV.
        caption: What is listed.
        columns: Its columns.
        rows: Stored rows; fields without a column are left away.
        options: Further fields of ``Table``.
    """
    cells = []
    for row in rows:
        cell: dict[str, Any] = {column.key: (text if column.kind == "text" else number)(row, column.key) for column in columns}
        cells.append(cell | {column.interval: interval(row, column.interval) for column in columns if column.interval})
    return Table(name, caption, columns, tuple(cells), **options)


def series(name: str, rows: Iterable[Row], x: str, y: str, ends: str = "", *, place: Callable[[Row, str], Any] = text) -> Series:
    """Return the rows as one line or set of bars, those without a place left out.

    Args:
        name: Name of the series.
        rows: In the order to draw.
        x: Field of the places.
        y: Field of the heights.
        ends: Field of the intervals; "" for none.
        place: How a place is read: ``text`` for bars, ``number`` for lines.
    """
    placed = [row for row in rows if place(row, x) is not None]
    ranges = [interval(row, ends) for row in placed] if ends else []
    drawn = any(ranges)
    return Series(
        name,
        tuple(place(row, x) for row in placed),
        tuple(number(row, y) for row in placed),
        tuple(span and span[0] for span in ranges) if drawn else (),
        tuple(span and span[1] for span in ranges) if drawn else (),
    )


def in_order(rows: Iterable[Row], key: str) -> list[str]:
    """Return the texts of a field, each once, in the order of the rows."""
    return list(dict.fromkeys(value for row in rows if (value := text(row, key))))
