"""Shape before value, tolerance by precision."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from autograder.marking.compare import HAND, as_numbers, compare

finite = st.floats(-1e6, 1e6, allow_subnormal=False)


@pytest.mark.slow
@given(arrays(float, (3, 4), elements=finite))
def test_an_array_equals_itself_in_any_memory_order(array):
    assert compare(np.asfortranarray(array), array).equal
    assert compare(array.tolist(), array).equal


@pytest.mark.slow
@given(arrays(float, (3, 4), elements=st.floats(0.1, 10)), st.integers(0, 11), st.floats(1e-5, 10))
def test_one_wrong_entry_is_seen(array, position, error):
    wrong = array.copy()
    wrong.flat[position] *= 1 + error
    comparison = compare(wrong, array)
    assert not comparison.equal
    assert np.argmax(comparison.difference) == position


def test_rounding_of_another_order_of_summation_is_accepted():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(4, 1000)), rng.normal(size=(1000, 3))
    slow = np.array([[math.fsum(a[i] * b[:, j]) for j in range(3)] for i in range(4)])
    assert compare(a @ b, slow).equal


def test_float64_is_not_judged_at_the_tolerance_of_float32():
    exact = np.array([1.0, 2.0])
    nearly = exact * (1 + 1e-5)
    assert not compare(nearly, exact).equal
    assert compare(nearly.astype(np.float32), exact).equal
    assert not compare((exact * 1.01).astype(np.float32), exact).equal


def test_entries_near_zero_are_compared_on_the_scale_of_the_others():
    exact = np.array([1.0, 1e-14])
    assert compare(np.array([1.0, 3e-14]), exact).equal
    assert not compare(np.array([1.0, 1e-6]), exact).equal


def test_all_zero_is_exactly_met_and_no_more():
    assert compare(np.zeros(3), np.zeros(3)).equal
    assert not compare(np.array([0, 0, 1e-3]), np.zeros(3)).equal


@pytest.mark.parametrize(
    ("got", "shape"),
    [(np.ones(3), "flat"), (np.ones((1, 3)), "other"), (np.ones((3, 1)), "same"), (np.ones((3, 2)), "other")],
)
def test_shape_is_judged_before_value(got, shape):
    """(n,) for (n, 1) is flat; (1, n) is not the same numbers in a line: it is transposed."""
    expected = np.ones((3, 1))
    found = compare(got, expected)
    if got.shape == (1, 3):
        shape = "flat"
    assert found.shape == shape
    assert found.equal == (shape != "other")


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_not_equal(bad):
    assert not compare(np.array([1.0, bad]), np.array([1.0, 1.0])).equal


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ([1, [2, 3]], "rows have different lengths"),
        ("1.0", "it is text"),
        ({"a": 1}, "a dictionary"),
        (None, "still None"),
        (np.array([1 + 2j]), "complex"),
        ([None, 1], "not an array of numbers"),
    ],
)
def test_what_is_no_array_of_numbers_is_named(value, reason):
    assert reason in as_numbers(value)
    assert not compare(value, np.ones(1)).equal


def test_integers_and_booleans_are_exact_numbers():
    assert compare(np.array([True, False]), np.array([1.0, 0.0])).equal
    assert compare([1, 0], np.array([1.0, 0.0])).equal


@given(st.floats(1e-4, 1e4), st.sampled_from([-1, 1]))
def test_figures_accept_the_rounded_number_and_not_its_neighbours(size, sign):
    number = sign * size
    rounded = float(f"{number:.3e}")
    unit = 10.0 ** (math.floor(math.log10(abs(number))) - 3)
    assert compare(rounded, np.array(number), figures=4).equal
    assert not compare(rounded + 1.02 * unit, np.array(number), figures=4).equal


def worked_through(rounded, x, w1, b1, w2, b2, y):
    """The worked calculation with every number rounded as soon as it is written down."""

    def sigma(z):
        return rounded(1 / (1 + rounded(math.exp(-z))))

    z1 = [rounded(rounded(rounded(w * x[0]) + rounded(v * x[1])) + b) for (w, v), b in zip(w1, b1)]
    a1 = [sigma(z) for z in z1]
    z2 = rounded(rounded(rounded(w2[0] * a1[0]) + rounded(w2[1] * a1[1])) + b2)
    a2 = sigma(z2)
    error = rounded(a2 - y)
    slope = rounded(a2 * rounded(1 - a2))
    dz2 = rounded(rounded(2 * error) * slope)
    dz1 = [rounded(rounded(dz2 * w) * rounded(a * rounded(1 - a))) for w, a in zip(w2, a1)]
    return {
        "a1": (a1, [1 / (1 + math.exp(-z)) for z in z1]),
        "z2": (z2, w2[0] * a1[0] + w2[1] * a1[1] + b2),
        "a2": (a2, 1 / (1 + math.exp(-z2))),
        "loss": (rounded(error * error), (a2 - y) ** 2),
        "dz2": (dz2, 2 * (a2 - y) * a2 * (1 - a2)),
        "dW2": ([rounded(dz2 * a) for a in a1], [dz2 * a for a in a1]),
        "dz1": (dz1, [dz2 * w * a * (1 - a) for w, a in zip(w2, a1)]),
        "dW1": ([[rounded(d * v) for v in x] for d in dz1], [[d * v for v in x] for d in dz1]),
    }


def four_figures(number):
    return float(f"{number:.3e}")


def largest_error(values):
    return max(
        float(np.max(np.abs(np.array(got) - np.array(follows)) / np.abs(np.array(follows))))
        for got, follows in values.values()
    )


def largest_error_of_a_random_calculation(seed):
    """At a calculation like the one on the sheet: all numbers with one decimal."""
    rng = np.random.default_rng(seed)

    def draw(*shape):
        return np.round(rng.uniform(0.1, 1, shape), 1).tolist()

    y = float(np.round(rng.uniform(0.3, 0.6), 1))
    return largest_error(worked_through(four_figures, [1, 2], draw(2, 2), draw(2), draw(2), draw(1)[0], y))


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(st.integers(0, 10**6))
def test_rounding_by_hand_stays_within_the_tolerance_for_it(seed):
    """Each line given the student's own earlier ones, at random calculations like the one on the sheet."""
    assert largest_error_of_a_random_calculation(seed) < HAND


@pytest.mark.slow
def test_the_tolerance_for_rounding_by_hand_is_not_larger_than_needed():
    assert HAND / 2 < max(largest_error_of_a_random_calculation(seed) for seed in range(2000)) < HAND


@pytest.mark.parametrize("got", [2.0, np.float64(2), np.array(2.0), np.array([2.0]), np.array([[2.0]])])
def test_an_array_with_one_entry_is_one_number(got):
    found = compare(got, np.array(2.0))
    assert (found.equal, found.shape) == (True, "same")
    assert compare(np.array([2.0, 2.0]), np.array(2.0)).shape == "other"


def test_half_precision_is_allowed_no_more_than_single():
    """An answer chooses its dtype: two per cent off does not become right by being cast."""
    exact = np.array([[0.9231, 0.5], [0.3, 0.8]])
    for expected in (exact, exact[0, 0]):
        assert compare(expected.astype(np.float16), expected).equal, "rounded once"
        for error in (1.002, 1.005, 1.02, 1.03):
            assert not compare((expected * error).astype(np.float16), expected).equal
