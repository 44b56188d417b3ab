"""What a causal language model knows of the three tasks: asked at once, after a few solved examples, and through a linear head.

Where it is asked, the score is logit("Yes") − logit("No"), whatever the model would have said: small models say one of the two nearly
always. So accuracy is taken at the median of the scores (field ``threshold``) and no probability is claimed; ``said_yes`` is the share of
its own yes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError
from tqdm import tqdm

from ecomscript.errors import InputError, ModelError
from ecomscript.evaluation.language_head import LAYERS, STATES, fit_head
from ecomscript.evaluation.metrics import measure
from ecomscript.evaluation.recorded import file_stem
from ecomscript.evaluation.verifier_task import GOLD, HELD_OUT, Data, scored
from ecomscript.jsonl import whole_values
from ecomscript.llm.states import StateReader
from ecomscript.llm.templates import PROMPTS, Templates
from ecomscript.llm.yes_no import YesNoModel
from ecomscript.verification.asked import draw_shots, question
from ecomscript.verification.claims import TASKS, Task
from ecomscript.verification.items import Item, in_split, load_gold, load_items

Array = npt.NDArray[np.float64]
Open = Callable[[], YesNoModel]
FIX = "Name a causal language model on the hub or a folder that holds one whole."


def rows(
    model: str, seed: int, cache_dir: Path, shots: Sequence[int] = (0, 5), limit: int | None = None, gguf_file: str | None = None
) -> list[dict[str, Any]]:
    """Return one row for each task and prompt on the gold development items: see ``metrics.measure``, without its calibration error.

    Args:
        model: A hub name, a folder, or the path of a GGUF file.
        seed: Of the solved examples and of the intervals.
        cache_dir: Where answers are kept line by line, so that a run goes on where it ended. What is there is not asked again: delete it
            when other weights take the place of the old ones under the same name.
        shots: Numbers of solved examples in the prompt; they come from the training split and are the same for every question.
        limit: Most items of a task, half of them right; None takes all.
        gguf_file: Name of a GGUF file in the folder, when the weights are one.

    Raises:
        InputError: A number of examples or the limit cannot be used.
        ModelError: The model cannot be loaded, or an answer is not a number.
    """
    if min(shots, default=0) < 0 or (limit is not None and limit < 2):
        raise InputError(f"There are {min(shots, default=0)} examples and at most {limit} items", "Give at least 0 and at least 2.")
    prompts = Templates.load(PROMPTS / "verify.yaml", (*TASKS, "examples"))
    opened = _opener(model, gguf_file)
    shown = shown_name(model, gguf_file)
    found = []
    for task in TASKS:
        items, train = some(load_gold(task), limit), in_split(load_items(task), "train")
        for count in shots:
            prompt = f"{count}-shot" if count else "zero-shot"
            asked = questions(prompts, task, items, draw_shots(train, count, seed))
            file = cache_dir / f"{file_stem(shown)}-{task}-{prompt}-{seed}.jsonl"
            scores = _answers(asked, opened, file, f"{model}\0{gguf_file or ''}\0")
            found.append({"task": task, "model": shown, "prompt": prompt, "split": GOLD, **_measure(items, scores, seed)})
    return found


def head_rows(model: str, seed: int, cache_dir: Path, gguf_file: str | None = None) -> list[dict[str, Any]]:
    """Return what a linear head over the model's states is worth on T2: a row each for our held-out and the gold development items.

    Args:
        model: See ``rows``.
        seed: Of the head's training items and of the intervals.
        cache_dir: Where the states are kept, so that a run goes on where it ended.
        gguf_file: See ``rows``.

    Raises:
        InputError: The items cannot be read, or the states not be kept.
        ModelError: The model cannot be loaded.
    """
    name = str(Path(model) / gguf_file) if gguf_file else model
    judge = fit_head(StateReader(name, LAYERS, cache_dir / STATES), "t2", seed)
    data = Data.of("t2")
    data = replace(data, measured={split: data.measured[split] for split in (HELD_OUT, GOLD)})
    found = scored("t2", shown_name(model, gguf_file), lambda items: judge([item.claim for item in items]), data, seed)
    return [{**row, "prompt": f"linear head, layer {LAYERS}"} for row in found]


def shown_name(model: str, gguf_file: str | None) -> str:
    """Return how results call a model: its file or folder where it has one."""
    return (gguf_file or (Path(model).name if Path(model).exists() else model)).removesuffix(".gguf")


def questions(prompts: Templates, task: Task, items: Sequence[Item], shots: Sequence[Item]) -> list[str]:
    """Return the prompt for each item, with the same solved examples before it."""
    return [question(prompts, task, item.claim, shots) for item in items]


def some(items: Sequence[Item], limit: int | None) -> list[Item]:
    """Return the first items, as many right as wrong; all of them without a limit."""
    if limit is None:
        return list(items)
    right, wrong = ([item for item in items if item.label == label] for label in (1, 0))
    return right[: (limit + 1) // 2] + wrong[: limit // 2]


def _opener(name: str, gguf_file: str | None) -> Open:
    """Return what loads the model, once, when there is something to ask."""

    @cache
    def opened() -> YesNoModel:
        try:
            return YesNoModel(name, gguf_file)
        except (ImportError, KeyError, RuntimeError, SafetensorError) as error:
            raise ModelError(f"The language model {name!r} cannot be loaded ({str(error).strip().splitlines()[0]})", FIX) from error

    return opened


def _answers(asked: Sequence[str], opened: Open, file: Path, model: str) -> Array:
    """Return the (n,) scores of the questions, those that the file does not know asked and written there."""
    known = _read(file)
    keys = [hashlib.sha256((model + question).encode()).hexdigest() for question in asked]
    fresh = {key: question for key, question in zip(keys, asked, strict=True) if key not in known}
    if fresh:
        score = opened().scorer(asked)  # all of them: what they share, and so a score, does not depend on where a run went on
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            with file.open("a", encoding="utf-8") as lines:
                for key, question in tqdm(fresh.items(), desc=file.stem, mininterval=5):
                    known[key] = round(score(question), 5)
                    if not np.isfinite(known[key]):
                        raise ModelError(f"An answer of the language model is {known[key]} and no number", FIX)
                    lines.write("\n" + json.dumps({"key": key, "score": known[key]}))  # the line before may be torn
                    lines.flush()
        except OSError as error:
            raise InputError(f"{file} cannot be written ({error.strerror or error})", "Name a folder that you may write to.") from None
    return np.array([known[key] for key in keys], np.float64)


def _read(file: Path) -> dict[str, float]:
    """Return the scores by key; a line that was cut off when a run ended counts as not asked."""
    known = {}
    for row in whole_values(file):
        try:
            known[str(row["key"])] = float(row["score"])
        except (ValueError, KeyError, TypeError):
            continue
    return {key: score for key, score in known.items() if np.isfinite(score)}


def _measure(items: Sequence[Item], scores: Array, seed: int) -> dict[str, Any]:
    """Return the measures of raw scores, the median in the place of one half."""
    away = scores - np.median(scores)
    row = measure(items, 0.5 + away / (2 * np.abs(away).max() or 1.0), seed)
    row.pop("ece")
    return {**row, "threshold": "median", "said_yes": round(float((scores > 0).mean()), 4)}
