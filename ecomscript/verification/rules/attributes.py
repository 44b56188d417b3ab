"""What a title or an objective says in numbers and names: quantities with units, ages, people, animals, places, diets.

One ``Facts`` per text, kept for the next call. Texts are folded first (lower case, one kind of dash, no thousands separators), so
that the tables in ``tables/`` can be written in one spelling. Nothing here judges; that is ``compatibility``.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Literal

import pint
import yaml

from ecomscript.schema import AttributeValue
from ecomscript.verification.rules import people as people_of
from ecomscript.verification.rules.people import MONTHS_PER_YEAR, Span

Bound = Literal["exact", "range", "at most", "at least"]

OBJECTIVES = 256
"""Objectives of which it is kept which rows of the tables they leave open."""
_NEAR = 28  # characters on each side of a quantity in which its cue words stand
_UNITS = {
    "mm": ("mm", "cm"),
    "cm": ("cm", "cm"),
    "m": ("m", "cm"),
    "metres?|meters?": ("m", "cm"),
    "inch|inches|in": ("inch", "cm"),
    "ft|foot|feet": ("foot", "cm"),
    "kg": ("kg", "kg"),
    "g": ("g", "kg"),
    "lbs?|pounds?": ("lb", "kg"),
    "l|litres?|liters?": ("l", "l"),
    "ml": ("ml", "l"),
    "quarts?|qt": ("quart", "l"),
    "gallons?|gal": ("gallon", "l"),
    "kw": ("kW", "W"),
    "w|watts?": ("W", "W"),
    "kwh": ("kWh", "Wh"),
    "wh": ("Wh", "Wh"),
    "v|volts?": ("V", "V"),
    "° ?c": ("degC", "degC"),
    "° ?f": ("degF", "degC"),
    "months?": ("month", "month"),
    "years?|yrs?": ("year", "month"),
}
_UNIT = "|".join(_UNITS)
_UNIT_PATTERNS = tuple((re.compile(spelling), unit) for spelling, unit in _UNITS.items())
_SIGNED = r"(?<![\w.])[-+]?\d+(?:\.\d+)?"
_QUANTITY = re.compile(
    rf"(?P<low>{_SIGNED})(?: ?(?:{_UNIT}))?(?: ?- ?| to | and )(?P<high>[-+]?\d+(?:\.\d+)?)[ -]?(?P<unit>{_UNIT})(?!\w)"
    rf"|(?P<one>{_SIGNED})(?P<plus>\+)?[ -]?(?P<unit1>{_UNIT})(?P<plus1>\+)?(?!\w)"
)
_AT_MOST = re.compile(r"(?:up to|max\.?|maximum|at most|under|below|limit|no more than|rated|load|capacity) ?(?:of |for |user weight )?$")
_AT_MOST_AFTER = re.compile(r" ?(?:max\b|maximum|limit|(?:total |safe |dynamic )?load\b|capacity|payload|or less|and under)")
_AT_LEAST = re.compile(r"(?:from|over|above|min\.?|minimum|at least|more than) ?(?:of )?$")


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number or range with a unit, converted: ``low`` ≤ ``high`` in ``unit`` (cm, kg, l, W, Wh, V, degC or month)."""

    unit: str
    low: float
    high: float
    bound: Bound
    before: str = ""
    after: str = ""

    def near(self, pattern: str) -> bool:
        """Return whether a cue word stands directly before or after the quantity."""
        return compiled(pattern).search(f"{self.before.rstrip()} # {self.after.lstrip(' ,')}") is not None

    def excludes(self, value: float) -> bool:
        """Return whether a value lies outside a stated limit or range; ends belong to it, an exact quantity excludes nothing."""
        too_much = self.bound in {"range", "at most"} and value > self.high
        return too_much or (self.bound in {"range", "at least"} and value < self.low)

    def __str__(self) -> str:
        """Return the quantity in words: "5 to 8 kg", "at most 60 l"."""
        number = f"{self.low:g} to {self.high:g}" if self.bound == "range" else f"{self.high:g}"
        return f"{'' if self.bound in {'range', 'exact'} else self.bound + ' '}{number} {self.unit}"


