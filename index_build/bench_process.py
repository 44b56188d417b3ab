"""What a benchmark measures in a process of its own, so that neither memory nor caches of an earlier way count for the next."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any


def apart(module: str, *arguments: object) -> Any:
    """Run a module with arguments in a fresh process and return what it prints as JSON.

    Raises:
        subprocess.CalledProcessError: It fails.
    """
    command = [sys.executable, "-m", module, *map(str, arguments)]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def peak_mb() -> float:
    """Return the largest memory that this program had so far (Linux; ``ru_maxrss`` would count what started it)."""
    found = re.search(r"VmHWM:\s*(\d+) kB", Path("/proc/self/status").read_text(encoding="ascii"))
    return int(found[1]) / 1024 if found else 0.0
