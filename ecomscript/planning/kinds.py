"""Which product kinds a goal needs: votes of near plans, closeness of meaning and company, weighed by a fitted regression."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ecomscript.learnt import unit
from ecomscript.planning.library import Library, NearScripts

Vectors = npt.NDArray[np.float32]

VOTERS, VOTE_TEMPERATURE = 30, 0.08
"""Nearest scripts that vote, and the difference in closeness (a cosine) for which a vote loses a factor e."""
FEATURES = (
    "votes by wording",
    "votes by confidence",
    "cosine to the kind",
    "cosine after the learnt map",
    "company",
    "companions",
    "in the base plan",
    "base confidence if in it",
)


class KindEvidence:
    """Computes ``FEATURES`` for every kind of the library.

    Args:
        library: The library.
        goal_map: (dim, dim) learnt map.

    Attributes:
        together: (kinds, kinds) sparse: how many scripts need both.
    """

    def __init__(self, library: Library, goal_map: Vectors) -> None:
        self._library = library
        self._goal_map = goal_map
        self.together = (library.needs.T @ library.needs).tocsr()
        self._uses = np.asarray(library.needs.sum(axis=0)).ravel()

    def features(self, query: Vectors, near: NearScripts, base: int, without: int | None = None) -> Vectors:
        """Return ``(kinds, len(FEATURES))`` float32.

        Args:
            query: (dim,) float32, unit norm: the goal.
            near: How near the scripts are to it.
            base: Position of the script that the plan starts from.
            without: A script whose evidence is left out (leave-one-out); its closeness in ``near`` must be -1 already.
        """
        library = self._library
        own = np.zeros(len(library.kinds), np.float32) if without is None else library.needs[without].toarray().ravel()
        in_base = library.needs[base].toarray().ravel()
        members = np.flatnonzero(in_base)
        together = self.together[members].toarray() - np.outer(own[members], own)
        uses = self._uses - own
        share = together / np.maximum(uses[members], 1.0)[:, None]
        company = share.mean(axis=0) if len(members) else np.zeros_like(own)
        companions = (together > 0).mean(axis=0) if len(members) else np.zeros_like(own)
        columns = (
            np.sqrt(_votes(library, near.closeness)),
            np.sqrt(_votes(library, near.confidence)),
            library.kind_vectors @ query,
            library.kind_vectors @ unit(query @ self._goal_map),
            np.sqrt(company) * (1 - in_base),
            companions * (1 - in_base),
            in_base,
            in_base * near.confidence[base],
        )
        return np.stack(columns, axis=1).astype(np.float32)


def leave_out(near: NearScripts, script: int) -> NearScripts:
    """Return the same closeness with one script out of sight."""
    closeness, confidence = near.closeness.copy(), near.confidence.copy()
    closeness[script] = confidence[script] = -1.0
    return NearScripts(closeness, confidence, np.argsort(-confidence, kind="stable"))


def _votes(library: Library, closeness: Vectors) -> Vectors:
    """Return (kinds,) the share of the nearest scripts that need each kind, nearer scripts and first needs counting more."""
    voters = np.argpartition(-closeness, min(VOTERS, len(closeness) - 1))[:VOTERS]
    weights = np.exp((closeness[voters] - closeness.max()) / VOTE_TEMPERATURE)
    return np.asarray(weights @ library.votes[voters]).ravel() / weights.sum()
