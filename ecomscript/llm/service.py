"""A chat with a service that speaks OpenAI's protocol: OpenAI, Azure, vLLM, Ollama, llama.cpp, routers."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Generator, Mapping, Sequence
from functools import cache
from queue import SimpleQueue
from typing import Any
from urllib.parse import urlsplit

from openai import APIStatusError, AsyncOpenAI, Timeout
from openai.types.chat import ChatCompletionChunk

from ecomscript.errors import LanguageModelError
from ecomscript.llm.chat import MAX_ANSWER_CHARS, ChatOptions, Delta, Message, Piece, Reply, guess_usage, relay
from ecomscript.llm.prices import cost_usd
from ecomscript.llm.protocol import MOST_TOKENS, OPENAI, finish_of, response_format
from ecomscript.llm.service_errors import broke_off, explain, is_too_long, not_a_chat, refused_parameter
from ecomscript.schema import Usage

RETRIES = 2
"""Of the client, before an answer has begun: after 408, 409, 429, 5xx and broken connections, with growing pauses and jitter."""
CONNECT_TIMEOUT_S = 5.0
NO_KEY = "none"
"""Sent where a service needs no key; the client insists on one."""
_FORMS = ("json_schema", "json_object", "")
"""Ways to ask for JSON, the strictest first; a service that refuses one is asked the next way from then on."""


class ServiceChat:
    """A model behind HTTP.

    Args:
        model: Its name at the service.
        api_key: The key; "" where none is needed.
        base_url: Address of the service; "" for OpenAI.
        retries: How often a question is asked again before its answer has begun.
    """

    def __init__(self, model: str, api_key: str, base_url: str = "", retries: int = RETRIES) -> None:
        self.name = model
        self._host = urlsplit(base_url or OPENAI).netloc
        self._client = AsyncOpenAI(api_key=api_key or NO_KEY, base_url=base_url or OPENAI, max_retries=retries)
        self._loop = _loop()  # the client's connections belong to one loop
        self._own = self._host == urlsplit(OPENAI).netloc
        self._form = 0
        self._refused: frozenset[str] = frozenset()

    def chat(self, messages: Sequence[Message], options: ChatOptions) -> Generator[Piece, None, None]:
        """Yield the answer as it arrives; see ``ChatModel``. Closing the iterator closes the request."""
        inbox: SimpleQueue[Piece | LanguageModelError] = SimpleQueue()
        task = asyncio.run_coroutine_threadsafe(self._ask(inbox.put, messages, options), self._loop)
        yield from relay(inbox, task.cancel)

    def cost_usd(self, prompt_tokens: int, completion_tokens: int) -> float | None:
        """Return the estimated cost by OpenAI's list prices; None for other services, whose prices are their own."""
        return cost_usd(self.name, prompt_tokens, completion_tokens) if self._own else None

    def close(self) -> None:
        """Give back the connections; what is still being asked breaks off."""
        asyncio.run_coroutine_threadsafe(self._client.close(), self._loop)

    async def _ask(self, put: Callable[[Piece | LanguageModelError], None], messages: Sequence[Message], options: ChatOptions) -> None:
        try:
            async with asyncio.timeout(options.timeout_s):
                await self._answer(put, messages, options)
        except LanguageModelError as error:
            put(error)
        except Exception as error:  # the border to somebody else's server: whatever it makes the client raise
            put(explain(error, self._host, self.name, options.timeout_s))

    async def _answer(self, put: Callable[[Piece], None], messages: Sequence[Message], options: ChatOptions) -> None:
        answer, usage, finish = "", None, None
        logprobs: dict[str, float] = {}
        async with await self._open(messages, options) as stream:
            async for chunk in stream:
                usage = self._usage(chunk) or usage
                choice = chunk.choices[0] if chunk.choices else None
                if choice is None:
                    continue
                if isinstance(text := choice.delta.content, str) and text:
                    logprobs = logprobs or _first_logprobs(choice)
                    answer += text
                    put(Delta(text))
                finish = choice.finish_reason or finish
                if len(answer) > MAX_ANSWER_CHARS:
                    finish = "length"
                    break
        if finish is None:
            raise not_a_chat(self._host) if not answer and usage is None else broke_off(self._host)
        put(Reply(usage or guess_usage(messages, answer, self.cost_usd), finish_of(finish), logprobs))

    async def _open(self, messages: Sequence[Message], options: ChatOptions) -> Any:
        """Start the answer, and leave out what the service has refused to understand."""
        while True:
            request = self._request(messages, options)
            try:
                return await self._client.chat.completions.create(**request)
            except APIStatusError as error:
                if is_too_long(error) or not self._give_way(error, request):
                    raise

    def _request(self, messages: Sequence[Message], options: ChatOptions) -> dict[str, Any]:
        request: dict[str, Any] = {
            "model": self.name,
            "messages": [{"role": message.role, "content": message.content} for message in messages],
            "stream": True,
            "stream_options": {"include_usage": True},
            "temperature": options.temperature,
            "max_completion_tokens" if self._own else "max_tokens": options.max_tokens,
            "timeout": Timeout(options.timeout_s, connect=CONNECT_TIMEOUT_S),
        }
        if options.top_logprobs:
            request |= {"logprobs": True, "top_logprobs": options.top_logprobs}
        if options.schema is not None and (form := response_format(_FORMS[self._form], options.schema)):
            request["response_format"] = form
        return {name: value for name, value in request.items() if name not in self._refused}

    def _give_way(self, error: APIStatusError, request: Mapping[str, Any]) -> bool:
        """Remember what not to send again after a refused request; return False when there is nothing left to leave out.

        A server's own fault (500) counts as a refusal where it names a part of the request: llama-cpp-python's does that.
        """
        parameter = refused_parameter(error, request)
        refused = error.status_code in {400, 422}
        if not refused and not (error.status_code == 500 and parameter):
            return False
        if "response_format" in request and parameter in {"response_format", ""}:
            self._form += 1
            return True
        if parameter:
            self._refused |= {"logprobs", "top_logprobs"} if "logprobs" in parameter else {parameter}
            return True
        return False

    def _usage(self, chunk: ChatCompletionChunk) -> Usage | None:
        told = chunk.usage
        counts = () if told is None else (told.prompt_tokens, told.completion_tokens)
        if not counts or not all(isinstance(count, int) and 0 <= count <= MOST_TOKENS for count in counts):
            return None
        return Usage(1, counts[0], counts[1], self.cost_usd(*counts))


def _first_logprobs(choice: Any) -> dict[str, float]:
    """Return log-probability by token for the first token of an answer; nothing where the service does not tell them."""
    told = choice.logprobs.content if choice.logprobs else None
    best: dict[str, float] = {}
    for candidate in (told[0].top_logprobs or ()) if told else ():
        token = candidate.token.strip()
        best[token] = max(best.get(token, -1e9), float(candidate.logprob))
    return best


@cache
def _loop() -> asyncio.AbstractEventLoop:
    """Return the event loop, in a thread of its own, in which all requests run: there they can be cancelled at any moment."""
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="language-model", daemon=True).start()
    return loop
