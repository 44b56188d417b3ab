"""The back end for services: what is asked and told, and what every way to fail ends in."""

import logging
import threading
import time

import pytest
from chat_server import KEY

from ecomscript.config import Settings
from ecomscript.errors import LanguageModelError
from ecomscript.llm.chat import ChatOptions, Delta, Message, Reply
from ecomscript.llm.choose import open_chat
from ecomscript.llm.prices import cost_usd
from ecomscript.llm.service import OPENAI, ServiceChat

ASK = [Message("system", "Be brief."), Message("user", "Plan a camping weekend")]
SCHEMA = {"type": "object", "properties": {"steps": {"type": "array"}}, "required": ["steps"], "additionalProperties": False}
PLAIN = ChatOptions(timeout_s=10)


def ask(server, model="good", options=PLAIN, key=KEY):
    *deltas, reply = ServiceChat(model, key, server.url).chat(ASK, options)
    assert all(isinstance(delta, Delta) for delta in deltas)
    assert isinstance(reply, Reply)
    return "".join(delta.text for delta in deltas), reply


def fails(server, model, options=PLAIN, key=KEY):
    with pytest.raises(LanguageModelError) as caught:
        ask(server, model, options, key)
    assert caught.value.__cause__ is None
    assert key not in str(caught.value)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_an_answer_arrives_in_pieces_with_its_usage(chat_server):
    chat_server.pause_s = 0.01
    pieces = list(ServiceChat("good", KEY, chat_server.url).chat(ASK, PLAIN))
    assert sum(isinstance(piece, Delta) and piece.text != "" for piece in pieces) > 20
    usage = pieces[-1].usage
    assert (usage.calls, usage.prompt_tokens, usage.completion_tokens, usage.estimated) == (1, 100, 50, False)
    assert usage.cost_usd is None
    assert chat_server.keys == [KEY]
    assert chat_server.asked[0]["messages"] == [{"role": m.role, "content": m.content} for m in ASK]
    assert (chat_server.asked[0]["stream"], chat_server.asked[0]["temperature"]) == (True, 0.3)


def test_two_pieces_are_never_far_apart(chat_server):
    began, waited = time.monotonic(), []
    for piece in ServiceChat("silent", KEY, chat_server.url).chat(ASK, PLAIN):
        waited.append(time.monotonic() - began)
        assert piece == Delta("")
        if len(waited) == 3:
            break
    assert waited[-1] < 2


def test_stopping_closes_the_request(chat_server):
    pieces = ServiceChat("silent", KEY, chat_server.url).chat(ASK, ChatOptions(timeout_s=60))
    next(pieces)
    assert not chat_server.broken_off.is_set()
    pieces.close()
    assert chat_server.broken_off.wait(3)


def test_a_schema_is_asked_for_in_the_strictest_way_that_the_service_knows(chat_server):
    options = ChatOptions(schema=SCHEMA, timeout_s=10)
    assert ask(chat_server, "good", options)[0].startswith('{"steps"')
    assert chat_server.asked[-1]["response_format"]["json_schema"]["schema"] == SCHEMA
    model = ServiceChat("old", KEY, chat_server.url)
    assert isinstance(list(model.chat(ASK, options))[-1], Reply)
    forms = [asked.get("response_format", {}).get("type") for asked in chat_server.asked[1:]]
    assert forms == ["json_schema", "json_object", None]
    assert isinstance(list(model.chat(ASK, options))[-1], Reply)
    assert len(chat_server.asked) == 5  # what was refused once is not tried again


def test_a_schema_that_crashes_the_service_is_asked_for_in_another_way(chat_server):
    model = ServiceChat("llama-cpp", KEY, chat_server.url, retries=0)
    for _ in range(2):
        assert isinstance(list(model.chat(ASK, ChatOptions(schema=SCHEMA, timeout_s=10)))[-1], Reply)
    assert [asked["response_format"]["type"] for asked in chat_server.asked] == ["json_schema", "json_object", "json_object"]


