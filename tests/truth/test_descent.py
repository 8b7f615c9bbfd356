"""Fast descent against the exact network, entry by entry, and the baseline's own draws."""

import sys

import numpy as np
import pytest

from autograder.exercises.shared import draw_point
from autograder.truth import Network, descent


def point(sizes, seed, examples=6):
    return draw_point(np.random.default_rng(seed), sizes, ("sigmoid", "sigmoid"), "bce", examples)


@pytest.mark.parametrize("hidden", ["sigmoid", "tanh"])
@pytest.mark.parametrize("sizes", [(2, 3, 1), (3, 4, 2), (4, 2, 3)])
@pytest.mark.parametrize("reg_lambda", [0.0, 0.7])
def test_loss_and_gradients_are_the_exact_ones(hidden, sizes, reg_lambda):
    given = point(sizes, 3)
    exact = Network(sizes, (hidden, "sigmoid"), "bce", penalty=True).evaluate(given | {"reg_lambda": reg_lambda})
    state = {name: given[name] for name in descent.PARAMETERS}
    more = {"reg_lambda": reg_lambda, "hidden": hidden}
    assert descent.loss(state, given["X"], given["Y"], **more) == pytest.approx(float(exact["loss"]), rel=1e-13)
    gradients = descent.gradients(state, given["X"], given["Y"], **more)
    for name in descent.PARAMETERS:
        np.testing.assert_allclose(gradients[name], exact[f"d{name}"], rtol=1e-11, atol=1e-15)


LONGER = (
    ("Z1", "", (("W1", "X"), ("b1", "one"))),
    ("A0", "Z1", ()),
    ("A1", "A0", ()),
    ("Z2", "", (("b2", "one"), ("W2", "A1"))),
)
"""The activation applied twice: gradients follow from the steps, no backward formula stands beside them."""


@pytest.mark.parametrize("steps", [descent._FORWARD, LONGER])
def test_gradients_are_the_slopes_of_the_loss(steps, monkeypatch):
    monkeypatch.setattr(descent, "_FORWARD", steps)
    given = point((3, 4, 2), 5)
    state = {name: given[name].copy() for name in descent.PARAMETERS}
    gradients = descent.gradients(state, given["X"], given["Y"], reg_lambda=0.9)
    for name in descent.PARAMETERS:
        for index in np.ndindex(state[name].shape):
            moved = []
            for h in (1e-5, -1e-5):
                shifted = {**state, name: state[name].copy()}
                shifted[name][index] += h
                moved.append(descent.loss(shifted, given["X"], given["Y"], reg_lambda=0.9))
            assert (moved[0] - moved[1]) / 2e-5 == pytest.approx(gradients[name][index], rel=1e-5, abs=1e-9)


def test_a_descent_is_the_exact_one_step_by_step():
    given = point((2, 5, 1), 8, examples=9)
    state = {name: given[name] for name in descent.PARAMETERS}
    losses, end = descent.descend(state, given["X"], given["Y"], 6, 0.4, reg_lambda=1.1)
    net, exact = Network((2, 5, 1), ("sigmoid", "sigmoid"), "bce", penalty=True), []
    data = {"X": given["X"], "Y": given["Y"], "learning_rate": 0.4, "reg_lambda": 1.1}
    for _ in range(6):
        results = net.evaluate(data | state)
        exact.append(float(results["loss"]))
        state = {name: results[f"{name}_new"] for name in descent.PARAMETERS}
    np.testing.assert_allclose(losses, exact, rtol=1e-12)
    for name in descent.PARAMETERS:
        np.testing.assert_allclose(end[name], state[name], rtol=1e-11, atol=1e-14)


def test_a_loss_stays_finite_where_a_rounds_to_one():
    state = {"W1": np.full((1, 1), 50.0), "b1": np.zeros((1, 1)), "W2": np.full((1, 1), 60.0), "b2": np.zeros((1, 1))}
    assert descent.loss(state, np.ones((1, 1)), np.zeros((1, 1))) == pytest.approx(60.0)


def test_the_initial_state_is_the_one_that_the_baseline_draws(root, monkeypatch):
    monkeypatch.syspath_prepend(str(root / "reference" / "toolkit"))
    sys.modules.pop("simple_network", None)
    from simple_network import SimpleNeuralNetwork

    network = SimpleNeuralNetwork(2, 7, 1, rng=11, weight_scale=3.0)
    state = descent.baseline_state(7, 11, weight_scale=3.0)
    for name in descent.PARAMETERS:
        np.testing.assert_array_equal(getattr(network, name), state[name])
