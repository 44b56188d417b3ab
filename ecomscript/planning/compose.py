"""From near plans to one plan: keep what fits the goal, add what the evidence supports, place and order it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, cached_property

import numpy as np
import numpy.typing as npt

from ecomscript.learnt import LearntWeights, mix, probability, unit
from ecomscript.planning.constraints import read_constraints
from ecomscript.planning.kinds import KindEvidence
from ecomscript.planning.library import Library, NearScripts
from ecomscript.planning.situation import conditions
from ecomscript.schema import PER_STEP, Confidence, Constraints, Grounds, LibraryScript, Script, Step
from ecomscript.words import FUNCTION_WORDS, both, tokens, with_article

Vectors = npt.NDArray[np.float32]
Encode = Callable[[Sequence[str]], Vectors]
Phrase = Callable[[str, Vectors], str]

READY, ASSEMBLED = 0.55, 0.45
"""Least confidence in the nearest script for a plan to be called ready, or put together; below, no ready plan was close."""
MOST_KINDS, MOST_STEPS = 16, 10
LEAST = 0.1
"""Least fitted probability for a kind to be in the plan, for those of the base script with their start of ``TRUST``."""
ADDED_LEAST = 0.2
"""Least fitted probability for a kind that the base script does not have; in plans that were read, every second one below was off."""
TRUST: dict[Confidence, float] = {"ready": 0.1, "assembled": 0.05, "weak": 0.0}
"""What a kind of the base script has in advance: the surer the script, the more of it stays."""
PLACE = 0.36
"""Least cosine between a step (after the learnt map) and a kind for the kind to be put into that step."""
SUBSTITUTE = 0.86
"""Two kinds nearer than this, or of one category, that no script needs together do the same job."""
FILLER, USUAL_USES = 0.25, 6
"""Log-odds taken from a kind for each e-fold of uses above the usual: what every other plan needs says little about this goal."""
BASES, SUPPORT = 8, 0.5
"""Scripts that may become the base, and the weight of the mean probability of a script's needs beside its confidence."""
OFFERED, OFFERED_LEAST = 3, 0.42
"""Other scripts that are offered as the base, at most, and the least confidence in each."""
FEWEST_KINDS, WEAK_KINDS, WEAK_STEPS, SAME_STEP = 3, 14, 7, 0.5
"""Fewest and most kinds and most steps of a plan without a near script, and the closeness from which two kinds share a step."""
TWIST = 0.01
"""Taken from a script for each word of its objective that the goal does not say: a plain plan before one with somebody else's twist."""
OTHERS, AGAINST = 0.02, 0.15
"""Taken from a script for each constraint of its own that the person does not have, and where its objective is what they ruled out."""
CIRCUMSTANCES = ("ages", "climate", "country", "diets", "exclude", "pet_weight_kg", "quiet", "season", "small_space", "species")
"""Constraints that make a plan another one; for how many people and for how much money it is changes little."""
NOBODY = Constraints()
"""Of whom nothing is said."""
SOURCES, LENDING = 12, 0.4
"""Near scripts that may lend a step, and how near they must be where the whole plan is put together from borrowed steps."""


@dataclass(slots=True)
class Draft:
    """A step while the plan is put together.

    Attributes:
        text: The step.
        needs: The kinds that it is to show.
        place: Where in its script it stood, in [0, 1].
        buys: Whether anything is bought for it.
        barred: Needs that may not be shown; they take no place from those that may.
    """

    text: str
    needs: list[str]
    place: float
    buys: bool
    barred: tuple[str, ...] = ()


@dataclass(frozen=True)
class Wishes:
    """What a person asks for.

    Attributes:
        goal: The goal as typed.
        constraints: What must be kept.
        allowed: False for kinds of which nothing may be shown: they stay in the steps of the base plan, which say so, but are never added.
        against: Whether an objective or a step does what the person ruled out; what only hints at it counts where the second argument
            says that a need of the step may not be shown.
        like: Objective of the script to start from; "" leaves the choice.
    """

    goal: str
    constraints: Constraints = field(default_factory=Constraints)
    allowed: Callable[[str], bool] = lambda _: True
    against: Callable[[str, bool], bool] = lambda _, __: False
    like: str = ""

    @cached_property
    def words(self) -> frozenset[str]:
        """The words of the goal."""
        return frozenset(tokens(self.goal))

    def others(self, objective: str) -> int:
        """Return in how many circumstances the person of an objective is and this one is not."""
        theirs = zip(CIRCUMSTANCES, _circumstances(objective), strict=True)
        told = sum(value not in (getattr(NOBODY, name), getattr(self.constraints, name)) for name, value in theirs)
        return told + len(self.foreign_conditions(objective))

    @cached_property
    def conditions(self) -> frozenset[str]:
        """The health conditions that the goal speaks of."""
        return conditions(self.goal)

    def foreign_conditions(self, objective: str) -> frozenset[str]:
        """Return the health conditions of the person of an objective that this one has not."""
        return _conditions(objective) - self.conditions


