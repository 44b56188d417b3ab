"""The plan as a person edits it: one change at a time, that step alone matched again, the whole plan looked at again."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ecomscript.association.alternatives import Wanted
from ecomscript.errors import InputError
from ecomscript.quantities import cost_usd
from ecomscript.request import MAX_STEP_CHARS, MAX_STEPS, clean_text
from ecomscript.schema import PER_STEP, Constraints, Match, MatchedStep, Product
from ecomscript.ui import texts
from ecomscript.ui.border import Planner
from ecomscript.ui.history import redone, remembered, undone
from ecomscript.ui.markup import short_title
from ecomscript.ui.swap import judged
from ecomscript.ui.view import Choosing, PlanView, Swap

OFFERED = 10
"""Alternatives in the list that "More like this" opens."""
OTHER_KIND = 0.5
"""Least P(it helps the step) of a product of another kind that takes a place, or is offered for it."""

Steps = tuple[MatchedStep, ...]


@dataclass(frozen=True, slots=True)
class Edit:
    """One edit whose step and product are on the page.

    Attributes:
        act: What to do.
        at: Position of the step, or of the step that shows the product; -1 where the edit is about neither.
        product_id: The product.
        text: What a person wrote for the step.
        to: Position to move to.
        other: The alternative that was chosen.
    """

    act: str
    at: int = -1
    product_id: str = ""
    text: str = ""
    to: int = -1
    other: Match | None = None


def apply_edit(view: PlanView, payload: Any, planner: Planner) -> PlanView:
    """Return the view after an edit, with what the verifiers say of the plan then; ``said`` tells what happened.

    Args:
        view: What the visitor sees.
        payload: ``{"act": …, "step": step_id, "pid": product_id, "text": …, "place": n, "swap": product_id}`` with what the act needs;
            comes from the browser, so anything is possible.
        planner: Matches steps and judges plans.

    Raises:
        InputError: The payload names nothing that is on the page, the text cannot be used, or a plan is being made.
    """
    edit = read_edit(view, payload)
    match edit.act:
        case "undo":
            return undone(view)
        case "redo":
            return redone(view)
        case "close":
            return replace(view, choosing=None, swaps=(), said="")
        case "choose":
            return _opened(view, edit, planner)
    after = changed(view, edit, planner)
    if after.matched == shown_steps(view) and (after.dismissed, after.locked) == (view.dismissed, view.locked):
        return replace(view, choosing=None, swaps=(), said=after.said)  # nothing was found to change
    return remembered(view, judged(view, after, planner), after.said.rstrip("."))


def changed(view: PlanView, edit: Edit, planner: Planner) -> PlanView:
    """Return the view after an edit of a step or a product, before anybody judges it."""
    return _CHANGES[edit.act](replace(view, choosing=None, swaps=(), said=""), edit, planner)


def read_edit(view: PlanView, payload: Any) -> Edit:
    """Return the edit that a payload asks for; see ``apply_edit``."""
    if view.phase == "working":
        raise InputError(*texts.EDIT_BUSY)
    data: Mapping[str, Any] = payload if isinstance(payload, Mapping) else {}
    act = data.get("act")
    if view.status != "plan" or not isinstance(act, str):
        raise InputError(*texts.STALE)
    if act in {"undo", "redo", "close"}:
        return Edit(act)
    steps = shown_steps(view)
    if act == "add":
        if len(steps) >= MAX_STEPS:
            raise InputError(texts.TOO_MANY_STEPS[0].format(n=MAX_STEPS), texts.TOO_MANY_STEPS[1])
        return Edit(act, text=_sentence(data.get("text")))
    if act in {"rename", "remove", "up", "down", "move"}:
        at = _position([m.step.step_id for m in steps], data.get("step"))
        if act == "rename":
            return Edit(act, at, text=_sentence(data.get("text")))
        return Edit(act, at, to=_target(act, at, data.get("place"), len(steps)))
    if act in {"lock", "choose", "cheaper", "better", "dismiss", "swap"}:
        return _product_edit(view, act, data)
    raise InputError(*texts.STALE)


def shown_steps(view: PlanView) -> Steps:
    """Return all steps as they are shown; those that a stopped run did not reach have no products and say so."""
    return (*view.matched, *(MatchedStep(step, note=texts.NOT_REACHED) for step in view.pending))


def _product_edit(view: PlanView, act: str, data: Mapping[str, Any]) -> Edit:
    product_id, wanted = data.get("pid"), data.get("swap")
    owners = {m.product.product_id: n for n, matched in enumerate(view.matched) for m in matched.matches}
    if not isinstance(product_id, str) or product_id not in owners:
        raise InputError(*texts.STALE)
    edit = Edit(act, owners[product_id], product_id)
    if act != "lock" and product_id in view.locked:
        raise InputError(*texts.LOCKED)
    if act != "swap":
        return edit
    offered = view.choosing.options if view.choosing and view.choosing.product_id == product_id else ()
    other = next((m for m in offered if isinstance(wanted, str) and m.product.product_id == wanted), None)
    if other is None:
        raise InputError(*texts.STALE)
    return replace(edit, other=other)


def _position(ids: Sequence[str], step_id: Any) -> int:
    if not isinstance(step_id, str) or step_id not in ids:
        raise InputError(*texts.STALE)
    return ids.index(step_id)


def _target(act: str, at: int, place: Any, count: int) -> int:
    """Return where a step is to go, counted from 0; the first one stays when it is moved up."""
    if act != "move":
        return min(max(at + {"up": -1, "down": 1}.get(act, 0), 0), count - 1)
    if not isinstance(place, int) or isinstance(place, bool) or not 0 <= place < count:
        raise InputError(*texts.STALE)
    return place


def _sentence(text: Any) -> str:
    if not isinstance(text, str):
        raise InputError(*texts.STALE)
    if len(text) > MAX_STEP_CHARS:
        cause, fix = texts.STEP_TOO_LONG
        raise InputError(cause.format(n=f"{len(text):,}", most=MAX_STEP_CHARS), fix)
    cleaned = clean_text(text)
    if not cleaned:
        raise InputError(*texts.STEP_EMPTY)
    return cleaned


def _rename(view: PlanView, edit: Edit, planner: Planner) -> PlanView:
    steps = shown_steps(view)
    old = steps[edit.at]
    kept = tuple(planner.place(view.goal, edit.text, m.product.product_id) or m for m in old.matches if m.product.product_id in view.locked)
    others = with_step(steps, edit.at, replace(old, matches=kept))
    fresh = planner.rematch(view.goal, view.objective, edit.text, left_of_budget(view.constraints, others), taken(view, others))
    renamed = MatchedStep(replace(fresh.step, step_id=old.step.step_id), (*kept, *fresh.matches)[:PER_STEP], fresh.note)
    said = texts.STEP_RENAMED.format(n=edit.at + 1, found=texts.count(len(renamed.matches), "product"))
    return replace(view, matched=with_step(steps, edit.at, renamed), said=said)


def _add(view: PlanView, edit: Edit, planner: Planner) -> PlanView:
    steps = shown_steps(view)
    fresh = planner.rematch(view.goal, view.objective, edit.text, left_of_budget(view.constraints, steps), taken(view, steps))
    used = {matched.step.step_id for matched in steps}
    new_id = next(name for n in range(1, MAX_STEPS + 1) if (name := f"own{n}") not in used)
    added = replace(fresh, step=replace(fresh.step, step_id=new_id))
    said = texts.STEP_ADDED.format(n=len(steps) + 1, found=texts.count(len(added.matches), "product"))
    return replace(view, matched=(*steps, added), said=said)


def _remove(view: PlanView, edit: Edit, _: Planner) -> PlanView:
    steps = shown_steps(view)
    said = texts.STEP_REMOVED.format(n=edit.at + 1, text=steps[edit.at].step.text)
    return replace(view, matched=(*steps[: edit.at], *steps[edit.at + 1 :]), said=said)


def _move(view: PlanView, edit: Edit, _: Planner) -> PlanView:
    steps = [*shown_steps(view)]
    steps.insert(edit.to, steps.pop(edit.at))
    return replace(view, matched=tuple(steps), said=texts.STEP_MOVED.format(old=edit.at + 1, new=edit.to + 1))


def _lock(view: PlanView, edit: Edit, _: Planner) -> PlanView:
    said = texts.PRODUCT_UNLOCKED if edit.product_id in view.locked else texts.PRODUCT_LOCKED
    title = name_of(_match(view, edit))
    return replace(view, matched=shown_steps(view), locked=view.locked ^ {edit.product_id}, said=said.format(title=title))


def _dismiss(view: PlanView, edit: Edit, planner: Planner) -> PlanView:
    found = _alternatives(view, edit, planner)
    after = replace(view, dismissed=view.dismissed | {edit.product_id})
    if found:
        return _put(after, edit, found[0], texts.DISMISSED_FOR)
    steps = shown_steps(view)
    said = texts.DISMISSED.format(old=name_of(_match(view, edit)))
    return replace(after, matched=with_step(steps, edit.at, without(steps[edit.at], edit.product_id)), said=said)


def _swap(view: PlanView, edit: Edit, _: Planner) -> PlanView:
    assert edit.other is not None
    return _put(view, edit, edit.other, texts.STAGE_SWAPPED)


def _cheaper(view: PlanView, edit: Edit, planner: Planner) -> PlanView:
    price = _match(view, edit).product.price_usd
    found = _alternatives(view, edit, planner, own_kind=True)
    cheaper = [m for m in found if price is not None and m.product.price_usd is not None and m.product.price_usd < price]
    return _put_best(view, edit, cheaper, texts.NONE_CHEAPER)


def _better(view: PlanView, edit: Edit, planner: Planner) -> PlanView:
    rating = _match(view, edit).product.rating or 0.0
    better = [m for m in _alternatives(view, edit, planner, own_kind=True) if (m.product.rating or 0.0) > rating]
    return _put_best(view, edit, better, texts.NONE_BETTER)


def _put_best(view: PlanView, edit: Edit, found: Sequence[Match], none: str) -> PlanView:
    if found:
        return _put(view, edit, found[0], texts.STAGE_SWAPPED)
    return replace(view, matched=shown_steps(view), said=none.format(title=name_of(_match(view, edit))))


def _put(view: PlanView, edit: Edit, new: Match, said: str) -> PlanView:
    """Return the view with another product in the place of the edit's."""
    steps, old = shown_steps(view), _match(view, edit)
    put = instead(new, old.product)
    matches = tuple(put if m is old else m for m in steps[edit.at].matches)
    matched = with_step(steps, edit.at, replace(steps[edit.at], matches=matches))
    return replace(view, matched=matched, swaps=(Swap(old.product, new.product),), said=said.format(old=name_of(old), new=name_of(new)))


