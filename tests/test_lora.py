"""The model under all verifiers, on an encoder and on a decoder of two layers."""

import json
import warnings

import numpy as np
import pytest
import torch
from fake_models import SMALL, model_of, write_bert

from ecomscript.errors import ModelError
from ecomscript.verification.lora import ADAPTER, HEAD, META, Base, LoraSettings, SegmentModel, collate, load_adapter, special_tokens

INPUTS = [
    ("camp for a night", "pack a tent", "light the stove", "sleep"),
    ("bake a cake",),
    ("paint a wall", "buy a brush, 5 cm", "paint it"),
    ("a", "b" * 90, "c d e f g h i j k l m n o p"),
    ("good", "bad"),
]


@pytest.fixture(scope="module")
def bert(tiny_bert):
    return Base(str(tiny_bert))


@pytest.fixture(scope="module")
def llama(tiny_llama):
    return Base(str(tiny_llama))


@pytest.fixture(params=["bert", "llama"])
def base(request, bert, llama):
    return {"bert": bert, "llama": llama}[request.param].copy()


@pytest.fixture(autouse=True)
def _quiet():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PEFT: nothing to exclude in a Llama
        yield


def test_an_encoder_has_its_own_special_tokens(bert):
    tokenizer = bert.tokenizer
    assert special_tokens(tokenizer) == (tokenizer.cls_token_id, tokenizer.sep_token_id, tokenizer.pad_token_id)


def test_a_decoder_separates_and_pads_with_its_end_of_text(llama):
    tokenizer = llama.tokenizer
    assert tokenizer.pad_token_id is None
    assert special_tokens(tokenizer) == (tokenizer.bos_token_id, tokenizer.eos_token_id, tokenizer.eos_token_id)


def test_a_batch_is_start_segments_separators_and_padding(base):
    start, separator, padding = special_tokens(base.tokenizer)
    batch = collate(base.tokenizer, [("camp tent", "sleep"), ("good",)], 64)
    camp, tent, sleep, good = base.tokenizer("camp tent sleep good", add_special_tokens=False)["input_ids"]
    assert batch.ids.tolist() == [[start, camp, tent, separator, sleep, separator], [start, good, separator, padding, padding, padding]]
    assert batch.mask.tolist() == [[1, 1, 1, 1, 1, 1], [1, 1, 1, 0, 0, 0]]
    assert batch.segment.tolist() == [[0, 1, 1, 0, 2, 0], [0, 1, 0, 0, 0, 0]]
    assert batch.counts.tolist() == [[2.0, 1.0], [1.0, 0.0]]


@pytest.mark.parametrize("length", [16, 24, 64])
def test_what_is_too_long_is_cut_evenly(bert, length):
    segments = ("good", "b" * 90, "c " * 70, "bad " * 4)
    batch = collate(bert.tokenizer, [segments], length)
    assert batch.ids.shape == (1, length) or batch.ids.shape[1] in range(length - 2, length)
    counts = batch.counts[0].tolist()
    assert counts[0] == 1
    assert counts[1] == counts[2] == max(counts)
    assert counts[3] == min(4, counts[1])
    assert [int((batch.segment[0] == n).sum()) for n in range(1, 5)] == counts


def test_what_fits_is_not_cut(bert):
    batch = collate(bert.tokenizer, [("good bad",), ("b" * 61,)], 64)
    assert batch.counts.tolist() == [[2.0], [61.0]]


def test_an_empty_segment_is_one_token(bert):
    batch = collate(bert.tokenizer, [("good", "", "bad")], 64)
    assert batch.counts.tolist() == [[1.0, 1.0, 1.0]]
    assert sorted(set(batch.segment[0].tolist())) == [0, 1, 2, 3]


def test_logits_of_wholes_and_segments(base):
    model = model_of(base)
    whole, segments = model(model.collate(INPUTS))
    assert whole.shape == (5,)
    assert segments.shape == (5, 4)
    present = torch.tensor([[n < len(segments) for n in range(4)] for segments in INPUTS])
    assert torch.isfinite(whole).all()
    assert torch.isfinite(segments[present]).all()
    assert (segments[~present] == -torch.inf).all()


def test_padding_changes_nothing(base):
    model = model_of(base).eval()
    with torch.inference_mode():
        alone, parts = model(model.collate(INPUTS[1:2]))
        together, all_parts = model(model.collate(INPUTS))
    assert together[1].item() == pytest.approx(alone.item(), abs=1e-4)
    assert all_parts[1, 0].item() == pytest.approx(parts[0, 0].item(), abs=1e-4)


def test_scores_keep_the_order_of_the_inputs_and_are_repeatable(base):
    model = model_of(base)
    first, again = model.score(INPUTS), model.score(INPUTS)
    assert (first.whole == again.whole).all()
    assert len(set(first.whole.round(3).tolist())) == len(INPUTS)
    turned = model.score(INPUTS[::-1])
    assert np.allclose(turned.whole[::-1], first.whole, atol=1e-4)
    assert [len(parts) for parts in first.segments] == [len(segments) for segments in INPUTS]
    assert all(np.allclose(a, b, atol=1e-4) for a, b in zip(turned.segments[::-1], first.segments, strict=True))


def test_many_inputs_go_through_in_batches(bert):
    model = model_of(bert.copy())
    many = INPUTS * 60
    assert np.allclose(model.score(many).whole, np.tile(model.score(INPUTS).whole, 60), atol=1e-4)


def test_no_inputs_have_no_scores(bert):
    found = model_of(bert.copy()).score([])
    assert found.whole.shape == (0,)
    assert found.segments == []


