"""Which language model a deployment uses, if any."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ecomscript.config import Settings
from ecomscript.errors import InputError
from ecomscript.llm.chat import ChatModel
from ecomscript.llm.guard import GuardedChat, Ledger

if TYPE_CHECKING:
    from ecomscript.llm.service import ServiceChat


def open_chat(settings: Settings) -> ChatModel | None:
    """Return the model of the settings, within its budget: a local one, else a service with a key or an address, else None.

    Raises:
        ModelError: The weights of a local model cannot be loaded.
    """
    model: ChatModel
    if settings.local_model:
        model = _local_chat(settings, settings.local_model)
    elif settings.has_service:
        model = service_chat(settings, settings.planner_model, settings.openai_api_key)
    else:
        return None
    return GuardedChat(model, Ledger(settings.daily_tokens, settings.visitor_tokens))


def named_chat(settings: Settings, name: str) -> ChatModel:
    """Return a model by its name: weights on this machine (a path, or the local model of the settings), else a model of the service.

    Nobody's budget counts: whoever names a model on the command line pays for it.

    Raises:
        InputError: The name is no path, and no service is set up.
        ModelError: The weights cannot be loaded.
    """
    if is_local(settings, name):
        return _local_chat(settings, name)
    if not settings.has_service:
        cause = f"The language model {name!r} is no folder or file here, and no service is set up"
        raise InputError(cause, "Set OPENAI_API_KEY or OPENAI_BASE_URL, or name a folder or a .gguf file.")
    return service_chat(settings, name, settings.openai_api_key)


def service_chat(settings: Settings, name: str, key: str) -> ServiceChat:
    """Return a model of the service that is set up, asked with a key."""
    from ecomscript.llm.service import ServiceChat  # noqa: PLC0415  (openai is slow to import)

    return ServiceChat(name, key, settings.openai_base_url)


def model_name(settings: Settings, name: str) -> str:
    """Return a name for ``named_chat``: the one that was given, else that of the settings."""
    return name or settings.local_model or settings.planner_model


def is_local(settings: Settings, name: str) -> bool:
    """Return whether ``named_chat`` takes a name for weights on this machine."""
    return Path(name).exists() or name == settings.local_model


def _local_chat(settings: Settings, name: str) -> ChatModel:
    from ecomscript.llm.local import LocalChat  # noqa: PLC0415  (transformers are slow to import)

    return LocalChat(name, settings.local_4bit)
