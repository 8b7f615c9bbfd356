"""A schedule for the learning rate: asked, worked out exactly, and the mistakes that are known in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import mpmath
import numpy as np

from autograder.exercise import Challenge, Probe, Values
from autograder.exercises.shared import in_arrays
from autograder.marking.judges import remembered
from autograder.marking.slips import At, Slip
from autograder.truth import many_digits

# What is asked ------------------------------------------------------------------------------------------------------


def rates(student, given):
    """The learning rate at every step of a training."""
    peak, warmup, total = float(given["peak"]), int(given["warmup"]), int(given["total"])
    all_rates = [student.learning_rate_at(step, peak, warmup, total) for step in range(total)]
    return {"warm_up": np.array(all_rates[:warmup]), "decay": np.array(all_rates[warmup:])}


def _rate_challenges(rng: np.random.Generator) -> list[Challenge]:
    points = [Challenge(in_arrays({"peak": 0.8, "warmup": 4, "total": 8}), shown=True)]
    for warmup, total in ((5, 17), (8, 30), (3, 12)):
        points.append(Challenge(in_arrays({"peak": rng.uniform(0.1, 2.0), "warmup": warmup, "total": total})))
    return points


RATES = Probe(rates, _rate_challenges)


# What is true -------------------------------------------------------------------------------------------------------


@remembered
def rate_truth(given: Values) -> dict[str, np.ndarray]:
    """The schedule as it is stated, to fifty digits."""
    warmup, total = int(given["warmup"]), int(given["total"])
    with many_digits():
        peak = mpmath.mpf(float(given["peak"]))
        up = [peak * (step + 1) / warmup for step in range(warmup)]
        down = [peak * (1 + mpmath.cospi(mpmath.mpf(k) / (total - warmup))) / 2 for k in range(total - warmup)]
        return {"warm_up": np.array([float(r) for r in up]), "decay": np.array([float(r) for r in down])}


# Which mistakes are known -------------------------------------------------------------------------------------------


def _cosine(way: np.ndarray) -> np.ndarray:
    return (1 + np.cos(np.pi * way)) / 2


WRONG_RATES: Mapping[str, tuple[str, Callable[..., np.ndarray]]] = {
    "starts-at-zero": ("warm_up", lambda s, w, t: s / w),
    "no-warm-up": ("warm_up", lambda s, w, t: np.ones(len(s))),
    "warm-up-not-left-out": ("decay", lambda s, w, t: _cosine(s / t)),
    "length-of-the-decay": ("decay", lambda s, w, t: _cosine((s - w) / t)),
    "half-missing": ("decay", lambda s, w, t: 2 * _cosine((s - w) / (t - w))),
    "no-decay": ("decay", lambda s, w, t: np.ones(len(s))),
    "linear-decay": ("decay", lambda s, w, t: 1 - (s - w) / (t - w)),
    "warm-up-one-step-longer": ("decay", lambda s, w, t: np.where(s == w, (s + 1) / w, _cosine((s - w) / (t - w)))),
    "ends-at-zero": ("decay", lambda s, w, t: _cosine((s - w) / (t - 1 - w))),
}
"""Wrong parts of the peak at the steps s of a part of the schedule, for w steps of warm-up of t."""


def _rate_slip(mistake: str, part: str, wrong: Callable[..., np.ndarray]) -> Slip:
    def formula(v: At) -> np.ndarray:
        warmup, total = int(v.warmup), int(v.total)
        steps = np.arange(warmup) if part == "warm_up" else np.arange(warmup, total)
        return v.peak * wrong(steps, warmup, total)

    return Slip(mistake, part, formula)


RATE_SLIPS = [_rate_slip(mistake, part, wrong) for mistake, (part, wrong) in WRONG_RATES.items()]
