"""Invented exhibits for the tests of the Benchmark tab."""

from ui_fakes import HOSTILE

from ecomscript.evaluation.exhibit import Case, Column, Exhibit, HeatMap, Plot, Series, Source, Table

COLUMNS = (
    Column("model", "Model", "text"),
    Column("domain", "Domain", "text", help="Departments of the catalogue that the items are from."),
    Column("items", "Items", "count"),
    Column(
        "auc",
        "AUC",
        interval="auc_ci95",
        help="How often a right item gets a higher score than a wrong one; 0.50 is chance.",
        better="higher",
    ),
    Column("accuracy", "Accuracy", "share", interval="accuracy_ci95", help="Share of right answers.", better="higher"),
    Column("ece", "ECE", interval="", help="How far confidences are from how often they hold; 0 is best.", better="lower"),
    Column("time", "Time", "seconds"),
)


def row(model, domain, auc, accuracy=None, ece=None, time=None, items=649):
    found = {"model": model, "domain": domain, "items": items, "auc": auc, "accuracy": accuracy, "ece": ece, "time": time}
    if auc is not None and model != "majority":
        found["auc_ci95"] = [round(auc - 0.04, 4), round(auc + 0.03, 4)]
    if accuracy is not None:
        found["accuracy_ci95"] = [round(accuracy - 0.035, 4), round(accuracy + 0.035, 4)]
    return found


