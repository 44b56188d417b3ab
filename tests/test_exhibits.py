"""From stored results to exhibits, on small made-up rows of every shape and on what is stored."""

import json
import re
import shutil

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecomscript.config import ASSETS
from ecomscript.evaluation.exhibit import Exhibit
from ecomscript.evaluation.exhibits import EXHIBITS, METRICS, Reader, all_exhibits
from ecomscript.evaluation.exhibits.experiment import Content, Experiment
from ecomscript.evaluation.exhibits.sentences import compared, listed, moved
from ecomscript.evaluation.exhibits.values import Estimate, interval, number, text
from ecomscript.evaluation.results import RESULTS, write_results

PAPER = "LoRA, the paper's settings"

PUBLISHED = ASSETS / "benchmark" / "published.json"


def model(name, task, auc, spread=0.05, split="gold dev", **more):
    ends = {"auc_ci95": [auc - spread, auc + spread]}
    return {"task": task, "model": name, "split": split, "items": 100, "accuracy": 0.6, "auc": auc, **ends, **more}


def study(kind, **fields):
    return {"row": kind, **fields}


def cut(threshold, precision, recall, department="all", gate="cosine of the best intention"):
    return {
        "gate": gate, "threshold": threshold, "department": department, "steps": 10, "precision": precision, "recall": recall,
        "kinds_through": 3.0, "steps_answered": 0.9, "t2_accuracy": 0.7, "t2_mean": 0.6, "t3_mean": 0.5, "t3_pass": 0.4,
    }  # fmt: skip


def ranker(name, gain, department="all", steps=100):
    shares = {"hit@1": 0.1, "hit@3": 0.2, "hit@10": 0.3, "recall@10": 0.4, "mrr": 0.15, "mrr_ci95": [0.1, 0.2]}
    return {"ranker": name, "department": department, "steps": steps, **shares, "ndcg@10": gain, "ndcg@10_ci95": [gain - 0.01, gain + 0.01]}


def bin_of(pair, low, share, mean):
    return {"pair": pair, "from": low, "to": low + 0.1, "share": share, "mean": mean}


def curve(injection, seed, epoch, auc):
    return {"row": "curve", "injection": injection, "seed": seed, "epoch": epoch, "validation_auc": auc}


def drop(task, group, value):
    aucs = {"auc_with": 0.7, "auc_without": 0.7 - value, "drop": value, "drop_ci95": [value - 0.02, value + 0.02]}
    return {"model": "probe", "task": task, "group": group, "items": 50, **aucs}


def signal(name, auc, department="all"):
    measured = {"items": 90, "auc": auc, "auc_ci95": [auc - 0.1, auc + 0.1], "accuracy": 0.7}
    return {"signal": name, "model": "shipped", "department": department, **measured}


def way(name, met, goals=4, model="chat", **more):
    return {"row": "way", "model": model, "way": name, "goals": goals, "failed": 0, "needs_coverage": met, **more}


