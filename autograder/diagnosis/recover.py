"""The error of a hidden layer and the derivative that was used, solved for from dW and db."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction

import numpy as np

from autograder.diagnosis.explanation import EXACT, SPARE, Explanation, same
from autograder.diagnosis.spec import DERIVATIVES, Array, Pass
from autograder.diagnosis.wide import DUE

POWERS = 4  # 1, A, A^2, A^3


def gradient_of(c: Pass, parameter: str, value: Array) -> Array | None:
    """The gradient of the data that was used, where the update and the penalty are right."""
    start = c.value(parameter)
    if value.shape != start.shape:
        return None
    gradient = (start - value) / c.rate if c.spec.result == "update" else value
    return np.asarray(gradient - (c.decay * start if parameter[0] == "W" else 0.0))


def polynomial(
    passes: Sequence[Pass], parameter: str, raw: Sequence[Array], arrived: Sequence[Array], tokens: tuple[str, ...]
) -> Explanation | None:
    """The derivative as a polynomial of A or Z, by least squares over all points.

    ``arrived`` is what reaches the layer. The constants are pure numbers and so the same at every point.
    """
    layer = int(parameter[1:])
    gradients = [gradient_of(c, parameter, value) for c, value in zip(passes, raw)]
    if any(g is None for g in gradients):
        return None
    y = np.concatenate([np.asarray(g).ravel() for g in gradients])
    if np.unique(y).size < POWERS + SPARE:
        return None
    for letter in "AZ":
        rows = []
        for c, g in zip(passes, arrived):
            u = c.a[layer] if letter == "A" else c.z[layer]
            errors = [g * u**k * c.scale for k in range(POWERS)]
            rows.append(
                np.stack(
                    [
                        (e @ c.a[layer - 1].T if parameter[0] == "W" else e.sum(axis=1, keepdims=True)).ravel()
                        for e in errors
                    ],
                    axis=1,
                )
            )
        basis = np.concatenate(rows)
        constants, _, rank, _ = np.linalg.lstsq(basis, y, rcond=1e-12)
        size = max(
            np.abs(np.concatenate([np.ravel(v) for v in raw])).max(initial=0.0) / (passes[0].learning_rate or 1.0)
            if passes[0].spec.result == "update"
            else 0.0,
            np.abs(y).max(initial=0.0),
        )
        short = np.array([float(Fraction(float(c)).limit_denominator(1000)) for c in constants])  # people's numbers are
        if rank == POWERS and short.any() and np.abs(basis @ short - y).max() <= EXACT * size:
            text = _written(short, letter)
            due = DUE[passes[0].activation(layer)]
            note = f"The error of layer {layer} is multiplied by {text}; {due} is due."
            token = f"another-derivative@derivative-{layer}={text}"
            return Explanation(None, frozenset((*tokens, token)), (*tokens, token), (), (note,))
    return None


def _written(constants: Array, letter: str) -> str:
    """A sum like ``1 - 0.5 A^2``; at least one of the constants is not zero."""
    terms = []
    for power, c in enumerate(constants):
        if not c:
            continue
        number = f"{abs(c):.6g}"
        base = {0: "", 1: letter}.get(power, f"{letter}^{power}")
        core = number if not base else base if number == "1" else f"{number} {base}"
        terms.append(("-" if c < 0 else "+", core))
    first = ("-" if terms[0][0] == "-" else "") + terms[0][1]
    return " ".join([first, *(f"{sign} {core}" for sign, core in terms[1:])])


def used_derivative(
    passes: Sequence[Pass], layer: int, answers: Sequence[Mapping[str, Array]], arrived: Sequence[Array]
) -> Iterator[str]:
    """What was multiplied with at single numbers: dW pinv(A^T) is the error where there are few enough examples.

    Said only when more numbers were given than the error has, so that they could have contradicted.
    """
    spare, seen = 0, []
    for c, given, g in zip(passes, answers, arrived):
        sides, factors = [], []
        for kind, factor in (("W", c.a[layer - 1].T), ("b", np.ones((c.m, 1)))):
            value = given.get(c.spec.answer_name(f"{kind}{layer}"))
            gradient = None if value is None else gradient_of(c, f"{kind}{layer}", value)
            if gradient is not None:
                sides.append(gradient)
                factors.append(c.scale * factor)
        if not sides:
            continue
        side, factor = np.concatenate(sides, axis=1), np.concatenate(factors, axis=1)
        error, _, rank, _ = np.linalg.lstsq(factor.T, side.T, rcond=1e-10)
        if rank < c.m:
            continue
        if not same(error.T @ factor, side, EXACT) or np.abs(g).min() == 0:
            return
        spare += side.size - error.size
        name = c.activation(layer)
        seen += list(zip(c.a[layer].ravel(), (error.T / g).ravel(), DERIVATIVES[name](c.z[layer]).ravel()))
    if spare < SPARE or not seen:
        return
    apart = sorted((s for s in seen if abs(s[1] - s[2]) > 1e-6), key=lambda s: abs(s[0]))
    for a, used, due in (apart[len(apart) // 2 : len(apart) // 2 + 1] + apart[-1:])[:2]:
        yield f"Where A{layer} is {a:.3g} the error is multiplied by {used:.3g}; {due:.3g} is due."
