"""Knowledge injection: what learning purchase intentions before the task is worth."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from ecomscript.evaluation.exhibit import Plot, Series
from ecomscript.evaluation.exhibits.columns import columns
from ecomscript.evaluation.exhibits.experiment import Content, Experiment, Reader
from ecomscript.evaluation.exhibits.sentences import against, sentences, written
from ecomscript.evaluation.exhibits.values import estimate, in_order, number, table, text
from ecomscript.evaluation.exhibits.verifiers import GOLD
from ecomscript.evaluation.results import Row

NONE = "none"


def _injection(reader: Reader) -> Content:
    kinds = reader.kinds("injection", curve=("injection",), measured=("injection",), summary=("injection", "split"))
    curves, summary = kinds["curve"], kinds["summary"]
    ends = [
        abs(end)
        for row in summary
        if (one := estimate(row, "difference_to_none", "", "difference_ci95"))
        for end in (one.low, one.high)
        if end
    ]
    reach = max([0.05, *ends])
    tables = (
        table(
            "summary",
            "Over seeds: AUC, and the difference to no injection",
            columns("injection", "split", "seeds", "auc_mean", "auc_sd", "difference_to_none"),
            summary,
            filters=("split",),
            baselines=(NONE,),
            scale=(-reach, reach),
        ),
        table("measured", "Every run", columns("injection", "seed", "split", "auc"), kinds["measured"], filters=("injection",)),
    )
    lines = tuple(_curve(name, [row for row in curves if row["injection"] == name]) for name in in_order(curves, "injection"))
    plot = Plot("Learning curves: mean over seeds, lowest and highest", "lines", "Epoch", "Validation AUC", lines)
    notes = ("A point of the curves is drawn where every seed has one; seeds that stop early end their curve.",)
    return Content(_finding(summary), tables, (plot,), notes=notes)


def _curve(name: str, rows: Sequence[Row]) -> Series:
    """Return the mean over seeds for each epoch; None where a seed has no number."""
    by_epoch: defaultdict[float, dict[str, float | None]] = defaultdict(dict)
    seeds = in_order(rows, "seed")
    for row in rows:
        epoch, seed = number(row, "epoch"), text(row, "seed")
        if epoch is not None and seed:
            by_epoch[epoch][seed] = number(row, "validation_auc")
    epochs = sorted(by_epoch)
    runs = [[by_epoch[epoch].get(seed) for seed in seeds] for epoch in epochs]
    known = [[value for value in values if value is not None] for values in runs]
    whole = [values if len(values) == len(seeds) else [] for values in known]
    return Series(
        name,
        tuple(epochs),
        tuple(sum(values) / len(values) if values else None for values in whole),
        tuple(min(values, default=None) for values in whole),
        tuple(max(values, default=None) for values in whole),
    )


def _finding(summary: Sequence[Row]) -> str:
    splits = in_order(summary, "split")
    split = GOLD if GOLD in splits else splits[0] if splits else ""
    chosen = [row for row in summary if row["split"] == split and row["injection"] != NONE]
    found = [one for row in chosen if (one := estimate(row, "difference_to_none", f"“{row['injection']}”", "difference_ci95"))]
    if not found:
        return ""
    told = "; ".join(f"{one.name} changes the AUC by {one.value:+.3f}" + written(one).removeprefix(f"{one.value:.3f}") for one in found)
    return sentences(f"on {split}, {told}", against(found, 0.0, "helps", "no clear difference, the interval includes zero", "hurts"))


INJECTION = Experiment(
    "injection", "Knowledge injection", "Does knowledge of purchase intentions make T2 better?", ("injection",), _injection
)
