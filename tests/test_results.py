import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecomscript.evaluation.results import LARGEST_MB, RESULTS, read_object, read_result, write_results

ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
HEADER = {
    "experiment": "index", "command": "make bench", "commit": None, "data_sha256": "abc", "seeds": [0],
    "created": "2025-01-01T00:00:00+00:00", "machine": "Linux",
}  # fmt: skip
FIELDS = (*HEADER, "rows_sha256", "rows")


def stored(folder, **fields):
    """Write a file of before rows had a fingerprint, but for ``fields``, and read it."""
    (folder / "index.json").write_text(json.dumps({**HEADER, "rows": [{"recall": 1.0}], **fields}), encoding="utf-8")
    return read_result("index", folder)


def test_fields_of_a_results_file(tmp_path):
    path = write_results("index", "make bench", [{"recall_at_10": 0.99, "build_s": None}], "abc", [0, 1], folder=tmp_path / "results")
    assert path == tmp_path / "results" / "index.json"
    result = json.loads(path.read_text(encoding="utf-8"))
    assert list(result) == list(FIELDS)
    assert result["rows"] == [{"recall_at_10": 0.99, "build_s": None}]
    assert result["seeds"] == [0, 1]
    assert result["commit"] is None or re.fullmatch(r"[0-9a-f]{40}(-dirty)?", result["commit"])
    assert re.fullmatch(r"[0-9a-f]{64}", result["rows_sha256"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", result["created"])


def test_what_is_no_number_is_not_stored(tmp_path):
    write_results("index", "make bench", [{"recall": 1.0}], "abc", [], folder=tmp_path)
    before = (tmp_path / "index.json").read_text()
    with pytest.raises(ValueError):
        write_results("index", "make bench", [{"recall": float("nan")}], "abc", [], folder=tmp_path)
    assert [p.read_text() for p in tmp_path.iterdir()] == [before]


def test_what_is_written_is_read(tmp_path):
    rows = [{"title": "60 °C – “so”", "recall": 0.1 + 0.2, "ci95": (0.1, 1e-9), "by": {2: -0.0, "a": None}, "n": 3, "ok": True}]
    write_results("index", "make bench", rows, "abc", [3], folder=tmp_path)
    result = read_result("index", tmp_path)
    assert (result.name, result.problem) == ("index", "")
    assert result.rows == ({**rows[0], "ci95": [0.1, 1e-9], "by": {"2": -0.0, "a": None}},)
    assert (result.source.command, result.source.data_sha256, result.source.seeds) == ("make bench", "abc", (3,))
    assert result.source.created and result.source.machine


def test_rows_changed_by_hand_are_seen_and_shown(tmp_path):
    path = write_results("index", "make it", [{"recall": 0.5}, {"recall": 0.6}], "abc", [], folder=tmp_path)
    path.write_text(path.read_text().replace("0.5", "0.9"))
    result = read_result("index", tmp_path)
    assert result.problem == "The rows were changed after they were written; run `make it` again."
    assert result.rows == ({"recall": 0.9}, {"recall": 0.6})


def test_a_new_layout_of_the_same_rows_passes(tmp_path):
    path = write_results("index", "make bench", [{"b": 0.5, "a": "é"}], "abc", [], folder=tmp_path)
    path.write_text(json.dumps(json.loads(path.read_text()), sort_keys=True), encoding="utf-8-sig")
    assert read_result("index", tmp_path).problem == ""


def test_files_of_before_rows_had_a_fingerprint_pass(tmp_path):
    result = stored(tmp_path)
    assert (result.problem, result.rows, result.source.commit) == ("", ({"recall": 1.0},), "")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "not JSON"),
        ("{", "not JSON"),
        ('{"a": ' + "9" * 5000 + "}", "not JSON"),
        ('{"a": "\\ud800"}', "not JSON"),
        ("[" * 100_000, "not JSON"),
        (b"\xff\xfe", "not JSON"),
        ("[]", "no JSON object"),
        ("null", "no JSON object"),
        ("{}", "no JSON object"),
        (
            '{"experiment": "index"}',
            "no list of rows; missing or of another kind: command, data_sha256, created, machine, commit, seeds; run",
        ),
    ],
)
def test_files_that_cannot_be_read(tmp_path, text, told):
    (tmp_path / "index.json").write_bytes(text if isinstance(text, bytes) else text.encode())
    result = read_result("index", tmp_path)
    assert told in result.problem
    assert result.rows == ()


@pytest.mark.parametrize(
    ("fields", "told", "rows"),
    [
        ({"experiment": "plan"}, "The file is of the experiment 'plan', not of 'index', and is not shown; run `make bench` again.", 0),
        ({"rows": {"a": 1}}, "The file has no list of rows", 0),
        ({"rows": [{"a": 1}, 7, None]}, "2 of 3 rows are no objects", 1),
        ({"rows": [{"a": float("nan")}]}, "NaN or infinity", 1),
        ({"seeds": "0"}, "Missing or of another kind: seeds;", 1),
        ({"seeds": [True]}, "seeds", 1),
        ({"command": 7}, "Missing or of another kind: command; run `make bench` again.", 1),
        ({"commit": 7}, "commit", 1),
        ({"rows_sha256": None}, "changed after they were written", 1),
    ],
)
def test_fields_that_cannot_be_used(tmp_path, fields, told, rows):
    result = stored(tmp_path, **fields)
    assert told in result.problem
    assert len(result.rows) == rows


def test_numbers_that_are_none_are_absent(tmp_path):
    (tmp_path / "index.json").write_text(json.dumps(HEADER)[:-1] + ', "rows": [{"a": NaN, "b": -Infinity, "c": 1e999, "d": 1.5}]}')
    result = read_result("index", tmp_path)
    assert "NaN or infinity" in result.problem
    assert result.rows == ({"a": None, "b": None, "c": None, "d": 1.5},)


def test_a_file_that_is_not_there(tmp_path):
    assert read_result("index", tmp_path).problem == "The file is not there; run `make bench`."


def test_a_folder_in_the_place_of_a_file(tmp_path):
    (tmp_path / "index.json").mkdir()
    assert "cannot be read" in read_result("index", tmp_path).problem


def test_a_file_that_is_too_large(tmp_path):
    with (tmp_path / "index.json").open("wb") as file:
        file.truncate(LARGEST_MB * 1_000_000 + 1)
    assert read_result("index", tmp_path).problem.startswith("The file is larger than 20 MB")


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(FIELDS), ANY_JSON) | ANY_JSON, st.none() | st.binary(max_size=3))
def test_nothing_is_raised_whatever_a_file_holds(tmp_path_factory, value, tail):
    folder = tmp_path_factory.mktemp("results")
    (folder / "index.json").write_bytes(json.dumps(value).encode() + (tail or b""))
    result = read_result("index", folder)
    assert result.problem or isinstance(value, dict)
    assert all(isinstance(row, dict) for row in result.rows)
    json.dumps(result.rows, allow_nan=False, ensure_ascii=False).encode()
    assert isinstance(read_object(folder / "index.json")[0], dict)


@pytest.mark.parametrize("field", [*HEADER, "rows"])
def test_a_missing_field_is_named(tmp_path, field):
    stored(tmp_path)
    whole = json.loads((tmp_path / "index.json").read_text())
    del whole[field]
    (tmp_path / "index.json").write_text(json.dumps(whole))
    assert field in read_result("index", tmp_path).problem


def test_the_shipped_results_are_as_they_were_written():
    found = {path.stem: read_result(path.stem).problem for path in RESULTS.glob("*.json")}
    assert found and not any(found.values()), found
