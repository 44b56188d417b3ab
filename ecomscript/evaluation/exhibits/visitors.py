"""The ratings of visitors as an exhibit: live, and no stored result."""

from __future__ import annotations

from collections.abc import Sequence

from ecomscript.evaluation.exhibit import Column, Exhibit
from ecomscript.evaluation.exhibits.columns import COLUMNS, HELP, columns
from ecomscript.evaluation.exhibits.sentences import against, listed, sentences, share
from ecomscript.evaluation.exhibits.values import estimates, table
from ecomscript.evaluation.results import Row
from ecomscript.evaluation.visitors import ENOUGH, FEWEST_VISITORS, MOST_CORRELATED, rows, visitors
from ecomscript.feedback.record import Record
from ecomscript.feedback.store import MOST_READ

KEY = "visitors"
TITLE = "Visitors' ratings"
QUESTION = "What do people who use the page say of its plans and products?"
_NAMES = {
    "product": "A product, in its step",
    "plan": "A plan",
    "useful": "Thumbs on products",
    **{key: COLUMNS[key].label for key in ("plausible", "complete", "in_order", "products_fit", "would_use", "overall", "t1", "t2", "t3")},
}
_RATINGS = Column("ratings", "Ratings", "count", help="The last answer of every visitor to every product or plan.")
_VISITORS = Column("visitors", "Visitors", "count", help="Visits, each of which counts once in mean and interval.")
_SHARED = Column("shared", "Rated by two or more", "count", help="Products or plans that agreement is counted over.")
_KAPPA = Column("kappa", "Kappa", help=f"Fleiss' kappa over what two or more rated. {HELP['Kappa']}")
_USEFUL = Column("mean", "Found useful", "share", "mean_ci95", "Share of thumbs that are up, the mean over visitors.")
_MEAN = Column("mean", "Mean", "number", "mean_ci95", "From 1 (not at all) to 5 (fully), the mean over visitors.")
_THINGS = Column("things", "Products or plans", "count", help=f"Those rated last, at most {MOST_CORRELATED}.")
NOTES = (
    "These numbers are live: they are read when this page opens, change with every rating, and are no stored result.",
    f"Visitors choose themselves, and what they rate: this describes them, not all shoppers. At most the latest {MOST_READ:,} are read.",
    f"An interval is given from {FEWEST_VISITORS} visitors on, a rank correlation from {ENOUGH} rated products or plans on. Agreement "
    "takes 1 and 2, 3, 4 and 5 of the five points together.",
    HELP["Spearman"],
)


def visitors_exhibit(records: Sequence[Record]) -> Exhibit:
    """Return what the ratings say; without any it has no tables.

    Args:
        records: As they are stored, in the order in which they were given.
    """
    people = visitors(records)
    if not people:
        return Exhibit(KEY, TITLE, QUESTION, "")
    found = rows(records)
    thumbs, sheets = ([row for row in found if row["row"] == kind and row["ratings"]] for kind in ("thumb", "sheet"))
    correlations = [row for row in found if row["row"] == "correlation"]
    name, question = Column("subject", "What was rated", "text"), Column("question", "Question", "text")
    ranked = (*columns("score", "rating"), _THINGS, *columns("spearman"))
    tables = (
        table("thumbs", "Thumbs up or down", (name, _RATINGS, _VISITORS, _USEFUL, _SHARED, _KAPPA), _named(thumbs)),
        table(
            "sheets",
            "The five questions about a plan",
            (question, _RATINGS, _VISITORS, _MEAN, _SHARED, _KAPPA),
            _named(sheets),
            scale=(1.0, 5.0),
        ),
        table("correlation", "Do the scores follow the ratings?", ranked, _named(correlations), scale=(-1.0, 1.0)),
    )
    return Exhibit(
        KEY, TITLE, QUESTION, _finding(people, thumbs, sheets, correlations), tuple(one for one in tables if one.rows), notes=NOTES
    )


def _named(found: Sequence[Row]) -> list[Row]:
    """Return the rows with words for their keys."""
    return [
        {**row, **{key: _NAMES[row[key]] for key in ("subject", "question", "score", "rating") if row.get(key) in _NAMES}} for row in found
    ]


def _finding(people: int, thumbs: Sequence[Row], sheets: Sequence[Row], correlations: Sequence[Row]) -> str:
    given = sum(row["ratings"] for row in thumbs) + max((row["ratings"] for row in sheets), default=0)
    counted = f"{people:,} {'visitor' if people == 1 else 'visitors'} gave {given:,} {'rating' if given == 1 else 'ratings'} that stand"
    up = [f"{share(row['mean'])} on {row['subject']}s" for row in thumbs if row["visitors"] >= FEWEST_VISITORS]
    best = estimates([row for row in _named(sheets) if row["visitors"] >= FEWEST_VISITORS], "mean", "question")
    follows = estimates([{**row, "pair": f"{row['score']} with “{row['rating']}”"} for row in _named(correlations)], "spearman", "pair")
    return sentences(
        counted,
        f"of the thumbs {listed(up)} are up" if up else "",
        f"“{best[0].name}” is rated highest ({best[0].value:.1f} of 5), “{best[-1].name}” lowest ({best[-1].value:.1f})" if best else "",
        against(follows, 0.0, "rises with the ratings", "no clear relation with the ratings", "falls with the ratings"),
        "" if follows else f"whether T1, T2 and T3 follow the ratings is told from {ENOUGH} rated plans or products on",
    )
