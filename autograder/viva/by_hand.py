"""Questions about a calculation by hand: its values are the student's own, what follows from a change is exact."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from autograder.exercise import Exercise, Probe, Values
from autograder.marking.compare import HAND
from autograder.marking.judges import usable
from autograder.views.viva import Asked
from autograder.viva.changes import STEPS, Nudge, nudged, shows
from autograder.viva.points import moved, until


def typed_in(exercise: Exercise) -> tuple[Probe, Values] | None:
    """What asks for the values that were typed in, and the numbers that they follow from."""
    probe = exercise.probes[0]
    if exercise.personal is None:
        return None
    return probe, probe.challenges(np.random.default_rng(0))[0].kept


def asked(exercise: Exercise, numbers: Values, answer: Values, rng: np.random.Generator) -> Iterator[Asked]:
    """By how much the loss changes when a parameter does, for one with the student's gradient and one without."""
    assert exercise.personal is not None
    truth, own = exercise.personal.truth, usable(answer)
    before = truth(numbers)
    names = [name for name in numbers if f"d{name}" in before and f"d{name}" in own]
    names = [name for name in names if np.size(own[f"d{name}"]) == np.size(numbers[name])]
    if "loss" not in own or not names:
        return
    for told in (True, False):
        draw = partial(_moved, numbers, names, before, truth, rng, told)
        found = until(draw, lambda one: one is not None)
        if found is None:
            continue
        nudge, losses = found
        mine = np.reshape(own[f"d{nudge.name}"], np.shape(numbers[nudge.name]))
        slope = float(np.reshape(before[f"d{nudge.name}"], mine.shape)[nudge.at])
        tables = [(f"your d{nudge.name}", mine)] if told else []
        yield from nudged(
            exercise.name, "your calculation", numbers, nudge, slope, losses, mine, tables=tables, rtol=HAND
        )  # fmt: skip


def _moved(
    numbers: Values, names: list[str], before: Values, truth: Callable[[Values], Values], rng: np.random.Generator,
    told: bool,
) -> tuple[Nudge, tuple[float, float]] | None:  # fmt: skip
    """A parameter moved at random, with the exact losses before and after; None where it does not show."""
    name = str(rng.choice(names))
    row, column = (int(rng.integers(size)) for size in np.shape(numbers[name]))
    nudge = Nudge(name, (row, column), float(rng.choice(STEPS)), told)
    losses = float(before["loss"]), float(truth(moved(numbers, name, nudge.at, nudge.by))["loss"])
    slope = float(np.reshape(before[f"d{name}"], np.shape(numbers[name]))[nudge.at])
    return (nudge, losses) if shows(slope * nudge.by, losses) else None
