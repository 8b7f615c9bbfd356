"""How grading grows with machines: ``python benchmarks/machines.py [--docs docs/speed.md]``.

Two figures. *Measured*: a Dask scheduler and 1, 2, 4 and 8 workers on this machine grade a class, marks only, and every
notebook waits at its worker for a time that stands for the way there and the work of a machine of its own; so the cores
here are not what is measured. *Simulated*: 100,000 submissions on many workers. The times of notebooks are drawn from
those of all exercises on this machine, and the coordinator and the scheduler take from each notebook the computing time
that they took in the largest of the measured runs. The simulation of the measured runs stands beside them.
"""

from __future__ import annotations

import argparse
import heapq
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, Future
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from pages import into, measured_on, ms
from throughput import GROWING, make_course, notebook_of

from autograder.bridge.gradebook_writer import Writer
from autograder.course import find_root
from autograder.environment import put_programs_on_path
from autograder.exercises import NAMES, load
from autograder.grading.batch import Course, grade_class
from autograder.grading.cluster import LEAST_WIDTH, SPARE, cluster_pool
from autograder.grading.finding import find
from autograder.grading.grade import execute, prepare
from autograder.grading.journal import Journal
from autograder.sandbox import shared_sandbox

TICKS = os.sysconf("SC_CLK_TCK")
WAY = 0.005  # seconds of a notebook's way to a worker, and back, in the simulation


# Measured -------------------------------------------------------------------------------------------------------------


@contextmanager
def cluster() -> Iterator[tuple[str, int, ExitStack]]:
    """A scheduler on loopback: its address, its process, and where workers are to be ended with it."""
    with ExitStack() as ending:
        command = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0"]
        lines, pid = started([*command, "--no-dashboard"], "Scheduler at:", ending)
        yield lines.split("Scheduler at:")[1].strip(), pid, ending


def started(command: Sequence[str], sign: str, ending: ExitStack) -> tuple[str, int]:
    """Start a program and wait for the line that says that it is ready."""
    said = Path(ending.enter_context(tempfile.TemporaryDirectory())) / "said"
    with said.open("w") as file:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=file)
    ending.callback(process.wait)
    ending.callback(process.terminate)
    while process.poll() is None:
        for line in said.read_text().splitlines():
            if sign in line:
                return line, process.pid
        time.sleep(0.05)
    raise SystemExit(f"{command[2]} ended: {said.read_text()[-2000:]}")


def later(seconds: float, function, *arguments):
    time.sleep(seconds)
    return function(*arguments)


class Far(Executor):
    """An executor whose notebooks take longer by a fixed time, in which they need no core."""

    def __init__(self, near: Executor, seconds: float) -> None:
        self.near, self.seconds = near, seconds

    def submit(self, function, /, *arguments) -> Future:  # type: ignore[override]
        return self.near.submit(later, self.seconds, function, *arguments)


def computed(pid: int) -> float:
    """Seconds of computing that a process has taken."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def graded(root: Path, address: str, scheduler: int, workers: int, each: int, seconds: float) -> dict[str, float]:
    """Notebooks per second with so many workers, and what coordinator and scheduler computed for each."""
    ours = (root / "nbgrader_config.py").read_text()
    found: dict[str, float] = {"workers": workers}
    with tempfile.TemporaryDirectory() as folder, cluster_pool(address, "auto") as (pool, width):
        for what, count in (("warm", 2 * workers), ("class", each * workers)):
            course = make_course(Path(folder) / what, root, GROWING, count, ours)
            with Journal(course) as journal, Writer(course) as writer:
                batch = Course(course, journal, writer, Far(pool, seconds), journal.seed(1), window=width)
                here, there, began = time.process_time(), computed(scheduler), time.perf_counter()
                for done in grade_class(batch, find([course / "submitted"]), feedback=False):
                    if done.problem:
                        raise SystemExit(done.problem)
                found |= {
                    "rate": count / (time.perf_counter() - began),
                    "coordinator": (time.process_time() - here) / count,
                    "scheduler": (computed(scheduler) - there) / count,
                }
    return found


def measure(root: Path, counts: Sequence[int], each: int, seconds: float) -> list[dict[str, float]]:
    found = []
    for count in counts:
        with cluster() as (address, scheduler, ending):
            for _ in range(count):
                command = [sys.executable, "-m", "distributed.cli.dask_worker", address, "--nthreads", "1"]
                started([*command, "--no-nanny", "--host", "127.0.0.1", "--no-dashboard"], "Registered to", ending)
            found.append(graded(root, address, scheduler, count, each, seconds))
        print(found[-1], file=sys.stderr)
    return found


def times_of(root: Path) -> dict[str, list[float]]:
    """Seconds that a worker takes for the solved notebook of every exercise: for the marks, and for everything."""
    sandbox, found = shared_sandbox("auto"), {"marks": [], "everything": []}
    for name in NAMES:
        prepared = prepare(notebook_of(root, name), load(name), root=root, seed=1)
        for what, jobs in (
            ("marks", (prepared.marks_job, prepared.whole.job)),
            ("everything", (None, prepared.whole.job)),
        ):
            began = time.perf_counter()
            execute(sandbox, *jobs)
            found[what].append(time.perf_counter() - began)
    return found


# Simulated ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Costs:
    """Seconds of computing for a notebook: by the coordinator, which is one process, and by Dask's scheduler."""

    coordinator: float
    scheduler: float


