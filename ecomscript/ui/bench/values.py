"""How the numbers of an exhibit are written: the table, the picture and the report agree."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from ecomscript.evaluation.exhibit import Column, Kind
from ecomscript.ui import texts

ABSENT = texts.BENCH_ABSENT
_DECIMALS: Mapping[Kind, int] = {"number": 3, "share": 1, "seconds": 3, "count": 0}


def number(value: Any) -> float | None:
    """Return a finite number; None for everything else, so that NaN and words are absent and never counted."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) else None


def written(value: Any, kind: Kind) -> str:
    """Return a value as the page writes it; "—" when it is absent.

    Args:
        value: What the row holds; a word in a column of numbers is written as it is.
        kind: How the column writes numbers.
    """
    if value is None or value == "" or (isinstance(value, float) and not math.isfinite(value)):
        return ABSENT
    known = number(value)
    if known is None or kind == "text":
        return f"{value:g}" if isinstance(value, float) else str(value)
    return _minus({"share": "{}%", "seconds": "{} s"}.get(kind, "{}").format(_digits(known, kind)))


def interval(row: Mapping[str, Any], column: Column) -> tuple[float, float] | None:
    """Return the ends of the column's interval in this row; None when there is none or it is no interval."""
    ends = row.get(column.interval) if column.interval else None
    if isinstance(ends, str) or not isinstance(ends, Sequence) or len(ends) != 2:
        return None
    low, high = map(number, ends)
    return None if low is None or high is None or low > high else (low, high)


def interval_words(ends: tuple[float, float], kind: Kind) -> str:
    """Return an interval as short as it can be read, such as ``[.51, .68]``."""
    short = [_digits(end, kind, fewer=True) for end in ends]
    return _minus(f"[{', '.join(s.replace('0.', '.', 1) if s.lstrip('-').startswith('0.') else s for s in short)}]")


def tick(value: float) -> str:
    """Return the label of a place on an axis."""
    return _minus(f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.6g}")


def short(value: float) -> str:
    """Return a number to three digits, for a picture."""
    return _minus(f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}")


def _digits(value: float, kind: Kind, fewer: bool = False) -> str:
    scaled = 100 * value if kind == "share" else value
    decimals = _DECIMALS.get(kind, 3)
    if kind == "seconds" and abs(value) >= 10:
        decimals = 1
    elif kind == "seconds" and 0 < abs(value) < 0.01:
        decimals = 1 - math.floor(math.log10(abs(value)))
    elif fewer and kind == "number":
        decimals = 2
    elif fewer and kind == "share":
        decimals = 0
    elif kind == "count" and not value.is_integer():
        decimals = 1
    return f"{scaled:,.{decimals}f}"


def _minus(text: str) -> str:
    return text.replace("-", "−")
