"""Small words: lists of names and their articles."""

import pytest

from ecomscript.words import both, with_article


@pytest.mark.parametrize(("names", "said"), [(["A"], "A"), (["A", "B"], "A and B"), (["A", "B", "C"], "A, B and C")])
def test_names_are_joined_as_people_do(names, said):
    assert both(names) == said


@pytest.mark.parametrize(
    ("name", "said"),
    [("tent", "a tent"), ("area rug", "an area rug"), ("hiking socks", "hiking socks"), ("compass", "a compass"), ("shelves", "shelves")],
)
def test_a_plural_has_no_article(name, said):
    assert with_article(name) == said
