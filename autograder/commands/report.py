"""``autograder report``: the class report as one HTML file."""

from __future__ import annotations

import argparse
from pathlib import Path

from autograder.bridge.gradebook_reader import default_gradebook, hand_ins
from autograder.console import complain, say
from autograder.course import CourseError, find_root
from autograder.records.hints import read_hints
from autograder.records.read import autograded, read
from autograder.views.report import class_report


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``autograder report``."""
    parser.add_argument(
        "marks", nargs="?", type=Path, help="output of `autograder grade --json` or graded notebooks; else autograded/"
    )
    parser.add_argument("--to", type=Path, default=Path("report.html"), help="where the page is written")
    parser.add_argument(
        "--gradebook",
        metavar="URL",
        help="nbgrader's gradebook, for the times of handing in; gradebook.db of the course when autograded/ is read",
    )
    parser.add_argument("--no-names", action="store_true", help="leave out who handed in what")
    parser.add_argument("--root", type=Path, help="the course's folder; found from here by default")


def run(args: argparse.Namespace) -> int:
    """Write the report. Returns 0 when it was written, 2 on bad use."""
    from autograder.bridge.person_points import of_class  # nbgrader takes its time

    try:
        root = find_root(args.root)
        marks = read([args.marks]) if args.marks else autograded(root)
        url = args.gradebook or ("" if args.marks else default_gradebook(root))
        times = hand_ins(url) if url else []
        changed, parts, totals = of_class(url, root) if url else ([], [], {})
        page = class_report(
            marks, names=not args.no_names, hints=read_hints(root), hand_ins=times, changed=changed, parts=parts,
            totals=totals,
        )  # fmt: skip
        args.to.parent.mkdir(parents=True, exist_ok=True)
        args.to.write_text(page, encoding="utf-8")
    except (CourseError, OSError) as problem:
        complain("report", problem)
        return 2
    say(f"report on {len(marks)} notebooks: {args.to}")
    return 0
