"""Answers that are kept for a while, so that a model is asked only about what is new."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Sequence
from threading import Lock
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Answer = TypeVar("Answer")


class Remembered(Generic[Key, Answer]):
    """A question to a model with a memory of the last answers, for any number of threads.

    Args:
        ask: Answers several questions at once, in their order.
        size: How many answers are kept, the last ones used.
    """

    def __init__(self, ask: Callable[[Sequence[Key]], Iterable[Answer]], size: int) -> None:
        self._ask = ask
        self._size = size
        self._answers: OrderedDict[Key, Answer] = OrderedDict()
        self._lock = Lock()

    def __call__(self, keys: Sequence[Key]) -> list[Answer]:
        """Return the answer to each key; those that are not known are asked for together, each once."""
        with self._lock:
            found = {key: self._answers[key] for key in keys if key in self._answers}
        if fresh := [key for key in dict.fromkeys(keys) if key not in found]:
            found.update(zip(fresh, self._ask(fresh), strict=True))
        with self._lock:
            for key, answer in found.items():
                self._answers[key] = answer
                self._answers.move_to_end(key)
            while len(self._answers) > self._size:
                self._answers.popitem(last=False)
        return [found[key] for key in keys]
