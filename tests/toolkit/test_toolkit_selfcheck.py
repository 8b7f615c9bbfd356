"""The self-check is itself checked: it fails on planted slips, says what it promised, and passes right answers."""

import itertools
import linecache
import random
import sys
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
import selfcheck
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st
from sample_kit import sampled
from selfcheck import (
    SelfCheckFailed,
    check_function,
    check_gradient,
    check_gradients,
    check_steps,
    check_training,
    check_training_report,
    check_update,
    check_values,
    check_yourself,
    watch_steps,
    watched,
)
from simple_network import SimpleNeuralNetwork
from toolkit_networks import ACTIVATIONS, LOSSES, SLIPS, STYLES, Net, Slip, with_slip

from autograder.marking.by_hand import rounding
from autograder.marking.compare import as_numbers
from autograder.sandbox.inside import codec

PLANTED = [(slip, hidden) for slip in SLIPS for hidden in slip.hidden]
EACH = [(slip, slip.hidden[number % len(slip.hidden)]) for number, slip in enumerate(SLIPS)]  # once, every activation


def data(n=3, o=7, m=11, seed=0, scale=1.0):
    rng = np.random.default_rng(seed)
    return scale * rng.standard_normal((n, m)), rng.integers(0, 2, (o, m))


def message(check, *arguments, **options):
    """What a failing check says, on one line."""
    with pytest.raises(SelfCheckFailed) as error:
        check(*arguments, **options)
    return " ".join(str(error.value).split())


# --- Slips are caught -----------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(("slip", "hidden"), sampled(PLANTED, *EACH), ids=[f"{s.name}, {h}" for s, h in PLANTED])
def test_a_planted_slip_is_caught_and_said(slip, hidden):
    X, Y = data(slip.sizes[0], slip.sizes[2])
    assert slip.says in message(check_gradients, with_slip(slip, hidden, rng=1), X, Y)


def test_enough_slips_are_planted():
    assert len(SLIPS) >= 60
    assert len(PLANTED) >= 150
    assert len({slip.name for slip in SLIPS}) == len(SLIPS)
    assert {hidden for _, hidden in EACH} == {hidden for _, hidden in PLANTED}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("scale", "every"),
    [(1000, 8), pytest.param(1000, 1, marks=pytest.mark.long), pytest.param(1e-3, 1, marks=pytest.mark.long)],
)
def test_slips_are_caught_at_any_scale_of_the_inputs(scale, every):
    missed = []
    for slip, hidden in PLANTED[::every]:
        X, Y = data(slip.sizes[0], slip.sizes[2], scale=scale)
        try:
            check_gradients(with_slip(slip, hidden, rng=1), X, Y, random_points=1)
            missed.append((slip.name, hidden))
        except SelfCheckFailed:
            pass
    assert not missed


def test_slips_show_even_where_the_network_itself_would_hide_them():
    """At zero biases a penalised bias cannot be seen; the check looks at random parameters as well."""
    slip = next(slip for slip in SLIPS if slip.name == "biases penalised")
    X, Y = data()
    check_gradients(with_slip(slip, "tanh", rng=1), X, Y, random_points=0)
    assert "db1" in message(check_gradients, with_slip(slip, "tanh", rng=1), X, Y)


def test_the_first_wrong_layer_is_pointed_at():
    X, Y = data()
    output = Slip("output", {"output_error": lambda net, Y: (net.A2 - Y) * net.A2})
    hidden = Slip("hidden", {"derivative": lambda net: net.Z1})
    assert "error signal of layer 2." in message(check_gradients, with_slip(output, "tanh"), X, Y)
    assert "error signal of layer 1: layer 2 agrees" in message(check_gradients, with_slip(hidden, "tanh"), X, Y)


