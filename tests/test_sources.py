import json

import pytest
from fakes import KINDS, SCRIPTS, kind, product, write_catalogue, write_lines
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ecomscript.config import DEMO_CATALOG
from ecomscript.errors import CatalogError
from ecomscript.folders import fingerprint
from index_build.sources import read_catalogue
from index_build.stats import stats

ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def with_product(**changes):
    return [kind("cake tin", "🎂", ["bake a cake"], [{**product("Springform Tin", "Pallamere"), **changes}])]


def without_field(name):
    rows = with_product()
    del rows[0]["products"][0][name]
    return rows


def test_reads_kinds_products_intentions_and_scripts(tiny_source):
    catalogue = read_catalogue(tiny_source)
    assert [k.name for k in catalogue.kinds] == [k["kind"] for k in KINDS[3:] + KINDS[:3]]  # file names in order
    tent = next(p for p in catalogue.products if p.kind == "family tent")
    assert (tent.brand, tent.price_usd, tent.rating, tent.rating_count) == ("Cairnfold", 149.0, 4.4, 120)
    assert tent.attributes == {"capacity_people": 4, "season": ("spring", "summer")}
    leads_to = dict(zip((i.text for i in catalogue.intentions), catalogue.products_of_intention, strict=True))
    assert {catalogue.products[n].kind for n in leads_to["sleep dry on a camping weekend"]} == {"family tent"}
    assert len(leads_to["sleep dry on a camping weekend"]) == 2 and len(leads_to["camp as a couple on a small budget"]) == 1
    assert [s.objective for s in catalogue.scripts] == [s["objective"] for s in SCRIPTS]


def test_the_same_intention_of_two_kinds_is_one_row(tmp_path):
    rows = [kind(name, "🎂", ["bake a cake"], [product(name, "Pallamere")]) for name in ("cake tin", "oven dish")]
    catalogue = read_catalogue(write_lines(tmp_path / "kinds.jsonl", rows))
    assert [rows.tolist() for rows in catalogue.products_of_intention] == [[0, 1]]


def test_order_of_rows_changes_no_id(tmp_path, tiny_source):
    turned = read_catalogue(write_catalogue(tmp_path, KINDS[::-1], SCRIPTS[::-1]))
    straight = read_catalogue(tiny_source)
    for rows, name in (("products", "product_id"), ("intentions", "intention_id"), ("scripts", "script_id")):
        first, second = ({getattr(row, name) for row in getattr(c, rows)} for c in (turned, straight))
        assert first == second


@pytest.mark.parametrize("field", ["price", "rating", "ratings", "features", "attributes", "intentions", "brand"])
def test_what_users_may_leave_out(tmp_path, field):
    for name, rows in (("null", with_product(**{field: None})), ("absent", without_field(field))):
        (found,) = read_catalogue(write_lines(tmp_path / f"{name}.jsonl", rows)).products
        assert found.title == "Springform Tin"
        if field in {"price", "rating"}:
            assert getattr(found, {"price": "price_usd"}.get(field, field)) is None


@pytest.mark.parametrize(
    ("changes", "field", "found"),
    [
        ({"title": " "}, "title", "' '"),
        ({"title": None}, "title", "nothing"),
        ({"title": ["a"]}, "title", "['a']"),
        ({"title": "Tin\x00"}, "title", r"'Tin\x00'"),
        ({"title": "Tin\ud800"}, "title", r"'Tin\ud800'"),
        ({"price": "12"}, "price", "'12'"),
        ({"price": -1}, "price", "-1"),
        ({"price": float("nan")}, "price", "nan"),
        ({"price": float("inf")}, "price", "inf"),
        ({"price": True}, "price", "True"),
        ({"price": 10**400}, "price", "1000000"),
        ({"rating": 6}, "rating", "6"),
        ({"ratings": -3}, "ratings", "-3"),
        ({"features": "Washable"}, "features", "'Washable'"),
        ({"features": ["ok", ""]}, "features", "['ok', '']"),
        ({"attributes": []}, "attributes", "[]"),
        ({"attributes": {"power_w": float("nan")}}, "attributes.power_w", "nan"),
        ({"attributes": {"power_w": {"a": 1}}}, "attributes.power_w", "{'a': 1}"),
        ({"url": "javascript:alert(1)"}, "url", "'javascript:alert(1)'"),
        ({"image": 5}, "image", "5"),
    ],
)
def test_a_bad_field_is_named_with_file_and_line(tmp_path, changes, field, found):
    path = write_lines(tmp_path / "tins.jsonl", KINDS[:1])
    with path.open("a", encoding="utf-8") as lines:
        lines.write(json.dumps(with_product(**changes)[0]) + "\n")
    with pytest.raises(CatalogError) as caught:
        read_catalogue(path)
    message = str(caught.value)
    assert message.startswith(f"tins.jsonl, line 2, field products[0].{field}: expected ")
    assert f"found {found}" in message and message.endswith("Correct that line and build again.")
    assert "\x00" not in message and message.isprintable()


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (b'{"kind": "cake', "not JSON"),
        (b"[1, 2]", "expected an object"),
        (b'{"kind": "caf\xe9"}', "not UTF-8"),
        (b"\x00\x00", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"9" * 10_000, "not JSON"),
    ],
)
def test_a_broken_line_is_named(tmp_path, line, problem):
    path = write_lines(tmp_path / "tins.jsonl", KINDS[:1])
    path.write_bytes(path.read_bytes() + b"\n" + line + b"\n")  # an empty line counts, and is skipped
    with pytest.raises(CatalogError, match=f"tins.jsonl, line 3: {problem}"):
        read_catalogue(path)


