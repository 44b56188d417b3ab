"""What went wrong at a service, in words of our own: its texts may hold a part of the key, and anything else."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from httpx2 import TransportError
from openai import (
    APIConnectionError,
    APIError,
    APIStatusError,
    APITimeoutError,
    AuthenticationError,
    InternalServerError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
)

from ecomscript.errors import LanguageModelError

LATER = "Try again later."
CHECK_ADDRESS = "Check OPENAI_BASE_URL: it often ends in /v1."
_OPTIONAL = ("response_format", "temperature", "max_tokens", "max_completion_tokens", "stream_options", "logprobs", "top_logprobs")
_TOO_LONG = re.compile(r"context (?:length|window|size)|maximum context|too many tokens|exceed\w* .{0,40}(?:context|tokens)", re.IGNORECASE)


def not_a_chat(host: str) -> LanguageModelError:
    """Return the error for a server that is something else."""
    return LanguageModelError(f"{host} does not answer like a chat service", CHECK_ADDRESS)


def broke_off(host: str) -> LanguageModelError:
    """Return the error for an answer without an end."""
    return LanguageModelError(f"{host} broke off in the middle of its answer", LATER)


def is_too_long(error: APIStatusError) -> bool:
    """Return whether a request was refused because the model cannot read that much."""
    return error.code == "context_length_exceeded" or _TOO_LONG.search(_body(error)) is not None


def refused_parameter(error: APIStatusError, request: Mapping[str, Any]) -> str:
    """Return the part of a request, one that it can do without, that the service does not understand; "" where it does not say."""
    body = _body(error)
    named = [name for name in _OPTIONAL if name in request and (error.param == name or re.search(rf"\b{name}\b", body))]
    return max(named, key=lambda name: (error.param == name, len(name)), default="")


def explain(error: Exception, host: str, model: str, timeout_s: float) -> LanguageModelError:
    """Return cause and fix of whatever the client raised.

    Args:
        error: From the client.
        host: The service.
        model: The model that was asked for.
        timeout_s: How long an answer may take.
    """
    if isinstance(error, APIStatusError) and is_too_long(error):
        fix = "Shorten the goal, or set ECOMSCRIPT_PLANNER_MODEL to one that reads more."
        return LanguageModelError(f"The question is too long for the model {model!r}", fix, services_fault=False)
    match error:
        case TimeoutError() | APITimeoutError():
            told = f"{host} did not answer within {timeout_s:.3g} seconds", LATER
        case AuthenticationError() | PermissionDeniedError():
            told = f"{host} does not accept the key", "Check OPENAI_API_KEY."
        case NotFoundError() | APIStatusError(code="model_not_found"):
            told = (
                f"{host} does not have the model {model!r}",
                "Set ECOMSCRIPT_PLANNER_MODEL to one that it lists, and check OPENAI_BASE_URL.",
            )
        case RateLimitError(code="insufficient_quota"):
            told = f"The account at {host} has no credit left", "Add some, or use another service."
        case RateLimitError():
            told = f"{host} has too many requests at the moment", "Try again in a minute."
        case InternalServerError():
            told = f"{host} failed with status {error.status_code}", LATER
        case APIStatusError():
            told = f"{host} refused the request with status {error.status_code}", CHECK_ADDRESS
        case APIConnectionError():
            told = f"{host} cannot be reached", "Check OPENAI_BASE_URL, and that the service runs."
        case TransportError() | APIError():
            return broke_off(host)
        case _:
            return not_a_chat(host)
    return LanguageModelError(*told)


def _body(error: APIStatusError) -> str:
    return str(error.body)[:2000]
