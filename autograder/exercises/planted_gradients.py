"""Planted gradients, right and wrong, for checkers of gradients.

A planted function is a table of numbers, a forward pass and its backward pass alike, so that nothing in the process
that runs it says which is right: no name, no place, no formula. Both are sums of rows; a row bends w x + b in one of
the ways of :data:`BENT`. The rows of the backward pass are split, scaled and shuffled, the rights and wrongs drawn as
well. Whoever reads the tables out of the closures has to differentiate them, which is more than the task asks for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import mpmath
import numpy as np

from autograder.truth import many_digits

BENT = ("u", "u**2", "tanh", "sin", "abs", "cos", "tanh**2", "1", "sign", "sign, 1 at 0", "sign, -1 at 0")
"""What a row may make of its number u; the probe has them in this order."""

U, SQUARE, TANH, SIN, ABS, COS, TANH_SQUARED, ONE, SIGN, SIGN_UP, SIGN_DOWN = range(len(BENT))

SLOPES = {
    U: ((ONE, 1.0),),
    SQUARE: ((U, 2.0),),
    TANH: ((ONE, 1.0), (TANH_SQUARED, -1.0)),
    SIN: ((COS, 1.0),),
    ABS: ((SIGN, 1.0),),
}
"""The derivative of each, as a sum."""

WRONG_SLOPES = {**SLOPES, SQUARE: ((U, 1.0),), TANH: ((TANH, 1.0), (TANH_SQUARED, -1.0)), SIN: ((SIN, 1.0),)}
"""The 2 of the square lost, the derivative of the sigmoid, a sine for a cosine."""

PARTS = 16
"""So many rows has every backward pass, right or wrong."""

LEAST = 0.05
"""By so much of itself differs at least one entry of a wrong gradient."""


@dataclass(frozen=True)
class Row:
    """One row: how u = w x + b is bent, and what by; ``out`` are its shares in the outputs.

    In a backward pass ``back`` are its shares in the inputs.
    """

    bent: int
    w: np.ndarray
    b: float
    out: np.ndarray
    back: np.ndarray | None = None


Rows = Sequence[Row]
Slip = Callable[[np.random.Generator, list[Row]], list[Row]]


_SIGNS = np.array([-1.0, 1.0])
"""Indexed by ``rng.integers(0, 2)`` this draws what ``rng.choice`` of it would, in a tenth of the time."""


def derived(rows: Rows, slopes: dict[int, tuple[tuple[int, float], ...]] = SLOPES) -> list[Row]:
    """The rows of the backward pass."""
    return [replace(row, bent=bent, back=factor * row.w) for row in rows for bent, factor in slopes[row.bent]]


def _all(change: Callable[[np.random.Generator, np.ndarray], np.ndarray]) -> Slip:
    """A slip that changes what goes back to the inputs, in all rows in the same way."""

    def slip(rng: np.random.Generator, rows: list[Row]) -> list[Row]:
        backs = change(rng, np.array([row.back for row in derived(rows)]))
        return [replace(row, back=back) for row, back in zip(derived(rows), backs)]

    return slip


def _entry(rng: np.random.Generator, backs: np.ndarray) -> np.ndarray:
    return backs * np.where(np.arange(backs.shape[1]) == rng.integers(backs.shape[1]), rng.uniform(1.2, 2), 1)


SLIPS: dict[str, Slip] = {
    "sign": _all(lambda rng, backs: -backs),
    "factor": _all(lambda rng, backs: backs * rng.choice([0.5, 2.0, 3.0])),
    "entry": _all(_entry),
    "exchanged": _all(lambda rng, backs: np.roll(backs, 1, axis=1)),
    "derivative": lambda rng, rows: derived(rows, WRONG_SLOPES),
    "passed on": lambda rng, rows: derived(rows, dict.fromkeys(SLOPES, ((ONE, 1.0),))),
    "term": lambda rng, rows: derived(rows[:-1]),
}
"""What people get wrong, each as a change of the backward rows."""


ROUTES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "turned": lambda to: np.roll(to, 1, axis=0),
    "reversed": lambda to: to[::-1],
    "neighbours": lambda to: to[[1, 0, *range(2, len(to))]],
    "averaged": lambda to: np.full(to.shape, 1 / len(to)),
    "centred": lambda to: to - 1 / len(to),
    "first lost": lambda to: to * (np.arange(len(to)) > 0)[:, None],
    "last lost": lambda to: to * (np.arange(len(to)) < len(to) - 1)[:, None],
}
"""What becomes of the outputs' shares on the way back, as a matrix in the place of ones on the diagonal.

