"""A chat with a model on this machine."""

from __future__ import annotations

import threading
import time
from collections.abc import Generator, Sequence
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

import torch
from transformers import StoppingCriteria, StoppingCriteriaList, TextIteratorStreamer

from ecomscript.errors import LanguageModelError
from ecomscript.llm.chat import ChatOptions, Delta, Message, Piece, Reply, relay
from ecomscript.llm.weights import load_causal
from ecomscript.schema import Usage

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

Inbox = SimpleQueue[Piece | LanguageModelError]
MOST_CONTEXT = 8192
"""Tokens of question and answer that are held in memory, also for models that could read more."""
LOOK_UP = 8
"""Tokens that are guessed ahead where a model repeats its question, and checked together: the same answer, sooner."""


class LocalChat:
    """A causal language model of ``transformers``: one answer at a time, other callers wait.

    Args:
        name: A hub name, a folder, or the path of a GGUF file.
        four_bit: See ``load_causal``.

    Raises:
        ModelError: The weights cannot be loaded.
    """

    def __init__(self, name: str, four_bit: bool = False) -> None:
        self.name = Path(name).name
        self._model, self._tokenizer = load_causal(name, four_bit=four_bit)
        self._context = min(MOST_CONTEXT, getattr(self._model.config, "max_position_embeddings", MOST_CONTEXT))
        self._turn = threading.Lock()

    def chat(self, messages: Sequence[Message], options: ChatOptions) -> Generator[Piece, None, None]:
        """Yield the answer as it is written; see ``ChatModel``. A schema is not enforced."""
        inbox: Inbox = SimpleQueue()
        stop = threading.Event()
        deadline = time.monotonic() + options.timeout_s
        thread = threading.Thread(target=self._wait_and_write, args=(inbox, stop, deadline, messages, options), daemon=True)
        thread.start()
        yield from relay(inbox, stop.set)

    def cost_usd(self, prompt_tokens: int, completion_tokens: int) -> float | None:  # noqa: ARG002
        """Return 0: nobody sends a bill."""
        return 0.0

    def _wait_and_write(
        self, inbox: Inbox, stop: threading.Event, deadline: float, messages: Sequence[Message], options: ChatOptions
    ) -> None:
        late = f"The language model {self.name!r} did not finish within {options.timeout_s:.3g} seconds"
        try:
            if not self._turn.acquire(timeout=max(0.0, deadline - time.monotonic())):
                raise LanguageModelError(late, "Use a smaller model or raise ECOMSCRIPT_LLM_TIMEOUT.", services_fault=False)
            try:
                reply = self._write(inbox, stop, deadline, messages, options)
            finally:
                self._turn.release()
            if time.monotonic() > deadline:
                raise LanguageModelError(late, "Use a smaller model or raise ECOMSCRIPT_LLM_TIMEOUT.")
            inbox.put(reply)
        except LanguageModelError as error:
            inbox.put(error)
        except (RuntimeError, ValueError, IndexError) as error:  # of torch, such as no memory left
            cause = f"The language model {self.name!r} stopped working ({type(error).__name__})"
            inbox.put(LanguageModelError(cause, "Use a smaller model, or a shorter goal."))

    @torch.inference_mode()
    def _write(self, inbox: Inbox, stop: threading.Event, deadline: float, messages: Sequence[Message], options: ChatOptions) -> Reply:
        asked = self._tokenizer(self._prompt(messages), return_tensors="pt", add_special_tokens=False).to(self._model.device)
        length = asked["input_ids"].shape[1]
        room = min(options.max_tokens, self._context - length)
        if room <= 0:
            cause = f"The question has {length} tokens, the language model {self.name!r} reads at most {self._context}"
            raise LanguageModelError(cause, "Shorten the goal, or choose a model that reads more.", services_fault=False)
        sampling = {"do_sample": True, "temperature": options.temperature} if options.temperature > 0 else {"do_sample": False}
        written = self._model.generate(  # type: ignore[operator]
            **asked,
            **sampling,
            max_new_tokens=room,
            prompt_lookup_num_tokens=LOOK_UP,
            streamer=_Streamer(self._tokenizer, inbox),
            stopping_criteria=StoppingCriteriaList([_Stopped(stop, deadline)]),
            pad_token_id=self._tokenizer.pad_token_id,
            return_dict_in_generate=True,
            output_logits=options.top_logprobs > 0,
        )
        count = written.sequences.shape[1] - length
        logprobs = self._first(written.logits[0][0], options.top_logprobs) if options.top_logprobs else {}
        return Reply(Usage(1, length, count, 0.0), "length" if count >= room else "stop", logprobs)

    def _prompt(self, messages: Sequence[Message]) -> str:
        turns = [{"role": message.role, "content": message.content} for message in messages]
        if self._tokenizer.chat_template is None:
            return "\n\n".join(turn["content"] for turn in turns) + "\n\n"
        return str(self._tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True))

    def _first(self, logits: torch.Tensor, count: int) -> dict[str, float]:
        """Return the likeliest first tokens by text; of those that differ in spaces alone, the likelier one."""
        best = torch.log_softmax(logits.float(), dim=-1).topk(count)
        found: dict[str, float] = {}
        for value, token in zip(best.values.tolist(), best.indices.tolist(), strict=True):
            found.setdefault(str(self._tokenizer.decode([token])).strip(), value)
        return found


class _Streamer(TextIteratorStreamer):
    """Puts each piece of text into the inbox of whoever waits for it."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase, inbox: Inbox) -> None:
        super().__init__(tokenizer, skip_prompt=True, skip_special_tokens=True)
        self._inbox = inbox

    def on_finalized_text(self, text: str, stream_end: bool = False) -> None:  # noqa: ARG002
        if text:
            self._inbox.put(Delta(text))


class _Stopped(StoppingCriteria):
    """Ends an answer when nobody reads it any more, or when it takes too long."""

    def __init__(self, stop: threading.Event, deadline: float) -> None:
        self._stop, self._deadline = stop, deadline

    def __call__(self, input_ids: torch.LongTensor, scores: Any, **kwargs: Any) -> torch.BoolTensor:  # noqa: ARG002
        over = self._stop.is_set() or time.monotonic() > self._deadline
        return torch.full((input_ids.shape[0],), over, dtype=torch.bool, device=input_ids.device)  # type: ignore[return-value]
