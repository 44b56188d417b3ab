"""Why people buy a product, told by a language model that reads what its catalogue and its buyers say of it.

One product a question: what a seller writes to the model can spoil nobody's intentions but their own product's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ecomscript.llm.templates import PROMPTS, Templates
from ecomscript.planning.draft import MARKUP
from ecomscript.schema import Product
from ecomscript.words import tokens
from index_build.distil.form import Form, UnusableAnswerError, is_plain, strings_of
from index_build.feeds.listing import MAX_INTENTION
from index_build.feeds.reading import intention_of
from index_build.feeds.staging import Staging

MOST = 10
"""Of a product; the paper has about as many."""
READ = 30
"""Of an answer; what comes after is not looked at."""
FEWEST_WORDS, MOST_WORDS = 2, 16
REVIEWS, REVIEW_CHARS, FEATURE_CHARS = 3, 400, 200
"""What the question holds of reviews and features; attributes are left out."""
EXAMPLE = "keep food cold on a weekend camping trip"
"""Stands in the instructions; a small model says it of a backpack too."""
_ECHO = re.compile(r"^\W*they buy (?:it|this|them) (?:to|for)\b", re.IGNORECASE)
"""The sentence that an intention completes, where a model repeats it."""


@dataclass(frozen=True, slots=True)
class Described:
    """A product with what its buyers said of it."""

    product: Product
    reviews: tuple[str, ...] = ()


def described(staging: Staging, limit: int | None) -> Iterator[Described]:
    """Yield the products that have no intentions of their own, in the order of the files, at most ``limit`` of them."""
    given = 0
    for listing in staging.listings():
        if listing.intentions:
            continue
        if given == limit:
            return
        given += 1
        yield Described(listing.product, staging.reviews(listing.product.product_id)[:REVIEWS])


def intentions_form() -> Form[Described, tuple[str, ...]]:
    """Return how intentions are asked for."""
    return Form(
        prompts=Templates.load(PROMPTS / "intentions.yaml", ("rules", "ask")),
        values={"most": MOST, "example": EXAMPLE},
        data=_data,
        read=_read,
        about=lambda subject: subject.product.title,
        schema={
            "type": "object",
            "properties": {"intentions": {"type": "array", "items": {"type": "string"}}},
            "required": ["intentions"],
            "additionalProperties": False,
        },
        most_tokens=800,
        usual_tokens=170,
    )


def rows(answers: Iterable[tuple[Described, tuple[str, ...]]], model: str) -> Iterator[dict[str, Any]]:
    """Yield what ``--intentions`` reads: one line for each intention of a product, known by its id in the index."""
    for subject, texts in answers:
        for text in texts:
            yield {"product_id": subject.product.product_id, "title": subject.product.title, "tail": text, "model": model}


def _data(subject: Described) -> Mapping[str, object]:
    product = subject.product
    features = [feature[:FEATURE_CHARS] for feature in product.features]
    reviews = [review[:REVIEW_CHARS] for review in subject.reviews]
    data = {"title": product.title, "brand": product.brand, "category": product.category, "features": features, "reviews": reviews}
    return {name: value for name, value in data.items() if value}


def _read(subject: Described, answer: Mapping[str, Any]) -> tuple[str, ...]:
    found: dict[str, str] = {}
    for written in strings_of(answer, "intentions")[:READ]:
        text = _as_phrase(intention_of(_ECHO.sub("", written)))
        sound = len(written) <= MAX_INTENTION and not MARKUP.search(written) and is_plain(text, FEWEST_WORDS, MOST_WORDS)
        if sound and not _names(text, subject.product) and tokens(text) != tokens(EXAMPLE):
            found.setdefault(" ".join(sorted(set(tokens(text)))), text)
    if not found:
        raise UnusableAnswerError("no intention that can be used")
    return tuple(found.values())[:MOST]


def _as_phrase(text: str) -> str:
    """Return a text without the capital of a sentence: "Read in bed" → "read in bed", but "DIY repairs"."""
    return text[:1].lower() + text[1:] if text[1:2].islower() else text


def _names(text: str, product: Product) -> bool:
    """Return whether an intention calls the product by its brand or title: an advertisement."""
    said, names = f" {' '.join(tokens(text))} ", (" ".join(tokens(name)) for name in (product.brand, product.title))
    return any(f" {name} " in said for name in names if name)
