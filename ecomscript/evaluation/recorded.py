"""A language model whose answers are kept on disk: a run goes on where it ended, and what was measured can be looked at again."""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections import Counter
from collections.abc import Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ecomscript.config import Settings
from ecomscript.errors import InputError
from ecomscript.jsonl import whole_values
from ecomscript.llm.chat import ChatModel, ChatOptions, Delta, Finish, Message, Piece, Reply, guess_usage
from ecomscript.schema import NO_USAGE, Usage


def answers_dir(settings: Settings) -> Path:
    """Return where answers and states of language models are kept, so that a run that was stopped goes on."""
    return settings.cache_dir / "language-model"


@dataclass(frozen=True, slots=True)
class Record:
    """An answer that was given.

    Attributes:
        text: The answer as far as it was read.
        usage: Its tokens and cost.
        finish: How it ended; "length" also when nobody read on.
        first_logprobs: See ``Reply``.
        seconds: How long it took.
    """

    text: str
    usage: Usage
    finish: Finish
    first_logprobs: Mapping[str, float]
    seconds: float


class RecordedChat:
    """Asks a model what it was not asked before; the same question again, for another sample, is another question.

    Args:
        model: The model.
        file: Where its answers are kept, a line each; delete it when other weights take the place of the old ones under the same name.

    Attributes:
        seconds: How long all answers took that were given out, when they were made.
        waited_s: How long they took this time.
        answers: Their texts, in the order in which they were given out.
        usage: What they took, all together.
    """

    def __init__(self, model: ChatModel, file: Path) -> None:
        self.name = model.name
        self._model, self._file, self._records = model, file, _read(file)
        self._asked: Counter[str] = Counter()
        self.seconds = self.waited_s = 0.0
        self.answers: list[str] = []
        self.usage = NO_USAGE

    def cost_usd(self, prompt_tokens: int, completion_tokens: int) -> float | None:
        """Return the estimated cost by the model's own word."""
        return self._model.cost_usd(prompt_tokens, completion_tokens)

    def chat(self, messages: Sequence[Message], options: ChatOptions) -> Generator[Piece, None, None]:
        """Yield the kept answer, or a new one that is kept when it ends or when its reader has enough of it; see ``ChatModel``."""
        key = self._key(messages, options)
        record = self._records.get(key)
        if record is None:
            yield from self._ask(key, messages, options)
            return
        self.seconds += record.seconds
        self._given(record)
        yield Delta(record.text)
        yield Reply(record.usage, record.finish, record.first_logprobs)

    def _ask(self, key: str, messages: Sequence[Message], options: ChatOptions) -> Generator[Piece, None, None]:
        began, text = time.perf_counter(), ""
        reply = None
        try:
            with closing(self._model.chat(messages, options)) as pieces:
                for piece in pieces:
                    if isinstance(piece, Reply):
                        reply = piece
                    else:
                        text += piece.text
                    yield piece
        except GeneratorExit as left:
            if not _interrupted(left):
                reply = reply or Reply(guess_usage(messages, text, self._model.cost_usd), "length")
            raise
        finally:
            took = time.perf_counter() - began
            self.seconds, self.waited_s = self.seconds + took, self.waited_s + took
            if reply is not None:
                record = Record(text, reply.usage, reply.finish, reply.first_logprobs, round(took, 3))
                self._given(record)
                self._keep(key, record)

    def _given(self, record: Record) -> None:
        self.answers.append(record.text)
        self.usage += record.usage

    def _key(self, messages: Sequence[Message], options: ChatOptions) -> str:
        asked = [[message.role, message.content] for message in messages]
        how = [options.schema, options.max_tokens, options.temperature, options.top_logprobs]
        question = json.dumps([self.name, asked, how], sort_keys=True)
        self._asked[question] += 1
        return hashlib.sha256(f"{self._asked[question]}\0{question}".encode()).hexdigest()

    def _keep(self, key: str, record: Record) -> None:
        self._records[key] = record
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            with self._file.open("a", encoding="utf-8") as lines:
                lines.write("\n" + json.dumps({"key": key, **asdict(record)}))  # the line before may be torn
        except OSError as error:
            fix = "Set ECOMSCRIPT_CACHE to a folder that you may write to."
            raise InputError(f"{self._file} cannot be written ({error.strerror or error})", fix) from None


def file_stem(model: str) -> str:
    """Return a model's name as the start of a file name; it may be a path or a hub name with a slash."""
    return re.sub(r"[^\w.-]+", "_", model)


def _interrupted(left: BaseException | None) -> bool:
    """Return whether a reader did not leave an answer by its own choice: an exception, such as Ctrl-C, closes it on the way out."""
    while isinstance(left, GeneratorExit):
        left = left.__context__
    return left is not None


def _read(file: Path) -> dict[str, Record]:
    """Return the answers by key; a line that was cut off when a run ended counts as not asked."""
    records = {}
    for value in whole_values(file):
        try:
            row: dict[str, Any] = dict(value)
            key = str(row.pop("key"))
            records[key] = Record(**{**row, "usage": Usage(**row["usage"])})
        except (ValueError, KeyError, TypeError):
            continue
    return records
