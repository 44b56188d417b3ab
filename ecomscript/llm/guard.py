"""What a deployment spends on a language model, and when a broken one is left alone."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Generator, Sequence
from contextlib import closing

from ecomscript.errors import LanguageModelError
from ecomscript.llm.chat import ChatModel, ChatOptions, Message, Piece, Reply, guess_tokens, prompt_tokens

FAILURES, REST_S = 3, 60.0
"""After so many failures in a row a model is not asked for so many seconds; then one question tries it."""
DAY_S = 86_400.0

Clock = Callable[[], float]


class Breaker:
    """Counts failures in a row; may be used from several threads.

    Args:
        clock: Seconds, never running backwards.
    """

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._clock, self._lock = clock, threading.Lock()
        self._failures, self._closed_until = 0, 0.0

    def check(self, name: str) -> None:
        """Let a question through; while the model rests, only the first one after the rest.

        Raises:
            LanguageModelError: The model is left alone for now.
        """
        with self._lock:
            if self._failures < FAILURES:
                return
            rest = self._closed_until - self._clock()
            if rest > 0:
                cause = f"The language model {name!r} failed {self._failures} times in a row and is left alone for {rest:.0f} s"
                raise LanguageModelError(cause, "Try again then.", services_fault=False)
            self._closed_until = self._clock() + REST_S

    def told(self, failed: bool) -> None:
        """Take note of how a question ended."""
        with self._lock:
            self._failures = self._failures + 1 if failed else 0
            self._closed_until = self._clock() + REST_S


class Ledger:
    """Tokens used up since midnight UTC, by all and by each visitor; kept in memory, may be used from several threads.

    Args:
        daily_tokens: Most for all together.
        visitor_tokens: Most for one visitor; what nobody is named for counts for all alone.
        clock: Seconds since the epoch.
    """

    def __init__(self, daily_tokens: int, visitor_tokens: int, clock: Clock = time.time) -> None:
        self._daily, self._each = daily_tokens, visitor_tokens
        self._clock, self._lock = clock, threading.Lock()
        self._day, self._total = 0.0, 0
        self._of: Counter[str] = Counter()

    def take(self, visitor: str, tokens: int) -> None:
        """Set tokens aside for a question.

        Raises:
            LanguageModelError: There are not enough left for today.
        """
        with self._lock:
            if (day := self._clock() // DAY_S) != self._day:
                self._day, self._total = day, 0
                self._of.clear()
            if self._total + tokens > self._daily:
                cause = "The language model has written as much as it may today"
                raise LanguageModelError(cause, "Come back tomorrow, or raise ECOMSCRIPT_DAILY_TOKENS.", services_fault=False)
            if visitor and self._of[visitor] + tokens > self._each:
                cause = "You have used up your share of the language model for today"
                raise LanguageModelError(cause, "Come back tomorrow, or raise ECOMSCRIPT_VISITOR_TOKENS.", services_fault=False)
            self._add(visitor, tokens)

    def settle(self, visitor: str, taken: int, used: int) -> None:
        """Put in what was really used in the place of what was set aside."""
        with self._lock:
            self._add(visitor, used - taken)

    def _add(self, visitor: str, tokens: int) -> None:
        self._total = max(0, self._total + tokens)
        if visitor:
            self._of[visitor] = max(0, self._of[visitor] + tokens)


class GuardedChat:
    """A model that keeps to its budget and is left alone for a while when it fails again and again.

    Args:
        model: The model.
        ledger: Counts its tokens.
        breaker: Counts its failures.
    """

    def __init__(self, model: ChatModel, ledger: Ledger, breaker: Breaker | None = None) -> None:
        self.name = model.name
        self._model, self._ledger, self._breaker = model, ledger, breaker or Breaker()

    def cost_usd(self, prompt_tokens: int, completion_tokens: int) -> float | None:
        """Return the estimated cost by the model's own word."""
        return self._model.cost_usd(prompt_tokens, completion_tokens)

    def chat(self, messages: Sequence[Message], options: ChatOptions) -> Generator[Piece, None, None]:
        """Yield the model's answer; see ``ChatModel``. What it used is counted also when nobody reads to the end."""
        asked = prompt_tokens(messages)
        self._breaker.check(self.name)
        self._ledger.take(options.visitor, asked + options.max_tokens)
        used = asked
        try:
            with closing(self._model.chat(messages, options)) as pieces:
                for piece in pieces:
                    used = piece.usage.tokens if isinstance(piece, Reply) else used + guess_tokens(piece.text)
                    yield piece
        except LanguageModelError as error:
            if error.services_fault:
                self._breaker.told(failed=True)
            raise
        else:
            self._breaker.told(failed=False)
        finally:
            self._ledger.settle(options.visitor, asked + options.max_tokens, used)
