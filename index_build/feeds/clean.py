"""Cells as shops write them → values as the app needs them; pure functions that take anything."""

from __future__ import annotations

import html
import json
import math
import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

from ecomscript.schema import AttributeValue
from index_build.sources import MAX_PRICE_USD, MAX_RATING, MAX_RATING_COUNT

Repair = Callable[[str], object]
"""Told what was wrong with a cell that was changed or left out."""

MAX_TITLE, MAX_FEATURE, MAX_FEATURES, MAX_ATTRIBUTES, MAX_LINK = 300, 240, 8, 40, 2000
MAX_READ = 20_000
"""Characters of a cell that are looked at."""
_TAG = re.compile(r"<(?:script|style)\b.*?</(?:script|style)\s*>|<!--.*?-->|<[a-zA-Z/!][^<>]{0,2000}>", re.DOTALL | re.IGNORECASE)
_BREAK = re.compile(r"<\s*(?:br|/p|/li|/div|/h\d)\b[^<>]{0,200}>", re.IGNORECASE)
_UNPLAIN = re.compile(r"[&<]|  ")
_LINK = re.compile(r"https?://[^\s<>\"'\\`/?#@]+(?:[/?#][^\s<>\"'\\`]*)?", re.IGNORECASE)
_NUMBER = re.compile(r"\d[\d.,'\u00a0\u202f ]*\d|\d")
_CODES = "EUR GBP JPY CNY INR CAD AUD NZD MXN BRL CHF SEK NOK DKK PLN CZK HUF TRY RUB KRW SGD HKD ZAR"
_OTHER_MONEY = re.compile(rf"€|£|¥|₹|₽|₩|zł|kr\b|\b(?:{_CODES.replace(' ', '|')})\b|[CA]A?\$", re.IGNORECASE)
_NOTHING = frozenset({"", "-", "–", "—", "none", "null", "nan", "n/a", "na", "free"})


def text(value: Any, most: int = MAX_TITLE) -> str:
    """Return one line of plain text without entities, tags and control characters; "" for what is no text or number."""
    if type(value) is str and len(value) <= most and value.isprintable() and not _UNPLAIN.search(value):
        return value.strip()
    if isinstance(value, list):
        value = next((member for member in value if isinstance(member, str) and member.strip()), "")
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        return ""
    value = value[:MAX_READ]
    if "&" in value:
        value = html.unescape(html.unescape(value))  # feeds are often escaped twice
    if "<" in value:
        value = _TAG.sub(" ", value)
    if not value.isprintable():
        value = "".join(c if c.isprintable() else " " for c in value)
    value = " ".join(value.split())
    return value if len(value) <= most else value[: most - 1].rsplit(" ", 1)[0][: most - 1] + "…"


def texts(value: Any) -> tuple[str, ...]:
    """Return the parts of a list, of a JSON list in a text, or of lines; each once."""
    if isinstance(value, str):
        value = _json(value, list) or re.split(r"\n|\r|•|\s\|\s", _BREAK.sub("\n", value[:MAX_READ]))
    if not isinstance(value, list):
        return ()
    found = (text(member, MAX_FEATURE) for member in value[: 4 * MAX_FEATURES])
    return tuple(dict.fromkeys(filter(None, found)))[:MAX_FEATURES]


def sentences(value: Any) -> tuple[str, ...]:
    """Return the first sentences of a description, as features of a product that lists none."""
    whole = " ".join(text(member, MAX_READ) for member in value[:20]) if isinstance(value, list) else text(value, MAX_READ)
    parts = re.split(r"(?<=[.!?])\s+", whole[:2000])
    return tuple(dict.fromkeys(text(part, MAX_FEATURE) for part in parts if len(part) > 3))[:3]


def category(department: Any, value: Any) -> str:
    """Return "Department > Group > Leaf", at most four levels; "" where nothing is known."""
    if isinstance(value, str):
        value = _json(value, list) or re.split(r"\s*[>|]\s*|\s+/\s+", html.unescape(value[:MAX_READ]))
    levels = [text(member, 60) for member in value] if isinstance(value, list) else []
    levels = [level for level in levels if level and not level.isdecimal()]
    first = text(department, 60)
    if not levels and first:
        levels = [first]
    return " > ".join(dict.fromkeys([*levels[:3], levels[-1]] if len(levels) > 4 else levels))


def price(value: Any, currency: str, repair: Repair) -> float | None:
    """Return US dollars; None, told, for another currency or what is no price; the lowest of a range, told."""
    amounts: list[float] = []
    words = currency
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        amounts = [-1.0 if (found := _float(value)) is None else found]
    elif isinstance(value, str):
        if value.strip().lower() in _NOTHING:
            return None
        words = value if "$" in value or _OTHER_MONEY.search(value) or "usd" in value.lower() else f"{value} {currency}"
        amounts = [_amount(digits) for digits in _NUMBER.findall(value[:200])]
        if re.match(r"\s*\D{0,4}-\s*\d", value):
            amounts = [-1.0]
    elif value is None:
        return None
    if _OTHER_MONEY.search(words) or (words == currency and currency != "USD"):
        repair("price not in US dollars")
        return None
    if not amounts or not all(0 <= amount <= MAX_PRICE_USD for amount in amounts):
        repair("price not usable")
        return None
    if len(amounts) > 1 or (isinstance(value, str) and re.search(r"[a-z]{3}", value.lower().replace("usd", ""))):
        repair("price with words, lowest number taken")
    return round(min(amounts), 2) or None


