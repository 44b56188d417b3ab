"""Graphs of ten thousand to a million intentions: recall, latency, size and building time, and how these grow up to the paper's number."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from ecomscript.association.encoder import Encoder, Vectors
from ecomscript.association.graph import SHARD_ROWS, STORAGES, IntentionGraph, build_graph
from ecomscript.association.shards import Rows, Storage, effort_of
from index_build.bench import Row, grown
from index_build.check import exact_rows, step_queries
from index_build.sources import read_catalogue

SIZES, FULL_SIZE = (10_000, 50_000, 100_000), 1_000_000
REFERENCE = 50_000
"""Size whose graph of full precision is 1 in all latencies."""
QUERIES, EXACT_QUERIES, K = 400, 60, 100
TEXTS = 512
"""Intentions that are embedded to measure the encoder."""
PAPER = 24_010_870
"""Intentions of the paper's catalogue (EcomScript, section 4)."""
MACHINE_GB = 64
"""Memory of a machine in the estimate."""

Search = Callable[[Vectors, int], Rows]


@dataclass(frozen=True, slots=True)
class Measured:
    """One way of searching at one size.

    Attributes:
        search: "exact", "fp32" or "sq8".
        size: Intentions.
        recall_at_10: Mean share of the exact ten nearest.
        seconds: (queries,) CPU seconds of each search.
        build_s: CPU seconds of building; 0 where nothing is built.
        bytes_each: Of the graph's file, or of the vectors, an intention.
    """

    search: str
    size: int
    recall_at_10: float
    seconds: Vectors
    build_s: float
    bytes_each: float


def bench_scale(
    source: Path, encoder: Encoder, full: Sequence[Storage] = (), seed: int = 0, tell: Callable[[str], object] = str
) -> list[Row]:
    """Build graphs of growing size and measure them; all times are CPU seconds of one thread, which other load hardly changes.

    Vectors beyond those of the catalogue are made up: each is a real one, half of another and noise, scaled to unit norm. Queries are steps
    of the catalogue's scripts as the app searches with them.

    Args:
        source: A catalogue with scripts.
        encoder: The encoder.
        full: Storages of which a graph of a million is built too.
        seed: Of everything drawn.
        tell: Told what was measured, a line at a time.

    Returns:
        A row for each way of searching at each size, then how time and size grow, then an estimate for the paper's catalogue.
    """
    catalogue, rng = read_catalogue(source), np.random.default_rng(seed)
    texts = [intention.text for intention in catalogue.intentions]
    queries = step_queries(catalogue.scripts, encoder, QUERIES, rng)
    rate = _texts_a_second(encoder, [f"{text}." for text in rng.permutation(texts)[:TEXTS]])
    sizes = (*SIZES, FULL_SIZE) if full else SIZES
    vectors = perturbed(encoder.encode(texts), sizes[-1], rng)
    found = []
    with threadpool_limits(1):
        for size in sizes:
            for measured in _measure(vectors[:size], queries, full if size == FULL_SIZE else STORAGES):
                found.append(measured)
                tell(f"{measured.search} {size:,}: recall@10 {measured.recall_at_10:.4f}, {measured.build_s:.0f} s")
    return [*_table(found), *_growth(found), *_estimate(found, rate, vectors.shape[1])]


def perturbed(real: Vectors, count: int, rng: np.random.Generator) -> Vectors:
    """Return (count, dim) float32 rows of unit norm: the real ones in random order, then made-up ones near them."""
    rows = np.empty((count, real.shape[1]), np.float32)
    own = min(count, len(real))
    rows[:own] = real[rng.permutation(len(real))[:own]]
    for start in range(own, count, len(real)):
        part = rows[start : start + len(real)]
        one, other = (real[rng.integers(0, len(real), len(part))] for _ in range(2))
        noise = rng.standard_normal(part.shape, dtype=np.float32) / math.sqrt(real.shape[1])
        part[:] = one + 0.5 * other + 0.4 * noise
        part /= np.linalg.norm(part, axis=1, keepdims=True)
    return rows


def _texts_a_second(encoder: Encoder, texts: Sequence[str]) -> float:
    """Return the rate of the encoder; the texts are none that a store of vectors knows."""
    encoder.encode(texts[:8])
    started = time.process_time()
    encoder.encode(texts)
    return len(texts) / max(time.process_time() - started, 1e-9)


