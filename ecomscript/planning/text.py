"""Typed text made plain for the rules: one kind of quotes and spaces, nothing invisible, short forms written out."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import yaml

_DATA = Path(__file__).parent / "data"
MAX_CHARS = 12_000  # what is longer is cut: no goal needs more, and every rule stays fast
_QUOTES = str.maketrans(
    {"’": "'", "‘": "'", "`": "'", "´": "'", "“": '"', "”": '"', "–": "-", "—": " - ", "…": "...", "，": ",", "。": "."}
)
_SPACES = re.compile(r"[^\S\n]+")
_BREAKS = re.compile(r" ?\n[\n ]*")
_WORD = re.compile(r"[A-Za-z][\w']*(?:/(?:out|o)\b|/)?")
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n|(?<=[!?])(?=[A-Za-z])|\s-\s|;\s")


@cache
def load_data(name: str) -> Any:
    """Return the parsed YAML file ``data/<name>`` of this package; it is read once."""
    return yaml.load(
        (_DATA / name).read_text("utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    )  # the C one is ten times faster


@cache
def load_lines(name: str) -> frozenset[str]:
    """Return the lines of the text file ``data/<name>`` of this package as a set."""
    return frozenset((_DATA / name).read_text("utf-8").split())


@cache
def pattern(*alternatives: str) -> re.Pattern[str]:
    """Return one compiled pattern that finds any of the alternatives as whole words, whatever their case."""
    return re.compile(r"(?<![\w$-])(?:" + "|".join(alternatives) + r")(?:(?<!\w)|(?!\w))", re.IGNORECASE)


def any_of(words: Iterable[str]) -> str:
    """Return a regex alternation of literal phrases, the longest first; a space stands for any run of spaces or a hyphen."""
    ordered = sorted(words, key=len, reverse=True)
    return "(?:" + "|".join(re.escape(word).replace(r"\ ", r"[ -]+") for word in ordered) + ")"


def visible(text: str) -> str:
    """Return the text without control and direction marks, with plain quotes and single spaces, cut at ``MAX_CHARS``."""
    plain = unicodedata.normalize("NFKC", text[:MAX_CHARS].translate(_QUOTES))[:MAX_CHARS]
    kept = "".join(
        " " if unicodedata.category(c) == "Cc" and c != "\n" else c for c in plain if unicodedata.category(c) not in ("Cf", "Cs")
    )
    return _BREAKS.sub("\n", _SPACES.sub(" ", kept)).strip()


def tidy(text: str) -> str:
    """Return visible text with short forms written out: "cant bring w/o" → "can not bring without"."""
    short = load_data("spelling.yaml")
    return _SPACES.sub(" ", _WORD.sub(lambda m: _long_form(m[0], short), visible(text)))


def _long_form(word: str, short: dict[str, str]) -> str:
    long = short.get(word.lower())
    if long is None:
        return word
    return long + " " if word.endswith("/") else long


def sentences(text: str) -> list[str]:
    """Return the sentences of a text in order, without empty ones."""
    return [part.strip() for part in _SENTENCE.split(text) if part and part.strip()]
