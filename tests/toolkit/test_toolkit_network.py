"""The baseline network: its formulas, its numerical safety, and the measured facts that the course relies on."""

import numpy as np
import pytest
from backprop import accuracy, load_moons, sigmoid
from hypothesis import given, settings
from hypothesis import strategies as st
from simple_network import SimpleNeuralNetwork
from toolkit_networks import Net

SIZES = st.integers(1, 5)


def problem(seed, n, h, o, m):
    rng = np.random.default_rng(seed)
    net = SimpleNeuralNetwork(n, h, o, rng=rng, weight_scale=1.0)
    net.b1, net.b2 = rng.standard_normal((h, 1)), rng.standard_normal((o, 1))
    return net, rng.standard_normal((n, m)), rng.integers(0, 2, (o, m))


def test_it_starts_as_the_course_says():
    net = SimpleNeuralNetwork(30, 40, 20, rng=3)
    rng = np.random.default_rng(3)
    assert np.array_equal(net.W1, 0.01 * rng.standard_normal((40, 30)))
    assert np.array_equal(net.W2, 0.01 * rng.standard_normal((20, 40)))
    assert not net.b1.any()
    assert not net.b2.any()
    assert (net.b1.shape, net.b2.shape) == ((40, 1), (20, 1))
    assert not np.array_equal(SimpleNeuralNetwork(2, 2, 1).W1, SimpleNeuralNetwork(2, 2, 1).W1)


@given(st.integers(0, 1000), SIZES, SIZES, SIZES, st.integers(1, 7))
@settings(max_examples=40, deadline=None)
def test_the_loss_is_the_mean_cross_entropy_and_the_gradients_are_its_derivatives(seed, n, h, o, m):
    net, X, Y = problem(seed, n, h, o, m)
    A = net.forward_pass(X)
    per_example = -np.sum(Y * np.log(A) + (1 - Y) * np.log(1 - A), axis=0)
    assert net.compute_loss(Y) == pytest.approx(per_example.mean(), rel=1e-12)
    net.backward_pass(X, Y)
    for name in ("W1", "b1", "W2", "b2"):
        parameter, gradient = getattr(net, name), getattr(net, f"d{name}")
        assert gradient.shape == parameter.shape
        i = np.unravel_index(seed % parameter.size, parameter.shape)
        old, values = parameter[i], []
        for step in (1e-5, -1e-5):
            parameter[i] = old + step
            net.forward_pass(X)
            values.append(net.compute_loss(Y))
        parameter[i] = old
        assert gradient[i] == pytest.approx((values[0] - values[1]) / 2e-5, rel=1e-6, abs=1e-9)


@given(st.integers(0, 1000), SIZES, st.integers(1, 7))
@settings(max_examples=20, deadline=None)
def test_copying_every_example_changes_neither_loss_nor_gradients(seed, n, m):
    net, X, Y = problem(seed, n, 3, 2, m)
    found = []
    for copies in (1, 3):
        net.forward_pass(np.tile(X, copies))
        net.backward_pass(np.tile(X, copies), np.tile(Y, copies))
        found.append([net.compute_loss(np.tile(Y, copies)), net.dW1.copy(), net.db1, net.dW2, net.db2])
    for once, thrice in zip(*found):
        np.testing.assert_allclose(thrice, once, rtol=1e-12, atol=1e-15)


def test_the_loss_and_the_gradients_stay_finite_and_exact_when_everything_saturates():
    net = SimpleNeuralNetwork(1, 1, 1)
    net.W1[:], net.W2[:], net.b2[:] = 1000, 5000, -1000
    with np.errstate(all="raise", under="ignore"):
        assert net.forward_pass(np.array([[1.0, -1.0]])).tolist() == [[1, 0]]
        assert net.compute_loss(np.array([[1, 0]])) == 0
        assert net.compute_loss(np.array([[0, 1]])) == 2500  # (4000 + 1000) / 2
        net.backward_pass(np.array([[1.0, -1.0]]), np.array([[0, 1]]))
    assert net.dW2.item() == 0.5
    assert net.dW1.item() == 0


