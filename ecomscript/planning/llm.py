"""The planner for goals that the library does not know: a language model writes, and every step is checked before it is shown."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

from ecomscript.errors import LanguageModelError
from ecomscript.llm.chat import CUT, NOT_JSON, ChatModel, ChatOptions, Heard, Message, held_back, listen, with_repair
from ecomscript.llm.templates import PROMPTS, Templates
from ecomscript.planning.draft import FEWEST, MOST, Checks, Draft
from ecomscript.planning.ground import MOST_CHARS, Ground
from ecomscript.planning.parse import StepReader
from ecomscript.schema import NO_USAGE, PER_STEP, LibraryScript, Step, Usage

MAX_TOKENS = 1500
"""Of one answer; ten steps have some 300, the rest is room for models that think aloud."""
TEMPERATURE, VARIED = 0.3, 0.8
"""For one plan, and for several of which the best is taken."""
REPAIRS = 1
SHOWN_BACK = 3000
"""Characters of an unusable answer that the model sees again."""
IMPLAUSIBLE = "The steps do not make a plausible plan for the goal: steps are missing, in the wrong order, too vague or beside the point."
STRONGER = "Check the steps below, or set a stronger model."

Judge = Callable[[Sequence[Step]], float | None]
"""Returns P(the steps are a plausible plan), by T1; None where no model can say."""

_STEP_SCHEMA = {
    "type": "object",
    "properties": {"text": {"type": "string"}, "buys": {"type": "array", "items": {"type": "string"}}},
    "required": ["text", "buys"],
    "additionalProperties": False,
}
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"steps": {"type": "array", "items": _STEP_SCHEMA}},
    "required": ["steps"],
    "additionalProperties": False,
}


@dataclass(frozen=True, slots=True)
class Brief:
    """What is to be planned.

    Attributes:
        goal: The goal as it was understood.
        ground: What the shop has near it.
        said: Explicit wishes beside the goal, by name, such as ``{"people": 4}``.
        least: Least P(plausible) that the plan must reach.
        visitor: On whose behalf.
    """

    goal: str
    ground: Ground
    said: dict[str, Any]
    least: float = 0.0
    visitor: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Progress:
    """What happens while a plan is written.

    Attributes:
        usage: Tokens so far, over all answers.
        step: A step that was just written.
        again: Whether the steps so far are void, because the plan is written once more.
    """

    usage: Usage
    step: Step | None = None
    again: bool = False


class LlmPlanner:
    """Writes plans with a language model.

    Args:
        model: The model.
        checks: What every step is held against.
        drafts: Plans that are written for each goal; the judge takes the best. More than one are shown only when they are done.
        timeout_s: Most seconds for all answers together.
        prompts: File of its prompts.
        repairs: How often an unusable answer is asked for again.
    """

    def __init__(
        self,
        model: ChatModel,
        checks: Checks,
        drafts: int = 1,
        timeout_s: float = 60.0,
        prompts: str = "plan.yaml",
        repairs: int = REPAIRS,
    ) -> None:
        self.name = model.name
        self._model, self._checks, self._drafts, self._timeout_s, self._repairs = model, checks, drafts, timeout_s, repairs
        self._prompts = Templates.load(PROMPTS / prompts, ("rules", "ask", "repair"))

    def write(self, brief: Brief, judge: Judge) -> Generator[Progress, None, tuple[Step, ...]]:
        """Yield each step as it is written, and return the whole plan.

        Args:
            brief: What is to be planned.
            judge: Asked about a finished plan.

        Raises:
            LanguageModelError: The model could not be asked, or what it wrote twice cannot be used.
        """
        work = _Work(brief, judge, time.monotonic() + self._timeout_s)
        messages = self._messages(brief)
        for attempt in range(1 + self._repairs):
            count = 1 if attempt else self._drafts
            answers: list[_Answer] = []
            for _ in range(count):
                try:
                    answers.append((yield from self._answer(work, messages, shown=count == 1)))
                except LanguageModelError:
                    if not answers:
                        raise
                    break  # what was written before it failed is not lost
            best = max(answers, key=lambda answer: (not answer.problems, answer.score))
            if not best.problems:
                if count > 1:
                    yield from (Progress(work.usage, step) for step in best.steps)
                return best.steps
            if attempt < self._repairs:
                yield Progress(work.usage, again=True)
                values = {"faults": best.problems, "fewest": FEWEST, "most": MOST}
                messages = with_repair(messages, best.text[:SHOWN_BACK], self._prompts.render("repair", values))
        cause = f"The language model {self.name!r} wrote no plan that can be used: {best.problems[0]}"
        raise LanguageModelError(cause, STRONGER, services_fault=False)

    def _answer(self, work: _Work, messages: Sequence[Message], shown: bool) -> Generator[Progress, None, _Answer]:
        """Read one answer to its end, or until there are more steps than a plan may have."""
        draft, reader = Draft(work.brief.goal, self._checks), StepReader()
        before, heard = work.usage, Heard()
        options = ChatOptions(
            schema=SCHEMA,
            max_tokens=MAX_TOKENS,
            temperature=TEMPERATURE if shown else VARIED,
            timeout_s=max(0.1, work.deadline - time.monotonic()),
            visitor=work.brief.visitor,
        )
        with closing(listen(self._model, messages, options)) as answer:
            for heard in answer:
                work.usage = before + heard.reply.usage
                for one in reader.end() if heard.done else reader.feed(heard.new):
                    step = draft.add(one)
                    yield Progress(work.usage, step if shown else None)
                yield Progress(work.usage)
                if draft.hopeless:
                    break
        return self._judged(work, draft, heard)

    def _judged(self, work: _Work, draft: Draft, heard: Heard) -> _Answer:
        if heard.reply.finish == "filter":
            raise held_back(self.name, "Say the goal in other words.")
        problems = draft.problems()
        if heard.reply.finish == "length":
            problems = (CUT, *problems)
        elif not draft.steps and not draft.faults:
            problems = (NOT_JSON,)
        if problems:
            return _Answer(heard.text, (), problems, 0.0)
        score = work.judge(draft.steps)
        if score is not None and score < work.brief.least:
            return _Answer(heard.text, (), (IMPLAUSIBLE,), 0.0)
        return _Answer(heard.text, draft.steps, (), score or 0.0)

    def _messages(self, brief: Brief) -> list[Message]:
        plans = [{"goal": plan.objective[:MOST_CHARS], "steps": _shown(plan)} for plan in brief.ground.plans]
        near = {"departments": brief.ground.departments, "other plans": plans}
        data = {"goal": brief.goal, **brief.said, **{name: found for name, found in near.items() if found}}
        rules = self._prompts.render("rules", {"fewest": FEWEST, "most": MOST})
        ask = self._prompts.render("ask", {"data": json.dumps(data, ensure_ascii=False)})
        return [Message("system", rules), Message("user", ask)]


@dataclass(slots=True)
class _Work:
    """One call of ``write``."""

    brief: Brief
    judge: Judge
    deadline: float
    usage: Usage = NO_USAGE


@dataclass(frozen=True, slots=True)
class _Answer:
    """One answer: its text, and its steps, or why it has none."""

    text: str
    steps: tuple[Step, ...]
    problems: tuple[str, ...]
    score: float


def _shown(plan: LibraryScript) -> list[dict[str, Any]]:
    return [{"text": step.text[:MOST_CHARS], "buys": [need[:MOST_CHARS] for need in step.needs[:PER_STEP]]} for step in plan.steps]
