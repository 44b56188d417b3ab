"""A visitor of the running page without a browser: sends what the page's own script sends, and reads what it would show."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx

from ecomscript.errors import EcomScriptError

TIMEOUT_S = 120.0
LONGEST_CHAIN = 4
"""Events that follow an event, one after the other."""


class VisitError(EcomScriptError):
    """The page answered with an error, or with something that no page says."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What an event brought.

    Attributes:
        shown: New value by the ``elem_id`` of its component; "ID.props" holds what is told to the script of a component beside its value.
        seconds: From the click to the end.
        waited: Whether others were in front of the click, by what the server says of the queue.
    """

    shown: Mapping[str, Any]
    seconds: float
    waited: bool


@dataclass(frozen=True, slots=True)
class PageMap:
    """Where the events of the page lead, from what the server tells of it.

    Attributes:
        names: Component → ``elem_id``.
        events: (``elem_id``, event) → number of its function.
        inputs: Function → components that it is given; a state is None for a visitor.
        outputs: Function → components that it fills.
        follows: Function → functions that run after it.
    """

    names: Mapping[int, str]
    events: Mapping[tuple[str, str], int]
    inputs: Mapping[int, Sequence[int]]
    outputs: Mapping[int, Sequence[int]]
    follows: Mapping[int, Sequence[int]]

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> PageMap:
        """Read Gradio's ``/config``."""
        names = {component["id"]: component["props"].get("elem_id") or component["type"] for component in config["components"]}
        functions = [d for d in config["dependencies"] if d["backend_fn"]]
        events: dict[tuple[str, str], int] = {}
        follows: dict[int, list[int]] = {}
        for function in functions:
            for component, event in function["targets"]:
                if component in names:
                    events.setdefault((names[component], event), function["id"])
            if function.get("trigger_after") is not None:
                follows.setdefault(function["trigger_after"], []).append(function["id"])
        return cls(names, events, {d["id"]: d["inputs"] for d in functions}, {d["id"]: d["outputs"] for d in functions}, follows)


@dataclass(slots=True)
class Visitor:
    """One session of the page.

    Args:
        client: Talks to the server; its ``base_url`` is the address of the page.
        page: Where events lead.
    """

    client: httpx.AsyncClient
    page: PageMap
    session: str = field(default_factory=lambda: uuid4().hex)

    async def send(self, component: str, event: str, payload: Any = None, values: Mapping[str, Any] | None = None) -> Answer:
        """Do what a click does, with all that follows it on the page.

        Args:
            component: ``elem_id`` of what is clicked.
            event: Name of its event.
            payload: Data of the event.
            values: Contents of the form by ``elem_id``.

        Raises:
            VisitError: The page shows an error.
        """
        started = time.perf_counter()
        function = self.page.events[component, event]
        shown: dict[str, Any] = {}
        waited = False
        todo = [function]
        for _ in range(LONGEST_CHAIN):
            for one in todo:
                outputs, behind = await self._run(one, payload if one == function else None, values or {})
                waited |= behind and one == function
                shown.update(outputs)
            todo = [after for one in todo for after in self.page.follows.get(one, ())]
        return Answer(shown, time.perf_counter() - started, waited)

    async def leave_during(self, component: str, event: str, values: Mapping[str, Any]) -> None:
        """Click, and close the page at the first sign of an answer."""
        await self._join(self.page.events[component, event], None, values)
        with contextlib.suppress(httpx.HTTPError):
            async with self._stream() as stream:
                async for line in stream.aiter_lines():
                    if "process_generating" in line:
                        return

    async def _run(self, function: int, payload: Any, values: Mapping[str, Any]) -> tuple[dict[str, Any], bool]:
        event_id = await self._join(function, payload, values)
        waited = False
        async with self._stream() as stream:
            async for line in stream.aiter_lines():
                message = json.loads(line.removeprefix("data:")) if line.startswith("data:") else {}
                if message.get("event_id") != event_id:
                    continue
                waited |= message["msg"] == "estimation" and message["rank"] > 0
                if message["msg"] == "process_completed":
                    return dict(self._named(function, message)), waited
        raise VisitError("The page ended its answer before it was complete", "Look into the log of the server.")

    async def _join(self, function: int, payload: Any, values: Mapping[str, Any]) -> str:
        data = [values.get(self.page.names[component]) for component in self.page.inputs[function]]
        body = {"data": data, "fn_index": function, "session_hash": self.session, "event_data": payload}
        answer = await self.client.post("/gradio_api/queue/join", json=body)
        if answer.status_code != httpx.codes.OK:
            raise VisitError(f"The page refuses an event ({answer.status_code}: {answer.text[:200]})", "Look into the log of the server.")
        return str(answer.json()["event_id"])

    def _stream(self) -> contextlib.AbstractAsyncContextManager[httpx.Response]:
        return self.client.stream("GET", "/gradio_api/queue/data", params={"session_hash": self.session})

    def _named(self, function: int, message: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
        if not message["success"]:
            said = message["output"].get("error") or "no reason"
            raise VisitError(f"The page says: {said}", "Look into the log of the server.")
        for component, value in zip(self.page.outputs[function], message["output"]["data"], strict=True):
            name = self.page.names[component]
            if not isinstance(value, Mapping):
                yield name, value
                continue
            if "value" in value:
                yield name, value["value"]
            if "props" in value:
                yield f"{name}.props", value["props"]


def connect(url: str) -> httpx.AsyncClient:
    """Return a client of one visitor, with connections of its own."""
    return httpx.AsyncClient(base_url=url, timeout=TIMEOUT_S)


async def read_page(url: str) -> PageMap:
    """Return where the events of the page at ``url`` lead."""
    async with connect(url) as client:
        return PageMap.of((await client.get("/config")).json())
