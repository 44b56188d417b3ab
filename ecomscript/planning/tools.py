"""A change of a plan in free words: a language model names it as typed calls over handles of what is on the page, and writes no product."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, fields
from typing import Any, Literal

from ecomscript.errors import LanguageModelError
from ecomscript.llm.chat import CUT, NOT_JSON, ChatModel, ChatOptions, Heard, Message, held_back, listen, with_repair
from ecomscript.llm.templates import PROMPTS, Templates
from ecomscript.planning.draft import FAULTS, fault_of
from ecomscript.planning.parse import MOST_OBJECTS, decoded
from ecomscript.request import clean_text
from ecomscript.schema import NO_USAGE, Constraints, Usage

MOST_CALLS = 8
"""Calls of one answer that count."""
MAX_TOKENS = 800
ATTEMPTS = 2
SHOWN_BACK = 2000
"""Characters of an unusable answer that the model sees again."""
UNKNOWN_CALL = "There is no such call, or it lacks a part."
UNKNOWN_HANDLE = "There is no such step or product in the plan."
UNUSABLE = "Say it in other words, or change the steps by hand."

Wish = Literal["cheaper", "better rated", "other"]
WISHES: tuple[Wish, ...] = ("cheaper", "better rated", "other")
CONSTRAINTS = tuple(f.name for f in fields(Constraints) if f.name not in {"country", "pet_weight_kg"})
"""Those that ``refine.in_words`` can say."""
_FIELDS = tuple(f.name for f in fields(Constraints))


@dataclass(frozen=True, slots=True)
class AddStep:
    """One more step."""

    text: str


@dataclass(frozen=True, slots=True)
class RemoveStep:
    """Take a step away."""

    step: str


@dataclass(frozen=True, slots=True)
class RenameStep:
    """Give a step another text."""

    step: str
    text: str


@dataclass(frozen=True, slots=True)
class SetConstraint:
    """Demand something; the value has yet to be checked."""

    name: str
    value: Any


@dataclass(frozen=True, slots=True)
class SwapProduct:
    """Find something else for the place of a product."""

    product: str
    wish: Wish


@dataclass(frozen=True, slots=True)
class Ask:
    """Ask the person back."""

    question: str


Call = AddStep | RemoveStep | RenameStep | SetConstraint | SwapProduct | Ask


@dataclass(frozen=True, slots=True)
class Table:
    """What the model is told of a plan.

    Attributes:
        change: What the person asks for.
        goal: What the plan is for.
        steps: Text of each step by its handle ("s1" …).
        products: What is shown of each product, by its handle ("p1" …): title, step, price and rating.
        constraints: What holds.
        done: What of the change was done already, in the person's words.
        visitor: On whose behalf.
    """

    change: str
    goal: str
    steps: Mapping[str, str]
    products: Mapping[str, Mapping[str, Any]]
    constraints: Constraints
    done: str = ""
    visitor: str = field(default="", repr=False)

    def data(self) -> str:
        """Return it as one JSON object."""
        held = {name: value for name in _FIELDS if (value := getattr(self.constraints, name)) not in (None, False, ())}
        data = {"goal": self.goal, "constraints": held, "steps": self.steps, "products": self.products, "change": self.change}
        return json.dumps({**data, "done": self.done} if self.done else data, ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class Choice:
    """What a model wants done.

    Attributes:
        calls: Calls whose form is right and whose handles are on the table, at most ``MOST_CALLS``.
        left_out: How many others there were.
    """

    calls: tuple[Call, ...]
    left_out: int = 0


class ToolChooser:
    """Asks a language model for the calls.

    Args:
        model: The model.
        unsafe: Whether a text must not be shown.
        timeout_s: Most seconds for both answers together.
    """

    def __init__(self, model: ChatModel, unsafe: Callable[[str], bool], timeout_s: float = 60.0) -> None:
        self._model, self._unsafe, self._timeout_s = model, unsafe, timeout_s
        self._prompts = Templates.load(PROMPTS / "tools.yaml", ("rules", "ask", "repair"))

    def choose(self, table: Table) -> Generator[Usage, None, Choice]:
        """Yield the tokens so far while the model writes, and return what it wants done.

        An answer that cannot be read is asked for again once.

        Raises:
            LanguageModelError: The model could not be asked, or neither answer can be used.
        """
        deadline, spent = time.monotonic() + self._timeout_s, NO_USAGE
        values = {"constraints": ", ".join(CONSTRAINTS), "wishes": ", ".join(f'"{wish}"' for wish in WISHES), "most": MOST_CALLS}
        messages = [
            Message("system", self._prompts.render("rules", values)),
            Message("user", self._prompts.render("ask", {"data": table.data()})),
        ]
        for _ in range(ATTEMPTS):
            heard = yield from self._answer(messages, table, deadline, spent)
            spent += heard.reply.usage
            choice, faults = self._read(heard, table)
            if not faults:
                return choice
            messages = with_repair(messages, heard.text[:SHOWN_BACK], self._prompts.render("repair", {"faults": faults}))
        cause = f"The language model {self._model.name!r} gave no answer that can be used: {faults[0]}"
        raise LanguageModelError(cause, UNUSABLE, services_fault=False)

    def _answer(self, messages: Sequence[Message], table: Table, deadline: float, spent: Usage) -> Generator[Usage, None, Heard]:
        """Yield the tokens so far while one answer is read to its end, and return it."""
        left_s = max(0.1, deadline - time.monotonic())
        options = ChatOptions(schema=SCHEMA, max_tokens=MAX_TOKENS, temperature=0.0, timeout_s=left_s, visitor=table.visitor)
        heard = Heard()
        with closing(listen(self._model, messages, options)) as answer:
            for heard in answer:
                yield spent + heard.reply.usage
        if heard.reply.finish == "filter":
            raise held_back(self._model.name, UNUSABLE)
        return heard

    def _read(self, heard: Heard, table: Table) -> tuple[Choice, tuple[str, ...]]:
        """Return the calls of an answer, and why it is of no use where it is."""
        items = read_items(heard.text)
        if items is None:
            return Choice(()), (CUT if heard.reply.finish == "length" else NOT_JSON,)
        found = [self._call(item, table) for item in items[:MOST_CALLS]]
        calls = tuple(call for call in found if not isinstance(call, str))
        faults = tuple(dict.fromkeys(call for call in found if isinstance(call, str)))
        return Choice(calls, len(items) - len(calls)), () if calls else faults

    def _call(self, item: Any, table: Table) -> Call | str:  # noqa: PLR0911  (one a call)
        """Return the call that an object is, or what is wrong with it; parts that a call does not have are never looked at."""
        data: Mapping[str, Any] = item if isinstance(item, Mapping) else {}
        match data:
            case {"call": "add_step", "text": str(text)}:
                return self._text(text, table) or AddStep(_line(text))
            case {"call": "remove_step", "step": str(step)}:
                return RemoveStep(step) if step in table.steps else UNKNOWN_HANDLE
            case {"call": "rename_step", "step": str(step), "text": str(text)}:
                return self._text(text, table) or (RenameStep(step, _line(text)) if step in table.steps else UNKNOWN_HANDLE)
            case {"call": "set_constraint", "name": str(name), "value": value} if name in CONSTRAINTS:
                return SetConstraint(name, value)
            case {"call": "swap_product", "product": str(product), "wish": ("cheaper" | "better rated" | "other") as wish}:
                return SwapProduct(product, wish) if product in table.products else UNKNOWN_HANDLE
            case {"call": "ask", "question": str(question)}:
                return self._text(question, table) or Ask(_line(question))
        return UNKNOWN_CALL

    def _text(self, text: str, table: Table) -> str:
        """Return what is wrong with words that would be shown; "" when nothing is."""
        fault = fault_of(_line(text), f"{table.goal} {table.change}", self._unsafe)
        return "" if fault is None else FAULTS[fault]


def read_items(text: str) -> list[Any] | None:
    """Return the list of calls in an answer, whatever stands around it; None where there is no whole one."""
    at = -1
    for _ in range(MOST_OBJECTS):
        starts = [found for mark in "{[" if (found := text.find(mark, at + 1)) >= 0]
        if not starts:
            return None
        at = min(starts)
        value, end = decoded(text, at)
        if isinstance(value, Mapping) and isinstance(value.get("calls"), list):
            return list(value["calls"])
        if isinstance(value, list) and value and all(isinstance(call, Mapping) for call in value):
            return value
        at = at if value is None else end - 1
    return None


def _line(text: str) -> str:
    line = clean_text(text[:1000]).rstrip(".")
    return line[:1].upper() + line[1:]


def _schema(call: str, **parts: Mapping[str, Any]) -> dict[str, Any]:
    properties = {"call": {"type": "string", "enum": [call]}, **parts}
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


_WORDS: Mapping[str, Any] = {"type": "string"}
_ITEM = {
    "anyOf": [
        _schema("add_step", text=_WORDS),
        _schema("remove_step", step=_WORDS),
        _schema("rename_step", step=_WORDS, text=_WORDS),
        _schema("set_constraint", name={"type": "string", "enum": list(CONSTRAINTS)}, value={"type": ["string", "number", "boolean"]}),
        _schema("swap_product", product=_WORDS, wish={"type": "string", "enum": list(WISHES)}),
        _schema("ask", question=_WORDS),
    ]
}
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"calls": {"type": "array", "items": _ITEM}},
    "required": ["calls"],
    "additionalProperties": False,
}
