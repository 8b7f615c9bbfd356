"""nbgrader's markers: which ones there are, what stands between them, and lines that only look like one.

nbgrader finds a marker as a substring and takes no notice of anything else, so a misspelt one publishes what it
should have hidden. Here a marker has one spelling, and whatever comes close to it is a problem.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher

from autograder.build.problem import Problem
from autograder.build.script import Cell


@dataclass(frozen=True)
class Marker:
    """One of nbgrader's six markers: its only accepted spelling, what it encloses and whether it opens."""

    spelling: str
    kind: str
    opens: bool

    @property
    def phrase(self) -> str:
        """The part that nbgrader itself looks for."""
        return self.spelling.strip("#= ")


MARKERS = (
    Marker("### BEGIN SOLUTION", "solution", True),
    Marker("### END SOLUTION", "solution", False),
    Marker("### BEGIN HIDDEN TESTS", "hidden tests", True),
    Marker("### END HIDDEN TESTS", "hidden tests", False),
    Marker("=== BEGIN MARK SCHEME ===", "mark scheme", True),
    Marker("=== END MARK SCHEME ===", "mark scheme", False),
)

_BY_SPELLING = {marker.spelling: marker for marker in MARKERS}
_SHOUTED = re.compile(r"(#{2,}|={2,}|-{2,})[^a-z]*\b(SOLUTIONS?|HIDDEN|TESTS?|SCHEME)\b[^a-z]*")
_CLOSE = 0.85


def marker(line: str) -> Marker | None:
    """The marker that a line is, in its one spelling; indentation does not matter."""
    return _BY_SPELLING.get(line.strip())


def near_miss(line: str) -> Marker | None:
    """The marker that a line was probably meant to be, None when it is one or is nothing like one."""
    if marker(line) is not None:
        return None
    for candidate in MARKERS:
        if candidate.phrase in line:
            return candidate
    text = line.strip()
    words = re.findall(r"[A-Za-z]+", text)
    # a line that is decorated like a marker may go on after the phrase; any other must be nothing but the phrase
    lengths = range(1, 5) if text.startswith(("##", "==", "--")) else [len(words)]
    starts = ["".join(words[:length]).upper() for length in lengths]
    likely = [start for start in starts if start.startswith(("B", "E"))]
    close = any(_likeness(start, candidate) >= _CLOSE for start in likely for candidate in MARKERS)
    if close or _SHOUTED.fullmatch(text):
        return max(MARKERS, key=lambda candidate: max(_likeness(start, candidate) for start in starts))
    return None


def _likeness(letters: str, candidate: Marker) -> float:
    """How alike the letters and the phrase are, from 0 to 1; spacing does not matter."""
    return SequenceMatcher(None, letters, candidate.phrase.replace(" ", "")).ratio()


def regions(lines: list[str]) -> Iterator[tuple[str | None, str]]:
    """Each line that is no marker, with the kind of region it stands in (None outside)."""
    kind = None
    for line in lines:
        found = marker(line)
        if found is None:
            yield kind, line
        else:
            kind = found.kind if found.opens else None


def without_markers(source: str) -> str:
    """The source without the marker lines; what they enclose stays."""
    return "\n".join(line for _, line in regions(source.split("\n")))


def problems(path: str, cell: Cell) -> Iterator[Problem]:
    """What is wrong with the markers of one cell of a script."""
    opened: tuple[int, Marker] | None = None
    for number, line in cell.numbered():
        found = marker(line)
        if found is None:
            meant = near_miss(line)
            if meant is not None:
                message = f"`{line.strip()}` looks like a marker and is none; write `{meant.spelling}` exactly"
                yield Problem(path, number, message)
            continue
        wrong_cell = _wrong_cell(found, cell)
        if found.opens:
            if wrong_cell:
                yield Problem(path, number, wrong_cell)
            if opened is not None:
                message = f"`{found.spelling}` inside the {opened[1].kind} that line {opened[0]} opens; close that one"
                yield Problem(path, number, message)
            opened = (number, found)
        else:
            if opened is None:
                yield Problem(path, number, f"`{found.spelling}` closes nothing; put `{_partner(found)}` before it")
            elif opened[1].kind != found.kind:
                message = f"it closes the {opened[1].kind} that line {opened[0]} opens; write `{_partner(opened[1])}`"
                yield Problem(path, number, message)
            opened = None
    if opened is not None:
        message = f"`{opened[1].spelling}` is never closed in its cell; add `{_partner(opened[1])}`"
        yield Problem(path, opened[0], message)


def _partner(one: Marker) -> str:
    return next(other.spelling for other in MARKERS if other.kind == one.kind and other.opens != one.opens)


def _wrong_cell(found: Marker, cell: Cell) -> str:
    """Why this marker may not stand in this cell, empty when it may."""
    if found.kind == "hidden tests":
        return 'the build writes the hidden tests of a question; leave `question="id"` and what is marked'
    role = {"solution": "student", "mark scheme": "written"}[found.kind]
    if cell.role != role:
        return f'a {found.kind} outside a {role} cell; write {role}="id" in the cell line or take the markers out'
    return ""
