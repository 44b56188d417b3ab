"""Rules for a product against where and when an objective is pursued: mains, climate, baggage, tanks, vehicles."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache

from ecomscript.verification.rules.attributes import Facts, compiled, tables, word
from ecomscript.verification.rules.climate import climates, temperatures
from ecomscript.verification.rules.registry import GOAL_RULES, Finding, against_goal, over_bundle

_PLACE = r"\b(?:in|to|near|at|across|around|of|from|for|into|through) (?:\w+ |the |a ){{0,2}}?(?:{places})\b"
_HOME = (
    r"\b(?:{places}) (?:flat|apartment|house|home|kitchen|household|dorm|outages?|hotel|office|sockets?|outlets?|mains|workshop"
    r"|garage|cottage|trip|holiday|stay|visit|school|shop|salon|studio|sockets)\b"
)

_OTHER_CHARGER = r"car battery|wireless|phone|watch|camera|\baaa?\b|nimh|tool|drill"
_OWN_BATTERY = (  # what a system's voltage does not drive
    r"drill|driver|\bsaws?\b|\btools?\b|grinder|sander|trimmer|mower|vacuum|multimeter|tester|detector|\b9 ?v\b|\baaa?\b|usb|phone"
)


@lru_cache(maxsize=1)
def _places() -> dict[int, tuple[str, str]]:
    by_volts = {int(volts): "|".join(names) for volts, names in tables()["mains"].items()}
    return {volts: (_PLACE.format(places=places), _HOME.format(places=places)) for volts, places in by_volts.items()}


def mains_of(goal: Facts) -> int | None:
    """Return the mains voltage (120 or 230) where an objective is pursued; None when it names no country or both kinds."""
    if stated := [q.low for q in goal.of("V") if 100 <= q.low <= 127 or 220 <= q.low <= 240]:
        return 120 if stated[0] < 200 else 230
    text = goal.text
    if trip := compiled(r"\bfrom [\w ]+? to (.+)").search(text):
        text = f"in {trip[1]}"
    found = _mains_named(text)
    if len(found) > 1:
        found = _mains_named(compiled(r"\bfrom (?:the )?\w+").sub("", text))
    return found.pop() if len(found) == 1 else None


def _mains_named(text: str) -> set[int]:
    return {volts for volts, patterns in _places().items() if any(compiled(pattern).search(text) for pattern in patterns)}


def names_place(places: str, text: str) -> bool:
    """Return whether a text says that something is done in, goes to or belongs to one of the places (alternatives of a pattern)."""
    return any(compiled(form.format(places=places)).search(text) for form in (_PLACE, _HOME))


def mains_offered(product: Facts) -> set[int]:
    """Return the mains voltages (120, 230) that a product takes; empty when it does not say or takes none."""
    marked = product.values("voltage")
    if "dual" in marked or product.claims(word("world voltage")):
        return {120, 230} if marked else set()
    said = [q.low for q in product.of("V") if q.bound != "range" or (q.low >= 200) == (q.high >= 200)]
    numbers = [float(n) for value in marked for n in compiled(r"\d+").findall(value)] or said
    return {120 if 100 <= n <= 127 else 230 for n in numbers if 100 <= n <= 127 or 220 <= n <= 240}


@over_bundle("mains voltage")
def _mains_voltage(goal: Facts, bundle: Sequence[Facts]) -> Iterator[Finding]:
    mains = mains_of(goal)
    if mains is None or any(product.shows("makes mains") for product in bundle):
        return
    for place, product in enumerate(bundle):
        offered = mains_offered(product)
        if offered and mains not in offered:
            yield Finding(place, None, f"{product.name} runs on {min(offered)} V, but the mains there have {mains} V.")


@over_bundle("mains plug")
def _mains_plug(goal: Facts, bundle: Sequence[Facts]) -> Iterator[Finding]:
    if any(product.shows("plug helper") for product in bundle):
        return
    for place, product in enumerate(bundle):
        if reason := _foreign_plug(goal, product):
            yield Finding(place, None, reason)


def _foreign_plug(goal: Facts, product: Facts) -> str | None:
    if product.shows("plug helper"):
        return None
    american, european = product.says(r"\b(?:us plug|nema|north american plug)\b"), product.shows("european plug")
    mains = mains_of(goal) if american != european and not goal.says(r"\bcoming from\b") else None
    if mains is None or (mains == 120) == american:
        return None
    return f"{product.name} has a plug that does not fit the sockets there."


GOAL_RULES.append(_foreign_plug)


@against_goal("temperature")
def _temperature(goal: Facts, product: Facts) -> str | None:
    stated = [q for q in temperatures(goal.text) if not q.near(r"wash|oven|bake|water|brew")]
    if not stated:
        return None
    low, high = min(q.low for q in stated), max(q.high for q in stated)
    ratings = [q for q in product.of("degC") if q.high < 60 and q.near(word("ambient"))]
    rating = next((q.low for q in ratings if q.near("comfort")), product.number("temp_min_c"))
    if product.shows("cold gear") and rating is not None:
        return f"{product.name} keeps warm down to {rating:g} °C, but it gets {low:g} °C." if rating > low + 5 else None
    for q in ratings:
        if q.bound == "range" and q.high - q.low >= 3 and (q.low > high + 2 or q.high < low - 2):
            return f"{product.name} works from {q.low:g} to {q.high:g} °C, but it is {low:g} to {high:g} °C there."
        if q.bound == "at least" and q.low > high and product.shows("applied from"):
            return f"{product.name} is applied from {q.low:g} °C on, but it has {high:g} °C there."
    return _too_cold_for(product, low)


def _too_cold_for(product: Facts, low: float) -> str | None:
    """Return what a product that names its lowest temperature says where it gets colder."""
    limits = [q.low for q in product.of("degC") if q.bound != "range" and q.high <= 10 and q.near(word("down to"))]
    if not product.shows("for the cold") or not limits or min(limits) <= low + 3:
        return None
    return f"{product.name} is good down to {min(limits):g} °C, but it gets {low:g} °C."


@against_goal("season")
def _season(goal: Facts, product: Facts) -> str | None:
    comfort = [q.low for q in product.of("degC") if q.near("comfort")]
    there = climates(goal.text)
    if "cold" in there and product.shows("for summer"):
        return f"{product.name} is made for summer, but your plan is for winter."
    indoors = goal.says(r"\bindoors?\b|at home|house|flat\b|apartment|sleepover|guests?\b")
    if "cold" in there and not indoors and product.shows("cold gear") and min(comfort, default=0) >= 6:
        return f"{product.name} is made for mild nights, but your plan is for winter."
    if "hot" in there and (min(comfort, default=0) <= -8 or product.shows("for cold")):
        return f"{product.name} is made for deep cold, but your plan is for the heat."
    return None


@against_goal("indoor only")
def _indoor_only(goal: Facts, product: Facts) -> str | None:
    if not product.shows("indoor grade") or not goal.shows("outdoors") or goal.says(r"\bindoors?|inside|greenhouse"):
        return None
    return f"{product.name} is for indoors only and does not stand rain."


@against_goal("hardiness zone")
def _zone(goal: Facts, product: Facts) -> str | None:
    here, hardy = (compiled(r"\bzones? (\d{1,2})").search(text) for text in (goal.text, product.text))
    if not here or not hardy or int(hardy[1]) <= int(here[1]):
        return None
    return f"{product.name} is hardy from zone {hardy[1]} on and dies in the winter of zone {here[1]}."


@against_goal("tank volume")
def _tank(goal: Facts, product: Facts) -> str | None:
    tanks = [q.low for q in goal.of("l") if q.near(r"# (?:\w+ ){0,2}(?:tank|aquarium)")]
    if len(tanks) != 1 or not product.shows("tank equipment"):
        return None
    volume = tanks[0]
    limits = [q for q in product.of("l") if q.bound in {"range", "at most"} and not q.near(r"per hour|/ ?h\b")]
    limit = next((q for q in limits if q.excludes(volume)), None)
    return f"{product.name} is for {limit}, not for {volume:g} l." if limit else None


@against_goal("cabin baggage")
def _cabin(goal: Facts, product: Facts) -> str | None:
    if not goal.shows("cabin"):
        return None
    if product.shows("not in a cabin") and not product.says(r"bladeless|no blade|plastic|tsa"):
        return f"{product.name} may not fly in cabin baggage."
    large = [q for q in product.of("l") if q.low > 0.1 and q.high <= 5]
    if large and product.shows("liquids") and not product.shows("no liquid"):
        return f"{product.name} holds more than the 100 ml that cabin baggage allows."
    return None


@against_goal("system voltage")
def _system_voltage(goal: Facts, product: Facts) -> str | None:
    """A vehicle's or system's low voltage in the objective against what is connected to it."""
    stated = {q.low for q in goal.of("V") if q.bound == "exact"}
    if len(stated) != 1 or min(stated) not in {6, 12, 24, 36, 48} or product.shows("several voltages") or product.says(r"\d ?/ ?\d+ ?v"):
        return None
    if not product.shows("on system voltage", "vehicle plug") or product.says(_OWN_BATTERY):
        return None
    given = [q for q in product.of("V") if 4 < q.high < 60]
    if not given or any(q.bound == "range" or abs(q.low - min(stated)) <= 0.25 * min(stated) for q in given):
        return None
    return f"{product.name} is for {given[0].low:g} V, but your system has {min(stated):g} V."


@against_goal("charger power")
def _charger_power(goal: Facts, product: Facts) -> str | None:
    needed = max((q.high for q in goal.of("W") if goal.says(r"\blaptop\b")), default=0.0)
    gives = max((q.high for q in product.of("W")), default=0.0)
    if not product.says(r"\bcharger\b") or not 0 < gives < 0.6 * needed or product.says(_OTHER_CHARGER):
        return None
    return f"{product.name} gives {gives:g} W, your laptop needs {needed:g} W."


@against_goal("towing")
def _towing(goal: Facts, product: Facts) -> str | None:
    """What is towed against what a hitch or strap bears."""
    towed = max((q.high for q in goal.of("kg") if goal.says(r"\btow(?:s|ing|ed)?\b")), default=0.0)
    borne = max((q.high for q in product.of("kg")), default=0.0)
    if not product.shows("tow gear") or not 0 < borne < 0.9 * towed or product.says(r"tongue|nose weight|lock|cover|bike"):
        return None
    return f"{product.name} bears {borne:g} kg, but you tow {towed:g} kg."
