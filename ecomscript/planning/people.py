"""For whom a plan is: the number of people and their ages, read from free text."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from ecomscript.planning.numbers import COUNT, ORDINALS, TENS, UNITS, Found, number
from ecomscript.planning.text import any_of, load_data, pattern

MOST_PEOPLE = 2000
OLDEST_YEARS = 105
ADULT_YEARS = 18
MOST_AGES = 8  # in one list


@cache
def _fill() -> dict[str, str]:
    """Return what the placeholders of data/quantities.yaml stand for."""
    data = load_data("quantities.yaml")
    age = rf"\d{{1,2}}(?:\.5)?|{any_of([*UNITS, *TENS])}"
    between = r"(?: ?, ?| ?& ?| ?and | ?/ ?| ?or | ?, and | ?\+ ?)"
    filled = {name: f"(?:{'|'.join(data[name])})" for name in ("person", "pair", "child")}
    filled |= {"not_person": f"(?:{'|'.join(data['ages']['not_person'])})", "count": COUNT, "ordinal": any_of(ORDINALS)}
    return filled | {"age": age, "ages": rf"(?:{age})(?:{between}(?:{age})){{0,{MOST_AGES - 1}}}"}


@cache
def _rule(*alternatives: str) -> re.Pattern[str]:
    filled = [re.sub(r"(?<!\?P)<([a-z_]+)>", lambda m: _fill().get(m[1], m[0]), rule) for rule in alternatives]
    return pattern(*filled)


def read_people(text: str) -> Found | None:
    """Return for how many people the plan is; None where the words leave it open."""
    data: dict[str, Any] = load_data("quantities.yaml")["people"]
    if both := _rule(data["groups"]).search(text):
        return Found((number(both["a"]) or 0) + (number(both["b"]) or 0), (both.span(),))
    owner = pattern(*data["not_guests_before"])
    for group in ("counted", "counted_guests"):
        for rule in data[group]:
            for match in _rule(rule).finditer(text):
                value = number(match["n"]) or 0
                is_one_thing = value == 1 and "person" not in match[0]
                last = text[max(0, match.start() - 12) : match.start()].rstrip()
                belongs = group == "counted_guests" and any(found.end() == len(last) for found in owner.finditer(last))
                if 1 <= value <= MOST_PEOPLE and not is_one_thing and not belongs:
                    return Found(value, (match.span(),))
    for name, count in (("two", 2.0), ("one", 1.0)):
        if said := _rule(*data[name]).search(text):
            return Found(count, (said.span(),))
    return None


def read_ages(text: str) -> tuple[int, ...]:
    """Return the ages in years of the people meant, ascending and without repeats.

    Ages of grown-ups are left out when the text speaks of children too: the plan may be for those.
    """
    rules = load_data("quantities.yaml")["ages"]["said"]
    ages = {age for rule in rules for match in _rule(rule).finditer(text) for age in _ages_of(match) if age <= OLDEST_YEARS}
    if ages and min(ages) >= ADULT_YEARS and _rule("<child>", "bab(?:y|ies)", "kid's", "child's", "nursery", "students?").search(text):
        return ()
    if not ages:
        stages = load_data("ages.yaml")
        for match in pattern(any_of(stages)).finditer(text):
            ages.update(stages[match[0].lower().replace("-", " ")])
    return tuple(sorted(ages))


def _ages_of(match: re.Match[str]) -> list[int]:
    groups = match.groupdict()
    if birthday := groups.get("o"):
        return [ORDINALS[birthday.lower()]]
    if grade := groups.get("g") or groups.get("h"):
        return [5 + (int(grade) if grade.isdigit() else ORDINALS[grade.lower()])]
    values = [number(part) for part in re.split(r"[^\w.]+|\b(?:and|or|to)\b", groups["n"].lower()) if part]
    return [int(value) for value in values if value is not None]
