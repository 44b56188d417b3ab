"""Rules for a product against whom an objective is for: ages, animals, weights, people, diets, sizes, skill."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import lru_cache

from ecomscript.verification.rules.attributes import Facts, Quantity, compiled, tables, word
from ecomscript.verification.rules.people import MONTHS_PER_YEAR, Span, made_for_months
from ecomscript.verification.rules.registry import Finding, against_goal, over_bundle

_LISTED = (
    r"[\w' ,-]+?(?=$|[.;:(]| (?:but|who|which|that|on|in|at|for|with|after|from|over|under|while|when"
    r"|during|because|as|eats?|likes?|loves?)\b)"
)


@against_goal("too young")
def _too_young(goal: Facts, product: Facts) -> str | None:
    if goal.child_months is None:
        return None
    for row in tables()["too_young"]:
        asked = goal.child_months.high < row["below"] and goal.says(row.get("when", ""))
        if "hands" in row and not _child_does(goal, product):
            continue
        if asked and product.says(row["holds"]) and not ("unless" in row and product.claims(row["unless"])):
            return f"{product.name} does not suit the child's age: {row['why']}."
    return None


def _child_does(goal: Facts, product: Facts) -> bool:
    """Return whether the child itself does something in an objective, old enough to handle what grown-ups use beside a baby."""
    old_enough = goal.child_months is not None and goal.child_months.low >= 18
    return old_enough and goal.shows("child does") and not compiled(word("not the child's")).search(product.step)


@against_goal("too old")
def _too_old(goal: Facts, product: Facts) -> str | None:
    grown_up = _is_grown_up(goal)
    for row in tables()["too_old"]:
        old = grown_up or (goal.child_months is not None and goal.child_months.low >= row["above"])
        asked = old and goal.says(row.get("when", ""))
        if asked and product.says(row["holds"]) and not ("unless" in row and product.claims(row["unless"])):
            return f"{product.name} does not suit the user's age: {row['why']}."
    return None


def _is_grown_up(goal: Facts) -> bool:
    """Return whether an objective is for grown-ups alone."""
    if goal.child_months is not None or _animals_in(goal):
        return False
    return goal.says(tables()["grown up"]) and not goal.says(tables()["not grown up"])


@against_goal("age range")
def _age_range(goal: Facts, product: Facts) -> str | None:
    child, made_for = goal.child_months, product.made_for_months
    if child is None or made_for is None or product.shows("no age mark"):
        return None
    if made_for.high == math.inf and "age_min" in product.attributes and not product.shows("for children"):
        return None
    said = made_for_months(product.text) is not None
    if not said and product.shows("kept as one grows"):
        return None
    slack = MONTHS_PER_YEAR if made_for.low >= 4 * MONTHS_PER_YEAR else 1
    if made_for.low > child.high + (slack if said else max(2.0 * slack, made_for.low / 2)):
        return f"{product.name} is made for children from {_age(made_for.low)}, the child is {_age(child.high)} old."
    tight = said and (made_for.high < 6 * MONTHS_PER_YEAR or product.shows("worn by size"))
    grown = MONTHS_PER_YEAR * (1 if tight else 2)
    if made_for.high + grown <= child.low:
        return f"{product.name} is made for children up to {_age(made_for.high)}, the child is {_age(child.low)} old."
    return None


def _age(months: float) -> str:
    if months < 3 * MONTHS_PER_YEAR and months % MONTHS_PER_YEAR:
        return f"{round(months)} month{'' if round(months) == 1 else 's'}"
    return f"{round(months / MONTHS_PER_YEAR)} year{'' if months == MONTHS_PER_YEAR else 's'}"


@against_goal("child's height")
def _height(goal: Facts, product: Facts) -> str | None:
    ranges = [q for q in product.of("cm") if q.bound == "range" and q.high - q.low >= 8 and q.high > 60]
    child = _child_height_cm(goal)
    if child is None or len(ranges) != 1 or not product.shows("child seat"):
        return None
    if child.misses(Span(ranges[0].low, ranges[0].high)):
        return f"{product.name} is for {ranges[0].low:g} to {ranges[0].high:g} cm, which is not the child's height."
    return None


@against_goal("child's build")
def _build(goal: Facts, product: Facts) -> str | None:
    """Weights, girths of the head and clothes sizes that a product is made for against what is usual at the child's age."""
    if product.shows("not the child's") or compiled(word("not the child's")).search(product.step):
        return None
    fits = [q for q in product.of("kg") if q.bound == "range" or (q.bound == "at least" and q.low >= 25)]
    kg = _at_age(goal, "child_kg") if not goal.of("kg") else None
    if kg and len(fits) == 1 and product.shows("worn by weight") and kg.misses(Span(fits[0].low, max(fits[0].high, _open_end(fits[0])))):
        return f"{product.name} is for {fits[0]}, which is not the child's weight."
    girths = [q for q in product.of("cm") if q.bound == "range" and 38 <= q.low < q.high <= 66]
    head = _at_age(goal, "child_head_cm")
    if head and len(girths) == 1 and product.shows("headgear") and head.misses(Span(girths[0].low, girths[0].high)):
        return f"{product.name} is for heads of {girths[0].low:g} to {girths[0].high:g} cm, which is not the child's."
    size = compiled(r"\bsize (\d{2,3})(?:/\d+)?\b").search(product.text)
    tall = _child_height_cm(goal)
    if size and tall and product.shows("clothes") and 50 <= int(size[1]) <= 176 and Span(int(size[1]) - 10, int(size[1]) + 7).misses(tall):
        return f"{product.name} is for a child of {size[1]} cm, which is not the child's height."
    return None


