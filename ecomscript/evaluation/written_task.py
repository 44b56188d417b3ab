"""What a language model's plans are worth beside the library's: needs met, T1, T2, what goes wrong, tokens and seconds.

Four ways to a plan: "library" is the embedded planner; "planner" lets the model write the steps, checks and completes them, and finds
products by association, with the library's plan where that fails; "best of 3" does the same with three drafts, of which T1 takes the best;
"one-pass" lets the model write and pick products in one call. A goal without a plan counts as one with no need met.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ecomscript.association.associate import Associator
from ecomscript.association.encoder import CachedEncoder, Encoder
from ecomscript.association.index import IntentionIndex
from ecomscript.config import Settings
from ecomscript.drafting import FROM_LIBRARY, TOLERANCE, checks_of
from ecomscript.errors import LanguageModelError
from ecomscript.evaluation.goals import Goal, judge
from ecomscript.evaluation.metrics import interval_of_mean
from ecomscript.evaluation.recorded import RecordedChat
from ecomscript.learnt import LearntWeights
from ecomscript.one_pass import OnePass
from ecomscript.pipeline import Pipeline
from ecomscript.planning.draft import Checks, Draft
from ecomscript.planning.intake import Intake
from ecomscript.planning.library import Library
from ecomscript.planning.parse import StepReader
from ecomscript.request import make_request
from ecomscript.review import Reviewer
from ecomscript.schema import Plan
from ecomscript.verification.suite import Verifiers

GROUPS = ("everyday", "rare")
GOALS = 20
"""Goals of a run: as many of each group, spread over the fields of life."""
HELPFUL = 0.5
"""A product with less P(it helps), by T2, counts as one that T2 would rather not see."""
DRAFTS = 3
LIBRARY, PLANNER, BEST, ONE_PASS = WAYS = ("library", "planner", f"best of {DRAFTS}", "one-pass")


@dataclass(frozen=True, slots=True)
class Parts:
    """What plans are made of."""

    library: Library
    index: IntentionIndex
    encoder: Encoder
    intake: Intake
    verifiers: Verifiers


@dataclass(frozen=True, slots=True)
class Tried:
    """A goal planned in one way.

    Attributes:
        plan: None where there is none.
        failed: Why the model's plan is not shown; "" when it is.
        seconds: How long it took, the model's part as long as when it was first asked.
        tokens: Of questions and answers.
        wrong: What was wrong with what the model wrote, with how often; see ``faults_of``.
    """

    goal: Goal
    plan: Plan | None
    failed: str
    seconds: float
    tokens: int
    calls: int
    wrong: Mapping[str, int] | None


def sample(goals: Sequence[Goal], count: int = GOALS) -> list[Goal]:
    """Return goals of each group in turn, spread evenly over the file; fewer than ``GOALS`` are the first of those."""
    groups = [[goal for goal in goals if goal.group == group and any(goal.needs.values())] for group in GROUPS]
    each = -(-max(count, GOALS) // len(GROUPS))
    spread = [[group[n * len(group) // each] for n in range(min(each, len(group)))] for group in groups]
    return [goal for turn in zip(*spread, strict=False) for goal in turn][:count]


def rows(
    parts: Parts, chat: RecordedChat, goals: Sequence[Goal], ways: Sequence[str], settings: Settings, seed: int
) -> list[dict[str, Any]]:
    """Return one row for each way and one for each goal in each way.

    Args:
        parts: Library, index, verifiers.
        chat: The model.
        goals: What is planned.
        ways: Some of ``WAYS``.
        settings: How long the model may take for a draft.
        seed: Of the intervals.
    """
    weights = LearntWeights.load()
    parts = replace(parts, encoder=CachedEncoder(parts.encoder))
    reviewer = Reviewer(parts.verifiers, parts.index)
    associator = Associator(parts.index, parts.encoder, weights, reviewer.judge)
    checks = checks_of(parts.library, parts.encoder.encode, associator)
    once = OnePass(chat, associator, reviewer, checks, settings.llm_timeout_s)

    def pipeline(drafts: int) -> Pipeline:
        told = replace(settings, llm_drafts=drafts, llm_timeout_s=drafts * settings.llm_timeout_s)
        return Pipeline.of(parts.library, parts.index, parts.encoder, weights, parts.intake, parts.verifiers, chat, told)

    single, several = pipeline(1), pipeline(DRAFTS)
    makers: dict[str, Callable[[Goal], Plan]] = {
        LIBRARY: lambda goal: single.run(make_request(goal.text), "library"),
        PLANNER: lambda goal: single.run(make_request(goal.text), "llm"),
        BEST: lambda goal: several.run(make_request(goal.text), "llm"),
        ONE_PASS: lambda goal: once.plan(make_request(goal.text)),
    }
    known = frozenset(step.text.lower() for script in parts.library.scripts for step in script.steps)
    tried = {way: [_try(makers[way], goal, chat, checks, known) for goal in goals] for way in ways}
    summary = [{"row": "way", "model": chat.name, "way": way, **_summary(tried[way], tried["library"], seed)} for way in ways]
    return [*summary, *({"row": "goal", "model": chat.name, "way": way, **_detail(one)} for way in ways for one in tried[way])]


def faults_of(answer: str, goal: str, checks: Checks, known: frozenset[str]) -> Counter[str]:
    """Return what is wrong with an answer: steps by their fault, marks that are not believed, and steps copied from the library.

    Args:
        answer: As the model wrote it.
        goal: What it is for.
        checks: What steps are held against.
        known: Texts of the library's steps, in lower case.
    """
    reader, draft = StepReader(), Draft(goal, checks)
    found: Counter[str] = Counter()
    for written in [*reader.feed(answer), *reader.end()]:
        step = draft.add(written)
        if step is not None:
            found["steps"] += 1
            found["copied"] += step.text.lower() in known
            found["mark not believed"] += written.buys is not None and step.buys != written.buys
            found["names nothing in the catalogue"] += len(written.needs[:3]) - len(step.needs)
    return found + Counter(draft.faults)


def _try(make: Callable[[Goal], Plan], goal: Goal, chat: RecordedChat, checks: Checks, known: frozenset[str]) -> Tried:
    before, began = (chat.seconds, chat.waited_s, chat.usage, len(chat.answers)), time.perf_counter()
    plan, failed = None, ""
    try:
        plan = make(goal)
        failed = next((notice.removesuffix(f" {FROM_LIBRARY}") for notice in plan.notices if notice.endswith(FROM_LIBRARY)), "")
    except LanguageModelError as error:
        failed = error.cause
    seconds = time.perf_counter() - began - (chat.waited_s - before[1]) + (chat.seconds - before[0])
    wrong: Counter[str] = Counter()
    for answer in chat.answers[before[3] :]:
        wrong += faults_of(answer, goal.text, checks, known)
    tokens, calls = chat.usage.tokens - before[2].tokens, chat.usage.calls - before[2].calls
    return Tried(goal, plan, failed.replace(f"{chat.name!r} ", ""), seconds, tokens, calls, wrong if calls else None)


def _summary(tried: Sequence[Tried], library: Sequence[Tried], seed: int) -> dict[str, Any]:
    coverage = [_coverage(one) for one in tried]
    plans = [one.plan for one in tried if one.plan is not None]
    t1 = [plan.script_verdict.score for plan in plans if plan.script_verdict is not None]
    t2 = [match.t2 for plan in plans for step in plan.steps for match in step.matches if match.t2 is not None]
    wrong: Counter[str] = Counter()
    for one in tried:
        wrong += Counter(one.wrong or {})
    return {
        "goals": len(tried),
        "failed": sum(bool(one.failed) for one in tried),
        "needs_coverage": _mean(coverage),
        "needs_coverage_ci95": interval_of_mean(coverage, np.random.default_rng(seed)),
        "t1": _mean(t1),
        "products_per_plan": _mean([len(plan.products) for plan in plans]),
        "unlikely_products": _mean([chance < HELPFUL for chance in t2]),
        "meets_fewer_needs": sum(_coverage(one) < _coverage(other) for one, other in zip(tried, library, strict=True)),
        "much_less_plausible": sum((_t1(one) or 0.0) < (_t1(other) or 0.0) - TOLERANCE for one, other in zip(tried, library, strict=True)),
        "calls": _mean([one.calls for one in tried]),
        "tokens": _mean([one.tokens for one in tried]),
        "seconds": _mean([one.seconds for one in tried]),
        "failures": dict(Counter(one.failed for one in tried if one.failed)),
        "wrong": dict(wrong),
    }


def _detail(one: Tried) -> dict[str, Any]:
    plan = one.plan
    return {
        "id": one.goal.goal_id,
        "group": one.goal.group,
        "shown": plan.planner if plan else None,
        "coverage": round(_coverage(one), 4),
        "t1": None if (t1 := _t1(one)) is None else round(t1, 4),
        "products": len(plan.products) if plan else 0,
        "steps": [step.step.text for step in plan.steps] if plan else [],
        "failed": one.failed,
        "calls": one.calls,
        "tokens": one.tokens,
        "seconds": round(one.seconds, 3),
        "wrong": dict(one.wrong) if one.wrong is not None else None,
    }


def _coverage(one: Tried) -> float:
    return 0.0 if one.plan is None else judge(one.goal, one.plan).coverage or 0.0


def _t1(one: Tried) -> float | None:
    return one.plan.script_verdict.score if one.plan and one.plan.script_verdict else None


def _mean(values: Sequence[float]) -> float | None:
    return round(float(np.mean(values)), 4) if len(values) else None
