# ruff: noqa: E501 - one product or match per line reads best
"""A pipeline of a handful of invented products for the tests of the page; what it does is chosen by a word in the goal."""

import base64
import json
import time
import zlib
from dataclasses import fields, replace
from types import SimpleNamespace
from typing import ClassVar

import numpy as np

from ecomscript.evaluation.report_cards import Level, ReportCard
from ecomscript.events import BundleVerified, Failed, Finished, Planned, ScriptVerified, StepMatched
from ecomscript.schema import Conflict, ConstraintItem, Constraints, Match, MatchedStep, Plan, PlanRequest, Product, Script, Step, Verdict
from ecomscript.ui.border import watch
from ecomscript.verification.suite import Verifiers

HOSTILE = (
    "<img src=x onerror=\"window.__y=1\"> Lantern",
    "${Object.assign(window,{__y:1})} Tent, for two",
    "{{this.title}} \u202eSleeping\u202c Bag' \"quoted\"",
)

_ROWS = [
    ("tent", "Cairnfold Ridgeline 4-Person Tent, 3-Season, Two Doors, Lichen Grey", "Cairnfold", "⛺", 149.0, 4.6, 1184, "Outdoors > Camping > Tents"),
    ("bag", "Tarnhollow Kids Sleeping Bag, 5 °C Comfort, Washable, Fox Print", "Tarnhollow", "🛌", 39.5, 4.4, 820, "Outdoors > Camping > Sleeping"),
    ("mat", "Mossbed Self-Inflating Mat, 5 cm, Quiet Surface, Moss Green", "Mossbed", "🟩", 44.99, 4.2, 96, "Outdoors > Camping > Sleeping"),
    ("lamp", "Wickerlight Rechargeable Camp Lantern, 400 lm, Warm Dimming", "Wickerlight", "🏮", 24.0, 4.7, 15230, "Outdoors > Camping > Lighting"),
    ("stove", "Brandle Two-Burner Gas Stove, Wind Guards, Fold-Flat Legs", "Brandle", "🔥", 79.0, 4.1, 402, "Outdoors > Camping > Cooking"),
    ("stove2", "Kettlewick Alpine Stove, Cold-Weather Regulator, Two Burners", "Kettlewick", "🔥", 84.5, 4.3, 211, "Outdoors > Camping > Cooking"),
    ("pot", "Pallamere Nesting Cook Set for 4, Hard-Anodised, 9 Pieces", "Pallamere", "🍲", 54.25, 4.5, 2310, "Outdoors > Camping > Cooking"),
    ("game", "Lumen & Fig Travel Games Tin, 12 Games, Ages 4 and Up", "Lumen & Fig", "🎲", None, None, 0, "Toys > Games > Travel"),
    ("aid", "Halewick First Aid Kit, 84 Pieces, Child Plasters", "Halewick", "🩹", 18.75, 4.8, 5521, "Health > First aid > Kits"),
]
PRODUCTS = {
    pid: Product(pid, title, brand, kind=pid, category=category, emoji=emoji, price_usd=price, rating=rating, rating_count=count)
    for pid, title, brand, emoji, price, rating, count, category in _ROWS
}
OTHERS = {"tent2": ("tent", "Cairnfold Meadow 4-Person Tent, Green", 119.0, 4.3), "tent3": ("tent", "Tarnhollow Dome Tent, Storm Proof", 144.0, 4.9), "lamp2": ("lamp", "Wickerlight Head Lamp, 200 lm", 31.0, 3.9), "mat2": ("mat", "Mossbed Foam Mat, 1 cm", 19.0, 3.4)}
"""Further products of kinds above: cheaper, better rated, worse and dearer."""
PRODUCTS |= {pid: Product(pid, title, "Fen & Fell", kind=kind, price_usd=price, rating=rating, rating_count=9) for pid, (kind, title, price, rating) in OTHERS.items()}
PRODUCTS |= {f"hostile{i}": Product(f"hostile{i}", title, HOSTILE[i], emoji="💥", price_usd=9.0, page_url="javascript:alert(1)") for i, title in enumerate(HOSTILE)}


def describe(constraints):
    labels = {"budget_usd": lambda v: f"Budget ${v:,.0f}", "people": lambda v: f"{v} people"}
    items = []
    for f in fields(constraints):
        value = getattr(constraints, f.name)
        if isinstance(value, tuple):
            items += [ConstraintItem(f"{f.name}:{m}", f"{f.name}: {m}") for m in value]
        elif value not in (None, False):
            items.append(ConstraintItem(f.name, labels.get(f.name, str)(value)))
    return tuple(items)


def match(pid, similarity, intention, why="Rated highest of those that fit"):
    return Match(PRODUCTS[pid], intention, similarity, why)


