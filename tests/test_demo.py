import multiprocessing
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from fakes import HashEncoder

from ecomscript.association.index import IntentionIndex
from ecomscript.config import Settings
from ecomscript.demo import ensure_demo, run_builder
from ecomscript.errors import IndexFolderError
from ecomscript.folders import MANIFEST
from ecomscript.planning.library import Library
from index_build.build import build


class Builder:
    """Builds in this process with the hash encoder and counts how often."""

    def __init__(self, delay_s=0.0):
        self.runs = 0
        self.delay_s = delay_s

    def __call__(self, arguments, progress):
        self.runs += 1
        options = options_of(arguments)
        assert options["--encoder"] == "hash-32"
        progress("embedding: 50%")
        time.sleep(self.delay_s)
        build(Path(options["--catalog"]), Path(options["--out"]), HashEncoder(), resume=True, quiet=True)


def options_of(arguments):
    """Return the options by name; the last argument is the flag --resume."""
    assert arguments[-1] == "--resume"
    return dict(zip(arguments[:-1:2], arguments[1::2], strict=True))


@pytest.fixture
def settings(tmp_path):
    return Settings(cache_dir=tmp_path / "cache", encoder="hash-32")


def test_built_once_and_used_again(settings, tiny_source):
    builder, lines = Builder(), []
    folder = ensure_demo(settings, lines.append, tiny_source, builder)
    assert folder == settings.cache_dir / "demo"
    assert lines == ["Building the demo index (once; later starts use it again).", "embedding: 50%"]
    assert len(IntentionIndex.load(folder, "hash-32").products) == 9
    assert len(Library.load(folder / "library", "hash-32").scripts) == 3
    assert ensure_demo(settings, lines.append, tiny_source, builder) == folder
    assert builder.runs == 1 and len(lines) == 2


def damage(path):
    path.write_bytes(path.read_bytes()[:-1] + b"\x7f")


@pytest.mark.parametrize(
    "spoil",
    [
        lambda folder: damage(folder / "intentions-0.hnsw"),
        lambda folder: damage(folder / "library" / "vectors.npz"),
        lambda folder: (folder / "products.sqlite").unlink(),
        lambda folder: (folder / MANIFEST).unlink(),
        lambda folder: (folder / "library" / MANIFEST).write_text("{"),
    ],
)
def test_a_damaged_one_is_built_again(settings, tiny_source, spoil):
    builder = Builder()
    folder = ensure_demo(settings, None, tiny_source, builder)
    spoil(folder)
    ensure_demo(settings, None, tiny_source, builder)
    assert builder.runs == 2
    IntentionIndex.load(folder, "hash-32")
    assert {p.name for p in settings.cache_dir.iterdir()} <= {"demo", "demo.lock"}


def test_a_changed_catalogue_is_noticed(settings, catalogue_dir):
    builder = Builder()
    ensure_demo(settings, None, catalogue_dir, builder)
    path = catalogue_dir / "kinds" / "home.jsonl"
    path.write_text("".join(path.read_text(encoding="utf-8").splitlines(keepends=True)[:2]), encoding="utf-8")
    (catalogue_dir / "scripts" / "all.jsonl").write_text(
        (catalogue_dir / "scripts" / "all.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)[0], encoding="utf-8"
    )
    folder = ensure_demo(settings, None, catalogue_dir, builder)
    assert builder.runs == 2
    assert len(IntentionIndex.load(folder, "hash-32").kinds) == 5


def test_another_encoder_is_noticed(settings, tiny_source):
    ensure_demo(settings, None, tiny_source, Builder())
    asked = []

    def refuse(arguments, progress):
        asked.append(arguments[arguments.index("--encoder") + 1])
        raise IndexFolderError("no such encoder", "name another")

    with pytest.raises(IndexFolderError, match="no such encoder"):
        ensure_demo(replace(settings, encoder="other"), None, tiny_source, refuse)
    assert asked == ["other"]
    ensure_demo(settings, None, tiny_source, lambda *_: pytest.fail("the good index was lost"))


def test_what_an_interrupted_build_left_is_no_index(settings, tiny_source):
    def die(arguments, progress):
        (Path(options_of(arguments)["--out"]) / "shards").mkdir(parents=True)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ensure_demo(settings, None, tiny_source, die)
    assert not (settings.cache_dir / "demo").exists()
    IntentionIndex.load(ensure_demo(settings, None, tiny_source, Builder()), "hash-32")


def test_two_that_start_at_once_build_once(settings, tiny_source):
    builder, lines, folders = Builder(delay_s=0.5), [], []
    threads = [threading.Thread(target=lambda: folders.append(ensure_demo(settings, lines.append, tiny_source, builder))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert builder.runs == 1 and len(folders) == 2
    assert "Another process is building the demo index; waiting for it." in lines


def _start(cache_dir, source, queue):
    builder = Builder(delay_s=0.3)
    ensure_demo(Settings(cache_dir=cache_dir, encoder="hash-32"), None, source, builder)
    queue.put(builder.runs)


def test_two_processes_build_once(settings, tiny_source):
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    processes = [context.Process(target=_start, args=(settings.cache_dir, tiny_source, queue)) for _ in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(timeout=30)
    assert sorted(queue.get(timeout=5) for _ in processes) == [0, 1]
    IntentionIndex.load(settings.cache_dir / "demo", "hash-32")


def test_a_cache_that_cannot_be_written_names_the_variable(tmp_path, tiny_source):
    (tmp_path / "file").touch()
    settings = Settings(cache_dir=tmp_path / "file" / "cache", encoder="hash-32")
    with pytest.raises(IndexFolderError, match=r"cannot be written \(Not a directory\)\. Set ECOMSCRIPT_CACHE to a folder"):
        ensure_demo(settings, None, tiny_source, Builder())


def test_the_real_builder_passes_its_sentence_on(tmp_path):
    lines = []
    with pytest.raises(IndexFolderError, match="The demo index cannot be built: There is no catalogue /no/such"):
        run_builder(["--catalog", "/no/such", "--out", str(tmp_path)], lines.append)
    assert len(lines) == 1
