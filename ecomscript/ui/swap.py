"""One click on a conflict: another product in the same place, and the bundle looked at again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ecomscript.association.eligibility import Eligibility
from ecomscript.errors import InputError
from ecomscript.schema import MatchedStep
from ecomscript.ui import texts
from ecomscript.ui.border import Planner
from ecomscript.ui.markup import title_parts
from ecomscript.ui.view import PlanView, Swap


def swap_product(view: PlanView, payload: Any, planner: Planner) -> PlanView:
    """Return the view with a conflict's product swapped, and with what the verifiers say of the plan then.

    Args:
        view: What the visitor sees.
        payload: ``{"pid": product_id, "swap": product_id}``; comes from the browser, so anything is possible.
        planner: Knows the products and the verifiers.

    Raises:
        InputError: The payload names no swap that the page offers.
    """
    swap = _asked(view, payload, planner)
    steps = tuple(_with(matched, swap, view.goal, planner) for matched in view.matched)
    verdict, conflicts = planner.reviewer.bundle(view.goal, steps, Eligibility(view.constraints))
    return replace(view, phase="done", matched=steps, bundle_verdict=verdict, conflicts=conflicts, swap=swap)


def _asked(view: PlanView, payload: Any, planner: Planner) -> Swap:
    data: Mapping[str, Any] = payload if isinstance(payload, Mapping) else {}
    shown = {product.product_id: product for product in view.products}
    for conflict in view.conflicts if view.phase != "working" else ():
        if conflict.swap_id and (conflict.product_id, conflict.swap_id) == (data.get("pid"), data.get("swap")):
            old, new = shown.get(conflict.product_id), planner.product(conflict.swap_id)
            if old is not None and new is not None:
                return Swap(old, new)
    raise InputError(*texts.STALE)


def _with(matched: MatchedStep, swap: Swap, goal: str, planner: Planner) -> MatchedStep:
    if swap.old.product_id not in {match.product.product_id for match in matched.matches}:
        return matched
    new = planner.place(goal, matched.step.text, swap.new.product_id)
    assert new is not None
    new = replace(new, why=f"{new.why} {texts.SWAPPED_WHY.format(title=title_parts(swap.old.title)[0])}")
    return replace(matched, matches=tuple(new if m.product.product_id == swap.old.product_id else m for m in matched.matches))
