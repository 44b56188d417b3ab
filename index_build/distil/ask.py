"""Many questions to a language model: at a rate, within a budget, each answer kept as it comes, nothing asked twice."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import closing
from dataclasses import dataclass
from typing import NamedTuple

from ecomscript.errors import InputError, LanguageModelError
from ecomscript.llm.chat import ChatModel, ChatOptions, Message, Reply, prompt_tokens
from index_build.distil.form import Answer, Form, Found, Subject, UnusableAnswerError, key_of
from index_build.distil.journal import Journal
from index_build.feeds.tally import Tally

Price = Callable[[int, int], float | None]
"""Tokens of question and answer → US dollars; None where the price is not known."""
FAILURES = 5
"""After so many failures in a row the run stops."""


class Open(NamedTuple):
    """A question that has no usable answer."""

    key: str
    messages: tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is asked.

    Attributes:
        budget_usd: Most that all answers of a file may cost, those of earlier runs too; None for no limit.
        parallel: Questions at a time.
        per_minute: Most questions that begin in a minute.
        timeout_s: Most seconds of one answer.
    """

    budget_usd: float | None = None
    parallel: int = 8
    per_minute: int = 480
    timeout_s: float = 60.0


@dataclass(frozen=True, slots=True)
class Estimate:
    """What the open questions will take.

    Attributes:
        questions: How many are open.
        prompt_tokens: Of all of them.
        completion_tokens: Of their answers, if those are as long as usual.
        usual_usd: Cost then; None where the price is not known.
        most_usd: Cost if every answer is as long as it may be.
    """

    questions: int
    prompt_tokens: int
    completion_tokens: int
    usual_usd: float | None
    most_usd: float | None

    def __str__(self) -> str:
        cost = "price not known" if self.usual_usd is None else f"about ${self.usual_usd:,.4f}, at most ${self.most_usd:,.4f}"
        return f"{self.questions:,} questions, about {self.prompt_tokens:,} tokens in and {self.completion_tokens:,} out: {cost}"


class Interview:
    """Questions of one model and their answers.

    Args:
        model: Name of the model.
        journal: Where answers are kept.
        price: What tokens cost.
    """

    def __init__(self, model: str, journal: Journal, price: Price) -> None:
        self.model, self.journal, self.price = model, journal, price

    def open_questions(self, form: Form[Subject, Found], subjects: Iterable[Subject]) -> Iterator[Open]:
        """Yield what has no usable answer yet, each once."""
        seen: set[str] = set()
        for subject in subjects:
            messages = form.messages(subject)
            key = key_of(self.model, messages)
            if key not in seen and not self._usable(form, subject, key):
                seen.add(key)
                yield Open(key, messages)

    def has_unasked(self, form: Form[Subject, Found], subjects: Iterable[Subject]) -> bool:
        """Return whether a question has no answer at all."""
        return any(self.journal.get(key_of(self.model, form.messages(subject))) is None for subject in subjects)

    def estimate(self, form: Form[Subject, Found], subjects: Iterable[Subject]) -> Estimate:
        """Return what the open questions will take."""
        count, asked = 0, 0
        for _, messages in self.open_questions(form, subjects):
            count, asked = count + 1, asked + prompt_tokens(messages)
        usual = count * form.usual_tokens
        return Estimate(count, asked, usual, self.price(asked, usual), self.price(asked, count * form.most_tokens))

    def check_budget(self, budget_usd: float | None, estimate: Estimate) -> None:
        """See to it that a budget can be kept.

        Raises:
            InputError: The price is not known.
        """
        if budget_usd is not None and estimate.usual_usd is None:
            fix = "Say what a million tokens cost with --price-usd IN OUT, or leave the budget out."
            raise InputError(f"The price of {self.model!r} is not known, so --budget-usd cannot be kept", fix)

    def ask(
        self, chat: ChatModel, form: Form[Subject, Found], subjects: Iterable[Subject], limits: Limits, done: Callable[[], object]
    ) -> None:
        """Ask what is open and keep the answers.

        Args:
            chat: The model.
            form: The kind of question.
            subjects: What is asked about.
            limits: How much is asked.
            done: Called after each question.

        Raises:
            InputError: The budget is used up, or an answer cannot be kept.
            LanguageModelError: The model failed several times in a row.
        """
        run = _Run(self, chat, form.options(limits.timeout_s), limits, done)
        with ThreadPoolExecutor(limits.parallel) as pool:
            for key, messages in self.open_questions(form, subjects):
                most_usd = self.price(prompt_tokens(messages), form.most_tokens) or 0.0
                run.make_room(most_usd)
                run.start(pool, key, messages, most_usd)
            run.finish()

    def answers(self, form: Form[Subject, Found], subjects: Iterable[Subject], tally: Tally) -> Iterator[tuple[Subject, Found]]:
        """Yield what can be used, in the order of the subjects; whatever cannot is counted and named."""
        for number, subject in enumerate(subjects, 1):
            answer = self.journal.get(key_of(self.model, form.messages(subject)))
            if answer is None:
                tally.reject("question not answered", "questions", number, form.about(subject))
                continue
            try:
                found = form.found(subject, answer)
            except UnusableAnswerError as error:
                tally.reject(str(error), "questions", number, form.about(subject), answer.text)
                continue
            yield subject, found

    def _usable(self, form: Form[Subject, Found], subject: Subject, key: str) -> bool:
        answer = self.journal.get(key)
        try:
            return answer is not None and form.found(subject, answer) is not None
        except UnusableAnswerError:
            return False