# --- Right answers pass ---------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(
    "seeds",
    [
        range(40),
        pytest.param(range(40, 200), marks=pytest.mark.long),
        pytest.param(range(200, 360), marks=pytest.mark.long),
    ],
)
def test_no_right_answer_is_called_wrong(seeds):
    """Any style, loss, size, scale and precision; rectifiers that sit exactly at their kink are among them."""
    looked_at, false_alarms = 0, []
    for seed in seeds:
        rng = np.random.default_rng(seed)
        hidden = rng.choice(list(ACTIVATIONS))
        n, h, o = (int(k) for k in rng.integers(1, 5, 3))
        m = int(rng.choice([1, 2, 6, 9]))
        net = type("Net", (STYLES[seed % len(STYLES)],), {"hidden": hidden})(
            n, h, o, rng=rng, weight_scale=rng.choice([0.01, 1, 1, 5])
        )
        if rng.random() < 0.3:
            for name in ("W1", "b1", "W2", "b2"):
                setattr(net, name, getattr(net, name).astype(np.float32))
        X = rng.choice([1e-3, 1, 1, 1000]) * rng.standard_normal((n, m))
        if rng.random() < 0.2:
            X[:, : m // 2] = 0
        try:
            report = check_gradients(net, X, rng.integers(0, 2, (o, m)), loss=LOSSES[rng.integers(len(LOSSES))])
            looked_at += sum(line.status == "ok" for line in report.lines)
        except SelfCheckFailed as error:
            false_alarms.append((seed, str(error)))
    assert not false_alarms
    assert looked_at > 0.95 * 4 * len(seeds)  # and "unclear" is no way out


@pytest.mark.slow
@pytest.mark.parametrize(
    ("style", "hidden", "loss"),
    sampled(
        itertools.product(STYLES, ACTIVATIONS, LOSSES),
        *zip(STYLES, itertools.cycle(ACTIVATIONS), itertools.cycle(LOSSES)),
    ),
)
def test_every_style_and_every_way_to_write_the_loss_passes(style, hidden, loss):
    X, Y = data()
    net = type("Net", (style,), {"hidden": hidden})(3, 5, 7, rng=0)
    assert all(line.status == "ok" for line in check_gradients(net, X, Y, loss=loss).lines)


@pytest.mark.slow
def test_a_right_penalty_passes_and_a_decay_form_too():
    X, Y = data()
    assert check_gradients(Net(3, 5, 7, rng=0, reg_lambda=0.7), X, Y).ok


@pytest.mark.slow
def test_inputs_of_scale_1000_at_which_a_clipped_logarithm_is_flat_are_left_out_and_said():
    X, Y = data()
    X[:, :2] *= 1000
    net = type("Net", (STYLES[0],), {"hidden": "relu"})(3, 5, 7, rng=0, weight_scale=1.0)
    report = check_gradients(net, X, Y, loss=LOSSES[2])
    assert report.ok
    assert "examples left out" in " ".join(report.notes)
    assert not any("left out" in note for note in check_gradients(net, X, Y).notes)  # compute_loss is exact there


@pytest.mark.slow
def test_a_rectifier_exactly_at_its_kink_is_not_judged():
    for at_zero in (0.0, 0.5, 1.0):
        derivative = Slip("right", {"derivative": lambda net, d=at_zero: np.where(net.Z1 == 0, d, net.Z1 > 0)})
        net = with_slip(derivative, "relu", rng=0)
        X, Y = data()
        X[:, :2] = 0
        report = check_gradients(net, X, Y, random_points=0)
        assert "at a kink" in {line.name: line.says for line in report.lines}["db1"] or "kinks" in repr(report)


def test_a_gradient_that_is_zero_to_rounding_is_called_unclear_and_not_right():
    X, Y = data()
    net = SimpleNeuralNetwork(3, 5, 7, rng=0)
    net.W2[:] = 0
    assert {line.name: line.status for line in check_gradients(net, X, Y, random_points=0).lines}["dW1"] == "unclear"


def test_tiny_gradients_are_still_judged():
    X, Y = data()
    net = SimpleNeuralNetwork(3, 5, 7, rng=0)
    net.W2 *= 1e-7
    assert {line.status for line in check_gradients(net, X, Y, random_points=0).lines} == {"ok"}
    slip = with_slip(Slip("twice", {"after": lambda net: setattr(net, "dW1", 2 * net.dW1)}), "sigmoid", rng=0)
    slip.W2 *= 1e-7
    assert "2 times too large" in message(check_gradients, slip, X, Y, random_points=0)


def test_a_single_example_passes_with_a_remark():
    X, Y = data(m=1)
    assert any("single example" in note for note in check_gradients(SimpleNeuralNetwork(3, 5, 7), X, Y).notes)


@pytest.mark.slow
def test_a_network_with_two_hidden_layers_is_checked_too():
    class Deep:
        def __init__(self):
            rng = np.random.default_rng(0)
            self.W1, self.W2, self.W3 = (rng.standard_normal(s) for s in ((5, 3), (13, 5), (7, 13)))
            self.b1, self.b2, self.b3 = (rng.standard_normal((k, 1)) for k in (5, 13, 7))

        def forward_pass(self, X):
            self.A1 = np.tanh(self.W1 @ X + self.b1)
            self.A2 = np.tanh(self.W2 @ self.A1 + self.b2)
            self.A3 = self.W3 @ self.A2 + self.b3
            return self.A3

        def loss(self, Y):
            return np.mean(np.sum((self.A3 - Y) ** 2, axis=0))

        def backward_pass(self, X, Y, slip=1):
            D3 = 2 * (self.A3 - Y) / Y.shape[1]
            D2 = self.W3.T @ D3 * (1 - self.A2**2) * slip
            D1 = self.W2.T @ D2 * (1 - self.A1**2)
            self.dW1, self.dW2, self.dW3 = D1 @ X.T, D2 @ self.A1.T, D3 @ self.A2.T
            self.db1, self.db2, self.db3 = (D.sum(axis=1, keepdims=True) for D in (D1, D2, D3))

    X, Y = data()
    assert [line.name for line in check_gradients(Deep(), X, Y).lines] == ["dW1", "db1", "dW2", "db2", "dW3", "db3"]
    wrong = type("Wrong", (Deep,), {"backward_pass": lambda self, X, Y: Deep.backward_pass(self, X, Y, 0.5)})
    assert "error signal of layer 2: layer 3 agrees" in message(check_gradients, wrong(), X, Y)


# --- It leaves no trace ---------------------------------------------------------------------------------------------


def test_the_network_the_data_and_the_random_numbers_are_left_as_they_were():
    X, Y = data()
    rng = np.random.default_rng(5)
    net = SimpleNeuralNetwork(3, 5, 7, rng=rng)
    net.forward_pass(X)
    net.rng, before = rng, {name: np.copy(value) for name, value in vars(net).items()}
    stored, states = dict(vars(net)), (rng.bit_generator.state, random.getstate(), np.random.get_state()[1].copy())
    X_before, Y_before = X.copy(), Y.copy()
    check_gradients(net, X, Y)
    assert vars(net) == stored or all(vars(net)[name] is value for name, value in stored.items())
    assert all(np.array_equal(vars(net)[n], v) for n, v in before.items() if n != "rng")
    assert rng.bit_generator.state == states[0]
    assert random.getstate() == states[1]
    assert np.array_equal(np.random.get_state()[1], states[2])
    assert np.array_equal(X, X_before)
    assert np.array_equal(Y, Y_before)


@pytest.mark.slow
@pytest.mark.filterwarnings("error")
def test_overflow_in_naive_code_makes_no_noise():
    X, Y = data(scale=1000)
    for scale in (0.01, 5, 1e3, 1e200):
        net = type("Net", (STYLES[1],), {"hidden": "relu"})(3, 5, 7, rng=0, weight_scale=scale)
        for loss in LOSSES:
            check_gradients(net, X, Y, loss=loss)


# --- Code that is not finished, or that cannot be checked -----------------------------------------------------------


def network_with(**methods):
    return type("Network", (SimpleNeuralNetwork,), methods)(3, 5, 7, rng=0)


def not_written(name):
    """A function of that name as it is released."""
    released = {}
    exec(f"def {name}(*arguments):\n    raise NotImplementedError()", released)
    return released[name]


@pytest.mark.parametrize("method", ["forward_pass", "backward_pass", "compute_loss"])
def test_an_untouched_task_is_told_what_to_do(method):
    said = message(check_gradients, network_with(**{method: not_written(method)}), *data())
    assert f"{method} is not written yet: replace the line `raise NotImplementedError()` by your solution" in said


def test_methods_without_a_body_are_told_what_is_missing():
    assert "There is no dW1" in message(check_gradients, network_with(backward_pass=lambda s, X, Y: None), *data())
    assert "self.Z2, but nothing has stored it" in message(
        check_gradients, network_with(forward_pass=lambda s, X: None, backward_pass=lambda s, X, Y: None), *data()
    )
    assert "has to be one number" in message(check_gradients, network_with(compute_loss=lambda s, Y: None), *data())
    assert "shape (7, 11)" in message(check_gradients, network_with(compute_loss=lambda s, Y: s.A2), *data())


def test_gradients_left_by_an_earlier_run_do_not_count():
    X, Y = data()
    net = network_with(backward_pass=lambda self, X, Y: None)
    net.dW1 = net.db1 = net.dW2 = net.db2 = np.ones(1)
    assert "There is no dW1" in message(check_gradients, net, X, Y)


def test_a_parameter_that_the_forward_pass_ignores_is_told():
    class Global(SimpleNeuralNetwork):
        def forward_pass(self, X, W1=np.ones((5, 3))):  # noqa: B008
            self.W1, own = W1, self.W1
            out = super().forward_pass(X)
            self.W1 = own
            return out

    assert "does not change your loss at all" in message(check_gradients, Global(3, 5, 7, rng=0), *data())


def test_a_loss_that_cannot_be_checked_is_told():
    X, Y = data()
    net = SimpleNeuralNetwork(3, 5, 7, rng=0)
    assert "changes from call to call" in message(check_gradients, net, X, Y, loss=lambda *a: random.random())
    assert "not a finite number" in message(check_gradients, net, X, Y, loss=lambda *a: np.nan)
    assert "no method compute_loss" in message(check_gradients, type("N", (), {"W1": 1, "__init__": _set_w1})(), X, Y)
    assert "has no parameters" in message(check_gradients, object.__new__(SimpleNeuralNetwork), X, Y)


def _set_w1(self):
    self.W1 = np.ones((1, 1))


def test_other_errors_are_told_with_their_line():
    def backward_pass(self, X, Y):
        self.dW1 = X.trasnpose()

    said = message(check_gradients, network_with(backward_pass=backward_pass), *data())
    assert "backward_pass stopped in line" in said
    assert "`self.dW1 = X.trasnpose()`: AttributeError: 'numpy.ndarray' object has no attribute 'trasnpose'" in said


@pytest.mark.parametrize(
    ("owner", "name", "says"),
    [
        ("network", "foward_pass", "`network` has no attribute `foward_pass`. Did you mean `forward_pass`?"),
        ("self", "foward_pass", "`self` has no attribute `foward_pass`. Did you mean `forward_pass`?"),
        ("network", "A3", "`network` has no attribute `A3`."),
        ("self", "A3", "step needs self.A3, but nothing has stored it: is there a line `self.A3 = ...` before?"),
    ],
)
def test_what_an_object_has_not_is_told_of_that_object(owner, name, says, monkeypatch):
    source = f"def step({owner}):\n    {owner}.{name}\n"
    lines = source.splitlines(keepends=True)
    monkeypatch.setitem(linecache.cache, "own.py", (len(source), None, lines, "own.py"))
    names = {}
    exec(compile(source, "own.py", "exec"), names)
    said = message(selfcheck.check_yourself, lambda: names["step"](SimpleNeuralNetwork(3, 5, 7, rng=0)))
    assert said.endswith(says)


def test_gradients_that_are_kept_in_names_of_the_method_are_told():
    def backward_pass(self, X, Y):
        dW1 = self.W1
        assert dW1 is not None

    said = message(check_gradients, network_with(backward_pass=backward_pass), *data())
    assert "backward_pass computes dW1 and keeps it to itself" in said
    said = message(check_gradients, network_with(backward_pass=lambda self, X, Y: (X, Y)), *data())
    assert "backward_pass returns something, but it has to store the gradients: self.dW1 = ..." in said


def test_a_forward_pass_without_return_is_told():
    def forward_pass(self, X):
        SimpleNeuralNetwork.forward_pass(self, X)

    assert "forward_pass returns nothing" in message(check_gradients, network_with(forward_pass=forward_pass), *data())


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (
            "X @ W",
            "X has shape (3, 11) and W has shape (5, 3). A matrix product needs as many columns on the left as "
            "rows on the right; here these are 11 and 5",
        ),
        ("np.dot(W.T, X)", "W.T has shape (3, 5) and X has shape (3, 11)"),
        ("W.dot(X.T)", "W has shape (5, 3) and X.T has shape (11, 3)"),
        ("W * X", "Entry by entry the two have to be equal"),
        ("(X.T @ W.T) + W", "X.T @ W.T has shape (11, 5) and W has shape (5, 3)"),
        ("X[7]", "IndexError: index 7 is out of bounds"),
    ],
)
def test_shapes_that_do_not_fit_are_told_with_what_is_needed_and_what_there_is(line, says, monkeypatch):
    source = f"def product(W, X):\n    return {line}\n"
    monkeypatch.setitem(linecache.cache, "a cell", (len(source), None, source.splitlines(keepends=True), "a cell"))
    names = {"np": np}
    exec(compile(source, "a cell", "exec"), names)
    said = message(check_yourself, lambda: names["product"](np.ones((5, 3)), np.ones((3, 11))))
    assert f"product stopped in line 2 of its cell, `return {line}`: " in said
    assert says in said


