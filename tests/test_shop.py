"""From other people's files to an index: what is kept, what is counted, what is transferred."""

import json
import math
import subprocess
import sys

import numpy as np
import pytest
import shop_fixtures as shop
from fakes import KINDS, HashEncoder, product

import index_build.__main__ as command_line
from ecomscript.association.index import IntentionIndex
from ecomscript.association.links import Links
from ecomscript.association.product_store import ProductStore, write_products
from ecomscript.config import PROJECT_ROOT
from ecomscript.errors import CatalogError
from ecomscript.schema import Product
from index_build.bench import grown
from index_build.bench_growth import ALL, LINKED, READ, STORED, bench_growth
from index_build.bench_read import WAYS, bench_read, write_rows
from index_build.bench_store import FILES, MEMORY, SQLITE, bench_store, made_id, write_stores
from index_build.bench_store import WAYS as STORES
from index_build.bench_transfer import bench_transfer
from index_build.build import build
from index_build.check import check
from index_build.feeds.columns import Choice
from index_build.feeds.listing import product_id, twin_keys
from index_build.feeds.reading import intention_of, read_assertions, read_products
from index_build.feeds.staging import Staging
from index_build.feeds.tally import Tally
from index_build.shop import REJECTS, ShopOptions
from index_build.sources import read_catalogue
from index_build.transfer import Knowledge, title_head

TITLES = {f"{p['brand']} {k['kind'].title()}": k["kind"] for k in KINDS for p in k["products"]}


def read(source, work, choice=None, assertions=None):
    """Return what is kept, by its id, and the counts."""
    with Tally(work / REJECTS) as tally, Staging(work / "staging.sqlite") as staging:
        read_products(source, choice or Choice(), staging, tally, lambda _: None)
        if assertions:
            read_assertions(assertions, staging, tally)
        return {listing.product.product_id: listing for listing in staging.listings()}, tally


def rejects(folder):
    return [json.loads(line) for line in (folder / REJECTS).read_text().splitlines()]


@pytest.fixture(scope="module")
def amazon(tmp_path_factory):
    folder = tmp_path_factory.mktemp("amazon")
    return (*read(shop.write_amazon(folder / "meta_Test.jsonl.gz"), folder / "out"), folder)


def test_every_oddity_of_an_amazon_file_is_counted(amazon):
    kept, tally, folder = amazon
    count, rejected, repaired = shop.expected()
    assert (len(kept), tally.rejected, tally.repaired) == (count, rejected, repaired)
    assert tally.merged == {"near-duplicates: same store, same words in the title": 1}
    written = rejects(folder / "out")
    assert len(written) == sum(rejected.values())
    first = shop.SOUND + 1 + [name for name, *_ in shop.ODD].index("null title")
    assert {"file": "meta_Test.jsonl.gz", "line": first, "reason": "no title"}.items() <= written[0].items()
    assert "ODD01" in written[0]["row"]


