"""The notes by which one step of a plan speaks of a product at another: written once, and kept true when the plan changes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from ecomscript.schema import MatchedStep

_SHARED = re.compile(r" ?(?:Uses the (.+?) from step \d+|Needs the (.+?) too(?:: see step \d+)?)\.(?= |$)")


def uses_from(kind: str, step: int) -> str:
    """Return that a step uses what another one, counted from 1, shows."""
    return f"Uses the {kind} from step {step}."


def needs_too(kind: str, step: int | None = None) -> str:
    """Return that a step needs what is not shown, with the step, counted from 1, that says why."""
    return f"Needs the {kind} too{'' if step is None else f': see step {step}'}."


def left_out(names: Sequence[str], budget_usd: float) -> str:
    """Return what a step does without to keep a budget."""
    return f"Left out to stay within {f'${budget_usd:,.2f}'.removesuffix('.00')}: {', '.join(names)}."


def dear_kind(kind: str, usd: float) -> str:
    """Return a kind for ``left_out`` with what the cheapest of it costs."""
    return f"{kind} (from ${usd:,.2f})"


def already_have(kind: str) -> str:
    """Return that the person has what a step needs."""
    return f"You already have the {kind}."


def as_asked(kind: str) -> str:
    """Return that a step does without what the person ruled out."""
    return f"Without {kind}, as you asked."


def none_fits(kind: str, reason: str) -> str:
    """Return why a step shows nothing of a kind."""
    return f"No {kind} in this catalogue fits: {reason}."


def without_kind(note: str, kind: str) -> str:
    """Return a note without the sentences that say that a kind is not shown."""
    name = re.escape(kind)
    note = re.sub(rf"(?:, {name} \(from \$[\d,.]+\)|(?<=: ){name} \(from \$[\d,.]+\)(?:, )?)", "", note)
    note = re.sub(r" ?Left out to stay within \$[\d,.]+: \.", "", note)
    gone = rf" ?(?:You already have the {name}\.|Without {name}, as you asked\.|No {name} in this catalogue fits: .*?\.)(?= |$)"
    return re.sub(gone, "", note).strip()


def refreshed(steps: Sequence[MatchedStep]) -> tuple[MatchedStep, ...]:
    """Return the steps with such notes made true again, after steps or products have moved, come or gone."""
    shown = [{match.product.kind for match in matched.matches} for matched in steps]
    place = {kind: n for n, kinds in reversed([*enumerate(shown)]) for kind in kinds}

    def note(matched: MatchedStep, own: int) -> str:
        def again(found: re.Match[str]) -> str:
            kind = found[1] or found[2]
            if kind in shown[own]:
                return ""
            return f" {uses_from(kind, place[kind] + 1) if kind in place else needs_too(kind)}"

        return _SHARED.sub(again, matched.note).strip()

    return tuple(replace(matched, note=note(matched, n)) for n, matched in enumerate(steps))
