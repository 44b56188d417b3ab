"""Catalogue files → validated rows with stable ids.

The demo format is described in ``assets/catalog/SPEC_KINDS.md`` and ``SPEC_SCRIPTS.md``: one JSON object a line, a file per department.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ecomscript.association.links import Links
from ecomscript.errors import CatalogError
from ecomscript.folders import data_files, reading
from ecomscript.schema import Intention, Kind, LibraryScript, LibraryStep, Product
from index_build.rows import Row, read_lines

FLAWS = frozenset({"missing_critical", "wrong_order", "off_goal_step", "contradiction", "infeasible", "unsafe", "too_vague"})
LONGEST = 10_000_000
"""Bytes of the first line that is looked at."""
MAX_PRICE_USD = 10_000_000
MAX_RATING = 5
MAX_RATING_COUNT = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All rows of one catalogue.

    Attributes:
        products: The rows; those of a large catalogue are on disk.
        intentions: Deduplicated, in the order of their texts.
        kinds: What the products are kinds of.
        products_of_intention: Which rows of ``products`` each intention leads to.
        scripts: Empty for a catalogue that brings products alone.
    """

    products: Sequence[Product]
    intentions: tuple[Intention, ...]
    kinds: tuple[Kind, ...]
    products_of_intention: Links
    scripts: tuple[LibraryScript, ...]


def read_catalogue(source: Path) -> Catalogue:
    """Read a folder with ``kinds/*.jsonl`` (and perhaps ``scripts/*.jsonl``), or one file of kinds.

    Raises:
        CatalogError: Nothing is there, or a row cannot be used; the message names file, line and field.
    """
    if source.is_file():
        kind_files, script_files = [source], []
    else:
        kind_files = sorted((source / "kinds").glob("*.jsonl"))
        script_files = sorted((source / "scripts").glob("*.jsonl"))
    kinds: dict[str, Kind] = {}
    products: dict[str, Product] = {}
    leads_to: dict[str, dict[int, None]] = {}
    for row in read_lines(kind_files):
        kind = _kind(row)
        if kind.name in kinds:
            raise row.error("kind", f"{kind.name!r} is in the catalogue already")
        kinds[kind.name] = kind
        for item in row.rows("products", at_least=1):
            product = _product(item, kind)
            if product.product_id in products:
                raise item.error("title", f"{product.title!r} by {product.brand!r} is in the catalogue already")
            products[product.product_id] = product
            texts = (*kind.intentions, *item.texts("intentions", optional=True))
            if not texts:
                raise item.error("intentions", "expected at least one purchase intention, here or in the kind's own list")
            for text in texts:
                leads_to.setdefault(text, {})[len(products) - 1] = None
    if not products:
        cause = f"{source} holds no catalogue" if source.exists() else f"There is no catalogue {source}"
        raise CatalogError(cause, "Name a .jsonl file or a folder with kinds/*.jsonl (format: assets/catalog/SPEC_KINDS.md).")
    intentions = tuple(Intention(stable_id(text), text) for text in sorted(leads_to))
    links = Links.of([list(leads_to[i.text]) for i in intentions])
    return Catalogue(tuple(products.values()), intentions, tuple(kinds.values()), links, read_scripts(script_files, kinds))


def is_own_format(source: Path) -> bool:
    """Return whether a catalogue is a folder with ``kinds/``, or a file whose first object is a kind with its products."""
    if not source.is_file():
        return (source / "kinds").is_dir() or not data_files(source)
    with reading(source), source.open("rb") as lines:
        first = next(filter(bytes.strip, (lines.readline(LONGEST) for _ in range(100))), b"")
    try:
        row = json.loads(first.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return False
    return isinstance(row, dict) and "kind" in row and "products" in row


def stable_id(*parts: str, digits: int = 12) -> str:
    """Return hexadecimal digits that depend on nothing but the parts, so that re-ordering a file changes no id."""
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:digits]


def _kind(row: Row) -> Kind:
    return Kind(row.text("kind"), row.text("category"), row.text("emoji"), row.texts("intentions", optional=True))


def _product(row: Row, kind: Kind) -> Product:
    title, brand = row.text("title"), row.text("brand", optional=True)
    return Product(
        product_id=stable_id(brand, title),
        title=title,
        brand=brand,
        kind=kind.name,
        category=kind.category,
        emoji=kind.emoji,
        price_usd=row.number("price", MAX_PRICE_USD),
        rating=row.number("rating", MAX_RATING),
        rating_count=int(row.number("ratings", MAX_RATING_COUNT) or 0),
        features=row.texts("features", optional=True),
        attributes=row.attributes("attributes"),
        image_url=row.link("image"),
        page_url=row.link("url"),
    )


def read_scripts(paths: Sequence[Path], kinds: Mapping[str, Kind]) -> tuple[LibraryScript, ...]:
    """Read plans whose steps need these kinds, which are given by their names.

    Raises:
        CatalogError: A line cannot be used; the message names file, line and field.
    """
    scripts: dict[str, LibraryScript] = {}
    for row in read_lines(paths):
        objective = row.text("objective")
        script_id = stable_id(objective.lower())
        if script_id in scripts:
            raise row.error("objective", f"{objective!r} is in the library already")
        steps = tuple(_step(step, kinds) for step in row.rows("steps", at_least=1))
        for flaw in row.rows("flawed"):
            if flaw.text("error") not in FLAWS:
                raise flaw.error("error", f"{flaw.text('error')!r} is unknown, expected one of {', '.join(sorted(FLAWS))}")
        scripts[script_id] = LibraryScript(script_id, objective, row.texts("aliases"), row.texts("tags"), steps)
    return tuple(scripts.values())


def _step(row: Row, kinds: Mapping[str, Kind]) -> LibraryStep:
    step = LibraryStep(row.text("text"), row.texts("needs"))
    for name in step.needs:
        if name not in kinds:
            raise row.error("needs", f"{name!r} is no kind of the catalogue")
    return step
