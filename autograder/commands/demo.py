"""``autograder demo``: a demo class through nbgrader, as an instructor would do it."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import sysconfig
import time
from collections import Counter
from pathlib import Path

import nbformat
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from autograder.console import complain, say
from autograder.course import CONFIG, CourseError, find_root, in_use
from autograder.demo.students import DEMO_EXERCISES, HandIn, hand_ins
from autograder.exercises import load
from autograder.marking import Marks
from autograder.records.read import read
from autograder.views import words
from autograder.views.terminal import class_table


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``autograder demo``."""
    parser.add_argument("--folder", type=Path, default=Path("demo"), help="where the demo course is made (replaced)")
    parser.add_argument("--root", type=Path, help="the course's folder; found from here by default")


def run(args: argparse.Namespace) -> int:
    """Make the demo course, grade it and print what came out. Returns 0 when every mark is the deserved one."""
    console = Console()
    errors = Console(stderr=True)
    try:
        root = find_root(args.root)
        if in_use():
            raise CourseError("the demo shows the course of this package: run it in a checkout of that.")
        handed_in = hand_ins(root)
        _make_course(root, args.folder, handed_in)
    except CourseError as bad_use:
        complain("demo", bad_use)
        return 2
    console.print(f"• {len({h.student for h in handed_in})} students hand in {len(handed_in)} notebooks", style="bold")
    started = time.perf_counter()
    problems = _grade(args.folder.resolve(), handed_in)
    for problem in problems:
        say(problem, "red", to=errors)
    graded = [_marks(args.folder, one) for one in handed_in]
    marks = [one for one in graded if one is not None]
    console.print(class_table(marks))
    _print_mistakes(console, marks)
    seconds = time.perf_counter() - started
    level = marks[0].isolation if marks else ""
    console.print(f"graded through nbgrader in {seconds:.0f} s, isolation: {level}\n", style="dim", highlight=False)
    page = args.folder / "feedback" / "carla" / "training" / "tanh_swap.html"
    for what, path in (("a feedback page", page), ("the gradebook", args.folder / "gradebook.db")):
        say(f"{what}: {path}")
    jupyter = os.path.relpath(Path(sysconfig.get_path("scripts")) / "jupyter", args.folder)
    say(f"formgrader: cd {args.folder} && {jupyter} lab")
    undeserved = [
        f"{one.student} {one.exercise.name}: {words.points(found.points) if found else 'no marks'}, "
        f"but {words.points(one.points)} are due"
        for one, found in zip(handed_in, graded)
        if found is None or found.points != one.points
    ]
    for line in undeserved:
        say(line, "red", to=errors)
    return 1 if undeserved or problems else 0


def _make_course(root: Path, folder: Path, handed_in: list[HandIn]) -> None:
    """A course folder of its own: sources, configuration and what the class handed in.

    Raises CourseError when the folder is there and is no demo course: nothing of the user's is replaced.
    """
    marker = folder / ".demo"
    if folder.exists() and not marker.exists():
        raise CourseError(f"{folder} is there already and is no demo course: give another --folder.")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    marker.touch()
    shutil.copy(root / CONFIG, folder / CONFIG)
    for sheet in {load(name).sheet for name in DEMO_EXERCISES}:
        wanted = {f"{name}.ipynb" for name in DEMO_EXERCISES}
        shutil.copytree(
            root / "source" / sheet,
            folder / "source" / sheet,
            ignore=lambda _, names, wanted=wanted: [n for n in names if n.endswith(".ipynb") and n not in wanted],
        )
    for one in handed_in:
        path = folder / "submitted" / one.student / one.exercise.sheet / f"{one.exercise.name}.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(one.notebook, path)


def _grade(folder: Path, handed_in: list[HandIn]) -> list[str]:
    """Release, autograde and give feedback through nbgrader's API; returns what went wrong."""
    from autograder.bridge.api import CourseApi

    api = CourseApi(folder)
    sheets = list(dict.fromkeys(one.exercise.sheet for one in handed_in))
    students = list(dict.fromkeys(one.student for one in handed_in))
    problems = [problem for sheet in sheets for problem in api.generate_assignment(sheet)]
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
        disable=not sys.stderr.isatty(),
    ) as progress:
        task = progress.add_task("", total=len(students) * len(sheets))
        for student in students:
            for sheet in sheets:
                progress.update(task, description=f"grading {student}: {sheet}")
                problems += api.autograde(sheet, student)
                problems += api.generate_feedback(sheet, student)
                progress.advance(task)
    return problems


def _marks(folder: Path, one: HandIn) -> Marks | None:
    path = folder / "autograded" / one.student / one.exercise.sheet / f"{one.exercise.name}.ipynb"
    if not path.is_file():
        return None
    return next(iter(read([path])), None)


def _print_mistakes(console: Console, marks: list[Marks]) -> None:
    counted = Counter(
        mistake for one in marks for mistake in {m for question in one.questions for m in question.mistakes}
    )
    if counted:
        console.print("the most common mistakes", style="bold")
        for mistake, count in counted.most_common(3):
            console.print(f"  {count} × {words.mistake(mistake)}", highlight=False)
        console.print()
