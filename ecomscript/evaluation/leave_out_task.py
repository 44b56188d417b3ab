"""Plans for goals whose script is taken out of the library: how far does the rest reach, and would a larger library reach further?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ecomscript.association.encoder import Encoder
from ecomscript.association.index import IntentionIndex
from ecomscript.evaluation.fit import LibrarySteps, fit_kinds, fit_maps
from ecomscript.evaluation.metrics import interval_of_mean
from ecomscript.pipeline import Pipeline
from ecomscript.planning.intake import Intake
from ecomscript.planning.library import Library
from ecomscript.request import make_request
from ecomscript.schema import CONFIDENCE_WORDS, Confidence, LibraryScript

HELD_OUT = 0.1
SHARES = (0.1, 0.25, 0.5, 0.75, 1.0)
"""Sizes of the library on the learning curve."""


@dataclass(frozen=True, slots=True)
class _Split:
    """A library without some of its scripts, and goals for those.

    Attributes:
        rest: (scripts left,) their places in the library.
        goals: A script that was taken out, and a random wording of it.
    """

    rest: npt.NDArray[np.int64]
    goals: list[tuple[LibraryScript, str]]

    @classmethod
    def of(cls, library: Library, rng: np.random.Generator, most: int) -> _Split:
        outside = np.flatnonzero((rng.random(len(library.scripts)) < HELD_OUT) & [bool(script.needs) for script in library.scripts])
        scripts = [library.scripts[n] for n in rng.permutation(outside)[:most]]
        goals = [(script, str(rng.choice(np.array([script.objective, *script.aliases])))) for script in scripts]
        return cls(np.setdiff1d(np.arange(len(library.scripts)), outside), goals)


@dataclass(frozen=True, slots=True)
class _Answer:
    """What a plan for a goal was like: the share of the script's own needs that it meets, in [0, 1], and how many products it has."""

    met: float
    products: int
    confidence: Confidence | None


def rows(library: Library, index: IntentionIndex, encoder: Encoder, intake: Intake, seed: int, most: int = 300) -> list[dict[str, Any]]:
    """Take a tenth of the scripts out, learn everything again from the rest, and plan for a random wording of each one taken out.

    ``own_needs_met`` counts only the very kinds that the script's author named, so it is a lower bound: another kind may serve as well.
    It is taken over the ``plans``; a goal that the gate answers otherwise counts among the ``goals`` alone.
    """
    split = _Split.of(library, np.random.default_rng(seed), most)
    answers = _answers(_learnt(library.subset(split.rest), index, encoder, intake, seed), split.goals)
    found: list[dict[str, Any]] = [{"confidence": "all", "goals": len(split.goals), **_summary(answers)}]
    for name in CONFIDENCE_WORDS:
        chosen = [answer for answer in answers if answer.confidence == name]
        if chosen:
            found.append({"confidence": name, **_summary(chosen)})
    return found


def curve_rows(
    library: Library,
    index: IntentionIndex,
    encoder: Encoder,
    intake: Intake,
    seed: int,
    most: int = 120,
    shares: Sequence[float] = SHARES,
) -> list[dict[str, Any]]:
    """Return the same for shares of what is left of the library, each of them inside the next and measured on the same goals.

    ``scripts`` is how many scripts that share holds, ``ready_share`` the share of the goals for which it has a ready plan.
    """
    rng = np.random.default_rng(seed)
    split = _Split.of(library, rng, most)
    order = rng.permutation(split.rest)
    found = []
    for share in shares:
        inside = np.sort(order[: round(share * len(order))])
        answers = _answers(_learnt(library.subset(inside), index, encoder, intake, seed), split.goals)
        ready = sum(answer.confidence == "ready" for answer in answers)
        found.append(
            {
                "share": share,
                "scripts": len(inside),
                "goals": len(split.goals),
                **_summary(answers),
                "own_needs_met_ci95": interval_of_mean([answer.met for answer in answers], rng),
                "ready_share": round(ready / len(split.goals), 4) if split.goals else None,
            }
        )
    return found


def _learnt(library: Library, index: IntentionIndex, encoder: Encoder, intake: Intake, seed: int) -> Pipeline:
    """Return a pipeline whose planner and weights know this library alone."""
    steps = LibrarySteps.of(library, encoder)
    weights = fit_maps(library, steps, np.ones(len(library.scripts), bool), seed)
    weights = replace(weights, kind_coef=fit_kinds(library, steps, seed))
    return Pipeline.of(library, index, encoder, weights, intake)


def _answers(pipeline: Pipeline, goals: Sequence[tuple[LibraryScript, str]]) -> list[_Answer]:
    """Return what the plans were like; a goal without a plan has no answer."""
    found = []
    for script, goal in goals:
        plan = pipeline.run(make_request(goal))
        if plan.status == "plan":
            shown = {p.kind for p in plan.products}
            found.append(_Answer(len(shown & set(script.needs)) / len(script.needs), len(plan.products), plan.confidence))
    return found


def _summary(answers: Sequence[_Answer]) -> dict[str, Any]:
    """Return how many plans there were and their means; None where there was no plan."""
    columns = [answer.met for answer in answers], [answer.products for answer in answers]
    means = [round(float(np.mean(values)), 4) if values else None for values in columns]
    return {"plans": len(answers), "own_needs_met": means[0], "products_per_plan": means[1]}
