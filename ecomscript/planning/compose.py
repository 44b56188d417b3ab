"""From near plans to one plan: keep what fits the goal, add what the evidence supports, place and order it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ecomscript.learnt import LearntWeights, mix, probability, unit
from ecomscript.planning.kinds import KindEvidence
from ecomscript.planning.library import Library, NearScripts
from ecomscript.schema import PER_STEP, Confidence, LibraryScript, Script, Step
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
FEWEST_KINDS, WEAK_KINDS, WEAK_STEPS, SAME_STEP = 3, 14, 7, 0.5
"""Fewest and most kinds and most steps of a plan without a near script, and the closeness from which two kinds share a step."""
TWIST = 0.01
"""Taken from a script for each word of its objective that the goal does not say: a plain plan before one with somebody else's twist."""
SOURCES, LENDING = 12, 0.4
"""Near scripts that may lend a step, and how near they must be where the whole plan is put together from borrowed steps."""


@dataclass(slots=True)
class Draft:
    """A step while the plan is put together; ``place`` in [0, 1] says where in its script it stood."""

    text: str
    needs: list[str]
    place: float
    buys: bool


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

    def compose(self, goal: str, core: str, parts: Sequence[str], allowed: Callable[[str], bool]) -> Script:
        """Return the plan.

        Args:
            goal: The goal as typed.
            core: The goal without chatter, budget and what is not wanted.
            parts: Its sub-goals when it joins several ("camping", "a baby"), else one or none.
            allowed: False for kinds that the person owns or does not want: they stay in the steps of the base plan, which say so, but are
                never added.
        """
        asked = self._asked(goal, core, parts)
        whole = asked[0]
        goal_words = frozenset(tokens(goal))
        base = self._base(whole, goal_words)
        script = self._library.scripts[base]
        confidence = _confidence(float(whole.near.confidence[base]))
        if confidence == "weak":
            drafts = self._from_kinds(asked, goal_words, allowed)
            return Script(core, self._steps(drafts, asked), "library", confidence)
        wanted = self._wanted(asked, base, confidence, allowed)
        drafts = _drafts(script, lambda kind: kind in wanted or not allowed(kind))
        self._place(drafts, wanted, asked, goal_words)
        return Script(script.objective, self._steps(drafts, asked), "library", confidence, (script.script_id,))

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
            if draft.needs or not draft.buys:
                weights = tuple(float(needed[self._library.kind_row[kind]]) for kind in draft.needs)
                steps.append(Step(f"s{len(steps) + 1}", draft.text, tuple(draft.needs), weights, draft.buys))
        return tuple(steps)

    def _from_kinds(self, asked: Sequence[_Asked], goal_words: frozenset[str], allowed: Callable[[str], bool]) -> list[Draft]:
        """Plan from purchase intentions: take the likely kinds, group them into sub-needs, and let each become a step.

        A step is borrowed from a near script that needs the group's kinds; else an intention near the goal speaks, else the kinds' own
        names. With too little to go by there is no plan at all.
        """
        library = self._library
        needed = np.max([a.needed for a in asked], axis=0)
        chosen: list[int] = []
        for row in np.argsort(-needed, kind="stable")[: 4 * WEAK_KINDS]:
            present = {library.kinds[n].name for n in chosen}
            wanted = needed[row] >= LEAST and allowed(library.kinds[row].name)
            if wanted and len(chosen) < WEAK_KINDS and not self._replaces(int(row), present):
                chosen.append(int(row))
        if len(chosen) < FEWEST_KINDS:
            return []
        drafts: list[Draft] = []
        for group in self._groups(chosen):
            names = [library.kinds[row].name for row in group]
            lent = self._lend(names[0], asked[0].near, goal_words, LENDING)
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

    def _base(self, whole: _Asked, goal_words: frozenset[str]) -> int:
        """Return the script to start from: near, needing what other near scripts and the kinds' meanings speak for, without twists."""
        confidence, needs = whole.near.confidence, self._library.needs

        def worth(n: int) -> float:
            support = float(whole.needed[needs[n].indices].mean()) if needs[n].nnz else 0.0
            return float(confidence[n]) + SUPPORT * support - TWIST * len(self._objective_words[n] - goal_words)

        return max((int(n) for n in whole.near.order[:BASES]), key=worth)

    def _place(self, drafts: list[Draft], wanted: Mapping[str, int], asked: Sequence[_Asked], goal_words: frozenset[str]) -> None:
        """Put the wanted kinds that no step has yet into the step that they serve best, or borrow a step of a near plan."""
        library = self._library
        query = asked[0].query
        mapped = self._mapped([d.text for d in drafts], query)
        for kind, part in wanted.items():
            if any(kind in d.needs for d in drafts):
                continue
            vector = library.kind_vectors[library.kind_row[kind]]
            fits = [float(m @ vector) if d.buys and len(d.needs) < PER_STEP else -1.0 for m, d in zip(mapped, drafts, strict=True)]
            best = int(np.argmax(fits))
            if fits[best] >= PLACE:
                drafts[best].needs.append(kind)
                continue
            lent = self._lend(kind, asked[part].near, goal_words)
            if lent is None or len(drafts) >= MOST_STEPS or any(lent.text == d.text for d in drafts):
                continue
            at = sum(d.place <= lent.place for d in drafts)
            drafts.insert(at, lent)
            mapped = np.insert(mapped, at, self._mapped([lent.text], query), axis=0)

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

    def _lend(self, kind: str, near: NearScripts, goal_words: frozenset[str], least_confidence: float = 0.0) -> Draft | None:
        """Return the step of the nearest script that needs the kind, with this need alone.

        A step that speaks of what its own script is about and the goal does not ("the children", "the dog") would bring that into the plan.
        """
        for n in near.order[:SOURCES]:
            if near.confidence[n] < least_confidence:
                return None
            script = self._library.scripts[n]
            foreign = self._objective_words[n] - goal_words
            for position, step in enumerate(script.steps):
                if kind in step.needs and not foreign & frozenset(tokens(step.text)):
                    return Draft(step.text, [kind], position / max(len(script.steps) - 1, 1), buys=True)
        return None


def _confidence(value: float) -> Confidence:
    if value >= READY:
        return "ready"
    return "assembled" if value >= ASSEMBLED else "weak"


def _drafts(script: LibraryScript, keep: Callable[[str], bool]) -> list[Draft]:
    last = max(len(script.steps) - 1, 1)
    return [Draft(s.text, [k for k in s.needs if keep(k)][:PER_STEP], n / last, bool(s.needs)) for n, s in enumerate(script.steps)]
