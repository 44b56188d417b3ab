"""A plan as a short text that reproduces it, for links and for the plans kept in the browser; what comes back is hostile until checked."""

from __future__ import annotations

import base64
import json
import re
import time
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from ecomscript.association.eligibility import Eligibility
from ecomscript.errors import InputError
from ecomscript.quantities import MAX_QUANTITY
from ecomscript.request import (
    MAX_NAME_CHARS,
    MAX_NOTE_CHARS,
    MAX_OBJECTIVE_CHARS,
    MAX_STEP_CHARS,
    MAX_STEPS,
    clean_text,
    make_request,
)
from ecomscript.schema import PER_STEP, Constraints, Match, MatchedStep, PlanRequest, Step
from ecomscript.ui import texts
from ecomscript.ui.basket import MAX_LINES, Basket, Line
from ecomscript.ui.border import Planner, refuses_notes
from ecomscript.ui.edit import shown_steps
from ecomscript.ui.swap import judged
from ecomscript.ui.view import Describe, PlanView, advance

VERSION = "1"
MAX_CODE = 6_000
"""Most characters of a code; a web address of this length still opens everywhere."""
MAX_UNPACKED = 65_536
"""Most bytes that a code may unpack to."""
MAX_IDS = 200
"""Most products that may be locked, or turned down."""
MAX_KEY_CHARS = 200

_CODE = re.compile(r"(\d{1,4})\.([A-Za-z0-9_-]+)")
_CONSTRAINTS = frozenset(f.name for f in fields(Constraints))
_BUYS = (None, False, True)


@dataclass(frozen=True, slots=True)
class SharedStep:
    """A step as it was sent: its text, the products chosen for it, whether it needs any, and what was noted."""

    text: str
    product_ids: tuple[str, ...] = ()
    buys: bool | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class SharedLine:
    """A line of the basket as it was sent; see ``basket.Line``."""

    product_id: str
    quantity: int = 1
    by_hand: bool = False
    optional: bool = False
    ticked: bool = False


@dataclass(frozen=True, slots=True)
class SharedPlan:
    """What a code says, checked and cleaned, before anything is looked up.

    Attributes:
        locked: Ids of products that stay whatever is matched again.
        dismissed: Ids of products that were turned down.
    """

    request: PlanRequest
    objective: str
    steps: tuple[SharedStep, ...]
    lines: tuple[SharedLine, ...] = ()
    locked: frozenset[str] = frozenset()
    dismissed: frozenset[str] = frozenset()

    @property
    def product_ids(self) -> frozenset[str]:
        """Every product that was chosen, in a step or in the basket."""
        return frozenset((*(pid for step in self.steps for pid in step.product_ids), *(line.product_id for line in self.lines)))


def shared_plan(view: PlanView, basket: Basket) -> SharedPlan:
    """Return what is worth sending of a plan and a basket.

    Raises:
        InputError: There is no plan, or one that no link can hold.
    """
    if view.request is None or view.status != "plan" or not view.script:
        raise InputError(*texts.SHARE_NOTHING)
    sent = []
    for matched in shown_steps(view):
        step = matched.step
        ids = tuple(match.product.product_id for match in matched.matches)
        note = clean_text(f"{step.note} {matched.note}")[:MAX_NOTE_CHARS].rstrip()
        sent.append(SharedStep(clean_text(step.text), ids, step.buys, note))
    lines = tuple(SharedLine(line.product.product_id, line.quantity, line.by_hand, line.optional, line.ticked) for line in basket.lines)
    return SharedPlan(view.request, clean_text(view.objective), tuple(sent), lines, view.locked, view.dismissed)


def encode(view: PlanView, basket: Basket) -> str:
    """Return a plan and a basket as a code such as ``1.eNqrV…``.

    Raises:
        InputError: There is no plan, or one that no link can hold.
    """
    shared = shared_plan(view, basket)
    request = shared.request
    whole = {
        "g": request.goal,
        "b": request.budget_usd,
        "p": request.people,
        "x": request.exclude,
        "r": sorted(request.removed),
        "f": request.refinements,
        "y": request.like,
        "o": shared.objective,
        "s": [(step.text, step.product_ids, _BUYS.index(step.buys), step.note) for step in shared.steps],
        "k": [(line.product_id, line.quantity, line.by_hand + 2 * line.optional + 4 * line.ticked) for line in shared.lines],
        "l": sorted(shared.locked),
        "d": sorted(shared.dismissed),
    }
    text = json.dumps({key: value for key, value in whole.items() if value}, ensure_ascii=False, separators=(",", ":"))
    code = f"{VERSION}.{base64.urlsafe_b64encode(zlib.compress(text.encode(), 9)).decode().rstrip('=')}"
    try:
        decode(code)
    except InputError as error:
        raise InputError(*texts.SHARE_TOO_LARGE) from error
    return code