STEPS = (
    MatchedStep(Step("s1", "Choose dates and a campsite with the children", buys=False)),
    MatchedStep(
        Step("s2", "Set up a dry place to sleep", needs=("tent", "bag", "mat")),
        (
            match("tent", 0.78, "sleep dry with the whole family on a first camping weekend"),
            match("bag", 0.66, "keep a child warm on a cool night outdoors", "Made for children, in your budget"),
            match("mat", 0.51, "lie softly on rough ground"),
        ),
        "A larger tent was left out: over the budget.",
    ),
    MatchedStep(
        Step("s3", "Cook simple warm meals", needs=("stove", "pot")),
        (match("stove", 0.72, "cook for four at a campsite"), match("pot", 0.58, "cook and eat from one packed set")),
    ),
    MatchedStep(Step("s4", "Rent a canoe for Saturday"), (), "Nothing suitable in this catalogue."),
    MatchedStep(
        Step("s5", "Keep everyone happy and safe after dark", needs=("lamp",)),
        (match("lamp", 0.69, "light a tent softly for children"), match("game", 0.47, "play together on a rainy evening"), match("aid", 0.43, "treat small cuts on a trip")),
    ),
)


LEVELS = (Level("high", 0.7, 150, 0.83), Level("fair", 0.4, 150, 0.6), Level("low", 0.0, 150, 0.2))
CARDS = {
    "t1": ReportCard("t1", "all-MiniLM-L6-v2", 0.56, 0.55, 0.49, 0.61, 0.5, LEVELS),
    "t2": ReportCard("t2", "all-MiniLM-L6-v2", 0.81, 0.884, 0.85, 0.91, 0.52, LEVELS),
    "t3": ReportCard("t3", "all-MiniLM-L6-v2", 0.68, 0.74, 0.69, 0.79, 0.5, LEVELS),
}
"""T1 is weak, the others are not."""
SCORES = {"tent": 0.93, "bag": 0.71, "mat": 0.55, "stove": 0.88, "pot": 0.64, "lamp": 0.97, "game": 0.22}
CONFLICT = Conflict(
    PRODUCTS["stove"].title, PRODUCTS["pot"].title, "The pots are wider than the stove's wind guards.", product_id="stove", swap_id="stove2"
)


def verified_steps():
    """The steps as judged: the first aid kit was not."""
    return tuple(replace(s, matches=tuple(replace(m, t2=SCORES.get(m.product.product_id)) for m in s.matches)) for s in STEPS)


class FakeReviewer:
    """Judges goals with "verified" or "clash" in them; the stove clashes with the pots."""

    verifiers = SimpleNamespace(problems=())

    def __init__(self):
        self.bundles = []

    def script(self, goal, steps):
        asked = "clash" in goal or "verified" in goal
        return Verdict(0.62, "Step 5 usually comes before step 3.", (2, 4)) if asked else None

    def bundle(self, goal, steps, eligibility):
        shown = {m.product.product_id for s in steps for m in s.matches}
        self.bundles.append(shown)
        if "clash" in goal and "stove" in shown:
            return Verdict(0.31, "Two of these may not go together.", (3, 4)), (CONFLICT,)
        return (Verdict(0.86) if "clash" in goal or "verified" in goal else None), ()


NEAR = ("Camp with two children for a weekend", "Pack for a <cruise>", "Go on a day hike")
"""Plans of the library near a goal that says "near"."""


