import json
import shutil
import threading

import numpy as np
import pytest

from ecomscript.association.graph import IntentionGraph, build_graph
from ecomscript.association.index import IntentionIndex
from ecomscript.association.links import Links
from ecomscript.association.shards import FullShard
from ecomscript.errors import IndexFolderError
from ecomscript.folders import MANIFEST, seal
from ecomscript.schema import Intention, Product


def unit_rows(count, dim=16, seed=0):
    rows = np.random.default_rng(seed).standard_normal((count, dim)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def index_of(count, graph=None):
    products = [Product(f"p{n}", f"Product {n}") for n in range(count)]
    intentions = [Intention(f"i{n}", f"intention {n}") for n in range(count)]
    vectors, links = unit_rows(count), Links.of([[n] for n in range(count)])
    kind_vectors, graph = np.zeros((0, 16), np.float32), graph or build_graph(vectors)
    return IntentionIndex("hash-32", "source", products, intentions, [], links, vectors, vectors, kind_vectors, graph)


@pytest.fixture
def folder(tiny_index_dir, tmp_path):
    return shutil.copytree(tiny_index_dir, tmp_path / "index")


def edit_manifest(folder, **changes):
    path = folder / MANIFEST
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_saved_and_loaded_it_is_the_same(tiny_index_dir, tmp_path):
    first = IntentionIndex.load(tiny_index_dir, "hash-32")
    first.save(tmp_path / "again")
    second = IntentionIndex.load(tmp_path / "again", "hash-32")
    assert list(first.products) == list(second.products) == [first.products[n] for n in range(9)]
    assert first.intentions == second.intentions
    assert first.kinds == second.kinds
    assert first.source == second.source
    np.testing.assert_array_equal(first.intention_vectors, second.intention_vectors)
    near, far = (i.nearest(first.product_vectors[0], 5) for i in (first, second))
    np.testing.assert_array_equal(near.rows, far.rows)


def test_rows_lead_from_intentions_to_products_and_back(tiny_index_dir):
    index = IntentionIndex.load(tiny_index_dir, "hash-32")
    for row, products in enumerate(index.products_of_intention):
        assert len(products) and all(row in index.intentions_of_product[n] for n in products)
    tent = next(n for n, intention in enumerate(index.intentions) if intention.text == "sleep dry on a camping weekend")
    assert {index.products[n].brand for n in index.products_of_intention[tent]} == {"Cairnfold", "Tarnhollow"}
    assert {index.products[n].kind for n in index.products_of_kind["family tent"]} == {"family tent"}
    assert isinstance(index.products[0].features, tuple)
    assert next(p for p in index.products if "season" in p.attributes).attributes["season"] == ("spring", "summer")


def test_approximate_search_agrees_with_the_full_scan():
    index = index_of(3000)
    shares = []
    for query in unit_rows(50, seed=1):
        near, exact = index.nearest(query, 10), index.nearest_exact(query, 10)
        assert (np.diff(near.cosines) <= 0).all() and (np.diff(exact.cosines) <= 0).all()
        np.testing.assert_allclose(near.cosines, index.intention_vectors[near.rows] @ query, atol=1e-5)
        shares.append(len(set(near.rows) & set(exact.rows)) / 10)
    assert np.mean(shares) > 0.98


def test_k_is_clamped():
    index = index_of(7)
    assert sorted(index.nearest(unit_rows(1)[0], 100).rows) == list(range(7))
    assert sorted(index.nearest_exact(unit_rows(1)[0], 100).rows) == list(range(7))


class SplitGraph:
    """What hnswlib does when the graph reaches fewer than k rows."""

    def set_ef(self, ef):
        pass

    def get_current_count(self):
        return 30

    def knn_query(self, *args, **kwargs):
        raise RuntimeError("Cannot return the results in a contiguous 2D array.")


def test_a_split_graph_falls_back_to_the_full_scan():
    query = unit_rows(1, seed=2)[0]
    graph = IntentionGraph([FullShard(SplitGraph())], [np.arange(30)])
    np.testing.assert_array_equal(index_of(30, graph).nearest(query, 5).rows, index_of(30).nearest_exact(query, 5).rows)


def test_the_graph_grows_in_chunks():
    added = []
    graph = build_graph(unit_rows(5000), added.append)
    assert sum(added) == len(graph) == 5000
    assert len(added) > 1


def test_searches_of_several_threads_do_not_disturb_each_other():
    index = index_of(2000)
    queries = unit_rows(200, seed=3)
    expected = [index.nearest(q, 10).rows.tolist() for q in queries]
    wrong = []

    def search(k):
        for query, rows in zip(queries, expected, strict=True):
            if index.nearest(query, k).rows[:10].tolist() != rows:
                wrong.append(k)

    threads = [threading.Thread(target=search, args=(10,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({"version": 99}, "has version 99, expected"),
        ({"encoder": "other"}, "has encoder 'other', expected 'hash-32'"),
        ({"space": "l2"}, "has space 'l2', expected 'cosine'"),
        ({"dim": 16}, "have 32 dimensions, expected 16"),
        ({"products": 8}, "has 9 products and 9 vectors, expected 8"),
        ({"intentions": None}, "intentions and .* vectors, expected None"),
        ({"sha256": []}, "names no files"),
    ],
)
def test_a_folder_built_otherwise_is_refused(folder, changes, cause):
    edit_manifest(folder, **changes)
    with pytest.raises(IndexFolderError, match=f"{cause}.* Build it again with"):
        IntentionIndex.load(folder, "hash-32")


def test_another_encoder_is_refused(tiny_index_dir):
    with pytest.raises(IndexFolderError, match="has encoder 'hash-32', expected 'all-MiniLM-L6-v2'"):
        IntentionIndex.load(tiny_index_dir, "all-MiniLM-L6-v2")


def test_a_graph_of_another_size_is_refused(folder):
    manifest = json.loads((folder / MANIFEST).read_text())
    build_graph(unit_rows(5, dim=32)).save(folder)
    names = manifest.pop("sha256")
    seal(folder, names, manifest)
    with pytest.raises(IndexFolderError, match="has 5 intentions, expected"):
        IntentionIndex.load(folder, "hash-32")


FILES = (
    "products.sqlite",
    "intentions.jsonl",
    "kinds.jsonl",
    "links.npz",
    "intentions.npy",
    "products.npy",
    "kinds.npy",
    "intentions-0.hnsw",
    "graph-rows.npz",
)


@pytest.mark.parametrize("name", FILES)
def test_a_flipped_byte_or_a_lost_file_is_noticed(folder, name):
    path = folder / name
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(IndexFolderError, match=f"{name} in .* is damaged"):
        IntentionIndex.load(folder, "hash-32")
    path.unlink()
    with pytest.raises(IndexFolderError, match=f"lacks {name}"):
        IntentionIndex.load(folder, "hash-32")


def test_saving_onto_a_file_is_said(tiny_index_dir, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(IndexFolderError, match=r"cannot be written .* Choose a folder"):
        IntentionIndex.load(tiny_index_dir, "hash-32").save(tmp_path / "file" / "index")
