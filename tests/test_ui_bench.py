import base64
import csv
import io
import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from types import SimpleNamespace

import pytest
from bench_fakes import BOARD, CASES, COLUMNS, DROP, EXHIBITS, GAP, HITS, HOSTILE_EXHIBITS, SOURCE, SWEEP
from test_ui_render import Tags
from ui_fakes import HOSTILE, FakePipeline, describe

from ecomscript.evaluation.exhibit import Column, Exhibit, HeatMap, Plot, Series, Table
from ecomscript.ui import texts
from ecomscript.ui.bench.axis import Axis, axis_over
from ecomscript.ui.bench.cases import PRINTED, SHOWN, cases_html
from ecomscript.ui.bench.client import EXHIBIT_JS, INDEX_JS
from ecomscript.ui.bench.page import exhibit_html, exhibit_link, index_html
from ecomscript.ui.bench.points import described, points_of
from ecomscript.ui.bench.report import report_html
from ecomscript.ui.bench.svg import legend_html, plot_svg
from ecomscript.ui.bench.tab import BENCH_STYLESHEET, BenchTab
from ecomscript.ui.bench.tables import heat_html, table_csv, table_html
from ecomscript.ui.bench.values import interval, interval_words, number, short, tick, written
from ecomscript.ui.page import build_ui
from ecomscript.ui.theme import STYLESHEET

NAN = float("nan")
SVG = "{http://www.w3.org/2000/svg}"


class Markup(Tags):
    """Knows the tags of pictures and forms as well."""

    def handle_starttag(self, tag, attrs):
        super().handle_starttag(tag, attrs)
        if tag in {"meta", "input"} and self.open[-1:] == [tag]:
            self.open.pop()

    def handle_startendtag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))


def found(markup, tag, **wanted):
    """Return the attributes of the tags that have all of ``wanted``; a name's underscores stand for hyphens."""
    pairs = {(name.replace("_", "-").removesuffix("-"), value) for name, value in wanted.items()}
    return [attrs for t, attrs in Markup(markup).found if t == tag and pairs <= attrs.items()]


def picture(plot):
    svg = plot_svg(plot, "p")
    return ET.fromstring(svg.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1))


def drawn(plot, css):
    return [node for node in picture(plot).iter() if node.get("class") == css]


@pytest.mark.parametrize(
    ("value", "kind", "words"),
    [
        (0.8841, "number", "0.884"),
        (-0.05, "number", "−0.050"),
        (1234, "count", "1,234"),
        (12.5, "count", "12.5"),
        (0.8123, "share", "81.2%"),
        (0.0121, "seconds", "0.012 s"),
        (0.00012, "seconds", "0.00012 s"),
        (1234.56, "seconds", "1,234.6 s"),
        (0.0, "seconds", "0.000 s"),
        (5, "text", "5"),
        (0.45, "text", "0.45"),
        (True, "number", "True"),
        ("n/a", "number", "n/a"),
        (None, "number", "—"),
        ("", "text", "—"),
        (NAN, "share", "—"),
        (float("inf"), "text", "—"),
    ],
)
def test_values_are_written_by_their_kind(value, kind, words):
    assert written(value, kind) == words


def test_only_finite_numbers_are_numbers():
    assert [number(v) for v in (1, 0.5, NAN, float("-inf"), True, "1", None, [1])] == [1.0, 0.5, None, None, None, None, None, None]


@pytest.mark.parametrize("ends", [None, "ab", [0.4], [0.4, NAN], [0.6, 0.4], [None, 0.5], ["0.4", 0.6], 0.5, [0.1, 0.2, 0.3]])
def test_what_is_no_interval_is_left_out(ends):
    assert interval({"auc_ci95": ends}, COLUMNS[3]) is None
    row = {"model": "x", "auc": 0.5, "auc_ci95": ends}
    assert "es-ends" not in table_html(replace(BOARD, rows=(row,)), "t", "f.csv")


def test_intervals_are_short():
    assert interval_words((0.514, 0.684), "number") == "[.51, .68]"
    assert interval_words((-0.05, 1.2), "number") == "[−.05, 1.20]"
    assert interval_words((0.514, 0.684), "share") == "[51, 68]"
    assert (tick(0.30000000000000004), tick(12000), short(0.12345), short(-4567.8)) == ("0.3", "12,000", "0.123", "−4,568")


