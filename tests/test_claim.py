"""Two builders on one place: the second ends at once, and a lock never outlives the process that holds it."""

import json
import multiprocessing
import os
import shutil
import signal
import sys

import pytest
from fakes import HashEncoder, write_lines

import index_build.__main__ as command_line
from ecomscript.association.index import IntentionIndex
from index_build.build import BUILDING
from index_build.check import check
from index_build.claim import LOCK, only_writer

PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["index_build.__main__", "fakes"])


def command(arguments, said, reached=None, go_on=None):
    """Run a command in a process of its own; ``reached`` and ``go_on`` hold it up while it embeds."""

    class Held(HashEncoder):
        def encode(self, texts):
            if reached is not None and not reached.is_set():
                reached.set()
                go_on.wait(120)
            return super().encode(texts)

    command_line.open_encoder = lambda name, threads: Held()
    with said.open("w", encoding="utf-8") as sys.stderr:
        status = command_line.main(arguments)
    sys.exit(status)


@pytest.fixture
def start(tmp_path):
    """Start commands; what they say is under the number of each."""
    running = []

    def begin(arguments, held=False):
        events = (PROCESSES.Event(), PROCESSES.Event()) if held else (None, None)
        process = PROCESSES.Process(target=command, args=(arguments, tmp_path / f"said-{len(running)}", *events))
        running.append(process)
        process.start()
        if held:
            assert events[0].wait(120)
            return process, events[1]
        process.join(120)
        return process.exitcode, (tmp_path / f"said-{len(running) - 1}").read_text(encoding="utf-8")

    yield begin
    for process in running:
        process.kill()


@pytest.fixture
def index(tiny_index_dir, tmp_path):
    return shutil.copytree(tiny_index_dir, tmp_path / "index")


@pytest.fixture
def commands(index, tiny_source, tmp_path):
    gone = tmp_path / "gone.txt"
    gone.write_text(IntentionIndex.load(index, "hash-32").products[0].product_id)
    return {
        "build": ["--catalog", str(tiny_source), "--out", str(index), "--quiet"],
        "update": ["update", str(index), "--remove", str(gone), "--quiet"],
        "bench-data": ["bench-data", "--catalog", str(tiny_source), "--out", str(index), "--tau", "0.1", "--quiet"],
    }


@pytest.mark.parametrize(("first", "second"), [("build", "build"), ("build", "update"), ("update", "build"), ("build", "bench-data")])
def test_the_second_ends_at_once_and_spoils_nothing(first, second, start, commands, index):
    before = (index / "manifest.json").read_bytes()
    process, go_on = start(commands[first], held=True)
    assert start(commands[second]) == (
        2,
        f"Another process is writing {index}. Wait until it has ended, or name another place to write to.\n",
    )
    assert (index / "manifest.json").read_bytes() == before
    go_on.set()
    process.join(120)
    assert process.exitcode == 0 and check(index, HashEncoder()).ok
    assert not list(index.parent.glob("index.*"))


def test_a_killed_builder_holds_nobody_up(start, commands, index):
    process, _ = start(commands["build"], held=True)
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    assert sorted(path.name for path in index.parent.glob("index.*")) == [f"index{BUILDING}", f"index{LOCK}"]
    assert start([*commands["build"], "--resume"]) == (0, "")
    assert check(index, HashEncoder()).ok and not list(index.parent.glob("index.*"))


def test_a_link_to_the_index_is_the_same_place(start, commands, index, tmp_path):
    (tmp_path / "current").symlink_to(index)
    start(commands["build"], held=True)
    status, said = start([str(tmp_path / "current") if word == str(index) else word for word in commands["build"]])
    assert status == 2 and said.startswith(f"Another process is writing {index}.")


def test_answers_of_a_running_distilling_are_left_alone(start, tmp_path):
    source = write_lines(tmp_path / "meta.jsonl", [{"parent_asin": "A", "title": "Family tent"}])
    answers = tmp_path / "said.jsonl.answers.jsonl"
    with only_writer(tmp_path / "said.jsonl"):
        answers.write_text(half := '{"key": "half a li')  # what another process is writing just now
        status, said = start(["distil", "intentions", "--catalog", str(source), "--out", str(tmp_path / "said.jsonl"), "--estimate"])
        assert (status, said.count("\n")) == (2, 1) and f"is writing {tmp_path / 'said.jsonl'}. Wait" in said
        assert answers.read_text() == half
        assert not list(tmp_path.glob("said.jsonl.[rw]*"))


def test_the_place_is_free_again_after_an_error(start, commands, index, tmp_path):
    empty = tmp_path / "empty.csv"
    empty.write_text(json.dumps("nothing"))
    arguments = [str(empty) if word == commands["build"][1] else word for word in commands["build"]]
    assert start(arguments)[0] == 2
    assert start(commands["build"]) == (0, "")
