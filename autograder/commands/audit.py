"""``autograder audit``: mutation tests of every question, as a table."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from rich import box
from rich.console import Console
from rich.status import Status
from rich.table import Table

from autograder.audit.graders import SEED, in_process, isolated
from autograder.audit.run import Extremes, Report, audit
from autograder.commands.grade import number_of_jobs
from autograder.console import complain, say
from autograder.course import CourseError, find_root
from autograder.exercises import NAMES, load
from autograder.grading.grade import locator_of
from autograder.sandbox import SandboxUnavailable, shared_sandbox


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``autograder audit``."""
    parser.add_argument("exercises", nargs="*", metavar="EXERCISE", help="exercises to audit; all by default")
    parser.add_argument("--json", action="store_true", help="the report as JSON on standard output")
    parser.add_argument(
        "--in-process", action="store_true", help="fast, for authors: run the variants here instead of isolated"
    )
    parser.add_argument("--seed", type=int, default=SEED, help="seed of the challenges; any must give the same result")
    parser.add_argument(
        "--jobs", type=number_of_jobs, default=os.cpu_count() or 1, help="exercises at the same time, isolated"
    )
    parser.add_argument("--readme", type=Path, metavar="FILE", help="put the table between its marks in this file")
    parser.add_argument(
        "--places", action="store_true", help="also count how often the place of a mistake is found; takes longer"
    )
    parser.add_argument(
        "--table",
        type=Path,
        metavar="FILE",
        help="with --places: put the table of places between its marks in this file",
    )
    parser.add_argument("--check", action="store_true", help="with --readme: fail when the table there is not current")
    parser.add_argument("--root", type=Path, help="the course's folder; found from here by default")


def run(args: argparse.Namespace) -> int:
    """Audit and print. Returns 0 when every grader is right, 1 when one is not, 2 on bad use."""
    errors = Console(stderr=True)
    if args.check and args.readme is None:
        complain("audit", "--check goes with --readme FILE")
        return 2
    if args.table is not None and not args.places:
        complain("audit", "--table goes with --places")
        return 2
    whole, remarks = Report(), list[str]()
    try:
        root = find_root(args.root)
        unknown = [name for name in args.exercises if name not in NAMES]
        if unknown:
            raise CourseError(f"no exercise {unknown[0]!r}; the course has {', '.join(NAMES)}")
        for report, found in _reports(args, root, args.exercises or NAMES):
            whole.rows += report.rows
            whole.extremes += report.extremes
            whole.failures += report.failures
            remarks += found
    except CourseError as problem:
        complain("audit", problem)
        return 2
    except SandboxUnavailable as problem:
        complain("audit", problem)
        return 1
    if args.readme is not None:
        whole.failures += _into(args.readme, markdown(whole), MARKS, check=args.check)
    if args.table is not None:
        whole.failures += _into(args.table, table_of_places(whole), PLACE_MARKS, check=False)
    if args.json:
        print(json.dumps(whole.to_json(), indent=1))
    else:
        Console().print(table(whole))
        if args.places:
            Console().print(places(whole), highlight=False)
            for one in remarks:
                say(one)
        for failure in whole.failures:
            say(f"✗ {failure}", "red", to=errors)
        if not whole.failures:
            Console().print("wrong variants lose what they must, right ones nothing; no sham earns", style="green")
    return 1 if whole.failures else 0


def _reports(args: argparse.Namespace, root: Path, names: Sequence[str]) -> Iterator[tuple[Report, list[str]]]:
    """The report of each exercise in turn, and what its search for places has to say to authors.

    Isolated, each exercise is audited in a process of its own, ``--jobs`` at the same time: marking has one thread's
    worth of Python in every process, and half of the time is marking.
    """
    console = Console(stderr=True)
    with console.status("auditing") if sys.stderr.isatty() else Console(quiet=True).status("") as status:
        if args.in_process:
            for name in names:
                told = partial(_tell, status, name)
                yield audit(load(name), root, in_process(root, args.seed), seed=args.seed, progress=told), []
            return
        with ProcessPoolExecutor(min(args.jobs, len(names)), get_context("spawn")) as pool:
            one = partial(_isolated, root=root, seed=args.seed, places=args.places)
            for name, waiting in [(name, pool.submit(one, name)) for name in names]:
                status.update(name)
                yield waiting.result()


def _tell(status: Status, name: str, text: str) -> None:
    status.update(f"{name}: {text}")


