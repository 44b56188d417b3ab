"""Which rows lead to which: a list of lists as two arrays, so that millions of links stay small."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[np.int32]


class Links(Sequence[Rows]):
    """``links[row]`` are the (n,) int32 rows that ``row`` leads to.

    Args:
        starts: (rows + 1,) int64: where the targets of each row begin, and the end.
        targets: (links,) int32: the targets of all rows, one row after the other.
    """

    def __init__(self, starts: npt.NDArray[np.int64], targets: Rows) -> None:
        self.starts, self.targets = starts, targets

    @classmethod
    def of(cls, lists: Sequence[Sequence[int]]) -> Links:
        """Return the links of plain lists."""
        starts = np.zeros(len(lists) + 1, np.int64)
        np.cumsum([len(members) for members in lists], out=starts[1:])
        return cls(starts, np.fromiter(chain.from_iterable(lists), np.int32, int(starts[-1])))

    @classmethod
    def of_pairs(cls, sources: npt.NDArray[Any], targets: npt.NDArray[Any], rows: int) -> Links:
        """Return the links of (n,) pairs; the targets of a row keep the order of the pairs.

        Args:
            sources: Rows that lead, from 0 to ``rows`` - 1.
            targets: Rows that they lead to.
            rows: How many rows there are, also those that lead nowhere.
        """
        order = np.argsort(sources, kind="stable")
        starts = np.zeros(rows + 1, np.int64)
        np.cumsum(np.bincount(sources, minlength=rows), out=starts[1:])
        return cls(starts, targets[order].astype(np.int32))

    def sources(self) -> Rows:
        """Return the (links,) int32 row that each of ``targets`` belongs to."""
        return np.repeat(np.arange(len(self), dtype=np.int32), np.diff(self.starts))

    def turned(self, rows: int) -> Links:
        """Return the same links from the targets' side.

        Args:
            rows: How many targets there are.
        """
        return Links.of_pairs(self.targets, self.sources(), rows)

    def __len__(self) -> int:
        return len(self.starts) - 1

    def __getitem__(self, row: Any) -> Any:
        if isinstance(row, slice):
            return [self[n] for n in range(*row.indices(len(self)))]
        return self.targets[self.starts[row] : self.starts[row + 1]]
