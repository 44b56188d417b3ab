"""Basket → HTML, with the exports as ``data:`` links so that no visitor's list is ever a file on the server."""

from __future__ import annotations

import base64
from collections.abc import Sequence

from ecomscript.quantities import MAX_QUANTITY
from ecomscript.schema import Conflict
from ecomscript.ui import texts
from ecomscript.ui.basket import Basket, Line
from ecomscript.ui.budget_swap import Change, Offer
from ecomscript.ui.export import basket_csv, basket_json, basket_markdown
from ecomscript.ui.markup import escape, items, short_title
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
    held = texts.count(basket.items, "item")
    done = f" · {texts.TICKED.format(done=basket.ticked, total=len(basket.lines))}" if basket.ticked else ""
    head = f'<div class="es-basket-head">{title}<span class="es-count">{held}{done}</span></div>'
    lines = "".join(map(_line, basket.lines))
    body = f'{head}{_total(basket, budget_usd)}<ul class="es-lines">{lines}</ul>{_exports(basket, goal, budget_usd, conflicts)}'
    bar = f"<span>{held} · {texts.usd(basket.total_usd)}</span><span>{texts.BAR}</span>"
    return f'{_section(body)}<a class="es-bar" href="#basket-title" data-act="jump">{bar}</a>'


def offer_html(offer: Offer | None) -> str:
    """Return the panel that offers to bring the basket back under its budget; nothing without an offer."""
    if offer is None:
        return ""
    over = texts.OVER_BY.format(over=texts.usd(offer.basket.total_usd - offer.budget_usd))
    if not offer.changes:
        return f'<section class="es-offer"><h3>{over}</h3><p>{texts.FIT_NONE}</p></section>'
    total = offer.after.total_usd
    after = texts.FIT_AFTER.format(total=texts.usd(total), left=texts.usd(round(offer.budget_usd - total, 2)))
    count, swaps = len(offer.changes), any(change.new for change in offer.changes)
    label = texts.SWAP_THESE.get(count, texts.SWAP_MORE.format(n=count)) if swaps else texts.DROP_ONLY
    button = f'<button type="button" class="es-button is-small" data-act="fit">{label}</button>'
    changes = items(map(_change, offer.changes), "es-offer-list")
    return f'<section class="es-offer"><h3>{over}</h3>{changes}<p>{after}</p>{button}</section>'


def _change(change: Change) -> str:
    old = escape(short_title(change.old.product.title))
    new = "" if change.new is None else escape(short_title(change.new.product.title))
    words = texts.FIT_SWAP.format(old=old, new=new) if new else texts.FIT_DROP.format(old=old)
    return f"<span>{words}</span> <b>{texts.FIT_SAVES.format(saved=texts.usd(change.saved_usd))}</b>"


def _section(body: str) -> str:
    return f'<section class="es-basket" aria-labelledby="basket-title">{body}</section>'


def _line(line: Line) -> str:
    product = line.product
    name = escape(short_title(product.title))
    each = texts.EACH.format(price=texts.usd(product.price_usd)) if product.price_usd is not None and line.quantity > 1 else ""
    subtotal = texts.price(line.subtotal_usd)
    notes = [line.sum_words, f"{texts.FOR_STEPS}: {' · '.join(line.origin.steps)}" if len(line.origin.steps) > 1 else ""]
    notes.append(texts.BREAKS.format(reason=line.breaks) if line.breaks else "")
    noted = "".join(f'<p class="es-line-note">{escape(note)}</p>' for note in notes if note)
    priced = f'<p class="es-line-price"><b class="es-subtotal">{subtotal}</b> <span>{each}</span></p>'
    return (
        f'<li class="es-line{" is-ticked" if line.ticked else ""}">{tile(product, "is-small")}<div class="es-line-text">'
        f'<p class="es-line-title">{name}</p>{priced}{noted}</div>'
        f'<button type="button" class="es-remove" data-act="remove" data-pid="{escape(product.product_id)}" '
        f'aria-label="{texts.REMOVE_LINE.format(title=name)}">×</button>{_controls(line, name)}</li>'
    )


def _controls(line: Line, name: str) -> str:
    """Return what a line can be changed with; ``name`` is escaped already."""
    pid = escape(line.product.product_id)

    def stepper(more: int, sign: str, label: str, off: bool) -> str:
        return (
            f'<button type="button" data-act="more" data-pid="{pid}" data-more="{more}" '
            f'aria-label="{label.format(title=name)}"{" disabled" if off else ""}>{sign}</button>'
        )

    return (
        f'<div class="es-line-controls"><label class="es-tick"><input type="checkbox" data-pid="{pid}"{" checked" if line.ticked else ""}>'
        f'<span class="es-sr">{texts.TICK.format(title=name)}</span></label>'
        f'<div class="es-stepper">{stepper(-1, "−", texts.FEWER, line.quantity <= 1)}'
        f'<input type="number" inputmode="numeric" min="1" max="{MAX_QUANTITY}" step="1" value="{line.quantity}" data-pid="{pid}" '
        f'aria-label="{texts.QUANTITY.format(title=name)}">'
        f"{stepper(1, '+', texts.MORE, line.quantity >= MAX_QUANTITY)}</div>"
        f'<button type="button" class="es-nice" data-act="optional" data-pid="{pid}" aria-pressed="{str(line.optional).lower()}">'
        f'{texts.NICE}<span class="es-sr">: {name}</span></button></div>'
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
    head = f'<div class="es-exports-head"><h3>{texts.TAKE_WITH_YOU}</h3>{clear}</div>'
    return f'<div class="es-exports">{head}<div class="es-actions">{links}</div></div>'
