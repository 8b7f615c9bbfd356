"""Gradient descent as a function: asked with a gradient that is made up, so that nothing depends on the student's."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from autograder.exercise import Challenge, Probe, Reply, Values, Verdict
from autograder.exercises.shared import in_arrays, of_order_one
from autograder.marking.judges import usable, values
from autograder.marking.slips import Slip, explain_slips, first_of

# What is asked ------------------------------------------------------------------------------------------------------


def descent(student, given):
    """w and b, side by side, after one step and after several, with a gradient that is made up here."""

    def gradient(w, b, X, y):
        pull = np.mean(y * X, axis=1)[None, :]
        dw = w @ given["A"] + b * given["c"] - pull
        db = w @ given["c"].T + given["d"] * b - np.mean(y)
        return dw, float(db.item())

    found = {}
    for name, steps in (("one_step", 1), ("all_steps", int(given["steps"]))):
        # the array itself comes last: what is done to it then does not spoil another answer, and it is told
        start = given["w"].copy() if steps == 1 else given["w"], float(given["b"])
        end = student.gradient_descent(gradient, *start, given["X"], given["y"], float(given["learning_rate"]), steps)
        w, b = end
        if np.shape(w) != given["w"].shape or np.size(b) != 1:
            raise ValueError(
                f"gradient_descent must return w of shape {given['w'].shape} and b, one number; "
                f"yours have the shapes {np.shape(w)} and {np.shape(b)}"
            )
        found[name] = np.append(np.ravel(w), np.ravel(b))
    return found


def _descent_challenges(rng: np.random.Generator) -> list[Challenge]:
    points = []
    for n, m, steps, rate in ((2, 4, 3, 0.3), (3, 5, 4, 0.2), (4, 6, 6, 0.4)):
        half = of_order_one(rng, n, n)
        point = {
            "A": half @ half.T / n,
            "c": of_order_one(rng, 1, n),
            "d": 1.5,
            "w": of_order_one(rng, 1, n),
            "b": of_order_one(rng),
            "X": of_order_one(rng, n, m),
            "y": of_order_one(rng, 1, m),
            "learning_rate": rate,
            "steps": steps,
        }
        points.append(Challenge(in_arrays(point)))
    return points


DESCENT = Probe(descent, _descent_challenges)


# What is true -------------------------------------------------------------------------------------------------------
# A step of gradient descent, right and wrong, with the made-up gradient of the probe.

State = tuple[np.ndarray, float]
Gradient = Callable[[np.ndarray, float], State]
Step = Callable[[Gradient, np.ndarray, float, float], State]


def _gradient(given: Values) -> Gradient:
    pull, middle = np.mean(given["y"] * given["X"], axis=1)[None, :], np.mean(given["y"])

    def gradient(w: np.ndarray, b: float) -> State:
        return w @ given["A"] + b * given["c"] - pull, float((w @ given["c"].T).item() + given["d"] * b - middle)

    return gradient


def _right_step(gradient: Gradient, w: np.ndarray, b: float, rate: float) -> State:
    dw, db = gradient(w, b)
    return w - rate * dw, b - rate * db


def _ascent(gradient: Gradient, w: np.ndarray, b: float, rate: float) -> State:
    dw, db = gradient(w, b)
    return w + rate * dw, b + rate * db


def _whole_gradient(gradient: Gradient, w: np.ndarray, b: float, rate: float) -> State:
    return _right_step(gradient, w, b, 1.0)


def _w_first(gradient: Gradient, w: np.ndarray, b: float, rate: float) -> State:
    w = w - rate * gradient(w, b)[0]
    return w, b - rate * gradient(w, b)[1]


def _w_only(gradient: Gradient, w: np.ndarray, b: float, rate: float) -> State:
    return w - rate * gradient(w, b)[0], b


def _assigned(gradient: Gradient, w: np.ndarray, b: float, rate: float) -> State:
    dw, db = gradient(w, b)
    return -rate * dw, -rate * db


def walk(given: Values, step: Step, steps: int) -> np.ndarray:
    """w and b, side by side, after so many steps."""
    w, b = given["w"], float(given["b"])
    for _ in range(steps):
        w, b = step(_gradient(given), w, b, float(given["learning_rate"]))
    return np.append(w, b)


def _gradient_once(given: Values) -> np.ndarray:
    """All steps made along the gradient at the start."""
    first = walk(given, _right_step, 1) - walk(given, _right_step, 0)
    return walk(given, _right_step, 0) + int(given["steps"]) * first


def descent_truth(given: Values) -> dict[str, np.ndarray]:
    """After one step and after all."""
    return {"one_step": walk(given, _right_step, 1), "all_steps": walk(given, _right_step, int(given["steps"]))}


# Which mistakes are known -------------------------------------------------------------------------------------------

STEPS: Mapping[str, Step] = {
    "sign-flipped": _ascent,
    "learning-rate-missing": _whole_gradient,
    "w-updated-before-b": _w_first,
    "parameter-never-updated": _w_only,
    "parameter-assigned-not-updated": _assigned,
}
"""Wrong steps by the id of the mistake."""


def own_rate(given: Values, own: Values) -> float | None:
    """The learning rate of the student's first step, when that is a step along the gradient at all."""
    first = own.get("one_step")
    start = np.append(given["w"], given["b"])
    if first is None or first.shape != start.shape:
        return None
    slope = np.append(*_gradient(given)(given["w"], float(given["b"])))
    rate = -float((first - start) @ slope / (slope @ slope))
    return rate if rate and np.allclose(first, start - rate * slope, rtol=1e-9, atol=1e-12) else None


