"""The self-check is itself checked: it fails on planted slips, says what it promised, and passes right answers."""

import random

import numpy as np
import pytest
import selfcheck
from hypothesis import given, settings
from hypothesis import strategies as st
from selfcheck import (
    SelfCheckFailed,
    check_function,
    check_gradient,
    check_gradients,
    check_training,
    check_update,
    check_values,
)
from simple_network import SimpleNeuralNetwork
from toolkit_networks import ACTIVATIONS, LOSSES, SLIPS, STYLES, Net, Slip, with_slip

PLANTED = [(slip, hidden) for slip in SLIPS for hidden in slip.hidden]


def data(n=3, o=2, m=6, seed=0, scale=1.0):
    rng = np.random.default_rng(seed)
    return scale * rng.standard_normal((n, m)), rng.integers(0, 2, (o, m))


def message(check, *arguments, **options):
    """What a failing check says, on one line."""
    with pytest.raises(SelfCheckFailed) as error:
        check(*arguments, **options)
    return " ".join(str(error.value).split())


# --- Slips are caught -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("slip", "hidden"), PLANTED, ids=[f"{s.name}, {h}" for s, h in PLANTED])
def test_a_planted_slip_is_caught_and_said(slip, hidden):
    X, Y = data(slip.sizes[0], slip.sizes[2])
    assert slip.says in message(check_gradients, with_slip(slip, hidden, rng=1), X, Y)


def test_enough_slips_are_planted():
    assert len(SLIPS) >= 60
    assert len(PLANTED) >= 150
    assert len({slip.name for slip in SLIPS}) == len(SLIPS)


@pytest.mark.parametrize("scale", [1e-3, 1000])
def test_slips_are_caught_at_any_scale_of_the_inputs(scale):
    missed = []
    for slip, hidden in PLANTED:
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


@pytest.mark.parametrize("seeds", [range(90), pytest.param(range(90, 360), marks=pytest.mark.slow)])
def test_no_right_answer_is_called_wrong(seeds):
    """Any style, loss, size, scale and precision; rectifiers that sit exactly at their kink are among them."""
    looked_at, false_alarms = 0, []
    for seed in seeds:
        rng = np.random.default_rng(seed)
        hidden = rng.choice(list(ACTIVATIONS))
        n, h, o = (int(k) for k in rng.integers(1, 5, 3))
        m = int(rng.choice([1, 2, 6, 9]))
        net = type("Net", (STYLES[seed % len(STYLES)],), {"hidden": hidden})(
            n, h, o, rng=rng, weight_scale=rng.choice([0.01, 1, 1, 5]))
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


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("hidden", ACTIVATIONS)
@pytest.mark.parametrize("loss", LOSSES)
def test_every_style_and_every_way_to_write_the_loss_passes(style, hidden, loss):
    X, Y = data()
    net = type("Net", (style,), {"hidden": hidden})(3, 4, 2, rng=0)
    assert all(line.status == "ok" for line in check_gradients(net, X, Y, loss=loss).lines)


def test_a_right_penalty_passes_and_a_decay_form_too():
    X, Y = data()
    assert check_gradients(Net(3, 4, 2, rng=0, reg_lambda=0.7), X, Y).ok


def test_inputs_of_scale_1000_at_which_a_clipped_logarithm_is_flat_are_left_out_and_said():
    X, Y = data()
    X[:, :2] *= 1000
    net = type("Net", (STYLES[0],), {"hidden": "relu"})(3, 4, 2, rng=0, weight_scale=1.0)
    report = check_gradients(net, X, Y, loss=LOSSES[2])
    assert report.ok
    assert "2 examples left out" in " ".join(report.notes)
    assert not any("left out" in note for note in check_gradients(net, X, Y).notes)  # compute_loss is exact there


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
    net = SimpleNeuralNetwork(3, 4, 2, rng=0)
    net.W2[:] = 0
    assert {line.name: line.status for line in check_gradients(net, X, Y, random_points=0).lines}["dW1"] == "unclear"


def test_tiny_gradients_are_still_judged():
    X, Y = data()
    net = SimpleNeuralNetwork(3, 4, 2, rng=0)
    net.W2 *= 1e-7
    assert {line.status for line in check_gradients(net, X, Y, random_points=0).lines} == {"ok"}
    slip = with_slip(Slip("twice", {"after": lambda net: setattr(net, "dW1", 2 * net.dW1)}), "sigmoid", rng=0)
    slip.W2 *= 1e-7
    assert "2 times too large" in message(check_gradients, slip, X, Y, random_points=0)


def test_a_single_example_passes_with_a_remark():
    X, Y = data(m=1)
    assert any("single example" in note for note in check_gradients(SimpleNeuralNetwork(3, 4, 2), X, Y).notes)


def test_a_network_with_two_hidden_layers_is_checked_too():
    class Deep:
        def __init__(self):
            rng = np.random.default_rng(0)
            self.W1, self.W2, self.W3 = (rng.standard_normal(s) for s in ((4, 3), (5, 4), (2, 5)))
            self.b1, self.b2, self.b3 = (rng.standard_normal((k, 1)) for k in (4, 5, 2))

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
    net = SimpleNeuralNetwork(3, 4, 2, rng=rng)
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


@pytest.mark.filterwarnings("error")
def test_overflow_in_naive_code_makes_no_noise():
    X, Y = data(scale=1000)
    for scale in (0.01, 5, 1e3, 1e200):
        net = type("Net", (STYLES[1],), {"hidden": "relu"})(3, 4, 2, rng=0, weight_scale=scale)
        for loss in LOSSES:
            check_gradients(net, X, Y, loss=loss)


