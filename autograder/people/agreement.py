"""How far two markers agree."""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Agreement:
    """Of ``count`` answers that two people marked: the shares of equal marks and of marks at most a point apart, and
    kappa weighted by the square of the difference. None where nothing can be said."""

    count: int
    exact: float | None
    within_one: float | None
    kappa: float | None


def agreement(pairs: Sequence[tuple[float, float]]) -> Agreement:
    """Compare the marks of two people, pair by pair."""
    if not pairs:
        return Agreement(0, None, None, None)
    apart = [abs(one - other) for one, other in pairs]
    exact, near = (sum(gap <= most + 1e-9 for gap in apart) / len(apart) for most in (0, 1))
    return Agreement(len(pairs), exact, near, weighted_kappa(pairs))


def weighted_kappa(pairs: Sequence[tuple[float, float]]) -> float | None:
    """Cohen's kappa with squared weights; None when both gave everyone one and the same mark."""
    first, second = Counter(one for one, _ in pairs), Counter(other for _, other in pairs)
    count = len(pairs)
    observed = sum((one - other) ** 2 for one, other in pairs) / count
    chance = sum(
        (one - other) ** 2 * first[one] * second[other] for one in first for other in second
    ) / count**2  # fmt: skip
    return 1 - observed / chance if chance > 0 else None


def drawn(names: Sequence[str], share: float, seed: str) -> list[str]:
    """A sample of this share, at least one, the same for the same seed."""
    wanted = math.ceil(len(names) * share)
    return sorted(sorted(names, key=lambda name: hashlib.sha256(f"{seed}/{name}".encode()).digest())[:wanted])
