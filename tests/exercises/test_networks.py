"""What holds for every network that is described once: what counts of a student's class, and what does not."""

import copy

import numpy as np
import pytest

from autograder.exercises import load
from autograder.in_kernel import ask
from autograder.marking import challenges, differences, mark
from autograder.mistakes import MISTAKES


def marks(name, *questions, seed=1, differences_cost=False, **names):
    """The points of every line of some questions, for the names of a notebook."""
    exercise = load(name)
    asked = challenges(load(name), seed)
    wanted = {exercise.question(question).probe for question in questions}
    answers = {probe.name: [ask(probe, names, c.given) for c in asked[probe.name]] for probe in wanted}
    found = {question.id: question for question in mark(exercise, seed, answers, differences_cost=differences_cost)}
    return {f"{question}.{line.name}": line for question in questions for line in found[question].lines}


def points(found):
    return {name: line.points for name, line in found.items()}


class Tanh:
    """A right network with a tanh layer, in the parts that a wrong one changes."""

    def __init__(self, n, h, o, rng=None, weight_scale=0.01):
        rng = np.random.default_rng(rng)
        self.W1, self.b1 = weight_scale * rng.standard_normal((h, n)), np.zeros((h, 1))
        self.W2, self.b2 = weight_scale * rng.standard_normal((o, h)), np.zeros((o, 1))

    def forward_pass(self, X):
        self.Z1 = self.W1 @ X + self.b1
        self.A1 = np.tanh(self.Z1)
        self.Z2 = self.W2 @ self.A1 + self.b2
        self.A2 = 1 / (1 + np.exp(-self.Z2))
        return self.A2

    def compute_loss(self, Y):
        return np.sum(Y * np.logaddexp(0, -self.Z2) + (1 - Y) * np.logaddexp(0, self.Z2)) / Y.shape[1]

    def hidden_error(self, dZ2):
        return (self.W2.T @ dZ2) * (1 - self.A1**2)

    def backward_pass(self, X, Y):
        dZ2 = (self.A2 - Y) / Y.shape[1]
        self.dW2, self.db2 = dZ2 @ self.A1.T, dZ2.sum(axis=1, keepdims=True)
        dZ1 = self.hidden_error(dZ2)
        self.dW1 = dZ1 @ X.T
        self.db1 = self.bias_gradient(dZ1)

    def bias_gradient(self, dZ1):
        return dZ1.sum(axis=1, keepdims=True)

    def update_parameters(self, learning_rate):
        for name in ("W1", "b1", "W2", "b2"):
            setattr(self, name, getattr(self, name) - learning_rate * getattr(self, f"d{name}"))

    def train(self, X, Y, epochs, learning_rate):
        losses = []
        for _ in range(epochs):
            self.forward_pass(X)
            losses.append(self.compute_loss(Y))
            self.backward_pass(X, Y)
            self.update_parameters(learning_rate)
        return losses

    def predict(self, X):
        return (self.forward_pass(X) > 0.5).astype(int)


GRADIENTS = ("output_gradients", "hidden_gradients")


def test_the_network_of_these_tests_is_right():
    found = marks("tanh_swap", "forward_tanh", *GRADIENTS, TanhNetwork=Tanh)
    assert sum(points(found).values()) == 17


def test_gradients_that_were_stored_before_an_error_count():
    class Raises(Tanh):
        def bias_gradient(self, dZ1):
            return dZ1 @ np.ones((99, 1))

    found = marks("tanh_swap", *GRADIENTS, TanhNetwork=Raises)
    assert points(found) == {
        "output_gradients.dW2": 3,
        "output_gradients.db2": 1,
        "hidden_gradients.dW1": 5,
        "hidden_gradients.db1": 0,
    }
    lost = found["hidden_gradients.db1"]
    assert lost.status == "raised"
    assert "matmul" in lost.message


def test_an_error_before_anything_is_stored_loses_what_it_did():
    class Raises(Tanh):
        def backward_pass(self, X, Y):
            raise NotImplementedError

    found = marks("tanh_swap", *GRADIENTS, TanhNetwork=Raises)
    assert {line.status for line in found.values()} == {"missing"}


