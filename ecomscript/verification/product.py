"""T2: does this product help this step of this objective?"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ecomscript.verification.claims import ProductClaim
from ecomscript.verification.combine import Combiner
from ecomscript.verification.lora import Base, SegmentModel, load_adapter


class ProductVerifier:
    """The T2 model with its calibration.

    Args:
        model: The merged adapter.
        combiner: Over the one part "model".
    """

    def __init__(self, model: SegmentModel, combiner: Combiner) -> None:
        self.model, self.combiner = model, combiner

    @classmethod
    def load(cls, folder: Path, base: Base | None = None) -> ProductVerifier:
        """Read adapter and calibration.

        Raises:
            ModelError: A file is missing, damaged or for another base.
        """
        return cls(load_adapter(folder, "t2", base), Combiner.load(folder, ("model",)))

    def parts(self, claims: Sequence[ProductClaim]) -> dict[str, npt.NDArray[np.float64]]:
        """Return the (n,) logits of the model, all claims in one go."""
        return {"model": self.model.score([claim.segments() for claim in claims]).whole.astype(np.float64)}

    def scores(self, claims: Sequence[ProductClaim]) -> npt.NDArray[np.float64]:
        """Return P(the product helps), (n,)."""
        return self.combiner.probability(self.parts(claims))