# --- Functions that return gradients --------------------------------------------------------------------------------


def linear_problem():
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((2, 7))

    def loss(w, b):
        return np.mean((y - (w * x + b)) ** 2)

    def gradient(w, b, factor=-2):
        residual = y - (w * x + b)
        return np.mean(factor * x * residual), np.mean(factor * residual)

    return loss, gradient, {"w": 0.3, "b": -0.2}


def test_a_gradient_function_is_checked():
    loss, gradient, at = linear_problem()
    assert check_gradient(loss, gradient, at, sizes={"m": 7}).ok
    assert "opposite sign" in message(check_gradient, loss, lambda w, b: gradient(w, b, 2), at)
    assert "7 times too large. Here that is m" in message(
        check_gradient, loss, lambda w, b: gradient(w, b, -14), at, sizes={"m": 7}
    )
    assert "has to return 2 gradients (w, b), but it returned 1" in message(
        check_gradient, loss, lambda w, b: gradient(w, b)[0], at
    )
    assert "There is no dw" in message(check_gradient, loss, lambda w, b: (None, 0.0), at)


def test_a_hinge_loss_with_kinks_is_checked_where_it_is_smooth():
    rng = np.random.default_rng(1)
    X, y = rng.standard_normal((3, 40)), rng.choice([-1, 1], 40)
    w, b = rng.standard_normal(3), 0.2
    X[:, 0] = w * (y[0] + b) / (w @ w)  # this margin is exactly 1 up to rounding

    def loss(w, b):
        return np.mean(np.maximum(0, 1 - y * (w @ X - b)))

    def gradient(w, b):
        inside = y * (w @ X - b) < 1 + 1e-9
        return -(X * y * inside).mean(axis=1), (y * inside).mean()

    assert check_gradient(loss, gradient, {"w": w, "b": b}).ok
    assert "dw" in message(
        check_gradient, loss, lambda w, b: (gradient(w, b)[0] * 1.5, gradient(w, b)[1]), {"w": w, "b": b}
    )


