"""Table and heat map → HTML; sorting, searching and filtering are done to this markup in the browser (see ``client``)."""

from __future__ import annotations

import base64
import csv
import io
from collections.abc import Mapping
from typing import Any

from ecomscript.evaluation.exhibit import Column, HeatMap, Table
from ecomscript.ui import texts
from ecomscript.ui.bench.axis import Axis
from ecomscript.ui.bench.values import interval, interval_words, number, short, written
from ecomscript.ui.export import csv_cell
from ecomscript.ui.markup import escape

FEW = 5
"""Up to how many rows a table is seen at a glance and needs no search and no filters."""
_LINE = 84
"""Width of the little interval lines."""


def table_html(table: Table, ident: str, file: str, live: bool = True) -> str:
    """Return a table with its tools.

    Args:
        table: What to show.
        ident: Start of the ids in it, unique on the page.
        file: Name of the CSV file.
        live: Whether there is a script to sort and filter it; the report has none.
    """
    title = f'<h3 id="{ident}">{escape(table.caption)}</h3>'
    if not table.rows or not table.columns:
        return f'<section class="es-table">{title}<p class="es-absent">{texts.BENCH_NOT_RUN}</p></section>'
    best = {column.key: _best(table, column) for column in table.columns}
    heads = "".join(_head(column, f"{ident}-h{n}", live) for n, column in enumerate(table.columns))
    rows = "".join(_row(table, row, best) for row in table.rows)
    grid = f'<table aria-labelledby="{ident}"><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>'
    scroll = f'<div class="es-scroll" role="region" tabindex="0" aria-labelledby="{ident}">{grid}</div>' if live else grid
    head = f'<div class="es-table-head">{title}{_csv_link(table, file) if live else ""}</div>'
    tools = _tools(table) if live else ""
    below = _legend(table, best) + ("" if live else _meanings(table))
    return f'<section class="es-table" data-box="table">{head}{tools}{scroll}{below}</section>'