def _measure(vectors: Vectors, queries: Vectors, storages: Sequence[Storage]) -> Iterator[Measured]:
    def scan(query: Vectors, k: int) -> Rows:
        cosines = vectors @ query
        return np.argpartition(-cosines, k)[:k]

    exact = exact_rows(vectors, queries, 10)
    yield Measured("exact", len(vectors), 1.0, _seconds(scan, queries[:EXACT_QUERIES]), 0.0, vectors.nbytes / len(vectors))
    for storage in storages:
        started = time.process_time()
        graph = build_graph(vectors, storage=storage)
        build_s = time.process_time() - started
        yield _of_graph(graph, vectors, queries, exact, build_s)


def _of_graph(graph: IntentionGraph, vectors: Vectors, queries: Vectors, exact: Rows, build_s: float) -> Measured:
    def search(query: Vectors, k: int) -> Rows:
        return graph.nearest(query[None, :], k, vectors)[0][0]

    shares = [len(np.intersect1d(search(query, 10), best)) / len(best) for query, best in zip(queries, exact, strict=True)]
    seconds = _seconds(search, queries)
    return Measured(graph.storage, len(vectors), float(np.mean(shares)), seconds, build_s, graph.size_bytes() / len(vectors))


def _seconds(search: Search, queries: Vectors) -> Vectors:
    seconds = []
    for query in queries:
        started = time.thread_time()
        search(query, K)
        seconds.append(time.thread_time() - started)
    return np.array(seconds, np.float32)


def _table(found: Sequence[Measured]) -> list[Row]:
    unit = {p: _percentile(found, "fp32", REFERENCE, p) for p in (50, 99)}
    rows: list[Row] = []
    for m in found:
        how = "" if m.search == "exact" else f" ({effort_of(m.size)})"
        latency = {f"latency_p{p}_relative": round(float(np.percentile(m.seconds, p)) / unit[p], 3) for p in unit}
        cost = {"build_cpu_s": round(m.build_s, 2), "bytes_per_intention": round(m.bytes_each)}
        names: Row = {"row": "search", "search": f"{m.search}{how}", "intentions": m.size, "queries": len(m.seconds), "k": K}
        rows.append({**names, "recall_at_10": round(m.recall_at_10, 4), **latency, **cost})
    return rows


def _percentile(found: Sequence[Measured], search: str, size: int, p: int) -> float:
    return next(float(np.percentile(m.seconds, p)) for m in found if (m.search, m.size) == (search, size))


def _growth(found: Sequence[Measured]) -> list[Row]:
    """Return for time and size the exponent of a fitted power law, and how much faster than n log n it grew from end to end."""
    rows: list[Row] = []
    for storage in STORAGES:
        of = [m for m in found if m.search == storage]
        for cost, values in (("build_cpu_s", [m.build_s for m in of]), ("bytes", [m.bytes_each * m.size for m in of])):
            rows.append({"row": "growth", "search": storage, "cost": cost, **grown([m.size for m in of], values)})
    return rows


def _estimate(found: Sequence[Measured], rate: float, dim: int) -> list[Row]:
    """Return what the paper's catalogue would take: whole shards at the cost of the largest that was measured, carried on by n log n."""
    rows: list[Row] = []
    shards = math.ceil(PAPER / SHARD_ROWS)
    for storage in STORAGES:
        largest = max((m for m in found if m.search == storage), key=lambda m: m.size)
        shard = PAPER / shards
        build_s = shards * largest.build_s * (shard * math.log(shard)) / (largest.size * math.log(largest.size))
        memory_gb = PAPER * largest.bytes_each / 1e9
        rows.append(
            {
                "row": "estimate",
                "search": storage,
                "intentions": PAPER,
                "measured_up_to": largest.size,
                "shards": shards,
                "memory_gb": round(memory_gb, 1),
                f"machines_of_{MACHINE_GB}_gb": math.ceil(memory_gb / MACHINE_GB),
                "disk_gb": round(memory_gb + PAPER * dim * 2 / 1e9, 1),
                "build_core_hours": round(build_s / 3600, 2),
                "texts_a_core_second": round(rate),
                "embedding_core_hours": round(PAPER / rate / 3600, 1),
            }
        )
    return rows
