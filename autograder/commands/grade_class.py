"""``autograder grade submitted/ --gradebook``: a class into nbgrader's gradebook."""

from __future__ import annotations

import argparse
import contextlib
import json
import resource
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from autograder.bridge.gradebook_writer import Writer
from autograder.console import complain, say
from autograder.course import CourseError, find_root
from autograder.grading.batch import FAILED, GRADED, KEPT, UNCHANGED, Course, Done, grade_class
from autograder.grading.cluster import ClusterProblem, cluster_pool
from autograder.grading.finding import NothingToGrade, find
from autograder.grading.grade import fresh_seed
from autograder.grading.journal import Journal, JournalProblem
from autograder.grading.placing import put_in_place
from autograder.grading.submissions import Submission
from autograder.grading.writer import GradebookProblem
from autograder.marking import Marks, to_json
from autograder.personal import read_own_numbers
from autograder.sandbox import SandboxUnavailable
from autograder.views import words

PROBLEMS = (CourseError, NothingToGrade, GradebookProblem, JournalProblem, ClusterProblem)
MOST_LISTED = 50
"""So many notebooks that could not be done are listed on a terminal; ``--json`` has all."""


def run(args: argparse.Namespace) -> int:
    """Grade a class. Returns 0 when everything is in the gradebook, 1 when a person is needed, 2 on bad use."""
    errors = Console(stderr=True)
    try:
        root = find_root(args.root, graded=args.paths)
        submissions = find((path.absolute() for path in args.paths), root)
        read_own_numbers(root)  # a lost secret is told before anything is run
        with Journal(root) as journal, Writer(root) as writer:
            submissions = put_in_place(submissions, writer.place)
            own = writer.settings
            level = args.isolation or own.isolation
            wanted = args.seed if args.seed is not None or args.new_seed else own.seed
            seed = journal.seed(fresh_seed() if wanted is None else wanted, replace=args.new_seed or wanted is not None)
            with _pool(args, level) as (pool, width):
                course = Course(
                    root, journal, writer, pool, seed, level, own.cell_seconds, lambda: 2 * width() + 2,
                    places=own.places and not args.no_places,
                )  # fmt: skip
                batch = grade_class(course, submissions, feedback=not args.marks_only)
                return _show(batch, len(submissions), args, errors, writer)
    except PROBLEMS as problem:
        complain("grade", problem)
        return 2
    except SandboxUnavailable as problem:
        complain("grade", problem)
        return 1


@contextlib.contextmanager
def _pool(args: argparse.Namespace, level: str) -> Iterator[tuple[Executor, Callable[[], int]]]:
    """Who runs the notebooks, and how many at once."""
    if args.cluster:
        with cluster_pool(args.cluster, level) as cluster:
            yield cluster
        return
    # The work is done in processes of the sandbox; threads only wait for them, and start at once.
    pool = ThreadPoolExecutor(args.jobs)
    try:
        yield pool, lambda: args.jobs
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _show(batch: Iterable[Done], total: int, args: argparse.Namespace, errors: Console, writer: Writer) -> int:
    """Show what is done while it is done, and a summary, also when it is interrupted. Returns the exit status."""
    began = time.perf_counter()
    counted: Counter[str] = Counter()
    failed: dict[Submission, str] = {}
    person: list[Submission] = []
    points, peak = 0.0, 0
    progress = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[running]} running"),
        TextColumn("{task.fields[failing]}"),
        TimeRemainingColumn(),
        console=errors,
        disable=not sys.stderr.isatty(),
        transient=True,
    )
    stopped = True
    with contextlib.suppress(KeyboardInterrupt), progress:
        tasks = {
            False: progress.add_task("marks", total=total, running=0, failing=""),
            True: progress.add_task("feedback", total=total, running=0, failing="", visible=False, start=False),
        }
        for done in batch:
            peak = max(peak, done.peak_memory)
            if done.problem:
                failed[done.submission] = done.problem
            if not done.feedback:
                counted[done.how] += 1
                if done.marks and done.marks.needs_person:
                    person.append(done.submission)
                points += done.marks.points if done.marks and not done.problem else 0.0
                if args.json:
                    about = {"how": done.how, "problem": done.problem, "changed": writer.changed(done.submission)}
                    print(json.dumps(to_json(done.marks or _none_for(done)) | about), flush=True)
            elif not progress.tasks[tasks[True]].visible:
                progress.start_task(tasks[True])
                progress.update(tasks[True], visible=True, total=total - len(failed))
            failing = f"{len(failed)} failing" if failed else ""
            # what waits for a free worker does not run; a cluster has as many workers as it has
            running = done.running if args.cluster else min(done.running, args.jobs)
            progress.update(tasks[done.feedback], advance=1, running=running, failing=failing)
        stopped = False
    if not args.json:
        _summary(counted, failed, person, points, peak, time.perf_counter() - began)
        if stopped:
            Console().print("Stopped. What is done is kept: the same command goes on from here.", style="bold")
    return 130 if stopped else 1 if failed or person else 0


def _none_for(done: Done) -> Marks:
    """The record of a notebook that could not be marked, so that whoever reads the lines can read every one."""
    one = done.submission
    return Marks(one.student, one.sheet, one.exercise, (), error=done.problem)


def _summary(
    counted: Counter[str], failed: dict[Submission, str], person: list[Submission], points: float, peak: int,
    seconds: float,
) -> None:  # fmt: skip
    console = Console()
    ways = {
        GRADED: "graded",
        KEPT: "marked again from kept answers",
        UNCHANGED: "unchanged since they were graded",
        FAILED: "not done",
    }
    done = sum(counted.values())
    console.print(f"{done} notebook{'s' * (done != 1)} in {seconds:.1f} s", style="bold", highlight=False)
    for how, said in ways.items():
        if counted[how]:
            console.print(f"  {counted[how]:>6} {said}", highlight=False)
    given = done - counted[FAILED]
    if given:
        console.print(f"  {words.points(round(points / given, 1))} points on average", style="dim", highlight=False)
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    largest = f", {peak >> 20} MB in one notebook beyond its libraries" if peak else ""
    console.print(f"  peak memory: {own} MB here{largest}", style="dim", highlight=False)
    if person:
        said = "notebook needs" if len(person) == 1 else "notebooks need"
        console.print(f"{len(person)} {said} a person; see them in formgrader:", style="bold magenta", highlight=False)
        _list(console, [f"{one.student} {one.exercise}" for one in person])
    if failed:
        console.print(f"{len(failed)} could not be completed:", style="bold red")
        _list(console, [f"{one.student} {one.exercise}: {problem}" for one, problem in failed.items()])


def _list(console: Console, lines: Sequence[str]) -> None:
    for line in lines[:MOST_LISTED]:
        say(f"  {line}", to=console)
    if len(lines) > MOST_LISTED:
        console.print(f"  … and {len(lines) - MOST_LISTED} more; --json lists all.")