@dataclass(frozen=True, slots=True)
class _Asked:
    """The evidence for a goal or a part of one: its (dim,) query, the near scripts, and (kinds,) P(needed)."""

    query: Vectors
    near: NearScripts
    needed: Vectors


class Composer:
    """Builds a script for a goal out of the library.

    Args:
        library: The hand-written plans.
        weights: What was learnt from them.
        encode: The encoder of the library.
        phrase: Names a kind's purchase intention that is near a query, or ""; becomes the text of a step when no plan lends one.
    """

    def __init__(self, library: Library, weights: LearntWeights, encode: Encode, phrase: Phrase) -> None:
        self._library = library
        self._weights = weights
        self._encode = encode
        self._phrase = phrase
        self._evidence = KindEvidence(library, weights.goal_map)
        self._in_one_step = (library.step_needs.T @ library.step_needs).tocsr()
        places = np.concatenate([np.linspace(0, 1, len(s.steps)) for s in library.scripts])
        uses = np.maximum(np.asarray(library.step_needs.sum(axis=0)).ravel(), 1)
        self._objective_words = [frozenset(tokens(s.objective)) - FUNCTION_WORDS for s in library.scripts]
        self._filler = FILLER * np.log(np.maximum(np.asarray(library.needs.sum(axis=0)).ravel() / USUAL_USES, 1.0))
        self._usual_place = np.asarray(library.step_needs.T @ places).ravel() / uses
        self._texts = frozenset(text for s in library.scripts for text in (s.objective, *(step.text for step in s.steps)))

    def wrote(self, text: str) -> bool:
        """Return whether a text is an objective or a step of the library, word for word."""
        return text in self._texts

    def compose(self, wishes: Wishes, core: str, parts: Sequence[str]) -> Script:
        """Return the plan.

        Args:
            wishes: What is asked for.
            core: The goal without chatter, budget and what is not wanted.
            parts: Its sub-goals when it joins several ("camping", "a baby"), else one or none.
        """
        asked = self._asked(wishes.goal, core, parts)
        whole = asked[0]
        bases = self._bases(whole, wishes)
        liked = next((n for n in bases if self._library.scripts[n].objective == wishes.like), None)
        base = bases[0] if liked is None else liked
        script = self._library.scripts[base]
        near = self._offered(bases, base, whole, wishes)
        grounds = Grounds(float(whole.near.closeness[base]), self._support(whole, base)) if liked is None else None
        confidence = _confidence(float(whole.near.confidence[base])) if liked is None else "ready"
        if confidence == "weak":
            drafts = self._from_kinds(asked, wishes)
            return Script(core, self._steps(drafts, asked), "library", confidence, near=near, grounds=grounds)
        kept = _without_foreign_conditions(script, wishes)
        foreign = frozenset(script.needs) - frozenset(kept.needs)
        wanted = self._wanted(asked, base, confidence, lambda kind: kind not in foreign and wishes.allowed(kind))
        drafts = _drafts(kept, wanted, wishes)
        self._place(drafts, wanted, asked, wishes)
        return Script(script.objective, self._steps(drafts, asked), "library", confidence, (script.script_id,), near, grounds)

    def _wanted(self, asked: Sequence[_Asked], base: int, confidence: Confidence, allowed: Callable[[str], bool]) -> dict[str, int]:
        """Return the kinds of the plan, likeliest first, each with the part of the goal that speaks for it most.

        The kinds of the base script compete with all others, from a start of ``TRUST``, for ``MOST_KINDS`` places.
        """
        library = self._library
        needed = np.stack([a.needed for a in asked])
        trusted = library.needs[base].toarray().ravel() * TRUST[confidence]
        likely = needed.max(axis=0) + trusted
        wanted: dict[str, int] = {}
        for row in np.argsort(-likely, kind="stable"):
            kind = library.kinds[row].name
            if len(wanted) >= MOST_KINDS or likely[row] < LEAST:
                break
            fits = trusted[row] or (likely[row] >= ADDED_LEAST and not self._replaces(int(row), wanted))
            if fits and allowed(kind):
                wanted[kind] = int(np.argmax(needed[:, row]))
        return wanted

    def _steps(self, drafts: Sequence[Draft], asked: Sequence[_Asked]) -> tuple[Step, ...]:
        needed = np.max([a.needed for a in asked], axis=0)
        steps: list[Step] = []
        for draft in drafts:
            needs = (*draft.needs, *draft.barred)[:PER_STEP]
            if needs or not draft.buys:
                weights = tuple(float(needed[self._library.kind_row[kind]]) for kind in needs)
                steps.append(Step(f"s{len(steps) + 1}", draft.text, needs, weights, draft.buys))
        return tuple(steps)

    def _from_kinds(self, asked: Sequence[_Asked], wishes: Wishes) -> list[Draft]:
        """Plan from purchase intentions: take the likely kinds, group them into sub-needs, and let each become a step.

        A step is borrowed from a near script that needs the group's kinds; else an intention near the goal speaks, else the kinds' own
        names. With too little to go by there is no plan at all.
        """
        library = self._library
        needed = np.max([a.needed for a in asked], axis=0)
        chosen: list[int] = []
        for row in np.argsort(-needed, kind="stable")[: 4 * WEAK_KINDS]:
            if len(chosen) >= WEAK_KINDS or needed[row] < LEAST:
                break
            present = {library.kinds[n].name for n in chosen}
            if not self._replaces(int(row), present) and wishes.allowed(library.kinds[row].name):
                chosen.append(int(row))
        if len(chosen) < FEWEST_KINDS:
            return []
        drafts: list[Draft] = []
        for group in self._groups(chosen):
            names = [library.kinds[row].name for row in group]
            lent = self._lend(names[0], asked[0].near, wishes, LENDING)
            if lent is None or any(lent.text == d.text for d in drafts):
                text = self._phrase(names[0], asked[0].query) or f"shop for {both([with_article(name) for name in names])}"
                lent = Draft(text[:1].upper() + text[1:], [], float(self._usual_place[group[0]]), buys=True)
            lent.needs = names
            drafts.append(lent)
        return sorted(drafts, key=lambda d: d.place)

    def _groups(self, rows: list[int]) -> list[list[int]]:
        """Cluster kinds (best first) into groups of at most ``PER_STEP`` by meaning and by how often one step needs them together."""
        groups: list[list[int]] = []
        for row in rows:
            closeness = [self._together_in_step(row, group) if len(group) < PER_STEP else -1.0 for group in groups]
            best = int(np.argmax(closeness)) if closeness else -1
            if best >= 0 and (closeness[best] >= SAME_STEP or len(groups) >= WEAK_STEPS):
                if closeness[best] >= 0:
                    groups[best].append(row)
            else:
                groups.append([row])
        return groups

    def _together_in_step(self, row: int, group: Sequence[int]) -> float:
        """Return how well a kind goes into one step with a group: mean cosine, and 1 when a step of the library needs them together."""
        vectors = self._library.kind_vectors
        return float(np.mean([max(float(vectors[row] @ vectors[other]), float(self._in_one_step[row, other] > 0)) for other in group]))

    def _asked(self, goal: str, core: str, parts: Sequence[str]) -> list[_Asked]:
        """Return the evidence for the whole goal and for each of its parts.

        The whole goal is the mean of the typed and the cleaned text: cleaning loses a little meaning, chatter adds a little noise.
        """
        parts = parts if len(parts) > 1 else ()
        vectors = self._encode([goal, core, *parts])
        queries = np.vstack([unit(vectors[:1] + vectors[1:2]), vectors[2:]])
        found: list[_Asked] = []
        for query in queries:
            near = self._library.near(query)
            features = self._evidence.features(query, near, int(near.order[0]))
            found.append(_Asked(query, near, probability(features, self._weights.kind_coef, self._filler)))
        return found

    def _bases(self, whole: _Asked, wishes: Wishes) -> list[int]:
        """Return the scripts to start from, best first: near, needing what near scripts and the kinds' meanings speak for, without twists.

        Somebody else's circumstances (their season, pet, diet, flat) are twists as well, and worst is what the person ruled out.
        """

        def worth(n: int) -> float:
            objective = self._library.scripts[n].objective
            twists = TWIST * len(self._objective_words[n] - wishes.words) + OTHERS * wishes.others(objective)
            speaks = float(whole.near.confidence[n]) + SUPPORT * self._support(whole, n)
            return speaks - twists - AGAINST * wishes.against(objective, False)

        return sorted((int(n) for n in whole.near.order[:BASES]), key=worth, reverse=True)

    def _support(self, whole: _Asked, script: int) -> float:
        """Return the mean probability of the kinds that a script needs; 0 when it needs none."""
        needs = self._library.needs[script]
        return float(whole.needed[needs.indices].mean()) if needs.nnz else 0.0

    def _offered(self, bases: Sequence[int], taken: int, whole: _Asked, wishes: Wishes) -> tuple[str, ...]:
        """Return the objectives of the other scripts that a person may want to start from; none that does what was ruled out."""
        objectives = {n: self._library.scripts[n].objective for n in bases if n != taken and whole.near.confidence[n] >= OFFERED_LEAST}
        return tuple(objective for objective in objectives.values() if not wishes.against(objective, False))[:OFFERED]

    def _place(self, drafts: list[Draft], wanted: Mapping[str, int], asked: Sequence[_Asked], wishes: Wishes) -> None:
        """Put the wanted kinds that no step has yet into the step that they serve best, or borrow a step of a near plan."""
        library = self._library
        query = asked[0].query
        loose = {kind: part for kind, part in wanted.items() if not any(kind in d.needs for d in drafts)}
        open_to = [d for d in drafts if d.buys and len(d.needs) < PER_STEP]
        spots = list(zip(open_to, self._mapped([d.text for d in open_to], query), strict=True)) if loose and open_to else []
        for kind, part in loose.items():
            vector = library.kind_vectors[library.kind_row[kind]]
            fits = [(float(mapped @ vector), draft) for draft, mapped in spots if len(draft.needs) < PER_STEP]
            fit, nearest = max(fits, key=lambda found: found[0], default=(-1.0, None))
            if nearest is not None and fit >= PLACE:
                nearest.needs.append(kind)
                continue
            lent = self._lend(kind, asked[part].near, wishes)
            if lent is None or len(drafts) >= MOST_STEPS or any(lent.text == d.text for d in drafts):
                continue
            drafts.insert(sum(d.place <= lent.place for d in drafts), lent)
            spots.append((lent, self._mapped([lent.text], query)[0]))

    def _mapped(self, steps: Sequence[str], query: Vectors) -> Vectors:
        """Return the (len(steps), dim) query vectors of steps after the learnt map."""
        return unit(mix(self._encode(steps), query) @ self._weights.step_map)

    def _replaces(self, row: int, present: Collection[str]) -> bool:
        """Return whether a kind does the job of one that the plan has: much alike, and never needed beside it."""
        library = self._library
        category = library.kinds[row].category
        for other in (library.kind_row[kind] for kind in present):
            alike = library.kinds[other].category == category or library.kind_vectors[other] @ library.kind_vectors[row] >= SUBSTITUTE
            if alike and self._evidence.together[row, other] == 0:
                return True
        return False

    def _lend(self, kind: str, near: NearScripts, wishes: Wishes, least_confidence: float = 0.0) -> Draft | None:
        """Return the step of the nearest script that needs the kind, with this need alone.

        A step that speaks of what its own script is about and the goal does not ("the children", "the dog") would bring that into the plan,
        and one that only hints at what was ruled out is no help: there are others.
        """
        for n in near.order[:SOURCES]:
            if near.confidence[n] < least_confidence:
                return None
            script = self._library.scripts[n]
            foreign = self._objective_words[n] - wishes.words
            for position, step in enumerate(script.steps):
                if kind in step.needs and not foreign & frozenset(tokens(step.text)) and not wishes.against(step.text, True):
                    return Draft(step.text, [kind], position / max(len(script.steps) - 1, 1), buys=True)
        return None


