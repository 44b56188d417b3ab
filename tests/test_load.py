"""Visitors without a browser: against the real page with a fake pipeline."""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from ui_fakes import CARDS, FakePipeline, describe

from ecomscript.config import Settings
from ecomscript.evaluation import load_task
from ecomscript.evaluation.load_task import Log
from ecomscript.evaluation.visitor import VisitError, Visitor, connect, read_page
from ecomscript.ui.border import PLAN_SLOTS
from ecomscript.ui.page import build_ui, launch

FORM = {"goal": "camping", "budget": "", "people": "", "exclude": ""}
PLAN = ("plan-button", "click", None, FORM)


@pytest.fixture(scope="module")
def url():
    demo = build_ui(FakePipeline(delay_s=0.15), describe, CARDS)
    yield launch(demo, Settings(), prevent_thread_lock=True)
    demo.close(verbose=False)


def visit(url, *actions):
    """Run what visitors do, each ``action(visitor)`` with a session of its own and all at once; return what they return."""

    async def everybody():
        page = await read_page(url)

        async def one(action):
            async with connect(url) as client:
                return await action(Visitor(client, page))

        return await asyncio.gather(*map(one, actions))

    with ThreadPoolExecutor(1) as own:  # a browser test that went before may have left a loop in this thread
        return own.submit(asyncio.run, everybody()).result()


def test_a_visitor_sees_what_the_page_shows(url):
    async def shop(visitor):
        planned = await visitor.send(*PLAN)
        edited = await visitor.send("plan", "edit", {"act": "add", "text": "Pack the tent"})
        filled = await visitor.send("plan", "all")
        shared = await visitor.send("plan", "code", {"for": "share"})
        return planned, edited, filled, shared

    ((planned, edited, filled, shared),) = visit(url, shop)
    assert "Done in" in planned.shown["status"] and 'data-step="' in planned.shown["plan"]
    assert "Pack the tent" in edited.shown["plan"] and "Pack the tent" not in planned.shown["plan"]
    assert filled.shown["plan.props"]["cart"] and "es-basket" in filled.shown["basket"]
    assert shared.shown["kept.props"]["made"]["code"].startswith("1.")
    assert planned.seconds > edited.seconds > 0


def test_an_error_of_the_page_is_an_error_of_the_visit(url):
    async def forge(visitor):
        await visitor.send(*PLAN)
        with pytest.raises(VisitError, match="Reload the page"):
            await visitor.send("plan", "edit", {"act": "drop table"})

    visit(url, forge)


def test_visitors_wait_their_turn_and_one_who_leaves_makes_room(url):
    async def plan(visitor):
        return await visitor.send(*PLAN)

    answers = visit(url, *[plan] * (PLAN_SLOTS + 3))
    assert sum(answer.waited for answer in answers) >= 3

    async def leave(visitor):
        await visitor.leave_during("plan-button", "click", FORM)

    alone = visit(url, plan)[0].seconds
    started = time.perf_counter()
    visit(url, *[leave] * PLAN_SLOTS * 2)
    (after,) = visit(url, plan)
    assert not after.waited
    assert time.perf_counter() - started < 4 * alone


def test_what_belongs_to_another_visitor_is_noticed():
    chips = "<span>Remove: </span>for 7 people<span>x</span>"
    assert load_task.foreign(f"{chips} <h3>Write the place cards at table 7</h3>", 7) == []
    assert load_task.foreign(f"{chips} <h3>Write the place cards at table 12</h3>", 7) == ["table 12"]
    assert load_task.foreign(chips, 12) == ["for 7 people"]


def test_the_run_is_summed_up():
    log = Log(memory_mb=[(float(s), 1000.0 + min(s, 40)) for s in range(61)], errors=["b", "a", "a"], left=2)
    log.begun_s = [float(n // 4) for n in range(160)]  # the hundredth after 24 seconds
    log.seconds["plan"] = [1.0, 2.0, 3.0]
    log.waited["plan"] = 1
    assert load_task._total(log, 5, 60.0) == {
        "what": "all", "visitors": 5, "run_s": 60, "actions": 3, "errors": 3, "foreign_answers": 0, "left_midway": 2,
        "sessions": 160, "kept_sessions": 100, "full_s": 24, "memory_mb_at_start": 1000, "memory_mb_at_end": 1040,
        "memory_mb_first_third": 1030, "memory_mb_last_third": 1040, "first_errors": ["a", "b"],
    }  # fmt: skip
    few = load_task._memory(Log(memory_mb=[(0.0, 1000.0), (1.0, 1001.0)], begun_s=[0.5]))
    assert (few["full_s"], few["memory_mb_first_third"], few["memory_mb_last_third"]) == (None, None, None)
    assert load_task._action("plan", log) == {"what": "plan", "times": 3, "waited": 1, "p50": 2.0, "p95": 2.9}
