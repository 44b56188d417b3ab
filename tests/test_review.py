"""The verifiers laid over a plan of the tiny catalogue."""

from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
from fakes import HashEncoder, flat_weights, kind, product, write_lines

from ecomscript.association.associate import JUDGE_DROPS
from ecomscript.association.eligibility import Eligibility
from ecomscript.association.index import IntentionIndex
from ecomscript.events import BundleVerified, Finished, Planned, ScriptVerified, StepMatched
from ecomscript.pipeline import Pipeline
from ecomscript.planning.intake import Intake
from ecomscript.request import make_request
from ecomscript.review import Reviewer
from ecomscript.schema import Constraints, Match, MatchedStep, Step, Verdict
from ecomscript.verification import suite
from ecomscript.verification.claims import MAX_CHARACTERS, ProductClaim
from ecomscript.verification.lora import Base
from ecomscript.verification.suite import NO_VERIFIERS, Verifiers
from index_build.build import build

GOAL = "Take the family on a first camping weekend"
EASY = Eligibility(Constraints())


@pytest.fixture(scope="module")
def verifiers(tiny_verifiers_dir, tiny_bert):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(suite, "Base", partial(Base, str(tiny_bert)))  # without seconds of reading the large one
        return Verifiers.load(HashEncoder().encode, tiny_verifiers_dir)


@pytest.fixture(scope="module")
def index(tiny_parts):
    return tiny_parts[1]


def by_title(index, title):
    return next(p for p in index.products if p.title == title)


def plan(index, *steps):
    """Return matched steps of (text, titles)."""
    return [
        MatchedStep(Step(f"s{n}", text), tuple(Match(by_title(index, title), "camp", 0.5, "") for title in titles))
        for n, (text, titles) in enumerate(steps)
    ]


SMALL, LARGE = "Tarnhollow Ridge 2-Person Tent", "Cairnfold Meadow 4-Person Tent"


def test_without_models_nothing_is_judged(index):
    reviewer = Reviewer(NO_VERIFIERS, index)
    steps = plan(index, ("Sleep dry", [LARGE]))
    assert reviewer.judge is None
    assert reviewer.script(GOAL, steps) is None
    assert reviewer.bundle(GOAL, steps, EASY) == (None, ())


def test_the_rules_speak_even_without_models_and_offer_what_ends_the_conflict(index):
    verdict, (conflict,) = Reviewer(NO_VERIFIERS, index).bundle("Camp with four people", plan(index, ("Sleep dry", [SMALL])), EASY)
    assert verdict is None
    assert (conflict.a, conflict.b) == (SMALL, "Camp with four people")
    assert conflict.reason
    assert conflict.product_id == by_title(index, SMALL).product_id
    assert conflict.swap_id == by_title(index, LARGE).product_id


def test_models_and_rules_name_the_same_conflict(index, verifiers):
    steps = plan(index, ("Sleep dry", [SMALL]))
    verdict, conflicts = Reviewer(verifiers, index).bundle("Camp with four people", steps, EASY)
    assert 0 < verdict.score < 1
    assert conflicts == Reviewer(NO_VERIFIERS, index).bundle("Camp with four people", steps, EASY)[1]


def test_what_breaks_a_constraint_is_not_offered(index):
    steps = plan(index, ("Sleep dry", [SMALL]))
    tight = Eligibility(Constraints(budget_usd=100.0))
    _, (conflict,) = Reviewer(NO_VERIFIERS, index).bundle("Camp with four people", steps, tight)
    assert (conflict.product_id, conflict.swap_id) == ("", "")
    assert conflict.a == SMALL


def judged_by(chances, otherwise=0.9):
    """Return verifiers whose T2 says what is written for a title, and the titles that it was asked about."""
    asked = []

    def scores(claims):
        asked.append([claim.product for claim in claims])
        return np.array([chances.get(claim.product, otherwise) for claim in claims])

    return Verifiers(t2=SimpleNamespace(scores=scores)), asked


