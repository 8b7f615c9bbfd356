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
from typing import Any

import numpy as np

from autograder.diagnosis.spec import DERIVATIVES, Array, Pass, Point, Spec, forward, sigmoid
from autograder.mistakes import known

# c: the pass, at: the layer, e: what comes from upstream. None: the option does not fit these shapes.
Apply = Callable[[Pass, int, Any], Any]


@dataclass(frozen=True)
class Option:
    """One way to do one step. No ``mistakes``: it is right. ``fixed``: what comes from upstream plays no part."""

    name: str
    mistakes: tuple[str, ...]
    apply: Apply
    fixed: bool = False

    def __post_init__(self) -> None:
        """Raise UnknownMistake when a mistake is not in the catalogue."""
        known(*self.mistakes)


def _right(apply: Apply, name: str = "right") -> Option:
    return Option(name, (), apply)


def _wrong(mistakes: str, apply: Apply, name: str | None = None, *, fixed: bool = False) -> Option:
    return Option(name or mistakes.replace(" ", "+"), tuple(mistakes.split()), apply, fixed)


# Output error -----------------------------------------------------------------------------------------------------


def _times_output_derivative(c: Pass, v: Array) -> Array:
    """Multiply by the derivative of the output activation; for softmax this is a Jacobian for each example."""
    last = c.spec.depth
    if c.spec.output == "softmax":
        a = c.a[last]
        return a * (v - (a * v).sum(axis=0, keepdims=True))
    return v * DERIVATIVES[c.spec.output](c.z[last])


