"""What scores of labelled claims are worth."""

import numpy as np
import pytest

from ecomscript.evaluation import metrics
from ecomscript.evaluation.metrics import measure, pair_accuracy
from ecomscript.verification.claims import ScriptClaim
from ecomscript.verification.items import Item

CLAIM = ScriptClaim("Camp", ("Pack", "Go"))


@pytest.fixture(autouse=True, scope="module")
def _few_resamples():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(metrics, "RESAMPLES", 60)
        yield


def items(*rows):
    """Return items of (label, pair, error, domain)."""
    return [Item(str(n), CLAIM, label, domain, error, pair) for n, (label, pair, error, domain) in enumerate(rows)]


def pairs(*labels_and_pairs):
    return items(*((label, pair, "none" if label else "wrong_order", "home") for label, pair in labels_and_pairs))


def test_inside_pairs_only_members_of_one_pair_are_compared():
    found = pairs((1, "a"), (0, "a"), (1, "b"), (0, "b"))
    assert pair_accuracy(found, np.array([0.9, 0.8, 0.2, 0.1])) == 1.0
    assert pair_accuracy(found, np.array([0.9, 0.8, 0.1, 0.2])) == 0.5
    assert pair_accuracy(found, np.array([0.1, 0.2, 0.1, 0.2])) == 0.0


def test_a_tie_counts_half():
    assert pair_accuracy(pairs((1, "a"), (0, "a")), np.array([0.5, 0.5])) == 0.5


def test_a_group_counts_each_right_member_against_each_wrong_one():
    found = pairs((1, "a"), (1, "a"), (0, "a"), (0, "a"))
    assert pair_accuracy(found, np.array([0.9, 0.3, 0.5, 0.1])) == 0.75


def test_without_pairs_there_is_no_pair_accuracy():
    assert pair_accuracy(pairs((1, "a"), (0, "b"), (1, "c")), np.array([0.9, 0.1, 0.5])) is None
    assert pair_accuracy(pairs((1, ""), (0, "")), np.array([0.9, 0.1])) is None


@pytest.fixture(scope="module")
def measured():
    rng = np.random.default_rng(0)
    rows = [
        (n % 2, f"p{n // 2}", "none" if n % 2 else ("unsafe" if n % 4 else "vague"), "home" if n < 100 else "camping") for n in range(200)
    ]
    found = items(*rows)
    scores = np.array([0.75 if label else 0.25 for label, *_ in rows]) + rng.uniform(-0.2, 0.2, 200)
    return found, scores, measure(found, scores, 0)


def test_a_perfect_ranking_measures_one(measured):
    _, _, row = measured
    assert (row["accuracy"], row["auc"], row["macro_f1"], row["pair_accuracy"]) == (1.0, 1.0, 1.0, 1.0)
    assert row["auc_ci95"] == [1.0, 1.0]
    assert (row["items"], row["positive"]) == (200, 100)
    assert row["auc_by_error"] == {"unsafe": 1.0, "vague": 1.0}
    assert row["auc_by_domain"] == {"camping": 1.0, "home": 1.0}


def test_a_turned_ranking_measures_nought(measured):
    found, scores, _ = measured
    row = measure(found, 1 - scores, 0)
    assert (row["accuracy"], row["auc"], row["pair_accuracy"]) == (0.0, 0.0, 0.0)


def test_a_known_area_under_the_curve_and_its_interval():
    found = pairs(*((label, str(n)) for n, label in enumerate([1, 0, 1, 0] * 25)))
    row = measure(found, np.array([0.9, 0.8, 0.4, 0.2] * 25), 0)
    assert row["auc"] == 0.75  # of four (right, wrong) combinations three are in order
    low, high = row["auc_ci95"]
    assert 0.6 < low < 0.75 < high < 0.9
    assert row["accuracy"] == 0.5
    assert row["ece"] == pytest.approx(0.395, abs=0.02)


def test_constant_scores_are_chance():
    row = measure(pairs(*((n % 2, str(n // 2)) for n in range(60))), np.full(60, 0.4), 0)
    assert (row["auc"], row["accuracy"], row["pair_accuracy"]) == (0.5, 0.5, 0.5)
    assert row["auc_ci95"] == [0.5, 0.5]
    assert row["macro_f1"] == pytest.approx(1 / 3, abs=1e-3)


def test_the_seed_decides_the_interval():
    found = pairs(*((n % 2, str(n)) for n in range(40)))
    scores = np.random.default_rng(0).random(40)
    assert measure(found, scores, 1) == measure(found, scores, 1) != measure(found, scores, 2)


def test_whole_pairs_are_drawn_so_that_a_double_of_every_item_narrows_nothing():
    labels = [n % 3 % 2 for n in range(40)]
    scores = np.random.default_rng(0).random(40)
    once = measure(pairs(*((label, str(n)) for n, label in enumerate(labels))), scores, 0)
    twice = measure(pairs(*((label, str(n)) for n, label in enumerate(labels) for _ in range(2))), np.repeat(scores, 2), 0)
    for name in ("accuracy_ci95", "auc_ci95", "macro_f1_ci95"):
        assert twice[name] == pytest.approx(once[name], abs=2e-4), name


def test_where_every_pair_is_half_right_the_accuracy_has_no_spread():
    row = measure(pairs(*((n % 2, str(n // 2)) for n in range(60))), np.full(60, 0.4), 0)
    assert row["accuracy_ci95"] == [0.5, 0.5]


def test_items_without_a_pair_are_drawn_one_by_one():
    scores = np.random.default_rng(0).random(40)
    alone = measure(pairs(*((n % 2, "") for n in range(40))), scores, 0)
    assert alone["accuracy_ci95"] == measure(pairs(*((n % 2, str(n)) for n in range(40))), scores, 0)["accuracy_ci95"]
    assert alone["accuracy_ci95"][0] < alone["accuracy_ci95"][1]


def test_a_domain_of_few_items_or_one_label_is_left_out():
    rows = [(n % 2, "", "none" if n % 2 else "vague", "home") for n in range(8)]
    rows += [(n % 2, "", "none" if n % 2 else "vague", "tiny") for n in range(7)] + [(1, "", "none", "right")] * 9
    row = measure(items(*rows), np.random.default_rng(0).random(len(rows)), 0)
    assert set(row["auc_by_domain"]) == {"home"}