def test_a_layer_is_checked_through_the_loss_that_an_upstream_gradient_defines():
    rng = np.random.default_rng(2)
    W, Z, upstream = rng.standard_normal((3, 2)), rng.standard_normal((2, 5)), rng.standard_normal((3, 5))

    def gradient(W, Z):
        dV = upstream / np.cosh(W @ Z) ** 2
        return [dV @ Z.T, W.T @ dV]

    assert check_gradient(lambda W, Z: np.sum(upstream * np.tanh(W @ Z)), gradient, {"W": W, "Z": Z}).ok


def test_a_gradient_function_that_changes_its_input_is_told():
    def gradient(w):
        w *= 2
        return w

    assert "changed w in place" in message(check_gradient, lambda w: np.sum(w**2), gradient, {"w": np.ones(3)})


def test_an_array_that_is_passed_on_may_not_be_changed():
    def doubled(dout, *others):
        dout *= 2
        return dout

    assert "doubled changed dout in place" in message(watched(doubled), np.ones(3))
    assert watched(doubled)(2, np.ones(3)) == 4
    assert np.array_equal(watched(lambda dout: dout + 0)(np.ones(3)), np.ones(3))


@given(st.integers(0, 10_000), st.floats(-6, 6), st.sampled_from(["quadratic", "exponential", "absolute"]))
@settings(max_examples=80, deadline=None)
def test_slopes_come_with_an_honest_error(seed, size, kind):
    """The true derivative lies within the error bound that _slope gives, at any scale; kinks make the bound large."""
    rng = np.random.default_rng(seed)
    a, x, scale = rng.standard_normal(), rng.standard_normal(), 10.0**size
    f, true = {
        "quadratic": (lambda t: scale * (t - a) ** 2, 2 * scale * (x - a)),
        "exponential": (lambda t: scale * np.exp(a * t), a * scale * np.exp(a * x)),
        "absolute": (lambda t: scale * abs(t - a), scale * np.sign(x - a)),
    }[kind]
    noise = 4 * np.finfo(float).eps * max(abs(f(x + h)) for h in (-0.3, 0, 0.3))
    value, error = selfcheck._slope(f, x, noise)
    assert abs(value - true) <= 3 * error + 1e-8 * abs(true)
    assert error < 1e-5 * (abs(true) + scale)
    if kind == "absolute":
        _, at_kink = selfcheck._slope(f, a, noise)
        assert at_kink > scale


def test_hidden_single_precision_is_noticed():
    weights = np.random.default_rng(0).standard_normal(20)

    def double():
        return float(np.sum(np.tanh(weights)))

    def single():
        return float(np.sum(np.tanh(weights.astype(np.float32))))

    rng = np.random.default_rng(1)
    assert selfcheck._noise(double, [weights], rng) < 1e-13
    assert 1e-9 < selfcheck._noise(single, [weights], rng) < 1e-5


# --- Updates --------------------------------------------------------------------------------------------------------


def updating(step):
    def update_parameters(self, learning_rate):
        for name in ("W1", "b1", "W2", "b2"):
            step(self, name, learning_rate)

    return network_with(update_parameters=update_parameters)


def test_updates_are_checked_against_your_own_gradients():
    X, Y = data()
    assert check_update(SimpleNeuralNetwork(3, 5, 7, rng=0), X, Y).ok

    def in_place(net, name, rate):
        value = getattr(net, name)
        value -= rate * getattr(net, f"d{name}")

    assert check_update(updating(in_place), X, Y).ok
    wrong = {
        "moved the wrong way": lambda n, p, r: setattr(n, p, getattr(n, p) + r * getattr(n, f"d{p}")),
        "did not change at all": lambda n, p, r: None,
        "It moved 3.33333 times as far": lambda n, p, r: setattr(n, p, getattr(n, p) - getattr(n, f"d{p}")),
        "did not move by": lambda n, p, r: setattr(n, p, r * getattr(n, f"d{p}")),
        "All three have to be equal": lambda n, p, r: setattr(n, p, np.zeros((2, 2))),
    }
    for says, step in wrong.items():
        assert says in message(check_update, updating(step), X, Y)
    assert "has to store dW1" in message(check_update, network_with(backward_pass=lambda self, X, Y: None), X, Y)
    untouched = network_with(update_parameters=not_written("update_parameters"))
    assert "update_parameters is not written yet" in message(check_update, untouched, X, Y)


