"""The study with readers: plans without scores, scores of stored plans, ratings, and what they say of each other."""

import json
import re
from functools import partial

import numpy as np
import pytest
from fakes import HashEncoder, write_lines
from scipy.stats import spearmanr

from ecomscript.config import ASSETS
from ecomscript.errors import InputError, ModelError
from ecomscript.evaluation import study_task
from ecomscript.evaluation.calibrate import RATED_PLANS
from ecomscript.evaluation.metrics import fleiss_kappa, spearman
from ecomscript.evaluation.reading_task import READING
from ecomscript.evaluation.study_plans import SCORED, collect, read_goals, read_plans, score
from ecomscript.evaluation.study_task import SHEETS, Rating, read_ratings, read_scores, rows
from ecomscript.folders import read_rows
from ecomscript.jsonl import read_lines
from ecomscript.pipeline import Pipeline
from ecomscript.planning.intake import Intake
from ecomscript.request import make_request
from ecomscript.schema import Product
from ecomscript.verification import suite
from ecomscript.verification.items import load_gold, load_items, load_plan_items
from ecomscript.verification.lora import Base
from ecomscript.verification.suite import NO_VERIFIERS, Verifiers

CAMPING = "Take the family on a first camping weekend under $300"


@pytest.fixture(scope="module")
def pipeline(tiny_parts, tiny_verifiers_dir, tiny_bert):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(suite, "Base", partial(Base, str(tiny_bert)))  # without seconds of reading the large one
        verifiers = Verifiers.load(HashEncoder().encode, tiny_verifiers_dir)
    return Pipeline.of(*tiny_parts, Intake(), verifiers)


@pytest.fixture
def command(pipeline, monkeypatch):
    """Run the command on the tiny pipeline."""
    monkeypatch.setattr(study_task.Pipeline, "open", lambda settings, progress: pipeline)
    return lambda *arguments: study_task.main([str(a) for a in arguments])


def plan_row(*titles, key="S01", goal="camp"):
    products = [{"product_id": f"p{n}", "title": title, "price_usd": 9.5, "feature": "Folds flat"} for n, title in enumerate(titles)]
    return {"id": key, "goal": goal, "constraints": [], "steps": [{"text": "sleep dry", "note": "", "products": products}]}


def score_row(key, value=0.5, **changes):
    return {"id": key, **dict.fromkeys(SCORED, value), **changes}


def rating(key, *marks, reader="A"):
    return Rating(key, reader, dict(zip(SHEETS, marks * (5 if len(marks) == 1 else 1), strict=True)), "")


def rating_row(**changes):
    return {"id": "S01", "reader": "A", **dict.fromkeys(SHEETS, 4), "note": "", **changes}


def of(found, row, **wanted):
    """Return the rows of a sort that have the wanted values."""
    return [r for r in found if r["row"] == row and wanted.items() <= r.items()]


# the goals that ship


def normal(text):
    return " ".join(re.findall(r"[a-z0-9]+", text.lower()))


@pytest.mark.slow
def test_the_goals_are_in_no_data_set():
    goals = [request.goal for request in read_goals().values()]
    assert len({normal(goal) for goal in goals}) == 50
    scripts = [row for path in (ASSETS / "catalog" / "scripts").glob("*.jsonl") for row in read_rows(path)]
    known = {text for row in scripts for text in (row["objective"], *row["aliases"])}
    known |= {item.claim.objective for task in ("t1", "t2", "t3") for item in (*load_items(task), *load_gold(task))}
    known |= {item.claim.objective for item in load_plan_items()}
    rated = (ASSETS / "benchmark" / "goals.dev.jsonl", READING, RATED_PLANS)
    known |= {line.data["goal"] for path in rated for line in read_lines(path, ("goal",))}
    known |= {row["text"] for row in read_rows(ASSETS / "intake" / "examples.jsonl")}
    assert len(known) > 15_000
    assert sorted({normal(goal) for goal in goals} & {normal(text) for text in known}) == []


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ({"id": "S02"}, "'goal' is missing"),
        ({"id": 2, "goal": "camp"}, "'id' is 2"),
        ({"id": "S01", "goal": "camp"}, "'S01' stands on an earlier line"),
        ({"id": "S02", "goal": None}, "The goal is not text"),
        ({"id": "S02", "goal": "x" * 7000}, "7,000 characters"),
    ],
)
def test_a_goal_that_cannot_be_used_is_named(tmp_path, row, problem):
    path = write_lines(tmp_path / "goals.jsonl", [{"id": "S01", "goal": "bake a cake"}, row])
    with pytest.raises(InputError, match=re.escape(problem)) as error:
        read_goals(path)
    assert "goals.jsonl, line 2" in str(error.value)


