"""View → HTML of the plan area, as pure functions; ``markup.escape`` is the only way that text gets into markup."""

from __future__ import annotations

import zlib
from dataclasses import replace
from itertools import repeat
from urllib.parse import urlencode

from ecomscript.association.eligibility import violation
from ecomscript.quantities import quantity_for
from ecomscript.schema import CONFIDENCE_WORDS, Match, MatchedStep, Product, Step
from ecomscript.ui import texts
from ecomscript.ui.export import page_url
from ecomscript.ui.markup import escape, items, short_title, title_parts
from ecomscript.ui.render_edit import add_step_html, card_menu_html, chooser_html, editable, history_html, step_menu_html
from ecomscript.ui.render_feedback import plan_rating_html, product_rating_html
from ecomscript.ui.render_refine import refine_html
from ecomscript.ui.render_trust import conflicts_html, doubt_html, doubts, plan_trust_html, product_trust_html
from ecomscript.ui.render_why import searched_html, why_html
from ecomscript.ui.trust import Backing
from ecomscript.ui.view import PlanView, question_parts

WEB_SEARCH_URL = "https://duckduckgo.com/?"
PROBABLE = 0.5
"""Probability of being made for the goal from which other near plans are folded away."""


def status_html(view: PlanView) -> str:
    """Return the status line: the stage and the seconds."""
    seconds = f"{view.elapsed_s:.1f}"
    match view.phase:
        case "idle" | "failed":
            return ""
        case "stopped":
            text = texts.STAGE_STOPPED
        case "done" if view.status != "plan":  # seen at a glance, so told to screen readers only
            return f'<p class="es-sr">{texts.STAGE_ANSWERED}</p>'
        case "done":
            return f'<p class="es-status{" is-change" if view.said else ""}"><span>{escape(_done(view))}</span>{_again(view)}</p>'
        case "working":
            clock = f'<span class="es-seconds" aria-hidden="true">{seconds} s</span>'
            return f'<p class="es-status is-working"><span class="es-dot"></span>{escape(_stage(view))} {clock}</p>'
    return f'<p class="es-status">{escape(text)}</p>'


def plan_html(view: PlanView, backing: Backing | None = None) -> str:
    """Return everything below the status line for the view's phase.

    Args:
        view: What the visitor's plan is.
        backing: What is known of the verifiers and of the products to swap in; None when nothing is.
    """
    backing = backing or Backing()
    parts = []
    if view.phase == "failed":
        text = f"<h2>{texts.FAILED_TITLE}</h2><p>{escape(view.message)}</p>"
        parts.append(f'<section class="es-panel is-failed" role="alert">{text}</section>')
    if view.phase == "idle" or (view.phase == "failed" and view.status is None):
        parts.append(_welcome(hint=view.phase == "idle"))
    elif view.status is None:
        parts.append(_skeleton())
    elif view.status == "plan":
        parts += [_head(view, backing), conflicts_html(view, backing), _steps(view, backing)]
    else:
        parts.append(_answer(view))
    return "".join(parts)


def tile(product: Product, size: str = "") -> str:
    """Return the picture of a product: its emoji on a quiet ground, and over it its image when it has an address that may be loaded."""
    hue = zlib.crc32(product.category.partition(" > ")[2].encode() or product.product_id.encode()) % 360
    emoji = escape(product.emoji[:8])
    if not (product.image_url or "").lower().startswith(("https://", "http://")):
        return f'<span class="es-tile {size}" style="--hue:{hue}" aria-hidden="true">{emoji}</span>'
    alt = escape(texts.PICTURE.format(title=short_title(product.title)))
    # A picture that cannot be had is taken away by client.PICTURES_JS, and the emoji is seen again.
    image = f'<img src="{escape(product.image_url)}" alt="{alt}" loading="lazy" decoding="async" referrerpolicy="no-referrer">'
    return f'<span class="es-tile has-image {size}" style="--hue:{hue}"><span aria-hidden="true">{emoji}</span>{image}</span>'


def _again(view: PlanView) -> str:
    """Return undo and redo beside what the last change did; the script brings them to where the reader is."""
    acts = (("undo", texts.UNDO, view.past), ("redo", texts.REDO, view.future))
    buttons = (f'<button type="button" class="es-textbutton" data-act="{act}">{label}</button>' for act, label, there in acts if there)
    return "".join(buttons) if view.said else ""


