"""T3: does a whole bundle hold together? Parts: attribute rules, clashes of single products and of pairs, and the least fitting product."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ecomscript.remembered import Remembered
from ecomscript.schema import Verdict
from ecomscript.verification.claims import BundleClaim, ProductClaim, Segments
from ecomscript.verification.combine import Combiner
from ecomscript.verification.compatibility import Clash, Placed, clashes
from ecomscript.verification.lora import Base
from ecomscript.verification.pooled import Model, open_model
from ecomscript.verification.product import ProductVerifier

MOST_PAIRS = 24
"""Pairs of a large bundle that are put to the model: those whose titles share most words, since unrelated things rarely clash."""
REMEMBERED = 8_192
"""Products and pairs whose logits are kept, some hundred plans; a few megabytes."""


@dataclass(frozen=True, slots=True)
class BundleParts:
    """What the parts say of n bundles.

    Attributes:
        table: The parts by name, each (n,); more speaks for the bundle.
        likeliest: For each bundle the places of the model's likeliest clash.
        signals: Log-odds of that clash, "clash" (n,).
    """

    table: dict[str, npt.NDArray[np.float64]]
    likeliest: list[tuple[int, ...]]
    signals: dict[str, npt.NDArray[np.float64]]


class BundleVerifier:
    """The T3 model with the rules, T2 and the combiner over them.

    Args:
        model: The merged adapter, or several as one.
        product: The T2 verifier.
        combiner: Over the parts of ``parts``.
    """

    def __init__(self, model: Model, product: ProductVerifier, combiner: Combiner) -> None:
        self.model, self.product, self.combiner = model, product, combiner
        self._logits: Callable[[Sequence[Segments]], npt.ArrayLike] = self._ask

    @classmethod
    def load(cls, folders: Sequence[Path], product: ProductVerifier, base: Base | None = None) -> BundleVerifier:
        """Read the adapters of ``folders`` as one (``suite.adapters_of``), and the combiner in the first.

        Raises:
            ModelError: A file is missing, damaged or for another base.
        """
        return cls(open_model(folders, "t3", base), product, Combiner.load(folders[0], PARTS))

    def remembering(self) -> BundleVerifier:
        """Return the verifier with a memory: the bundle of an edited plan is mostly made of what was asked before.

        A logit is then the one of the first time, which in another batch could have come out some hundredths higher or lower.
        """
        twin = copy.copy(self)
        twin._logits = Remembered(self._ask, REMEMBERED)
        return twin

    def parts(self, claims: Sequence[BundleClaim], found: Sequence[Sequence[Clash]] | None = None) -> BundleParts:
        """Return what each part says of the bundles.

        Args:
            claims: The bundles.
            found: What the attribute rules found in each, where more is known of the products than their titles; None asks the rules.
        """
        if found is None:
            found = [clashes(claim.objective, [Placed(*place) for place in claim.placed]) for claim in claims]
        inputs: list[Segments] = []
        places: list[list[tuple[int, ...]]] = []
        for claim in claims:
            where: list[tuple[int, ...]] = [*((a,) for a in range(len(claim.placed))), *related_pairs(claim)]
            places.append(where)
            inputs += [claim.single(p[0]) if len(p) == 1 else claim.pair(p[0], p[1]) for p in where]
        ends = np.cumsum([0, *map(len, places)])
        clash = -np.array(self._logits(inputs), np.float32)
        fits = self._fits(claims)
        starts = np.cumsum([0, *(len(claim.placed) for claim in claims)])
        likeliest, strongest, rows = [], [], []
        for n in range(len(claims)):
            mine = clash[ends[n] : ends[n + 1]]
            likeliest.append(places[n][int(mine.argmax())] if len(mine) else ())
            strongest.append(float(mine.max()) if len(mine) else -np.inf)
            rows.append(_row(mine, [len(p) for p in places[n]], fits[starts[n] : starts[n + 1]], found[n]))
        table = {name: np.array([row[name] for row in rows], np.float64) for name in PARTS}
        return BundleParts(table, likeliest, {"clash": np.array(strongest)})

    def _ask(self, inputs: Sequence[Segments]) -> npt.NDArray[np.float32]:
        return self.model.score(inputs).whole

    def _fits(self, claims: Sequence[BundleClaim]) -> npt.NDArray[np.float64]:
        """Return T2's logit of every product of the bundles, one after the other; zeros where the combiner does not look at them."""
        placed = [ProductClaim(claim.objective, step, title) for claim in claims for step, title in claim.placed]
        if self.combiner.names and "fit" not in self.combiner.names:
            return np.zeros(len(placed))
        return self.product.parts(placed)["model"]

    def verdicts(self, claims: Sequence[BundleClaim], found: Sequence[Sequence[Clash]] | None = None) -> list[Verdict]:
        """Return P(holds together) of each bundle, with the model's likeliest clash where it is likely enough to be named."""
        parts = self.parts(claims, found)
        named = self.combiner.speaks("clash", parts.signals["clash"])
        return [
            Verdict(float(score), *(_clash_reason(claim, places) if speaks else ("", ())))
            for claim, score, places, speaks in zip(claims, self.combiner.probability(parts.table), parts.likeliest, named, strict=True)
        ]


PARTS = ("single", "pair", "fit", "rules")
"""Names of the parts; each is free of the size of the bundle, since plans hold more products than the items that were fitted on."""


def _row(clash: npt.NDArray[np.float32], sizes: Sequence[int], fits: npt.NDArray[np.float64], rules: Sequence[Clash]) -> dict[str, float]:
    """Return the parts of one bundle from the log-odds of its clashes; a bundle without products or pairs gets the neutral 0."""
    by_size = {size: clash[np.array(sizes) == size] for size in (1, 2)}
    return {
        "single": -_soft_most(by_size[1]),
        "pair": -_soft_most(by_size[2]),
        "fit": float(np.sort(fits)[:2].mean()) if len(fits) else 0.0,
        "rules": -float(bool(rules)),
    }


def _soft_most(log_odds: npt.NDArray[np.float32]) -> float:
    """Return the logarithm of the mean odds: led by the greatest, whatever the number."""
    return float(np.logaddexp.reduce(log_odds) - np.log(len(log_odds))) if len(log_odds) else 0.0


def related_pairs(claim: BundleClaim, most: int = MOST_PAIRS) -> list[tuple[int, int]]:
    """Return the pairs to look at: all of a small bundle, else the ``most`` whose titles and steps share most words."""
    pairs = list(claim.pairs)
    if len(pairs) <= most:
        return pairs
    words = [frozenset(f"{step} {title}".lower().split()) for step, title in claim.placed]
    return sorted(sorted(pairs, key=lambda p: -len(words[p[0]] & words[p[1]]))[:most])


def _clash_reason(claim: BundleClaim, places: tuple[int, ...]) -> tuple[str, tuple[int, ...]]:
    titles = [claim.placed[a][1] for a in places]
    if len(titles) == 1:
        return f"“{titles[0]}” may not suit “{claim.objective}”.", places
    return f"“{titles[0]}” and “{titles[1]}” may not go together.", places
