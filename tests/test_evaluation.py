"""Experiments: how a plan is held against a goal, what the tables say, and that every task runs on a small library."""

import json
from functools import partial

import numpy as np
import pytest
from fakes import KINDS, write_lines

from ecomscript.errors import InputError
from ecomscript.evaluation import __main__ as command
from ecomscript.evaluation import leave_out_task, plan_task, reading_task
from ecomscript.evaluation.fit import LibrarySteps, fit, fit_map
from ecomscript.evaluation.goals import GOALS, JUDGEMENTS, judge, load_goals
from ecomscript.evaluation.plan_task import Answered
from ecomscript.evaluation.results import read_result
from ecomscript.planning.intake import Intake
from ecomscript.planning.library import Library, body_text, wordings
from ecomscript.schema import Constraints, LibraryScript, LibraryStep, Match, MatchedStep, Plan, Product, Step

TENT = Product("p1", "Meadow Tent", kind="family tent", price_usd=149.0)
SPREAD = Product("p2", "Smooth Peanut Butter", kind="peanut butter", price_usd=5.2, attributes={"allergens": ("peanut",)})


def goal_row(note="", kind="everyday", **constraints):
    return {"id": "G1", "kind": kind, "goal": "camping with two kids", "constraints": constraints, "note": note}


@pytest.fixture
def load(tmp_path):
    """Write one goal with its judged kinds and read it again."""

    def load_one(row, needs=None, avoid=None):
        goals = write_lines(tmp_path / "goals.jsonl", [row])
        judgements = write_lines(tmp_path / "needs.jsonl", [{"id": "G1", "needs": needs or {}, "avoid": avoid or {}}])
        (goal,) = load_goals(goals, judgements)
        return goal

    return load_one


def plan_of(*products, status="plan", questions=(), **more):
    steps = (MatchedStep(Step("s1", "Pack"), tuple(Match(p, "pack", 0.5, "") for p in products)),) if products else ()
    return Plan("camping", status, Constraints(), steps=steps, questions=questions, **more)


# what is stored


def test_trained_variants_whose_folders_are_gone_keep_their_rows_while_the_data_are_the_same(tmp_path, monkeypatch):
    for name in ("read_result", "write_results"):
        monkeypatch.setattr(command, name, partial(getattr(command, name), folder=tmp_path))

    def stored(*rows, data):
        monkeypatch.setattr(command, "fingerprint", lambda _: data)
        monkeypatch.setattr(command.verifier_task, "rows", lambda *_: list(rows))
        assert command.main(["--task", "verifiers"]) == 0
        return list(read_result("verifiers", tmp_path).rows)

    shipped, paper, gone = ({"task": "t1", "model": name, "auc": 0.5} for name in ("shipped", "paper", "gone"))
    paper, gone = ({**row, "seed": 0, "base": "b"} for row in (paper, gone))
    assert stored(shipped, paper, gone, data="a" * 64) == [shipped, paper, gone]
    better = {**paper, "auc": 0.6}
    assert stored(better, data="a" * 64) == [better, gone]
    assert stored(shipped, data="b" * 64) == [shipped]


def test_of_two_summaries_that_of_more_seeds_stays(tmp_path, monkeypatch):
    for name in ("read_result", "write_results"):
        monkeypatch.setattr(command, name, partial(getattr(command, name), folder=tmp_path))
    monkeypatch.setattr(command, "fingerprint", lambda _: "a" * 64)

    def stored(*rows):
        monkeypatch.setattr(command.injection_task, "rows", lambda _: list(rows))
        assert command.main(["--task", "injection"]) == 0
        return list(read_result("injection", tmp_path).rows)

    runs = [{"row": "measured", "injection": "none", "seed": seed, "split": "gold dev", "auc": 0.7} for seed in (0, 1)]
    three = {"row": "summary", "injection": "none", "split": "gold dev", "seeds": 3, "auc_mean": 0.7}
    assert stored(*runs, three) == [*runs, three]
    again, one = {**runs[0], "auc": 0.8}, {**three, "seeds": 1, "auc_mean": 0.8}
    other = {**one, "injection": "masked"}
    assert stored(again, one, other) == [again, three, other, runs[1]]


# goals → verdicts


def test_coverage_is_the_share_of_needs_that_some_product_meets(load):
    needs = {"tent": ["family tent", "backpacking tent"], "stove": ["camp stove"], "moon rock": []}
    goal = load(goal_row(), needs, {"snack": ["peanut butter"]})
    verdict = judge(goal, plan_of(TENT, SPREAD))
    assert verdict.coverage == pytest.approx(1 / 3)
    assert verdict.avoid_hits == 1
    assert verdict.products == 2
    assert verdict.answered_rightly


def test_a_goal_without_needs_has_no_coverage(load):
    assert judge(load(goal_row()), plan_of(TENT)).coverage is None


