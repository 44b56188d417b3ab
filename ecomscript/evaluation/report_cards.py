"""What the page says of a verifier: which model it is, how it did on items checked by hand, and what its words are worth."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

from ecomscript.config import SHIPPED_MODELS
from ecomscript.evaluation.results import RESULTS
from ecomscript.verification.claims import TASKS, Task
from ecomscript.verification.combine import FILE as COMBINER
from ecomscript.verification.suite import CHOICE, GROUNDS

MEASURED_ON = "gold dev"
Judged = Task | Literal["grounds"]
"""What a card is of: a verifier, or what speaks for the library's plan that a script starts from."""
RATED: Mapping[Task, str] = {"t1": "plausible", "t2": "products_fit", "t3": "overall"}
"""The rating of readers that a verifier's score should follow."""
Word = Literal["high", "fair", "low"]
WORDS: tuple[Word, ...] = ("high", "fair", "low")

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Level:
    """A word for scores from ``start`` on.

    Attributes:
        start: Least score of the level, in [0, 1].
        items: Validation items at this level.
        right: Share of them whose claim held, in [0, 1].
    """

    word: Word
    start: float
    items: int
    right: float


@dataclass(frozen=True, slots=True)
class ReportCard:
    """One verifier, or the grounds of plans; what was not measured is None.

    Attributes:
        model: Name of the base that the adapter was trained on; "" for the grounds.
        accuracy: Share of right answers on the gold development items.
        auc: Area under the ROC curve there.
        auc_low: Lower end of its 95 % interval.
        auc_high: Upper end of its 95 % interval.
        majority: Accuracy of always giving the commonest answer.
        levels: The words, the highest first; empty when the combiner does not say.
        rated_plans: Plans of the study that readers rated; of the grounds, those that they were fitted on.
        follows: Whether the score rose with the readers' rating there, beyond chance.
    """

    task: Judged
    model: str
    accuracy: float | None = None
    auc: float | None = None
    auc_low: float | None = None
    auc_high: float | None = None
    majority: float | None = None
    levels: tuple[Level, ...] = ()
    rated_plans: int | None = None
    follows: bool | None = None

    @property
    def measured(self) -> bool:
        """Whether there are results on the gold development items."""
        return None not in (self.accuracy, self.auc, self.auc_low, self.auc_high)

    @property
    def weak(self) -> bool:
        """Whether the interval of the AUC reaches chance."""
        return self.auc_low is not None and self.auc_low <= 0.5

    def level(self, score: float) -> Level | None:
        """Return the level of a score; None when there are no levels."""
        return next((level for level in self.levels if score >= level.start), self.levels[-1] if self.levels else None)


def report_cards(models: Path = SHIPPED_MODELS, results: Path | None = None) -> dict[Judged, ReportCard]:
    """Return a card for each model that is there.

    Args:
        models: Folder of t1, t2 and t3.
        results: Folder of what ``make bench`` stored about these models; may be missing. None takes the stored results for the shipped
            models and, since they say nothing of others, none for another folder.
    """
    if results is None and models.resolve() == SHIPPED_MODELS.resolve():
        results = RESULTS
    rows, study = (_read(results / f"{name}.json").get("rows") if results else None for name in ("verifiers", "study"))
    cards: dict[Judged, ReportCard] = {}
    for task in TASKS:
        # The page shows T2 on products of plans, which an adapter of its own judges where there is one.
        own = task == "t2" and (models / CHOICE).is_dir()
        folder = models / (CHOICE if own else task)
        model = _read(folder / "meta.json").get("base_model")
        if not isinstance(model, str):
            continue
        levels = _levels(_meta(folder).get("levels"))
        measures: dict[str, Any] = {**_measures(task, "shipped, for plans" if own else "shipped", rows), **_rated(task, study)}
        cards[task] = ReportCard(task, model, levels=levels, **measures)
    fitted = _meta(models / GROUNDS)
    if isinstance(plans := fitted.get("items"), int):
        cards["grounds"] = ReportCard("grounds", "", auc=_share(fitted.get("auc")), levels=_levels(fitted.get("levels")), rated_plans=plans)
    return cards


def _meta(folder: Path) -> Mapping[str, Any]:
    """Return what a combiner says of itself; nothing when it cannot be read."""
    meta = _read(folder / COMBINER).get("meta")
    return meta if isinstance(meta, Mapping) else {}


def _measures(task: Task, model: str, rows: Any) -> dict[str, float | None]:
    """Return the measured fields of a card; all of them None unless the shipped model's row has them all."""
    shipped, majority = (_row(rows, task, name) for name in (model, "majority"))
    low, high = shipped["auc_ci95"] if _is_pair(shipped.get("auc_ci95")) else (None, None)
    found = [_share(value) for value in (shipped.get("accuracy"), shipped.get("auc"), low, high)]
    if None in found:
        return {}
    return dict(zip(("accuracy", "auc", "auc_low", "auc_high"), found, strict=True)) | {"majority": _share(majority.get("accuracy"))}


def _rated(task: Task, rows: Any) -> dict[str, Any]:
    """Return what the study says of a score: how many plans, and whether the interval of the rank correlation lies above zero."""
    wanted = {"row": "correlation", "score": task, "rating": RATED[task]}
    row = _find(rows, wanted)
    plans, interval = row.get("plans"), row.get("spearman_ci95")
    low, _ = interval if isinstance(interval, list) and len(interval) == 2 else (None, None)
    return {"rated_plans": plans, "follows": low > 0} if isinstance(plans, int) and isinstance(low, int | float) else {}


def _row(rows: Any, task: Task, model: str) -> Mapping[str, Any]:
    return _find(rows, {"task": task, "model": model, "split": MEASURED_ON})


def _find(rows: Any, wanted: Mapping[str, str]) -> Mapping[str, Any]:
    """Return the first row with these fields; an empty one without it."""
    listed = rows if isinstance(rows, Sequence) else ()
    return next((row for row in listed if isinstance(row, Mapping) and all(row.get(key) == value for key, value in wanted.items())), {})


def _levels(rows: Any) -> tuple[Level, ...]:
    """Return the levels, the highest first; none when one of them cannot be read."""
    found = []
    for row in rows if isinstance(rows, Sequence) else ():
        known = isinstance(row, Mapping) and row.get("word") in WORDS
        start, right = (_share(row.get("from")), _share(row.get("right"))) if known else (None, None)
        items = row.get("items") if known else None
        if start is None or right is None or not isinstance(items, int):
            return ()
        found.append(Level(cast(Word, row["word"]), start, items, right))
    return tuple(sorted(found, key=lambda level: -level.start))


def _share(value: Any) -> float | None:
    """Return a number in [0, 1]; None for anything else."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1 else None


def _is_pair(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str) and len(value) == 2


def _read(path: Path) -> Mapping[str, Any]:
    """Return a JSON object; an empty one when the file is missing or damaged."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        logger.warning("%s cannot be read (%s); the page shows nothing from it", path, error)
        return {}
    return value if isinstance(value, Mapping) else {}
