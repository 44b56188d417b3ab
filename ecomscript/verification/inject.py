"""Intention injection: continued pre-training of the base on why people buy, before a task is learnt.

Three ways to put the same assertions ("this product serves this purpose", taken from the catalogue) to the model:
``contrastive`` pulls the pooled vectors of a product and its intention together, against the other intentions of the batch
(InfoNCE); ``matching`` asks the task's own head whether a product serves an intention, against an intention of a near product;
``masked`` hides words of an assertion and lets the model guess them from the rest (masked language modelling).
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Literal, get_args

import torch
from torch import nn
from tqdm import tqdm

from ecomscript.config import DEMO_CATALOG
from ecomscript.errors import ModelError
from ecomscript.verification.lora import SegmentModel, can_bfloat16

Assertion = tuple[str, str, str]
Injection = Literal["contrastive", "matching", "masked"]
INJECTIONS: tuple[Injection, ...] = get_args(Injection)
ASSERTIONS = 12_000
LR, BATCH_SIZE, TEMPERATURE = 3e-4, 32, 0.05
HIDDEN = 0.15
"""Share of the words that ``masked`` hides."""


def assertions(folder: Path = DEMO_CATALOG / "kinds") -> list[Assertion]:
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
    """Train the adapter on one pass over ``ASSERTIONS`` assertions drawn with ``seed``, in place.

    Raises:
        ModelError: ``masked`` with a base that has no token for a hidden word, such as Llama.
    """
    chosen = assertions()
    random.Random(seed).shuffle(chosen)
    chosen = chosen[:ASSERTIONS]
    guesser = _Guesser(model) if how == "masked" else None
    loss_of: Callable[[SegmentModel, list[Assertion]], torch.Tensor] = guesser or (_contrastive if how == "contrastive" else _matching)
    learnt = [*model.parameters(), *(guesser.parameters() if guesser else ())]
    optimizer = torch.optim.Adam([p for p in learnt if p.requires_grad], lr=LR)
    model.train()
    for i in tqdm(range(0, len(chosen), BATCH_SIZE), desc=f"inject {how}", mininterval=5):
        with torch.autocast(model.device.type, torch.bfloat16, enabled=can_bfloat16(model.device)):
            loss = loss_of(model, chosen[i : i + BATCH_SIZE])
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()


def _contrastive(model: SegmentModel, batch: list[Assertion]) -> torch.Tensor:
    products = nn.functional.normalize(model.pooled(model.collate([(title,) for title, _, _ in batch])), dim=-1)
    intentions = nn.functional.normalize(model.pooled(model.collate([(text,) for _, text, _ in batch])), dim=-1)
    target = torch.arange(len(batch), device=products.device)
    logits = products @ intentions.T / TEMPERATURE
    return (nn.functional.cross_entropy(logits, target) + nn.functional.cross_entropy(logits.T, target)) / 2


def _matching(model: SegmentModel, batch: list[Assertion]) -> torch.Tensor:
    rows = [(right, title) for title, right, _ in batch] + [(wrong, title) for title, _, wrong in batch]
    logits, _ = model(model.collate(rows))
    target = torch.tensor([1.0] * len(batch) + [0.0] * len(batch), device=logits.device)
    return nn.functional.binary_cross_entropy_with_logits(logits, target)


class _Guesser(nn.Module):
    """Guesses hidden words of assertions by a new layer (sentence encoders come without one) over the base's word vectors."""

    def __init__(self, model: SegmentModel) -> None:
        from transformers import DataCollatorForLanguageModeling  # noqa: PLC0415  (seconds of import that other injections need not pay)

        super().__init__()
        tokenizer = model.base.tokenizer
        if tokenizer.mask_token is None:
            raise ModelError(f"{model.base.name} has no token for a hidden word", "Choose another --inject for this base.")
        dim = model.whole_head.in_features
        self.transform = nn.Sequential(nn.Linear(dim, dim), nn.GELU(), nn.LayerNorm(dim)).to(model.device)
        self.hide = DataCollatorForLanguageModeling(tokenizer, mlm_probability=HIDDEN).torch_mask_tokens

    def forward(self, model: SegmentModel, batch: list[Assertion]) -> torch.Tensor:
        """Return the cross-entropy of the hidden words."""
        told = model.collate([(title, intention) for title, intention, _ in batch])
        masked = self.hide(told.ids.cpu(), special_tokens_mask=(told.segment == 0).cpu())  # it draws on the CPU
        ids, wanted = (tensor.to(model.device) for tensor in masked)
        hidden = wanted >= 0  # the collator marks what stays visible by -100
        states = model.encoder(input_ids=ids, attention_mask=told.mask).last_hidden_state[hidden]
        words = model.base.model.get_input_embeddings().weight
        return nn.functional.cross_entropy((self.transform(states) @ words.T).float(), wanted[hidden])