RATED = {"plausible": 5, "complete": 4, "in_order": 5, "products_fit": 3, "would_use": 4, "overall": 4.2}
ROWS = {
    "verifiers": [
        *(model("majority", task, 0.5) for task in ("t1", "t2", "t3")),
        model("cosine, zero-shot", "t2", 0.65),
        model("BM25", "t2", 0.6),
        model("shipped", "t1", 0.54, auc_by_error={"wrong_order": 0.4, "unsafe": 0.8}, auc_by_domain={"baking": 0.6}),
        model("shipped", "t2", 0.78, macro_f1=0.7, macro_f1_ci95=[0.6, 0.8], ece=0.1, pair_accuracy=0.8),
        model("frozen embedding + logistic regression", "t2", 0.72),
        model(PAPER, "t2", 0.62, base="all-MiniLM-L6-v2", seed=0),
        model("shipped", "t2", 0.74, split="held-out"),
        model("shipped", "t3", 0.69),
    ],
    "language-model-verifiers": [model("chat", "t2", 0.52, prompt="zero-shot", unclear=3)],
    "language-model-plans": [way("library", 0.7, 8), way("planner", 0.6, 8, tokens=900, t1=0.4), way("library", 0.8, model="other")],
    "one-pass": [
        way("library", 0.7),
        way("planner", 0.6, tokens=900, seconds=12.34, t1=0.45, needs_coverage_ci95=[0.5, 0.75]),
        way("best of 3", 0.65, tokens=2700, needs_coverage_ci95=[0.6, 0.8]),
        way("one-pass", 0.3, failed=2, needs_coverage_ci95=[0.1, 0.4]),
        {"row": "goal", "model": "chat", "way": "one-pass", "id": "G1", "coverage": 0.5, "steps": ["a"], "failed": ""},
    ],
    "language-models": [model("small", "t2", 0.51, prompt="zero-shot"), model("small", "t2", 0.55, prompt="5-shot")],
    "retrieval": [
        ranker("BM25 over titles", 0.1),
        ranker("title embedding", 0.3),
        ranker("best intention", 0.25),
        ranker("shipped ranker", 0.6),
        ranker("shipped ranker", 0.7, "garden", 20),
        ranker("shipped ranker + T2 re-ranking", 0.65, steps=30),
        ranker("shipped ranker (same steps)", 0.62, steps=30),
    ],
    "semantic-gap": [
        *(bin_of("step – intention", low, share, 0.55) for low, share in ((0.4, 0.3), (0.5, 0.7))),
        *(bin_of("step – title", low, share, 0.2) for low, share in ((0.1, 0.4), (0.2, 0.6))),
    ],
    "injection": [
        *(curve("none", seed, epoch, 0.6 + 0.1 * epoch + 0.02 * seed) for seed in (0, 1) for epoch in (1, 2)),
        *(curve("contrastive", seed, 1, 0.7) for seed in (0, 1)),
        {"row": "measured", "injection": "none", "seed": 0, "split": "gold dev", "auc": 0.7, "auc_ci95": [0.6, 0.8]},
        {"row": "summary", "injection": "none", "split": "gold dev", "seeds": 2, "auc_mean": 0.7, "auc_sd": 0.01},
        {
            "row": "summary",
            "injection": "contrastive",
            "split": "gold dev",
            "seeds": 2,
            "auc_mean": 0.73,
            "auc_sd": 0.02,
            "difference_to_none": 0.03,
            "difference_ci95": [0.01, 0.05],
        },
    ],
    "threshold": [
        cut(0.4, 0.3, 0.6),
        cut(0.45, 0.4, 0.5),
        cut(0.5, 0.45, 0.2),
        cut(0.4, 0.2, 0.9, "garden"),
        cut(0.45, 0.2, 0.2, "garden"),
        cut(0.1, 0.5, 0.6, gate="fitted probability"),
    ],
    "transfer": [drop("t1", "food", 0.01), drop("t2", "food", 0.08), drop("t2", "home", 0.03)],
    "study": [
        study("plan", plan_id="P1", goal="Host a tea party", **RATED, t1=0.6, t2=0.7, t3=0.8, product=0.336),
        study("plan", id="P2", **RATED | {"overall": None}, t1=None, t2=0.5, t2_least=0.1, t3=0.4, product=None),
        study("correlation", score="t1", rating="overall", plans=50, spearman=0.1, spearman_ci95=[-0.2, 0.4]),
        study("correlation", score="t2", rating="overall", plans=50, spearman=0.5, spearman_ci95=[0.3, 0.7]),
        {"row": "reliability", "task": "t2", "from": 0.6, "to": 0.9, "plans": 10, "mean_score": 0.75, "share_good": 0.8},
        {"row": "reliability", "task": "t2", "from": 0.1, "to": 0.6, "plans": 10, "mean_score": 0.35, "share_good": 0.3},
        study("agreement", sheet="plausible", readers=2, plans=20, kappa=0.6, mean_difference=0.4),
    ],
    "errors": [
        {
            "row": "case",
            "task": "t2",
            "item_id": "T2-7",
            "domain": "baking",
            "error": "wrong_attribute",
            "label": 0,
            "score": 0.91,
            "signature": "semantic drift",
            "objective": "Bake bread",
            "text": "Knead\nHook",
            "reason": "",
        },
        {"row": "summary", "task": "t2", "error": "wrong_attribute", "items": 20, "wrong": 10, "share_wrong": 0.5},
        {"row": "summary", "task": "t2", "error": "none", "items": 40, "wrong": 8, "share_wrong": 0.2},
        {"row": "signature", "task": "t2", "signature": "semantic drift", "count": 7},
        {"row": "signature", "task": "t2", "signature": "false alarm", "count": 8},
    ],
    "signals": [signal("title", 0.7), signal("title + features", 0.75), signal("title", 0.6, "garden")],
    "page-speed": [{"screen": "phone", "what": "first step", "times": 8, "p50": 0.15, "p95": 0.2}],
    "load": [
        {
            "what": "all",
            "visitors": 50,
            "run_s": 300,
            "actions": 900,
            "errors": 2,
            "foreign_answers": 0,
            "left_midway": 9,
            "sessions": 260,
            "kept_sessions": 100,
            "full_s": 80,
            "memory_mb_at_start": 1200,
            "memory_mb_at_end": 1310,
            "memory_mb_first_third": 1300,
            "memory_mb_last_third": 1305,
        },
        {"what": "plan", "times": 300, "waited": 20, "p50": 1.0, "p95": 2.0},
    ],
    "catalogue-reading": [
        {"file": ".jsonl", "mb": 40.0, "rows": 2000, "way": "json loop", "speed": 1.0, "grown_mb": 0.0},
        {"file": ".jsonl", "mb": 40.0, "rows": 2000, "way": "rows (what the builder reads)", "speed": 2.5, "grown_mb": 0.5},
    ],
    "product-store": [
        {"way": "SQLite (what the index folder has)", "rows": 2000, "row_ms": 0.05, "id_ms": 0.06, "id_over_sqlite": 1.0},
        {"way": "Parquet, row groups of 100", "rows": 2000, "row_ms": 0.4, "id_ms": 70.0, "id_over_sqlite": 1200.0},
        {"way": "Parquet, row groups of 1,000", "rows": 2000, "row_ms": 1.4, "id_ms": 40.0, "id_over_sqlite": 700.0},
    ],
    "embedding": [
        {"way": "builder", "texts": 100, "texts_a_cpu_s": 200.0, "over_encoder": 1.1},
        {"way": "encoder alone", "texts": 100, "texts_a_cpu_s": 220.0, "over_encoder": 1.0},
    ],
    "catalogue-growth": [
        {"row": "stage", "rows": 100, "stage": "all together", "cpu_s": 1.0, "peak_mb": 5.0, "products": 90, "intentions": 40},
        {"row": "stage", "rows": 1000, "stage": "all together", "cpu_s": 9.0, "peak_mb": 7.0, "products": 900, "intentions": 60},
        {"row": "growth", "stage": "all together", "cost": "cpu_s", "exponent": 0.95, "over_n_log_n": 0.6},
        {"row": "growth", "stage": "all together", "cost": "peak_mb", "exponent": 0.15, "over_n_log_n": 0.1},
    ],
    "intention-transfer": [
        {"told": "title and department", "hidden": "nothing", "products": 60, "precision": 0.9, "precision_meaning": 0.91},
        {"told": "title and department", "hidden": "own kind", "products": 60, "precision": 0.25, "precision_meaning": 0.4},
        {"told": "intentions of random kinds", "precision_meaning": 0.01},
    ],
    "scale": [
        {"row": "search", "search": "exact", "intentions": 100, "recall_at_10": 1.0, "latency_p99_relative": 9.0},
        {"row": "search", "search": "fp32 (M=16)", "intentions": 100, "recall_at_10": 0.99, "latency_p99_relative": 1.0},
        {"row": "search", "search": "fp32 (M=16)", "intentions": 1000, "recall_at_10": 0.97, "latency_p99_relative": 2.0},
        {"row": "growth", "search": "fp32", "cost": "bytes", "exponent": 1.0, "over_n_log_n": 0.8},
        {"row": "estimate", "search": "fp32", "intentions": 24010870, "measured_up_to": 1000, "shards": 6, "memory_gb": 40.0},
    ],
    "verify-speed": [{"what": "t1", "seconds": 0.05, "ratio": 0.3}, {"what": "t1 + t2 + t3", "seconds": 0.5, "ratio": 2.5}],
    "plan": [
        {
            "row": "group",
            "group": "everyday",
            "goals": 4,
            "answered_rightly": 4,
            "avoid_hits": 0,
            "constraint_violations": 1,
            "products_per_plan": 9.5,
            "needs_coverage": 0.8,
            "needs_coverage_ci95": [0.7, 0.9],
        },
        {"row": "group", "group": "rare", "goals": 2, "answered_rightly": 1, "needs_coverage": 0.5},
        {"row": "group", "group": "hostile", "goals": 2, "answered_rightly": 2},
        {
            "row": "all",
            "goals": 8,
            "constraint_violations": 1,
            "seconds_to_first_step": {"p50": 0.3, "p95": 0.5},
            "seconds_to_end": {"p50": 0.6, "p95": 0.9},
            "peak_memory_mb": 1892,
        },
        {
            "row": "goal",
            "id": "G1",
            "group": "rare",
            "status": "plan",
            "coverage": 0.5,
            "products": 7,
            "unmet": ["a", "b"],
            "violations": [],
            "answered_rightly": False,
        },
    ],
    "index": [
        {"search": "exact", "intentions": 100, "recall_at_10": 1.0},
        {"search": "HNSW", "intentions": 100, "recall_at_10": 0.99, "build_s": 3.5},
    ],
    "leave-out": [{"confidence": "all", "goals": 30, "plans": 28, "own_needs_met": 0.25, "products_per_plan": 11.9}],
    "reading": [{"confidence": "all", "plans": 4, "products": 50, "off": 15, "share_off": 0.3}],
    "product-precision": [
        {"split": "test", "choice": "without T2", "needs": 20, "shown": 20, "share_wrong": 0.24, "share_wrong_ci95": [0.2, 0.3]},
        {"split": "test", "choice": "shipped", "needs": 20, "shown": 20, "share_wrong": 0.2, "share_wrong_ci95": [0.15, 0.25]},
    ],
    "learning-curve": [
        {
            "share": 1.0,
            "scripts": 4000,
            "plans": 90,
            "own_needs_met": 0.3,
            "own_needs_met_ci95": [0.27, 0.33],
            "products_per_plan": 11.0,
            "ready_share": 0.2,
        },
        {
            "share": 0.25,
            "scripts": 1000,
            "plans": 80,
            "own_needs_met": 0.2,
            "own_needs_met_ci95": [0.17, 0.23],
            "products_per_plan": 10.0,
            "ready_share": 0.1,
        },
    ],
}
USED_BY = {name: [key for key, made in EXHIBITS.items() if name in made.files] for name in ROWS}
LEFT_OUT = "cannot be used and are left out"
BROKEN = "The rows cannot be shown"
SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


