"""What the hard filters look at in a product, folded once per product: names, words, materials."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import yaml

from ecomscript.schema import AttributeValue, Product
from ecomscript.words import tokens

Name = tuple[str, ...]  # a noun phrase as folded words
_HEAD_END = re.compile(r"[,;(|–—]|\s-\s|\b(?:with|for|in|from|by|and|plus)\b", re.IGNORECASE)
_PURPOSE = re.compile(r"\b(?:for|on|fits|removes|cleans|against)\b[^,;|]*", re.IGNORECASE)


@cache
def tables() -> dict[str, Any]:
    """Return the word lists of ``data/eligibility.yaml``."""
    data: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "data" / "eligibility.yaml").read_text("utf-8"))
    for name in ("containers", "purposes"):
        data[name] = frozenset(data[name].split())
    data["denials"] = frozenset(data["denials"])
    data["power_sources"] = frozenset(data["power_sources"])
    return data


@dataclass(frozen=True, slots=True)
class Facts:
    """The words of one product in folded form.

    Attributes:
        names: What the thing is called: its kind, else the part of the title before the details; without words such as "set" at the end.
        text: Kind and title as one string of words with a space on both sides.
        made: Like ``text``, without what the title says after "for" or "on" (purposes and surfaces, not materials).
        details: The features in the same form.
        is_food: Whether a person eats or drinks it.
    """

    names: tuple[Name, ...]
    text: str
    made: str
    details: str
    is_food: bool


def facts_of(product: Product) -> Facts:
    """Return the folded words of a product; they are kept for the next call."""
    edible = "diet" in product.attributes or "servings" in product.attributes or "allergens" in product.attributes
    return _facts(product.kind or "", product.title, product.category, product.features, edible)


@lru_cache(maxsize=65_536)
def _facts(kind: str, title: str, category: str, features: tuple[str, ...], edible: bool) -> Facts:
    department = category.split(">", maxsplit=1)[0].strip().lower()
    name = kind or _HEAD_END.split(title, maxsplit=1)[0]
    return Facts(
        names=(bare_name(name),),
        text=f" {' '.join(tokens(kind))} | {' '.join(tokens(title))} ",
        made=f" {' '.join(tokens(kind))} | {' '.join(tokens(_PURPOSE.sub(' ', title)))} ",
        details=f" {' | '.join(' '.join(tokens(line)) for line in features)} ",
        is_food=department in tables()["food_departments"] or (not department and edible),
    )


def bare_name(name: str) -> Name:
    """Return the folded words of a name without the words at its end that only say how it is sold ("set", "pack")."""
    words = tokens(name)
    while len(words) > 1 and (words[-1] in tables()["containers"] or words[-1].isdigit()):
        words.pop()
    return tuple(words)


def values(value: AttributeValue | None) -> tuple[str, ...]:
    """Return an attribute as lower-case strings: a list member by member, other values as one, None as nothing."""
    if value is None:
        return ()
    members: Iterable[Any] = value if isinstance(value, list | tuple) else (value,)
    return tuple(str(member).lower() for member in members)


def same_thing(phrase: Name, name: Name) -> bool:
    """Return whether a phrase ("tent") names the thing that a name ends in ("family camping tent", not "tent stake")."""
    if not phrase or not name or phrase[-1] != name[-1]:
        return False
    return name[-len(phrase) :] == phrase or set(phrase) <= set(name) or set(name) <= set(phrase)


def holds(text: str, word: str) -> bool:
    """Return whether a text of folded words says that a substance is there: not denied, and not only what the thing is for."""
    needle = f" {word} "
    at = text.find(needle)
    while at >= 0:
        before = text[:at].rsplit(" ", 1)[-1]
        after = text[at + len(needle) :].split(" ", 1)[0]
        if before not in tables()["denials"] and after not in tables()["purposes"]:
            return True
        at = text.find(needle, at + 1)
    return False
