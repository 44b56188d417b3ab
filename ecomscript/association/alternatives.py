"""What could stand in a product's place: the same kind first, then the kinds that rank next for the step."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from ecomscript.association.associate import JUDGE_DROPS, Associator
from ecomscript.association.choose import ProductChooser
from ecomscript.association.eligibility import Eligibility
from ecomscript.association.encoder import Vectors
from ecomscript.schema import Constraints, Match

NEXT_KINDS = 6
"""Kinds that are looked at beside the product's own."""


def alternatives(
    associator: Associator, goal: str, step: str, row: int, constraints: Constraints, taken: Collection[str], count: int
) -> list[Match]:
    """Return other products for the place of one, the most helpful first inside its own kind and then among the others.

    Args:
        associator: Index, ranker and judge.
        goal: The goal as typed.
        step: The text of the step.
        row: The product whose place it is.
        constraints: What must be kept; the budget is what this one place may cost.
        taken: Ids of products that may not be offered; other kinds than the product's own are not offered beside one of theirs.
        count: How many at most.
    """
    index, eligibility = associator.index, Eligibility(constraints)
    query = associator.ranker.queries([step], goal)[0]
    chooser = ProductChooser(index, f"{goal} {step}", query, constraints)
    own = index.products[row].kind or ""
    used = {own, *(index.products[index.row_of[i]].kind for i in taken if i in index.row_of)}
    ranked = [kind.name for kind in associator.ranker.rank(query, f"{step} {goal}", NEXT_KINDS + len(used))]
    others = [name for name in ranked if name not in used and eligibility.kind_excluded(name) is None][:NEXT_KINDS]

    def eligible(kind: str) -> list[int]:
        if kind not in index.products_of_kind:
            return []
        rows = [option.row for option in chooser.options(kind, query) if option.row != row]
        return [n for n in rows if index.products[n].product_id not in taken and eligibility.violation(index.products[n]) is None]

    same = eligible(own)[:count]
    columns = [eligible(kind) for kind in others]
    deepest = max(map(len, columns), default=0)
    rest = [column[depth] for depth in range(deepest) for column in columns if depth < len(column)][: count - len(same)]
    return _judged(associator, goal, step, query, (same, rest))


def _judged(associator: Associator, goal: str, step: str, query: Vectors, groups: Sequence[Sequence[int]]) -> list[Match]:
    """Return the rows as matches; with a judge each group is ordered by its word, and what does not help is left out."""
    found = [[associator.match(row, query) for row in group] for group in groups]
    asked = [match.product for group in found for match in group]
    if associator.judge is None or not asked:
        return [match for group in found for match in group]
    said = iter(associator.judge(goal, [(step, product) for product in asked]).tolist())
    judged = [[replace(match, t2=next(said)) for match in group] for group in found]
    return [m for group in judged for m in sorted(group, key=lambda m: -(m.t2 or 0.0)) if (m.t2 or 0.0) >= JUDGE_DROPS]
