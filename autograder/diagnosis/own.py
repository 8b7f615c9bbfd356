"""What the student's own answers tell about their code: weights that they used, and errors that they came from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from autograder.diagnosis.explanation import EXACT, SPARE, same
from autograder.diagnosis.grammar import remember
from autograder.diagnosis.spec import Array, Pass


def passes_with_own(passes: Sequence[Pass], answers: Sequence[Mapping[str, Array]]) -> None:
    """Give each pass the student's own weight gradients and updated weights, or the right ones where missing."""
    for c, given in zip(passes, answers):
        for parameter in c.spec.parameters:
            value = given.get(c.spec.answer_name(parameter))
            if value is not None and value.shape == c.value(parameter).shape and np.isfinite(value).all():
                remember(c, parameter, value)


def recover_errors(passes: Sequence[Pass], answers: Sequence[Mapping[str, Array]]) -> list[Pass] | None:
    """The passes with the output error that the student's dW and db of the last layer came from.

    dW - penalty = scale E A^T and db = scale E 1 can be solved for E where there are no more examples than units
    below the last layer, plus one for the bias. None when they cannot, or when no E fits both.
    """
    found, spare = [], 0
    for c, given in zip(passes, answers):
        last, sides, factors = c.spec.depth, [], []
        for parameter, factor in ((f"W{last}", c.a[last - 1].T), (f"b{last}", np.ones((c.m, 1)))):
            value, start = given.get(c.spec.answer_name(parameter)), c.value(parameter)
            if value is None or value.shape != start.shape:
                continue
            gradient = (start - value) / c.learning_rate if c.spec.result == "update" else value
            sides.append(gradient - (c.decay * start if parameter[0] == "W" else 0.0))
            factors.append(c.scale * factor)
        if not sides:
            return None
        side, factor = np.concatenate(sides, axis=1), np.concatenate(factors, axis=1)
        error, _, rank, _ = np.linalg.lstsq(factor.T, side.T, rcond=1e-10)
        if rank < c.m or not same(error.T @ factor, side, EXACT):
            return None
        found.append(replace(c, own_error=error.T))
        spare += side.size - error.size
    return found if spare >= SPARE else None