# --- Elementwise functions ------------------------------------------------------------------------------------------


def relu(z):
    return np.maximum(z, 0)


@pytest.mark.parametrize("at_zero", [0, 0.5, 1])
def test_any_value_at_the_kink_is_right(at_zero):
    assert check_function(relu, lambda z: np.where(z == 0, at_zero, z > 0)).ok


@pytest.mark.parametrize(
    ("function", "derivative"),
    [
        (np.tanh, lambda z: 1 - np.tanh(z) ** 2),
        (lambda z: 1 / (1 + np.exp(-z)), lambda z: 1 / (2 + np.exp(z) + np.exp(-z))),
        (lambda z: z * np.tanh(z), lambda z: np.tanh(z) + z * (1 - np.tanh(z) ** 2)),
        (np.sin, np.cos),
        (relu, lambda z: np.array([[float(x > 0) for x in row] for row in np.atleast_2d(z)])),
    ],
)
def test_right_derivatives_pass(function, derivative):
    assert check_function(function, derivative).ok


@pytest.mark.parametrize(
    ("derivative", "says"),
    [
        (lambda z: np.where(z > 0, 1, 0.1), "wrong for z < 0: at z = -0.9 it gives 0.1, but the slope"),
        (relu, "wrong for z > 0"),
        (relu, "It returns the function itself"),
        (lambda z: (z < 0) * 1.0, "on both sides of 0"),
        (lambda z: 1.0, "returned shape ()"),
        (lambda z: None, "returned None"),
        (lambda z: (z > 0).sum(axis=0), "one value per entry"),
        (lambda z: z > z.mean(), "depends on the other entries"),
        (lambda z: 1 / z * relu(z), "not finite at z = 0"),
        (lambda z: np.put(z, range(z.size), 1.0), "changes its input in place"),
        (not_written("slope"), "slope is not written yet"),
    ],
)
def test_wrong_derivatives_of_relu_are_told(derivative, says):
    assert says in message(check_function, relu, derivative)


def test_whole_numbers_out_of_vectorize_are_told():
    said = message(check_function, np.vectorize(lambda z: z if z > 0 else 0), lambda z: z > 0)
    assert "np.vectorize takes the kind of its first result for all" in said
    assert check_function(np.vectorize(lambda z: z if z > 0 else 0.0), lambda z: z > 0).ok
    assert check_function(relu, lambda z: (z > 0).astype(int)).ok


def test_one_function_alone_and_points_of_your_own():
    assert check_function(relu).ok
    assert check_function(np.sqrt, lambda z: 0.5 / np.sqrt(z), points=[1, 2, 3.5]).ok


# --- Values and training --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (None, "is None: nothing was filled in or returned"),
        ([0.5, ...], "not filled in yet"),
        ("0,5", "decimal point"),
        ([0.5], "has shape (1,), expected shape (2,)"),
        (0.5, "is one number, expected shape (2,)"),
        ([[1], [2, 3]], "rows differ in length"),
        ([0.5, np.nan], "not finite"),
        ([0.5, 1.2], "has to lie between 0 and 1"),
    ],
)
def test_values_that_cannot_be_marked_are_told(answer, says):
    assert says in message(check_values, {"a1": answer}, {"a1": (2,)}, ranges={"a1": (0, 1)})


Z, HALF, ROWS = sympy.Symbol("z"), Fraction(1, 2), [[1, 2], [3, 4]]
KINDS = [
    1, 0.5, True, np.float32(2), np.int8(3), np.array(0.5), np.array([[0.5]]), [0.5, 2], (1, 2), ROWS, np.array(ROWS),
    np.matrix(ROWS), np.ma.array([1.0, 2.0]), HALF, [HALF, 1], np.array([HALF, HALF]), Decimal("0.5"), sympy.sqrt(2),
    sympy.Rational(1, 4), [sympy.pi, 1], [np.ones(2), np.ones(2)], [np.array(1), 2], np.longdouble(1), 1 + 0j,
    np.array([1 + 0j]), [[0.5], [2]], np.array([0.5], dtype=np.float16), float("inf"), [np.nan], [], np.array([]),
    None, ..., [..., 1], "0.5", ["0.5", "1"], np.array(["a"]), {"a": 1}, {1, 2}, (x for x in ()), len, [len], object(),
    1 + 1j, [1j], np.array([1j]), [[1], [2, 3]], np.array([[1], [2, 3]], dtype=object), [1, [2]], Z, [Z, 1],
    np.array([Z]), sympy.Matrix([1, 2]), np.datetime64("2020"), [None], [[1, None]], map(float, ()), b"1", [ROWS, 1],
]  # fmt: skip


class Foreign:
    """An array of another library, as jax and torch have them."""

    def __init__(self, *entries):
        self.entries = entries

    def __array__(self, dtype=None, copy=None):
        return np.array(self.entries, dtype=dtype)

    def __float__(self):
        raise TypeError("only arrays with one entry")


KINDS += [Foreign(1.0, 2.0), [Foreign(1, 2), [3, 4]], Foreign("a"), Foreign(None)]


def test_numbers_of_a_kind_are_accepted_or_refused_as_they_are_when_the_work_is_marked():
    """One rule for what is a number: that of the self-check is the grader's."""
    differ = []
    for value in KINDS:
        own = selfcheck.as_numbers(value)
        try:
            graders = as_numbers(codec.plain(value))
        except codec.BadValue as refused:
            graders = str(refused)
        same = isinstance(own, str) == isinstance(graders, str) and (
            isinstance(own, str) or np.array_equal(own, np.asarray(graders, dtype=float), equal_nan=True)
        )
        if not same:
            differ.append((value, own, graders))
    assert not differ


