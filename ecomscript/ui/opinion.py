"""A second opinion of a language model where a verifier is unsure: said beside the verifier's, and changing nothing."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import replace
from typing import Any

from ecomscript.errors import InputError, LanguageModelError
from ecomscript.llm.own import OwnKey
from ecomscript.ui import texts
from ecomscript.ui.border import Planner, heard, inside
from ecomscript.ui.trust import Backing, asks_second, claimed
from ecomscript.ui.view import PlanView, SecondOpinion
from ecomscript.verification.claims import TASKS, Claim


def consulting(
    view: PlanView, payload: Any, planner: Planner, backing: Backing, visitor: str = "", own: OwnKey | None = None
) -> Generator[PlanView, None, None]:
    """Yield the plan while a language model judges it or a product, and at last the plan with what the model said.

    Closing the generator ends the question.

    Args:
        view: What the visitor sees.
        payload: ``{"key": "t1"}``, ``{"key": "t2", "pid": "p17"}`` or ``{"key": "t3"}``; comes from the browser, so anything is possible.
        planner: Asks the model.
        backing: What is known of the verifiers.
        visitor: On whose behalf.
        own: The visitor's own key.

    Raises:
        InputError: There is no such opinion to ask for on this page, or a plan is being made.
    """
    claim = _asked_for(view, payload, backing)
    waiting = replace(view, phase="working", consulting=claim)
    yield waiting
    usage = view.usage
    try:
        opinion, used = yield from heard(planner.second_opinion(claim, visitor, own), waiting)
        second, usage = SecondOpinion(claim, opinion), usage + used
    except LanguageModelError as error:
        second = SecondOpinion(claim, problem=inside(error))
    others = tuple(one for one in view.opinions if one.claim != claim)
    yield replace(view, opinions=(*others, second), usage=usage)


def _asked_for(view: PlanView, payload: Any, backing: Backing) -> Claim:
    if view.phase == "working":
        raise InputError(*texts.EDIT_BUSY)
    data: Mapping[str, Any] = payload if isinstance(payload, Mapping) else {}
    task = next((task for task in TASKS if task == data.get("key")), None)
    found = claimed(view, task, str(data.get("pid"))) if task else None
    if found is None or not asks_second(view, *found, backing):
        raise InputError(*texts.STALE)
    return found[0]
