"""An updated index answers as one that was built anew from the catalogue of the day."""

import json
import shutil

import numpy as np
import pytest
from fakes import KINDS, SCRIPTS, HashEncoder, kind, product, write_catalogue, write_lines

import index_build.__main__ as command_line
from ecomscript.association.index import IntentionIndex
from ecomscript.errors import CatalogError
from ecomscript.pipeline import Pipeline
from ecomscript.planning.intake import Intake
from ecomscript.planning.library import Library
from ecomscript.request import make_request
from index_build import update as updating
from index_build.__main__ import main
from index_build.build import BUILDING, build
from index_build.check import check
from index_build.shop import ShopOptions
from index_build.update import update

TENT, STOVE, LANTERN, CANDLES, TIN, BUTTER = KINDS
CHEAPER = {**STOVE["products"][0], "price": 59.0}
HAMMOCK = kind("hammock", "🏕️", ["rest between two trees", "sleep dry on a camping weekend"], [product("Brandle Hammock", "Brandle", 40.0)])


def changed(products, of):
    return {**of, "products": products}


@pytest.fixture
def folder(tiny_index_dir, tmp_path):
    return shutil.copytree(tiny_index_dir, tmp_path / "index")


@pytest.fixture
def changes(tmp_path):
    """A cheaper stove, a further lantern, and a kind that is new."""
    more = product("Wickerlight Porch Lantern", "Wickerlight", 30.0, ["light the way to the door"])
    return write_lines(tmp_path / "changes.jsonl", [changed([CHEAPER], STOVE), changed([more], LANTERN), HAMMOCK])


def gone(tmp_path, *ids):
    path = tmp_path / "gone.txt"
    path.write_text("\n".join(ids) + "\n\n")
    return path


def id_of(folder, title):
    return next(p.product_id for p in IntentionIndex.load(folder, "hash-32").products if p.title == title)


def answers(folder):
    """Return what an index says: products by id, their vectors and intentions, and what is near each of its kinds."""
    index = IntentionIndex.load(folder, "hash-32")
    products = {p.product_id: p for p in index.products}
    texts = {p.product_id: {index.intentions[n].text for n in index.intentions_of_product[row]} for row, p in enumerate(index.products)}
    kinds = {k: index.kind_vectors[row] for row, k in enumerate(index.kinds)}
    near = {
        k.name: [(index.intentions[row].text, {index.products[p].title for p in index.products_of_intention[row]}) for row in found.rows]
        for k, vector in kinds.items()
        for found in [index.nearest(vector / np.linalg.norm(vector), 8)]
    }
    vectors = {p.product_id: index.product_vectors[row] for row, p in enumerate(index.products)}
    return products, texts, near, vectors | {k.name: vector for k, vector in kinds.items()}


def assert_same(folder, other):
    *said, vectors = answers(folder)
    *expected, wanted = answers(other)
    assert said == expected
    assert vectors.keys() == wanted.keys()
    for key, vector in wanted.items():
        np.testing.assert_allclose(vectors[key], vector, atol=2e-3)


def test_it_answers_as_if_it_had_been_built_anew(folder, changes, tmp_path):
    encoder = HashEncoder()
    done = update(folder, changes, gone(tmp_path, id_of(folder, "Pallamere Number Candles")), encoder, quiet=True)
    assert (done.added, done.replaced, done.removed, done.embedded) == (2, 1, 1, 2)
    known = {intention for k in KINDS for intention in k["intentions"]}
    assert not known & set(encoder.encoded)
    more = product("Wickerlight Porch Lantern", "Wickerlight", 30.0, ["light the way to the door"])
    today = [
        TENT,
        changed([CHEAPER, STOVE["products"][1]], STOVE),
        changed([*LANTERN["products"], more], LANTERN),
        changed(CANDLES["products"][:1], CANDLES),
        TIN,
        BUTTER,
        HAMMOCK,
    ]
    build(write_catalogue(tmp_path / "today", today, SCRIPTS), tmp_path / "anew", HashEncoder(), quiet=True)
    assert_same(folder, tmp_path / "anew")
    assert check(folder, HashEncoder()).ok
    index, library = IntentionIndex.load(folder, "hash-32"), Library.load(folder / "library", "hash-32")
    assert index.source == library.source and [k.name for k in index.kinds] == [k.name for k in library.kinds]
    assert not (tmp_path / f"index{BUILDING}").exists()


def test_an_updated_index_makes_plans(folder, changes, tiny_parts):
    update(folder, changes, None, HashEncoder(), quiet=True)
    encoder, weights = tiny_parts[2:]
    library, index = Library.load(folder / "library", "hash-32"), IntentionIndex.load(folder, "hash-32")
    plan = Pipeline.of(library, index, encoder, weights, Intake()).run(make_request("Take the family on a first camping weekend"))
    shown = {p.title: p.price_usd for p in plan.products}
    assert shown[CHEAPER["title"]] == 59.0
    assert all(index.products[index.row_of[p.product_id]] == p for p in plan.products)


