"""From what a writer would buy ("a cooler", for camping) to a kind of the catalogue, by its name and its meaning in that place."""

from __future__ import annotations

from collections import defaultdict
from functools import cached_property

import numpy as np

from ecomscript.learnt import mix
from ecomscript.planning.draft import Encode
from ecomscript.planning.library import Library
from ecomscript.words import FUNCTION_WORDS, tokens

NAME, CONTEXT = 0.5, 0.7
"""Worth of the share of equal words, and of the closeness to step and goal, beside the closeness to the words themselves."""
LEAST = 1.15
"""Least worth for a kind to be meant; of 80 names that were read, 5 of the 60 kinds above were not what was meant."""
_CONTAINERS = frozenset("set kit pack bundle pair assortment collection supply".split())


class NeedFinder:
    """Finds kinds by what people call them.

    Args:
        library: Its kinds and their vectors.
        encode: The encoder of the library.
    """

    def __init__(self, library: Library, encode: Encode) -> None:
        self._kinds, self._vectors, self._encode = library.kinds, library.kind_vectors, encode

    @cached_property
    def _rows(self) -> dict[str, list[int]]:
        """Rows of the kinds by the head word of their names."""
        rows: dict[str, list[int]] = defaultdict(list)
        for row, kind in enumerate(self._kinds):
            rows[_head(kind.name)].append(row)
        return rows

    def find(self, called: str, step: str, goal: str) -> str | None:
        """Return the kind whose name has the same head word and that fits best; None where none fits.

        Args:
            called: What is needed, in a few words.
            step: The step that needs it.
            goal: What the plan is for.
        """
        head, words = _head(called), _words(called)
        rows = self._rows.get(head) if head else None
        if not rows:
            return None
        own, *place = self._encode([called, step, goal])
        context = mix(np.stack(place[:1]), place[1])[0]
        vectors = self._vectors[rows]
        own_words = [_words(self._kinds[row].name) for row in rows]
        names = np.array([len(words & of) / len(words | of) for of in own_words])
        worth = vectors @ own + CONTEXT * (vectors @ context) + NAME * names + (names == 1.0) * LEAST
        best = int(np.argmax(worth))
        return self._kinds[rows[best]].name if worth[best] >= LEAST else None


def _words(name: str) -> frozenset[str]:
    return frozenset(tokens(name)) - FUNCTION_WORDS - _CONTAINERS


def _head(name: str) -> str:
    """Return the word that says what a thing is: "roller" for "paint roller kit", "" where there is none."""
    own = _words(name)
    return next((word for word in reversed(tokens(name)) if word in own), "")
