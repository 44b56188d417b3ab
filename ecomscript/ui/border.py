"""What stands between the pipeline and Gradio: the protocol of the one, the errors of the other."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from typing import Any, ParamSpec, Protocol, TypeVar

import gradio as gr

from ecomscript.association.alternatives import Wanted
from ecomscript.association.eligibility import Eligibility
from ecomscript.config import PlannerChoice
from ecomscript.errors import EcomScriptError
from ecomscript.events import Event
from ecomscript.llm.own import OwnKey
from ecomscript.planning.tools import Choice, Table
from ecomscript.request import MAX_GOAL_CHARS
from ecomscript.schema import NO_USAGE, Conflict, Constraints, Match, MatchedStep, Opinion, PlanRequest, Product, Step, Usage, Verdict
from ecomscript.ui import texts
from ecomscript.ui.view import Describe, PlanView, advance
from ecomscript.verification.claims import Claim

PLAN_SLOTS = 4
"""How many plans are made at the same time, over the page, the API and MCP together."""
# One at a time, so that quick clicks on + and Add never work on the same old basket.
QUICK: dict[str, Any] = {
    "show_progress": "hidden",
    "concurrency_limit": 1,
    "concurrency_id": "basket",
    "api_visibility": "private",
    "trigger_mode": "multiple",
}

BEAT_S = 0.5
"""Least seconds between two signs of life while a language model writes."""

Updates = dict[Any, Any]
"""New values by component; a component that is not named stays as it is."""

logger = logging.getLogger(__name__)
P = ParamSpec("P")
R = TypeVar("R")


class Verifiers(Protocol):
    """The models behind the confidences."""

    @property
    def problems(self) -> tuple[str, ...]:
        """One sentence for each model that cannot be used."""


class Reviewer(Protocol):
    """What the page asks again after a change of the plan."""

    @property
    def verifiers(self) -> Verifiers:
        """The models."""

    def script(self, goal: str, steps: Sequence[MatchedStep]) -> Verdict | None:
        """Return the verdict on the steps."""

    def bundle(self, goal: str, steps: Sequence[MatchedStep], eligibility: Eligibility) -> tuple[Verdict | None, tuple[Conflict, ...]]:
        """Return the verdict on all products together, and the conflicts."""


class Planner(Protocol):
    """What the page needs of a pipeline."""

    @property
    def facts(self) -> Mapping[str, int]:
        """Counts of what is loaded, by name and in the order to show them, such as ``{"products": 8446}``."""

    @property
    def reviewer(self) -> Reviewer:
        """Looks at plans."""

    @property
    def own_models(self) -> Sequence[str]:
        """Language models that a visitor with an own key may use."""

    @property
    def has_model(self) -> bool:
        """Whether the deployment has a language model."""

    def choose_calls(self, table: Table, own: OwnKey | None = None) -> Generator[Usage, None, Choice]:
        """Yield the tokens so far while a language model reads a change of a plan, and return what it wants done."""

    def second_opinion(self, claim: Claim, visitor: str = "", own: OwnKey | None = None) -> Generator[Usage, None, Opinion]:
        """Yield the tokens so far while a language model judges a claim, and return what it says."""

    def stream(
        self, request: PlanRequest, visitor: str = "", own: OwnKey | None = None, planner: PlannerChoice | None = None
    ) -> Iterator[Event]:
        """Yield what happens while the request is planned on a visitor's behalf, with their own key where they gave one."""

    def product(self, product_id: str) -> Product | None:
        """Return a product of the catalogue."""

    def refusal(self, text: str) -> tuple[str, ...]:
        """Return what the gate says to a text that it refuses; nothing to any other."""

    def place(self, objective: str, step: str, product_id: str) -> Match | None:
        """Return a product of the catalogue as a match for a step."""

    def intentions(self, product_id: str) -> Sequence[str]:
        """Return why people buy a product."""

    def rematch(self, goal: str, objective: str, text: str, constraints: Constraints, taken: Collection[str]) -> MatchedStep:
        """Return one step that a person wrote with its products."""

    def refill(self, goal: str, objective: str, step: Step, constraints: Constraints, taken: Collection[str]) -> MatchedStep:
        """Return a step of a plan with products for its needs."""

    def alternatives(self, goal: str, places: Sequence[Wanted], taken: Collection[str]) -> list[list[Match]]:
        """Return other products for each place, its own kind first."""


def visitor_of(page: gr.Request) -> str:
    """Return who is asking, for their share of a language model: the address that the nearest proxy names, else the caller's own."""
    forwarded = page.headers.get("x-forwarded-for", "").rpartition(",")[2].strip()
    return forwarded or (page.client.host if page.client else "")


def watch(
    planner: Planner, request: PlanRequest, describe: Describe, visitor: str = "", own: OwnKey | None = None
) -> Generator[PlanView, None, None]:
    """Yield the view of the plan area after each event; an error ends in a view that says so, never in a traceback."""
    view = PlanView(request=request, phase="working")
    yield view
    try:
        for event in planner.stream(request, visitor, own):
            view = advance(view, event, describe)
            yield view
    except EcomScriptError as error:
        view = replace(view, phase="failed", message=str(error))
        yield view
    except Exception:  # the last border before the visitor
        logger.exception("a plan failed")
        view = replace(view, phase="failed", message=texts.NEUTRAL_ERROR)
        yield view
    if view.phase == "working":
        logger.error("the pipeline ended without Finished or Failed")
        yield replace(view, phase="failed", message=texts.NEUTRAL_ERROR)


def heard(asking: Generator[Usage, None, R], waiting: PlanView) -> Generator[PlanView, None, tuple[R, Usage]]:
    """Yield the waiting plan with its tokens now and then while a language model is asked; return its answer and what that took."""
    usage, beat = NO_USAGE, time.monotonic()
    with closing(asking):
        while True:
            try:
                usage = next(asking)
            except StopIteration as end:
                return end.value, usage
            if time.monotonic() - beat >= BEAT_S:
                beat = time.monotonic()
                yield replace(waiting, usage=waiting.usage + usage)


def inside(error: EcomScriptError) -> str:
    """Return the cause of an error as it stands in a sentence of ours."""
    return error.cause[:1].lower() + error.cause[1:].rstrip(".")


def or_error(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Call ``function``; for its errors see ``worded``."""
    with worded("a click failed"):
        return function(*args, **kwargs)


@contextmanager
def worded(what: str) -> Iterator[None]:
    """Turn every error into Gradio's own, with its text only where a person may see it; ``what`` is for the log."""
    try:
        yield
    except gr.Error:
        raise
    except EcomScriptError as error:
        raise gr.Error(str(error), print_exception=False) from error
    except Exception as error:  # the last border before the visitor; a stop is none
        logger.exception(what)
        raise gr.Error(texts.NEUTRAL_ERROR, print_exception=False) from error


def refuses_notes(planner: Planner, notes: Iterable[str]) -> bool:
    """Return whether the gate refuses the notes of a plan, read as one text."""
    return bool(planner.refusal(" ".join(notes)[:MAX_GOAL_CHARS]))
