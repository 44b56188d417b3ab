"""Labelled claims: reading them, and splitting them so that no objective crosses."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ecomscript.config import ASSETS
from ecomscript.jsonl import Line, read_lines
from ecomscript.packed import packed_or_not
from ecomscript.verification.claims import CLAIMS, Claim, ClaimError, Task

TRAINING = ASSETS / "training"
GOLD = ASSETS / "benchmark" / "gold"
FIELDS = ("id", "domain", "label", "error")
Split = Literal["train", "validation", "test", "domain", "gold"]


@dataclass(frozen=True, slots=True)
class Item:
    """A claim and what is known of it.

    Attributes:
        item_id: Unique in its file.
        claim: What is judged.
        label: 1 when the claim holds.
        domain: Field of life.
        error: What is wrong, "none" for label 1.
        pair: Items of one pair (or group) differ only in what decides; where none is named, those of one objective.
        split: No objective is in two. "domain" holds whole fields of life, for measuring transfer; "gold", for items that name no split,
            is for measuring only.
        conflict: T3 only: places (step, product) of the clashing products, counted from 0.
    """

    item_id: str
    claim: Claim
    label: int
    domain: str
    error: str
    pair: str
    split: Split = "train"
    conflict: tuple[tuple[int, int], ...] = ()


def read_items(path: Path, task: Task) -> list[Item]:
    """Read a JSONL file of labelled claims.

    Raises:
        InputError: The file or one of its lines cannot be used; the message names the line.
    """
    return [_item(line, task) for line in read_lines(path, FIELDS)]


def load_items(task: Task, folder: Path = TRAINING) -> list[Item]:
    """Return the hand-written items of a task: ``folder/TASK.jsonl``, packed or not.

    Raises:
        InputError: The file or one of its lines cannot be used.
    """
    return read_items(packed_or_not(folder / f"{task}.jsonl"), task)


def load_plan_items(folder: Path = TRAINING) -> list[Item]:
    """Return T2 items of another kind: products that the planner's kinds offered for steps of the library, judged by hand.

    Raises:
        InputError: The file or one of its lines cannot be used.
    """
    return read_items(packed_or_not(folder / "t2_plans.jsonl"), "t2")


def load_gold(task: Task, folder: Path = GOLD) -> list[Item]:
    """Return the gold development items of a task, which are for measuring only: ``folder/TASK.dev.jsonl``.

    Raises:
        InputError: The file or one of its lines cannot be used.
    """
    return read_items(folder / f"{task}.dev.jsonl", task)


def measured_objectives(items: Iterable[Item]) -> set[str]:
    """Return the objectives of the items that are not for training: validation, test and gold."""
    return {item.claim.objective for item in items if item.split in {"validation", "test", "gold"}}


def _item(line: Line, task: Task) -> Item:
    row = line.data
    try:
        claim = CLAIMS[task].read(row)
    except ClaimError as error:
        raise line.error(str(error)) from None
    if row["label"] not in (0, 1):
        raise line.error(f"'label' is {row['label']!r}, expected 0 or 1")
    try:
        conflict = tuple((int(step), int(product)) for step, product in row.get("conflict") or ())
    except (TypeError, ValueError):
        raise line.error("'conflict' is no list of [step, product]") from None
    return Item(
        item_id=str(row["id"]),
        claim=claim,
        label=int(row["label"]),
        domain=row["domain"],
        error=row["error"],
        pair=str(row.get("pair", claim.objective)),
        split=row.get("split", "gold"),
        conflict=conflict,
    )


def in_split(items: Iterable[Item], split: Split) -> list[Item]:
    """Return the items of one split, in their order."""
    return [item for item in items if item.split == split]
