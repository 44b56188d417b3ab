"""What a verifier is asked about, and how it is put to a model: as a row of text segments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, ClassVar, Literal

from ecomscript.schema import MatchedStep, Product

Task = Literal["t1", "t2", "t3"]
TASKS: tuple[Task, ...] = ("t1", "t2", "t3")
Segments = tuple[str, ...]
"""One input of a model; the segments are joined by the separator token of its tokenizer."""

MAX_STEPS = 50
MAX_PRODUCTS = 60
MAX_CHARACTERS = 2_000


class ClaimError(ValueError):
    """A claim cannot be read; the message says which field and why."""


@dataclass(frozen=True, slots=True)
class ScriptClaim:
    """T1: "following these steps in order achieves the objective"."""

    task: ClassVar[Task] = "t1"
    objective: str
    steps: tuple[str, ...]

    @classmethod
    def read(cls, row: Mapping[str, Any]) -> ScriptClaim:
        """Read ``{"objective", "steps": [str]}``.

        Raises:
            ClaimError: A field is missing or unusable.
        """
        return cls(_text(row, "objective"), tuple(_text_of(step, "a step") for step in _list(row, "steps", MAX_STEPS)))

    @classmethod
    def of(cls, goal: str, steps: Sequence[MatchedStep]) -> ScriptClaim:
        """Return the claim that a plan makes by its steps; texts are cut to what can be checked."""
        return cls(cut(goal), tuple(cut(matched.step.text) for matched in steps))

    def segments(self) -> Segments:
        """Return the objective and then the steps."""
        return (self.objective, *self.steps)


@dataclass(frozen=True, slots=True)
class ProductClaim:
    """T2: "buying this product helps this step of this objective"."""

    task: ClassVar[Task] = "t2"
    objective: str
    step: str
    product: str
    features: str = ""

    @classmethod
    def read(cls, row: Mapping[str, Any]) -> ProductClaim:
        """Read ``{"objective", "step", "product", "features"?}``.

        Raises:
            ClaimError: A field is missing or unusable.
        """
        features = row.get("features")
        said = _text_of(features, "'features'", empty=True) if features is not None else ""
        return cls(_text(row, "objective"), _text(row, "step"), _text(row, "product"), said)

    @classmethod
    def of(cls, goal: str, step: str, product: Product) -> ProductClaim:
        """Return the claim that a plan makes by a product in its step, with the product's first feature, as T2 was trained on."""
        return cls(cut(goal), cut(step), cut(product.title), cut(product.features[0]) if product.features else "")

    def segments(self) -> Segments:
        """Return objective, step and what is known of the product."""
        return (self.objective, self.step, f"{self.product}. {self.features}".rstrip(". "))


@dataclass(frozen=True, slots=True)
class BundleStep:
    """A step and the titles of its products."""

    step: str
    products: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BundleClaim:
    """T3: "every product suits its step, and nothing clashes across steps or with the objective"."""

    task: ClassVar[Task] = "t3"
    objective: str
    steps: tuple[BundleStep, ...]

    @classmethod
    def read(cls, row: Mapping[str, Any]) -> BundleClaim:
        """Read ``{"objective", "steps": [{"step", "products": [str]}]}``.

        Raises:
            ClaimError: A field is missing or unusable.
        """
        steps = []
        for entry in _list(row, "steps", MAX_STEPS):
            if not isinstance(entry, Mapping):
                raise ClaimError("a member of 'steps' is no object with 'step' and 'products'")
            products = entry.get("products")
            if not isinstance(products, list):
                raise ClaimError("'products' of a step is not a list")
            steps.append(BundleStep(_text(entry, "step"), tuple(_text_of(title, "a product") for title in products)))
        claim = cls(_text(row, "objective"), tuple(steps))
        if len(claim.placed) > MAX_PRODUCTS:
            raise ClaimError(f"{len(claim.placed)} products, at most {MAX_PRODUCTS} can be checked together")
        return claim

    @classmethod
    def of(cls, goal: str, steps: Sequence[MatchedStep]) -> BundleClaim:
        """Return the claim that a plan makes by all its products."""
        return cls(cut(goal), tuple(BundleStep(cut(s.step.text), tuple(cut(m.product.title) for m in s.matches)) for s in steps))

    @property
    def placed(self) -> tuple[tuple[str, str], ...]:
        """(step, product title) of every product, in order."""
        return tuple((entry.step, title) for entry in self.steps for title in entry.products)

    def segments(self) -> Segments:
        """Return the objective, and each step followed by its products."""
        return (self.objective, *(text for entry in self.steps for text in (entry.step, *entry.products)))

    @property
    def product_segments(self) -> tuple[int, ...]:
        """Where the products of ``placed`` stand in ``segments``."""
        found: list[int] = []
        at = 1
        for entry in self.steps:
            found += range(at + 1, at + 1 + len(entry.products))
            at += 1 + len(entry.products)
        return tuple(found)

    def single(self, a: int) -> Segments:
        """Return the segments for product ``a`` (its place in ``placed``) on its own against the objective."""
        return (self.objective, *self.placed[a])

    def pair(self, a: int, b: int) -> Segments:
        """Return the segments for two products of ``placed`` against each other."""
        return (self.objective, *self.placed[a], *self.placed[b])

    @property
    def pairs(self) -> tuple[tuple[int, int], ...]:
        """Every unordered pair of places in ``placed``."""
        return tuple(combinations(range(len(self.placed)), 2))


Claim = ScriptClaim | ProductClaim | BundleClaim
CLAIMS: Mapping[Task, type[ScriptClaim] | type[ProductClaim] | type[BundleClaim]] = {
    "t1": ScriptClaim,
    "t2": ProductClaim,
    "t3": BundleClaim,
}


def cut(text: str) -> str:
    """Return as much of a text as can be checked."""
    return text[:MAX_CHARACTERS]


def _text(row: Mapping[str, Any], field: str) -> str:
    if field not in row:
        raise ClaimError(f"the field {field!r} is missing")
    return _text_of(row[field], repr(field))


def _text_of(value: object, name: str, *, empty: bool = False) -> str:
    if not isinstance(value, str):
        raise ClaimError(f"{name} is not a text")
    text = " ".join(value.split())
    if not text and not empty:
        raise ClaimError(f"{name} is empty")
    if any("\ud800" <= c <= "\udfff" for c in text):
        raise ClaimError(f"{name} holds half a character (a lone surrogate)")
    if len(text) > MAX_CHARACTERS:
        raise ClaimError(f"{name} has {len(text):,} characters, at most {MAX_CHARACTERS:,} can be checked")
    return text


def _list(row: Mapping[str, Any], field: str, most: int) -> list[Any]:
    value = row.get(field)
    if not isinstance(value, list):
        raise ClaimError(f"{field!r} is missing" if field not in row else f"{field!r} is not a list")
    if not 1 <= len(value) <= most:
        raise ClaimError(f"{field!r} has {len(value)} members, expected 1 to {most}")
    return value
