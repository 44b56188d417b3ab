"""The points of a plot's series, and the picture told in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ecomscript.evaluation.exhibit import Plot, Series
from ecomscript.ui import texts
from ecomscript.ui.bench.values import interval_words, number, short

_TOLD = 20
"""Up to how many points of a series are told one by one."""


@dataclass(frozen=True, slots=True)
class Point:
    """One place of a series; what was not measured is None.

    Attributes:
        words: The point told: place, value, interval.
    """

    x: float | str
    y: float | None
    low: float | None
    high: float | None

    @property
    def place(self) -> float | None:
        """Where it stands on an axis of numbers; None for a name."""
        return number(self.x)

    @property
    def values(self) -> list[float]:
        """Every height that has to lie on the axis."""
        return [v for v in (self.y, self.low, self.high) if v is not None]

    @property
    def words(self) -> str:
        """Place, value and interval."""
        where = short(self.place) if self.place is not None else str(self.x)
        if self.y is None:
            return f"{where}: {texts.BENCH_ABSENT}"
        ends = "" if self.low is None or self.high is None else f" {interval_words((self.low, self.high), 'number')}"
        return f"{where}: {short(self.y)}{ends}"


def points_of(series: Series) -> list[Point]:
    """Return the points; an interval without a value, or with one end only, is left out."""
    points = []
    for n, x in enumerate(series.x):
        y, low, high = (_known(values, n) for values in (series.y, series.low, series.high))
        whole = y is not None and low is not None and high is not None
        points.append(Point(x, y, low if whole else None, high if whole else None))
    return points


def described(plot: Plot, series: Sequence[Sequence[Point]]) -> str:
    """Return the picture in words: every point of short series, the least and the greatest of long ones."""
    told = []
    for named, points in zip(plot.series, series, strict=True):
        known = sorted((p for p in points if p.y is not None), key=lambda p: p.y or 0.0)
        shown = points if len(points) <= _TOLD else [known[0], known[-1]] if known else []
        told.append(f"{named.name}: {'; '.join(p.words for p in shown)}.")
    return texts.BENCH_PLOT_DESC.format(x=plot.x_label, y=plot.y_label, series=" ".join(told))


def _known(values: Sequence[float | None], n: int) -> float | None:
    return number(values[n]) if n < len(values) else None
