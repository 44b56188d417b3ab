"""The panel "Try it": a claim that a visitor writes, what the verifiers say of it, and the training items nearest to it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import gradio as gr

from ecomscript.config import PROJECT_ROOT
from ecomscript.errors import EcomScriptError
from ecomscript.evaluation.nearest import NearestItems, Neighbour
from ecomscript.evaluation.report_cards import Judged, ReportCard
from ecomscript.schema import Verdict
from ecomscript.ui import texts
from ecomscript.ui.border import PLAN_SLOTS
from ecomscript.ui.markup import escape, items
from ecomscript.ui.render_trust import icon_html, number_html
from ecomscript.ui.trust import Backing, Trust, pending, trust
from ecomscript.verification.claims import BundleClaim, Claim, ClaimError, ProductClaim, ScriptClaim, Task
from ecomscript.verification.compatibility import Clash, Placed, clashes
from ecomscript.verification.suite import Verifiers

_CHECK: dict[str, Any] = {"show_progress": "hidden", "concurrency_limit": PLAN_SLOTS, "concurrency_id": "plan", "api_visibility": "private"}
_QUICK: dict[str, Any] = {"show_progress": "hidden", "concurrency_limit": None, "api_visibility": "private"}

logger = logging.getLogger(__name__)


class TryIt:
    """Builds the panel inside the current Gradio context; nothing that a visitor types is kept.

    Args:
        verifiers: The models, each of which may be missing.
        nearest: Finds training items.
        cards: What was measured of each verifier.
    """

    def __init__(self, verifiers: Verifiers, nearest: NearestItems, cards: Mapping[Judged, ReportCard]) -> None:
        self.verifiers, self.nearest = verifiers, nearest
        self.backing = Backing(cards, verifiers.problems)
        with gr.Column(elem_id="try-it"):
            self._build()
        self._wire()

    def _build(self) -> None:
        head = f"<header><h2>{texts.TRY_TITLE}</h2><p>{texts.TRY_LEAD}</p></header>"
        gr.HTML(head, elem_id="try-head", apply_default_css=False, js_on_load=None)
        choices = [(name, task) for task, name in texts.TRY_TASKS.items()]
        self.task = gr.Radio(choices, value="t1", label=texts.TRY_TASK, elem_id="try-task")
        with gr.Row(elem_id="try-examples"):
            self.good = gr.Button(texts.TRY_GOOD, size="sm", elem_id="try-good", scale=0)
            self.flawed = gr.Button(texts.TRY_FLAWED, size="sm", elem_id="try-flawed", scale=0)
        line = partial(gr.Textbox, lines=1, max_lines=1)
        self.objective = line(label=texts.TRY_OBJECTIVE, placeholder=texts.TRY_OBJECTIVE_PLACEHOLDER, elem_id="try-objective")
        self.steps = gr.Textbox(label=texts.TRY_STEPS["t1"], lines=6, max_lines=16, elem_id="try-steps")
        self.step = line(label=texts.TRY_STEP, visible=False, elem_id="try-step")
        self.product = line(label=texts.TRY_PRODUCT, visible=False, elem_id="try-product")
        self.features = line(label=texts.TRY_FEATURES, placeholder=texts.OPTIONAL, visible=False, elem_id="try-features")
        self.check = gr.Button(texts.TRY_CHECK, variant="primary", elem_id="try-check", scale=0)
        live = '<div role="status">${value}</div>'
        self.result = gr.HTML("", html_template=live, elem_id="try-result", apply_default_css=False, js_on_load=None)

    def _wire(self) -> None:
        fields = [self.objective, self.steps, self.step, self.product, self.features]
        asked = [self.check.click, *(field.submit for field in fields)]
        checked = gr.on(asked, self.on_check, [self.task, *fields], self.result, **_CHECK)
        self.task.change(self.on_task, self.task, [self.result, *fields], cancels=[checked], **_QUICK)
        for button, which in ((self.good, 0), (self.flawed, 1)):
            button.click(partial(self.on_example, which), self.task, [self.result, *fields], cancels=[checked], **_QUICK)

    def on_task(self, task: Task | None) -> dict[Any, Any]:
        """Show the fields of a task."""
        alone = task == "t2"
        return {
            self.steps: gr.Textbox(visible=not alone, label=texts.TRY_STEPS[task or "t1"]),
            **{field: gr.Textbox(visible=alone) for field in (self.step, self.product, self.features)},
            self.result: "",
        }

    def on_example(self, which: int, task: Task | None) -> dict[Any, Any]:
        """Fill in the good (0) or the flawed (1) example of a task."""
        named = {
            "objective": self.objective,
            "steps": self.steps,
            "step": self.step,
            "product": self.product,
            "features": self.features,
        }
        example = texts.TRY_EXAMPLES[task or "t1"][which]
        return {self.result: "", **{named[name]: text for name, text in example.items()}}

    def on_check(self, task: Task | None, *typed: str | None) -> Iterator[str]:
        """Show what the verifier says, and after it, since they take longer, the nearest training items."""
        try:
            if task is None:
                raise ClaimError(texts.TRY_NO_TASK)
            claim = read_claim(task, *(text or "" for text in typed))
        except ClaimError as error:
            said = str(error)
            yield failed_html(f"{said[:1].upper()}{said[1:]}.")
            return
        yield trust_html(pending(task))
        said = _or_sentence(texts.TRY_FAILED, lambda: self._judged(task, claim))
        yield f"{said}<p>{texts.TRY_NEAREST_WAIT}</p>"
        step = claim.step if isinstance(claim, ProductClaim) else ""
        yield said + _or_sentence(texts.TRY_NEAREST, lambda: nearest_html(self.nearest.find(task, claim.objective, step)))

    def _judged(self, task: Task, claim: Claim) -> str:
        found = rule_clashes(claim)
        verdict = judge(self.verifiers, claim, found)
        shown = trust_html(trust(task, verdict, self.backing), _named(claim, verdict))
        return shown + (clashes_html(claim, found) if isinstance(claim, BundleClaim) else "")


def read_claim(task: Task, objective: str, steps: str, step: str, product: str, features: str) -> Claim:
    """Return what was typed as a claim.

    Raises:
        ClaimError: It cannot be read; the message says which field or line and why.
    """
    lines = [(n, line) for n, line in enumerate(steps.splitlines(), 1) if line.strip()]
    match task:
        case "t1":
            return ScriptClaim.read({"objective": objective, "steps": [line for _, line in lines]})
        case "t2":
            return ProductClaim.read({"objective": objective, "step": step, "product": product, "features": features})
        case "t3":
            return BundleClaim.read({"objective": objective, "steps": [_placed(n, line) for n, line in lines]})


def judge(verifiers: Verifiers, claim: Claim, found: Sequence[Clash] = ()) -> Verdict | None:
    """Return the verdict of the model that judges such claims in plans; None when it cannot be used.

    Args:
        verifiers: The models.
        claim: What to judge.
        found: What the attribute rules found in a bundle.
    """
    if isinstance(claim, ScriptClaim):
        return verifiers.t1.verdicts([claim])[0] if verifiers.t1 else None
    if isinstance(claim, ProductClaim):
        model = verifiers.choice or verifiers.t2
        return Verdict(float(model.scores([claim])[0])) if model else None
    return verifiers.t3.verdicts([claim], [found])[0] if verifiers.t3 else None


def rule_clashes(claim: Claim) -> tuple[Clash, ...]:
    """Return what the attribute rules find in a bundle; nothing for other claims."""
    return clashes(claim.objective, [Placed(*place) for place in claim.placed]) if isinstance(claim, BundleClaim) else ()


def trust_html(found: Trust, named: Sequence[str] = ()) -> str:
    """Return a confidence with all that it is worth in plain sight, and the steps that its reason is about."""
    reason = f'<p class="es-try-reason">{escape(found.reason)}</p>' if found.reason else ""
    return (
        f'<section class="es-trust is-{found.look}"><h3 class="es-trust-label">{escape(found.label)}</h3>'
        f'<p class="es-trust-words">{icon_html(found)}<span><b>{escape(found.words)}</b>{number_html(found)}</span></p>{reason}'
        f"{items(map(escape, named), 'es-try-named')}{items(map(escape, found.explanation), 'es-try-worth')}</section>"
    )


def clashes_html(claim: BundleClaim, found: Sequence[Clash]) -> str:
    """Return what the attribute rules found."""
    if not found:
        return f'<p class="es-try-worth">{texts.TRY_NO_CLASH}</p>'

    def side(place: int | None) -> str:
        return texts.YOUR_GOAL if place is None else f"<b>{escape(claim.placed[place][1])}</b>"

    entries = (f"<p>{side(c.first)} {texts.AND} {side(c.second)}</p><p>{escape(c.reason)}</p>" for c in found)
    return f'<section class="es-conflicts"><h3>{texts.CONFLICTS_TITLE}</h3>{items(entries, "es-conflict-list")}</section>'


def nearest_html(found: Sequence[Neighbour]) -> str:
    """Return training items with their labels."""
    entries = items(map(_neighbour, found), "es-try-items") or f"<p>{texts.TRY_NEAREST_NONE}</p>"
    why = f'<p class="es-try-worth">{texts.TRY_NEAREST_WHY}</p>'
    return f'<section class="es-try-nearest"><h3>{texts.TRY_NEAREST}</h3>{why}{entries}</section>'


def failed_html(sentence: str, title: str = texts.TRY_FAILED) -> str:
    """Return the panel that says why something cannot be shown."""
    return f'<section class="es-panel is-failed"><h3>{escape(title)}</h3><p>{escape(sentence)}</p></section>'


def _or_sentence(title: str, make: Callable[[], str]) -> str:
    """Return what ``make`` returns; an error becomes a panel, with its text only where a person may see it."""
    try:
        return make()
    except EcomScriptError as error:
        return failed_html(str(error).replace(f"{PROJECT_ROOT}/", ""), title)
    except Exception:  # the last border before the visitor
        logger.exception("a check failed")
        return failed_html(texts.NEUTRAL_ERROR, title)


def _placed(number: int, line: str) -> dict[str, Any]:
    """Read "step | product; product"."""
    step, _, rest = line.partition("|")
    products = [product for product in rest.split(";") if product.strip()]
    if not step.strip():
        raise ClaimError(texts.TRY_NO_STEP.format(line=number))
    if not products:
        raise ClaimError(texts.TRY_NO_PRODUCTS.format(line=number))
    return {"step": step, "products": products}


def _named(claim: Claim, verdict: Verdict | None) -> list[str]:
    """Return the steps of a script that the verdict's reason is about."""
    if not isinstance(claim, ScriptClaim) or verdict is None:
        return []
    return [texts.TRY_NAMED.format(n=n + 1, text=claim.steps[n]) for n in sorted(verdict.places)]


def _neighbour(found: Neighbour) -> str:
    wrong = "" if found.error == "none" else f": {found.error.replace('_', ' ')}"
    label = texts.TRY_HOLDS if found.label else f"{texts.TRY_FALSE}{wrong}"
    closeness = texts.TRY_CLOSENESS.format(cosine=f"{found.cosine:.2f}")
    return (
        f'<p class="es-try-label {"is-true" if found.label else "is-false"}"><b>{escape(label)}</b> <span>{closeness}</span></p>'
        f"<p>{escape(found.objective)}</p><p>{escape(found.text)}</p>"
    )