def test_what_an_amazon_row_says_of_a_product(amazon):
    kept, _, _ = amazon

    def of(asin):
        return kept[product_id(asin)].product

    row = shop.sound_rows()[5]
    found = of(row["parent_asin"])
    assert (found.title, found.brand, found.price_usd, found.rating) == (row["title"], row["store"], row["price"], row["average_rating"])
    assert found.category == " > ".join(row["categories"]) and found.image_url == shop.IMAGE.format(row["parent_asin"])
    assert found.attributes["Item Weight"] == "1.2 pounds" and found.features == tuple(row["features"])
    assert [of(f"ODD{n:02d}").price_usd for n in (4, 5, 6, 7)] == [12.99, 10.0, None, None]
    assert of("ODD12").attributes == {"a": 1, "b": ("x", "2")} and of("ODD13").attributes == {"Lumen": 400}
    assert of("ODD14").features and len("".join(of("ODD14").features)) < 1000
    assert of("ODD15").title == 'Salt & Pepper Mill "Duo"' and of("ODD16").title == "Brandle Camp Kettle 1 L"
    assert of("ODD23").title.isprintable() and of("ODD22").image_url is None and of("ODD24").image_url == shop.IMAGE.format("ODD24")
    assert of("RAW02").title == "Wickerlight Café Lantern"
    twin = of("ODD18")  # what only the second knew was filled in
    assert (twin.title, twin.price_usd, twin.image_url) == (shop.TENT, 88, shop.IMAGE.format("ODD19"))
    assert product_id("ODD19") not in kept and product_id("ODD20") in kept


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("meta.jsonl.zst", shop.write_amazon),
        ("shop.csv", shop.write_table),
        ("excel.csv", lambda path: shop.write_table(path, ";", "utf-16")),
        ("shop.tsv", lambda path: shop.write_table(path, "\t", "cp1252")),
        ("products_export.csv", shop.write_shopify),
        ("feed.tsv", shop.write_merchant_tsv),
        ("feed.xml", shop.write_merchant_xml),
        ("meta.parquet", shop.write_parquet),
    ],
)
def test_every_format_gives_the_same_products(tmp_path, name, write):
    kept, tally = read(write(tmp_path / name), tmp_path / "out")
    handle = name.startswith("products")
    sound = {product_id(asin.lower() if handle else asin): row for row in shop.sound_rows() for asin in [row["parent_asin"]]}
    common = sound.keys() & kept.keys()
    assert len(common) >= len(sound) - 3 and tally.rejected["not for sale"] == len(sound) - len(common)
    for key in common:
        found, row = kept[key].product, sound[key]
        assert found.title.encode("ascii", "ignore") == row["title"].encode("ascii", "ignore") or "cp1252" in str(tally.repaired)
        assert (found.image_url or "").startswith("https://images.example/") and found.category
        assert found.price_usd in {row["price"], None} and (found.page_url or "").startswith(("", shop.PAGE.format("")))
    assert sum(kept[key].product.price_usd is None for key in common) == tally.repaired["price not in US dollars"] - (".zst" in name)


def test_shopify_rows_of_one_product_are_one(tmp_path):
    kept, tally = read(shop.write_shopify(tmp_path / "export.csv"), tmp_path / "out")
    assert len(kept) == shop.SOUND - 1
    assert tally.merged == {"further variants or pictures of a product": shop.SOUND}
    assert tally.rejected == {"not for sale": 1}
    assert any(listing.product.category.startswith("Home & Garden > Kitchen") for listing in kept.values())


def test_a_folder_with_reviews_and_a_broken_file(tmp_path):
    source = tmp_path / "catalogue"
    source.mkdir()
    odd = {**shop.amazon("ODD18", shop.TENT, average_rating=None, rating_number=None)}
    (source / "meta.jsonl").write_text(json.dumps(odd) + "\n")
    shop.write_reviews(source / "reviews.jsonl")
    (source / "empty.csv").touch()
    (source / "stock.csv").write_text("warehouse,count\nA,5\n")
    (source / "notes.md").write_text("not read")
    kept, tally = read(source, tmp_path / "out")
    (listing,) = kept.values()
    assert (listing.product.rating, listing.product.rating_count) == (4.0, 4)
    assert tally.rejected == {"empty file": 1, "no title column": 1}
    assert [r["file"] for r in rejects(tmp_path / "out")] == ["empty.csv", "stock.csv"]