# --- Code that is not finished, or that cannot be checked -----------------------------------------------------------


def network_with(**methods):
    return type("Network", (SimpleNeuralNetwork,), methods)(3, 4, 2, rng=0)


def not_written(self, *arguments):
    raise NotImplementedError


@pytest.mark.parametrize("method", ["forward_pass", "backward_pass", "compute_loss"])
def test_an_untouched_task_is_told_what_to_do(method):
    said = message(check_gradients, network_with(**{method: not_written}), *data())
    assert "is not written yet: replace the line `raise NotImplementedError` by your solution" in said


def test_methods_without_a_body_are_told_what_is_missing():
    assert "There is no dW1" in message(check_gradients, network_with(backward_pass=lambda s, X, Y: None), *data())
    assert "self.Z2, but nothing has stored it" in message(
        check_gradients, network_with(forward_pass=lambda s, X: None, backward_pass=lambda s, X, Y: None), *data())
    assert "has to be one number" in message(check_gradients, network_with(compute_loss=lambda s, Y: None), *data())
    assert "shape (2, 6)" in message(check_gradients, network_with(compute_loss=lambda s, Y: s.A2), *data())


def test_gradients_left_by_an_earlier_run_do_not_count():
    X, Y = data()
    net = network_with(backward_pass=lambda self, X, Y: None)
    net.dW1 = net.db1 = net.dW2 = net.db2 = np.ones(1)
    assert "There is no dW1" in message(check_gradients, net, X, Y)


def test_a_parameter_that_the_forward_pass_ignores_is_told():
    class Global(SimpleNeuralNetwork):
        def forward_pass(self, X, W1=np.ones((4, 3))):  # noqa: B008
            self.W1, own = W1, self.W1
            out = super().forward_pass(X)
            self.W1 = own
            return out

    assert "does not change your loss at all" in message(check_gradients, Global(3, 4, 2, rng=0), *data())


def test_a_loss_that_cannot_be_checked_is_told():
    X, Y = data()
    net = SimpleNeuralNetwork(3, 4, 2, rng=0)
    assert "changes from call to call" in message(check_gradients, net, X, Y, loss=lambda *a: random.random())
    assert "not a finite number" in message(check_gradients, net, X, Y, loss=lambda *a: np.nan)
    assert "no method compute_loss" in message(check_gradients, type("N", (), {"W1": 1, "__init__": _set_w1})(), X, Y)
    assert "has no parameters" in message(check_gradients, object.__new__(SimpleNeuralNetwork), X, Y)


def _set_w1(self):
    self.W1 = np.ones((1, 1))


def test_other_errors_are_shown_as_they_are():
    with pytest.raises(ZeroDivisionError):
        check_gradients(network_with(backward_pass=lambda self, X, Y: 1 / 0), *data())
    with pytest.raises(AttributeError, match="trasnpose"):
        check_gradients(network_with(backward_pass=lambda self, X, Y: X.trasnpose()), *data())


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
        check_gradient, loss, lambda w, b: gradient(w, b, -14), at, sizes={"m": 7})
    assert "has to return 2 gradients (w, b), but it returned 1" in message(
        check_gradient, loss, lambda w, b: gradient(w, b)[0], at)
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
    assert "dw" in message(check_gradient, loss, lambda w, b: (gradient(w, b)[0] * 1.5, gradient(w, b)[1]),
                           {"w": w, "b": b})


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
    assert check_update(SimpleNeuralNetwork(3, 4, 2, rng=0), X, Y).ok

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
    assert "not written yet" in message(check_update, network_with(update_parameters=not_written), X, Y)


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
        (not_written, "not written yet"),
    ],
)
def test_wrong_derivatives_of_relu_are_told(derivative, says):
    assert says in message(check_function, relu, derivative)


def test_one_function_alone_and_points_of_your_own():
    assert check_function(relu).ok
    assert check_function(np.sqrt, lambda z: 0.5 / np.sqrt(z), points=[1, 2, 3.5]).ok


# --- Values and training --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (None, "not filled in yet"),
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
        (None, "Yours has nothing"),
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


# --- How it looks ---------------------------------------------------------------------------------------------------


def test_a_report_is_a_table_in_a_notebook_and_plain_ascii_elsewhere():
    report = check_gradients(SimpleNeuralNetwork(3, 4, 2, rng=0), *data())
    text, page = repr(report), report._repr_html_()
    assert text.isascii()
    assert max(map(len, text.splitlines())) <= 100
    assert "dW1  ok" in text
    assert "Further checks run after you hand in" in " ".join(text.split())
    assert page.count("<tr") == page.count("</tr>") == 4
    assert "background:none" in page
    assert "#10003;" in page


def test_what_students_named_is_escaped():
    report = check_values({"<b>": 1}, {"<b>": ()})
    assert "<code>&lt;b&gt;</code>" in report._repr_html_()


def test_a_failure_in_a_notebook_is_the_message_and_no_traceback():
    IPython = pytest.importorskip("IPython")
    shell = IPython.core.interactiveshell.InteractiveShell.instance()
    shown = []
    shell._showtraceback = lambda etype, value, lines: shown.extend(lines)
    shell.run_cell("from selfcheck import check_values; check_values({}, {'a1': ()})")
    assert shown[0] == "Self-check: not yet."
    assert "a1  WRONG    not filled in yet" in "\n".join(shown)
    assert not any("Traceback" in line or "selfcheck.py" in line for line in shown)
    assert issubclass(SelfCheckFailed, AssertionError)
