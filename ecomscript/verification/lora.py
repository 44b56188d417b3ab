"""One model for all three tasks: a pretrained base with a LoRA adapter, pooled per segment, and a linear head."""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
from peft import LoraConfig, get_peft_model, get_peft_model_state_dict, set_peft_model_state_dict
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn

from ecomscript.config import DEFAULT_ENCODER
from ecomscript.errors import ModelError
from ecomscript.packaged import source_of
from ecomscript.verification.claims import Segments

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

HEAD = "head.safetensors"
META = "meta.json"
ADAPTER = "adapter.safetensors"
RETRAIN = "Check it out again, or train it with `python -m ecomscript.verification.train`."
BATCH_TOKENS = 6_000
"""Tokens of one batch at inference, padding included: short pairs go through by the hundred, long scripts by the dozen."""

TARGETS: dict[str, list[str]] = {
    "bert": ["query", "key", "value", "dense"],
    "roberta": ["query", "key", "value", "dense"],
    "deberta-v2": ["query_proj", "key_proj", "value_proj", "dense"],
    "mpnet": ["attn.q", "attn.k", "attn.v", "attn.o", "dense"],
}
"""Modules of encoders that LoRA adapts, by model type; a decoder gets the projections of its layers."""


@dataclass(frozen=True, slots=True)
class LoraSettings:
    """How the base is adapted.

    Attributes:
        rank: LoRA r.
        alpha: LoRA α.
        dropout: Dropout inside the adapters.
        layers: How many of the upper layers are adapted; 0 means all. What lies below is then computed without gradients.
        max_length: Tokens of an input; longer segments are cut evenly.
    """

    rank: int = 16
    alpha: int = 32
    dropout: float = 0.0
    layers: int = 0
    max_length: int = 300


class Base:
    """A pretrained model and its tokenizer, loaded once and shared by adapters.

    Args:
        name: "all-MiniLM-L6-v2" or "all-mpnet-base-v2" for packaged weights, or what ``AutoModel`` takes: a hub name or a folder.
        attention: "eager" trains faster in bfloat16 on a CPU; None leaves it to the model.

    Raises:
        ModelError: The weights cannot be loaded.
    """

    def __init__(self, name: str = DEFAULT_ENCODER, attention: str | None = None) -> None:
        from transformers import AutoModel, AutoTokenizer  # noqa: PLC0415  (seconds of import that `--help` need not pay)
        from transformers.utils import logging  # noqa: PLC0415

        logging.disable_progress_bar()
        self.name = name
        source = source_of(name)
        try:
            self.tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(source)
            self.model: PreTrainedModel = AutoModel.from_pretrained(source, dtype=torch.float32, attn_implementation=attention)
        except (OSError, ValueError) as error:
            cause = f"The base model {name!r} cannot be loaded ({str(error).splitlines()[0]})"
            raise ModelError(cause, "Name a model on the hub or a folder that exists.") from error
        self.sha256 = _weights_hash(self.model)

    def copy(self) -> Base:
        """Return a base of its own for one more adapter, without reading the weights again."""
        twin = copy.copy(self)
        twin.model = copy.deepcopy(self.model)
        return twin


@dataclass(frozen=True, slots=True)
class Scores:
    """Logits of a batch of inputs.

    Attributes:
        whole: (n,) of each input as a whole.
        segments: For each input (its segments,).
    """

    whole: npt.NDArray[np.float32]
    segments: list[npt.NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class Batch:
    """Tokens of n inputs, padded on the right.

    Attributes:
        ids: (n, tokens) token ids.
        mask: (n, tokens) 1 for a token, 0 for padding.
        segment: (n, tokens) which segment a token belongs to, counted from 1; 0 for start, separators and padding.
        counts: (n, most segments) tokens of each segment, float32.
    """

    ids: torch.Tensor
    mask: torch.Tensor
    segment: torch.Tensor
    counts: torch.Tensor

    def to(self, device: torch.device) -> Batch:
        """Return the batch on another device."""
        return Batch(*(getattr(self, f.name).to(device) for f in fields(self)))


def collate(tokenizer: PreTrainedTokenizerBase, inputs: Sequence[Segments], max_length: int) -> Batch:
    """Return the tokens of a batch; where an input is too long its longest segments are cut to one common length."""
    start, separator, padding = special_tokens(tokenizer)
    flat = [segment for segments in inputs for segment in segments]
    tokens = iter(tokenizer(flat, add_special_tokens=False)["input_ids"])
    rows, owners, sizes = [], [], []
    for segments in inputs:
        parts = [next(tokens) for _ in segments]
        longest = _common_length([len(part) for part in parts], max_length - 1 - len(parts))
        row, owner = [start], [0]
        for number, part in enumerate(parts, 1):
            kept = part[:longest] or [separator]
            row += [*kept, separator]
            owner += [number] * len(kept) + [0]
        rows.append(row)
        owners.append(owner)
        sizes.append([max(1, min(len(part), longest)) for part in parts])
    width, most = max(map(len, rows)), max(map(len, sizes))
    return Batch(
        torch.tensor([row + [padding] * (width - len(row)) for row in rows]),
        torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row in rows]),
        torch.tensor([owner + [0] * (width - len(owner)) for owner in owners]),
        torch.tensor([size + [0] * (most - len(size)) for size in sizes], dtype=torch.float32),
    )