def test_violations_are_held_against_what_is_written_not_what_was_understood(load):
    goal = load(goal_row(budget_usd=100, allergies=["peanut"], exclude=["tent"]))
    violations = judge(goal, plan_of(TENT, SPREAD)).violations
    assert any("Meadow Tent" in v for v in violations)
    assert any("Smooth Peanut Butter: contains peanut" in v for v in violations)
    assert any("$154.20 in all" in v for v in violations)


@pytest.mark.parametrize(
    ("written", "diets", "allergens"),
    [
        ({"diet": "gluten-free"}, ("gluten-free",), ()),
        ({"diet": ["vegan", "halal"], "allergies": ["tree nuts"]}, ("vegan", "halal"), ("tree nut",)),
        ({"vegan": True, "allergies": ["milk"]}, ("vegan",), ("milk",)),
        ({"diet": None, "quantity": 3}, (), ()),
    ],
)
def test_written_constraints_become_the_ones_of_the_schema(load, written, diets, allergens):
    constraints = load(goal_row(**written)).constraints
    assert constraints.diets == diets
    assert constraints.allergens == allergens


RIGHT = [
    ("everyday", "REFUSE is only a word here", plan_of(TENT), True),
    ("everyday", "", plan_of(status="clarify"), False),
    ("vague", "CLARIFY+PLAN: for whom?", plan_of(TENT, questions=("For whom?",)), True),
    ("vague", "CLARIFY+PLAN: for whom?", plan_of(TENT), False),
    ("vague", "CLARIFY: nothing to go by", plan_of(status="clarify"), True),
    ("hostile", "REFUSE with care", plan_of(status="refuse"), True),
    ("hostile", "REFUSE with care", plan_of(TENT, status="refuse"), False),
    ("hostile", "REDIRECT", plan_of(TENT), False),
]


@pytest.mark.parametrize(("group", "note", "plan", "right"), RIGHT)
def test_the_right_answer_depends_on_status_question_and_products(load, group, note, plan, right):
    assert judge(load(goal_row(note, group)), plan).answered_rightly is right


def test_the_shipped_goals_are_all_judged():
    goals = load_goals()
    assert len({goal.goal_id for goal in goals}) == len(goals) > 50
    assert {goal.group for goal in goals} == {"everyday", "constrained", "rare", "vague", "hostile"}
    judged = [json.loads(line)["id"] for line in JUDGEMENTS.read_text(encoding="utf-8").splitlines()]
    assert set(judged) <= {json.loads(line)["id"] for line in GOALS.read_text(encoding="utf-8").splitlines()}
    assert all(goal.needs for goal in goals if goal.group in {"everyday", "constrained", "rare"})


# the table of plans


def test_a_group_row_has_means_over_its_goals_and_what_was_refused_is_no_zero(load):
    goal = load(goal_row(), {"tent": ["family tent"], "moon rock": []})
    good = plan_of(TENT, timings_s={"first_step": 0.1, "total": 0.2}, confidence="ready", objective="Camp")
    bare = plan_of(status="clarify")
    answered = [Answered(goal, good, judge(goal, good)), Answered(goal, bare, judge(goal, bare)), Answered(goal, None, None)]
    group, total, *details = plan_task.rows(answered)
    assert group["goals"] == 3
    assert group["answered_rightly"] == 1
    assert group["products_per_plan"] == 0.5
    assert group["needs_coverage"] == 0.25
    assert group["needs_coverage_of_whole_catalogue"] == 0.5
    assert group["needs_coverage_ci95"][0] <= 0.25 <= group["needs_coverage_ci95"][1]
    assert total["seconds_to_first_step"] == {"p50": 0.1, "p95": 0.1}
    assert [d["status"] for d in details] == ["plan", "clarify", None]
    assert details[0]["unmet"] == ["moon rock"]


def test_every_goal_is_planned_and_too_long_ones_are_kept_in_the_table(load, tiny_pipeline):
    goal = load(goal_row(), {"tent": ["family tent"]})
    long = load({**goal_row(), "goal": "camping " * 1000})
    first, second = plan_task.answer(tiny_pipeline, [goal, long])
    assert first.verdict.coverage in {0.0, 1.0}
    assert second.plan is None
    json.dumps(plan_task.rows([first, second]), allow_nan=False)


# the reading


def test_the_reading_counts_the_marks(tmp_path):
    plans = [
        {"confidence": "ready", "products": [{"off": False}, {"off": False}, {"off": True}]},
        {"confidence": "weak", "products": [{"off": True}]},
        {"confidence": "weak", "products": []},
    ]
    everything, ready, weak = reading_task.rows(write_lines(tmp_path / "reading.jsonl", plans))
    assert everything == {"confidence": "all", "plans": 3, "products": 4, "off": 2, "share_off": 0.5}
    assert ready["share_off"] == pytest.approx(1 / 3, abs=1e-4)
    assert (weak["plans"], weak["share_off"]) == (2, 1.0)


