"""A language model asked about claims: its word on each, as a probability, in the place of a trained verifier."""

from __future__ import annotations

import math
import re
from collections.abc import Generator, Mapping, Sequence
from contextlib import closing
from typing import Literal, get_args

import numpy as np

from ecomscript.errors import LanguageModelError
from ecomscript.llm.chat import ChatModel, ChatOptions, Heard, Message, held_back, listen
from ecomscript.llm.templates import PROMPTS, Templates
from ecomscript.schema import NO_USAGE, Usage
from ecomscript.verification.claims import TASKS, Claim, Task
from ecomscript.verification.items import Item

Prompt = Literal["zero-shot", "5-shot", "cot", "self-consistency"]
"""How it is asked: at once, after solved examples, after thinking aloud (cot: chain of thought), or so several times."""
PROMPT_NAMES: tuple[Prompt, ...] = get_args(Prompt)
SHOTS = 5
SAMPLES = 5
"""Answers that are drawn where a model does not tell how probable its words are."""
LEAST_SURE = 0.1
"""Least probability of Yes and No together for the first word to be the answer."""
TOP_LOGPROBS = 20
VARIED = 0.8
ANSWER_TOKENS, THOUGHT_TOKENS = 8, 400
TIMEOUT_S = 120.0
_SAID = re.compile(r"\b(yes|no)\b", re.IGNORECASE)
_LAST = re.compile(r"answer\W{0,5}\b(yes|no)\b", re.IGNORECASE)


class UnclearAnswerError(LanguageModelError):
    """What a language model said is neither Yes nor No."""

    def __init__(self, name: str) -> None:
        super().__init__(f"The language model {name!r} answered neither Yes nor No", "Use a stronger model.", services_fault=False)


class ChatVerifier:
    """A language model as the verifier of one task.

    Args:
        model: The model.
        task: What it is asked about.
        prompt: How.
        shots: Solved examples that stand before the question, from the training split.
        samples: Answers to draw where one does not tell a probability.
        visitor: On whose behalf, for their share of the tokens; "" for nobody's.
        timeout_s: Most seconds for one answer.

    Attributes:
        usage: What it took so far.
    """

    def __init__(
        self,
        model: ChatModel,
        task: Task,
        prompt: Prompt = "zero-shot",
        shots: Sequence[Item] = (),
        samples: int = SAMPLES,
        visitor: str = "",
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        self._model, self._task, self._prompt, self._shots, self._samples = model, task, prompt, shots, samples
        self._visitor, self._timeout_s = visitor, timeout_s
        self._prompts = Templates.load(PROMPTS / "verify.yaml", (*TASKS, "examples", "rules", "think", "decide"))
        self.usage = NO_USAGE

    def score(self, claim: Claim) -> float:
        """Return P(the claim holds): that of Yes against No as the first word, else the share of Yes among sampled answers.

        Raises:
            UnclearAnswerError: It answered neither Yes nor No.
            LanguageModelError: It could not be asked.
        """
        asking = self.ask(claim)
        while True:
            try:
                next(asking)
            except StopIteration as end:
                return float(end.value)

    def ask(self, claim: Claim) -> Generator[Usage, None, float]:
        """Yield the tokens so far while the model is at work, and return what ``score`` does; closing the generator ends the question."""
        chat = [Message("system", self._prompts.render("rules", {})), Message("user", self.question(claim))]
        if self._prompt == "self-consistency":
            return (yield from self._share(chat, THOUGHT_TOKENS))
        if self._prompt == "cot":
            thought = (yield from self._hear(chat, THOUGHT_TOKENS)).text
            chat += [Message("assistant", thought or "-"), Message("user", self._prompts.render("decide", {}))]
        answer = yield from self._hear(chat, ANSWER_TOKENS, TOP_LOGPROBS)
        found = yes_against_no(answer.reply.first_logprobs)
        return (yield from self._share(chat, ANSWER_TOKENS)) if found is None else found

    def question(self, claim: Claim) -> str:
        """Return what is asked about a claim."""
        asked = question(self._prompts, self._task, claim, self._shots)
        return self._prompts.render("think", {"question": asked}) if self._prompt in {"cot", "self-consistency"} else asked

    def _share(self, chat: Sequence[Message], tokens: int) -> Generator[Usage, None, float]:
        """Return the share of Yes among the sampled answers that can be read; of those at least half must be."""
        said = []
        for _ in range(self._samples):
            said.append(read_answer((yield from self._hear(chat, tokens, temperature=VARIED)).text))
        clear = [answer for answer in said if answer is not None]
        if 2 * len(clear) < len(said) or not clear:
            raise UnclearAnswerError(self._model.name)
        return sum(clear) / len(clear)

    def _hear(self, chat: Sequence[Message], tokens: int, top_logprobs: int = 0, temperature: float = 0.0) -> Generator[Usage, None, Heard]:
        options = ChatOptions(None, tokens, temperature, top_logprobs, self._timeout_s, self._visitor)
        heard, before = Heard(), self.usage
        with closing(listen(self._model, chat, options)) as answer:
            for heard in answer:
                self.usage = before + heard.reply.usage
                yield self.usage
        if heard.reply.finish == "filter":
            raise held_back(self._model.name, "Ask another model.")
        return heard


def question(prompts: Templates, task: Task, claim: Claim, shots: Sequence[Item]) -> str:
    """Return the question about a claim, with solved ones before it."""
    solved = [{"question": prompts.render(task, {"claim": s.claim}), "answer": "Yes" if s.label else "No"} for s in shots]
    return prompts.render("examples", {"shots": solved, "question": prompts.render(task, {"claim": claim})})


def draw_shots(train: Sequence[Item], count: int, seed: int) -> list[Item]:
    """Return ``count`` training items in random order, each of another pair, as many right as wrong (an odd one is right)."""
    rng = np.random.default_rng(seed)
    wanted = {1: (count + 1) // 2, 0: count // 2}
    chosen: dict[str, Item] = {}
    for n in rng.permutation(len(train)):
        item = train[n]
        if wanted[item.label] and item.pair not in chosen:
            chosen[item.pair] = item
            wanted[item.label] -= 1
    found = list(chosen.values())
    return [found[n] for n in rng.permutation(len(found))]


def yes_against_no(logprobs: Mapping[str, float]) -> float | None:
    """Return P(Yes) / (P(Yes) + P(No)) of the first word of an answer; None where that is not told, or the word is another one.

    A word that is not among the likeliest is taken to be as probable as the last of them, or as what they leave, if that is less.
    """
    chance = {"yes": 0.0, "no": 0.0}
    for word, logprob in logprobs.items():
        name = word.strip(" .,:;!*\"'").lower()
        if name in chance:
            chance[name] += math.exp(min(logprob, 0.0))
    if sum(chance.values()) < LEAST_SURE:
        return None
    told = [math.exp(min(logprob, 0.0)) for logprob in logprobs.values()]
    floor = min(*told, max(0.0, 1.0 - sum(told)))
    yes, no = (value or floor for value in chance.values())
    return yes / (yes + no)


def read_answer(text: str) -> bool | None:
    """Return whether an answer says Yes; None where it says neither, or both without a last word on it.

    "Answer: No" counts wherever it stands, the last time that it does; else an answer is Yes or No by its first word, or by the only one of
    the two that it has.
    """
    if final := _LAST.findall(text):
        return bool(final[-1].lower() == "yes")
    said = [word.lower() for word in _SAID.findall(text)]
    first = re.match(r"\W*(yes|no)\b", text, re.IGNORECASE)
    if first or len(set(said)) == 1:
        return said[0] == "yes"
    return None