class FakePipeline:
    facts: ClassVar = {"products": 8446, "purchase intentions": 29008}
    own_models = ()
    has_model = False

    def __init__(self, delay_s=0.0):
        self.delay_s = delay_s
        self.requests = []
        self.reviewer = FakeReviewer()

    def product(self, product_id):
        return PRODUCTS.get(product_id)

    def refusal(self, text):
        return ("You don't have to carry this alone. In the US you can call or text 988 at any hour.",) if "refuse" in text else ()

    def place(self, objective, step, product_id):
        product = PRODUCTS.get(product_id)
        return product and Match(product, "cook outdoors", 0.6, "People buy this to cook outdoors.", 0.77)

    def intentions(self, product_id):
        return ("keep dry in the rain", "sleep under the stars", "travel light") if product_id in PRODUCTS else ()

    def rematch(self, goal, objective, text, constraints, taken):
        """Find the products whose id the text says."""
        free = [p for p in self._free(constraints, taken) if p.product_id.strip("0123456789") in text.lower().split()]
        fitting, left = [], constraints.budget_usd
        for p in free[:3]:
            if left is None or (p.price_usd or 0.0) <= left:
                fitting.append(p)
                left = left and left - (p.price_usd or 0.0)
        matches = tuple(Match(p, "do as the step says", 0.6, "People buy this to do as the step says.", 0.7) for p in fitting)
        return MatchedStep(Step("own", text), matches, "" if matches else "Nothing suitable in this catalogue.")

    def refill(self, goal, objective, step, constraints, taken):
        """Find the products whose kind the step needs."""
        found = self.rematch(goal, objective, " ".join(step.needs), constraints, taken)
        return replace(found, step=step)

    def alternatives(self, goal, places, taken):
        return [self._others(place, taken) for place in places]

    def _others(self, place, taken):
        kind = PRODUCTS[place.product_id].kind
        free = [p for p in self._free(place.constraints, taken) if p.product_id != place.product_id and (p.kind == kind or not place.own_kind)]
        found = [Match(p, "do the same", 0.5, "People buy this to do the same.", round((p.rating or 1.0) / 5, 2)) for p in free]
        return sorted(found, key=lambda m: (m.product.kind != kind, -m.t2))[:place.count]

    def _free(self, constraints, taken):
        budget = constraints.budget_usd
        return [p for i, p in PRODUCTS.items() if not i.startswith("hostile") and i not in taken and (budget is None or (p.price_usd or 0.0) <= budget)]

    def stream(self, request, visitor="", own=None, planner=None):
        self.requests.append(request)
        goal = request.goal.lower()
        constraints = Constraints(
            budget_usd=request.budget_usd or (250.0 if "$250" in goal else None), people=request.people, exclude=request.exclude, owned=("cool box",)
        ).without(request.removed)
        for word in ("clarify", "redirect", "refuse"):
            if word in goal:
                yield from self._answer(request, constraints, word)
                return
        if "boom" in goal:
            raise RuntimeError("secret traceback text")
        if "fail" in goal:
            yield Failed("The index folder is damaged. Build it again with make index.", 0.1)
            return
        steps = hostile_steps() if "hostile" in goal else verified_steps() if "clash" in goal or "verified" in goal else STEPS
        objectives = [request.like or NEAR[0], *(other for other in NEAR if other != (request.like or NEAR[0]))]
        near = tuple(objectives[1:]) if "near" in goal else ()
        sure = "assembled" if near and not request.like else "ready"
        script = Script(objectives[0], tuple(s.step for s in steps), "library", sure, near=near)
        questions = ("What does he enjoy most? — cooking and food — sport and travel", "About how much? — under $25") if "dad" in goal else ()
        notices = ("Prices are in US dollars.",)
        delay = 0.6 if "slow" in goal else self.delay_s
        yield Planned("plan", request.goal, constraints, script, notices, questions, 0.05)
        for n, step in enumerate(steps):
            time.sleep(delay)
            yield StepMatched(step, 0.1 * (n + 1))
        script_verdict = self.reviewer.script(goal, steps)
        time.sleep(delay)
        yield ScriptVerified(script_verdict, 0.55)
        bundle_verdict, conflicts = self.reviewer.bundle(goal, steps, None)
        time.sleep(delay)
        yield BundleVerified(bundle_verdict, conflicts, 0.58)
        plan = Plan(request.goal, "plan", constraints, "library", sure, script.objective, steps, script_verdict, bundle_verdict, conflicts, notices=notices, questions=questions, timings_s={"total": 0.6}, near=near)
        yield Finished(plan, 0.6)

    def _answer(self, request, constraints, status):
        notices = {
            "clarify": ("I could not find a goal in that. What would you like to get done?",),
            "redirect": ("I plan shopping; for the weather a forecast service knows more.",),
            "refuse": (
                "I'm really sorry you are feeling this way, and I'm glad you said it. You don't have to carry this alone.",
                "In the US you can call or text 988 at any hour; elsewhere findahelpline.com lists people who listen.",
            ),
        }[status]
        questions = ("Who is it for? — just me — a family",) if "something" in request.goal else ()
        yield Planned(status, request.goal, constraints, None, notices, questions, 0.02)
        yield Finished(Plan(request.goal, status, constraints, notices=notices, questions=questions), 0.02)


def hostile_steps():
    matches = tuple(Match(PRODUCTS[f"hostile{i}"], text, 0.7, text) for i, text in enumerate(HOSTILE))
    return (MatchedStep(Step("h1", HOSTILE[0], note=HOSTILE[1]), matches, HOSTILE[2]),)


UNSURE = Verifiers(
    t2=SimpleNamespace(scores=lambda claims: np.full(len(claims), 0.5)),
    t1=SimpleNamespace(verdicts=lambda claims: [Verdict(0.5) for _ in claims]),
    t3=SimpleNamespace(verdicts=lambda claims, found: [Verdict(0.5) for _ in claims]),
)
"""Verifiers that say one half of everything."""


def packed(whole, version="1"):
    """Return what stands in a link: an object, or any bytes, as somebody could have packed it."""
    text = whole if isinstance(whole, bytes) else json.dumps(whole).encode()
    return f"{version}.{base64.urlsafe_b64encode(zlib.compress(text)).decode().rstrip('=')}"


def views(goal, **fields):
    """What a visitor sees while a goal is planned, one view after each event."""
    return list(watch(FakePipeline(), PlanRequest(goal, **fields), describe))