class _Run:
    """Questions that are being asked; used by one thread, which starts them and takes in how they ended."""

    def __init__(self, interview: Interview, chat: ChatModel, options: ChatOptions, limits: Limits, done: Callable[[], object]) -> None:
        self._interview, self._chat, self._options, self._limits, self._done = interview, chat, options, limits, done
        self._running: dict[Future[None], float] = {}
        self._next_s, self._failures = time.monotonic(), 0

    def make_room(self, most_usd: float) -> None:
        """Wait until one more question may run, and its cost, however long the answer, is within the budget."""
        while len(self._running) >= self._limits.parallel or not self._affords(most_usd):
            if not self._running:
                spent, budget = self._interview.journal.spent_usd, self._limits.budget_usd
                cause = f"The budget of ${budget:,.4f} is used up: ${spent:,.4f} are spent, one more answer could cost ${most_usd:,.4f}"
                fix = "All answers are kept: go on with --resume and a larger --budget-usd, or use what there is with --resume --limit N."
                raise InputError(cause, fix)
            self._take_in()

    def start(self, pool: ThreadPoolExecutor, key: str, messages: tuple[Message, ...], most_usd: float) -> None:
        """Ask, not before it is time."""
        time.sleep(max(0.0, self._next_s - time.monotonic()))
        self._next_s = max(self._next_s, time.monotonic()) + 60.0 / self._limits.per_minute
        self._running[pool.submit(self._one, key, messages)] = most_usd

    def finish(self) -> None:
        """Wait for all that is being asked."""
        while self._running:
            self._take_in()

    def _affords(self, most_usd: float) -> bool:
        budget = self._limits.budget_usd
        return budget is None or self._interview.journal.spent_usd + sum(self._running.values()) + most_usd <= budget

    def _take_in(self) -> None:
        for future in wait(self._running, return_when=FIRST_COMPLETED).done:
            del self._running[future]
            self._done()
            try:
                future.result()
                self._failures = 0
            except LanguageModelError as error:
                self._failures += 1
                if self._failures >= FAILURES:
                    cause = f"{error.cause}; the run stopped after {FAILURES} failures in a row"
                    raise LanguageModelError(cause, f"{error.fix} All answers are kept: then go on with --resume.") from None

    def _one(self, key: str, messages: tuple[Message, ...]) -> None:
        text = ""
        with closing(self._chat.chat(messages, self._options)) as pieces:
            for piece in pieces:
                if isinstance(piece, Reply):
                    asked, said = piece.usage.prompt_tokens, piece.usage.completion_tokens
                    answer = Answer(text, piece.finish, asked, said, self._interview.price(asked, said))
                    self._interview.journal.add(key, answer)
                else:
                    text += piece.text
