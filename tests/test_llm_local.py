"""The back end for models on this machine: a tiny one with random weights (test_small_llama.py has a real one)."""

import time

import pytest
import torch

from ecomscript.config import Settings
from ecomscript.errors import LanguageModelError, ModelError
from ecomscript.llm.chat import ChatOptions, Delta, Message, Reply
from ecomscript.llm.choose import open_chat
from ecomscript.llm.local import LocalChat
from ecomscript.llm.weights import load_causal

ASK = [Message("system", "Be brief."), Message("user", "pack a tent")]


@pytest.fixture(scope="module")
def tiny(tiny_llama):
    return LocalChat(str(tiny_llama))


def ask(model, **options):
    *deltas, reply = model.chat(ASK, ChatOptions(**{"max_tokens": 12, "temperature": 0.0, **options}))
    assert all(isinstance(delta, Delta) for delta in deltas)
    assert isinstance(reply, Reply)
    return "".join(delta.text for delta in deltas), reply


def test_an_answer_arrives_with_its_usage(tiny):
    text, reply = ask(tiny)
    assert text.strip()
    assert 0 < reply.usage.completion_tokens <= 12
    assert reply.usage.prompt_tokens > 5
    assert (reply.usage.calls, reply.usage.cost_usd, reply.usage.estimated) == (1, 0.0, False)
    assert ask(tiny) == (text, reply)


def test_log_probabilities_of_the_first_token(tiny):
    told = ask(tiny, top_logprobs=5)[1].first_logprobs
    assert 1 <= len(told) <= 5
    assert all(value < 0 for value in told.values())
    assert max(told, key=told.get) == next(iter(told))
    assert ask(tiny)[1].first_logprobs == {}


def test_an_answer_that_is_cut(tiny):
    assert ask(tiny, max_tokens=1)[1].finish == "length"


def test_a_question_that_is_too_long(tiny):
    long = [Message("user", "tent " * 5000)]
    with pytest.raises(LanguageModelError, match=r"The question has .* tokens, .* reads at most 2048"):
        list(tiny.chat(long, ChatOptions()))


def test_stopping_ends_the_answer_and_lets_the_next_one_in(tiny):
    pieces = tiny.chat(ASK, ChatOptions(max_tokens=1500))
    next(pieces)
    pieces.close()
    began = time.monotonic()
    ask(tiny)
    assert time.monotonic() - began < 2


def test_an_answer_that_takes_too_long(tiny):
    with pytest.raises(LanguageModelError, match="did not finish within"):
        list(tiny.chat(ASK, ChatOptions(max_tokens=1500, timeout_s=1e-6)))
    ask(tiny)


def test_weights_that_are_not_there():
    with pytest.raises(ModelError, match="'/nowhere' cannot be loaded"):
        open_chat(Settings(local_model="/nowhere"))


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_four_bits_need_a_gpu(tiny_llama):
    with pytest.raises(ModelError, match="Four bits need a GPU"):
        load_causal(str(tiny_llama), four_bit=True)


def test_a_local_model_goes_before_a_service(tiny_llama):
    chat = open_chat(Settings(local_model=str(tiny_llama), openai_api_key="sk-x"))
    assert chat.name == tiny_llama.name
    assert isinstance(list(chat.chat(ASK, ChatOptions(max_tokens=2)))[-1], Reply)
    assert open_chat(Settings()) is None