def follow_descent(given: Values, own: Values) -> Sequence[dict[str, np.ndarray]]:
    """All steps made like the student's own first one, when it is a known wrong step or has a rate of its own."""
    first, exact = own.get("one_step"), descent_truth(given)
    if first is None or first.shape != exact["one_step"].shape:
        return ()
    rate, steps = own_rate(given, own), int(given["steps"])
    likely = [walk(given, step, steps) for step in STEPS.values() if np.allclose(first, walk(given, step, 1))]
    if rate is not None:
        likely.append(walk({**given, "learning_rate": rate}, _right_step, steps))
    return [exact | {"all_steps": after} for after in likely]


def explain_rate(replies: Sequence[Reply]) -> Mapping[str, Verdict]:
    """A learning rate that stays the same, whatever is asked for."""
    found = [own_rate(reply.given, usable(reply.values)) for reply in replies]
    rates = [rate for rate in found if rate is not None]
    if len(rates) < len(found) or not np.allclose(rates, rates[0], rtol=1e-9):
        return {}
    title = f"The learning rate is {rates[0]:g}, whatever is asked for."
    return {"one_step": Verdict.named("argument-ignored", title=title)}


DESCENT_SLIPS = (
    *(Slip(mistake, "one_step", lambda v, s=step: walk(v.given, s, 1)) for mistake, step in STEPS.items()),
    Slip("one-step-too-few", "one_step", lambda v: walk(v.given, _right_step, 0)),
    Slip("one-step-too-many", "one_step", lambda v: walk(v.given, _right_step, 2)),
    Slip("one-step-too-few", "all_steps", lambda v: walk(v.given, _right_step, int(v.steps) - 1)),
    Slip("one-step-too-many", "all_steps", lambda v: walk(v.given, _right_step, int(v.steps) + 1)),
    Slip("only-one-step", "all_steps", lambda v: walk(v.given, _right_step, 1)),
    Slip("gradient-computed-once", "all_steps", lambda v: _gradient_once(v.given)),
)

BY_DESCENT = values(descent_truth, follow=follow_descent, explain=first_of(explain_slips(DESCENT_SLIPS), explain_rate))
