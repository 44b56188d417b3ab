"""The command line of the offline builder.

python -m index_build --catalog FILE_OR_DIR --out DIR [--resume]   build an index (and its library)
python -m index_build check DIR                                    measure an index; exit status 2 when it is not good
python -m index_build update DIR --catalog CHANGES --remove IDS     take in what changed, without building again
python -m index_build distil intentions|scripts --catalog … --out FILE   let a language model say what people buy products for
python -m index_build stats | vectors | fit | bench-data           see --help
python -m index_build bench | bench-read | bench-store | bench-embed | …   measure, and store the result; --help names all
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path

from ecomscript.association.encoder import Encoder, SentenceBert
from ecomscript.association.graph import STORAGES
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
from index_build.annotations import read_sheet
from index_build.bench import Row, bench
from index_build.bench_data import DataOptions, bench_data
from index_build.bench_embed import bench_embed
from index_build.bench_growth import SIZES, bench_growth
from index_build.bench_read import bench_read
from index_build.bench_scale import bench_scale
from index_build.bench_store import bench_store
from index_build.bench_transfer import bench_transfer
from index_build.build import build
from index_build.check import check, encoder_of
from index_build.claim import only_writer
from index_build.distil.options import add_options, distil, whole
from index_build.embed import here
from index_build.ray_engine import on_ray
from index_build.shop import ShopOptions
from index_build.sources import read_catalogue
from index_build.stats import stats
from index_build.update import update
from index_build.vectors import ship_vectors

MAX_THREADS, MAX_ROWS = 64, 10_000_000
ENGINES = {"local": here, "ray": on_ray}

Command = Callable[[argparse.Namespace], int]


def run_build(args: argparse.Namespace) -> int:
    """Build an index from a catalogue."""
    how = (ShopOptions(args.mapping, args.intentions, args.scripts), args.store, ENGINES[args.engine], args.milvus)
    index = build(args.catalog, args.out, _encoder(args), args.resume, args.quiet, *how)
    if not args.quiet:
        print(f"{args.out}: {len(index.products)} products, {len(index.intentions)} intentions")
    return 0


def run_check(args: argparse.Namespace) -> int:
    """Measure an index and say whether it is good enough to serve."""
    report = check(args.index, open_encoder(encoder_of(args.index), args.threads), milvus=args.milvus)
    print(json.dumps(report.to_json()))
    return 0 if report.ok else 2


def run_update(args: argparse.Namespace) -> int:
    """Take new, changed and removed products into an index without building it again."""
    encoder = open_encoder(encoder_of(args.index), args.threads)
    options = ShopOptions(args.mapping, args.intentions)
    done = update(args.index, args.catalog, args.remove, encoder, args.quiet, options, args.milvus)
    print(json.dumps(asdict(done)))
    return 0


def run_distil(args: argparse.Namespace) -> int:
    """Let a language model say why people buy the products of a catalogue, or write plans for it."""
    print(distil(args, lambda: _encoder(args)))
    return 0


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
    return _store("index", "python -m index_build bench", rows, args)


def _store(name: str, command: str, rows: Sequence[Row], args: argparse.Namespace) -> int:
    path = write_results(name, command, rows, fingerprint(args.catalog), [args.seed])
    for row in rows:
        print(json.dumps(row))
    print(f"stored in {path}")
    return 0


def _progress(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def run_bench_read(args: argparse.Namespace) -> int:
    """Compare reading a catalogue with a plain loop over its lines, on files made in a temporary folder, and store the result."""
    with tempfile.TemporaryDirectory() as work:
        rows = bench_read(read_catalogue(args.catalog).products, Path(work), args.rows, args.seed)
    return _store("catalogue-reading", f"python -m index_build bench-read --rows {args.rows}", rows, args)


def run_bench_store(args: argparse.Namespace) -> int:
    """Compare reading single products from SQLite, from Parquet and from memory, in a temporary folder, and store the result."""
    with tempfile.TemporaryDirectory() as work:
        rows = bench_store(read_catalogue(args.catalog).products, Path(work), args.rows, args.seed)
    return _store("product-store", f"python -m index_build bench-store --rows {args.rows}", rows, args)


def run_bench_transfer(args: argparse.Namespace) -> int:
    """Measure transferred kinds and intentions on kinds whose own knowledge is hidden, and store the result."""
    rows = bench_transfer(args.catalog, _encoder(args), args.seed)
    return _store("intention-transfer", "python -m index_build bench-transfer", rows, args)


def run_bench_scale(args: argparse.Namespace) -> int:
    """Build graphs of growing size over made-up vectors, measure them, and store the result with an estimate for the paper's size."""
    rows = bench_scale(args.catalog, _encoder(args), args.full, args.seed, (lambda _: None) if args.quiet else _progress)
    command = " ".join(["python -m index_build bench-scale", *(["--full", *args.full] if args.full else [])])
    return _store("scale", command, rows, args)


