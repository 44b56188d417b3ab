"""What to swap or leave out so that a basket keeps its budget: an exact choice, not a greedy one.

Every line offers choices: keep it, take an alternative that costs less, or, when it is only nice to have, leave it out. Of all combinations
that keep the budget the best has the greatest total confidence (T2) over the must-haves, then over what is nice to have, then the fewest
changes; must-haves stay untouched where changing what is nice to have is enough. Confidences count in hundredths, as they are shown.

This is the multiple-choice knapsack problem; it is solved by dynamic programming over what is saved, where savings beyond the need count as
the need itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from ecomscript.errors import InputError
from ecomscript.quantities import quantity_for, share
from ecomscript.schema import Match, Product
from ecomscript.ui import texts
from ecomscript.ui.basket import Basket, Line

PER_LINE = 10
"""Most alternatives of a line that are looked at."""
_CHANGE = 1_000
_MUST = 20_000 * _CHANGE
"""Worth of a hundredth of confidence of what is nice to have, and of a must-have: each outweighs all that stands below it for 100 lines."""

Alternatives = Callable[[Line], Sequence[Match]]
"""Returns other products for what a line is for, the best first; all keep the constraints of the line's plan."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One thing that may become of a line.

    Attributes:
        saved_cents: How much less it costs than what is in the basket now.
        confidence: P(product helps its step) in hundredths; 0 when no model computed it or nothing is bought.
        must: Whether the line is a must-have.
        changes: 0 when the line stays as it is, else 1.
    """

    saved_cents: int
    confidence: int
    must: bool = True
    changes: int = 1

    @property
    def worth(self) -> int:
        """The three aims in one number, so that a greater one is better."""
        return self.confidence * (_MUST if self.must else _CHANGE) - self.changes


@dataclass(frozen=True, slots=True)
class Change:
    """A line that is swapped for ``new``, or left out when that is None."""

    old: Line
    new: Line | None

    @property
    def saved_usd(self) -> float:
        """How much less is paid."""
        return round((self.old.subtotal_usd or 0.0) - ((self.new.subtotal_usd or 0.0) if self.new else 0.0), 2)


@dataclass(frozen=True, slots=True)
class Offer:
    """What was found for a basket that is over its budget; without changes nothing fits."""

    basket: Basket
    budget_usd: float
    changes: tuple[Change, ...]

    @property
    def after(self) -> Basket:
        """The basket with the changes made."""
        become = {change.old.product.product_id: change.new for change in self.changes}
        lines = (become.get(line.product.product_id, line) for line in self.basket.lines)
        return replace(self.basket, lines=tuple(line for line in lines if line is not None))


def best_choices(groups: Sequence[Sequence[Choice]], needed_cents: int) -> list[int] | None:
    """Return the position of the best choice in every group such that at least ``needed_cents`` are saved; None when none does.

    Args:
        groups: The choices of each line; none of a group's choices may save less than nothing.
        needed_cents: What has to be saved.
    """
    saved, worth = np.zeros(1, np.int64), np.zeros(1, np.int64)
    most_left = np.cumsum([0, *(max(choice.saved_cents for choice in group) for group in reversed(groups))])[::-1]
    layers: list[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]] = []
    for group, left in zip(groups, most_left[1:], strict=True):
        gains = np.array([choice.saved_cents for choice in group], np.int64)
        worths = np.array([choice.worth for choice in group], np.int64)
        all_saved = np.minimum(saved[:, None] + gains, needed_cents).ravel()
        all_worth = (worth[:, None] + worths).ravel()
        order = np.lexsort((-all_worth, -all_saved))
        order = order[all_saved[order] + left >= needed_cents]
        if not len(order):
            return None
        best_so_far = np.maximum.accumulate(all_worth[order])
        kept = order[np.append(True, all_worth[order][1:] > best_so_far[:-1])]  # worth more than all that save as much or more
        layers.append((kept // len(group), kept % len(group)))
        saved, worth = all_saved[kept], all_worth[kept]
    state, chosen = int(worth.argmax()), []
    for parents, choices in reversed(layers):
        chosen.append(int(choices[state]))
        state = int(parents[state])
    return chosen[::-1]


def find_offer(basket: Basket, budget_usd: float | None, alternatives: Alternatives) -> Offer | None:
    """Return what to change so that the basket keeps the budget; None when it does already, or there is no budget.

    What is ticked off is bought and stays. A quantity that the person set stays with the line, others follow the people.

    Args:
        basket: What the visitor chose.
        budget_usd: Most that all may cost.
        alternatives: Finds other products for a line; one that is in the basket already, or offered for an earlier line, is no choice.
    """
    if budget_usd is None or basket.total_usd <= budget_usd:
        return None
    needed = round(basket.total_usd * 100) - int(round(budget_usd * 100, 6))
    taken, becomes = set(basket.ids), []
    for line in basket.lines:
        becomes.append(_becomes(line, alternatives, taken))
        taken |= {new.product.product_id for new in becomes[-1] if new is not None}
    groups = [[_choice(line, new) for new in news] for line, news in zip(basket.lines, becomes, strict=True)]
    first = [group if line.optional else group[:1] for line, group in zip(basket.lines, groups, strict=True)]
    chosen = best_choices(first, needed) or best_choices(groups, needed)
    if chosen is None:
        return Offer(basket, budget_usd, ())
    picked = zip(basket.lines, becomes, chosen, strict=True)
    return Offer(basket, budget_usd, tuple(Change(line, news[n]) for line, news, n in picked if news[n] is not line))


def take_offer(basket: Basket, offer: Offer | None) -> Basket:
    """Return the basket with the offer's changes made.

    Raises:
        InputError: There is no offer for this very basket, as after a forged click or one on an older page.
    """
    if offer is None or not offer.changes or offer.basket != basket:
        raise InputError(*texts.FIT_STALE)
    return offer.after


def without_scores(matches: Sequence[Match]) -> list[Match]:
    """Return the matches without T2, for a verifier too weak to count."""
    return [replace(match, t2=None) for match in matches]


def _becomes(line: Line, alternatives: Alternatives, taken: set[str]) -> list[Line | None]:
    """Return what may become of a line, the line itself first."""
    if line.ticked or line.product.price_usd is None:
        return [line]
    news: dict[str, Line] = {}
    for match in alternatives(line)[:PER_LINE]:
        new = replace(line, product=match.product, t2=match.t2, quantity=_quantity(line, match.product))
        if match.product.product_id not in taken and new.subtotal_usd is not None and new.subtotal_usd < (line.subtotal_usd or 0.0):
            news[match.product.product_id] = new
    return [line, *news.values(), *([None] if line.optional else [])]


def _quantity(line: Line, product: Product) -> int:
    """Return how many of another product stand for a line; where nothing says whom it serves, as many as before."""
    follows = not line.by_hand and (share(product) is not None or share(line.product) is None)
    return quantity_for(product, line.origin.constraints.people) if follows else line.quantity


def _choice(line: Line, new: Line | None) -> Choice:
    cost = round((new.subtotal_usd or 0.0) * 100) if new else 0
    confidence = round((new.t2 or 0.0) * 100) if new else 0
    return Choice(round((line.subtotal_usd or 0.0) * 100) - cost, confidence, not line.optional, 0 if new is line else 1)
