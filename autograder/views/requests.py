"""Regrade requests as an instructor sees them: a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich import box
from rich.table import Table
from rich.text import Text

from autograder.console import printable
from autograder.views.terminal import LONGEST_NAME
from autograder.views.words import points

ASKS = "What should be looked at again, and why:"
"""The last line of the text that a page offers to be copied."""


@dataclass(frozen=True)
class Request:
    """What a student asked to be looked at again, and what came of it.

    ``machine`` and ``given`` are the points by the machine and by a person when it was asked, None where there were
    none, and ``after`` those that counted when it was closed. ``answer`` is what was marked then. ``earlier`` says that
    the notebook had been graded again since the page was made. Times are in UTC; empty ones have not come yet.
    """

    number: int
    code: str
    student: str
    sheet: str
    exercise: str
    question: str
    title: str
    text: str
    answer: str
    machine: float | None
    given: float | None
    most: float
    asked: str
    earlier: bool = False
    reply: str = ""
    replied: str = ""
    closed: str = ""
    after: float | None = None

    @property
    def state(self) -> str:
        """The last step, in a word."""
        return "closed" if self.closed else "answered" if self.reply else "open"


def table(requests: Sequence[Request]) -> Table:
    """One row for every request."""
    shown = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name, how in (("", "right"), ("state", "left"), ("student", "left"), ("question", "left"),
                      ("machine", "right"), ("person", "right"), ("asked", "left")):  # fmt: skip
        shown.add_column(name, justify="right" if how == "right" else "left", no_wrap=name != "question",
                         max_width=LONGEST_NAME if name == "student" else None)  # fmt: skip
    for one in requests:
        about = f"{one.exercise}: {one.title}"
        shown.add_row(
            str(one.number), one.state, Text(printable(one.student)), Text(printable(about)), _said(one.machine),
            _said(one.given), one.asked[:10],
        )  # fmt: skip
    return shown


def _said(value: float | None) -> str:
    return "" if value is None else points(value)
