"""Sealed folders: built data whose ``manifest.json``, written last, names what it was built with and the checksum of every file."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ecomscript.errors import IndexFolderError

MANIFEST = "manifest.json"
REBUILD = "Build it again with `python -m index_build --catalog FILE_OR_DIR --out DIR`."


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Turn what the system refuses while ``folder`` is written into an ``IndexFolderError``."""
    try:
        yield
    except OSError as error:
        cause = f"The index folder {folder} cannot be written ({error.strerror or error})"
        raise IndexFolderError(cause, "Choose a folder that you may write to, on a disk with room.") from error


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


def fingerprint(source: Path) -> str:
    """Return the SHA-256 over names and contents of the data: the ``*.jsonl`` and ``*.jsonl.gz`` files under a folder, or one file."""
    digest = hashlib.sha256()
    for path in [source] if source.is_file() else sorted([*source.rglob("*.jsonl"), *source.rglob("*.jsonl.gz")]):
        name = path.name if path == source else path.relative_to(source).as_posix()
        digest.update(f"{name}\0{_sha256(path)}\n".encode())
    return digest.hexdigest()


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
