"""Labelled claims: reading them, and the rules that the training files keep."""

import gzip
from collections import defaultdict
from functools import cache

import pytest
from fakes import write_lines

from ecomscript.errors import InputError
from ecomscript.folders import fingerprint
from ecomscript.verification.claims import ScriptClaim
from ecomscript.verification.items import in_split, load_items, load_plan_items, read_items
from ecomscript.verification.samples import clash_places

ROW = {
    "id": "a",
    "objective": "Camp",
    "steps": ["Pack", "Go"],
    "label": 1,
    "domain": "camping",
    "error": "none",
    "pair": "p",
    "split": "test",
}
BUNDLE = {
    **ROW,
    "steps": [{"step": "Sleep", "products": []}, {"step": "Eat", "products": ["Pot", "Stove"]}],
    "conflict": [[1, 1]],
    "label": 0,
}


def test_an_item_is_read_with_all_that_is_known_of_it(tmp_path):
    (item,) = read_items(write_lines(tmp_path / "t1.jsonl", [ROW]), "t1")
    assert item.claim == ScriptClaim("Camp", ("Pack", "Go"))
    assert (item.item_id, item.label, item.domain, item.error, item.pair, item.split) == ("a", 1, "camping", "none", "p", "test")
    assert item.conflict == ()


def test_a_conflict_names_step_and_product(tmp_path):
    (item,) = read_items(write_lines(tmp_path / "t3.jsonl", [BUNDLE]), "t3")
    assert item.conflict == ((1, 1),)
    assert [item.claim.placed[place] for place in clash_places(item)] == [("Eat", "Stove")]


def test_gold_items_name_no_split_and_are_never_trained_on(tmp_path):
    gold = {name: value for name, value in ROW.items() if name not in {"pair", "split"}}
    items = read_items(write_lines(tmp_path / "t1.jsonl", [gold, {**gold, "id": "b", "label": 0}]), "t1")
    assert in_split(items, "gold") == items
    assert in_split(items, "train") == []
    assert items[0].pair == items[1].pair


BAD = [
    ({**ROW, "steps": []}, "'steps' has 0 members"),
    ({**ROW, "label": 2}, "'label' is 2, expected 0 or 1"),
    ({**ROW, "label": "yes"}, "'label' is 'yes'"),
    ({**ROW, "label": None}, "'label' is None"),
    ({name: value for name, value in ROW.items() if name != "domain"}, "'domain' is missing"),
    ({name: value for name, value in ROW.items() if name != "label"}, "'label' is missing"),
    ([ROW], "expected an object"),
]


@pytest.mark.parametrize(("row", "problem"), BAD)
def test_a_line_that_cannot_be_used_is_named_by_its_number(tmp_path, row, problem):
    with pytest.raises(InputError) as caught:
        read_items(write_lines(tmp_path / "t1.jsonl", [ROW, row]), "t1")
    assert "t1.jsonl, line 2" in str(caught.value)
    assert problem in str(caught.value)


@pytest.mark.parametrize("conflict", [7, ["a"], [[0]], [["x", "y"]], [[0, 0, 0]]])
def test_a_conflict_that_is_no_list_of_places_is_named_too(tmp_path, conflict):
    with pytest.raises(InputError, match="line 1"):
        read_items(write_lines(tmp_path / "t3.jsonl", [{**BUNDLE, "conflict": conflict}]), "t3")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"t2\.jsonl cannot be read"):
        load_items("t2", tmp_path)


@cache
def items_of(name):
    return load_plan_items() if name == "t2_plans" else load_items(name)


@pytest.fixture(scope="module", params=["t1", "t2", "t3", "t2_plans"])
def training(request):
    return items_of(request.param)


def test_ids_are_unique(training):
    assert len({item.item_id for item in training}) == len(training) > 1000


def test_no_claim_is_there_twice(training):
    assert len({item.claim for item in training}) == len(training)


@pytest.mark.parametrize("task", ["t1", "t2", "t3"])
def test_the_labels_are_balanced_in_every_split(task):
    items = items_of(task)
    for split in ("train", "validation", "test", "domain"):
        labels = [item.label for item in in_split(items, split)]
        assert abs(sum(labels) / len(labels) - 0.5) < 0.02, split


def test_label_and_error_agree(training):
    assert all((item.error == "none") == bool(item.label) for item in training)


def test_no_objective_and_no_pair_is_in_two_splits(training):
    splits = defaultdict(set)
    for item in training:
        splits[" ".join(item.claim.objective.lower().split())].add(item.split)
        splits[item.pair].add(item.split)
    assert {name: found for name, found in splits.items() if len(found) > 1} == {}


def test_what_plans_teach_is_measured_nowhere():
    measured = {item.claim.objective.lower() for item in items_of("t2") if item.split != "train"}
    taught = {item.claim.objective.lower() for item in in_split(items_of("t2_plans"), "train")}
    assert measured & taught == set()


@pytest.mark.parametrize("task", ["t1", "t2", "t3"])
def test_a_held_out_domain_is_in_no_other_split(task):
    items = items_of(task)
    held_out = {item.domain for item in in_split(items, "domain")}
    assert len(held_out) > 1
    assert held_out & {item.domain for item in items if item.split != "domain"} == set()


@pytest.mark.parametrize("task", ["t1", "t2", "t3"])
def test_every_contrast_pair_has_a_right_and_a_wrong_member(task):
    groups = defaultdict(list)
    for item in items_of(task):
        groups[item.pair].append(item.label)
    pairs = {name: labels for name, labels in groups.items() if len(labels) > 1}
    assert len(pairs) > 1000
    assert {name for name, labels in pairs.items() if set(labels) != {0, 1}} == set()


def test_every_wrong_bundle_names_a_clash_that_exists():
    for item in items_of("t3"):
        assert bool(item.conflict) == (item.label == 0), item.item_id
        assert len(item.conflict) <= 2, item.item_id
        for step, product in item.conflict:
            assert 0 <= step < len(item.claim.steps), item.item_id
            assert 0 <= product < len(item.claim.steps[step].products), item.item_id


def test_packing_the_items_changes_neither_them_nor_their_fingerprint(tmp_path):
    path = write_lines(tmp_path / "t1.jsonl", [ROW])
    items, before = load_items("t1", tmp_path), fingerprint(tmp_path)
    path.with_name("t1.jsonl.gz").write_bytes(gzip.compress(path.read_bytes()))
    path.unlink()
    assert load_items("t1", tmp_path) == items
    assert fingerprint(tmp_path) == before
