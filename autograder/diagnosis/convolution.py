"""Convolution in one and two dimensions as a list of steps, with known slips."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from autograder.diagnosis.blocks import number, slip
from autograder.diagnosis.spec import Array
from autograder.diagnosis.tape import Backward, Step, Values


def _windows(x: Array, kernel: tuple[int, ...], stride: int, dilation: int = 1) -> Array:
    """(m, c, positions..., kernel...) of a padded input, as a view that may be written to."""
    space = x.ndim - 2
    shape = [(n - k) // stride + 1 for n, k in zip(x.shape[2:], kernel)]
    strides = (*x.strides[:2], *(s * stride for s in x.strides[2:]), *x.strides[2 : 2 + space])
    return np.lib.stride_tricks.as_strided(x, (*x.shape[:2], *shape, *kernel), strides, writeable=True)


def convolution(space: int) -> Callable[[Values], list[Step]]:
    """x of (m, c, positions...) with w of (o, c, kernel...), in so many dimensions, plus b of (o,)."""
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
            slip("convolution-kernel-not-turned", only(x=lambda v, d: into(v, d, v["w"][flip])[inside])),
            slip(
                "convolution-kernel-turned",
                lambda v, d: [into(v, d, v["w"][flip])[inside], weights(v, d)[flip]],
                "everywhere",
                lambda v: out(v, v["w"][flip]),
            ),
            slip("convolution-kernel-turned", only(w=lambda v, d: weights(v, d)[flip]), "in-dw"),
            slip("convolution-overlap-overwritten", only(x=lambda v, d: into(v, d, v["w"], False)[inside])),
            slip("convolution-channels-exchanged", only(x=lambda v, d: into(v, d, swapped(v))[inside])),
            slip(
                "only-one-example",
                only(w=lambda v, d: np.einsum(weight_sum, last(_windows(padded(v), kernel, stride)), last(d))),
                "the-last-example",
            ),
            slip("convolution-only-one-position", only(w=one_position)),
            slip(
                "averaged-instead-of-summed",
                only(w=lambda v, d: weights(v, d) / np.prod(d.shape[2:])),
                "over-positions",
            ),
        ]
        if padding:
            slips.append(slip("convolution-padding-kept", only(x=lambda v, d: into(v, d, v["w"]))))
            slips.append(
                slip(
                    "convolution-padding-cut-wrongly",
                    only(
                        x=lambda v, d: into(v, d, v["w"])[
                            (slice(None), slice(None), *(slice(0, n) for n in v["x"].shape[2:]))
                        ]
                    ),
                )
            )
        if stride > 1:
            slips.append(slip("convolution-stride-forgotten", only(x=no_stride)))
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
                        slip("convolution-bias-not-summed", lambda v, d: [d, d.sum(axis=0)], "over-positions"),
                        slip("convolution-bias-not-summed", lambda v, d: [d, d.sum(axis=axes)], "over-examples"),
                        slip("bias-summed-over-everything", lambda v, d: [d, d.sum() + 0 * v["b"]]),
                        slip("averaged-instead-of-summed", lambda v, d: [d, d.mean(axis=over)], "over-everything"),
                        slip(
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
