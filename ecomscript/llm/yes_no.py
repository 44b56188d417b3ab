"""A language model asked a yes-or-no question: the difference of the two logits is the score, whatever it would have said."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch

from ecomscript.errors import ModelError

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


class YesNoModel:
    """A causal language model of ``transformers`` on the CPU or, where there is one, the GPU, in bfloat16.

    Args:
        name: A hub name or a folder.
        gguf_file: Name of a GGUF file in the folder, when the weights are one; they are unpacked on load.
        batch_size: Questions that are put together.

    Raises:
        ModelError: The weights cannot be loaded.
    """

    def __init__(self, name: str, gguf_file: str | None = None, batch_size: int = 4) -> None:
        from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig  # noqa: PLC0415  (slow import)

        packed = {"gguf_file": gguf_file} if gguf_file else {}
        unpacking = {"quantization_config": GgufConfig(dequantize=True)} if gguf_file else {}
        try:
            self._tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(name, **packed)
            self._model: PreTrainedModel = AutoModelForCausalLM.from_pretrained(name, dtype=torch.bfloat16, **packed, **unpacking)
        except (OSError, ValueError) as error:
            cause = f"The language model {name!r} cannot be loaded ({str(error).splitlines()[0]})"
            raise ModelError(cause, "Name a model on the hub or a folder that exists.") from error
        self.name = name
        self._batch_size = batch_size
        self._model.to("cuda" if torch.cuda.is_available() else "cpu").eval()  # type: ignore[arg-type]
        if self._tokenizer.pad_token_id is None:
            self._tokenizer.pad_token = self._tokenizer.eos_token
        yes, no = (self._tokenizer(word, add_special_tokens=False)["input_ids"][0] for word in ("Yes", "No"))
        head = self._model.get_output_embeddings().weight
        self._direction = head[yes].detach().float() - head[no].detach().float()

    @torch.inference_mode()
    def scores(self, questions: Sequence[str]) -> npt.NDArray[np.float32]:
        """Return logit("Yes") − logit("No") as the first word of each answer, (n,) float32."""
        found = [self._batch(questions[i : i + self._batch_size]) for i in range(0, len(questions), self._batch_size)]
        return np.concatenate(found) if found else np.zeros(0, np.float32)

    def _batch(self, questions: Sequence[str]) -> npt.NDArray[np.float32]:
        prompts = [self._prompt(question) for question in questions]
        tokens = self._tokenizer(prompts, return_tensors="pt", padding=True, padding_side="left", add_special_tokens=False)
        hidden = self._model.base_model(**tokens.to(self._model.device)).last_hidden_state[:, -1]
        return np.asarray((hidden.float() @ self._direction).cpu(), np.float32)

    def _prompt(self, question: str) -> str:
        if self._tokenizer.chat_template is None:
            return f"{question}\nAnswer:"
        chat = [{"role": "user", "content": question}]
        return str(self._tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=True))
