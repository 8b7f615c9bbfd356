"""Sheet 3: stochastic gradient descent, one example per step, each epoch in a fresh random order.

Everything that can be exact is: a few steps in an order that the probe gives, and the loss at the student's own
parameters at the start of each epoch. Randomness is judged from the sequence of visited examples alone, without any
assumption on the generator: see ``watched_epochs``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import pairwise

import numpy as np
import sympy as sp

from autograder.exercise import (
    Challenge,
    Exercise,
    Line,
    Probe,
    Question,
    Reply,
    Values,
    Verdict,
    Written,
    lines,
)
from autograder.exercises.shared import SMALL, draw_point, moons, network_for, small_targets
from autograder.exercises.stated import Fact, stated
from autograder.exercises.watched_epochs import EXAMPLES, orders, recorded, with_either_epoch
from autograder.marking.compare import as_numbers
from autograder.marking.judges import remembered, usable, values
from autograder.marking.slips import At, Slip, explain_slips
from autograder.truth import descent

ACTIVATIONS, LOSS = ("sigmoid", "sigmoid"), "bce"


# What is asked ------------------------------------------------------------------------------------------------------


def steps(student, given):
    """All parameters after one step, after all steps of an order, and after the same steps asked for one by one."""
    X, Y, rate = given["X"], given["Y"], float(given["learning_rate"])
    order = [int(k) for k in given["order"]]

    def after(orders):
        net = student.SimpleNeuralNetwork(given["W1"].shape[1], given["W1"].shape[0], given["W2"].shape[0])
        for name in ("W1", "b1", "W2", "b2"):
            setattr(net, name, given[name].copy())
        for some in orders:
            student.train_epoch(net, X, Y, rate, some)
        return np.concatenate([np.ravel(getattr(net, name)) for name in ("W1", "b1", "W2", "b2")])

    return {
        "one": after([order[:1]]),
        "many": after([order]),
        "one_by_one": after([[k] for k in order]),
        "backwards": after([[k] for k in order[::-1]]),
    }


def noise(student, given):
    """The two numbers for a given loss curve."""
    curve = [float(value) for value in given["curve"]]
    return {"rises": student.rises(curve), "roughness": student.roughness(curve)}


def _step_challenges(rng: np.random.Generator) -> list[Challenge]:
    shown = SMALL | {"Y": small_targets(LOSS), "order": np.array([1, 0]), "learning_rate": np.array(1.0)}
    points = [Challenge(shown, shown=True)]
    asked = (
        ((3, 4, 2), (4, 1, 5, 0, 3, 2), 0.6),
        ((2, 5, 1), (6, 2, 3), 0.8),
        ((3, 3, 2), (2, 5, 0, 4, 1, 3, 6, 7), 0.45),
    )
    for sizes, order, rate in asked:
        point = draw_point(rng, sizes, ACTIVATIONS, LOSS, max(order) + 1)
        points.append(Challenge(point | {"order": np.array(order), "learning_rate": np.array(rate)}))
    return points


def _record_challenges(rng: np.random.Generator) -> list[Challenge]:
    return [
        Challenge(
            draw_point(rng, (3, hidden, 1), ACTIVATIONS, LOSS, EXAMPLES)
            | {"epochs": np.array(epochs), "learning_rate": np.array(rate)}
        )
        for hidden, epochs, rate in ((3, 4, 0.3), (4, 4, 0.2), (5, 3, 0.4))
    ]


def _noise_challenges(rng: np.random.Generator) -> list[Challenge]:
    points = [Challenge({"curve": np.array([0.75, 0.5, 0.625, 0.25, 0.25])}, shown=True)]
    for length, flat in ((8, [3]), (9, [3, 6]), (13, [3, 6, 10])):
        curve = rng.uniform(0.1, 1.0, length)
        curve[flat] = curve[np.subtract(flat, 1)]  # neither rises nor falls, and not equally many
        points.append(Challenge({"curve": curve}))
    return points


STEPS = Probe(steps, _step_challenges)
RECORDED = Probe(recorded, _record_challenges)
NOISE = Probe(noise, _noise_challenges)


# What is true -------------------------------------------------------------------------------------------------------


def _vector(state: Mapping[str, np.ndarray]) -> np.ndarray:
    return np.concatenate([np.ravel(state[name]) for name in descent.PARAMETERS])


def _start(given: Values) -> dict[str, np.ndarray]:
    return {name: given[name] for name in descent.PARAMETERS}


@remembered
def truth(given: Values) -> dict[str, np.ndarray]:
    """All parameters after one and after all steps: exact gradients of one example at a time."""
    net = network_for(given, ACTIVATIONS, LOSS)
    state, path = _start(given), []
    for k in given["order"]:
        one = {"X": given["X"][:, k : k + 1], "Y": given["Y"][:, k : k + 1], "learning_rate": given["learning_rate"]}
        moved = net.evaluate(one | state)
        state = {name: moved[f"{name}_new"] for name in descent.PARAMETERS}
        path.append(_vector(state))
    return {"one": path[0], "many": path[-1]}


def follow_steps(given: Values, own: Values) -> Sequence[dict[str, np.ndarray]]:
    """The student's own single steps, one after another, if they move and depend on which example comes when."""
    chain, backwards = own.get("one_by_one"), own.get("backwards")
    start = _vector(_start(given))
    if chain is None or backwards is None or chain.shape != start.shape or backwards.shape != start.shape:
        return []
    if np.allclose(chain, start, rtol=1e-9, atol=0) or np.allclose(chain, backwards, rtol=1e-9, atol=0):
        return []
    return [{"one": truth(given)["one"], "many": chain}]


