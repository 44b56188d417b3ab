"""Confidences, doubtful steps and conflicts → HTML."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from ecomscript.schema import Conflict, Match, Verdict
from ecomscript.ui import texts
from ecomscript.ui.markup import escape, items, short_title
from ecomscript.ui.trust import Backing, Trust, asks_second, grounds_trust, pending, plan_claimed, product_trust, trust
from ecomscript.ui.view import PlanView, SecondOpinion
from ecomscript.verification.claims import Claim


def plan_trust_html(view: PlanView, backing: Backing) -> str:
    """Return the confidences of base plan, script and bundle; while they are on their way, placeholders of the same size."""
    shown = [] if view.fit is None else [_grounds(view.fit, backing)]
    shown.append(_of_plan("t1", view.script_verdict, view, backing))
    if view.products or view.phase == "working":
        said = texts.CONFLICTS_BELOW if view.conflicts else texts.NO_CONFLICT
        shown.append(_of_plan("t3", view.bundle_verdict and replace(view.bundle_verdict, reason=said), view, backing))
    return items(shown, "es-trusts")


def product_trust_html(match: Match, backing: Backing, key: str) -> str:
    """Return the small confidence of a product card; ``key`` is unique on the page."""
    found = product_trust(match, backing)
    if found.look in {"none", "weak"}:
        said = texts.SHORT[found.look]
    else:
        said = f"{escape(found.label)}: <span>{' · '.join(filter(None, (texts.SHORT[found.look], escape(found.number))))}</span>"
    return f'<div class="es-trust is-small is-{found.look}">{_button(said, found, key)}</div>'


def doubts(view: PlanView) -> dict[str, str]:
    """Return the sentence on each step that the script's verdict doubts, by step id."""
    verdict = view.script_verdict
    if verdict is None or not verdict.reason:
        return {}
    return {view.matched[n].step.step_id: verdict.reason for n in verdict.places if 0 <= n < len(view.matched)}


def doubt_html(reason: str) -> str:
    """Return the mark of a doubtful step."""
    return f'<p class="es-doubt"><b>{texts.DOUBTFUL}:</b> {escape(reason)}</p>' if reason else ""


def conflicts_html(view: PlanView, backing: Backing) -> str:
    """Return the block that names what does not go together, each with its swap; nothing without conflicts."""
    if not view.conflicts:
        return ""
    entries = items((_conflict(conflict, view, backing) for conflict in view.conflicts), "es-conflict-list")
    title = f'<h3 id="conflicts-title">{texts.CONFLICTS_TITLE}</h3>'
    return f'<section class="es-conflicts" aria-labelledby="conflicts-title">{title}{entries}</section>'


def _grounds(fit: float, backing: Backing) -> str:
    found = grounds_trust(fit, backing)
    shown = _button(f"<b>{escape(found.words)}</b>{number_html(found)}", found, "grounds")
    return f'<div class="es-trust is-{found.look}"><p class="es-trust-label">{escape(found.label)}</p>{shown}</div>'


def _of_plan(task: Literal["t1", "t3"], verdict: Verdict | None, view: PlanView, backing: Backing) -> str:
    waiting = view.phase == "working" and task not in view.checked
    found = pending(task) if waiting else trust(task, verdict, backing, of_plan=True)
    said = f"<b>{escape(found.words)}</b>{number_html(found)}"
    shown = f'<p class="es-trust-words">{icon_html(found)}{said}</p>' if waiting else _button(said, found, task)
    reason = f'<p class="es-trust-reason">{escape(found.reason)}</p>' if found.reason else ""
    second = "" if waiting else second_opinion_html(*plan_claimed(view, task), view, backing)
    return f'<div class="es-trust is-{found.look}"><p class="es-trust-label">{escape(found.label)}</p>{shown}{reason}{second}</div>'


def second_opinion_html(claim: Claim, verdict: Verdict | None, view: PlanView, backing: Backing, product_id: str = "") -> str:
    """Return what a language model said beside a verifier of the plan or of a product, or the button that asks it."""
    about = f'data-key="{claim.task}" data-pid="{escape(product_id)}"'
    known = None if view.consulting == claim else view.second(claim)
    said = f'<p class="es-opinion" {about} tabindex="-1">{escape(_opinion(known))}</p>' if known else ""
    if not asks_second(view, claim, verdict, backing):
        return said
    off = " disabled" if view.phase == "working" else ""
    words = texts.OPINION_AGAIN if said else texts.OPINION_ASK
    return f'{said}<button type="button" class="es-textbutton" data-act="opinion" {about}{off}>{words}</button>'


def _opinion(second: SecondOpinion) -> str:
    if second.opinion is None:
        return texts.OPINION_FAILED.format(why=second.problem)
    model, score = second.opinion.model, second.opinion.score
    if score is None:
        return texts.OPINION_UNCLEAR.format(model=model)
    return texts.OPINION_SAYS[second.claim.task, score >= 0.5].format(model=model)


def _button(said: str, found: Trust, key: str) -> str:
    """Return the words as a button that shows, on hover, focus or tap, what they are worth; no script is needed to read it aloud."""
    sentences = "".join(f"<p>{escape(text)}</p>" for text in found.explanation)
    tip = f"tip-{escape(key)}"
    return (
        f'<button type="button" class="es-trust-words" aria-describedby="{tip}">{icon_html(found)}<span class="es-trust-said">{said}</span>'
        f'</button><div class="es-tip" id="{tip}" role="tooltip" popover="auto">{sentences}</div>'
    )


def icon_html(found: Trust) -> str:
    """Return three bars, of which the level says how many are full; a verdict without a level has a sign instead."""
    return f'<span class="es-bars is-{found.look}" aria-hidden="true"><i></i><i></i><i></i></span>'


def number_html(found: Trust) -> str:
    """Return the probability, set smaller; nothing where none may be shown."""
    return f' <span class="es-number">· {escape(found.number)}</span>' if found.number else ""


def _conflict(conflict: Conflict, view: PlanView, backing: Backing) -> str:
    titles = {product.title for product in view.products}
    a, b = (f"<b>{escape(short_title(t))}</b>" if t in titles else escape(texts.YOUR_GOAL) for t in (conflict.a, conflict.b))
    named = f"<p>{a} {texts.AND} {b}</p><p>{escape(conflict.reason)}</p>"
    new = backing.product(conflict.swap_id) if conflict.swap_id else None
    old = next((p for p in view.products if p.product_id == conflict.product_id), None)
    if new is None or old is None:
        return named
    price = "" if new.price_usd is None else f" · {texts.usd(new.price_usd)}"
    words = texts.SWAP_FOR.format(title=short_title(new.title))
    off = " disabled" if view.phase == "working" else ""
    return (
        f'{named}<div class="es-swap"><button type="button" class="es-button is-quiet is-small" data-act="swap" '
        f'data-pid="{escape(old.product_id)}" data-swap="{escape(new.product_id)}"{off}>{escape(words)}{price}</button>'
        f"<span>{escape(texts.INSTEAD_OF.format(title=short_title(old.title)))}</span></div>"
    )
