"""The JavaScript of the Benchmark tab: one delegated listener per component that sorts, filters and searches what stands in the page.

It never builds markup. What it changes is made anew with the next value, since Gradio lays the new markup over the old, place by place;
only what a visitor typed or chose outlives that, and is cleared.
"""

from __future__ import annotations

import json

from ecomscript.ui import texts
from ecomscript.ui.bench.cases import SHOWN
from ecomscript.ui.bench.page import TAB
from ecomscript.ui.client import TIPS_JS

_WORDS = {"table": texts.BENCH_ROWS, "cases": texts.BENCH_CASES, "copied": texts.COPIED, "failed": texts.COPY_FAILED}

ASKED_JS = f"""() => {{
  const query = new URLSearchParams(location.search);
  return query.get('tab') === '{TAB}' ? query.get('exp') ?? '' : '';
}}"""
"""What the address names, read when the question is sent. An event's own data would not do: of clicks that wait for an answer
Gradio asks the last one with the data of the first."""

INDEX_JS = """
const center = () => {
  const list = element.querySelector('.es-index-list'), link = list?.querySelector('[aria-current]');
  if (link && list.scrollWidth > list.clientWidth) list.scrollLeft = link.offsetLeft - (list.clientWidth - link.offsetWidth) / 2;
};
element.addEventListener('click', event => {
  const link = event.target.closest('a[data-exp]');
  if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const url = new URL(location), kept = url.searchParams.get('__theme');
  url.search = link.getAttribute('href');
  if (kept) url.searchParams.set('__theme', kept);
  history.pushState(null, '', url);
  trigger('open');
});
addEventListener('popstate', () => { if (element.isConnected) trigger('open'); });
watch('value', center);
// Experiments come when the tab is first looked at: the page opens without them.
if (!document.querySelector('#bench-exhibit article')) trigger('open');
"""

EXHIBIT_JS = (
    f"const words = {json.dumps(_WORDS)}, step = {SHOWN};"
    + """
const all = (box, css) => [...box.querySelectorAll(css)];
const wanted = box => {
  const typed = (box.querySelector('[data-search]')?.value ?? '').toLowerCase().split(/\\s+/).filter(Boolean);
  const chosen = all(box, 'select[data-filter]').filter(s => s.value).map(s => [s.dataset.filter, s.value]);
  return {says: item => typed.every(word => item.textContent.toLowerCase().includes(word)), chosen};
};
const count = (box, shown, total) => {
  const said = box.querySelector('[data-shown]');
  if (said) said.textContent = words[box.dataset.box].replace('{shown}', shown).replace('{total}', total);
};
const best = (table, rows) => [...table.tHead.rows[0].cells].forEach((head, n) => {
  if (!head.dataset.better) return;
  const cells = rows.map(row => row.cells[n]), known = cells.filter(cell => cell.dataset.v);
  const values = known.map(cell => Number(cell.dataset.v));
  const top = head.dataset.better === 'higher' ? Math.max(...values) : Math.min(...values);
  for (const cell of cells) cell.classList.remove('is-best');
  if (known.length > 1) known.filter((cell, i) => values[i] === top).forEach(cell => cell.classList.add('is-best'));
});
// A baseline stays in view; where some of its rows fit what is chosen, only those do.
const filterTable = box => {
  const table = box.querySelector('table'), rows = [...table.tBodies[0].rows], {says, chosen} = wanted(box);
  const fits = row => chosen.every(([n, value]) => row.cells[n].dataset.v === value);
  const fitting = new Set(rows.filter(fits).map(row => row.dataset.baseline));
  for (const row of rows) {
    const name = row.dataset.baseline;
    row.hidden = name === undefined ? !(fits(row) && says(row)) : fitting.has(name) && !fits(row);
  }
  const shown = rows.filter(row => !row.hidden);
  best(table, shown);
  count(box, shown.length, rows.length);
};
const filterCases = (box, limit) => {
  const cases = all(box, '.es-case'), {says, chosen} = wanted(box);
  const fitting = cases.filter(one => chosen.every(([n, value]) => one.dataset['f' + n] === value) && says(one));
  const shown = new Set(fitting.slice(0, limit)), more = box.querySelector('[data-more]');
  for (const one of cases) one.hidden = !shown.has(one);
  more.hidden = fitting.length <= limit;
  more.dataset.more = limit;
  count(box, shown.size, fitting.length);
};
const sort = head => {
  const body = head.closest('table').tBodies[0], n = head.cellIndex, numeric = head.dataset.numeric !== undefined;
  const down = head.ariaSort === 'none' ? head.dataset.first === 'descending' : head.ariaSort === 'ascending';
  for (const other of head.parentElement.cells) other.ariaSort = 'none';
  head.ariaSort = down ? 'descending' : 'ascending';
  const order = (a, b) => {
    if (a === undefined || b === undefined) return (a === undefined) - (b === undefined);
    return (down ? -1 : 1) * (numeric ? a - b : a.localeCompare(b, 'en', {numeric: true}));
  };
  body.append(...[...body.rows].sort((a, b) => order(a.cells[n].dataset.v, b.cells[n].dataset.v)));
};
const copy = async button => {
  const url = location.origin + location.pathname + button.dataset.link;
  let done = true;
  try { await navigator.clipboard.writeText(url); } catch (error) { done = false; history.replaceState(null, '', url); }
  const before = button.textContent;
  button.textContent = done ? words.copied : words.failed;
  setTimeout(() => { button.textContent = before; }, 2500);
};
element.addEventListener('click', event => {
  const target = event.target.closest('[data-sort], [data-more], [data-link]');
  if (!target) return;
  if ('sort' in target.dataset) sort(target.closest('th'));
  else if ('link' in target.dataset) copy(target);
  else {
    const box = target.closest('[data-box]'), shown = '.es-case:not([hidden])', before = all(box, shown).length;
    filterCases(box, Number(target.dataset.more || step) + step);
    all(box, shown)[before]?.querySelector('summary').focus();
  }
});
element.addEventListener('input', event => {
  const box = event.target.closest('[data-box]');
  if (box) box.dataset.box === 'table' ? filterTable(box) : filterCases(box, step);
});
watch('value', () => {
  for (const box of all(element, '[data-search]')) box.value = '';
  for (const choice of all(element, 'select')) choice.selectedIndex = 0;
});
"""
    + TIPS_JS
)
