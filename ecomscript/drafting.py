"""A language model's plan while it is written: every step with its products as soon as it stands, and the way back to the library."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace

from ecomscript.association.associate import Associator
from ecomscript.config import PlannerChoice, Settings
from ecomscript.errors import LanguageModelError
from ecomscript.events import Event, Planned, StepMatched, StepPlanned, Writing
from ecomscript.llm.chat import ChatModel
from ecomscript.planning.complete import complete
from ecomscript.planning.draft import Checks, Encode
from ecomscript.planning.ground import ground
from ecomscript.planning.intake import unsafe
from ecomscript.planning.library import Library
from ecomscript.planning.llm import Brief, LlmPlanner, Progress
from ecomscript.planning.needs import NeedFinder
from ecomscript.review import Reviewer
from ecomscript.schema import NO_USAGE, Constraints, MatchedStep, Script, Step, Usage

NOT_SET_UP_FIX = "Set OPENAI_API_KEY, OPENAI_BASE_URL or ECOMSCRIPT_LOCAL_MODEL."
NOT_SET_UP = f"No language model is set up. {NOT_SET_UP_FIX}"
FROM_LIBRARY = "The plan below comes from the library of plans instead."
PLAUSIBLE, TOLERANCE = 0.15, 0.25
"""Least P(plausible), by T1, of a written plan, and how far it may stay behind the library's plan. T1 is too weak a judge for more: it gave
.27 to .55 to six good plans written by hand, .29 to .60 to the library's, and at most .10 to one that fits every goal."""
INCOMPLETE = "The language model's plan leaves out too much of what this goal needs."
LEFT_OUT = "Added from the library of plans, because the language model left it out: {kinds}."
BEAT_S = 0.25
"""Least seconds between two signs of life while nothing else happens."""


@dataclass(slots=True)
class Meter:
    """What a request has taken so far.

    Attributes:
        started: ``time.perf_counter()`` when it arrived.
        usage: What language models were asked for.
        timings_s: Seconds from the arrival to each milestone.
    """

    started: float
    usage: Usage = NO_USAGE
    timings_s: dict[str, float] = field(default_factory=dict)

    def elapsed(self) -> float:
        """Return the seconds since the request arrived."""
        return time.perf_counter() - self.started

    def mark(self, name: str) -> None:
        """Note a milestone the first time that it is reached."""
        self.timings_s.setdefault(name, self.elapsed())


@dataclass(frozen=True, slots=True)
class Asked:
    """A goal that passed the gate.

    Attributes:
        goal: The goal as it was understood.
        core: The goal without chatter, budget and what is not wanted.
        constraints: What must be kept.
        said: Explicit fields of the request, by name, for whoever reads the goal alone.
        fallback: The library's plan for it; without steps when it has none.
        chat: The language model that may plan; None when no model is set up.
        visitor: On whose behalf.
    """

    goal: str
    core: str
    constraints: Constraints
    said: dict[str, object]
    fallback: Script
    chat: ChatModel | None
    visitor: str


