"""The same plan for programs: the HTTP endpoints ``/plan``, ``/refine``, ``/swap`` and the MCP tools of these names."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import gradio as gr
from gradio.events import api
from starlette.concurrency import iterate_in_threadpool

from ecomscript.errors import InputError
from ecomscript.events import Failed, Finished
from ecomscript.request import make_request
from ecomscript.ui import texts
from ecomscript.ui.border import PLAN_SLOTS, Planner, or_error, visitor_of, worded
from ecomscript.ui.edit import apply_edit
from ecomscript.ui.free_words import WISH_ACTS, refining
from ecomscript.ui.plan_object import object_of, view_of
from ecomscript.ui.view import Describe, PlanView


def build_api(planner: Planner, describe: Describe) -> None:
    """Add all endpoints to the current Gradio context."""
    shared: dict[str, Any] = {"concurrency_limit": PLAN_SLOTS, "concurrency_id": "plan"}
    for tool in (_plan_tools(planner), _refine_tools(planner, describe), _swap_tools(planner, describe)):
        endpoint, text = tool
        # Gradio lists functions without this mark as tools; a dict would reach an MCP client as Python text, so only the second is one.
        endpoint._mcp_type = "endpoint"  # type: ignore[attr-defined]
        api(endpoint, api_name=text.__name__, **shared)
        api(text, api_name=f"{text.__name__}_json", **shared)


# An endpoint has a name of its own because an MCP tool is named after its function.
def _plan_tools(planner: Planner) -> tuple[Callable[..., Any], Callable[..., Any]]:
    async def plan_object(
        _page: gr.Request,
        goal: str,
        budget_usd: float | None = None,
        people: int | None = None,
        exclude: list[str] | str | None = None,
    ) -> dict[str, Any]:
        """Turn a shopping goal into an ordered plan with products for each step."""
        return await _plan(planner, visitor_of(_page), goal, budget_usd, people, exclude)

    async def plan(
        _page: gr.Request, goal: str, budget_usd: float | None = None, people: int | None = None, exclude: str = "", like: str = ""
    ) -> str:
        """Turn a shopping goal into an ordered plan with products for each step, as JSON text.

        Args:
            goal: What the person wants to get done, in plain words, such as "host a barbecue for 12".
            budget_usd: The most that everything may cost, in US dollars.
            people: How many people the plan is for, 1 to 1000.
            exclude: What must not appear, separated by commas, such as "tent, alcohol".
            like: The plan of the library to start from, where the first answer missed the point: one of its "near_plans".
        """
        return _json(await _plan(planner, visitor_of(_page), goal, budget_usd, people, exclude, like))

    return plan_object, plan


def _refine_tools(planner: Planner, describe: Describe) -> tuple[Callable[..., Any], Callable[..., Any]]:
    async def refine_object(_page: gr.Request, plan: dict[str, Any], text: str) -> dict[str, Any]:
        """Change a plan as a few words say; what they do not touch stays as it is."""
        return await _refine(planner, describe, visitor_of(_page), plan, text)

    async def refine(_page: gr.Request, plan: str, text: str) -> str:
        """Change a plan as a few words say; what they do not touch stays as it is. Returns the changed plan as JSON text.

        Args:
            plan: The JSON text that plan, refine or swap returned, whole; add "locked": [product_id, …] for products that must stay.
            text: The change, such as "cheaper", "no alcohol", "for 12", "we already have a grill", "under $150" or "remove step 3".
        """
        return _json(await _refine(planner, describe, visitor_of(_page), plan, text))

    return refine_object, refine


def _swap_tools(planner: Planner, describe: Describe) -> tuple[Callable[..., Any], Callable[..., Any]]:
    def swap_object(plan: dict[str, Any], product_id: str, wish: str = "") -> dict[str, Any]:
        """Put another product into the place of one."""
        return or_error(_swap, planner, describe, plan, product_id, wish)

    def swap(plan: str, product_id: str, wish: str = "") -> str:
        """Put another product into the place of one. Returns the changed plan as JSON text, with "alternatives" for that place.

        Args:
            plan: The JSON text that plan, refine or swap returned, whole.
            product_id: The product that is to go.
            wish: "cheaper", "better rated", the product_id of an alternative, or nothing for the next best.
        """
        return _json(or_error(_swap, planner, describe, plan, product_id, wish))

    return swap_object, swap


def _json(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False)


async def _refine(planner: Planner, describe: Describe, visitor: str, plan: Any, text: Any) -> dict[str, Any]:
    """Refine step by step, so that a caller who leaves ends the question to a language model."""
    with worded("a refinement failed"):
        before = view_of(plan, planner, describe)
        views = [view async for view in iterate_in_threadpool(refining(before, text, planner, describe, visitor))]
        return object_of(views[-1])


def _swap(planner: Planner, describe: Describe, plan: Any, product_id: Any, wish: Any) -> dict[str, Any]:
    view = view_of(plan, planner, describe)
    if not isinstance(product_id, str) or product_id not in {product.product_id for product in view.products}:
        raise InputError(*texts.SWAP_UNKNOWN)
    opened = apply_edit(view, {"act": "choose", "pid": product_id}, planner)
    offered = opened.choosing.options if opened.choosing else ()
    after = _swapped(opened, product_id, wish, [match.product.product_id for match in offered], planner)
    listed = [match.product for match in offered]
    return {
        **object_of(after),
        "alternatives": [{"product_id": p.product_id, "title": p.title, "price_usd": p.price_usd, "rating": p.rating} for p in listed],
    }


def _swapped(view: PlanView, product_id: str, wish: Any, offered: list[str], planner: Planner) -> PlanView:
    """Return the plan after the swap that a wish asks for; the same plan, saying so, where nothing fits it."""
    if isinstance(wish, str) and wish.strip().lower() in WISH_ACTS:
        return apply_edit(view, {"act": WISH_ACTS[wish.strip().lower()], "pid": product_id}, planner)
    if wish in (None, ""):
        return apply_edit(view, {"act": "swap", "pid": product_id, "swap": offered[0]}, planner) if offered else view
    if wish not in offered:
        cause, fix = texts.SWAP_WISH
        raise InputError(cause.format(title=str(wish)[:60]), fix)
    return apply_edit(view, {"act": "swap", "pid": product_id, "swap": wish}, planner)


async def _plan(planner: Planner, visitor: str, goal: str, budget_usd: Any, people: Any, exclude: Any, like: Any = None) -> dict[str, Any]:
    """Plan step by step, so that a caller who leaves stops the work at the next event."""
    with worded("a plan failed"):
        request = make_request(goal, budget_usd, people, exclude, like=like)
        async for event in iterate_in_threadpool(planner.stream(request, visitor)):
            if isinstance(event, Failed):
                raise gr.Error(event.message, print_exception=False)
            if isinstance(event, Finished):
                return event.plan.to_json()
    raise gr.Error(texts.NEUTRAL_ERROR, print_exception=False)
