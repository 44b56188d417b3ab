"""Results of experiments: one JSON object a file, which the README and the page read and never compute."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ecomscript.config import ASSETS, PROJECT_ROOT

RESULTS = ASSETS / "benchmark" / "results"


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
    result = {
        "experiment": name,
        "command": command,
        "commit": _commit(),
        "data_sha256": data_sha256,
        "seeds": list(seeds),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        "rows": [dict(row) for row in rows],
    }
    text = json.dumps(result, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    folder.mkdir(parents=True, exist_ok=True)
    unfinished = folder / f"{name}.json.tmp"
    unfinished.write_text(text, encoding="utf-8")
    return unfinished.replace(folder / f"{name}.json")


def _commit() -> str | None:
    """Return the commit of the code, with "-dirty" after it where files differ; None outside a repository."""
    try:
        head = _git("rev-parse", "HEAD")
        return f"{head}-dirty" if _git("status", "--porcelain", "--untracked-files=no") else head
    except (OSError, subprocess.CalledProcessError):
        return None


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=PROJECT_ROOT, capture_output=True, text=True, check=True).stdout.strip()
