"""What a language model writes, read while it arrives and checked step by step."""

import time

import numpy as np
import pytest
from fakes import HashEncoder
from hypothesis import given, settings
from hypothesis import strategies as st

from ecomscript.planning.draft import FAULTS, MOST, Checks, Draft
from ecomscript.planning.parse import StepReader, WrittenStep

GOAL = "Take the family on a first camping weekend"


def read(answer, size=5):
    reader = StepReader()
    found = [step for at in range(0, len(answer), size) for step in reader.feed(answer[at : at + size])]
    return found + reader.end()


def find(called, step, goal):
    return {"tent": "family tent", "shelter": "family tent", "stove": "camp stove"}.get(called)


def draft(*steps, goal=GOAL, buys=lambda _: 0.5):
    made = Draft(goal, Checks(HashEncoder().encode, buys, lambda text: "bomb" in text, find))
    for step in steps:
        made.add(step if isinstance(step, WrittenStep) else WrittenStep(step, True))
    return made


A, B = WrittenStep("Pack a tent", True), WrittenStep("Reserve a place", False)
A_JSON, B_JSON = '{"text": "Pack a tent", "buys": true}', '{"text": "Reserve a place", "buys": false}'


@pytest.mark.parametrize(
    "answer",
    [
        f'{{"steps": [{A_JSON}, {B_JSON}]}}',
        f"[{A_JSON},{B_JSON}]",
        f"{A_JSON}\n{B_JSON}\n",
        f'```json\n{{"steps": [{A_JSON}, {B_JSON}]}}\n```\nEnjoy!',
        f'{{"thoughts": {{"a": {{}}}}, "steps": [{A_JSON}, {B_JSON}], "n": 2}}',
        f"Here {{you}} are: [{A_JSON}, {B_JSON}",
        '{"steps": [{"action": "Pack a tent", "buys": true, "why": {"x": [1]}}, {"step": "Reserve a place", "buys": false}]}',
    ],
)
@pytest.mark.parametrize("size", [1, 6, 1000])
def test_every_shape_of_json_is_read(answer, size):
    assert read(answer, size) == [A, B]


@pytest.mark.parametrize("answer", ['["Pack a tent", "Reserve a place"]', '{"steps": ["Pack a tent", "Reserve a place"]}'])
def test_texts_alone_are_steps(answer):
    assert [(step.text, step.buys) for step in read(answer)] == [("Pack a tent", None), ("Reserve a place", None)]


@pytest.mark.parametrize(
    ("buys", "mark", "needs"),
    [
        ("[]", False, ()),
        ('["tent", 7, "stove"]', True, ("tent", "stove")),
        ("true", True, ()),
        ('"tent"', None, ()),
        ("null", None, ()),
        ('{"a": 1}', None, ()),
    ],
)
def test_what_is_bought_is_a_list_or_a_mark(buys, mark, needs):
    (step,) = read(f'[{{"text": "Pack", "buys": {buys}}}]')
    assert (step.buys, step.needs) == (mark, needs)


def test_a_step_is_there_before_the_next_one_is_complete():
    reader = StepReader()
    assert reader.feed('{"steps": [' + A_JSON[:-1]) == []
    assert reader.feed('}, {"text": "Reser') == [A]
    assert reader.feed('ve a place", "buys": false') == []
    assert reader.feed("}]}") == [B]
    assert reader.end() == []


@pytest.mark.parametrize(
    "answer", ["", "no", "{", "[1, 2]", '{"steps": 4}', '{"steps": [[]]}', "null", '{"a": {"b": "text"}}', '{"text": 7}']
)
def test_what_holds_no_steps_gives_none(answer):
    assert read(answer) == []


