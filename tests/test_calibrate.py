"""Fitting what stands over the adapters, on untrained adapters of the tiny BERT and a handful of items."""

import json
import shutil
from functools import partial

import numpy as np
import pytest
from fake_models import model_of
from fakes import SCRIPTS, HashEncoder, write_lines

from ecomscript.errors import InputError
from ecomscript.evaluation import calibrate
from ecomscript.review import Reviewer
from ecomscript.schema import Grounds
from ecomscript.verification.combine import adapter_hash
from ecomscript.verification.items import in_split, load_items
from ecomscript.verification.lora import Base
from ecomscript.verification.pooled import open_model
from ecomscript.verification.suite import GROUNDS, NO_VERIFIERS, STRONG, Verifiers


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


SIGNALS = {"t1": {"step", "order", "rules"}, "t2": set(), "t3": {"clash"}}
PARTS = {"t1": ["whole", "steps", "order", "rules"], "t2": ["model"], "t3": ["single", "pair", "fit", "rules"]}


def test_all_that_serving_needs_is_fitted_and_written(models, capsys):
    assert calibrate.main(["--models", str(models), "--task", "t1", "--task", "t2", "--task", "t3"]) == 0
    said = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["task"] for row in said] == ["t1", "t2", "t3"]
    for row in said:
        assert row["parts"]
        assert row["items"] == 20
        assert row["fitted_on"] == "validation split"
        assert 0 <= row["ece"] <= 1
        assert {level["word"] for level in row["levels"]} <= {"high", "fair", "low"}
        assert sum(level["items"] for level in row["levels"]) == 20
        assert json.loads((models / row["task"] / "combiner.json").read_text())["meta"] == {
            k: row[k] for k in ("fitted_on", "items", "auc", "ece", "levels", "speaks_from", "adapter_sha256")
        }
        assert row["adapter_sha256"] == adapter_hash(models / row["task"])
        assert set(row["speaks_from"]) <= SIGNALS[row["task"]]
    assert Verifiers.load(HashEncoder().encode, models).problems == ()


def test_the_strong_adapters_are_calibrated_together_with_the_small_ones(models, tiny_bert):
    strong = models / STRONG / "t3"
    model_of(Base(str(tiny_bert)), seed=7).save(strong, {"task": "t3"})
    assert calibrate.main(["--models", str(models), "--task", "t2", "--task", "t3"]) == 0
    assert json.loads((strong / "combiner.json").read_text())["meta"]["adapter_sha256"] == adapter_hash(strong)
    items = in_split(calibrate.load_items("t3"), "validation")
    (small, _), (both, _) = (calibrate.parts_of("t3", models, items, strong=size) for size in (False, True))
    alone = open_model([strong], "t3")
    verifiers = Verifiers.load(HashEncoder().encode, models, ("t3",), strong=("t3",))
    assert verifiers.problems == ()
    claims = [item.claim.single(0) for item in items]
    expected = (alone.score(claims).whole + open_model([models / "t3"], "t3").score(claims).whole) / 2
    assert np.allclose(verifiers.t3.model.score(claims).whole, expected, atol=1e-3)
    assert not np.allclose(small["single"], both["single"])


def test_parts_and_signals_have_a_row_for_every_item(models):
    calibrate.fit_t1_order(models / "t1")
    for task, names in PARTS.items():
        items = in_split(calibrate.load_items(task), "validation")
        parts, signals = calibrate.parts_of(task, models, items)
        assert list(parts) == names
        assert set(signals) == SIGNALS[task]
        assert {column.shape for column in (*parts.values(), *signals.values())} == {(20,)}


def speaks_from(signal, labels):
    return calibrate.starts_from(np.array(signal, np.float64), 1 - np.array(labels), calibrate.PRECISE, calibrate.FEWEST)


def test_a_reason_speaks_from_where_it_was_right_often_enough():
    # The strongest 20 are wrong claims, the others right: 20 of 23 are .87, 20 of 24 are .83.
    signal = np.arange(40.0)[::-1]
    labels = [0] * 20 + [1] * 20
    assert calibrate.PRECISE == 0.85
    assert speaks_from(signal, labels) == signal[22]
    assert speaks_from(signal[::-1], labels[::-1]) == signal[22]


