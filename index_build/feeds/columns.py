"""Which column of a file holds which field: guessed from the usual names, or said in a YAML file."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import yaml

from ecomscript.errors import CatalogError
from index_build.feeds.tally import UnusableFileError

PRODUCT_FIELDS: Mapping[str, str] = {
    "id": "parent_asin asin id handle sku product_id item_id item_number article_number variant_sku gtin",
    "title": "title name product_name product_title item_name",
    "brand": "brand store vendor manufacturer maker",
    "department": "main_category department",
    "category": "categories product_type google_product_category product_category category type",
    "features": "features bullet_points product_highlight highlights",
    "description": "description body_html product_description long_description body",
    "price": "sale_price price variant_price price_usd selling_price amount",
    "currency": "currency price_currency currency_code",
    "rating": "average_rating rating avg_rating stars",
    "rating_count": "rating_number rating_count ratings review_count reviews_count number_of_reviews num_ratings",
    "image": "image_link images image image_src image_url img picture",
    "page": "link url page_url product_url product_link",
    "attributes": "details attributes specifications specs",
    "intentions": "intentions purchase_intentions",
    "status": "status published availability",
}
"""Field → the names, best first, that columns with it usually have: Amazon Reviews 2023, Google Merchant, Shopify, and what shops write."""
ASSERTION_FIELDS: Mapping[str, str] = {
    "id": "product_id parent_asin asin id head_id item_a_id item_id asin_a",
    "other_id": "item_b_id asin_b",
    "title": "product_title head title item_a product item_name name item_a_name",
    "other_title": "item_b item_b_name",
    "relation": "relation rel predicate",
    "tail": "tail intention assertion intent text purchase_intention",
    "plausibility": "plausibility plausibility_score plausible_score plausible",
    "typicality": "typicality typicality_score typical_score typical",
}
REVIEW_FIELDS: Mapping[str, str] = {
    "id": "parent_asin asin product_id id item_id handle",
    "rating": "rating overall stars score",
    "text": "text review_text reviewtext review body",
    "helpful": "helpful_vote helpful_votes helpful vote",
}
REVIEW_SIGNS = frozenset("user_id reviewer_id reviewerid verified_purchase helpful_vote review_text reviewtext".split())
HEAVY = ("description", "image", "attributes")
SETTINGS = frozenset({"page_prefix", "currency_is"})


@dataclass(frozen=True, slots=True)
class Choice:
    """What a person said of the columns of a catalogue.

    Attributes:
        columns: Field → columns, of which the first with something in it counts; other fields are guessed.
        page_prefix: Put before the id to make the address of a product's page, where the file has none; "" makes none.
        currency: Currency of prices that do not name one, as ISO code.
    """

    columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    page_prefix: str = ""
    currency: str = "USD"


def read_choice(path: Path) -> Choice:
    """Read a mapping file: ``field: column`` or ``field: [column, column]`` a line, and perhaps ``page_prefix`` and ``currency_is``.

    Raises:
        CatalogError: It cannot be read, or names a field that there is not.
    """
    fix = f"Write lines of `field: column` with the fields {', '.join(PRODUCT_FIELDS)}; {' and '.join(sorted(SETTINGS))} may be set too."
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise CatalogError(f"The mapping {path} cannot be read ({str(error).splitlines()[0]})", fix) from None
    if not isinstance(found, dict) or not found:
        raise CatalogError(f"The mapping {path} holds no fields", fix)
    for name, value in found.items():
        if name not in PRODUCT_FIELDS and name not in SETTINGS:
            raise CatalogError(f"The mapping {path} names the field {name!r}, which there is not", fix)
        if not (isinstance(value, str) or (isinstance(value, list) and value and all(isinstance(v, str) for v in value))):
            raise CatalogError(f"The mapping {path} gives {name} as {value!r}, expected the name of a column or a list of names", fix)
        if name in SETTINGS and not isinstance(value, str):
            raise CatalogError(f"The mapping {path} gives {name} as {value!r}, expected one text", fix)
    columns = {name: (v,) if isinstance(v, str) else tuple(v) for name, v in found.items() if name in PRODUCT_FIELDS}
    return Choice(columns, found.get("page_prefix", ""), found.get("currency_is", "USD").upper())


class Columns:
    """Where the fields of a file are.

    Args:
        of: Field → its columns, the best first.

    Attributes:
        names: Every column that is to be read, once; the cells of a row are in this order.
        heavy: Those of them that a reader may leave undecoded, as they are long and often not looked at.
    """

    def __init__(self, of: Mapping[str, tuple[str, ...]]) -> None:
        self.names = tuple(dict.fromkeys(name for names in of.values() for name in names))
        self.heavy = frozenset(name for heavy in HEAVY for name in of.get(heavy, ()))
        at = {name: n for n, name in enumerate(self.names)}
        self._places = {field_: tuple(at[name] for name in names) for field_, names in of.items()}

    def cell(self, cells: Sequence[Any], name: str) -> Any:
        """Return the first cell of a field that has something in it, or None."""
        for place in self._places[name]:
            value = _unpacked(cells[place])
            if value is not None and value != "" and value != []:  # noqa: PLR1714 - a cell may be of any type
                return value
        return None

    def has(self, name: str, header: Sequence[str]) -> bool:
        """Return whether a header names a column of a field."""
        return any(self.names[place] in header for place in self._places[name])

    def shown(self, cells: Sequence[Any]) -> dict[str, Any]:
        """Return what a row has, by column."""
        return {name: found for name, value in zip(self.names, cells, strict=True) if (found := _unpacked(value)) is not None}


def _unpacked(value: Any) -> Any:
    """Return a cell, decoded where a reader left that for later."""
    if type(value) is not msgspec.Raw:
        return value
    try:
        return msgspec.json.decode(value)
    except (ValueError, msgspec.DecodeError):  # not UTF-8, which only its decoding shows
        return msgspec.json.decode(bytes(value).decode("cp1252", "replace"))


def resolve(header: Sequence[str], fields: Mapping[str, str], choice: Choice, open_ended: bool) -> Columns:
    """Find the columns of a file.

    Args:
        header: Its columns.
        fields: The fields to look for, with their usual names.
        choice: What was said of them.
        open_ended: Later rows may have columns that the header does not name: fields that it lacks are looked for under their usual names.

    Raises:
        UnusableFileError: A column that was named is not there.
    """
    known: dict[str, list[str]] = {}
    for column in header:
        known.setdefault(plain(column), []).append(column)
    found: dict[str, tuple[str, ...]] = {}
    for name, usual in fields.items():
        said = choice.columns.get(name)
        if said is None:
            here = [column for candidate in usual.split() for column in known.get(candidate, ())]
            found[name] = tuple(here or (usual.split() if open_ended else ()))
        elif open_ended or set(said) & set(header):
            found[name] = said
        else:
            raise UnusableFileError(f"no column for {name}", f"{' or '.join(said)} is not among {', '.join(header)[:200]}")
    return Columns(found)


def looks_like_reviews(header: Sequence[str]) -> bool:
    """Return whether a file holds reviews rather than products."""
    names = set(map(plain, header))
    return all(names & signs for signs in (REVIEW_SIGNS, set(REVIEW_FIELDS["text"].split()), set(REVIEW_FIELDS["rating"].split())))


def plain(column: str) -> str:
    """Return a column's name as the guesses are written: "Body (HTML)" → body_html, "g:id" → id."""
    return re.sub(r"[^a-z0-9]+", "_", column.strip().lower().removeprefix("g:")).strip("_")
