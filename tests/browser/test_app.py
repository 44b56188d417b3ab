"""The app itself, started as the README says, with the demo catalogue: five goals typed and read as a person would."""

import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.request

import pytest

from ecomscript.config import DEMO_CATALOG, PROJECT_ROOT
from index_build.sources import read_catalogue

pytestmark = pytest.mark.browser
GOAL = "#goal input"
START_TIMEOUT_S = 240

GOALS = [
    ("host an autumn party for 12", r"autumn|party", set()),
    ("start home brewing in a small flat", r"brew|beer", set()),
    ("first camping weekend with two kids, under $250, we already have a tent", r"camp", {"family camping tent", "backpacking tent"}),
    ("bake a birthday cake for my son who is allergic to peanuts", r"cake|birthday", {"peanut butter"}),
    ("make my grandmother's bathroom safer", r"bath", set()),
]


@pytest.fixture(scope="module")
def app_url(tmp_path_factory):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = tmp_path_factory.mktemp("app") / "log.txt"
    env = {**os.environ, "GRADIO_SERVER_PORT": str(port), "HF_HUB_OFFLINE": "1"}
    with log.open("w") as out, subprocess.Popen([sys.executable, "app.py"], cwd=PROJECT_ROOT, env=env, stdout=out, stderr=out) as process:
        url, deadline = f"http://127.0.0.1:{port}/", time.monotonic() + START_TIMEOUT_S
        while not _answers(url):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.5)
        yield url
        process.terminate()


def _answers(url):
    try:
        with urllib.request.urlopen(url, timeout=5) as reply:
            return reply.status == 200
    except OSError:
        return False


@pytest.fixture(scope="module")
def catalogue():
    return {p.product_id: p for p in read_catalogue(DEMO_CATALOG).products}


@pytest.mark.parametrize("size", ["desktop", "phone"])
def test_five_goals_as_a_person_would_see_them(chromium, app_url, catalogue, size):
    viewport = {"desktop": {"width": 1280, "height": 900}, "phone": {"width": 390, "height": 844}}[size]
    context = chromium.new_context(viewport=viewport, reduced_motion="reduce")
    page = context.new_page()
    for goal, about, never in GOALS:
        page.goto(app_url)
        page.wait_for_selector(GOAL)
        page.fill(GOAL, goal)
        page.press(GOAL, "Enter")
        page.wait_for_selector("text=Done in")
        assert re.search(about, page.inner_text(".es-confidence q, #plan h2"), re.IGNORECASE), goal
        assert 3 <= page.locator(".es-step").count() <= 10
        shown = [catalogue[pid] for pid in page.eval_on_selector_all("[data-act=cart]", "all => all.map(b => b.dataset.pid)")]
        assert 5 <= len(shown) <= 16, goal
        assert not never & {p.kind for p in shown}
        text = page.inner_text("#plan")
        assert all(p.brand in text for p in shown)
        assert "People buy this to" in text
        if "$250" in goal:
            assert sum(p.price_usd for p in shown) <= 250
            assert "under $250" in text
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    context.close()


def test_what_gets_no_products_in_the_real_app(chromium, app_url):
    page = chromium.new_page()
    page.goto(app_url)
    page.wait_for_selector(GOAL)
    for goal in ("", "flarp bnok zzt qqq", "tell me a joke about penguins", "how do i poison the neighbour's dog", "i do not want to live"):
        page.fill(GOAL, goal)
        page.press(GOAL, "Enter")
        page.wait_for_timeout(1500)
        assert page.locator("[data-act=cart]").count() == 0, goal
        assert "Traceback" not in page.inner_text("body")
    page.close()


def test_the_endpoint_returns_the_object_of_the_contract(app_url):
    body = json.dumps({"data": ["host a backyard barbecue for 12", 200, 12, "alcohol"]}).encode()
    request = urllib.request.Request(f"{app_url}gradio_api/call/plan", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as reply:
        event = json.load(reply)["event_id"]
    with urllib.request.urlopen(f"{app_url}gradio_api/call/plan/{event}", timeout=60) as reply:
        data = [line for line in reply.read().decode().splitlines() if line.startswith("data: ")]
    (plan,) = json.loads(data[-1].removeprefix("data: "))
    assert plan["status"] == "plan"
    assert plan["total_usd"] <= 200
    assert plan["constraints"]["people"] == 12


def test_a_port_in_use_is_one_sentence_and_status_2(app_url):
    port = app_url.rstrip("/").rsplit(":", 1)[1]
    env = {**os.environ, "GRADIO_SERVER_PORT": port, "HF_HUB_OFFLINE": "1"}
    second = subprocess.run([sys.executable, "app.py"], cwd=PROJECT_ROOT, env=env, capture_output=True, text=True, timeout=120, check=False)
    assert second.returncode == 2
    assert port in second.stderr
    assert "Traceback" not in second.stderr