def special_tokens(tokenizer: PreTrainedTokenizerBase) -> tuple[int, int, int]:
    """Return the ids of start, separator and padding; decoders such as Llama lack some and use their end-of-text token."""
    end = tokenizer.sep_token_id if tokenizer.sep_token_id is not None else tokenizer.eos_token_id
    start = next((t for t in (tokenizer.cls_token_id, tokenizer.bos_token_id) if t is not None), end)
    padding = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else end
    return int(start), int(end), int(padding)


def _common_length(lengths: Sequence[int], room: int) -> int:
    """Return the greatest length to which segments can be cut so that all fit into ``room`` tokens."""
    longest = max(lengths)
    while longest > 1 and sum(min(n, longest) for n in lengths) > room:
        longest -= 1
    return longest


class SegmentModel(nn.Module):
    """Scores an input of segments: one logit for the whole and one for each segment.

    The tokens are ``[start] segment [separator] segment [separator] …``. The head reads the mean of a segment's last hidden
    states, and for the whole the mean over all segments.

    Args:
        base: Its model is wrapped in place by the adapter.
        settings: How it is adapted.
    """

    def __init__(self, base: Base, settings: LoraSettings) -> None:
        super().__init__()
        self.base, self.settings = base, settings
        config = base.model.config
        upper = list(range(config.num_hidden_layers))[-settings.layers :]
        by_name = TARGETS.get(config.model_type)
        lora = LoraConfig(
            r=settings.rank,
            lora_alpha=settings.alpha,
            lora_dropout=settings.dropout,
            # PEFT's own layer numbers need a name before "layers", which a bare decoder lacks.
            target_modules=by_name or rf"(.*\.)?layers\.({'|'.join(map(str, upper))})\..*_proj",
            exclude_modules=["pooler.dense"],
            layers_to_transform=upper if by_name else None,
        )
        self.encoder = get_peft_model(base.model, lora)
        self.whole_head = nn.Linear(config.hidden_size, 1)
        self.segment_head = nn.Linear(config.hidden_size, 1)

    def forward(self, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
        """Return logits (n,) of the wholes and (n, most segments) of the segments, those of padding -inf."""
        sums = self._sums(batch)
        means = sums / batch.counts.clamp(min=1).unsqueeze(-1)
        whole = sums.sum(1) / batch.counts.sum(1, keepdim=True)
        segments = self.segment_head(means).squeeze(-1).masked_fill(batch.counts == 0, float("-inf"))
        return self.whole_head(whole).squeeze(-1), segments

    def pooled(self, batch: Batch) -> torch.Tensor:
        """Return the mean vectors of the wholes, (n, dim)."""
        return self._sums(batch).sum(1) / batch.counts.sum(1, keepdim=True)

    def _sums(self, batch: Batch) -> torch.Tensor:
        """Return the sums of the last hidden states over each segment, (n, most segments, dim)."""
        hidden = self.encoder(input_ids=batch.ids, attention_mask=batch.mask).last_hidden_state.float()
        member = nn.functional.one_hot(batch.segment, batch.counts.shape[1] + 1)[..., 1:].to(hidden.dtype)
        return torch.einsum("nth,nts->nsh", hidden, member)

    @property
    def device(self) -> torch.device:
        """Where the model computes."""
        return self.whole_head.weight.device

    def to_device(self) -> SegmentModel:
        """Move to the GPU where there is one."""
        return self.to("cuda" if torch.cuda.is_available() else "cpu")

    def collate(self, inputs: Sequence[Segments]) -> Batch:
        """Return the tokens of a batch, padded to its longest input."""
        return collate(self.base.tokenizer, inputs, self.settings.max_length).to(self.device)

    def save(self, folder: Path, meta: dict[str, Any]) -> None:
        """Write the adapter, the head (both in half precision) and, last, ``meta.json``."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / META).unlink(missing_ok=True)
        adapter = get_peft_model_state_dict(self.encoder)
        save_file({name: t.detach().half().contiguous() for name, t in adapter.items()}, folder / ADAPTER)
        head = {**self.whole_head.state_dict(prefix="whole."), **self.segment_head.state_dict(prefix="segment.")}
        save_file({name: t.detach().half().contiguous() for name, t in head.items()}, folder / HEAD)
        base = {"base_model": self.base.name, "base_sha256": self.base.sha256, "lora": asdict(self.settings)}
        text = json.dumps({**base, "sha256": {name: _file_hash(folder / name) for name in (ADAPTER, HEAD)}, **meta}, indent=1)
        (folder / META).write_text(text + "\n", encoding="utf-8")

    def restore(self, folder: Path) -> None:
        """Read adapter and head that ``save`` wrote for the same base and settings."""
        set_peft_model_state_dict(self.encoder, load_file(folder / ADAPTER))
        head = load_file(folder / HEAD)
        for prefix, layer in (("whole.", self.whole_head), ("segment.", self.segment_head)):
            layer.load_state_dict({name.removeprefix(prefix): t.float() for name, t in head.items() if name.startswith(prefix)})

    @torch.no_grad()
    def average(self, folder: Path) -> None:
        """Move half way to an adapter that training went on from: the mean of two points of one road generalises better than its end."""
        there = {name: p.detach().clone() for name, p in self.named_parameters() if p.requires_grad}
        self.restore(folder)
        for name, p in self.named_parameters():
            if p.requires_grad:
                p.copy_((p + there[name]) / 2)

    @torch.inference_mode()
    def score(self, inputs: Sequence[Segments]) -> Scores:
        """Return the logits of any number of inputs; what shares a batch moves them by rounding only (bfloat16: some hundredths)."""
        order = sorted(range(len(inputs)), key=lambda i: sum(map(len, inputs[i])))
        whole = np.zeros(len(inputs), np.float32)
        parts: list[npt.NDArray[np.float32]] = [np.zeros(0, np.float32)] * len(inputs)
        self.eval()
        for rows in _batches(order, inputs):
            batch = self.collate([inputs[i] for i in rows])
            logits, segments = self(batch)
            whole[rows] = logits.float().cpu().numpy()
            for i, row in zip(rows, segments.float().cpu().numpy(), strict=True):
                parts[i] = row[: len(inputs[i])]
        return Scores(whole, parts)

    def merge(self) -> SegmentModel:
        """Fold the adapter into the weights, for serving; bfloat16 where the processor computes it. The model cannot train any more."""
        self.encoder = self.encoder.merge_and_unload()  # type: ignore[assignment]
        if can_bfloat16(self.device):
            self.encoder.to(torch.bfloat16)
        return self.eval()


def load_adapter(folder: Path, task: str, base: Base | None = None) -> SegmentModel:
    """Return the merged model of an adapter folder.

    Args:
        folder: What ``SegmentModel.save`` wrote.
        task: The task that it must be for.
        base: The base, so that several adapters share one reading of its weights; None opens the one that the adapter names.

    Raises:
        ModelError: A file is missing or damaged, or the adapter is for another task or another base.
    """
    try:
        meta = json.loads((folder / META).read_text(encoding="utf-8"))
        settings, wanted = LoraSettings(**meta["lora"]), meta["sha256"]
        if meta["task"] != task:
            raise ModelError(f"The adapter in {folder} is for {meta['task']}, expected {task}", RETRAIN)
        for name in (ADAPTER, HEAD):
            if _file_hash(folder / name) != wanted[name]:
                raise ModelError(f"{folder / name} is damaged", RETRAIN)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"The adapter in {folder} cannot be read ({error})", RETRAIN) from None
    base = base.copy() if base is not None and base.name == meta["base_model"] else Base(meta["base_model"])
    if base.sha256 != meta["base_sha256"]:
        cause = f"The adapter in {folder} was trained on other weights than this {base.name} (SHA-256 {base.sha256[:12]}…)"
        raise ModelError(cause, "Use the base that it names, or train it again.")
    try:
        model = SegmentModel(base, settings)
        model.restore(folder)
    except (RuntimeError, ValueError, KeyError, SafetensorError) as error:
        raise ModelError(f"The adapter in {folder} does not fit {base.name} ({str(error).splitlines()[0]})", RETRAIN) from None
    return model.merge()


def can_bfloat16(device: torch.device) -> bool:
    """Return whether the device computes in bfloat16 by itself and not by emulation."""
    return device.type != "cpu" or bool(torch.cpu._is_avx512_bf16_supported())


def _batches(order: Sequence[int], inputs: Sequence[Segments]) -> Iterator[list[int]]:
    """Yield runs of ``order`` (by length) that hold about ``BATCH_TOKENS``; a token has about four letters."""
    rows: list[int] = []
    for i in order:
        tokens = sum(map(len, inputs[i])) / 4 + len(inputs[i])
        if rows and tokens * (len(rows) + 1) > BATCH_TOKENS:
            yield rows
            rows = []
        rows.append(i)
    if rows:
        yield rows


def _file_hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _weights_hash(model: PreTrainedModel) -> str:
    """Return a SHA-256 over names and values of the weights, whatever file they came from."""
    digest = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.detach().float().numpy().tobytes())
    return digest.hexdigest()
