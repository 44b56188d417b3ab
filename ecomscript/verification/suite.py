"""The three verifiers together: loaded once, each of them allowed to be missing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from ecomscript.config import ASSETS
from ecomscript.errors import ModelError
from ecomscript.verification.bundle import BundleVerifier
from ecomscript.verification.lora import Base
from ecomscript.verification.order import Encode
from ecomscript.verification.product import ProductVerifier
from ecomscript.verification.script import ScriptVerifier

SHIPPED = ASSETS / "models"
Loaded = TypeVar("Loaded")


@dataclass(frozen=True, slots=True)
class Verifiers:
    """T1, T2 and T3; None where a model cannot be used, with the reason in ``problems``.

    Attributes:
        t1: Judges scripts.
        t2: Judges a product in its step.
        t3: Judges bundles; needs T2.
        problems: One sentence for each that is missing.
    """

    t1: ScriptVerifier | None = None
    t2: ProductVerifier | None = None
    t3: BundleVerifier | None = None
    problems: tuple[str, ...] = ()

    @classmethod
    def load(cls, encode: Encode, folder: Path = SHIPPED) -> Verifiers:
        """Read what there is; whatever is missing or damaged becomes a problem and not an error.

        Args:
            encode: The sentence encoder, for the order of steps.
            folder: Holds the folders t1, t2 and t3.
        """
        problems: list[str] = []

        def attempt(load: Callable[[], Loaded]) -> Loaded | None:
            try:
                return load()
            except ModelError as error:
                problems.append(str(error))
                return None

        base = attempt(Base)
        t1 = attempt(lambda: ScriptVerifier.load(folder / "t1", encode, base))
        t2 = attempt(lambda: ProductVerifier.load(folder / "t2", base))
        t3 = attempt(lambda: BundleVerifier.load(folder / "t3", t2, base)) if t2 is not None else None
        return cls(t1, t2, t3, tuple(problems))
