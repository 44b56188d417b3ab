"""What a causal language model knows of the three tasks without training: zero-shot, and with a few solved examples in the prompt.

The score is logit("Yes") − logit("No"), whatever the model would have said: small models say one of the two nearly always. So accuracy
is taken at the median of the scores (field ``threshold``) and no probability is claimed; ``said_yes`` is the share of its own yes.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError
from tqdm import tqdm

from ecomscript.config import PROJECT_ROOT
from ecomscript.errors import InputError, ModelError
from ecomscript.evaluation.metrics import measure
from ecomscript.evaluation.verifier_task import GOLD
from ecomscript.llm.templates import PROMPTS, Templates
from ecomscript.llm.yes_no import YesNoModel
from ecomscript.verification.claims import TASKS, Task
from ecomscript.verification.items import Item, in_split, load_gold, load_items

Array = npt.NDArray[np.float64]
Ask = Callable[[str], float]
CACHE = PROJECT_ROOT / ".cache" / "language-model"
FIX = "Name a causal language model on the hub or a folder that holds one whole."


def rows(
    model: str,
    seed: int,
    shots: Sequence[int] = (0, 5),
    limit: int | None = None,
    gguf_file: str | None = None,
    cache_dir: Path = CACHE,
) -> list[dict[str, Any]]:
    """Return one row for each task and prompt on the gold development items: see ``metrics.measure``, without its calibration error.

    Args:
        model: A hub name or a folder.
        seed: Of the solved examples and of the intervals.
        shots: Numbers of solved examples in the prompt; they come from the training split and are the same for every question.
        limit: Most items of a task, half of them right; None takes all.
        gguf_file: Name of a GGUF file in the folder, when the weights are one.
        cache_dir: Where answers are kept line by line, so that a run goes on where it ended. What is there is not asked again: delete it
            when other weights take the place of the old ones under the same name.

    Raises:
        InputError: A number of examples or the limit cannot be used.
        ModelError: The model cannot be loaded, or an answer is not a number.
    """
    if min(shots, default=0) < 0 or (limit is not None and limit < 2):
        raise InputError(f"There are {min(shots, default=0)} examples and at most {limit} items", "Give at least 0 and at least 2.")
    prompts = Templates.load(PROMPTS / "verify.yaml", (*TASKS, "examples"))
    ask = _asker(model, gguf_file)
    shown = Path(gguf_file).stem if gguf_file else Path(model).name if Path(model).is_dir() else model
    stem = re.sub(r"[^\w.-]+", "_", shown)
    found = []
    for task in TASKS:
        items, train = _some(load_gold(task), limit), in_split(load_items(task), "train")
        for count in shots:
            prompt = f"{count}-shot" if count else "zero-shot"
            asked = questions(prompts, task, items, draw_shots(train, count, seed))
            file = cache_dir / f"{stem}-{task}-{prompt}-{seed}.jsonl"
            scores = _answers(asked, ask, file, f"{model}\0{gguf_file or ''}\0")
            found.append({"task": task, "model": shown, "prompt": prompt, "split": GOLD, **_measure(items, scores, seed)})
    return found


def questions(prompts: Templates, task: Task, items: Sequence[Item], shots: Sequence[Item]) -> list[str]:
    """Return the prompt for each item, with the same solved examples before it."""
    solved = [{"question": prompts.render(task, {"claim": s.claim}), "answer": "Yes" if s.label else "No"} for s in shots]
    asked = [prompts.render(task, {"claim": item.claim}) for item in items]
    return [prompts.render("examples", {"shots": solved, "question": question}) for question in asked]


def draw_shots(train: Sequence[Item], count: int, seed: int) -> list[Item]:
    """Return ``count`` training items in random order, each of another pair, as many right as wrong (an odd one is right)."""
    rng = np.random.default_rng(seed)
    wanted = {1: (count + 1) // 2, 0: count // 2}
    chosen: dict[str, Item] = {}
    for n in rng.permutation(len(train)):
        item = train[n]
        if wanted[item.label] and item.pair not in chosen:
            chosen[item.pair] = item
            wanted[item.label] -= 1
    found = list(chosen.values())
    return [found[n] for n in rng.permutation(len(found))]


def _some(items: Sequence[Item], limit: int | None) -> list[Item]:
    """Return the first items, as many right as wrong; all of them without a limit."""
    if limit is None:
        return list(items)
    right, wrong = ([item for item in items if item.label == label] for label in (1, 0))
    return right[: (limit + 1) // 2] + wrong[: limit // 2]


def _asker(name: str, gguf_file: str | None) -> Ask:
    """Return what scores a question; the model is loaded by the first one."""

    @cache
    def opened() -> YesNoModel:
        try:
            return YesNoModel(name, gguf_file)
        except (ImportError, KeyError, RuntimeError, SafetensorError) as error:
            raise ModelError(f"The language model {name!r} cannot be loaded ({str(error).strip().splitlines()[0]})", FIX) from error

    # One by one, so that no padding moves a score: it depends on the question alone, and not on where a run went on.
    return lambda question: float(opened().scores([question])[0])


def _answers(asked: Sequence[str], ask: Ask, file: Path, model: str) -> Array:
    """Return the (n,) scores of the questions, those that the file does not know asked and written there."""
    known = _read(file)
    keys = [hashlib.sha256((model + question).encode()).hexdigest() for question in asked]
    fresh = {key: question for key, question in zip(keys, asked, strict=True) if key not in known}
    if fresh:
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            with file.open("a", encoding="utf-8") as lines:
                for key, question in tqdm(fresh.items(), desc=file.stem, mininterval=5):
                    known[key] = round(ask(question), 5)
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
    for line in file.read_text(encoding="utf-8", errors="replace").split("\n") if file.is_file() else ():
        try:
            row = json.loads(line)
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
