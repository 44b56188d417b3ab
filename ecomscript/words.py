"""Words and noun phrases in one spelling, for every part that compares them: lower case, singular, American, no hyphens."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

_TOKEN = re.compile(r"[^\W_]+(?:['.][^\W_]+)*")
_IRREGULAR = {
    "children": "child",
    "feet": "foot",
    "geese": "goose",
    "halves": "half",
    "knives": "knife",
    "leaves": "leaf",
    "loaves": "loaf",
    "men": "man",
    "mice": "mouse",
    "people": "person",
    "scarves": "scarf",
    "shelfs": "shelf",
    "shelves": "shelf",
    "teeth": "tooth",
    "wives": "wife",
    "wolves": "wolf",
    "women": "woman",
}
_SAME = frozenset(
    [
        "bus",
        "gas",
        "glass",
        "lens",
        "canvas",
        "mattress",
        "compass",
        "harness",
        "dress",
        "press",
        "moss",
        "christmas",
        "always",
        "series",
        "species",
        "molasses",
        "asparagus",
    ]
)
_OES = frozenset(["potatoes", "tomatoes", "mangoes", "heroes", "echoes", "torpedoes", "avocadoes", "cargoes"])
_SPELLING = {
    "aluminium": "aluminum",
    "colour": "color",
    "fibre": "fiber",
    "grey": "gray",
    "jewellery": "jewelry",
    "mould": "mold",
    "neighbour": "neighbor",
    "pyjamas": "pajama",
    "tyre": "tire",
    "whisky": "whiskey",
    "yoghurt": "yogurt",
}

FUNCTION_WORDS = frozenset(
    "a an and as at be by do for from get have in into is it make my of off on or our out over that the to under up with without".split()
)
"""Words that say nothing about what a text is about."""


@lru_cache(maxsize=50_000)
def singular(word: str) -> str:
    """Return the singular of a lower-case English word in American spelling ("shelves" → "shelf", "tyres" → "tire")."""
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if word not in _SAME and len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        if word.endswith("ies") and len(word) > 4:
            word = word[:-3] + "y"
        elif word.endswith(("ches", "shes", "sses", "xes", "zes")) or word in _OES:
            word = word[:-2]
        else:
            word = word[:-1]
    return _SPELLING.get(word, word)


def tokens(text: str) -> list[str]:
    """Return the words of a text in order, folded: lower case, hyphens split, singular, possessive s dropped."""
    return [singular(token.removesuffix("'s")) for token in _TOKEN.findall(text.lower().replace("’", "'"))]


def both(names: Sequence[str]) -> str:
    """Return names as ``A``, ``A and B`` or ``A, B and C``."""
    *rest, last = names
    return f"{', '.join(rest)} and {last}" if rest else last


def with_article(name: str) -> str:
    """Return ``a tent``, ``an area rug``; a plural stays as it is."""
    head = name.rsplit(maxsplit=1)[-1].lower()
    if singular(head) != head:
        return name
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"
