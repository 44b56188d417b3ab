"""What a person asks to change in a plan that they see: "cheaper", "no alcohol", "for 12", "remove step 3", read without a model."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, fields, replace
from typing import Any

from ecomscript.planning.constraints import read_constraints
from ecomscript.planning.numbers import ORDINALS, number
from ecomscript.planning.text import load_data, pattern, tidy
from ecomscript.schema import Constraints
from ecomscript.words import tokens

LAST_STEP = -1
_THING = re.compile(r"(?=.{2,40}$)[a-z]+(?:[ '-][a-z]+){0,3}", re.IGNORECASE)
"""What may be called a thing where no person has typed it: a few plain words."""


@dataclass(frozen=True, slots=True)
class Refinement:
    """What a text asks for; nothing at all where it was not understood.

    Attributes:
        constraints: What the text demands on top of what holds already.
        no_budget: Whether the budget no longer counts.
        allowed: Noun phrases that may be bought after all.
        cheaper: Whether products are to cost less.
        better: Whether products are to be better rated.
        added: Texts of steps to add, in the person's words.
        removed_steps: Numbers of steps to remove, counted from 1; ``LAST_STEP`` is the last.
        relative: Whether the text says by how much a number changes ("two more guests") and not what it is; it is then not read.
    """

    constraints: Constraints = field(default_factory=Constraints)
    no_budget: bool = False
    allowed: tuple[str, ...] = ()
    cheaper: bool = False
    better: bool = False
    added: tuple[str, ...] = ()
    removed_steps: tuple[int, ...] = ()
    relative: bool = False

    @property
    def changes_constraints(self) -> bool:
        """Whether it adds a constraint or takes one away."""
        return self.constraints != Constraints() or self.no_budget or bool(self.allowed)

    @property
    def is_empty(self) -> bool:
        """Whether nothing was understood."""
        return not (self.changes_constraints or self.cheaper or self.better or self.added or self.removed_steps)


def read_refinement(text: str) -> Refinement:
    """Return what a text asks to change. Never raises."""
    data = load_data("refine.yaml")
    parts = [part for part in re.split(data["next_change"], tidy(text), flags=re.IGNORECASE) if part.strip()]
    added: list[str] = []
    removed: list[int] = []
    rest: list[str] = []
    for part in parts:
        if step := re.match(data["remove_step"], part.strip(), re.IGNORECASE):
            removed.append(_step_number(step))
        elif (new := re.match(data["add"], part.strip(), re.IGNORECASE)) and not pattern(*data["relative"]).search(part):
            what = new["what"].strip()
            added.append(what[:1].upper() + what[1:] if new["step"] else f"Add {what}")
        else:
            rest.append(part.strip())
    said = _read("; ".join(rest), data)
    return replace(said, added=tuple(dict.fromkeys(added)), removed_steps=tuple(dict.fromkeys(removed)))


def refused(text: str, refusal: Callable[[str], tuple[str, ...]]) -> tuple[str, ...]:
    """Return what the gate says to a refinement that it refuses; nothing to any other.

    "No alcohol, for 12" is no party of children: changes that are each understood and each pass are not refused for standing together.

    Args:
        text: What was typed.
        refusal: The gate for one text.
    """
    notices = refusal(text)
    parts = [part.strip() for part in re.split(r"[,;.!]|\band\b", text) if part.strip()]
    if notices and len(parts) > 1 and all(_is_plain(part) and not refusal(part) for part in parts):
        return ()
    return notices


def unread(text: str, names: Collection[str] = ()) -> str:
    """Return the part of a refinement that the rules do not read: all of it, some clauses, or "".

    A clause is read when without it something else would be understood.

    Args:
        text: What was typed.
        names: Words for things on the page. A wish that names one of them is about that thing, and not, as the rules take it, about all.
    """
    data, said = load_data("refine.yaml"), read_refinement(text)
    if said.is_empty or said.relative:
        return text
    clauses = [clause.strip() for clause in re.split(data["clause"], tidy(text), flags=re.IGNORECASE)]
    chatter = re.compile(data["chatter"], re.IGNORECASE)
    clauses = [clause for clause in clauses if not chatter.fullmatch(clause)]
    if said.cheaper or said.better:
        wish = pattern(*data["cheaper"], *data["better"])
        if any(wish.search(clause) and set(tokens(wish.sub(" ", clause))) & set(names) for clause in clauses):
            return text
    left = [c for n, c in enumerate(clauses) if len(clauses) > 1 and read_refinement(", ".join((*clauses[:n], *clauses[n + 1 :]))) == said]
    return ", ".join(left)


def in_words(name: str, value: Any) -> str:
    """Return a constraint in words that ``read_refinement`` reads as that constraint; "" for one that it never reads.

    So whatever is put into such words is a value that the rules know, and a link or a new plan keeps it.

    Args:
        name: A field of ``Constraints``.
        value: A value of its type and bounds; of a list one with a single member.
    """
    member = value[0] if isinstance(value, tuple) and value else value
    if name in {"owned", "exclude"} and not _THING.fullmatch(str(member)):
        return ""
    wordings = [str(wording) for wording in load_data("refine.yaml")["in_words"].get(name, ())]
    texts = [wording.format(value=member) for wording in wordings] if isinstance(member, str | int | float) else []
    return next((text for text in texts if _says(read_refinement(text), name, value)), "")


def _says(said: Refinement, name: str, value: Any) -> bool:
    """Return whether a constraint is what was understood, and nothing else but what the catalogue takes for the same ("gluten-free")."""
    others = replace(said.constraints, **{"exclude": (), name: getattr(Constraints(), name)})
    return getattr(said.constraints, name) == value and replace(said, constraints=others) == Refinement()


def _is_plain(text: str) -> bool:
    """Return whether a text is a constraint or a wish and adds nothing."""
    said = read_refinement(text)
    return not said.is_empty and not said.added


def _read(text: str, data: dict[str, Any]) -> Refinement:
    """Return the constraints and wishes of a text without its edits."""
    if pattern(*data["relative"]).search(text):
        return Refinement(relative=True)
    no_budget = pattern(*data["no_budget"])
    cheaper, better = (bool(pattern(*data[wish]).search(text)) for wish in ("cheaper", "better"))
    allowed = tuple((m["n"] or m["m"]).lower().strip() for m in pattern(*data["allowed"]).finditer(text))
    lifted = bool(no_budget.search(text))
    text = pattern(*data["allowed"]).sub(" ", no_budget.sub(" ", text))
    for rule, plain in data["said_otherwise"].items():
        text = pattern(rule).sub(plain, text)
    constraints = read_constraints(text)
    if constraints == Constraints():  # of a plan on the table even an unusual thing is meant by "we have a bain-marie"
        constraints = read_constraints(pattern(data["have"]).sub("we already have ", text))
    return Refinement(constraints, lifted, allowed, cheaper, better)


def _step_number(found: re.Match[str]) -> int:
    if place := found["o"]:
        return LAST_STEP if place.lower() == "last" else ORDINALS[place.lower()]
    return int(number(found["n"]) or 0)


def merged(old: Constraints, said: Refinement) -> Constraints:
    """Return the constraints that hold after a refinement: single values and ages as said last, lists with what was added."""
    changes: dict[str, Any] = {}
    for f in fields(Constraints):
        before, new = getattr(old, f.name), getattr(said.constraints, f.name)
        if isinstance(new, tuple) and f.name != "ages":
            changes[f.name] = tuple(dict.fromkeys((*before, *new)))
        elif new not in (None, False, ()):
            changes[f.name] = new
    allowed = {" ".join(tokens(phrase)) for phrase in said.allowed}
    free = {f"exclude:{phrase}" for phrase in old.exclude if " ".join(tokens(phrase)) in allowed}
    return replace(old, **changes).without(frozenset(free | ({"budget_usd"} if said.no_budget else set())))
