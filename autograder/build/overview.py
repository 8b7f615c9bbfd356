"""What the course asks, part by part: a page made from the exercises, so that it cannot say anything else."""

from __future__ import annotations

from collections.abc import Sequence

from autograder.course import modules
from autograder.exercise import SHEETS, Exercise

PATH = "docs/exercises.md"


def overview(exercises: Sequence[Exercise]) -> str:
    """The page as Markdown: a table per sheet with every part, what marks it, and its points."""
    lines = [
        "# The exercises, part by part",
        "",
        f"This page is made by `autograder build` from `{modules()}/`. Behind each name stand the minutes to",
        "plan for it and its difficulty, from 1 to 5.",
        "",
        f"{len(exercises)} exercises, {sum(len(exercise.parts) for exercise in exercises)} parts, "
        f"{_points(sum(exercise.points for exercise in exercises))} points, of which "
        f"{_points(sum(part.points for exercise in exercises for part in exercise.written))} are given by a person.",
    ]
    for sheet, title in SHEETS.items():
        mine = [exercise for exercise in exercises if exercise.sheet == sheet]
        if not mine:
            continue
        lines += [
            "",
            f"## {title} (`{sheet}`), {_points(sum(exercise.points for exercise in mine))} points",
            "",
            "| exercise | part | what is marked | by | points |",
            "|---|---|---|---|---|",
        ]
        for exercise in mine:
            lines += _rows(exercise)
    return "\n".join(lines) + "\n"


def _rows(exercise: Exercise) -> list[str]:
    marked = {question.id: (question.title, "machine", question.points) for question in exercise.questions}
    marked |= {part.id: (part.title, "person", part.points) for part in exercise.written}
    rows, name = [], f"`{exercise.name}` ({exercise.minutes} min, {exercise.difficulty} of 5)"
    counted: dict[str, str] = {}
    for part, ids in exercise.parts.items():
        label = _label(part)
        for one in ids:
            title, by, points = marked[one]
            worth = f"as in {counted[one]}" if one in counted else _points(points)
            counted.setdefault(one, _label(part))
            rows.append(f"| {name} | {label} | {title.removeprefix(f'{label} ')} | {by} | {worth} |")
            name, label = "", ""
    return rows


def _label(part: str) -> str:
    return f"({part})" if len(part) == 1 else part.replace("_", " ")


def _points(value: float) -> str:
    return f"{value:g}"
