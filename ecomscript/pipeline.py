"""The one road: a request becomes a stream of events, and the events end in a plan."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace

from ecomscript.association.alternatives import alternatives
from ecomscript.association.associate import Associator
from ecomscript.association.eligibility import Eligibility
from ecomscript.association.encoder import CachedEncoder, Encoder, SentenceBert
from ecomscript.association.index import IntentionIndex
from ecomscript.config import Settings
from ecomscript.demo import ensure_demo
from ecomscript.errors import EcomScriptError, InputError, ModelError
from ecomscript.events import BundleVerified, Event, Failed, Finished, Planned, ScriptVerified, StepMatched
from ecomscript.learnt import INTAKE_WEIGHTS, LearntWeights
from ecomscript.planning.compose import Composer, Encode
from ecomscript.planning.constraints import clean_goal, currency_notice, goal_parts, read_constraints
from ecomscript.planning.intake import Intake
from ecomscript.planning.library import LIBRARY_FOLDER, Library
from ecomscript.review import Reviewer
from ecomscript.schema import Constraints, Match, MatchedStep, Plan, PlanRequest, Product, Script, Status, Step
from ecomscript.verification.suite import NO_VERIFIERS, Verifiers

WARM_UP = "plan a picnic in the park for four"
"""Planned once at the start, so that no visitor waits for what the first plan loads."""
NOTHING_NEAR = "Nothing in the library of plans or the catalogue is close to this goal. Say it in other words, or add what it is for."
Progress = Callable[[str], None]


class Pipeline:
    """Goal → constraints → script → products, as one stream of events.

    Args:
        intake: The checks before planning.
        composer: The planner.
        associator: The matcher with its index.
        reviewer: The verifiers over the finished plan.
        encode: The sentence encoder, for others who ask.
        facts: Counts to show on the page, by name.
    """

    def __init__(
        self, intake: Intake, composer: Composer, associator: Associator, reviewer: Reviewer, encode: Encode, facts: Mapping[str, int]
    ) -> None:
        self._intake = intake
        self._composer = composer
        self._associator = associator
        self.reviewer = reviewer
        self.encode = encode
        self.facts = facts

    @classmethod
    def open(cls, settings: Settings, progress: Progress | None = None) -> Pipeline:
        """Load everything; on a first start the demo index is built before. An index without scripts plans with the demo's library.

        Args:
            settings: Which index, which encoder, how many threads.
            progress: Told what happens, a line at a time.

        Raises:
            IndexFolderError: An index is missing, damaged or made with another encoder.
            ModelError: Model weights are missing.
        """
        folder = settings.index_dir or ensure_demo(settings, progress)
        index = IntentionIndex.load(folder, settings.encoder)
        own_library = folder / LIBRARY_FOLDER
        library = Library.load(own_library if own_library.is_dir() else ensure_demo(settings, progress) / LIBRARY_FOLDER, settings.encoder)
        encoder = CachedEncoder(SentenceBert(settings.encoder, settings.threads))
        intake = Intake.load(INTAKE_WEIGHTS, encoder.encode)
        pipeline = cls.of(library, index, encoder, LearntWeights.load(), intake, Verifiers.load(encoder.encode, settings.models_dir))
        pipeline.run(PlanRequest(WARM_UP))
        return pipeline

    @classmethod
    def of(
        cls,
        library: Library,
        index: IntentionIndex,
        encoder: Encoder,
        weights: LearntWeights,
        intake: Intake,
        verifiers: Verifiers = NO_VERIFIERS,
    ) -> Pipeline:
        """Put the loaded parts together; without verifiers plans are made and say that nothing was verified.

        Raises:
            ModelError: The weights were learnt for another encoder.
        """
        if len(weights.goal_map) != encoder.dim:
            cause = f"The learnt weights take {len(weights.goal_map)} dimensions, the encoder {encoder.name!r} gives {encoder.dim}"
            raise ModelError(cause, "Unset ECOMSCRIPT_ENCODER to use the encoder that they were learnt with.")
        reviewer = Reviewer(verifiers, index)
        associator = Associator(index, encoder, weights, reviewer.judge)
        facts = {
            "product kinds": len(index.kinds),
            "products": len(index.products),
            "purchase intentions": len(index.intentions),
            "written plans": len(library.scripts),
        }
        composer = Composer(library, weights, encoder.encode, associator.best_intention)
        return cls(intake, composer, associator, reviewer, encoder.encode, facts)

    def product(self, product_id: str) -> Product | None:
        """Return a product of the catalogue."""
        row = self._associator.index.row_of.get(product_id)
        return None if row is None else self._associator.index.products[row]

    def place(self, objective: str, step: str, product_id: str) -> Match | None:
        """Return a product as a match for a step, with its nearest intention and T2's word on it; None for an unknown product."""
        row = self._associator.index.row_of.get(product_id)
        return None if row is None else self._associator.place(objective, step, row)

    def match(self, objective: str, step: str, count: int = 10) -> list[Match]:
        """Return products for a step that somebody wrote, best first; none when the step needs nothing bought."""
        return self._associator.match_step(objective, step, count)

    def intentions(self, product_id: str) -> tuple[str, ...]:
        """Return why people buy a product; nothing for an unknown one."""
        index = self._associator.index
        row = index.row_of.get(product_id)
        return () if row is None else tuple(index.intentions[n].text for n in index.intentions_of_product[row])

    def rematch(self, goal: str, objective: str, text: str, constraints: Constraints, taken: Collection[str]) -> MatchedStep:
        """Return one step that a person wrote with its products.

        Args:
            goal: The goal as typed.
            objective: The objective of the plan.
            text: The step.
            constraints: What must be kept; the budget is what is left for this step.
            taken: Ids of products that may not be shown.

        Raises:
            InputError: The gate refuses the text.
        """
        if notices := self.refusal(text):
            raise InputError("This step was not planned", " ".join(notices))
        script = Script(objective, (Step("own", text),), "person", "weak")
        return self._associator.match_script(script, goal, constraints, Eligibility(constraints, rest=True), taken)[0]

    def refusal(self, text: str) -> tuple[str, ...]:
        """Return what the gate says to a text that it refuses; nothing to any other."""
        look = self._intake.look(text)
        return look.notices if look.status == "refuse" else ()

    def alternatives(
        self, goal: str, step_text: str, product_id: str, constraints: Constraints, taken: Collection[str], count: int = 10
    ) -> list[Match]:
        """Return eligible other products for the place of one: its kind first, the best T2 first; none for an unknown product.

        Args:
            goal: The goal as typed.
            step_text: The step.
            product_id: The product whose place it is.
            constraints: What must be kept; the budget is what this one place may cost.
            taken: Ids of products that may not be offered.
            count: How many at most.
        """
        row = self._associator.index.row_of.get(product_id)
        return [] if row is None else alternatives(self._associator, goal, step_text, row, constraints, taken, count)

    def run(self, request: PlanRequest) -> Plan:
        """Drain the same events as ``stream``.

        Raises:
            EcomScriptError: The request failed in an expected way.
        """
        for event in self._events(request, time.perf_counter()):
            if isinstance(event, Finished):
                return event.plan
        raise RuntimeError("the events ended without Finished")

    def stream(self, request: PlanRequest) -> Iterator[Event]:
        """Yield ``Planned``, a ``StepMatched`` for each step, ``ScriptVerified``, ``BundleVerified`` and ``Finished``.

        An answer without steps has only the first and the last; an expected error ends every stream with ``Failed``.
        """
        started = time.perf_counter()
        try:
            yield from self._events(request, started)
        except EcomScriptError as error:
            yield Failed(str(error), time.perf_counter() - started)

    def _events(self, request: PlanRequest, started: float) -> Iterator[Event]:
        def elapsed() -> float:
            return time.perf_counter() - started

        look = self._intake.look(request.goal)
        constraints = requested_constraints(request)
        if look.status != "plan":
            yield from _without_plan(request, look.status, constraints, (look.notices, look.questions), elapsed)
            return
        eligibility = Eligibility(constraints)
        script = self._composer.compose(
            look.goal,
            clean_goal(look.goal, constraints),
            goal_parts(look.goal),
            lambda kind: eligibility.kind_excluded(kind) is None,
        )
        if not script.steps:
            yield from _without_plan(request, "clarify", constraints, ((*look.notices, NOTHING_NEAR), look.questions), elapsed)
            return
        notices = _notices(request, look.notices, script)
        yield Planned("plan", look.goal, constraints, script, notices, look.questions, elapsed())
        timings = {"planned": elapsed()}
        steps: list[MatchedStep] = []
        for matched in self._associator.match_script(script, look.goal, constraints, eligibility):
            steps.append(matched)
            timings.setdefault("first_step", elapsed())
            yield StepMatched(matched, elapsed())
        timings["matched"] = elapsed()
        script_verdict = self.reviewer.script(look.goal, steps)
        yield ScriptVerified(script_verdict, elapsed())
        bundle_verdict, conflicts = self.reviewer.bundle(look.goal, steps, eligibility)
        yield BundleVerified(bundle_verdict, conflicts, elapsed())
        timings["verified"] = timings["total"] = elapsed()
        plan = Plan(
            goal=request.goal,
            status="plan",
            constraints=constraints,
            planner=script.planner,
            confidence=script.confidence,
            objective=script.objective,
            steps=tuple(steps),
            script_verdict=script_verdict,
            bundle_verdict=bundle_verdict,
            conflicts=conflicts,
            notices=notices,
            questions=look.questions,
            timings_s=timings,
        )
        yield Finished(plan, elapsed())


