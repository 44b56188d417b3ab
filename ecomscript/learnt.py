"""The small weights that ``python -m index_build fit`` learns from the library; planning and association both read them."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ecomscript.config import ASSETS
from ecomscript.errors import ModelError

Vectors = npt.NDArray[np.float32]

SHIPPED = ASSETS / "models" / "learnt.npz"
INTAKE_WEIGHTS = ASSETS / "models" / "intake.npz"
STEP_SHARE = 0.7
"""Weight of the step in its query vector, the rest is the objective; "objective: step" as one text ranks worse everywhere."""


@dataclass(frozen=True, slots=True)
class LearntWeights:
    """Linear models over sentence vectors.

    Attributes:
        goal_map: (dim, dim): a goal's vector times this lies near the vectors of the kinds that the goal needs.
        step_map: (dim, dim): the same for the query vector of a step.
        kind_coef: (features + 1,) logistic regression on ``planning.kinds.FEATURES``, last the intercept: does the goal need the kind?
        rank_coef: (features + 1,) the same on ``association.rank.FEATURES``: does the step need the kind?
        buys_coef: (dim + 1,) logistic regression on a step's vector, last the intercept: does the step need anything bought?
    """

    goal_map: Vectors
    step_map: Vectors
    kind_coef: Vectors
    rank_coef: Vectors
    buys_coef: Vectors

    @classmethod
    def load(cls, path: Path = SHIPPED) -> LearntWeights:
        """Read the weights.

        Raises:
            ModelError: The file is missing or is no such file.
        """
        try:
            with np.load(path) as arrays:
                return cls(*(arrays[f.name].astype(np.float32) for f in fields(cls)))
        except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
            cause = f"The learnt weights {path} cannot be read ({error})"
            raise ModelError(cause, "Make them again with `python -m index_build fit`.") from error

    def save(self, path: Path) -> None:
        """Write the weights, the maps in half precision."""
        path.parent.mkdir(parents=True, exist_ok=True)
        arrays = {f.name: getattr(self, f.name) for f in fields(self)}
        np.savez_compressed(path, **{name: a.astype(np.float16) if a.ndim == 2 else a for name, a in arrays.items()})


def probability(features: Vectors, coef: Vectors, less: npt.NDArray[np.floating] | float = 0.0) -> Vectors:
    """Return the fitted probabilities of a logistic regression.

    Args:
        features: (n, features) float32, or (features,) for one item.
        coef: (features + 1,) weights and, last, the intercept.
        less: Log-odds to take away, for each item or for all.

    Returns:
        (n,) float32 in [0, 1], or a scalar array for one item.
    """
    return np.asarray(1.0 / (1.0 + np.exp(-(features @ coef[:-1] + coef[-1] - less))), np.float32)


def mix(steps: Vectors, objective: Vectors) -> Vectors:
    """Return the (n, dim) unit query vectors of (n, dim) steps and their objectives, (n, dim) or one for all: see ``STEP_SHARE``."""
    return unit(STEP_SHARE * steps + (1 - STEP_SHARE) * objective)


def unit(vectors: Vectors) -> Vectors:
    """Return float32 vectors, along the last axis, at length 1; zeros stay zeros."""
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9), np.float32)
