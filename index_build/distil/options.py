"""The options of ``python -m index_build distil``."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from ecomscript.association.encoder import Encoder
from ecomscript.config import Settings
from ecomscript.llm.choose import is_local, model_name
from index_build.distil.ask import Limits
from index_build.distil.command import Order, distil_intentions, distil_scripts
from index_build.shop import ShopOptions

MOST_PARALLEL, MOST_PER_MINUTE, MOST_USD, MOST_ROWS = 64, 60_000, 1_000_000.0, 100_000_000


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add what the command understands, beside the encoder and ``--quiet``."""
    add = parser.add_argument
    add("what", choices=("intentions", "scripts"), help="purchase intentions of products; or goals with their plans")
    add("--catalog", type=Path, required=True, metavar="FILE_OR_DIR", help="as for a build")
    add("--out", type=Path, required=True, metavar="FILE", help="JSONL file to write; answers and rejects are kept beside it")
    add("--model", default="", metavar="NAME", help="a model of the service, a folder or a .gguf file (default: that of the settings)")
    add("--budget-usd", type=_number(MOST_USD), metavar="X", help="stop before the answers cost more, those of earlier runs included")
    price = _number(MOST_USD)
    add("--price-usd", type=price, nargs=2, metavar=("IN", "OUT"), help="of a million tokens, where OpenAI's list does not tell")
    add("--parallel", type=whole(1, MOST_PARALLEL), metavar="N", help="questions at a time (default: 8; 1 for a model on this machine)")
    add("--per-minute", type=whole(1, MOST_PER_MINUTE), default=Limits().per_minute, metavar="N", help="default: %(default)s questions")
    add("--limit", type=whole(1, MOST_ROWS), metavar="N", help="the first N products, or parts of departments, alone")
    add("--mapping", type=Path, metavar="YAML", help="as for a build")
    add("--intentions", type=Path, metavar="FILE", help="as for a build; products named there are not asked about")
    add("--resume", action="store_true", help="use the answers of an earlier run, and ask what is open or had no usable answer")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--estimate", action="store_true", help="say what it would cost, and ask nothing")
    how.add_argument("--batch-file", type=Path, metavar="FILE", help="write the open questions as input of OpenAI's Batch API")
    how.add_argument("--read-batch", type=Path, nargs="+", default=(), metavar="FILE", help="take the answers from outputs of batches")


def distil(args: argparse.Namespace, open_encoder: Callable[[], Encoder]) -> str:
    """Run the command and return a sentence on what was done.

    Raises:
        EcomScriptError: Whatever a person can mend.
    """
    settings = replace(Settings.from_env(), encoder=args.encoder, threads=args.threads)
    local = is_local(settings, model_name(settings, args.model))
    parallel = args.parallel or (1 if local else Limits().parallel)
    order = Order(
        catalog=args.catalog,
        out=args.out,
        model=args.model,
        limits=Limits(args.budget_usd, parallel, args.per_minute, float(settings.llm_timeout_s)),
        prices_usd=None if args.price_usd is None else (args.price_usd[0], args.price_usd[1]),
        limit=args.limit,
        resume=args.resume,
        estimate=args.estimate,
        batch_file=args.batch_file,
        batch_answers=tuple(args.read_batch),
        shop=ShopOptions(args.mapping, args.intentions),
        quiet=args.quiet,
    )
    return distil_intentions(order, settings) if args.what == "intentions" else distil_scripts(order, settings, open_encoder())


def whole(least: int, most: int) -> Callable[[str], int]:
    """Return what reads an option that is a whole number between two bounds."""

    def read(text: str) -> int:
        if not text.isdecimal() or not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"expected a whole number from {least} to {most:,}, found {text[:40]!r}")
        return int(text)

    return read


def _number(most: float) -> Callable[[str], float]:
    def read(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = -1.0
        if not 0 <= value <= most:
            raise argparse.ArgumentTypeError(f"expected a number from 0 to {most:,.0f}, found {text[:40]!r}")
        return value

    return read
