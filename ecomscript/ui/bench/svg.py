"""Plot → inline SVG; colours come from the style sheet, so that one picture serves the light page, the dark one and print.

A picture is drawn ``WIDTH`` units wide, which is what a phone gives it, so its letters keep the size that they have in the text.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence

from ecomscript.evaluation.exhibit import Plot
from ecomscript.ui import texts
from ecomscript.ui.bench.axis import Axis, axis_over
from ecomscript.ui.bench.points import Point, described, points_of
from ecomscript.ui.bench.values import short, tick
from ecomscript.ui.markup import escape, items

WIDTH = 350
_LEFT, _RIGHT, _TOP, _TALL = 44, 338, 28, 178
"""Where the picture of a curve stands, and how tall it is."""
_MARK = 18
"""Height of the line that the words of a mark stand on, above the picture."""
_DASHES = ("", "7 4", "2 4", "9 3 2 3")
_HUES = 6
_FEW = 25
"""Up to how many points a line carries a sign on each."""
_LETTER = 6.6
"""Mean width of a letter at the size that style sheet gives to pictures."""


def plot_svg(plot: Plot, ident: str) -> str:
    """Return the picture; "" when there is nothing measured to draw.

    Args:
        plot: What to draw.
        ident: Start of the ids in it, unique on the page.
    """
    series = [points_of(s) for s in plot.series]
    if not any(p.y is not None for points in series for p in points):
        return ""
    body, height = _bars(plot, series) if plot.form == "bars" else _curves(plot, series, ident)
    told = f'<title id="{ident}-t">{escape(plot.title)}</title><desc id="{ident}-d">{escape(described(plot, series))}</desc>'
    return (
        f'<svg class="es-plot" viewBox="0 0 {WIDTH} {height}" role="img" aria-labelledby="{ident}-t" aria-describedby="{ident}-d">'
        f"{told}{body}</svg>"
    )


def legend_html(plot: Plot) -> str:
    """Return the names of the series with their signs; "" for a single series."""
    if len(plot.series) < 2:
        return ""
    area = '<rect class="es-bar-area" x="2" y="2" width="20" height="10"/>'
    entries = []
    for n, series in enumerate(plot.series):
        sign = area if plot.form != "lines" else f'<path class="es-line-path" {_dash(n)} d="M0 7H24"/>{_sign(n, 12, 7)}'
        swatch = f'<svg class="{_hue(n)} is-{plot.form}" viewBox="0 0 24 14" width="24" height="14" aria-hidden="true">{sign}</svg>'
        entries.append(f"{swatch}<span>{escape(series.name)}</span>")
    return items(entries, "es-legend")


def _curves(plot: Plot, series: Sequence[Sequence[Point]], ident: str) -> tuple[str, int]:
    """Return lines or areas over a number with the frame around them, and the height of the picture."""
    top = _TOP + (_MARK if plot.mark else 0)
    bottom = top + _TALL
    drawn = [[(p, x) for p in points if (x := p.place) is not None] for points in series]
    ends = [x for points in drawn for _, x in points]
    across = Axis(min(ends), max(ends), _LEFT, _RIGHT) if ends and min(ends) < max(ends) else axis_over(ends, _LEFT, _RIGHT)
    heights = [value for points in drawn for p, _ in points for value in p.values] + ([0.0] if plot.form == "histogram" else [])
    up = Axis(*plot.y_range, bottom, top) if plot.y_range else axis_over(heights, bottom, top)
    frame = "".join(
        f'<path class="es-grid" d="M{_LEFT} {_at(up, y)}H{_RIGHT}"/>{_text(_LEFT - 6, up.at(y) + 4, tick(y), "end")}' for y in up.ticks(5)
    )
    frame += "".join(_text(across.at(x), bottom + 18, tick(x), "middle") for x in across.ticks(5))
    frame += _text(0, 12, plot.y_label, "start", "es-axis") + _text(_RIGHT, bottom + 36, plot.x_label, "end", "es-axis")
    draw = _area if plot.form == "histogram" else _line
    curves = "".join(f'<g class="{_hue(n)}">{draw(n, points, across, up)}</g>' for n, points in enumerate(drawn))
    clip = f'<clipPath id="{ident}-c"><path d="M{_LEFT - 6} {top - 6}H{_RIGHT + 6}V{bottom + 6}H{_LEFT - 6}Z"/></clipPath>'
    inside = f'<g class="is-{plot.form}" clip-path="url(#{ident}-c)">{curves}</g>'
    return f"{frame}{clip}{_mark(plot, across, top, bottom)}{inside}", bottom + 44


def _line(n: int, points: Sequence[tuple[Point, float]], across: Axis, up: Axis) -> str:
    """Return a line that is broken where a value is absent, over the band of its intervals."""
    out = []
    for run in _runs(points):
        banded = [(x, p.low, p.high) for p, x in run if p.low is not None and p.high is not None]
        if len(banded) > 1:
            edge = [*((x, high) for x, _, high in banded), *((x, low) for x, low, _ in reversed(banded))]
            out.append(f'<path class="es-band" d="{_path(edge, across, up)}Z"/>')
        else:
            out += [f'<path class="es-whisker" d="M{_at(across, x)} {_at(up, low)}V{_at(up, high)}"/>' for x, low, high in banded]
        out.append(f'<path class="es-line-path" {_dash(n)} d="{_path([(x, p.y or 0.0) for p, x in run], across, up)}"/>')
    if len(points) <= _FEW:
        known = ((p, x) for p, x in points if p.y is not None)
        out += [f"<g>{_sign(n, across.at(x), up.at(p.y or 0.0))}<title>{escape(p.words)}</title></g>" for p, x in known]
    return "".join(out)


def _area(n: int, points: Sequence[tuple[Point, float]], across: Axis, up: Axis) -> str:
    """Return the area under the shares of a histogram."""
    out = []
    for run in _runs(points):
        edge = [(x, p.y or 0.0) for p, x in run]
        out.append(f'<path class="es-band" d="{_path([(edge[0][0], 0.0), *edge, (edge[-1][0], 0.0)], across, up)}Z"/>')
        out.append(f'<path class="es-line-path" {_dash(n)} d="{_path(edge, across, up)}"/>')
    return "".join(out)


def _bars(plot: Plot, series: Sequence[Sequence[Point]]) -> tuple[str, int]:
    """Return lying bars, so that their names can be read, and the height of the picture."""
    names = list(dict.fromkeys(str(p.x) for points in series for p in points))
    labels = {name: textwrap.wrap(name, 20, max_lines=3, placeholder="…") or [""] for name in names}
    left = 10 + round(_LETTER * max(len(line) for lines in labels.values() for line in lines))
    values = [value for points in series for p in points for value in p.values]
    scale = Axis(*plot.y_range, left, WIDTH - 46) if plot.y_range else axis_over([*values, 0.0], left, WIDTH - 46)
    thick = 16 if len(series) == 1 else 13
    first = 4 + (_MARK if plot.mark else 0)
    out, top = [], first + 6
    for name in names:
        height = max(thick * len(series), 15 * len(labels[name]))
        middle = top + height / 2
        out += [_text(left - 8, middle + 4 + 15 * (i - (len(labels[name]) - 1) / 2), line, "end") for i, line in enumerate(labels[name])]
        start = middle - thick * len(series) / 2
        for n, points in enumerate(series):
            point = next((p for p in points if str(p.x) == name), None)
            out.append(f'<g class="{_hue(n)} is-bars">{_bar(point, scale, start + thick * n, thick - 3)}</g>')
        top += height + 10
    bottom = top
    grid = "".join(
        f'<path class="es-grid" d="M{_at(scale, v)} {first}V{bottom}"/>{_text(scale.at(v), bottom + 16, tick(v), "middle")}'
        for v in scale.ticks(4)
    )
    axis = _text(WIDTH - 46, bottom + 36, plot.y_label, "end", "es-axis")
    return f"{grid}{''.join(out)}{axis}{_mark(plot, scale, first, bottom)}", bottom + 44


def _bar(point: Point | None, scale: Axis, top: float, thick: float) -> str:
    """Return one bar with its whisker and its number; the sign for "absent" where nothing was measured."""
    middle = top + thick / 2
    zero = scale.at(scale.inside(0.0))
    if point is None or point.y is None:
        return _text(zero + 4, middle + 4, texts.BENCH_ABSENT, "start")
    end = scale.at(scale.inside(point.y))
    bar = f'<rect class="es-bar-area" x="{min(zero, end):.1f}" y="{top:.1f}" width="{abs(end - zero):.1f}" height="{thick:.1f}"/>'
    reach, whisker = max(zero, end), ""
    if point.low is not None and point.high is not None:
        low, high = (scale.at(scale.inside(v)) for v in (point.low, point.high))
        caps = "".join(f"M{x:.1f} {middle - 3:.1f}V{middle + 3:.1f}" for x in (low, high))
        whisker = f'<path class="es-whisker" d="M{low:.1f} {middle:.1f}H{high:.1f}{caps}"/>'
        reach = max(reach, high)
    return f"<g>{bar}{whisker}<title>{escape(point.words)}</title></g>{_text(reach + 5, middle + 4, short(point.y), 'start', 'es-strong')}"


def _mark(plot: Plot, across: Axis, top: float, bottom: float) -> str:
    """Return the upright line at the plot's mark, with its words above it."""
    if plot.mark is None or not across.holds(plot.mark[0]):
        return ""
    x, half = across.at(plot.mark[0]), _LETTER * len(plot.mark[1]) / 2
    words = _text(min(max(x, half), WIDTH - half), top - 6, plot.mark[1], "middle", "es-strong")
    return f'<path class="es-mark" d="M{x:.1f} {top}V{bottom}"/>{words}'


