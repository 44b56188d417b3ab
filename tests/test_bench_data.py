"""The data set of a catalogue: what is aligned, what annotators see, and what comes back."""

import csv
import json

import numpy as np
import pytest
from fakes import KINDS, HashEncoder, product, script, write_catalogue, write_lines

import index_build.__main__ as command_line
from ecomscript.errors import CatalogError, InputError
from ecomscript.jsonl import read_lines
from ecomscript.learnt import STEP_SHARE
from ecomscript.verification.claims import TASKS
from ecomscript.verification.items import read_items
from index_build.__main__ import main
from index_build.annotations import ANNOTATORS, COLUMNS, SHEET, read_sheet
from index_build.bench_data import SCRIPTS, DataOptions, bench_data
from index_build.shop import ShopOptions

TAU = 0.3
SCRIPTS_OF = [
    script(f"Plan {n}: {goal}", [], [(text, []) for text in steps])
    for n, (goal, steps) in enumerate(
        [
            ("camp with children", ["sleep dry on a camping weekend", "light a tent after dark", "cook a warm meal at a campsite"]),
            ("bake for a birthday", ["bake a round birthday cake at home", "light the cake at a birthday party", "=invite everyone"]),
            ("prepare a hike", ["pack a filling lunch for a hike", "boil water outdoors for coffee", "file the taxes"]),
        ]
        * 6
    )
]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    odd = [*KINDS[:-1], {**KINDS[-1], "products": [product("=cmd|'/C calc'!A0 Peanut Butter", "Halewick", 5.0)]}]
    source = write_catalogue(folder / "catalogue", odd, SCRIPTS_OF)
    counts = bench_data(source, folder / "out", HashEncoder(), DataOptions(TAU), ShopOptions(), quiet=True)
    return source, folder / "out", counts


def rows(path):
    return [line.data for line in read_lines(path, ())]


def sheet(folder):
    with (folder / SHEET).open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def write_marks(path, folder, marks_of, drop=()):
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.DictWriter(file, COLUMNS)
        out.writeheader()
        for row in sheet(folder):
            if row["id"] not in drop:
                out.writerow({**row, **dict(zip(ANNOTATORS, marks_of(row["id"]), strict=True))})
    return path


def test_every_product_is_aligned_with_its_step(made):
    _, out, counts = made
    encoder, scripts = HashEncoder(), rows(out / SCRIPTS)
    assert counts["scripts"] == len(scripts) == 18
    with_products = 0
    for one in scripts:
        for step in one["steps"]:
            mixed = STEP_SHARE * encoder.encode([step["step"]])[0] + (1 - STEP_SHARE) * encoder.encode([one["objective"]])[0]
            cosines = [float(mixed / np.linalg.norm(mixed) @ encoder.encode([p["intention"]])[0]) for p in step["products"]]
            np.testing.assert_allclose([p["cosine"] for p in step["products"]], cosines, atol=2e-3)
            assert all(p["cosine"] >= TAU for p in step["products"]) and len(step["products"]) <= 3
            assert [p["cosine"] for p in step["products"]] == sorted((p["cosine"] for p in step["products"]), reverse=True)
            with_products += bool(step["products"])
    assert counts["steps_with_products"] == with_products > 18
    tent = next(s for s in scripts[0]["steps"] if s["step"] == "sleep dry on a camping weekend")
    assert "Tent" in tent["products"][0]["title"]


def test_candidates_say_how_they_were_made_and_the_sheet_does_not(made):
    _, out, counts = made
    items = {task: rows(out / f"{task}.jsonl") for task in TASKS}
    assert {task: counts[task] for task in TASKS} == {task: len(found) for task, found in items.items()}
    ways = {task: {row["made"] for row in found} for task, found in items.items()}
    assert ways == {
        "t1": {"as written", "steps exchanged", "step of another script"},
        "t2": {"aligned", "below tau"},
        "t3": {"aligned", "one replaced"},
    }
    scripts = {row["id"]: row for row in rows(out / SCRIPTS)}
    for row in items["t1"]:
        written = [step["step"] for step in scripts[row["script"]]["steps"]]
        assert (row["steps"] == written) == (row["made"] == "as written")
    for row in items["t2"]:
        assert (row["cosine"] >= TAU) == (row["made"] == "aligned")
    written = (out / SHEET).read_text(encoding="utf-8-sig")
    assert not any(way in written for found in ways.values() for way in found)
    assert [row["id"] for row in sheet(out)] == [row["id"] for task in TASKS for row in items[task]]


def test_no_cell_is_a_formula(made):
    _, out, _ = made
    cells = [cell for row in sheet(out) for cell in row.values()]
    assert any("=cmd" in cell for cell in cells)
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))]