def table_csv(table: Table) -> str:
    """Return the rows with every digit; an interval takes two columns and what is absent stays empty."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(
        [csv_cell(name) for c in table.columns for name in ([c.key, f"{c.key}_low", f"{c.key}_high"] if c.interval else [c.key])]
    )
    for row in table.rows:
        cells: list[Any] = []
        for column in table.columns:
            cells.append(_csv_value(row.get(column.key)))
            if column.interval:
                cells += interval(row, column) or ("", "")
        writer.writerow(cells)
    return out.getvalue()


def heat_html(heat: HeatMap, ident: str) -> str:
    """Return a grid whose cells are the darker the further their number is from the least one, or from 0 where there are losses.

    It is a table and not a picture, so that every number can be read out with its row and its column.
    """
    title = f'<h3 id="{ident}">{escape(heat.title)}</h3>'
    known = [v for row in heat.values for v in map(number, row) if v is not None]
    if not known:
        return f'<section class="es-heat">{title}<p class="es-absent">{texts.BENCH_NOT_RUN}</p></section>'
    low, high = min(known), max(known)
    heads = "".join(f'<th scope="col">{escape(name)}</th>' for name in heat.columns)
    rows = ""
    for name, values in zip(heat.rows, heat.values, strict=False):
        cells = "".join(_heat_cell(number(v), low, high) for v in values[: len(heat.columns)])
        rows += f'<tr><th scope="row">{escape(name)}</th>{cells}</tr>'
    grid = f'<table aria-labelledby="{ident}"><thead><tr><td></td>{heads}</tr></thead><tbody>{rows}</tbody></table>'
    scroll = f'<div class="es-scroll" role="region" tabindex="0" aria-labelledby="{ident}">{grid}</div>'
    return f'<section class="es-heat">{title}{scroll}</section>'


def select_html(label: str, attributes: str, options: Mapping[str, str]) -> str:
    """Return a labelled choice whose first option leaves everything in; ``options`` are value → words."""
    entries = "".join(f'<option value="{escape(value)}">{escape(words)}</option>' for value, words in options.items())
    return f'<label><span>{escape(label)}</span><select {attributes}><option value="">{texts.BENCH_ALL}</option>{entries}</select></label>'


def search_html() -> str:
    """Return a search box."""
    return f'<label><span>{texts.BENCH_SEARCH}</span><input type="search" data-search autocomplete="off"></label>'


def _head(column: Column, ident: str, live: bool) -> str:
    numeric = column.kind != "text"
    css = ' class="is-number"' if numeric else ""
    if not live:
        return f'<th scope="col"{css}>{escape(column.label)}</th>'
    first = "descending" if column.better == "higher" or (numeric and not column.better) else "ascending"
    sort = (
        f'<button type="button" class="es-sort" data-sort>{escape(column.label)}<span class="es-arrow" aria-hidden="true"></span></button>'
    )
    better = f' data-better="{column.better}"' if column.better else ""
    facts = f'data-first="{first}"{better}{" data-numeric" if numeric else ""}'
    return f'<th scope="col"{css} aria-sort="none" {facts}><div class="es-th">{sort}{_tip(column, ident)}</div></th>'


def _tip(column: Column, ident: str) -> str:
    """Return the sign that shows, on hover, focus or tap, what a column means."""
    if not column.help:
        return ""
    label = escape(texts.BENCH_HELP.format(label=column.label))
    return (
        f'<div class="es-trust es-help"><button type="button" class="es-trust-words" aria-label="{label}" aria-describedby="{ident}">'
        f'<span aria-hidden="true">?</span></button>'
        f'<div class="es-tip" id="{ident}" role="tooltip" popover="auto"><p>{escape(column.help)}</p></div></div>'
    )


def _row(table: Table, row: Mapping[str, Any], best: Mapping[str, float | None]) -> str:
    name = str(row.get(table.columns[0].key))
    kept = f' class="is-baseline" data-baseline="{escape(name)}"' if name in table.baselines else ""
    cells = "".join(_cell(table, column, row, best[column.key], first=n == 0) for n, column in enumerate(table.columns))
    return f"<tr{kept}>{cells}</tr>"


def _cell(table: Table, column: Column, row: Mapping[str, Any], best: float | None, first: bool) -> str:
    value = row.get(column.key)
    known = number(value)
    text = written(value, column.kind)
    numeric = column.kind != "text"
    order = (repr(known) if known is not None else "") if numeric else ("" if text == texts.BENCH_ABSENT else text)
    marks = [*(["is-number"] if numeric else []), *(["is-best"] if best is not None and known == best else [])]
    attributes = (f' class="{" ".join(marks)}"' if marks else "") + (f' data-v="{escape(order)}"' if order else "")
    ends = interval(row, column)
    drawn = _interval(known, ends, column, table.scale) if known is not None and ends else ""
    tag, scope = ("th", ' scope="row"') if first else ("td", "")
    return f'<{tag}{scope}{attributes}><span class="es-value">{escape(text)}</span>{drawn}</{tag}>'


def _interval(value: float, ends: tuple[float, float], column: Column, scale: tuple[float, float]) -> str:
    """Return the interval as numbers and, where it lies on the table's scale, as a small line with a dot."""
    words = f' <span class="es-ends">{escape(interval_words(ends, column.kind))}</span>'
    low, high = scale
    if not (low <= ends[0] and ends[1] <= high and low <= value <= high and low < high):
        return words
    axis = Axis(low, high, 3, _LINE - 3)
    a, dot, b = (f"{axis.at(v):.1f}" for v in (ends[0], value, ends[1]))
    line = (
        f'<svg class="es-ci" viewBox="0 0 {_LINE} 10" width="{_LINE}" height="10" aria-hidden="true">'
        f'<path class="es-grid" d="M3 5H{_LINE - 3}"/><path class="es-whisker" d="M{a} 5H{b}"/><circle cx="{dot}" cy="5" r="3"/></svg>'
    )
    return words + line


