"""``autograder new``: the skeleton of an exercise, or of a course of one's own."""

from __future__ import annotations

import argparse
from pathlib import Path

from rich.console import Console

from autograder.build.balance import imbalance
from autograder.console import complain, say
from autograder.course import CourseError, find_root, in_use, use
from autograder.exercises import all_exercises
from autograder.new.skeleton import POINTS, add_exercise, make_course


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``autograder new``."""
    parser.add_argument(
        "name", nargs="?", metavar="NAME", help="the exercise, in small letters with underscores: momentum_step"
    )
    parser.add_argument("--sheet", help="the sheet it belongs to, such as training")
    parser.add_argument(
        "--course", metavar="PACKAGE", help="make a course of your own in this empty folder, or in --root"
    )
    parser.add_argument("--title", default="", help="what students read at the top; made from NAME by default")
    parser.add_argument("--root", type=Path, help="the course's folder; found from here by default")


def run(args: argparse.Namespace) -> int:
    """Write the skeleton. Returns 0 when it was written, 2 on bad use."""
    out = Console(highlight=False, soft_wrap=True)
    try:
        if (args.name is None) != (args.sheet is None) or not (args.name or args.course):
            raise CourseError(
                "give the exercise and its sheet (NAME --sheet SHEET), a course (--course PACKAGE), or both."
            )
        written = []
        if args.course:
            root = args.root or Path()
            written += make_course(root, args.course)
            use(root)
        else:
            root = find_root(args.root)
        if args.name:
            written += add_exercise(root, args.name, args.sheet, args.title)
    except (CourseError, OSError) as problem:
        complain("new", problem)
        return 2
    for path in dict.fromkeys(written):
        say(f"wrote {path.as_posix()}")
    if not args.name:
        out.print("\nThe course is empty. Now: autograder new NAME --sheet SHEET")
        return 0
    if in_use():
        out.print(
            "\nIt asks for a layer norm and works as it is. Now, as docs/own_course.md explains:\n"
            "  1. autograder build\n"
            f"  2. autograder audit --in-process {args.name}\n"
            f"  3. python -m pytest tests/test_{args.name}.py\n"
            "  4. replace the layer by your own, and do 1 to 3 again"
        )
        return 0
    out.print(
        "\nIt asks for one sigmoid neuron and works as it is. Now, as docs/authors.md explains:\n"
        "  1. autograder build\n"
        f"  2. autograder audit --in-process {args.name}\n"
        f"  3. python -m pytest tests/exercises -k {args.name}\n"
        "  4. replace the question by your own, and do 1 to 3 again"
    )
    points = {one.name: one.points for one in all_exercises() if one.sheet == args.sheet} | {args.name: POINTS}
    if sentence := imbalance(args.sheet, points):
        out.print(f"\nBefore you release: {sentence}")
    return 0
