"""Files, packed or not, as streams of bytes and lines; memory does not grow with the file."""

from __future__ import annotations

import lzma
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, cast

from backports import zstd
from isal import igzip

from index_build.feeds.tally import UnusableFileError

BLOCK = 1 << 17
MAX_LINE = 4_000_000
"""Bytes of the longest line that is read; the longest records of real catalogues have some tens of thousands."""
GZIP, ZSTD, XZ = b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"\xfd7zX"


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """Open a file, unpacked where its first bytes say gzip, zstd or xz, whatever its name.

    Raises:
        UnusableFileError: It cannot be opened, or what is packed in it breaks off or is damaged; what came before was given out.
    """
    try:
        with path.open("rb") as raw:
            magic = raw.read(4)
            raw.seek(0)
            yield cast(BinaryIO, _unpacked(raw, magic))
    except EOFError as error:
        raise UnusableFileError("file breaks off", f"{error}: it was not packed or copied to its end") from None
    except (OSError, zstd.ZstdError, lzma.LZMAError) as error:
        raise UnusableFileError("file cannot be read", getattr(error, "strerror", None) or str(error)) from None


def _unpacked(raw: BinaryIO, magic: bytes) -> Any:
    if magic.startswith(GZIP):
        return igzip.IGzipFile(fileobj=raw, mode="rb")
    if magic == ZSTD:
        return zstd.open(raw, "rb")
    return lzma.open(raw) if magic == XZ else raw


def head(path: Path, size: int) -> bytes:
    """Return the first bytes of what is in a file, fewer where it is shorter or breaks off.

    Raises:
        UnusableFileError: Nothing of it can be read.
    """
    found = b""
    try:
        with opened(path) as stream:
            while len(found) < size and (block := stream.read1(size - len(found))):  # type: ignore[attr-defined]
                found += block
    except UnusableFileError:
        if not found:
            raise
    return found


def blocks(stream: BinaryIO) -> Iterator[bytes | None]:
    """Yield runs of whole lines, without the end of the last; None in the place of a line longer than ``MAX_LINE``."""
    rest, too_long = b"", False
    while block := stream.read1(BLOCK):  # type: ignore[attr-defined]
        end = block.rfind(b"\n")
        if end < 0:
            rest = b"" if too_long else rest + block
        elif too_long:
            yield None
            start = block.find(b"\n") + 1
            if start <= end:
                yield block[start:end]
        else:
            yield rest + block[:end]
        if end >= 0:
            rest, too_long = block[end + 1 :], False
        if len(rest) > MAX_LINE:
            rest, too_long = b"", True
    if rest or too_long:
        yield None if too_long else rest


def lines(stream: BinaryIO) -> Iterator[bytes | None]:
    """Yield every line without its end; None in the place of one longer than ``MAX_LINE``."""
    for block in blocks(stream):
        if block is None:
            yield None
        else:
            yield from block.split(b"\n")
