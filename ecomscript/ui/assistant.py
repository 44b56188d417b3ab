"""The Plan tab: components, then handlers, then wiring."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

import gradio as gr

from ecomscript.errors import InputError
from ecomscript.evaluation.report_cards import Judged, ReportCard
from ecomscript.feedback.collect import Collector
from ecomscript.llm.own import OwnKey, read_own
from ecomscript.request import make_request
from ecomscript.schema import PlanRequest
from ecomscript.ui import client, texts
from ecomscript.ui.basket import Basket, add_all, conflicts_in, edit, toggle
from ecomscript.ui.basket_tools import BasketTools
from ecomscript.ui.border import PLAN_SLOTS, QUICK, Planner, Updates, or_error, visitor_of, watch, worded
from ecomscript.ui.edit import apply_edit
from ecomscript.ui.feedback_tools import FeedbackTools
from ecomscript.ui.free_words import refining
from ecomscript.ui.hint import HINT_JS, hint_html
from ecomscript.ui.kept import draft_of, way_back
from ecomscript.ui.markup import compact, escape
from ecomscript.ui.opinion import consulting
from ecomscript.ui.own_model import OwnModel
from ecomscript.ui.refine import by_rules, read
from ecomscript.ui.render import plan_html, status_html
from ecomscript.ui.render_basket import basket_html
from ecomscript.ui.share import SharedPlan, decode
from ecomscript.ui.share_tools import ShareTools
from ecomscript.ui.swap import swap_product
from ecomscript.ui.trust import Backing
from ecomscript.ui.view import Describe, PlanView, follow

_RUN: dict[str, Any] = {"show_progress": "minimal", "concurrency_limit": PLAN_SLOTS, "concurrency_id": "plan", "api_visibility": "private"}
# One at a time, so that two quick edits never work on the same old plan.
_CHANGE: dict[str, Any] = {**QUICK, "concurrency_id": "change"}
_CALLS = count(1)


@dataclass(frozen=True, slots=True)
class Unread:
    """A change in words that a language model is to read; each has a number of its own, so that the same words start it again."""

    text: str = ""
    number: int = 0


class PlanTab:
    """Builds the tab inside the current Gradio context; a visitor's data live only in its ``gr.State``.

    Args:
        planner: Streams plans and knows the products.
        describe: Puts constraints as removable chips.
        cards: What was measured of each verifier.
        feedback: Where ratings go; None takes none.
    """

    def __init__(self, planner: Planner, describe: Describe, cards: Mapping[Judged, ReportCard], feedback: Collector | None = None) -> None:
        self.planner = planner
        self.describe = describe
        problems = planner.reviewer.verifiers.problems
        self.backing = Backing(cards, problems, planner.product, planner.intentions, planner.has_model)
        if feedback:
            self.backing = replace(self.backing, rated=True, published_in=feedback.published_in)
        self.tools = BasketTools(planner, self.backing)
        self.sharing = ShareTools(planner, describe, self.backing)
        self.feedback = FeedbackTools(feedback) if feedback else None
        self._build_form()
        self._build_board()
        self.view = gr.State(PlanView())
        self.unread = gr.State(Unread())
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
        self.own = OwnModel(self.planner.own_models)

    def _build_board(self) -> None:
        with gr.Row(elem_id="board"):
            with gr.Column(elem_id="main", scale=7, min_width=320):
                live = '<p class="es-status is-working es-queue" hidden><span class="es-dot"></span> </p><div role="status">${value}</div>'
                self.status = gr.HTML("", html_template=live, elem_id="status", apply_default_css=False, js_on_load=client.STATUS_JS)
                gr.HTML(hint_html(), elem_id="hint", apply_default_css=False, js_on_load=HINT_JS)
                empty = plan_html(PlanView())
                self.plan = gr.HTML(
                    empty, elem_id="plan", apply_default_css=False, js_on_load=client.PLAN_JS, cart=[], compared=[], rated={}
                )
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
        asked, followed = [self.view, *fields, *self.own.fields], [self.view, *self.own.fields]
        run = {**_RUN, "show_progress_on": self.status}  # where the script reads the place in the queue
        opened = demo.load(self.on_open, [self.view, self.held], whole, **run)
        changed = [self.view, self.status, self.plan]
        swapped = self.plan.swap(self.on_swap, [self.view], changed, **_CHANGE)
        edited = gr.on([self.plan.edit, self.status.edit], self.on_plan_edit, [self.view], [*changed, self.unread], **_CHANGE)
        told = self.unread.change(self.on_unread, [self.unread, *followed], shown, cancels=[swapped], **run)
        consulted = self.plan.opinion(self.on_opinion, followed, shown, cancels=[swapped, edited], **run)
        changing = [told, consulted, swapped, edited]
        reopened = self.sharing.kept.open(self.on_kept, [self.view, self.held], whole, cancels=[opened, *changing], **run)
        clicked = self.plan.chip(self.on_chip, followed, [*shown, *fields], cancels=[opened, reopened, *changing], **run)
        submitted = [self.plan_button.click, *(field.submit for field in fields)]
        typed = gr.on(submitted, self.on_plan, asked, shown, cancels=[opened, reopened, clicked, *changing], **run)
        kept = [self.held, self.plan, self.basket, self.tools.compare, self.sharing.kept]
        runs = [opened, reopened, clicked, typed, told, consulted]
        self.sharing.wire(self.plan, self.view, self.held)
        if self.feedback:
            self.feedback.wire(self.plan, self.view)
        self.stop_button.click(None, cancels=runs, api_visibility="private")
        for run in runs:  # Gradio calls this after a cancelled run as well, once nothing can come from it any more
            end = self.on_open_ended if run is opened else self.on_kept_ended if run is reopened else self.on_ended
            ended = run.then(end, [self.view, self.held], [*shown, *kept], **QUICK)
            self.tools.follow(ended, self.view, self.held)
        keeps = [
            self.plan.cart(self.on_cart, [self.view, self.held], kept, **QUICK),
            self.tools.compare.cart(self.on_cart, [self.view, self.held], kept, **QUICK),
            self.plan.all(self.on_all, [self.view, self.held], kept, **QUICK),
            *(change.success(self.on_swapped, [self.view, self.held], kept, **QUICK) for change in (swapped, edited, told)),
            self.basket.edit(self.on_edit, [self.view, self.held], kept, **QUICK),
        ]
        for event in keeps:
            self.tools.follow(event, self.view, self.held)
        self.tools.wire(self.view, self.held, self.plan, kept, self._keep)

    def on_plan(
        self, view: PlanView, goal: str, budget_usd: str, people: str, exclude: str, key: str, model: str, page: gr.Request
    ) -> Iterator[Updates]:
        """Plan what was typed; what was shown stays when it cannot be used."""
        try:
            request = make_request(goal, budget_usd, people, exclude)
            own = read_own(key, model, self.planner.own_models)
        except InputError as error:
            yield self._failed(view, error)
            return
        yield from self._run(request, page, own)

    def on_chip(self, view: PlanView, key: str, model: str, event: gr.EventData, page: gr.Request) -> Iterator[Updates]:
        """Plan an example, an answer to a question, or the same goal without a constraint."""
        request = or_error(follow, view, event._data)
        own = or_error(read_own, key, model, self.planner.own_models)
        yield self._fill(request)
        yield from self._run(request, page, own)

    def on_open(self, view: PlanView, held: Basket, page: gr.Request) -> Iterator[Updates]:
        """Show the plan of a ``?plan=`` link, or plan the goal of a ``?goal=`` link."""
        query = page.query_params
        if not _is_link(page):
            yield {self.status: gr.skip()}
            return
        try:
            if query.get("plan"):
                yield from self._reopen(view, held, decode(query["plan"]), kept=False)
                return
            request = make_request(query["goal"], query.get("budget_usd"), query.get("people"), query.get("exclude"))
        except InputError as error:
            yield self._failed(view, error)
            return
        yield self._fill(request)
        yield from self._run(request, page)

    def on_kept(self, view: PlanView, held: Basket, event: gr.EventData) -> Iterator[Updates]:
        """Show a plan that was kept in the browser; the one before stays at hand."""
        yield from self._reopen(view, held, or_error(self.sharing.asked, view, event._data), kept=True)

    def on_open_ended(self, view: PlanView, held: Basket, page: gr.Request) -> Updates:
        """The same as for any run where the page opened with a link; else nothing ran, and what is shown by now is another's."""
        return self.on_ended(view, held) if _is_link(page) else {self.status: gr.skip()}

    def on_kept_ended(self, view: PlanView, held: Basket) -> Updates:
        """The same as for any run, which leaves a kept plan that is on its way alone."""
        return self.on_ended(replace(view, reopening=False), held)

    def on_ended(self, view: PlanView, held: Basket) -> Updates:
        """Keep what a stopped run had shown, and tell the basket of a new budget."""
        if view.reopening:
            return {self.status: gr.skip()}
        said = texts.OPINION_STOPPED if view.consulting else texts.REFINE_STOPPED if view.asking else ""
        ended = replace(view.settled, said=said) if said else replace(view, phase="stopped")
        stopped = self._show(ended) if view.phase == "working" else {}
        return {**self._keep(view, replace(held, aside=())), **stopped}

    def on_swap(self, view: PlanView, event: gr.EventData) -> Updates:
        """Take the product that a conflict offers instead, and look at the bundle again."""
        return self._drawn(or_error(swap_product, view, event._data, self.planner))

    def on_plan_edit(self, view: PlanView, event: gr.EventData) -> Updates:
        """Change the plan as the person asks; what could not be found is said where they look."""
        data = event._data
        if isinstance(data, Mapping) and data.get("act") == "refine":
            text = data.get("text")
            reading = or_error(read, view, text, self.planner)
            if reading.unread and (self.planner.has_model or self.planner.own_models):
                return {self.unread: Unread(str(text), next(_CALLS))}
            after = or_error(by_rules, view, reading, self.planner, self.describe, texts.REFINE_NO_MODEL)
        else:
            after = or_error(apply_edit, view, data, self.planner)
        if after.said and (after.matched, after.locked, after.constraints) == (view.matched, view.locked, view.constraints):
            gr.Info(escape(after.said))
        return self._drawn(after)

    def on_unread(self, unread: Unread, view: PlanView, key: str, model: str, page: gr.Request) -> Iterator[Updates]:
        """Let a language model read what the rules did not; what it cannot do is said, and the plan stays."""
        if not unread.text:
            yield {self.status: gr.skip()}
            return
        with worded("a refinement failed"):
            try:
                own = read_own(key, model, self.planner.own_models)
                with closing(refining(view, unread.text, self.planner, self.describe, visitor_of(page), own)) as views:
                    yield from map(self._show, views)
            except Exception:
                if view.phase != "working":  # else another run goes on
                    yield self._show(replace(view, asking=unread.text, swaps=()))
                raise

    def on_opinion(self, view: PlanView, key: str, model: str, event: gr.EventData, page: gr.Request) -> Iterator[Updates]:
        """Let a language model say what it thinks of a plan that a verifier is unsure of; the plan stays."""
        with worded("a second opinion failed"):
            own = read_own(key, model, self.planner.own_models)
            with closing(consulting(view, event._data, self.planner, self.backing, visitor_of(page), own)) as views:
                yield from map(self._show, views)

    def on_swapped(self, view: PlanView, held: Basket) -> Updates:
        """Let the basket follow a swap."""
        for swap in view.swaps:
            held = held.swap(swap.old.product_id, swap.new, self._t2(view).get(swap.new.product_id))
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

    def _reopen(self, view: PlanView, held: Basket, shared: SharedPlan, kept: bool) -> Iterator[Updates]:
        """Show a shared or a kept plan with its basket; one that cannot be shown changes nothing."""
        yield {**self._show(PlanView(shared.request, "working", reopening=kept)), **self._fill(shared.request)}
        again, basket = self.sharing.restored(shared)
        if again.phase == "failed":
            yield self._show(replace(view, phase="failed", message=again.message))
        elif again.status != "plan":
            yield self._show(again)
        else:
            yield {**self._show(again), self.held: basket, self.sharing.kept: gr.HTML(made=way_back(view, held))}

    def _run(self, request: PlanRequest, page: gr.Request, own: OwnKey | None = None) -> Iterator[Updates]:
        with closing(watch(self.planner, request, self.describe, visitor_of(page), own)) as views:  # a stop goes all the way down
            yield from map(self._show, views)

    def _show(self, view: PlanView) -> Updates:
        working = view.phase == "working"
        buttons = {self.plan_button: gr.Button(visible=not working), self.stop_button: gr.Button(visible=working)}
        return {**self._drawn(view), **buttons}

    def _drawn(self, view: PlanView) -> Updates:
        return {self.view: view, self.status: status_html(view), self.plan: compact(plan_html(view, self.backing))}

    def _failed(self, view: PlanView, error: InputError) -> Updates:
        return self._show(replace(view, phase="failed", message=str(error)))

    def _fill(self, request: PlanRequest) -> Updates:
        budget = "" if request.budget_usd is None else f"{request.budget_usd:.12g}"
        people = "" if request.people is None else str(request.people)
        return {self.goal: request.goal, self.budget: budget, self.people: people, self.exclude: ", ".join(request.exclude)}

    def _keep(self, view: PlanView, held: Basket) -> Updates:
        """Return what to show for a changed basket; its lines follow the plan that shows their products."""
        shown = {product.product_id for product in view.products}
        held = held.without(view.dismissed, view.goal, shown).follow(view.goal, view.constraints, view.matched)
        cart = gr.HTML(cart=held.ids)
        draft = gr.HTML(draft=draft_of(view, held))
        basket = self._basket(view, held)
        return {self.held: held, self.plan: cart, self.tools.compare: cart, self.basket: basket, self.sharing.kept: draft}

    def _basket(self, view: PlanView, held: Basket) -> str:
        conflicts = conflicts_in(held, view.conflicts, {product.title for product in view.products})
        return compact(basket_html(held, view.request.goal if view.request else "", view.constraints.budget_usd, conflicts))

    def _t2(self, view: PlanView) -> Mapping[str, float]:
        """Return the scores that may be shown: a weak verifier gives none."""
        return {} if self.backing.weak("t2") else view.t2


def _is_link(page: gr.Request) -> bool:
    """Whether the address names a plan or a goal."""
    return bool(page.query_params.get("plan") or page.query_params.get("goal"))
