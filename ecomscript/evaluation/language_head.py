"""A linear head over what a causal language model makes of the question whether a claim holds: strong, and too heavy to ship."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from ecomscript.llm.states import StateReader
from ecomscript.llm.templates import PROMPTS, Templates
from ecomscript.verification.asked import question
from ecomscript.verification.claims import TASKS, Claim, Task
from ecomscript.verification.items import Item, in_split, load_items

Judge = Callable[[Sequence[Claim]], npt.NDArray[np.float64]]
"""Claims → (n,) log-odds that each holds."""
LAYERS = 20
"""Layers that are computed: of the 28 of Qwen2.5-1.5B those whose states say most about validation items of T2."""
STATES = "states"
"""Folder of the states beside the answers of language models."""
ITEMS = 3_000
"""Training items that a head is fitted to."""
PENALTY = 0.01
"""Inverse strength of its regularisation (scikit-learn's C), chosen on validation items."""


def fit_head(reader: StateReader, task: Task, seed: int) -> Judge:
    """Return a logistic regression over the states after the question of the zero-shot prompt, fitted to training items.

    Raises:
        InputError: The items cannot be read, or the states not be kept.
        ModelError: The language model cannot be loaded.
    """
    prompts = Templates.load(PROMPTS / "verify.yaml", (*TASKS, "examples"))
    items = whole_objectives(in_split(load_items(task), "train"), ITEMS, random.Random(seed))

    def states(claims: Sequence[Claim]) -> npt.NDArray[np.float32]:
        return reader.read([question(prompts, task, claim, ()) for claim in claims])

    head = make_pipeline(StandardScaler(), LogisticRegression(C=PENALTY, max_iter=1000))
    head.fit(states([item.claim for item in items]), [item.label for item in items])
    return lambda claims: np.asarray(head.decision_function(states(claims)), np.float64)


def whole_objectives(items: Sequence[Item], count: int, rng: random.Random) -> list[Item]:
    """Return ``count`` items of objectives in random order, so that what differs in one detail stays together."""
    by_objective: dict[str, list[Item]] = {}
    for item in items:
        by_objective.setdefault(item.claim.objective, []).append(item)
    order = rng.sample(sorted(by_objective), len(by_objective))
    return [item for objective in order for item in by_objective[objective]][:count]
