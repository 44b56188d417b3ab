"""From the scores of parts to one calibrated probability, and what that is worth."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ecomscript.errors import ModelError

Array = npt.NDArray[np.float64]
FILE = "combiner.json"
LEAST_SCALE = 1e-3
"""A part that hardly varies is not blown up."""
LEAST_COEF = 0.01
"""Least weight of a part: what moves the log-odds less, by a standard deviation, is not worth asking for."""
RETRAIN = "Fit it again with `python -m ecomscript.evaluation.calibrate`."


@dataclass(frozen=True, slots=True)
class Combiner:
    """A logistic regression over standardised parts, fitted on validation items; with one part it is Platt scaling.

    Attributes:
        names: Names of the parts.
        mean: (parts,) subtracted before.
        scale: (parts,) divided by before.
        coef: (parts,) weights.
        intercept: Added last.
        meta: What it was fitted on and how good it was there.
    """

    names: tuple[str, ...]
    mean: Array
    scale: Array
    coef: Array
    intercept: float
    meta: Mapping[str, Any]

    @classmethod
    def fit(cls, names: Sequence[str], parts: Array, labels: Sequence[int], meta: Mapping[str, Any]) -> Combiner:
        """Fit to (n, parts) scores and n labels; the penalty is chosen by cross-validation, a weight may not turn a part around.

        Every part is written so that more of it speaks for label 1, so a negative weight can only be noise and the part is left out, as is
        one of next to no weight.
        """
        from sklearn.linear_model import LogisticRegressionCV  # noqa: PLC0415  (a second of import that serving need not pay)

        used = list(range(len(names)))
        while True:
            mean, scale = parts[:, used].mean(0), np.maximum(parts[:, used].std(0), LEAST_SCALE)
            model = LogisticRegressionCV(Cs=6, cv=5, scoring="neg_log_loss", l1_ratios=(0.0,), use_legacy_attributes=False, random_state=0)
            model.fit((parts[:, used] - mean) / scale, labels)
            coef = model.coef_[0]
            if len(used) == 1 or (coef >= LEAST_COEF).all():
                return cls(tuple(names[i] for i in used), mean, scale, coef, float(model.intercept_[0]), meta)
            used.pop(int(np.argmin(coef)))

    def logits(self, parts: Mapping[str, npt.ArrayLike]) -> Array:
        """Return the (n,) log-odds of label 1 from the parts by name, each (n,)."""
        return self.contributions(parts).sum(1) + self.intercept

    def contributions(self, parts: Mapping[str, npt.ArrayLike]) -> Array:
        """Return what each used part adds to the log-odds, (n, parts)."""
        columns = np.stack([np.asarray(parts[name], np.float64) for name in self.names], axis=1)
        return np.asarray((columns - self.mean) / self.scale * self.coef)

    def probability(self, parts: Mapping[str, npt.ArrayLike]) -> Array:
        """Return P(label 1), (n,)."""
        return np.asarray(1 / (1 + np.exp(-self.logits(parts))))

    def speaks(self, name: str, signal: npt.ArrayLike) -> npt.NDArray[np.bool_]:
        """Return whether a signal, (n,), is strong enough for a reason to be named: from the level on that was precise on validation."""
        least = self.meta.get("speaks_from", {}).get(name)
        strong = np.asarray(signal, np.float64)
        return np.zeros(len(strong), bool) if least is None else strong >= least

    def save(self, folder: Path) -> None:
        """Write ``combiner.json``."""
        row = {
            "names": list(self.names),
            "mean": self.mean.round(6).tolist(),
            "scale": self.scale.round(6).tolist(),
            "coef": self.coef.round(6).tolist(),
            "intercept": round(self.intercept, 6),
            "meta": dict(self.meta),
        }
        (folder / FILE).write_text(json.dumps(row, indent=1) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, folder: Path, parts: Sequence[str]) -> Combiner:
        """Read ``combiner.json``, which may use the named parts only.

        Raises:
            ModelError: It is missing, damaged, of other parts, or was fitted over another adapter than the one beside it.
        """
        try:
            row = json.loads((folder / FILE).read_text(encoding="utf-8"))
            mean, scale, coef = (np.array(row[name], np.float64) for name in ("mean", "scale", "coef"))
            whole = all(len(array) == len(row["names"]) and np.isfinite(array).all() for array in (mean, scale, coef))
            if not whole or not set(row["names"]) <= set(parts) or not np.isfinite(row["intercept"]):
                raise ValueError("its lists do not belong together")
            if (scale <= 0).any() or not all(np.isfinite(least) for least in row["meta"].get("speaks_from", {}).values()):
                raise ValueError("it holds numbers that cannot be")
            if row["meta"].get("adapter_sha256") != adapter_hash(folder):
                raise ValueError("it was fitted over another adapter")
            return cls(tuple(row["names"]), mean, scale, coef, float(row["intercept"]), row["meta"])
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise ModelError(f"{folder / FILE} cannot be read ({error})", RETRAIN) from None


def adapter_hash(folder: Path) -> str | None:
    """Return the SHA-256 of the adapter that ``meta.json`` of the folder names; None in a folder of numbers alone."""
    meta = folder / "meta.json"
    return str(json.loads(meta.read_text(encoding="utf-8"))["sha256"]["adapter.safetensors"]) if meta.is_file() else None


def calibration_error(probabilities: Array, labels: Sequence[int], bins: int = 10) -> float:
    """Return the expected calibration error (ECE) with bins of equal size."""
    order = np.argsort(probabilities)
    truth = np.asarray(labels, np.float64)[order]
    said = np.asarray(probabilities)[order]
    parts = [part for part in np.array_split(np.arange(len(order)), bins) if len(part)]
    return float(sum(len(part) * abs(said[part].mean() - truth[part].mean()) for part in parts) / len(order))
