"""Texts → vectors in shards that survive a kill.

An engine maps ``embed_shard`` over batches: ``here`` in this process, ``ray_engine.on_ray`` on other cores and machines.
"""

from __future__ import annotations

import hashlib
import secrets
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
from tqdm import tqdm

from ecomscript.association.encoder import Encoder, Vectors
from ecomscript.folders import writing

SHARD = 2048
Engine = Callable[[Path, Encoder, Iterable[Sequence[str]]], Iterator[Vectors]]
"""Takes the work folder, the model and batches; yields the vectors of one batch after the other, in their order."""


def here(shards: Path, encoder: Encoder, batches: Iterable[Sequence[str]]) -> Iterator[Vectors]:
    """Embed one batch after the other in this process."""
    return (embed_shard(shards, encoder, batch) for batch in batches)


def embed_texts(
    texts: Sequence[str], encoder: Encoder, shards: Path, resume: bool = False, quiet: bool = False, engine: Engine = here
) -> Vectors:
    """Embed ``texts`` longest first (even batches waste no padding), one finished file a shard.

    Args:
        texts: What to embed.
        encoder: The model.
        shards: Work folder, left behind: the caller removes it (``discard``) when what is made of the vectors is safe.
        resume: Use the finished shards of an earlier run; a shard is named by the hash of its texts and encoder, so no stale one is.
        quiet: No progress bar.
        engine: What maps ``embed_shard`` over the batches.

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
        blocks = [order[start : start + SHARD] for start in range(0, len(order), SHARD)]
        for rows, part in zip(blocks, engine(shards, encoder, ([texts[n] for n in rows] for rows in blocks)), strict=True):
            vectors[rows] = part
            bar.update(len(rows))
    return vectors


def discard(shards: Path) -> None:
    """Remove the work folder."""
    shutil.rmtree(shards, ignore_errors=True)


def embed_shard(shards: Path, encoder: Encoder, batch: Sequence[str]) -> Vectors:
    """Return the vectors of a batch: read from the finished file of an earlier run, else made and written."""
    key = hashlib.sha256("\x1f".join((encoder.name, *batch)).encode()).hexdigest()[:16]
    path = shards / f"{key}.npy"
    try:
        part = np.load(path)
        if part.shape == (len(batch), encoder.dim):
            return part
    except (OSError, ValueError, EOFError):
        pass  # not there yet, or damaged
    part = encoder.encode(batch)
    unfinished = path.with_suffix(f".{secrets.token_hex(4)}.tmp.npy")  # a cluster may run a lost task twice
    with writing(shards):
        np.save(unfinished, part)
        unfinished.replace(path)
    return part
