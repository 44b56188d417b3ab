"""The panel "Try it": what is typed becomes a claim, and every answer, good or bad, is a piece of safe HTML."""

from dataclasses import replace
from types import SimpleNamespace

import gradio as gr
import numpy as np
import pytest
from fakes import HashEncoder
from test_ui_render import Tags
from ui_fakes import CARDS, HOSTILE

from ecomscript.config import PROJECT_ROOT
from ecomscript.errors import InputError
from ecomscript.evaluation.nearest import Neighbour
from ecomscript.schema import Verdict
from ecomscript.ui import texts
from ecomscript.ui.bench.try_it import TryIt, judge, read_claim, rule_clashes
from ecomscript.ui.border import PLAN_SLOTS
from ecomscript.verification.claims import TASKS, ClaimError, ProductClaim
from ecomscript.verification.items import load_gold, load_items
from ecomscript.verification.suite import NO_VERIFIERS, Verifiers

FIELDS = ("objective", "steps", "step", "product", "features")
NEAR = (
    Neighbour("Bake a cake", "Mix → Bake", 1, "none", 0.912),
    Neighbour("Bake bread", "Bake → Knead", 0, "wrong_order", 0.5),
    Neighbour("Bake a pie", "Eat", 0, "none", 0.4),
)


class FakeNearest:
    def __init__(self, found=NEAR):
        self.found, self.asked = found, []

    def find(self, *asked):
        self.asked.append(asked)
        if isinstance(self.found, Exception):
            raise self.found
        return self.found


class FakeVerifier:
    """Says one verdict of all claims; an exception is raised."""

    def __init__(self, verdict):
        self.verdict, self.claims = verdict, []

    def verdicts(self, claims, found=None):
        self.claims += claims
        if isinstance(self.verdict, Exception):
            raise self.verdict
        return [self.verdict] * len(claims)

    def scores(self, claims):
        self.claims += claims
        return np.full(len(claims), self.verdict)


def suite(t1=Verdict(0.62), t2=0.93, t3=Verdict(0.86), **more):  # noqa: B008 - frozen
    return Verifiers(FakeVerifier(t1), FakeVerifier(t2), FakeVerifier(t3), **more)


def panel(verifiers, nearest=None, cards=CARDS):
    with gr.Blocks():
        return TryIt(verifiers, nearest or FakeNearest(), cards)


def typed(task, which=0, **changes):
    row = {**texts.TRY_EXAMPLES[task][which], **changes}
    return [row.get(field, "") for field in FIELDS]


def check(tried, task, *fields):
    """Return what is shown in turn; all of it is well-formed and has known tags only."""
    shown = list(tried.on_check(task, *fields))
    for markup in shown:
        tags = Tags(markup)
        assert {tag for tag, _ in tags.found} <= {"section", "h3", "p", "ul", "li", "span", "b", "i"}
        assert not [name for _, attrs in tags.found for name in attrs if name.startswith("on")]
    return [Tags(markup).text for markup in shown]


@pytest.fixture(scope="module")
def tiny(tiny_verifiers_dir):
    return Verifiers.load(HashEncoder().encode, tiny_verifiers_dir)


@pytest.mark.parametrize("which", [0, 1])
@pytest.mark.parametrize("task", TASKS)
def test_every_example_is_judged_by_real_models(tiny, task, which):
    last = check(panel(tiny), task, *typed(task, which))[-1]
    assert texts.TRUST_LABELS[task] in last
    assert "Not verified" not in last and texts.TRY_FAILED not in last
    claim = read_claim(task, *typed(task, which))
    assert judge(tiny, claim, rule_clashes(claim)).score == pytest.approx(tiny.scores(task, [claim])[0])


def test_the_verdict_comes_first_and_the_nearest_items_after_it():
    nearest = FakeNearest()
    shown = panel(suite(), nearest).on_check("t2", *typed("t2"))
    assert "Checking…" in next(shown)
    verdict = next(shown)
    assert "0.93" in verdict and texts.TRY_NEAREST_WAIT in verdict
    assert nearest.asked == []
    last = next(shown)
    assert "0.93" in last and "Bake a cake" in last and texts.TRY_NEAREST_WAIT not in last
    assert nearest.asked == [("t2", "Cycle to work through the winter", "See and be seen on dark roads")]
    assert next(shown, None) is None


