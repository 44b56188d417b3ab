"""Files that are packed by gzip or xz: opened by their names, and with the fingerprint of what is in them."""

import gzip
import lzma

import pytest
from fakes import write_lines

from ecomscript.errors import InputError
from ecomscript.folders import fingerprint
from ecomscript.jsonl import read_lines
from ecomscript.packed import packed_or_not

PACK = {".gz": gzip.compress, ".xz": lzma.compress, "": bytes}


def packed(folder, suffix):
    folder.mkdir()
    plain = write_lines(folder / "rows.jsonl", [{"id": n} for n in range(50)])
    data = PACK[suffix](plain.read_bytes())
    plain.unlink()
    path = folder / f"rows.jsonl{suffix}"
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("suffix", PACK)
def test_packing_changes_neither_rows_nor_fingerprint(tmp_path, suffix):
    path, plain = packed(tmp_path / "a", suffix), packed(tmp_path / "b", "")
    assert [line.data["id"] for line in read_lines(path, ("id",))] == list(range(50))
    assert packed_or_not(tmp_path / "a" / "rows.jsonl") == path
    assert fingerprint(path) == fingerprint(plain)
    assert fingerprint(path.parent) == fingerprint(plain.parent)


@pytest.mark.parametrize("suffix", [".gz", ".xz"])
@pytest.mark.parametrize("damage", [lambda data: data[:-9], lambda data: b"plain text", lambda data: b""])
def test_a_damaged_file_is_named(tmp_path, suffix, damage):
    path = packed(tmp_path / "a", suffix)
    path.write_bytes(damage(path.read_bytes()))
    if path.stat().st_size:
        with pytest.raises(InputError, match=r"rows\.jsonl.* cannot be read"):
            read_lines(path, ("id",))
    assert len(fingerprint(path)) == 64
