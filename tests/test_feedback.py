"""The store of ratings, its limits and troubles, and where ratings are published."""

import json
import os
import sqlite3
import stat
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Lock

import pytest

from ecomscript.config import Settings
from ecomscript.errors import ConfigError, FeedbackError, InputError
from ecomscript.feedback.collect import Collector, Publisher, line_of, open_collector
from ecomscript.feedback.record import SHEETS, Record, latest
from ecomscript.feedback.store import FeedbackStore, Limits

MARKS = dict(zip(SHEETS, (5, 4, 3, 2, 1), strict=True))


def name(n):
    return f"{n:016x}"


def thumb(session=1, thing=1, useful=1, **changes):
    return Record(name(session), "product", name(thing), name(9), {"useful": useful}, "tent", 2, t2=0.9, version="abc", **changes)


def sheet(session=1, thing=9, marks=MARKS, **changes):
    return Record(name(session), "sheet", name(thing), name(thing), marks, t1=0.5, t3=0.25, **changes)


class Clock:
    def __init__(self):
        self.time = datetime(2026, 3, 1, 12, tzinfo=UTC)

    def __call__(self):
        return self.time


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def store(tmp_path, clock):
    return FeedbackStore(tmp_path / "some" / "feedback.sqlite", now=clock)


def test_what_is_added_is_read_again_with_its_time(store):
    assert (store.read(), store.last(), store.path.exists()) == ([], 0, False)
    given = [thumb(goal=None), sheet(goal="Ein Zelt ⛺ 'für\" zwei; DROP TABLE feedback")]
    for record in given:
        store.add(record)
    assert store.read() == [replace(record, created="2026-03-01T12:00:00+00:00") for record in given]
    assert store.last() == 2 and [r.subject for r in store.read(1)] == ["sheet"]


