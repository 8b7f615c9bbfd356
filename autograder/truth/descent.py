"""Gradient descent with derivatives from sympy, fast enough to repeat a student's whole training.

:class:`~autograder.truth.network.Network` differentiates entry by entry, which takes milliseconds per step and more
with fifty units. Here every *local* derivative is still ``sympy.diff`` of a forward formula, compiled to act on whole
arrays, and numpy multiplies them along the chain. ``tests/truth/test_descent.py`` shows that each step equals the
exact one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache

import numpy as np
import sympy as sp

from autograder.truth.functions import SCALAR, derivative

PARAMETERS = ("W1", "b1", "W2", "b2")
State = Mapping[str, np.ndarray]

_Z, _Y, _W = sp.symbols("z y w", real=True)
_LAMBDA, _M = sp.symbols("reg_lambda m", positive=True)

_CROSS_ENTROPY = sp.log(1 + sp.exp(_Z)) - _Y * _Z
"""-(y log a + (1 - y) log(1 - a)) with a = sigmoid(z), written with z: no logarithm of a rounded 0."""

_PENALTY = _LAMBDA / (2 * _M) * _W**2


@cache
def _compiled(hidden: str) -> tuple[Callable, Callable, Callable, Callable, Callable]:
    return (
        sp.lambdify(_Z, SCALAR[hidden](_Z), "numpy"),
        sp.lambdify(sp.Symbol("z", real=True), derivative(hidden), "numpy"),
        sp.lambdify((_Z, _Y), _CROSS_ENTROPY, "numpy"),
        sp.lambdify((_Z, _Y), sp.diff(_CROSS_ENTROPY, _Z), "numpy"),
        sp.lambdify((_W, _LAMBDA, _M), sp.diff(_PENALTY, _W), "numpy"),
    )


def baseline_state(hidden: int, seed: int, *, n_in: int = 2, n_out: int = 1, weight_scale: float = 0.01) -> State:
    """The initial parameters that ``SimpleNeuralNetwork(n_in, hidden, n_out, rng=seed, ...)`` draws."""
    rng = np.random.default_rng(seed)
    return {
        "W1": weight_scale * rng.standard_normal((hidden, n_in)),
        "b1": np.zeros((hidden, 1)),
        "W2": weight_scale * rng.standard_normal((n_out, hidden)),
        "b2": np.zeros((n_out, 1)),
    }


def outputs(state: State, X: np.ndarray, hidden: str = "sigmoid") -> np.ndarray:
    """Z2, the pre-activations of the output; the predicted label is 1 where they are positive."""
    activation = _compiled(hidden)[0]
    return state["W2"] @ activation(state["W1"] @ X + state["b1"]) + state["b2"]


def loss(state: State, X: np.ndarray, Y: np.ndarray, *, reg_lambda: float = 0.0, hidden: str = "sigmoid") -> float:
    """The mean cross-entropy, summed over the outputs, and reg_lambda / (2 m) times the sum of the squared weights."""
    m = X.shape[1]
    squares = np.sum(state["W1"] ** 2) + np.sum(state["W2"] ** 2)
    data = np.sum(_compiled(hidden)[2](outputs(state, X, hidden), Y)) / m
    return float(data + reg_lambda / (2 * m) * squares)


def gradients(state: State, X: np.ndarray, Y: np.ndarray, *, reg_lambda: float = 0.0, hidden: str = "sigmoid") -> State:
    """dW1, db1, dW2, db2 under the names of their parameters."""
    activation, slope, _, error, decay = _compiled(hidden)
    m = X.shape[1]
    Z1 = state["W1"] @ X + state["b1"]
    A1 = activation(Z1)
    dZ2 = error(state["W2"] @ A1 + state["b2"], Y) / m
    dZ1 = (state["W2"].T @ dZ2) * slope(Z1)
    return {
        "W1": dZ1 @ X.T + decay(state["W1"], reg_lambda, m),
        "b1": dZ1.sum(axis=1, keepdims=True),
        "W2": dZ2 @ A1.T + decay(state["W2"], reg_lambda, m),
        "b2": dZ2.sum(axis=1, keepdims=True),
    }


def step(state: State, gradient: State, learning_rate: float) -> State:
    """theta - learning_rate * dtheta for every parameter."""
    return {name: state[name] - learning_rate * gradient[name] for name in PARAMETERS}


def descend(
    state: State,
    X: np.ndarray,
    Y: np.ndarray,
    epochs: int,
    learning_rate: float,
    *,
    reg_lambda: float = 0.0,
    hidden: str = "sigmoid",
) -> tuple[list[float], State]:
    """Full-batch gradient descent: the loss of every epoch, taken before its update, and the last parameters."""
    losses = []
    for _ in range(epochs):
        losses.append(loss(state, X, Y, reg_lambda=reg_lambda, hidden=hidden))
        state = step(state, gradients(state, X, Y, reg_lambda=reg_lambda, hidden=hidden), learning_rate)
    return losses, state


def accuracy(state: State, X: np.ndarray, Y: np.ndarray, hidden: str = "sigmoid") -> float:
    """The share of examples whose label is predicted."""
    return float(np.mean((outputs(state, X, hidden) > 0) == (np.asarray(Y) > 0.5)))
