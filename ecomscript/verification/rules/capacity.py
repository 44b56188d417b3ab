"""Rules for how much a product holds, makes or covers against how many an objective is for: rows of ``tables/scale/``.

A row counts something of the objective (``of``: people, m2, l, kg, or a name of the table ``counted``) and names products (``holds``,
narrowed by ``holds_is``, excused by ``unless``; the objective may be narrowed by ``goal`` and ``goal_unless``). It is one of two kinds:

* by class: ``from`` or ``to`` a count the product is too small or too large, whatever its numbers;
* by number: what one product offers – a ``unit`` (l, kg, cm, or m2 for a floor), what ``reads`` reads (one number or two, lowest and
  highest), a fixed ``value``, or the pieces of a pack (``each``) – must be ``least`` to ``most`` for each one that is counted. ``over``
  and ``under`` bound the counts that are asked. Several products of a row add up, and so do the pieces of
a pack unless the number is that of all of them (``alone``).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from ecomscript.verification.rules.attributes import OBJECTIVES, Facts, compiled, convert, facts_of, tables
from ecomscript.verification.rules.people import COUNT, Span, count
from ecomscript.verification.rules.registry import Finding, against_goal, over_bundle

Row = Mapping[str, Any]

_AREA = (
    (r"(?<![\w.])(\d+(?:\.\d+)?)[ -]?(?:m2|sqm|square met(?:re|er)s?)\b", 1.0),
    (r"(?<![\w.])(\d+(?:\.\d+)?)[ -]?(?:sq\.? ?ft|square f(?:ee|oo)t)\b", 0.0929),
    (r"(?<![\w.])(\d+(?:\.\d+)?)[ -]?(?:ha|hectares?)\b", 10_000.0),
    (r"(?<![\w./])(\d+(?:\.\d+)?|1/2|1/4|an?|one|two|half an)[ -]acres?\b", 4047.0),
)
_FLOOR = r"(?<![\w.])(\d+(?:\.\d+)?) ?(m|ft)? ?x ?(\d+(?:\.\d+)?) ?(m|ft)\b"
_LENGTH = r"(?<![\w.])(\d+(?:\.\d+)?) x \d+(?:\.\d+)? ?(mm|cm|m|inch|in|ft)\b"
_NOT_HELD = r"\bper\b|an hour|/ ?h\b|/ ?min|weighs|own weight|minute"
_TIMES = r"(?<![\w.])(\d{1,3}) x $"


def counted(goal: Facts, what: str) -> float | None:
    """Return how many of something an objective is for; None when it does not say."""
    if what == "people":
        return goal.people
    if what == "m2":
        return _area(goal.text)
    if what in {"l", "kg"}:
        amounts = [q.high for q in goal.of(what) if q.bound in {"exact", "at least"}]
        return amounts[0] if len(amounts) == 1 else None
    if what == "babies" and (many := compiled(r"\b(?:(twins)|(triplets)|one (?:toddler|baby|child|infant))\b").search(goal.text)):
        return 2 if many[1] else 3 if many[2] else 1
    match = compiled(rf"(?<![\w.]){COUNT} (?:[\w-]+ ){{0,2}}?(?:{tables()['counted'][what]})\b").search(goal.text)
    return count(match[1]) if match else None


def _area(text: str) -> float | None:
    for pattern, factor in _AREA:
        if match := compiled(pattern).search(text):
            number = {"a": 1.0, "an": 1.0, "one": 1.0, "two": 2.0, "half an": 0.5, "1/2": 0.5, "1/4": 0.25}.get(match[1])
            return factor * (float(match[1]) if number is None else number)
    return None


@against_goal("scale")
def _scale(goal: Facts, product: Facts) -> str | None:
    for row in _asked(goal.text):
        if not ("from" in row or "to" in row) or not _held(row, product):
            continue
        if row.get("from", 0) <= (counted(goal, row["of"]) or 0) <= row.get("to", math.inf):
            return f"{product.name} does not go with your plan: {row['why']}."
    return None


@over_bundle("capacity")
def _capacity(goal: Facts, bundle: Sequence[Facts]) -> Iterator[Finding]:
    for row in _asked(goal.text):
        if "from" in row or "to" in row:
            continue
        number = counted(goal, row["of"]) or 0
        offers = [(place, _offer(row, product)) for place, product in enumerate(bundle) if _held(row, product)]
        known = [(place, offer) for place, offer in offers if offer is not None]
        if not row.get("over", 0) <= number <= row.get("under", math.inf) or not known:
            continue
        place, offer = known[0]
        if len(known) == len(offers) and sum(o.high * _pack(row, bundle[p]) for p, o in known) < row.get("least", 0) * number:
            yield Finding(place, None, f"{bundle[place].name} is not enough for {number:g}: {row['why']}.")
        for place, offer in known:
            if offer.low > row.get("most", math.inf) * number:
                yield Finding(place, None, f"{bundle[place].name} is far too much for {number:g}: {row['why']}.")


@lru_cache(maxsize=OBJECTIVES)
def _asked(objective: str) -> tuple[Row, ...]:
    """Return the rows that count something of the objective, folded."""
    goal = facts_of(objective)
    return tuple(row for row in tables()["scale"] if _counts(row, goal))


def _counts(row: Row, goal: Facts) -> bool:
    if counted(goal, row["of"]) is None or not goal.says(row.get("goal", "")):
        return False
    return not ("goal_unless" in row and goal.says(row["goal_unless"]))


def _held(row: Row, product: Facts) -> bool:
    named = product.says(row["holds"]) and product.says(row.get("holds_is", ""))
    return named and not ("unless" in row and product.says(row["unless"]))


def _pack(row: Row, product: Facts) -> int:
    return product.quantity * (1 if "each" in row or "alone" in row else product.pack)


def _offer(row: Row, product: Facts) -> Span | None:
    """Return the lowest and highest of what one piece of a product offers; None when its title does not say."""
    if "value" in row:
        return Span(row["value"], row["value"])
    if "each" in row:
        return Span(product.pack, product.pack) if product.pack > 1 else None
    if "reads" in row:
        match = compiled(row["reads"].replace("#", COUNT)).search(product.text)
        if not match:
            return None
        low, *rest = [float(count(group)) for group in match.groups() if group]
        return Span(low, max([low, *rest]))
    return _measured(row["unit"], product)


def _measured(unit: str, product: Facts) -> Span | None:
    if unit == "m2":
        area = _area(product.text)
        floor = compiled(_FLOOR).search(product.text)
        if area is None and floor:
            area = float(floor[1]) * float(floor[3]) * (0.0929 if floor[4] == "ft" else 1.0)
        return Span(area, area) if area else None
    given = [q for q in product.of(unit) if not q.near(_NOT_HELD)]
    if unit == "cm":
        sizes = [q.high for q in given] + [convert(float(m[1]), m[2])[0] for m in compiled(_LENGTH).finditer(product.text)]
    else:
        sizes = [q.high * _times(q.before) for q in given]
    return Span(max(sizes), max(sizes)) if sizes else None


def _times(before: str) -> int:
    match = compiled(_TIMES).search(before)
    return int(match[1]) if match else 1
