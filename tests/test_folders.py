import pytest

from ecomscript.errors import IndexFolderError
from ecomscript.folders import MANIFEST, open_sealed, read_manifest, read_rows, seal, unseal, write_rows


@pytest.fixture
def folder(tmp_path):
    unseal(tmp_path / "built")
    write_rows(tmp_path / "built" / "rows.jsonl", [{"title": "Zelt für 4 ⛺"}, {"title": "two"}])
    seal(tmp_path / "built", ["rows.jsonl"], {"encoder": "hash-32"})
    return tmp_path / "built"


def test_a_sealed_folder_opens(folder):
    assert open_sealed(folder, {"encoder": "hash-32"})["encoder"] == "hash-32"
    assert read_rows(folder / "rows.jsonl") == [{"title": "Zelt für 4 ⛺"}, {"title": "two"}]
    assert {path.name for path in folder.iterdir()} == {MANIFEST, "rows.jsonl"}


def test_what_does_not_open_says_why(folder, tmp_path):
    with pytest.raises(IndexFolderError, match="There is no index folder"):
        open_sealed(tmp_path / "no", {})
    with pytest.raises(IndexFolderError, match="has encoder 'hash-32', expected 'other'"):
        open_sealed(folder, {"encoder": "other"})
    (folder / "rows.jsonl").write_text("{}\n")
    with pytest.raises(IndexFolderError, match=r"rows.jsonl in .* is damaged: SHA-256 .*expected"):
        open_sealed(folder, {})
    unseal(folder)
    with pytest.raises(IndexFolderError, match=r"has no manifest.json: it was not written to its end"):
        open_sealed(folder, {})


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b'{"sha256": 3}', b"\xff\xfe"])
def test_a_damaged_manifest_is_said(folder, text):
    (folder / MANIFEST).write_bytes(text)
    with pytest.raises(IndexFolderError, match=r"manifest.json .*Build it again"):
        read_manifest(folder)


def test_a_place_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(IndexFolderError, match=r"cannot be written \(Not a directory\)"):
        unseal(tmp_path / "file" / "index")
    with pytest.raises(IndexFolderError, match="cannot be written"):
        seal(tmp_path, ["missing.jsonl"], {})
