"""One writer at a time: two builders on one place would spoil each other's work."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from ecomscript.errors import IndexFolderError

LOCK = ".lock"
"""Added to the name of what is written, for the file that is locked while it is written."""


@contextmanager
def only_writer(out: Path) -> Iterator[None]:
    """Keep every other process from writing ``out``, a file or a folder with all that lies beside it, until the context ends.

    The system holds the lock, so it dies with a process that is killed; its file stays behind then, and holds nobody up.

    Raises:
        IndexFolderError: Another process writes there, or the lock cannot be made.
    """
    out = out.resolve()
    lock = FileLock(out.with_name(f"{out.name}{LOCK}"), timeout=0, fallback_to_soft=False)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout:
        fix = "Wait until it has ended, or name another place to write to."
        raise IndexFolderError(f"Another process is writing {out}", fix) from None
    except OSError as error:
        why = os.strerror(errno.ENOTDIR) if isinstance(error, FileExistsError) else error.strerror or error
        fix = "Choose a folder that you may write to, on a disk with room."
        raise IndexFolderError(f"{out} cannot be written ({why})", fix) from error
    try:
        yield
    finally:
        # While it is held: who waits for the name that is taken away here looks for another one (filelock counts its links).
        Path(lock.lock_file).unlink(missing_ok=True)
        lock.release()
