"""From parts to one calibrated probability."""

import json

import numpy as np
import pytest

from ecomscript.errors import ModelError
from ecomscript.verification.combine import FILE, Combiner, adapter_hash, calibration_error

NAMES = ("whole", "order", "noise")
ADAPTER = "a" * 64


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


@pytest.fixture(scope="module")
def drawn():
    """Parts, labels and the true probabilities of a known logistic model."""
    rng = np.random.default_rng(0)
    parts = rng.normal((5.0, -2.0, 0.0), (3.0, 0.5, 1.0), (4000, 3))
    truth = sigmoid(1.5 * (parts[:, 0] - 5) / 3 + 0.8 * (parts[:, 1] + 2) / 0.5 - 0.4)
    return parts, (rng.random(4000) < truth).astype(int), truth


@pytest.fixture
def folder(tmp_path):
    """A folder whose ``meta.json`` names an adapter."""
    (tmp_path / "meta.json").write_text(json.dumps({"sha256": {"adapter.safetensors": ADAPTER}}))
    return tmp_path


def columns(names, parts):
    return dict(zip(names, parts.T, strict=True))


def test_a_known_logistic_model_is_found_again(drawn):
    parts, labels, truth = drawn
    fitted = Combiner.fit(NAMES[:2], parts[:, :2], labels.tolist(), {"items": 4000})
    assert fitted.names == NAMES[:2]
    assert fitted.coef == pytest.approx([1.5, 0.8], abs=0.15)
    assert fitted.intercept == pytest.approx(-0.4, abs=0.12)
    assert np.abs(fitted.probability(columns(NAMES, parts)) - truth).max() < 0.06
    assert fitted.meta == {"items": 4000}


def test_a_part_that_points_the_wrong_way_is_dropped(drawn):
    parts, labels, _ = drawn
    turned = np.column_stack([parts[:, 0], -parts[:, 1]])
    fitted = Combiner.fit(("whole", "turned"), turned, labels.tolist(), {})
    assert fitted.names == ("whole",)
    assert len(fitted.mean) == len(fitted.scale) == len(fitted.coef) == 1


def test_more_of_a_part_never_speaks_against_a_claim(drawn):
    parts, labels, _ = drawn
    fitted = Combiner.fit(NAMES, parts, labels.tolist(), {})
    for name in fitted.names:
        row = dict.fromkeys(NAMES, np.zeros(5)) | {name: np.linspace(-3, 3, 5)}
        assert (np.diff(fitted.probability(row)) > 0).all()


def test_one_part_is_kept_and_scaled():
    labels = [0, 1] * 50
    scores = np.array([[10.0 * label + n % 7] for n, label in enumerate(labels)])
    fitted = Combiner.fit(("model",), scores, labels, {})
    low, high = fitted.probability({"model": [0.0, 16.0]})
    assert 0 <= low < 0.2 < 0.8 < high <= 1


def test_contributions_and_intercept_add_up_to_the_log_odds(drawn):
    parts, labels, _ = drawn
    fitted = Combiner.fit(NAMES[:2], parts[:, :2], labels.tolist(), {})
    table = columns(NAMES, parts[:20])
    assert fitted.contributions(table).shape == (20, 2)
    assert fitted.logits(table) == pytest.approx(fitted.contributions(table).sum(1) + fitted.intercept)
    assert fitted.probability(table) == pytest.approx(sigmoid(fitted.logits(table)))


def test_what_is_saved_comes_back(drawn, folder):
    parts, labels, _ = drawn
    meta = {"levels": [{"word": "high", "from": 0.7}], "adapter_sha256": adapter_hash(folder)}
    fitted = Combiner.fit(NAMES[:2], parts[:, :2], labels.tolist(), meta)
    fitted.save(folder)
    loaded = Combiner.load(folder, NAMES)
    assert (loaded.names, loaded.meta) == (fitted.names, fitted.meta)
    table = columns(NAMES, parts)
    assert np.abs(loaded.probability(table) - fitted.probability(table)).max() < 1e-5
    loaded.save(folder)
    again = Combiner.load(folder, NAMES)
    assert (again.probability(table) == loaded.probability(table)).all()


