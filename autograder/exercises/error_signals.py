"""The error signals of a real network of five layers, for three activations: asked, true and judged.

Each signal is marked against the exact one, or what follows from the student's own signal of the layer above.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from autograder.exercise import Challenge, Line, Probe, Reply, Values, Verdict
from autograder.exercises.shared import Slope, draw_point, network_for, wrong_slopes
from autograder.marking.by_hand import LEFT
from autograder.marking.compare import as_numbers, compare
from autograder.marking.judges import nothing_new, remembered
from autograder.marking.slips import gives
from autograder.truth import Network

DEPTH = 5
ACTIVATIONS = ("sigmoid", "tanh", "relu")
SIZES = (3, 5, 4, 6, 5, 2)
"""Units of the hidden challenges, the inputs first: no weight matrix is square."""


# What is asked ------------------------------------------------------------------------------------------------------


def signals(student, given):
    """The error signals of all five layers for each activation, from a forward pass that is made here."""
    functions = {
        "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
        "tanh": np.tanh,
        "relu": lambda z: np.maximum(z, 0),
    }
    found = {}
    for name, function in functions.items():
        weights, Z, A = [given["W" + str(layer)].copy() for layer in range(1, 6)], [], []
        below = given["X"]
        for layer in range(1, 6):
            Z.append(given["W" + str(layer)] @ below + given["b" + str(layer)])
            A.append(function(Z[-1]))
            below = A[-1]
        try:
            returned = student.error_signals(weights, Z, A, given["dA5"].copy(), name)
        except NotImplementedError:
            raise
        except Exception as error:
            returned = error
        if isinstance(returned, Exception):
            found[name] = [returned] * 5
        elif isinstance(returned, (list, tuple, np.ndarray)) and len(returned) == 5:
            found[name] = list(returned)
        else:
            found[name] = [ValueError("error_signals must return a list of five arrays, dZ1 first")] * 5
    return found


_CHAIN = {f"W{layer}": np.array([[w]]) for layer, w in enumerate((1.0, 0.5, 2.0, 1.0, 0.5), 1)}
_CHAIN |= {f"b{layer}": np.array([[b]]) for layer, b in enumerate((0.5, -0.5, 0.0, 0.5, 1.0), 1)}
_CHAIN |= {"X": np.array([[1.0]]), "dA5": np.array([[1.0]])}


def _alive(point: Values) -> bool:
    """Whether in every ReLU layer some units are active and some are not: silent layers would hide all mistakes."""
    below = point["X"]
    for layer in range(1, DEPTH + 1):
        below = np.maximum(point[f"W{layer}"] @ below + point[f"b{layer}"], 0)
        if not 0.3 < np.mean(below > 0) < 0.8:
            return False
    return True


def _signal_challenges(rng: np.random.Generator) -> list[Challenge]:
    points = []
    for _ in range(3):
        point = draw_point(rng, SIZES, ACTIVATIONS, "mse", 7)
        while not _alive(point):
            point = draw_point(rng, SIZES, ACTIVATIONS, "mse", 7)
        points.append(point)
    square = draw_point(rng, (4,) * 6, ACTIVATIONS, "mse", 3)  # here a missing transpose shows in values
    return [Challenge(_CHAIN, shown=True), *(Challenge({"dA5": p.pop("Y"), **p}) for p in (*points, square))]


SIGNALS = Probe(signals, _signal_challenges)


# What is true, and what follows -------------------------------------------------------------------------------------


def _network(given: Values, activation: str) -> Network:
    return network_for(given, (activation,) * DEPTH, "mse")


_ASKED = tuple(f"{kind}{layer}" for layer in range(1, DEPTH + 1) for kind in ("A", "Z", "dZ"))


@remembered
def signal_truth(given: Values) -> dict[str, np.ndarray]:
    """Exact forward values and error signals, as ``sigmoid.dZ1`` and so on: dA5 is given, whatever the loss was."""
    return {
        f"{activation}.{name}": value
        for activation in ACTIVATIONS
        for name, value in _network(given, activation)
        .evaluate({**given, "Y": np.zeros_like(given["dA5"])}, {"dA5": given["dA5"]}, only=_ASKED)
        .items()
    }


def follow_signals(given: Values, activation: str, own: Sequence[object]) -> list[np.ndarray]:
    """dZ1 to dZ5 of one activation, each from the student's own signal of the layer above.

    From a signal of almost nothing only almost nothing would follow, so such a signal is not used.
    """
    arrays = {f"dZ{layer}": as_numbers(value) for layer, value in enumerate(own, 1)}
    numbers = {name: value for name, value in arrays.items() if not isinstance(value, str) and value.ndim == 2}
    least = {name: LEFT * np.max(np.abs(signal_truth(given)[f"{activation}.{name}"])) for name in numbers}
    known = {
        name: value
        for name, value in numbers.items()
        if np.all(np.isfinite(value)) and np.max(np.abs(value), initial=0) > least[name]
    }
    point = {**given, "Y": np.zeros_like(given["dA5"])}
    results = _network(given, activation).evaluate(point, {**known, "dA5": given["dA5"]}, exact=False)
    return [results[f"dZ{layer}"] for layer in range(1, DEPTH + 1)]


# How it is judged ---------------------------------------------------------------------------------------------------


def _signals(reply: Reply, activation: str) -> Sequence[Any]:
    """The student's five error signals, dZ1 first; five times nothing where no list of five was returned."""
    found = reply.values.get(activation)
    found = list(found) if isinstance(found, np.ndarray) and found.ndim else found
    return found if isinstance(found, list) and len(found) == DEPTH else [None] * DEPTH


