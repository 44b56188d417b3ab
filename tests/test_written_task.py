"""Plans of a language model measured beside the library's; its answers are kept on disk."""

import json
from contextlib import closing
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest

from ecomscript.config import Settings
from ecomscript.errors import InputError, LanguageModelError
from ecomscript.evaluation import __main__ as command
from ecomscript.evaluation import asked_task, language_model_task, metrics, written_task
from ecomscript.evaluation.goals import Goal, load_goals
from ecomscript.evaluation.recorded import RecordedChat
from ecomscript.evaluation.results import read_result
from ecomscript.llm.chat import ChatOptions, Delta, Message, Reply, listen
from ecomscript.planning.draft import Checks
from ecomscript.planning.intake import Intake
from ecomscript.schema import Constraints, Usage, Verdict
from ecomscript.verification.suite import Verifiers

QUESTION = [Message("user", "Plan")]
TEXT = "Take the family on a first camping weekend"
STEPS = ["Choose dates and reserve a campsite", "Set up a dry tent to sleep in", "Cook a warm meal at the campsite"]


class Chat:
    """Gives its answers in turn and then fails."""

    name = "listed"

    def __init__(self, *answers):
        self.answers, self.asked = list(answers), 0

    def cost_usd(self, prompt_tokens, completion_tokens):
        return 0.0

    def chat(self, messages, options):
        self.asked += 1
        if not self.answers:
            raise LanguageModelError("The model 'listed' is tired", "Rest.")
        text = self.answers.pop(0)
        yield Delta(text[:5])
        yield Delta(text[5:])
        yield Reply(Usage(1, 10, 5, 0.0), first_logprobs={"Yes": -0.5} if options.top_logprobs else {})


def texts(chat, **options):
    *deltas, reply = chat.chat(QUESTION, ChatOptions(**options))
    return "".join(delta.text for delta in deltas), reply


def test_an_answer_is_asked_for_once(tmp_path):
    first = RecordedChat(Chat("one answer"), tmp_path / "a" / "answers.jsonl")
    said = texts(first, top_logprobs=5)
    again = RecordedChat(Chat(), tmp_path / "a" / "answers.jsonl")
    assert texts(again, top_logprobs=5) == said == ("one answer", Reply(Usage(1, 10, 5, 0.0), "stop", {"Yes": -0.5}))
    assert (again.usage.tokens, again.answers, again.waited_s) == (15, ["one answer"], 0)
    assert again.seconds == pytest.approx(first.seconds, abs=0.001)


def test_another_sample_or_another_way_of_asking_is_another_question(tmp_path):
    chat = Chat("a", "b", "c")
    recorded = RecordedChat(chat, tmp_path / "answers.jsonl")
    assert [texts(recorded)[0], texts(recorded)[0], texts(recorded, temperature=0.9)[0]] == ["a", "b", "c"]
    again = RecordedChat(Chat(), tmp_path / "answers.jsonl")
    assert [texts(again)[0], texts(again)[0], texts(again, temperature=0.9)[0]] == ["a", "b", "c"]
    with pytest.raises(LanguageModelError, match="tired"):
        texts(again)


def test_an_answer_that_nobody_read_to_the_end_is_kept_as_far_as_it_was(tmp_path):
    pieces = RecordedChat(Chat("one answer"), tmp_path / "answers.jsonl").chat(QUESTION, ChatOptions())
    next(pieces)
    pieces.close()
    text, reply = texts(RecordedChat(Chat(), tmp_path / "answers.jsonl"))
    assert (text, reply.finish, reply.usage.estimated) == ("one a", "length", True)


def test_an_answer_that_a_stop_of_the_run_broke_off_is_asked_again(tmp_path):
    file = tmp_path / "answers.jsonl"
    with pytest.raises(KeyboardInterrupt), closing(listen(RecordedChat(Chat("one answer"), file), QUESTION, ChatOptions())) as heard:
        next(heard)
        raise KeyboardInterrupt
    assert not file.exists()
    assert texts(RecordedChat(Chat("one answer"), file))[0] == "one answer"


def test_torn_lines_and_failures_are_asked_again(tmp_path):
    file = tmp_path / "answers.jsonl"
    with pytest.raises(LanguageModelError):
        texts(RecordedChat(Chat(), file))
    assert not file.exists()
    texts(RecordedChat(Chat("one"), file))
    file.write_text(file.read_text()[:-9] + '\n{"key": 3}\n[]\nnull')
    assert texts(RecordedChat(Chat("two"), file))[0] == "two"
    with pytest.raises(InputError, match="ECOMSCRIPT_CACHE"):
        texts(RecordedChat(Chat("x"), file / "below"))


