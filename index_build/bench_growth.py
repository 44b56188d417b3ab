"""What a catalogue costs as it grows: CPU seconds and memory of all that is done with its rows, but for the models and the graph.

The rows are made up: real titles, features and categories with numbers and words of their own, one in twenty a near-duplicate. What a text
costs to embed does not change with their number (`bench-embed`), and `bench-scale` measures the graph.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import psutil
from threadpoolctl import threadpool_limits

from ecomscript.association.encoder import Encoder, Vectors
from ecomscript.association.graph import build_graph
from ecomscript.association.index import IntentionIndex
from index_build.bench import Row, grown
from index_build.bench_process import peak_mb
from index_build.bench_read import write_rows
from index_build.centroids import centroids, index_texts
from index_build.embed import here
from index_build.feeds.columns import Choice
from index_build.feeds.reading import read_products
from index_build.feeds.staging import Staging
from index_build.feeds.tally import Tally
from index_build.shop import attached
from index_build.sources import read_catalogue
from index_build.transfer import Knowledge, title_head

SIZES = (10_000, 100_000, 1_000_000)
TITLES = 2_000
"""Different products that the rows are made of; more only take longer to embed."""
READ, STORED, LINKED, ALL = "read, cleaned, merged", "given intentions, stored", "linked", "all together"


def bench_growth(
    source: Path, work: Path, encoder: Encoder, sizes: Sequence[int] = SIZES, seed: int = 0, tell: Callable[[str], object] = str
) -> list[Row]:
    """Build everything but vectors and graph of catalogues of growing size, each in a process of its own, on one thread.

    Args:
        source: The catalogue whose products are varied, and which lends its intentions.
        work: Folder for the files.
        encoder: The encoder; vectors are made before anything is measured, so that looking them up is all that is left.
        sizes: Rows of each catalogue, ascending.
        seed: Of everything drawn.
        tell: Told what was measured, a line at a time.

    Returns:
        A row for each stage at each size (``peak_mb`` is above what the process had before the first stage), and for each stage how
        its time and memory grow.
    """
    catalogue = read_catalogue(source)
    named = [product for product in catalogue.products if " " in title_head(product.title)]  # numbers are added behind the head
    products = [named[n] for n in np.random.default_rng(seed).permutation(len(named))[:TITLES]]
    categories = {product.category for product in (*products, *catalogue.kinds)}
    known = _Known(encoder, [*index_texts(catalogue), *sorted(categories), *(title_head(product.title) for product in products)])
    rows: list[Row] = []
    for size in sizes:
        folder = work / str(size)
        folder.mkdir()
        write_rows(folder / "meta.jsonl", products, size, seed)
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            found = pool.submit(_measured, folder, source, known).result()
        shutil.rmtree(folder)
        rows += [{"row": "stage", "rows": size, **of} for of in found]
        tell(f"{size:,} rows: {found[-1]['cpu_s']} CPU seconds, {found[-1]['peak_mb']} MB")
    return [*rows, *_growth(rows)]


class _Known:
    """An encoder that knows a vector for every text: its own, or for a text that the rows brought that of another one.

    Args:
        encoder: What makes the vectors.
        texts: Texts with a vector of their own.
    """

    def __init__(self, encoder: Encoder, texts: Sequence[str]) -> None:
        self.name, self.dim = encoder.name, encoder.dim
        self._row_of = {text: row for row, text in enumerate(dict.fromkeys(texts))}
        self._vectors = encoder.encode(list(self._row_of))

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return ``(len(texts), dim)`` float32 rows of unit norm."""
        return self._vectors[[self._row_of.get(text, len(text) % len(self._row_of)) for text in texts]]


def _measured(folder: Path, source: Path, encoder: Encoder) -> list[Row]:
    """Return what each stage took; runs in a process of its own."""
    stages: list[Row] = []
    with threadpool_limits(1), Tally(folder / "rejects.jsonl") as tally, Staging(folder / "staging.sqlite") as staging:
        knowledge = Knowledge.of(read_catalogue(source), encoder)
        before_mb = psutil.Process().memory_info().rss / 2**20

        @contextmanager
        def stage(name: str) -> Iterator[None]:
            Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the largest memory counts from here
            started = time.process_time()
            yield
            cpu_s = time.process_time() - started
            stages.append({"stage": name, "cpu_s": round(cpu_s, 3), "peak_mb": round(max(peak_mb() - before_mb, 0.1), 1)})

        with stage(READ):
            read_products(folder / "meta.jsonl", Choice(), staging, tally, lambda _: None)
        with stage(STORED):
            catalogue = attached(staging, knowledge, folder, partial(here, folder, encoder), tally)
        vectors = encoder.encode(index_texts(catalogue))
        intentions, names = vectors[: len(catalogue.intentions)], vectors[len(catalogue.intentions) :]
        graph = build_graph(names)
        with stage(LINKED):
            products, kinds = centroids(catalogue, intentions, names)
            rows = (catalogue.products, catalogue.intentions, catalogue.kinds, catalogue.products_of_intention)
            IntentionIndex(encoder.name, "", *rows, intentions, products, kinds, graph)
    whole = {"cpu_s": round(sum(float(of["cpu_s"]) for of in stages), 3), "peak_mb": max(float(of["peak_mb"]) for of in stages)}
    links = len(catalogue.products_of_intention.targets)
    counts = {"products": len(catalogue.products), "intentions": len(catalogue.intentions), "links": links}
    return [*stages, {"stage": ALL, **whole, **counts}]


def _growth(rows: Sequence[Row]) -> list[Row]:
    """Return for each stage how its time and its memory grow; nothing for catalogues of one size."""
    growth: list[Row] = []
    if len({row["rows"] for row in rows}) < 2:
        return growth
    for name in (READ, STORED, LINKED, ALL):
        of = [row for row in rows if row["stage"] == name]
        for cost in ("cpu_s", "peak_mb"):
            fitted = grown([float(row["rows"]) for row in of], [float(row[cost]) for row in of])
            growth.append({"row": "growth", "stage": name, "cost": cost, **fitted})
    return growth
