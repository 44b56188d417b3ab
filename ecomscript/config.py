"""Settings of the app: the only reader of the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ecomscript.errors import ConfigError

PROJECT_ROOT = Path(__file__).resolve().parent.parent
ASSETS = PROJECT_ROOT / "assets"
DEMO_CATALOG = ASSETS / "catalog"
SHIPPED_VECTORS = ASSETS / "vectors"
SHIPPED_MODELS = ASSETS / "models"
DEFAULT_ENCODER = "all-MiniLM-L6-v2"


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that a deployment may choose.

    Attributes:
        index_dir: Folder of the intention index that serves products; None means the demo index in ``cache_dir``.
        cache_dir: Where built indexes are kept; must be writable on first start.
        encoder: "all-MiniLM-L6-v2" (weights from the pinned package) or any Sentence-BERT name or folder.
        host: Address that the web server binds.
        port: Port of the web server; None lets Gradio take the first free one from 7860.
        threads: CPU threads for the encoder.
        models_dir: Folder of the verifiers t1, t2 and t3; another one, with adapters of a stronger base, may take its place.
    """

    index_dir: Path | None = None
    cache_dir: Path = PROJECT_ROOT / ".cache"
    encoder: str = DEFAULT_ENCODER
    host: str = "127.0.0.1"
    port: int | None = None
    threads: int = 1
    models_dir: Path = SHIPPED_MODELS

    @classmethod
    def from_env(cls, env: Mapping[str, str] | None = None) -> Settings:
        """Read the ``ECOMSCRIPT_*`` variables (INDEX, CACHE, ENCODER, MODELS, THREADS), ``GRADIO_SERVER_NAME`` and ``GRADIO_SERVER_PORT``.

        Args:
            env: Variables to read instead of the process environment.

        Raises:
            ConfigError: A value is not usable.
        """
        env = os.environ if env is None else env
        index = env.get("ECOMSCRIPT_INDEX", "").strip()
        cache = env.get("ECOMSCRIPT_CACHE", "").strip()
        models = env.get("ECOMSCRIPT_MODELS", "").strip()
        port = env.get("GRADIO_SERVER_PORT", "").strip()
        return cls(
            index_dir=Path(index) if index else None,
            cache_dir=Path(cache) if cache else PROJECT_ROOT / ".cache",
            encoder=env.get("ECOMSCRIPT_ENCODER", "").strip() or DEFAULT_ENCODER,
            host=env.get("GRADIO_SERVER_NAME", "").strip() or "127.0.0.1",
            port=_int("GRADIO_SERVER_PORT", port, 1, 65535) if port else None,
            threads=_int("ECOMSCRIPT_THREADS", env.get("ECOMSCRIPT_THREADS", "").strip() or "1", 1, 64),
            models_dir=Path(models) if models else SHIPPED_MODELS,
        )


def _int(name: str, text: str, low: int, high: int) -> int:
    try:
        value = int(text)
    except ValueError:
        raise ConfigError(f"{name} is {text!r}, expected a whole number", f"Set it between {low} and {high} or unset it.") from None
    if not low <= value <= high:
        raise ConfigError(f"{name} is {value}, expected {low} to {high}", "Choose a value in that range or unset it.")
    return value
