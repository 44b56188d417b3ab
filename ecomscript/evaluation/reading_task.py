"""The share of products that a careful reader finds off, from plans that were read and marked by hand.

It counts the marks in assets/benchmark/reading.jsonl.xz, one plan a line: {"goal", "objective", "confidence", "products": [{"step",
"product_id", "title", "kind", "off", "why"}]}; ``off`` is true where a shopper with that goal would not want the product.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ecomscript.config import ASSETS
from ecomscript.errors import InputError
from ecomscript.jsonl import read_lines

READING = ASSETS / "benchmark" / "reading.jsonl.xz"


def rows(path: Path = READING) -> list[dict[str, Any]]:
    """Return plans, products and the share off, for each confidence and for all.

    Raises:
        InputError: No plan was marked.
    """
    if not path.is_file():
        raise InputError(f"There are no marked plans {path}", "Read some plans, mark every product and store them there.")
    plans = [line.data for line in read_lines(path, ("confidence", "products"))]
    found = []
    for name in ("all", *sorted({plan["confidence"] for plan in plans})):
        chosen = [plan for plan in plans if name in ("all", plan["confidence"])]
        marks = [product["off"] for plan in chosen for product in plan["products"]]
        share = round(sum(marks) / len(marks), 4) if marks else None
        found.append({"confidence": name, "plans": len(chosen), "products": len(marks), "off": sum(marks), "share_off": share})
    return found
