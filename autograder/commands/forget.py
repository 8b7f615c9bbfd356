"""``autograder forget``: all that is a student's goes, from the gradebook to the archives of platforms."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console

from autograder.console import complain, say
from autograder.course import CourseError, find_root
from autograder.grading.journal import FOLDER, NAME, Journal, JournalProblem
from autograder.records import forgetting
from autograder.records.people import Person, read_people


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``autograder forget``."""
    parser.add_argument("student", metavar="STUDENT", help="the student's id, as the folder in submitted/ is called")
    parser.add_argument("--dry-run", action="store_true", help="show what would go, and take nothing away")
    parser.add_argument(
        "--people",
        type=Path,
        metavar="FILE",
        help="the class: what platforms call everyone; by default as in the gradebook",
    )
    parser.add_argument("--root", type=Path, help="the course's folder; found from here by default")


def run(args: argparse.Namespace) -> int:
    """Forget. Returns 0, 1 when something is left that a person has to look at, 2 on bad use."""
    student = str(args.student)
    try:
        if not student or student.startswith(".") or set(student) & set("/\\\0*?["):
            raise CourseError(f"{student} is no student's id.")
        root = find_root(args.root).resolve()
        people = _people(root, args.people)
        names = {name for one in people if one.id == student for name in (one.name, one.sortable, one.email)}
        gone = list(_forget(root, student, people, really=not args.dry_run))
        left = [] if args.dry_run else forgetting.named_in(root, {student, *names})
    except (CourseError, JournalProblem, OSError) as problem:
        complain("forget", problem)
        return 2
    if not gone and not left:
        complain("forget", f"nothing of {student} is here.")
        return 2
    say("would go:" if args.dry_run else "gone:")
    for line in gone:
        say(f"  {line}")
    if left:
        told = f"still named in: {', '.join(left)}. Make these again, or change them by hand."
        say(told, to=Console(stderr=True))
    return 1 if left or any("could not be removed" in line for line in gone) else 0


def _people(root: Path, table: Path | None) -> list[Person]:
    from autograder.bridge.forgetting import people_of
    from autograder.bridge.gradebook_reader import default_gradebook

    if table is not None:
        return read_people(table)[0]
    url = default_gradebook(root)
    return people_of(url) if url else []


def _forget(root: Path, student: str, people: list[Person], *, really: bool) -> Iterator[str]:
    """Take everything away, the parts that are known by name last; says each."""
    from autograder.bridge.forgetting import in_exchange, in_gradebook
    from autograder.bridge.settings import course_config, database_of

    config = course_config(root)
    yield from in_exchange(config, student, really=really)
    url = database_of(config)
    if not url.startswith("sqlite:///") or Path(url.removeprefix("sqlite:///")).is_file():
        yield from in_gradebook(url, student, really=really)
    if (root / FOLDER / NAME).is_file():
        with Journal(root) as journal:
            if told := journal.forget(student, really=really):
                yield f"journal: {told}"
    yield from forgetting.in_collected(root, student, people, really=really)
    yield from forgetting.in_tables(root, student, really=really)
    for folder in forgetting.folders(root, student):
        if really:
            forgetting.remove_folder(folder)
        yield f"{folder.relative_to(root).as_posix()}/"
