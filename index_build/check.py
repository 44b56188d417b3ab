"""How well an index finds what is in it, measured on queries as the app makes them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from ecomscript.association.encoder import Encoder, Vectors
from ecomscript.association.graph import HalfVectors
from ecomscript.association.index import IntentionIndex
from ecomscript.association.shards import Rows
from ecomscript.folders import MANIFEST, read_manifest
from ecomscript.learnt import mix
from ecomscript.planning.library import LIBRARY_FOLDER, Library
from ecomscript.schema import LibraryScript

MIN_RECALL_AT_10 = 0.98
MAX_UNREACHABLE_SHARE = 0.001
SAMPLE = 400
"""Queries of a check; enough to tell a recall of .99 from .97."""
MOST_PRODUCTS = 20_000
"""Products of a larger index that are drawn to see whether searches find them."""
AT_ONCE = 500
"""Products whose intentions are searched for together."""
BLOCK = 50_000


@dataclass(frozen=True, slots=True)
class Report:
    """What ``python -m index_build check`` prints.

    Attributes:
        products: Rows.
        intentions: Deduplicated intentions.
        recall_at_10: Mean share of the exact ten nearest intentions that HNSW finds.
        unreachable_share: Share of the products, or of 20,000 of them, that no search by their own intentions finds.
        storage: How the graph keeps vectors.
        shards: Graphs that are searched together.
        bytes: Size of the folder without a library.
        ok: Whether both measures are good enough to serve.
    """

    products: int
    intentions: int
    recall_at_10: float
    unreachable_share: float
    storage: str
    shards: int
    bytes: int
    ok: bool

    def to_json(self) -> dict[str, int | float | bool | str]:
        """Return the report as plain JSON values."""
        return asdict(self)


def check(folder: Path, encoder: Encoder, seed: int = 0, milvus: str = "") -> Report:
    """Load an index and measure it.

    Args:
        folder: An index folder.
        encoder: The encoder that it was built with.
        seed: Seed of the sample.
        milvus: Address of the server, for an index whose graph lives there.

    Raises:
        ConfigError: That server does not answer.
        IndexFolderError: The folder is missing, damaged or of another encoder.
    """
    index = IntentionIndex.load(folder, encoder.name, milvus)
    queries = sample_queries(folder, index, encoder, SAMPLE, seed)
    found, unreachable = recall(index, queries, 10), unreachable_share(index, seed)
    ok = found >= MIN_RECALL_AT_10 and unreachable <= MAX_UNREACHABLE_SHARE
    sizes = (len(index.products), len(index.intentions))
    size = sum(path.stat().st_size for path in folder.iterdir() if path.is_file())
    return Report(*sizes, round(found, 4), round(unreachable, 4), index.graph.storage, len(index.graph.shards), size, ok)


def encoder_of(folder: Path) -> str:
    """Return the name of the encoder that an index was built with.

    Raises:
        IndexFolderError: There is no complete index.
    """
    return str(read_manifest(folder).get("encoder"))


def sample_queries(folder: Path, index: IntentionIndex, encoder: Encoder, count: int, seed: int) -> Vectors:
    """Return up to ``count`` query vectors: steps of the catalogue's scripts, or its products' titles where it has no scripts."""
    rng = np.random.default_rng(seed)
    if (folder / LIBRARY_FOLDER / MANIFEST).is_file():
        return step_queries(Library.load(folder / LIBRARY_FOLDER, encoder.name).scripts, encoder, count, rng)
    rows = rng.permutation(len(index.products))[:count]
    return encoder.encode([index.products[row].title for row in rows])


def step_queries(scripts: tuple[LibraryScript, ...], encoder: Encoder, count: int, rng: np.random.Generator) -> Vectors:
    """Return ``(≤ count, dim)`` unit rows for random steps, mixed with their objective as the app does it."""
    steps = [(step.text, script.objective) for script in scripts for step in script.steps]
    chosen = [steps[n] for n in rng.permutation(len(steps))[:count]]
    return mix(encoder.encode([text for text, _ in chosen]), encoder.encode([goal for _, goal in chosen]))


def recall(index: IntentionIndex, queries: Vectors, k: int) -> float:
    """Return the mean share of the exact ``k`` nearest intentions that the approximate search finds, in [0, 1]."""
    exact = exact_rows(index.intention_vectors, queries, k)
    found = [np.intersect1d(best, near.rows) for best, near in zip(exact, index.nearest_of_each(queries, k), strict=True)]
    return float(np.mean([len(rows) for rows in found])) / exact.shape[1]


def exact_rows(vectors: HalfVectors, queries: Vectors, k: int) -> Rows:
    """Return the (queries, ≤ k) rows with the largest cosines, in any order, block by block so that memory stays flat."""
    rows, best = np.zeros((len(queries), 0), np.int64), np.zeros((len(queries), 0), np.float32)
    for start in range(0, len(vectors), BLOCK):
        cosines = queries @ np.asarray(vectors[start : start + BLOCK], np.float32).T
        best = np.hstack([best, cosines])
        rows = np.hstack([rows, np.broadcast_to(np.arange(start, start + cosines.shape[1]), cosines.shape)])
        chosen = np.argpartition(-best, min(k, best.shape[1]) - 1, axis=1)[:, :k]
        rows, best = np.take_along_axis(rows, chosen, axis=1), np.take_along_axis(best, chosen, axis=1)
    return rows


def unreachable_share(index: IntentionIndex, seed: int = 0) -> float:
    """Return the share of products that no search by one of their own intentions finds, in [0, 1]."""
    found: set[int] = set()
    drawn = np.random.default_rng(seed).permutation(len(index.products))[:MOST_PRODUCTS].tolist()
    for turn in range(max(len(index.intentions_of_product[product]) for product in drawn)):
        for start in range(0, len(drawn), AT_ONCE):
            missing = (index.intentions_of_product[product] for product in drawn[start : start + AT_ONCE] if product not in found)
            asked = sorted({int(own[turn]) for own in missing if turn < len(own)})
            for near in index.nearest_of_each(np.asarray(index.intention_vectors[asked], np.float32), 10):
                found.update(row for n in near.rows for row in index.products_of_intention[n])
    return 1 - len(found.intersection(drawn)) / len(drawn)
