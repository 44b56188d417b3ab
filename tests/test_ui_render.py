import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from ui_fakes import CARDS, HOSTILE, PRODUCTS, STEPS, views

from ecomscript.schema import ConstraintItem, PlanRequest, Usage
from ecomscript.ui import texts
from ecomscript.ui.about import about_html
from ecomscript.ui.basket import Basket
from ecomscript.ui.markup import escape, title_parts
from ecomscript.ui.render import plan_html, status_html, tile
from ecomscript.ui.render_basket import basket_html
from ecomscript.ui.render_why import why_html
from ecomscript.ui.trust import Backing
from ecomscript.ui.view import Change, PlanView

BACKING = Backing(CARDS, (), PRODUCTS.get)


class Tags(HTMLParser):
    def __init__(self, markup):
        super().__init__()
        self.found, self.text, self.open = [], "", []
        self.feed(markup)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))
        if tag not in {"img", "input"}:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


ALL = [
    "camping under $250",
    "clash camping",
    "something for dad",
    "clarify",
    "clarify something",
    "redirect",
    "refuse",
    "fail",
    "boom",
    "hostile",
]


@pytest.mark.parametrize("goal", ALL)
def test_every_view_is_well_formed_and_has_known_tags_only(goal):
    for view in [PlanView(), *views(goal)]:
        tags = Tags(plan_html(view, BACKING) + status_html(view))
        assert {t for t, _ in tags.found} <= {
            *("section", "header", "div", "ol", "ul", "li", "h2", "h3", "h4", "p", "span", "button", "article", "a", "q", "b", "i"),
            *("form", "label", "input", "details", "summary"),
        }
        assert not [name for _, attrs in tags.found for name in attrs if name.startswith("on")]


def test_hostile_texts_are_shown_as_they_are():
    view = replace(
        views("hostile")[-1], chips=(ConstraintItem('"><script>', "<script>alert(1)</script>"),), notices=HOSTILE, objective=HOSTILE[0]
    )
    basket = Basket().add(view.products)
    tags = Tags(plan_html(view) + basket_html(basket, HOSTILE[0], 3.0))
    assert all(text.split(",")[0] in tags.text for text in HOSTILE)
    assert "script" not in {t for t, _ in tags.found}
    assert "img" not in {t for t, _ in tags.found}
    assert not [a["href"] for t, a in tags.found if t == "a" and not a["href"].startswith(("https:", "data:", "#"))]


def test_escape_covers_text_and_attributes():
    assert escape("<a href='x\">&") == "&lt;a href=&#x27;x&quot;&gt;&amp;"


def test_a_card_says_what_a_shopper_asks():
    text = Tags(plan_html(views("camping")[-1])).text
    for part in (
        "Cairnfold Ridgeline 4-Person Tent",
        "$149.00",
        "Rated 4.6 of 5 by 1,184",
        "strong match 0.78",
        "loose match 0.43",
        "Price not listed",
    ):
        assert part in text


def test_notes_tell_quiet_steps_from_empty_ones():
    markup = plan_html(views("camping")[-1])
    assert markup.count("es-step is-quiet") == 1
    assert texts.NOTHING_NEEDED in markup
    assert texts.NOTHING_SUITABLE in markup


def test_no_intention_twice():
    match = replace(STEPS[1].matches[0], why='People buy it to "sleep dry with the whole family on a first camping weekend"')
    step = replace(STEPS[1], matches=(match,))
    view = PlanView(request=PlanRequest("x"), phase="done", status="plan", script=(step.step,), matched=(step,))
    at_a_glance = re.sub(r"<details.*?</details>", "", plan_html(view))  # the closed reasons say it once more
    assert Tags(at_a_glance).text.count("sleep dry with") == 1


def test_working_shows_what_is_coming_and_stopped_says_what_is_not():
    view = views("camping under $250")[3]
    assert "es-bone" in plan_html(view)
    assert "step 3 of 5" in status_html(view)
    assert 'data-act="all" disabled' in plan_html(view)
    stopped = replace(view, phase="stopped")
    assert "es-bone" not in plan_html(stopped)
    assert plan_html(stopped).count(texts.NOT_REACHED) == 3


def test_near_plans_are_offered_until_the_plan_is_edited():
    done = views("camping near the sea")[-1]
    html = plan_html(done)
    assert '<details class="es-near" open>' in html
    assert "Pack for a &lt;cruise&gt;" in html
    assert 'class="es-near">' in plan_html(replace(done, confidence="ready"))  # a ready plan folds them away
    edited = replace(done, past=(Change(done, (), "remove"),))
    for other in (edited, replace(done, confidence=None), views("camping")[-1]):
        assert "es-near" not in plan_html(other)
    waiting = next(v for v in views("camping near the sea") if v.matched)
    assert 'data-act="like" data-index="0" disabled' in plan_html(waiting)


