"""Counts of a catalogue, for the data card: they are printed, never typed."""

from __future__ import annotations

from pathlib import Path

from ecomscript.folders import fingerprint
from ecomscript.planning.library import wordings
from index_build.sources import read_catalogue


def stats(source: Path) -> dict[str, int | str]:
    """Return the counts of a catalogue and its fingerprint.

    Raises:
        CatalogError: A row cannot be used.
    """
    catalogue = read_catalogue(source)
    return {
        "kinds": len(catalogue.kinds),
        "products": len(catalogue.products),
        "brands": len({p.brand for p in catalogue.products}),
        "intentions": len(catalogue.intentions),
        "scripts": len(catalogue.scripts),
        "wordings": sum(len(wordings(script)) for script in catalogue.scripts),
        "steps": sum(len(script.steps) for script in catalogue.scripts),
        "needs": sum(len(step.needs) for script in catalogue.scripts for step in script.steps),
        "sha256": fingerprint(source),
    }
