"""``autograder mark``: what people mark, one part and all answers to it, by keyboard."""

from __future__ import annotations

import argparse
import os
import sys

from autograder.course import CourseError, find_root
from autograder.exercise import SHEETS


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``autograder mark``."""
    parser.add_argument("sheet", help=f"a sheet of the course: one of {', '.join(SHEETS)}")
    parser.add_argument("--names", action="store_true", help="show the names of students; hidden by default")
    parser.add_argument("--second", metavar="SHARE", default="", help="blind second marking of a sample, such as 15%%")
    parser.add_argument("--as", dest="marker", default="", metavar="NAME", help="who marks; the user by default")
    parser.add_argument("--port", type=int, default=8898, help="the port on this machine (default: %(default)s)")
    parser.add_argument("--no-browser", action="store_true", help="only print the address")
    parser.add_argument("--root", help="the course's folder; found from here by default")


def run(args: argparse.Namespace) -> int:
    """Serve the page until interrupted. Returns 0 when done, 2 on bad use."""
    from pathlib import Path

    from autograder.bridge.marking import Desk
    from autograder.bridge.marking_page import serve
    from autograder.bridge.settings import course_config

    try:
        root = find_root(Path(args.root) if args.root else None)
        if args.sheet not in SHEETS:
            raise CourseError(f"there is no sheet {args.sheet!r}; the sheets are {', '.join(SHEETS)}.")
        os.chdir(root)
        share = share_of(args.second)
        config = course_config(root)
        config.MarkingPage.update({"sheet": args.sheet, "marker": args.marker, "names": args.names, "second": share})
        Desk(config, args.sheet, args.marker or "check").close()  # what is wrong is said here and not in a browser
        serve(config, args.sheet, port=args.port, browser=not args.no_browser)
    except CourseError as problem:
        print(f"autograder mark: {problem}", file=sys.stderr)
        return 2
    return 0


def share_of(text: str) -> float:
    """A share such as 15%, as a number. Raises CourseError.

    >>> share_of("15%")
    0.15
    """
    if not text:
        return 0.0
    try:
        share = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        share = 0.0
    if not 0 < share <= 1:
        raise CourseError(f"{text!r} is no share: give one such as 15%.")
    return share