def _runs(points: Sequence[tuple[Point, float]]) -> Iterable[list[tuple[Point, float]]]:
    """Yield the stretches between absent values."""
    run: list[tuple[Point, float]] = []
    for point, x in points:
        if point.y is not None:
            run.append((point, x))
        elif run:
            yield run
            run = []
    if run:
        yield run


def _path(places: Sequence[tuple[float, float]], across: Axis, up: Axis) -> str:
    return "M" + "L".join(f"{_at(across, x)} {_at(up, y)}" for x, y in places)


def _sign(n: int, x: float, y: float) -> str:
    """Return the sign of the series at a place: disc, square, diamond, triangle."""
    shapes = (
        f"M{x - 3.5:.1f} {y:.1f}a3.5 3.5 0 1 0 7 0a3.5 3.5 0 1 0-7 0Z",
        f"M{x - 3:.1f} {y - 3:.1f}h6v6h-6Z",
        f"M{x:.1f} {y - 4.5:.1f}l4.5 4.5l-4.5 4.5l-4.5-4.5Z",
        f"M{x:.1f} {y - 4:.1f}l4.2 7.2h-8.4Z",
    )
    return f'<path class="es-sign" d="{shapes[n % len(shapes)]}"/>'


def _hue(n: int) -> str:
    return f"es-s{n % _HUES}"


def _dash(n: int) -> str:
    return f'stroke-dasharray="{_DASHES[n % len(_DASHES)]}"' if n % len(_DASHES) else ""


def _at(axis: Axis, value: float) -> str:
    return f"{axis.at(value):.1f}"


def _text(x: float, y: float, text: str, anchor: str, css_class: str = "") -> str:
    named = f' class="{css_class}"' if css_class else ""
    return f'<text{named} x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'
