"""Which of two steps comes first: a small antisymmetric network over sentence vectors, learnt from the pairs of right scripts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn

from ecomscript.errors import ModelError
from ecomscript.verification.claims import ScriptClaim

Encode = Callable[[Sequence[str]], npt.NDArray[np.float32]]
"""Turns texts into (n, dim) float32 unit vectors."""
FILE = "order.safetensors"
HIDDEN = 32


class OrderModel(nn.Module):
    """f(objective, a, b) = g(a, b) − g(b, a) + h(b) − h(a): the log-odds that step ``a`` comes before step ``b``.

    Args:
        dim: Dimension of the sentence vectors.
    """

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.of_objective = nn.Linear(dim, HIDDEN)
        self.of_first = nn.Linear(dim, HIDDEN, bias=False)
        self.of_second = nn.Linear(dim, HIDDEN, bias=False)
        self.out = nn.Linear(HIDDEN, 1)
        self.late = nn.Linear(dim, 1, bias=False)
        self.dropout = nn.Dropout(0.3)

    def forward(self, objective: torch.Tensor, first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
        """Return the (n,) log-odds for (n, dim) vectors."""
        difference = self._g(objective, first, second) - self._g(objective, second, first)
        return (difference + self.late(second) - self.late(first)).squeeze(-1)

    def _g(self, objective: torch.Tensor, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        hidden = torch.relu(self.of_objective(objective) + self.of_first(a) + self.of_second(b))
        return torch.as_tensor(self.out(self.dropout(hidden)))

    @torch.inference_mode()
    def log_odds(self, claim: ScriptClaim, encode: Encode) -> npt.NDArray[np.float32]:
        """Return the (steps, steps) log-odds that the row's step comes before the column's; only entries above the diagonal count."""
        self.eval()
        vectors = torch.from_numpy(encode([claim.objective, *claim.steps]))
        n = len(claim.steps)
        found = np.zeros((n, n), np.float32)
        first, second = np.triu_indices(n, 1)
        if n > 1:
            found[first, second] = self(vectors[:1].expand(len(first), -1), vectors[1:][first], vectors[1:][second]).numpy()
        return found

    def save(self, folder: Path) -> None:
        """Write the weights in half precision."""
        save_file({name: t.half().contiguous() for name, t in self.state_dict().items()}, folder / FILE)

    @classmethod
    def load(cls, folder: Path) -> OrderModel:
        """Read the weights.

        Raises:
            ModelError: They are missing or damaged.
        """
        try:
            weights = {name: t.float() for name, t in load_file(folder / FILE).items()}
            model = cls(weights["late.weight"].shape[1])
            model.load_state_dict(weights)
        except (OSError, KeyError, RuntimeError, SafetensorError) as error:
            cause = f"The order model {folder / FILE} cannot be read ({str(error).splitlines()[0]})"
            raise ModelError(cause, "Fit it again with `python -m ecomscript.evaluation.calibrate`.") from None
        return model.eval()


def fit_order(scripts: Sequence[ScriptClaim], encode: Encode, seed: int = 0, epochs: int = 6) -> OrderModel:
    """Learn from every ordered pair of steps of right scripts (Adam, lr 1e-3, batches of 512)."""
    torch.manual_seed(seed)
    texts = list(dict.fromkeys(text for script in scripts for text in script.segments()))
    vectors = torch.from_numpy(encode(texts))
    row = {text: n for n, text in enumerate(texts)}
    triples = [
        (row[s.objective], row[s.steps[a]], row[s.steps[b]])
        for s in scripts
        for a in range(len(s.steps))
        for b in range(a + 1, len(s.steps))
    ]
    pairs = torch.tensor(triples)
    model = OrderModel(vectors.shape[1])
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, weight_decay=1e-5)
    model.train()
    for _ in range(epochs):
        for rows in torch.randperm(len(pairs)).split(512):
            objective, first, second = (vectors[column] for column in pairs[rows].T)
            loss = nn.functional.softplus(-model(objective, first, second)).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return model.eval()
