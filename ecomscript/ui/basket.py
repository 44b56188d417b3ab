"""One visitor's basket: a frozen value, replaced and never changed."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from ecomscript.association.eligibility import violation
from ecomscript.errors import InputError
from ecomscript.quantities import MAX_QUANTITY, quantity_for, share
from ecomscript.schema import Conflict, Constraints, MatchedStep, Product
from ecomscript.ui import texts

MAX_LINES = 100
NO_SCORES: Mapping[str, float] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Origin:
    """The plan that a line serves.

    Attributes:
        goal: Its goal as it was understood.
        steps: The steps of it that show the product, in order.
        constraints: What it must respect, the number of people among it.
    """

    goal: str = ""
    steps: tuple[str, ...] = ()
    constraints: Constraints = field(default_factory=Constraints)


@dataclass(frozen=True, slots=True)
class Line:
    """A product and how many of it (1–99).

    Attributes:
        t2: P(product helps its step), of the plan that it was added from; None when no model computed it.
        by_hand: Whether the person set the quantity; it is then never changed again.
        optional: Only nice to have; every line is a must-have until the person says so.
        ticked: Already found while shopping.
        origin: The plan that it serves.
    """

    product: Product
    quantity: int = 1
    t2: float | None = None
    by_hand: bool = False
    optional: bool = False
    ticked: bool = False
    origin: Origin = Origin()

    @property
    def subtotal_usd(self) -> float | None:
        """Price times quantity; None when the catalogue has no price."""
        return None if self.product.price_usd is None else round(self.product.price_usd * self.quantity, 2)

    @property
    def sum_words(self) -> str:
        """How the quantity follows from the people, such as "2 × pack of 8 for 12 people"; "" when it does not."""
        people = self.origin.constraints.people
        one = share(self.product) if people else None
        if one is None or people is None:
            return ""
        fits = one.quantity(people)
        unit, whom = texts.SHARES[one.unit].format(n=one.people), texts.count(people, "person", "people")
        words = texts.SHARE_SUM.format(quantity=fits, one=unit, people=whom)
        return words if fits == self.quantity else texts.BY_HAND.format(words=words)

    @property
    def breaks(self) -> str:
        """Why the product goes against what the person asked by now; "" when it does not."""
        return violation(self.product, replace(self.origin.constraints, budget_usd=None)) or ""


@dataclass(frozen=True, slots=True)
class Basket:
    """The lines in the order in which they were added, one per product.

    Attributes:
        aside: Lines whose products the person turned down; they come back when that is undone.
    """

    lines: tuple[Line, ...] = ()
    aside: tuple[Line, ...] = ()

    @property
    def ids(self) -> list[str]:
        """The product ids, for the page to mark their cards."""
        return [line.product.product_id for line in self.lines]

    @property
    def items(self) -> int:
        """How many things are in the basket."""
        return sum(line.quantity for line in self.lines)

    @property
    def total_usd(self) -> float:
        """Sum of the subtotals; lines without a price count as zero."""
        return round(sum(line.subtotal_usd or 0.0 for line in self.lines), 2)

    @property
    def unpriced(self) -> int:
        """How many lines have no price."""
        return sum(line.product.price_usd is None for line in self.lines)

    @property
    def ticked(self) -> int:
        """How many lines are ticked off."""
        return sum(line.ticked for line in self.lines)

    def add(self, products: Iterable[Product], t2: Mapping[str, float] = NO_SCORES) -> Basket:
        """Return a basket that also holds one of each of ``products``; what is there already stays as it is.

        Args:
            products: What to add.
            t2: P(product helps its step) by product id.

        Raises:
            InputError: The basket would hold more than ``MAX_LINES`` products.
        """
        fresh = {p.product_id: p for p in products if p.product_id not in self.ids}
        if len(self.lines) + len(fresh) > MAX_LINES:
            cause, fix = texts.BASKET_FULL
            raise InputError(cause.format(n=MAX_LINES), fix)
        return replace(self, lines=(*self.lines, *(Line(p, t2=t2.get(p.product_id)) for p in fresh.values())))

    def remove(self, product_id: str) -> Basket:
        """Return a basket without this product."""
        return replace(self, lines=tuple(line for line in self.lines if line.product.product_id != product_id))

    def swap(self, product_id: str, new: Product, t2: float | None = None) -> Basket:
        """Return a basket with another product in this one's place, as many as there were of both, up to 99."""
        old = next((line for line in self.lines if line.product.product_id == product_id), None)
        if old is None:
            return self
        merged = [line for line in self.lines if line.product.product_id in {product_id, new.product_id}]
        quantity = min(sum(line.quantity for line in merged), MAX_QUANTITY)
        by_hand, optional = any(line.by_hand for line in merged), all(line.optional for line in merged)
        line = Line(new, quantity, t2, by_hand, optional, origin=old.origin)
        others = self.remove(new.product_id).lines
        return replace(self, lines=tuple(line if other.product.product_id == product_id else other for other in others))

    def with_quantity(self, product_id: str, quantity: int) -> Basket:
        """Return a basket with this many of a product that is in it, held to 1–99, as the person wants it."""
        return self._changed(product_id, quantity=min(max(quantity, 1), MAX_QUANTITY), by_hand=True)

    def with_more(self, product_id: str, more: int) -> Basket:
        """Return a basket with so many more of a product that is in it, or fewer, held to 1–99."""
        held = sum(line.quantity for line in self.lines if line.product.product_id == product_id)
        return self.with_quantity(product_id, held + more)

    def with_optional(self, product_id: str, optional: bool) -> Basket:
        """Return a basket in which this product is only nice to have, or a must-have again."""
        return self._changed(product_id, optional=optional)

    def with_ticked(self, product_id: str, ticked: bool) -> Basket:
        """Return a basket in which this product is ticked off, or not any more."""
        return self._changed(product_id, ticked=ticked)

    def follow(self, goal: str, constraints: Constraints, steps: Sequence[MatchedStep]) -> Basket:
        """Return a basket whose lines that a plan shows know that plan, and are as many as its people need.

        Lines that other plans brought, and quantities that the person set, stay as they are.

        Args:
            goal: The plan's goal as it was understood.
            constraints: What it must respect.
            steps: Its steps with their products.
        """
        serves: dict[str, tuple[str, ...]] = {}
        for step in steps:
            for match in step.matches:
                serves[match.product.product_id] = (*serves.get(match.product.product_id, ()), step.step.text)

        def followed(line: Line) -> Line:
            texts_of_steps = serves.get(line.product.product_id)
            if texts_of_steps is None:  # what this plan no longer shows still has to keep to what was asked
                return replace(line, origin=replace(line.origin, constraints=constraints)) if line.origin.goal == goal != "" else line
            quantity = line.quantity if line.by_hand else quantity_for(line.product, constraints.people)
            return replace(line, quantity=quantity, origin=Origin(goal, texts_of_steps, constraints))

        return replace(self, lines=tuple(map(followed, self.lines)))

    def without(self, dismissed: Container[str], goal: str, shown: Container[str]) -> Basket:
        """Return a basket without what was turned down in a plan, and again with what is shown once more because that was undone.

        Args:
            dismissed: Ids of the products turned down.
            goal: The plan's goal as it was understood; what other plans brought stays.
            shown: Ids of the products that the plan shows.
        """

        def gone(line: Line) -> bool:
            return line.origin.goal == goal and line.product.product_id in dismissed

        def back(line: Line) -> bool:
            return line.origin.goal == goal and line.product.product_id in shown and line.product.product_id not in self.ids

        lines = (*(line for line in self.lines if not gone(line)), *filter(back, self.aside))
        aside = (*(line for line in self.aside if not back(line)), *filter(gone, self.lines))
        return replace(self, lines=lines[:MAX_LINES], aside=aside[-MAX_LINES:])

    def _changed(self, product_id: str, **changes: Any) -> Basket:
        changed = (replace(line, **changes) if line.product.product_id == product_id else line for line in self.lines)
        return replace(self, lines=tuple(changed))


