"""Which bundles clash, at which places and why; each rule with a neighbour that holds together."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecomscript.verification.compatibility import Placed, clashes, rule_names


def found(objective, *titles, **attributes):
    """Return (rule, first, second) of every clash of a bundle of titles; ``attributes`` are those of the first product."""
    bundle = [Placed("do it", title, attributes=attributes if place == 0 else {}) for place, title in enumerate(titles)]
    return [(clash.rule, clash.first, clash.second) for clash in clashes(objective, bundle)]


PAIRS = [
    ("lens mount", "Mirrorless camera body, E-mount", "85 mm f/1.8 portrait lens, Canon RF-mount", "85 mm f/1.8 portrait lens, E-mount"),
    ("filter thread", "Zoom lens f/4, 77 mm filter thread", "ND64 filter 67 mm, screw-in", "ND64 filter 77 mm, screw-in"),
    ("memory type", "Mainboard AM5, DDR5, ATX", "Memory kit 32 GB DDR4-3200", "Memory kit 32 GB DDR5-6000"),
    ("CPU socket", "Mainboard AM5, DDR5, ATX", "Processor LGA 1700, boxed", "Processor AM5, boxed"),
    ("coffee capsule", "Vertuo capsule machine", "Original Line capsules, 40 pieces", "Vertuo capsules, 40 pieces"),
    ("battery platform", "LXT hammer drill, body only", "DeWalt XR 18V battery 5 Ah", "LXT battery 5 Ah with charger"),
    ("bicycle wheel size", "Road bike tyre 700 x 25C", "Inner tube 26 x 1.75, Schrader", "Inner tube 700 x 20-28C, Presta"),
    ("disc mount", "Gravel wheel, Center Lock hub", "Brake rotor 160 mm, six-bolt", "Brake rotor 160 mm, Center Lock"),
    ("bulb base", "Pendant lamp with E27 holder", "LED bulbs GU10 5 W, 3 pack", "LED bulbs E26 8 W, 3 pack"),
    ("lug width", "Sports watch 46 mm case, 22 mm lugs", "Leather watch strap 18 mm, brown", "Leather watch strap 22 mm, brown"),
    ("mattress size", "Wooden cot for 120 x 60 cm mattress", "Cot mattress, 140 x 70 x 10 cm", "Cot mattress, 60 x 120 x 10 cm"),
    ("filament diameter", "FDM 3D printer, 1.75 mm filament", "PLA filament 2.85 mm, 1 kg", "PLA filament 1.75 mm, 1 kg"),
    ("guitar strings", "Classical guitar 4/4, cedar top", "Phosphor bronze steel strings, set", "Nylon strings for classical guitar"),
    ("supply voltage", "LED strip 24 V DC, 5 m", "LED driver 12 V DC, 100 W, plug-in", "LED driver 24 V DC, 100 W"),
    (
        "battery voltage",
        "LiFePO4 battery 12.8 V 100 Ah",
        "Sine inverter 24 V DC to 230 V AC, 500 W",
        "Sine inverter 12 V DC to 230 V AC, 500 W",
    ),
    ("power", "Sine inverter 12 V to 230 V, 600 W", "Microwave oven 20 litre, 1250 W input", "Coffee mill 150 W"),
    ("load", "Roof bars, load 50 kg, pair", "Hard-shell roof tent for two, 68 kg", "Hard-shell roof tent for two, 48 kg"),
    ("boots and bindings", "Snowboard boots EU 45", "Snowboard bindings, boots EU 36–40", "Snowboard bindings, boots EU 41–46"),
    ("pan and hob", "Built-in induction hob 60 cm", "Aluminium crêpe pan 28 cm, for gas", "Aluminium pan 28 cm with steel base, induction"),
    ("yarn and needles", "Fingering sock yarn, 100 g", "Straight needles 12 mm, birch", "Circular needles 2.5 mm, steel"),
]


@pytest.mark.parametrize(("rule", "host", "wrong", "right"), PAIRS, ids=[pair[0] for pair in PAIRS])
def test_two_products(rule, host, wrong, right):
    clash = next(c for c in found("Do something nice", host, wrong) if c[0] == rule)
    assert {clash[1], clash[2]} == {0, 1}
    assert rule not in {c[0] for c in found("Do something nice", host, right)}


GOALS = [
    ("mains voltage", "Set up a first flat in Lyon", "Stand mixer 325 W, 120 V 60 Hz", "Stand mixer 800 W, 230 V 50 Hz"),
    ("mains plug", "Set up a first flat in Chicago", "Kettle with UK plug, 2 kW", "Kettle with US plug, 1.5 kW"),
    ("too young", "Make porridge for a 7-month-old", "Acacia honey 250 g", "Apple puree 250 g"),
    ("age range", "Give a 3-year-old a first kit", "Science kit, ages 8+", "Science kit, ages 3-6"),
    ("child's height", "Drive with a child who is 80 cm tall", "Booster R129, 100–150 cm", "Car seat R129, 61–105 cm"),
    ("animal", "Move house with a nervous tomcat", "Pheromone diffuser for dogs", "Pheromone diffuser for cats"),
    ("animal's weight", "Walk a 30 kg dog", "Harness for dogs, 5–12 kg", "Harness for dogs, 25–40 kg"),
    (
        "user's weight",
        "Make the shower safe for a father who weighs 148 kg",
        "Shower stool, max user weight 110 kg",
        "Stool, max user weight 148 kg",
    ),
    ("people", "Camp with a group of seven", "Tunnel tent, sleeps four", "Tunnel tent, sleeps eight"),
    ("life stage", "Feed a 4-month-old Labrador puppy", "Senior dry food, 12 kg", "Puppy dry food, 12 kg"),
    ("diet", "Bake for a friend with a nut allergy", "Hazelnut praline 200 g", "Nut-free praline 200 g"),
    ("diet", "Bake a gluten-free cake", "Spelt flour 1 kg", "Gluten-free oat flour 1 kg"),
    ("temperature", "Sleep out where it falls to -12 °C", "Down sleeping bag, comfort +7 °C", "Down sleeping bag, comfort -15 °C"),
    ("season", "Get the car ready for January in Finland", "Summer screenwash 3 litre", "Winter screenwash 3 litre"),
    ("indoor only", "Light a pergola in the garden", "Festoon string 20 m, IP20", "Festoon string 20 m, IP44"),
    ("hardiness zone", "Plant a border in USDA zone 4", "Agapanthus, hardy in zones 8 to 11", "Peony, hardy in zones 3 to 8"),
    ("shoe size", "Equip a woman with EU 42 feet", "Hiking boots, EU 39", "Hiking boots, EU 42"),
    ("tank volume", "Heat a 200 l tank", "Heater for up to 60 l", "Heater for 150–200 l"),
    ("cabin baggage", "Fly to Lisbon with hand luggage only", "Picnic knife, 9 cm blade", "Wooden picnic spoon"),
    ("system voltage", "Renew the lamps of a 6 V motorcycle", "Bulb 12 V 21 W, 2 pack", "Bulb 6 V 21 W, 2 pack"),
    ("charger power", "Charge a 96 W laptop on the road", "USB-C charger 30 W", "USB-C charger 100 W"),
    ("skill", "Take a beginner skiing", "Slalom ski for experts only", "Piste ski for beginners"),
]


@pytest.mark.parametrize(("rule", "objective", "wrong", "right"), GOALS, ids=[f"{goal[0]}: {goal[2]}" for goal in GOALS])
def test_product_against_objective(rule, objective, wrong, right):
    assert (rule, 0, None) in found(objective, wrong)
    assert found(objective, right) == []


def test_a_third_product_can_bridge_a_mismatch():
    body, lens = "Mirrorless camera body, E-mount", "85 mm f/1.8 lens, EF-mount"
    assert found("Take portraits", body, lens)
    assert found("Take portraits", body, lens, "EF to E-mount adapter with autofocus") == []


def test_a_need_is_content_with_one_agreeing_host():
    titles = "LXT sander, body only", "DeWalt XR 18V battery", "LXT battery 5 Ah"
    assert found("Sand a floor", *titles) == []


def test_several_tents_add_up():
    assert found("Camp with a group of seven", "Dome tent, sleeps four", "Ridge tent, sleeps three") == []
    assert found("Camp with a group of seven", "Dome tent, sleeps four, 2 pack") == []


def test_tableware_multiplies():
    assert found("Dine with eight guests", "Plates for 4 people, white") == []


@pytest.mark.parametrize(
    "title", ["Glass butter dish", "Vegan butter block 250 g", "Cocoa butter 100 g", "Almond milk 1 l", "Egg-free toy food"]
)
def test_diet_words_that_are_no_substance(title):
    assert found("Bake a vegan cake", title) == []


def test_dual_voltage_and_transformers_serve_every_country():
    assert found("Style hair on a trip from Toronto to Sydney", "Hair dryer 120/240 V, dual voltage") == []
    assert found("Set up a flat in Lyon", "Stand mixer 120 V", "Step-down transformer 230 V to 120 V, 1000 W") == []


def test_attributes_decide_where_a_title_is_silent():
    assert found("Set up a flat in Lyon", "Stand mixer", voltage="120v") == [("mains voltage", 0, None)]
    assert found("Set up a flat in Lyon", "Stand mixer 120 V", voltage="dual") == []
    assert found("Walk a 30 kg dog", "Padded harness", pet_weight_max_kg=12) == [("animal's weight", 0, None)]


def test_what_must_never_meet():
    assert found("Cure white spot", "Cherry shrimp for the aquarium", "Copper sulphate remedy 100 ml") == [("poisonous to animals", 1, 0)]
    assert found("Ride lawfully through London on public roads", "Electric scooter 500 W") == [("forbidden there", 0, None)]


def test_features_excuse_but_never_accuse():
    objective = "Bake for a friend with a nut allergy"
    assert clashes(objective, [Placed("bake", "Praline 200 g", "free from nuts")]) == ()
    assert clashes(objective, [Placed("bake", "Dark chocolate 200 g", "great with hazelnuts")]) == ()


def test_the_reason_names_both_sides():
    (clash,) = clashes("Camp", [Placed("cook", "Vertuo capsule machine"), Placed("cook", "Original Line capsules")])
    assert "Vertuo" in clash.reason
    assert "Original Line" in clash.reason
    assert clash.reason.endswith(".")


def test_rule_names_are_unique_and_cover_all_clashes():
    names = rule_names()
    assert len(names) == len(set(names)) > 50
    assert {pair[0] for pair in PAIRS} | {goal[0] for goal in GOALS} <= set(names)


def test_nothing_to_compare():
    assert clashes("", []) == ()
    assert clashes("Camp", []) == ()


@given(st.text(max_size=120), st.lists(st.text(max_size=120), max_size=5))
def test_any_text_is_judged(objective, titles):
    clashes(objective, [Placed("step", title) for title in titles])


_TITLES = [title for pair in PAIRS for title in pair[1:]]


@given(st.lists(st.sampled_from(_TITLES), max_size=8))
def test_places_lie_in_the_bundle(titles):
    for clash in clashes("Do something nice for 9 people in Berlin", [Placed("step", title) for title in titles]):
        assert 0 <= clash.first < len(titles)
        assert clash.second is None or (0 <= clash.second < len(titles) and clash.second != clash.first)
