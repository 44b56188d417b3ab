"""Results of experiments: one JSON object a file, which the README and the page read and never compute."""

from __future__ import annotations

import hashlib
import json
import math
import os
import platform
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ecomscript.config import ASSETS, PROJECT_ROOT
from ecomscript.evaluation.exhibit import Source

RESULTS = ASSETS / "benchmark" / "results"
MAKE = "make bench"
"""What makes all results, for files that do not tell their own command …"""
MAKE_OTHERS = {
    "language-models": "make bench-language-model MODEL=NAME",
    **dict.fromkeys(("language-model-plans", "one-pass", "language-model-verifiers"), "make bench-llm MODEL=NAME"),
    "load": "make bench-load",
    "page-speed": "make bench-page",
    "catalogue-reading": "python -m index_build bench-read",
    "product-store": "python -m index_build bench-store",
    "catalogue-growth": "python -m index_build bench-growth",
    "embedding": "python -m index_build bench-embed",
    "intention-transfer": "python -m index_build bench-transfer",
    "scale": "python -m index_build bench-scale",
}
"""… but for those that need more than the repository."""
LARGEST_MB = 20
Row = Mapping[str, Any]
"""One row of results; its values are what JSON has."""


@dataclass(frozen=True, slots=True)
class Result:
    """A results file as far as it can be read.

    Attributes:
        name: Name of the experiment.
        source: Where the numbers come from, and what is wrong with the file.
        rows: What was measured; empty when nothing can be used.
    """

    name: str
    source: Source
    rows: tuple[Row, ...] = ()

    @property
    def problem(self) -> str:
        """What is wrong with the file; "" when nothing is."""
        return self.source.problem


def write_results(
    name: str, command: str, rows: Sequence[Mapping[str, Any]], data_sha256: str, seeds: Sequence[int], *, folder: Path = RESULTS
) -> Path:
    """Write ``folder/name.json`` whole or not at all and return its path.

    Args:
        name: Name of the experiment.
        command: What to type to run it again.
        rows: What was measured; what was not run is absent or None, never zero.
        data_sha256: Fingerprint of the data that it ran on.
        seeds: Seeds of everything random; empty when nothing was.
        folder: Where results are kept.

    Raises:
        ValueError: A row holds NaN or infinity.
    """
    stored = json.loads(json.dumps([dict(row) for row in rows], allow_nan=False))
    result = {
        "experiment": name,
        "command": command,
        "commit": commit(),
        "data_sha256": data_sha256,
        "seeds": list(seeds),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        "rows_sha256": _fingerprint(stored),
        "rows": stored,
    }
    text = json.dumps(result, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    folder.mkdir(parents=True, exist_ok=True)
    unfinished = folder / f"{name}.json.tmp"
    unfinished.write_text(text, encoding="utf-8")
    return unfinished.replace(folder / f"{name}.json")


def read_result(name: str, folder: Path = RESULTS) -> Result:
    """Read ``folder/name.json``; whatever it holds, nothing is raised: ``problem`` says what is wrong and ``rows`` is what is left.

    Files from before rows had a fingerprint pass without one.
    """
    stored, cause = read_object(folder / f"{name}.json")
    rows, causes = _usable_rows(name, stored, whole=not cause) if stored else ((), [])
    causes = [cause, *causes] if cause else causes
    if stored and (wrong := _wrong_fields(stored)):
        causes.append(f"missing or of another kind: {', '.join(wrong)}")
    make = MAKE_OTHERS.get(name, MAKE)
    fix = f"run `{_text(stored, 'command') or make}` again." if stored else f"run `{make}`."
    problem = "; ".join([*causes, fix]) if causes else ""
    return Result(name, _source(name, stored, problem[:1].upper() + problem[1:]), rows)


def read_object(path: Path) -> tuple[dict[str, Any], str]:
    """Read the JSON object of a file.

    Returns:
        The object, with None for NaN and infinity and empty when it cannot be read, and what is wrong with it, without an end ("" when
        nothing is).
    """
    strange: list[str] = []

    def number(text: str) -> float | None:
        value = float(text)
        if math.isfinite(value):
            return value
        strange.append(text)
        return None

    try:
        if path.stat().st_size > LARGEST_MB * 1_000_000:
            return {}, f"the file is larger than {LARGEST_MB} MB and was not read"
        value = json.loads(path.read_text(encoding="utf-8-sig"), parse_float=number, parse_constant=number)
        _fingerprint(value)  # also fails for text that is no Unicode, which no page could show
    except FileNotFoundError:
        return {}, "the file is not there"
    except OSError as error:
        return {}, f"the file cannot be read ({error.strerror})"
    except (ValueError, RecursionError):
        return {}, "the file is not JSON"
    if not isinstance(value, dict) or not value:
        return {}, "the file holds no JSON object with fields"
    return value, "the file has NaN or infinity in the place of numbers, which is shown as absent" if strange else ""


def _usable_rows(name: str, stored: Mapping[str, Any], *, whole: bool) -> tuple[tuple[Row, ...], list[str]]:
    """Return the rows of an experiment and what is wrong with them; those of a file that is ``whole`` can be compared with their mark."""
    if stored.get("experiment") != name:
        return (), [f"the file is of the experiment {str(stored.get('experiment'))[:40]!r}, not of {name!r}, and is not shown"]
    rows = stored.get("rows")
    if not isinstance(rows, list):
        return (), ["the file has no list of rows"]
    usable = tuple(row for row in rows if isinstance(row, dict))
    causes = []
    if whole and "rows_sha256" in stored and stored["rows_sha256"] != _fingerprint(rows):
        causes.append("the rows were changed after they were written")
    if len(usable) < len(rows):
        causes.append(f"{len(rows) - len(usable)} of {len(rows)} rows are no objects and are left out")
    return usable, causes


def _source(name: str, stored: Mapping[str, Any], problem: str) -> Source:
    seeds = stored.get("seeds")
    return Source(
        name,
        _text(stored, "command") or MAKE_OTHERS.get(name, MAKE),
        **{field: _text(stored, field) for field in ("commit", "data_sha256", "created", "machine")},
        seeds=tuple(seed for seed in seeds if _is_seed(seed)) if isinstance(seeds, list) else (),
        problem=problem,
    )


def _wrong_fields(stored: Mapping[str, Any]) -> list[str]:
    """Return the fields beside the rows that are missing or of another kind; a commit may be None."""
    wrong = [field for field in ("command", "data_sha256", "created", "machine") if not isinstance(stored.get(field), str)]
    if not isinstance(stored.get("commit", 0), str | None):
        wrong.append("commit")
    seeds = stored.get("seeds")
    if not isinstance(seeds, list) or not all(map(_is_seed, seeds)):
        wrong.append("seeds")
    return wrong


def _text(stored: Mapping[str, Any], field: str) -> str:
    value = stored.get(field)
    return value if isinstance(value, str) else ""


def _is_seed(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _fingerprint(value: object) -> str:
    """Return the SHA-256 of a JSON value in its one canonical form."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def commit() -> str | None:
    """Return the commit of the code, with "-dirty" after it where files differ; None outside a repository."""
    try:
        head = _git("rev-parse", "HEAD")
        return f"{head}-dirty" if _git("status", "--porcelain", "--untracked-files=no") else head
    except (OSError, subprocess.CalledProcessError):
        return None


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=PROJECT_ROOT, capture_output=True, text=True, check=True).stdout.strip()
