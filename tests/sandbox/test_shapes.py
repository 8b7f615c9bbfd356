"""numpy's errors about shapes: what is there, and what would fit."""

import linecache
import traceback

import numpy as np
import pytest

from autograder.sandbox.inside import codec
from autograder.sandbox.inside.shapes import in_words


class Net:
    """What a student's network holds."""

    def __init__(self):
        self.W2, self.dZ2, self.A1 = np.ones((2, 4)), np.ones((2, 6)), np.ones((4, 6))
        self.calls = 0

    @property
    def counted(self):
        self.calls += 1
        return np.ones((3, 4))


def told(source, net=None):
    """What is said about the error of one line."""
    linecache.cache["<cell>"] = (len(source), None, [source + "\n"], "<cell>")
    scope = {"np": np, "self": net or Net(), "W": np.ones((3, 4)), "x": np.ones((2, 6)), "y": np.ones(5), "n": 7}
    try:
        exec(compile(source, "<cell>", "exec"), scope)
    except (ValueError, TypeError) as error:
        frame = next(f for f in traceback.extract_tb(error.__traceback__) if f.filename == "<cell>")
        return in_words(str(error), frame, error)
    raise AssertionError("it worked")


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("z = W @ x", "(3, 4) @ (2, 6): the inner sizes 4 and 2 must agree"),
        ("dZ1 = (self.W2 @ self.dZ2) * (1 - self.A1**2)", "(2, 4) @ (2, 6): the inner sizes 4 and 2 must agree"),
        ("g = self.dZ2 @ self.A1 / 6", "(2, 6) @ (4, 6): the inner sizes 6 and 4 must agree"),
        ("g = (self.dZ2 * 2).T @ self.A1.T", "(6, 2) @ (6, 4): the inner sizes 2 and 6 must agree"),
        ("g = np.matmul(W, x)", "(3, 4) @ (2, 6): the inner sizes 4 and 2 must agree"),
        ("g = np.dot(W, x)", "(3, 4) @ (2, 6): the inner sizes 4 and 2 must agree"),
        ("g = W.dot(y)", "(3, 4) @ (5,): the inner sizes 4 and 5 must agree"),
        ("g = abs(W) @ x", "A matrix product: the inner sizes 4 and 2 must agree"),
        ("g = W @ 3", "A matrix product needs two arrays: what stands on the right of @ is a single number"),
        ("g = W - x", "(3, 4) - (2, 6): sizes must be equal, or one of them 1; 4, 6 and 3, 2 are not"),
        ("g = W * y", "(3, 4) * (5,): sizes must be equal, or one of them 1; 4, 5 are not"),
        ("g = np.where(W > 0, W, y)", "Arrays of shapes (3, 4) and (3, 4) and (5,) do not fit entry by entry: "
         "sizes must be equal, or one of them 1; 4, 4, 5 are not"),
        ("b = np.ones((4, 1)); b -= np.ones((4, 6))", "The result has shape (4, 6) and cannot be kept in an array of "
         "shape (4, 1)"),
        ("W[0] = y", "An array of shape (5,) does not fit into the shape (4,)"),
    ],
)  # fmt: skip
def test_an_error_of_shapes_says_what_there_is_and_what_would_fit(source, says):
    assert told(source) == says


def test_other_errors_stay_as_they_are_and_nothing_is_run_again():
    assert in_words("the matrix is singular") == "the matrix is singular"
    assert told("raise ValueError('my own words')") == "my own words"
    net = Net()
    assert told("g = self.counted @ x", net) == "A matrix product: the inner sizes 4 and 2 must agree"
    assert net.calls == 1


def test_an_error_in_the_place_of_a_value_is_said_in_words() -> None:
    values: dict[str, object] = {}
    try:
        np.ones((2, 3)) @ np.ones((2, 4))
    except ValueError as error:
        codec.gather({"raised": error, "made": ValueError("it must be a list")}, values)
    assert str(values["raised"]).startswith("your code raised ValueError: ")
    assert "the inner sizes 3 and 2 must agree" in str(values["raised"])
    assert values["made"] == "it must be a list"
