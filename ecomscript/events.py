"""What a running plan tells its watchers; the UI, the command line and the API all consume this one stream.

Every event has ``elapsed_s``, the seconds since the request arrived, and ``usage``, what language models were asked for it so far.
"""

from __future__ import annotations

from dataclasses import dataclass

from ecomscript.schema import NO_USAGE, Conflict, Constraints, MatchedStep, Plan, Script, Status, Step, Usage, Verdict


@dataclass(frozen=True, slots=True)
class Planned:
    """The goal was understood: with status "plan" there is a script, otherwise only notices and questions.

    It comes again when another script takes the place of this one; steps of the first that the second does not have are then void.

    Attributes:
        goal: The goal as it was understood: that of a foreign wording is English.
        complete: False while a language model writes the script: its steps follow, each as ``StepPlanned``.
        fit: As ``Plan.fit``.
    """

    status: Status
    goal: str
    constraints: Constraints
    script: Script | None
    notices: tuple[str, ...]
    questions: tuple[str, ...]
    elapsed_s: float
    complete: bool = True
    usage: Usage = NO_USAGE
    fit: float | None = None


@dataclass(frozen=True, slots=True)
class Writing:
    """A language model is at work; tells nothing but the time and the tokens."""

    elapsed_s: float
    usage: Usage = NO_USAGE


@dataclass(frozen=True, slots=True)
class StepPlanned:
    """A language model wrote one more step."""

    step: Step
    elapsed_s: float
    usage: Usage = NO_USAGE


@dataclass(frozen=True, slots=True)
class StepMatched:
    """The products of one step are known; steps arrive in order, and once more where the whole plan changes their products."""

    matched: MatchedStep
    elapsed_s: float
    usage: Usage = NO_USAGE


@dataclass(frozen=True, slots=True)
class ScriptVerified:
    """T1 has read the script; ``verdict`` is None when its model cannot be used."""

    verdict: Verdict | None
    elapsed_s: float
    usage: Usage = NO_USAGE


@dataclass(frozen=True, slots=True)
class BundleVerified:
    """T3 and the rules have seen all products together; ``verdict`` is None when the model cannot be used."""

    verdict: Verdict | None
    conflicts: tuple[Conflict, ...]
    elapsed_s: float
    usage: Usage = NO_USAGE


@dataclass(frozen=True, slots=True)
class Failed:
    """The request ended in an expected error; ``message`` names cause and fix and is safe to show."""

    message: str
    elapsed_s: float
    usage: Usage = NO_USAGE


@dataclass(frozen=True, slots=True)
class Finished:
    """The last event of a request that did not fail."""

    plan: Plan
    elapsed_s: float
    usage: Usage = NO_USAGE


Event = Planned | Writing | StepPlanned | StepMatched | ScriptVerified | BundleVerified | Failed | Finished
