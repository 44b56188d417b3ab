import json
import subprocess
import sys

import numpy as np
import pytest
from fakes import KINDS, SCRIPTS, HashEncoder, write_catalogue, write_lines

import index_build.__main__ as command_line
from ecomscript.association.index import IntentionIndex
from ecomscript.association.vector_store import StoredEncoder, VectorStore
from ecomscript.config import PROJECT_ROOT
from ecomscript.folders import fingerprint
from ecomscript.planning.library import Library
from index_build.__main__ import main
from index_build.bench import bench
from index_build.build import build
from index_build.centroids import NAME_WEIGHT
from index_build.check import check, recall, unreachable_share
from index_build.vectors import ship_vectors


@pytest.fixture(autouse=True)
def _hash_encoder(monkeypatch, tmp_path):
    """The command line with the hash encoder, whatever encoder was asked for."""
    monkeypatch.setattr(command_line, "open_encoder", lambda name, threads: HashEncoder())
    monkeypatch.setenv("ECOMSCRIPT_CACHE", str(tmp_path / "cache"))


def unit(row):
    return row / np.linalg.norm(row)


def test_index_and_library_belong_together(tiny_source, tiny_index_dir):
    index = IntentionIndex.load(tiny_index_dir, "hash-32")
    library = Library.load(tiny_index_dir / "library", "hash-32")
    assert (len(index.products), len(index.kinds), len(library.scripts)) == (9, 6, 3)
    assert index.source == library.source == fingerprint(tiny_source)
    assert [k.name for k in index.kinds] == [k.name for k in library.kinds]
    np.testing.assert_array_equal(index.kind_vectors, library.kind_vectors)
    assert not list(tiny_index_dir.rglob("shards"))


def test_a_product_vector_is_the_centroid_of_its_intentions_and_half_its_kind(tiny_index_dir):
    index = IntentionIndex.load(tiny_index_dir, "hash-32")
    row = next(n for n, p in enumerate(index.products) if p.brand == "Tarnhollow")
    texts = [*KINDS[0]["intentions"], *KINDS[0]["products"][1]["intentions"]]
    expected = unit(unit(HashEncoder().encode(texts).mean(axis=0)) + NAME_WEIGHT * HashEncoder().encode(["family tent"])[0])
    np.testing.assert_allclose(index.product_vectors[row], expected, atol=1e-3)
    np.testing.assert_allclose(np.linalg.norm(index.product_vectors, axis=1), 1, atol=1e-3)


def test_one_file_without_scripts_builds_no_library(tmp_path, encoder):
    source = write_lines(tmp_path / "kinds.jsonl", KINDS)
    build(source, tmp_path / "index", encoder, quiet=True)
    assert len(IntentionIndex.load(tmp_path / "index", "hash-32").products) == 9
    assert not (tmp_path / "index" / "library").exists()
    assert check(tmp_path / "index", encoder).ok


class KilledError(Exception):
    pass


def kill(*_):
    raise KilledError


@pytest.mark.parametrize("stage", ["build_graph", "build_library"])
def test_resume_embeds_nothing_twice_wherever_it_was_killed(tiny_source, tmp_path, monkeypatch, stage):
    with monkeypatch.context() as patch, pytest.raises(KilledError):
        patch.setattr(f"index_build.build.{stage}", lambda *_, **__: kill())
        build(tiny_source, tmp_path, HashEncoder(), quiet=True)
    again = HashEncoder()
    build(tiny_source, tmp_path, again, resume=True, quiet=True)
    assert not set(again.encoded) & {i for k in KINDS for i in k["intentions"]}
    assert check(tmp_path, HashEncoder()).ok
    assert Library.load(tmp_path / "library", "hash-32").source == fingerprint(tiny_source)
    assert not list(tmp_path.rglob("shards"))


def test_resume_notices_a_changed_catalogue(catalogue_dir, tmp_path):
    out = tmp_path / "index"
    build(catalogue_dir, out, HashEncoder(), quiet=True)
    write_catalogue(catalogue_dir, KINDS[:5], SCRIPTS[:1])
    assert len(build(catalogue_dir, out, HashEncoder(), resume=True, quiet=True).kinds) == 5


def test_a_library_of_an_earlier_catalogue_goes(catalogue_dir, tmp_path, encoder):
    out = tmp_path / "index"
    build(catalogue_dir, out, encoder, quiet=True)
    build(catalogue_dir / "kinds" / "home.jsonl", out, encoder, quiet=True)
    assert not (out / "library").exists()


def test_a_failing_build_leaves_the_old_index_as_it_was(catalogue_dir, tmp_path, encoder, capsys):
    out = tmp_path / "index"
    build(catalogue_dir, out, encoder, quiet=True)
    (catalogue_dir / "kinds" / "home.jsonl").write_text("{")
    assert main(["--catalog", str(catalogue_dir), "--out", str(out), "--quiet"]) == 2
    assert capsys.readouterr().err.startswith("home.jsonl, line 1: not JSON")
    assert len(IntentionIndex.load(out, "hash-32").products) == 9


def test_check_measures(tiny_index_dir, encoder):
    report = check(tiny_index_dir, encoder)
    size = sum(path.stat().st_size for path in tiny_index_dir.iterdir() if path.is_file())
    measured = {"products": 9, "intentions": 14, "recall_at_10": 1.0, "unreachable_share": 0.0, "ok": True}
    assert report.to_json() == {**measured, "storage": "fp32", "shards": 1, "bytes": size}


