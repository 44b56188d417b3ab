"""What a gate lets through, and what that does to T2 and T3: the paper's cosine threshold on the best intention, or one on the fit."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from ecomscript.association.encoder import Encoder
from ecomscript.association.index import IntentionIndex
from ecomscript.association.rank import FEATURES, KindRanker
from ecomscript.evaluation.fit import LibrarySteps
from ecomscript.evaluation.held_out import ALL, BestProducts, HeldOut, Rows, by_department, hold_out, learn, unseen_by_t2
from ecomscript.learnt import LearntWeights, probability
from ecomscript.planning.library import Library
from ecomscript.schema import PER_STEP
from ecomscript.verification.bundle import BundleVerifier
from ecomscript.verification.claims import BundleClaim, BundleStep
from ecomscript.verification.suite import Verifiers

COSINE, CHANCE = "cosine of the best intention", "fitted probability"
GATES: Mapping[str, Sequence[float]] = {
    COSINE: tuple(round(0.3 + 0.025 * n, 3) for n in range(13)),
    CHANCE: (0.02, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4),
}
JUDGED, SCRIPTS = 400, 40
"""Steps that T2 judges and scripts that T3 judges."""
PASSES = 0.5


def rows(
    library: Library, index: IntentionIndex, encoder: Encoder, verifiers: Verifiers, seed: int, most: int = 1500
) -> list[dict[str, Any]]:
    """Return what each gate lets through on held-out steps, the cosine gates also for each department.

    ``precision`` is the share of the (at most ``PER_STEP``) best-ranked kinds above the gate that the step needs, ``recall`` the share of
    the needed kinds above it, ``kinds_through`` how many kinds pass in all, ``steps_answered`` the share of steps that keep any kind.
    Only the very kinds that a step's author named count as needed, so precision and T2's agreement are lower bounds.

    The cosine gates are followed to the end, on ``JUDGED`` steps and ``SCRIPTS`` scripts that T2 did not learn from: ``t2_mean`` is the
    mean P(helps) of the best products of the shown kinds, ``t2_accuracy`` how often a yes (≥ ½) agrees with the step's needs; ``t3_mean``
    and ``t3_pass`` are mean and share ≥ ½ of P(holds together) for the scripts with the first product of each step, of those that keep
    any product. Without a verifier its fields are absent.

    Args:
        library: The hand-written plans.
        index: Index over the same kinds.
        encoder: Their encoder.
        verifiers: For T2 and T3, each of which may be missing.
        seed: Of split and samples.
        most: Most steps to measure.
    """
    split = hold_out(library, encoder, seed, most)
    look = _looker(index, encoder, split.steps, learn(library, index, encoder, split, seed))
    measured = [look(int(n)) for n in split.measured]
    groups = by_department(split.departments)
    best = BestProducts.of(index, encoder, split.steps, verifiers)
    downstream = None if best is None else _Downstream(split, look, best, verifiers.t3, seed)
    found: list[dict[str, Any]] = []
    for gate, thresholds in GATES.items():
        for threshold in thresholds:
            counts = np.array([step.counts(gate, threshold) for step in measured])
            for name in groups if gate == COSINE else (ALL,):
                row = {"gate": gate, "threshold": threshold, "department": name, **_shares(counts[groups[name]])}
                found.append(row | (downstream.row(threshold) if downstream and name == ALL and gate == COSINE else {}))
    return found


@dataclass(frozen=True, slots=True)
class _Ranked:
    """One step as the gates see it.

    Attributes:
        needs: Rows of the kinds that it needs.
        gates: (kinds,) by the name of the gate: what its threshold is held against.
        order: (kinds,) rows of the kinds, the likeliest first.
    """

    needs: Rows
    gates: Mapping[str, npt.NDArray[np.float32]]
    order: Rows

    def top(self, gate: str, threshold: float) -> Rows:
        """Return the likeliest kinds that pass, at most ``PER_STEP``."""
        passing = self.gates[gate] >= threshold
        return self.order[passing[self.order]][:PER_STEP]

    def counts(self, gate: str, threshold: float) -> tuple[int, ...]:
        """Return how many kinds are shown, rightly shown, needed and passing, needed, passing, and whether any is shown."""
        top, passing = self.top(gate, threshold), self.gates[gate] >= threshold
        right, reached = np.isin(top, self.needs).sum(), passing[self.needs].sum()
        return len(top), int(right), int(reached), len(self.needs), int(passing.sum()), int(len(top) > 0)


Look = Callable[[int], _Ranked]
"""Returns a step by its row."""


def _looker(index: IntentionIndex, encoder: Encoder, steps: LibrarySteps, weights: LearntWeights) -> Look:
    ranker = KindRanker(index, encoder, weights)

    @cache
    def look(n: int) -> _Ranked:
        features = ranker.features(steps.queries[n], f"{steps.texts[n]} {steps.objectives[n]}")
        chances = probability(features, weights.rank_coef)
        gates = {COSINE: features[:, FEATURES.index("best intention")], CHANCE: chances}
        return _Ranked(steps.needs[n], gates, np.argsort(-chances, kind="stable"))

    return look


def _shares(counts: npt.NDArray[np.int64]) -> dict[str, float | int | None]:
    """Return the row of a group from the (steps, 6) counts."""
    shown, right, reached, wanted, through, answered = counts.sum(axis=0).tolist()
    return {
        "steps": len(counts),
        "precision": round(right / shown, 4) if shown else None,
        "recall": round(reached / wanted, 4),
        "kinds_through": round(through / len(counts), 2),
        "steps_answered": round(answered / len(counts), 4),
    }


class _Downstream:
    """T2 and T3 behind a cosine gate; what several gates show is judged once.

    Args:
        split: The steps.
        look: Shows one of them.
        best: T2 with the products.
        t3: Judges bundles, or None.
        seed: Of the sample of scripts.
    """

    def __init__(self, split: HeldOut, look: Look, best: BestProducts, t3: BundleVerifier | None, seed: int) -> None:
        steps, unseen = split.steps, unseen_by_t2(split.steps)
        self._steps, self._look, self._best, self._t3 = steps, look, best, t3
        self._judged = split.measured[unseen[split.measured]][:JUDGED].tolist()
        fresh = np.setdiff1d(steps.script[split.measured], steps.script[~unseen])
        chosen = np.random.default_rng(seed).permutation(fresh)[: SCRIPTS if t3 is not None else 0]
        self._scripts = [np.flatnonzero(steps.script == script).tolist() for script in chosen]
        self._held: dict[BundleClaim, float] = {}

    def row(self, threshold: float) -> dict[str, Any]:
        """Return the fields of T2 and T3; a mean over nothing is None."""
        shown = [(n, int(kind)) for n in self._judged for kind in self._look(n).top(COSINE, threshold)]
        said = self._best.helps(shown)
        agrees = [(p >= PASSES) == (kind in self._steps.needs[n]) for p, (n, kind) in zip(said, shown, strict=True)]
        found = {"t2_products": len(shown), "t2_accuracy": _mean(agrees), "t2_mean": _mean(said)}
        if self._t3 is not None:
            bundles = [self._bundle(script, threshold) for script in self._scripts]
            held = self._verdicts(self._t3, [bundle for bundle in bundles if bundle.placed])
            found |= {"t3_scripts": len(held), "t3_mean": _mean(held), "t3_pass": _mean([p >= PASSES for p in held])}
        return found

    def _bundle(self, script: Sequence[int], threshold: float) -> BundleClaim:
        """Return a script with the first product of each step; one that an earlier step has is not shown again."""
        shown: set[str] = set()
        parts = []
        for n in script:
            top = self._look(n).top(COSINE, threshold)[:1] if self._steps.buys[n] else ()
            titles = tuple(title for kind in top if (title := self._best.claim(n, int(kind)).product) not in shown)
            shown.update(titles)
            parts.append(BundleStep(self._steps.texts[n], titles))
        return BundleClaim(self._steps.objectives[script[0]], tuple(parts))

    def _verdicts(self, t3: BundleVerifier, claims: Sequence[BundleClaim]) -> list[float]:
        fresh = [claim for claim in dict.fromkeys(claims) if claim not in self._held]
        self._held.update((claim, verdict.score) for claim, verdict in zip(fresh, t3.verdicts(fresh) if fresh else (), strict=True))
        return [self._held[claim] for claim in claims]


def _mean(values: Sequence[Any] | npt.NDArray[np.float64]) -> float | None:
    return round(float(np.mean(values)), 4) if len(values) else None
