"""Texts → vectors in shards that survive a kill."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from tqdm import tqdm

from ecomscript.association.encoder import Encoder, Vectors
from ecomscript.folders import writing

SHARD = 2048


def embed_texts(texts: Sequence[str], encoder: Encoder, shards: Path, resume: bool = False, quiet: bool = False) -> Vectors:
    """Embed ``texts`` longest first (even batches waste no padding), one finished file a shard.

    Args:
        texts: What to embed.
        encoder: The model.
        shards: Work folder, left behind: the caller removes it (``discard``) when what is made of the vectors is safe.
        resume: Use the finished shards of an earlier run; a shard is named by the hash of its texts and encoder, so no stale one is.
        quiet: No progress bar.

    Returns:
        ``(len(texts), dim)`` float32 rows of unit norm, in the order of ``texts``.

    Raises:
        IndexFolderError: The work folder cannot be written.
    """
    with writing(shards):
        if not resume:
            discard(shards)
        shards.mkdir(parents=True, exist_ok=True)
    order = sorted(range(len(texts)), key=lambda n: (-len(texts[n]), texts[n]))
    vectors = np.empty((len(texts), encoder.dim), np.float32)
    with tqdm(total=len(texts), desc="embedding", unit="text", disable=quiet, mininterval=1) as bar:
        for start in range(0, len(order), SHARD):
            rows = order[start : start + SHARD]
            vectors[rows] = _shard(shards, encoder, [texts[n] for n in rows])
            bar.update(len(rows))
    return vectors


def discard(shards: Path) -> None:
    """Remove the work folder."""
    shutil.rmtree(shards, ignore_errors=True)


def _shard(shards: Path, encoder: Encoder, batch: Sequence[str]) -> Vectors:
    key = hashlib.sha256("\x1f".join((encoder.name, *batch)).encode()).hexdigest()[:16]
    path = shards / f"{key}.npy"
    try:
        part = np.load(path)
        if part.shape == (len(batch), encoder.dim):
            return part
    except (OSError, ValueError, EOFError):
        pass  # not there yet, or damaged
    part = encoder.encode(batch)
    unfinished = path.with_suffix(".tmp.npy")
    with writing(shards):
        np.save(unfinished, part)
        unfinished.replace(path)
    return part
