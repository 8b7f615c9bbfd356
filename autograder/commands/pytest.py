"""``autograder pytest``: submitted notebooks as tests, and no way for a submission to configure pytest."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from autograder.course import CourseError, find_root


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``autograder pytest``."""
    parser.add_argument("path", type=Path, metavar="PATH", help="notebook, student's folder or submitted/")
    parser.add_argument(
        "options",
        nargs=argparse.REMAINDER,
        metavar="OPTION",
        help="pytest's own, such as -k, -x, -n, --junitxml=FILE, and --submission-seed, --submission-isolation, "
        "--submission-course",
    )


def run(args: argparse.Namespace) -> int:
    """Run pytest on what was handed in. Returns pytest's exit status, 2 on bad use."""
    import pytest

    try:
        root = find_root(_course(args.options), graded=[args.path])
    except CourseError as problem:
        print(f"autograder pytest: {problem}", file=sys.stderr)
        return 2
    return int(pytest.main(arguments(args.path, root, args.options)))


def arguments(path: Path, root: Path, options: list[str]) -> list[str]:
    """What pytest is told. Ours stand last, so that no option before them opens the door again."""
    return [
        *options,
        "-p",
        "autograder.pytest_plugin",
        f"--submission={path.absolute()}",
        f"--submission-course={root}",
        f"--rootdir={root}",
        f"--config-file={os.devnull}",
        "--noconftest",
    ]


def _course(options: list[str]) -> Path | None:
    name = "--submission-course"
    for option, following in zip(options, [*options[1:], ""]):
        if option == name or option.startswith(f"{name}="):
            return Path(following if option == name else option.removeprefix(f"{name}="))
    return None
