"""A real Chromium against the page with a fake pipeline; skipped with a reason where there is none, unless it is required."""

import os
import sys
from pathlib import Path

import pytest
from playwright.sync_api import expect, sync_playwright

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
os.environ["HF_HUB_OFFLINE"] = "1"
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from ui_fakes import CARDS, FakePipeline, describe

from ecomscript.config import Settings
from ecomscript.ui.page import build_ui, launch

CHROMIUM = Path(os.environ.get("ECOMSCRIPT_CHROMIUM", "/usr/bin/chromium"))
ARGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
expect.set_options(timeout=30000)  # as long as Playwright waits for everything else
SIZES = {"desktop": {"width": 1280, "height": 900}, "phone": {"width": 390, "height": 844}}


@pytest.fixture(scope="session")
def chromium():
    if not CHROMIUM.exists():
        missing = f"{CHROMIUM} is missing: install Debian's chromium package or set ECOMSCRIPT_CHROMIUM"
        (pytest.fail if os.environ.get("ECOMSCRIPT_REQUIRE_BROWSER") == "1" else pytest.skip)(missing)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def pipeline():
    return FakePipeline()


@pytest.fixture(scope="session")
def url(pipeline):
    demo = build_ui(pipeline, describe, CARDS)
    yield launch(demo, Settings(), prevent_thread_lock=True)
    demo.close(verbose=False)


@pytest.fixture
def open_page(chromium, url):
    """Open the page; every request that leaves the machine, and every error in the browser's console, fails the test at its end."""
    contexts, trouble = [], []

    def opener(query="", size="desktop", scheme="light", wait="#plan :is(section, header)", script=""):
        context = chromium.new_context(viewport=SIZES[size], color_scheme=scheme, reduced_motion="reduce", has_touch=size == "phone")
        contexts.append(context)
        page = context.new_page()
        page.add_init_script(script)
        page.on("request", lambda r: trouble.append(r.url) if not r.url.startswith((url, "data:", "blob:")) else None)
        page.on("pageerror", lambda e: trouble.append(str(e)))
        page.on("console", lambda m: trouble.append(m.text) if m.type == "error" else None)
        page.goto(f"{url}?__theme={scheme}{'&' + query if query else ''}")
        page.wait_for_selector(wait)
        return page

    yield opener
    for context in contexts:
        context.close()
    assert not trouble
