"""What can be wrong with a row of a table of rules; for the tests of each kind of table."""

import re


def pattern_faults(pattern, where):
    """Yield what is wrong with one pattern of the tables, which is searched in folded text."""
    if not isinstance(pattern, str):
        yield f"{where} is no text: {pattern!r}"
        return
    try:
        re.compile(pattern)
    except re.error as error:
        yield f"{where} does not compile ({error}): {pattern}"
        return
    if re.search("[A-Z]", re.sub(r"\(\?P<|\\[A-Z]", "", pattern)):
        yield f"{where} has capitals, which no folded text has: {pattern}"
    if "||" in pattern or "(|" in pattern or re.search(r"(?<!\\)\|(?:\)|$)|^\|", pattern):
        yield f"{where} has an empty alternative: {pattern}"


def why_faults(row):
    why = row.get("why", "x")
    if not isinstance(why, str) or not why.strip() or why != why.strip() or why.endswith((".", "!", ";", ",")) or ". " in why:
        yield f"why is no clause without a full stop: {why!r}"


def key_faults(row, required, optional):
    if missing := required - row.keys():
        yield f"lacks {sorted(missing)}"
    if unknown := row.keys() - required - optional:
        yield f"has unknown keys {sorted(unknown)}"


def faults_of_rows(name, rows, row_faults, called):
    """Return every fault of the rows of a file, told with the row's place and with what it is called."""
    return [f"{name} row {place} ({called(row)}): {fault}" for place, row in enumerate(rows, 1) for fault in row_faults(row)]
