"""Kinds and purchase intentions for products whose catalogue has none: taken over from the hand-written ones of the demo catalogue."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse

from ecomscript.association.encoder import CachedEncoder, Encoder, Vectors
from ecomscript.association.links import Links
from ecomscript.schema import Intention, Kind
from ecomscript.words import tokens
from index_build.centroids import centroids, index_texts
from index_build.sources import Catalogue

INTENTIONS_WEIGHT, WORDS_WEIGHT, CATEGORY_WEIGHT = 0.3, 0.2, 0.5
"""Beside the cosine of the title's head to the kind's name: to the kind's own vector, the share of the name's words in the title, and the
cosine between the two categories. Chosen on the demo's own titles, as are the next ones (`python -m index_build bench-transfer`)."""
SURE = 1.05
"""A kind is taken over from this sum on: closeness of the title, without the category's share, and lead over the second kind."""
NEAR_KINDS, AGREES, STILL_AGREES = 3, 0.4, 0.25
"""Where no kind is sure: how many of the nearest ones lend intentions, how near to the title an intention must be, and how near the single
nearest one where none is as near as that."""
MOST = 10
HEAD_WORDS = 12
_HEAD_END = re.compile(r"\s*(?:[,;:(|\[–—]|\s-\s|\bwith\b|\bfor\b).*", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Transfer:
    """What a product was given.

    Attributes:
        kind: Row of the kind that it is of, or None where none is near enough to be sure.
        nearest: Row of the nearest kind, sure or not.
        intentions: Rows of the intentions that it got, at most ``MOST``; none where nothing agrees.
        lent_by: Rows of the kinds that they come from.
    """

    kind: int | None
    nearest: int
    intentions: tuple[int, ...]
    lent_by: tuple[int, ...]


class Knowledge:
    """Hand-written kinds with their purchase intentions.

    Args:
        kinds: The kinds.
        intentions: All of their intentions.
        intentions_of_kind: Which of them belong to each kind.
        name_vectors: (kinds, dim) unit rows: the names of the kinds.
        kind_vectors: (kinds, dim) unit rows: name and intentions together.
        intention_vectors: (intentions, dim) unit rows.
        encoder: The encoder that made them.
    """

    def __init__(
        self,
        kinds: Sequence[Kind],
        intentions: Sequence[Intention],
        intentions_of_kind: Links,
        name_vectors: Vectors,
        kind_vectors: Vectors,
        intention_vectors: Vectors,
        encoder: Encoder,
    ) -> None:
        self.kinds, self.intentions, self.intentions_of_kind = kinds, intentions, intentions_of_kind
        self.name_vectors, self.kind_vectors, self.intention_vectors = name_vectors, kind_vectors, intention_vectors
        self._categories_of_products = CachedEncoder(encoder)  # blocks of products share most of them
        categories = list(dict.fromkeys(kind.category for kind in kinds))
        self._category_vectors = encoder.encode(categories)
        at = {category: row for row, category in enumerate(categories)}
        self._category_of_kind = np.array([at[kind.category] for kind in kinds], np.int64)
        self._vocabulary = {word: row for row, word in enumerate(dict.fromkeys(w for kind in kinds for w in tokens(kind.name)))}
        self._words = _name_words(kinds, self._vocabulary)

    @classmethod
    def of(cls, catalogue: Catalogue, encoder: Encoder) -> Knowledge:
        """Return what a catalogue of our own format knows; intentions of single products stay theirs."""
        vectors = encoder.encode(index_texts(catalogue))
        intentions, names = vectors[: len(catalogue.intentions)], vectors[len(catalogue.intentions) :]
        _, kinds = centroids(catalogue, intentions, names)
        row_of = {intention.text: row for row, intention in enumerate(catalogue.intentions)}
        links = Links.of([[row_of[text] for text in kind.intentions] for kind in catalogue.kinds])
        return cls(catalogue.kinds, catalogue.intentions, links, names, kinds, intentions, encoder)

    def give(
        self, titles: Sequence[str], heads: Vectors, categories: Sequence[str], hidden: Sequence[Sequence[int]] | None = None
    ) -> list[Transfer]:
        """Return what each of n products gets.

        Args:
            titles: Their titles.
            heads: (n, dim) unit rows of ``title_head`` of each.
            categories: Their categories, "" where one is unknown.
            hidden: For each product, rows of kinds that it may not learn from (for measuring on kinds held out).
        """
        closeness = heads @ self.name_vectors.T + INTENTIONS_WEIGHT * (heads @ self.kind_vectors.T) + WORDS_WEIGHT * self._named(titles)
        scores = closeness + CATEGORY_WEIGHT * self._same_category(categories)
        for row, kinds in enumerate(hidden or ()):
            scores[row, list(kinds)] = -np.inf
        return [self._given(*row) for row in zip(heads, closeness, scores, strict=True)]

    def _given(self, head: Vectors, closeness: Vectors, scores: Vectors) -> Transfer:
        near = np.argpartition(-scores, NEAR_KINDS)[: NEAR_KINDS + 1] if len(scores) > NEAR_KINDS else np.arange(len(scores))
        near = near[np.argsort(-scores[near], kind="stable")]
        best = int(near[0])
        lead = scores[best] - scores[near[1]] if len(near) > 1 else 0.0
        if closeness[best] + lead >= SURE:
            own = self.intentions_of_kind[best]
            nearest = own[np.argsort(-(self.intention_vectors[own] @ head), kind="stable")][:MOST]
            return Transfer(best, best, tuple(map(int, nearest)), (best,) if len(own) else ())
        lent = [(int(intention), int(kind)) for kind in near[:NEAR_KINDS] for intention in self.intentions_of_kind[kind]]
        if not lent:
            return Transfer(None, best, (), ())
        cosines = self.intention_vectors[[intention for intention, _ in lent]] @ head
        order = np.argsort(-cosines, kind="stable")
        kept = [n for n in order[:MOST] if cosines[n] >= AGREES] or [n for n in order[:1] if cosines[n] >= STILL_AGREES]
        intentions = dict.fromkeys(lent[n][0] for n in kept)
        return Transfer(None, best, tuple(intentions), tuple(dict.fromkeys(lent[n][1] for n in kept)))

    def _named(self, titles: Sequence[str]) -> Vectors:
        """Return (n, kinds) the share of each kind's name that each title says, in [0, 1]."""
        found = [sorted({at for word in tokens(title) if (at := self._vocabulary.get(word)) is not None}) for title in titles]
        links = Links.of(found)
        ones = np.ones(len(links.targets), np.float32)
        said = sparse.csr_matrix((ones, links.targets, links.starts), (len(titles), len(self._vocabulary)))
        return np.asarray((said @ self._words).toarray(), np.float32)

    def _same_category(self, categories: Sequence[str]) -> Vectors:
        """Return (n, kinds) cosines between the categories; 0 where a product has none."""
        known = list(dict.fromkeys(filter(None, categories)))
        found = np.zeros((len(categories), len(self.kinds)), np.float32)
        if known:
            at = {category: row for row, category in enumerate(known)}
            vectors = self._categories_of_products.encode(known)
            cosines = (vectors @ self._category_vectors.T)[:, self._category_of_kind]
            rows = [n for n, category in enumerate(categories) if category]
            found[rows] = cosines[[at[categories[n]] for n in rows]]
        return found


def title_head(title: str) -> str:
    """Return what a title calls the thing: the part before the details, at most ``HEAD_WORDS`` words."""
    head = _HEAD_END.sub("", title)
    return " ".join((head if len(head.split()) > 1 else title).split()[:HEAD_WORDS])


def _name_words(kinds: Sequence[Kind], vocabulary: Mapping[str, int]) -> sparse.csr_matrix:
    """Return (words, kinds): 1 / words of the name, for each word of a kind's name; rows as the vocabulary has them."""
    rows, columns, shares = [], [], []
    for column, kind in enumerate(kinds):
        names = dict.fromkeys(tokens(kind.name))
        for word in names:
            rows.append(vocabulary[word])
            columns.append(column)
            shares.append(1 / len(names))
    values: npt.NDArray[np.float32] = np.array(shares, np.float32)
    return sparse.csr_matrix((values, (rows, columns)), (len(vocabulary), len(kinds)))
