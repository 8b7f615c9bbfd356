"""The layers by name, and what is right and wrong with their gradients."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from autograder.diagnosis.attention import attention
from autograder.diagnosis.blocks import dropout, norm
from autograder.diagnosis.computation import explain_computation
from autograder.diagnosis.convolution import convolution
from autograder.diagnosis.recurrence import recurrence
from autograder.diagnosis.spec import Point
from autograder.diagnosis.tape import Tape
from autograder.diagnosis.verdicts import Report

LAYERS: Mapping[str, tuple[Tape, tuple[str, ...], tuple[str, ...]]] = {
    "batch-norm": (Tape(norm(0), ("x", "gamma", "beta"), examples="x"), ("x", "gamma", "beta"), ("eps",)),
    "layer-norm": (Tape(norm(1), ("x", "gamma", "beta"), examples="x"), ("x", "gamma", "beta"), ("eps",)),
    "dropout": (Tape(dropout, ("x",), examples="x"), ("x", "mask"), ("keep",)),
    "attention": (Tape(attention, ("q", "k", "v")), ("q", "k", "v"), ("mask",)),
    "conv1d": (Tape(convolution(1), ("x", "w", "b"), examples="x"), ("x", "w"), ("b", "stride", "padding")),
    "conv2d": (Tape(convolution(2), ("x", "w", "b"), examples="x"), ("x", "w"), ("b", "stride", "padding")),
    "rnn": (Tape(recurrence, ("x", "h0", "Wx", "Wh", "b")), ("x", "h0", "Wx", "Wh"), ("b",)),
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
