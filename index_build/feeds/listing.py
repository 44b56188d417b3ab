"""A row of a shop's catalogue → a product, or the reason why it is none."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from ecomscript.schema import Product
from index_build.feeds import clean
from index_build.feeds.columns import Choice, Columns
from index_build.sources import stable_id

NOT_SOLD = frozenset({"false", "0", "no", "draft", "archived", "discontinued", "out of stock", "out_of_stock", "sold out"})
ID_DIGITS = 16
"""64 bits: ids of 24 million rows meet with a chance of 1 in 64,000."""
MAX_INTENTIONS, MAX_INTENTION = 30, 160

_WORD = re.compile(r"\d+(?:[.,]\d+)?|[^\W\d_]+")


class NoProductError(Exception):
    """The row is no product; the message is the reason that is counted."""


@dataclass(frozen=True, slots=True)
class Listing:
    """A product as its catalogue describes it, before it has a kind.

    Attributes:
        product: Without a kind.
        intentions: Why people buy it, where the catalogue says so.
        named: Whether the catalogue gives it an id of its own.
        file: File that it stands in.
        line: Line or number in it.
    """

    product: Product
    intentions: tuple[str, ...]
    named: bool
    file: str
    line: int


def listing_of(cells: Sequence[Any], columns: Columns, choice: Choice, repair: clean.Repair, where: tuple[str, int]) -> Listing:
    """Return what a row says of a product.

    Args:
        cells: The row, in the order of ``columns.names``.
        columns: Which of its cells hold what.
        choice: What was said of the catalogue.
        repair: Told of cells that were changed or left out.
        where: File and line.

    Raises:
        NoProductError: There is no title, or it is not for sale.
    """

    def cell(name: str) -> Any:
        return columns.cell(cells, name)

    title = clean.text(cell("title"))
    if not re.search(r"\w", title):
        raise NoProductError("no title")
    status = cell("status")
    if status is False or (isinstance(status, str) and status.strip().lower() in NOT_SOLD):
        raise NoProductError("not for sale")
    brand, own_id = clean.text(cell("brand"), 80), source_id(cell("id"))
    page = clean.link(cell("page"), repair)
    if page is None and own_id and choice.page_prefix:
        page = clean.link(f"{choice.page_prefix}{own_id}", repair)
    currency = clean.text(cell("currency"), 10).upper() or choice.currency
    product = Product(
        product_id=product_id(own_id) if own_id else stable_id(brand, title, digits=ID_DIGITS),
        title=title,
        brand=brand,
        category=clean.category(cell("department"), cell("category")),
        price_usd=clean.price(cell("price"), currency, repair),
        rating=clean.rating(cell("rating"), repair),
        rating_count=clean.count(cell("rating_count"), repair),
        features=clean.texts(cell("features")) or clean.sentences(cell("description")),
        attributes=clean.attributes(cell("attributes"), repair),
        image_url=clean.image(cell("image"), repair),
        page_url=page,
    )
    return Listing(product, intentions_of(cell("intentions")), bool(own_id), *where)


def source_id(value: Any) -> str:
    """Return the id that a catalogue gives a row; "" where it gives none."""
    return clean.text(value, 200)


def product_id(own_id: str) -> str:
    """Return the id of the index for an id of a catalogue."""
    return stable_id("id", own_id, digits=ID_DIGITS)


def intentions_of(value: Any) -> tuple[str, ...]:
    """Return purchase intentions out of a list, or of a text whose parts are divided by | or lines."""
    parts = value if isinstance(value, list) else re.split(r"\s*[|\n;]\s*", value) if isinstance(value, str) else []
    found = (clean.text(part, MAX_INTENTION) for part in parts[:MAX_INTENTIONS])
    return tuple(dict.fromkeys(text for text in found if len(text) > 2))


def twin_keys(title: str, brand: str) -> tuple[bytes, bytes]:
    """Return what near-duplicates have in common, and the same for a title whose store is not known.

    That is the words and numbers of the title in any order, and the store. The brand counts once, in the title or beside it. Case, accents,
    punctuation and the order of words do not count; every number does, for two sizes are two products.
    """
    words, store = set(_words(title)), set(_words(brand))
    return _digest((*sorted(store), "|", *sorted(words - store))), _digest(sorted(words))


def _digest(words: Iterable[str]) -> bytes:
    return blake2b(" ".join(words).encode(), digest_size=8).digest()


def _words(text: str) -> list[str]:
    folded = text.casefold()
    if not folded.isascii():
        folded = "".join(c for c in unicodedata.normalize("NFKD", folded) if not unicodedata.combining(c))
    return _WORD.findall(folded)
