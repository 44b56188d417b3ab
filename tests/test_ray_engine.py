"""The builder's shards as Ray tasks: the same bytes as without; skipped where requirements-cluster.txt is not installed."""

import os
import pickle
import subprocess
import sys
import types

import pytest
from fakes import HashEncoder

from ecomscript.association.vector_store import open_encoder
from ecomscript.config import PROJECT_ROOT, environment_of_child
from ecomscript.errors import ConfigError, IndexFolderError, LanguageModelError
from index_build import embed, ray_engine, shop
from index_build.build import build
from index_build.embed import embed_texts, here
from index_build.ray_engine import on_ray
from index_build.shop import ShopOptions

TEXTS = [f"{'long ' * (n % 7)}text {n}" for n in range(25)]


def contents(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("error", [IndexFolderError("It is full.", "Empty it."), LanguageModelError("It hangs", "Wait.", False)])
def test_an_error_crosses_from_one_process_to_another(error):
    other = pickle.loads(pickle.dumps(error))
    assert (type(other), str(other), vars(other)) == (type(error), str(error), vars(error))


def test_without_ray_it_says_how_to_install_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ConfigError, match=r"ray is not installed\. pip install -r requirements-cluster\.txt"):
        embed_texts(TEXTS, HashEncoder(), tmp_path, quiet=True, engine=on_ray)


@pytest.fixture(scope="module")
def ray():
    """Ray on two of this machine's cores."""
    ray = pytest.importorskip("ray", reason="requirements-cluster.txt is not installed")
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("RAY_ADDRESS", raising=False)
        patch.setenv("PYTHONPATH", str(PROJECT_ROOT / "tests"))  # where the other processes find the hash encoder
        yield ray_engine.started()
        ray.shutdown()


@pytest.fixture
def _small_shards(monkeypatch):
    monkeypatch.setattr(embed, "SHARD", 10)
    monkeypatch.setattr(shop, "SHARD", 10)


@pytest.mark.slow
@pytest.mark.usefixtures("ray", "_small_shards")
def test_shards_are_the_same_bytes(tmp_path):
    one, other = (embed_texts(TEXTS, HashEncoder(), tmp_path / name, quiet=True, engine=run) for name, run in RUNS.items())
    assert one.tobytes() == other.tobytes()
    assert len(contents(tmp_path / "ray")) == 3
    assert contents(tmp_path / "ray") == contents(tmp_path / "local")


RUNS = {"local": here, "ray": on_ray}


@pytest.mark.slow
@pytest.mark.usefixtures("ray", "_small_shards")
def test_the_real_encoder_gives_the_same_bytes(tmp_path):
    texts = [f"{text} for a picnic" for text in TEXTS]
    for name, run in RUNS.items():
        embed_texts(texts, open_encoder("all-MiniLM-L6-v2"), tmp_path / name, quiet=True, engine=run)
    assert contents(tmp_path / "ray") == contents(tmp_path / "local")


@pytest.mark.slow
@pytest.mark.usefixtures("ray", "_small_shards")
def test_indexes_are_the_same_bytes(tiny_source, tmp_path):
    feed = tmp_path / "feed.csv"
    feed.write_text("id,title\n" + "".join(f"{n},Tarnhollow Family Tent {n}\n" for n in range(35)))
    for source in (tiny_source, feed):
        for name, run in RUNS.items():
            build(source, tmp_path / name, HashEncoder(), quiet=True, options=ShopOptions(knowledge=tiny_source), engine=run)
        assert contents(tmp_path / "ray") == contents(tmp_path / "local")


@pytest.mark.slow
@pytest.mark.usefixtures("ray", "_small_shards")
def test_what_was_embedded_before_is_not_embedded_again(tmp_path):
    embed_texts(TEXTS, HashEncoder(), tmp_path, quiet=True, engine=here)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    embed_texts(TEXTS, HashEncoder(), tmp_path, resume=True, quiet=True, engine=on_ray)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == before


@pytest.mark.slow
@pytest.mark.usefixtures("ray")
def test_a_machine_that_cannot_write_is_said(tmp_path):
    with pytest.raises(IndexFolderError, match=r"cannot be written .* Choose a folder"):
        list(on_ray(tmp_path / "on no disk that it sees", HashEncoder(), [TEXTS]))


