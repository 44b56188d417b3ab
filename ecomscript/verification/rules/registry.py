"""The register of compatibility rules: a rule looks at the objective and the whole bundle and yields what does not go together."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from ecomscript.verification.rules.attributes import Facts


@dataclass(frozen=True, slots=True)
class Finding:
    """Two places of a bundle that clash; ``second`` is None when the objective itself is the other side."""

    first: int
    second: int | None
    reason: str


Rule = Callable[[Facts, Sequence[Facts]], Iterator[Finding]]
GoalRule = Callable[[Facts, Facts], str | None]
PairRule = Callable[[Facts, Facts], str | None]

RULES: dict[str, Rule] = {}
"""Every rule by its name, in the order in which they are asked."""
GOAL_RULES: list[GoalRule] = []
"""Those of them that look at the objective and one product alone."""


def over_bundle(name: str) -> Callable[[Rule], Rule]:
    """Register a rule that needs the whole bundle, because several products may do together what one cannot."""

    def register(rule: Rule) -> Rule:
        RULES[name] = rule
        return rule

    return register


def against_goal(name: str) -> Callable[[GoalRule], GoalRule]:
    """Register a rule (objective, product) → reason."""

    def register(rule: GoalRule) -> GoalRule:
        def ask(goal: Facts, bundle: Sequence[Facts]) -> Iterator[Finding]:
            for place, product in enumerate(bundle):
                if reason := rule(goal, product):
                    yield Finding(place, None, reason)

        RULES[name] = ask
        GOAL_RULES.append(rule)
        return rule

    return register


def between(name: str) -> Callable[[PairRule], PairRule]:
    """Register a rule (product, other product) → reason; it is asked for every ordered pair."""

    def register(rule: PairRule) -> PairRule:
        def ask(_: Facts, bundle: Sequence[Facts]) -> Iterator[Finding]:
            for first, a in enumerate(bundle):
                for second, b in enumerate(bundle):
                    if first != second and (reason := rule(a, b)):
                        yield Finding(first, second, reason)

        RULES[name] = ask
        return rule

    return register
