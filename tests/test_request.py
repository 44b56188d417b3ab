import pytest

from ecomscript.errors import InputError
from ecomscript.request import clean_text, make_request


def test_keeps_what_a_person_means():
    request = make_request("  Picknick für 4 👩‍👩‍👧 \n im Park ", "80", 4.0, "tent, , alcohol;glass\ntent")
    assert request.goal == "Picknick für 4 👩‍👩‍👧 im Park"
    assert (request.budget_usd, request.people) == (80.0, 4)
    assert request.exclude == ("tent", "alcohol", "glass")


def test_other_languages_stay():
    for text in ("キャンプに行く", "رحلة تخييم", "Поход с детьми", "हिन्दी में योजना"):
        assert make_request(text).goal == text


def test_control_characters_and_bidi_marks_go():
    assert clean_text("a\x00b\u202ec\u2066d\x1be\ud800") == "abcde"
    assert clean_text("a\tb\r\nc\u2028d") == "a b c d"


def test_empty_means_unset():
    request = make_request("", None, "", None)
    assert (request.goal, request.budget_usd, request.people, request.exclude) == ("", None, None, ())


def test_markup_and_templates_stay_text():
    hostile = "<script>x</script> ${alert(1)} {{this}} $50"
    assert make_request(hostile).goal == hostile


def test_lists_are_not_split():
    assert make_request("g", exclude=["salt, fine", "tent"]).exclude == ("salt, fine", "tent")


def test_6000_characters_are_read_and_6001_are_not():
    assert len(make_request("a" * 6000).goal) == 6000
    with pytest.raises(InputError, match=r"6,001 characters, at most 6,000.*Shorten"):
        make_request("a" * 6001)


@pytest.mark.parametrize("budget", [0, -5, "-1", "abc", float("nan"), float("inf"), 1e9, True, [3]])
def test_unusable_budget(budget):
    with pytest.raises(InputError, match="budget"):
        make_request("g", budget)


@pytest.mark.parametrize("people", [0, -1, 1.5, 1001, "many", float("nan"), 10**400])
def test_unusable_people(people):
    with pytest.raises(InputError, match="number of people"):
        make_request("g", None, people)


@pytest.mark.parametrize("exclude", [",".join(map(str, range(21))), "x" * 61, [1], 5])
def test_unusable_exclude(exclude):
    with pytest.raises(InputError):
        make_request("g", exclude=exclude)


@pytest.mark.parametrize("goal", [None, 3, ["x"]])
def test_goal_must_be_text(goal):
    with pytest.raises(InputError, match="not text"):
        make_request(goal)


def test_removed_keys():
    assert make_request("g", removed=["exclude:tent"]).removed == {"exclude:tent"}
    with pytest.raises(InputError):
        make_request("g", removed=[str(i) for i in range(101)])


def test_amounts_as_people_type_them():
    assert make_request("g", " $1,250.50 ").budget_usd == 1250.5
    with pytest.raises(InputError):
        make_request("g", "12,5")
