"""What a judge of products changes in a plan: the order inside a need, and what stays out."""

import numpy as np
import pytest
from fakes import HashEncoder, flat_weights, kind, product, write_lines

from ecomscript.association.associate import AGAINST_THE_GOAL, JUDGE_DROPS, JUDGE_WEIGHT, JUDGED, NOT_HELPFUL, Associator, judged_value
from ecomscript.association.eligibility import Eligibility
from ecomscript.association.index import IntentionIndex
from ecomscript.schema import Constraints, Script, Step
from index_build.build import build

TENTS = "Cairnfold Meadow 4-Person Tent", "Tarnhollow Ridge 2-Person Tent"
SLEEP = Step("s1", "sleep dry on a camping weekend", ("family tent",))
COOK = Step("s2", "cook a warm meal at a campsite", ("camp stove",))


class Judge:
    """Gives every product the chance that is written for its title, and remembers what it was asked."""

    def __init__(self, chances, otherwise=0.9):
        self.chances, self.otherwise, self.asked = chances, otherwise, []

    def __call__(self, goal, placed):
        self.asked.append((goal, [(step, p.title) for step, p in placed]))
        return np.array([self.chances.get(p.title, self.otherwise) for _, p in placed])


@pytest.fixture
def judged(tiny_parts):
    """Match steps with a judge; the answer is the list of matched steps."""
    _, index, encoder, weights = tiny_parts

    def match(judge, *steps, **constraints):
        kept = Constraints(**constraints)
        script = Script("Take the family on a first camping weekend", steps, "library", "ready")
        return Associator(index, encoder, weights, judge).match_script(script, "camping", kept, Eligibility(kept))

    return match


def titles(found):
    return [m.product.title for step in found for m in step.matches]


def test_a_product_below_the_threshold_stays_out_and_the_next_comes_in(judged):
    (first,) = titles(judged(None, SLEEP))
    (other,) = set(TENTS) - {first}
    assert titles(judged(Judge({first: JUDGE_DROPS - 0.01}), SLEEP)) == [other]


def test_a_product_at_the_threshold_stays(judged):
    (first,) = titles(judged(None, SLEEP))
    assert titles(judged(Judge({first: JUDGE_DROPS}, otherwise=0.1), SLEEP)) == [first]


def test_where_nothing_helps_the_step_says_so(judged):
    slept, cooked = judged(Judge(dict.fromkeys(TENTS, 0.05)), SLEEP, COOK)
    assert slept.matches == ()
    assert NOT_HELPFUL in slept.note
    assert "family tent" in slept.note
    assert cooked.matches


def test_the_judge_prefers_what_helps_more(judged):
    assert titles(judged(Judge(dict(zip(TENTS, (0.999, 0.25), strict=True))), SLEEP)) == [TENTS[0]]
    assert titles(judged(Judge(dict(zip(TENTS, (0.25, 0.999), strict=True))), SLEEP)) == [TENTS[1]]


def test_a_certain_judge_gives_numbers(judged):
    (found,) = judged(Judge({}, otherwise=1.0), SLEEP)
    assert found.matches[0].t2 == 1.0


def test_what_the_judge_said_is_carried_to_the_product(judged):
    (found,) = judged(Judge(dict(zip(TENTS, (0.8, 0.6), strict=True))), SLEEP)
    (match,) = found.matches
    assert match.t2 == dict(zip(TENTS, (0.8, 0.6), strict=True))[match.product.title]


def test_without_a_judge_there_is_no_number(judged):
    (found,) = judged(None, SLEEP)
    assert found.matches[0].t2 is None


def test_all_needs_are_asked_about_in_one_question(judged):
    judge = Judge({})
    judged(judge, SLEEP, COOK)
    ((goal, placed),) = judge.asked
    assert goal == "camping"
    assert {step for step, _ in placed} == {SLEEP.text, COOK.text}
    assert {title for step, title in placed if step == SLEEP.text} == set(TENTS)


def test_a_plan_without_products_asks_nobody(judged):
    judge = Judge({})
    judged(judge, Step("s1", "reserve a campsite", buys=False))
    assert judge.asked == []


def test_what_may_not_be_shown_is_not_asked_about(judged):
    judge = Judge({})
    judged(judge, SLEEP, budget_usd=100.0)
    assert judge.asked[0][1] == [(SLEEP.text, TENTS[1])]


@pytest.mark.parametrize("budget", [20, 30, 110, 160, 250])
@pytest.mark.parametrize("chances", [(0.95, 0.3), (0.3, 0.95), (0.1, 0.95), (0.95, 0.1)])
def test_the_budget_is_still_kept(judged, budget, chances):
    found = judged(Judge(dict(zip(TENTS, chances, strict=True))), SLEEP, COOK, budget_usd=float(budget))
    assert sum(m.product.price_usd for step in found for m in step.matches) <= budget
    out = {title for title, chance in zip(TENTS, chances, strict=True) if chance < JUDGE_DROPS}
    assert not out & set(titles(found))