def test_word_number_and_what_they_are_worth():
    last = check(panel(suite()), "t2", *typed("t2"))[-1]
    for part in ("Fits this step", "High confidence · 0.93", "right in 81%", "AUC 0.88", "Of 150 validation items at this level, 83%"):
        assert part in last


def test_nearest_items_say_whether_they_hold():
    last = check(panel(suite()), "t1", *typed("t1"))[-1]
    assert "Holds closeness 0.91Bake a cakeMix → Bake" in last
    assert "Does not hold: wrong order closeness 0.50Bake bread" in last
    assert "Does not hold closeness 0.40Bake a pie" in last
    assert texts.TRY_NEAREST_NONE in check(panel(suite(), FakeNearest(())), "t1", *typed("t1"))[-1]


def test_a_script_names_its_weak_steps():
    verifiers = suite(t1=Verdict(0.3, "Step 5 usually comes before step 1.", (4, 0)))
    last = check(panel(verifiers, cards={}), "t1", *typed("t1"))[-1]
    assert "Confidence · 0.30Step 5 usually comes before step 1." in last
    assert "Step 1: Whisk three eggs with a pinch of saltStep 5: Fold the omelette and serve it hot" in last
    assert "Step 2" not in last


def test_a_weak_verifier_gives_no_number():
    last = check(panel(suite()), "t1", *typed("t1"))[-1]
    assert "Weak evidence" in last and texts.NOTHING_STANDS_OUT in last
    assert "0.62" not in last


def test_a_plan_names_what_clashes():
    verdict = Verdict(0.2, "“Stainless steel tray, 40 cm” may not suit “Set up a coffee corner in the office”.", (3,))
    good, flawed = (check(panel(suite(t3=verdict)), "t3", *typed("t3", which))[-1] for which in (0, 1))
    assert "may not suit" in good and "may not suit" in flawed
    assert texts.TRY_NO_CLASH in good and texts.CONFLICTS_TITLE not in good
    assert "0.7 l tank and Nespresso Vertuo coffee capsules, 50 piecesThe capsule system differs" in flawed
    goal = check(panel(suite()), "t3", *typed("t3", objective="Cook a vegan dinner", steps="Serve sweets | Milk chocolate bar"))[-1]
    assert "Milk chocolate bar and your goal" in goal


def test_the_rules_speak_even_without_a_model_for_bundles():
    last = check(panel(NO_VERIFIERS), "t3", *typed("t3", 1))[-1]
    assert "Not verified" in last and "The capsule system differs" in last


def test_a_product_is_judged_by_the_model_that_judges_plans():
    claim = ProductClaim("Camp", "Sleep", "Mat")
    own = suite(choice=FakeVerifier(0.4))
    assert judge(own, claim) == Verdict(0.4)
    assert own.t2.claims == []
    assert judge(suite(), claim) == Verdict(0.93)


def test_a_missing_model_is_not_verified_and_says_why():
    problems = tuple(f"The adapter in {PROJECT_ROOT}/assets/models/{task} cannot be read. Check it out again." for task in TASKS)
    tried = panel(Verifiers(problems=problems))
    for task in TASKS:
        last = check(tried, task, *typed(task))[-1]
        assert "Not verified" in last and f"The adapter in assets/models/{task} cannot be read." in last
        assert "Bake a cake" in last
        assert str(PROJECT_ROOT) not in last


