"""One HNSW graph: hnswlib over float32, or faiss over a byte a dimension, behind the same few methods."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

import hnswlib
import numpy as np
import numpy.typing as npt

from ecomscript.association.encoder import Vectors
from ecomscript.errors import ConfigError

SPACE = "cosine"
Rows = npt.NDArray[np.int64]
Storage = Literal["fp32", "sq8", "milvus"]
Found = tuple[Rows, Vectors]
"""(k,) labels or rows, and their cosines, best first."""


@dataclass(frozen=True, slots=True)
class Effort:
    """How carefully a graph is built and searched: HNSW's M, its width while it is built, and the width of a search."""

    m: int
    ef_construction: int
    ef: int

    def __str__(self) -> str:
        return f"M={self.m}, ef_construction={self.ef_construction}, ef={self.ef}"


def effort_of(rows: int) -> Effort:
    """Return what a graph of so many rows needs for a recall@10 of .98 and more (`bench` and `bench-scale` measure it)."""
    return Effort(16, 200, 320) if rows <= 200_000 else Effort(16, 100, 400)


class Shard(Protocol):
    """One graph; its labels count from 0 in the order in which vectors were added."""

    file_suffix: str
    storage: Storage

    def add(self, vectors: Vectors) -> None:
        """Add (n, dim) rows under the next labels."""

    def search(self, queries: Vectors, k: int, ef: int) -> list[Found]:
        """Return for each of (n, dim) queries about the ``k`` nearest labels and their cosines, perhaps fewer."""

    def save(self, path: Path) -> None:
        """Write the file; OSError when it is not whole."""

    def size_bytes(self) -> int:
        """Return the size of the file."""

    def __len__(self) -> int: ...


class FullShard:
    """hnswlib over float32.

    Args:
        graph: The hnswlib index.
    """

    file_suffix = "hnsw"
    storage: Storage = "fp32"

    def __init__(self, graph: hnswlib.Index) -> None:
        self._graph = graph

    @classmethod
    def new(cls, dim: int, rows: int, effort: Effort) -> FullShard:
        """Return an empty graph with room for so many rows."""
        graph = hnswlib.Index(space=SPACE, dim=dim)
        graph.init_index(max_elements=max(rows, 1), M=effort.m, ef_construction=effort.ef_construction, random_seed=0)
        return cls(graph)

    @classmethod
    def load(cls, path: Path, dim: int) -> FullShard:
        """Read what ``save`` wrote."""
        graph = hnswlib.Index(space=SPACE, dim=dim)
        graph.load_index(str(path))
        return cls(graph)

    def add(self, vectors: Vectors) -> None:
        """Add (n, dim) rows under the next labels."""
        start = len(self)
        if start + len(vectors) > self._graph.get_max_elements():
            self._graph.resize_index(start + len(vectors))
        self._graph.add_items(vectors, np.arange(start, start + len(vectors)), num_threads=1)

    def search(self, queries: Vectors, k: int, ef: int) -> list[Found]:
        """Return for each of (n, dim) queries about the ``k`` nearest labels and their cosines, perhaps none."""
        self._graph.set_ef(ef)
        return [self._search(query, k) for query in queries]

    def _search(self, query: Vectors, k: int) -> Found:
        try:
            labels, distances = self._graph.knn_query(query[None, :], k=k, num_threads=1)
        except RuntimeError:  # hnswlib's answer where the graph reaches fewer than k rows
            return np.zeros(0, np.int64), np.zeros(0, np.float32)
        return labels[0].astype(np.int64), (1.0 - distances[0]).astype(np.float32)

    def remove(self, labels: Rows) -> None:
        """Never find these again."""
        for label in labels.tolist():
            self._graph.mark_deleted(label)

    def save(self, path: Path) -> None:
        """Write the file.

        Raises:
            OSError: It is shorter than it should be: hnswlib itself says nothing on a full disk.
        """
        self._graph.save_index(str(path))
        if path.stat().st_size != self.size_bytes():
            raise OSError(f"{path.name} has {path.stat().st_size:,} of {self.size_bytes():,} bytes")

    def size_bytes(self) -> int:
        """Return the size of the file."""
        return int(self._graph.index_file_size())

    def __len__(self) -> int:
        return int(self._graph.get_current_count())


class ByteShard:
    """faiss' HNSW over one byte a dimension; an index of it gives exact cosines, because it scores what this finds again."""

    file_suffix = "faiss"
    storage: Storage = "sq8"

    def __init__(self, graph: Any) -> None:
        self._graph = graph

    @classmethod
    def new(cls, vectors: Vectors, effort: Effort) -> ByteShard:
        """Return an empty graph whose scale fits the vectors."""
        faiss = _faiss()
        graph = faiss.IndexHNSWSQ(vectors.shape[1], faiss.ScalarQuantizer.QT_8bit, effort.m, faiss.METRIC_INNER_PRODUCT)
        graph.hnsw.efConstruction = effort.ef_construction
        graph.train(vectors)
        return cls(graph)

    @classmethod
    def load(cls, path: Path) -> ByteShard:
        """Read what ``save`` wrote."""
        return cls(_faiss().read_index(str(path)))

    def add(self, vectors: Vectors) -> None:
        """Add (n, dim) rows under the next labels."""
        self._graph.add(vectors)

    def search(self, queries: Vectors, k: int, ef: int) -> list[Found]:
        """Return for each of (n, dim) queries about the ``k`` nearest labels and their approximate cosines, perhaps fewer."""
        cosines, labels = self._graph.search(queries, k, params=_faiss().SearchParametersHNSW(efSearch=ef))
        return [(own[own >= 0].astype(np.int64), near[own >= 0]) for own, near in zip(labels, cosines, strict=True)]

    def save(self, path: Path) -> None:
        """Write the file.

        Raises:
            OSError: It cannot be written whole.
        """
        try:
            _faiss().write_index(self._graph, str(path))
        except RuntimeError as error:
            raise OSError(str(error).splitlines()[0]) from error

    def size_bytes(self) -> int:
        """Return the size of the file."""
        return len(_faiss().serialize_index(self._graph))

    def __len__(self) -> int:
        return int(self._graph.ntotal)


def _faiss() -> Any:
    """Return faiss on one thread: its own threads would make every build another graph."""
    try:
        import faiss  # noqa: PLC0415 - an optional requirement
    except ImportError as error:
        raise ConfigError("Storage sq8 needs faiss, which is not installed", "pip install -r requirements-scale.txt") from error
    faiss.omp_set_num_threads(1)
    return faiss