LEAVES = st.none() | st.booleans() | st.floats() | st.integers(-9, 9) | st.fractions(max_denominator=9) | st.just("1")


@pytest.mark.slow
@given(st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3) | st.tuples(inner, inner), max_leaves=6))
@settings(deadline=None)
def test_nested_values_are_read_as_they_are_when_the_work_is_marked(value):
    own, graders = selfcheck.as_numbers(value), as_numbers(codec.plain(value))
    assert isinstance(own, str) == isinstance(graders, str)
    assert isinstance(own, str) or np.array_equal(own, np.asarray(graders, dtype=float), equal_nan=True)


def test_numbers_of_every_kind_pass_every_check():
    report = check_values({"a": [HALF, sympy.Rational(1, 3)], "b": np.matrix([[0.5]])}, {"a": (2,), "b": ()})
    assert [line.says for line in report.lines] == ["[0.5, 0.33333333]", "[[0.5]]"]
    assert check_training([[3.0], [HALF], [sympy.Rational(1, 4)]], epochs=3).ok
    assert check_gradient(lambda w: HALF * w**2, lambda w: sympy.Float(w), {"w": 0.3}).ok

    class Matrices(SimpleNeuralNetwork):
        def compute_loss(self, Y):
            return np.array([[super().compute_loss(Y)]])

        def backward_pass(self, X, Y):
            super().backward_pass(X, Y)
            self.dW1, self.db2 = np.matrix(self.dW1), self.db2.tolist()

    assert check_gradients(Matrices(3, 5, 7, rng=0), *data()).ok
    assert check_function(lambda z: z, lambda z: np.ones_like(z).tolist()).ok


@pytest.mark.parametrize(
    ("number", "count"), [(0.00043, 2), (0.0004, 1), (12.05, 4), (0.5, 1), (-0.0612, 3), (1200, 4), (1e-9, 1)]
)
def test_significant_figures_are_counted_as_a_person_does(number, count):
    assert selfcheck.figures(number) == count
    assert selfcheck.figures(np.float64(number)) == count


@given(st.floats(1e-9, 1), st.integers(1, 6))
def test_a_number_rounded_to_so_many_figures_has_no_more_of_them(number, count):
    assert 1 <= selfcheck.figures(float(f"{number:.{count - 1}e}")) <= count


@pytest.mark.slow
@given(st.integers(100_001, 999_999).filter(lambda digits: digits % 10), st.integers(-6, 1), st.integers(1, 3))
def test_rounding_is_said_in_the_words_in_which_it_is_marked(digits, power, count):
    """One rule for figures: that of the self-check, which knows no answer, is the grader's."""
    exact = digits * 10.0 ** (power - 6)
    written = float(f"{exact:.{count - 1}e}")
    marked = rounding(np.array([written]), np.array([exact]))
    (line,) = check_values({"dz2": written}, {"dz2": ()}, rounded={"dz2": 4}).lines
    assert line.status == "unclear"
    assert marked.says.partition(" has ")[2] in line.says


def test_too_few_figures_are_pointed_out_without_knowing_the_answer():
    asked = dict.fromkeys(("loss", "dz2", "dW2", "a1"), 4)
    shapes = {"loss": (), "dz2": (), "dW2": (2,), "a1": (2,), "z1": (2,)}
    four_decimals = {"loss": 0.0004, "dz2": 0.0061, "dW2": [0.0047, 0.0055], "a1": [0.7685, 0.9002], "z1": [1.2, 2.2]}
    report = check_values(four_decimals, shapes, rounded=asked)
    assert report.ok
    assert [line.status for line in report.lines] == ["unclear"] * 3 + ["ok"] * 2
    assert "0.0004 has one significant figure; four are asked. Zeros at the front do not count." in report.lines[0].says
    four_figures = four_decimals | {"loss": 0.0004331, "dz2": 0.006122, "dW2": [0.004705, 0.00551], "a1": [0.7685, 0.9]}
    said = {line.name: line.status for line in check_values(four_figures, shapes, rounded=asked).lines}
    assert said == {"loss": "ok", "dz2": "ok", "dW2": "ok", "a1": "unclear", "z1": "ok"}
    three = {"loss": 0.000433, "dz2": 0.00612, "dW2": [0.00470, 0.00551], "a1": [0.769, 0.900], "z1": [1.2, 2.2]}
    assert "0.00612 has three significant figures" in repr(check_values(three, shapes, rounded=asked))


def test_a_decimal_comma_is_told():
    assert "a decimal comma makes two numbers of one" in message(check_values, {"z2": (1, 52)}, {"z2": ()})
    assert "a decimal comma makes two numbers of one" in message(check_values, {"z1": [1, 2, 2, 2]}, {"z1": (2,)})
    assert "decimal point and not a comma" in message(check_values, {"z2": "1,52"}, {"z2": ()})


def test_work_under_another_name_is_not_called_missing():
    said = message(check_values, {"Z1": [1, 2]}, {"z1": (2,)})
    assert "z1 WRONG is not there, but there is Z1: the name has to be as it is asked for" in said
    assert "not filled in yet" in message(check_values, {}, {"z1": (2,)})
    assert "not filled in yet" in message(check_values, {"z1": [..., ...]}, {"z1": (2,)})


def test_filled_in_values_pass_without_being_judged():
    report = check_values({"a1": [0.1, 0.2], "L": np.float64(3)}, {"a1": (2,), "L": ()}, ranges={"a1": (0, 1)})
    assert [line.status for line in report.lines] == ["ok", "ok"]
    assert "marked after you hand in" in repr(report)


def test_a_column_is_as_good_as_a_list_and_an_array_of_one_as_a_number():
    report = check_values({"a1": np.ones((2, 1)), "L": np.ones((1, 1))}, {"a1": (2,), "L": ()})
    assert [line.status for line in report.lines] == ["ok", "ok"]


