"""Training a verifier from the command line, on a BERT of two layers and a handful of items."""

import gzip
import hashlib
import json
import random
from functools import partial

import pytest
import torch
from fake_models import SMALL, model_of
from fakes import write_catalogue, write_lines
from safetensors.torch import load_file

from ecomscript.errors import ModelError
from ecomscript.folders import fingerprint
from ecomscript.verification import inject, train
from ecomscript.verification.items import in_split, load_items, load_plan_items
from ecomscript.verification.lora import Base, load_adapter
from ecomscript.verification.samples import samples_of

TINY = ("--epochs", "1", "--rank", "4", "--alpha", "8", "--max-length", "48", "--lr", "0.02")


def item(n, label, **claim):
    split = ("train", "train", "validation", "domain")[n % 4]
    error = "none" if label else "bad"
    return {"id": f"{n}-{label}", "pair": f"p{n}", "split": split, "domain": "home", "label": label, "error": error, **claim}


def t1(n, label):
    return item(
        n, label, objective=f"make a cake {n}", steps=["buy the pack", "bake with good light" if label else "bake with bad light", "walk"]
    )


def t2(n, label):
    return item(n, label, objective=f"camp for {n}", step="sleep in the tent", product=("good" if label else "bad") + " tent")


def t3(n, label):
    titles = ["stove", ("good" if label else "bad") + " candle"]
    conflict = None if label else [[0, 1]]
    return item(n, label, objective=f"camp for {n}", steps=[{"step": "cook", "products": titles}], conflict=conflict)


@pytest.fixture
def data(tmp_path, monkeypatch):
    """A folder of easy items that takes the place of the training data."""
    folder = tmp_path / "data"
    for task, row in (("t1", t1), ("t2", t2), ("t3", t3)):
        write_lines(folder / f"{task}.jsonl", [row(n, label) for n in range(32) for label in (1, 0)])
    write_lines(folder / "plans.jsonl", [t2(n, label) for n in range(100, 108) for label in (1, 0)])
    (folder / "t2_plans.jsonl.gz").write_bytes(gzip.compress((folder / "plans.jsonl").read_bytes()))
    monkeypatch.setattr(train, "load_items", partial(load_items, folder=folder))
    monkeypatch.setattr(train, "load_plan_items", partial(load_plan_items, folder=folder))
    monkeypatch.setattr(train, "TRAINING", folder)
    monkeypatch.setattr(inject, "ASSERTIONS", 64)
    return folder


@pytest.fixture
def command(tmp_path, tiny_bert, data):
    """Train with these options and return the exit status."""

    def run(task, *options, out="out"):
        fixed = ["--base-model", str(tiny_bert), "--checkpoint", str(tmp_path / "unfinished"), "--out", str(tmp_path / out)]
        return train.main(["--task", task, *fixed, *TINY, *options])

    return run


def digest(folder):
    return [hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in ("adapter.safetensors", "head.safetensors")]


PLAIN = {}
"""Digests of the adapters of one epoch with nothing before it, by task; computed once."""


@pytest.fixture
def plain(command, tmp_path):
    def adapter(task):
        if task not in PLAIN:
            assert command(task, out="plain") == 0
            PLAIN[task] = digest(tmp_path / "plain")
        return PLAIN[task]

    return adapter


@pytest.mark.parametrize("task", ["t1", "t2", "t3"])
def test_one_epoch_writes_an_adapter_that_can_be_served(command, tmp_path, data, task, tiny_bert, capsys):
    assert command(task) == 0
    out = tmp_path / "out"
    assert sorted(path.name for path in out.iterdir()) == ["adapter.safetensors", "head.safetensors", "meta.json"]
    meta = json.loads((out / "meta.json").read_text())
    assert meta["task"] == task
    assert meta["base_model"] == str(tiny_bert)
    assert meta["base_sha256"] == Base(str(tiny_bert)).sha256
    assert meta["data_sha256"] == fingerprint(data)
    assert meta["lora"] == {"rank": 4, "alpha": 8, "dropout": 0.0, "layers": 0, "max_length": 48}
    assert meta["train"]["lr"] == 0.02
    assert meta["train"]["epochs"] == len(meta["validation_aucs"]) == 1
    assert 0 <= meta["validation_auc"] <= 1
    assert (meta["injection"], meta["teacher"], meta["plans"], meta["held_out_domains"]) == (None, None, False, False)
    assert meta["seconds"] >= 0
    printed = json.loads(capsys.readouterr().out)
    assert printed.items() <= meta.items()
    assert load_adapter(out, task).score([("camp", "sleep")]).whole.shape == (1,)
    assert not (tmp_path / "unfinished" / "out").exists()


