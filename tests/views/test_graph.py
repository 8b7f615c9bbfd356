"""The picture of a computation: which nodes, which states, and the same in words."""

from dataclasses import replace

import pytest
from page_kit import EXPECTED, Page, marks, wrong_line

from autograder.exercises import all_exercises, load
from autograder.marking import LineMark
from autograder.views import graph


def line(name, status="correct", own=False):
    return LineMark(name, name, 1, 1, status, own=own)


def test_the_first_wrong_node_is_the_first_in_the_chain_and_not_in_the_list():
    drawn = graph.graph([line("dW1", "wrong"), line("Z1"), line("dZ2", "wrong"), line("db1", own=True)])
    assert drawn.named("first") == ["dZ2"]
    assert drawn.named("wrong") == ["dW1"]
    assert drawn.named("follows") == ["db1"]
    assert drawn.named("right") == ["Z1"]


def test_nodes_that_were_not_asked_stay_open():
    (drawn,) = graph.graphs(marks(dW1=wrong_line("dW1", EXPECTED + 1)))
    assert {"dZ1", "dZ2", "dA2", "loss", "X", "W1"} <= set(drawn.named("open"))
    assert drawn.named("first") == ["dW1"]


def test_a_notebook_without_a_network_has_no_picture():
    assert graph.graph([line("train_accuracy"), line("dw"), line("Z1"), line("A1")]) is None


def test_every_edge_joins_two_nodes_and_every_node_has_its_own_place():
    names = [f"{d}{letter}{layer}" for layer in (1, 2, 3) for d in ("", "d") for letter in "ZAWb"]
    drawn = graph.graph([line(name) for name in [*names, "W1_new", "loss"]])
    known = {node.name for node in drawn.nodes}
    assert {name for edge in (*drawn.forward, *drawn.backward) for name in edge} <= known
    assert len({(node.column, node.row) for node in drawn.nodes}) == len(drawn.nodes)


@pytest.mark.parametrize("name", ["Z0", "dZ1_new", "Z1_new", "W", "A10", "loss1", "W1_newer"])
def test_other_names_are_no_nodes(name):
    assert graph.canonical(name) is None


def test_a_name_that_comes_twice_begins_a_second_picture():
    one = marks(dW1=wrong_line("dW1", EXPECTED + 1))
    assert len(graph.graphs(replace(one, questions=one.questions * 2))) == 2


def test_where_everything_is_right_one_picture_is_enough():
    one = marks()
    (drawn,) = graph.graphs(replace(one, questions=one.questions * 2))
    assert len(drawn.named("right")) == 8


def test_a_line_about_a_shape_is_no_node():
    shapes = [replace(line(name), label=f"shape of {name}") for name in ("Z1", "A1", "Z2", "A2", "dW1")]
    assert graph.graph(shapes) is None


def test_the_picture_has_a_title_a_description_and_signs_beside_colours():
    (drawn,) = graph.graphs(marks(dW1=wrong_line("dW1", EXPECTED + 1)))
    page = Page(str(graph.svg(drawn)))
    assert page.all("svg")[0]["role"] == "img"
    assert "The first wrong value: look here: dW1." in page.words
    assert "✗ dW1" in page.words
    assert "↳ db1" in page.words


@pytest.mark.parametrize("name", [exercise.name for exercise in all_exercises()])
def test_every_exercise_can_be_drawn_or_is_left_out(name):
    lines = [line(one.name) for question in load(name).questions for one in question.lines]
    drawn = graph.graph(lines)
    if drawn is not None:
        assert "<svg" in graph.svg(drawn)
