"""Where a value stands in a picture."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)


@dataclass(frozen=True, slots=True)
class Axis:
    """A stretch of values laid over a stretch of the picture.

    Attributes:
        low: Least value, below ``high``.
        start: Place of ``low`` in the units of the picture.
        end: Place of ``high``; smaller than ``start`` on an axis that goes up.
    """

    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        """Return the place of a value."""
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)

    def inside(self, value: float) -> float:
        """Return the nearest value on the axis."""
        return min(max(value, self.low), self.high)

    def holds(self, value: float) -> bool:
        """Return whether a value lies on the axis."""
        return self.low <= value <= self.high

    def ticks(self, most: int) -> list[float]:
        """Return round values on the axis, at most ``most`` steps of them."""
        step = _step(self.low, self.high, most)
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return [round(n * step, 12) for n in range(first, last + 1)]


def axis_over(values: Sequence[float], start: float, end: float) -> Axis:
    """Return an axis that begins and ends at round values around all ``values``; 0 to 1 when there are none."""
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    if low == high:
        low, high = (min(low, 0.0), max(high, 0.0)) if low else (0.0, 1.0)
    step = _step(low, high, 5)
    return Axis(math.floor(low / step + 1e-9) * step, math.ceil(high / step - 1e-9) * step, start, end)


def _step(low: float, high: float, most: int) -> float:
    raw = (high - low) / most
    power = 10.0 ** math.floor(math.log10(raw))
    return next(power * s for s in _STEPS if power * s >= raw * (1 - 1e-9))
