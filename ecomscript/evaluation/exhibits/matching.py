"""From steps to products: which ranker finds them, and where the gate on similarity should stand."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from ecomscript.evaluation.exhibit import Plot
from ecomscript.evaluation.exhibits.columns import HELP, columns
from ecomscript.evaluation.exhibits.experiment import Content, Experiment, Reader
from ecomscript.evaluation.exhibits.sentences import compared, sentences, written
from ecomscript.evaluation.exhibits.values import ALL, estimates, in_order, number, series, table
from ecomscript.evaluation.results import Row

PAPER_THRESHOLD = 0.45
"""τ of the paper: least cosine of a step and a purchase intention."""
SHARES = (0.0, 1.0)
PAPER_GATE = "cosine"
"""How the name of the gate that τ belongs to starts."""


def _intentions(reader: Reader) -> Content:
    rows = reader.rows("retrieval", "ranker", "department")
    samples = _samples([row for row in rows if row["department"] == ALL])
    gap = sorted(reader.rows("semantic-gap", "pair"), key=lambda row: number(row, "from") or 0.0)
    pairs = in_order(gap, "pair")
    means = [next(row for row in gap if row["pair"] == pair) for pair in pairs]
    tables = (
        table(
            "retrieval",
            "What rankers find for the steps of plans",
            columns("ranker", "department", "steps", "hit@1", "hit@3", "hit@10", "recall@10", "ndcg@10", "mrr"),
            rows,
            filters=("department",),
            baselines=tuple(name for name in in_order(rows, "ranker") if name == "BM25 over titles"),
        ),
        table("semantic-gap", "Mean cosine of steps and what they are compared with", columns("pair", "mean"), means),
        table("semantic-gap-bins", "The histograms in numbers", columns("pair", "from", "to", "share"), gap, filters=("pair",)),
    )
    bars = [
        Plot(
            f"All departments{_on(steps)}",
            "bars",
            "Ranker",
            "nDCG@10",
            (series("nDCG@10", sample, "ranker", "ndcg@10", "ndcg@10_ci95"),),
            SHARES,
        )
        for steps, sample in samples.items()
    ]
    bins = [series(pair, [_middle(row) for row in gap if row["pair"] == pair], "middle", "share", place=number) for pair in pairs]
    histograms = Plot("The semantic gap", "histogram", "Cosine", "Share of pairs", tuple(bins))
    best = [f"{_best_ranker(sample)}{_on(steps) if n else ''}" for n, (steps, sample) in enumerate(samples.items()) if _best_ranker(sample)]
    first = next(iter(samples.values()), [])
    finding = sentences("; ".join(best), "; ".join(filter(None, (_intention_or_title(first), _gap(means)))))
    notes = ("Rankers can be compared where they were measured on the same steps.", HELP["nDCG@10"], HELP["MRR"])
    return Content(finding, tables, (*bars, histograms), notes=notes)


def _samples(rows: Sequence[Row]) -> dict[float | None, list[Row]]:
    """Return the rows by how many steps they were measured on, most first: only on the same steps can rankers be compared."""
    found: defaultdict[float | None, list[Row]] = defaultdict(list)
    for row in rows:
        found[number(row, "steps")].append(row)
    return dict(sorted(found.items(), key=lambda sample: -(sample[0] or 0.0)))


def _on(steps: float | None) -> str:
    return "" if steps is None else f", {steps:,.0f} steps"


def _middle(row: Row) -> Row:
    """Return a bin with its middle; without one where an end is absent."""
    low, high = number(row, "from"), number(row, "to")
    return {**row, "middle": None if low is None or high is None else (low + high) / 2}


def _best_ranker(rows: Sequence[Row]) -> str:
    found = estimates(rows, "ndcg@10", "ranker")
    if not found:
        return ""
    beside = f", {compared(found[0], found[1])}" if len(found) > 1 else ""
    return f"“{found[0].name}” finds best what steps need, nDCG@10 {written(found[0])}{beside}"


def _intention_or_title(rows: Sequence[Row]) -> str:
    """Compare the best ranker by intentions alone with the best one by titles alone."""
    found = estimates(rows, "ndcg@10", "ranker")
    by_intention = next((one for one in found if "intention" in one.name and "title" not in one.name), None)
    by_title = next((one for one in found if "title" in one.name and "intention" not in one.name), None)
    return f"by intentions, “{by_intention.name}” is {compared(by_intention, by_title)}" if by_intention and by_title else ""


def _gap(means: Sequence[Row]) -> str:
    found = estimates(means, "mean", "pair")
    if len(found) < 2:
        return ""
    return f"by mean cosine “{found[0].name}” is nearest ({found[0].value:.3f}) and “{found[-1].name}” farthest ({found[-1].value:.3f})"


@dataclass(frozen=True, slots=True)
class _Gate:
    """A gate on one department: its best threshold by F1, and the F1 at the paper's threshold where that was measured.

    Attributes:
        end: "lowest" or "highest" when the best threshold is an end of those tried, else "".
    """

    gate: str
    department: str
    best: float
    f1: float
    f1_at_paper: float | None
    end: str


def _threshold(reader: Reader) -> Content:
    rows = reader.rows("threshold", "gate", "department")
    gates = in_order(rows, "gate")
    found = [one for gate in gates for department in in_order(rows, "department") if (one := _best(rows, gate, department))]
    best = [{**{field: getattr(one, field) for field in one.__slots__}, "threshold": one.best} for one in found]
    main = table(
        "threshold",
        "What each threshold lets through",
        columns(
            "gate", "department", "threshold", "steps", "precision", "recall", "kinds_through", "steps_answered",
            "t2_accuracy", "t2_mean", "t3_mean", "t3_pass",
        ),
        rows,
        filters=("gate", "department"),
    )  # fmt: skip
    recommended = table(
        "recommended",
        "The threshold with the best F1 of precision and recall",
        columns("gate", "department", "threshold", "f1", "f1_at_paper"),
        best,
        filters=("gate", "department"),
    )
    notes = (f"The recommended threshold is the lowest of those with the best F1 over all departments. {HELP['F1']}",)
    return Content(_threshold_finding(found), (recommended, main), [_lines(rows, gate) for gate in gates], notes=notes)


def _best(rows: Sequence[Row], gate: str, department: str) -> _Gate | None:
    """Return the best of the thresholds that have precision and recall, the lowest of several; None when none has."""
    chosen = [row for row in rows if row["gate"] == gate and row["department"] == department and number(row, "threshold") is not None]
    f1 = {number(row, "threshold") or 0.0: _f1(number(row, "precision"), number(row, "recall")) for row in chosen}
    known = {threshold: value for threshold, value in sorted(f1.items()) if value is not None}
    if not known:
        return None
    best = max(known, key=lambda threshold: known[threshold])
    paper = next((value for threshold, value in known.items() if abs(threshold - PAPER_THRESHOLD) < 1e-6), None)
    end = "lowest" if best == min(f1) else "highest" if best == max(f1) else ""
    return _Gate(gate, department, best, known[best], paper if gate.startswith(PAPER_GATE) else None, end)


def _f1(precision: float | None, recall: float | None) -> float | None:
    if precision is None or recall is None:
        return None
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def _threshold_finding(found: Sequence[_Gate]) -> str:
    overall = {one.gate: one for one in found if one.department == ALL}
    cosine = next((one for gate, one in overall.items() if gate.startswith(PAPER_GATE)), None)
    if cosine is None:
        return ""
    end = f", the {cosine.end} that was tried" if cosine.end else ""
    first = f"by the F1 of precision and recall the recommended τ is {cosine.best:.3f}{end} (F1 {cosine.f1:.3f})"
    if cosine.f1_at_paper is None:
        first += "; the paper's 0.45 has no F1 here"
    elif abs(cosine.best - PAPER_THRESHOLD) < 1e-6:
        first += ": the paper's 0.45 is right"
    else:
        first += f"; the paper's 0.45 is too {'high' if cosine.best < PAPER_THRESHOLD else 'low'} (F1 {cosine.f1_at_paper:.3f})"
    other = max((one for one in overall.values() if one is not cosine), key=lambda one: one.f1, default=None)
    if other is None:
        return sentences(first)
    order = "more" if other.f1 > cosine.f1 else "less" if other.f1 < cosine.f1 else "the same"
    return sentences(first, f"the gate “{other.gate}” reaches {order}: {other.f1:.3f} at {other.best:.3f}")


def _lines(rows: Sequence[Row], gate: str) -> Plot:
    overall = [row for row in rows if row["gate"] == gate and row["department"] == ALL]
    placed = sorted((row for row in overall if number(row, "threshold") is not None), key=lambda row: number(row, "threshold") or 0.0)
    drawn = {
        "precision": "Precision",
        "recall": "Recall",
        "steps_answered": "Steps answered",
        "t2_accuracy": "T2 accuracy",
        "t3_pass": "T3 passed",
    }
    lines = [series(name, placed, "threshold", key, place=number) for key, name in drawn.items()]
    mark = (PAPER_THRESHOLD, "the paper's 0.45") if gate.startswith(PAPER_GATE) else None
    known = tuple(line for line in lines if any(height is not None for height in line.y))
    return Plot(f"Gate: {gate}", "lines", "Threshold", "Share", known, SHARES, mark)


INTENTIONS = Experiment(
    "intentions",
    "Intention alignment",
    "Do purchase intentions find better products for steps than titles do?",
    ("retrieval", "semantic-gap"),
    _intentions,
)
THRESHOLD = Experiment("threshold", "Threshold", "Is the paper's threshold of 0.45 right for this catalogue?", ("threshold",), _threshold)
