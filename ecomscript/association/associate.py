"""From a script to products: needs become kinds, kinds become at most three products a step, all constraints kept."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from ecomscript.association.choose import SHORTLIST, Option, ProductChooser, fit_budget, in_turn, shortened
from ecomscript.association.eligibility import Eligibility, violation
from ecomscript.association.encoder import Encoder, Vectors
from ecomscript.association.index import IntentionIndex
from ecomscript.association.notes import already_have, as_asked, dear_kind, left_out, needs_too, none_fits, uses_from
from ecomscript.association.rank import KindRanker
from ecomscript.learnt import LearntWeights
from ecomscript.schema import PER_STEP, Constraints, Match, MatchedStep, Product, Script, Step

GATE = 0.2
"""Least fitted probability for a kind that no plan of the library names for the step; chosen for precision (``--task threshold``)."""
AGAINST_THE_GOAL = "This step of the plan goes against what you asked: leave it out or adapt it."
SPEAKS_AGAINST = "This step names something that you ruled out: read it with that in mind."
CORE_FIRST = 1.5
"""Exponent on the importance of needs that compete for a budget: above 1, one core item outweighs several trifles of the same price."""
SAME_PURPOSE = 0.45
"""Least cosine between a goal and an intention that may stand for a step of it: the paper's threshold."""
BUYS_NOTHING = 0.4
"""Below this P(needs anything bought) a step gets no product."""


JUDGED = 3
"""Products of a kind that the judge looks at, best first."""
JUDGE_WEIGHT = 0.2
"""Worth of one log-odds of the judge beside the other scores of a product; this and the gate below: ``--task product-precision``."""
JUDGE_DROPS = 0.2
"""A product that helps with less than this probability is left out."""
NONE_LEFT = "all of them are in the plan already or were turned down"
NOT_HELPFUL = "what there is does not seem to help with this step"

OWN_WHY, TRANSFERRED_WHY = "People buy this to {}.", "Things of this kind are bought to {}."
"""The second for a product whose catalogue does not say why people buy it: its intentions were taken over from its kind."""

Judge = Callable[[str, Sequence[tuple[str, Product]]], npt.NDArray[np.float64]]
"""Returns (n,) P(the product helps the step) for a goal and n pairs of step and product: the T2 verifier."""

Unfit = Callable[[str, str, Product], bool]
"""Returns whether a product does not go with a goal, in a step of it: the attribute rules."""


def _all_fit(_goal: str, _step: str, _product: Product) -> bool:
    return False


@dataclass(slots=True)
class _Need:
    """One kind while a plan is being filled.

    Attributes:
        step: Position of the first step that needs it.
        kind: Its name.
        importance: Worth of meeting it, when a budget forces a choice.
        options: The products that may be shown, best first.
        reason: Why there is none, or "".
        later: Positions of other steps that need it.
    """

    step: int
    kind: str
    importance: float
    options: list[Option] = field(default_factory=list)
    reason: str = ""
    later: list[int] = field(default_factory=list)

    def move_out_of(self, steps: set[int]) -> bool:
        """Leave these steps for the first other one that needs the kind; return False when there is none."""
        places = [step for step in (self.step, *self.later) if step not in steps]
        if places:
            self.step, *self.later = places
        return bool(places)


