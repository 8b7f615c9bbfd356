"""Layers as people write them, as lists of steps: norms, dropout, convolution, attention, an RNN; with known slips.

Examples lie along the first axis, as in most code: x is (m, n). What a layer takes, its docstring says.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from autograder.diagnosis.spec import Array, Point
from autograder.diagnosis.tape import Backward, Slip, Step, Tape, Values, explain_computation
from autograder.diagnosis.verdicts import Report

EPSILON = 1e-5


def _slip(
    mistake: str, backward: Backward | None, name: str = "", forward: Callable[[Values], Array] | None = None
) -> Slip:
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

    def outside(v: Values) -> Array:
        centred, s = parts(v, eps=0.0)
        return np.asarray(centred / (s + number(v, "eps", EPSILON)))

    return Step(
        out,
        (x,),
        forward,
        back,
        (
            _slip("norm-variance-constant", lambda v, d: back(v, d, variance=False)),
            _slip("norm-mean-constant", lambda v, d: back(v, d, mean=False)),
            _slip("norm-mean-constant norm-variance-constant", lambda v, d: back(v, d, mean=False, variance=False)),
            _slip("norm-not-divided", lambda v, d: back(v, d, power=0)),
            _slip("norm-divided-by-variance", lambda v, d: back(v, d, power=2)),
            _slip("norm-sums-for-means", lambda v, d: back(v, d, total=True)),
            _slip("norm-along-the-other-axis", lambda v, d: back(v, d, along=other)),
            _slip(
                "norm-unbiased-variance",
                lambda v, d: back(v, d, ddof=1),
                forward=lambda v: parts(v, 1)[0] / parts(v, 1)[1],
            ),
            _slip("norm-epsilon-misplaced", None, "epsilon-outside-the-root", outside),
            _slip(
                "norm-epsilon-misplaced",
                lambda v, d: back(v, d, eps=0.0),
                "epsilon-left-out",
                lambda v: parts(v, eps=0.0)[0] / parts(v, eps=0.0)[1],
            ),
        ),
        line,
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
        _slip("norm-gamma-missing", only(x=lambda v, d: d)),
        _slip("norm-scale-from-the-sum", only(gamma=lambda v, d: over(v, d))),
        _slip("norm-scale-along-the-other-axis", only(gamma=lambda v, d: (d * v[x]).sum(axis=1 - axis))),
        _slip("norm-scale-along-the-other-axis", only(beta=lambda v, d: d.sum(axis=1 - axis)), "of-beta"),
        _slip("norm-scale-not-summed", only(gamma=lambda v, d: d * v[x])),
        _slip("norm-scale-not-summed", only(beta=lambda v, d: d), "of-beta"),
        _slip("norm-input-for-normalised", only(gamma=lambda v, d: over(v, d * v[before]))),
        _slip("norm-centred-for-normalised", only(gamma=lambda v, d: over(v, d * centred(v)))),
    )
    return Step(out, (x, gamma, beta), lambda v: v[gamma] * v[x] + v[beta], back, slips, line)


def _norm(axis: int) -> Callable[[Values], list[Step]]:
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
        _slip("dropout-mask-missing dropout-not-scaled", lambda v, d: [d]),
        _slip("dropout-mask-missing", lambda v, d: [d / keep(v)], "only-scaled"),
        _slip("dropout-not-scaled", lambda v, d: [d * v[mask]]),
        _slip("dropout-scaled-twice", lambda v, d: [d * v[mask] / keep(v) ** 2]),
        _slip("dropout-multiplied-by-keep", lambda v, d: [d * v[mask] * keep(v)]),
        _slip("dropout-mask-inverted", lambda v, d: [d * (1 - v[mask]) / keep(v)]),
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
            _slip("residual-path-missing", lambda v, d: [None, d]),
            _slip("residual-branch-missing", lambda v, d: [d, None]),
            _slip("residual-halved", lambda v, d: [d / 2, d / 2]),
            _slip("residual-path-twice", lambda v, d: [2 * d, d]),
        ),
        line,
    )


def _dropout(v: Values) -> list[Step]:
    if v["mask"].shape != v["x"].shape:
        raise ValueError(f"mask has shape {v['mask'].shape}, and x {v['x'].shape}: the same one was expected")
    return [dropped("x", "mask", "out", "dropout")]


# Attention -----------------------------------------------------------------------------------------------------------


def _softmax(s: Array, axis: int = -1) -> Array:
    e = np.exp(s - s.max(axis=axis, keepdims=True))
    return np.asarray(e / e.sum(axis=axis, keepdims=True))


def _t(a: Array) -> Array:
    return np.swapaxes(a, -1, -2)


def _attention(v: Values) -> list[Step]:
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
                _slip("attention-scores-not-transposed", lambda v, d: [d @ v["k"], d @ v["q"]], "of-k"),
                _slip("attention-scores-not-transposed", lambda v, d: [_t(d) @ v["k"], _t(d) @ v["q"]], "of-q"),
                _slip("attention-query-for-key", lambda v, d: [d @ v["q"], _t(d) @ v["q"]], "in-dq"),
                _slip("attention-query-for-key", lambda v, d: [d @ v["k"], _t(d) @ v["k"]], "in-dk"),
            ),
            "scores",
        ),
        Step(
            "scores",
            ("raw",),
            lambda v: v["raw"] / root,
            lambda v, d: [d / root],
            (
                _slip("attention-scale-missing", lambda v, d: [d], "in-the-backward-pass"),
                _slip("attention-scale-missing", lambda v, d: [d], "everywhere", lambda v: v["raw"]),
                _slip("attention-scaled-twice", lambda v, d: [d / root**2], "in-the-backward-pass"),
                _slip("attention-scaled-twice", lambda v, d: [d / root**2], "everywhere", lambda v: v["raw"] / root**2),
                _slip("attention-multiplied-by-the-scale", lambda v, d: [d * root]),
            ),
            "the scale",
        ),
        Step(
            "weights",
            ("scores",),
            lambda v: _softmax(np.where(seen, v["scores"], -np.inf)),
            lambda v, d: [soft(v["weights"], d)],
            (
                _slip("attention-softmax-entry-by-entry", lambda v, d: [v["weights"] * d], "w"),
                _slip(
                    "attention-softmax-entry-by-entry",
                    lambda v, d: [v["weights"] * (1 - v["weights"]) * d],
                    "w (1 - w)",
                ),
                _slip("attention-softmax-missing", lambda v, d: [np.where(seen, d, 0.0)]),
                _slip(
                    "attention-softmax-along-the-other-axis",
                    lambda v, d: [v["weights"] * (d - (d * v["weights"]).sum(axis=-2, keepdims=True))],
                    "in-the-backward-pass",
                ),
                _slip(
                    "attention-softmax-along-the-other-axis",
                    lambda v, d: [v["weights"] * (d - (d * v["weights"]).sum(axis=-2, keepdims=True))],
                    "everywhere",
                    lambda v: _softmax(np.where(seen, v["scores"], -np.inf), -2),
                ),
                _slip(
                    "attention-mean-for-sum",
                    lambda v, d: [v["weights"] * (d - (d * v["weights"]).mean(axis=-1, keepdims=True))],
                ),
                _slip("attention-weights-missing", lambda v, d: [d - (d * v["weights"]).sum(axis=-1, keepdims=True)]),
                _slip("attention-mask-missing", None, "everywhere", lambda v: _softmax(v["scores"])),
                _slip(
                    "attention-mask-inverted",
                    None,
                    "everywhere",
                    lambda v: _softmax(np.where(seen, -np.inf, v["scores"])),
                ),
                _slip(
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
                _slip("attention-weights-not-transposed", lambda v, d: [d @ _t(v["v"]), v["weights"] @ d]),
                _slip("attention-values-not-transposed", lambda v, d: [d @ v["v"], _t(v["weights"]) @ d]),
                _slip("attention-values-missing", lambda v, d: [d, _t(v["weights"]) @ d]),
                _slip("attention-scores-for-weights", lambda v, d: [d @ _t(v["v"]), _t(v["scores"]) @ d]),
            ),
            "the weighted sum",
        ),
    ]
    return steps


# Convolution ---------------------------------------------------------------------------------------------------------


def _windows(x: Array, kernel: tuple[int, ...], stride: int, dilation: int = 1) -> Array:
    """(m, c, positions..., kernel...) of a padded input, as a view that may be written to."""
    space = x.ndim - 2
    shape = [(n - k) // stride + 1 for n, k in zip(x.shape[2:], kernel)]
    strides = (*x.strides[:2], *(s * stride for s in x.strides[2:]), *x.strides[2 : 2 + space])
    return np.lib.stride_tricks.as_strided(x, (*x.shape[:2], *shape, *kernel), strides, writeable=True)


def _conv(space: int) -> Callable[[Values], list[Step]]:
    axes = tuple(range(2, 2 + space))
    over = (0, *axes)
    letters = "ijk"[:space], "uvw"[:space]
    forward_sum = f"mc{letters[0]}{letters[1]},oc{letters[1]}->mo{letters[0]}"
    weight_sum = f"mc{letters[0]}{letters[1]},mo{letters[0]}->oc{letters[1]}"
    input_sum = f"mo{letters[0]},oc{letters[1]}->mc{letters[0]}{letters[1]}"

    def made(v: Values) -> list[Step]:
        x, w = v["x"], v["w"]
        stride, padding = int(number(v, "stride", 1)), int(number(v, "padding", 0))
        kernel = w.shape[2:]
        if x.ndim != 2 + space or w.ndim != 2 + space or x.shape[1] != w.shape[1] or stride < 1 or padding < 0:
            raise ValueError(
                f"x has shape {x.shape} and w {w.shape}; (examples, channels, ...) and (outputs, channels, ...) with "
                f"{space} more axes were expected"
            )
        if any(n + 2 * padding < k for n, k in zip(x.shape[2:], kernel)):
            raise ValueError(f"w has shape {w.shape}, which is larger than x, {x.shape}, with its padding")
        around = ((0, 0), (0, 0), *((padding, padding),) * space)
        inside = (slice(None), slice(None), *(slice(padding, padding + n) for n in x.shape[2:]))
        flip = (slice(None), slice(None), *(slice(None, None, -1),) * space)

        def padded(v: Values) -> Array:
            return np.pad(v["x"], around)

        def out(v: Values, w: Array) -> Array:
            return np.asarray(np.einsum(forward_sum, _windows(padded(v), kernel, stride), w))

        def into(v: Values, d: Array, w: Array, overlap: bool = True) -> Array:
            full = np.zeros_like(padded(v))
            windows = _windows(full, kernel, stride)
            parts = np.einsum(input_sum, d, w)
            for at in np.ndindex(*d.shape[2:]):
                place = (slice(None), slice(None), *at)
                if overlap:
                    windows[place] += parts[place]
                else:
                    windows[place] = parts[place]
            return full

        def weights(v: Values, d: Array) -> Array:
            return np.asarray(np.einsum(weight_sum, _windows(padded(v), kernel, stride), d))

        def back(v: Values, d: Array) -> list[Array | None]:
            return [into(v, d, v["w"])[inside], weights(v, d)]

        def only(
            x: Callable[[Values, Array], Array] | None = None, w: Callable[[Values, Array], Array] | None = None
        ) -> Backward:
            return lambda v, d: [
                x(v, d) if x else into(v, d, v["w"])[inside],
                w(v, d) if w else weights(v, d),
            ]

        def swapped(v: Values) -> Array:
            if v["w"].shape[0] != v["w"].shape[1]:
                raise ValueError("inputs and outputs differ in number")
            return np.swapaxes(v["w"], 0, 1)

        def last(of: Array) -> Array:
            return of[-1:]

        def one_position(v: Values, d: Array) -> Array:
            kept = np.zeros_like(d)
            at = (slice(None), slice(None), *(slice(-1, None),) * space)
            kept[at] = d[at]
            return weights(v, kept)

        def no_stride(v: Values, d: Array) -> Array:
            full = np.zeros_like(padded(v))
            windows = _windows(full, kernel, 1)
            parts = np.einsum(input_sum, d, v["w"])
            for at in np.ndindex(*d.shape[2:]):
                windows[(slice(None), slice(None), *at)] += parts[(slice(None), slice(None), *at)]
            return full[inside]

        slips = [
            _slip("convolution-kernel-not-turned", only(x=lambda v, d: into(v, d, v["w"][flip])[inside])),
            _slip(
                "convolution-kernel-turned",
                lambda v, d: [into(v, d, v["w"][flip])[inside], weights(v, d)[flip]],
                "everywhere",
                lambda v: out(v, v["w"][flip]),
            ),
            _slip("convolution-kernel-turned", only(w=lambda v, d: weights(v, d)[flip]), "in-dw"),
            _slip("convolution-overlap-overwritten", only(x=lambda v, d: into(v, d, v["w"], False)[inside])),
            _slip("convolution-channels-exchanged", only(x=lambda v, d: into(v, d, swapped(v))[inside])),
            _slip(
                "only-one-example",
                only(w=lambda v, d: np.einsum(weight_sum, last(_windows(padded(v), kernel, stride)), last(d))),
                "the-last-example",
            ),
            _slip("convolution-only-one-position", only(w=one_position)),
            _slip(
                "averaged-instead-of-summed",
                only(w=lambda v, d: weights(v, d) / np.prod(d.shape[2:])),
                "over-positions",
            ),
        ]
        if padding:
            slips.append(_slip("convolution-padding-kept", only(x=lambda v, d: into(v, d, v["w"]))))
            slips.append(
                _slip(
                    "convolution-padding-cut-wrongly",
                    only(
                        x=lambda v, d: into(v, d, v["w"])[
                            (slice(None), slice(None), *(slice(0, n) for n in v["x"].shape[2:]))
                        ]
                    ),
                )
            )
        if stride > 1:
            slips.append(_slip("convolution-stride-forgotten", only(x=no_stride)))
        steps = [
            Step(
                "z" if "b" in v else "out", ("x", "w"), lambda v: out(v, v["w"]), back, tuple(slips), "the convolution"
            )
        ]
        if "b" in v:
            if v["b"].shape != (w.shape[0],):
                raise ValueError(
                    f"b has shape {v['b'].shape}; one number for each of the {w.shape[0]} outputs was expected"
                )
            shape = (-1, *(1,) * space)
            steps.append(
                Step(
                    "out",
                    ("z", "b"),
                    lambda v: v["z"] + v["b"].reshape(shape),
                    lambda v, d: [d, d.sum(axis=over)],
                    (
                        _slip("convolution-bias-not-summed", lambda v, d: [d, d.sum(axis=0)], "over-positions"),
                        _slip("convolution-bias-not-summed", lambda v, d: [d, d.sum(axis=axes)], "over-examples"),
                        _slip("bias-summed-over-everything", lambda v, d: [d, d.sum() + 0 * v["b"]]),
                        _slip("averaged-instead-of-summed", lambda v, d: [d, d.mean(axis=over)], "over-everything"),
                        _slip(
                            "averaged-instead-of-summed",
                            lambda v, d: [d, d.mean(axis=axes).sum(axis=0)],
                            "over-positions",
                        ),
                    ),
                    "the bias",
                )
            )
        return steps

    return made


# A recurrent network -------------------------------------------------------------------------------------------------


def _rnn(v: Values) -> list[Step]:
    """h_t = tanh(x_t Wx + h_(t-1) Wh + b) for x of (steps, m, n); ``g`` belongs to all states or to the last one."""
    count = len(v["x"])
    if v["x"].ndim != 3 or v["Wx"].shape != (v["x"].shape[2], v["Wh"].shape[0]) or v["Wh"].shape[0] != v["Wh"].shape[1]:
        raise ValueError(
            f"x has shape {v['x'].shape}, Wx {v['Wx'].shape} and Wh {v['Wh'].shape}; (steps, examples, inputs), "
            "(inputs, units) and (units, units) were expected"
        )
    if v["h0"].shape != (v["x"].shape[1], v["Wh"].shape[0]):
        raise ValueError(f"h0 has shape {v['h0'].shape}; (examples, units) were expected")
    every = v["g"].ndim == 3
    takes = ("x", "h0", "Wx", "Wh", "b") if "b" in v else ("x", "h0", "Wx", "Wh")

    def states(v: Values) -> list[Array]:
        h = [v["h0"]]
        for t in range(count):
            h.append(np.tanh(v["x"][t] @ v["Wx"] + h[-1] @ v["Wh"] + v.get("b", 0.0)))
        return h

    def forward(v: Values) -> Array:
        h = states(v)
        return np.stack(h[1:]) if every else h[-1]

    def back(
        v: Values, g: Array, *, through: bool = True, slope: Callable[[Array], Array] = lambda h: 1 - h**2,
        carry: Callable[[Values, Array, Array], Array] = lambda v, d, up: d @ v["Wh"].T, kept: str = "all",
        previous: int = 0, upstream: str = "all", share: float = 1.0, bias: str = "sum",
    ) -> list[Array]:  # fmt: skip
        h = states(v)
        made = {n: np.zeros_like(v[n], float) for n in takes}
        next_ = np.zeros_like(h[0])
        for t in reversed(range(count)):
            given = (
                g[t] if every and (upstream == "all" or t == count - 1) else g if not every and t == count - 1 else 0.0
            )
            up = given + next_
            d = up * slope(h[t + 1])
            parts = {"Wx": v["x"][t].T @ d, "Wh": h[t + previous].T @ d, "b": d.sum(axis=0)}
            for n, part in parts.items():
                if n in made and (kept == "all" or t == (0 if kept == "first" else count - 1)):
                    made[n] = made[n] + part * share
            made["x"][t] = d @ v["Wx"].T
            next_ = carry(v, d, up) if through or t == 0 else np.zeros_like(h[0])
        made["h0"] = next_
        return [made[n] for n in takes]

    slips = [
        _slip("rnn-not-through-time", lambda v, g: back(v, g, through=False)),
        _slip("rnn-gradient-overwritten", lambda v, g: back(v, g, kept="first"), "the-first-step-is-left"),
        _slip("rnn-gradient-overwritten", lambda v, g: back(v, g, kept="last"), "the-last-step-is-left"),
        _slip("activation-derivative-missing", lambda v, g: back(v, g, slope=lambda h: np.ones_like(h))),
        _slip("derivative-at-activation", lambda v, g: back(v, g, slope=lambda h: 1 - np.tanh(h) ** 2)),
        _slip("sigmoid-derivative-with-tanh", lambda v, g: back(v, g, slope=lambda h: h * (1 - h))),
        _slip("square-missing", lambda v, g: back(v, g, slope=lambda h: 1 - h)),
        _slip("weights-not-transposed", lambda v, g: back(v, g, carry=lambda v, d, up: d @ v["Wh"])),
        _slip(
            "rnn-derivative-missing-in-what-is-carried", lambda v, g: back(v, g, carry=lambda v, d, up: up @ v["Wh"].T)
        ),
        _slip("weights-missing-in-hidden-error", lambda v, g: back(v, g, carry=lambda v, d, up: d)),
        _slip("rnn-state-after-for-state-before", lambda v, g: back(v, g, previous=1)),
        _slip("rnn-averaged-over-steps", lambda v, g: back(v, g, share=1 / count)),
    ]
    if every:
        slips.append(_slip("rnn-only-the-last-upstream", lambda v, g: back(v, g, upstream="last")))
    return [Step("out", takes, forward, back, tuple(slips), "the recurrence")]


LAYERS: Mapping[str, tuple[Tape, tuple[str, ...], tuple[str, ...]]] = {
    "batch-norm": (Tape(_norm(0), ("x", "gamma", "beta"), examples="x"), ("x", "gamma", "beta"), ("eps",)),
    "layer-norm": (Tape(_norm(1), ("x", "gamma", "beta"), examples="x"), ("x", "gamma", "beta"), ("eps",)),
    "dropout": (Tape(_dropout, ("x",), examples="x"), ("x", "mask"), ("keep",)),
    "attention": (Tape(_attention, ("q", "k", "v")), ("q", "k", "v"), ("mask",)),
    "conv1d": (Tape(_conv(1), ("x", "w", "b"), examples="x"), ("x", "w"), ("b", "stride", "padding")),
    "conv2d": (Tape(_conv(2), ("x", "w", "b"), examples="x"), ("x", "w"), ("b", "stride", "padding")),
    "rnn": (Tape(_rnn, ("x", "h0", "Wx", "Wh", "b")), ("x", "h0", "Wx", "Wh"), ("b",)),
}
"""By name: the layer, the inputs that it needs beside ``g``, and those that may be given."""


def explain_layer(name: str, points: Sequence[Point], *, conventions: bool = False) -> Report:
    """What is right and wrong with the gradients of a layer of ``LAYERS``, given ``g`` from above: dx and so on.

    Raises ValueError for a name that is unknown, and for points that do not fit the layer.
    """
    if name not in LAYERS:
        raise ValueError(f"the layer must be one of {', '.join(LAYERS)}, not {name!r}")
    layer, needed, optional = LAYERS[name]
    for point in points:
        for wanted in (*needed, "g"):
            if wanted not in point.inputs:
                raise ValueError(f"{wanted} is missing")
        for key, value in point.inputs.items():
            if key not in (*needed, *optional, "g"):
                raise ValueError(f"{key} is no input of {name}; {', '.join((*needed, *optional, 'g'))} were expected")
            if np.asarray(value).dtype.kind not in "fiub" or not np.isfinite(value).all():
                raise ValueError(f"{key} must hold finite real numbers")
        due = layer.forward(dict(point.inputs)).shape
        if name != "rnn" and np.shape(point.inputs["g"]) != due:
            raise ValueError(f"g has shape {np.shape(point.inputs['g'])}; it must be that of what {name} gives, {due}")
    return explain_computation(layer, points, conventions=conventions)
