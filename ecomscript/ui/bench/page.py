"""Exhibit → HTML of the Benchmark tab and of the report, as pure functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

from ecomscript.evaluation.exhibit import Exhibit, Plot, Source
from ecomscript.ui import texts
from ecomscript.ui.bench.cases import cases_html
from ecomscript.ui.bench.svg import legend_html, plot_svg
from ecomscript.ui.bench.tables import heat_html, table_html
from ecomscript.ui.markup import escape, items

TAB = "bench"
"""Name of the tab in links."""
_COMMIT, _HASH = 8, 12
"""Signs of a commit and of a data hash that are shown."""


def exhibit_link(key: str) -> str:
    """Return the query that opens the tab at an experiment, such as ``?tab=bench&exp=threshold``."""
    return "?" + urlencode({"tab": TAB, "exp": key})


def index_html(titles: Mapping[str, str], current: str) -> str:
    """Return the list of what the tab holds, with the key that is shown marked; it is also said to screen readers.

    Args:
        titles: Key → title, in order.
        current: Key of what is shown; "" when nothing is yet.
    """
    entries = []
    for key, title in titles.items():
        mark = ' aria-current="page"' if key == current else ""
        entries.append(f'<a href="{escape(exhibit_link(key))}" data-exp="{escape(key)}"{mark}>{escape(title)}</a>')
    shown = escape(texts.BENCH_SHOWING.format(title=titles[current])) if current in titles else ""
    said = f'<p class="es-sr" role="status">{shown}</p>'
    return f'<nav aria-label="{texts.BENCH_INDEX}">{items(entries, "es-index-list")}</nav>{said}'


def exhibit_html(exhibit: Exhibit, ident: str = "x", live: bool = True) -> str:
    """Return one experiment: question, finding, what was measured, and how it was made.

    Args:
        exhibit: What to show.
        ident: Start of the ids in it, unique on the page.
        live: Whether there is a script to sort and filter it; the report has none.
    """
    copy = f'<button type="button" class="es-textbutton" data-link="{escape(exhibit_link(exhibit.key))}">{texts.COPY_LINK}</button>'
    finding = f'<p class="es-finding">{escape(exhibit.finding)}</p>' if exhibit.finding else ""
    head = (
        f'<header><div class="es-title-row"><h2 id="{ident}">{escape(exhibit.title)}</h2>{copy if live else ""}</div>'
        f'<p class="es-question">{escape(exhibit.question)}</p>{finding}</header>'
    )
    measured = _measured(exhibit, ident, live) if has_numbers(exhibit) else _not_run(exhibit)
    notes = items(map(escape, exhibit.notes), "es-notices")
    notes = f'<section class="es-notes"><h3>{texts.BENCH_NOTES}</h3>{notes}</section>' if notes else ""
    return f'<article class="es-exhibit" aria-labelledby="{ident}">{head}{measured}{notes}{_made(exhibit.sources)}</article>'


def has_numbers(exhibit: Exhibit) -> bool:
    """Return whether there is anything to show besides words."""
    drawn = any(series.x for plot in exhibit.plots for series in plot.series)
    return bool(drawn or exhibit.cases or any(t.rows for t in exhibit.tables) or any(h.values for h in exhibit.heat_maps))


def _measured(exhibit: Exhibit, ident: str, live: bool) -> str:
    tables = [table_html(table, f"{ident}-t{n}", f"{exhibit.key}-{table.name}.csv", live) for n, table in enumerate(exhibit.tables)]
    figures = "".join(_figure(plot, f"{ident}-p{n}") for n, plot in enumerate(exhibit.plots))
    heats = [heat_html(heat, f"{ident}-m{n}") for n, heat in enumerate(exhibit.heat_maps)]
    plots = f'<div class="es-figures">{figures}</div>' if figures else ""
    return "".join([plots, *tables, *heats, cases_html(exhibit.cases, live)])


def _figure(plot: Plot, ident: str) -> str:
    drawn = plot_svg(plot, ident)
    inside = f"{legend_html(plot)}{drawn}" if drawn else f'<p class="es-absent">{texts.BENCH_NO_NUMBERS}</p>'
    return f'<figure class="es-figure"><figcaption>{escape(plot.title)}</figcaption>{inside}</figure>'


def _not_run(exhibit: Exhibit) -> str:
    commands = "".join(_command(source) for source in exhibit.sources)
    how = f"<p>{texts.BENCH_RUN_WITH}</p>{commands}" if commands else ""
    return f'<section class="es-panel"><p class="es-not-run">{texts.BENCH_NOT_RUN}</p>{how}</section>'


def _made(sources: Sequence[Source]) -> str:
    entries = items(map(_source, sources), "es-sources")
    return f'<section class="es-made"><h3>{texts.BENCH_MADE}</h3>{entries}</section>' if entries else ""


def _source(source: Source) -> str:
    problem = f'<p class="es-problem">{escape(source.problem)}</p>' if source.problem else ""
    head, dash, state = source.commit.partition("-")
    facts = {
        "commit": (head[:_COMMIT] + dash + state, source.commit),
        "data": (source.data_sha256[:_HASH], source.data_sha256),
        "seeds": (", ".join(map(str, source.seeds)), ""),
        "created": (source.created.replace("T", " ").removesuffix("+00:00"), ""),
        "machine": (source.machine, ""),
    }
    told = ""
    for name, (text, whole) in facts.items():
        hint = f' title="{escape(whole)}"' if whole else ""
        told += f"<div><dt>{texts.BENCH_SOURCE_FIELDS[name]}</dt><dd{hint}>{escape(text or texts.BENCH_ABSENT)}</dd></div>"
    known = f'<dl class="es-facts-of">{told}</dl>' if any(text for text, _ in facts.values()) else ""
    return f"<h4>{escape(source.name)}</h4>{problem}{_command(source)}{known}"


def _command(source: Source) -> str:
    return f"<pre><code>{escape(source.command)}</code></pre>" if source.command else ""
