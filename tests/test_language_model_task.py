"""Language models asked yes or no about claims: prompts, the answers kept on disk, and what bad input gets."""

import json
import shutil

import numpy as np
import pytest
from fake_claims import gold_of, items_of

from ecomscript.errors import InputError, ModelError
from ecomscript.evaluation import language_model_task, metrics
from ecomscript.llm.templates import PROMPTS, Templates
from ecomscript.verification.claims import TASKS, BundleClaim, BundleStep, ProductClaim, ScriptClaim
from ecomscript.verification.items import Item


@pytest.fixture(autouse=True)
def _small(monkeypatch):
    """A few items and few resamples."""
    monkeypatch.setattr(language_model_task, "load_items", items_of)
    monkeypatch.setattr(language_model_task, "load_gold", gold_of)
    monkeypatch.setattr(metrics, "RESAMPLES", 40)


# prompts


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (None, "cannot be read"),
        ("a: [", "cannot be read"),
        ("- a\n- b", "does not map names to texts"),
        ("a: 1", "does not map names to texts"),
        ("b: text", "lacks the prompt 'a'"),
        ("a: '{% for %}'", "'a' in .* is no Jinja template"),
    ],
)
def test_prompts_that_cannot_be_used_are_one_sentence(tmp_path, text, problem):
    path = tmp_path / "prompts.yaml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(InputError, match=problem) as caught:
        Templates.load(path, ("a",))
    assert "\n" not in str(caught.value)


def test_a_prompt_without_its_value_says_so(tmp_path):
    (tmp_path / "p.yaml").write_text("a: '{{ claim.goal }}'")
    with pytest.raises(InputError, match=r"'a' in .* cannot be filled"):
        Templates.load(tmp_path / "p.yaml", ("a",)).render("a", {"claim": ScriptClaim("camp", ("go",))})


def shipped_prompts():
    return Templates.load(PROMPTS / "verify.yaml", (*TASKS, "examples"))


def test_a_question_holds_the_texts_of_its_claim_as_they_are():
    odd = "Camp for $50 {{ 7 * 7 }} {% raw %} <b>"
    claims = {
        "t1": ScriptClaim(odd, ("pack", odd)),
        "t2": ProductClaim(odd, "pack", "tent", odd),
        "t3": BundleClaim(odd, (BundleStep("pack", ("tent", odd)), BundleStep("go", ()))),
    }
    for task, claim in claims.items():
        (question,) = language_model_task.questions(shipped_prompts(), task, [Item("a", claim, 1, "", "none", "")], [])
        assert question.count(odd) == 2, task
        assert question.endswith("Answer Yes or No.")
    assert "2. go: nothing" in question


def test_solved_examples_stand_before_the_question():
    train, gold = items_of("t2"), gold_of("t2")
    shots = [next(item for item in train if item.label == label) for label in (1, 0)]
    plain = language_model_task.questions(shipped_prompts(), "t2", [shots[0], shots[1], gold[0]], [])
    (asked,) = language_model_task.questions(shipped_prompts(), "t2", gold[:1], shots)
    assert asked == f"{plain[0]}\nAnswer: Yes\n\n{plain[1]}\nAnswer: No\n\n{plain[2]}"


def test_examples_are_balanced_of_different_pairs_and_drawn_by_the_seed():
    train = items_of("t2", ("train",))
    found = language_model_task.draw_shots(train, 5, 0)
    assert sorted(item.label for item in found) == [0, 0, 1, 1, 1]
    assert len({item.pair for item in found}) == 5
    assert found == language_model_task.draw_shots(train, 5, 0) != language_model_task.draw_shots(train, 5, 1)
    assert language_model_task.draw_shots(train, 0, 0) == []


# language models


@pytest.fixture(scope="module")
def llama(tiny_llama, tmp_path_factory):
    """Folder of the tiny Llama, under a name of its own."""
    return shutil.copytree(tiny_llama, tmp_path_factory.mktemp("causal") / "tiny-model")


def test_a_language_model_is_asked_once_about_each_item(llama, tmp_path, monkeypatch):
    drawn_from = []
    real = language_model_task.draw_shots
    monkeypatch.setattr(language_model_task, "draw_shots", lambda train, *rest: drawn_from.extend(train) or real(train, *rest))
    rows = language_model_task.rows(str(llama), 0, shots=(0, 2), limit=6, cache_dir=tmp_path)
    assert [(row["task"], row["prompt"]) for row in rows] == [(task, prompt) for task in TASKS for prompt in ("zero-shot", "2-shot")]
    for row in rows:
        assert (row["model"], row["split"], row["items"], row["positive"], row["threshold"]) == ("tiny-model", "gold dev", 6, 3, "median")
        assert 0 <= row["auc"] <= 1 and 0 <= row["said_yes"] <= 1
        assert "ece" not in row
    assert {item.split for item in drawn_from} == {"train"}
    assert {path.name for path in tmp_path.iterdir()} == {
        f"tiny-model-{task}-{prompt}-0.jsonl" for task in TASKS for prompt in ("zero-shot", "2-shot")
    }
    monkeypatch.setattr(language_model_task, "YesNoModel", None)  # nothing is left to ask
    assert language_model_task.rows(str(llama), 0, shots=(0, 2), limit=6, cache_dir=tmp_path) == rows


