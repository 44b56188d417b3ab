"""Why a product is shown, and what was searched for a step → HTML; short, and closed until somebody asks."""

from __future__ import annotations

from collections.abc import Iterable

from ecomscript.association.facts import values
from ecomscript.schema import Constraints, Match, MatchedStep, Product
from ecomscript.ui import texts
from ecomscript.ui.markup import escape, items
from ecomscript.ui.render_trust import second_opinion_html
from ecomscript.ui.trust import Backing, product_claimed, product_trust
from ecomscript.ui.view import PlanView

MORE_INTENTIONS = 2


def why_html(match: Match, step: str, view: PlanView, backing: Backing) -> str:
    """Return the reasons of a card.

    Args:
        match: The product and what led to it.
        step: The text of its step.
        view: The plan; those of its constraints are named that the product's own data speak of, and what a language model thinks.
        backing: Knows the product's other intentions and what the verifier is worth.
    """
    near = f"{match.intention} ({texts.similarity_words(match.similarity)}, {match.similarity:.2f})" if match.intention else ""
    others = [text for text in backing.intentions(match.product.product_id) if text != match.intention][:MORE_INTENTIONS]
    lenders = match.product.transferred_from
    fit = product_trust(match, backing)
    return _details(
        texts.WHY,
        (
            (texts.WHY_STEP, step),
            (texts.WHY_BOUGHT_LIKE if lenders else texts.WHY_BOUGHT, near),
            (texts.WHY_ALSO, "; ".join(others)),
            (texts.WHY_TRANSFERRED, texts.WHY_TRANSFERRED_FROM.format(kinds=" or ".join(lenders)) if lenders else ""),
            (texts.WHY_FIT, "" if fit.look == "none" else " ".join(filter(None, (fit.words, fit.number)))),
            (texts.WHY_MEETS, "; ".join(met(match.product, view.constraints))),
        ),
        match.product.title,
        second_opinion_html(*product_claimed(view, step, match), view, backing, match.product.product_id),
    )


def searched_html(matched: MatchedStep) -> str:
    """Return what was searched for a step and what was left out; nothing for a step that needs nothing bought."""
    step = matched.step
    if step.buys is False:
        return ""
    shown = dict.fromkeys(m.product.kind or m.product.title for m in matched.matches)
    missing = [kind for kind in step.needs if kind not in shown]
    return _details(
        texts.SEARCHED,
        (
            (texts.SEARCHED_KINDS, ", ".join(step.needs) or texts.SEARCHED_WORDS),
            (texts.SEARCHED_FOUND, ", ".join(shown) or texts.SEARCHED_NONE),
            (texts.SEARCHED_LEFT, matched.note or ", ".join(missing)),
        ),
        step.text,
    )


def met(product: Product, constraints: Constraints) -> list[str]:
    """Return the constraints that a product's own data meet, each in a few words."""
    found = []
    if constraints.budget_usd is not None and product.price_usd is not None:
        found.append(texts.WHY_BUDGET.format(price=texts.usd(product.price_usd), budget=texts.usd(constraints.budget_usd)))
    capacity = product.attributes.get("capacity_people")
    if constraints.people is not None and isinstance(capacity, int | float) and capacity >= constraints.people:
        found.append(texts.WHY_PEOPLE.format(made_for=f"{capacity:g}", people=constraints.people))
    found += [diet for diet in constraints.diets if diet in values(product.attributes.get("diet"))]
    without = (*constraints.exclude, *constraints.allergens)
    return [*found, texts.WHY_WITHOUT.format(names=", ".join(without))] if without else found


def _details(summary: str, pairs: Iterable[tuple[str, str]], about: str, below: str = "") -> str:
    inner = items((f"<b>{label}:</b> {escape(text)}" for label, text in pairs if text), "es-why-list")
    return f'<details class="es-why"><summary>{summary}<span class="es-sr">: {escape(about)}</span></summary>{inner}{below}</details>'