def test_axes_have_round_ends_and_ticks():
    axis = axis_over([0.312, 0.684], 0, 100)
    assert (axis.low, axis.high) == (pytest.approx(0.3), pytest.approx(0.7))
    assert axis.ticks(5) == pytest.approx([0.3, 0.4, 0.5, 0.6, 0.7])
    assert (axis.at(axis.low), axis.at(axis.high), axis.inside(9), axis.holds(0.2)) == (0, 100, axis.high, False)
    assert Axis(0, 7, 200, 20).at(7) == 20
    for same in ([], [0.0], [5.0, 5.0], [-3.0]):
        flat = axis_over(same, 0, 1)
        assert flat.low < flat.high and all(flat.holds(v) for v in same)


def test_a_table_keeps_what_sorting_and_filtering_need():
    markup = table_html(BOARD, "t", "board.csv")
    heads = found(markup, "th", scope="col")
    assert [h.get("data-first") for h in heads] == [
        "ascending",
        "ascending",
        "descending",
        "descending",
        "descending",
        "ascending",
        "descending",
    ]
    assert {h["aria-sort"] for h in heads} == {"none"}
    assert [h.get("data-better") for h in heads[3:6]] == ["higher", "higher", "lower"]
    assert [row["data-baseline"] for row in found(markup, "tr", class_="is-baseline")] == ["majority"] * 2 + ["random"] * 2
    cells = [attrs.get("data-v") for attrs in found(markup, "td") if "is-number" in (attrs.get("class") or "")]
    assert cells[1] == "0.5" and cells[-4:] == [None, None, None, "12.5"]
    assert [o["value"] for o in found(markup, "option")] == ["", "all", "outdoors"]
    assert found(markup, "select", data_filter="1") and found(markup, "input", type="search")
    assert found(markup, "div", role="region", tabindex="0", aria_labelledby="t")
    (tip,) = found(markup, "button", aria_label="What “ECE” means")
    assert found(markup, "div", id=tip["aria-describedby"], role="tooltip")


def test_the_best_values_are_marked_and_absent_ones_never_are():
    best = re.findall(r'is-best" data-v="([\d.]+)"', table_html(BOARD, "t", "f"))
    assert best == ["0.8841", "0.81", "0.0312"]
    alone = replace(BOARD, rows=({"model": "a", "auc": 0.7}, {"model": "b", "auc": NAN}, {"model": "c", "auc": "0.9"}))
    assert "is-best" not in table_html(alone, "t", "f")
    assert texts.BENCH_LEGEND_BEST not in table_html(alone, "t", "f")
    assert Markup(table_html(alone, "t", "f")).text.count("—") == 5 + 6 + 5 + 1  # three rows and the key


def test_an_interval_is_drawn_on_the_scale_of_its_table():
    column = Column("auc", "AUC", interval="ci")
    table = Table("t", "T", (Column("m", "M", "text"), column), ({"m": "a", "auc": 0.7, "ci": [0.6, 0.9]},), scale=(0.5, 1.0))
    assert '<path class="es-whisker" d="M18.6 5H65.4"/><circle cx="34.2"' in table_html(table, "t", "f")
    outside = table_html(replace(table, scale=(0.65, 1.0)), "t", "f")
    assert "es-whisker" not in outside and "[.60, .90]" in outside


def test_a_small_table_has_no_tools_and_an_empty_one_says_so():
    assert "es-tools" not in table_html(replace(BOARD, rows=BOARD.rows[:5]), "t", "f")
    assert "data-filter" not in table_html(replace(BOARD, rows=BOARD.rows[::2]), "t", "f")
    assert "data-filter" not in table_html(replace(BOARD, filters=("no such column",)), "t", "f")
    assert texts.BENCH_NOT_RUN in table_html(replace(BOARD, rows=()), "t", "f")