def test_goals_of_a_run_are_spread_over_both_groups():
    found = written_task.sample(load_goals(), 8)
    assert [goal.group for goal in found] == ["everyday", "rare"] * 4
    assert len({goal.goal_id for goal in found}) == 8
    assert written_task.sample(load_goals(), 5) == written_task.sample(load_goals(), 20)[:5]


def plan_of(*steps, buys=True):
    return json.dumps({"steps": [{"text": step, "buys": buys} for step in steps]})


@pytest.fixture
def rows(tiny_parts, tmp_path, monkeypatch):
    """Run the task over goals with the given answers."""
    library, index, encoder, weights = tiny_parts
    monkeypatch.setattr(written_task.LearntWeights, "load", lambda: weights)
    verifiers = Verifiers(t1=SimpleNamespace(verdicts=lambda claims: [Verdict(0.2 * len(claim.steps)) for claim in claims]))
    needs = {"sleep": frozenset({"family tent"}), "cook": frozenset({"camp stove"}), "fly": frozenset()}

    def run(*answers, ways=("library", "planner"), count=1):
        goals = [Goal(f"G{n}", "rare", TEXT, needs, {}, Constraints(), frozenset({"plan"}), False) for n in range(count)]
        chat = RecordedChat(Chat(*answers), tmp_path / "answers.jsonl")
        parts = written_task.Parts(library, index, encoder, Intake(), verifiers)
        return written_task.rows(parts, chat, goals, ways, Settings(llm_drafts=2), 0)

    return run


def test_both_ways_stand_side_by_side(rows):
    library, planner, one, other = rows(plan_of(*STEPS))
    assert [(row["row"], row["way"]) for row in (library, planner, one, other)] == [
        ("way", "library"),
        ("way", "planner"),
        ("goal", "library"),
        ("goal", "planner"),
    ]
    assert (library["needs_coverage"], planner["needs_coverage"]) == (0.6667, 0.6667)
    assert (library["calls"], planner["calls"], planner["tokens"], planner["failed"], planner["meets_fewer_needs"]) == (0, 1, 15, 0, 0)
    assert (one["shown"], other["shown"], other["t1"], other["steps"]) == ("library", "llm", 0.6, STEPS)
    assert planner["wrong"]["steps"] == 3
    assert other["seconds"] > 0


def test_the_best_of_three_drafts_is_the_one_that_t1_prefers(rows):
    drafts = [plan_of(*STEPS), plan_of(*STEPS, "Light a lantern at night"), plan_of(*STEPS)]
    _, best, _, detail = rows(*drafts, ways=("library", "best of 3"))
    assert (best["way"], best["calls"], best["tokens"], best["failed"]) == ("best of 3", 3, 45, 0)
    assert (detail["shown"], detail["steps"], detail["t1"]) == ("llm", [*STEPS, "Light a lantern at night"], 0.8)
    assert best["wrong"]["steps"] == 10


def test_failures_are_counted_by_their_reason(rows):
    _, planner, *_ = rows("no", "no", plan_of("Make a list", "Enjoy it", "Go shopping"), plan_of(*STEPS[:1]), count=3)
    assert planner["failed"] == 3
    assert sum(planner["failures"].values()) == 3
    assert any("not the JSON" in reason for reason in planner["failures"])
    assert any("tired" in reason for reason in planner["failures"])
    assert not any("comes from the library" in reason or "listed' wrote" in reason for reason in planner["failures"])
    assert planner["wrong"]["generic"] == 3
    assert (planner["needs_coverage"], planner["meets_fewer_needs"]) == (0.6667, 0)


def test_one_pass_without_a_plan_meets_no_need(rows):
    once = json.dumps({"steps": [{"text": step, "buys": ["c1", "c2", "c3"][n : n + 1]} for n, step in enumerate(STEPS)]})
    _, found, *details = rows(once, "no plan", ways=("library", "one-pass"), count=2)
    assert (found["way"], found["goals"], found["failed"], found["tokens"]) == ("one-pass", 2, 1, 15)
    assert found["meets_fewer_needs"] >= 1
    assert details[-1] == details[-1] | {"shown": None, "coverage": 0.0, "t1": None, "products": 0, "steps": []}
    assert details[-2]["shown"] == "one-pass" and details[-2]["products"] == 3


def test_what_goes_wrong_is_counted():
    checks = Checks(lambda t: np.stack([np.eye(64)[hash(x) % 64] for x in t]), lambda _: 0.95, lambda _: False, lambda *_: None)
    written = ("Pitch the tent", False), ("Pitch the tent", True), ("Enjoy it", []), ("Fry eggs", ["wand"])
    answer = json.dumps([{"text": text, "buys": buys} for text, buys in written])
    found = written_task.faults_of(answer, TEXT, checks, frozenset({"fry eggs"}))
    assert found == {"steps": 2, "same": 1, "generic": 1, "mark not believed": 1, "copied": 1, "names nothing in the catalogue": 1}


