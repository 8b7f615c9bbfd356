"""``autograder grade`` without a gradebook: marks of notebooks on disk, as a table or as JSON."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from autograder.console import complain, printable
from autograder.course import CourseError, find_root
from autograder.grading.finding import NothingToGrade, find
from autograder.grading.grade import fresh_seed
from autograder.grading.many import get_ready, grade_all
from autograder.grading.submissions import Submission
from autograder.marking import Marks, to_json
from autograder.personal import read_own_numbers
from autograder.sandbox import Sandbox, SandboxUnavailable, shared_sandbox
from autograder.views.terminal import class_table, notebook_table


def run(args: argparse.Namespace) -> int:
    """Grade and print. Returns 0 when all were graded, 1 when something needs a person, 2 on bad use."""
    try:
        root = find_root(args.root, graded=args.paths)
        submissions = find(args.paths, root)
        read_own_numbers(root)
        seed = fresh_seed() if args.seed is None else args.seed
        get_ready(submissions[0], root=root, seed=seed)
        marks = _grade(submissions, shared_sandbox(args.isolation or "auto"), root, seed, args)
    except (CourseError, NothingToGrade) as problem:
        complain("grade", problem)
        return 2
    except SandboxUnavailable as problem:
        complain("grade", problem)
        return 1
    if not args.json:
        _print(marks, seed, args.details)
    return 1 if any(one.needs_person for one in marks) else 0


def _grade(
    submissions: Sequence[Submission], sandbox: Sandbox, root: Path, seed: int, args: argparse.Namespace
) -> list[Marks]:
    """Grade everything; with ``--json`` each record is printed as soon as it is there."""
    done: dict[Submission, Marks] = {}
    progress = Progress(
        TextColumn("grading"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[current]}", markup=False),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        disable=len(submissions) == 1 or not sys.stderr.isatty(),
        transient=True,
    )
    with ThreadPoolExecutor(args.jobs) as pool, progress:
        task = progress.add_task("", total=len(submissions), current="")
        for submission, marks in grade_all(submissions, sandbox, pool, root=root, seed=seed, places=not args.no_places):
            done[submission] = marks
            progress.update(task, advance=1, current=printable(f"{submission.student} {submission.exercise}"))
            if args.json:
                print(json.dumps(to_json(marks)), flush=True)
    return [done[submission] for submission in submissions]


def _print(marks: Sequence[Marks], seed: int, details: bool) -> None:
    console = Console()
    if len(marks) == 1 or details:
        for one in marks:
            console.print(notebook_table(one))
    if len(marks) > 1:
        console.print(class_table(marks))
    level = next((one.isolation for one in marks if one.isolation), "")
    console.print(f"isolation: {level}   seed: {seed}", style="dim", highlight=False)
    left = sum(one.needs_person for one in marks)
    if left:
        console.print(f"{left} of {len(marks)} need a person.", style="bold magenta")
    sys.stdout.flush()  # what reads it need not wait for the end of the sandbox
