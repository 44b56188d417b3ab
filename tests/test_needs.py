"""From what a writer calls a thing to a kind of the catalogue."""

import pytest
from fakes import HashEncoder

from ecomscript.planning.needs import NeedFinder

PLACE = "Set up a place", "Take the family on a first camping weekend"


@pytest.fixture(scope="module")
def finder(tiny_parts):
    return NeedFinder(tiny_parts[0], HashEncoder().encode)


@pytest.mark.parametrize(
    ("called", "kind"),
    [
        ("family tent", "family tent"),
        ("Camp stoves", "camp stove"),
        ("birthday candles", "birthday candle set"),
        ("a camping lantern", "camping lantern"),
    ],
)
def test_a_kind_is_found_by_its_head_word(finder, called, kind):
    assert finder.find(called, *PLACE) == kind


@pytest.mark.parametrize("called", ["", "the", "unicorn horn", "tent pole", "lantern oil", "set", "🎪", "p1", "x" * 500])
def test_what_is_called_otherwise_is_not(finder, called):
    assert finder.find(called, *PLACE) is None