def _opened(view: PlanView, edit: Edit, planner: Planner) -> PlanView:
    """Open the list of alternatives, or say that there is none."""
    kind = _match(view, edit).product.kind
    found = tuple(m for m in _alternatives(view, edit, planner) if m.product.kind == kind or (m.t2 or 0.0) >= OTHER_KIND)
    choosing = Choosing(edit.product_id, found) if found else None
    said = "" if found else texts.NONE_OTHER.format(title=name_of(_match(view, edit)))
    return replace(view, choosing=choosing, swaps=(), said=said)


def _alternatives(view: PlanView, edit: Edit, planner: Planner, own_kind: bool = False) -> list[Match]:
    steps = shown_steps(view)
    here = steps[edit.at]
    left = left_of_budget(view.constraints, with_step(steps, edit.at, without(here, edit.product_id)))
    wanted = Wanted(here.step.text, edit.product_id, left, OFFERED, own_kind)
    (found,) = planner.alternatives(view.goal, [wanted], taken(view, steps))
    return found


def _match(view: PlanView, edit: Edit) -> Match:
    return next(m for m in view.matched[edit.at].matches if m.product.product_id == edit.product_id)


def with_step(steps: Steps, at: int, matched: MatchedStep) -> Steps:
    """Return the steps with another one in a place."""
    return (*steps[:at], matched, *steps[at + 1 :])