def test_the_csv_has_every_digit_and_no_formula():
    rows = list(csv.DictReader(io.StringIO(table_csv(BOARD))))
    assert rows[10] == {
        "model": "shipped",
        "domain": "all",
        "items": "649",
        "auc": "0.8841",
        "auc_low": "0.8441",
        "auc_high": "0.9141",
        "accuracy": "0.81",
        "accuracy_low": "0.775",
        "accuracy_high": "0.845",
        "ece": "0.0312",
        "time": "0.0119",
    }
    assert [rows[12][name] for name in ("auc", "auc_low", "accuracy", "ece")] == [""] * 4
    bad = replace(BOARD, rows=({"model": "=1+1", "domain": "-x", "auc": NAN, "ece": -0.5},))
    (row,) = csv.DictReader(io.StringIO(table_csv(bad)))
    assert (row["model"], row["domain"], row["auc"], row["ece"]) == ("'=1+1", "'-x", "", "-0.5")
    (link,) = found(table_html(BOARD, "t", "board.csv"), "a", download="board.csv")
    assert base64.b64decode(link["href"].partition("base64,")[2]).decode("utf-8-sig") == table_csv(BOARD)


def test_heat_maps_know_losses_from_gains():
    markup = heat_html(DROP, "h")
    cells = found(markup, "td")
    assert len(cells) == 1 + 49
    assert {c.get("class") for c in cells} == {None, "is-loss", "is-gain"}
    assert found(markup, "td", class_="is-loss", style="--share:100%")
    assert Markup(markup).text.count("—") == 7
    assert "−0.17" in markup
    level = heat_html(HeatMap("x", ("a",), ("b", "c"), ((0.5, 0.9),)), "h")
    assert re.findall("--share:(.*?)%", level) == ["0", "100"]
    assert texts.BENCH_NOT_RUN in heat_html(HeatMap("x", ("a",), ("b",), ((None,),)), "h")
    assert len(found(heat_html(HeatMap("x", ("a", "b"), ("c",), ((1.0, 2.0, 3.0),)), "h"), "td")) == 2


@pytest.mark.parametrize("plot", [SWEEP, GAP, HITS, *(p for e in HOSTILE_EXHIBITS for p in e.plots)])
def test_pictures_are_well_formed_and_told(plot):
    root = picture(plot)
    ids = {node.get("id"): node.text for node in root.iter() if node.get("id")}
    assert root.get("role") == "img"
    assert ids[root.get("aria-labelledby")] == plot.title
    assert all(series.name in ids[root.get("aria-describedby")] for series in plot.series)
    assert plot.y_label in "".join(root.itertext())
    width, height = map(float, root.get("viewBox").split()[2:])
    places = [(float(t.get("x")), float(t.get("y"))) for t in root.iter(f"{SVG}text")]
    assert all(0 <= x <= width and 0 <= y <= height for x, y in places)
    assert not re.search(r"nan|inf|#[0-9a-f]{3}", ET.tostring(root, encoding="unicode").replace(plot.title, "").lower().split("<desc")[0])


def test_a_gap_breaks_the_line_and_an_interval_makes_a_band():
    lines = [node.get("d") for node in drawn(SWEEP, "es-line-path")]
    assert len(lines) == 1 + 2 + 1
    assert [d.count("L") + 1 for d in lines] == [13, 8, 4, 13]
    assert len(drawn(SWEEP, "es-band")) == 1
    assert [t.text for t in picture(SWEEP).iter(f"{SVG}title")][1] == "0.3: 0.41 [.37, .44]"
    assert "paper: .45" in plot_svg(SWEEP, "p") and "es-mark" not in plot_svg(replace(SWEEP, mark=(0.9, "out")), "p")


def test_bars_begin_at_zero_and_show_what_is_absent():
    bars = drawn(HITS, "es-bar-area")
    assert len(bars) == 9
    assert len({bar.get("x") for bar in bars}) == 1
    widths = [float(bar.get("width")) for bar in bars]
    assert widths[0] / widths[2] == pytest.approx(0.31 / 0.42, abs=0.01)
    assert texts.BENCH_ABSENT in [t.text for t in picture(HITS).iter(f"{SVG}text")]
    loss, gain = drawn(Plot("t", "bars", "x", "y", (Series("s", ("a", "b"), (-0.2, 0.1)),)), "es-bar-area")
    assert float(loss.get("x")) + float(loss.get("width")) == pytest.approx(float(gain.get("x")), abs=0.2)
    assert float(loss.get("width")) == pytest.approx(2 * float(gain.get("width")), abs=0.2)