def store(folder, name, rows):
    """Write a results file of before rows had a fingerprint."""
    header = {
        "experiment": name,
        "command": f"make {name}",
        "commit": None,
        "data_sha256": "abc",
        "seeds": [0],
        "created": "2025",
        "machine": "m",
    }
    (folder / f"{name}.json").write_text(json.dumps({**header, "rows": rows}), encoding="utf-8")


@pytest.fixture(scope="module")
def made_up(tmp_path_factory):
    folder = tmp_path_factory.mktemp("benchmark") / "results"
    folder.mkdir()
    shutil.copy(PUBLISHED, folder.parent)
    for name, rows in ROWS.items():
        store(folder, name, rows)
    return folder


def make(folder, key):
    return EXHIBITS[key](Reader(folder))


def with_rows(folder, tmp_path, name, rows):
    """Return a copy of the folder of results with other rows in one file."""
    other = tmp_path / "results"
    shutil.copytree(folder, other)
    shutil.copy(PUBLISHED, tmp_path)
    store(other, name, rows)
    return other


def column(table, key):
    return [row[key] for row in table.rows]


def named(things, name):
    return next(thing for thing in things if getattr(thing, "name", None) == name or getattr(thing, "title", None) == name)


def problems(exhibit):
    return " ".join(source.problem for source in exhibit.sources if source.problem)


def check(exhibit):
    """Assert that a page can show the exhibit without looking at what it holds."""
    assert isinstance(exhibit, Exhibit) and exhibit.title and exhibit.question.endswith("?") and exhibit.sources
    assert len({table.name for table in exhibit.tables}) == len(exhibit.tables)
    for table in exhibit.tables:
        assert SLUG.fullmatch(table.name) and table.caption and table.rows
        keys = [c.key for c in table.columns]
        assert set(table.filters) <= set(keys) and table.scale[0] < table.scale[1]
        for row in table.rows:
            assert set(row) == {*keys, *(c.interval for c in table.columns if c.interval)}
            for c in table.columns:
                assert row[c.key] is None or isinstance(row[c.key], str if c.kind == "text" else (int, float))
                ends = row[c.interval] if c.interval else None
                assert ends is None or ends[0] <= ends[1]
    for plot in exhibit.plots:
        for series in plot.series:
            assert len(series.x) == len(series.y) and {len(series.low), len(series.high)} <= {0, len(series.x)}
            assert all(isinstance(x, str if plot.form == "bars" else (int, float)) for x in series.x)
    for heat in exhibit.heat_maps:
        assert len(heat.values) == len(heat.rows) and all(len(values) == len(heat.columns) for values in heat.values)
    for case in exhibit.cases:
        assert case.title and all(isinstance(value, str) for value in (*case.fields.values(), *case.facets.values()))
    json.dumps([table.rows for table in exhibit.tables], allow_nan=False)


