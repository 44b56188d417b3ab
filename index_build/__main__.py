"""The command line of the offline builder.

python -m index_build --catalog FILE_OR_DIR --out DIR [--resume]   build an index (and its library)
python -m index_build check DIR                                    measure an index; exit status 2 when it is not good
python -m index_build stats | vectors | fit | bench                see --help
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from ecomscript.association.encoder import Encoder, SentenceBert
from ecomscript.association.index import IntentionIndex
from ecomscript.association.vector_store import open_encoder
from ecomscript.config import DEMO_CATALOG, SHIPPED_VECTORS, Settings
from ecomscript.demo import ensure_demo
from ecomscript.errors import EcomScriptError
from ecomscript.evaluation.results import write_results
from ecomscript.folders import fingerprint
from ecomscript.learnt import INTAKE_WEIGHTS
from ecomscript.learnt import SHIPPED as LEARNT
from ecomscript.planning.library import LIBRARY_FOLDER, Library
from index_build.bench import bench
from index_build.build import build
from index_build.check import check, encoder_of
from index_build.stats import stats
from index_build.vectors import ship_vectors

MAX_THREADS = 64

Command = Callable[[argparse.Namespace], int]


def run_build(args: argparse.Namespace) -> int:
    """Build an index from a catalogue."""
    index = build(args.catalog, args.out, _encoder(args), args.resume, args.quiet)
    if not args.quiet:
        print(f"{args.out}: {len(index.products)} products, {len(index.intentions)} intentions")
    return 0


def run_check(args: argparse.Namespace) -> int:
    """Measure an index and say whether it is good enough to serve."""
    report = check(args.index, open_encoder(encoder_of(args.index), args.threads))
    print(json.dumps(report.to_json()))
    return 0 if report.ok else 2


def run_stats(args: argparse.Namespace) -> int:
    """Count what a catalogue holds."""
    print(json.dumps(stats(args.catalog)))
    return 0


def run_vectors(args: argparse.Namespace) -> int:
    """Make the shipped vectors of the demo catalogue again."""
    encoder = SentenceBert(args.encoder, args.threads) if args.fresh else _encoder(args)
    shards = Settings.from_env().cache_dir / ("fresh-vectors" if args.fresh else "vectors")
    print(f"{SHIPPED_VECTORS}: {ship_vectors(args.catalog, SHIPPED_VECTORS, shards, encoder, args.quiet)} vectors")
    return 0


def run_fit(args: argparse.Namespace) -> int:
    """Learn the small weights of planner and matcher from the demo library again."""
    from ecomscript.evaluation.fit import fit, fit_intake  # noqa: PLC0415 - torch and scikit-learn are needed only here

    settings = replace(Settings.from_env(), encoder=args.encoder, threads=args.threads)
    folder = ensure_demo(settings, None if args.quiet else lambda line: print(line, file=sys.stderr))
    encoder = _encoder(args)
    index, library = IntentionIndex.load(folder, encoder.name), Library.load(folder / LIBRARY_FOLDER, encoder.name)
    fit(library, index, encoder, args.seed, args.quiet).save(LEARNT)
    fit_intake(library, encoder).save(INTAKE_WEIGHTS)
    print(LEARNT)
    return 0


def run_bench(args: argparse.Namespace) -> int:
    """Compare the index of the demo catalogue with exact search and store the result."""
    with tempfile.TemporaryDirectory() as work:
        rows = bench(args.catalog, Path(work), _encoder(args), args.seed, args.quiet)
    path = write_results("index", "python -m index_build bench", rows, fingerprint(args.catalog), [args.seed])
    for row in rows:
        print(json.dumps(row))
    print(f"stored in {path}")
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return the exit status: 2 with one sentence on stderr for what a person can mend."""
    try:
        parser = _parser(Settings.from_env())
        args = parser.parse_args(argv)
        if args.run is run_build and (args.catalog is None or args.out is None):
            parser.error("name a catalogue with --catalog and a folder with --out, or one of the commands")
        run: Command = args.run
        return run(args)
    except EcomScriptError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


def _parser(settings: Settings) -> argparse.ArgumentParser:
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--encoder", default=settings.encoder, metavar="NAME", help="Sentence-BERT model or folder (default: %(default)s)")
    shared.add_argument("--threads", type=_threads, default=settings.threads, metavar="N", help="CPU threads of the encoder")
    shared.add_argument("--quiet", action="store_true", help="no progress bar")
    parser = argparse.ArgumentParser(prog="python -m index_build", description=run_build.__doc__, parents=[shared])
    parser.add_argument("--catalog", type=Path, metavar="FILE_OR_DIR", help="a .jsonl file of kinds, or a folder with kinds/ and scripts/")
    parser.add_argument("--out", type=Path, metavar="DIR", help="index folder to write")
    parser.add_argument("--resume", action="store_true", help="go on where a killed build stopped")
    parser.set_defaults(run=run_build)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")

    def command(name: str, run: Command) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=run.__doc__, description=run.__doc__, parents=[shared])
        sub.set_defaults(run=run)
        return sub

    command("check", run_check).add_argument("index", type=Path, metavar="DIR", help="an index folder")
    command("fit", run_fit).add_argument("--seed", type=int, default=0, help="seed of folds, batches and samples")
    for name, run in {"stats": run_stats, "vectors": run_vectors, "bench": run_bench}.items():
        sub = command(name, run)
        sub.add_argument("--catalog", type=Path, default=DEMO_CATALOG, metavar="FILE_OR_DIR", help="default: the demo catalogue")
        if run is run_vectors:
            sub.add_argument("--fresh", action="store_true", help="embed everything, also what is stored already")
        if run is run_bench:
            sub.add_argument("--seed", type=int, default=0, help="seed of the sample of steps")
    return parser


def _threads(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= MAX_THREADS:
        raise argparse.ArgumentTypeError(f"expected a whole number from 1 to {MAX_THREADS}, found {text!r}")
    return int(text)


def _encoder(args: argparse.Namespace) -> Encoder:
    return open_encoder(args.encoder, args.threads)


if __name__ == "__main__":
    sys.exit(main())