# plans and scores


def test_a_collected_plan_holds_what_the_page_shows_and_no_score(pipeline):
    request = make_request(CAMPING)
    (row,) = collect(pipeline, {"S01": request}).plans
    shown = pipeline.run(request).to_json()
    assert (row["id"], row["goal"], row["constraints"]) == ("S01", CAMPING, ["under $300", "for a beginner"])
    assert [(s["text"], s["note"]) for s in row["steps"]] == [(s["text"], s["note"]) for s in shown["steps"]]
    for step, other in zip(row["steps"], shown["steps"], strict=True):
        expected = [{name: p[name] for name in ("product_id", "title", "price_usd")} | {"feature": "Washable"} for p in other["products"]]
        assert step["products"] == expected
    assert sum(len(step["products"]) for step in row["steps"]) > 1
    assert not {"t1", "t2", "t3", "confidence", "similarity", "conflicts"} & set(re.findall(r'"(\w+)":', json.dumps(row)))


def test_an_answer_without_a_plan_is_left_out_and_named(pipeline):
    collected = collect(pipeline, {"S01": make_request("help"), "S02": make_request(CAMPING)})
    assert [row["id"] for row in collected.plans] == ["S02"]
    assert collected.left_out == {"S01": "clarify"}


def test_stored_plans_get_the_scores_that_the_page_had(pipeline):
    requests = {"S01": make_request(CAMPING), "S02": make_request("kids bday party stuff")}
    scored = score(collect(pipeline, requests).plans, pipeline.reviewer.verifiers, pipeline.product)
    for row, request in zip(scored, requests.values(), strict=True):
        plan = pipeline.run(request)
        t2 = [match.t2 for step in plan.steps for match in step.matches]
        means = {"t1": plan.script_verdict.score, "t2": np.mean(t2), "t2_least": min(t2), "t3": plan.bundle_verdict.score}
        # bfloat16 where the processor has it: padding moves the last bits
        assert {name: row[name] for name in means} == pytest.approx(means, abs=5e-3)
        assert row["product"] == pytest.approx(row["t1"] * row["t2"] * row["t3"], abs=2e-4)
    assert scored[0]["t1"] != scored[1]["t1"]


def test_a_plan_without_products_has_only_t1(pipeline):
    bare, full = score([plan_row(), plan_row("tent", "stove")], pipeline.reviewer.verifiers, pipeline.product)
    assert isinstance(bare["t1"], float)
    assert [bare[name] for name in SCORED[1:]] == [None] * 4
    assert None not in full.values()


def test_the_rules_see_what_the_catalogue_knows_of_a_product(pipeline):
    plan = plan_row("Ridge Tent", "Stove", goal="camping for 4 people")
    plain, told = (
        score([plan], pipeline.reviewer.verifiers, known)[0]
        for known in (lambda _: None, lambda key: Product(key, "", attributes={"capacity_people": 2.0} if key == "p0" else {}))
    )
    assert told["t3"] < plain["t3"]
    assert (told["t1"], told["t2"]) == (plain["t1"], plain["t2"])