def _done(view: PlanView) -> str:
    said = view.said or texts.STAGE_DONE.format(seconds=f"{view.elapsed_s:.1f}")
    found = texts.STAGE_CONFLICTS.format(found=texts.count(len(view.conflicts), "conflict"))
    return f"{said.removesuffix('.')}. {found}" if view.conflicts else said


def _stage(view: PlanView) -> str:
    if view.status is None:
        return texts.STAGE_READING
    if view.consulting:
        return texts.STAGE_OPINION
    if view.asking:
        return texts.STAGE_ASKING
    if view.writing:
        return texts.STAGE_WRITING.format(next=len(view.script) + 1)
    if view.pending:
        return texts.STAGE_STEP.format(done=len(view.matched) + 1, total=len(view.script))
    return texts.STAGE_CHECKING


def _welcome(hint: bool) -> str:
    chips = items((_chip(text, "example", f'data-index="{i}"') for i, text in enumerate(texts.EXAMPLES)), "es-chips")
    intro = f"<h2>{texts.WELCOME}</h2><p>{texts.WELCOME_HINT}</p>" if hint else ""
    return f'<section class="es-welcome">{intro}<h3>{texts.EXAMPLES_TITLE}</h3>{chips}</section>'


def _chip(text: str, act: str, attributes: str) -> str:
    return f'<button type="button" class="es-chip" data-act="{act}" {attributes}>{escape(text)}</button>'


def _skeleton() -> str:
    step = f'<li class="es-step"><span class="es-bone is-line"></span>{_bones()}</li>'
    return f'<div class="es-skeleton" aria-hidden="true"><span class="es-bone is-title"></span><ol class="es-steps">{step * 2}</ol></div>'


def _bones() -> str:
    card = '<span class="es-bone is-card"></span>'
    return f'<div class="es-cards" aria-hidden="true">{card * 3}</div>'


def _answer(view: PlanView) -> str:
    """Return the page without products: a friendly ask, a redirect, or a refusal in its own words and nothing else."""
    title = texts.STATUS_TITLES.get(view.status or "")
    heading = f"<h2>{title}</h2>" if title else ""
    notices = "".join(f"<p>{escape(text)}</p>" for text in view.notices)
    panel = f'<section class="es-panel is-{view.status}">{heading}{notices}{_questions(view)}</section>'
    return panel if view.status == "refuse" or view.questions else panel + _welcome(hint=False)


def _questions(view: PlanView) -> str:
    """Return each question with its starting points; a click on one adds it to the goal, and none has to be clicked."""
    blocks = []
    for index, question in enumerate(map(question_parts, view.questions)):
        where = (f'data-index="{index}" data-option="{option}"{_disabled(view)}' for option in range(len(question.options)))
        chips = items(map(_chip, question.options, repeat("answer"), where), "es-chips")
        blocks.append(f"<h3>{escape(question.text)} <span>{texts.OPTIONAL}</span></h3>{chips}")
    return f'<div class="es-questions">{"".join(blocks)}</div>' if blocks and view.status != "refuse" else ""


def _head(view: PlanView, backing: Backing) -> str:
    title = f'<h2 tabindex="-1">{escape(view.headline)}</h2>{_origin(view)}{_near(view)}{_facts(view)}'
    notices = items(map(escape, view.notices), "es-notices")
    return (
        f'<header class="es-head">{title}{_actions(view)}'
        f"{plan_trust_html(view, backing)}{_constraints(view)}{notices}{_questions(view)}"
        f"{refine_html(view)}</header>"
    )


def _origin(view: PlanView) -> str:
    """Return what the plan was made from, in words, so that a twist of that plan is seen as its own."""
    words = CONFIDENCE_WORDS[view.confidence] if view.confidence else texts.BASED_ON if view.base else ""
    joined = texts.NEAREST_PLAN if view.confidence == "weak" else ":"
    named = f"{joined} <q>{escape(view.base)}</q>" if view.base else ""
    said = f"<span>{words[:1].upper()}{words[1:]}{named}</span>"
    return f'<p class="es-confidence is-{view.confidence or "edited"}">{said}</p>' if words else ""


def _near(view: PlanView) -> str:
    """Return the near plans to start from instead, folded away where the one taken probably is the right one.

    An edited plan stays what it is.
    """
    if not view.near or view.past or not view.confidence:
        return ""
    where = (f'data-index="{index}"{_disabled(view)}' for index in range(len(view.near)))
    chips = items(map(_chip, view.near, repeat("like"), where), "es-chips")
    probable = view.confidence == "ready" and (view.fit is None or view.fit >= PROBABLE)
    shown = "" if probable else " open"
    return f'<details class="es-near"{shown}><summary>{texts.NEAR_PLANS}</summary>{chips}</details>'


