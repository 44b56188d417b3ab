import gzip
import json
import lzma
import random

import pytest
from backports import zstd
from shop_fixtures import HEADER, plain_rows, write_merchant_xml, write_parquet, write_table

from ecomscript.errors import CatalogError
from index_build.feeds import streams, tables
from index_build.feeds.columns import PRODUCT_FIELDS, Choice, looks_like_reviews, read_choice, resolve
from index_build.feeds.tables import open_table
from index_build.feeds.tally import Tally, UnusableFileError

ROWS = [{"id": n, "title": f"Lantern {n}", "description": "x" * 50} for n in range(500)]
JSONL = "".join(json.dumps(row) + "\n" for row in ROWS).encode()


@pytest.fixture
def tally(tmp_path):
    return Tally(tmp_path / "out" / "rejects.jsonl")


def put(path, data):
    path.write_bytes(data)
    return path


def read(path, tally, fields=None):
    """Return title (or other field) → line of every row."""
    table = open_table(path)
    columns = resolve(table.header, PRODUCT_FIELDS, Choice(), table.form in {"jsonl", "xml"})
    return [
        (record.line, *(columns.cell(record.cells, field) for field in fields or ["title"])) for record in table.records(columns, tally)
    ]


@pytest.mark.parametrize("pack", [bytes, gzip.compress, lzma.compress, zstd.compress])
def test_packed_or_not_whatever_the_name(tmp_path, tally, pack):
    found = read(put(tmp_path / "anything", pack(JSONL)), tally, ["title", "description"])
    assert found == [(n + 1, row["title"], row["description"]) for n, row in enumerate(ROWS)]
    assert not tally.rejected


