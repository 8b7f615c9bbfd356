"""``autograder new``: the skeleton of an exercise."""

from __future__ import annotations

import argparse
from pathlib import Path

from rich.console import Console

from autograder.build.balance import imbalance
from autograder.course import CourseError, find_root
from autograder.exercises import all_exercises
from autograder.new.skeleton import POINTS, add_exercise


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``autograder new``."""
    parser.add_argument("name", metavar="NAME", help="the exercise, in small letters with underscores: momentum_step")
    parser.add_argument("--sheet", required=True, help="the sheet it belongs to, such as training")
    parser.add_argument("--title", default="", help="what students read at the top; made from NAME by default")
    parser.add_argument("--root", type=Path, help="the course's folder; found from here by default")


def run(args: argparse.Namespace) -> int:
    """Write the skeleton. Returns 0 when it was written, 2 on bad use."""
    out = Console(highlight=False, soft_wrap=True)
    try:
        written = add_exercise(find_root(args.root), args.name, args.sheet, args.title)
    except (CourseError, OSError) as problem:
        Console(stderr=True).print(
            f"autograder new: {problem}", style="red", highlight=False, soft_wrap=True, markup=False
        )
        return 2
    for path in written:
        out.print(f"wrote {path.as_posix()}")
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
