"""A small classifier of requests on sentence embeddings and cues, with one threshold per group of labels.

A multinomial logistic regression tells the kinds of requests apart, but for the harmful ones: each of those has a support vector
machine with a Gaussian kernel, which with as few false alarms misses fewer phrasings that no example has.

Fitted offline from hand-written examples (``assets/intake/examples.jsonl``); at run time a few matrix products.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ecomscript.errors import CatalogError, ModelError
from ecomscript.planning.text import load_data, pattern, tidy

Encode = Callable[[Sequence[str]], np.ndarray]
PLAN = "plan"
HARM = ("care", "danger")
# The other labels; those that are answered alike are judged by their sum.
GROUPS: Mapping[str, tuple[str, ...]] = {
    "idle": ("chat", "question"),
    "nonsense": ("nonsense",),
    "vague": ("vague",),
}
FALSE_ALARMS = {
    "care": 0.015,
    "danger": 0.02,
    "idle": 0.015,
    "nonsense": 0.01,
    "vague": 0.02,
}  # most that cross-validation may show among hand-written lookalikes
LIBRARY_FALSE_ALARMS = {
    "care": 0.0012,
    "danger": 0.0012,
    "idle": 0.001,
    "nonsense": 0.0002,
    "vague": 0.002,
}  # and among ordinary goal wordings
CUE_WEIGHT = 0.25  # length of one cue beside the embedding of length 1
GAMMA = 0.7  # of the kernel
_HARM_C = 3.0
SAMPLE, HARD = 3000, 1500  # plan texts to learn from: so many by chance, so many because they are easily mistaken
_HARM_GRID = np.arange(-0.8, 1.01, 0.02)
_GRID = np.arange(0.2, 0.96, 0.025)
_C = 3.0  # with the weight of a cue chosen by cross-validation among 3 and 10, 0 to 1


@dataclass(frozen=True)
class HarmMachine:
    """Fitted support vector machines, one for each label of ``HARM``, over shared support vectors.

    Attributes:
        support: (m, dim) float16.
        coefficients: (m, 2) float32; 0 where a vector supports only the other machine.
        bias: (2,) float32.
    """

    support: np.ndarray
    coefficients: np.ndarray
    bias: np.ndarray

    def scores(self, vector: np.ndarray) -> np.ndarray:
        """Return (2,) how much speaks for each label of ``HARM`` in one (dim,) vector; below 0 little does."""
        distances = ((self.support.astype(np.float32) - vector) ** 2).sum(axis=1)
        found: np.ndarray = np.exp(-GAMMA * distances) @ self.coefficients + self.bias
        return found


@dataclass(frozen=True)
class RequestClassifier:
    """Weights of the classifier.

    Attributes:
        labels: The k labels, in the order of the weights.
        weights: (k, dim) float32; dim is that of ``features``.
        bias: (k,) float32.
        thresholds: Group of labels → least probability at which it is believed; label of ``HARM`` → least score.
        harm: Scores the labels of ``HARM``.
    """

    labels: tuple[str, ...]
    weights: np.ndarray
    bias: np.ndarray
    thresholds: Mapping[str, float]
    harm: HarmMachine

    def probabilities(self, vectors: np.ndarray) -> np.ndarray:
        """Return (n, k) probabilities for (n, dim) unit vectors."""
        logits = vectors @ self.weights.T + self.bias
        odds = np.exp(logits - logits.max(axis=1, keepdims=True))
        chances: np.ndarray = odds / odds.sum(axis=1, keepdims=True)
        return chances

    def decide(self, vector: np.ndarray, *, harmless: bool = False) -> str:
        """Return the label that is sure enough for one (dim,) vector of ``features``, else "plan"; ``harmless`` rules out ``HARM``."""
        beyond = {label: score - self.thresholds[label] for label, score in zip(HARM, self.harm.scores(vector), strict=True)}
        if max(beyond.values()) >= 0 and not harmless:
            return max(HARM, key=lambda label: beyond[label])
        chances = dict(zip(self.labels, self.probabilities(vector[None, :])[0], strict=True))
        for group, members in GROUPS.items():
            if sum(chances[label] for label in members) >= self.thresholds[group]:
                return max(members, key=lambda label: chances[label])
        return PLAN

    def save(self, path: Path) -> None:
        """Write the weights as one npz file."""
        names = list(self.thresholds)
        np.savez_compressed(
            path,
            labels=np.array(self.labels),
            weights=self.weights.astype(np.float32),
            bias=self.bias.astype(np.float32),
            threshold_names=np.array(names),
            threshold_values=np.array([self.thresholds[name] for name in names]),
            cues=np.array(cue_names()),
            harm_support=self.harm.support,
            harm_coefficients=self.harm.coefficients,
            harm_bias=self.harm.bias,
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
                harm = HarmMachine(data["harm_support"], data["harm_coefficients"], data["harm_bias"])
                return cls(tuple(map(str, data["labels"])), data["weights"], data["bias"], thresholds, harm)
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
    known = {PLAN, *HARM, *(label for members in GROUPS.values() for label in members)}
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

    Of many plan texts a sample is learnt from, and beside it those that a first fit would most readily take for something else.

    Args:
        encode: Texts → (n, dim) float32, unit norm.
        examples_path: Hand-written examples.
        plan_texts: Further texts of label "plan", such as goal wordings of the library.
        seed: Of the sample and of the split into folds.
    """
    from threadpoolctl import threadpool_limits  # noqa: PLC0415 - offline only, as all of scikit-learn: the app does not pay for it

    with threadpool_limits(1):  # many threads are far slower on matrices of this size
        return _fit(encode, examples_path, plan_texts, seed)