@pytest.mark.parametrize("pack", [gzip.compress, lzma.compress, zstd.compress])
@pytest.mark.parametrize("damage", ["cut", "flip"])
def test_a_damaged_file_gives_what_is_before_the_damage(tmp_path, tally, pack, damage):
    noise = random.Random(0)
    rows = [{"title": f"Lantern {n}", "noise": noise.randbytes(300).hex()} for n in range(3000)]
    data = bytearray(pack("".join(json.dumps(row) + "\n" for row in rows).encode()))
    if damage == "cut":
        del data[len(data) * 3 // 4 :]
    else:
        data[len(data) * 3 // 4] ^= 255
    found = read(put(tmp_path / "meta.jsonl.gz", bytes(data)), tally)
    assert 500 < len(found) <= 3000 and found[:2] == [(1, "Lantern 0"), (2, "Lantern 1")]
    assert sum(tally.rejected.values()) >= 1
    assert set(tally.rejected) <= {"file breaks off", "file cannot be read", "not JSON"}


def test_what_is_no_catalogue_is_named(tmp_path):
    for data, reason in ((b"", "empty file"), (b" \n\n", "empty file"), (b"[1]", "unknown format"), (b"\x89PNG\0\0", "unknown format")):
        with pytest.raises(UnusableFileError, match=reason):
            open_table(put(tmp_path / "file", data))
    with pytest.raises(UnusableFileError, match="file cannot be read"):
        open_table(tmp_path / "missing")
    with pytest.raises(UnusableFileError, match="file cannot be read"):
        open_table(put(tmp_path / "file", b"PAR1 and nothing else"))


def test_blocks_and_long_lines(monkeypatch, tmp_path, tally):
    monkeypatch.setattr(streams, "BLOCK", 64)
    monkeypatch.setattr(streams, "MAX_LINE", 200)
    lines = [
        "{}",
        json.dumps({"title": "a" * 150}),
        json.dumps({"title": "b" * 5000}),
        "",
        json.dumps({"title": "c"}),
        json.dumps({"title": "d" * 900}),
    ]
    for end in ("", "\n"):
        found = read(put(tmp_path / "f", ("\n".join(lines) + end).encode()), tally)
        assert [(line, title and title[0]) for line, title in found] == [(1, None), (2, "a"), (5, "c")]
    assert tally.rejected == {"line too long": 4}


def test_lines_are_numbered_across_blank_and_broken_ones(tmp_path, tally):
    whole = (
        b'\xef\xbb\xbf{"title": "a"}',
        b"",
        b'{"title": ',
        b'{"title": "b"}\r',
        b"[1]",
        b'{"title": "caf\xe9"}',
        b'{"title": "c", "price": NaN}',
    )
    data = b"\n".join((*whole, b'{"title": "d"}'))
    assert read(put(tmp_path / "f", data), tally) == [(1, "a"), (4, "b"), (6, "café"), (7, "c"), (8, "d")]
    assert tally.rejected == {"not JSON": 1, "not a JSON object": 1}
    assert tally.repaired == {tables.WINDOWS: 1}


def test_a_heavy_cell_that_is_not_utf8_is_read_all_the_same(tmp_path, tally):
    found = read(put(tmp_path / "f", b'{"title": "a", "description": "caf\xe9"}\n'), tally, ["description"])
    assert found == [(1, "café")]


@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_tables_of_every_delimiter_and_encoding(tmp_path, tally, delimiter, encoding):
    rows = [["1", 'Café lantern, "bright"', "line one\nline two"], ["2", "Tent", ""]]
    path = write_table(tmp_path / "f.csv", delimiter, encoding, ["SKU", "Product Name", "Description"], rows)
    found = read(path, tally, ["id", "title", "description"])
    assert found == [(2, "1", rows[0][1], rows[0][2]), (4, "2", "Tent", None)]
    assert not tally.rejected


def test_broken_rows_of_a_table(tmp_path, tally):
    text = 'sku,name,price\n1,Tent,5\n2,"Inch 5"" pipe",6\n3,Lamp,7,8,9\n\n4,Mat\n5,"never closed,8\n6,Stove,9\n'
    assert read(put(tmp_path / "f", text.encode()), tally) == [(2, "Tent"), (3, 'Inch 5" pipe'), (6, "Mat")]
    assert tally.rejected == {"more cells than columns": 1, "broken CSV row": 1}
    tally.__exit__(None, None, None)
    assert "a quote stays open to the end, line 8" in (tmp_path / "out" / "rejects.jsonl").read_text()


def test_a_cell_of_megabytes_is_turned_down(tmp_path, tally):
    text = f'sku,name\n1,"{"x" * (tables.MAX_CELL + 10)}"\n2,Tent\n'
    assert read(put(tmp_path / "f", text.encode()), tally)[-1][1] == "Tent"
    assert tally.rejected["broken CSV row"] >= 1


def test_feeds_and_parquet(tmp_path, tally):
    for path in (write_merchant_xml(tmp_path / "feed.xml"), write_parquet(tmp_path / "meta.parquet")):
        found = read(path, tally, ["id", "title", "price", "image"])
        assert len(found) == 280 and all(all(cells) for cells in found)
    atom = '<feed xmlns="http://www.w3.org/2005/Atom"><title>Shop</title><entry><id>1</id><title>Tent</title><link href="https://s.example/1"/></entry></feed>'
    assert read(put(tmp_path / "atom.xml", atom.encode()), tally, ["id", "title", "page"]) == [(1, "1", "Tent", "https://s.example/1")]
    assert not tally.rejected


def test_a_feed_with_entities_is_refused(tmp_path):
    bomb = '<!DOCTYPE x [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;&a;">]>'
    with pytest.raises(UnusableFileError, match="document type or entities"):
        open_table(write_merchant_xml(tmp_path / "bomb.xml", start=bomb))
    with pytest.raises(UnusableFileError, match="broken XML"):
        open_table(put(tmp_path / "page.html", b"<!doctype html><html><body>404</body></html>"))
    with pytest.raises(UnusableFileError, match="no product in XML"):
        open_table(put(tmp_path / "x.xml", b"<rss><channel><title>Empty</title></channel></rss>"))


def test_a_feed_that_breaks_off(tmp_path, tally):
    assert len(read(write_merchant_xml(tmp_path / "cut.xml", end="<item><g:id>1"), tally)) == 280
    assert tally.rejected == {"broken XML": 1}


def test_columns_are_guessed_from_usual_names():
    shopify = resolve(["Handle", "Body (HTML)", "Title", "Variant Price", "Image Src"], PRODUCT_FIELDS, Choice(), open_ended=False)
    row = ["camp-stove", "<p>Hot</p>", "Camp stove", "5", "https://i.example/1"]
    cells = [dict(zip(["Handle", "Body (HTML)", "Title", "Variant Price", "Image Src"], row, strict=True))[name] for name in shopify.names]
    assert [shopify.cell(cells, f) for f in ("id", "title", "price", "image", "rating")] == [row[0], row[2], row[3], row[4], None]
    assert looks_like_reviews(["rating", "title", "text", "images", "asin", "parent_asin", "user_id", "timestamp", "helpful_vote"])
    assert not looks_like_reviews(HEADER)


def test_a_mapping_goes_before_the_guesses(tmp_path, tally):
    mapping = tmp_path / "map.yaml"
    mapping.write_text("title: [Long Name, Product Name]\nprice: Price\npage_prefix: https://shop.example/p/\n")
    choice = read_choice(mapping)
    assert choice.page_prefix == "https://shop.example/p/"
    columns = resolve([*HEADER, "Long Name"], PRODUCT_FIELDS, choice, open_ended=False)
    assert columns.cell([None] * len(columns.names), "title") is None
    assert columns.names.index("Long Name") < columns.names.index("Product Name")
    with pytest.raises(UnusableFileError, match=r"no column for price.*Price is not among"):
        resolve(["Product Name"], PRODUCT_FIELDS, choice, open_ended=False)


@pytest.mark.parametrize("content", ["", "- a\n", "colour: Red\n", "title: 5\n", "title: []\n", "page_prefix: [a]\n", "title: [\n", "\x00"])
def test_a_mapping_that_cannot_be_used(tmp_path, content):
    path = tmp_path / "map.yaml"
    path.write_text(content)
    with pytest.raises(CatalogError, match="Write lines of `field: column`"):
        read_choice(path)
    with pytest.raises(CatalogError, match="cannot be read"):
        read_choice(tmp_path / "missing.yaml")


def test_the_fixture_has_what_it_says():
    assert len(list(plain_rows())) == 280
