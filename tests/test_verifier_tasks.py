"""The experiments on verifiers, on a few items and tiny models: rows, seeds, caches, and what bad input gets."""

import json
from dataclasses import replace

import numpy as np
import pytest
from fake_claims import SPLITS, gold_of, items_of
from fake_models import even_combiner, model_of, write_strong, write_verifiers
from fakes import KINDS, HashEncoder
from sklearn.metrics import roc_auc_score

from ecomscript.errors import ModelError
from ecomscript.evaluation import (
    calibrate,
    data_task,
    errors_task,
    injection_task,
    leave_out_task,
    metrics,
    paired,
    transfer_task,
    verifier_task,
)
from ecomscript.evaluation.baselines import baselines, bm25, fit_probe, remembering
from ecomscript.planning.intake import Intake
from ecomscript.planning.library import Library, body_text, wordings
from ecomscript.schema import LibraryScript, LibraryStep, Verdict
from ecomscript.verification.claims import TASKS, BundleClaim, BundleStep, ProductClaim, ScriptClaim
from ecomscript.verification.combine import adapter_hash
from ecomscript.verification.items import Item, load_items
from ecomscript.verification.lora import Base


@pytest.fixture(autouse=True)
def _small(monkeypatch):
    """A few items, few resamples, the hash encoder."""
    loaders = {
        "load_items": items_of,
        "load_gold": gold_of,
        "load_plan_items": lambda: items_of("t2", ("train", "validation", "test")),
        "open_encoder": lambda name: HashEncoder(),
    }
    for module in (calibrate, errors_task, injection_task, data_task, transfer_task, verifier_task):
        for name, fake in loaders.items():
            if hasattr(module, name):
                monkeypatch.setattr(module, name, fake)
    for module in (metrics, paired):
        monkeypatch.setattr(module, "RESAMPLES", 40)


@pytest.fixture(scope="module")
def base(tiny_bert):
    return Base(str(tiny_bert))


@pytest.fixture
def save(tmp_path, base):
    """Save an untrained adapter as a training run would and return the folder of runs."""

    def save_one(name, seed=0, **meta):
        told = {"task": "t2", "train": {"seed": seed}, "data_sha256": "abc", "held_out_domains": False, **meta}
        model_of(base.copy(), seed=seed + 10 * len(name)).save(tmp_path / "runs" / name, told)
        return tmp_path / "runs"

    return save_one


# baselines


def test_bm25_finds_the_words_that_goal_and_product_share():
    train = [item for item in items_of("t2") if item.split == "train"]
    scores = bm25(train)(train)
    assert roc_auc_score([item.label for item in train], scores) == 1.0
    product = ProductClaim("camp", "use the tent", "good tent")
    rare = [
        Item("a", replace(product, product="good zebra", step="use the zebra"), 1, "", "none", ""),
        Item("b", product, 1, "", "none", ""),
    ]
    rare_score, common_score = bm25(train)(rare)
    assert rare_score > common_score > 0  # no training text has a zebra, many a tent


def test_bm25_of_texts_without_a_common_word_or_any_word_is_nought():
    claims = [ProductClaim("camp", "sleep", "stove"), ProductClaim("…", "!", "?")]
    assert bm25(gold_of("t2"))([Item("a", claim, 1, "", "none", "") for claim in claims]).tolist() == [0, 0]


def test_every_text_is_embedded_once():
    encoder = HashEncoder()
    encode = remembering(encoder.encode)
    first = encode(["a tent", "a stove", "a tent"])
    assert np.array_equal(encode(["a stove", "a light", "a tent"])[[2, 0]], first[:2])
    assert np.array_equal(first, HashEncoder().encode(["a tent", "a stove", "a tent"]))
    assert encoder.encoded == ["a tent", "a stove", "a light"]


@pytest.mark.parametrize("task", TASKS)
def test_baselines_score_every_item(task):
    for name, scorer in baselines([i for i in items_of(task) if i.split == "train"], HashEncoder().encode).items():
        scores = scorer(gold_of(task))
        assert scores.shape == (40,) and np.isfinite(scores).all(), name


def test_the_probe_learns_what_makes_a_claim_right():
    train, gold = [i for i in items_of("t2") if i.split == "train"], gold_of("t2")
    assert roc_auc_score([item.label for item in gold], fit_probe(train, HashEncoder().encode)(gold)) > 0.75


# two scorers on the same items


