"""The library of hand-written plans: which of them are near a goal, and how sure that is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy import sparse

from ecomscript.errors import IndexFolderError
from ecomscript.folders import REBUILD, open_sealed, read_rows, seal, unseal, write_rows, writing
from ecomscript.schema import Kind, LibraryScript, LibraryStep

Vectors = npt.NDArray[np.float32]

FORMAT_VERSION = 1
LIBRARY_FOLDER = "library"
"""Where, inside the index folder of a catalogue with scripts, its library is kept."""
CLOSENESS_WEIGHT = 0.6
"""Share of the wordings' closeness in the confidence; the rest is the cosine to the script's body (README, "How plans are chosen")."""

_SCRIPTS, _KINDS, _VECTORS = "scripts.jsonl", "kinds.jsonl", "vectors.npz"


@dataclass(frozen=True, slots=True)
class NearScripts:
    """How near every script of the library is to a goal.

    Attributes:
        closeness: (scripts,) float32: ½ largest + ½ mean cosine over objective and aliases.
        confidence: (scripts,) float32: closeness mixed with the cosine to the whole script.
        order: (scripts,) positions by falling confidence.
    """

    closeness: Vectors
    confidence: Vectors
    order: npt.NDArray[np.int64]


class Library:
    """Scripts with the vectors of their wordings and bodies, and the kinds that they need.

    Args:
        encoder: Name of the encoder that made the vectors.
        source: Fingerprint of the catalogue that it was built from.
        scripts: The plans.
        kinds: Every kind that a script may need.
        wording_vectors: (wordings, dim) float32, unit norm: objective and aliases of the scripts in order.
        body_vectors: (scripts, dim) float32, unit norm: the whole script as one text (``body_text``).
        kind_vectors: (kinds, dim) float32, unit norm: centroid of the kind's intentions and its name.
    """

    def __init__(
        self,
        encoder: str,
        source: str,
        scripts: tuple[LibraryScript, ...],
        kinds: tuple[Kind, ...],
        wording_vectors: Vectors,
        body_vectors: Vectors,
        kind_vectors: Vectors,
    ) -> None:
        self.encoder = encoder
        self.source = source
        self.scripts = scripts
        self.kinds = kinds
        self.wording_vectors = wording_vectors
        self.body_vectors = body_vectors
        self.kind_vectors = kind_vectors
        self.kind_row = {kind.name: row for row, kind in enumerate(kinds)}
        self.wording_script = np.repeat(np.arange(len(scripts)), [len(wordings(s)) for s in scripts])
        self._first_wording = np.searchsorted(self.wording_script, np.arange(len(scripts)))
        self.needs = self._incidence([dict.fromkeys(s.needs, 1.0) for s in scripts])
        self.step_needs = self._incidence([dict.fromkeys(step.needs, 1.0) for s in scripts for step in s.steps])
        self.votes = self._incidence([_importance(s) for s in scripts])

    def _incidence(self, weights_of: Sequence[Mapping[str, float]]) -> sparse.csr_matrix:
        """Return the (len(weights_of), kinds) matrix of how much each kind is needed."""
        rows = [row for row, weights in enumerate(weights_of) for _ in weights]
        columns = [self.kind_row[name] for weights in weights_of for name in weights]
        values = np.array([value for weights in weights_of for value in weights.values()], np.float32)
        return sparse.csr_matrix((values, (rows, columns)), shape=(len(weights_of), len(self.kinds)))

    def near(self, query: Vectors, without: int | None = None) -> NearScripts:
        """Measure every script against a goal.

        Args:
            query: (dim,) float32, unit norm: the goal.
            without: A wording that is left out because it is the goal itself.
        """
        cosines = self.wording_vectors @ query
        counts = np.diff(np.append(self._first_wording, len(cosines))).astype(np.float32)
        if without is not None:
            cosines[without] = 0.0
            counts[self.wording_script[without]] -= 1
        largest = np.maximum.reduceat(cosines, self._first_wording)
        mean = np.add.reduceat(cosines, self._first_wording) / np.maximum(counts, 1)  # 0 where the only wording is left out
        closeness = (largest + mean) / 2
        confidence = CLOSENESS_WEIGHT * closeness + (1 - CLOSENESS_WEIGHT) * (self.body_vectors @ query)
        return NearScripts(closeness.astype(np.float32), confidence.astype(np.float32), np.argsort(-confidence, kind="stable"))

    def subset(self, rows: npt.NDArray[np.int64]) -> Library:
        """Return a library of some scripts alone; kinds stay as they are."""
        wordings_of = np.isin(self.wording_script, rows)
        scripts = tuple(self.scripts[n] for n in rows)
        bodies = self.body_vectors[rows]
        return Library(self.encoder, self.source, scripts, self.kinds, self.wording_vectors[wordings_of], bodies, self.kind_vectors)

    def save(self, folder: Path) -> None:
        """Write the library as a sealed folder.

        Raises:
            IndexFolderError: The folder cannot be written.
        """
        unseal(folder)
        vectors = {"wordings": self.wording_vectors, "bodies": self.body_vectors, "kinds": self.kind_vectors}
        with writing(folder):
            write_rows(folder / _SCRIPTS, (asdict(s) for s in self.scripts))
            write_rows(folder / _KINDS, (asdict(k) for k in self.kinds))
            np.savez(folder / _VECTORS, **{name: rows.astype(np.float16) for name, rows in vectors.items()})  # type: ignore[arg-type]
        meta = {"version": FORMAT_VERSION, "encoder": self.encoder, "source": self.source, "scripts": len(self.scripts)}
        seal(folder, (_SCRIPTS, _KINDS, _VECTORS), meta)

    @classmethod
    def load(cls, folder: Path, encoder: str) -> Library:
        """Read a folder that ``save`` wrote.

        Raises:
            IndexFolderError: The folder is missing, half-written, damaged or was built with another encoder.
        """
        manifest = open_sealed(folder, {"version": FORMAT_VERSION, "encoder": encoder})
        scripts = tuple(_script(row) for row in read_rows(folder / _SCRIPTS))
        kinds = tuple(Kind(row["name"], row["category"], row["emoji"], tuple(row["intentions"])) for row in read_rows(folder / _KINDS))
        with np.load(folder / _VECTORS) as arrays:
            vectors = {name: arrays[name].astype(np.float32) for name in ("wordings", "bodies", "kinds")}
        expected = {"wordings": sum(len(wordings(s)) for s in scripts), "bodies": len(scripts), "kinds": len(kinds)}
        for name, count in expected.items():
            if len(vectors[name]) != count:
                raise IndexFolderError(f"The library in {folder} has {len(vectors[name])} vectors of {name}, expected {count}", REBUILD)
        return cls(encoder, manifest["source"], scripts, kinds, vectors["wordings"], vectors["bodies"], vectors["kinds"])


def wordings(script: LibraryScript) -> tuple[str, ...]:
    """Return the texts that a goal is compared with: objective and aliases."""
    return (script.objective, *script.aliases)


def body_text(script: LibraryScript) -> str:
    """Return the whole script as one text."""
    return ". ".join((script.objective, *(step.text for step in script.steps)))


def _importance(script: LibraryScript) -> dict[str, float]:
    """Return a weight in (0, 1] for each need: the first of a step is the most important one."""
    weights: dict[str, float] = {}
    for step in script.steps:
        for position, name in enumerate(step.needs):
            weights[name] = max(weights.get(name, 0.0), 1.0 / (1.0 + 0.3 * position))
    return weights


def _script(row: dict) -> LibraryScript:
    steps = tuple(LibraryStep(step["text"], tuple(step["needs"])) for step in row["steps"])
    return LibraryScript(row["script_id"], row["objective"], tuple(row["aliases"]), tuple(row["tags"]), steps)
