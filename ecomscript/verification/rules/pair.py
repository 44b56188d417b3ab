"""Rules for two products of one bundle: voltage, power, load, cells, sizes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ecomscript.verification.rules.attributes import Facts, Quantity, compiled, tables, word
from ecomscript.verification.rules.person import shoe_sizes
from ecomscript.verification.rules.place import mains_of
from ecomscript.verification.rules.registry import Finding, between, over_bundle

_BATTERY_VOLTS = {12.8: 12, 13.2: 12, 13.8: 12, 14.4: 12, 14.6: 12, 25.6: 24, 29.2: 24, 51.2: 48, 54.6: 48, 42.0: 36, 36.5: 36}
_MAINS_VOLTS = {110: 120, 115: 120, 125: 120, 127: 120, 220: 230, 240: 230}
_NOMINAL = _BATTERY_VOLTS | _MAINS_VOLTS  # as printed on charged cells and chargers, and the same mains under its older names
_HIGHEST_V = 400  # three-phase mains; what is above is an insulation rating
_VOLTS = r"(\d+(?:\.\d+)?) ?v"
_TWO_VOLTAGES = r"\d ?(?:v )?/ ?\d+ ?v"
_WAYS = rf"{_VOLTS}(?: dc| ac)?(?: car socket)? to {_VOLTS}"


def _nominal(volts: str) -> float:
    return _NOMINAL.get(float(volts), float(volts))


def _volts(product: Facts) -> frozenset[float]:
    """Return the voltages in a title as nominal values; nothing for a range ("100-240 V")."""
    return frozenset(_nominal(str(q.low)) for q in product.of("V") if q.bound == "exact" and q.low > 4)


def _output(product: Facts) -> frozenset[float]:
    text = product.text
    if match := compiled(_WAYS).search(text):
        return frozenset({_nominal(match[2])})
    marked = compiled(rf"(?:output|out|outlets) {_VOLTS}|{_VOLTS}(?: dc| ac)? (?:output|outlets)").search(text)
    if marked:
        return frozenset({_nominal(marked[1] or marked[2])})
    inputs = _input(product) if compiled(r"\binput\b|\d v in\b").search(text) else frozenset()
    return _volts(product) - inputs


def _input(product: Facts) -> frozenset[float]:
    text = product.text
    if match := compiled(_WAYS).search(text):
        return frozenset({_nominal(match[1])})
    if marked := compiled(rf"(?:input) {_VOLTS}|{_VOLTS}(?: dc| ac)? (?:input|in,)").search(text):
        return frozenset({_nominal(marked[1] or marked[2])})
    return frozenset() if product.shows("supply") and "output" in text else _volts(product)


@over_bundle("supply voltage")
def _supply_voltage(goal: Facts, bundle: Sequence[Facts]) -> Iterator[Finding]:
    sources = [(place, _output(product)) for place, product in enumerate(bundle) if _is_fixed_supply(product)]
    for place, product in enumerate(bundle):
        over_ethernet = product.says(r"\bpoe\b|power over ethernet")
        if (not over_ethernet and product.shows("supply", "battery", "cordless", "own supply")) or product.says(_TWO_VOLTAGES):
            continue
        wanted = frozenset(volts for volts in _volts(product) if volts <= _HIGHEST_V) - {mains_of(goal)}
        spans = [q for q in product.of("V") if q.bound == "range"]
        wanted |= frozenset(_nominal(str(volts)) for q in spans for volts in (q.low, q.high))
        offered = [(source, volts) for source, volts in sources if source != place and volts and wanted and _same_class(volts, wanted)]
        if offered and not any(_near(wanted, volts) or _within(volts, spans) for _, volts in offered):
            source, volts = offered[0]
            yield Finding(source, place, f"{bundle[source].name} gives {_list(volts)} V, {product.name} needs {_list(wanted)} V.")


def _is_fixed_supply(product: Facts) -> bool:
    """Return whether a product gives one voltage only; a USB charger does where it says 5 V and nothing of power delivery."""
    plain_usb = product.says(r"\b5 ?v\b") and not product.says(r"\bpd\b|power delivery|quick charge|gan\b|[/,] ?9 ?v")
    if product.says("usb") and not plain_usb:
        return False
    return product.shows("supply", "fixed source") and not product.says(r"\d ?s\b.*charger|adjustable|variable|strip")


def _within(offered: frozenset[float], spans: Sequence[Quantity]) -> bool:
    return any(0.85 * q.low <= volts <= 1.15 * q.high for volts in offered for q in spans)


def _same_class(one: frozenset[float], other: frozenset[float]) -> bool:
    """Return whether both are low voltages or both are mains; a lamp for 230 V is not meant for the 12 V supply beside it."""
    return len({volts < 60 for volts in one | other}) == 1


def _near(one: frozenset[float], other: frozenset[float]) -> bool:
    return any(abs(a - b) <= 0.15 * b for a in one for b in other)


def _list(volts: frozenset[float]) -> str:
    return " / ".join(f"{v:g}" for v in sorted(volts))


@between("battery voltage")
def _battery_voltage(battery: Facts, partner: Facts) -> str | None:
    """A battery against what is charged from it or charges it."""
    if not battery.shows("battery") or battery.shows("cordless", "no battery") or battery.pack > 1:
        return None
    charged = partner.shows("on a battery") and not partner.shows("cordless", "own battery")
    if not charged and not partner.shows("wants a battery"):
        return None
    takes = _volts(partner) if partner.says("charger") and not partner.says("inverter") else _input(partner)
    held, takes = frozenset(v for v in _volts(battery) if v < 60), frozenset(v for v in takes if v < 60)
    if partner.says(r"\b(?:no|without) batter"):
        held, takes = (frozenset(q.low for q in side.of("V") if q.bound == "exact" and 3 < q.low < 60) for side in (battery, partner))
    spans = any(q.bound == "range" for q in partner.of("V")) and not partner.says(_WAYS)
    if not held or not takes or held & takes or spans or partner.says(_TWO_VOLTAGES):
        return None
    return f"{battery.name} has {_list(held)} V, {partner.name} is for {_list(takes)} V."


@between("battery cells")
def _cells(battery: Facts, partner: Facts) -> str | None:
    pattern = r"(?<![\w.])(\d{1,2})(?:-(\d{1,2}))?s\b"
    cells, limits = compiled(pattern).search(battery.text), compiled(pattern).search(partner.text)
    if not battery.says(r"\b(?:lipo|battery|li-ion|lithium)\b") or battery.says("charger") or not partner.shows("takes cells"):
        return None
    if not cells or not limits or int(limits[1]) <= int(cells[1]) <= int(limits[2] or limits[1]):
        return None
    return f"{battery.name} has {cells[1]} cells, {partner.name} takes {limits[0].removesuffix('s')}."


def _watts(product: Facts) -> float:
    """Return the largest sustained power in a title, 0 when it does not say."""
    plain = [q for q in product.of("W") if not q.near(word("no sustained power"))]
    stated = [q.high for q in plain if q.near(word("stated power"))] or [q.high for q in plain]
    return max(stated, default=0.0)


@over_bundle("power")
def _power(goal: Facts, bundle: Sequence[Facts]) -> Iterator[Finding]:
    for first, source in enumerate(bundle):
        if source.says(r"power station|generator") and not goal.shows("no mains") and not goal.says(r"power station|generator|\bsite\b"):
            continue
        for second, product in enumerate(bundle):
            if first != second and (reason := _too_weak(source, product)):
                yield Finding(first, second, reason)


def _too_weak(source: Facts, product: Facts) -> str | None:
    if product.shows("burns fuel") or (product.says("stove") and not product.says("electric|induction")):
        return None
    if product.shows("supply", "battery", "no consumer") or not (source.shows("power source") or source.says(r"\bups\b")):
        return None
    gives, takes = _watts(source), _watts(product)
    card = product.says(r"graphics card|\brtx\b|\bgpu\b")
    if card != source.says(r"\b(?:atx|sfx|tfx|80 plus)\b") or not gives or not takes:
        return None
    needed = takes + 150 if card else takes
    if gives >= needed or (not card and source.shows("fixed supply") and not _same_volts(source, product)):
        return None
    return f"{source.name} gives {gives:g} W, {product.name} needs {takes:g} W{' besides the rest of the computer' if card else ''}."


def _same_volts(source: Facts, product: Facts) -> bool:
    return bool(_output(source) & _volts(product))


@between("load")
def _load(carrier: Facts, load: Facts) -> str | None:
    for row in tables()["loads"]:
        if not carrier.says(row["carries"]) or not load.says(row["load"]) or carrier.says(row["load"]) or load.says(row["carries"]):
            continue
        if carrier.says(r"music|laptop|boom|microphone") or load.says(r"\bcart\b|trailer"):
            continue
        limits = [q.high for q in carrier.of("kg") if q.bound == "at most" or q.near(r"load|holds|carries|capacity|payload")]
        limit = max(limits, default=carrier.number("max_load_kg") or 0.0)
        weights = [q.high for q in load.of("kg") if q.bound == "exact" and not q.near(word("not own weight"))]
        weight = load.number("weight_kg") or max(weights, default=0.0)
        if 0 < limit < weight:
            return f"{carrier.name} holds {limit:g} kg, {load.name} weighs {weight:g} kg."
    return None


@between("yarn and needles")
def _yarn_and_needles(yarn: Facts, needles: Facts) -> str | None:
    if not yarn.says(r"\byarn|skein|wool\b") or not needles.shows("needles") or needles.says("kit|set of|yarn"):
        return None
    sizes = [q.low * 10 for q in needles.of("cm") if q.bound == "exact" and 1 <= q.low * 10 <= 30]
    row = next((row for row in tables()["needles_mm"] if yarn.says(row["says"])), None)
    if row is None or len(sizes) != 1 or row["low"] <= sizes[0] <= row["high"]:
        return None
    return f"{yarn.name} is not knitted on {sizes[0]:g} mm ({needles.name})."


_PART = (
    r"\b(?:filters?|cartridges?|toner|ink|bags?|blades?|heads?|batter(?:y|ies)|refills?|pads?|brush(?:es)?|cases?|covers?|sleeves?"
    r"|protectors?|belts?|drum|straps?|replacement|spare|chargers?)\b"
)
_FOR_MODEL = (
    r"\bfor (?:the |original )?([a-z][a-z-]{3,}) ([a-z]{0,3}-?\d[\w-]*)"
    r"(?! ?(?:mm|cm|m|kg|g|l|ml|inch|in|litres?|pieces|persons?|years?|months?|%|°))\b"
)
_NO_MODEL = r"size|sizes|about|over|under|approx|level|zones?|ages?|aged|children|group|step|with|rooms?|between|around|another|grit"


@between("model")
def _model(part: Facts, device: Facts) -> str | None:
    """A part "for Brand P150" against a device of that brand with another model number."""
    named = compiled(_FOR_MODEL).search(part.text) if part.says(_PART) else None
    if named is None or compiled(_NO_MODEL).fullmatch(named[1]) or device.says(rf"\bfor (?:\w+ )?{named[1]}\b"):
        return None
    models = [match[1] for match in compiled(rf"\b{named[1]} ([a-z]{{0,3}}-?\d[\w-]*)").finditer(device.text)]
    models = [model for model in models if _shape(model) == _shape(named[2])]  # "55-300mm" beside "D50" is no model
    if not models or any(compiled(rf"(?<![\w.]){model}(?![\w.])").search(part.text) for model in models):
        return None
    return f"{part.name} is made for {named[1].capitalize()} {named[2].upper()}, {device.name} is another model."


def _shape(model: str) -> str:
    return compiled(r"\d+").sub("0", model)


_VESSEL = r"\b(?:jars?|tumblers?|bowls?|glass|tins?|vessel|moulds?|cups?)\b"
_FOR_VESSEL = r"for #|# (?:\w+ )?(?:jars?|containers?|tumblers?|tins?|tea ?lights?)"


@between("wick and vessel")
def _wick(wick: Facts, vessel: Facts) -> str | None:
    if not wick.says(r"\bwicks?\b") or vessel.says(r"\bwicks?\b") or not vessel.says(_VESSEL):
        return None
    made_for = [q for q in wick.of("cm") if q.bound == "range" and q.near(_FOR_VESSEL)]
    widths = [q.low for q in vessel.of("cm") if q.bound == "exact" and q.near(r"# (?:wide|diameter|across|ø)|diameter(?: of)? #")]
    fits = made_for[0] if len(made_for) == 1 and len(widths) == 1 else None
    if fits is None or 0.85 * fits.low <= widths[0] <= 1.2 * fits.high:
        return None
    return f"{wick.name} is made for vessels of {fits.low:g} to {fits.high:g} cm, {vessel.name} measures {widths[0]:g} cm."


@between("boots and bindings")
def _boot_size(boots: Facts, fitted: Facts) -> str | None:
    if not boots.says(r"\bboots\b") or boots.says(r"bindings?|crampons") or not fitted.shows("fits boots"):
        return None
    size, fits = shoe_sizes(boots), shoe_sizes(fitted)
    if size is None or fits is None or fits.low == fits.high or not size.misses(fits):
        return None
    return f"{fitted.name} fits EU {fits.low:g} to {fits.high:g}, {boots.name} has EU {size.low:g}."


@over_bundle("pan and hob")
def _pan_and_hob(goal: Facts, bundle: Sequence[Facts]) -> Iterator[Finding]:
    hob = next((place for place, product in enumerate(bundle) if product.shows("hob") and not product.shows("pan", "adapter")), None)
    if hob is None and not goal.shows("hob goal"):
        return
    for place, pan in enumerate(bundle):
        if not pan.shows("pan") or pan.shows("no hob pan") or pan.attributes.get("induction") is True:
            continue
        plain = pan.shows("not magnetic")
        steel = pan.claims(word("magnetic base"))
        if pan.attributes.get("induction") is False or (plain and not steel):
            partner = "an induction hob" if hob is None else bundle[hob].name
            yield Finding(place, hob, f"{pan.name} has no magnetic base, so {partner} does not heat it.")
