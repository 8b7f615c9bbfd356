"""The finger on the line: any span of any source is marked exactly, and every view says where it is."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser

import nbformat
import pytest
from bs4 import BeautifulSoup
from hypothesis import given
from hypothesis import strategies as st
from nbformat.v4 import new_notebook
from page_kit import ATTACKS, CELL, EXPECTED, Page, cell, marks, place, span, wrong_line

from autograder.exercises import load
from autograder.marking import Place, Span
from autograder.marking.spans import LINE_END
from autograder.views import classroom50, github, gradescope, junit, marks_page, places, terminal
from autograder.views.cell import to_html, to_text
from autograder.views.feedback import feedback_page

WORDS = st.sampled_from(
    ["def f(x):", "\n", "\r\n", "\r", "\t", " ", "<b>", "&amp;", "'", '"', '"""', "é", "𝛼", "#", "\\", "1e", "@"]
    + ["\x0c", "\u2028", "\x00", "x" * 300, "</mark>", "lambda: 0", "{{", "\ufeff"]
)
SOURCES = st.lists(WORDS, max_size=12).map("".join)


@st.composite
def sources_with_spans(draw):
    source = draw(SOURCES)
    inside = [
        at for at in range(len(source) + 1) if source[at - 1 : at + 1] != "\r\n"
    ]  # no span begins between the two
    spans = []
    for _ in range(draw(st.integers(0, 4))):
        start, end = sorted((draw(st.sampled_from(inside)), draw(st.sampled_from(inside))))
        before, upto = LINE_END.split(source[:start]), LINE_END.split(source[:end])
        at = (len(before), len(upto), len(before[-1]), len(upto[-1]), source[start:end])
        spans += [Place("c", *at, text="t", due=str(start))] if start < end else []
    return source, spans[:2], spans[2:]


class Shown(HTMLParser):
    """Every character of a line of code with what is around it."""

    def __init__(self, row):
        super().__init__()
        self.open, self.characters = [], []
        self.feed(str(row))
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attributes):
        assert tag in ("mark", "span")
        self.open.append(dict(attributes).get("class", tag))

    def handle_endtag(self, tag):
        self.open.pop()

    def handle_data(self, data):
        around = ("mark" in self.open, any(name.split()[0] == "sound" for name in self.open))
        self.characters += [(char, *around) for char in data]

    @property
    def text(self):
        return "".join(char for char, *_ in self.characters)


@given(sources_with_spans())
def test_any_span_of_any_source_is_marked_to_the_character(made):
    source, pointed, sound = made
    shown = [Shown(row) for row in places.marked_lines(source, pointed, sound)]
    lines = LINE_END.split(source)
    assert [row.text for row in shown] == lines
    for number, row in enumerate(shown, 1):
        for col, (_, marked, fine) in enumerate(row.characters):
            here = number, col
            assert marked == any((one.line, one.col) <= here < (one.end_line, one.end_col) for one in pointed)
            assert fine == any((one.line, one.col) <= here < (one.end_line, one.end_col) for one in sound)


@given(sources_with_spans())
def test_a_listing_shows_every_place_with_its_sentence_and_numbers_lines_as_they_are(made):
    source, pointed, sound = made
    one = places.listing(4, source, pointed, sound, around=1, whole=3)
    rows = [row for run in one.runs for row in run]
    lines = LINE_END.split(source)
    assert [Shown(row.code).text for row in rows] == [lines[row.number - 1] for row in rows]
    assert sum(len(row.notes) for row in rows) == len(pointed)
    assert all({place.line, place.end_line} <= {row.number for row in rows if row.pointed} for place in pointed)


POINTED = marks(dW1=wrong_line("dW1", -EXPECTED, mistakes=("sign",), message="The sign is wrong.", place=place()))
SENTENCE = (
    "line 4: `self.A1 * (1 - self.A1)` is the derivative of the sigmoid at Z1. Here the derivative of tanh is due."
)
PLAIN = SENTENCE.replace("`", "")


