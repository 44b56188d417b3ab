"""Retrieval, the semantic gap, gates and product signals: each metric against a worked example, each task on a tiny library."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from fakes import KINDS

from ecomscript.evaluation import held_out, metrics, retrieval_task, signals_task, threshold_task
from ecomscript.evaluation.held_out import ALL, OTHERS, BestProducts, by_department, hold_out, unseen_by_t2
from ecomscript.evaluation.threshold_task import CHANCE, COSINE
from ecomscript.planning.library import Library, body_text, wordings
from ecomscript.schema import Kind, LibraryScript, LibraryStep, Product, Verdict
from ecomscript.verification.claims import ProductClaim
from ecomscript.verification.items import Item, load_plan_items
from ecomscript.verification.suite import NO_VERIFIERS, Verifiers

torch.set_num_threads(1)  # more threads only wait for each other on maps this small
OCCASIONS = ["a rainy weekend", "the school holidays", "my parents", "a power cut", "a big family", "two friends"]


@pytest.fixture(scope="module")
def parts(tiny_parts):
    """The tiny index under a library of 36 scripts: six occasions for each kind, which shares a step with the one before it."""
    _, index, encoder, _ = tiny_parts
    names = [kind["kind"] for kind in KINDS]
    scripts = tuple(
        LibraryScript(
            f"{n}-{occasion}",
            f"Get a {name} for {occasion}",
            (f"{name} {occasion}",),
            (),
            (
                LibraryStep(f"Settle a date with {occasion}", ()),
                LibraryStep(f"Choose a {name} and the rest", (name, names[n - 1])),
                LibraryStep(f"Try the {name} before the day", (name,)),
            ),
        )
        for n, name in enumerate(names)
        for occasion in OCCASIONS
    )
    wording_vectors = encoder.encode([wording for script in scripts for wording in wordings(script)])
    bodies = encoder.encode([body_text(script) for script in scripts])
    return Library(encoder.name, "test", scripts, index.kinds, wording_vectors, bodies, index.kind_vectors), index, encoder


def t2_that(says):
    """Return a T2 that answers each claim with ``says(claim)``, and the list of all claims that it was asked about."""
    asked = []

    def scores(claims):
        asked.extend(claims)
        return np.array([says(claim) for claim in claims], np.float64)

    return SimpleNamespace(scores=scores), asked


def yes(claim):
    return 0.9


def add_up(rows):
    """Return whether the departments of one table hold as many as all together."""
    size = "steps" if "steps" in rows[0] else "items"
    (everything,) = [row[size] for row in rows if row["department"] == ALL]
    departments = [row[size] for row in rows if row["department"] != ALL]
    return len(departments) > 1 and sum(departments) == everything


# what is measured on


def test_measured_steps_need_something_and_their_scripts_are_held_out(parts):
    library, _, encoder = parts
    split = hold_out(library, encoder, seed=0, most=1000)
    assert 0 < split.outside.sum() < len(library.scripts)
    assert len(split.measured) == len(set(split.measured)) == 2 * split.outside.sum()
    assert split.outside[split.steps.script[split.measured]].all()
    assert split.steps.buys[split.measured].all()
    first = library.kinds[split.steps.needs[split.measured[0]][0]]
    assert split.departments[0] == first.category.split(" > ")[0]
    assert len(hold_out(library, encoder, seed=0, most=5).measured) == 5


def test_weights_do_not_depend_on_what_is_held_out(parts):
    library, index, encoder = parts
    split = hold_out(library, encoder, seed=0, most=10)
    for n in np.flatnonzero(split.outside[split.steps.script]):
        split.steps.needs[n] = np.array([0])
    spoilt = held_out.learn(library, index, encoder, split, seed=0)
    clean = held_out.learn(library, index, encoder, hold_out(library, encoder, seed=0, most=10), seed=0)
    assert np.array_equal(spoilt.step_map, clean.step_map)
    assert np.array_equal(spoilt.rank_coef, clean.rank_coef)


def test_small_departments_go_together_and_last(monkeypatch):
    monkeypatch.setattr(held_out, "FEWEST", 2)
    groups = by_department(["Food", "Pets", "Garden", "Pets", "Pets", "Garden", OTHERS])
    assert {name: places.tolist() for name, places in groups.items()} == {
        ALL: [0, 1, 2, 3, 4, 5, 6],
        "Pets": [1, 3, 4],
        "Garden": [2, 5],
        OTHERS: [0, 6],
    }
    assert list(groups) == [ALL, "Pets", "Garden", OTHERS]
    assert held_out.department(Kind("tent", "", "⛺")) == OTHERS


def test_steps_of_the_judged_items_are_known_to_t2():
    step = load_plan_items()[0].claim.step
    assert unseen_by_t2(SimpleNamespace(texts=[step, "Polish the moon rock"])).tolist() == [False, True]


def test_each_product_is_judged_once(parts):
    library, index, encoder = parts
    steps = hold_out(library, encoder, seed=0, most=10).steps
    t2, asked = t2_that(lambda claim: 0.25 if "Tent" in claim.product else 0.75)
    best = BestProducts(index, encoder, steps, t2)
    tent, stove = index.kind_row["family tent"], index.kind_row["camp stove"]
    assert best.helps([(1, tent), (1, stove), (1, tent)]).tolist() == [0.25, 0.75, 0.25]
    assert best.helps([(1, stove)]).tolist() == [0.75]
    assert len(asked) == 2
    assert asked[0] == ProductClaim(steps.objectives[1], steps.texts[1], asked[0].product, "Washable")
    assert best.helps([]).shape == (0,)


def test_products_are_chosen_by_the_judge_of_plans_where_there_is_one(parts):
    library, index, encoder = parts
    steps = hold_out(library, encoder, seed=0, most=10).steps
    general, choice = t2_that(yes), t2_that(lambda _: 0.1)
    best = BestProducts.of(index, encoder, steps, Verifiers(t2=general[0], choice=choice[0]))
    assert best.helps([(1, 0)]).tolist() == [0.1]
    assert BestProducts.of(index, encoder, steps, NO_VERIFIERS) is None


# rankings


def test_metrics_of_one_ranking():
    scores = np.array([0.9, 0.8, 0.7, 0.1], np.float32)
    assert retrieval_task.ranking_metrics(scores, np.array([0])).tolist() == [1, 1, 1, 1, 1, 1]
    one, three, ten, recall, gain, reciprocal = retrieval_task.ranking_metrics(scores, np.array([1, 3]))
    assert (one, three, ten, recall, reciprocal) == (0, 1, 1, 1, 0.5)
    assert gain == pytest.approx((1 / np.log2(3) + 1 / np.log2(5)) / (1 + 1 / np.log2(3)))
    late = retrieval_task.ranking_metrics(np.arange(20, dtype=np.float32), np.array([0]))
    assert late.tolist() == pytest.approx([0, 0, 0, 0, 0, 1 / 20])


def test_more_needs_than_places_can_still_be_ranked_perfectly():
    values = dict(zip(retrieval_task.METRICS, retrieval_task.ranking_metrics(-np.arange(20.0), np.arange(12)), strict=True))
    assert values["ndcg@10"] == pytest.approx(1)
    assert values["recall@10"] == pytest.approx(10 / 12)


def test_fusion_sums_the_inverted_ranks():
    fused = retrieval_task.fused([np.array([3.0, 2.0, 1.0]), np.array([0.1, 0.3, 0.2])])
    assert fused == pytest.approx([1 / 61 + 1 / 63, 1 / 62 + 1 / 61, 1 / 63 + 1 / 62])


class Judge:
    """In the place of ``BestProducts``: what T2 says depends on the kind alone."""

    def __init__(self, said):
        self.said = said

    def helps(self, pairs):
        return np.array([self.said[kind] for _, kind in pairs])


def test_re_ranking_mixes_the_best_kinds_and_leaves_the_rest_below(monkeypatch):
    monkeypatch.setattr(retrieval_task, "RERANKED", 3)
    scores = np.array([0.5, 0.4, 0.3, 0.2], np.float32)

    def order(weight):
        ranker = retrieval_task.reranked(lambda _: scores, Judge([0.1, 0.5, 0.9, 1.0]), np.array([7]), weight)
        return np.argsort(-ranker(7)).tolist()

    assert order(0) == [0, 1, 2, 3]
    assert order(1) == [2, 1, 0, 3]
    mixed = retrieval_task.reranked(lambda _: scores, Judge([0.1, 0.5, 0.9, 1.0]), np.array([7]), 0.5)(7)
    assert mixed == pytest.approx([1.3, 1.45, 1.6, 0.2])
    assert scores.tolist() == pytest.approx([0.5, 0.4, 0.3, 0.2])


def test_retrieval_compares_rankers_on_the_same_steps(parts, monkeypatch):
    monkeypatch.setattr(held_out, "FEWEST", 1)
    rows = retrieval_task.rows(*parts, NO_VERIFIERS, seed=0, most=40)
    names = list(dict.fromkeys(row["ranker"] for row in rows))
    assert names[-1] == "shipped ranker"
    assert {"BM25 over titles", "title + features embedding", "reciprocal rank fusion"} <= set(names)
    for name in names:
        own = [row for row in rows if row["ranker"] == name]
        assert own[0]["department"] == ALL
        assert add_up(own)
    for row in rows:
        assert all(0 <= row[name] <= 1 for name in retrieval_task.METRICS), row
        assert row["hit@1"] <= row["hit@3"] <= row["hit@10"] == row["recall@10"] == 1  # there are six kinds
        for name in ("ndcg@10", "mrr"):
            low, high = row[f"{name}_ci95"]
            assert low <= row[name] <= high
    by_name = {row["ranker"]: row["ndcg@10"] for row in rows if row["department"] == ALL}
    assert by_name["kind name embedding"] > 0.7  # the steps say the name
    json.dumps(rows, allow_nan=False)


def test_a_t2_that_is_always_wrong_spoils_the_ranker_on_the_same_steps(parts, monkeypatch):
    monkeypatch.setattr(retrieval_task, "RERANK_WEIGHT", 1)
    _, index, _ = parts
    kind_of = {product.title: product.kind for product in index.products}
    t2, asked = t2_that(lambda claim: float(kind_of[claim.product] not in claim.step))
    rows = retrieval_task.rows(*parts, Verifiers(t2=t2), seed=0, most=40)
    alone, mixed = rows[-1], rows[-2]
    assert (mixed["ranker"], alone["ranker"]) == ("shipped ranker + T2 re-ranking", "shipped ranker (same steps)")
    assert mixed["steps"] == alone["steps"] == len(asked) / len(KINDS)
    assert (mixed["hit@1"], alone["hit@1"]) == (0, 1)


def test_intervals_are_those_of_the_mean():
    per_step = np.zeros((400, len(retrieval_task.METRICS)))
    per_step[:100] = 1
    row = retrieval_task._summary(per_step, seed=0)
    assert row["mrr"] == 0.25
    half = 1.96 * np.sqrt(0.25 * 0.75 / 400)
    assert row["mrr_ci95"] == pytest.approx([0.25 - half, 0.25 + half], abs=0.01)


# the semantic gap


def test_a_histogram_counts_shares_and_keeps_what_lies_outside():
    bins = retrieval_task._histogram("step to title", np.array([-0.5, -0.19, 0.42, 0.44, 1.0], np.float32))
    assert {(row["from"], row["to"]): row["share"] for row in bins if row["share"]} == {
        (-0.2, -0.15): 0.4,
        (0.4, 0.45): 0.4,
        (0.95, 1.0): 0.2,
    }
    assert [row["from"] for row in bins] == [round(0.05 * n - 0.2, 2) for n in range(24)]
    assert {(row["mean"], row["cosines"]) for row in bins} == {(0.234, 5)}


def test_the_gap_compares_a_step_with_the_titles_and_intentions_of_its_needs(parts):
    library, index, encoder = parts
    rows = retrieval_task.gap_rows(library, index, encoder, seed=0, most=12)
    pairs = ("step to title", "step to best title", "step to intention", "step to best intention")
    by_pair = {pair: [row for row in rows if row["pair"] == pair] for pair in pairs}
    assert sum(map(len, by_pair.values())) == len(rows) == 4 * 24
    for own in by_pair.values():
        assert sum(row["share"] for row in own) == pytest.approx(1, abs=1e-4)
    split = hold_out(library, encoder, seed=0, most=12)
    needs = [(n, index.kinds[kind].name) for n in split.measured for kind in split.steps.needs[n]]
    assert by_pair["step to best intention"][0]["cosines"] == len(needs)
    titles = [(n, index.products[row].title) for n, kind in needs for row in index.products_of_kind[kind]]
    cosines = [encoder.encode([title])[0] @ split.steps.queries[n] for n, title in titles]
    assert by_pair["step to title"][0]["cosines"] == len(titles)
    assert by_pair["step to title"][0]["mean"] == pytest.approx(np.mean(cosines), abs=1e-3)
    for name in ("title", "intention"):
        assert by_pair[f"step to best {name}"][0]["mean"] > by_pair[f"step to {name}"][0]["mean"]


# gates


def test_what_a_gate_shows_of_one_step():
    cosines, chances = np.array([0.6, 0.2, 0.5, 0.5, 0.5], np.float32), np.array([0.1, 0.9, 0.4, 0.3, 0.2], np.float32)
    step = threshold_task._Ranked(np.array([0, 1, 2]), {COSINE: cosines, CHANCE: chances}, np.argsort(-chances))
    assert step.top(COSINE, 0.5).tolist() == [2, 3, 4]
    assert step.top(COSINE, 0.6).tolist() == [0]
    assert step.top(CHANCE, 0.4).tolist() == [1, 2]
    assert step.counts(COSINE, 0.5) == (3, 1, 2, 3, 4, 1)
    assert step.counts(COSINE, 0.7) == (0, 0, 0, 3, 0, 0)
    both = np.array([step.counts(COSINE, 0.5), step.counts(COSINE, 0.7)])
    shares = {"steps": 2, "precision": 0.3333, "recall": 0.3333, "kinds_through": 2.0, "steps_answered": 0.5}
    assert threshold_task._shares(both) == shares
    assert threshold_task._shares(both[1:])["precision"] is None


def test_a_higher_gate_lets_less_through_in_every_department(parts, monkeypatch):
    monkeypatch.setattr(held_out, "FEWEST", 1)
    rows = threshold_task.rows(*parts, NO_VERIFIERS, seed=0, most=40)
    for gate, name in {(row["gate"], row["department"]) for row in rows}:
        own = [row for row in rows if (row["gate"], row["department"]) == (gate, name)]
        assert [row["threshold"] for row in own] == list(threshold_task.GATES[gate])
        for field in ("recall", "kinds_through", "steps_answered"):
            values = [row[field] for row in own]
            assert values == sorted(values, reverse=True), (gate, name, field)
    assert {row["department"] for row in rows if row["gate"] == CHANCE} == {ALL}
    assert all(add_up([r for r in rows if (r["gate"], r["threshold"]) == (COSINE, t)]) for t in threshold_task.GATES[COSINE])
    assert not any(name.startswith("t") and name != "threshold" for row in rows for name in row)
    json.dumps(rows, allow_nan=False)


def t3_that(says):
    asked = []

    def verdicts(claims):
        asked.extend(claims)
        return [Verdict(says(claim)) for claim in claims]

    return SimpleNamespace(verdicts=verdicts), asked


def test_a_t2_that_always_agrees_is_as_right_as_the_gate_is_precise(parts):
    t2, asked = t2_that(yes)
    rows = [row for row in threshold_task.rows(*parts, Verifiers(t2=t2), seed=0, most=40) if row["department"] == ALL]
    for row in rows:
        if row["gate"] == COSINE:
            assert row["t2_accuracy"] == row["precision"]
            assert row["t2_mean"] == (0.9 if row["t2_products"] else None)
        assert "t3_mean" not in row
        assert ("t2_mean" in row) == (row["gate"] == COSINE)
    assert len(set(asked)) == len(asked) > 0


def test_bundles_hold_the_first_product_of_each_step_once_and_are_judged_once(parts):
    t2, _ = t2_that(yes)
    t3, asked = t3_that(lambda claim: 0.8 if len(claim.placed) > 1 else 0.2)
    rows = [row for row in threshold_task.rows(*parts, Verifiers(t2=t2, t3=t3), seed=0, most=40) if "t3_mean" in row]
    assert [row["threshold"] for row in rows] == list(threshold_task.GATES[COSINE])
    assert len(set(asked)) == len(asked) > 0
    for claim in asked:
        titles = [title for _, title in claim.placed]
        assert len(claim.steps) == 3
        assert claim.steps[0].products == ()  # nothing is bought to settle a date
        assert len(titles) == len(set(titles)) > 0
        assert claim.objective.startswith("Get a ")
    for row in rows:
        assert 0.2 <= row["t3_mean"] <= 0.8
        assert row["t3_mean"] == pytest.approx(0.2 + 0.6 * row["t3_pass"], abs=1e-3)
        assert row["t3_scripts"] > 0


# product signals


def judged(index, count=120):
    """Return judged products of plans: half of them of the kind that the step names."""
    rng = np.random.default_rng(0)
    items = []
    for n in range(count):
        product = index.products[n % len(index.products)]
        right = bool(rng.random() < 0.5)
        wanted = product.kind if right else index.kinds[(index.kind_row[product.kind] + 1) % len(index.kinds)].name
        claim = ProductClaim(f"Get ready {n}", f"Buy a {wanted}", product.title, "Washable")
        split = "test" if n % 3 == 0 else "train"
        items.append(Item(f"i{n}", claim, int(right), "plans", "none" if right else "wrong_kind", f"pair {n}", split))
    return items


def test_each_set_of_signals_says_more():
    product = Product(
        "p", "Tent", features=("Folds flat", "Washable"), attributes={"power_w": 3000, "dry": True, "season": ("spring", "summer")}
    )
    said = {name: describe(product) for name, describe in signals_task.SIGNALS.items()}
    assert said == {
        "title": "",
        "title + features": "Folds flat. Washable",
        "title + features + attributes": "Folds flat. Washable. power w: 3000. dry: yes. season: spring, summer",
    }


def test_signals_are_measured_for_probe_and_adapter_on_the_same_test_items(parts, monkeypatch):
    monkeypatch.setattr(held_out, "FEWEST", 1)
    monkeypatch.setattr(metrics, "RESAMPLES", 60)
    _, index, encoder = parts
    items = judged(index)
    stray = Item("x", ProductClaim("Get ready", "Buy a rock", "Moon Rock"), 0, "plans", "wrong_kind", "x", "test")
    labels = {item.claim.objective: item.label for item in items}
    t2, asked = t2_that(lambda claim: 0.8 if labels[claim.objective] else 0.1)
    rows = signals_task.rows(index, encoder, Verifiers(choice=t2), [*items, stray], seed=0)
    for signal in signals_task.SIGNALS:
        for model in (signals_task.PROBE, signals_task.SHIPPED):
            own = [row for row in rows if (row["signal"], row["model"]) == (signal, model)]
            assert own[0]["department"] == ALL
            assert own[0]["items"] == 40  # the stray one is not in the catalogue
            assert add_up(own)
    shipped = [row for row in rows if row["model"] == signals_task.SHIPPED and row["department"] == ALL]
    assert all((row["auc"], row["accuracy"]) == (1, 1) for row in shipped)
    assert all(row["auc_ci95"][0] <= row["auc"] <= row["auc_ci95"][1] for row in rows if "auc" in row)
    assert [claim.features for claim in asked[:40]] == [""] * 40
    assert all("Folds flat" in claim.features for claim in asked[40:])
    json.dumps(rows, allow_nan=False)


def test_a_probe_learns_what_the_texts_tell(parts):
    """Step and title share the brand exactly where the product helps."""
    _, _, encoder = parts
    words = [f"brand{n}" for n in range(40)]
    claims = [ProductClaim("Camp", f"Buy {words[n % 40]}", words[n % 40] if n % 2 else words[(n + 7) % 40]) for n in range(400)]
    labels = [n % 2 for n in range(400)]
    said = signals_task._probe(encoder, claims[:300], labels[:300], claims[300:])
    assert ((said > 0.5) == np.array(labels[300:])).mean() > 0.9


def test_without_t2_only_the_probe_is_measured_and_one_sided_groups_have_no_auc(parts):
    _, index, encoder = parts
    items = [item for item in judged(index) if item.split == "train" or item.label]
    rows = signals_task.rows(index, encoder, NO_VERIFIERS, items, seed=0)
    assert {row["model"] for row in rows} == {signals_task.PROBE}
    assert all(set(row) == {"signal", "model", "department", "items"} for row in rows)