def test_an_easy_task_is_learnt(command, tmp_path):
    assert command("t2", "--epochs", "4") == 0
    assert json.loads((tmp_path / "out" / "meta.json").read_text())["validation_auc"] > 0.95
    good, bad = (
        load_adapter(tmp_path / "out", "t2").score([("camp for 99", "sleep", "good tent"), ("camp for 99", "sleep", "bad tent")]).whole
    )
    assert good > bad


@pytest.mark.parametrize("task", ["t1", "t2", "t3"])
def test_the_loss_falls(data, tiny_bert, task):
    samples = samples_of(task, in_split(load_items(task, data), "train"), random.Random(0))[:32]
    model = model_of(Base(str(tiny_bert), attention="eager"))
    trainer = train.Trainer(model, train.TrainSettings(lr=0.02))

    def loss():
        with torch.no_grad():
            return trainer._loss(samples).item()

    before = loss()
    trainer.run(samples, 6, task)
    assert loss() < 0.7 * before


def test_members_of_a_pair_are_trained_on_together(data, tiny_bert):
    samples = samples_of("t2", load_items("t2", data), random.Random(0))
    trainer = train.Trainer(model_of(Base(str(tiny_bert))), train.TrainSettings(batch_size=8))
    batches = trainer._batches(samples)
    assert sorted(s.segments for batch in batches for s in batch) == sorted(s.segments for s in samples)
    assert all(len(batch) == 8 for batch in batches)
    assert all(len({s.pair for s in batch}) == 4 for batch in batches)


def test_the_same_seed_gives_the_same_adapter(command, plain, tmp_path):
    assert [command("t2", out="a"), command("t2", "--seed", "1", out="b")] == [0, 0]
    assert digest(tmp_path / "a") == plain("t2")
    assert digest(tmp_path / "b")[0] != plain("t2")[0]


def test_held_out_domains_and_plans_change_what_is_learnt(command, tmp_path):
    assert [command("t2", out="all"), command("t2", "--hold-out-domains", out="less"), command("t2", "--plans", out="more")] == [0, 0, 0]
    metas = [json.loads((tmp_path / out / "meta.json").read_text()) for out in ("all", "less", "more")]
    assert [meta["samples"] for meta in metas] == [48, 32, 48 + 8]
    assert [meta["held_out_domains"] for meta in metas] == [False, True, False]
    assert [meta["plans"] for meta in metas] == [False, False, True]


def test_training_ends_when_validation_gets_no_better(command, tmp_path, monkeypatch):
    said = iter([0.5, 0.8, 0.7, 0.6, 0.9])
    monkeypatch.setattr(train, "auc_of", lambda model, items: next(said))
    assert command("t2", "--epochs", "5", "--patience", "2") == 0
    meta = json.loads((tmp_path / "out" / "meta.json").read_text())
    assert len(meta["validation_aucs"]) == 4
    assert meta["validation_auc"] == 0.8


def test_the_best_epoch_is_kept_and_not_the_last(command, tmp_path, monkeypatch):
    real = train.auc_of
    for out, aucs in (("one", [0.9]), ("two", [0.9, 0.1])):
        said = iter(aucs)
        monkeypatch.setattr(train, "auc_of", lambda model, items, said=said: next(said))
        options = ("--epochs", "1") if out == "one" else ("--epochs", "2")
        assert command("t2", *options, out=out) == 0
    monkeypatch.setattr(train, "auc_of", real)
    second = json.loads((tmp_path / "two" / "meta.json").read_text())
    assert second["validation_auc"] == 0.9
    assert len(second["validation_aucs"]) == 2


