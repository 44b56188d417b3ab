"""Look before planning: what kind of request is this, told by its own checks and not by closeness to a plan."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from ecomscript.planning.classifier import Encode, RequestClassifier, features, fit
from ecomscript.planning.constraints import currency_notice
from ecomscript.planning.language import Language, detect
from ecomscript.planning.text import load_data, pattern, tidy, visible
from ecomscript.schema import Status

SHORT_GOAL_WORDS = 9  # a goal with more words is not taken as vague by its pattern
CLASSIFIED_WORDS = 30  # longer texts say enough to be planned for; the examples are short
UNDERSTOOD_CONCEPTS = 2  # of another language, for its English rendering to stand alone


@dataclass(frozen=True, slots=True)
class IntakeResult:
    """How a request is to be answered.

    Attributes:
        status: "plan", or why there is none: "clarify" (tell me more), "redirect" (no shopping goal),
            "refuse" (dangerous, or in need of help).
        notices: Sentences for the person; for other statuses than "plan" the first one is the whole answer.
        questions: Up to two, each as "Question? — option — option".
        goal: The goal to plan for; for other languages an English rendering, else the text as given.
    """

    status: Status
    notices: tuple[str, ...] = ()
    questions: tuple[str, ...] = ()
    goal: str = ""


@cache
def _data() -> dict[str, Any]:
    data: dict[str, Any] = load_data("intake.yaml")
    return data


def look_by_rules(goal: str) -> IntakeResult:
    """Return what patterns and word lists alone say about a request; "plan" when none of them objects."""
    plain, text = visible(goal), tidy(goal)
    if not re.search(r"\w", plain):
        return _answer("clarify", "emoji" if plain else "empty", goal)
    if harm := _harm(text):
        return _answer("refuse", harm, goal)
    language = detect(plain)
    if language.code not in ("en", ""):
        return _other_language(language, plain)
    if pattern(*_data()["advice"]).search(text):
        return _answer("redirect", "advice", goal)
    if _is_no_goal(text):
        return _answer("redirect", "redirect", goal)
    return _open_or_plain(text, goal) if language.code else _answer("clarify", "nonsense", goal)


def unsafe(text: str) -> bool:
    """Return whether the rules refuse a text.

    For what a language model writes they speak alone: the classifier knows goals, and takes one step in two hundred for harm.
    """
    return look_by_rules(text).status == "refuse"


def _is_no_goal(text: str) -> bool:
    """Return whether the text asks for something else than a plan: chat, facts, homework, an assistant's services, an injection."""
    bare = re.sub(r"[\s!?.,]+$", "", text)
    return bool(pattern(*_data()["redirect"]).search(text) or re.fullmatch("|".join(_data()["redirect_whole"]), bare, re.IGNORECASE))


def _other_language(language: Language, plain: str) -> IntakeResult:
    """Return a plan for the English rendering, with the original where little was understood, and a question where nothing was."""
    if language.understood == 0:
        return _answer("clarify", "language_unclear", plain)
    goal = language.english if language.understood >= UNDERSTOOD_CONCEPTS else f"{language.english} ({plain})"
    return IntakeResult("plan", (_data()["answers"]["language"],), goal=goal)


def _harm(text: str) -> str | None:
    """Return "care" for signs of self-harm or an eating disorder, "danger" for dangerous or illegal aims, else None."""
    for name in ("care", "danger"):
        said = pattern(*_data()[name]).search(text) or any(
            all(pattern(part).search(text) for part in parts) for parts in _data()[f"{name}_together"]
        )
        if said and not (name == "danger" and pattern(_data()["make_believe"]).search(text)):
            return name
    return None


def _open_or_plain(text: str, goal: str) -> IntakeResult:
    """Return "clarify" when there is nothing to plan from, questions for a goal that leaves much open, else a plain "plan"."""
    short = re.sub(r"[^\w\s'&,-]+", " ", text).strip().lower()
    if re.fullmatch(rf"(?:{_data()['unclear']}\s*)+", short):
        return replace(_answer("clarify", "unclear", goal), questions=tuple(_data()["any_goal"]))
    notice = currency_notice(goal)
    return IntakeResult("plan", (notice,) if notice else (), _questions(short), goal)


def _questions(short: str) -> tuple[str, ...]:
    if len(short.split()) > SHORT_GOAL_WORDS:
        return ()
    for topic in _data()["vague"]:
        if re.fullmatch(rf"(?:{topic['when']})", short) and not ("unless" in topic and re.search(rf"\b{topic['unless']}", short)):
            return tuple(topic["ask"])
    return ()


def _answer(status: Status, name: str, goal: str) -> IntakeResult:
    return IntakeResult(status, (_data()["answers"][name],), (), goal)


class Intake:
    """The gate before planning: rules first, then a small classifier for what they let through.

    Args:
        encode: Texts → (n, 384) float32, unit norm; None works with the rules alone.
        classifier: The fitted classifier; None works with the rules alone.
    """

    def __init__(self, encode: Encode | None = None, classifier: RequestClassifier | None = None) -> None:
        self._encode = encode
        self._classifier = classifier

    @classmethod
    def fit(cls, encode: Encode, examples_path: Path, plan_texts: Sequence[str] = ()) -> Intake:
        """Return a gate whose classifier is fitted to the examples and to goal wordings of the library (offline, some seconds)."""
        return cls(encode, fit(encode, examples_path, plan_texts))

    @classmethod
    def load(cls, path: Path, encode: Encode) -> Intake:
        """Return a gate with the classifier that ``save`` wrote.

        Raises:
            ModelError: The file cannot be read.
        """
        return cls(encode, RequestClassifier.load(path))

    def save(self, path: Path) -> None:
        """Write the classifier's weights as npz; a gate of rules alone has none to write."""
        if self._classifier is not None:
            self._classifier.save(path)

    def look(self, goal: str) -> IntakeResult:
        """Return how a request is to be answered; never raises, a few milliseconds beside one encoding of the goal."""
        result = look_by_rules(goal)
        if result.status != "plan" or result.questions or result.goal != goal or not self._classifier or not self._encode:
            return result
        if len(goal.split()) > CLASSIFIED_WORDS:
            return result
        harmless = pattern(_data()["harmless"]).search(tidy(goal)) is not None
        return self._second_look(result, self._classifier.decide(features(self._encode, [goal])[0], harmless=harmless))

    def _second_look(self, result: IntakeResult, label: str) -> IntakeResult:
        if label in ("care", "danger"):
            return _answer("refuse", label, result.goal)
        if label in ("chat", "question"):
            return _answer("redirect", "redirect", result.goal)
        if label == "nonsense":
            return _answer("clarify", "nonsense", result.goal)
        return replace(result, questions=tuple(_data()["any_goal"])) if label == "vague" else result
