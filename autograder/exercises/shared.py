"""What several exercises share: points that show mistakes, networks and what follows from them, slips, the moons."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from math import ceil
from typing import Any

import numpy as np

from autograder.exercise import Challenge, Judge, Line, Probe, Reply, Values, Verdict
from autograder.marking.compare import as_numbers
from autograder.marking.judges import remembered
from autograder.marking.slips import Slip
from autograder.truth import Network, Reading, descent

# What is asked ------------------------------------------------------------------------------------------------------


def returned_by(student, given, *, function, takes, gives):
    """What a function of the student's returns for some inputs: one value, or several by their names."""
    returned = getattr(student, function)(*(given[name] for name in takes))
    if len(gives) == 1:
        return {gives[0]: returned}
    if not isinstance(returned, (tuple, list)) or len(returned) != len(gives):
        count = {2: "two", 3: "three", 4: "four", 5: "five"}[len(gives)]
        raise ValueError(function + " must return " + count + " arrays: " + ", ".join(gives))
    return dict(zip(gives, returned))


def calling(
    function: str,
    takes: str,
    gives: str,
    challenges: Callable[[np.random.Generator], Sequence[Challenge]],
    *,
    called: str = "",
) -> Probe:
    """What asks a function of the student's: the names of its arguments, and of what it returns."""
    settings = {"function": function, "takes": (*takes.split(),), "gives": (*gives.split(),)}
    return Probe(returned_by, challenges, settings, called or function)


def named_values(student, given, *, names):
    """What the student has typed in, by name; None where a value is not there."""
    return {name: getattr(student, name, None) for name in names}


def filled_in(names: Iterable[str], kept: Values | None = None, *, called: str = "filled_in") -> Probe:
    """What asks for numbers that are worked out by hand; ``kept`` are those of the sheet, for the judge."""
    shown = Challenge({}, shown=True, kept=kept or {})
    return Probe(named_values, lambda rng: [shown], {"names": (*names,)}, called)


# Challenges ---------------------------------------------------------------------------------------------------------

SMALL = {
    "X": np.array([[1.0, -1.0], [0.5, 2.0]]),
    "W1": np.array([[1.0, -1.0], [0.5, 0.5]]),
    "b1": np.array([[0.5], [-1.0]]),
    "W2": np.array([[1.0, -2.0]]),
    "b2": np.array([[0.5]]),
}
"""A network of 2-2-1 with two examples, small enough to be checked with a pocket calculator; feedback may show it."""


