"""What of a catalogue is embedded for the index, and the vectors of products and kinds that are made of it."""

from __future__ import annotations

import numpy as np

from ecomscript.association.encoder import Vectors
from ecomscript.association.graph import HalfVectors
from ecomscript.association.product_store import kinds_of
from index_build.sources import Catalogue

NAME_WEIGHT = 0.5
"""Weight of the kind's name beside the centroid of its intentions; measured best on the library's steps (README, retrieval ablation)."""


def index_texts(catalogue: Catalogue) -> list[str]:
    """Return what an index embeds: the intentions, then the names of the kinds."""
    return [i.text for i in catalogue.intentions] + [k.name for k in catalogue.kinds]


def centroids(catalogue: Catalogue, intentions: Vectors, names: Vectors) -> tuple[HalfVectors, Vectors]:
    """Return product and kind vectors: centroid of the intentions + ``NAME_WEIGHT`` · the kind's name, unit norm."""
    rows_of = catalogue.products_of_intention.turned(len(catalogue.products))
    kind_row = {k.name: row for row, k in enumerate(catalogue.kinds)}
    rows_of_kind: list[set[int]] = [set() for _ in catalogue.kinds]
    products = np.empty((len(catalogue.products), intentions.shape[1]), np.float16)
    for n, name_of in enumerate(kinds_of(catalogue.products)):
        kind, rows = kind_row[name_of or ""], rows_of[n]
        rows_of_kind[kind].update(rows.tolist())
        products[n] = _centroid(intentions[rows], names[kind])
    kinds = [_centroid(intentions[sorted(rows)], name) for rows, name in zip(rows_of_kind, names, strict=True)]
    return products, np.stack(kinds)


def _centroid(intentions: Vectors, name: Vectors) -> Vectors:
    return _unit(_unit(intentions.mean(axis=0)) + NAME_WEIGHT * name)


def _unit(vector: Vectors) -> Vectors:
    return vector / max(float(np.linalg.norm(vector)), 1e-9)
