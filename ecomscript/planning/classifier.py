"""A small classifier of requests on sentence embeddings and cues: multinomial logistic regression, one threshold per group of labels.

Fitted offline from hand-written examples (``assets/intake/examples.jsonl``); at run time a matrix product.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ecomscript.errors import CatalogError, ModelError
from ecomscript.planning.text import load_data, pattern, tidy

Encode = Callable[[Sequence[str]], np.ndarray]
PLAN = "plan"
# Labels that are answered alike are judged by their sum.
GROUPS: Mapping[str, tuple[str, ...]] = {
    "harm": ("care", "danger"),
    "idle": ("chat", "question"),
    "nonsense": ("nonsense",),
    "vague": ("vague",),
}
FALSE_ALARMS = {
    "harm": 0.02,
    "idle": 0.015,
    "nonsense": 0.01,
    "vague": 0.02,
}  # most that cross-validation may show among hand-written lookalikes
LIBRARY_FALSE_ALARMS = {"harm": 0.001, "idle": 0.001, "nonsense": 0.0005, "vague": 0.002}  # and among ordinary goal wordings
CUE_WEIGHT = 0.25  # length of one cue beside the embedding of length 1
_GRID = np.arange(0.2, 0.96, 0.025)
_C = 3.0  # with the weight of a cue chosen by cross-validation among 3 and 10, 0 to 1


@dataclass(frozen=True)
class RequestClassifier:
    """Weights of the classifier.

    Attributes:
        labels: The k labels, in the order of the weights.
        weights: (k, dim) float32; dim is that of ``features``.
        bias: (k,) float32.
        thresholds: Group of labels → least probability at which it is believed.
    """

    labels: tuple[str, ...]
    weights: np.ndarray
    bias: np.ndarray
    thresholds: Mapping[str, float]

    def probabilities(self, vectors: np.ndarray) -> np.ndarray:
        """Return (n, k) probabilities for (n, dim) unit vectors."""
        logits = vectors @ self.weights.T + self.bias
        odds = np.exp(logits - logits.max(axis=1, keepdims=True))
        chances: np.ndarray = odds / odds.sum(axis=1, keepdims=True)
        return chances

    def decide(self, vector: np.ndarray) -> str:
        """Return the label that is sure enough for one (dim,) vector of ``features``, else "plan"."""
        chances = dict(zip(self.labels, self.probabilities(vector[None, :])[0], strict=True))
        for group, members in GROUPS.items():
            if sum(chances[label] for label in members) >= self.thresholds[group]:
                return max(members, key=lambda label: chances[label])
        return PLAN

    def save(self, path: Path) -> None:
        """Write the weights as one npz file."""
        names = list(self.thresholds)
        np.savez(
            path,
            labels=np.array(self.labels),
            weights=self.weights.astype(np.float32),
            bias=self.bias.astype(np.float32),
            threshold_names=np.array(names),
            threshold_values=np.array([self.thresholds[name] for name in names]),
            cues=np.array(cue_names()),
        )

    @classmethod
    def load(cls, path: Path) -> RequestClassifier:
        """Read what ``save`` wrote.

        Raises:
            ModelError: The file is missing, is not such a file, or was fitted to other cues.
        """
        cure = "Fit it again."
        try:
            with np.load(path, allow_pickle=False) as data:
                thresholds = dict(zip(map(str, data["threshold_names"]), map(float, data["threshold_values"]), strict=True))
                if tuple(map(str, data["cues"])) != cue_names():
                    raise ModelError(f"The request classifier {path} was fitted to other cues than intake.yaml has", cure)
                return cls(tuple(map(str, data["labels"])), data["weights"], data["bias"], thresholds)
        except (OSError, KeyError, ValueError, EOFError) as error:
            raise ModelError(f"The request classifier {path} cannot be read ({error})", cure) from error


def cue_names() -> tuple[str, ...]:
    """Return the names of the cues in the order in which ``features`` has them."""
    return tuple(load_data("intake.yaml")["cues"])


def features(encode: Encode, texts: Sequence[str]) -> np.ndarray:
    """Return (n, dim + number of cues) float32: the embedding of each text in tidy form, and which cues occur in it."""
    plain = [tidy(text) for text in texts]
    rules = [pattern(rule) for rule in load_data("intake.yaml")["cues"].values()]
    cues = np.array([[rule.search(text) is not None for rule in rules] for text in plain], np.float32).reshape(len(plain), len(rules))
    return np.hstack([encode(plain), CUE_WEIGHT * cues])


def read_examples(path: Path) -> tuple[list[str], list[str]]:
    """Return the texts and labels of a JSONL file with lines ``{"text", "label"}``.

    Raises:
        CatalogError: A line has no text or an unknown label.
    """
    known = {PLAN, *(label for members in GROUPS.values() for label in members)}
    texts, labels = [], []
    for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1):
        try:
            row = json.loads(line)
            text, label = row["text"], row["label"]
        except (ValueError, KeyError, TypeError) as error:
            raise CatalogError(f"Line {number} of {path} is not an example ({error})", 'Each line is {"text": …, "label": …}.') from error
        if label not in known:
            raise CatalogError(f"Line {number} of {path} has the unknown label {label!r}", f"Use one of {', '.join(sorted(known))}.")
        texts.append(text)
        labels.append(label)
    return texts, labels


def fit(encode: Encode, examples_path: Path, plan_texts: Sequence[str] = (), seed: int = 0) -> RequestClassifier:
    """Fit the classifier; thresholds come from 5-fold cross-validation, so that few plans are taken for something else.

    Args:
        encode: Texts → (n, dim) float32, unit norm.
        examples_path: Hand-written examples.
        plan_texts: Further texts of label "plan", such as goal wordings of the library.
        seed: Of the split into folds.
    """
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415 - offline only: the app does not pay for the import
    from sklearn.model_selection import StratifiedKFold, cross_val_predict  # noqa: PLC0415

    texts, labels = read_examples(examples_path)
    vectors = features(encode, [*texts, *plan_texts])
    targets = np.array([*labels, *[PLAN] * len(plan_texts)])
    model = LogisticRegression(C=_C, max_iter=2000)
    folds = StratifiedKFold(5, shuffle=True, random_state=seed)
    held_out = cross_val_predict(model, vectors, targets, cv=folds, method="predict_proba")
    model.fit(vectors, targets)
    names = tuple(map(str, model.classes_))
    written = np.arange(len(targets)) < len(texts)
    thresholds = {group: _threshold(held_out[targets == PLAN], written[targets == PLAN], names, group) for group in GROUPS}
    return RequestClassifier(names, model.coef_.astype(np.float32), model.intercept_.astype(np.float32), thresholds)


def _threshold(plans: np.ndarray, written: np.ndarray, labels: tuple[str, ...], group: str) -> float:
    """Return the least threshold of the grid at which few enough plans are taken for the group.

    Args:
        plans: (n, k) held-out probabilities of texts whose label is "plan".
        written: (n,) which of them are hand-written lookalikes; the others are ordinary wordings.
        labels: The k labels.
        group: Name of the group.
    """
    sums = plans[:, [labels.index(label) for label in GROUPS[group]]].sum(axis=1)
    for step in _GRID:
        alarms = sums >= step
        if alarms[written].mean() <= FALSE_ALARMS[group] and (written.all() or alarms[~written].mean() <= LIBRARY_FALSE_ALARMS[group]):
            return round(float(step), 3)
    return float(_GRID[-1])
