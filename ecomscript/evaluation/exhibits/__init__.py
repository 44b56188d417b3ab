"""What the stored results of every experiment show: read, never computed anew, so that a page or a report is made at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from ecomscript.evaluation.exhibit import Exhibit
from ecomscript.evaluation.exhibits.catalogues import CATALOGUES
from ecomscript.evaluation.exhibits.columns import HELP
from ecomscript.evaluation.exhibits.experiment import Reader
from ecomscript.evaluation.exhibits.injection import INJECTION
from ecomscript.evaluation.exhibits.matching import INTENTIONS, THRESHOLD
from ecomscript.evaluation.exhibits.people import ERRORS, STUDY
from ecomscript.evaluation.exhibits.plans import PLANS, SPEED
from ecomscript.evaluation.exhibits.verifiers import BASELINE, LEADERBOARD, SIGNALS, TRANSFER
from ecomscript.evaluation.exhibits.written import WRITTEN
from ecomscript.evaluation.results import RESULTS

_SHOWN = (LEADERBOARD, BASELINE, INTENTIONS, INJECTION, THRESHOLD, TRANSFER, STUDY, ERRORS, SIGNALS, SPEED, PLANS, WRITTEN, CATALOGUES)
EXHIBITS: Mapping[str, Callable[[Reader], Exhibit]] = {experiment.key: experiment for experiment in _SHOWN}
"""Key → what makes the exhibit, in the order to show."""
METRICS = HELP
"""Metric → its meaning in plain words."""


def all_exhibits(folder: Path = RESULTS) -> tuple[Exhibit, ...]:
    """Return every exhibit, whatever the results files hold: what is wrong with one is told by the exhibit's sources.

    Args:
        folder: Where results are kept; published figures of others lie beside it.
    """
    return tuple(make(Reader(folder)) for make in EXHIBITS.values())


__all__ = ["EXHIBITS", "METRICS", "Reader", "all_exhibits"]
