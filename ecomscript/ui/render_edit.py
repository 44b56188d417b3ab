"""What a plan is edited with → HTML: menus of steps and products, the list of alternatives, undo and redo."""

from __future__ import annotations

from ecomscript.request import MAX_STEP_CHARS
from ecomscript.schema import Match, MatchedStep
from ecomscript.ui import texts
from ecomscript.ui.markup import escape, short_title
from ecomscript.ui.trust import Backing, number
from ecomscript.ui.view import Choosing, PlanView


def editable(view: PlanView) -> bool:
    """Return whether the plan may be edited now."""
    return view.phase != "working" and view.status == "plan"


def history_html(view: PlanView) -> str:
    """Return the buttons for undo and redo; nothing before the first edit."""
    if not view.past and not view.future:
        return ""
    return _history("undo", texts.UNDO, view.past[-1].name if view.past else "") + _history(
        "redo", texts.REDO, view.future[0].name if view.future else ""
    )


def step_menu_html(matched: MatchedStep, at: int, count: int) -> str:
    """Return the menu of a step; ``at`` counts from 0."""
    text = escape(matched.step.text)
    name = (
        f'<form class="es-inline" data-form="rename"><label>{texts.EDIT_NAME}'
        f'<input name="text" value="{text}" maxlength="{MAX_STEP_CHARS}" autocomplete="off" required></label>'
        f'<button type="submit" class="es-button is-small">{texts.EDIT_SAVE}</button></form>'
    )
    acts = [
        _act("up", texts.EDIT_UP, off=at == 0),
        _act("down", texts.EDIT_DOWN, off=at == count - 1),
        _act("remove", texts.EDIT_REMOVE),
    ]
    about = escape(texts.EDIT_STEP.format(n=at + 1, text=matched.step.text))
    return _menu(f"step-{matched.step.step_id}", texts.EDIT, about, name + "".join(acts))


def card_menu_html(match: Match, place: str, locked: bool) -> str:
    """Return the menu of a product card; ``place`` is unique on the page."""
    pid = f' data-pid="{escape(match.product.product_id)}"'
    acts = [_act("lock", texts.UNLOCK if locked else texts.LOCK, pid)]
    if not locked:
        free = (("choose", texts.CHOOSE), ("cheaper", texts.CHEAPER), ("better", texts.BETTER), ("dismiss", texts.DISMISS))
        acts = [_act(act, label, pid) for act, label in free] + acts
    return _menu(f"card-{place}", texts.CHANGE_PRODUCT, escape(short_title(match.product.title)), "".join(acts))


def add_step_html() -> str:
    """Return the field at the end of the plan."""
    return (
        f'<form class="es-inline es-add-step" data-form="add"><label>{texts.ADD_STEP}'
        f'<input name="text" value="" maxlength="{MAX_STEP_CHARS}" placeholder="{texts.ADD_STEP_PLACEHOLDER}" autocomplete="off" required>'
        f'</label><button type="submit" class="es-button is-quiet">{texts.ADD}</button></form>'
    )


def chooser_html(choosing: Choosing, old: Match, backing: Backing) -> str:
    """Return the list of what could take a product's place, with filters for price and rating."""
    title = escape(texts.CHOOSE_TITLE.format(title=short_title(old.product.title)))
    pid = escape(choosing.product_id)
    filters = (
        f'<div class="es-filters"><label>{texts.CHOOSE_UNDER}<input type="number" name="under" min="0" inputmode="decimal"></label>'
        f'<label class="es-check"><input type="checkbox" name="four">{texts.CHOOSE_FOUR}</label></div>'
    )
    options = "".join(_option(match, pid, backing) for match in choosing.options)
    close = f'<button type="button" class="es-textbutton" data-edit="close">{texts.CHOOSE_CLOSE}</button>'
    return (
        f'<section class="es-choose"><h4 tabindex="-1">{title}</h4><p class="es-option-facts">{texts.CHOOSE_ORDER}</p>'
        f'{filters}<ul class="es-options">{options}</ul>'
        f'<p class="es-none" role="status" hidden>{texts.CHOOSE_NONE}</p>{close}</section>'
    )


def _option(match: Match, pid: str, backing: Backing) -> str:
    product = match.product
    name = escape(short_title(product.title))
    price = texts.price(product.price_usd)
    facts = [price]
    if product.rating is not None:
        facts.append(f"★ {product.rating:.1f}")
    if match.t2 is not None and not backing.weak("t2"):
        facts.append(f"{texts.TRUST_LABELS['t2']}: {number(match.t2)}")
    data = f'data-price="{"" if product.price_usd is None else product.price_usd}" data-rating="{product.rating or 0}"'
    said = f'<p class="es-option-name">{name}</p><p class="es-option-facts">{escape(" · ".join(facts))}</p>'
    return (
        f'<li class="es-option" {data}><div>{said}</div>'
        f'<button type="button" class="es-button is-quiet is-small" data-edit="swap" data-pid="{pid}" '
        f'data-swap="{escape(product.product_id)}">{texts.CHOOSE_THIS}<span class="es-sr"> {name}</span></button></li>'
    )


def _menu(name: str, label: str, about: str, inner: str) -> str:
    """Return a button that opens a small panel, by the browser's own means; ``about`` is escaped."""
    key = escape(f"menu-{name}")
    return (
        f'<button type="button" class="es-more" popovertarget="{key}">{label}<span class="es-sr"> {about}</span></button>'
        f'<div class="es-menu" id="{key}" role="group" aria-label="{label} {about}" popover="auto">{inner}</div>'
    )


def _act(act: str, label: str, attributes: str = "", off: bool = False) -> str:
    return f'<button type="button" class="es-act" data-edit="{act}"{attributes}{" disabled" if off else ""}>{label}</button>'


def _history(act: str, label: str, change: str) -> str:
    named = f'<span class="es-sr">: {escape(change)}</span>' if change else ""
    off = "" if change else " disabled"
    return f'<button type="button" class="es-textbutton" data-edit="{act}" title="{escape(change)}"{off}>{label}{named}</button>'