def _isolated(name: str, *, root: Path, seed: int, places: bool) -> tuple[Report, list[str]]:
    """Audit one exercise on the real path, in a process that keeps its sandbox for the next."""
    sandbox = shared_sandbox("auto")
    already = len(locator_of(sandbox).remarks)
    placing = isolated(root, sandbox, seed, places=True) if places else None
    with ThreadPoolExecutor(2) as pool:  # one is marked while the other runs
        report = audit(load(name), root, isolated(root, sandbox, seed), seed=seed, pool=pool, placing=placing)
    return report, sorted(set(locator_of(sandbox).remarks[already:]))


def markdown(report: Report) -> str:
    """The report for the README: one row per exercise, counts summed over its questions."""
    rows = [
        "| exercise | questions | wrong variants killed | mistakes named | right variants rejected "
        "| shams: most earned | single slips: most lost |"
    ]
    rows.append("|---|---|---|---|---|---|---|")
    for one in report.extremes:
        mine = [row for row in report.rows if row.exercise == one.exercise]
        total = {key: sum(getattr(row, key) for row in mine) for key in ("variants", "killed", "nameable", "named")}
        rejected, right = sum(row.rejected for row in mine), sum(row.right for row in mine)
        rows.append(
            f"| `{one.exercise}` | {len(mine)} | {total['killed']} of {total['variants']} "
            f"| {total['named']} of {total['nameable']} | {rejected} of {right} "
            f"| {one.earned:g} of {one.points:g} | {one.lost:g} of {one.points:g} |"
        )
    return "\n".join(rows)


def table_of_places(report: Report) -> str:
    """How often the place of a mistake was found: one row per exercise, and one for all."""
    rows = [
        "| exercise | mistakes with a place | right | elsewhere | no claim | without a place |",
        "|---|---|---|---|---|---|",
    ]
    for one in [*((f"`{one.exercise}`", [one]) for one in report.extremes), ("all", report.extremes)]:
        name, of = one
        due, right, wrong, none = (
            sum(getattr(part, key) for part in of) for key in ("faulty", "located", "misplaced", "unplaced")
        )
        share = f"{right} ({100 * right // due} %)" if due else "0"
        rows.append(f"| {name} | {due} | {share} | {wrong} | {due - right - wrong} | {none} |")
    return "\n".join(rows)


MARKS = "<!-- audit: begin -->", "<!-- audit: end -->"
PLACE_MARKS = "<!-- places: begin -->", "<!-- places: end -->"


def _into(path: Path, text: str, marks: tuple[str, str], *, check: bool) -> list[str]:
    """Put the table between its marks; returns what is wrong, in a sentence."""
    begin, end = marks
    before, _, rest = path.read_text(encoding="utf-8").partition(begin)
    _, mark, after = rest.partition(end)
    if not mark:
        return [f"{path.name} has no place for the table: {begin} and {end} are missing"]
    wanted = f"{before}{begin}\n{text}\n{end}{after}"
    if check:
        if path.read_text(encoding="utf-8") == wanted:
            return []
        return [f"the table in {path.name} is not current: run `autograder audit --readme {path.name}`"]
    path.write_text(wanted, encoding="utf-8")
    return []


def table(report: Report) -> Table:
    """The report as a table: one row per question; what shams earn and slips lose stands in an exercise's first row."""
    shown = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("exercise", "question"):
        shown.add_column(name, no_wrap=True)
    for name in ("wrong", "killed", "nameable", "named", "right", "rejected"):
        shown.add_column(name, justify="right", no_wrap=True, min_width=len(name))
    for name in ("stub", "shams", "slips"):
        shown.add_column(name, no_wrap=True)
    extremes = {one.exercise: one for one in report.extremes}
    last = ""
    for row in report.rows:
        shown.add_row(
            "" if row.exercise == last else row.exercise,
            row.question,
            *(str(n) for n in (row.variants, row.killed, row.nameable, row.named, row.right, row.rejected)),
            row.stub,
            *(("", "") if row.exercise == last else _most(extremes[row.exercise])),
        )
        last = row.exercise
    return shown


def places(report: Report) -> str:
    """How often the place of a mistake was found, in one sentence per exercise."""
    return "\n".join(
        f"{one.exercise}: places of {one.located} of {one.faulty} mistakes found, {one.misplaced} elsewhere"
        for one in report.extremes
    )


def _most(one: Extremes) -> tuple[str, str]:
    return f"+{one.earned:g}", f"-{one.lost:g}"
