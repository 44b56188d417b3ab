"""Confidences, conflicts and swaps: what may be said, what may not, and what a forged click gets."""

import json
from dataclasses import replace

import pytest
from test_ui_render import BACKING, Tags
from ui_fakes import CARDS, CONFLICT, HOSTILE, PRODUCTS, FakePipeline, views

from ecomscript.config import PROJECT_ROOT
from ecomscript.errors import InputError
from ecomscript.evaluation.report_cards import ReportCard, report_cards
from ecomscript.schema import Conflict, Verdict
from ecomscript.ui.render import plan_html, status_html
from ecomscript.ui.render_trust import conflicts_html, product_trust_html
from ecomscript.ui.swap import swap_product
from ecomscript.ui.trust import Backing, number, trust
from ecomscript.ui.view import PlanView

PIPELINE = FakePipeline()


@pytest.fixture
def clash():
    return views("clash camping")[-1]


def test_a_strong_verifier_says_word_and_number_and_what_they_are_worth():
    found = trust("t2", Verdict(0.884), BACKING)
    assert (found.look, found.words, found.number) == ("high", "High confidence", "0.88")
    said = " ".join(found.explanation)
    for part in ("all-MiniLM-L6-v2", "81%", "52%", "AUC 0.88", "0.85 to 0.91", "Of 150 validation items at this level, 83%"):
        assert part in said


@pytest.mark.parametrize(("score", "word"), [(0.7, "high"), (0.699, "fair"), (0.4, "fair"), (0.1, "low"), (0.0, "low")])
def test_levels_start_where_they_were_chosen(score, word):
    assert trust("t3", Verdict(score), BACKING).look == word


def test_a_weak_verifier_gives_its_reason_and_no_number():
    found = trust("t1", Verdict(0.62, "Step 5 usually comes before step 3."), BACKING)
    assert (found.look, found.words, found.number, found.reason) == ("weak", "Weak evidence", "", "Step 5 usually comes before step 3.")
    assert "chance" in found.explanation[0]
    assert "0.62" not in Tags(plan_html(views("clash camping")[-1], BACKING)).text
    assert trust("t1", Verdict(0.62), BACKING).reason == "Nothing stands out."


def test_what_readers_of_plans_do_not_confirm_is_weak_in_a_plan_alone():
    backing = replace(BACKING, cards={"t3": replace(CARDS["t3"], rated_plans=50, follows=False)})
    found = trust("t3", Verdict(0.72), backing, of_plan=True)
    assert (found.look, found.number) == ("weak", "")
    assert "plans that people rated" in found.explanation[0]
    assert (trust("t3", Verdict(0.72), backing).look, trust("t3", Verdict(0.72), BACKING, of_plan=True).look) == ("high", "high")
    shown = Tags(plan_html(replace(views("verified camping")[-1], conflicts=()), backing)).text
    assert "Products go togetherWeak evidence" in shown and "No conflict found." in shown


def test_how_probable_it_is_that_the_plan_is_made_for_the_goal_is_said_in_word_and_number():
    view = views("verified camping")[-1]
    card = ReportCard("grounds", "", auc=0.758, levels=CARDS["t2"].levels, rated_plans=235)
    backing = replace(BACKING, cards={**CARDS, "grounds": card})
    page = Tags(plan_html(replace(view, fit=0.834), backing))
    assert "Made for this goalHigh confidence · 0.83" in page.text
    for part in ("235 plans that readers rated", "AUC 0.76", "at this level, 83% would get their goal done"):
        assert part in page.text
    assert "Made for this goal" not in Tags(plan_html(view, backing)).text
    assert "Made for this goalConfidence · 0.83" in Tags(plan_html(replace(view, fit=0.834), BACKING)).text


def test_near_plans_stand_open_where_the_one_taken_is_improbable():
    view = replace(views("verified camping")[-1], near=("Camp in winter",), confidence="ready")
    opened = ['<details class="es-near" open>' in plan_html(replace(view, fit=fit), BACKING) for fit in (None, 0.7, 0.3)]
    assert opened == [False, False, True]


