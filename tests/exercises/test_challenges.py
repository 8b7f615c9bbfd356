"""The points at which networks are asked can tell mistakes apart, and one is small enough to solve for the error."""

import numpy as np
import pytest

from autograder.exercises.shared import gradient_challenges


@pytest.mark.parametrize("loss", ["bce", "mse"])
def test_points_can_tell(loss):
    points = [c.given for c in gradient_challenges(np.random.default_rng(1), ("tanh", "sigmoid"), loss)]
    examples = [p["X"].shape[1] for p in points]
    assert len(set(examples)) == len(examples)
    assert len({p["W1"].shape[0] for p in points}) == len(points)
    # dW1 pinv(X^T) is the error of the layer itself where there are no more examples than inputs.
    assert any(p["X"].shape[1] <= min(p["X"].shape[0], p["W2"].shape[1]) for p in points)
