"""Cases of the error analysis → a list that can be opened, filtered and searched in the browser (see ``client``)."""

from __future__ import annotations

from collections.abc import Sequence

from ecomscript.evaluation.exhibit import Case
from ecomscript.ui import texts
from ecomscript.ui.bench.tables import search_html, select_html
from ecomscript.ui.markup import escape

SHOWN = 30
"""How many cases stand on the page at first, and how many more a click adds."""
PRINTED = 10
"""How many cases the report holds."""


def cases_html(cases: Sequence[Case], live: bool = True) -> str:
    """Return the cases; ``live`` says whether there is a script to filter them: the report has none and shows the first few opened."""
    if not cases:
        return ""
    title = f"<h3>{texts.BENCH_CASES_TITLE}</h3>"
    if not live:
        left_out = texts.BENCH_CASES_LEFT_OUT.format(shown=PRINTED, total=len(cases))
        note = f'<p class="es-key">{left_out}</p>' if len(cases) > PRINTED else ""
        printed = "".join(f'<div class="es-case"><h4>{escape(c.title)}</h4>{_inside(c)}</div>' for c in cases[:PRINTED])
        return f'<section class="es-cases">{title}{note}{printed}</section>'
    facets = list(dict.fromkeys(name for case in cases for name in case.facets))
    choices = ""
    for n, name in enumerate(facets):
        values = dict.fromkeys(case.facets[name] for case in cases if name in case.facets)
        choices += select_html(name, f'data-filter="{n}"', {str(v): str(v) for v in values})
    shown = min(SHOWN, len(cases))
    count = f'<p class="es-shown" role="status" data-shown>{texts.BENCH_CASES.format(shown=shown, total=len(cases))}</p>'
    entries = "".join(_case(case, facets, hidden=n >= SHOWN) for n, case in enumerate(cases))
    more = (
        f'<button type="button" class="es-button is-quiet is-small" data-more{" hidden" if len(cases) <= SHOWN else ""}>'
        f"{texts.BENCH_MORE.format(n=SHOWN)}</button>"
    )
    tools = f'<div class="es-tools">{search_html()}{choices}{count}</div>'
    return f'<section class="es-cases" data-box="cases">{title}{tools}{entries}{more}</section>'


def _case(case: Case, facets: Sequence[str], hidden: bool) -> str:
    marks = "".join(f' data-f{n}="{escape(case.facets[name])}"' for n, name in enumerate(facets) if name in case.facets)
    chips = "".join(f"<span>{escape(value)}</span>" for value in case.facets.values())
    summary = f'<summary><span class="es-case-title">{escape(case.title)}</span><span class="es-facets">{chips}</span></summary>'
    return f'<details class="es-case"{marks}{" hidden" if hidden else ""}>{summary}{_inside(case)}</details>'


def _inside(case: Case) -> str:
    told = "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(text)}</dd></div>" for name, text in case.fields.items())
    return f'<dl class="es-fields">{told}</dl>'
