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


RODS = [
    product("Vorhang Curtain Rod", kind="curtain rod"),
    product("Stange Curtain Rod with Screws", kind="curtain rod"),
    product("Springspan No-Drill Tension Rod", kind="curtain rod"),
]


def test_next_to_a_variant_that_does_without_silence_is_a_yes():
    shown = [reason is None for reason in Eligibility(Constraints(exclude=("drilling",))).violations(RODS)]
    assert shown == [False, False, True]
    assert Eligibility(Constraints(exclude=("glue",))).violations(RODS) == [None] * 3
    assert Eligibility(Constraints()).violations(RODS) == [None] * 3


def test_a_variant_that_does_without_tells_nothing_where_no_kin_has_it():
    silent = [product("Hook", kind="tick tool"), product("Hook, No Batteries", kind="tick tool")]
    powered = [*silent, product("Lit Hook, 2 Batteries Included", kind="tick tool")]
    rules = Eligibility(Constraints(exclude=("batteries",)))
    assert rules.violations(silent) == [None, None]
    assert [reason is None for reason in rules.violations(powered)] == [False, True, False]


def test_where_most_are_made_of_it_one_that_does_not_say_is_made_of_it_too():
    bags = [product("Bag", kind="zip bag", material=material) for material in ("polyethylene", "polyethylene", "silicone")]
    unknown = product("Clear Bag", kind="zip bag")
    rules = Eligibility(Constraints(exclude=("plastic",)))
    assert [reason is None for reason in rules.violations([*bags, unknown])] == [False, False, True, False]
    assert rules.violations([bags[2], unknown]) == [None, None]


@pytest.mark.parametrize(
    ("text", "excluded", "hit"),
    [
        ("Choose a crate in which the dog can stand", "crate", True),
        ("Fill the balloons with water", "balloons", True),
        ("Teach a dog to sleep without a crate", "crate", False),
        ("Hang pictures on strips instead of nails", "nails", False),
        ("Cut the crated apples", "crate", False),
    ],
)
def test_a_step_that_speaks_of_what_is_ruled_out(text, excluded, hit):
    assert Eligibility(Constraints(exclude=(excluded,))).excludes(text) is hit


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