def test_a_byte_order_mark_is_no_error(tmp_path):
    path = write_lines(tmp_path / "tins.jsonl", KINDS)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert len(read_catalogue(path).kinds) == len(KINDS)


@pytest.mark.parametrize(
    ("kinds", "scripts", "message"),
    [
        ([*KINDS, KINDS[0]], SCRIPTS, "field kind: 'family tent' is in the catalogue already"),
        ([*KINDS, kind("tent", "⛺", ["camp"], KINDS[0]["products"])], SCRIPTS, "field products\\[0\\].title: 'Cairnfold Meadow"),
        ([*KINDS, kind("tent", "⛺", ["camp"], [])], SCRIPTS, "field products: expected a list of at least 1 objects"),
        ([*KINDS, kind("tent", "⛺", [], [product("T", "C")])], SCRIPTS, "field products\\[0\\].intentions: expected at least one"),
        (KINDS, [*SCRIPTS, SCRIPTS[0]], "all.jsonl, line 4, field objective: .* is in the library already"),
        (KINDS, [{**SCRIPTS[0], "steps": []}], "field steps: expected a list of at least 1"),
        (KINDS, [{**SCRIPTS[0], "steps": [{"text": "Fly", "needs": ["jet pack"]}]}], "field steps\\[0\\].needs: 'jet pack' is no kind"),
        (KINDS, [{**SCRIPTS[0], "steps": [{"text": "", "needs": []}]}], "field steps\\[0\\].text: expected a non-empty text"),
        (KINDS, [{**SCRIPTS[0], "flawed": [{"error": "dull"}]}], "field flawed\\[0\\].error: 'dull' is unknown"),
    ],
)
def test_rows_that_contradict_each_other(tmp_path, kinds, scripts, message):
    with pytest.raises(CatalogError, match=message):
        read_catalogue(write_catalogue(tmp_path, kinds, scripts))


def test_nothing_there(tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty.jsonl").touch()
    for name, cause in (("no", "There is no catalogue"), ("empty", "holds no catalogue"), ("empty.jsonl", "holds no catalogue")):
        with pytest.raises(CatalogError, match=cause):
            read_catalogue(tmp_path / name)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(field=st.sampled_from(sorted(KINDS[0]) + sorted(KINDS[0]["products"][0])), value=ANY_JSON)
def test_any_json_value_is_used_or_refused_in_words(tmp_path, field, value):
    row = json.loads(json.dumps(KINDS[0]))
    (row if field in row and field != "intentions" else row["products"][0])[field] = value
    path = tmp_path / "any.jsonl"
    path.write_text(json.dumps(row), encoding="utf-8")
    try:
        read_catalogue(path)
    except CatalogError as error:
        assert "any.jsonl, line 1" in str(error) or "no catalogue" in str(error)


def test_fingerprint_follows_names_and_contents(catalogue_dir, tiny_source):
    before = fingerprint(catalogue_dir)
    assert before == fingerprint(tiny_source)
    (catalogue_dir / "notes.md").write_text("not catalogue")
    assert fingerprint(catalogue_dir) == before
    path = catalogue_dir / "kinds" / "home.jsonl"
    path.write_text(path.read_text(encoding="utf-8").replace("Pallamere", "Palomere"), encoding="utf-8")
    changed = fingerprint(catalogue_dir)
    path.rename(path.with_name("house.jsonl"))
    assert len({before, changed, fingerprint(catalogue_dir)}) == 3


def test_stats_count(tiny_source):
    counts = stats(tiny_source)
    assert (counts["kinds"], counts["products"], counts["scripts"], counts["wordings"], counts["steps"]) == (6, 9, 3, 9, 9)
    assert counts["sha256"] == fingerprint(tiny_source)


def test_the_demo_catalogue_is_sound():
    catalogue = read_catalogue(DEMO_CATALOG)
    assert all(p.price_usd and p.rating and p.features for p in catalogue.products)
    assert all(3 <= len(s.steps) <= 12 and s.needs and len(s.aliases) >= 3 for s in catalogue.scripts)
