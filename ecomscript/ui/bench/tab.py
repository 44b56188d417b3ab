"""The Benchmark tab: components, then handlers, then wiring. Everything is drawn once, at start; a click only picks a string.

Only what visitors rate is live, and read when it is opened.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from ecomscript.config import ASSETS
from ecomscript.evaluation.exhibit import Exhibit
from ecomscript.evaluation.exhibits.visitors import KEY as VISITORS
from ecomscript.feedback.store import FeedbackStore
from ecomscript.ui import texts
from ecomscript.ui.bench import client
from ecomscript.ui.bench.page import TAB, exhibit_html, index_html
from ecomscript.ui.bench.report import report_html
from ecomscript.ui.bench.visitors import Ratings
from ecomscript.ui.markup import escape
from ecomscript.ui.theme import STYLESHEET

BENCH_STYLESHEET = ASSETS / "bench.css"
REPORT_NAME = "ecomscript-benchmark.html"
TRY_IT = "try-it"
"""Key of the panel "Try it" in links."""

_PICK: dict[str, Any] = {"show_progress": "hidden", "concurrency_limit": None, "api_visibility": "private"}


class BenchTab:
    """Builds the tab inside the current Gradio context.

    Args:
        exhibits: The experiments, in the order of the index.
        try_it: Builds the panel "Try it" in its place; None leaves it out.
        ratings: Where visitors' ratings are stored; None leaves them out.
    """

    def __init__(
        self, exhibits: Sequence[Exhibit], try_it: Callable[[], object] | None = None, ratings: FeedbackStore | None = None
    ) -> None:
        self.exhibits = tuple(exhibits)
        self.pages: dict[str, str] = {exhibit.key: exhibit_html(exhibit) for exhibit in exhibits} | ({TRY_IT: ""} if try_it else {})
        self.titles = {exhibit.key: exhibit.title for exhibit in exhibits} | ({TRY_IT: texts.TRY_TITLE} if try_it else {})
        self.ratings = Ratings(ratings) if ratings else None
        if self.ratings:
            self.pages |= {VISITORS: ""}
            self.titles[VISITORS] = texts.RATINGS_TITLE
        with gr.Row(elem_id="bench-head"):
            gr.HTML(f"<p>{texts.BENCH_LEAD}</p>", elem_id="bench-lead", apply_default_css=False, js_on_load=None)
            self._build_report()
        with gr.Row(elem_id="bench-board"):
            with gr.Column(elem_id="bench-side", scale=2, min_width=200):
                index = index_html(self.titles, "")
                self.index = gr.HTML(index, elem_id="bench-index", apply_default_css=False, js_on_load=client.INDEX_JS)
            with gr.Column(elem_id="bench-main", scale=8, min_width=320):
                with gr.Column(elem_id="bench-try", visible=False) as self.try_it:
                    if try_it:
                        try_it()
                self.exhibit = gr.HTML("", elem_id="bench-exhibit", apply_default_css=False, js_on_load=client.EXHIBIT_JS)

    def _build_report(self) -> None:
        with tempfile.TemporaryDirectory() as folder:  # Gradio copies the file when it builds the button
            file = Path(folder) / REPORT_NAME
            file.write_text(report_html(self.exhibits, (STYLESHEET, BENCH_STYLESHEET)), encoding="utf-8")
            gr.DownloadButton(texts.BENCH_REPORT, file, elem_id="bench-report", scale=0, size="sm")

    def wire(self, demo: gr.Blocks, tabs: gr.Tabs) -> None:
        """Connect the handlers; ``demo`` tells when the page opens, and ``tabs`` holds this tab under the name ``TAB``."""
        demo.load(self.on_load, None, [tabs], **_PICK)
        shown = [self.index, self.exhibit, self.try_it]
        self.index.open(self.on_open, self.index, shown, js=client.ASKED_JS, trigger_mode="always_last", **_PICK)

    def on_load(self, page: gr.Request) -> Any:
        """Turn to this tab for a ``?tab=bench`` link."""
        return gr.Tabs(selected=TAB) if page.query_params.get("tab") == TAB else gr.skip()

    def on_open(self, asked: Any) -> dict[Any, Any]:
        """Show the experiment of the key ``asked``, the first one where it is empty or no text; a key that does not exist is named.

        The key comes in the place of the index (``client.ASKED_JS``).
        """
        asked = asked if isinstance(asked, str) else ""
        key = asked if asked in self.pages else next(iter(self.pages), "")
        page = self.pages.get(key, f'<p class="es-absent">{texts.BENCH_EMPTY}</p>')
        if self.ratings and key == VISITORS:
            page = self.ratings.html()
        if asked and asked != key:
            page = f'<p class="es-problem" role="status">{escape(texts.BENCH_UNKNOWN.format(key=asked[:80]))}</p>{page}'
        return {self.index: index_html(self.titles, key), self.exhibit: page, self.try_it: gr.Column(visible=key == TRY_IT)}
