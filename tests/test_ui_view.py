import pytest
from ui_fakes import CONFLICT, SCORES, STEPS, FakePipeline, describe

from ecomscript.errors import CatalogError, InputError
from ecomscript.events import Failed, Finished
from ecomscript.schema import PlanRequest
from ecomscript.ui import texts
from ecomscript.ui.border import watch
from ecomscript.ui.view import PlanView, follow, question_parts


def views(goal, **fields):
    return list(watch(FakePipeline(), PlanRequest(goal, **fields), describe))


def test_steps_arrive_one_by_one():
    seen = views("camping")
    assert [len(v.matched) for v in seen] == [0, 0, 1, 2, 3, 4, 5, 5, 5, 5]
    assert [v.phase for v in seen] == ["working"] * 9 + ["done"]
    assert seen[1].pending == tuple(s.step for s in STEPS)
    assert seen[-1].objective == "Camp with two children for a weekend"
    assert len(seen[-1].products) == 8


def test_verdicts_arrive_after_the_steps():
    seen = views("clash camping")
    assert [v.checked for v in seen[-4:]] == [(), ("t1",), ("t1", "t3"), ("t1", "t3")]
    assert seen[-3].script_verdict.places == (2, 4) and seen[-3].bundle_verdict is None
    assert seen[-1].conflicts == seen[-2].conflicts == (CONFLICT,)
    assert seen[-1].t2 == SCORES


def test_expected_and_unexpected_errors_end_in_one_sentence(caplog):
    assert views("fail")[-1].message == "The index folder is damaged. Build it again with make index."
    last = views("boom")[-1]
    assert (last.phase, last.message) == ("failed", texts.NEUTRAL_ERROR)
    assert "secret traceback text" in caplog.text


@pytest.mark.parametrize(
    ("events", "message"), [([], texts.NEUTRAL_ERROR), (CatalogError("A row is broken", "Mend it."), "A row is broken. Mend it.")]
)
def test_a_stream_that_ends_early(events, message):
    class Broken:
        def product(self, product_id):
            return None

        def stream(self, request):
            if isinstance(events, Exception):
                raise events
            yield from events

    assert list(watch(Broken(), PlanRequest("x"), describe))[-1].message == message


def test_chips_lead_to_requests():
    view = views("something for dad", budget_usd=90.0, exclude=("tent", "glass"))[-1]
    assert follow(view, {"act": "example", "index": 1}) == PlanRequest(texts.EXAMPLES[1])
    assert follow(view, {"act": "answer", "index": 0, "option": 1}).goal == "something for dad, sport and travel"
    less = follow(view, {"act": "unset", "key": "exclude:tent"})
    assert (less.exclude, less.removed, less.budget_usd) == (("glass",), {"exclude:tent"}, 90.0)
    assert follow(view, {"act": "unset", "key": "budget_usd"}).budget_usd is None
    assert follow(view, {"act": "unset", "key": "owned:cool box"}).removed == {"owned:cool box"}


@pytest.mark.parametrize(
    "payload",
    [
        None,
        [],
        "unset",
        {},
        {"act": "unset"},
        {"act": "unset", "key": ["x"]},
        {"act": "unset", "key": "people"},
        {"act": "unset", "key": "__class__"},
        {"act": "example", "index": 6},
        {"act": "example", "index": -1},
        {"act": "example", "index": True},
        {"act": "example", "index": "1"},
        {"act": "answer", "index": 0},
        {"act": "answer", "index": 0, "option": 9},
        {"act": "answer", "index": 9, "option": 0},
    ],
)
def test_forged_chips_are_refused(payload):
    with pytest.raises(InputError, match="Reload"):
        follow(views("something for dad")[-1], payload)
    with pytest.raises(InputError):
        follow(PlanView(), payload)


def test_questions_are_split_from_their_starting_points():
    assert question_parts("How many? — up to 6 — about 12").options == ("up to 6", "about 12")
    assert question_parts("How many?").options == ()


def test_the_fakes_speak_the_contract():
    assert isinstance(list(FakePipeline().stream(PlanRequest("camping")))[-1], Finished)
    assert isinstance(list(FakePipeline().stream(PlanRequest("fail")))[-1], Failed)
