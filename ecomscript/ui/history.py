"""Undo and redo: the last changes of a plan, each with the whole plan on its other side."""

from __future__ import annotations

from dataclasses import replace

from ecomscript.ui import texts
from ecomscript.ui.view import Change, PlanView, Swap

MAX_CHANGES = 20


def remembered(before: PlanView, after: PlanView, name: str) -> PlanView:
    """Return the view after a change, with the way back; what had been undone can no longer be made again.

    Args:
        before: The view that was changed.
        after: The changed view; its ``swap`` is that of this change, or None.
        name: What the change is called, such as "Step 3 renamed".
    """
    change = Change(_bare(before), after.swap, name)
    return replace(after, past=(*before.past, change)[-MAX_CHANGES:], future=())


def undone(view: PlanView) -> PlanView:
    """Return the plan before the last change; the same plan when there is none."""
    if not view.past:
        return replace(view, swap=None, said="")
    last = view.past[-1]
    back = Swap(last.swap.new, last.swap.old) if last.swap else None
    future = (Change(_bare(view), last.swap, last.name), *view.future)
    return replace(last.view, past=view.past[:-1], future=future, swap=back, said=texts.UNDONE.format(change=last.name))


def redone(view: PlanView) -> PlanView:
    """Return the plan after the change that was undone last; the same plan when there is none."""
    if not view.future:
        return replace(view, swap=None, said="")
    following = view.future[0]
    past = (*view.past, Change(_bare(view), following.swap, following.name))
    said = texts.REDONE.format(change=following.name)
    return replace(following.view, past=past, future=view.future[1:], swap=following.swap, said=said)


def _bare(view: PlanView) -> PlanView:
    return replace(view, past=(), future=(), choosing=None, swap=None, said="", phase="done", message="")
