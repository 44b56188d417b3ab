import base64
import csv
import io
import json
import re
from dataclasses import replace

import pytest
from ui_fakes import CONFLICT, HOSTILE, PRODUCTS, match, verified_steps

from ecomscript.errors import InputError
from ecomscript.schema import Constraints, Match, MatchedStep, Product, Step
from ecomscript.ui.basket import MAX_LINES, Basket, Line, add_all, conflicts_in, edit, toggle
from ecomscript.ui.export import basket_csv, basket_json, basket_markdown, csv_cell
from ecomscript.ui.render_basket import basket_html

TENT, LAMP, GAME = PRODUCTS["tent"], PRODUCTS["lamp"], PRODUCTS["game"]


def test_one_line_per_product():
    basket = Basket().add([TENT, LAMP, TENT]).add([LAMP, GAME])
    assert basket.ids == ["tent", "lamp", "game"]
    assert (basket.items, basket.total_usd, basket.unpriced) == (3, 173.0, 1)


def test_quantities_are_held_to_1_and_99():
    basket = Basket().add([TENT])
    assert [basket.with_quantity("tent", n).items for n in (-3, 0, 7, 99, 100, 10**30)] == [1, 1, 7, 99, 99, 99]
    assert basket.with_quantity("nobody", 5) == basket


def test_toggle_adds_and_removes():
    once = toggle(Basket(), {"pid": "tent"}, PRODUCTS.get)
    assert once.ids == ["tent"]
    assert toggle(once, {"pid": "tent"}, PRODUCTS.get) == Basket()


@pytest.mark.parametrize("payload", [None, [], "tent", {}, {"pid": None}, {"pid": ["tent"]}, {"pid": {}}, {"pid": "not in the catalogue"}])
def test_forged_products_are_refused(payload):
    with pytest.raises(InputError, match="catalogue"):
        toggle(Basket(), payload, PRODUCTS.get)


def test_edit():
    basket = Basket().add([TENT, LAMP])
    assert edit(basket, {"act": "quantity", "pid": "tent", "quantity": 3}).items == 4
    assert [edit(basket, {"act": "more", "pid": "tent", "more": n}).items for n in (-1, 1, 2, 10**30)] == [2, 3, 4, 100]
    assert edit(basket, {"act": "more", "pid": "nobody", "more": 1}) == basket
    assert edit(basket, {"act": "remove", "pid": "tent"}).ids == ["lamp"]
    assert edit(basket, {"act": "clear"}) == Basket()
    marked = edit(edit(basket, {"act": "tick", "pid": "tent", "on": True}), {"act": "optional", "pid": "lamp", "on": True})
    assert [(line.ticked, line.optional) for line in marked.lines] == [(True, False), (False, True)]
    assert edit(edit(marked, {"act": "tick", "pid": "tent", "on": False}), {"act": "optional", "pid": "lamp", "on": False}) == basket
    assert edit(basket, {"act": "tick", "pid": "nobody", "on": True}) == basket


@pytest.mark.parametrize(
    "payload",
    [
        None,
        1,
        {},
        {"act": "drop"},
        {"act": "remove"},
        {"act": "quantity", "pid": "tent", "quantity": "2"},
        {"act": "quantity", "pid": "tent", "quantity": True},
        {"act": "quantity", "pid": ["tent"], "quantity": 2},
        {"act": "more", "pid": "tent", "more": "1"},
        {"act": "more", "pid": "tent", "more": True},
        {"act": "more", "more": 1},
        {"act": "tick", "pid": "tent"},
        {"act": "tick", "pid": "tent", "on": 1},
        {"act": "tick", "pid": {}, "on": True},
        {"act": "optional", "pid": "tent", "on": "true"},
        {"act": "optional", "on": True},
    ],
)
def test_forged_edits_are_refused(payload):
    with pytest.raises(InputError):
        edit(Basket().add([TENT]), payload)


def test_the_basket_is_bounded():
    with pytest.raises(InputError, match="at most"):
        Basket().add([Product(str(i), "x") for i in range(MAX_LINES + 1)])


def test_the_page_says_total_budget_and_what_has_no_price():
    markup = basket_html(Basket().add([TENT, GAME]), "camp", 100.0)
    for part in ("$149.00", "$49.00 over the budget", "without the 1 not priced", "is-over", "2 items"):
        assert part in markup
    assert "under the budget" in basket_html(Basket().add([TENT]), "camp", 200.0)
    assert "Your basket is empty" in basket_html(Basket())


def test_exports_are_links_that_hold_the_files():
    links = re.findall(r'href="data:([a-z/]+);charset=utf-8;base64,([^"]+)"', basket_html(Basket().add([TENT]), "camp"))
    files = {mime: base64.b64decode(data).decode() for mime, data in links}
    assert set(files) == {"text/csv", "text/markdown", "application/json"}
    assert json.loads(files["application/json"])["items"][0]["product_id"] == "tent"