def test_the_exhibits_and_their_order(made_up):
    shown = all_exhibits(made_up)
    assert [exhibit.key for exhibit in shown] == list(EXHIBITS) == [
        "leaderboard", "baseline", "intentions", "injection", "threshold", "transfer", "study", "errors", "signals", "speed", "plans",
        "written", "catalogues",
    ]  # fmt: skip
    for exhibit in shown:
        check(exhibit)
        assert problems(exhibit) == "" and exhibit.finding.endswith(".") and exhibit.tables


def test_what_is_stored_is_shown():
    for exhibit in all_exhibits():
        check(exhibit)
        assert LEFT_OUT not in problems(exhibit) and BROKEN not in problems(exhibit)
        stored = [source for source in exhibit.sources if (RESULTS / f"{source.name}.json").is_file()]
        assert bool(exhibit.finding) is bool(stored)


def test_metrics_have_a_meaning_in_plain_words():
    assert {"AUC", "Macro-F1", "ECE", "Accuracy in pairs", "nDCG@10", "MRR", "hit@1", "hit@3", "hit@10", "95 % interval"} <= set(METRICS)
    assert all(meaning.endswith(".") for meaning in METRICS.values())


@pytest.mark.parametrize("key", EXHIBITS)
def test_nothing_is_stored(tmp_path, key):
    shown = make(tmp_path / "results", key)
    assert (shown.finding, shown.tables, shown.plots, shown.heat_maps, shown.cases, shown.notes) == ("", (), (), (), (), ())
    assert all("is not there" in source.problem for source in shown.sources)
    commands = [source.command for source in shown.sources if source.name != "published"]
    assert all(command.startswith(("make bench", "python -m index_build bench")) for command in commands)


@pytest.mark.parametrize("key", EXHIBITS)
def test_no_rows(tmp_path, key):
    for name in EXHIBITS[key].files:
        store(tmp_path, name, [])
    shown = make(tmp_path, key)
    assert (shown.finding, shown.tables, shown.plots, shown.heat_maps, shown.cases) == ("", (), (), (), ())


@pytest.mark.parametrize("name", ROWS)
@pytest.mark.parametrize("odd", [{"what is this": [1]}, {}, {"task": "t9", "row": "t9", "department": 7}])
def test_a_row_of_another_shape_is_left_out_and_told(made_up, tmp_path, name, odd):
    folder = with_rows(made_up, tmp_path, name, [*ROWS[name], odd])
    for key in USED_BY[name]:
        shown, whole = make(folder, key), make(made_up, key)
        check(shown)
        if name != "learning-curve":  # its rows have no name
            assert f"1 of {len(ROWS[name]) + 1} rows {LEFT_OUT}, first row {len(ROWS[name]) + 1}:" in problems(shown)
            assert shown.finding == whole.finding and shown.tables == whole.tables


@pytest.mark.parametrize("name", ROWS)
def test_rows_with_names_alone(made_up, tmp_path, name):
    """Every number of a file is None: names stay, cells are absent, and no sentence speaks of them."""
    bare = [{field: value if isinstance(value, str) else None for field, value in row.items()} for row in ROWS[name]]
    folder = with_rows(made_up, tmp_path, name, bare)
    for key in USED_BY[name]:
        shown = make(folder, key)
        check(shown)
        assert LEFT_OUT not in problems(shown) and BROKEN not in problems(shown)
        if EXHIBITS[key].files == (name,):
            assert shown.finding == "" and shown.plots == () and shown.heat_maps == ()


ANYTHING = (
    st.none()
    | st.booleans()
    | st.sampled_from([-1, 0, 7, 10**400, 1e300, -0.5, 0.5, 1e-320])
    | st.sampled_from(["", "all", "t9", "none", "<b>${x}"])
) | st.sampled_from([[], [0.1], [0.9, 0.1], [None, 1], ["a"], {}, {"p50": "x"}, {"a": [1]}])


@settings(deadline=None, max_examples=150)
@given(st.data())
def test_whatever_is_changed_every_exhibit_is_there(made_up, data):
    name = data.draw(st.sampled_from(sorted(ROWS)))
    rows = [dict(row) for row in ROWS[name]]
    for _ in range(data.draw(st.integers(1, 3))):
        row = rows[data.draw(st.integers(0, len(rows) - 1))]
        field = data.draw(st.sampled_from(sorted(row) or ["row"]))
        if data.draw(st.booleans()):
            row[field] = data.draw(ANYTHING)
        else:
            row.pop(field, None)
    store(made_up, name, rows)
    try:
        shown = all_exhibits(made_up)
    finally:
        store(made_up, name, ROWS[name])
    assert [exhibit.key for exhibit in shown] == list(EXHIBITS)
    for exhibit in shown:
        check(exhibit)
        assert BROKEN not in problems(exhibit)


def test_a_builder_that_fails_says_so_in_its_source(made_up):
    def build(reader):
        raise KeyError(reader.rows("signals", "signal")[0]["signal"])

    shown = Experiment("odd", "Odd", "Is it?", ("signals", "reading"), build)(Reader(made_up))
    check(shown)
    assert shown.tables == () and [source.problem.startswith(BROKEN) for source in shown.sources] == [True, False]


def test_a_builder_that_is_wrong_in_itself_is_not_hidden(made_up):
    with pytest.raises(AttributeError):
        Experiment("odd", "Odd", "Is it?", ("signals",), lambda reader: Content(finding=reader.nothing))(Reader(made_up))


def test_rows_changed_by_hand_are_told_and_shown(tmp_path):
    path = write_results("signals", "make signals", ROWS["signals"], "abc", [0], folder=tmp_path)
    path.write_text(path.read_text().replace("0.75", "0.95"))
    shown = make(tmp_path, "signals")
    assert problems(shown) == "The rows were changed after they were written; run `make signals` again."
    assert 0.95 in column(shown.tables[0], "auc")


