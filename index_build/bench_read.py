"""Reading a catalogue against the plain way to do it, on files made for it in a temporary folder."""

from __future__ import annotations

import gzip
import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from ecomscript.schema import Product
from index_build.bench import Row
from index_build.bench_process import apart, peak_mb
from index_build.feeds.columns import PRODUCT_FIELDS, Choice, resolve
from index_build.feeds.reading import read_products
from index_build.feeds.staging import Staging
from index_build.feeds.tables import open_table
from index_build.feeds.tally import Tally

ROUNDS = 3
TWINS, BRING = 20, 10
"""Of so many made-up rows one is a near-duplicate, and one brings purchase intentions."""
WORDS = "light folding steel camp table lantern for two with bag and strap warm dry small large kit set blue green quick easy".split()


def bench_read(products: Sequence[Product], work: Path, count: int = 200_000, seed: int = 0, rounds: int = ROUNDS) -> list[Row]:
    """Read ``count`` rows, plain and packed, and return CPU-seconds relative to ``json.loads`` over the lines of the same file.

    Every way runs in a process of its own, the ways in turn and several times, and the median is taken.

    Args:
        products: Whose titles and features the rows are made of.
        work: Folder for the files.
        count: Rows; one like Amazon's has about 2.3 KB.
        seed: Seed of what is made up.
        rounds: How often every way runs.

    Returns:
        A row for each file and way: ``speed`` is how many times as many rows a CPU-second yields; ``grown_mb`` is what the memory of the
        process grew by while it read.
    """
    plain = work / "meta.jsonl"
    write_rows(plain, products, count, seed)
    packed = plain.with_suffix(".jsonl.gz")
    with plain.open("rb") as source, gzip.open(packed, "wb", compresslevel=6) as target:
        while block := source.read(1 << 20):
            target.write(block)
    rows: list[Row] = []
    for path in (plain, packed):
        runs: dict[str, list[tuple[float, float, int]]] = {name: [] for name in WAYS}
        for _ in range(rounds):
            for name in WAYS:
                runs[name].append(apart(__name__, name, path, work))
        cpu = {name: float(np.median([seconds for seconds, _, _ in found])) for name, found in runs.items()}
        for name, found in runs.items():
            grown, kept = max(mb for _, mb, _ in found), found[0][2]
            shared: Row = {"file": "".join(path.suffixes), "mb": round(path.stat().st_size / 1e6, 1), "rows": kept, "way": name}
            rows.append({**shared, "speed": round(cpu["json loop"] / cpu[name], 2), "grown_mb": round(grown, 1)})
    return rows


def write_rows(path: Path, products: Sequence[Product], count: int, seed: int) -> None:
    """Write rows as Amazon Reviews 2023 has them, with ids and titles of their own.

    Every twentieth is a near-duplicate of the row before it. Every tenth brings two purchase intentions that no other row has.
    """
    rng = np.random.default_rng(seed)
    with path.open("w", encoding="utf-8") as file:
        for n in range(count):
            twin = n % TWINS == TWINS - 1
            number = n - twin
            product = products[number % len(products)]
            words = [" ".join(WORDS[w] for w in drawn) for drawn in rng.integers(0, len(WORDS), (5, 40)).tolist()]
            place = f"https://i.example/{n}"
            pictures = [{"thumb": f"{place}_{k}_SS40.jpg", "large": f"{place}_{k}.jpg", "variant": f"PT{k:02d}"} for k in range(4)]
            row = {
                "main_category": product.category.split(" > ")[0],
                "title": f"{product.title}, {number} No." if twin else f"{product.title}, No. {number}",
                "average_rating": product.rating,
                "rating_number": product.rating_count,
                "features": [*product.features, *words[:3]],
                "description": words[3:],
                "price": (product.price_usd, str(product.price_usd), None)[n % 3],
                "images": pictures,
                "videos": [{"title": "", "url": f"https://v.example/{n}", "user_id": ""}],
                "store": product.brand,
                "categories": product.category.split(" > "),
                "details": {"Item Weight": "2 pounds", "Best Sellers Rank": {"Sports": n}, "Is Discontinued": "No"} if n % 5 else "none",
                "parent_asin": f"B{n:09d}",
                "bought_together": None,
                "intentions": [f"use number {n} for {purpose}" for purpose in ("a weekend", "a party")] if n % BRING == 0 else None,
            }
            file.write(json.dumps(row) + "\n")


def _json_loop(path: Path, _: Path) -> int:
    opener: Callable = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as lines:
        return sum(1 for line in lines if json.loads(line))


def _records(path: Path, work: Path) -> int:
    table = open_table(path)
    columns = resolve(table.header, PRODUCT_FIELDS, Choice(), open_ended=True)
    with Tally(work / "rejects.jsonl") as tally:
        return sum(1 for _ in table.records(columns, tally))


def _products(path: Path, work: Path) -> int:
    with Tally(work / "rejects.jsonl") as tally, Staging(work / "staging.sqlite") as staging:
        read_products(path, Choice(), staging, tally, lambda _: None)
        return len(staging)


WAYS: dict[str, Callable[[Path, Path], int]] = {
    "json loop": _json_loop,
    "rows (what the builder reads)": _records,
    "rows checked, cleaned, merged and stored": _products,
}


def _measured(name: str, path: Path, work: Path) -> tuple[float, float, int]:
    """Return CPU-seconds, growth of memory in MB, and rows of one way."""
    before = peak_mb()
    started = time.process_time()
    rows = WAYS[name](path, work)
    return time.process_time() - started, peak_mb() - before, rows


if __name__ == "__main__":
    sys.stdout.write(json.dumps(_measured(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))))