@pytest.mark.parametrize("start", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", " =1"])
def test_no_cell_is_a_formula(start):
    assert csv_cell(start) == f"'{start}"
    row = next(iter(csv.DictReader(io.StringIO(basket_csv(Basket().add([replace(TENT, title=start, brand=start)]))))))
    assert row["title"] == row["brand"] == f"'{start}"


def test_csv_keeps_commas_quotes_and_new_lines():
    title = 'Tent, "two"\nrooms'
    row = next(iter(csv.DictReader(io.StringIO(basket_csv(Basket().add([replace(TENT, title=title)])), newline=""))))
    assert (row["title"], row["price_usd"], row["quantity"]) == (title, "149.0", "1")


def test_markdown_is_not_run():
    text = basket_markdown(Basket().add([replace(TENT, title="<b>[x](javascript:1)</b> *a*\n# b")]), "# goal\n<script>", 80)
    assert "\\<b\\>\\[x\\](javascript:1)" in text
    assert len([line for line in text.splitlines() if line.startswith("#")]) == 1


def test_json_has_null_for_what_is_unknown():
    whole = json.loads(basket_json(Basket().add([GAME]), "", None))
    assert whole["goal"] is whole["budget_usd"] is whole["items"][0]["price_usd"] is whole["items"][0]["subtotal_usd"] is None


def test_a_swap_keeps_place_and_quantity():
    basket = Basket().add([TENT, LAMP, GAME]).with_quantity("lamp", 3)
    swapped = basket.swap("lamp", PRODUCTS["pot"], 0.7)
    assert [(line.product.product_id, line.quantity, line.t2) for line in swapped.lines] == [
        ("tent", 1, None),
        ("pot", 3, 0.7),
        ("game", 1, None),
    ]
    assert [(line.product.product_id, line.quantity) for line in basket.swap("lamp", TENT).lines] == [("tent", 4), ("game", 1)]
    assert basket.with_quantity("tent", 98).swap("lamp", TENT).items == 99 + 1
    assert basket.swap("stove", PRODUCTS["pot"]) is basket


def test_exports_carry_scores_and_conflicts():
    stove, pot = PRODUCTS["stove"], PRODUCTS["pot"]
    basket = add_all(Basket(), [stove, pot, TENT], {"stove": 0.88, "tent": 0.99999})
    basket = toggle(basket, {"pid": "lamp"}, PRODUCTS.get, {"lamp": 0.5})
    conflicts = conflicts_in(basket, [CONFLICT], {stove.title, pot.title, TENT.title})
    assert conflicts == (CONFLICT,)
    rows = list(csv.DictReader(io.StringIO(basket_csv(basket, conflicts))))
    assert [row["t2"] for row in rows] == ["0.88", "", "1.0", "0.5"]
    assert [CONFLICT.reason in row["conflict"] for row in rows] == [True, True, False, False]
    whole = json.loads(basket_json(basket, "", None, conflicts))
    assert [item["t2"] for item in whole["items"]] == [0.88, None, 1.0, 0.5]
    assert whole["conflicts"] == [{"a": stove.title, "b": pot.title, "reason": CONFLICT.reason}]
    text = basket_markdown(basket, "camp", None, [replace(CONFLICT, reason="<b>x</b>")])
    assert "(fits its step: 0.88)" in text and "(fits its step: \\> 0.99)" in text
    assert "## Check before you buy" in text and "\\<b\\>x" in text


def test_a_conflict_leaves_the_exports_with_its_product():
    stove, pot = PRODUCTS["stove"], PRODUCTS["pot"]
    titles = {stove.title, pot.title}
    with_goal = replace(CONFLICT, b="camp in winter")
    assert conflicts_in(Basket().add([stove]), [CONFLICT, with_goal], titles) == (with_goal,)
    assert conflicts_in(Basket().add([TENT]), [CONFLICT, with_goal], titles) == ()


STEPS = verified_steps()


def test_quantities_follow_the_people_until_the_person_sets_one():
    basket = Basket().add([TENT, LAMP])
    for people, tents in ((8, 2), (9, 3), (4, 1), (None, 1)):
        basket = basket.follow("camp", Constraints(people=people), STEPS)
        assert [line.quantity for line in basket.lines] == [tents, 1]
    eight = basket.follow("camp", Constraints(people=8), STEPS)
    assert eight.lines[0].sum_words == "2 × 4-person for 8 people" and eight.lines[1].sum_words == ""
    mine = eight.with_quantity("tent", 1).follow("camp", Constraints(people=8), STEPS)
    assert mine.lines[0].quantity == 1
    assert mine.lines[0].sum_words == "your number; 2 × 4-person for 8 people would do"
    assert mine.follow("camp", Constraints(people=40), STEPS).lines[0].quantity == 1


def test_lines_of_another_plan_keep_their_people():
    basket = Basket().add([TENT]).follow("camp", Constraints(people=8), STEPS)
    assert basket.follow("bake", Constraints(people=2), ()) == basket
    assert basket.lines[0].origin.goal == "camp"


def test_a_product_of_two_steps_is_one_line_that_names_both():
    twice = (*STEPS, MatchedStep(Step("s9", "Sleep again"), (match("tent", 0.5, "sleep"),)))
    basket = add_all(Basket(), [TENT, LAMP, TENT]).follow("camp", Constraints(), twice)
    assert len(basket.lines) == 2
    assert basket.lines[0].origin.steps == ("Set up a dry place to sleep", "Sleep again")
    assert "For: Set up a dry place to sleep · Sleep again" in basket_html(basket)


def test_a_swap_keeps_the_marks_of_the_person():
    basket = Basket().add([TENT, LAMP]).with_optional("lamp", True).with_ticked("lamp", True).with_quantity("lamp", 2)
    (line,) = (line for line in basket.swap("lamp", GAME).lines if line.product == GAME)
    assert (line.quantity, line.by_hand, line.optional, line.ticked) == (2, True, True, False)


def test_products_that_left_the_catalogue_can_still_be_worked_with():
    gone = Product("gone", HOSTILE[0], price_usd=5.0)
    basket = Basket((Line(gone), Line(TENT)))
    for payload in ({"act": "tick", "on": True}, {"act": "optional", "on": True}, {"act": "quantity", "quantity": 3}):
        basket = edit(basket, {**payload, "pid": "gone"})
    assert basket.total_usd == 164.0
    markup = basket_html(basket, HOSTILE[0], 100.0)
    assert "<img" not in markup and "&lt;img" in markup and " checked" in markup and "1 of 2 ticked off" in markup
    assert toggle(basket, {"pid": "gone"}, PRODUCTS.get).ids == ["tent"]


def test_exports_carry_need_and_ticks():
    basket = Basket().add([TENT, LAMP]).with_optional("lamp", True).with_ticked("tent", True).with_quantity("tent", 2)
    rows = list(csv.DictReader(io.StringIO(basket_csv(basket))))
    assert [(row["quantity"], row["need"], row["ticked"]) for row in rows] == [("2", "must have", "yes"), ("1", "nice to have", "no")]
    text = basket_markdown(basket, "camp", None)
    assert "- [x] 2 × Cairnfold" in text and "- [ ] 1 × Wickerlight" in text and "$24.00 (nice to have)" in text
    items = json.loads(basket_json(basket, "camp", None))["items"]
    assert [(item["quantity"], item["must_have"], item["ticked"]) for item in items] == [(2, True, True), (1, False, False)]


def test_the_sum_is_said_in_words():
    meal = Product("meal", "Curry Kit", category="Food > Meals", attributes={"servings": 4}, price_usd=9.0)
    bag = Product("down", "Down Bag", kind="three-season sleeping bag", price_usd=90.0)
    plates = Product("plates", "Paper Plates, Pack of 8", kind="compostable party plate", price_usd=5.0)

    def words(product, people):
        steps = (MatchedStep(Step("s1", "Eat and sleep"), (Match(product, "", 0.5, ""),)),)
        return Basket().add([product]).follow("camp", Constraints(people=people), steps).lines[0].sum_words

    assert words(meal, 1) == "1 × 4 servings for 1 person"
    assert words(bag, 4) == "4 × one each for 4 people"
    assert words(plates, 12) == "2 × pack of 8 for 12 people"


def test_what_is_turned_down_goes_aside_and_comes_back_when_that_is_undone():
    steps = [MatchedStep(Step("s1", "Sleep"), (match("tent", 0.7, ""), match("lamp", 0.6, "")))]
    basket = Basket().add([GAME]).follow("another goal", Constraints(), [MatchedStep(Step("s", "Play"), (match("game", 0.7, ""),))])
    basket = basket.add([TENT, LAMP]).with_quantity("tent", 3).follow("camp", Constraints(), steps)
    without = basket.without({"tent", "game"}, "camp", {"lamp"})
    assert without.ids == ["game", "lamp"]  # what another plan brought stays
    assert without.remove("lamp").without({"tent"}, "camp", {"lamp"}).ids == ["game"]
    back = without.without(set(), "camp", {"tent", "lamp"})
    assert back.ids == ["game", "lamp", "tent"] and back.lines[-1].quantity == 3 and back.aside == ()
    assert without.without(set(), "other", {"tent"}).ids == ["game", "lamp"]