@pytest.mark.parametrize(
    ("losses", "says"),
    [
        (None, "Yours is None"),
        (0.5, "shape ()"),
        ([0.7, np.inf, np.nan], "no longer finite from epoch 1"),
        ([0.7] * 50, "stays at exactly 0.7"),
        (np.linspace(0.5, 0.9, 50), "rose from"),
        ([0.7, 0.6], "2 losses for 3 epochs"),
    ],
)
def test_training_that_went_wrong_is_told(losses, says):
    assert says in message(check_training, losses, epochs=3 if np.size(losses) == 2 else None)


def test_noisy_training_that_goes_down_passes():
    noise = np.random.default_rng(0).normal(0, 0.05, 200)
    assert "200 finite losses" in repr(check_training(np.linspace(0.7, 0.3, 200) + noise, epochs=200))


def test_losses_that_are_arrays_with_one_entry_are_losses():
    assert "3 finite losses" in repr(check_training([np.array([[loss]]) for loss in (0.7, 0.5, 0.4)], epochs=3))


# --- Steps and reports of a training ----------------------------------------------------------------------------------


def one_by_one(network, X, Y, order, rate=0.5, *, x=lambda k: k, y=lambda k: k, forward=True, update=True):
    for k in order:
        if forward:
            network.forward_pass(X[:, [x(k)]])
        network.backward_pass(X[:, [x(k)]], Y[:, [y(k)]])
        if update:
            network.update_parameters(rate)


@pytest.mark.parametrize(
    ("slip", "says"),
    [
        ({"y": lambda k: (k + 1) % 11}, "column 3 of X with column 4 of Y"),
        ({"x": lambda k: k + 1, "y": lambda k: k + 1}, "it is the turn of column 3, but backward_pass got column 4"),
        ({"order": [3, 0]}, "The order has 3 entries, but backward_pass was called 2 times"),
        ({"rate": 0.1}, "The learning rate is 0.5, but update_parameters was called with 0.1"),
        ({"update": False}, "3 backward passes and 0 updates"),
        ({"forward": False}, "backward_pass uses what the last forward pass stored"),
    ],
)
def test_steps_that_are_not_those_of_the_order_are_told(slip, says):
    X, Y = np.random.default_rng(0).normal(size=(3, 11)), np.random.default_rng(1).normal(size=(7, 11))
    right, wrong = (SimpleNeuralNetwork(3, 5, 7, rng=0) for _ in range(2))
    steps = watch_steps(right, X, Y)
    one_by_one(right, X, Y, [3, 0, 8])
    assert check_steps(steps, [3, 0, 8], 0.5).ok
    steps = watch_steps(wrong, X, Y)
    wrong.forward_pass(X[:, [5]])
    one_by_one(wrong, X, Y, **{"order": [3, 0, 8], **slip})
    assert says in message(check_steps, steps, [3, 0, 8], 0.5)


def test_all_examples_at_once_are_told():
    X, Y = np.random.default_rng(0).normal(size=(3, 11)), np.random.default_rng(1).normal(size=(7, 11))
    network = SimpleNeuralNetwork(3, 5, 7, rng=0)
    steps = watch_steps(network, X, Y)
    network.train(X, Y, 1, 0.5)
    assert "backward_pass got 11 examples, but one has its turn at a time" in message(check_steps, steps, None, 0.5)


