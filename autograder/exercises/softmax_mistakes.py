"""Known mistakes with softmax, its derivative and the cross-entropy."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from autograder.exercise import Reply, Verdict
from autograder.marking.compare import as_numbers
from autograder.marking.slips import Slip


def shares(Z: np.ndarray, axis: int | None = 0) -> np.ndarray:
    """Softmax along an axis, or of everything."""
    E = np.exp(Z - Z.max(axis=axis, keepdims=True))
    return np.asarray(E / E.sum(axis=axis, keepdims=True))


def _in_both_sizes(id: str, line: str, formula: Callable[[np.ndarray], np.ndarray]) -> tuple[Slip, Slip]:
    """The same slip for units of ordinary and of enormous size."""
    return (
        Slip(id, line, lambda at: formula(at.Z)),
        Slip(id, f"{line}_large", lambda at: formula(at.Z_large)),
    )


def _top(Z: np.ndarray) -> np.ndarray:
    return np.asarray(Z.max(axis=0, keepdims=True))


def _shifted(Z: np.ndarray) -> np.ndarray:
    return np.asarray(np.exp(Z - _top(Z)))


def _log_sum(Z: np.ndarray, axis: int | None = 0) -> np.ndarray:
    return np.asarray(np.logaddexp.reduce(Z, axis=axis, keepdims=True))


FORWARD = (
    *_in_both_sizes("softmax-not-normalised", "P", _shifted),
    *_in_both_sizes("softmax-not-normalised", "P", np.exp),
    *_in_both_sizes("softmax-along-the-other-axis", "P", lambda Z: shares(Z, 1)),
    *_in_both_sizes("softmax-along-the-other-axis", "P", lambda Z: _shifted(Z) / _shifted(Z).sum(1, keepdims=True)),
    *_in_both_sizes("softmax-over-everything", "P", lambda Z: shares(Z, None)),
    *_in_both_sizes("softmax-over-everything", "P", lambda Z: _shifted(Z) / _shifted(Z).sum()),
    *_in_both_sizes("mean-for-sum", "P", lambda Z: shares(Z) * len(Z)),
    *_in_both_sizes("shift-not-added-back", "lse", lambda Z: _log_sum(Z) - _top(Z)),
    *_in_both_sizes("shift-sign", "lse", lambda Z: _log_sum(Z) - 2 * _top(Z)),
    *_in_both_sizes("logarithm-missing", "lse", lambda Z: _top(Z) + _shifted(Z).sum(0, keepdims=True)),
    *_in_both_sizes("logarithm-missing", "lse", lambda Z: np.exp(Z).sum(0, keepdims=True)),
    *_in_both_sizes("mean-for-sum", "lse", lambda Z: _log_sum(Z) - np.log(len(Z))),
    *_in_both_sizes("softmax-over-everything", "lse", lambda Z: _log_sum(Z, None)),
    *_in_both_sizes("largest-for-log-sum-exp", "lse", _top),
)

JACOBIAN = (
    Slip("softmax-jacobian-diagonal-only", "J", lambda at: np.diag(at.p * (1 - at.p))),
    Slip("softmax-jacobian-diagonal-only", "J", lambda at: at.p * (1 - at.p)),
    Slip("softmax-jacobian-diagonal-missing", "J", lambda at: -np.outer(at.p, at.p)),
    Slip("softmax-jacobian-products-missing", "J", lambda at: np.diag(at.p)),
    Slip("softmax-jacobian-products-missing", "J", lambda at: np.diag(at.p) - at.p),
    Slip("softmax-jacobian-products-missing", "J", lambda at: np.diag(at.p) - at.p[:, None]),
    Slip("softmax-jacobian-sign", "J", lambda at: np.diag(at.p) + np.outer(at.p, at.p)),
    Slip("softmax-jacobian-sign", "J", lambda at: np.diag(at.p - 2 * at.p**2) + np.outer(at.p, at.p)),
    Slip("softmax-jacobian-squares-missing", "J", lambda at: np.diag(at.p + at.p**2) - np.outer(at.p, at.p)),
    Slip("sign-flipped", "J", lambda at: np.outer(at.p, at.p) - np.diag(at.p)),
)

BACKWARD = (
    Slip("softmax-jacobian-diagonal-only", "dZ", "dP * P * (1 - P)"),
    Slip("softmax-derivative-missing", "dZ", "dP"),
    Slip("softmax-derivative-missing", "dZ", "dP * P"),
    Slip("attention-weights-missing", "dZ", "dP - sum(dP * P, axis=0)"),
    Slip("attention-mean-for-sum", "dZ", "P * (dP - mean(dP * P, axis=0))"),
    Slip("softmax-average-unweighted", "dZ", "P * (dP - sum(dP, axis=0))"),
    Slip("softmax-average-unweighted", "dZ", "P * (dP - mean(dP, axis=0))"),
    Slip("softmax-along-the-other-axis", "dZ", "P * (dP - sum(dP * P, axis=1, keepdims=1))"),
    Slip("softmax-over-everything", "dZ", "P * (dP - sum(dP * P))"),
    Slip("softmax-jacobian-sign", "dZ", "P * (dP + sum(dP * P, axis=0))"),
    Slip("sign-flipped", "dZ", "-P * (dP - sum(dP * P, axis=0))"),
    Slip("averaged-instead-of-summed", "dZ", lambda at: at.P * (at.dP - np.sum(at.dP * at.P, axis=0)) / at.P.shape[1]),
)


def _loss(id: str, formula: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> tuple[Slip, Slip]:
    """A wrong loss as a function of the units and the classes."""
    return (
        Slip(id, "loss", lambda at: formula(at.Z, at.Y)),
        Slip(id, "loss_large", lambda at: formula(at.Z_large, at.Y)),
    )


def _each(Z: np.ndarray, Y: np.ndarray) -> np.ndarray:
    return np.asarray(_log_sum(Z) - np.sum(Y * Z, axis=0))


def _both_classes(Z: np.ndarray, Y: np.ndarray) -> np.ndarray:
    P = shares(Z)
    return np.asarray(-np.sum(Y * np.log(P) + (1 - Y) * np.log(1 - P)) / Z.shape[1])


def _of(P: np.ndarray, Y: np.ndarray) -> np.ndarray:
    return (P - Y) / P.shape[1]


LOSS = (
    *_loss("loss-summed-over-examples", lambda Z, Y: np.sum(_each(Z, Y))),
    *_loss("loss-mean-over-outputs", lambda Z, Y: np.mean(_each(Z, Y)) / len(Z)),
    *_loss("sign-flipped", lambda Z, Y: -np.mean(_each(Z, Y))),
    *_loss("target-missing", lambda Z, Y: np.mean(_log_sum(Z) - np.sum(Z, axis=0))),
    *_loss("target-missing", lambda Z, Y: np.mean(_log_sum(Z))),
    *_loss("binary-cross-entropy-for-classes", _both_classes),
    *_loss("binary-cross-entropy-for-classes", lambda Z, Y: _both_classes(Z, Y) / len(Z)),
    Slip("missing-1-over-m", "dZ", lambda at: shares(at.Z) - at.Y),
    Slip("sign-flipped", "dZ", lambda at: -_of(shares(at.Z), at.Y)),
    Slip("mean-over-outputs", "dZ", lambda at: _of(shares(at.Z), at.Y) / len(at.Z)),
    Slip("mean-over-outputs", "dZ", lambda at: (shares(at.Z) - at.Y) / len(at.Z)),
    Slip("target-missing", "dZ", lambda at: shares(at.Z) / at.Z.shape[1]),
    Slip("softmax-derivative-missing", "dZ", lambda at: -at.Y / shares(at.Z) / at.Z.shape[1]),
    Slip("softmax-jacobian-diagonal-only", "dZ", lambda at: -at.Y * (1 - shares(at.Z)) / at.Z.shape[1]),
    Slip("extra-output-derivative", "dZ", lambda at: _of(shares(at.Z), at.Y) * shares(at.Z) * (1 - shares(at.Z))),
    Slip("activation-forgotten", "dZ", lambda at: (at.Z - at.Y) / at.Z.shape[1]),
)


def explain_overflow(replies: Sequence[Reply]) -> Mapping[str, Verdict]:
    """What is not finite for enormous units, and why: the first column is around 1000, the second around -1000."""
    found: dict[str, str] = {}
    for reply in replies:
        for name in ("P_large", "lse_large"):
            value = as_numbers(reply.values.get(name))
            if isinstance(value, str) or value.shape[-1:] != reply.given["Z_large"].shape[1:]:
                continue
            endless = ~np.isfinite(value.reshape(-1, value.shape[-1])).all(axis=0)
            if endless.any():
                found.setdefault(name, "softmax-overflow" if endless[0] else "softmax-one-shift-for-all")
        loss = as_numbers(reply.values.get("loss_large"))
        if not isinstance(loss, str) and not np.all(np.isfinite(loss)):
            found.setdefault("loss_large", found.get("lse_large", "logarithm-of-a-share"))
    return {name: Verdict.named(mistake) for name, mistake in found.items()}
