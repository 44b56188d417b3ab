"""Numeric sizes that must fit: what goes into, onto, around or over something else, covers an area or spans a distance.

Rows of ``tables/sizes/``, a file for each theme. Each has what "needs" to fit, and the "host" (a product) or the ``goal`` (patterns of
the objective). ``reads`` are patterns with ``{q}``, one quantity with its unit or a range of it ("26-55 inch", "up to 40 cm"), ``{r}``,
a range or limit only, or ``{d}``, two or three sides ("60 x 90 cm"); left out, every quantity of the text counts. ``unit`` is the kind
of quantity and ``bare`` the unit of numbers that name none. What is needed must lie between ``low`` and ``high`` times the host (both
left out: the same size), give or take ``slack``. A need that fits one host is content; sides are compared from the longest on
(``shortest``: from the shortest); ``adds`` lets all needs of a bundle do together what one cannot; ``when`` is what the objective must
say besides.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from ecomscript.verification.rules.attributes import OBJECTIVES, Facts, compiled, facts_of, tables
from ecomscript.verification.rules.people import Span
from ecomscript.verification.rules.registry import Finding, against_goal, over_bundle

_FACTORS: Mapping[str, Mapping[str, float]] = {
    "cm": {"mm": 0.1, "cm": 1, "m|met(?:re|er)s?": 100, "in|inch|inches": 2.54, "ft|foot|feet": 30.48, "yds?|yards?": 91.44},
    "m2": {
        r"m2|sqm|sq\.? ?m|square met(?:re|er)s?": 1,
        r"sq\.? ?ft|ft2|square f(?:ee|oo)t": 0.092903,
        "acres?": 4046.86,
        "ha|hectares?": 10_000,
    },
    "m3": {"m3|cubic met(?:re|er)s?": 1, r"cu\.? ?ft|cubic f(?:ee|oo)t": 0.0283168},
    "l": {"ml": 0.001, "cl": 0.01, "l|lit(?:re|er)s?": 1, "gal|gallons?": 3.785, "qt|quarts?": 0.946, "cups?": 0.24},
    "kg": {"g": 0.001, "kg": 1, "t|tonnes?": 1000, "lbs?|pounds?": 0.4536, "oz": 0.02835},
    "W": {"w|watts?": 1, "kw": 1000},
    "BTU": {"btu(?:/h)?": 1},
    "": {"": 1},
}
_PART = r"\d+/(?:2|3|4|5|8|16|32|64)(?!\d)"
_NUMBER = rf"(?:(?<!\d)[-+])?(?:\d+[- ]{_PART}|{_PART}|\d+(?:\.\d+)?)"
_MOST = r"(?:up )?to|max\.?(?:imum)?|under|below|fits to"
_LEAST = r"from|over|above|min\.?(?:imum)?|at least"
_FEET_AND_INCHES = re.compile(r"\b(\d+)(?: ?(?:ft|foot|feet)|')[ -]?(\d+(?:\.\d+)?) ?(?:in|inch|inches)\b")
_SHEET = re.compile(r"(?<!audi )\b(?:din )?a([0-7])\b(?! ?\d)")
_SHEETS_CM = (
    "84.1 x 118.9 cm",
    "59.4 x 84.1 cm",
    "42 x 59.4 cm",
    "29.7 x 42 cm",
    "21 x 29.7 cm",
    "14.8 x 21 cm",
    "10.5 x 14.8 cm",
    "7.4 x 10.5 cm",
)
_FITS_ANY = r"\b(?:universal|cut[- ]to[- ]\w+|trimmable|trim[- ]to|one size|made to measure|custom|cuttable|fits all)\b"


@dataclass(frozen=True, slots=True)
class Size:
    """One size as a text says it, the longest side first."""

    text: str
    sides: tuple[Span, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """One side of a row: which products stand on it and how their sizes are read."""

    is_: str
    isnt: str | None
    reads: tuple[re.Pattern[str], ...]
    unit: str
    bare: str | None

    def takes(self, product: Facts) -> bool:
        """Return whether a product stands on this side; what fits any size stands on none."""
        return product.says(self.is_) and not product.says(_FITS_ANY) and not (self.isnt and product.says(self.isnt))

    def sizes(self, facts: Facts) -> tuple[Size, ...]:
        """Return every size that a text says."""
        text = _plain(facts.text)
        matches = (match["q"].strip() for pattern in self.reads for match in pattern.finditer(text))
        return tuple(size for said in dict.fromkeys(matches) if (size := _size(said, self.unit, self.bare)))


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """One row of the tables, ready to be asked."""

    thing: str
    needs: Side
    host: Side | None
    goal: Side | None
    low: float | None
    high: float | None
    slack: float
    adds: bool
    shortest: bool
    when: str

    def takes(self, need: Size, host: Size) -> bool:
        """Return whether a size fits another, side by side."""
        step = -1 if self.shortest else 1
        return all(self._takes(n, h) for n, h in zip(need.sides[::step], host.sides[::step], strict=False))

    def _takes(self, need: Span, host: Span) -> bool:
        big_enough = self.low is None or need.high >= host.low * self.low - self.slack
        return big_enough and (self.high is None or need.low <= host.high * self.high + self.slack)

    def unfit(self, needed: Facts, given: Facts, side: Side) -> str | None:
        """Return why a product does not fit another one or the objective."""
        needs, hosts = self.needs.sizes(needed), side.sizes(given)
        if not needs or not hosts or any(self.takes(need, host) for need in needs for host in hosts):
            return None
        return f"The {self.thing} does not fit: {needed.name} has {needs[0].text}, {given.name} has {hosts[0].text}."

    def in_bundle(self, bundle: Sequence[Facts]) -> Iterator[Finding]:
        """Yield every need that fits no host of the bundle, with the first of them."""
        if self.host is None:
            return
        needs = [place for place, product in enumerate(bundle) if self.needs.takes(product)]
        hosts = [place for place, product in enumerate(bundle) if self.host.takes(product)] if needs else []
        for place in needs:
            others = [other for other in hosts if other != place and self.host.sizes(bundle[other])]
            reasons = [self.unfit(bundle[place], bundle[other], self.host) for other in others]
            if reasons and all(reasons):
                yield Finding(place, others[0], str(reasons[0]))

    def together(self, goal: Facts, bundle: Sequence[Facts]) -> Iterator[Finding]:
        """Yield the first need of those that all together do not reach what the objective says."""
        needs = [place for place, product in enumerate(bundle) if self.needs.takes(product)] if self.adds and self.goal else []
        wanted = self.goal.sizes(goal) if needs and self.goal and self.goal.takes(goal) else ()
        sizes = [self.needs.sizes(bundle[place]) for place in needs]
        if not wanted or not all(sizes):
            return
        total = sum(max(size.sides[0].high for size in each) * bundle[place].pack for place, each in zip(needs, sizes, strict=True))
        if all(total < size.sides[0].low * (self.low or 0) for size in wanted):
            first = bundle[needs[0]]
            yield Finding(
                needs[0], None, f"The {self.thing} does not reach: {first.name} has {sizes[0][0].text}, your plan has {wanted[0].text}."
            )


@lru_cache(maxsize=65_536)
def _plain(text: str) -> str:
    """Return a text with paper sizes in centimetres and feet with inches in inches alone."""
    sheets = _SHEET.sub(lambda match: _SHEETS_CM[int(match[1])], text)
    return _FEET_AND_INCHES.sub(lambda match: f"{float(match[1]) * 12 + float(match[2]):g} inch", sheets)


def _size(said: str, unit: str, bare: str | None) -> Size | None:
    parts = re.split(r" ?\bx\b ?|(?<=\d) ?x ?(?=\d)", said)
    kind = "cm" if len(parts) > 1 and unit == "m2" else unit
    numbers = [compiled(_quantity(kind)).findall(part) for part in parts]
    last = next((name for part in reversed(numbers) for _, name in reversed(part) if name), bare)
    if not all(numbers) or (last is None and unit):
        return None
    values = [[_value(number, name or last or "", kind) for number, name in part] for part in numbers]
    spans = [_bounded(said, min(part), max(part)) for part in values]
    if kind != unit:
        spans = [Span(math.prod(span.low for span in spans) / 1e4, math.prod(span.high for span in spans) / 1e4)]
    return Size(said, tuple(sorted(spans, key=lambda span: -(span.low + span.high))))


def _quantity(kind: str) -> str:
    return rf"({_NUMBER})(?:[- ]?({'|'.join(_FACTORS[kind])})(?!\w))?"


def _bounded(said: str, low: float, high: float) -> Span:
    if compiled(rf"^(?:{_MOST}) ").search(said):
        return Span(0, high)
    return Span(low, math.inf if compiled(rf"^(?:{_LEAST}) |\+$").search(said) else high)


def _value(number: str, name: str, kind: str) -> float:
    """Return "6-1/2" of "inch" in centimetres; a sign counts only where numbers have no unit."""
    signed = re.sub(r"(?<=\d)-(?=\d)", " ", number)
    whole, _, part = (signed.lstrip("-+") if kind else signed).rpartition(" ")
    top, _, bottom = part.partition("/")
    plain = float(whole or 0) + float(top) / float(bottom or 1)
    return plain * next(factor for spelling, factor in _FACTORS[kind].items() if re.fullmatch(spelling, name))


def _pattern(read: str, unit: str, bare: str | None) -> re.Pattern[str]:
    """Return a pattern of the tables with its placeholder filled in; the quantity is the group ``q``."""
    names = "|".join(_FACTORS["cm" if unit == "m2" and "{d}" in read else unit])
    named = rf"(?:[- ]?(?:{names})(?!\w))"
    span = rf"{_NUMBER}{named}?(?: ?(?:-|to) ?{_NUMBER}{named}?)?"
    before = r"(?<![\w./+-])(?<!\dx )(?<!\d x )"
    start = rf"{before}(?P<q>(?:(?:{_MOST}|{_LEAST}) )?{span}"
    stated = rf"(?:{_MOST}|{_LEAST}) {_NUMBER}{named}?"
    ranged = rf"{_NUMBER}{named}? ?(?:-|to) ?{_NUMBER}{named}?"
    limit = rf"{before}(?P<q>(?:{stated}|{ranged}|{_NUMBER}{named}(?=\+))"
    end = r"(?<=[a-z23])\+?)" if unit and bare is None else r"\+?)"
    stop = r"(?![\w/])(?! ?[-x] ?\d)(?!\.\d)(?! per )"
    holders = {"{q}": f"{start}{end}{stop}", "{r}": f"{limit}{end}{stop}", "{d}": f"{start}(?: ?x ?{span}){{1,2}}{end}{stop}"}
    filled = read
    for holder, pattern in holders.items():
        filled = filled.replace(holder, pattern)
    return re.compile(filled)


def _side(row: Mapping[str, Any], name: str) -> Side | None:
    own = row.get(name)
    if own is None:
        return None
    unit, bare = own.get("unit", row.get("unit", "cm")), own.get("bare", row.get("bare"))
    reads = own.get("reads", ["{q}"])
    return Side(own.get("is", ""), own.get("isnt"), tuple(_pattern(read, unit, bare) for read in reads), unit, bare)


@lru_cache(maxsize=1)
def fits() -> tuple[Fit, ...]:
    """Return the rows of the tables."""
    return tuple(map(_fit, tables()["sizes"]))


def _fit(row: Mapping[str, Any]) -> Fit:
    needs = _side(row, "needs")
    if needs is None:
        raise ValueError(f"a row without a need: {row}")
    same = "low" not in row and "high" not in row
    low, high = (0.98, 1.02) if same else (row.get("low"), row.get("high"))
    return Fit(
        thing=row["thing"],
        needs=needs,
        host=_side(row, "host"),
        goal=_side(row, "goal"),
        low=low,
        high=high,
        slack=row.get("slack", 0.0),
        adds=row.get("adds", False),
        shortest=row.get("shortest", False),
        when=row.get("when", ""),
    )


@over_bundle("size")
def _sizes(goal: Facts, bundle: Sequence[Facts]) -> Iterator[Finding]:
    bridged = any(product.says(tables()["bridges"]) for product in bundle)
    for fit in (fit for fit in fits() if not bridged and goal.says(fit.when)):
        yield from fit.in_bundle(bundle)
        yield from fit.together(goal, bundle)


@against_goal("size in the objective")
def _size_in_goal(goal: Facts, product: Facts) -> str | None:
    for fit, side in _asked(goal.text):
        if fit.needs.takes(product) and (reason := fit.unfit(product, goal, side)):
            return reason
    return None


@lru_cache(maxsize=OBJECTIVES)
def _asked(objective: str) -> tuple[tuple[Fit, Side], ...]:
    """Return the rows in which the objective, folded, is the host, each with that side."""
    goal = facts_of(objective)
    return tuple((fit, fit.goal) for fit in fits() if fit.goal and not fit.adds and goal.says(fit.when) and fit.goal.takes(goal))
