"""``autograder grade``: its arguments, and the start of the sandbox while the grader itself is imported."""

from __future__ import annotations

import argparse
import gc
import os
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from autograder import warm

LONGEST = ("sklearn.datasets", "sklearn.model_selection")
"""What notebooks may use that takes most of a second to import."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``autograder grade``."""
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="notebook, student's folder, submitted/")
    parser.add_argument("--json", action="store_true", help="one JSON object per notebook on standard output")
    parser.add_argument("--seed", type=_seed, help="seed of the challenges, to get the same marks again")
    parser.add_argument("--details", action="store_true", help="every question of every notebook")
    parser.add_argument("--no-places", action="store_true", help="do not look where in the code an answer goes wrong")
    parser.add_argument("--jobs", type=number_of_jobs, default=os.cpu_count() or 1, help="notebooks at the same time")
    parser.add_argument(
        "--isolation",
        choices=("auto", "full", "reduced", "none"),
        help="'none' runs students' code unprotected: only for notebooks that you trust. The default is that of "
        "nbgrader_config.py with --gradebook, otherwise 'auto'",
    )
    parser.add_argument("--root", type=Path, help="the course's folder; found from here by default")
    group = parser.add_argument_group("a class into nbgrader's gradebook")
    group.add_argument(
        "--gradebook", action="store_true", help="write gradebook.db and autograded/, as `nbgrader autograde` would"
    )
    group.add_argument(
        "--marks-only", action="store_true", help="leave out what is only for the eye; a later run completes it"
    )
    group.add_argument("--new-seed", action="store_true", help="draw new challenges and run everything again")
    group.add_argument("--cluster", metavar="ADDRESS", help="run on a Dask cluster, such as tcp://scheduler:8786")


def run(args: argparse.Namespace) -> int:
    """Grade. Returns 0 when all were graded, 1 when something needs a person, 2 on bad use."""
    if not (args.gradebook or args.cluster or args.isolation):
        answered = warm.grade(args)
        if answered is not None:
            return answered
    if not args.cluster and all(path.exists() for path in args.paths):
        from autograder.sandbox import start_early

        start_early(args.isolation or "auto", soon(args.paths))
    # Only now: nbgrader and sympy take as long to import as the sandbox to start.
    gc.disable()  # imports leave nothing behind that is worth looking for
    command = import_module(f"autograder.commands.{'grade_class' if args.gradebook else 'grade_notebooks'}")
    gc.enable()
    gc.freeze()
    status: int = command.run(args)
    return status


def soon(paths: Sequence[Path]) -> tuple[str, ...]:
    """Modules to import at once, since the only notebook that is graded speaks of them: they take longest of all."""
    if len(paths) != 1 or not paths[0].is_file():
        return ()
    try:
        with paths[0].open("rb") as file:
            text = file.read(1 << 20)
    except OSError:
        return ()
    return LONGEST if any(word in text for word in (b"sklearn", b"load_moons")) else ()


def _seed(text: str) -> int:
    if not text.isdecimal() or int(text) >= 2**31:
        raise argparse.ArgumentTypeError(f"a seed is a whole number from 0 to {2**31 - 1}, not {text!r}")
    return int(text)


def number_of_jobs(text: str) -> int:
    """The value of ``--jobs``. Raises ArgumentTypeError with a sentence for anything but 1 to 256."""
    if not text.isdecimal() or not 1 <= int(text) <= 256:
        raise argparse.ArgumentTypeError(f"a number of jobs is a whole number from 1 to 256, not {text!r}")
    return int(text)
