"""Train a verifier: ``python -m ecomscript.verification.train --task t1|t2|t3``. The defaults are the settings of the paper.

Anything that ``AutoModel`` loads can be the base: encoders such as all-mpnet-base-v2, RoBERTa and DeBERTa, decoders such as Llama
and Mistral. On a GPU it trains in bfloat16; on a CPU too where the processor has it.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import shutil
import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sentence_transformers import SentenceTransformer
from torch import nn
from tqdm import tqdm

from ecomscript.config import DEFAULT_ENCODER, DEMO_CATALOG, PROJECT_ROOT
from ecomscript.errors import EcomScriptError, InputError, ModelError
from ecomscript.folders import fingerprint
from ecomscript.packaged import source_of
from ecomscript.verification.claims import TASKS, Task
from ecomscript.verification.inject import INJECTIONS, Injection, inject
from ecomscript.verification.items import TRAINING, Item, in_split, load_gold, load_items, load_plan_items, measured_objectives
from ecomscript.verification.lora import ADAPTER, META, Base, LoraSettings, SegmentModel, can_bfloat16
from ecomscript.verification.samples import Sample, flawed_library, samples_of, taught_samples
from ecomscript.verification.scoring import auc_of

STATE = "state.pt"
LIKE = 50
"""Batches are made of samples of like length inside windows of this many batches of pairs."""
CHECKPOINTS = PROJECT_ROOT / ".cache" / "training"


@dataclass(frozen=True, slots=True)
class TrainSettings:
    """How long and how fast; the defaults are the paper's.

    Attributes:
        epochs: Passes over the items.
        lr: Learning rate of Adam, warmed up over the first tenth and then lowered to zero.
        batch_size: Samples of one step.
        pair_weight: Weight of the pairwise logistic loss between samples of one pair.
        part_weight: Weight of the loss of single segments.
        taught_epochs: Passes over the teacher's labels before the items.
        library_epochs: T1 only: passes over the library and its flawed variants before the items.
        patience: Epochs without a better validation AUC after which training ends.
        seed: Of everything random.
    """

    epochs: int = 3
    lr: float = 5e-5
    batch_size: int = 8
    pair_weight: float = 0.5
    part_weight: float = 1.0
    taught_epochs: int = 1
    library_epochs: int = 0
    patience: int = 3
    seed: int = 0


class Trainer:
    """The training loop: Adam over samples, members of a pair side by side.

    Args:
        model: What is trained, in place.
        settings: Learning rate, batch size, weights of the losses.
    """

    def __init__(self, model: SegmentModel, settings: TrainSettings) -> None:
        self.model, self.settings = model, settings
        self.rng = random.Random(settings.seed)

    def run(self, samples: Sequence[Sample], epochs: int, name: str, after: Any = None, first: int = 0) -> None:
        """Pass ``epochs`` times over the samples, from pass ``first`` on; ``after(epoch)`` may return False to end early.

        Raises:
            ModelError: The loss is not a number.
        """
        optimizer = torch.optim.Adam([p for p in self.model.parameters() if p.requires_grad], lr=self.settings.lr)
        total = epochs * len(self._batches(samples))
        warm = max(1, total // 10)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda n: min((n + 1) / warm, max(0.0, total - n) / (total - warm + 1)))
        for _ in range(total * first // epochs):
            schedule.step()
        for epoch in range(first, epochs):
            self.model.train()
            bar = tqdm(self._batches(samples), desc=f"{name} {epoch + 1}/{epochs}", mininterval=5)
            losses = []
            for batch in bar:
                loss = self._loss(batch)
                if not torch.isfinite(loss):
                    raise ModelError(f"The loss is {loss.item()} in epoch {epoch + 1} of {name}", "Lower --lr or raise --batch-size.")
                optimizer.zero_grad()
                loss.backward()
                nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
                optimizer.step()
                schedule.step()
                losses.append(loss.item())
                bar.set_postfix(loss=f"{np.mean(losses[-50:]):.3f}", refresh=False)
            if after is not None and after(epoch) is False:
                return

    def _batches(self, samples: Sequence[Sample]) -> list[list[Sample]]:
        """Return the samples in random batches of like lengths (little padding), the members of a pair side by side."""
        groups: defaultdict[str, list[Sample]] = defaultdict(list)
        for number, sample in enumerate(samples):
            groups[sample.pair or str(number)].append(sample)
        order = list(groups.values())
        self.rng.shuffle(order)
        size, batches = self.settings.batch_size, []
        for i in range(0, len(order), LIKE * size):
            window = sorted(order[i : i + LIKE * size], key=lambda group: sum(map(len, group[0].segments)))
            flat = [sample for group in window for sample in group]
            batches += [flat[j : j + size] for j in range(0, len(flat), size)]
        self.rng.shuffle(batches)
        return batches

    def _loss(self, samples: Sequence[Sample]) -> torch.Tensor:
        batch = self.model.collate([sample.segments for sample in samples])
        with torch.autocast(self.model.device.type, torch.bfloat16, enabled=can_bfloat16(self.model.device)):
            whole, parts = self.model(batch)
        whole, parts = whole.float().cpu(), parts.float().cpu()
        target = torch.tensor([sample.whole for sample in samples])
        loss = nn.functional.binary_cross_entropy_with_logits(whole, target)
        wanted = torch.full(parts.shape, math.nan)
        for row, sample in enumerate(samples):
            wanted[row, : len(sample.parts)] = torch.tensor(sample.parts)
        told = ~wanted.isnan()
        if told.any():
            loss = loss + self.settings.part_weight * nn.functional.binary_cross_entropy_with_logits(parts[told], wanted[told])
        above = [
            whole[i] - whole[j]
            for i, a in enumerate(samples)
            for j, b in enumerate(samples)
            if a.pair and a.pair == b.pair and a.whole > 0.5 > b.whole
        ]
        if above:
            loss = loss + self.settings.pair_weight * nn.functional.softplus(-torch.stack(above)).mean()
        return loss


@dataclass(frozen=True, slots=True)
class Run:
    """Everything that one training run is told."""

    task: Task
    out: Path
    base_model: str
    lora: LoraSettings
    train: TrainSettings
    injection: Injection | None = None
    taught: Path | None = None
    taught_beside: bool = False
    start_from: Path | None = None
    average: bool = False
    plans: bool = False
    hold_out_domains: bool = False
    checkpoint: Path = CHECKPOINTS
    resume: bool = False


def train(run: Run) -> dict[str, Any]:
    """Train one verifier, keep the epoch that is best on validation, write it to ``run.out`` and return its meta data.

    Raises:
        ModelError: The base cannot be loaded, the checkpoint is another run's, or the loss is not a number.
        InputError: The training data cannot be read.
    """
    started = time.perf_counter()
    torch.manual_seed(run.train.seed)
    items = load_items(run.task)
    learnt = in_split(items, "train") + ([] if run.hold_out_domains else in_split(items, "domain"))
    if run.plans:
        learnt += in_split(load_plan_items(), "train")
    validation = in_split(items, "validation")
    model = SegmentModel(Base(run.base_model, attention="eager"), run.lora).to_device()
    places = getattr(model.base.model.config, "max_position_embeddings", math.inf)
    if run.lora.max_length > places:
        raise ModelError(f"--max-length is {run.lora.max_length}, {run.base_model} reads at most {places} tokens", "Lower it.")
    trainer = Trainer(model, run.train)
    folder = run.checkpoint / run.out.name
    told = {name: str(value) for name, value in asdict(run).items() if name not in {"out", "checkpoint", "resume"}}
    identity = {**told, "data": fingerprint(TRAINING)}
    first, history = _resumed(folder, identity, model) if run.resume else (0, [])
    if not first:
        _before_items(run, items, model, trainer)
    samples = samples_of(run.task, learnt, random.Random(run.train.seed))
    if run.taught and run.taught_beside:
        samples += taught_samples(run.taught)

    def after(epoch: int) -> bool:
        auc = auc_of(model, validation)
        tqdm.write(f"validation AUC {auc:.4f} after epoch {epoch + 1}", file=sys.stderr)
        history.append(auc)
        if auc >= max(history):
            model.save(folder / "best", {})
        model.save(folder / "last", {})
        torch.save({"identity": identity, "epoch": epoch + 1, "history": history}, folder / STATE)
        return len(history) - 1 - int(np.argmax(history)) < run.train.patience

    folder.mkdir(parents=True, exist_ok=True)
    trainer.run(samples, run.train.epochs, run.task, after, first)
    model.restore(folder / "best")
    reached = max(history)
    if run.average and run.start_from:
        model.average(run.start_from)
        reached = auc_of(model, validation)
    meta = {
        "task": run.task,
        "train": asdict(run.train),
        "injection": run.injection,
        "teacher": run.taught.name if run.taught else None,
        "taught_beside": run.taught_beside,
        "started_from": run.start_from.name if run.start_from else None,
        "averaged": run.average,
        "plans": run.plans,
        "held_out_domains": run.hold_out_domains,
        "data_sha256": identity["data"],
        "samples": len(samples),
        "validation_auc": round(reached, 4),
        "validation_aucs": [round(auc, 4) for auc in history],
        "seconds": round(time.perf_counter() - started),
    }
    model.save(run.out, meta)
    shutil.rmtree(folder, ignore_errors=True)
    return meta


def _before_items(run: Run, items: Sequence[Item], model: SegmentModel, trainer: Trainer) -> None:
    """What comes before the labelled items: another adapter, intention knowledge, a teacher's labels, the library."""
    if run.start_from:
        model.restore(_same_kind(run.start_from, model))
    if run.injection:
        inject(model, run.injection, run.train.seed)
    if run.taught and not run.taught_beside and run.train.taught_epochs:
        trainer.run(taught_samples(run.taught), run.train.taught_epochs, "taught")
    if run.task == "t1" and run.train.library_epochs:
        measured = measured_objectives([*items, *load_gold("t1")])
        encode = partial(SentenceTransformer(source_of(DEFAULT_ENCODER)).encode, normalize_embeddings=True)
        library = flawed_library(DEMO_CATALOG / "scripts", measured, encode)
        trainer.run(samples_of("t1", library, random.Random(run.train.seed)), run.train.library_epochs, "library")


