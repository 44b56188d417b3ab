"""The page's server as programs see it: endpoint, MCP tool, private events, a port in use."""

import json
import os
import socket
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ui_fakes import HOSTILE, NEAR, PRODUCTS, FakePipeline, describe

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
os.environ["HF_HUB_OFFLINE"] = "1"

import httpx

from ecomscript.config import Settings
from ecomscript.errors import ConfigError, InputError
from ecomscript.schema import PlanRequest
from ecomscript.ui.page import build_ui, launch
from ecomscript.ui.plan_object import object_of, view_of

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


def test_a_plan_starts_from_another_near_one(client):
    plan = client.predict("camping near the sea", api_name="/plan")
    assert (plan["objective"], plan["near_plans"]) == (NEAR[0], list(NEAR[1:]))
    other = json.loads(client.predict("camping near the sea", like=NEAR[1], api_name="/plan_json"))
    assert (other["objective"], other["near_plans"][0]) == (NEAR[1], NEAR[0])
    with pytest.raises(Exception, match="no plan's name"):
        client.predict("camping near the sea", like="x" * 301, api_name="/plan_json")


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


def test_only_the_endpoints_of_the_contract_are_public(client):
    names = {f"/{name}{suffix}" for name in ("plan", "refine", "swap") for suffix in ("", "_json")}
    assert set(client.view_api(return_format="dict")["named_endpoints"]) == names


def test_a_plan_is_refined_and_what_is_kept_stays(client):
    plan = client.predict("verified camping", api_name="/plan")
    after = client.predict({**plan, "locked": ["lamp"]}, "we already have a tent, for 8", api_name="/refine")
    assert set(after) == {*plan, "said", "locked"}
    assert [p["product_id"] for p in after["steps"][1]["products"]] == ["bag", "mat"]
    assert after["constraints"]["owned"] == ["cool box", "tent"] and after["constraints"]["people"] == 8
    assert "1 left out (Cairnfold Ridgeline 4-Person Tent)" in after["said"] and after["locked"] == ["lamp"]
    again = client.predict(after, "cheaper", api_name="/refine")
    assert again["steps"][1] == after["steps"][1] and "stay" in again["said"]
    assert [step["text"] for step in again["steps"]] == [step["text"] for step in plan["steps"]]


def test_quantities_count_in_the_total(client):
    plan = client.predict("verified camping", None, 8, api_name="/plan")
    (tent,) = (p for step in plan["steps"] for p in step["products"] if p["product_id"] == "tent")
    assert (tent["quantity"], tent["price_usd"]) == (2, 149.0)
    products = [p for step in plan["steps"] for p in step["products"]]
    assert plan["total_usd"] == round(sum((p["price_usd"] or 0) * p["quantity"] for p in products), 2)


def test_a_product_is_swapped_by_wish_and_by_id(client):
    plan = client.predict("verified camping", api_name="/plan")

    def first(*wish):
        after = client.predict(plan, "tent", *wish, api_name="/swap")
        return after["steps"][1]["products"][0]["product_id"], after

    assert first("cheaper")[0] == "tent3" and first("better rated")[0] == "tent3" and first("tent2")[0] == "tent2"
    found, after = first()
    assert found == "tent3" and after["alternatives"][0] == {
        "product_id": "tent3",
        "title": "Tarnhollow Dome Tent, Storm Proof",
        "price_usd": 144.0,
        "rating": 4.9,
    }
    for product_id, wish, message in (("tent2", "", "does not show"), ("tent", "nobody", "cannot take that place")):
        with pytest.raises(Exception, match=message):
            client.predict(plan, product_id, wish, api_name="/swap")


def changed(plan, **fields):
    return {**plan, **fields}


FORGED = {
    "not an object": lambda plan: "[1, 2]",
    "not JSON": lambda plan: "{",
    "200,000": lambda plan: "{" + " " * 200_001,
    "status": lambda plan: changed(plan, status="refuse"),
    "goal": lambda plan: changed(plan, goal="x" * 6001),
    "“goal” is empty": lambda plan: changed(plan, goal="\u202e"),
    "“steps” is not a list": lambda plan: changed(plan, steps=plan["steps"] * 7),
    "step 1 is not an object": lambda plan: changed(plan, steps=["x"]),
    "“text”": lambda plan: changed(plan, steps=[{"text": "x" * 301}]),
    "“note”": lambda plan: changed(plan, steps=[{"text": "x", "note": ["y"]}]),
    "“products” is not a list": lambda plan: changed(plan, steps=[{"text": "x", "products": [{"product_id": "tent"}] * 4}]),
    "“product_id”": lambda plan: changed(plan, steps=[{"text": "x", "products": [{"product_id": 5}]}]),
    "“needs”": lambda plan: changed(plan, steps=[{"text": "x", "needs": ["y" * 101]}]),
    "“locked”": lambda plan: changed(plan, locked="tent"),
    "“constraints”": lambda plan: changed(plan, constraints={"__class__": 1}),
    "“people”": lambda plan: changed(plan, constraints={"people": 2.5}),
    "“budget_usd”": lambda plan: changed(plan, constraints={"budget_usd": float("inf")}),
    "“quiet”": lambda plan: changed(plan, constraints={"quiet": 1}),
    "“ages”": lambda plan: changed(plan, constraints={"ages": [True]}),
    "“exclude”": lambda plan: changed(plan, constraints={"exclude": [{"a": 1}]}),
    "988": lambda plan: changed(plan, steps=[{"text": "refuse this"}]),
}


