"""Ways from the error of a layer to what is handed in for one of its parameters, as people err."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from autograder.diagnosis.spec import DERIVATIVES, Array, Pass, Spec
from autograder.diagnosis.steps import (
    Link,
    Operand,
    Penalty,
    Product,
    Scale,
    Through,
    Update,
    right_way,
    wrong_way,
)

# Gradient of a parameter from the error of its layer -----------------------------------------------------------------


def operand_options() -> tuple[Operand, ...]:
    """What the error of a layer is multiplied by."""

    def if_there(held: Mapping[int, Array], layer: int) -> Array | None:
        return held.get(layer)

    def derivative(c: Pass, at: int) -> Array | None:
        name = c.activation(at - 1) if at > 1 else "softmax"
        return None if name in ("softmax", "linear") else DERIVATIVES[name](c.z[at - 1])

    return (
        right_way(lambda c, at: c.a[at - 1]),
        wrong_way(
            "z-for-a-in-gradient",
            lambda c, at: c.z[at - 1] if at > 1 and c.activation(at - 1) != "linear" else None,
        ),
        wrong_way("wrong-layer-activation", lambda c, at: if_there(c.a, at), "activation-of-this-layer"),
        wrong_way("wrong-layer-activation", lambda c, at: if_there(c.a, at - 2), "activation-two-layers-back"),
        wrong_way("derivative-for-activation-in-gradient", derivative),
    )


def product_options() -> tuple[Product, ...]:
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
        right_way(lambda c, at, e, q: e @ q.T),
        wrong_way("result-transposed", lambda c, at, e, q: q @ np.swapaxes(e, -1, -2)),
        wrong_way("gradient-collapsed-to-one-number", lambda c, at, e, q: filled(e, q, "mean"), "mean-of-the-gradient"),
        wrong_way("gradient-collapsed-to-one-number", lambda c, at, e, q: filled(e, q, "sum"), "sum-of-the-gradient"),
        wrong_way("only-one-example", lambda c, at, e, q: e[..., :1] @ q[:, :1].T, "only-the-first-example"),
        wrong_way("only-one-example", lambda c, at, e, q: e[..., -1:] @ q[:, -1:].T, "only-the-last-example"),
        wrong_way("averaged-before-the-product", lambda c, at, e, q: total(e)[..., :, None] * q.mean(axis=1)),
        wrong_way("elementwise-for-matrix-product", elementwise),
    )


def bias_options(spec: Spec) -> tuple[Link, ...]:
    """The sum of the error over the examples."""

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
        right_way(lambda c, at, e: e.sum(axis=-1, keepdims=True)),
        wrong_way("bias-not-summed-over-batch", lambda c, at, e: e, "bias-not-summed"),
        wrong_way("only-one-example", lambda c, at, e: e[..., :1], "bias-from-the-first-example"),
        wrong_way("only-one-example", lambda c, at, e: e[..., -1:], "bias-from-the-last-example"),
        wrong_way("bias-summed-over-everything", lambda c, at, e: everything(e)),
        wrong_way(
            "bias-summed-over-everything", lambda c, at, e: everything(e) / e.shape[-2], "bias-mean-of-everything"
        ),
        wrong_way("bias-summed-over-units", lambda c, at, e: e.sum(axis=-2)[..., :, None]),
        wrong_way("bias-from-rows-of-dw", lambda c, at, e: rows_of_dw(c, at, e, "sum")),
        wrong_way("bias-from-rows-of-dw", lambda c, at, e: rows_of_dw(c, at, e, "mean"), "bias-from-row-means-of-dw"),
        *(
            wrong_way("bias-of-another-layer", of_layer(other), f"bias-of-layer-{other}")
            for other in range(1, spec.depth + 1)
            if spec.depth > 1
        ),
    )


# Scale, penalty, update ----------------------------------------------------------------------------------------------


def _factor(mistake: str, value: Callable[[Pass], float | None], name: str | None = None) -> Scale:
    return wrong_way(mistake, value, name)


_ONE: Scale = right_way(lambda c: 1.0)


def scale_options(spec: Spec) -> dict[str, tuple[Scale, ...]]:
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


def penalty_options(spec: Spec) -> tuple[Penalty, ...]:
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


def bias_penalty_options(spec: Spec) -> tuple[Penalty, ...]:
    """What is added to the gradient of a bias."""
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


def update_options(spec: Spec) -> tuple[Update, ...]:
    """From a parameter and its gradient to what is handed in."""
    if spec.result == "gradients":
        return (right_way(lambda c, p, g: g),)
    return (
        right_way(lambda c, p, g: p - c.rate * g),
        wrong_way("parameter-never-updated", lambda c, p, g: p + 0 * g, fixed=True),
        wrong_way("parameter-assigned-not-updated", lambda c, p, g: c.rate * g, "parameter-is-the-step"),
        wrong_way("parameter-assigned-not-updated", lambda c, p, g: -c.rate * g, "parameter-is-minus-the-step"),
        wrong_way("parameter-assigned-not-updated", lambda c, p, g: g, "parameter-is-the-gradient"),
    )
