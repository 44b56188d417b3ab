"""Goals that a catalogue helps with, and a plan for each, told by a language model: new ones alone, and only what T1 finds plausible."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np

from ecomscript.association.encoder import Encoder, Vectors
from ecomscript.association.graph import build_graph
from ecomscript.llm.templates import PROMPTS, Templates
from ecomscript.planning.draft import FEWEST, MOST, SAME, Checks, Draft
from ecomscript.planning.intake import unsafe
from ecomscript.planning.parse import WrittenStep
from ecomscript.request import clean_text
from ecomscript.schema import PER_STEP, Kind, LibraryScript, LibraryStep, Step, Verdict
from ecomscript.verification.claims import ScriptClaim
from index_build.distil.form import Form, UnusableAnswerError, is_plain, strings_of
from index_build.feeds.tally import Tally
from index_build.sources import stable_id

GOALS = 8
"""Of one question about a department."""
KINDS_SHOWN, NEAR_KINDS, NEAREST = 30, 40, 20
"""Kinds in a question about a department, kinds offered for a plan, and how many of the nearest goals each one is compared with."""
ALIASES, FEWEST_KINDS = 4, 2
"""Wordings that are asked for, and different kinds that a plan must need: one that needs less is no shopping plan."""
TAG = "distilled"
JUDGED = 64
"""Plans that T1 reads at a time."""

Judge = Callable[[Sequence[ScriptClaim]], Sequence[Verdict]]


@dataclass(frozen=True, slots=True)
class Department:
    """Kinds of one category that stand together in a question; ``intentions`` says of some what they are bought for."""

    name: str
    kinds: tuple[str, ...]
    intentions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Goal:
    """An objective, and the kinds of the catalogue that are near it."""

    objective: str
    kinds: tuple[str, ...]


def departments(kinds: Sequence[Kind]) -> list[Department]:
    """Return the kinds by the first level of their category, in parts of at most ``KINDS_SHOWN`` whose categories lie together."""
    of: dict[str, list[Kind]] = {}
    for kind in sorted(kinds, key=lambda kind: (kind.category, kind.name)):
        of.setdefault(kind.category.split(" > ")[0], []).append(kind)
    return [_department(name, part) for name, group in of.items() for part in _parts(group)]


def goals_form() -> Form[Department, tuple[str, ...]]:
    """Return how goals are asked for."""
    return Form(
        prompts=Templates.load(PROMPTS / "goals.yaml", ("rules", "ask")),
        values={"most": GOALS},
        data=lambda of: {"department": of.name, "kinds": of.kinds, **({"bought to": of.intentions} if of.intentions else {})},
        read=_read_goals,
        about=lambda of: of.name,
        schema=_object(goals=_list({"type": "string"})),
        most_tokens=800,
        usual_tokens=150,
    )


def scripts_form(encoder: Encoder) -> Form[Goal, LibraryScript]:
    """Return how the plan of a goal is asked for; the encoder tells steps that say the same."""
    return Form(
        prompts=Templates.load(PROMPTS / "scripts.yaml", ("rules", "ask")),
        values={"aliases": ALIASES, "fewest": FEWEST, "most": MOST, "per_step": PER_STEP},
        data=lambda goal: {"goal": goal.objective, "kinds": goal.kinds},
        read=lambda goal, answer: _read_script(goal, answer, encoder),
        about=lambda goal: goal.objective,
        schema=_object(aliases=_list({"type": "string"}), steps=_list(_object(text={"type": "string"}, needs=_list({"type": "string"})))),
        most_tokens=1500,
        usual_tokens=350,
    )


def new_goals(
    found: Iterable[tuple[Department, tuple[str, ...]]],
    known: Sequence[str],
    kinds: Sequence[Kind],
    encoder: Encoder,
    tally: Tally,
) -> list[Goal]:
    """Return the goals that say something new, each with the kinds near it.

    Args:
        found: Goals by department.
        known: Objectives and wordings of the library that is there.
        kinds: The kinds of the catalogue.
        encoder: The encoder of the index.
        tally: Told which goals say what another one, or the library, says: a cosine above ``SAME``.
    """
    written = list(dict.fromkeys(goal for _, goals in found for goal in goals))
    if not written:
        return []
    texts = [*known, *written]
    vectors = encoder.encode(texts)
    kept = _first_of_each(vectors, len(known))
    names = encoder.encode([kind.name for kind in kinds])
    goals = []
    for row, text in enumerate(written, len(known)):
        if kept[row] != row:
            tally.reject("goal said already", "goals", row - len(known) + 1, f"as {texts[kept[row]]!r}", text)
            continue
        near = np.argsort(-(names @ vectors[row]), kind="stable")[:NEAR_KINDS]
        goals.append(Goal(text, tuple(kinds[n].name for n in near)))
    return goals


def plausible(found: Iterable[tuple[Goal, LibraryScript]], judge: Judge, least: float, tally: Tally) -> Iterator[LibraryScript]:
    """Yield the plans that T1 finds plausible; the others are counted and named.

    Args:
        found: The plans.
        judge: T1.
        least: Least P(plausible).
        tally: Told of the others.
    """
    scripts, number = (script for _, script in found), 0
    while group := list(islice(scripts, JUDGED)):
        claims = [ScriptClaim(script.objective, tuple(step.text for step in script.steps)) for script in group]
        for script, verdict in zip(group, judge(claims), strict=True):
            number += 1
            if verdict.score >= least:
                yield script
            else:
                why = f"{verdict.score:.3f} < {least:.3f}. {verdict.reason}"
                tally.reject("plan not plausible by T1", "plans", number, why, script.objective)


def row_of_script(script: LibraryScript) -> dict[str, Any]:
    """Return a plan as a line of the library's format."""
    steps = [{"text": step.text, "needs": list(step.needs)} for step in script.steps]
    return {"objective": script.objective, "aliases": list(script.aliases), "tags": list(script.tags), "steps": steps}