def _fit(encode: Encode, examples_path: Path, plan_texts: Sequence[str], seed: int) -> RequestClassifier:
    from sklearn.model_selection import StratifiedKFold, cross_val_predict  # noqa: PLC0415

    texts, labels = read_examples(examples_path)
    order = np.random.default_rng(seed).permutation(len(plan_texts))
    library = features(encode, [plan_texts[i] for i in order])
    vectors = np.vstack([features(encode, texts), library[:SAMPLE]])
    targets = np.array([*labels, *[PLAN] * (len(vectors) - len(texts))])
    if len(library) > SAMPLE:
        alarming = _first_fit_alarms(vectors, targets, library[SAMPLE:])
        vectors = np.vstack([vectors, library[SAMPLE:][np.argsort(-alarming, kind="stable")[:HARD]]])
        targets = np.append(targets, [PLAN] * (len(vectors) - len(targets)))
    folds = list(StratifiedKFold(5, shuffle=True, random_state=seed).split(vectors, targets))
    kinds = _kinds()
    chances = cross_val_predict(kinds, vectors, targets, cv=folds, method="predict_proba")
    names = tuple(map(str, np.unique(targets)))
    sure = {group: chances[:, [names.index(label) for label in members]].sum(axis=1) for group, members in GROUPS.items()}
    sure |= {label: cross_val_predict(_machine(), vectors, targets == label, cv=folds, method="decision_function") for label in HARM}
    plans, written = targets == PLAN, np.arange(len(targets)) < len(texts)
    thresholds = {name: _threshold(sure[name][plans & written], sure[name][plans & ~written], len(plan_texts), name) for name in sure}
    kinds.fit(vectors, targets)
    return RequestClassifier(
        names, kinds.coef_.astype(np.float32), kinds.intercept_.astype(np.float32), thresholds, _harm_machine(vectors, targets)
    )


def _kinds() -> Any:
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415

    return LogisticRegression(C=_C, max_iter=2000)


def _machine() -> Any:
    from sklearn.svm import SVC  # noqa: PLC0415

    return SVC(C=_HARM_C, gamma=GAMMA)


def _harm_machine(vectors: np.ndarray, targets: np.ndarray) -> HarmMachine:
    """Return the machines fitted to all vectors, with the support vectors of both."""
    fitted = [_machine().fit(vectors, targets == label) for label in HARM]
    coefficients = np.zeros((len(vectors), len(HARM)), np.float32)
    for column, machine in enumerate(fitted):
        coefficients[machine.support_, column] = machine.dual_coef_[0]
    used = coefficients.any(axis=1)
    bias = np.array([machine.intercept_[0] for machine in fitted], np.float32)
    return HarmMachine(vectors[used].astype(np.float16), coefficients[used], bias)


def _first_fit_alarms(vectors: np.ndarray, targets: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return for each of the other plan texts how readily a fit to the vectors takes it for something else."""
    kinds = _kinds().fit(vectors, targets)
    alarms: np.ndarray = 1.0 - kinds.predict_proba(others)[:, list(kinds.classes_).index(PLAN)]
    for label in HARM:
        alarms = np.maximum(alarms, _machine().fit(vectors, targets == label).decision_function(others) + 1.0)
    return alarms


def _threshold(written: np.ndarray, library: np.ndarray, library_size: int, group: str) -> float:
    """Return the least threshold of the grid at which few enough plans are taken for the group.

    Args:
        written: Held-out probabilities or scores of hand-written lookalikes.
        library: The same of ordinary wordings.
        library_size: How many ordinary wordings there are; those that are not in ``library`` raise no alarm.
        group: Name of the group, or a label of ``HARM``.
    """
    grid = _HARM_GRID if group in HARM else _GRID
    for step in grid:
        if (written >= step).mean() <= FALSE_ALARMS[group] and (library >= step).sum() <= LIBRARY_FALSE_ALARMS[group] * library_size:
            return round(float(step), 3)
    return float(grid[-1])