@pytest.mark.slow
@pytest.mark.usefixtures("ray")
def test_a_machine_without_the_project_is_said(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "elsewhere", types.ModuleType("elsewhere"))
    monkeypatch.setattr(HashEncoder, "__module__", "elsewhere")
    sys.modules["elsewhere"].HashEncoder = HashEncoder
    with pytest.raises(ConfigError, match=r"did not finish a shard \(.*No module named 'elsewhere'"):
        list(on_ray(tmp_path, HashEncoder(), [TEXTS]))


class BrokenEncoder(HashEncoder):
    def encode(self, texts):
        raise ModuleNotFoundError("No module named 'sentence_transformers'") if "long" in texts[0] else ZeroDivisionError("a bug")


@pytest.mark.slow
@pytest.mark.usefixtures("ray")
def test_a_machine_without_the_packages_is_said_and_a_bug_stays_one(tmp_path):
    with pytest.raises(ConfigError, match=r"did not finish a shard \(No module .*every machine has the project"):
        list(on_ray(tmp_path, BrokenEncoder(), [["long"]]))
    with pytest.raises(ZeroDivisionError, match="a bug"):
        list(on_ray(tmp_path, BrokenEncoder(), [["short"]]))


@pytest.mark.slow
@pytest.mark.usefixtures("ray")
def test_a_cluster_that_is_away_ends_in_one_sentence(tiny_source, tmp_path):
    command = [sys.executable, "-m", "index_build", "--catalog", str(tiny_source), "--out", str(tmp_path / "index"), "--engine", "ray"]
    env = environment_of_child(RAY_ADDRESS="127.0.0.1:9")
    done = subprocess.run([*command, "--quiet"], cwd=PROJECT_ROOT, env=env, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("Ray cannot be reached") and done.stderr.count("\n") == 1


DRIVER = """
import sys, time
from pathlib import Path

import ray
from fakes import HashEncoder

from index_build import embed, shop
from index_build.build import build
from index_build.ray_engine import on_ray
from index_build.shop import ShopOptions

source, knowledge, out, seen = map(Path, sys.argv[1:])


class SeenEncoder(HashEncoder):
    def encode(self, texts):
        (seen / ray.get_runtime_context().get_node_id()).touch()
        time.sleep(0.5)  # so that one machine does not do all of it
        return super().encode(texts)


embed.SHARD = shop.SHARD = 10
ray.init(include_dashboard=False, log_to_driver=False)
build(source, out, SeenEncoder(), quiet=True, options=ShopOptions(knowledge=knowledge), engine=on_ray)
"""


@pytest.fixture
def cluster(monkeypatch):
    """A head without cores and two nodes with one each, in processes of their own: its address."""
    pytest.importorskip("ray", reason="requirements-cluster.txt is not installed")
    from ray.cluster_utils import Cluster  # noqa: PLC0415 - an optional requirement

    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(map(str, (PROJECT_ROOT, PROJECT_ROOT / "tests"))))
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
    for _ in range(2):
        cluster.add_node(num_cpus=1)
    cluster.wait_for_nodes()
    yield cluster.address
    cluster.shutdown()


@pytest.mark.slow
@pytest.mark.usefixtures("_small_shards")
def test_the_nodes_of_a_running_cluster_share_the_work(cluster, tiny_source, tmp_path):
    feed, seen = tmp_path / "feed.csv", tmp_path / "seen"
    feed.write_text("id,title\n" + "".join(f"{n},Tarnhollow Family Tent {n}\n" for n in range(95)))
    seen.mkdir()
    build(feed, tmp_path / "local", HashEncoder(), quiet=True, options=ShopOptions(knowledge=tiny_source))
    command = [sys.executable, "-c", DRIVER, str(feed), str(tiny_source), str(tmp_path / "cluster"), str(seen)]
    env = {**os.environ, "RAY_ADDRESS": cluster}
    done = subprocess.run(command, cwd=PROJECT_ROOT, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert contents(tmp_path / "cluster") == contents(tmp_path / "local")
    assert len(list(seen.iterdir())) == 3  # the head, where the build itself runs, and both nodes
