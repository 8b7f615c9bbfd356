"""The grammar of mistakes: the backward equations with independent choice points.

    E_L = output error                      (choice "output-error")
    G_l = W_{at+1}^T E_{at+1}                 (choice "weights-at")
    E_l = G_l * f'(Z_l)                     (choice "derivative-at")
    C   = E_l A_{at-1}^T                     (choices "operand" and "product"), for a bias: sum of E_l ("bias-sum")
    dW  = scale * C + penalty               (choices "divisor", "factor", "outputs", "sign", "rate", "penalty")
    W  <- W - alpha dW                      (choice "update")

Each choice point offers options, the right one first. An option of the chain takes a stack of upstream errors of shape
(..., rows, m), so that thousands of combinations are evaluated in a few matrix products.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Generic, TypeVar

import numpy as np

from autograder.diagnosis.spec import DERIVATIVES, Array, Pass, Point, Spec, forward, given, sigmoid
from autograder.mistakes import known

Apply = TypeVar("Apply", bound=Callable[..., Any])


@dataclass(frozen=True)
class Option(Generic[Apply]):
    """One way to do one step. No ``mistakes``: it is right. ``fixed``: what comes from upstream plays no part.

    What ``apply`` takes depends on the kind of step, see below; None says that the option does not fit these shapes.
    """

    name: str
    mistakes: tuple[str, ...]
    apply: Apply
    fixed: bool = False

    def __post_init__(self) -> None:
        """Raise UnknownMistake when a mistake is not in the catalogue."""
        known(*self.mistakes)


# The kinds of steps, by what they take: the pass, the layer, and what comes from upstream.
Start = Option[Callable[[Pass], Array | None]]
"""The output error."""

Through = Callable[[Pass, int, Array], Array | None]
Link = Option[Through]
"""A stack of errors to the stack of the layer below, or to sums over the examples."""

Choose = Callable[[Pass, int], Array | None]
Operand = Option[Choose]
"""What the error of a layer is multiplied by."""

Product = Option[Callable[[Pass, int, Array, Array], Array | None]]
"""The error of a layer and the operand to a gradient."""

Scale = Option[Callable[[Pass], float | None]]
"""A number that the gradient of the data term is multiplied by."""

Update = Option[Callable[[Pass, Any, Any], Array]]
"""A parameter and its gradient, arrays or numbers, to what is handed in."""

Options = tuple[Option[Any], ...]
"""The options of one choice point, of whatever kind; who uses them says which."""


def _right(apply: Apply, name: str = "right") -> Option[Apply]:
    return Option(name, (), apply)


def _wrong(mistakes: str, apply: Apply, name: str | None = None, *, fixed: bool = False) -> Option[Apply]:
    return Option(name or mistakes.replace(" ", "+"), tuple(mistakes.split()), apply, fixed)


# Output error -----------------------------------------------------------------------------------------------------


def _times_output_derivative(c: Pass, v: Array) -> Array:
    """Multiply by the derivative of the output activation; for softmax this is a Jacobian for each example."""
    last = c.spec.depth
    if c.spec.output == "softmax":
        a = c.a[last]
        return np.asarray(a * (v - (a * v).sum(axis=0, keepdims=True)))
    return np.asarray(v * DERIVATIVES[c.spec.output](c.z[last]))


def _output_options(spec: Spec) -> tuple[Start, ...]:
    last = spec.depth

    def option(mistakes: str, value: Callable[[Pass, Array, Array, Array], Array], name: str | None = None) -> Start:
        def apply(c: Pass) -> Array | None:
            return value(c, c.a[last], c.y, c.a[last] - c.y)

        return _wrong(mistakes, apply, name) if mistakes else _right(apply, name or "right")

    if spec.loss == "hinge":
        return (
            option("", lambda c, a, y, e: -y * (y * a < 1)),
            option("", lambda c, a, y, e: -y * (y * a <= 1), "right-at-the-kink"),
            option("sign-flipped", lambda c, a, y, e: y * (y * a < 1)),
            option("hinge-margin-ignored", lambda c, a, y, e: -y),
            option("hinge-margin-at-zero", lambda c, a, y, e: -y * (y * a < 0)),
            option("hinge-side-inverted", lambda c, a, y, e: -y * (y * a > 1)),
            option("hinge-label-missing", lambda c, a, y, e: -1.0 * (y * a < 1)),
            option("hinge-squared", lambda c, a, y, e: -y * np.maximum(1 - y * a, 0)),
            option("hinge-error-of-regression", lambda c, a, y, e: e),
            option("hinge-score-for-label", lambda c, a, y, e: -a * (y * a < 1)),
        )
    if spec.loss in ("bce", "ce"):
        options = [
            option("", lambda c, a, y, e: e),
            option("sign-flipped", lambda c, a, y, e: -e),
            option("extra-output-derivative", lambda c, a, y, e: e * a * (1 - a)),
            option("absolute-error", lambda c, a, y, e: np.abs(e)),
            option("derivative-of-the-residual", lambda c, a, y, e: e * (1 - e)),
            option("derivative-of-the-residual", lambda c, a, y, e: e * e * (1 - e), "residual-times-its-derivative"),
            option("error-squared", lambda c, a, y, e: e * e),
            option("target-missing", lambda c, a, y, e: a),
            option("pre-activation-in-output-error", lambda c, a, y, e: c.z[last] - y),
            option("averaged-before-the-product", lambda c, a, y, e: e.mean(axis=1, keepdims=True) + 0 * e),
            option("output-derivative-not-applied", lambda c, a, y, e: e / (a * (1 - a))),
        ]
        if spec.output == "softmax":
            options += [
                option("extra-output-derivative", lambda c, a, y, e: _times_output_derivative(c, e), "extra-jacobian"),
                option("output-derivative-not-applied", lambda c, a, y, e: -y / a, "loss-derivative-only"),
                option("softmax-jacobian-diagonal-only", lambda c, a, y, e: -y * (1 - a)),
                option("thresholded-prediction", lambda c, a, y, e: (a == a.max(axis=0)) - y),
            ]
        else:
            options += [
                option("half-of-the-cross-entropy", lambda c, a, y, e: -y * (1 - a)),
                option("half-of-the-cross-entropy", lambda c, a, y, e: (1 - y) * a, "other-half-of-the-cross-entropy"),
                option("absolute-error", lambda c, a, y, e: -y * (1 - a) - (1 - y) * a, "halves-of-one-sign"),
                option("thresholded-prediction", lambda c, a, y, e: (a > 0.5) - y),
            ]
        return tuple(options)

    factor = 1.0 if spec.loss == "half-mse" else 2.0

    def weights(c: Pass) -> Array:
        return given(c.output_weights)

    def weighted(c: Pass, v: Array) -> Array:
        return factor * v if c.output_weights is None else factor * weights(c) * v

    def through(c: Pass, v: Array) -> Array:
        return _times_output_derivative(c, weighted(c, v))

    options = [
        option("", lambda c, a, y, e: through(c, e)),
        option("sign-flipped", lambda c, a, y, e: through(c, -e)),
        option("absolute-error", lambda c, a, y, e: through(c, np.abs(e))),
        option("derivative-of-the-residual", lambda c, a, y, e: weighted(c, e * e * (1 - e))),
        option("derivative-of-the-residual", lambda c, a, y, e: weighted(c, e * (1 - e)), "residual-derivative-alone"),
        option("error-squared", lambda c, a, y, e: through(c, e * e)),
        option("target-missing", lambda c, a, y, e: through(c, a)),
        option("averaged-before-the-product", lambda c, a, y, e: through(c, e.mean(axis=1, keepdims=True) + 0 * e)),
    ]
    if spec.output == "linear":
        options += [
            option("derivative-at-linear-output", lambda c, a, y, e: weighted(c, e * a * (1 - a))),
            option(
                "derivative-at-linear-output",
                lambda c, a, y, e: weighted(c, e * sigmoid(a) * (1 - sigmoid(a))),
                "sigmoid-derivative-at-linear-output",
            ),
            option(
                "derivative-at-linear-output", lambda c, a, y, e: weighted(c, e * (1 - a**2)), "tanh-at-linear-output"
            ),
            option("derivative-at-linear-output", lambda c, a, y, e: weighted(c, e * (a > 0)), "relu-at-linear-output"),
        ]
    else:
        options += [
            option("pre-activation-in-output-error", lambda c, a, y, e: through(c, c.z[last] - y)),
            option("output-derivative-missing", lambda c, a, y, e: weighted(c, e)),
            option("output-derivative-twice", lambda c, a, y, e: _times_output_derivative(c, through(c, e))),
            option("output-derivative-of-tanh", lambda c, a, y, e: weighted(c, e * (1 - a**2))),
            option("output-derivative-half", lambda c, a, y, e: weighted(c, e * a)),
            option(
                "output-derivative-half", lambda c, a, y, e: weighted(c, e * (1 - a)), "output-derivative-1-minus-a"
            ),
            option("output-derivative-with-z", lambda c, a, y, e: weighted(c, e * c.z[last] * (1 - c.z[last]))),
        ]
        if spec.output == "softmax":
            options.append(option("softmax-jacobian-diagonal-only", lambda c, a, y, e: weighted(c, e * a * (1 - a))))
        else:
            options.append(
                option(
                    "output-derivative-at-activation",
                    lambda c, a, y, e: weighted(c, e * DERIVATIVES["sigmoid"](a)),
                )
            )
    if spec.loss == "weighted-mse":
        options += [
            option("output-weights-missing", lambda c, a, y, e: _times_output_derivative(c, factor * e)),
            option("output-weights-squared", lambda c, a, y, e: through(c, weights(c) * e)),
            option("output-weights-inverted", lambda c, a, y, e: through(c, e / weights(c) ** 2)),
            option(
                "output-weights-normalised",
                lambda c, a, y, e: through(c, e / weights(c).sum()),
            ),
            option(
                "output-weights-normalised",
                lambda c, a, y, e: through(c, e / weights(c).mean()),
                "output-weights-divided-by-mean",
            ),
        ]
    return tuple(options)


# Error of a hidden layer -------------------------------------------------------------------------------------------


def _broadcast(c: Pass, layer: int, value: Array) -> Array | None:
    """Spread a value over the units of ``layer`` as numpy would: one row, or as many rows as units."""
    rows = c.w[layer].shape[0]
    if value.shape[-2] == rows:
        return value
    return np.repeat(value, rows, axis=-2) if value.shape[-2] == 1 else None


def _through(matrix: Array | None, e: Array, rows: int) -> Array | None:
    if matrix is None or matrix.ndim != 2 or matrix.shape != (rows, e.shape[-2]):
        return None
    return np.asarray(matrix @ e)


def _weights_options(layer: int) -> tuple[Link, ...]:
    above = layer + 1

    def by(matrix: Callable[[Pass], Array | None]) -> Through:
        return lambda c, at, e: _through(matrix(c), e, c.w[at].shape[0])

    def turned(held: Callable[[Pass], Mapping[int, Array]]) -> Through:
        return by(lambda c: held(c)[above].T if above in held(c) else None)

    def square(c: Pass) -> Array | None:
        return c.w[above] if c.w[above].shape[0] == c.w[above].shape[1] else None

    return (
        _right(by(lambda c: c.w[above].T)),
        _wrong(f"w{above}-updated-before-hidden-error", turned(lambda c: c.updated)),
        _wrong("gradient-used-for-weights", turned(lambda c: c.gradient)),
        _wrong("weights-missing-in-hidden-error", lambda c, at, e: _broadcast(c, at, e)),
        _wrong(
            "weights-missing-in-hidden-error",
            lambda c, at, e: _broadcast(c, at, e.sum(axis=-2, keepdims=True)),
            "ones-for-weights",
        ),
        _wrong("weights-not-transposed", by(square)),
        _wrong("wrong-layer-weights", by(lambda c: c.w[layer])),
        _wrong("wrong-layer-weights", by(lambda c: c.w[layer].T), "wrong-layer-weights-transposed"),
        _wrong("absolute-weights", by(lambda c: np.abs(c.w[above]).T)),
        _wrong(
            "hidden-error-is-a1-minus-y",
            lambda c, at, e: None if (y := _broadcast(c, at, c.y)) is None else c.a[at] - y,
            fixed=True,
        ),
        _wrong(
            "upstream-error-missing", lambda c, at, e: c.w[above].T.sum(axis=1, keepdims=True) + 0 * c.a[at], fixed=True
        ),
    )


def _derivative_options(spec: Spec, layer: int) -> tuple[Link, ...]:
    name = spec.hidden[layer - 1]

    def times(value: Callable[[Array, Array], Array]) -> Through:
        return lambda c, at, g: g * value(c.z[at], c.a[at])

    def option(mistakes: str, value: Callable[[Array, Array], Array], variant: str | None = None) -> Link:
        return _wrong(mistakes, times(value), variant)

    def precedence(value: Callable[[Array, Array, Array], Array], *, inside: bool, variant: str) -> Link:
        # The slip mixes the error with a term that has no error in it, so it matters whether 1/m came before it.
        def apply(c: Pass, at: int, g: Array) -> Array | None:
            s = c.scale if inside else 1.0
            return value(g * s, c.z[at], c.a[at]) / s

        return _wrong("derivative-without-brackets", apply, variant)

    def of_output(c: Pass, at: int, g: Array) -> Array | None:
        a = c.a[spec.depth]
        value = _broadcast(c, at, 1 - a**2 if spec.output == "tanh" else a * (1 - a))
        return None if value is None else g * value

    right = DERIVATIVES[name]
    options = [_right(times(lambda z, a: right(z)))]
    if name == "relu":
        options += [
            Option("right-at-zero", (), times(lambda z, a: z >= 0)),
            Option("half-at-zero", (), times(lambda z, a: np.where(z == 0, 0.5, z > 0))),
        ]
    if name != "linear":
        options.append(option("activation-derivative-missing", lambda z, a: np.ones_like(z)))
        options.append(_wrong("derivative-without-upstream-error", lambda c, at, g: right(c.z[at]), fixed=True))
        options.append(option("activation-derivative-twice", lambda z, a: right(z) ** 2))
    if name != "sigmoid":
        wrong = f"sigmoid-derivative-with-{name}"
        options += [
            option(wrong, lambda z, a: a * (1 - a)),
            option(wrong, lambda z, a: sigmoid(z) * (1 - sigmoid(z)), f"{wrong}-at-z"),
        ]
        if name != "linear":
            options.append(option(f"{wrong} pre-activation-in-derivative", lambda z, a: z * (1 - z)))
    if name != "tanh":
        wrong = f"tanh-derivative-with-{name}"
        options += [
            option(wrong, lambda z, a: 1 - a**2),
            option(wrong, lambda z, a: 1 - np.tanh(z) ** 2, f"{wrong}-at-z"),
        ]
        if name != "linear":
            options.append(option(f"{wrong} pre-activation-in-derivative", lambda z, a: 1 - z**2))
    if name not in ("relu", "sigmoid"):
        options.append(option(f"relu-derivative-with-{name}", lambda z, a: z > 0))
    if name in ("sigmoid", "tanh", "xtanhx"):
        options.append(option("derivative-at-activation", lambda z, a: right(a)))
    if name == "sigmoid":
        options += [
            option("pre-activation-in-derivative", lambda z, a: z * (1 - z)),
            option("half-of-the-derivative", lambda z, a: a, "only-a"),
            option("half-of-the-derivative", lambda z, a: 1 - a, "only-1-minus-a"),
            option("extra-activation-factor", lambda z, a: a * a * (1 - a)),
            option("sign-inside-derivative", lambda z, a: a * (1 + a)),
            option("pre-activation-in-derivative", lambda z, a: z * (1 - a), "z-times-1-minus-a"),
            option("pre-activation-in-derivative", lambda z, a: a * (1 - z), "a-times-1-minus-z"),
            option("second-derivative", lambda z, a: a * (1 - a) * (1 - 2 * a)),
            precedence(lambda g, z, a: g * a - a, inside=False, variant="error-times-a-minus-a"),
            precedence(lambda g, z, a: g * a - a, inside=True, variant="scaled-error-times-a-minus-a"),
            precedence(lambda g, z, a: g - a, inside=False, variant="error-minus-a"),
        ]
    if name == "tanh":
        options += [
            option("pre-activation-in-derivative", lambda z, a: 1 - z**2),
            option("square-missing", lambda z, a: 1 - a),
            option("half-of-the-derivative", lambda z, a: a**2, "only-a-squared"),
            option("activation-for-derivative", lambda z, a: a, "only-a"),
            option("extra-activation-factor", lambda z, a: a * (1 - a**2)),
            option("extra-activation-factor", lambda z, a: z * (1 - a**2), "extra-pre-activation-factor"),
            option("square-of-the-bracket", lambda z, a: (1 - a) ** 2),
            option("sign-inside-derivative", lambda z, a: 1 + a**2),
            option("second-derivative", lambda z, a: -2 * a * (1 - a**2)),
            option("doubled-instead-of-squared", lambda z, a: 1 - 2 * a),
            precedence(lambda g, z, a: g - a**2, inside=False, variant="error-minus-a-squared"),
            precedence(lambda g, z, a: g - a**2, inside=True, variant="scaled-error-minus-a-squared"),
        ]
    if name == "relu":
        options += [
            option("relu-derivative-returns-z", lambda z, a: a, "returns-a"),
            option("relu-derivative-returns-z", lambda z, a: z, "returns-z"),
            option("relu-leaky-slope", lambda z, a: np.where(z > 0, 1.0, 0.01)),
            option("relu-leaky-slope", lambda z, a: np.where(z > 0, 1.0, 0.1), "relu-leaky-slope-of-0.1"),
            option("relu-step-inverted", lambda z, a: z < 0),
            option("relu-sign-for-step", lambda z, a: np.sign(z)),
            option("relu-threshold-at-one", lambda z, a: z > 1),
            _wrong("relu-mask-from-upstream", lambda c, at, g: np.maximum(g, 0.0)),
        ]
    if name == "xtanhx":
        options += [
            option("product-rule-first-half-only", lambda z, a: np.tanh(z)),
            option("product-rule-second-half-only", lambda z, a: z * (1 - np.tanh(z) ** 2)),
            option("product-rule-factor-missing", lambda z, a: np.tanh(z) + 1 - np.tanh(z) ** 2),
            option("product-rule-factor-missing", lambda z, a: 1 + z * (1 - np.tanh(z) ** 2), "one-for-tanh"),
            option("product-rule-multiplied", lambda z, a: np.tanh(z) * z * (1 - np.tanh(z) ** 2)),
            option("product-rule-minus", lambda z, a: np.tanh(z) - z * (1 - np.tanh(z) ** 2)),
            option("square-missing", lambda z, a: np.tanh(z) + z * (1 - np.tanh(z))),
            option("tanh-squared-from-activation", lambda z, a: np.tanh(z) + z * (1 - a**2)),
            option("tanh-squared-from-activation", lambda z, a: a + z * (1 - a**2), "a-for-tanh"),
            option("activation-for-derivative", lambda z, a: a),
        ]
    if not (spec.output == "softmax" and name == "linear"):
        options.append(_wrong("output-derivative-in-hidden-layer", of_output))
    return tuple(options)


# Gradient of a parameter from the error of its layer -----------------------------------------------------------------


def _operand_options() -> tuple[Operand, ...]:
    def if_there(held: Mapping[int, Array], layer: int) -> Array | None:
        return held.get(layer)

    def derivative(c: Pass, at: int) -> Array | None:
        name = c.activation(at - 1) if at > 1 else "softmax"
        return None if name in ("softmax", "linear") else DERIVATIVES[name](c.z[at - 1])

    return (
        _right(lambda c, at: c.a[at - 1]),
        _wrong(
            "z-for-a-in-gradient",
            lambda c, at: c.z[at - 1] if at > 1 and c.activation(at - 1) != "linear" else None,
        ),
        _wrong("wrong-layer-activation", lambda c, at: if_there(c.a, at), "activation-of-this-layer"),
        _wrong("wrong-layer-activation", lambda c, at: if_there(c.a, at - 2), "activation-two-layers-back"),
        _wrong("derivative-for-activation-in-gradient", derivative),
    )


def _product_options() -> tuple[Product, ...]:
    """How the error (..., rows, m) and the operand (columns, m) become a gradient; 1/m comes later."""

    def total(e: Array) -> Array:
        return np.asarray(e.sum(axis=-1))

    def filled(e: Array, q: Array, kind: str) -> Array:
        full = e @ q.T
        value = full.sum(axis=(-1, -2), keepdims=True)
        return np.asarray((value / (full.shape[-1] * full.shape[-2]) if kind == "mean" else value) + 0 * full)

    def elementwise(c: Pass, at: int, e: Array, q: Array) -> Array | None:
        if q.shape[0] != e.shape[-2] and 1 not in (q.shape[0], e.shape[-2]):
            return None
        return np.asarray(e * q)

    return (
        _right(lambda c, at, e, q: e @ q.T),
        _wrong("result-transposed", lambda c, at, e, q: q @ np.swapaxes(e, -1, -2)),
        _wrong("gradient-collapsed-to-one-number", lambda c, at, e, q: filled(e, q, "mean"), "mean-of-the-gradient"),
        _wrong("gradient-collapsed-to-one-number", lambda c, at, e, q: filled(e, q, "sum"), "sum-of-the-gradient"),
        _wrong("only-one-example", lambda c, at, e, q: e[..., :1] @ q[:, :1].T, "only-the-first-example"),
        _wrong("only-one-example", lambda c, at, e, q: e[..., -1:] @ q[:, -1:].T, "only-the-last-example"),
        _wrong("averaged-before-the-product", lambda c, at, e, q: total(e)[..., :, None] * q.mean(axis=1)),
        _wrong("elementwise-for-matrix-product", elementwise),
    )


def _bias_options(spec: Spec) -> tuple[Link, ...]:
    def of_layer(other: int) -> Through:
        return lambda c, at, e: c.error_sums[other] + 0 * e[..., :1, :1] if other != at else None

    def rows_of_dw(c: Pass, at: int, e: Array, kind: str) -> Array | None:
        if at not in c.gradient or c.gradient[at].shape != c.w[at].shape:
            return None
        whole = getattr(c.gradient[at], kind)(axis=1, keepdims=True)
        return np.asarray(whole / c.scale + 0 * e[..., :1])

    def everything(e: Array) -> Array:
        return np.asarray(e.sum(axis=(-1, -2), keepdims=True) + 0 * e[..., :1])

    return (
        _right(lambda c, at, e: e.sum(axis=-1, keepdims=True)),
        _wrong("bias-not-summed-over-batch", lambda c, at, e: e, "bias-not-summed"),
        _wrong("bias-not-summed-over-batch", lambda c, at, e: e[..., :1], "bias-from-the-first-example"),
        _wrong("bias-not-summed-over-batch", lambda c, at, e: e[..., -1:], "bias-from-the-last-example"),
        _wrong("bias-summed-over-everything", lambda c, at, e: everything(e)),
        _wrong("bias-summed-over-everything", lambda c, at, e: everything(e) / e.shape[-2], "bias-mean-of-everything"),
        _wrong("bias-summed-over-units", lambda c, at, e: e.sum(axis=-2)[..., :, None]),
        _wrong("bias-from-rows-of-dw", lambda c, at, e: rows_of_dw(c, at, e, "sum")),
        _wrong("bias-from-rows-of-dw", lambda c, at, e: rows_of_dw(c, at, e, "mean"), "bias-from-row-means-of-dw"),
        *(
            _wrong("bias-of-another-layer", of_layer(other), f"bias-of-layer-{other}")
            for other in range(1, spec.depth + 1)
            if spec.depth > 1
        ),
    )


# Scale, penalty, update ----------------------------------------------------------------------------------------------


def _factor(mistake: str, value: Callable[[Pass], float | None], name: str | None = None) -> Scale:
    return _wrong(mistake, value, name)


_ONE: Scale = _right(lambda c: 1.0)


def _scale_options(spec: Spec) -> dict[str, tuple[Scale, ...]]:
    """Choice points that only multiply the gradient of the data term by a number."""
    choices: dict[str, tuple[Scale, ...]] = {}

    def by_units(layer: int) -> Scale:
        def factor(c: Pass) -> float | None:
            units = c.w[layer].shape[0]
            return c.m / units if units > 1 else None

        return _factor("divided-by-wrong-count", factor, f"divided-by-the-units-of-layer-{layer}")

    if spec.reduction == "mean":
        choices["divisor"] = (
            _ONE,
            _factor("missing-1-over-m", lambda c: c.m),
            _factor("divided-by-m-twice", lambda c: 1 / c.m),
            _factor("multiplied-by-m", lambda c: c.m**2),
            _factor("divided-by-m-minus-1", lambda c: c.m / (c.m - 1) if c.m > 1 else None),
            *(by_units(layer) for layer in range(1, spec.depth + 1)),
            _factor("divided-by-wrong-count", lambda c: c.m / c.a[0].shape[0], "divided-by-the-inputs"),
        )
    else:
        choices["divisor"] = (
            _ONE,
            _factor("averaged-instead-of-summed", lambda c: 1 / c.m),
            _factor("multiplied-by-m", lambda c: c.m),
        )
    if spec.loss in ("mse", "weighted-mse"):
        choices["factor"] = (_ONE, _factor("factor-2-lost", lambda c: 0.5), _factor("factor-2-doubled", lambda c: 2.0))
    else:
        choices["factor"] = (
            _ONE,
            _factor("factor-2-extra", lambda c: 2.0),
            _factor("factor-half-extra", lambda c: 0.5),
        )
    if spec.outputs == "sum":
        choices["outputs"] = (_ONE, _factor("mean-over-outputs", lambda c: 1 / c.o))
    else:
        choices["outputs"] = (_ONE, _factor("summed-over-outputs", lambda c: c.o))
    choices["sign"] = (_ONE, _factor("sign-flipped", lambda c: -1.0))
    if spec.result == "gradients":
        choices["rate"] = (_ONE, _factor("learning-rate-in-gradient", lambda c: c.learning_rate))
    else:
        choices["rate"] = (
            _ONE,
            _factor("learning-rate-missing", lambda c: 1 / c.rate),
            _factor("learning-rate-squared", lambda c: c.learning_rate),
        )
    return choices


@dataclass(frozen=True)
class Penalty(Option[Callable[[Pass, int], Any]]):
    """What is added to the gradient of a weight: an array or a number; ``scale`` multiplies the data term."""

    scale: Callable[[Pass], float] = lambda c: 1.0


def _penalty_options(spec: Spec) -> tuple[Penalty, ...]:
    """What is added to the gradient of a weight; ``at`` is the layer."""
    if spec.penalty == "none":
        return (Penalty("right", (), lambda c, at: 0.0),)

    def option(mistakes: str, value: Callable[[Pass, int], Any], name: str | None = None) -> Penalty:
        return Penalty(name or mistakes or "right", tuple(mistakes.split()), value)

    def squares(c: Pass) -> float:
        return float(sum((w**2).sum() for w in c.w.values()))

    def other(c: Pass, at: int) -> Array | None:
        return next((c.decay * w for k, w in c.w.items() if k != at and w.shape == c.w[at].shape), None)

    scalar = "penalty-added-as-one-number"
    options = [
        option("", lambda c, at: c.decay * c.w[at]),
        option("penalty-missing", lambda c, at: 0.0),
        option("penalty-halved", lambda c, at: 0.5 * c.decay * c.w[at]),
        option("penalty-doubled", lambda c, at: 2 * c.decay * c.w[at]),
        option("penalty-sign-wrong", lambda c, at: -c.decay * c.w[at]),
        option(scalar, lambda c, at: c.decay * c.w[at].sum(), f"{scalar}-sum-of-weights"),
        option(scalar, lambda c, at: 0.5 * c.decay * (c.w[at] ** 2).sum(), f"{scalar}-term-of-the-loss"),
        option(scalar, lambda c, at: c.decay * (c.w[at] ** 2).sum(), f"{scalar}-sum-of-squares"),
        option(scalar, lambda c, at: 0.5 * c.decay * squares(c), f"{scalar}-whole-term-of-the-loss"),
        option("penalty-squared-weights", lambda c, at: c.decay * c.w[at] ** 2),
        option("penalty-squared-weights", lambda c, at: 0.5 * c.decay * c.w[at] ** 2, "penalty-half-squared-weights"),
        option("penalty-of-absolute-weights", lambda c, at: c.decay * np.abs(c.w[at])),
        option("penalty-of-absolute-weights", lambda c, at: c.decay * np.sign(c.w[at]), "penalty-sign-of-weights"),
        option("penalty-without-weights", lambda c, at: c.decay),
        option("penalty-of-another-layer", other),
        option("penalty-of-updated-weights", lambda c, at: c.decay * c.updated[at] if at in c.updated else None),
    ]
    if spec.penalty == "half-lambda-over-m":
        options += [
            option("penalty-not-divided-by-m", lambda c, at: c.reg_lambda * c.w[at]),
            option("penalty-not-divided-by-m penalty-halved", lambda c, at: 0.5 * c.reg_lambda * c.w[at]),
            option("penalty-not-divided-by-m penalty-doubled", lambda c, at: 2 * c.reg_lambda * c.w[at]),
            option("penalty-divided-by-m-twice", lambda c, at: c.decay / c.m * c.w[at]),
            option(f"{scalar} penalty-not-divided-by-m", lambda c, at: c.reg_lambda * c.w[at].sum()),
        ]
    else:
        options.append(option("penalty-divided-by-m", lambda c, at: c.decay / c.m * c.w[at]))
    if spec.result == "update":
        options.append(option("penalty-without-learning-rate", lambda c, at: c.decay / c.rate * c.w[at]))
    # Not penalty times W at all, but the data term grown by 1 + decay.
    options.append(
        Penalty(
            "penalty-built-from-the-gradient",
            ("penalty-built-from-the-gradient",),
            lambda c, at: 0.0,
            scale=lambda c: 1 + c.decay,
        )
    )
    if spec.result == "update":
        options.append(
            Penalty(
                "decay-applied-after-the-step",
                ("decay-applied-after-the-step",),
                lambda c, at: c.decay * c.w[at],
                scale=lambda c: 1 - c.rate * c.decay,
            )
        )
    return tuple(options)


def _bias_penalty_options(spec: Spec) -> tuple[Penalty, ...]:
    options = [Penalty("right", (), lambda c, at: 0.0)]
    if spec.penalty == "none":
        return tuple(options)

    def option(mistakes: str, value: Callable[[Pass], float]) -> Penalty:
        names = ("bias-penalised", *mistakes.split())
        return Penalty("+".join(names), names, lambda c, at: value(c) * c.b[at])

    options += [
        option("", lambda c: c.decay),
        option("penalty-halved", lambda c: 0.5 * c.decay),
        option("penalty-doubled", lambda c: 2 * c.decay),
        option("penalty-sign-wrong", lambda c: -c.decay),
    ]
    if spec.penalty == "half-lambda-over-m":
        options += [
            option("penalty-not-divided-by-m", lambda c: c.reg_lambda),
            option("penalty-not-divided-by-m penalty-halved", lambda c: 0.5 * c.reg_lambda),
            option("penalty-divided-by-m-twice", lambda c: c.decay / c.m),
        ]
    if spec.result == "update":
        options.append(option("penalty-without-learning-rate", lambda c: c.decay / c.rate))
    options.append(
        Penalty(
            "bias-weight-sum-penalised",
            ("bias-gets-the-weights-penalty",),
            lambda c, at: c.decay * c.w[at].sum(axis=1, keepdims=True),
        )
    )
    return tuple(options)


def _update_options(spec: Spec) -> tuple[Update, ...]:
    """From a parameter and its gradient to what is handed in."""
    if spec.result == "gradients":
        return (_right(lambda c, p, g: g),)
    return (
        _right(lambda c, p, g: p - c.rate * g),
        _wrong("parameter-never-updated", lambda c, p, g: p + 0 * g, fixed=True),
        _wrong("parameter-assigned-not-updated", lambda c, p, g: c.rate * g, "parameter-is-the-step"),
        _wrong("parameter-assigned-not-updated", lambda c, p, g: -c.rate * g, "parameter-is-minus-the-step"),
        _wrong("parameter-assigned-not-updated", lambda c, p, g: g, "parameter-is-the-gradient"),
    )


SCALES = ("divisor", "factor", "outputs", "sign", "rate")


@lru_cache(maxsize=256)
def choice_points(spec: Spec) -> Mapping[str, Options]:
    """The grammar for ``spec``: for each choice point its options, the right one first.

    >>> [option.name for option in choice_points(Spec(("tanh",), "sigmoid", "bce"))["sign"]]
    ['right', 'sign-flipped']
    """
    points: dict[str, Options] = {"output-error": _output_options(spec)}
    for layer in range(spec.depth - 1, 0, -1):
        points[f"weights-{layer}"] = _weights_options(layer)
        points[f"derivative-{layer}"] = _derivative_options(spec, layer)
    points |= {"operand": _operand_options(), "product": _product_options()}
    if spec.biases:
        points["bias-sum"] = _bias_options(spec)
    points |= _scale_options(spec)
    points["penalty"] = _penalty_options(spec)
    if spec.biases:
        points["bias-penalty"] = _bias_penalty_options(spec)
    points["update"] = _update_options(spec)
    return points


def link_points(layer: int) -> tuple[str, str]:
    """The choice points from the error of the layer above to that of ``layer``."""
    return f"weights-{layer}", f"derivative-{layer}"


def chain_points(spec: Spec, layer: int) -> tuple[str, ...]:
    """The choice points that make the error of ``layer``, in order."""
    return ("output-error", *(point for at in range(spec.depth - 1, layer - 1, -1) for point in link_points(at)))


def tail_points(parameter: str) -> tuple[str, ...]:
    """The choice points from the error of a layer to the answer for one of its parameters."""
    own = ("operand", "product") if parameter[0] == "W" else ("bias-sum",)
    return (*own, *SCALES, "penalty" if parameter[0] == "W" else "bias-penalty", "update")


def choice_points_of(spec: Spec, parameter: str) -> tuple[str, ...]:
    """The choice points that make the answer for ``parameter``, in order."""
    return (*chain_points(spec, int(parameter[1:])), *tail_points(parameter))


@dataclass(frozen=True)
class Recipe:
    """One option for each choice point of one parameter, and whether the scale also multiplies the penalty."""

    parameter: str
    options: Mapping[str, Option[Any]]
    linked: bool = False


class DoesNotFit(ValueError):
    """An option cannot be evaluated with these shapes."""


Value = TypeVar("Value")


def _need(value: Value | None, point: str, option: Option[Any]) -> Value:
    if value is None:
        raise DoesNotFit(f"{point}={option.name} does not fit these shapes")
    return value


def layer_error(c: Pass, layer: int, options: Mapping[str, Option[Any]]) -> Array:
    """The error of a layer, (rows, m), with the options chosen. Raises DoesNotFit."""
    start: Start = options["output-error"]
    e = _need(start.apply(c), "output-error", start)
    for at in range(c.spec.depth - 1, layer - 1, -1):
        for name in link_points(at):
            link: Link = options[name]
            e = _need(link.apply(c, at, e), name, link)
    return e


def evaluate(c: Pass, recipe: Recipe) -> Array:
    """The answer for one parameter under one recipe. Raises DoesNotFit."""
    parameter, layer, options = recipe.parameter, int(recipe.parameter[1:]), recipe.options
    e = layer_error(c, layer, options)
    if parameter[0] == "W":
        operand: Operand = options["operand"]
        product: Product = options["product"]
        q = _need(operand.apply(c, layer), "operand", operand)
        core = _need(product.apply(c, layer, e, q), "product", product)
    else:
        bias: Link = options["bias-sum"]
        core = _need(bias.apply(c, layer, e), "bias-sum", bias)
    scale = 1.0
    for name in SCALES:
        factor: Scale = options[name]
        scale *= _need(factor.apply(c), name, factor)
    penalty = options["penalty" if parameter[0] == "W" else "bias-penalty"]
    assert isinstance(penalty, Penalty)
    added = _need(penalty.apply(c, layer), "penalty", penalty)
    update: Update = options["update"]
    try:
        gradient = scale * penalty.scale(c) * c.scale * core + (scale if recipe.linked else 1.0) * added
        return update.apply(c, c.value(parameter), gradient)
    except ValueError as error:
        # A gradient of another shape cannot be added to the penalty or the parameter: the student's code would stop.
        raise DoesNotFit(f"{parameter}: {error}") from None


def remember(c: Pass, parameter: str, answer: Array) -> None:
    """Note the answer for a weight matrix, so that later steps can use the updated weights or the gradient."""
    layer = int(parameter[1:])
    if parameter[0] != "W" or answer.shape != c.w[layer].shape:
        return
    if c.spec.result == "update":
        c.updated[layer] = answer
        c.gradient[layer] = (c.w[layer] - answer) / c.learning_rate
    else:
        c.gradient[layer] = answer
        if c.learning_rate is not None:
            c.updated[layer] = c.w[layer] - c.learning_rate * answer


def mutate(spec: Spec, point: Point, choices: Mapping[str, str]) -> dict[str, Array]:
    """Run the backward pass with some steps done differently.

    ``choices`` maps a choice point to the name of an option; ``"divisor@b1"`` holds for one parameter only. The
    result maps dW1, db1, ... (or W1_new, ...) to arrays, in backward order. No choices: the right answers.
    Raises ValueError when a choice is unknown and DoesNotFit when an option cannot be evaluated with these shapes.
    """
    return run_mutated(forward(spec, point.inputs), choices)


def run_mutated(c: Pass, choices: Mapping[str, str]) -> dict[str, Array]:
    """As ``mutate``, for a pass at hand; fills its ``gradient`` and ``updated``."""
    spec, grammar, answers = c.spec, choice_points(c.spec), {}
    for key in choices:
        name, _, parameter = key.partition("@")
        if (name != "linked" and name not in grammar) or (parameter and parameter not in spec.parameters):
            raise ValueError(
                f"unknown choice point {key!r}; choose among {', '.join(grammar)}, or one of these with @W1"
            )
    if spec.biases and not c.error_sums:
        for layer in range(1, spec.depth + 1):
            right = {name: grammar[name][0] for name in chain_points(spec, layer)}
            c.error_sums[layer] = layer_error(c, layer, right).sum(axis=1, keepdims=True)
    for parameter in spec.parameters:
        options = {}
        for name in choice_points_of(spec, parameter):
            chosen = choices.get(f"{name}@{parameter}", choices.get(name))
            options[name] = grammar[name][0] if chosen is None else find_option(grammar[name], name, chosen)
        # "linked": the scale also multiplies the penalty, as when 1/m is missing for the whole gradient.
        linked = choices.get(f"linked@{parameter}", choices.get("linked", "no")) == "yes"
        answer = evaluate(c, Recipe(parameter, options, linked))
        answers[spec.answer_name(parameter)] = answer
        remember(c, parameter, answer)
    return answers


def find_option(options: Options, point: str, name: str) -> Option[Any]:
    """The option called ``name``. Raises ValueError when there is none."""
    for option in options:
        if option.name == name:
            return option
    raise ValueError(f"unknown option {name!r} for {point}; choose among {', '.join(o.name for o in options)}")
