"""A language model as a verifier: its probabilities on the gold development items, by any of the prompts; unclear answers are counted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from tqdm import tqdm

from ecomscript.errors import LanguageModelError
from ecomscript.evaluation.language_model_task import some
from ecomscript.evaluation.metrics import measure
from ecomscript.evaluation.verifier_task import GOLD
from ecomscript.llm.chat import ChatModel
from ecomscript.verification.asked import SHOTS, ChatVerifier, Prompt, draw_shots
from ecomscript.verification.claims import TASKS
from ecomscript.verification.items import Item, in_split, load_gold, load_items

ITEMS = 40
"""Items of a task, half of them right."""


def rows(model: ChatModel, seed: int, limit: int | None = ITEMS, prompts: Sequence[Prompt] = ("zero-shot",)) -> list[dict[str, Any]]:
    """Return one row for each task and prompt: see ``metrics.measure``, over the items that were answered clearly.

    Args:
        model: The model.
        seed: Of the solved examples and of the intervals.
        limit: Most items of a task; None takes all.
        prompts: How it is asked.

    Raises:
        LanguageModelError: The service failed.
    """
    found = []
    for task in TASKS:
        items, train = some(load_gold(task), limit), in_split(load_items(task), "train")
        for prompt in prompts:
            verifier = ChatVerifier(model, task, prompt, draw_shots(train, SHOTS, seed) if prompt == "5-shot" else ())
            scores = [_score(verifier, item) for item in tqdm(items, desc=f"{model.name} {task} {prompt}", mininterval=5)]
            clear = [n for n, score in enumerate(scores) if score is not None]
            row: dict[str, Any] = {"task": task, "model": model.name, "prompt": prompt, "split": GOLD, "unclear": len(items) - len(clear)}
            if len({items[n].label for n in clear}) == 2:
                row |= measure([items[n] for n in clear], np.array([scores[n] for n in clear], np.float64), seed)
            found.append({**row, "tokens_per_item": round(verifier.usage.tokens / len(items))})
    return found


def _score(verifier: ChatVerifier, item: Item) -> float | None:
    try:
        return verifier.score(item.claim)
    except LanguageModelError as error:
        if error.services_fault:
            raise
        return None
