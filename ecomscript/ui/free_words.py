"""A plan refined in any words: what the rules do not read, a language model puts into calls, each checked like a forged event."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, replace
from typing import Any

from ecomscript.errors import InputError, LanguageModelError
from ecomscript.llm.own import OwnKey
from ecomscript.planning.ground import MOST_CHARS
from ecomscript.planning.refine import Refinement, in_words, read_refinement, refused
from ecomscript.planning.tools import AddStep, Ask, Call, Choice, RemoveStep, RenameStep, SetConstraint, SwapProduct, Table
from ecomscript.schema import Usage
from ecomscript.ui import texts
from ecomscript.ui.border import Planner, heard, inside
from ecomscript.ui.edit import apply_edit
from ecomscript.ui.plan_object import LISTS, constraint_value
from ecomscript.ui.refine import Reading, by_rules, change, edited, finished, opened, read, saying
from ecomscript.ui.view import Describe, PlanView

WISH_ACTS = {"cheaper": "cheaper", "better rated": "better"}


@dataclass(frozen=True, slots=True)
class _Desk:
    """What a call is carried out with: the planner, the chips, and the ids behind the handles."""

    planner: Planner
    describe: Describe
    steps: dict[str, str]
    products: dict[str, str]


def refining(
    view: PlanView, text: object, planner: Planner, describe: Describe, visitor: str = "", own: OwnKey | None = None
) -> Generator[PlanView, None, None]:
    """Yield the plan while a language model reads what the rules did not, and at last the plan after the change.

    What the rules read they do by themselves. Closing the generator ends the question to the model; the plan then stays as it was.

    Args:
        view: What the visitor sees.
        text: What the person typed; anything is possible.
        planner: Asks the model, finds products and judges plans.
        describe: Puts constraints as removable chips.
        visitor: On whose behalf.
        own: The visitor's own key.

    Raises:
        InputError: See ``read`` and ``by_rules``; where a model was asked, the message says why it was of no help.
    """
    reading = read(view, text, planner)
    if not (reading.unread and (planner.has_model or own)):
        yield by_rules(view, reading, planner, describe, texts.REFINE_NO_MODEL)
        return
    desk = _desk(view, planner, describe)
    waiting = replace(opened(view), phase="working", asking=reading.text)
    yield waiting
    try:
        choice, usage = yield from heard(planner.choose_calls(_table(view, reading, desk, visitor), own), waiting)
    except LanguageModelError as error:
        yield _not_read(view, reading, desk, inside(error))
        return
    yield _applied(view, reading, desk, choice, usage)


def _desk(view: PlanView, planner: Planner, describe: Describe) -> _Desk:
    steps = {f"s{n}": matched.step.step_id for n, matched in enumerate(opened(view).matched, start=1)}
    products = {f"p{n}": product.product_id for n, product in enumerate(view.products, start=1)}
    return _Desk(planner, describe, steps, products)


def _table(view: PlanView, reading: Reading, desk: _Desk, visitor: str) -> Table:
    matched = opened(view).matched
    shown: dict[str, dict[str, Any]] = {}
    for handle, product_id in desk.products.items():
        step, match = next((n, m) for n, s in enumerate(matched, start=1) for m in s.matches if m.product.product_id == product_id)
        product = match.product
        shown[handle] = {"step": f"s{step}", "title": product.title[:MOST_CHARS], "price": product.price_usd, "rating": product.rating}
    steps = {handle: step.step.text for handle, step in zip(desk.steps, matched, strict=True)}
    if reading.is_unread:
        return Table(reading.text, view.goal, steps, shown, view.constraints, visitor=visitor)
    return Table(reading.unread, view.goal, steps, shown, view.constraints, reading.text, visitor)


def _applied(view: PlanView, reading: Reading, desk: _Desk, choice: Choice, usage: Usage) -> PlanView:
    """Return the plan after the calls that can be made, or after what the rules read where none can."""
    after, left_out, questions = opened(view), choice.left_out, []
    if not reading.is_unread:
        after = change(after, reading.asked, reading.text, desk.planner, desk.describe)
    made = 0
    for call in choice.calls:
        try:
            if isinstance(call, Ask):
                questions.append(_question(call, desk.planner))
            else:
                after = _called(after, call, desk)
            made += 1
        except InputError:
            left_out += 1
    if not made:
        return _not_read(view, reading, desk, texts.REFINE_BAD_CALLS if left_out else texts.REFINE_NO_CALL)
    if left_out:
        after = saying(after, texts.REFINE_LEFT.format(n=texts.count(left_out, "change")))
    after = replace(after, usage=view.usage + usage)
    done = finished(view, after, desk.planner)
    for question in questions:
        done = saying(done, texts.REFINE_ASKS.format(question=question))
    return saying(done, texts.REFINE_TOKENS.format(tokens=f"{usage.tokens:,}"))


def _not_read(view: PlanView, reading: Reading, desk: _Desk, why: str) -> PlanView:
    """Return the plan after what the rules read, if that is anything, saying why the rest is left."""
    if reading.is_unread and not reading.asked.relative:
        reading = replace(reading, asked=Refinement())
    return by_rules(view, reading, desk.planner, desk.describe, why)


def _called(view: PlanView, call: Call, desk: _Desk) -> PlanView:
    """Return the plan after one call; it raises ``InputError`` for one that cannot be made."""
    match call:
        case AddStep(text=text):
            _pass(text, view, desk.planner)
            return edited(view, {"act": "add", "text": text}, desk.planner)
        case RenameStep(step=step, text=text):
            _pass(text, view, desk.planner)
            return edited(view, {"act": "rename", "step": desk.steps[step], "text": text}, desk.planner)
        case RemoveStep(step=step) if len(view.matched) > 1:
            return edited(view, {"act": "remove", "step": desk.steps[step]}, desk.planner)
        case SwapProduct(product=product, wish=wish):
            return _swapped(view, desk.products[product], wish, desk.planner)
        case SetConstraint(name=name, value=value):
            return _constrained(view, name, value, desk)
    raise InputError(*texts.STALE)


def _pass(text: str, view: PlanView, planner: Planner) -> None:
    """Raise ``InputError`` for the text of a step that the gate refuses, or that stands in the plan already."""
    if planner.refusal(text) or text.casefold() in {matched.step.text.casefold() for matched in view.matched}:
        raise InputError(*texts.STALE)


def _question(call: Ask, planner: Planner) -> str:
    if planner.refusal(call.question):
        raise InputError(*texts.STALE)
    return call.question


def _swapped(view: PlanView, product_id: str, wish: str, planner: Planner) -> PlanView:
    if wish in WISH_ACTS:
        return edited(view, {"act": WISH_ACTS[wish], "pid": product_id}, planner)
    choosing = apply_edit(view, {"act": "choose", "pid": product_id}, planner)
    if choosing.choosing is None:
        return saying(view, choosing.said)
    offered = choosing.choosing.options[0].product.product_id
    chosen = edited(replace(view, choosing=choosing.choosing), {"act": "swap", "pid": product_id, "swap": offered}, planner)
    return replace(chosen, choosing=None)


def _constrained(view: PlanView, name: str, value: Any, desk: _Desk) -> PlanView:
    """Put a constraint on the plan in words that the rules read back, so that a link keeps it and no other words reach a chip."""
    members = value if isinstance(value, list) else [value]
    for member in members:
        checked = constraint_value(name, [member] if name in LISTS else member)
        words = in_words(name, checked)
        if not words or refused(words, desk.planner.refusal):
            raise InputError(*texts.STALE)
        view = change(view, read_refinement(words), words, desk.planner, desk.describe)
    if not members:
        raise InputError(*texts.STALE)
    return view
