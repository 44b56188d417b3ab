"""The intention index: purchase intentions under HNSW, the products that they lead to, and the folder that holds both.

Nothing else reads or writes the folder. Its manifest names what hnswlib does not check on load: encoder, dimension, metric and counts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import hnswlib
import numpy as np
import numpy.typing as npt

from ecomscript.association.encoder import Vectors
from ecomscript.errors import IndexFolderError
from ecomscript.folders import REBUILD, open_sealed, read_rows, seal, unseal, write_rows, writing
from ecomscript.schema import Intention, Kind, Product

FORMAT_VERSION = 1
SPACE = "cosine"
M = 16
EF_CONSTRUCTION = 200
EF_SEARCH = 320
"""Width of a search: recall@100 above .99 on the demo catalogue with room to grow (`make bench`); 160 stays below it."""
GRAPH_CHUNK = 2048

_PRODUCTS, _INTENTIONS, _KINDS = "products.jsonl", "intentions.jsonl", "kinds.jsonl"
_VECTORS, _GRAPH = "vectors.npz", "intentions.hnsw"


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
        products: Catalogue rows.
        intentions: Deduplicated intentions; their ``product_ids`` are rows of ``products``.
        kinds: Product kinds; empty for catalogues without kinds.
        intention_vectors: (len(intentions), dim) float32, unit norm.
        product_vectors: (len(products), dim) float32, unit norm.
        kind_vectors: (len(kinds), dim) float32, unit norm.
        graph: A ready HNSW graph over ``intention_vectors``; None builds one.
    """

    def __init__(
        self,
        encoder: str,
        source: str,
        products: Sequence[Product],
        intentions: Sequence[Intention],
        kinds: Sequence[Kind],
        intention_vectors: Vectors,
        product_vectors: Vectors,
        kind_vectors: Vectors,
        graph: hnswlib.Index | None = None,
    ) -> None:
        self.encoder = encoder
        self.source = source
        self.products = tuple(products)
        self.intentions = tuple(intentions)
        self.kinds = tuple(kinds)
        self.intention_vectors = intention_vectors
        self.product_vectors = product_vectors
        self.kind_vectors = kind_vectors
        self.row_of = {p.product_id: row for row, p in enumerate(self.products)}
        self.products_of_intention = [[self.row_of[i] for i in intention.product_ids] for intention in self.intentions]
        self.intentions_of_product: list[list[int]] = [[] for _ in self.products]
        for intention_row, product_rows in enumerate(self.products_of_intention):
            for row in product_rows:
                self.intentions_of_product[row].append(intention_row)
        self.kind_row = {k.name: row for row, k in enumerate(self.kinds)}
        self.products_of_kind: dict[str, list[int]] = {}
        for row, product in enumerate(self.products):
            if product.kind is not None:
                self.products_of_kind.setdefault(product.kind, []).append(row)
        self._graph = graph or build_graph(intention_vectors)
        self.kinds_of_intention = [
            np.array(sorted({self.kind_row[k] for n in rows if (k := self.products[n].kind) is not None}), np.int64)
            for rows in self.products_of_intention
        ]

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
        k = min(k, len(self.intentions))
        self._graph.set_ef(max(EF_SEARCH, k + k // 2))
        try:
            rows, distances = self._graph.knn_query(query[None, :], k=k, num_threads=1)
        except RuntimeError:  # hnswlib's answer where the graph reaches fewer than k rows
            return self.nearest_exact(query, k)
        return Neighbours(rows[0].astype(np.int64), (1.0 - distances[0]).astype(np.float32))

    def nearest_exact(self, query: Vectors, k: int) -> Neighbours:
        """Return exactly the ``k`` nearest intentions by a full scan; the yardstick for ``nearest``."""
        cosines = self.intention_vectors @ query
        k = min(k, len(cosines))
        rows = np.argpartition(-cosines, k - 1)[:k]
        rows = rows[np.argsort(-cosines[rows], kind="stable")]
        return Neighbours(rows.astype(np.int64), cosines[rows])

    def graph_bytes(self) -> int:
        """Return the size of the graph, with its own copy of the vectors, as it lies in the folder."""
        return int(self._graph.index_file_size())

    def save(self, folder: Path) -> None:
        """Write the folder, the manifest last.

        Raises:
            IndexFolderError: The folder cannot be written.
        """
        unseal(folder)
        vectors = {"intentions": self.intention_vectors, "products": self.product_vectors, "kinds": self.kind_vectors}
        with writing(folder):
            write_rows(folder / _PRODUCTS, (asdict(p) for p in self.products))
            write_rows(
                folder / _INTENTIONS,
                ({"id": i.intention_id, "text": i.text, "products": self.products_of_intention[n]} for n, i in enumerate(self.intentions)),
            )
            write_rows(folder / _KINDS, (asdict(k) for k in self.kinds))
            np.savez(folder / _VECTORS, **{name: rows.astype(np.float16) for name, rows in vectors.items()})  # type: ignore[arg-type]
            self._graph.save_index(str(folder / _GRAPH))
        meta = {
            "version": FORMAT_VERSION,
            "encoder": self.encoder,
            "source": self.source,
            "dim": self.dim,
            "space": SPACE,
            "M": M,
            "ef_construction": EF_CONSTRUCTION,
            "products": len(self.products),
            "intentions": len(self.intentions),
            "kinds": len(self.kinds),
        }
        seal(folder, (_PRODUCTS, _INTENTIONS, _KINDS, _VECTORS, _GRAPH), meta)

    @classmethod
    def load(cls, folder: Path, encoder: str) -> IntentionIndex:
        """Read a folder that ``save`` wrote, and refuse anything else.

        Args:
            folder: The index folder.
            encoder: Name of the encoder whose query vectors will be searched with.

        Raises:
            IndexFolderError: The folder is missing, half-written, damaged, of another format version, or was built with another encoder
                or metric.
        """
        manifest = open_sealed(folder, {"version": FORMAT_VERSION, "encoder": encoder, "space": SPACE})
        products = [Product(**_tuples(row)) for row in read_rows(folder / _PRODUCTS)]
        rows = read_rows(folder / _INTENTIONS)
        intentions = [Intention(row["id"], row["text"], tuple(products[n].product_id for n in row["products"])) for row in rows]
        kinds = [Kind(**_tuples(row)) for row in read_rows(folder / _KINDS)]
        with np.load(folder / _VECTORS) as arrays:
            vectors = {name: arrays[name].astype(np.float32) for name in ("intentions", "products", "kinds")}
        for name, count in (("products", len(products)), ("intentions", len(intentions)), ("kinds", len(kinds))):
            if not manifest.get(name) == count == len(vectors[name]):
                cause = f"The index in {folder} has {count} {name} and {len(vectors[name])} vectors, expected {manifest.get(name)}"
                raise IndexFolderError(cause, REBUILD)
        dim = vectors["intentions"].shape[1]
        if dim != manifest.get("dim"):
            raise IndexFolderError(f"The vectors in {folder} have {dim} dimensions, expected {manifest.get('dim')}", REBUILD)
        graph = hnswlib.Index(space=SPACE, dim=dim)
        graph.load_index(str(folder / _GRAPH), max_elements=len(intentions))
        if graph.get_current_count() != len(intentions):
            raise IndexFolderError(f"The graph in {folder} has {graph.get_current_count()} intentions, expected {len(intentions)}", REBUILD)
        ready = (vectors["intentions"], vectors["products"], vectors["kinds"], graph)
        return cls(encoder, str(manifest.get("source")), products, intentions, kinds, *ready)


def build_graph(vectors: Vectors, progress: Callable[[int], object] | None = None) -> hnswlib.Index:
    """Connect the vectors under HNSW with all cores.

    Args:
        vectors: (n, dim) float32, unit norm; the row number is the label.
        progress: Told how many rows were added, chunk by chunk.
    """
    graph = hnswlib.Index(space=SPACE, dim=vectors.shape[1])
    graph.init_index(max_elements=len(vectors), M=M, ef_construction=EF_CONSTRUCTION, random_seed=0)
    for start in range(0, len(vectors), GRAPH_CHUNK):
        chunk = vectors[start : start + GRAPH_CHUNK]
        graph.add_items(chunk, np.arange(start, start + len(chunk)))
        if progress is not None:
            progress(len(chunk))
    return graph


def _tuples(row: dict[str, Any]) -> dict[str, Any]:
    """Turn JSON lists back into the tuples of the dataclasses, one level of ``attributes`` included."""
    return {name: tuple(v) if isinstance(v, list) else _tuples(v) if isinstance(v, dict) else v for name, v in row.items()}
