"""What a causal language model makes of a question: its hidden state after the last word, in a middle layer."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from tqdm import tqdm

from ecomscript.errors import InputError
from ecomscript.llm.weights import Causal, load_causal

Array = npt.NDArray[np.float32]
CHUNK = 128
"""Questions whose states lie in one file."""
BATCH = 16


class StateReader:
    """The lower layers of a model of ``transformers``. Its states are kept, so no question is read twice.

    Args:
        name: A hub name, a folder, or the path of a GGUF file.
        layers: How many layers are computed; those above are dropped.
        cache_dir: Where the states are kept, so that a run goes on where it ended.
    """

    def __init__(self, name: str, layers: int, cache_dir: Path) -> None:
        self.name, self.layers, self._cache_dir = name, layers, cache_dir

    def read(self, questions: Sequence[str]) -> Array:
        """Return the states, (n, dim).

        Raises:
            InputError: They cannot be kept in the folder.
            ModelError: The weights cannot be loaded.
        """
        chunks = [questions[start : start + CHUNK] for start in range(0, len(questions), CHUNK)]
        return np.concatenate([self._chunk(chunk) for chunk in tqdm(chunks, desc=Path(self.name).stem, mininterval=5)])

    def _chunk(self, questions: Sequence[str]) -> Array:
        key = hashlib.sha256("\0".join((self.name, str(self.layers), *questions)).encode()).hexdigest()
        file = self._cache_dir / f"{key}.npy"
        states = None if file.is_file() else self._states(questions)
        try:
            if states is not None:
                self._cache_dir.mkdir(parents=True, exist_ok=True)
                unfinished = file.with_suffix(".tmp.npy")
                np.save(unfinished, states)
                unfinished.replace(file)
            return np.asarray(np.load(file), np.float32)
        except (OSError, EOFError, ValueError) as error:
            raise InputError(f"States cannot be kept in {self._cache_dir} ({error})", "Empty that folder, or name another.") from None

    @cached_property
    def _causal(self) -> Causal:
        causal = load_causal(self.name)
        base: Any = causal.model.base_model
        base.layers = base.layers[: self.layers]
        return causal

    @torch.inference_mode()
    def _states(self, questions: Sequence[str]) -> npt.NDArray[np.float16]:
        model, tokenizer = self._causal
        rows = [self._causal.tokens(question) for question in questions]
        states = np.zeros((len(rows), model.config.hidden_size), np.float16)
        by_length = sorted(range(len(rows)), key=lambda n: len(rows[n]))
        for start in range(0, len(rows), BATCH):
            batch = by_length[start : start + BATCH]
            sizes = torch.tensor([len(rows[n]) for n in batch])
            width = int(sizes.max())
            ids = torch.tensor([rows[n] + [tokenizer.pad_token_id] * (width - len(rows[n])) for n in batch])
            mask = torch.arange(width) < sizes[:, None]
            read = model.base_model(ids.to(model.device), attention_mask=mask.long().to(model.device), use_cache=False)
            states[batch] = read.last_hidden_state[torch.arange(len(batch)), sizes - 1].float().cpu().numpy()
        return states
