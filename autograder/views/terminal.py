"""Marks in a terminal: one table for a class, one for a notebook."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from autograder.console import printable
from autograder.marking import Marks
from autograder.views.words import points, sign, summary, to_do, word

LONGEST_NAME = 24
"""So many characters of a name are shown in the table of a class: 80 columns hold the points as well."""

STYLES = {"correct": "green", "missing": "yellow", "grader_error": "bold magenta"}


def class_table(all_marks: Sequence[Marks]) -> Table:
    """One row per notebook: points and the first thing to look at."""
    table = Table(box=box.SIMPLE_HEAD, title_justify="left", pad_edge=False)
    # a long name is shortened, the points never
    table.add_column("student", no_wrap=True, max_width=LONGEST_NAME)
    table.add_column("exercise", no_wrap=True, max_width=LONGEST_NAME)
    table.add_column("points", justify="right", no_wrap=True, min_width=9)
    table.add_column("first thing to look at", ratio=1, min_width=16)
    for marks in all_marks:
        who = (_text(marks.student or "-"), _text(marks.exercise))
        if marks.error:
            table.add_row(*who, Text("?", "bold magenta"), _text(marks.error, "bold magenta"))
            continue
        first = next((question for question in marks.questions if question.status != "correct"), None)
        said = Text("everything is right", "green") if first is None else _text(_short(summary(first)))
        full = marks.points == marks.max_points
        earned = f"{points(marks.points)} / {points(marks.max_points)}"
        table.add_row(*who, Text(earned, "green" if full else ""), said)
    return table


def notebook_table(marks: Marks) -> Group:
    """Every question of one notebook with its status and its message."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_footer=bool(marks.questions))
    table.add_column("question", footer="sum")
    table.add_column("points", justify="right", footer=f"{points(marks.points)} / {points(marks.max_points)}")
    table.add_column("", no_wrap=True)
    table.add_column("what was found", ratio=1)
    for question in marks.questions:
        style = STYLES.get(question.status, "red")
        table.add_row(
            _text(question.title),
            f"{points(question.points)} / {points(question.max_points)}",
            Text(f"{sign(question.status)} {word(question.status)}", style),
            _text("\n".join([text for text in (summary(question), *question.remarks) if text])),
        )
    who = f"{marks.student}: " if marks.student else ""
    lines: list[RenderableType] = [_text(f"{who}{marks.exercise}", "bold"), table]
    lines += [_text(note, "yellow") for note in (*marks.notes, to_do(marks)) if note]
    if marks.isolation == "none":
        lines.append(Text("Graded without isolation.", "bold red"))
    return Group(*lines)


def plain(renderable: object, width: int = 100) -> str:
    """The same as plain text."""
    console = Console(width=width, no_color=True, color_system=None, force_terminal=False, legacy_windows=False)
    with console.capture() as captured:
        console.print(renderable)
    return "\n".join(line.rstrip() for line in captured.get().splitlines()).strip("\n")


def _text(words: str, style: str = "") -> Text:
    """Words that students may have chosen: names of folders, errors. They are no markup and steer no terminal."""
    return Text(printable(words), style)


def _short(text: str, limit: int = 160) -> str:
    return text if len(text) <= limit else text[: limit - 1].rsplit(" ", 1)[0] + " …"
