"""Where everyone stands, sheet by sheet: missing, handed in, waiting for a person, marked, returned."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from rich import box
from rich.table import Table
from rich.text import Text

from autograder.console import printable
from autograder.views.feedback import environment
from autograder.views.hand_ins import in_words
from autograder.views.terminal import LONGEST_NAME
from autograder.views.words import points


@dataclass(frozen=True)
class Standing:
    """One sheet of one student. Times are in UTC; ``due`` has the student's own extension in it.

    ``waits`` counts the parts that a person still has to mark. ``earned`` is None where nothing was graded, and has
    the penalty for late work taken off. ``returned`` says when the page went back last.
    """

    student: str
    sheet: str
    handed_in: bool
    at: datetime | None = None
    due: datetime | None = None
    waits: int = 0
    earned: float | None = None
    most: float = 0.0
    penalty: float = 0.0
    extended: bool = False
    returned: str = ""

    @property
    def state(self) -> str:
        """The last step that was reached, in a word."""
        if not self.handed_in:
            return "missing"
        if self.earned is None:
            return "not graded"
        if self.waits:
            return f"waits ({self.waits})"
        return "returned" if self.returned else "marked"

    @property
    def remark(self) -> str:
        """What is special about the time: late, and by how much, or with a later deadline."""
        said = []
        if self.at is not None and self.due is not None and self.at > self.due:
            said.append(f"{in_words(self.due - self.at).removesuffix(' after')} late")
        if self.penalty:
            said.append(f"-{points(self.penalty)}")
        if self.extended and self.due is not None:
            said.append(f"had until {self.due:%Y-%m-%d %H:%M} UTC")
        return "; ".join(said)

    @property
    def score(self) -> str:
        """The points, where there are some."""
        return "" if self.earned is None else f"{points(self.earned)} / {points(self.most)}"


STYLES = {"missing": "yellow", "not graded": "yellow", "waits": "magenta", "marked": "", "returned": "green"}


def table(rows: Sequence[Standing]) -> Table:
    """One row per student and sheet."""
    shown = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    shown.add_column("student", no_wrap=True, max_width=LONGEST_NAME)
    shown.add_column("sheet", no_wrap=True)
    shown.add_column("state", no_wrap=True)
    shown.add_column("points", justify="right", no_wrap=True)
    shown.add_column("", ratio=1)
    for one in rows:
        style = STYLES[one.state.partition(" (")[0]]
        who = Text(printable(one.student))
        shown.add_row(who, Text(printable(one.sheet)), Text(one.state, style), one.score, Text(one.remark))
    return shown


def counts(rows: Iterable[Standing]) -> str:
    """How many of each, in the order of the steps.

    >>> counts([Standing("ada", "training", True), Standing("bo", "training", False)])
    '1 missing, 1 not graded'
    """
    states = [one.state.partition(" (")[0] for one in rows]
    return ", ".join(f"{states.count(state)} {state}" for state in STYLES if state in states)


def page(rows: Sequence[Standing], now: datetime) -> str:
    """The same as one HTML file that loads nothing."""
    sheets = {sheet: [one for one in rows if one.sheet == sheet] for sheet in dict.fromkeys(one.sheet for one in rows)}
    template = environment().get_template("roster.html.j2")
    return template.render(sheets=sheets, counts=counts, now=f"{now:%Y-%m-%d %H:%M} UTC")


def with_everyone(rows: Iterable[Standing], students: Iterable[str], sheets: Iterable[str]) -> list[Standing]:
    """The rows, and one for every student and sheet that has none; by sheet, then by student."""
    known = {(one.student, one.sheet): one for one in rows}
    everyone = sorted({*students, *(student for student, _ in known)})
    return [
        known.get((student, sheet)) or Standing(student, sheet, handed_in=False)
        for sheet in sheets
        for student in everyone
    ]