class BreakError(Exception):
    """The machine was switched off."""


def interrupt_after(monkeypatch, epochs):
    """Let training break off once an epoch too many begins."""
    real, calls = train.Trainer._loss, [0]

    def loss(self, samples):
        calls[0] += 1
        if calls[0] > epochs * 6:  # 48 samples in batches of 8
            raise BreakError
        return real(self, samples)

    monkeypatch.setattr(train.Trainer, "_loss", loss)
    return partial(monkeypatch.setattr, train.Trainer, "_loss", real)


def test_an_interrupted_run_goes_on_after_its_last_whole_epoch(command, tmp_path, monkeypatch):
    undo = interrupt_after(monkeypatch, epochs=2)
    with pytest.raises(BreakError):
        command("t2", "--epochs", "3")
    assert not (tmp_path / "out").exists()
    undo()
    passes = []
    real = train.Trainer.run

    def run(self, samples, epochs, name, after=None, first=0):
        passes.append((name, first, epochs))
        return real(self, samples, epochs, name, after, first)

    monkeypatch.setattr(train.Trainer, "run", run)
    assert command("t2", "--epochs", "3", "--resume") == 0
    assert passes == [("t2", 2, 3)]
    meta = json.loads((tmp_path / "out" / "meta.json").read_text())
    assert len(meta["validation_aucs"]) == 3
    assert load_adapter(tmp_path / "out", "t2")


def test_without_resume_an_interrupted_run_begins_again(command, tmp_path, monkeypatch):
    undo = interrupt_after(monkeypatch, epochs=1)
    with pytest.raises(BreakError):
        command("t2", "--epochs", "2")
    undo()
    assert command("t2", "--epochs", "2") == 0
    assert command("t2", "--epochs", "2", out="fresh") == 0
    assert digest(tmp_path / "out") == digest(tmp_path / "fresh")


@pytest.mark.parametrize(
    "other", [["--lr", "0.01"], ["--seed", "7"], ["--rank", "2"], ["--inject", "matching"], ["--plans"], ["--hold-out-domains"]]
)
def test_a_checkpoint_of_other_settings_is_refused(command, tmp_path, monkeypatch, capsys, other):
    undo = interrupt_after(monkeypatch, epochs=1)
    with pytest.raises(BreakError):
        command("t2", "--epochs", "2")
    undo()
    assert command("t2", "--epochs", "2", "--resume", *other) == 2
    assert "made with other settings" in one_sentence(capsys)
    assert not (tmp_path / "out").exists()


def test_resume_without_a_checkpoint_begins_at_the_start(command, tmp_path):
    assert command("t2", "--resume") == 0
    assert json.loads((tmp_path / "out" / "meta.json").read_text())["validation_aucs"].__len__() == 1


def one_sentence(capsys):
    """Return the only line on stderr that is no progress bar."""
    lines = [
        line
        for line in capsys.readouterr().err.replace("\r", "\n").splitlines()
        if line.strip() and "it/s" not in line and "?it" not in line
    ]
    lines = [line for line in lines if not line.startswith(("validation AUC", "t1 ", "t2 ", "t3 ", "taught ", "inject "))]
    assert len(lines) == 1, lines
    assert "Traceback" not in lines[0]
    return lines[0]


def test_a_loss_that_is_no_number_ends_training_and_writes_nothing(command, tmp_path, monkeypatch, capsys):
    real, calls = train.Trainer._loss, [0]

    def loss(self, samples):
        calls[0] += 1
        return real(self, samples) * (float("nan") if calls[0] == 3 else 1.0)

    monkeypatch.setattr(train.Trainer, "_loss", loss)
    assert command("t2") == 2
    said = one_sentence(capsys)
    assert "The loss is nan in epoch 1 of t2" in said
    assert "Lower --lr" in said
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("options", [("--lr", "1e30"), ("--lr", "1e30", "--batch-size", "200"), ("--lr", "inf", "--batch-size", "200")])
def test_a_learning_rate_far_too_high_ends_in_a_sentence(command, tmp_path, capsys, options):
    assert command("t2", *options) == 2
    assert "--lr" in one_sentence(capsys)
    assert not (tmp_path / "out").exists()