@pytest.mark.slow
@pytest.mark.parametrize("where", ["new arrays", "in place"])
def test_activations_are_those_of_the_forward_pass_not_those_that_a_backward_pass_leaves(where):
    """With Z2 = 1000 the output error is that of a constant, from which tiny gradients would follow."""

    class Overwrites(Tanh):
        def backward_pass(self, X, Y):
            if where == "in place":
                self.A1[:], self.Z1[:], self.A2[:] = 1e-6, 1e-6, Y + 1e-6
            else:
                self.A1, self.Z1, self.A2 = 0 * self.A1 + 1e-6, 0 * self.Z1 + 1e-6, Y + 1e-6
            super().backward_pass(X, Y)

    assert set(points(marks("tanh_swap", *GRADIENTS, TanhNetwork=Overwrites)).values()) == {0}


class Penalised(Tanh):
    """L2Network with the constant of its penalty, in the loss and in the gradients."""

    reg_lambda, in_loss, in_gradient = 0.0, 1 / 2, 1.0

    def forward_pass(self, X):
        self.m = X.shape[1]
        self.Z1 = self.W1 @ X + self.b1
        self.A1 = 1 / (1 + np.exp(-self.Z1))
        self.Z2 = self.W2 @ self.A1 + self.b2
        self.A2 = 1 / (1 + np.exp(-self.Z2))
        return self.A2

    def hidden_error(self, dZ2):
        return (self.W2.T @ dZ2) * self.A1 * (1 - self.A1)

    def compute_loss(self, Y):
        squares = np.sum(self.W1**2) + np.sum(self.W2**2)
        return super().compute_loss(Y) + self.in_loss * self.reg_lambda / self.m * squares

    def backward_pass(self, X, Y):
        super().backward_pass(X, Y)
        self.dW1 += self.in_gradient * self.reg_lambda / self.m * self.W1
        self.dW2 += self.in_gradient * self.reg_lambda / self.m * self.W2


L2 = ("penalised_loss", "weight_gradients", "bias_gradients")


@pytest.mark.slow
@pytest.mark.parametrize(("in_loss", "in_gradient", "lost"), [
    (1 / 2, 1, {}),
    (1, 2, {"penalised_loss.loss": 4}),
    (1 / 4, 1 / 2, {"penalised_loss.loss": 4}),
    (-1 / 2, -1, {"penalised_loss.loss": 4}),
    (1, 1, {"penalised_loss.loss": 4}),
    (1 / 2, 2, {"weight_gradients.dW2": 4}),
    (1 / 4, 2, {"penalised_loss.loss": 4, "weight_gradients.dW2": 4}),
    (0, 0, {"penalised_loss.loss": 4, "weight_gradients.dW2": 4, "weight_gradients.dW1": 4}),
])  # fmt: skip
def test_gradients_that_fit_a_loss_of_ones_own_cost_once(in_loss, in_gradient, lost):
    cls = type("L2Network", (Penalised,), {"in_loss": in_loss, "in_gradient": in_gradient})
    found = marks("l2_regularization", *L2, L2Network=cls)
    assert {name: line.max_points - line.points for name, line in found.items() if line.status != "correct"} == lost


@pytest.mark.slow
def test_in_a_network_whose_forward_pass_is_given_nothing_follows_from_other_activations():
    class Saturated(Penalised):
        def forward_pass(self, X):
            super().forward_pass(X)
            self.A1, self.A2 = 0 * self.A1 + 0.5, 0 * self.A2 + 0.5
            return self.A2

    assert set(points(marks("simple_network", *GRADIENTS, SimpleNeuralNetwork=Saturated)).values()) == {0}


# Shams ---------------------------------------------------------------------------------------------------------------


