"""From a script and its exercise to the solved notebook: what the exercise knows is written here and nowhere else."""

from __future__ import annotations

import re
import textwrap
from dataclasses import asdict
from typing import Any

import nbformat
from nbformat import NotebookNode

from autograder.build.script import KEPT_METADATA, ROLES, Cell, Script
from autograder.exercise import Exercise, Line, Question, Written
from autograder.exercises import neighbours

KERNELSPEC = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
LANGUAGE_INFO = {
    # the version of the running Python is left out: it would differ between machines
    "codemirror_mode": {"name": "ipython", "version": 3},
    "file_extension": ".py",
    "mimetype": "text/x-python",
    "name": "python",
    "nbconvert_exporter": "python",
    "pygments_lexer": "ipython3",
}
WIDTH = 120

_FRACTIONS = {0.25: "a quarter of a point", 0.5: "half a point", 1: "one point"}
_WORDS = ("two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_NUMBERS: dict[float, str] = dict(enumerate(_WORDS, start=2))
_PLACE = re.compile(r"\{([^{}]*)\}")


def notebook(script: Script, exercise: Exercise | None = None) -> NotebookNode:
    """The solved notebook: the script's cells with the metadata, points and hidden tests that follow from the exercise.

    The first cell begins with the exercise's title, minutes, difficulty and points. The heading of a written part ends
    with its points, and an empty cell for the answer follows. A question's cell says what is marked and calls the
    marking. The same bytes on every machine.
    """
    metadata = {"kernelspec": dict(KERNELSPEC), "language_info": dict(LANGUAGE_INFO)}
    result: NotebookNode = nbformat.v4.new_notebook(metadata=metadata)
    result.nbformat_minor = 5
    parts: dict[str, Question | Written] = {}
    if exercise is not None:
        parts |= {one.id: one for one in exercise.questions} | {one.id: one for one in exercise.written}
    for cell in script.cells:
        make = getattr(nbformat.v4, f"new_{cell.node.cell_type}_cell")
        part, source = parts.get(cell.grade_id), cell.node.source.strip("\n")
        if exercise is not None and cell is script.cells[0]:
            source = f"{_header(exercise)}\n\n{source}"
        elif exercise is not None and isinstance(part, Question):
            source = _question(source, exercise, part)
        elif isinstance(part, Written):
            source = re.sub("$", f" ({_count(part.points)})", source, count=1, flags=re.MULTILINE)
        result.cells.append(make(source, metadata=_metadata(cell, part), id=cell.grade_id))
        if isinstance(part, Written):
            result.cells.append(nbformat.v4.new_markdown_cell("", id=f"{part.id}_answer"))
    return result


def text(notebook: NotebookNode) -> str:
    """The notebook as a file: sorted keys, indent 1, a newline at the end; exactly what nbconvert writes."""
    written: str = nbformat.writes(notebook, version=4)
    return written.rstrip("\n") + "\n"


def unknown_lines(words: str, question: Question) -> list[str]:
    """The places ``{...}`` in what a question says of its marking that cannot be filled in."""
    return [f"{{{names}}}" for names in _PLACE.findall(words) if not _same_points(names, question)]


def spoken(source: str) -> str:
    """The words of a comment, without its signs and line ends; empty when there is anything but a comment."""
    lines = source.strip().split("\n")
    return " ".join(line.lstrip("# ") for line in lines) if all(line.startswith("#") for line in lines) else ""


def _metadata(cell: Cell, part: Question | Written | None) -> dict[str, Any]:
    role = ROLES.get(cell.role)
    metadata = {key: cell.node.metadata[key] for key in KEPT_METADATA if key in cell.node.metadata}
    if role is None:
        return metadata
    if role.tags:
        metadata["tags"] = [*role.tags, *metadata.get("tags", ())]
    flags = {key: value for key, value in asdict(role).items() if key not in ("kind", "tags")}
    metadata["nbgrader"] = {**flags, "grade_id": cell.grade_id, "schema_version": 3}
    if role.grade or role.task:
        points = part.points if part else 0
        metadata["nbgrader"]["points"] = int(points) if points == int(points) else points
    return metadata


def _header(exercise: Exercise) -> str:
    plan = f"{exercise.minutes} minutes · difficulty {exercise.difficulty} of 5 · {_count(exercise.points)}"
    before, after = neighbours(exercise)
    way = " ".join(f"{when} this: `{name}`." for when, name in (("Before", before), ("After", after)) if name)
    return "\n\n".join(filter(None, (f"# {exercise.title}", f"**{plan}**", way)))


def _count(points: float) -> str:
    return f"{points:g} point{'' if points == 1 else 's'}"


def _question(source: str, exercise: Exercise, question: Question) -> str:
    """The cell that marks: a comment for students, and the call that their release does not have."""

    def points(place: re.Match[str]) -> str:
        lines = _same_points(place[1], question)
        if not lines:
            return place[0]
        value = lines[0].points
        words = _FRACTIONS.get(value) or f"{_NUMBERS.get(value, f'{value:g}')} points"
        return f"({words} each)" if len(lines) > 1 else f"({words})"

    said = f"Marked after you hand in: {_PLACE.sub(points, spoken(source))}"
    comment = textwrap.fill(said, WIDTH, initial_indent="# ", subsequent_indent="# ", break_on_hyphens=False)
    return (
        f"{comment}\n### BEGIN HIDDEN TESTS\nfrom autograder.in_kernel import mark_question\n\n"
        f'mark_question("{exercise.name}", "{question.id}", globals())\n### END HIDDEN TESTS'
    )


def _same_points(names: str, question: Question) -> tuple[Line, ...]:
    """The lines that a place names, or every line for ``{each}``; none when one is unknown or the points differ."""
    wanted = [name.strip() for name in names.split(",")]
    by_name = {line.name: line for line in question.lines}
    if wanted == ["each"]:
        wanted = list(by_name)
    if not set(wanted) <= set(by_name) or len({by_name[name].points for name in wanted}) != 1:
        return ()
    return tuple(by_name[name] for name in wanted)
