"""Fit the small linear models of planner and matcher to the library: ``python -m index_build fit``.

Everything is judged on scripts that it was not fitted on: folds are by script, and a script's own evidence is left out when its
wordings play the goal (leave-one-out).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import torch
from sklearn.linear_model import LogisticRegression
from tqdm import tqdm

from ecomscript.association.encoder import Encoder, Vectors
from ecomscript.association.index import IntentionIndex
from ecomscript.association.rank import FEATURES as RANK_FEATURES
from ecomscript.association.rank import KindRanker
from ecomscript.learnt import LearntWeights
from ecomscript.planning.kinds import FEATURES as KIND_FEATURES
from ecomscript.planning.kinds import KindEvidence, leave_out
from ecomscript.planning.library import Library

FOLDS = 4
TEMPERATURE = 14.0
EPOCHS, BATCH, LEARNING_RATE = 8, 256, 2e-3
HARD_NEGATIVES = 150
"""Best-scored kinds of each training goal that the logistic regressions see; the rest are trivially wrong."""


def fit(library: Library, index: IntentionIndex, encoder: Encoder, seed: int = 0, quiet: bool = False) -> LearntWeights:
    """Learn all weights.

    Args:
        library: The planner's library.
        index: Index over the same kinds, in the same order.
        encoder: Their encoder.
        seed: Seed of folds, batches and samples.
        quiet: No progress bars.
    """
    rng = np.random.default_rng(seed)
    folds = rng.integers(0, FOLDS, len(library.scripts))
    goals, goal_script = library.wording_vectors, library.wording_script
    goal_needs = [library.needs[n].indices for n in range(len(library.scripts))]
    steps = _Steps(library, encoder)
    blank = np.zeros(0, np.float32)
    weights = LearntWeights(blank, blank, blank, blank, _fit_buys(steps))

    kind_rows, rank_rows = [], []
    for fold in tqdm(range(FOLDS), desc="folds", disable=quiet):
        inside = folds != fold
        goal_map = fit_map(goals[inside[goal_script]], [goal_needs[s] for s in goal_script[inside[goal_script]]], library.kind_vectors, seed)
        kept = inside[steps.script] & steps.buys
        step_map = fit_map(steps.queries[kept], [steps.needs[n] for n in np.flatnonzero(kept)], library.kind_vectors, seed)
        held = np.flatnonzero(~inside)
        kind_rows += _kind_rows(library, goal_map, held, rng)
        ranker = KindRanker(index, encoder, replace(weights, step_map=step_map))
        rank_rows += _rank_rows(ranker, steps, rng.choice(np.flatnonzero(~inside[steps.script] & steps.buys), 600, replace=False))
    return replace(
        weights,
        goal_map=fit_map(goals, [goal_needs[s] for s in goal_script], library.kind_vectors, seed),
        step_map=fit_map(steps.queries[steps.buys], [steps.needs[n] for n in np.flatnonzero(steps.buys)], library.kind_vectors, seed),
        kind_coef=_logistic_regression(kind_rows, len(KIND_FEATURES)),
        rank_coef=_logistic_regression(rank_rows, len(RANK_FEATURES)),
    )


def fit_map(queries: Vectors, needs: Sequence[npt.NDArray[np.int64]], kinds: Vectors, seed: int) -> Vectors:
    """Learn the (dim, dim) map after which a query's softmax over all kinds falls on the needed ones.

    Args:
        queries: (n, dim) unit rows.
        needs: For each query, the rows of ``kinds`` that it needs.
        kinds: (kinds, dim) unit rows.
        seed: Order of the batches.
    """
    torch.manual_seed(seed)
    q, k = torch.from_numpy(queries), torch.from_numpy(kinds)
    matrix = torch.nn.Parameter(torch.eye(k.shape[1]))
    bias = torch.nn.Parameter(torch.zeros(len(k)))
    optimizer = torch.optim.AdamW([matrix, bias], lr=LEARNING_RATE, weight_decay=0.0)
    decay = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.85)
    for _ in range(EPOCHS):
        for batch in torch.randperm(len(q)).split(BATCH):
            target = torch.zeros(len(batch), len(k))
            for row, n in enumerate(batch.tolist()):
                target[row, needs[n]] = 1.0 / max(len(needs[n]), 1)
            logits = TEMPERATURE * torch.nn.functional.normalize(q[batch] @ matrix, dim=1) @ k.T + bias
            loss = -(target * torch.log_softmax(logits, dim=1)).sum(dim=1).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        decay.step()
    return matrix.detach().numpy()


class _Steps:
    """Every step of the library as a training item: its query vector, its script and its needs."""

    def __init__(self, library: Library, encoder: Encoder) -> None:
        self.texts = [step.text for script in library.scripts for step in script.steps]
        self.script = np.repeat(np.arange(len(library.scripts)), [len(s.steps) for s in library.scripts])
        self.needs = [np.array([library.kind_row[k] for k in step.needs], np.int64) for script in library.scripts for step in script.steps]
        self.buys = np.array([len(n) > 0 for n in self.needs])
        self.vectors = encoder.encode(self.texts)
        objectives = library.wording_vectors[np.searchsorted(library.wording_script, np.arange(len(library.scripts)))]
        self.objectives = [s.objective for s in library.scripts]
        mixed = 0.7 * self.vectors + 0.3 * objectives[self.script]
        self.queries = (mixed / np.linalg.norm(mixed, axis=1, keepdims=True)).astype(np.float32)


def _fit_buys(steps: _Steps) -> Vectors:
    model = LogisticRegression(C=10.0, max_iter=1000).fit(steps.vectors, steps.buys)
    return np.append(model.coef_[0], model.intercept_).astype(np.float32)


def _kind_rows(library: Library, goal_map: Vectors, scripts: npt.NDArray[np.int64], rng: np.random.Generator) -> list[tuple[Vectors, Vectors]]:
    evidence = KindEvidence(library, goal_map)
    rows = []
    for script in scripts:
        wording = int(rng.choice(np.flatnonzero(library.wording_script == script)))
        query = library.wording_vectors[wording]
        near = leave_out(library.near(query), int(script))
        features = evidence.features(query, near, int(near.order[0]), without=int(script))
        rough = features[:, 0] + features[:, 2] + features[:, 6]
        hard = np.argsort(-rough)[:HARD_NEGATIVES]
        rows.append((features[hard], library.needs[script].toarray().ravel()[hard]))
    return rows


def _rank_rows(ranker: KindRanker, steps: _Steps, chosen: npt.NDArray[np.int64]) -> list[tuple[Vectors, Vectors]]:
    rows = []
    for n in chosen:
        features = ranker.features(steps.queries[n], f"{steps.texts[n]} {steps.objectives[steps.script[n]]}")
        hard = np.argsort(-(features[:, 0] + features[:, 1]))[:HARD_NEGATIVES]
        labels = np.zeros(len(features), np.float32)
        labels[steps.needs[n]] = 1
        rows.append((features[hard], labels[hard]))
    return rows


def _logistic_regression(rows: Sequence[tuple[Vectors, Vectors]], width: int) -> Vectors:
    """Return ``width`` weights and the intercept."""
    x, y = np.concatenate([r[0] for r in rows]), np.concatenate([r[1] for r in rows])
    scale = x.std(axis=0) + 1e-9
    model = LogisticRegression(C=1.0, max_iter=1000).fit(x / scale, y)
    return np.append(model.coef_[0][:width] / scale, model.intercept_).astype(np.float32)
