"""relu_derivative: the truth against finite differences, challenges away from the kink, claims of the prose."""

import mpmath
import numpy as np
import pytest

from autograder.exercise import Line, Reply
from autograder.exercises import relu_derivative as exercise
from autograder.marking.mark import challenges

SEEDS = range(20)


def _asked(probe, seed):
    return [challenge.given for challenge in challenges(exercise.EXERCISE, seed)[probe.name]]


def test_the_worked_examples_of_the_notebook():
    Z = np.array([[-2.0, 0.5], [3.0, 0.0]])
    assert exercise.function_truth({"Z": Z})["relu"].tolist() == [[0, 0.5], [3, 0]]
    slope = exercise.slope_truth({"Z": Z, "at_zero": np.full((2, 2), 0.3)})["slope"]
    assert slope.tolist() == [[0, 1], [1, 0.3]]
    signal = exercise.signal_truth(exercise.SMALL | {"at_zero": np.zeros((2, 2))})["dZ1"]
    assert signal.tolist() == [[1, 0], [-0.5, 1]]


@pytest.mark.parametrize("seed", SEEDS)
def test_entries_are_exactly_zero_or_clearly_away_from_the_kinks_of_relu_and_of_likely_mistakes(seed):
    for probe, name in ((exercise.FUNCTION, "Z"), (exercise.SLOPES, "Z"), (exercise.SIGNAL, "Z1")):
        for given in _asked(probe, seed):
            nonzero = given[name][given[name] != 0]
            assert np.abs(nonzero).min() > 0.2
            assert (nonzero > 0).any()
            assert (nonzero < 0).any()
    assert any((given["Z"] == 0).any() for given in _asked(exercise.SLOPES, seed))
    assert any((given["Z1"] == 0).any() for given in _asked(exercise.SIGNAL, seed))


def test_no_two_dimensions_of_a_hidden_signal_challenge_are_equal():
    for given in _asked(exercise.SIGNAL, 1)[1:]:
        (o, h), m = given["W2"].shape, given["Z1"].shape[1]
        assert len({o, h, m}) == 3


def test_the_signal_is_the_slope_of_a_loss_at_fifty_digits():
    given = _asked(exercise.SIGNAL, 3)[1]
    W2, dZ2, Z1 = given["W2"], given["dZ2"], given["Z1"]
    exact = exercise.signal_truth(given | {"at_zero": np.zeros(Z1.shape)})["dZ1"]

    def loss(Z):
        A = [[max(z, mpmath.mpf(0)) for z in row] for row in Z]
        return sum(
            mpmath.mpf(dZ2[j, k]) * sum(mpmath.mpf(W2[j, i]) * A[i][k] for i in range(W2.shape[1]))
            for j in range(W2.shape[0])
            for k in range(Z1.shape[1])
        )

    with mpmath.workdps(50):
        h = mpmath.mpf(10) ** -20
        for i, k in ((0, 0), (1, 3), (3, 5)):
            up = [[mpmath.mpf(z) for z in row] for row in Z1]
            down = [list(row) for row in up]
            up[i][k] += h
            down[i][k] -= h
            assert float((loss(up) - loss(down)) / (2 * h)) == pytest.approx(exact[i, k], abs=1e-14)


def _judged(question_id, values, seed=5):
    question = exercise.EXERCISE.question(question_id)
    asked = _asked(question.probe, seed)
    return question.judge(question.lines, [Reply(given, values(given)) for given in asked])


@pytest.mark.parametrize(("at_zero", "status"), [(0, "correct"), (1, "correct"), (0.37, "correct"), (-0.1, "wrong")])
def test_any_slope_from_0_to_1_is_right_at_zero(at_zero, status):
    def mine(given):
        return {"slope": np.where(given["Z"] == 0, at_zero, given["Z"] > 0)}

    assert _judged("relu_slopes", mine)["slope"].status == status

    def signal(given):
        slope = np.where(given["Z1"] == 0, at_zero, given["Z1"] > 0)
        return {"slope": None, "dZ1": (given["W2"].T @ given["dZ2"]) * slope}

    assert _judged("hidden_signal", signal)["dZ1"].status == status


@pytest.mark.parametrize("constant", [0.0, 0.5, 1.0])
def test_no_question_is_passed_by_a_constant(constant):
    assert _judged("relu_values", lambda g: {"relu": np.full(g["Z"].shape, constant)})["relu"].share == 0
    assert _judged("relu_slopes", lambda g: {"slope": np.full(g["Z"].shape, constant)})["slope"].share == 0
    both = _judged(
        "hidden_signal", lambda g: {"slope": np.full(g["Z1"].shape, constant), "dZ1": np.full(g["Z1"].shape, constant)}
    )
    assert both["dZ1"].share == 0


def test_a_wrong_slope_is_charged_once():
    def leaky(given):
        slope = np.where(given["Z1"] > 0, 1, 0.01)
        return {"slope": slope, "dZ1": (given["W2"].T @ given["dZ2"]) * slope}

    verdict = _judged("hidden_signal", leaky)["dZ1"]
    assert verdict.status == "correct"
    assert verdict.own


def test_the_slope_of_the_sigmoid_is_at_most_a_quarter():
    z = np.linspace(-4, 4, 801)
    assert np.gradient(1 / (1 + np.exp(-z)), z).max() == pytest.approx(0.25, abs=1e-4)


def test_points_add_up():
    assert exercise.EXERCISE.points == 20
    assert all(isinstance(line, Line) for question in exercise.EXERCISE.questions for line in question.lines)
