"""How long one notebook takes from the command to its marks, with and without a warm server; and what the truth costs.

    python benchmarks/start.py --docs docs/speed.md

Each figure is the best of some runs of the solved notebook, for other work on the machine can only make it longer.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
import timeit
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from pages import into, measured_on, ms

from autograder.course import find_root, source_notebook
from autograder.exercises import NAMES, load
from autograder.grading.grade import prepare
from autograder.sandbox import Job, Sandbox

PROGRAM = [sys.executable, "-m", "autograder"]
GRADED = ("linear_models", "worked_calculation", "tanh_swap", "multi_output", "softmax_jacobian")
"""Exercises whose solved notebook is graded; the cost of the truth is listed for every one."""

SMALL = {"help": ["--help"], "doctor": ["doctor"]}

TRUTH = """
import json, sys, time
from autograder.course import find_root, source_notebook
from autograder.exercises import load
from autograder.grading.grade import execute, give_marks, prepare
from autograder.sandbox import Sandbox
root, exercise = find_root(), load(sys.argv[1])
took = []
with Sandbox() as sandbox:
    for _ in range(2):
        began = time.process_time()
        ready = prepare(source_notebook(root, exercise), exercise, root=root, seed=7)
        asked = time.process_time() - began
        ran = execute(sandbox, ready.marks_job, ready.whole.job)
        began = time.process_time()
        give_marks(ready, ran)
        took.append(asked + time.process_time() - began)
print(json.dumps(took))
"""

CALM_SECONDS = 8.0
"""By then a new sandbox has imported everything that notebooks may use."""


def run(words: list[str]) -> tuple[float, float, float]:
    """Seconds until something was said, until the end, and of computing on both sides of the walls."""
    began = time.perf_counter()
    with subprocess.Popen([*PROGRAM, *words], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        os.read(process.stdout.fileno(), 1)
        said = time.perf_counter() - began
        process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, words
    return said, time.perf_counter() - began, usage.ru_utime + usage.ru_stime


def best(words: list[str], rounds: int) -> list[float]:
    return [min(one) for one in zip(*(run(words) for _ in range(rounds)), strict=True)]


def truth(name: str, rounds: int) -> list[float]:
    """Seconds of computing for what is asked and due: in a first process, a later one, and once more there."""
    took = []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as folder:
            run = partial(subprocess.run, capture_output=True, check=True, env=os.environ | {"XDG_CACHE_HOME": folder})
            first, later = (json.loads(run([sys.executable, "-c", TRUTH, name]).stdout) for _ in range(2))
            took.append([first[0], *later])
    return [min(one) for one in zip(*took, strict=True)]


def own_seconds(root: Path, names: Sequence[str]) -> dict[str, float]:
    """By the clock, for the cells and the questions of each notebook in a warm sandbox; an empty job is taken off."""
    found = {}
    with Sandbox() as sandbox:
        sandbox.run(Job((), ()))
        time.sleep(CALM_SECONDS)
        for name in names:
            ready = prepare(source_notebook(root, load(name)), load(name), root=root, seed=7)
            job = ready.marks_job or ready.whole.job
            empty = replace(job, cells=(), asks=(), places={})
            full, nothing = (min(timeit.repeat(partial(sandbox.run, one), number=1)) for one in (job, empty))
            found[name] = full - nothing
    return found


@contextlib.contextmanager
def server() -> Iterator[None]:
    """A warm server."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_RUNTIME_DIR"] = folder
        with subprocess.Popen([*PROGRAM, "serve"], stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            process.stdout.readline()
            yield
            process.terminate()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--exercise", nargs="+", default=list(GRADED), help="graded, or `all`")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--docs", type=Path, help="write the table of this page")
    args = parser.parse_args()
    root, load_before = find_root(), os.getloadavg()[0]
    graded = NAMES if args.exercise == ["all"] else args.exercise
    notebooks = {name: str(root / "source" / load(name).sheet / f"{name}.ipynb") for name in graded}
    os.environ["XDG_RUNTIME_DIR"] = "/nowhere"
    small = {name: best(words, args.rounds) for name, words in SMALL.items()}
    alone = {name: best(["grade", path], args.rounds) for name, path in notebooks.items()}
    due = {name: truth(name, min(args.rounds, 2)) for name in NAMES}
    own = own_seconds(root, list(notebooks))
    with server():
        asked = {name: best(["grade", path], args.rounds + 1) for name, path in notebooks.items()}
    lines = [
        "| exercise | command to marks | to the end | computing | from a warm server | its own cells "
        "| truth, first | later | again |",
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for name in NAMES:
        whole = [*map(ms, alone[name]), ms(asked[name][0]), ms(own[name])] if name in alone else [""] * 5
        lines.append(f"| `{name}` | {' | '.join([*whole, *map(ms, due[name])])} |")
    lines.append(
        f"\n`autograder --help` took {ms(small['help'][1])} ({ms(small['help'][2])} of computing), `autograder doctor` "
        f"{ms(small['doctor'][1])} ({ms(small['doctor'][2])}). "
        f"{measured_on(load_before)}, best of {args.rounds}, of the truth of two."
    )
    table = "\n".join(lines)
    if args.docs:
        into(args.docs, {"start": table})
    print(table)


if __name__ == "__main__":
    main()
