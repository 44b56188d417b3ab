"""OpenAI's Batch API by files: questions out, answers in. Uploading and fetching them is up to the person; no network is used here."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ecomscript.errors import InputError
from ecomscript.jsonl import write_lines
from ecomscript.llm.chat import MAX_ANSWER_CHARS, Message
from ecomscript.llm.protocol import MOST_TOKENS, finish_of, response_format
from index_build.distil.ask import Open, Price
from index_build.distil.form import Answer, Form, Found, Subject
from index_build.distil.journal import Journal
from index_build.feeds.tally import Tally

DISCOUNT = 0.5
"""What a batch costs beside single questions, by OpenAI's list."""
MOST_QUESTIONS, MOST_BYTES = 50_000, 190_000_000
"""Of one file; OpenAI takes 50,000 and 200 MB."""


def write_batch(path: Path, model: str, form: Form[Subject, Found], asked: Iterable[Open]) -> list[Path]:
    """Write open questions as input of batches: ``path``, and beside it ``path-2`` and so on where one file may not hold all.

    The temperature stays the model's own: some refuse another, and a batch cannot be asked again.

    Returns:
        The files.

    Raises:
        InputError: A file cannot be written.
    """
    lines = iter(_line(model, form, key, messages) for key, messages in asked)
    written: list[Path] = []
    carried = next(lines, None)
    while carried is not None:
        part: list[dict[str, Any]] = []
        size = 0
        while carried is not None and len(part) < MOST_QUESTIONS and (size := size + len(json.dumps(carried)) + 1) <= MOST_BYTES:
            part.append(carried)
            carried = next(lines, None)
        place = path if not written else path.with_stem(f"{path.stem}-{len(written) + 1}")
        write_lines(place, part)
        written.append(place)
    return written


def read_batch(paths: Sequence[Path], asked: frozenset[str], journal: Journal, price: Price, tally: Tally) -> int:
    """Keep the answers of batches; lines that hold none, or one to another question, are counted and named.

    Args:
        paths: Output files of batches.
        asked: Keys of the questions that are open.
        journal: Where answers are kept.
        price: What tokens cost.
        tally: Told of every line that cannot be used.

    Returns:
        How many were kept.

    Raises:
        InputError: A file cannot be read, or none of the lines answers a question.
    """
    kept, left = 0, set(asked)
    for path in paths:
        for number, line in _lines(path):
            key, answer = _answer(line, price)
            if answer is None:
                tally.reject(f"batch: {key}", path.name, number, row=line)
            elif journal.get(key) == answer:
                kept += 1  # the same file, read again
            elif key not in left:
                tally.reject("batch: answers no open question", path.name, number, row=line)
            else:
                left.discard(key)
                journal.add(key, answer)
                kept += 1
    if not kept:
        cause = f"{', '.join(map(str, paths))}: no line answers an open question ({'; '.join(tally.sentences()) or 'it is empty'})"
        raise InputError(cause, "Name the output of the batch, and the catalogue, options and --model that its input was written with.")
    return kept


def _line(model: str, form: Form[Subject, Found], key: str, messages: tuple[Message, ...]) -> dict[str, Any]:
    body = {
        "model": model,
        "messages": [{"role": message.role, "content": message.content} for message in messages],
        "max_completion_tokens": form.most_tokens,
        "response_format": response_format("json_schema", form.schema),
    }
    return {"custom_id": key, "method": "POST", "url": "/v1/chat/completions", "body": body}


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    try:
        with path.open("rb") as lines:
            yield from ((number, line) for number, line in enumerate(lines, 1) if line.strip())
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror})", "Name the output file of a batch.") from None


def _answer(line: bytes, price: Price) -> tuple[str, Answer | None]:
    """Return key and answer; or what is wrong, and None."""
    try:
        row = json.loads(line)
        key, response = row["custom_id"], row["response"] or {}
        body: Mapping[str, Any] = response.get("body") or {}
        if row.get("error") or response.get("status_code") != 200:
            return f"question failed with status {response.get('status_code')!s:.20}", None
        choice, usage = body["choices"][0], body["usage"]
        text = choice["message"]["content"] or ""
        counts = (usage["prompt_tokens"], usage["completion_tokens"])
    except (ValueError, RecursionError, LookupError, TypeError, AttributeError):
        return "no line of a batch's output", None
    if not (isinstance(key, str) and isinstance(text, str) and all(type(count) is int and 0 <= count <= MOST_TOKENS for count in counts)):
        return "no line of a batch's output", None
    return key, Answer(text[:MAX_ANSWER_CHARS], finish_of(choice.get("finish_reason")), *counts, price(*counts))
