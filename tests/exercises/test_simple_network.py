"""simple_network: the truth against an unrelated autograd engine, and every number that the notebook states."""

import runpy
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from autograder.exercises import simple_network as exercise
from autograder.exercises.networks import PARAMETERS, UPDATES
from autograder.exercises.shared import moons
from autograder.marking.mark import challenges
from autograder.marking.slips import At, worked_out


def _asked(probe, seed):
    return [challenge.given for challenge in challenges(exercise.EXERCISE, seed)[probe.name]]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_the_truth_agrees_with_jax(seed):
    jax = pytest.importorskip("jax")
    jnp = jax.numpy
    jax.config.update("jax_enable_x64", True)
    for given in _asked(exercise.SIMPLE.probes["gradients"], seed):

        def loss(parameters, given=given):
            A1 = jax.nn.sigmoid(parameters["W1"] @ given["X"] + parameters["b1"])
            Z2 = parameters["W2"] @ A1 + parameters["b2"]
            Y = given["Y"]
            return jnp.sum(Y * jnp.logaddexp(0, -Z2) + (1 - Y) * jnp.logaddexp(0, Z2)) / Y.shape[1]

        gradient = jax.jit(jax.grad(loss))({name: jnp.array(given[name]) for name in PARAMETERS})
        exact = exercise.SIMPLE.truth(given)
        for name in PARAMETERS:
            assert np.allclose(gradient[name], exact[f"d{name}"], rtol=1e-12, atol=1e-14)


def test_the_worked_example_of_the_notebook():
    one = {"X": [[2.0]], "Y": [[1.0]], "W1": [[1.0]], "b1": [[-2.0]], "W2": [[2.0]], "b2": [[-1.0]]}
    exact = exercise.SIMPLE.truth({name: np.array(value) for name, value in one.items()})
    assert exact["Z1"].item() == exact["Z2"].item() == 0
    assert exact["A1"].item() == exact["A2"].item() == 0.5
    found = {name: exact[name].item() for name in ("dW2", "db2", "dW1", "db1")}
    assert found == pytest.approx({"dW2": -0.25, "db2": -0.5, "dW1": -0.5, "db1": -0.25}, rel=1e-15)


def test_the_update_is_asked_with_learning_rates_that_show_each_known_slip():
    for given in _asked(exercise.EXERCISE.question("update_step").probe, 2):
        assert float(given["learning_rate"]) not in (0, 1)
        for name in PARAMETERS:
            right = exercise.SIMPLE.moved(given)[f"{name}_new"]
            assert np.allclose(right, given[name] - given["learning_rate"] * given[f"d{name}"], rtol=1e-15)
            for _, formula in UPDATES:
                wrong = worked_out(formula.format(theta=name), At(given, {}))
                assert np.abs(wrong - right).max() > 0.01


@cache
def _network_class(toolkit):
    import sys

    sys.path.insert(0, str(toolkit))
    try:
        return runpy.run_path(str(toolkit / "simple_network.py"))["SimpleNeuralNetwork"]
    finally:
        sys.path.remove(str(toolkit))


@cache
def _trained(scale, rate, seed):
    data = moons()
    network = _network_class(Path(__file__).parents[2] / "reference" / "toolkit")(2, 4, 1, rng=seed, weight_scale=scale)
    losses = network.train(data["X"], data["Y"], 10_000, rate)
    on_train = np.mean(network.predict(data["X"]) == data["Y"])
    on_test = np.mean(network.predict(data["X_test"]) == data["Y_test"])
    return network, losses, on_train, on_test


@pytest.mark.slow
def test_small_weights_start_at_log_2_stay_there_for_hundreds_of_epochs_and_end_at_a_straight_line():
    network, losses, on_train, on_test = _trained(0.01, 0.1, 1)
    assert losses[0] == pytest.approx(np.log(2), abs=1e-3)
    assert losses[500] > 0.67
    assert losses[-1] == pytest.approx(0.32, abs=0.005)
    assert on_train == pytest.approx(0.83, abs=0.01)
    assert on_test == pytest.approx(0.83, abs=0.02)
    assert _distance_from_a_straight_line(network) < 0.15


@pytest.mark.slow
def test_large_weights_and_steps_end_at_97_percent_with_a_curve():
    network, losses, on_train, on_test = _trained(1, 1, 1)
    assert losses[-1] == pytest.approx(0.05, abs=0.005)
    assert on_train == pytest.approx(0.97, abs=0.01)
    assert on_test == pytest.approx(0.97, abs=0.02)
    assert _distance_from_a_straight_line(network) > 0.4


def _distance_from_a_straight_line(network):
    """The largest vertical distance of the boundary from the line that fits it best, where the points are."""
    places = []
    heights = np.linspace(-1.5, 2, 701)
    for x in np.linspace(-1, 2, 61):
        inside = network.forward_pass(np.stack([np.full_like(heights, x), heights]))[0] > 0.5
        places += [(x, heights[i]) for i in np.flatnonzero(np.diff(inside.astype(int)))]
    x, height = np.array(places).T
    return np.abs(height - np.polyval(np.polyfit(x, height, 1), x)).max()


def test_points_add_up():
    assert exercise.EXERCISE.points == 25


@pytest.mark.slow
def test_the_two_lines_for_the_output_and_the_hint():
    sympy = pytest.importorskip("sympy")
    z, y = sympy.symbols("z y", real=True)
    a = sympy.Symbol("a", positive=True)
    of_a = sympy.diff(-(y * sympy.log(a) + (1 - y) * sympy.log(1 - a)), a)
    sigma = 1 / (1 + sympy.exp(-z))
    assert sympy.simplify(of_a - (a - y) / (a * (1 - a))) == 0
    assert sympy.simplify(sympy.diff(sigma, z) - sigma * (1 - sigma)) == 0
    assert sympy.simplify(of_a.subs(a, sigma) * sympy.diff(sigma, z) - (sigma - y)) == 0