def in_arrays(given: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """The same values, each as an array: what crosses the border to the student's code."""
    return {name: np.array(value) for name, value in given.items()}


def small_targets(loss: str) -> np.ndarray:
    """Targets of the two shown examples, fit for the loss."""
    return np.array([[0.5, -1.0]]) if loss in ("mse", "weighted-mse") else np.array([[1.0, 0.0]])


def gradient_challenges(
    rng: np.random.Generator,
    activations: tuple[str, ...],
    loss: str,
    *,
    hidden: int = 4,
    n_in: int = 3,
    n_out: int = 2,
) -> list[Challenge]:
    """One shown and three hidden points for a network with one hidden layer.

    The hidden points have no two equal dimensions, biases of order one, weights and inputs of both signs and of scale
    about one, and numbers of examples that no other dimension explains: what hides a missing 1/m, a transposed product
    or a forgotten bias is avoided. ``autograder.diagnosis.aliases`` finds mistakes that would look the same.
    """
    points = [Challenge(SMALL | {"Y": small_targets(loss)}, shown=True)]
    for examples, h in ((6, hidden), (8, hidden + 1), (7, hidden + 2)):
        points.append(Challenge(draw_point(rng, (n_in, h, n_out), activations, loss, examples)))
    return points


def asked_again(
    draw: Callable[[np.random.Generator], Sequence[Challenge]], rng: np.random.Generator
) -> list[Challenge]:
    """The same challenges, and the first of them, the example, once more: there the backward pass is called twice."""
    drawn = draw(rng)
    return [*drawn, replace(drawn[0], given={**drawn[0].given, "again": True}, shown=False)]


def of_order_one(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """Entries with magnitudes between 0.3 and 1.3 and random signs, so that nothing is close to zero."""
    return rng.uniform(0.3, 1.3, shape) * rng.choice([-1.0, 1.0], shape)


def draw_point(
    rng: np.random.Generator, sizes: tuple[int, ...], activations: tuple[str, ...], loss: str, examples: int
) -> dict[str, np.ndarray]:
    """Random inputs, targets and parameters of order one for a network of these sizes."""
    point = {"X": of_order_one(rng, sizes[0], examples)}
    if loss == "bce":
        point["Y"] = rng.integers(0, 2, (sizes[-1], examples)).astype(float)
    elif loss == "ce":
        point["Y"] = np.eye(sizes[-1])[:, rng.integers(0, sizes[-1], examples)]
    else:
        point["Y"] = of_order_one(rng, sizes[-1], examples)
    for layer in range(1, len(sizes)):
        point[f"W{layer}"] = of_order_one(rng, sizes[layer], sizes[layer - 1])
        point[f"b{layer}"] = of_order_one(rng, sizes[layer], 1)
    return point


# Networks, and what follows from the student's own values -----------------------------------------------------------


def network_for(given: Values, activations: tuple[str, ...], loss: str, *, penalty: bool = False) -> Network:
    """The symbolic network for the shapes of a challenge."""
    layers = range(1, len(activations) + 1)
    sizes = (given["W1"].shape[1], *(given[f"W{layer}"].shape[0] for layer in layers))
    return Network(sizes, activations, loss, penalty=penalty)


def at_each(activation: str, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """An activation and its derivative at every entry: what one unit puts out, and its error signals."""
    examples = z.reshape(1, -1)
    point = {"X": examples, "Y": np.zeros_like(examples), "W1": np.ones((1, 1)), "b1": np.zeros((1, 1))}
    found = Network((1, 1), (activation,), "mse").evaluate(point, {"dA1": np.ones_like(examples)})
    return found["A1"].reshape(z.shape), found["dZ1"].reshape(z.shape)


def layer_gradients(X: np.ndarray, W: np.ndarray, dZ: np.ndarray) -> dict[str, np.ndarray]:
    """dW, db and dX of a layer from its error signal, summed over the examples.

    Its inputs are those that a layer before it only passes on: dX is the error signal of that one.
    """
    return dict(_layer_gradients({"X": X, "W": W, "dZ": dZ}))


@remembered
def _layer_gradients(given: Values) -> dict[str, np.ndarray]:
    X, W, dZ = given["X"], given["W"], given["dZ"]
    (units, inputs), m = W.shape, X.shape[1]
    network = Network((inputs, inputs, units), ("linear", "linear"), "mse")
    point = {"X": X, "Y": np.zeros_like(dZ), "W1": np.eye(inputs), "b1": np.zeros((inputs, 1))}
    point |= {"W2": W, "b2": np.zeros((units, 1))}
    found = network.evaluate(point, {"dZ2": dZ}, only=("dW2", "db2", "dZ1"))
    return {"dW": m * found["dW2"], "db": m * found["db2"], "dX": found["dZ1"]}


def follow_network(network: Network, given: Values, own: Values) -> Sequence[dict[str, np.ndarray]]:
    """What follows from the student's own activations, for both right ways to read an activation's derivative."""
    known = {name: value for name, value in own.items() if name[0] in "ZA"}
    return [network.evaluate(given, known, reading=reading, exact=False) for reading in Reading]


def returning(results: Mapping[str, np.ndarray], own: Values | None = None) -> dict[str, np.ndarray]:
    """The same results with ``returned``: what ``forward_pass`` has to return is A2, the student's own if it fits."""
    A2 = (own or {}).get("A2")
    own_A2 = A2 if A2 is not None and A2.shape == results["A2"].shape else None
    return {**results, "returned": results["A2"] if own_A2 is None else own_A2}


def keeping_parameters(judge: Judge, *, others: Sequence[Line] = ()) -> Judge:
    """The same marks of gradients, and half of the last line for a backward pass that also changes parameters.

    The replies hold each parameter after the backward pass, as ``W1_after``. Nothing is taken off while a gradient, of
    this question or among the ``others``, is wrong: the change may be the reason, and is charged there.
    """

    def judged(lines: Sequence[Line], replies: Sequence[Reply]) -> Mapping[str, Verdict]:
        verdicts = dict(judge((*lines, *others), replies))
        moved = dict.fromkeys(name for reply in replies for name in _moved_parameters(reply))
        if moved and all(verdict.share == 1 for verdict in verdicts.values()):
            verdicts[lines[-1].name] = Verdict(
                "wrong",
                share=0.5,
                mistakes=("parameters-changed-by-backward-pass",),
                message=f"Your gradients are right, but `backward_pass` also changes {', '.join(moved)}.",
                hint="A gradient belongs to the parameters at which it is taken. Which method is there to move them?",
            )
        return {line.name: verdicts[line.name] for line in lines}

    return judged


def same_gradients_again(judge: Judge) -> Judge:
    """The same marks, and the least line for gradients that are others when a network is asked for them again.

    Nothing is taken off while a line is wrong. The challenges that ask again are for this alone.
    """

    def judged(lines: Sequence[Line], replies: Sequence[Reply]) -> Mapping[str, Verdict]:
        verdicts = dict(judge(lines, [reply for reply in replies if "again" not in reply.given]))
        found = {_again(reply.values, line.name) for reply in replies if "again" in reply.given for line in lines}
        if all(verdict.share == 1 for verdict in verdicts.values()) and found - {""}:
            least = min(lines, key=lambda line: line.points)
            verdicts[least.name] = Verdict.named(next(id for id in SECOND_CALLS if id in found))
        return verdicts

    return judged


SECOND_CALLS = ("second-backward-pass-fails", "gradients-added-up", "second-backward-pass-differs")
"""What may be wrong with a second call."""


def _again(values: Values, name: str) -> str:
    """What is wrong with the second answer, single precision allowed for, or nothing."""
    first = as_numbers(values.get(name))
    if f"{name}_again" not in values or isinstance(first, str):
        return ""
    again = as_numbers(values[f"{name}_again"])
    if isinstance(again, str):
        return SECOND_CALLS[0]
    room = 1e-4 * np.max(np.abs(first), initial=0)
    if again.shape == first.shape and np.allclose(again, first, 0, room):
        return ""
    doubled = again.shape == first.shape and np.allclose(again, 2 * first, 0, room)
    return SECOND_CALLS[1 if doubled else 2]


def keeping_inputs(judge: Judge) -> Judge:
    """The same marks, and half of the least line for code that changes an array in place that is passed in.

    Nothing is taken off while a line is wrong: the change may be the reason, and is charged there.
    """

    def judged(lines: Sequence[Line], replies: Sequence[Reply]) -> Mapping[str, Verdict]:
        verdicts = dict(judge(lines, replies))
        if any(reply.changed for reply in replies) and all(verdict.share == 1 for verdict in verdicts.values()):
            least = min(lines, key=lambda line: line.points)
            verdicts[least.name] = Verdict.named("argument-changed-in-place", share=0.5)
        return verdicts

    return judged


def _moved_parameters(reply: Reply) -> list[str]:
    """Parameters that are no longer what they were, single precision allowed for."""
    moved = []
    for name in (key.removesuffix("_after") for key in reply.values if key.endswith("_after") and key[0] in "Wb"):
        after, before = as_numbers(reply.values[f"{name}_after"]), reply.given[name]
        if isinstance(after, str) or after.shape != before.shape or not np.allclose(after, before, 1e-5, 1e-6):
            moved.append(name)
    return moved


# Slips that several exercises know ----------------------------------------------------------------------------------

Slope = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""The slope of an activation as a function of the pre-activation z and the activation a."""


def sigmoid(z: np.ndarray) -> np.ndarray:
    """1 / (1 + exp(-z)), for known wrong formulas."""
    return 1 / (1 + np.exp(-z))


def wrong_slopes(activation: str) -> tuple[tuple[str, Slope], ...]:
    """Wrong slopes of an activation, each with the id of its mistake in the catalogue."""
    anywhere = (
        ("activation-derivative-missing", lambda z, a: np.ones_like(z)),
        ("activation-for-derivative", lambda z, a: a),
    )
    return {
        "sigmoid": (
            *anywhere,
            ("derivative-at-activation", lambda z, a: sigmoid(a) * (1 - sigmoid(a))),
            ("pre-activation-in-derivative", lambda z, a: z * (1 - z)),
            ("tanh-derivative-with-sigmoid", lambda z, a: 1 - a**2),
            ("half-of-the-derivative", lambda z, a: 1 - a),
            ("square-of-the-bracket", lambda z, a: a * (1 - a) ** 2),
            ("activation-derivative-twice", lambda z, a: (a * (1 - a)) ** 2),
            ("sign-flipped", lambda z, a: -a * (1 - a)),
        ),
        "tanh": (
            *anywhere,
            ("derivative-at-activation", lambda z, a: 1 - np.tanh(a) ** 2),
            ("pre-activation-in-derivative", lambda z, a: 1 - z**2),
            ("sigmoid-derivative-with-tanh", lambda z, a: a * (1 - a)),
            ("square-missing", lambda z, a: 1 - a),
            ("activation-derivative-twice", lambda z, a: (1 - a**2) ** 2),
            ("sign-flipped", lambda z, a: a**2 - 1),
        ),
        "relu": (
            anywhere[0],
            ("relu-derivative-returns-z", lambda z, a: np.maximum(z, 0)),
            *(("relu-leaky-slope", lambda z, a, s=s: np.where(z > 0, 1, s)) for s in (0.01, 0.1, 0.2)),
            ("relu-step-inverted", lambda z, a: z < 0),
            ("relu-sign-for-step", lambda z, a: np.sign(z)),
            ("relu-threshold-at-one", lambda z, a: z > 1),
            ("sigmoid-derivative-with-relu", lambda z, a: sigmoid(z) * (1 - sigmoid(z))),
            ("sigmoid-derivative-with-relu", lambda z, a: np.maximum(z, 0) * (1 - np.maximum(z, 0))),
            ("tanh-derivative-with-relu", lambda z, a: 1 - np.tanh(z) ** 2),
            ("sign-flipped", lambda z, a: -1.0 * (z > 0)),
        ),
    }[activation]


def sigmoid_kept(*activations: str) -> tuple[Slip, ...]:
    """What is left of the baseline's sigmoids in layers that should have other ``activations``."""
    return tuple(
        Slip("sigmoid-kept", f"A{layer}", f"sigma(Z{layer})")
        for layer, activation in enumerate(activations, 1)
        if activation != "sigmoid"
    )


# The moons, and training on them ------------------------------------------------------------------------------------


def noisy_moons(
    examples: int = 400, testing: float | int = 0.8, seed: int = 42, noise: float = 0.3
) -> dict[str, np.ndarray]:
    """Moons that overlap, in columns: by default 80 examples for training and 320 for testing.

    They are those of scikit-learn's ``make_moons`` and ``train_test_split`` to the last bit, of which students train;
    scikit-learn itself takes longer to import than most notebooks take to grade.
    """
    random = np.random.RandomState(seed)
    outer, inner = (np.linspace(0, np.pi, size) for size in (examples // 2, examples - examples // 2))
    points = np.array(
        [np.append(np.cos(outer), 1 - np.cos(inner)), np.append(np.sin(outer), 1 - np.sin(inner) - 0.5)]
    ).T
    labels = np.append(np.zeros(len(outer)), np.ones(len(inner)))
    order = np.arange(examples)
    random.shuffle(order)
    points, labels = points[order] + random.normal(scale=noise, size=points.shape), labels[order]

    kept = ceil(testing * examples) if isinstance(testing, float) else testing
    mixed = np.random.RandomState(seed).permutation(examples)
    test, train = mixed[:kept], mixed[kept:]
    halves = (("", train), ("_test", test))
    return {
        f"{name}{half}": value
        for half, rows in halves
        for name, value in (("X", points[rows].T), ("Y", labels[rows].reshape(1, -1)))
    }


@cache
def moons() -> dict[str, np.ndarray]:
    """The course's moons: 200 points, noise 0.2, seed 42, 30 % kept for testing with the same seed."""
    return noisy_moons(200, 0.3, 42, 0.2)


def accuracies(state: descent.State, given: Values, hidden: str = "sigmoid") -> tuple[float, float]:
    """The accuracies of a network on the training and on the test data of a challenge."""
    train, test = (descent.accuracy(state, given[f"X{half}"], given[f"Y{half}"], hidden) for half in ("", "_test"))
    return train, test
