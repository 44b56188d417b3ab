"""The situation in free text: season, climate, place, diet, allergies, pets, room, noise, skill, deadline."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from ecomscript.planning.numbers import DIGITS, number
from ecomscript.planning.text import any_of, load_data, pattern

_PREPOSITION = (
    r"(?:in|near|to|from|at|around|visit|visiting|outside|across|through|of|living in|moving to"
    r"|northern|southern|eastern|western|central|downtown|rural)(?: the)?"
)


_OPPOSITE = {"spring": "autumn", "summer": "winter", "autumn": "spring", "winter": "summer"}


@dataclass(frozen=True, slots=True)
class Situation:
    """What a text says about the situation; the fields are those of ``Constraints``."""

    season: str | None
    climate: tuple[str, ...]
    diets: tuple[str, ...]
    allergens: tuple[str, ...]
    country: str | None
    voltage: str | None
    species: tuple[str, ...]
    pet_weight_kg: float | None
    small_space: bool
    quiet: bool
    skill: str | None
    deadline: str | None
    no_mains: bool


def conditions(text: str) -> frozenset[str]:
    """Return the health conditions that a text speaks of."""
    return frozenset(_labels("conditions", text))


def read_situation(text: str) -> Situation:
    """Return what a goal in tidy form says about the situation; what it does not say is None, empty or False."""
    country, place_climate = read_place(text)
    seasons = _labels("season", text)
    if country in _places()["southern"] and not any(season in text.lower() for season in seasons):
        seasons = tuple(_OPPOSITE[season] for season in seasons)
    diets = _labels("diets", text)
    skills = _labels("skill", text)
    deadline = _last(tuple(load_data("situation.yaml")["deadline"]), text)
    return Situation(
        season=seasons[0] if len(seasons) == 1 else None,
        climate=tuple(dict.fromkeys((*_labels("climate", text), *place_climate))),
        diets=diets,
        allergens=_allergens(text, diets),
        country=country,
        voltage=read_voltage(text, country),
        species=_labels("species", text),
        pet_weight_kg=read_pet_weight(text),
        small_space=bool(_labels("small_space", text)),
        quiet=bool(_labels("quiet", text)),
        skill=None if not skills or _last(tuple(load_data("situation.yaml")["not_beginner"]), text) else skills[-1],
        deadline=deadline.lower() if deadline else None,
        no_mains=bool(_labels("no_mains", text)),
    )


@cache
def _rules(group: str) -> dict[str, re.Pattern[str]]:
    return {str(value): pattern(*rules) for value, rules in load_data("situation.yaml")[group].items()}


def _labels(group: str, text: str) -> tuple[str, ...]:
    past = re.compile(rf"(?:{load_data('situation.yaml')['past_season'][0]}) $", re.IGNORECASE) if group == "season" else None
    found = []
    for value, rule in _rules(group).items():
        if any(past is None or not past.search(text[max(0, m.start() - 60) : m.start()]) for m in rule.finditer(text)):
            found.append(value)
    return tuple(found)


def _last(rules: tuple[str, ...], text: str) -> str | None:
    found = [match[0].strip() for match in pattern(*rules).finditer(text)]
    return found[-1] if found else None


_ALLERGIC = pattern(
    r"(?:allergic|allerg(?:y|ies)|intolerant|sensitive|anaphylactic|react(?:s|ion)? badly) to (?P<what>[a-z][a-z -]{1,40}?)"
    r"(?= ?(?:$|[,.;!?()]|so|but|please|which|who|because|some|in|that|you|need|what))"
)
_AIRBORNE = frozenset(
    [
        "pollen",
        "dust",
        "mites",
        "mite",
        "mold",
        "mould",
        "cats",
        "cat",
        "dogs",
        "dog",
        "bees",
        "bee",
        "wasps",
        "grass",
        "everything",
        "hay",
        "trees",
        "sun",
        "noise",
        "light",
        "cold",
        "heat",
        "it",
        "ragweed",
        "pets",
        "dander",
    ]
)


@cache
def _allergen_names() -> dict[str, str]:
    return {alias: name for name, aliases in load_data("allergens.yaml").items() for alias in (name, *aliases)}


@cache
def _allergen_lists() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Return the patterns of "egg- and nut-allergic", "milk or soy intolerance", and of ", eggs and sesame" behind "allergic to milk"."""
    name = any_of(_allergen_names())
    joint = r"-? ?(?:,|&|/|(?<= )and|(?<= )or)(?: (?:and|or))? ?"
    states = r"(?:allerg(?:ic|y|ies)|intoleran(?:t|ces?)|sensitiv(?:e|ity|ities)|anaphyla\w+)"
    before = pattern(rf"(?P<what>{name}(?:{joint}{name})*)(?:[ -]|- ){states}")
    return before, re.compile(rf"(?:{joint}{name}(?!\w))+", re.IGNORECASE)


def _listed(what: str) -> list[str]:
    """Return the allergens that a list names; "nut" and "gluten" are left to their diets."""
    names = _allergen_names()
    said = (re.sub(r"[ -]+", " ", m[0].lower()) for m in pattern(any_of(names)).finditer(re.sub(r"-(?= |$)", "", what)))
    return [names[phrase] for phrase in said if names[phrase] != "nut" and phrase != "gluten"]


