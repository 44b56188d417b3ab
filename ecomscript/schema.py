"""The words of the project as frozen values: what flows from goal text to a finished plan.

Units are in the names: ``price_usd`` in US dollars, ``elapsed_s`` in seconds, ``similarity`` a cosine in [-1, 1].
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Literal

from ecomscript.quantities import cost_usd, quantity_for

AttributeValue = str | float | bool | tuple[str, ...]
Status = Literal["plan", "clarify", "redirect", "refuse"]
Confidence = Literal["ready", "assembled", "weak", "written"]

PER_STEP = 3
"""Most products of a step."""

CONFIDENCE_WORDS: Mapping[Confidence, str] = {
    "ready": "a ready plan",
    "assembled": "put together from near plans",
    "weak": "no ready plan was close",
    "written": "written by a language model",
}


@dataclass(frozen=True, slots=True)
class Usage:
    """What language models were asked for, added up.

    Attributes:
        calls: Questions put to a model.
        prompt_tokens: Tokens of the questions.
        completion_tokens: Tokens of the answers.
        cost_usd: Estimated cost in US dollars; None when the price of a model is not known.
        estimated: Whether token counts are guessed from the length of the texts, because the service does not tell them (yet).
    """

    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: float | None = 0.0
    estimated: bool = False

    @property
    def tokens(self) -> int:
        """Tokens of questions and answers."""
        return self.prompt_tokens + self.completion_tokens

    def __add__(self, other: Usage) -> Usage:
        """Return both together."""
        cost = None if self.cost_usd is None or other.cost_usd is None else self.cost_usd + other.cost_usd
        return Usage(
            self.calls + other.calls,
            self.prompt_tokens + other.prompt_tokens,
            self.completion_tokens + other.completion_tokens,
            cost,
            self.estimated or other.estimated,
        )


NO_USAGE = Usage()
"""No language model was asked."""


@dataclass(frozen=True, slots=True)
class Product:
    """One row of a catalogue.

    ``product_id`` is stable under re-ordering of the file. ``transferred_from`` names the hand-written kinds whose purchase intentions the
    row was given, where its catalogue has none of its own.
    """

    product_id: str
    title: str
    brand: str = ""
    kind: str | None = None
    category: str = ""
    emoji: str = "🛒"
    price_usd: float | None = None
    rating: float | None = None
    rating_count: int = 0
    features: tuple[str, ...] = ()
    attributes: Mapping[str, AttributeValue] = field(default_factory=dict)
    image_url: str | None = None
    page_url: str | None = None
    transferred_from: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Intention:
    """Why people buy: a plain verb phrase; the index knows which products it leads to (many to many)."""

    intention_id: str
    text: str


@dataclass(frozen=True, slots=True)
class Kind:
    """A product kind, what a shopper would name on a list: "hard-sided camping cooler"; ``intentions`` are shared by its products."""

    name: str
    category: str
    emoji: str
    intentions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LibraryStep:
    """A step of a library script; ``needs`` are names of kinds, most important first."""

    text: str
    needs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LibraryScript:
    """A hand-written plan; ``aliases`` are other wordings of the objective."""

    script_id: str
    objective: str
    aliases: tuple[str, ...]
    tags: tuple[str, ...]
    steps: tuple[LibraryStep, ...]

    @property
    def needs(self) -> tuple[str, ...]:
        """Every needed kind once, in the order of the steps."""
        return tuple(dict.fromkeys(name for step in self.steps for name in step.needs))


@dataclass(frozen=True, slots=True)
class Step:
    """One action of a script.

    Attributes:
        step_id: Stable inside one plan; never an index.
        text: One imperative sentence.
        needs: Names of catalogue kinds that serve the step, the most important first; empty when unknown or nothing is to be bought.
        need_weights: How sure the planner is of each need, in (0, 1]; empty when it does not say.
        buys: Whether the step needs anything bought; None when it is left to the matcher to decide.
        note: What the person should know ("you already have the tent"), or "".
    """

    step_id: str
    text: str
    needs: tuple[str, ...] = ()
    need_weights: tuple[float, ...] = ()
    buys: bool | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Grounds:
    """What speaks for the library's plan that a script starts from.

    Attributes:
        closeness: How near its wordings are to the goal (``NearScripts.closeness``).
        support: Mean probability, over the kinds that it needs, that the goal needs them.
    """

    closeness: float
    support: float


@dataclass(frozen=True, slots=True)
class Script:
    """An ordered plan for an objective, before products are matched.

    Attributes:
        objective: What the steps achieve: that of the library's plan that it started from, or the goal.
        steps: In order.
        planner: Who wrote it: "library" or "llm".
        confidence: How near the library's plan was.
        sources: Ids of the library's plans that it started from.
        near: Objectives of other plans of the library that it could have started from, the best first.
        grounds: Why it starts from this one; None where the person chose it, or a language model wrote the script.
    """

    objective: str
    steps: tuple[Step, ...]
    planner: str
    confidence: Confidence
    sources: tuple[str, ...] = ()
    near: tuple[str, ...] = ()
    grounds: Grounds | None = None


@dataclass(frozen=True, slots=True)
class ConstraintItem:
    """One constraint as it is shown back to the person: a chip with a key to remove it by, such as ``exclude:tent``."""

    key: str
    label: str


@dataclass(frozen=True, slots=True)
class Constraints:
    """What a product or a plan must respect; everything here is hard.

    Attributes:
        budget_usd: Most that all products together may cost.
        people: How many people the plan is for.
        ages: Ages in years of those it is for (children above all).
        season: "spring", "summer", "autumn" or "winter".
        climate: Any of "hot", "cold", "humid", "dry", "rainy".
        diets: Names as in the catalogue's ``diet`` attribute: "vegan", "gluten-free", "halal" …
        allergens: Names as in the catalogue's ``allergens`` attribute: "peanut", "milk" …; also materials such as "nickel", "wool".
        owned: Noun phrases for what the person already has: "tent", "air fryer".
        exclude: Noun phrases for what the person does not want or may not use: "alcohol", "hot plate", "glass".
        country: ISO 3166 alpha-2 code, upper case.
        voltage: "120v" or "230v".
        species: Species of the pets that it is for: "dog", "cat" …
        pet_weight_kg: Weight of the (heaviest) pet.
        small_space: True when room is short (flat, dorm, balcony, van).
        quiet: True when noise must be kept down.
        skill: "beginner", "intermediate" or "advanced".
        deadline: In the person's words: "by Thursday", "one weekend".
    """

    budget_usd: float | None = None
    people: int | None = None
    ages: tuple[int, ...] = ()
    season: str | None = None
    climate: tuple[str, ...] = ()
    diets: tuple[str, ...] = ()
    allergens: tuple[str, ...] = ()
    owned: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    country: str | None = None
    voltage: str | None = None
    species: tuple[str, ...] = ()
    pet_weight_kg: float | None = None
    small_space: bool = False
    quiet: bool = False
    skill: str | None = None
    deadline: str | None = None

    def keys(self) -> tuple[str, ...]:
        """Return one key per set constraint: ``budget_usd`` for single values, ``exclude:tent`` for members of a list."""
        found: list[str] = []
        for f in fields(self):
            value = getattr(self, f.name)
            if isinstance(value, tuple):
                found += [f"{f.name}:{member}" for member in value]
            elif value not in (None, False):
                found.append(f.name)
        return tuple(found)

    def without(self, keys: frozenset[str]) -> Constraints:
        """Return a copy in which the constraints with these keys are no longer set; unknown keys are ignored."""
        changes: dict[str, Any] = {}
        for f in fields(self):
            value = getattr(self, f.name)
            if isinstance(value, tuple):
                changes[f.name] = tuple(m for m in value if f"{f.name}:{m}" not in keys)
            elif f.name in keys:
                changes[f.name] = f.default
        return replace(self, **changes)


@dataclass(frozen=True, slots=True)
class PlanRequest:
    """What a person asks for.

    Attributes:
        goal: The goal as typed.
        budget_usd: Explicit budget; wins over one found in the goal.
        people: Explicit number of people; wins over one found in the goal.
        exclude: Explicit exclusions, added to those found in the goal.
        removed: Keys (see ``Constraints.keys``) of constraints found in the goal that the person took away again.
        refinements: What the person asked for later, in words ("no alcohol", "for 12"); the last one wins.
        like: Objective of the library's plan to start from in place of the best one; without effect where no near plan has it.
    """

    goal: str
    budget_usd: float | None = None
    people: int | None = None
    exclude: tuple[str, ...] = ()
    removed: frozenset[str] = frozenset()
    refinements: tuple[str, ...] = ()
    like: str = ""


@dataclass(frozen=True, slots=True)
class Match:
    """A product shown for a step.

    Attributes:
        product: The catalogue row.
        intention: The product's purchase intention that matches the step best.
        similarity: Cosine between the step's query vector and that intention.
        why: One sentence for the shopper.
        t2: P(product helps this step) by the T2 verifier; None while nothing computed it.
    """

    product: Product
    intention: str
    similarity: float
    why: str
    t2: float | None = None


@dataclass(frozen=True, slots=True)
class MatchedStep:
    """A step with its products (at most three) and a note when something was left out or nothing suits."""

    step: Step
    matches: tuple[Match, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a verifier says of a claim.

    Attributes:
        score: P(the claim holds), calibrated, in [0, 1].
        reason: One sentence on the weakest spot, or "" when nothing stands out.
        places: What the reason is about, counted from 0: steps of a script, or products of a bundle.
    """

    score: float
    reason: str = ""
    places: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Opinion:
    """What a language model says of a claim.

    Attributes:
        model: How people call it.
        score: P(the claim holds), by its own word; None where it said neither yes nor no.
    """

    model: str
    score: float | None


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two things of one plan that do not go together, and why.

    Attributes:
        a: Title of a product.
        b: Title of another product, or the goal.
        reason: One sentence for the shopper.
        product_id: The product that can be swapped; "" when there is none.
        swap_id: The best product of the same kind that ends the conflict; "" when there is none.
    """

    a: str
    b: str
    reason: str
    product_id: str = ""
    swap_id: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """The finished answer to a request; ``to_json`` is the contract of the command line, the HTTP API and the MCP tool.

    ``fit`` is the probability that a reader would find the plan made for this goal, as ``Reviewer.fit`` gives it.
    """

    goal: str
    status: Status
    constraints: Constraints
    planner: str | None = None
    confidence: Confidence | None = None
    objective: str | None = None
    steps: tuple[MatchedStep, ...] = ()
    script_verdict: Verdict | None = None
    bundle_verdict: Verdict | None = None
    conflicts: tuple[Conflict, ...] = ()
    notices: tuple[str, ...] = ()
    questions: tuple[str, ...] = ()
    timings_s: Mapping[str, float] = field(default_factory=dict)
    usage: Usage = NO_USAGE
    near: tuple[str, ...] = ()
    fit: float | None = None

    @property
    def products(self) -> tuple[Product, ...]:
        """Every product of the plan once, in the order of the steps."""
        return tuple({m.product.product_id: m.product for s in self.steps for m in s.matches}.values())

    @property
    def total_usd(self) -> float:
        """Price of all products, of each as many as the people need, in US dollars; rows without a price count as zero."""
        return round(sum(cost_usd(p, self.constraints.people) for p in self.products), 2)

    @property
    def within_budget(self) -> bool | None:
        """Whether the total keeps the budget; None when there is no budget."""
        budget = self.constraints.budget_usd
        return None if budget is None else self.total_usd <= budget

    def to_json(self) -> dict[str, Any]:
        """Return the plan as plain JSON values; what no model computed is null."""
        return {
            "goal": self.goal,
            "status": self.status,
            "planner": self.planner,
            "objective": self.objective,
            "near_plans": list(self.near),
            "confidence": None if self.confidence is None else CONFIDENCE_WORDS[self.confidence],
            "constraints": {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(self.constraints).items()},
            "steps": [_step_json(s, self.constraints.people) for s in self.steps],
            "fit": None if self.fit is None else round(self.fit, 4),
            "t1": _score(self.script_verdict),
            "t1_reason": _reason(self.script_verdict),
            "t3": _score(self.bundle_verdict),
            "t3_reason": _reason(self.bundle_verdict),
            "conflicts": [asdict(c) for c in self.conflicts],
            "total_usd": self.total_usd,
            "within_budget": self.within_budget,
            "notices": list(self.notices),
            "questions": list(self.questions),
            "timings_s": {name: round(seconds, 4) for name, seconds in self.timings_s.items()},
            "usage": asdict(self.usage) if self.usage.calls else None,
        }


def _score(verdict: Verdict | None) -> float | None:
    return None if verdict is None else round(verdict.score, 4)


def _reason(verdict: Verdict | None) -> str | None:
    return None if verdict is None else verdict.reason


def _step_json(matched: MatchedStep, people: int | None) -> dict[str, Any]:
    note = " ".join(part for part in (matched.step.note, matched.note) if part)
    products = [_match_json(m, people) for m in matched.matches]
    return {"text": matched.step.text, "products": products, "note": note, "needs": list(matched.step.needs)}


def _match_json(match: Match, people: int | None) -> dict[str, Any]:
    product = match.product
    return {
        "product_id": product.product_id,
        "title": product.title,
        "brand": product.brand,
        "kind": product.kind,
        "price_usd": product.price_usd,
        "quantity": quantity_for(product, people),
        "rating": product.rating,
        "intention": match.intention,
        "similarity": round(match.similarity, 4),
        "t2": None if match.t2 is None else round(match.t2, 4),
        "why": match.why,
    }