def test_a_weak_judge_of_products_gives_no_number():
    match = views("verified camping")[-1].matched[1].matches[0]
    assert Tags(product_trust_html(match, replace(BACKING, cards={"t2": CARDS["t1"]}), "x")).text.startswith("Fit: weak evidence")
    assert Tags(product_trust_html(match, Backing(), "x")).text.startswith("Fits this step: 0.93")


def test_what_a_conflict_says_is_not_said_twice(clash):
    reason = "These two may not go together."
    view = replace(clash, bundle_verdict=Verdict(0.3, reason, (0, 1)), conflicts=(replace(clash.conflicts[0], reason=reason),))
    assert plan_html(view, BACKING).count(reason) == 1


def test_an_interval_that_touches_chance_is_weak():
    assert [ReportCard("t1", "m", 0.6, 0.6, low, 0.7).weak for low in (0.49, 0.5, 0.51)] == [True, True, False]
    assert not ReportCard("t1", "m").weak


def test_without_measurements_the_tooltip_says_so():
    for backing in (Backing(), Backing({"t3": ReportCard("t3", "MiniLM", levels=CARDS["t3"].levels)})):
        found = trust("t3", Verdict(0.86), backing)
        assert found.number == "0.86"
        assert "not measured yet" in " ".join(found.explanation)
    assert found.words == "High confidence"


def test_no_verdict_no_number():
    problems = (f"The adapter in {PROJECT_ROOT}/assets/models/t2 cannot be read. Check it out again.", "The base cannot be loaded.")
    backing = Backing(CARDS, problems)
    for task in ("t2", "t3"):  # T3 needs T2
        found = trust(task, None, backing)
        assert (found.look, found.words, found.number) == ("none", "Not verified", "")
        assert found.explanation[1] == "The adapter in assets/models/t2 cannot be read. Check it out again."
    assert len(trust("t1", None, backing).explanation) == 1
    view = replace(views("camping")[-1])
    text = Tags(plan_html(view, backing)).text
    assert text.count("Not verified") == 8 + 2
    assert "confidence" not in text.lower()


def test_no_model_is_certain():
    assert [number(score) for score in (0.0, 0.0099, 0.01, 0.5, 0.99, 0.991, 1.0)] == [
        "< 0.01",
        "< 0.01",
        "0.01",
        "0.50",
        "0.99",
        "> 0.99",
        "> 0.99",
    ]


def test_what_is_on_its_way_has_a_quiet_place():
    seen = views("verified camping")
    assert plan_html(seen[1], BACKING).count("Checking…") == 2
    assert plan_html(seen[-3], BACKING).count("Checking…") == 1
    assert "Checking…" not in plan_html(seen[-1], BACKING)
    assert "Checking…" not in plan_html(replace(seen[3], phase="stopped"), BACKING)


def test_a_plan_without_products_has_no_bundle():
    view = replace(views("verified camping")[-1], matched=(), script=())
    assert "Products go together" not in plan_html(view, BACKING)


def test_doubtful_steps_are_marked(clash):
    steps = plan_html(clash, BACKING).split('<li class="es-step')[1:]
    assert ["Doubtful" in step for step in steps] == [False, False, True, False, True]
    broken = replace(clash, script_verdict=Verdict(0.5, "x", (-1, 99)))
    assert "Doubtful" not in plan_html(broken, BACKING)


def test_every_tooltip_is_named_by_one_button(clash):
    tags = Tags(plan_html(clash, BACKING)).found
    tips = [attrs["id"] for tag, attrs in tags if attrs.get("role") == "tooltip"]
    assert len(tips) == len(set(tips)) == 2 + 8
    assert tips == [attrs["aria-describedby"] for tag, attrs in tags if tag == "button" and "aria-describedby" in attrs]


