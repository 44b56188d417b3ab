"""Sharing and keeping on the page: the component with the kept plans, and how a shared plan is opened."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import gradio as gr

from ecomscript.errors import EcomScriptError, InputError
from ecomscript.ui import texts
from ecomscript.ui.basket import Basket
from ecomscript.ui.border import QUICK, Planner, or_error
from ecomscript.ui.kept import KEPT_JS, kept_html, made, purpose_of
from ecomscript.ui.share import SharedPlan, decode, restore
from ecomscript.ui.trust import Backing
from ecomscript.ui.view import Describe, PlanView

logger = logging.getLogger(__name__)


class ShareTools:
    """The component and its handlers; what is kept lives in the visitor's browser alone.

    Args:
        planner: Knows the products and the verifiers.
        describe: Puts constraints as removable chips.
        backing: What was measured of the verifiers.
    """

    def __init__(self, planner: Planner, describe: Describe, backing: Backing) -> None:
        self.planner, self.describe, self.backing = planner, describe, backing

    def build(self) -> None:
        """Put the panel of kept plans here."""
        self.kept = gr.HTML(kept_html(), elem_id="kept", apply_default_css=False, js_on_load=KEPT_JS, made={}, draft="")

    def wire(self, plan: gr.HTML, view: gr.State, held: gr.State) -> None:
        """Answer the buttons of the plan's head.

        Args:
            plan: The component with the buttons.
            view: The visitor's plan.
            held: The visitor's basket.
        """
        plan.code(self.on_code, [view, held], [self.kept], **QUICK)

    def on_code(self, view: PlanView, held: Basket, event: gr.EventData) -> gr.HTML:
        """Hand out the code of the plan, to share or to keep."""
        purpose = or_error(purpose_of, event._data)
        return gr.HTML(made=or_error(made, purpose, view, held))

    def asked(self, view: PlanView, payload: Any) -> SharedPlan:
        """Return the kept plan that a click wants to see.

        Args:
            view: What the visitor sees.
            payload: ``{"code": …}``; comes from the browser, so anything is possible.

        Raises:
            InputError: The code cannot be used, or a plan is being made.
        """
        if view.phase == "working":
            raise InputError(*texts.SHARE_WORKING)
        return decode(payload.get("code") if isinstance(payload, Mapping) else None)

    def restored(self, shared: SharedPlan) -> tuple[PlanView, Basket]:
        """Return a shared plan as it is today; an error ends in a view that says so, never in a traceback."""
        failed = PlanView(shared.request, "failed")
        try:
            return restore(shared, self.planner, self.describe, show_t2=not self.backing.weak("t2"))
        except EcomScriptError as error:
            return replace(failed, message=str(error)), Basket()
        except Exception:  # the last border before the visitor
            logger.exception("a shared plan could not be opened")
            return replace(failed, message=texts.NEUTRAL_ERROR), Basket()
