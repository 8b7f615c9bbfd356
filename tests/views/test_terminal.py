"""The tables of marks in a terminal, with what students chose in them: names, errors, prints."""

import io
from dataclasses import replace

import pytest
from rich.console import Console

from autograder.marking import Marks
from autograder.views.terminal import class_table, notebook_table

NASTY = "[/x] [bold]b[/bold] \x1b[2J\x1b]0;owned\x07 \x9b31m m\udcfcller \u202eback"


def printed(renderable):
    stream = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", errors="strict")
    Console(file=stream, width=300, force_terminal=True).print(renderable)
    stream.flush()
    return stream.buffer.getvalue().decode()


def nasty(records):
    whole = records[0]
    questions = tuple(replace(one, status="wrong", message=NASTY, remarks=(NASTY,)) for one in whole.questions)
    return [
        replace(whole, student=NASTY, questions=questions, notes=(NASTY,)),
        Marks(NASTY, "", NASTY, (), error=NASTY, isolation="full", seed=1),
    ]


@pytest.mark.parametrize("table", [class_table, lambda marks: notebook_table(marks[0])], ids=["class", "notebook"])
def test_what_students_chose_is_shown_and_neither_obeyed_nor_a_reason_to_stop(records, table):
    shown = printed(table(nasty(records)))
    assert "[/x] [bold]b[/bold] \\x1b[2J\\x1b]0;owned\\x07 \\x9b31m m\\udcfcller \\u202eback" in shown
    for steering in ("\x1b[2J", "\x1b]", "\x07", "\x9b", "\u202e"):
        assert steering not in shown
