"""A written plan beside the library's: what may not be left out."""

import numpy as np
import pytest

from ecomscript.planning.complete import complete
from ecomscript.planning.draft import MOST
from ecomscript.schema import Step

TEXTS = ("sleep", "cook", "light", "walk")


def encode(texts):
    """Steps whose first words are equal do the same job."""
    return np.stack([np.eye(len(TEXTS) + 1, dtype=np.float32)[TEXTS.index(w) if (w := text.split()[0]) in TEXTS else -1] for text in texts])


def own(text, *needs, buys=None):
    return Step(f"w-{text}", text, needs, buys=buys)


def ready(text, **needs):
    return Step(f"s-{text}", text, tuple(needs), tuple(needs.values()), buys=True)


def kinds(steps):
    return [(step.text, step.needs) for step in steps]


def test_a_plan_that_meets_everything_stays_as_it_is():
    written = (own("sleep well", "tent"), own("cook soup", "stove"))
    found = complete(written, (ready("sleep dry", tent=0.9), ready("cook", stove=0.4)), encode)
    assert (found.steps, found.added) == (written, ())


def test_without_a_plan_of_the_library_nothing_is_left_out():
    assert complete((own("walk"),), (), encode).steps == (own("walk"),)


def test_a_missing_need_goes_into_the_step_that_does_the_job_and_turns_its_mark():
    found = complete((own("sleep well", "tent"), own("cook soup", buys=False)), (ready("cook", stove=0.7, pan=0.1),), encode)
    assert kinds(found.steps) == [("sleep well", ("tent",)), ("cook soup", ("stove",))]
    assert (found.steps[1].buys, found.steps[1].need_weights, found.added) == (True, (0.7,), ())


def test_own_needs_keep_their_falling_weight():
    (step,) = complete((own("sleep", "tent", "mat"),), (ready("sleep dry", lamp=0.3),), encode).steps
    assert (step.needs, step.need_weights) == (("tent", "mat", "lamp"), (1.0, 0.5, 0.3))


def test_what_no_step_does_comes_along_at_its_place():
    library = (ready("sleep", tent=0.9), ready("cook", stove=0.8), ready("light", lamp=0.5))
    found = complete((own("sleep", "tent"), own("walk")), library, encode)
    assert kinds(found.steps) == [("sleep", ("tent",)), ("cook", ("stove",)), ("walk", ()), ("light", ("lamp",))]
    assert found.added == ("stove", "lamp")


def test_a_step_that_is_there_and_full_is_not_said_twice():
    written = own("cook", "a", "b", "c"), own("walk"), own("light", "x", "y", "z")
    found = complete(written, (ready("cook", stove=0.9),), encode)
    assert kinds(found.steps) == [("cook", ("a", "b", "c")), ("walk", ("stove",)), ("light", ("x", "y", "z"))]
    assert found.added == ()


def test_a_full_plan_takes_a_step_more():
    found = complete((own("cook", "a", "b", "c"),), (ready("cook again", stove=0.9),), encode)
    assert kinds(found.steps) == [("cook", ("a", "b", "c")), ("cook again", ("stove",))]
    assert found.added == ("stove",)


@pytest.mark.parametrize(("chance", "added"), [(0.19, ()), (0.2, ("lamp",))])
def test_only_what_is_sure_is_added(chance, added):
    assert complete((own("walk"),), (ready("light", lamp=chance),), encode).added == added


def test_of_a_near_plan_the_rest_comes_along_too_while_there_is_room():
    written = tuple(own(f"step {n}") for n in range(MOST - 2))
    library = ready("light", lamp=0.11), ready("cook", pan=0.15), ready("sleep", tent=0.3)
    assert complete(written, library, encode).added == ("tent",)
    found = complete(written, library, encode, near=True)
    assert found.added == ("pan", "tent")
    assert len(found.steps) == MOST


def test_of_needs_for_one_place_the_likelier_gets_it():
    (step,) = complete((own("cook", "a", "b"),), (ready("cook well", salt=0.3, stove=0.9),), encode, near=True).steps[:1]
    assert step.needs == ("a", "b", "stove")


def test_a_plan_that_would_grow_too_long_cannot_be_completed():
    written = [own(f"step {n}") for n in range(MOST)]
    assert complete(written[:-1], (ready("cook", stove=0.9),), encode) is not None
    assert complete(written, (ready("cook", stove=0.9),), encode) is None
