"""What the project asks of a language model: a chat whose answer arrives in pieces and can be stopped at any of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import Any, Literal, Protocol

from ecomscript.errors import LanguageModelError
from ecomscript.schema import NO_USAGE, Usage

TICK_S = 0.25
"""Most seconds between two pieces of an answer; where the model has nothing to say, ``WAITING`` says so."""
CHARS_PER_TOKEN = 4
"""Of English, for token counts that a service does not tell."""
MAX_ANSWER_CHARS = 40_000
"""An answer is cut here, whatever the service sends."""
NOT_JSON = "The answer is not the JSON that was asked for."
CUT = "The answer was cut off: it is too long."
"""What the model is told of such an answer."""

Finish = Literal["stop", "length", "filter"]


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a chat."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True)
class ChatOptions:
    """How to answer.

    Attributes:
        schema: JSON schema of the answer, an object at its root. A back end that cannot hold the model to it ignores it: whoever reads the
            answer checks it.
        max_tokens: Most tokens of the answer.
        temperature: 0 for the likeliest answer, more for more variety.
        top_logprobs: How many candidates for the first token come with ``Reply``, at most 20; 0 for none.
        timeout_s: Most seconds until the last piece.
        visitor: On whose behalf, for their share of the tokens; "" for nobody's.
    """

    schema: Mapping[str, Any] | None = None
    max_tokens: int = 800
    temperature: float = 0.3
    top_logprobs: int = 0
    timeout_s: float = 60.0
    visitor: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Delta:
    """The next piece of the answer; "" while the model has nothing to say."""

    text: str


@dataclass(frozen=True, slots=True)
class Reply:
    """The end of an answer.

    Attributes:
        usage: Tokens and estimated cost.
        finish: "stop", "length" when it was cut, "filter" when the service held it back.
        first_logprobs: Log-probabilities of the likeliest first tokens, by their text without spaces around it; empty unless they were
            asked for and the model tells them.
    """

    usage: Usage
    finish: Finish = "stop"
    first_logprobs: Mapping[str, float] = field(default_factory=dict)


Piece = Delta | Reply
WAITING = Delta("")


@dataclass(frozen=True, slots=True)
class Heard:
    """An answer as far as it has come.

    Attributes:
        text: All of it so far.
        new: What has just come.
        reply: Its end; before that an estimate of the usage so far.
        done: Whether it has ended.
    """

    text: str = ""
    new: str = ""
    reply: Reply = Reply(NO_USAGE)
    done: bool = False


class ChatModel(Protocol):
    """A language model; may be asked from several threads at once."""

    @property
    def name(self) -> str:
        """How people call it."""

    def cost_usd(self, prompt_tokens: int, completion_tokens: int) -> float | None:
        """Return the estimated cost of a call in US dollars; None when the price is not known."""

    def chat(self, messages: Sequence[Message], options: ChatOptions) -> Generator[Piece, None, None]:
        """Yield pieces of the answer and at last one ``Reply``; closing the iterator stops the model.

        Something is yielded at least every ``TICK_S`` seconds, so that a caller who has lost interest can stop soon.

        Raises:
            LanguageModelError: The model could not be asked, or its answer broke off.
        """


def listen(model: ChatModel, messages: Sequence[Message], options: ChatOptions) -> Generator[Heard, None, None]:
    """Ask a model and yield the answer so far with every piece; closing the iterator stops the model.

    Raises:
        LanguageModelError: The model could not be asked, or its answer broke off.
    """
    text = ""
    with closing(model.chat(messages, options)) as pieces:
        for piece in pieces:
            if isinstance(piece, Reply):
                yield Heard(text, "", piece, done=True)
            else:
                text += piece.text
                yield Heard(text, piece.text, Reply(guess_usage(messages, text, model.cost_usd)))


def with_repair(messages: Sequence[Message], answer: str, repair: str) -> list[Message]:
    """Return a chat that goes on after an unusable answer: the answer, or the part of it to show, and what to mend."""
    return [*messages, Message("assistant", answer or "{}"), Message("user", repair)]


def held_back(name: str, fix: str) -> LanguageModelError:
    """Return the error for an answer that the service of a model did not let through."""
    return LanguageModelError(f"The service of {name!r} held its answer back", fix, services_fault=False)


def relay(inbox: SimpleQueue[Piece | LanguageModelError], stop: Callable[[], object]) -> Generator[Piece, None, None]:
    """Yield what another thread puts into the inbox, ``WAITING`` where it is slow, and call ``stop`` at the end, however it comes."""
    try:
        while True:
            try:
                piece = inbox.get(timeout=TICK_S)
            except Empty:
                yield WAITING
                continue
            if isinstance(piece, LanguageModelError):
                raise piece
            yield piece
            if isinstance(piece, Reply):
                return
    finally:
        stop()


def guess_tokens(text: str) -> int:
    """Return about how many tokens a text has."""
    return math.ceil(len(text) / CHARS_PER_TOKEN)


def prompt_tokens(messages: Sequence[Message]) -> int:
    """Return about how many tokens a question has."""
    return sum(guess_tokens(message.content) for message in messages)


def guess_usage(messages: Sequence[Message], answer: str, cost_usd: Callable[[int, int], float | None]) -> Usage:
    """Return the usage of a call whose service does not tell it (yet); ``cost_usd`` is that of the model."""
    asked, said = prompt_tokens(messages), guess_tokens(answer)
    return Usage(1, asked, said, cost_usd(asked, said), estimated=True)
