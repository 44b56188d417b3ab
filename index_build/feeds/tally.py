"""What became of the rows of a catalogue: counted by reason, and each row that was turned down written to a file."""

from __future__ import annotations

import json
from collections import Counter
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import IO

from ecomscript.errors import EcomScriptError
from ecomscript.folders import writing

SHOWN = 300
"""Characters of a rejected row that are kept, in ASCII."""


class UnusableFileError(Exception):
    """A whole file, or the rest of it, cannot be read; ``reason`` is counted, ``detail`` says what was found."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason, self.detail = reason, detail


class Tally(AbstractContextManager["Tally"]):
    """Counts rows and writes the rejected ones.

    Args:
        path: File of the rejected rows: one JSON object a line with ``file``, ``line``, ``reason``, ``detail`` and the start of the
            ``row``. It is there, perhaps empty, once the tally is closed.

    Attributes:
        rejected: Rows, or whole files, that were turned down, by reason.
        repaired: Cells that were changed or left out in rows that were kept, by what was wrong.
        merged: Rows that became part of another, by why.
    """

    def __init__(self, path: Path) -> None:
        self.rejected: Counter[str] = Counter()
        self.repaired: Counter[str] = Counter()
        self.merged: Counter[str] = Counter()
        self._path = path
        self._unfinished = path.with_name(f"{path.name}.tmp")
        with writing(path.parent):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file: IO[str] = self._unfinished.open("w", encoding="ascii")

    def reject(self, reason: str, file: str, line: int, detail: str = "", row: object = "") -> None:
        """Count a row that cannot be used and write it down; ``line`` 0 stands for the whole file."""
        self.rejected[reason] += 1
        shown = row.decode("utf-8", "replace") if isinstance(row, bytes) else str(row)
        entry = {"file": file, "line": line, "reason": reason, "detail": detail[:SHOWN], "row": shown[:SHOWN]}
        with writing(self._path.parent):
            self._file.write(json.dumps(entry) + "\n")

    def repair(self, what: str) -> None:
        """Count a cell that was changed or left out."""
        self.repaired[what] += 1

    def merge(self, why: str) -> None:
        """Count a row that became part of another."""
        self.merged[why] += 1

    def sentences(self) -> list[str]:
        """Return what happened, one line for each of rejected, merged and repaired; nothing where nothing did."""
        named = (("rejected", self.rejected), ("merged", self.merged), ("cells changed or left out", self.repaired))
        return [f"{name}: {', '.join(f'{n:,} {why}' for why, n in counts.most_common())}" for name, counts in named if counts]

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        with writing(self._path.parent):
            self._file.close()
            if kind is None or issubclass(kind, EcomScriptError):  # which may be about nothing but rejected rows
                self._unfinished.replace(self._path)
