"""A written plan beside the library's: what the library has and the writer left out is put in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from operator import itemgetter

import numpy as np

from ecomscript.planning.draft import MOST, SAME, Encode
from ecomscript.schema import PER_STEP, Step

SURE = 0.2
"""Least P(needed) of a kind that no written plan may leave out: the bound from which the library adds kinds to its own plans."""
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


def complete(written: Sequence[Step], library: Sequence[Step], encode: Encode, near: bool = False) -> Completed | None:
    """Return a written plan with the needs of the library's plan in it; None when its sure ones take more steps than a plan may have.

    A missing need goes into the written step that does the same job as its step in the library's plan, else that step comes along, at the
    place in the order that it had there. Where the written step is that very step and full, the next one with room takes the need.
    For needs that the library is less sure of, steps come along while there is room for them, the likeliest first.

    Args:
        written: The steps as they were written.
        library: The library's steps for the same goal, with a probability for each need; empty where it has no plan.
        encode: Texts → (n, dim) float32, unit norm.
        near: Whether the library's plan is of a near goal; of another only the sure needs count.
    """
    met = {kind for step in written for kind in step.needs}
    missing = [_left_out(step, met, 0.0 if near else SURE) for step in library]
    if not any(missing):
        return Completed(tuple(written))
    vectors = encode([step.text for step in (*written, *library)])
    alike = vectors[len(written) :] @ vectors[: len(written)].T
    steps = list(written)
    added: list[tuple[float, Step]] = []
    for row, (step, needs) in enumerate(zip(library, missing, strict=True)):
        best = int(np.argmax(alike[row]))
        if alike[row, best] > SAME and len(steps[best].needs) >= PER_STEP:  # the same step twice would be worse than the next best place
            best = max(range(len(steps)), key=lambda n: (len(steps[n].needs) < PER_STEP, alike[row, n]))
        room = PER_STEP - len(steps[best].needs) if alike[row].max() >= SAME_JOB else 0
        steps[best] = _with(steps[best], dict(list(needs.items())[:room]))
        if rest := dict(list(needs.items())[room:]):
            added.append((row / len(library), _with(replace(step, needs=(), need_weights=()), rest)))
    added.sort(key=lambda entry: -max(entry[1].need_weights))
    if len(steps) + sum(max(step.need_weights) >= SURE for _, step in added) > MOST:
        return None
    place = itemgetter(0)
    added = sorted(added[: MOST - len(steps)], key=place)
    order = sorted([*((n / len(steps), step) for n, step in enumerate(steps)), *added], key=place)
    return Completed(tuple(step for _, step in order), tuple(kind for _, step in added for kind in step.needs))


def _left_out(step: Step, met: set[str], least: float) -> dict[str, float]:
    """Return the needs of a step that are not met and at least so likely, with their probabilities, the likeliest first."""
    likely = sorted(zip(step.needs, step.need_weights, strict=False), key=lambda entry: -entry[1])
    return {kind: chance for kind, chance in likely if chance >= least and kind not in met}


def _with(step: Step, needs: dict[str, float]) -> Step:
    """Return the step with more needs, each with its weight."""
    if not needs:
        return step
    own = step.need_weights or tuple(1.0 / (1 + position) for position in range(len(step.needs)))
    return replace(step, needs=(*step.needs, *needs), need_weights=(*own, *needs.values()), buys=True)
