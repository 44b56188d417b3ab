"""One click on a conflict: another product in the same place; and what the verifiers say of any changed plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ecomscript.association.eligibility import Eligibility
from ecomscript.association.notes import refreshed
from ecomscript.errors import InputError
from ecomscript.schema import Conflict, MatchedStep
from ecomscript.ui import texts
from ecomscript.ui.border import Planner
from ecomscript.ui.history import remembered
from ecomscript.ui.markup import short_title
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
    said = texts.STAGE_SWAPPED.format(old=short_title(swap.old.title), new=short_title(swap.new.title))
    after = replace(view, matched=steps, swaps=(swap,), said=said, choosing=None)
    return remembered(view, judged(view, after, planner), said.rstrip("."))


def judged(before: PlanView, after: PlanView, planner: Planner) -> PlanView:
    """Return a changed view with what the verifiers say of it; the script is judged again only where its steps have changed.

    Args:
        before: The view that was changed.
        after: The view with its new steps and products.
        planner: Knows the verifiers.
    """
    steps = refreshed(after.matched)
    script = tuple(matched.step for matched in steps)
    same = "t1" in before.checked and [s.text for s in script] == [s.text for s in before.script]
    verdict, found = planner.reviewer.bundle(after.goal, steps, Eligibility(after.constraints))
    return replace(
        after,
        phase="done",
        message="",
        script=script,
        matched=steps,
        checked=("t1", "t3"),
        script_verdict=before.script_verdict if same else planner.reviewer.script(after.goal, steps),
        bundle_verdict=verdict,
        conflicts=tuple(_allowed(conflict, after) for conflict in found),
        locked=after.locked & {match.product.product_id for matched in steps for match in matched.matches},
    )


def _allowed(conflict: Conflict, view: PlanView) -> Conflict:
    """Return a conflict that offers neither to swap a locked product nor to bring back one that was turned down."""
    barred = conflict.product_id in view.locked or conflict.swap_id in view.dismissed
    return replace(conflict, product_id="", swap_id="") if barred else conflict


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
    new = replace(new, why=f"{new.why} {texts.SWAPPED_WHY.format(title=short_title(swap.old.title))}")
    return replace(matched, matches=tuple(new if m.product.product_id == swap.old.product_id else m for m in matched.matches))
