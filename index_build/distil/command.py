"""``python -m index_build distil``: what is asked for, in which order, and what is written."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

from tqdm import tqdm

from ecomscript.association.encoder import Encoder
from ecomscript.config import Settings
from ecomscript.drafting import PLAUSIBLE
from ecomscript.errors import InputError, ModelError
from ecomscript.jsonl import write_lines
from ecomscript.llm.chat import prompt_tokens
from ecomscript.llm.choose import is_local, model_name, named_chat
from ecomscript.llm.prices import cost_usd
from ecomscript.llm.protocol import OPENAI
from ecomscript.planning.library import wordings
from ecomscript.verification.suite import Verifiers
from index_build.claim import only_writer
from index_build.distil.ask import Estimate, Interview, Limits, Price
from index_build.distil.batch import DISCOUNT, read_batch, write_batch
from index_build.distil.form import Form, Found, Subject
from index_build.distil.intentions import described, intentions_form
from index_build.distil.intentions import rows as intention_rows
from index_build.distil.journal import SUFFIX, Journal
from index_build.distil.scripts import GOALS, NEAR_KINDS, Goal, departments, goals_form, new_goals, plausible, row_of_script, scripts_form
from index_build.feeds.columns import Choice, read_choice
from index_build.feeds.reading import read_assertions, read_products
from index_build.feeds.staging import Staging
from index_build.feeds.tally import Tally
from index_build.shop import ShopOptions, read_shop
from index_build.sources import Catalogue, is_own_format, read_catalogue

REJECTS, WORK = ".rejects.jsonl", ".work"
"""Added to the name of the output: what could not be used, and the work folder."""


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be distilled, and how.

    Attributes:
        catalog: File or folder.
        out: JSONL file to write.
        model: Name of the model; "" for that of the settings.
        limits: How much is asked.
        prices_usd: Of a million tokens of questions and of answers; None for OpenAI's list.
        limit: Most products, or departments; None for all.
        resume: Use the answers of an earlier run.
        estimate: Only say what it would take.
        batch_file: Write the open questions there instead of asking them.
        batch_answers: Take the answers from these files instead of asking.
        shop: How to read a catalogue that is not in our own format.
        quiet: No progress and no counts on stderr.
    """

    catalog: Path
    out: Path
    model: str = ""
    limits: Limits = field(default_factory=Limits)
    prices_usd: tuple[float, float] | None = None
    limit: int | None = None
    resume: bool = False
    estimate: bool = False
    batch_file: Path | None = None
    batch_answers: tuple[Path, ...] = ()
    shop: ShopOptions = field(default_factory=ShopOptions)
    quiet: bool = False

    def beside(self, suffix: str) -> Path:
        """Return a path beside the output."""
        return self.out.with_name(self.out.name + suffix)


class _Job:
    """One run of the command, with the files that it holds open."""

    def __init__(self, order: Order, settings: Settings, files: ExitStack) -> None:
        self.order, self.settings = order, settings
        if not order.out.parent.is_dir():
            raise InputError(f"There is no folder {order.out.parent}", "Name an --out file in a folder that is there.")
        files.enter_context(only_writer(order.out))
        self.work = order.beside(WORK)
        files.callback(shutil.rmtree, self.work, ignore_errors=True)
        self.tally = files.enter_context(Tally(order.beside(REJECTS)))
        model = model_name(settings, order.model)
        resume = order.resume or order.estimate or bool(order.batch_answers)
        journal = files.enter_context(Journal(order.beside(SUFFIX), resume))
        self.interview = Interview(model, journal, _price(order, settings, model))

    def tell(self, line: str) -> None:
        if not self.order.quiet:
            tqdm.write(line, file=sys.stderr)

    def stage(self, form: Form[Subject, Found], subjects: Callable[[], Iterable[Subject]]) -> str:
        """Get the answers to some questions; where the run ends with that, return what to say."""
        order, interview = self.order, self.interview
        if order.batch_answers:
            asked = frozenset(key for key, _ in interview.open_questions(form, subjects()))
            kept = read_batch(order.batch_answers, asked, interview.journal, interview.price, self.tally)
            self.tell(f"{kept:,} answers read")
            return ""
        estimate = interview.estimate(form, subjects())
        interview.check_budget(order.limits.budget_usd, estimate)
        if order.estimate:
            return f"{interview.model}: {estimate}"
        if order.batch_file:
            return self._write_batch(order.batch_file, form, subjects, estimate)
        self.tell(f"{interview.model}: {estimate}")
        if estimate.questions:
            chat = named_chat(self.settings, interview.model)
            with tqdm(total=estimate.questions, desc="asking", unit="question", disable=order.quiet, mininterval=1) as bar:
                interview.ask(chat, form, subjects(), order.limits, bar.update)
        return ""

    def _write_batch(self, path: Path, form: Form[Subject, Found], subjects: Callable[[], Iterable[Subject]], estimate: Estimate) -> str:
        if not estimate.questions:
            raise InputError(f"Every question is answered in {self.order.beside(SUFFIX)}", "Leave out --batch-file and use --resume.")
        budget, most = self.order.limits.budget_usd, self.interview.journal.spent_usd + (estimate.most_usd or 0.0)
        if budget is not None and most > budget:
            cause = f"With this batch up to ${most:,.4f} could be spent, more than the budget of ${budget:,.4f}"
            raise InputError(cause, "A batch cannot be stopped: raise --budget-usd, or ask less with --limit N.")
        files = write_batch(path, self.interview.model, form, self.interview.open_questions(form, subjects()))
        return f"{', '.join(map(str, files))}: {estimate}. Send it to the Batch API; then read its output with --read-batch."

    def finish(self, rows: Iterator[dict]) -> str:
        """Write the output, whole, and say what became of everything.

        Raises:
            InputError: There is nothing to write.
        """
        first = next(rows, None)
        if first is None:
            why = "; ".join(self.tally.sentences())
            raise InputError(f"No answer of {self.interview.model!r} can be used ({why or 'there is none'})", "Name another --model.")
        written = 0

        def counted() -> Iterator[dict]:
            nonlocal written
            for row in chain([first], rows):
                written += 1
                yield row

        write_lines(self.order.out, counted())
        for line in self.tally.sentences():
            self.tell(line)
        return f"{self.order.out}: {written:,} lines, ${self.interview.journal.spent_usd:,.4f} spent"