def test_scoring_needs_all_verifiers():
    with pytest.raises(ModelError, match="all three verifiers"):
        score([plan_row("tent")], NO_VERIFIERS, lambda _: None)


def test_the_command_makes_plans_and_scores_them_again(command, tmp_path, capsys):
    goals = write_lines(tmp_path / "goals.jsonl", [{"id": "S01", "goal": CAMPING}, {"id": "S02", "goal": "help"}])
    plans, first, second = (tmp_path / name for name in ("plans.jsonl", "first.jsonl", "second.jsonl"))
    assert command("--plans", plans, "--scores", first, "--goals", goals) == 0
    assert "S02 got no plan but 'clarify'" in capsys.readouterr().err
    assert [row["id"] for row in read_plans(plans)] == ["S01"]
    assert [set(row) for row in read_scores(first)] == [{"id", "goal", *SCORED}]
    assert command("--score", plans, "--scores", second) == 0
    assert second.read_text() == first.read_text()


def test_no_plan_at_all_writes_empty_files(command, tmp_path):
    goals = write_lines(tmp_path / "goals.jsonl", [{"id": "S02", "goal": "help"}])
    assert command("--plans", tmp_path / "plans", "--scores", tmp_path / "scores", "--goals", goals) == 0
    assert (tmp_path / "plans").read_text() == (tmp_path / "scores").read_text() == ""


def without(field):
    row = plan_row("tent")
    del row["steps"][0]["products"][0][field]
    return row


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ({"id": "S02", "goal": "camp"}, "'steps' is missing"),
        ({**plan_row(), "steps": []}, "'steps' has 0 members"),
        ({**plan_row(), "steps": 5}, "a step lacks"),
        ({**plan_row(), "steps": ["sleep"]}, "a step lacks"),
        ({**plan_row(), "goal": "x" * 2001}, "2,001 characters"),
        (without("feature"), "'title' or 'feature'"),
        (without("product_id"), "'product_id'"),
        (plan_row(7), "is not a text"),
    ],
)
def test_a_stored_plan_that_cannot_be_used_ends_in_one_sentence(command, tmp_path, capsys, row, problem):
    path = write_lines(tmp_path / "plans.jsonl", [plan_row("tent"), {**row, "id": "S02"}])
    assert command("--score", path, "--scores", tmp_path / "scores.jsonl") == 2
    said = capsys.readouterr().err
    assert "plans.jsonl, line 2" in said and problem in said
    assert not (tmp_path / "scores.jsonl").exists()


# ratings


def test_ratings_are_read(tmp_path):
    path = write_lines(tmp_path / "study.jsonl", [rating_row(), rating_row(reader="B", plausible=1, note="no tent")])
    assert [(r.plan_id, r.reader, r.marks["plausible"], r.note) for r in read_ratings(path)] == [
        ("S01", "A", 4, ""),
        ("S01", "B", 1, "no tent"),
    ]


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        *((rating_row(reader="B", complete=mark), "'complete' is") for mark in (0, 6, 3.5, True, "4", None)),
        (rating_row(), "A has rated S01 on an earlier line"),
        (rating_row(reader=" "), "'reader' is ' '"),
        (rating_row(reader="B", id=1), "'id' is 1"),
        (rating_row(reader="B", note=None), "'note' is not a text"),
        ({k: v for k, v in rating_row(reader="B").items() if k != "would_use"}, "'would_use' is missing"),
        ([], "expected an object"),
    ],
)
def test_a_rating_that_cannot_be_used_is_named(tmp_path, row, problem):
    path = write_lines(tmp_path / "study.jsonl", [rating_row(), row])
    with pytest.raises(InputError, match=re.escape(problem)) as error:
        read_ratings(path)
    assert "study.jsonl, line 2" in str(error.value)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1.5, -0.1, True, "0.5", 10**400])