@remembered
def noise_truth(given: Values) -> dict[str, np.ndarray]:
    """Exact rationals from the given floats; the root last."""
    curve = [sp.Rational(float(value)) for value in given["curve"]]
    rises = sp.Rational(sum(bool(b > a) for a, b in pairwise(curve)), len(curve) - 1)
    bends = [b - (a + c) / 2 for a, b, c in zip(curve, curve[1:], curve[2:])]
    roughness = sp.sqrt(sum((bend**2 for bend in bends), sp.Integer(0)) / len(bends))
    return {"rises": np.array(float(rises)), "roughness": np.array(float(roughness))}


def own_losses(given: Values) -> dict[str, np.ndarray]:
    """The loss over all examples at the student's own parameters at the start of each epoch."""
    return {"losses": np.array(_losses_along(given)[:-1])}


def _losses_along(given: Values) -> list[float]:
    """The loss before the first epoch, between the epochs and after the last one."""
    path = [{name: given[f"path_{name}"][e] for name in descent.PARAMETERS} for e in range(int(given["epochs"]) + 1)]
    return [descent.loss(state, given["X"], given["Y"]) for state in path]


# Which mistakes are known -------------------------------------------------------------------------------------------


Columns = tuple[slice, slice]


def _own_column(j: int, k: int) -> Columns:
    return slice(k, k + 1), slice(k, k + 1)


def _all_columns(j: int, k: int) -> Columns:
    return slice(None), slice(None)


def _walk(
    given: Values, order: Iterable[int], columns: Callable[[int, int], Columns] = _own_column, scale: float = 1.0
) -> np.ndarray:
    """Steps along an order in which step j at example k uses these columns of X and of Y; all parameters at the end."""
    state: Mapping[str, np.ndarray] = _start(given)
    for j, k in enumerate(order):
        x, y = columns(j, int(k))
        gradient = descent.gradients(state, given["X"][:, x], given["Y"][:, y])
        state = descent.step(state, gradient, float(given["learning_rate"]) * scale)
    return _vector(state)


def _summed(given: Values, *, mean: bool) -> np.ndarray:
    """All gradients taken at the old parameters and one update at the end."""
    state, order = _start(given), given["order"]
    gradient = descent.gradients(state, given["X"][:, order], given["Y"][:, order])
    return _vector(descent.step(state, gradient, float(given["learning_rate"]) * (1 if mean else len(order))))


