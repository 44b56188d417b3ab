"""The command line: its contract, and what bad input gets."""

import json
from dataclasses import replace

import pytest
from fakes import write_lines

from ecomscript import __main__ as cli
from ecomscript.pipeline import Pipeline
from ecomscript.request import make_request
from ecomscript.schema import Usage


@pytest.fixture(autouse=True)
def _tiny(monkeypatch, tiny_pipeline):
    monkeypatch.setattr(Pipeline, "open", classmethod(lambda *_, **__: tiny_pipeline))


def test_plan_prints_one_object(capsys):
    assert (
        cli.main(["plan", "Take the family on a first camping weekend", "--budget", "80", "--people", "4", "--exclude", "tent", "--json"])
        == 0
    )
    plan = json.loads(capsys.readouterr().out)
    assert plan["status"] == "plan"
    assert plan["constraints"]["budget_usd"] == 80
    assert plan["constraints"]["people"] == 4
    assert plan["total_usd"] <= 80
    assert all(p["kind"] != "family tent" for s in plan["steps"] for p in s["products"])


def test_plan_starts_from_a_near_plan(capsys):
    asked = ["plan", "Take the family on a first camping weekend", "--json"]
    assert cli.main(asked) == 0
    for objective in json.loads(capsys.readouterr().out)["near_plans"]:
        assert cli.main([*asked, "--like", objective]) == 0
        assert json.loads(capsys.readouterr().out)["objective"] == objective


def test_plan_prints_text_for_people(capsys):
    assert cli.main(["plan", "Take the family on a first camping weekend"]) == 0
    out = capsys.readouterr().out
    assert "1. Choose dates and reserve a campsite" in out
    assert "Total $" in out


def test_plans_of_a_file_come_in_the_same_order(tmp_path):
    goals = write_lines(
        tmp_path / "goals.jsonl", [{"id": n, "goal": g} for n, g in enumerate(["camping with kids", "", "kids bday party stuff"])]
    )
    out = tmp_path / "plans.jsonl"
    assert cli.main(["plan", "--input", str(goals), "--output", str(out)]) == 0
    plans = [json.loads(line) for line in out.read_text().splitlines()]
    assert [p["id"] for p in plans] == [0, 1, 2]
    assert [p["status"] for p in plans] == ["plan", "clarify", "plan"]


def test_match_adds_products_to_each_line(tmp_path):
    steps = write_lines(tmp_path / "steps.jsonl", [{"n": 7, "objective": "go camping", "step": "cook a warm meal at a campsite"}])
    out = tmp_path / "out.jsonl"
    assert cli.main(["match", "--input", str(steps), "--output", str(out)]) == 0
    (row,) = [json.loads(line) for line in out.read_text().splitlines()]
    assert row["n"] == 7
    assert len(row["products"]) <= 10
    assert set(row["products"][0]) == {"product_id", "title", "intention", "similarity", "t2"}


BAD = [
    (["plan"], "either a goal or both"),
    (["plan", "camping", "--input", "x.jsonl", "--output", "y.jsonl"], "either a goal or both"),
    (["plan", "camping", "--budget", "-5"], "budget"),
    (["plan", "camping", "--budget", "cheap"], "budget"),
    (["plan", "camping", "--people", "0"], "people"),
    (["plan", "x" * 6001], "6,000"),
    (["plan", "camping", "--like", "x" * 301], "no plan's name"),
    (["plan", "--input", "nowhere.jsonl", "--output", "out.jsonl"], "nowhere.jsonl"),
]


@pytest.mark.parametrize(("argv", "cause"), BAD)
def test_bad_input_is_one_sentence_and_status_2(argv, cause, capsys):
    assert cli.main(argv) == 2
    err = capsys.readouterr().err
    assert cause.lower() in err.lower()
    assert "Traceback" not in err
    assert len(err.strip().splitlines()) == 1