def test_a_score_that_is_no_probability_is_named(tmp_path, value):
    path = write_lines(tmp_path / "scores.jsonl", [score_row("S01", t2=None), score_row("S02", t3=value)])
    with pytest.raises(InputError, match=r"scores\.jsonl, line 2: 't3' is"):
        read_scores(path)


# what the ratings say of the scores


def test_a_plan_has_the_means_over_its_readers():
    found = rows([rating("S01", 5, 4, 3, 2, 1), rating("S01", 4, 4, 4, 4, 4, reader="B")], [score_row("S01", t1=0.7), score_row("S09")])
    (plan,) = of(found, "plan")
    assert [plan[sheet] for sheet in SHEETS] == [4.5, 4, 3.5, 3, 2.5]
    assert (plan["overall"], plan["readers"], plan["t1"]) == (3.5, 2, 0.7)


def test_a_rated_plan_needs_scores():
    with pytest.raises(InputError, match="S01 was rated but has no scores"):
        rows([rating("S01", 4)], [score_row("S02")])


def test_correlations_are_those_of_scipy_with_an_interval_around_them():
    rng = np.random.default_rng(0)
    marks = rng.integers(1, 6, (30, 5)).tolist()
    scores = [score_row(f"S{n}", t1=round(0.1 * m[0] + 0.4 * rng.random(), 3), t2=rng.random()) for n, m in enumerate(marks)]
    found = rows([rating(f"S{n}", *m) for n, m in enumerate(marks)], scores)
    assert len(of(found, "correlation")) == 30
    for name, sheet in (("t1", "plausible"), ("t2", "complete")):
        (row,) = of(found, "correlation", score=name, rating=sheet)
        expected = spearmanr([s[name] for s in scores], [m[SHEETS.index(sheet)] for m in marks]).statistic
        assert row["spearman"] == pytest.approx(expected, abs=1e-4)
        low, high = row["spearman_ci95"]
        assert low < row["spearman"] < high <= 1
    assert of(found, "correlation", score="t1", rating="plausible")[0]["spearman_ci95"][0] > 0
    assert rows([rating(f"S{n}", *m) for n, m in enumerate(marks)], scores) == found


def test_every_row_has_its_own_rank_correlation():
    x = np.array([[1, 2, 3, 4], [1, 2, 3, 4], [5, 5, 5, 5]], float)
    y = np.array([[2, 4, 6, 9], [4, 3, 2, 1], [1, 2, 3, 4]], float)
    assert spearman(x, y) == pytest.approx([1, -1, np.nan], nan_ok=True)


@pytest.mark.parametrize("plans", [0, 1, 2, 8])
def test_where_nothing_varies_the_correlation_is_null(plans):
    found = rows([rating(f"S{n}", 4) for n in range(plans)], [score_row(f"S{n}", n / 10) for n in range(plans)])
    assert {(r["spearman"], r["spearman_ci95"], r["plans"]) for r in of(found, "correlation")} == {(None, None, plans)}
    json.dumps(found, allow_nan=False)


def test_a_plan_without_products_counts_for_t1_alone():
    scores = [score_row(f"S{n}", n / 10) for n in range(5)] + [{**dict.fromkeys(SCORED), "id": "S5", "t1": 0.9}]
    found = rows([rating(f"S{n}", 1 + n % 5) for n in range(6)], scores)
    counts = {name: of(found, "correlation", score=name, rating="overall")[0]["plans"] for name in SCORED}
    assert counts == {"t1": 6, "t2": 5, "t2_least": 5, "t3": 5, "product": 5}
    assert sum(r["plans"] for r in of(found, "reliability", task="t3")) == 5


