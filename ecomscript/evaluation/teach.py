"""Let a strong T2 model label many product claims that nobody judged, so that a small one can learn from it.

python -m ecomscript.evaluation.teach --teacher build/verifiers/t2-mpnet --out build/taught.jsonl [--claims 10000] [--language-model NAME]

A causal language model can stand beside it as a second teacher (``language_head``). A logistic regression over the log-odds of both, fitted
to validation items, then gives the label.

Half of the claims put a step of the training items to the products of other items that lie nearest to it, half a step of the library to
a product that its plan needs or to one of a near kind. The file grows line by line; what is in it is not asked again.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from sklearn.metrics import roc_auc_score
from tqdm import tqdm

from ecomscript.association.vector_store import open_encoder
from ecomscript.config import DEFAULT_ENCODER, DEMO_CATALOG, Settings
from ecomscript.errors import EcomScriptError, InputError
from ecomscript.evaluation.language_head import LAYERS, STATES, Judge, fit_head
from ecomscript.evaluation.recorded import answers_dir
from ecomscript.folders import read_rows
from ecomscript.learnt import mix
from ecomscript.llm.states import StateReader
from ecomscript.verification.claims import ProductClaim
from ecomscript.verification.combine import Combiner
from ecomscript.verification.items import Item, in_split, load_items
from ecomscript.verification.lora import load_adapter
from ecomscript.verification.order import Encode

NEAREST = 12
"""Products that a claim of another item is drawn from, nearest first."""
CHUNK = 256


def item_claims(count: int, rng: random.Random, encode: Encode) -> list[ProductClaim]:
    """Return steps of training items with near products of other items."""
    claims = [item.claim for item in in_split(load_items("t2"), "train") if isinstance(item.claim, ProductClaim)]
    contexts = list({(c.objective, c.step): c for c in claims}.values())
    products = list({c.product: c for c in claims}.values())
    chosen = rng.sample(contexts, min(len(contexts), count // 2))
    queries = mix(encode([c.step for c in chosen]), encode([c.objective for c in chosen]))
    offered = encode([c.product for c in products])
    found = []
    for context, query in zip(chosen, queries, strict=True):
        near = [products[n] for n in np.argsort(-(offered @ query))[: NEAREST + 4] if products[n].objective != context.objective]
        for product in (near[0], rng.choice(near[1:NEAREST])):
            found.append(ProductClaim(context.objective, context.step, product.product, product.features))
    return found


def library_claims(count: int, rng: random.Random, encode: Encode) -> list[ProductClaim]:
    """Return steps of library plans with products that they need, and with products of near kinds that they do not."""
    scripts = [row for path in sorted((DEMO_CATALOG / "scripts").glob("*.jsonl")) for row in read_rows(path)]
    rows = [row for path in sorted((DEMO_CATALOG / "kinds").glob("*.jsonl")) for row in read_rows(path)]
    products = {row["kind"]: row["products"] for row in rows if row["products"]}
    names = list(products)
    kinds = encode(names)
    steps = [(s["objective"], step) for s in scripts for step in s["steps"] if step["needs"]]
    chosen = rng.sample(steps, count // 2)
    queries = mix(encode([step["text"] for _, step in chosen]), encode([objective for objective, _ in chosen]))
    found = []
    for (objective, step), query in zip(chosen, queries, strict=True):
        near = [names[n] for n in np.argsort(-(kinds @ query))[:NEAREST] if names[n] not in step["needs"]]
        for kind in (rng.choice([need for need in step["needs"] if need in products] or near), rng.choice(near)):
            product = rng.choice(products[kind])
            found.append(ProductClaim(objective, step["text"], product["title"], (product["features"] or [""])[0]))
    return found


def adapter_teacher(folder: Path) -> Judge:
    """Return the log-odds that an adapter gives to claims."""
    model = load_adapter(folder, "t2")
    return lambda claims: model.score([c.segments() for c in claims if isinstance(c, ProductClaim)]).whole.astype(np.float64)


def together(teachers: Mapping[str, Judge], validation: Sequence[Item]) -> tuple[Judge, dict[str, float]]:
    """Return the log-odds of a logistic regression over the teachers, fitted to validation items, and the AUC there of each and of all."""
    claims, labels = [item.claim for item in validation], [item.label for item in validation]
    parts = {name: teacher(claims) for name, teacher in teachers.items()}
    combiner = Combiner.fit(list(parts), np.stack(list(parts.values()), axis=1), labels, {})
    aucs = {name: roc_auc_score(labels, logits) for name, logits in {**parts, "together": combiner.logits(parts)}.items()}
    return lambda claims: combiner.logits({name: teachers[name](claims) for name in combiner.names}), aucs


def main(argv: Sequence[str] | None = None) -> int:
    """Label the claims; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m ecomscript.evaluation.teach", description=__doc__)
    parser.add_argument("--teacher", type=Path, required=True, help="folder of a T2 adapter")
    model = "hub name, folder or GGUF file of a causal language model that teaches beside it"
    parser.add_argument("--language-model", default="", help=model)
    parser.add_argument("--out", type=Path, required=True, help="JSONL file to write or to go on with")
    parser.add_argument("--claims", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args(argv)
    try:
        rng = random.Random(args.seed)
        settings = Settings.from_env()
        encode = open_encoder(DEFAULT_ENCODER, settings.threads).encode
        claims = item_claims(args.claims // 2, rng, encode) + library_claims(args.claims // 2, rng, encode)
        rng.shuffle(claims)
        known = read_rows(args.out) if args.out.is_file() else []
        if any(ProductClaim.read(row) != claim for row, claim in zip(known, claims, strict=False)):
            raise InputError(f"{args.out} holds labels of other claims", "Name another file, or delete it.")
        done = len(known)
        teacher = adapter_teacher(args.teacher)
        if args.language_model:
            reader = StateReader(args.language_model, LAYERS, answers_dir(settings) / STATES)
            pair = {"adapter": teacher, "language model": fit_head(reader, "t2", args.seed)}
            teacher, aucs = together(pair, in_split(load_items("t2"), "validation"))
            print("Validation AUC:", ", ".join(f"{name} {auc:.4f}" for name, auc in aucs.items()), flush=True)
        args.out.parent.mkdir(parents=True, exist_ok=True)
        with args.out.open("a", encoding="utf-8") as file:
            for start in tqdm(range(done, len(claims), CHUNK), desc="teacher"):
                part = claims[start : start + CHUNK]
                for claim, logit in zip(part, teacher(part), strict=True):
                    row = {"objective": claim.objective, "step": claim.step, "product": claim.product, "features": claim.features}
                    file.write(json.dumps({**row, "score": round(float(1 / (1 + np.exp(-logit))), 4)}) + "\n")
                file.flush()
    except EcomScriptError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
