"""Basket → HTML, with the exports as ``data:`` links so that no visitor's list is ever a file on the server."""

from __future__ import annotations

import base64
from collections.abc import Sequence

from ecomscript.schema import Conflict
from ecomscript.ui import texts
from ecomscript.ui.basket import MAX_QUANTITY, Basket, Line
from ecomscript.ui.export import basket_csv, basket_json, basket_markdown
from ecomscript.ui.markup import escape, title_parts
from ecomscript.ui.render import budget_words, tile


def basket_html(basket: Basket, goal: str = "", budget_usd: float | None = None, conflicts: Sequence[Conflict] = ()) -> str:
    """Return the basket's column and, for the phone, the bar that leads to it.

    Args:
        basket: What the visitor chose.
        goal: The goal last planned, for the exports.
        budget_usd: The budget last planned with; None when there is none.
        conflicts: What in the basket does not go together, for the exports.
    """
    title = f'<h2 id="basket-title" tabindex="-1">{texts.BASKET}</h2>'
    if not basket.lines:
        return _section(f'{title}<p class="es-empty">{texts.BASKET_EMPTY}</p><p class="es-empty-hint">{texts.BASKET_EMPTY_HINT}</p>')
    items = texts.count(basket.items, "item")
    head = f'<div class="es-basket-head">{title}<span class="es-count">{items}</span></div>'
    lines = "".join(map(_line, basket.lines))
    body = f'{head}{_total(basket, budget_usd)}<ul class="es-lines">{lines}</ul>{_exports(basket, goal, budget_usd, conflicts)}'
    bar = f"<span>{items} · {texts.usd(basket.total_usd)}</span><span>{texts.BAR}</span>"
    return f'{_section(body)}<a class="es-bar" href="#basket-title" data-act="jump">{bar}</a>'


def _section(body: str) -> str:
    return f'<section class="es-basket" aria-labelledby="basket-title">{body}</section>'


def _line(line: Line) -> str:
    product = line.product
    name = title_parts(product.title)[0]
    pid = escape(product.product_id)
    price = texts.NO_PRICE if product.price_usd is None else texts.usd(product.price_usd)
    subtotal = "" if line.subtotal_usd is None else texts.usd(line.subtotal_usd)

    def stepper(delta: int, sign: str, label: str, off: bool) -> str:
        return (
            f'<button type="button" data-act="step" data-pid="{pid}" data-delta="{delta}" '
            f'aria-label="{escape(label.format(title=name))}"{" disabled" if off else ""}>{sign}</button>'
        )

    return (
        f'<li class="es-line">{tile(product, "is-small")}<div class="es-line-text"><p class="es-line-title">{escape(name)}</p>'
        f'<p class="es-line-price">{price}</p></div>'
        f'<div class="es-stepper">{stepper(-1, "−", texts.FEWER, line.quantity <= 1)}'
        f'<input type="number" inputmode="numeric" min="1" max="{MAX_QUANTITY}" step="1" value="{line.quantity}" data-pid="{pid}" '
        f'aria-label="{escape(texts.QUANTITY.format(title=name))}">'
        f"{stepper(1, '+', texts.MORE, line.quantity >= MAX_QUANTITY)}</div>"
        f'<p class="es-subtotal">{subtotal}</p>'
        f'<button type="button" class="es-remove" data-act="remove" data-pid="{pid}" '
        f'aria-label="{escape(texts.REMOVE_LINE.format(title=name))}">×</button></li>'
    )


def _total(basket: Basket, budget_usd: float | None) -> str:
    unpriced = f'<p class="es-total-note">{texts.UNPRICED.format(n=basket.unpriced)}</p>' if basket.unpriced else ""
    budget = ""
    if budget_usd is not None:
        over = basket.total_usd > budget_usd
        share = min(basket.total_usd / budget_usd, 1.0)
        meter = f'<span class="es-meter" aria-hidden="true"><span style="width:{share:.1%}"></span></span>'
        words = escape(budget_words(basket.total_usd, budget_usd))
        budget = f'<div class="es-budget{" is-over" if over else ""}">{meter}<p>{words}</p></div>'
    return f'<div class="es-total"><p><span>{texts.TOTAL}</span><b>{texts.usd(basket.total_usd)}</b></p>{unpriced}{budget}</div>'


def _exports(basket: Basket, goal: str, budget_usd: float | None, conflicts: Sequence[Conflict]) -> str:
    files = (
        ("CSV", "csv", "text/csv", "\ufeff" + basket_csv(basket, conflicts)),  # the mark makes Excel read it as UTF-8
        ("Markdown", "md", "text/markdown", basket_markdown(basket, goal, budget_usd, conflicts)),
        ("JSON", "json", "application/json", basket_json(basket, goal, budget_usd, conflicts)),
    )
    links = "".join(
        f'<a class="es-button is-quiet is-small" download="shopping-list.{suffix}" '
        f'href="data:{mime};charset=utf-8;base64,{base64.b64encode(text.encode()).decode()}">{name}</a>'
        for name, suffix, mime, text in files
    )
    clear = f'<button type="button" class="es-textbutton" data-act="clear">{texts.BASKET_CLEAR}</button>'
    return f'<div class="es-exports"><h3>{texts.TAKE_WITH_YOU}</h3><div class="es-actions">{links}{clear}</div></div>'
