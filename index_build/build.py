"""A catalogue becomes an index folder."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
from tqdm import tqdm

from ecomscript.association.encoder import Encoder, Vectors
from ecomscript.association.index import IntentionIndex, build_graph
from ecomscript.errors import IndexFolderError
from ecomscript.folders import MANIFEST
from ecomscript.planning.library import LIBRARY_FOLDER, Library, body_text, wordings
from index_build.embed import discard, embed_texts
from index_build.sources import Catalogue, fingerprint, read_catalogue

SHARDS = "shards"
NAME_WEIGHT = 0.5
"""Weight of the kind's name beside the centroid of its intentions; measured best on the library's steps (README, retrieval ablation)."""


def build(source: Path, out: Path, encoder: Encoder, resume: bool = False, quiet: bool = False) -> IntentionIndex:
    """Build the index of a catalogue, and its library in ``out/library`` when the catalogue has scripts.

    The arguments and errors are those of ``build_index``; with ``resume`` an index that is finished already is kept.
    """
    catalogue = read_catalogue(source)
    index = _finished(source, out, encoder) if resume else None
    index = index or build_index(source, out, encoder, resume, quiet, catalogue=catalogue)
    library = out / LIBRARY_FOLDER
    if catalogue.scripts:
        build_library(catalogue, index.source, index, library, encoder, quiet=quiet, resume=resume)
    elif (library / MANIFEST).is_file():  # of an earlier catalogue in the same folder
        shutil.rmtree(library)
    return index


def _finished(source: Path, out: Path, encoder: Encoder) -> IntentionIndex | None:
    try:
        index = IntentionIndex.load(out, encoder.name)
    except IndexFolderError:
        return None
    return index if index.source == fingerprint(source) else None


def build_index(
    source: Path, out: Path, encoder: Encoder, resume: bool = False, quiet: bool = False, *, catalogue: Catalogue | None = None
) -> IntentionIndex:
    """Read, embed, connect and save a catalogue.

    Args:
        source: Catalogue file or folder.
        out: Index folder to write.
        encoder: The Sentence-BERT model.
        resume: Go on after a kill; at most one shard is embedded again.
        quiet: No progress bar.
        catalogue: What ``source`` holds, where the caller has read it already.

    Raises:
        CatalogError: A row cannot be used.
        IndexFolderError: ``out`` cannot be written.
    """
    catalogue = catalogue or read_catalogue(source)
    embedded = embed_texts(index_texts(catalogue), encoder, out / SHARDS, resume, quiet)
    intentions, names = embedded[: len(catalogue.intentions)], embedded[len(catalogue.intentions) :]
    products, kinds = _centroids(catalogue, intentions, names)
    with tqdm(total=len(intentions), desc="connecting", unit="intention", disable=quiet, mininterval=1) as bar:
        graph = build_graph(intentions, bar.update)
    index = IntentionIndex(
        encoder.name, fingerprint(source), catalogue.products, catalogue.intentions, catalogue.kinds, intentions, products, kinds, graph
    )
    index.save(out)
    discard(out / SHARDS)
    return index


def build_library(
    catalogue: Catalogue, source: str, index: IntentionIndex, out: Path, encoder: Encoder, *, quiet: bool = False, resume: bool = False
) -> Library:
    """Embed the scripts of a catalogue and save them as the planner's library.

    Args:
        catalogue: A catalogue with scripts.
        source: Its fingerprint.
        index: The index of the same catalogue (for the vectors of the kinds).
        out: Folder to write.
        encoder: The Sentence-BERT model.
        quiet: No progress bar.
        resume: Go on after a kill.
    """
    embedded = embed_texts(library_texts(catalogue), encoder, out / SHARDS, resume, quiet)
    bodies = len(embedded) - len(catalogue.scripts)
    library = Library(encoder.name, source, catalogue.scripts, catalogue.kinds, embedded[:bodies], embedded[bodies:], index.kind_vectors)
    library.save(out)
    discard(out / SHARDS)
    return library


def index_texts(catalogue: Catalogue) -> list[str]:
    """Return what an index embeds: the intentions, then the names of the kinds."""
    return [i.text for i in catalogue.intentions] + [k.name for k in catalogue.kinds]


def library_texts(catalogue: Catalogue) -> list[str]:
    """Return what a library embeds: the wordings of all scripts, then their bodies."""
    return [w for script in catalogue.scripts for w in wordings(script)] + [body_text(script) for script in catalogue.scripts]


def _centroids(catalogue: Catalogue, intentions: Vectors, names: Vectors) -> tuple[Vectors, Vectors]:
    """Return product and kind vectors: centroid of the intentions + ``NAME_WEIGHT`` · the kind's name, unit norm."""
    rows_of: dict[str, list[int]] = {p.product_id: [] for p in catalogue.products}
    for row, intention in enumerate(catalogue.intentions):
        for product_id in intention.product_ids:
            rows_of[product_id].append(row)
    kind_row = {k.name: row for row, k in enumerate(catalogue.kinds)}
    rows_of_kind: list[set[int]] = [set() for _ in catalogue.kinds]
    products = np.empty((len(catalogue.products), intentions.shape[1]), np.float32)
    for n, product in enumerate(catalogue.products):
        kind, rows = kind_row[product.kind or ""], rows_of[product.product_id]
        rows_of_kind[kind].update(rows)
        products[n] = _centroid(intentions[rows], names[kind])
    kinds = [_centroid(intentions[sorted(rows)], name) for rows, name in zip(rows_of_kind, names, strict=True)]
    return products, np.stack(kinds)


def _centroid(intentions: Vectors, name: Vectors) -> Vectors:
    return _unit(_unit(intentions.mean(axis=0)) + NAME_WEIGHT * name)


def _unit(vector: Vectors) -> Vectors:
    return vector / max(float(np.linalg.norm(vector)), 1e-9)
