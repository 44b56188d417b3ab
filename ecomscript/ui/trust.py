"""How far to trust a script, a product or a bundle, in words: what the verifiers say, and what that is worth."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from ecomscript.config import PROJECT_ROOT
from ecomscript.evaluation.report_cards import Judged, ReportCard
from ecomscript.schema import Match, Product, Verdict
from ecomscript.ui import texts
from ecomscript.ui.view import PlanView
from ecomscript.verification.claims import BundleClaim, Claim, ProductClaim, ScriptClaim, Task

Look = Literal["high", "fair", "low", "plain", "weak", "none", "pending"]
"""How it is drawn: a level, a number without a level, a weak verifier, no verdict, or one that is on its way."""

UNSURE: frozenset[Look] = frozenset({"fair", "weak"})
"""Looks of a verifier that leaves room for a second opinion."""


def _no_product(_: str) -> Product | None:
    return None


def _no_intentions(_: str) -> Sequence[str]:
    return ()


@dataclass(frozen=True, slots=True)
class Backing:
    """What the page knows beside the plan itself; the same for every visitor.

    Attributes:
        cards: What was measured of each verifier.
        problems: One sentence for each model that cannot be used.
        product: Finds a product of the catalogue.
        intentions: Says why people buy a product.
        has_model: Whether the deployment has a language model.
        rated: Whether visitors may rate plans and products.
        published_in: Dataset repository that ratings are published in; "" for none.
    """

    cards: Mapping[Judged, ReportCard] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    product: Callable[[str], Product | None] = _no_product
    intentions: Callable[[str], Sequence[str]] = _no_intentions
    has_model: bool = False
    rated: bool = False
    published_in: str = ""

    def weak(self, task: Task) -> bool:
        """Return whether a verifier's own measured interval reaches chance."""
        card = self.cards.get(task)
        return card is not None and card.weak

    def problem(self, task: Task) -> str:
        """Return the sentence on the missing model, without the server's folder; "" when the model is there."""
        for name in (task, "t2") if task == "t3" else (task,):
            named = next((text for text in self.problems if re.search(rf"\b{name}\b", text)), None)
            if named:
                return named.replace(f"{PROJECT_ROOT}/", "")
        return ""


@dataclass(frozen=True, slots=True)
class Trust:
    """One confidence as it is shown.

    Attributes:
        label: What it is about, such as "Plan makes sense".
        words: The plain words, such as "High confidence".
        number: The probability with two decimals; "" where none may be shown.
        reason: One sentence on the weakest spot, or "".
        explanation: Sentences of the tooltip.
    """

    look: Look
    label: str
    words: str
    number: str = ""
    reason: str = ""
    explanation: tuple[str, ...] = ()


def trust(task: Task, verdict: Verdict | None, backing: Backing, *, of_plan: bool = False) -> Trust:
    """Return the confidence to show for a verdict; None means that no model gave one.

    Args:
        task: The verifier.
        verdict: What it said.
        backing: What was measured of it.
        of_plan: Whether the claim is one that a plan makes: what did not follow readers of plans is weak evidence there.
    """
    label, card = texts.TRUST_LABELS[task], backing.cards.get(task)
    if verdict is None:
        return Trust("none", label, texts.NOT_VERIFIED, explanation=(texts.NOT_VERIFIED_WHY, *filter(None, [backing.problem(task)])))
    if card is None:
        return Trust("plain", label, texts.CONFIDENCE, number(verdict.score), verdict.reason, (texts.NOT_MEASURED,))
    if card.weak or (of_plan and card.follows is False):
        reason = verdict.reason or texts.NOTHING_STANDS_OUT
        why = texts.WEAK_WHY if card.weak else texts.WEAK_PLANS_WHY
        return Trust("weak", label, texts.WEAK, reason=reason, explanation=(why, *_measured(card)))
    level = card.level(verdict.score)
    held = texts.LEVEL_HELD.format(items=level.items, share=f"{level.right:.0%}", held=texts.HELD[task]) if level else ""
    return Trust(
        level.word if level else "plain",
        label,
        texts.LEVELS[level.word] if level else texts.CONFIDENCE,
        number(verdict.score),
        verdict.reason,
        tuple(filter(None, [*_measured(card), held])),
    )


