"""Stand-ins for what is slow or large: an encoder of hashed words and a catalogue of six kinds and three scripts."""

import hashlib
import json

import numpy as np

from ecomscript.learnt import LearntWeights

HASH_DIM = 32


def flat_weights(dim):
    """Weights that learnt nothing: identity maps, votes and cosines count, every step buys."""
    kind_coef = np.array([3, 3, 1, 1, 1, 0, 2, 0, -3], np.float32)
    rank_coef = np.array([3, 3, 1, 2, -3], np.float32)
    return LearntWeights(
        np.eye(dim, dtype=np.float32), np.eye(dim, dtype=np.float32), kind_coef, rank_coef, np.append(np.zeros(dim), 5).astype(np.float32)
    )


def _word_vector(word):
    seed = int.from_bytes(hashlib.sha256(word.encode()).digest()[:8], "big")
    return np.random.default_rng(seed).standard_normal(HASH_DIM)


class HashEncoder:
    """A fixed random vector for every word and their sum for a text, so that texts with common words lie near each other."""

    name = "hash-32"
    dim = HASH_DIM

    def __init__(self):
        self.encoded = []

    def encode(self, texts):
        self.encoded += texts
        sums = [sum(_word_vector(word) for word in text.lower().split() or [""]) for text in texts]
        rows = np.array(sums, np.float32).reshape(len(texts), HASH_DIM)
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def kind(name, emoji, intentions, products, category="Outdoors > Camping > Gear"):
    return {"kind": name, "category": category, "emoji": emoji, "intentions": intentions, "products": products}


def product(title, brand, price=20.0, intentions=(), **attributes):
    return {
        "title": title,
        "brand": brand,
        "price": price,
        "rating": 4.4,
        "ratings": 120,
        "features": ["Washable", "Folds flat"],
        "attributes": attributes,
        "intentions": list(intentions),
    }


def script(objective, aliases, steps):
    return {
        "objective": objective,
        "aliases": aliases,
        "tags": ["test"],
        "steps": [{"text": text, "needs": needs} for text, needs in steps],
        "flawed": [{"error": "wrong_order", "steps": [text for text, _ in reversed(steps)], "why": "backwards"}],
    }


KINDS = [
    kind(
        "family tent",
        "⛺",
        ["sleep dry on a camping weekend", "shelter a family of four outdoors"],
        [
            product("Cairnfold Meadow 4-Person Tent", "Cairnfold", 149.0, capacity_people=4, season=["spring", "summer"]),
            product("Tarnhollow Ridge 2-Person Tent", "Tarnhollow", 89.0, ["camp as a couple on a small budget"], capacity_people=2),
        ],
    ),
    kind(
        "camp stove",
        "🔥",
        ["cook a warm meal at a campsite", "boil water outdoors for coffee"],
        [product("Brandle Two-Burner Gas Stove", "Brandle", 79.0, power_w=3000), product("Kettlewick Pocket Stove", "Kettlewick", 24.5)],
    ),
    kind(
        "camping lantern",
        "🏮",
        ["light a tent after dark", "read to children at a campsite"],
        [product("Wickerlight Warm Lantern, 400 lm", "Wickerlight", 24.0, ["keep a light in the car for emergencies"], waterproof=True)],
    ),
    kind(
        "birthday candle set",
        "🕯️",
        ["light the cake at a birthday party", "mark a child's age on a cake"],
        [product("Lumen & Fig Candles, 24 Pieces", "Lumen & Fig", 6.5), product("Pallamere Number Candles", "Pallamere", 8.25)],
        "Party > Cake > Candles",
    ),
    kind(
        "cake tin",
        "🎂",
        ["bake a round birthday cake at home", "cook a layered sponge for guests"],
        [product("Pallamere 20 cm Springform Tin", "Pallamere", 14.0)],
        "Kitchen > Baking > Tins",
    ),
    kind(
        "peanut butter",
        "🥜",
        ["spread a quick snack on bread", "pack a filling lunch for a hike"],
        [product("Halewick Smooth Peanut Butter, 350 g", "Halewick", 5.2, diet=["vegan"], allergens=["peanut"])],
        "Food > Pantry > Spreads",
    ),
]
SCRIPTS = [
    script(
        "Take the family on a first camping weekend",
        ["camping with two kids for the first time", "what do we need for a tent trip"],
        [
            ("Choose dates and reserve a campsite", []),
            ("Set up a dry place to sleep", ["family tent", "camping lantern"]),
            ("Cook a warm meal at the campsite", ["camp stove"]),
        ],
    ),
    script(
        "Host a birthday party for a child",
        ["birthday at home for a six year old", "kids bday party stuff"],
        [("Invite the guests", []), ("Bake a birthday cake", ["cake tin"]), ("Light the candles on the cake", ["birthday candle set"])],
    ),
    script(
        "Prepare for a power cut at home",
        ["what if the lights go out", "blackout kit"],
        [
            ("Keep a light within reach", ["camping lantern"]),
            ("Have a way to boil water", ["camp stove"]),
            ("Store snacks that keep", ["peanut butter"]),
        ],
    ),
]


def write_lines(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def write_catalogue(folder, kinds=KINDS, scripts=SCRIPTS):
    """Write a catalogue in the demo's format, its kinds in two files, and return its folder."""
    write_lines(folder / "kinds" / "outdoors.jsonl", kinds[:3])
    write_lines(folder / "kinds" / "home.jsonl", kinds[3:])
    write_lines(folder / "scripts" / "all.jsonl", scripts)
    return folder