def test_an_unknown_task_is_told(made_up, tmp_path):
    shown = make(with_rows(made_up, tmp_path, "verifiers", [*ROWS["verifiers"], model("shipped", "t9", 0.9)]), "leaderboard")
    assert "first row 12: unknown task 't9'" in problems(shown)
    assert shown.tables == make(made_up, "leaderboard").tables


def changed(name, where, **fields):
    """Return the made-up rows of a file with fields changed in those rows that have all of ``where``."""
    rows = [{**row, **fields} if where.items() <= row.items() else row for row in ROWS[name]]
    assert rows != ROWS[name]
    return rows


GOLD = {"split": "gold dev"}
FLIPS = [
    (
        "leaderboard",
        "verifiers",
        "interval reaches chance: T1.",
        {"model": "shipped", "task": "t1", **GOLD},
        {"auc_ci95": [0.51, 0.6]},
        "Intervals above chance: T1, T2 and T3",
    ),
    (
        "leaderboard",
        "verifiers",
        "No other model measured there does better",
        {"model": "BM25"},
        {"auc": 0.8, "auc_ci95": [0.76, 0.84]},
        "On T2 “BM25” is better than “shipped” by 0.020, intervals overlap",
    ),
    (
        "leaderboard",
        "verifiers",
        "0.780 [0.730, 0.830] for T2",
        {"model": "shipped", "task": "t2", **GOLD},
        {"auc": 0.9, "auc_ci95": [0.45, 0.95]},
        "interval reaches chance: T1 and T2",
    ),
    (
        "baseline",
        "verifiers",
        "worse than “shipped” by 0.160, intervals do not overlap",
        {"model": PAPER},
        {"auc": 0.79, "auc_ci95": [0.7, 0.8]},
        "better than “shipped” by 0.010, intervals overlap",
    ),
    (
        "intentions",
        "retrieval",
        "“shipped ranker” finds best what steps need, nDCG@10 0.600 [0.590, 0.610], better than “title embedding” by 0.300",
        {"ranker": "title embedding"},
        {"ndcg@10": 0.9},
        "“title embedding” finds best what steps need, nDCG@10 0.900",
    ),
    (
        "intentions",
        "retrieval",
        "“best intention” is worse than “title embedding” by 0.050",
        {"ranker": "best intention"},
        {"ndcg@10": 0.31},
        "“best intention” is better than “title embedding” by 0.010",
    ),
    (
        "intentions",
        "retrieval",
        "“shipped ranker + T2 re-ranking” finds best what steps need, nDCG@10 0.650 [0.640, 0.660], better than “shipped ranker (same",
        {"steps": 30, "ndcg@10": 0.65},
        {"ndcg@10": 0.5},
        "“shipped ranker (same steps)” finds best",
    ),
    (
        "intentions",
        "semantic-gap",
        "“step – intention” is nearest (0.550) and “step – title” farthest (0.200)",
        {"pair": "step – title"},
        {"mean": 0.7},
        "“step – title” is nearest (0.700) and “step – intention” farthest",
    ),
    (
        "injection",
        "injection",
        "“contrastive” changes the AUC by +0.030 [0.010, 0.050]. Helps: “contrastive”",
        {"difference_to_none": 0.03},
        {"difference_ci95": [-0.01, 0.07]},
        "No clear difference, the interval includes zero: “contrastive”",
    ),
    (
        "injection",
        "injection",
        "Helps",
        {"difference_to_none": 0.03},
        {"difference_to_none": -0.03, "difference_ci95": [-0.05, -0.01]},
        "by -0.030 [-0.050, -0.010]. Hurts: “contrastive”",
    ),
    (
        "threshold",
        "threshold",
        "the recommended τ is 0.450 (F1 0.444): the paper's 0.45 is right",
        {"threshold": 0.4, "department": "all"},
        {"precision": 0.5},
        "the recommended τ is 0.400, the lowest that was tried (F1 0.545); the paper's 0.45 is too high (F1 0.444)",
    ),
    (
        "threshold",
        "threshold",
        "“fitted probability” reaches more: 0.545 at 0.100",
        {"gate": "fitted probability"},
        {"recall": 0.1},
        "“fitted probability” reaches less: 0.167 at 0.100",
    ),
    (
        "threshold",
        "threshold",
        "is right",
        {"threshold": 0.5},
        {"recall": 0.9},
        "0.500, the highest that was tried (F1 0.600); the paper's 0.45 is too low",
    ),
    (
        "transfer",
        "transfer",
        "largest for food (T2, probe): 0.080 [0.060, 0.100]. 2 of 3 drops",
        {"group": "home"},
        {"drop": 0.2, "drop_ci95": [-0.1, 0.5]},
        "largest for home (T2, probe): 0.200 [-0.100, 0.500]. 1 of 3 drops",
    ),
    (
        "study",
        "study",
        "T2 follows the overall rating best (Spearman 0.500 [0.300, 0.700]). Clearly with it: T2; no clear relation",
        {"score": "t1"},
        {"spearman": 0.6, "spearman_ci95": [0.4, 0.8]},
        "T1 follows the overall rating best (Spearman 0.600 [0.400, 0.800]). Clearly with it: T1 and T2",
    ),
    (
        "errors",
        "errors",
        "Hardest is “wrong attribute” for T2 (50.0% wrong)",
        {"error": "none", "row": "summary"},
        {"share_wrong": 0.6},
        "Hardest is “no error” for T2 (60.0% wrong)",
    ),
    ("errors", "errors", "“false alarm” for T2 (8)", {"row": "signature", "count": 7}, {"count": 9}, "“semantic drift” for T2 (9)"),
    (
        "signals",
        "signals",
        "“title + features” is better than “title” by 0.050, intervals overlap",
        {"signal": "title + features"},
        {"auc": 0.6},
        "no signal does better than “title” (AUC 0.700",
    ),
    (
        "speed",
        "plan",
        "first step is there after 0.30 s in half of the runs and 0.50 s",
        {"row": "all"},
        {"seconds_to_first_step": {"p50": 1.25, "p95": 2}},
        "first step is there after 1.25 s in half of the runs and 2.00 s",
    ),
    ("catalogues", "catalogue-reading", "read 2.5 times", {"way": "rows (what the builder reads)"}, {"speed": 3.0}, "read 3.0 times"),
    (
        "catalogues",
        "product-store",
        "0.06 ms from SQLite and in 40.00 ms",
        {"way": "Parquet, row groups of 1,000"},
        {"id_ms": 0.01},
        "in 0.01 ms",
    ),
    ("catalogues", "embedding", "takes 1.10 times as long", {"way": "builder"}, {"over_encoder": 1.3}, "takes 1.30 times as long"),
    (
        "catalogues",
        "catalogue-growth",
        "From 100 to 1,000 rows, time grows as n^0.95 and memory as n^0.15; nothing grows faster than n log n",
        {"cost": "cpu_s"},
        {"exponent": 1.4, "over_n_log_n": 1.5},
        "time grows as n^1.40 and memory as n^0.15; faster than n log n grows “all together” (cpu_s)",
    ),
    ("catalogues", "intention-transfer", "90.0% are right", {"hidden": "nothing"}, {"precision": 0.8}, "80.0% are right"),
    ("catalogues", "scale", "finds 97.0%", {"intentions": 1000}, {"recall_at_10": 0.95}, "finds 95.0%"),
    ("speed", "load", "50 visitors at once met 2 errors and 0 answers", {"what": "all"}, {"errors": 3}, "met 3 errors"),
    ("speed", "load", "1,305 MB in the last", {"what": "all"}, {"memory_mb_last_third": 1400}, "1,400 MB in the last"),
    ("speed", "verify-speed", "takes 0.50 s", {"what": "t1 + t2 + t3"}, {"seconds": 0.75}, "takes 0.75 s"),
    (
        "plans",
        "plan",
        "80.0% of the needs of “everyday” goals and 50.0% of “rare” ones; 1 constraint broken over 8 goals",
        {"group": "rare", "row": "group"},
        {"needs_coverage": 0.9},
        "90.0% of the needs of “rare” goals and 80.0% of “everyday” ones",
    ),
    ("plans", "plan", "1 constraint broken", {"row": "all"}, {"constraint_violations": 0}, "no constraint is broken"),
    ("plans", "product-precision", "down from 24.0% to 20.0%", {"choice": "shipped"}, {"share_wrong": 0.3}, "up from 24.0% to 30.0%"),
    (
        "plans",
        "learning-curve",
        "With 4,000 ready plans in place of 1,000, own needs met are up from 20.0% to 30.0%",
        {"scripts": 4000},
        {"own_needs_met": 0.1},
        "down from 20.0% to 10.0%",
    ),
    (
        "written",
        "one-pass",
        "“best of 3” meets 65.0% of the needs (2,700 tokens), better than “planner” by 0.050",
        {"way": "best of 3"},
        {"needs_coverage": 0.55},
        "“best of 3” meets 55.0% of the needs (2,700 tokens), worse than “planner” by 0.050",
    ),
    ("plans", "reading", "finds 30.0% of the products off", {"confidence": "all"}, {"share_off": 0.1}, "finds 10.0% of the products off"),
]


