"""What is true of residual blocks and stacks, and what follows from own values.

Gradients of a block are slopes of its forward pass along the imaginary axis; those of a stack are sums over all of its
paths: no formula of a backward pass is typed in.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import mpmath
import numpy as np

from autograder.exercise import Values
from autograder.marking.judges import remembered
from autograder.marking.slips import At, slope
from autograder.truth import many_digits

BRANCH = "W2 @ tanh(W1 @ X + b1) + b2"
_LOSS = f"sum(dout * ({{0}} + {BRANCH}))"

_exact = np.vectorize(lambda x: mpmath.mpf(float(x)), otypes=[object])


@remembered
def block(given: Values) -> dict[str, np.ndarray]:
    """The values of a block, with fifty digits."""
    with many_digits():
        exact = {name: _exact(value) for name, value in given.items()}
        A1 = np.vectorize(mpmath.tanh, otypes=[object])(exact["W1"] @ exact["X"] + exact["b1"])
        out = exact["X"] + exact["W2"] @ A1 + exact["b2"]
    return {"A1": A1.astype(float), "out": out.astype(float)}


def follow_block(given: Values, own: Values) -> Sequence[dict[str, np.ndarray]]:
    """The output from the own activations."""
    exact = block(given)
    if own.get("A1", np.zeros(0)).shape != exact["A1"].shape:
        return []
    return [{**exact, "out": given["X"] + given["W2"] @ own["A1"] + given["b2"]}]


@remembered
def block_gradients(given: Values) -> dict[str, np.ndarray]:
    """The slopes of a loss whose derivative by the output is dout."""
    at = At(given, {})
    found = {f"d{name}": slope(_LOSS.format("X"), at, name) for name in ("W2", "b2", "W1", "b1", "X")}
    Z1 = At({**given, "Z1": given["W1"] @ given["X"] + given["b1"]}, {})
    return {**found, "dZ1": slope("sum(dout * (W2 @ tanh(Z1)))", Z1, "Z1")}


def follow_gradients(given: Values, own: Values) -> Sequence[dict[str, np.ndarray]]:
    """Everything below the own error signal."""
    exact, dZ1 = block_gradients(given), own.get("dZ1", np.zeros(0))
    if dZ1.shape != exact["dZ1"].shape:
        return []
    below = {"dW1": dZ1 @ given["X"].T, "db1": dZ1.sum(axis=1, keepdims=True)}
    return [{**exact, **below, "dX": given["dout"] + given["W1"].T @ dZ1}]


@remembered
def projection_gradients(given: Values) -> dict[str, np.ndarray]:
    """The slopes by the projection and by the input."""
    return {f"d{name}": slope(_LOSS.format("P @ X"), At(given, {}), name) for name in ("P", "X")}


KINDS = {"": True, "_plain": False}
"""The end of a line's name, and whether there are identity paths."""


def ordered(matrices: np.ndarray, identity: bool) -> np.ndarray:
    """The branches of a stack; of a plain one they are turned round, so that it is another stack."""
    return matrices if identity else matrices[::-1]


def through(matrices: Sequence[np.ndarray], identity: bool) -> np.ndarray:
    """The Jacobian of blocks whose branches are these matrices: the sum over all paths that there are."""
    chosen = product((True, False), repeat=len(matrices)) if identity else [(True,) * len(matrices)]
    total = 0
    for path in chosen:
        along = _exact(np.eye(len(matrices[0])))
        for taken, matrix in zip(path, matrices):
            along = matrix @ along if taken else along
        total = total + along
    return np.asarray(total)


@remembered
def stack_values(given: Values) -> dict[str, np.ndarray]:
    """The values between the blocks: each branch also adds one, which the blocks behind it pass on."""
    found = {}
    with many_digits():
        X = _exact(given["X"])
        ones = _exact(np.ones((len(X), 1)))
        for which, identity in KINDS.items():
            M = [_exact(matrix) for matrix in ordered(given["M"], identity)]
            values = [X]
            for k in range(1, len(M) + 1):
                added = sum(through(M[j:k], identity) @ ones if j < k else ones for j in range(1, k + 1))
                values.append(through(M[:k], identity) @ X + added)
            found[f"values{which}"] = np.array(values).astype(float)
    return found


@remembered
def stack_gradients(given: Values) -> dict[str, np.ndarray]:
    """The gradients between the blocks."""
    found = {}
    with many_digits():
        dout = _exact(given["dout"])
        for which, identity in KINDS.items():
            M = [_exact(matrix) for matrix in ordered(given["M"], identity)]
            behind = [through(M[k:], identity).T @ dout if k < len(M) else dout for k in range(len(M) + 1)]
            found[f"gradients{which}"] = np.array(behind).astype(float)
    return found


@remembered
def sizes(given: Values) -> dict[str, np.ndarray]:
    """Sizes beside the last one, and the factor of one block, with fifty digits."""
    with many_digits():
        norms = [mpmath.sqrt(sum(x**2 for x in _exact(one).ravel())) for one in given["gradients"]]
        relative = [one / norms[-1] for one in norms]
        per_block = mpmath.power(relative[0], mpmath.mpf(1) / (len(norms) - 1))
    return {"relative": np.array(relative, dtype=float), "per_block": np.array(float(per_block))}


def follow_sizes(given: Values, own: Values) -> Sequence[dict[str, np.ndarray]]:
    """The factor of one block from the own sizes."""
    exact, relative = sizes(given), own.get("relative", np.zeros(0))
    if relative.shape != exact["relative"].shape or np.min(relative) <= 0 or not np.ptp(relative):
        return []
    one = 1 / (len(relative) - 1)
    return [{**exact, "per_block": np.asarray(ratio**one)} for ratio in (relative[0], relative[0] / relative[-1])]
