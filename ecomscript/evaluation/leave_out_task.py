"""Plans for goals whose script is taken out of the library: how far does everything else reach?"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from ecomscript.association.encoder import Encoder
from ecomscript.association.index import IntentionIndex
from ecomscript.evaluation.fit import LibrarySteps, fit_kinds, fit_maps
from ecomscript.pipeline import Pipeline
from ecomscript.planning.intake import Intake
from ecomscript.planning.library import Library
from ecomscript.request import make_request
from ecomscript.schema import CONFIDENCE_WORDS

HELD_OUT = 0.1


def rows(library: Library, index: IntentionIndex, encoder: Encoder, intake: Intake, seed: int, most: int = 300) -> list[dict[str, Any]]:
    """Take a tenth of the scripts out, learn everything again from the rest, and plan for a random wording of each one taken out.

    ``own_needs_met`` counts only the very kinds that the script's author named, so it is a lower bound: another kind may serve as well.
    It is taken over the ``plans``; a goal that the gate answers otherwise counts among the ``goals`` alone.
    """
    rng = np.random.default_rng(seed)
    outside = np.flatnonzero((rng.random(len(library.scripts)) < HELD_OUT) & [bool(script.needs) for script in library.scripts])
    rest = library.subset(np.setdiff1d(np.arange(len(library.scripts)), outside))
    steps = LibrarySteps.of(rest, encoder)
    weights = fit_maps(rest, steps, np.ones(len(rest.scripts), bool), seed)
    weights = replace(weights, kind_coef=fit_kinds(rest, steps, seed))
    pipeline = Pipeline.of(rest, index, encoder, weights, intake)
    met, products, confidences = [], [], []
    goals = rng.permutation(outside)[:most]
    for n in goals:
        script = library.scripts[n]
        goal = str(rng.choice(np.array([script.objective, *script.aliases])))
        plan = pipeline.run(make_request(goal))
        if plan.status != "plan":
            continue
        shown = {p.kind for p in plan.products}
        met.append(len(shown & set(script.needs)) / len(script.needs))
        products.append(len(plan.products))
        confidences.append(plan.confidence)
    found: list[dict[str, Any]] = [{"confidence": "all", "goals": len(goals), **_summary(met, products)}]
    for name in CONFIDENCE_WORDS:
        chosen = [i for i, confidence in enumerate(confidences) if confidence == name]
        if chosen:
            found.append({"confidence": name, **_summary([met[i] for i in chosen], [products[i] for i in chosen])})
    return found


def _summary(met: list[float], products: list[int]) -> dict[str, Any]:
    """Return how many plans there were and their means; None where there was no plan."""
    means = [round(float(np.mean(values)), 4) if values else None for values in (met, products)]
    return {"plans": len(met), "own_needs_met": means[0], "products_per_plan": means[1]}