IN_EVERY_STEP: Sequence[tuple[str, Callable[[Values, np.ndarray], np.ndarray]]] = (
    ("all-examples-in-each-step", lambda given, order: _walk(given, order, _all_columns)),
    ("order-ignored", lambda given, order: _walk(given, range(len(order)))),
    ("order-ignored", lambda given, order: _walk(given, range(given["X"].shape[1]))),
    (
        "target-of-another-example",
        lambda given, order: _walk(given, order, lambda j, k: (slice(k, k + 1), slice(j, j + 1))),
    ),
    ("divided-by-wrong-count", lambda given, order: _walk(given, order, scale=1 / given["X"].shape[1])),
    ("learning-rate-missing", lambda given, order: _walk(given, order, scale=1 / float(given["learning_rate"]))),
    ("parameter-never-updated", lambda given, order: _vector(_start(given))),
)
"""Wrong steps along an order: they show after one step, and after all."""

STEP_SLIPS = (
    *(Slip(mistake, "one", lambda v, walk=walk: walk(v.given, v.order[:1])) for mistake, walk in IN_EVERY_STEP),
    *(Slip(mistake, "many", lambda v, walk=walk: walk(v.given, v.order)) for mistake, walk in IN_EVERY_STEP),
    Slip("one-step-for-all-examples", "many", lambda v: _walk(v.given, (0,), _all_columns)),
    Slip("one-update-at-the-end", "many", lambda v: _summed(v.given, mean=False)),
    Slip("one-update-at-the-end", "many", lambda v: _summed(v.given, mean=True)),
    Slip("one-update-at-the-end", "many", lambda v: _walk(v.given, v.order[-1:])),
    Slip("only-the-first-example", "many", lambda v: _walk(v.given, v.order[:1])),
)

_BENDS = "(curve[1:-1] - (curve[:-2] + curve[2:]) / 2)"

NOISE_SLIPS = (
    Slip("falls-counted", "rises", "mean(diff(curve) < 0)"),
    Slip("equal-counted", "rises", "mean(diff(curve) >= 0)"),
    Slip("count-for-share", "rises", "sum(diff(curve) > 0)"),
    Slip("divided-by-the-length", "rises", "sum(diff(curve) > 0) / curve.size"),
    Slip("divided-by-the-length", "roughness", f"sqrt(sum({_BENDS}**2) / curve.size)"),
    Slip("square-root-missing", "roughness", f"mean({_BENDS}**2)"),
    Slip("absolute-values-for-squares", "roughness", f"mean(abs({_BENDS}))"),
    Slip("half-missing", "roughness", "sqrt(mean(diff(curve, n=2)**2))"),
    Slip("spread-of-the-losses", "roughness", "std(curve)"),
)


def _steps_along(v: At) -> Iterator[list[tuple[Mapping[str, np.ndarray], int, Mapping[str, np.ndarray]]]]:
    """For each epoch its right steps in the student's order: the parameters before, the example, those after."""
    X, Y, rate = v.given["X"], v.given["Y"], float(v.given["learning_rate"])
    for epoch, order in enumerate(np.reshape(v.visited, (int(v.epochs), -1)).astype(int)):
        state: descent.State = {name: v.given[f"path_{name}"][epoch] for name in descent.PARAMETERS}
        steps = []
        for k in order:
            after = descent.step(state, descent.gradients(state, X[:, [k]], Y[:, [k]]), rate)
            steps.append((state, int(k), after))
            state = after
        yield steps


def _running_means(v: At, *, after: bool) -> list[float]:
    """The mean over an epoch of the losses of single examples, each at the parameters of its step."""
    X, Y = v.given["X"], v.given["Y"]
    return [
        float(np.mean([descent.loss(end if after else begin, X[:, [k]], Y[:, [k]]) for begin, k, end in steps]))
        for steps in _steps_along(v)
    ]


LOSS_SLIPS = (
    Slip("loss-after-the-update", "losses", lambda v: _losses_along(v.given)[1:]),
    Slip("running-mean-for-loss", "losses", lambda v: _running_means(v, after=False)),
    Slip("running-mean-for-loss", "losses", lambda v: _running_means(v, after=True)),
)


# How losses are judged ----------------------------------------------------------------------------------------------


_COMPARED = values(own_losses, explain=explain_slips(LOSS_SLIPS))


