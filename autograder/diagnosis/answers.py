"""The answers for one parameter at all points, as handed in and brought to the shape that was expected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from autograder.diagnosis.spec import Array, Point, Spec
from autograder.tolerance import DOUBLE, Tolerance, tolerance


@dataclass(frozen=True)
class Given:
    """The answers for one parameter: as handed in, brought to the expected shape, and the mistakes of shape."""

    raw: tuple[Array, ...]
    values: tuple[Array, ...] | None
    shape_mistakes: tuple[str, ...]
    tolerance: Tolerance


def collect(spec: Spec, points: Sequence[Point], expected: Sequence[Mapping[str, Array]]) -> dict[str, Given]:
    """The answers by parameter; what is not there at every point is left out."""
    given = {}
    for parameter in spec.parameters:
        name = spec.answer_name(parameter)
        if any(name not in point.answers for point in points):
            continue
        raw = tuple(np.asarray(point.answers[name]) for point in points)
        if any(value.dtype.kind not in "fiub" for value in raw):
            given[parameter] = Given(raw, None, (), DOUBLE)
            continue
        loosest = max((tolerance(value) for value in raw), key=lambda one: (one.right, one.proof is None))
        if all(_flat_as_given(value, point.inputs, parameter) for value, point in zip(raw, points)):
            raw = tuple(value.reshape(want[name].shape) for value, want in zip(raw, expected))
        shaped = [_shaped(value.astype(float), want[name].shape) for value, want in zip(raw, expected)]
        values: tuple[Array, ...] | None = None
        mistakes: tuple[str, ...] = ()
        if all(np.isfinite(value).all() for value in raw):
            values = tuple(value for value, _ in shaped)
            mistakes = tuple(dict.fromkeys(m for _, m in shaped if m))
        given[parameter] = Given(raw, values, mistakes, loosest)
    return given


def _flat_as_given(value: Array, inputs: Mapping[str, Array], parameter: str) -> bool:
    """A bias may be given as one number or a flat vector; then so may its answer be, if it is so at every point."""
    start = np.shape(inputs[parameter])
    return parameter[0] == "b" and len(start) < 2 and value.shape == start


def _shaped(value: Array, shape: tuple[int, ...]) -> tuple[Array, str]:
    """Bring an answer to the expected shape where its numbers are all there, and name what was wrong with it."""
    if value.shape == shape:
        return value, ""
    if value.size == 1:
        return np.full(shape, value.reshape(())), "one-number" if np.prod(shape) > 1 else "wrong-shape"
    if value.shape == shape[::-1] and shape[1] > 1:
        return value.T, "result-transposed"
    if value.size == np.prod(shape) and max(value.shape) == max(shape):
        return value.reshape(shape), "wrong-shape"
    return value, ""


def arrays_at(spec: Spec, given: Mapping[str, Given], index: int) -> dict[str, Array]:
    """The answers of one point, under their names, where they have the shape that was expected."""
    return {spec.answer_name(p): g.values[index] for p, g in given.items() if g.values is not None}
