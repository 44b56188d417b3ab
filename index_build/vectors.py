"""The vectors that the project ships, so that the first start of a fresh clone embeds nothing."""

from __future__ import annotations

from pathlib import Path

from ecomscript.association.encoder import Encoder
from ecomscript.association.vector_store import VectorStore
from ecomscript.folders import writing
from index_build.build import library_texts
from index_build.centroids import index_texts
from index_build.embed import discard, embed_texts
from index_build.sources import read_catalogue


def ship_vectors(source: Path, out: Path, shards: Path, encoder: Encoder, quiet: bool = False) -> int:
    """Embed intentions, kind names, wordings and bodies of a catalogue into a store and return how many vectors it holds.

    Product titles and single steps are not among them: nothing embeds those at the start.

    Args:
        source: The catalogue.
        out: Folder of the store; files of the same encoder there are replaced.
        shards: Work folder; what an interrupted run left there is used.
        encoder: The encoder; one that looks into ``out`` first embeds only what is new (quantising twice changes nothing).
        quiet: No progress bar.

    Raises:
        CatalogError: A row cannot be used.
        IndexFolderError: A folder cannot be written.
    """
    catalogue = read_catalogue(source)
    texts = list(dict.fromkeys(index_texts(catalogue) + library_texts(catalogue)))
    store = VectorStore.of(texts, embed_texts(texts, encoder, shards, resume=True, quiet=quiet))
    with writing(out):
        store.save(out, encoder.name)
    discard(shards)
    return len(store)
