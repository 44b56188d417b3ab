"""JSONL files at the border: every line checked, the output whole or absent."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ecomscript.errors import InputError


def read_lines(path: Path, fields: Sequence[str]) -> list[dict[str, Any]]:
    """Return the objects of a file, one a line; blank lines are skipped.

    Args:
        path: The file.
        fields: Fields that every line must have.

    Raises:
        InputError: The file cannot be read, or a line is no object or lacks a field; the message names the line.
    """
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read ({error})", "Name a UTF-8 text file with one JSON object a line.") from None
    rows = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):  # ValueError: also numbers of thousands of digits
            raise InputError(f"{path.name}, line {number}: not JSON", "Correct that line.") from None
        if not isinstance(row, dict):
            raise InputError(f"{path.name}, line {number}: expected an object, found {type(row).__name__}", "Correct that line.")
        for field in fields:
            if field not in row:
                raise InputError(f"{path.name}, line {number}: the field {field!r} is missing", "Add it to that line.")
        rows.append({**row, "": number})
    return rows


def write_lines(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write all rows, or nothing: a temporary file takes the place of ``path`` at the end.

    Raises:
        InputError: The file cannot be written.
    """
    unfinished = path.with_name(f"{path.name}.tmp")
    try:
        with unfinished.open("w", encoding="utf-8") as file:
            for row in rows:
                file.write(json.dumps(row) + "\n")
        unfinished.replace(path)
    except OSError as error:
        raise InputError(f"{path} cannot be written ({error.strerror})", "Name a file in a folder that you may write to.") from None
    finally:
        unfinished.unlink(missing_ok=True)
