"""One product of a large catalogue, by its row and by its id: SQLite, as the index folder has it, against Parquet and against memory."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from ecomscript.association.product_store import ProductStore, product_of, row_of_product, write_products
from ecomscript.schema import Product
from index_build.bench import Row
from index_build.bench_process import apart, peak_mb

READS, ROUNDS = 50, 3
SQLITE = "SQLite (what the index folder has)"
GROUPS = (100, 1_000, 10_000)
"""Rows of a row group, the least that Parquet reads at a time."""


@dataclass(frozen=True, slots=True)
class Reader:
    """How one way reads a product.

    Attributes:
        by_row: From its row number.
        by_id: From its id.
    """

    by_row: Callable[[int], Product]
    by_id: Callable[[str], Product]


def bench_store(products: Sequence[Product], work: Path, count: int = 200_000, seed: int = 0, rounds: int = ROUNDS) -> list[Row]:
    """Store ``count`` products every way, and read some of them at random, each way in fresh processes and in turn.

    Args:
        products: Whose rows are repeated with ids and titles of their own.
        work: Folder for the files.
        count: Rows.
        seed: Seed of what is read.
        rounds: How often every way runs; the median is taken.

    Returns:
        A row for each way: size of its file, CPU milliseconds of one read by row and by id and their ratio to SQLite's, CPU seconds to
        open it, and what the memory of the process grew by while it opened the file and read ``READS`` products both ways.
    """
    write_stores(products, work, count)
    runs: dict[str, list[dict[str, float]]] = {name: [] for name in WAYS}
    for n in range(rounds):
        for name in WAYS:
            runs[name].append(apart(__name__, name, work, count, seed + n))
    middle = {name: {what: float(np.median([run[what] for run in found])) for what in found[0]} for name, found in runs.items()}
    usual = middle[SQLITE]
    return [
        {
            "way": name,
            "rows": count,
            "mb": round((work / FILES[name]).stat().st_size / 1e6, 1),
            "open_s": round(found["open_s"], 3),
            **{f"{key}_ms": round(found[f"{key}_ms"], 3) for key in ("row", "id")},
            **{f"{key}_over_sqlite": round(found[f"{key}_ms"] / usual[f"{key}_ms"], 2) for key in ("row", "id")},
            "grown_mb": round(max(run["grown_mb"] for run in runs[name]), 1),
        }
        for name, found in middle.items()
    ]


def write_stores(products: Sequence[Product], work: Path, count: int) -> None:
    """Write the same made-up products to every file of ``FILES``."""
    write_products(work / FILES[SQLITE], _made(products, count))
    for size in GROUPS:
        with pq.ParquetWriter(work / FILES[_parquet(size)], _SCHEMA) as file:
            rows = _made(products, count)
            while group := list(islice(rows, size)):
                columns = [[p.product_id for p in group], [p.kind for p in group], [row_of_product(p) for p in group]]
                file.write_table(pa.table(columns, schema=_SCHEMA), row_group_size=size)
    with (work / FILES[MEMORY]).open("w", encoding="utf-8") as lines:
        lines.writelines(f"{row_of_product(product)}\n" for product in _made(products, count))


_SCHEMA = pa.schema([("id", pa.string()), ("kind", pa.string()), ("body", pa.string())])


def _made(products: Sequence[Product], count: int) -> Iterator[Product]:
    for n in range(count):
        product = products[n % len(products)]
        yield replace(product, product_id=made_id(n), title=f"{product.title}, No. {n}")


def made_id(row: int) -> str:
    """Return the id of a made-up row; like a shop's ids, they do not rise with the rows."""
    return f"B{row * 2_654_435_761 % 2**32:010d}"


def _open_sqlite(path: Path) -> Reader:
    store = ProductStore(path)
    return Reader(store.__getitem__, lambda product_id: store[store.row_of[product_id]])


def _open_parquet(path: Path) -> Reader:
    file, found = pq.ParquetFile(path), ds.dataset(path)
    size = file.metadata.row_group(0).num_rows

    def by_row(row: int) -> Product:
        return product_of(file.read_row_group(row // size, columns=["body"])["body"][row % size].as_py())

    def by_id(product_id: str) -> Product:
        return product_of(found.to_table(columns=["body"], filter=ds.field("id") == product_id)["body"][0].as_py())

    return Reader(by_row, by_id)


def _open_lines(path: Path) -> Reader:
    with path.open(encoding="utf-8") as lines:
        products = [product_of(line) for line in lines]
    row_of = {product.product_id: row for row, product in enumerate(products)}
    return Reader(products.__getitem__, lambda product_id: products[row_of[product_id]])


def _parquet(size: int) -> str:
    return f"Parquet, row groups of {size:,}"


MEMORY = "all rows in memory"
WAYS: dict[str, Callable[[Path], Reader]] = {
    SQLITE: _open_sqlite,
    **{_parquet(size): _open_parquet for size in GROUPS},
    MEMORY: _open_lines,
}
FILES = {SQLITE: "products.sqlite", **{_parquet(size): f"products-{size}.parquet" for size in GROUPS}, MEMORY: "products.jsonl"}


def _measured(name: str, work: Path, count: int, seed: int) -> dict[str, float]:
    rows = np.random.default_rng(seed).choice(count, 2 * min(READS, count // 2), replace=False).tolist()
    half = len(rows) // 2
    before = peak_mb()
    started = time.process_time()
    reader = WAYS[name](work / FILES[name])
    opened = time.process_time()
    for row in rows[:half]:
        reader.by_row(row)
    by_row = time.process_time()
    for row in rows[half:]:
        reader.by_id(made_id(row))
    by_id = time.process_time()
    times = {"open_s": opened - started, "row_ms": 1000 * (by_row - opened) / half, "id_ms": 1000 * (by_id - by_row) / half}
    return {**times, "grown_mb": peak_mb() - before}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(_measured(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))))
