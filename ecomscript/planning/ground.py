"""What a language model is told of the shop before it plans: the departments near a goal, and near plans as examples."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ecomscript.learnt import unit
from ecomscript.planning.draft import Encode
from ecomscript.planning.library import Library
from ecomscript.schema import LibraryScript

NEAR_PLANS, NEAR_KINDS, DEPARTMENTS = 2, 150, 25
MOST_CHARS = 80
"""Of a text of the catalogue inside a prompt."""


@dataclass(frozen=True, slots=True)
class Ground:
    """What the shop has near a goal.

    Attributes:
        departments: Categories of the nearest kinds, two levels deep, the nearest first.
        plans: The nearest plans of the library.
    """

    departments: tuple[str, ...]
    plans: tuple[LibraryScript, ...]


def ground(library: Library, encode: Encode, goal: str, core: str) -> Ground:
    """Return what is near a goal.

    Args:
        library: Plans and kinds.
        encode: The encoder of the library.
        goal: The goal as typed.
        core: The goal without chatter and constraints.
    """
    query = unit(encode([goal, core]).sum(axis=0, keepdims=True))[0]
    nearest = np.argsort(-(library.kind_vectors @ query), kind="stable")[:NEAR_KINDS]
    categories = (" > ".join(library.kinds[row].category.split(" > ")[:2])[:MOST_CHARS] for row in nearest)
    departments = tuple(dict.fromkeys(category for category in categories if category))[:DEPARTMENTS]
    return Ground(departments, tuple(library.scripts[n] for n in library.near(query).order[:NEAR_PLANS]))
