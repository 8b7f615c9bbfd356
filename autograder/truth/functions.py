"""Activations and losses as sympy expressions: the forward formulas, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache

import sympy as sp

Vector = Sequence[sp.Expr]

_Z = sp.Symbol("z", real=True)
_A = sp.Symbol("a", real=True)
_EXP = sp.Symbol("e", positive=True)


def sigmoid(z: sp.Expr) -> sp.Expr:
    """sigma(z) = 1 / (1 + exp(-z))."""
    return 1 / (1 + sp.exp(-z))


def relu(z: sp.Expr) -> sp.Expr:
    """max(0, z), written as a piecewise expression so that sympy differentiates it away from the kink."""
    return sp.Piecewise((z, z > 0), (sp.Integer(0), True))


def xtanhx(z: sp.Expr) -> sp.Expr:
    """z tanh z, known as LiSHT (Roy et al., 2019)."""
    return z * sp.tanh(z)


SCALAR: dict[str, Callable[[sp.Expr], sp.Expr]] = {
    "linear": lambda z: z,
    "sigmoid": sigmoid,
    "tanh": sp.tanh,
    "relu": relu,
    "xtanhx": xtanhx,
}
"""Activations that act on one entry."""


def softmax(z: Vector) -> list[sp.Expr]:
    """exp(z_i) / sum_k exp(z_k)."""
    total = sum(sp.exp(entry) for entry in z)
    return [sp.exp(entry) / total for entry in z]


def _entrywise(function: Callable[[sp.Expr], sp.Expr]) -> Callable[[Vector], list[sp.Expr]]:
    return lambda z: [function(entry) for entry in z]


ACTIVATIONS: dict[str, Callable[[Vector], list[sp.Expr]]] = {
    **{name: _entrywise(function) for name, function in SCALAR.items()},
    "softmax": softmax,
}
"""Activation of a layer by name: the pre-activations of one example to its activations."""


def binary_cross_entropy(a: Vector, y: Vector, weights: Vector) -> sp.Expr:
    """-(y log a + (1 - y) log(1 - a)), summed over the outputs of one example."""
    return sum(-(t * sp.log(p) + (1 - t) * sp.log(1 - p)) for p, t in zip(a, y, strict=True))


def categorical_cross_entropy(a: Vector, y: Vector, weights: Vector) -> sp.Expr:
    """-sum_k y_k log a_k of one example."""
    return sum(-t * sp.log(p) for p, t in zip(a, y, strict=True))


def squared_error(a: Vector, y: Vector, weights: Vector) -> sp.Expr:
    """sum_k (a_k - y_k)^2 of one example: no factor 1/2."""
    return sum((p - t) ** 2 for p, t in zip(a, y, strict=True))


def weighted_squared_error(a: Vector, y: Vector, weights: Vector) -> sp.Expr:
    """sum_k w_k (a_k - y_k)^2 of one example."""
    return sum(w * (p - t) ** 2 for p, t, w in zip(a, y, weights, strict=True))


def hinge(a: Vector, y: Vector, weights: Vector) -> sp.Expr:
    """sum_k max(0, 1 - y_k a_k) of one example, labels -1 and +1."""
    return sum(relu(1 - t * p) for p, t in zip(a, y, strict=True))


LOSSES: dict[str, Callable[[Vector, Vector, Vector], sp.Expr]] = {
    "bce": binary_cross_entropy,
    "ce": categorical_cross_entropy,
    "mse": squared_error,
    "weighted-mse": weighted_squared_error,
    "hinge": hinge,
}
"""Loss of one example by name; a network's loss is the mean over its examples."""


def derivative(activation: str) -> sp.Expr:
    """f'(z) of an activation that acts on one entry, as an expression in ``z``."""
    return sp.diff(SCALAR[activation](_Z), _Z)


@cache
def inverse(called: str, a: sp.Symbol) -> sp.Expr | None:
    """The z with f(z) = a where there is exactly one, else None: it writes f' in terms of the activation."""
    if called == "linear":
        return a
    if called == "relu":
        return a  # on the side where f' is not zero the activation is its own argument
    if called == "tanh":
        return sp.atanh(a)
    if called == "sigmoid":
        top = sp.expand(sp.fraction(sp.together(_in_exp(SCALAR[called](_Z), 1) - a))[0])  # linear in exp(-z)
        return -sp.log(sp.cancel(-top.subs(_EXP, 0) / sp.diff(top, _EXP)))
    return None


def derivative_from_output(activation: str) -> sp.Expr | None:
    """f'(z) written with a = f(z), as an expression in ``a``; None where f has no inverse.

    >>> derivative_from_output("sigmoid")
    -a*(a - 1)
    """
    z_of_a = inverse(activation, _A)
    return None if z_of_a is None else sp.factor(derivative(activation).subs(_Z, z_of_a))


def far_out(expression: sp.Expr, sign: int) -> sp.Expr:
    """The limit of an expression in ``z`` and exponentials of it, for z to infinity or, with ``sign`` -1, minus that.

    With e = exp(-z) it is a quotient of polynomials in z and e, and every power of z times one of e tends to zero; what
    is left is a quotient of polynomials in z. ``sympy.limit`` gives the same, and takes most of a second. Raises
    ValueError for what is no such quotient.
    """
    top, bottom = (part.subs(_EXP, 0) for part in sp.fraction(sp.cancel(sp.together(_in_exp(expression, sign)))))
    if not bottom or not (top.is_polynomial(_Z) and bottom.is_polynomial(_Z)):
        raise ValueError(f"{expression} is not known far out")
    leading, other = sp.Poly(top, _Z), sp.Poly(bottom, _Z)
    if leading.degree() < other.degree():
        return sp.Integer(0)
    quotient = leading.LC() / other.LC()
    return quotient * sp.oo if leading.degree() > other.degree() else quotient


def _in_exp(expression: sp.Expr, sign: int) -> sp.Expr:
    """The expression at z, or at -z, with a symbol in the place of exp(-z)."""
    found = expression.subs(_Z, sign * _Z).rewrite(sp.exp)
    return found.subs({sp.exp(-_Z): _EXP, sp.exp(_Z): 1 / _EXP})
