"""What could stand in a product's place: the same kind first, then the kinds that rank next for the step."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from ecomscript.association.associate import JUDGE_DROPS, Associator
from ecomscript.association.choose import ProductChooser, in_turn
from ecomscript.association.eligibility import Eligibility
from ecomscript.association.encoder import Vectors
from ecomscript.schema import Constraints, Match

NEXT_KINDS = 6
"""Kinds that are looked at beside the product's own."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A place whose product may be replaced.

    Attributes:
        step: The text of the step.
        product_id: The product whose place it is.
        constraints: What must be kept; the budget is what this one place may cost.
        count: How many products at most.
        own_kind: Whether only the product's own kind is looked at.
    """

    step: str
    product_id: str
    constraints: Constraints
    count: int = 10
    own_kind: bool = False


def alternatives(associator: Associator, goal: str, places: Sequence[Wanted], taken: Collection[str]) -> list[list[Match]]:
    """Return other products for each place, the most helpful first inside its own kind and then among the others.

    The judge is asked about all of them at once; an unknown product has no alternatives.

    Args:
        associator: Index, ranker and judge.
        goal: The goal as typed.
        places: What is looked for.
        taken: Ids of products that may not be offered; other kinds than a product's own are not offered beside one of theirs.
    """
    if not places:
        return []
    queries = associator.ranker.queries([place.step for place in places], goal)
    rows = [list(_rows(associator, goal, place, query, taken)) for place, query in zip(places, queries, strict=True)]
    found = [(place.step, associator.match(row, query)) for place, query, of in zip(places, queries, rows, strict=True) for row in of]
    judged = iter(associator.judged(goal, found))
    columns = [[next(judged) for _ in of] for of in rows]
    if associator.judge is None:
        return columns
    return [_best(column, place, associator) for column, place in zip(columns, places, strict=True)]


def _rows(associator: Associator, goal: str, place: Wanted, query: Vectors, taken: Collection[str]) -> Iterator[int]:
    """Yield the products to look at for a place: its own kind, then the others in turn."""
    index, eligibility = associator.index, Eligibility(place.constraints)
    row = index.row_of.get(place.product_id)
    if row is None:
        return
    chooser = ProductChooser(index, f"{goal} {place.step}", query, place.constraints)
    own = index.products[row].kind or ""

    def eligible(kind: str) -> list[int]:
        if kind not in index.products_of_kind:
            return []
        left = associator.refusals(kind, query, chooser, eligibility, {*taken, place.product_id})
        return [option.row for option, reason in left if reason is None]

    same = eligible(own)[: place.count]
    yield from same
    if place.own_kind or len(same) == place.count:
        return
    used = {own, *(index.products[index.row_of[i]].kind for i in taken if i in index.row_of)}
    ranked = [kind.name for kind in associator.ranker.rank(query, f"{place.step} {goal}", NEXT_KINDS + len(used))]
    others = [name for name in ranked if name not in used and eligibility.kind_excluded(name) is None][:NEXT_KINDS]
    yield from in_turn([eligible(kind) for kind in others])[: place.count - len(same)]


def _best(found: Sequence[Match], place: Wanted, associator: Associator) -> list[Match]:
    """Return what the judge finds helpful, in the order of its word inside the own kind and among the others."""
    index = associator.index
    own = index.products[index.row_of[place.product_id]].kind if found else None
    helpful = [match for match in found if (match.t2 or 0.0) >= JUDGE_DROPS]
    return sorted(helpful, key=lambda m: (m.product.kind != own, -(m.t2 or 0.0)))
