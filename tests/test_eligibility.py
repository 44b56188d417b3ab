import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecomscript.association.eligibility import Eligibility, kind_excluded, violation
from ecomscript.schema import Constraints, Product


def product(title, kind=None, category="", **attributes):
    return Product("p", title, kind=kind, category=category, price_usd=20.0, attributes=attributes)


TENT = product("Alpenrast 4-Person Tent, Waterproof", kind="family camping tent", category="Outdoors > Camping > Tents", capacity_people=4)
PESTO = product(
    "Basil Pesto with Cashews", kind="green pesto", category="Food > Sauces", diet=("vegetarian",), allergens=("milk", "cashew")
)


@pytest.mark.parametrize(
    ("kind", "phrase", "hit"),
    [
        ("backpacking tent", "tent", True),
        ("family camping tent", "tents", True),
        ("tent stake set", "tent", False),
        ("tent footprint", "tent", False),
        ("portable induction cooktop", "hot plate", True),
        ("paddling life jacket", "pfd", True),
        ("sleeping bag liner", "sleeping bag", False),
        ("winter sleeping bag", "sleeping bags", True),
        ("camp cookware set", "cookware", True),
        ("zip-top storage bag", "ziplocs", True),
        ("cordless drill driver", "drill", True),
        ("drill bit set", "drill", False),
        ("television", "tv", True),
        ("tv stand", "tv", False),
        ("bike lock", "road bike", False),
    ],
)
def test_a_phrase_hits_the_head_of_a_name(kind, phrase, hit):
    assert kind_excluded(kind, Constraints(owned=(phrase,))) == ("owned" if hit else None)
    assert kind_excluded(kind, Constraints(exclude=(phrase,))) == ("excluded" if hit else None)


@pytest.mark.parametrize(
    ("item", "word", "hit"),
    [
        (product("Borough Glass French Press, 34 oz", kind="french press"), "glass", True),
        (product("Shine Glass Cleaner Spray", kind="glass cleaner"), "glass", False),
        (product("Steel French Press", kind="french press", material="stainless steel"), "glass", False),
        (product("Carafe", kind="carafe", material="glass"), "glass", True),
        (product("Zero Alcohol-Free Lager", kind="alcohol-free beer", category="Food > Drinks"), "alcohol", False),
        (product("Dry Red Wine", kind="cooking wine", category="Food > Pantry"), "alcohol", True),
        (product("Garlic Press", kind="garlic press", category="Kitchen > Gadgets"), "garlic", False),
        (product("Rub with Garlic", kind="barbecue rub", category="Food > Pantry"), "garlic", True),
        (product("Lavender Detergent", kind="laundry detergent", scent="lavender"), "scented", True),
        (product("Free Detergent", kind="laundry detergent", scent="none"), "scented", False),
        (product("Oxygen Bleach Powder", kind="oxygen bleach powder"), "bleach", True),
    ],
)
def test_substances(item, word, hit):
    assert (violation(item, Constraints(exclude=(word,))) is not None) is hit


def test_attributes_decide():
    assert violation(TENT, Constraints(budget_usd=10)) == "over your budget of $10"
    assert violation(TENT, Constraints(owned=("tent",))) == "you already have a tent"
    assert violation(TENT, Constraints(people=6)) is None
    assert violation(product("Iron", voltage="230v"), Constraints(country="US", voltage="120v")) == "needs 230 V"
    assert violation(product("Iron", voltage="dual"), Constraints(country="US", voltage="120v")) is None
    assert violation(product("Iron", voltage="120v/240v"), Constraints(voltage="230v")) is None
    assert violation(product("Litter", species="cat"), Constraints(species=("dog",))) == "for a cat"
    assert violation(product("Flakes", species="fish"), Constraints(species=("goldfish",))) is None
    assert violation(product("Carrier", pet_weight_max_kg=9), Constraints(pet_weight_kg=31.8)) == "only for pets up to 9 kg"
    assert violation(product("Plane", skill="advanced"), Constraints(skill="beginner")) == "made for advanced users"
    assert violation(product("Rattle", age_max=1), Constraints(ages=(8,))) == "for children up to 1"
    assert violation(product("Chess", category="Toys & Games > Games", age_min=6), Constraints(ages=(3,))) == "for ages 6 and up"
    assert violation(product("Pack", category="Outdoors", age_min=9), Constraints(ages=(3,))) is None
    assert violation(product("Heater", voltage="120v"), Constraints(exclude=("mains power",))) == "needs mains power"


def test_diets_and_allergens():
    assert violation(PESTO, Constraints(diets=("vegan",))) == "contains milk"
    assert violation(PESTO, Constraints(allergens=("tree nut",))) == "contains tree nut"
    assert violation(PESTO, Constraints(allergens=("peanut",))) is None
    bread = product("Sliced Wheat Bread", kind="sliced bread", category="Food > Bakery", diet=("vegan",))
    assert violation(bread, Constraints(diets=("gluten-free",))) == "not marked gluten-free (bread)"
    marked = product("Sliced Bread", kind="sliced bread", category="Food > Bakery", diet=("vegan", "gluten-free"))
    assert violation(marked, Constraints(diets=("gluten-free",))) is None
    assert (
        violation(product("Wool Socks", kind="hiking socks", material="merino wool"), Constraints(allergens=("wool",))) == "contains wool"
    )
    assert violation(product("Straw Bedding Bale", kind="straw bedding"), Constraints(allergens=("straw",))) == "contains straw"


def test_no_constraints_allow_everything():
    assert violation(TENT, Constraints()) is None


def test_titles_alone_are_enough():
    assert violation(product("Acme Folding Tent with Poles, Green"), Constraints(owned=("tent",))) == "you already have a tent"
    assert violation(product("Acme Stakes for Tents"), Constraints(owned=("tent",))) is None


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=200), st.text(max_size=60))
def test_never_raises(title, phrase):
    constraints = Constraints(exclude=(phrase,), owned=(phrase[::-1],), allergens=(phrase,), diets=(phrase,))
    Eligibility(constraints).violation(product(title, kind=title[:20]))


def test_fast_enough():
    filters = Eligibility(Constraints(exclude=("glass", "peanuts"), owned=("tent",), diets=("vegan",), ages=(7, 9), voltage="120v"))
    filters.violation(TENT)
    started = time.perf_counter()
    for _ in range(1000):
        filters.violation(TENT)
        filters.violation(PESTO)
    assert (time.perf_counter() - started) / 2000 < 300e-6
