"""Adapters of one task on several bases as one model: their mistakes differ, so the mean of their logits makes fewer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from ecomscript.verification.claims import Segments, Task
from ecomscript.verification.lora import Base, Scores, load_adapter


class Model(Protocol):
    """What scores inputs: one merged adapter, or several as one."""

    def score(self, inputs: Sequence[Segments]) -> Scores:
        """Return the logits of any number of inputs."""


@dataclass(frozen=True, slots=True)
class PooledModel:
    """The mean of several models of one task.

    Attributes:
        members: At least one.
    """

    members: Sequence[Model]

    def score(self, inputs: Sequence[Segments]) -> Scores:
        """Return the means of the members' logits, of the wholes and of each segment."""
        told = [member.score(inputs) for member in self.members]
        parts = [np.mean(of, axis=0) for of in zip(*(scores.segments for scores in told), strict=True)]
        return Scores(np.mean([scores.whole for scores in told], axis=0), parts)


def open_model(folders: Sequence[Path], task: Task, base: Base | None = None) -> Model:
    """Return the merged adapter of one folder, or those of several as one; the errors are those of ``load_adapter``."""
    models = [load_adapter(folder, task, base) for folder in folders]
    return models[0] if len(models) == 1 else PooledModel(models)
