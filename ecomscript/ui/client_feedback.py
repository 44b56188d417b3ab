"""The JavaScript of thumbs and sheet: clicks become events, and what the visitor has given is painted.

``props.rated`` holds what was given in this visit, by subject and thing, and what to say where the last answer was given.
"""

from __future__ import annotations

RATE_JS = """
const keyOf = place => place.dataset.subject + ' ' + place.dataset.thing;
let filled = '';
const press = () => {
  const given = props.rated?.given ?? {};
  for (const place of element.querySelectorAll('.es-asked')) {
    const useful = given[keyOf(place)]?.useful;
    for (const one of place.querySelectorAll('[data-useful]')) one.setAttribute('aria-pressed', Number(one.dataset.useful) === useful);
  }
  const form = element.querySelector('.es-sheet form');
  if (!form || filled === keyOf(form)) return;
  // Another plan: what was chosen for the one before does not stand for it.
  filled = keyOf(form);
  form.reset();
  for (const [name, mark] of Object.entries(given[filled] ?? {})) form.elements[name].value = String(mark);
};
const thank = () => {
  const {key, said} = props.rated ?? {};
  const place = key && [...element.querySelectorAll('[data-thing]')].find(one => keyOf(one) === key);
  if (place) place.querySelector('.es-thanks').textContent = said;
};
const rate = (place, marks, consent = false) => {
  place.querySelector('.es-thanks').textContent = '';
  trigger('rate', {subject: place.dataset.subject, thing: place.dataset.thing, marks, consent});
};
element.addEventListener('click', event => {
  const thumb = event.target.closest('button[data-useful]');
  if (!thumb) return;
  const pressed = thumb.getAttribute('aria-pressed') === 'true';
  rate(thumb.closest('[data-thing]'), pressed ? {} : {useful: Number(thumb.dataset.useful)});
});
element.addEventListener('submit', event => {
  const form = event.target.closest('.es-sheet form');
  if (!form) return;
  event.preventDefault();
  const marks = [...form.querySelectorAll('input[type=radio]:checked')].map(mark => [mark.name, Number(mark.value)]);
  rate(form, Object.fromEntries(marks), form.elements.consent.checked);
});
watch('value', press);
watch('rated', () => { press(); thank(); });
press();
"""