def _facts(view: PlanView) -> str:
    products = view.products
    people, total = view.constraints.people, view.total_usd
    several = any(quantity_for(product, people) > 1 for product in products)
    whom = texts.count(people or 1, "person", "people")
    priced = texts.FACTS_FOR_ALL if several else texts.FACTS_ONE_OF_EACH
    facts = [texts.count(len(view.script), "step")]
    if products:
        facts += [texts.count(len(products), "product"), priced.format(total=texts.usd(total), people=whom)]
    if products and view.constraints.budget_usd is not None and view.phase == "done":
        facts.append(budget_words(total, view.constraints.budget_usd))
    if view.usage.calls:
        words = texts.FACTS_TOKENS if view.usage.cost_usd is None else texts.FACTS_COST
        facts.append(words.format(tokens=f"{view.usage.tokens:,}", cost=texts.small_usd(view.usage.cost_usd or 0.0)))
    return f'<p class="es-facts">{" · ".join(map(escape, facts))}</p>'


def budget_words(total_usd: float, budget_usd: float) -> str:
    """Return how a total stands to the budget."""
    left = round(budget_usd - total_usd, 2)
    return texts.WITHIN_BUDGET.format(left=texts.usd(left)) if left >= 0 else texts.OVER_BUDGET.format(over=texts.usd(-left))


def _constraints(view: PlanView) -> str:
    chips = [
        f'<button type="button" class="es-chip is-set" data-act="unset" data-key="{escape(chip.key)}"{_disabled(view)}>'
        f'<span class="es-sr">{texts.CHIP_REMOVE}: </span>{escape(chip.label)}<span class="es-cross" aria-hidden="true">×</span></button>'
        for chip in view.chips
    ]
    return f'<div class="es-constraints"><h3>{texts.CHIPS_TITLE}</h3>{items(chips, "es-chips")}</div>' if chips else ""


def _actions(view: PlanView) -> str:
    add_all = f'<button type="button" class="es-button" data-act="all"{_disabled(view)}>{texts.ADD_ALL}</button>'
    words = {"share": texts.SHARE, "keep": texts.KEEP, "print": texts.PRINT}
    take = "".join(
        f'<button type="button" class="es-button is-quiet" data-act="{act}"{_disabled(view)}>{text}</button>' for act, text in words.items()
    )
    history = history_html(view) if editable(view) else ""
    shown = add_all if view.products or view.phase == "working" else ""
    return f'<div class="es-actions">{shown}{take}{history}</div>'


def _disabled(view: PlanView) -> str:
    return " disabled" if view.phase == "working" else ""


def _steps(view: PlanView, backing: Backing) -> str:
    doubted = doubts(view)
    known = "".join(_step(m, n, doubted.get(m.step.step_id, ""), view, backing) for n, m in enumerate(view.matched))
    waiting = "".join(_waiting(step, working=view.phase == "working") for step in view.pending)
    if view.writing and view.phase == "working":
        waiting += f'<li class="es-step" aria-hidden="true"><span class="es-bone is-line"></span>{_bones()}</li>'
    rating = plan_rating_html(view, backing) if backing.rated and editable(view) and view.matched else ""
    return f'<ol class="es-steps">{known}{waiting}</ol>{add_step_html() if editable(view) else ""}{rating}'


def _step(matched: MatchedStep, at: int, doubt: str, view: PlanView, backing: Backing) -> str:
    step = matched.step
    notes = [text for text in (step.note, matched.note) if text]
    if not matched.matches and not notes:
        notes = [texts.NOTHING_NEEDED if step.buys is False else texts.NOTHING_SUITABLE]
    cards = "".join(_place(match, step, f"{step.step_id}-{n}", view, backing) for n, match in enumerate(matched.matches))
    cards = f'<ul class="es-cards">{cards}</ul>' if cards else ""
    quiet = "" if cards or step.buys is not False else " is-quiet"
    noted = "".join(f'<p class="es-note">{escape(text)}</p>' for text in notes)
    menu = step_menu_html(matched, at, len(view.matched)) if editable(view) else ""
    head = f'<div class="es-step-head"><h3>{escape(step.text)}</h3>{menu}</div>{doubt_html(doubt)}{noted}'
    return f'<li class="es-step{quiet}" data-step="{escape(step.step_id)}">{head}{searched_html(matched)}{cards}</li>'