def test_reliability_has_five_bins_of_equal_count():
    marks = [(5, 1, 1, 1, 1) if n >= 6 else (3, 5, 5, 4, 5) for n in range(10)]
    found = rows([rating(f"S{n}", *m) for n, m in enumerate(marks)], [score_row(f"S{n}", n / 10) for n in range(10)])
    bins = of(found, "reliability", task="t1")
    assert [(b["from"], b["to"], b["mean_score"], b["plans"]) for b in bins] == [
        (n / 10, (n + 1) / 10, (2 * n + 1) / 20, 2) for n in range(0, 10, 2)
    ]
    shares = {task: [b["share_good"] for b in of(found, "reliability", task=task)] for task in ("t1", "t2", "t3")}
    # plausible from the seventh plan on, products fit and overall (22 / 5) up to the sixth
    assert shares == {"t1": [0, 0, 0, 1, 1], "t2": [1, 1, 1, 0, 0], "t3": [1, 1, 1, 0, 0]}


def test_few_plans_fill_few_bins():
    found = rows([rating("S1", 4), rating("S2", 1)], [score_row("S1", 0.9), score_row("S2", 0.2)])
    assert [(b["from"], b["share_good"]) for b in of(found, "reliability", task="t2")] == [(0.2, 0), (0.9, 1)]


FLEISS_1971 = """00060 03003 01401 00006 03030 20400 00402 20310 20040 00006 10050 11040 03300 10050 02031
00501 30012 51000 02040 10203 00006 01050 02013 20040 10041 05010 40002 02040 10500 00006"""
"""Thirty patients, six psychiatrists, five diagnoses (table 1 there)."""


def test_kappa_is_that_of_the_first_paper():
    counts = [[int(c) for c in patient] for patient in FLEISS_1971.split()]
    assert np.sum(counts, axis=0).tolist() == [26, 26, 30, 55, 43]
    assert fleiss_kappa(counts) == pytest.approx(0.430, abs=5e-4)


def test_kappa_of_perfect_of_opposite_and_of_undefined_agreement():
    assert fleiss_kappa([[2, 0], [0, 2]]) == 1
    assert fleiss_kappa([[1, 1], [1, 1]]) == -1
    assert fleiss_kappa([[3, 0], [3, 0]]) is None
    assert fleiss_kappa([]) is None


def test_kappa_with_different_numbers_of_readers_worked_by_hand():
    # agreeing pairs: 1 of 1, 1 of 3, 6 of 6 → mean 7/9; of 9 marks 4 and 5 → chance (16 + 25) / 81
    counts = [[2, 0], [2, 1], [0, 4]]
    assert fleiss_kappa(counts) == pytest.approx((7 / 9 - 41 / 81) / (40 / 81))


def test_agreement_of_two_readers_worked_by_hand():
    pairs = [(5, 4), (2, 1), (3, 3), (4, 2)]  # in three bins: ++, --, oo, +-
    ratings = [rating(f"S{n}", mark, reader=reader) for n, pair in enumerate(pairs) for reader, mark in zip("AB", pair, strict=True)]
    alone = rating("S4", 1)  # only one reader: not among the plans that are compared
    found = of(rows([*ratings, alone], [score_row(f"S{n}") for n in range(5)]), "agreement")
    assert [row["sheet"] for row in found] == list(SHEETS)
    # observed 3/4; shares 3/8, 2/8, 3/8 → chance 22/64; (3/4 - 22/64) / (42/64) = 26/42
    assert {(r["kappa"], r["mean_difference"], r["readers"], r["plans"]) for r in found} == {(0.619, 1.0, 2, 4)}


def test_readers_who_give_all_the_same_have_no_kappa():
    found = rows([rating(f"S{n}", 4, reader=reader) for n in range(3) for reader in "AB"], [score_row(f"S{n}") for n in range(3)])
    assert {(r["kappa"], r["mean_difference"]) for r in of(found, "agreement")} == {(None, 0.0)}


def test_one_reader_has_nobody_to_agree_with():
    found = rows([rating("S1", 4), rating("S2", 3)], [score_row("S1"), score_row("S2")])
    assert of(found, "agreement") == []
    assert len(of(found, "plan")) == 2
