"""What the tools ask of the pipeline."""

from dataclasses import replace

import gradio as gr
import pytest
from ui_fakes import CARDS, PRODUCTS, FakePipeline, verified_steps

from ecomscript.association.alternatives import Wanted
from ecomscript.schema import Constraints, Product
from ecomscript.ui.basket import Basket, Line
from ecomscript.ui.basket_tools import BasketTools
from ecomscript.ui.compare import Comparison
from ecomscript.ui.trust import Backing
from ecomscript.ui.view import PlanView

VIEW = PlanView(goal="camp", constraints=Constraints(budget_usd=530.0, people=8, exclude=("glass",)), matched=verified_steps())


class Asked(FakePipeline):
    def alternatives(self, goal, places, taken):
        self.asked = (goal, places, taken)
        return super().alternatives(goal, places, taken)


def tools(cards=CARDS):
    with gr.Blocks():
        found = BasketTools(Asked(), Backing(cards))
        found.build_offer()
        return found


def basket():
    return Basket().add(VIEW.products, VIEW.t2).follow(VIEW.goal, VIEW.constraints, VIEW.matched)


def test_other_products_of_the_same_kind_that_keep_the_constraints():
    asked = tools()
    found = asked.alternatives(basket().lines[0])
    assert {match.product.product_id for match in found} == {"tent2", "tent3"}
    constraints = replace(VIEW.constraints, budget_usd=298.0)
    assert asked.planner.asked == ("camp", [Wanted("Set up a dry place to sleep", "tent", constraints, 10, own_kind=True)], ("tent",))


def test_a_weak_verifier_gives_no_scores():
    weak = tools({"t2": replace(CARDS["t1"], task="t2")})
    assert {match.t2 for match in weak.alternatives(basket().lines[0])} == {None}


def test_a_line_that_no_plan_knows_is_left_alone():
    assert tools().alternatives(Line(PRODUCTS["tent"])) == []
    assert tools().alternatives(Line(Product("gone", "Gone"))) == []


def test_the_best_two_swaps_are_offered():
    offered, _, markup = tools().on_changed(VIEW, basket(), {})
    assert [(c.old.product.product_id, c.new.product.product_id) for c in offered.changes] == [("tent", "tent3"), ("mat", "mat2")]
    assert "Over by $28.49" in markup and "Swap these two" in markup
    assert tools().on_changed(PlanView(), basket(), {}) == (None, {}, "")


def test_only_a_line_that_has_changed_is_looked_up_again():
    asked = tools()
    offered, looked, _ = asked.on_changed(VIEW, basket(), {})
    del asked.planner.asked
    ticked = basket().with_ticked("lamp", True).with_optional("bag", True)
    asked.on_changed(VIEW, ticked, looked)
    assert not hasattr(asked.planner, "asked")
    _, looked, _ = asked.on_changed(VIEW, ticked.with_quantity("pot", 2), looked)
    assert asked.planner.asked[2] == ("pot",)
    assert asked.on_changed(VIEW, basket(), looked)[0] == offered


def test_forged_comparisons_end_in_an_error_of_the_page():
    with pytest.raises(gr.Error, match="older page"):
        tools().on_compare(VIEW, Comparison(), gr.EventData(None, {"pid": "nobody"}))
