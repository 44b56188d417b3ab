"""Budget and breaker around a language model."""

import pytest

from ecomscript.errors import LanguageModelError
from ecomscript.llm.chat import ChatOptions, Delta, Message, Reply
from ecomscript.llm.guard import DAY_S, FAILURES, REST_S, Breaker, GuardedChat, Ledger
from ecomscript.schema import Usage

ASK = [Message("user", "x" * 400)]  # 100 tokens
OPTIONS = ChatOptions(max_tokens=100, visitor="ann")


class Clock:
    def __init__(self):
        self.now = 10 * DAY_S

    def __call__(self):
        return self.now


class Chat:
    """Answers with 40 characters, uses 150 tokens, or fails."""

    name = "fake"

    def __init__(self):
        self.error, self.calls = None, 0

    def cost_usd(self, prompt_tokens, completion_tokens):
        return 0.0

    def chat(self, messages, options):
        self.calls += 1
        yield Delta("x" * 40)
        if self.error:
            raise self.error
        yield Reply(Usage(1, 100, 50))


def guarded(daily=10_000, each=10_000):
    clock, chat = Clock(), Chat()
    return GuardedChat(chat, Ledger(daily, each, clock), Breaker(clock)), chat, clock


def refused(model, options=OPTIONS):
    with pytest.raises(LanguageModelError) as caught:
        list(model.chat(ASK, options))
    return str(caught.value)


def test_all_visitors_share_a_day():
    model, chat, clock = guarded(daily=500)
    list(model.chat(ASK, OPTIONS))  # 150 used
    list(model.chat(ASK, ChatOptions(max_tokens=100, visitor="bob")))  # 300 used
    assert "as much as it may today" in refused(model, ChatOptions(max_tokens=101))
    assert chat.calls == 2
    list(model.chat(ASK, OPTIONS))
    clock.now += DAY_S
    list(model.chat(ASK, ChatOptions(max_tokens=400)))


def test_a_visitor_has_a_share_of_their_own():
    model, _, clock = guarded(each=300)
    list(model.chat(ASK, OPTIONS))
    assert "your share" in refused(model)
    list(model.chat(ASK, ChatOptions(max_tokens=100, visitor="bob")))
    for _ in range(5):
        list(model.chat(ASK, ChatOptions(max_tokens=100)))
    clock.now += DAY_S
    list(model.chat(ASK, OPTIONS))


def test_what_runs_is_set_aside_and_what_is_stopped_counts():
    model, _, _ = guarded(daily=390)
    running = model.chat(ASK, OPTIONS)
    next(running)
    assert "as much as it may" in refused(model)  # 200 set aside, 200 asked for
    running.close()  # 110 used
    list(model.chat(ASK, OPTIONS))  # 260 used
    assert "as much as it may" in refused(model)


def test_a_model_that_fails_again_and_again_is_left_alone_for_a_while():
    model, chat, clock = guarded()
    chat.error = LanguageModelError("It broke", "Wait.")
    for _ in range(FAILURES):
        assert "It broke" in refused(model)
    assert "left alone" in refused(model)
    assert chat.calls == FAILURES
    clock.now += REST_S + 1
    assert "It broke" in refused(model)  # one question tries it
    assert "left alone" in refused(model)
    clock.now += REST_S + 1
    chat.error = None
    list(model.chat(ASK, OPTIONS))
    chat.error = LanguageModelError("It broke", "Wait.")
    assert "It broke" in refused(model)
    assert "It broke" in refused(model)


def test_what_is_not_the_services_fault_does_not_count_as_a_failure():
    model, chat, _ = guarded()
    chat.error = LanguageModelError("Too long", "Shorten it.", services_fault=False)
    for _ in range(3 * FAILURES):
        assert "Too long" in refused(model)