def test_what_both_share_cancels_in_the_interval_of_a_difference():
    items = gold_of("t2")
    labels, rng = np.array([item.label for item in items]), np.random.default_rng(0)
    good, noise = labels + rng.normal(0, 0.1, len(items)), rng.random(len(items))
    same = paired.compare_aucs(items, noise[None], noise[None], 0)
    assert (same.difference, same.ci95) == (0, [0, 0])
    better = paired.compare_aucs(items, good[None], noise[None], 0)
    assert better.first == 1.0
    assert better.second == pytest.approx(roc_auc_score(labels, noise), abs=1e-4)
    assert better.difference == pytest.approx(better.first - better.second, abs=1e-4)
    assert 0 < better.ci95[0] < better.difference < better.ci95[1] < 1
    both = paired.compare_aucs(items, np.stack([good, noise]), np.stack([noise, noise]), 0)
    assert both.difference == pytest.approx(better.difference / 2, abs=1e-4)


# the leaderboard


@pytest.mark.slow
def test_the_table_has_every_scorer_on_every_split(tmp_path, tiny_bert, save):
    models = write_verifiers(tmp_path / "models", tiny_bert)
    (models / "t2").rename(models / "t2-copy")
    for name in ("t2", "t2-plans"):
        model_of(Base(str(tiny_bert))).save(models / name, {"task": "t2"})
        even_combiner("model", adapter_sha256=adapter_hash(models / name)).save(models / name)
    for task in ("t2", "t3"):
        write_strong(models, task, tiny_bert)
    runs = save("t2-paper", seed=3)
    save("t2-held-out-domains", held_out_domains=True)
    (runs / "t2-unfinished").mkdir()
    rows = verifier_task.rows(0, models, runs)
    json.dumps(rows, allow_nan=False)
    splits = {
        task: {name: {row["split"] for row in rows if row["task"] == task and row["model"] == name} for name in models_of(rows, task)}
        for task in TASKS
    }
    three = {"held-out", "held-out domains", "gold dev"}
    for task in TASKS:
        for name in ("majority", "random", "BM25", "cosine, zero-shot", "frozen embedding + logistic regression"):
            assert splits[task][name] == three | ({"judged plans"} if task == "t2" else set()), (task, name)
        assert splits[task]["shipped"] == splits[task]["majority"] - {"held-out domains"}
    assert splits["t3"]["shipped, both bases"] == splits["t3"]["shipped"] and "shipped, both bases" not in splits["t1"]
    assert splits["t2"]["shipped, large base alone"] == splits["t2"]["shipped"] and "shipped, large base alone" not in splits["t3"]
    assert {"part: whole", "part: steps", "part: order", "part: rules"} <= splits["t1"].keys()
    assert "part: rules" in splits["t3"]
    paper, held_out = verifier_task.RUN_NAMES["paper"], verifier_task.RUN_NAMES["held-out-domains"]
    assert {paper, held_out} == {name for name in splits["t2"] if name.startswith("LoRA")}
    assert splits["t2"][held_out] == three | {"judged plans"}
    assert "held-out domains" not in splits["t2"][paper]
    assert {(row["seed"], row["base"]) for row in rows if row["model"] == paper} == {(3, str(tiny_bert))}
    assert not any("seed" in row for row in rows if not row["model"].startswith("LoRA"))
    shipped = [row for row in rows if row["split"] == "gold dev" and row["model"] == "shipped"]
    assert [row for task in TASKS for row in verifier_task.gold_rows(task, 0, models)] == shipped


@pytest.mark.parametrize(
    ("run", "name"),
    [
        ("inject-none-2", "LoRA, no injection, seed 2"),
        ("inject-contrastive-0", "LoRA after contrastive injection, seed 0"),
        ("paper", "LoRA, the paper's settings"),
        ("my-run", "LoRA, my-run"),
    ],
)
def test_a_run_is_called_by_what_was_done(run, name):
    assert verifier_task.run_name(run) == name


def test_the_training_data_are_counted_and_give_nothing_away_by_size():
    rows = data_task.rows()
    assert [row for row in rows if "counts of" in row] == data_task.counts()
    by = {(row["task"], row["counts of"]): row for row in data_task.counts()}
    assert by["t2", "split"] == {"task": "t2", "counts of": "split", **{split: 40 * SPLITS.count(split) for split in SPLITS}}
    assert by["t1", "label"] == {"task": "t1", "counts of": "label", "1": 120, "0": 120}
    cues = {row["task"]: row for row in rows if "cue count" in row}
    assert (cues["t3"]["items"], cues["t3"]["pairs"]) == (240, 120)
    assert cues["t1"]["cue count"] == 0.5  # all have three steps
    assert rows[-1] == {"task": "t2, judged plans", "items": 120, "none": 60, "wrong_context": 60}


