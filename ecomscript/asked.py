"""What a request says beside its goal, and what the person is told about it."""

from __future__ import annotations

from dataclasses import replace

from ecomscript.planning.constraints import currency_notice, read_constraints
from ecomscript.planning.refine import merged, read_refinement
from ecomscript.schema import Constraints, PlanRequest, Script


def requested_constraints(request: PlanRequest) -> Constraints:
    """Return what the goal says, with the explicit fields on top and what was asked for later on top of these, less what was taken away."""
    found = read_constraints(request.goal).without(request.removed)
    constraints = replace(
        found,
        budget_usd=found.budget_usd if request.budget_usd is None else request.budget_usd,
        people=found.people if request.people is None else request.people,
        exclude=tuple(dict.fromkeys((*found.exclude, *request.exclude))),
    )
    for said in map(read_refinement, request.refinements):
        constraints = merged(constraints, replace(said, constraints=said.constraints.without(request.removed)))
    return constraints


def explicit_fields(request: PlanRequest) -> dict[str, object]:
    """Return the explicit fields of a request that were filled in."""
    fields = {"budget in dollars": request.budget_usd, "people": request.people, "leave out": list(request.exclude)}
    return {name: value for name, value in fields.items() if value not in (None, [])}


def notices_of(request: PlanRequest, found: tuple[str, ...], script: Script) -> tuple[str, ...]:
    """Return what the gate found and, each once, what else to know: the currency only while the goal's own budget counts."""
    currency = currency_notice(request.goal)
    notices = [notice for notice in found if notice != currency]
    if currency and request.budget_usd is None and "budget_usd" not in request.removed:
        notices.append(currency)
    if script.confidence == "weak":
        notices.append("No ready plan was close to this goal, so this is a modest start: check each step, or add a detail or two.")
    return tuple(notices)
