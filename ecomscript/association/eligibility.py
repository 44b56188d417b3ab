"""The hard filters: which product may not be shown under which constraints, and why.

Attributes decide first; words of title, kind and features where no attribute speaks. ``capacity_people`` and budgets over the
whole plan are not hard for one product: three small tents may serve six, and the total is the planner's to keep.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Literal

from ecomscript.association.facts import Facts, Name, bare_name, facts_of, holds, same_thing, tables, values
from ecomscript.quantities import cost_usd, quantity_for
from ecomscript.schema import Constraints, Product
from ecomscript.words import singular, tokens

Rule = Callable[[Product, Facts], str | None]
DENIALS = frozenset(["not", "no", "without", "instead", "free"])
"""Words of a step that speaks of what somebody does without."""
_MAINS = {"110v": "120v", "115v": "120v", "120v": "120v", "127v": "120v", "220v": "230v", "230v": "230v", "240v": "230v"}


class Eligibility:
    """The filter for one set of constraints; build it once, then ask for many products.

    Args:
        constraints: What must be kept.
        rest: Whether the budget is only what a plan leaves of the person's own.
    """

    def __init__(self, constraints: Constraints, rest: bool = False) -> None:
        self._constraints = constraints
        self._budget_words = "over the ${:,.0f} left of your budget" if rest else "over your budget of ${:,.0f}"
        self._owned = tuple(_phrase(phrase) for phrase in constraints.owned)
        self._excluded = tuple(_phrase(phrase) for phrase in constraints.exclude if phrase != "mains power")
        self._allergens = tuple(_phrase(name) for name in constraints.allergens if name != "fragrance")  # its attribute says enough
        self._rules = self._active_rules()

    @property
    def budget_usd(self) -> float | None:
        """Most that all products together may cost."""
        return self._constraints.budget_usd

    @property
    def refuses_nothing(self) -> bool:
        """Whether every product may be shown."""
        return not self._rules

    def cost_usd(self, product: Product) -> float:
        """Return what so many of a product as the people need cost together."""
        return cost_usd(product, self._constraints.people)

    def quantity(self, product: Product) -> int:
        """Return how many of a product the people need."""
        return quantity_for(product, self._constraints.people)

    def violation(self, product: Product) -> str | None:
        """Return why the product may not be shown, as one short phrase; None when it may."""
        if self.refuses_nothing:
            return None
        facts = facts_of(product)
        for rule in self._rules:
            if reason := rule(product, facts):
                return reason
        return None

    def violations(self, kin: Sequence[Product]) -> list[str | None]:
        """Return ``violation`` for products of one kind, told apart more strictly: next to kin that do without, silence is a yes.

        Where some have what the person ruled out and others say that they do without ("No-Drill"), and where most are made of it, only
        those may be shown that say so, or that name what they are made of.
        """
        found = [self.violation(product) for product in kin]
        phrases = (*self._excluded, *self._allergens)
        facts = [facts_of(product) for product in kin] if phrases else []
        for phrase in phrases:
            having = [phrase.is_in(product, own) for product, own in zip(kin, facts, strict=True)]
            without = [phrase.is_denied_in(own) for own in facts]
            told = any(reason is None and free for reason, free in zip(found, without, strict=True))
            named = [own_has or phrase.is_named_in(own.text + own.details) for own_has, own in zip(having, facts, strict=True)]
            divided = told and any(has and not free for has, free in zip(named, without, strict=True))
            if divided or (phrase.is_material and 2 * sum(having) >= len(kin)):
                for n, product in enumerate(kin):
                    if found[n] is None and not without[n] and not phrase.would_show(product):
                        found[n] = f"does not say that it is without {phrase.text}"
        return found

    def kind_excluded(self, kind_name: str) -> Literal["owned", "excluded"] | None:
        """Return whether a whole kind is out before its products are looked at."""
        name = bare_name(kind_name)
        if any(phrase.names(name) for phrase in self._owned):
            return "owned"
        return "excluded" if any(phrase.names(name) for phrase in self._excluded) else None

    def excludes(self, text: str) -> bool:
        """Return whether a text, such as a step, speaks of what the person excluded, and not of doing without."""
        words = tokens(text)
        return not DENIALS & set(words) and any(phrase.is_named_in(f" {' '.join(words)} ") for phrase in self._excluded)

    def _active_rules(self) -> tuple[Rule, ...]:
        c = self._constraints
        rules: list[tuple[object, Rule]] = [
            (c.budget_usd is not None, self._over_budget),
            (self._owned, self._is_owned),
            (self._excluded, self._is_excluded),
            ("mains power" in c.exclude, self._needs_mains),
            (c.voltage, self._wrong_voltage),
            (c.voltage, self._wrong_plug),
            (c.species, self._wrong_species),
            (c.pet_weight_kg, self._too_small_for_pet),
            (c.ages, self._wrong_age),
            (c.skill == "beginner", self._too_advanced),
            (c.diets, self._breaks_diet),
            (c.allergens, self._has_allergen),
        ]
        return tuple(rule for active, rule in rules if active)

    def _over_budget(self, product: Product, _: Facts) -> str | None:
        budget = self._constraints.budget_usd or 0.0
        return self._budget_words.format(budget) if self.cost_usd(product) > budget else None

    def _is_owned(self, _: Product, facts: Facts) -> str | None:
        for phrase in self._owned:
            if any(phrase.names(name) for name in facts.names):
                return f"you already have {_article(phrase.text)}"
        return None

    def _is_excluded(self, product: Product, facts: Facts) -> str | None:
        for phrase in self._excluded:
            if any(phrase.names(name) for name in facts.names):
                return f"you said no {phrase.text}"
            if phrase.is_in(product, facts):
                return f"you said no {phrase.text}"
        return None

    def _needs_mains(self, product: Product, facts: Facts) -> str | None:
        mains = any(part in _MAINS for part in _volts(product))
        source = any(word in tables()["power_sources"] for name in facts.names for word in name)
        return "needs mains power" if mains and not source else None

    def _wrong_voltage(self, product: Product, _: Facts) -> str | None:
        offered = {_MAINS[part] for part in _volts(product) if part in _MAINS}
        if not offered or self._constraints.voltage in offered or "dual" in _volts(product):
            return None
        return f"needs {sorted(offered)[0].replace('v', ' V')}"

    def _wrong_plug(self, product: Product, facts: Facts) -> str | None:
        """A plug decides only where no voltage is given: between the plugs of one voltage a cheap adapter helps."""
        plugs = set(values(product.attributes.get("plug"))) & {"us", "eu", "uk"}
        fitting = {"us"} if self._constraints.voltage == "120v" else {"eu", "uk"}
        if not plugs or plugs & fitting or "voltage" in product.attributes or {"adapter", "converter"} & set(facts.names[0]):
            return None
        return f"has a {sorted(plugs)[0].upper()} plug"

    def _wrong_species(self, product: Product, _: Facts) -> str | None:
        made_for = {singular(value) for value in values(product.attributes.get("species"))}
        if not made_for or made_for & {"human", "all", "any", "pet"}:
            return None
        wanted = set(self._constraints.species)
        for animal in self._constraints.species:
            wanted.update(tables()["species_family"].get(animal, ()))
        return None if wanted & made_for else f"for a {sorted(made_for)[0]}"

    def _too_small_for_pet(self, product: Product, _: Facts) -> str | None:
        most = product.attributes.get("pet_weight_max_kg")
        weight = self._constraints.pet_weight_kg or 0.0
        return f"only for pets up to {most:g} kg" if isinstance(most, int | float) and most < weight else None

    def _wrong_age(self, product: Product, facts: Facts) -> str | None:
        youngest, oldest = min(self._constraints.ages), max(self._constraints.ages)
        at_least, at_most = product.attributes.get("age_min"), product.attributes.get("age_max")
        if isinstance(at_least, int | float) and oldest < at_least and (at_most is not None or _is_for_children(product, facts)):
            return f"for ages {at_least:g} and up"
        if isinstance(at_most, int | float) and youngest > at_most:
            return f"for children up to {at_most:g}"
        return None

    def _too_advanced(self, product: Product, _: Facts) -> str | None:
        skills = values(product.attributes.get("skill"))
        return "made for advanced users" if skills and set(skills) == {"advanced"} else None

    def _breaks_diet(self, product: Product, facts: Facts) -> str | None:
        if product.attributes.get("species") is not None:
            return None
        marks = set(values(product.attributes.get("diet")))
        held = set(values(product.attributes.get("allergens")))
        for diet in self._constraints.diets:
            table = tables()["diets"].get(diet)
            if table is None or (diet != "nut-free" and marks & set(table["granted"])):
                continue
            if broken := sorted(held & set(table["allergens"])):
                return f"contains {broken[0]}"
            if marks & set(table["granted"]) or _said(facts, diet):
                continue
            if word := _first_held(facts.text if facts.is_food else facts.made, table["food" if facts.is_food else "other"]):
                return f"not marked {diet} ({word})"
        return None

    def _has_allergen(self, product: Product, facts: Facts) -> str | None:
        held = set(values(product.attributes.get("allergens")))
        marks = set(values(product.attributes.get("diet")))
        for allergen in self._constraints.allergens:
            table = tables()["allergens"].get(allergen)
            if table is None:
                if _phrase(allergen).is_in(product, facts) or holds(facts.text, " ".join(tokens(allergen))):
                    return f"contains {allergen}"
                continue
            if held & set(table["also"]):
                return f"contains {allergen}"
            if allergen == "fragrance" and _is_scented(product, facts):
                return "is scented"
            if _said(facts, f"{allergen}-free") or (facts.is_food and _is_marked_free(allergen, marks)):
                continue
            made_of = " | ".join((" ", *values(product.attributes.get("material")), " "))
            if _first_held(facts.text if facts.is_food else facts.made, table["food" if facts.is_food else "other"]) or _first_held(
                made_of, table["other"]
            ):
                return f"contains {allergen}"
        return None


@lru_cache(maxsize=64)
def _eligibility(constraints: Constraints) -> Eligibility:
    return Eligibility(constraints)


def violation(product: Product, constraints: Constraints) -> str | None:
    """Return why the product may not be shown under the constraints; None when it may."""
    return _eligibility(constraints).violation(product)


def kind_excluded(kind_name: str, constraints: Constraints) -> Literal["owned", "excluded"] | None:
    """Return whether the person has or excluded a whole kind of product."""
    return _eligibility(constraints).kind_excluded(kind_name)


class _Phrase:
    """A noun phrase that the person has or excludes, with its synonyms and what it stands for as a substance."""

    def __init__(self, text: str) -> None:
        self.text = text
        own = bare_name(text)
        self._names: tuple[Name, ...] = (own, *_synonyms(own))
        word = " ".join(own)
        self._edible = tuple(tables()["edible"].get(word, ()))
        self._claims = tuple(tables()["claims"].get(word, ()))
        self._made_of = tuple(tables()["made_of"].get(word, ()))
        self._present = tuple(tables()["present"].get(word, ()))
        self._scented = word in ("fragrance", "scented", "scent", "perfume")
        self._contents = ("allergens", "diet") if word in tables()["allergens"] or self._edible else ()
        self._denied = _denied(self._names)

    def names(self, name: Name) -> bool:
        """Return whether the thing called ``name`` is this thing."""
        return any(same_thing(own, name) for own in self._names)

    @property
    def is_material(self) -> bool:
        """Whether it is what things are made of."""
        return bool(self._made_of)

    def is_denied_in(self, facts: Facts) -> bool:
        """Return whether title or features say that the product does without this thing."""
        return any(self._denied.search(text) for text in (facts.text, facts.details))

    def would_show(self, product: Product) -> bool:
        """Return whether the attributes of a product tell what it is made of or contains."""
        return any(key in product.attributes for key in (("material",) if self._made_of else self._contents))

    def is_named_in(self, text: str) -> bool:
        """Return whether a text of folded words speaks of this thing."""
        return any(holds(text, " ".join(name)) for name in self._names)

    def is_in(self, product: Product, facts: Facts) -> bool:
        """Return whether the product is made of, contains or stands for this substance."""
        if self._edible and facts.is_food:
            if any(_said(facts, claim) for claim in self._claims) or set(self._claims) & {
                v.replace("-", " ") for v in values(product.attributes.get("diet"))
            }:
                return False
            return _first_held(facts.text, self._edible) is not None or _first_held(facts.details, self._edible[:1]) is not None
        if self._made_of:
            made_of = f" {' | '.join(' '.join(tokens(value)) for value in values(product.attributes.get('material')))} "
            return _first_held(made_of, self._made_of) is not None or _first_held(facts.made, self._made_of) is not None
        if self._scented and _is_scented(product, facts):
            return True
        return _first_held(facts.text, self._present) is not None


@lru_cache(maxsize=256)
def _phrase(text: str) -> _Phrase:
    return _Phrase(text)


def _denied(names: Sequence[Name]) -> re.Pattern[str]:
    """Return a pattern of "no nail", "without new hole", "no hole or screw", "nail free" and the like in folded words."""
    things = "|".join(re.escape(" ".join(name)) for name in names)
    return re.compile(rf"\b(?:no|non|without|zero)(?: (?:any|new|added|real))?(?: \w+ (?:or|and))? (?:{things})\b|\b(?:{things}) free\b")


def _synonyms(name: Name) -> tuple[Name, ...]:
    groups = [[tuple(tokens(member)) for member in group] for group in tables()["synonyms"]]
    wider = [tuple(tokens(member)) for member in tables()["stands_for"].get(" ".join(name), ())]
    return tuple(member for group in (*groups, [name, *wider]) if name in group for member in group if member != name)


def _first_held(text: str, words: tuple[str, ...] | list[str]) -> str | None:
    return next((word for word in words if holds(text, word)), None)


def _said(facts: Facts, claim: str) -> bool:
    """Return whether title, kind or features claim it ("gluten-free", "unscented")."""
    needle = f" {' '.join(tokens(claim))} "
    return needle in facts.text or needle in facts.details


def _is_scented(product: Product, facts: Facts) -> bool:
    scents = values(product.attributes.get("scent"))
    flavored = facts.is_food or any(f" {word} " in facts.text for word in tables()["flavored"])
    return bool(scents) and not flavored and not set(scents) <= {"none", "unscented", "unflavored", "fragrance-free", "neutral"}


def _is_marked_free(allergen: str, marks: set[str]) -> bool:
    wanted = {"milk": {"vegan", "dairy-free"}, "egg": {"vegan"}, "fish": {"vegan"}, "shellfish": {"vegan"}, "wheat": {"gluten-free"}}
    nuts = {"peanut": {"nut-free"}, "tree nut": {"nut-free"}, "nut": {"nut-free"}}
    return bool(marks & (wanted | nuts).get(allergen, set()))


def _is_for_children(product: Product, facts: Facts) -> bool:
    """Return whether the thing is made for children; of other things "from 9 years" does not keep the parents from using them."""
    department = product.category.split(">")[0].strip().lower()
    return department in tables()["child_departments"] or bool(set(facts.names[0]) & set(tables()["child_words"]))


def _volts(product: Product) -> tuple[str, ...]:
    return tuple(part.strip() for value in values(product.attributes.get("voltage")) for part in value.replace(" ", "").split("/"))


def _article(phrase: str) -> str:
    if singular(phrase.rsplit(maxsplit=1)[-1]) != phrase.rsplit(maxsplit=1)[-1]:
        return phrase
    return f"an {phrase}" if phrase[0] in "aeiou" else f"a {phrase}"