class Associator:
    """Step–intention alignment over an index.

    Args:
        index: Products, intentions and kinds.
        encoder: The encoder of the index.
        weights: What was learnt from the library.
        judge: Asked about the best products of each need; without one the order of the scores stands.
        unfit: Tells the variants of a kind that do not go with the goal: they are shown only where no other can be.
    """

    def __init__(
        self, index: IntentionIndex, encoder: Encoder, weights: LearntWeights, judge: Judge | None = None, unfit: Unfit = _all_fit
    ) -> None:
        self.index = index
        self.judge = judge
        self._unfit = unfit
        self.ranker = KindRanker(index, encoder, weights)

    def shows(self, kind: str, eligibility: Eligibility) -> bool:
        """Return whether something of a kind may be shown: it is not ruled out, and one of its products passes the filter.

        A kind that the catalogue does not have may be needed all the same.
        """
        if eligibility.kind_excluded(kind) is not None:
            return False
        if eligibility.refuses_nothing:
            return True
        rows, products = self.index.products_of_kind.get(kind, []), self.index.products
        shelves = (rows[at : at + SHORTLIST] for at in range(0, len(rows), SHORTLIST))
        return not rows or any(None in eligibility.violations([products[row] for row in shelf]) for shelf in shelves)

    def refusals(
        self, kind: str, query: Vectors, chooser: ProductChooser, eligibility: Eligibility, taken: Collection[str] = ()
    ) -> list[tuple[Option, str | None]]:
        """Return the products of a kind that are not taken, best first, each with why it may not be shown; None where it may.

        What is taken still tells how the products of the kind differ.
        """
        options = chooser.options(kind, query)
        reasons = eligibility.violations([self.index.products[option.row] for option in options])
        return [(o, why) for o, why in zip(options, reasons, strict=True) if self.index.products[o.row].product_id not in taken]

    def match_script(
        self,
        script: Script,
        goal: str,
        constraints: Constraints,
        eligibility: Eligibility,
        taken: Collection[str] = (),
        shown: Collection[str] = (),
    ) -> list[MatchedStep]:
        """Return every step with its products.

        A kind is shown once, in the first step that needs it. When the budget does not reach for everything, the most important needs are
        met first and what is left out is named.

        Args:
            script: The plan.
            goal: The goal as typed.
            constraints: What must be kept.
            eligibility: The hard filter of those constraints.
            taken: Ids of products that may not be shown.
            shown: Kinds of which no product may be shown.
        """
        queries = self.ranker.queries([step.text for step in script.steps], script.objective)
        chooser = ProductChooser(self.index, goal, self.ranker.encode(goal), constraints)
        needs, notes = self._needs(script.steps, script.objective, queries, eligibility)
        for need in needs:
            if need.kind in shown:
                need.reason = NONE_LEFT
            else:
                self._fill(need, queries[need.step], chooser, eligibility, taken)
                need.options = self._fitting(need.options, goal, script.steps[need.step].text)
        against = {need.step for need in needs if not need.options and goes_against(script.steps[need.step].text, constraints)}
        needs = [need for need in needs if need.move_out_of(against)]
        for n in against:
            notes[n] = [AGAINST_THE_GOAL]
        if self.judge is not None:
            at_once = JUDGED if constraints.budget_usd is None else None  # a budget may need any of them
            _judge_options(self.judge, goal, script.steps, needs, self.index.products, at_once)
        chosen = _within_budget(needs, constraints.budget_usd)
        matches: list[list[Match]] = [[] for _ in script.steps]
        for need, option in zip(needs, chosen, strict=True):
            if option is not None:
                matches[need.step].append(self.match(option.row, queries[need.step], option.t2))
        _explain(needs, chosen, constraints.budget_usd, notes)
        if constraints.budget_usd is not None:
            for found, note in zip(matches, notes, strict=True):
                unpriced = [m.product.title for m in found if m.product.price_usd is None]
                note += [f"The budget does not count {title}: its price is unknown." for title in unpriced]
        return [
            MatchedStep(step, tuple(found), " ".join(dict.fromkeys(note)))
            for step, found, note in zip(script.steps, matches, notes, strict=True)
        ]

    def match_one(
        self, step: Step, objective: str, goal: str, constraints: Constraints, taken: Collection[str] = (), shown: Collection[str] = ()
    ) -> MatchedStep:
        """Return one step of a plan with products; the arguments are those of ``match_script``, the budget is what the plan leaves."""
        script = Script(objective, (step,), "person", "weak")
        return self.match_script(script, goal, constraints, Eligibility(constraints, rest=True), taken, shown)[0]

    def match_step(self, objective: str, step: str, count: int = 10) -> list[Match]:
        """Return products for a step that somebody wrote, best first: one of each suitable kind, then the next best of the same kinds."""
        if self.ranker.buys(step) < BUYS_NOTHING:
            return []
        query = self.ranker.queries([step], objective)[0]
        ranked = self.ranker.rank(query, f"{step} {objective}", count)
        chooser = ProductChooser(self.index, f"{objective} {step}", query, Constraints())
        columns = [[option.row for option in chooser.options(kind.name, query)] for kind in ranked]
        found = [(step, self.match(row, query)) for row in in_turn(columns)[:count]]
        return sorted(self.judged(objective, found), key=lambda m: -(m.t2 or 0.0))

    def place(self, objective: str, step: str, row: int) -> Match:
        """Return a product as a match for a step, judged like any other."""
        return self.judged(objective, [(step, self.match(row, self.ranker.queries([step], objective)[0]))])[0]

    def judged(self, goal: str, found: Sequence[tuple[str, Match]]) -> list[Match]:
        """Return matches, each given with its step, with the judge's word on them, all asked about at once; without a judge as they are."""
        if self.judge is None or not found:
            return [match for _, match in found]
        said = self.judge(goal, [(step, match.product) for step, match in found])
        return [replace(match, t2=float(chance)) for (_, match), chance in zip(found, said, strict=True)]

    def match(self, row: int, query: Vectors, t2: float | None = None) -> Match:
        """Return the product with the one of its intentions that is nearest to the query: the reason to show."""
        own = self.index.intentions_of_product[row]
        cosines = self.index.intention_vectors[own] @ query
        best = int(np.argmax(cosines))
        intention = self.index.intentions[own[best]].text
        product = self.index.products[row]
        why = (TRANSFERRED_WHY if product.transferred_from else OWN_WHY).format(intention)
        return Match(product, intention, float(cosines[best]), why, t2)

    def best_intention(self, kind: str, query: Vectors) -> str:
        """Return the purchase intention of a kind's products that is nearest to a query; "" where none is as near as ``SAME_PURPOSE``."""
        own = sorted({int(n) for row in self.index.products_of_kind.get(kind, []) for n in self.index.intentions_of_product[row]})
        if not own:
            return ""
        cosines = self.index.intention_vectors[own] @ query
        best = int(np.argmax(cosines))
        return self.index.intentions[own[best]].text if cosines[best] >= SAME_PURPOSE else ""

    def _needs(
        self, steps: Sequence[Step], objective: str, queries: Vectors, eligibility: Eligibility
    ) -> tuple[list[_Need], list[list[str]]]:
        """Return the kinds to show, each once, and a list of notes for every step."""
        notes: list[list[str]] = [[] for _ in steps]
        need_of: dict[str, _Need] = {}
        for n, step in enumerate(steps):
            if not self._buys(step):
                continue
            named = _still_wanted(_named(step), eligibility, notes[n])
            kinds = [(kind, weight) for kind, weight in named if kind in self.index.products_of_kind]
            unlisted = [kind for kind, _ in named if kind not in self.index.products_of_kind]
            if not kinds and (unlisted or not step.needs):
                ranked = self.ranker.rank(queries[n], f"{step.text} {objective}", PER_STEP)
                kinds = _still_wanted([(kind.name, kind.score) for kind in ranked if kind.score >= GATE], eligibility, notes[n])
                if not kinds:
                    notes[n].append(f"Nothing suitable in this catalogue{' for: ' if unlisted else ''}{', '.join(unlisted)}.")
            elif unlisted:
                notes[n].append(f"Not listed in this catalogue: {', '.join(unlisted)}.")
            for kind, weight in kinds:
                need = need_of.setdefault(kind, _Need(n, kind, weight))
                if need.step != n:
                    need.later.append(n)
        return list(need_of.values()), notes

    def _buys(self, step: Step) -> bool:
        if step.buys is None and not step.needs:
            return self.ranker.buys(step.text) >= BUYS_NOTHING
        return step.buys is not False

    def _fill(self, need: _Need, query: Vectors, chooser: ProductChooser, eligibility: Eligibility, taken: Collection[str]) -> None:
        """Find the eligible products of a need, best first; without any, keep the reason of the best product that was refused."""
        left = self.refusals(need.kind, query, chooser, eligibility, taken)
        need.options = shortened([option for option, reason in left if reason is None])
        need.reason = "" if need.options else str(left[0][1]) if left else NONE_LEFT

    def _fitting(self, options: list[Option], goal: str, step: str) -> list[Option]:
        """Return the options that go with the goal; all of them where none does, or there is no choice."""
        if len(options) < 2:
            return options
        return [o for o in options if not self._unfit(goal, step, self.index.products[o.row])] or options


