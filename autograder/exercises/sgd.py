"""Sheet 3, exercise 12: stochastic gradient descent, one example per step, each epoch in a fresh random order.

Everything that can be exact is: a few steps in an order that the probe gives, and the loss at the student's own
parameters at the start of each epoch. Randomness is judged from the sequence of visited examples alone, without any
assumption on the generator: see :func:`orders`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import combinations, pairwise

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
from autograder.exercises.shared import SMALL, draw_point, network_for, small_targets
from autograder.marking.compare import whole_numbers
from autograder.marking.judges import at_every_challenge, remembered, usable, values
from autograder.marking.slips import Slip, explain_slips
from autograder.truth import descent

ACTIVATIONS, LOSS = ("sigmoid", "sigmoid"), "bce"
EXAMPLES = 30
"""Examples in the data on which orders are recorded."""


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


def recorded(student, given):
    """The example that each step of ``train_sgd`` uses, the parameters around every epoch, and the losses."""
    epochs, rate = int(given["epochs"]), float(given["learning_rate"])
    names = ("W1", "b1", "W2", "b2")
    visited, before = [], []
    net = student.SimpleNeuralNetwork(given["W1"].shape[1], given["W1"].shape[0], given["W2"].shape[0])
    for name in names:
        setattr(net, name, given[name].copy())
    backward = net.backward_pass

    def noting_backward(X, Y):
        columns = given["X"]
        distance = np.max(np.abs(columns - X), axis=0) if np.shape(X) == (len(columns), 1) else np.ones(1)
        visited.append(int(np.argmin(distance)) if np.min(distance) < 1e-3 else -1)
        before.append([np.array(getattr(net, name), dtype=float) for name in names])
        backward(X, Y)

    net.backward_pass = noting_backward
    losses = student.train_sgd(net, given["X"], given["Y"], epochs, rate)
    per_epoch = len(visited) // epochs if len(visited) % epochs == 0 else 0
    found = {"visited": visited, "losses": losses}
    if per_epoch:
        between = [*before[::per_epoch], [np.array(getattr(net, name), dtype=float) for name in names]]
        found |= {f"path_{name}": np.array([point[k] for point in between]) for k, name in enumerate(names)}
    return found


def noise(student, given):
    """The two numbers for a given loss curve."""
    curve = [float(value) for value in given["curve"]]
    return {"rises": student.rises(curve), "roughness": student.roughness(curve)}


def _step_challenges(rng: np.random.Generator) -> list[Challenge]:
    shown = SMALL | {"Y": small_targets(LOSS), "order": np.array([1, 0]), "learning_rate": np.array(1.0)}
    points = [Challenge(shown, shown=True)]
    asked = (((3, 4, 2), (4, 1, 5, 0, 3, 2)), ((2, 5, 1), (6, 2, 3)), ((3, 3, 2), (2, 5, 0, 4, 1, 3, 6, 7)))
    for sizes, order in asked:
        point = draw_point(rng, sizes, ACTIVATIONS, LOSS, max(order) + 1)
        points.append(Challenge(point | {"order": np.array(order), "learning_rate": np.array(0.6)}))
    return points


def _record_challenges(rng: np.random.Generator) -> list[Challenge]:
    return [
        Challenge(
            draw_point(rng, (3, hidden, 1), ACTIVATIONS, LOSS, EXAMPLES)
            | {"epochs": np.array(epochs), "learning_rate": np.array(0.3)}
        )
        for hidden, epochs in ((3, 4), (4, 4), (5, 3))
    ]


def _noise_challenges(rng: np.random.Generator) -> list[Challenge]:
    points = [Challenge({"curve": np.array([0.75, 0.5, 0.625, 0.25, 0.25])}, shown=True)]
    for length in (8, 9, 13):
        curve = rng.uniform(0.1, 1.0, length)
        curve[3] = curve[2]  # neither a rise nor a fall
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


def _walk(given: Values, order: Sequence[int], columns=lambda j, k: (slice(k, k + 1), slice(k, k + 1)), scale=1.0):
    """Steps along an order in which step j at example k uses these columns of X and of Y; all parameters at the end."""
    state = _start(given)
    for j, k in enumerate(order):
        x, y = columns(j, int(k))
        gradient = descent.gradients(state, given["X"][:, x], given["Y"][:, y])
        state = descent.step(state, gradient, float(given["learning_rate"]) * scale)
    return _vector(state)


def _step_slips(mistake: str, walk: Callable[[Values, np.ndarray], np.ndarray], title: str, hint: str) -> list[Slip]:
    """One formula for both lines: the order cut after one example, and the whole order."""
    return [
        Slip(mistake, ("one",), lambda v: walk(v.given, v.order[:1]), title, hint),
        Slip(mistake, ("many",), lambda v: walk(v.given, v.order), title, hint),
    ]


def _summed(given: Values, mean: bool) -> np.ndarray:
    """All gradients taken at the old parameters and one update at the end."""
    state, order = _start(given), given["order"]
    gradient = descent.gradients(state, given["X"][:, order], given["Y"][:, order])
    return _vector(descent.step(state, gradient, float(given["learning_rate"]) * (1 if mean else len(order))))


_EVERYTHING = (slice(None), slice(None))

STEP_SLIPS = (
    *_step_slips(
        "all-examples-in-each-step",
        lambda given, order: _walk(given, order, lambda j, k: _EVERYTHING),
        "Each of your steps uses the gradient of all examples.",
        "How many columns of `X` and `Y` should reach the forward and the backward pass in one step?",
    ),
    Slip(
        "one-step-for-all-examples",
        ("many",),
        lambda v: _walk(v.given, (0,), lambda j, k: _EVERYTHING),
        "You make one step with all examples: that is batch gradient descent.",
        "How many steps does an order with six entries ask for?",
    ),
    *_step_slips(
        "order-ignored",
        lambda given, order: _walk(given, range(len(order))),
        "You visit the examples from the first column on, whatever the order says.",
        "An entry of `order` says which column comes next. Where does your loop use it?",
    ),
    *_step_slips(
        "order-ignored",
        lambda given, order: _walk(given, range(given["X"].shape[1])),
        "You visit all examples from the first column on, whatever the order says.",
        "An entry of `order` says which column comes next. Where does your loop use it?",
    ),
    *_step_slips(
        "target-of-another-example",
        lambda given, order: _walk(given, order, lambda j, k: (slice(k, k + 1), slice(j, j + 1))),
        "The target in your step belongs to another example than the input.",
        "Compare how you choose the column of `X` and the column of `Y`.",
    ),
    *_step_slips(
        "divided-by-wrong-count",
        lambda given, order: _walk(given, order, scale=1 / given["X"].shape[1]),
        "Your steps are too small by the number of all examples.",
        "The mean is over the examples that a step uses. How many are that here?",
    ),
    *_step_slips(
        "learning-rate-missing",
        lambda given, order: _walk(given, order, scale=1 / float(given["learning_rate"])),
        "Your steps do not depend on the learning rate.",
        "Where does `learning_rate` enter your step?",
    ),
    Slip(
        "one-update-at-the-end",
        ("many",),
        lambda v: _summed(v.given, mean=False),
        "You add up the gradients of all examples and update once.",
        "The second example should already see the parameters that the first one has moved.",
    ),
    Slip(
        "one-update-at-the-end",
        ("many",),
        lambda v: _summed(v.given, mean=True),
        "You average the gradients of all examples and update once.",
        "The second example should already see the parameters that the first one has moved.",
    ),
    Slip(
        "only-the-first-example",
        ("many",),
        lambda v: _walk(v.given, v.order[:1]),
        "Only the first example of the order has moved the parameters.",
        "How often does your loop run? Look for a `return` inside it.",
    ),
)


def _bends(curve: np.ndarray) -> np.ndarray:
    return curve[1:-1] - (curve[:-2] + curve[2:]) / 2


NOISE_SLIPS = (
    Slip(
        "falls-counted",
        ("rises",),
        lambda v: np.mean(np.diff(v.curve) < 0),
        "You counted the falls.",
        "Is the loss larger or smaller after a rise?",
    ),
    Slip(
        "equal-counted",
        ("rises",),
        lambda v: np.mean(np.diff(v.curve) >= 0),
        "You also counted losses that stay the same.",
        "What is a rise between two equal numbers?",
    ),
    Slip(
        "count-for-share",
        ("rises",),
        lambda v: np.sum(np.diff(v.curve) > 0),
        "This is the number of rises, not their share.",
        "How many changes does a curve with n losses have?",
    ),
    *(
        Slip(
            "divided-by-the-length",
            (line,),
            formula,
            "You divide by the number of losses.",
            "Count how many terms your sum has: the ends of the curve have only one neighbour.",
        )
        for line, formula in (
            ("rises", lambda v: np.sum(np.diff(v.curve) > 0) / v.curve.size),
            ("roughness", lambda v: np.sqrt(np.sum(_bends(v.curve) ** 2) / v.curve.size)),
        )
    ),
    Slip(
        "square-root-missing",
        ("roughness",),
        lambda v: np.mean(_bends(v.curve) ** 2),
        "This is the mean of the squares.",
        "Root, mean, square: which of the three is missing?",
    ),
    Slip(
        "absolute-values-for-squares",
        ("roughness",),
        lambda v: np.mean(np.abs(_bends(v.curve))),
        "This is the mean of the absolute values.",
        "Root, mean, square: take the squares before the mean.",
    ),
    Slip(
        "half-missing",
        ("roughness",),
        lambda v: np.sqrt(np.mean(np.diff(v.curve, n=2) ** 2)),
        "Your distances are twice too large.",
        "Where is the middle of two neighbours?",
    ),
    Slip(
        "spread-of-the-losses",
        ("roughness",),
        lambda v: np.std(v.curve),
        "This is the standard deviation of the losses: a smooth fall would count as rough.",
        "Each loss is compared with the middle of its two neighbours.",
    ),
)


LOSS_SLIPS = (
    Slip(
        "loss-after-the-update",
        ("losses",),
        lambda v: _losses_along(v.given)[1:],
        "Each loss is the one after its epoch.",
        "As in the baseline, the first loss in the list is the one at the initial parameters.",
    ),
)


# How orders are judged ----------------------------------------------------------------------------------------------


def neighbours_kept(first: Sequence[int], second: Sequence[int]) -> int:
    """How many pairs that stand next to each other in one order do so in the other, the ends joined to a ring.

    Reading backwards or starting elsewhere keeps all of them. Two independent random orders keep about two, in good
    approximation distributed like a Poisson variable with mean 2.
    """
    rings = [{frozenset(pair) for pair in zip(order, [*order[1:], order[0]])} for order in (first, second)]
    return len(rings[0] & rings[1])


KEPT = EXAMPLES // 2
"""From so many of 30 kept neighbours on, an order is no fresh shuffle of the other one.

