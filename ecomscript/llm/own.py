"""A visitor's own key for the service of the deployment: held for one plan at a time, and written nowhere.

The address is the deployment's alone: a server that calls whatever address a visitor names would call its own network for them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from ecomscript.config import Settings
from ecomscript.errors import InputError
from ecomscript.llm.chat import ChatModel
from ecomscript.llm.choose import service_chat
from ecomscript.llm.prices import priced_models

LONGEST_KEY = 400


@dataclass(frozen=True, slots=True)
class OwnKey:
    """A visitor's key and the model that it is for; neither shows in ``repr``."""

    key: str = field(repr=False)
    model: str = field(repr=False)


def own_models(settings: Settings) -> tuple[str, ...]:
    """Return the models that a visitor with a key may choose, the deployment's own first: those with a list price at OpenAI.

    Nothing where the model runs on this machine, or no language model is wanted.
    """
    if settings.local_model or settings.planner == "library":
        return ()
    return tuple(dict.fromkeys((settings.planner_model, *(() if settings.openai_base_url else priced_models()))))


def read_own(key: object, model: object, models: Sequence[str]) -> OwnKey | None:
    """Return what a visitor filled in; None without a key, or where none is of use.

    Raises:
        InputError: The key cannot be one, or the model is not offered; the message repeats neither.
    """
    if not models or not key:
        return None
    if not (isinstance(key, str) and len(key) <= LONGEST_KEY and key.isascii()):
        raise InputError("The key has characters that no key has, or too many", "Copy it again, or clear the field.")
    if not (key := key.strip()):
        return None
    if not key.isprintable() or " " in key:
        raise InputError("The key has characters that no key has, or too many", "Copy it again, or clear the field.")
    if not isinstance(model, str) or model not in models:
        raise InputError("This language model is not offered", "Choose one of the list.")
    return OwnKey(key, model)


@contextmanager
def own_chat(settings: Settings, own: OwnKey) -> Iterator[ChatModel]:
    """Open the model with the visitor's key for a while; the visitor pays, so no budget of the deployment counts."""
    chat = service_chat(settings, own.model, own.key)
    try:
        yield chat
    finally:
        chat.close()
