"""The page's server as programs see it: endpoint, MCP tool, private events, a port in use."""

import json
import os
import socket
import time

import pytest
from ui_fakes import FakePipeline, describe

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
os.environ["HF_HUB_OFFLINE"] = "1"

import httpx

from ecomscript.config import Settings
from ecomscript.errors import ConfigError
from ecomscript.ui.page import build_ui, launch

gradio_client = pytest.importorskip("gradio_client")


@pytest.fixture(scope="module")
def pipeline():
    return FakePipeline()


@pytest.fixture(scope="module")
def url(pipeline):
    demo = build_ui(pipeline, describe)
    yield launch(demo, Settings(), prevent_thread_lock=True)
    demo.close(verbose=False)


@pytest.fixture(scope="module")
def client(url):
    return gradio_client.Client(url, verbose=False)


def test_plan_returns_the_contract(client, pipeline):
    plan = client.predict("camping", api_name="/plan")
    assert plan["status"] == "plan"
    assert plan["steps"][1]["products"][0]["product_id"] == "tent"
    assert plan["t1"] is plan["steps"][1]["products"][0]["t2"] is None
    client.predict("camping", 80, 4, ["salt, fine", "tent"], api_name="/plan")
    assert pipeline.requests[-1].exclude == ("salt, fine", "tent")
    client.predict("camping", 80, 4, "salt, tent", api_name="/plan")
    assert pipeline.requests[-1].exclude == ("salt", "tent")
    assert (pipeline.requests[-1].budget_usd, pipeline.requests[-1].people) == (80.0, 4)


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("x" * 6001,), "6,001 characters"),
        (("g", -5), "The budget is -5"),
        (("g", None, 0), "The number of people is 0"),
        (("g", None, None, ["x"] * 1 + [f"{i}" for i in range(20)]), "21 things"),
        (("fail",), "Build it again"),
        (("boom",), "on our side"),
    ],
)
def test_errors_are_one_sentence(client, args, message):
    with pytest.raises(Exception, match=message) as caught:
        client.predict(*args, api_name="/plan")
    assert "Traceback" not in str(caught.value)
    assert "secret" not in str(caught.value)


def test_only_the_two_endpoints_are_public(client):
    assert set(client.view_api(return_format="dict")["named_endpoints"]) == {"/plan", "/plan_json"}


def test_mcp_has_one_tool_that_returns_json(url):
    def call(method, params):
        headers = {"Accept": "application/json, text/event-stream"}
        answer = httpx.post(
            f"{url}gradio_api/mcp/", json={"jsonrpc": "2.0", "id": 1, "method": method, "params": params}, headers=headers, timeout=30
        )
        return json.loads(next(line[5:] for line in answer.text.splitlines() if line.startswith("data:")))["result"]

    tools = call("tools/list", {})["tools"]
    assert [tool["name"].removeprefix("ecomscript_") for tool in tools] == ["plan"]
    assert "comma" in json.dumps(tools[0]["inputSchema"])
    answer = call("tools/call", {"name": tools[0]["name"], "arguments": {"goal": "camping", "people": 3}})
    assert json.loads(answer["content"][0]["text"])["steps"][1]["products"][0]["product_id"] == "tent"


def test_a_caller_who_leaves_stops_the_work(url):
    class Slow(FakePipeline):
        steps = 0

        def stream(self, request):
            for event in super().stream(request):
                self.steps += 1
                yield event

    slow = Slow(0.3)
    demo = build_ui(slow, describe)
    try:
        caller = gradio_client.Client(launch(demo, Settings(), prevent_thread_lock=True), verbose=False)
        job = caller.submit("camping", api_name="/plan")
        while slow.steps < 2:
            time.sleep(0.05)
        job.cancel()
        time.sleep(2)
        assert slow.steps < 7
    finally:
        demo.close(verbose=False)


def test_a_port_in_use_is_one_sentence():
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        port = busy.getsockname()[1]
        with pytest.raises(ConfigError, match=f"port {port}.*GRADIO_SERVER_PORT"):
            launch(build_ui(FakePipeline(), describe), Settings(port=port), prevent_thread_lock=True)