P(Poisson(2) >= 15) is 3.9e-9 per pair of orders, and a submission is asked for 26 pairs (the natural order included):
about one right submission in ten million is refused."""


def orders(lines: Sequence[Line], replies: Sequence[Reply]) -> Mapping[str, Verdict]:
    """Is every epoch a pass through all examples, and is every order fresh? No generator is assumed."""

    def check(reply: Reply) -> dict[str, Verdict]:
        m, epochs = reply.given["X"].shape[1], int(reply.given["epochs"])
        found = whole_numbers(reply.values.get("visited"))
        visited = [] if found is None else found.tolist()
        return {"each_once": _passes(visited, m, epochs), "fresh": _freshness(visited, m, epochs)}

    verdicts = at_every_challenge(lines, replies, check)
    if all(verdict.share == 1 for verdict in verdicts.values()) and _one_stays(replies):
        verdicts["fresh"] = Verdict(
            "wrong",
            mistakes=("one-example-stays",),
            message="One example has the same place in every epoch.",
            hint="How many numbers do you shuffle, and how many examples are there?",
        )
    return verdicts


def _one_stays(replies: Sequence[Reply]) -> bool:
    """Whether a place holds the same example in all epochs of all challenges.

    With e epochs of m examples this happens to a right answer with a probability below m^(2 - e): 30^-9 for the 11
    epochs that are asked. Fewer epochs say nothing.
    """
    epochs = [np.reshape(reply.values["visited"], (-1, reply.given["X"].shape[1])) for reply in replies]
    together = np.vstack(epochs)
    return len(together) > 8 and bool(np.any(np.all(together == together[0], axis=0)))


def _passes(visited: Sequence[int], m: int, epochs: int) -> Verdict:
    if not visited:
        return Verdict("missing", message="No step was seen: `train_sgd` did not call the network's `backward_pass`.")
    if -1 in visited:
        return Verdict(
            "wrong",
            mistakes=("all-examples-in-each-step",),
            message="There are steps that do not use exactly one example.",
            hint="Every call of `backward_pass` should get one column of `X` and the same column of `Y`.",
        )
    if len(visited) != m * epochs:
        return Verdict(
            "wrong",
            message=f"{len(visited)} steps were made in {epochs} epochs with {m} examples: {m * epochs} are expected.",
            hint="In one epoch every example has its turn once.",
        )
    for start in range(0, len(visited), m):
        epoch = visited[start : start + m]
        if len(set(epoch)) < m:
            return Verdict(
                "wrong",
                mistakes=("drawn-with-replacement",),
                message=f"In one epoch only {len(set(epoch))} of {m} examples have their turn, some more than once.",
                hint="Shuffle the numbers of the examples instead of drawing a number for each step.",
            )
    return RIGHT


def _freshness(visited: Sequence[int], m: int, epochs: int) -> Verdict:
    if not visited or -1 in visited or len(visited) % epochs or len(visited) // epochs < 2:
        return Verdict("wrong" if visited else "missing", message="There are no orders of single examples to look at.")
    size = len(visited) // epochs
    shuffled = [visited[start : start + size] for start in range(0, len(visited), size)]
    kept_needed = KEPT * size // m
    if any(neighbours_kept(list(range(size)), order) >= kept_needed for order in shuffled):
        return Verdict(
            "wrong",
            mistakes=("not-shuffled",),
            message="The examples come in the order in which they stand in `X`.",
            hint="Where is the order of an epoch made, and what is random about it?",
        )
    if any(neighbours_kept(a, b) >= kept_needed for a, b in combinations(shuffled, 2)):
        return Verdict(
            "wrong",
            mistakes=("shuffled-once",),
            message="The order is the same in several epochs, or the same one turned round or read from elsewhere.",
            hint="How often is the order drawn: once, or in every epoch? Is the generator set back in between?",
        )
    return RIGHT


def _judge_losses() -> Judge:
    compare_losses = values(own_losses, explain=explain_slips(LOSS_SLIPS))

    def judge(lines: Sequence[Line], replies: Sequence[Reply]) -> Mapping[str, Verdict]:
        followed = []
        for reply in replies:
            found = usable(reply.values)
            path = {name: found[name] for name in (f"path_{one}" for one in descent.PARAMETERS) if name in found}
            epochs = int(reply.given["epochs"])
            if len(path) < len(descent.PARAMETERS) or path["path_W1"].shape[:1] != (epochs + 1,):
                return _no_losses(lines, "No epochs were seen: each should call the network's methods equally often.")
            if any(points.shape[1:] != reply.given[name[5:]].shape for name, points in path.items()):
                return _no_losses(lines, "The parameters change their shape during the training.")
            if np.allclose(path["path_W1"][0], path["path_W1"][-1], rtol=1e-9, atol=0):
                return _no_losses(lines, "The parameters do not change during the training.")
            followed.append(Reply(dict(reply.given) | path, reply.values, reply.shown))
        return compare_losses(lines, followed)

    return judge


def _no_losses(lines: Sequence[Line], message: str) -> Mapping[str, Verdict]:
    return {line.name: Verdict("wrong", message=message) for line in lines}


# The questions ------------------------------------------------------------------------------------------------------

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
            (
                Line("one", 4, "all parameters after one step"),
                Line("many", 5, "all parameters after the whole order"),
            ),
            STEPS,
            values(truth, follow=follow_steps, explain=explain_slips(STEP_SLIPS)),
        ),
        Question(
            "random_order",
            "Every epoch in a fresh order",
            (
                Line("each_once", 3, "every example once in every epoch"),
                Line("fresh", 2, "a new random order in every epoch"),
            ),
            RECORDED,
            orders,
        ),
        Question(
            "loss_curve",
            "The loss curve",
            (Line("losses", 3, "the losses that train_sgd returns"),),
            RECORDED,
            _judge_losses(),
        ),
        Question(
            "noise_numbers",
            "Two numbers for noise",
            (Line("rises", 1, "share of rises"), Line("roughness", 2, "roughness")),
            NOISE,
            values(noise_truth, explain=explain_slips(NOISE_SLIPS)),
        ),
    ),
    written=(Written("comparison", "Batch and stochastic side by side", 5),),
    parts={
        "steps": ("given_order",),
        "order": ("random_order",),
        "curve": ("loss_curve",),
        "noisier": ("noise_numbers", "comparison"),
    },
)