@pytest.fixture(scope="module")
def tents(tmp_path_factory):
    """Index of a small tent and three that hold four, one of them dear, and of a stove; by title."""
    four = [product(title, "Cairnfold", price) for title, price in ((GLEN, 60.0), (MOOR, 90.0), (PEAK, 400.0))]
    rows = [
        kind("family tent", "⛺", ["sleep dry on a camping weekend"], [product(SMALL, "Tarnhollow", 50.0), *four]),
        kind("camp stove", "🔥", ["cook a warm meal at a campsite"], [product(STOVE, "Brandle", 30.0)]),
    ]
    folder, encoder = tmp_path_factory.mktemp("tents"), HashEncoder()
    build(write_lines(folder / "tents.jsonl", rows), folder / "index", encoder, quiet=True)
    return IntentionIndex.load(folder / "index", encoder.name)


GLEN, MOOR, PEAK = (f"Cairnfold {name} 4-Person Tent" for name in ("Glen", "Moor", "Peak"))
STOVE = "Brandle Two-Burner Gas Stove"


@pytest.fixture
def swap(tents):
    """Return the title that takes the place of the small tent in a plan with a stove; "" for none."""

    def offered(verifiers=NO_VERIFIERS, **constraints):
        steps = plan(tents, ("Sleep dry", [SMALL]), ("Cook a warm meal", [STOVE]))
        _, (conflict,) = Reviewer(verifiers, tents).bundle("Camp with four people", steps, Eligibility(Constraints(**constraints)))
        return next((p.title for p in tents.products if p.product_id == conflict.swap_id), "")

    return offered


@pytest.mark.parametrize("best", [GLEN, MOOR, PEAK])
def test_the_swap_is_what_the_judge_finds_most_helpful(swap, best):
    verifiers, asked = judged_by({best: 0.95}, otherwise=0.4)
    assert swap(verifiers) == best
    (titles,) = asked
    assert set(titles) == {GLEN, MOOR, PEAK}


def test_a_swap_that_does_not_help_is_not_offered(swap):
    assert swap(judged_by({GLEN: JUDGE_DROPS}, otherwise=JUDGE_DROPS - 0.01)[0]) == GLEN
    assert swap(judged_by({}, otherwise=JUDGE_DROPS - 0.01)[0]) == ""


def test_a_swap_keeps_the_budget_of_the_whole_plan(swap):
    # The stove takes 30.
    likes_dear, asked = judged_by({PEAK: 0.99, MOOR: 0.9, GLEN: 0.5})
    assert swap(likes_dear, budget_usd=500.0) == PEAK
    assert swap(likes_dear, budget_usd=429.0) == MOOR
    assert swap(likes_dear, budget_usd=120.0) == MOOR
    assert swap(likes_dear, budget_usd=119.0) == GLEN
    assert swap(likes_dear, budget_usd=89.0) == ""
    assert [set(titles) for titles in asked] == [{GLEN, MOOR, PEAK}, {GLEN, MOOR}, {GLEN, MOOR}, {GLEN}]


def test_a_swap_keeps_the_budget_without_a_judge_too(swap):
    assert swap(budget_usd=90.0) == GLEN
    assert swap(budget_usd=89.0) == ""


def test_what_would_clash_as_well_is_not_offered(index):
    _, (conflict,) = Reviewer(NO_VERIFIERS, index).bundle("Camp with twelve people", plan(index, ("Sleep dry", [SMALL])), EASY)
    assert (conflict.product_id, conflict.swap_id) == ("", "")


def suspicious_of(title, reason="These may not go together."):
    """Return verifiers whose T3 names every product of this title."""

    def verdict(claim, _):
        titles = [title for _, title in claim.placed]
        return Verdict(0.2, reason, (titles.index(title),)) if title in titles else Verdict(0.8)

    return Verifiers(t3=SimpleNamespace(verdicts=lambda claims, found: list(map(verdict, claims, found))))


