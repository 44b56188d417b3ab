"""Fit the small linear models of planner and matcher to the library: ``python -m index_build fit``.

Everything is judged on scripts that it was not fitted on: folds are by script, and a script's own evidence is left out when its
wordings play the goal (leave-one-out).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch
from sklearn.linear_model import LogisticRegression
from tqdm import tqdm

from ecomscript.association.encoder import Encoder, Vectors
from ecomscript.association.index import IntentionIndex
from ecomscript.association.rank import FEATURES as RANK_FEATURES
from ecomscript.association.rank import KindRanker
from ecomscript.config import ASSETS
from ecomscript.learnt import LearntWeights, mix
from ecomscript.planning.intake import Intake
from ecomscript.planning.kinds import FEATURES as KIND_FEATURES
from ecomscript.planning.kinds import KindEvidence, leave_out
from ecomscript.planning.library import Library, wordings

INTAKE_EXAMPLES = ASSETS / "intake" / "examples.jsonl"
FOLDS = 4
TEMPERATURE = 14.0
EPOCHS, BATCH, LEARNING_RATE = 8, 256, 2e-3
RANKED_STEPS = 2400
KNOWN_SHARE = 0.15
"""Share of the training goals whose script stays in sight, since many goals that people type are covered by a plan of the library."""
HARD_NEGATIVES = 150
"""Best-scored kinds of each training goal that the logistic regressions see; the rest are trivially wrong."""


def fit(library: Library, index: IntentionIndex, encoder: Encoder, seed: int = 0, quiet: bool = False) -> LearntWeights:
    """Learn all weights.

    Args:
        library: The planner's library.
        index: Index over the same kinds, in the same order.
        encoder: Their encoder.
        seed: Seed of folds, batches and samples.
        quiet: No progress bar.
    """
    steps = LibrarySteps.of(library, encoder)
    everything = np.ones(len(library.scripts), bool)
    return replace(
        fit_maps(library, steps, everything, seed),
        kind_coef=fit_kinds(library, steps, seed, quiet),
        rank_coef=fit_rank(index, encoder, library, steps, everything, seed),
    )


def fit_intake(library: Library, encoder: Encoder) -> Intake:
    """Fit the gate's classifier to its hand-written examples and to the library's wordings, all of which are goals to plan for."""
    return Intake.fit(encoder.encode, INTAKE_EXAMPLES, [wording for script in library.scripts for wording in wordings(script)])


def fit_kinds(library: Library, steps: LibrarySteps, seed: int, quiet: bool = True) -> Vectors:
    """Learn how much each kind of evidence counts, on goals of scripts that the map of their fold has not seen."""
    rng = np.random.default_rng(seed)
    folds = rng.integers(0, FOLDS, len(library.scripts))
    rows = []
    for fold in tqdm(range(FOLDS), desc="folds", disable=quiet):
        maps = fit_maps(library, steps, folds != fold, seed)
        rows += _kind_rows(library, maps.goal_map, np.flatnonzero(folds == fold), rng)
    return _logistic_regression(rows)


def fit_rank(
    index: IntentionIndex,
    encoder: Encoder,
    library: Library,
    steps: LibrarySteps,
    inside: npt.NDArray[np.bool_],
    seed: int,
) -> Vectors:
    """Learn the ranker's regression on steps that its map has not seen.

    Half of the scripts that ``inside`` (scripts,) marks teach the map, the other half the weights.
    """
    rng = np.random.default_rng(seed)
    first = inside & (rng.random(len(inside)) < 0.5)
    ranker = KindRanker(index, encoder, fit_maps(library, steps, first, seed))
    candidates = np.flatnonzero((inside & ~first)[steps.script] & steps.buys)
    chosen = rng.choice(candidates, min(RANKED_STEPS, len(candidates)), replace=False)
    return _logistic_regression(_rank_rows(ranker, steps, chosen))


def fit_maps(library: Library, steps: LibrarySteps, inside: npt.NDArray[np.bool_], seed: int) -> LearntWeights:
    """Learn the maps and the no-purchase classifier from the scripts that ``inside`` (scripts,) marks; the two regressions stay flat."""
    goals = inside[library.wording_script]
    goal_needs = [library.needs[n].indices for n in library.wording_script[goals]]
    buying = inside[steps.script] & steps.buys
    known = inside[steps.script]
    buys = LogisticRegression(C=10.0, max_iter=1000).fit(steps.vectors[known], steps.buys[known])
    return LearntWeights(
        goal_map=fit_map(library.wording_vectors[goals], goal_needs, library.kind_vectors, seed),
        step_map=fit_map(steps.queries[buying], [steps.needs[n] for n in np.flatnonzero(buying)], library.kind_vectors, seed),
        kind_coef=np.ones(len(KIND_FEATURES) + 1, np.float32),
        rank_coef=np.ones(len(RANK_FEATURES) + 1, np.float32),
        buys_coef=np.append(buys.coef_[0], buys.intercept_).astype(np.float32),
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


@dataclass(frozen=True, slots=True)
class LibrarySteps:
    """Every step of the library as an item to learn from or to measure on.

    Attributes:
        texts: The steps.
        objectives: The objective of each step's script.
        script: (n,) position of the script.
        needs: For each step the rows of the kinds that it needs.
        buys: (n,) whether it needs any.
        vectors: (n, dim) unit rows of the steps.
        queries: (n, dim) unit rows of step and objective, mixed as the matcher does.
    """

    texts: list[str]
    objectives: list[str]
    script: npt.NDArray[np.int64]
    needs: list[npt.NDArray[np.int64]]
    buys: npt.NDArray[np.bool_]
    vectors: Vectors
    queries: Vectors

    @classmethod
    def of(cls, library: Library, encoder: Encoder) -> LibrarySteps:
        """Collect and embed the steps."""
        pairs = [(n, step) for n, script in enumerate(library.scripts) for step in script.steps]
        script = np.array([n for n, _ in pairs], np.int64)
        needs = [np.array([library.kind_row[kind] for kind in step.needs], np.int64) for _, step in pairs]
        vectors = encoder.encode([step.text for _, step in pairs])
        objectives = [library.scripts[n].objective for n in script]
        return cls(
            [step.text for _, step in pairs],
            objectives,
            script,
            needs,
            np.array([len(rows) > 0 for rows in needs]),
            vectors,
            mix(vectors, encoder.encode(objectives)),
        )


def _kind_rows(
    library: Library, goal_map: Vectors, scripts: npt.NDArray[np.int64], rng: np.random.Generator
) -> list[tuple[Vectors, Vectors]]:
    """Return features and labels of goals that the library does not know (script left out) or knows (only their wording left out)."""
    evidence = KindEvidence(library, goal_map)
    rows = []
    for script in scripts:
        wording = int(rng.choice(np.flatnonzero(library.wording_script == script)))
        query = library.wording_vectors[wording]
        if rng.random() < KNOWN_SHARE:
            near, without = library.near(query, without=wording), None
        else:
            near, without = leave_out(library.near(query), int(script)), int(script)
        features = evidence.features(query, near, int(near.order[0]), without)
        rough = features[:, 0] + features[:, 2] + features[:, 6]
        hard = np.argsort(-rough)[:HARD_NEGATIVES]
        rows.append((features[hard], library.needs[script].toarray().ravel()[hard]))
    return rows


def _rank_rows(ranker: KindRanker, steps: LibrarySteps, chosen: npt.NDArray[np.int64]) -> list[tuple[Vectors, Vectors]]:
    rows = []
    for n in chosen:
        features = ranker.features(steps.queries[n], f"{steps.texts[n]} {steps.objectives[n]}")
        hard = np.argsort(-(features[:, 0] + features[:, 1]))[:HARD_NEGATIVES]
        labels = np.zeros(len(features), np.float32)
        labels[steps.needs[n]] = 1
        rows.append((features[hard], labels[hard]))
    return rows


def _logistic_regression(rows: Sequence[tuple[Vectors, Vectors]]) -> Vectors:
    """Return the weights of the features and, last, the intercept."""
    x, y = np.concatenate([features for features, _ in rows]), np.concatenate([labels for _, labels in rows])
    scale = x.std(axis=0) + 1e-9
    model = LogisticRegression(max_iter=1000).fit(x / scale, y)
    return np.append(model.coef_[0] / scale, model.intercept_).astype(np.float32)
