"""The training items nearest to what somebody asks about: what an answer may have been learnt from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

import bm25s
import numpy as np

from ecomscript.association.encoder import Vectors
from ecomscript.verification.claims import TASKS, Claim, ProductClaim, ScriptClaim, Task
from ecomscript.verification.items import TRAINING, Item, in_split, load_items, load_plan_items
from ecomscript.words import tokens

Encode = Callable[[Sequence[str]], Vectors]
"""Turns texts into (n, dim) float32 unit vectors."""
BY_WORDS, BY_MEANING = 48, 8
"""Objectives that are embedded, those that share most words with the one asked for, and how many of them are looked at more closely."""


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A training item near to what was asked.

    Attributes:
        text: The rest of its claim in one line.
        label: 1 when the claim holds.
        error: What is wrong, "none" for label 1.
        cosine: Closeness of the two objectives, or for T2 of the objectives with their steps, in [-1, 1].
    """

    objective: str
    text: str
    label: int
    error: str
    cosine: float


@dataclass(frozen=True, slots=True)
class _Shelf:
    """The training items of a task.

    Attributes:
        items: For each objective its items, the first of each label (and, for T2, of each step).
        words: BM25 over the objectives, in the order of ``items``.
    """

    items: tuple[tuple[Item, ...], ...]
    words: bm25s.BM25


class NearestItems:
    """Finds training items by what they are about; validation, test and gold items are never among them.

    Words make the first choice and vectors the last, so that nobody waits for the vectors of thousands of objectives.

    Args:
        encode: The sentence encoder; may be called by several threads at once.
        folder: Holds the training files.
    """

    def __init__(self, encode: Encode, folder: Path = TRAINING) -> None:
        self._encode, self._folder = encode, folder
        self._shelves: dict[Task, _Shelf] = {}
        self._locks = {task: Lock() for task in TASKS}

    def find(self, task: Task, objective: str, step: str = "", k: int = 3) -> tuple[Neighbour, ...]:
        """Return the ``k`` nearest items, the nearest first, and of items that are equally near one of each label.

        Args:
            task: The verifier whose training items are asked for.
            objective: What somebody wants to get done.
            step: The step of a T2 claim: among the nearest objectives those with the nearest step come first.
            k: How many; fewer only when there are no more.

        Raises:
            InputError: A training file cannot be read.
        """
        shelf = self._shelf(task)
        if not shelf.items:
            return ()
        shared = np.argsort(-shelf.words.get_scores(tokens(objective) or [""]), kind="stable")[: max(k, BY_WORDS)]
        vectors = self._encode([shelf.items[row][0].claim.objective for row in shared])
        order = shared[np.argsort(-(vectors @ self._encode([objective])[0]), kind="stable")]
        near = [item for row in order[: max(k, BY_MEANING)] for item in shelf.items[row]]
        about = list(dict.fromkeys(_about(item.claim) for item in near))
        asked = self._encode([_joined(objective, step)])[0]
        cosine = dict(zip(about, (self._encode(about) @ asked).tolist(), strict=True))
        near.sort(key=lambda item: -cosine[_about(item.claim)])
        return tuple(Neighbour(i.claim.objective, _rest(i.claim), i.label, i.error, cosine[_about(i.claim)]) for i in near[:k])

    def _shelf(self, task: Task) -> _Shelf:
        with self._locks[task]:
            if task not in self._shelves:
                items = load_items(task, self._folder) + (load_plan_items(self._folder) if task == "t2" else [])
                grouped = _by_objective(in_split(items, "train"))
                words = bm25s.BM25()
                if grouped:
                    words.index([tokens(name) or [""] for name in grouped], show_progress=False)
                self._shelves[task] = _Shelf(tuple(grouped.values()), words)
            return self._shelves[task]


def _by_objective(items: Iterable[Item]) -> dict[str, tuple[Item, ...]]:
    """Return the items by objective; of those that are about the same and have the same label, the first speaks for all."""
    first: dict[tuple[str, int], Item] = {}
    for item in items:
        first.setdefault((_about(item.claim), item.label), item)
    grouped: dict[str, tuple[Item, ...]] = {}
    for item in first.values():
        grouped[item.claim.objective] = (*grouped.get(item.claim.objective, ()), item)
    return grouped


def _about(claim: Claim) -> str:
    """Return the text that tells how near a claim is."""
    return _joined(claim.objective, claim.step if isinstance(claim, ProductClaim) else "")


def _joined(objective: str, step: str) -> str:
    return f"{objective}: {step}" if step else objective


def _rest(claim: Claim) -> str:
    """Return a claim without its objective in one line."""
    if isinstance(claim, ScriptClaim):
        return " → ".join(claim.steps)
    if isinstance(claim, ProductClaim):
        return f"{claim.step}: {claim.product}"
    return " → ".join(": ".join(filter(None, [entry.step, "; ".join(entry.products)])) for entry in claim.steps)
