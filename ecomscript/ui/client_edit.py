"""The JavaScript of the edits: menus put beside their buttons, forms turned into events, and the focus kept where the person is."""

from __future__ import annotations

EDIT_JS = """
const beside = menu => {
  const at = element.querySelector(`[popovertarget="${CSS.escape(menu.id)}"]`).getBoundingClientRect(), edge = 12;
  const below = at.bottom + 4, above = at.top - 4 - menu.offsetHeight;
  menu.style.left = Math.max(edge, Math.min(at.left, innerWidth - menu.offsetWidth - edge)) + 'px';
  menu.style.top = Math.max(edge, below + menu.offsetHeight > innerHeight - edge && above > edge ? above : below) + 'px';
};
const menu = () => element.querySelector('.es-menu:popover-open');
element.addEventListener('toggle', event => {
  if (event.newState === 'open' && event.target.matches('.es-menu')) beside(event.target);
}, true);
addEventListener('scroll', () => { const open = menu(); if (open) beside(open); }, {passive: true});
// What was asked for last, so that the focus can follow it when the plan has changed.
let asked = null;
const ask = (from, payload) => {
  const step = from.closest('[data-step]'), place = from.closest('[data-place]');
  const steps = [...element.querySelectorAll('[data-step]')];
  const chip = from.matches('.es-chip');
  asked = {act: payload.act, chip, text: payload.text, step: step?.dataset.step, place: place?.dataset.place, index: steps.indexOf(step)};
  menu()?.hidePopover();
  trigger('edit', {step: step?.dataset.step ?? null, ...payload});
};
element.addEventListener('click', event => {
  const button = event.target.closest('button[data-edit]');
  if (!button || button.disabled || (button.dataset.edit === 'swap' && event.detail > 1)) return;
  const {edit, pid, swap, text} = button.dataset;
  ask(button, {act: edit, pid: pid ?? null, swap: swap ?? null, text: text ?? null});
});
element.addEventListener('submit', event => {
  const form = event.target.closest('form[data-form]');
  if (!form) return;
  event.preventDefault();
  ask(form, {act: form.dataset.form, text: form.elements.text.value});
});
element.addEventListener('input', event => {
  const list = event.target.closest('.es-choose');
  if (!list) return;
  const most = parseFloat(list.querySelector('[name=under]').value), four = list.querySelector('[name=four]').checked;
  const options = [...list.querySelectorAll('.es-option')];
  for (const option of options) {
    const {price, rating} = option.dataset;
    option.hidden = (most > 0 && !(parseFloat(price) <= most)) || (four && !(parseFloat(rating) >= 4));
  }
  list.querySelector('.es-none').hidden = options.some(option => !option.hidden);
});
const named = (name, value) => value && element.querySelector(`[data-${name}="${CSS.escape(value)}"]`);
const target = ({act, chip, step, place, index}) => {
  if (act === 'refine') return element.querySelector(chip ? '.es-refine .es-chip' : '[data-form=refine] input');
  if (act === 'add') return element.querySelector('[data-form=add] input');
  if (act === 'choose') return element.querySelector('.es-choose h4');
  if (act === 'undo' || act === 'redo') return element.querySelector(`[data-edit=${act}]:enabled`);
  const card = named('place', place)?.querySelector('.es-more');
  return card ?? (named('step', step) ?? element.querySelectorAll('[data-step]')[index])?.querySelector('.es-more');
};
watch('value', () => {
  // A morph changes the attribute of a text that was typed over, not the text shown; what is being typed stays.
  for (const input of element.querySelectorAll('[data-form=rename] input')) {
    if (input !== document.activeElement) input.value = input.getAttribute('value');
  }
  if (asked?.act === 'refine' && element.querySelector('.es-refine input:disabled')) return;  // a language model is reading it
  const typed = (asked?.act === 'add' || asked?.act === 'refine') && element.querySelector(`[data-form=${asked.act}] input`);
  if (typed && typed.value === asked.text) typed.value = typed.getAttribute('value');
  if (asked && !menu() && (document.activeElement === document.body || element.contains(document.activeElement))) {
    (target(asked) ?? element.querySelector('h2'))?.focus();
  }
  asked = null;
});
"""
