"""The planner: which script it starts from, what it keeps, adds and leaves out."""

from dataclasses import replace

import numpy as np
import pytest

from ecomscript.planning import compose
from ecomscript.planning.compose import FEWEST_KINDS, MOST_KINDS, MOST_STEPS, Composer, Wishes
from ecomscript.planning.kinds import FEATURES, KindEvidence, leave_out
from ecomscript.planning.library import Library
from ecomscript.schema import PER_STEP, Constraints, LibraryScript, LibraryStep


@pytest.fixture(scope="module")
def composer(tiny_parts):
    library, _, encoder, weights = tiny_parts
    return Composer(library, weights, encoder.encode, lambda kind, _: f"make good use of a {kind}")


def test_a_known_wording_finds_its_script(composer):
    script = composer.compose(Wishes("kids bday party stuff"), "kids bday party stuff", ())
    assert script.objective == "Host a birthday party for a child"
    assert script.confidence in {"ready", "assembled"}


def test_a_person_may_start_from_another_near_plan(composer):
    goal = "kids bday party stuff"
    first = composer.compose(Wishes(goal), goal, ())
    assert first.objective not in first.near
    for objective in first.near:
        other = composer.compose(Wishes(goal, like=objective), goal, ())
        assert (other.objective, other.confidence) == (objective, "ready")
        assert first.objective in other.near
    assert composer.compose(Wishes(goal, like="No plan is called so"), goal, ()) == first


def test_no_near_plan_does_what_was_ruled_out(composer, monkeypatch):
    monkeypatch.setattr(compose, "OFFERED_LEAST", -1.0)
    goal = "kids bday party stuff"
    assert composer.compose(Wishes(goal), goal, ()).near
    assert composer.compose(Wishes(goal, against=lambda text, sure: True), goal, ()).near == ()


def test_a_far_goal_starts_from_the_plan_that_a_person_takes(composer, monkeypatch):
    monkeypatch.setattr(compose, "OFFERED_LEAST", -1.0)
    goal = "zebra quantum umbrella"
    weak = composer.compose(Wishes(goal), goal, ())
    taken = composer.compose(Wishes(goal, like=weak.near[0]), goal, ())
    assert (weak.confidence, taken.confidence, taken.objective) == ("weak", "ready", weak.near[0])


def test_a_far_goal_is_planned_from_kinds_or_not_at_all(composer):
    goal = "zebra quantum umbrella"
    script = composer.compose(Wishes(goal), goal, ())
    assert script.confidence == "weak"
    assert all(step.text for step in script.steps)
    kinds = {kind for step in script.steps for kind in step.needs}
    assert not kinds or len(kinds) >= FEWEST_KINDS


def test_limits_hold(composer):
    for goal in ("camping", "birthday", "light in the dark", "snacks"):
        script = composer.compose(Wishes(goal), goal, ())
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

    def needs(**wishes):
        return {kind for step in composer.compose(Wishes(goal, **wishes), goal, parts).steps for kind in step.needs}

    assert {"family tent", "birthday candle set"} <= needs()
    base = "family tent" if composer.compose(Wishes(goal), goal, parts).objective == parts[0] else "birthday candle set"
    added = ({"family tent", "birthday candle set"} - {base}).pop()
    assert added not in needs(allowed=lambda kind: kind != added)


def test_a_part_of_the_goal_brings_what_it_needs(composer):
    goal = "a camping weekend and a birthday party"
    script = composer.compose(Wishes(goal), goal, ("Take the family on a first camping weekend", "Host a birthday party for a child"))
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
    script = Composer(bare_library, weights, encoder.encode, lambda kind, _: kind).compose(Wishes("Take a walk"), "Take a walk", ())
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
    assert composer._lend(kind, near, Wishes("grandmother warm rain")).text == "Give grandmother a chair"
    assert composer._lend(kind, near, Wishes("warm rain")).text == "Take a chair"


def test_without_step_and_intention_the_kinds_themselves_are_named(tiny_parts, monkeypatch):
    library, _, encoder, weights = tiny_parts
    composer = Composer(library, weights, encoder.encode, lambda kind, _: "")
    monkeypatch.setattr(composer, "_lend", lambda *_: None)
    asked = composer._asked("light in the dark", "light in the dark", ())
    drafts = composer._from_kinds(asked, Wishes(""))
    assert drafts
    assert all(draft.text.startswith("Shop for ") and draft.needs[0] in draft.text for draft in drafts)


@pytest.fixture
def dog_library(tiny_parts):
    """Plans for one goal: with a crate, for a cat, with a rare twist, and plain; all need the same kinds."""
    library, _, encoder, _ = tiny_parts
    tent, stove, lantern = (kind.name for kind in library.kinds[:3])
    steps = (LibraryStep("Bring the crate", (tent,)), LibraryStep("Cook the food", (stove,)), LibraryStep("Light the room", (lantern,)))
    objectives = ("Train a dog in a crate", "Train a dog for an allergic vegan", "Train a dog", "Train a cat", "Train a horse")
    scripts = tuple(LibraryScript(f"s{n}", objective, (), (), steps) for n, objective in enumerate(objectives))
    same = np.repeat(encoder.encode(["train a dog"]), len(scripts), axis=0)
    return Library(encoder.name, "test", scripts, library.kinds, same, same, library.kind_vectors)


