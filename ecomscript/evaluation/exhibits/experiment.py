"""From stored rows to one exhibit: what is read, what had to be left out, and what is shown when a builder cannot use the rows."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ecomscript.evaluation.exhibit import Case, Exhibit, HeatMap, Plot, Source, Table
from ecomscript.evaluation.exhibits.values import ALL
from ecomscript.evaluation.results import RESULTS, Result, Row, read_object, read_result
from ecomscript.verification.claims import TASKS

PUBLISHED = "published"
"""Figures of others, beside the folder of results."""
TASK_NAMES: Mapping[str, str] = {task: task.upper() for task in TASKS}
"""Task → how it is written."""

logger = logging.getLogger(__name__)


class Reader:
    """Reads the results that one exhibit is made from and keeps what is wrong with them.

    Args:
        folder: Where results are kept.
    """

    def __init__(self, folder: Path = RESULTS) -> None:
        self._folder = folder
        self._results: dict[str, Result] = {}
        self._left_out: defaultdict[str, dict[int, str]] = defaultdict(dict)

    def rows(self, name: str, *needed: str) -> list[Row]:
        """Return the rows of a file that have a text in each needed field.

        A file without departments is about all of them; where some rows have one, a row without is left out. So is a row of an unknown
        task. What is left out is told by ``source``.
        """
        return self._usable(name, list(enumerate(self._result(name).rows)), needed)

    def kinds(self, name: str, **needed: Sequence[str]) -> dict[str, list[Row]]:
        """Return the rows of a file by what their field "row" says, which is one of the given kinds, each with its needed fields."""
        found: dict[str, list[tuple[int, Row]]] = {kind: [] for kind in needed}
        for place, row in enumerate(self._result(name).rows):
            kind = row.get("row")
            if isinstance(kind, str) and kind in found:
                found[kind].append((place, row))
            else:
                self._left_out[name][place] = f"unknown kind {_short(kind)}"
        return {kind: self._usable(name, rows, needed[kind]) for kind, rows in found.items()}

    def source(self, name: str) -> Source:
        """Return where a file comes from and what is wrong with it, also with the rows that were read so far."""
        result = self._result(name)
        left_out = self._left_out[name]
        if not left_out:
            return result.source
        first = min(left_out)
        told = f"{len(left_out)} of {len(result.rows)} rows cannot be used and are left out, first row {first + 1}: {left_out[first]}."
        return replace(result.source, problem=f"{result.problem} {told}".strip())

    def _usable(self, name: str, rows: Sequence[tuple[int, Row]], needed: Sequence[str]) -> list[Row]:
        defaults = {} if any("department" in row for _, row in rows) else {"department": ALL}
        usable: list[Row] = []
        for place, row in rows:
            if wrong := _wrong({**defaults, **row}, needed):
                self._left_out[name][place] = wrong
            else:
                usable.append({**defaults, **row})
        return usable

    def _result(self, name: str) -> Result:
        if name not in self._results:
            self._results[name] = _published(self._folder.parent) if name == PUBLISHED else read_result(name, self._folder)
        return self._results[name]


@dataclass(frozen=True, slots=True)
class Content:
    """What a builder makes of the rows, see ``Exhibit``; tables without rows, pictures without a number and notes on nothing stay out."""

    finding: str = ""
    tables: Sequence[Table] = ()
    plots: Sequence[Plot] = ()
    heat_maps: Sequence[HeatMap] = ()
    cases: Sequence[Case] = ()
    notes: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Experiment:
    """How an exhibit is made; calling it raises nothing.

    Attributes:
        key: Key of the exhibit.
        title: Its short name.
        question: What it asks.
        files: Names of the results that it is made from.
        build: Makes the content.
    """

    key: str
    title: str
    question: str
    files: tuple[str, ...]
    build: Callable[[Reader], Content]

    def __call__(self, reader: Reader) -> Exhibit:
        """Return the exhibit; one that only says what is wrong where the rows cannot be used."""
        try:
            content, broken = self.build(reader), False
        except (LookupError, TypeError, ValueError):
            logger.exception("the exhibit %s cannot be made from its results", self.key)
            content, broken = Content(), True
        sources = [reader.source(name) for name in self.files]
        if broken:
            told = "The rows cannot be shown: run the command of the file again."
            sources[0] = replace(sources[0], problem=f"{sources[0].problem} {told}".strip())
        return Exhibit(
            self.key,
            self.title,
            self.question,
            content.finding,
            tuple(table for table in content.tables if table.rows),
            tuple(plot for plot in content.plots if any(height is not None for one in plot.series for height in one.y)),
            tuple(heat for heat in content.heat_maps if any(value is not None for row in heat.values for value in row)),
            tuple(content.cases),
            tuple(content.notes) if any(table.rows for table in content.tables) else (),
            tuple(sources),
        )


def _wrong(row: Row, needed: Sequence[str]) -> str:
    """Return why a row cannot be used; "" when it can."""
    for field in needed:
        value = row.get(field)
        if not isinstance(value, str) or not value:
            return f"no text under {field!r}"
        if field == "task" and value not in TASK_NAMES:
            return f"unknown task {_short(value)}"
    return ""


def _short(value: object) -> str:
    return repr(value)[:40]


def _published(folder: Path) -> Result:
    stored, cause = read_object(folder / f"{PUBLISHED}.json")
    listed = stored.get("rows")
    rows = tuple(row for row in listed if isinstance(row, dict)) if isinstance(listed, list) else ()
    if not rows:
        cause = cause or "the file has no rows"
    problem = f"{cause[:1].upper()}{cause[1:]}; take it from the repository again." if cause else ""
    return Result(PUBLISHED, Source(PUBLISHED, problem=problem), rows)
