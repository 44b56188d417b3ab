"""Is this English, another language that a small glossary knows a little of, or no language at all?"""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ecomscript.planning.text import load_data, load_lines

_LETTERS = re.compile(r"[^\W\d_]+")
_SCRIPTS = (("zh", "一-鿿㐀-䶿"), ("ja", "぀-ヿ"), ("ko", "가-힣ᄀ-ᇿ"), ("ru", "Ѐ-ӿ"), ("ar", "؀-ۿ"), ("hi", "ऀ-ॿ"))
_OTHER_SCRIPTS = re.compile(r"[Ͱ-Ͽ\u0530-\u05ff\u0980-\u0dff\u0e00-\u0eff\u10a0-\u10ff\u1780-\u17ff]")
_MASH = re.compile(r"(?:asdf|sdfg|dfgh|fghj|ghjk|hjkl|qwer|wert|erty|zxcv|xcvb|cvbn|lkjh|poiu|uiop)|(.)\1{3,}|[bcdfghjklmnpqrstvwxz]{6,}")
KNOWN_ENGLISH = 0.5  # share of words that are in the vocabulary
SENSIBLE = 0.75  # share of words that are known or at least look like words
FEW_WORDS = 4  # so few unknown words may be names of things
SURELY_ENGLISH = 0.9
NONSENSE = 0.34  # below this share, and with no other language in sight, a text says nothing


@dataclass(frozen=True, slots=True)
class Language:
    """What language a text is in.

    Attributes:
        code: ISO 639-1 code; "en" also when in doubt; "" when the text is in no language.
        english: For other languages: the English words for what was understood, in the order of the text.
        understood: How many different concepts of the glossary the text names.
    """

    code: str
    english: str = ""
    understood: int = 0


@cache
def _glossary() -> dict[str, dict[str, str]]:
    """Return language → word → English concept, from the table ``data/glossary.psv`` (one concept a line, "," between synonyms)."""
    header, *rows = (Path(__file__).parent / "data" / "glossary.psv").read_text("utf-8").splitlines()
    codes = header.split("|")[1:]
    glossary: dict[str, dict[str, str]] = {code: {} for code in codes}
    for row in rows:
        concept, *cells = row.split("|")
        for code, cell in zip(codes, cells, strict=True):
            for word in cell.split(","):
                glossary[code].setdefault(word.lower(), concept)
    return glossary


@cache
def _bigrams() -> dict[str, float]:
    counts: Counter[str] = Counter()
    for word in load_lines("vocabulary.txt"):
        padded = f"^{word}$"
        counts.update(padded[i : i + 2] for i in range(len(padded) - 1))
    total = sum(counts.values())
    return {pair: math.log(count / total) for pair, count in counts.items()}


def plausible(word: str) -> bool:
    """Return whether the letters of a word follow each other as in English words (no keyboard mash)."""
    padded = f"^{word.lower()}$"
    scores = [_bigrams().get(padded[i : i + 2], -14.0) for i in range(len(padded) - 1)]
    return not _MASH.search(word.lower()) and sum(scores) / len(scores) > -7.0 and min(scores) > -12.0


def detect(text: str) -> Language:
    """Return the language of a text, with a rough English rendering when it is one of the glossary's."""
    words = [word.lower() for word in _LETTERS.findall(text)]
    if not words:
        return Language("")
    for code, letters in _SCRIPTS:
        share = len(re.findall(f"[{letters}]", text)) / sum(map(len, words))
        if share > (0.1 if code == "zh" else 0.3):
            return _translated(text, "ja" if code == "zh" and re.search("[぀-ヿ]", text) else code)
    return Language("other") if _OTHER_SCRIPTS.search(text) else _in_latin_letters(text, words)


def _in_latin_letters(text: str, words: list[str]) -> Language:
    english = load_lines("vocabulary.txt")
    known = sum(word in english for word in words) / len(words)
    code, marks = _latin_language(words) if known < SURELY_ENGLISH else ("en", 0)
    if marks and (known < KNOWN_ENGLISH or marks >= max(2, 0.4 * len(words))):
        return _translated(text, code)
    sensible = sum(word in english or plausible(word) for word in words) / len(words)
    many = len(words) > FEW_WORDS
    if known < NONSENSE and sensible < SENSIBLE and (many or known == 0):
        return Language("")
    return Language("other" if known < NONSENSE and many else "en")


def _latin_language(words: list[str]) -> tuple[str, int]:
    """Return the language with the most function words and glossary words that English does not have, and their number."""
    english = load_lines("vocabulary.txt")
    scores = {}
    for code, marks in load_data("languages.yaml")["marks"].items():
        own = set(marks.split())
        concepts = _glossary()[code]
        scores[code] = sum(word in own or (word in concepts and word not in english) for word in words)
    best = max(scores, key=lambda code: scores[code])
    return best, scores[best]


_CROWD = ("people", "friends", "kids")
_CJK_NUMBERS = {sign: value for value, sign in enumerate("一二三四五六七八九十", start=1)} | {"两": 2}
_MONEY = re.compile(
    r"[$€£] ?(\d{2,5})|(?<!\d)(\d{2,5}) ?(?:[$€£]|euros?|dólares|dolares|dollars?|dollar|dolar|美元|欧元|ドル|달러|долларов|евро)"
)
_INFLECTED = {
    "ru": (1, 4),
    "pl": (1, 4),
    "ar": (0, 4),
    "tr": (0, 6),
    "de": (0, 4),
    "nl": (0, 3),
    "hi": (0, 2),
    "id": (0, 3),
}  # letters that an ending replaces, adds


def _translated(text: str, code: str) -> Language:
    lower = text.lower()
    found = [(match.start(), concept) for word, concept in _glossary()[code].items() if (match := _inflected(word, code).search(lower))]
    ordered = list(dict.fromkeys(concept for _, concept in sorted(found) if concept != "people"))
    return Language(code, " ".join([*ordered, *_amounts(lower, code)]), len(ordered))


def _amounts(lower: str, code: str) -> list[str]:
    """Return the number of people and the budget of a text as English phrases that the rules for constraints read."""
    said = []
    crowd = "|".join(re.escape(word) for word, concept in _glossary()[code].items() if concept in _CROWD)
    if match := re.search(rf"(?<!\d)(\d{{1,3}})\s?(?:个|位|名|人の)?(?:{crowd})", lower):
        said.append(f"for {match[1]} people")
    elif match := re.search(rf"([{''.join(_CJK_NUMBERS)}])(?:来|几)?(?:个|位|名|人)", lower):
        said.append(f"for {_CJK_NUMBERS[match[1]]} people")
    if match := _MONEY.search(lower):
        said.append(f"under {match[1] or match[2]} dollars")
    return said


@cache
def _inflected(word: str, code: str) -> re.Pattern[str]:
    if code in ("zh", "ja", "ko"):
        return re.compile(re.escape(word))
    less, more = _INFLECTED.get(code, (0, 0)) if len(word) > 3 else (0, 0)
    prefix = r"(?:ال|و|ل|ب|لل)?" if code == "ar" else ""
    return re.compile(rf"(?<!\w){prefix}{re.escape(word[: len(word) - less])}\w{{0,{more}}}(?!\w)")