Whatever is special about an upstream gradient hides one: equal entries the first four, a sum of zero the mean that is
taken off, a zero at an end what is lost there, as by a loop that begins at 1.
"""


def routed(how: str) -> Slip:
    """A slip that sends what belongs to an output elsewhere."""

    def slip(rng: np.random.Generator, rows: list[Row]) -> list[Row]:
        return [replace(row, out=ROUTES[how](np.eye(len(row.out))) @ row.out) for row in derived(rows)]

    return slip


def planted(
    rng: np.random.Generator, rows: Rows, back: Rows, x: np.ndarray, form: Sequence[int] | None = None
) -> dict[str, Any]:
    """What is sent: the point, both tables, and the shape in which the gradient comes."""
    parts = list(back)
    while len(parts) < PARTS:
        split, share = parts.pop(int(rng.integers(len(parts)))), rng.uniform(0.2, 0.8)
        assert split.back is not None
        for part in (share, 1 - share):
            unit = rng.uniform(0.5, 2) * _SIGNS[rng.integers(0, 2)]
            parts.append(Row(split.bent, split.w, split.b, split.out * unit, part / unit * split.back))
    return {
        "x": x,
        "forward": _table([rows[k] for k in rng.permutation(len(rows))]),
        "backward": _table([parts[k] for k in rng.permutation(PARTS)]),
        "form": [int(n) for n in (x.shape if form is None else form)],
    }


def _table(rows: Rows) -> list[np.ndarray]:
    columns = [[row.bent for row in rows], [row.w for row in rows], [row.b for row in rows], [row.out for row in rows]]
    columns += [[row.back for row in rows]] if rows[0].back is not None else []
    return [np.array(column, dtype=float) for column in columns]


def gradient(table: Sequence[np.ndarray], x: np.ndarray, upstream: np.ndarray) -> np.ndarray:
    """What a backward table gives."""
    bent, w, b, out, back = table
    u = w @ np.ravel(x) + b
    values = [u, u**2, np.tanh(u), np.sin(u), abs(u), np.cos(u), np.tanh(u) ** 2, u**0, np.sign(u)]
    values += [np.where(u >= 0, 1, -1), np.where(u > 0, 1, -1)]
    return np.asarray((np.array(values)[bent.astype(int), np.arange(len(u))] * (out @ upstream)) @ back)


def drawn(
    rng: np.random.Generator, slip: Slip | None, *, n: int = 4, outputs: int = 1, scale: float = 1.0,
    size: Sequence[float] | np.ndarray | None = None, unused: bool = False, whole: bool = False, zero: bool = False,
) -> dict[str, Any]:  # fmt: skip
    """A smooth function of n inputs with its gradient, right without a ``slip``, else off by :data:`LEAST` or more.

    ``scale`` multiplies the function, ``size`` says how large each input is, one may be ``unused``, one ``zero``, and
    all may be ``whole`` numbers. The entries of a gradient are of one order, measured in these sizes.
    """
    sizes = np.ones(n) if size is None else np.asarray(size)
    while True:
        x = sizes * of_size(rng, n)
        x = np.trunc(x).astype(int) if whole else x
        x = x * (np.arange(n) != rng.integers(n)) if zero else x
        rows = [
            Row(int(bent), of_size(rng, n) / sizes / 2, float(rng.uniform(-0.5, 0.5)), scale * of_size(rng, outputs))
            for bent in rng.choice([SQUARE, TANH, SIN], 2, replace=False)
        ]
        rows.append(Row(int(rng.choice([SQUARE, TANH, SIN])), *_again(rng, rows[0], sizes, scale, outputs)))
        if unused:
            rows = [replace(row, w=row.w * (np.arange(n) > 0)) for row in rows]
        back = derived(rows) if slip is None else slip(rng, rows)
        upstream = of_size(rng, outputs) if outputs > 1 else np.ones(1)
        right = gradient(_table(derived(rows)), x, upstream) * sizes / abs(scale)
        given = gradient(_table(back), x, upstream) * sizes / abs(scale)
        largest = np.maximum(np.abs(right), np.abs(given))
        off = np.max(np.abs(right - given) / np.where(largest > 0, largest, 1))
        if np.min(np.abs(right[int(unused) :])) > 0.1 and (slip is None or off > LEAST):
            return planted(rng, rows, back, x.reshape(2, 3) if n == 6 else x)


def _again(
    rng: np.random.Generator, like: Row, sizes: np.ndarray, scale: float, outputs: int
) -> tuple[np.ndarray, float, np.ndarray]:
    return of_size(rng, len(sizes)) / sizes / 2, -like.b, scale * of_size(rng, outputs)


def of_size(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """Entries between 0.4 and 1.2 with random signs."""
    return rng.uniform(0.4, 1.2, shape) * _SIGNS[rng.integers(0, 2, shape)]


def beside_a_large_one(rng: np.random.Generator, wrong: bool) -> dict[str, Any]:
    """One entry of the gradient is 1e8 times as large as the others, and one of the others may be wrong."""
    n, large = 4, int(rng.integers(4))
    rows = [
        Row(U, np.where(np.arange(n) == k, 1e8 if k == large else rng.uniform(0.5, 2), 0.0), 0.0, np.ones(1))
        for k in range(n)
    ]
    x = of_size(rng, n)
    x[large] = rng.choice([-0.5, 0.5])
    rows[large] = replace(rows[large], b=float(-1e8 * x[large]))
    back = derived(rows)
    if wrong:
        k = int(rng.choice([k for k in range(n) if k != large]))
        back[k] = replace(back[k], back=rng.choice([0.5, 1.5, -1.0]) * rows[k].w)
    return planted(rng, rows, back, x)


def with_kinks(rng: np.random.Generator, wrong: str = "") -> dict[str, Any]:
    """A ReLU or |x| of each input, one exactly at its kink and one nearer to it than any sensible step.

    At the kink every slope between those of its two sides is right. ``wrong`` is a slope outside of these (``kink``),
    or a wrong entry where there is no kink (``elsewhere``).
    """
    n = 4
    x = rng.choice([-2.0, -1.0, 1.0, 2.0], n) * rng.choice([0.5, 0.75, 1.0], n)
    at, near, smooth = (int(k) for k in rng.permutation(n)[:3])
    away = [float(rng.choice([-0.5, 0.5])) for _ in range(n)]
    away[at], away[near] = 0.0, float(rng.choice([-1.0, 1.0]) * 2.0**-44)
    rows, back = [], []
    for k in range(n):
        w, half = np.eye(n)[k], float(rng.choice([0.5, 1.0, 2.0]))
        bend = Row(ABS, w, away[k] - float(x[k]), np.array([half * rng.choice([-1.0, 1.0])]))
        line = Row(U, w, 0.0, np.array([half * rng.choice([0.0, 3.0, -3.0, *([1.0, -1.0] * (k in (at, near)))])]))
        rows += [bend, line]
        slope = int(rng.choice([SIGN, SIGN_UP, SIGN_DOWN]))
        factor = 1.0
        if (wrong == "kink" and k == at) or (wrong == "elsewhere" and k == smooth):
            factor, slope = float(rng.choice([-3.0, 3.0])), int(rng.choice([SIGN_UP, SIGN_DOWN]))
        back += [replace(bend, bent=slope, back=factor * w), replace(line, bent=ONE, back=w)]
    return planted(rng, rows, back, x)


# Exact slopes ---------------------------------------------------------------------------------------------------------

_EXACT = (
    lambda u: u, lambda u: u**2, mpmath.tanh, mpmath.sin, abs, mpmath.cos, lambda u: mpmath.tanh(u) ** 2, lambda u: 1,
)  # fmt: skip


def exact_slope(table: Sequence[np.ndarray], x: np.ndarray, entry: int, *, order: int = 1, side: int = 0) -> Any:
    """The derivative of the first output by one input, by differences at fifty digits; of one ``side`` if not 0."""
    bent, w, b, out = table
    with many_digits():
        at = [mpmath.mpf(float(one)) for one in np.ravel(x)]

        def f(z: Any) -> Any:
            point = [z if k == entry else one for k, one in enumerate(at)]
            numbers = [mpmath.fdot(map(mpmath.mpf, row.tolist()), point) + mpmath.mpf(float(c)) for row, c in zip(w, b)]
            return mpmath.fsum(mpmath.mpf(float(a[0])) * _EXACT[int(kind)](u) for a, kind, u in zip(out, bent, numbers))

        step = max(abs(at[entry]), mpmath.mpf(1)) * mpmath.mpf(10) ** -16
        return mpmath.diff(f, at[entry], order, h=step, direction=side)
