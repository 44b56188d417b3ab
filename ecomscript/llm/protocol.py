"""Words of OpenAI's protocol that are needed without its client, which is slow to import."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ecomscript.llm.chat import Finish

OPENAI = "https://api.openai.com/v1"
MOST_TOKENS = 10**8
"""A count of tokens above is no count."""


def response_format(form: str, schema: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return how a request asks for an answer in a schema: "json_schema" strictly, "json_object" less so, "" not at all."""
    if form == "json_schema":
        return {"type": form, "json_schema": {"name": "answer", "strict": True, "schema": schema}}
    return {"type": form, "schema": schema} if form else None


def finish_of(reason: object) -> Finish:
    """Return how an answer ended, by the service's own word for it."""
    if reason == "content_filter":
        return "filter"
    return "length" if reason == "length" else "stop"