@pytest.mark.parametrize("answer", ["{" * 40_000, "[" * 40_000, "{}" * 20_000, '{"a":' * 8000, '{"a":1}{' * 5000, '"{' * 20_000])
def test_hostile_nesting_takes_no_time(answer):
    began = time.monotonic()
    assert read(answer, 4) == []
    assert time.monotonic() - began < 5


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet='{}[]":,\\ textsbuytrue\n', max_size=300))
def test_any_text_can_be_read(answer):
    assert all(isinstance(step.text, str) for step in read(answer, 3))


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "empty"),
        ("…", "empty"),
        ("\u202e \x00", "empty"),
        ("Pack " + "a tent and " * 20, "long"),
        ("Pack a tent. Then cook", "several"),
        ("Pack a tent; cook", "several"),
        ("Make a checklist of what you need", "generic"),
        ("Enjoy your camping weekend", "generic"),
        ("Go to a local health store or baby supply store", "errand"),
        ("Visit the nearest supermarket", "errand"),
        ("Research the best options online", "generic"),
        ("Bauen Sie das Zelt für die Familie auf", "foreign"),
        ("买一个帐篷", "foreign"),
        ("Buy it at www.tents.example", "markup"),
        ("Order from tents.com", "markup"),
        ("<b>Pack a tent</b>", "markup"),
        ("Pack ${a} tent", "markup"),
        ("Write to me@tents.example", "markup"),
        ("Buy a tent for $5", "price"),
        ("Buy a tent for 80 dollars", "price"),
        ("Build a bomb from camp fuel", "unsafe"),
    ],
)
def test_what_cannot_be_a_step_is_left_out_with_its_reason(text, fault):
    made = draft(text)
    assert made.steps == ()
    assert made.faults == [fault]
    assert FAULTS[fault] in made.problems()


def test_the_same_step_again_is_left_out():
    made = draft("Pack a tent", "pack the tents", "2. Pack a tent.", "Cook a meal on a stove")
    assert [step.text for step in made.steps] == ["Pack a tent", "Cook a meal on a stove"]
    assert set(made.faults) == {"same"}


def test_a_paraphrase_is_the_same_step():
    vectors = {"Pack a tent": [1.0, 0.0], "Bring shelter": [0.9, 0.436], "Cook a meal": [0.0, 1.0]}
    encode = lambda texts: np.array([vectors[text] for text in texts], np.float32)  # noqa: E731
    made = Draft(GOAL, Checks(encode, lambda _: 0.5, lambda _: False, find))
    for text in vectors:
        made.add(WrittenStep(text, True))
    assert [step.text for step in made.steps] == ["Pack a tent", "Cook a meal"]


def test_no_price_is_repeated_not_even_one_of_the_goal():
    assert draft("Buy the tent for $1", goal="camping, every price must be $1").faults == ["price"]


@pytest.mark.parametrize("text", ["1. Pack a tent", "Step 3: pack a tent.", "- pack a tent", "2) Pack a tent"])
def test_numbers_and_full_stops_are_taken_away(text):
    (step,) = draft(text).steps
    assert step.text == "Pack a tent"


def test_a_mark_in_the_text_counts():
    (step,) = draft(WrittenStep("Choose the dates [no purchase needed]", None)).steps
    assert (step.text, step.buys) == ("Choose the dates", False)


@pytest.mark.parametrize(("mark", "chance", "believed"), [(True, 0.05, None), (False, 0.95, None), (True, 0.5, True), (False, 0.5, False)])
def test_a_mark_that_is_surely_wrong_is_not_believed(mark, chance, believed):
    (step,) = draft(WrittenStep("Pack a tent", mark), buys=lambda _: chance).steps
    assert step.buys is believed


def test_what_is_bought_becomes_kinds_of_the_catalogue():
    (step,) = draft(WrittenStep("Sleep and cook outdoors", True, ("tent", "unicorn", "shelter", "stove"))).steps
    assert (step.needs, step.buys) == (("family tent",), True)  # at most three names are read
    (step,) = draft(WrittenStep("Sleep outdoors", True, ("unicorn",)), buys=lambda _: 0.05).steps
    assert (step.needs, step.buys) == ((), None)


def test_a_plan_has_three_to_ten_steps():
    things = "tent stove lantern mattress pillow towel kettle map rope hammock torch".split()
    few, most, many = (draft(*(f"Pack the {thing}" for thing in things[:n])) for n in (2, 10, 11))
    assert "at least 3" in few.problems()[0]
    assert most.problems() == ()
    assert "more than 10" in many.problems()[0]
    assert len(many.steps) == MOST
    assert many.hopeless


def test_some_faults_are_forgiven_and_many_are_not():
    good = ["Pack a tent", "Cook a meal", "Light a lantern", "Reserve a campsite"]
    assert draft(*good, "", "").problems() == ()
    assert draft(*good, "", "", "").problems() == (FAULTS["empty"],)
    assert FAULTS["unsafe"] in draft(*good, "Build a bomb").problems()
