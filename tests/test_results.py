import json
import re

import pytest

from ecomscript.evaluation.results import write_results


def test_fields_of_a_results_file(tmp_path):
    path = write_results("index", "make bench", [{"recall_at_10": 0.99, "build_s": None}], "abc", [0, 1], folder=tmp_path / "results")
    assert path == tmp_path / "results" / "index.json"
    result = json.loads(path.read_text(encoding="utf-8"))
    assert list(result) == ["experiment", "command", "commit", "data_sha256", "seeds", "created", "machine", "rows"]
    assert result["rows"] == [{"recall_at_10": 0.99, "build_s": None}]
    assert result["seeds"] == [0, 1]
    assert result["commit"] is None or re.fullmatch(r"[0-9a-f]{40}(-dirty)?", result["commit"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", result["created"])


def test_what_is_no_number_is_not_stored(tmp_path):
    write_results("index", "make bench", [{"recall": 1.0}], "abc", [], folder=tmp_path)
    before = (tmp_path / "index.json").read_text()
    with pytest.raises(ValueError):
        write_results("index", "make bench", [{"recall": float("nan")}], "abc", [], folder=tmp_path)
    assert [p.read_text() for p in tmp_path.iterdir()] == [before]
