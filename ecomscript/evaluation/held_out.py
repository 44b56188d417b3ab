"""Steps of hand-written plans to measure on, weights learnt from the other plans, and what T2 says of products for such steps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import numpy.typing as npt

from ecomscript.association.choose import ProductChooser
from ecomscript.association.encoder import Encoder
from ecomscript.association.index import IntentionIndex
from ecomscript.evaluation.fit import LibrarySteps, fit_maps, fit_rank
from ecomscript.learnt import LearntWeights
from ecomscript.planning.constraints import read_constraints
from ecomscript.planning.library import Library
from ecomscript.schema import Kind
from ecomscript.verification.claims import ProductClaim
from ecomscript.verification.items import load_items, load_plan_items
from ecomscript.verification.product import ProductVerifier
from ecomscript.verification.suite import Verifiers

Rows = npt.NDArray[np.int64]
HELD_OUT = 0.2
FEWEST = 20
"""Fewest rows for which a department is given on its own."""
ALL, OTHERS = "all", "other departments"


@dataclass(frozen=True, slots=True)
class HeldOut:
    """Every step of the library, and the ones of held-out scripts to measure on.

    Attributes:
        steps: Every step.
        outside: (scripts,) which scripts are held out.
        measured: (m,) rows of ``steps`` in random order; each needs something.
        departments: (m,) names: the department of the first kind that the step needs.
    """

    steps: LibrarySteps
    outside: npt.NDArray[np.bool_]
    measured: Rows
    departments: tuple[str, ...]


def hold_out(library: Library, encoder: Encoder, seed: int, most: int) -> HeldOut:
    """Hold a fifth of the scripts out and draw steps from them.

    Args:
        library: The hand-written plans.
        encoder: Their encoder.
        seed: Of split and sample.
        most: Most steps to measure on.
    """
    rng = np.random.default_rng(seed)
    steps = LibrarySteps.of(library, encoder)
    outside = rng.random(len(library.scripts)) < HELD_OUT
    candidates = np.flatnonzero(outside[steps.script] & steps.buys)
    measured = rng.choice(candidates, min(most, len(candidates)), replace=False)
    return HeldOut(steps, outside, measured, tuple(department(library.kinds[steps.needs[n][0]]) for n in measured))


def learn(library: Library, index: IntentionIndex, encoder: Encoder, split: HeldOut, seed: int) -> LearntWeights:
    """Return the matcher's weights as learnt from the scripts that are not held out."""
    weights = fit_maps(library, split.steps, ~split.outside, seed)
    return replace(weights, rank_coef=fit_rank(index, encoder, library, split.steps, ~split.outside, seed))


def department(kind: Kind) -> str:
    """Return the first part of a kind's category."""
    return kind.category.partition(">")[0].strip() or OTHERS


def by_department(names: Sequence[str]) -> dict[str, Rows]:
    """Return the places of all names, then of each department, the largest first; those under ``FEWEST`` go together, last."""
    large = [name for name, count in Counter(names).most_common() if count >= FEWEST and name != OTHERS]
    places: dict[str, list[int]] = {name: [] for name in (*large, OTHERS)}
    for place, name in enumerate(names):
        places[name if name in places else OTHERS].append(place)
    return {ALL: np.arange(len(names)), **{name: np.array(rows, np.int64) for name, rows in places.items() if rows}}


def unseen_by_t2(steps: LibrarySteps) -> npt.NDArray[np.bool_]:
    """Return for every step whether no judged item of T2 is about it: the goals of judged plans reword the library's."""
    known = _judged_steps()
    return np.array([text not in known for text in steps.texts])


@cache
def _judged_steps() -> frozenset[str]:
    items = (*load_items("t2"), *load_plan_items())
    return frozenset(item.claim.step for item in items if isinstance(item.claim, ProductClaim))


class BestProducts:
    """The product of a kind that the matcher would show in a step, and what T2 says of it: each is judged once.

    Args:
        index: The products.
        encoder: The encoder of the index.
        steps: The steps, with the rows of ``index.kinds`` that they need.
        t2: The judge.
    """

    def __init__(self, index: IntentionIndex, encoder: Encoder, steps: LibrarySteps, t2: ProductVerifier) -> None:
        self._index, self._encoder, self._steps, self._t2 = index, encoder, steps, t2
        self._choosers: dict[str, ProductChooser] = {}
        self._claims: dict[tuple[int, int], ProductClaim] = {}
        self._said: dict[tuple[int, int], float] = {}

    @classmethod
    def of(cls, index: IntentionIndex, encoder: Encoder, steps: LibrarySteps, verifiers: Verifiers) -> BestProducts | None:
        """Return it with the T2 that chooses products in plans; None where there is none."""
        t2 = verifiers.choice or verifiers.t2
        return None if t2 is None else cls(index, encoder, steps, t2)

    def claim(self, step: int, kind: int) -> ProductClaim:
        """Return the claim that the best product of a kind helps a step, both given by their rows."""
        if (step, kind) not in self._claims:
            options = self._chooser(self._steps.objectives[step]).options(self._index.kinds[kind].name, self._steps.queries[step])
            product = self._index.products[options[0].row]
            said = product.features[0] if product.features else ""  # as T2 was trained
            self._claims[step, kind] = ProductClaim(self._steps.objectives[step], self._steps.texts[step], product.title, said)
        return self._claims[step, kind]

    def helps(self, pairs: Sequence[tuple[int, int]]) -> npt.NDArray[np.float64]:
        """Return P(the best product of the kind helps the step) for (step, kind) pairs, (n,)."""
        fresh = [pair for pair in dict.fromkeys(pairs) if pair not in self._said]
        if fresh:
            said = self._t2.scores([self.claim(*pair) for pair in fresh])
            self._said.update(zip(fresh, said.tolist(), strict=True))
        return np.array([self._said[pair] for pair in pairs], np.float64)

    def _chooser(self, objective: str) -> ProductChooser:
        if objective not in self._choosers:
            vector = self._encoder.encode([objective])[0]
            self._choosers[objective] = ProductChooser(self._index, objective, vector, read_constraints(objective))
        return self._choosers[objective]
