"""Marking random answers: rigorous bounds on how often a right answer would be called wrong.

No assumption is made on the student's random generator. Every check counts successes in trials that are independent
for a right answer (or drawn without replacement), and calls the count wrong only when Chernoff's bound on its chance
is below :data:`FALSE_ALARM`.
"""

from __future__ import annotations

import math

FALSE_ALARM = 1e-9
"""The chance at most that one check calls a right answer wrong. An exercise makes some dozens of checks."""


def divergence(share: float, p: float) -> float:
    """KL(share || p) of two coins, in nats; infinite where the share is impossible."""
    total = 0.0
    for a, b in ((share, p), (1 - share, 1 - p)):
        if a > 0:
            if b <= 0:
                return math.inf
            total += a * math.log(a / b)
    return total


def chance_at_most(successes: int, trials: int, p: float) -> float:
    """An upper bound on the chance of a share at least as far from p, on its side, doubled for both sides.

    2 exp(-n KL(k/n || p)): Chernoff (1952); by Hoeffding (1963) it also holds for draws without replacement.
    """
    if not 0 <= successes <= trials or trials <= 0:
        raise ValueError(f"{successes} successes in {trials} trials: there must be 0 to that many, and at least one")
    return min(1.0, 2 * math.exp(-trials * divergence(successes / trials, p)))


def plausible(successes: int, trials: int, p: float) -> bool:
    """Whether so many successes may come from independent trials with success probability p."""
    return chance_at_most(successes, trials, p) >= FALSE_ALARM
