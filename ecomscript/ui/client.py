"""The little JavaScript of the page: one delegated listener per component that turns clicks into events.

It never builds markup. ``element``, ``props``, ``trigger`` and ``watch`` are given by ``gr.HTML``; what is triggered by a name in
quotes is a Gradio event of that name.
"""

from __future__ import annotations

import json

from ecomscript.ui import texts
from ecomscript.ui.client_edit import EDIT_JS
from ecomscript.ui.client_feedback import RATE_JS

STATUS_JS = (
    f"const queued = {json.dumps({'next': texts.QUEUE_NEXT, 'one': texts.QUEUE_ONE, 'many': texts.QUEUE})};"
    """
let started = 0, waited = 0;
// Gradio says in a hidden text of its own how many wait; a click that is answered at once never shows it.
const wait = () => {
  const place = /queue: (\\d+)/.exec(element.closest('#status').querySelector('.progress-text')?.textContent ?? '');
  waited = place ? waited + 1 : 0;
  const note = element.querySelector('.es-queue'), before = place ? Number(place[1]) - 1 : 0;
  note.hidden = waited < 4;
  note.lastChild.textContent = before === 0 ? queued.next : before === 1 ? queued.one : queued.many.replace('{n}', before);
};
setInterval(() => {
  wait();
  const clock = element.querySelector('.es-seconds');
  if (!clock) { started = 0; return; }
  started = started || performance.now();
  clock.textContent = ((performance.now() - started) / 1000).toFixed(1) + ' s';
}, 100);

// What a change did is said, with undo at hand, where the reader is: for some seconds when this line is out of sight.
let clicked = false, timer = 0;
element.addEventListener('click', event => {
  const button = event.target.closest('button[data-act]');
  if (!button) return;
  clicked = true;
  trigger('edit', {act: button.dataset.act});
});
new IntersectionObserver(([entry]) => element.classList.toggle('is-away', !entry.isIntersecting)).observe(element);
const fade = () => {
  if (element.querySelector('.is-change:is(:hover, :focus-within)')) timer = setTimeout(fade, 2000);
  else element.classList.remove('is-fresh');
};
watch('value', () => {
  clearTimeout(timer);
  element.classList.toggle('is-fresh', Boolean(element.querySelector('.is-change')));
  timer = setTimeout(fade, 10000);
  if (clicked && document.activeElement === document.body) element.querySelector('button')?.focus({preventScroll: true});
  clicked = false;
});
"""
)

TIPS_JS = """
const place = trust => {
  const at = trust.querySelector('.es-trust-words').getBoundingClientRect(), tip = trust.querySelector('.es-tip'), edge = 12;
  const below = at.bottom - 6, above = at.top + 6 - tip.offsetHeight;
  tip.style.left = Math.max(edge, Math.min(at.left, innerWidth - tip.offsetWidth - edge)) + 'px';
  tip.style.top = (below + tip.offsetHeight > innerHeight - edge && above > edge ? above : below) + 'px';
};
const opened = () => element.querySelector('.es-tip:popover-open');
const show = event => {
  const trust = event.target.closest('.es-trust-words')?.parentElement;
  if (!trust || element.querySelector('.es-menu:popover-open')) return;
  const tip = trust.querySelector('.es-tip');
  if (!tip.matches(':popover-open')) tip.showPopover();
  place(trust);
};
const hide = event => {
  const trust = event.target.closest('.es-trust'), tip = opened();
  if (tip && trust?.contains(tip) && !trust.contains(event.relatedTarget)) tip.hidePopover();
};
for (const name of ['pointerover', 'focusin', 'click']) element.addEventListener(name, show);
element.addEventListener('focusout', hide);
element.addEventListener('pointerout', event => { if (!event.target.closest('.es-trust')?.contains(document.activeElement)) hide(event); });
addEventListener('scroll', () => { const tip = opened(); if (tip) place(tip.parentElement); }, {passive: true});
watch('value', () => opened()?.hidePopover());
"""

PICTURES_JS = """
const unpicture = image => image.parentElement.classList.add('is-broken');
const pictures = () => element.querySelectorAll('.es-tile img').forEach(image => {
  if (image.complete && !image.naturalWidth) unpicture(image);
});
element.addEventListener('error', event => { if (event.target.matches('.es-tile img')) unpicture(event.target); }, true);
watch('value', pictures);
pictures();
"""

CART_JS = """
const paintCart = () => {
  const cart = new Set(props.cart || []);
  element.querySelectorAll('[data-act=cart]').forEach(button => {
    const on = cart.has(button.dataset.pid);
    button.classList.toggle('is-on', on);
    button.querySelector('[data-label]').textContent = on ? words.remove : words.add;
  });
};
"""