def test_updates_follow_each_other_until_the_graph_is_built_again(folder, tmp_path):
    """Kinds come and go; the graph keeps its removed rows for a while and is never wrong."""
    for n in range(8):
        new = kind(f"thing {n}", "🎁", [f"do thing {n} number {m}" for m in range(4)], [product(f"Thing {n}", "Brandle", 1.0 + n)])
        drop = gone(tmp_path, id_of(folder, f"Thing {n - 1}")) if n else None
        update(folder, write_lines(tmp_path / "new.jsonl", [new]), drop, HashEncoder(), quiet=True)
        index = IntentionIndex.load(folder, "hash-32")
        assert {p.title for p in index.products if p.title.startswith("Thing")} == {f"Thing {n}"}
        assert len(index.graph) == len(index.intentions) == 18
        for row, vector in enumerate(index.intention_vectors):
            assert index.nearest(vector, 1).rows.tolist() == [row]
    assert sum(map(len, index.graph.rows)) < 18 * 1.5


def test_a_shop_that_changes(tiny_source, tmp_path):
    options = ShopOptions(knowledge=tiny_source)
    rows = [
        {"parent_asin": f"T{n}", "title": f"{p['brand']} {k['kind']}", "price": 9} for n, k in enumerate(KINDS) for p in k["products"][:1]
    ]
    before, today = tmp_path / "before.jsonl", tmp_path / "today.jsonl"
    before.write_text("".join(json.dumps(row) + "\n" for row in [*rows[:5], {"title": None}]))
    now = [{**rows[0], "price": 7}, *rows[2:]]
    today.write_text("".join(json.dumps(row) + "\n" for row in now))
    (tmp_path / "delta.csv").write_text(f"parent_asin,title,price\nT0,{rows[0]['title']},7\nT5,{rows[5]['title']},9\n")
    build(before, tmp_path / "index", HashEncoder(), quiet=True, options=options)
    build(today, tmp_path / "anew", HashEncoder(), quiet=True, options=options)
    rejects = (tmp_path / "index" / "rejects.jsonl").read_text()
    update(tmp_path / "index", None, gone(tmp_path, "T1"), HashEncoder(), quiet=True, options=options)
    assert (tmp_path / "index" / "rejects.jsonl").read_text() == rejects != ""
    done = update(tmp_path / "index", tmp_path / "delta.csv", None, HashEncoder(), quiet=True, options=options)
    assert (done.added, done.replaced, done.removed) == (1, 1, 0)
    assert_same(tmp_path / "index", tmp_path / "anew")


def test_a_product_that_is_taken_away_and_named_again_is_new(folder, changes, tmp_path):
    done = update(folder, changes, gone(tmp_path, id_of(folder, CHEAPER["title"])), HashEncoder(), quiet=True)
    assert (done.added, done.replaced, done.removed) == (3, 0, 1)
    assert len(IntentionIndex.load(folder, "hash-32").products) == 11


@pytest.mark.parametrize(
    ("titles", "sentence"),
    [
        (["no such id"], r"1 of the ids in .* are in no row of the index, the first is 'no such id'\. Take them out"),
        ([LANTERN["products"][0]["title"]], r"Plans of the library need 'camping lantern', of which no product would be left\. Keep one"),
        ([p["title"] for k in KINDS for p in k["products"]], r"Nothing would be left in the index\. Build one of another catalogue"),
    ],
)
def test_what_cannot_be_done_leaves_the_index_as_it_was(folder, tmp_path, titles, sentence):
    before = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    by_title = {p.title: p.product_id for p in IntentionIndex.load(folder, "hash-32").products}
    with pytest.raises(CatalogError, match=sentence):
        update(folder, None, gone(tmp_path, *(by_title.get(title, title) for title in titles)), HashEncoder(), quiet=True)
    assert {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()} == before


def test_killed_before_the_switch_the_earlier_index_serves(folder, changes, monkeypatch):
    monkeypatch.setattr(updating, "replace_folder", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        update(folder, changes, None, HashEncoder(), quiet=True)
    assert len(IntentionIndex.load(folder, "hash-32").products) == 9
    monkeypatch.undo()
    update(folder, changes, None, HashEncoder(), quiet=True)
    assert len(IntentionIndex.load(folder, "hash-32").products) == 11


def test_the_command_line_updates(folder, changes, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(command_line, "open_encoder", lambda name, threads: HashEncoder())
    assert main(["update", str(folder), "--catalog", str(changes), "--quiet"]) == 0
    assert json.loads(capsys.readouterr().out) == {"added": 2, "replaced": 1, "removed": 0, "embedded": 2}
    assert main(["update", str(folder), "--remove", str(tmp_path / "none.txt")]) == 2
    assert "none.txt cannot be read (No such file or directory)" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["update", str(folder)])
    assert "name what changed" in capsys.readouterr().err
