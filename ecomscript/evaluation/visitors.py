"""What visitors' ratings say: how useful, how good, whether they agree, and whether the verifiers' scores follow them.

Every visitor counts once: an interval is one of the mean over visitors, each with the mean of their own answers. Visitors choose
themselves, and what they choose to rate, so the numbers describe them and not all shoppers.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Sequence

import numpy as np
from scipy.stats import t

from ecomscript.evaluation.metrics import fleiss_kappa, in_three, rank_correlation
from ecomscript.evaluation.results import Row
from ecomscript.feedback.record import SHEETS, USEFUL, Record, Subject, latest

ENOUGH = 20
"""Fewest rated things that a rank correlation is given for."""
MOST_CORRELATED = 500
"""How many of the things rated last are correlated, so that the answer stays quick."""
FEWEST_VISITORS = 3
"""Fewest visitors that an interval is given for."""
OVERALL = "overall"
"""The mean of the five questions."""
PAIRS: tuple[tuple[str, Subject, str], ...] = (
    ("t1", "sheet", "plausible"),
    ("t2", "sheet", "products_fit"),
    ("t3", "sheet", OVERALL),
    ("t2", "product", USEFUL),
)
"""Score, subject and the mark that the score should follow."""


def rows(records: Sequence[Record], seed: int = 0) -> list[Row]:
    """Return one row a question ("thumb" or "sheet") and one a correlation; null where there is too little.

    Args:
        records: In the order in which they were given; a later answer of a visitor replaces the earlier one.
        seed: Of the bootstrap of the correlations.
    """
    given = latest(records)
    thumbs = [_question("thumb", subject, USEFUL, _of(given, subject)) for subject in ("product", "plan")]
    sheets = [_question("sheet", "sheet", sheet, _of(given, "sheet")) for sheet in SHEETS]
    correlations = [_correlation(score, mark, _of(given, subject), seed) for score, subject, mark in PAIRS]
    return [*thumbs, *sheets, *correlations]


def visitors(records: Sequence[Record]) -> int:
    """Return how many visitors have an answer that stands."""
    return len({record.session for record in latest(records)})


def _of(records: Sequence[Record], subject: Subject) -> list[Record]:
    return [record for record in records if record.subject == subject]


def _question(kind: str, subject: Subject, mark: str, given: Sequence[Record]) -> Row:
    by_visitor, by_thing = _grouped(given, mark, lambda r: r.session), _grouped(given, mark, lambda r: r.thing)
    means = [float(np.mean(marks)) for marks in by_visitor.values()]
    shared = [marks for marks in by_thing.values() if len(marks) > 1]
    bins = in_three if kind == "sheet" else _in_two
    kappa = fleiss_kappa([bins([int(m) for m in marks]) for marks in shared])
    counted = {"ratings": len(given), "visitors": len(means), "things": len(by_thing), "shared": len(shared)}
    mean = {"mean": _round(float(np.mean(means)) if means else None), "mean_ci95": interval(means, (1, 5) if kind == "sheet" else (0, 1))}
    return {"row": kind, "subject": subject, "question": mark, **counted, **mean, "kappa": _round(kappa)}


def interval(values: Sequence[float], ends: tuple[float, float]) -> list[float] | None:
    """Return the 95 % interval of a mean by Student's t, cut at the ends of the scale.

    None below ``FEWEST_VISITORS``, and where all values are the same, which says nothing about the next one.
    """
    n = len(values)
    if n < FEWEST_VISITORS or not np.ptp(values):
        return None
    half = float(t.ppf(0.975, n - 1)) * float(np.std(values, ddof=1)) / math.sqrt(n)
    mean = float(np.mean(values))
    return [round(max(mean - half, ends[0]), 4), round(min(mean + half, ends[1]), 4)]


def _correlation(score: str, mark: str, given: Sequence[Record], seed: int) -> Row:
    """Return the rank correlation of a score with a mark over the things that were rated last, each with its means."""
    scored = [record for record in given if getattr(record, score) is not None]
    marks, scores = _grouped(scored, mark, lambda r: r.thing), _grouped(scored, score, lambda r: r.thing)
    things = list(marks)[-MOST_CORRELATED:]
    row: Row = {"row": "correlation", "score": score, "rating": mark, "things": len(things)}
    if len(things) < ENOUGH:
        return {**row, "spearman": None, "spearman_ci95": None}
    x, y = (np.array([np.mean(of[thing]) for thing in things], np.float64) for of in (scores, marks))
    return {**row, **rank_correlation(x, y, seed)}


def _grouped(records: Sequence[Record], name: str, by: Callable[[Record], str]) -> dict[str, list[float]]:
    found: defaultdict[str, list[float]] = defaultdict(list)
    for record in records:
        found[by(record)].append(_value(record, name))
    return found


def _value(record: Record, name: str) -> float:
    """Return a mark, the mean of all marks ("overall"), or a score."""
    if name == OVERALL:
        return float(np.mean(list(record.marks.values())))
    return float(record.marks[name] if name in record.marks else getattr(record, name))


def _in_two(marks: Sequence[int]) -> list[int]:
    return [marks.count(0), marks.count(1)]


def _round(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
