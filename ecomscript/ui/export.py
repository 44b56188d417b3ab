"""The basket as CSV, Markdown and JSON text."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Sequence
from typing import Any

from ecomscript.schema import Conflict, Product
from ecomscript.ui import texts
from ecomscript.ui.basket import Basket
from ecomscript.ui.trust import number

_FORMULA_START = ("=", "+", "-", "@", "\t", "\r", "\n")
_MARKDOWN_SPECIAL = re.compile(r"([\\`*_\[\]<>~$])")


def page_url(product: Product) -> str | None:
    """Return the product's page when it is a web address, never another scheme such as ``javascript:``."""
    url = product.page_url or ""
    return url if url.lower().startswith(("https://", "http://")) else None


def csv_cell(text: str) -> str:
    """Return ``text`` such that no spreadsheet takes it for a formula."""
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA_START) else text


def basket_csv(basket: Basket, conflicts: Sequence[Conflict] = ()) -> str:
    """Return one row per line of the basket, without a total so that it can be sorted and summed.

    Args:
        basket: What to write.
        conflicts: What in it does not go together; each is named at the products concerned.
    """
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(
        ["title", "brand", "quantity", "price_usd", "subtotal_usd", "product_id", "page_url", "t2", "need", "ticked", "conflict"]
    )
    for line in basket.lines:
        product = line.product
        writer.writerow(
            [
                csv_cell(product.title),
                csv_cell(product.brand),
                line.quantity,
                "" if product.price_usd is None else product.price_usd,
                "" if line.subtotal_usd is None else line.subtotal_usd,
                csv_cell(product.product_id),
                page_url(product) or "",
                "" if line.t2 is None else round(line.t2, 4),
                texts.NICE.lower() if line.optional else texts.MUST.lower(),
                texts.YES if line.ticked else texts.NO,
                csv_cell(" ".join(conflict_words(c) for c in conflicts if product.title in {c.a, c.b})),
            ]
        )
    return out.getvalue()


def basket_markdown(basket: Basket, goal: str, budget_usd: float | None, conflicts: Sequence[Conflict] = ()) -> str:
    """Return a shopping list with boxes to tick."""
    rows = [f"# {_markdown(goal) or 'Shopping list'}", ""]
    for line in basket.lines:
        price = texts.price(line.subtotal_usd).lower()
        fits = "" if line.t2 is None else f" ({texts.FITS_ITS_STEP}: {number(line.t2)})"
        nice = f" ({texts.NICE.lower()})" if line.optional else ""
        rows.append(f"- [{'x' if line.ticked else ' '}] {line.quantity} × {_markdown(line.product.title)}: {price}{nice}{_markdown(fits)}")
    rows += ["", f"**{texts.TOTAL}: {texts.usd(basket.total_usd)}**"]
    if budget_usd is not None:
        rows.append(f"\nBudget: {texts.usd(budget_usd)}")
    if conflicts:
        rows += ["", f"## {texts.CHECK_FIRST}", "", *(f"- {_markdown(conflict_words(c))}" for c in conflicts)]
    return "\n".join(rows) + "\n"


def basket_json(basket: Basket, goal: str, budget_usd: float | None, conflicts: Sequence[Conflict] = ()) -> str:
    """Return the basket as one JSON object; unknown prices are null."""
    items: list[dict[str, Any]] = [
        {
            "product_id": line.product.product_id,
            "title": line.product.title,
            "brand": line.product.brand,
            "kind": line.product.kind,
            "quantity": line.quantity,
            "price_usd": line.product.price_usd,
            "subtotal_usd": line.subtotal_usd,
            "page_url": page_url(line.product),
            "t2": None if line.t2 is None else round(line.t2, 4),
            "must_have": not line.optional,
            "ticked": line.ticked,
        }
        for line in basket.lines
    ]
    named = [{"a": c.a, "b": c.b, "reason": c.reason} for c in conflicts]
    whole = {"goal": goal or None, "budget_usd": budget_usd, "total_usd": basket.total_usd, "items": items, "conflicts": named}
    return json.dumps(whole, ensure_ascii=False, indent=2) + "\n"


def conflict_words(conflict: Conflict) -> str:
    """Return a conflict as one sentence."""
    return f"{conflict.a} {texts.AND} {conflict.b}: {conflict.reason}"


def _markdown(text: str) -> str:
    return _MARKDOWN_SPECIAL.sub(r"\\\1", " ".join(text.split()))
