"""Flaws of a script that knowledge decides, in the tables of ``tables/``: a wrong order, a missing step, a step that cannot be."""