def _open_end(q: Quantity) -> float:
    return math.inf if q.bound == "at least" else q.high


def _at_age(goal: Facts, table: str) -> Span | None:
    """Return what is usual at the age of the one child whose age an objective names."""
    if goal.child_months is None or goal.child_months.low != goal.child_months.high:
        return None
    at = [row for row in tables()[table] if row["from"] <= goal.child_months.low]
    return Span(at[-1]["low"], at[-1]["high"]) if at else None


def _child_height_cm(goal: Facts) -> Span | None:
    """Return the child's height as stated, else what is usual at its age (WHO growth standards, 3rd to 97th percentile, rounded out)."""
    if tall := [q for q in goal.of("cm") if q.near(r"# tall|height|measures|old of|and #")]:
        return Span(tall[0].low, tall[0].high)
    return _at_age(goal, "child_height_cm")


def _animals_in(text: Facts, template: str = "{}") -> set[str]:
    return {name for name, row in tables()["animals"].items() if text.says(template.replace("{}", row["says"]))}


@against_goal("animal")
def _animal(goal: Facts, product: Facts) -> str | None:
    wanted = _animals_in(goal)
    if not wanted:
        return None
    made_for = _animals_in(product, tables()["animal_products"])
    alike = {other for name in wanted for other in tables()["animals"][name].get("like", ())} | wanted
    if not wanted & {"dog", "cat"} and product.shows("serves any animal"):
        return None
    if not made_for or (made_for | _animals_in(product) | set(product.values("species"))) & alike:
        return None
    said = next(match[0] for name in sorted(wanted) if (match := compiled(tables()["animals"][name]["says"]).search(goal.text)))
    return f"{product.name} is made for {_one(min(made_for))}, your plan has {said}."


def _one(animal: str) -> str:
    if animal in {"cattle", "sheep"}:
        return animal
    return f"{'an' if animal[0] in 'aeiou' else 'a'} {animal}"