@pytest.mark.parametrize(("key", "name", "before", "where", "fields", "after"), FLIPS)
def test_findings_follow_the_numbers(made_up, tmp_path, key, name, before, where, fields, after):
    first = make(made_up, key).finding
    second = make(with_rows(made_up, tmp_path, name, changed(name, where, **fields)), key).finding
    assert before in first and after not in first
    assert after in second and before not in second


def test_two_models_that_swap_their_numbers_swap_their_places_in_the_sentence(made_up, tmp_path):
    ahead = changed("verifiers", {"model": PAPER}, auc=0.85)
    swapped = [{**row, "model": {PAPER: "BM25", "BM25": PAPER}.get(row["model"], row["model"])} for row in ahead]
    for folder, rows, best in ((tmp_path / "a", ahead, PAPER), (tmp_path / "b", swapped, "BM25")):
        folder.mkdir()
        assert f"“{best}” is better than “shipped” by 0.070" in make(with_rows(made_up, folder, "verifiers", rows), "leaderboard").finding


def test_the_leaderboard(made_up):
    shown = make(made_up, "leaderboard")
    models = named(shown.tables, "models")
    assert models.baselines == ("majority", "cosine, zero-shot", "BM25") and models.filters == ("task", "split", "model")
    assert [(row["model"], row["auc"]) for row in models.rows if row["task"] == "T2" and row["split"] == "gold dev"][:3] == [
        ("shipped", 0.78), ("frozen embedding + logistic regression", 0.72), ("cosine, zero-shot", 0.65),
    ]  # fmt: skip
    assert {"small, zero-shot", "small, 5-shot"} <= set(column(models, "model"))
    shipped = next(row for row in models.rows if row["model"] == "shipped" and row["task"] == "T2")
    assert (shipped["macro_f1"], shipped["macro_f1_ci95"], shipped["base"]) == (0.7, (0.6, 0.8), None)
    assert named(shown.tables, "by-error").rows == (
        {"error": "wrong order", "task": "T1", "model": "shipped", "split": "gold dev", "auc": 0.4, "auc_ci95": None},
        {"error": "unsafe", "task": "T1", "model": "shipped", "split": "gold dev", "auc": 0.8, "auc_ci95": None},
    )
    assert column(named(shown.tables, "by-domain"), "domain") == ["baking"]
    bars = named(shown.plots, "T2 on items checked by hand").series[0]
    assert (bars.x[0], bars.y[0], bars.low[0], bars.high[0]) == ("shipped", 0.78, 0.73, pytest.approx(0.83))
    assert "small, 5-shot" in bars.x


