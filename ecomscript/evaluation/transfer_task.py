"""What a verifier loses in fields of life that it has not seen: T1, T2 and T3 learnt without a group of domains and measured on it.

The learner is the frozen-embedding baseline, since it can be fitted again for each group. All of its fits see the same number of items,
so that a drop is due to the domains and not to less data. They learn from the splits ``train`` and ``domain`` and are measured on the
group's items of ``validation`` and ``test``: the domains of the split ``domain`` are there as a whole and could not be measured both ways.
On those the T2 adapter that was trained without them is measured, where its folder is found.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ecomscript.association.vector_store import open_encoder
from ecomscript.config import DEFAULT_ENCODER
from ecomscript.errors import ModelError
from ecomscript.evaluation.baselines import PROBE, fit_probe, remembering
from ecomscript.evaluation.metrics import measure
from ecomscript.evaluation.paired import compare_aucs
from ecomscript.evaluation.verifier_task import RUNS
from ecomscript.verification.claims import TASKS, Task
from ecomscript.verification.items import Item, in_split, load_items
from ecomscript.verification.lora import META, load_adapter
from ecomscript.verification.order import Encode
from ecomscript.verification.scoring import logits_of

Rows = Iterator[dict[str, Any]]
ADAPTER = "adapter"
HELD_OUT_RUN = "t2-held-out-domains"
ALL = "all held-out domains"
MOST = 3_000
"""Training items of one fit."""

GROUPS: Mapping[str, tuple[str, ...]] = {
    "building and repair": ("building", "car care", "heating and cooling", "painting", "plumbing", "woodworking"),
    "home": ("cleaning", "emergency", "home decor", "home office", "laundry", "moving", "smart home"),
    "food and drink": ("baking", "coffee and tea", "cooking", "drinks", "grilling", "preserving", "special diets"),
    "outdoors and sport": ("camping and hiking", "cycling", "fishing", "fitness", "running", "water sports", "winter sports"),
    "animals and garden": ("aquarium", "dogs and cats", "gardening", "other animals"),
    "care and clothes": ("baby care", "beauty", "elder care", "fashion", "home health", "kids"),
    "celebrations and travel": ("holidays", "parties", "travel", "weddings"),
    "study, hobbies and the rest": ("computers and gaming", "crafts", "music", "other", "photography", "school", "science and games"),
}
"""Every domain of the training items, in one group each: fields that share their products and their words stay together."""


def rows(seed: int, runs: Path = RUNS) -> list[dict[str, Any]]:
    """Return a row for each task and group, and for the adapter one for each held-out domain and one for all of them.

    ``auc_with`` is the area under the ROC curve when the group's other items were learnt too, ``auc_without`` when they were not, ``drop``
    the first less the second with its interval over the items. The adapter has only the second.

    Args:
        seed: Of the training items and the bootstrap.
        runs: Folder of the adapter.

    Raises:
        InputError: The items cannot be read.
        ModelError: The adapter is damaged, or has seen the held-out domains.
    """
    encode = remembering(open_encoder(DEFAULT_ENCODER).encode)
    found = [row for task in TASKS for row in _probe_rows(task, load_items(task), encode, seed)]
    folder = runs / HELD_OUT_RUN
    return found + (list(_adapter_rows(folder, seed)) if (folder / META).is_file() else [])


def _probe_rows(task: Task, items: Sequence[Item], encode: Encode, seed: int) -> Rows:
    pool = [item for item in items if item.split in {"train", "domain"}]
    outside = {group: [item for item in pool if item.domain not in domains] for group, domains in GROUPS.items()}
    most = min(MOST, *map(len, outside.values()))
    knowing = fit_probe(_draw(pool, most, seed), encode)
    for group, domains in GROUPS.items():
        measured = [item for item in items if item.split in {"validation", "test"} and item.domain in domains]
        if not 0 < sum(item.label for item in measured) < len(measured):
            continue
        ignorant = fit_probe(_draw(outside[group], most, seed), encode)
        both = compare_aucs(measured, knowing(measured)[None], ignorant(measured)[None], seed)
        yield {
            "task": task,
            "model": PROBE,
            "group": group,
            "items": len(measured),
            "auc_with": both.first,
            "auc_without": both.second,
            "drop": both.difference,
            "drop_ci95": both.ci95,
        }


def _draw(pool: Sequence[Item], most: int, seed: int) -> list[Item]:
    """Return items of the pool, whole pairs in random order, until there are ``most``."""
    pairs: dict[str, list[Item]] = {}
    for item in pool:
        pairs.setdefault(item.pair, []).append(item)
    names = list(pairs)
    return [item for n in np.random.default_rng(seed).permutation(len(names)) for item in pairs[names[n]]][:most]


def _adapter_rows(folder: Path, seed: int) -> Rows:
    if not json.loads((folder / META).read_text(encoding="utf-8")).get("held_out_domains"):
        raise ModelError(f"The adapter in {folder} has seen the held-out domains", "Train it again with --hold-out-domains.")
    items = in_split(load_items("t2"), "domain")
    probabilities = 1 / (1 + np.exp(-logits_of(load_adapter(folder, "t2"), items).astype(np.float64)))
    domains = np.array([item.domain for item in items])
    for name in (*sorted(set(domains)), ALL):
        chosen = np.flatnonzero((domains == name) | (name == ALL))
        row = measure([items[n] for n in chosen], probabilities[chosen], seed)
        told = {"task": "t2", "model": ADAPTER, "group": str(name), "items": len(chosen)}
        yield {**told, "auc_without": row["auc"], "auc_without_ci95": row["auc_ci95"]}
