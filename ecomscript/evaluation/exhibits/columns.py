"""Columns of the tables and what their metrics mean, in plain words."""

from __future__ import annotations

from collections.abc import Mapping

from ecomscript.evaluation.exhibit import Column

HELP: Mapping[str, str] = {
    "AUC": "Area under the ROC curve: how often a right item scores above a wrong one. 0.5 is guessing, 1 is perfect.",
    "Accuracy": "Share of items answered rightly, yes from a score of one half on. The least to beat: always the commonest answer.",
    "Macro-F1": "Balance of precision and recall, taken for yes and no alike and averaged, so that the rarer answer counts as much.",
    "Accuracy in pairs": "Pairs differ in one flaw only. How often the right one scores above the flawed one; 50 % is guessing.",
    "ECE": "Expected calibration error: how far scores are on average from the share that is right at that score. 0 is honest.",
    "nDCG@10": "How much of what a step needs stands among the first ten, and how high up. 1 is the best possible order.",
    "MRR": "Mean of one over the place of the first product that the step needs: 1 if it is always first, 0.5 if always second.",
    "hit@1": "Share of steps whose first product is one that the step needs.",
    "hit@3": "Share of steps with a product that the step needs among the first three.",
    "hit@10": "Share of steps with a product that the step needs among the first ten.",
    "Recall@10": "Share of what a step needs that is found among the first ten.",
    "95 % interval": "Where the number falls in 95 of 100 repeated draws of the items. If two intervals overlap, the order may be chance.",
    "Precision": "Share of what is shown that the step needs.",
    "Recall": "Share of what the step needs that gets through.",
    "F1": "Harmonic mean of precision and recall: high only when both are.",
    "Spearman": "Agreement of two rankings: 1 the same order, 0 none, −1 the opposite.",
    "Kappa": "Agreement of readers beyond chance: 0 is chance, 1 is full agreement.",
    "Drop": "AUC with this group of departments in the training data, less the AUC without it.",
    "Cosine": "Likeness of two texts by their vectors: 1 the same direction, 0 nothing in common.",
    "p50, p95": "Half of the runs took at most p50, 95 in 100 at most p95.",
    "Needs met": "Share of what a goal needs for which the plan shows a product.",
}
"""Metric → its meaning."""


def _metric(key: str, metric: str, kind: str = "number", label: str = "", better: str = "higher", interval: str = "") -> Column:
    return Column(key, label or metric, kind, interval, HELP[metric], better)  # type: ignore[arg-type]


def _text(key: str, label: str, meaning: str = "") -> Column:
    return Column(key, label, "text", help=meaning)


def _count(key: str, label: str, meaning: str = "", better: str = "") -> Column:
    return Column(key, label, "count", help=meaning, better=better)  # type: ignore[arg-type]


