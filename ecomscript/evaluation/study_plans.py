"""Plans for a study with readers: made without any score beside them, stored as text, and scored from that text."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ecomscript.config import ASSETS
from ecomscript.errors import InputError, ModelError
from ecomscript.jsonl import Line, read_lines
from ecomscript.pipeline import Pipeline
from ecomscript.planning.constraints import describe
from ecomscript.request import make_request
from ecomscript.schema import Plan, PlanRequest, Product
from ecomscript.verification.claims import BundleClaim, ClaimError, ProductClaim, ScriptClaim
from ecomscript.verification.compatibility import Placed, clashes
from ecomscript.verification.suite import Verifiers

GOALS = ASSETS / "benchmark" / "study-goals.jsonl"
PLANS = ASSETS / "benchmark" / "study-plans.jsonl.xz"
SCORED = ("t1", "t2", "t2_least", "t3", "product")
"""T1, the mean and the least T2 over the products shown, T3, and T1 × mean T2 × T3."""

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Collected:
    """Plans as a reader sees them, and for each goal that got none its id and the status of its answer."""

    plans: list[Row]
    left_out: dict[str, str]


def read_unique(path: Path, fields: Sequence[str]) -> list[Line]:
    """Return the lines of a file in which every "id" is a text and stands once.

    Raises:
        InputError: The file or one of its lines cannot be used; the message names the line.
    """
    seen: set[str] = set()
    lines = read_lines(path, ("id", *fields))
    for line in lines:
        key = key_of(line, "id")
        if key in seen:
            raise line.error(f"the id {key!r} stands on an earlier line too", "Keep one of the two.")
        seen.add(key)
    return lines


def key_of(line: Line, field: str) -> str:
    """Return a field that has to hold a text.

    Raises:
        InputError: It does not.
    """
    value = line.data[field]
    if not isinstance(value, str) or not value.strip():
        raise line.error(f"{field!r} is {value!r}, expected a text")
    return value


def read_goals(path: Path = GOALS) -> dict[str, PlanRequest]:
    """Return the request of each goal by its id.

    Raises:
        InputError: The file or one of its lines cannot be used.
    """
    found: dict[str, PlanRequest] = {}
    for line in read_unique(path, ("goal",)):
        try:
            found[line.data["id"]] = make_request(line.data["goal"])
        except InputError as error:
            raise line.error(error.cause, error.fix) from None
    return found


def collect(pipeline: Pipeline, goals: Mapping[str, PlanRequest]) -> Collected:
    """Plan every goal once; answers without a plan are left out."""
    answers = {key: pipeline.run(request) for key, request in goals.items()}
    return Collected(
        [_readable(key, plan) for key, plan in answers.items() if plan.status == "plan"],
        {key: plan.status for key, plan in answers.items() if plan.status != "plan"},
    )


def _readable(key: str, plan: Plan) -> Row:
    """Return what a reader needs; and of each product its first feature, which T2 is told too."""
    steps = []
    for matched, shown in zip(plan.steps, plan.to_json()["steps"], strict=True):
        products = [
            {"product_id": p.product_id, "title": p.title, "price_usd": p.price_usd, "feature": "".join(p.features[:1])}
            for p in (match.product for match in matched.matches)
        ]
        steps.append({"text": shown["text"], "note": shown["note"], "products": products})
    return {"id": key, "goal": plan.goal, "constraints": [item.label for item in describe(plan.constraints)], "steps": steps}


@dataclass(frozen=True, slots=True)
class _Claims:
    """What the verifiers are asked about one plan; ``product_ids`` are those of ``products``."""

    script: ScriptClaim
    products: list[ProductClaim]
    bundle: BundleClaim
    product_ids: list[str]

    @classmethod
    def read(cls, row: Mapping[str, Any]) -> _Claims:
        """Read a stored plan.

        Raises:
            ClaimError: A text is missing or unusable.
        """
        goal, steps = row["goal"], row["steps"]
        try:
            texts = [step["text"] for step in steps]
            titles = [{"step": step["text"], "products": [p["title"] for p in step["products"]]} for step in steps]
            shown = [{"step": s["text"], "product": p["title"], "features": p["feature"]} for s in steps for p in s["products"]]
            ids = [str(product["product_id"]) for step in steps for product in step["products"]]
        except (KeyError, TypeError):
            raise ClaimError("a step lacks 'text' or 'products', or a product 'product_id', 'title' or 'feature'") from None
        return cls(
            ScriptClaim.read({"objective": goal, "steps": texts}),
            [ProductClaim.read({"objective": goal, **product}) for product in shown],
            BundleClaim.read({"objective": goal, "steps": titles}),
            ids,
        )


def read_plans(path: Path = PLANS) -> list[Row]:
    """Return stored plans.

    Raises:
        InputError: The file or one of its lines cannot be used.
    """
    lines = read_unique(path, ("goal", "steps"))
    for line in lines:
        try:
            _Claims.read(line.data)
        except ClaimError as error:
            raise line.error(str(error), "Make the file again with --plans.") from None
    return [line.data for line in lines]


def score(plans: Sequence[Row], verifiers: Verifiers, known: Callable[[str], Product | None]) -> list[Row]:
    """Return ``{"id", "goal", "t1", "t2", "t2_least", "t3", "product"}`` of each plan as on the page; all but T1 are null without products.

    T2 is the model that also chose the products, so its low scores are rarer than over any candidates.

    Args:
        plans: As ``read_plans`` returns them.
        verifiers: All three, and the T2 that chooses products where there is one.
        known: The catalogue's product of an id, for the attributes that T3's rules look at; where it is None they see title and feature.

    Raises:
        ModelError: A verifier is missing.
    """
    t1, t2, t3 = verifiers.t1, verifiers.choice or verifiers.t2, verifiers.t3
    if t1 is None or t2 is None or t3 is None:
        raise ModelError("Plans cannot be scored without all three verifiers", " ".join(verifiers.problems))
    claims = [_Claims.read(plan) for plan in plans]
    scripts = t1.verdicts([c.script for c in claims])
    found = [clashes(c.bundle.objective, [_placed(p, known(i)) for p, i in zip(c.products, c.product_ids, strict=True)]) for c in claims]
    bundles = t3.verdicts([c.bundle for c in claims], found)
    said = t2.scores([product for c in claims for product in c.products])
    ends = np.cumsum([0, *(len(c.products) for c in claims)])
    scored = []
    for n, plan in enumerate(plans):
        helps = said[ends[n] : ends[n + 1]]
        row: Row = {"id": plan["id"], "goal": plan["goal"], **dict.fromkeys(SCORED), "t1": round(scripts[n].score, 4)}
        if len(helps):
            values = {"t2": helps.mean(), "t2_least": helps.min(), "t3": bundles[n].score}
            values["product"] = scripts[n].score * values["t2"] * values["t3"]
            row |= {name: round(float(value), 4) for name, value in values.items()}
        scored.append(row)
    return scored


def _placed(claim: ProductClaim, product: Product | None) -> Placed:
    if product is None:
        return Placed(claim.step, claim.product, claim.features)
    return Placed(claim.step, claim.product, " ".join(product.features), product.attributes)
