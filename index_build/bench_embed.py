"""The builder's road from texts to vectors against the encoder alone, and whether numbers of half the size would do."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from ecomscript.association.associate import SAME_PURPOSE
from ecomscript.association.encoder import BATCH_SIZE, Encoder, Vectors
from index_build.bench import Row
from index_build.embed import discard, embed_texts
from index_build.sources import Catalogue
from index_build.transfer import title_head

TEXTS, ROUNDS = 1024, 5
AGREES = 1e-3
"""Most that a cosine of two texts may move by other numbers."""
ROAD, ALONE, HALF = "builder", "encoder alone", "encoder alone, bfloat16"


def bench_embed(
    catalogue: Catalogue, work: Path, encoder: Encoder, model: Encoder, count: int = TEXTS, rounds: int = ROUNDS, seed: int = 0
) -> list[Row]:
    """Embed titles and intentions both ways in turn, several times, on one thread.

    Args:
        catalogue: Whose texts are embedded: half of them titles as the builder cuts them, half intentions.
        work: Folder for the builder's shards.
        encoder: The builder's encoder, with the store that it looks into first.
        model: The same weights without a store.
        count: Texts.
        rounds: How often each way runs.
        seed: Seed of what is drawn.

    Returns:
        A row for each way: texts a CPU second (the median of the rounds), and CPU time over that of the encoder alone in the same round;
        for bfloat16 also how far cosines between the texts move, and which share of the decisions at the paper's τ turn over.
    """
    texts = _texts(catalogue, count, np.random.default_rng(seed))
    longest_first = sorted(texts, key=len, reverse=True)
    ways: dict[str, Callable[[], Vectors]] = {
        ROAD: lambda: embed_texts(texts, encoder, work / "shards", quiet=True),
        ALONE: lambda: model.encode(longest_first),
        HALF: lambda: _halved(model, longest_first),
    }
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    vectors: dict[str, Vectors] = {}
    with threadpool_limits(1):
        model.encode(texts[:BATCH_SIZE])
        for n in range(rounds):
            for name in list(ways)[:: 1 if n % 2 else -1]:
                started = time.process_time()
                vectors[name] = ways[name]()
                seconds[name].append(time.process_time() - started)
                discard(work / "shards")
    return [{**_speed(name, seconds, len(texts)), **(_moved(vectors[ALONE], vectors[HALF]) if name == HALF else {})} for name in ways]


def _texts(catalogue: Catalogue, count: int, rng: np.random.Generator) -> list[str]:
    """Return texts that no store of vectors knows: the intentions end in a full stop."""
    heads = dict.fromkeys(title_head(product.title) for product in catalogue.products)
    said = dict.fromkeys(f"{intention.text}." for intention in catalogue.intentions)
    found = [text for texts in (list(heads), list(said)) for text in rng.permutation(texts)[: count // 2].tolist()]
    return [found[n] for n in rng.permutation(len(found))]


def _halved(model: Encoder, texts: Sequence[str]) -> Vectors:
    import torch  # noqa: PLC0415 - seconds of import that the other commands need not pay

    with torch.autocast("cpu", torch.bfloat16):
        return model.encode(texts)


def _speed(name: str, seconds: dict[str, list[float]], count: int) -> Row:
    own = np.array(seconds[name])
    over = own / np.array(seconds[ALONE])
    spread = {"least_over_encoder": round(float(over.min()), 3), "most_over_encoder": round(float(over.max()), 3)}
    rate = {"texts_a_cpu_s": round(count / float(np.median(own)), 1), "over_encoder": round(float(np.median(over)), 3)}
    return {"way": name, "texts": count, "rounds": len(own), **rate, **spread}


def _moved(whole: Vectors, half: Vectors) -> Row:
    """Return how far the cosines of all pairs of texts move."""
    before, after = (rows @ rows.T for rows in (whole, half))
    pairs = np.triu_indices(len(whole), 1)
    moved = np.abs(before - after)[pairs]
    near = before[pairs] >= SAME_PURPOSE
    turned = near != (after[pairs] >= SAME_PURPOSE)
    share = float(turned.sum()) / max(int(near.sum()), 1)
    return {"largest_cosine_error": round(float(moved.max()), 5), "agrees": bool(moved.max() <= AGREES), "turned_share": round(share, 4)}
