"""A language model in the place of a verifier: how it is asked, how its word becomes a probability, and what is no answer."""

import json
import math

import pytest
from chat_server import KEY

from ecomscript.__main__ import main
from ecomscript.config import Settings
from ecomscript.errors import InputError
from ecomscript.llm.chat import Delta, Reply
from ecomscript.llm.choose import named_chat
from ecomscript.llm.local import LocalChat
from ecomscript.schema import NO_USAGE, Usage
from ecomscript.verification.asked import SHOTS, ChatVerifier, UnclearAnswerError, draw_shots, read_answer, yes_against_no
from ecomscript.verification.claims import ProductClaim
from ecomscript.verification.items import in_split, load_items

CLAIM = ProductClaim("Camp in the rain", "Sleep dry", "Family tent", "Keeps water out")


class Chat:
    """Gives answers in turn; one is a text, or a text with log-probabilities."""

    name = "listed"

    def __init__(self, *answers):
        self.answers, self.asked = list(answers), []

    def cost_usd(self, prompt_tokens, completion_tokens):
        return 0.0

    def chat(self, messages, options):
        self.asked.append((list(messages), options))
        answer = self.answers.pop(0)
        text, logprobs = answer if isinstance(answer, tuple) else (answer, {})
        yield Delta(text)
        yield Reply(Usage(1, 10, 2, 0.0), first_logprobs=logprobs if options.top_logprobs else {})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Yes", True),
        (" no.", False),
        ("**Yes**, it helps; no other would", True),
        ("It helps.\nAnswer: Yes", True),
        ("Yes, it is dry. No, it is small.\n**Answer:** No", False),
        ("Answer: Yes? No: Answer: No", False),
        ("I would say yes", True),
        ("", None),
        ("It depends", None),
        ("One may say yes or no", None),
        ("Nothing is known of yesterday", None),
        ("我不知道", None),
    ],
)
def test_an_answer_is_read_or_is_none(text, said):
    assert read_answer(text) is said


@pytest.mark.parametrize(
    ("logprobs", "score"),
    [
        ({"Yes": math.log(0.6), "No": math.log(0.2)}, 0.75),
        ({"Yes": math.log(0.3), "yes": math.log(0.1), "NO.": math.log(0.1)}, 0.8),
        ({"Yes": math.log(0.9), "The": math.log(0.04)}, 0.9 / 0.94),
        ({"No": math.log(0.99)}, 0.01),
        ({"Yes": 0.0}, 1.0),
        ({"The": -0.1, "Yes": -4.0}, None),
        ({}, None),
    ],
)
def test_a_probability_comes_from_the_first_word(logprobs, score):
    found = yes_against_no(logprobs)
    assert found == (None if score is None else pytest.approx(score))


def test_where_the_model_tells_them_one_question_is_enough():
    chat = Chat(("Yes", {"Yes": math.log(0.6), "No": math.log(0.2)}))
    verifier = ChatVerifier(chat, "t2")
    assert verifier.score(CLAIM) == pytest.approx(0.75)
    (system, user), options = chat.asked[0]
    assert "strangers" in system.content and "Family tent" not in system.content
    assert user.content.endswith("Answer Yes or No.") and "Family tent. Keeps water out" in user.content
    assert (options.temperature, options.top_logprobs) == (0.0, 20)
    assert verifier.usage == NO_USAGE + Usage(1, 10, 2, 0.0)


def test_else_the_share_of_yes_among_samples():
    chat = Chat("Yes", "Yes", "no", "Yes.", "hm", "No")
    assert ChatVerifier(chat, "t2").score(CLAIM) == 0.5
    assert [options.temperature for _, options in chat.asked] == [0.0, *[0.8] * 5]


def test_what_is_neither_is_no_verdict():
    with pytest.raises(UnclearAnswerError, match="neither Yes nor No"):
        ChatVerifier(Chat("hm", "Yes", "it depends", "well", "No", "perhaps"), "t2").score(CLAIM)


def test_chain_of_thought_is_thought_first_and_decided_then():
    chat = Chat("It is dry inside.\nAnswer: Yes", ("No", {"No": math.log(0.9), "Yes": math.log(0.1)}))
    assert ChatVerifier(chat, "t2", "cot").score(CLAIM) == pytest.approx(0.1)
    assert '"Answer: Yes" or "Answer: No"' in chat.asked[0][0][1].content
    assert [message.role for message in chat.asked[1][0]] == ["system", "user", "assistant", "user"]
    assert "It is dry inside." in chat.asked[1][0][2].content


def test_self_consistency_is_the_share_of_yes_after_thinking():
    thoughts = ["Dry, yes.\nAnswer: Yes", "Answer: No", "Answer: yes", "For a dog, no. Answer: Yes", "so\nAnswer: Yes"]
    chat = Chat(*thoughts)
    assert ChatVerifier(chat, "t2", "self-consistency").score(CLAIM) == 0.8
    assert {(options.temperature, options.top_logprobs, options.max_tokens) for _, options in chat.asked} == {(0.8, 0, 400)}


