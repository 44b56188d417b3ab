"""What T2 gains from knowing more of a product than its title (the paper's second open question), on judged products of plans.

The probe is fitted on each set of signals, so it says what there is to learn from them. The shipped adapter was trained on title and
first feature alone: its rows say what more text does to it as it is. An image encoder is no part of the project, so images have no row.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression

from ecomscript.association.encoder import Encoder
from ecomscript.association.index import IntentionIndex
from ecomscript.evaluation.held_out import Rows, by_department, department
from ecomscript.evaluation.metrics import measure
from ecomscript.schema import AttributeValue, Product
from ecomscript.verification.claims import ProductClaim
from ecomscript.verification.items import Item, in_split
from ecomscript.verification.suite import Verifiers

LEARNT = 2_000
"""Training items of the probe."""
PROBE, SHIPPED = "frozen embedding + logistic regression", "shipped, for plans"


def features_text(product: Product) -> str:
    """Return all features of a product, one after the other."""
    return ". ".join(product.features)


def attributes_text(product: Product) -> str:
    """Return features and attributes of a product, the latter as "power w: 3000"."""
    said = [f"{name.replace('_', ' ')}: {_written(value)}" for name, value in product.attributes.items()]
    return ". ".join((*product.features, *said))


SIGNALS: Mapping[str, Callable[[Product], str]] = {
    "title": lambda _: "",
    "title + features": features_text,
    "title + features + attributes": attributes_text,
}
"""What is said of a product after its title."""


def rows(index: IntentionIndex, encoder: Encoder, verifiers: Verifiers, items: Sequence[Item], seed: int) -> list[dict[str, Any]]:
    """Return AUC and accuracy on the test split for each set of signals, model and department (of the product's kind).

    A group with labels of one sort alone has no AUC and only says how many ``items`` it holds.

    Args:
        index: The catalogue; items about products that it does not hold are left out.
        encoder: The frozen encoder of the probe.
        verifiers: For the T2 that chooses products in plans; without one only the probe is measured.
        items: Judged products of plans (``load_plan_items``).
        seed: Of the training sample and the bootstrap.
    """
    by_title = {product.title: product for product in index.products}
    known = [item for item in items if isinstance(item.claim, ProductClaim) and item.claim.product in by_title]
    train, test = in_split(known, "train"), in_split(known, "test")
    train = [train[n] for n in np.random.default_rng(seed).permutation(len(train))[:LEARNT]]
    kinds = [index.kinds[index.kind_row[by_title[_claim(item).product].kind or ""]] for item in test]
    groups = by_department([department(kind) for kind in kinds])
    t2 = verifiers.choice or verifiers.t2
    found = []
    for signal, describe in SIGNALS.items():
        learnt, asked = ([_with(_claim(item), describe, by_title) for item in part] for part in (train, test))
        said = {PROBE: _probe(encoder, learnt, [item.label for item in train], asked)}
        if t2 is not None:
            said[SHIPPED] = t2.scores(asked)
        for model, chances in said.items():
            for name, places in groups.items():
                found.append({"signal": signal, "model": model, "department": name, **_measured(test, chances, places, seed)})
    return found


def _claim(item: Item) -> ProductClaim:
    assert isinstance(item.claim, ProductClaim)
    return item.claim


def _with(claim: ProductClaim, describe: Callable[[Product], str], by_title: Mapping[str, Product]) -> ProductClaim:
    return ProductClaim(claim.objective, claim.step, claim.product, describe(by_title[claim.product]))


def _written(value: AttributeValue) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(value) if isinstance(value, tuple) else str(value)


def _probe(
    encoder: Encoder, learnt: Sequence[ProductClaim], labels: Sequence[int], asked: Sequence[ProductClaim]
) -> npt.NDArray[np.float64]:
    """Fit a logistic regression over frozen vectors and return P(the product helps) for what is asked, (n,)."""
    sides = [(f"{claim.objective}. {claim.step}", claim.segments()[2]) for claim in (*learnt, *asked)]
    texts = list(dict.fromkeys(text for pair in sides for text in pair))
    row_of = {text: row for row, text in enumerate(texts)}
    vectors = encoder.encode(texts)
    a, b = (vectors[[row_of[pair[side]] for pair in sides]] for side in (0, 1))
    inputs = np.hstack([a, b, a * b, np.abs(a - b)])
    model = LogisticRegression(C=0.3, max_iter=300).fit(inputs[: len(learnt)], labels)
    return np.asarray(model.predict_proba(inputs[len(learnt) :])[:, 1], np.float64)


def _measured(items: Sequence[Item], chances: npt.NDArray[np.float64], places: Rows, seed: int) -> dict[str, Any]:
    group = [items[n] for n in places]
    if len({item.label for item in group}) < 2:
        return {"items": len(group)}
    row = measure(group, chances[places], seed)
    return {name: row[name] for name in ("items", "auc", "auc_ci95", "accuracy")}