def soup(one=POINTED, *cells):
    return BeautifulSoup(feedback_page(new_notebook(cells=[*(cells or [cell()])]), one), "html.parser")


def sound(one, *spans):
    return replace(one, questions=tuple(replace(question, sound=spans) for question in one.questions))


def test_the_page_begins_with_the_expression_in_the_students_own_cell():
    page = soup()
    first = page.select_one(".first")
    assert [mark.text for mark in first.select("mark")] == ["self.A1 * (1 - self.A1)"]
    assert " ".join(first.select_one(".told").text.split()) == f"L{PLAIN[1:]}"
    assert first.select_one(".pointed .at").text == "4"


def test_a_question_shows_the_cell_the_numbers_and_what_is_sound():
    page = soup(sound(POINTED, span("self.A2 - Y"), span("self.W2.T @ dZ2")))
    article = page.select_one("#q-hidden_gradients")
    assert [mark.text for mark in article.select(".listing mark")] == ["self.A1 * (1 - self.A1)"]
    words = " ".join(article.get_text(" ").split())
    assert "it gives 0.1 0.2 0.3 0.4 due there 0.2 0.4 0.6 0.8" in words
    assert "gives exactly what it should" in words
    listing = article.select_one(".listing")
    for code in ("self.A2 - Y", "self.W2.T @ dZ2"):
        assert code in "".join(one.text for one in listing.select(".sound"))
    assert len(listing.select(".sound.ends")) == 2
    assert page.select_one(article.select_one(".listing").find_previous("a")["href"]).select_one("mark")


def test_right_questions_are_one_line_each_and_wrong_ones_are_open():
    page = soup()
    folded = {one.parent["id"] for one in page.select("article > details.fold")}
    assert folded == {f"q-{question.id}" for question in POINTED.questions if question.status == "correct"}
    assert not page.select("details[open]")
    assert not page.select_one("#q-hidden_gradients").select("details.fold")


def test_a_long_cell_is_shown_around_the_place_with_its_own_numbers():
    source = "# before\n" * 50 + CELL + "# after\n" * 50
    page = soup(marks(dW1=wrong_line("dW1", EXPECTED, place=place(source=source))), cell(source))
    numbers = [int(at.text) for at in page.select("#q-hidden_gradients .listing .at")]
    assert numbers == list(range(50, 59))
    assert page.select_one("#q-hidden_gradients .pointed .at").text == "54"


@pytest.mark.parametrize(
    "source", [CELL.replace("(1 - self", "(2 - self"), "\n" + CELL, ""], ids=["changed", "moved", "empty"]
)
def test_where_the_code_does_not_stand_nothing_is_marked(source):
    page = soup(POINTED, cell(source))
    assert not page.select("mark, .listing")
    assert "The sign is wrong" in page.text


def test_a_cell_that_the_student_has_added_is_found_by_its_code():
    own = marks(dW1=wrong_line("dW1", EXPECTED, place=replace(place(), cell="")))
    page = soup(own, cell("x = 1", ""), cell(CELL, "other"), cell(CELL, ""))
    assert page.select_one("#q-hidden_gradients .listing").find_previous("a")["href"] == "#cell-3"
    assert "A cell that you added, line 4" in " ".join(to_text(own.question("hidden_gradients")).split())


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_place_brings_no_element_of_the_student(attack):
    source = f"x = 1 # {attack}\n"
    hostile = place(f"1 # {attack}", source, text=f"`{attack}` {attack}", due=attack, got=attack, expected=[[attack]])
    html = feedback_page(
        new_notebook(cells=[cell(source)]),
        sound(marks(dW1=wrong_line("dW1", EXPECTED, place=hostile)), span("x", source)),
    )
    page = Page(html)
    assert not {"script", "iframe", "link", "form", "img", "svg"} & {
        tag for tag, a in page.tags if "graph" not in a.get("class", "")
    }
    assert [one.text for one in BeautifulSoup(html, "html.parser").select(".first mark")] == [f"1 # {attack}"]


