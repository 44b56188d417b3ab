"""Sealed folders: built data whose ``manifest.json``, written last, names what it was built with and the checksum of every file."""

from __future__ import annotations

import ctypes
import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ecomscript.errors import CatalogError, IndexFolderError
from ecomscript.packed import BROKEN, open_packed, plain_name

MANIFEST = "manifest.json"
DATA_FILES = re.compile(r"\.(?:jsonl|ndjson|csv|tsv|xml|parquet)(?:\.(?:gz|xz|zst))?$")
"""Names of files that are read where a catalogue is a folder."""
REBUILD = "Build it again with `python -m index_build --catalog FILE_OR_DIR --out DIR`."


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Turn what the system refuses while ``folder`` is written into an ``IndexFolderError``."""
    try:
        yield
    except OSError as error:
        cause = f"The index folder {folder} cannot be written ({error.strerror or error})"
        raise IndexFolderError(cause, "Choose a folder that you may write to, on a disk with room.") from error


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn what the system refuses while a file of a catalogue is read into a ``CatalogError``."""
    try:
        yield
    except OSError as error:
        fix = "Make it readable, or take it out of the catalogue."
        raise CatalogError(f"{path} cannot be read ({error.strerror or error})", fix) from error


def unseal(folder: Path) -> None:
    """Create the folder, or take its manifest away before its files change.

    Raises:
        IndexFolderError: The folder cannot be written.
    """
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / MANIFEST).unlink(missing_ok=True)


def seal(folder: Path, names: Iterable[str], meta: Mapping[str, Any]) -> None:
    """Write the manifest: ``meta`` and the SHA-256 of the files ``names``.

    Raises:
        IndexFolderError: The folder cannot be written.
    """
    with writing(folder):
        manifest = {**meta, "sha256": {name: _sha256(folder / name) for name in names}}
        unfinished = folder / f"{MANIFEST}.tmp"
        unfinished.write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
        unfinished.replace(folder / MANIFEST)


def read_manifest(folder: Path) -> dict[str, Any]:
    """Return the manifest without checking the files.

    Raises:
        IndexFolderError: There is no folder, or no complete manifest in it.
    """
    path = folder / MANIFEST
    if not folder.is_dir():
        raise IndexFolderError(f"There is no index folder {folder}", REBUILD)
    if not path.is_file():
        raise IndexFolderError(f"The index folder {folder} has no {MANIFEST}: it was not written to its end", REBUILD)
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise IndexFolderError(f"{path} cannot be read ({error})", REBUILD) from None
    if not isinstance(manifest, dict) or not isinstance(manifest.get("sha256"), dict):
        raise IndexFolderError(f"{path} is damaged: it names no files", REBUILD)
    return manifest


def open_sealed(folder: Path, expected: Mapping[str, Any]) -> dict[str, Any]:
    """Return the manifest of a folder whose settings and files are all as they should be.

    Args:
        folder: The folder.
        expected: Manifest fields and the values that they must have.

    Raises:
        IndexFolderError: The folder is missing, half-written, damaged, or was built with other settings.
    """
    manifest = read_manifest(folder)
    for field, value in expected.items():
        if manifest.get(field) != value:
            raise IndexFolderError(f"The index in {folder} has {field} {manifest.get(field)!r}, expected {value!r}", REBUILD)
    for name, digest in manifest["sha256"].items():
        path = folder / name
        if not path.is_file():
            raise IndexFolderError(f"The index in {folder} lacks {name}", REBUILD)
        found = _sha256(path)
        if found != digest:
            raise IndexFolderError(f"{name} in {folder} is damaged: SHA-256 {found[:12]}…, expected {digest[:12]}…", REBUILD)
    return manifest


def replace_folder(finished: Path, folder: Path) -> None:
    """Put a finished folder in the place of another, which is removed afterwards; in one step where the system can exchange two names.

    Killed in between, a system that cannot leaves the finished folder beside the place, where a build with ``--resume`` takes it up.

    Raises:
        OSError: The place cannot be written.
    """
    if not folder.exists():
        finished.rename(folder)
        return
    if not _exchange(finished, folder):
        before = folder.with_name(f"{folder.name}.before")
        shutil.rmtree(before, ignore_errors=True)
        folder.rename(before)
        finished.rename(folder)
        before.rename(finished)
    shutil.rmtree(finished, ignore_errors=True)


def _exchange(one: Path, other: Path) -> bool:
    """Swap two names by Linux' renameat2; False where there is no such call, or the disk cannot do it."""
    here, swap = -100, 2  # AT_FDCWD, RENAME_EXCHANGE
    try:
        return ctypes.CDLL(None).renameat2(here, os.fsencode(one), here, os.fsencode(other), swap) == 0
    except (AttributeError, OSError, TypeError):
        return False


def data_files(folder: Path) -> list[Path]:
    """Return the ``DATA_FILES`` under a folder in the order of their names."""
    return sorted(path for path in folder.rglob("*") if DATA_FILES.search(path.name.lower()) and path.is_file())


def fingerprint(source: Path) -> str:
    """Return the SHA-256 over names and contents of the data: the ``DATA_FILES`` under a folder, or one file.

    Packing a file by gzip or xz changes nothing.

    Raises:
        CatalogError: A file cannot be read.
    """
    digest = hashlib.sha256()
    for path in [source] if source.is_file() else data_files(source):
        name = path.name if path == source else path.relative_to(source).as_posix()
        with reading(path):
            digest.update(f"{plain_name(name)}\0{_content(path)}\n".encode())
    return digest.hexdigest()


def _content(path: Path) -> str:
    """Return the SHA-256 of what a file holds, unpacked where that can be done."""
    try:
        with open_packed(path) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except BROKEN:
        return _sha256(path)


def write_rows(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write one JSON object a line."""
    with path.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def read_rows(path: Path) -> list[dict[str, Any]]:
    """Read one JSON object a line."""
    with path.open(encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