@cache
def _circumstances(objective: str) -> tuple[object, ...]:
    """Return what an objective of the library says of ``CIRCUMSTANCES``."""
    theirs = read_constraints(objective)
    return tuple(getattr(theirs, name) for name in CIRCUMSTANCES)


@cache
def _conditions(text: str) -> frozenset[str]:
    """Return the health conditions that an objective or a step of the library speaks of."""
    return conditions(text)


def _confidence(value: float) -> Confidence:
    if value >= READY:
        return "ready"
    return "assembled" if value >= ASSEMBLED else "weak"


def _without_foreign_conditions(script: LibraryScript, wishes: Wishes) -> LibraryScript:
    """Return a script without the steps that speak of a health condition that its objective has and the person has not.

    Where most steps do, the condition is what the script is about, and all stay.
    """
    foreign = wishes.foreign_conditions(script.objective)
    kept = tuple(step for step in script.steps if not foreign or not foreign & _conditions(step.text))
    return replace(script, steps=kept) if 2 * len(kept) >= len(script.steps) else script


def _drafts(script: LibraryScript, wanted: Collection[str], wishes: Wishes) -> list[Draft]:
    """Return the steps of a script but those that do what was ruled out."""
    last = max(len(script.steps) - 1, 1)
    drafts = []
    for n, step in enumerate(script.steps):
        barred = tuple(kind for kind in step.needs if kind not in wanted and not wishes.allowed(kind))
        if not wishes.against(step.text, bool(barred)):
            needs = [kind for kind in step.needs if kind in wanted][:PER_STEP]
            drafts.append(Draft(step.text, needs, n / last, bool(step.needs), barred))
    return drafts
