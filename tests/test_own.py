"""A visitor's own key: used for their plan, and found nowhere else."""

import json
import logging

import pytest
from chat_server import KEY

from ecomscript.config import Settings
from ecomscript.errors import InputError
from ecomscript.llm.guard import GuardedChat, Ledger
from ecomscript.llm.own import OwnKey, own_models, read_own
from ecomscript.llm.service import ServiceChat
from ecomscript.pipeline import Pipeline
from ecomscript.planning.intake import Intake
from ecomscript.request import make_request
from ecomscript.ui.basket import Basket
from ecomscript.ui.border import watch
from ecomscript.ui.share import decode, encode
from ecomscript.verification.suite import NO_VERIFIERS

GOAL = "Take the family on a first camping weekend"
MINE = "sk-visitor-0123456789"
MODELS = ("gpt-4o-mini", "gpt-4o")


@pytest.fixture
def pipeline(tiny_parts, chat_server):
    """A deployment with a service, a key of its own and no tokens left."""
    chat = GuardedChat(ServiceChat("good", KEY, chat_server.url), Ledger(0, 0))
    settings = Settings(planner="auto", openai_api_key=KEY, openai_base_url=chat_server.url, planner_model="good")
    return Pipeline.of(*tiny_parts, Intake(), NO_VERIFIERS, chat, settings)


def test_the_service_is_asked_with_the_visitors_key_alone(pipeline, chat_server):
    *_, last = pipeline.stream(make_request(GOAL), "ann", OwnKey(MINE, "good"))
    assert last.plan.planner == "llm"
    assert chat_server.keys == [MINE]
    assert [*pipeline.stream(make_request(GOAL), "ann")][-1].plan.planner == "library"
    assert chat_server.keys == [MINE]


def test_the_key_is_in_no_event_view_link_or_log(pipeline, chat_server, caplog):
    caplog.set_level(logging.DEBUG)
    for model in ("good", "missing", "failing"):
        own = OwnKey(MINE, model)
        views = list(watch(pipeline, make_request(GOAL), lambda _: (), "ann", own))
        events = list(pipeline.stream(make_request(GOAL), "ann", own))
        link = encode(views[-1], Basket())
        shared = repr(decode(link))
        for text in (repr(views), repr(events), json.dumps(events[-1].plan.to_json()), link, shared, repr(own), repr(vars(pipeline))):
            assert MINE not in text
    assert MINE not in caplog.text
    assert set(chat_server.keys) == {MINE}


def test_a_wrong_key_is_one_sentence_without_it(pipeline):
    *_, last = pipeline.stream(make_request(GOAL), "ann", OwnKey("wrong", "good"))
    assert last.plan.planner == "library"
    assert "does not accept the key" in last.plan.notices[0]


def test_stopping_closes_the_request(pipeline, chat_server):
    chat_server.pause_s = 0.05
    stream = pipeline.stream(make_request(GOAL), "ann", OwnKey(MINE, "good"))
    for event in stream:
        if event.usage.calls:
            break
    stream.close()
    assert chat_server.broken_off.wait(3)


@pytest.mark.parametrize(("key", "model"), [("", "gpt-4o"), (None, "x"), ("  ", "gpt-4o"), (0, "gpt-4o")])
def test_without_a_key_nothing_is_asked_of_the_model(key, model):
    assert read_own(key, model, MODELS) is None


def test_a_key_is_read_without_the_spaces_around_it():
    assert read_own(f" {MINE}\n", "gpt-4o", MODELS) == OwnKey(MINE, "gpt-4o")
    assert read_own(MINE, "gpt-4o", ()) is None


@pytest.mark.parametrize(
    ("key", "model"),
    [
        ("sk a", "gpt-4o"),
        ("sk\na", "gpt-4o"),
        ("sk-é", "gpt-4o"),
        ("k" * 401, "gpt-4o"),
        ([MINE], "gpt-4o"),
        (MINE, "gpt-4o@evil"),
        (MINE, "http://169.254.169.254/"),
        (MINE, None),
        (MINE, ["gpt-4o"]),
    ],
)
def test_what_cannot_be_a_key_or_is_not_offered_is_refused_and_not_repeated(key, model):
    with pytest.raises(InputError) as caught:
        read_own(key, model, MODELS)
    assert MINE not in str(caught.value) and "evil" not in str(caught.value)


def test_models_are_those_of_the_deployment():
    assert own_models(Settings())[:2] == ("gpt-4o-mini", "gpt-4o")
    assert own_models(Settings(openai_base_url="http://127.0.0.1:1/v1", planner_model="qwen")) == ("qwen",)
    assert own_models(Settings(local_model="folder")) == ()
    assert own_models(Settings(planner="library")) == ()
