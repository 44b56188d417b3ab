"""Quantities in free text: the budget, the number of people, their ages."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ecomscript.planning.text import any_of, load_data, pattern

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Found:
    """A value read from a text and the places that say it (spans of character positions)."""

    value: float
    spans: tuple[Span, ...]
    currency: str = "$"


_UNITS = {
    w: i
    for i, w in enumerate(
        [
            "zero",
            "one",
            "two",
            "three",
            "four",
            "five",
            "six",
            "seven",
            "eight",
            "nine",
            "ten",
            "eleven",
            "twelve",
            "thirteen",
            "fourteen",
            "fifteen",
            "sixteen",
            "seventeen",
            "eighteen",
            "nineteen",
        ]
    )
}
_TENS = {w: 10 * i for i, w in enumerate(["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"], start=2)}
_SCALES = {"hundred": 100, "thousand": 1000, "grand": 1000, "dozen": 12}
_ORDINALS = {
    w: i
    for i, w in enumerate(
        [
            "first",
            "second",
            "third",
            "fourth",
            "fifth",
            "sixth",
            "seventh",
            "eighth",
            "ninth",
            "tenth",
            "eleventh",
            "twelfth",
            "thirteenth",
        ],
        start=1,
    )
}
_ORDINALS |= {
    "sixteenth": 16,
    "eighteenth": 18,
    "twentieth": 20,
    "thirtieth": 30,
    "fortieth": 40,
    "fiftieth": 50,
    "sixtieth": 60,
    "seventieth": 70,
    "eightieth": 80,
    "ninetieth": 90,
}
_WORDS = any_of([*_UNITS, *_TENS, *_SCALES])
NUMBER_WORDS = rf"(?:half a dozen|(?:a |an |couple )?(?:{_WORDS})(?:(?:[ -]| and )(?:{_WORDS})){{0,4}})"
DIGITS = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d{1,6}(?:\.\d{1,2})?"
COUNT = rf"(?:{DIGITS}|{NUMBER_WORDS})"


def number(text: str) -> float | None:
    """Return the number that digits or English words name ("1,200", "2.5k", "six hundred", "a dozen"); None if they name none."""
    plain = text.lower().strip()
    digits = plain.replace(",", "")
    if re.fullmatch(r"\d+(?:\.\d+)?k?", digits):
        return float(digits.rstrip("k")) * (1000 if digits.endswith("k") else 1)
    if plain == "half a dozen":
        return 6.0
    total = current = 0
    for word in re.split(r"[ -]+", plain):
        if word in _UNITS or word in _TENS:
            current += _UNITS.get(word, _TENS.get(word, 0))
        elif word in _SCALES:
            current = max(current, 1) * _SCALES[word]
            if _SCALES[word] == 1000:
                total, current = total + current, 0
        elif word not in ("a", "an", "and"):
            return None
    return float(total + current) or None


_SIGN = r"(?:US|CA|AU|C|A)?[$€£]"
_CURRENCY = r"(?:us )?(?:dollars?|euros?|pounds?|quid|usd|eur|gbp|cad|aud)\b|[$€£]"
_AMOUNT = re.compile(
    rf"(?<![\w.,-])(?:(?P<sign>{_SIGN}) ?(?P<a>{DIGITS})(?P<k>k\b)?(?: ?(?:-|to) ?{_SIGN}? ?(?P<a2>{DIGITS}))?(?![\d%])"
    rf"|(?:(?P<b1>{COUNT}) ?(?:-|to|or) ?)?(?P<b>{COUNT})(?P<bk>k)?[ -]?(?P<unit>{_CURRENCY})"
    rf"|(?P<c>{DIGITS}|{NUMBER_WORDS})(?P<ck>k\b)?(?![\w%°'\"]|[./:]\d|[ -]?[x×]\b))",
    re.IGNORECASE,
)
_CUE_BEFORE = re.compile(
    r"(?:\b(?:under|below|less than|max(?:imum)?|up to|at most|no more than|not more than|within|budget(?: is| of|:)?(?: only| just)?|only have|cap(?:ped)?(?: is| at| of)?"
    r"|limit(?: is| of)?|keep (?:it|this|everything)(?: all)? (?:under|to|at|around|below)|spend(?:ing)?(?: at most| about| up to| around| max(?:imum)?)?|call it|not over|over(?= no))"
    r"|(?P<soft>\b(?:around|about|roughly|approx(?:imately)?|for|have|got|~|with|on|and|total|budget)))[ :~]*(?:a |an |only |just |about |around |like |maybe |roughly |the |my )*$",
    re.IGNORECASE,
)
_CUE_AFTER = re.compile(
    r"^[ ,]*\(?(?:usd |dollars |us )?(?:(?:is )?(?:my |the |our |a )?(?:total|all[ -]in|all together|altogether|max(?:imum)?|tops|budget|or less|or so|or under|limit|cap|in total"
    r"|for (?:everything|all of it|it all|the lot|all)|to (?:get (?:me |us )?started|spend|work with|do it|start)|incl(?:uding|udes)?|at most|ceiling)\b|per (?:person|head)|a head|each|apiece)",
    re.IGNORECASE,
)
_PAST = re.compile(
    r"\b(?:paid|pay|cost|costs|costing|charges?d?|charging|quoted|spent|wants|asked|worth|lost|saved|save|owe|rent|was|were|fine of|ticket|sell(?:s|ing)? (?:for|at)|sold|made|earn|minimum|least|over|more than)\b[^,.;]{0,15}$",
    re.IGNORECASE,
)
_THING_AFTER = re.compile(
    r"^[ -](?!for\b|to\b|or\b|total|all\b|max|tops|budget|limit|gift|present|kit|set[- ]?up|basket|care|starter|birthday|in\b|is\b|and\b|with\b|including|incl|on\b|at\b|if\b|but\b|please|so\b|by\b|this\b|each|per\b|a\b|dollar|spend|secret|stocking|christmas|white|cap\b|the\b|from\b|before\b|max)[a-z]",
    re.IGNORECASE,
)
_EACH = re.compile(r"^[ ]?(?:per (?:person|head|guest|kid|child)|a head|each|apiece)\b", re.IGNORECASE)
_NOT_MONEY = re.compile(
    r"^ ?(?:lbs?|pounds? (?:of|dog|cat)|kilos?|kgs?|grams?|oz|ounces?|miles?|km|k(?:m|s)\b|sq|square|feet|foot|ft|inch(?:es)?|in\b|cm|mm|meters?|metres?|m\b|min(?:ute)?s?|hours?|hrs?|days?|nights?|weeks?|months?"
    r"|years?|yo\b|people|guests|persons?|friends?|kids?|adults?|degrees?|watts?|w\b|volts?|v\b|gallons?|gal|lit(?:er|re)s?|l\b|pieces?|pcs|of (?:us|them)|percent|st\b|nd\b|rd\b|th\b|p\b|gb|tb|mph|steps|pages|stairs|calories|f\b|c\b|or more)\b",
    re.IGNORECASE,
)
_OF_AGE = re.compile(
    r"\b(?:kids?|child(?:ren)?|ages?d?|anyone|people|toddlers?|everyone|infants?|seat|size|babies)(?: \w+)? (?:under|below|up to|over|about|around)[ ]*$",
    re.IGNORECASE,
)


def read_budget(text: str, people: int | None = None) -> Found | None:
    """Return the most that all products may cost; an amount counts only where words around it say that it is a budget.

    Args:
        text: A goal in tidy form.
        people: For "$20 a head": how many; without it such an amount is left alone.
    """
    best: tuple[int, Found] | None = None
    for match in _AMOUNT.finditer(text):
        value = _amount(match)
        before, after = text[max(0, match.start() - 60) : match.start()], text[match.end() : match.end() + 40]
        strength, lead, tail = _budget_strength(match, before, after)
        if value is None or value <= 0 or strength == 0:
            continue
        if _EACH.match(after):
            if people is None:
                continue
            value *= people
        found = Found(value, ((match.start() - lead, match.end() + tail),), _currency(match))
        if best is None or strength >= best[0]:
            best = (strength, found)
    return None if best is None else best[1]


def _amount(match: re.Match[str]) -> float | None:
    top = match["a2"] or match["a"] or match["b"] or match["c"]
    value = number(top)
    kilo = match["k"] or match["bk"] or match["ck"]
    return value * 1000 if value is not None and kilo else value


def _currency(match: re.Match[str]) -> str:
    mark = ((match["sign"] or match["unit"]) or "$").lower()
    if "€" in mark or mark.startswith("eur"):
        return "€"
    return "£" if "£" in mark or mark.startswith(("pound", "quid", "gbp")) else "$"


def _budget_strength(match: re.Match[str], before: str, after: str) -> tuple[int, int, int]:
    """Return how surely the amount is a budget (0 = not) and how many characters around it belong to the phrase."""
    cue, follow = _CUE_BEFORE.search(before), _CUE_AFTER.match(after)
    lead, tail = (len(cue[0]) if cue else 0), (follow.end() if follow else 0)
    plain = match["c"] is not None
    firm = cue is not None and cue["soft"] is None
    pounds = (match["unit"] or "").lower().startswith("pound")
    if _NOT_MONEY.match(after) or _PAST.search(before) or (plain and _OF_AGE.search(before)) or (pounds and not (firm or follow)):
        return 0, 0, 0
    if plain:
        small = (_amount(match) or 0) < 10
        word = not match["c"][0].isdigit()
        sure = (
            (firm or (follow is not None and not _EACH.match(after)))
            and not small
            and not (word and not follow)
            and not _THING_AFTER.match(after)
        )
        return (3 if sure else 0), lead, tail
    if firm or follow:
        return (0 if firm and not follow and _THING_AFTER.match(after) and re.search(r"\b(?:a|my|the) $", before) else 4), lead, tail
    if _THING_AFTER.match(after):
        return 0, 0, 0
    if cue:
        return 2, lead, tail
    alone = re.search(r"(?:^|[,.;:(!?\n-]) ?$", before) or re.match(r"[ ]?(?:$|[,.;)!?\n])", after)
    named = re.match(
        r"^[ -](?:gift|present|kit|set[- ]?up|basket|care|starter|birthday|secret|stocking|christmas|white)", after, re.IGNORECASE
    )
    return (1 if alone or named else 0), 0, 0


_PERSON = r"(?:people|persons?|guests?|friends|adults?|grown[ -]?ups|students|kids|children|coworkers|colleagues|players|men|women|ladies|girls|boys|cousins|teens|teenagers|toddlers|kindergart(?:e)?ners|preschoolers|graders|scouts|hikers|campers|family members|employees|volunteers|relatives|attendees|siblings|neighbors|neighbours|roommates|pax|heads)"
_ADJ = r"(?:(?:hungry|close|other|old|young|small|little|grown|adult|teenage|elderly|close|good|best|or so|more|total|first|second|third|of my|of our|wedding|dinner|picky|tired|excited|loud|[a-z]+ ?year ?olds?) ){0,2}"
_PEOPLE = (
    pattern(
        rf"(?:party|group|family|team|class|crew|household|crowd|troop|table|bunch|gang)s? of (?:about |around |up to |roughly )?(?P<n>{COUNT})(?! ?(?:dollars|year|day|hour|week))"
    ),
    pattern(
        rf"(?:feeds?|feeding|serves?|serving|seats?|hosting|host|cooking for|cook for|dinner for|sleeps) (?:a |about |around |up to |roughly |maybe |like |over )*(?P<n>{COUNT})(?= ?(?:$|[,.;!?)(]|{_PERSON}|of us|in|on|at|with|and|under|next|this|or))"
    ),
    pattern(rf"(?P<n>{COUNT}) (?:or so )?{_ADJ}{_PERSON}(?! (?:years?|books?|size|of \d)|')"),
    pattern(rf"(?P<n>{COUNT}) of us"),
    pattern(
        rf"for (?:about |around |up to |roughly |maybe |like )*(?P<n>{COUNT})(?= ?(?:$|[,.;!?)(]|or so|under|on a|with|without|in the|in a|in my|at the|at my|and under|next|this|outdoors|indoors|outside|including|who|no |- ))"
    ),
    pattern(rf"(?P<n>{COUNT})[ -](?:person|people|man|player)"),
)
_PAIR_WORDS = r"(?:wife|husband|partner|spouse|girlfriend|boyfriend|fianc[eé]e?|brother|sister|mom|mum|mother|dad|father|friend|buddy|roommate|best friend|son|daughter|cousin)"
_TWO = pattern(
    rf"me (?:and|&|\+|plus) (?:my )?{_PAIR_WORDS}",
    rf"(?:my )?{_PAIR_WORDS} (?:and|&|\+|plus) (?:i|me|myself)",
    "the two of us",
    "just us two",
    "both of us",
    "us two",
    "for a couple(?! of)",
    "date night",
    rf"(?<!live )(?<!living )(?<!fight )(?<!help )with my {_PAIR_WORDS}(?! in law)(?!'| \w+s\b)(?= ?(?:$|[,.;!?]|in|on|at|this|next|for|to|who))",
)
_ONE = pattern(
    "just (?:for )?me",
    "just myself",
    "for one(?= ?(?:$|[,.;!?]|person))",
    "by myself",
    "on my own",
    "solo(?! cup)",
    "only me",
    "i live alone",
    "living alone",
)
_NOT_GUESTS = re.compile(
    r"\b(?:my|our|his|her|have|has|with|got|had|raising|mom of|mother of|dad of|father of|lost|the|these|those|between|from|of|other|last|mine|sister has|and) $",
    re.IGNORECASE,
)


def read_people(text: str) -> Found | None:
    """Return for how many people the plan is; None where the words leave it open."""
    if both := _GROUPS.search(text):
        return Found((number(both["a"]) or 0) + (number(both["b"]) or 0), (both.span(),))
    for index, rule in enumerate(_PEOPLE):
        for match in rule.finditer(text):
            value = number(match["n"])
            if value is None or not 1 <= value <= 2000 or (index == 2 and _NOT_GUESTS.search(text, max(0, match.start() - 20), match.start())):
                continue
            if value == 1 and index in (2, 4) and match["n"].lower() == "one" and "person" not in match[0]:
                continue
            return Found(value, (match.span(),))
    for rule, pair in ((_TWO, 2.0), (_ONE, 1.0)):
        if said := rule.search(text):
            return Found(pair, (said.span(),))
    return None


_GROUPS = pattern(
    rf"(?P<a>{COUNT}) (?:adults?|grown[ -]?ups)(?:,| and| &| \+|, and| plus) ?(?P<b>{COUNT}) (?:\w+ )?(?:kids?|children|child|toddlers?|teens?|bab(?:y|ies))"
)


_AGE = re.compile(
    r"\b(?:kids?|child(?:ren)?|ages?d?|anyone|people|toddlers?|everyone|infants?|seat|size|babies)(?: \w+)? (?:under|below|up to|over|about|around)[ ]*$",
    re.IGNORECASE,
)


def read_budget(text: str, people: int | None = None) -> Found | None:
    """Return the most that all products may cost; an amount counts only where words around it say that it is a budget.

    Args:
        text: A goal in tidy form.
        people: For "$20 a head": how many; without it such an amount is left alone.
    """
    best: tuple[int, Found] | None = None
    for match in _AMOUNT.finditer(text):
        value = _amount(match)
        before, after = text[max(0, match.start() - 60) : match.start()], text[match.end() : match.end() + 40]
        strength, lead, tail = _budget_strength(match, before, after)
        if value is None or value <= 0 or strength == 0:
            continue
        if _EACH.match(after):
            if people is None:
                continue
            value *= people
        found = Found(value, ((match.start() - lead, match.end() + tail),), _currency(match))
        if best is None or strength >= best[0]:
            best = (strength, found)
    return None if best is None else best[1]


def _amount(match: re.Match[str]) -> float | None:
    top = match["a2"] or match["a"] or match["b"] or match["c"]
    value = number(top)
    kilo = match["k"] or match["bk"] or match["ck"]
    return value * 1000 if value is not None and kilo else value


def _currency(match: re.Match[str]) -> str:
    mark = ((match["sign"] or match["unit"]) or "$").lower()
    if "€" in mark or mark.startswith("eur"):
        return "€"
    return "£" if "£" in mark or mark.startswith(("pound", "quid", "gbp")) else "$"


def _budget_strength(match: re.Match[str], before: str, after: str) -> tuple[int, int, int]:
    """Return how surely the amount is a budget (0 = not) and how many characters around it belong to the phrase."""
    cue, follow = _CUE_BEFORE.search(before), _CUE_AFTER.match(after)
    lead, tail = (len(cue[0]) if cue else 0), (follow.end() if follow else 0)
    plain = match["c"] is not None
    firm = cue is not None and cue["soft"] is None
    pounds = (match["unit"] or "").lower().startswith("pound")
    if _NOT_MONEY.match(after) or _PAST.search(before) or (plain and _OF_AGE.search(before)) or (pounds and not (firm or follow)):
        return 0, 0, 0
    if plain:
        small = (_amount(match) or 0) < 10
        word = not match["c"][0].isdigit()
        sure = (
            (firm or (follow is not None and not _EACH.match(after)))
            and not small
            and not (word and not follow)
            and not _THING_AFTER.match(after)
        )
        return (3 if sure else 0), lead, tail
    if firm or follow:
        return (0 if firm and not follow and _THING_AFTER.match(after) and re.search(r"\b(?:a|my|the) $", before) else 4), lead, tail
    if _THING_AFTER.match(after):
        return 0, 0, 0
    if cue:
        return 2, lead, tail
    alone = re.search(r"(?:^|[,.;:(!?\n-]) ?$", before) or re.match(r"[ ]?(?:$|[,.;)!?\n])", after)
    named = re.match(
        r"^[ -](?:gift|present|kit|set[- ]?up|basket|care|starter|birthday|secret|stocking|christmas|white)", after, re.IGNORECASE
    )
    return (1 if alone or named else 0), 0, 0


_PERSON = r"(?:people|persons?|guests?|friends|adults?|grown[ -]?ups|students|kids|children|coworkers|colleagues|players|men|women|ladies|girls|boys|cousins|teens|teenagers|toddlers|kindergart(?:e)?ners|preschoolers|graders|scouts|hikers|campers|family members|employees|volunteers|relatives|attendees|siblings|neighbors|neighbours|roommates|pax|heads)"
_ADJ = r"(?:(?:hungry|close|other|old|young|small|little|grown|adult|teenage|elderly|close|good|best|or so|more|total|first|second|third|of my|of our|wedding|dinner|picky|tired|excited|loud|[a-z]+ ?year ?olds?) ){0,2}"
_PEOPLE = (
    pattern(
        rf"(?:party|group|family|team|class|crew|household|crowd|troop|table|bunch|gang)s? of (?:about |around |up to |roughly )?(?P<n>{COUNT})(?! ?(?:dollars|year|day|hour|week))"
    ),
    pattern(
        rf"(?:feeds?|feeding|serves?|serving|seats?|hosting|host|cooking for|cook for|dinner for|sleeps) (?:a |about |around |up to |roughly |maybe |like |over )*(?P<n>{COUNT})(?= ?(?:$|[,.;!?)(]|{_PERSON}|of us|in|on|at|with|and|under|next|this|or))"
    ),
    pattern(rf"(?P<n>{COUNT}) (?:or so )?{_ADJ}{_PERSON}(?! (?:years?|books?|size|of \d)|')"),
    pattern(rf"(?P<n>{COUNT}) of us"),
    pattern(
        rf"for (?:about |around |up to |roughly |maybe |like )*(?P<n>{COUNT})(?= ?(?:$|[,.;!?)(]|or so|under|on a|with|without|in the|in a|in my|at the|at my|and under|next|this|outdoors|indoors|outside|including|who|no |- ))"
    ),
    pattern(rf"(?P<n>{COUNT})[ -](?:person|people|man|player)"),
)
_PAIR_WORDS = r"(?:wife|husband|partner|spouse|girlfriend|boyfriend|fianc[eé]e?|brother|sister|mom|mum|mother|dad|father|friend|buddy|roommate|best friend|son|daughter|cousin)"
_TWO = pattern(
    rf"me (?:and|&|\+|plus) (?:my )?{_PAIR_WORDS}",
    rf"(?:my )?{_PAIR_WORDS} (?:and|&|\+|plus) (?:i|me|myself)",
    "the two of us",
    "just us two",
    "both of us",
    "us two",
    "for a couple(?! of)",
    "date night",
    rf"(?<!live )(?<!living )(?<!fight )(?<!help )with my {_PAIR_WORDS}(?! in law)(?!'| \w+s\b)(?= ?(?:$|[,.;!?]|in|on|at|this|next|for|to|who))",
)
_ONE = pattern(
    "just (?:for )?me",
    "just myself",
    "for one(?= ?(?:$|[,.;!?]|person))",
    "by myself",
    "on my own",
    "solo(?! cup)",
    "only me",
    "i live alone",
    "living alone",
)
_NOT_GUESTS = re.compile(
    r"\b(?:my|our|his|her|have|has|with|got|had|raising|mom of|mother of|dad of|father of|lost|the|these|those|between|from|of|other|last|mine|sister has|and) $",
    re.IGNORECASE,
)


def read_people(text: str) -> Found | None:
    """Return for how many people the plan is; None where the words leave it open."""
    if both := _GROUPS.search(text):
        return Found((number(both["a"]) or 0) + (number(both["b"]) or 0), (both.span(),))
    for index, rule in enumerate(_PEOPLE):
        for match in rule.finditer(text):
            value = number(match["n"])
            if value is None or not 1 <= value <= 2000 or (index == 2 and _NOT_GUESTS.search(text, max(0, match.start() - 20), match.start())):
                continue
            if value == 1 and index in (2, 4) and match["n"].lower() == "one" and "person" not in match[0]:
                continue
            return Found(value, (match.span(),))
    for rule, pair in ((_TWO, 2.0), (_ONE, 1.0)):
        if said := rule.search(text):
            return Found(pair, (said.span(),))
    return None


_GROUPS = pattern(
    rf"(?P<a>{COUNT}) (?:adults?|grown[ -]?ups)(?:,| and| &| \+|, and| plus) ?(?P<b>{COUNT}) (?:\w+ )?(?:kids?|children|child|toddlers?|teens?|bab(?:y|ies))"
)


def _sum_of_groups(text: str) -> list[Found]:
    found = _GROUPS.search(text)
    if found is None:
        return []
    both = (number(found["a"]) or 0) + (number(found["b"]) or 0)
    return [Found(both, ((found.start(), found.end()),))]


_AGE = r"\d{1,2}(?:\.5)?|" + any_of([*_UNITS, *_TENS])
_LIST = rf"(?:{_AGE})(?:(?: ?, ?| ?& ?| ?and | ?/ ?| ?or | ?, and | ?\+ ?)(?:{_AGE})){{0,7}}"
_CHILD = r"(?:kids?|child(?:ren)?|sons?|daughters?|boys?|girls?|grandkids?|grandchildren|grandsons?|granddaughters?|nephews?|nieces?|twins|toddlers?|teens?)"
_NOT_PERSON = r"(?:house|home|car|truck|suv|van|roof|building|furnace|bike|mower|tree|scotch|whisk(?:e)?y|carpet|laptop|computer|wall|dog|cat|puppy|kitten|pup|lab|retriever|beagle|horse|hens?|apartment|boat|guitar|piano|deck|table|phone|fridge|hound|terrier|poodle|rabbit|shepherd|tv|bathtub|kitchen|floor|sofa|couch|mattress|rv|camper|jeep|honda|toyota|subaru|motorcycle|wood|cottage|windows?|anniversary)"
_AGES = (
    pattern(rf"(?P<n>{_LIST})[ -]?(?:years?[ -]?olds?|yo|y\.o\.?|yrs?[ -]?old|year[ -]olds)(?!(?: \w+)? {_NOT_PERSON}\b)"),
    pattern(rf"(?:aged?|ages)[ :]*(?P<n>{_LIST}(?: ?(?:-|to) ?(?:{_AGE}))?)(?!\d)"),
    pattern(rf"{_CHILD}(?: are| is|,| who are| who is|:)? ?\(? ?(?P<n>{_LIST})(?= ?(?:\)|,|\.|;|$|!|and\b|years?\b|so\b|yo\b|who\b))"),
    pattern(rf"(?:turning|turns|turned|is turning|about to turn|pushing|at age) (?P<n>{_AGE})(?! ?(?:%|degrees|into|the|it|\$))"),
    pattern(
        rf"(?:mom|mum|mother|dad|father|grandma|grandpa|grandmother|grandfather|nana|she|he|aunt|uncle|wife|husband|i) (?:is|am|who is) (?P<n>{_AGE})(?= ?(?:$|[,.;!?)]|and|with|but|so|years))"
    ),
    pattern(r"at (?P<n>[2-9]\d)(?= ?(?:$|[,.;!?)]|and|with|years))"),
    pattern(r"(?P<n>\d{1,2})(?:st|nd|rd|th)[ -](?:birthday|bday)", rf"(?P<o>{any_of(_ORDINALS)})[ -](?:birthday|bday)"),
    pattern(r"in (?:my|his|her|their|our) (?:early |mid |late )?(?P<n>[2-9]0)(?:'?s)"),
    pattern(r"(?P<g>\d{1,2})(?:st|nd|rd|th)[ -]grade(?:r|rs)?", rf"(?P<h>{any_of(_ORDINALS)})[ -]grade(?:r|rs)?"),
)
_STAGE_WORDS = pattern("(?P<w>" + any_of(load_data("ages.yaml")) + ")")


ADULT_YEARS = 18
_CHILDREN_TOO = pattern(_CHILD, "bab(?:y|ies)", "kid's", "child's", "nursery", "students?")


def read_ages(text: str) -> tuple[tuple[int, ...], tuple[Span, ...]]:
    """Return the ages in years of the people meant, ascending and without repeats, and where they stand.

    Ages of grown-ups are left out when the text speaks of children too: the plan may be for those.
    """
    ages: set[int] = set()
    spans: list[Span] = []
    for rule in _AGES:
        for match in rule.finditer(text):
            found = [age for age in _ages_of(match) if 0 <= age <= 105]
            ages.update(found)
            spans += [(match.start(), match.end())] * bool(found)
    if ages and min(ages) >= ADULT_YEARS and _CHILDREN_TOO.search(text):
        return (), tuple(spans)
    if not ages:
        for match in _STAGE_WORDS.finditer(text):
            ages.update(load_data("ages.yaml")[match["w"].lower().replace("-", " ")])
    return tuple(sorted(ages)), tuple(spans)


def _ages_of(match: re.Match[str]) -> list[int]:
    groups = match.groupdict()
    if groups.get("o"):
        return [_ORDINALS[groups["o"].lower()]]
    grade = groups.get("g") or groups.get("h")
    if grade:
        return [5 + (int(grade) if grade.isdigit() else _ORDINALS[grade.lower()])]
    parts = re.split(r"[^\w.]+|\b(?:and|or|to)\b", groups["n"].lower())
    values = [number(part) for part in parts if part]
    return [int(value) for value in values if value is not None]