LONG = "word " * 2_000
BAD = [
    ("t1", {"objective": ""}, "'objective' is empty."),
    ("t1", {"objective": " \n"}, "'objective' is empty."),
    ("t1", {"objective": LONG}, "'objective' has 9,999 characters, at most 2,000 can be checked."),
    ("t1", {"steps": ""}, "'steps' has 0 members, expected 1 to 50."),
    ("t1", {"steps": "\n \n"}, "'steps' has 0 members"),
    ("t1", {"steps": "Go\n" * 60}, "'steps' has 60 members, expected 1 to 50."),
    ("t1", {"steps": "Go\n" + LONG}, "A step has 9,999 characters"),
    ("t1", {"objective": "half \ud800"}, "half a character"),
    ("t2", {"objective": ""}, "'objective' is empty."),
    ("t2", {"step": ""}, "'step' is empty."),
    ("t2", {"product": "  "}, "'product' is empty."),
    ("t2", {"product": LONG}, "'product' has 9,999 characters"),
    ("t2", {"features": LONG}, "'features' has 9,999 characters"),
    ("t3", {"objective": ""}, "'objective' is empty."),
    ("t3", {"steps": ""}, "'steps' has 0 members"),
    ("t3", {"steps": "Go | Bag\n" * 60}, "'steps' has 60 members, expected 1 to 50."),
    ("t3", {"steps": "Sleep | Mat\n\nGo home"}, "Line 3 has no products: write it as “step | product; product”."),
    ("t3", {"steps": "Sleep | ; ;"}, "Line 1 has no products"),
    ("t3", {"steps": "Sleep | Mat\n | Bag"}, "Line 2 has no step before the “|”."),
    ("t3", {"steps": f"Sleep | {LONG}"}, "A product has 9,999 characters"),
    ("t3", {"steps": "Sleep | " + "Mat;" * 61}, "61 products, at most 60 can be checked together."),
    ("t3", {"steps": f"{LONG} | Mat"}, "'step' has 9,999 characters"),
]


@pytest.mark.parametrize(("task", "changes", "sentence"), BAD)
def test_bad_input_gets_one_sentence_in_the_panel(task, changes, sentence):
    verifiers, nearest = suite(), FakeNearest()
    (said,) = check(panel(verifiers, nearest), task, *typed(task, **changes))
    assert said.startswith(texts.TRY_FAILED) and sentence in said
    assert not verifiers.t1.claims + verifiers.t2.claims + verifiers.t3.claims + nearest.asked


def test_forged_events_get_a_sentence_too():
    tried = panel(suite())
    assert texts.TRY_TASK in check(tried, None, *[None] * 5)[0]
    for task in TASKS:
        assert "is empty" in check(tried, task, *[None] * 5)[0] or "0 members" in check(tried, task, *[None] * 5)[0]
    for handler in (tried.on_task, lambda task: tried.on_example(0, task)):
        assert handler(None)[tried.result] == ""


def test_typed_lines_are_read_as_they_are_meant():
    claim = read_claim("t3", "Camp", "\nSleep|Mat; Bag ;\r\n  Eat warm | Pot | lid, 2 l", "", "", "")
    assert claim.placed == (("Sleep", "Mat"), ("Sleep", "Bag"), ("Eat warm", "Pot | lid, 2 l"))
    assert read_claim("t1", "Camp", " Pack \n\nGo\n", "x", "", "").steps == ("Pack", "Go")
    assert read_claim("t2", "Camp", "ignored", "Sleep", "Mat", "") == ProductClaim("Camp", "Sleep", "Mat")


def test_hostile_words_are_shown_as_they_are():
    near = tuple(Neighbour(text, text, 0, text, 0.5) for text in HOSTILE)
    problems = tuple(f"{task}: {HOSTILE[0]}" for task in TASKS)
    fields = dict.fromkeys(("step", "product", "features"), HOSTILE[0]) | {"objective": HOSTILE[1]}
    script = suite(t1=Verdict(0.3, HOSTILE[2], (0,)), t3=Verdict(0.3, HOSTILE[0], (0,)))
    machine, capsules = f"{HOSTILE[0]} machine for Nespresso Original capsules", f"Nespresso Vertuo capsules {HOSTILE[1]}"
    plan = f"Brew {HOSTILE[0]} | {machine}\nEat {HOSTILE[2]} | {capsules}"
    seen = ""
    for verifiers in (script, Verifiers(problems=problems)):
        for task in TASKS:
            steps = plan if task == "t3" else f"{HOSTILE[0]}\n{HOSTILE[1]}"
            seen += check(panel(verifiers, FakeNearest(near)), task, *typed(task, **{**fields, "steps": steps}))[-1]
    for text in HOSTILE:
        assert text in seen
    assert texts.CONFLICTS_TITLE in seen and "<img src=x" in seen


