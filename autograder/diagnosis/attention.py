"""Scaled dot-product attention as a list of steps, with known slips."""

from __future__ import annotations

import numpy as np

from autograder.diagnosis.blocks import slip
from autograder.diagnosis.spec import Array
from autograder.diagnosis.tape import Step, Values


def _softmax(s: Array, axis: int = -1) -> Array:
    e = np.exp(s - s.max(axis=axis, keepdims=True))
    return np.asarray(e / e.sum(axis=axis, keepdims=True))


def _t(a: Array) -> Array:
    return np.swapaxes(a, -1, -2)


def attention(v: Values) -> list[Step]:
    """softmax(q k^T / sqrt(d)) v, with a mask of what may be seen where it is given; any axes of batches before."""
    for name in ("q", "k", "v"):
        if v[name].ndim < 2:
            raise ValueError(f"{name} has shape {v[name].shape}; at least two axes were expected")
    if v["q"].shape[-1] != v["k"].shape[-1] or v["k"].shape[-2] != v["v"].shape[-2]:
        raise ValueError("q, k and v do not fit: q and k share the last axis, k and v the last but one")
    root = float(np.sqrt(v["q"].shape[-1]))
    seen = np.broadcast_to(
        np.asarray(v.get("mask", True), bool),
        np.broadcast_shapes(np.shape(v.get("mask", True)), (v["q"] @ _t(v["k"])).shape),
    )

    def soft(w: Array, d: Array) -> Array:
        return np.asarray(w * (d - (d * w).sum(axis=-1, keepdims=True)))

    steps = [
        Step(
            "raw",
            ("q", "k"),
            lambda v: v["q"] @ _t(v["k"]),
            lambda v, d: [d @ v["k"], _t(d) @ v["q"]],
            (
                slip("attention-scores-not-transposed", lambda v, d: [d @ v["k"], d @ v["q"]], "of-k"),
                slip("attention-scores-not-transposed", lambda v, d: [_t(d) @ v["k"], _t(d) @ v["q"]], "of-q"),
                slip("attention-query-for-key", lambda v, d: [d @ v["q"], _t(d) @ v["q"]], "in-dq"),
                slip("attention-query-for-key", lambda v, d: [d @ v["k"], _t(d) @ v["k"]], "in-dk"),
            ),
            "scores",
        ),
        Step(
            "scores",
            ("raw",),
            lambda v: v["raw"] / root,
            lambda v, d: [d / root],
            (
                slip("attention-scale-missing", lambda v, d: [d], "in-the-backward-pass"),
                slip("attention-scale-missing", lambda v, d: [d], "everywhere", lambda v: v["raw"]),
                slip("attention-scaled-twice", lambda v, d: [d / root**2], "in-the-backward-pass"),
                slip("attention-scaled-twice", lambda v, d: [d / root**2], "everywhere", lambda v: v["raw"] / root**2),
                slip("attention-multiplied-by-the-scale", lambda v, d: [d * root]),
            ),
            "the scale",
        ),
        Step(
            "weights",
            ("scores",),
            lambda v: _softmax(np.where(seen, v["scores"], -np.inf)),
            lambda v, d: [soft(v["weights"], d)],
            (
                slip("attention-softmax-entry-by-entry", lambda v, d: [v["weights"] * d], "w"),
                slip(
                    "attention-softmax-entry-by-entry",
                    lambda v, d: [v["weights"] * (1 - v["weights"]) * d],
                    "w (1 - w)",
                ),
                slip("attention-softmax-missing", lambda v, d: [np.where(seen, d, 0.0)]),
                slip(
                    "attention-softmax-along-the-other-axis",
                    lambda v, d: [v["weights"] * (d - (d * v["weights"]).sum(axis=-2, keepdims=True))],
                    "in-the-backward-pass",
                ),
                slip(
                    "attention-softmax-along-the-other-axis",
                    lambda v, d: [v["weights"] * (d - (d * v["weights"]).sum(axis=-2, keepdims=True))],
                    "everywhere",
                    lambda v: _softmax(np.where(seen, v["scores"], -np.inf), -2),
                ),
                slip(
                    "attention-mean-for-sum",
                    lambda v, d: [v["weights"] * (d - (d * v["weights"]).mean(axis=-1, keepdims=True))],
                ),
                slip("attention-weights-missing", lambda v, d: [d - (d * v["weights"]).sum(axis=-1, keepdims=True)]),
                slip("attention-mask-missing", None, "everywhere", lambda v: _softmax(v["scores"])),
                slip(
                    "attention-mask-inverted",
                    None,
                    "everywhere",
                    lambda v: _softmax(np.where(seen, -np.inf, v["scores"])),
                ),
                slip(
                    "attention-mask-after-softmax",
                    None,
                    "everywhere",
                    lambda v: np.where(seen, _softmax(v["scores"]), 0.0),
                ),
            ),
            "softmax",
        ),
        Step(
            "out",
            ("weights", "v"),
            lambda v: v["weights"] @ v["v"],
            lambda v, d: [d @ _t(v["v"]), _t(v["weights"]) @ d],
            (
                slip("attention-weights-not-transposed", lambda v, d: [d @ _t(v["v"]), v["weights"] @ d]),
                slip("attention-values-not-transposed", lambda v, d: [d @ v["v"], _t(v["weights"]) @ d]),
                slip("attention-values-missing", lambda v, d: [d, _t(v["weights"]) @ d]),
                slip("attention-scores-for-weights", lambda v, d: [d @ _t(v["v"]), _t(v["scores"]) @ d]),
            ),
            "the weighted sum",
        ),
    ]
    return steps
