"""The little JavaScript of the page: one delegated listener per component that turns clicks into events.

It never builds markup. ``element``, ``props``, ``trigger`` and ``watch`` are given by ``gr.HTML``; what is triggered by a name in
quotes is a Gradio event of that name.
"""

from __future__ import annotations

import json

from ecomscript.ui import texts

STATUS_JS = """
let started = 0;
setInterval(() => {
  const clock = element.querySelector('.es-seconds');
  if (!clock) { started = 0; return; }
  started = started || performance.now();
  clock.textContent = ((performance.now() - started) / 1000).toFixed(1) + ' s';
}, 100);
"""

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
  if (!trust) return;
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

PLAN_JS = (
    f"""
const words = {json.dumps({"add": texts.ADD, "remove": texts.REMOVE, "copied": texts.COPIED, "failed": texts.COPY_FAILED})};
const paint = () => {{
  const cart = new Set(props.cart || []);
  element.querySelectorAll('[data-act=cart]').forEach(button => {{
    const on = cart.has(button.dataset.pid);
    button.classList.toggle('is-on', on);
    button.querySelector('[data-label]').textContent = on ? words.remove : words.add;
  }});
}};
const copy = async button => {{
  const url = location.origin + location.pathname + button.dataset.link;
  let done = true;
  try {{ await navigator.clipboard.writeText(url); }} catch (error) {{ done = false; history.replaceState(null, '', url); }}
  const before = button.textContent;
  button.textContent = done ? words.copied : words.failed;
  setTimeout(() => {{ button.textContent = before; }}, 2500);
}};
element.addEventListener('click', event => {{
  const button = event.target.closest('button[data-act]');
  if (!button || button.disabled) return;
  const {{act, pid, swap, key, index, option}} = button.dataset;
  if (act === 'cart') trigger('cart', {{pid}});
  else if (act === 'swap') {{ swapping = true; trigger('swap', {{pid, swap}}); }}
  else if (act === 'all') trigger('all', {{}});
  else if (act === 'link') copy(button);
  else trigger('chip', {{act, key: key ?? null, index: Number(index ?? -1), option: Number(option ?? -1)}});
}});
// The clicked button is gone after a swap; the reader stays at the plan.
let swapping = false;
watch('value', () => {{
  if (swapping && document.activeElement === document.body) element.querySelector('h2')?.focus({{preventScroll: true}});
  swapping = false;
}});
watch(['value', 'cart'], paint);
paint();
"""
    + TIPS_JS
)

BASKET_JS = """
const most = 99;
const send = (input, wanted) => {
  const quantity = Math.min(most, Math.max(1, Math.round(wanted) || 1));
  input.value = quantity;
  trigger('edit', {act: 'quantity', pid: input.dataset.pid, quantity});
};
element.addEventListener('click', event => {
  const target = event.target.closest('[data-act]');
  if (!target || target.disabled) return;
  const {act, pid, delta} = target.dataset;
  if (act === 'jump') {
    event.preventDefault();
    const title = element.querySelector('#basket-title');
    title.scrollIntoView();
    title.focus();
  } else if (act === 'step') {
    const input = target.parentElement.querySelector('input');
    send(input, Number(input.value) + Number(delta));
  } else trigger('edit', {act, pid: pid ?? null});
});
element.addEventListener('change', event => {
  if (event.target.matches('input[data-pid]')) send(event.target, Number(event.target.value));
});
new IntersectionObserver(([entry]) => element.classList.toggle('is-seen', entry.isIntersecting)).observe(element);
// A morph changes the attribute of a number that was typed over, not the number shown.
watch('value', () => element.querySelectorAll('input[data-pid]').forEach(input => { input.value = input.getAttribute('value'); }));
"""