def test_the_majority_labels_and_agreement_is_measured(made, tmp_path):
    _, out, counts = made
    unfinished = sheet(out)[0]["id"]

    def marks(key):
        if key == unfinished:
            return ("yes", "", "no")
        return {"t1": ("Yes", "1", "no"), "t2": ("no", "n", "0"), "t3": ("yes", "y", "TRUE") if key.endswith("1") else ("no",) * 3}[key[:2]]

    found = read_sheet(write_marks(tmp_path / "back.csv", out, marks), out)
    assert found["t1"] == {"items": counts["t1"] - 1, "unfinished": 1, "share_yes": 1.0, "kappa": -0.5}
    assert found["t2"]["share_yes"] == 0 and found["t2"]["kappa"] is None
    assert found["t3"]["kappa"] == 1.0
    for task in TASKS:
        labelled = read_items(out / f"{task}.labelled.jsonl", task)
        assert len(labelled) == found[task]["items"]
        assert all((item.error == "none") == bool(item.label) for item in labelled)
    assert {item.label for item in read_items(out / "t3.labelled.jsonl", "t3")} == {0, 1}


def test_a_sheet_without_some_rows_or_without_any_mark(made, tmp_path):
    _, out, counts = made
    dropped = {row["id"] for row in sheet(out)[:2]}
    found = read_sheet(write_marks(tmp_path / "back.csv", out, lambda _: ("yes", "no", "no"), dropped), out)
    assert found["t1"]["unfinished"] == 2
    found = read_sheet(write_marks(tmp_path / "empty.csv", out, lambda _: ("", " ", "")), out)
    assert found["t2"] == {"items": 0, "unfinished": counts["t2"], "share_yes": None, "kappa": None}


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda text: text.replace("t1-00001", "t1-99999", 1), r"row 2: the id 't1-99999' is of no candidate\. Use the annotate.csv"),
        (lambda text: text.replace("t1-00002", "t1-00001", 1), r"the id 't1-00001' is twice in the sheet"),
        (lambda text: text.replace("yes,no,no", "perhaps,no,no", 1), r"row 2, annotator_1: 'perhaps' is no mark\. Write yes or no"),
        (lambda text: text.replace("annotator_3", "third", 1), r"has no column 'annotator_3'\. Keep the columns"),
        (lambda text: "", r"has no column 'id'"),
        (lambda text: text.replace("yes", "\udcff", 1), r"cannot be read .*utf-8.* Name the filled-in"),
    ],
)
def test_a_sheet_that_cannot_be_used(made, tmp_path, change, sentence):
    _, out, _ = made
    path = write_marks(tmp_path / "back.csv", out, lambda _: ("yes", "no", "no"))
    path.write_text(change(path.read_text(encoding="utf-8")), encoding="utf-8", errors="surrogateescape")
    with pytest.raises(InputError, match=sentence):
        read_sheet(path, out)


def test_the_same_seed_makes_the_same_data(made, tmp_path):
    source, out, _ = made
    bench_data(source, tmp_path, HashEncoder(), DataOptions(TAU), ShopOptions(), quiet=True)
    for path in out.glob("*[a-z0-9].jsonl"):
        if "labelled" not in path.name:
            assert (tmp_path / path.name).read_bytes() == path.read_bytes()


def test_a_catalogue_without_scripts_gets_those_that_lend_knowledge(made, tiny_source, tmp_path):
    source = write_lines(tmp_path / "kinds.jsonl", KINDS)
    options = DataOptions(TAU, scripts=2, items=3)
    counts = bench_data(source, tmp_path / "out", HashEncoder(), options, ShopOptions(knowledge=tiny_source), quiet=True)
    assert counts["scripts"] == 2 and max(counts[task] for task in TASKS) <= 3


def test_nothing_near_is_said(tiny_source, tmp_path):
    with pytest.raises(CatalogError, match=r"No step of 3 scripts is as near as 0\.99 .* Choose a smaller --tau"):
        bench_data(tiny_source, tmp_path, HashEncoder(), DataOptions(0.99), ShopOptions(), quiet=True)


def test_the_command_line_makes_and_reads(tiny_source, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(command_line, "open_encoder", lambda name, threads: HashEncoder())
    out = str(tmp_path / "out")
    assert main(["bench-data", "--catalog", str(tiny_source), "--out", out, "--tau", "0.2", "--quiet"]) == 0
    assert json.loads(capsys.readouterr().out)["t1"] == 3
    back = write_marks(tmp_path / "back.csv", tmp_path / "out", lambda _: ("yes", "yes", "no"))
    assert main(["bench-data", "--read", str(back), "--out", out]) == 0
    assert json.loads(capsys.readouterr().out)["t1"]["items"] == 3
    assert main(["bench-data", "--read", str(tmp_path / "none.csv"), "--out", out]) == 2
    assert "none.csv cannot be read" in capsys.readouterr().err
    for wrong in ("nan", "1", "-0.1", "much"):
        with pytest.raises(SystemExit):
            main(["bench-data", "--out", out, "--tau", wrong])


def test_an_index_that_was_aligned_is_one_of_the_catalogue(made):
    source, out, _ = made
    index_titles = {p["title"] for k in rows(source / "kinds" / "outdoors.jsonl") for p in k["products"]}
    index_titles |= {p["title"] for k in rows(source / "kinds" / "home.jsonl") for p in k["products"]}
    shown = {p["title"] for one in rows(out / SCRIPTS) for step in one["steps"] for p in step["products"]}
    assert shown <= index_titles
