"""How good transferred kinds and intentions are, measured on kinds whose own knowledge is hidden."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ecomscript.association.associate import SAME_PURPOSE
from ecomscript.association.encoder import Encoder, Vectors
from ecomscript.association.links import Links
from index_build.bench import Row
from index_build.sources import read_catalogue
from index_build.transfer import Knowledge, title_head

SAMPLE = 600
"""Kinds that are held out, one product of each."""
BLOCK = 200


@dataclass(frozen=True, slots=True)
class _Held:
    """One product: its title, the row of its kind, and the category that the transfer is told."""

    title: str
    kind: int
    category: str


def bench_transfer(source: Path, encoder: Encoder, seed: int = 0) -> list[Row]:
    """Transfer kinds and intentions to products of the catalogue itself, with their own kind hidden or not.

    A transferred intention counts as *right in meaning* when its cosine to one of the kind's own is at least the paper's threshold, and as
    *right* when moreover a kind of the same department lent it. The hidden intentions were written to differ from each other, so the last
    two rows say what those numbers can be: each kind's own intentions against its others, and intentions of random kinds.

    Args:
        source: A catalogue in our own format.
        encoder: The encoder.
        seed: Seed of the sample.
    """
    catalogue = read_catalogue(source)
    knowledge = Knowledge.of(catalogue, encoder)
    rng = np.random.default_rng(seed)
    last = {product.kind: product for product in catalogue.products}
    rows = [int(row) for row in rng.permutation(len(catalogue.kinds)) if len(knowledge.intentions_of_kind[row])]
    chosen = [(row, last[catalogue.kinds[row].name].title) for row in rows[:SAMPLE]]
    found = []
    for told, levels in (("title alone", 0), ("title and department", 1), ("title and two levels of category", 2)):
        held = [_Held(title, row, " > ".join(catalogue.kinds[row].category.split(" > ")[:levels])) for row, title in chosen]
        found += [_measure(knowledge, encoder, held, told, hidden) for hidden in ("nothing", "own kind", "own category")]
    return [*found, *_yardsticks(knowledge, [row for row, _ in chosen], rng)]


def _measure(knowledge: Knowledge, encoder: Encoder, held: Sequence[_Held], told: str, hidden: str) -> Row:
    kinds = knowledge.kinds
    departments = [kind.category.split(" > ")[0] for kind in kinds]
    of_category = {kind.category: [n for n, other in enumerate(kinds) if other.category == kind.category] for kind in kinds}
    right_kind, sure, given = 0, 0, 0
    near, same = [], []
    for start in range(0, len(held), BLOCK):
        block = held[start : start + BLOCK]
        hide = [{"nothing": [], "own kind": [h.kind]}.get(hidden, of_category[kinds[h.kind].category]) for h in block]
        heads = encoder.encode([title_head(h.title) for h in block])
        for h, got in zip(block, knowledge.give([h.title for h in block], heads, [h.category for h in block], hide), strict=True):
            sure += got.kind is not None
            right_kind += got.kind == h.kind
            given += bool(got.intentions)
            lenders = {int(n): departments[kind] for kind in got.lent_by for n in knowledge.intentions_of_kind[kind]}
            near += list(_closest(knowledge, got.intentions, knowledge.intentions_of_kind[h.kind]) >= SAME_PURPOSE)
            same += [lenders[n] == departments[h.kind] for n in got.intentions]
    return {
        "told": told,
        "hidden": hidden,
        "products": len(held),
        "with_intentions_share": round(given / len(held), 3),
        "intentions_each": round(len(near) / max(given, 1), 1),
        "kind_sure_share": round(sure / len(held), 3),
        **({"kind_right_where_sure": round(right_kind / max(sure, 1), 3)} if hidden == "nothing" else {}),
        "precision_meaning": round(float(np.mean(near)), 3),
        "precision_department": round(float(np.mean(same)), 3),
        "precision": round(float(np.mean(np.logical_and(near, same))), 3),
    }


def _yardsticks(knowledge: Knowledge, kinds: Sequence[int], rng: np.random.Generator) -> list[Row]:
    own: Links = knowledge.intentions_of_kind
    left_out = [_closest(knowledge, own[k][n : n + 1], np.delete(own[k], n)) for k in kinds for n in range(len(own[k])) if len(own[k]) > 1]
    others = rng.permutation(len(knowledge.kinds))[: len(kinds)]
    strange = [_closest(knowledge, own[other], own[k]) for k, other in zip(kinds, others, strict=False) if len(own[other])]
    rows = {"each own intention against the others of its kind": left_out, "intentions of random kinds": strange}
    return [{"told": name, "precision_meaning": round(float(np.mean(np.concatenate(c) >= SAME_PURPOSE)), 3)} for name, c in rows.items()]


def _closest(knowledge: Knowledge, given: Iterable[int], own: Iterable[int]) -> Vectors:
    """Return the (n,) largest cosine of each given intention to the own ones."""
    vectors = knowledge.intention_vectors
    return np.max(vectors[list(given)] @ vectors[list(own)].T, axis=1, initial=-1.0)
