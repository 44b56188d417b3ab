"""The Plan tab: components, then handlers, then wiring."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import gradio as gr

from ecomscript.errors import InputError
from ecomscript.evaluation.report_cards import ReportCard
from ecomscript.request import make_request
from ecomscript.schema import PlanRequest
from ecomscript.ui import client, texts
from ecomscript.ui.basket import Basket, add_all, conflicts_in, edit, toggle
from ecomscript.ui.basket_tools import BasketTools
from ecomscript.ui.border import PLAN_SLOTS, Planner, or_error, watch
from ecomscript.ui.edit import apply_edit
from ecomscript.ui.kept import way_back
from ecomscript.ui.markup import escape
from ecomscript.ui.render import plan_html, status_html
from ecomscript.ui.render_basket import basket_html
from ecomscript.ui.share import SharedPlan, decode
from ecomscript.ui.share_tools import ShareTools
from ecomscript.ui.swap import swap_product
from ecomscript.ui.trust import Backing
from ecomscript.ui.view import Describe, PlanView, follow
from ecomscript.verification.claims import Task

Updates = dict[Any, Any]
"""New values by component; a component that is not named stays as it is."""

_RUN: dict[str, Any] = {"show_progress": "hidden", "concurrency_limit": PLAN_SLOTS, "concurrency_id": "plan", "api_visibility": "private"}
# One at a time, so that quick clicks on + and Add never work on the same old basket.
_QUICK: dict[str, Any] = {
    "show_progress": "hidden",
    "concurrency_limit": 1,
    "concurrency_id": "basket",
    "api_visibility": "private",
    "trigger_mode": "multiple",
}
# One at a time, so that two quick edits never work on the same old plan.
_CHANGE: dict[str, Any] = {**_QUICK, "concurrency_id": "change"}


class PlanTab:
    """Builds the tab inside the current Gradio context; a visitor's data live only in the two ``gr.State``.

    Args:
        planner: Streams plans and knows the products.
        describe: Puts constraints as removable chips.
        cards: What was measured of each verifier.
    """

    def __init__(self, planner: Planner, describe: Describe, cards: Mapping[Task, ReportCard]) -> None:
        self.planner = planner
        self.describe = describe
        self.backing = Backing(cards, planner.reviewer.verifiers.problems, planner.product, planner.intentions)
        self.tools = BasketTools(planner, self.backing)
        self.sharing = ShareTools(planner, describe, self.backing)
        self._build_form()
        self._build_board()
        self.view = gr.State(PlanView())
        self.held = gr.State(Basket())

    def _build_form(self) -> None:
        with gr.Row(elem_id="goal-row"):
            self.goal = gr.Textbox(
                label=texts.GOAL_LABEL, placeholder=texts.GOAL_PLACEHOLDER, lines=1, max_lines=1, autofocus=True, elem_id="goal", scale=1
            )
            self.plan_button = gr.Button(texts.PLAN_BUTTON, variant="primary", elem_id="plan-button", scale=0)
            self.stop_button = gr.Button(texts.STOP_BUTTON, variant="stop", elem_id="stop-button", scale=0, visible=False)
        with gr.Row(elem_id="options"):
            # Text and not gr.Number, which shows 0 for "not said"; make_request checks the values.
            self.budget = gr.Textbox(label=texts.BUDGET_LABEL, placeholder=texts.OPTIONAL, max_lines=1, elem_id="budget", min_width=120)
            self.people = gr.Textbox(label=texts.PEOPLE_LABEL, placeholder=texts.OPTIONAL, max_lines=1, elem_id="people", min_width=120)
            self.exclude = gr.Textbox(
                label=texts.EXCLUDE_LABEL, placeholder=texts.EXCLUDE_PLACEHOLDER, max_lines=1, elem_id="exclude", scale=2, min_width=200
            )

    def _build_board(self) -> None:
        with gr.Row(elem_id="board"):
            with gr.Column(elem_id="main", scale=7, min_width=320):
                live = '<div role="status">${value}</div>'
                self.status = gr.HTML("", html_template=live, elem_id="status", apply_default_css=False, js_on_load=client.STATUS_JS)
                empty = plan_html(PlanView())
                self.plan = gr.HTML(empty, elem_id="plan", apply_default_css=False, js_on_load=client.PLAN_JS, cart=[], compared=[])
                self.tools.build_compare()
                self.sharing.build()
            with gr.Column(elem_id="side", scale=3, min_width=300):
                self.tools.build_offer()
                self.basket = gr.HTML(basket_html(Basket()), elem_id="basket", apply_default_css=False, js_on_load=client.BASKET_JS)

    def wire(self, demo: gr.Blocks) -> None:
        """Connect the handlers; ``demo`` tells when the page opens."""
        fields = [self.goal, self.budget, self.people, self.exclude]
        shown = [self.view, self.status, self.plan, self.plan_button, self.stop_button]
        whole = [*shown, *fields, self.held, self.sharing.kept]
        opened = demo.load(self.on_open, [self.view, self.held], whole, **_RUN)
        changed = [self.view, self.status, self.plan]
        swapped = self.plan.swap(self.on_swap, [self.view], changed, **_CHANGE)
        edited = self.plan.edit(self.on_plan_edit, [self.view], changed, **_CHANGE)
        reopened = self.sharing.kept.open(self.on_kept, [self.view, self.held], whole, cancels=[opened, swapped, edited], **_RUN)
        clicked = self.plan.chip(self.on_chip, [self.view], [*shown, *fields], cancels=[opened, reopened, swapped, edited], **_RUN)
        submitted = [self.plan_button.click, *(field.submit for field in fields)]
        typed = gr.on(submitted, self.on_plan, [self.view, *fields], shown, cancels=[opened, reopened, clicked, swapped, edited], **_RUN)
        runs = [opened, reopened, clicked, typed]
        self.sharing.wire(self.plan, self.view, self.held, _QUICK)
        self.stop_button.click(None, cancels=runs, api_visibility="private")
        for run in runs:  # Gradio calls this after a cancelled run as well, once nothing can come from it any more
            ended = run.then(self.on_ended, [self.view, self.held], [*shown, self.held, self.basket, self.tools.compare], **_QUICK)
            self.tools.follow(ended, self.view, self.held)
        kept = [self.held, self.plan, self.basket, self.tools.compare]
        keeps = [
            self.plan.cart(self.on_cart, [self.view, self.held], kept, **_QUICK),
            self.tools.compare.cart(self.on_cart, [self.view, self.held], kept, **_QUICK),
            self.plan.all(self.on_all, [self.view, self.held], kept, **_QUICK),
            *(change.success(self.on_swapped, [self.view, self.held], kept, **_QUICK) for change in (swapped, edited)),
            self.basket.edit(self.on_edit, [self.view, self.held], kept, **_QUICK),
        ]
        for event in keeps:
            self.tools.follow(event, self.view, self.held)
        self.tools.wire(self.view, self.held, self.plan, kept, self._keep, _QUICK)

    def on_plan(self, view: PlanView, goal: str, budget_usd: str, people: str, exclude: str) -> Iterator[Updates]:
        """Plan what was typed; what was shown stays when it cannot be used."""
        try:
            request = make_request(goal, budget_usd, people, exclude)
        except InputError as error:
            yield self._failed(view, error)
            return
        yield from self._run(request)

    def on_chip(self, view: PlanView, event: gr.EventData) -> Iterator[Updates]:
        """Plan an example, an answer to a question, or the same goal without a constraint."""
        request = or_error(follow, view, event._data)
        yield self._fill(request)
        yield from self._run(request)

    def on_open(self, view: PlanView, held: Basket, page: gr.Request) -> Iterator[Updates]:
        """Show the plan of a ``?plan=`` link, or plan the goal of a ``?goal=`` link."""
        query = page.query_params
        if not (query.get("plan") or query.get("goal")):
            yield {self.status: gr.skip()}
            return
        try:
            if query.get("plan"):
                yield from self._reopen(view, held, decode(query["plan"]))
                return
            request = make_request(query["goal"], query.get("budget_usd"), query.get("people"), query.get("exclude"))
        except InputError as error:
            yield self._failed(view, error)
            return
        yield self._fill(request)
        yield from self._run(request)

    def on_kept(self, view: PlanView, held: Basket, event: gr.EventData) -> Iterator[Updates]:
        """Show a plan that was kept in the browser; the one before stays at hand."""
        yield from self._reopen(view, held, or_error(self.sharing.asked, view, event._data))

    def on_ended(self, view: PlanView, held: Basket) -> Updates:
        """Keep what a stopped run had shown, and tell the basket of a new budget."""
        stopped = self._show(replace(view, phase="stopped")) if view.phase == "working" else {}
        return {**self._keep(view, held), **stopped}

    def on_swap(self, view: PlanView, event: gr.EventData) -> Updates:
        """Take the product that a conflict offers instead, and look at the bundle again."""
        view = or_error(swap_product, view, event._data, self.planner)
        return {self.view: view, self.status: status_html(view), self.plan: plan_html(view, self.backing)}

    def on_plan_edit(self, view: PlanView, event: gr.EventData) -> Updates:
        """Change the plan as the person asks; what could not be found is said where they look."""
        after = or_error(apply_edit, view, event._data, self.planner)
        if after.said and after.matched == view.matched and after.locked == view.locked:
            gr.Info(escape(after.said))
        return {self.view: after, self.status: status_html(after), self.plan: plan_html(after, self.backing)}

    def on_swapped(self, view: PlanView, held: Basket) -> Updates:
        """Let the basket follow a swap."""
        if view.swap:
            new = view.swap.new
            held = held.swap(view.swap.old.product_id, new, self._t2(view).get(new.product_id))
        return self._keep(view, held)

    def on_cart(self, view: PlanView, held: Basket, event: gr.EventData) -> Updates:
        """Put a product into the basket or take it out."""
        return self._keep(view, or_error(toggle, held, event._data, self.planner.product, self._t2(view)))

    def on_all(self, view: PlanView, held: Basket) -> Updates:
        """Put one of each product of the plan into the basket."""
        return self._keep(view, or_error(add_all, held, view.products, self._t2(view)))

    def on_edit(self, view: PlanView, held: Basket, event: gr.EventData) -> Updates:
        """Change a quantity, remove a line or empty the basket."""
        return self._keep(view, or_error(edit, held, event._data))

    def _reopen(self, view: PlanView, held: Basket, shared: SharedPlan) -> Iterator[Updates]:
        """Show a shared plan with its basket; one that cannot be shown changes nothing."""
        yield {**self._show(PlanView(shared.request, "working")), **self._fill(shared.request)}
        again, basket = self.sharing.restored(shared)
        if again.phase == "failed":
            yield self._show(replace(view, phase="failed", message=again.message))
        elif again.status != "plan":
            yield self._show(again)
        else:
            yield {**self._show(again), self.held: basket, self.sharing.kept: gr.HTML(made=way_back(view, held))}

    def _run(self, request: PlanRequest) -> Iterator[Updates]:
        yield from map(self._show, watch(self.planner, request, self.describe))

    def _show(self, view: PlanView) -> Updates:
        working = view.phase == "working"
        buttons = {self.plan_button: gr.Button(visible=not working), self.stop_button: gr.Button(visible=working)}
        return {self.view: view, self.status: status_html(view), self.plan: plan_html(view, self.backing), **buttons}

    def _failed(self, view: PlanView, error: InputError) -> Updates:
        return self._show(replace(view, phase="failed", message=str(error)))

    def _fill(self, request: PlanRequest) -> Updates:
        budget = "" if request.budget_usd is None else f"{request.budget_usd:.12g}"
        people = "" if request.people is None else str(request.people)
        return {self.goal: request.goal, self.budget: budget, self.people: people, self.exclude: ", ".join(request.exclude)}

    def _keep(self, view: PlanView, held: Basket) -> Updates:
        """Return what to show for a changed basket; its lines follow the plan that shows their products."""
        held = held.follow(view.goal, view.constraints, view.matched)
        cart = gr.HTML(cart=held.ids)
        return {self.held: held, self.plan: cart, self.tools.compare: cart, self.basket: self._basket(view, held)}

    def _basket(self, view: PlanView, held: Basket) -> str:
        conflicts = conflicts_in(held, view.conflicts, {product.title for product in view.products})
        return basket_html(held, view.request.goal if view.request else "", view.constraints.budget_usd, conflicts)

    def _t2(self, view: PlanView) -> Mapping[str, float]:
        """Return the scores that may be shown: a weak verifier gives none."""
        return {} if self.backing.weak("t2") else view.t2
