"""The intention index against exact search, on the real intentions and the real steps of a catalogue."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from ecomscript.association.encoder import Encoder, Vectors
from ecomscript.association.graph import build_graph
from ecomscript.association.index import IntentionIndex, Neighbours
from ecomscript.association.shards import effort_of
from ecomscript.folders import fingerprint
from index_build.build import build_index
from index_build.check import recall, step_queries
from index_build.sources import read_catalogue

QUERIES = 1000
K = 100
"""How many intentions the matcher fetches for a step; latency is measured at this k."""

Row = dict[str, str | int | float]


def bench(source: Path, work: Path, encoder: Encoder, seed: int = 0, quiet: bool = False) -> list[Row]:
    """Build an index and measure recall, latency, build time and size.

    Args:
        source: A catalogue with scripts.
        work: Folder to build in.
        encoder: The encoder.
        seed: Seed of the sample of steps.
        quiet: No progress bar.

    Returns:
        One row for exact search and one for HNSW; latencies are relative to the median of exact search in this run, one thread each.
    """
    catalogue = read_catalogue(source)
    index = build_index(catalogue, fingerprint(source), work, encoder, quiet=quiet)
    started = time.perf_counter()
    build_graph(np.asarray(index.intention_vectors, np.float32))
    build_s = time.perf_counter() - started
    queries = step_queries(catalogue.scripts, encoder, QUERIES, np.random.default_rng(seed))
    with threadpool_limits(1):
        exact, hnsw = _seconds(index, queries)
    shared: Row = {"intentions": len(index.intentions), "queries": len(queries), "k": K}
    return [
        {"search": "exact (numpy)", **shared, "recall_at_10": 1.0, "recall_at_100": 1.0, **_relative(exact, exact)},
        {
            "search": f"HNSW ({effort_of(len(index.intentions))})",
            **shared,
            "recall_at_10": round(recall(index, queries, 10), 4),
            "recall_at_100": round(recall(index, queries, 100), 4),
            **_relative(hnsw, exact),
            "build_s": round(build_s, 2),
            "bytes_per_intention": round(index.graph.size_bytes() / len(index.intentions)),
            "folder_bytes_per_intention": round(sum(f.stat().st_size for f in work.iterdir() if f.is_file()) / len(index.intentions)),
        },
    ]


def grown(sizes: Sequence[float], costs: Sequence[float]) -> Row:
    """Return the exponent of a power law fitted to costs, and how much faster than n log n they grew from end to end."""
    n, cost = np.array(sizes, np.float64), np.array(costs, np.float64)
    exponent = float(np.polyfit(np.log(n), np.log(cost), 1)[0])
    share = cost / (n * np.log(n))
    return {"exponent": round(exponent, 3), "over_n_log_n": round(float(share[-1] / share[0]), 3)}


def _seconds(index: IntentionIndex, queries: Vectors) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return the seconds of every query by exact search and by HNSW, run in turn so that other load on the machine hits both."""

    def timed(search: Callable[[Vectors, int], Neighbours], query: Vectors) -> float:
        started = time.perf_counter()
        search(query, K)
        return time.perf_counter() - started

    pairs = np.array([(timed(index.nearest_exact, query), timed(index.nearest, query)) for query in queries])
    return pairs[:, 0], pairs[:, 1]


def _relative(seconds: npt.NDArray[np.float64], exact: npt.NDArray[np.float64]) -> Row:
    unit = float(np.median(exact))
    return {f"latency_p{p}_relative": round(float(np.percentile(seconds, p)) / unit, 4) for p in (50, 99)}