def simulated(times: Sequence[float], workers: int, costs: Costs, way: float = WAY) -> tuple[float, float]:
    """Seconds until all notebooks are in the gradebook, and the share of them in which the coordinator computes.

    As :mod:`autograder.grading.batch` works: so many notebooks are out as the window allows, one that comes back is
    marked and written before the next goes out. A notebook waits at the worker that is free first.
    """
    window = max(LEAST_WIDTH, SPARE * workers)
    free, back = [0.0] * workers, []
    clock = passed = 0.0
    waiting = deque(times)
    while waiting or back:
        while waiting and len(back) < window:
            passed = max(passed, clock) + costs.scheduler
            ended = max(heapq.heappop(free), passed + way) + waiting.popleft()
            heapq.heappush(free, ended)
            heapq.heappush(back, ended + way)
        clock = max(clock, heapq.heappop(back)) + costs.coordinator
    return clock, len(times) * costs.coordinator / clock if clock else 0.0


def table_of_measured(found: list[dict[str, float]], costs: Costs, each: int) -> str:
    first = found[0]
    alone = 1 / (first["rate"] / first["workers"])
    lines = [
        "| workers | notebooks a second | of linear | simulated | coordinator, each | Dask's scheduler, each |",
        "|--:|--:|--:|--:|--:|--:|",
    ]
    for one in found:
        workers = int(one["workers"])
        count = each * workers
        rate = count / simulated([alone] * count, workers, costs, 0.0)[0]
        share = one["rate"] / one["workers"] * alone
        lines.append(
            f"| {workers} | {one['rate']:.2f} | {share:.3f} | {rate:.2f} | {ms(one['coordinator'])} | "
            f"{ms(one['scheduler'])} |"
        )
    return "\n".join(lines)


def table_of_simulated(times: dict[str, list[float]], costs: Costs, count: int, workers: Sequence[int]) -> str:
    lines = [
        "| pass | workers | all done after | notebooks a second | of linear | the coordinator computes |",
        "|---|--:|--:|--:|--:|--:|",
    ]
    for what, known in times.items():
        drawn = random.Random(1).choices(known, k=count)
        for number in workers:
            seconds, share = simulated(drawn, number, costs)
            lines.append(
                f"| {what} | {number} | {seconds / 60:.0f} min | {count / seconds:.0f} | "
                f"{sum(drawn) / number / seconds:.2f} | {share:.0%} of the time |"
            )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workers", nargs="+", type=int, default=[1, 2, 4, 8])
    parser.add_argument("--each", type=int, default=16, help="notebooks for each worker")
    parser.add_argument("--seconds", type=float, default=1.0, help="what every notebook waits at its worker")
    parser.add_argument("--simulate", type=int, default=100_000, help="submissions that are simulated")
    parser.add_argument("--on", nargs="+", type=int, default=[10, 50, 100, 400], help="workers that are simulated")
    parser.add_argument("--json", type=Path, help="write what was measured to this file")
    parser.add_argument("--docs", type=Path, help="write the tables of this page")
    args = parser.parse_args()
    put_programs_on_path()
    root, load = find_root(), os.getloadavg()[0]
    found = measure(root, args.workers, args.each, args.seconds)
    largest = max(found, key=lambda one: one["workers"])  # what a run costs once is spread over the most notebooks
    costs = Costs(largest["coordinator"], largest["scheduler"])
    times = times_of(root)
    limit = 1 / max(costs.coordinator, costs.scheduler)
    mean = {what: ms(sum(known) / len(known)) for what, known in times.items()}
    said = (
        f"{measured_on(load)}; {args.each} notebooks for each worker, each of which waits there for {args.seconds:g} s."
    )
    more = (
        f"{args.simulate:,} submissions; a notebook takes a worker {mean['marks']} for the marks and "
        f"{mean['everything']} for everything, in the mean over the exercises. The coordinator computes "
        f"{ms(costs.coordinator)} for each and the scheduler {ms(costs.scheduler)}, so {limit:.0f} notebooks a second "
        "are the limit, however many workers there are."
    )
    sections = {
        "machines": f"{table_of_measured(found, costs, args.each)}\n\n{said}",
        "simulated": f"{table_of_simulated(times, costs, args.simulate, args.on)}\n\n{more}",
    }
    if args.json:
        args.json.write_text(json.dumps({"measured": found, "times": times}, indent=1))
    if args.docs:
        into(args.docs, sections)
    print("\n\n".join(sections.values()))


if __name__ == "__main__":
    main()
