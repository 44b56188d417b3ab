"""The whole page, and the server that shows it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import gradio as gr

from ecomscript.config import Settings
from ecomscript.errors import ConfigError
from ecomscript.evaluation.exhibit import Exhibit
from ecomscript.evaluation.exhibits import all_exhibits
from ecomscript.evaluation.report_cards import Judged, ReportCard, report_cards
from ecomscript.feedback.collect import Collector
from ecomscript.schema import ConstraintItem, Constraints
from ecomscript.ui import texts
from ecomscript.ui.about import build_about
from ecomscript.ui.api import build_api
from ecomscript.ui.assistant import PlanTab
from ecomscript.ui.bench.page import TAB
from ecomscript.ui.bench.tab import BENCH_STYLESHEET, BenchTab
from ecomscript.ui.border import Planner
from ecomscript.ui.client_stream import STREAM_JS
from ecomscript.ui.theme import STYLESHEET, theme
from ecomscript.ui.view import Describe


def describe_constraints(constraints: Constraints) -> tuple[ConstraintItem, ...]:
    """Return the constraints as removable chips."""
    from ecomscript.planning.constraints import describe  # noqa: PLC0415 - only the running app needs the planner

    return describe(constraints)


def build_ui(
    planner: Planner,
    describe: Describe = describe_constraints,
    cards: Mapping[Judged, ReportCard] | None = None,
    exhibits: Sequence[Exhibit] | None = None,
    try_it: Callable[[], object] | None = None,
    feedback: Collector | None = None,
) -> gr.Blocks:
    """Return the page.

    Args:
        planner: The pipeline, or anything that streams plans and knows its products.
        describe: Puts constraints as removable chips.
        cards: What was measured of each verifier; None reads what is stored for the shipped models.
        exhibits: The experiments of the Benchmark tab; None reads the stored results.
        try_it: Builds the panel of the Benchmark tab that judges what a visitor writes, a ``TryIt``; None leaves it out.
        feedback: Where visitors' ratings go; None takes none.
    """
    cards = report_cards() if cards is None else cards
    with gr.Blocks(title=texts.APP, analytics_enabled=False) as demo:
        header = f'<header class="es-top"><h1>{texts.APP}</h1><p>{texts.TAGLINE}</p></header>'
        gr.HTML(header, elem_id="top", apply_default_css=False, js_on_load=None)
        with gr.Tabs(elem_id="tabs") as tabs:
            with gr.Tab(texts.TAB_PLAN, id="plan"):
                tab = PlanTab(planner, describe, cards, feedback)
            with gr.Tab(texts.TAB_BENCH, id=TAB):
                bench = BenchTab(all_exhibits() if exhibits is None else exhibits, try_it, feedback.store if feedback else None)
            with gr.Tab(texts.TAB_ABOUT, id="about"):
                build_about(planner.facts, rated=feedback is not None)
        tab.wire(demo)
        bench.wire(demo, tabs)
        build_api(planner, describe)
    return demo


def launch(demo: gr.Blocks, settings: Settings, prevent_thread_lock: bool = False) -> str:
    """Serve the page and return its address.

    Args:
        demo: From ``build_ui``.
        settings: Where to listen, and how many visitors to remember.
        prevent_thread_lock: Return at once instead of when the server ends.

    Raises:
        ConfigError: The port cannot be had.
    """
    try:
        _, url, _ = demo.launch(
            server_name=settings.host,
            server_port=settings.port,
            prevent_thread_lock=prevent_thread_lock,
            ssr_mode=False,
            run_history=False,
            footer_links=["api"],
            mcp_server=True,
            state_session_capacity=settings.sessions,
            theme=theme(),
            css_paths=[STYLESHEET, BENCH_STYLESHEET],
            head=f"<script>{STREAM_JS}</script>",
        )
    except OSError as error:
        cause = f"The page cannot be served at {settings.host}, port {settings.port or '7860 and the next ones'}"
        raise ConfigError(cause, "Stop the program that uses it or set GRADIO_SERVER_PORT to a free port.") from error
    return url
