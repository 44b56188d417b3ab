"""Fifty visitors at once: errors, answers of others, waiting, memory, seconds.

Every visitor plans for a number of people of their own and writes a step with their own number, so an answer that belongs to another
visitor shows it. They think for some seconds before each click, as people do; one in ten plans is left while it is being made.

The server keeps fewer sessions than by default, so that it holds as many as it ever will early in the run; what memory does from then
on is told apart.
"""

from __future__ import annotations

import asyncio
import random
import re
import time
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import httpx
import numpy as np

from ecomscript.evaluation.metrics import p50_p95
from ecomscript.evaluation.served import Served, served_app
from ecomscript.evaluation.visitor import PageMap, VisitError, Visitor, connect, read_page

VISITORS, SECONDS = 50, 300.0
KEPT_SESSIONS = 100
"""Sessions that the server keeps: those of the visitors and as many that are over."""
THINK_S = (4.0, 12.0)
LEAVES = 0.1
GOALS = (
    "host a backyard barbecue for {n} people",
    "picnic in the park for {n} people",
    "birthday dinner at home for {n} people",
    "pancake breakfast for {n} people",
    "board game night for {n} people",
)
STEP = "Write the place cards at table {n}"
SHARED = {"for": "share"}


@dataclass(slots=True)
class Log:
    """What the visitors saw.

    Attributes:
        seconds: Action → seconds of each time.
        waited: Action → how often others were in front.
        errors: What went wrong, in words.
        foreign: Answers that speak of another visitor.
        left: Plans that a visitor left.
        begun_s: When each session began, in seconds since the start.
        memory_mb: (seconds since the start, resident megabytes).
    """

    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    waited: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    errors: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)
    left: int = 0
    begun_s: list[float] = field(default_factory=list)
    memory_mb: list[tuple[float, float]] = field(default_factory=list)


def rows(seed: int, visitors: int = VISITORS, seconds: float = SECONDS) -> list[dict[str, Any]]:
    """Return one row for all together and one for each action.

    Args:
        seed: Of what visitors do and how long they think.
        visitors: How many there are at the same time.
        seconds: How long they come back.
    """
    with served_app(ECOMSCRIPT_SESSIONS=str(KEPT_SESSIONS)) as app:
        log = asyncio.run(_visit(app, seed, visitors, seconds))
    return [_total(log, visitors, seconds), *(_action(name, log) for name in sorted(log.seconds))]


def foreign(html: str, number: int) -> list[str]:
    """Return what an answer shows of visitors with another number: their people or their step."""
    own = {f"for {number} people", f"table {number}"}
    said = re.findall(r"(?<=</span>)for \d+ people(?=<)|(?<=at )table \d+", html)
    return [words for words in said if words not in own]


async def _visit(app: Served, seed: int, visitors: int, seconds: float) -> Log:
    log, started = Log(), time.monotonic()
    page = await read_page(app.url)

    async def watch() -> None:
        while True:
            log.memory_mb.append((time.monotonic() - started, app.memory_mb()))
            await asyncio.sleep(1)

    watching = asyncio.create_task(watch())
    people = [_person(app.url, page, n + 2, random.Random(f"{seed} {n}"), (started, started + seconds), log) for n in range(visitors)]
    await asyncio.gather(*people)
    await _after_all(app.url, page, log)
    watching.cancel()
    return log


async def _person(url: str, page: PageMap, number: int, rng: random.Random, span: tuple[float, float], log: Log) -> None:
    """Come back until the time is over, each time as a new session; ``span`` is the start and the end of the run."""
    await asyncio.sleep(rng.uniform(0, THINK_S[1]))
    while time.monotonic() < span[1]:
        log.begun_s.append(time.monotonic() - span[0])
        async with connect(url) as client:
            try:
                await _session(Visitor(client, page), number, rng, log)
            except (VisitError, httpx.HTTPError) as error:
                log.errors.append(str(error) or type(error).__name__)


async def _session(visitor: Visitor, number: int, rng: random.Random, log: Log) -> None:
    """Plan, write a step, fill the basket, share; or plan and leave."""
    form = _form(rng.choice(GOALS).format(n=number))
    if rng.random() < LEAVES:
        await visitor.leave_during("plan-button", "click", form)
        log.left += 1
        return
    step = {"act": "add", "text": STEP.format(n=number)}
    for what, component, event, payload in (
        ("plan", "plan-button", "click", None),
        ("edit", "plan", "edit", step),
        ("basket", "plan", "all", None),
        ("share", "plan", "code", SHARED),
    ):
        answer = await visitor.send(component, event, payload, form)
        log.seconds[what].append(answer.seconds)
        log.waited[what] += answer.waited
        shown = answer.shown.get("plan")
        if isinstance(shown, str):
            log.foreign += foreign(shown, number)
            if f"for {number} people" not in shown or (what == "edit" and STEP.format(n=number) not in shown):
                log.errors.append(f"{what}: the answer lacks what its own visitor said")
        elif what in {"plan", "edit"}:
            log.errors.append(f"{what}: no plan came back")
        await asyncio.sleep(rng.uniform(*THINK_S))


def _form(goal: str) -> dict[str, str]:
    return {"goal": goal, "budget": "", "people": "", "exclude": ""}


async def _after_all(url: str, page: PageMap, log: Log) -> None:
    """Plan once when everybody is gone: slots that were not freed would keep this visitor waiting."""
    async with connect(url) as client:
        answer = await Visitor(client, page).send("plan-button", "click", None, _form(GOALS[0].format(n=2)))
    log.seconds["plan when all have left"].append(answer.seconds)
    log.waited["plan when all have left"] += answer.waited


def _total(log: Log, visitors: int, seconds: float) -> dict[str, Any]:
    return {
        "what": "all",
        "visitors": visitors,
        "run_s": round(seconds),
        "actions": sum(map(len, log.seconds.values())),
        "errors": len(log.errors),
        "foreign_answers": len(log.foreign),
        "left_midway": log.left,
        **_memory(log),
        **({"first_errors": sorted(set(log.errors))[:5]} if log.errors else {}),
    }


def _memory(log: Log) -> dict[str, Any]:
    """Return what memory did, and from when on the server held all the sessions that it keeps; null where it never did."""
    times, full_s = np.array(log.memory_mb), sorted(log.begun_s)[KEPT_SESSIONS - 1 : KEPT_SESSIONS]
    settled = times[times[:, 0] >= full_s[0]] if full_s else times[:0]
    first, last = settled[: len(settled) // 3, 1], settled[-(len(settled) // 3) :, 1] if len(settled) >= 3 else settled[:0, 1]
    return {
        "sessions": len(log.begun_s),
        "kept_sessions": KEPT_SESSIONS,
        "full_s": round(full_s[0]) if full_s else None,
        "memory_mb_at_start": round(times[0, 1]),
        "memory_mb_at_end": round(times[-1, 1]),
        "memory_mb_first_third": round(first.mean()) if len(first) else None,
        "memory_mb_last_third": round(last.mean()) if len(last) else None,
    }


def _action(name: str, log: Log) -> dict[str, Any]:
    times = log.seconds[name]
    return {"what": name, "times": len(times), "waited": log.waited[name], **p50_p95(times, 3)}
