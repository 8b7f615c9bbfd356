"""Known mistakes with batch and layer normalisation, forwards and backwards."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograder.marking.slips import At, Slip

AXES = {"": 1, "_layer": 0}
"""Batch norm averages over the examples, layer norm over the units: the end of a line's name, and the axis."""


def at_once(Z: np.ndarray, axis: int, eps: float, ddof: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean, variance and normalised values."""
    mu, var = Z.mean(axis=axis, keepdims=True), Z.var(axis=axis, keepdims=True, ddof=ddof)
    return mu, var, (Z - mu) / np.sqrt(var + eps)


@dataclass(frozen=True)
class Paths:
    """What the paths of one axis are made of; ``direct`` is the student's own where it has the right shape."""

    at: At
    which: str

    @property
    def axis(self) -> int:
        """The axis of the averages."""
        return AXES[self.which]

    @property
    def count(self) -> int:
        """How many values one mean is made of."""
        return int(self.at.Z.shape[self.axis])

    @property
    def centred(self) -> np.ndarray:
        """The values without their mean."""
        return np.asarray(self.at.Z - self.at[f"mu{self.which}"])

    @property
    def below(self) -> np.ndarray:
        """What is below the root."""
        return np.asarray(self.at[f"var{self.which}"] + self.at.eps)

    @property
    def direct(self) -> np.ndarray:
        """The gradient with mean and variance held."""
        own = self.at.own.get(f"direct{self.which}")
        return self.at.dZ_hat / np.sqrt(self.below) if own is None or own.shape != self.at.Z.shape else own

    def sum(self, values: np.ndarray) -> np.ndarray:
        """The sum over the values of one mean."""
        return np.asarray(values.sum(axis=self.axis, keepdims=True))

    @property
    def dvar(self) -> np.ndarray:
        """What reaches the variance."""
        return -self.sum(self.direct * self.centred) / (2 * self.below)

    @property
    def dmu(self) -> np.ndarray:
        """What reaches the mean."""
        return -self.sum(self.direct)

    def total(self, dvar: np.ndarray | None = None, dmu: np.ndarray | None = None) -> np.ndarray:
        """The sum of the three paths, from what reaches the variance and the mean."""
        dvar, dmu = self.dvar if dvar is None else dvar, self.dmu if dmu is None else dmu
        return np.asarray(self.direct + 2 * self.centred / self.count * dvar + dmu / self.count)


def _both(id: str, line: str, formula: Callable[[Any, Any], Any]) -> tuple[Slip, ...]:
    """The same slip along both axes, as a function of inputs and axis."""
    return tuple(Slip(id, line + which, lambda at, k=axis: formula(at, k)) for which, axis in AXES.items())


def _paths(id: str, line: str, formula: Callable[[Paths], Any]) -> tuple[Slip, ...]:
    return tuple(Slip(id, line + which, lambda at, k=which: formula(Paths(at, k))) for which in AXES)


def _mean(Z: np.ndarray, axis: int) -> np.ndarray:
    return np.asarray(Z.mean(axis=axis, keepdims=True))


def _var(Z: np.ndarray, axis: int, ddof: int = 0) -> np.ndarray:
    return np.asarray(Z.var(axis=axis, keepdims=True, ddof=ddof))


FORWARD = (
    *_both("norm-statistics-along-the-other-axis", "mu", lambda at, k: _mean(at.Z, 1 - k)),
    *_both("norm-over-everything", "mu", lambda at, k: at.Z.mean()),
    *_both("norm-over-everything", "mu", lambda at, k: np.full_like(_mean(at.Z, k), at.Z.mean())),
    *_both("norm-statistics-along-the-other-axis", "var", lambda at, k: _var(at.Z, 1 - k)),
    *_both("norm-over-everything", "var", lambda at, k: at.Z.var()),
    *_both("norm-unbiased-variance", "var", lambda at, k: _var(at.Z, k, 1)),
    *_both("norm-variance-not-centred", "var", lambda at, k: _mean(at.Z**2, k)),
    *_both("norm-deviation-for-variance", "var", lambda at, k: np.sqrt(_var(at.Z, k))),
    *_both("norm-deviation-for-variance", "var", lambda at, k: np.sqrt(_var(at.Z, k) + at.eps)),
    *_both("norm-sum-for-variance", "var", lambda at, k: at.Z.shape[k] * _var(at.Z, k)),
    *_both("norm-epsilon-in-the-variance", "var", lambda at, k: _var(at.Z, k) + at.eps),
    *_both("norm-statistics-along-the-other-axis", "Z_hat", lambda at, k: at_once(at.Z, 1 - k, at.eps)[2]),
    *_both("norm-not-centred", "Z_hat", lambda at, k: at.Z / np.sqrt(_var(at.Z, k) + at.eps)),
    *_both("norm-root-missing", "Z_hat", lambda at, k: (at.Z - _mean(at.Z, k)) / (_var(at.Z, k) + at.eps)),
    *_both("norm-not-divided-forwards", "Z_hat", lambda at, k: at.Z - _mean(at.Z, k)),
    *_both("norm-epsilon-misplaced", "Z_hat", lambda at, k: at_once(at.Z, k, 0.0)[2]),
    *_both("norm-epsilon-misplaced", "Z_hat",
           lambda at, k: (at.Z - _mean(at.Z, k)) / (np.sqrt(_var(at.Z, k)) + at.eps)),
    *_both("norm-unbiased-variance", "Z_hat", lambda at, k: at_once(at.Z, k, at.eps, 1)[2]),
)  # fmt: skip

SCALE = (
    Slip("norm-gamma-missing", "dZ_hat", "dU"),
    Slip("other-operand", "dZ_hat", "dU * Z_hat"),
    Slip("norm-scale-from-the-sum", "dgamma", "sum(dU, axis=1, keepdims=1)"),
    Slip("norm-scale-along-the-other-axis", "dgamma", "sum(dU * Z_hat, axis=0, keepdims=1)"),
    Slip("norm-scale-not-summed", "dgamma", "dU * Z_hat"),
    Slip("bias-summed-over-everything", "dgamma", "sum(dU * Z_hat)"),
    Slip("averaged-instead-of-summed", "dgamma", "mean(dU * Z_hat, axis=1, keepdims=1)"),
    Slip("norm-gamma-twice", "dgamma", "sum(dU * gamma * Z_hat, axis=1, keepdims=1)"),
    Slip("norm-scale-along-the-other-axis", "dbeta", "sum(dU, axis=0, keepdims=1)"),
    Slip("norm-scale-not-summed", "dbeta", "dU"),
    Slip("bias-summed-over-everything", "dbeta", "sum(dU)"),
    Slip("averaged-instead-of-summed", "dbeta", "mean(dU, axis=1, keepdims=1)"),
    Slip("norm-gamma-twice", "dbeta", "sum(dU * gamma, axis=1, keepdims=1)"),
    Slip("norm-shift-from-the-product", "dbeta", "sum(dU * Z_hat, axis=1, keepdims=1)"),
)

PATHS = (
    *_paths("norm-not-divided", "direct", lambda p: p.at.dZ_hat),
    *_paths("norm-divided-by-variance", "direct", lambda p: p.at.dZ_hat / p.below),
    *_paths("norm-epsilon-misplaced", "direct", lambda p: p.at.dZ_hat / np.sqrt(p.below - p.at.eps)),
    *_paths("norm-epsilon-misplaced", "direct", lambda p: p.at.dZ_hat / (np.sqrt(p.below - p.at.eps) + p.at.eps)),
    *_paths("norm-path-sign", "dvar", lambda p: -p.dvar),
    *_paths("norm-half-missing", "dvar", lambda p: 2 * p.dvar),
    *_paths("norm-half-missing", "dvar", lambda p: -2 * p.dvar),
    *_paths("norm-variance-power", "dvar", lambda p: p.dvar * p.below),
    *_paths("norm-variance-power", "dvar", lambda p: p.dvar * np.sqrt(p.below)),
    *_paths("norm-path-not-summed", "dvar", lambda p: -p.direct * p.centred / (2 * p.below)),
    *_paths("norm-statistics-along-the-other-axis", "dvar",
            lambda p: (-p.direct * p.centred / (2 * p.below)).sum(axis=1 - p.axis, keepdims=True)),
    *_paths("norm-sums-for-means", "dvar", lambda p: p.dvar / p.count),
    *_paths("norm-not-centred", "dvar", lambda p: -p.sum(p.direct * p.at.Z) / (2 * p.below)),
    *_paths("norm-path-sign", "dmu", lambda p: -p.dmu),
    *_paths("norm-not-divided", "dmu", lambda p: -p.sum(p.at.dZ_hat)),
    *_paths("norm-not-centred", "dmu", lambda p: p.dmu - 2 * p.dvar * p.at.Z.mean(axis=p.axis, keepdims=True)),
    *_paths("norm-path-not-summed", "dmu", lambda p: -p.direct),
    *_paths("norm-statistics-along-the-other-axis", "dmu", lambda p: -p.direct.sum(axis=1 - p.axis, keepdims=True)),
    *_paths("norm-sums-for-means", "dmu", lambda p: p.dmu / p.count),
    *_paths("norm-variance-constant", "dZ", lambda p: p.direct + p.dmu / p.count),
    *_paths("norm-mean-constant", "dZ", lambda p: p.total() - p.dmu / p.count),
    *_paths("norm-mean-and-variance-constant", "dZ", lambda p: p.direct),
    *_paths("norm-square-halved", "dZ", lambda p: p.direct + p.centred / p.count * p.dvar + p.dmu / p.count),
    *_paths("norm-sums-for-means", "dZ", lambda p: p.direct + 2 * p.centred * p.dvar + p.dmu),
    *_paths("norm-sums-for-means", "dZ", lambda p: p.direct + 2 * p.centred * p.dvar + p.dmu / p.count),
    *_paths("norm-sums-for-means", "dZ", lambda p: p.direct + 2 * p.centred / p.count * p.dvar + p.dmu),
    *_paths("norm-path-sign", "dZ", lambda p: p.total() - 2 * p.dmu / p.count),
    *_paths("norm-path-sign", "dZ", lambda p: 2 * p.direct + 2 * p.dmu / p.count - p.total()),
    *_paths("norm-wrong-count", "dZ", lambda p: p.direct + (p.total() - p.direct) * p.count / p.at.Z.shape[1 - p.axis]),
)  # fmt: skip


def _fused(id: str, formula: Callable[..., Any]) -> tuple[Slip, ...]:
    """A slip of the fused form, as a function of what arrives, the normalised values, s and the axis."""
    return tuple(
        Slip(id, f"dZ{which}", lambda at, k=which: formula(at.dZ_hat, at[f"Z_hat{k}"], at[f"s{k}"], AXES[k]))
        for which in AXES
    )


def fused(d: np.ndarray, h: np.ndarray, s: np.ndarray, axis: int, mean: float = 1, var: float = 1) -> np.ndarray:
    """The fused form, with a factor for the part of the mean and for that of the variance."""
    return np.asarray((d - mean * _mean(d, axis) - var * h * _mean(d * h, axis)) / s)


FUSED = (
    *_fused("norm-mean-constant", lambda d, h, s, k: fused(d, h, s, k, mean=0)),
    *_fused("norm-variance-constant", lambda d, h, s, k: fused(d, h, s, k, var=0)),
    *_fused("norm-mean-and-variance-constant", lambda d, h, s, k: d / s),
    *_fused("norm-not-divided", lambda d, h, s, k: s * fused(d, h, s, k)),
    *_fused("norm-divided-by-variance", lambda d, h, s, k: fused(d, h, s, k) / s),
    *_fused("norm-sums-for-means", lambda d, h, s, k: fused(d, h, s, k, d.shape[k], d.shape[k])),
    *_fused("norm-sums-for-means", lambda d, h, s, k: fused(d, h, s, k, 1, d.shape[k])),
    *_fused("norm-sums-for-means", lambda d, h, s, k: fused(d, h, s, k, d.shape[k], 1)),
    *_fused("norm-path-sign", lambda d, h, s, k: fused(d, h, s, k, var=-1)),
    *_fused("norm-path-sign", lambda d, h, s, k: fused(d, h, s, k, mean=-1)),
    *_fused("norm-path-sign", lambda d, h, s, k: fused(d, h, s, k, -1, -1)),
    *_fused("norm-normalised-missing", lambda d, h, s, k: (d - _mean(d, k) - _mean(d * h, k)) / s),
    *_fused("norm-along-the-other-axis", lambda d, h, s, k: fused(d, h, s, 1 - k)),
    *_fused("norm-over-everything", lambda d, h, s, k: (d - d.mean() - h * (d * h).mean()) / s),
    *_fused("norm-divided-by-the-count", lambda d, h, s, k: fused(d, h, s, k) / d.shape[k]),
    *_fused("norm-divided-by-the-count", lambda d, h, s, k: fused(d, h, s, k) * d.shape[k]),
)
