"""From labelled claims to what a model is trained on: segments with a target for the whole and for single segments."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import combinations
from math import nan
from pathlib import Path

from ecomscript.folders import read_rows
from ecomscript.jsonl import Line, read_lines
from ecomscript.verification.claims import BundleClaim, ClaimError, ProductClaim, ScriptClaim, Segments, Task
from ecomscript.verification.items import Item
from ecomscript.verification.order import Encode

NEAR = 0.9
"""Cosine from which on two objectives count as one."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One input with what a model should say of it.

    Attributes:
        segments: The input.
        whole: P(1) for the whole; a teacher's word or a label.
        parts: A target for each segment, nan where there is none; empty when there is none at all.
        pair: Samples of one pair are compared with each other.
    """

    segments: Segments
    whole: float
    parts: tuple[float, ...] = ()
    pair: str = ""


def samples_of(task: Task, items: Sequence[Item], rng: random.Random) -> list[Sample]:
    """Return the training samples of the items of one task; what is drawn at random comes from ``rng``."""
    if task == "t1":
        return script_samples(items) + order_samples(items, rng)
    if task == "t2":
        return [Sample(item.claim.segments(), float(item.label), pair=item.pair) for item in items if isinstance(item.claim, ProductClaim)]
    return clash_samples(items, rng)


def script_samples(items: Iterable[Item]) -> list[Sample]:
    """T1: the whole script, and for each step whether it is what a flawed variant changed."""
    groups: defaultdict[str, list[Item]] = defaultdict(list)
    for item in items:
        groups[item.pair].append(item)
    found = []
    for group in groups.values():
        right = [item.claim.steps for item in group if item.label and isinstance(item.claim, ScriptClaim)]
        for item in group:
            if isinstance(item.claim, ScriptClaim):
                found.append(Sample(item.claim.segments(), float(item.label), _step_targets(item, right), item.pair))
    return found


def order_samples(items: Iterable[Item], rng: random.Random, each: int = 3) -> list[Sample]:
    """T1: two steps of a right script alone, as they stand (1) and turned round (0), ``each`` times for every objective."""
    found = []
    for claim in {item.claim.objective: item.claim for item in items if item.label and isinstance(item.claim, ScriptClaim)}.values():
        places = list(combinations(range(len(claim.steps)), 2))
        for a, b in rng.sample(places, min(each, len(places))):
            first, second, name = claim.steps[a], claim.steps[b], f"order {claim.objective} {a} {b}"
            found.append(Sample((claim.objective, first, second), 1.0, pair=name))
            found.append(Sample((claim.objective, second, first), 0.0, pair=name))
    return found


def _step_targets(item: Item, right: Sequence[Sequence[str]]) -> tuple[float, ...]:
    """Return a target for objective and steps: 0 in a right script, 1 for what sets a wrong one apart from its nearest right one."""
    assert isinstance(item.claim, ScriptClaim)
    steps = item.claim.steps
    if item.label:
        return (nan, *([0.0] * len(steps)))
    flawed = min((changed_steps(steps, other) for other in right), key=len, default=())
    if not flawed:
        return (nan, *([nan] * len(steps)))
    return (nan, *(float(i in flawed) for i in range(len(steps))))


def changed_steps(flawed: Sequence[str], right: Sequence[str]) -> tuple[int, ...]:
    """Return the places in ``flawed`` that are new or moved against ``right``."""
    kept: set[int] = set()
    for block in SequenceMatcher(None, flawed, right, autojunk=False).get_matching_blocks():
        kept.update(range(block.a, block.a + block.size))
    return tuple(i for i in range(len(flawed)) if i not in kept)


def clash_samples(items: Iterable[Item], rng: random.Random, others: int = 2) -> list[Sample]:
    """T3: single products against the objective and pairs of products; 0 means that they clash.

    A right bundle gives the places that clash in its wrong twin, and ``others`` places more; a wrong one gives the named clash,
    and ``others`` places that have nothing to do with it.
    """
    groups: defaultdict[str, list[Item]] = defaultdict(list)
    for item in items:
        groups[item.pair].append(item)
    found = []
    for group in groups.values():
        named = [clash for item in group if (clash := clash_places(item))]
        for item in group:
            claim = item.claim
            assert isinstance(claim, BundleClaim)
            mine = clash_places(item)
            if not item.label and not mine:
                continue
            telling = [mine] if mine else [c for c in dict.fromkeys(named) if max(c) < len(claim.placed)]
            touched = set(mine)
            free = [(a,) for a in range(len(claim.placed)) if a not in touched] + [p for p in claim.pairs if not touched & set(p)]
            for places in telling:
                found.append(Sample(_clash_segments(claim, places), float(not mine), pair=f"{item.pair} {places}"))
            found += [Sample(_clash_segments(claim, p), 1.0) for p in rng.sample(free, min(others, len(free)))]
    return found


def clash_places(item: Item) -> tuple[int, ...]:
    """Return the places in ``claim.placed`` of the named clash: one (against the objective), two, or none."""
    assert isinstance(item.claim, BundleClaim)
    starts, total = [], 0
    for entry in item.claim.steps:
        starts.append(total)
        total += len(entry.products)
    return tuple(sorted(starts[step] + product for step, product in item.conflict))[:2]


def _clash_segments(claim: BundleClaim, places: Sequence[int]) -> Segments:
    return claim.single(places[0]) if len(places) == 1 else claim.pair(places[0], places[1])


def taught_samples(path: Path) -> list[Sample]:
    """Read a teacher's labels of product claims: JSONL lines of a T2 claim with "score", its P(1).

    Raises:
        InputError: The file or a line cannot be used.
    """
    lines = read_lines(path, ("objective", "step", "product", "score"))
    return [_taught(line) for line in lines]


def _taught(line: Line) -> Sample:
    try:
        return Sample(ProductClaim.read(line.data).segments(), float(line.data["score"]))
    except (ClaimError, TypeError, ValueError) as error:
        raise line.error(str(error)) from None


def flawed_library(folder: Path, measured: Collection[str], encode: Encode) -> list[Item]:
    """Return the scripts of the demo library and their flawed variants as T1 items.

    Args:
        folder: JSONL files of the library.
        measured: Objectives that something is measured on; scripts whose objective is like one of them (cosine of at least ``NEAR``) are
            left out.
        encode: Turns texts into unit vectors.
    """
    scripts = [(path.stem, row) for path in sorted(folder.glob("*.jsonl")) for row in read_rows(path)]
    cosines = encode([script["objective"] for _, script in scripts]) @ encode(sorted(measured)).T
    items = []
    for (domain, script), near in zip(scripts, cosines.max(1, initial=0), strict=True):
        if near >= NEAR:
            continue
        objective, right = script["objective"], tuple(step["text"] for step in script["steps"])
        items.append(Item(objective, ScriptClaim(objective, right), 1, domain, "none", objective))
        for variant in script.get("flawed", ()):
            claim = ScriptClaim(objective, tuple(variant["steps"]))
            items.append(Item(objective, claim, 0, domain, variant["error"], objective))
    return items
