"""The planner: which script it starts from, what it keeps, adds and leaves out."""

import numpy as np
import pytest

from ecomscript.planning.compose import FEWEST_KINDS, MOST_KINDS, MOST_STEPS, Composer
from ecomscript.planning.kinds import FEATURES, KindEvidence, leave_out
from ecomscript.planning.library import Library
from ecomscript.schema import PER_STEP, LibraryScript, LibraryStep


@pytest.fixture(scope="module")
def composer(tiny_parts):
    library, _, encoder, weights = tiny_parts
    return Composer(library, weights, encoder.encode, lambda kind, _: f"make good use of a {kind}")


def everything(_kind):
    return True


def test_a_known_wording_finds_its_script(composer):
    script = composer.compose("kids bday party stuff", "kids bday party stuff", (), everything)
    assert script.objective == "Host a birthday party for a child"
    assert script.confidence in {"ready", "assembled"}


def test_a_far_goal_is_planned_from_kinds_or_not_at_all(composer):
    goal = "zebra quantum umbrella"
    script = composer.compose(goal, goal, (), everything)
    assert script.confidence == "weak"
    assert all(step.text for step in script.steps)
    kinds = {kind for step in script.steps for kind in step.needs}
    assert not kinds or len(kinds) >= FEWEST_KINDS


def test_limits_hold(composer):
    for goal in ("camping", "birthday", "light in the dark", "snacks"):
        script = composer.compose(goal, goal, (), everything)
        needs = [kind for step in script.steps for kind in step.needs]
        assert len(needs) <= MOST_KINDS
        assert len(script.steps) <= MOST_STEPS
        assert all(len(step.needs) <= PER_STEP for step in script.steps)
        assert all(len(step.needs) == len(step.need_weights) for step in script.steps)
        assert all(0 < weight <= 1 for step in script.steps for weight in step.need_weights)
        assert len({step.step_id for step in script.steps}) == len(script.steps)


def test_a_kind_that_is_not_allowed_is_never_added(composer):
    goal = "a camping weekend and a birthday party"
    parts = ("Take the family on a first camping weekend", "Host a birthday party for a child")

    def needs(allowed):
        return {kind for step in composer.compose(goal, goal, parts, allowed).steps for kind in step.needs}

    assert {"family tent", "birthday candle set"} <= needs(everything)
    base = "family tent" if composer.compose(goal, goal, parts, everything).objective == parts[0] else "birthday candle set"
    added = ({"family tent", "birthday candle set"} - {base}).pop()
    assert added not in needs(lambda kind: kind != added)


def test_a_part_of_the_goal_brings_what_it_needs(composer):
    goal = "a camping weekend and a birthday party"
    script = composer.compose(goal, goal, ("Take the family on a first camping weekend", "Host a birthday party for a child"), everything)
    needs = {kind for step in script.steps for kind in step.needs}
    assert {"family tent", "birthday candle set"} <= needs


@pytest.fixture
def bare_library(tiny_parts):
    """A library of one plan that needs nothing and has one wording."""
    library, _, encoder, _ = tiny_parts
    script = LibraryScript("s", "Take a walk", (), (), (LibraryStep("Go out", ()),))
    vectors = encoder.encode([script.objective])
    return Library(encoder.name, "test", (script,), library.kinds, vectors, vectors, library.kind_vectors)


def test_a_library_of_one_plan_that_needs_nothing(bare_library, tiny_parts):
    _, _, encoder, weights = tiny_parts
    script = Composer(bare_library, weights, encoder.encode, lambda kind, _: kind).compose("Take a walk", "Take a walk", (), everything)
    assert script.confidence == "ready"
    assert script.steps[0].text == "Go out"


def test_a_left_out_wording_that_was_the_only_one_counts_as_far(bare_library):
    assert bare_library.near(bare_library.wording_vectors[0], without=0).closeness[0] == 0


def test_evidence_has_one_column_a_feature(tiny_parts):
    library, _, encoder, weights = tiny_parts
    query = encoder.encode(["camping"])[0]
    near = library.near(query)
    features = KindEvidence(library, weights.goal_map).features(query, near, int(near.order[0]))
    assert features.shape == (len(library.kinds), len(FEATURES))
    assert np.isfinite(features).all()


def test_leaving_a_script_out_takes_all_its_evidence(tiny_parts):
    library, _, encoder, weights = tiny_parts
    query = encoder.encode(["Host a birthday party for a child"])[0]
    near = leave_out(library.near(query), 1)
    assert near.order[-1] == 1
    features = KindEvidence(library, weights.goal_map).features(query, near, int(near.order[0]), without=1)
    candle = library.kind_row["birthday candle set"]  # needed by that script alone
    assert features[candle, FEATURES.index("in the base plan")] == 0
    assert features[candle, FEATURES.index("companions")] <= 0


def test_a_left_out_wording_no_longer_speaks_for_its_script(tiny_parts):
    library, *_ = tiny_parts
    wording = int(np.flatnonzero(library.wording_script == 1)[1])
    query = library.wording_vectors[wording]
    assert library.near(query, without=wording).closeness[1] < library.near(query).closeness[1]


@pytest.fixture
def pool_library(tiny_parts):
    """A library of two plans that need the same kinds; the steps of the first speak of its own people."""
    library, _, encoder, _ = tiny_parts
    kinds = [kind.name for kind in library.kinds[:3]]
    texts = (
        ("Warm up grandmother in the rain", ("Give grandmother a chair", "Bring grandmother tea", "Cover grandmother")),
        ("Sit in the rain", ("Take a chair", "Make tea", "Bring a cover")),
    )
    scripts = tuple(
        LibraryScript(f"s{n}", objective, (), (), tuple(LibraryStep(text, (kind,)) for text, kind in zip(steps, kinds, strict=True)))
        for n, (objective, steps) in enumerate(texts)
    )
    wordings = encoder.encode([script.objective for script in scripts])
    bodies = encoder.encode([". ".join((s.objective, *(step.text for step in s.steps))) for s in scripts])
    return Library(encoder.name, "test", scripts, library.kinds, wordings, bodies, library.kind_vectors)


def test_a_borrowed_step_does_not_bring_the_people_of_its_own_plan(pool_library, tiny_parts):
    _, _, encoder, weights = tiny_parts
    composer = Composer(pool_library, weights, encoder.encode, lambda kind, _: "")
    near = pool_library.near(encoder.encode(["warm up in the rain"])[0])
    kind = pool_library.scripts[0].steps[0].needs[0]
    assert near.order[0] == 0
    assert composer._lend(kind, near, frozenset({"grandmother", "warm", "rain"})).text == "Give grandmother a chair"
    assert composer._lend(kind, near, frozenset({"warm", "rain"})).text == "Take a chair"


def test_without_step_and_intention_the_kinds_themselves_are_named(tiny_parts, monkeypatch):
    library, _, encoder, weights = tiny_parts
    composer = Composer(library, weights, encoder.encode, lambda kind, _: "")
    monkeypatch.setattr(composer, "_lend", lambda *_: None)
    asked = composer._asked("light in the dark", "light in the dark", ())
    drafts = composer._from_kinds(asked, frozenset(), everything)
    assert drafts
    assert all(draft.text.startswith("Shop for ") and draft.needs[0] in draft.text for draft in drafts)
