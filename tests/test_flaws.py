"""The tables of script flaws: how their files are built, what they find, and that they can be asked anything."""

import random
import re
from functools import cache, partial

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from table_faults import faults_of_rows, key_faults, pattern_faults, why_faults

from ecomscript.config import DEMO_CATALOG
from ecomscript.jsonl import read_lines
from ecomscript.verification.flaws import rules
from ecomscript.verification.flaws.rules import JUDGES, TABLES, flaws

FILES = sorted(TABLES.rglob("*.yaml"))
GOAL = {"goal", "goal_unless"}
REQUIRED = {"order": {"first", "then", "why"}, "missing": {"needs", "why"}, "against": {"step", "why"}}
OPTIONAL = {
    "order": GOAL | {"first_unless", "then_unless"},
    "missing": GOAL | {"step", "step_unless", "needs_unless"},
    "against": GOAL | {"step_unless", "other", "other_unless", "solved_by", "solved_by_unless"},
}
SIDES = {"goal", "first", "then", "step", "needs", "other", "solved_by"}


def name_of(path):
    return path.relative_to(TABLES).as_posix()


@cache
def content(path):
    return yaml.safe_load(path.read_text("utf-8"))


def row_faults(row, folder):
    """Yield every fault of a row in a file of ``tables/<folder>/``."""
    broken = list(key_faults(row, REQUIRED[folder], OPTIONAL[folder]))
    yield from broken
    yield from why_faults(row)
    for key in row.keys() - {"why"}:
        faults = list(pattern_faults(row[key], key))
        yield from faults
        if not faults and re.search(row[key], ""):
            yield f"{key} matches everything"
    for side in SIDES - row.keys():
        if f"{side}_unless" in row and side != "goal":
            yield f"{side}_unless without {side}"
    if folder == "missing" and not broken and not {"goal", "step"} & row.keys():
        yield "is missing everywhere"


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_every_row_is_well_formed(path):
    rows = content(path)
    assert rows, "an empty file"
    told = faults_of_rows(name_of(path), rows, partial(row_faults, folder=path.parent.name), lambda row: row.get("why"))
    assert not told, "\n".join(told)


@pytest.mark.parametrize(
    ("folder", "row", "fault"),
    [
        ("order", {"first": "a", "why": "x"}, "lacks"),
        ("order", {"first": "a", "then": "b", "why": "x."}, "full stop"),
        ("order", {"first": "(a", "then": "b", "why": "x"}, "compile"),
        ("order", {"first": "Oven", "then": "b", "why": "x"}, "capitals"),
        ("order", {"first": "a", "then": "b", "goals": "c", "why": "x"}, "unknown keys"),
        ("missing", {"needs": "a", "why": "x"}, "everywhere"),
        ("missing", {"needs": "a", "goal": "b", "step_unless": "c", "why": "x"}, "without step"),
        ("against", {"step": "a?", "why": "x"}, "everything"),
        ("against", {"step": "a|", "why": "x"}, "empty alternative"),
    ],
)
def test_faults_of_rows_are_noticed(folder, row, fault):
    assert any(fault in told for told in row_faults(row, folder))


def test_no_file_is_left_out():
    """A file outside the folders that are read would never speak."""
    assert {path.parent for path in TABLES.rglob("*") if path.is_file()} == {TABLES / name for name in JUDGES}
    assert all(path.suffix == ".yaml" for path in TABLES.rglob("*") if path.is_file())


def test_no_row_stands_twice():
    rows = [tuple(sorted((key, value) for key, value in row.items() if key != "why")) for path in FILES for row in content(path)]
    assert [row for row in set(rows) if rows.count(row) > 1] == []


# --- How rows are read ---------------------------------------------------------------------------------------------------------------


@pytest.fixture
def only(monkeypatch):
    """Return a function that leaves a single row in the tables."""

    def leave(folder, **row):
        monkeypatch.setattr(rules, "tables", lambda: {name: [row] if name == folder else [] for name in JUDGES})
        rules._asked.cache_clear()

    yield leave
    rules._asked.cache_clear()


def said(*steps, goal="paint a wall"):
    return [(flaw.steps, flaw.reason) for flaw in flaws(goal, steps)]


def test_an_order_speaks_only_when_the_later_step_begins_first(only):
    only("order", first="prime", then="paint", then_unless="paint tin", goal="wall", goal_unless="outdoor", why="paint needs a ground")
    assert said("Paint it", "Prime it") == [((0, 1), "Step 2 has to come before step 1: paint needs a ground.")]
    assert said("Prime it", "Paint it", "Prime the rest") == []
    assert said("Prime and paint it", "Prime the rest") == []
    assert said("Open the paint tin", "Prime it") == []
    assert said("Paint it") == said("Prime it") == said() == []
    assert said("Paint it", "Prime it", goal="paint a chair") == []
    assert said("Paint it", "Prime it", goal="paint an outdoor wall") == []


def test_a_step_is_missing_where_goal_and_step_ask_for_it(only):
    only("missing", goal="wall", step="sand", needs="mask|goggles", why="dust gets into the lungs")
    assert said("Sand it", "Paint it") == [((), "A step is missing: dust gets into the lungs.")]
    assert said("Sand it", "Wear a mask") == []
    assert said("Paint it") == []
    assert said("Sand it", goal="paint a chair") == []


def test_a_step_goes_against_the_goal_or_another_step(only):
    only("against", goal="wall", step="spray", why="a wall is rolled")
    assert said("Open it", "Spray it", "SPRAY again") == [((1,), "Step 2 cannot be right: a wall is rolled.")]
    only("against", step="bleach", step_unless="oxygen", other="vinegar", solved_by="rinse well", why="the two give off gas")
    assert said("Pour vinegar", "Pour bleach") == [((1, 0), "Steps 2 and 1 do not go together: the two give off gas.")]
    assert said("Mix bleach and vinegar") == []
    assert said("Pour vinegar", "Rinse well", "Pour bleach") == []
    assert said("Pour vinegar", "Pour oxygen bleach") == []


@settings(deadline=None)
@given(st.text(max_size=200), st.lists(st.text(max_size=200), max_size=12))
def test_any_text_can_be_asked(objective, steps):
    for flaw in flaws(objective, steps):
        assert all(0 <= step < len(steps) for step in flaw.steps)
        assert flaw.reason.endswith(".")
    assert flaws(objective, steps) == flaws(objective, steps)


def test_scripts_of_the_library_are_hardly_ever_accused():
    files = sorted((DEMO_CATALOG / "scripts").glob("*.jsonl"))
    scripts = [line.data for path in files for line in read_lines(path, ("objective", "steps"))]
    assert len(scripts) > 3_000
    read = random.Random(0).sample(scripts, 600)
    accused = [s["objective"] for s in read if flaws(s["objective"], [step["text"] for step in s["steps"]])]
    assert len(accused) <= 0.005 * len(read), accused