def test_without_shipped_models_the_table_is_one_sentence(tmp_path):
    with pytest.raises(ModelError, match="cannot be read"):
        verifier_task.gold_rows("t2", 0, tmp_path)


def models_of(rows, task):
    return {row["model"] for row in rows if row["task"] == task}


# knowledge injection


def rows_of(rows, kind):
    return [row for row in rows if row["row"] == kind]


def test_injection_is_compared_seed_by_seed(save):
    for seed in (0, 1):
        save(f"t2-inject-none-{seed}", seed, validation_aucs=[0.5, 0.6])
        runs = save(f"t2-inject-contrastive-{seed}", seed, validation_aucs=[0.55, 0.65, 0.7])
    save("t2-inject-contrastive-7", 7)  # an older run: no curve, and no twin
    (runs / "t2-inject-matching-0").mkdir()  # not finished
    rows = injection_task.rows(0, runs)
    json.dumps(rows, allow_nan=False)
    curve = [(r["injection"], r["seed"], r["epoch"], r["validation_auc"]) for r in rows_of(rows, "curve")]
    assert curve[:2] == [("none", 0, 1, 0.5), ("none", 0, 2, 0.6)]
    assert {row[:2] for row in curve} == {(how, seed) for how in ("none", "contrastive") for seed in (0, 1)}
    auc = {(r["injection"], r["seed"], r["split"]): r["auc"] for r in rows_of(rows, "measured")}
    assert len(auc) == 5 * 2
    summary = {(r["injection"], r["split"]): r for r in rows_of(rows, "summary")}
    assert set(summary) == {(how, split) for how in ("none", "contrastive") for split in ("held-out", "gold dev")}
    for split in ("held-out", "gold dev"):
        row, none = summary["contrastive", split], summary["none", split]
        assert (row["seeds"], row["pairs"], none["seeds"]) == (3, 2, 2)
        assert row["auc_mean"] == pytest.approx(np.mean([auc["contrastive", n, split] for n in (0, 1, 7)]), abs=1e-3)
        assert row["auc_sd"] == pytest.approx(np.std([auc["contrastive", n, split] for n in (0, 1, 7)], ddof=1), abs=1e-3)
        wanted = np.mean([auc["contrastive", n, split] - auc["none", n, split] for n in (0, 1)])
        assert row["difference_to_none"] == pytest.approx(wanted, abs=1e-3)
        assert row["difference_ci95"][0] <= row["difference_to_none"] <= row["difference_ci95"][1]
        assert "difference_to_none" not in none


def test_what_one_seed_or_other_data_cannot_tell_is_absent(save):
    save("t2-inject-none-0")
    runs = save("t2-inject-matching-0", data_sha256="other")
    for row in rows_of(injection_task.rows(0, runs), "summary"):
        assert not {"auc_sd", "difference_to_none", "difference_ci95"} & row.keys(), row


def test_without_runs_there_is_nothing_to_say(tmp_path):
    assert injection_task.rows(0, tmp_path / "nowhere") == []


def test_a_damaged_run_is_one_sentence(save):
    runs = save("t2-inject-none-0")
    (runs / "t2-inject-none-0" / "head.safetensors").write_bytes(b"")
    with pytest.raises(ModelError, match="is damaged"):
        injection_task.rows(0, runs)


# transfer


def test_every_domain_is_in_exactly_one_group():
    domains = {item.domain for task in TASKS for item in load_items(task)}
    listed = [domain for group in transfer_task.GROUPS.values() for domain in group]
    assert sorted(listed) == sorted(domains)
    assert 6 <= len(transfer_task.GROUPS) <= 8


def turned(task):
    """Return items in which right and wrong change places in one domain, so that the others teach nothing of it."""
    return [replace(item, label=1 - item.label) if item.domain == "fishing" else item for item in items_of(task)]