_ALL = (
    *(_text(key, key.capitalize()) for key in ("model", "split", "department", "domain", "error", "signature", "group", "gate", "ranker")),
    *(
        _text(key, key.capitalize())
        for key in ("setting", "signal", "pair", "rating", "sheet", "status", "objective", "search", "confidence")
    ),
    _text("task", "Task", "T1: the steps lead to the goal. T2: the product helps with the step. T3: all products go together."),
    _text("base", "Base", "The model that was fine-tuned."),
    _text("seed", "Seed"),
    _text("injection", "Injection", "How knowledge of purchase intentions was put into the model before it learnt the task."),
    _text("reading", "According to"),
    _text("plan_id", "Plan"),
    _text("goal", "Goal"),
    _text("id", "Goal"),
    _text("score", "Score", "Whose order is compared with the readers' order."),
    _text("what", "What"),
    _text("screen", "Screen"),
    _text("choice", "Way of choosing"),
    _text("way", "Way", "Who plans: the library; a language model with checks and matching; T1's choice of its drafts; one call of it."),
    _text("answered", "Answered rightly", "Whether the goal got the kind of answer it should: a plan, a question back, or a refusal."),
    _text("unmet", "Not met"),
    _text("violations", "Constraints broken"),
    _count("items", "Items"),
    _count("steps", "Steps"),
    _count("plans", "Plans"),
    _count("goals", "Goals"),
    _count("seeds", "Seeds"),
    _count("scripts", "Scripts", "Ready plans in the library."),
    _count("products", "Products"),
    _count("readers", "Readers"),
    _count("count", "Cases"),
    _count("wrong", "Wrong"),
    _count("off", "Off"),
    _count("needs", "Needs"),
    _count("shown", "Shown"),
    _count("left_out", "Left out"),
    _count("left_out_rightly", "Rightly left out", "Left out where no variant would have done."),
    _count(
        "answered_rightly",
        "Answered rightly",
        "Goals that got the kind of answer they should: a plan, a question back, or a refusal.",
        "higher",
    ),
    _count("avoid_hits", "Unwanted products", "Products that the goal's test sheet names as out of place.", "lower"),
    _count("constraint_violations", "Constraints broken", better="lower"),
    _count("failed", "Not used", "Goals for which what the language model wrote could not be used.", "lower"),
    _count("meets_fewer_needs", "Worse than the library", "Goals for which fewer needs are met than by the library's plan.", "lower"),
    _count("tokens", "Tokens", "Of questions and answers, for a goal on average.", "lower"),
    _count("peak_memory_mb", "Peak memory, MB", better="lower"),
    _text("file", "File"),
    _text("told", "Told of the product"),
    _text("hidden", "Hidden among the lenders"),
    _text("cost", "Cost"),
    _count("rows", "Rows"),
    _count("mb", "MB"),
    Column("speed", "Speed", help="CPU seconds of the plain loop over those of this way.", better="higher"),
    Column("grown_mb", "Memory grown, MB", better="lower"),
    Column("open_s", "Opening, CPU seconds", better="lower"),
    Column("row_ms", "By row, ms", help="CPU time to read one product of a known row.", better="lower"),
    Column("id_ms", "By id, ms", help="CPU time to read one product of a known id.", better="lower"),
    Column("with_intentions_share", "With intentions", "share", help="Share of products that borrow any.", better="higher"),
    Column("intentions_each", "Intentions each"),
    Column("kind_sure_share", "Kind sure", "share", help="Share of products whose kind is taken to be known."),
    Column("kind_right_where_sure", "Kind right there", "share", better="higher"),
    Column("build_cpu_s", "Build, CPU seconds", better="lower"),
    Column("exponent", "Exponent", help="Of a fitted power of the size; 1 is growth in step with it.", better="lower"),
    Column("over_n_log_n", "Over n log n", help="Growth from end to end, over that of n log n; above 1 is faster.", better="lower"),
    _text("stage", "Stage", "What is done with the rows of a catalogue."),
    Column("cpu_s", "CPU seconds", better="lower"),
    Column("peak_mb", "Memory, MB", help="Most that the process had, above what it had before the first stage.", better="lower"),
    _count("texts", "Texts"),
    Column("texts_a_cpu_s", "Texts a CPU second", better="higher"),
    Column("over_encoder", "Over the encoder", help="CPU time over that of the encoder alone, middle round.", better="lower"),
    Column("least_over_encoder", "Least", help="The same in the round where it was least."),
    Column("most_over_encoder", "Most", help="The same in the round where it was most."),
    Column("largest_cosine_error", "Cosines moved by", help="Most that the cosine of two texts moves by smaller numbers.", better="lower"),
    Column("turned_share", "Turned over", "share", help="Pairs that change sides at τ, for each pair above it.", better="lower"),
    _count("measured_up_to", "Measured up to"),
    _count("shards", "Shards"),
    Column("memory_gb", "Memory, GB"),
    Column("disk_gb", "Disk, GB"),
    Column("build_core_hours", "Building, core hours"),
    Column("embedding_core_hours", "Embedding, core hours"),
    _count("times", "Times"),
    _count("waited", "Waited", "How often others were in front, which the page says."),
    _count("visitors", "Visitors"),
    _count("run_s", "Seconds of the run"),
    _count("actions", "Clicks"),
    _count("errors", "Errors", better="lower"),
    _count("foreign_answers", "Answers of others", "Answers that show what belongs to another visitor.", "lower"),
    _count("left_midway", "Left midway", "Plans that a visitor left while they were made."),
    _count("memory_mb_at_start", "Memory at the start, MB"),
    _count("memory_mb_at_end", "Memory at the end, MB"),
    _count("sessions", "Visits"),
    _count("kept_sessions", "Sessions kept", "Sessions that the server holds in memory, the last ones seen."),
    _count("full_s", "Full after, s", "When the server held as many sessions as it keeps."),
    _count("memory_mb_first_third", "Memory in the first third, MB", "Mean from then on, first third of the time."),
    _count("memory_mb_last_third", "Memory in the last third, MB", "Mean from then on, last third of the time.", "lower"),
    _count("intentions", "Intentions"),
    _count("bytes_per_intention", "Bytes per intention", better="lower"),
    _metric("auc", "AUC", interval="auc_ci95"),
    _metric("accuracy", "Accuracy", "share", interval="accuracy_ci95"),
    _metric("macro_f1", "Macro-F1", interval="macro_f1_ci95"),
    _metric("pair_accuracy", "Accuracy in pairs", "share"),
    _metric("ece", "ECE", better="lower"),
    *(_metric(key, key, "share") for key in ("hit@1", "hit@3", "hit@10")),
    _metric("recall@10", "Recall@10", "share"),
    _metric("ndcg@10", "nDCG@10", interval="ndcg@10_ci95"),
    _metric("mrr", "MRR", interval="mrr_ci95"),
    _metric("mean", "Cosine", label="Mean cosine"),
    _metric("auc_mean", "AUC", label="AUC, mean over seeds"),
    Column("auc_sd", "Spread over seeds", help="Standard deviation of the AUC over seeds."),
    Column(
        "difference_to_none", "Difference to none", interval="difference_ci95", help="AUC less that without injection.", better="higher"
    ),
    Column("threshold", "Threshold"),
    _metric("precision", "Precision", "share"),
    _metric("recall", "Recall", "share"),
    _metric("f1", "F1"),
    _metric("f1_at_paper", "F1", label="F1 at 0.45"),
    Column("kinds_through", "Kinds through", help="Kinds of product that pass for a step, on average."),
    Column("steps_answered", "Steps answered", "share", help="Share of steps for which anything passes.", better="higher"),
    _metric("t2_accuracy", "Accuracy", "share", "T2 accuracy after it"),
    Column("t2_mean", "Mean T2 after it", better="higher"),
    Column("t3_mean", "Mean T3 after it", better="higher"),
    Column("t3_pass", "T3 passed after it", "share", better="higher"),
    Column("from", "From"),
    Column("to", "To"),
    Column("share", "Share", "share"),
    _metric("auc_with", "AUC", label="AUC with the group"),
    _metric("auc_without", "AUC", label="AUC without it", interval="auc_without_ci95"),
    _metric("drop", "Drop", better="lower", interval="drop_ci95"),
    *(
        Column(key, label, help="From 1 (no) to 5 (yes), by careful reading.", better="higher")
        for key, label in {
            "plausible": "Plausible",
            "complete": "Complete",
            "in_order": "In order",
            "products_fit": "Products fit",
            "would_use": "Would use",
            "overall": "Overall",
        }.items()
    ),
    Column("t1", "T1", help="P(the steps lead to the goal)."),
    Column("t2", "T2", help="P(the product helps with its step), mean over the products shown."),
    Column("t2_least", "Least T2", help="P(the product helps with its step), the least of the products shown."),
    Column("t3", "T3", help="P(all products go together)."),
    Column("product", "T1 × T2 × T3"),
    _metric("spearman", "Spearman", interval="spearman_ci95"),
    _metric("kappa", "Kappa"),
    Column("mean_difference", "Mean difference", help="How many of the five points two readers are apart, on average.", better="lower"),
    Column("mean_score", "Mean score", help="Mean score of the plans of this bin."),
    Column("share_good", "Rated good", "share", help="Share of the plans of this bin that readers rated good."),
    Column("share_wrong", "Share wrong", "share", "share_wrong_ci95", better="lower"),
    Column("seconds", "Seconds", "seconds", better="lower"),
    Column("ratio", "Ratio", help="Seconds over those of embedding the same texts in the same run.", better="lower"),
    _metric("p50", "p50, p95", "seconds", "p50", "lower"),
    _metric("p95", "p50, p95", "seconds", "p95", "lower"),
    Column("recall_at_10", "Recall at 10", "share", help="Share of the ten truly nearest that the search finds.", better="higher"),
    Column("recall_at_100", "Recall at 100", "share", help="Share of the hundred truly nearest that the search finds.", better="higher"),
    Column("latency_p50_relative", "p50 to exact", help="Time of the middle query over that of exact search.", better="lower"),
    Column(
        "latency_p99_relative", "p99 to exact", help="Time of the slowest hundredth over the middle query of exact search.", better="lower"
    ),
    Column("build_s", "Build", "seconds", better="lower"),
    Column("products_per_plan", "Products a plan"),
    _metric("coverage", "Needs met", "share"),
    _metric("needs_coverage", "Needs met", "share", interval="needs_coverage_ci95"),
    Column(
        "needs_coverage_of_whole_catalogue", "Best possible", "share", help="Share of the needs that any product of the catalogue meets."
    ),
    Column(
        "own_needs_met",
        "Own needs met",
        "share",
        "own_needs_met_ci95",
        "Share of the very kinds that the plan's author named; other kinds may serve too, so this is a lower bound.",
        "higher",
    ),
    Column("ready_share", "Ready plans", "share", help="Share of plans that the library had ready."),
    Column("unlikely_products", "Unlikely products", "share", help="Share of products that T2 finds rather not helpful.", better="lower"),
    Column("share_off", "Share off", "share", help="Share of products that a careful reader would not want there.", better="lower"),
)
COLUMNS: Mapping[str, Column] = {column.key: column for column in _ALL}
"""Field of the rows → its column."""


def columns(*keys: str) -> tuple[Column, ...]:
    """Return the columns of fields."""
    return tuple(COLUMNS[key] for key in keys)
