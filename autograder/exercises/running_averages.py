"""Batch norm over several batches and in evaluation: running averages, and known mistakes with them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograder.exercises.normalisation_mistakes import at_once
from autograder.marking.slips import At, Slip


def _evaluated(at: At, power: float = 0.5, eps: float | None = None) -> Any:
    eps = at.eps if eps is None else eps
    return at.gamma * (at.Z - at.running_mu) / (at.running_var + eps) ** power + at.beta


EVALUATION = (
    Slip("norm-batch-in-evaluation", "U", lambda at: at.gamma * at_once(at.Z, 1, at.eps)[2] + at.beta),
    Slip("norm-root-missing", "U", lambda at: _evaluated(at, 1)),
    Slip("norm-epsilon-misplaced", "U", lambda at: _evaluated(at, eps=0.0)),
    Slip("norm-epsilon-misplaced", "U", "gamma * (Z - running_mu) / (sqrt(running_var) + eps) + beta"),
    Slip("norm-deviation-for-variance", "U", "gamma * (Z - running_mu) / running_var + beta"),
    Slip("norm-not-centred", "U", "gamma * Z / sqrt(running_var + eps) + beta"),
    Slip("norm-gamma-missing-forwards", "U", "(Z - running_mu) / sqrt(running_var + eps) + beta"),
    Slip("norm-gamma-missing-forwards", "U", "(Z - running_mu) / sqrt(running_var + eps)"),
    Slip("bias-forgotten", "U", "gamma * (Z - running_mu) / sqrt(running_var + eps)"),
    Slip("norm-gamma-missing", "dZ", "dU / sqrt(running_var + eps)"),
    Slip("norm-not-divided", "dZ", "dU * gamma"),
    Slip("norm-divided-by-variance", "dZ", "dU * gamma / (running_var + eps)"),
    Slip("norm-epsilon-misplaced", "dZ", "dU * gamma / sqrt(running_var)"),
    Slip("norm-epsilon-misplaced", "dZ", "dU * gamma / (sqrt(running_var) + eps)"),
    Slip("norm-constants-differentiated", "dZ",
         "(dU - mean(dU, axis=1, keepdims=1)) * gamma / sqrt(running_var + eps)"),
)  # fmt: skip


def carried(start: np.ndarray, new: np.ndarray, keep: float, weight: float | None = None) -> np.ndarray:
    """The running average after each batch, from what is carried at first and what each batch brings."""
    found, now = [], start
    for one in new:
        now = keep * now + (1 - keep if weight is None else weight) * one
        found.append(now)
    return np.array(found)


def _of_batches(at: At, name: str, ddof: int = 0) -> np.ndarray:
    """The means or variances of the batches."""
    axis = {"axis": 2, "keepdims": True}
    return np.asarray(at.batches.mean(**axis) if name == "mu" else at.batches.var(**axis, ddof=ddof))


def _running(id: str, formula: Callable[[np.ndarray, np.ndarray, float], np.ndarray]) -> tuple[Slip, ...]:
    """A slip of both running averages."""
    return tuple(
        Slip(id, f"running_{k}", lambda at, k=k: formula(at.given[f"running_{k}"], _of_batches(at, k), float(at.keep)))
        for k in ("mu", "var")
    )


def _trained(at: At, mu: np.ndarray, var: np.ndarray) -> np.ndarray:
    return np.asarray(at.gamma * (at.batches - mu) / np.sqrt(var + at.eps) + at.beta)


def _before(at: At, late: bool) -> list[np.ndarray]:
    """The averages that a batch finds, or with ``late`` those that it leaves."""
    found = []
    for name in ("mu", "var"):
        start = at.given[f"running_{name}"]
        after = carried(start, _of_batches(at, name), at.keep)
        found.append(after if late else np.array([start, *after[:-1]]))
    return found


def _normal(at: At) -> np.ndarray:
    mu, var = _of_batches(at, "mu"), _of_batches(at, "var")
    return np.asarray((at.batches - mu) / np.sqrt(var + at.eps))


TRAINING = (
    Slip("norm-running-in-training", "U", lambda at: _trained(at, *_before(at, False))),
    Slip("norm-running-in-training", "U", lambda at: _trained(at, *_before(at, True))),
    Slip("norm-gamma-missing-forwards", "U", lambda at: _normal(at) + at.beta),
    Slip("norm-gamma-missing-forwards", "U", lambda at: _normal(at)),
    Slip("bias-forgotten", "U", lambda at: at.gamma * _normal(at)),
    *_running("norm-running-rates-exchanged", lambda start, new, keep: carried(start, new, 1 - keep)),
    *_running("norm-running-weight-missing", lambda start, new, keep: carried(start, new, keep, 1)),
    *_running("norm-running-not-carried", lambda start, new, keep: new),
    *_running("norm-running-not-carried", lambda start, new, keep: (1 - keep) * new),
    *_running("norm-running-not-carried", lambda start, new, keep: keep * start + (1 - keep) * new),
    Slip("norm-unbiased-variance", "running_var",
         lambda at: carried(at.given["running_var"], _of_batches(at, "var", 1), at.keep)),
    Slip("norm-running-of-the-deviation", "running_var",
         lambda at: carried(at.given["running_var"], np.sqrt(_of_batches(at, "var")), at.keep)),
    Slip("norm-epsilon-in-the-variance", "running_var",
         lambda at: carried(at.given["running_var"], _of_batches(at, "var") + at.eps, at.keep)),
)  # fmt: skip
