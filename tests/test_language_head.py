"""A linear head over the states of a language model, and the two teachers together."""

import random

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from ecomscript.errors import InputError, ModelError
from ecomscript.evaluation import language_head, language_model_task, teach
from ecomscript.evaluation.language_head import fit_head, whole_objectives
from ecomscript.llm import states
from ecomscript.llm.states import StateReader
from ecomscript.llm.weights import load_causal
from ecomscript.verification.claims import ProductClaim
from ecomscript.verification.items import Item

QUESTIONS = ["use the tent", "bake a cake with candle light and cook", "walk", "good brush for the paint"]


def item(n, label, split="train"):
    claim = ProductClaim(f"camp {n // 2}", "sleep in the tent", "good light" if label else "poor cake")
    return Item(f"i{n}", claim, label, "camping", "none", f"p{n // 2}", split)


ITEMS = [item(n, n % 2, split) for n, split in enumerate(["train"] * 200 + ["validation"] * 40 + ["test"] * 40)]


@pytest.fixture
def reader(tiny_llama, tmp_path):
    return StateReader(str(tiny_llama), 1, tmp_path / "states")


@pytest.fixture
def items(monkeypatch):
    """Items that a product alone decides, and a head that is free to learn it from a model of random weights."""
    monkeypatch.setattr(language_head, "PENALTY", 1.0)
    for module in (language_head, teach):
        monkeypatch.setattr(module, "load_items", lambda task: ITEMS)


def test_a_state_does_not_depend_on_what_is_read_beside_it(reader, monkeypatch):
    together = reader.read(QUESTIONS)
    alone = np.concatenate([reader.read([question]) for question in QUESTIONS])
    assert together.shape == (4, 32)
    assert together.dtype == np.float32
    assert np.abs(together - alone).max() < 0.1  # bfloat16
    assert np.abs(together[0] - together[1]).max() > 0.5


def test_only_the_lower_layers_are_run(tiny_llama, tmp_path):
    causal = load_causal(str(tiny_llama))
    tokens = causal.tokens(QUESTIONS[0])
    assert tokens == causal.tokenizer(f"{QUESTIONS[0]}\nAnswer:")["input_ids"]
    one, two = (StateReader(str(tiny_llama), n, tmp_path / "states").read(QUESTIONS) for n in (1, 2))
    assert np.abs(one - two).max() > 0.5


def test_no_question_is_read_twice(reader, tiny_llama, tmp_path, monkeypatch):
    monkeypatch.setattr(states, "CHUNK", 2)
    first = reader.read(QUESTIONS)
    assert len(list((tmp_path / "states").iterdir())) == 2
    monkeypatch.setattr(states, "load_causal", None)  # nothing is left to read
    assert (StateReader(str(tiny_llama), 1, tmp_path / "states").read(QUESTIONS) == first).all()


def test_damaged_states_are_refused_in_one_sentence(reader, tmp_path):
    reader.read(QUESTIONS)
    (file,) = (tmp_path / "states").iterdir()
    file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(InputError, match=r"cannot be kept in .*states .*Empty that folder"):
        reader.read(QUESTIONS)


def test_a_model_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ModelError, match="no-such-model"):
        StateReader("no-such-model", 1, tmp_path).read(QUESTIONS)


def test_items_of_an_objective_stay_together():
    chosen = whole_objectives(ITEMS, 10, random.Random(1))
    assert len(chosen) == 10
    assert len({one.claim.objective for one in chosen}) == 5
    assert chosen != whole_objectives(ITEMS, 10, random.Random(2))
    assert len(whole_objectives(ITEMS, 1000, random.Random(1))) == len(ITEMS)


def test_a_head_learns_from_training_items_alone(reader, items):
    judge = fit_head(reader, "t2", 0)
    new = [one for one in ITEMS if one.split != "train"]
    logits = judge([one.claim for one in new])
    assert roc_auc_score([one.label for one in new], logits) > 0.9


def test_its_worth_is_told_on_held_out_and_gold_items(tiny_llama, items, tmp_path):
    rows = language_model_task.head_rows(str(tiny_llama), 0, tmp_path)
    assert [(row["task"], row["split"]) for row in rows] == [("t2", "held-out"), ("t2", "gold dev")]
    for row in rows:
        assert row["model"] == tiny_llama.name
        assert row["prompt"] == "linear head, layer 20"
        assert 0 <= row["auc"] <= 1
        assert row["auc_ci95"][0] <= row["auc"] <= row["auc_ci95"][1]


def test_two_teachers_together_follow_the_better_one():
    validation = [one for one in ITEMS if one.split == "validation"]
    noise = np.random.default_rng(0)

    def good(claims):
        return np.array([1.0 if claim.product == "good light" else -1.0 for claim in claims]) + noise.normal(size=len(claims)) / 2

    def vague(claims):
        return noise.normal(size=len(claims))

    judge, aucs = teach.together({"good": good, "vague": vague}, validation)
    assert list(aucs) == ["good", "vague", "together"]
    assert aucs["together"] >= 0.95 > aucs["vague"]
    logits = judge([one.claim for one in validation])
    assert np.corrcoef(logits, [one.label for one in validation])[0, 1] > 0.8


def test_a_language_model_teaches_beside_the_adapter(tiny_llama, items, tmp_path, monkeypatch, capsys):
    claims = [one.claim for one in ITEMS if one.split == "test"]
    monkeypatch.setenv("ECOMSCRIPT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(teach, "adapter_teacher", lambda folder: lambda claims: np.arange(len(claims)) % 3.0)
    monkeypatch.setattr(teach, "item_claims", lambda count, rng, encode: claims[:10])
    monkeypatch.setattr(teach, "library_claims", lambda count, rng, encode: claims[10:])
    out = tmp_path / "taught.jsonl"
    assert teach.main(["--teacher", "x", "--language-model", str(tiny_llama), "--out", str(out)]) == 0
    assert "Validation AUC: adapter 0." in capsys.readouterr().out
    rows = teach.read_rows(out)
    assert sorted(row["objective"] for row in rows) == sorted(claim.objective for claim in claims)
    assert roc_auc_score([row["product"] == "good light" for row in rows], [row["score"] for row in rows]) > 0.8