def test_what_only_t3_suspects_is_not_named(tents):
    verdict, conflicts = Reviewer(suspicious_of(GLEN), tents).bundle("Camp with four people", plan(tents, ("Sleep dry", [GLEN])), EASY)
    assert (verdict, conflicts) == (Verdict(0.2), ())
    verdict, (conflict,) = Reviewer(suspicious_of(GLEN), tents).bundle("Camp with four people", plan(tents, ("Sleep dry", [SMALL])), EASY)
    assert (verdict.reason, verdict.places) == (conflict.reason, (0,))


def test_a_plan_that_holds_together_has_no_conflicts(index):
    steps = plan(index, ("Sleep dry", [LARGE]), ("Cook a warm meal", ["Brandle Two-Burner Gas Stove"]))
    assert Reviewer(NO_VERIFIERS, index).bundle("Camp with four people", steps, EASY) == (None, ())


def test_a_plan_without_products_or_steps_is_not_judged(index, verifiers):
    reviewer = Reviewer(verifiers, index)
    assert reviewer.bundle(GOAL, plan(index, ("Reserve a campsite", [])), EASY) == (None, ())
    assert reviewer.script(GOAL, []) is None


def test_a_product_is_judged_by_title_and_first_feature(index, verifiers):
    tent = by_title(index, LARGE)
    said = Reviewer(verifiers, index).judge("camp", [("sleep dry", tent)])
    expected = verifiers.t2.scores([ProductClaim("camp", "sleep dry", LARGE, tent.features[0])])
    assert said == pytest.approx(expected)


def test_a_very_long_goal_is_cut_and_judged(index, verifiers):
    reviewer = Reviewer(verifiers, index)
    steps = plan(index, ("Sleep dry", [LARGE]))
    goal = "camp " * MAX_CHARACTERS
    assert 0 < reviewer.script(goal, steps).score < 1
    assert 0 < reviewer.bundle(goal, steps, EASY)[0].score < 1
    assert reviewer.judge(goal, [("sleep", steps[0].matches[0].product)]).shape == (1,)


def open_pipeline(tiny_parts, verifiers):
    library, index, encoder, weights = tiny_parts
    return Pipeline.of(library, index, encoder, weights, Intake(), verifiers)


@pytest.fixture(scope="module")
def verified(tiny_parts, verifiers):
    return list(open_pipeline(tiny_parts, verifiers).stream(make_request(GOAL)))


def test_verdicts_come_after_the_products_and_before_the_end(verified):
    kinds = [type(event) for event in verified]
    count = len(verified[0].script.steps)
    assert kinds == [Planned, *[StepMatched] * count, ScriptVerified, BundleVerified, Finished]
    seconds = [event.elapsed_s for event in verified]
    assert seconds == sorted(seconds)


def test_the_plan_carries_what_the_events_said(verified):
    *_, script, bundle, finished = verified
    assert finished.plan.script_verdict == script.verdict
    assert finished.plan.bundle_verdict == bundle.verdict
    assert finished.plan.conflicts == bundle.conflicts
    row = finished.plan.to_json()
    assert row["t1"] == round(script.verdict.score, 4)
    assert row["t3"] == round(bundle.verdict.score, 4)
    said = [p["t2"] for step in row["steps"] for p in step["products"]]
    assert said
    assert all(0 <= t2 <= 1 for t2 in said)
    assert {"matched", "verified", "total"} <= row["timings_s"].keys()


@pytest.mark.parametrize("missing", ["t1", "t2", "t3"])
def test_a_missing_model_is_null_and_the_plan_still_works(tiny_parts, verifiers, missing):
    parts = {task: None if task == missing else getattr(verifiers, task) for task in ("t1", "t2", "t3")}
    plan = open_pipeline(tiny_parts, Verifiers(**parts)).run(make_request(GOAL))
    row = plan.to_json()
    assert (row["t1"] is None, row["t3"] is None) == (missing == "t1", missing == "t3")
    assert {p["t2"] is None for step in row["steps"] for p in step["products"]} == {missing == "t2"}
    assert plan.products