def test_conflicts_name_both_sides_and_offer_the_swap(clash):
    text = Tags(conflicts_html(clash, BACKING)).text
    for part in (
        "Brandle Two-Burner Gas Stove and Pallamere Nesting Cook Set for 4The pots",
        "Swap for Kettlewick Alpine Stove · $84.50",
        "instead of Brandle",
    ):
        assert part in text
    assert "1 conflict found" in status_html(clash)
    goal = replace(clash, conflicts=(replace(CONFLICT, b="clash camping", swap_id=""),))
    assert "and your goalThe pots" in Tags(conflicts_html(goal, BACKING)).text
    assert "data-act" not in conflicts_html(goal, BACKING)
    assert "data-act" not in conflicts_html(clash, Backing())
    assert " disabled" in conflicts_html(replace(clash, phase="working"), BACKING)


def test_hostile_words_are_shown_as_they_are(clash):
    conflict = Conflict(PRODUCTS["stove"].title, PRODUCTS["hostile0"].title, HOSTILE[1], "stove", "hostile0")
    view = replace(
        clash, conflicts=(conflict,), script_verdict=Verdict(0.2, HOSTILE[0], (0,)), bundle_verdict=Verdict(0.2, HOSTILE[0], (0,))
    )
    backing = replace(BACKING, cards={"t2": replace(CARDS["t2"], model=HOSTILE[0])}, problems=(f"t1: {HOSTILE[0]}",))
    markup = plan_html(view, backing) + plan_html(replace(view, script_verdict=None), backing)
    tags = Tags(markup)
    assert not {"img", "script"} & {tag for tag, _ in tags.found}
    assert not [name for _, attrs in tags.found for name in attrs if name.startswith("on")]
    assert HOSTILE[0] in tags.text and "${Object" in tags.text
    assert product_trust_html(clash.matched[1].matches[0], backing, '"><img').count("<img") == 0


def test_a_swap_replaces_the_product_and_looks_again(clash):
    after = swap_product(clash, {"pid": "stove", "swap": "stove2"}, PIPELINE)
    cooking = after.matched[2].matches
    assert [m.product.product_id for m in cooking] == ["stove2", "pot"]
    assert (cooking[0].t2, cooking[0].intention) == (0.77, "cook outdoors")
    assert after.conflicts == () and after.bundle_verdict.score == 0.86
    assert PIPELINE.reviewer.bundles[-1] == {p.product_id for p in after.products}
    assert "Swapped Brandle Two-Burner Gas Stove for Kettlewick Alpine Stove." in status_html(after)
    text = Tags(plan_html(after, BACKING)).text
    assert "Takes the place of Brandle Two-Burner Gas Stove" in text
    assert "0.00" not in text
    assert clash.matched[2].matches[0].product.product_id == "stove"


def test_without_a_judge_the_new_product_is_not_verified(clash, monkeypatch):
    place = PIPELINE.place
    monkeypatch.setattr(PIPELINE, "place", lambda *asked: replace(place(*asked), t2=None))
    after = swap_product(clash, {"pid": "stove", "swap": "stove2"}, PIPELINE)
    assert after.matched[2].matches[0].t2 is None


@pytest.mark.parametrize(
    "payload",
    [
        None,
        [],
        "swap",
        {},
        {"pid": "stove"},
        {"pid": "stove", "swap": "tent"},
        {"pid": "pot", "swap": "stove2"},
        {"pid": ["stove"], "swap": {}},
        {"pid": "", "swap": ""},
    ],
)
def test_forged_swaps_are_refused(clash, payload):
    for view in (clash, PlanView()):
        with pytest.raises(InputError, match="Reload"):
            swap_product(view, payload, PIPELINE)


def test_swaps_that_have_become_impossible_are_refused(clash):
    good = {"pid": "stove", "swap": "stove2"}
    gone = replace(clash, conflicts=(replace(CONFLICT, swap_id="sold out"),))
    after = swap_product(clash, good, PIPELINE)
    for view, payload in ((replace(clash, phase="working"), good), (gone, {"pid": "stove", "swap": "sold out"}), (after, good)):
        with pytest.raises(InputError, match="Reload"):
            swap_product(view, payload, PIPELINE)


