"""Does a bundle hold together? Attribute rules, product against product and product against what the objective says.

Precision first: a rule speaks only where both sides say something definite; everything else is left to the T3 verifier.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

from ecomscript.schema import AttributeValue
from ecomscript.verification.rules import capacity, electric, pair, person, place, size  # noqa: F401  (they register their rules)
from ecomscript.verification.rules.attributes import Facts, facts_of, product_facts
from ecomscript.verification.rules.interfaces import interfaces
from ecomscript.verification.rules.never import never_for, never_rules
from ecomscript.verification.rules.registry import GOAL_RULES, RULES, Rule


@dataclass(frozen=True, slots=True)
class Placed:
    """A product in its place of a bundle, as many of it as are bought."""

    step: str
    title: str
    features: str = ""
    attributes: Mapping[str, AttributeValue] = field(default_factory=dict)
    quantity: int = 1


@dataclass(frozen=True, slots=True)
class Clash:
    """Two things that do not go together.

    Attributes:
        rule: The rule's name, such as "lens mount".
        first: Index into the bundle.
        second: Index of the other product; None when it is the objective.
        reason: One plain sentence for the shopper.
    """

    rule: str
    first: int
    second: int | None
    reason: str

    @property
    def places(self) -> tuple[int, ...]:
        """The products that clash: two, or the one that clashes with the objective."""
        return (self.first,) if self.second is None else (self.first, self.second)


@cache
def _rules() -> Mapping[str, Rule]:
    return {**RULES, **never_rules(), **interfaces()}


def rule_names() -> tuple[str, ...]:
    """Return the name of every rule, in the order in which they are asked."""
    return tuple(_rules())


def clashes(objective: str, bundle: Sequence[Placed]) -> tuple[Clash, ...]:
    """Return what does not hold together, each pair of places at most once per rule.

    Args:
        objective: What the bundle is for, as typed.
        bundle: The products with their steps; any number.
    """
    goal = facts_of(objective)
    products = [_facts(placed) for placed in bundle]
    found: dict[tuple[str, frozenset[int | None]], Clash] = {}
    for name, rule in _rules().items():
        for finding in rule(goal, products):
            places = frozenset({finding.first, finding.second})
            found.setdefault((name, places), Clash(name, finding.first, finding.second, finding.reason))
    return tuple(found.values())


def unfit(objective: str, placed: Placed) -> bool:
    """Return whether a product by itself does not go with the objective, whatever else is in the bundle."""
    goal, product = facts_of(objective), _facts(placed)
    return any(rule(goal, product) for rule in GOAL_RULES) or never_for(goal, product)


def _facts(placed: Placed) -> Facts:
    return product_facts(placed.title, placed.features, placed.step, placed.attributes, placed.quantity)
