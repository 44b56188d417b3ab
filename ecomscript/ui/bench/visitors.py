"""The live page of visitors' ratings."""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Lock

from ecomscript.errors import FeedbackError
from ecomscript.evaluation.exhibits.visitors import QUESTION, visitors_exhibit
from ecomscript.feedback.store import FeedbackStore
from ecomscript.ui import texts
from ecomscript.ui.bench.page import exhibit_html


@dataclass(slots=True)
class Ratings:
    """Draws what is stored; again only when a rating has come since."""

    store: FeedbackStore
    _drawn: tuple[int, str] = (-1, "")
    _lock: Lock = field(default_factory=Lock)

    def html(self) -> str:
        """Return the page as of now; where the file cannot be read it says so."""
        try:
            with self._lock:
                last = self.store.last()
                if last != self._drawn[0]:
                    self._drawn = (last, self._draw())
                return self._drawn[1]
        except FeedbackError:
            return _page(f'<p class="es-problem" role="status">{texts.RATINGS_PROBLEM}</p>')

    def _draw(self) -> str:
        exhibit = visitors_exhibit(self.store.read())
        if not exhibit.tables:
            return _page(f'<section class="es-panel"><p class="es-not-run">{texts.RATINGS_NONE}</p></section>')
        return f'<p class="es-live">{texts.RATINGS_LIVE}</p>{exhibit_html(exhibit)}'


def _page(inside: str) -> str:
    head = f'<header><h2 id="x">{texts.RATINGS_TITLE}</h2><p class="es-question">{QUESTION}</p></header>'
    return f'<article class="es-exhibit" aria-labelledby="x">{head}{inside}</article>'