def test_histograms_stand_on_zero():
    high = Plot("t", "histogram", "x", "y", (Series("s", (0.0, 0.5, 1.0), (0.5, 0.6, 0.5)),))
    assert "0" in [t.text for t in picture(high).iter(f"{SVG}text")]
    assert len(drawn(high, "es-band")) == 1


@pytest.mark.parametrize("form", ["lines", "bars", "histogram"])
def test_odd_series_are_drawn_as_far_as_they_go(form):
    odd = (Series("short", (0.1, 0.2, 0.3), (0.5,)), Series("words", ("a", NAN, None), (1, "x", NAN)), Series("empty", (), ()))
    assert picture(Plot("t", form, "x", "y", odd)).tag == f"{SVG}svg"
    assert picture(Plot("t", form, "x", "y", (Series("one", (0.5,), (0.5,), (0.4,), (0.6,)),), y_range=(0.0, 1.0))).tag == f"{SVG}svg"
    assert plot_svg(Plot("t", form, "x", "y", (Series("none", (0.1,), (None,)),)), "p") == ""
    assert plot_svg(Plot("t", form, "x", "y", ()), "p") == ""


def test_long_series_are_told_by_their_ends():
    long = Plot("t", "lines", "x", "y", (Series("s", range(50), [n / 50 for n in range(50)]),))
    assert described(long, [points_of(s) for s in long.series]) == "y by x. s: 0: 0; 49: 0.98."
    assert "es-sign" not in plot_svg(long, "p")


def test_a_legend_only_where_there_is_something_to_tell_apart():
    assert len(found(legend_html(SWEEP), "li")) == 3
    assert legend_html(replace(SWEEP, series=SWEEP.series[:1])) == ""


def test_cases_come_in_parts_and_carry_their_facets():
    markup = cases_html(CASES)
    cases = found(markup, "details")
    assert len(cases) == 75 and len([c for c in cases if "hidden" in c]) == 75 - SHOWN
    assert (cases[1]["data-f0"], cases[1]["data-f1"]) == ("T2", "semantic drift")
    assert [o["value"] for o in found(markup, "option")] == ["", "T1", "T2", "T3", "", "product conflict", "semantic drift"]
    assert "hidden" in found(cases_html(CASES[:3]), "button")[0]
    assert cases_html(()) == ""
    assert cases_html(CASES, live=False).count("<h4>") == PRINTED


def test_every_exhibit_is_well_formed_and_made_of_known_tags():
    allowed = {*"article header section div p h2 h3 h4 ul li dl dt dd pre code a button label input select option span".split()}
    allowed |= {*"table thead tbody tr th td figure figcaption svg path rect circle text title desc g clippath details summary".split()}
    for exhibit in (*EXHIBITS, *HOSTILE_EXHIBITS):
        for live in (True, False):
            tags = Markup(exhibit_html(exhibit, live=live))
            assert {tag for tag, _ in tags.found} <= allowed
            assert not [name for _, attrs in tags.found for name in attrs if name.startswith("on")]
            ids = [attrs["id"] for _, attrs in tags.found if "id" in attrs]
            assert len(ids) == len(set(ids))
            pointed = [a[name] for _, a in tags.found for name in ("aria-labelledby", "aria-describedby") if name in a]
            assert set(pointed) <= set(ids)


@pytest.mark.parametrize("n", range(len(HOSTILE)))
def test_hostile_texts_are_shown_as_they_are(n):
    text, markup = HOSTILE[n], exhibit_html(HOSTILE_EXHIBITS[n])
    tags = Markup(markup)
    assert tags.text.count(text) > 20
    assert "img" not in {tag for tag, _ in tags.found}
    assert all(a["href"].startswith(("data:text/csv", "?tab=bench")) for tag, a in tags.found if tag == "a")
    assert text in Markup(index_html({text: text}, text)).text


