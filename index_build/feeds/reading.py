"""Files of a catalogue, or of assertions about its products → the staging file; every format, every file counted."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from ecomscript.errors import CatalogError
from ecomscript.folders import data_files
from index_build.feeds import clean
from index_build.feeds.columns import (
    ASSERTION_FIELDS,
    PRODUCT_FIELDS,
    REVIEW_FIELDS,
    Choice,
    Columns,
    looks_like_reviews,
    resolve,
)
from index_build.feeds.listing import MAX_INTENTION, NoProductError, listing_of, product_id, source_id
from index_build.feeds.staging import Review, Staging
from index_build.feeds.tables import Table, open_table
from index_build.feeds.tally import Tally, UnusableFileError

Tell = Callable[[str], object]
MAX_REVIEW = 1000
"""Characters of a review that are kept."""
LEAST_PLAUSIBLE = 0.5
"""Least plausibility and typicality of an assertion; one without scores counts as good."""
_WHO = r"(?:personx|they|people|customers?|the (?:person|customer|user)|he|she|you|i)"
_WANTS = r"(?:wants?|wanted|intends?|intended|needs?|needed|would like)"
_USED = r"(?:(?:it|they)\s+)?(?:(?:can|could|will) be|is|are|was|were)(?: both)? used"
_LEAD = re.compile(rf"^(?:because\s+)?(?:{_USED}\s+|(?:{_WHO}\s+)?(?:both\s+)?{_WANTS}\s+)?(?:(?:to|for)\s+)?", re.IGNORECASE)
"""What stands before the verb phrase in generated assertions: "because they want to", "it can be used for"."""
USED_FOR = frozenset({"usedfor", "used_for"})


def read_products(source: Path, choice: Choice, staging: Staging, tally: Tally, tell: Tell) -> None:
    """Read every product and review of a catalogue into the staging file.

    Args:
        source: File or folder.
        choice: What was said of its columns.
        staging: Where rows go.
        tally: Told of everything that could not be used.
        tell: Told which file is read.

    Raises:
        CatalogError: No row at all can be used; the message counts why.
    """
    for path in [source] if source.is_file() else data_files(source):
        for table in _opened(path, tally):
            reviews = looks_like_reviews(table.header)
            tell(f"reading {path.name} ({table.form}, {'reviews' if reviews else 'products'})")
            try:
                columns = _columns(table, REVIEW_FIELDS if reviews else PRODUCT_FIELDS, Choice() if reviews else choice)
            except UnusableFileError as error:
                tally.reject(error.reason, path.name, 0, error.detail)
                continue
            if reviews:
                _read_reviews(table, columns, staging, tally)
            else:
                _read_listings(table, columns, choice, staging, tally)
    if not len(staging):
        why = "; ".join(tally.sentences()) or "there is no data file in it"
        cause = f"{source} holds no product that can be used ({why})" if source.exists() else f"There is no catalogue {source}"
        raise CatalogError(cause, "Name CSV, TSV, JSONL, XML or Parquet files with a title column, or say with --mapping which one it is.")


def read_assertions(path: Path, staging: Staging, tally: Tally) -> int:
    """Read purchase intentions: an id (of catalogue or index) or a title, a tail, perhaps relation, plausibility, typicality in [0, 1].

    The paper's own knowledge (FolkScope) is one such file: assertions on pairs of products count for both.

    Returns:
        How many were kept.

    Raises:
        CatalogError: None can be used.
    """
    kept = 0
    for table in _opened(path, tally):
        columns = resolve(table.header, ASSERTION_FIELDS, Choice(), table.form != "csv")
        for line, cells in table.records(columns, tally):
            tail = intention_of(columns.cell(cells, "tail"), columns.cell(cells, "relation"))
            ids = [i for name in ("id", "other_id") if (i := source_id(columns.cell(cells, name)))]
            titles = [t for name in ("title", "other_title") if not ids and (t := clean.text(columns.cell(cells, name)))]
            scores = [columns.cell(cells, name) for name in ("plausibility", "typicality")]
            reason = "no tail" if not tail else "no product named" if not (ids or titles) else _too_weak(scores)
            if reason:
                tally.reject(f"assertion: {reason}", path.name, line, row=columns.shown(cells))
                continue
            kept += 1
            for own in ids:
                staging.add_assertion(tail, own if staging.has(own) else product_id(own))
            for title in titles:
                staging.add_assertion(tail, title=title)
    if not kept:
        cause = f"{path} holds no purchase intention that can be used ({'; '.join(tally.sentences()) or 'it is empty'})"
        raise CatalogError(cause, "Each row needs a product (product_id or title) and a tail; scores are from 0 to 1.")
    return kept


def intention_of(tail: object, relation: object = None) -> str:
    """Return a plain verb phrase: "because they want to cook outdoors" → "cook outdoors"; a bare thing after UsedFor gets a verb."""
    text = clean.text(tail, MAX_INTENTION).rstrip(".")
    bare = _LEAD.sub("", text, count=1)
    plain_relation = re.sub(r"[^a-z_]", "", str(relation or "").lower())
    if plain_relation in USED_FOR and bare and not bare.split()[0].endswith("ing"):
        return f"use it for {bare}"
    return bare if len(bare) > 2 else ""


def _too_weak(scores: list[object]) -> str:
    for score in scores:
        value = clean.fraction(score)
        if score is not None and (value is None or value < LEAST_PLAUSIBLE):
            return f"plausibility or typicality below {LEAST_PLAUSIBLE}" if value is not None else "scores are not from 0 to 1"
    return ""


def _opened(path: Path, tally: Tally) -> Iterator[Table]:
    """Yield the file as a table; nothing, counted, where it is none."""
    try:
        yield open_table(path)
    except UnusableFileError as error:
        tally.reject(error.reason, path.name, 0, error.detail)


def _columns(table: Table, fields: Mapping[str, str], choice: Choice) -> Columns:
    columns = resolve(table.header, fields, choice, table.form in {"jsonl", "xml"})
    if "title" in fields and table.header and not columns.has("title", table.header):
        raise UnusableFileError("no title column", f"its columns are {', '.join(table.header)[:200]}")
    return columns


def _read_listings(table: Table, columns: Columns, choice: Choice, staging: Staging, tally: Tally) -> None:
    file, turned_down = table.path.name, ""
    for line, cells in table.records(columns, tally):
        try:
            staging.add(listing_of(cells, columns, choice, tally.repair, (file, line)), tally)
        except NoProductError as error:
            own_id = source_id(columns.cell(cells, "id"))
            # Shopify repeats the handle for every variant and picture, and leaves the title out.
            if str(error) == "no title" and table.form == "csv" and own_id and (own_id == turned_down or staging.has(product_id(own_id))):
                tally.merge("further variants or pictures of a product")
            else:
                turned_down = own_id
                tally.reject(str(error), file, line, row=columns.shown(cells))


def _read_reviews(table: Table, columns: Columns, staging: Staging, tally: Tally) -> None:
    for line, cells in table.records(columns, tally):
        own_id = source_id(columns.cell(cells, "id"))
        stars = clean.rating(columns.cell(cells, "rating"), tally.repair)
        if not own_id or not stars:
            tally.reject("review without product or stars", table.path.name, line, row=columns.shown(cells))
            continue
        text = clean.text(columns.cell(cells, "text"), MAX_REVIEW)
        staging.add_review(Review(product_id(own_id), stars, clean.count(columns.cell(cells, "helpful"), tally.repair), text))
