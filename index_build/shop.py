"""A shop's catalogue → products with kinds and purchase intentions, on disk and ready to be indexed."""

from __future__ import annotations

import hashlib
import sys
from array import array
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np
from tqdm import tqdm

from ecomscript.association.encoder import Encoder, Vectors
from ecomscript.association.links import Links
from ecomscript.association.product_store import ProductStore, write_products
from ecomscript.config import DEMO_CATALOG
from ecomscript.errors import CatalogError
from ecomscript.folders import fingerprint, writing
from ecomscript.schema import Intention, Kind, Product
from index_build.embed import SHARD, Engine, here
from index_build.feeds.columns import Choice, read_choice
from index_build.feeds.listing import Listing
from index_build.feeds.reading import read_assertions, read_products
from index_build.feeds.staging import Staging
from index_build.feeds.tally import Tally
from index_build.sources import Catalogue, read_catalogue, stable_id
from index_build.transfer import Knowledge, Transfer, title_head

REJECTS = "rejects.jsonl"
Embed = Callable[[Iterable[Sequence[str]]], Iterator[Vectors]]
OTHER = "other product"
"""Kind of products that bring their own intentions, but neither a category nor a near kind."""


@dataclass(frozen=True, slots=True)
class ShopOptions:
    """How to read somebody else's catalogue.

    Attributes:
        mapping: YAML file that says which column holds what; without one all columns are guessed.
        assertions: File with purchase intentions of its products.
        scripts: File with plans that need its kinds, for a library of its own.
        knowledge: Catalogue of our own format that lends kinds and intentions to products without them.
    """

    mapping: Path | None = None
    assertions: Path | None = None
    scripts: Path | None = None
    knowledge: Path = DEMO_CATALOG


DEFAULTS = ShopOptions()


def shop_fingerprint(source: Path, options: ShopOptions) -> str:
    """Return a SHA-256 that changes with everything that the rows of the index depend on."""
    paths = (source, options.knowledge, options.mapping, options.assertions, options.scripts)
    parts = [fingerprint(path) for path in paths if path and path.exists()]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def read_shop(
    source: Path, options: ShopOptions, out: Path, work: Path, encoder: Encoder, quiet: bool = False, engine: Engine = here
) -> Catalogue:
    """Read a catalogue of any format, give its products kinds and intentions, and count what could not be used.

    Args:
        source: File or folder.
        options: How to read it.
        out: Index folder; ``rejects.jsonl`` is written there.
        work: Work folder: the rows, and the finished shards of embedded titles, which a later run uses again.
        encoder: The encoder of the index.
        quiet: No progress and no counts on stderr.
        engine: What embeds the titles.

    Raises:
        CatalogError: Nothing can be used, or the mapping is wrong.
        IndexFolderError: A folder cannot be written.
    """

    def tell(line: str) -> None:
        if not quiet:
            tqdm.write(line, file=sys.stderr)

    choice = read_choice(options.mapping) if options.mapping else Choice()
    with Tally(out / REJECTS) as tally, Staging(work / "staging.sqlite") as staging:
        read_products(source, choice, staging, tally, tell)
        if options.assertions is not None:
            read_assertions(options.assertions, staging, tally)
        knowledge = Knowledge.of(read_catalogue(options.knowledge), encoder)
        catalogue = attached(staging, knowledge, work, partial(engine, work, encoder), tally, quiet)
        for line in tally.sentences():
            tell(line)
        if not len(catalogue.products):
            cause = f"No product of {source} is near any hand-written kind, and none brings purchase intentions"
            raise CatalogError(cause, "Name a file of purchase intentions with --intentions.")
        return catalogue


def attached(staging: Staging, knowledge: Knowledge, work: Path, embed: Embed, tally: Tally, quiet: bool = True) -> Catalogue:
    """Give products kinds and intentions, and store them.

    Args:
        staging: The products.
        knowledge: What those without intentions get theirs from.
        work: Folder for the rows of the catalogue.
        embed: Batches of titles → their vectors.
        tally: Told of products that nothing is known of.
        quiet: No progress bar.

    Raises:
        IndexFolderError: The folder cannot be written.
    """
    given = _Attached(knowledge)
    with writing(work), tqdm(total=len(staging), desc="transferring", unit="product", disable=quiet, mininterval=1) as bar:
        write_products(work / "products.sqlite", given.products(staging.listings(), embed, tally, bar))
    return given.catalogue(ProductStore(work / "products.sqlite"))


class _Attached:
    """Products on their way from the staging file to the store, and what they were given, which stays in memory as numbers."""

    def __init__(self, knowledge: Knowledge) -> None:
        self._knowledge = knowledge
        self._kind_named = {kind.name: kind for kind in knowledge.kinds}
        self._row_of_text: dict[str, int] = {}
        self._kinds: dict[str, Kind] = {}
        self._intentions, self._products = array("i"), array("i")
        self._given = 0

    def products(self, listings: Iterator[Listing], embed: Embed, tally: Tally, bar: tqdm) -> Iterator[Product]:
        """Yield the products with their kinds; those that nothing is known of are counted and left out."""
        waiting: deque[list[Listing]] = deque()

        def batches() -> Iterator[list[str]]:
            while block := list(islice(listings, SHARD)):
                waiting.append(block)
                yield [title_head(listing.product.title) for listing in block]

        for heads in embed(batches()):
            block = waiting.popleft()
            titles, categories = zip(*((listing.product.title, listing.product.category) for listing in block), strict=True)
            for listing, found in zip(block, self._knowledge.give(titles, heads, categories), strict=True):
                product = self._attach(listing, found)
                if product is None:
                    tally.reject("no purchase intention known", listing.file, listing.line, row=listing.product.title)
                else:
                    yield product
            bar.update(len(block))

    def _attach(self, listing: Listing, found: Transfer) -> Product | None:
        texts = listing.intentions or tuple(self._knowledge.intentions[row].text for row in found.intentions)
        if not texts:
            return None
        kind = self._kind(listing.product.category, found, bool(listing.intentions))
        for text in texts:
            self._intentions.append(self._row_of_text.setdefault(text, len(self._row_of_text)))
            self._products.append(self._given)
        self._given += 1
        lent_by = () if listing.intentions else tuple(self._knowledge.kinds[row].name for row in found.lent_by)
        return replace(listing.product, kind=kind.name, category=kind.category, emoji=kind.emoji, transferred_from=lent_by)

    def _kind(self, category: str, found: Transfer, has_intentions: bool) -> Kind:
        """Return the hand-written kind that a product is sure to be, else its own category's last level, else the nearest kind."""
        known = self._knowledge.kinds[found.nearest]
        leaf = category.rpartition(" > ")[2].lower()
        if found.kind is None and (leaf or has_intentions):
            own = Kind(leaf or OTHER, category or OTHER.title(), known.emoji if leaf else "🛒")
            known = self._kind_named.get(own.name, own)
        return self._kinds.setdefault(known.name, Kind(known.name, known.category, known.emoji))

    def catalogue(self, products: ProductStore) -> Catalogue:
        """Return everything in the order that the builder expects: intentions by their texts, kinds by their names."""
        texts = sorted(self._row_of_text)
        rank = np.empty(len(texts), np.int64)
        rank[[self._row_of_text[text] for text in texts]] = np.arange(len(texts))
        links = Links.of_pairs(rank[np.asarray(self._intentions)], np.asarray(self._products), len(texts))
        kinds = tuple(self._kinds[name] for name in sorted(self._kinds))
        return Catalogue(products, tuple(Intention(stable_id(text), text) for text in texts), kinds, links, ())
