"""How many of a product so many people need."""

from dataclasses import replace

import pytest

from ecomscript.quantities import Share, cost_usd, quantity_for, share
from ecomscript.schema import Product


def product(title, kind=None, category="", **attributes):
    return Product("p", title, kind=kind, category=category, attributes=attributes)


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (product("Beefy Patties, Frozen", "plant-based burger", "Food > Meat-Free > Patties", servings=4), Share(4, "servings")),
        (product("Curry Kit, Serves 4", "thai curry paste", "Food > Pantry > Asian Ingredients"), Share(4, "servings")),
        (product("Ridgeline Cabin Tent", "family camping tent", "Outdoors", capacity_people=6), Share(6, "places")),
        (product("Ridgeline 4-Person Tent, Grey"), Share(4, "places")),
        (product("White Dinnerware for 12, 36 Pieces", "dinnerware set", "Dining > Tableware"), Share(12, "places")),
        (product("Paper Plates, 9 Inch, 125 Count", "compostable party plate"), Share(125, "pack")),
        (product("Brioche Burger Buns, 12-Pack", "burger and hot dog buns", "Food > Bakery > Buns"), Share(12, "pack")),
        (product("Red Wine Glasses, Set of 6", "wine glass set", "Dining"), Share(6, "pack")),
        (product("Tall Glasses", "drinking glass set", "Dining", count=8), Share(8, "pack")),
        (product("Napkins, White, 1,000 Count", "paper napkin"), Share(1000, "pack")),
        (product("Down Bag, 0 °C", "three-season sleeping bag"), Share(1, "each")),
        (product("Mesh Chair, 2-Pack", "folding camp chair"), Share(2, "pack")),
    ],
)
def test_what_goes_by_people(one, expected):
    assert share(one) == expected


@pytest.mark.parametrize(
    "one",
    [
        product("Choplet Cutting Boards, Set of 4", "cutting board", "Kitchen", count=4),  # durable, shared
        product("Kettle Grill for Parties", "charcoal grill", "Outdoor Living", capacity_people=8),
        product("Strategy Game, 2-4 Players", "strategy board game", "Toys & Games", capacity_people=4),
        product("Baking Powder, 8 oz", "baking powder", "Food > Baking > Leavening", servings=20),  # an ingredient
        product("Tent Stakes, 8-Pack", "tent stake set", "Outdoors", count=8),
        product("Kids Bag, Fox Print", "kids sleeping bag", "Outdoors"),
        product("Junior Headlamp", "headlamp", "Outdoors", age_max=10),  # not for everybody
        product("Measuring Cups, Set of 6"),
        product("Harness for Dogs", "dog life jacket", "Pets"),
        product("Cabin Tent, Roomy", "family camping tent"),  # nobody says for how many
        product("", None),
    ],
)
def test_what_does_not(one):
    assert share(one) is None
    assert quantity_for(one, 12) == 1


@pytest.mark.parametrize("value", [True, "4", None, 0, -3, 0.5, float("nan"), float("inf"), 10**9, ("4",)])
def test_attributes_that_are_no_number_of_people_are_ignored(value):
    assert share(product("Cabin Tent", "family camping tent", capacity_people=value)) is None


def test_numbers_in_hostile_titles_are_bounded():
    assert share(product("Tent for 0 people", "family camping tent")) is None
    assert share(product("9" * 5000 + "-Person Tent", "family camping tent")) is None
    assert share(product("<b>${1}</b> Serves 4 " * 5000, "family camping tent")) == Share(4, "places")


@pytest.mark.parametrize(("people", "quantity"), [(None, 1), (0, 1), (1, 1), (8, 1), (9, 2), (12, 2), (16, 2), (17, 3), (10**6, 99)])
def test_enough_for_everybody_and_no_more(people, quantity):
    assert quantity_for(product("Paper Plates, Pack of 8", "compostable party plate"), people) == quantity


def test_a_tent_for_four_is_two_for_eight():
    assert quantity_for(product("4-Person Tent"), 8) == 2


def test_costs_count_how_many_are_needed():
    tent = replace(product("4-Person Tent"), price_usd=99.99)
    assert (cost_usd(tent, None), cost_usd(tent, 4), cost_usd(tent, 8)) == (99.99, 99.99, 199.98)
    assert cost_usd(product("4-Person Tent"), 8) == 0.0
