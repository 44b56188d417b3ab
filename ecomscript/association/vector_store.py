"""Vectors that were computed before, kept by the hash of their text, so that a first start embeds nothing that the project ships.

A row is stored as integers of at most ``LEVELS`` with one scale (its largest absolute value / ``LEVELS``) and deflated: the cosine of
two unit vectors moves by some 0.001, and the file is a sixth of the 32-bit size.
"""

from __future__ import annotations

import hashlib
import re
import zipfile
from collections.abc import Callable, Sequence
from functools import cache, partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ecomscript.association.encoder import Encoder, SentenceBert, Vectors
from ecomscript.config import SHIPPED_VECTORS
from ecomscript.errors import ModelError

ROWS_PER_FILE = 40_000
LEVELS = 48


class VectorStore:
    """Known vectors of one encoder.

    Args:
        hashes: (n,) uint64, ascending: the first 8 bytes of the text's SHA-256.
        codes: (n, dim) int8.
        scales: (n,) float32.
    """

    def __init__(self, hashes: npt.NDArray[np.uint64], codes: npt.NDArray[np.int8], scales: npt.NDArray[np.float32]) -> None:
        self._hashes = hashes
        self._codes = codes
        self._scales = scales

    def __len__(self) -> int:
        return len(self._hashes)

    @property
    def dim(self) -> int:
        """Dimension of the vectors; 0 when the store is empty."""
        return int(self._codes.shape[1])

    @classmethod
    def load(cls, folder: Path, encoder: str) -> VectorStore:
        """Read the files of ``encoder``; a store without such files is empty.

        Raises:
            ModelError: A file is damaged.
        """
        parts = []
        for path in _files(folder, encoder):
            try:
                with np.load(path) as arrays:
                    parts.append((arrays["hashes"], arrays["codes"], arrays["scales"].astype(np.float32)))
            except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
                raise ModelError(f"The stored vectors {path} are damaged ({error})", "Delete them or check them out again.") from error
        if not parts:
            return cls(np.zeros(0, np.uint64), np.zeros((0, 0), np.int8), np.zeros(0, np.float32))
        return cls(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))

    @classmethod
    def of(cls, texts: Sequence[str], vectors: Vectors) -> VectorStore:
        """Quantise ``(len(texts), dim)`` unit vectors."""
        hashes = np.array([_hash(text) for text in texts], dtype=np.uint64)
        hashes, first = np.unique(hashes, return_index=True)
        vectors = vectors[first]
        scales = np.maximum(np.abs(vectors).max(axis=1, initial=0) / LEVELS, 1e-9).astype(np.float32)
        return cls(hashes, np.round(vectors / scales[:, None]).astype(np.int8), scales)

    def save(self, folder: Path, encoder: str) -> None:
        """Write the store in files of at most ``ROWS_PER_FILE`` rows, replacing those of the same encoder."""
        folder.mkdir(parents=True, exist_ok=True)
        for old in _files(folder, encoder):
            old.unlink()
        for part, start in enumerate(range(0, len(self), ROWS_PER_FILE)):
            rows = slice(start, start + ROWS_PER_FILE)
            path = folder / f"{_stem(encoder)}-{part:02d}.npz"
            np.savez_compressed(path, hashes=self._hashes[rows], codes=self._codes[rows], scales=self._scales[rows])

    def look_up(self, texts: Sequence[str]) -> tuple[Vectors, npt.NDArray[np.bool_]]:
        """Return ``(len(texts), dim)`` float32 unit rows (zeros where unknown) and which of them are known."""
        if not len(self):
            return np.zeros((len(texts), 0), np.float32), np.zeros(len(texts), bool)
        hashes = np.array([_hash(text) for text in texts], dtype=np.uint64)
        rows = np.minimum(np.searchsorted(self._hashes, hashes), len(self) - 1)
        known = self._hashes[rows] == hashes
        vectors = self._codes[rows] * self._scales[rows, None]
        vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
        vectors[~known] = 0
        return vectors.astype(np.float32), known


class StoredEncoder:
    """An encoder that looks into a store first; the model behind it is opened by the first text that is not there.

    Args:
        name: Name of the encoder.
        store: Vectors of that encoder.
        open_encoder: Opens the model.
    """

    def __init__(self, name: str, store: VectorStore, open_encoder: Callable[[], Encoder]) -> None:
        self.name = name
        self._store = store
        self._open = open_encoder
        self._encoder: Encoder | None = None

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return ``(len(texts), dim)`` float32 rows of unit norm."""
        vectors, known = self._store.look_up(texts)
        if known.all() and len(self._store):
            return vectors
        fresh = self.model.encode([text for text, k in zip(texts, known, strict=True) if not k])
        if not known.any():
            return fresh
        vectors[~known] = fresh
        return vectors

    @property
    def model(self) -> Encoder:
        """The model itself, opened on first use."""
        if self._encoder is None:
            self._encoder = self._open()
        return self._encoder

    @property
    def dim(self) -> int:
        """Dimension of the vectors."""
        return self._store.dim if len(self._store) else self.model.dim


def open_encoder(name: str, threads: int = 1, folder: Path = SHIPPED_VECTORS) -> StoredEncoder:
    """Return the encoder ``name`` behind the vectors that the project ships for it.

    Args:
        name: See ``SentenceBert``.
        threads: CPU threads of the model.
        folder: Where the shipped vectors are.
    """
    return StoredEncoder(name, VectorStore.load(folder, name), partial(_model, name, threads))


@cache
def _model(name: str, threads: int) -> SentenceBert:
    """Open a model once in a process: an engine sends the encoder to another one with every batch."""
    return SentenceBert(name, threads)


def _files(folder: Path, encoder: str) -> list[Path]:
    return sorted(folder.glob(f"{_stem(encoder)}-[0-9][0-9].npz"))


def _stem(encoder: str) -> str:
    """Return the encoder's name as the start of a file name; it may be a path or a hub name with a slash."""
    return re.sub(r"[^\w.-]", "_", encoder)


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
