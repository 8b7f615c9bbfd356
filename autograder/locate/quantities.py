"""The exact quantities of a question, by name: what an expression of the student's might have to give.

They follow from what is there: the inputs of a challenge, the symbolic description of a network, and what the solution
of the course gives in each of its own expressions. Nothing is typed for one exercise.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
import sympy as sp

from autograder.exercise import Values
from autograder.truth import Network
from autograder.truth.functions import SCALAR, derivative

ELEMENTARY, WORKED_OUT, GRADIENT, RESULT, FOREIGN = 0.0, 1.0, 2.0, 3.0, 9.0
"""How much a quantity takes for granted: an input or a slope nothing, what is asked everything. What is foreign is
never due, but has a name where a student's expression gives it."""

UNNAMED = "reference"


@dataclass(frozen=True)
class Quantity:
    """One exact quantity: its id, what people call it (empty where that would give the solution away), its level.

    ``whole`` is the name that the course's solution gives it, if any: then it is right as it is. ``formula`` is an
    expression of sympy whose values these are.
    """

    id: str
    text: str
    level: float
    values: tuple[np.ndarray, ...]
    whole: str = ""
    formula: str = ""


ORDINARY = {"sigmoid": "the sigmoid", "tanh": "tanh", "relu": "ReLU", "xtanhx": "z tanh z", "linear": "the identity"}

TEXTS = {
    "X": "the input X", "Y": "the target Y", "m": "m, the number of examples", "1/m": "1/m",
    "learning_rate": "the learning rate", "reg_lambda": "lambda", "reg_lambda/m": "lambda/m",
}  # fmt: skip


@cache
def _slope(activation: str) -> Any:
    return sp.lambdify(sp.Symbol("z", real=True), derivative(activation), "numpy")


@cache
def _function(activation: str) -> Any:
    z = sp.Symbol("z", real=True)
    return sp.lambdify(z, SCALAR[activation](z), "numpy")


Described = Callable[[Values], Iterable[tuple[str, str, float, Any]]]
"""Every quantity at a point that has a name: its id, what people call it, its level, its value."""


def described(network: Callable[[Values], Network] | None) -> Described | None:
    """The quantities of the network that an exercise describes at each point."""
    return None if network is None else lambda given: of_network(network(given), given)


def of_network(network: Network, given: Values) -> Iterator[tuple[str, str, float, Any]]:
    """The quantities of a network at a challenge, with those that are often taken for them."""
    full = dict(given)
    full.setdefault("X", np.zeros((network.sizes[0], 1)))
    full.setdefault("Y", np.zeros((network.sizes[-1], np.shape(full["X"])[1])))
    found = network.evaluate(full, {k: given[k] for k in given if k.startswith("d")}, exact=False)
    m = full["X"].shape[1]
    for layer in range(1, network.depth + 1):
        activation = network.activations[layer - 1]
        before = "the input X" if layer == 1 else f"the activation A{layer - 1}"
        yield f"Z{layer}", f"the pre-activation Z{layer}", WORKED_OUT, found[f"Z{layer}"]
        yield f"A{layer}", f"the activation A{layer}", ELEMENTARY + 0.01, found[f"A{layer}"]
        yield f"W{layer} A", f"W{layer} times {before}", ELEMENTARY + 0.5, found[f"Z{layer}"] - given[f"b{layer}"]
        z, a = found[f"Z{layer}"], found[f"A{layer}"]
        for name in SCALAR:
            with np.errstate(all="ignore"):
                slope = np.broadcast_to(np.asarray(_slope(name)(z), float), z.shape)
                at_a = np.broadcast_to(np.asarray(_slope(name)(a), float), z.shape)
                values = np.broadcast_to(np.asarray(_function(name)(z), float), z.shape)
            mine = name == activation
            if name == "linear" and not mine:
                continue
            yield (f"{name}'(Z{layer})", f"the derivative of {ORDINARY[name]} at Z{layer}",
                   ELEMENTARY if mine else FOREIGN, slope)  # fmt: skip
            if not mine:
                yield f"{name}(Z{layer})", f"{ORDINARY[name]} of Z{layer}", FOREIGN, values
            yield f"{name}'(A{layer})", f"the derivative of {ORDINARY[name]} at A{layer}", FOREIGN, at_a
        yield f"A{layer}(1-A{layer})", f"the derivative of the sigmoid, written with A{layer}", FOREIGN, a * (1 - a)
        yield f"1-A{layer}^2", f"the derivative of tanh, written with A{layer}", FOREIGN, 1 - a * a
        yield f"1-A{layer}", f"1 - A{layer}", FOREIGN, 1 - a
        dZ, dA = found[f"dZ{layer}"], found[f"dA{layer}"]
        hidden = layer < network.depth
        slope_text = (
            f"W{layer + 1}^T times the error signal dZ{layer + 1}" if hidden else f"the slope of the loss at A{layer}"
        )
        yield f"dA{layer}", slope_text, WORKED_OUT, dA
        yield f"dZ{layer}", f"the error signal dZ{layer}", WORKED_OUT, dZ
        yield f"dA{layer}/m", f"{slope_text}, divided by m", WORKED_OUT + 0.1, dA / m
        yield f"dZ{layer}/m", f"the error signal dZ{layer}, divided by m", WORKED_OUT + 0.1, dZ / m
        previous = full["X"] if layer == 1 else found[f"A{layer - 1}"]
        sums = dZ.sum(axis=1, keepdims=True)
        yield (
            f"dZ{layer} A^T",
            f"the product of dZ{layer} and the transpose of {before}",
            GRADIENT - 0.5,
            dZ @ previous.T,
        )
        yield f"sum dZ{layer}", f"the sum of dZ{layer} over the examples", GRADIENT - 0.5, sums
        yield f"dW{layer} data", f"the gradient of the data term for W{layer}", GRADIENT - 0.2, dZ @ previous.T / m
        for name in (f"W{layer}", f"b{layer}"):
            yield f"d{name}", f"the gradient d{name}", GRADIENT, found[f"d{name}"]
            if "learning_rate" in given:
                yield (
                    f"step {name}",
                    f"the learning rate times d{name}",
                    GRADIENT,
                    given["learning_rate"] * found[f"d{name}"],
                )
                yield f"{name}_new", f"the updated {name}", RESULT, found[f"{name}_new"]
        if "reg_lambda" in given:
            yield (f"penalty W{layer}", f"lambda/m times W{layer}", ELEMENTARY + 0.1,
                   given["reg_lambda"] / m * given[f"W{layer}"])  # fmt: skip
    yield "A-Y", f"A{network.depth} - Y", WORKED_OUT, found[f"A{network.depth}"] - full["Y"]
    yield "1-Y", "1 - Y", ELEMENTARY + 0.1, 1 - full["Y"]
    yield "loss", "the loss", RESULT, found["loss"]


