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


@dataclass(frozen=True, slots=True)
class LearntWeights:
    """Linear models over sentence vectors.

    Attributes:
        goal_map: (dim, dim): a goal's vector times this lies near the vectors of the kinds that the goal needs.
        step_map: (dim, dim): the same for the query vector of a step.
        kind_coef: (features,) weights of ``planning.kinds.FEATURES`` and, last, the intercept of that logistic regression.
        rank_coef: (features,) weights of ``association.associate.FEATURES``.
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


def logistic(x: Vectors) -> Vectors:
    """Return 1 / (1 + exp(-x))."""
    return np.asarray(1.0 / (1.0 + np.exp(-x)), np.float32)