def distil_intentions(order: Order, settings: Settings) -> str:
    """Ask why people buy each product that has no intentions, and write a file for ``--intentions``.

    Returns:
        A sentence on what was done.

    Raises:
        CatalogError: There is no catalogue, or nothing in it.
        InputError: The catalogue has intentions, the budget is used up, or nothing can be used.
        LanguageModelError: The model fails.
    """
    if is_own_format(order.catalog):
        read_catalogue(order.catalog)  # what is not there, or holds nothing, is named
        raise InputError(f"{order.catalog} is in our own format, which holds purchase intentions", "Distil those of another catalogue.")
    with ExitStack() as files:
        job = _Job(order, settings, files)
        staging = files.enter_context(Staging(job.work / "staging.sqlite"))
        choice = read_choice(order.shop.mapping) if order.shop.mapping else Choice()
        read_products(order.catalog, choice, staging, job.tally, job.tell)
        if order.shop.assertions:
            read_assertions(order.shop.assertions, staging, job.tally)
        if next(described(staging, 1), None) is None:
            raise InputError(f"Every product of {order.catalog} has purchase intentions", "Nothing is left to distil.")
        form = intentions_form()
        if ended := job.stage(form, lambda: described(staging, order.limit)):
            return ended
        answers = job.interview.answers(form, described(staging, order.limit), job.tally)
        return job.finish(intention_rows(answers, job.interview.model))


def distil_scripts(order: Order, settings: Settings, encoder: Encoder) -> str:
    """Ask what goals each department helps with, and for a plan for each that says something new; write those that T1 finds plausible.

    Returns:
        A sentence on what was done.

    Raises:
        InputError: The budget is used up, or nothing can be used.
        LanguageModelError: The model fails.
        ModelError: T1 cannot be used.
    """
    verifiers = Verifiers.load(encoder.encode, settings.models_dir, ("t1",))
    if verifiers.t1 is None:
        raise ModelError(f"Without T1 no plan can be filtered. {' '.join(verifiers.problems)}", "")
    with ExitStack() as files:
        job = _Job(order, settings, files)
        catalogue = _catalogue(order, job.work, encoder)
        goals, plans = goals_form(), scripts_form(encoder)
        asked = departments(catalogue.kinds)[: order.limit]
        if job.interview.has_unasked(goals, asked):
            if ended := job.stage(goals, lambda: asked):
                return f"Goals: {ended}{_plans_after(job, plans, catalogue, len(asked)) if order.estimate else ''}"
            if order.batch_answers:
                return "The goals are read. Next, write the questions for their plans with --batch-file and --resume."
        known = [wording for script in catalogue.scripts for wording in wordings(script)]
        found = new_goals(job.interview.answers(goals, asked, job.tally), known, catalogue.kinds, encoder, job.tally)
        if ended := job.stage(plans, lambda: found):
            return f"Plans: {ended}"
        written = plausible(job.interview.answers(plans, found, job.tally), verifiers.t1.verdicts, PLAUSIBLE, job.tally)
        return job.finish(map(row_of_script, written))


def _catalogue(order: Order, work: Path, encoder: Encoder) -> Catalogue:
    if is_own_format(order.catalog):
        return read_catalogue(order.catalog)
    return read_shop(order.catalog, order.shop, work, work / "rows", encoder, order.quiet)


def _plans_after(job: _Job, form: Form[Goal, Found], catalogue: Catalogue, asked: int) -> str:
    """Return what the plans will take if every goal that is asked for is new, as a sentence."""
    sample = Goal("A goal of about as many words as most", tuple(kind.name for kind in catalogue.kinds[:NEAR_KINDS]))
    count = asked * GOALS
    tokens = count * prompt_tokens(form.messages(sample))
    price = job.interview.price
    usual, most = count * form.usual_tokens, count * form.most_tokens
    return f". Then plans: {Estimate(count, tokens, usual, price(tokens, usual), price(tokens, most))}"


def _price(order: Order, settings: Settings, model: str) -> Price:
    """Return what tokens cost: by the prices that were named, nothing on this machine, else by OpenAI's list where it is asked."""
    batch = bool(order.batch_file or order.batch_answers)
    if order.prices_usd is not None:
        asked, said = order.prices_usd
        return lambda prompt, completion: (prompt * asked + completion * said) / 1_000_000
    if not batch and is_local(settings, model):
        return lambda *_: 0.0
    if not batch and settings.openai_base_url not in {"", OPENAI}:
        return lambda *_: None

    def listed(prompt: int, completion: int) -> float | None:
        cost = cost_usd(model, prompt, completion)
        return None if cost is None else cost * (DISCOUNT if batch else 1.0)

    return listed
