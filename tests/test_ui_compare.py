"""Up to four products side by side."""

import re
from dataclasses import replace

import pytest
from ui_fakes import CARDS, HOSTILE, PRODUCTS, STEPS, hostile_steps, verified_steps

from ecomscript.errors import InputError
from ecomscript.schema import Match, MatchedStep, Step
from ecomscript.ui.compare import MOST, Comparison, attribute_rows, choose
from ecomscript.ui.render_compare import compare_html
from ecomscript.ui.trust import Backing
from ecomscript.ui.view import PlanView

VIEW = PlanView(matched=verified_steps())


def compared(*ids, view=VIEW):
    comparison = Comparison()
    for pid in ids:
        comparison = choose(comparison, {"pid": pid}, view)
    return comparison


def with_attributes(*attributes, **changes):
    matches = tuple(
        Match(replace(PRODUCTS["tent"], product_id=f"p{n}", attributes=a, **changes), "sleep dry", 0.6, "")
        for n, a in enumerate(attributes)
    )
    view = PlanView(matched=(MatchedStep(Step("s", "Sleep"), matches),))
    return compared(*(m.product.product_id for m in matches), view=view)


def test_a_second_click_takes_a_product_out():
    comparison = compared("tent", "lamp")
    assert comparison.ids == ["tent", "lamp"]
    assert comparison.entries[0].step == STEPS[1].step.text
    assert choose(comparison, {"pid": "tent"}, VIEW).ids == ["lamp"]
    assert choose(comparison, {"clear": True}, VIEW) == Comparison()


def test_at_most_four():
    four = compared("tent", "bag", "mat", "lamp")
    assert len(four.entries) == MOST
    with pytest.raises(InputError, match="Four products"):
        choose(four, {"pid": "pot"}, VIEW)
    assert choose(four, {"pid": "lamp"}, VIEW).ids == ["tent", "bag", "mat"]


@pytest.mark.parametrize(
    "payload", [None, [], 1, {}, {"pid": None}, {"pid": ["tent"]}, {"pid": "nobody"}, {"clear": "yes"}, {"pid": "stove2"}]
)
def test_forged_payloads_are_refused(payload):
    with pytest.raises(InputError):
        choose(Comparison(), payload, VIEW)


def test_what_was_chosen_stays_when_another_plan_comes():
    assert choose(compared("tent"), {"pid": "tent"}, PlanView()) == Comparison()
    assert choose(compared("tent", "lamp"), {"pid": "lamp"}, PlanView()).ids == ["tent"]


def test_attributes_that_differ_are_told_from_the_same():
    rows = attribute_rows(with_attributes({"people": 4.0, "dry": True, "season": ("summer", "autumn")}, {"people": 6.5, "dry": True}))
    assert [(row.name, row.values, row.same) for row in rows] == [
        ("people", ("4", "6.5"), False),
        ("dry", ("yes", "yes"), True),
        ("season", ("summer, autumn", ""), False),
    ]
    assert attribute_rows(Comparison()) == []


def test_the_table():
    backing = Backing(CARDS)
    markup = compare_html(compared("tent", "game"), backing)
    for part in ("Compare (2)", "Compare 2 products", "$149.00", "Price not listed", "Rated 4.6 of 5 by 1,184", "High confidence · 0.93"):
        assert part in markup
    assert "sleep dry with the whole family" in markup and "strong match 0.78" in markup
    folded = compare_html(with_attributes({"a_b": 1, "c": "x"}, {"a_b": 1, "c": "y"}), backing)
    details = re.search("<details>.*</details>", folded)[0]
    assert "The same for all (1)" in details and "A b" in details and "x" not in re.sub("<.*?>", "", details)
    assert folded.index('<th scope="row">C</th>') < folded.index("<details>")
    assert "Not said" in folded and "Choose one more" in compare_html(compared("tent"), backing)
    assert compare_html(Comparison(), backing) == ""


def test_a_weak_verifier_shows_no_number():
    weak = Backing({"t2": replace(CARDS["t1"], task="t2")})
    assert "0.93" not in compare_html(compared("tent"), weak)
    assert "Not verified" in compare_html(compared("aid"), Backing(CARDS))


def test_hostile_texts_are_escaped():
    hostile = compared("hostile0", "hostile1", "hostile2", view=PlanView(matched=hostile_steps()))
    mean = with_attributes({HOSTILE[0]: HOSTILE[0]}, {HOSTILE[0]: (HOSTILE[0],), "b": "<b>"}, features=(HOSTILE[0],))
    for comparison in (hostile, mean):
        markup = compare_html(comparison, Backing(CARDS))
        assert "<img" not in markup and "&lt;img" in markup
