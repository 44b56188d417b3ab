"""What tokens cost: an estimate from a dated list of prices."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import yaml

PRICES = Path(__file__).parent / "prices.yaml"
_DATE = re.compile(r"-\d{4}-\d{2}-\d{2}$")


@cache
def _prices() -> dict[str, dict[str, float]]:
    models: dict[str, dict[str, float]] = yaml.safe_load(PRICES.read_text(encoding="utf-8"))["models"]
    return models


def priced_models() -> tuple[str, ...]:
    """Return OpenAI's models that have a price."""
    return tuple(_prices())


def cost_usd(model: str, prompt_tokens: int, completion_tokens: int) -> float | None:
    """Return the estimated cost in US dollars of a call of one of OpenAI's models; None for a model that is not in the list."""
    price = _prices().get(_DATE.sub("", model))
    return None if price is None else (prompt_tokens * price["input"] + completion_tokens * price["output"]) / 1_000_000
