"""The one road: a request becomes a stream of events, and the events end in a plan."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Generator, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from dataclasses import replace
from functools import cache

from ecomscript.asked import explicit_fields, notices_of, requested_constraints
from ecomscript.association.alternatives import Wanted, alternatives
from ecomscript.association.associate import Associator, goes_against
from ecomscript.association.eligibility import Eligibility
from ecomscript.association.encoder import CachedEncoder, Encoder, SentenceBert
from ecomscript.association.index import IntentionIndex
from ecomscript.config import PlannerChoice, Settings
from ecomscript.demo import ensure_demo
from ecomscript.drafting import NOT_SET_UP_FIX, Asked, Drafter, Meter
from ecomscript.errors import EcomScriptError, InputError, LanguageModelError, ModelError
from ecomscript.events import BundleVerified, Event, Failed, Finished, Planned, ScriptVerified, StepMatched
from ecomscript.learnt import INTAKE_WEIGHTS, LearntWeights
from ecomscript.llm.chat import ChatModel
from ecomscript.llm.choose import open_chat
from ecomscript.llm.own import OwnKey, own_chat, own_models
from ecomscript.planning.compose import Composer, Encode, Wishes
from ecomscript.planning.constraints import clean_goal, goal_parts
from ecomscript.planning.intake import Intake, unsafe
from ecomscript.planning.library import LIBRARY_FOLDER, Library
from ecomscript.planning.refine import refused
from ecomscript.planning.tools import Choice, Table, ToolChooser
from ecomscript.review import Reviewer
from ecomscript.schema import Constraints, Match, MatchedStep, Opinion, Plan, PlanRequest, Product, Script, Status, Step, Usage
from ecomscript.verification.asked import ChatVerifier, UnclearAnswerError
from ecomscript.verification.claims import Claim
from ecomscript.verification.suite import NO_VERIFIERS, Verifiers

WARM_UP = "plan a picnic in the park for four"
"""Planned once at the start, so that no visitor waits for what the first plan loads."""
NOTHING_NEAR = "Nothing in the library of plans or the catalogue is close to this goal. Say it in other words, or add what it is for."
Progress = Callable[[str], None]


class Pipeline:
    """Goal → constraints → script → products, as one stream of events.

    Args:
        intake: The checks before planning.
        composer: The planner of the library.
        drafter: Lets a language model plan.
        associator: The matcher with its index.
        reviewer: The verifiers over the finished plan.
        encode: The sentence encoder, for others who ask.
        facts: Counts to show on the page, by name.
        chat: The language model of the deployment, if any.
        settings: Which of the two plans, and what a visitor with an own key may use.
    """

    def __init__(
        self,
        intake: Intake,
        composer: Composer,
        drafter: Drafter,
        associator: Associator,
        reviewer: Reviewer,
        encode: Encode,
        facts: Mapping[str, int],
        chat: ChatModel | None,
        settings: Settings,
    ) -> None:
        self._intake = intake
        self._composer = composer
        self._drafter = drafter
        self._settings, self._planner, self._chat = settings, settings.planner, chat
        self.own_models = own_models(settings)
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
        index = IntentionIndex.load(folder, settings.encoder, settings.milvus_uri)
        own_library = folder / LIBRARY_FOLDER
        library = Library.load(own_library if own_library.is_dir() else ensure_demo(settings, progress) / LIBRARY_FOLDER, settings.encoder)
        encoder = CachedEncoder(SentenceBert(settings.encoder, settings.threads))
        intake = Intake.load(INTAKE_WEIGHTS, encoder.encode)
        verifiers = Verifiers.load(encoder.encode, settings.models_dir).remembering()
        chat = None if settings.planner == "library" else open_chat(settings)
        pipeline = cls.of(library, index, encoder, LearntWeights.load(), intake, verifiers, chat, settings)
        pipeline.run(PlanRequest(WARM_UP), planner="library")
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
        chat: ChatModel | None = None,
        settings: Settings | None = None,
    ) -> Pipeline:
        """Put the loaded parts together; without verifiers plans are made and say that nothing was verified.

        Without a language model the library plans; of the settings only those of the planner count here.

        Raises:
            ModelError: The weights were learnt for another encoder.
        """
        if len(weights.goal_map) != encoder.dim:
            cause = f"The learnt weights take {len(weights.goal_map)} dimensions, the encoder {encoder.name!r} gives {encoder.dim}"
            raise ModelError(cause, "Unset ECOMSCRIPT_ENCODER to use the encoder that they were learnt with.")
        reviewer = Reviewer(verifiers, index)
        associator = Associator(index, encoder, weights, reviewer.judge, reviewer.unfit)
        facts = {
            "product kinds": len(index.kinds),
            "products": len(index.products),
            "purchase intentions": len(index.intentions),
            "written plans": len(library.scripts),
        }
        composer = Composer(library, weights, encoder.encode, associator.best_intention)
        settings = settings or Settings()
        drafter = Drafter(library, encoder.encode, associator, reviewer, settings)
        return cls(intake, composer, drafter, associator, reviewer, encoder.encode, facts, chat, settings)

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
        return self.refill(goal, objective, Step("own", text), constraints, taken)

    def refill(self, goal: str, objective: str, step: Step, constraints: Constraints, taken: Collection[str]) -> MatchedStep:
        """Return a step of a plan with products for its needs; the arguments are those of ``rematch``."""
        return self._associator.match_one(step, objective, goal, constraints, taken)

    def refusal(self, text: str) -> tuple[str, ...]:
        """Return what the gate says to a text that it refuses; nothing to any other, and nothing to words of the library itself."""
        if self._composer.wrote(text):  # a plan that comes back: some of its steps would look odd as goals
            return ()
        look = self._intake.look(text)
        return look.notices if look.status == "refuse" else ()

    def alternatives(self, goal: str, places: Sequence[Wanted], taken: Collection[str]) -> list[list[Match]]:
        """Return eligible other products for each place: its kind first, the best T2 first; none for an unknown product.

        Args:
            goal: The goal as typed.
            places: Which products may be replaced, and by what.
            taken: Ids of products that may not be offered.
        """
        return alternatives(self._associator, goal, places, taken)

    def run(self, request: PlanRequest, planner: PlannerChoice | None = None) -> Plan:
        """Drain the same events as ``stream``.

        Args:
            request: What is asked for.
            planner: Who plans, in place of the pipeline's own choice.

        Raises:
            EcomScriptError: The request failed in an expected way.
        """
        for event in self._events(request, planner or self._planner, self._chat, "", Meter(time.perf_counter())):
            if isinstance(event, Finished):
                return event.plan
        raise RuntimeError("the events ended without Finished")

    def stream(
        self, request: PlanRequest, visitor: str = "", own: OwnKey | None = None, planner: PlannerChoice | None = None
    ) -> Iterator[Event]:
        """Yield ``Planned``, a ``StepMatched`` for each step, ``ScriptVerified``, ``BundleVerified`` and ``Finished``.

        While a language model writes, ``Planned`` comes without steps, then ``StepPlanned`` and a first ``StepMatched`` for each step, with
        ``Writing`` in between, and then what is said above for the whole plan. An answer without steps has only ``Planned`` and
        ``Finished``; an expected error ends every stream with ``Failed``. Closing the stream ends a question to a language model.

        Args:
            request: What is asked for.
            visitor: On whose behalf, for their share of a language model; "" for nobody's.
            own: The visitor's own key: its model writes the plan.
            planner: Who writes it; None means what the settings say.
        """
        meter = Meter(time.perf_counter())
        try:
            with self._chat_for(own) as chat:
                writer = planner or ("llm" if own else self._planner)
                with closing(self._events(request, writer, chat, visitor, meter)) as events:
                    yield from (replace(event, usage=meter.usage) for event in events)
        except EcomScriptError as error:
            yield Failed(str(error), meter.elapsed(), meter.usage)

    @property
    def has_model(self) -> bool:
        """Whether the deployment has a language model."""
        return self._chat is not None

    def choose_calls(self, table: Table, own: OwnKey | None = None) -> Generator[Usage, None, Choice]:
        """Yield the tokens so far while a language model reads a change of a plan, and return what it wants done.

        Closing the generator ends the question.

        Args:
            table: The plan and the change.
            own: The visitor's own key: its model is asked.

        Raises:
            LanguageModelError: There is no model, it could not be asked, or its answer cannot be used.
        """
        with self._model_of(own) as chat:
            chooser = ToolChooser(chat, unsafe, self._settings.llm_timeout_s)
            with closing(chooser.choose(table)) as choosing:
                return (yield from choosing)

    def second_opinion(self, claim: Claim, visitor: str = "", own: OwnKey | None = None) -> Generator[Usage, None, Opinion]:
        """Yield the tokens so far while a language model judges a claim, and return what it says.

        Closing the generator ends the question.

        Args:
            claim: What a verifier was asked.
            visitor: On whose behalf.
            own: The visitor's own key: its model is asked.

        Raises:
            LanguageModelError: There is no model, or it could not be asked.
        """
        with self._model_of(own) as chat:
            verifier = ChatVerifier(chat, claim.task, visitor=visitor, timeout_s=self._settings.llm_timeout_s)
            try:
                with closing(verifier.ask(claim)) as asking:
                    return Opinion(chat.name, (yield from asking))
            except UnclearAnswerError:
                return Opinion(chat.name, None)

    @contextmanager
    def _model_of(self, own: OwnKey | None) -> Iterator[ChatModel]:
        """Open the model of the visitor's own key, else that of the deployment, which must be there."""
        with self._chat_for(own) as chat:
            if chat is None:
                raise LanguageModelError("No language model is set up", NOT_SET_UP_FIX)
            yield chat

    def _chat_for(self, own: OwnKey | None) -> AbstractContextManager[ChatModel | None]:
        """Return the model of the visitor's own key, else that of the deployment."""
        return nullcontext(self._chat) if own is None else own_chat(self._settings, own)

    def _events(
        self, request: PlanRequest, planner: PlannerChoice, chat: ChatModel | None, visitor: str, meter: Meter
    ) -> Generator[Event, None, None]:
        look = self._intake.look(request.goal)
        constraints = requested_constraints(request)
        if barred := tuple(dict.fromkeys(notice for text in request.refinements for notice in refused(text, self.refusal))):
            yield from _without_plan(request, "refuse", Constraints(), (barred, ()), meter)
            return
        if look.status != "plan":
            yield from _without_plan(request, look.status, constraints, (look.notices, look.questions), meter)
            return
        eligibility = Eligibility(constraints)
        core = clean_goal(look.goal, constraints)
        script = self._composer.compose(self._wishes(look.goal, constraints, eligibility, request.like), core, goal_parts(look.goal))
        found = look.notices

        def opening(script: Script, complete: bool = True) -> Planned:
            notices = notices_of(request, found, script)
            fit = self.reviewer.fit(script.grounds)
            return Planned("plan", look.goal, constraints, script, notices, look.questions, meter.elapsed(), complete, fit=fit)

        asked = Asked(look.goal, core, constraints, explicit_fields(request), script, chat, visitor)
        if not request.like and self._drafter.wanted(planner, asked):
            script, why_not = yield from self._drafter.draft(asked, opening, meter)
            found = (*why_not, *found)
        if not script.steps:
            yield from _without_plan(request, "clarify", constraints, ((*found, NOTHING_NEAR), look.questions), meter)
            return
        planned = opening(script)
        yield planned
        meter.mark("planned")
        yield from self._finish(request, planned, script, eligibility, meter)

    def _wishes(self, goal: str, constraints: Constraints, eligibility: Eligibility, like: str) -> Wishes:
        def against(text: str, sure: bool) -> bool:
            return eligibility.excludes(text) or (sure and goes_against(text, constraints))

        return Wishes(goal, constraints, cache(lambda kind: self._associator.shows(kind, eligibility)), against, like)

    def _finish(self, request: PlanRequest, planned: Planned, script: Script, eligibility: Eligibility, meter: Meter) -> Iterator[Event]:
        """Yield the products of a script, the verdicts and the plan."""
        steps: list[MatchedStep] = []
        for matched in self._associator.match_script(script, planned.goal, planned.constraints, eligibility):
            steps.append(matched)
            meter.mark("first_step")
            yield StepMatched(matched, meter.elapsed())
        meter.mark("matched")
        script_verdict = self.reviewer.script(planned.goal, steps)
        yield ScriptVerified(script_verdict, meter.elapsed())
        bundle_verdict, conflicts = self.reviewer.bundle(planned.goal, steps, eligibility)
        yield BundleVerified(bundle_verdict, conflicts, meter.elapsed())
        meter.mark("verified")
        meter.mark("total")
        plan = Plan(
            goal=request.goal,
            status="plan",
            constraints=planned.constraints,
            planner=script.planner,
            confidence=script.confidence,
            objective=script.objective,
            steps=tuple(steps),
            script_verdict=script_verdict,
            bundle_verdict=bundle_verdict,
            conflicts=conflicts,
            notices=planned.notices,
            questions=planned.questions,
            timings_s=dict(meter.timings_s),
            usage=meter.usage,
            near=script.near,
            fit=planned.fit,
        )
        yield Finished(plan, meter.elapsed())


def _without_plan(
    request: PlanRequest,
    status: Status,
    constraints: Constraints,
    answer: tuple[tuple[str, ...], tuple[str, ...]],
    meter: Meter,
) -> Iterator[Event]:
    """Yield the two events of an answer without steps; ``answer`` holds its notices and its questions."""
    notices, questions = answer
    yield Planned(status, request.goal, constraints, None, notices, questions, meter.elapsed())
    meter.mark("total")
    timings = {"total": meter.timings_s["total"]}
    plan = Plan(request.goal, status, constraints, notices=notices, questions=questions, timings_s=timings, usage=meter.usage)
    yield Finished(plan, meter.elapsed())
