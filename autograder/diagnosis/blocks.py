"""Norms, dropout and what is added to a branch as people write them, as lists of steps, with known slips.

Examples lie along the first axis, as in most code: x is (m, n). What a layer takes, its docstring says.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from autograder.diagnosis.spec import Array
from autograder.diagnosis.tape import Backward, Slip, Step, Values

EPSILON = 1e-5


def slip(
    mistake: str, backward: Backward | None, name: str = "", forward: Callable[[Values], Array] | None = None
) -> Slip:
    """A slip by the ids of its mistakes, with a blank between them; its name is theirs where none is given."""
    return Slip(tuple(mistake.split()), name or mistake.replace(" ", "+"), backward, forward)


def number(values: Values, name: str, default: float) -> float:
    """A number among the inputs, or what it is where it is not given. Raises ValueError."""
    value = np.asarray(values.get(name, default), float)
    if value.size != 1:
        raise ValueError(f"{name} has shape {value.shape}; one number was expected")
    return float(value.reshape(()))


# Normalisation -------------------------------------------------------------------------------------------------------


def normalised(x: str, out: str, axis: int, line: str) -> Step:
    """(x - mean) / sqrt(variance + eps) along an axis. What follows, gamma and beta, is a step of its own."""
    other = 1 - axis

    def parts(v: Values, ddof: int = 0, eps: float | None = None) -> tuple[Array, Array]:
        centred = v[x] - v[x].mean(axis=axis, keepdims=True)
        spread = v[x].var(axis=axis, keepdims=True, ddof=ddof)
        return centred, np.sqrt(spread + (number(v, "eps", EPSILON) if eps is None else eps))

    def forward(v: Values) -> Array:
        centred, s = parts(v)
        return np.asarray(centred / s)

    def back(
        v: Values, d: Array, mean: bool = True, variance: bool = True, power: int = 1, along: int = axis,
        total: bool = False, ddof: int = 0, eps: float | None = None,
    ) -> list[Array]:  # fmt: skip
        centred, s = parts(v, ddof, eps)
        h, count = centred / s, centred.shape[axis]
        scale = float(count) if total else 1.0
        inner = d.copy()
        if mean:
            inner = inner - scale * d.mean(axis=along, keepdims=True)
        if variance:
            inner = inner - h * scale * (d * h).mean(axis=along, keepdims=True) * (
                count / (count - ddof) if ddof else 1.0
            )
        return [inner / s**power]

    def inside(v: Values, d: Array) -> Values:
        centred, s = parts(v)
        h = centred / s
        return {
            "the mean of {0}": v[x].mean(axis=axis, keepdims=True),
            "{0} minus its mean": centred,
            "the variance of {0}": v[x].var(axis=axis, keepdims=True),
            "the root of the variance of {0} and epsilon": s,
            "one over the root of the variance of {0} and epsilon": 1 / s,
            "the mean of the gradient of {1}": d.mean(axis=axis, keepdims=True),
            "the mean of the gradient of {1} times {1}": (d * h).mean(axis=axis, keepdims=True),
        }

    def outside(v: Values) -> Array:
        centred, s = parts(v, eps=0.0)
        return np.asarray(centred / (s + number(v, "eps", EPSILON)))

    return Step(
        out,
        (x,),
        forward,
        back,
        (
            slip("norm-variance-constant", lambda v, d: back(v, d, variance=False)),
            slip("norm-mean-constant", lambda v, d: back(v, d, mean=False)),
            slip("norm-mean-constant norm-variance-constant", lambda v, d: back(v, d, mean=False, variance=False)),
            slip("norm-not-divided", lambda v, d: back(v, d, power=0)),
            slip("norm-divided-by-variance", lambda v, d: back(v, d, power=2)),
            slip("norm-sums-for-means", lambda v, d: back(v, d, total=True)),
            slip("norm-along-the-other-axis", lambda v, d: back(v, d, along=other)),
            slip(
                "norm-unbiased-variance",
                lambda v, d: back(v, d, ddof=1),
                forward=lambda v: parts(v, 1)[0] / parts(v, 1)[1],
            ),
            slip("norm-epsilon-misplaced", None, "epsilon-outside-the-root", outside),
            slip(
                "norm-epsilon-misplaced",
                lambda v, d: back(v, d, eps=0.0),
                "epsilon-left-out",
                lambda v: parts(v, eps=0.0)[0] / parts(v, eps=0.0)[1],
            ),
        ),
        line,
        inside=inside,
    )


def scaled(x: str, gamma: str, beta: str, out: str, axis: int, line: str, before: str, along: int) -> Step:
    """gamma x + beta, summed along ``axis``; ``before`` is what was normalised along another one."""

    def centred(v: Values) -> Array:
        return np.asarray(v[before] - v[before].mean(axis=along, keepdims=True))

    def over(v: Values, d: Array) -> Array:
        return np.asarray(d.sum(axis=axis).reshape(np.shape(v[gamma])))

    def back(v: Values, d: Array) -> list[Array]:
        return [d * v[gamma], over(v, d * v[x]), d.sum(axis=axis).reshape(np.shape(v[beta]))]

    def only(**changed: Callable[[Values, Array], Array]) -> Backward:
        def wrong(v: Values, d: Array) -> list[Array]:
            right = back(v, d)
            return [changed[n](v, d) if n in changed else right[k] for k, n in enumerate(("x", "gamma", "beta"))]

        return wrong

    slips = (
        slip("norm-gamma-missing", only(x=lambda v, d: d)),
        slip("norm-scale-from-the-sum", only(gamma=lambda v, d: over(v, d))),
        slip("norm-scale-along-the-other-axis", only(gamma=lambda v, d: (d * v[x]).sum(axis=1 - axis))),
        slip("norm-scale-along-the-other-axis", only(beta=lambda v, d: d.sum(axis=1 - axis)), "of-beta"),
        slip("norm-scale-not-summed", only(gamma=lambda v, d: d * v[x])),
        slip("norm-scale-not-summed", only(beta=lambda v, d: d), "of-beta"),
        slip("norm-input-for-normalised", only(gamma=lambda v, d: over(v, d * v[before]))),
        slip("norm-centred-for-normalised", only(gamma=lambda v, d: over(v, d * centred(v)))),
    )
    return Step(out, (x, gamma, beta), lambda v: v[gamma] * v[x] + v[beta], back, slips, line)


def norm(axis: int) -> Callable[[Values], list[Step]]:
    """gamma (x - mean) / sqrt(variance + eps) + beta, over the examples (axis 0) or the features (axis 1)."""

    def made(v: Values) -> list[Step]:
        _flat(v, ("gamma", "beta"))
        return [
            normalised("x", "h", axis, "the normalisation"),
            scaled("h", "gamma", "beta", "out", 0, "scale and shift", "x", axis),
        ]

    return made


def _flat(v: Values, names: Sequence[str]) -> None:
    for name in names:
        if np.ndim(v[name]) != 1 or len(v[name]) != v["x"].shape[-1]:
            raise ValueError(f"{name} has shape {np.shape(v[name])}; one number for each column of x was expected")


# Dropout and residual connections ------------------------------------------------------------------------------------


def dropped(x: str, mask: str, out: str, line: str) -> Step:
    """x times the mask, divided by ``keep`` where that is given (inverted dropout)."""

    def keep(v: Values) -> float:
        return number(v, "keep", 1.0)

    slips = (
        slip("dropout-mask-missing dropout-not-scaled", lambda v, d: [d]),
        slip("dropout-mask-missing", lambda v, d: [d / keep(v)], "only-scaled"),
        slip("dropout-not-scaled", lambda v, d: [d * v[mask]]),
        slip("dropout-scaled-twice", lambda v, d: [d * v[mask] / keep(v) ** 2]),
        slip("dropout-multiplied-by-keep", lambda v, d: [d * v[mask] * keep(v)]),
        slip("dropout-mask-inverted", lambda v, d: [d * (1 - v[mask]) / keep(v)]),
    )

    def made(v: Values) -> Array:
        return np.asarray(v[x] * v[mask] / keep(v))

    return Step(out, (x,), made, lambda v, d: [d * v[mask] / keep(v)], slips, line)


def added(x: str, branch: str, out: str, line: str) -> Step:
    """A residual connection: what goes around is added to what goes through."""
    return Step(
        out,
        (x, branch),
        lambda v: v[x] + v[branch],
        lambda v, d: [d, d],
        (
            slip("residual-path-missing", lambda v, d: [None, d]),
            slip("residual-branch-missing", lambda v, d: [d, None]),
            slip("residual-halved", lambda v, d: [d / 2, d / 2]),
            slip("residual-path-twice", lambda v, d: [2 * d, d]),
        ),
        line,
    )


def dropout(v: Values) -> list[Step]:
    """x mask / keep, the mask given. Raises ValueError for a mask of another shape."""
    if v["mask"].shape != v["x"].shape:
        raise ValueError(f"mask has shape {v['mask'].shape}, and x {v['x'].shape}: the same one was expected")
    return [dropped("x", "mask", "out", "dropout")]
