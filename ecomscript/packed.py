"""Files that may be packed by gzip or xz, told by the end of their names."""

from __future__ import annotations

import gzip
import lzma
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

OPENERS: Mapping[str, Callable[..., Any]] = {".gz": gzip.open, ".xz": lzma.open}
BROKEN = (EOFError, zlib.error, gzip.BadGzipFile, lzma.LZMAError)
"""What reading a damaged one raises, beside ``OSError``."""


def open_packed(path: Path) -> Any:
    """Open a file for reading its content as bytes, unpacked where its name says that it is packed.

    Raises:
        OSError: It cannot be opened; reading may raise one of ``BROKEN``.
    """
    return OPENERS.get(path.suffix, open)(path, "rb")


def packed_or_not(path: Path) -> Path:
    """Return the path, or that of its packed file where only that is there."""
    packed = (path.with_name(path.name + suffix) for suffix in OPENERS)
    return path if path.is_file() else next((one for one in packed if one.is_file()), path)


def plain_name(name: str) -> str:
    """Return a name without the ending that says how the file is packed."""
    return next((name.removesuffix(suffix) for suffix in OPENERS if name.endswith(suffix)), name)