def decode(text: Any) -> SharedPlan:
    """Return what a code says.

    Args:
        text: From an address or a browser's storage, so anything is possible.

    Raises:
        InputError: The code is broken, cut off, too large or of another version.
    """
    data = _unpack(text)
    try:
        removed, refinements = map(_key, data.get("r", ())), data.get("f", ())
        request = make_request(data.get("g", ""), data.get("b"), data.get("p"), data.get("x", ()), removed, refinements, data.get("y"))
        objective = _text(data.get("o", ""), MAX_OBJECTIVE_CHARS)
        sent = data.get("s")
        if isinstance(sent, list) and len(sent) > MAX_STEPS:
            raise InputError(texts.SHARE_STEPS[0].format(n=f"{len(sent):,}", most=MAX_STEPS), texts.SHARE_STEPS[1])
        steps = tuple(_step(*step) for step in _listed(sent, MAX_STEPS))
        lines = {line.product_id: line for sent in _listed(data.get("k", []), MAX_LINES) for line in (_line(*sent),)}
        locked, dismissed = (frozenset(map(_id, _listed(data.get(key, []), MAX_IDS))) for key in "ld")
    except (TypeError, ValueError) as error:
        raise InputError(*texts.SHARE_BROKEN) from error
    if not steps:
        raise InputError(*texts.SHARE_BROKEN)
    return SharedPlan(request, objective, steps, tuple(lines.values()), locked, dismissed)


def restore(shared: SharedPlan, planner: Planner, describe: Describe, show_t2: bool = True) -> tuple[PlanView, Basket]:
    """Return a shared plan with the products of today's catalogue and what the verifiers say of it now.

    The goal is read again, so that its constraints hold; what gets no plan when it is typed gets none by a link either.

    Args:
        shared: From ``decode``.
        planner: Knows the products and the verifiers.
        describe: Puts constraints as removable chips.
        show_t2: Whether the lines of the basket carry T2's scores.
    """
    started = time.perf_counter()
    view = advance(PlanView(shared.request, "working"), next(iter(planner.stream(shared.request, planner="library"))), describe)
    if view.phase == "failed":
        return view, Basket()
    if view.status in ("redirect", "refuse"):
        return replace(view, phase="done"), Basket()
    allowed = _allowed(shared, view, planner)
    if not allowed.steps:
        notices = planner.refusal(shared.steps[0].text)
        return replace(view, phase="done", status="refuse", script=(), notices=notices), Basket()
    refused, shared = len(shared.steps) - len(allowed.steps), allowed
    eligibility = Eligibility(view.constraints)
    planned = {step.text: step for step in view.script}
    steps = []
    for n, sent in enumerate(shared.steps):
        step = planned.pop(sent.text, None) or Step(f"shared{n + 1}", sent.text, buys=sent.buys)
        found = [match for pid in sent.product_ids if (match := planner.place(view.goal, sent.text, pid))]
        steps.append(_kept(replace(step, note=""), found, sent.note, eligibility))
    gone = sum(planner.product(pid) is None for pid in shared.product_ids)
    as_planned = [step.text for step in view.script] == [sent.text for sent in shared.steps]
    restored = replace(
        view,
        status="plan",
        objective=shared.objective or view.goal,
        confidence=view.confidence if as_planned else None,
        matched=tuple(steps),
        locked=shared.locked,
        dismissed=shared.dismissed,
        notices=(texts.SHARED, *filter(None, (texts.shared_gone(gone), texts.shared_refused(refused))), *view.notices),
    )
    restored = judged(view, restored, planner)
    return replace(restored, elapsed_s=time.perf_counter() - started), _basket(shared, restored, planner, show_t2)