def test_without_verifiers_everything_is_null(tiny_parts):
    events = list(open_pipeline(tiny_parts, NO_VERIFIERS).stream(make_request(GOAL)))
    *_, script, bundle, finished = events
    assert (script.verdict, bundle.verdict) == (None, None)
    row = finished.plan.to_json()
    assert (row["t1"], row["t1_reason"], row["t3"], row["t3_reason"]) == (None, None, None, None)
    assert {p["t2"] for step in row["steps"] for p in step["products"]} == {None}


def test_an_answer_without_steps_is_not_verified(tiny_parts, verifiers):
    events = list(open_pipeline(tiny_parts, verifiers).stream(make_request("tell me a joke about cats")))
    assert [type(event) for event in events] == [Planned, Finished]
    assert events[-1].plan.to_json()["t1"] is None


def test_a_plan_is_verified_the_same_way_twice(tiny_parts, verifiers, verified):
    again = open_pipeline(tiny_parts, verifiers).run(make_request(GOAL)).to_json()
    first = verified[-1].plan.to_json()
    first.pop("timings_s"), again.pop("timings_s")
    assert first == again


def test_two_products_that_clash_are_both_named(tmp_path):
    rows = [
        kind("camera body", "📷", ["take photos"], [product("Lumora Z Mirrorless Camera Body, Nikon Z Mount", "Lumora")]),
        kind(
            "camera lens",
            "🔭",
            ["take close photos"],
            [product("Fennick 50 mm Lens, Canon RF Mount", "Fennick"), product("Fennick 50 mm Lens, Nikon Z Mount", "Fennick")],
        ),
    ]
    encoder = HashEncoder()
    build(write_lines(tmp_path / "photo.jsonl", rows), tmp_path / "index", encoder, quiet=True)
    index = IntentionIndex.load(tmp_path / "index", encoder.name)
    body, wrong, right = (p.title for p in index.products)
    steps = plan(index, ("Choose a camera", [body]), ("Choose a lens", [wrong]))
    _, (conflict,) = Reviewer(NO_VERIFIERS, index).bundle("Take portraits", steps, EASY)
    assert {conflict.a, conflict.b} == {body, wrong}
    assert conflict.product_id == by_title(index, wrong).product_id
    assert conflict.swap_id == by_title(index, right).product_id


def test_the_judge_of_the_pipeline_is_t2(tiny_parts, verifiers):
    library, index, encoder, _ = tiny_parts
    pipeline = Pipeline.of(library, index, encoder, flat_weights(encoder.dim), Intake(), verifiers)
    (first, *_) = pipeline.match(GOAL, "cook a warm meal at a campsite", 3)
    expected = verifiers.t2.scores([ProductClaim(GOAL, "cook a warm meal at a campsite", first.product.title, first.product.features[0])])
    assert first.t2 == pytest.approx(float(np.asarray(expected)[0]), abs=5e-3)


def test_the_same_script_is_put_to_a_model_once(index):
    asked = []

    def verdicts(claims):
        asked.append(claims)
        return [Verdict(0.5 + len(asked) / 100) for _ in claims]

    reviewer = Reviewer(Verifiers(t1=SimpleNamespace(verdicts=verdicts)), index)
    steps, more = plan(index, ("Sleep dry", [LARGE])), plan(index, ("Sleep dry", [SMALL]))
    assert reviewer.script(GOAL, steps) == reviewer.script(GOAL, more)
    assert len(asked) == 1
    assert reviewer.script(GOAL, plan(index, ("Sleep warm", [LARGE]))) != reviewer.script(GOAL, steps)
    assert len(asked) == 2
