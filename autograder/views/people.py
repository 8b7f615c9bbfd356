"""What people gave, as pages show it: points that they changed, and parts in words over a class."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Changed:
    """One question of one student. ``machine`` is None where the machine gives nothing, ``given`` where nobody did."""

    student: str
    sheet: str
    exercise: str
    question: str
    machine: float | None
    given: float | None
    most: float
    why: str = ""
    by: str = ""


@dataclass(frozen=True)
class Part:
    """A part in words over a class: how many were marked and wait, the mean of those, and for every line of the mark
    scheme its words, its worth and how many have it, of the ``by_boxes`` that were marked by these lines."""

    exercise: str
    id: str
    title: str
    points: float
    marked: int
    waiting: int
    mean: float | None
    by_boxes: int = 0
    boxes: tuple[tuple[str, float, int], ...] = ()


@dataclass(frozen=True)
class Total:
    """A notebook's points by machine and by people, out of how many, and how many of its parts wait for a person."""

    points: float
    most: float
    waiting: int