def _amount(digits: str) -> float:
    """Read "1,299.00", "1.299,00", "1 299" and "12,99": the last sign with one or two digits behind it parts the cents."""
    digits = re.sub(r"['\s]", "", digits).rstrip(".,")
    whole, cents = digits, ""
    if mark := re.fullmatch(r"(.*)[.,](\d{1,2})", digits):
        whole, cents = mark.groups()
    return float(f"{re.sub(r'[.,]', '', whole) or '0'}.{cents or '0'}")


def rating(value: Any, repair: Repair) -> float | None:
    """Return 0 to 5; "4.5 out of 5 stars" is read, anything else left out and told."""
    found = _plain_number(value)
    if found is not None and not 0 <= found <= MAX_RATING:
        repair("rating not from 0 to 5")
        return None
    return found or None


def count(value: Any, repair: Repair) -> int:
    """Return a whole number from 0; 0, told, for what is none."""
    if isinstance(value, str):
        value = value.replace(",", "")
    found = _plain_number(value)
    if found is not None and not 0 <= found <= MAX_RATING_COUNT:
        repair("count of ratings not usable")
        return 0
    return int(found or 0)


def fraction(value: Any) -> float | None:
    """Return a number from 0 to 1, or None."""
    found = _plain_number(value)
    return found if found is not None and 0 <= found <= 1 else None


def _plain_number(value: Any) -> float | None:
    if isinstance(value, str) and (found := re.match(r"\s*(-?\d+(?:\.\d+)?)", value[:40])):
        return float(found[1])
    return _float(value) if isinstance(value, int | float | Decimal) and not isinstance(value, bool) else None


def _float(value: int | float | Decimal) -> float | None:
    """Return a number as a float, infinity where it is too large for one; None for NaN."""
    try:
        found = float(value)
    except OverflowError:
        return math.inf
    except ValueError:  # a Decimal's signalling NaN
        return None
    return None if math.isnan(found) else found


def link(value: Any, repair: Repair, what: str = "link") -> str | None:
    """Return a web address of http or https with a host; None, told, for anything else that is there."""
    if value is None or value == "":
        return None
    address = html.unescape(value.strip()) if isinstance(value, str) else ""
    if len(address) <= MAX_LINK and address.isprintable() and _LINK.fullmatch(address):
        return address
    repair(f"{what} not usable")
    return None


def image(value: Any, repair: Repair) -> str | None:
    """Return the address of the main picture: of a text, a list, or what Amazon Reviews 2023 has."""
    for candidate in _pictures(value):
        return link(candidate, repair, "image")
    return None


def _pictures(value: Any) -> Iterator[Any]:
    """Yield candidates, the best first."""
    if isinstance(value, str):
        if (found := _json(value, list) or _json(value, dict)) is not None:
            yield from _pictures(found)
        else:
            yield re.split(r"[,\s]+(?=https?://)", value.strip())[0]
    elif isinstance(value, dict):  # one picture with its sizes, or (in Parquet) a list for every size
        sizes = [value.get(size) for size in ("large", "hi_res", "url", "src", "thumb")]
        yield from (member for size in sizes for member in (size if isinstance(size, list) else [size]) if member)
    elif isinstance(value, list):
        main = [m for m in value if isinstance(m, dict) and m.get("variant") == "MAIN"]
        for member in [*main, *value]:
            yield from _pictures(member)


def attributes(value: Any, repair: Repair) -> dict[str, AttributeValue]:
    """Return named facts; members of other types are left out and told."""
    if isinstance(value, str):
        value = _json(value, dict) or ({} if value.strip() in {"", "{}"} else value)
    if value is None:
        return {}
    if not isinstance(value, dict):
        repair("details are no object")
        return {}
    found: dict[str, AttributeValue] = {}
    for key, member in value.items():
        name, fact = text(key, 60), _fact(member)
        if name and fact is not None and len(found) < MAX_ATTRIBUTES:
            found[name] = fact
        elif member is not None:
            repair("member of details left out")
    return found


def _fact(value: Any) -> AttributeValue | None:
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        size = _float(value)
        return value if size is not None and abs(size) < 1e15 else None
    if isinstance(value, list):
        return tuple(filter(None, (text(member, MAX_FEATURE) for member in value[:20]))) or None
    return text(value, MAX_FEATURE) or None


def _json(value: str, kind: type) -> Any:
    """Return the JSON list or object that a text holds, or None."""
    if not value.lstrip().startswith("[" if kind is list else "{"):
        return None
    try:
        found = json.loads(value)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, kind) else None
