"""The report: every experiment in one HTML file that needs nothing beside it, and prints well."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from ecomscript.evaluation.exhibit import Exhibit
from ecomscript.ui import texts
from ecomscript.ui.bench.page import exhibit_html
from ecomscript.ui.markup import escape, items


def report_html(exhibits: Sequence[Exhibit], styles: Sequence[Path]) -> str:
    """Return the report as a whole page.

    Args:
        exhibits: What to report, in order.
        styles: Style sheets to put into it.
    """
    css = "\n".join(path.read_text(encoding="utf-8") for path in styles)
    contents = items((f'<a href="#e{n}">{escape(e.title)}</a>' for n, e in enumerate(exhibits)), "es-contents")
    day = datetime.now(UTC).strftime("%Y-%m-%d")
    head = (
        f'<header class="es-report-head"><h1>{texts.BENCH_REPORT_TITLE}</h1><p>{texts.BENCH_REPORT_LEAD}</p><p>{day}</p>'
        f'<button type="button" class="es-button is-quiet is-small" onclick="print()">{texts.BENCH_PRINT}</button>'
        f'<nav aria-label="{texts.BENCH_CONTENTS}">{contents}</nav></header>'
    )
    body = "".join(exhibit_html(exhibit, f"e{n}", live=False) for n, exhibit in enumerate(exhibits))
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{texts.BENCH_REPORT_TITLE}</title><style>{css}</style></head>"
        f'<body class="es-report"><main id="bench-exhibit">{head}{body}</main></body></html>\n'
    )
