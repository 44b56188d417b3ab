"""The three verifiers together, untrained ones over the tiny BERT, and the command that asks them."""

import json
import shutil
from dataclasses import replace
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
from fake_models import write_strong
from fakes import HashEncoder, write_lines

from ecomscript import __main__ as cli
from ecomscript.errors import ModelError
from ecomscript.schema import Verdict
from ecomscript.verification import bundle, script, suite
from ecomscript.verification.bundle import MOST_PAIRS, BundleVerifier, related_pairs
from ecomscript.verification.claims import TASKS, BundleClaim, BundleStep, ProductClaim, ScriptClaim
from ecomscript.verification.compatibility import Clash
from ecomscript.verification.flaws.rules import flaws
from ecomscript.verification.lora import Base
from ecomscript.verification.script import ScriptVerifier, _reason
from ecomscript.verification.suite import Verifiers

STEPS = ("pack a tent", "light the stove", "sleep")
T1 = [{"id": f"s{n}", "objective": f"camp for {n} nights", "steps": list(STEPS[: 1 + n % 3])} for n in range(7)]
T2 = [
    {"id": n, "objective": "camp", "step": "sleep", "product": f"tent for {n}", "features": "good light" if n % 2 else ""} for n in range(7)
]
T3 = [
    {
        "id": f"b{n}",
        "objective": "camp",
        "steps": [{"step": "sleep", "products": [f"tent {n}", "a good light"][: n % 3]}, {"step": "cook", "products": []}],
    }
    for n in range(7)
]
ROWS = {"t1": T1, "t2": T2, "t3": T3}


@pytest.fixture(autouse=True)
def _small_base(tiny_bert, monkeypatch):
    """The base that all adapters share, without seconds of reading the large one."""
    monkeypatch.setattr(suite, "Base", partial(Base, str(tiny_bert)))


@pytest.fixture(scope="module")
def verifiers(tiny_verifiers_dir):
    return Verifiers.load(HashEncoder().encode, tiny_verifiers_dir)


@pytest.fixture
def models(tmp_path, tiny_verifiers_dir):
    """A copy of the models that a test may damage."""
    return shutil.copytree(tiny_verifiers_dir, tmp_path / "models")


@pytest.fixture
def verify(tmp_path, tiny_verifiers_dir, monkeypatch):
    """Score rows by the command, with the hash encoder for the order of steps; return status and output file."""
    monkeypatch.setattr(cli, "SentenceBert", lambda threads: HashEncoder())
    monkeypatch.setenv("ECOMSCRIPT_MODELS", str(tiny_verifiers_dir))

    def run(task, rows, name="out.jsonl"):
        source = rows if hasattr(rows, "suffix") else write_lines(tmp_path / "in.jsonl", rows)
        out = tmp_path / name
        return cli.main(["verify", task, "--input", str(source), "--output", str(out)]), out

    return run


