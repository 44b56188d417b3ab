"""T3: does a whole bundle hold together? Parts: attribute rules, clashes of single products and of pairs, and the least fitting product."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ecomscript.schema import AttributeValue, Verdict
from ecomscript.verification.claims import BundleClaim, ProductClaim, Segments
from ecomscript.verification.combine import Combiner
from ecomscript.verification.compatibility import Clash, Placed, clashes
from ecomscript.verification.lora import Base, SegmentModel, load_adapter
from ecomscript.verification.product import ProductVerifier

Attributes = Sequence[Mapping[str, AttributeValue]]
"""The catalogue attributes of the products of one bundle."""
MOST_PAIRS = 40
"""Pairs of a large bundle that are put to the model: those whose titles share most words, since unrelated things rarely clash."""
CLEAR = 2.0
"""Log-odds from which the model's likeliest clash is named."""


@dataclass(frozen=True, slots=True)
class BundleParts:
    """What the parts say of n bundles.

    Attributes:
        table: The parts by name, each (n,); more speaks for the bundle.
        rules: For each bundle what the attribute rules found.
        likeliest: For each bundle the log-odds and the places of the model's likeliest clash.
    """

    table: dict[str, npt.NDArray[np.float64]]
    rules: list[tuple[Clash, ...]]
    likeliest: list[tuple[float, tuple[int, ...]]]


class BundleVerifier:
    """The T3 model with the rules, T2 and the combiner over them.

    Args:
        model: The merged adapter.
        product: The T2 verifier.
        combiner: Over the parts of ``parts``.
    """

    def __init__(self, model: SegmentModel, product: ProductVerifier, combiner: Combiner) -> None:
        self.model, self.product, self.combiner = model, product, combiner

    @classmethod
    def load(cls, folder: Path, product: ProductVerifier, base: Base | None = None) -> BundleVerifier:
        """Read adapter and combiner.

        Raises:
            ModelError: A file is missing, damaged or for another base.
        """
        return cls(load_adapter(folder, "t3", base), product, Combiner.load(folder))

    def parts(self, claims: Sequence[BundleClaim], attributes: Sequence[Attributes] | None = None) -> BundleParts:
        """Return what each part says of the bundles.

        Args:
            claims: The bundles.
            attributes: For each bundle the catalogue attributes of its products, in the order of ``placed``; None for bare titles.
        """
        inputs: list[Segments] = []
        places: list[list[tuple[int, ...]]] = []
        for claim in claims:
            where: list[tuple[int, ...]] = [*((a,) for a in range(len(claim.placed))), *related_pairs(claim)]
            places.append(where)
            inputs += [claim.single(p[0]) if len(p) == 1 else claim.pair(p[0], p[1]) for p in where]
        ends = np.cumsum([0, *map(len, places)])
        clash = -self.model.score(inputs).whole
        fits = self.product.parts([ProductClaim(claim.objective, step, title) for claim in claims for step, title in claim.placed])["model"]
        starts = np.cumsum([0, *(len(claim.placed) for claim in claims)])
        rules, likeliest, rows = [], [], []
        for n, claim in enumerate(claims):
            known = attributes[n] if attributes is not None else [{}] * len(claim.placed)
            found = clashes(claim.objective, [Placed(s, t, attributes=a) for (s, t), a in zip(claim.placed, known, strict=True)])
            mine = clash[ends[n] : ends[n + 1]]
            rules.append(found)
            likeliest.append((float(mine.max()), places[n][int(mine.argmax())]) if len(mine) else (-np.inf, ()))
            rows.append(_row(mine, [len(p) for p in places[n]], fits[starts[n] : starts[n + 1]], found))
        return BundleParts({name: np.array([row[name] for row in rows], np.float64) for name in _NAMES}, rules, likeliest)

    def verdicts(
        self, claims: Sequence[BundleClaim], attributes: Sequence[Attributes] | None = None
    ) -> list[tuple[Verdict, tuple[Clash, ...]]]:
        """Return P(holds together) with the weakest spot, and what the rules found, for each bundle."""
        parts = self.parts(claims, attributes)
        scores = self.combiner.probability(parts.table)
        return [
            (Verdict(float(score), *_weakest(claim, *likeliest)), rules)
            for claim, score, likeliest, rules in zip(claims, scores, parts.likeliest, parts.rules, strict=True)
        ]


_NAMES = ("single", "pair", "any", "fit", "rules")


def _row(clash: npt.NDArray[np.float32], sizes: Sequence[int], fits: npt.NDArray[np.float64], rules: Sequence[Clash]) -> dict[str, float]:
    """Return the parts of one bundle from the log-odds of its clashes; a bundle without products or pairs gets the neutral 0."""
    by_size = {size: clash[np.array(sizes) == size] for size in (1, 2)}
    return {
        "single": -float(by_size[1].max()) if len(by_size[1]) else 0.0,
        "pair": -float(by_size[2].max()) if len(by_size[2]) else 0.0,
        "any": -float(np.logaddexp.reduce(clash)) if len(clash) else 0.0,
        "fit": float(fits.min()) if len(fits) else 0.0,
        "rules": -float(bool(rules)),
    }


def related_pairs(claim: BundleClaim, most: int = MOST_PAIRS) -> list[tuple[int, int]]:
    """Return the pairs to look at: all of a small bundle, else the ``most`` whose titles and steps share most words."""
    pairs = list(claim.pairs)
    if len(pairs) <= most:
        return pairs
    words = [frozenset(f"{step} {title}".lower().split()) for step, title in claim.placed]
    return sorted(sorted(pairs, key=lambda p: -len(words[p[0]] & words[p[1]]))[:most])


def _weakest(claim: BundleClaim, log_odds: float, places: tuple[int, ...]) -> tuple[str, tuple[int, ...]]:
    if log_odds < CLEAR:
        return "", ()
    titles = [claim.placed[a][1] for a in places]
    if len(titles) == 1:
        return f"“{titles[0]}” may not suit “{claim.objective}”.", places
    return f"“{titles[0]}” and “{titles[1]}” may not go together.", places
