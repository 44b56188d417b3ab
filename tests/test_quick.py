"""The check that stored numbers are still what the code gives: what counts as the same, and what is told."""

from functools import partial

import pytest

from ecomscript.errors import InputError
from ecomscript.evaluation import quick
from ecomscript.evaluation.results import write_results

CHECK = quick.Check("verifiers", lambda *_: [], ("task", "split"), ("auc", "items"), 0.01)
STORED = [{"task": "t1", "split": "gold", "auc": 0.6, "items": 10}, {"task": "t2", "split": "gold", "auc": None, "items": 20}]


def row(**changes):
    return {**STORED[0], **changes}


@pytest.mark.parametrize("made", [STORED, [row(auc=0.605)], [row(auc=0.5951)], [row(items=10.0, more="ignored")]])
def test_the_same_within_the_tolerance_is_no_difference(made):
    assert quick.differences(CHECK, STORED, made) == []


@pytest.mark.parametrize(
    ("made", "told"),
    [
        ([row(auc=0.62)], "auc is 0.62, stored is 0.6"),
        ([row(auc=None)], "auc is None, stored is 0.6"),
        ([{**STORED[1], "auc": 0.5}], "auc is 0.5, stored is None"),
        ([row(task="t3")], "t3, gold: not in the results file"),
        ([], "nothing was made"),
    ],
)
def test_what_has_changed_is_named(made, told):
    (sentence,) = quick.differences(CHECK, STORED, made)
    assert told in sentence
    assert sentence.startswith("verifiers")


@pytest.fixture
def stored(tmp_path, monkeypatch):
    """A folder with one results file, and how the check makes its rows again."""
    write_results("verifiers", "make bench", STORED, "", [3], folder=tmp_path)
    seen = []

    def make(rows):
        def made(_, seed):
            seen.append(seed)
            return rows

        monkeypatch.setattr(quick, "CHECKS", (quick.Check("verifiers", made, ("task", "split"), ("auc", "items"), 0.01),))
        return partial(quick.main, [], tmp_path), seen

    return make


def test_unchanged_numbers_end_well_and_use_the_seed_of_the_file(stored, capsys):
    run, seen = stored(STORED)
    assert run() == 0
    assert seen == [3]
    assert "2 rows made again, nothing different" in capsys.readouterr().out


def test_a_number_that_the_code_no_longer_gives_fails(stored, capsys):
    run, _ = stored([row(auc=0.7)])
    assert run() == 2
    assert "stored is 0.6" in capsys.readouterr().err


def test_a_file_edited_by_hand_fails(stored, tmp_path, capsys):
    run, _ = stored(STORED)
    path = tmp_path / "verifiers.json"
    path.write_text(path.read_text().replace("0.6", "0.9"))
    assert run() == 2
    assert "changed after they were written" in capsys.readouterr().err


def test_an_expected_error_is_one_sentence(stored, monkeypatch, capsys):
    run, _ = stored(STORED)

    def broken(*_):
        raise InputError("The items are not there", "Check them out.")

    monkeypatch.setattr(quick, "CHECKS", (quick.Check("verifiers", broken, ("task",), ("auc",), 0.01),))
    assert run() == 2
    assert capsys.readouterr().err.strip() == "The items are not there. Check them out."
