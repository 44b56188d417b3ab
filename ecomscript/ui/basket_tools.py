"""What stands beside plan and basket: the offer to come back under the budget, and the comparison."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import gradio as gr

from ecomscript.association.alternatives import Wanted
from ecomscript.schema import Match
from ecomscript.ui import client
from ecomscript.ui.basket import Basket, Line
from ecomscript.ui.border import QUICK, Planner, Updates, or_error
from ecomscript.ui.budget_swap import PER_LINE, Offer, find_offer, take_offer, without_scores
from ecomscript.ui.compare import Comparison, choose
from ecomscript.ui.render_basket import offer_html
from ecomscript.ui.render_compare import compare_html
from ecomscript.ui.trust import Backing
from ecomscript.ui.view import PlanView

Looked = dict[Any, list[Match]]
"""What was found for each line, so that only a line that has changed is looked up again."""
Keep = Callable[[PlanView, Basket], Updates]
"""Returns what to show for a changed basket."""

# In the background: looking for cheaper products takes longer than a click may.
_OFFER: dict[str, Any] = {
    "show_progress": "hidden",
    "concurrency_limit": 2,
    "concurrency_id": "offer",
    "api_visibility": "private",
    "trigger_mode": "multiple",
}


class BasketTools:
    """Components and handlers; a visitor's data live only in the three ``gr.State``.

    Args:
        planner: Knows the products and what could stand in the place of one.
        backing: What was measured of the verifiers.
    """

    def __init__(self, planner: Planner, backing: Backing) -> None:
        self.planner = planner
        self.backing = backing
        self.offered = gr.State(None)
        self.looked: Any = gr.State({})
        self.compared = gr.State(Comparison())

    def build_offer(self) -> None:
        """Put the offer here."""
        live = '<div role="status">${value}</div>'
        self.offer = gr.HTML("", html_template=live, elem_id="offer", apply_default_css=False, js_on_load=client.OFFER_JS)

    def build_compare(self) -> None:
        """Put the comparison's bar and dialog here."""
        self.compare = gr.HTML("", elem_id="compare", apply_default_css=False, js_on_load=client.COMPARE_JS, cart=[])

    def wire(self, view: gr.State, held: gr.State, plan: gr.HTML, kept: list[Any], keep: Keep) -> None:
        """Connect the handlers.

        Args:
            view: The visitor's plan.
            held: The visitor's basket.
            plan: The component with the product cards.
            kept: The components that ``keep`` updates.
            keep: Shows a changed basket.
        """

        def on_fit(seen: PlanView, basket: Basket, offered: Offer | None) -> Updates:
            return keep(seen, or_error(take_offer, basket, offered))

        self.follow(self.offer.fit(on_fit, [view, held, self.offered], kept, **QUICK), view, held)
        chosen = [self.compared, self.compare, plan]
        for source in (plan, self.compare):
            source.compare(self.on_compare, [view, self.compared], chosen, **QUICK)

    def follow(self, event: Any, view: gr.State, held: gr.State) -> None:
        """Look for an offer after each event that changes the basket or the budget."""
        event.then(self.on_changed, [view, held, self.looked], [self.offered, self.looked, self.offer], **_OFFER)

    def on_changed(self, view: PlanView, held: Basket, looked: Looked) -> tuple[Offer | None, Looked, str]:
        """Work out what to swap when the basket is over the budget."""
        found: Looked = {}

        def alternatives(line: Line) -> list[Match]:
            key = (line.product.product_id, line.subtotal_usd, line.origin)
            return found.setdefault(key, looked[key] if key in looked else self.alternatives(line))

        offer = or_error(find_offer, held, view.constraints.budget_usd, alternatives)
        return offer, found or looked, offer_html(offer)

    def on_compare(self, view: PlanView, compared: Comparison, event: gr.EventData) -> tuple[Comparison, str, gr.HTML]:
        """Put a product into the comparison or take it out."""
        compared = or_error(choose, compared, event._data, view)
        return compared, compare_html(compared, self.backing), gr.HTML(compared=compared.ids)

    def alternatives(self, line: Line) -> list[Match]:
        """Return cheaper products of the line's own kind; a line that no plan knows has none."""
        origin, product = line.origin, line.product
        if not origin.steps:
            return []
        # A number that the person set is for one product as for another, so that single prices are compared.
        people, most = (None, product.price_usd) if line.by_hand else (origin.constraints.people, line.subtotal_usd)
        constraints = replace(origin.constraints, people=people, budget_usd=most)
        wanted = Wanted(origin.steps[0], product.product_id, constraints, PER_LINE, own_kind=True)
        (found,) = self.planner.alternatives(origin.goal, [wanted], (product.product_id,))
        return without_scores(found) if self.backing.weak("t2") else found
