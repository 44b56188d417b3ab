"""One visitor's basket: a frozen value, replaced and never changed."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from ecomscript.errors import InputError
from ecomscript.schema import Conflict, Product
from ecomscript.ui import texts

MAX_QUANTITY = 99
MAX_LINES = 100
NO_SCORES: Mapping[str, float] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Line:
    """A product and how many of it (1–99).

    Attributes:
        t2: P(product helps its step), of the plan that it was added from; None when no model computed it.
    """

    product: Product
    quantity: int = 1
    t2: float | None = None

    @property
    def subtotal_usd(self) -> float | None:
        """Price times quantity; None when the catalogue has no price."""
        return None if self.product.price_usd is None else round(self.product.price_usd * self.quantity, 2)


@dataclass(frozen=True, slots=True)
class Basket:
    """The lines in the order in which they were added, one per product."""

    lines: tuple[Line, ...] = ()

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
        return Basket((*self.lines, *(Line(p, t2=t2.get(p.product_id)) for p in fresh.values())))

    def remove(self, product_id: str) -> Basket:
        """Return a basket without this product."""
        return Basket(tuple(line for line in self.lines if line.product.product_id != product_id))

    def swap(self, product_id: str, new: Product, t2: float | None = None) -> Basket:
        """Return a basket with another product in this one's place, as many as there were of both, up to 99."""
        if product_id not in self.ids:
            return self
        quantity = sum(line.quantity for line in self.lines if line.product.product_id in {product_id, new.product_id})
        line = Line(new, min(quantity, MAX_QUANTITY), t2)
        others = self.remove(new.product_id).lines
        return Basket(tuple(line if other.product.product_id == product_id else other for other in others))

    def with_quantity(self, product_id: str, quantity: int) -> Basket:
        """Return a basket with this many of a product that is in it, held to 1–99."""
        held = min(max(quantity, 1), MAX_QUANTITY)
        return Basket(tuple(replace(line, quantity=held) if line.product.product_id == product_id else line for line in self.lines))


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
        payload: ``{"act": "quantity", "pid": …, "quantity": n}``, ``{"act": "remove", "pid": …}`` or ``{"act": "clear"}``; comes from
            the browser, so anything is possible.

    Raises:
        InputError: The payload is none of these.
    """
    data: Mapping[str, Any] = payload if isinstance(payload, Mapping) else {}
    act, product_id, quantity = data.get("act"), data.get("pid"), data.get("quantity")
    if act == "clear":
        return Basket()
    if act == "remove" and isinstance(product_id, str):
        return basket.remove(product_id)
    if act == "quantity" and isinstance(product_id, str) and isinstance(quantity, int) and not isinstance(quantity, bool):
        return basket.with_quantity(product_id, quantity)
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
