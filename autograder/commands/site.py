"""``autograder site``: the course as a folder of static pages that any web server shows."""

from __future__ import annotations

import argparse
from pathlib import Path

from autograder.console import complain, say
from autograder.course import CourseError, find_root
from autograder.site import make_site


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``autograder site``."""
    parser.add_argument("--to", type=Path, default=Path("site"), help="the folder; replaced when it is a site")
    parser.add_argument(
        "--offline",
        type=Path,
        metavar="FOLDER",
        help="put Python into the site, from this folder where npm has installed it; by default a page fetches it",
    )
    parser.add_argument("--root", type=Path, help="the course's folder; found from here by default")


def run(args: argparse.Namespace) -> int:
    """Make the site. Returns 0 when it was made, 2 on bad use."""
    try:
        made = make_site(find_root(args.root), args.to, args.offline)
    except CourseError as problem:
        complain("site", problem)
        return 2
    say(f"site: {args.to}, {len(made)} files, {sum(made.values()) / 1e6:.1f} MB")
    return 0
