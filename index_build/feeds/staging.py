"""The rows of a catalogue while it is read: on disk, each id once, near-duplicates merged, with reviews and assertions beside them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType

from ecomscript.association.product_store import product_of, row_of_product
from ecomscript.errors import IndexFolderError
from ecomscript.schema import Product
from index_build.feeds.listing import Listing, twin_keys
from index_build.feeds.tally import Tally

REVIEWS_KEPT = 5
"""Texts of reviews that are kept for a product, the most helpful ones."""
_TABLES = """
CREATE TABLE listings (row INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, twin BLOB NOT NULL UNIQUE, words BLOB NOT NULL, body TEXT NOT NULL,
    intentions TEXT NOT NULL, file TEXT NOT NULL, line INTEGER NOT NULL);
CREATE TABLE assertions (product TEXT, words BLOB, text TEXT NOT NULL);
CREATE TABLE ratings (id TEXT PRIMARY KEY, count INTEGER NOT NULL, total REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE reviews (id TEXT NOT NULL, helpful INTEGER NOT NULL, text TEXT NOT NULL);
CREATE INDEX review_of ON reviews (id);
"""
_SAID = "SELECT text FROM assertions WHERE product = ? OR words = ? GROUP BY text ORDER BY min(rowid)"


@dataclass(frozen=True, slots=True)
class Review:
    """What a buyer wrote: ``stars`` from 1 to 5, ``helpful`` votes of others."""

    product_id: str
    stars: float
    helpful: int
    text: str


class Staging(AbstractContextManager["Staging"]):
    """A work file; what an earlier run left there is thrown away.

    Args:
        path: The file.

    Raises:
        IndexFolderError: The folder cannot be written, also later when its disk is full.
    """

    def __init__(self, path: Path) -> None:
        self._folder = path.parent
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.unlink(missing_ok=True)
            self._file = sqlite3.connect(path, isolation_level=None)
            self._file.executescript(f"PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; {_TABLES} BEGIN;")
        except (OSError, sqlite3.Error) as error:
            raise self._problem(error) from error

    def add(self, listing: Listing, tally: Tally) -> None:
        """Keep a listing: turned down where its id is known, merged into the one that it is a near-duplicate of."""
        product = listing.product
        twin, words = twin_keys(product.title, product.brand)
        values = (product.product_id, twin, words, row_of_product(product), json.dumps(listing.intentions), listing.file, listing.line)
        names = "id, twin, words, body, intentions, file, line"
        if self._do(f"INSERT INTO listings ({names}) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING", *values).rowcount:
            return
        known = self._do("SELECT file, line FROM listings WHERE id = ?", product.product_id).fetchone()
        if known and listing.named:
            tally.reject("duplicate id", listing.file, listing.line, f"first in {known[0]}, line {known[1]}", product.title)
            return
        tally.merge("near-duplicates: same store, same words in the title")
        row, body, intentions = self._do("SELECT row, body, intentions FROM listings WHERE twin = ?", twin).fetchone()
        both = tuple(dict.fromkeys([*json.loads(intentions), *listing.intentions]))
        changed = (row_of_product(_completed(product_of(body), product)), json.dumps(both), row)
        self._do("UPDATE listings SET body = ?, intentions = ? WHERE row = ?", *changed)

    def has(self, product_id: str) -> bool:
        """Return whether a product with this id was kept."""
        return self._do("SELECT 1 FROM listings WHERE id = ?", product_id).fetchone() is not None

    def add_assertion(self, text: str, product_id: str = "", title: str = "") -> None:
        """Keep an intention for a product that is named by id or by its title."""
        self._do("INSERT INTO assertions VALUES (?, ?, ?)", product_id or None, twin_keys(title, "")[1] if title else None, text)

    def add_review(self, review: Review) -> None:
        """Count the stars of a review and keep its text if it is among the most helpful ones of its product."""
        upsert = "ON CONFLICT DO UPDATE SET count = count + 1, total = total + excluded.total RETURNING count"
        count = self._do(f"INSERT INTO ratings VALUES (?, 1, ?) {upsert}", review.product_id, review.stars).fetchone()[0]
        if not review.text:
            return
        self._do("INSERT INTO reviews VALUES (?, ?, ?)", review.product_id, review.helpful, review.text)
        if count > REVIEWS_KEPT:
            most = f"SELECT rowid FROM reviews WHERE id = ?1 ORDER BY helpful DESC, rowid LIMIT {REVIEWS_KEPT}"
            self._do(f"DELETE FROM reviews WHERE id = ?1 AND rowid NOT IN ({most})", review.product_id)

    def reviews(self, product_id: str) -> tuple[str, ...]:
        """Return the texts that were kept for a product, the most helpful first."""
        found = self._do("SELECT text FROM reviews WHERE id = ? ORDER BY helpful DESC, rowid", product_id)
        return tuple(text for (text,) in found)

    def listings(self) -> Iterator[Listing]:
        """Yield what was kept, in the order of the files, with its assertions, and with the mean of its reviews where it had no rating."""
        self._do("CREATE INDEX IF NOT EXISTS assertion_of ON assertions (product)")
        self._do("CREATE INDEX IF NOT EXISTS assertion_about ON assertions (words)")
        columns = "l.id, words, body, intentions, file, line, count, total"
        rows = self._do(f"SELECT {columns} FROM listings l LEFT JOIN ratings r ON r.id = l.id ORDER BY row")
        for product_id, words, body, own, file, line, count, total in rows:
            product = product_of(body)
            if count and product.rating is None:
                product = replace(product, rating=round(total / count, 2), rating_count=count)
            said = self._do(_SAID, product_id, words)
            intentions = dict.fromkeys([*json.loads(own), *(text for (text,) in said)])
            yield Listing(product, tuple(intentions), True, file, line)

    def __len__(self) -> int:
        return int(self._do("SELECT count(*) FROM listings").fetchone()[0])

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._file.close()

    def _do(self, query: str, *values: object) -> sqlite3.Cursor:
        try:
            return self._file.execute(query, values)
        except sqlite3.OperationalError as error:
            raise self._problem(error) from error

    def _problem(self, error: Exception) -> IndexFolderError:
        cause = f"The work folder {self._folder} cannot be written ({error})"
        return IndexFolderError(cause, "Choose an --out folder on a disk with room.")


def _completed(first: Product, other: Product) -> Product:
    """Return the first of two near-duplicates with what only the other one knows."""
    missing = ("category", "price_usd", "features", "attributes", "image_url", "page_url", "brand")
    changes = {name: getattr(other, name) for name in missing if not getattr(first, name)}
    if first.rating is None:
        changes |= {"rating": other.rating, "rating_count": other.rating_count}
    return replace(first, **changes)
