"""A written plan never meets fewer needs than the library's: what the library is sure of and the writer left out is put in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ecomscript.planning.draft import MOST, SAME, Encode
from ecomscript.schema import PER_STEP, Step

SURE = 0.2
"""Least P(needed) of a kind that a written plan may not leave out: the bound from which the library adds kinds to its own plans."""
SAME_JOB = 0.6
"""Least cosine between two steps for the one to take over what the other buys."""


@dataclass(frozen=True, slots=True)
class Completed:
    """A whole plan.

    Attributes:
        steps: Its steps.
        added: The kinds that came along with steps of the library, because no written step had a place for them.
    """

    steps: tuple[Step, ...]
    added: tuple[str, ...] = ()


def complete(written: Sequence[Step], library: Sequence[Step], encode: Encode) -> Completed | None:
    """Return a written plan with the sure needs of the library's plan in it; None when that takes more steps than a plan may have.

    A missing need goes into the written step that does the same job as its step in the library's plan, else that step comes along, at the
    place in the order that it had there. Where the written step is that very step and full, the next one with room takes the need.

    Args:
        written: The steps as they were written.
        library: The library's steps for the same goal, with a probability for each need; empty where it has no plan.
        encode: Texts → (n, dim) float32, unit norm.
    """
    met = {kind for step in written for kind in step.needs}
    missing = [_left_out(step, met) for step in library]
    if not any(missing):
        return Completed(tuple(written))
    vectors = encode([step.text for step in (*written, *library)])
    alike = vectors[len(written) :] @ vectors[: len(written)].T
    steps = list(written)
    added: list[tuple[float, Step]] = []
    for row, (step, needs) in enumerate(zip(library, missing, strict=True)):
        near = int(np.argmax(alike[row]))
        if alike[row, near] > SAME and len(steps[near].needs) >= PER_STEP:  # the same step twice would be worse than the next best place
            near = max(range(len(steps)), key=lambda n: (len(steps[n].needs) < PER_STEP, alike[row, n]))
        room = PER_STEP - len(steps[near].needs) if alike[row].max() >= SAME_JOB else 0
        steps[near] = _with(steps[near], dict(list(needs.items())[:room]))
        if rest := dict(list(needs.items())[room:]):
            added.append((row / len(library), _with(replace(step, needs=(), need_weights=()), rest)))
    if len(steps) + len(added) > MOST:
        return None
    placed = [*((n / len(steps), step) for n, step in enumerate(steps)), *added]
    order = sorted(placed, key=lambda entry: entry[0])
    return Completed(tuple(step for _, step in order), tuple(kind for _, step in added for kind in step.needs))


def _left_out(step: Step, met: set[str]) -> dict[str, float]:
    """Return the sure needs of a step that are not met, with their probabilities."""
    return {kind: chance for kind, chance in zip(step.needs, step.need_weights, strict=False) if chance >= SURE and kind not in met}


def _with(step: Step, needs: dict[str, float]) -> Step:
    """Return the step with more needs, each with its weight."""
    if not needs:
        return step
    own = step.need_weights or tuple(1.0 / (1 + position) for position in range(len(step.needs)))
    return replace(step, needs=(*step.needs, *needs), need_weights=(*own, *needs.values()), buys=True)