def test_the_file_is_in_wal_mode_and_rows_cannot_be_changed_or_removed(store):
    store.add(thumb())
    with closing(sqlite3.connect(store.path)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        for statement in ("UPDATE feedback SET marks = '{}'", "DELETE FROM feedback"):
            with pytest.raises(sqlite3.IntegrityError, match="only added"):
                connection.execute(statement)
    assert len(store.read()) == 1


def test_a_later_answer_replaces_and_both_stay_in_the_file(store):
    for record in (thumb(useful=1), thumb(session=2), thumb(useful=0), thumb(thing=5), sheet(), thumb(session=2, useful=1)):
        store.add(record)
    assert len(store.read()) == 6
    assert [(r.session[-1], r.subject, r.thing[-1], r.marks.get("useful")) for r in latest(store.read())] == [
        ("1", "product", "1", 0), ("1", "product", "5", 1), ("1", "sheet", "9", None), ("2", "product", "1", 1),
    ]  # fmt: skip
    store.add(replace(thumb(), marks={}))
    assert [r.thing for r in latest(store.read()) if r.session == name(1)] == [name(5), name(9)]


def test_a_visitor_and_all_together_are_limited_until_time_has_passed(tmp_path, clock):
    store = FeedbackStore(tmp_path / "f.sqlite", Limits(3, 5, timedelta(minutes=10)), clock)
    for n in range(3):
        store.add(thumb(thing=n))
    with pytest.raises(FeedbackError, match="You gave 3 ratings within 10 minutes"):
        store.add(thumb(thing=7))
    store.add(thumb(session=2))
    store.add(thumb(session=3))
    with pytest.raises(FeedbackError, match="More ratings come in"):
        store.add(thumb(session=4))
    assert store.last() == 5
    clock.time += timedelta(minutes=9, seconds=59)
    with pytest.raises(FeedbackError):
        store.add(thumb(session=4))
    clock.time += timedelta(seconds=1)
    store.add(thumb(thing=7))
    assert store.last() == 6


def test_a_locked_database_is_a_sentence_and_takes_ratings_again_later(store, monkeypatch):
    monkeypatch.setattr("ecomscript.feedback.store.WAIT_S", 0.05)
    store.add(thumb())
    with closing(sqlite3.connect(store.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(FeedbackError, match="locked") as caught:
            store.add(thumb(thing=2))
        assert str(store.path) not in str(caught.value)
        assert len(store.read()) == 1  # reading goes on beside a writer
    store.add(thumb(thing=2))
    assert store.last() == 2


def test_a_full_disk_is_a_sentence_and_keeps_what_was_stored(tmp_path):
    store = FeedbackStore(tmp_path / "f.sqlite", Limits(10**6, 10**6), max_bytes=40_000)
    with pytest.raises(FeedbackError, match="full"):
        for n in range(10**4):
            store.add(sheet(session=n, goal="g" * 500))
    kept = store.read()
    assert 10 < len(kept) == store.last() and store.path.stat().st_size <= 40_000


@pytest.mark.parametrize("content", [b"no database at all, but long enough to be one" * 50, b"SQLite format 3\x00" + b"\xff" * 5000])
def test_a_damaged_file_is_a_sentence_and_left_alone(store, content):
    store.path.parent.mkdir()
    store.path.write_bytes(content)
    for use in (lambda: store.add(thumb()), store.read, store.last):
        with pytest.raises(FeedbackError, match="cannot be used now"):
            use()
    assert store.path.read_bytes() == content


def test_a_file_of_another_format_or_with_other_rows_is_refused(store):
    store.add(thumb())
    with closing(sqlite3.connect(store.path)) as connection, connection:
        connection.execute("INSERT INTO feedback (session, marks) VALUES ('x', '[')")
    with pytest.raises(FeedbackError, match="no ratings"):
        store.read()
    with closing(sqlite3.connect(store.path)) as connection:
        connection.execute("PRAGMA user_version = 7")
    with pytest.raises(FeedbackError, match="format 7, expected 1"):
        store.add(thumb())


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_not_be_written_is_a_sentence(tmp_path):
    tmp_path.chmod(stat.S_IRUSR | stat.S_IXUSR)
    with pytest.raises(FeedbackError, match="cannot be used now"):
        FeedbackStore(tmp_path / "f.sqlite").add(thumb())


def test_a_path_through_a_file_is_a_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(FeedbackError, match="cannot be used now"):
        FeedbackStore(tmp_path / "file" / "f.sqlite").add(thumb())


def test_many_writers_at_once_lose_nothing(tmp_path):
    stores = [FeedbackStore(tmp_path / "f.sqlite", Limits(10**6, 10**6)) for _ in range(4)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: stores[n % 4].add(thumb(thing=n)), range(80)))
    assert {r.thing for r in stores[0].read()} == {name(n) for n in range(80)}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("session", value) for value in ("x" * 16, None, name(1).upper() + "A")),
        *(("subject", value) for value in ("person", None, ["sheet"])),
        *(("marks", value) for value in ({"useful": 2}, {"useful": True}, {"useful": 1.0}, MARKS, {"useful": 1, "more": 1}, [1], None)),
        *(("product_id", value) for value in ("", "p" * 101, None)),
        *(("step", value) for value in (-1, 1.0, True, 10**9)),
        *(("goal", value) for value in ("g" * 501, 3)),
        *(("version", value) for value in (None, "v" * 101)),
        *(("created", value) for value in ("yesterday", None)),
        *(("thing", ""), ("plan", 7), ("t1", float("nan")), ("t2", 1.5), ("t3", "1")),
    ],
)
def test_a_record_holds_nothing_else(field, value):
    with pytest.raises(InputError, match=field):
        replace(thumb(), **{field: value})


@pytest.mark.parametrize(
    "marks", [{**MARKS, "plausible": 0}, {**MARKS, "plausible": 6}, {"plausible": 3}, {**MARKS, "other": 3}, {"useful": 1}]
)
def test_a_sheet_has_five_answers_from_one_to_five(marks):
    with pytest.raises(InputError, match="marks"):
        sheet(marks=marks)


def test_marks_cannot_be_changed_after_the_check():
    given = dict(MARKS)
    record = sheet(marks=given)
    given["plausible"] = 99
    assert record.marks["plausible"] == 5
    with pytest.raises(TypeError):
        record.marks["plausible"] = 99


class FakeScheduler:
    """Stands where the hub's client would talk to the network."""

    def __init__(self, **options):
        self.options, self.lock = options, Lock()


