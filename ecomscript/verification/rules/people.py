"""Persons in a text: the ages of children, the ages that a product is marked for, how many people, how many fit, how many in a pack.

All functions take a folded text (``attributes.fold``).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

MONTHS_PER_YEAR = 12
_NUMBER_WORDS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen"
    " seventeen eighteen nineteen twenty".split()
)
_TENS = {"thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "eighty": 80, "ninety": 90, "hundred": 100}
_COUNTS = {word: number for number, word in enumerate(_NUMBER_WORDS)} | _TENS
_COUNT = rf"(\d{{1,3}}|{'|'.join(_COUNTS)})"

_NO_CHILD = (
    r"(?:(?:\w+ )?(?:cats?|dogs?|pupp\w+|kittens?|horses?|pon(?:y|ies)|mare|hens?|rabbits?|labrador|terrier|retriever|dalmatian|chick)"
    r"|house|home|car|bike|computer|laptop|tree|whisk\w+|wine|piano|boiler|roof|phone)\b"
)
_BIRTHDAY = re.compile(r"(?<![\w-])(first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth) birthday")
_ORDINALS = "first second third fourth fifth sixth seventh eighth ninth tenth".split()
_CHILD_AGE = (
    re.compile(rf"(?<![\w-]){_COUNT}(?: and a half)?[- ](?P<unit>month|year|week)s?[- ]olds?\b(?! {_NO_CHILD})"),
    re.compile(
        rf"\b(?:aged?|ages|turns|turning|(?:boy|girl|son|daughter|twins|nephew|niece|children|kids|pupils|child) of) {_COUNT}\b"
        r"(?P<months> months?\b)?(?! ?(?:kg|cm|%|ml|g)\b)"
    ),
)
_AGE_SPAN = re.compile(rf"\b(?:aged?|ages|between) (?:from |between )?{_COUNT} ?(?:-|to|and) ?{_COUNT}\b(?! ?(?:kg|cm|%))")
_AGE_MARKS = (
    re.compile(r"\bpegi (?P<low>\d+)(?P<high>)(?P<unit>)(?P<plus>)"),
    re.compile(
        r"\bages? (?P<low>\d+(?:\.\d+)?)(?: ?(?:-|to) ?(?P<high>\d+(?:\.\d+)?))?"
        r"(?P<unit> months?)? ?(?P<plus>\+|and up|and over|years and up)?"
    ),
    re.compile(r"\b(?:from|over) (?P<low>\d+(?:\.\d+)?) ?(?P<unit>months?|years?)(?P<plus>)(?P<high>)(?! (?:of|warrant|guarant))"),
    re.compile(r"(?<![\d.])(?P<low>\d+(?:\.\d+)?) ?(?:-|to) ?(?P<high>\d+(?:\.\d+)?) ?(?P<unit>months?|years?)\b(?P<plus>)"),
    re.compile(r"(?<![\d.])(?P<low>\d+(?:\.\d+)?) ?\+ ?(?P<unit>months?|years?)(?P<high>)(?P<plus>)"),
    re.compile(r"(?<![\d.])(?P<low>\d+(?:\.\d+)?) ?(?P<unit>months?|years?) ?(?:\+|and up|and over|and older)(?P<high>)(?P<plus>)"),
)
_PERSONS = (
    r"people|persons|guests|friends|adults|children|kids|classmates|campers|scouts|players|pupils|students|visitors|colleagues|volunteers"
    r"|learners|teenagers"
)
_PEOPLE = (
    re.compile(rf"\b(?:group|family|household|party|crew|team|table|gathering) of {_COUNT}\b"),
    re.compile(rf"\b{_COUNT} (?:\w+ )?(?:{_PERSONS})\b"),
    re.compile(rf"\b(?:with|and) {_COUNT} (?P<others>\w+ )?(?:friends|guests)\b"),
)
_CAPACITY = (
    re.compile(rf"\b(?:sleeps|seats|carries) (?:up to )?{_COUNT}\b"),
    re.compile(rf"\b{_COUNT}[- ](?:person|man|berth|seater|seat)s?\b"),
    re.compile(rf"\b(?:for|up to) (?:up to )?{_COUNT} (?:persons?|people|adults|campers)\b"),
    re.compile(r"\b(\d)p\b"),
)
_PACK = re.compile(rf"\b(?:set of |pack of )?{_COUNT}[- ]?(?:pack|pcs|pieces)\b|\bset of {_COUNT}\b|\b(pair)\b|(?<![\d.])(\d) x (?=\d)")


@dataclass(frozen=True, slots=True)
class Span:
    """A closed range; an open end is infinite."""

    low: float
    high: float

    def misses(self, other: Span) -> bool:
        """Return whether the two ranges have no number in common."""
        return self.high < other.low or other.high < self.low


def _count(word: str) -> int:
    return int(word) if word.isdigit() else _COUNTS[word]


def child_months(text: str) -> Span | None:
    """Return the ages in months of the children that an objective names, youngest to oldest; None when it names none."""
    ages: list[float] = []
    if "newborn" in text:
        ages.append(0)
    for match in _CHILD_AGE[0].finditer(text):
        per = {"month": 1.0, "year": 12.0, "week": 0.23}[match["unit"]]
        ages.append(_count(match[1]) * per)
    spans = [(_count(m[1]), _count(m[2])) for m in _AGE_SPAN.finditer(text)]
    ages += [age * 12.0 for span in spans for age in span]
    if not spans:
        ages += [_count(m[1]) * (1.0 if m["months"] else 12.0) for m in _CHILD_AGE[1].finditer(text)]
    ages += [(_ORDINALS.index(m[1]) + 1) * 12.0 for m in _BIRTHDAY.finditer(text)]
    young = [age for age in ages if age < 18 * MONTHS_PER_YEAR]
    if not ages and re.search(r"\btoddlers?\b", text):
        young = [12.0, 36.0]
    return Span(min(young), max(young)) if young else None


def made_for_months(text: str) -> Span | None:
    """Return the ages in months that a title is marked for; an open end is infinite, None without a mark."""
    for pattern in _AGE_MARKS:
        if match := pattern.search(text):
            per = 1 if (match["unit"] or "").strip().startswith("month") else MONTHS_PER_YEAR
            low, high = float(match["low"]), float(match["high"] or "inf")
            return Span(min(low, high) * per, max(low, high) * per)
    return None


def people(text: str) -> int | None:
    """Return the number of persons that an objective names, the asker included in "with seven friends"; None when it names none."""
    if match := _PEOPLE[0].search(text):
        return _count(match[1])
    if match := _PEOPLE[2].search(text):
        return _count(match[1]) + 1
    if match := _PEOPLE[1].search(text):
        return _count(match[1])
    return 2 if re.search(r"\b(?:as|for) a couple\b", text) else None


def capacity(text: str) -> int | None:
    """Return how many persons one product takes; None when the title does not say."""
    return next((_count(match[1]) for pattern in _CAPACITY if (match := pattern.search(text))), None)


def pack(text: str) -> int:
    """Return how many pieces are sold together, 1 when the title does not say."""
    match = _PACK.search(text)
    if not match:
        return 1
    return 2 if match[3] else max(1, _count(match[1] or match[2] or match[4]))
