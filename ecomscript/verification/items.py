"""Labelled claims: reading them, and splitting them so that no objective crosses."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ecomscript.config import ASSETS
from ecomscript.jsonl import Line, read_lines
from ecomscript.verification.claims import CLAIMS, Claim, ClaimError, Task

TRAINING = ASSETS / "training"
FIELDS = ("id", "domain", "label", "error", "pair", "split")
Split = Literal["train", "validation", "test", "domain"]


@dataclass(frozen=True, slots=True)
class Item:
    """A claim and what is known of it.

    Attributes:
        item_id: Unique in its file.
        claim: What is judged.
        label: 1 when the claim holds.
        domain: Field of life.
        error: What is wrong, "none" for label 1.
        pair: Items of one pair (or group) differ only in what decides; they are never split.
        split: "domain" holds whole fields of life, for measuring transfer; no objective is in two splits.
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


def _item(line: Line, task: Task) -> Item:
    row = line.data
    try:
        claim = CLAIMS[task].read(row)
    except ClaimError as error:
        raise line.error(str(error)) from None
    if row["label"] not in (0, 1):
        raise line.error(f"'label' is {row['label']!r}, expected 0 or 1")
    conflict = tuple((int(step), int(product)) for step, product in row.get("conflict") or ())
    return Item(str(row["id"]), claim, int(row["label"]), row["domain"], row["error"], str(row["pair"]), row["split"], conflict)


def in_split(items: Iterable[Item], split: Split) -> list[Item]:
    """Return the items of one split, in their order."""
    return [item for item in items if item.split == split]