PUBLISHING = {"feedback_repo": "someone/ratings", "hub_token": "hf_secret"}


def test_ratings_are_published_as_lines_under_the_schedulers_lock(tmp_path):
    made = []
    settings = Settings(cache_dir=tmp_path, **PUBLISHING)
    collector = open_collector(settings, "abc", lambda **options: made.append(FakeScheduler(**options)) or made[-1])
    assert collector.published_in == "someone/ratings"
    options = made[0].options
    assert (options["repo_id"], options["repo_type"], options["token"]) == ("someone/ratings", "dataset", "hf_secret")
    stored = [collector.add(thumb()), collector.add(sheet(goal="Zelten ⛺"))]
    (file,) = options["folder_path"].iterdir()
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert [Record(**line) for line in lines] == stored == collector.store.read()
    assert set(lines[0]) == {
        "session",
        "subject",
        "thing",
        "plan",
        "marks",
        "product_id",
        "step",
        "goal",
        "t1",
        "t2",
        "t3",
        "version",
        "created",
    }
    again = open_collector(settings, "abc", FakeScheduler)
    again.add(thumb())
    assert len(list(options["folder_path"].iterdir())) == 2  # a start of the app never writes over what another has published


def test_the_line_waits_for_the_lock(tmp_path):
    scheduler = FakeScheduler()
    publisher = Publisher(tmp_path, scheduler, "someone/ratings")
    with ThreadPoolExecutor(1) as pool:
        with scheduler.lock:
            written = pool.submit(publisher.publish, thumb())
            with pytest.raises(TimeoutError):
                written.result(0.2)
            assert not publisher.path.exists()
        written.result(5)
    assert publisher.path.read_text() == line_of(thumb())


def test_without_repository_or_token_nothing_is_published(tmp_path):
    for missing in PUBLISHING:
        assert open_collector(Settings(cache_dir=tmp_path, **{**PUBLISHING, missing: ""}), "abc", pytest.fail).published_in == ""
    assert open_collector(Settings(cache_dir=tmp_path, feedback=False, **PUBLISHING), "abc", pytest.fail) is None


def test_a_hub_that_cannot_be_reached_stops_nothing(tmp_path, caplog):
    def refuse(**options):
        raise ConnectionError("no network")

    collector = open_collector(Settings(cache_dir=tmp_path, **PUBLISHING), "abc", refuse)
    assert collector.published_in == "" and "not published in someone/ratings" in caplog.text and "hf_secret" not in caplog.text
    assert collector.add(thumb()).created


def test_a_rating_that_cannot_be_published_is_stored(tmp_path, caplog):
    collector = Collector(FeedbackStore(tmp_path / "f.sqlite"), "abc", Publisher(tmp_path / "missing", FakeScheduler(), "someone/ratings"))
    collector.add(thumb())
    assert collector.store.last() == 1 and "not published" in caplog.text


def test_the_file_and_the_token_come_from_the_settings(tmp_path):
    env = {"ECOMSCRIPT_FEEDBACK": "/data/ratings.sqlite", "ECOMSCRIPT_FEEDBACK_REPO": "someone/ratings", "HF_TOKEN": "hf_secret"}
    settings = Settings.from_env(env)
    assert (str(settings.ratings), settings.feedback_repo, settings.hub_token) == ("/data/ratings.sqlite", "someone/ratings", "hf_secret")
    assert "hf_secret" not in repr(settings)
    assert Settings.from_env({"ECOMSCRIPT_CACHE": "/data"}).ratings.as_posix() == "/data/feedback.sqlite"
    for wrong in ({"ECOMSCRIPT_FEEDBACK_REPO": "ratings"}, {"ECOMSCRIPT_FEEDBACK_REPO": "https://x/y/z"}, {"HF_TOKEN": " "}):
        with pytest.raises(ConfigError, match="ECOMSCRIPT_FEEDBACK_REPO is"):
            Settings.from_env({**env, **wrong})
    off = Settings.from_env({"ECOMSCRIPT_FEEDBACK": " Off "})
    assert (off.feedback, off.feedback_file) == (False, None)