def test_errors_end_in_a_sentence_and_keep_the_rest(caplog):
    broken = check(panel(suite(t1=RuntimeError("secret"))), "t1", *typed("t1"))[-1]
    assert texts.NEUTRAL_ERROR in broken and "secret" not in broken and "Bake a cake" in broken
    assert "secret" in caplog.text
    missing = InputError(f"{PROJECT_ROOT}/assets/training/t2.jsonl.xz cannot be read", "Check it out again.")
    for trouble, said in (
        (missing, "assets/training/t2.jsonl.xz cannot be read. Check it out again."),
        (OSError("secret"), texts.NEUTRAL_ERROR),
    ):
        last = check(panel(suite(), FakeNearest(trouble)), "t2", *typed("t2"))[-1]
        assert "0.93" in last and said in last
        assert "secret" not in last and str(PROJECT_ROOT) not in last


def test_examples_are_our_own_and_fill_all_fields():
    known = {item.claim.objective for task in TASKS for item in (*load_items(task), *load_gold(task))}
    tried = panel(NO_VERIFIERS)
    for task in TASKS:
        good, flawed = (read_claim(task, *typed(task, which)) for which in (0, 1))
        assert good != flawed and good.objective not in known
        filled = tried.on_example(1, task)
        for field in FIELDS:
            if field in texts.TRY_EXAMPLES[task][1]:
                assert filled[getattr(tried, field)] == texts.TRY_EXAMPLES[task][1][field]
        assert filled[tried.result] == ""
    assert not rule_clashes(read_claim("t3", *typed("t3", 0)))
    assert rule_clashes(read_claim("t3", *typed("t3", 1)))


def test_each_task_shows_its_own_fields():
    tried = panel(NO_VERIFIERS)
    for task in TASKS:
        updates = tried.on_task(task)
        alone = task == "t2"
        assert [updates[c].visible for c in (tried.steps, tried.step, tried.product, tried.features)] == [not alone, alone, alone, alone]
        assert updates[tried.result] == ""
    assert updates[tried.steps].label == texts.TRY_STEPS["t3"]


def test_checks_share_the_slots_of_plans_and_nothing_is_public():
    with gr.Blocks() as demo:
        tried = TryIt(NO_VERIFIERS, FakeNearest(), {})
    functions = list(demo.fns.values())
    (checked,) = [f for f in functions if f.fn == tried.on_check]
    assert (checked.concurrency_id, checked.concurrency_limit) == ("plan", PLAN_SLOTS)
    assert {f.api_visibility for f in functions} == {"private"}
    cancelling = [f for f in functions if checked._id in f.cancels]
    assert len(cancelling) >= 3  # another task and the two examples
    assert {event for _, event in checked.targets} == {"click", "submit"} and len(checked.targets) == 6


def test_fields_have_labels_and_the_result_is_a_live_region():
    tried = panel(NO_VERIFIERS)
    assert 'role="status"' in tried.result.html_template
    assert all(field.label for field in (tried.task, *(getattr(tried, name) for name in FIELDS)))
    assert [value for _, value in tried.task.choices] == list(TASKS)


def test_only_what_the_page_knows_of_its_models_is_needed():
    tried = panel(replace(NO_VERIFIERS, problems=("t1 is gone.",)))
    assert "t1 is gone." in check(tried, "t1", *typed("t1"))[-1]
    tried.verifiers = SimpleNamespace()
    assert texts.NEUTRAL_ERROR in check(tried, "t1", *typed("t1"))[-1]
    with pytest.raises(ClaimError):
        read_claim("t1", *typed("t1", steps=""))