def test_what_only_a_group_can_teach_is_lost_without_it(monkeypatch, tmp_path):
    monkeypatch.setattr(transfer_task, "load_items", turned)
    sizes = []
    real = transfer_task.fit_probe
    monkeypatch.setattr(transfer_task, "fit_probe", lambda train, encode: sizes.append(len(train)) or real(train, encode))
    rows = transfer_task.rows(0, tmp_path / "nowhere")
    assert [(row["task"], row["group"]) for row in rows] == [
        (task, group) for task in TASKS for group in ("food and drink", "outdoors and sport", "care and clothes")
    ]
    assert sizes == [sizes[0]] * 4 + [sizes[4]] * 4 + [sizes[8]] * 4  # for each task one fit of all, and one without each group
    for row in rows:
        assert row["model"] == "frozen embedding + logistic regression"
        assert row["drop"] == pytest.approx(row["auc_with"] - row["auc_without"], abs=2e-4)
        assert row["drop_ci95"][0] <= row["drop"] <= row["drop_ci95"][1]
    lost = {row["group"]: row for row in rows if row["task"] == "t2"}
    assert lost["outdoors and sport"]["auc_without"] < 0.2
    assert lost["outdoors and sport"]["drop"] > 0.2


def test_measured_items_are_not_learnt_and_are_of_the_group(monkeypatch, tmp_path):
    seen = []

    def probe(train, encode):
        learnt = splits_and_domains(train)
        return lambda items: seen.append((learnt, splits_and_domains(items))) or np.arange(len(items))

    monkeypatch.setattr(transfer_task, "fit_probe", probe)
    transfer_task.rows(0, tmp_path)
    assert len(seen) == 2 * 3 * 3
    for n, ((learnt_splits, learnt), (splits, domains)) in enumerate(seen):
        assert (learnt_splits, splits) == ({"train", "domain"}, {"validation", "test"})
        assert len(domains) == 1
        assert learnt & domains == (set() if n % 2 else domains)  # first with the group, then without


def splits_and_domains(items):
    return {item.split for item in items}, {item.domain for item in items}


@pytest.mark.slow
def test_the_adapter_without_the_held_out_domains_is_measured_on_them(save):
    runs = save("t2-held-out-domains", held_out_domains=True)
    rows = [row for row in transfer_task.rows(0, runs) if row["model"] == "adapter"]
    assert [row["group"] for row in rows] == ["cooking", "fishing", "kids", "all held-out domains"]
    assert sum(row["items"] for row in rows[:3]) == rows[3]["items"] == 40
    assert all("auc_with" not in row and "drop" not in row for row in rows)
    save("t2-held-out-domains", held_out_domains=False)
    with pytest.raises(ModelError, match="has seen the held-out domains"):
        transfer_task.rows(0, runs)


# errors


class Product:
    """A T2 that accepts what is good."""

    def scores(self, claims):
        return np.array([0.9 if "good" in claim.product else 0.2 for claim in claims])


def case(claim, label, error="none"):
    return Item(f"{claim.objective}-{label}", claim, label, "kids", error, "")


def test_mistakes_are_signed_and_the_surest_comes_first():
    product = ProductClaim("camp", "use the tent", "good stove")
    items = [
        case(replace(product, product="good lamp of tent"), 1),  # right, with one word of three
        case(replace(product, product="camp tent"), 0, "off_goal"),
        case(product, 0, "wrong_attribute"),
        case(product, 1),
        case(product, 0, "off_goal"),
    ]
    verdicts = [Verdict(0.7), Verdict(0.6), Verdict(0.99), Verdict(0.2, "It does not fit."), Verdict(0.1)]
    found = errors_task.find_mistakes(items, verdicts, Product())
    assert [(m.score, m.signature) for m in found] == [
        (0.99, "missed: wrong attribute"),
        (0.2, "false alarm"),
        (0.6, "semantic drift"),
    ]
    assert found[1].reason == "It does not fit."


def test_a_bundle_of_fitting_products_that_passes_is_a_conflict():
    fitting = BundleClaim("camp", (BundleStep("sleep", ("good tent", "good light")), BundleStep("go", ())))
    spoilt = BundleClaim("camp", (BundleStep("sleep", ("good tent", "stove")),))
    bare = BundleClaim("camp", (BundleStep("go", ()),))
    items = [case(fitting, 0, "size_fit"), case(spoilt, 0, "size_fit"), case(bare, 0, "size_fit"), case(fitting, 1)]
    found = errors_task.find_mistakes(items, [Verdict(0.9), Verdict(0.8), Verdict(0.7), Verdict(0.4)], Product())
    assert [mistake.signature for mistake in found] == ["product conflict", "missed: size fit", "missed: size fit", "false alarm"]


