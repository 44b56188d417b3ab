"""Builds that are killed, that run out of disk, or whose catalogue changes: the earlier index serves on, and the next run ends the same."""

import json
import multiprocessing
import os
import random
import resource
import shutil
import signal
import time

import pytest
from fakes import KINDS, SCRIPTS, HashEncoder, write_catalogue

import index_build.build as builder
from ecomscript import folders
from ecomscript.association.index import IntentionIndex
from ecomscript.errors import CatalogError, EcomScriptError, IndexFolderError
from ecomscript.folders import MANIFEST, replace_folder
from index_build import embed, shop
from index_build.build import BUILDING, build
from index_build.check import check
from index_build.shop import ShopOptions

KILLS = 10
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["index_build.build", "fakes"])


def run(source, out, knowledge, resume, largest_file=None, said=None):
    """Build in a process of its own, in small shards; a limit on the size of files stands for a full disk."""
    embed.SHARD = shop.SHARD = 8
    if largest_file is not None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file, largest_file))
    try:
        build(source, out, HashEncoder(), resume=resume, quiet=True, options=ShopOptions(knowledge=knowledge))
    except EcomScriptError as error:
        said.send(str(error))


def in_a_process(*arguments, kill_after_s=None, **named):
    """Return how long it ran, and whether it came to its end."""
    process = PROCESSES.Process(target=run, args=arguments, kwargs=named)
    started = time.monotonic()
    process.start()
    process.join(kill_after_s)
    if process.exitcode is None:
        os.kill(process.pid, signal.SIGKILL)
        process.join()
    return time.monotonic() - started, process.exitcode == 0


def contents(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(params=["shop", "own format"])
def source(request, tmp_path):
    if request.param == "own format":
        return write_catalogue(tmp_path / "catalogue")
    titles = [f"{p['brand']} {k['kind'].title()} {n}" for n in range(9) for k in KINDS for p in k["products"]]
    rows = [{"parent_asin": f"T{n}", "title": title, "price": n} for n, title in enumerate(titles)]
    path = tmp_path / "meta.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in [*rows, {"title": None}]))
    return path


@pytest.fixture
def out(tmp_path, tiny_index_dir):
    """An index of another catalogue, which serves until the new one is finished."""
    return shutil.copytree(tiny_index_dir, tmp_path / "index")


def test_killed_at_ten_moments_it_ends_as_if_it_had_not_been(source, out, tmp_path, tiny_source):
    earlier = contents(out)
    in_a_process(source, tmp_path / "first", tiny_source, False)  # the first process of all also imports
    whole, done = in_a_process(source, tmp_path / "undisturbed", tiny_source, False)
    assert done
    expected = contents(tmp_path / "undisturbed")
    moments = random.Random(7)
    killed = 0
    for _ in range(KILLS):
        _, done = in_a_process(source, out, tiny_source, True, kill_after_s=moments.uniform(0.1, 0.8) * whole)
        killed += not done
        assert contents(out) in (earlier, expected)
    assert killed
    assert in_a_process(source, out, tiny_source, True)[1]
    assert contents(out) == expected
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith("index")) == ["index"]


STAGES = [
    ("shop", "read_shop"),
    ("shop", "build_graph"),
    ("shop", "replace_folder"),
    ("own format", "build_graph"),
    ("own format", "build_library"),
    ("own format", "replace_folder"),
]


