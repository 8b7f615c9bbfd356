"""The rule that every sheet is worth the same, and what to do when one is not."""

from __future__ import annotations

from collections.abc import Mapping

SHEET_POINTS = 100
"""What every sheet is worth."""


def imbalance(sheet: str, points: Mapping[str, float]) -> str:
    """What to change so that the exercises of a sheet, each with its points, add up to 100; empty when they do.

    >>> imbalance("training", {"sgd": 60, "momentum": 40})
    ''
    """
    total = sum(points.values())
    if total == SHEET_POINTS:
        return ""
    change = f"take away {total - SHEET_POINTS:g}" if total > SHEET_POINTS else f"add {SHEET_POINTS - total:g}"
    each = ", ".join(f"{name} {value:g}" for name, value in points.items())
    return (
        f"the sheet {sheet} is worth {total:g} points and not {SHEET_POINTS} ({each}). To {change}, change the points "
        "of lines in autograder/exercises/NAME.py."
    )