BAD = [
    ("t4", [], "There is no task 't4'"),
    ("t2", ["--epochs", "0"], "--epochs is 0"),
    ("t2", ["--batch-size", "-1"], "--batch-size is -1"),
    ("t2", ["--rank", "0"], "--rank is 0"),
    ("t2", ["--max-length", "0"], "--max-length is 0"),
    ("t2", ["--lr", "0"], "--lr is 0"),
    ("t2", ["--lr", "-1"], "--lr is -1"),
    ("t2", ["--lr", "nan"], "--lr is nan"),
    ("t2", ["--dropout", "2"], "--dropout"),
    ("t2", ["--layers", "-1"], "--layers"),
    ("t1", ["--plans"], "--plans is for t2"),
    ("t3", ["--plans"], "--plans is for t2"),
    ("t1", ["--taught", "nowhere.jsonl"], "--taught is for t2"),
    ("t2", ["--library-epochs", "1"], "--library-epochs is for t1"),
    ("t3", ["--library-epochs", "1"], "--library-epochs is for t1"),
    ("t2", ["--taught", "nowhere.jsonl"], "nowhere.jsonl cannot be read"),
    ("t2", ["--start-from", "nowhere"], "nowhere"),
    ("t2", ["--taught-beside"], "--taught-beside needs a teacher"),
    ("t2", ["--average"], "--average needs an adapter"),
    ("t2", ["--base-model", "/nowhere"], "'/nowhere' cannot be loaded"),
]


@pytest.mark.parametrize(("task", "options", "cause"), BAD)
def test_bad_input_is_one_sentence_and_status_2(command, tmp_path, capsys, task, options, cause):
    assert command(task, *options) == 2
    assert cause in one_sentence(capsys)
    assert not (tmp_path / "out").exists()


def test_a_bad_line_of_the_training_data_is_named(command, tmp_path, data, capsys):
    with (data / "t2.jsonl").open("a") as file:
        file.write('{"id": 1}\n')
    assert command("t2") == 2
    assert "t2.jsonl, line 65" in one_sentence(capsys)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("how", inject.INJECTIONS)
def test_intentions_can_be_injected_before(command, plain, tmp_path, how):
    assert command("t2", "--inject", how) == 0
    assert json.loads((tmp_path / "out" / "meta.json").read_text())["injection"] == how
    assert digest(tmp_path / "out")[0] != plain("t2")[0]