def test_only_the_adapter_and_the_heads_learn(base):
    model = SegmentModel(base, SMALL)
    learns = [name for name, parameter in model.named_parameters() if parameter.requires_grad]
    assert learns
    assert all("lora_" in name or name.startswith(("whole_head", "segment_head")) for name in learns)
    assert any("lora_" in name for name in learns)
    assert not any("pooler" in name for name in learns)


def test_the_lower_layers_can_be_left_alone(base):
    model = SegmentModel(base, LoraSettings(rank=2, layers=1))
    adapted = [name for name, _ in model.encoder.named_parameters() if "lora_A" in name]
    assert adapted
    assert all(".1." in name for name in adapted)


def test_what_is_saved_comes_back_within_half_precision(base, tmp_path):
    twin = base.copy()
    model = model_of(base)
    model.save(tmp_path / "adapter", {"task": "t1"})
    restored = SegmentModel(twin, SMALL)
    restored.restore(tmp_path / "adapter")
    found = dict(restored.named_parameters())
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            assert torch.equal(found[name], parameter.half().float()), name
    assert np.allclose(restored.score(INPUTS).whole, model.score(INPUTS).whole, atol=0.01)


def test_the_meta_file_says_what_it_was_made_with(bert, tiny_bert, tmp_path):
    model_of(bert.copy()).save(tmp_path, {"task": "t2", "seconds": 3})
    meta = json.loads((tmp_path / META).read_text())
    assert meta["base_model"] == str(tiny_bert)
    assert meta["base_sha256"] == bert.sha256
    assert meta["lora"] == {"rank": 4, "alpha": 8, "dropout": 0.0, "layers": 0, "max_length": 64}
    assert set(meta["sha256"]) == {ADAPTER, HEAD}
    assert (meta["task"], meta["seconds"]) == ("t2", 3)


def test_a_merged_adapter_says_the_same(base, tmp_path):
    twin = base.copy()
    model = model_of(base)
    model.save(tmp_path / "adapter", {"task": "t1"})
    plain, merged = model.score(INPUTS), load_adapter(tmp_path / "adapter", "t1", twin).score(INPUTS)
    # bfloat16 where the processor has it
    assert np.allclose(merged.whole, plain.whole, atol=0.1)
    assert all(np.allclose(a, b, atol=0.1) for a, b in zip(merged.segments, plain.segments, strict=True))
    assert np.abs(plain.whole).max() > 0.2


@pytest.fixture
def adapter(bert, tmp_path):
    model_of(bert.copy()).save(tmp_path / "t1", {"task": "t1"})
    return tmp_path / "t1"


def test_several_adapters_share_one_reading_of_the_base(adapter, bert):
    before = {name: tensor.clone() for name, tensor in bert.model.state_dict().items()}
    one, two = load_adapter(adapter, "t1", bert), load_adapter(adapter, "t1", bert)
    assert (one.score(INPUTS).whole == two.score(INPUTS).whole).all()
    assert all(torch.equal(tensor, before[name]) for name, tensor in bert.model.state_dict().items())


def test_an_adapter_opens_the_base_that_it_names(adapter, llama):
    assert load_adapter(adapter, "t1").base.model.config.model_type == "bert"
    assert load_adapter(adapter, "t1", llama).base.model.config.model_type == "bert"


def flip(path):
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


def edit(path, **values):
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


DAMAGE = [
    (lambda d: (d / META).unlink(), "cannot be read", "train it"),
    (lambda d: (d / ADAPTER).unlink(), "cannot be read", "train it"),
    (lambda d: (d / HEAD).unlink(), "cannot be read", "train it"),
    (lambda d: flip(d / ADAPTER), f"{ADAPTER} is damaged", "train it"),
    (lambda d: flip(d / HEAD), f"{HEAD} is damaged", "train it"),
    (lambda d: (d / META).write_text("{"), "cannot be read", "train it"),
    (lambda d: (d / META).write_text("[]"), "cannot be read", "train it"),
    (lambda d: edit(d / META, lora={"rank": 4, "colour": "red"}), "cannot be read", "train it"),
    (lambda d: edit(d / META, task="t2"), "is for t2, expected t1", "train it"),
    (lambda d: edit(d / META, base_sha256="0" * 64), "trained on other weights", "Use the base that it names"),
    (lambda d: edit(d / META, base_model="/nowhere/bert"), "'/nowhere/bert' cannot be loaded", "folder that exists"),
]


@pytest.mark.parametrize(("damage", "cause", "fix"), DAMAGE)
def test_an_adapter_that_cannot_be_used_says_why_and_what_to_do(adapter, bert, damage, cause, fix):
    damage(adapter)
    with pytest.raises(ModelError) as caught:
        load_adapter(adapter, "t1", bert)
    assert cause in caught.value.cause
    assert fix in caught.value.fix
    assert "\n" not in str(caught.value)


def test_a_missing_folder_is_named(tmp_path, bert):
    with pytest.raises(ModelError, match="nothing cannot be read"):
        load_adapter(tmp_path / "nothing", "t1", bert)


def test_another_base_under_the_same_name_is_refused(tmp_path):
    folder = write_bert(tmp_path / "bert", seed=1)
    model_of(Base(str(folder))).save(tmp_path / "t1", {"task": "t1"})
    write_bert(folder, seed=2)
    with pytest.raises(ModelError, match="trained on other weights"):
        load_adapter(tmp_path / "t1", "t1")


@pytest.mark.parametrize("name", ["no-such-model-anywhere", "/nowhere"])
def test_a_base_that_does_not_exist_is_one_sentence(name):
    with pytest.raises(ModelError) as caught:
        Base(name)
    assert repr(name) in caught.value.cause
    assert "\n" not in str(caught.value)
