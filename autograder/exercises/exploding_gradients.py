"""Sheet 2: gradients that explode, and three things to do about it.

The student writes gradient clipping by norm, an initialisation that keeps the level of the signals, and a schedule for
the learning rate. Random weights are marked by what they must have on average, with a stated false-alarm rate.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import mpmath
import numpy as np

from autograder.exercise import (
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
    lines,
)
from autograder.exercises.random_weights import WEIGHTS, judge_weights
from autograder.exercises.rate_schedule import RATE_SLIPS, RATES, rate_truth
from autograder.exercises.shared import keeping_inputs, of_order_one
from autograder.exercises.stated import Fact, stated
from autograder.marking.compare import as_numbers
from autograder.marking.judges import charged_before, charged_once, remembered, values
from autograder.marking.slips import At, Slip, explain_slips, first_of
from autograder.truth import many_digits

# What is asked ------------------------------------------------------------------------------------------------------


def clip_one(student, given):
    """One array above the threshold, one below it."""
    threshold = float(given["threshold"])
    return {name: student.clip_by_norm(given[name], threshold) for name in ("above", "below")}


def clip_special(student, given):
    """The cases in which the plain formula fails, and an ordinary one; an error in one of them costs that one."""
    for name in ("zero", "not_finite", "huge", "ordinary"):
        try:
            value = student.clip_by_norm(given[name], float(given["threshold"]))
        except NotImplementedError:
            raise
        except Exception as error:
            value = error
        yield {name: value}


def clip_list(student, given):
    """Lists of arrays that share one norm, joined to one row of numbers, and two of them as single arrays."""

    def clipped(name):
        parts = [given[name + str(i)] for i in (1, 2, 3)]
        found = student.clip_by_norm(parts, float(given["threshold"]))
        if not isinstance(found, (list, tuple)) or len(found) != 3:
            return ValueError("for a list of three arrays clip_by_norm must return a list of three arrays")
        if [np.shape(part) for part in found] != [part.shape for part in parts]:
            return ValueError("every array of the list must keep its shape")
        return np.concatenate([np.ravel(part) for part in found])

    for name in ("together", "small", "one_not_finite"):
        try:
            value = clipped(name)
        except NotImplementedError:
            raise
        except Exception as error:
            value = error
        yield {name: value}
    for name in ("together", "small"):
        joined = np.concatenate([np.ravel(given[name + str(i)]) for i in (1, 2, 3)])[None, :]
        yield {"one_" + name: student.clip_by_norm(joined, float(given["threshold"]))}


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
        special = {"zero": np.zeros((2, 3)), "not_finite": spoilt, "huge": huge}
        ordinary = {"ordinary": _array_of_norm(rng, (3, 2), 6.0), "threshold": np.array(1.5)}
        points.append(Challenge(special | ordinary))
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


CLIP_ONE = Probe(clip_one, _clip_challenges)
CLIP_SPECIAL = Probe(clip_special, _special_challenges)
CLIP_LIST = Probe(clip_list, _list_challenges)


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
    found = {name: _clipped(_joined(given, name), given["threshold"]) for name in names}
    return found | {f"one_{name}": found[name][None, :] for name in names[:2]}


def _joined(given: Values, name: str) -> np.ndarray:
    return np.concatenate([given[f"{name}{i}"].ravel() for i in (1, 2, 3)])


# Which mistakes are known -------------------------------------------------------------------------------------------


def _norm(g: np.ndarray) -> float:
    return np.sqrt(np.sum(g * g))


def _limited(norm: Callable[[np.ndarray], float]) -> Callable[[np.ndarray, float], np.ndarray]:
    """Clipping with another norm."""
    return lambda e, t: e * t / norm(e) if norm(e) > t else e


WRONG_CLIPPING: Sequence[tuple[str, Callable[[np.ndarray, float], np.ndarray]]] = (
    ("not-clipped", lambda e, t: e),
    ("clipped-entry-by-entry", lambda e, t: np.clip(e, -t, t)),
    ("threshold-forgotten", lambda e, t: e / _norm(e) if _norm(e) > t else e),
    ("always-scaled", lambda e, t: e * t / _norm(e)),
    ("always-scaled", lambda e, t: e / _norm(e) * (1 if _norm(e) < t else t)),
    ("largest-entry-for-norm", _limited(lambda e: np.max(np.abs(e)))),
    ("absolute-values-for-squares", _limited(lambda e: np.sum(np.abs(e)))),
    ("square-root-missing", _limited(lambda e: np.sum(e**2))),
    ("square-root-missing", _limited(lambda e: np.sum(e**2) / np.max(np.abs(e)))),  # the entries are scaled before
)
"""Wrong ways to clip entries e at a threshold t."""


def _clip_slips(*names: str) -> list[Slip]:
    def wrong(name: str, clip: Callable[[np.ndarray, float], np.ndarray]) -> Callable[[At], np.ndarray]:
        def formula(v: At) -> np.ndarray:
            e = v.given[name] if name in v.given else _joined(v.given, name.removeprefix("one_"))
            found = clip(e.astype(np.longdouble), v.threshold)  # in which the square of a huge entry is finite
            return found[None, :] if name.startswith("one_") else found

        return formula

    return [
        Slip(mistake, name, wrong(name, clip))
        for mistake, clip in WRONG_CLIPPING
        for name in names
        if mistake != "not-clipped" or name == "above"  # nothing done is no slip that is made again
    ]


def _parts(name: str, change: Callable[[np.ndarray], np.ndarray]) -> Callable[[At], np.ndarray]:
    return lambda v: np.concatenate([np.ravel(change(v[f"{name}{i}"])) for i in (1, 2, 3)])


_NAN_TO_ZERO = _parts("one_not_finite", np.nan_to_num)
_WITHOUT_THE_BAD = _parts("one_not_finite", lambda g: np.zeros_like(g) if np.isnan(g).any() else g)


def _bad_to_zero(v: At) -> np.ndarray:
    return np.nan_to_num(v.given["not_finite"], posinf=0.0, neginf=0.0)


CLIP_SLIPS = [
    *_clip_slips("above", "below"),
    Slip("spectral-norm", "above", lambda v: v.given["above"] * v.threshold / np.linalg.norm(v.given["above"], 2)),
]
SPECIAL_SLIPS = [
    Slip("nan-replaced", "not_finite", _bad_to_zero),
    Slip("nan-replaced", "not_finite", lambda v: _clipped(_bad_to_zero(v), v.threshold)),
]
LIST_SLIPS = [
    Slip("clipped-one-by-one", "together", lambda v: _joined(v.given, "together")),
    Slip("clipped-one-by-one", "together", lambda v: _parts("together", lambda g: g * v.threshold / _norm(g))(v)),
    Slip("nan-replaced", "one_not_finite", lambda v: _clipped(_NAN_TO_ZERO(v), v.threshold)),
    Slip("nan-replaced", "one_not_finite", _NAN_TO_ZERO),
    Slip("only-the-bad-array-is-dropped", "one_not_finite", lambda v: _clipped(_WITHOUT_THE_BAD(v), v.threshold)),
]


def _explain_special(replies: Sequence[Reply]) -> Mapping[str, Verdict]:
    """What an error was, and what NaN in the result says about each case."""
    hints = {
        "zero": "What do you divide by when every entry is zero?",
        "not_finite": "A comparison with NaN is never true. Test for it before you compute with the norm.",
        "huge": "The square of 1e200 is too large for a float. How could you make the entries smaller before squaring?",
    }
    found = {}
    for line, hint in hints.items():
        errors = [str(reply.values[line]) for reply in replies if isinstance(reply.values.get(line), str)]
        arrays = [as_numbers(reply.values.get(line)) for reply in replies]
        # an overflow leaves zeros, infinity or NaN, and 0 / 0 leaves NaN: other numbers have another reason
        spoilt = any(not isinstance(a, str) and not (np.all(np.isfinite(a)) and np.any(a)) for a in arrays)
        if errors or spoilt:
            message = errors[0][:1].upper() + errors[0][1:] if errors else ""
            found[line] = Verdict("wrong", message=message, hint=hint)
    return found


NOTHING = 1e-6
"""The share of the threshold below which entries are as good as zero."""


def not_for_all(judge: Judge, ordinary: str) -> Judge:
    """The same judge, but zeros count where they are right only if an ordinary gradient is not turned to them too.

    What is nearly nothing beside the threshold counts as zeros here.
    """

    def judged(lines: Sequence[Line], replies: Sequence[Reply]) -> Mapping[str, Verdict]:
        verdicts = dict(judge(lines, replies))
        answers = [(as_numbers(r.values.get(ordinary)), NOTHING * float(r.given["threshold"])) for r in replies]
        if all(not isinstance(answer, str) and np.all(np.abs(answer) < least) for answer, least in answers):
            for name in ("zero", "not_finite", "one_not_finite"):
                if name in verdicts:
                    verdicts[name] = Verdict("wrong", message="Your function turns every gradient to zeros.")
        return verdicts

    return judged


# The questions ------------------------------------------------------------------------------------------------------


EXPLAIN_SPECIAL = first_of(explain_slips((*_clip_slips("huge", "ordinary"), *SPECIAL_SLIPS)), _explain_special)
EXPLAIN_LIST = first_of(
    explain_slips(LIST_SLIPS), explain_slips(_clip_slips("together", "small", "one_together", "one_small"))
)

BY_CLIPPING = charged_once(values(clip_truth, explain=explain_slips(CLIP_SLIPS)))
BY_SPECIAL = charged_before(values(clip_truth, explain=EXPLAIN_SPECIAL), {"huge": "ordinary"})
BY_LIST = charged_once(
    charged_before(values(clip_list_truth, explain=EXPLAIN_LIST), {"together": "one_together", "small": "one_small"})
)

REMEDIES = {
    "changes": Fact(
        1,
        "what each remedy changes",
        lambda: ("gradient", "weights at the start", "learning rate"),
        "Which of your three functions is called before the first step, and which returns a learning rate?",
    ),
    "against_vanishing": Fact(
        1,
        "what also helps against vanishing gradients",
        lambda: "level weights",
        "Which of the three can make a signal larger that would shrink from layer to layer?",
    ),
}

EXERCISE = Exercise(
    name="exploding_gradients",
    sheet="by_hand",
    title="When gradients explode",
    minutes=60,
    difficulty=3,
    limits={"answer_bytes": 2 << 20},
    questions=(
        Question(
            "clipping",
            "(a) Clipping one array",
            lines(above=(2, "an array above the threshold"), below=(1, "an array below the threshold")),
            CLIP_ONE,
            keeping_inputs(BY_CLIPPING),
        ),
        Question(
            "clipping_list",
            "(a) Several arrays with one norm",
            lines(
                together=(3, "a list above the threshold"),
                small=(1, "a list below the threshold"),
                one_not_finite=(0.5, "a list with NaN in one array"),
            ),
            CLIP_LIST,
            keeping_inputs(not_for_all(BY_LIST, "together")),
        ),
        Question(
            "clipping_special",
            "(a) Zero, NaN and very large entries",
            lines(
                zero=(0.5, "an array of zeros"),
                not_finite=(0.5, "an array with NaN or infinity"),
                huge=(0.5, "very large finite entries"),
            ),
            CLIP_SPECIAL,
            keeping_inputs(not_for_all(BY_SPECIAL, "ordinary")),
        ),
        Question(
            "initialisation",
            "(b) Weights that keep the level",
            lines(
                shape=1,
                linear=(1, "level with linear units"),
                relu=(2, "level with ReLU"),
                random=(1, "random and centred at zero"),
            ),
            WEIGHTS,
            judge_weights,
        ),
        Question(
            "schedule",
            "(c) A schedule for the learning rate",
            lines(warm_up=(2, "warm-up"), decay=2),
            RATES,
            values(rate_truth, explain=explain_slips(RATE_SLIPS)),
        ),
        stated("what_they_change", "(d) What the remedies change", REMEDIES),
    ),
    written=(Written("cause_or_symptom", "(d) Cause or symptom?", 2),),
    parts={
        "a": ("clipping", "clipping_list", "clipping_special"),
        "b": ("initialisation",),
        "c": ("schedule",),
        "d": ("what_they_change", "cause_or_symptom"),
    },
)
