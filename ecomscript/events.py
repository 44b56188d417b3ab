"""What a running plan tells its watchers; the UI, the command line and the API all consume this one stream."""

from __future__ import annotations

from dataclasses import dataclass

from ecomscript.schema import Conflict, Constraints, MatchedStep, Plan, Script, Status, Verdict


@dataclass(frozen=True, slots=True)
class Planned:
    """The goal was understood: with status "plan" there is a script, otherwise only notices and questions.

    Attributes:
        goal: The goal as it was understood: that of a foreign wording is English.
        elapsed_s: Seconds since the request arrived (the same in every event).
    """

    status: Status
    goal: str
    constraints: Constraints
    script: Script | None
    notices: tuple[str, ...]
    questions: tuple[str, ...]
    elapsed_s: float


@dataclass(frozen=True, slots=True)
class StepMatched:
    """The products of one step are known; steps arrive in order."""

    matched: MatchedStep
    elapsed_s: float


@dataclass(frozen=True, slots=True)
class ScriptVerified:
    """T1 has read the script; ``verdict`` is None when its model cannot be used."""

    verdict: Verdict | None
    elapsed_s: float


@dataclass(frozen=True, slots=True)
class BundleVerified:
    """T3 and the rules have seen all products together; ``verdict`` is None when the model cannot be used."""

    verdict: Verdict | None
    conflicts: tuple[Conflict, ...]
    elapsed_s: float


@dataclass(frozen=True, slots=True)
class Failed:
    """The request ended in an expected error; ``message`` names cause and fix and is safe to show."""

    message: str
    elapsed_s: float


@dataclass(frozen=True, slots=True)
class Finished:
    """The last event of a request that did not fail."""

    plan: Plan
    elapsed_s: float


Event = Planned | StepMatched | ScriptVerified | BundleVerified | Failed | Finished