def _judge_options(
    judge: Judge, goal: str, steps: Sequence[Step], needs: Sequence[_Need], products: Sequence[Product], at_once: int | None
) -> None:
    """Let the judge re-order the options of every need and take out those that do not help.

    All needs share one question about their ``at_once`` best options (None: about all); where none of them helps, the next ones in follow.
    """
    waiting = [(need, need.options) for need in needs if need.options]
    while waiting:
        asked = [(need, option) for need, options in waiting for option in options[:at_once]]
        said = judge(goal, [(steps[need.step].text, products[option.row]) for need, option in asked])
        for need, _ in waiting:
            need.options, need.reason = [], NOT_HELPFUL
        for (need, option), chance in zip(asked, said, strict=True):
            if chance >= JUDGE_DROPS:
                need.options.append(replace(option, value=judged_value(option.value, float(chance)), t2=float(chance)))
        for need, _ in waiting:
            need.options.sort(key=lambda o: (-o.value, o.row))
            need.reason = "" if need.options else NOT_HELPFUL
        waiting = [(need, rest) for need, options in waiting if not need.options and at_once and (rest := options[at_once:])]


def judged_value(value: float, chance: float, weight: float = JUDGE_WEIGHT) -> float:
    """Return the worth of an option with the judge's word on it, the log-odds of ``chance``."""
    return value + weight * float(np.log((chance + 1e-6) / (1 - chance + 1e-6)))