def test_refusals_have_no_heading_no_alert_and_no_products():
    markup = plan_html(views("refuse")[-1])
    assert "988" in markup
    for tag in ("<h2", "role=", "es-card", "es-chip"):
        assert tag not in markup
    assert "es-chip" in plan_html(views("clarify")[-1])


def test_a_failure_keeps_the_plan():
    view = replace(views("camping")[-1], phase="failed", message="Cause. Fix.")
    assert 'role="alert"' in plan_html(view)
    assert plan_html(view).count("es-card-body") == 8


def test_pictures_only_from_safe_addresses():
    tent = PRODUCTS["tent"]
    for url in ("javascript:alert(1)", "data:image/svg+xml,x", "ftp://example.org/a.png", "//example.org/a.png", '"><script>', ""):
        assert tile(replace(tent, image_url=url)) == tile(tent)
    for url in ("https://example.org/a.png", "http://example.org/a.png?a=1&b=\"><script>"):
        found = Tags(tile(replace(tent, image_url=url))).found
        assert [tag for tag, _ in found] == ["span", "span", "img"]
        attrs = found[-1][1]
        assert (attrs["src"], attrs["loading"], attrs["referrerpolicy"]) == (url, "lazy", "no-referrer")
        assert attrs["alt"] == texts.PICTURE.format(title="Cairnfold Ridgeline 4-Person Tent")


def test_a_hostile_title_stays_inside_the_words_for_a_picture():
    for name, product in PRODUCTS.items():
        if name.startswith("hostile"):
            (*_, (tag, attrs)) = Tags(tile(replace(product, image_url="https://example.org/a.png"))).found
            assert tag == "img" and set(attrs) == {"src", "alt", "loading", "decoding", "referrerpolicy"}


def test_reasons_that_were_taken_over_say_so():
    own, lent = STEPS[1].matches[0], replace(STEPS[1].matches[0].product, transferred_from=("family <tent>", "tarp"))
    assert texts.WHY_TRANSFERRED not in why_html(own, "Pitch", PlanView(), Backing())
    markup = why_html(replace(own, product=lent), "Pitch", PlanView(), Backing())
    assert texts.WHY_BOUGHT_LIKE in markup and texts.WHY_BOUGHT + ":" not in markup
    assert "written for any family &lt;tent&gt; or tarp;" in markup


def test_links_are_pages_or_marked_searches():
    def anchor(product):
        match = replace(STEPS[1].matches[0], product=product)
        step = replace(STEPS[1], matches=(match,))
        markup = plan_html(PlanView(request=PlanRequest("x"), phase="done", status="plan", script=(step.step,), matched=(step,)))
        return next(attrs for tag, attrs in Tags(markup).found if tag == "a"), markup

    attrs, markup = anchor(replace(PRODUCTS["tent"], kind="tent & fly"))
    assert attrs["href"] == "https://duckduckgo.com/?q=tent+%26+fly"
    assert attrs["rel"] == "noopener noreferrer nofollow"
    assert texts.WEB_SEARCH in markup
    attrs, markup = anchor(replace(PRODUCTS["tent"], page_url="https://shop.example/p?a=1&b=2"))
    assert attrs["href"] == "https://shop.example/p?a=1&b=2"
    assert texts.WEB_SEARCH not in markup


@pytest.mark.parametrize(
    ("cosine", "words"), [(0.9, "strong"), (0.7, "strong"), (0.69, "good"), (0.5, "fair"), (0.2, "loose"), (-1.0, "loose")]
)
def test_similarity_words(cosine, words):
    assert texts.similarity_words(cosine).startswith(words)


def test_titles_are_split_at_the_first_comma():
    assert title_parts("Tent, 4 kg, Green") == ("Tent", "4 kg, Green")
    assert title_parts("Tent") == ("Tent", "")


def test_about_shows_the_facts_it_is_given_and_no_measured_number():
    markup = about_html({"products": 8446})
    assert "8,446" in markup
    assert texts.ABOUT_DATA_TITLE not in about_html({})
    assert not re.search(r"\d%", Tags(markup).text)


def test_a_plan_that_is_being_written_says_so_and_shows_where_it_goes_on():
    view = replace(views("camping")[2], script=tuple(s.step for s in STEPS[:1]), writing=True)
    assert texts.STAGE_WRITING.format(next=2) in Tags(status_html(view)).text
    assert plan_html(view).count("es-bone is-line") == 1
    assert plan_html(replace(view, phase="stopped")).count("es-bone") == 0


@pytest.mark.parametrize(("cost", "words"), [(None, "1,234 tokens of a language model"), (0.00042, "about $0.0004"), (1.5, "about $1.50")])
def test_tokens_and_cost_are_told(cost, words):
    view = views("camping")[-1]
    assert words in Tags(plan_html(replace(view, usage=Usage(1, 1000, 234, cost)))).text
    assert "tokens" not in plan_html(view)
