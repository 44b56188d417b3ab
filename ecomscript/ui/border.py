"""What stands between the pipeline and Gradio: the protocol of the one, the errors of the other."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import ParamSpec, Protocol, TypeVar

import gradio as gr

from ecomscript.association.eligibility import Eligibility
from ecomscript.errors import EcomScriptError
from ecomscript.events import Event
from ecomscript.schema import Conflict, Constraints, Match, MatchedStep, PlanRequest, Product, Verdict
from ecomscript.ui import texts
from ecomscript.ui.view import Describe, PlanView, advance

PLAN_SLOTS = 4
"""How many plans are made at the same time, over the page, the API and MCP together."""

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

    def stream(self, request: PlanRequest) -> Iterator[Event]:
        """Yield what happens while the request is planned."""

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

    def alternatives(
        self, goal: str, step_text: str, product_id: str, constraints: Constraints, taken: Collection[str], count: int = 10
    ) -> list[Match]:
        """Return other products for the place of one, its own kind first."""


def watch(planner: Planner, request: PlanRequest, describe: Describe) -> Iterator[PlanView]:
    """Yield the view of the plan area after each event; an error ends in a view that says so, never in a traceback."""
    view = PlanView(request=request, phase="working")
    yield view
    try:
        for event in planner.stream(request):
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


def or_error(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Call ``function``; an error becomes Gradio's own, with its text only where a person may see it."""
    try:
        return function(*args, **kwargs)
    except EcomScriptError as error:
        raise gr.Error(str(error), print_exception=False) from error
    except Exception as error:  # the last border before the visitor
        logger.exception("a click failed")
        raise gr.Error(texts.NEUTRAL_ERROR, print_exception=False) from error
