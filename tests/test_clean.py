from collections import Counter
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from index_build.feeds import clean

ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.decimals(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


def with_repairs(function, *arguments):
    repairs = []
    return function(*arguments, repairs.append), repairs


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("  Plain   title ", "Plain title"),
        ("Salt &amp;amp; Pepper &#39;Duo&#39;", "Salt & Pepper 'Duo'"),
        ("<p>Warm<br/>and <b>dry</b></p><script>alert(1)</script>", "Warm and dry"),
        ("a < b and c > d", "a < b and c > d"),
        ("tab\tand\x00null\u2028line", "tab and null line"),
        ("lone \ud800 surrogate", "lone surrogate"),
        (["", None, "first"], "first"),
        (12, "12"),
        (True, ""),
        ({"a": 1}, ""),
        (None, ""),
    ],
)
def test_text_is_one_plain_line(cell, expected):
    assert clean.text(cell) == expected


def test_long_texts_are_cut_at_a_word():
    found = clean.text("word " * 10_000)
    assert len(found) <= clean.MAX_TITLE and found.endswith("word…")
    assert len(clean.text("x" * 100_000)) == clean.MAX_TITLE


@pytest.mark.parametrize(
    ("cell", "currency", "expected", "repair"),
    [
        (12.5, "USD", 12.5, None),
        (Decimal("3.10"), "USD", 3.1, None),
        ("$1,299.00", "USD", 1299.0, None),
        ("15.00 USD", "EUR", 15.0, None),
        ("1299", "USD", 1299.0, None),
        ("12,99", "USD", 12.99, None),
        ("1.299,00", "USD", 1299.0, None),
        ("1 299.50", "USD", 1299.5, None),
        ("from $12.99", "USD", 12.99, "price with words, lowest number taken"),
        ("$20.00 - $10.00", "USD", 10.0, "price with words, lowest number taken"),
        ("—", "USD", None, None),
        ("", "USD", None, None),
        (None, "USD", None, None),
        (0, "USD", None, None),
        ("15,00 €", "USD", None, "price not in US dollars"),
        ("GBP 15", "USD", None, "price not in US dollars"),
        ("CA$15", "USD", None, "price not in US dollars"),
        ("15.00", "EUR", None, "price not in US dollars"),
        (15, "EUR", None, "price not in US dollars"),
        ("call us", "USD", None, "price not usable"),
        ("-5", "USD", None, "price not usable"),
        (-5, "USD", None, "price not usable"),
        (float("nan"), "USD", None, "price not usable"),
        (10**400, "USD", None, "price not usable"),
        (True, "USD", None, "price not usable"),
        ([1], "USD", None, "price not usable"),
    ],
)
def test_prices(cell, currency, expected, repair):
    assert with_repairs(clean.price, cell, currency) == (expected, [repair] if repair else [])


@pytest.mark.parametrize(
    ("cell", "expected", "repairs"),
    [
        (4.5, 4.5, 0),
        ("4.5 out of 5 stars", 4.5, 0),
        ("7", None, 1),
        (-1, None, 1),
        (None, None, 0),
        ("good", None, 0),
        (0, None, 0),
        (True, None, 0),
    ],
)
def test_ratings(cell, expected, repairs):
    found, told = with_repairs(clean.rating, cell)
    assert (found, len(told)) == (expected, repairs)


def test_counts():
    assert with_repairs(clean.count, "1,234 ratings") == (1234, [])
    assert with_repairs(clean.count, 10**400) == (0, ["count of ratings not usable"])
    assert with_repairs(clean.count, None) == (0, [])


@pytest.mark.parametrize(
    ("cell", "usable"),
    [
        ("https://shop.example/a?b=1&amp;c=2#d", "https://shop.example/a?b=1&c=2#d"),
        ("HTTP://shop.example:8080", "HTTP://shop.example:8080"),
        ("javascript:alert(1)", None),
        ("https://", None),
        ("//shop.example/a", None),
        ("https://user:pass@shop.example/", None),
        ('https://shop.example/"><script>', None),
        ("https://shop.example/a b", None),
        ("https://shop.example/\x00", None),
        ("https://shop.example/" + "a" * 3000, None),
        (5, None),
    ],
)
def test_links(cell, usable):
    found, told = with_repairs(clean.link, cell)
    assert found == usable and bool(told) == (usable is None)


def test_the_main_picture_is_taken():
    amazon = [
        {"large": "https://i.example/side", "variant": "PT01"},
        {"hi_res": "https://i.example/main", "large": None, "variant": "MAIN"},
    ]
    for cell, expected in (
        (amazon, "https://i.example/main"),
        ({"large": ["https://i.example/a", "https://i.example/b"]}, "https://i.example/a"),
        ("https://i.example/a,https://i.example/b", "https://i.example/a"),
        ('["https://i.example/a"]', "https://i.example/a"),
        (["https://i.example/a"], "https://i.example/a"),
        ([], None),
        ([{"large": None}], None),
    ):
        assert with_repairs(clean.image, cell) == (expected, [])


def test_categories_features_and_sentences():
    assert clean.category("Sports", ["Sports", "Camping", "Tents"]) == "Sports > Camping > Tents"
    assert clean.category("Sports", []) == "Sports"
    assert clean.category(None, "Home &amp; Garden > Kitchen | Mills") == "Home & Garden > Kitchen > Mills"
    assert clean.category(None, "a/b > c") == "a/b > c"
    assert clean.category(None, list("abcdef")) == "a > b > c > f"
    assert clean.category(None, "1011") == ""
    assert clean.texts("<li>Warm</li><li>Dry</li><li>Warm</li>") == ("Warm", "Dry")
    assert clean.texts('["a b", 5, null]') == ("a b", "5")
    assert clean.sentences("First one. Second one! Third? Fourth.") == ("First one.", "Second one!", "Third?")


def test_details_of_every_type():
    cell = {
        "Weight": "1.2 pounds",
        "Pieces": 3,
        "New": True,
        "Colors": ["red", 5],
        "Rank": {"a": 1},
        "None": None,
        "Odd": float("inf"),
        "": "x",
    }
    repairs = Counter()
    found = clean.attributes(cell, lambda what: repairs.update([what]))
    assert found == {"Weight": "1.2 pounds", "Pieces": 3, "New": True, "Colors": ("red", "5")}
    assert repairs == {"member of details left out": 3}
    assert with_repairs(clean.attributes, '{"Lumen": 400}') == ({"Lumen": 400}, [])
    assert with_repairs(clean.attributes, "waterproof") == ({}, ["details are no object"])
    assert len(clean.attributes({f"n{n}": n for n in range(1000)}, repairs.update)) == clean.MAX_ATTRIBUTES


@example(Decimal("sNaN"))
@example(Decimal("NaN"))
@given(ANY)
def test_no_cell_breaks_the_cleaning(cell):
    def ignore(_):
        pass

    assert clean.text(cell).isprintable()
    assert all(text.isprintable() for text in (*clean.texts(cell), *clean.sentences(cell), clean.category(cell, cell)))
    price, rating = clean.price(cell, "USD", ignore), clean.rating(cell, ignore)
    assert price is None or 0 < price <= clean.MAX_PRICE_USD
    assert rating is None or 0 < rating <= 5
    assert 0 <= clean.count(cell, ignore) <= clean.MAX_RATING_COUNT
    for address in (clean.link(cell, ignore), clean.image(cell, ignore)):
        assert address is None or address.lower().startswith(("http://", "https://"))
    clean.attributes(cell, ignore)
    clean.attributes({"a": cell}, ignore)