def _allergens(text: str, diets: tuple[str, ...]) -> tuple[str, ...]:
    found = list(_labels("allergens", text))
    names = _allergen_names()
    before, more = _allergen_lists()
    for match in before.finditer(text):
        found += _listed(match["what"])
    for match in _ALLERGIC.finditer(text):
        if rest := more.match(text, match.end()):
            found += _listed(rest[0])
        for part in re.split(r" and | or |,|&", match["what"].lower()):
            words = [w for w in part.replace("-", " ").split() if w not in ("any", "all", "the", "raw", "most", "some", "every")]
            phrase = " ".join(words[:3])
            if phrase and words[-1] not in _AIRBORNE:
                found.append(names.get(phrase, names.get(phrase.removesuffix("s"), phrase)))
            elif len(words) > 1 and words[-1] in ("dust", "dander"):
                found.append(" ".join(words[:-1]))
    if "nut-free" in diets:
        found += ["peanut", "tree nut"]
    return tuple(dict.fromkeys(found))


@cache
def _places() -> dict[str, Any]:
    data: dict[str, Any] = json.loads((Path(__file__).parent / "data" / "places.json").read_text("utf-8"))
    data["city_country"] = {city: iso for iso, cities in data["cities"].items() for city in cities}
    return data


_NEXT_WORDS = re.compile(
    rf"(?:(?<![\w'-]){_PREPOSITION} |, ?|\()(?=(?P<words>[A-Za-z][\w'.-]*(?: [A-Za-z][\w'.-]*){{0,3}}))", re.IGNORECASE
)
_US = re.compile(r"\b(?:(?:in|to|from|across) the US\b|USA\b|U\.S\.(?:A\.)?)")


_TRAVEL = (
    r" ?(?:$|[,.;!?)(]|'s|and|with|in|for|next|this|on|trip|vacation|holiday|honeymoon|tour|winters?|summers?"
    r"|weather|weekend|road trip|here)"
)


def _is_place(lower: str, name: re.Match[str]) -> bool:
    """Return whether a name stands for a place here: "in india", "india trip", not "india ink"."""
    led = re.search(rf"(?<![\w'-]){_PREPOSITION} $", lower[max(0, name.start() - 24) : name.start()])
    return led is not None or re.match(_TRAVEL, lower[name.end() :]) is not None


def read_place(text: str) -> tuple[str | None, tuple[str, ...]]:
    """Return the ISO code of the country that a text names or places itself in, and what climate its places have."""
    places, lower = _places(), text.lower()
    spoken = [m[0] for m in pattern(any_of(places["countries"])).finditer(lower) if _is_place(lower, m)]
    codes = [places["countries"][name] for name in spoken if name in places["countries"]]
    names = list(spoken)
    for match in _NEXT_WORDS.finditer(lower):
        words = [w.rstrip(".'") for w in match["words"].split()]
        for size in range(min(3, len(words)), 0, -1):
            name = " ".join(words[:size])
            code = places["by_context"].get(name) or places["city_country"].get(name)
            listed = match[0][0] in ",(" and (
                places["by_context"].get(name) or not re.match(r" ?(?:$|[,.;!?)])", lower[match.start("words") + len(name) :])
            )
            if code and not listed:
                codes.append(code)
                names.append(name)
                break
    if _US.search(text):
        codes.append("US")
    climate = [kind for kind, where in places["climates"].items() if any(name in where for name in names)]
    return (codes[0] if len(set(codes)) == 1 else None), tuple(climate)


def country_name(code: str) -> str:
    """Return the English name of a country by its ISO code; the code itself when it is not known."""
    names = [name for name, iso in (*_places()["countries"].items(), *_places()["by_context"].items()) if iso == code]
    return names[0].title() if names else code


_VOLTS = pattern(r"(?P<v>1[012]0|2[234]0)[ -]?(?:v|volts?|vac)")


def read_voltage(text: str, country: str | None) -> str | None:
    """Return "120v" or "230v" as said in volts, else as used in the country; None when neither is known."""
    if match := _VOLTS.search(text):
        return "120v" if int(match["v"]) < 200 else "230v"
    if country is None:
        return None
    return "120v" if country in _places()["volts_120"] else "230v"


_WEIGHT = pattern(rf"(?P<n>{DIGITS})[ -]?(?P<u>lbs?|pounds?|kgs?|kilos?|kilograms?)")
_LB_KG = 0.4536


def read_pet_weight(text: str) -> float | None:
    """Return the weight in kg of the heaviest pet whose weight is said next to its species; None otherwise."""
    animals = pattern(*(rule.pattern for rule in _rules("species").values()))
    weights = []
    for match in _WEIGHT.finditer(text):
        after, before = text[match.end() : match.end() + 40], text[max(0, match.start() - 40) : match.start()]
        near = animals.search(after) and not re.search(r"[.,;!?]", after[: (animals.search(after) or match).start()])
        said = re.search(
            r"(?:weigh(?:s|ing)?|is|he is|she is|at)(?: about| around| like| only| over| almost)? $|\($|, $", before
        ) and animals.search(before)
        if (near and not re.match(r" (?:bag|of|kibble|sack)", after)) or said:
            value = number(match["n"]) or 0.0
            weights.append(value * (_LB_KG if match["u"].lower()[0] in "lp" else 1.0))
    return round(max(weights), 1) if weights else None
