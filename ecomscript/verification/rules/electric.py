"""Rules for where electricity comes from: no mains, a vehicle's socket, a country's plugs, what leads, circuits and inverters carry."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ecomscript.verification.rules.attributes import Facts, compiled, tables
from ecomscript.verification.rules.place import names_place
from ecomscript.verification.rules.registry import Finding, against_goal, between, over_bundle

_LETTERS = r"\btypes? ((?:[a-o]\b(?:,? and |,? or |, | ?/ ?| ?\+ ?| ?- ?)?)+)"
_AWG_AMPS = {18: 10, 16: 13, 14: 15, 12: 20, 10: 30, 8: 50, 6: 65, 4: 85, 2: 115}  # the largest breaker for copper
_MM2_AMPS = {0.75: 6, 1.0: 10, 1.5: 16, 2.5: 25, 4.0: 32, 6.0: 45, 10.0: 63, 16.0: 80}
_MAINS_FROM = 100  # volts
_LOW_UP_TO = 60
_ON_FOOT = r"\bbackpacking\b|thru-?hik\w+|wild camp\w*"  # what is done at home before has the mains
_SMALL = r"phone|watch|camera|earbuds|\baaa?\b|nimh|toothbrush|wireless|car battery|tool|drill"  # what such a charger is for


@over_bundle("no mains there")
def _no_mains(goal: Facts, bundle: Sequence[Facts]) -> Iterator[Finding]:
    if not goal.shows("mains missing") or goal.shows("brings power") or any(p.shows("brings power") for p in bundle):
        return
    at_home = r"charg|dehydrat|sealer|vacuum seal" if goal.says(_ON_FOOT) else ""
    for place, product in enumerate(bundle):
        if at_home and (goal.says("dehydrat") or product.says(at_home)):
            continue
        if product.shows("needs mains") and not product.shows("runs without mains"):
            yield Finding(place, None, f"{product.name} needs the mains, but your plan has none there.")


@over_bundle("only low voltage there")
def _only_low_voltage(goal: Facts, bundle: Sequence[Facts]) -> Iterator[Finding]:
    """A vehicle's or boat's 12 or 24 V in the objective against products for the mains alone."""
    if not goal.shows("low voltage source") or goal.shows("mains there", "brings power") or any(p.shows("makes mains") for p in bundle):
        return
    for place, product in enumerate(bundle):
        charged = product.says(r"\bcharger\b") and not goal.says(r"\bonly\b")
        if charged or not product.shows("needs mains") or product.shows("runs without mains", "workshop tool"):
            continue
        if not any(q.high < _LOW_UP_TO for q in product.of("V")):
            yield Finding(place, None, f"{product.name} needs the mains, but your plan has only a low voltage.")


@against_goal("only mains there")
def _only_mains(goal: Facts, product: Facts) -> str | None:
    if not goal.shows("mains there") or goal.shows("low voltage source", "vehicle", "mains missing", "without mains helper"):
        return None
    if not product.shows("vehicle plug") or product.shows("takes mains"):
        return None
    return f"{product.name} plugs into a vehicle's socket, but your plan has the mains."


@against_goal("plug type")
def _plug_type(goal: Facts, product: Facts) -> str | None:
    if not product.shows("has a plug") or product.says(r"universal|worldwide|\bworld\b|usb[- ]type|usb [a-c]\b|all[- ]in[- ]one|multi"):
        return None
    offered = _plugs(product.text)
    text = compiled(r"\bfrom (?:the )?(?:united |new |south )?[a-z]+").sub("", goal.text)
    taken = [set(row["types"]) for row in tables()["plugs"] if names_place(row["places"], text)]
    if not offered or len(taken) != 1 or offered & taken[0]:
        return None
    return f"{product.name} does not fit the sockets there, which are type {' or '.join(sorted(taken[0])).upper()}."


def _plugs(text: str) -> set[str]:
    """Return the letters of the plugs that a title names; of an adapter "from … to …" the far end."""
    _, _, end = text.rpartition(" to ") if compiled(r" to (?:\w+ )?types? [a-o]\b").search(text) else ("", "", text)
    return {letter for match in compiled(_LETTERS).finditer(end) for letter in compiled(r"\b[a-o]\b").findall(match[1])}


@against_goal("power in plan")
def _power_in_plan(goal: Facts, product: Facts) -> str | None:
    """The watts that an objective has or needs against what a product needs or has."""
    stated = [q for q in goal.of("W") if q.bound != "range"]
    if len(stated) != 1:
        return None
    here, watts = stated[0], _sustained(product)
    source = product.shows("power source") or product.says(r"\bups\b|backup supply")
    if here.near(r"# (?:\w+ )?(?:inverter|power station|generator|hook-?up)|inverter of #"):
        uses = product.shows("needs mains") and not source and not product.shows("no consumer", "runs without mains")
        return f"{product.name} needs {watts:g} W, your plan has {here.high:g} W." if uses and watts > here.high else None
    if not source or not here.near(r"# \w|of #|drawing #") or here.near(r"# (?:\w+ )?(?:solar|panel|led|bulb)") or not 0 < watts < here.low:
        return None
    return f"{product.name} gives {watts:g} W, your plan needs {here.low:g} W."


def _sustained(product: Facts) -> float:
    return max((q.high for q in product.of("W") if not q.near(r"peak|surge|equivalent|solar|panel|# pv|per ")), default=0.0)


@between("lead and load")
def _lead(lead: Facts, load: Facts) -> str | None:
    """An extension lead, timer, smart plug or plug-in control against the watts that hang on it."""
    if not lead.shows("mains lead") or not load.shows("heavy load") or load.shows("mains lead", "runs without mains"):
        return None
    limit, watts = _limit(lead), _sustained(load)
    return f"{lead.name} carries {limit:g} W, {load.name} takes {watts:g} W." if 0 < limit < watts else None


def _limit(lead: Facts) -> float:
    """Return the watts that a lead carries, from watts or amperes; 0 when it does not say."""
    watts = max((q.high for q in lead.of("W") if not q.near("usb")), default=0.0)
    amps = [float(a) for a in compiled(r"(?<![\w.])(\d+(?:\.\d+)?) ?a\b").findall(lead.text)]
    volts = next((q.high for q in lead.of("V") if q.high >= _MAINS_FROM), 125.0 if lead.says(r"\bawg\b|nema|gfci") else 240.0)
    return watts or max(amps, default=0.0) * volts


@between("breaker and wire")
def _wire(breaker: Facts, wire: Facts) -> str | None:
    amps = compiled(r"(?<![\w.])(\d+) ?a\b").findall(breaker.text) if breaker.says(r"\bbreaker|\bmcb\b|\brcbo\b") else []
    if not amps or not wire.says(r"\b(?:wire|cable|romex|nm-b|twin and earth|nym|extension)\b") or wire.says(r"breaker|\bmcb\b|\d ?a\b"):
        return None
    gauge = compiled(r"\b(\d{1,2}) ?awg\b|\b(\d{1,2})[-/]\d romex").search(wire.text)
    square = compiled(r"(\d+(?:\.\d+)?) ?mm[2²]").search(wire.text)
    carried = _AWG_AMPS.get(int(gauge[1] or gauge[2])) if gauge else _MM2_AMPS.get(float(square[1])) if square else None
    if carried is None or int(min(amps, key=int)) <= carried:
        return None
    return f"{wire.name} carries {carried} A, {breaker.name} lets {min(amps, key=int)} A through."


@between("charger and laptop")
def _charger(charger: Facts, laptop: Facts) -> str | None:
    if not charger.says(r"\b(?:charger|power bank|power adapter|power supply)\b") or charger.says(rf"{_SMALL}|laptop,"):
        return None
    if not laptop.says(r"\b(?:laptop|notebook|macbook|mobile workstation)\b") or laptop.says(r"charger|stand|bag|sleeve|bank|cable|cooler"):
        return None
    drawn = [q.high for q in laptop.of("W") if q.near(r"charg|adapter|brick|usb|input|supply")]
    gives, needs = _sustained(charger), max(drawn, default=0.0)
    return f"{charger.name} gives {gives:g} W, {laptop.name} needs {needs:g} W." if 0 < gives < 0.6 * needs else None


@against_goal("weak charger")
def _weak_charger(goal: Facts, product: Facts) -> str | None:
    """A phone's charger for a laptop whose watts the objective does not state."""
    if not goal.says(r"\b(?:macbook|laptop|notebook)\b") or not goal.says(r"charg|power|full load") or goal.says(r"phone|tablet|watch"):
        return None
    gives = _sustained(product)
    heavy = goal.says(r"macbook pro|gaming laptop|workstation|1[67][- ]?in")
    if not product.says(r"\b(?:charger|power bank)\b") or product.says(_SMALL) or not 0 < gives < (60 if heavy else 28):
        return None
    return f"{product.name} gives {gives:g} W, which is too little for a laptop."
