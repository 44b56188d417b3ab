"""T2: does this product help this step of this objective?"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ecomscript.verification.claims import ProductClaim
from ecomscript.verification.combine import Combiner
from ecomscript.verification.lora import Base
from ecomscript.verification.pooled import Model, open_model


class ProductVerifier:
    """The T2 model with its calibration.

    Args:
        model: The merged adapter, or several as one.
        combiner: Over the one part "model".
    """

    def __init__(self, model: Model, combiner: Combiner) -> None:
        self.model, self.combiner = model, combiner

    @classmethod
    def load(cls, folders: Sequence[Path], base: Base | None = None) -> ProductVerifier:
        """Read the adapters of ``folders`` as one (``suite.adapters_of``), and the calibration in the first.

        Raises:
            ModelError: A file is missing, damaged or for another base.
        """
        return cls(open_model(folders, "t2", base), Combiner.load(folders[0], ("model",)))

    def parts(self, claims: Sequence[ProductClaim]) -> dict[str, npt.NDArray[np.float64]]:
        """Return the (n,) logits of the model, all claims in one go."""
        return {"model": self.model.score([claim.segments() for claim in claims]).whole.astype(np.float64)}

    def scores(self, claims: Sequence[ProductClaim]) -> npt.NDArray[np.float64]:
        """Return P(the product helps), (n,)."""
        return self.combiner.probability(self.parts(claims))
