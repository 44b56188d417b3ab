"""Gradio's theme, pointed at the page's own palette in ``assets/style.css``."""

from __future__ import annotations

import gradio as gr

from ecomscript.config import ASSETS

STYLESHEET = ASSETS / "style.css"


def theme() -> gr.themes.Base:
    """Return a theme without any remote font; weight 600 of the bundled fonts lacks letters, so only 400 and 700 are used."""
    return gr.themes.Base(
        font=[gr.themes.LocalFont("IBM Plex Sans", weights=(400, 700)), "system-ui", "sans-serif"],
        font_mono=["ui-monospace", "monospace"],
        primary_hue="teal",
        secondary_hue="teal",
        neutral_hue="stone",
    ).set(
        body_background_fill="var(--es-ground)",
        body_background_fill_dark="var(--es-ground)",
        body_text_color="var(--es-ink)",
        body_text_color_dark="var(--es-ink)",
        body_text_color_subdued="var(--es-soft)",
        body_text_color_subdued_dark="var(--es-soft)",
        background_fill_primary="var(--es-surface)",
        background_fill_primary_dark="var(--es-surface)",
        border_color_primary="var(--es-line)",
        border_color_primary_dark="var(--es-line)",
        color_accent="var(--es-accent)",
        input_background_fill="var(--es-surface)",
        input_background_fill_dark="var(--es-surface)",
        input_border_color="var(--es-edge)",
        input_border_color_dark="var(--es-edge)",
        input_placeholder_color="var(--es-soft)",
        input_placeholder_color_dark="var(--es-soft)",
        block_title_text_color="var(--es-soft)",
        block_title_text_color_dark="var(--es-soft)",
        block_title_text_weight="400",
        block_background_fill="transparent",
        block_background_fill_dark="transparent",
        block_border_width="0px",
        block_shadow="none",
        button_primary_background_fill="var(--es-accent)",
        button_primary_background_fill_dark="var(--es-accent)",
        button_primary_background_fill_hover="var(--es-accent-strong)",
        button_primary_background_fill_hover_dark="var(--es-accent-strong)",
        button_primary_text_color="var(--es-on-accent)",
        button_primary_text_color_dark="var(--es-on-accent)",
        button_cancel_background_fill="var(--es-surface)",
        button_cancel_background_fill_dark="var(--es-surface)",
        button_cancel_text_color="var(--es-ink)",
        button_cancel_text_color_dark="var(--es-ink)",
    )
