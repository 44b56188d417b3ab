"""Somebody else's catalogue on the page: built from Amazon-format rows, served, planned, and seen with its pictures and links."""

import json
import struct
import threading
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import shop_fixtures as shop
from fakes import KINDS, HashEncoder, flat_weights
from ui_fakes import CARDS, describe

from ecomscript.association.index import IntentionIndex
from ecomscript.config import Settings
from ecomscript.pipeline import Pipeline
from ecomscript.planning.intake import Intake
from ecomscript.ui import texts
from ecomscript.ui.page import build_ui, launch
from index_build.build import build
from index_build.shop import ShopOptions

pytestmark = pytest.mark.browser
GOAL = "#goal input"
TITLES = {k["kind"]: f"{k['products'][0]['brand']} {k['kind'].title()}" for k in KINDS}


def png():
    """Return a green picture of 8 × 8 points."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + b"\x1d\x5f\x4e" * 8 for _ in range(8))
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", 8, 8, 8, 2, 0, 0, 0))
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


@pytest.fixture(scope="module")
def pictures():
    """A server of pictures, and the headers of what was asked of it."""
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append((self.path, dict(self.headers)))
            found = self.path.startswith("/good")
            self.send_response(200 if found else 404)
            self.send_header("Content-Type", "image/png")
            self.end_headers()
            self.wfile.write(png() if found else b"")

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def shop_url(tmp_path_factory, tiny_source, tiny_parts, pictures):
    """The page over an index that the builder made of an Amazon-format file."""
    folder, (host, _) = tmp_path_factory.mktemp("shop"), pictures
    rows = [
        shop.amazon(f"T{n}", title, images=[{"variant": "MAIN", "large": f"{host}/{'bad' if kind == 'cake tin' else 'good'}/{n}.png"}])
        for n, (kind, title) in enumerate(TITLES.items())
    ]
    (folder / "meta_Shop.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "map.yaml").write_text("page_prefix: https://shop.example/dp/\n")
    build(
        folder / "meta_Shop.jsonl",
        folder / "index",
        HashEncoder(),
        quiet=True,
        options=ShopOptions(folder / "map.yaml", knowledge=tiny_source),
    )
    library, encoder = tiny_parts[0], HashEncoder()
    index = IntentionIndex.load(folder / "index", encoder.name)
    demo = build_ui(Pipeline.of(library, index, encoder, flat_weights(encoder.dim), Intake()), describe, CARDS)
    yield launch(demo, Settings(), prevent_thread_lock=True)
    demo.close(verbose=False)


def planned(chromium, url, goal, size):
    context = chromium.new_context(viewport=size, reduced_motion="reduce")
    page = context.new_page()
    page.goto(url)
    page.fill(GOAL, goal)
    page.press(GOAL, "Enter")
    page.wait_for_selector("text=Done in")
    return context, page


@pytest.mark.parametrize("size", [{"width": 1280, "height": 900}, {"width": 390, "height": 844}])
def test_cards_show_pictures_links_and_whose_reasons(chromium, shop_url, pictures, size):
    context, page = planned(chromium, shop_url, "Take the family on a first camping weekend", size)
    host, asked = pictures
    card = page.locator(".es-card", has_text=TITLES["family tent"])
    image = card.locator(".es-tile img")
    image.scroll_into_view_if_needed()
    page.wait_for_function("img => img.complete && img.naturalWidth === 8", arg=image.element_handle())
    assert image.is_visible() and image.get_attribute("src").startswith(f"{host}/good/")
    assert image.get_attribute("alt") == texts.PICTURE.format(title=TITLES["family tent"])
    assert "Referer" not in next(headers for path, headers in asked if path.startswith("/good"))
    link = card.locator(".es-link")
    assert link.get_attribute("href") == "https://shop.example/dp/T0" and texts.PRODUCT_PAGE in link.inner_text()
    card.locator(".es-why summary").click()
    assert "written for any family tent; this catalogue does not say" in card.locator(".es-why").inner_text()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    context.close()


def test_a_picture_that_cannot_be_had_leaves_the_emoji(chromium, shop_url):
    context, page = planned(chromium, shop_url, "Host a birthday party for a child", {"width": 1280, "height": 900})
    tile = page.locator(".es-card", has_text=TITLES["cake tin"]).locator(".es-tile")
    tile.scroll_into_view_if_needed()
    page.wait_for_function("tile => tile.classList.contains('is-broken')", arg=tile.element_handle())
    assert not tile.locator("img").is_visible() and "🎂" in tile.inner_text()
    page.locator(".es-card", has_text=TITLES["cake tin"]).locator("[data-act=cart]").click()
    small = page.locator("#basket .es-tile")
    page.wait_for_function("tile => tile.classList.contains('is-broken')", arg=small.element_handle())
    assert page.locator(".es-card .es-tile.is-broken img").count() == 1
    assert not page.locator(".es-card .es-tile.is-broken img").is_visible()  # also after the page has changed
    context.close()


def test_no_axe_violation_with_pictures(chromium, shop_url):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed").Axe()
    context, page = planned(chromium, shop_url, "Host a birthday party for a child", {"width": 1280, "height": 900})
    assert [v["id"] for v in axe.run(page).response["violations"]] == []
    context.close()
