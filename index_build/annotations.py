"""Items on their way to annotators and back: a sheet with three columns to fill, the majority, and how far the three agree."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ecomscript.errors import InputError
from ecomscript.evaluation.metrics import fleiss_kappa
from ecomscript.jsonl import read_lines, write_lines
from ecomscript.verification.claims import TASKS

SHEET = "annotate.csv"
ANNOTATORS = ("annotator_1", "annotator_2", "annotator_3")
COLUMNS = ("id", "question", "objective", "text", *ANNOTATORS)
QUESTIONS = {
    "t1": "Would a sensible person who follows these steps in this order achieve the objective? yes or no",
    "t2": "Does buying this product help with this step of this objective? yes or no",
    "t3": "Does every product suit its step, and does nothing clash with another product or the objective? yes or no",
}
MARKS = {"yes": 1, "y": 1, "1": 1, "true": 1, "no": 0, "n": 0, "0": 0, "false": 0}

Row = Mapping[str, Any]


def write_sheet(path: Path, items: Mapping[str, Sequence[Row]]) -> None:
    """Write the items for people, without a word of how they were made.

    Raises:
        InputError: The file cannot be written.
    """
    try:
        with path.open("w", encoding="utf-8-sig", newline="") as file:
            out = csv.writer(file)
            out.writerow(COLUMNS)
            for task, rows in items.items():
                for row in rows:
                    out.writerow([row["id"], QUESTIONS[task], _cell(row["objective"]), _cell(_text(task, row)), *[""] * len(ANNOTATORS)])
    except OSError as error:
        raise InputError(f"{path} cannot be written ({error.strerror})", "Name a folder that you may write to.") from None


def read_sheet(path: Path, folder: Path) -> dict[str, dict[str, int | float | None]]:
    """Label the candidates of a folder by the majority of three and write ``t1.labelled.jsonl`` to ``t3.labelled.jsonl`` beside them.

    Args:
        path: The sheet as it came back; rows that not all three have marked are left out and counted.
        folder: Where the candidates are.

    Returns:
        For each task: items labelled, unfinished rows, the share of label 1, and Fleiss' kappa (None where it is not defined).

    Raises:
        InputError: The sheet or a candidate file cannot be used; the message names the row.
    """
    candidates = {task: {str(line.data["id"]): line.data for line in read_lines(folder / f"{task}.jsonl", ("id",))} for task in TASKS}
    votes = _votes(path, {key for rows in candidates.values() for key in rows})
    found: dict[str, dict[str, int | float | None]] = {}
    for task, rows in candidates.items():
        done = {key: marks for key in rows if len(marks := votes[key]) == len(ANNOTATORS)}
        labels = {key: int(2 * sum(marks) > len(marks)) for key, marks in done.items()}
        labelled = [
            {**rows[key], "label": label, "error": "none" if label else "annotated", "votes": done[key]} for key, label in labels.items()
        ]
        write_lines(folder / f"{task}.labelled.jsonl", labelled)
        kappa = fleiss_kappa([[len(marks) - sum(marks), sum(marks)] for marks in done.values()]) if done else None
        share = round(sum(labels.values()) / len(labels), 4) if labels else None
        rounded = None if kappa is None else round(kappa, 4)
        found[task] = {"items": len(done), "unfinished": len(rows) - len(done), "share_yes": share, "kappa": rounded}
    return found


def _votes(path: Path, known: set[str]) -> Mapping[str, list[int]]:
    votes: defaultdict[str, list[int]] = defaultdict(list)
    seen: set[str] = set()
    for number, row in _rows(path):
        key = (row["id"] or "").strip()
        if key not in known or key in seen:
            cause = f"{path.name}, row {number}: the id {key[:40]!r} is {'twice in the sheet' if key in seen else 'of no candidate'}"
            raise InputError(cause, f"Use the {SHEET} that was made with these candidates.")
        seen.add(key)
        for name in ANNOTATORS:
            mark = (row[name] or "").strip().lower()
            if mark and mark not in MARKS:
                raise InputError(f"{path.name}, row {number}, {name}: {mark[:40]!r} is no mark", "Write yes or no, or leave it empty.")
            if mark:
                votes[key].append(MARKS[mark])
    return votes


def _rows(path: Path) -> Iterator[tuple[int, dict[str, str | None]]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            table = csv.DictReader(file)
            missing = [name for name in ("id", *ANNOTATORS) if name not in (table.fieldnames or ())]
            if missing:
                raise InputError(f"{path.name} has no column {missing[0]!r}", f"Keep the columns of {SHEET}, divided by commas.")
            yield from enumerate(table, 2)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path} cannot be read ({error})", f"Name the filled-in {SHEET} as UTF-8 CSV.") from None


def _text(task: str, row: Row) -> str:
    if task == "t1":
        return "\n".join(f"{n}. {step}" for n, step in enumerate(row["steps"], 1))
    if task == "t2":
        return f"Step: {row['step']}\nProduct: {row['product']}\n{row['features']}".rstrip()
    return "\n".join(f"{n}. {entry['step']}: {', '.join(entry['products'])}" for n, entry in enumerate(row["steps"], 1))


def _cell(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