def test_an_update_goes_down_the_slope_and_leaves_old_arrays_alone():
    net, X, Y = problem(0, 3, 4, 2, 6)
    net.forward_pass(X)
    net.backward_pass(X, Y)
    old = {name: getattr(net, name) for name in ("W1", "b1", "W2", "b2")}
    kept = {name: value.copy() for name, value in old.items()}
    net.update_parameters(0.3)
    for name, value in old.items():
        assert np.array_equal(value, kept[name])
        assert np.array_equal(getattr(net, name), value - 0.3 * getattr(net, f"d{name}"))


def test_training_returns_the_loss_of_each_epoch_before_its_update():
    net, X, Y = problem(1, 2, 4, 1, 20)
    net.forward_pass(X)
    first = net.compute_loss(Y)
    losses = net.train(X, Y, 300, 0.5)
    assert len(losses) == 300
    assert losses[0] == first
    assert losses[-1] < losses[0]
    assert all(isinstance(loss, float) for loss in losses)
    assert net.train(X, Y, 0, 0.5) == []


def test_predictions_are_labels():
    net, X, _ = problem(2, 2, 4, 3, 20)
    predicted = net.predict(X)
    assert predicted.dtype.kind == "i"
    assert np.array_equal(predicted, sigmoid(net.Z2) > 0.5)


# --- Measured facts of the course: 10,000 epochs on the moons; the median over weight seeds ---------------------------

SEEDS = range(3)  # the design measured eight; three keep the tests quick, and the ranges below hold for all eight


def on_moons(hidden, units, weight_scale, learning_rate):
    """Median final loss, training accuracy and test accuracy."""
    X_train, Y_train, X_test, Y_test = load_moons()
    kind, rows = type("Net", (Net,), {"hidden": hidden}), []
    for seed in SEEDS:
        net = kind(2, units, 1, rng=seed, weight_scale=weight_scale)
        loss = net.train(X_train, Y_train, 10_000, learning_rate)[-1]
        rows.append((loss, accuracy(net.predict(X_train), Y_train), accuracy(net.predict(X_test), Y_test)))
    return np.median(rows, axis=0)


@pytest.mark.long
@pytest.mark.parametrize("units", [1, 4, 50])
def test_with_the_textbook_defaults_a_sigmoid_network_draws_a_straight_line_whatever_its_size(units):
    loss, train, _ = on_moons("sigmoid", units, 0.01, 0.1)
    assert 0.315 < loss < 0.335
    assert 0.82 < train < 0.85


@pytest.mark.slow
def test_larger_weights_and_steps_free_the_sigmoid_network():
    loss, train, test = on_moons("sigmoid", 4, 1, 1)
    assert 0.045 < loss < 0.055
    assert 0.965 < train < 0.98
    assert test > 0.93


@pytest.mark.slow
def test_a_tanh_network_of_4_units_learns_with_the_textbook_defaults():
    loss, train, _ = on_moons("tanh", 4, 0.01, 0.1)
    assert 0.05 < loss < 0.07
    assert 0.96 < train < 0.98


@pytest.mark.long
def test_a_tanh_network_of_50_units_is_stuck_with_them():
    loss, train, _ = on_moons("tanh", 50, 0.01, 0.1)
    assert 0.315 < loss < 0.33
    assert 0.82 < train < 0.85


@pytest.mark.long
def test_with_larger_weights_and_steps_more_tanh_units_fit_better():
    found = {units: on_moons("tanh", units, 1, 1) for units in (1, 2, 4, 50)}
    losses = [loss for loss, _, _ in found.values()]
    assert losses == sorted(losses, reverse=True)
    for units, low, high in ((1, 0.33, 0.345), (2, 0.26, 0.30), (4, 0.03, 0.04), (50, 0.015, 0.022)):
        assert low < found[units][0] < high
    assert all(0.82 < found[units][1] < 0.87 for units in (1, 2))
    assert all(found[units][1] > 0.98 for units in (4, 50))
    assert 0.93 < found[50][2] < 0.97
