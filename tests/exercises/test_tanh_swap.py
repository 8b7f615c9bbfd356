"""tanh_swap: the truth checked independently, and the numbers that the notebook and its mark scheme state."""

import numpy as np
import pytest

from autograder.exercises import load
from autograder.exercises import tanh_swap as exercise
from autograder.marking import challenges


def asked(probe, seed=3):
    return [challenge.given for challenge in challenges(load("tanh_swap"), seed)[probe.name]]


def test_the_gradients_are_the_slope_of_the_loss():
    given = asked(exercise.TANH.probes["gradients"])[1]

    def loss(point):
        A1 = np.tanh(point["W1"] @ given["X"] + point["b1"])
        Z2 = point["W2"] @ A1 + point["b2"]
        each = given["Y"] * np.logaddexp(0, -Z2) + (1 - given["Y"]) * np.logaddexp(0, Z2)
        return each.sum(axis=0).mean()

    exact, step = exercise.TANH.truth(given), 1e-5
    for name in ("W1", "b1", "W2", "b2"):
        for place in np.ndindex(given[name].shape):
            moved = []
            for sign in (1, -1):
                point = {key: given[key].copy() for key in ("W1", "b1", "W2", "b2")}
                point[name][place] += sign * step
                moved.append(loss(point))
            slope = (moved[0] - moved[1]) / (2 * step)
            assert exact[f"d{name}"][place] == pytest.approx(slope, abs=1e-9), (name, place)


def test_the_small_example_and_the_slopes_at_zero():
    z = np.dot([1, 2], [3, -1]) - 1
    assert (z, np.tanh(z), 1 / (1 + np.exp(-z))) == (0, 0, 0.5)
    at = np.linspace(-4, 4, 8001)
    for function, steepest in ((np.tanh, 1), (lambda x: 1 / (1 + np.exp(-x)), 1 / 4)):
        slope = np.gradient(function(at), at)
        assert slope.max() == pytest.approx(steepest, abs=1e-5)
        assert at[slope.argmax()] == pytest.approx(0, abs=2e-3)


@pytest.fixture
def trained(solved):
    """A function from the kind of network and its settings to its final loss and training accuracy on the moons."""
    names = solved("tanh_swap")
    X, Y, _, _ = names["load_moons"]()

    def train(kind, rate, scale):
        network = names[kind](2, 4, 1, rng=1, weight_scale=scale)
        losses = network.train(X, Y, epochs=10_000, learning_rate=rate)
        return losses[-1], names["accuracy"](network.predict(X), Y)

    return train


@pytest.mark.slow
def test_the_table_of_the_mark_scheme(trained):
    """About 0.32 and 83 % for the sigmoid, about 0.06 and 97 % for tanh; the sigmoid gets there with larger steps."""
    loss, right = trained("SimpleNeuralNetwork", 0.1, 0.01)
    assert loss == pytest.approx(0.32, abs=0.01)
    assert right == pytest.approx(0.83, abs=0.01)
    loss, right = trained("TanhNetwork", 0.1, 0.01)
    assert loss == pytest.approx(0.06, abs=0.01)
    assert right == pytest.approx(0.97, abs=0.011)
    assert trained("SimpleNeuralNetwork", 1.0, 1.0)[1] == pytest.approx(right, abs=0.015)


def test_two_hidden_challenges_have_no_equal_dimensions():
    """Where two sizes are equal, a transposed product cannot be seen by its shape."""
    sizes = [{*given["W1"].shape, *given["Y"].shape} for given in asked(exercise.TANH.probes["gradients"])[1:]]
    assert sum(len(one) == 4 for one in sizes) >= 2


def test_the_points_are_those_of_the_title():
    assert exercise.EXERCISE.points == 25
