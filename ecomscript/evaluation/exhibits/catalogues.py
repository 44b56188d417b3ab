"""Other people's catalogues: how fast they are read, what borrowed purchase intentions are worth, how an index grows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ecomscript.evaluation.exhibit import Plot
from ecomscript.evaluation.exhibits.columns import COLUMNS, columns
from ecomscript.evaluation.exhibits.experiment import Content, Experiment, Reader
from ecomscript.evaluation.exhibits.sentences import listed, sentences, share
from ecomscript.evaluation.exhibits.values import in_order, number, series, table, text
from ecomscript.evaluation.results import Row

SQLITE, PARQUET = "SQLite", "Parquet"
READS = "rows (what the builder reads)"
HIDDEN, KNOWN = "own kind", "nothing"
BUILDER, WHOLE = "builder", "all together"
NOTES = (
    "Reading is measured against a plain loop of Python's json module over the same file, in the same run and by CPU seconds.",
    "Intentions are borrowed for products of the demo catalogue as if they were foreign: once with their own kind among the lenders, and "
    "once without it, which is how a product of a new kind fares. The same people wrote all of them: a foreign catalogue may fare worse.",
    "Rows of growing catalogues are made up: titles, features and departments of the demo catalogue with numbers and words of their own, "
    "one in twenty a near-duplicate. Embedding is left out, because a text costs the same however many there are; so is the graph.",
    "Above the size of the demo catalogue vectors are made up: real ones with half of another and noise added.",
)


def _catalogues(reader: Reader) -> Content:
    read = reader.rows("catalogue-reading", "file", "way")
    stored = reader.rows("product-store", "way")
    lent = reader.rows("intention-transfer", "told")
    embedded = reader.rows("embedding", "way")
    cost = reader.kinds("catalogue-growth", stage=("stage",), growth=("stage", "cost"))
    grown = reader.kinds("scale", search=("search",), growth=("search", "cost"), estimate=("search",))
    searches = grown["search"]
    by_kind = [{**row, "search": row["search"].partition(" (")[0]} for row in searches]
    tables = (
        table(
            "reading",
            "Reading a catalogue",
            (*columns("file"), replace(COLUMNS["way"], help=""), *columns("rows", "mb", "speed", "grown_mb")),
            read,
            filters=("file",),
        ),
        table(
            "store",
            "One product of a large catalogue",
            (replace(COLUMNS["way"], help=""), *columns("rows", "mb", "open_s", "row_ms", "id_ms", "grown_mb")),
            stored,
        ),
        table(
            "transfer",
            "Purchase intentions that products borrow",
            (
                *columns(
                    "told", "hidden", "products", "with_intentions_share", "intentions_each", "kind_sure_share", "kind_right_where_sure"
                ),
                *(replace(COLUMNS["precision"], key=key, label=label, help=meaning) for key, label, meaning in PRECISIONS),
            ),
            lent,
            filters=("told", "hidden"),
        ),
        table(
            "embedding",
            "From texts to vectors",
            (
                replace(COLUMNS["way"], help=""),
                *columns(
                    *("texts", "texts_a_cpu_s", "over_encoder", "least_over_encoder", "most_over_encoder"),
                    *("largest_cosine_error", "turned_share"),
                ),
            ),
            embedded,
        ),
        table(
            "cost",
            "A catalogue that grows, without vectors and graph",
            columns("stage", "rows", "cpu_s", "peak_mb", "products", "intentions"),
            cost["stage"],
            filters=("stage",),
        ),
        table("cost-growth", "How that cost grows", columns("stage", "cost", "exponent", "over_n_log_n"), cost["growth"]),
        table(
            "scale",
            "Searching in an index that grows",
            (*columns("search", "intentions", "recall_at_10"), *TIMES, *columns("build_cpu_s", "bytes_per_intention")),
            searches,
        ),
        table("growth", "How the cost of a graph grows", columns("search", "cost", "exponent", "over_n_log_n"), grown["growth"]),
        table(
            "estimate",
            "What the paper's catalogue would take, carried on from these measurements",
            columns("search", "intentions", "measured_up_to", "shards", "memory_gb", "disk_gb", "build_core_hours", "embedding_core_hours"),
            grown["estimate"],
        ),
    )
    lines = [
        series(name, [row for row in by_kind if row["search"] == name], "intentions", "latency_p99_relative", place=number)
        for name in in_order(by_kind, "search")
        if name != "exact"
    ]
    plot = Plot("The slowest hundredth of searches", "lines", "Intentions", "Time to the middle search at 50,000", tuple(lines))
    finding = sentences(
        _reading(read), _storing(stored), _embedding(embedded), _costing(cost["stage"], cost["growth"]), _lending(lent), _growing(searches)
    )
    return Content(finding, tables, (plot,), notes=NOTES)


TIMES = tuple(
    replace(COLUMNS[f"latency_{p}_relative"], label=f"{p} to 50,000", help=f"Time of {what} over that of the fp32 graph of 50,000.")
    for p, what in (("p50", "the middle search"), ("p99", "the slowest hundredth"))
)
PRECISIONS = (
    ("precision", "Right", "Share of borrowed intentions that mean what one of the product's own means, in the same department."),
    ("precision_meaning", "Right by meaning", "The same, whatever the department."),
    ("precision_department", "Right department", "Share of borrowed intentions from kinds of the product's own department."),
)


def _reading(rows: Sequence[Row]) -> str:
    speeds = [value for row in rows if row["way"] == READS and (value := number(row, "speed")) is not None]
    return f"rows are read {min(speeds):.1f} times as fast as by a plain loop" if speeds else ""


def _storing(rows: Sequence[Row]) -> str:
    times = [(row["way"], ms) for row in rows if (ms := number(row, "id_ms")) is not None]
    kept, others = ([ms for way, ms in times if way.startswith(name)] for name in (SQLITE, PARQUET))
    if not kept or not others:
        return ""
    return f"a product is read by its id in {min(kept):.2f} ms from {SQLITE} and in {min(others):.2f} ms from {PARQUET}"


def _embedding(rows: Sequence[Row]) -> str:
    over = next((value for row in rows if row["way"] == BUILDER and (value := number(row, "over_encoder")) is not None), None)
    return "" if over is None else f"the builder takes {over:.2f} times as long for a text as the encoder alone"


def _costing(stages: Sequence[Row], growth: Sequence[Row]) -> str:
    sizes = [size for row in stages if (size := number(row, "rows")) is not None]
    exponents = {row["cost"]: number(row, "exponent") for row in growth if row["stage"] == WHOLE}
    time, memory = exponents.get("cpu_s"), exponents.get("peak_mb")
    if not sizes or time is None or memory is None:
        return ""
    faster = [f"“{row['stage']}” ({row['cost']})" for row in growth if (number(row, "over_n_log_n") or 0.0) > 1]
    told = f"faster than n log n grows {listed(faster)}" if faster else "nothing grows faster than n log n"
    return f"from {min(sizes):,.0f} to {max(sizes):,.0f} rows, time grows as n^{time:.2f} and memory as n^{memory:.2f}; {told}"


def _lending(rows: Sequence[Row]) -> str:
    found = {(text(row, "told"), text(row, "hidden")): number(row, "precision") for row in rows}
    told = "title and department"
    known, new = found.get((told, KNOWN)), found.get((told, HIDDEN))
    if known is None or new is None:
        return ""
    return f"of borrowed intentions {share(known)} are right where the product's kind is known, and {share(new)} where it is new"


def _growing(rows: Sequence[Row]) -> str:
    graphs = [row for row in rows if not row["search"].startswith("exact")]
    largest = max(graphs, key=lambda row: number(row, "intentions") or 0.0, default=None)
    if largest is None or (recall := number(largest, "recall_at_10")) is None or (size := number(largest, "intentions")) is None:
        return ""
    return f"among {size:,.0f} intentions a search finds {share(recall)} of the ten nearest"


CATALOGUES = Experiment(
    "catalogues",
    "Catalogues",
    "What happens with other people's catalogues, and with large ones?",
    ("catalogue-reading", "product-store", "embedding", "catalogue-growth", "intention-transfer", "scale"),
    _catalogues,
)
