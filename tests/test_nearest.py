"""The training items nearest to a claim: which are found, in what order, and what is never among them."""

import gzip
import json
import zlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from fakes import HashEncoder, write_lines

from ecomscript.errors import InputError
from ecomscript.evaluation.nearest import NearestItems, Neighbour
from ecomscript.verification.claims import TASKS
from ecomscript.verification.items import load_gold, load_items, load_plan_items

BASE = {"label": 1, "error": "none", "domain": "camping", "split": "train"}
FLAW = {"label": 0, "error": "wrong_order"}


def t1(objective, steps, **more):
    return {**BASE, "objective": objective, "steps": steps, **more}


def t2(objective, step, product, **more):
    return {**BASE, "objective": objective, "step": step, "product": product, **more}


ROWS = {
    "t1": [
        t1("bake a cake", ["mix", "bake"]),
        t1("bake a cake", ["bake", "mix"], **FLAW),
        t1("bake a cake", ["mix", "mix", "bake"]),
        t1("bake a small cake", ["mix", "ice"], split="validation"),
        t1("bake a round cake", ["mix", "eat"], split="test"),
        t1("bake a tall cake", ["mix", "eat"], split="domain"),
        t1("pitch a tent", ["unpack", "peg"]),
        t1("bake bread", ["knead", "bake"], **FLAW),
    ],
    "t2": [
        t2("bake a cake", "line the tin", "parchment"),
        t2("bake a cake", "beat the eggs", "whisk"),
        t2("bake a cake", "beat the eggs", "rolling pin", label=0, error="lexical_lure"),
        t2("bake a cake", "beat the eggs", "fork"),
        t2("pitch a tent", "beat the pegs in", "mallet"),
    ],
    "t3": [{**BASE, "objective": "camp", "steps": [{"step": "sleep", "products": ["mat", "bag"]}, {"step": "leave", "products": []}]}],
}
PLANS = [t2("please bake a cake", "beat the eggs", "bowl"), t2("bake a cake at once", "beat the eggs", "jug", split="validation")]


@pytest.fixture
def folder(tmp_path):
    for task, rows in ROWS.items():
        write_lines(tmp_path / f"{task}.jsonl", [{"id": f"{task}-{n}", **row} for n, row in enumerate(rows)])
    lines = "\n".join(json.dumps({"id": f"plan-{n}", **row}) for n, row in enumerate(PLANS))
    (tmp_path / "t2_plans.jsonl.gz").write_bytes(gzip.compress(lines.encode()))
    return tmp_path


@pytest.fixture
def nearest(folder, encoder):
    return NearestItems(encoder.encode, folder)


def test_the_nearest_objectives_come_first_with_one_item_of_each_label(nearest):
    first, second, third = nearest.find("t1", "bake a cake")
    assert first == Neighbour("bake a cake", "mix → bake", 1, "none", pytest.approx(1.0))
    assert second == Neighbour("bake a cake", "bake → mix", 0, "wrong_order", pytest.approx(1.0))
    assert (third.objective, third.label) == ("bake bread", 0)
    assert 0 < third.cosine < 1


def test_measured_and_held_out_items_are_left_out_even_when_they_are_the_same(nearest):
    found = [
        n.objective for asked in ("bake a small cake", "bake a round cake", "bake a tall cake") for n in nearest.find("t1", asked, k=99)
    ]
    assert set(found) == {"bake a cake", "pitch a tent", "bake bread"}
    assert {n.text for n in nearest.find("t2", "bake a cake at once", "beat the eggs", k=99)} == {
        "line the tin: parchment",
        "beat the eggs: whisk",
        "beat the eggs: rolling pin",
        "beat the pegs in: mallet",
        "beat the eggs: bowl",
    }


def test_of_a_product_the_step_decides_among_near_objectives(nearest, encoder):
    found = nearest.find("t2", "bake a cake", "beat the eggs")
    assert [(n.text, n.label) for n in found] == [
        ("beat the eggs: whisk", 1),
        ("beat the eggs: rolling pin", 0),
        ("beat the eggs: bowl", 1),
    ]
    assert nearest.find("t2", "bake a cake", "line the tin")[0].text == "line the tin: parchment"
    asked, other = encoder.encode(["bake a cake: beat the eggs", "please bake a cake: beat the eggs"])
    assert found[2].cosine == pytest.approx(float(asked @ other), abs=1e-6)


def test_a_bundle_is_written_in_one_line(nearest):
    assert [n.text for n in nearest.find("t3", "camp")] == ["sleep: mat; bag → leave"]


def test_fewer_than_asked_for_only_when_there_are_no_more(nearest, folder):
    assert [len(nearest.find("t1", "bake", k=k)) for k in (1, 2, 4, 9)] == [1, 2, 4, 4]
    write_lines(folder / "t1.jsonl", [{"id": "v", **ROWS["t1"][3]}])
    assert NearestItems(HashEncoder().encode, folder).find("t1", "bake a cake") == ()


def test_only_objectives_that_share_words_are_encoded_and_many_may_ask_at_once(nearest, encoder, monkeypatch):
    monkeypatch.setattr("ecomscript.evaluation.nearest.BY_WORDS", 1)
    assert nearest.find("t1", "pitch it", k=1)[0].objective == "pitch a tent"
    assert not any("bake" in text for text in encoder.encoded)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: nearest.find("t1", "a goal of somebody"), range(8)))
    assert len(set(found)) == 1


def test_a_file_that_cannot_be_read_is_named_and_tried_again(nearest, folder):
    text = (folder / "t1.jsonl").read_text()
    (folder / "t1.jsonl").write_text("{")
    with pytest.raises(InputError, match=r"t1\.jsonl, line 1"):
        nearest.find("t1", "bake")
    (folder / "t1.jsonl").write_text(text)
    assert nearest.find("t1", "bake")


def words_of(texts):
    """Return (n, 256) unit vectors of hashed words: quick, and the same text is its own nearest."""
    rows = np.zeros((len(texts), 256), np.float32)
    for row, text in zip(rows, texts, strict=True):
        np.add.at(row, [zlib.crc32(word.encode()) % 256 for word in text.lower().split()], 1)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@pytest.mark.parametrize("task", TASKS)
def test_shipped_items_that_measure_are_never_shown(task):
    items = load_items(task) + (load_plan_items() if task == "t2" else []) + load_gold(task)
    allowed = {item.claim.objective for item in items if item.split == "train"}
    kept = {item.claim.objective: item.claim for item in items if item.split != "train"}
    assert {item.split for item in items} == {"train", "validation", "test", "domain", "gold"}
    nearest = NearestItems(words_of)
    for objective, claim in list(kept.items())[::20]:
        found = nearest.find(task, objective, getattr(claim, "step", ""))
        assert len(found) == 3
        assert {n.objective for n in found} <= allowed - kept.keys()
