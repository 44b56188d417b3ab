"""Labelled claims of a few words, in which what is named twice is right."""

from dataclasses import replace
from itertools import permutations

from ecomscript.verification.claims import BundleClaim, BundleStep, ProductClaim, ScriptClaim
from ecomscript.verification.items import Item

THINGS = ("tent", "stove", "light", "brush", "candle")
SPLITS = ("train", "train", "train", "validation", "test", "domain")


def claim_of(task, thing, other, n):
    """Return a claim about a thing that holds when ``other`` is the same thing."""
    if task == "t1":
        return ScriptClaim(f"camp with a {thing}", (f"buy the {other}", f"pack it {n}", f"use the {other}"))
    if task == "t2":
        return ProductClaim(f"camp {n}", f"use the {thing}", f"good {other}", "fine")
    return BundleClaim(f"camp {n}", (BundleStep(f"use the {thing}", (f"good {other}",)), BundleStep("sleep", ("fine candle",))))


def items_of(task, splits=SPLITS, domains=("cooking", "fishing", "kids")):
    """Return pairs of a right and a wrong claim in every split and domain."""
    found = []
    for at, split in enumerate(splits):
        for n, (thing, other) in enumerate(permutations(THINGS, 2)):
            pair = f"{task}-{at}-{n}"
            domain = domains[(at + n) % len(domains)]
            found.append(Item(f"{pair}-1", claim_of(task, thing, thing, n), 1, domain, "none", pair, split))
            found.append(Item(f"{pair}-0", claim_of(task, thing, other, n), 0, domain, "wrong_context", pair, split))
    return found


def gold_of(task):
    """Return such pairs as gold items."""
    return [replace(item, split="gold") for item in items_of(task, ("gold",))]
