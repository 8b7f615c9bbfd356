"""What several exercises share: challenge points that show mistakes, follow-through of networks, the moons."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np

from autograder.exercise import Challenge, Values
from autograder.truth import Network, Reading

SMALL = {
    "X": np.array([[1.0, -1.0], [0.5, 2.0]]),
    "W1": np.array([[1.0, -1.0], [0.5, 0.5]]),
    "b1": np.array([[0.5], [-1.0]]),
    "W2": np.array([[1.0, -2.0]]),
    "b2": np.array([[0.5]]),
}
"""A network of 2-2-1 with two examples, small enough to be checked with a pocket calculator; feedback may show it."""


def small_targets(loss: str) -> np.ndarray:
    """Targets of the two shown examples, fit for the loss."""
    return np.array([[0.5, -1.0]]) if loss in ("mse", "weighted-mse") else np.array([[1.0, 0.0]])


def gradient_challenges(
    rng: np.random.Generator,
    activations: tuple[str, ...],
    loss: str,
    *,
    hidden: int = 4,
    n_in: int = 3,
    n_out: int = 2,
) -> list[Challenge]:
    """One shown and three hidden points for a network with one hidden layer.

    The hidden points have no two equal dimensions, biases of order one, weights and inputs of both signs and of scale
    about one, and numbers of examples that no other dimension explains: what hides a missing 1/m, a transposed product
    or a forgotten bias is avoided. ``autograder.diagnosis.aliases`` finds mistakes that would look the same.
    """
    points = [Challenge(SMALL | {"Y": small_targets(loss)}, shown=True)]
    for examples, h in ((6, hidden), (5, hidden + 1), (7, hidden + 2)):
        points.append(Challenge(draw_point(rng, (n_in, h, n_out), activations, loss, examples)))
    return points


def draw_point(
    rng: np.random.Generator, sizes: tuple[int, ...], activations: tuple[str, ...], loss: str, examples: int
) -> dict[str, np.ndarray]:
    """Random inputs, targets and parameters of order one for a network of these sizes.

    Parameters and inputs have magnitudes between 0.3 and 1.3 and random signs, so that nothing is close to zero.
    """

    def of_order_one(*shape: int) -> np.ndarray:
        return rng.uniform(0.3, 1.3, shape) * rng.choice([-1.0, 1.0], shape)

    point = {"X": of_order_one(sizes[0], examples)}
    if loss == "bce":
        point["Y"] = rng.integers(0, 2, (sizes[-1], examples)).astype(float)
    elif loss == "ce":
        point["Y"] = np.eye(sizes[-1])[:, rng.integers(0, sizes[-1], examples)]
    else:
        point["Y"] = of_order_one(sizes[-1], examples)
    for layer in range(1, len(sizes)):
        point[f"W{layer}"] = of_order_one(sizes[layer], sizes[layer - 1])
        point[f"b{layer}"] = of_order_one(sizes[layer], 1)
    return point


def follow_network(network: Network, given: Values, own: Values) -> Sequence[dict[str, np.ndarray]]:
    """What follows from the student's own activations, for both right ways to read an activation's derivative."""
    known = {name: value for name, value in own.items() if name[0] in "ZA"}
    return [network.evaluate(given, known, reading=reading, exact=False) for reading in Reading]


def noisy_moons(
    examples: int = 400, testing: float | int = 0.8, seed: int = 42, noise: float = 0.3
) -> dict[str, np.ndarray]:
    """Moons that overlap, in columns: by default 80 examples for training and 320 for testing."""
    from sklearn.datasets import make_moons
    from sklearn.model_selection import train_test_split

    points, labels = make_moons(n_samples=examples, noise=noise, random_state=seed)
    X, X_test, y, y_test = train_test_split(points, labels, test_size=testing, random_state=seed)
    return {"X": X.T, "Y": y[None, :].astype(float), "X_test": X_test.T, "Y_test": y_test[None, :].astype(float)}


@cache
def moons() -> dict[str, np.ndarray]:
    """The course's moons in columns: 200 points, noise 0.2, seed 42, 30 % kept for testing with the same seed."""
    from sklearn.datasets import make_moons
    from sklearn.model_selection import train_test_split

    points, labels = make_moons(n_samples=200, noise=0.2, random_state=42)
    X, X_test, y, y_test = train_test_split(points, labels, test_size=0.3, random_state=42)
    return {"X": X.T, "Y": y[None, :].astype(float), "X_test": X_test.T, "Y_test": y_test[None, :].astype(float)}