@pytest.mark.parametrize("message", FORGED)
def test_a_forged_plan_is_one_sentence(pipeline, message):
    plan = pipeline_plan(pipeline)
    with pytest.raises(InputError, match=message):
        view_of(FORGED[message](plan), pipeline, describe)


def test_nothing_but_the_ids_of_products_is_believed(pipeline):
    plan = pipeline_plan(pipeline)
    forged = {"product_id": "tent", "title": HOSTILE[0], "price_usd": 0.01, "t2": 1.0, "why": "Buy!"}
    steps = [{"text": "Sleep", "products": [forged, {"product_id": "nobody"}]}, {"text": "Sleep again", "products": [forged]}]
    view = view_of(changed(plan, steps=steps), pipeline, describe)
    after = object_of(view)
    (tent,) = after["steps"][0]["products"]
    assert (tent["title"], tent["price_usd"], tent["t2"]) == (PRODUCTS["tent"].title, 149.0, 0.77)
    assert after["steps"][1]["products"] == [] and after["notices"] == ["1 product is no longer in the catalogue."]
    ruled_out = view_of(changed(plan, constraints={"owned": ["tent"]}), pipeline, describe)
    assert "tent" not in {product.product_id for product in ruled_out.products}


@pytest.mark.parametrize(("planner", "confidence"), [("library", "a ready plan"), ("llm", "written by a language model")])
def test_a_changed_plan_says_who_planned_it(pipeline, planner, confidence):
    after = object_of(view_of(changed(pipeline_plan(pipeline), planner=planner, confidence=confidence), pipeline, describe))
    assert (after["planner"], after["confidence"]) == (planner, confidence)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(["goal", "objective", "confidence", "constraints", "steps", "locked", "status", "step", "people", "ages", "owned"]),
    JSON,
)
def test_any_value_anywhere_is_used_or_refused(name, value):
    pipeline = FakePipeline()
    plan = pipeline_plan(pipeline)
    forged = changed(plan, steps=[value]) if name == "step" else changed(plan, **{name: value})
    if name in ("people", "ages", "owned"):
        forged = changed(plan, constraints={name: value})
    try:
        after = object_of(view_of(forged, pipeline, describe))
    except InputError:
        return
    json.dumps(after)
    assert all(p["product_id"] in PRODUCTS for step in after["steps"] for p in step["products"])


def pipeline_plan(pipeline):
    return list(pipeline.stream(PlanRequest("verified camping")))[-1].plan.to_json()


def test_mcp_has_three_tools_that_return_json(url):
    def call(method, params):
        headers = {"Accept": "application/json, text/event-stream"}
        answer = httpx.post(
            f"{url}gradio_api/mcp/", json={"jsonrpc": "2.0", "id": 1, "method": method, "params": params}, headers=headers, timeout=30
        )
        return json.loads(next(line[5:] for line in answer.text.splitlines() if line.startswith("data:")))["result"]

    tools = call("tools/list", {})["tools"]
    names = {tool["name"].removeprefix("ecomscript_"): tool["name"] for tool in tools}
    assert set(names) == {"plan", "refine", "swap"}
    assert "comma" in json.dumps(tools[0]["inputSchema"]) and "better rated" in json.dumps(tools[2]["inputSchema"])

    def answer(tool, **arguments):
        return call("tools/call", {"name": names[tool], "arguments": arguments})["content"][0]["text"]

    plan = answer("plan", goal="camping", people=3)
    assert json.loads(plan)["steps"][1]["products"][0]["product_id"] == "tent"
    refined = json.loads(answer("refine", plan=plan, text="we already have a tent"))
    assert refined["steps"][1]["products"][0]["product_id"] == "bag"
    swapped = json.loads(answer("swap", plan=plan, product_id="tent", wish="cheaper"))
    assert swapped["steps"][1]["products"][0]["product_id"] == "tent3" and swapped["alternatives"]


def test_a_caller_who_leaves_stops_the_work(url):
    class Slow(FakePipeline):
        steps = 0

        def stream(self, request, visitor="", own=None):
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
