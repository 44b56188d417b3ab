"""Plans kept in the browser, and the dialog that shares or keeps one.

The server hands out a code (see ``share``) when asked and never learns what is kept: names and codes live in the browser's storage.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import count
from typing import Any, Literal

from ecomscript.errors import InputError
from ecomscript.ui import texts
from ecomscript.ui.basket import Basket
from ecomscript.ui.markup import escape
from ecomscript.ui.share import encode
from ecomscript.ui.view import PlanView

MOST = 30
"""Most plans that are kept in one browser."""
MAX_NAME = 60
DRAFT = "ecomscript.draft"
"""Where a tab remembers the plan that it shows, for when it is loaded again or left and come back to: the last one, and that of each
entry of its history."""
PREFIX = "ecomscript.plan:"
"""What the name of a kept plan follows in the browser's storage; one entry a plan, so that the last tab to write a name wins it alone."""

Purpose = Literal["share", "keep", "opened"]
_calls = count(1)


def made(purpose: Purpose, view: PlanView, basket: Basket) -> dict[str, Any]:
    """Return what the page is told when it asks for a code.

    Args:
        purpose: What the code is for; "opened" offers the way back to this plan.
        view: The plan.
        basket: The basket.

    Raises:
        InputError: There is no plan, or one that no link can hold.
    """
    name = view.headline[:MAX_NAME].strip()
    return {"call": next(_calls), "for": purpose, "code": encode(view, basket), "name": name}


def way_back(view: PlanView, basket: Basket) -> dict[str, Any]:
    """Return what the page is told when another plan was opened: the code of the one before, "" where there was none to keep."""
    try:
        return made("opened", view, basket)
    except InputError:
        return {"call": next(_calls), "for": "opened", "code": ""}


def draft_of(view: PlanView, basket: Basket) -> str:
    """Return the code of a plan as it stands, for the tab to remember; "" where there is none or it is too large."""
    try:
        return encode(view, basket)
    except InputError:
        return ""


def purpose_of(payload: Any) -> Purpose:
    """Return what a click asks a code for; the payload comes from the browser, so anything is possible.

    Raises:
        InputError: It is no purpose.
    """
    asked = payload.get("for") if isinstance(payload, Mapping) else None
    match asked:
        case "share" | "keep":
            return asked
    raise InputError(*texts.STALE)


def kept_html() -> str:
    """Return the panel and the dialog; the script fills them."""
    close = f'<button type="button" class="es-button is-quiet" data-do="close">{texts.DIALOG_CLOSE}</button>'
    share = (
        f'<label for="share-link">{texts.SHARE_LINK}</label><input id="share-link" type="text" readonly>'
        f'<p class="es-said" role="status"></p>'
        f'<div class="es-actions"><button type="button" class="es-button" data-do="copy">{texts.COPY_LINK}</button>{close}</div>'
    )
    keep = (
        f'<label for="keep-name">{texts.KEEP_NAME}</label>'
        f'<input id="keep-name" type="text" maxlength="{MAX_NAME}" required autocomplete="off">'
        f'<p class="es-said" role="status"></p>'
        f'<div class="es-actions"><button type="submit" class="es-button" data-do="keep">{texts.KEEP}</button>{close}</div>'
    )
    return (
        '<section class="es-plans" aria-labelledby="kept-title" hidden>'
        f'<h2 id="kept-title" tabindex="-1">{texts.PLANS_KEPT}</h2><p class="es-said" role="status"></p>'
        f'<button type="button" class="es-textbutton" data-do="back" hidden>{texts.PLAN_BEFORE}</button>'
        '<ul class="es-plans-list"></ul></section>'
        f"{_dialog('share', texts.SHARE_TITLE, texts.SHARE_HINT, share)}{_dialog('keep', texts.KEEP_TITLE, texts.KEEP_HINT, keep)}"
    )


def _dialog(purpose: Purpose, title: str, hint: str, body: str) -> str:
    return (
        f'<dialog class="es-dialog" id="{purpose}-dialog" aria-labelledby="{purpose}-title"><form method="dialog">'
        f'<h2 id="{purpose}-title">{escape(title)}</h2><p>{escape(hint)}</p>{body}</form></dialog>'
    )


_WORDS = {
    "copied": texts.COPIED,
    "yourself": texts.SHARE_COPY_YOURSELF,
    "full": texts.KEEP_FULL.format(n=MOST),
    "room": texts.KEEP_NO_ROOM,
    "blocked": texts.KEEP_BLOCKED,
    "kept": texts.PLAN_KEPT,
    "opened": texts.PLAN_OPENED,
    "delete": texts.PLAN_DELETE,
    "deleted": texts.PLAN_DELETED,
}

