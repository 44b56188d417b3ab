"""What a claim may be made of, and how it is cut into segments."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecomscript.verification.claims import (
    CLAIMS,
    MAX_CHARACTERS,
    MAX_PRODUCTS,
    MAX_STEPS,
    BundleClaim,
    BundleStep,
    ClaimError,
    ProductClaim,
    ScriptClaim,
)

T1 = {"objective": "Camp for a night", "steps": ["Pack", "Go"]}
T2 = {"objective": "Camp for a night", "step": "Sleep dry", "product": "Tent", "features": "Two doors"}
T3 = {"objective": "Camp for a night", "steps": [{"step": "Sleep", "products": ["Tent", "Mat"]}, {"step": "Eat", "products": ["Stove"]}]}
GOOD = {"t1": T1, "t2": T2, "t3": T3}
LONG = "x" * 10_000


def without(row, field):
    return {name: value for name, value in row.items() if name != field}


def bundle(*steps):
    return {**T3, "steps": list(steps)}


BAD = [
    ("t1", without(T1, "objective"), "'objective' is missing"),
    ("t1", without(T1, "steps"), "'steps' is missing"),
    ("t1", {**T1, "objective": 7}, "'objective' is not a text"),
    ("t1", {**T1, "objective": None}, "'objective' is not a text"),
    ("t1", {**T1, "objective": " \n\t"}, "'objective' is empty"),
    ("t1", {**T1, "objective": LONG}, "'objective' has 10,000 characters, at most 2,000"),
    ("t1", {**T1, "steps": "Pack"}, "'steps' is not a list"),
    ("t1", {**T1, "steps": None}, "'steps' is not a list"),
    ("t1", {**T1, "steps": []}, "'steps' has 0 members"),
    ("t1", {**T1, "steps": ["Go"] * 51}, "'steps' has 51 members, expected 1 to 50"),
    ("t1", {**T1, "steps": ["Go"] * 60}, "'steps' has 60 members"),
    ("t1", {**T1, "steps": ["Go", ""]}, "a step is empty"),
    ("t1", {**T1, "steps": ["Go", ["Pack"]]}, "a step is not a text"),
    ("t1", {**T1, "steps": [LONG]}, "a step has 10,000 characters"),
    ("t2", without(T2, "objective"), "'objective' is missing"),
    ("t2", without(T2, "step"), "'step' is missing"),
    ("t2", without(T2, "product"), "'product' is missing"),
    ("t2", {**T2, "product": LONG}, "'product' has 10,000 characters"),
    ("t2", {**T2, "product": ""}, "'product' is empty"),
    ("t2", {**T2, "step": {"text": "Sleep"}}, "'step' is not a text"),
    ("t2", {**T2, "features": ["Two doors"]}, "'features' is not a text"),
    ("t2", {**T2, "features": LONG}, "'features' has 10,000 characters"),
    ("t3", without(T3, "objective"), "'objective' is missing"),
    ("t3", without(T3, "steps"), "'steps' is missing"),
    ("t3", bundle(), "'steps' has 0 members"),
    ("t3", bundle(*T3["steps"] * 30), "'steps' has 60 members"),
    ("t3", bundle("Sleep"), "no object with 'step' and 'products'"),
    ("t3", bundle({"products": ["Tent"]}), "'step' is missing"),
    ("t3", bundle({"step": "Sleep"}), "'products' of a step is not a list"),
    ("t3", bundle({"step": "Sleep", "products": "Tent"}), "'products' of a step is not a list"),
    ("t3", bundle({"step": "Sleep", "products": [{"title": "Tent"}]}), "a product is not a text"),
    ("t3", bundle({"step": "Sleep", "products": [""]}), "a product is empty"),
    ("t3", bundle({"step": "Sleep", "products": [LONG]}), "a product has 10,000 characters"),
    ("t3", bundle(*[{"step": "Sleep", "products": ["Tent"] * 31}] * 2), "62 products, at most 60"),
]


@pytest.mark.parametrize(("task", "row", "problem"), BAD)
def test_what_cannot_be_judged_is_named(task, row, problem):
    with pytest.raises(ClaimError) as caught:
        CLAIMS[task].read(row)
    assert problem in str(caught.value)


@pytest.mark.parametrize("task", GOOD)
def test_the_largest_that_is_allowed_is_read(task):
    text = "x" * MAX_CHARACTERS
    largest = {
        "t1": {"objective": text, "steps": [text] * MAX_STEPS},
        "t2": {"objective": text, "step": text, "product": text, "features": text},
        "t3": {"objective": text, "steps": [{"step": text, "products": [text] * MAX_PRODUCTS}]},
    }
    assert CLAIMS[task].read(largest[task]).objective == text


names = st.sampled_from(["objective", "steps", "step", "product", "features", "products", "id"])
texts = st.text(max_size=5) | st.just(LONG)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names | st.text(max_size=3), inner, max_size=4),
    max_leaves=12,
)
nearly = st.sampled_from([T1, T2, T3]).flatmap(lambda row: st.fixed_dictionaries({k: st.just(v) | json_values for k, v in row.items()}))


@given(st.sampled_from(sorted(CLAIMS)), nearly | st.dictionaries(names, json_values, max_size=5))
def test_any_json_object_is_read_or_refused(task, row):
    row = json.loads(json.dumps(row))
    try:
        claim = CLAIMS[task].read(row)
    except ClaimError as error:
        assert len(str(error)) < 200
        return
    assert all(segment == " ".join(segment.split()) and segment for segment in claim.segments())


def test_white_space_is_one_blank():
    claim = ScriptClaim.read({"objective": "  Camp\n for\ta night ", "steps": ["Pack \r\n up"]})
    assert claim == ScriptClaim("Camp for a night", ("Pack up",))


def test_a_script_is_put_as_objective_and_steps():
    assert ScriptClaim.read(T1).segments() == ("Camp for a night", "Pack", "Go")


@pytest.mark.parametrize(
    ("features", "last"), [("Two doors", "Tent. Two doors"), ("", "Tent"), (None, "Tent"), ("Two doors.", "Tent. Two doors")]
)
def test_a_product_is_put_with_what_is_known_of_it(features, last):
    assert ProductClaim.read({**T2, "features": features}).segments() == ("Camp for a night", "Sleep dry", last)


def test_features_may_be_left_out():
    assert ProductClaim.read(without(T2, "features")).features == ""


def test_a_step_without_products_is_fine():
    claim = BundleClaim.read(bundle({"step": "Sleep", "products": []}))
    assert claim.placed == ()
    assert claim.pairs == ()
    assert claim.segments() == ("Camp for a night", "Sleep")


bundles = st.builds(
    BundleClaim,
    st.text(min_size=1, max_size=4),
    st.lists(st.builds(BundleStep, st.text(min_size=1, max_size=3), st.lists(st.text(min_size=1), max_size=4).map(tuple)), max_size=5).map(
        tuple
    ),
)


@given(bundles)
def test_segments_singles_and_pairs_speak_of_the_placed_products(claim):
    segments = claim.segments()
    assert len(segments) == 1 + len(claim.steps) + len(claim.placed)
    assert [segments[at] for at in claim.product_segments] == [title for _, title in claim.placed]
    assert len(claim.pairs) == len(claim.placed) * (len(claim.placed) - 1) // 2
    for a, b in claim.pairs:
        assert a < b
        assert claim.pair(a, b) == (*claim.single(a), *claim.placed[b])
    assert [claim.single(a) for a in range(len(claim.placed))] == [(claim.objective, *place) for place in claim.placed]
