"""Fitting what stands over the adapters, on untrained adapters of the tiny BERT and a handful of items."""

import json
import shutil
from functools import partial

import pytest
from fakes import SCRIPTS, HashEncoder, write_lines

from ecomscript.evaluation import calibrate
from ecomscript.verification.items import load_items
from ecomscript.verification.suite import Verifiers


def item(n, label, split, **claim):
    return {
        "id": f"{n}",
        "pair": f"p{n // 2}",
        "split": split,
        "domain": "home",
        "label": label,
        "error": "none" if label else "bad",
        **claim,
    }


def rows(task):
    found = []
    for n in range(60):
        label, split = n % 2, ("validation", "train", "test")[n // 2 % 3]
        word = "good" if label else "bad"
        found.append(
            {
                "t1": item(
                    n,
                    label,
                    split,
                    objective=f"cake {n // 2}",
                    steps=["buy", f"bake with {word} light", f"walk {n}"][:: 1 if label else -1],
                ),
                "t2": item(n, label, split, objective=f"camp {n // 2}", step="sleep", product=f"{word} tent {n}"),
                "t3": item(
                    n, label, split, objective=f"camp {n // 2}", steps=[{"step": "sleep", "products": [f"{word} tent {n}", "stove"]}]
                ),
            }[task]
        )
    return found


@pytest.fixture
def models(tmp_path, tiny_verifiers_dir, tiny_source, monkeypatch):
    """Adapters without combiners, and the data and the encoder to fit with."""
    for task in ("t1", "t2", "t3"):
        write_lines(tmp_path / "data" / f"{task}.jsonl", rows(task))
    monkeypatch.setattr(calibrate, "load_items", partial(load_items, folder=tmp_path / "data"))
    monkeypatch.setattr(calibrate, "open_encoder", lambda name: HashEncoder())
    monkeypatch.setattr(calibrate, "DEMO_CATALOG", tiny_source)
    leave = shutil.ignore_patterns("combiner.json", "order.safetensors")
    return shutil.copytree(tiny_verifiers_dir, tmp_path / "models", ignore=leave)


def test_all_that_serving_needs_is_fitted_and_written(models, capsys):
    assert calibrate.main(["--models", str(models)]) == 0
    said = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["task"] for row in said] == ["t1", "t2", "t3"]
    for row in said:
        assert row["parts"]
        assert row["items"] == 20
        assert row["fitted_on"] == "validation split"
        assert 0 <= row["ece"] <= 1
        assert [level["word"] for level in row["levels"]] == ["high", "fair", "low"]
        assert sum(level["items"] for level in row["levels"]) == 20
        assert json.loads((models / row["task"] / "combiner.json").read_text())["meta"] == {
            k: row[k] for k in ("fitted_on", "items", "ece", "levels")
        }
    assert Verifiers.load(HashEncoder().encode, models).problems == ()


def test_one_task_leaves_the_others_alone(models):
    assert calibrate.main(["--models", str(models), "--task", "t2"]) == 0
    assert sorted(path.parent.name for path in models.rglob("combiner.json")) == ["t2"]


def test_a_missing_adapter_is_one_sentence(models, capsys):
    shutil.rmtree(models / "t2")
    assert calibrate.main(["--models", str(models), "--task", "t2"]) == 2
    said = capsys.readouterr().err
    assert str(models / "t2") in said
    assert len(said.strip().splitlines()) == 1


def test_scripts_that_are_measured_do_not_teach_the_order(models, tmp_path, monkeypatch):
    measured = SCRIPTS[1]["objective"]
    write_lines(tmp_path / "data" / "t1.jsonl", [item(0, 1, "validation", objective=measured, steps=["buy", "go"])])
    seen = []
    real = calibrate.fit_order
    monkeypatch.setattr(calibrate, "fit_order", lambda scripts, encode: seen.extend(scripts) or real(scripts, encode, epochs=1))
    calibrate.fit_t1_order(models / "t1")
    assert sorted(claim.objective for claim in seen) == sorted({script["objective"] for script in SCRIPTS} - {measured})
