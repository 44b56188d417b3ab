"""When and where an objective is pursued: the temperature that it states, its season and the climate of its place.

A climate is one of "cold", "chilly" (cool or cold), "deep cold" (rock salt no longer melts ice), "hot" (summer at least), "great heat",
"frost-free", "cold water", "warm water", "dark" (northern winter) and the seasons "spring", "summer", "autumn", "winter". Nothing is
said where the words disagree.
"""

from __future__ import annotations

import re
from functools import lru_cache

from ecomscript.verification.rules.attributes import Quantity, compiled, quantities, tables

_UNITS = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen"
_NUMBERS = {word: number for number, word in enumerate(f"zero {_UNITS}".split())}
_TENS = {"twenty": 20, "thirty": 30, "forty": 40}
_WORD = rf"(?:{'|'.join(_TENS)})(?:-(?:{'|'.join(_NUMBERS)}))?|{'|'.join(sorted(_NUMBERS, key=len, reverse=True))}"
_SPELLED = re.compile(rf"\b(?:(minus|plus) )?({_WORD}|\d+)(?: (degrees)(?: (fahrenheit|celsius))?)?\b(?! ?(?:°|-))")
_MONTH_NAMES = "january february march april may june july august september october november december".split()
_IN_MARCH = "".join(rf"(?<={word})|" for word in ("in ", "of ", "late ", "early ", "mid ", "mid-", "this ", "next ")).removesuffix("|")
_MONTHS = rf"\b({'|'.join(_MONTH_NAMES)})\b".replace("march", rf"(?:{_IN_MARCH})march")  # "march" is a verb too
_SEASONS = ("winter", "spring", "summer", "autumn")
_PAST = r"\b(?:after|since|before|past|survived|next) (?:the |a |an? )?(?:\w+ )?(?:winter|summer|spring|autumn|frosts?|snow)\b"
_COLD, _COOL, _WARM, _DEEP_COLD = 5, 14, 25, -12  # degrees Celsius
_COLD_WATER, _WARM_WATER, _FAHRENHEIT_FROM = 15, 24, 50


def temperatures(goal: str) -> tuple[Quantity, ...]:
    """Return the temperatures that a folded objective states, words included ("at minus eighteen", "-8 °c")."""
    text = _SPELLED.sub(_in_digits, compiled(r"\bminus (?=\d)").sub("-", goal))
    return tuple(q for q in quantities(text) if q.unit == "degC" and q.low > -60 and q.high < 50)


def _outside(goal: str) -> tuple[Quantity, ...]:
    return () if _named("not the air", goal) else temperatures(goal)


def _in_digits(match: re.Match[str]) -> str:
    sign, word, degrees, scale = match.groups()
    if not degrees and not sign:
        return match[0]
    tens, _, ones = word.partition("-")
    number = int(word) if word.isdecimal() else _TENS.get(tens, 0) + _NUMBERS.get(ones or tens, 0)
    unit = "°f" if scale == "fahrenheit" or (not scale and number >= _FAHRENHEIT_FROM) else "°c"
    return f"{'-' if sign == 'minus' else ''}{number} {unit}"


def _named(name: str, goal: str) -> bool:
    return compiled(tables()["climates"][name]).search(goal) is not None


@lru_cache(maxsize=4096)
def climates(goal: str) -> frozenset[str]:
    """Return the climates of a folded objective."""
    goal = compiled(_PAST).sub(" ", goal)
    if _named("any season", goal):
        return frozenset()
    seasons = _seasons(goal)
    found = seasons | _stated(goal)
    if found == seasons and not _outside(goal):
        found |= _of_place(goal, seasons)
    if _named("frost-free", goal) or _named("tropics", goal):
        found |= set() if _named("cool", goal) else {"frost-free"}
    if _named("north", goal) and compiled(r"\b(?:november|december|january|winter|polar night)\b").search(goal):
        found |= {"dark"}
    return frozenset(found | _of_water(goal, found))


def _seasons(goal: str) -> set[str]:
    turned = 2 if _named("south", goal) else 0
    named = {name for name in _SEASONS if compiled(rf"\b{name}\b").search(goal)}
    months = [_MONTH_NAMES.index(month) + 1 for month in compiled(_MONTHS).findall(goal)] + [12] * _named("december", goal)
    return named | {_SEASONS[(month % 12 // 3 + turned) % 4] for month in months}


def _stated(goal: str) -> set[str]:
    stated = _outside(goal)
    if not stated:
        return set()
    low, high = min(q.low for q in stated), max(q.high for q in stated)
    bounds = {"cold": high <= _COLD, "chilly": high <= _COOL, "deep cold": low <= _DEEP_COLD and high <= 0}
    bounds |= {"hot": low >= _WARM, "great heat": low > _WARM}
    return {name for name, holds in bounds.items() if holds}


def _of_place(goal: str, seasons: set[str]) -> set[str]:
    warm, cool = _named("frost-free", goal) or _named("tropics", goal), _named("cool", goal)
    hottest = _named("hottest places", goal)
    late = bool({"october", "november", "march"} & {*compiled(_MONTHS).findall(goal)}) and not _named("south", goal)
    winter = "winter" in seasons or _named("cold words", goal) or ("november" in goal and _named("north", goal))
    summer = "summer" in seasons or _named("hot words", goal) or _named("tropics", goal) or (hottest and _named("hot month", goal))
    cold = winter and not warm and not ("summer" in seasons or _named("hot words", goal))
    hot = summer and not cool and (warm or not winter)
    chilly = cold or (late and not warm and not summer)
    great = hot and any(_named(name, goal) for name in ("hot words", "tropics", "hot places"))
    return {name for name, holds in {"cold": cold, "hot": hot, "great heat": great, "chilly": chilly}.items() if holds}


def _of_water(goal: str, found: set[str]) -> set[str]:
    """Return what is known of the water of divers, swimmers and surfers."""
    if _named("tropics", goal) and not _outside(goal):
        return {"warm water"}
    if not _named("in water", goal):
        return set()
    if stated := _outside(goal):
        return {"cold water"} if stated[0].high <= _COLD_WATER else {"warm water"} if stated[0].low >= _WARM_WATER else set()
    if {"frost-free", "hot"} <= found:
        return {"warm water"}
    return {"cold water"} if "cold" in found or _named("cold seas", goal) else set()