def _named(step: Step) -> list[tuple[str, float]]:
    """Return the kinds that the plan names for a step, at most ``PER_STEP``, with their weights: given, or falling."""
    weights = step.need_weights or tuple(1.0 / (1 + position) for position in range(len(step.needs)))
    return list(zip(step.needs, weights, strict=True))[:PER_STEP]


def _still_wanted(kinds: Sequence[tuple[str, float]], eligibility: Eligibility, notes: list[str]) -> list[tuple[str, float]]:
    """Return the kinds that the person neither has nor excludes, and note the others."""
    wanted = []
    for kind, weight in kinds:
        state = eligibility.kind_excluded(kind)
        if state is None:
            wanted.append((kind, weight))
        else:
            notes.append(already_have(kind) if state == "owned" else as_asked(kind))
    return wanted


def goes_against(step: str, constraints: Constraints) -> bool:
    """Return whether a step itself names what was ruled out ("brown the beef" for a vegetarian); only a hint without a refused need."""
    ruled_out = Constraints(diets=constraints.diets, allergens=constraints.allergens, exclude=constraints.exclude)
    return violation(Product(product_id="", title=step, category="Food"), ruled_out) is not None


def _within_budget(needs: list[_Need], budget_usd: float | None) -> list[Option | None]:
    best = [need.options[0] if need.options else None for need in needs]
    if budget_usd is None or round(sum(o.cost_usd for o in best if o), 2) <= budget_usd:
        return best
    return fit_budget([need.options for need in needs], [need.importance**CORE_FIRST for need in needs], budget_usd)


def _explain(needs: Sequence[_Need], chosen: Sequence[Option | None], budget_usd: float | None, notes: list[list[str]]) -> None:
    """Add to the notes of the steps what became of each need that is not simply shown."""
    too_dear: list[list[str]] = [[] for _ in notes]
    for need, option in zip(needs, chosen, strict=True):
        if option is None and need.options:
            too_dear[need.step].append(dear_kind(need.kind, min(o.cost_usd for o in need.options)))
        elif option is None:
            notes[need.step].append(none_fits(need.kind, need.reason))
        for step in need.later:
            at = need.step + 1
            notes[step].append(uses_from(need.kind, at) if option else needs_too(need.kind, at))
    for note, dear in zip(notes, too_dear, strict=True):
        if dear:
            note.append(left_out(dear, budget_usd or 0.0))
