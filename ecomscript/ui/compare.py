"""Up to four products side by side: which ones, and which of their attributes differ."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ecomscript.errors import InputError
from ecomscript.schema import AttributeValue, Match
from ecomscript.ui import texts
from ecomscript.ui.view import PlanView

MOST = 4


@dataclass(frozen=True, slots=True)
class Entry:
    """A product as it stood in a plan when it was chosen.

    Attributes:
        match: The product with its matched intention and T2.
        step: The step that it was shown for.
    """

    match: Match
    step: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """The products in the order in which they were chosen, each once."""

    entries: tuple[Entry, ...] = ()

    @property
    def ids(self) -> list[str]:
        """The product ids, for the page to mark their cards."""
        return [entry.match.product.product_id for entry in self.entries]

    def remove(self, product_id: str) -> Comparison:
        """Return a comparison without this product."""
        return Comparison(tuple(e for e in self.entries if e.match.product.product_id != product_id))


@dataclass(frozen=True, slots=True)
class AttributeRow:
    """One attribute of all compared products; a value is "" where nothing is said of it."""

    name: str
    values: tuple[str, ...]

    @property
    def same(self) -> bool:
        """Whether all products say the same."""
        return len(set(self.values)) == 1


def choose(comparison: Comparison, payload: Any, view: PlanView) -> Comparison:
    """Return the comparison after Compare on a product card, or Remove or Clear in the table.

    Args:
        comparison: The comparison so far.
        payload: ``{"pid": product_id}`` puts a product in or takes it out, ``{"clear": true}`` takes all out; comes from the browser, so
            anything is possible.
        view: The plan that the visitor sees.

    Raises:
        InputError: The payload names nothing that is on the page, or four products are compared already.
    """
    data: Mapping[str, Any] = payload if isinstance(payload, Mapping) else {}
    product_id = data.get("pid")
    if data.get("clear") is True:
        return Comparison()
    if isinstance(product_id, str) and product_id in comparison.ids:
        return comparison.remove(product_id)
    shown = (Entry(match, step.step.text) for step in view.matched for match in step.matches)
    entry = next((entry for entry in shown if entry.match.product.product_id == product_id), None)
    if entry is None:
        raise InputError(*texts.STALE)
    if len(comparison.entries) >= MOST:
        raise InputError(*texts.COMPARE_FULL)
    return Comparison((*comparison.entries, entry))


def attribute_rows(comparison: Comparison) -> list[AttributeRow]:
    """Return a row for every attribute that any product has, in the order in which they come."""
    products = [entry.match.product for entry in comparison.entries]
    names = dict.fromkeys(name for product in products for name in product.attributes)
    return [AttributeRow(name, tuple(_words(p.attributes.get(name)) for p in products)) for name in names]


def _words(value: AttributeValue | None) -> str:
    match value:
        case None:
            return ""
        case bool():
            return texts.YES if value else texts.NO
        case float() | int():
            return f"{value:,.12g}"
        case tuple():
            return ", ".join(value)
        case _:
            return value
