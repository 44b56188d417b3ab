"""What a verifier says."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Verdict:
    """A calibrated probability and what speaks against the claim.

    Attributes:
        score: P(label 1) in [0, 1].
        reason: One sentence on the weakest spot, or "" when nothing stands out.
        places: What the reason is about: steps of a script, or products of a bundle in the order of ``BundleClaim.placed``.
    """

    score: float
    reason: str = ""
    places: tuple[int, ...] = ()
