"""Sheet 5: momentum, Nesterov, RMSprop, Adam and AdamW, each for five steps with what they carry on, and the loop.

Mistakes that the first step cannot show (no correction, or a correction that is carried on; the decay inside the
averages) show after five, and those with epsilon where all gradients are tiny.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import mpmath
import numpy as np

from autograder.exercise import Challenge, Exercise, Line, Probe, Question, Values, Written
from autograder.exercises.optimiser_steps import STATES, explained, following
from autograder.exercises.shared import keeping_inputs, of_order_one
from autograder.marking.judges import remembered, values
from autograder.marking.slips import Slip, explain_slips
from autograder.truth import many_digits

NUMBERS = {
    "momentum": ("rate", "beta"),
    "nesterov": ("rate", "beta"),
    "rmsprop": ("rate", "beta", "eps"),
    "adam": ("rate", "beta1", "beta2", "eps"),
    "adamw": ("rate", "beta1", "beta2", "eps", "decay"),
}
"""The numbers of each, in the order of its arguments."""


# What is asked ------------------------------------------------------------------------------------------------------


def five_steps(student, given, *, function, carried, counted, numbers):
    """Five steps, one after the other: each gets what the one before has returned.

    Where a step changes an array that it gets, something given is changed too, so that it is seen.
    """
    step = getattr(student, function)
    theta, state = given["theta"], [np.zeros_like(given["theta"]) for _ in carried]
    found = {name: [] for name in ("theta", *carried)}
    for t, g in enumerate(given["g"], 1):
        count = [t] if counted else []
        held = [np.array(one, copy=True) for one in (theta, g, *state)]
        before = [one.copy() for one in held]
        returned = step(*held, *count, *(given[name] for name in numbers))
        if any(one.tobytes() != was.tobytes() for one, was in zip(held, before)):
            given["theta"] += 1
        if not isinstance(returned, (tuple, list)) or len(returned) != 1 + len(carried):
            raise ValueError(function + " must return " + ", ".join(("theta", *carried)))
        theta, *state = returned
        for name, value in zip(found, returned):
            found[name].append(np.array(value, copy=True))
    return found


def whole_way(student, given):
    """The path of descend with a step that lets every argument count."""
    slopes, numbers = given["slopes"], given["numbers"]

    def step(theta, g, m, s, t):
        m, s = m + t * g, 0.5 * s + g * g
        return theta - numbers[0] * g - numbers[1] * m - numbers[2] * t * s, m, s

    path = student.descend(step, lambda theta: slopes @ theta + 1, given["theta"].copy(), int(given["steps"]))
    return {"path": [np.array(point, copy=True) for point in path]}


def _probe(kind: str) -> Probe:
    """Five steps of one optimiser."""
    settings = {
        "function": f"{kind}_step",
        "carried": STATES[kind],
        "counted": kind.startswith("adam"),
        "numbers": NUMBERS[kind],
    }
    return Probe(five_steps, lambda rng: _steps(rng, kind), settings, f"{kind}_step")


def _steps(rng: np.random.Generator, kind: str) -> list[Challenge]:
    """Gradients of both signs, which change from step to step; where there is an epsilon, also tiny ones."""
    theta, g = np.array([1.0, -2.0]), np.array([[2.0, 1.0], [4.0, -1.0], [1.0, 0.5], [-2.0, 1.0], [1.0, 2.0]])
    told = {"rate": 0.1, "beta": 0.75, "beta1": 0.75, "beta2": 0.9, "eps": 1e-8, "decay": 0.5}
    points = [Challenge({"theta": theta, "g": g, **{name: told[name] for name in NUMBERS[kind]}}, shown=True)]
    for size, shape, beta, eps in ((1.0, (2, 3), 0.9, 1e-8), (1.0, (4,), 0.8, 1e-4), (1e-7, (3, 2), 0.7, 3e-8)):
        size = size if "eps" in NUMBERS[kind] else 1.0
        numbers = {
            "rate": rng.uniform(0.02, 0.2),
            "beta": beta,
            "beta1": beta,
            "beta2": rng.uniform(0.91, 0.99),
            "eps": eps,
            "decay": rng.uniform(0.1, 0.6),
        }
        drawn = {"theta": of_order_one(rng, *shape), "g": size * of_order_one(rng, 5, *shape)}
        points.append(Challenge({**drawn, **{name: numbers[name] for name in NUMBERS[kind]}}))
    return points


def _paths(rng: np.random.Generator) -> list[Challenge]:
    points = []
    for n, steps in ((2, 2), (2, 3), (3, 5), (4, 4)):
        slopes, numbers = of_order_one(rng, n, n) / n, rng.uniform(0.02, 0.1, 3)
        shown = n == steps == 2
        if shown:
            slopes, numbers = np.array([[1.0, 0.5], [0.0, 2.0]]), np.array([0.1, 0.05, 0.02])
        theta = np.array([1.0, -1.0]) if shown else of_order_one(rng, n)
        points.append(Challenge({"slopes": slopes, "numbers": numbers, "theta": theta, "steps": steps}, shown))
    return points


# What is true: sums over all gradients so far, in fifty digits, and no recursion -------------------------------------


def _truth(kind: str) -> Callable[[Values], dict[str, np.ndarray]]:
    """The exact values of one optimiser."""

    @remembered
    def truth(given: Values) -> dict[str, np.ndarray]:
        with many_digits():
            exact = np.vectorize(lambda x: mpmath.mpf(float(x)), otypes=[object])
            numbers = {name: mpmath.mpf(float(given[name])) for name in NUMBERS[kind]}
            g, theta = exact(given["g"]), exact(given["theta"])
            found = _unrolled(kind, g, theta, numbers)
            return {name: np.array(value).astype(float) for name, value in found.items()}

    return truth


def _faded(g: np.ndarray, beta: Any, t: int) -> Any:
    """The sum of the first t gradients, each faded by its age."""
    return sum(beta ** (t - k) * g[k - 1] for k in range(1, t + 1))


def _unrolled(kind: str, g: np.ndarray, theta: np.ndarray, at: Mapping[str, Any]) -> dict[str, list[Any]]:
    times, root = range(1, len(g) + 1), np.vectorize(mpmath.sqrt, otypes=[object])
    if kind in ("momentum", "nesterov"):
        found = {"v": [_faded(g, at["beta"], t) for t in times]}
        steps = [found["v"][t - 1] if kind == "momentum" else g[t - 1] + at["beta"] * found["v"][t - 1] for t in times]
    elif kind == "rmsprop":
        found = {"s": [(1 - at["beta"]) * _faded(g**2, at["beta"], t) for t in times]}
        steps = [g[t - 1] / (root(found["s"][t - 1]) + at["eps"]) for t in times]
    else:
        means = [_faded(g, at["beta1"], t) / sum(at["beta1"] ** k for k in range(t)) for t in times]
        squares = [_faded(g**2, at["beta2"], t) / sum(at["beta2"] ** k for k in range(t)) for t in times]
        steps = [mean / (root(square) + at["eps"]) for mean, square in zip(means, squares)]
        found = {
            "m": [(1 - at["beta1"] ** t) * mean for t, mean in zip(times, means)],
            "s": [(1 - at["beta2"] ** t) * square for t, square in zip(times, squares)],
        }
    keep = 1 - at["rate"] * at.get("decay", 0)
    found["theta"] = [
        keep**t * theta - at["rate"] * sum(keep ** (t - k) * steps[k - 1] for k in range(1, t + 1)) for t in times
    ]
    return found


@remembered
def true_path(given: Values) -> dict[str, np.ndarray]:
    """The points of the loop."""
    return {"path": way(given)}


def way(given: Values, *, first: int = 1, carried: bool = True, stale: bool = False) -> np.ndarray:
    """The points, counted from ``first``; without carrying on, or with the gradient of the start in every step."""
    theta = given["theta"]
    m, s, path, g = np.zeros_like(theta), np.zeros_like(theta), [theta], given["slopes"] @ theta + 1
    for t in range(first, first + int(given["steps"])):
        g = g if stale else given["slopes"] @ theta + 1
        before = (m, s) if carried else (np.zeros_like(theta), np.zeros_like(theta))
        m, s = before[0] + t * g, 0.5 * before[1] + g * g
        theta = theta - given["numbers"] @ np.array([g, m, t * s])
        path.append(theta)
    return np.array(path)


PATHS = (
    Slip("adam-counted-from-zero", "path", lambda at: way(at.given, first=0)),
    Slip("adam-counted-from-zero", "path", lambda at: way(at.given, first=2)),
    Slip("optimiser-state-not-carried", "path", lambda at: way(at.given, carried=False)),
    Slip("gradient-computed-once", "path", lambda at: way(at.given, stale=True)),
    Slip("start-left-out", "path", lambda at: way(at.given)[1:]),
    Slip("one-step-too-few", "path", lambda at: way(at.given)[:-1]),
    Slip("one-step-too-many", "path", lambda at: way({**at.given, "steps": at.steps + 1})),
    Slip("only-the-last-point", "path", lambda at: way(at.given)[-1]),
    Slip("one-array-in-every-place", "path", lambda at: np.repeat(way(at.given)[-1:], int(at.steps) + 1, axis=0)),
)


# The questions ------------------------------------------------------------------------------------------------------


def _question(kind: str, title: str, **points: float) -> Question:
    told = {"v": "velocity", "m": "average of gradients", "s": "average of squares", "theta": "parameters"}
    truth = _truth(kind)
    marked = tuple(Line(name, worth, f"{told[name]} {name}") for name, worth in points.items())
    judge = keeping_inputs(values(truth, follow=following(kind, truth), explain=explained(kind)))
    return Question(f"{kind}_five", title, marked, _probe(kind), judge)


EXERCISE = Exercise(
    name="optimisers",
    sheet="beyond",
    title="Five optimisers",
    minutes=75,
    difficulty=3,
    questions=(
        _question("momentum", "(a) Momentum", v=1, theta=2),
        _question("nesterov", "(a) Nesterov", v=1, theta=2),
        _question("rmsprop", "(b) RMSprop", s=1, theta=2),
        _question("adam", "(c) Adam", m=1, s=1, theta=3),
        _question("adamw", "(d) AdamW", m=0.5, s=0.5, theta=3),
        Question(
            "descend_path",
            "(e) The loop",
            (Line("path", 3, "all points"),),
            Probe(whole_way, _paths),
            values(true_path, explain=explain_slips(PATHS)),
        ),
    ),
    written=(Written("optimiser_words", "(f) Why", 4),),
    parts={
        "a": ("momentum_five", "nesterov_five"),
        "b": ("rmsprop_five",),
        "c": ("adam_five",),
        "d": ("adamw_five",),
        "e": ("descend_path",),
        "f": ("optimiser_words",),
    },
)
