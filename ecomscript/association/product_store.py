"""Catalogue rows in a file, read by row number or id without loading the others: SQLite, sealed with the rest of the index folder."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from functools import lru_cache
from operator import index as as_int
from pathlib import Path
from threading import Lock
from typing import Any

import msgspec

from ecomscript.schema import Product

REMEMBERED = 16_384
"""Rows kept in memory once read: all of the demo catalogue, some 20 MB of a large one."""
_TABLE = "CREATE TABLE products (row INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, kind TEXT, body TEXT NOT NULL)"


class ProductStore(Sequence[Product]):
    """The rows of a file that ``write_products`` wrote, for any number of threads.

    Args:
        path: The file; it must not change while it is open.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        uri = f"{self.path.as_uri()}?mode=ro&immutable=1"
        self._file = sqlite3.connect(uri, uri=True, check_same_thread=False)
        self._lock = Lock()
        self._count = int(self._one("SELECT count(*) FROM products")[0])
        self.row_of: Mapping[str, int] = _RowOf(self)
        self._read = lru_cache(REMEMBERED)(self._fetch)

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, row: Any) -> Any:
        if isinstance(row, slice):
            return [self[n] for n in range(*row.indices(self._count))]
        row = as_int(row)
        if not -self._count <= row < self._count:
            raise IndexError(f"row {row} of {self._count} products")
        return self._read(row % self._count)

    def __iter__(self) -> Iterator[Product]:
        for (body,) in self._every("SELECT body FROM products ORDER BY row"):
            yield product_of(body)

    def kinds(self) -> Iterator[str | None]:
        """Yield the kind of every row without reading the rest of it."""
        return (kind for (kind,) in self._every("SELECT kind FROM products ORDER BY row"))

    def ids(self) -> Iterator[str]:
        """Yield the id of every row."""
        return (product_id for (product_id,) in self._every("SELECT id FROM products ORDER BY row"))

    def find(self, product_id: str) -> int | None:
        """Return the row of an id, or None."""
        found = self._one("SELECT row FROM products WHERE id = ?", product_id)
        return None if found is None else int(found[0])

    def _fetch(self, row: int) -> Product:
        return product_of(self._one("SELECT body FROM products WHERE row = ?", row)[0])

    def _one(self, query: str, *values: object) -> Any:
        with self._lock:
            return self._file.execute(query, values).fetchone()

    def _every(self, query: str) -> Iterator[tuple]:
        with closing(self._file.cursor()) as cursor:
            with self._lock:
                cursor.execute(query)
            while batch := self._more(cursor):
                yield from batch

    def _more(self, cursor: sqlite3.Cursor) -> list[tuple]:
        with self._lock:
            return cursor.fetchmany(1024)


class _RowOf(Mapping[str, int]):
    """Id → row, asked of the file."""

    def __init__(self, store: ProductStore) -> None:
        self._store = store

    def __getitem__(self, product_id: str) -> int:
        row = self._store.find(product_id)
        if row is None:
            raise KeyError(product_id)
        return row

    def __iter__(self) -> Iterator[str]:
        return self._store.ids()

    def __len__(self) -> int:
        return len(self._store)


def write_products(path: Path, products: Iterable[Product]) -> None:
    """Write rows in their order to a new file; the same rows give the same bytes, so those of a ``ProductStore`` are its file again.

    Raises:
        OSError: The file cannot be written.
    """
    if isinstance(products, ProductStore):
        if not (path.exists() and path.samefile(products.path)):
            path.unlink(missing_ok=True)
            shutil.copyfile(products.path, path)
        return
    path.unlink(missing_ok=True)
    try:
        with closing(sqlite3.connect(path, isolation_level=None)) as file:
            file.execute("PRAGMA journal_mode = OFF")
            file.execute("PRAGMA synchronous = OFF")
            file.execute(_TABLE)
            file.execute("BEGIN")
            rows = ((row, p.product_id, p.kind, row_of_product(p)) for row, p in enumerate(products))
            file.executemany("INSERT INTO products VALUES (?, ?, ?, ?)", rows)
            file.execute("COMMIT")
    except sqlite3.OperationalError as error:
        raise OSError(str(error)) from error


def kinds_of(products: Sequence[Product]) -> Iterator[str | None]:
    """Return the kind of every row; those on disk are not read whole for it."""
    return products.kinds() if isinstance(products, ProductStore) else (product.kind for product in products)


def row_of_product(product: Product) -> str:
    """Return a product as a line of JSON that ``product_of`` reads."""
    return msgspec.json.encode(product).decode()


def product_of(row: str) -> Product:
    """Return the product of a line that ``row_of_product`` wrote."""
    return Product(**tuples_of(msgspec.json.decode(row)))


def tuples_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """Turn JSON lists back into the tuples of the dataclasses, one level of ``attributes`` included."""
    return {name: tuple(v) if isinstance(v, list) else tuples_of(v) if isinstance(v, dict) else v for name, v in row.items()}