def toggle(basket: Basket, payload: Any, look_up: Callable[[str], Product | None], t2: Mapping[str, float] = NO_SCORES) -> Basket:
    """Return the basket after Add or Remove on a product card.

    Args:
        basket: The basket so far.
        payload: ``{"pid": product_id}``; comes from the browser, so anything is possible.
        look_up: Finds a product of the catalogue.
        t2: P(product helps its step) by product id.

    Raises:
        InputError: The payload names no product of the catalogue, or the basket is full.
    """
    product_id = payload.get("pid") if isinstance(payload, Mapping) else None
    if isinstance(product_id, str) and product_id in basket.ids:
        return basket.remove(product_id)
    product = look_up(product_id) if isinstance(product_id, str) else None
    if product is None:
        raise InputError(*texts.UNKNOWN_PRODUCT)
    return basket.add([product], t2)


def add_all(basket: Basket, products: Sequence[Product], t2: Mapping[str, float] = NO_SCORES) -> Basket:
    """Return the basket with one of each product of the plan.

    Raises:
        InputError: There is no plan any more, as after a restart of the server, or the basket is full.
    """
    if not products:
        raise InputError(*texts.STALE)
    return basket.add(products, t2)


def edit(basket: Basket, payload: Any) -> Basket:
    """Return the basket after a click or a typed number in it.

    Args:
        basket: The basket so far.
        payload: ``{"act": "quantity", "pid": …, "quantity": n}``, ``{"act": "more", "pid": …, "more": ±n}``,
            ``{"act": "optional" or "tick", "pid": …, "on": bool}``, ``{"act": "remove", "pid": …}`` or ``{"act": "clear"}``;
            comes from the browser, so anything is possible.

    Raises:
        InputError: The payload is none of these.
    """
    data: Mapping[str, Any] = payload if isinstance(payload, Mapping) else {}
    act, product_id, on = data.get("act"), data.get("pid"), data.get("on")
    if act == "clear":
        return Basket()
    if isinstance(product_id, str):
        if act == "remove":
            return basket.remove(product_id)
        if act == "quantity" and type(quantity := data.get("quantity")) is int:
            return basket.with_quantity(product_id, quantity)
        if act == "more" and type(more := data.get("more")) is int:
            return basket.with_more(product_id, more)
        if act == "optional" and isinstance(on, bool):
            return basket.with_optional(product_id, on)
        if act == "tick" and isinstance(on, bool):
            return basket.with_ticked(product_id, on)
    raise InputError(*texts.STALE)


def conflicts_in(basket: Basket, conflicts: Iterable[Conflict], titles: Container[str]) -> tuple[Conflict, ...]:
    """Return the conflicts of a plan that are still in the basket.

    Args:
        basket: The basket.
        conflicts: Those of the plan last made.
        titles: The titles of that plan's products; what is none of them is the goal.
    """
    held = {line.product.title for line in basket.lines}
    return tuple(c for c in conflicts if all(name in held or name not in titles for name in (c.a, c.b)))
