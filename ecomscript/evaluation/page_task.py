"""What a person waits for, measured in a real browser: the page, the first step, the verified plan, an edit.

Needs Playwright (requirements-dev.txt) and a Chromium. Seconds are taken in the page from the click to the change on the screen. Every
goal is planned once and each size of screen has an app of its own, so that no verdict is one that is remembered.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ecomscript.errors import EcomScriptError
from ecomscript.evaluation.metrics import p50_p95
from ecomscript.evaluation.served import served_app

if TYPE_CHECKING:
    from playwright.sync_api import Page

ARGS = ["--no-sandbox", "--disable-gpu"]
SIZES: Mapping[str, Any] = {"desktop": {"width": 1280, "height": 900}, "phone": {"width": 390, "height": 844}}
GOALS = (
    "host a backyard barbecue for 12",
    "first camping weekend with a toddler under $250",
    "start home brewing in a small flat",
    "paint the nursery before the baby comes",
    "train for a first half marathon",
    "repair a leaking kitchen tap",
    "plant a balcony herb garden",
    "weekend city break with hand luggage only",
)
# Resolves with the milliseconds from the click until each condition holds, checked at every frame.
_TIMED = """([click, ...conditions]) => {
  const started = performance.now();
  document.querySelector(click).click();
  return Promise.all(conditions.map(condition => new Promise((resolve, reject) => {
    const holds = new Function('return ' + condition);
    const look = () => {
      const waited = performance.now() - started;
      if (holds()) resolve(waited);
      else if (waited > 30000) reject(new Error(`not within 30 seconds: ${condition}`));
      else requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  })));
}"""
_READY = "() => document.querySelector('#goal :is(textarea, input)') && document.querySelector('#plan section, #plan header')"
_STATUS = "(document.querySelector('#status [role=status] .es-status')?.innerText ?? '')"
_FIRST = "document.querySelector('#plan .es-step .es-card, #plan .es-step:nth-child(2)') && !document.querySelector('#plan .es-skeleton')"
_CHANGES = {
    "remove a step": "#plan [data-edit=remove]:not([disabled])",
    "a cheaper product": "#plan [data-edit=cheaper]:not([disabled])",
    "the whole plan cheaper": "#plan .es-refine .es-chip[data-text=cheaper]",
}
REST_MS = 300


def rows(chromium: Path, goals: Sequence[str] = GOALS) -> list[dict[str, Any]]:
    """Return one row for each size of screen and each thing to wait for.

    Raises:
        EcomScriptError: There is no browser, or the app does not start.
    """
    try:
        from playwright.sync_api import sync_playwright  # noqa: PLC0415  (only for development)
    except ImportError as error:
        raise EcomScriptError("Playwright is not installed", "Run `pip install -r requirements-dev.txt`.") from error
    if not chromium.exists():
        raise EcomScriptError(f"{chromium} is missing", "Install Debian's chromium package or set ECOMSCRIPT_CHROMIUM.")
    found: list[dict[str, Any]] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(chromium), args=ARGS)
        for size, viewport in SIZES.items():
            seconds: dict[str, list[float]] = defaultdict(list)
            with served_app() as app:
                for goal in goals:
                    page = browser.new_context(viewport=viewport, has_touch=size == "phone").new_page()
                    _one_visit(page, app.url, goal, seconds)
                    page.context.close()
            found += [_row(size, what, times) for what, times in seconds.items()]
        browser.close()
    return found


def _one_visit(page: Page, url: str, goal: str, seconds: dict[str, list[float]]) -> None:
    page.goto(url, wait_until="commit")
    page.wait_for_function(_READY)
    seconds["page ready"].append(page.evaluate("performance.now()") / 1000)
    page.locator("#goal").locator("textarea, input").fill(goal)
    _time(page, seconds, "#plan-button", {"first step": _FIRST, "verified plan": f"{_STATUS}.startsWith('Done in')"})
    for what, button in _CHANGES.items():
        if page.locator(button).count():
            _time(page, seconds, button, {what: f"{_STATUS} !== {json.dumps(page.evaluate(_STATUS))}"})


def _time(page: Page, seconds: Mapping[str, list[float]], button: str, until: Mapping[str, str]) -> None:
    """Click, and note the seconds until each condition holds, by what is waited for; then let the page come to rest."""
    took = page.evaluate(_TIMED, [button, *until.values()])
    for what, milliseconds in zip(until, took, strict=True):
        seconds[what].append(milliseconds / 1000)
    page.wait_for_timeout(REST_MS)


def _row(size: str, what: str, times: Sequence[float]) -> dict[str, Any]:
    return {"screen": size, "what": what, "times": len(times), **p50_p95(times, 3)}