def without(matched: MatchedStep, product_id: str) -> MatchedStep:
    """Return a step without a product."""
    return replace(matched, matches=tuple(m for m in matched.matches if m.product.product_id != product_id))


def instead(new: Match, old: Product) -> Match:
    """Return a match that says whose place it takes."""
    return replace(new, why=f"{new.why} {texts.INSTEAD_WHY.format(title=short_title(old.title))}")


def name_of(match: Match) -> str:
    """Return the name of a product without its details."""
    return short_title(match.product.title)


def left_of_budget(constraints: Constraints, steps: Sequence[MatchedStep]) -> Constraints:
    """Return the constraints with what the products of ``steps`` leave of the budget."""
    if constraints.budget_usd is None:
        return constraints
    spent = sum(cost_usd(m.product, constraints.people) for matched in steps for m in matched.matches)
    return replace(constraints, budget_usd=max(round(constraints.budget_usd - spent, 2), 0.0))


def taken(view: PlanView, steps: Sequence[MatchedStep]) -> frozenset[str]:
    """Return the ids that may not be shown once more: those on the page and those that were turned down."""
    return view.dismissed | {m.product.product_id for matched in steps for m in matched.matches}


_CHANGES: Mapping[str, Callable[[PlanView, Edit, Planner], PlanView]] = {
    "rename": _rename,
    "add": _add,
    "remove": _remove,
    "up": _move,
    "down": _move,
    "move": _move,
    "lock": _lock,
    "dismiss": _dismiss,
    "swap": _swap,
    "cheaper": _cheaper,
    "better": _better,
}
