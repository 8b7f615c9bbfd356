"""Sheet 2, exercise 7: gradients that explode, and three things to do about it.

The student writes gradient clipping by norm, an initialisation that keeps the level of the signals, and a schedule for
the learning rate. Random weights are marked by what they must have on average, with a stated false-alarm rate.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

import mpmath
import numpy as np
import sympy as sp

from autograder.exercise import (
    RIGHT,
    Challenge,
    Exercise,
    Judge,
    Line,
    Probe,
    Question,
    Reply,
    Values,
    Verdict,
    Written,
)
from autograder.exercises.shared import of_order_one
from autograder.marking.compare import as_numbers
from autograder.marking.judges import at_every_challenge, remembered, values
from autograder.marking.slips import At, Slip, explain_slips
from autograder.truth import ACTIVATIONS, many_digits

# What is asked ------------------------------------------------------------------------------------------------------


def clip_one(student, given):
    """One array above the threshold, one below it."""
    threshold = float(given["threshold"])
    return {name: student.clip_by_norm(given[name], threshold) for name in ("above", "below")}


def clip_special(student, given):
    """The cases in which the plain formula fails; an error in one of them is returned as text."""
    found = {}
    for name in ("zero", "not_finite", "huge", "ordinary"):
        try:
            found[name] = student.clip_by_norm(given[name], float(given["threshold"]))
        except NotImplementedError:
            raise
        except Exception as error:
            found[name] = type(error).__name__ + ": " + str(error)[:200]
    return found


def clip_list(student, given):
    """Lists of arrays that share one norm; the parts are joined to one row of numbers."""
    found = {}
    for name in ("together", "small", "one_not_finite"):
        parts = [given[name + str(i)] for i in (1, 2, 3)]
        shapes = [part.shape for part in parts]
        clipped = student.clip_by_norm(parts, float(given["threshold"]))
        if not isinstance(clipped, (list, tuple)) or len(clipped) != 3:
            raise ValueError("for a list of three arrays clip_by_norm must return a list of three arrays")
        if [np.shape(part) for part in clipped] != shapes:
            raise ValueError("every array of the list must keep its shape")
        found[name] = np.concatenate([np.ravel(part) for part in clipped])
    return found


def drawn_weights(student, given):
    """Weights for both kinds of units, and a second draw from the same generator."""
    n_out, n_in = int(given["n_out"]), int(given["n_in"])
    rng = np.random.default_rng(int(given["seed"]))
    return {
        "linear": student.level_weights(n_out, n_in, "linear", rng),
        "relu": student.level_weights(n_out, n_in, "relu", rng),
        "again": student.level_weights(n_out, n_in, "linear", rng),
    }


def rates(student, given):
    """The learning rate at every step of a training."""
    peak, warmup, total = float(given["peak"]), int(given["warmup"]), int(given["total"])
    all_rates = [student.learning_rate_at(step, peak, warmup, total) for step in range(total)]
    return {"warm_up": np.array(all_rates[:warmup]), "decay": np.array(all_rates[warmup:])}


def _array_of_norm(rng: np.random.Generator, shape: tuple[int, ...], norm: float) -> np.ndarray:
    array = of_order_one(rng, *shape)
    return array * norm / np.linalg.norm(array)


def _clip_challenges(rng: np.random.Generator) -> list[Challenge]:
    shown = {"above": np.array([[6.0, -8.0]]), "below": np.array([[0.3, 0.4]]), "threshold": np.array(5.0)}
    points = [Challenge(shown, shown=True)]
    for shape, threshold, above in (((3, 4), 2.0, 7.0), ((5, 2), 0.5, 0.8), ((4, 1), 3.0, 40.0)):
        drawn = {"above": _array_of_norm(rng, shape, above), "below": _array_of_norm(rng, shape, 0.6 * threshold)}
        points.append(Challenge(drawn | {"threshold": np.array(threshold)}))
    return points


def _special_challenges(rng: np.random.Generator) -> list[Challenge]:
    points = []
    for bad, scale in ((np.nan, 1e200), (np.inf, 3e180), (-np.inf, 1e250)):
        spoilt = _array_of_norm(rng, (3, 2), 2.0)
        spoilt[1, 1] = bad
        huge = _array_of_norm(rng, (2, 3), 1.0) * scale
        points.append(
            Challenge(
                {
                    "zero": np.zeros((2, 3)),
                    "not_finite": spoilt,
                    "huge": huge,
                    "ordinary": _array_of_norm(rng, (3, 2), 2.0),
                    "threshold": np.array(1.5),
                }
            )
        )
    return points


def _list_challenges(rng: np.random.Generator) -> list[Challenge]:
    points = []
    for threshold in (2.0, 1.0, 4.0):
        point = {"threshold": np.array(threshold)}
        for name, size in (("together", 0.9), ("small", 0.3), ("one_not_finite", 0.9)):
            # alone none of the three exceeds the threshold; together those of size 0.9 do
            for i, shape in enumerate(((3, 2), (3, 1), (1, 4)), 1):
                point[f"{name}{i}"] = _array_of_norm(rng, shape, size * threshold * (0.8 + 0.1 * i))
        point["one_not_finite2"][0, 0] = np.nan
        points.append(Challenge(point))
    return points


def _weight_challenges(rng: np.random.Generator) -> list[Challenge]:
    shapes = ((120, 180), (180, 120), (100, 250))
    return [
        Challenge({"n_out": np.array(a), "n_in": np.array(b), "seed": rng.integers(1, 10_000)}) for a, b in shapes
    ]


def _rate_challenges(rng: np.random.Generator) -> list[Challenge]:
    shown = {"peak": np.array(0.8), "warmup": np.array(4), "total": np.array(8)}
    drawn = ((5, 17), (8, 30), (3, 12))
    return [
        Challenge(shown, shown=True),
        *(
            Challenge({"peak": rng.uniform(0.1, 2.0), "warmup": np.array(warmup), "total": np.array(total)})
            for warmup, total in drawn
        ),
    ]


CLIP_ONE = Probe(clip_one, _clip_challenges)
CLIP_SPECIAL = Probe(clip_special, _special_challenges)
CLIP_LIST = Probe(clip_list, _list_challenges)
WEIGHTS = Probe(drawn_weights, _weight_challenges)
RATES = Probe(rates, _rate_challenges)


# What is true -------------------------------------------------------------------------------------------------------


def _clipped(array: np.ndarray, threshold: float) -> np.ndarray:
    """Clipping in 50 digits, where nothing overflows."""
    if not np.all(np.isfinite(array)):
        return np.zeros_like(array)
    with many_digits():
        entries = [mpmath.mpf(float(x)) for x in array.ravel()]
        norm, limit = mpmath.norm(entries), mpmath.mpf(float(threshold))
        factor = limit / norm if norm > limit else mpmath.mpf(1)
        return np.array([float(x * factor) for x in entries]).reshape(array.shape)


@remembered
def clip_truth(given: Values) -> dict[str, np.ndarray]:
    """The clipped arrays of one challenge."""
    return {name: _clipped(array, given["threshold"]) for name, array in given.items() if name != "threshold"}


@remembered
def clip_list_truth(given: Values) -> dict[str, np.ndarray]:
    """The clipped lists, joined: one norm for all parts."""
    names = ("together", "small", "one_not_finite")
    return {name: _clipped(_joined(given, name), given["threshold"]) for name in names}


def _joined(given: Values, name: str) -> np.ndarray:
    return np.concatenate([given[f"{name}{i}"].ravel() for i in (1, 2, 3)])


@cache
def level(activation: str) -> float:
    """n_in times the variance that keeps the mean square of z level: 1 / E[f(z)^2] for a standard normal z."""
    z = sp.Symbol("z", real=True)
    (value,) = ACTIVATIONS[activation]([z])
    density = sp.exp(-(z**2) / 2) / sp.sqrt(2 * sp.pi)
    halves = ((z, 0, sp.oo), (z, -sp.oo, 0))
    sides = (sp.Symbol("p", positive=True), sp.Symbol("n", negative=True))
    parts = [sp.integrate(value.subs(z, s).subs(s, z) ** 2 * density, half) for s, half in zip(sides, halves)]
    return float(1 / sum(parts))


@remembered
def rate_truth(given: Values) -> dict[str, np.ndarray]:
    """The schedule as it is stated, in exact arithmetic."""
    peak, warmup, total = sp.Rational(float(given["peak"])), int(given["warmup"]), int(given["total"])
    up = [peak * sp.Rational(step + 1, warmup) for step in range(warmup)]
    down = [
        peak * (1 + sp.cos(sp.pi * sp.Rational(step - warmup, total - warmup))) / 2 for step in range(warmup, total)
    ]
    with many_digits():
        return {"warm_up": np.array([float(r) for r in up]), "decay": np.array([float(sp.N(r, 30)) for r in down])}


# Which mistakes are known -------------------------------------------------------------------------------------------


def _norm(g: np.ndarray) -> float:
    return float(np.linalg.norm(g.ravel()))


CLIP_SLIPS = (
    Slip(
        "not-clipped",
        ("above",),
        lambda v: v.given["above"],
    ),
    Slip(
        "clipped-entry-by-entry",
        ("above",),
        lambda v: np.clip(v.given["above"], -v.threshold, v.threshold),
    ),
    Slip(
        "threshold-forgotten",
        ("above",),
        lambda v: v.given["above"] / _norm(v.given["above"]),
    ),
    Slip(
        "largest-entry-for-norm",
        ("above",),
        lambda v: v.given["above"] * v.threshold / np.max(np.abs(v.given["above"])),
    ),
    Slip(
        "square-root-missing",
        ("above",),
        lambda v: v.given["above"] * v.threshold / _norm(v.given["above"]) ** 2,
    ),
    Slip(
        "spectral-norm",
        ("above",),
        lambda v: v.given["above"] * v.threshold / np.linalg.norm(v.given["above"], 2),
    ),
    Slip(
        "always-scaled",
        ("below",),
        lambda v: v.given["below"] * v.threshold / _norm(v.given["below"]),
    ),
    Slip(
        "always-scaled",
        ("below",),
        lambda v: v.given["below"] / _norm(v.given["below"]),
    ),
)

LIST_SLIPS = (
    Slip(
        "clipped-one-by-one",
        ("together",),
        lambda v: np.concatenate([v[f"together{i}"].ravel() for i in (1, 2, 3)]),
    ),
    Slip(
        "clipped-one-by-one",
        ("together",),
        lambda v: np.concatenate(
            [(v[f"together{i}"] * v.threshold / _norm(v[f"together{i}"])).ravel() for i in (1, 2, 3)]
        ),
    ),
    Slip(
        "nan-replaced",
        ("one_not_finite",),
        lambda v: _clipped(
            np.concatenate([np.nan_to_num(v[f"one_not_finite{i}"]).ravel() for i in (1, 2, 3)]), v.threshold
        ),
    ),
    Slip(
        "nan-replaced",
        ("one_not_finite",),
        lambda v: np.concatenate([np.nan_to_num(v[f"one_not_finite{i}"]).ravel() for i in (1, 2, 3)]),
    ),
    Slip(
        "only-the-bad-array-is-dropped",
        ("one_not_finite",),
        lambda v: _clipped(
            np.concatenate([np.where(np.isnan(v[f"one_not_finite{i}"]).any(), 0, v[f"one_not_finite{i}"]).ravel()
                            for i in (1, 2, 3)]), v.threshold),
    ),
)


def _cosine(v: At, fraction: float) -> np.ndarray:
    return v.peak * (1 + np.cos(np.pi * fraction)) / 2


def _steps(v: At) -> np.ndarray:
    return np.arange(int(v.warmup), int(v.total))


RATE_SLIPS = (
    Slip(
        "starts-at-zero",
        ("warm_up",),
        lambda v: v.peak * np.arange(int(v.warmup)) / v.warmup,
    ),
    Slip(
        "no-warm-up",
        ("warm_up",),
        lambda v: v.peak * np.ones(int(v.warmup)),
    ),
    Slip(
        "warm-up-not-left-out",
        ("decay",),
        lambda v: _cosine(v, _steps(v) / v.total),
    ),
    Slip(
        "length-of-the-decay",
        ("decay",),
        lambda v: _cosine(v, (_steps(v) - v.warmup) / v.total),
    ),
    Slip(
        "half-missing",
        ("decay",),
        lambda v: 2 * _cosine(v, (_steps(v) - v.warmup) / (v.total - v.warmup)),
        hint="At its beginning 1 + cos is 2. The learning rate should begin at the peak.",
    ),
    Slip(
        "no-decay",
        ("decay",),
        lambda v: v.peak * np.ones(len(_steps(v))),
    ),
    Slip(
        "linear-decay",
        ("decay",),
        lambda v: v.peak * (1 - (_steps(v) - v.warmup) / (v.total - v.warmup)),
    ),
    Slip(
        "warm-up-one-step-longer",
        ("decay",),
        lambda v: np.where(
            _steps(v) == v.warmup,
            v.peak * (_steps(v) + 1) / v.warmup,
            _cosine(v, (_steps(v) - v.warmup) / (v.total - v.warmup)),
        ),
    ),
    Slip(
        "ends-at-zero",
        ("decay",),
        lambda v: _cosine(v, (_steps(v) - v.warmup) / (v.total - 1 - v.warmup)),
    ),
)


def _explain_special(replies: Sequence[Reply]) -> Mapping[str, Verdict]:
    """What an error was, and what NaN in the result says about each case."""
    hints = {
        "zero": "What do you divide by when every entry is zero?",
        "not_finite": "A comparison with NaN is never true. Test for it before you compute with the norm.",
        "huge": "The square of 1e200 is too large for a float. How could you make the entries smaller before squaring?",
    }
    found = {}
    for line, hint in hints.items():
        errors = [reply.values[line] for reply in replies if isinstance(reply.values.get(line), str)]
        arrays = [as_numbers(reply.values.get(line)) for reply in replies]
        # an overflow leaves zeros, infinity or NaN, and 0 / 0 leaves NaN: other numbers have another reason
        spoilt = any(not isinstance(a, str) and not (np.all(np.isfinite(a)) and np.any(a)) for a in arrays)
        if errors or spoilt:
            found[line] = Verdict("wrong", message=f"Your code raised {errors[0]}" if errors else "", hint=hint)
    return found


def not_for_all(judge: Judge, ordinary: str) -> Judge:
    """The same judge, but where zeros are right they count only if an ordinary gradient is not turned to zeros too."""

    def judged(lines: Sequence[Line], replies: Sequence[Reply]) -> Mapping[str, Verdict]:
        verdicts = dict(judge(lines, replies))
        answers = [as_numbers(reply.values.get(ordinary)) for reply in replies]
        if all(not isinstance(answer, str) and not np.any(answer) for answer in answers):
            for name in ("zero", "not_finite", "one_not_finite"):
                if name in verdicts:
                    verdicts[name] = Verdict("wrong", message="Your function turns every gradient to zeros.")
        return verdicts

    return judged


# Random weights: what they must have on average ---------------------------------------------------------------------

LEVEL_BAND = 0.05
"""How far n_in * mean(W^2) may be from its exact level. With 21,600 or more entries per challenge the standard error of
a normal draw is below 1 %, so that a right solution fails one of the six checks with probability below 2e-6."""

CENTRE_BAND = 6.0
"""How many standard errors the mean of the entries may be from zero: a false alarm in 1e-8 of all checks."""


def judge_weights(lines: Sequence[Line], replies: Sequence[Reply]) -> dict[str, Verdict]:
    """Shape, level for linear units and for ReLU, and that the entries are random and centred at zero."""
    checks = {"shape": _shape_fault, "linear": _linear_fault, "relu": _relu_fault, "random": _random_fault}
    return at_every_challenge(
        lines, replies, lambda reply: {line.name: checks[line.name](reply) or RIGHT for line in lines}
    )


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
        "not-scaled": float(n_in),
        "relu-level-missing" if activation == "relu" else "relu-level-for-linear": 3.0 - wanted,
    }
    hints = {
        "variance-for-deviation": "You multiplied with the variance. The standard deviation is its root.",
        "n-out-for-n-in": "How many terms does the sum of one pre-activation have: one per input or one per output?",
        "mean-of-n-in-and-n-out": "This is a compromise of the way forward and the way back. Here only forward counts.",
        "not-scaled": "The entries do not depend on the number of inputs.",
        "relu-level-missing": "ReLU sets one half of the units to zero. What does it take to make up for this?",
        "relu-level-for-linear": "A linear layer loses nothing. Nothing has to be made up for.",
    }
    names = [name for name, value in known.items() if abs(found / value - 1) <= LEVEL_BAND]
    factor = found / wanted
    return Verdict(
        "wrong",
        mistakes=(names[0],) if len(names) == 1 else (),
        message=f"One such layer multiplies the mean square by about {factor:.2g}; it should be 1.",
        hint=hints[names[0]] if len(names) == 1 else "",
    )


def _linear_fault(reply: Reply) -> Verdict | None:
    return _level_fault(reply, "linear")


def _relu_fault(reply: Reply) -> Verdict | None:
    return _level_fault(reply, "relu")


def _random_fault(reply: Reply) -> Verdict | None:
    arrays = {name: _matrix(reply, name) for name in ("linear", "relu", "again")}
    for array in arrays.values():
        if isinstance(array, Verdict):
            return array
        rms = float(np.sqrt(np.mean(array**2)))
        if rms == 0:
            return Verdict("wrong", message="All weights are zero.")
        if abs(float(np.mean(array))) > CENTRE_BAND * rms / np.sqrt(array.size):
            return Verdict("wrong", mistakes=("not-centred",), message="The mean of the weights is not zero.",
                           hint="Weights of one sign push all units the same way. Which range do you draw from?")
        # sums of n independent entries have a mean square of about n rms^2; equal rows make it n times as large
        sums = [np.mean(array.sum(axis=axis) ** 2) / (array.shape[axis] * rms**2) for axis in range(array.ndim)]
        if max(sums, default=0) > 3:
            return Verdict("wrong", message="The rows or columns are not independent: many entries are equal.")
    if np.array_equal(arrays["linear"], arrays["again"]):
        return Verdict("wrong", mistakes=("same-weights-again",), message="Two draws from one generator are equal.",
                       hint="Where do your random numbers come from? Use the generator that you are given.")
    return None


# The questions ------------------------------------------------------------------------------------------------------

EXERCISE = Exercise(
    name="exploding_gradients",
    sheet="by_hand",
    title="When gradients explode",
    minutes=60,
    difficulty=3,
    questions=(
        Question(
            "clipping",
            "(a) Clipping one array",
            (Line("above", 2, "an array above the threshold"), Line("below", 1, "an array below the threshold")),
            CLIP_ONE,
            values(clip_truth, explain=explain_slips(CLIP_SLIPS)),
        ),
        Question(
            "clipping_special",
            "(a) Zero, NaN and very large entries",
            (
                Line("zero", 1, "an array of zeros"),
                Line("not_finite", 1, "an array with NaN or infinity"),
                Line("huge", 1, "very large finite entries"),
            ),
            CLIP_SPECIAL,
            not_for_all(values(clip_truth, explain=_explain_special), "ordinary"),
        ),
        Question(
            "clipping_list",
            "(a) Several arrays with one norm",
            (
                Line("together", 2, "a list above the threshold"),
                Line("small", 1, "a list below the threshold"),
                Line("one_not_finite", 1, "a list with NaN in one array"),
            ),
            CLIP_LIST,
            not_for_all(values(clip_list_truth, explain=explain_slips(LIST_SLIPS)), "together"),
        ),
        Question(
            "initialisation",
            "(b) Weights that keep the level",
            (
                Line("shape", 1, "shape"),
                Line("linear", 1, "level with linear units"),
                Line("relu", 2, "level with ReLU"),
                Line("random", 1, "random and centred at zero"),
            ),
            WEIGHTS,
            judge_weights,
        ),
        Question(
            "schedule",
            "(c) A schedule for the learning rate",
            (Line("warm_up", 2, "warm-up"), Line("decay", 2, "decay")),
            RATES,
            values(rate_truth, explain=explain_slips(RATE_SLIPS)),
        ),
    ),
    written=(Written("cause_or_symptom", "(d) Cause or symptom?", 6),),
    parts={
        "a": ("clipping", "clipping_special", "clipping_list"),
        "b": ("initialisation",),
        "c": ("schedule",),
        "d": ("cause_or_symptom",),
    },
)