def _allowed(shared: SharedPlan, view: PlanView, planner: Planner) -> SharedPlan:
    """Return the plan without the words of its own that the gate refuses when they are typed."""
    planned = {view.objective, *(step.text for step in view.script)}
    steps = tuple(step for step in shared.steps if step.text in planned or not planner.refusal(step.text))
    if refuses_notes(planner, (step.note for step in steps)):
        steps = tuple(replace(step, note="") for step in steps)
    named = shared.objective in planned or not planner.refusal(shared.objective)
    return replace(shared, steps=steps, objective=shared.objective if named else "")


def _basket(shared: SharedPlan, view: PlanView, planner: Planner, show_t2: bool) -> Basket:
    t2 = view.t2 if show_t2 else {}
    lines = (
        Line(product, sent.quantity, t2.get(sent.product_id), sent.by_hand, sent.optional, sent.ticked)
        for sent in shared.lines
        if (product := planner.product(sent.product_id))
    )
    return Basket(tuple(lines)).follow(view.goal, view.constraints, view.matched)


def _kept(step: Step, found: list[Match], note: str, eligibility: Eligibility) -> MatchedStep:
    """Return a step with the products that keep the constraints; the others are named in its note."""
    reasons = [eligibility.violation(match.product) for match in found]
    kept = tuple(match for match, reason in zip(found, reasons, strict=True) if reason is None)
    left_out = (texts.SHARED_LEFT_OUT.format(title=m.product.title, reason=r) for m, r in zip(found, reasons, strict=True) if r)
    return MatchedStep(step, kept, " ".join(filter(None, (note, *left_out))))


def _unpack(text: Any) -> Mapping[str, Any]:
    """Return the object inside a code, with no more memory than ``MAX_UNPACKED`` whatever it claims to hold."""
    code = text.strip() if isinstance(text, str) else ""
    if len(code) > MAX_CODE:
        raise InputError(*texts.SHARE_LONG)
    parts = _CODE.fullmatch(code)
    if parts is None:
        raise InputError(*texts.SHARE_BROKEN)
    version, packed = parts.groups()
    if version != VERSION:
        raise InputError(*texts.SHARE_VERSION)
    unpacker = zlib.decompressobj()
    try:
        raw = unpacker.decompress(base64.urlsafe_b64decode(packed + "=" * (-len(packed) % 4)), MAX_UNPACKED + 1)
        if len(raw) > MAX_UNPACKED:
            raise InputError(*texts.SHARE_LONG)
        whole = json.loads(raw) if unpacker.eof and not unpacker.unused_data else None
    except (zlib.error, ValueError, RecursionError) as error:
        raise InputError(*texts.SHARE_BROKEN) from error
    if not isinstance(whole, dict):
        raise InputError(*texts.SHARE_BROKEN)
    return whole


def _listed(value: Any, most: int) -> list[Any]:
    if not isinstance(value, list) or len(value) > most:
        raise ValueError("not a list of this length")
    return value


def _text(value: Any, most: int) -> str:
    if not isinstance(value, str) or len(value) > most:
        raise ValueError("not a text of this length")
    return clean_text(value)


def _id(value: Any) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= MAX_NAME_CHARS:
        raise ValueError("not a product id")
    return value


def _key(value: Any) -> str:
    """Return the key of a constraint, such as ``exclude:tent``."""
    key = _text(value, MAX_KEY_CHARS)
    if key.partition(":")[0] not in _CONSTRAINTS:
        raise ValueError("not the key of a constraint")
    return key


def _line(product_id: Any, quantity: Any, flags: Any) -> SharedLine:
    if type(quantity) is not int or type(flags) is not int or not (1 <= quantity <= MAX_QUANTITY and 0 <= flags < 8):
        raise ValueError("not a line of a basket")
    return SharedLine(_id(product_id), quantity, bool(flags & 1), bool(flags & 2), bool(flags & 4))


def _step(text: Any, product_ids: Any, buys: Any, note: Any) -> SharedStep:
    said = _text(text, MAX_STEP_CHARS)
    if not said or type(buys) is not int or not 0 <= buys < len(_BUYS):
        raise ValueError("not a step")
    ids = tuple(map(_id, _listed(product_ids, PER_STEP)))
    return SharedStep(said, tuple(dict.fromkeys(ids)), _BUYS[buys], _text(note, MAX_NOTE_CHARS))
