"""The three verifiers together: loaded once, each of them allowed to be missing."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TypeVar

from ecomscript.config import SHIPPED_MODELS, VerifyChoice
from ecomscript.errors import ModelError
from ecomscript.packaged import packaged_mpnet
from ecomscript.schema import Grounds
from ecomscript.verification.bundle import BundleVerifier
from ecomscript.verification.claims import TASKS, BundleClaim, Claim, ProductClaim, ScriptClaim, Task
from ecomscript.verification.combine import Combiner
from ecomscript.verification.lora import Base
from ecomscript.verification.order import Encode
from ecomscript.verification.product import ProductVerifier
from ecomscript.verification.script import ScriptVerifier

Loaded = TypeVar("Loaded")
CHOICE = "t2-plans"
"""Folder of the T2 adapter that chooses among products."""
GROUNDS = "grounds"
"""Folder of the combiner over ``schema.Grounds``, fitted to plans that readers rated."""
PARTS_OF_GROUNDS = tuple(field.name for field in fields(Grounds))
STRONG = "strong"
"""Folder of the adapters on a base that is too slow for a page: with those of the small base they judge claims that people write."""


@dataclass(frozen=True, slots=True)
class Verifiers:
    """T1, T2 and T3; None where a model cannot be used, with the reason in ``problems``.

    Attributes:
        t1: Judges scripts.
        t2: Judges a product in its step.
        t3: Judges bundles; needs T2.
        choice: T2 as it learnt from judged products of plans: judges the candidates of a step. Without it T2 does.
        grounds: From what speaks for the library's plan that a script starts from to P(it is made for the goal), as readers see it.
        problems: One sentence for each that is missing.
    """

    t1: ScriptVerifier | None = None
    t2: ProductVerifier | None = None
    t3: BundleVerifier | None = None
    choice: ProductVerifier | None = None
    grounds: Combiner | None = None
    problems: tuple[str, ...] = ()

    @classmethod
    def load(cls, encode: Encode, folder: Path = SHIPPED_MODELS, tasks: Sequence[Task] = TASKS, strong: Collection[Task] = ()) -> Verifiers:
        """Read what there is; whatever is missing or damaged becomes a problem and not an error.

        Args:
            encode: The sentence encoder, for the order of steps.
            folder: Holds the folders t1, t2 and t3, and may hold t2-plans and strong.
            tasks: What is wanted; T3 brings T2.
            strong: The tasks that are judged by both sizes.
        """
        problems: list[str] = []

        def attempt(load: Callable[[], Loaded]) -> Loaded | None:
            try:
                return load()
            except ModelError as error:
                problems.append(str(error))
                return None

        base = attempt(Base)
        scripts, products, bundles = (adapters_of(task, folder, task in strong) for task in TASKS)
        t1 = attempt(lambda: ScriptVerifier.load(scripts, encode, base)) if "t1" in tasks else None
        t2 = attempt(lambda: ProductVerifier.load(products, base)) if {"t2", "t3"} & set(tasks) else None
        t3 = attempt(lambda: BundleVerifier.load(bundles, t2, base)) if t2 is not None and "t3" in tasks else None
        chooses = t2 is not None and "t2" in tasks and (folder / CHOICE).is_dir()
        choice = attempt(lambda: ProductVerifier.load([folder / CHOICE], base)) if chooses else None
        chosen = "t1" in tasks and (folder / GROUNDS).is_dir()
        grounds = attempt(lambda: Combiner.load(folder / GROUNDS, PARTS_OF_GROUNDS)) if chosen else None
        return cls(t1, t2, t3, choice, grounds, tuple(problems))

    def remembering(self) -> Verifiers:
        """Return the verifiers for a page, where much of what T3 is asked was asked a moment before."""
        return self if self.t3 is None else replace(self, t3=self.t3.remembering())

    def scores(self, task: Task, claims: Sequence[Claim]) -> list[float]:
        """Return P(label 1) of claims of one task, in their order.

        Raises:
            ModelError: The verifier of the task is missing.
        """
        if task == "t1" and self.t1 is not None:
            return [verdict.score for verdict in self.t1.verdicts([c for c in claims if isinstance(c, ScriptClaim)])]
        if task == "t2" and self.t2 is not None:
            return self.t2.scores([c for c in claims if isinstance(c, ProductClaim)]).tolist()
        if task == "t3" and self.t3 is not None:
            return [verdict.score for verdict in self.t3.verdicts([c for c in claims if isinstance(c, BundleClaim)])]
        raise ModelError(f"The verifier {task} cannot be used. {' '.join(self.problems)}", "")


def adapters_of(task: Task, folder: Path, strong: bool = False) -> tuple[Path, ...]:
    """Return the folders of the adapters that judge a task; the first one holds their calibration too.

    Args:
        task: One of the three.
        folder: Holds them all.
        strong: Whether both sizes judge.
    """
    return (folder / STRONG / task, folder / task) if strong else (folder / task,)


def strong_for_claims(choice: VerifyChoice, folder: Path, task: Task) -> bool:
    """Return whether claims that people write are judged by both sizes.

    Args:
        choice: "small", "strong", or "auto": both where the strong adapter is in ``folder`` and its base is installed.
        folder: Holds the adapters.
        task: One of the three.

    Raises:
        ModelError: The installed weights of the base are not the published ones.
    """
    return choice == "strong" or (choice == "auto" and (folder / STRONG / task).is_dir() and packaged_mpnet() is not None)


NO_VERIFIERS = Verifiers()
"""None of the three."""
