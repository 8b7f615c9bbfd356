"""``autograder numbers``: numbers of their own for students, and what they are."""

from __future__ import annotations

import argparse
import json
import os
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nbformat
from rich.console import Console
from rich.table import Table

from autograder.console import complain, say
from autograder.course import CourseError, find_root
from autograder.exercises import all_exercises, load
from autograder.personal import (
    OwnNumbers,
    exercises_in,
    numbers_of,
    read_own_numbers,
    read_secret,
    secret_mark,
    setting,
    students_notebook,
)
from autograder.records.people import read_people


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``autograder numbers``."""
    steps = parser.add_subparsers(dest="step", metavar="STEP", required=True)
    release = steps.add_parser("release", help="write a notebook with numbers of their own for every student")
    release.add_argument("--secret-file", type=Path, required=True, metavar="FILE", help="made when it is not there")
    release.add_argument("--students", type=Path, required=True, metavar="CSV", help="with a column id, as nbgrader's")
    release.add_argument("--exercises", nargs="+", metavar="EXERCISE", help="all calculations by hand by default")
    release.add_argument("--to", type=Path, default=Path("numbers"), metavar="DIR", help="where notebooks are written")
    show = steps.add_parser("show", help="the numbers of one student with the exact answers: not for students")
    show.add_argument("student")
    show.add_argument("exercise", nargs="?", help="all that have numbers of their own by default")
    for step in (release, show):
        step.add_argument("--root", type=Path, help="the course's folder; found from here by default")


def run(args: argparse.Namespace) -> int:
    """Do it. Returns 0 when it was done, 2 on bad use."""
    out = Console(highlight=False, soft_wrap=True)
    try:
        root = find_root(args.root)
        if args.step == "show":
            _show(root, args.student, args.exercise, out)
        else:
            _release(root, args, _students(args.students))
    except CourseError as problem:
        complain("numbers", problem)
        return 2
    return 0


def _release(root: Path, args: argparse.Namespace, students: list[str]) -> None:
    path, secret_file = setting(root), args.secret_file.absolute()
    before = _before(path)
    if not secret_file.exists():
        if before:
            raise CourseError(f"{secret_file} is not there, but students have numbers already: give their secret.")
        _make_secret(secret_file)
        say(f"new secret in {secret_file}: keep it and show it to no one; without it nothing can be marked.")
    secret = read_secret(secret_file)
    if before and before["secret_mark"] != secret_mark(secret):
        raise CourseError(
            f"{path} belongs to another secret. Give that one, or delete {path.name} to begin anew: then all "
            "students get new numbers."
        )
    names = _exercises(args.exercises, before.get("exercises", ()))
    released = {name: root / "assignments" / load(name).sheet / f"{name}.ipynb" for name in names}
    for place in released.values():
        if not place.is_file():
            raise CourseError(f"{place} is missing: run `autograder build`.")
    everyone = sorted({*students, *before.get("students", ())})
    own = OwnNumbers(secret, frozenset(everyone), names)
    for name, place in released.items():
        notebook = nbformat.read(place, as_version=4)
        for student in students:
            to = args.to / student / load(name).sheet / place.name
            to.parent.mkdir(parents=True, exist_ok=True)
            nbformat.write(students_notebook(notebook, own, name, student), to)
    inside = secret_file.is_relative_to(root.absolute())
    about = {
        "exercises": [*names],
        "secret_file": str(secret_file.relative_to(root.absolute()) if inside else secret_file),
        "secret_mark": secret_mark(secret),
        "students": everyone,
    }
    path.write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")
    say(f"notebooks of {', '.join(names)} for {len(students)} in {args.to}; {len(everyone)} in all have their own "
        f"numbers ({path.name}).")  # fmt: skip


def _exercises(wanted: Sequence[str] | None, before: Sequence[str]) -> tuple[str, ...]:
    """The exercises with numbers of their own: those that are asked for beside earlier ones, else those, else all."""
    able = [one.name for one in all_exercises() if one.personal is not None]
    for name in wanted or ():
        if name not in able:
            raise CourseError(f"{name} has no numbers of one's own; {', '.join(able) or 'nothing'} could have.")
    if not able:
        raise CourseError("no exercise of this course has numbers of one's own.")
    chosen = {*before, *wanted} if wanted else {*before} or {*able}
    return tuple(name for name in able if name in chosen)


def _show(root: Path, student: str, exercise: str | None, out: Console) -> None:
    own = read_own_numbers(root)
    if own is None:
        raise CourseError(f"there is no {setting(root).name}: everyone has the numbers of the sheet.")
    if student not in own.students:
        raise CourseError(f"{student} has no numbers of their own, and is marked with those of the sheet.")
    if exercise is not None and exercise not in own.exercises:
        raise CourseError(f"in {exercise} everyone has the numbers of the sheet; name {' or '.join(own.exercises)}.")
    for name in own.exercises if exercise is None else (exercise,):
        personal = load(name).personal
        assert personal is not None, "the setting was read"
        given = numbers_of(own, name, student)
        say(f"{student}, {name}: {personal.in_words(given)}")
        table = Table("value", "exact")
        for answer, value in personal.truth(given).items():
            table.add_row(answer, ", ".join(f"{x:.7g}" for x in value.ravel()))
        out.print(table)


def _before(path: Path) -> dict[str, Any]:
    """What the setting says now; empty when there is none."""
    if not path.exists():
        return {}
    try:
        about = json.loads(path.read_text(encoding="utf-8"))
        students = [str(one) for one in about["students"]]
        return {"secret_mark": str(about["secret_mark"]), "students": students, "exercises": exercises_in(about)}
    except (ValueError, KeyError, TypeError):
        raise CourseError(f"{path} is damaged: delete it, and release with the old secret.") from None


def _students(path: Path) -> list[str]:
    """The ids in a table of students. Raises CourseError."""
    return [one.id for one in read_people(path)[0]]


def _make_secret(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "w", encoding="ascii") as file:
        file.write(secrets.token_hex(32) + "\n")