def _numbers(given: Values) -> Iterator[tuple[str, str, float, Any]]:
    for number in (0.0, 1.0, 2.0, -1.0, 0.5):
        text = f"{number:g}"
        yield text, text, ELEMENTARY + 0.02, np.array(number)
    for name in ("X", "Z", "dZ", "x"):
        if name in given and np.ndim(given[name]) == 2:
            m = float(np.shape(given[name])[1])
            yield "m", TEXTS["m"], ELEMENTARY + 0.01, np.array(m)
            yield "1/m", "1/m", ELEMENTARY + 0.01, np.array(1 / m)
            yield "2/m", "2/m", ELEMENTARY + 0.01, np.array(2 / m)
            if "reg_lambda" in given:
                yield "reg_lambda/m", "lambda/m", ELEMENTARY + 0.01, np.array(float(given["reg_lambda"]) / m)
            break


def _given(given: Values, prefix: str = "") -> Iterator[tuple[str, str, float, Any]]:
    for name, value in given.items():
        if isinstance(value, dict):
            yield from _given(value, f"{prefix}{name}.")
        elif isinstance(value, list):
            yield from _given({str(n): one for n, one in enumerate(value)}, f"{prefix}{name}.")
        elif not isinstance(value, str | bool):
            yield f"{prefix}{name}", TEXTS.get(name, f"{name}" if prefix else f"the given {name}"), ELEMENTARY, value


def quantities(
    known: Described | None, points: Sequence[Values], recorded: Sequence[Mapping[str, Any]], exact: Sequence[Values]
) -> list[Quantity]:
    """The table of a question: named quantities first, then what the course's solution gives in its expressions."""
    named = [{one[0]: one for one in _named(known, given)} for given in points]
    found: list[Quantity] = []
    for name, (_, text, level, _) in named[0].items():
        try:
            values = tuple(np.asarray(one[name][3], float) for one in named)
        except (KeyError, TypeError, ValueError):
            continue  # not known at every point, or no number
        found.append(Quantity(name, text, level, values))
    names = [name for name in exact[0] if all(name in point and _is_numbers(point[name]) for point in exact)]
    results = [tuple(np.asarray(point[name]) for point in exact) for name in names]
    for name, values in zip(names, results):
        if not any(_equal(one.values, values) and one.level < FOREIGN for one in found):
            found.append(Quantity(f"asked {name}", f"`{name}`", GRADIENT, values))
    for number, one in enumerate(recorded):
        values = tuple(np.asarray(value, float) for value in one["values"])
        equal = [n for n, other in enumerate(found) if other.level < FOREIGN and _equal(other.values, values)]
        if equal:
            for n in equal if one["whole"] else ():
                found[n] = replace(found[n], whole=str(one["whole"]))
            continue
        asked = any(_equal(result, values) for result in results)
        single = all(np.ndim(value) == 0 for value in values)  # a number fits by chance
        level = GRADIENT if asked or single else ELEMENTARY + 0.3 if one["size"] <= 4 else WORKED_OUT
        found.append(Quantity(f"{UNNAMED} {number}", "", level, values, str(one["whole"]), str(one.get("formula", ""))))
    return found


def _named(known: Described | None, given: Values) -> Iterator[tuple[str, str, float, Any]]:
    yield from _numbers(given)
    yield from _given(given)
    if known is not None:
        yield from known(given)


def _is_numbers(value: Any) -> bool:
    try:
        return np.asarray(value).dtype.kind in "biuf"
    except ValueError:
        return False


def _equal(a: Sequence[Any], b: Sequence[Any]) -> bool:
    return all(
        np.shape(x) == np.shape(y) and np.allclose(x, y, rtol=1e-9, atol=1e-12 * _largest(np.abs(y)))
        for x, y in zip(a, b)
    )


def _largest(sizes: Any) -> float:
    return float(np.max(sizes, where=np.isfinite(sizes), initial=0))