def test_solved_examples_come_from_the_training_split():
    train = in_split(load_items("t2"), "train")
    shots = draw_shots(train, SHOTS, 0)
    chat = Chat(("Yes", {"Yes": -0.1, "No": -3.0}))
    ChatVerifier(chat, "t2", "5-shot", shots).score(CLAIM)
    asked = chat.asked[0][0][1].content
    assert [asked.count(f"\nAnswer: {word}\n") for word in ("Yes", "No")] == [3, 2]
    assert all(shot.claim.product in asked for shot in shots)


# The command


@pytest.fixture
def verify(tmp_path, chat_server, monkeypatch, capsys):
    """Run ``verify`` over a few claims; return exit status, rows (None: no file) and stderr."""
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("OPENAI_BASE_URL", chat_server.url)

    def run(model, *options, task="t2", claims=None):
        claims = claims or [{"id": n, "objective": "Camp", "step": "Sleep", "product": name} for n, name in enumerate(["Tent", "Candle"])]
        (tmp_path / "in.jsonl").write_text("\n".join(map(json.dumps, claims)))
        out = tmp_path / "out.jsonl"
        status = main(["verify", task, "--model", model, *options, "--input", str(tmp_path / "in.jsonl"), "--output", str(out)])
        return status, [json.loads(line) for line in out.read_text().splitlines()] if out.exists() else None, capsys.readouterr().err

    return run


@pytest.mark.parametrize("prompt", ["zero-shot", "5-shot", "cot"])
def test_the_command_scores_from_log_probabilities(verify, prompt):
    status, rows, told = verify("yes", "--prompt", prompt)
    yes, no = math.exp(-0.1), math.exp(-2.5)
    assert (status, rows) == (0, [{"id": n, "score": pytest.approx(yes / (yes + no), abs=0.02)} for n in (0, 1)])
    assert "0 of 2 without an answer" in told and "tokens" in told


@pytest.mark.parametrize(
    ("model", "prompt", "score"), [("untold-yes", "zero-shot", 1), ("untold-no", "cot", 0), ("untold-thoughts", "self-consistency", 0)]
)
def test_the_command_scores_from_samples(verify, chat_server, model, prompt, score):
    status, rows, _ = verify(model, "--prompt", prompt)
    assert (status, rows) == (0, [{"id": 0, "score": score}, {"id": 1, "score": score}])
    assert len(chat_server.asked) == 2 * {"zero-shot": 6, "cot": 7, "self-consistency": 5}[prompt]


def test_an_unclear_answer_is_an_error_row_and_is_counted(verify):
    status, rows, told = verify("untold-unclear")
    assert status == 0
    assert [(row["id"], row.keys()) for row in rows] == [(n, {"id", "error"}) for n in (0, 1)]
    assert "neither Yes nor No" in rows[0]["error"]
    assert "2 of 2 without an answer" in told


def test_a_claim_too_long_for_the_model_is_an_error_row(verify):
    status, rows, _ = verify("small")
    assert status == 0 and "too long" in rows[0]["error"]


@pytest.mark.parametrize(("model", "said"), [("missing", "does not have the model"), ("failing", "status 500"), ("html", "chat service")])
def test_a_service_that_fails_ends_the_command_and_leaves_no_file(verify, model, said):
    status, rows, told = verify(model)
    assert (status, rows) == (2, None)
    assert said in told and "line 1" in told and "Traceback" not in told and KEY not in told


def test_claims_of_every_task_can_be_asked_about(verify, chat_server):
    steps = [{"step": "Sleep", "products": ["Tent"]}]
    assert verify("yes", task="t1", claims=[{"id": 1, "objective": "Camp", "steps": ["Sleep"]}])[0] == 0
    assert verify("yes", task="t3", claims=[{"id": 1, "objective": "Camp", "steps": steps}])[0] == 0
    assert "1. Sleep: Tent" in chat_server.asked[-1]["messages"][1]["content"]


def test_a_prompt_without_a_model_is_refused(tmp_path, capsys):
    (tmp_path / "in.jsonl").write_text(json.dumps({"id": 1, "objective": "Camp", "steps": ["Sleep"]}))
    assert main(["verify", "t1", "--prompt", "cot", "--input", str(tmp_path / "in.jsonl"), "--output", str(tmp_path / "o")]) == 2
    assert "--prompt needs --model" in capsys.readouterr().err


def test_a_name_is_a_folder_or_a_model_of_the_service(tiny_llama):
    assert isinstance(named_chat(Settings(), str(tiny_llama)), LocalChat)
    assert named_chat(Settings(openai_base_url="http://127.0.0.1:9/v1"), "qwen").name == "qwen"
    with pytest.raises(InputError, match="no service is set up"):
        named_chat(Settings(), "qwen")