SLOPES: Mapping[str, Slope] = {
    "sigmoid": lambda z, a: a * (1 - a),
    "tanh": lambda z, a: 1 - a**2,
    "relu": lambda z, a: z > 0,
}


def _named(reply: Reply, activation: str, layers: Sequence[int]) -> set[str]:
    """The mistakes that give the student's own signals of these layers, each from the student's own signal above."""
    exact, own = signal_truth(reply.given), [as_numbers(value) for value in _signals(reply, activation)]

    def made(slope: Slope, turn: Callable[..., Any]) -> bool:
        for layer in layers:
            z, a = exact[f"{activation}.Z{layer}"], exact[f"{activation}.A{layer}"]
            try:
                up = reply.given["dA5"] if layer == DEPTH else turn(reply.given[f"W{layer + 1}"]) @ own[layer]
                if not gives(own[layer - 1], up * slope(z, a)):
                    return False
            except (TypeError, ValueError):
                return False
        return True

    right = SLOPES[activation]
    wrong: list[tuple[str, Slope, Callable[..., Any]]] = [
        (mistake, slope, np.transpose) for mistake, slope in wrong_slopes(activation)
    ]
    if layers != (DEPTH,):
        wrong.append(("weights-not-transposed", right, np.asarray))
        wrong.append(("divided-by-m-twice", lambda z, a: right(z, a) / z.shape[1], np.transpose))
    return {mistake for mistake, slope, turn in wrong if made(slope, turn)}


BELOW = tuple(range(DEPTH - 1, 0, -1))


def _without_transpose(replies: Sequence[Reply]) -> Sequence[Reply]:
    """The replies at square weights alone, if W in the place of its transpose is why the code raises at others."""
    raised = [any(isinstance(as_numbers(v), str) for a in ACTIVATIONS for v in _signals(r, a)) for r in replies]
    readable = [reply for reply, failed in zip(replies, raised) if not failed]
    if all(reply.shown for reply in readable) or len(readable) == len(replies):
        return replies  # one unit in each layer shows no transpose
    alike = all("weights-not-transposed" in _named(reply, a, BELOW) for reply in readable for a in ACTIVATIONS)
    return readable if alike else replies