@against_goal("animal's weight")
def _animal_weight(goal: Facts, product: Facts) -> str | None:
    weights = [q for q in goal.of("kg") if q.bound == "exact"]
    if len(weights) != 1 or not _animals_in(goal):
        return None
    weight = weights[0].low
    if (most := product.number("pet_weight_max_kg")) is not None and most < weight:
        return f"{product.name} takes animals up to {most:g} kg, yours weighs {weight:g} kg."
    if weight >= 20 and product.shows("tiny animal size"):
        return f"{product.name} is far too small for {weight:g} kg."
    if not product.shows("animal size matters"):
        return None
    limit = next((q for q in product.of("kg") if q.excludes(weight) and not q.near(r"weighs|breaking|pull")), None)
    return f"{product.name} is for {limit}, not for {weight:g} kg." if limit else None


@against_goal("user's weight")
def _user_weight(goal: Facts, product: Facts) -> str | None:
    if _animals_in(goal):
        return None
    weights = [q.high for q in goal.of("kg") if q.bound == "exact" and q.near(word("weighs"))]
    if len(weights) != 1 or product.shows("no body weight"):
        return None
    weight = weights[0]
    for q in product.of("kg"):
        carries = q.near(word("carrying cue")) or (q.bound == "range" and q.high < 6 * q.low)
        capped = q.near(word("user limit")) and q.high < weight
        if q.high >= 10 and carries and (capped or q.excludes(weight)) and not q.near(word("not a body load")):
            return f"{product.name} is for {q}, not for {weight:g} kg."
    most = product.number("max_load_kg")
    seats = product.shows("carries a person")
    return f"{product.name} takes up to {most:g} kg, not {weight:g} kg." if most is not None and seats and most < weight else None


@over_bundle("people")
def _people(goal: Facts, bundle: Sequence[Facts]) -> Iterator[Finding]:
    if goal.people is None:
        return
    afloat = goal.says(tables()["afloat"])
    sharing = [
        (place, p.capacity or int(p.number("capacity_people") or 0))
        for place, p in enumerate(bundle)
        if _is_named(p, "shared") and not _is_named(p, "shared_unless") and (afloat or not _is_named(p, "boats"))
    ]
    room = sum(persons * bundle[place].pack * bundle[place].quantity for place, persons in sharing)
    if sharing and all(persons for _, persons in sharing) and room < goal.people:
        place, persons = sharing[0]
        yield Finding(place, None, f"{bundle[place].name} takes {persons}, but you are {goal.people}.")


def _is_named(product: Facts, table: str) -> bool:
    """Return whether the head of the title is in a table; what comes with it ("with cover and pump") does not count."""
    return compiled(tables()[table]).search(product.name.lower()) is not None


@against_goal("life stage")
def _life_stage(goal: Facts, product: Facts) -> str | None:
    young = goal.shows("young animal")
    old = not young and goal.shows("old animal")
    if not product.shows("animal food"):
        return None
    if young and product.shows("for old animals"):
        return f"{product.name} is made for old animals, yours is young."
    if old and product.shows("for young animals"):
        return f"{product.name} is made for young animals, yours is old."
    return None


@against_goal("diet")
def _diet(goal: Facts, product: Facts) -> str | None:
    if product.shows("not eaten") or goal.shows("mixed table"):
        return None
    for diet in _diets_of(goal.text):
        row = tables()["diets"][diet]
        if product.claims(row["unless"]) or ("touch" not in row and product.shows("not food")):
            continue
        if word := _held(product.text, row["holds"]):
            return f"{product.name} contains {word}, which does not go with {diet.replace('-', ' ')} in your plan."
    return None


@against_goal("allergy")
def _allergy(goal: Facts, product: Facts) -> str | None:
    if product.shows("not eaten") or goal.shows("mixed table"):
        return None
    for name, words in _avoided(goal.text):
        if not product.claims(rf"\b{name}e?s?[- ]free|\bhydroly[sz]ed\b") and (word := _held(product.text, words)):
            return f"{product.name} contains {word}, which your plan has to avoid."
    return None