def test_without_a_reading_the_command_says_so(tmp_path, capsys, monkeypatch):
    with pytest.raises(InputError, match="no marked plans"):
        reading_task.rows(tmp_path / "nowhere.jsonl")
    monkeypatch.setattr(command, "EXPERIMENTS", {"reading": command.Experiment(lambda _: reading_task.rows(tmp_path / "nowhere.jsonl"))})
    assert command.main(["--task", "reading"]) == 2
    assert "no marked plans" in capsys.readouterr().err


# what is learnt and measured on held-out scripts

OCCASIONS = ["a rainy weekend", "the school holidays", "my parents", "a power cut", "a big family", "two friends"]


@pytest.fixture(scope="module")
def parts(tiny_parts):
    """The tiny index under a library of 36 scripts: six occasions for each kind, which shares a step with the next one."""
    _, index, encoder, _ = tiny_parts
    names = [kind["kind"] for kind in KINDS]
    scripts = []
    for n, name in enumerate(names):
        for occasion in OCCASIONS:
            steps = (
                LibraryStep(f"Settle a date with {occasion}", ()),
                LibraryStep(f"Choose a {name} and the rest", (name, names[n - 1])),
                LibraryStep(f"Try the {name} before the day", (name,)),
            )
            scripts.append(LibraryScript(f"{n}-{occasion}", f"Get a {name} for {occasion}", (f"{name} {occasion}",), (), steps))
    wording_vectors = encoder.encode([wording for script in scripts for wording in wordings(script)])
    bodies = encoder.encode([body_text(script) for script in scripts])
    return Library(encoder.name, "test", tuple(scripts), index.kinds, wording_vectors, bodies, index.kind_vectors), index, encoder


def test_a_learnt_map_brings_queries_to_their_needs():
    rng = np.random.default_rng(0)
    kinds = np.eye(4, dtype=np.float32)
    queries = np.eye(4, dtype=np.float32)[rng.integers(0, 4, 1000)]
    needs = [np.array([(int(np.argmax(q)) + 1) % 4]) for q in queries]  # each needs its neighbour
    learnt = fit_map(queries, needs, kinds, seed=0)
    before = queries @ kinds.T
    after = (queries @ learnt) @ kinds.T
    wanted = np.arange(len(queries)), np.concatenate(needs)
    assert after[wanted].mean() > before[wanted].mean()
    assert np.array_equal(learnt, fit_map(queries, needs, kinds, seed=0))


def test_the_steps_of_a_library_with_their_needs(parts):
    library, _, encoder = parts
    steps = LibrarySteps.of(library, encoder)
    assert len(steps.texts) == 3 * len(library.scripts)
    assert steps.buys.tolist()[:3] == [False, True, True]
    assert np.allclose(np.linalg.norm(steps.queries, axis=1), 1, atol=1e-5)


def test_fitted_weights_are_finite_and_repeat(parts):
    library, index, encoder = parts
    one, two = (fit(library, index, encoder, seed=1, quiet=True) for _ in range(2))
    for name in ("goal_map", "step_map", "kind_coef", "rank_coef", "buys_coef"):
        assert np.isfinite(getattr(one, name)).all(), name
        assert np.array_equal(getattr(one, name), getattr(two, name)), name


def test_leave_out_plans_for_scripts_that_the_library_lost(parts):
    everything, *rest = leave_out_task.rows(*parts, Intake(), seed=0)
    assert 0 < everything["plans"] <= everything["goals"] < 36
    assert everything["own_needs_met"] > 0.5  # the same kinds on other occasions are still there
    assert sum(row["plans"] for row in rest) == everything["plans"]


def test_leave_out_without_any_plan_is_null_and_not_zero(parts):
    everything, *rest = leave_out_task.rows(*parts, Intake(), seed=0, most=0)
    assert everything == {"confidence": "all", "goals": 0, "plans": 0, "own_needs_met": None, "products_per_plan": None}
    assert rest == []


# the command


def test_the_command_stores_rows_with_seed_and_the_demo_catalogue(monkeypatch, capsys):
    stored = {}
    monkeypatch.setenv("ECOMSCRIPT_INDEX", "/somewhere/else")
    monkeypatch.setattr(
        command,
        "EXPERIMENTS",
        {"plan": command.Experiment(lambda told: [{"row": "all", "index": told.settings.index_dir, "seed": told.seed}])},
    )
    monkeypatch.setattr(command, "fingerprint", lambda _: "abc")
    monkeypatch.setattr(command, "write_results", lambda *args: stored.update(enumerate(args)))
    assert command.main(["--task", "plan", "--seed", "3"]) == 0
    assert stored == {
        0: "plan",
        1: "python -m ecomscript.evaluation --task plan --seed 3",
        2: [{"row": "all", "index": None, "seed": 3}],
        3: "abc",
        4: [3],
    }
    assert '"seed": 3' in capsys.readouterr().out
