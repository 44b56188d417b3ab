"""What searches the intentions: one HNSW graph, or several that are searched together, in full precision or with a byte a dimension.

A shard is built by one thread and shards side by side, so that the same vectors give the same bytes on every number of cores.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ecomscript.association.encoder import Vectors
from ecomscript.association.milvus import MilvusShard
from ecomscript.association.shards import ByteShard, Found, FullShard, Rows, Shard, Storage, effort_of

STORAGES: tuple[Storage, ...] = ("fp32", "sq8")
"""Those of graphs that lie in the folder of their index."""
SHARD_ROWS = 1_000_000
"""Most rows of a shard that is built; beyond it a graph is built from several."""
MOST_REMOVED = 0.25
"""Share of removed rows from which on a graph is built again: it walks through them without gain."""
CHUNK = 2048
_ROWS = "graph-rows.npz"
HalfVectors = npt.NDArray[np.float16] | npt.NDArray[np.float32]
Progress = Callable[[int], object]


class IntentionGraph:
    """The shards of an index and the row that each of their labels stands for.

    Args:
        shards: The graphs, at least one, all of one storage.
        rows: For each shard the (labels,) int64 rows; -1 for those that were removed.

    Attributes:
        storage: How vectors are kept.
    """

    def __init__(self, shards: Sequence[Shard], rows: Sequence[Rows]) -> None:
        self.shards, self.rows = tuple(shards), tuple(rows)
        self.storage = self.shards[0].storage
        self._present = [int((of >= 0).sum()) for of in self.rows]

    def __len__(self) -> int:
        return sum(self._present)

    def search(self, queries: Vectors, k: int) -> list[Found]:
        """Return for each query about the ``k`` nearest rows and their cosines, best first; fewer where a graph does not reach so many.

        Args:
            queries: (n, dim) float32, unit norm.
            k: How many.
        """
        by_shard = [self._search(n, queries, k) for n in range(len(self.shards))]
        return [_best(parts, k) for parts in zip(*by_shard, strict=True)]

    def nearest(self, queries: Vectors, k: int, vectors: HalfVectors) -> list[Found]:
        """Return what ``search`` finds with exact cosines: where bytes are stored, more is fetched and scored again.

        Args:
            queries: (n, dim) float32, unit norm.
            k: How many.
            vectors: (rows, dim) of unit norm: what the graph was built over.
        """
        if self.storage != "sq8":
            return self.search(queries, k)
        found = zip(queries, self.search(queries, k + k // 2), strict=True)
        return [_best([(rows, vectors[rows].astype(np.float32) @ query)], k) for query, (rows, _) in found]

    def _search(self, shard: int, queries: Vectors, k: int) -> list[Found]:
        k = min(k, self._present[shard])
        if not k:
            return [(np.zeros(0, np.int64), np.zeros(0, np.float32))] * len(queries)
        found = self.shards[shard].search(queries, k, max(effort_of(len(self.rows[shard])).ef, k + k // 2))
        return [(self.rows[shard][labels], cosines) for labels, cosines in found]

    def updated(self, row_now: Rows, vectors: Vectors, progress: Progress | None = None) -> IntentionGraph:
        """Return the graph after rows have moved, gone and come, built again only where too many have gone or bytes are stored.

        The graph itself is used up.

        Args:
            row_now: (rows before,) where each row is now, -1 for one that is gone.
            vectors: (rows now, dim) float32, unit norm.
            progress: Told how many rows were added, chunk by chunk.
        """
        rows = [np.where(of >= 0, row_now[of], -1) for of in self.rows]
        labels, present = sum(map(len, rows)), sum(int((of >= 0).sum()) for of in rows)
        full = [shard for shard in self.shards if isinstance(shard, FullShard)]
        if len(full) < len(self.shards) or labels - present > MOST_REMOVED * labels:
            milvus = next((shard.uri for shard in self.shards if isinstance(shard, MilvusShard)), "")
            return build_graph(vectors, progress, self.storage, milvus=milvus)
        for shard, before, now in zip(full, self.rows, rows, strict=True):
            shard.remove(np.flatnonzero((before >= 0) & (now < 0)))
        fresh = np.setdiff1d(np.arange(len(vectors)), np.concatenate(rows))
        smallest = min(range(len(full)), key=lambda n: len(rows[n]))
        _fill(full[smallest], vectors, fresh, progress)
        rows[smallest] = np.concatenate([rows[smallest], fresh])
        return IntentionGraph(full, rows)

    def size_bytes(self) -> int:
        """Return the size of all files."""
        return sum(shard.size_bytes() for shard in self.shards)

    def save(self, folder: Path) -> tuple[str, ...]:
        """Write a file a shard and one for their rows; return their names.

        Raises:
            OSError: A file cannot be written whole.
        """
        names = [f"intentions-{n}.{shard.file_suffix}" for n, shard in enumerate(self.shards)]
        for name, shard in zip(names, self.shards, strict=True):
            shard.save(folder / name)
        np.savez(folder / _ROWS, **{str(n): rows for n, rows in enumerate(self.rows)})  # type: ignore[arg-type]
        return (*names, _ROWS)

    @classmethod
    def load(cls, folder: Path, names: Mapping[str, object], dim: int, milvus: str = "") -> IntentionGraph:
        """Read what ``save`` wrote.

        Args:
            folder: The index folder.
            names: Its files.
            dim: Dimension of the vectors.
            milvus: Address of the server, for a graph that lives there.

        Raises:
            ConfigError: It needs faiss, which is not installed, or Milvus, which does not answer.
            IndexFolderError: The server does not hold it.
        """
        with np.load(folder / _ROWS) as arrays:
            rows = [arrays[str(n)] for n in range(len(arrays.files))]
        paths = [folder / name for n in range(len(rows)) for name in names if name.startswith(f"intentions-{n}.")]
        return cls([_load_shard(path, dim, milvus) for path in paths], rows)


def _best(parts: Sequence[Found], k: int) -> Found:
    rows, cosines = (np.concatenate(of) for of in zip(*parts, strict=True))
    best = np.argsort(-cosines, kind="stable")[:k]
    return rows[best], cosines[best]


def _load_shard(path: Path, dim: int, milvus: str) -> Shard:
    if path.suffix == f".{MilvusShard.file_suffix}":
        return MilvusShard.load(path, milvus)
    return ByteShard.load(path) if path.suffix == f".{ByteShard.file_suffix}" else FullShard.load(path, dim)


def build_graph(
    vectors: Vectors, progress: Progress | None = None, storage: Storage = "fp32", shard_rows: int = SHARD_ROWS, milvus: str = ""
) -> IntentionGraph:
    """Connect vectors under HNSW.

    Args:
        vectors: (n, dim) float32, unit norm.
        progress: Told how many rows were added, chunk by chunk.
        storage: How a graph keeps vectors.
        shard_rows: Most rows of a shard; Milvus divides its collections itself.
        milvus: Address of the server where the storage is "milvus".

    Raises:
        ConfigError: The storage needs faiss, which is not installed, or Milvus, which does not answer.
    """
    count = 1 if storage == "milvus" else max(1, -(-len(vectors) // shard_rows))
    rows = [np.arange(n, len(vectors), count) for n in range(count)]
    workers = min(count, os.cpu_count() or 1)

    def one(of: Rows) -> Shard:
        effort = effort_of(len(of))
        if storage == "milvus":
            shard: Shard = MilvusShard.new(milvus, vectors, effort.m, effort.ef_construction)
        elif storage == "sq8":
            shard = ByteShard.new(vectors[of], effort)
        else:
            shard = FullShard.new(vectors.shape[1], len(of), effort)
        _fill(shard, vectors, of[len(shard) :], progress)
        return shard

    with ThreadPoolExecutor(workers) as pool:
        return IntentionGraph(list(pool.map(one, rows)), rows)


def _fill(shard: Shard, vectors: Vectors, rows: Rows, progress: Progress | None) -> None:
    for start in range(0, len(rows), CHUNK):
        chunk = rows[start : start + CHUNK]
        shard.add(vectors[chunk])
        if progress is not None:
            progress(len(chunk))