MOONS = tuple(np.arange(k * m).reshape(k, m) % 5 // 2 % 2 for m in (13, 9) for k in (2, 1))


def report_of(network_class, epochs, learning_rate, seed, *, train=None, share=1.0, labels=True, last=-1, **options):
    X_train, Y_train, X_test, Y_test = MOONS
    network = network_class(2, 4, 1, **{"rng": seed, **options})
    losses = network.train(X_train, Y_train, *(train or (epochs, learning_rate)))
    answer = network.predict if labels else network.forward_pass
    return losses[last], *(share * np.mean(answer(X) == Y) for X, Y in ((X_train, Y_train), (X_test, Y_test)))


@pytest.mark.parametrize(
    ("slip", "says"),
    [
        ({"train": (5, 0.1)}, "learning_rate was 0.25, but train was called with 0.1"),
        ({"train": (7, 0.25)}, "epochs was 5, but train was called with 7"),
        ({"rng": 3}, "The seed has to go into the network"),
        ({"last": 0}, "the last entry is the final loss, not 3"),
        ({"last": 1}, "train returned [3, 1.5, 1.75]; the last entry is the final loss, not 1.5"),
        ({"share": 100}, "100 times as much: a share lies between 0 and 1"),
        ({"labels": False}, "Are probabilities compared with labels?"),
    ],
)
def test_a_training_report_is_checked_with_a_class_of_ours(slip, says):
    assert check_training_report(report_of, MOONS).ok
    assert says in message(check_training_report, lambda *arguments: report_of(*arguments, **slip), MOONS)


def test_a_training_report_that_ignores_the_class_or_returns_nothing_is_told():
    own = message(check_training_report, lambda _, *rest: report_of(SimpleNeuralNetwork, *rest), MOONS)
    assert "No network of the class that is passed in was made" in own
    assert "Three numbers have to be returned" in message(check_training_report, lambda *_: None, MOONS)


# --- How it looks ---------------------------------------------------------------------------------------------------


def test_a_report_is_a_table_in_a_notebook_and_plain_ascii_elsewhere():
    report = check_gradients(SimpleNeuralNetwork(3, 5, 7, rng=0), *data())
    text, page = repr(report), report._repr_html_()
    assert text.isascii()
    assert max(map(len, text.splitlines())) <= 100
    assert "dW1  ok" in text
    assert "Further checks run after you hand in" in " ".join(text.split())
    assert page.count("<tr") == page.count("</tr>") == 4
    assert "background:none" in page
    assert "#10003;" in page


def test_a_report_is_shown_and_is_no_result_which_nbgrader_would_take_for_points(monkeypatch):
    """`nbgrader validate` warned in eleven lines of every self-check of a right notebook."""
    import IPython.display
    from IPython.core.formatters import DisplayFormatter

    shown = []
    monkeypatch.setattr(IPython.display, "display", lambda data, raw: shown.append(data))
    assert DisplayFormatter().format(check_values({"dW1": 1}, {"dW1": ()})) == ({}, {})
    assert [set(data) for data in shown] == [{"text/plain", "text/html"}]


def test_no_sentence_of_a_report_is_cut_and_no_word_in_two():
    """The longest that a check says, in both forms: every word stands there, in order, to its last full stop."""
    words = " ".join(f"word-{k} {'x' * (k % 30)} -{k}.5e-7" for k in range(60)) + " and the end."
    lines = (selfcheck.Line("dW1", "WRONG", words), selfcheck.Line("dW2", "unclear", "short"))
    report = selfcheck.Report(words, lines, (words,))
    text = " ".join(repr(report).split())
    assert text.count(" ".join(words.split())) == 3
    assert report._repr_html_().count(words) == 3


def test_a_line_that_says_no_more_than_ok_keeps_its_name():
    report = check_training_report(report_of, MOONS)
    assert {line.says for line in report.lines} == {""}
    assert all(f"  {line.name:<17}  ok\n" in repr(report) for line in report.lines)


@pytest.mark.parametrize(("slip", "hidden"), PLANTED[::7], ids=[f"{s.name}, {h}" for s, h in PLANTED[::7]])
def test_what_is_said_of_a_slip_is_whole_sentences(slip, hidden):
    X, Y = data(slip.sizes[0], slip.sizes[2])
    assert message(check_gradients, with_slip(slip, hidden, rng=1), X, Y).endswith((".", "?", ")"))


def test_what_students_named_is_escaped():
    report = check_values({"<b>": 1}, {"<b>": ()})
    assert ">&lt;b&gt;</code>" in report._repr_html_()


def test_a_name_stays_on_its_line():
    report = selfcheck.Report("Shapes.", (selfcheck.Line("(2, 3, 5) to (3, 1)", "ok", "as it should be"),))
    assert "<code style='white-space:nowrap'>(2, 3, 5) to (3, 1)</code>" in report._repr_html_()


@pytest.fixture
def shell(monkeypatch):
    """An IPython that watches cells as a kernel does; `shown` holds the lines of the errors that it has shown."""
    InteractiveShell = pytest.importorskip("IPython.core.interactiveshell").InteractiveShell
    shell = InteractiveShell.instance()
    shell.shown = []
    monkeypatch.setattr(shell, "_showtraceback", lambda etype, value, lines: shell.shown.extend(lines), raising=False)
    monkeypatch.setattr(selfcheck, "_STOPPED", [])
    monkeypatch.setitem(sys.modules, "selfcheck", selfcheck)  # other tests import the copies beside the sheets
    selfcheck.watch_cells(shell)
    yield shell
    shell.events.unregister("post_run_cell", selfcheck._remember)
    shell.set_custom_exc((), None)
    shell.reset(new_session=False)


@pytest.mark.slow
def test_a_failure_in_a_notebook_is_the_message_and_no_traceback(shell):
    shell.run_cell("from selfcheck import check_values; check_values({}, {'a1': ()})")
    assert shell.shown[0] == "Self-check: not yet."
    assert "a1  WRONG    not filled in yet" in "\n".join(shell.shown)
    assert not any("Traceback" in line or "selfcheck.py" in line for line in shell.shown)
    assert issubclass(SelfCheckFailed, AssertionError)


STUB = "raise NotImplementedError()"
CHECK = "from selfcheck import *\ndef selfcheck_it():\n    return {}\ncheck_yourself(selfcheck_it)"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("cell", "check", "says"),
    [
        (
            "import numpy\nclass Net:\n    def forward_pass(self, X:\n        pass",
            "Net()",
            "Net is not there: its cell stopped in line 3 with SyntaxError: '(' was never closed. Mend that first.",
        ),
        (
            "z1 = 5\nz2 = other + 1",
            "check_values(globals(), {'z1': (), 'z2': ()})",
            "z2 WRONG is not there: its cell stopped in line 2 with NameError: name 'other' is not defined. Mend",
        ),
        ("loss = 0,000433", "check_values(globals(), {'loss': ()})", "Is that a decimal comma? Python wants a point"),
        ("table = 1 / 0", "table", "table is not there: its cell stopped in line 1 with ZeroDivisionError"),
        ("# Fill in: table = ...\n" + STUB, "table", "table is not there: its cell is not filled in yet."),
        (f"def f():\n    {STUB}", "f()", "f is not written yet: replace the line"),
        ("def f():\n    return undefined", "f()", "f stopped in line 2 of its cell, `return undefined`: NameError"),
        ("pass", "never()", "never is not there. Run the cell above that defines it, then this one again."),
    ],
)
def test_the_error_of_the_own_cell_comes_first_with_its_line(shell, cell, check, says):
    shell.run_cell(cell)
    shell.shown.clear()
    shell.run_cell(CHECK.format(check))
    assert says in " ".join(" ".join(shell.shown).split())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("cell", "figure", "says"),
    [
        (f"def curve():\n    {STUB}", "curve()", "curve is not written yet: replace the line"),
        ("# Fill in: table = ...\n" + STUB, "print(table)", "table is not there: its cell is not filled in yet."),
    ],
)
def test_a_picture_of_what_is_not_there_yet_is_one_sentence(shell, cell, figure, says):
    shell.run_cell(cell)
    shell.shown.clear()
    assert not shell.run_cell(figure).success
    assert says in " ".join(shell.shown)
    assert not any("Traceback" in line for line in shell.shown)


@pytest.mark.slow
def test_an_untouched_fill_in_cell_is_one_sentence(shell):
    shell.run_cell("raise NotImplementedError()")
    assert " ".join(shell.shown).startswith("This cell is not filled in yet")


@pytest.mark.slow
def test_other_errors_of_a_notebook_keep_their_traceback(shell):
    shell.run_cell("print(no_such_name)")
    assert "NameError" in "\n".join(shell.shown)
    assert "no_such_name" in "\n".join(shell.shown)
