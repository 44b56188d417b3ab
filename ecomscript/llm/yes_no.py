"""A language model asked yes-or-no questions: the difference of the two logits is the score, whatever it would have said."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy
from itertools import takewhile

import torch
from transformers import DynamicCache

from ecomscript.llm.weights import load_causal


class YesNoModel:
    """A causal language model of ``transformers`` on the CPU or, where there is one, the GPU, in bfloat16.

    Args:
        name: A hub name or a folder.
        gguf_file: Name of a GGUF file in the folder, when the weights are one; they are unpacked on load.

    Raises:
        ModelError: The weights cannot be loaded.
    """

    def __init__(self, name: str, gguf_file: str | None = None) -> None:
        self._causal = load_causal(name, gguf_file)
        self._model = self._causal.model
        self.name = name
        yes, no = (self._causal.tokenizer(word, add_special_tokens=False)["input_ids"][0] for word in ("Yes", "No"))
        head = self._model.get_output_embeddings().weight
        self._direction = head[yes].detach().float() - head[no].detach().float()

    def scorer(self, questions: Sequence[str]) -> Callable[[str], float]:
        """Return what gives logit("Yes") − logit("No") as the first word of the answer to one of these questions.

        What all of them begin with, such as the same solved examples, is read once and kept; but for rounding no score depends on it.
        """
        tokens = {question: self._causal.tokens(question) for question in questions}
        all_but_last = zip(*(ids[:-1] for ids in tokens.values()), strict=False)  # so that one token at least is left to read
        shared = len(list(takewhile(lambda column: len(set(column)) == 1, all_but_last)))
        start = DynamicCache(config=self._model.config)
        if shared:
            self._read(next(iter(tokens.values()))[:shared], start)

        def score(question: str) -> float:
            return float(self._read(tokens[question][shared:], deepcopy(start)) @ self._direction)

        return score

    @torch.inference_mode()
    def _read(self, ids: Sequence[int], before: DynamicCache) -> torch.Tensor:
        """Return the last hidden state, (dim,) float32, after tokens that follow those of a cache, which grows by them."""
        read = self._model.base_model(torch.tensor([ids], device=self._model.device), cache=before, use_cache=True)
        hidden: torch.Tensor = read.last_hidden_state[0, -1].float()
        return hidden
