"""The offer to come back under the budget is the best there is."""

import itertools
import time
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecomscript.errors import InputError
from ecomscript.schema import Constraints, Match, Product
from ecomscript.ui.basket import MAX_LINES, Basket, Line, Origin
from ecomscript.ui.budget_swap import Choice, Offer, best_choices, find_offer, take_offer, without_scores
from ecomscript.ui.render_basket import offer_html

PLAN = Origin("camp", ("Set up a dry place to sleep",), Constraints(people=8))


def product(pid, price, title="", **attributes):
    return Product(pid, title or pid, kind=pid[0], price_usd=price, attributes=attributes)


def line(pid, price, t2=0.9, **more):
    return Line(product(pid, price), t2=t2, origin=PLAN, **more)


def match(pid, price, t2, title=""):
    return Match(product(pid, price, title), "", 0.5, "", t2)


def finder(**found):
    return lambda held: found.get(held.product.product_id, ())


def changed(offer):
    return [(c.old.product.product_id, c.new and c.new.product.product_id) for c in offer.changes]


groups_of_choices = st.lists(
    st.tuples(
        st.integers(0, 100),
        st.booleans(),
        st.lists(st.tuples(st.integers(0, 60), st.integers(0, 100)), max_size=3),
    ),
    min_size=1,
    max_size=5,
)


@settings(max_examples=300, deadline=None)
@given(groups_of_choices, st.integers(1, 150))
def test_no_combination_is_better(drawn, needed):
    groups = [
        [Choice(0, kept, must, 0), *(Choice(saved, confidence, must) for saved, confidence in others)] for kept, must, others in drawn
    ]

    def aims(combination):
        must, nice = (sum(c.confidence for c in combination if c.must is wanted) for wanted in (True, False))
        return must, nice, -sum(c.changes for c in combination)

    fitting = [aims(c) for c in itertools.product(*groups) if sum(x.saved_cents for x in c) >= needed]
    chosen = best_choices(groups, needed)
    if not fitting:
        assert chosen is None
        return
    taken = [group[n] for group, n in zip(groups, chosen, strict=True)]
    assert sum(c.saved_cents for c in taken) >= needed
    assert aims(taken) == max(fitting)


def test_exact_where_greedy_is_not():
    basket = Basket((line("a", 100.0, 0.9), line("b", 60.0, 0.9), line("c", 60.0, 0.9)))
    found = finder(a=[match("a2", 60.0, 0.3)], b=[match("b2", 40.0, 0.8)], c=[match("c2", 40.0, 0.8)])
    assert changed(find_offer(basket, 180.0, found)) == [("b", "b2"), ("c", "c2")]
    assert find_offer(basket, 180.0, found).after.total_usd == 180.0


def test_ties_are_broken_by_fewest_swaps():
    basket = Basket((line("a", 30.0, 0.8), line("b", 30.0, 0.8), line("c", 30.0, 0.8)))
    found = finder(a=[match("a2", 25.0, 0.8)], b=[match("b2", 25.0, 0.8)], c=[match("c2", 20.0, 0.8)])
    assert changed(find_offer(basket, 80.0, found)) == [("c", "c2")]


def test_what_is_nice_to_have_goes_first():
    basket = Basket((line("a", 30.0, 0.5), line("b", 30.0, 0.99, optional=True)))
    found = finder(a=[match("a2", 5.0, 0.95)])
    assert changed(find_offer(basket, 40.0, found)) == [("b", None)]
    assert changed(find_offer(replace_optional(basket, False), 40.0, found)) == [("a", "a2")]


def replace_optional(basket, optional):
    return Basket(tuple(replace(held, optional=optional) for held in basket.lines))


def test_what_is_nice_to_have_is_swapped_rather_than_left_out_where_that_is_enough():
    basket = Basket((line("a", 30.0, 0.5), line("b", 30.0, 0.9, optional=True), line("c", 30.0, 0.2, optional=True)))
    found = finder(a=[match("a2", 5.0, 0.5)], b=[match("b2", 22.0, 0.8)])
    assert changed(find_offer(basket, 85.0, found)) == [("b", "b2")]
    assert changed(find_offer(basket, 60.0, found)) == [("c", None)]
    assert changed(find_offer(basket, 20.0, found)) == [("a", "a2"), ("b", None), ("c", None)]


def test_a_must_have_is_never_left_out_and_what_is_ticked_stays():
    ticked = Basket((line("a", 100.0, ticked=True, optional=True), line("b", 20.0)))
    assert find_offer(ticked, 50.0, finder(a=[match("a2", 1.0, 0.9)], b=[match("b2", 10.0, 0.9)])).changes == ()


