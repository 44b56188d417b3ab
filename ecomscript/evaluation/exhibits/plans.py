"""Whole plans: how fast they come, and how good they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ecomscript.evaluation.exhibit import Plot, Table
from ecomscript.evaluation.exhibits.columns import COLUMNS, HELP, columns
from ecomscript.evaluation.exhibits.experiment import Content, Experiment, Reader
from ecomscript.evaluation.exhibits.sentences import moved, sentences, share
from ecomscript.evaluation.exhibits.values import ALL, estimates, number, series, table
from ecomscript.evaluation.results import Row

TIMES = {"seconds_to_first_step": "first step", "seconds_to_end": "whole plan"}
TROUBLES = {"errors": "errors", "foreign_answers": "answers of other visitors"}
SETTLED = ("memory_mb_first_third", "memory_mb_last_third")
MEMORY = ("sessions", "kept_sessions", "full_s", "memory_mb_at_start", "memory_mb_at_end", *SETTLED)
VERIFIERS = "t1 + t2 + t3"
WITHOUT_T2, WITH_T2 = "without T2", "shipped"


def _speed(reader: Reader) -> Content:
    totals = _planned(reader)["all"]
    times = [{"what": name, **row[field]} for row in totals for field, name in TIMES.items() if isinstance(row.get(field), dict)]
    checks = reader.rows("verify-speed", "what")
    waits = reader.rows("page-speed", "screen", "what")
    loaded = reader.rows("load", "what")
    runs, crowd = [row for row in loaded if row["what"] == "all"], [row for row in loaded if row["what"] != "all"]
    tables = (
        table("plans", "From goal to plan", columns("what", "p50", "p95"), times),
        table(
            "page", "What a person waits for in the browser", columns("what", "screen", "times", "p50", "p95"), waits, filters=("screen",)
        ),
        table("load", "Many visitors at once", columns("what", "times", "waited", "p50", "p95"), crowd),
        table("crowd", "The whole of that run", columns("visitors", "run_s", "actions", *TROUBLES, "left_midway", *MEMORY), runs),
        table(
            "memory",
            "Memory of the whole program",
            columns("what", "goals", "peak_memory_mb"),
            [{"what": "planning", **row} for row in totals],
        ),
        table("verifiers", "Checking one plan of 8 steps with 20 products", columns("what", "seconds", "ratio"), checks),
        table(
            "index",
            "The index beside exact search",
            columns(
                *("search", "intentions", "recall_at_10", "recall_at_100", "latency_p50_relative", "latency_p99_relative"),
                *("build_s", "bytes_per_intention"),
            ),
            reader.rows("index", "search"),
        ),
    )
    bars = Plot("Seconds from goal to plan", "bars", "", "Seconds", tuple(series(key, times, "what", key) for key in ("p50", "p95")))
    return Content(_speed_finding(times, totals, checks, runs), tables, (bars,), notes=(HELP["p50, p95"],))


def _speed_finding(times: Sequence[Row], totals: Sequence[Row], checks: Sequence[Row], runs: Sequence[Row]) -> str:
    told = []
    for row in times:
        middle, slow = number(row, "p50"), number(row, "p95")
        if middle is not None and slow is not None:
            told.append(f"the {row['what']} is there after {middle:.2f} s in half of the runs and {slow:.2f} s in 95 of 100")
    memory = next((value for row in totals if (value := number(row, "peak_memory_mb")) is not None), None)
    check = next((value for row in checks if row["what"] == VERIFIERS and (value := number(row, "seconds")) is not None), None)
    more = [f"memory peaks at {memory:,.0f} MB"] if memory is not None else []
    more += [f"checking a plan with T1, T2 and T3 takes {check:.2f} s"] if check is not None else []
    return sentences(", ".join(told), ", ".join(more), "; ".join(map(_crowd, runs)))


def _crowd(run: Row) -> str:
    """Return what many visitors met; "" where it is not known."""
    visitors, troubles = number(run, "visitors"), [number(run, field) for field in TROUBLES]
    if visitors is None or None in troubles:
        return ""
    met = " and ".join(f"{count:,.0f} {words}" for count, words in zip(troubles, TROUBLES.values(), strict=True))
    return "; ".join(filter(None, (f"{visitors:,.0f} visitors at once met {met}", _settled(run))))


def _settled(run: Row) -> str:
    """Return what memory did once the server held all sessions that it keeps; "" where it is not known."""
    kept, first, last = (number(run, field) for field in ("kept_sessions", *SETTLED))
    if kept is None or first is None or last is None:
        return ""
    return f"with all {kept:,.0f} sessions that are kept, memory is {first:,.0f} MB in the first third and {last:,.0f} MB in the last"


def _plans(reader: Reader) -> Content:
    planned = _planned(reader)
    left_out = reader.rows("leave-out", "confidence")
    read = reader.rows("reading", "confidence")
    chosen = reader.rows("product-precision", "choice", "split")
    curve = sorted(reader.rows("learning-curve"), key=lambda row: number(row, "scripts") or 0.0)
    line = series("own needs met", curve, "scripts", "own_needs_met", "own_needs_met_ci95", place=number)
    plot = Plot("A larger library", "lines", "Ready plans in the library", "Own needs met", (line,))
    finding = sentences(
        "; ".join(filter(None, (_coverage(planned["group"]), _broken(planned["all"])))),
        "; ".join(filter(None, (_off(read), _choice(chosen)))),
        _growth(curve),
    )
    notes = (HELP["Needs met"], COLUMNS["own_needs_met"].help)
    return Content(finding, _tables(planned, left_out, read, chosen, curve), (plot,), notes=notes)


def _tables(
    planned: Mapping[str, Sequence[Row]], left_out: Sequence[Row], read: Sequence[Row], chosen: Sequence[Row], curve: Sequence[Row]
) -> tuple[Table, ...]:
    goals = [{**row, "answered": row.get("answered_rightly")} for row in planned["goal"]]
    groups = ("needs_coverage", "needs_coverage_of_whole_catalogue", "answered_rightly", "avoid_hits", "constraint_violations")
    library = replace(COLUMNS["share"], label="Part of the library")
    own = ("own_needs_met", "products_per_plan")
    return (
        table("groups", "Development goals by group", columns("group", "goals", *groups, "products_per_plan"), planned["group"]),
        table("left-out", "Goals whose ready plan was taken out of the library", columns("confidence", "plans", *own), left_out),
        table("learning-curve", "The library made smaller", (library, *columns("scripts", "plans", *own, "ready_share")), curve),
        table("reading", "Plans that were read and marked by hand", columns("confidence", "plans", "products", "off", "share_off"), read),
        table(
            "choice",
            "Choosing among judged products, with and without T2",
            columns("choice", "split", "needs", "shown", "share_wrong", "left_out", "left_out_rightly"),
            chosen,
            filters=("split",),
            baselines=(WITHOUT_T2,),
        ),
        table(
            "goals",
            "Every development goal",
            columns("id", "group", "status", "confidence", "objective", "coverage", "products", "unmet", "violations", "answered"),
            goals,
            filters=("group", "status", "confidence"),
        ),
    )


def _planned(reader: Reader) -> dict[str, list[Row]]:
    return reader.kinds("plan", all=(), group=("group",), goal=("id", "group"))


def _coverage(groups: Sequence[Row]) -> str:
    found = estimates(groups, "needs_coverage", "group")
    if not found:
        return ""
    first = f"plans meet {share(found[0].value)} of the needs of “{found[0].name}” goals"
    return f"{first} and {share(found[-1].value)} of “{found[-1].name}” ones" if len(found) > 1 else first


def _broken(totals: Sequence[Row]) -> str:
    for row in totals:
        broken, goals = number(row, "constraint_violations"), number(row, "goals")
        if broken is not None and goals is not None:
            return (
                f"{broken:,.0f} constraint{'' if broken == 1 else 's'} broken over {goals:,.0f} goals"
                if broken
                else "no constraint is broken"
            )
    return ""


def _off(read: Sequence[Row]) -> str:
    value = next((value for row in read if row["confidence"] == ALL and (value := number(row, "share_off")) is not None), None)
    return f"a careful reader finds {share(value)} of the products off" if value is not None else ""


def _choice(chosen: Sequence[Row]) -> str:
    wrong = {row["choice"]: number(row, "share_wrong") for row in chosen if row["split"] == "test"}
    before, after = wrong.get(WITHOUT_T2), wrong.get(WITH_T2)
    if before is None or after is None:
        return ""
    return f"where T2 helps to choose, the share of wrong products is {moved(before, after)}"


def _growth(curve: Sequence[Row]) -> str:
    known = [(scripts, met) for row in curve if (scripts := number(row, "scripts")) and (met := number(row, "own_needs_met")) is not None]
    if len(known) < 2:
        return ""
    (few, before), (many, after) = known[0], known[-1]
    return f"with {many:,.0f} ready plans in place of {few:,.0f}, own needs met are {moved(before, after)}"


SPEED = Experiment(
    "speed", "Speed", "How long do plans, checks and searches take?", ("plan", "page-speed", "load", "verify-speed", "index"), _speed
)
PLANS = Experiment(
    "plans",
    "Plans",
    "How good are whole plans, and would a larger library make them better?",
    ("plan", "leave-out", "learning-curve", "reading", "product-precision"),
    _plans,
)
