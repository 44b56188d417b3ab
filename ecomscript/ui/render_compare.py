"""Comparison → HTML: the bar that opens it, and the dialog with the table."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ecomscript.ui import texts
from ecomscript.ui.compare import AttributeRow, Comparison, Entry, attribute_rows
from ecomscript.ui.markup import escape, items, short_title
from ecomscript.ui.render import tile
from ecomscript.ui.trust import Backing, product_trust


def compare_html(comparison: Comparison, backing: Backing) -> str:
    """Return the bar and the dialog; nothing while nothing is compared.

    Args:
        comparison: What the visitor chose.
        backing: What is known of the verifiers.
    """
    entries = comparison.entries
    if not entries:
        return ""
    bar = (
        f'<div class="es-compare-bar"><button type="button" class="es-button" data-act="open" aria-haspopup="dialog">'
        f"{texts.COMPARE_OPEN.format(n=len(entries))}</button>"
        f'<button type="button" class="es-textbutton" data-act="none">{texts.COMPARE_CLEAR}</button></div>'
    )
    title = texts.COMPARE_TITLE.format(n=len(entries)) if len(entries) > 1 else texts.COMPARE_ONE
    head = (
        f'<div class="es-compare-head"><h2 id="compare-title" tabindex="-1">{title}</h2>'
        f'<button type="button" class="es-button is-quiet is-small" data-act="close">{texts.COMPARE_CLOSE}</button></div>'
    )
    table = (
        f'<div class="es-compare-scroll" role="region" tabindex="0" aria-label="{texts.COMPARE_SCROLL}">{_table(comparison, backing)}</div>'
    )
    return f'{bar}<dialog class="es-compare" aria-labelledby="compare-title">{head}{table}</dialog>'


def _table(comparison: Comparison, backing: Backing) -> str:
    entries = comparison.entries
    heads = "".join(f'<th scope="col">{_head(entry)}</th>' for entry in entries)
    cells: dict[str, Callable[[Entry], str]] = {
        "price": lambda e: texts.NO_PRICE if e.match.product.price_usd is None else f"<b>{texts.usd(e.match.product.price_usd)}</b>",
        "rating": _rating,
        "t2": lambda e: _t2(e, backing),
        "step": lambda e: escape(e.step),
        "intention": _intention,
        "features": lambda e: items(map(escape, e.match.product.features), "es-compare-features") or _UNKNOWN,
    }
    rows = "".join(_row(texts.COMPARE_ROWS[name], map(cell, entries)) for name, cell in cells.items())
    attributes = attribute_rows(comparison)
    differing = "".join(map(_attribute, (row for row in attributes if not row.same)))
    same = [row for row in attributes if row.same]
    folded = "" if not same else _folded(same, len(entries))
    return f"<table><thead><tr><td></td>{heads}</tr></thead><tbody>{rows}{differing}{folded}</tbody></table>"


def _head(entry: Entry) -> str:
    product = entry.match.product
    name, pid = escape(short_title(product.title)), escape(product.product_id)
    add = (
        f'<button type="button" class="es-button is-small" data-act="cart" data-pid="{pid}">'
        f'<span data-label>{texts.COMPARE_ADD}</span><span class="es-sr"> {name}</span></button>'
    )
    remove = (
        f'<button type="button" class="es-remove" data-act="drop" data-pid="{pid}" '
        f'aria-label="{texts.COMPARE_REMOVE.format(title=name)}">×</button>'
    )
    return f'{tile(product, "is-small")}<span class="es-compare-name">{name}</span><div class="es-actions">{add}{remove}</div>'


def _rating(entry: Entry) -> str:
    product = entry.match.product
    if product.rating is None:
        return _UNKNOWN
    return texts.RATED.format(rating=f"{product.rating:.1f}", count=f"{product.rating_count:,}")


def _t2(entry: Entry, backing: Backing) -> str:
    shown = product_trust(entry.match, backing)
    return escape(" · ".join(filter(None, (shown.words, shown.number))))


def _intention(entry: Entry) -> str:
    match = entry.match
    if not match.intention:
        return _UNKNOWN
    return (
        f'<q>{escape(match.intention)}</q> <span class="es-soft">{texts.similarity_words(match.similarity)} {match.similarity:.2f}</span>'
    )


def _attribute(row: AttributeRow) -> str:
    return _row(_named(row.name), (escape(value) if value else _UNKNOWN for value in row.values))


def _row(name: str, cells: Iterable[str]) -> str:
    return f'<tr><th scope="row">{name}</th>{"".join(f"<td>{cell}</td>" for cell in cells)}</tr>'


def _folded(rows: list[AttributeRow], columns: int) -> str:
    listed = "".join(f"<dt>{_named(row.name)}</dt><dd>{escape(row.values[0])}</dd>" for row in rows)
    summary = texts.COMPARE_SAME.format(n=len(rows))
    return f'<tr><td colspan="{columns + 1}"><details><summary>{summary}</summary><dl>{listed}</dl></details></td></tr>'


def _named(attribute: str) -> str:
    words = attribute.replace("_", " ")
    return escape(words[:1].upper() + words[1:])


_UNKNOWN = f'<span class="es-soft">{texts.COMPARE_UNKNOWN}</span>'