class BlindIndex(IntentionIndex):
    """A search that always returns the same intentions."""

    def nearest_of_each(self, queries, k):
        return [self.nearest_exact(self.intention_vectors[0], min(k, 2))] * len(queries)


def test_a_blind_search_is_noticed(tiny_index_dir):
    index = BlindIndex.load(tiny_index_dir, "hash-32")
    assert recall(index, index.kind_vectors, 10) < 0.3
    assert unreachable_share(index) > 0.5


def test_shipped_vectors_leave_nothing_to_embed(tiny_source, tmp_path, encoder):
    count = ship_vectors(tiny_source, tmp_path / "vectors", tmp_path / "shards", encoder, quiet=True)
    store = VectorStore.load(tmp_path / "vectors", "hash-32")
    assert count == len(store) == len(set(encoder.encoded))
    stored = StoredEncoder("hash-32", store, lambda: pytest.fail("the model was opened"))
    build(tiny_source, tmp_path / "index", stored, quiet=True)
    titles = [p["title"] for k in KINDS for p in k["products"]]
    assert not store.look_up(titles)[1].any()


def test_bench_compares_with_exact_search(tiny_source, tmp_path, encoder):
    exact, hnsw = bench(tiny_source, tmp_path, encoder, quiet=True)
    assert exact["latency_p50_relative"] == 1
    assert hnsw["recall_at_10"] == hnsw["recall_at_100"] == 1
    assert hnsw["latency_p99_relative"] >= hnsw["latency_p50_relative"] > 0
    assert hnsw["folder_bytes_per_intention"] > hnsw["bytes_per_intention"] > 4 * 32


def test_the_command_line_builds_and_checks(tiny_source, tmp_path, capsys):
    out = str(tmp_path / "index")
    assert main(["--catalog", str(tiny_source), "--out", out]) == 0
    printed = capsys.readouterr()
    assert "9 products, 14 intentions" in printed.out
    assert "embedding: 100%" in printed.err and "connecting: 100%" in printed.err
    assert main(["check", out]) == 0
    assert json.loads(capsys.readouterr().out)["ok"] is True
    assert main(["stats", "--catalog", str(tiny_source)]) == 0
    assert json.loads(capsys.readouterr().out)["products"] == 9


def test_a_graph_of_bytes_is_built_checked_and_kept(tiny_source, tmp_path, capsys):
    build_it = ["--catalog", str(tiny_source), "--out", str(tmp_path / "index"), "--quiet", "--resume"]
    assert main([*build_it, "--storage", "sq8"]) == main(["check", str(tmp_path / "index")]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["storage"], report["shards"], report["ok"]) == ("sq8", 1, True)
    assert (tmp_path / "index" / "intentions-0.faiss").is_file()
    assert main(build_it) == 0  # --resume keeps no index of another storage
    assert IntentionIndex.load(tmp_path / "index", "hash-32").graph.storage == "fp32"


def test_an_index_below_the_mark_ends_in_status_2(tiny_index_dir, capsys, monkeypatch):
    monkeypatch.setattr("index_build.check.IntentionIndex", BlindIndex)
    assert main(["check", str(tiny_index_dir)]) == 2
    report = json.loads(capsys.readouterr().out)
    assert report["ok"] is False and report["unreachable_share"] > 0.5


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--catalog", "no/such", "--out", "x"], "There is no catalogue no/such. Name a .jsonl file"),
        (["check", "no/such"], "There is no index folder no/such. Build it again with"),
        (["stats", "--catalog", "README.md"], "README.md, line 1: not JSON"),
    ],
)
def test_bad_input_ends_in_one_sentence(arguments, sentence, capsys, monkeypatch):
    monkeypatch.chdir(PROJECT_ROOT)
    assert main(arguments) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith(sentence) and printed.err.count("\n") == 1


def test_a_place_that_cannot_be_written(tiny_source, tmp_path, capsys):
    (tmp_path / "file").touch()
    assert main(["--catalog", str(tiny_source), "--out", str(tmp_path / "file" / "index"), "--quiet"]) == 2
    assert "cannot be written (Not a directory)" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [[], ["--out", "x"], ["--nonsense"], ["check"], ["stats", "--threads", "0"], ["--threads", "many"]])
def test_unknown_or_missing_options(arguments, capsys):
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert "usage: python -m index_build" in capsys.readouterr().err


def test_an_interrupt_is_quiet(tiny_source, tmp_path, capsys, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(command_line, "build", interrupted)
    assert main(["--catalog", str(tiny_source), "--out", str(tmp_path)]) == 130
    assert capsys.readouterr() == ("", "")


def test_as_a_process_it_shows_no_traceback(catalogue_dir, tmp_path):
    write_catalogue(catalogue_dir, [*KINDS, KINDS[0]])
    command = [sys.executable, "-m", "index_build", "--catalog", str(catalogue_dir), "--out", str(tmp_path / "index")]
    done = subprocess.run(command, cwd=PROJECT_ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert "outdoors.jsonl, line 1, field kind: 'family tent' is in the catalogue already" in done.stderr
    assert "Traceback" not in done.stderr