def _output_options(spec: Spec) -> tuple[Option, ...]:
    last = spec.depth

    def option(mistakes: str, value: Callable[[Pass, Array, Array, Array], Array], name: str | None = None) -> Option:
        def apply(c: Pass, _layer: int, _e: Any) -> Array:
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

    def weighted(c: Pass, v: Array) -> Array:
        return factor * v if c.output_weights is None else factor * c.output_weights * v

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
            option("output-weights-squared", lambda c, a, y, e: through(c, c.output_weights * e)),
            option("output-weights-inverted", lambda c, a, y, e: through(c, e / c.output_weights**2)),
            option(
                "output-weights-normalised",
                lambda c, a, y, e: through(c, e / c.output_weights.sum()),
            ),
            option(
                "output-weights-normalised",
                lambda c, a, y, e: through(c, e / c.output_weights.mean()),
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
    return matrix @ e


def _weights_options(layer: int) -> tuple[Option, ...]:
    above = layer + 1

    def by(matrix: Callable[[Pass], Array | None]) -> Apply:
        return lambda c, at, e: _through(matrix(c), e, c.w[at].shape[0])

    def turned(held: Callable[[Pass], Mapping[int, Array]]) -> Apply:
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


def _derivative_options(spec: Spec, layer: int) -> tuple[Option, ...]:
    name = spec.hidden[layer - 1]

    def times(value: Callable[[Array, Array], Array]) -> Apply:
        return lambda c, at, g: g * value(c.z[at], c.a[at])

    def option(mistakes: str, value: Callable[[Array, Array], Array], variant: str | None = None) -> Option:
        return _wrong(mistakes, times(value), variant)

    def precedence(value: Callable[[Array, Array, Array], Array], *, inside: bool, variant: str) -> Option:
        # The slip mixes the error with a term that has no error in it, so it matters whether 1/m came before it.
        def apply(c: Pass, at: int, g: Array) -> Array:
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


def _operand_options() -> tuple[Option, ...]:
    def fit(choose: Callable[[Pass, int], Array | None]) -> Apply:
        return lambda c, at, _e: choose(c, at)

    def if_there(held: Mapping[int, Array], layer: int) -> Array | None:
        return held.get(layer)

    def derivative(c: Pass, at: int) -> Array | None:
        name = c.activation(at - 1) if at > 1 else "softmax"
        return None if name in ("softmax", "linear") else DERIVATIVES[name](c.z[at - 1])

    return (
        _right(fit(lambda c, at: c.a[at - 1])),
        _wrong(
            "z-for-a-in-gradient",
            fit(lambda c, at: c.z[at - 1] if at > 1 and c.activation(at - 1) != "linear" else None),
        ),
        _wrong("wrong-layer-activation", fit(lambda c, at: if_there(c.a, at)), "activation-of-this-layer"),
        _wrong("wrong-layer-activation", fit(lambda c, at: if_there(c.a, at - 2)), "activation-two-layers-back"),
        _wrong("derivative-for-activation-in-gradient", fit(derivative)),
    )


def _product_options() -> tuple[Option, ...]:
    """How the error (..., rows, m) and the operand (columns, m) become a gradient; 1/m comes later."""

    def total(e: Array) -> Array:
        return e.sum(axis=-1)

    def filled(c: Pass, at: int, pair: tuple[Array, Array], kind: str) -> Array:
        e, q = pair
        full = e @ q.T
        value = full.sum(axis=(-1, -2), keepdims=True)
        return (value / (full.shape[-1] * full.shape[-2]) if kind == "mean" else value) + 0 * full

    def elementwise(c: Pass, at: int, pair: tuple[Array, Array]) -> Array | None:
        e, q = pair
        if q.shape[0] != e.shape[-2] and 1 not in (q.shape[0], e.shape[-2]):
            return None
        return e * q

    return (
        _right(lambda c, at, p: p[0] @ p[1].T),
        _wrong("result-transposed", lambda c, at, p: p[1] @ np.swapaxes(p[0], -1, -2)),
        _wrong("gradient-collapsed-to-one-number", lambda c, at, p: filled(c, at, p, "mean"), "mean-of-the-gradient"),
        _wrong("gradient-collapsed-to-one-number", lambda c, at, p: filled(c, at, p, "sum"), "sum-of-the-gradient"),
        _wrong("only-one-example", lambda c, at, p: p[0][..., :1] @ p[1][:, :1].T, "only-the-first-example"),
        _wrong("only-one-example", lambda c, at, p: p[0][..., -1:] @ p[1][:, -1:].T, "only-the-last-example"),
        _wrong(
            "averaged-before-the-product",
            lambda c, at, p: total(p[0])[..., :, None] * p[1].mean(axis=1),
        ),
        _wrong("elementwise-for-matrix-product", elementwise),
    )


def _bias_options(spec: Spec) -> tuple[Option, ...]:
    def of_layer(other: int) -> Apply:
        return lambda c, at, e: c.error_sums[other] + 0 * e[..., :1, :1] if other != at else None

    def rows_of_dw(c: Pass, at: int, e: Array, kind: str) -> Array | None:
        if at not in c.gradient or c.gradient[at].shape != c.w[at].shape:
            return None
        return getattr(c.gradient[at], kind)(axis=1, keepdims=True) / c.scale + 0 * e[..., :1]

    def everything(e: Array) -> Array:
        return e.sum(axis=(-1, -2), keepdims=True) + 0 * e[..., :1]

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


def _factor(mistake: str, value: Callable[[Pass], float | None], name: str | None = None) -> Option:
    return _wrong(mistake, lambda c, at, e: value(c), name)


_ONE = _right(lambda c, at, e: 1.0)


def _scale_options(spec: Spec) -> dict[str, tuple[Option, ...]]:
    """Choice points that only multiply the gradient of the data term by a number."""
    choices: dict[str, tuple[Option, ...]] = {}
    if spec.reduction == "mean":
        choices["divisor"] = (
            _ONE,
            _factor("missing-1-over-m", lambda c: c.m),
            _factor("divided-by-m-twice", lambda c: 1 / c.m),
            _factor("multiplied-by-m", lambda c: c.m**2),
            _factor("divided-by-m-minus-1", lambda c: c.m / (c.m - 1) if c.m > 1 else None),
            *(
                _factor(
                    "divided-by-wrong-count",
                    lambda c, size=size: c.m / c.w[size].shape[0] if c.w[size].shape[0] > 1 else None,
                    f"divided-by-the-units-of-layer-{size}",
                )
                for size in range(1, spec.depth + 1)
            ),
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
            _factor("learning-rate-missing", lambda c: 1 / c.learning_rate),
            _factor("learning-rate-squared", lambda c: c.learning_rate),
        )
    return choices


@dataclass(frozen=True)
class Penalty(Option):
    """An option for the penalty."""

    scale: Callable[[Pass], float] = lambda c: 1.0


def _penalty_options(spec: Spec) -> tuple[Penalty, ...]:
    """What is added to the gradient of a weight; ``at`` is the layer."""
    if spec.penalty == "none":
        return (Penalty("right", (), lambda c, at, e: 0.0),)

    def option(mistakes: str, value: Callable[[Pass, int], Any], name: str | None = None) -> Penalty:
        return Penalty(name or mistakes or "right", tuple(mistakes.split()), lambda c, at, e: value(c, at))

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
        options.append(option("penalty-without-learning-rate", lambda c, at: c.decay / c.learning_rate * c.w[at]))
    # Not penalty times W at all, but the data term grown by 1 + decay.
    options.append(
        Penalty(
            "penalty-built-from-the-gradient",
            ("penalty-built-from-the-gradient",),
            lambda c, at, e: 0.0,
            scale=lambda c: 1 + c.decay,
        )
    )
    if spec.result == "update":
        options.append(
            Penalty(
                "decay-applied-after-the-step",
                ("decay-applied-after-the-step",),
                lambda c, at, e: c.decay * c.w[at],
                scale=lambda c: 1 - c.learning_rate * c.decay,
            )
        )
    return tuple(options)


def _bias_penalty_options(spec: Spec) -> tuple[Penalty, ...]:
    options = [Penalty("right", (), lambda c, at, e: 0.0)]
    if spec.penalty == "none":
        return tuple(options)

    def option(mistakes: str, value: Callable[[Pass], float]) -> Penalty:
        names = ("bias-penalised", *mistakes.split())
        return Penalty("+".join(names), names, lambda c, at, e: value(c) * c.b[at])

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
        options.append(option("penalty-without-learning-rate", lambda c: c.decay / c.learning_rate))
    options.append(
        Penalty(
            "bias-weight-sum-penalised",
            ("bias-gets-the-weights-penalty",),
            lambda c, at, e: c.decay * c.w[at].sum(axis=1, keepdims=True),
        )
    )
    return tuple(options)


def _update_options(spec: Spec) -> tuple[Option, ...]:
    """From a parameter (passed as ``at``) and its gradient to what is handed in."""
    if spec.result == "gradients":
        return (_right(lambda c, p, g: g),)
    return (
        _right(lambda c, p, g: p - c.learning_rate * g),
        _wrong("parameter-never-updated", lambda c, p, g: p + 0 * g, fixed=True),
        _wrong("parameter-assigned-not-updated", lambda c, p, g: c.learning_rate * g, "parameter-is-the-step"),
        _wrong("parameter-assigned-not-updated", lambda c, p, g: -c.learning_rate * g, "parameter-is-minus-the-step"),
        _wrong("parameter-assigned-not-updated", lambda c, p, g: g, "parameter-is-the-gradient"),
    )


SCALES = ("divisor", "factor", "outputs", "sign", "rate")


@lru_cache(maxsize=256)
def choice_points(spec: Spec) -> Mapping[str, tuple[Option, ...]]:
    """The grammar for ``spec``: for each choice point its options, the right one first.

    >>> [option.name for option in choice_points(Spec(("tanh",), "sigmoid", "bce"))["sign"]]
    ['right', 'sign-flipped']
    """
    points: dict[str, tuple[Option, ...]] = {"output-error": _output_options(spec)}
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


def chain_points(spec: Spec, layer: int) -> tuple[str, ...]:
    """The choice points that make the error of ``layer``, in order."""
    inner = range(spec.depth - 1, layer - 1, -1)
    return ("output-error", *(f"{kind}-{k}" for k in inner for kind in ("weights", "derivative")))


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
    options: Mapping[str, Option]
    linked: bool = False


class DoesNotFit(ValueError):
    """An option cannot be evaluated with these shapes."""


def _need(value: Any, point: str, option: Option) -> Any:
    if value is None:
        raise DoesNotFit(f"{point}={option.name} does not fit these shapes")
    return value


def layer_error(c: Pass, layer: int, options: Mapping[str, Option]) -> Array:
    """The error of a layer, (rows, m), with the options chosen. Raises DoesNotFit."""
    e = None
    for name in chain_points(c.spec, layer):
        at = c.spec.depth if name == "output-error" else int(name.split("-")[1])
        e = _need(options[name].apply(c, at, e), name, options[name])
    return e


def evaluate(c: Pass, recipe: Recipe) -> Array:
    """The answer for one parameter under one recipe. Raises DoesNotFit."""
    parameter, layer, options = recipe.parameter, int(recipe.parameter[1:]), recipe.options
    e = layer_error(c, layer, options)
    if parameter[0] == "W":
        q = _need(options["operand"].apply(c, layer, None), "operand", options["operand"])
        core = _need(options["product"].apply(c, layer, (e, q)), "product", options["product"])
    else:
        core = _need(options["bias-sum"].apply(c, layer, e), "bias-sum", options["bias-sum"])
    scale = 1.0
    for name in SCALES:
        scale *= _need(options[name].apply(c, layer, None), name, options[name])
    penalty: Penalty = options["penalty" if parameter[0] == "W" else "bias-penalty"]
    added = _need(penalty.apply(c, layer, None), "penalty", penalty)
    try:
        gradient = scale * penalty.scale(c) * c.scale * core + (scale if recipe.linked else 1.0) * added
        return options["update"].apply(c, c.value(parameter), gradient)
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


def find_option(options: tuple[Option, ...], point: str, name: str) -> Option:
    """The option called ``name``. Raises ValueError when there is none."""
    for option in options:
        if option.name == name:
            return option
    raise ValueError(f"unknown option {name!r} for {point}; choose among {', '.join(o.name for o in options)}")