def test_hidden_words_are_guessed_better_after_some_steps(tiny_bert):
    model = model_of(Base(str(tiny_bert), attention="eager"))
    guesser, batch = inject._Guesser(model), [(f"tent {n}", "sleep dry in the rain", "") for n in range(8)]
    optimizer = torch.optim.Adam([p for p in [*model.parameters(), *guesser.parameters()] if p.requires_grad], lr=0.01)
    losses = []
    for _ in range(30):
        loss = guesser(model, batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert sum(losses[-5:]) / 5 < 0.7 * losses[0]


def test_words_cannot_be_hidden_from_a_base_without_a_token_for_them(command, tiny_llama, tmp_path, capsys):
    assert command("t2", "--inject", "masked", "--base-model", str(tiny_llama)) == 2
    assert "no token for a hidden word" in one_sentence(capsys)
    assert not (tmp_path / "out").exists()


def test_assertions_name_a_product_its_intention_and_one_of_another_kind(tmp_path):
    found = inject.assertions(write_catalogue(tmp_path) / "kinds")
    assert len(found) == 2 * 9
    assert ("Brandle Two-Burner Gas Stove", "cook a warm meal at a campsite") in {row[:2] for row in found}
    assert all(right != wrong for _, right, wrong in found)
    assert found == inject.assertions(tmp_path / "kinds")


def test_a_teachers_labels_are_learnt_first(command, plain, tmp_path):
    rows = [{"objective": f"walk {n}", "step": "pack", "product": "fine brush", "score": n % 2} for n in range(16)]
    taught = write_lines(tmp_path / "taught.jsonl", rows)
    assert command("t2", "--taught", str(taught)) == 0
    assert json.loads((tmp_path / "out" / "meta.json").read_text())["teacher"] == "taught.jsonl"
    assert digest(tmp_path / "out")[0] != plain("t2")[0]


def test_a_teachers_labels_are_learnt_among_the_items(command, plain, tmp_path):
    rows = [{"objective": f"walk {n}", "step": "pack", "product": "fine brush", "score": n % 2} for n in range(16)]
    taught = write_lines(tmp_path / "taught.jsonl", rows)
    assert command("t2", "--taught", str(taught), "--taught-beside") == 0
    beside = json.loads((tmp_path / "out" / "meta.json").read_text())
    assert command("t2", "--taught", str(taught), out="before") == 0
    before = json.loads((tmp_path / "before" / "meta.json").read_text())
    assert (beside["taught_beside"], before["taught_beside"]) == (True, False)
    assert beside["samples"] == before["samples"] + 16
    assert digest(tmp_path / "out")[0] not in {plain("t2")[0], digest(tmp_path / "before")[0]}


def test_no_pass_over_a_teachers_labels_is_none(command, tmp_path):
    row = {"objective": "walk", "step": "pack", "product": "fine brush", "score": 0.5}
    taught = write_lines(tmp_path / "taught.jsonl", [row])
    assert command("t2", "--taught", str(taught), "--taught-epochs", "0") == 0


def test_the_library_can_be_learnt_before_the_items(command, plain, tmp_path, monkeypatch, tiny_source):
    monkeypatch.setattr(train, "DEMO_CATALOG", tiny_source)
    assert command("t1", "--library-epochs", "1") == 0
    assert digest(tmp_path / "out")[0] != plain("t1")[0]


def test_training_can_start_from_another_adapter(command, tmp_path):
    assert command("t2", "--epochs", "3", out="first") == 0
    assert command("t2", "--lr", "1e-6", "--start-from", str(tmp_path / "first"), out="second") == 0
    first, second = (json.loads((tmp_path / out / "meta.json").read_text()) for out in ("first", "second"))
    assert second["started_from"] == "first"
    assert second["validation_auc"] == pytest.approx(first["validation_auc"], abs=0.05)


def test_the_trainer_says_which_loss_is_no_number(tiny_bert, data):
    samples = samples_of("t2", load_items("t2", data), random.Random(0))
    model = model_of(Base(str(tiny_bert)))
    with torch.no_grad():
        model.whole_head.bias.fill_(float("nan"))
    with pytest.raises(ModelError, match="The loss is nan in epoch 1 of taught"):
        train.Trainer(model, train.TrainSettings()).run(samples, 1, "taught")
    assert model.settings == SMALL


def test_an_adapter_of_other_settings_is_no_start(command, tmp_path, capsys):
    assert command("t2", out="first") == 0
    capsys.readouterr()
    assert command("t2", "--rank", "2", "--start-from", str(tmp_path / "first"), out="second") == 2
    assert "other LoRA settings" in capsys.readouterr().err
    (tmp_path / "first" / "meta.json").write_text("{}")
    assert command("t2", "--start-from", str(tmp_path / "first"), out="second") == 2
    assert "cannot be read" in capsys.readouterr().err
    assert not (tmp_path / "second").exists()


def test_more_tokens_than_the_base_reads_is_one_sentence(command, capsys):
    assert command("t2", "--max-length", "100000") == 2
    assert "reads at most" in capsys.readouterr().err


def test_an_average_lies_between_the_adapter_gone_on_from_and_the_best(command, tmp_path):
    assert command("t2", out="first") == 0
    assert command("t2", "--start-from", str(tmp_path / "first"), out="second") == 0
    assert command("t2", "--start-from", str(tmp_path / "first"), "--average", out="mean") == 0
    first, second, mean = (load_file(tmp_path / name / "head.safetensors")["whole.weight"].float() for name in ("first", "second", "mean"))
    assert not first.equal(second)
    assert torch.allclose(mean, (first + second) / 2, atol=1e-3)
    assert json.loads((tmp_path / "mean" / "meta.json").read_text())["averaged"] is True
