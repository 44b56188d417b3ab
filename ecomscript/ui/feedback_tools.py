"""Ratings on the page: a click is stored, and the page says thank you, or that it was not stored, and goes on."""

from __future__ import annotations

import gradio as gr

from ecomscript.errors import FeedbackError
from ecomscript.feedback.collect import Collector
from ecomscript.feedback.record import Record
from ecomscript.ui import texts
from ecomscript.ui.border import QUICK, Updates, or_error
from ecomscript.ui.feedback import Rater, key_of, rating
from ecomscript.ui.view import PlanView


class FeedbackTools:
    """The handler; what a visitor has given lives in its ``gr.State``, without a name.

    Args:
        collector: Where ratings go.
    """

    def __init__(self, collector: Collector) -> None:
        self.collector = collector
        self.rater = gr.State(Rater())

    def wire(self, plan: gr.HTML, view: gr.State) -> None:
        """Answer the thumbs and the sheet of the plan.

        Args:
            plan: The component that holds them.
            view: The visitor's plan.
        """
        self.plan = plan
        plan.rate(self.on_rate, [view, self.rater], [self.rater, plan], **{**QUICK, "concurrency_id": "rate"})

    def on_rate(self, view: PlanView, rater: Rater, event: gr.EventData) -> Updates:
        """Store an answer; the buttons show it only when it is stored."""
        rater = rater.named()
        record = or_error(rating, view, rater.session, event._data, self.collector.version)
        or_error(self._add, record)
        rater = rater.after(record)
        said = texts.RATE_THANKS if record.marks else texts.RATE_TAKEN_BACK
        rated = {"given": rater.given, "key": key_of(record.subject, record.thing), "said": said}
        return {self.rater: rater, self.plan: gr.HTML(rated=rated)}

    def _add(self, record: Record) -> None:
        try:
            self.collector.add(record)
        except FeedbackError as error:
            raise FeedbackError(f"{texts.RATE_NOT_STORED} {error.cause}", error.fix) from error
