import numpy as np
import pytest
from fakes import HashEncoder

from ecomscript.association import vector_store
from ecomscript.association.vector_store import StoredEncoder, VectorStore, open_encoder
from ecomscript.errors import ModelError

TEXTS = [f"{word} {n}" for n, word in enumerate(("sleep", "cook", "carry", "light", "bake", "read", "hike", "boil", "spread", "mark"))]


def store_of(texts):
    return VectorStore.of(texts, HashEncoder().encode(texts))


def stored(texts, model=None):
    return StoredEncoder("hash-32", store_of(texts), lambda: model or pytest.fail("the model was opened"))


def test_known_texts_come_back_nearly_exact():
    rows, known = store_of(TEXTS).look_up(TEXTS[::-1])
    assert known.all()
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-6)
    assert (rows * HashEncoder().encode(TEXTS[::-1])).sum(axis=1).min() > 0.999


def test_quantising_twice_changes_nothing():
    once, _ = store_of(TEXTS).look_up(TEXTS)
    twice, _ = VectorStore.of(TEXTS, once).look_up(TEXTS)
    np.testing.assert_allclose(once, twice, atol=1e-7)


def test_unknown_texts_are_told_apart():
    rows, known = store_of(TEXTS).look_up(["unknown", TEXTS[0]])
    assert known.tolist() == [False, True]
    assert not rows[0].any()


def test_saved_in_parts_and_loaded(tmp_path, monkeypatch):
    monkeypatch.setattr(vector_store, "ROWS_PER_FILE", 4)
    store_of(TEXTS).save(tmp_path, "hash-32")
    assert len(list(tmp_path.iterdir())) == 3
    loaded = VectorStore.load(tmp_path, "hash-32")
    assert (len(loaded), loaded.dim) == (10, 32)
    np.testing.assert_array_equal(loaded.look_up(TEXTS)[0], store_of(TEXTS).look_up(TEXTS)[0])
    store_of(TEXTS[:2]).save(tmp_path, "hash-32")
    assert len(VectorStore.load(tmp_path, "hash-32")) == 2


@pytest.mark.parametrize("name", ["someone/model-a", "/models/a b", "model[1]", "*"])
def test_encoders_keep_apart_whatever_their_names(tmp_path, name):
    store_of(TEXTS).save(tmp_path, name)
    assert len(VectorStore.load(tmp_path, name)) == 10
    assert len(VectorStore.load(tmp_path, f"{name}-large")) == 0
    assert all(path.parent == tmp_path for path in tmp_path.rglob("*"))


def test_an_empty_store(tmp_path):
    store = VectorStore.load(tmp_path, "hash-32")
    rows, known = store.look_up(["a", "b"])
    assert (len(store), store.dim, rows.shape, known.any()) == (0, 0, (2, 0), False)
    assert len(VectorStore.of([], np.zeros((0, 32), np.float32))) == 0


def test_a_damaged_file_is_said(tmp_path):
    store_of(TEXTS).save(tmp_path, "hash-32")
    (path,) = tmp_path.iterdir()
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(ModelError, match=r"are damaged .* check them out again"):
        VectorStore.load(tmp_path, "hash-32")


def test_the_model_is_opened_only_for_unknown_texts():
    assert stored(TEXTS).encode(TEXTS[:3]).shape == (3, 32)
    assert stored(TEXTS).encode([]).shape == (0, 32)
    assert stored(TEXTS).dim == 32
    model = HashEncoder()
    rows = stored(TEXTS, model).encode(["new", TEXTS[0], "newer"])
    assert model.encoded == ["new", "newer"]
    expected = HashEncoder().encode(["new", TEXTS[0], "newer"])
    assert (rows * expected).sum(axis=1).min() > 0.999
    np.testing.assert_array_equal(rows[[0, 2]], expected[[0, 2]])


def test_an_empty_store_leaves_all_to_the_model(tmp_path):
    model = HashEncoder()
    encoder = StoredEncoder("hash-32", VectorStore.load(tmp_path, "hash-32"), lambda: model)
    assert encoder.dim == 32
    np.testing.assert_array_equal(encoder.encode(TEXTS), HashEncoder().encode(TEXTS))
    assert encoder.encode([]).shape == (0, 32)


def test_open_encoder_reads_the_store_of_that_encoder(tmp_path):
    store_of(TEXTS).save(tmp_path, "hash-32")
    assert open_encoder("hash-32", folder=tmp_path).encode(TEXTS).shape == (10, 32)
