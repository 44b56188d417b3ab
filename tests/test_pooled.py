"""Several adapters of a task as one."""

import numpy as np
import pytest
from fake_models import model_of

from ecomscript.errors import ModelError
from ecomscript.verification.lora import Base, SegmentModel
from ecomscript.verification.pooled import PooledModel, open_model

CLAIMS = [("camp", "sleep", "a good tent"), ("bake a cake", "buy flour")]


@pytest.fixture
def folders(tmp_path, tiny_bert):
    """Two adapters of T2."""
    for seed in (0, 1):
        model_of(Base(str(tiny_bert)), seed=seed).save(tmp_path / str(seed), {"task": "t2"})
    return [tmp_path / "0", tmp_path / "1"]


def test_logits_of_wholes_and_segments_are_averaged(folders):
    told = [open_model([folder], "t2").score(CLAIMS) for folder in folders]
    pooled = open_model(folders, "t2")
    assert isinstance(pooled, PooledModel)
    found = pooled.score(CLAIMS)
    assert np.allclose(found.whole, (told[0].whole + told[1].whole) / 2, atol=1e-4)
    assert [len(parts) for parts in found.segments] == [3, 2]
    for parts, first, second in zip(found.segments, told[0].segments, told[1].segments, strict=True):
        assert np.allclose(parts, (first + second) / 2, atol=1e-4)
    assert found.whole.std() > 0 and not np.allclose(told[0].whole, told[1].whole)


def test_one_adapter_stays_itself_and_a_missing_one_is_an_error(folders, tmp_path):
    assert isinstance(open_model(folders[:1], "t2"), SegmentModel)
    assert len(open_model(folders, "t2").score([]).whole) == 0
    with pytest.raises(ModelError, match="none"):
        open_model([*folders, tmp_path / "none"], "t2")
