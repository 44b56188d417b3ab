"""A graph that lives in Milvus: the index folder names its collection, and a server or a cluster searches it.

A collection is named by what it holds, so that indexes never share one by mistake, an earlier index serves on while a new one is built,
and a build that was killed goes on where it stopped.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from ecomscript.association.encoder import Vectors
from ecomscript.association.shards import Found, Storage
from ecomscript.errors import ConfigError, IndexFolderError

BATCH = 2048
"""Rows that are sent at a time: 3 MB of 384 dimensions, of the 64 MB that a message may have."""
MOST_FOUND = 16_384
"""Most rows that Milvus returns."""
MOST_ANSWERED = 20_000
"""Most rows that one request asks for, all of its queries together."""
TIMEOUT_S = 30.0
_ROW, _VECTOR = "row", "vector"
_UNREACHABLE = 2
"""Milvus' own code of a server that does not answer."""


class MilvusShard:
    """A collection behind the methods of a graph; its labels count from 0 in the order in which vectors were added.

    Args:
        client: A connected ``pymilvus.MilvusClient``.
        uri: Its address.
        collection: Name of the collection.
        rows: How many it holds for sure.
    """

    file_suffix = "milvus"
    storage: Storage = "milvus"

    def __init__(self, client: Any, uri: str, collection: str, rows: int) -> None:
        self.uri, self.collection = uri, collection
        self._client, self._rows = client, rows

    @classmethod
    def new(cls, uri: str, vectors: Vectors, m: int, ef_construction: int) -> MilvusShard:
        """Return the collection for exactly these vectors, empty or with what an earlier build has added.

        Args:
            uri: Address of the server.
            vectors: (n, dim) float32, unit norm: all that will be added.
            m: HNSW's M.
            ef_construction: HNSW's width while it is built.

        Raises:
            ConfigError: Milvus does not answer, or refuses.
        """
        digest = hashlib.sha256(f"{vectors.shape} {m} {ef_construction}".encode())
        digest.update(np.ascontiguousarray(vectors).data)
        collection = f"ecomscript_{digest.hexdigest()[:24]}"
        client = connected(uri)
        with _asking():
            if not client.has_collection(collection):
                _create(client, collection, vectors.shape[1], m, ef_construction)
            held = _count(client, collection)
        # The last batch of a build that was killed may be there in part; sending it again changes nothing.
        return cls(client, uri, collection, held if held == len(vectors) else held // BATCH * BATCH)

    @classmethod
    def load(cls, path: Path, uri: str) -> MilvusShard:
        """Read what ``save`` wrote, and see that the server has all of it.

        Raises:
            ConfigError: Milvus does not answer, or refuses.
            IndexFolderError: It lacks the collection, or a part of it.
        """
        meant = json.loads(path.read_text(encoding="utf-8"))
        client, name = connected(uri), meant["collection"]
        with _asking():
            held = _count(client, name) if client.has_collection(name) else 0
            if held == meant["rows"]:
                client.load_collection(name, timeout=TIMEOUT_S)
                return cls(client, uri, name, held)
        cause = f"Milvus has {held:,} of the {meant['rows']:,} intentions of {path.parent} (collection {name})"
        raise IndexFolderError(cause, "Set ECOMSCRIPT_MILVUS_URI to the server that it was built with, or build it again.")

    def add(self, vectors: Vectors) -> None:
        """Add (n, dim) rows under the next labels."""
        for start in range(0, len(vectors), BATCH):
            part = vectors[start : start + BATCH]
            with _asking():
                self._client.upsert(
                    self.collection, [{_ROW: self._rows + n, _VECTOR: vector} for n, vector in enumerate(part)], timeout=TIMEOUT_S
                )
            self._rows += len(part)

    def search(self, queries: Vectors, k: int, ef: int) -> list[Found]:
        """Return for each of (n, dim) queries about the ``k`` nearest labels and their cosines, perhaps fewer; many in one request.

        Raises:
            ConfigError: Milvus does not answer.
        """
        k = min(k, MOST_FOUND)
        how: dict[str, Any] = {"limit": k, "output_fields": [_ROW], "search_params": {"params": {"ef": max(k, ef)}}}
        at_once = max(1, MOST_ANSWERED // k)
        found = []
        for start in range(0, len(queries), at_once):
            part = list(np.asarray(queries[start : start + at_once], np.float32))
            with _asking():
                found += self._client.search(self.collection, part, timeout=TIMEOUT_S, **how)
        return [
            (np.array([hit[_ROW] for hit in hits], np.int64), np.array([hit["distance"] for hit in hits], np.float32)) for hits in found
        ]

    def save(self, path: Path) -> None:
        """Make the collection durable and write the file that names it.

        Raises:
            ConfigError: Milvus does not answer.
            OSError: The file cannot be written.
        """
        with _asking():
            self._client.flush(self.collection)
        path.write_text(self._named(), encoding="utf-8")

    def size_bytes(self) -> int:
        """Return the size of the file; the vectors are elsewhere."""
        return len(self._named())

    def __len__(self) -> int:
        return self._rows

    def _named(self) -> str:
        return json.dumps({"collection": self.collection, "rows": self._rows}) + "\n"


def connected(uri: str) -> Any:
    """Return a client of the server.

    Raises:
        ConfigError: No address is set, pymilvus is not installed, or the server does not answer.
    """
    if not uri:
        raise ConfigError("The index is to be in Milvus, but ECOMSCRIPT_MILVUS_URI is not set", "Set it, like http://127.0.0.1:19530.")
    try:
        from pymilvus import MilvusClient  # noqa: PLC0415 - an optional requirement
    except ImportError as error:
        fix = "pip install -r requirements-cluster.txt -c requirements.lock"
        raise ConfigError("Milvus needs pymilvus, which is not installed", fix) from error
    logging.getLogger("pymilvus").setLevel(logging.CRITICAL)  # it logs a traceback for what becomes one sentence here
    with _asking():
        return MilvusClient(uri, timeout=TIMEOUT_S)


def _create(client: Any, collection: str, dim: int, m: int, ef_construction: int) -> None:
    from pymilvus import DataType  # noqa: PLC0415 - an optional requirement

    schema = client.create_schema(auto_id=False)
    schema.add_field(_ROW, DataType.INT64, is_primary=True)
    schema.add_field(_VECTOR, DataType.FLOAT_VECTOR, dim=dim)
    graph = client.prepare_index_params()
    graph.add_index(_VECTOR, index_type="HNSW", metric_type="COSINE", params={"M": m, "efConstruction": ef_construction})
    client.create_collection(collection, schema=schema, index_params=graph)


def _count(client: Any, collection: str) -> int:
    client.load_collection(collection, timeout=TIMEOUT_S)
    (row,) = client.query(collection, filter="", output_fields=["count(*)"], consistency_level="Strong", timeout=TIMEOUT_S)
    return int(row["count(*)"])


@contextmanager
def _asking() -> Iterator[None]:
    """Turn what Milvus refuses into one sentence, without its address: that may hold a password."""
    from pymilvus.exceptions import MilvusException  # noqa: PLC0415 - an optional requirement

    try:
        yield
    except MilvusException as error:
        said = "does not answer" if error.code == _UNREACHABLE else f"refuses ({str(error.message).splitlines()[0][:200]})"
        raise ConfigError(f"Milvus {said}", "Start it, or correct ECOMSCRIPT_MILVUS_URI.") from error
