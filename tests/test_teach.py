"""Labels of a strong model for claims that nobody judged."""

import json

import numpy as np
import pytest
from fakes import write_lines

from ecomscript.evaluation import teach
from ecomscript.verification.claims import ProductClaim

CLAIMS = [ProductClaim("camp", f"step {n}", f"tent {n}") for n in range(6)]


class Teacher:
    """Finds everything as likely as not, and counts what it was asked."""

    def __init__(self):
        self.asked = 0

    def score(self, inputs):
        self.asked += len(inputs)
        return type("Scores", (), {"whole": np.zeros(len(inputs))})


@pytest.fixture
def teacher(monkeypatch):
    model = Teacher()
    monkeypatch.setattr(teach, "load_adapter", lambda folder, task: model)
    monkeypatch.setattr(teach, "item_claims", lambda count, rng, encode: CLAIMS[:3])
    monkeypatch.setattr(teach, "library_claims", lambda count, rng, encode: CLAIMS[3:])
    return model


@pytest.fixture
def label(tmp_path, teacher):
    """Label the claims and return the exit status."""
    return lambda out: teach.main(["--teacher", str(tmp_path), "--out", str(out), "--claims", "6"])


def read(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_every_claim_gets_a_label(tmp_path, label):
    assert label(tmp_path / "new" / "taught.jsonl") == 0
    rows = read(tmp_path / "new" / "taught.jsonl")
    assert sorted(row["product"] for row in rows) == [claim.product for claim in CLAIMS]
    assert {row["score"] for row in rows} == {0.5}


def test_what_is_in_the_file_is_not_asked_again(tmp_path, label, teacher):
    out = tmp_path / "taught.jsonl"
    assert label(out) == 0
    whole = read(out)
    assert teacher.asked == 6
    write_lines(out, [{**whole[0], "score": 0.9}, *whole[1:4]])
    assert label(out) == 0
    assert teacher.asked == 8
    assert read(out) == [{**whole[0], "score": 0.9}, *whole[1:]]


def test_a_file_with_labels_of_other_claims_is_refused_and_left_alone(tmp_path, label, teacher, capsys):
    out = write_lines(tmp_path / "taught.jsonl", [{"objective": "walk", "step": "go", "product": "boots", "features": "", "score": 0.5}])
    before = out.read_bytes()
    assert label(out) == 2
    said = capsys.readouterr().err
    assert f"{out} holds labels of other claims" in said
    assert len(said.strip().splitlines()) == 1
    assert out.read_bytes() == before
    assert teacher.asked == 0