@lru_cache(maxsize=4096)
def _avoided(goal: str) -> tuple[tuple[str, str], ...]:
    """Return what an objective says that somebody must not have, each with the words that hold it."""
    asked = compiled(word("denied allergy")).sub(" ", goal)
    known = tables()["allergens"]
    before = compiled(rf"((?:[\w'-]+,? ){{1,4}})(?:\(([\w'-]+)\) )?{tables()['avoided']}\b(?! to\b)").finditer(asked)
    hyphen = compiled(r"\b([a-z]+(?:-[a-z]+)?)-(?:allergic|intolerant)\b").finditer(asked)
    after = compiled(rf"\b(?:{tables()['avoids']}) ({_LISTED})").finditer(asked)
    shunned = compiled(rf"\b(?:{tables()['shuns']}) ({_LISTED})").finditer(asked)
    named = [n for match in (*before, *hyphen, *after) for part in match.groups() if part for n in _names(part)]
    named += [n for match in shunned for n in _names(match[1]) if n in known]
    return tuple((name, known.get(name, rf"{name}(?:e?s)?")) for name in dict.fromkeys(named) if known.get(name, name))


def _names(listed: str) -> Iterator[str]:
    """Yield the things of a list ("soy and lentils") in the singular, as the table of allergens has them."""
    known = tables()["allergens"]
    last = compiled(rf"(?:^|.*\s)(?:{tables()['no allergen']})(?=\s|$)")
    for part in compiled(r",|\b(?:and|or|nor)\b").split(listed):
        words = last.sub("", part.strip()).split()[-2:]
        names = [_singular(" ".join(words[start:])) for start in range(len(words))]
        yield from [name for name in (*names, *map(_singular, words)) if name in known] or names[:1]


def _singular(word: str) -> str:
    for plural, single in (("algae", "alga"), ("citrus", "citrus"), ("berries", "berry"), ("cherries", "cherry")):
        if word.endswith(plural):
            return word.removesuffix(plural) + single
    return compiled(r"(?<=\w{2}[^s])s$").sub("", compiled(r"(?<=tomato|potato)es$").sub("", word))


@lru_cache(maxsize=4096)
def _diets_of(goal: str) -> tuple[str, ...]:
    asked = compiled(word("denied allergy")).sub(" ", goal)
    diets = tables()["diets"].items()
    return tuple(name for name, row in diets if compiled(row["says"]).search(asked) and compiled(row.get("when", "")).search(asked))


def _held(text: str, words: str) -> str | None:
    """Return the first held word that names a substance: not denied before it, no tool after it."""
    for match in compiled(rf"\b(?:{words})(?![\w])(?![ -](?:{tables()['tools']})\b)").finditer(text):
        if not compiled(tables()["denials"]).search(text[: match.start()]):
            return match[0]
    return None


@against_goal("shoe size")
def _shoe_size(goal: Facts, product: Facts) -> str | None:
    wanted, given = shoe_sizes(goal), shoe_sizes(product)
    if wanted is None or given is None or wanted.low != wanted.high or not product.shows("footwear"):
        return None
    far = Span(given.low - 0.5, given.high + 0.5).misses(wanted)
    sizes = f"{given.low:g}" if given.low == given.high else f"{given.low:g} to {given.high:g}"
    return f"{product.name} has size EU {sizes}, not EU {wanted.low:g}." if far else None


def shoe_sizes(facts: Facts) -> Span | None:
    """Return the EU shoe sizes that a text names, as a range; None when it names none."""
    match = compiled(r"\beu (\d\d(?:\.5)?)(?: ?(?:-|to) ?(\d\d(?:\.5)?))?\b").search(facts.text)
    if not match or not 16 <= float(match[1]) <= 50:
        return None
    return Span(float(match[1]), float(match[2] or match[1]))


@against_goal("skill")
def _skill(goal: Facts, product: Facts) -> str | None:
    if not goal.shows("beginner goal"):
        return None
    if not product.shows("expert") or product.claims("beginner"):
        return None
    return f"{product.name} is made for advanced users, but your plan is a beginner's."
