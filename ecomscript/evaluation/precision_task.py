"""What T2 re-ranking is worth where products are chosen: on judged products for goals that no model was trained on.

For every step and kind of ``assets/training/t2_plans.jsonl.gz`` several variants were judged by hand. Each way of choosing picks one; a
choice is wrong when a careful shopper would not want it there. The steps themselves are the library's, whose plans the goals reword.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ecomscript.association import associate
from ecomscript.association.choose import ProductChooser
from ecomscript.association.index import IntentionIndex
from ecomscript.association.vector_store import open_encoder
from ecomscript.config import Settings
from ecomscript.demo import ensure_demo
from ecomscript.learnt import mix
from ecomscript.planning.constraints import read_constraints
from ecomscript.schema import Product
from ecomscript.verification.claims import ProductClaim
from ecomscript.verification.items import Item, Split, in_split, load_plan_items
from ecomscript.verification.product import ProductVerifier
from ecomscript.verification.suite import CHOICE

Array = npt.NDArray[np.float64]
RESAMPLES = 2000
WAYS: dict[str, tuple[float, float]] = {"without T2": (0.0, 0.0), "shipped": (associate.JUDGE_WEIGHT, associate.JUDGE_DROPS)}
"""Weight of the judge and least P(helps) of each way of choosing."""
SWEEP: dict[str, tuple[float, float]] = {
    "without T2": (0.0, 0.0),
    **{f"weight {weight}, no gate": (weight, 0.0) for weight in (0.03, 0.1, 0.2, 0.4, 0.8)},
    **{f"weight 0.2, gate {gate}": (0.2, gate) for gate in (0.2, 0.3, 0.4, 0.5)},
}


def rows(settings: Settings, seed: int) -> list[dict[str, Any]]:
    """Return the share of wrong choices and what stays out: without T2 and as shipped, and on validation for other weights and gates."""
    t2 = ProductVerifier.load([settings.models_dir / CHOICE])
    index = IntentionIndex.load(ensure_demo(settings), settings.encoder)
    encode = open_encoder(settings.encoder).encode
    by_title = {product.title: (row, product) for row, product in enumerate(index.products)}
    found = []
    measured: tuple[tuple[Split, dict[str, tuple[float, float]]], ...] = (("test", WAYS), ("validation", SWEEP))
    for split, ways in measured:
        groups: defaultdict[str, list[Item]] = defaultdict(list)
        for item in in_split(load_plan_items(), split):
            groups[item.pair].append(item)
        several = [group for group in groups.values() if len(group) > 1 and all(_claim(item).product in by_title for item in group)]
        said = t2.scores([_claim(item) for group in several for item in group])
        chances = np.split(said, np.cumsum([len(group) for group in several])[:-1])
        values = [_values(index, encode, group, by_title) for group in several]
        for name, (weight, drop) in ways.items():
            right = [_pick(v, chance, group, weight, drop) for v, chance, group in zip(values, chances, several, strict=True)]
            found.append({"split": split, "choice": name, **_row(right, several, seed)})
    return found


def _claim(item: Item) -> ProductClaim:
    assert isinstance(item.claim, ProductClaim)
    return item.claim


def _values(index: IntentionIndex, encode: Any, group: Sequence[Item], by_title: dict[str, tuple[int, Product]]) -> Array:
    """Return what the matcher's own scores say of the variants."""
    claim = _claim(group[0])
    goal, step = encode([claim.objective, claim.step])
    chooser = ProductChooser(index, claim.objective, goal, read_constraints(claim.objective))
    kind = by_title[claim.product][1].kind or ""
    value_of = {option.row: option.value for option in chooser.options(kind, mix(step, goal))}
    return np.array([value_of[by_title[_claim(item).product][0]] for item in group])


def _pick(values: Array, chances: Array, group: Sequence[Item], weight: float, drop: float) -> int | None:
    """Return the label of the variant chosen; None when all stay out."""
    scores = np.array([associate.judged_value(v, c, weight) if c >= drop else -np.inf for v, c in zip(values, chances, strict=True)])
    return None if np.isneginf(scores).all() else group[int(scores.argmax())].label


def _row(right: Sequence[int | None], groups: Sequence[Sequence[Item]], seed: int) -> dict[str, Any]:
    shown = np.array([label for label in right if label is not None], np.float64)
    rng = np.random.default_rng(seed)
    spread = 1 - rng.choice(shown, (RESAMPLES, len(shown))).mean(axis=1)
    empty = [label is None for label in right]
    # Leaving out is right where no variant would have done.
    hopeless = [not any(item.label for item in group) for group in groups]
    return {
        "needs": len(groups),
        "shown": len(shown),
        "share_wrong": round(float(1 - shown.mean()), 4),
        "share_wrong_ci95": [round(float(q), 4) for q in np.quantile(spread, (0.025, 0.975))],
        "left_out": int(np.sum(empty)),
        "left_out_rightly": int(np.sum(np.logical_and(empty, hopeless))),
    }
