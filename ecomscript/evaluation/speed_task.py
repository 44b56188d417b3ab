"""How long the verifiers take for a plan of 8 steps with 20 products, as a ratio to embedding the same texts in the same run."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

from ecomscript.association.encoder import SentenceBert
from ecomscript.config import Settings
from ecomscript.verification.claims import BundleClaim, BundleStep, ProductClaim, ScriptClaim
from ecomscript.verification.items import load_plan_items
from ecomscript.verification.suite import Verifiers

STEPS, PRODUCTS, ROUNDS = 8, 20, 15


def rows(settings: Settings, seed: int) -> list[dict[str, Any]]:  # noqa: ARG001 (nothing is random)
    """Return the median seconds of each verifier, of all, and of the baseline; one thread."""
    encoder = SentenceBert(settings.encoder, threads=1)
    verifiers = Verifiers.load(encoder.encode, settings.models_dir)
    claims = [item.claim for item in load_plan_items() if isinstance(item.claim, ProductClaim)][:PRODUCTS]
    goal = claims[0].objective
    products = [ProductClaim(goal, claim.step, claim.product, claim.features) for claim in claims]
    share = -(-PRODUCTS // STEPS)
    parts = [products[n : n + share] for n in range(0, PRODUCTS, share)]
    parts += [[]] * (STEPS - len(parts))
    bundle = BundleClaim(goal, tuple(BundleStep(f"Do part {n + 1}", tuple(c.product for c in part)) for n, part in enumerate(parts)))
    script = ScriptClaim(goal, tuple(dict.fromkeys(claim.step for claim in claims)))
    script = ScriptClaim(goal, (script.steps * STEPS)[:STEPS])
    assert verifiers.t1 is not None
    assert verifiers.t2 is not None
    assert verifiers.t3 is not None
    t1, t2, t3 = verifiers.t1, verifiers.t2, verifiers.t3
    texts = [*script.steps, *(claim.product for claim in products)]
    measured: dict[str, Callable[[], Any]] = {
        "embedding the same texts (baseline)": lambda: encoder.encode(texts),
        "t1": lambda: t1.verdicts([script]),
        "t2": lambda: t2.scores(products),
        "t3": lambda: t3.verdicts([bundle]),
    }
    seconds: dict[str, list[float]] = {name: [] for name in measured}
    for _ in range(ROUNDS):  # in turn, so that a busy moment of the machine meets all of them
        for name, run in measured.items():
            started = time.perf_counter()
            run()
            seconds[name].append(time.perf_counter() - started)
    median = {name: statistics.median(times) for name, times in seconds.items()}
    median["t1 + t2 + t3"] = statistics.median(map(sum, zip(*(seconds[name] for name in ("t1", "t2", "t3")), strict=True)))
    base = median["embedding the same texts (baseline)"]
    return [{"what": name, "seconds": round(value, 4), "ratio": round(value / base, 2)} for name, value in median.items()]
