"""What the ratings of visitors say, against numbers worked by hand."""

import numpy as np
import pytest
from scipy.stats import spearmanr, ttest_1samp

from ecomscript.evaluation.exhibits.visitors import visitors_exhibit
from ecomscript.evaluation.visitors import ENOUGH, interval, rows, visitors
from ecomscript.feedback.record import SHEETS, Record


def name(n):
    return f"{n:016x}"


def thumb(session, thing, useful, subject="product", **scores):
    return Record(name(session), subject, name(thing), name(0), {"useful": useful}, "p" if subject == "product" else "", **scores)


def sheet(session, thing, *marks, **scores):
    return Record(name(session), "sheet", name(thing), name(thing), dict(zip(SHEETS, marks, strict=True)), **scores)


def row(found, **wanted):
    (one,) = [r for r in found if all(r.get(k) == v for k, v in wanted.items())]
    return one


def test_every_visitor_counts_once_and_the_last_answer_stands():
    given = [
        *(thumb(1, thing, 0) for thing in range(1, 9)),  # one visitor who dislikes eight
        thumb(2, 1, 0), thumb(2, 1, 1),
        thumb(3, 1, 1), thumb(3, 2, 0),
        thumb(4, 1, 1), Record(name(4), "product", name(1), name(0), {}, "p"),  # taken back
    ]  # fmt: skip
    found = row(rows(given), row="thumb", subject="product")
    assert (found["ratings"], found["visitors"], found["things"], found["shared"]) == (11, 3, 8, 2)
    assert found["mean"] == 0.5  # 0, 1 and ½
    # thing 1: 0 1 1, thing 2: 0 0 → agreeing pairs 1/3 and 1; of five thumbs 3 down, 2 up → chance 13/25
    assert found["kappa"] == pytest.approx((2 / 3 - 13 / 25) / (12 / 25), abs=1e-4)
    assert visitors(given) == 3


def test_the_interval_is_students_and_stays_on_the_scale():
    values = [3.0, 4.5, 2.0, 5.0]
    expected = ttest_1samp(values, 0).confidence_interval(0.95)
    low, high = interval(values, (-100, 100))
    assert (low, high) == (pytest.approx(expected.low, abs=1e-4), pytest.approx(expected.high, abs=1e-4))
    assert interval(values, (1, 5)) == [low, 5]
    assert interval([3.0, 4.0], (1, 5)) is None and interval([4.0] * 9, (1, 5)) is None


def test_agreement_over_the_sheet_takes_marks_in_three():
    given = [sheet(s, thing, *[mark] * 5) for thing, pair in enumerate(((5, 4), (2, 1), (3, 3), (4, 2))) for s, mark in enumerate(pair, 1)]
    found = row(rows(given), row="sheet", question="in_order")
    assert (found["shared"], found["kappa"]) == (4, 0.619)  # the same four as in test_study, by hand 26/42


def test_scores_are_correlated_with_the_mark_that_they_should_follow_once_there_are_enough():
    rng = np.random.default_rng(3)
    scores, marks = rng.random(ENOUGH), rng.integers(1, 6, (ENOUGH, 5)).tolist()
    given = [sheet(1, n, *of, t1=score, t2=1 - score, t3=score) for n, (score, of) in enumerate(zip(scores.tolist(), marks, strict=True))]
    found = rows(given)
    plausible = [of[0] for of in marks]
    one = row(found, row="correlation", score="t1")
    assert one["rating"] == "plausible" and one["things"] == ENOUGH
    assert one["spearman"] == pytest.approx(spearmanr(scores, plausible).statistic, abs=1e-4)
    low, high = one["spearman_ci95"]
    assert low < one["spearman"] < high
    assert row(found, row="correlation", score="t3")["spearman"] == pytest.approx(spearmanr(scores, np.mean(marks, 1)).statistic, abs=1e-4)
    assert row(found, row="correlation", score="t2", rating="products_fit")["spearman"] == pytest.approx(
        spearmanr(1 - scores, [of[3] for of in marks]).statistic, abs=1e-4
    )
    assert row(found, row="correlation", rating="useful")["things"] == 0
    fewer = row(rows(given[1:]), row="correlation", score="t1")
    assert (fewer["things"], fewer["spearman"]) == (ENOUGH - 1, None)
    unscored = [*given[1:], sheet(1, 99, 1, 1, 1, 1, 1)]
    assert row(rows(unscored), row="correlation", score="t1")["things"] == ENOUGH - 1


def test_visitors_who_rate_one_thing_are_one_pair_of_the_correlation():
    given = [thumb(s, thing, (thing + s) % 2, t2=thing / 50) for thing in range(ENOUGH) for s in (1, 2)]
    assert row(rows(given), row="correlation", rating="useful")["things"] == ENOUGH


def test_without_ratings_there_is_nothing_to_show():
    assert [visitors_exhibit(given).tables for given in ([], [Record(name(1), "product", name(1), name(0), {}, "p")])] == [(), ()]


def test_the_exhibit_says_what_the_rows_say():
    given = [sheet(s, 1, 5, 4, 4, 2, 3 + s % 2, t1=0.5) for s in range(1, 5)] + [thumb(s, 1, s % 2) for s in range(1, 5)]
    shown = visitors_exhibit(given)
    assert shown.finding.startswith("4 visitors gave 8 ratings that stand. Of the thumbs 50.0% on products are up. ")
    assert "“Plausible” is rated highest (5.0 of 5), “Products fit” lowest (2.0)." in shown.finding
    assert "told from 20 rated plans or products on" in shown.finding
    assert [t.name for t in shown.tables] == ["thumbs", "sheets", "correlation"]
    assert [r["question"] for r in shown.tables[1].rows] == ["Plausible", "Complete", "In order", "Products fit", "Would use"]
    alone = visitors_exhibit(given[:1])
    assert "highest" not in alone.finding and alone.finding.startswith("1 visitor gave 1 rating that stand.")


def test_a_clear_relation_is_told():
    given = [sheet(1, n, *[1 + n % 5] * 5, t1=(n % 5) / 5, t2=0.5, t3=1 - (n % 5) / 5) for n in range(ENOUGH)]
    finding = visitors_exhibit(given).finding
    assert "Rises with the ratings: T1 with “Plausible”; falls with the ratings: T3 with “Overall”." in finding