def _place(match: Match, step: Step, key: str, view: PlanView, backing: Backing) -> str:
    """Return a card, or in its place the open list of what could be there instead."""
    if view.choosing and view.choosing.product_id == match.product.product_id:
        return f'<li class="is-wide" data-place="{escape(key)}">{chooser_html(view.choosing, match, backing)}</li>'
    return f'<li data-place="{escape(key)}">{_card(match, step, key, view, backing)}</li>'


def _waiting(step: Step, working: bool) -> str:
    if not working:
        return f'<li class="es-step is-quiet"><h3>{escape(step.text)}</h3><p class="es-note">{texts.NOT_REACHED}</p></li>'
    quiet, bones = (" is-quiet", "") if step.buys is False else ("", _bones())
    return f'<li class="es-step{quiet}"><h3>{escape(step.text)}</h3>{bones}</li>'


def _card(match: Match, step: Step, key: str, view: PlanView, backing: Backing) -> str:
    product = match.product
    name, details = title_parts(product.title)
    details_html = f'<span class="es-details">, {escape(details)}</span>' if details else ""
    price = texts.price(product.price_usd)
    if (quantity := quantity_for(product, view.constraints.people)) > 1:
        price += f'<span class="es-times">{texts.TIMES.format(n=quantity)}</span>'
    intention = closeness = ""
    if match.intention:
        closeness = f'<p class="es-match">{texts.similarity_words(match.similarity)} <span>{match.similarity:.2f}</span></p>'
    if match.intention.lower() not in match.why.lower():
        intention = f'<p class="es-intention"><span class="es-sr">{texts.BUYERS_SAY}: </span><q>{escape(match.intention)}</q></p>'
    add = (
        f'<button type="button" class="es-button is-small" data-act="cart" data-pid="{escape(product.product_id)}">'
        f'<span data-label>{texts.ADD}</span><span class="es-sr"> {escape(name)}</span></button>'
    )
    compare = (
        f'<button type="button" class="es-quiet" data-act="compare" data-pid="{escape(product.product_id)}" '
        f'aria-pressed="false">{texts.COMPARE}<span class="es-sr"> {escape(name)}</span></button>'
    )
    locked = product.product_id in view.locked
    menu = card_menu_html(match, key, locked) if editable(view) else ""
    why = why_html(match, step.text, view, backing)
    if backing.rated and editable(view):
        why = product_rating_html(why, step.text, product.product_id, product.title)
    kept = f'<span class="es-kept">{texts.KEPT}</span>' if locked else ""
    broken = violation(product, replace(view.constraints, budget_usd=None))
    breaks = f'<p class="es-breaks">{escape(texts.BREAKS.format(reason=broken))}</p>' if broken else ""
    return (
        f'<article class="es-card">{tile(product)}<div class="es-card-body"><h4>{escape(name)}{details_html}</h4>'
        f'<p class="es-meta"><span>{escape(product.brand)}</span>{_rating(product)}</p><p class="es-price">{price}{kept}</p>{breaks}'
        f'<div class="es-reason"><p>{escape(match.why)}</p>{intention}{closeness}</div>{product_trust_html(match, backing, key)}'
        f"{why}"
        f'<div class="es-actions">{add}{menu}{compare}{_link(product, name)}</div></div></article>'
    )


def _rating(product: Product) -> str:
    if product.rating is None:
        return ""
    spoken = texts.RATED.format(rating=f"{product.rating:.1f}", count=f"{product.rating_count:,}")
    return (
        f'<span class="es-rating"><span class="es-sr">{spoken}</span><span aria-hidden="true">'
        f"<b>★</b> {product.rating:.1f} <i>({product.rating_count:,})</i></span></span>"
    )


def _link(product: Product, name: str) -> str:
    page = page_url(product)
    # A demo product cannot be found by its invented name, but its kind can.
    href = page or WEB_SEARCH_URL + urlencode({"q": product.kind or product.title})
    text = texts.PRODUCT_PAGE if page else texts.WEB_SEARCH
    return (
        f'<a class="es-link" href="{escape(href)}" target="_blank" rel="noopener noreferrer nofollow">{text}'
        f'<span aria-hidden="true"> ↗</span><span class="es-sr"> {escape(name)} {texts.NEW_TAB}</span></a>'
    )
