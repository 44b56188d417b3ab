"""Which of two steps comes first."""

import numpy as np
import pytest
import torch
from fakes import HASH_DIM, HashEncoder

from ecomscript.errors import ModelError
from ecomscript.verification.claims import ScriptClaim
from ecomscript.verification.order import OrderModel, fit_order

STAGES = ("measure the", "cut the", "sand the", "paint the")
THINGS = "shelf table chair bench door frame crate stool rack box".split()


def claim(thing, stages=STAGES):
    return ScriptClaim(f"make a {thing}", tuple(f"{stage} {thing}" for stage in stages))


@pytest.fixture(scope="module")
def fitted():
    return fit_order([claim(thing) for thing in THINGS], HashEncoder().encode, epochs=40)


def test_an_order_seen_in_scripts_holds_for_another_thing(fitted):
    log_odds = fitted.log_odds(claim("ladder"), HashEncoder().encode)
    above = np.triu_indices(4, 1)
    assert log_odds.shape == (4, 4)
    assert (log_odds[above] > 0).all()
    turned = fitted.log_odds(claim("ladder", STAGES[::-1]), HashEncoder().encode)
    assert (turned[above] < 0).all()


def test_only_what_stands_above_the_diagonal_counts(fitted):
    log_odds = fitted.log_odds(claim("ladder"), HashEncoder().encode)
    assert (log_odds[np.tril_indices(4)] == 0).all()


def test_the_two_directions_are_opposite():
    torch.manual_seed(0)
    model = OrderModel(8).eval()
    objective, a, b = torch.randn(3, 20, 8)
    forth, back = model(objective, a, b), model(objective, b, a)
    assert torch.allclose(forth, -back, atol=1e-5)
    assert forth.abs().max() > 0.01
    assert torch.allclose(model(objective, a, a), torch.zeros(20), atol=1e-6)


def test_turning_a_script_round_turns_the_log_odds_round(fitted):
    encode = HashEncoder().encode
    forth = fitted.log_odds(claim("ladder", STAGES[:2]), encode)[0, 1]
    back = fitted.log_odds(claim("ladder", STAGES[1::-1]), encode)[0, 1]
    assert forth == pytest.approx(-back, abs=1e-4)


def test_a_single_step_has_no_order(fitted):
    assert fitted.log_odds(ScriptClaim("make a shelf", ("cut it",)), HashEncoder().encode).tolist() == [[0.0]]


def test_the_same_seed_learns_the_same():
    scripts = [claim(thing) for thing in THINGS[:3]]
    one, two, other = (fit_order(scripts, HashEncoder().encode, seed, 2).state_dict() for seed in (0, 0, 1))
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert any(not torch.equal(one[name], other[name]) for name in one)


def test_what_is_saved_comes_back_within_half_precision(fitted, tmp_path):
    fitted.save(tmp_path)
    loaded = OrderModel.load(tmp_path)
    assert loaded.late.weight.shape == (1, HASH_DIM)
    assert not loaded.training
    for name, tensor in fitted.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], tensor.half().float()), name


@pytest.mark.parametrize("content", [None, b"", b"no weights"])
def test_a_missing_or_damaged_file_is_named(tmp_path, content):
    if content is not None:
        (tmp_path / "order.safetensors").write_bytes(content)
    with pytest.raises(ModelError, match=r"order\.safetensors"):
        OrderModel.load(tmp_path)