def _without_plan(
    request: PlanRequest,
    status: Status,
    constraints: Constraints,
    answer: tuple[tuple[str, ...], tuple[str, ...]],
    elapsed: Callable[[], float],
) -> Iterator[Event]:
    """Yield the two events of an answer without steps; ``answer`` holds its notices and its questions."""
    notices, questions = answer
    yield Planned(status, request.goal, constraints, None, notices, questions, elapsed())
    plan = Plan(request.goal, status, constraints, notices=notices, questions=questions, timings_s={"total": elapsed()})
    yield Finished(plan, elapsed())


def requested_constraints(request: PlanRequest) -> Constraints:
    """Return what the goal says, less what the person took away, with the explicit fields on top."""
    found = read_constraints(request.goal).without(request.removed)
    return replace(
        found,
        budget_usd=found.budget_usd if request.budget_usd is None else request.budget_usd,
        people=found.people if request.people is None else request.people,
        exclude=tuple(dict.fromkeys((*found.exclude, *request.exclude))),
    )


def _notices(request: PlanRequest, found: tuple[str, ...], script: Script) -> tuple[str, ...]:
    """Return what the gate found and, each once, what else to know: the currency only while the goal's own budget counts."""
    currency = currency_notice(request.goal)
    notices = [notice for notice in found if notice != currency]
    if currency and request.budget_usd is None and "budget_usd" not in request.removed:
        notices.append(currency)
    if script.confidence == "weak":
        notices.append("No ready plan was close to this goal, so this is a modest start: check each step, or add a detail or two.")
    return tuple(notices)
