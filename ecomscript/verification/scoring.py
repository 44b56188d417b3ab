"""One logit for each labelled claim from one adapter alone, without the other parts of its verifier."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from sklearn.metrics import roc_auc_score

from ecomscript.errors import ModelError
from ecomscript.verification.claims import BundleClaim
from ecomscript.verification.items import Item
from ecomscript.verification.lora import SegmentModel


def logits_of(model: SegmentModel, items: Sequence[Item]) -> npt.NDArray[np.float32]:
    """Return one logit for each item, (n,): of the whole input, or for a bundle that of its likeliest clash."""
    claims = [item.claim for item in items]
    if not any(isinstance(claim, BundleClaim) for claim in claims):
        return model.score([claim.segments() for claim in claims if not isinstance(claim, BundleClaim)]).whole
    inputs, ends = [], [0]
    for claim in claims:
        assert isinstance(claim, BundleClaim)
        inputs += [claim.single(a) for a in range(len(claim.placed))] + [claim.pair(*p) for p in claim.pairs]
        ends.append(len(inputs))
    found = model.score(inputs).whole
    return np.array([found[a:b].min() if b > a else 0.0 for a, b in pairwise(ends)], np.float32)


def auc_of(model: SegmentModel, items: Sequence[Item]) -> float:
    """Return the area under the ROC curve on labelled items.

    Raises:
        ModelError: A score is not a number.
    """
    logits = logits_of(model, items)
    if not np.isfinite(logits).all():
        raise ModelError("The scores of the model are no numbers", "Train with a lower --lr or a larger --batch-size.")
    return float(roc_auc_score([item.label for item in items], logits))