class Saturated(Tanh):
    """No unit looks at the inputs, so that gradients "follow" which are nearly zero or nearly constant."""

    def forward_pass(self, X):
        self.Z1 = np.full((self.W1.shape[0], X.shape[1]), 15.0)
        self.A1 = np.tanh(self.Z1)
        self.Z2 = np.full((self.W2.shape[0], X.shape[1]), 1000.0)
        self.A2 = np.ones_like(self.Z2)
        return self.A2

    def backward_pass(self, X, Y):
        super().backward_pass(X, Y)
        self.db1 = 1e-12 * np.ones_like(self.b1)


class Tiny(Tanh):
    """Activations of 1e-12: what follows from them is the bias."""

    def forward_pass(self, X):
        self.Z1 = self.A1 = 1e-12 * (self.W1 @ X)
        self.Z2 = self.b2 + self.W2 @ self.A1
        self.A2 = 1 / (1 + np.exp(-self.Z2))
        return self.A2

    def backward_pass(self, X, Y):
        for name in ("W1", "b1", "W2", "b2"):
            setattr(self, f"d{name}", 1e-12 * np.ones_like(getattr(self, name)))


@pytest.mark.slow
@pytest.mark.parametrize("sham", [Saturated, Tiny])
def test_from_activations_that_tell_nothing_nothing_follows(sham):
    found = marks("tanh_swap", "forward_tanh", *GRADIENTS, TanhNetwork=sham)
    assert not any(points(found).values())


# Differences of the loss ----------------------------------------------------------------------------------------------


class Measured(Tanh):
    """Central differences of the loss for every parameter."""

    def loss_at(self, X, Y):
        self.forward_pass(X)
        return self.compute_loss(Y)

    def backward_pass(self, X, Y):
        for name in ("W1", "b1", "W2", "b2"):
            found, parameter = np.zeros_like(getattr(self, name)), getattr(self, name)
            for at in np.ndindex(parameter.shape):
                kept = parameter[at]
                parameter[at] = kept + 1e-5
                above = self.loss_at(X, Y)
                parameter[at] = kept - 1e-5
                found[at] = (above - self.loss_at(X, Y)) / 2e-5
                parameter[at] = kept
            setattr(self, "d" + name, found)
        self.forward_pass(X)


class OnACopy(Measured):
    """The same on a copy of the network."""

    def backward_pass(self, X, Y):
        other = copy.deepcopy(self)
        Measured.backward_pass(other, X, Y)
        for name in ("W1", "b1", "W2", "b2"):
            setattr(self, "d" + name, getattr(other, "d" + name))


class Again(Tanh):
    """Backpropagation, one example after the other, each with a forward pass of its own."""

    def backward_pass(self, X, Y):
        total = {}
        for k in range(X.shape[1]):
            self.forward_pass(X[:, [k]])
            Tanh.backward_pass(self, X[:, [k]], Y[:, [k]])
            for name in ("dW1", "db1", "dW2", "db2"):
                total[name] = total.get(name, 0) + getattr(self, name) / X.shape[1]
        for name, value in total.items():
            setattr(self, name, value)
        self.forward_pass(X)


@pytest.mark.parametrize("network", [Measured, OnACopy])
def test_differences_of_the_loss_are_named_and_cost_nothing(network):
    found = marks("tanh_swap", *GRADIENTS, TanhNetwork=network)
    for line in found.values():
        assert line.points == line.max_points
        assert line.mistakes == (differences.MISTAKE,)
        assert "It costs nothing." in line.remarks[-1]
    assert network.forward_pass is Tanh.forward_pass


def test_one_setting_decides_whether_they_cost():
    found = marks("tanh_swap", *GRADIENTS, differences_cost=True, TanhNetwork=Measured)
    assert {line.points for line in found.values()} == {0}
    assert found["output_gradients.dW2"].hint == MISTAKES[differences.MISTAKE].hint


@pytest.mark.parametrize("network", [Tanh, Again])
def test_backpropagation_is_never_called_so(network):
    found = marks("tanh_swap", *GRADIENTS, differences_cost=True, TanhNetwork=network)
    assert all(line.points == line.max_points and not line.mistakes for line in found.values())
