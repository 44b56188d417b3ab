"""Catalogues as other people write them, some 300 rows in every format, with what real ones have wrong with them.

The sound rows are invented products of the demo catalogue in another shape; the odd ones are written here, each with what becomes of it.
"""

import csv
import gzip
import json
from collections import Counter
from functools import cache
from html import escape

import pyarrow as pa
import pyarrow.parquet as pq
from backports import zstd

from ecomscript.config import DEMO_CATALOG
from index_build.sources import read_catalogue

SOUND = 280
IMAGE = "https://images.example/{}.jpg"
PAGE = "https://shop.example/dp/{}"
HOSTILE = 'Lantern <script>alert(1)</script> ${alert(2)} {{constructor}} "><img src=x onerror=alert(3)>'


@cache
def sound_rows():
    """Return products in Amazon's shape, out of some files of the demo catalogue."""
    files = sorted((DEMO_CATALOG / "kinds").glob("*.jsonl"))[::9]
    products = [product for path in files for product in read_catalogue(path).products]
    return [_amazon(n, product) for n, product in enumerate(products[:: len(products) // SOUND][:SOUND])]


def _amazon(n, product):
    levels = product.category.split(" > ")
    return amazon(
        f"B{n:09d}",
        product.title,
        main_category=levels[0],
        categories=levels[:2],
        features=list(product.features),
        price=product.price_usd,
        average_rating=product.rating,
        rating_number=product.rating_count,
        store=product.brand,
        details={"Item Weight": "1.2 pounds", "Date First Available": "March 3, 2021"},
    )


def amazon(asin, title, **changes):
    return {
        "main_category": "Sports & Outdoors",
        "title": title,
        "average_rating": 4.4,
        "rating_number": 12,
        "features": ["Folds flat"],
        "description": ["Made for weekends outdoors. Easy to clean."],
        "price": 19.99,
        "images": [
            {"thumb": IMAGE.format("thumb"), "large": IMAGE.format("side"), "variant": "PT01", "hi_res": None},
            {"thumb": IMAGE.format("thumb"), "large": IMAGE.format(asin), "variant": "MAIN", "hi_res": IMAGE.format("huge")},
        ],
        "videos": [{"title": "unboxing", "url": "https://videos.example/1", "user_id": ""}],
        "store": "Wickerlight",
        "categories": ["Sports & Outdoors", "Camping & Hiking", "Lights & Lanterns"],
        "details": {"Brand": "Wickerlight"},
        "parent_asin": asin,
        "bought_together": None,
        **changes,
    }


TENT = "Cairnfold Orchard 3-Person Dome Tent, Green"
ODD = [
    # what is wrong, the row, the reason it is rejected ("" when it is kept), what is repaired
    ("null title", amazon("ODD01", None), "no title", ()),
    ("blank title", amazon("ODD02", " \t "), "no title", ()),
    ("title of signs", amazon("ODD03", "★ — !!"), "no title", ()),
    ("from price", amazon("ODD04", "Wickerlight Trail Lantern", price="from $12.99"), "", ("price with words, lowest number taken",)),
    ("price range", amazon("ODD05", "Wickerlight Hut Lantern", price="$10.00 - $20.00"), "", ("price with words, lowest number taken",)),
    ("no price", amazon("ODD06", "Wickerlight Porch Lantern", price="—"), "", ()),
    ("euro", amazon("ODD07", "Wickerlight Cellar Lantern", price="15,00 €"), "", ("price not in US dollars",)),
    ("minus", amazon("ODD08", "Wickerlight Attic Lantern", price=-3), "", ("price not usable",)),
    ("huge price", amazon("ODD09", "Wickerlight Barn Lantern", price=10**400), "", ("price not usable",)),
    ("details null", amazon("ODD10", "Wickerlight Boat Lantern", details=None), "", ()),
    ("details a list", amazon("ODD11", "Wickerlight Dock Lantern", details=["a"]), "", ("details are no object",)),
    (
        "details mixed",
        amazon("ODD12", "Wickerlight Pier Lantern", details={"a": 1, "b": ["x", 2], "c": {"d": 1}}),
        "",
        ("member of details left out",),
    ),
    ("details as text", amazon("ODD13", "Wickerlight Quay Lantern", details='{"Lumen": 400}'), "", ()),
    ("long description", amazon("ODD14", "Wickerlight Reef Lantern", features=[], description=["Bright light. " * 3000]), "", ()),
    ("entities", amazon("ODD15", "Salt &amp;amp; Pepper Mill &quot;Duo&quot;", store="Brandle"), "", ()),
    ("tags", amazon("ODD16", "<b>Brandle</b> Camp Kettle<br>1 L", store="Brandle"), "", ()),
    ("hostile", amazon("ODD17", HOSTILE), "", ()),
    ("second of one id", amazon("ODD04", "Wickerlight Other Lantern"), "duplicate id", ()),
    ("first of twins", amazon("ODD18", TENT, store="Cairnfold", price=None, images=[]), "", ()),
    ("second of twins", amazon("ODD19", "DOME TENT, green, 3-person ORCHARD", store="Cairnfold", price=88), "merged", ()),
    ("another size", amazon("ODD20", TENT.replace("3", "4"), store="Cairnfold"), "", ()),
    ("rating of seven", amazon("ODD21", "Wickerlight Cave Lantern", average_rating=7), "", ("rating not from 0 to 5",)),
    ("script for a picture", amazon("ODD22", "Wickerlight Tree Lantern", images="javascript:alert(1)"), "", ("image not usable",)),
    ("control characters", amazon("ODD23", "Wickerlight\x00 Moss\u2028 Lantern\ud800"), "", ()),
    (
        "pictures by size",
        amazon("ODD24", "Wickerlight Fern Lantern", images={"large": [IMAGE.format("ODD24")], "variant": ["MAIN"]}),
        "",
        (),
    ),
    ("NaN", amazon("ODD25", "Wickerlight Peat Lantern", price=float("nan")), "", ("price not usable",)),
]
LINES = [  # lines that json.dumps would not write, each with its reason or repair
    (b'{"parent_asin": "RAW01", "title": "Wickerlight', "not JSON", ""),
    (b"[1, 2]", "not a JSON object", ""),
    (b"[" * 50_000, "not JSON", ""),
    (b'{"parent_asin": "RAW02", "title": "Wickerlight Caf\xe9 Lantern"}', "", "line not UTF-8, read as Windows-1252"),
    (b"", "", ""),
]


def expected():
    """Return what must become of the Amazon file: kept rows, rejected by reason, repaired by what."""
    rejected = Counter(reason for _, _, reason, _ in ODD if reason not in {"", "merged"})
    rejected.update(reason for _, reason, _ in LINES if reason)
    repaired = Counter(what for *_, whats in ODD for what in whats)
    repaired.update(what for _, _, what in LINES if what)
    kept = SOUND + sum(not reason for _, _, reason, _ in ODD) + sum(bool(what) for *_, what in LINES)
    return kept, rejected, repaired


def amazon_bytes():
    lines = [json.dumps(row).encode() for row in [*sound_rows(), *(row for _, row, _, _ in ODD)]]
    return b"\n".join([*lines, *(line for line, _, _ in LINES)]) + b"\n"


def write_amazon(path):
    data = amazon_bytes()
    packed = {".gz": gzip.compress, ".zst": zstd.compress}.get(path.suffix, bytes)(data)
    path.write_bytes(packed)
    return path


HEADER = ["SKU", "Product Name", "Brand", "Category", "Description", "Price", "Rating", "Reviews", "Image URL", "Product URL"]


def plain_rows():
    """Return the sound rows as cells of a spreadsheet."""
    for row in sound_rows():
        asin, price = row["parent_asin"], f"${row['price']:,.2f}"
        text = 'A fine thing.\nIt comes in a box with a "lid"; really.'
        places = [IMAGE.format(asin), PAGE.format(asin)]
        yield [
            asin,
            row["title"],
            row["store"],
            "/".join(row["categories"]),
            text,
            price,
            row["average_rating"],
            row["rating_number"],
            *places,
        ]


def write_table(path, delimiter=",", encoding="utf-8", header=HEADER, rows=None):
    with path.open("w", encoding=encoding, errors="replace", newline="") as file:
        out = csv.writer(file, delimiter=delimiter)
        out.writerow(header)
        out.writerows(plain_rows() if rows is None else rows)
    return path


SHOPIFY = "Handle,Title,Body (HTML),Vendor,Product Category,Type,Tags,Published,Variant SKU,Variant Price,Image Src,Position,Status".split(
    ","
)


def write_shopify(path):
    rows = []
    for n, row in enumerate(sound_rows()):
        handle, body = row["parent_asin"].lower(), f"<p>{escape(row['features'][0])}.</p><ul><li>Ships flat</li></ul>"
        category = "Home &amp; Garden > Kitchen" if n % 2 else ""
        start = [handle, row["title"], body, row["store"], category, row["categories"][-1], "sale, new", "true", f"{handle}-s"]
        rows.append([*start, row["price"], IMAGE.format(handle), 1, "draft" if n == 7 else "active"])
        rows.append([handle, "", "", "", "", "", "", "", f"{handle}-l", row["price"] + 5, IMAGE.format(f"{handle}-2"), 2, ""])
    return write_table(path, header=SHOPIFY, rows=rows)


def merchant_rows():
    for row in sound_rows():
        asin = row["parent_asin"]
        price = f"{row['price']:.2f} {'GBP' if asin.endswith('9') else 'USD'}"
        yield {
            "id": asin,
            "title": row["title"],
            "description": "&lt;p&gt;Fits any home.&lt;/p&gt; Easy to clean.",
            "link": PAGE.format(asin),
            "image_link": IMAGE.format(asin),
            "availability": "out of stock" if asin.endswith("00") else "in stock",
            "price": price,
            "brand": row["store"],
            "google_product_category": "1011",
            "product_type": " > ".join(row["categories"]),
        }


def write_merchant_tsv(path):
    rows = list(merchant_rows())
    return write_table(path, "\t", header=list(rows[0]), rows=[list(row.values()) for row in rows])


def write_merchant_xml(path, start="", end="</channel></rss>"):
    items = "".join(
        f"<item>{''.join(f'<g:{name}>{escape(value)}</g:{name}>' for name, value in row.items())}"
        f"<g:additional_image_link>{IMAGE.format('more')}</g:additional_image_link>"
        "<g:shipping><g:country>US</g:country><g:price>4.99 USD</g:price></g:shipping></item>"
        for row in merchant_rows()
    )
    head = f'<?xml version="1.0" encoding="UTF-8"?>{start}<rss version="2.0" xmlns:g="http://base.google.com/ns/1.0">'
    path.write_text(f"{head}<channel><title>A shop</title><link>https://shop.example</link>{items}{end}", encoding="utf-8")
    return path


def write_parquet(path):
    rows = [
        {
            **{name: row[name] for name in ("parent_asin", "title", "main_category", "categories", "features", "average_rating", "store")},
            "price": str(row["price"]),  # text, as in the published files
            "details": json.dumps(row["details"]),
            "images": {"large": [image["large"] for image in row["images"][::-1]], "variant": ["MAIN", "PT01"]},
        }
        for row in sound_rows()
    ]
    pq.write_table(pa.Table.from_pylist(rows), path)
    return path


def write_reviews(path, count=4):
    rows = [
        {
            "rating": float(stars),
            "title": "Good",
            "text": f"Kept us dry, {n}",
            "asin": "X",
            "parent_asin": "ODD18",
            "user_id": f"U{n}",
            "helpful_vote": n,
        }
        for n, stars in zip(range(count), (5, 4, 3, 4), strict=False)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path
