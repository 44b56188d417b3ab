"""A catalogue becomes an index folder."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from tqdm import tqdm

from ecomscript.association.encoder import Encoder
from ecomscript.association.graph import build_graph
from ecomscript.association.index import IntentionIndex
from ecomscript.association.milvus import connected
from ecomscript.association.shards import Storage
from ecomscript.errors import CatalogError, IndexFolderError
from ecomscript.folders import MANIFEST, fingerprint, open_sealed, read_manifest, replace_folder, writing
from ecomscript.planning.library import FORMAT_VERSION as LIBRARY_VERSION
from ecomscript.planning.library import LIBRARY_FOLDER, Library, body_text, wordings
from index_build.centroids import centroids, index_texts
from index_build.claim import only_writer
from index_build.embed import Engine, discard, embed_texts, here
from index_build.shop import DEFAULTS, ShopOptions, read_shop, shop_fingerprint
from index_build.sources import Catalogue, is_own_format, read_catalogue, read_scripts

SHARDS, ROWS, BUILDING = "shards", "rows", ".building"
"""Work folders, and what is added to the name of the index folder until it is finished."""


def build(
    source: Path,
    out: Path,
    encoder: Encoder,
    resume: bool = False,
    quiet: bool = False,
    options: ShopOptions = DEFAULTS,
    storage: Storage = "fp32",
    engine: Engine = here,
    milvus: str = "",
) -> IntentionIndex:
    """Build the index of a catalogue, and its library in ``out/library`` when the catalogue has scripts.

    Everything is written beside ``out`` and takes its place in one step at the end: an earlier index there serves until then.

    Args:
        source: Catalogue file or folder, in our own format or in any that ``feeds`` reads.
        out: Index folder to write.
        encoder: The Sentence-BERT model.
        resume: Keep an index that is finished already, else go on after a kill: rows are read again, no text is embedded again.
        quiet: No progress bar.
        options: How to read a catalogue that is not in our own format.
        storage: How the graph keeps vectors.
        engine: What embeds.
        milvus: Address of the server that holds the graph where ``storage`` is "milvus".

    Raises:
        ConfigError: Ray or Milvus is needed, and is not installed or does not answer.
        CatalogError: A row of our own format, or nothing of any other, can be used; or the catalogue changed while it was read.
        IndexFolderError: ``out`` cannot be written, or another process writes there.
    """
    if storage == "milvus":
        connected(milvus)  # rather said now than after hours of embedding
    own, (out, work) = is_own_format(source), places(out)
    if own and options.scripts:
        raise CatalogError(f"{source} is in our own format, which brings its plans", f"Put {options.scripts} into its folder scripts/.")
    if options.scripts and not options.scripts.is_file():
        raise CatalogError(f"There is no file {options.scripts}", "Name one that `distil scripts` wrote.")  # said before hours of embedding
    with only_writer(out):
        mark_of = partial(fingerprint, source) if own else partial(shop_fingerprint, source, options)
        mark = mark_of()
        if not resume:
            discard(work)
        index = _finished(mark, out, encoder, storage, milvus) if resume else None
        if index is not None and (not own or _has_library(out, mark, encoder) or not (source / "scripts").is_dir()):
            discard(work)
            return index
        index = _finished(mark, work, encoder, storage, milvus)
        catalogue = read_catalogue(source) if own else None
        if index is None:
            rows = catalogue or read_shop(source, options, work, work / ROWS, encoder, quiet, engine)
            index = build_index(rows, mark, work, encoder, resume, quiet, storage, engine, milvus)
        catalogue = catalogue or _with_plans(index, options)
        if catalogue.scripts:
            build_library(catalogue, mark, index, work / LIBRARY_FOLDER, encoder, quiet=quiet, resume=resume, engine=engine)
        if mark != mark_of():
            raise CatalogError(f"{source} changed while it was read", "Run the command again; with --resume it embeds only what is new.")
        discard(work / SHARDS)
        discard(work / ROWS)
        with writing(out):
            replace_folder(work, out)
        return index


def places(out: Path) -> tuple[Path, Path]:
    """Return the index folder, links followed, and the folder beside it that becomes it.

    Raises:
        IndexFolderError: The folder holds something else, which would be lost, or cannot be replaced.
    """
    out = out.resolve()
    fix = "Name a folder that does not exist yet, or one that holds an index."
    if out.is_mount():
        raise IndexFolderError(f"{out} is the top of a disk and cannot be replaced whole", "Name a folder below it.")
    if out.is_dir() and any(out.iterdir()) and not any((out / name).exists() for name in (MANIFEST, SHARDS, ROWS)):
        raise IndexFolderError(f"The folder {out} holds other files than an index", fix)
    return out, out.with_name(f"{out.name}{BUILDING}")


def _finished(source: str, out: Path, encoder: Encoder, storage: Storage, milvus: str) -> IntentionIndex | None:
    try:
        if read_manifest(out).get("storage") != storage:
            return None
        index = IntentionIndex.load(out, encoder.name, milvus)
    except IndexFolderError:
        return None
    return index if index.source == source else None


def _with_plans(index: IntentionIndex, options: ShopOptions) -> Catalogue:
    """Return the rows of a shop's index with the plans that were named for it."""
    scripts = read_scripts([options.scripts] if options.scripts else [], {kind.name: kind for kind in index.kinds})
    return Catalogue(index.products, index.intentions, index.kinds, index.products_of_intention, scripts)