@pytest.mark.parametrize(("model", "name"), [("picky", "temperature"), ("strict", "stream_options")])
def test_what_a_service_does_not_understand_is_left_out(chat_server, model, name):
    text, reply = ask(chat_server, model)
    assert text.startswith('{"steps"')
    assert [name in asked for asked in chat_server.asked] == [True, False]
    assert reply.usage.estimated == (model == "strict")
    assert reply.usage.tokens > 20


def test_log_probabilities_of_the_first_token(chat_server):
    told = ask(chat_server, "good", ChatOptions(top_logprobs=3, timeout_s=10))[1].first_logprobs
    assert told == {"Yes": -0.1, "yes": -4.0, "No": -2.5}
    assert ask(chat_server)[1].first_logprobs == {}


@pytest.mark.parametrize("model", ["busy-once", "failing-once"])
def test_a_passing_failure_is_tried_again(chat_server, model):
    assert ask(chat_server, model)[0].startswith('{"steps"')
    assert len(chat_server.asked) == 2


FAILURES = {
    "busy": "too many requests",
    "broke": "no credit left",
    "failing": "failed with status 500",
    "missing": "does not have the model 'missing'",
    "small": "too long for the model 'small'",
    "html": "does not answer like a chat service",
    "not-events": "does not answer like a chat service",
    "dies": "broke off in the middle",
}


@pytest.mark.parametrize("model", FAILURES)
def test_a_failure_is_one_sentence_of_ours(chat_server, model):
    said = fails(chat_server, model)
    assert FAILURES[model] in said
    assert "CUDA" not in said
    assert "secret" not in said


def test_a_wrong_key_is_said_and_never_shown(chat_server, caplog, capsys):
    caplog.set_level(logging.DEBUG)
    said = fails(chat_server, "good", key="wrong")
    assert "does not accept the key. Check OPENAI_API_KEY." in said
    fails(chat_server, "failing")
    ask(chat_server)
    assert KEY not in caplog.text
    assert KEY not in "".join(capsys.readouterr())
    settings = Settings(openai_api_key=KEY, openai_base_url=chat_server.url)
    assert KEY not in f"{settings!r}{settings}{open_chat(settings)!r}{vars(open_chat(settings))!r}"


def test_nobody_there(chat_server):
    chat_server.close()
    assert "cannot be reached" in fails(chat_server, "good", ChatOptions(timeout_s=5))


def test_an_answer_that_takes_too_long(chat_server):
    began = time.monotonic()
    assert "did not answer within 0.6 seconds" in fails(chat_server, "silent", ChatOptions(timeout_s=0.6))
    assert time.monotonic() - began < 3
    assert chat_server.broken_off.wait(3)


def test_impossible_token_counts_are_not_believed(chat_server):
    usage = ask(chat_server, "lying")[1].usage
    assert usage.estimated
    assert 0 < usage.tokens < 1000


@pytest.mark.parametrize(("model", "finish"), [("cut", "length"), ("filtered", "filter"), ("good", "stop")])
def test_how_an_answer_ends(chat_server, model, finish):
    assert ask(chat_server, model)[1].finish == finish


def test_many_at_once_do_not_mix(chat_server):
    model, found = ServiceChat("good", KEY, chat_server.url), []

    def one():
        found.append("".join(piece.text for piece in model.chat(ASK, PLAIN) if isinstance(piece, Delta)))

    threads = [threading.Thread(target=one) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(found) == 8
    assert len(set(found)) == 1


def test_the_cost_is_an_estimate_for_models_with_a_known_price():
    assert cost_usd("gpt-4o-mini", 1_000_000, 1_000_000) == pytest.approx(0.75)
    assert cost_usd("gpt-4o-mini-2024-07-18", 1000, 0) == pytest.approx(0.00015)
    assert cost_usd("somebody/else", 1000, 1000) is None
    assert ServiceChat("gpt-4o-mini", KEY, OPENAI).cost_usd(1000, 0) == pytest.approx(0.00015)
    assert ServiceChat("gpt-4o-mini", KEY, "http://127.0.0.1:1/v1").cost_usd(1000, 0) is None
