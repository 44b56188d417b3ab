"""How well an index finds what is in it, measured on queries as the app makes them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from ecomscript.association.encoder import Encoder, Vectors
from ecomscript.association.index import IntentionIndex
from ecomscript.association.rank import STEP_SHARE
from ecomscript.folders import MANIFEST, read_manifest
from ecomscript.planning.library import LIBRARY_FOLDER, Library
from ecomscript.schema import LibraryScript

MIN_RECALL_AT_10 = 0.98
MAX_UNREACHABLE_SHARE = 0.001
SAMPLE = 400
"""Queries of a check; enough to tell a recall of .99 from .97."""


@dataclass(frozen=True, slots=True)
class Report:
    """What ``python -m index_build check`` prints.

    Attributes:
        products: Rows.
        intentions: Deduplicated intentions.
        recall_at_10: Mean share of the exact ten nearest intentions that HNSW finds.
        unreachable_share: Share of the products that no search by their own intentions finds.
        ok: Whether both measures are good enough to serve.
    """

    products: int
    intentions: int
    recall_at_10: float
    unreachable_share: float
    ok: bool

    def to_json(self) -> dict[str, int | float | bool]:
        """Return the report as plain JSON values."""
        return asdict(self)


def check(folder: Path, encoder: Encoder, seed: int = 0) -> Report:
    """Load an index and measure it.

    Args:
        folder: An index folder.
        encoder: The encoder that it was built with.
        seed: Seed of the sample.

    Raises:
        IndexFolderError: The folder is missing, damaged or of another encoder.
    """
    index = IntentionIndex.load(folder, encoder.name)
    queries = sample_queries(folder, index, encoder, SAMPLE, seed)
    found, unreachable = recall(index, queries, 10), unreachable_share(index)
    ok = found >= MIN_RECALL_AT_10 and unreachable <= MAX_UNREACHABLE_SHARE
    return Report(len(index.products), len(index.intentions), round(found, 4), round(unreachable, 4), ok)


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
    mixed = STEP_SHARE * encoder.encode([text for text, _ in chosen]) + (1 - STEP_SHARE) * encoder.encode([goal for _, goal in chosen])
    return np.asarray(mixed / np.maximum(np.linalg.norm(mixed, axis=1, keepdims=True), 1e-9), np.float32)


def recall(index: IntentionIndex, queries: Vectors, k: int) -> float:
    """Return the mean share of the exact ``k`` nearest intentions that the approximate search finds, in [0, 1]."""
    shares = []
    for query in queries:
        exact = index.nearest_exact(query, k).rows
        shares.append(len(np.intersect1d(exact, index.nearest(query, k).rows)) / len(exact))
    return float(np.mean(shares))


def unreachable_share(index: IntentionIndex) -> float:
    """Return the share of products that no search by one of their own intentions finds, in [0, 1]."""
    found: set[int] = set()
    for product, intentions in enumerate(index.intentions_of_product):
        for intention in intentions:
            if product in found:
                break
            near = index.nearest(index.intention_vectors[intention], 10)
            found.update(row for n in near.rows for row in index.products_of_intention[n])
    return 1 - len(found) / len(index.products)
