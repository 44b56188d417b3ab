"""Undo and redo: the last changes of a plan, each with the whole plan on its other side."""

from __future__ import annotations

from dataclasses import replace

from ecomscript.ui import texts
from ecomscript.ui.view import Change, PlanView

MAX_CHANGES = 20


def remembered(before: PlanView, after: PlanView, name: str) -> PlanView:
    """Return the view after a change, with the way back; what had been undone can no longer be made again.

    Args:
        before: The view that was changed.
        after: The changed view; its ``swaps`` are those of this change.
        name: What the change is called, such as "Step 3 renamed".
    """
    change = Change(_bare(before), after.swaps, name)
    return replace(after, past=(*before.past, change)[-MAX_CHANGES:], future=())


def undone(view: PlanView) -> PlanView:
    """Return the plan before the last change; the same plan when there is none."""
    if not view.past:
        return replace(view, swaps=(), said="")
    last = view.past[-1]
    back = tuple(swap.back for swap in last.swaps)
    future = (Change(_bare(view), last.swaps, last.name), *view.future)
    said = texts.UNDONE.format(change=last.name)
    return replace(_paid(last.view, view), past=view.past[:-1], future=future, swaps=back, said=said)


def redone(view: PlanView) -> PlanView:
    """Return the plan after the change that was undone last; the same plan when there is none."""
    if not view.future:
        return replace(view, swaps=(), said="")
    following = view.future[0]
    past = (*view.past, Change(_bare(view), following.swaps, following.name))
    said = texts.REDONE.format(change=following.name)
    return replace(_paid(following.view, view), past=past, future=view.future[1:], swaps=following.swaps, said=said)


def _bare(view: PlanView) -> PlanView:
    return replace(view, past=(), future=(), choosing=None, swaps=(), said="", phase="done", message="")


def _paid(view: PlanView, now: PlanView) -> PlanView:
    """Return an earlier or later plan with what language models have cost and said by now."""
    return replace(view, usage=now.usage, opinions=now.opinions)
