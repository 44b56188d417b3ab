"""Lists of things in free text: what the person has and what the person does not want.

A trigger ("already have", "no", "without") is followed or preceded by a list of noun phrases. A phrase is a run of words up to a
stop word; lists go on over "and", "or" and commas as long as what follows is a whole phrase itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cache

from ecomscript.planning.numbers import Span
from ecomscript.planning.text import load_data, load_lines, pattern
from ecomscript.words import singular, tokens

MAX_WORDS = 4  # of one phrase
MAX_THINGS = 12  # of one list
_TOKEN = re.compile(r"[^\W_][\w'’.-]*[^\W_.]|[^\W_]|[&/,]|[^\w\s]|\n")
_ARTICLES = frozenset(["a", "an", "the"])
_JOIN = frozenset(["and", "or", "&", "/", "nor", "plus"])


@dataclass(frozen=True, slots=True)
class Thing:
    """A noun phrase in lower case, and the span of the text that says it, trigger included.

    ``is_topic`` marks what the goal is about ("a stand for my bike"): known to be there, but its words belong to the search.
    """

    phrase: str
    span: Span
    is_topic: bool = False


@dataclass(frozen=True, slots=True)
class _Token:
    text: str
    start: int
    end: int


@cache
def _words(name: str) -> frozenset[str]:
    return frozenset(str(load_data("phrases.yaml")[name]).split())


@cache
def _things() -> frozenset[str]:
    return frozenset(tokens(line)[-1] for line in load_lines("things.txt"))


def _is_thing(phrase: str) -> bool:
    folded = tokens(phrase)
    return bool(folded) and folded[-1] in _things()


def _may_be_left_out(phrase: str) -> bool:
    folded = tokens(phrase)
    return bool(folded) and (folded[-1] in _things() or folded[-1] in load_lines("substances.txt"))


def _is_thing_or_doing(phrase: str) -> bool:
    return _is_thing(phrase) or (phrase.endswith("ing") and " " not in phrase)


def _named(phrase: str) -> bool:
    first, last = phrase.split(" ", 1)[0], phrase.rsplit(" ", 1)[-1]
    if first.endswith("ing") and first != last and first not in _words("doing_names"):
        return False
    return last not in _words("no_things") and singular(last) not in _words("no_things") and len(phrase) > 1


def _any(_: str) -> bool:
    return True


def read_owned(text: str) -> tuple[Thing, ...]:
    """Return what the text says that the person already has, in order and without repeats."""
    data = load_data("phrases.yaml")
    denied = re.compile(r"(?<!\w)(?:" + "|".join(data["not_owned_before"]) + r") (?:i |we |also |really |just )?$", re.IGNORECASE)
    regret = pattern(data["not_owned_after"])
    things: list[Thing] = []
    for group, accept in (("owned", _any), ("owned_if_thing", _is_thing), ("owned_topic", _is_thing)):
        for match in pattern(*data[group]).finditer(text):
            if denied.search(text[max(0, match.start() - 24) : match.start()]):
                continue
            found = _list_after(text, match, accept, commas=True)
            clause = re.split(r"[.,!?;\n]", text[found[-1].span[1] if found else match.end() :], maxsplit=1)[0]
            if group != "owned" and (regret.search(clause[:60]) or regret.search(text[max(0, match.start() - 20) : match.start()])):
                continue
            things += [replace(thing, is_topic=group == "owned_topic") for thing in found]
    for match in pattern(*data["owned_after"]).finditer(text):
        things += _list_before(text, match, _is_thing)
    return _unique(sorted((thing for thing in things if _named(thing.phrase)), key=lambda thing: thing.span))


def read_excluded(text: str) -> tuple[Thing, ...]:
    """Return what the text says that the person does not want or may not use, in order and without repeats."""
    data = load_data("phrases.yaml")
    lack = re.compile(r"(?<!\w)(?:" + "|".join(data["not_excluded_before"]) + r") $", re.IGNORECASE)
    things: list[Thing] = []
    for group, accept in (("exclude", _may_be_left_out), ("exclude_doing", _is_thing_or_doing), ("exclude_if_thing", _is_thing)):
        for match in pattern(*data[group]).finditer(text):
            if _is_lack(text, match, lack):
                continue
            things += _list_after(text, match, accept, commas=False)
    for match in pattern(*data["exclude_after"]).finditer(text):
        things += _list_before(text, match, _may_be_left_out)
    things += [Thing(m["n"].lower(), (m.start(), m.end())) for m in pattern(data["exclude_free"]).finditer(text)]
    return _unique(sorted((thing for thing in things if _named(thing.phrase)), key=lambda thing: thing.span))


_NOT_YET = re.compile(r"[^.!?;\n]{0,40}\b(?:yet|so far|whatsoever|at all)\b")
_TWICE_NOT = re.compile(r"\b(?:not|never|cannot)\b[^.!?;,\n]{0,40}$", re.IGNORECASE)


def _is_lack(text: str, match: re.Match[str], lack: re.Pattern[str]) -> bool:
    """Return whether "no", "without" … says what is missing ("we have no lamps yet") and not what is unwanted."""
    trigger, before = match[0].lower().split()[0], text[max(0, match.start() - 48) : match.start()]
    if trigger == "without":
        return _TWICE_NOT.search(before) is not None
    return trigger in ("no", "nothing") and (lack.search(before) is not None or _NOT_YET.match(text, match.end()) is not None)


def _unique(things: Iterable[Thing]) -> tuple[Thing, ...]:
    first: dict[str, Thing] = {}
    for thing in things:
        key = " ".join(tokens(thing.phrase))
        if key and (key not in first or first[key].is_topic):
            first[key] = thing
    return tuple(first.values())


def _tokens(text: str, start: int, end: int) -> list[_Token]:
    return [_Token(m[0], m.start(), m.end()) for m in _TOKEN.finditer(text, start, end)]


def _is_word(token: _Token) -> bool:
    return token.text[0].isalnum()


def _stops(token: _Token) -> bool:
    return not _is_word(token) or token.text.lower() in _words("stop")


def _phrase_at(items: list[_Token], index: int) -> tuple[str, int]:
    """Return the phrase that begins at ``index`` and the index behind it; an empty phrase when none begins there."""
    while index < len(items) and (items[index].text.lower() in _words("skip") or items[index].text.isdigit()):
        index += 1
    first = index
    while index < len(items) and not _stops(items[index]) and items[index].text.lower() not in _ARTICLES and index - first <= MAX_WORDS:
        index += 1
    if index - first > MAX_WORDS:
        return "", index
    return " ".join(token.text.lower() for token in items[first:index]), index


def _list_after(text: str, match: re.Match[str], accept: Callable[[str], bool], *, commas: bool) -> list[Thing]:
    items = _tokens(text, match.end(), min(len(text), match.end() + 300))
    things: list[Thing] = []
    held: list[Thing] = []  # behind a comma: part of the list only if the list goes on to an "and", or all are things that a shop sells
    index, joined = 0, True
    while len(things) + len(held) < MAX_THINGS:
        phrase, after = _phrase_at(items, index)
        ends = after >= len(items) or not _is_word(items[after]) or items[after].text.lower() in (_JOIN if commas else _JOIN | {"no"})
        whole = ends or not (things or held) or (accept is not _any and items[after].text.lower() in _words("prepositions"))
        if not phrase or not whole or not accept(phrase) or (not joined and commas and not _is_thing(phrase)):
            break
        thing = Thing(phrase, (match.start(), items[after - 1].end))
        if joined:
            things += [*held, thing]
            held = []
        else:
            held.append(thing)
        step = _joiner(items, after)
        if step is None:
            break
        index, joined = step
        if joined and not commas and items[index : index + 1] and items[index].text.lower() in _ARTICLES | {"my", "our"}:
            break
    return things + (held if commas else [])


def _joiner(items: list[_Token], index: int) -> tuple[int, bool] | None:
    """Return where the next phrase of a list begins and whether an "and" or "or" leads to it; None at the end of the list."""
    joined = False
    start = index
    while index < len(items) and (items[index].text.lower() in _JOIN or items[index].text == ","):
        joined = joined or items[index].text != ","
        index += 1
    return None if index in (start, len(items)) else (index, joined)


def _list_before(text: str, match: re.Match[str], accept: Callable[[str], bool]) -> list[Thing]:
    start = max(text.rfind(mark, 0, match.start()) for mark in ".!?;:\n(") + 1
    clause = text[max(start, match.start() - 160) : match.start()]
    parts = re.split(r"(,|\band\b|\bor\b|&|/)", clause)
    things: list[Thing] = []
    end, position = match.end(), match.start()
    for part in reversed(parts):
        position -= len(part)
        words = _TOKEN.findall(re.sub(r"\b(?:etc|itself|stuff)\b\.?", "", part))
        if part.strip().lower() in ("", ",", "and", "or", "&", "/"):
            continue
        items = [_Token(word, 0, 0) for word in words]
        phrase, after = _phrase_at(items, 0)
        if not phrase or after < len(items) or not accept(phrase) or re.match(r"\s*an? ", part):
            break
        lead = len(part) - len(part.lstrip())
        things.append(Thing(phrase, (position + lead, end)))
    return things[::-1]
