"""The rule what a sheet is worth, and what to do when one is not."""

from __future__ import annotations

from collections.abc import Mapping

SHEET_POINTS = 100
"""What a sheet is worth."""

EXERCISE_POINTS = {"beyond": 25}
"""Sheets that grow: what each of their exercises adds."""


def imbalance(sheet: str, points: Mapping[str, float]) -> str:
    """What to change so that the exercises of a sheet, each with its points, add up to what it is worth; or nothing.

    >>> imbalance("training", {"sgd": 60, "momentum": 40})
    ''
    >>> imbalance("beyond", {"attention": 25, "normalisation": 25})
    ''
    """
    total, due = sum(points.values()), EXERCISE_POINTS.get(sheet, 0) * len(points) or SHEET_POINTS
    if total == due:
        return ""
    change = f"take away {total - due:g}" if total > due else f"add {due - total:g}"
    each = ", ".join(f"{name} {value:g}" for name, value in points.items())
    return (
        f"the sheet {sheet} is worth {total:g} points and not {due} ({each}). To {change}, change the points "
        "of lines in autograder/exercises/NAME.py."
    )