def test_a_language_model_verifies_some_items_of_each_task(monkeypatch):
    monkeypatch.setattr(metrics, "RESAMPLES", 40)
    chat = Chat(*["Yes"] * 6, *["hm"] * 24, *["No"] * 6)
    found = asked_task.rows(chat, 0, limit=4, prompts=("zero-shot",))
    assert [(row["task"], row["prompt"], row["unclear"]) for row in found] == [(task, "zero-shot", 0) for task in ("t1", "t2", "t3")]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--task", "one-pass"], "needs a language model"),
        (["--task", "language-model-plans", "--model", "qwen"], "no service is set up"),
        (["--task", "one-pass", "--model", "qwen", "--limit", "1"], "--limit is 1"),
    ],
)
def test_what_a_run_lacks_is_one_sentence(monkeypatch, capsys, options, said):
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "ECOMSCRIPT_LOCAL_MODEL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(command, "_parts", lambda _: (None, None, SimpleNamespace(encode=None)))
    assert command.main(options) == 2
    assert said in capsys.readouterr().err


@pytest.fixture
def store(tmp_path, monkeypatch):
    """Run a task over made-up rows, next to what is stored in a folder of its own, and return what is stored then."""
    for module, name in ((command, "read_result"), (command, "write_results")):
        monkeypatch.setattr(module, name, partial(getattr(module, name), folder=tmp_path))

    def run(task, made, *options):
        module = {"language-models": language_model_task, "one-pass": written_task, "language-model-verifiers": asked_task}[task]
        monkeypatch.setattr(module, "rows", lambda *_, **__: [dict(row) for row in made])
        assert command.main(["--task", task, "--model", "m", *options]) == 0
        return read_result(task, tmp_path)

    monkeypatch.setattr(command, "_parts", lambda _: (None, None, SimpleNamespace(encode=None)))
    monkeypatch.setattr(command, "_verifiers", lambda _: None)
    monkeypatch.setattr(command, "_chat", lambda _: None)
    return run


def judged(model, prompt, items, **more):
    return {"task": "t1", "model": model, "prompt": prompt, "items": items, **more}


def test_a_run_leaves_what_other_models_and_prompts_have_stored(store):
    first, other = judged("a", "zero-shot", 10), judged("b", "zero-shot", 10)
    store("language-models", [first])
    store("language-models", [other])
    assert list(store("language-models", [judged("a", "5-shot", 4)], "--shots", "5").rows) == [first, other, judged("a", "5-shot", 4)]
    again = store("language-models", [judged("a", "zero-shot", 10, auc=0.6)], "--resume", "--shots", "0", "--limit", "10")
    assert list(again.rows) == [judged("a", "zero-shot", 10, auc=0.6), other, judged("a", "5-shot", 4)]
    assert again.source.command.endswith("--task language-models --seed 0 --model m --limit 10 --shots 0")


def test_a_smaller_run_does_not_take_the_place_of_a_larger_one(store, capsys):
    large = judged("a", "zero-shot", 8, unclear=2)
    store("language-model-verifiers", [large])
    assert list(store("language-model-verifiers", [judged("a", "zero-shot", 9, unclear=0)]).rows) == [large]
    assert "a larger run of this model is stored already" in capsys.readouterr().err
    unclear = judged("a", "zero-shot", 4, unclear=6)
    assert list(store("language-model-verifiers", [unclear]).rows) == [unclear]


def test_ways_to_a_plan_are_stored_with_their_goals(store):
    def made(way, count):
        return [
            {"row": "way", "model": "a", "way": way, "goals": count},
            *({"row": "goal", "model": "a", "way": way, "id": n} for n in range(count)),
        ]

    store("one-pass", [*made("library", 3), *made("one-pass", 3)])
    rows = store("one-pass", [*made("library", 4), *made("one-pass", 2), *made("best of 3", 2)]).rows
    assert [(row["way"], row["goals"]) for row in rows if row["row"] == "way"] == [("library", 4), ("one-pass", 3), ("best of 3", 2)]
    assert [row["way"] for row in rows if row["row"] == "goal"] == 4 * ["library"] + 3 * ["one-pass"] + 2 * ["best of 3"]


def test_the_limit_reaches_the_scores_by_logits(monkeypatch, tmp_path):
    asked = []
    monkeypatch.setattr(command, "write_results", lambda *_, **__: tmp_path)
    monkeypatch.setattr(language_model_task, "rows", lambda *told: asked.append(told) or [])
    monkeypatch.setenv("ECOMSCRIPT_CACHE", str(tmp_path))
    assert command.main(["--task", "language-models", "--model", "m", "--limit", "6", "--shots", "2", "--gguf-file", "w.gguf"]) == 0
    assert asked == [("m", 0, tmp_path / "language-model", (2,), 6, "w.gguf")]