ROWS = (
    row("majority", "all", 0.5, 0.5008),
    row("majority", "outdoors", 0.5, 0.61, items=88),
    row("random", "all", 0.5272, 0.5316, 0.2223),
    row("random", "outdoors", 0.498, 0.47, 0.2413, items=88),
    row("cosine of objective and product", "all", 0.6512, 0.602, 0.1422, 0.0004),
    row("cosine of objective and product", "outdoors", 0.702, 0.631, 0.16, 0.0004, items=88),
    row("BM25", "all", 0.5911, 0.55, None, 0.00012),
    row("BM25", "outdoors", 0.6, 0.56, None, 0.00012, items=88),
    row("LoRA, paper's settings", "all", 0.7411, 0.67, 0.0881, 0.0121),
    row("LoRA, paper's settings", "outdoors", 0.77, 0.69, 0.091, 0.0121, items=88),
    row("shipped", "all", 0.8841, 0.81, 0.0312, 0.0119),
    row("shipped", "outdoors", 0.871, 0.79, 0.05, 0.0119, items=88),
    row("language model, zero-shot", "all", None, None, None, 12.5),
)
BOARD = Table(
    "board", "Step-product discrimination (T2)", COLUMNS, ROWS, filters=("domain",), baselines=("majority", "random"), scale=(0.4, 1.0)
)
TAUS = tuple(round(0.3 + 0.025 * n, 3) for n in range(13))
SWEEP = Plot(
    "Precision and coverage by threshold",
    "lines",
    "threshold τ",
    "share",
    (
        Series(
            "precision",
            TAUS,
            [0.41 + 0.03 * n for n in range(13)],
            [0.37 + 0.03 * n for n in range(13)],
            [0.44 + 0.03 * n for n in range(13)],
        ),
        Series("coverage", TAUS, [0.99 - 0.0045 * n * n if n != 8 else None for n in range(13)]),
        Series("both, T2 re-ranked", TAUS, [0.5 + 0.01 * n for n in range(13)]),
    ),
    mark=(0.45, "paper: .45"),
)
GAP = Plot(
    "The semantic gap",
    "histogram",
    "cosine to the step",
    "share of products",
    (
        Series("title", [n / 20 for n in range(19)], [max(0.0, 0.12 - abs(n - 6) * 0.018) for n in range(19)]),
        Series("purchase intention", [n / 20 for n in range(19)], [max(0.0, 0.14 - abs(n - 11) * 0.02) for n in range(19)]),
    ),
)
HITS = Plot(
    "Right product among the first ten",
    "bars",
    "way",
    "hit@10",
    (
        Series(
            "all departments",
            ("BM25 over titles", "title embeddings", "intention alignment", "intention alignment and T2 re-ranking", "hybrid"),
            (0.31, 0.42, 0.61, 0.68, None),
            (0.28, 0.38, 0.58, 0.64, None),
            (0.35, 0.45, 0.66, 0.72, None),
        ),
        Series(
            "outdoors",
            ("BM25 over titles", "title embeddings", "intention alignment", "intention alignment and T2 re-ranking", "hybrid"),
            (0.35, 0.4, 0.66, 0.7, 0.72),
        ),
    ),
)
DOMAINS = ("outdoors", "kitchen", "garden", "health and beauty", "pets", "toys", "office")
DROP = HeatMap(
    "Loss of AUC on a department that training left out",
    DOMAINS,
    DOMAINS,
    [[None if a == b else round(0.02 * (b - a) - 0.05, 3) for b in range(7)] for a in range(7)],
)
LEVEL = HeatMap(
    "AUC", ("title only", "with features"), DOMAINS, [[0.71, 0.75, 0.8, None, 0.62, 0.9, 0.85], [0.78, 0.8, 0.84, 0.7, 0.66, 0.91, 0.88]]
)
CASES = tuple(
    Case(
        f"Case {n}: camp in the rain" if n % 3 else f"Case {n}: bake sourdough",
        {
            "Objective": "Camp with two children for a weekend in the rain",
            "Step": "Set up a dry place to sleep",
            "Product": "Cairnfold Ridgeline 4-Person Tent, 3-Season",
            "Score": f"0.{n:02d}",
        },
        {"Task": ("T1", "T2", "T3")[n % 3], "Signature": "semantic drift" if n % 2 else "product conflict"},
    )
    for n in range(75)
)
SOURCE = Source(
    "verifiers",
    "python -m ecomscript.evaluation --task verifiers --seed 0",
    "690bb7fd533ab60bed247d5b9b7b0dd211add97d-dirty",
    "3a98ba017d37121bc4f439788268cafa065d59320215b6a4fe56f8375a00c91a",
    (0, 1, 2),
    "2026-11-29T14:31:03+00:00",
    "Linux x86_64, 2 cores, Python 3.11.7",
)
BROKEN = Source(
    "threshold",
    "python -m ecomscript.evaluation --task threshold",
    problem="threshold.json is not JSON (line 3). Make it again with the command below.",
)
EXHIBITS = (
    Exhibit(
        "leaderboard",
        "Leaderboard",
        "Which verifier tells right from wrong?",
        "On the products of steps the shipped model reaches an AUC of 0.884 [0.844, 0.914]; the best baseline, a cosine, reaches 0.651.",
        (BOARD,),
        notes=("Gold items were written for this project and checked by hand.", "Published numbers are of other data."),
        sources=(SOURCE,),
    ),
    Exhibit(
        "ablation",
        "Intention ablation",
        "Do purchase intentions find products that titles do not?",
        "Intention alignment puts a right product among the first ten for 61% of the steps, titles alone for 31%.",
        (Table("short", "Three ways", COLUMNS[:4], ROWS[:3]),),
        (HITS, GAP),
        sources=(SOURCE,),
    ),
    Exhibit("threshold", "Threshold sweep", "Is a threshold of .45 right for this catalogue?", "", (), (SWEEP,), sources=(BROKEN, SOURCE)),
    Exhibit(
        "transfer",
        "Cross-domain transfer",
        "What is lost in a department that training never saw?",
        "It loses 0.05 on average.",
        heat_maps=(DROP, LEVEL),
        sources=(SOURCE,),
    ),
    Exhibit(
        "errors",
        "Error analysis",
        "Where is it wrong, and how?",
        "Of 75 wrong answers, 37 are semantic drift.",
        cases=CASES,
        sources=(SOURCE,),
    ),
    Exhibit(
        "signals",
        "Product signals",
        "Do features and attributes help?",
        "",
        (Table("signals", "Signals", COLUMNS, ()),),
        sources=(
            Source(
                "signals",
                "python -m ecomscript.evaluation --task signals",
                problem="signals.json is missing: the experiment has not been run here.",
            ),
        ),
    ),
)


def hostile(text):
    """An exhibit with ``text`` in every field that holds one."""
    columns = (Column(text, text, "text", help=text), Column("n", text, "number", "ci", text, "higher"))
    rows = (
        {text: text, "n": 0.5, "ci": [0.4, 0.6]},
        {text: f"{text} 2", "n": text, "ci": text},
        {text: None, "n": float("nan")},
        *({text: f"{text} {n}"} for n in range(3, 6)),
    )
    plots = tuple(
        Plot(
            text, form, text, text, (Series(text, x, (0.1, 0.2), (0.05, None), (0.2, 0.3)), Series(text, x, (None, 0.1))), mark=(0.2, text)
        )
        for form, x in (("lines", (0.1, 0.4)), ("histogram", (0.1, 0.4)), ("bars", (text, "b")))
    )
    source = Source(text, text, text, text, (text,), text, text, text)
    return Exhibit(
        text,
        text,
        text,
        text,
        (Table(text, text, columns, rows, (text,), (text,)),),
        plots,
        (HeatMap(text, (text, text), (text,), ((0.3,), (-0.2,))),),
        (Case(text, {text: text}, {text: text}),),
        (text,),
        (source,),
    )


HOSTILE_EXHIBITS = tuple(hostile(text) for text in HOSTILE)