def test_the_most_helpful_reviews_are_kept(tmp_path):
    with Tally(tmp_path / REJECTS) as tally, Staging(tmp_path / "staging.sqlite") as staging:
        source = tmp_path / "all"
        source.mkdir()
        (source / "meta.jsonl").write_text(json.dumps(shop.amazon("ODD18", shop.TENT)) + "\n")
        lines = [{"rating": 5, "text": f"Dry {n}", "parent_asin": "ODD18", "user_id": "u", "helpful_vote": n % 7} for n in range(30)]
        lines += [{"rating": 9, "text": "x", "parent_asin": "ODD18", "user_id": "u"}, {"rating": 5, "text": "x", "user_id": "u"}]
        (source / "reviews.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
        read_products(source, Choice(), staging, tally, lambda _: None)
        assert staging.reviews(product_id("ODD18")) == ("Dry 6", "Dry 13", "Dry 20", "Dry 27", "Dry 5")
        assert tally.rejected == {"review without product or stars": 2}


@pytest.mark.parametrize(
    ("name", "data", "cause"),
    [
        ("empty.csv", b"", "1 empty file"),
        ("stock.csv", b"warehouse,count\nA,5\n", "1 no title column"),
        ("titles.csv", b"title,price\n,5\n-,6\n", "2 no title"),
        ("cut.jsonl.gz", shop.gzip.compress(b'{"title": "x"}', mtime=0)[:12], "1 file breaks off"),
        ("x.jsonl", b'{"title": ', "1 not JSON"),
    ],
)
def test_a_catalogue_without_any_product_ends_in_one_sentence(tmp_path, capsys, name, data, cause):
    (tmp_path / name).write_bytes(data)
    arguments = ["--catalog", str(tmp_path / name), "--out", str(tmp_path / "out"), "--quiet"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(command_line, "open_encoder", lambda name, threads: HashEncoder())
        assert command_line.main(arguments) == 2
    said = capsys.readouterr().err
    assert cause in said and "--mapping" in said and said.count("\n") == 1
    assert not (tmp_path / "out" / "manifest.json").exists()


def test_a_mapping_finds_what_guesses_do_not(tmp_path):
    path = shop.write_table(
        tmp_path / "f.csv", header=["Nr", "Bezeichnung", "Preis", "Bild"], rows=[["7", "Tent", "5", "https://i.example/7"]]
    )
    with pytest.raises(CatalogError, match="no title column"):
        read(path, tmp_path / "out")
    columns = {"id": ("Nr",), "title": ("Bezeichnung",), "price": ("Preis",), "image": ("Bild",)}
    kept, _ = read(path, tmp_path / "out", Choice(columns, "https://shop.example/p/"))
    found = kept[product_id("7")].product
    assert (found.price_usd, found.image_url, found.page_url) == (5, "https://i.example/7", "https://shop.example/p/7")


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        (("Cairnfold Orchard Tent, Green", "Cairnfold"), ("TENT orchard (green)", "cairnfold"), True),
        (("Café Mill", ""), ("cafe mill", ""), True),
        (("Tent 3-Person", "C"), ("Tent 4-Person", "C"), False),
        (("Tent", "C"), ("Tent", "D"), False),
        (("Lamp 1.5 m", "C"), ("Lamp 15 m", "C"), False),
    ],
)
def test_near_duplicates(first, second, same):
    assert (twin_keys(*first)[0] == twin_keys(*second)[0]) == same


def test_assertions_by_id_and_by_title(tmp_path):
    rows = [shop.amazon("A1", "Cairnfold Dome Tent"), shop.amazon("A2", "Brandle Stove"), shop.amazon("A3", "Wool Blanket")]
    (tmp_path / "meta.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    said = [
        {
            "item_a_id": "A1",
            "item_b_id": "A2",
            "relation": "xWant",
            "tail": "because they want to camp in summer.",
            "plausibility": 0.9,
            "typicality": 0.8,
        },
        {"item_a_id": "A1", "item_b_id": "A2", "relation": "UsedFor", "tail": "outdoor meals", "plausibility": 0.2, "typicality": 0.9},
        {"title": "WOOL blanket", "relation": "UsedFor", "tail": "cold nights"},
        {"item_a_id": "A1", "tail": ""},
        {"tail": "sleep"},
        {"item_a_id": "A1", "tail": "sleep", "plausibility": 7},
    ]
    (tmp_path / "folkscope.jsonl").write_text("".join(json.dumps(row) + "\n" for row in said))
    kept, tally = read(tmp_path / "meta.jsonl", tmp_path / "out", assertions=tmp_path / "folkscope.jsonl")
    assert {i: kept[product_id(i)].intentions for i in ("A1", "A2", "A3")} == {
        "A1": ("camp in summer",),
        "A2": ("camp in summer",),
        "A3": ("use it for cold nights",),
    }
    assert tally.rejected == {
        "assertion: plausibility or typicality below 0.5": 1,
        "assertion: no tail": 1,
        "assertion: no product named": 1,
        "assertion: scores are not from 0 to 1": 1,
    }