def read(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.mark.parametrize("task", ROWS)
def test_every_line_gets_a_probability_in_its_place(verify, task):
    status, out = verify(task, ROWS[task])
    assert status == 0
    found = read(out)
    assert [set(row) for row in found] == [{"id", "score"}] * 7
    assert [row["id"] for row in found] == [row["id"] for row in ROWS[task]]
    assert all(isinstance(row["score"], float) and 0 <= row["score"] <= 1 for row in found)
    assert len({row["score"] for row in found}) > 2


@pytest.mark.parametrize("task", ROWS)
def test_the_same_input_gets_the_same_scores_in_any_order(verify, task):
    outs = [verify(task, rows, name)[1] for rows, name in ((ROWS[task], "a"), (ROWS[task], "b"), (ROWS[task][::-1], "c"))]
    assert outs[0].read_bytes() == outs[1].read_bytes()
    scores, turned = ({row["id"]: row["score"] for row in read(out)} for out in (outs[0], outs[2]))
    assert turned == pytest.approx(scores, abs=1e-3)


@pytest.mark.parametrize("task", ROWS)
def test_a_score_does_not_depend_on_the_other_lines(verify, task):
    alone = read(verify(task, ROWS[task][5:6])[1])[0]["score"]
    # bfloat16 where the processor has it: padding moves the last bits
    assert alone == pytest.approx(read(verify(task, ROWS[task])[1])[5]["score"], abs=5e-3)


def test_an_empty_file_has_no_scores(verify):
    for task in ROWS:
        status, out = verify(task, [])
        assert (status, out.read_text()) == (0, "")


BAD = [
    ("t1", {"id": 1, "objective": "camp"}, "'steps' is missing"),
    ("t1", {"objective": "camp", "steps": ["go"]}, "'id' is missing"),
    ("t1", {"id": 1, "objective": "camp", "steps": []}, "'steps' has 0 members"),
    ("t1", {"id": 1, "objective": "camp", "steps": ["go"] * 60}, "'steps' has 60 members"),
    ("t1", {"id": 1, "objective": "camp", "steps": ["go", None]}, "a step is not a text"),
    ("t2", {"id": 1, "objective": "camp", "step": "go"}, "'product' is missing"),
    ("t2", {"id": 1, "objective": "camp", "step": "go", "product": "x" * 10_000}, "10,000 characters"),
    ("t3", {"id": 1, "objective": "camp", "steps": [{"step": "go"}]}, "'products' of a step"),
    ("t3", {"id": 1, "objective": "camp", "steps": [{"step": "go", "products": ["tent"] * 61}]}, "61 products"),
]


@pytest.mark.parametrize(("task", "row", "problem"), BAD)
def test_a_line_that_cannot_be_judged_is_named_and_nothing_is_written(verify, capsys, task, row, problem):
    status, out = verify(task, [*ROWS[task][:2], row, ROWS[task][3]])
    assert status == 2
    said = capsys.readouterr().err
    assert "in.jsonl, line 3" in said
    assert problem in said
    assert len(said.strip().splitlines()) == 1
    assert not out.exists()
    assert not list(out.parent.glob("*.tmp"))


@pytest.mark.parametrize("line", ["not json", "[]", '{"id": 1', '"text"'])
def test_a_line_that_is_no_object_is_named(verify, tmp_path, capsys, line):
    source = tmp_path / "claims.jsonl"
    source.write_text(line + "\n")
    status, out = verify("t1", source)
    assert status == 2
    assert "line 1" in capsys.readouterr().err
    assert not out.exists()


@pytest.mark.parametrize("text", ["camp\ud800", "\udfff", "camp \x00 tent", "⛺" * 90, "[SEP] [CLS] <s> </s>", "\u202etent\u202c"])
@pytest.mark.parametrize("task", ROWS)
def test_no_text_ends_in_a_traceback(verify, tmp_path, capsys, task, text):
    source = tmp_path / "escaped.jsonl"
    source.write_text(json.dumps({**ROWS[task][2], "objective": text}))
    status, out = verify(task, source)
    if status == 0:
        assert 0 <= read(out)[0]["score"] <= 1
    else:
        assert status == 2
        assert "line 1" in capsys.readouterr().err
        assert not out.exists()


@pytest.mark.parametrize(
    ("choice", "installed", "shipped", "both"),
    [
        ("auto", True, True, True),
        ("auto", False, True, False),
        ("auto", True, False, False),
        ("small", True, True, False),
        ("strong", False, False, True),
    ],
)
def test_claims_are_judged_by_both_sizes_where_the_strong_one_is_at_hand(tmp_path, monkeypatch, choice, installed, shipped, both):
    monkeypatch.setattr(suite, "packaged_mpnet", lambda: tmp_path if installed else None)
    if shipped:
        for task in TASKS:
            (tmp_path / suite.STRONG / task).mkdir(parents=True)
    assert [suite.strong_for_claims(choice, tmp_path, task) for task in TASKS] == [both] * 3


@pytest.mark.parametrize(("task", "rows"), ROWS.items())
def test_the_command_asks_the_sizes_that_were_chosen(verify, models, tiny_bert, monkeypatch, capsys, task, rows):
    monkeypatch.setenv("ECOMSCRIPT_MODELS", str(models))
    monkeypatch.setenv("ECOMSCRIPT_VERIFY", "strong")
    assert verify(task, rows)[0] == 2
    assert str(models / suite.STRONG / task) in capsys.readouterr().err
    write_strong(models, task, tiny_bert)
    scores = {}
    for choice in ("small", "strong"):
        monkeypatch.setenv("ECOMSCRIPT_VERIFY", choice)
        status, out = verify(task, rows)
        assert status == 0
        scores[choice] = [row["score"] for row in read(out)]
    assert scores["small"] != scores["strong"]


def test_an_unknown_task_is_named(verify, capsys):
    status, out = verify("t4", T1)
    assert status == 2
    assert "There is no task 't4'. Choose one of t1, t2, t3." in capsys.readouterr().err
    assert not out.exists()


def test_missing_models_say_what_to_do(verify, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("ECOMSCRIPT_MODELS", str(tmp_path / "nothing"))
    for task, rows in ROWS.items():
        status, out = verify(task, rows)
        said = capsys.readouterr().err
        assert status == 2
        assert f"The verifier {task} cannot be used" in said
        assert "train it with" in said
        assert not out.exists()


def test_an_output_that_cannot_be_written_is_named(verify, capsys):
    status, _ = verify("t2", T2, "missing/out.jsonl")
    assert status == 2
    assert "cannot be written" in capsys.readouterr().err


def test_an_empty_folder_gives_problems_and_no_error(tmp_path):
    found = Verifiers.load(HashEncoder().encode, tmp_path)
    assert (found.t1, found.t2, found.t3) == (None, None, None)
    assert len(found.problems) >= 2
    assert str(tmp_path / "t1") in found.problems[0]
    with pytest.raises(ModelError, match="The verifier t1 cannot be used"):
        found.scores("t1", [ScriptClaim("camp", STEPS)])


def test_with_all_models_there_are_no_problems(verifiers):
    assert verifiers.problems == ()
    assert None not in {verifiers.t1, verifiers.t2, verifiers.t3}


DAMAGE = [
    ("t1/adapter.safetensors", {"t1"}),
    ("t1/order.safetensors", {"t1"}),
    ("t1/combiner.json", {"t1"}),
    ("t2/combiner.json", {"t2", "t3"}),
    ("t2/head.safetensors", {"t2", "t3"}),
    ("t3/meta.json", {"t3"}),
    ("t3/combiner.json", {"t3"}),
]


@pytest.mark.parametrize("how", ["missing", "damaged"])
@pytest.mark.parametrize(("name", "lost"), DAMAGE)
def test_a_file_that_cannot_be_used_costs_only_its_own_verifier(models, name, lost, how):
    (models / name).unlink() if how == "missing" else (models / name).write_bytes(b"damaged")
    found = Verifiers.load(HashEncoder().encode, models)
    assert {task for task in ROWS if getattr(found, task) is None} == lost
    (problem,) = found.problems
    assert str(models / min(lost)) in problem


def test_a_combiner_over_another_adapter_is_a_problem_and_no_error(models):
    path = models / "t1" / "combiner.json"
    row = json.loads(path.read_text())
    path.write_text(json.dumps({**row, "meta": {**row["meta"], "adapter_sha256": "0" * 64}}))
    found = Verifiers.load(HashEncoder().encode, models)
    assert [task for task in ROWS if getattr(found, task) is None] == ["t1"]
    (problem,) = found.problems
    assert str(path) in problem
    assert "fitted over another adapter" in problem
    assert "ecomscript.evaluation.calibrate" in problem


def test_a_combiner_of_parts_that_the_verifier_lacks_is_a_problem(models):
    path = models / "t3" / "combiner.json"
    path.write_text(path.read_text().replace('"single"', '"any"'))
    found = Verifiers.load(HashEncoder().encode, models)
    assert [task for task in ROWS if getattr(found, task) is None] == ["t3"]
    assert str(path) in found.problems[0]


@pytest.mark.parametrize(("task", "there"), [("t1", {"t1"}), ("t2", {"t2"}), ("t3", {"t2", "t3"})])
def test_only_what_is_wanted_is_loaded(tiny_verifiers_dir, task, there):
    found = Verifiers.load(HashEncoder().encode, tiny_verifiers_dir, (task,))
    assert {name for name in ROWS if getattr(found, name) is not None} == there
    assert found.problems == ()


def test_what_is_not_wanted_is_no_problem(models):
    shutil.rmtree(models / "t3")
    shutil.rmtree(models / "t1")
    assert Verifiers.load(HashEncoder().encode, models, ("t2",)).problems == ()


CLAIMS = [ScriptClaim("camp for a night", STEPS), ScriptClaim("camp", ("sleep",))]


def test_a_script_gets_a_verdict_from_all_parts(verifiers):
    parts = verifiers.t1.parts(CLAIMS)
    assert list(parts.table) == list(script.PARTS) == ["whole", "steps", "order", "rules"]
    assert set(parts.signals) == {"step", "order", "rules"}
    assert {column.shape for column in (*parts.table.values(), *parts.signals.values())} == {(2,)}
    assert [len(flaws) for flaws in parts.flaws] == [3, 1]
    assert [order.shape for order in parts.orders] == [(3, 3), (1, 1)]
    assert parts.table["steps"] == pytest.approx([-np.log(np.exp(flaws).sum()) for flaws in parts.flaws], abs=1e-5)
    assert parts.table["order"][1] == 0
    assert parts.signals["step"] == pytest.approx([flaws.max() for flaws in parts.flaws])
    assert parts.signals["order"] == pytest.approx([-order.min() for order in parts.orders])


def talking(verifier, **speaks_from):
    """Return a combiner whose reasons speak from these levels on."""
    return replace(verifier.combiner, meta={**verifier.combiner.meta, "speaks_from": speaks_from})


def test_a_script_verdict_names_only_what_speaks(verifiers):
    t1 = verifiers.t1
    parts = t1.parts(CLAIMS)

    def verdicts(**speaks_from):
        return ScriptVerifier(t1.model, t1.order, t1.encode, talking(t1, **speaks_from)).verdicts(CLAIMS)

    silent = verdicts()
    assert all(0 < verdict.score < 1 for verdict in silent)
    assert [(v.reason, v.places) for v in silent] == [("", ()), ("", ())]
    assert t1.verdicts(CLAIMS) == silent
    assert [v.reason for v in verdicts(step=1e9, order=1e9)] == ["", ""]
    loud = verdicts(step=-1e9)
    assert [v.places for v in loud] == [(int(flaws.argmax()),) for flaws in parts.flaws]
    assert all("out of place" in v.reason for v in loud)
    assert [v.score for v in loud] == [v.score for v in silent]
    strongest = parts.signals["step"]
    some = verdicts(step=float(strongest.max()))
    assert [bool(v.reason) for v in some] == (strongest == strongest.max()).tolist()
    assert "comes before" in verdicts(step=-1e9, order=-1e9)[0].reason


def order_of(**above):
    order = np.zeros((3, 3), np.float32)
    for places, value in above.items():
        order[int(places[1]), int(places[2])] = value
    return order


@pytest.mark.parametrize(
    ("flaws", "order", "reason", "places"),
    [
        ((-1.0, -1.0, -1.0), order_of(p02=-4.0, p01=-3.0), "Step 3 usually comes before step 1.", (0, 2)),
        (None, order_of(p02=1.0, p12=-0.1), "Step 3 usually comes before step 2.", (1, 2)),
        ((-1.0, 2.0, -1.0), None, "Step 2 is the one that looks out of place.", (1,)),
        (None, None, "", ()),
    ],
)
def test_the_order_is_named_before_a_step_and_a_silent_part_not_at_all(flaws, order, reason, places):
    assert _reason((), None if flaws is None else np.array(flaws, np.float32), order) == (reason, places)


def test_what_a_table_names_comes_first_and_counts_against_the_script(verifiers):
    wrong = ScriptClaim("camp for a night", (*STEPS, "Bring the charcoal grill into the tent to keep warm"))
    found = flaws(wrong.objective, wrong.steps)
    parts = verifiers.t1.parts([wrong, CLAIMS[0]])
    assert parts.named == [found, ()]
    assert parts.signals["rules"].tolist() == [len(found), 0]
    assert parts.table["rules"] == pytest.approx([-np.log1p(len(found)), 0.0])

    def named(**speaks_from):
        t1 = verifiers.t1
        return [(v.reason, v.places) for v in ScriptVerifier(t1.model, t1.order, t1.encode, talking(t1, **speaks_from)).verdicts([wrong])]

    assert named(step=-1e9, order=-1e9, rules=1.0) == [(found[0].reason, (3,))]
    assert named(rules=len(found) + 1.0) == [("", ())]


BUNDLE = BundleClaim("camp", (BundleStep("sleep", ("tent", "a good light")), BundleStep("cook", ("stove",))))
EMPTY = BundleClaim("camp", (BundleStep("walk", ()),))


def test_a_bundle_is_judged_by_its_clashes_and_least_fitting_products(verifiers):
    parts = verifiers.t3.parts([BUNDLE, EMPTY, BUNDLE])
    inputs = [BUNDLE.single(a) for a in range(3)] + [BUNDLE.pair(a, b) for a, b in BUNDLE.pairs]
    said = -verifiers.t3.model.score(inputs).whole
    fits = verifiers.t2.model.score([ProductClaim("camp", *place).segments() for place in BUNDLE.placed]).whole
    places = [(0,), (1,), (2,), *BUNDLE.pairs]
    assert list(parts.table) == list(bundle.PARTS) == ["single", "pair", "fit", "rules"]
    for n in (0, 2):
        assert parts.table["single"][n] == pytest.approx(-np.log(np.exp(said[:3]).mean()), abs=0.05)
        assert parts.table["pair"][n] == pytest.approx(-np.log(np.exp(said[3:]).mean()), abs=0.05)
        assert parts.table["fit"][n] == pytest.approx(np.sort(fits)[:2].mean(), abs=0.05)
        assert parts.signals["clash"][n] == pytest.approx(said.max(), abs=0.05)
        assert said[places.index(parts.likeliest[n])] == pytest.approx(said.max(), abs=0.05)
    assert {name: column[1] for name, column in parts.table.items()} == dict.fromkeys(parts.table, 0.0)
    assert parts.likeliest[1] == ()
    assert parts.signals["clash"][1] == -np.inf


def test_a_bundle_verdict_names_its_likeliest_clash_only_where_that_speaks(verifiers):
    t3 = verifiers.t3
    assert [(v.reason, v.places) for v in t3.verdicts([BUNDLE, EMPTY])] == [("", ()), ("", ())]
    loud = BundleVerifier(t3.model, t3.product, talking(t3, clash=-1e9))
    named, empty = loud.verdicts([BUNDLE, EMPTY])
    assert named.places == t3.parts([BUNDLE]).likeliest[0]
    assert all(f"“{BUNDLE.placed[place][1]}”" in named.reason for place in named.places)
    assert empty == Verdict(empty.score, "", ())
    assert 0 < named.score < 1
    silent = BundleVerifier(t3.model, t3.product, talking(t3, clash=1e9))
    assert silent.verdicts([BUNDLE])[0].reason == ""


def test_of_a_changed_bundle_only_what_is_new_is_asked(verifiers):
    asked = []

    def score(inputs):
        asked.append(inputs)
        return verifiers.t3.model.score(inputs)

    fresh = BundleVerifier(SimpleNamespace(score=score), verifiers.t2, verifiers.t3.combiner)
    remembering, changed = fresh.remembering(), replace(BUNDLE, steps=BUNDLE.steps[:1])
    first = remembering.verdicts([BUNDLE])
    assert len(asked.pop()) == 6  # three products and three pairs
    assert remembering.verdicts([BUNDLE]) == first
    assert remembering.verdicts([changed])[0].score == pytest.approx(verifiers.t3.verdicts([changed])[0].score, abs=0.01)
    assert asked == []
    longer = replace(BUNDLE, steps=(*BUNDLE.steps, BundleStep("eat", ("fork",))))
    remembering.verdicts([longer])
    assert asked == [[longer.single(3), *(longer.pair(a, 3) for a in range(3))]]
    fresh.verdicts([BUNDLE])
    assert len(asked[-1]) == 6


@pytest.mark.parametrize(("places", "reason"), [((1,), "“b” may not suit “camp”."), ((0, 1), "“a” and “b” may not go together.")])
def test_a_clash_is_said_in_a_sentence(places, reason):
    assert bundle._clash_reason(BundleClaim("camp", (BundleStep("go", ("a", "b")),)), places) == (reason, places)


def test_a_clash_that_a_rule_finds_counts(verifiers):
    titles = ("Cairnfold Ridge 2-Person Tent",)
    fine, tight = (BundleClaim(f"Camp with {n} people", (BundleStep("Sleep dry", titles),)) for n in ("two", "six"))
    assert verifiers.t3.parts([fine, tight]).table["rules"].tolist() == [0.0, -1.0]


def test_clashes_that_are_known_already_take_the_place_of_the_rules(verifiers, monkeypatch):
    monkeypatch.setattr(bundle, "clashes", lambda *asked: pytest.fail("the rules were asked again"))
    found = [[Clash("a rule", 0, 1, "they do not go together")], []]
    assert verifiers.t3.parts([BUNDLE, BUNDLE], found).table["rules"].tolist() == [-1.0, 0.0]
    clashing, fine = verifiers.t3.verdicts([BUNDLE, BUNDLE], found)
    assert clashing.score < fine.score


def test_of_a_large_bundle_the_pairs_with_common_words_are_asked():
    titles = (*(f"thing{n}" for n in range(18)), "usb cable blue", "usb cable red")
    claim = BundleClaim("camp", tuple(BundleStep(f"step{n}", (title,)) for n, title in enumerate(titles)))
    pairs = related_pairs(claim)
    assert len(claim.pairs) == 190
    assert len(pairs) == MOST_PAIRS
    assert (18, 19) in pairs
    assert pairs == sorted(set(pairs))
    small = BundleClaim("camp", (BundleStep("go", ("a", "b", "c")),))
    assert related_pairs(small) == [(0, 1), (0, 2), (1, 2)]


@pytest.fixture(scope="module")
def shipped():
    from ecomscript.association.encoder import SentenceBert  # noqa: PLC0415

    return Verifiers.load(SentenceBert().encode)


def test_the_shipped_models_are_whole(shipped):
    assert shipped.problems == ()


@pytest.mark.parametrize("task", ROWS)
def test_the_shipped_models_tell_right_from_wrong(shipped, task):
    pairs = {
        "t1": [
            ScriptClaim("Paint a bedroom wall", ("Move the furniture out", "Fill holes and sand", "Tape the edges", end))
            for end in ("Paint two coats", "Buy a trout licence")
        ],
        "t2": [
            ProductClaim("Camp with two children", "Sleep dry and warm", title)
            for title in ("Family tent for four people", "Chocolate birthday cake candles")
        ],
        "t3": [
            BundleClaim("Camp with a family of six", (BundleStep("Sleep dry", (title,)),))
            for title in ("Cairnfold 6-Person Family Tent", "Cairnfold 2-Person Backpacking Tent")
        ],
    }[task]
    right, wrong = shipped.scores(task, pairs)
    assert 0 <= wrong < right <= 1
