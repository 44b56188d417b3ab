"""What a plan is refined with → HTML: a line for a few words, and suggestions that fit the plan."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ecomscript.association.associate import goes_against
from ecomscript.association.eligibility import violation
from ecomscript.association.facts import facts_of
from ecomscript.planning.refine import merged, read_refinement
from ecomscript.quantities import cost_usd, share
from ecomscript.request import MAX_REFINEMENT_CHARS
from ecomscript.schema import Constraints
from ecomscript.ui import texts
from ecomscript.ui.markup import escape, items
from ecomscript.ui.view import PlanView
from ecomscript.words import with_article

MOST = 6
WORTH_ASKING = 0.15
"""Share of the total from which it is worth asking whether the person has a thing already."""
WELL_RATED = 4.3


def refine_html(view: PlanView) -> str:
    """Return the form and its suggestions; while the plan is being made they keep their place and cannot be used."""
    off, form_mark = (" disabled", "") if view.phase == "working" else ("", ' data-form="refine"')
    field = (
        f'<label>{texts.REFINE_LABEL}<input name="text" value="{escape(view.asking)}" maxlength="{MAX_REFINEMENT_CHARS}" '
        f'placeholder="{texts.REFINE_PLACEHOLDER}" autocomplete="off" enterkeyhint="go" required{off}></label>'
    )
    form = (
        f'<form class="es-inline"{form_mark}>{field}'
        f'<button type="submit" class="es-button is-quiet"{off}>{texts.REFINE_BUTTON}</button></form>'
    )
    chips = items((_chip(text, off) for text in suggestions(view)), "es-chips") if not view.pending else ""
    # On a phone the status line is far above; screen readers hear it there.
    said = f'<p class="es-changed" aria-hidden="true">{escape(view.said)}</p>' if view.said else ""
    return f'<section class="es-refine" aria-label="{texts.REFINE_CHIPS}">{form}{said}<div class="es-suggested">{chips}</div></section>'


def suggestions(view: PlanView) -> tuple[str, ...]:
    """Return refinements that would change this plan, at most ``MOST``; each is one that is understood."""
    found = []
    for text in _fitting(view):
        asked = read_refinement(text)
        if asked.cheaper or asked.better or merged(view.constraints, asked) != view.constraints:
            found.append(text)
    return tuple(found[:MOST])


def _fitting(view: PlanView) -> Iterator[str]:
    words, constraints, products = texts.REFINE_SUGGESTIONS, view.constraints, view.products
    free = [product for product in products if product.product_id not in view.locked]
    if any(product.price_usd for product in free):
        yield words["cheaper"]
    steps = [step.text for step in view.script]

    def speaks_of(ruled_out: Constraints) -> bool:
        return any(violation(p, ruled_out) for p in products) or any(goes_against(step, ruled_out) for step in steps)

    if speaks_of(Constraints(exclude=("alcohol",))):
        yield words["alcohol"]
    if any(facts_of(product).is_food for product in products) and speaks_of(Constraints(diets=("vegan",))):
        yield words["vegan"]
    if any(share(product) for product in products):
        yield words["people"].format(n=(constraints.people or 2) + 2)
    if (budget := _less(view.total_usd)) > 0:
        yield words["budget"].format(n=budget)
    lasting = [product for product in free if not facts_of(product).is_food]
    dearest = max(lasting, key=lambda product: cost_usd(product, constraints.people), default=None)
    if dearest is not None and dearest.kind and cost_usd(dearest, constraints.people) >= WORTH_ASKING * view.total_usd > 0:
        text = words["owned"].format(name=with_article(dearest.kind))
        if violation(dearest, replace(read_refinement(text).constraints, budget_usd=None)):
            yield text
    if any(product.rating is not None and product.rating < WELL_RATED for product in free):
        yield words["better"]


def _less(total_usd: float) -> int:
    """Return a round amount somewhat below a total; 0 when there is none."""
    step = 50 if total_usd >= 400 else 25 if total_usd >= 150 else 10
    return int(total_usd * 0.85 // step) * step


def _chip(text: str, off: str) -> str:
    said = escape(text)
    mark = off or f' data-edit="refine" data-text="{said}"'
    return f'<button type="button" class="es-chip"{mark}>{said}</button>'
