"""The same plan for programs: the HTTP endpoint ``/plan`` and the MCP tool ``plan``."""

from __future__ import annotations

import json
import logging
from typing import Any

import gradio as gr
from gradio.events import api
from starlette.concurrency import iterate_in_threadpool

from ecomscript.errors import EcomScriptError
from ecomscript.events import Failed, Finished
from ecomscript.request import make_request
from ecomscript.ui import texts
from ecomscript.ui.border import PLAN_SLOTS, Planner

logger = logging.getLogger(__name__)


def build_api(planner: Planner) -> None:
    """Add both endpoints to the current Gradio context."""

    # The endpoint has a name of its own because an MCP tool is named after its function.
    async def plan_object(
        goal: str, budget_usd: float | None = None, people: int | None = None, exclude: list[str] | str | None = None
    ) -> dict[str, Any]:
        """Turn a shopping goal into an ordered plan with products for each step."""
        return await _plan(planner, goal, budget_usd, people, exclude)

    async def plan(goal: str, budget_usd: float | None = None, people: int | None = None, exclude: str = "") -> str:
        """Turn a shopping goal into an ordered plan with products for each step, as JSON text.

        Args:
            goal: What the person wants to get done, in plain words, such as "host a barbecue for 12".
            budget_usd: The most that everything may cost, in US dollars.
            people: How many people the plan is for, 1 to 1000.
            exclude: What must not appear, separated by commas, such as "tent, alcohol".
        """
        return json.dumps(await _plan(planner, goal, budget_usd, people, exclude), ensure_ascii=False)

    # Gradio lists functions without this mark as tools; a dict would reach an MCP client as Python text, so only the second is one.
    plan_object._mcp_type = "endpoint"  # type: ignore[attr-defined]
    shared: dict[str, Any] = {"concurrency_limit": PLAN_SLOTS, "concurrency_id": "plan"}
    api(plan_object, api_name="plan", **shared)
    api(plan, api_name="plan_json", **shared)


async def _plan(planner: Planner, goal: str, budget_usd: Any, people: Any, exclude: Any) -> dict[str, Any]:
    """Plan step by step, so that a caller who leaves stops the work at the next event."""
    try:
        async for event in iterate_in_threadpool(planner.stream(make_request(goal, budget_usd, people, exclude))):
            if isinstance(event, Failed):
                raise gr.Error(event.message, print_exception=False)
            if isinstance(event, Finished):
                return event.plan.to_json()
    except gr.Error:
        raise
    except EcomScriptError as error:
        raise gr.Error(str(error), print_exception=False) from error
    except Exception as error:  # the last border before the caller
        logger.exception("a plan failed")
        raise gr.Error(texts.NEUTRAL_ERROR, print_exception=False) from error
    raise gr.Error(texts.NEUTRAL_ERROR, print_exception=False)