def _has_library(out: Path, source: str, encoder: Encoder) -> bool:
    try:
        open_sealed(out / LIBRARY_FOLDER, {"version": LIBRARY_VERSION, "encoder": encoder.name, "source": source})
    except IndexFolderError:
        return False
    return True


def build_index(
    catalogue: Catalogue,
    source: str,
    out: Path,
    encoder: Encoder,
    resume: bool = False,
    quiet: bool = False,
    storage: Storage = "fp32",
    engine: Engine = here,
    milvus: str = "",
) -> IntentionIndex:
    """Embed, connect and save a catalogue.

    Args:
        catalogue: The rows.
        source: Fingerprint of where they come from.
        out: Index folder to write.
        encoder: The Sentence-BERT model.
        resume: Go on after a kill; at most one shard is embedded again.
        quiet: No progress bar.
        storage: How the graph keeps vectors.
        engine: What embeds.
        milvus: Address of the server that holds the graph where ``storage`` is "milvus".

    Raises:
        ConfigError: Milvus does not do what it should.
        IndexFolderError: ``out`` cannot be written.
    """
    embedded = embed_texts(index_texts(catalogue), encoder, out / SHARDS, resume, quiet, engine)
    intentions, names = embedded[: len(catalogue.intentions)], embedded[len(catalogue.intentions) :]
    products, kinds = centroids(catalogue, intentions, names)
    with tqdm(total=len(intentions), desc="connecting", unit="intention", disable=quiet, mininterval=1) as bar:
        graph = build_graph(intentions, bar.update, storage, milvus=milvus)
    rows = (catalogue.products, catalogue.intentions, catalogue.kinds, catalogue.products_of_intention)
    index = IntentionIndex(encoder.name, source, *rows, intentions, products, kinds, graph)
    index.save(out)
    discard(out / SHARDS)
    return index


def build_library(
    catalogue: Catalogue,
    source: str,
    index: IntentionIndex,
    out: Path,
    encoder: Encoder,
    *,
    quiet: bool = False,
    resume: bool = False,
    engine: Engine = here,
) -> Library:
    """Embed the scripts of a catalogue and save them as the planner's library.

    Args:
        catalogue: A catalogue with scripts.
        source: Its fingerprint.
        index: The index of the same catalogue (for the vectors of the kinds).
        out: Folder to write.
        encoder: The Sentence-BERT model.
        quiet: No progress bar.
        resume: Go on after a kill.
        engine: What embeds.
    """
    embedded = embed_texts(library_texts(catalogue), encoder, out / SHARDS, resume, quiet, engine)
    bodies = len(embedded) - len(catalogue.scripts)
    library = Library(encoder.name, source, catalogue.scripts, catalogue.kinds, embedded[:bodies], embedded[bodies:], index.kind_vectors)
    library.save(out)
    discard(out / SHARDS)
    return library


def library_texts(catalogue: Catalogue) -> list[str]:
    """Return what a library embeds: the wordings of all scripts, then their bodies."""
    return [w for script in catalogue.scripts for w in wordings(script)] + [body_text(script) for script in catalogue.scripts]