@pytest.mark.parametrize(
    ("tail", "relation", "expected"),
    [
        ("PersonX wants to keep food cold", None, "keep food cold"),
        ("it can be used for cooking outdoors", "UsedFor", "cooking outdoors"),
        ("they are both used to cook", None, "cook"),
        ("light a tent after dark", None, "light a tent after dark"),
        ("picnics", "UsedFor", "use it for picnics"),
        (None, None, ""),
    ],
)
def test_tails_become_verb_phrases(tail, relation, expected):
    assert intention_of(tail, relation) == expected


@pytest.fixture(scope="module")
def small(tmp_path_factory, tiny_source):
    """An index of the tiny catalogue's own titles in another shape, with the tiny catalogue as knowledge."""
    folder = tmp_path_factory.mktemp("small")
    rows = [shop.amazon(f"T{n}", title, categories=["Outdoors"]) for n, title in enumerate(TITLES)]
    rows += [
        shop.amazon("X1", "Zyx Qwv Blorp", categories=["Oddments"]),
        shop.amazon("X2", "Zyx Own Gadget", intentions=["amuse a cat"], categories=[], main_category=None),
    ]
    (folder / "meta.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    options = ShopOptions(knowledge=tiny_source)
    build(folder / "meta.jsonl", folder / "index", HashEncoder(), quiet=True, options=options)
    return folder, options


def test_products_get_kinds_and_intentions_and_say_from_where(small):
    folder, _ = small
    index = IntentionIndex.load(folder / "index", "hash-32")
    by_title = {p.title: p for p in index.products}
    right = [by_title[title].kind == kind for title, kind in TITLES.items() if title in by_title]
    assert len(right) >= 8 and np.mean(right) >= 0.6
    for row, found in enumerate(index.products):
        assert len(index.intentions_of_product[row])
        lenders = {text for kind in KINDS if kind["kind"] in found.transferred_from for text in kind["intentions"]}
        own = {index.intentions[n].text for n in index.intentions_of_product[row]}
        assert own <= (lenders or {"amuse a cat"})
    gadget = by_title["Zyx Own Gadget"]
    assert gadget.transferred_from == () and gadget.kind == "other product"
    assert check(folder / "index", HashEncoder()).ok
    assert sorted(path.name for path in (folder / "index").iterdir() if path.is_dir()) == []


def test_resume_keeps_a_finished_index_until_something_changes(small, tmp_path, tiny_source):
    folder, options = small
    source = folder / "meta.jsonl"
    out = tmp_path / "index"
    again = HashEncoder()
    build(source, out, HashEncoder(), quiet=True, options=options)
    build(source, out, again, resume=True, quiet=True, options=options)
    assert again.encoded == []
    assertions = tmp_path / "said.csv"
    assertions.write_text("product_id,tail\nT0,impress the neighbours\n")
    changed = ShopOptions(assertions=assertions, knowledge=tiny_source)
    index = build(source, out, again, resume=True, quiet=True, options=changed)
    assert again.encoded and "impress the neighbours" in {i.text for i in index.intentions}


def test_a_killed_build_embeds_no_title_twice(small, tmp_path):
    folder, options = small
    with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("index_build.build.build_index", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        build(folder / "meta.jsonl", tmp_path, HashEncoder(), quiet=True, options=options)
    again = HashEncoder()
    build(folder / "meta.jsonl", tmp_path, again, resume=True, quiet=True, options=options)
    assert not {title_head(title) for title in TITLES} & set(again.encoded)
    for name in ("products.sqlite", "intentions.jsonl", "links.npz", "products.npy"):
        assert (tmp_path / name).read_bytes() == (folder / "index" / name).read_bytes()


def test_a_kind_may_be_hidden_from_the_transfer(tiny_source):
    knowledge = Knowledge.of(read_catalogue(tiny_source), HashEncoder())
    titles = ["Family tent", "Family tent"]
    heads = HashEncoder().encode(titles)
    row = [kind.name for kind in knowledge.kinds].index("family tent")
    free, hidden = knowledge.give(titles, heads, ["", ""], [[], [row]])
    assert free.kind == free.nearest == row and set(free.lent_by) == {row}
    assert hidden.nearest != row and row not in hidden.lent_by


def test_the_transfer_is_measured(tiny_source):
    rows = bench_transfer(tiny_source, HashEncoder())
    known, hidden = (next(r for r in rows if r["told"] == "title alone" and r["hidden"] == h) for h in ("nothing", "own kind"))
    assert known["precision_meaning"] > hidden["precision_meaning"]
    assert "kind_right_where_sure" in known and "kind_right_where_sure" not in hidden
    assert [set(row) for row in rows[-2:]] == [{"told", "precision_meaning"}] * 2


def test_every_way_of_reading_finds_every_row(tiny_source, tmp_path):
    write_rows(tmp_path / "meta.jsonl", read_catalogue(tiny_source).products, 300, seed=0)
    assert [way(tmp_path / "meta.jsonl", tmp_path) for way in WAYS.values()] == [300, 300, 285]


@pytest.mark.slow
def test_reading_is_measured(tiny_source, tmp_path):
    rows = bench_read(read_catalogue(tiny_source).products, tmp_path, 300, rounds=1)
    assert [(row["file"], row["way"]) for row in rows] == [(file, way) for file in (".jsonl", ".jsonl.gz") for way in WAYS]
    assert [row["rows"] for row in rows] == [300, 300, 285] * 2 and all(row["grown_mb"] >= 0 for row in rows)
    assert [row["speed"] for row in rows if row["way"] == "json loop"] == [1, 1]


def test_every_store_gives_the_same_product_by_row_and_by_id(tiny_source, tmp_path):
    write_stores(read_catalogue(tiny_source).products, tmp_path, 250)
    readers = [open_store(tmp_path / FILES[name]) for name, open_store in STORES.items()]
    for row in (0, 99, 100, 249):
        first, *others = [found for reader in readers for found in (reader.by_row(row), reader.by_id(made_id(row)))]
        assert first.product_id == made_id(row) and first.title.endswith(f"No. {row}") and all(found == first for found in others)


@pytest.mark.slow
def test_stores_are_measured_against_sqlite(tiny_source, tmp_path):
    rows = {row["way"]: row for row in bench_store(read_catalogue(tiny_source).products, tmp_path, 250, rounds=1)}
    assert list(rows) == list(STORES) and all(row["rows"] == 250 and row["grown_mb"] >= 0 for row in rows.values())
    assert rows[SQLITE]["row_over_sqlite"] == rows[SQLITE]["id_over_sqlite"] == 1
    assert rows[MEMORY]["id_ms"] < rows[SQLITE]["id_ms"] < rows["Parquet, row groups of 100"]["id_ms"]


@pytest.mark.slow
def test_growth_is_measured_stage_by_stage(tiny_source, tmp_path):
    told = []
    rows = bench_growth(tiny_source, tmp_path, HashEncoder(), (200, 1000), tell=told.append)
    stages, growth = ([row for row in rows if row["row"] == kind] for kind in ("stage", "growth"))
    names = [READ, STORED, LINKED, ALL]
    assert [(row["rows"], row["stage"]) for row in stages] == [(size, name) for size in (200, 1000) for name in names]
    assert all(row["cpu_s"] > 0 and row["peak_mb"] > 0 for row in stages)
    whole = [row for row in stages if row["stage"] == ALL]
    assert all(0 < row["products"] <= 0.95 * row["rows"] for row in whole) and whole[1]["links"] > whole[0]["links"] > 0
    assert whole[1]["intentions"] - whole[0]["intentions"] == 160  # two of every tenth row
    assert [(row["stage"], row["cost"]) for row in growth] == [(name, cost) for name in names for cost in ("cpu_s", "peak_mb")]
    assert len(told) == 2 and not list(tmp_path.iterdir())


def test_growth_is_fitted():
    sizes = [10, 100, 1000]
    assert grown(sizes, [n**1.5 for n in sizes])["exponent"] == 1.5
    assert grown(sizes, [7 * n * math.log(n) for n in sizes])["over_n_log_n"] == 1


def test_links_turn_around():
    links = Links.of([[0, 2], [], [2, 1]])
    assert [rows.tolist() for rows in links] == [[0, 2], [], [2, 1]]
    assert [rows.tolist() for rows in links.turned(4)] == [[0], [2], [0, 2], []]
    assert len(links) == 3 and [rows.tolist() for rows in links[1:]] == [[], [2, 1]]


def test_a_store_reads_by_row_and_by_id(tmp_path):
    rows = [Product(f"p{n}", f"Title “{n}”", kind="tent" if n % 2 else None, attributes={"a": (1, "b"), "n": n}) for n in range(50)]
    write_products(tmp_path / "rows.sqlite", rows)
    store = ProductStore(tmp_path / "rows.sqlite")
    assert list(store) == rows and store[7] == rows[7] and store[-1] == rows[-1] and store[3:5] == rows[3:5]
    assert store.row_of["p9"] == 9 and "p50" not in store.row_of and store.row_of.get("nobody") is None
    assert list(store.kinds()) == [p.kind for p in rows] and list(store.row_of) == [p.product_id for p in rows]
    with pytest.raises(IndexError):
        store[50]
    write_products(tmp_path / "again.sqlite", rows)
    assert (tmp_path / "again.sqlite").read_bytes() == (tmp_path / "rows.sqlite").read_bytes()


def test_own_format_stays_strict(tmp_path, encoder):
    rows = [
        {"kind": "tent", "category": "Outdoors", "emoji": "⛺", "intentions": ["camp"], "products": [{**product("T", "C"), "price": "5"}]}
    ]
    (tmp_path / "kinds.jsonl").write_text(json.dumps(rows[0]))
    with pytest.raises(CatalogError, match="line 1, field products"):
        build(tmp_path / "kinds.jsonl", tmp_path / "out", encoder, quiet=True)


@pytest.mark.slow
def test_an_amazon_file_becomes_plans_with_the_real_encoder(tmp_path):
    """The commands as they are typed: build, check, plan."""
    source = shop.write_amazon(tmp_path / "meta_Test.jsonl.gz")

    def run(module, *arguments):
        done = subprocess.run([sys.executable, "-m", module, *arguments], cwd=PROJECT_ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    out = tmp_path / "index"
    said = run("index_build", "--catalog", str(source), "--out", str(out))
    assert "products" in said
    report = json.loads(run("index_build", "check", str(out)))
    assert report["ok"] and report["products"] > 270 and report["unreachable_share"] == 0
    plan = json.loads(run("ecomscript", "plan", "light a tent on a camping weekend", "--index", str(out), "--json"))
    titles = {product.title for product in IntentionIndex.load(out, "all-MiniLM-L6-v2").products}
    shown = [product["title"] for step in plan["steps"] for product in step["products"]]
    assert shown and set(shown) <= titles