def _best(table: Table, column: Column) -> float | None:
    """Return the best value of a column that has a better side; None where there is nothing to compare."""
    values = [v for v in (number(row.get(column.key)) for row in table.rows) if v is not None]
    if not column.better or len(values) < 2:
        return None
    return max(values) if column.better == "higher" else min(values)


def _tools(table: Table) -> str:
    n = len(table.rows)
    if n <= FEW:
        return ""
    choices = "".join(_filter(table, key) for key in table.filters)
    count = f'<p class="es-shown" role="status" data-shown>{texts.BENCH_ROWS.format(shown=n, total=n)}</p>'
    return f'<div class="es-tools">{search_html()}{choices}{count}</div>'


def _filter(table: Table, key: str) -> str:
    """Return the choice of one column's values; nothing where there is no such column or only one value."""
    place, column = next(((n, c) for n, c in enumerate(table.columns) if c.key == key), (0, None))
    if column is None:
        return ""
    options = {}
    for row in table.rows:
        text, known = written(row.get(key), column.kind), number(row.get(key))
        if text != texts.BENCH_ABSENT:
            options[text if column.kind == "text" else repr(known)] = text
    return select_html(column.label, f'data-filter="{place}"', options) if len(options) > 1 else ""


def _legend(table: Table, best: Mapping[str, float | None]) -> str:
    """Return what the signs in this table mean."""
    told = []
    if any(value is not None for value in best.values()):
        told.append(texts.BENCH_LEGEND_BEST)
    if any(interval(row, column) for row in table.rows for column in table.columns):
        told.append(texts.BENCH_LEGEND_INTERVAL.format(low=short(table.scale[0]), high=short(table.scale[1])))
    if any(str(row.get(table.columns[0].key)) in table.baselines for row in table.rows):
        told.append(texts.BENCH_LEGEND_BASELINE)
    if any(written(row.get(column.key), column.kind) == texts.BENCH_ABSENT for row in table.rows for column in table.columns):
        told.append(texts.BENCH_LEGEND_ABSENT)
    return f'<p class="es-key">{escape(" ".join(told))}</p>' if told else ""


def _meanings(table: Table) -> str:
    """Return the helps of all columns as a list, for paper."""
    told = "".join(f"<div><dt>{escape(c.label)}</dt><dd>{escape(c.help)}</dd></div>" for c in table.columns if c.help)
    return f'<dl class="es-meanings" aria-label="{texts.BENCH_COLUMNS}">{told}</dl>' if told else ""


def _csv_link(table: Table, file: str) -> str:
    text = "\ufeff" + table_csv(table)  # the mark makes spreadsheets read it as UTF-8
    href = f"data:text/csv;charset=utf-8;base64,{base64.b64encode(text.encode()).decode()}"
    label = escape(texts.BENCH_CSV_OF.format(caption=table.caption))
    return f'<a class="es-button is-quiet is-small" download="{escape(file)}" href="{href}" aria-label="{label}">{texts.BENCH_CSV}</a>'


def _csv_value(value: Any) -> Any:
    known = number(value)
    if known is not None:
        return value
    return "" if value is None or isinstance(value, float) else csv_cell(str(value))


def _heat_cell(value: float | None, low: float, high: float) -> str:
    if value is None:
        return f"<td>{texts.BENCH_ABSENT}</td>"
    if low < 0:
        side, share = ("is-loss" if value < 0 else "is-gain"), abs(value) / max(abs(low), abs(high))
    else:
        side, share = "is-gain", (value - low) / (high - low) if high > low else 0.5
    return f'<td class="{side}" style="--share:{round(100 * share)}%">{escape(f"{value:.2f}".replace("-", "−"))}</td>'
