"""The About tab."""

from __future__ import annotations

from collections.abc import Mapping

import gradio as gr

from ecomscript.ui import texts
from ecomscript.ui.markup import escape


def about_html(facts: Mapping[str, int], rated: bool = False) -> str:
    """Return the tab's page.

    Args:
        facts: Counts of what is loaded by name, such as ``{"products": 8446}``; read from the data, shown in this order.
        rated: Whether visitors may rate plans.
    """
    privacy = f"{texts.ABOUT_PRIVACY} {texts.ABOUT_RATINGS}" if rated else texts.ABOUT_PRIVACY
    cells = "".join(f"<div><dt>{escape(name)}</dt><dd>{n:,}</dd></div>" for name, n in facts.items())
    counts = f'<dl class="es-counts">{cells}</dl><p>{texts.ABOUT_DATA}</p>'
    card = f"<section><h2>{texts.ABOUT_DATA_TITLE}</h2>{counts}</section>" if cells else ""
    steps = "".join(f"<li><h3>{title}</h3><p>{text}</p></li>" for title, text in texts.ABOUT_STEPS)
    trust = "".join(f"<p>{text}</p>" for text in texts.ABOUT_TRUST)
    limits = "".join(f"<li>{text}</li>" for text in texts.ABOUT_LIMITS)
    return (
        f'<div class="es-about"><section><h2>{texts.ABOUT_TITLE}</h2><p class="es-lead">{texts.ABOUT_LEAD}</p></section>'
        f'<section><h2>{texts.ABOUT_HOW_TITLE}</h2><ol class="es-how">{steps}</ol></section>'
        f"<section><h2>{texts.ABOUT_TRUST_TITLE}</h2>{trust}</section>{card}"
        f'<section><h2>{texts.ABOUT_LIMITS_TITLE}</h2><ul class="es-limits">{limits}</ul></section>'
        f"<section><h2>{texts.ABOUT_USE_TITLE}</h2><p>{texts.ABOUT_USE}</p><p>{privacy}</p></section></div>"
    )


def build_about(facts: Mapping[str, int], rated: bool) -> None:
    """Build the tab inside the current Gradio context."""
    gr.HTML(about_html(facts, rated), elem_id="about", apply_default_css=False, js_on_load=None)
