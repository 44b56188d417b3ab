"""Nothing of the gold set, which is for measuring only, may be in what is learnt from."""

import re
from functools import cache

import numpy as np
import pytest

from ecomscript.association.encoder import SentenceBert
from ecomscript.config import DEMO_CATALOG
from ecomscript.verification.claims import BundleClaim, ProductClaim
from ecomscript.verification.items import load_gold, load_items, load_plan_items, measured_objectives
from ecomscript.verification.samples import flawed_library

NEAR_OBJECTIVES, NEAR_TEXTS, RELATED = 0.9, 0.85, 0.65
TASKS = ("t1", "t2", "t3")


@cache
def gold(task):
    return load_gold(task)


@cache
def learnt(task):
    return load_items(task) + (load_plan_items() if task == "t2" else [])


@cache
def normal(text):
    return " ".join(re.findall(r"[a-z0-9]+", text.lower()))


def whole(claim):
    """Return a claim as one text."""
    if isinstance(claim, ProductClaim):
        return f"{claim.objective}: {claim.step}: {claim.product}. {claim.features}"
    steps = [f"{s.step} {', '.join(s.products)}" for s in claim.steps] if isinstance(claim, BundleClaim) else claim.steps
    return f"{claim.objective}: {'; '.join(steps)}"


@pytest.mark.parametrize("task", TASKS)
def test_no_objective_of_gold_is_learnt(task):
    measured = {normal(item.claim.objective) for other in TASKS for item in gold(other)}
    assert len(measured) > 100
    assert sorted(measured & {normal(item.claim.objective) for item in learnt(task)}) == []


@pytest.mark.parametrize("task", TASKS)
def test_no_claim_of_gold_is_learnt(task):
    def texts(items):
        return {normal(whole(item.claim).partition(": ")[2]) for item in items}

    assert sorted(texts(gold(task)) & texts(learnt(task))) == []


def nearest(found, measured):
    """Return for each row the highest cosine to any of the measured ones."""
    return np.concatenate([(part @ measured.T).max(1) for part in np.array_split(found, 1 + len(found) // 2000)])


@pytest.mark.slow
@pytest.mark.parametrize("task", TASKS)
def test_nothing_near_to_gold_is_learnt(task):
    encode = SentenceBert().encode
    objectives = sorted({item.claim.objective for item in learnt(task)})
    measured = sorted({item.claim.objective for other in TASKS for item in gold(other)})
    cosines = nearest(encode(objectives), encode(measured))
    assert [(o, round(float(c), 3)) for o, c in zip(objectives, cosines, strict=True) if c >= NEAR_OBJECTIVES] == []
    # A near copy of a whole claim has a related objective, so only those are embedded whole.
    related = {o for o, c in zip(objectives, cosines, strict=True) if c >= RELATED}
    texts = sorted({whole(item.claim) for item in learnt(task) if item.claim.objective in related})
    cosines = nearest(encode(texts), encode([whole(item.claim) for item in gold(task)]))
    assert [(t, round(float(c), 3)) for t, c in zip(texts, cosines, strict=True) if c >= NEAR_TEXTS] == []


@pytest.mark.slow
def test_the_library_that_t1_learns_from_is_far_from_what_is_measured():
    encode = SentenceBert().encode
    measured = sorted(measured_objectives([*load_items("t1"), *gold("t1")]))
    library = sorted({item.claim.objective for item in flawed_library(DEMO_CATALOG / "scripts", measured, encode)})
    assert len(library) > 3000
    assert nearest(encode(library), encode(measured)).max() < NEAR_OBJECTIVES