KEPT_JS = (
    f"const words = {json.dumps(_WORDS)}, prefix = {json.dumps(PREFIX)}, draft = {json.dumps(DRAFT)}, most = {MOST}, longest = {MAX_NAME};"
    """
const find = selector => element.querySelector(selector);
const about = (text, name) => text.replace('{name}', () => name);
let shown = 0, code = '', back = '', said = '', opening = null;

// Every access may throw: inside an iframe, in private windows, when full.
const store = () => { try { localStorage.getItem(prefix); return localStorage; } catch (error) { return null; } };
const names = () => {
  const found = [], kept = store();
  for (let n = 0; kept && n < kept.length; n++) if (kept.key(n).startsWith(prefix)) found.push(kept.key(n).slice(prefix.length));
  return found.sort((a, b) => a.localeCompare(b));
};
const button = (text, label, act, name) => {
  const made = document.createElement('button');
  Object.assign(made, {type: 'button', textContent: text, className: act === 'open' ? 'es-plans-name' : 'es-textbutton'});
  Object.assign(made.dataset, {do: act, name});
  if (label) made.setAttribute('aria-label', label);
  return made;
};
const paint = () => {
  const found = names(), blocked = !store();
  find('.es-plans').hidden = !(found.length || blocked || said || back);
  find('.es-plans .es-said').textContent = said || (blocked ? words.blocked : '');
  find('[data-do=back]').hidden = !back;
  find('.es-plans-list').replaceChildren(...found.slice(0, most).map(name => {
    const entry = document.createElement('li');
    entry.append(button(name, '', 'open', name), button(words.delete, words.delete + ' ' + name, 'delete', name));
    return entry;
  }));
};
const say = text => { said = text; paint(); };

const copy = async () => {
  const field = find('#share-link'), note = find('#share-dialog .es-said');
  try { await navigator.clipboard.writeText(field.value); note.textContent = words.copied; }
  catch (error) { note.textContent = words.yourself; field.focus(); field.select(); }
};
const keep = () => {
  const kept = store(), note = find('#keep-dialog .es-said');
  const name = find('#keep-name').value.replace(/\\s+/g, ' ').trim().slice(0, longest);
  if (!name) return;
  if (!kept) { note.textContent = words.blocked; return; }
  if (kept.getItem(prefix + name) === null && names().length >= most) { note.textContent = words.full; return; }
  try { kept.setItem(prefix + name, code); } catch (error) { note.textContent = words.room; return; }
  find('#keep-dialog').close();
  say(about(words.kept, name));
};
// The plan above is another one now: the reader goes there.
const arrived = before => {
  back = before || (opening === null ? back : '');  // the page's own address leaves the way back as it is
  say(opening ? about(words.opened, opening) : '');
  if (opening !== null) setTimeout(() => document.querySelector('#plan h2')?.focus(), 100);
  opening = null;
};
const answer = () => {
  const made = props.made || {};
  if (!made.call || made.call === shown) return;
  shown = made.call;
  if (made.for === 'opened') { arrived(made.code); return; }
  code = made.code;
  find('#' + made.for + '-dialog .es-said').textContent = '';
  find('#share-link').value = location.origin + location.pathname + '?plan=' + code;
  find('#keep-name').value = made.name;
  find('#' + made.for + '-dialog').showModal();
  if (made.for === 'share') copy();
  else { find('#keep-name').select(); if (!store()) find('#keep-dialog .es-said').textContent = words.blocked; }
};

element.addEventListener('click', event => {
  const target = event.target.closest('[data-do]');
  if (event.target.matches('dialog')) event.target.close();
  if (!target) return;
  const {do: act, name} = target.dataset;
  if (act === 'close') target.closest('dialog').close();
  else if (act === 'copy') copy();
  else if (act === 'back') { opening = ''; trigger('open', {code: back}); }
  else if (act === 'open') { opening = name; trigger('open', {code: store()?.getItem(prefix + name) ?? ''}); }
  else if (act === 'delete') {
    store()?.removeItem(prefix + name);
    say(about(words.deleted, name));
    find('#kept-title').focus();
  }
});
element.addEventListener('submit', event => { event.preventDefault(); keep(); });
element.addEventListener('focusin', event => { if (event.target.id === 'share-link') event.target.select(); });
addEventListener('storage', event => { if (!event.key || event.key.startsWith(prefix)) paint(); });
watch(['value', 'made'], () => { paint(); answer(); });
// This tab showed a plan before it was loaded again or left with the back button: the way back to it is offered.
const tab = () => { try { return sessionStorage; } catch (error) { return null; } };
if (!history.state?.draft) history.replaceState({...history.state, draft: draft + ':' + Date.now() + Math.random()}, '');
const own = history.state.draft;
watch('draft', () => {
  try { for (const key of [draft, own]) if (props.draft) tab()?.setItem(key, props.draft); } catch (error) { /* full: no way back */ }
});
back = tab()?.getItem(own) ?? (/[?&](plan|goal)=/.test(location.search) ? '' : tab()?.getItem(draft) ?? '');
paint();
"""
)
