"""One graph or several, in full precision or bytes: the same rows are found."""

import sys
import threading

import numpy as np
import pytest
from test_index import index_of, unit_rows

import index_build.bench_scale as scale
from ecomscript.association import index as indexing
from ecomscript.association.graph import MOST_REMOVED, STORAGES, IntentionGraph, build_graph
from ecomscript.association.index import IntentionIndex
from ecomscript.association.shards import effort_of
from ecomscript.errors import ConfigError
from index_build import check as checking
from index_build.bench_scale import bench_scale, perturbed
from index_build.check import exact_rows, recall, unreachable_share


@pytest.mark.parametrize("storage", STORAGES)
@pytest.mark.parametrize("shard_rows", [400, 10_000])
def test_shards_are_searched_together(storage, shard_rows):
    vectors = unit_rows(3000)
    graph = build_graph(vectors, storage=storage, shard_rows=shard_rows)
    assert (len(graph), graph.storage, len(graph.shards)) == (3000, storage, 8 if shard_rows == 400 else 1)
    index = index_of(3000, graph)
    assert recall(index, unit_rows(60, seed=1), 10) > 0.98
    for query in unit_rows(20, seed=2):
        found = index.nearest(query, 50)
        assert len(set(found.rows.tolist())) == 50 and (np.diff(found.cosines) <= 0).all()
        np.testing.assert_allclose(found.cosines, vectors[found.rows] @ query, atol=1e-5)  # also where bytes are stored


def test_scores_of_shards_merge_exactly():
    vectors, query = unit_rows(900), unit_rows(1, seed=4)[0]
    graph = build_graph(vectors, shard_rows=100)
    ((rows, _),) = graph.search(query[None, :], 30)
    assert rows.tolist() == np.argsort(-(vectors @ query), kind="stable")[:30].tolist()


@pytest.mark.parametrize("storage", STORAGES)
def test_the_same_vectors_give_the_same_bytes(storage, tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        build_graph(unit_rows(2500), storage=storage, shard_rows=1000).save(tmp_path / name)
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()


@pytest.mark.parametrize("storage", STORAGES)
def test_an_index_keeps_its_storage(storage, tmp_path, monkeypatch):
    index_of(700, build_graph(unit_rows(700), storage=storage, shard_rows=300)).save(tmp_path)
    monkeypatch.setattr(indexing, "IN_MEMORY", 100)
    index = IntentionIndex.load(tmp_path, "hash-32")
    assert index.graph.storage == storage and len(index.graph.shards) == 3
    assert isinstance(index.intention_vectors, np.memmap)
    query = unit_rows(1, seed=5)[0]
    assert index.nearest(query, 20).rows.tolist() == index.nearest_exact(query, 20).rows.tolist()


def test_bytes_take_a_third_of_the_room():
    full, byte = (build_graph(unit_rows(2000, dim=384), storage=storage).size_bytes() for storage in STORAGES)
    assert byte < 0.35 * full


@pytest.mark.parametrize("storage", STORAGES)
@pytest.mark.parametrize("share", [0.1, 2 * MOST_REMOVED])
def test_rows_move_go_and_come(storage, share, tmp_path):
    before, fresh = unit_rows(1000), unit_rows(200, seed=6)
    stays = np.random.default_rng(0).random(1000) > share
    row_now = np.where(stays, np.cumsum(stays) - 1 + len(fresh), -1)
    vectors = np.concatenate([fresh, before[stays]])
    graph = build_graph(before, storage=storage, shard_rows=400).updated(row_now, vectors)
    names = graph.save(tmp_path)
    for one in (graph, IntentionGraph.load(tmp_path, dict.fromkeys(names), 16)):
        assert len(one) == len(vectors)
        queries = unit_rows(20, seed=7)
        for query, (found, _) in zip(queries, one.nearest(queries, 10, vectors), strict=True):
            assert len(np.intersect1d(found, np.argsort(-(vectors @ query))[:10])) >= 9


def test_without_faiss_the_sentence_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "faiss", None)
    with pytest.raises(ConfigError, match=r"needs faiss, which is not installed\. pip install -r requirements-scale.txt"):
        build_graph(unit_rows(50), storage="sq8")


def test_threads_search_bytes_side_by_side():
    graph, queries, found = build_graph(unit_rows(1500), storage="sq8"), unit_rows(40, seed=8), {}

    def search(name):
        found[name] = [graph.search(q[None, :], 5)[0][0].tolist() for q in queries]

    expected = [rows.tolist() for rows, _ in graph.search(queries, 5)]

    threads = [threading.Thread(target=search, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [found[n] for n in range(4)] == [expected] * 4


def test_made_up_vectors_lie_near_real_ones():
    real = unit_rows(50, dim=64)
    rows = perturbed(real, 220, np.random.default_rng(0))
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)
    assert {tuple(row) for row in rows[:50]} == {tuple(row) for row in real}
    nearest = (rows[50:] @ real.T).max(axis=1)
    assert nearest.min() > 0.6 and nearest.max() < 1


def test_exact_neighbours_block_by_block(monkeypatch):
    monkeypatch.setattr(checking, "BLOCK", 70)
    vectors, queries = unit_rows(500), unit_rows(9, seed=1)
    expected = np.sort(np.argsort(-(queries @ vectors.T), axis=1)[:, :10], axis=1)
    np.testing.assert_array_equal(np.sort(exact_rows(vectors, queries, 10), axis=1), expected)


def test_products_of_a_large_index_are_drawn(monkeypatch):
    monkeypatch.setattr(checking, "MOST_PRODUCTS", 50)
    monkeypatch.setattr(checking, "AT_ONCE", 20)
    index, asked = index_of(300), []

    def search(queries, k):
        asked.append(len(queries))
        return [index.nearest_exact(query, k) for query in queries]

    monkeypatch.setattr(index, "nearest_of_each", search)
    assert unreachable_share(index) == 0
    assert 0 < sum(asked) <= 50 and max(asked) <= 20


def test_scale_is_measured(tiny_source, encoder, monkeypatch):
    for name, value in {"SIZES": (200, 400), "REFERENCE": 400, "FULL_SIZE": 800}.items():
        monkeypatch.setattr(scale, name, value)
    told = []
    rows = bench_scale(tiny_source, encoder, ("fp32",), tell=told.append)
    found = [row for row in rows if row["row"] == "search"]
    assert len(told) == len(found) == 3 + 3 + 2
    assert all(row["recall_at_10"] > 0.98 for row in found)
    unit = next(row for row in found if row["search"].startswith("fp32") and row["intentions"] == 400)
    assert unit["latency_p50_relative"] == unit["latency_p99_relative"] == 1
    assert {row["cost"] for row in rows if row["row"] == "growth"} == {"build_cpu_s", "bytes"}
    estimates = [row for row in rows if row["row"] == "estimate"]
    assert [row["measured_up_to"] for row in estimates] == [800, 400]
    assert all(row["shards"] == 25 and row["memory_gb"] > 1 for row in estimates)


def test_large_graphs_are_built_faster_and_searched_wider():
    small, large = effort_of(50_000), effort_of(1_000_000)
    assert large.ef_construction < small.ef_construction and large.ef > small.ef