def run_bench_embed(args: argparse.Namespace) -> int:
    """Compare how the builder embeds texts with the encoder alone, on one thread, and store the result."""
    with tempfile.TemporaryDirectory() as work:
        rows = bench_embed(read_catalogue(args.catalog), Path(work), open_encoder(args.encoder), SentenceBert(args.encoder), seed=args.seed)
    return _store("embedding", "python -m index_build bench-embed", rows, args)


def run_bench_growth(args: argparse.Namespace) -> int:
    """Measure time and memory of reading, merging, storing and linking catalogues of growing size, and store the result."""
    tell = (lambda _: None) if args.quiet else _progress
    sizes = sorted(set(args.rows))
    with tempfile.TemporaryDirectory() as work:
        rows = bench_growth(args.catalog, Path(work), _encoder(args), sizes, args.seed, tell)
    asked = "" if sizes == list(SIZES) else f" --rows {' '.join(map(str, sizes))}"
    return _store("catalogue-growth", f"python -m index_build bench-growth{asked}", rows, args)


def run_bench_data(args: argparse.Namespace) -> int:
    """Write the paper's data set for a catalogue, or label it with what annotators made of its sheet."""
    with only_writer(args.out):
        if args.read is not None:
            found: Mapping[str, object] = read_sheet(args.read, args.out)
        else:
            how = DataOptions(args.tau, args.scripts, args.items, args.seed)
            found = bench_data(args.catalog, args.out, _encoder(args), how, ShopOptions(args.mapping, args.intentions), args.quiet)
    print(json.dumps(found))
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return the exit status: 2 with one sentence on stderr for what a person can mend."""
    try:
        parser = _parser(Settings.from_env())
        args = parser.parse_args(argv)
        if args.run is run_build and (args.catalog is None or args.out is None):
            parser.error("name a catalogue with --catalog and a folder with --out, or one of the commands")
        if args.run is run_update and args.catalog is None and args.remove is None:
            parser.error("name what changed with --catalog, what is gone with --remove, or both")
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
    shared.add_argument("--threads", type=whole(1, MAX_THREADS), default=settings.threads, metavar="N", help="CPU threads of the encoder")
    shared.add_argument("--quiet", action="store_true", help="no progress bar")
    parser = argparse.ArgumentParser(prog="python -m index_build", description=run_build.__doc__, parents=[shared])
    formats = "a file or folder: CSV, TSV, JSONL, XML feed or Parquet, also .gz and .zst; or kinds/ and scripts/ of our own format"
    parser.add_argument("--catalog", type=Path, metavar="FILE_OR_DIR", help=formats)
    parser.add_argument("--out", type=Path, metavar="DIR", help="index folder to write")
    _add_reading(parser)
    stores = "what holds the graph: a file (fp32; sq8, a byte a dimension, needs faiss) or the Milvus at ECOMSCRIPT_MILVUS_URI"
    parser.add_argument("--store", "--storage", choices=(*STORAGES, "milvus"), default="fp32", help=stores)
    engines = "what embeds: this process, or Ray on these cores or on the cluster of RAY_ADDRESS (default: %(default)s)"
    parser.add_argument("--engine", choices=ENGINES, default="local", help=engines)
    parser.add_argument("--scripts", type=Path, metavar="FILE", help="plans that need its kinds, such as `distil scripts` writes")
    parser.add_argument("--resume", action="store_true", help="go on where a killed build stopped")
    parser.set_defaults(run=run_build, milvus=settings.milvus_uri)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")

    def command(name: str, run: Command) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=run.__doc__, description=run.__doc__, parents=[shared])
        sub.set_defaults(run=run)
        return sub

    command("check", run_check).add_argument("index", type=Path, metavar="DIR", help="an index folder")
    changing = command("update", run_update)
    changing.add_argument("index", type=Path, metavar="DIR", help="an index folder")
    changing.add_argument("--catalog", type=Path, metavar="FILE_OR_DIR", help="new and changed products, in any format that is built from")
    changing.add_argument("--remove", type=Path, metavar="FILE", help="ids of products that are gone, one a line")
    _add_reading(changing)
    data = command("bench-data", run_bench_data)
    data.add_argument("--catalog", type=Path, default=DEMO_CATALOG, metavar="FILE_OR_DIR", help="default: the demo catalogue")
    data.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder of the data set")
    data.add_argument("--read", type=Path, metavar="CSV", help="label the data set in DIR by this filled-in sheet")
    data.add_argument("--tau", type=_cosine, default=DataOptions().tau, help="least cosine of step and intention (default: %(default)s)")
    data.add_argument("--scripts", type=whole(1, MAX_ROWS), metavar="N", help="most scripts that are enriched (default: all)")
    data.add_argument(
        "--items", type=whole(1, MAX_ROWS), default=DataOptions().items, metavar="N", help="most items of a task (default: %(default)s)"
    )
    data.add_argument("--seed", type=int, default=0, help="seed of what is drawn")
    _add_reading(data)
    add_options(command("distil", run_distil))
    command("fit", run_fit).add_argument("--seed", type=int, default=0, help="seed of folds, batches and samples")
    _add_measuring(command)
    return parser


def _add_measuring(command: Callable[[str, Command], argparse.ArgumentParser]) -> None:
    measuring = {
        "bench": run_bench,
        "bench-read": run_bench_read,
        "bench-store": run_bench_store,
        "bench-transfer": run_bench_transfer,
        "bench-scale": run_bench_scale,
        "bench-embed": run_bench_embed,
        "bench-growth": run_bench_growth,
    }
    parsers = {name: command(name, run) for name, run in {"stats": run_stats, "vectors": run_vectors, **measuring}.items()}
    for name, sub in parsers.items():
        sub.add_argument("--catalog", type=Path, default=DEMO_CATALOG, metavar="FILE_OR_DIR", help="default: the demo catalogue")
        if name in measuring:
            sub.add_argument("--seed", type=int, default=0, help="seed of what is drawn")
    parsers["vectors"].add_argument("--fresh", action="store_true", help="embed everything, also what is stored already")
    big = "also a million intentions for these storages: minutes each, and 7 GB of memory"
    parsers["bench-scale"].add_argument("--full", nargs="+", choices=STORAGES, default=(), help=big)
    rows = whole(100, MAX_ROWS)
    for name in ("bench-read", "bench-store"):
        parsers[name].add_argument("--rows", type=rows, default=200_000, metavar="N", help="rows of the files (default: %(default)s)")
    growing = "sizes of the catalogues (default: %(default)s)"
    parsers["bench-growth"].add_argument("--rows", type=rows, nargs="+", default=SIZES, metavar="N", help=growing)


def _add_reading(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--mapping", type=Path, metavar="YAML", help="which column holds what, where the usual names do not")
    parser.add_argument("--intentions", type=Path, metavar="FILE", help="purchase intentions of the products, such as FolkScope's")


def _cosine(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < 1:  # NaN fails this too
        raise argparse.ArgumentTypeError(f"expected a cosine from 0 to below 1, found {text!r}")
    return value


def _encoder(args: argparse.Namespace) -> Encoder:
    return open_encoder(args.encoder, args.threads)


if __name__ == "__main__":
    sys.exit(main())
