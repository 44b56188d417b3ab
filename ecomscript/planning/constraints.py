"""From a typed goal to ``Constraints``, their chips, and the core of the goal that the search may see."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from ecomscript.planning.budget import read_budget
from ecomscript.planning.numbers import Found, Span
from ecomscript.planning.people import read_ages, read_people
from ecomscript.planning.phrases import read_excluded, read_owned
from ecomscript.planning.situation import country_name, read_situation
from ecomscript.planning.text import load_data, pattern, sentences, tidy
from ecomscript.schema import ConstraintItem, Constraints
from ecomscript.words import tokens, with_article

LONG_GOAL_CHARS = 280  # from here on only sentences that ask for something are kept
STORY_CHARS = 900  # above this much text a sentence must ask for something itself


@dataclass(frozen=True, slots=True)
class _Reading:
    constraints: Constraints
    spans: Mapping[str, tuple[Span, ...]]  # key of the constraint → where the tidy text says it
    budget: Found | None


def read_constraints(goal: str) -> Constraints:
    """Return the constraints that a goal states in words; what is not understood is left alone.

    Never raises; takes a few milliseconds for 10,000 characters.
    """
    return _read(tidy(goal)).constraints


def currency_notice(goal: str) -> str | None:
    """Return a sentence when the budget is in another currency than the prices, else None."""
    found = _read(tidy(goal)).budget
    if found is None or found.currency == "$":
        return None
    return f"Prices are in US dollars; {found.currency}{found.value:g} was taken as ${found.value:g}."


@lru_cache(maxsize=256)
def _read(text: str) -> _Reading:
    people = read_people(text)
    budget = read_budget(text, None if people is None else int(people.value))
    situation = read_situation(text)
    owned, excluded = read_owned(text), read_excluded(text)
    own_words = {" ".join(tokens(thing.phrase)) for thing in owned}
    excluded = tuple(thing for thing in excluded if " ".join(tokens(thing.phrase)) not in own_words)
    constraints = Constraints(
        budget_usd=None if budget is None else round(budget.value, 2),
        people=None if people is None else int(people.value),
        ages=read_ages(text),
        season=situation.season,
        climate=situation.climate,
        diets=situation.diets,
        allergens=situation.allergens,
        owned=tuple(thing.phrase for thing in owned),
        exclude=tuple(thing.phrase for thing in excluded) + ("mains power",) * situation.no_mains,
        country=situation.country,
        voltage=situation.voltage,
        species=situation.species,
        pet_weight_kg=situation.pet_weight_kg,
        small_space=situation.small_space,
        quiet=situation.quiet,
        skill=situation.skill,
        deadline=situation.deadline,
    )
    spans: dict[str, tuple[Span, ...]] = {} if budget is None else {"budget_usd": budget.spans}
    spans |= {f"owned:{thing.phrase}": (thing.span,) for thing in owned if not thing.is_topic}
    spans |= {f"exclude:{thing.phrase}": (thing.span,) for thing in excluded}
    return _Reading(constraints, spans, budget)


_LABELS: Mapping[str, Callable[[object], str]] = {
    "budget_usd": lambda v: f"under ${v:,.0f}" if float(str(v)).is_integer() else f"under ${v:,.2f}",
    "people": lambda v: "for 1 person" if v == 1 else f"for {v} people",
    "ages": lambda v: "for a baby" if str(v) == "0" else f"age {v}",
    "season": lambda v: f"in {v}",
    "climate": lambda v: f"{v} climate",
    "diets": str,
    "allergens": lambda v: f"no {v}" if v in ("fragrance", "nickel", "latex", "wool", "gluten") else f"{v} allergy",
    "owned": lambda v: f"have: {v}",
    "exclude": lambda v: f"no {v}",
    "country": lambda v: f"in {country_name(str(v))}",
    "voltage": lambda v: str(v).replace("v", " V"),
    "species": lambda v: f"for {with_article(str(v))}",
    "pet_weight_kg": lambda v: f"pet of {v:g} kg",
    "small_space": lambda _: "small space",
    "quiet": lambda _: "quiet",
    "skill": lambda v: {"beginner": "for a beginner", "intermediate": "some experience", "advanced": "experienced"}.get(str(v), str(v)),
    "deadline": str,
}


def describe(constraints: Constraints) -> tuple[ConstraintItem, ...]:
    """Return one chip per key of ``constraints.keys()``, with a label such as "under $80" or "have: tent"."""
    items = []
    keys = constraints.keys()
    for key in keys:
        name, _, member = key.partition(":")
        items.append(ConstraintItem(key, _LABELS[name](member if member else getattr(constraints, name))))
    return tuple(items)


def clean_goal(goal: str, constraints: Constraints) -> str:
    """Return the core of a goal for the semantic search.

    Stories, politeness and the phrases behind ``constraints`` (budget, owned, excluded) are taken out, so that "snow day that is
    not sledding" does not search for sledding. A constraint that the person removed keeps its words. When nothing would be left,
    the whole goal is returned.
    """
    text = tidy(goal)
    reading = _read(text)
    active = set(constraints.keys())
    spans = [span for key, where in reading.spans.items() if key in active for span in where]
    kept = [part for part in sentences(_without(text, spans)) if re.search(r"\w{2}", part)]
    core = ". ".join(filter(None, (_plain(part) for part in _without_stories(kept, len(text)))))
    return core if len(re.findall(r"\w{3,}", core)) >= 1 else text


_LEAD = re.compile(
    r"(?:[,:;(-]|\b(?:so|and|but|with|or|because|since|as|plus|rules|strictly|for)\b|&|\s)*"
    r"(?:\b(?:i|we|he|she|they|you|it)\b(?: (?:am|is|are|do not own|really|also|just|so|feel like|all))*[ &]*)?$",
    re.IGNORECASE,
)
_LEFT_OVER = re.compile(r"\s*(?:allowed|needed|required|necessary|anymore|please|yet|either|at all)\b", re.IGNORECASE)
_TAIL = re.compile(
    r"(?:[\s,&]|\b(?:and|or|nor|yet|already|itself|etc|stuff|please|either|at all|anymore)\b)*(?=[.!?;\n)]|$)", re.IGNORECASE
)


def _without(text: str, spans: list[Span]) -> str:
    """Return the text without the spans and without the words that only led to them ("and we …")."""
    merged: list[list[int]] = []
    for start, end in sorted(spans):
        lead = _LEAD.search(text, max(0, start - 60), start)
        first = lead.start() if lead else start
        if merged and first <= merged[-1][1]:
            merged[-1][1] = max(end, merged[-1][1])
        else:
            merged.append([first, end])
    for start, last in reversed(merged):
        end = last
        if left_over := _LEFT_OVER.match(text, end):
            end = left_over.end()
        tail = _TAIL.match(text, end)
        bridge = " " if text[:start].rstrip()[-1:] in ("", ".", "!", "?") else ", "
        text = text[:start] + (text[tail.end() :] if tail else bridge + text[end:].lstrip(" ,"))
    return text


def _without_stories(parts: list[str], length: int) -> list[str]:
    """Return the sentences that ask for something, more strictly the longer the text is; all of them when none asks."""
    data = load_data("chatter.yaml")
    story, request = pattern(*data["story"]), pattern(*data["request"])
    if len(parts) < 2:
        return parts
    if length > STORY_CHARS:
        strong = pattern(*data["strong_request"])
        kept = [" ".join(_asking_clauses(part, strong)) for part in parts if strong.search(part)]
    else:
        kept = [
            part for i, part in enumerate(parts) if request.search(part) or not story.search(part) or (i == 0 and length <= LONG_GOAL_CHARS)
        ]
    return kept or parts


def _asking_clauses(part: str, strong: re.Pattern[str]) -> list[str]:
    """Return the clauses of a sentence from the first to the last that asks for something."""
    clauses = re.split(r"(?<=,) (?=and |but |so |because |which )", part)
    asking = [i for i, clause in enumerate(clauses) if strong.search(clause)]
    return clauses[asking[0] : asking[-1] + 1]


def _plain(part: str) -> str:
    data = load_data("chatter.yaml")
    part = pattern(*data["fillers"]).sub("", part)
    part = re.sub(r"^[\W_]*(?:" + "|".join(data["openings"]) + ")", "", part, flags=re.IGNORECASE)
    part = re.sub(r"\s+([,.!?])", r"\1", part)
    return re.sub(r"(?:,\s*)+,", ",", re.sub(r"\s{2,}", " ", part)).strip(" ,.;:-!")


_PARTNER = r"(?:an? |my |our |the |two |\d )"
_JOINT = re.compile(
    rf"^(?P<head>[^.!?]{{3,60}}?)\bwith (?P<a>{_PARTNER}?[\w -]{{3,40}}?) (?:and|&|plus) (?P<b>{_PARTNER}[\w -]{{3,40}})$", re.IGNORECASE
)
_ALSO = re.compile(r"\s*(?:[.;,]?\s+(?:and also|plus also|as well as|and then also)|[.;]\s*(?:also|plus),?)\s+", re.IGNORECASE)


def goal_parts(goal: str) -> tuple[str, ...]:
    """Return the sub-goals of a goal that joins two ("camping with a baby and a dog"), else the goal alone."""
    text = tidy(goal).rstrip(".!? ")
    if match := _JOINT.match(text):
        return tuple(f"{match['head']}with {match[side]}".strip() for side in "ab")
    halves = [half.strip() for half in _ALSO.split(text) if len(half.split()) >= 2]
    return tuple(halves) if len(halves) == 2 and len(text) < LONG_GOAL_CHARS else (text,)
