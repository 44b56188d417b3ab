"""A plan that somebody else writes, checked step by step: what cannot be a step is left out, and too much of it spoils the plan."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from ecomscript.planning.language import detect
from ecomscript.planning.parse import WrittenStep
from ecomscript.planning.text import load_lines
from ecomscript.request import clean_text
from ecomscript.schema import PER_STEP, Step
from ecomscript.words import FUNCTION_WORDS, tokens

Encode = Callable[[Sequence[str]], npt.NDArray[np.float32]]
Fault = Literal["empty", "long", "several", "same", "generic", "errand", "foreign", "markup", "price", "unsafe"]

FEWEST, MOST = 3, 10
"""Steps of a plan."""
MOST_CHARS, MOST_WORDS = 120, 20
"""Of a step; the longest of the library has 76 characters."""
SAME = 0.85
"""Two steps with a cosine above say the same; none of 16,000 pairs inside plans of the library reaches even 0.8."""
SURELY_BUYS, SURELY_NOT = 0.85, 0.15
"""Beyond these P(the step needs something bought) a mark that says the opposite is not believed, and the matcher decides."""
MOST_LEFT_OUT = 0.5
"""Share of the steps that may be unusable."""

FAULTS: dict[Fault, str] = {
    "empty": "A step has no text.",
    "long": f"A step is longer than {MOST_WORDS} words.",
    "several": "A step holds more than one sentence or action.",
    "same": "Two steps say the same.",
    "generic": "A step would fit every goal: it names nothing of this one.",
    "errand": "A step sends the person to a shop: the plan brings the products.",
    "foreign": "A step is not in English.",
    "markup": "A step holds code, markup or an address.",
    "price": "A step names a price.",
    "unsafe": "A step is not safe to recommend.",
}
_NUMBERING = re.compile(r"^(?:(?:step\s*)?\d{1,3}\s*[.):-]\s+|step\s*\d{1,3}\s*[.):-]?\s+|[-*•]\s+)", re.IGNORECASE)
_NO_PURCHASE = re.compile(r"\s*[\[(](?:no|nothing)\b[^\])]{0,20}(?:purchase|buy|bought)[^\])]{0,20}[\])]", re.IGNORECASE)
_ERRAND = re.compile(r"(?:go|head|drive|walk|visit|stop)\b(?:\s+\S+){0,6}?\s+(?:stores?|supermarkets?|malls?|retailers?)\b", re.IGNORECASE)
_SECOND_SENTENCE = re.compile(r"[.!?]\s+\S|;")
MARKUP = re.compile(r"https?:|www\.|\w@\w|[<>{}`\\|=]|\$\(|\]\(|\w\.(?:com|net|org|io|shop)\b", re.IGNORECASE)
PRICE = re.compile(r"[$€£]\s?\d|\d\s?(?:usd|dollars?|euros?|bucks)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Checks:
    """What a written step is held against.

    Attributes:
        encode: Texts → (n, dim) float32, unit norm.
        buys: P(a step needs anything bought).
        unsafe: Whether a text must not be shown.
        find: Words for a thing, the step and the goal → the kind of the catalogue that is meant, or None.
    """

    encode: Encode
    buys: Callable[[str], float]
    unsafe: Callable[[str], bool]
    find: Callable[[str, str, str], str | None]


class Draft:
    """The steps of one answer as far as it was read.

    Args:
        goal: What the plan is for.
        checks: What the steps are held against.
    """

    def __init__(self, goal: str, checks: Checks) -> None:
        self._goal, self._checks = goal, checks
        self._goal_words = frozenset(tokens(goal))
        self._vectors: list[npt.NDArray[np.float32]] = []
        self._said: list[frozenset[str]] = []
        self.steps: tuple[Step, ...] = ()
        self.faults: list[Fault] = []
        self._too_many = False

    @property
    def hopeless(self) -> bool:
        """Whether there is no use in reading on: whatever follows, ``problems`` will find too much wrong."""
        return self._too_many or len(self.faults) > MOST_LEFT_OUT * MOST

    def add(self, written: WrittenStep) -> Step | None:
        """Take a step in; None when it cannot be used."""
        if len(self.steps) == MOST:
            self._too_many = True
            return None
        plain = _NO_PURCHASE.sub("", clean_text(written.text[: 10 * MOST_CHARS]))
        text = _NUMBERING.sub("", plain).strip().rstrip(".").strip()
        said = frozenset(tokens(text)) - FUNCTION_WORDS
        fault = self._fault(text, said)
        if fault is not None:
            self.faults.append(fault)
            return None
        vector = self._checks.encode([text])[0]
        if any(float(other @ vector) > SAME for other in self._vectors):
            self.faults.append("same")
            return None
        mark = False if _NO_PURCHASE.search(written.text) else written.buys
        needs = self._needs(text, written.needs)
        step = Step(f"w{len(self.steps) + 1}", text[:1].upper() + text[1:], needs, buys=True if needs else self._believed(text, mark))
        self._vectors.append(vector)
        self._said.append(said)
        self.steps = (*self.steps, step)
        return step

    def problems(self) -> tuple[str, ...]:
        """Return why the whole cannot be used, a sentence each; nothing for a good plan."""
        found = []
        if self._too_many:
            found.append(f"There are more than {MOST} steps.")
        elif len(self.steps) < FEWEST:
            found.append(f"There are {len(self.steps)} usable steps, at least {FEWEST} are needed.")
        if "unsafe" in self.faults or (self.faults and (found or len(self.faults) > MOST_LEFT_OUT * len(self.steps))):
            found += [FAULTS[fault] for fault in dict.fromkeys(self.faults)]
        return tuple(found)

    def _fault(self, text: str, said: frozenset[str]) -> Fault | None:
        """Return what is wrong with a step by its words alone; ``said`` are those that carry its meaning."""
        fault = fault_of(text, "", self._checks.unsafe)
        if fault is not None:
            return fault
        if _ERRAND.match(text):
            return "errand"
        if self._generic(said):
            return "generic"
        return "same" if said in self._said else None

    def _generic(self, said: frozenset[str]) -> bool:
        """Return whether words name nothing, or nothing but the goal itself ("Enjoy your camping trip")."""
        own = said - load_lines("every_goal.txt")
        return not own or (own < said and own <= self._goal_words)

    def _needs(self, text: str, called: Sequence[str]) -> tuple[str, ...]:
        """Return the kinds of the catalogue that are meant, each once."""
        names = (clean_text(name[:MOST_CHARS]) for name in called[:PER_STEP])
        found = (self._checks.find(name, text, self._goal) for name in names if name)
        return tuple(dict.fromkeys(kind for kind in found if kind is not None))

    def _believed(self, text: str, mark: bool | None) -> bool | None:
        """Return the mark, unless what was learnt from the library's steps says surely the opposite."""
        chance = self._checks.buys(text)
        doubtful = (mark is True and chance < SURELY_NOT) or (mark is False and chance > SURELY_BUYS)
        return None if doubtful else mark


def fault_of(text: str, goal: str, unsafe: Callable[[str], bool]) -> Fault | None:
    """Return why a sentence that a model wrote cannot be shown; None when it can.

    Args:
        text: One clean line.
        goal: What a person said; prices in it may be repeated.
        unsafe: Whether a text must not be shown.
    """
    words = tokens(text)
    if not words:
        return "empty"
    if len(text) > MOST_CHARS or len(words) > MOST_WORDS:
        return "long"
    if fault := unfit(text, goal, unsafe):
        return fault
    return "several" if _SECOND_SENTENCE.search(text) else None


def unfit(text: str, goal: str, unsafe: Callable[[str], bool]) -> Fault | None:
    """Return what keeps a text, however long, from being shown; None where nothing does. The arguments are those of ``fault_of``."""
    if MARKUP.search(text):
        return "markup"
    if any(price.group().lower() not in goal.lower() for price in PRICE.finditer(text)):
        return "price"
    if detect(text).code != "en":
        return "foreign"
    return "unsafe" if unsafe(text) else None
