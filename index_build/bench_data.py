"""The paper's data set for a catalogue: scripts with products by step-intention alignment, and items of T1, T2 and T3 to be marked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from tqdm import tqdm

from ecomscript.association.associate import SAME_PURPOSE
from ecomscript.association.encoder import Encoder, Vectors
from ecomscript.association.index import IntentionIndex
from ecomscript.errors import CatalogError
from ecomscript.folders import writing
from ecomscript.jsonl import write_lines
from ecomscript.learnt import mix
from ecomscript.schema import LibraryScript
from ecomscript.verification.claims import MAX_CHARACTERS, TASKS
from index_build.annotations import SHEET, write_sheet
from index_build.build import build
from index_build.shop import ShopOptions
from index_build.sources import is_own_format, read_catalogue

NEAR = 100
"""Intentions that are looked at for a step."""
PRODUCTS = 3
"""Most products of a step, each of another kind."""
SCRIPTS = "scripts.jsonl"

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Aligned:
    """A product that an intention led to: its row, the intention, and how near this is to the step."""

    product: int
    intention: str
    cosine: float


@dataclass(frozen=True, slots=True)
class Enriched:
    """A script with, for each of its steps, the products at or above τ and those that just missed it."""

    script: LibraryScript
    aligned: tuple[tuple[Aligned, ...], ...]
    missed: tuple[tuple[Aligned, ...], ...]


@dataclass(frozen=True, slots=True)
class DataOptions:
    """What is made.

    Attributes:
        tau: Least cosine of step and intention, the paper's τ.
        scripts: Most scripts that are enriched, drawn at random; None takes all.
        items: Most candidates of each task.
        seed: Of everything drawn.
    """

    tau: float = SAME_PURPOSE
    scripts: int | None = None
    items: int = 300
    seed: int = 0


def bench_data(source: Path, out: Path, encoder: Encoder, how: DataOptions, reading: ShopOptions, quiet: bool = False) -> dict[str, int]:
    """Write ``scripts.jsonl``, candidates ``t1.jsonl`` to ``t3.jsonl`` and the sheet for annotators into a folder.

    Args:
        source: The catalogue; one without scripts gets those of the catalogue that lends knowledge.
        out: Folder to write.
        encoder: The Sentence-BERT model.
        how: What to make.
        reading: How to read a catalogue that is not in our own format.
        quiet: No progress bar.

    Returns:
        How many scripts, steps with products and candidates there are.

    Raises:
        CatalogError: The catalogue cannot be used, or no step of any script is as near to an intention as τ.
        IndexFolderError: The folder cannot be written.
    """
    scripts = read_catalogue(source).scripts if is_own_format(source) else ()
    scripts = scripts or read_catalogue(reading.knowledge).scripts
    rng = np.random.default_rng(how.seed)
    chosen = [scripts[n] for n in sorted(rng.permutation(len(scripts))[: how.scripts])]
    with writing(out):
        out.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as work:
        index = build(source, Path(work) / "index", encoder, quiet=quiet, options=reading)
    enriched = [enrich(script, index, encoder, how.tau) for script in tqdm(chosen, "aligning", disable=quiet, unit="script", mininterval=1)]
    if not any(of for one in enriched for of in one.aligned):
        raise CatalogError(
            f"No step of {len(enriched):,} scripts is as near as {how.tau} to a purchase intention", "Choose a smaller --tau."
        )
    items = candidates(enriched, index, how.items, rng)
    write_lines(out / SCRIPTS, (_script_row(one, index) for one in enriched))
    for task, rows in items.items():
        write_lines(out / f"{task}.jsonl", rows)
    write_sheet(out / SHEET, items)
    steps = sum(bool(of) for one in enriched for of in one.aligned)
    return {"scripts": len(enriched), "steps_with_products": steps, **{task: len(rows) for task, rows in items.items()}}


def enrich(script: LibraryScript, index: IntentionIndex, encoder: Encoder, tau: float) -> Enriched:
    """Return a script with the products that its steps, mixed with its objective as the app does it, are aligned with."""
    vectors = encoder.encode([*(step.text for step in script.steps), script.objective])
    aligned, missed = [], []
    for query in mix(vectors[:-1], vectors[-1]):
        found = list(_found(index, query))
        aligned.append(_of_different_kinds([one for one in found if one.cosine >= tau], index))
        missed.append(_of_different_kinds([one for one in found if one.cosine < tau], index))
    return Enriched(script, tuple(aligned), tuple(missed))


def _found(index: IntentionIndex, query: Vectors) -> Iterator[Aligned]:
    near = index.nearest(query, NEAR)
    for row, cosine in zip(near.rows, near.cosines, strict=True):
        for product in index.products_of_intention[row]:
            yield Aligned(int(product), index.intentions[row].text, float(cosine))


def _of_different_kinds(found: Sequence[Aligned], index: IntentionIndex) -> tuple[Aligned, ...]:
    """Return the first product of each kind, the nearest intention first."""
    first: dict[str | None, Aligned] = {}
    for one in found:
        if len(first) == PRODUCTS:
            break
        first.setdefault(index.products[one.product].kind, one)
    return tuple(first.values())


def candidates(enriched: Sequence[Enriched], index: IntentionIndex, most: int, rng: np.random.Generator) -> dict[str, list[Row]]:
    """Return items that people are to label, in random order; about half of a task are made less likely to hold (``made``).

    Args:
        enriched: Scripts with their products.
        index: The index that the products are rows of.
        most: Most items of a task.
        rng: Of what is drawn.
    """
    makers = {"t1": _t1, "t2": _t2, "t3": _t3}
    items: dict[str, list[Row]] = {}
    for task in TASKS:
        rows = [row for n in rng.permutation(len(enriched)) for row in makers[task](enriched, int(n), index, rng)]
        chosen = sorted(rng.permutation(len(rows))[:most])
        items[task] = [{"id": f"{task}-{number:05d}", **rows[n]} for number, n in enumerate(chosen, 1)]
    return items


def _t1(enriched: Sequence[Enriched], n: int, _: IntentionIndex, rng: np.random.Generator) -> list[Row]:
    """Return the script as it is, or with two steps exchanged, or with a step of another script."""
    script = enriched[n].script
    written = [step.text for step in script.steps]
    steps, made = written.copy(), str(rng.choice(["as written", "as written", "steps exchanged", "step of another script"]))
    if made == "steps exchanged" and len(steps) > 1:
        one, other = rng.permutation(len(steps))[:2]
        steps[one], steps[other] = steps[other], steps[one]
    elif made == "step of another script" and len(enriched) > 1:
        other_script = enriched[(n + int(rng.integers(1, len(enriched)))) % len(enriched)].script
        steps[rng.integers(len(steps))] = other_script.steps[rng.integers(len(other_script.steps))].text
    return [{**_head(script, made if steps != written else "as written"), "steps": steps}]


def _t2(enriched: Sequence[Enriched], n: int, index: IntentionIndex, rng: np.random.Generator) -> list[Row]:
    """Return for each step a product that is aligned with it, or the best one that is not."""
    rows = []
    for step, aligned, missed in zip(enriched[n].script.steps, enriched[n].aligned, enriched[n].missed, strict=True):
        below = bool(missed) and (not aligned or rng.random() < 0.5)
        pool = missed[:1] if below else aligned
        if not pool:
            continue
        found = pool[int(rng.integers(len(pool)))]
        product = index.products[found.product]
        said = {"step": step.text, "product": product.title, "features": ". ".join(product.features)[:MAX_CHARACTERS]}
        head = _head(enriched[n].script, "below tau" if below else "aligned")
        rows.append({**head, **said, "product_id": product.product_id, "intention": found.intention, "cosine": round(found.cosine, 4)})
    return rows


def _t3(enriched: Sequence[Enriched], n: int, index: IntentionIndex, rng: np.random.Generator) -> list[Row]:
    """Return a bundle with the nearest product of each step, or with one of them taken from a plan for something else."""
    bundle = [(step.text, found[0].product) for step, found in zip(enriched[n].script.steps, enriched[n].aligned, strict=True) if found]
    if len(bundle) < 2:
        return []
    others = [of[0].product for m, one in enumerate(enriched) if m != n for of in one.aligned if of]
    replaced = bool(others) and rng.random() < 0.5
    if replaced:
        place = int(rng.integers(len(bundle)))
        bundle[place] = (bundle[place][0], others[int(rng.integers(len(others)))])
    steps = [{"step": step, "products": [index.products[row].title]} for step, row in bundle]
    ids = [index.products[row].product_id for _, row in bundle]
    return [{**_head(enriched[n].script, "one replaced" if replaced else "aligned"), "steps": steps, "product_ids": ids}]


def _head(script: LibraryScript, made: str) -> Row:
    return {"domain": script.tags[0] if script.tags else "", "script": script.script_id, "made": made, "objective": script.objective}


def _script_row(one: Enriched, index: IntentionIndex) -> Row:
    steps = []
    for step, found in zip(one.script.steps, one.aligned, strict=True):
        products = [
            {
                "product_id": index.products[of.product].product_id,
                "title": index.products[of.product].title,
                "intention": of.intention,
                "cosine": round(of.cosine, 4),
            }
            for of in found
        ]
        steps.append({"step": step.text, "products": products})
    return {"id": one.script.script_id, "objective": one.script.objective, "steps": steps}
