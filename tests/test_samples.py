"""From labelled claims to what a model is trained on."""

import json
import random
from math import isnan

import pytest
from fakes import SCRIPTS, HashEncoder, write_lines

from ecomscript.errors import InputError
from ecomscript.verification.claims import BundleClaim, BundleStep, ProductClaim, ScriptClaim
from ecomscript.verification.items import Item
from ecomscript.verification.samples import (
    changed_steps,
    clash_places,
    clash_samples,
    flawed_library,
    order_samples,
    samples_of,
    script_samples,
    taught_samples,
)

RIGHT = ("buy paint", "clean the wall", "prime it", "paint it")


def script(label, *steps, objective="Paint a wall", pair="p"):
    return Item(f"{pair}-{label}-{steps}", ScriptClaim(objective, steps), label, "home", "none" if label else "wrong_order", pair)


def bundle(label, conflict, *titles, pair="p"):
    steps = (BundleStep("wire", titles[:2]), BundleStep("rest", ()), BundleStep("light", titles[2:]))
    return Item(
        f"{pair}-{label}", BundleClaim("Light a shed", steps), label, "home", "none" if label else "voltage", pair, conflict=conflict
    )


@pytest.mark.parametrize(
    ("flawed", "places"),
    [
        (("buy paint", "clean the wall", "sing", "paint it"), (2,)),
        (("buy paint", "sing", "clean the wall", "prime it", "paint it"), (1,)),
        (("buy paint", "clean the wall", "paint it"), ()),
        (RIGHT, ()),
        (("x", "y"), (0, 1)),
    ],
)
def test_what_a_flawed_variant_changed_is_found(flawed, places):
    assert changed_steps(flawed, RIGHT) == places


def test_of_two_steps_in_the_wrong_order_one_is_the_moved_one():
    (moved,) = changed_steps(("paint it", "buy paint", "clean the wall", "prime it"), RIGHT)
    assert moved == 0
    (moved,) = changed_steps(("clean the wall", "buy paint", "prime it", "paint it"), RIGHT)
    assert moved in {0, 1}


def test_the_steps_of_a_right_script_are_fine_and_the_changed_one_of_a_wrong_script_is_not():
    right, wrong = script_samples([script(1, *RIGHT), script(0, *RIGHT[:3], "sing")])
    assert (right.whole, wrong.whole) == (1.0, 0.0)
    assert isnan(right.parts[0])
    assert isnan(wrong.parts[0])
    assert right.parts[1:] == (0.0, 0.0, 0.0, 0.0)
    assert wrong.parts[1:] == (0.0, 0.0, 0.0, 1.0)
    assert right.pair == wrong.pair != ""
    assert right.segments == ("Paint a wall", *RIGHT)


def test_a_wrong_script_is_held_against_its_nearest_right_one():
    others = script(1, "hire a painter", "choose a colour"), script(1, *RIGHT)
    *_, wrong = script_samples([*others, script(0, "buy paint", "clean the wall", "sing", "paint it")])
    assert wrong.parts[1:] == (0.0, 0.0, 1.0, 0.0)


@pytest.mark.parametrize(
    "group", [[script(0, "sing")], [script(1, *RIGHT, pair="q"), script(0, "sing")], [script(1, *RIGHT), script(0, *RIGHT[:2])]]
)
def test_where_no_step_can_be_blamed_none_is(group):
    wrong = script_samples(group)[-1]
    assert wrong.whole == 0.0
    assert all(map(isnan, wrong.parts))
    assert len(wrong.parts) == len(wrong.segments)


def test_two_steps_of_a_right_script_are_put_both_ways_round():
    found = order_samples([script(1, *RIGHT), script(0, *reversed(RIGHT))], random.Random(0), each=4)
    assert len(found) == 8
    for forth, back in zip(found[::2], found[1::2], strict=True):
        (objective, first, second) = forth.segments
        assert objective == "Paint a wall"
        assert RIGHT.index(first) < RIGHT.index(second)
        assert back.segments == (objective, second, first)
        assert (forth.whole, back.whole) == (1.0, 0.0)
        assert forth.pair == back.pair
    assert len({sample.pair for sample in found}) == 4


def test_an_objective_gives_its_order_once_and_a_single_step_none():
    assert len(order_samples([script(1, *RIGHT), script(1, *RIGHT)], random.Random(0))) == 6
    assert order_samples([script(1, "buy paint")], random.Random(0)) == []


def test_the_whole_order_of_a_short_script_is_used():
    assert len(order_samples([script(1, *RIGHT[:2])], random.Random(0), each=9)) == 2


def test_places_of_a_clash_count_through_all_steps():
    assert clash_places(bundle(0, ((0, 1), (2, 0)), "cable", "plug", "lamp", "timer")) == (1, 2)
    assert clash_places(bundle(0, ((2, 1), (0, 0)), "cable", "plug", "lamp", "timer")) == (0, 3)
    assert clash_places(bundle(0, ((2, 1),), "cable", "plug", "lamp", "timer")) == (3,)
    assert clash_places(bundle(1, (), "cable", "plug")) == ()


