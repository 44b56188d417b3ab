"""A kind of question to a language model: how it is put, and how its answer is read; what cannot be read is never guessed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from ecomscript.llm.chat import ChatOptions, Finish, Message
from ecomscript.llm.templates import Templates
from ecomscript.planning.draft import unfit
from ecomscript.planning.intake import unsafe
from ecomscript.planning.parse import decoded
from ecomscript.words import tokens

Subject = TypeVar("Subject")
Found = TypeVar("Found")
KEY_DIGITS = 32


class UnusableAnswerError(Exception):
    """Nothing can be taken from an answer; the message is the reason that is counted."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model said to one question, and what that took.

    Attributes:
        text: The answer.
        finish: How it ended.
        prompt_tokens: Tokens of the question.
        completion_tokens: Tokens of the answer.
        cost_usd: Estimated; None where the price is not known.
    """

    text: str
    finish: Finish
    prompt_tokens: int
    completion_tokens: int
    cost_usd: float | None


@dataclass(frozen=True, slots=True)
class Form(Generic[Subject, Found]):
    """One kind of question.

    Attributes:
        prompts: Its templates "rules", which stand above everything else, and "ask", which sees "data" as one JSON object.
        values: What both templates may use beside the data.
        data: What the question shows of a subject: all of it was written by strangers.
        read: The object that was answered → what can be used of it; raises ``UnusableAnswerError``.
        about: What people call a subject.
        schema: JSON schema of the answer.
        most_tokens: Of an answer.
        usual_tokens: Of an answer, for the estimate.
    """

    prompts: Templates
    values: Mapping[str, object]
    data: Callable[[Subject], Mapping[str, object]]
    read: Callable[[Subject, Mapping[str, Any]], Found]
    about: Callable[[Subject], str]
    schema: Mapping[str, Any]
    most_tokens: int
    usual_tokens: int

    def messages(self, subject: Subject) -> tuple[Message, Message]:
        """Return the question."""
        shown = json.dumps(self.data(subject), ensure_ascii=False)
        rules = self.prompts.render("rules", self.values)
        return Message("system", rules), Message("user", self.prompts.render("ask", {**self.values, "data": shown}))

    def options(self, timeout_s: float) -> ChatOptions:
        """Return how it is to be answered: with some variety."""
        return ChatOptions(schema=self.schema, max_tokens=self.most_tokens, temperature=0.7, timeout_s=timeout_s)

    def found(self, subject: Subject, answer: Answer) -> Found:
        """Return what can be used of an answer.

        Raises:
            UnusableAnswerError: Nothing.
        """
        if answer.finish == "length":
            raise UnusableAnswerError("answer cut off")
        if answer.finish == "filter":
            raise UnusableAnswerError("answer held back by the service")
        return self.read(subject, object_of(answer.text))


def key_of(model: str, messages: tuple[Message, ...]) -> str:
    """Return what a question is known by: it changes with the model and every word."""
    parts = [model, *(f"{message.role}\0{message.content}" for message in messages)]
    return hashlib.sha256("\x1f".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:KEY_DIGITS]


def object_of(text: str) -> Mapping[str, Any]:
    """Return the JSON object of an answer, perhaps with words or a fence around it.

    Raises:
        UnusableAnswerError: There is none.
    """
    found, _ = decoded(text, text.find("{")) if "{" in text else (None, 0)
    if found is None:
        raise UnusableAnswerError("answer is no JSON object")
    return found  # what begins with a brace is an object


def strings_of(answer: Mapping[str, Any], field: str) -> list[str]:
    """Return a list of texts.

    Raises:
        UnusableAnswerError: The field holds anything else.
    """
    value = answer.get(field)
    if not isinstance(value, list) or not all(isinstance(member, str) for member in value):
        raise UnusableAnswerError(f"answer has no list of texts {field!r}")
    return value


def is_plain(text: str, fewest_words: int, most_words: int) -> bool:
    """Return whether a text is a short English phrase without markup, addresses and prices, and safe to show."""
    return fewest_words <= len(tokens(text)) <= most_words and unfit(text, "", unsafe) is None
