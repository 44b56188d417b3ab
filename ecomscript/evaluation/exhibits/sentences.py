"""Findings in words: every one is chosen by comparing the numbers that it is about."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ecomscript.evaluation.exhibits.values import CHANCE, Estimate


def listed(parts: Sequence[str]) -> str:
    """Return "a", "a and b" or "a, b and c"."""
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def sentences(*parts: str) -> str:
    """Return the parts that are not empty as sentences."""
    return " ".join(f"{part[0].upper()}{part[1:]}." for part in parts if part)


def share(value: float) -> str:
    """Return a share in per cent: "67.8%"."""
    return f"{100 * value:.1f}%"


def moved(before: float, after: float) -> str:
    """Return where a share went: "up from 10.0% to 12.0%", or "unchanged at 10.0%"."""
    old, new = share(before), share(after)
    return f"unchanged at {old}" if old == new else f"{'up' if after > before else 'down'} from {old} to {new}"


def written(one: Estimate) -> str:
    """Return a number with its interval: "0.781 [0.722, 0.838]"."""
    return f"{one.value:.3f}" + (f" [{one.low:.3f}, {one.high:.3f}]" if one.low is not None else "")


def compared(one: Estimate, other: Estimate) -> str:
    """Return how one number stands to another: "better than “title” by 0.056, intervals overlap"; higher is better."""
    gap = round(one.value - other.value, 3)
    if not gap:
        return f"level with “{other.name}”"
    words = f"{'better' if gap > 0 else 'worse'} than “{other.name}” by {abs(gap):.3f}"
    if one.low is None or one.high is None or other.low is None or other.high is None:
        return words
    apart = one.low > other.high or other.low > one.high
    return f"{words}, intervals {'do not overlap' if apart else 'overlap'}"


def against(estimates: Iterable[Estimate], level: float, above: str, within: str, below: str) -> str:
    """Return which intervals lie above a level, reach it or lie below: "above chance: T2; not told from chance: T1"."""
    found: dict[str, list[str]] = {above: [], within: [], below: []}
    for one in estimates:
        if one.low is not None and one.high is not None:
            found[above if one.low > level else below if one.high < level else within].append(one.name)
    return "; ".join(f"{words}: {listed(names)}" for words, names in found.items() if names)


def against_chance(estimates: Iterable[Estimate]) -> str:
    """Return which areas under the curve are above chance by their intervals, which reach it and which are below."""
    return against(estimates, CHANCE, "intervals above chance", "interval reaches chance", "interval below chance")
