"""``autograder site``: the course as a folder of static pages that any web server shows."""

from __future__ import annotations

import argparse
from pathlib import Path

from autograder.commands.kit import solutions_in
from autograder.console import complain, say
from autograder.course import CourseError, find_root
from autograder.site import make_site
from autograder.site.lite import FOLDER


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``autograder site``."""
    parser.add_argument("--to", type=Path, default=Path("site"), help="the folder; replaced when it is a site")
    parser.add_argument(
        "--offline",
        type=Path,
        metavar="FOLDER",
        help="put Python into the site, from this folder where npm has installed it; by default a page fetches it",
    )
    parser.add_argument(
        "--lite",
        nargs="+",
        default=(),
        metavar="SHEET",
        help="with the notebooks of these sheets in JupyterLite, where they run in the browser (needs --offline)",
    )
    parser.add_argument("--root", type=Path, help="the course's folder; found from here by default")


def run(args: argparse.Namespace) -> int:
    """Make the site. Returns 0 when it was made, 2 on bad use."""
    try:
        root = find_root(args.root)
        made = make_site(root, args.to, args.offline, args.lite, compiled=True)
    except CourseError as problem:
        complain("site", problem)
        return 2
    say(f"site: {args.to}, {len(made)} files, {sum(made.values()) / 1e6:.1f} MB")
    for sheet, solved in solutions_in(args.to / FOLDER / "files", root / "assignments"):
        where = f"that exercise of {solved.parent.name}"
        say(f"note: {sheet} holds {solved.stem}.py, the solution of {where}: has it been handed in?")
    return 0