@dataclass(frozen=True, slots=True)
class Facts:
    """What one text says.

    Attributes:
        text: The folded title or objective.
        name: The head of the title as a shopper would read it; for an objective "your plan".
        step: The folded step that the product serves; "" for an objective.
        details: The folded features; they may excuse ("dual voltage"), but never accuse.
        attributes: The catalogue's attributes of the product.
        quantities: Every number with a known unit, in the order of the text.
        child_months: Ages in months of the children that an objective names.
        made_for_months: Ages in months that a product is marked for.
        people: Number of persons that an objective names.
        capacity: Number of persons that one product takes.
        pack: How many pieces are sold together, 1 when it does not say.
        quantity: How many of it are bought.
    """

    text: str
    name: str = "your plan"
    step: str = ""
    details: str = ""
    attributes: Mapping[str, AttributeValue] = field(default_factory=dict)
    quantities: tuple[Quantity, ...] = ()
    child_months: Span | None = None
    made_for_months: Span | None = None
    people: int | None = None
    capacity: int | None = None
    pack: int = 1
    quantity: int = 1

    def says(self, pattern: str) -> bool:
        """Return whether the title or objective matches a pattern."""
        return matches(pattern, self.text)

    def shows(self, *names: str) -> bool:
        """Return whether the title or objective matches one of the named patterns of the table ``words``."""
        return any(self.says(word(name)) for name in names)

    def claims(self, pattern: str) -> bool:
        """Return whether title, features or attributes match a pattern; for what excuses a product."""
        return any(matches(pattern, part) for part in (self.text, self.details, " ".join(self.values())))

    def of(self, unit: str) -> tuple[Quantity, ...]:
        """Return the quantities in a unit."""
        return tuple(q for q in self.quantities if q.unit == unit)

    def number(self, key: str) -> float | None:
        """Return a numeric attribute; None when it is absent or no number."""
        value = self.attributes.get(key)
        return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None

    def values(self, key: str | None = None) -> tuple[str, ...]:
        """Return one attribute (all without a key) as folded strings, lists member by member."""
        chosen = self.attributes.values() if key is None else [self.attributes[key]] if key in self.attributes else []
        return tuple(fold(str(m)) for value in chosen for m in (value if isinstance(value, list | tuple) else (value,)))


@cache
def tables() -> dict[str, Any]:
    """Return the tables of ``tables/``: those of its file by their names, and each of its folders as one list, a file after the other."""
    folder = Path(__file__).parent / "tables"
    data: dict[str, Any] = _read_yaml(folder / "tables.yaml")
    for part in (path for path in folder.iterdir() if path.is_dir()):
        data[part.name] = rows_in(part)
    return data


def rows_in(folder: Path) -> list[Any]:
    """Return the rows of all YAML files of a folder, a file after the other."""
    return [row for file in sorted(folder.glob("*.yaml")) for row in _read_yaml(file)]


