"""The weights of a causal language model of ``transformers``."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import torch

from ecomscript.errors import ModelError

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


class Causal(NamedTuple):
    """A model in evaluation mode, on the GPU where there is one, and its tokenizer, which has a padding token."""

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase

    def tokens(self, question: str) -> list[int]:
        """Return the token ids of a question, up to where its answer begins."""
        if self.tokenizer.chat_template is None:
            text = f"{question}\nAnswer:"
        else:
            chat = [{"role": "user", "content": question}]
            text = str(self.tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=True))
        return list(self.tokenizer(text, add_special_tokens=False)["input_ids"])


def load_causal(name: str, gguf_file: str | None = None, four_bit: bool = False) -> Causal:
    """Load a model in bfloat16 or, on a GPU, in four bits.

    Args:
        name: A hub name, a folder, or the path of a GGUF file.
        gguf_file: Name of a GGUF file in the folder, when the weights are one; they are unpacked on load.
        four_bit: Quantise on load; GGUF files have their own way of it and stay as they are.

    Raises:
        ModelError: The weights cannot be loaded.
    """
    from transformers import AutoModelForCausalLM, AutoTokenizer  # noqa: PLC0415  (slow import)

    if name.endswith(".gguf"):
        name, gguf_file = str(Path(name).parent), Path(name).name
    packed = {"gguf_file": gguf_file} if gguf_file else {}
    try:
        tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(name, **packed)
        model: PreTrainedModel = AutoModelForCausalLM.from_pretrained(name, dtype=torch.bfloat16, **packed, **_precision(packed, four_bit))
    except (OSError, ValueError) as error:
        cause = f"The language model {name!r} cannot be loaded ({str(error).splitlines()[0]})"
        raise ModelError(cause, "Name a model on the hub or a folder that exists.") from error
    if not four_bit or packed:
        model.to("cuda" if torch.cuda.is_available() else "cpu")  # type: ignore[arg-type]
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    return Causal(model.eval(), tokenizer)


def _precision(packed: dict[str, str], four_bit: bool) -> dict[str, Any]:
    from transformers import BitsAndBytesConfig, GgufConfig  # noqa: PLC0415

    if packed:
        return {"quantization_config": GgufConfig(dequantize=True)}
    if not four_bit:
        return {}
    if not torch.cuda.is_available() or importlib.util.find_spec("bitsandbytes") is None:
        raise ModelError("Four bits need a GPU and the package bitsandbytes", "Install it or unset ECOMSCRIPT_LOCAL_4BIT.")
    return {"quantization_config": BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_compute_dtype=torch.bfloat16), "device_map": {"": 0}}
