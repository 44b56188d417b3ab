"""A plan refined in words: "no alcohol", "for 12", "cheaper", "remove step 3"; only what that touches changes, and it is said what did."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from ecomscript.errors import InputError
from ecomscript.planning.refine import LAST_STEP, Refinement, merged, read_refinement, refused, unread
from ecomscript.request import MAX_REFINEMENTS, clean_refinement
from ecomscript.schema import PlanRequest
from ecomscript.ui import texts
from ecomscript.ui.border import Planner
from ecomscript.ui.edit import changed, name_of, read_edit, shown_steps
from ecomscript.ui.history import remembered
from ecomscript.ui.markup import short_title
from ecomscript.ui.refit import Refit, constrained, refilled, wished, within_budget
from ecomscript.ui.swap import judged
from ecomscript.ui.view import Describe, PlanView
from ecomscript.words import tokens

UNCHECKED = ("season", "climate", "country", "small_space", "quiet", "skill")
"""Constraints that are noted and shown, but that hardly any product can be checked against; a deadline is none at all."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What the rules make of a refinement that passed the gate.

    Attributes:
        text: What the person typed, cleaned.
        asked: What the rules understood.
        unread: The part that they did not read; "" when they read all of it.
    """

    text: str
    asked: Refinement
    unread: str

    @property
    def is_unread(self) -> bool:
        """Whether they read none of it, or not what it says."""
        return self.unread == self.text


def read(view: PlanView, text: object, planner: Planner) -> Reading:
    """Return what a refinement asks of the plan on the page.

    Args:
        view: What the visitor sees.
        text: What the person typed; anything is possible.
        planner: Knows the gate.

    Raises:
        InputError: There is no plan to refine, the text cannot be used, or the gate refuses it.
    """
    if view.phase == "working":
        raise InputError(*texts.EDIT_BUSY)
    if view.status != "plan":
        raise InputError(*texts.STALE)
    said = clean_refinement(text)
    if notices := refused(said, planner.refusal):
        raise InputError(texts.REFINE_REFUSED, " ".join(notices))
    names = [f"{short_title(product.title)} {product.kind or ''}" for product in view.products]
    return Reading(said, read_refinement(said), unread(said, tokens(" ".join(names))))


def by_rules(view: PlanView, reading: Reading, planner: Planner, describe: Describe, why: str) -> PlanView:
    """Return the plan after what the rules read, with what the verifiers say of it then; ``said`` tells what happened.

    Args:
        view: What the visitor sees.
        reading: From ``read``.
        planner: Finds products and judges plans.
        describe: Puts constraints as removable chips.
        why: Why nobody reads the rest, where there is one.

    Raises:
        InputError: The rules understood nothing that can be done.
    """
    asked = reading.asked
    if asked.relative or asked.is_empty:
        cause, fix = texts.REFINE_RELATIVE if asked.relative else texts.REFINE_UNCLEAR
        raise InputError(texts.REFINE_WHY.format(why=why) if reading.unread else cause, fix)
    after = change(opened(view), asked, reading.text, planner, describe)
    if reading.unread and not reading.is_unread:
        after = saying(after, texts.REFINE_REST.format(rest=reading.unread, why=why))
    return finished(view, after, planner)


def opened(view: PlanView) -> PlanView:
    """Return a plan as a change begins with it."""
    return replace(view, choosing=None, swaps=(), said="", asking="", matched=shown_steps(view))


def change(view: PlanView, asked: Refinement, text: str, planner: Planner, describe: Describe) -> PlanView:
    """Return a plan after all that the rules understood, before anybody judges it."""
    return _wished(_edited(_reconstrained(view, asked, text, planner, describe), asked, planner), asked, planner)


def finished(view: PlanView, after: PlanView, planner: Planner) -> PlanView:
    """Return the changed plan judged and with the way back; the plan as it was, with what is said, where nothing changed."""
    if (after.matched, after.constraints) == (shown_steps(view), view.constraints):
        return replace(view, choosing=None, swaps=(), said=after.said, asking="", usage=after.usage)
    return remembered(view, judged(view, after, planner), after.said.rstrip("."))


def _reconstrained(view: PlanView, asked: Refinement, text: str, planner: Planner, describe: Describe) -> PlanView:
    """Put what the text demands on the plan."""
    if not asked.changes_constraints:
        return view
    new = merged(view.constraints, asked)
    if new == view.constraints:
        return saying(view, texts.REFINE_HELD)
    before = view
    view = replace(view, constraints=new, chips=describe(new), request=view.request and _request(view.request, asked, text))
    broken = constrained(view, planner)
    view = broken.view
    more = before.constraints.budget_usd is not None and (new.budget_usd is None or new.budget_usd > before.constraints.budget_usd)
    if more or asked.allowed:
        view = refilled(view, planner)
    fitted = within_budget(view, planner)
    gone = (*broken.gone, *fitted.gone)
    return saying(fitted.view, " ".join(_sentences(before, Refit(fitted.view, gone, broken.kept))))


def _request(request: PlanRequest, asked: Refinement, text: str) -> PlanRequest:
    """Return the request with the refinement, so that a link or a new plan keeps it."""
    if len(request.refinements) >= MAX_REFINEMENTS:
        cause, fix = texts.REFINE_FULL
        raise InputError(cause.format(n=MAX_REFINEMENTS), fix)
    return replace(request, refinements=(*request.refinements, text), removed=request.removed - set(asked.constraints.keys()))


def _edited(view: PlanView, asked: Refinement, planner: Planner) -> PlanView:
    """Remove and add the steps that the text names."""
    ids = [matched.step.step_id for matched in view.matched]
    for number in asked.removed_steps:
        if number != LAST_STEP and not 1 <= number <= len(ids):
            cause, fix = texts.REFINE_NO_STEP
            raise InputError(cause.format(n=number, count=texts.count(len(ids), "step")), fix)
    gone = {ids[LAST_STEP if number == LAST_STEP else number - 1] for number in asked.removed_steps if ids}
    payloads = [{"act": "remove", "step": step_id} for step_id in ids if step_id in gone]
    payloads += [{"act": "add", "text": text} for text in asked.added]
    for payload in payloads:
        view = edited(view, payload, planner)
    return view


def edited(view: PlanView, payload: Mapping[str, str], planner: Planner) -> PlanView:
    """Return a plan after one edit more, which is said after what was said before; see ``edit.apply_edit`` for the payload."""
    after = changed(view, read_edit(view, payload), planner)
    swaps = (*view.swaps, *after.swaps)
    return replace(saying(view, after.said), matched=after.matched, script=tuple(m.step for m in after.matched), swaps=swaps)


def _wished(view: PlanView, asked: Refinement, planner: Planner) -> PlanView:
    """Make the products cheaper or better rated."""
    for wish, cheaper, done, none in (
        (asked.cheaper, True, texts.REFINE_CHEAPER, texts.REFINE_NONE_CHEAPER),
        (asked.better, False, texts.REFINE_BETTER, texts.REFINE_NONE_BETTER),
    ):
        if wish:
            after = wished(view, planner, cheaper)
            swapped = texts.count(len(after.swaps) - len(view.swaps), "product")
            saved = texts.usd(round(view.total_usd - after.total_usd, 2))
            view = saying(after, none if after.swaps == view.swaps else done.format(swapped=swapped, saved=saved))
    return view


def saying(view: PlanView, said: str) -> PlanView:
    """Return a plan of which one sentence more is said."""
    return replace(view, said=f"{view.said} {said}".strip())


def _sentences(before: PlanView, refit: Refit) -> Iterator[str]:
    """Say what new constraints did to a plan."""
    view = refit.view
    old, new = set(before.chips), set(view.chips)
    came = [chip.label for chip in view.chips if chip not in old]
    went = [chip.label for chip in before.chips if chip not in new and chip.key not in {c.key for c in view.chips}]
    head = ", ".join((*came, *(texts.REFINE_LIFTED.format(label=label) for label in went)))
    replaced, found = len(view.swaps), len(view.products) - len(before.products) + len(refit.gone)
    done = [
        texts.REFINE_REPLACED.format(n=texts.count(replaced, "product")) if replaced else "",
        texts.REFINE_LEFT_OUT.format(n=len(refit.gone), titles=", ".join(map(name_of, refit.gone))) if refit.gone else "",
        texts.REFINE_FOUND.format(n=texts.count(found, "product")) if found > 0 else "",
    ]
    changes = ", ".join(filter(None, done)) or texts.REFINE_NOTHING
    yield f"{head[:1].upper()}{head[1:]}{' –' if ':' in head else ':'} {changes}."
    if refit.kept:
        named = ", ".join(f"{name_of(match)} ({reason})" for match, reason in refit.kept)
        yield texts.REFINE_KEPT.format(named=named)
    yield from _limits(before, view)


def _limits(before: PlanView, view: PlanView) -> Iterator[str]:
    """Say what the new constraints mean for the total, and what cannot be kept or checked."""
    old, new = before.constraints, view.constraints
    if new.people != old.people or new.budget_usd != old.budget_usd:
        yield texts.REFINE_TOTAL.format(total=texts.usd(view.total_usd))
    if new.budget_usd is not None and view.total_usd > new.budget_usd:
        yield texts.REFINE_KEPT_DEAR.format(over=texts.usd(round(view.total_usd - new.budget_usd, 2)))
    if new.deadline != old.deadline:
        yield texts.REFINE_NO_TIMES
    if any(getattr(new, name) != getattr(old, name) for name in UNCHECKED):
        yield texts.REFINE_UNCHECKED
