"""What an experiment shows, as plain values: a finding, tables and plots; the page and the report draw the same ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["text", "count", "number", "share", "seconds"]
"""How a value is written: as it is, with thousands separators, with three decimals, in per cent, in seconds."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table.

    Attributes:
        key: Field of the rows.
        label: Short heading.
        kind: How its values are written; what is absent is written "—", never counted as zero.
        interval: Field with [low, high], drawn beside the value; "" for none.
        help: What it means, in plain words; "" where the heading says it all.
        better: Which way is better, for the sort order and the mark of the best value.
    """

    key: str
    label: str
    kind: Kind = "number"
    interval: str = ""
    help: str = ""
    better: Literal["higher", "lower", ""] = ""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under columns.

    Attributes:
        name: File name of its CSV, unique in the exhibit: lower-case words with hyphens.
        caption: What is listed.
        filters: Keys of the columns that the visitor can filter by.
        baselines: Values of the first column that stay in view whatever is filtered.
        scale: Ends of the axis that intervals are drawn on.
    """

    name: str
    caption: str
    columns: Sequence[Column]
    rows: Sequence[Mapping[str, Any]]
    filters: Sequence[str] = ()
    baselines: Sequence[str] = ()
    scale: tuple[float, float] = (0.0, 1.0)


@dataclass(frozen=True, slots=True)
class Series:
    """One line, or one set of bars.

    Attributes:
        x: Places, numbers for lines and histograms, names for bars.
        y: Heights; None leaves a gap.
        low: Lower ends of the intervals; empty for none.
        high: Upper ends of the intervals; empty for none.
    """

    name: str
    x: Sequence[float | str]
    y: Sequence[float | None]
    low: Sequence[float | None] = ()
    high: Sequence[float | None] = ()


@dataclass(frozen=True, slots=True)
class Plot:
    """A picture of a table's numbers.

    Attributes:
        form: Lines over numbers, bars over names, or areas of shares over numbers (histogram).
        y_range: Ends of the y axis; None takes them from the data, with 0 for bars.
        mark: An x that a vertical line stands at, with its words; None for none.
    """

    title: str
    form: Literal["lines", "bars", "histogram"]
    x_label: str
    y_label: str
    series: Sequence[Series]
    y_range: tuple[float, float] | None = None
    mark: tuple[float, str] | None = None


@dataclass(frozen=True, slots=True)
class HeatMap:
    """Numbers in a grid of named rows and columns; None is written "—"."""

    title: str
    rows: Sequence[str]
    columns: Sequence[str]
    values: Sequence[Sequence[float | None]]


@dataclass(frozen=True, slots=True)
class Source:
    """A results file that the exhibit was made from.

    Attributes:
        problem: What is wrong with the file, in one sentence; "" when nothing is.
    """

    name: str
    command: str = ""
    commit: str = ""
    data_sha256: str = ""
    seeds: Sequence[int] = ()
    created: str = ""
    machine: str = ""
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Case:
    """One text of the error analysis that can be opened.

    Attributes:
        fields: Name → text, in the order to show.
        facets: Name → value to filter by.
    """

    title: str
    fields: Mapping[str, str]
    facets: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Exhibit:
    """One experiment as it is shown.

    Attributes:
        key: Name in links: ``?tab=bench&exp=key``.
        title: Short name for the index.
        question: What the experiment asks, one sentence.
        finding: What the stored numbers say, one or two sentences made from them; "" when there are none.
        notes: What to know when reading it.
        sources: Where the numbers come from.
    """

    key: str
    title: str
    question: str
    finding: str
    tables: Sequence[Table] = ()
    plots: Sequence[Plot] = ()
    heat_maps: Sequence[HeatMap] = ()
    cases: Sequence[Case] = ()
    notes: Sequence[str] = ()
    sources: Sequence[Source] = ()