def test_the_words_of_a_title_that_serve_the_goal():
    assert errors_task.overlap(ProductClaim("Camp with tents", "sleep", "A Tent for two")) == 0.5
    assert errors_task.overlap(ProductClaim("camp", "sleep", "…")) == 0.0


def test_texts_are_read_line_by_line():
    assert errors_task.readable(ScriptClaim("camp", ("pack", "go"))) == "1. pack\n2. go"
    assert errors_task.readable(ProductClaim("camp", "pack", "tent")) == "pack\ntent"
    bundle = BundleClaim("camp", (BundleStep("pack", ("tent", "light")), BundleStep("go", ())))
    assert errors_task.readable(bundle) == "1. pack: tent; light\n2. go: —"


def test_the_shipped_verifiers_mistakes_are_counted_and_shown(tiny_verifiers_dir, monkeypatch):
    monkeypatch.setattr(errors_task, "MOST", 3)
    rows = errors_task.rows(tiny_verifiers_dir)
    json.dumps(rows, allow_nan=False)
    for task in TASKS:
        own = [row for row in rows if row["task"] == task]
        summary, cases = rows_of(own, "summary"), rows_of(own, "case")
        assert {row["error"]: row["items"] for row in summary} == {"none": 20, "wrong_context": 20}
        assert all(row["share_wrong"] == pytest.approx(row["wrong"] / row["items"]) for row in summary)
        assert all(row["share_wrong_ci95"][0] <= row["share_wrong"] <= row["share_wrong_ci95"][1] for row in summary)
        wrong = sum(row["wrong"] for row in summary)
        assert wrong == sum(row["count"] for row in rows_of(own, "signature"))
        assert len(cases) == min(3, wrong) > 0
        away = [abs(row["score"] - 0.5) for row in cases]
        assert away == sorted(away, reverse=True)
        for row in cases:
            assert (row["score"] >= 0.5) != row["label"]
            assert row["item_id"].startswith(f"{task}-4-")  # the test split
            assert row["objective"] and row["text"]


def test_a_missing_verifier_is_one_sentence(tmp_path):
    with pytest.raises(ModelError, match="cannot be"):
        errors_task.rows(tmp_path)


# the learning curve


@pytest.fixture(scope="module")
def parts(tiny_parts):
    """The tiny index under a library of sixty scripts: ten occasions for each kind."""
    _, index, encoder, _ = tiny_parts
    names = [kind["kind"] for kind in KINDS]
    scripts = [
        LibraryScript(
            f"{n}-{occasion}",
            f"Get a {name} for occasion {occasion}",
            (f"{name} {occasion}",),
            (),
            (LibraryStep("Settle a date", ()), LibraryStep(f"Choose a {name} and the rest", (name, names[n - 1]))),
        )
        for occasion in range(10)
        for n, name in enumerate(names)
    ]
    wording_vectors = encoder.encode([wording for script in scripts for wording in wordings(script)])
    bodies = encoder.encode([body_text(script) for script in scripts])
    return Library(encoder.name, "test", tuple(scripts), index.kinds, wording_vectors, bodies, index.kind_vectors), index, encoder


def test_a_larger_share_of_the_library_is_measured_on_the_same_goals(parts):
    rows = leave_out_task.curve_rows(*parts, Intake(), seed=0, most=4, shares=(0.3, 1.0))
    (whole, *_) = leave_out_task.rows(*parts, Intake(), seed=0, most=4)
    assert [row["share"] for row in rows] == [0.3, 1.0]
    assert rows[0]["scripts"] == round(0.3 * rows[1]["scripts"]) < rows[1]["scripts"] < 60
    for row in rows:
        assert row["goals"] == 4 >= row["plans"] > 0
        assert row["own_needs_met_ci95"][0] <= row["own_needs_met"] <= row["own_needs_met_ci95"][1]
        assert 0 <= row["ready_share"] <= 1
    assert {name: rows[1][name] for name in ("goals", "plans", "own_needs_met", "products_per_plan")} == {
        name: whole[name] for name in ("goals", "plans", "own_needs_met", "products_per_plan")
    }


def test_a_curve_without_goals_is_null_and_not_zero(parts):
    (row,) = leave_out_task.curve_rows(*parts, Intake(), seed=0, most=0, shares=(0.5,))
    assert (row["plans"], row["own_needs_met"], row["own_needs_met_ci95"], row["ready_share"]) == (0, None, None, None)
