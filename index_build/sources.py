"""Catalogue files → validated rows with stable ids.

The demo format is described in ``assets/catalog/SPEC_KINDS.md`` and ``SPEC_SCRIPTS.md``: one JSON object a line, a file per department.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ecomscript.errors import CatalogError
from ecomscript.folders import fingerprint
from ecomscript.schema import Intention, Kind, LibraryScript, LibraryStep, Product
from index_build.rows import Row, read_lines

__all__ = ["Catalogue", "fingerprint", "read_catalogue", "stable_id"]

FLAWS = frozenset({"missing_critical", "wrong_order", "off_goal_step", "contradiction", "infeasible", "unsafe", "too_vague"})
MAX_PRICE_USD = 10_000_000
MAX_RATING = 5
MAX_RATING_COUNT = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All rows of one catalogue; ``scripts`` is empty for a catalogue that brings products alone."""

    products: tuple[Product, ...]
    intentions: tuple[Intention, ...]
    kinds: tuple[Kind, ...]
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
    leads_to: dict[str, list[str]] = {}
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
                leads_to.setdefault(text, []).append(product.product_id)
    if not products:
        cause = f"{source} holds no catalogue" if source.exists() else f"There is no catalogue {source}"
        raise CatalogError(cause, "Name a .jsonl file or a folder with kinds/*.jsonl (format: assets/catalog/SPEC_KINDS.md).")
    intentions = tuple(Intention(stable_id(text), text, tuple(dict.fromkeys(ids))) for text, ids in sorted(leads_to.items()))
    return Catalogue(tuple(products.values()), intentions, tuple(kinds.values()), _scripts(script_files, kinds))


def stable_id(*parts: str) -> str:
    """Return 12 hexadecimal digits that depend on nothing but the parts, so that re-ordering a file changes no id."""
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:12]


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


def _scripts(paths: list[Path], kinds: Mapping[str, Kind]) -> tuple[LibraryScript, ...]:
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