def _same_kind(folder: Path, model: SegmentModel) -> Path:
    """Return the folder of an adapter that the model can go on from.

    Raises:
        ModelError: It is damaged, or of another base or other LoRA settings.
    """
    try:
        meta = json.loads((folder / META).read_text(encoding="utf-8"))
        same = (meta["base_sha256"], meta["lora"]) == (model.base.sha256, asdict(model.settings))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"The adapter in {folder} cannot be read ({error})", "Name a folder that training wrote.") from None
    if not same:
        cause = f"The adapter in {folder} is of {meta['base_model']} with other weights or other LoRA settings"
        raise ModelError(cause, "Give --base-model, --rank, --alpha, --layers and --max-length as they were there.")
    return folder


def _resumed(folder: Path, identity: dict[str, Any], model: SegmentModel) -> tuple[int, list[float]]:
    """Return how many epochs are done and their validation AUCs, with the model as it was after the last."""
    if not (folder / STATE).is_file():
        return 0, []
    state: dict[str, Any] = torch.load(folder / STATE, weights_only=True)
    if state["identity"] != identity:
        raise ModelError(f"The checkpoint in {folder} was made with other settings", "Use those settings, or train without --resume.")
    model.restore(folder / "last")
    return state["epoch"], state["history"]


def main(argv: Sequence[str] | None = None) -> int:
    """Train one verifier; return 0, or 2 with one sentence on stderr when that cannot be done."""
    try:
        run = _run(_parser().parse_args(argv))
        print(json.dumps(train(run), indent=1))
    except EcomScriptError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    default, lora = TrainSettings(), LoraSettings()
    p = argparse.ArgumentParser(
        prog="python -m ecomscript.verification.train", description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    p.add_argument("--task", required=True, help=f"one of {', '.join(TASKS)}")
    p.add_argument("--base-model", default=DEFAULT_ENCODER, help="hub name or folder")
    p.add_argument("--out", type=Path, help="folder to write (default: build/verifiers/TASK)")
    p.add_argument("--epochs", type=int, default=default.epochs)
    p.add_argument("--lr", type=float, default=default.lr)
    p.add_argument("--batch-size", type=int, default=default.batch_size)
    p.add_argument("--max-length", type=int, default=lora.max_length)
    p.add_argument("--rank", type=int, default=lora.rank)
    p.add_argument("--alpha", type=int, default=lora.alpha)
    p.add_argument("--dropout", type=float, default=lora.dropout)
    p.add_argument("--layers", type=int, default=lora.layers, help="adapt the upper N layers only (0: all)")
    p.add_argument("--pair-weight", type=float, default=default.pair_weight)
    p.add_argument("--part-weight", type=float, default=default.part_weight)
    p.add_argument("--inject", choices=INJECTIONS, help="intention knowledge before the task")
    p.add_argument("--taught", type=Path, help="T2: JSONL of a teacher's labels, learnt before the items")
    p.add_argument("--taught-beside", action="store_true", help="T2: learn those labels among the items, in every epoch, instead")
    p.add_argument("--taught-epochs", type=int, default=default.taught_epochs)
    p.add_argument("--library-epochs", type=int, default=default.library_epochs, help="T1: passes over the library's flawed variants")
    p.add_argument("--patience", type=int, default=default.patience)
    p.add_argument("--start-from", type=Path, help="adapter folder to go on from, of the same base and LoRA settings")
    p.add_argument("--average", action="store_true", help="write the mean of the adapter gone on from and the best one")
    p.add_argument("--plans", action="store_true", help="T2: learn from judged products of plans too")
    p.add_argument("--hold-out-domains", action="store_true", help="do not train on the domains held out for measuring transfer")
    p.add_argument("--seed", type=int, default=default.seed)
    p.add_argument("--checkpoint", type=Path, default=CHECKPOINTS, help="where an unfinished run is kept")
    p.add_argument("--resume", action="store_true", help="go on after the last whole epoch")
    return p


def _run(args: argparse.Namespace) -> Run:
    if args.task not in TASKS:
        raise InputError(f"There is no task {args.task!r}", f"Choose one of {', '.join(TASKS)}.")
    for name in ("epochs", "batch_size", "rank", "alpha", "max_length"):
        if getattr(args, name) < 1:
            raise InputError(f"--{name.replace('_', '-')} is {getattr(args, name)}", "Give a number of at least 1.")
    if not 0 <= args.dropout < 1:
        raise InputError(f"--dropout is {args.dropout}", "Give a share from 0 to below 1.")
    if args.layers < 0:
        raise InputError(f"--layers is {args.layers}", "Give a number of layers, 0 for all.")
    if args.start_from and not (args.start_from / ADAPTER).is_file():
        raise InputError(f"There is no adapter in {args.start_from}", "Name a folder that training wrote.")
    if args.average and not args.start_from:
        raise InputError("--average needs an adapter to go on from", "Add --start-from, or leave it out.")
    if args.taught_beside and not args.taught:
        raise InputError("--taught-beside needs a teacher's labels", "Add --taught, or leave it out.")
    for option, task in (("plans", "t2"), ("taught", "t2"), ("library_epochs", "t1")):
        if getattr(args, option) and args.task != task:
            raise InputError(f"--{option.replace('_', '-')} is for {task}", f"Leave it out for {args.task}.")
    if not 0 < args.lr < math.inf:
        raise InputError(f"--lr is {args.lr}", "Give a learning rate above 0.")
    lora = LoraSettings(args.rank, args.alpha, args.dropout, args.layers, args.max_length)
    out = args.out or PROJECT_ROOT / "build" / "verifiers" / args.task
    train_settings = TrainSettings(**{field.name: getattr(args, field.name) for field in fields(TrainSettings)})
    return Run(
        task=args.task,
        out=out,
        base_model=args.base_model,
        lora=lora,
        train=train_settings,
        injection=args.inject,
        taught=args.taught,
        taught_beside=args.taught_beside,
        start_from=args.start_from,
        average=args.average,
        plans=args.plans,
        hold_out_domains=args.hold_out_domains,
        checkpoint=args.checkpoint,
        resume=args.resume,
    )


if __name__ == "__main__":
    sys.exit(main())
