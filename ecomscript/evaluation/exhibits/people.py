"""What scores mean for people: the study of plans that were read and rated, and the cases that verifiers get wrong."""

from __future__ import annotations

from collections.abc import Sequence

from ecomscript.evaluation.exhibit import Case, Plot, Series
from ecomscript.evaluation.exhibits.columns import COLUMNS, HELP, columns
from ecomscript.evaluation.exhibits.experiment import TASK_NAMES, Content, Experiment, Reader
from ecomscript.evaluation.exhibits.sentences import against, listed, sentences, share, written
from ecomscript.evaluation.exhibits.values import Estimate, estimate, estimates, in_order, number, series, table, text
from ecomscript.evaluation.results import Row

RATINGS = ("plausible", "complete", "in_order", "products_fit", "would_use", "overall")
SCORES = ("t1", "t2", "t2_least", "t3", "product")
ABSENT = "—"


def _study(reader: Reader) -> Content:
    kinds = reader.kinds("study", plan=(), correlation=("score", "rating"), reliability=("task",), agreement=("sheet",))
    plans = [{**row, "plan_id": row.get("plan_id") or row.get("id")} for row in kinds["plan"]]
    correlations = [
        {**row, "score": COLUMNS[row["score"]].label if row["score"] in SCORES else row["score"]} for row in kinds["correlation"]
    ]
    reliability = [{**row, "task": TASK_NAMES[row["task"]]} for row in kinds["reliability"]]
    reliability.sort(key=lambda row: (row["task"], number(row, "from") or 0.0))
    tables = (
        table(
            "correlation",
            "How the order by score agrees with the order by rating",
            columns("score", "rating", "plans", "spearman"),
            correlations,
            filters=("score", "rating"),
            scale=(-1.0, 1.0),
        ),
        table(
            "reliability",
            "Scores beside the share of plans rated good",
            columns("task", "from", "to", "plans", "mean_score", "share_good"),
            reliability,
            filters=("task",),
        ),
        table(
            "agreement",
            "Do readers agree?",
            columns("sheet", "plans", "readers", "kappa", "mean_difference"),
            kinds["agreement"],
            scale=(-1.0, 1.0),
        ),
        table("plans", "Every plan with its ratings and scores", columns("plan_id", "goal", *RATINGS, *SCORES), plans, scale=(1.0, 5.0)),
    )
    lines = [
        series(task, [row for row in reliability if row["task"] == task], "mean_score", "share_good", place=number)
        for task in in_order(reliability, "task")
    ]
    honest = (Series("as it should be", (0.0, 1.0), (0.0, 1.0)),) if any(height is not None for line in lines for height in line.y) else ()
    plot = Plot("Reliability", "lines", "Mean score", "Share rated good", (*lines, *honest), (0.0, 1.0))
    notes = ("Plans were rated by careful reading before their scores were looked at.", HELP["Spearman"])
    return Content(_study_finding(correlations), tables, (plot,), cases=[_rated(row) for row in plans], notes=notes)


def _study_finding(correlations: Sequence[Row]) -> str:
    found = estimates([row for row in correlations if row["rating"] == "overall"], "spearman", "score")
    if not found:
        return ""
    relation = against(found, 0.0, "clearly with it", "no clear relation, the interval includes zero", "clearly against it")
    best = found[0]
    if best.value <= 0:
        return sentences(f"no score rises with the overall rating; the least bad is {best.name} (Spearman {written(best)})", relation)
    return sentences(f"{best.name} follows the overall rating best (Spearman {written(best)})", relation)


def _rated(row: Row) -> Case:
    shown = {COLUMNS[key].label: number(row, key) for key in RATINGS}
    scores = {COLUMNS[key].label: number(row, key) for key in SCORES}
    fields = {label: ABSENT if value is None else f"{value:g} of 5" for label, value in shown.items()}
    fields |= {label: ABSENT if value is None else f"{value:.2f}" for label, value in scores.items()}
    overall = shown["Overall"]
    return Case(text(row, "goal") or text(row, "plan_id") or ABSENT, fields, {"Overall": ABSENT if overall is None else f"{overall:g}"})


def _errors(reader: Reader) -> Content:
    kinds = reader.kinds("errors", case=("task",), summary=("task", "error"), signature=("task", "signature"))
    summary = [{**row, "task": TASK_NAMES[row["task"]], "error": _error(row)} for row in kinds["summary"]]
    signatures = [{**row, "task": TASK_NAMES[row["task"]]} for row in kinds["signature"]]
    tables = (
        table(
            "errors",
            "Share of items answered wrongly by error",
            columns("error", "task", "items", "wrong", "share_wrong"),
            summary,
            filters=("task",),
        ),
        table(
            "signatures",
            "Wrong items by what their failure looks like",
            columns("signature", "task", "count"),
            signatures,
            filters=("task",),
        ),
    )
    plots = []
    for task in in_order(summary, "task"):
        ranked = sorted((row for row in summary if row["task"] == task), key=lambda row: -(number(row, "share_wrong") or 0.0))
        one = series(task, ranked, "error", "share_wrong", "share_wrong_ci95")
        plots.append(Plot(f"{task}: share answered wrongly", "bars", "Error", "Share", (one,), (0.0, 1.0)))
    return Content(_errors_finding(summary, signatures), tables, plots, cases=[_case(row) for row in kinds["case"]])


def _errors_finding(summary: Sequence[Row], signatures: Sequence[Row]) -> str:
    worst, commonest = [], []
    for task in in_order(summary, "task"):
        found = estimates([row for row in summary if row["task"] == task], "share_wrong", "error")
        worst += [f"“{found[0].name}” for {task} ({share(found[0].value)} wrong)"] if found else []
    for task in in_order(signatures, "task"):
        counted: list[Estimate] = estimates([row for row in signatures if row["task"] == task], "count", "signature")
        commonest += [f"“{counted[0].name}” for {task} ({counted[0].value:,.0f})"] if counted else []
    return sentences(
        f"hardest is {listed(worst)}" if worst else "",
        f"the commonest signature of a wrong item is {listed(commonest)}" if commonest else "",
    )


def _error(row: Row) -> str:
    name = (text(row, "error") or ABSENT).replace("_", " ")
    return "no error" if name == "none" else name


def _case(row: Row) -> Case:
    score, label = estimate(row, "score", ""), number(row, "label")
    fields = {
        "Objective": text(row, "objective"),
        "Text": text(row, "text"),
        "Label": {1: "holds", 0: "does not hold"}.get(int(label)) if label in (0, 1) else None,
        "Score": f"{score.value:.2f}" if score else None,
        "Reason": text(row, "reason"),
    }
    facets = {
        "Task": TASK_NAMES[row["task"]],
        "Error": _error(row),
        "Domain": text(row, "domain") or ABSENT,
        "Signature": text(row, "signature") or ABSENT,
    }
    title = text(row, "objective") or text(row, "item_id") or ABSENT
    return Case(title, {name: value for name, value in fields.items() if value is not None}, facets)


STUDY = Experiment("study", "Scores and people", "Do the scores mean anything for people who read the plans?", ("study",), _study)
ERRORS = Experiment("errors", "Error analysis", "What do the verifiers get wrong, and what does it look like?", ("errors",), _errors)