def test_the_same_place_is_said_once():
    line = wrong_line("dW1", EXPECTED, place=place())
    question = replace(
        marks(dW1=line).question("hidden_gradients"), lines=(line, replace(line, name="db1", label="db1"))
    )
    assert to_text(question).count("line 4") == 1
    assert len(places.places(question)) == 1


def test_every_view_says_where():
    question, wanted = POINTED.question("hidden_gradients"), f"Cell network, {SENTENCE}"
    runner = dict.fromkeys(classroom50.NEEDED, "x")
    views = {
        "text": to_text(question),
        "terminal": terminal.plain(terminal.notebook_table(POINTED)),
        "annotation": "\n".join(github.notices([POINTED])),
        "junit": junit.junit([POINTED]),
        "gradescope": json.dumps(
            gradescope.results([POINTED], [load("tanh_swap")], done=True, seconds=1)["tests"][2]["output"]
        ),
        "classroom50": json.dumps(classroom50.result([POINTED], runner, datetime.now(UTC))),
        "html": to_html(question, POINTED),
        "page": marks_page.page([POINTED]),
        "summary": github.summary([POINTED]),
    }
    flat = {name: re.sub(r"&#(\d+);", lambda code: chr(int(code[1])), text) for name, text in views.items()}
    for name, text in flat.items():
        assert wanted in " ".join(text.replace("\\n", " ").replace("%3A", ":").split()), name


def test_the_place_alone_says_neither_what_is_given_nor_what_is_due():
    hint = places.hint_only(sound(POINTED, replace(span("self.A2 - Y"), given="dZ2")))
    html = feedback_page(new_notebook(cells=[cell()]), hint)
    told = BeautifulSoup(html, "html.parser").select_one(".first .told").text
    assert " ".join(told.split()) == "Line 4: Look at this expression: self.A1 * (1 - self.A1)"
    assert "derivative of tanh is due" not in html
    assert "it gives" not in html
    line = hint.question("hidden_gradients").lines[0]
    assert (line.place.due, line.place.given, line.place.got, line.place.expected) == (None,) * 4
    assert hint.points == POINTED.points
    assert replace(hint.questions[0], sound=()) == POINTED.questions[0]


def test_words_for_spans():
    assert places.where(Span("", 3, 5, 0, 2, "x")) == "a cell that you added, lines 3 to 5"
    assert places.where(place(visit=3), cell=False) == "line 4 (pass 3)"
    assert places.where(place(visit=1), cell=False) == "line 4"
    assert places.short("a\n   + b") == "a + b"
    assert len(places.short("x" * 500)) == places.LONGEST_CODE


FILE = nbformat.writes(new_notebook(cells=[cell("x = 1", ""), cell("é\n" + CELL), cell(CELL, "other")])) + "\n"


@pytest.mark.parametrize(
    "text", [FILE, FILE.replace("\\n", "\\r\\n"), json.dumps(json.loads(FILE), indent=3)], ids=["lf", "crlf", "indent"]
)
def test_an_annotation_stands_at_the_line_of_the_file(text):
    source = "é\n" + CELL
    pointed = marks(dW1=wrong_line("dW1", EXPECTED, place=place(source=source)))
    (found,) = github.notices([pointed], {("carla", "tanh_swap"): ("a,b:%/tanh.ipynb", text)})
    at = re.match(r"::warning file=a%2Cb%3A%25/tanh.ipynb,line=(\d+),title=", found)
    assert "self.A1 * (1 - self.A1)" in text.split("\n")[int(at[1]) - 1]


@pytest.mark.parametrize(
    "text",
    ["", "[]", "[" * 100_000, '{"cells": [{}]}', FILE.replace('"other"', '"network"'), json.dumps(json.loads(FILE)),
     FILE.replace("network", "another")],
    ids=["empty", "list", "deep", "bare", "twice", "one line", "not there"],
)  # fmt: skip
def test_where_the_line_of_the_file_is_not_certain_the_file_alone_is_named(text):
    (found,) = github.notices([POINTED], {("carla", "tanh_swap"): ("tanh.ipynb", text)})
    assert found.startswith("::warning file=tanh.ipynb,title=")