def test_products_for_a_written_step_come_by_their_chance(tiny_parts):
    _, index, encoder, weights = tiny_parts
    chances = {p.title: (n % 5) / 5 + 0.1 for n, p in enumerate(index.products)}
    found = Associator(index, encoder, weights, Judge(chances)).match_step("camping", COOK.text, count=5)
    assert len(found) == 5
    said = [m.t2 for m in found]
    assert said == sorted(said, reverse=True)
    assert said == [chances[m.product.title] for m in found]


def test_the_judges_word_is_worth_its_log_odds():
    assert judged_value(1.0, 0.5) == pytest.approx(1.0)
    assert judged_value(1.0, 0.9) == pytest.approx(1.0 + JUDGE_WEIGHT * np.log(9), abs=1e-4)
    assert judged_value(1.0, 0.9, 0.0) == 1.0
    assert judged_value(1.0, 0.1) < judged_value(1.0, 0.2)
    assert np.isfinite([judged_value(1.0, 0.0), judged_value(1.0, 1.0)]).all()


WIDE = Step("s1", "sleep dry on a camping weekend", ("family tent",))


@pytest.fixture(scope="module")
def wide(tmp_path_factory):
    """Match steps over a catalogue with eight tents, one stove and beef."""
    rows = [
        kind("family tent", "⛺", ["sleep dry on a camping weekend"], [product(f"Tent {n}", f"Brand {n}", 20.0 + n) for n in range(8)]),
        kind("camp stove", "🔥", ["cook a warm meal at a campsite"], [product("Brandle Stove", "Brandle")]),
        kind("beef mince", "🥩", ["fill a pie"], [product("Lean Beef Mince, 500 g", "Halewick")], "Food > Meat > Beef"),
    ]
    folder, encoder = tmp_path_factory.mktemp("wide"), HashEncoder()
    build(write_lines(folder / "wide.jsonl", rows), folder / "index", encoder, quiet=True)
    index = IntentionIndex.load(folder / "index", encoder.name)

    def match(judge, *steps, **constraints):
        kept = Constraints(**constraints)
        script = Script("camping", steps, "library", "ready")
        return Associator(index, encoder, flat_weights(encoder.dim), judge).match_script(script, "camping", kept, Eligibility(kept))

    return match


@pytest.fixture(scope="module")
def by_score(wide):
    """Titles of the tents in the order of the scores."""
    found = []
    judge = Judge({}, otherwise=0.0)
    wide(judge, WIDE)
    for _, placed in judge.asked:
        found += [title for _, title in placed]
    assert len(set(found)) == len(found) == 8
    return found


def test_where_the_first_three_do_not_help_the_fourth_is_shown(wide, by_score):
    judge = Judge({by_score[3]: 0.6}, otherwise=0.05)
    (found,) = wide(judge, WIDE)
    assert [(m.product.title, m.t2) for m in found.matches] == [(by_score[3], 0.6)]
    assert found.note == ""
    assert [[title for _, title in placed] for _, placed in judge.asked] == [by_score[:JUDGED], by_score[JUDGED : 2 * JUDGED]]


def test_rounds_go_on_to_the_last_option_and_then_end(wide, by_score):
    judge = Judge({by_score[-1]: 0.6}, otherwise=0.05)
    assert titles(wide(judge, WIDE)) == [by_score[-1]]
    assert [len(placed) for _, placed in judge.asked] == [3, 3, 2]
    judge = Judge({}, otherwise=0.05)
    (found,) = wide(judge, WIDE)
    assert found.matches == ()
    assert NOT_HELPFUL in found.note
    assert [len(placed) for _, placed in judge.asked] == [3, 3, 2]


def test_a_need_that_is_met_is_not_asked_about_again(wide, by_score):
    judge = Judge(dict.fromkeys(by_score[:3], 0.05))
    slept, cooked = wide(judge, WIDE, COOK)
    assert (len(slept.matches), len(cooked.matches)) == (1, 1)
    first, second = judge.asked
    assert {step for step, _ in first[1]} == {WIDE.text, COOK.text}
    assert {step for step, _ in second[1]} == {WIDE.text}
    judge = Judge({})
    wide(judge, WIDE, COOK)
    assert len(judge.asked) == 1


def test_under_a_budget_all_options_are_asked_about_at_once(wide, by_score):
    judge = Judge({title: 0.05 for title in by_score if title != "Tent 0"})
    assert titles(wide(judge, WIDE, budget_usd=30.0)) == ["Tent 0"]
    assert [len(placed) for _, placed in judge.asked] == [8]


def test_a_kind_that_moves_out_of_a_step_against_the_goal_is_judged_where_it_lands(wide):
    judge = Judge({})
    beef, cooked = wide(judge, Step("s1", "brown the beef", ("beef mince", "camp stove")), COOK, diets=("vegetarian",))
    assert (beef.matches, beef.note) == ((), AGAINST_THE_GOAL)
    assert titles([cooked]) == ["Brandle Stove"]
    assert [placed for _, placed in judge.asked] == [[(COOK.text, "Brandle Stove")]]
