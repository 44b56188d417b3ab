"""Plans of language models beside those of the library, and what several drafts or a single call bring."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ecomscript.evaluation.exhibit import Plot
from ecomscript.evaluation.exhibits.columns import HELP, columns
from ecomscript.evaluation.exhibits.experiment import Content, Experiment, Reader
from ecomscript.evaluation.exhibits.sentences import compared, listed, sentences, share
from ecomscript.evaluation.exhibits.values import estimate, number, series, table
from ecomscript.evaluation.results import Row

CAPTIONS = {
    "language-model-plans": "Steps written by a language model, checked and completed, beside the library's plans",
    "one-pass": "The same beside the best of three drafts, and beside steps and products in one call",
}
MEASURED = ("failed", "needs_coverage", "meets_fewer_needs", "t1", "products_per_plan", "unlikely_products", "tokens", "seconds")
PLANNER = "planner"
BESIDE: Mapping[str, str] = {PLANNER: "library", "best of 3": PLANNER, "one-pass": PLANNER}
"""Way of planning → the one that it is held against."""


def _written(reader: Reader) -> Content:
    found = {name: reader.kinds(name, way=("model", "way"), goal=("id",))["way"] for name in CAPTIONS}
    shown = columns("model", "way", "goals", *MEASURED)
    tables = [table(name, caption, shown, found[name], filters=("model",)) for name, caption in CAPTIONS.items()]
    runs = {model: rows for name in CAPTIONS for model, rows in _by_model(found[name]).items()}  # the run of all ways, where it is stored
    bars = [series(model, rows, "way", "needs_coverage", "needs_coverage_ci95") for model, rows in runs.items()]
    plot = Plot("Needs met by the way of planning", "bars", "", "Share of needs met", bars, (0.0, 1.0))
    return Content(sentences(*(_told(model, rows) for model, rows in runs.items())), tables, (plot,), notes=(HELP["Needs met"],))


def _by_model(rows: Sequence[Row]) -> dict[str, list[Row]]:
    return {model: [row for row in rows if row["model"] == model] for model in dict.fromkeys(str(row["model"]) for row in rows)}


def _told(model: str, rows: Sequence[Row]) -> str:
    """Return how the ways of one model compare; those that are about other numbers of goals are not compared."""
    ways = {str(row["way"]): row for row in rows}
    told = []
    for way, other in BESIDE.items():
        one, beside = (estimate(ways.get(name, {}), "needs_coverage", name) for name in (way, other))
        if one is None or beside is None or number(ways[way], "goals") != number(ways[other], "goals"):
            continue
        told.append(f"“{way}” meets {share(one.value)} of the needs{_cost(ways[way])}, {compared(one, beside)}")
    goals = number(ways.get(PLANNER, {}), "goals")
    return f"Over {goals:,.0f} goals with {model}, {'; '.join(told)}" if told and goals is not None else ""


def _cost(row: Row) -> str:
    """Return T1, tokens and seconds in brackets, those that are known."""
    known = [
        f"{words} {value:,.{digits}f}{unit}"
        for key, words, digits, unit in (("t1", "T1", 2, ""), ("tokens", "", 0, " tokens"), ("seconds", "", 1, " s a goal"))
        if (value := number(row, key)) is not None
    ]
    return f" ({listed([part.strip() for part in known])})" if known else ""


WRITTEN = Experiment(
    "written",
    "Plans of language models",
    "What are a language model's plans worth beside the library's, and what do several drafts or a single call bring?",
    tuple(CAPTIONS),
    _written,
)
