"""Why a product is shown, and what was searched for a step → HTML; short, and closed until somebody asks."""

from __future__ import annotations

from collections.abc import Iterable

from ecomscript.association.facts import values
from ecomscript.schema import Constraints, Match, MatchedStep, Product, Verdict
from ecomscript.ui import texts
from ecomscript.ui.markup import escape, items
from ecomscript.ui.trust import Backing, trust

MORE_INTENTIONS = 2


def why_html(match: Match, step: str, constraints: Constraints, backing: Backing, place: str) -> str:
    """Return the reasons of a card.

    Args:
        match: The product and what led to it.
        step: The text of its step.
        constraints: Of the plan; those that the product's own data speak of are named.
        backing: Knows the product's other intentions and what the verifier is worth.
        place: Unique on the page.
    """
    near = f"{match.intention} ({texts.similarity_words(match.similarity)}, {match.similarity:.2f})" if match.intention else ""
    others = [text for text in backing.intentions(match.product.product_id) if text != match.intention][:MORE_INTENTIONS]
    fit = trust("t2", None if match.t2 is None else Verdict(match.t2), backing)
    return _details(
        texts.WHY,
        f"card-{place}",
        (
            (texts.WHY_STEP, step),
            (texts.WHY_BOUGHT, near),
            (texts.WHY_ALSO, "; ".join(others)),
            (texts.WHY_FIT, "" if fit.look == "none" else " ".join(filter(None, (fit.words, fit.number)))),
            (texts.WHY_MEETS, "; ".join(met(match.product, constraints))),
        ),
        match.product.title,
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
        f"step-{step.step_id}",
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


def _details(summary: str, key: str, pairs: Iterable[tuple[str, str]], about: str) -> str:
    inner = items((f"<b>{label}:</b> {escape(text)}" for label, text in pairs if text), "es-why-list")
    return (
        f'<details class="es-why" data-key="{escape(key)}"><summary>{summary}<span class="es-sr">: {escape(about)}</span></summary>'
        f"{inner}</details>"
    )
