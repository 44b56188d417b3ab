"""The disclosure under the form in which a visitor may give an own key for a language model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gradio as gr

from ecomscript.ui import texts


class OwnModel:
    """Builds the fields inside the current Gradio context; hidden where no model is offered.

    The key is the value of a field in the visitor's page: it goes along with what a model is asked, is used for that, and kept nowhere.

    Args:
        models: What may be chosen, the first one by default.

    Attributes:
        fields: Key and model, as inputs of handlers.
    """

    def __init__(self, models: Sequence[str]) -> None:
        with gr.Accordion(texts.OWN_TITLE, open=False, visible=bool(models), elem_id="own-model"), gr.Row():
            key = gr.Textbox(
                label=texts.OWN_KEY_LABEL,
                info=texts.OWN_KEY_INFO,
                type="password",
                max_lines=1,
                elem_id="own-key",
                min_width=220,
                html_attributes=gr.InputHTMLAttributes(autocomplete="off", spellcheck=False),
            )
            model = gr.Dropdown(
                list(models), value=models[0] if models else None, label=texts.OWN_MODEL_LABEL, elem_id="own-model-name", min_width=180
            )
        self.fields: list[Any] = [key, model]