@pytest.mark.parametrize(("source", "stage"), STAGES, indirect=["source"])
def test_killed_before_each_stage_it_ends_as_if_it_had_not_been(source, stage, out, tmp_path, tiny_source, monkeypatch):
    options, earlier = ShopOptions(knowledge=tiny_source), contents(out)
    build(source, tmp_path / "undisturbed", HashEncoder(), quiet=True, options=options)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(builder, stage, lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
        build(source, out, HashEncoder(), quiet=True, options=options)
    assert contents(out) == earlier
    build(source, out, HashEncoder(), resume=True, quiet=True, options=options)
    assert contents(out) == contents(tmp_path / "undisturbed")


def test_a_full_disk_is_said_and_the_earlier_index_stays(source, out, tmp_path, tiny_source):
    build(source, tmp_path / "undisturbed", HashEncoder(), quiet=True, options=ShopOptions(knowledge=tiny_source))
    sizes = sorted({len(data) for data in contents(tmp_path / "undisturbed").values()} - {0})
    earlier, (heard, said) = contents(out), PROCESSES.Pipe(duplex=False)
    for largest in (64, *(size - 1 for size in sizes[-4:])):
        assert in_a_process(source, out, tiny_source, False, largest_file=largest, said=said)[1]
        assert heard.poll(), largest
        assert "cannot be written" in (sentence := heard.recv()) and "disk with room" in sentence
        assert contents(out) == earlier
    build(source, out, HashEncoder(), resume=True, quiet=True, options=ShopOptions(knowledge=tiny_source))
    assert contents(out) == contents(tmp_path / "undisturbed")


def test_a_graph_that_is_cut_short_is_noticed(out, monkeypatch):
    index = IntentionIndex.load(out, "hash-32")
    (shard,) = index.graph.shards
    monkeypatch.setattr(type(shard), "size_bytes", lambda _: 10**6)  # hnswlib itself reports no failed write
    with pytest.raises(IndexFolderError, match=r"of 1,000,000 bytes.* disk with room"):
        index.save(out.with_name("other"))


@pytest.mark.parametrize("source", ["own format"], indirect=True)
def test_a_catalogue_that_changes_while_it_is_read_is_noticed(source, out, monkeypatch):
    earlier, real = contents(out), builder.build_index

    def meanwhile(*arguments):
        write_catalogue(source, KINDS[:5], SCRIPTS[:1])
        return real(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(builder, "build_index", meanwhile)
        with pytest.raises(CatalogError, match=r"changed while it was read\. Run the command again"):
            build(source, out, HashEncoder(), quiet=True)
    assert contents(out) == earlier
    build(source, out, HashEncoder(), resume=True, quiet=True)
    assert len(IntentionIndex.load(out, "hash-32").kinds) == 5


@pytest.mark.parametrize("name", ["meta.jsonl", "kinds/home.jsonl"])
def test_a_file_that_cannot_be_read_is_said(out, tmp_path, tiny_source, name):
    earlier, source = contents(out), shutil.copytree(tiny_source, tmp_path / "catalogue")
    (source / name).unlink(missing_ok=True)
    (source / name).symlink_to("/proc/self/mem")  # a file that opens and then fails, as a bad disk does
    for place in (source, source / name):
        with pytest.raises(CatalogError, match=rf"{name} cannot be read \(Input/output error\)\. Make it readable"):
            build(place, out, HashEncoder(), quiet=True)
    assert contents(out) == earlier


def test_a_folder_with_other_files_is_not_replaced(tiny_source, tmp_path):
    (tmp_path / "documents").mkdir()
    (tmp_path / "documents" / "letter.txt").write_text("keep me")
    with pytest.raises(IndexFolderError, match=r"holds other files than an index.* Name a folder"):
        build(tiny_source, tmp_path / "documents", HashEncoder(), quiet=True)
    assert [path.name for path in tmp_path.iterdir()] == ["documents"]
    with pytest.raises(IndexFolderError, match="is the top of a disk"):
        build(tiny_source, tmp_path / "/", HashEncoder(), quiet=True)


@pytest.mark.parametrize("exchange", [True, False])
def test_a_folder_takes_the_place_of_another(tmp_path, monkeypatch, exchange):
    if not exchange:
        monkeypatch.setattr(folders, "_exchange", lambda *_: False)
    for name in ("old", "new"):
        (tmp_path / name).mkdir()
        (tmp_path / name / MANIFEST).write_text(name)
    replace_folder(tmp_path / "new", tmp_path / "old")
    assert contents(tmp_path) == {f"old/{MANIFEST}": b"new"}


def test_a_link_to_an_index_stays_a_link(tiny_source, out, tmp_path):
    (tmp_path / "current").symlink_to(out)
    build(tiny_source, tmp_path / "current", HashEncoder(), quiet=True)
    assert (tmp_path / "current").is_symlink() and check(out, HashEncoder()).ok
    assert not (tmp_path / f"current{BUILDING}").exists()
