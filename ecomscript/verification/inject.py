"""Intention injection: continued pre-training of the base on why people buy, before a task is learnt.

Two ways to put the same assertions ("this product serves this purpose", taken from the catalogue) to the model:
``contrastive`` pulls the pooled vectors of a product and its intention together, against the other intentions of the batch
(InfoNCE); ``matching`` asks the task's own head whether a product serves an intention, against an intention of a near product.
"""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Literal, get_args

import torch
from torch import nn
from tqdm import tqdm

from ecomscript.config import DEMO_CATALOG
from ecomscript.verification.lora import SegmentModel, can_bfloat16

Injection = Literal["contrastive", "matching"]
INJECTIONS: tuple[Injection, ...] = get_args(Injection)
ASSERTIONS = 12_000
LR, BATCH_SIZE, TEMPERATURE = 3e-4, 32, 0.05


def assertions(folder: Path = DEMO_CATALOG / "kinds") -> list[tuple[str, str, str]]:
    """Return (product title, an intention that it serves, an intention of another kind of the same department)."""
    rows = [json.loads(line) for path in sorted(folder.glob("*.jsonl")) for line in path.read_text(encoding="utf-8").splitlines()]
    rng = random.Random(0)
    found = []
    for n, row in enumerate(rows):
        neighbour = rows[(n + 1) % len(rows)]
        for product in row["products"]:
            found += [
                (product["title"], intention, rng.choice(neighbour["intentions"]))
                for intention in rng.sample(row["intentions"], min(2, len(row["intentions"])))
            ]
    return found


def inject(model: SegmentModel, how: Injection, seed: int) -> None:
    """Train the adapter on one pass over ``ASSERTIONS`` assertions drawn with ``seed``, in place."""
    chosen = assertions()
    random.Random(seed).shuffle(chosen)
    chosen = chosen[:ASSERTIONS]
    optimizer = torch.optim.Adam([p for p in model.parameters() if p.requires_grad], lr=LR)
    loss_of = _contrastive if how == "contrastive" else _matching
    model.train()
    for i in tqdm(range(0, len(chosen), BATCH_SIZE), desc=f"inject {how}", mininterval=5):
        with torch.autocast(model.device.type, torch.bfloat16, enabled=can_bfloat16(model.device)):
            loss = loss_of(model, chosen[i : i + BATCH_SIZE])
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()


def _contrastive(model: SegmentModel, batch: list[tuple[str, str, str]]) -> torch.Tensor:
    products = nn.functional.normalize(model.pooled(model.collate([(title,) for title, _, _ in batch])), dim=-1)
    intentions = nn.functional.normalize(model.pooled(model.collate([(text,) for _, text, _ in batch])), dim=-1)
    target = torch.arange(len(batch), device=products.device)
    logits = products @ intentions.T / TEMPERATURE
    return (nn.functional.cross_entropy(logits, target) + nn.functional.cross_entropy(logits.T, target)) / 2


def _matching(model: SegmentModel, batch: list[tuple[str, str, str]]) -> torch.Tensor:
    rows = [(right, title) for title, right, _ in batch] + [(wrong, title) for title, _, wrong in batch]
    logits, _ = model(model.collate(rows))
    target = torch.tensor([1.0] * len(batch) + [0.0] * len(batch), device=logits.device)
    return nn.functional.binary_cross_entropy_with_logits(logits, target)