PLAN_JS = (
    f"const words = {json.dumps({'add': texts.ADD, 'remove': texts.REMOVE})};"
    + CART_JS
    + """
const paint = () => {
  paintCart();
  const compared = new Set(props.compared || []);
  element.querySelectorAll('[data-act=compare]').forEach(button => button.setAttribute('aria-pressed', compared.has(button.dataset.pid)));
};
element.addEventListener('click', event => {
  const button = event.target.closest('button[data-act]');
  if (!button || button.disabled) return;
  const {act, pid, swap, key, index, option} = button.dataset;
  if (act === 'cart') trigger('cart', {pid});
  else if (act === 'compare') trigger('compare', {pid});
  else if (act === 'swap') { leaving = true; trigger('swap', {pid, swap}); }
  else if (act === 'opinion') { consulted = {key, pid}; trigger('opinion', consulted); }
  else if (act === 'all') trigger('all', {});
  else if (act === 'share' || act === 'keep') trigger('code', {for: act});
  else if (act === 'print') print();
  else { leaving = true; trigger('chip', {act, key: key ?? null, index: Number(index ?? -1), option: Number(option ?? -1)}); }
});
// Where an opinion was asked for stays open; the clicked button is gone when the answer is there, which is read out then.
let consulted = null;
const isAbout = ({dataset}) => dataset.key === consulted.key && dataset.pid === consulted.pid;
watch('value', () => {
  const asked = consulted ? [...element.querySelectorAll('.es-opinion, [data-act=opinion]')].filter(isAbout) : [];
  for (const part of asked) part.closest('details')?.setAttribute('open', '');
  const answer = asked.find(part => part.matches('.es-opinion'));
  if (!answer) return;
  if (document.activeElement === document.body) answer.focus({preventScroll: true});
  consulted = null;
});
// The clicked button is gone after a swap or a new plan; the reader stays at the plan, as soon as it has a title.
let leaving = false;
watch('value', () => {
  const title = element.querySelector('.es-head h2');
  if (leaving && title && document.activeElement === document.body) title.focus({preventScroll: true});
  leaving = leaving && !title;
});
watch(['value', 'cart', 'compared'], paint);
paint();
"""
    + TIPS_JS
    + PICTURES_JS
    + EDIT_JS
    + RATE_JS
)

BASKET_JS = (
    """
const most = 99;
const show = (input, quantity) => input.value = Math.min(most, Math.max(1, Math.round(quantity) || 1));
element.addEventListener('click', event => {
  const target = event.target.closest('[data-act]');
  if (!target || target.disabled) return;
  const {act, pid} = target.dataset;
  if (act === 'jump') {
    event.preventDefault();
    const title = element.querySelector('#basket-title');
    title.scrollIntoView();
    title.focus();
  } else if (act === 'more') {
    // What is sent is how many more: the number shown may be older than a click on its way.
    const input = target.parentElement.querySelector('input'), more = Number(target.dataset.more);
    show(input, Number(input.value) + more);
    trigger('edit', {act, pid, more});
  } else if (act === 'optional') trigger('edit', {act, pid, on: target.getAttribute('aria-pressed') !== 'true'});
  else trigger('edit', {act, pid: pid ?? null});
});
element.addEventListener('change', event => {
  const input = event.target, {pid} = input.dataset;
  if (input.matches('input[type=number]')) trigger('edit', {act: 'quantity', pid, quantity: show(input, Number(input.value))});
  else if (input.matches('input[type=checkbox]')) trigger('edit', {act: 'tick', pid, on: input.checked});
});
new IntersectionObserver(([entry]) => element.classList.toggle('is-seen', entry.isIntersecting)).observe(element);
// A morph changes the attribute of a number that was typed over, not the number shown; the same goes for a tick.
const follow = input => {
  if (input.type === 'checkbox') input.checked = input.hasAttribute('checked');
  else input.value = input.getAttribute('value');
};
const seen = changes => changes.filter(({target}) => target.matches('input[data-pid]')).forEach(({target}) => follow(target));
new MutationObserver(seen).observe(element, {subtree: true, attributes: true, attributeFilter: ['checked', 'value']});
"""
    + PICTURES_JS
)

OFFER_JS = """
let clicked = false;
element.addEventListener('click', event => {
  if (!event.target.closest('[data-act=fit]')) return;
  clicked = true;
  trigger('fit', {});
});
// The clicked button is gone then; the reader goes on to the basket.
watch('value', () => {
  if (clicked && document.activeElement === document.body) document.querySelector('#basket-title')?.focus({preventScroll: true});
  clicked = false;
});
"""

COMPARE_JS = (
    f"const words = {json.dumps({'add': texts.COMPARE_ADD, 'remove': texts.COMPARE_TAKE_OUT})};"
    + CART_JS
    + """
let opened = false;
const dialog = () => element.querySelector('dialog');
const open = () => {
  const box = dialog(), inside = box.contains(document.activeElement);
  box.removeAttribute('open');
  box.showModal();
  opened = true;
  if (!inside) box.querySelector('h2').focus();
};
element.addEventListener('click', event => {
  if (event.target === dialog()) dialog().close();
  const button = event.target.closest('button[data-act]');
  if (!button) return;
  const {act, pid} = button.dataset;
  if (act === 'open') open();
  else if (act === 'close') dialog().close();
  else if (act === 'cart') trigger('cart', {pid});
  else trigger('compare', act === 'none' ? {clear: true} : {pid});
});
element.addEventListener('close', () => { opened = false; }, true);
// A morph takes the mark of an open dialog away, so it is opened anew; without products there is none any more.
watch('value', () => {
  if (opened && dialog()) open();
  else if (opened) { opened = false; document.querySelector('#plan h2')?.focus({preventScroll: true}); }
  paintCart();
});
watch('cart', paintCart);
"""
    + PICTURES_JS
)