def by_losses(lines: Sequence[Line], replies: Sequence[Reply]) -> Mapping[str, Verdict]:
    """The losses that are returned, against those at the student's own parameters."""
    followed = []
    for reply in replies:
        path = {name: value for name, value in usable(reply.values).items() if name.startswith("path_")}
        if told := _no_path(path, reply.given):
            return {line.name: Verdict("wrong", message=told) for line in lines}
        followed.append(Reply({**reply.given, **path}, reply.values, reply.shown))
    verdicts = _COMPARED(lines, followed)
    if all(verdict.share for verdict in verdicts.values()) and any(map(_another_rate, replies)):
        title = "The steps are not made with the learning rate that was asked for."
        return {name: Verdict.named("argument-ignored", title=title, share=0.5) for name in verdicts}
    return verdicts


def _no_path(path: Values, given: Values) -> str:
    """Why nothing follows from the parameters between the epochs; empty where it does."""
    if len(path) < len(descent.PARAMETERS) or any(at.shape[:1] != (int(given["epochs"]) + 1,) for at in path.values()):
        return "No epochs were seen: each should call the network's methods equally often."
    if any(points.shape[1:] != given[name[5:]].shape for name, points in path.items()):
        return "The parameters change their shape during the training."
    if np.allclose(path["path_W1"][0], path["path_W1"][-1], rtol=1e-9, atol=0):
        return "The parameters do not change during the training."
    return ""


def _another_rate(reply: Reply) -> bool:
    rates = as_numbers(reply.values.get("rates", ()))
    return isinstance(rates, str) or not np.allclose(rates, float(reply.given["learning_rate"]), rtol=1e-9, atol=0)


# The questions ------------------------------------------------------------------------------------------------------

EPOCHS = 100
"""As long as the curves of the notebook."""


@cache
def _batch_noise() -> tuple[float, float]:
    """Rises and roughness of the batch curve of the notebook."""
    data, state, losses = moons(), descent.baseline_state(4, 2, weight_scale=1.0), []
    for _ in range(EPOCHS):
        losses.append(descent.loss(state, data["X"], data["Y"]))
        state = descent.step(state, descent.gradients(state, data["X"], data["Y"]), 1.0)
    found = noise_truth({"curve": np.array(losses)})
    return float(found["rises"]), float(found["roughness"])


TABLE = {
    "steps": Fact(
        1,
        "steps of each kind",
        lambda: (EPOCHS, EPOCHS * moons()["X"].shape[1]),
        "After which examples does batch training move the parameters, and after which SGD? There are 140.",
        within=0,
    ),
    "batch_noise": Fact(
        1,
        "noise of the batch curve",
        _batch_noise,
        "Both numbers stand in the first row of your table.",
        within=0.05,
    ),
}

EXERCISE = Exercise(
    name="sgd",
    sheet="training",
    title="Stochastic gradient descent",
    minutes=60,
    difficulty=3,
    questions=(
        Question(
            "given_order",
            "One epoch in a given order",
            lines(one=(4, "all parameters after one step"), many=(5, "all parameters after the whole order")),
            STEPS,
            values(truth, follow=follow_steps, explain=explain_slips(STEP_SLIPS)),
        ),
        Question(
            "random_order",
            "Every epoch in a fresh order",
            lines(each_once=(3, "every example once in every epoch"), fresh=(2, "a new random order in every epoch")),
            RECORDED,
            with_either_epoch(orders),
        ),
        Question(
            "loss_curve",
            "The loss curve",
            lines(losses=(3, "the losses that train_sgd returns")),
            RECORDED,
            with_either_epoch(by_losses),
        ),
        Question(
            "noise_numbers",
            "Two numbers for noise",
            lines(rises=(1, "share of rises"), roughness=2),
            NOISE,
            values(noise_truth, explain=explain_slips(NOISE_SLIPS)),
        ),
        stated("table_numbers", "Numbers of the table", TABLE),
    ),
    written=(Written("comparison", "Batch and stochastic side by side", 3),),
    parts={
        "steps": ("given_order",),
        "order": ("random_order",),
        "curve": ("loss_curve",),
        "noisier": ("noise_numbers", "table_numbers", "comparison"),
    },
)
