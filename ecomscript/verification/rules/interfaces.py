"""Interfaces on which two things must agree (lens mounts, sockets, threads, sizes …), read from ``tables/interfaces/``.

Each interface has two sides: what "needs" a partner (a lens) and the "host" (a camera). A need that finds one agreeing host in the
bundle is content, whatever else is there; a host that does not say which kind it is leaves everything open, and a bridge (an adapter
as a third product) silences the mismatch. A side that is left out is every product. ``values`` are what both sides may say: a name
with its pattern, or patterns whose group is the value. ``goal`` is the host as an objective would name it; where both sides are bound
to words (``with``), the objective must say one of them, too. ``attribute`` is a key of the catalogue whose value says the same.
``bridged: false`` is for interfaces of adapters themselves, where an adapter in the bundle excuses nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import Any

from ecomscript.verification.rules.attributes import Facts, compiled, matches, tables
from ecomscript.verification.rules.registry import Finding, Rule

Reads = Mapping[str, str] | Sequence[str]

_VAGUE = r"^(?:any|all|several|most|many|various|universal)\b"


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """One side of an interface.

    Attributes:
        is_: What the text of such a product matches; None for any product.
        isnt: What it must not match.
        reads: Value → pattern, or patterns whose group is the value.
        attribute: The catalogue's attribute that holds the value; it wins over the text.
        raw: Whether a value of the attribute that no pattern reads counts as it stands (invented systems of the demo catalogue).
    """

    is_: str | None
    isnt: str | None
    reads: Reads
    attribute: str | None = None
    raw: bool = False

    def takes(self, product: Facts) -> bool:
        """Return whether a product stands on this side."""
        return (self.is_ is None or product.says(self.is_)) and (self.isnt is None or not product.says(self.isnt))

    def values(self, facts: Facts) -> frozenset[str]:
        """Return what the product (or an objective) says about the interface."""
        marked = facts.values(self.attribute) if self.attribute else ()
        if found := frozenset(value for text in marked for value in _read(text, self.reads)):
            return found
        definite = frozenset(text for text in marked if self.raw and not matches(_VAGUE, text))
        return definite if marked and self.raw else frozenset(_read(facts.text, self.reads))


def _read(text: str, reads: Reads) -> Iterator[str]:
    if isinstance(reads, Mapping):
        yield from (value for value, pattern in reads.items() if matches(pattern, text))
        return
    for pattern in reads:
        yield from (_one_order(match[1]) for match in compiled(pattern).finditer(text) if match[1])


def _one_order(value: str) -> str:
    """Return a value without spaces, sizes with the longest side first: "60 x 120" and "120 x 60" are one."""
    plain = "".join(value.split())
    sides = plain.split("x")
    return "x".join(sorted(sides, key=int, reverse=True)) if len(sides) > 1 and all(side.isdecimal() for side in sides) else plain


@dataclass(frozen=True, slots=True)
class Interface:
    """One interface of the tables, ready to be asked."""

    thing: str
    needs: Side
    host: Side
    both: str | None = None
    goal: str | None = None
    goal_only: bool = False
    equal: Mapping[str, str] = field(default_factory=dict)
    wider: Mapping[str, Sequence[str]] = field(default_factory=dict)
    bridged: bool = True

    def __call__(self, goal: Facts, bundle: Sequence[Facts]) -> Iterator[Finding]:
        """Yield every need that no host satisfies, with the first host that refuses it."""
        needs = [(place, values) for place, product in enumerate(bundle) if (values := self._values(self.needs, product))]
        hosts: list[tuple[int | None, frozenset[str]]] = []
        if needs and not self.goal_only:
            hosts += [(place, values) for place, product in enumerate(bundle) if (values := self._values(self.host, product))]
        if needs and self.goal and goal.says(self.goal) and (self.both is None or goal.says(self.both)):
            hosts += [(None, values)] if (values := self._same(self.host.values(goal))) else []
        silent = frozenset(place for place, product in enumerate(bundle) if hosts and self._is_silent_host(product))
        for place, needed in needs:
            if silent - {place}:
                continue
            others = [(other, offered) for other, offered in hosts if other != place]
            refusing = [other for other, offered in others if not needed & self._accepted(offered)]
            if refusing and len(refusing) == len(others) and not (self.bridged and _is_bridged(bundle)):
                yield self._finding(goal, bundle, place, refusing[0])

    def _is_silent_host(self, product: Facts) -> bool:
        """Return whether a product may be the partner but does not say which kind it is: then nothing is known to clash."""
        named = self.host.is_ is not None and not self.goal_only and self.host.takes(product)
        return named and (self.both is None or product.says(self.both)) and not self.host.values(product)

    def _values(self, side: Side, product: Facts) -> frozenset[str]:
        fitting = side.takes(product) and (self.both is None or product.says(self.both))
        return self._same(side.values(product)) if fitting else frozenset()

    def _same(self, values: frozenset[str]) -> frozenset[str]:
        return frozenset(self.equal.get(value, value) for value in values)

    def _accepted(self, offered: frozenset[str]) -> frozenset[str]:
        return offered | {narrow for value in offered for narrow in self.wider.get(value, ())}

    def _finding(self, goal: Facts, bundle: Sequence[Facts], place: int, other: int | None) -> Finding:
        partner = goal if other is None else bundle[other]
        have, want = " / ".join(sorted(self.needs.values(bundle[place]))), " / ".join(sorted(self.host.values(partner)))
        reason = f"The {self.thing} differs: {bundle[place].name} has {have}, {partner.name} has {want}."
        return Finding(place, other, reason)


def _is_bridged(bundle: Sequence[Facts]) -> bool:
    return any(product.says(tables()["bridges"]) for product in bundle)


def _side(row: Mapping[str, Any], name: str) -> Side:
    own = row.get(name, {})
    return Side(
        is_=own.get("is"),
        isnt=own.get("isnt", row.get("isnt")),
        reads=own["reads"] if "reads" in own else row["values"],
        attribute=row.get("attribute"),
        raw=row.get("raw", False),
    )


@lru_cache(maxsize=1)
def interfaces() -> dict[str, Rule]:
    """Return the interfaces by the names of their rules; several may share one."""
    by_name: dict[str, list[Interface]] = {}
    for row in tables()["interfaces"]:
        by_name.setdefault(row["rule"], []).append(_interface(row))
    return {name: partial(_differences, rows) for name, rows in by_name.items()}


def _differences(rows: Sequence[Interface], goal: Facts, bundle: Sequence[Facts]) -> Iterator[Finding]:
    for interface in rows:
        yield from interface(goal, bundle)


def _interface(row: Mapping[str, Any]) -> Interface:
    return Interface(
        thing=row["thing"],
        needs=_side(row, "needs"),
        host=_side(row, "host"),
        both=row.get("with"),
        goal=row.get("goal"),
        goal_only=row.get("only_goal", False),
        equal={member: group[0] for group in row.get("equal", []) for member in group},
        wider=row.get("wider", {}),
        bridged=row.get("bridged", True),
    )