def test_quantities_count_and_follow_the_people():
    tent = Line(product("t1", 100.0, "Cabin 4-Person Tent", capacity_people=4), quantity=2, t2=0.9, origin=PLAN)
    tent = replace(tent, product=replace(tent.product, kind="tent"))
    small = Match(replace(product("t2", 60.0, "2-Person Tent", capacity_people=2), kind="tent"), "", 0.5, "", 0.9)
    large = Match(replace(product("t3", 150.0, "8-Person Tent", capacity_people=8), kind="tent"), "", 0.5, "", 0.7)
    unsaid = Match(replace(product("t4", 90.0, "Tent"), kind="tent"), "", 0.5, "", 0.8)
    offer = find_offer(Basket((tent,)), 190.0, finder(t1=[small, large, unsaid]))
    assert [(c.new.product.product_id, c.new.quantity, c.saved_usd) for c in offer.changes] == [("t4", 2, 20.0)]  # four small ones cost 240
    offer = find_offer(Basket((tent,)), 160.0, finder(t1=[small, large, unsaid]))
    assert [(c.new.product.product_id, c.new.quantity) for c in offer.changes] == [("t3", 1)]
    by_hand = find_offer(Basket((replace(tent, quantity=3, by_hand=True),)), 200.0, finder(t1=[small]))
    assert [(c.new.quantity, c.new.by_hand) for c in by_hand.changes] == [(3, True)]


def test_within_the_budget_or_without_one_there_is_no_offer():
    basket = Basket((line("a", 19.99),))
    never = finder()
    assert find_offer(basket, None, never) is find_offer(basket, 19.99, never) is find_offer(Basket(), 0.01, never) is None


def test_lines_without_a_price_are_left_alone():
    basket = Basket((Line(product("a", None)), line("b", 20.0)))
    offer = find_offer(basket, 10.0, finder(a=[match("a2", 1.0, 0.9)], b=[match("b2", None, 0.9), match("b3", 9.0, 0.2)]))
    assert changed(offer) == [("b", "b3")]


def test_a_product_is_offered_once_and_never_twice_in_the_basket():
    basket = Basket((line("a", 30.0), line("b", 30.0), line("c", 5.0)))
    same = [match("c", 5.0, 0.9), match("x", 10.0, 0.8)]
    assert changed(find_offer(basket, 50.0, finder(a=same, b=same))) == [("a", "x")]
    assert find_offer(basket, 30.0, finder(a=same, b=same)).changes == ()


def test_scores_of_a_weak_verifier_do_not_count():
    found = without_scores([match("a2", 10.0, 0.1), match("a3", 9.0, 0.9)])
    assert [m.t2 for m in found] == [None, None]
    assert len(find_offer(Basket((line("a", 30.0, None),)), 20.0, finder(a=found)).changes) == 1


def test_an_offer_holds_for_its_own_basket_alone():
    basket = Basket((line("a", 30.0), line("b", 5.0)))
    offer = find_offer(basket, 20.0, finder(a=[match("a2", 10.0, 0.8)]))
    assert take_offer(basket, offer).ids == ["a2", "b"]
    for held, offered in ((basket, None), (basket.remove("b"), offer), (basket, Offer(basket, 20.0, ()))):
        with pytest.raises(InputError, match="has changed"):
            take_offer(held, offered)


def test_a_full_basket_far_over_its_budget_takes_no_second():
    lines = [line(f"p{n}", 20.0 + n * 7.31, 0.5 + n % 50 / 100, quantity=99, by_hand=True) for n in range(MAX_LINES)]
    found = {
        held.product.product_id: [match(f"{held.product.product_id}-{k}", 19.0 - k + n * 6.17, 0.4 + (n * k) % 60 / 100) for k in range(10)]
        for n, held in enumerate(lines)
    }
    basket = Basket(tuple(lines))
    started = time.process_time()
    offer = find_offer(basket, round(basket.total_usd * 0.9, 2), finder(**found))
    assert offer.changes and offer.after.total_usd <= offer.budget_usd
    assert time.process_time() - started < 3.0


def test_the_offer_in_words():
    title = "<img src=x onerror=alert(1)> Tent, ${x}"
    basket = Basket((line("a", 43.0), line("b", 30.0, optional=True), Line(product("h", 9.0, title), optional=True)))
    text = offer_html(find_offer(basket, 55.0, finder(a=[match("a2", 20.0, 0.9)], b=[])))
    assert "Over by $27.00" in text
    hostile = offer_html(find_offer(basket, 43.0, finder()))
    assert "Leave out" in hostile and "<img" not in hostile and "&lt;img" in hostile
    two = offer_html(
        find_offer(Basket((line("a", 30.0), line("b", 30.0))), 41.0, finder(a=[match("a2", 20.0, 0.8)], b=[match("b2", 20.0, 0.8)]))
    )
    assert "Swap these two" in two and "a → a2" in two and "Then $40.00, $1.00 under the budget." in two
    assert "No choice of these" in offer_html(find_offer(Basket((line("a", 30.0),)), 5.0, finder()))
    assert offer_html(None) == ""