def test_published_figures_are_marked_as_secondary_and_are_what_is_known(made_up):
    shown = make(made_up, "leaderboard")
    published = named(shown.tables, "published")
    assert published.caption == "Published, other data, secondary source"
    assert any("secondary source" in note and "cannot be compared" in note for note in shown.notes)
    assert "not checked against the paper" in json.loads(PUBLISHED.read_text())["source"]
    assert [(row["model"], *(round(100 * row[task], 1) for task in ("t1", "t2", "t3"))) for row in published.rows] == [
        ("majority", 61.0, 57.7, 56.5),
        ("GPT-4o", 77.9, 73.9, 72.9),
        ("Mistral-7B", 85.7, 75.6, 73.2),
        ("Mistral-7B", 85.9, 81.2, 78.9),
        ("Llama-3.1-8B", 83.9, 77.7, 75.9),
        ("Llama-3.1-8B", 85.2, 76.4, 74.5),
    ]
    assert not set(column(published, "model")) & set(column(named(shown.tables, "models"), "model")) - {"majority"}


@pytest.mark.parametrize("content", ["", "[]", '{"rows": 7}', '{"rows": []}'])
def test_published_figures_that_cannot_be_read(made_up, tmp_path, content):
    folder = with_rows(made_up, tmp_path, "signals", [])
    (tmp_path / "published.json").write_text(content)
    shown = make(folder, "leaderboard")
    assert [table.name for table in shown.tables] == ["models", "by-error", "by-domain"]
    assert shown.sources[-1].problem.endswith("take it from the repository again.")


def test_the_baseline(made_up):
    shown = make(made_up, "baseline")
    assert set(column(shown.tables[0], "model")) == {PAPER, "shipped", "frozen embedding + logistic regression", "majority"}
    assert any("python -m ecomscript.verification.train --task t2 --base-model FacebookAI/roberta-large" in note for note in shown.notes)
    assert "Not measured with the paper's settings: T1 and T3." in shown.notes


def test_files_without_departments_are_about_all_of_them(made_up, tmp_path):
    old = [{key: value for key, value in row.items() if key not in ("department", "hit@1", "mrr")} for row in ROWS["retrieval"][:4]]
    shown = make(with_rows(made_up, tmp_path, "retrieval", old), "intentions")
    assert (problems(shown), set(column(shown.tables[0], "department"))) == ("", {"all"})
    assert set(column(shown.tables[0], "hit@1")) == {None} and "“shipped ranker” finds best" in shown.finding


def test_a_row_that_lost_its_department_is_not_taken_for_all_of_them(made_up, tmp_path):
    rows = [{**row} for row in ROWS["retrieval"]]
    del rows[4]["department"]
    shown = make(with_rows(made_up, tmp_path, "retrieval", rows), "intentions")
    assert "row 5: no text under 'department'" in problems(shown) and set(column(shown.tables[0], "department")) == {"all"}


def test_rankers_are_compared_on_the_same_steps(made_up):
    shown = make(made_up, "intentions")
    many, few, gap = shown.plots
    assert (many.title, few.title) == ("All departments, 100 steps", "All departments, 30 steps")
    assert few.series[0].x == ("shipped ranker + T2 re-ranking", "shipped ranker (same steps)") and "shipped ranker" in many.series[0].x
    assert [(one.name, one.x, one.y) for one in gap.series] == [
        ("step – title", pytest.approx((0.15, 0.25)), (0.4, 0.6)), ("step – intention", pytest.approx((0.45, 0.55)), (0.3, 0.7)),
    ]  # fmt: skip


def test_learning_curves_are_drawn_where_every_seed_has_a_number(made_up, tmp_path):
    none, contrastive = make(made_up, "injection").plots[0].series
    assert (none.x, none.y) == ((1, 2), pytest.approx((0.71, 0.81)))
    assert (none.low, none.high) == (pytest.approx((0.7, 0.8)), pytest.approx((0.72, 0.82)))
    assert (contrastive.name, contrastive.y, contrastive.low) == ("contrastive", (0.7,), (0.7,))
    for rows in (
        changed("injection", {"seed": 1, "epoch": 2}, validation_auc=None),
        [row for row in ROWS["injection"] if not (row.get("seed") == 1 and row.get("epoch") == 2)],
    ):
        other = tmp_path / str(len(rows))
        other.mkdir()
        none, _ = make(with_rows(made_up, other, "injection", rows), "injection").plots[0].series
        assert none.y == (pytest.approx(0.71), None) and none.low[1] is None and none.high[1] is None


def test_the_scale_of_differences_holds_their_intervals(made_up):
    assert named(make(made_up, "injection").tables, "summary").scale == (-0.05, 0.05)


def test_the_recommended_threshold_of_each_gate_and_department(made_up):
    shown = make(made_up, "threshold")
    recommended = named(shown.tables, "recommended")
    assert [(row["gate"], row["department"], row["threshold"]) for row in recommended.rows] == [
        ("cosine of the best intention", "all", 0.45), ("cosine of the best intention", "garden", 0.4), ("fitted probability", "all", 0.1),
    ]  # fmt: skip
    assert column(recommended, "f1") == pytest.approx([2 * 0.4 * 0.5 / 0.9, 2 * 0.2 * 0.9 / 1.1, 2 * 0.5 * 0.6 / 1.1])
    assert column(recommended, "f1_at_paper") == [pytest.approx(0.4444, abs=1e-4), pytest.approx(0.2), None]
    cosine, chance = shown.plots
    assert (cosine.mark, chance.mark) == ((0.45, "the paper's 0.45"), None)
    assert named(cosine.series, "Recall").x == (0.4, 0.45, 0.5) and named(cosine.series, "T3 passed").y == (0.4, 0.4, 0.4)


def test_a_threshold_that_lacks_recall_has_no_f1(made_up, tmp_path):
    shown = make(
        with_rows(made_up, tmp_path, "threshold", changed("threshold", {"threshold": 0.45, "department": "all"}, recall=None)), "threshold"
    )
    assert "recommended τ is 0.400" in shown.finding and "the paper's 0.45 has no F1 here" in shown.finding


def test_the_heat_map_of_transfer(made_up):
    (heat,) = make(made_up, "transfer").heat_maps
    assert (list(heat.rows), list(heat.columns), heat.values) == (["food", "home"], ["T1", "T2"], ((0.01, 0.08), (None, 0.03)))


