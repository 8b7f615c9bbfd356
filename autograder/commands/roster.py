"""``autograder roster``: who has handed in, what is missing, marked, waiting for a person, returned."""

from __future__ import annotations

import argparse
from collections.abc import Container, Iterator
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from autograder.bridge.gradebook_reader import default_gradebook, standings, students
from autograder.console import complain
from autograder.course import CourseError, find_root
from autograder.exercise import SHEETS
from autograder.records.people import read_people
from autograder.records.returned import last_returned
from autograder.views import roster


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``autograder roster``."""
    parser.add_argument("sheets", nargs="*", metavar="SHEET", help="sheets to show; all that are known by default")
    parser.add_argument("--people", type=Path, metavar="FILE", help="the class, for those who handed in nothing at all")
    parser.add_argument("--to", type=Path, metavar="FILE", help="write it as a page")
    parser.add_argument("--gradebook", metavar="URL", help="nbgrader's gradebook; by default the course's")
    parser.add_argument("--root", type=Path, help="the course's folder; found from here by default")


def run(args: argparse.Namespace) -> int:
    """Print the table or write the page. Returns 0, or 2 on bad use."""
    try:
        root = find_root(args.root)
        url = args.gradebook or default_gradebook(root)
        released, found = standings(url, last_returned(root)) if url else ([], [])
        waiting = list(_not_graded(root, {(one.student, one.sheet) for one in found}))
        there = [sheet for sheet in SHEETS if sheet in {*released, *(one.sheet for one in waiting)}]
        if not there or not set(args.sheets) <= set(there):
            missing = next((one for one in args.sheets if one not in there), "any sheet")
            known = ", ".join(there) or "nothing"
            raise CourseError(f"nothing of {missing} was released or handed in; there is {known}.")
        people = [one.id for one in read_people(args.people)[0]] if args.people else []
        people += students(url) if url else []
        rows = roster.with_everyone([*found, *waiting], people, args.sheets or there)
        if args.to:
            args.to.parent.mkdir(parents=True, exist_ok=True)
            args.to.write_text(roster.page(rows, datetime.now(UTC)), encoding="utf-8")
    except (CourseError, OSError) as problem:
        complain("roster", problem)
        return 2
    if args.to is None:
        Console().print(roster.table(rows))
    Console().print(roster.counts(rows), highlight=False, soft_wrap=True)
    return 0


def _not_graded(root: Path, graded: Container[tuple[str, str]]) -> Iterator[roster.Standing]:
    """What lies in submitted/ and is not in the gradebook."""
    for folder in sorted((root / "submitted").glob("*/*")):
        about = folder.parent.name, folder.name
        if folder.is_dir() and folder.name in SHEETS and about not in graded:
            yield roster.Standing(*about, handed_in=True)
