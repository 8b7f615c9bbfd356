"""Derivatives and output errors that no list has, composed of a few functions: for what no recipe explains."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache

import numpy as np

from autograder.diagnosis.spec import ACTIVATIONS, DERIVATIVES, Array, Pass, Spec, sigmoid
from autograder.diagnosis.steps import Link, Start, wrong_way

GENERAL = ("another-derivative", "another-output-error")
"""Mistakes that are a formula: which one, stands in the name of the option."""

Formula = tuple[str, Callable[[Array, Array], Array]]

_INNER: tuple[Formula, ...] = (
    ("Z", lambda z, a: z),
    ("A", lambda z, a: a),
    ("tanh(Z)", lambda z, a: np.tanh(z)),
    ("tanh(A)", lambda z, a: np.tanh(a)),
    ("sigmoid(Z)", lambda z, a: sigmoid(z)),
    ("sigmoid(A)", lambda z, a: sigmoid(a)),
    ("Z^2", lambda z, a: z**2),
    ("A^2", lambda z, a: a**2),
    ("tanh(A^2)", lambda z, a: np.tanh(a**2)),
    ("tanh(Z^2)", lambda z, a: np.tanh(z**2)),
    ("sigmoid(A^2)", lambda z, a: sigmoid(a**2)),
    ("exp(-Z)", lambda z, a: np.exp(-z)),
    ("exp(-A)", lambda z, a: np.exp(-a)),
    ("|A|", lambda z, a: np.abs(a)),
    ("(Z > 0)", lambda z, a: (z > 0).astype(float)),
)
_OUTER: tuple[tuple[str, Callable[[Array], Array]], ...] = (
    ("{}", lambda u: u),
    ("1 - {}", lambda u: 1 - u),
    ("({})^2", lambda u: u**2),
    ("1 - ({})^2", lambda u: 1 - u**2),
    ("{0} (1 - {0})", lambda u: u * (1 - u)),
    ("(1 - {})^2", lambda u: (1 - u) ** 2),
    ("1 + {}", lambda u: 1 + u),
    ("1 + ({})^2", lambda u: 1 + u**2),
    ("({})^2 - 1", lambda u: u**2 - 1),
    ("{0} (1 + {0})", lambda u: u * (1 + u)),
    ("1/(1 + {})", lambda u: 1 / (1 + u)),
    ("1/(1 + ({})^2)", lambda u: 1 / (1 + u**2)),
    ("1 - 2 {}", lambda u: 1 - 2 * u),
    ("({})^3", lambda u: u**3),
    ("(1 - ({})^2)^2", lambda u: (1 - u**2) ** 2),
)
DUE = {
    "sigmoid": "A (1 - A)",
    "tanh": "1 - A^2",
    "relu": "1 where Z > 0, else 0",
    "xtanhx": "tanh(Z) + Z (1 - tanh(Z)^2)",
    "linear": "1",
    "leaky-relu": "1 where Z > 0, else 0.01",
    "elu": "1 where Z > 0, else A + 1",
    "softplus": "sigmoid(Z)",
    "silu": "sigmoid(Z) (1 + Z (1 - sigmoid(Z)))",
    "gelu": "Phi(Z) + Z phi(Z)",
}


def _formulas() -> Iterator[Formula]:
    for inner, value in _INNER:
        for outer, wrap in _OUTER:
            text = outer.format(inner).replace(f"({inner})^2", f"{inner}^2" if inner[-2:] != "^2" else f"({inner})^2")
            yield text, lambda z, a, value=value, wrap=wrap: wrap(value(z, a))  # type: ignore[misc]
    for first, one in _INNER[:6]:
        for second, two in _INNER[:6]:
            if first != second:
                yield f"{first} {second}", lambda z, a, one=one, two=two: one(z, a) * two(z, a)  # type: ignore[misc]
                yield (
                    f"{first} (1 - {second})",
                    lambda z, a, one=one, two=two: one(z, a) * (1 - two(z, a)),  # type: ignore[misc]
                )
                yield (
                    f"{first} (1 - ({second})^2)",
                    lambda z, a, one=one, two=two: one(z, a) * (1 - two(z, a) ** 2),  # type: ignore[misc]
                )


@lru_cache(maxsize=32)
def derivative_formulas(name: str) -> tuple[Formula, ...]:
    """Functions of Z and A that somebody may take for the derivative, each once; the right one is left out."""
    z = np.random.default_rng(7).normal(size=(1, 24)) * 1.3
    a = ACTIVATIONS[name](z)
    kept: list[Formula] = []
    seen = {_rounded(DERIVATIVES[name](z)), _rounded(np.ones_like(z))}
    with np.errstate(all="ignore"):
        for text, value in _formulas():
            v = value(z, a)
            if np.isfinite(v).all() and np.abs(v).max() > 0 and _rounded(v) not in seen:
                seen.add(_rounded(v))
                kept.append((text, value))
    return tuple(kept)


def _rounded(values: Array) -> tuple[float, ...]:
    return tuple(np.round(values.ravel(), 9) + 0.0)


@lru_cache(maxsize=32)
def wide_derivatives(name: str) -> tuple[Link, ...]:
    """What reaches a hidden layer times any of these functions."""

    def option(text: str, value: Callable[[Array, Array], Array]) -> Link:
        return wrong_way("another-derivative", lambda c, at, g: g * value(c.z[at], c.a[at]), text)

    return tuple(option(text, value) for text, value in derivative_formulas(name))


def formula_option(text: str) -> Link:
    """What reaches a hidden layer times a polynomial of A or Z that was solved for."""
    value = polynomial_of(text)
    return wrong_way("another-derivative", lambda c, at, g: g * value(c.z[at], c.a[at]), text)


_TERM = re.compile(r"([+-]?) ?([0-9.]+(?:e-?\d+)?)? ?(?:([AZ])(?:\^(\d))?)?(?: |$)")


def polynomial_of(text: str) -> Callable[[Array, Array], Array]:
    """The function that is written like ``1 - 0.5 A^2``."""
    terms = [(s, n, u, p) for s, n, u, p in _TERM.findall(text) if n or u]

    def value(z: Array, a: Array) -> Array:
        total = np.zeros_like(z)
        for sign, number, letter, power in terms:
            u = np.ones_like(z) if not letter else (a if letter == "A" else z) ** int(power or 1)
            total = total + (-1.0 if sign == "-" else 1.0) * float(number or 1) * u
        return total

    return value


def _parts(spec: Spec) -> dict[str, Callable[[Array, Array, Array], Array]]:
    hard = (lambda z, a, y: (a == a.max(axis=0)).astype(float)) if spec.output == "softmax" else None
    return {
        "1": lambda z, a, y: np.ones_like(a),
        "A": lambda z, a, y: a,
        "Y": lambda z, a, y: y,
        "Z": lambda z, a, y: z,
        "(A - Y)": lambda z, a, y: a - y,
        "|A - Y|": lambda z, a, y: np.abs(a - y),
        "(1 - A)": lambda z, a, y: 1 - a,
        "(1 - Y)": lambda z, a, y: 1 - y,
        "class(A)": hard or (lambda z, a, y: (a > 0.5).astype(float)),
        "(class(A) - Y)": lambda z, a, y: (hard(z, a, y) if hard else (a > 0.5)) - y,
        "log(A)": lambda z, a, y: np.log(a),
        "log(1 - A)": lambda z, a, y: np.log(1 - a),
        "A (1 - A)": lambda z, a, y: a * (1 - a),
        "(1 - A^2)": lambda z, a, y: 1 - a**2,
        "(1/A)": lambda z, a, y: 1 / a,
        "(1/(1 - A))": lambda z, a, y: 1 / (1 - a),
    }


@lru_cache(maxsize=32)
def wide_output_errors(spec: Spec) -> tuple[Start, ...]:
    """Products of two or three simple functions of the output and the target."""
    parts = _parts(spec)
    names = list(parts)

    def option(text: str, chosen: tuple[str, ...]) -> Start:
        def value(c: Pass) -> Array:
            last = c.spec.depth
            made = np.ones_like(c.a[last])
            for name in chosen:
                made = made * parts[name](c.z[last], c.a[last], c.y)
            return made

        return wrong_way("another-output-error", value, text)

    made = []
    for i, one in enumerate(names):
        for two in names[i:]:
            if one == "1" and two == "1":
                continue
            made.append(option(" ".join(n for n in (one, two) if n != "1"), (one, two)))
    return tuple(made)
