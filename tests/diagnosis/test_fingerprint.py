"""Equal unexplained answers are seen to be equal."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograder.diagnosis import fingerprint


def numbers(seed, count=3):
    rng = np.random.default_rng(seed)
    return [{"dW1": rng.normal(size=(4, 3)), "db1": rng.normal(size=(4, 1))} for _ in range(count)]


@given(st.integers(0, 10**6))
@settings(max_examples=30, deadline=None)
def test_memory_order_and_order_of_names_do_not_matter(seed):
    answers = numbers(seed)
    turned = [{name: np.asfortranarray(a[name]) for name in ("db1", "dW1")} for a in answers]
    assert fingerprint(answers) == fingerprint(turned)
    assert fingerprint(answers) == fingerprint([{k: v.tolist() for k, v in a.items()} for a in answers])


@given(st.integers(0, 10**6), st.integers(0, 10**6))
@settings(max_examples=30, deadline=None)
def test_different_numbers_differ(seed, other):
    assert (fingerprint(numbers(seed)) == fingerprint(numbers(other))) == (seed == other)


def test_rounding_does_not_matter():
    rng = np.random.default_rng(0)
    changed = 0
    for seed in range(300):
        answers = numbers(seed)
        noisy = [{k: v * (1 + 1e-9 * rng.normal(size=v.shape)) for k, v in a.items()} for a in answers]
        changed += fingerprint(answers) != fingerprint(noisy)
    assert changed <= 2


def test_round_numbers_do_not_lie_on_the_border_of_two_cells():
    answers = [{"dW1": np.array([[0.5, -1.0], [2.0, 0.25]])}]
    for noise in (1e-12, -1e-12, 1e-15):
        assert fingerprint(answers) == fingerprint([{"dW1": answers[0]["dW1"] * (1 + noise)}])
    assert fingerprint(answers) == fingerprint([{"dW1": np.float32(answers[0]["dW1"])}])


def test_size_shape_sign_and_name_matter():
    base = np.array([[1.0, 2.0]])
    different = [
        {"dW1": base},
        {"dW1": 2 * base},
        {"dW1": -base},
        {"dW1": base.T},
        {"db1": base},
        {"dW1": base * np.nan},
    ]
    assert len({fingerprint([answers]) for answers in different}) == len(different)
    assert fingerprint([]) == fingerprint([])
    assert fingerprint([{"dW1": 0 * base}]) == fingerprint([{"dW1": -0.0 * base}])


def test_what_is_not_a_number_is_refused():
    with pytest.raises(ValueError, match="dW1 has dtype"):
        fingerprint([{"dW1": np.array(["a"])}])


@pytest.mark.parametrize("scale", [1e250, 1e-250])
def test_numbers_whose_squares_are_no_floats_have_a_fingerprint(scale):
    one, two = ([{"dW1": scale * np.array(numbers)}] for numbers in ([[1.0, 2.0]], [[1.0, 3.0]]))
    assert fingerprint(one) == fingerprint(one)
    assert fingerprint(one) != fingerprint(two)
