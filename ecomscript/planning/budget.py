"""The budget in free text: an amount counts only where the words around it say that it is one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from ecomscript.planning.numbers import COUNT, DIGITS, NUMBER_WORDS, Found, number
from ecomscript.planning.text import load_data

LEAST_PLAIN = 10.0  # "under 5" without a currency is an age or a size
_SIGN = r"(?:US|CA|AU|C|A)?[$€£]"
_CURRENCY = r"(?:us )?(?:dollars?|euros?|pounds?|quid|usd|eur|gbp|cad|aud)\b|[$€£]"
_AMOUNT = re.compile(
    rf"(?<![\w.,-])(?:(?P<sign>{_SIGN}) ?(?P<a>{DIGITS})(?P<k>k\b)?(?: ?(?:-|to) ?{_SIGN}? ?(?P<a2>{DIGITS}))?(?![\d%])"
    rf"|(?:(?P<b1>{COUNT}) ?(?:-|to|or) ?)?(?P<b>{COUNT})(?P<bk>k)?[ -]?(?P<unit>{_CURRENCY})"
    rf"|(?P<c>{DIGITS}|{NUMBER_WORDS})(?P<ck>k\b)?(?![\w%°'\"]|[./:]\d|[ -]?[x×]\b))",
    re.IGNORECASE,
)
_ALONE_BEFORE = re.compile(r"(?:^|[,.;:(!?\n-]) ?$")
_ALONE_AFTER = re.compile(r" ?(?:$|[,.;)!?\n])")
_ONE_THING = re.compile(r"\b(?:a|my|the) $", re.IGNORECASE)
_WEIGHT = re.compile(r"\bweigh", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Rules:
    """Patterns of data/quantities.yaml, put to the text right before (``…_before``) or right after an amount."""

    cue_before: re.Pattern[str]
    cue_after: re.Pattern[str]
    each_after: re.Pattern[str]
    paid_before: re.Pattern[str]
    named_after: re.Pattern[str]
    thing_after: re.Pattern[str]
    unit_after: re.Pattern[str]
    age_before: re.Pattern[str]


@cache
def _rules() -> _Rules:
    words = {name: "|".join(map(str, parts)) for name, parts in load_data("quantities.yaml")["budget"].items()}
    known = f"{words['named_after']}|{words['open_after']}|{words['each']}"
    patterns = {
        "cue_before": rf"(?:\b(?:{words['sure_before']})|(?P<soft>\b(?:{words['soft_before']})|~))[ :~]*(?:(?:{words['between']}) )*$",
        "cue_after": rf"[ ,]*\(?(?:usd |dollars |us )?(?:(?:is )?(?:my |the |our |a )?(?:{words['sure_after']})|{words['each']})\b",
        "each_after": rf" ?(?:{words['each']})\b",
        "paid_before": rf"\b(?:{words['paid_before']})\b[^,.;]{{0,15}}$",
        "named_after": rf"[ -](?:{words['named_after']})\b",
        "thing_after": rf"[ -](?!(?:{known})\b)[a-z]",
        "unit_after": rf" ?(?:{words['units_after']})\b",
        "age_before": rf"\b(?:{words['ages_before']})(?: \w+)? (?:under|below|up to|over|about|around) *$",
    }
    return _Rules(**{name: re.compile(rule, re.IGNORECASE) for name, rule in patterns.items()})


def read_budget(text: str, people: int | None = None) -> Found | None:
    """Return the most that all products may cost, or None; of several amounts the surest, of equally sure ones the last.

    Args:
        text: A goal in tidy form.
        people: For "$20 a head": how many; without it such an amount is left alone.
    """
    best: tuple[int, Found] | None = None
    for match in _AMOUNT.finditer(text):
        value = _amount(match)
        before, after = text[max(0, match.start() - 60) : match.start()], text[match.end() : match.end() + 40]
        strength, lead, tail = _strength(match, before, after)
        each = _rules().each_after.match(after) is not None
        if not value or strength == 0 or (each and people is None):
            continue
        total = value * (people or 1) if each else value
        if best is None or strength >= best[0]:
            best = strength, Found(total, ((match.start() - lead, match.end() + tail),), _currency(match))
    return None if best is None else best[1]


def _amount(match: re.Match[str]) -> float | None:
    value = number(match["a2"] or match["a"] or match["b"] or match["c"])
    return value * 1000 if value and (match["k"] or match["bk"] or match["ck"]) else value


def _currency(match: re.Match[str]) -> str:
    mark = (match["sign"] or match["unit"] or "$").lower()
    if "€" in mark or mark.startswith("eur"):
        return "€"
    return "£" if "£" in mark or mark.startswith(("pound", "quid", "gbp")) else "$"


def _strength(match: re.Match[str], before: str, after: str) -> tuple[int, int, int]:
    """Return how surely the amount is a budget (0 = not), and how many characters before and behind it belong to the phrase."""
    rules = _rules()
    cue, follow = rules.cue_before.search(before), rules.cue_after.match(after)
    lead, tail = len(cue[0]) if cue else 0, follow.end() if follow else 0
    firm = cue is not None and cue["soft"] is None
    thing = rules.thing_after.match(after) is not None
    if _is_other_quantity(match, before, after, sure=firm or follow is not None):
        return 0, 0, 0
    if match["c"] is not None:
        each = rules.each_after.match(after) is not None
        in_words = not match["c"][0].isdigit()
        sure = (firm and not in_words) or (follow is not None and not each)
        return (3 if sure and not thing and (_amount(match) or 0.0) >= LEAST_PLAIN else 0), lead, tail
    if firm or follow:
        return (0 if thing and not follow and _ONE_THING.search(before) else 4), lead, tail
    if thing:
        return 0, 0, 0
    if cue:
        return 2, lead, tail
    alone = _ALONE_BEFORE.search(before) or _ALONE_AFTER.match(after) or rules.named_after.match(after)
    return (1 if alone else 0), 0, 0


def _is_other_quantity(match: re.Match[str], before: str, after: str, *, sure: bool) -> bool:
    """Return whether the amount is a length, a weight, an age, a price that was paid …"""
    rules = _rules()
    pounds = (match["unit"] or "").lower().startswith("pound")
    return bool(
        rules.unit_after.match(after)
        or rules.paid_before.search(before)
        or (match["c"] is not None and rules.age_before.search(before))
        or (pounds and (not sure or _WEIGHT.search(before)))
    )
