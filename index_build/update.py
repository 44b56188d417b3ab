"""An index takes in what changed in its catalogue: products that are new or different, and products that are gone."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from ecomscript.association.encoder import Encoder, Vectors
from ecomscript.association.index import IntentionIndex
from ecomscript.association.links import Links
from ecomscript.association.product_store import ProductStore, write_products
from ecomscript.association.shards import Rows
from ecomscript.errors import CatalogError
from ecomscript.folders import MANIFEST, fingerprint, reading, replace_folder, writing
from ecomscript.planning.library import LIBRARY_FOLDER, Library
from ecomscript.schema import Intention, Kind, Product
from index_build.build import ROWS, SHARDS, places
from index_build.centroids import centroids
from index_build.claim import only_writer
from index_build.embed import discard, embed_texts
from index_build.feeds.listing import product_id
from index_build.shop import DEFAULTS, REJECTS, ShopOptions, read_shop
from index_build.sources import Catalogue, is_own_format, read_catalogue, stable_id

NOTHING = Catalogue((), (), (), Links.of([]), ())


@dataclass(frozen=True, slots=True)
class Updated:
    """How many products came, were replaced and went, and how many intentions had to be embedded."""

    added: int
    replaced: int
    removed: int
    embedded: int


@dataclass(frozen=True, slots=True)
class _Plan:
    """Where every row goes.

    Attributes:
        kept: (old products,) new row of each, -1 for those that are gone.
        replaced_by: Row in the old index → row in the changes.
        place: (changed products,) new row of each.
    """

    kept: Rows
    replaced_by: Mapping[int, int]
    place: Rows

    @property
    def removed(self) -> int:
        """How many products are gone."""
        return int((self.kept < 0).sum())


def update(
    folder: Path,
    changes: Path | None,
    gone: Path | None,
    encoder: Encoder,
    quiet: bool = False,
    options: ShopOptions = DEFAULTS,
    milvus: str = "",
) -> Updated:
    """Bring an index up to date; only the texts that it does not know yet are embedded, and its graph is kept.

    A product whose id is known takes the place of the earlier one, whatever is different; ids of everything else stay. The new index takes
    the place of the old one in one step. What a full build would merge, near-duplicates of older products, stays apart.

    Args:
        folder: The index folder.
        changes: Catalogue file or folder with nothing but new and changed products.
        gone: Text file with the ids of products to take away, one a line: those of their catalogue, or of the index.
        encoder: The encoder that the index was built with.
        quiet: No progress bar.
        options: How to read changes that are not in our own format.
        milvus: Address of the server, for an index whose graph lives there.

    Raises:
        ConfigError: Milvus is needed and does not answer.
        CatalogError: Nothing of the changes can be used, an id is unknown, nothing would be left, or plans need what would go.
        IndexFolderError: The folder holds no index of this encoder, cannot be written, or another process writes there.
    """
    out, work = places(folder)
    with only_writer(out):
        index = IntentionIndex.load(out, encoder.name, milvus)
        discard(work)
        with writing(work):
            (work / ROWS).mkdir(parents=True)
        fresh = _read(changes, options, work, encoder, quiet)
        plan = _plan(index, fresh, _rows_of(gone, index))
        catalogue, row_now = _merged(index, fresh, plan, work / ROWS)
        known = np.flatnonzero(row_now >= 0)
        vectors = np.empty((len(catalogue.intentions), index.dim), np.float32)
        vectors[row_now[known]] = index.intention_vectors[known]
        new = np.setdiff1d(np.arange(len(vectors)), row_now[known])
        texts = [catalogue.intentions[n].text for n in new] + [kind.name for kind in catalogue.kinds]
        embedded = embed_texts(texts, encoder, work / SHARDS, quiet=quiet)
        vectors[new], names = embedded[: len(new)], embedded[len(new) :]
        products, kinds = centroids(catalogue, vectors, names)
        with tqdm(desc="connecting", unit="intention", disable=quiet, mininterval=1) as bar:
            graph = index.graph.updated(row_now, vectors, bar.update)
        marks = [index.source, *(fingerprint(path) for path in (changes, gone) if path is not None)]
        source = hashlib.sha256("\n".join(marks).encode()).hexdigest()
        rows = (catalogue.products, catalogue.intentions, catalogue.kinds, catalogue.products_of_intention)
        IntentionIndex(index.encoder, source, *rows, vectors, products, kinds, graph).save(work)
        _carry_over(out, work, source, catalogue.kinds, kinds, encoder)
        discard(work / ROWS)
        discard(work / SHARDS)
        with writing(out):
            replace_folder(work, out)
        replaced = len(plan.replaced_by)
        return Updated(len(plan.place) - replaced, replaced, plan.removed, len(new))


def _read(changes: Path | None, options: ShopOptions, work: Path, encoder: Encoder, quiet: bool) -> Catalogue:
    if changes is None:
        return NOTHING
    if is_own_format(changes):
        return read_catalogue(changes)
    return read_shop(changes, options, work, work / ROWS, encoder, quiet)


def _rows_of(gone: Path | None, index: IntentionIndex) -> npt.NDArray[np.int64]:
    """Return the rows that are to go."""
    if gone is None:
        return np.zeros(0, np.int64)
    with reading(gone):
        ids = gone.read_text(encoding="utf-8-sig", errors="replace").splitlines()
        ids = [own for line in ids if (own := line.strip())]
    rows = [index.row_of.get(own, index.row_of.get(product_id(own))) for own in ids]
    if unknown := [own for own, row in zip(ids, rows, strict=True) if row is None]:
        cause = f"{len(unknown):,} of the ids in {gone} are in no row of the index, the first is {str(unknown[0])[:80]!r}"
        raise CatalogError(cause, "Take them out of the file, or correct them.")
    return np.array(rows, np.int64)


def _plan(index: IntentionIndex, fresh: Catalogue, gone: npt.NDArray[np.int64]) -> _Plan:
    stays = np.ones(len(index.products), bool)
    stays[gone] = False
    kept = np.where(stays, np.cumsum(stays) - 1, -1)
    place, replaced_by, count = np.empty(len(fresh.products), np.int64), {}, int(stays.sum())
    for n, product in enumerate(fresh.products):
        row = index.row_of.get(product.product_id)
        if row is not None and stays[row]:
            replaced_by[row] = n
            place[n] = kept[row]
        else:
            place[n] = count
            count += 1
    if not count:
        raise CatalogError("Nothing would be left in the index", "Build one of another catalogue instead.")
    return _Plan(kept, replaced_by, place)


def _merged(index: IntentionIndex, fresh: Catalogue, plan: _Plan, work: Path) -> tuple[Catalogue, Rows]:
    """Return the catalogue as it is now, and the new row of each old intention, -1 for those that lead nowhere any more."""

    def products() -> Iterator[Product]:
        for row, product in enumerate(index.products):
            if plan.kept[row] >= 0:
                yield fresh.products[plan.replaced_by[row]] if row in plan.replaced_by else product
        yield from (product for n, product in enumerate(fresh.products) if plan.place[n] >= len(index.products) - plan.removed)

    with writing(work):
        write_products(work / "merged.sqlite", products())
    kinds: dict[str, Kind] = {kind.name: kind for kind in index.kinds}
    kinds |= {kind.name: kind for kind in fresh.kinds if kind.intentions or kind.name not in kinds}
    links, row_now, texts = _links(index, fresh, plan)
    rows = ProductStore(work / "merged.sqlite")
    seen = set(rows.kinds())
    intentions = tuple(Intention(stable_id(text), text) for text in texts)
    return Catalogue(rows, intentions, tuple(kind for kind in kinds.values() if kind.name in seen), links, ()), row_now


def _links(index: IntentionIndex, fresh: Catalogue, plan: _Plan) -> tuple[Links, Rows, list[str]]:
    old, other = index.products_of_intention, fresh.products_of_intention
    own = plan.kept.copy()
    own[list(plan.replaced_by)] = -1  # a product that was replaced leads from its new intentions alone
    stays = own[old.targets] >= 0
    sources, targets = old.sources()[stays], own[old.targets[stays]]
    alive = np.unique(sources)
    texts = sorted({*(index.intentions[n].text for n in alive), *(intention.text for intention in fresh.intentions)})
    row_of = {text: row for row, text in enumerate(texts)}
    row_now = np.full(len(index.intentions), -1, np.int64)
    # A text may come back with the changes after its last old product went: then its vector is known too.
    for n, intention in enumerate(index.intentions):
        row_now[n] = row_of.get(intention.text, -1)
    new_now = np.array([row_of[intention.text] for intention in fresh.intentions], np.int64)
    pairs = (np.concatenate([row_now[sources], new_now[other.sources()]]), np.concatenate([targets, plan.place[other.targets]]))
    return Links.of_pairs(*pairs, len(texts)), row_now, texts


def _carry_over(out: Path, work: Path, source: str, kinds: tuple[Kind, ...], vectors: Vectors, encoder: Encoder) -> None:
    """Write the library of the old index for the new one, and keep the rejected rows of the old one where none are new."""
    with writing(work):
        if (out / REJECTS).is_file() and not (work / REJECTS).exists():
            shutil.copyfile(out / REJECTS, work / REJECTS)
    if not (out / LIBRARY_FOLDER / MANIFEST).is_file():
        return
    old, known = Library.load(out / LIBRARY_FOLDER, encoder.name), {kind.name for kind in kinds}
    lost = sorted({need for script in old.scripts for step in script.steps for need in step.needs} - known)
    if lost:
        cause = f"Plans of the library need {lost[0]!r}, of which no product would be left"
        raise CatalogError(cause, "Keep one of them, or build the index again with other plans.")
    Library(old.encoder, source, old.scripts, kinds, old.wording_vectors, old.body_vectors, vectors).save(work / LIBRARY_FOLDER)