def _read_yaml(path: Path) -> Any:
    return yaml.load(path.read_text("utf-8"), getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # in C where PyYAML was built with it


def word(name: str) -> str:
    """Return a named pattern of the table ``words``."""
    return str(tables()["words"][name])


@lru_cache(maxsize=16_384)  # more than the tables hold
def compiled(pattern: str) -> re.Pattern[str]:
    """Return a pattern compiled once."""
    return re.compile(pattern)


@lru_cache(maxsize=131_072)  # the texts of some five plans with every pattern: an edited plan is asked again and again
def matches(pattern: str, text: str) -> bool:
    """Return whether a folded text matches a pattern somewhere."""
    return compiled(pattern).search(text) is not None


@lru_cache(maxsize=65_536)
def fold(text: str) -> str:
    """Return a text in one spelling: lower case, plain dashes, "x" between sizes, "inch" for marks, no thousands separators."""
    plain = unicodedata.normalize("NFKC", text.replace("½", ".5").replace("″", '"')).lower()
    plain = re.sub("[‐‑‒–—−]", "-", plain).replace("×", "x").replace("’", "'").replace("⁄", "/")
    plain = re.sub(r"(?<=\d),(?=\d{3}(?!\d))", "", plain)
    plain = re.sub(r"(?<=\d) c\b(?! ?\d)|(?<=[-+]\d)c\b|(?<=[-+]\d\d)c\b", " °c", plain)
    plain = re.sub(r"(?<=\d) ?(?:″|''|\")", " inch", plain)
    return " ".join(plain.split())


@cache
def _linear(unit: str, target: str) -> tuple[float, float]:
    """Return (offset, factor) that turn a number in ``unit`` into ``target``; exact for temperatures too."""
    registry = _registry()
    at_zero = registry.Quantity(0.0, unit).to(target).magnitude
    return at_zero, registry.Quantity(1.0, unit).to(target).magnitude - at_zero


@cache
def _registry() -> pint.UnitRegistry:
    return pint.UnitRegistry()


def convert(value: float, spelling: str) -> tuple[float, str]:
    """Return a number with its unit as spelled in a folded text ("lb", "litres", "°f") in the project's unit for it, and that unit.

    Raises:
        KeyError: The spelling is not one of the known units.
    """
    for pattern, (unit, target) in _UNIT_PATTERNS:
        if pattern.fullmatch(spelling):
            offset, factor = _linear(unit, target)
            return round(offset + factor * value, 6), target
    raise KeyError(spelling)


def quantities(text: str) -> tuple[Quantity, ...]:
    """Return every number or range with a known unit in a folded text."""
    return tuple(_quantities(text))


def _quantities(text: str) -> Iterator[Quantity]:
    for match in _QUANTITY.finditer(text):
        before, after = text[max(0, match.start() - _NEAR) : match.start()], text[match.end() : match.end() + _NEAR]
        first, spelling = match["low"] or match["one"], match["unit"] or match["unit1"]
        low, unit = convert(float(first), spelling)
        high = convert(float(match["high"]), spelling)[0] if match["high"] else low
        bound: Bound = "range" if match["high"] else "exact"
        if bound == "exact" and (_AT_MOST.search(before) or _AT_MOST_AFTER.match(after)):
            bound = "at most"
        elif bound == "exact" and (match["plus"] or match["plus1"] or _AT_LEAST.search(before)):
            bound = "at least"
        yield Quantity(unit, min(low, high), max(low, high), bound, before, after)


@lru_cache(maxsize=16_384)
def facts_of(text: str) -> Facts:
    """Return the facts of an objective."""
    folded = fold(text)
    return Facts(folded, quantities=quantities(folded), child_months=people_of.child_months(folded), people=people_of.people(folded))


def _shopper_name(title: str) -> str:
    return f"“{re.split(r'[,(|;]| with ', title.strip(), maxsplit=1)[0][:70].strip()}”"


@lru_cache(maxsize=65_536)
def _title_facts(title: str) -> Facts:
    text = fold(title)
    return Facts(
        text,
        name=_shopper_name(title),
        quantities=quantities(text),
        made_for_months=people_of.made_for_months(text),
        capacity=people_of.capacity(text),
        pack=people_of.pack(text),
    )


def product_facts(
    title: str, features: str = "", step: str = "", attributes: Mapping[str, AttributeValue] | None = None, quantity: int = 1
) -> Facts:
    """Return the facts of a product in its step; the title's part is kept for the next call, attributes win over the title."""
    said, marks = _title_facts(title), attributes or {}
    whole = replace(said, step=fold(step), details=fold(features), attributes=marks, quantity=quantity)
    low, high = whole.number("age_min"), whole.number("age_max")
    if low is None and high is None:
        return whole
    ages = Span((low or 0.0) * MONTHS_PER_YEAR, math.inf if high is None else high * MONTHS_PER_YEAR)
    return replace(whole, made_for_months=ages)
