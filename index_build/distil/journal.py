"""Answers of a language model, kept line by line as they come: what was paid for survives a kill."""

from __future__ import annotations

import json
import os
import threading
from contextlib import AbstractContextManager
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from ecomscript.errors import InputError
from index_build.distil.form import Answer

SUFFIX = ".answers.jsonl"
"""Added to the name of the file that is made of the answers."""


class Journal(AbstractContextManager["Journal"]):
    """A file of answers by the key of their question; of several to one question the last counts. May be used from several threads.

    In memory are only the places of the answers. A last line that a kill has cut is dropped.

    Args:
        path: The file.
        resume: Whether answers of an earlier run may be there.

    Attributes:
        spent_usd: What all answers cost together, as estimated; those without a known price count nothing.

    Raises:
        InputError: There are answers and ``resume`` is False, or the file is damaged or cannot be written.
    """

    def __init__(self, path: Path, resume: bool) -> None:
        self._path, self._lock = path, threading.Lock()
        self._at: dict[str, int] = {}
        self.spent_usd = 0.0
        try:
            if path.exists() and path.stat().st_size and not resume:
                fix = "Go on with --resume, which asks only what is open, or delete the file to ask everything again."
                raise InputError(f"{path} holds answers of an earlier run", fix)
            path.touch()
            self._file: IO[bytes] = path.open("r+b")
            self._take_stock()
        except OSError as error:
            raise self._problem(error) from None

    def _take_stock(self) -> None:
        at = 0
        for number, line in enumerate(self._file, 1):
            if not line.endswith(b"\n"):
                break
            key, answer = self._read(line, number)
            self._note(key, answer, at)
            at += len(line)
        self._file.truncate(at)

    def _read(self, line: bytes, number: int = 0) -> tuple[str, Answer]:
        try:
            row: dict[str, Any] = json.loads(line)
            return row.pop("key"), Answer(**row)
        except (ValueError, TypeError, KeyError, AttributeError):
            where = f", line {number}" if number else ""
            raise InputError(f"{self._path.name}{where}: no answer that this command wrote", "Take the line out of the file.") from None

    def _note(self, key: str, answer: Answer, at: int) -> None:
        self._at[key] = at
        self.spent_usd += answer.cost_usd or 0.0

    def add(self, key: str, answer: Answer) -> None:
        """Keep an answer; it is on disk when this returns.

        Raises:
            InputError: The file cannot be written.
        """
        line = json.dumps({"key": key, **asdict(answer)}).encode() + b"\n"
        with self._lock:
            try:
                at = self._file.seek(0, os.SEEK_END)
                self._file.write(line)
                self._file.flush()
                os.fsync(self._file.fileno())
            except OSError as error:
                raise self._problem(error) from None
            self._note(key, answer, at)

    def get(self, key: str) -> Answer | None:
        """Return the answer to a question, or None."""
        with self._lock:
            if (at := self._at.get(key)) is None:
                return None
            self._file.seek(at)
            return self._read(self._file.readline())[1]

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._file.close()
        if not self._at:
            self._path.unlink(missing_ok=True)

    def _problem(self, error: OSError) -> InputError:
        cause = f"{self._path} cannot be written ({error.strerror})"
        return InputError(cause, "Name an --out file in a folder that you may write to, on a disk with room.")