def write(path, value):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(value if isinstance(value, str) else json.dumps(value))
    return path


LEVELS = [{"word": "high", "from": 0.71, "items": 150, "right": 0.83}, {"word": "low", "from": 0.0, "items": 150, "right": 0.2}]
ROWS = [
    {"task": "t1", "model": "shipped", "split": "test", "accuracy": 0.9, "auc": 0.9, "auc_ci95": [0.8, 1.0]},
    {"task": "t1", "model": "shipped", "split": "gold dev", "accuracy": 0.6, "auc": 0.64, "auc_ci95": [0.57, 0.7], "parts": {}},
    {"task": "t1", "model": "majority", "split": "gold dev", "accuracy": 0.5, "auc": 0.5, "auc_ci95": None},
]


@pytest.fixture
def models(tmp_path):
    for task in ("t1", "t2"):
        write(tmp_path / task / "meta.json", {"base_model": "MiniLM"})
        write(tmp_path / task / "combiner.json", {"meta": {"levels": LEVELS}})
    return tmp_path


def test_cards_are_read_from_results_and_models(models):
    cards = report_cards(models, write(models / "verifiers.json", {"rows": ROWS}).parent)
    assert cards["t1"].measured and not cards["t1"].weak
    assert (cards["t1"].accuracy, cards["t1"].auc, cards["t1"].auc_low, cards["t1"].auc_high, cards["t1"].majority) == (
        0.6,
        0.64,
        0.57,
        0.7,
        0.5,
    )
    assert cards["t1"].level(0.71).word == "high" and cards["t1"].level(0.5).word == "low"
    assert not cards["t2"].measured and cards["t2"].levels == cards["t1"].levels
    assert "t3" not in cards


def test_other_models_do_not_borrow_the_shipped_results(models):
    assert not any(card.measured for card in report_cards(models).values())


@pytest.mark.parametrize(
    "damaged",
    [
        "{",
        "[]",
        {"rows": 3},
        {"rows": [1, {"task": "t1"}]},
        {"rows": [{**ROWS[1], "auc_ci95": [0.5]}]},
        {"rows": [{**ROWS[1], "auc": "x"}]},
    ],
)
def test_damaged_results_measure_nothing(models, damaged):
    assert not report_cards(models, write(models / "verifiers.json", damaged).parent)["t1"].measured


def test_a_score_that_readers_do_not_confirm_says_so(models):
    row = {"row": "correlation", "plans": 50, "spearman": 0.1}
    rows = [
        {**row, "score": "t1", "rating": "plausible", "spearman_ci95": [-0.2, 0.3]},
        {**row, "score": "t2", "rating": "products_fit", "spearman_ci95": [0.1, 0.6]},
    ]
    write(models / "study.json", {"rows": rows})
    cards = report_cards(models, write(models / "verifiers.json", {"rows": ROWS}).parent)
    assert (cards["t1"].follows, cards["t2"].follows, cards["t1"].rated_plans) == (False, True, 50)
    said = " ".join(trust("t1", Verdict(0.9), Backing(cards)).explanation)
    assert "50 plans" in said and "did not rise" in said
    write(models / "study.json", {"rows": [{**rows[0], "spearman_ci95": None}]})
    assert report_cards(models, models)["t1"].follows is None


@pytest.mark.parametrize(
    "damaged", ["{", {"meta": None}, {"meta": {"levels": [{"word": "great"}]}}, {"meta": {"levels": [{**LEVELS[0], "from": True}]}}, {}]
)
def test_damaged_levels_are_no_levels(models, damaged):
    write(models / "t1" / "combiner.json", damaged)
    card = report_cards(models)["t1"]
    assert card.levels == () and card.level(0.9) is None
    assert trust("t1", Verdict(0.9), Backing({"t1": card})).words == "Confidence"
