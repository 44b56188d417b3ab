"""Numbers in digits and English words."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ecomscript.planning.text import any_of

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Found:
    """A value read from a text and the places that say it (spans of character positions)."""

    value: float
    spans: tuple[Span, ...]
    currency: str = "$"


_BELOW_TWENTY = """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
seventeen eighteen nineteen"""
_BY_TEN = """twenty thirty forty fifty sixty seventy eighty ninety"""
_PLACES = """first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth"""
UNITS = {word: value for value, word in enumerate(_BELOW_TWENTY.split())}
TENS = {word: 10 * value for value, word in enumerate(_BY_TEN.split(), start=2)}
_SCALES = {"hundred": 100, "thousand": 1000, "grand": 1000, "dozen": 12}
ORDINALS = {word: value for value, word in enumerate(_PLACES.split(), start=1)} | {
    "sixteenth": 16,
    "eighteenth": 18,
    "twentieth": 20,
    "thirtieth": 30,
    "fortieth": 40,
    "fiftieth": 50,
    "sixtieth": 60,
    "seventieth": 70,
    "eightieth": 80,
    "ninetieth": 90,
}
_WORDS = any_of([*UNITS, *TENS, *_SCALES])
NUMBER_WORDS = rf"(?:half a dozen|(?:a |an |couple )?(?:{_WORDS})(?:(?:[ -]| and )(?:{_WORDS})){{0,4}})"
DIGITS = r"\d{1,3}(?:,\d{3}){1,2}(?:\.\d+)?|\d{1,6}(?:\.\d{1,2})?"
COUNT = rf"(?:{DIGITS}|{NUMBER_WORDS})"


def number(text: str) -> float | None:
    """Return the number that digits or English words name ("1,200", "2.5k", "six hundred", "a dozen"); None if they name none."""
    plain = text.lower().strip()
    digits = plain.replace(",", "")
    if re.fullmatch(r"\d+(?:\.\d+)?k?", digits):
        return float(digits.rstrip("k")) * (1000 if digits.endswith("k") else 1)
    if plain == "half a dozen":
        return 6.0
    total = current = 0
    for word in re.split(r"[ -]+", plain):
        if word in UNITS or word in TENS:
            current += UNITS.get(word, TENS.get(word, 0))
        elif word in _SCALES:
            current = max(current, 1) * _SCALES[word]
            if _SCALES[word] == 1000:
                total, current = total + current, 0
        elif word not in ("a", "an", "and"):
            return None
    return float(total + current) or None
