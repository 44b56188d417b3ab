"""The verifiers: the leaderboard, the paper's baseline, and what transfer to other departments costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ecomscript.evaluation.exhibit import Column, HeatMap, Plot, Table
from ecomscript.evaluation.exhibits.columns import HELP, columns
from ecomscript.evaluation.exhibits.experiment import PUBLISHED, TASK_NAMES, Content, Experiment, Reader
from ecomscript.evaluation.exhibits.sentences import against_chance, compared, listed, sentences, written
from ecomscript.evaluation.exhibits.values import Estimate, estimate, estimates, in_order, number, series, table, text
from ecomscript.evaluation.results import Row
from ecomscript.verification.claims import TASKS

GOLD = "gold dev"
"""The split that was checked item by item by hand."""
SHIPPED, FROZEN, PAPER = "shipped", "frozen embedding + logistic regression", "LoRA, the paper's settings"
BASELINES = ("majority", "random", "cosine, zero-shot", "bm25")
"""How the names of trivial models start."""
PUBLISHED_NOTE = (
    "Published figures are from notes of readers of the paper, a secondary source that was not checked against the paper, and were "
    "measured on other data: they cannot be compared with ours. Where two sources disagree, both are listed."
)
LANGUAGE_MODELS = (
    "Language models are scored by how much likelier they find Yes than No, and their accuracy is taken at the middle score: small ones "
    "nearly always say the same."
)
ROBERTA = "python -m ecomscript.verification.train --task t2 --base-model FacebookAI/roberta-large"


def _leaderboard(reader: Reader) -> Content:
    rows = _scored(reader, "verifiers", "language-models", "language-model-verifiers")
    optional = [key for key in ("base", "seed") if any(text(row, key) for row in rows)]
    shown = columns("model", "task", "split", "items", "auc", "accuracy", "macro_f1", "pair_accuracy", "ece", *optional)
    names = in_order(rows, "model")
    main = table(
        "models",
        "Every model on every split, the highest AUC first",
        shown,
        _ranked(rows),
        filters=("task", "split", "model"),
        baselines=tuple(name for name in names if name.lower().startswith(BASELINES)),
    )
    own = [row for row in rows if str(row["model"]).startswith(SHIPPED)]
    parts = [
        table(
            f"by-{field}",
            f"AUC of the shipped models by {field}",
            columns(field, "task", "model", "split", "auc"),
            _split_up(own, f"auc_by_{field}", field),
            filters=("task", "model", "split"),
        )
        for field in ("error", "domain")
    ]
    plots = [_gold_bars(task, rows) for task in TASKS]
    notes = (HELP["95 % interval"], *([LANGUAGE_MODELS] if any("prompt" in row for row in rows) else []), PUBLISHED_NOTE)
    return Content(_leaderboard_finding(rows), (main, *parts, _published(reader)), plots, notes=notes)


def _leaderboard_finding(rows: Sequence[Row]) -> str:
    shipped, ahead = [], []
    for task in TASKS:
        found = estimates(_of(rows, task, GOLD), "auc", "model")
        own = next((one for one in found if one.name == SHIPPED), None)
        if own is None:
            continue
        shipped.append(Estimate(task.upper(), own.value, own.low, own.high))
        if found[0].value > own.value:
            ahead.append(f"on {task.upper()} “{found[0].name}” is {compared(found[0], own)}")
    if not shipped:
        return ""
    reached = listed([f"{written(one)} for {one.name}" for one in shipped])
    return sentences(
        f"on the items checked by hand the shipped models reach an AUC of {reached}",
        against_chance(shipped),
        "; ".join(ahead) or "no other model measured there does better",
    )


def _gold_bars(task: str, rows: Sequence[Row]) -> Plot:
    ranked = _ranked(_of(rows, task, GOLD))
    one = series(task.upper(), ranked, "model", "auc", "auc_ci95")
    return Plot(f"{task.upper()} on items checked by hand", "bars", "Model", "AUC", (one,), y_range=(0.0, 1.0))


def _published(reader: Reader) -> Table:
    scores = [Column(task, f"{task.upper()} accuracy", "share", help=HELP["Accuracy"], better="higher") for task in TASKS]
    shown = (*columns("model", "setting", "reading"), *scores)
    return table("published", "Published, other data, secondary source", shown, reader.rows(PUBLISHED, "model"))


def _baseline(reader: Reader) -> Content:
    compared_models = (PAPER, SHIPPED, FROZEN, "majority")
    rows = [row for row in _scored(reader, "verifiers") if row["model"] in compared_models]
    optional = [key for key in ("base",) if any(text(row, key) for row in rows)]
    shown = columns("model", "task", "split", "items", "auc", "accuracy", "macro_f1", "ece", *optional)
    main = table(
        "baseline", "The paper's settings beside what ships", shown, _ranked(rows), filters=("task", "split"), baselines=("majority",)
    )
    said, absent = [], []
    for task in TASKS:
        found = {one.name: one for one in estimates(_of(rows, task, GOLD), "auc", "model")}
        if PAPER not in found:
            absent.append(task.upper())
            continue
        others = [compared(found[PAPER], found[name]) for name in (SHIPPED, FROZEN) if name in found]
        reached = f"with the paper's settings {task.upper()} reaches an AUC of {written(found[PAPER])}"
        said.append("; ".join([reached, *others]))
    bars = [
        series(name, _named([row for row in rows if row["model"] == name and row["split"] == GOLD]), "task", "auc", "auc_ci95")
        for name in compared_models
    ]
    plot = Plot("On items checked by hand", "bars", "Task", "AUC", tuple(one for one in bars if one.x), y_range=(0.0, 1.0))
    notes = [
        "The paper's settings: LoRA r=16, α=32, Adam, learning rate 5e-5, batch 8, 3 epochs, length 300; here on the base that ships.",
        f"The paper's RoBERTa-large was not run here, whose weights could not be had; where they can, it is one command: `{ROBERTA}`.",
    ]
    if absent and rows:
        notes.append(f"Not measured with the paper's settings: {listed(absent)}.")
    return Content(sentences(*said), (main,), (plot,), notes=notes)


def _transfer(reader: Reader) -> Content:
    rows = reader.rows("transfer", "model", "task", "group")
    main = table(
        "transfer",
        "AUC on a group of departments, with it and without it in training",
        columns("group", "task", "model", "items", "auc_with", "auc_without", "drop"),
        _named(rows),
        filters=("task", "group", "model"),
        scale=(-0.3, 0.3),
    )
    maps = [_drops(model, [row for row in rows if row["model"] == model]) for model in in_order(rows, "model")]
    drops = [one for row in rows if (one := estimate(row, "drop", f"{row['group']} ({TASK_NAMES[row['task']]}, {row['model']})"))]
    if not drops:
        return Content("", (main,), (), maps, notes=(HELP["Drop"],))
    most = max(drops, key=lambda one: one.value)
    counted = [one for one in drops if one.low is not None]
    clear = sum(one.low is not None and one.low > 0 for one in counted)
    finding = sentences(
        f"the drop is largest for {most.name}: {written(most)}"
        if most.value > 0
        else "no group that was measured costs anything when it is left out",
        f"{clear} of {len(counted)} drops have an interval above zero" if counted else "",
    )
    return Content(finding, (main,), (), maps, notes=(HELP["Drop"],))


def _drops(model: str, rows: Sequence[Row]) -> HeatMap:
    tasks = [task for task in TASKS if any(row["task"] == task for row in rows)]
    groups = in_order(rows, "group")
    drop = {(row["group"], row["task"]): number(row, "drop") for row in rows}
    values = tuple(tuple(drop.get((group, task)) for task in tasks) for group in groups)
    return HeatMap(f"Drop in AUC without the group, {model}", groups, [task.upper() for task in tasks], values)


def _signals(reader: Reader) -> Content:
    rows = reader.rows("signals", "signal", "model", "department")
    overall = [row for row in rows if row["department"] == "all"]
    main = table(
        "signals",
        "T2 by what it is told of the product",
        columns("signal", "model", "department", "items", "auc", "accuracy"),
        rows,
        filters=("department", "model"),
    )
    bars = [
        series(model, [row for row in overall if row["model"] == model], "signal", "auc", "auc_ci95")
        for model in in_order(overall, "model")
    ]
    plot = Plot("T2 over all departments", "bars", "Signals", "AUC", tuple(bars), y_range=(0.0, 1.0))
    said = []
    for model in in_order(overall, "model"):
        found = estimates([row for row in overall if row["model"] == model], "auc", "signal")
        titles = [one for one in found if one.name.lower().startswith("title")]
        if titles and len(found) > 1:
            alone = min(titles, key=lambda one: len(one.name))
            best = found[0] if found[0].value > alone.value else alone
            words = f"no signal does better than “{alone.name}”" if best is alone else f"“{best.name}” is {compared(best, alone)}"
            said.append(f"for “{model}” {words} (AUC {written(best)})")
    return Content(sentences("; ".join(said)), (main,), (plot,))


def _scored(reader: Reader, *files: str) -> list[Row]:
    """Return the rows of models; the way a language model was asked belongs to its name."""
    rows = [row for file in files for row in reader.rows(file, "task", "model", "split")]
    return [{**row, "model": f"{row['model']}, {prompt}"} if (prompt := text(row, "prompt")) else row for row in rows]


def _of(rows: Sequence[Row], task: str, split: str) -> list[Row]:
    return [row for row in rows if row["task"] == task and row["split"] == split]


def _ranked(rows: Sequence[Row]) -> list[Row]:
    """Return the rows by task and split, the highest AUC first; rows without one last."""
    splits = in_order(rows, "split")
    places: Mapping[str, int] = {split: n for n, split in enumerate(sorted(splits, key=lambda split: split != GOLD))}

    def key(row: Row) -> tuple[str, int, float]:
        auc = number(row, "auc")
        return str(row["task"]), places[row["split"]], 1.0 if auc is None else -auc

    return _named(sorted(rows, key=key))


def _named(rows: Sequence[Row]) -> list[Row]:
    """Return the rows with tasks as they are written."""
    return [{**row, "task": TASK_NAMES[row["task"]]} for row in rows]


def _split_up(rows: Sequence[Row], field: str, name: str) -> list[Row]:
    """Return one row for each key of the objects in a field."""
    return [
        {**row, name: key.replace("_", " "), "auc": value, "auc_ci95": None}
        for row in _ranked(rows)
        if isinstance(row.get(field), dict)
        for key, value in row[field].items()
    ]


LEADERBOARD = Experiment(
    "leaderboard",
    "Leaderboard",
    "How well do verifiers and baselines tell right from wrong plans (T1), products (T2) and bundles (T3)?",
    ("verifiers", "language-models", "language-model-verifiers", PUBLISHED),
    _leaderboard,
)
BASELINE = Experiment(
    "baseline", "Baseline", "How far does fine-tuning with the paper's settings get on these data?", ("verifiers",), _baseline
)
TRANSFER = Experiment(
    "transfer", "Cross-domain transfer", "What does a verifier lose on departments that it never saw in training?", ("transfer",), _transfer
)
SIGNALS = Experiment(
    "signals", "Product signals", "Which of title, features, attributes and image does T2 need to judge a product?", ("signals",), _signals
)
