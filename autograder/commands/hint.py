"""``autograder hint``: one hint for everyone who shares a wrong answer."""

from __future__ import annotations

import argparse
from pathlib import Path

from autograder.console import complain, say
from autograder.course import CourseError, find_root
from autograder.records.hints import read_hints, write_hint
from autograder.records.read import autograded, read
from autograder.views.clusters import clusters


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``autograder hint``."""
    parser.add_argument("cluster", nargs="?", help="the cluster, as the report names it; without one all are listed")
    parser.add_argument("text", nargs="?", help="the hint; an empty text takes it back")
    parser.add_argument("--marks", type=Path, help="output of `autograder grade --json`; else autograded/ is read")
    parser.add_argument("--root", type=Path, help="the course's folder; found from here by default")


def run(args: argparse.Namespace) -> int:
    """List clusters or keep a hint. Returns 0 when done, 2 on bad use."""
    try:
        root = find_root(args.root)
        marks = read([args.marks]) if args.marks else autograded(root)
        found = {cluster.id: cluster for cluster in clusters(marks, least=1)}
        hints = read_hints(root)
        if args.cluster is None:
            for cluster in found.values():
                where = f"{cluster.exercise}, {cluster.question}, {cluster.sample.name}"
                said = f": {hints[cluster.id]}" if cluster.id in hints else ""
                say(f"{cluster.id}  {len(cluster.students)} × {where}{said}")
            if not found:
                say("no wrong answer is without a known mistake")
            return 0
        if args.cluster not in found and args.cluster not in hints:
            raise CourseError(f"there is no cluster {args.cluster!r}: `autograder hint` lists them all.")
        if args.text is None:
            raise CourseError(f'the hint is missing: autograder hint {args.cluster} "what to look at"')
        write_hint(root, args.cluster, args.text.strip())
    except CourseError as problem:
        complain("hint", problem)
        return 2
    reached = len(found[args.cluster].students) if args.cluster in found else 0
    say(f"kept for {reached} student{'' if reached == 1 else 's'}; renew their pages with `autograder feedback`")
    return 0