def test_an_exhibit_tells_where_its_numbers_come_from():
    words = Markup(exhibit_html(EXHIBITS[2])).text
    for part in (
        SOURCE.command,
        "690bb7fd-dirty",
        "3a98ba017d37",
        "0, 1, 2",
        "2026-11-29 14:31:03",
        SOURCE.machine,
        "is not JSON (line 3)",
    ):
        assert part in words
    assert SOURCE.data_sha256 not in words
    bare = exhibit_html(Exhibit("k", "t", "q", "", sources=(replace(SOURCE, commit="", data_sha256="", seeds=()),)))
    assert Markup(bare).text.count("—") == 3
    assert "es-finding" not in bare and EXHIBITS[0].finding in Markup(exhibit_html(EXHIBITS[0])).text


def test_what_was_not_run_says_so_with_its_command():
    markup = exhibit_html(EXHIBITS[5])
    assert texts.BENCH_NOT_RUN in markup
    assert Markup(markup).text.count("--task signals") == 2
    assert texts.BENCH_NOT_RUN not in exhibit_html(EXHIBITS[1])


def test_the_index_links_to_each_view_and_marks_the_current_one():
    markup = index_html({"a b&c": "First", "second": "Second"}, "second")
    links = found(markup, "a")
    assert (
        [a["href"] for a in links] == [exhibit_link("a b&c"), exhibit_link("second")] == ["?tab=bench&exp=a+b%26c", "?tab=bench&exp=second"]
    )
    assert [a.get("aria-current") for a in links] == [None, "page"]
    assert "Showing Second" in markup and "Showing" not in index_html({"a": "First"}, "")


def test_the_report_stands_alone():
    page = report_html((*EXHIBITS, *HOSTILE_EXHIBITS), (STYLESHEET, BENCH_STYLESHEET))
    assert page.startswith("<!doctype html>") and "@media print" in page
    assert not re.search(r"<(script|link|img|iframe)\b|url\((?!#)|@import|https?://", page)
    for exhibit in EXHIBITS:
        assert exhibit.title in page and exhibit.question in page
    assert "data-search" not in page.partition("</style>")[2]
    assert COLUMNS[3].help in Markup(page.partition("</head>")[2].removesuffix("</html>\n")).text
    ids = re.findall(r' id="(.*?)"', page.partition("</style>")[2])
    assert len(ids) == len(set(ids))


@pytest.fixture
def tab():
    import gradio as gr  # noqa: PLC0415

    with gr.Blocks():
        return BenchTab(EXHIBITS, lambda: gr.Markdown("here it is tried"))


def test_a_click_picks_a_page_that_was_drawn_at_start(tab):
    updates = tab.on_open("errors")
    assert updates[tab.exhibit] is tab.pages["errors"]
    assert found(updates[tab.index], "a", aria_current="page", data_exp="errors")
    assert updates[tab.try_it].visible is False
    assert tab.on_open("try-it")[tab.try_it].visible is True


@pytest.mark.parametrize("asked", [None, "", [], {}, ["errors"], {"exp": "errors"}, 5])
def test_without_a_key_the_first_experiment_is_shown(tab, asked):
    assert tab.on_open(asked)[tab.exhibit] == tab.pages["leaderboard"]


def test_an_unknown_key_is_named_and_escaped(tab):
    page = tab.on_open("<b>{x}" * 100)[tab.exhibit]
    assert page.endswith(tab.pages["leaderboard"])
    assert "There is no experiment “&lt;b&gt;{x}" in page and len(page) < len(tab.pages["leaderboard"]) + 1000


def test_only_a_link_to_the_tab_turns_to_it(tab):
    asked = [tab.on_load(SimpleNamespace(query_params=query)) for query in ({"tab": "bench"}, {"goal": "camp"}, {"tab": "about"})]
    assert asked[0].selected == "bench"
    assert [update == {"__type__": "update"} for update in asked[1:]] == [True, True]


def test_the_page_builds_without_any_experiment():
    config = build_ui(FakePipeline(), describe, {}, ()).get_config_file()
    assert [c["props"]["label"] for c in config["components"] if c["type"] == "tabitem"] == ["Plan", "Benchmark", "About"]


def test_scripts_take_their_words_from_the_texts():
    assert texts.BENCH_ROWS in EXHIBIT_JS and "innerHTML" not in EXHIBIT_JS + INDEX_JS


def test_the_style_sheet_survives_gradio():
    css = BENCH_STYLESHEET.read_text(encoding="utf-8").partition("*/")[2]
    assert not re.search(r":(is|not|where|has)\([^)]*,", css)
