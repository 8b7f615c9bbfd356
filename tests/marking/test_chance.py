"""The bound on false alarms: a bound indeed, and not a useless one."""

import math

import numpy as np
import pytest

from autograder.marking.chance import FALSE_ALARM, chance_at_most, divergence, plausible


def test_the_divergence_of_a_coin_from_itself_is_zero_and_an_impossible_share_is_infinitely_far():
    assert divergence(0.3, 0.3) == 0
    assert divergence(1.0, 0.0) == math.inf
    assert divergence(0.0, 0.0) == 0


@pytest.mark.parametrize(("n", "p"), [(20, 0.5), (50, 0.9), (200, 0.1)])
def test_it_bounds_the_exact_tail_of_the_binomial_distribution(n, p):
    weights = [math.comb(n, k) * p**k * (1 - p) ** (n - k) for k in range(n + 1)]
    for k in range(n + 1):
        tail = sum(weights[: k + 1]) if k / n <= p else sum(weights[k:])
        assert 2 * tail <= chance_at_most(k, n, p) * (1 + 1e-12) or chance_at_most(k, n, p) == 1


@pytest.mark.parametrize("replace", [True, False])
def test_right_counts_are_called_wrong_less_often_than_said(replace):
    rng, false_alarm = np.random.default_rng(1), 0.05
    group = np.arange(1000) < 200
    alarms = sum(
        chance_at_most(int(group[rng.choice(1000, 200, replace=replace)].sum()), 200, 0.2) < false_alarm
        for _ in range(2000)
    )
    assert alarms <= 2000 * false_alarm


def test_a_share_that_is_two_points_off_is_seen_in_ten_thousands_of_spins():
    assert FALSE_ALARM == 1e-9
    assert plausible(int(0.9 * 32_000), 32_000, 0.9)
    assert not plausible(int(0.88 * 32_000), 32_000, 0.9)
    assert not plausible(int(0.52 * 32_000), 32_000, 0.5)


def test_impossible_counts_are_refused():
    with pytest.raises(ValueError, match="at least one"):
        plausible(0, 0, 0.5)