@pytest.fixture
def dog_composer(dog_library, tiny_parts):
    return Composer(dog_library, tiny_parts[3], tiny_parts[2].encode, lambda kind, _: "")


def test_between_near_plans_the_one_without_a_twist_of_its_own_is_taken(dog_composer):
    assert dog_composer.compose(Wishes("train a dog", Constraints(species=("dog",))), "train a dog", ()).objective == "Train a dog"
    assert dog_composer.compose(Wishes("train a cat", Constraints(species=("cat",))), "train a cat", ()).objective == "Train a cat"


def test_somebody_elses_circumstances_are_counted():
    wishes = Wishes("train a dog", Constraints(species=("dog",), season="winter"))
    assert wishes.others("Train a dog") == wishes.others("Train a dog in winter") == 0
    assert wishes.others("Train a cat") == 1
    assert wishes.others("Train a cat in summer") == 2
    assert wishes.others("Train a dog for a mother with diabetes") == 1
    assert replace(wishes, goal="train a dog, I have diabetes").others("Train a dog for a mother with diabetes") == 0


@pytest.fixture
def care_composer(tiny_parts):
    """One plan, of somebody on insulin; of its four steps the last speaks of that."""
    library, _, encoder, weights = tiny_parts
    texts = ("Pack a bag", "Bring something to read", "Book a seat", "Take the glucose meter")
    steps = tuple(LibraryStep(text, (kind.name,)) for text, kind in zip(texts, library.kinds, strict=False))
    script = LibraryScript("s1", "Fly to the coast with insulin", (), (), steps)
    vectors = encoder.encode(["fly to the coast"])
    one = Library(encoder.name, "test", (script,), library.kinds, vectors, vectors, library.kind_vectors)
    return Composer(one, weights, encoder.encode, lambda kind, _: "")


def test_the_steps_of_somebody_elses_illness_are_left_out_with_what_only_they_need(care_composer, tiny_parts):
    meter = tiny_parts[0].kinds[3].name

    def planned(goal):
        steps = care_composer.compose(Wishes(goal), "fly to the coast", ()).steps
        return {step.text for step in steps}, {kind for step in steps for kind in step.needs}

    texts, needs = planned("fly to the coast")
    assert "Pack a bag" in texts and "Take the glucose meter" not in texts and meter not in needs
    texts, needs = planned("fly to the coast, I am diabetic")
    assert "Take the glucose meter" in texts and meter in needs


def test_what_a_plan_is_about_stays(care_composer):
    script = care_composer._library.scripts[0]
    spoken = tuple(replace(step, text=f"{step.text} for the insulin") for step in script.steps)
    assert compose._without_foreign_conditions(replace(script, steps=spoken), Wishes("fly to the coast")).steps == spoken


def test_what_was_ruled_out_is_neither_the_aim_nor_a_step(dog_composer):
    def against(text, _sure):
        return "crate" in text

    goal = "train a dog in a crate"
    assert dog_composer.compose(Wishes(goal), goal, ()).objective == "Train a dog in a crate"
    script = dog_composer.compose(Wishes(goal, against=against), goal, ())
    assert "crate" not in script.objective
    assert "Bring the crate" not in {step.text for step in script.steps}


def test_a_hint_counts_only_where_a_need_of_the_step_may_not_be_shown(dog_composer, dog_library):
    barred = dog_library.scripts[0].steps[1].needs[0]

    def texts(**wishes):
        return {step.text for step in dog_composer.compose(Wishes("train a dog", **wishes), "train a dog", ()).steps}

    assert "Cook the food" in texts(against=lambda text, sure: sure and "food" in text)
    assert "Cook the food" not in texts(against=lambda text, sure: sure and "food" in text, allowed=lambda kind: kind != barred)


def test_what_may_not_be_shown_takes_no_place_from_what_may(tiny_parts):
    library, _, encoder, weights = tiny_parts
    kinds = [kind.name for kind in library.kinds[: PER_STEP + 1]]
    script = LibraryScript("s", "Take a walk", (), (), (LibraryStep("Go out", tuple(kinds)),))
    vectors = encoder.encode([script.objective])
    one = Library(encoder.name, "test", (script,), library.kinds, vectors, vectors, library.kind_vectors)
    wishes = Wishes("Take a walk", allowed=lambda kind: kind != kinds[0])
    step = Composer(one, weights, encoder.encode, lambda kind, _: "").compose(wishes, "Take a walk", ()).steps[0]
    assert set(step.needs) == set(kinds[1:])


def test_plans_of_which_every_step_is_ruled_out_leave_no_plan(dog_composer):
    wishes = Wishes("train a dog", against=lambda text, _: text.startswith(("Bring", "Cook", "Light")))
    assert dog_composer.compose(wishes, "train a dog", ()).steps == ()