@pytest.fixture
def ask(tmp_path, monkeypatch):
    """Ask zero-shot; the answer is the length of the question, and ``asked`` collects the questions."""
    asked = []

    class Counting:
        answer = len

        def __init__(self, name, gguf_file=None):
            asked.append(name)

        def scorer(self, questions):
            return lambda question: asked.append(question) or Counting.answer(question)

    def run(name="model", seed=0, limit=4):
        asked.clear()
        return language_model_task.rows(name, seed, shots=(0,), limit=limit, cache_dir=tmp_path / "cache"), list(asked)

    monkeypatch.setattr(language_model_task, "YesNoModel", Counting)
    run.model = Counting
    run.file = tmp_path / "cache" / "model-t1-zero-shot-0.jsonl"
    return run


def test_an_interrupted_run_asks_only_what_is_missing(ask):
    rows, asked = ask()
    assert len(asked) == 1 + 3 * 4
    lines = ask.file.read_text().splitlines()
    ask.file.write_text("\n".join(lines[:-2]) + "\n" + lines[-2][:20])  # one line torn, one never written
    again, asked = ask()
    assert again == rows
    assert len(asked) == 1 + 2
    assert ask()[1] == []


@pytest.mark.parametrize("line", ["[]", "null", '{"key": 1}', '{"key": "a", "score": "b"}', '{"key": "a", "score": NaN}', "\ufffd"])
def test_a_line_of_the_cache_that_says_nothing_is_passed_over(ask, line):
    rows, _ = ask()
    ask.file.write_text(line + "\n" + ask.file.read_text())
    assert ask() == (rows, [])


def test_another_model_in_the_same_file_is_asked_again(ask):
    _, asked = ask("models/a")
    assert ask("models/a")[1] == []
    assert len(asked) == len(ask("models_a")[1]) == 13


def test_an_answer_that_is_no_number_ends_the_run_and_is_not_kept(ask):
    ask.model.answer = lambda question: float("nan")
    with pytest.raises(ModelError, match="An answer of the language model is nan") as caught:
        ask()
    assert "\n" not in str(caught.value)
    assert ask.file.read_text() == ""


def test_the_median_decides_and_no_probability_is_claimed():
    items = gold_of("t1")[:8]  # right, wrong, right, wrong …
    scores = np.array([9, 7, 8, 6, 9.5, 3, 2, 1], float)
    row = language_model_task._measure(items, scores, 0)
    assert row["accuracy"] == 6 / 8  # the median is 6.5
    assert row["said_yes"] == 1.0
    moved = language_model_task._measure(items, 3 * scores - 100, 0)
    assert moved == {**row, "said_yes": 0.0}
    assert language_model_task._measure(items, np.zeros(8), 0)["auc"] == 0.5


@pytest.mark.parametrize(("shots", "limit"), [((-1,), None), ((0,), 1), ((0,), 0)])
def test_numbers_that_cannot_be_used_are_one_sentence(tmp_path, shots, limit):
    with pytest.raises(InputError):
        language_model_task.rows("nothing", 0, shots=shots, limit=limit, cache_dir=tmp_path)


@pytest.mark.parametrize("how", ["missing", "damaged weights", "no gguf", "other architecture"])
def test_a_model_that_cannot_be_loaded_is_one_sentence(tmp_path, llama, how):
    name, packed = tmp_path / "model", None
    if how != "missing":
        name.mkdir()
        for path in llama.iterdir():
            (name / path.name).write_bytes(path.read_bytes())
    if how == "damaged weights":
        (name / "model.safetensors").write_bytes(b"damaged")
    if how == "no gguf":
        (name / "weights.gguf").write_bytes(b"damaged")
        packed = "weights.gguf"
    if how == "other architecture":
        config = json.loads((name / "config.json").read_text())
        (name / "config.json").write_text(json.dumps({**config, "model_type": "unheard-of"}))
    with pytest.raises(ModelError, match="cannot be loaded") as caught:
        language_model_task.rows(str(name), 0, shots=(0,), limit=2, gguf_file=packed, cache_dir=tmp_path / "cache")
    assert "\n" not in str(caught.value)


def test_a_cache_that_cannot_be_written_is_one_sentence(llama, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written"):
        language_model_task.rows(str(llama), 0, shots=(0,), limit=2, cache_dir=tmp_path / "file")