def test_models_that_were_not_measured_with_the_group_have_no_heat_map(made_up, tmp_path):
    alone = {"task": "t2", "model": "adapter", "group": "fishing", "items": 9, "auc_without": 0.7, "auc_without_ci95": [0.6, 0.8]}
    shown = make(with_rows(made_up, tmp_path, "transfer", [*ROWS["transfer"], alone]), "transfer")
    assert len(shown.heat_maps) == 1 and "of 3 drops" in shown.finding
    assert shown.tables[0].rows[-1]["auc_without_ci95"] == (0.6, 0.8) and shown.tables[0].rows[-1]["drop"] is None


def test_rated_plans_can_be_opened(made_up):
    shown = make(made_up, "study")
    first, second = shown.cases
    assert (first.title, first.fields["Products fit"], first.fields["T1 × T2 × T3"], first.facets) == (
        "Host a tea party", "3 of 5", "0.34", {"Overall": "4.2"},
    )  # fmt: skip
    assert (second.title, second.fields["T1"], second.fields["Least T2"], second.facets) == ("P2", "—", "0.10", {"Overall": "—"})
    assert [one.name for one in shown.plots[0].series] == ["T2", "as it should be"]
    assert shown.plots[0].series[0].x == (0.35, 0.75)


def test_wrong_cases_can_be_opened(made_up):
    (case,) = make(made_up, "errors").cases
    assert case.title == "Bake bread"
    assert case.fields == {"Objective": "Bake bread", "Text": "Knead\nHook", "Label": "does not hold", "Score": "0.91"}
    assert case.facets == {"Task": "T2", "Error": "wrong attribute", "Domain": "baking", "Signature": "semantic drift"}


def test_speed_reads_what_plans_took(made_up):
    shown = make(made_up, "speed")
    assert named(shown.tables, "plans").rows == (
        {"what": "first step", "p50": 0.3, "p95": 0.5},
        {"what": "whole plan", "p50": 0.6, "p95": 0.9},
    )
    assert named(shown.tables, "memory").rows == ({"what": "planning", "goals": 8, "peak_memory_mb": 1892},)
    assert column(named(shown.tables, "index"), "build_s") == [None, 3.5]


def test_goals_and_the_learning_curve(made_up):
    shown = make(made_up, "plans")
    (goal,) = named(shown.tables, "goals").rows
    assert (goal["unmet"], goal["violations"], goal["answered"]) == ("a, b", None, "no")
    (line,) = shown.plots[0].series
    assert (line.x, line.y, line.low) == ((1000, 4000), (0.2, 0.3), (0.17, 0.27))
    hostile = named(shown.tables, "groups").rows[2]
    assert (hostile["needs_coverage"], hostile["needs_coverage_ci95"], hostile["constraint_violations"]) == (None, None, None)


def test_plans_of_language_models_stand_beside_the_librarys(made_up):
    shown = make(made_up, "written")
    first, second = (named(shown.tables, name) for name in ("language-model-plans", "one-pass"))
    assert column(first, "needs_coverage") == [0.7, 0.6, 0.8]
    assert [(row["model"], row["way"], row["failed"]) for row in second.rows] == [
        *(("chat", "library", 0), ("chat", "planner", 0), ("chat", "best of 3", 0), ("chat", "one-pass", 2)),
    ]
    assert [(bars.name, bars.y) for bars in shown.plots[0].series] == [("chat", (0.7, 0.6, 0.65, 0.3)), ("other", (0.8,))]
    assert shown.finding == (
        "Over 4 goals with chat, "
        "“planner” meets 60.0% of the needs (T1 0.45, 900 tokens and 12.3 s a goal), worse than “library” by 0.100; "
        "“best of 3” meets 65.0% of the needs (2,700 tokens), better than “planner” by 0.050, intervals overlap; "
        "“one-pass” meets 30.0% of the needs, worse than “planner” by 0.300, intervals do not overlap."
    )


def test_ways_that_were_not_tried_on_the_same_goals_are_not_compared(made_up, tmp_path):
    fewer = changed("one-pass", {"way": "best of 3"}, goals=2)
    finding = make(with_rows(made_up, tmp_path, "one-pass", fewer), "written").finding
    assert "“one-pass” meets" in finding and "best of 3" not in finding


@pytest.mark.parametrize(
    ("value", "as_number", "as_text"),
    [
        (1, 1, "1"), (0.5, 0.5, "0.5"), (True, None, "yes"), (float("nan"), None, None), (10**400, None, None), ("7", None, "7"),
        ("", None, None),
        (None, None, None), (["a", 3, "b"], None, "a, b"), ([], None, None), ({"a": 1}, None, None),
    ],
)  # fmt: skip
def test_values(value, as_number, as_text):
    assert (number({"a": value}, "a"), text({"a": value}, "a")) == (as_number, as_text)


@pytest.mark.parametrize("value", [None, [0.1], [0.1, 0.2, 0.3], [0.3, 0.2], ["0.1", 0.2], [None, 0.2], {"low": 1}, "ab"])
def test_what_is_no_interval(value):
    assert interval({"a": value}, "a") is None


def test_words():
    one, apart = Estimate("a", 0.7, 0.6, 0.8), Estimate("b", 0.9, 0.85, 0.95)
    assert compared(one, apart) == "worse than “b” by 0.200, intervals do not overlap"
    assert compared(one, Estimate("c", 0.7001, 0.6, 0.8)) == "level with “c”"
    assert compared(one, Estimate("d", 0.5)) == "better than “d” by 0.200"
    assert [listed(list("abc")[:n]) for n in range(4)] == ["", "a", "a and b", "a, b and c"]
    assert (moved(0.1, 0.2), moved(0.2, 0.1), moved(0.1, 0.1)) == (
        "up from 10.0% to 20.0%",
        "down from 20.0% to 10.0%",
        "unchanged at 10.0%",
    )
