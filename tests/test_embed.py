import numpy as np
import pytest
from fakes import HashEncoder

from ecomscript.errors import IndexFolderError
from index_build import bench_embed as benching
from index_build import embed
from index_build.bench_embed import ALONE, HALF, ROAD, bench_embed
from index_build.embed import discard, embed_texts
from index_build.sources import read_catalogue

TEXTS = [f"{'long ' * (n % 7)}text {n}" for n in range(25)]


class KilledError(Exception):
    pass


class DyingEncoder(HashEncoder):
    """Dies at the third batch."""

    def __init__(self):
        super().__init__()
        self.batches = 0

    def encode(self, texts):
        self.batches += 1
        if self.batches == 3:
            raise KilledError
        return super().encode(texts)


@pytest.fixture(autouse=True)
def _small_shards(monkeypatch):
    monkeypatch.setattr(embed, "SHARD", 10)


def test_rows_come_back_in_order(tmp_path, encoder):
    rows = embed_texts(TEXTS, encoder, tmp_path / "shards", quiet=True)
    np.testing.assert_array_equal(rows, HashEncoder().encode(TEXTS))
    discard(tmp_path / "shards")
    assert not (tmp_path / "shards").exists()
    lengths = [len(text) for text in encoder.encoded]
    assert lengths == sorted(lengths, reverse=True)


def test_no_texts(tmp_path, encoder):
    assert embed_texts([], encoder, tmp_path / "shards", quiet=True).shape == (0, encoder.dim)


@pytest.mark.parametrize(("resume", "encoded"), [(True, 5), (False, 25)])
def test_resume_embeds_only_what_is_missing(tmp_path, encoder, resume, encoded):
    with pytest.raises(KilledError):
        embed_texts(TEXTS, DyingEncoder(), tmp_path, quiet=True)
    rows = embed_texts(TEXTS, encoder, tmp_path, resume=resume, quiet=True)
    np.testing.assert_array_equal(rows, HashEncoder().encode(TEXTS))
    assert len(encoder.encoded) == encoded


def test_a_damaged_or_foreign_shard_is_not_used(tmp_path, encoder):
    with pytest.raises(KilledError):
        embed_texts(TEXTS, DyingEncoder(), tmp_path, quiet=True)
    first, second = sorted(tmp_path.glob("*.npy"))
    first.write_bytes(first.read_bytes()[:-40])
    np.save(second, np.zeros((3, encoder.dim)))
    rows = embed_texts(TEXTS, encoder, tmp_path, resume=True, quiet=True)
    np.testing.assert_array_equal(rows, HashEncoder().encode(TEXTS))
    assert len(encoder.encoded) == len(TEXTS)


def test_an_unwritable_folder_is_said(tmp_path, encoder):
    (tmp_path / "file").touch()
    with pytest.raises(IndexFolderError, match=r"cannot be written .* Choose a folder"):
        embed_texts(TEXTS, encoder, tmp_path / "file" / "shards", quiet=True)


def test_progress_is_shown_unless_quiet(tmp_path, encoder, capsys):
    embed_texts(TEXTS, encoder, tmp_path, quiet=True)
    assert capsys.readouterr().err == ""
    embed_texts(TEXTS, encoder, tmp_path)
    assert "25/25" in capsys.readouterr().err


def test_the_road_is_measured_against_the_encoder_alone(tiny_source, tmp_path):
    store, model = HashEncoder(), HashEncoder()
    rows = bench_embed(read_catalogue(tiny_source), tmp_path, store, model, count=16, rounds=2)
    assert [row["way"] for row in rows] == [ROAD, ALONE, HALF] and len({row["texts"] for row in rows}) == 1
    assert all(row["least_over_encoder"] <= row["over_encoder"] <= row["most_over_encoder"] for row in rows)
    assert rows[1]["over_encoder"] == 1 and rows[2]["agrees"] and rows[2]["largest_cosine_error"] == rows[2]["turned_share"] == 0
    assert sorted(store.encoded) == sorted(store.encoded[: rows[0]["texts"]] * 2)  # every text, every round
    assert not list(tmp_path.iterdir())


def test_numbers_that_move_cosines_do_not_agree(tiny_source, tmp_path, monkeypatch):
    monkeypatch.setattr(benching, "_halved", lambda model, texts: np.roll(model.encode(texts), 1, axis=0))
    half = bench_embed(read_catalogue(tiny_source), tmp_path, HashEncoder(), HashEncoder(), count=16, rounds=1)[2]
    assert not half["agrees"] and half["largest_cosine_error"] > 0.1 and half["turned_share"] > 0
