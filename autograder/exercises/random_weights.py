"""Random initial weights: asked, and judged by what they must have on average, with a stated false-alarm rate."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, partial

import numpy as np
import sympy as sp

from autograder.exercise import RIGHT, Challenge, Line, Probe, Reply, Verdict
from autograder.marking.compare import as_numbers
from autograder.marking.judges import at_every_challenge, charged_once
from autograder.truth import ACTIVATIONS

# What is asked ------------------------------------------------------------------------------------------------------


def drawn_weights(student, given):
    """Weights for both kinds of units, and a second draw from the same generator."""
    n_out, n_in = int(given["n_out"]), int(given["n_in"])
    rng = np.random.default_rng(int(given["seed"]))
    return {
        "linear": student.level_weights(n_out, n_in, "linear", rng),
        "relu": student.level_weights(n_out, n_in, "relu", rng),
        "again": student.level_weights(n_out, n_in, "linear", rng),
    }


def _weight_challenges(rng: np.random.Generator) -> list[Challenge]:
    shapes = ((120, 180), (180, 120), (100, 250))
    return [Challenge({"n_out": np.array(a), "n_in": np.array(b), "seed": rng.integers(1, 10_000)}) for a, b in shapes]


WEIGHTS = Probe(drawn_weights, _weight_challenges)


@cache
def level(activation: str) -> float:
    """n_in times the variance that keeps the mean square of z level: 1 / E[f(z)^2] for a standard normal z."""
    z = sp.Symbol("z", real=True)
    (value,) = ACTIVATIONS[activation]([z])
    sides = (sp.Symbol("p", positive=True), sp.Symbol("n", negative=True))
    squares = [sp.Poly(value.subs(z, side) ** 2, side).terms() for side in sides]
    parts = [factor * _moment(k) * sign**k for terms, sign in zip(squares, (1, -1)) for (k,), factor in terms]
    return float(1 / sum(parts))


def _moment(k: int) -> sp.Expr:
    """The integral of z^k over the density of a standard normal z, for z > 0 alone."""
    return 2 ** sp.Rational(k - 2, 2) * sp.gamma(sp.Rational(k + 1, 2)) / sp.sqrt(sp.pi)


# Random weights: what they must have on average ---------------------------------------------------------------------

LEVEL_BAND = 0.05
"""How far n_in * mean(W^2) may be from its exact level. With 21,600 or more entries per challenge the standard error of
a normal draw is below 1 %, so that a right solution fails one of the six checks with probability below 2e-6."""

CENTRE_BAND = 6.0
"""How many standard errors the mean of the entries may be from zero: a false alarm in 1e-8 of all checks."""


@partial(charged_once, but=("not-scaled",))  # a level that nobody set shows nothing of ReLU's
def judge_weights(lines: Sequence[Line], replies: Sequence[Reply]) -> dict[str, Verdict]:
    """Shape, level for linear units and for ReLU, and that the entries are random and centred at zero."""
    checks: dict[str, Callable[[Reply], Verdict | None]] = {
        "shape": _shape_fault,
        "linear": partial(_level_fault, activation="linear"),
        "relu": partial(_level_fault, activation="relu"),
        "random": _random_fault,
    }
    every = at_every_challenge(lambda reply: {line.name: checks[line.name](reply) or RIGHT for line in lines})
    return dict(every(lines, replies))


def _matrix(reply: Reply, name: str) -> np.ndarray | Verdict:
    array = as_numbers(reply.values.get(name))
    if isinstance(array, str):
        return Verdict("missing" if reply.values.get(name) is None else "wrong", message=f"The weights: {array}.")
    if array.size == 0 or not np.all(np.isfinite(array)):
        return Verdict("wrong", message="The weights hold entries that are not finite, or none at all.")
    return array.astype(float)


def _shape_fault(reply: Reply) -> Verdict | None:
    wanted = (int(reply.given["n_out"]), int(reply.given["n_in"]))
    for name in ("linear", "relu"):
        array = _matrix(reply, name)
        if isinstance(array, Verdict):
            return array
        if array.shape != wanted:
            told = "(n_in, n_out)" if array.shape == wanted[::-1] else str(array.shape)
            return Verdict("wrong", mistakes=("other-shape",), message=f"(n_out, n_in) is needed, you have {told}.")
    return None


def _level_fault(reply: Reply, activation: str) -> Verdict | None:
    array = _matrix(reply, activation)
    if isinstance(array, Verdict):
        return array
    n_out, n_in = int(reply.given["n_out"]), int(reply.given["n_in"])
    found, wanted = n_in * float(np.mean(array**2)), level(activation)
    if abs(found / wanted - 1) <= LEVEL_BAND:
        return None
    known = {
        "variance-for-deviation": (wanted / n_in) * wanted,
        "n-out-for-n-in": wanted * n_in / n_out,
        "mean-of-n-in-and-n-out": wanted * 2 * n_in / (n_in + n_out),
        "uniform-without-root-three": wanted / 3,
        "not-scaled": float(n_in),
        "relu-level-missing" if activation == "relu" else "relu-level-for-linear": 3.0 - wanted,
    }
    names = [name for name, value in known.items() if abs(found / value - 1) <= LEVEL_BAND]
    told = f"One such layer multiplies the mean square by about {found / wanted:.2g}; it should be 1."
    return Verdict.named(names[0], title=told) if len(names) == 1 else Verdict("wrong", message=told)


def _random_fault(reply: Reply) -> Verdict | None:
    arrays = []
    for name in ("linear", "relu", "again"):
        array = _matrix(reply, name)
        if isinstance(array, Verdict):
            return array
        arrays.append(array)
    for array in arrays:
        rms = float(np.sqrt(np.mean(array**2)))
        if rms == 0:
            return Verdict("wrong", message="All weights are zero.")
        if abs(float(np.mean(array))) > CENTRE_BAND * rms / np.sqrt(array.size):
            return Verdict.named("not-centred")
        # sums of n independent entries have a mean square of about n rms^2; equal rows make it n times as large
        sums = [np.mean(array.sum(axis=axis) ** 2) / (array.shape[axis] * rms**2) for axis in range(array.ndim)]
        if max(sums, default=0) > 3:
            return Verdict("wrong", message="The rows or columns are not independent: many entries are equal.")
    if np.array_equal(arrays[0], arrays[-1]):
        return Verdict.named("same-weights-again")
    return None
