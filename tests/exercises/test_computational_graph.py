"""computational_graph: every derivative a second time by differences, and the numbers of the notebook's prose."""

from itertools import combinations

import numpy as np
import pytest

from autograder.exercise import Reply
from autograder.exercises import computational_graph as exercise
from autograder.marking.by_hand import work_out, work_out_all

ALL = [step for steps in exercise.STEPS.values() for step in steps]


def judged(answer):
    """Points lost by name."""
    found = {}
    for question in exercise.EXERCISE.questions:
        verdicts = question.judge(question.lines, [Reply(exercise.GIVEN, answer, shown=True)])
        found |= {line.name: line.points * (1 - verdicts[line.name].share) for line in question.lines}
    return {name: lost for name, lost in found.items() if lost}


def right():
    return dict(exercise.truth(exercise.GIVEN))


def test_the_formulas_that_are_shown_give_the_derivatives_of_sympy():
    for given in (exercise.GIVEN, {**exercise.GIVEN, "x": np.array(-0.5), "y": np.array(1.75)}):
        worked = work_out_all(ALL, exercise.start(given))
        for name, value in exercise.truth(given).items():
            np.testing.assert_allclose(worked[name], value, rtol=1e-14)


def test_the_derivatives_are_the_slopes_of_the_graph():
    def loss(x, y, push=()):
        push = {**dict.fromkeys(("u", "v", "w"), 0), **dict(push)}
        u = x + y + push["u"]
        return (u * x + push["v"]) * (u**2 + push["w"])

    x, y, step = float(exercise.GIVEN["x"]), float(exercise.GIVEN["y"]), 1e-6
    exact = right()
    for name in ("u", "v", "w"):
        slope = (loss(x, y, {name: step}.items()) - loss(x, y, {name: -step}.items())) / (2 * step)
        assert slope == pytest.approx(float(exact[f"d{name}"]), rel=1e-8)
    assert (loss(x + step, y) - loss(x - step, y)) / (2 * step) == pytest.approx(float(exact["dx"]), rel=1e-8)
    assert (loss(x, y + step) - loss(x, y - step)) / (2 * step) == pytest.approx(float(exact["dy"]), rel=1e-8)


def test_what_arrives_at_a_layer_is_the_product_with_the_transposed_weights():
    W, dz = exercise.GIVEN["W"], exercise.GIVEN["dz"]
    exact = right()
    np.testing.assert_array_equal(exact["da"], W.T @ dz)
    np.testing.assert_array_equal(exact["edges"].sum(axis=0), exact["da"])


def test_no_known_slip_gives_a_right_value_or_what_another_one_gives():
    known = work_out_all(ALL, exercise.start(exercise.GIVEN))
    for step in ALL:
        given = [(slip.id, work_out(slip.formula, known)) for slip in step.slips] + [("", known[step.name])]
        for (one, first), (other, second) in combinations(given, 2):
            assert one == other or not step.agrees(first, np.asarray(second, dtype=float)), (step.name, one, other)


def test_a_slip_in_the_first_node_costs_it_alone():
    values = work_out_all(ALL[1:], {**exercise.start(exercise.GIVEN), "u": np.array(-1.0)})
    assert judged({**values, "u": -1.0}) == {"u": 0.5}


def test_the_path_that_is_forgotten_costs_once_and_is_named():
    answer = right() | {"du": 100.0, "u_to_x": 100.0, "dx": 100.0, "dy": 100.0}
    assert judged(answer) == {"du": 1.0}
    question = exercise.EXERCISE.question("edge_values")
    verdict = question.judge(question.lines, [Reply(exercise.GIVEN, answer, shown=True)])["du"]
    assert verdict.mistakes == ("one-path-only",)


def test_the_example_with_another_graph():
    def M(p):
        return 2 * p + 3 * (p + 1)

    assert M(5) == 28
    assert M(5.01) == pytest.approx(28.05)
    assert 1 * 2 + 3 * 1 == 2 + 3 == 5


def test_the_forks_are_those_that_the_text_names():
    leaving = {name: sum(name in text for text in exercise.NODES.values()) for name in ("x", "y", "u", "v", "w")}
    assert leaving == {"x": 2, "y": 1, "u": 2, "v": 1, "w": 1}