class Drafter:
    """Lets a language model plan where it is wanted.

    Args:
        library: For near plans and departments.
        encode: The encoder of the library.
        associator: Finds the products of a step.
        reviewer: Its T1 holds a written plan against the library's.
        settings: How many plans a model writes, and how long it may take.
    """

    def __init__(self, library: Library, encode: Encode, associator: Associator, reviewer: Reviewer, settings: Settings) -> None:
        self._library, self._encode, self._associator, self._reviewer = library, encode, associator, reviewer
        self._checks, self._settings = checks_of(library, encode, associator), settings

    def wanted(self, choice: PlannerChoice, asked: Asked) -> bool:
        """Return whether a model is to be asked: whenever it is chosen, or, where the choice is free, when no ready plan is close."""
        ready = bool(asked.fallback.steps) and asked.fallback.confidence == "ready"
        return choice == "llm" or (choice == "auto" and asked.chat is not None and not ready)

    def draft(
        self, asked: Asked, opening: Callable[[Script, bool], Planned], meter: Meter
    ) -> Generator[Event, None, tuple[Script, tuple[str, ...]]]:
        """Yield the plan as it is written, and return it, or the library's with notices that say why.

        Args:
            asked: What is planned.
            opening: Makes the event that opens a script; False while its steps are still to come.
            meter: Told of tokens and milestones.
        """
        if asked.chat is None:
            return asked.fallback, (f"{NOT_SET_UP} {FROM_LIBRARY}",)
        planner = LlmPlanner(asked.chat, self._checks, self._settings.llm_drafts, self._settings.llm_timeout_s)
        near = ground(self._library, self._encode, asked.goal, asked.core)
        least = max(PLAUSIBLE, (self._plausible(asked.goal, asked.fallback.steps) or 0.0) - TOLERANCE)
        brief = Brief(asked.goal, near, asked.said, least, asked.visitor)
        script = Script(asked.core, (), "llm", "written", tuple(plan.script_id for plan in near.plans))
        try:
            with closing(planner.write(brief, lambda steps: self._plausible(asked.goal, steps))) as writing:
                steps = yield from self._shown(writing, asked, lambda: opening(script, False), meter)
        except LanguageModelError as error:
            return asked.fallback, (f"{error} {FROM_LIBRARY}" if asked.fallback.steps else str(error),)
        return self._completed(replace(script, steps=steps), asked, least)

    def _completed(self, written: Script, asked: Asked, least: float) -> tuple[Script, tuple[str, ...]]:
        """Return the written plan with what the library is sure of in it, or the library's where that makes no plan; and what to say."""
        whole = complete(written.steps, asked.fallback.steps, self._encode, near=asked.fallback.confidence in ("ready", "assembled"))
        if whole is not None and not whole.added:
            return replace(written, steps=whole.steps), ()
        score = None if whole is None else self._plausible(asked.goal, whole.steps)
        if whole is None or (score is not None and score < least):
            return asked.fallback, (f"{INCOMPLETE} {FROM_LIBRARY}",)
        return replace(written, steps=whole.steps), (LEFT_OUT.format(kinds=", ".join(whole.added)),)

    def _shown(
        self, writing: Generator[Progress, None, tuple[Step, ...]], asked: Asked, opening: Callable[[], Planned], meter: Meter
    ) -> Generator[Event, None, tuple[Step, ...]]:
        """Yield an event for each step and its products, and a sign of life now and then; return the whole plan."""
        shown: list[MatchedStep] = []
        beat = meter.elapsed()
        yield opening()
        while True:
            try:
                progress = next(writing)
            except StopIteration as end:
                return tuple(end.value)
            meter.usage = progress.usage
            if progress.again:
                shown = []
                yield opening()
            elif progress.step is not None:
                yield StepPlanned(progress.step, meter.elapsed())
                shown.append(self._match(progress.step, asked, shown))
                meter.mark("first_step")
                yield StepMatched(shown[-1], meter.elapsed())
            elif meter.elapsed() - beat >= BEAT_S:
                yield Writing(meter.elapsed())
            else:
                continue
            beat = meter.elapsed()

    def _match(self, step: Step, asked: Asked, before: Sequence[MatchedStep]) -> MatchedStep:
        """Return the products of a step beside those of the steps before it; the whole plan has the last word on them."""
        products = [match.product for matched in before for match in matched.matches]
        left = asked.constraints.budget_usd
        if left is not None:
            left = max(0.0, round(left - sum(product.price_usd or 0.0 for product in products), 2))
        constraints = replace(asked.constraints, budget_usd=left)
        shown = {product.kind for product in products if product.kind is not None}
        return self._associator.match_one(step, asked.core, asked.goal, constraints, shown=shown)

    def _plausible(self, goal: str, steps: Sequence[Step]) -> float | None:
        verdict = self._reviewer.script(goal, [MatchedStep(step) for step in steps])
        return None if verdict is None else verdict.score


def checks_of(library: Library, encode: Encode, associator: Associator) -> Checks:
    """Return what a step that a language model writes is held against."""
    return Checks(encode, associator.ranker.buys, unsafe, NeedFinder(library, encode).find)
