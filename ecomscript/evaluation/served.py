"""The real app, serving the demo catalogue, in a process of its own, for measurements from outside."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx
import psutil

from ecomscript.config import PROJECT_ROOT, environment_of_child
from ecomscript.errors import EcomScriptError

START_S = 300.0
"""The first start of all builds the demo index."""


@dataclass(frozen=True, slots=True)
class Served:
    """The running app.

    Attributes:
        url: Its address.
        process: Its process.
    """

    url: str
    process: psutil.Process

    def memory_mb(self) -> float:
        """Return the resident memory of the process."""
        return float(self.process.memory_info().rss / 1e6)


@contextmanager
def served_app(**settings: str) -> Iterator[Served]:
    """Start ``app.py`` on a free port and stop it at the end.

    Args:
        settings: Variables of its environment.

    Raises:
        EcomScriptError: It does not answer in time.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    own = {"ECOMSCRIPT_INDEX": "", "ECOMSCRIPT_PLANNER": "library", "ECOMSCRIPT_FEEDBACK": "off"}
    env = environment_of_child(GRADIO_SERVER_PORT=str(port), GRADIO_SERVER_NAME="127.0.0.1", **own, **settings)
    command = [sys.executable, str(PROJECT_ROOT / "app.py")]
    with subprocess.Popen(command, cwd=PROJECT_ROOT, env=env, stdout=subprocess.DEVNULL) as running:
        try:
            url = f"http://127.0.0.1:{port}"
            _wait(url, running)
            yield Served(url, psutil.Process(running.pid))
        finally:
            running.terminate()


def _wait(url: str, running: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + START_S
    while running.poll() is None and time.monotonic() < end:
        try:
            if httpx.get(f"{url}/config", timeout=5).status_code == httpx.codes.OK:
                return
        except httpx.HTTPError:
            time.sleep(0.2)
    raise EcomScriptError("The app did not start", "Start it with `python app.py` and read what it says.")