LINES = [
    "not json",
    "[1]",
    '{"id": 1}',
    '{"id": 1, "goal": 7}',
    '{"id": 1, "goal": "' + "y" * 6001 + '"}',
    "[" * 5000,
    '{"id": ' + "9" * 5000 + "}",
]


@pytest.mark.parametrize("line", LINES)
def test_a_bad_line_is_named_and_nothing_is_written(tmp_path, capsys, line):
    goals = tmp_path / "goals.jsonl"
    goals.write_text('{"id": 0, "goal": "camping"}\n\n' + line + "\n")
    out = tmp_path / "plans.jsonl"
    assert cli.main(["plan", "--input", str(goals), "--output", str(out)]) == 2
    assert "line 3" in capsys.readouterr().err
    assert not out.exists()
    assert not list(tmp_path.glob("*.tmp"))


@pytest.mark.parametrize("line", ['{"objective": "go"}', '{"objective": "go", "step": 3}', '{"objective": "go", "step": " \\u0000"}'])
def test_a_bad_line_to_match_is_named(tmp_path, capsys, line):
    steps = tmp_path / "steps.jsonl"
    steps.write_text(line + "\n")
    assert cli.main(["match", "--input", str(steps), "--output", str(tmp_path / "out.jsonl")]) == 2
    assert "line 1" in capsys.readouterr().err
    assert not (tmp_path / "out.jsonl").exists()


def test_a_line_keeps_its_fields_and_what_no_encoder_takes_is_cleaned(tmp_path):
    steps, out = tmp_path / "steps.jsonl", tmp_path / "out.jsonl"
    steps.write_text('\ufeff{"": "kept", "objective": "camp\\ud800", "step": "cook a warm meal at a campsite"}\r\n', encoding="utf-8")
    assert cli.main(["match", "--input", str(steps), "--output", str(out)]) == 0
    row = json.loads(out.read_text())
    assert row[""] == "kept"
    assert row["products"]


@pytest.mark.parametrize("name", [".", "/"])
def test_a_folder_as_output_is_refused(tmp_path, capsys, name, monkeypatch):
    monkeypatch.chdir(tmp_path)
    goals = write_lines(tmp_path / "goals.jsonl", [{"id": 0, "goal": "camping"}])
    assert cli.main(["plan", "--input", str(goals), "--output", name]) == 2
    assert "cannot be written" in capsys.readouterr().err
    assert [p.name for p in tmp_path.iterdir()] == ["goals.jsonl"]


def test_an_output_that_cannot_be_written_is_named(tmp_path, capsys):
    goals = write_lines(tmp_path / "goals.jsonl", [{"id": 0, "goal": "camping"}])
    assert cli.main(["plan", "--input", str(goals), "--output", str(tmp_path / "missing" / "out.jsonl")]) == 2
    assert "cannot be written" in capsys.readouterr().err


@pytest.mark.parametrize("planner", ["auto", "library", "llm", None])
def test_the_planner_is_chosen(monkeypatch, tiny_pipeline, planner):
    seen = []
    monkeypatch.setattr(Pipeline, "open", classmethod(lambda _, settings, **__: seen.append(settings) or tiny_pipeline))
    monkeypatch.setenv("ECOMSCRIPT_PLANNER", "library")
    assert cli.main(["plan", "camping with kids", *(["--planner", planner] if planner else [])]) == 0
    assert [settings.planner for settings in seen] == [planner or "library"]


def test_tokens_and_cost_are_printed(monkeypatch, tiny_pipeline, capsys):
    plan = replace(tiny_pipeline.run(make_request("camping with kids")), usage=Usage(1, 900, 300, 0.00031))
    monkeypatch.setattr(tiny_pipeline, "run", lambda _: plan)
    assert cli.main(["plan", "camping with kids"]) == 0
    assert "Language model: 1,200 tokens, about $0.0003" in capsys.readouterr().out
    assert cli.main(["plan", "camping with kids", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["usage"]["cost_usd"] == 0.00031
