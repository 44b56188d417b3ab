"""The few helpers that every piece of HTML on the page is made with."""

from __future__ import annotations

import html
from collections.abc import Iterable


def escape(text: object) -> str:
    """Return ``text`` safe inside an element and inside a quoted attribute; every value on the page passes through here."""
    return html.escape(str(text), quote=True)


def compact(markup: str) -> str:
    """Return the same HTML in ASCII: one emoji makes Python hold every letter in four bytes, and Gradio keeps what a visitor saw."""
    return markup.encode("ascii", "xmlcharrefreplace").decode("ascii")


def items(entries: Iterable[str], css_class: str) -> str:
    """Return a list of ready HTML entries, or nothing when there are none."""
    inner = "".join(f"<li>{entry}</li>" for entry in entries)
    return f'<ul class="{css_class}">{inner}</ul>' if inner else ""


def title_parts(title: str) -> tuple[str, str]:
    """Split a marketplace title at its first comma: the name, and the details that may be set smaller."""
    name, comma, details = title.partition(",")
    return name.strip(), details.strip() if comma else ""


def short_title(title: str) -> str:
    """Return the name of a product without its details."""
    return title_parts(title)[0]
