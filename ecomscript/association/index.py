"""The intention index: purchase intentions under HNSW, the products that they lead to, and the folder that holds both.

Nothing else reads or writes the folder. Its manifest names what hnswlib does not check on load: encoder, dimension, metric and counts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ecomscript.association.encoder import Vectors
from ecomscript.association.graph import HalfVectors, IntentionGraph
from ecomscript.association.links import Links
from ecomscript.association.product_store import ProductStore, kinds_of, tuples_of, write_products
from ecomscript.association.shards import SPACE
from ecomscript.errors import IndexFolderError
from ecomscript.folders import REBUILD, open_sealed, read_rows, seal, unseal, write_rows, writing
from ecomscript.schema import Intention, Kind, Product

FORMAT_VERSION = 3

_PRODUCTS, _INTENTIONS, _KINDS, _LINKS = "products.sqlite", "intentions.jsonl", "kinds.jsonl", "links.npz"
_INTENTION_VECTORS, _PRODUCT_VECTORS, _KIND_VECTORS = "intentions.npy", "products.npy", "kinds.npy"
_FILES = (_PRODUCTS, _INTENTIONS, _KINDS, _LINKS, _INTENTION_VECTORS, _PRODUCT_VECTORS, _KIND_VECTORS)
IN_MEMORY = 200_000
"""Most intentions whose vectors are kept in memory a second time, beside the graph's own copy; those of more stay on disk."""
SCANNED = 65_536
"""Vectors that a full scan turns into float32 at a time."""


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Intentions near a query, best first.

    Attributes:
        rows: (k,) int64 positions in ``IntentionIndex.intentions``.
        cosines: (k,) float32 in [-1, 1].
    """

    rows: npt.NDArray[np.int64]
    cosines: npt.NDArray[np.float32]


class IntentionIndex:
    """Intentions, products and kinds with their vectors, searchable.

    Args:
        encoder: Name of the encoder that made the vectors.
        source: Fingerprint of the catalogue that it was built from.
        products: Catalogue rows; a ``ProductStore`` keeps them on disk.
        intentions: Deduplicated intentions.
        kinds: Product kinds; empty for catalogues without kinds.
        products_of_intention: The rows of ``products`` that each of ``intentions`` leads to.
        intention_vectors: (len(intentions), dim) float32 or float16, unit norm.
        product_vectors: (len(products), dim) float16 or float32, unit norm.
        kind_vectors: (len(kinds), dim) float32, unit norm.
        graph: The graph over ``intention_vectors``.
    """

    def __init__(
        self,
        encoder: str,
        source: str,
        products: Sequence[Product],
        intentions: Sequence[Intention],
        kinds: Sequence[Kind],
        products_of_intention: Links,
        intention_vectors: HalfVectors,
        product_vectors: HalfVectors,
        kind_vectors: Vectors,
        graph: IntentionGraph,
    ) -> None:
        self.encoder = encoder
        self.source = source
        self.products = products
        self.intentions = tuple(intentions)
        self.kinds = tuple(kinds)
        self.intention_vectors = intention_vectors
        self.product_vectors = product_vectors
        self.kind_vectors = kind_vectors
        self.row_of: Mapping[str, int] = (
            products.row_of if isinstance(products, ProductStore) else {p.product_id: row for row, p in enumerate(products)}
        )
        self.products_of_intention = products_of_intention
        self.intentions_of_product = products_of_intention.turned(len(products))
        self.kind_row = {k.name: row for row, k in enumerate(self.kinds)}
        self.products_of_kind: dict[str, list[int]] = {}
        kind_of_product = np.full(len(products), -1, np.int64)
        for row, kind in enumerate(kinds_of(products)):
            if kind is not None:
                self.products_of_kind.setdefault(kind, []).append(row)
                kind_of_product[row] = self.kind_row[kind]
        self.kinds_of_intention = _kinds_of_intention(products_of_intention, kind_of_product, len(self.kinds))
        self.graph = graph

    @property
    def dim(self) -> int:
        """Dimension of every vector."""
        return int(self.intention_vectors.shape[1])

    def nearest(self, query: Vectors, k: int) -> Neighbours:
        """Return about the ``k`` nearest intentions (approximate; recall is measured by ``make bench``).

        Args:
            query: (dim,) float32, unit norm.
            k: How many; clamped to the number of intentions.
        """
        return self.nearest_of_each(query[None, :], k)[0]

    def nearest_of_each(self, queries: Vectors, k: int) -> list[Neighbours]:
        """Return what ``nearest`` finds for each of (n, dim) queries; a graph on a server is asked for many of them at once."""
        k = min(k, len(self.intentions))
        found = zip(queries, self.graph.nearest(queries, k, self.intention_vectors), strict=True)
        # A graph may reach fewer.
        return [Neighbours(rows, cosines) if len(rows) == k else self.nearest_exact(query, k) for query, (rows, cosines) in found]

    def nearest_exact(self, query: Vectors, k: int) -> Neighbours:
        """Return exactly the ``k`` nearest intentions by a full scan; the yardstick for ``nearest``."""
        blocks = range(0, len(self.intention_vectors), SCANNED)
        cosines = np.concatenate([np.asarray(self.intention_vectors[n : n + SCANNED], np.float32) @ query for n in blocks])
        k = min(k, len(cosines))
        rows = np.argpartition(-cosines, k - 1)[:k]
        rows = rows[np.argsort(-cosines[rows], kind="stable")]
        return Neighbours(rows.astype(np.int64), cosines[rows])

    def save(self, folder: Path) -> None:
        """Write the folder, the manifest last.

        Raises:
            IndexFolderError: The folder cannot be written.
        """
        unseal(folder)
        links = self.products_of_intention
        with writing(folder):
            write_products(folder / _PRODUCTS, self.products)
            write_rows(folder / _INTENTIONS, ({"id": i.intention_id, "text": i.text} for i in self.intentions))
            write_rows(folder / _KINDS, (asdict(k) for k in self.kinds))
            np.savez(folder / _LINKS, starts=links.starts, targets=links.targets)
            vectors = (self.intention_vectors, self.product_vectors, self.kind_vectors)
            for name, rows in zip((_INTENTION_VECTORS, _PRODUCT_VECTORS, _KIND_VECTORS), vectors, strict=True):
                np.save(folder / name, rows.astype(np.float16, copy=False))
            graph_files = self.graph.save(folder)
        meta = {
            "version": FORMAT_VERSION,
            "encoder": self.encoder,
            "source": self.source,
            "dim": self.dim,
            "space": SPACE,
            "storage": self.graph.storage,
            "shards": len(self.graph.shards),
            "products": len(self.products),
            "intentions": len(self.intentions),
            "kinds": len(self.kinds),
        }
        seal(folder, (*_FILES, *graph_files), meta)

    @classmethod
    def load(cls, folder: Path, encoder: str, milvus: str = "") -> IntentionIndex:
        """Read a folder that ``save`` wrote, and refuse anything else.

        Args:
            folder: The index folder.
            encoder: Name of the encoder whose query vectors will be searched with.
            milvus: Address of the server, for an index whose graph lives there.

        Raises:
            ConfigError: The graph needs a package that is not installed, or a server that does not answer.
            IndexFolderError: The folder is missing, half-written, damaged, of another format version, or was built with another encoder
                or metric.
        """
        manifest = open_sealed(folder, {"version": FORMAT_VERSION, "encoder": encoder, "space": SPACE})
        products = ProductStore(folder / _PRODUCTS)
        intentions = [Intention(row["id"], row["text"]) for row in read_rows(folder / _INTENTIONS)]
        kinds = [Kind(**tuples_of(row)) for row in read_rows(folder / _KINDS)]
        with np.load(folder / _LINKS) as arrays:
            links = Links(arrays["starts"], arrays["targets"])
        vectors: HalfVectors = np.load(folder / _INTENTION_VECTORS, mmap_mode="r")
        if len(vectors) <= IN_MEMORY:
            vectors = vectors.astype(np.float32)
        kind_vectors: Vectors = np.load(folder / _KIND_VECTORS).astype(np.float32)
        product_vectors: HalfVectors = np.load(folder / _PRODUCT_VECTORS, mmap_mode="r")
        sizes = {"products": (len(products), len(product_vectors)), "intentions": (len(intentions), len(vectors))}
        for name, (count, rows) in {**sizes, "kinds": (len(kinds), len(kind_vectors))}.items():
            if not manifest.get(name) == count == rows:
                cause = f"The index in {folder} has {count} {name} and {rows} vectors, expected {manifest.get(name)}"
                raise IndexFolderError(cause, REBUILD)
        dim = vectors.shape[1]
        if dim != manifest.get("dim"):
            raise IndexFolderError(f"The vectors in {folder} have {dim} dimensions, expected {manifest.get('dim')}", REBUILD)
        graph = IntentionGraph.load(folder, manifest["sha256"], dim, milvus)
        if len(graph) != len(intentions):
            raise IndexFolderError(f"The graph in {folder} has {len(graph)} intentions, expected {len(intentions)}", REBUILD)
        ready = (vectors, product_vectors, kind_vectors, graph)
        return cls(encoder, str(manifest.get("source")), products, intentions, kinds, links, *ready)


def _kinds_of_intention(products_of_intention: Links, kind_of_product: npt.NDArray[np.int64], kinds: int) -> Links:
    """Return the kinds whose products each intention leads to; a product of no kind (-1) counts nowhere."""
    kind = kind_of_product[products_of_intention.targets]
    known = kind >= 0
    pairs = np.unique(products_of_intention.sources()[known].astype(np.int64) * max(kinds, 1) + kind[known])
    return Links.of_pairs(pairs // max(kinds, 1), pairs % max(kinds, 1), len(products_of_intention))