def _department(name: str, kinds: Sequence[Kind]) -> Department:
    return Department(name, tuple(kind.name for kind in kinds), tuple(kind.intentions[0] for kind in kinds if kind.intentions))


def _parts(kinds: Sequence[Kind]) -> Iterator[Sequence[Kind]]:
    """Yield parts of about the same size."""
    parts = -(-len(kinds) // KINDS_SHOWN)
    yield from (kinds[n * len(kinds) // parts : (n + 1) * len(kinds) // parts] for n in range(parts))


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def _list(items: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


def _read_goals(_: Department, answer: Mapping[str, Any]) -> tuple[str, ...]:
    written = (clean_text(text).rstrip(".") for text in strings_of(answer, "goals")[: 2 * GOALS])
    found = tuple(dict.fromkeys(text[:1].upper() + text[1:] for text in written if is_plain(text, 3, 16)))
    if not found:
        raise UnusableAnswerError("no goal that can be used")
    return found[:GOALS]


def _read_script(goal: Goal, answer: Mapping[str, Any], encoder: Encoder) -> LibraryScript:
    """Return a plan whose steps pass the checks that the planner has for what language models write; needs are the offered kinds alone."""
    steps = answer.get("steps")
    if not isinstance(steps, list) or not all(isinstance(step, dict) and isinstance(step.get("text"), str) for step in steps):
        raise UnusableAnswerError("answer has no list of steps")
    offered = {kind.casefold(): kind for kind in goal.kinds}
    draft = Draft(goal.objective, Checks(encoder.encode, lambda _: 0.5, unsafe, lambda name, *_: offered.get(name.casefold())))
    for step in steps:
        needs = tuple(strings_of(step, "needs"))
        draft.add(WrittenStep(step["text"], bool(needs), needs))
    if problems := draft.problems():
        raise UnusableAnswerError(f"no plan that can be used: {problems[0]}")
    if len({need for step in draft.steps for need in step.needs}) < FEWEST_KINDS:
        raise UnusableAnswerError(f"plan needs fewer than {FEWEST_KINDS} kinds of the catalogue")
    written = (clean_text(text) for text in strings_of(answer, "aliases")[: 2 * ALIASES])
    same = goal.objective.casefold()
    aliases = dict.fromkeys(text for text in written if is_plain(text, 2, 25) and text.casefold() != same)
    return _script(goal.objective, tuple(aliases)[:ALIASES], draft.steps)


def _script(objective: str, aliases: tuple[str, ...], steps: Sequence[Step]) -> LibraryScript:
    taken = tuple(LibraryStep(step.text, step.needs) for step in steps)
    return LibraryScript(stable_id(objective.lower()), objective, aliases, (TAG,), taken)


def _first_of_each(vectors: Vectors, known: int) -> list[int]:
    """Return for each row the row that stands for it: itself, or an earlier one kept that says the same; the first ``known`` all stay."""
    graph = build_graph(vectors)
    kept = list(range(len(vectors)))
    for row, (rows, cosines) in enumerate(graph.search(vectors[known:], NEAREST), known):
        same = [int(other) for other, cosine in zip(rows, cosines, strict=True) if cosine > SAME and other < row and kept[other] == other]
        kept[row] = min(same, default=row)
    return kept
