"""The command line.

python -m ecomscript plan "GOAL" [--budget 80] [--people 4] [--exclude tent] [--like PLAN] [--planner auto|library|llm] [--index DIR]
python -m ecomscript plan --input goals.jsonl --output plans.jsonl
python -m ecomscript match --input steps.jsonl --output out.jsonl
python -m ecomscript verify t1|t2|t3 --input in.jsonl --output out.jsonl [--model NAME [--prompt zero-shot|5-shot|cot|self-consistency]]
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from ecomscript.association.encoder import SentenceBert
from ecomscript.config import PLANNERS, Settings
from ecomscript.errors import EcomScriptError, InputError, LanguageModelError
from ecomscript.jsonl import Line, read_lines, write_lines
from ecomscript.llm.choose import named_chat
from ecomscript.pipeline import Pipeline
from ecomscript.request import clean_text, make_request
from ecomscript.schema import CONFIDENCE_WORDS, Plan, Usage
from ecomscript.verification.asked import PROMPT_NAMES, SHOTS, ChatVerifier, draw_shots
from ecomscript.verification.claims import CLAIMS, TASKS, Claim, ClaimError
from ecomscript.verification.items import in_split, load_items
from ecomscript.verification.suite import Verifiers, strong_for_claims

MATCHES = 10


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; return 0, or 2 with one sentence on stderr when the input cannot be used."""
    args = _parser().parse_args(argv)
    try:
        settings = Settings.from_env()
        if args.index is not None:
            settings = replace(settings, index_dir=args.index)
        if args.planner is not None:
            settings = replace(settings, planner=args.planner)
        return int(args.run(args, settings))
    except EcomScriptError as error:
        print(error, file=sys.stderr)
        return 2
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m ecomscript", description="Plan shopping goals on the command line.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    plan = commands.add_parser("plan", help="turn a goal into a plan with products")
    plan.add_argument("goal", nargs="?", help="the goal, in plain words")
    plan.add_argument("--budget", metavar="USD", help="most that everything may cost")
    plan.add_argument("--people", metavar="N", help="how many people it is for")
    plan.add_argument("--exclude", action="append", default=[], metavar="THING", help="what must not appear (repeatable)")
    plan.add_argument("--like", metavar="PLAN", help="start from this plan of the library, one of the answer's near_plans")
    plan.add_argument("--planner", choices=PLANNERS, help="who writes the steps (default: ECOMSCRIPT_PLANNER, else auto)")
    plan.add_argument("--json", action="store_true", help="print one JSON object")
    plan.add_argument("--input", type=Path, metavar="FILE", help='JSONL lines {"id", "goal"}')
    plan.add_argument("--output", type=Path, metavar="FILE", help="JSONL file to write, a plan a line, in the same order")
    plan.set_defaults(run=_plan)
    match = commands.add_parser("match", help="find products for steps")
    match.add_argument("--input", type=Path, required=True, metavar="FILE", help='JSONL lines {"objective", "step"}')
    match.add_argument("--output", type=Path, required=True, metavar="FILE", help="JSONL file to write, the same lines with products")
    match.set_defaults(run=_match, planner="library")
    verify = commands.add_parser("verify", help="score scripts (t1), products in steps (t2) or bundles (t3)")
    verify.add_argument("task", metavar="{t1,t2,t3}", help="which verifier")
    verify.add_argument("--input", type=Path, required=True, metavar="FILE", help="JSONL claims, see the README")
    verify.add_argument("--output", type=Path, required=True, metavar="FILE", help="JSONL file to write: id and score, P(label 1)")
    verify.add_argument("--model", metavar="NAME", help="ask a language model instead: of the service set up, a folder or a .gguf file")
    verify.add_argument("--prompt", choices=PROMPT_NAMES, help="how to ask it (default: zero-shot)")
    verify.set_defaults(run=_verify, index=None, planner=None)
    for command in (plan, match):
        command.add_argument("--index", type=Path, metavar="DIR", help="index folder to serve from (default: the demo index)")
    return parser


def _plan(args: argparse.Namespace, settings: Settings) -> int:
    if (args.goal is None) == (args.input is None) or (args.input is None) != (args.output is None):
        cause = "`plan` takes either a goal or both --input and --output"
        raise InputError(cause, 'Try: python -m ecomscript plan "host an autumn party for 12"')
    if args.goal is not None:
        request = make_request(args.goal, args.budget, args.people, args.exclude, like=args.like)
        plan = _open(settings).run(request)
        # Flushed here, where a reader that has gone away (`head`) is taken care of.
        print(json.dumps(plan.to_json(), ensure_ascii=False) if args.json else _text(plan), flush=True)
        return 0
    lines = read_lines(args.input, ("id", "goal"))
    requests = []
    for line in lines:
        try:
            requests.append(make_request(line.data["goal"], args.budget, args.people, args.exclude, like=args.like))
        except InputError as error:
            raise line.error(error.cause, error.fix) from None
    pipeline = _open(settings)
    write_lines(args.output, ({"id": line.data["id"], **pipeline.run(r).to_json()} for line, r in zip(lines, requests, strict=True)))
    return 0