def judge_signals(lines: Sequence[Line], replies: Sequence[Reply]) -> dict[str, Verdict]:
    """The first step back (``last``), then the steps to layers 4 to 1 for each activation, given the own layer above.

    A mistake that is made in every step is charged once, in the first line where it shows.
    """
    replies = _without_transpose(replies)
    if _listed_backwards(replies):
        turned = [replace(reply, values={a: reply.values[a][::-1] for a in ACTIVATIONS}) for reply in replies]
        hint = "The signals are found from dZ5 to dZ1. In which order are they asked for?"
        told = Verdict.named("listed-backwards", title="Your list begins with dZ5.", hint=hint)
        return {**judge_signals(lines, turned), lines[0].name: told}
    verdicts: dict[str, Verdict] = {}
    charged: set[str] = set()
    for line in lines:
        verdict = _steps(replies, line.name)
        verdicts[line.name] = nothing_new(*verdict.mistakes) if charged & {*verdict.mistakes} else verdict
        charged |= {*verdict.mistakes}
    return verdicts


def _steps(replies: Sequence[Reply], name: str) -> Verdict:
    """The verdict on the first step of every activation, or on the further ones of a single one."""
    asked, layers = (ACTIVATIONS, (DEPTH,)) if name == "last" else ((name,), BELOW)
    found = {a: [told for reply in replies if (told := _first_wrong(reply, a, layers))] for a in asked}
    wrong = {a: told[0] for a, told in found.items() if told}
    if not wrong:
        exact = all(_is_exact(reply, a, layers) for a in asked for reply in replies)
        told = "" if exact else "Right, given your signal of the layer above."
        return Verdict("correct", 1.0, own=not exact, message=told)
    made = set.intersection(*(_named(reply, a, layers) for a in wrong for reply in replies))
    return Verdict.named(*made) if len(made) == 1 else Verdict("wrong", message=next(iter(wrong.values())))


def _listed_backwards(replies: Sequence[Reply]) -> bool:
    """Whether every list holds, from its end to its beginning, arrays in the shapes of dZ1 to dZ5."""
    due = [[(len(r.given[f"W{n}"]), r.given["X"].shape[1]) for n in range(1, DEPTH + 1)] for r in replies]
    if all(shapes == shapes[::-1] for shapes in due):
        return False
    return all(
        [getattr(as_numbers(value), "shape", None) for value in _signals(reply, activation)][::-1] == shapes
        for reply, shapes in zip(replies, due)
        for activation in ACTIVATIONS
    )


def _is_exact(reply: Reply, activation: str, layers: Sequence[int]) -> bool:
    exact, own = signal_truth(reply.given), _signals(reply, activation)
    return all(compare(own[layer - 1], exact[f"{activation}.dZ{layer}"]).equal for layer in layers)


def _first_wrong(reply: Reply, activation: str, layers: Sequence[int]) -> str:
    """What is wrong at the layer nearest to the output, or nothing."""
    own = _signals(reply, activation)
    follows: list[np.ndarray] | None = None
    for layer in layers:
        name, got = f"{activation}: dZ{layer}", own[layer - 1]
        expected = signal_truth(reply.given)[f"{activation}.dZ{layer}"]
        found = compare(got, expected)
        if found.equal and found.shape == "same":
            continue
        if found.problem:
            return f"{name}: {found.problem}."
        array = np.asarray(got)
        if array.shape != expected.shape:
            letters = f"({expected.shape[0]}, {expected.shape[1]})"
            return f"{name} must have one row per unit of layer {layer}: {letters} is needed, you have {array.shape}."
        if not np.all(np.isfinite(array)):
            return f"{name} holds numbers that are not finite (NaN or infinity)."
        follows = follows if follows is not None else follow_signals(reply.given, activation, own)
        if not compare(got, follows[layer - 1]).equal:
            return f"{name} is not what follows from the signal of the layer above."
    return ""
