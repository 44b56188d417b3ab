"""Sentence-BERT behind a small protocol, and a store of vectors that were computed before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from ecomscript.config import DEFAULT_ENCODER
from ecomscript.errors import ModelError
from ecomscript.packaged import source_of
from ecomscript.remembered import Remembered

Vectors = npt.NDArray[np.float32]

BATCH_SIZE = 64


class Encoder(Protocol):
    """Turns texts into unit vectors; ``name`` identifies weights, so that vectors of two encoders are never compared."""

    @property
    def name(self) -> str:
        """Name of the weights."""

    @property
    def dim(self) -> int:
        """Dimension of the vectors."""

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return ``(len(texts), dim)`` float32 rows of unit norm."""


class SentenceBert:
    """A Sentence-BERT model on the CPU in fp32.

    Args:
        name: "all-MiniLM-L6-v2" for the weights that the pinned package carries (checked by SHA-256), or what
            ``SentenceTransformer`` takes: a hub name or a folder.
        threads: CPU threads; more than the idle cores makes it slower.

    Raises:
        ModelError: The weights are missing or are not the published ones.
    """

    def __init__(self, name: str = DEFAULT_ENCODER, threads: int = 1) -> None:
        import torch  # noqa: PLC0415  (a second of import that `--help` and the tests of pure code need not pay)
        from sentence_transformers import SentenceTransformer  # noqa: PLC0415
        from transformers.utils import logging  # noqa: PLC0415

        torch.set_num_threads(threads)
        logging.disable_progress_bar()
        try:
            self._model = SentenceTransformer(source_of(name), device="cpu")
        except (OSError, ValueError) as error:
            cause = f"The encoder {name!r} cannot be loaded ({str(error).splitlines()[0]})"
            raise ModelError(cause, "Name a Sentence-BERT model or folder that exists.") from error
        self.name = name
        self.dim = int(self._model.get_embedding_dimension() or 0)

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return ``(len(texts), dim)`` float32 rows of unit norm."""
        if not texts:
            return np.zeros((0, self.dim), dtype=np.float32)
        rows = self._model.encode(list(texts), batch_size=BATCH_SIZE, normalize_embeddings=True, show_progress_bar=False)
        return np.asarray(rows, dtype=np.float32)


class CachedEncoder:
    """An encoder that remembers recent texts: planner, gate and matcher ask for the same goal and steps.

    Args:
        encoder: The model.
        size: How many texts are remembered.
    """

    def __init__(self, encoder: Encoder, size: int = 4096) -> None:
        self.name = encoder.name
        self.dim = encoder.dim
        self._vectors: Remembered[str, Vectors] = Remembered(encoder.encode, size)

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return ``(len(texts), dim)`` float32 rows of unit norm."""
        return np.stack(self._vectors(texts)) if texts else np.zeros((0, self.dim), np.float32)