GOOD = {"names": ["a"], "mean": [0.0], "scale": [1.0], "coef": [1.0], "intercept": 0.0, "meta": {"adapter_sha256": ADAPTER}}
DAMAGED = [
    "",
    "[]",
    '{"names": ["a"]',
    json.dumps({name: value for name, value in GOOD.items() if name != "coef"}),
    json.dumps({name: value for name, value in GOOD.items() if name != "intercept"}),
    json.dumps({**GOOD, "coef": [1.0, 2.0]}),
    json.dumps({**GOOD, "mean": [None]}),
    json.dumps({**GOOD, "mean": ["x"]}),
    json.dumps({**GOOD, "scale": [float("nan")]}),
    json.dumps({**GOOD, "coef": 1.0}),
    json.dumps({**GOOD, "intercept": "x"}),
    json.dumps({**GOOD, "intercept": float("inf")}),
    json.dumps({**GOOD, "names": ["b"]}),
    json.dumps({name: value for name, value in GOOD.items() if name != "meta"}),
]


@pytest.mark.parametrize("text", DAMAGED)
def test_a_damaged_file_is_named(folder, text):
    (folder / FILE).write_text(text)
    with pytest.raises(ModelError, match=r"combiner\.json cannot be read") as caught:
        Combiner.load(folder, ("a",))
    assert "ecomscript.evaluation.calibrate" in caught.value.fix
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_named(folder):
    with pytest.raises(ModelError, match=r"combiner\.json cannot be read"):
        Combiner.load(folder, ("a",))


def test_parts_that_a_verifier_has_need_not_all_be_used(folder):
    (folder / FILE).write_text(json.dumps(GOOD))
    assert Combiner.load(folder, ("b", "a")).names == ("a",)


@pytest.mark.parametrize("meta", [{}, {"adapter_sha256": ""}, {"adapter_sha256": None}, {"adapter_sha256": "b" * 64}])
def test_what_was_fitted_over_another_adapter_is_refused(folder, meta):
    (folder / FILE).write_text(json.dumps({**GOOD, "meta": meta}))
    with pytest.raises(ModelError, match="fitted over another adapter") as caught:
        Combiner.load(folder, ("a",))
    assert "ecomscript.evaluation.calibrate" in caught.value.fix


@pytest.mark.parametrize("text", [None, "", "{}", '{"sha256": {}}', '{"sha256": "x"}', "[]"])
def test_without_an_adapter_beside_it_it_is_refused(folder, text):
    (folder / FILE).write_text(json.dumps(GOOD))
    (folder / "meta.json").unlink() if text is None else (folder / "meta.json").write_text(text)
    with pytest.raises(ModelError, match=r"combiner\.json cannot be read"):
        Combiner.load(folder, ("a",))


def test_a_signal_speaks_from_its_level_on():
    combiner = Combiner(("a",), np.zeros(1), np.ones(1), np.ones(1), 0.0, {"speaks_from": {"step": 1.5, "order": -2.0}})
    assert combiner.speaks("step", [1.4999, 1.5, 9.0, -np.inf]).tolist() == [False, True, True, False]
    assert combiner.speaks("order", [-2.5, -2.0]).tolist() == [False, True]
    assert combiner.speaks("step", []).tolist() == []


@pytest.mark.parametrize("meta", [{}, {"speaks_from": {}}, {"speaks_from": {"order": 0.0}}])
def test_a_signal_without_a_level_never_speaks(meta):
    combiner = Combiner(("a",), np.zeros(1), np.ones(1), np.ones(1), 0.0, meta)
    assert combiner.speaks("step", [0.0, 100.0]).tolist() == [False, False]


def test_well_calibrated_probabilities_have_almost_no_error(drawn):
    _, labels, truth = drawn
    assert calibration_error(truth, labels.tolist()) < 0.03


def test_sure_and_wrong_is_the_worst():
    assert calibration_error(np.ones(50), [0] * 50) == pytest.approx(1.0)
    assert calibration_error(np.full(100, 0.9), [1, 0] * 50) == pytest.approx(0.4)
    assert calibration_error(np.array([0.0] * 20 + [1.0] * 20), [0] * 20 + [1] * 20) == 0.0


def test_fewer_items_than_bins_are_fine():
    assert calibration_error(np.array([0.2, 0.9]), [0, 1]) == pytest.approx(0.15)