def claimed(view: PlanView, task: Task, product_id: str = "") -> tuple[Claim, Verdict | None] | None:
    """Return what a verifier was asked about the plan as it is now, with its verdict.

    Args:
        view: What the visitor sees.
        task: T1 for the steps, T2 for a product, T3 for all products together.
        product_id: The product; None is returned when it is not shown.
    """
    if task != "t2":
        return plan_claimed(view, task)
    shown = ((matched.step.text, match) for matched in view.matched for match in matched.matches)
    return next((product_claimed(view, step, match) for step, match in shown if match.product.product_id == product_id), None)


def plan_claimed(view: PlanView, task: Literal["t1", "t3"]) -> tuple[Claim, Verdict | None]:
    """Return what T1 was asked about the steps, or T3 about all products together, with its verdict."""
    if task == "t1":
        return ScriptClaim.of(view.goal, view.matched), view.script_verdict
    return BundleClaim.of(view.goal, view.matched), view.bundle_verdict


def product_claimed(view: PlanView, step: str, match: Match) -> tuple[Claim, Verdict | None]:
    """Return what T2 was asked about a product in its step, with its verdict."""
    return ProductClaim.of(view.goal, step, match.product), product_verdict(match)


def asks_second(view: PlanView, claim: Claim, verdict: Verdict | None, backing: Backing) -> bool:
    """Return whether a language model may be asked beside a verifier: where that one is unsure, and a model is at hand.

    A visitor's own model is, once it has written for this plan.
    """
    known = view.second(claim)
    unsure = view.status == "plan" and trust(claim.task, verdict, backing, of_plan=claim.task != "t2").look in UNSURE
    return unsure and (backing.has_model or view.usage.calls > 0) and (known is None or known.opinion is None)


def product_verdict(match: Match) -> Verdict | None:
    """Return what T2 says of a product in its step."""
    return None if match.t2 is None else Verdict(match.t2)


def product_trust(match: Match, backing: Backing) -> Trust:
    """Return the confidence to show for a product in its step."""
    return trust("t2", product_verdict(match), backing)


def grounds_trust(fit: float, backing: Backing) -> Trust:
    """Return the confidence to show for P(a reader would find the plan made for the goal)."""
    label, card = texts.TRUST_LABELS["grounds"], backing.cards.get("grounds")
    level = card.level(fit) if card else None
    if card is None or level is None:
        return Trust("plain", label, texts.CONFIDENCE, number(fit))
    auc = "?" if card.auc is None else f"{card.auc:.2f}"
    said = {"plans": card.rated_plans, "auc": auc, "items": level.items, "share": f"{level.right:.0%}"}
    return Trust(level.word, label, texts.LEVELS[level.word], number(fit), explanation=tuple(t.format(**said) for t in texts.GROUNDS_WHY))


def pending(task: Task) -> Trust:
    """Return the placeholder for a verdict that is on its way."""
    return Trust("pending", texts.TRUST_LABELS[task], texts.CHECKING)


def number(score: float) -> str:
    """Return a probability with two decimals; what rounds to certainty is shown as a bound, because no model is certain."""
    if score > 0.99:
        return "> 0.99"
    return "< 0.01" if score < 0.01 else f"{score:.2f}"


def _measured(card: ReportCard) -> list[str]:
    """Return which model it is and how it did on the gold development items."""
    model = texts.MODEL.format(model=card.model)
    if not card.measured:
        return [model, texts.NOT_MEASURED]
    right = texts.ACCURACY.format(accuracy=f"{card.accuracy:.0%}")
    if card.majority is not None:
        right = texts.ACCURACY_AND_MAJORITY.format(accuracy=f"{card.accuracy:.0%}", majority=f"{card.majority:.0%}")
    auc = texts.AUC.format(auc=f"{card.auc:.2f}", low=f"{card.auc_low:.2f}", high=f"{card.auc_high:.2f}")
    rated = [] if card.follows is None else [(texts.FOLLOWS if card.follows else texts.FOLLOWS_NOT).format(plans=card.rated_plans)]
    return [model, f"{right} {auc}", *rated]
