"""Lines of a JSONL file as checked rows: every getter names file, line and field of what is wrong."""

from __future__ import annotations

import json
import math
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ecomscript.errors import CatalogError
from ecomscript.schema import AttributeValue

FIX = "Correct that line and build again."


@dataclass(frozen=True, slots=True)
class Row:
    """One JSON object and where it stands.

    Attributes:
        path: The file.
        line: Its line, from 1.
        data: The object.
        place: Where the object lies in the line, such as "products[2]."; "" for the line itself.
    """

    path: Path
    line: int
    data: Mapping[str, Any]
    place: str = ""

    def error(self, field: str, problem: str) -> CatalogError:
        """Return the error to raise for ``field``."""
        return CatalogError(f"{self.path.name}, line {self.line}, field {self.place}{field}: {problem}", FIX)

    def text(self, field: str, optional: bool = False) -> str:
        """Return a non-empty string without control characters; "" where an optional one is null or absent."""
        value = self.data.get(field)
        if optional and value is None:
            return ""
        return self._checked(field, value, "a non-empty text without control characters")

    def number(self, field: str, high: float) -> float | None:
        """Return a number from 0 to ``high``, or None where it is null or absent."""
        value = self.data.get(field)
        if value is None:
            return None
        # NaN fails the comparison; the comparison comes before float(), which a huge integer would overflow.
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= high:
            raise self.error(field, f"expected a number from 0 to {high:,} or null, found {_shown(value)}")
        return float(value)

    def texts(self, field: str, optional: bool = False) -> tuple[str, ...]:
        """Return a list of non-empty strings, without repeats; an optional one may be null or absent."""
        value = self.data.get(field)
        if optional and value is None:
            return ()
        if not isinstance(value, list) or not all(map(_is_text, value)):
            raise self.error(field, f"expected a list of non-empty texts, found {_shown(value)}")
        return tuple(dict.fromkeys(v.strip() for v in value))

    def rows(self, field: str, at_least: int = 0) -> Iterator[Row]:
        """Yield the objects of a list as rows of their own; a list that need not be there may be null or absent."""
        value = self.data.get(field)
        if value is None and not at_least:
            value = []
        if not isinstance(value, list) or len(value) < at_least or not all(isinstance(v, dict) for v in value):
            raise self.error(field, f"expected a list of at least {at_least} objects, found {_shown(value)}")
        for number, data in enumerate(value):
            yield Row(self.path, self.line, data, f"{field}[{number}].")

    def link(self, field: str) -> str | None:
        """Return a web address, or None where it is null, absent or empty."""
        value = self.data.get(field)
        if value is None or value == "":
            return None
        expected = "an address that starts with https:// or null"
        text = self._checked(field, value, expected)
        if not text.startswith(("https://", "http://")):
            raise self.error(field, f"expected {expected}, found {_shown(value)}")
        return text

    def attributes(self, field: str) -> dict[str, AttributeValue]:
        """Return named facts: texts, numbers, true/false or lists of texts and numbers; may be null or absent."""
        value = self.data.get(field)
        if value is None:
            return {}
        if not isinstance(value, dict):
            raise self.error(field, f"expected an object, found {_shown(value)}")
        found: dict[str, AttributeValue] = {}
        for name, v in value.items():
            members = v if isinstance(v, list) else [v]
            if not all(_is_text(member) or _is_finite(member) for member in members):
                raise self.error(f"{field}.{name}", f"expected a text, a number, true/false or a list of those, found {_shown(v)}")
            found[name] = tuple(str(member) for member in v) if isinstance(v, list) else v
        return found

    def _checked(self, field: str, value: Any, expected: str) -> str:
        if not isinstance(value, str) or not _is_text(value):
            raise self.error(field, f"expected {expected}, found {_shown(value)}")
        return value.strip()


def read_lines(paths: Iterable[Path]) -> Iterator[Row]:
    """Yield the objects of JSONL files, a line at a time; empty lines are skipped.

    Raises:
        CatalogError: A file cannot be read, or a line is no JSON object in UTF-8.
    """
    for path in paths:
        try:
            with path.open("rb") as lines:
                for number, line in enumerate(lines, 1):
                    if line.strip():
                        yield Row(path, number, _object(line, f"{path.name}, line {number}"))
        except OSError as error:
            raise CatalogError(f"{path} cannot be read ({error.strerror})", "Name a file that you may read.") from error


def _object(line: bytes, where: str) -> dict[str, Any]:
    try:
        data = json.loads(line.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise CatalogError(f"{where}: not UTF-8 ({error.reason} at byte {error.start})", "Save the file as UTF-8.") from None
    except (ValueError, RecursionError) as error:  # ValueError: JSONDecodeError, or a number of thousands of digits
        raise CatalogError(f"{where}: not JSON ({error})", FIX) from None
    if not isinstance(data, dict):
        raise CatalogError(f"{where}: expected an object, found {_shown(data)}", FIX)
    return data


def _is_text(value: Any) -> bool:
    """Whether it is a text that can be shown and stored: not blank, no control characters (null bytes, tabs), no lone surrogates."""
    return isinstance(value, str) and bool(value.strip()) and not any(unicodedata.category(c) in {"Cc", "Cs"} for c in value.strip())


def _is_finite(value: Any) -> bool:
    try:
        return isinstance(value, int | float) and math.isfinite(value)
    except OverflowError:
        return False


def _shown(value: Any) -> str:
    """Return the start of a value for a message, in ASCII, so that no terminal chokes on it."""
    if value is None:
        return "nothing"
    text = ascii(value)
    return text if len(text) <= 80 else f"{text[:80]}…"
