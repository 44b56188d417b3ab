"""Inside a kind: which product to show, and which kinds a budget leaves room for."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import zip_longest

import numpy as np

from ecomscript.association.encoder import Vectors
from ecomscript.association.index import IntentionIndex
from ecomscript.quantities import cost_usd
from ecomscript.schema import Constraints, Product
from ecomscript.words import tokens

PRIOR_RATING, PRIOR_COUNT = 4.2, 50
"""A product with few ratings is drawn to the mean, as if it had this many ratings of this value."""
FIT, OWN, WORD_BONUS, NAMED, RATING, POPULARITY, PRICE = 0.6, 0.3, 0.06, 0.3, 0.1, 0.08, 0.12
"""Weights of the cosine to the step, of the cosine between the goal and the intention that this variant alone has, of each word of the
goal in the product, of the share of its kind's name in the title (a plain "tape measure" before a "keychain tape"), of the rating, of its
logarithmic count, and of a price away from the usual one of the kind."""
NOT_FOR_THEM = 0.25
"""Taken off for a variant made for somebody who was not mentioned: children, experts, fewer people."""
UNASKED = 0.5
SHORTLIST, BEST, CHEAPEST = 64, 8, 4
"""Products of one kind that are scored one by one, and how many of those go on: the best, and the cheapest for what a budget may need."""
SPECIAL_WORDS = frozenset(
    "boy girl man woman senior toy tiny mini pocket personal keychain jumbo travel vegan gluten talking braille left refill themed".split()
)
"""Words of variants for a special case; each one that neither goal nor kind says counts against a product."""
SAID_AS = {
    "senior": frozenset("old elderly aging ageing arthritis arthritic grandmother grandma granny grandfather grandpa grandparent".split()),
    "woman": frozenset("wife mother mom mum girlfriend sister daughter aunt grandmother".split()),
    "man": frozenset("husband father dad boyfriend brother son uncle grandfather".split()),
    "girl": frozenset("daughter niece granddaughter sister".split()),
    "boy": frozenset("son nephew grandson brother".split()),
    "travel": frozenset("trip flight fly vacation holiday backpacking suitcase luggage".split()),
}
"""A special case → other words of a goal that ask for it."""
OPPOSITES = tuple(
    pair.split()
    for pair in (
        "low high, hard soft, indoor outdoor, wired wireless, corded cordless, small large, thin thick, narrow wide, hot cold, dry wet, "
        "left right, manual electric, matte glossy, summer winter, man woman, boy girl, disposable reusable, "
        "scented unscented, open enclosed"
    ).split(", ")
)
"""Words of which a variant that says the other one is made for another goal."""
WORDS_OF = {"quiet": ("quiet", "silent", "noiseless"), "small_space": ("compact", "folding", "foldable", "collapsible", "slim")}
"""What titles call a constraint that no attribute knows."""
BUDGET_STEPS = 400
FIT_SHARE = 0.3
"""How much of a met need depends on the fit of its product when a budget forces a choice; the rest is that it is met at all."""
CHILD_YEARS = 13
CHILD_WORDS = frozenset(
    ["baby", "toddler", "child", "kid", "son", "daughter", "boy", "girl", "grandson", "granddaughter", "nephew", "niece", "preschooler"]
)


@dataclass(frozen=True, slots=True)
class Option:
    """A product that may be shown for a need.

    Attributes:
        row: Its row in the index.
        value: How well it fits: cosine to the query plus small bonuses; comparable inside one kind only.
        cost_usd: What so many of it as the people need cost together; 0 when the catalogue has no price.
        t2: P(it helps the step), when a judge was asked.
    """

    row: int
    value: float
    cost_usd: float
    t2: float | None = None


class ProductChooser:
    """Scores the products of a kind for one request: the usual, well-liked one, unless the goal speaks for a special variant.

    Args:
        index: The index.
        goal: The goal as typed; its words ("vegan", "size 15 wide") prefer the variants that carry them.
        goal_vector: (dim,) float32, unit norm: the goal's meaning.
        constraints: For whom and for how many.
    """

    def __init__(self, index: IntentionIndex, goal: str, goal_vector: Vectors, constraints: Constraints) -> None:
        self._index = index
        self._goal_vector = goal_vector
        said = frozenset(tokens(f"{goal} {constraints.season or ''}"))
        asked = {word for name, words in WORDS_OF.items() if getattr(constraints, name) for word in words}
        self._words = said | asked | {case for case, words in SAID_AS.items() if said & words}
        self._contrary = _opposites(said) - self._words
        self._constraints = constraints

    def options(self, kind: str, query: Vectors) -> list[Option]:
        """Return the products of a kind with their fit to a step's query vector, best first."""
        rows = self._shortlist(self._index.products_of_kind[kind], query)
        prices = [price for row in rows if (price := self._index.products[row].price_usd)]
        usual = float(np.median(prices)) if prices else 1.0
        found = [Option(row, self._value(row, query, usual), cost_usd(self._index.products[row], self._constraints.people)) for row in rows]
        return sorted(found, key=lambda o: (-o.value, o.row))

    def _shortlist(self, rows: Sequence[int], query: Vectors) -> Sequence[int]:
        """Return the rows to look at: all of a kind, or of a very large one those nearest to the query."""
        if len(rows) <= SHORTLIST:
            return rows
        cosines = self._index.product_vectors[rows].astype(np.float32) @ query
        return [rows[n] for n in np.sort(np.argpartition(-cosines, SHORTLIST)[:SHORTLIST])]

    def _value(self, row: int, query: Vectors, usual_price: float) -> float:
        product = self._index.products[row]
        own_words = set(tokens(" ".join((product.title, *product.features)))) - set(tokens(product.kind or ""))
        value = FIT * float(self._index.product_vectors[row].astype(np.float32) @ query)
        value += WORD_BONUS * len(own_words & self._words)
        value += RATING * _shrunk_rating(product) + POPULARITY * float(np.log10(1 + product.rating_count))
        value += OWN * self._own_closeness(row) + NAMED * _named(product)
        value -= PRICE * self._price_gap(product, usual_price)
        return value - NOT_FOR_THEM * self._strangeness(product)

    def _own_closeness(self, row: int) -> float:
        """Return the largest cosine between the goal and the intentions that lead to this product alone; 0 without any."""
        index = self._index
        own = [n for n in index.intentions_of_product[row] if len(index.products_of_intention[n]) == 1]
        return float((index.intention_vectors[own] @ self._goal_vector).max()) if own else 0.0

    def _price_gap(self, product: Product, usual_price: float) -> float:
        """Return how far the price is from the usual one, in e-folds; with a budget a lower price is an advantage."""
        gap = float(np.log((product.price_usd or usual_price) / usual_price + 1e-9))
        return gap if gap > 0 or self._constraints.budget_usd is not None else -gap / 2

    def _strangeness(self, product: Product) -> float:
        """Return how far the product is made for others than the goal's people: 0 when it suits."""
        attributes, people = product.attributes, self._constraints.people
        strange = 0.0
        if _for_children(product) and not self._words & CHILD_WORDS and not any(age < CHILD_YEARS for age in self._constraints.ages):
            strange += 1.0
        own_words = set(tokens(product.title)) - set(tokens(product.kind or ""))
        strange += UNASKED * len(SPECIAL_WORDS & own_words - self._words) + bool(self._contrary & own_words)
        if attributes.get("skill") == "advanced" and self._constraints.skill != "advanced":
            strange += 1.0
        capacity = attributes.get("capacity_people")
        if people is not None and isinstance(capacity, int | float) and capacity < people:
            strange += 1.0 - float(capacity) / people
        return strange


