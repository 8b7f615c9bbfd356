"""Ways to carry the error back, from the output to a layer, as people err."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from autograder.diagnosis.spec import DERIVATIVES, Array, Pass, Spec, given, sigmoid
from autograder.diagnosis.steps import (
    Link,
    Option,
    Start,
    Through,
    right_way,
    wrong_way,
)

# Output error -----------------------------------------------------------------------------------------------------


def _times_output_derivative(c: Pass, v: Array) -> Array:
    """Multiply by the derivative of the output activation; for softmax this is a Jacobian for each example."""
    last = c.spec.depth
    if c.spec.output == "softmax":
        a = c.a[last]
        return np.asarray(a * (v - (a * v).sum(axis=0, keepdims=True)))
    return np.asarray(v * DERIVATIVES[c.spec.output](c.z[last]))


def output_options(spec: Spec) -> tuple[Start, ...]:
    """The output error."""
    last = spec.depth

    def option(mistakes: str, value: Callable[[Pass, Array, Array, Array], Array], name: str | None = None) -> Start:
        def apply(c: Pass) -> Array | None:
            return value(c, c.a[last], c.y, c.a[last] - c.y)

        return wrong_way(mistakes, apply, name) if mistakes else right_way(apply, name or "right")

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
                option("thresholded-prediction target-missing", lambda c, a, y, e: 1.0 * (a > 0.5)),
            ]
        return tuple(options)

    factor = 2.0 if spec.loss in ("mse", "weighted-mse") else 1.0
    robust = spec.loss in ("mae", "huber")

    def slope(e: Array) -> Array:
        return np.sign(e) if spec.loss == "mae" else np.clip(e, -1.0, 1.0) if spec.loss == "huber" else e

    def weights(c: Pass) -> Array:
        return given(c.output_weights)

    def weighted(c: Pass, v: Array) -> Array:
        return factor * v if c.output_weights is None else factor * weights(c) * v

    def through(c: Pass, v: Array) -> Array:
        return _times_output_derivative(c, weighted(c, v))

    options = [
        option("", lambda c, a, y, e: through(c, slope(e))),
        option("sign-flipped", lambda c, a, y, e: through(c, -slope(e))),
        *([option("squared-error-for-this-loss", lambda c, a, y, e: through(c, e))] if robust else []),
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
    elif spec.output in ("tanh", "relu") or robust:
        options += [
            option("output-derivative-missing", lambda c, a, y, e: weighted(c, slope(e))),
            option(
                "output-derivative-twice",
                lambda c, a, y, e: _times_output_derivative(c, through(c, slope(e))),
            ),
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


def weights_options(layer: int) -> tuple[Link, ...]:
    """From the error of the layer above to what reaches ``layer``."""
    above = layer + 1

    def by(matrix: Callable[[Pass], Array | None]) -> Through:
        return lambda c, at, e: _through(matrix(c), e, c.w[at].shape[0])

    def turned(held: Callable[[Pass], Mapping[int, Array]]) -> Through:
        return by(lambda c: held(c)[above].T if above in held(c) else None)

    def square(c: Pass) -> Array | None:
        return c.w[above] if c.w[above].shape[0] == c.w[above].shape[1] else None

    return (
        right_way(by(lambda c: c.w[above].T)),
        wrong_way(
            f"w{above}-updated-before-hidden-error" if above < 4 else "weights-updated-before-hidden-error",
            turned(lambda c: c.updated),
        ),
        wrong_way("gradient-used-for-weights", turned(lambda c: c.gradient)),
        wrong_way("weights-missing-in-hidden-error", lambda c, at, e: _broadcast(c, at, e)),
        wrong_way(
            "weights-missing-in-hidden-error",
            lambda c, at, e: _broadcast(c, at, e.sum(axis=-2, keepdims=True)),
            "ones-for-weights",
        ),
        wrong_way("weights-not-transposed", by(square)),
        wrong_way("wrong-layer-weights", by(lambda c: c.w[layer])),
        wrong_way("wrong-layer-weights", by(lambda c: c.w[layer].T), "wrong-layer-weights-transposed"),
        wrong_way("absolute-weights", by(lambda c: np.abs(c.w[above]).T)),
        wrong_way(
            "hidden-error-is-a1-minus-y",
            lambda c, at, e: None if (y := _broadcast(c, at, c.y)) is None else c.a[at] - y,
            fixed=True,
        ),
        wrong_way(
            "upstream-error-missing", lambda c, at, e: c.w[above].T.sum(axis=1, keepdims=True) + 0 * c.a[at], fixed=True
        ),
    )


NAMED = ("sigmoid", "tanh", "relu", "xtanhx", "linear")
"""Activations whose exchange with another one has a name of its own."""


def derivative_options(spec: Spec, layer: int) -> tuple[Link, ...]:
    """From what reaches ``layer`` to its error."""
    name = spec.hidden[layer - 1]

    def times(value: Callable[[Array, Array], Array]) -> Through:
        return lambda c, at, g: g * value(c.z[at], c.a[at])

    def option(mistakes: str, value: Callable[[Array, Array], Array], variant: str | None = None) -> Link:
        return wrong_way(mistakes, times(value), variant)

    def precedence(value: Callable[[Array, Array, Array], Array], *, inside: bool, variant: str) -> Link:
        # The slip mixes the error with a term that has no error in it, so it matters whether 1/m came before it.
        def apply(c: Pass, at: int, g: Array) -> Array | None:
            s = c.scale if inside else 1.0
            return value(g * s, c.z[at], c.a[at]) / s

        return wrong_way("derivative-without-brackets", apply, variant)

    def of_output(c: Pass, at: int, g: Array) -> Array | None:
        a = c.a[spec.depth]
        value = _broadcast(c, at, 1 - a**2 if spec.output == "tanh" else a * (1 - a))
        return None if value is None else g * value

    right = DERIVATIVES[name]
    options = [right_way(times(lambda z, a: right(z)))]
    if name == "relu":
        options += [
            Option("right-at-zero", (), times(lambda z, a: z >= 0)),
            Option("half-at-zero", (), times(lambda z, a: np.where(z == 0, 0.5, z > 0))),
        ]
    if name != "linear":
        options.append(option("activation-derivative-missing", lambda z, a: np.ones_like(z)))
        options.append(wrong_way("derivative-without-upstream-error", lambda c, at, g: right(c.z[at]), fixed=True))
        options.append(option("activation-derivative-twice", lambda z, a: right(z) ** 2))
    if name != "sigmoid":
        wrong = f"sigmoid-derivative-with-{name}" if name in NAMED else "derivative-of-another-activation"
        options += [
            option(wrong, lambda z, a: a * (1 - a)),
            option(wrong, lambda z, a: sigmoid(z) * (1 - sigmoid(z)), f"{wrong}-at-z"),
        ]
        if name != "linear":
            options.append(option(f"{wrong} pre-activation-in-derivative", lambda z, a: z * (1 - z)))
    if name != "tanh":
        wrong = f"tanh-derivative-with-{name}" if name in NAMED else "derivative-of-another-activation"
        options += [
            option(wrong, lambda z, a: 1 - a**2, f"tanh-derivative-with-{name}"),
            option(wrong, lambda z, a: 1 - np.tanh(z) ** 2, f"tanh-derivative-with-{name}-at-z"),
        ]
        if name != "linear":
            words = f"{wrong} pre-activation-in-derivative"
            options.append(option(words, lambda z, a: 1 - z**2, f"tanh-derivative-with-{name}-of-z"))
    if name not in ("relu", "sigmoid"):
        wrong = f"relu-derivative-with-{name}" if name in NAMED else "derivative-of-another-activation"
        options.append(option(wrong, lambda z, a: z > 0, f"relu-derivative-with-{name}"))
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
            option("activation-for-derivative", lambda z, a: a, "only-a"),
            option("relu-derivative-returns-z", lambda z, a: z, "returns-z"),
            option("relu-leaky-slope", lambda z, a: np.where(z > 0, 1.0, 0.01)),
            option("relu-leaky-slope", lambda z, a: np.where(z > 0, 1.0, 0.1), "relu-leaky-slope-of-0.1"),
            option("relu-step-inverted", lambda z, a: z < 0),
            option("relu-sign-for-step", lambda z, a: np.sign(z)),
            option("relu-threshold-at-one", lambda z, a: z > 1),
            wrong_way("relu-mask-from-upstream", lambda c, at, g: np.maximum(g, 0.0)),
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
        options.append(wrong_way("output-derivative-in-hidden-layer", of_output))
    return tuple(options)
