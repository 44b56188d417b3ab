"""An index whose graph lives in a real Milvus Lite server; skipped where requirements-cluster.txt is not installed."""

import json
import shutil
import socket
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fakes import HashEncoder, flat_weights

import index_build.__main__ as command_line
from ecomscript.association import milvus
from ecomscript.association.graph import IntentionGraph, build_graph
from ecomscript.association.index import IntentionIndex
from ecomscript.association.milvus import MilvusShard, connected
from ecomscript.config import PROJECT_ROOT, environment_of_child
from ecomscript.errors import ConfigError, IndexFolderError
from ecomscript.folders import MANIFEST
from ecomscript.pipeline import Pipeline
from ecomscript.planning.intake import Intake
from ecomscript.planning.library import Library
from ecomscript.request import make_request
from index_build.build import build
from index_build.check import check

START_S = 60
GOAL = "Take the family on a first camping weekend"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """A process of Milvus Lite; ``start`` after ``stop`` serves the same data again."""

    def __init__(self, folder):
        self.folder, self.port = folder, free_port()
        self.uri = f"http://127.0.0.1:{self.port}"
        self.start()

    def start(self):
        command = [str(Path(sys.executable).with_name("milvus-lite")), "server", "--data-dir", str(self.folder / "data")]
        place = ["--host", "127.0.0.1", "--port", str(self.port)]
        self.process = subprocess.Popen([*command, *place], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        give_up = time.monotonic() + START_S
        while True:
            try:
                return connected(self.uri).list_collections()
            except Exception:  # refused, or half started
                assert time.monotonic() < give_up and self.process.poll() is None, "the server does not start"
                time.sleep(0.2)

    def kill(self):
        self.process.kill()
        self.process.wait()


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    for package in ("pymilvus", "milvus_lite"):
        pytest.importorskip(package, reason="requirements-cluster.txt is not installed")
    server = Server(tmp_path_factory.mktemp("milvus"))
    yield server
    server.kill()


def unit_rows(count, dim=32, seed=0):
    rows = np.random.default_rng(seed).standard_normal((count, dim)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@pytest.fixture(scope="module")
def built(server, tiny_source, tmp_path_factory):
    """The tiny catalogue with its graph in Milvus, shared: not to be changed."""
    out = tmp_path_factory.mktemp("index") / "index"
    build(tiny_source, out, HashEncoder(), quiet=True, storage="milvus", milvus=server.uri)
    return out


def test_without_pymilvus_it_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "pymilvus", None)
    with pytest.raises(ConfigError, match=r"pymilvus, which is not installed\. pip install -r requirements-cluster\.txt"):
        connected("http://127.0.0.1:1")


@pytest.mark.slow
def test_answers_are_those_of_the_file(built, server, tiny_index_dir):
    one, other = IntentionIndex.load(tiny_index_dir, "hash-32"), IntentionIndex.load(built, "hash-32", server.uri)
    for query in [*one.kind_vectors, *unit_rows(20)]:
        near, far = one.nearest(query, 10), other.nearest(query, 10)
        assert near.rows.tolist() == far.rows.tolist()
        np.testing.assert_allclose(near.cosines, far.cosines, atol=1e-5)
    assert len(other.nearest(query, 99).rows) == 14


@pytest.mark.slow
def test_the_same_plan_comes_out(built, server, tiny_index_dir):
    def plan(index):
        library = Library.load(tiny_index_dir / "library", "hash-32")
        made = Pipeline.of(library, index, HashEncoder(), flat_weights(32), Intake()).run(make_request(GOAL)).to_json()
        made.pop("timings_s")
        return made

    expected = plan(IntentionIndex.load(tiny_index_dir, "hash-32"))
    assert any(step["products"] for step in expected["steps"])
    assert plan(IntentionIndex.load(built, "hash-32", server.uri)) == expected


@pytest.mark.slow
def test_the_folder_holds_no_graph_and_is_otherwise_the_same(built, tiny_index_dir):
    manifest = json.loads((built / MANIFEST).read_text())
    assert (manifest["storage"], manifest["shards"]) == ("milvus", 1)
    own = {"intentions-0.milvus", MANIFEST}
    names = {path.name for path in built.iterdir()}
    assert own < names and not list(built.glob("*.hnsw"))
    for path in tiny_index_dir.iterdir():
        if path.is_file() and path.name not in own | {"intentions-0.hnsw"}:
            assert path.read_bytes() == (built / path.name).read_bytes()


@pytest.mark.slow
def test_a_larger_graph_finds_as_hnswlib_does(server, tmp_path):
    vectors, queries = unit_rows(5000), unit_rows(50, seed=1)
    sent = []
    graph = build_graph(vectors, sent.append, "milvus", milvus=server.uri)
    names = graph.save(tmp_path)
    again = IntentionGraph.load(tmp_path, dict.fromkeys(names), 32, server.uri)
    assert (sum(sent), len(graph), len(again), again.storage) == (5000, 5000, 5000, "milvus")
    for query in queries:
        exact = np.argsort(-(vectors @ query), kind="stable")[:100]
        ((rows, cosines),) = again.search(query[None, :], 100)
        assert len(np.intersect1d(rows, exact)) >= 99
        np.testing.assert_allclose(cosines, vectors[rows] @ query, atol=1e-5)
        assert (np.diff(cosines) <= 0).all()


@pytest.mark.slow
def test_a_check_asks_the_server_few_times(built, server, tiny_index_dir, monkeypatch):
    import pymilvus  # noqa: PLC0415 - an optional requirement

    asked, real = [], pymilvus.MilvusClient.search

    def search(client, collection, queries, **how):
        asked.append(len(queries))
        return real(client, collection, queries, **how)

    monkeypatch.setattr(pymilvus.MilvusClient, "search", search)
    report = check(built, HashEncoder(), milvus=server.uri)
    assert replace(report, storage="fp32", bytes=0) == replace(check(tiny_index_dir, HashEncoder()), bytes=0)
    assert sum(asked) > len(asked) == 2  # all steps, then an intention of every product
    monkeypatch.setattr(milvus, "MOST_ANSWERED", 40)
    graph = IntentionIndex.load(built, "hash-32", server.uri).graph
    queries, asked[:] = unit_rows(9), []
    several = graph.search(queries, 10)
    assert asked == [4, 4, 1]
    assert [rows.tolist() for rows, _ in several] == [graph.search(query[None, :], 10)[0][0].tolist() for query in queries]


@pytest.mark.slow
def test_a_build_that_was_killed_sends_only_the_rest(server, monkeypatch):
    vectors, sent = unit_rows(500, seed=2), []
    monkeypatch.setattr(milvus, "BATCH", 100)
    part = MilvusShard.new(server.uri, vectors, 16, 200)
    part.add(vectors[:250])
    graph = build_graph(vectors, sent.append, "milvus", milvus=server.uri)
    assert sum(sent) == 300 and len(graph) == 500
    assert MilvusShard.new(server.uri, vectors, 16, 200).collection == part.collection
    found = [rows[0] for rows, _ in graph.search(vectors[::50], 1)]
    assert found == list(range(0, 500, 50))
    sent.clear()
    build_graph(vectors, sent.append, "milvus", milvus=server.uri)
    assert not sent


@pytest.mark.slow
def test_resume_keeps_what_is_finished_and_builds_what_lies_elsewhere(built, server, tiny_source, tiny_index_dir, tmp_path):
    out = shutil.copytree(built, tmp_path / "index")
    inode = (out / MANIFEST).stat().st_ino
    build(tiny_source, out, HashEncoder(), resume=True, quiet=True, storage="milvus", milvus=server.uri)
    assert (out / MANIFEST).stat().st_ino == inode
    build(tiny_source, out, HashEncoder(), resume=True, quiet=True)
    assert IntentionIndex.load(out, "hash-32").graph.storage == "fp32"


@pytest.mark.slow
def test_the_command_line(server, tiny_source, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(command_line, "open_encoder", lambda name, threads: HashEncoder())
    arguments = ["--catalog", str(tiny_source), "--out", str(tmp_path / "index"), "--store", "milvus", "--quiet"]
    assert command_line.main(arguments) == 2
    unset = "The index is to be in Milvus, but ECOMSCRIPT_MILVUS_URI is not set. Set it, like http://127.0.0.1:19530.\n"
    assert capsys.readouterr().err == unset
    monkeypatch.setenv("ECOMSCRIPT_MILVUS_URI", f"http://me:secret@127.0.0.1:{free_port()}")
    assert command_line.main(arguments) == 2
    assert capsys.readouterr().err == "Milvus does not answer. Start it, or correct ECOMSCRIPT_MILVUS_URI.\n"
    assert not (tmp_path / "index").exists()
    monkeypatch.setenv("ECOMSCRIPT_MILVUS_URI", server.uri)
    assert command_line.main(arguments) == 0
    assert command_line.main(["check", str(tmp_path / "index")]) == 0
    assert json.loads(capsys.readouterr().out)["recall_at_10"] == 1


@pytest.mark.slow
def test_a_server_without_the_collection_is_said(built, tmp_path):
    other = Server(tmp_path)
    try:
        with pytest.raises(IndexFolderError, match=r"Milvus has 0 of the 14 intentions .* Set ECOMSCRIPT_MILVUS_URI to the server"):
            check(built, HashEncoder(), milvus=other.uri)
    finally:
        other.kill()


@pytest.mark.slow
def test_a_killed_server_is_said_and_serves_on_when_it_is_back(built, tiny_source, tmp_path):
    server = Server(tmp_path)
    try:
        build(tiny_source, tmp_path / "index", HashEncoder(), quiet=True, storage="milvus", milvus=server.uri)
        index = IntentionIndex.load(tmp_path / "index", "hash-32", server.uri)
        expected = index.nearest(index.kind_vectors[0], 5).rows.tolist()
        server.kill()
        with pytest.raises(ConfigError, match=r"^Milvus does not answer\. Start it"):
            index.nearest(index.kind_vectors[0], 5)
        server.start()
        again = IntentionIndex.load(tmp_path / "index", "hash-32", server.uri)
        assert again.nearest(index.kind_vectors[0], 5).rows.tolist() == expected
        assert index.nearest(index.kind_vectors[0], 5).rows.tolist() == expected
    finally:
        server.kill()


@pytest.mark.slow
def test_the_app_serves_from_milvus_and_ends_with_a_sentence_without_it(server, tiny_source, tmp_path):
    from ecomscript.association.encoder import SentenceBert  # noqa: PLC0415 - torch

    encoder = SentenceBert()
    build(tiny_source, tmp_path / "file", encoder, quiet=True)
    build(tiny_source, tmp_path / "milvus", encoder, quiet=True, storage="milvus", milvus=server.uri)

    def plan(name, uri):
        command = [sys.executable, "-m", "ecomscript", "plan", "--json", GOAL]
        place = {"ECOMSCRIPT_INDEX": str(tmp_path / name), "ECOMSCRIPT_CACHE": str(tmp_path / "cache")}
        env = environment_of_child(**place, ECOMSCRIPT_MILVUS_URI=uri)
        done = subprocess.run(command, cwd=PROJECT_ROOT, env=env, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout, done.stderr

    status, out, said = plan("milvus", server.uri)
    assert status == 0, said
    one, other = json.loads(plan("file", "")[1]), json.loads(out)
    one.pop("timings_s"), other.pop("timings_s")
    assert other == one and any(step["products"] for step in one["steps"])
    status, out, said = plan("milvus", f"http://127.0.0.1:{free_port()}")
    assert (status, out) == (2, "")
    assert said.splitlines()[-1] == "Milvus does not answer. Start it, or correct ECOMSCRIPT_MILVUS_URI." and "Traceback" not in said
