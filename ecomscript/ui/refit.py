"""What a refinement does to the products of a plan: those that break a constraint go, cheaper ones come, the budget is kept.

Every function takes the plan and returns it changed, with the swaps it made; what a person keeps is never touched.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from ecomscript.association.alternatives import Wanted
from ecomscript.association.associate import AGAINST_THE_GOAL, CORE_FIRST, SPEAKS_AGAINST, goes_against
from ecomscript.association.choose import Option, fit_budget
from ecomscript.association.eligibility import DENIALS, kind_excluded, violation
from ecomscript.association.notes import already_have, as_asked, dear_kind, left_out, none_fits, without_kind
from ecomscript.quantities import cost_usd, share
from ecomscript.schema import PER_STEP, Constraints, Match, MatchedStep, Product, Step
from ecomscript.ui.border import Planner
from ecomscript.ui.edit import OTHER_KIND, instead, left_of_budget, name_of, taken, with_step, without
from ecomscript.ui.view import PlanView, Swap
from ecomscript.words import tokens

LOOKED_AT = 6
"""Alternatives of a product that are looked at."""
AS_SOUND, AS_LIKED = 0.2, 0.6
"""Most that P(it helps the step) and the rating may fall for a cheaper product; the first also for a better rated one."""


@dataclass(frozen=True, slots=True)
class Place:
    """A product where it is shown: its step, counted from 0, and its position there."""

    step: int
    position: int
    match: Match

    @property
    def at(self) -> tuple[int, int]:
        """Step and position."""
        return self.step, self.position


@dataclass(frozen=True, slots=True)
class Refit:
    """A plan after a change of its products.

    Attributes:
        view: The plan; its swaps are those made so far.
        gone: The products that were left out.
        kept: What stays because the person keeps it, each with the constraint that it breaks.
    """

    view: PlanView
    gone: tuple[Match, ...] = ()
    kept: tuple[tuple[Match, str], ...] = ()


def free_places(view: PlanView) -> list[Place]:
    """Return where the products that the person does not keep are shown."""
    return [place for place in _places(view) if place.match.product.product_id not in view.locked]


def constrained(view: PlanView, planner: Planner) -> Refit:
    """Replace each product that breaks a constraint (the budget apart) by the next best, or leave it out and say so in its step.

    Args:
        view: The plan with its new constraints.
        planner: Finds what could take a place.
    """
    rules = replace(view.constraints, budget_usd=None)
    owned, asked = Constraints(owned=rules.owned), Constraints(exclude=rules.exclude)
    broken = [(place, reason) for place in _places(view) if (reason := violation(place.match.product, rules)) is not None]
    kept = tuple((place.match, reason) for place, reason in broken if place.match.product.product_id in view.locked)
    loose = [(place, reason) for place, reason in broken if place.match.product.product_id not in view.locked]
    replaced = [place for place, _ in loose if violation(place.match.product, owned) is None]
    others = _others(view, replaced, planner, [rules] * len(replaced))
    view = _renoted(view, rules)
    gone: list[Match] = []
    for place, reason in loose:
        product = place.match.product
        new = _replacement(view, place, others.get(place.at, ()))
        if new is not None:
            view = put(view, place, new)
            continue
        kind = product.kind or name_of(place.match)
        excluded = as_asked(kind) if violation(product, asked) is not None else none_fits(kind, reason)
        view = _take(view, place, excluded if place.at in others else already_have(kind))
        gone.append(place.match)
    return Refit(_warned(view, rules), tuple(gone), kept)


def refilled(view: PlanView, planner: Planner) -> PlanView:
    """Fill the places that a budget or an exclusion had left empty and that the constraints leave room for now."""
    for at, matched in enumerate(view.matched):
        shown = {product.kind for product in view.products}
        needs = [n for n, kind in enumerate(matched.step.needs) if kind not in shown]
        room = PER_STEP - len(matched.matches)
        if not matched.note or not needs or room <= 0:
            continue
        weights = tuple(matched.step.need_weights[n] for n in needs) if matched.step.need_weights else ()
        step = replace(matched.step, needs=tuple(matched.step.needs[n] for n in needs), need_weights=weights)
        rest = left_of_budget(view.constraints, view.matched)
        fresh = planner.refill(view.goal, view.objective, step, rest, taken(view, view.matched))
        found = fresh.matches[:room]
        note, said = matched.note, fresh.note.replace(AGAINST_THE_GOAL, "").strip()
        for kind in step.needs:
            note = without_kind(note, kind)
        view = _changed(view, at, _noted(replace(matched, matches=(*matched.matches, *found), note=note), said))
    return view


def wished(view: PlanView, planner: Planner, cheaper: bool) -> PlanView:
    """Replace each product by the cheapest, or the best rated, of its kind that fits its step about as well."""
    people, places = view.constraints.people, free_places(view)
    others = _of_kind(view, places, planner, cheaper)
    for place in places:
        old, used, left = place.match, taken(view, view.matched), _room(view, place)
        found = [match for match in others[place.at] if match.product.product_id not in used and _sound(old, match)]
        found = [match for match in found if left is None or cost_usd(match.product, people) <= left]
        if cheaper:
            found = [m for m in found if m.product.price_usd is not None and _liked(old.product, m.product)]
            found.sort(key=lambda m: cost_usd(m.product, people))
        else:
            found = [m for m in found if (m.product.rating or 0.0) > (old.product.rating or 0.0)]
            found.sort(key=lambda m: -(m.product.rating or 0.0))
        if found:
            view = put(view, place, found[0])
    return view


def within_budget(view: PlanView, planner: Planner) -> Refit:
    """Choose again, as planning does, where the total breaks the budget: cheaper products first, then without what matters least.

    Nothing changes where what the person keeps is over the budget by itself.
    """
    budget, people = view.constraints.budget_usd, view.constraints.people
    if budget is None or view.total_usd <= budget:
        return Refit(view)
    held = sum(cost_usd(product, people) for product in view.products if product.product_id in view.locked)
    if held > budget:
        return Refit(view)
    places, offered, used = free_places(view), [], set(taken(view, view.matched))
    others = _of_kind(view, places, planner, cheaper=True)
    for place in places:
        found = [match for match in others[place.at] if match.product.product_id not in used]
        used |= {match.product.product_id for match in found}
        offered.append([place.match, *found])
    groups = [_options(matches, people) for matches in offered]
    chosen = fit_budget(groups, [_importance(view.matched[place.step].step, place) for place in places], round(budget - held, 2))
    gone: list[Match] = []
    dear: dict[int, list[str]] = {}
    for place, matches, option in zip(places, offered, chosen, strict=True):
        if option is None:
            cost = min(cost_usd(match.product, people) for match in matches)
            dear.setdefault(place.step, []).append(dear_kind(place.match.product.kind or name_of(place.match), cost))
            gone.append(place.match)
            view = _take(view, place, "")
        elif option.row:
            view = put(view, place, matches[option.row])
    for at, names in dear.items():
        view = _changed(view, at, _noted(view.matched[at], left_out(names, budget)))
    return Refit(view, tuple(gone))


def put(view: PlanView, place: Place, new: Match) -> PlanView:
    """Return the plan with another product in a place."""
    old, matched = place.match, view.matched[place.step]
    earlier = next((swap for swap in view.swaps if swap.new.product_id == old.product.product_id), None)
    first = earlier.old if earlier else old.product
    swaps = (*(swap for swap in view.swaps if swap is not earlier), Swap(first, new.product))
    shown = instead(new, first)
    matches = tuple(shown if m.product.product_id == old.product.product_id else m for m in matched.matches)
    after = _changed(view, place.step, replace(matched, matches=matches))
    return replace(after, swaps=swaps)


def _places(view: PlanView) -> Iterator[Place]:
    return (Place(at, n, match) for at, matched in enumerate(view.matched) for n, match in enumerate(matched.matches))


def _changed(view: PlanView, at: int, matched: MatchedStep) -> PlanView:
    return replace(view, matched=with_step(view.matched, at, matched))


def _noted(matched: MatchedStep, note: str) -> MatchedStep:
    return replace(matched, note=f"{matched.note} {note}".strip()) if note not in matched.note else matched


def _take(view: PlanView, place: Place, note: str) -> PlanView:
    """Return the plan without the product of a place."""
    return _changed(view, place.step, _noted(without(view.matched[place.step], place.match.product.product_id), note))


def _warned(view: PlanView, rules: Constraints) -> PlanView:
    """Say of each step that itself speaks of what is ruled out that it is to be adapted, or left out where it shows nothing."""
    for at, matched in enumerate(view.matched):
        named = AGAINST_THE_GOAL in matched.note or DENIALS & set(tokens(matched.step.text))
        if not named and goes_against(matched.step.text, rules):
            view = _changed(view, at, _noted(matched, SPEAKS_AGAINST if matched.matches else AGAINST_THE_GOAL))
    return view


def _renoted(view: PlanView, rules: Constraints) -> PlanView:
    """Say of what is not shown, where the person has it or rules it out by now, that this is why."""
    for at in range(len(view.matched)):
        for kind in view.matched[at].step.needs:
            matched, state = view.matched[at], kind_excluded(kind, rules)
            bare = without_kind(matched.note, kind)
            if state is not None and bare != matched.note:
                note = already_have(kind) if state == "owned" else as_asked(kind)
                view = _changed(view, at, _noted(replace(matched, note=bare), note))
    return view


Others = dict[tuple[int, int], list[Match]]
"""What could take each place, by step and position."""


def _others(view: PlanView, places: Sequence[Place], planner: Planner, rules: Sequence[Constraints], own_kind: bool = False) -> Others:
    """Return other products for places, the most helpful first: all are looked for, and judged, at once.

    Args:
        view: The plan.
        places: Whose products may be replaced.
        planner: Finds them.
        rules: What must be kept, for each place.
        own_kind: Whether only the kind of each place is looked at.
    """
    wanted = [
        Wanted(view.matched[place.step].step.text, place.match.product.product_id, of, LOOKED_AT, own_kind)
        for place, of in zip(places, rules, strict=True)
    ]
    found = planner.alternatives(view.goal, wanted, taken(view, view.matched))
    return {place.at: matches for place, matches in zip(places, found, strict=True)}


def _replacement(view: PlanView, place: Place, found: Sequence[Match]) -> Match | None:
    """Return the next best for a place that the plan does not show yet: of the same kind, or of another one that surely helps."""
    old, used, shown = place.match.product, taken(view, view.matched), {product.kind for product in view.products}
    for match in found:
        new = match.product
        other = new.kind not in shown and _department(new) == _department(old) and (match.t2 or 0.0) >= OTHER_KIND
        if new.product_id not in used and (new.kind == old.kind or other):
            return match
    return None


def _department(product: Product) -> str:
    return product.category.partition(">")[0].strip()


def _room(view: PlanView, place: Place) -> float | None:
    """Return what a place may cost within the budget; None without one."""
    left = left_of_budget(view.constraints, view.matched).budget_usd
    return None if left is None else round(left + cost_usd(place.match.product, view.constraints.people), 2)


def _of_kind(view: PlanView, places: Sequence[Place], planner: Planner, cheaper: bool) -> Others:
    """Return other products of each place's kind, the most helpful first: those that cost less, or all that the budget leaves room for."""
    people = view.constraints.people
    own = [cost_usd(place.match.product, people) for place in places]
    most = own if cheaper else [_room(view, place) for place in places]
    others = _others(view, places, planner, [replace(view.constraints, budget_usd=usd) for usd in most], own_kind=True)
    # What does not say how many it serves only seems to cost less than what does.
    for place, cost in zip(places, own, strict=True):
        told = people is not None and share(place.match.product)
        same = [match for match in others[place.at] if not told or share(match.product)]
        others[place.at] = [match for match in same if not cheaper or cost_usd(match.product, people) < cost]
    return others


def _sound(old: Match, new: Match) -> bool:
    return old.t2 is None or new.t2 is None or new.t2 >= old.t2 - AS_SOUND


def _liked(old: Product, new: Product) -> bool:
    return old.rating is None or new.rating is None or new.rating >= old.rating - AS_LIKED


def _options(matches: list[Match], people: int | None) -> list[Option]:
    """Return a place's product and its alternatives as options; the product itself is worth a little more than any other."""
    values = [match.t2 or 0.0 for match in matches]
    values[0] = max(values) + AS_SOUND
    return [Option(n, values[n], cost_usd(match.product, people), match.t2) for n, match in enumerate(matches)]


def _importance(step: Step, place: Place) -> float:
    """Return what meeting a need is worth, as in planning: the planner's weight, else falling from the first product of a step."""
    weights = dict(zip(step.needs, step.need_weights, strict=True)) if step.need_weights else {}
    return weights.get(place.match.product.kind or "", 1.0 / (1 + place.position)) ** CORE_FIRST
