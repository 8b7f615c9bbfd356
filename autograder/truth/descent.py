"""Gradient descent with derivatives from sympy, fast enough to repeat a student's whole training.

:class:`~autograder.truth.network.Network` differentiates entry by entry, which takes milliseconds per step and more
with fifty units. Here every *local* derivative is still ``sympy.diff`` of a forward formula, compiled to act on whole
arrays, and numpy multiplies them along the chain, back over the steps of the forward pass.
``tests/truth/test_descent.py`` shows that each step equals the exact one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import numpy as np
import sympy as sp

from autograder.truth.functions import SCALAR, derivative
from autograder.truth.programs import function

PARAMETERS = ("W1", "b1", "W2", "b2")
State = Mapping[str, np.ndarray]

_Z, _Y, _W = sp.symbols("z y w", real=True)
_LAMBDA, _M = sp.symbols("reg_lambda m", positive=True)

_CROSS_ENTROPY = sp.log(1 + sp.exp(_Z)) - _Y * _Z
"""-(y log a + (1 - y) log(1 - a)) with a = sigmoid(z), written with z: no logarithm of a rounded 0."""

_PENALTY = _LAMBDA / (2 * _M) * _W**2


@cache
def _compiled(hidden: str) -> tuple[Callable[..., Any], ...]:
    formulas = (
        ((_Z,), SCALAR[hidden](_Z)),
        ((_Z,), derivative(hidden)),
        ((_Z, _Y), _CROSS_ENTROPY),
        ((_Z, _Y), sp.diff(_CROSS_ENTROPY, _Z)),
        ((_W, _LAMBDA, _M), sp.diff(_PENALTY, _W)),
    )
    return tuple(function(arguments, formula, exact=False) for arguments, formula in formulas)


def baseline_state(hidden: int, seed: int, *, n_in: int = 2, n_out: int = 1, weight_scale: float = 0.01) -> State:
    """The initial parameters that ``SimpleNeuralNetwork(n_in, hidden, n_out, rng=seed, ...)`` draws."""
    rng = np.random.default_rng(seed)
    return {
        "W1": weight_scale * rng.standard_normal((hidden, n_in)),
        "b1": np.zeros((hidden, 1)),
        "W2": weight_scale * rng.standard_normal((n_out, hidden)),
        "b2": np.zeros((n_out, 1)),
    }


_FORWARD: tuple[tuple[str, str, tuple[tuple[str, str], ...]], ...] = (
    ("Z1", "", (("W1", "X"), ("b1", "one"))),
    ("A1", "Z1", ()),
    ("Z2", "", (("W2", "A1"), ("b2", "one"))),
)
"""The forward pass: each value is the activation of another one, entry by entry, or a sum of products of matrices."""


def _forward(state: State, X: np.ndarray, hidden: str) -> dict[str, np.ndarray]:
    value = {**state, "X": X, "one": np.ones((1, X.shape[1]))}
    for name, argument, products in _FORWARD:
        if argument:
            value[name] = _compiled(hidden)[0](value[argument])
        else:
            value[name] = sum(value[left] @ value[right] for left, right in products)
    return value


def outputs(state: State, X: np.ndarray, hidden: str = "sigmoid") -> np.ndarray:
    """Z2, the pre-activations of the output; the predicted label is 1 where they are positive."""
    return _forward(state, X, hidden)["Z2"]


def loss(state: State, X: np.ndarray, Y: np.ndarray, *, reg_lambda: float = 0.0, hidden: str = "sigmoid") -> float:
    """The mean cross-entropy, summed over the outputs, and reg_lambda / (2 m) times the sum of the squared weights."""
    m = X.shape[1]
    squares = np.sum(state["W1"] ** 2) + np.sum(state["W2"] ** 2)
    data = np.sum(_compiled(hidden)[2](outputs(state, X, hidden), Y)) / m
    return float(data + reg_lambda / (2 * m) * squares)


def gradients(state: State, X: np.ndarray, Y: np.ndarray, *, reg_lambda: float = 0.0, hidden: str = "sigmoid") -> State:
    """dW1, db1, dW2, db2 under the names of their parameters: the chain rule, from the loss back over the steps."""
    _, slope, _, error, decay = _compiled(hidden)
    value, m = _forward(state, X, hidden), X.shape[1]
    of = {"Z2": error(value["Z2"], Y) / m}  # the derivative of the data term by the name of a value
    for name, argument, products in reversed(_FORWARD):
        if argument:
            of[argument] = of[name] * slope(value[argument])
        for left, right in products:
            of[left] = of[name] @ value[right].T
            if right not in ("X", "one"):
                of[right] = value[left].T @ of[name]
    return {p: of[p] + decay(state[p], reg_lambda, m) if p[0] == "W" else of[p] for p in PARAMETERS}


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
