"""The feedback page: what it says, what it keeps to itself, and that everyone can read it."""

import re
from dataclasses import replace
from importlib.resources import files
from itertools import pairwise

import pytest
from nbformat.v4 import new_code_cell, new_notebook
from page_kit import ATTACKS, EXPECTED, Page, marks, notebook, wrong_line

from autograder.exercises import load
from autograder.views.feedback import Given, Gradebook, feedback_page

CARLA = marks(
    dW1=wrong_line("dW1", -EXPECTED, mistakes=("sign",), message="The sign is wrong."),
    remarks=("You compute in float32; float64 keeps about 16 digits instead of 7.",),
)


@pytest.fixture(scope="module")
def page():
    return Page(feedback_page(notebook("text"), CARLA))


def test_the_top_says_the_points_and_the_first_thing_to_look_at(page):
    top = page.words[: page.words.index("Question by question")]
    assert "15 of 20 points" in top
    assert "Look at this first" in top
    assert "The sign is wrong. Look at the step back." in top
    assert "5 more points are given by a person" in top


def test_a_wrong_value_is_shown_beside_the_expected_one_and_as_a_heat_map(page):
    words = page.words
    assert "expected 1 2 3 4" in words
    assert "yours -1 -2 -3 -4" in words
    assert "how far apart" in words
    strengths = [float(a["style"].split(":")[1]) for a in page.all("td") if "--s" in a.get("style", "")]
    assert len(strengths) == 4
    assert max(strengths) == 1.0 > min(strengths)


def test_two_pictures_on_one_page_have_headings_of_their_own():
    twice = [replace(question, title=f"{question.title}, again") for question in CARLA.questions]
    html = feedback_page(notebook(), replace(CARLA, questions=(*CARLA.questions, *twice)))
    found = re.findall(r"<h2[^>]*>(The computation in one picture[^<]*)</h2>", html)
    assert len(found) == len(set(found)) == 2
    assert "The forward pass with tanh, " in found[0]
    assert "The forward pass with tanh, again" in found[1]


def test_remarks_say_that_they_cost_nothing(page):
    assert "(costs nothing): You compute in float32" in page.words


def test_the_code_of_a_question_is_not_shown():
    hidden = new_code_cell(
        "secret_call()", metadata={"nbgrader": {"grade_id": "forward_tanh", "grade": True, "locked": True, "points": 5}}
    )
    html = feedback_page(new_notebook(cells=[hidden]), CARLA)
    assert "secret_call" not in html
    assert "The forward pass with tanh: 5 / 5 points" in Page(html).words


def test_points_and_comments_of_a_person_win():
    book = Gradebook({"comparison": Given(4.0, 5.0, "Well argued <b>"), "hidden_gradients": Given(5.0, 8.0)}, 21.0, 2.0)
    words = Page(feedback_page(notebook(), CARLA, book)).words
    assert "21 of 25 points" in words
    assert "Well argued <b>" in words
    assert "A late hand-in cost 2 points" in words
    assert "A person changed these points; the machine gave 3." in words


def test_a_notebook_that_could_not_be_graded_says_why_and_not_zero_for_questions():
    words = Page(feedback_page(new_notebook(), marks(error="It is empty: hand in the saved notebook."))).words
    assert "could not be graded" in words
    assert "hand in the saved notebook" in words


@pytest.mark.parametrize("attack", ATTACKS)
def test_nothing_that_runs_or_loads_survives(attack):
    loud = marks(student=attack, dW1=wrong_line("dW1", EXPECTED + 1, message=attack), remarks=(attack,))
    page = Page(feedback_page(notebook(attack), loud))
    assert not {"script", "iframe", "link", "form", "object", "embed"} & {tag for tag, _ in page.tags}
    assert len(page.all("style")) == 1
    assert len(page.all("meta")) == 4
    for tag, attributes in page.tags:
        assert not [name for name in attributes if name.startswith("on")], tag
        for where in ("src", "href"):
            if where in attributes:
                assert attributes[where].startswith(("#", "data:image/")), attributes


def test_the_page_forbids_scripts_and_network_itself(page):
    (policy,) = [a["content"] for a in page.all("meta") if a.get("http-equiv") == "Content-Security-Policy"]
    assert policy.startswith("default-src 'none'")
    assert "script" not in policy


def test_headings_descend_without_a_gap_and_links_and_labels_lead_somewhere(page):
    assert page.headings[0] == 1
    assert page.headings.count(1) == 1
    assert all(deeper - above <= 1 for above, deeper in pairwise(page.headings))
    ids = [a["id"] for _, a in page.tags if "id" in a]
    assert len(ids) == len(set(ids))
    assert {a["href"][1:] for a in page.all("a") if a["href"].startswith("#")} <= set(ids)
    labels = {name for _, a in page.tags for name in a.get("aria-labelledby", "").split()}
    assert labels <= set(ids)
    assert all(a.get("alt") for a in page.all("img"))


def luminance(colour):
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_every_colour_of_text_has_a_contrast_of_at_least_four_and_a_half(scheme):
    css = (files("autograder.views") / "templates" / "page.css").read_text()
    block = re.findall(r":root \{(.*?)\}", css, re.DOTALL)[scheme]
    colours = dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", block))
    for paper in ("paper", "soft"):
        for ink in ("ink", "faint", "link", "good", "bad", "warn"):
            light, dark = sorted((luminance(colours[ink]), luminance(colours[paper])), reverse=True)
            assert (light + 0.05) / (dark + 0.05) >= 4.5, (ink, paper)


def test_the_ticks_of_a_part_in_words_say_what_was_there_and_what_was_missing():
    boxes = ((True, 1.0, "the numbers"), (False, 2.0, "why <b>tanh</b>"))
    (part,) = load("tanh_swap").written
    given = Gradebook({part.id: Given(1.0, part.points, "", boxes)}, 21.0)
    page = feedback_page(notebook(), marks(), given)
    assert "✓ the numbers (1)" in page
    assert "✗ missing: why &lt;b&gt;tanh&lt;/b&gt; (2)" in page
    assert "what was there and what was missing" not in feedback_page(notebook(), marks())
