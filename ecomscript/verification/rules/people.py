"""Persons in a text: the ages of children, the ages that a product is marked for, how many people, how many fit, how many in a pack.

All functions take a folded text (``attributes.fold``).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

MONTHS_PER_YEAR = 12
_PAST_TODDLER = 4 * MONTHS_PER_YEAR  # a "toddler" beside so old a child is another one
_NUMBER_WORDS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen"
    " seventeen eighteen nineteen twenty".split()
)
_TENS = {"thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90}
_MIXED = {
    f"{ten}-{one}": 10 * tens + ones
    for tens, ten in enumerate(["twenty", *_TENS], 2)
    for ones, one in enumerate(_NUMBER_WORDS[1:10], 1)
}
_PLAIN = {word: number for number, word in enumerate(_NUMBER_WORDS)} | _TENS
_HUNDREDS = {f"{word} hundred": 100 * number for number, word in enumerate(_NUMBER_WORDS[1:10], 1)}
_COUNTS = _HUNDREDS | _MIXED | _PLAIN | {"single": 1, "a dozen": 12, "hundred": 100, "a hundred": 100}
COUNT = rf"(\d{{1,4}}|{'|'.join(_COUNTS)})"
"""Pattern of a whole number in digits or in words, as one group."""

_NO_CHILD = (
    r"(?:(?:\w+ )?(?:cats?|dogs?|pupp\w+|kittens?|horses?|pon(?:y|ies)|mare|hens?|rabbits?|labrador|terrier|retriever|dalmatian|chicks?"
    r"|beagles?|maltese|dane|cockatiel\w*|parrots?|mastiff|collie|spaniel|poodle|foal|calf|lambs?|goats?|shepherd|husky|pug|dachshund|hound|gelding|cockerel|chameleons?|geckos?|snakes?|lizards?|dragon|tortoises?|ferrets?|hamsters?|pigs?|budg\w+|pigeons?|donkey)"
    r"|house|home|car|bike|computer|laptop|tree|whisk\w+|wine|piano|boiler|roof|phone)\b"
)
_BIRTHDAY = re.compile(r"(?<![\w-])(first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth) birthday")
_ORDINALS = "first second third fourth fifth sixth seventh eighth ninth tenth".split()
_CHILD_AGE = (
    re.compile(rf"(?<![\w-]){COUNT}(?P<half>[ -]and[ -]a[ -]half)?[- ](?P<unit>month|year|week|day)s?[- ]olds?\b(?! {_NO_CHILD})"),
    re.compile(
        rf"\b(?:aged?|ages|turns|turning|(?:boy|girl|son|daughter|twins|nephew|niece|children|kids|pupils|child"
        r"|baby|toddler|infant|teenager|brothers|sisters|cousins) of)"
        rf" {COUNT}\b(?P<months> months?\b)?(?! ?(?:kg|cm|%|ml|g|lbs?|weeks?|days?)\b)"
    ),
)
_STAGES = (
    (re.compile(r"\btoddlers?(?!-?(?:proof|bed|seat|size))\b"), (12.0, 35.0)),
    (re.compile(r"\b(?:preschool(?:ers?)?|kindergarten(?:ers?)?|nursery (?:school|class|group|children)|playgroup)\b"), (36.0, 60.0)),
    (re.compile(r"\b(?:crawling baby|infants?|breastfed baby|teething baby|napping baby|baby who|baby that)\b"), (3.0, 11.0)),
)
_AGES_JOINED = re.compile(rf"(?<![\w-]){COUNT}-?(?:,| and| or) (?:an? )?(?:{COUNT}- (?:and|or) (?:an? )?)?(?=\S+-(?:year|month)s?-olds?\b)")
_BIRTHDAYS_JOINED = re.compile(rf"\b({'|'.join(_ORDINALS)}) (?:and|or) an? (?:{'|'.join(_ORDINALS)}) birthday")
_BABY_BESIDE = re.compile(r"\b(?:(?:a|the|new|crawling) baby|newborn|new sibling|baby (?:sister|brother))\b")
_AGE_SPAN = re.compile(rf"\b(?:aged?|ages|between) (?:from |between )?{COUNT} ?(?:-|to|and) ?{COUNT}\b(?! ?(?:kg|cm|%))")
_AGE_MARKS = (
    re.compile(r"\b(?:pegi|usk|fsk) (?P<low>\d+)(?P<high>)(?P<unit>)(?P<plus>)"),
    re.compile(
        r"\bages? (?P<low>\d+(?:\.\d+)?)(?: ?(?:-|to) ?(?P<high>\d+(?:\.\d+)?))?"
        r"(?P<unit> months?)? ?(?P<plus>\+|and up|and over|years and up)?"
    ),
    re.compile(r"\b(?:from|over) (?P<low>\d+(?:\.\d+)?) ?(?P<unit>months?|years?)(?P<plus>)(?P<high>)(?! (?:of|warrant|guarant))"),
    re.compile(r"(?<![\d.])(?P<low>\d+(?:\.\d+)?) ?(?:-|to) ?(?P<high>\d+(?:\.\d+)?) ?(?P<unit>months?|years?)\b(?P<plus>)"),
    re.compile(r"(?<![\d.])(?P<low>\d+(?:\.\d+)?) ?\+ ?(?P<unit>months?|years?)(?P<high>)(?P<plus>)"),
    re.compile(r"(?<![\d.])(?P<low>\d+(?:\.\d+)?) ?(?P<unit>months?|years?) ?(?:\+|and up|and over|and older)(?P<high>)(?P<plus>)"),
    re.compile(r"(?<![\w.-])(?<!spf )(?<!zone )(?<!zones )(?P<low>[3-9]|1[0-8])\+(?=$|,)(?P<unit>)(?P<high>)(?P<plus>)"),
)
_PERSONS = (
    r"people|persons|guests|friends|adults|children|kids|classmates|campers|scouts|players|pupils|students|visitors|colleagues|volunteers"
    r"|learners|teenagers|toddlers|grown-ups|grandparents|grown men|schoolchildren|cousins|villagers|tourers|hikers|divers|skiers|walkers"
    r"|riders|runners|cyclists|teens|team-?mates|housemates|neighbou?rs|witnesses|men|women|boys|girls|soldiers|workers|employees|parents"
)
_PERSON = r"person|people|adult|child|kid|toddler|hiker|walker|camper|user|player|guest|diver|rider|renter|friend|cup|skier|paddler|packer"
_GATHERING = (
    r"group|family|household|party|crew|team|table|gathering|wedding|lunch|dinner|breakfast|brunch|supper|hall|conference|class|club|choir"
    r"|cast|troop|charter|retreat|reception|ceremony|meeting|sleepover|carnival|fair|fete|elopement|van|tent|squad|band|camp|league|office"
    r"|banquet|buffet|picnic|barbecue|workshop|school|pack|ensemble|congregation|audience|seminar|course|house|staff|platoon|assembly"
)
_NO_PERSON = (
    r"(?! ?(?:-|to) ?\d)(?!-)(?! ?(?:kg|g|lbs?|pounds|m2?|cm|mm|km|miles?|l|litres?|liters?|%|percent|°|metres?|meters?"
    r"|inch|ft|feet|seconds?"
    r"|minutes?|mins?|hours?|days?|nights?|weeks?|weekends?|months?|years?|seasons?|euros?|dollars?|pounds|square|sq|hectares?|acres?"
    r"|degrees|v|w|volts?|watts?|x|cats?|dogs?|hens?|horses?|birds?|rabbits?|chickens?|hives?|pieces|[.,]\d)\b)"
)
_PEOPLE = (
    re.compile(rf"\b(?:{_GATHERING}) of {COUNT}\b{_NO_PERSON}"),
    re.compile(rf"(?<![\w.-]){COUNT}[ -](?:\w+ )?(?:{_PERSONS})\b"),
    re.compile(rf"\b(?:with|and) {COUNT} (?P<others>\w+ )?(?:friends|guests)\b"),
    re.compile(
        rf"\bfor (?:up to |about )?{COUNT}{_NO_PERSON}"
        r"(?= (?:at|in|on|with|from|under|by|around|to|people|after|during|all|only)\b|,|$)"
    ),
    re.compile(rf"\b(?:seat|sleep|serve|feed|host) {COUNT}{_NO_PERSON}(?= (?:at|in|on|with|from|under|people|for)\b|,|$)"),
    re.compile(rf"\b{COUNT}-(?:player|person|people|guest|head|strong|bed)\b"),
    re.compile(rf"\bwith {COUNT}(?= (?:at|in) (?:a|the)\b|,|$)"),
)
_TOGETHER = re.compile(
    rf"\b{COUNT} (?:adults|grown-ups|parents|men|women) and "
    rf"(?:{COUNT} (?:\w+ )?(?:children|kids|toddlers|teenagers|babies)|(a) (?:child|kid|toddler|\S+-old))"
)
_ALONE = re.compile(
    rf"\b(?:alone|solo|by myself|for myself|just me|for one(?: (?:{_PERSON}))?(?= (?:at|in|on|only|who|from|to)\b|,|$)"
    rf"|one (?:fast packer|diver's?|person alone)|single (?:person|user|traveller)"
    rf"|(?<!for )one (?:adult|hiker|person|renter|rider)|one-person|one cup"
    rf"|single person's|one person's|breakfast coffee for one|thru-hiker)\b"
)
_TWO = re.compile(
    r"\b(?:as|for|of|in) a couple\b|\b(?:for|of) two(?= (?:at|in|on|only|who|with)\b|,|$)"
    r"|\bthe two of us\b|tete-a-tete|tête-à-tête|\bwith (?:one|a) friend\b|\bto a couple\b|\bduo\b"
)
_CAPACITY = (
    re.compile(rf"\b(?:sleeps|seats|carries) (?:up to )?{COUNT}\b"),
    re.compile(rf"\b{COUNT}[- ](?:person|man|berth|seater|seat)s?\b"),
    re.compile(rf"\b(?:for|up to) (?:up to )?{COUNT} (?:persons?|people|adults|campers)\b"),
    re.compile(r"\b(\d)p\b"),
)
_PACK = re.compile(
    rf"\b(?:set of |pack of )?{COUNT}[- ]?(?:pack|rental pack|pcs|pieces|pc|count|ct|sets)\b"
    rf"|\b(?:set|pack|box|case|carton|tray|bundle) of {COUNT}\b|\b(pair|twin pack)\b|(?<![\d.])(\d) x (?=\d)"
)


@dataclass(frozen=True, slots=True)
class Span:
    """A closed range; an open end is infinite."""

    low: float
    high: float

    def misses(self, other: Span) -> bool:
        """Return whether the two ranges have no number in common."""
        return self.high < other.low or other.high < self.low


def count(word: str) -> int:
    """Return a number that is written in digits or as a word of ``COUNT``."""
    return int(word) if word.isdigit() else _COUNTS[word]


def child_months(text: str) -> Span | None:
    """Return the ages in months of the children that an objective names, youngest to oldest; None when it names none."""
    ages: list[float] = []
    if "newborn" in text:
        ages.append(0)
    for match in _CHILD_AGE[0].finditer(text):
        per = {"month": 1.0, "year": 12.0, "week": 0.23, "day": 0.03}[match["unit"]]
        ages.append((count(match[1]) + (0.5 if match["half"] else 0)) * per)
    spans = [(count(m[1]), count(m[2])) for m in _AGE_SPAN.finditer(text)]
    ages += [age * 12.0 for span in spans for age in span]
    if not spans:
        ages += [count(m[1]) * (1.0 if m["months"] else 12.0) for m in _CHILD_AGE[1].finditer(text)]
    ages += [(_ORDINALS.index(m[1]) + 1) * 12.0 for m in (*_BIRTHDAY.finditer(text), *_BIRTHDAYS_JOINED.finditer(text))]
    ages += [count(age) * 12.0 for m in _AGES_JOINED.finditer(text) for age in m.groups() if age] if ages else []
    ages += [0.0] if ages and min(ages) >= MONTHS_PER_YEAR and _BABY_BESIDE.search(text) else []
    if ages and min(ages) >= _PAST_TODDLER:
        ages += [age for pattern, span in _STAGES[:1] if pattern.search(text) for age in span]
    young = [age for age in ages if age < 18 * MONTHS_PER_YEAR]
    if not ages:
        young = [age for pattern, span in _STAGES if pattern.search(text) for age in span]
    return Span(min(young), max(young)) if young else None


def made_for_months(text: str) -> Span | None:
    """Return the ages in months that a title is marked for; an open end is infinite, None without a mark."""
    for pattern in _AGE_MARKS:
        if match := pattern.search(text):
            per = 1 if (match["unit"] or "").strip().startswith("month") else MONTHS_PER_YEAR
            low, high = float(match["low"]), float(match["high"] or "inf")
            return Span(min(low, high) * per, max(low, high) * per)
    return None


def people(text: str) -> int | None:
    """Return the number of persons that an objective names, the asker included in "with seven friends"; None when it names none."""
    if match := _TOGETHER.search(text):
        return count(match[1]) + (1 if match[3] else count(match[2]))
    if match := _PEOPLE[0].search(text):
        return count(match[1])
    if match := _PEOPLE[2].search(text):
        return count(match[1]) + 1
    if match := next((match for pattern in (_PEOPLE[1], *_PEOPLE[3:]) if (match := pattern.search(text))), None):
        return count(match[1])
    return 2 if _TWO.search(text) else 1 if _ALONE.search(text) else None


def capacity(text: str) -> int | None:
    """Return how many persons one product takes; None when the title does not say."""
    return next((count(match[1]) for pattern in _CAPACITY if (match := pattern.search(text))), None)


def pack(text: str) -> int:
    """Return how many pieces are sold together, 1 when the title does not say."""
    match = _PACK.search(text)
    if not match:
        return 1
    return 2 if match[3] else max(1, count(match[1] or match[2] or match[4]))
