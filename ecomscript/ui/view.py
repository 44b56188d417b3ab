"""What one visitor's plan area shows, as a frozen value that each pipeline event moves on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from ecomscript.errors import InputError
from ecomscript.events import BundleVerified, Event, Failed, Finished, Planned, ScriptVerified, StepMatched, StepPlanned
from ecomscript.quantities import cost_usd
from ecomscript.schema import (
    NO_USAGE,
    Confidence,
    Conflict,
    ConstraintItem,
    Constraints,
    Match,
    MatchedStep,
    Opinion,
    PlanRequest,
    Product,
    Status,
    Step,
    Usage,
    Verdict,
)
from ecomscript.ui import texts
from ecomscript.verification.claims import Claim, Task
from ecomscript.words import tokens

MAX_HEADLINE = 90
"""Characters of the headline; a whole story may be told as a goal."""

Phase = Literal["idle", "working", "done", "stopped", "failed"]
Describe = Callable[[Constraints], tuple[ConstraintItem, ...]]


@dataclass(frozen=True, slots=True)
class Swap:
    """A product that took the place of another."""

    old: Product
    new: Product

    @property
    def back(self) -> Swap:
        """The way back."""
        return Swap(self.new, self.old)


@dataclass(frozen=True, slots=True)
class Choosing:
    """The list of what could take a product's place, while it is open."""

    product_id: str
    options: tuple[Match, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """One edit as it is remembered.

    Attributes:
        view: The plan on the other side of it, without memory of its own.
        swaps: The products that it swapped.
        name: What it is called.
    """

    view: PlanView
    swaps: tuple[Swap, ...]
    name: str


@dataclass(frozen=True, slots=True)
class SecondOpinion:
    """What a language model said where a verifier was unsure.

    Attributes:
        claim: What the verifier was asked.
        opinion: None where no model could be asked.
        problem: Why not.
    """

    claim: Claim
    opinion: Opinion | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class PlanView:
    """State of the plan area.

    Attributes:
        request: What is being or was planned; None before the first goal.
        goal: The goal as it was understood.
        chips: The constraints found, each removable by its key.
        script: All steps of the plan, known before their products are; while ``writing``, those that a language model has written so far.
        writing: Whether a language model is at work on the steps.
        near: Objectives of other plans of the library that this one could have started from.
        fit: Probability that it is made for the goal; None where it starts from no plan of the library that the planner chose.
        matched: The steps whose products are known, in order.
        checked: The verifiers that have spoken; their verdict is None when they could not.
        swaps: The products swapped by the last change of this plan.
        said: What the last change did, in a sentence.
        reopening: Whether a plan that the browser kept is on its way.
        asking: The change in words that a language model is reading, or could not read; "" when there is none.
        consulting: The claim on which a language model is giving a second opinion.
        opinions: The second opinions so far, one a claim at most.
        choosing: The open list of alternatives.
        dismissed: Ids of products that never come back in this plan.
        locked: Ids of shown products that stay whatever is matched again.
        past: The changes that can be undone, the last one last.
        future: The changes that can be made again, the next one first.
        message: Cause and fix when ``phase`` is "failed".
        elapsed_s: Seconds from the request to the last event.
        usage: What language models were asked for.
    """

    request: PlanRequest | None = None
    phase: Phase = "idle"
    status: Status | None = None
    goal: str = ""
    objective: str = ""
    confidence: Confidence | None = None
    near: tuple[str, ...] = ()
    fit: float | None = None
    constraints: Constraints = field(default_factory=Constraints)
    chips: tuple[ConstraintItem, ...] = ()
    script: tuple[Step, ...] = ()
    writing: bool = False
    matched: tuple[MatchedStep, ...] = ()
    checked: tuple[Task, ...] = ()
    script_verdict: Verdict | None = None
    bundle_verdict: Verdict | None = None
    conflicts: tuple[Conflict, ...] = ()
    swaps: tuple[Swap, ...] = ()
    said: str = ""
    reopening: bool = False
    asking: str = ""
    consulting: Claim | None = None
    opinions: tuple[SecondOpinion, ...] = ()
    choosing: Choosing | None = None
    dismissed: frozenset[str] = frozenset()
    locked: frozenset[str] = frozenset()
    past: tuple[Change, ...] = ()
    future: tuple[Change, ...] = ()
    notices: tuple[str, ...] = ()
    questions: tuple[str, ...] = ()
    message: str = ""
    elapsed_s: float = 0.0
    usage: Usage = NO_USAGE

    @property
    def settled(self) -> PlanView:
        """The plan as it stands when a language model is no longer waited for."""
        return replace(self, phase="stopped" if self.pending else "done", consulting=None)

    def second(self, claim: Claim) -> SecondOpinion | None:
        """Return the second opinion on a claim."""
        return next((one for one in self.opinions if one.claim == claim), None)

    @property
    def headline(self) -> str:
        """What the plan is called: the person's own goal, cut to a line or two."""
        whole = self.goal.strip(" .!")
        short = whole if len(whole) <= MAX_HEADLINE else f"{whole[:MAX_HEADLINE].rsplit(' ', 1)[0].rstrip(' ,;:.')}…"
        return short[:1].upper() + short[1:]

    @property
    def base(self) -> str:
        """The objective of the ready plan that this one comes from; "" where it only repeats the goal."""
        said, own = (" ".join(tokens(text)) for text in (self.objective, self.goal))
        return "" if said == own else self.objective.strip(" .")

    @property
    def pending(self) -> tuple[Step, ...]:
        """The steps whose products are not known."""
        known = {m.step.step_id for m in self.matched}
        return tuple(s for s in self.script if s.step_id not in known)

    @property
    def products(self) -> tuple[Product, ...]:
        """Every product shown, once, in the order of the steps."""
        return tuple({m.product.product_id: m.product for s in self.matched for m in s.matches}.values())

    @property
    def total_usd(self) -> float:
        """Price of all products shown, of each as many as the people need; what has no price counts as zero."""
        return round(sum(cost_usd(product, self.constraints.people) for product in self.products), 2)

    @property
    def t2(self) -> dict[str, float]:
        """P(product helps its step) by product id, where a model computed it."""
        return {m.product.product_id: m.t2 for s in self.matched for m in s.matches if m.t2 is not None}


def advance(view: PlanView, event: Event, describe: Describe) -> PlanView:
    """Return the view after ``event``.

    Args:
        view: The view so far.
        event: The next event of the stream.
        describe: Puts constraints as removable chips.
    """
    view = replace(view, elapsed_s=event.elapsed_s, usage=event.usage)
    match event:
        case Planned(status=status, goal=goal, constraints=constraints, script=script):
            steps = script.steps if script else ()
            view = replace(
                view,
                status=status,
                goal=goal,
                constraints=constraints,
                chips=describe(constraints),
                objective=script.objective if script else "",
                confidence=script.confidence if script else None,
                near=script.near if script else (),
                fit=event.fit,
                script=steps,
                writing=not event.complete,
                matched=tuple(m for m in view.matched if m.step in steps),
                notices=event.notices,
                questions=event.questions,
            )
        case StepPlanned(step=step):
            view = replace(view, script=(*view.script, step))
        case StepMatched(matched=matched):
            known = {m.step.step_id: m for m in view.matched} | {matched.step.step_id: matched}
            view = replace(view, matched=tuple(known.values()))
        case ScriptVerified(verdict=verdict):
            view = replace(view, checked=(*view.checked, "t1"), script_verdict=verdict)
        case BundleVerified(verdict=verdict, conflicts=conflicts):
            checked: tuple[Task, ...] = (*view.checked, "t3")
            view = replace(view, checked=checked, bundle_verdict=verdict, conflicts=conflicts)
        case Failed(message=message):
            view = replace(view, phase="failed", message=message)
        case Finished(plan=plan):
            view = replace(
                view,
                phase="done",
                writing=False,
                status=plan.status,
                constraints=plan.constraints,
                chips=describe(plan.constraints),
                objective=plan.objective or "",
                confidence=plan.confidence,
                near=plan.near,
                fit=plan.fit,
                script=tuple(m.step for m in plan.steps),
                matched=plan.steps,
                script_verdict=plan.script_verdict,
                bundle_verdict=plan.bundle_verdict,
                conflicts=plan.conflicts,
                notices=plan.notices,
                questions=plan.questions,
            )
    return view


@dataclass(frozen=True, slots=True)
class Question:
    """A question and the starting points that it offers."""

    text: str
    options: tuple[str, ...]


def question_parts(text: str) -> Question:
    """Split the planner's ``Question? — option — option``."""
    asked, *options = text.split(" — ")
    return Question(asked.strip(), tuple(option.strip() for option in options))


def follow(view: PlanView, payload: Any) -> PlanRequest:
    """Return the request that a clicked chip asks for.

    Args:
        view: What the visitor sees.
        payload: ``{"act": "example", "index": n}``, ``{"act": "answer", "index": n, "option": m}``, ``{"act": "unset", "key": k}`` or
            ``{"act": "like", "index": n}``; comes from the browser, so anything is possible.

    Raises:
        InputError: The payload names nothing that is on the page.
    """
    data: Mapping[str, Any] = payload if isinstance(payload, Mapping) else {}
    act, key, request = data.get("act"), data.get("key"), view.request
    if act == "example" and (example := _pick(texts.EXAMPLES, data.get("index"))):
        return PlanRequest(example)
    if request and act == "answer":
        asked = _pick(view.questions, data.get("index")) or ""
        if option := _pick(question_parts(asked).options, data.get("option")):
            return replace(request, goal=f"{request.goal}, {option}")
    if request and act == "unset" and isinstance(key, str) and key in {chip.key for chip in view.chips}:
        return _without(request, key)
    if request and act == "like" and (objective := _pick(view.near, data.get("index"))):
        return replace(request, like=objective)
    raise InputError(*texts.STALE)


def _pick(choices: Sequence[str], index: Any) -> str | None:
    """Return the choice with this number; None for anything that is not a number of one."""
    whole = isinstance(index, int) and not isinstance(index, bool)
    return choices[index] if whole and 0 <= index < len(choices) else None


def _without(request: PlanRequest, key: str) -> PlanRequest:
    """Take a constraint away from the goal and, where it was typed there, from the fields."""
    return replace(
        request,
        budget_usd=None if key == "budget_usd" else request.budget_usd,
        people=None if key == "people" else request.people,
        exclude=tuple(item for item in request.exclude if key != f"exclude:{item}"),
        removed=request.removed | {key},
    )
