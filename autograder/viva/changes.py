"""Questions about a change: every example twice, or one parameter moved a little."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograder.exercise import Values
from autograder.marking.compare import compare
from autograder.views.viva import Asked, rows, short

STEPS = (0.1, -0.1, 0.2)
"""By how much a parameter is moved."""

LEAST = 0.004
"""A change of the loss that is a smaller part of it is not asked for."""

WORDS = {1.0: "stays as it is", 2.0: "doubles", 0.5: "halves", 4.0: "becomes four times as large"}


def both(one: np.ndarray, other: np.ndarray, *, rtol: float | None = None) -> bool:
    """Whether they are the same, as marks are given."""
    return compare(one, other, rtol=rtol).equal


def scaled(before: np.ndarray, after: np.ndarray) -> str:
    """What happens to an array.

    >>> scaled(np.array([1.0, -2.0]), np.array([2.0, -4.0])), scaled(np.array([1.0]), np.array([3.0]))
    ('doubles', 'is multiplied by 3')
    """
    if before.shape == after.shape and (size := float(np.vdot(before, before))) > 0:
        factor = float(np.vdot(before, after)) / size
        if both(after, factor * before):
            near = next((words for known, words in WORDS.items() if abs(factor - known) < 1e-6), "")
            return near or f"is multiplied by {short(factor)}"
    return f"becomes {'; '.join(', '.join(row) for row in rows(after))}"


def doubled(
    exercise: str, of: str, point: Values, name: str, exact: Sequence[np.ndarray], own: Sequence[np.ndarray],
    why: str = "",
) -> Iterator[Asked]:  # fmt: skip
    """What happens to a gradient when every example is there twice; ``exact`` and ``own`` are before and after.

    ``of`` says what gives it, as in "your `Network` gives".
    """
    due, m = scaled(*exact), np.shape(point["X"])[1]
    if due == WORDS[1.0]:
        why = " The sum has twice as many terms and is divided by twice as many examples."
    said = f"Their own code: `{name}` {scaled(*own)}"
    begins_right = both(own[0], exact[0])
    if not begins_right:
        said += ", and is not the exact one to begin with"
    yield Asked(
        "twice", 2, exercise,
        f"At m = {m} examples {of} this `{name}`. Now every example is there twice, so that m = {2 * m}. "
        f"What happens to your `{name}`, and why?",
        f"The exact gradient of the loss {due}.{why}",
        own="" if begins_right and both(own[1], exact[1]) else f"{said}.",
        tables=((f"your {name}, m = {m}", own[0]),),
        check={"point": point, "name": name, "exact": tuple(exact), "own": tuple(own)},
    )  # fmt: skip


@dataclass(frozen=True)
class Nudge:
    """One entry of a parameter that is moved; with ``told`` the student's own gradient is printed."""

    name: str
    at: tuple[int, int]
    by: float
    told: bool

    def words(self, value: Any) -> str:
        """What is moved, at the beginning of a sentence; ``value`` is the parameter."""
        row, column = (number + 1 for number in self.at)
        if np.size(value) == 1:
            return f"`{self.name}`"
        if np.shape(value)[1] == 1:
            return f"Entry {row} of `{self.name}`"
        return f"The entry of `{self.name}` in row {row}, column {column}"


def shows(guess: float, losses: tuple[float, float]) -> bool:
    """Whether the loss changes enough, and the slope is a fair guess of it."""
    change = losses[1] - losses[0]
    return abs(change) >= LEAST * abs(losses[0]) and abs(guess - change) < 0.4 * abs(change)


def nudged(
    exercise: str, of: str, point: Values, nudge: Nudge, slope: float, losses: tuple[float, float], own: np.ndarray, *,
    tables: Sequence[tuple[str, Any]], own_change: float | None = None, rtol: float | None = None,
) -> Iterator[Asked]:  # fmt: skip
    """By how much the loss changes; ``slope`` is the exact gradient, ``own`` the student's, in the parameter's shape.

    ``losses`` are exact, before and after. ``own_change`` is that of the student's own loss, where it can be asked.
    """
    name, value, change = f"d{nudge.name}", point[nudge.name], losses[1] - losses[0]
    if not shows(slope * nudge.by, losses):
        return
    mine = float(own[nudge.at])
    said = []
    if not both(np.array(mine), np.array(slope), rtol=rtol):
        said.append(f"Their own `{name}` is {short(mine)} there, which is not the slope of the loss.")
    if own_change is not None and not both(np.array(own_change), np.array(change)):
        said.append(f"Their own loss changes by {short(own_change)}.")
    way, up = "grows" if nudge.by > 0 else "shrinks", "up" if change > 0 else "down"
    yield Asked(
        "nudge", 1 if nudge.told else 3, exercise,
        f"{nudge.words(value)} {way} by {short(abs(nudge.by))}, and nothing else changes. By about how much does the "
        f"loss of {of} change, and which way?",
        f"About {name} times the change: {short(slope)} × {short(nudge.by)} = {short(slope * nudge.by)}. Exactly: "
        f"{short(change)}, so {up}, from {short(losses[0])} to {short(losses[1])}; the loss is no straight line.",
        own=" ".join(said),
        tables=(*tables, (nudge.name, value)),
        check={"point": point, "parameter": nudge.name, "at": nudge.at, "by": nudge.by, "slope": slope,
               "change": change, "own_slope": mine, "own_change": own_change},
    )  # fmt: skip
