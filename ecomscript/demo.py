"""The demo index: built from the shipped catalogue on the first start, and again whenever it no longer fits."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from filelock import FileLock, Timeout

from ecomscript.association import index
from ecomscript.config import DEMO_CATALOG, PROJECT_ROOT, Settings
from ecomscript.errors import IndexFolderError
from ecomscript.folders import fingerprint, open_sealed, replace_folder
from ecomscript.planning import library

Progress = Callable[[str], None]
Builder = Callable[[Sequence[str], Progress], None]

LOCK_TIMEOUT_S = 1800.0
"""Longest wait for another process that builds; a whole build without stored vectors takes minutes on two cores."""


def run_builder(arguments: Sequence[str], progress: Progress) -> None:
    """Run ``python -m index_build``, which the app may not import, and pass on its progress.

    Raises:
        IndexFolderError: The builder failed; the cause is its own last sentence.
    """
    command = [sys.executable, "-m", "index_build", *arguments]
    last = ""
    # Text mode reads the carriage returns of a progress bar as line ends.
    with subprocess.Popen(
        command, cwd=PROJECT_ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, encoding="utf-8", errors="replace"
    ) as process:
        try:
            for line in process.stderr or ():
                if line.strip():
                    last = line.strip()
                    progress(last)
        except BaseException:
            process.terminate()
            raise
    if process.returncode:
        # Status 2 comes with a sentence of the builder's own; anything else is a crash or a signal such as "out of memory".
        said = last if process.returncode == 2 else f"the builder ended with status {process.returncode} after {last!r}"
        raise IndexFolderError(f"The demo index cannot be built: {said}", "Then start again.")


def ensure_demo(settings: Settings, progress: Progress | None = None, catalog: Path = DEMO_CATALOG, build: Builder = run_builder) -> Path:
    """Return the folder of the demo index, built first if it is missing, damaged, of another encoder or of another catalogue.

    Processes that start at the same time wait for one of them to build. The folder is replaced whole, never written in place.

    Args:
        settings: Where to keep it, and the encoder.
        progress: Told what happens, a line at a time.
        catalog: The catalogue to build from.
        build: Takes the arguments of ``python -m index_build`` and builds.

    Raises:
        IndexFolderError: The cache folder cannot be written, or the build failed.
    """
    tell = progress or (lambda _: None)
    cache = settings.cache_dir.absolute()
    folder = cache / "demo"
    source = fingerprint(catalog)
    if _fits(folder, settings.encoder, source):
        return folder
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with _locked(cache / "demo.lock", tell):
            if not _fits(folder, settings.encoder, source):
                tell("Building the demo index (once; later starts use it again).")
                partial = cache / "demo.partial"
                # --resume: what an interrupted start has embedded is not embedded again.
                choices = ("--encoder", settings.encoder, "--threads", str(settings.threads), "--resume")
                build(("--catalog", str(catalog.absolute()), "--out", str(partial), *choices), tell)
                replace_folder(partial, folder)
    except OSError as error:
        cause = f"The cache folder {cache} cannot be written ({error.strerror or error})"
        raise IndexFolderError(cause, "Set ECOMSCRIPT_CACHE to a folder that you may write to.") from error
    return folder


def _fits(folder: Path, encoder: str, source: str) -> bool:
    expected = {"encoder": encoder, "source": source}
    try:
        open_sealed(folder, {**expected, "version": index.FORMAT_VERSION})
        open_sealed(folder / library.LIBRARY_FOLDER, {**expected, "version": library.FORMAT_VERSION})
    except (IndexFolderError, OSError):
        return False
    return True


def _locked(path: Path, tell: Progress) -> AbstractContextManager:
    """Take the lock and return the context that gives it back."""
    lock = FileLock(path)
    try:
        return lock.acquire(timeout=0)
    except Timeout:
        tell("Another process is building the demo index; waiting for it.")
    try:
        return lock.acquire(timeout=LOCK_TIMEOUT_S)
    except Timeout:
        cause = f"Another process has held {path} for {LOCK_TIMEOUT_S / 60:.0f} minutes"
        raise IndexFolderError(cause, "Stop that process and start again.") from None
