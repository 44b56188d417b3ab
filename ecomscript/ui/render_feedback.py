"""Thumbs and the sheet of five questions → HTML; what is pressed is painted by the script (see ``client_feedback``)."""

from __future__ import annotations

from ecomscript.feedback.record import SHEETS, Subject
from ecomscript.ui import texts
from ecomscript.ui.feedback import plan_thing, product_thing
from ecomscript.ui.markup import escape, short_title
from ecomscript.ui.trust import Backing
from ecomscript.ui.view import PlanView

_THUMB = (
    '<svg viewBox="0 0 20 20" width="20" height="20" aria-hidden="true">'
    '<path d="M6.5 9 10 2.5c1.3 0 2.2 1 2.2 2.3L11.7 8H16c1 0 1.8 1 1.5 2l-1.3 5.4c-.2.9-1 1.6-2 1.6H6.5zM3 9h3.5v8H3z"/></svg>'
)


def product_rating_html(why: str, step: str, product_id: str, title: str) -> str:
    """Return a card's reasons with the thumbs beside them.

    Args:
        why: The reasons as ready HTML.
        step: The text of the step.
        product_id: The product.
        title: Its title.
    """
    words = {useful: text.format(title=short_title(title)) for useful, text in texts.RATE_PRODUCT.items()}
    return _asked(why, "product", product_thing(step, product_id), words)


def plan_rating_html(view: PlanView, backing: Backing) -> str:
    """Return what stands under a plan: its thumbs, the sheet, and what is stored."""
    thing = plan_thing(view)
    asked = _asked(f'<h3 id="rate-title">{texts.RATE_PLAN_TITLE}</h3>', "plan", thing, texts.RATE_PLAN)
    where = texts.RATE_PUBLISHED.format(repo=backing.published_in) if backing.published_in else texts.RATE_HERE
    stored = f'<p class="es-rate-stored" id="rate-stored">{texts.RATE_STORED} {escape(where)}</p>'
    return f'<section class="es-rate" aria-labelledby="rate-title">{asked}{_sheet(thing, bool(backing.published_in))}{stored}</section>'


def _asked(beside: str, subject: Subject, thing: str, words: dict[int, str]) -> str:
    buttons = "".join(
        f'<button type="button" class="es-thumb{"" if useful else " is-down"}" data-useful="{useful}" aria-pressed="false" '
        f'aria-label="{escape(text)}" title="{escape(text)}">{_THUMB}</button>'
        for useful, text in words.items()
    )
    return (
        f'<div class="es-asked" data-subject="{subject}" data-thing="{thing}">{beside}<div class="es-thumbs">{buttons}</div>'
        '<p class="es-thanks" role="status"></p></div>'
    )


def _sheet(thing: str, published: bool) -> str:
    questions = "".join(_question(sheet) for sheet in SHEETS)
    consent = texts.RATE_CONSENT_PUBLISHED if published else texts.RATE_CONSENT
    return (
        f'<details class="es-sheet"><summary>{texts.RATE_SHEET}</summary>'
        f'<form data-subject="sheet" data-thing="{thing}" aria-describedby="rate-stored">'
        f'<p class="es-scale-key">{texts.RATE_SCALE}</p>{questions}'
        f'<label class="es-consent"><input type="checkbox" name="consent"><span>{consent}</span></label>'
        f'<div class="es-actions"><button type="submit" class="es-button is-quiet">{texts.RATE_SEND}</button>'
        f'<p class="es-thanks" role="status"></p></div></form></details>'
    )


def _question(sheet: str) -> str:
    label, meaning = texts.RATE_QUESTIONS[sheet]
    marks = "".join(
        f'<label class="es-mark"><input type="radio" name="{sheet}" value="{mark}" required><span>{mark}'
        f'<span class="es-sr">{texts.RATE_ENDS.get(mark, "")}</span></span></label>'
        for mark in range(1, 6)
    )
    return f'<fieldset class="es-scale"><legend><b>{label}</b> {meaning}</legend><div class="es-marks">{marks}</div></fieldset>'
