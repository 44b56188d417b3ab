"""The hint of a first visit: what can be changed, said once above the first plan, gone when it was read."""

from __future__ import annotations

import json

from ecomscript.ui import texts

SEEN = "ecomscript.hint-seen"
"""Where the browser remembers that the hint was put away."""


def hint_html() -> str:
    """Return the hint; it stays hidden until the script finds that nobody has put it away."""
    button = f'<button type="button" class="es-textbutton">{texts.HINT_SEEN}</button>'
    return f'<aside class="es-hint" aria-label="{texts.HINT_LABEL}" hidden><p>{texts.HINT}</p>{button}</aside>'


HINT_JS = (
    f"const seen = {json.dumps(SEEN)};"
    """
const hint = element.querySelector('.es-hint');
// Every access may throw: inside an iframe, in private windows, when full.
try { hint.hidden = localStorage.getItem(seen) !== null; } catch (error) { hint.hidden = false; }
element.addEventListener('click', event => {
  if (!event.target.closest('button')) return;
  hint.hidden = true;
  try { localStorage.setItem(seen, '1'); } catch (error) { /* then it is shown again next time */ }
  document.querySelector('#plan h2')?.focus({preventScroll: true});
});
"""
)