def _match(args: argparse.Namespace, settings: Settings) -> int:
    fields = ("objective", "step")
    lines = read_lines(args.input, fields)
    for line in lines:
        for field in fields:
            if not isinstance(line.data[field], str) or not clean_text(line.data[field]):
                raise line.error(f"{field!r} is not a text")
    write_lines(args.output, _matched(lines, _open(settings)))
    return 0


def _matched(lines: Iterable[Line], pipeline: Pipeline) -> Iterator[dict[str, Any]]:
    for line in lines:
        products = [
            {
                "product_id": m.product.product_id,
                "title": m.product.title,
                "intention": m.intention,
                "similarity": round(m.similarity, 4),
                "t2": m.t2,
            }
            for m in pipeline.match(clean_text(line.data["objective"]), clean_text(line.data["step"]), MATCHES)
        ]
        yield {**line.data, "products": products}


def _verify(args: argparse.Namespace, settings: Settings) -> int:
    if args.task not in TASKS:
        raise InputError(f"There is no task {args.task!r}", f"Choose one of {', '.join(TASKS)}.")
    lines = read_lines(args.input, ("id",))
    claims = []
    for line in lines:
        try:
            claims.append(CLAIMS[args.task].read(line.data))
        except ClaimError as error:
            raise line.error(str(error)) from None
    if args.model is not None:
        return _ask(args, settings, lines, claims)
    if args.prompt is not None:
        raise InputError("--prompt needs --model", "Add --model with the name of a language model.")
    encoder = cache(lambda: SentenceBert(threads=settings.threads))
    strong = (args.task,) if strong_for_claims(settings.verify, settings.models_dir, args.task) else ()
    verifiers = Verifiers.load(lambda texts: encoder().encode(texts), settings.models_dir, (args.task,), strong)
    scores = verifiers.scores(args.task, claims)
    write_lines(args.output, ({"id": line.data["id"], "score": score} for line, score in zip(lines, scores, strict=True)))
    return 0


def _ask(args: argparse.Namespace, settings: Settings, lines: Sequence[Line], claims: Sequence[Claim]) -> int:
    """Let a language model score the claims; what it does not answer clearly, or cannot read, becomes a row with "error"."""
    shots = draw_shots(in_split(load_items(args.task), "train"), SHOTS, seed=0) if args.prompt == "5-shot" else ()
    verifier = ChatVerifier(named_chat(settings, args.model), args.task, args.prompt or "zero-shot", shots)
    unclear = 0

    def rows() -> Iterator[dict[str, Any]]:
        nonlocal unclear
        for line, claim in zip(lines, claims, strict=True):
            try:
                yield {"id": line.data["id"], "score": round(verifier.score(claim), 6)}
            except LanguageModelError as error:
                if error.services_fault:
                    raise line.error(error.cause, error.fix) from None
                unclear += 1
                yield {"id": line.data["id"], "error": str(error)}

    write_lines(args.output, rows())
    print(f"{_usage(verifier.usage)}; {unclear} of {len(lines)} without an answer that can be used", file=sys.stderr)
    return 0


def _open(settings: Settings) -> Pipeline:
    return Pipeline.open(settings, progress=lambda line: print(line, file=sys.stderr))


def _text(plan: Plan) -> str:
    lines = [*plan.notices, *plan.questions]
    if plan.status == "plan" and plan.confidence is not None:
        lines.append(f"{plan.objective} ({CONFIDENCE_WORDS[plan.confidence]})")
    for number, matched in enumerate(plan.steps, 1):
        lines.append(f"{number}. {matched.step.text}")
        for m in matched.matches:
            price = "" if m.product.price_usd is None else f" ${m.product.price_usd:,.2f}"
            lines.append(f"   - {m.product.title}{price}\n     {m.why} ({m.similarity:.2f})")
        note = " ".join(part for part in (matched.step.note, matched.note) if part)
        if note:
            lines.append(f"   {note}")
    if plan.steps:
        budget = plan.constraints.budget_usd
        lines.append(f"Total ${plan.total_usd:,.2f}" + ("" if budget is None else f" of ${budget:,.2f}"))
    if plan.usage.calls:
        lines.append(_usage(plan.usage))
    return "\n".join(lines)


def _usage(usage: Usage) -> str:
    cost = "at an unknown price" if usage.cost_usd is None else f"about ${usage.cost_usd:.4f}"
    return f"Language model: {'about ' if usage.estimated else ''}{usage.tokens:,} tokens, {cost}"


if __name__ == "__main__":
    sys.exit(main())
