"""What the extractor reads in titles and objectives: units, ranges, ages, people; and that no text makes it fail."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecomscript.verification.rules.attributes import Quantity, convert, facts_of, fold, product_facts, quantities
from ecomscript.verification.rules.people import Span


def read(text):
    return [(q.unit, q.low, q.high, q.bound) for q in quantities(fold(text))]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Flat bench, max load 150 kg", ("kg", 150, 150, "at most")),
        ("stool, max user weight 110 kg", ("kg", 110, 110, "at most")),
        ("lanyard for users of 40–120 kg", ("kg", 40, 120, "range")),
        ("heater for tanks up to 60 l", ("l", 60, 60, "at most")),
        ("life jacket, over 50 kg", ("kg", 50, 50, "at least")),
        ("sleeping bag, comfort −15 °C", ("degC", -15, -15, "exact")),
        ("grow block, fruits at 20–30 °C", ("degC", 20, 30, "range")),
        ("yeast, 9 to 15 C", ("degC", 9, 15, "range")),
        ("water at 212 °F", ("degC", 100, 100, "exact")),
        ("inverter 1,200 W", ("W", 1200, 1200, "exact")),
        ("station 1.5 kWh", ("Wh", 1500, 1500, "exact")),
        ("strip 0.5 m", ("cm", 50, 50, "exact")),
        ("pot 750 ml", ("l", 0.75, 0.75, "exact")),
        ("bag 2.54 cm x", ("cm", 2.54, 2.54, "exact")),
    ],
)
def test_quantities_have_unit_range_and_bound(text, expected):
    assert read(text) == [expected]


def test_pounds_become_kilograms():
    ((unit, low, _, _),) = read("crate for dogs up to 90 lb")
    assert unit == "kg"
    assert low == pytest.approx(40.82, abs=0.01)


def test_a_limit_includes_its_ends():
    fits = Quantity("kg", 40, 120, "range")
    assert not fits.excludes(40)
    assert not fits.excludes(120)
    assert fits.excludes(39.9)
    assert str(fits) == "40 to 120 kg"
    assert not Quantity("kg", 5, 5, "exact").excludes(9)


@pytest.mark.parametrize(
    ("text", "months"),
    [
        ("Pack snacks for a 10-month-old", Span(10, 10)),
        ("Print cards with a group of six-year-olds", Span(72, 72)),
        ("A birthday parcel for a godson who turns four", Span(48, 48)),
        ("A target corner for ages four to six", Span(48, 72)),
        ("Make porridge for a baby aged eight months", Span(8, 8)),
        ("Fill party bags for a second birthday", Span(24, 24)),
        ("Cover the first grey of a forty-five-year-old", None),
        ("Celebrate a twenty-first birthday", None),
        ("Feed a sixteen-year-old cat", None),
        ("Repair a 12-year-old house", None),
        ("Give a home spa evening to a friend", None),
    ],
)
def test_ages_of_children(text, months):
    assert facts_of(text).child_months == months


@pytest.mark.parametrize(
    ("title", "months"),
    [
        ("Nappies, 0-6 months", Span(0, 6)),
        ("Science kit, ages 8+", Span(96, float("inf"))),
        ("Booster, 3.5–12 years", Span(42, 144)),
        ("Blocks, age 6 months+", Span(6, float("inf"))),
        ("Shooter for consoles, PEGI 18", Span(216, float("inf"))),
        ("Chef's knife, 20 cm", None),
    ],
)
def test_ages_that_a_title_is_marked_for(title, months):
    assert product_facts(title).made_for_months == months


def test_attributes_win_over_the_title():
    assert product_facts("Kit, ages 8+", attributes={"age_min": 5}).made_for_months == Span(60, float("inf"))


@pytest.mark.parametrize(
    ("text", "people"),
    [
        ("Camp with a family of four", 4),
        ("Celebrate with seven friends", 8),
        ("Feed 22 classmates", 22),
        ("Paddle as a couple", 2),
        ("Bake a cake", None),
    ],
)
def test_people(text, people):
    assert facts_of(text).people == people


def test_capacity_and_pack():
    tent = product_facts("Dome tent, sleeps four, 2 pack")
    assert (tent.capacity, tent.pack) == (4, 2)
    assert product_facts("Ridge 2P tent").capacity == 2


def test_the_name_is_the_head_of_the_title():
    assert product_facts("Oiled leather watch strap 18 mm, brown, padded").name == "“Oiled leather watch strap 18 mm”"


def test_folding_is_idempotent_on_marks():
    once = fold("1,000 W – 27.5″ × 2 ½ Tyre’s")
    assert fold(once) == once


def test_an_unknown_unit_is_refused():
    with pytest.raises(KeyError):
        convert(1.0, "parsec")


@given(st.text(max_size=300))
def test_any_text_is_read(text):
    facts_of(text)
    product_facts(text, text, text)


_PIECES = "for ages|3|to|-|+|kg|°C|up to|two|year|old|-12|1,000|x|months|V|aged|٣|²|of".split("|")


@given(st.lists(st.sampled_from(_PIECES), max_size=12).map(" ".join))
def test_any_mixture_of_cues_is_read(text):
    facts = product_facts(text)
    assert all(q.low <= q.high for q in facts.quantities)
    assert facts.made_for_months is None or facts.made_for_months.low <= facts.made_for_months.high
    child = facts_of(text).child_months
    assert child is None or 0 <= child.low <= child.high < 216


@given(st.integers(1, 9999), st.sampled_from([("g", "kg"), ("ml", "litres"), ("mm", "cm"), ("W", "kW")]))
def test_small_and_large_units_agree(number, pair):
    small, large = pair
    per = 10 if small == "mm" else 1000
    ((unit, low, _, _),) = read(f"{number} {small}")
    ((other_unit, other, _, _),) = read(f"{number / per} {large}")
    assert unit == other_unit
    assert low == pytest.approx(other, rel=1e-6, abs=2e-6)


@given(st.integers(-60, 60), st.integers(1, 40))
def test_ranges_keep_their_order(low, width):
    assert read(f"works from {low} to {low + width} °C") == [("degC", low, low + width, "range")]