def shortened(options: Sequence[Option]) -> list[Option]:
    """Return what of a long list, best first, is worth a closer look: its ``BEST`` first ones and the ``CHEAPEST`` of the others."""
    rest = sorted(options[BEST:], key=lambda o: o.cost_usd)[:CHEAPEST]
    return [*options[:BEST], *(o for o in options[BEST:] if o in rest)]


def in_turn(columns: Sequence[Sequence[int]]) -> list[int]:
    """Return the rows of several kinds: the first one of each, then the second ones, and so on."""
    return [row for turn in zip_longest(*columns) for row in turn if row is not None]


def _opposites(words: Collection[str]) -> frozenset[str]:
    """Return the opposites of words that have one."""
    return frozenset(other for pair in OPPOSITES for word, other in (pair, reversed(pair)) if word in words)


def _named(product: Product) -> float:
    """Return the share of the kind's name that the title says."""
    name = set(tokens(product.kind or ""))
    return len(name & set(tokens(product.title))) / len(name) if name else 0.0


def _for_children(product: Product) -> bool:
    """Return whether a product is a children's variant of a kind that is not theirs alone."""
    oldest = product.attributes.get("age_max")
    young = isinstance(oldest, int | float) and oldest < CHILD_YEARS
    return (young or bool(CHILD_WORDS & set(tokens(product.title)))) and not CHILD_WORDS & set(tokens(product.kind or ""))


def _shrunk_rating(product: Product) -> float:
    if product.rating is None:
        return PRIOR_RATING
    return (product.rating * product.rating_count + PRIOR_RATING * PRIOR_COUNT) / (product.rating_count + PRIOR_COUNT)


def fit_budget(groups: Sequence[Sequence[Option]], importance: Sequence[float], budget_usd: float) -> list[Option | None]:
    """Choose at most one option of each group so that the whole is worth most within the budget.

    A multiple-choice knapsack, exact up to the rounding of each cost to ``1 / BUDGET_STEPS`` of the budget.

    Args:
        groups: Options for each need; may be empty.
        importance: Worth of meeting each need at all.
        budget_usd: Most that all chosen options together may cost.

    Returns:
        The chosen option of each group, None where the need is left out.
    """
    unit = max(budget_usd / BUDGET_STEPS, 0.01)
    room = int(budget_usd / unit + 1e-9)
    best = np.zeros(room + 1)
    chosen: list[np.ndarray] = []
    for options, worth in zip(groups, importance, strict=True):
        top = max((o.value for o in options), default=0.0)
        here, pick = best.copy(), np.full(room + 1, -1)
        for number, option in enumerate(options):
            cost = int(np.ceil(option.cost_usd / unit - 1e-9))
            if cost > room:
                continue
            gain = worth * (1.0 - FIT_SHARE * (top - option.value))
            reached = np.full(room + 1, -np.inf)
            reached[cost:] = best[: room + 1 - cost] + gain
            better = reached > here
            here[better], pick[better] = reached[better], number
        best = here
        chosen.append(pick)
    answer: list[Option | None] = []
    left = room
    for options, pick in zip(reversed(groups), reversed(chosen), strict=True):
        taken = options[pick[left]] if pick[left] >= 0 else None
        answer.append(taken)
        left -= int(np.ceil(taken.cost_usd / unit - 1e-9)) if taken else 0
    return answer[::-1]