def test_a_reason_that_is_hardly_ever_right_never_speaks():
    assert speaks_from(np.arange(40.0), [0, 1] * 20) is None
    assert speaks_from(np.arange(40.0), [0] * 20 + [1] * 20) is None


def test_a_few_lucky_items_are_not_enough_to_speak():
    few = calibrate.FEWEST
    assert speaks_from(np.arange(few - 1.0), [0] * (few - 1)) is None
    assert speaks_from(np.arange(float(few)), [0] * few) == 0.0
    # Wrong claims come first, but long before FEWEST half of them are right.
    signal = np.arange(60.0)[::-1]
    assert speaks_from(signal, [0] * 4 + [1, 0] * 28) is None


def test_of_signals_that_are_counts_all_of_a_count_speak_or_none():
    # From 2 on 18 of 20 are wrong claims; of those with 1 half are, and the first of them would still do.
    signal, labels = [2.0] * 20 + [1.0] * 20, [0] * 18 + [1] * 2 + [0, 1] * 10
    assert speaks_from(signal, labels) == 2.0


def rated(closeness, *marks, **more):
    return {"id": f"{closeness}", "closeness": closeness, "support": closeness / 2, "plausible": list(marks), **more}


def test_grounds_are_fitted_to_readers(tmp_path):
    rng = np.random.default_rng(0)
    plans = [rated(round(x, 4), *((5, 4) if x + rng.normal(0, 0.1) > 0.5 else (3, 4))) for x in rng.random(120)]
    found = calibrate.fit_grounds(tmp_path / "models" / GROUNDS, write_lines(tmp_path / "plans.jsonl", plans))
    assert found.meta["fitted_on"] == "plans that readers rated"
    assert found.meta["items"] == 120
    assert found.meta["auc"] > 0.8
    verifiers = Verifiers.load(HashEncoder().encode, tmp_path / "models", ("t1",))
    fit = Reviewer(verifiers, None).fit
    assert 0 < fit(Grounds(0.2, 0.1)) < 0.5 < fit(Grounds(0.8, 0.4)) < 1
    assert fit(None) is None
    assert Reviewer(NO_VERIFIERS, None).fit(Grounds(0.8, 0.4)) is None


@pytest.mark.parametrize("damage", [{"plausible": ["good"]}, {"closeness": "near"}, {"support": None}])
def test_ratings_that_are_no_numbers_are_named(tmp_path, damage):
    with pytest.raises(InputError, match="cannot be used"):
        calibrate.fit_grounds(tmp_path, write_lines(tmp_path / "plans.jsonl", [rated(0.5, 4, 5) | damage]))


def words(probabilities, labels):
    return {level["word"]: level for level in calibrate.levels(np.array(probabilities), labels)}


def test_words_start_where_the_scores_earn_them():
    scores = np.linspace(0.01, 0.99, 400)
    labels = [0] * 50 + [0, 1] * 150 + [1] * 50
    found = words(scores, labels)
    assert list(found) == ["high", "fair", "low"]
    assert found["high"]["right"] >= calibrate.HIGH
    assert found["low"]["right"] <= calibrate.LOW
    assert found["high"]["from"] > found["fair"]["from"] > found["low"]["from"] == 0
    assert sum(level["items"] for level in found.values()) == 400


def test_a_score_that_tells_nothing_earns_only_the_middle_word():
    assert list(words(np.linspace(0, 1, 100), [0, 1] * 50)) == ["fair"]


@pytest.mark.parametrize(("labels", "earned"), [([0] * 60 + [0, 1] * 70, ["fair", "low"]), ([0, 1] * 70 + [1] * 60, ["high", "fair"])])
def test_a_word_that_is_not_earned_is_absent(labels, earned):
    found = words(np.linspace(0, 1, len(labels)), labels)
    assert list(found) == earned
    assert found[earned[-1]]["from"] == 0


def test_a_score_that_is_always_right_needs_no_middle_word():
    found = words(np.linspace(0, 1, 100), [0] * 50 + [1] * 50)
    assert list(found) == ["high", "low"]
    assert found["high"]["right"] >= calibrate.HIGH


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
