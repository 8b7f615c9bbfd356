"""``autograder build``: generate source/ and assignments/, or say what is wrong with them."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

from rich.console import Console
from rich.text import Text

from autograder.build.generate import REFERENCE, build, check
from autograder.build.problem import BuildError, Problem
from autograder.course import CourseError, use
from autograder.exercise import Exercise


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command to a parser."""
    parser.add_argument("--check", action="store_true", help="write nothing; say what is stale or wrong")
    parser.add_argument("--root", type=Path, default=Path(), metavar="DIR", help="the course (default: this folder)")


def run(args: argparse.Namespace, *, exercises: Sequence[Exercise] | None = None) -> int:
    """Do it. Returns 0 when all is well, 1 after printing the reasons when it is not, 2 for a wrong ``--root``."""
    out, err = Console(soft_wrap=True, highlight=False), Console(stderr=True, soft_wrap=True, highlight=False)
    root = args.root.resolve()
    if not (root / REFERENCE).is_dir():
        err.print(Text(f"{args.root} has no {REFERENCE}/ folder; give the root of the course with --root", "red"))
        return 2
    waiting = err.status("") if err.is_terminal else nullcontext()
    try:
        use(root)
        with waiting as status:
            tell = status.update if status is not None else None
            if args.check:
                problems: Sequence[Problem] = check(root, exercises=exercises, progress=tell)
            else:
                problems, changed = (), build(root, exercises=exercises, progress=tell)
    except CourseError as unusable:
        err.print(Text(f"autograder build: {unusable}", "red"))
        return 2
    except BuildError as error:
        problems = error.problems
    if problems:
        for problem in problems:
            place, _, message = str(problem).partition(": ")
            out.print(Text.assemble((place, "bold"), ": ", message))
        noun = "problem" if len(problems) == 1 else "problems"
        out.print(Text(f"{len(problems)} {noun}" + ("" if args.check else "; nothing was written"), "red"))
        return 1
    if args.check:
        out.print("source/ and assignments/ are current and give nothing away")
        return 0
    for path in changed:
        out.print(Text(f"wrote {path.as_posix()}"))
    out.print(f"{len(changed)} written" if changed else "everything was current")
    return 0