def test_a_wrong_bundle_gives_0_at_its_clash_and_its_right_twin_1_at_the_same_places():
    right, wrong = bundle(1, (), "cable", "UK plug", "lamp"), bundle(0, ((0, 1), (2, 0)), "cable", "US plug", "lamp")
    found = clash_samples([right, wrong], random.Random(0), others=0)
    assert [(sample.segments, sample.whole) for sample in found] == [
        (("Light a shed", "wire", "UK plug", "light", "lamp"), 1.0),
        (("Light a shed", "wire", "US plug", "light", "lamp"), 0.0),
    ]
    assert found[0].pair == found[1].pair != ""


def test_a_clash_with_the_objective_is_about_one_product():
    found = clash_samples([bundle(1, (), "cable", "UK plug"), bundle(0, ((0, 1),), "cable", "US plug")], random.Random(0), others=0)
    assert [(s.segments, s.whole) for s in found] == [
        (("Light a shed", "wire", "UK plug"), 1.0),
        (("Light a shed", "wire", "US plug"), 0.0),
    ]


def test_what_a_clash_does_not_touch_is_fine():
    wrong = bundle(0, ((0, 1),), "cable", "US plug", "lamp", "timer")
    found = clash_samples([wrong], random.Random(0), others=99)
    fine = [sample for sample in found if sample.whole == 1.0]
    assert len(fine) == 3 + 3  # three products alone and their three pairs
    assert all("US plug" not in sample.segments for sample in fine)
    assert len(found) == len(fine) + 1


def test_a_wrong_bundle_without_a_named_clash_teaches_nothing():
    assert clash_samples([bundle(0, (), "cable", "US plug")], random.Random(0)) == []


def test_a_clash_that_a_shorter_twin_does_not_have_is_left_out():
    found = clash_samples([bundle(1, (), "cable"), bundle(0, ((2, 0),), "cable", "plug", "lamp")], random.Random(0), others=0)
    assert [sample.whole for sample in found] == [0.0]


def test_products_keep_label_and_pair():
    claim = ProductClaim("Camp", "Sleep", "Tent", "Two doors")
    (sample,) = samples_of("t2", [Item("a", claim, 1, "camping", "none", "p")], random.Random(0))
    assert (sample.segments, sample.whole, sample.parts, sample.pair) == (claim.segments(), 1.0, (), "p")


@pytest.mark.parametrize("task", ["t1", "t3"])
def test_the_seed_decides_what_is_drawn(task):
    items = {
        "t1": [script(1, *RIGHT, objective=f"Paint wall {n}", pair=str(n)) for n in range(20)],
        "t3": [bundle(0, ((0, 1),), "cable", "US plug", "lamp", "timer", pair=str(n)) for n in range(20)],
    }[task]
    one, two, other = ([s.segments for s in samples_of(task, items, random.Random(seed))] for seed in (1, 1, 2))
    assert one == two != other


def test_a_teachers_word_becomes_a_soft_target(tmp_path):
    row = {"objective": "Camp", "step": "Sleep", "product": "Tent", "features": "Two doors", "score": 0.37}
    (sample,) = taught_samples(write_lines(tmp_path / "taught.jsonl", [row]))
    assert sample.segments == ("Camp", "Sleep", "Tent. Two doors")
    assert sample.whole == 0.37


GOOD = {"objective": "Camp", "step": "Sleep", "product": "Tent", "score": 0.5}


@pytest.mark.parametrize("change", [{"step": ""}, {"product": 7}, {"score": "high"}, {"score": None}])
def test_a_teachers_line_that_cannot_be_used_is_named(tmp_path, change):
    with pytest.raises(InputError, match=r"taught\.jsonl, line 2"):
        taught_samples(write_lines(tmp_path / "taught.jsonl", [GOOD, {**GOOD, **change}]))


def test_a_teachers_line_without_a_score_is_named(tmp_path):
    row = {name: value for name, value in GOOD.items() if name != "score"}
    with pytest.raises(InputError, match=r"line 1: the field 'score' is missing"):
        taught_samples(write_lines(tmp_path / "taught.jsonl", [row]))


def test_the_library_gives_its_scripts_and_their_flawed_variants(tiny_source):
    items = flawed_library(tiny_source / "scripts", (), HashEncoder().encode)
    assert [item.label for item in items] == [1, 0] * len(SCRIPTS)
    right, wrong = items[:2]
    assert right.claim.objective == wrong.claim.objective == SCRIPTS[0]["objective"]
    assert wrong.claim.steps == right.claim.steps[::-1]
    assert wrong.error == "wrong_order"
    assert right.pair == wrong.pair


def test_what_is_measured_is_left_out_of_the_library(tiny_source):
    measured = SCRIPTS[1]["objective"]
    items = flawed_library(tiny_source / "scripts", {measured.upper()}, HashEncoder().encode)
    assert len(items) == 2 * (len(SCRIPTS) - 1)
    assert measured not in json.dumps([item.claim.segments() for item in items])
