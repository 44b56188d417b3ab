"""JSONL files at the border: every line checked, the output whole or absent."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ecomscript.errors import InputError
from ecomscript.packed import BROKEN, open_packed


@dataclass(frozen=True, slots=True)
class Line:
    """The JSON object of one line and where it stands; ``number`` counts from 1."""

    path: Path
    number: int
    data: dict[str, Any]

    def error(self, problem: str, fix: str = "Correct that line.") -> InputError:
        """Return the error to raise for this line."""
        return InputError(f"{self.path.name}, line {self.number}: {problem}", fix)


def read_lines(path: Path, fields: Sequence[str]) -> list[Line]:
    """Return the objects of a file, one a line; blank lines are skipped.

    Args:
        path: The file; a name that ends in .gz or .xz is unpacked.
        fields: Fields that every line must have.

    Raises:
        InputError: The file cannot be read, or a line is no object or lacks a field; the message names the line.
    """
    try:
        with open_packed(path) as file:
            lines = file.read().decode("utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError, *BROKEN) as error:
        raise InputError(f"{path} cannot be read ({error})", "Name a UTF-8 text file with one JSON object a line.") from None
    return [_line(path, number, text, fields) for number, text in enumerate(lines, 1) if text.strip()]


def whole_values(path: Path) -> Iterator[Any]:
    """Yield the value of every line that is JSON; a line that was cut off when a run ended is passed over, a missing file has none."""
    for line in path.read_text(encoding="utf-8", errors="replace").split("\n") if path.is_file() else ():
        with suppress(ValueError):
            yield json.loads(line)


def _line(path: Path, number: int, text: str, fields: Sequence[str]) -> Line:
    try:
        line = Line(path, number, json.loads(text))
    except (ValueError, RecursionError):  # ValueError: also numbers of thousands of digits
        raise Line(path, number, {}).error("not JSON") from None
    if not isinstance(line.data, dict):
        raise line.error(f"expected an object, found {type(line.data).__name__}")
    for field in fields:
        if field not in line.data:
            raise line.error(f"the field {field!r} is missing", "Add it to that line.")
    return line


def write_lines(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write all rows, or nothing: a temporary file takes the place of ``path`` at the end.

    Raises:
        InputError: The file cannot be written.
    """
    unfinished = path.parent / f"{path.name}.tmp"
    try:
        with unfinished.open("w", encoding="utf-8") as file:
            for row in rows:
                file.write(json.dumps(row) + "\n")
        unfinished.replace(path)
    except OSError as error:
        raise InputError(f"{path} cannot be written ({error.strerror})", "Name a file in a folder that you may write to.") from None
    finally:
        unfinished.unlink(missing_ok=True)
