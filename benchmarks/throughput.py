"""How fast submissions are graded: ``python benchmarks/throughput.py [--exercise NAME ...] [--docs docs/speed.md]``.

Everything is measured in one run on one machine, so that the ratios are fair. What is compared:

- *floor*: the student's own code in this process, with everything imported: the cells of the notebook by plain
  ``exec``, and the calls that the questions make by plain calls; no isolation, no outputs, no marks; with every figure
  encoded as a notebook shows it, and without any; and the cells alone;
- *stock*: ``nbgrader autograde`` as it comes, in the notebook's own kernel, the start of the program not counted;
- *otter*: ``otter run``, otter-grader's local run of one notebook (``--otter`` names its program; see docs/speed.md);
- *ours*: everything isolated (full), only what the marks need (marks), and a class end to end into the gradebook.

With ``--docs`` the tables of that page, and the plot of growth, are written anew, with ``--readme`` the targets there
as well; nobody types figures by hand.
"""

from __future__ import annotations

import argparse
import contextlib
import copy
import io
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cache
from pathlib import Path

import nbformat
from pages import into, measured_on, ms

from autograder.audit import load_variants
from autograder.bridge.api import CourseApi
from autograder.bridge.gradebook_writer import Writer
from autograder.bridge.pages import renew
from autograder.build.submission import fill, solutions
from autograder.course import find_root, sheet_files, source_notebook
from autograder.environment import put_programs_on_path
from autograder.exercises import NAMES, load
from autograder.grading.batch import Course, grade_class
from autograder.grading.finding import find
from autograder.grading.grade import Graded, Ran, execute, give_marks, grade_notebook, prepare
from autograder.grading.journal import Journal, asked
from autograder.grading.kept import marks_key
from autograder.grading.notebook import heal
from autograder.grading.packing import pack, unpack
from autograder.grading.remark import remark
from autograder.marking import challenges, mark
from autograder.sandbox import Cell, Job, shared_sandbox
from autograder.sandbox.inside.codec import gather
from autograder.sandbox.inside.probes import Student, names_kept

STOCK = "c = get_config()\nc.CourseDirectory.release_directory = 'assignments'\nc.Execute.timeout = 300\n"
JOBS = os.cpu_count() or 1
REST = 0.1  # seconds in which the sandbox makes the next process ready, as it does while other work is done
LONG = 8.0  # seconds of one round from which on one round is enough
USUAL = ("linear_models", "worked_calculation", "tanh_swap", "multi_output")  # one of every sheet
GROWING = "worked_calculation"
OTTER_TEST = """OK_FORMAT = True
test = {'name': 'q1', 'points': 1, 'suites': [{'cases': [
    {'code': '>>> callable(print)\\nTrue', 'hidden': False, 'locked': False},
], 'scored': True, 'setup': '', 'teardown': '', 'type': 'doctest'}]}
"""
"""otter-grader wants a test; this one costs nothing, so that its figure is that of running the notebook."""


# What is handed in ----------------------------------------------------------------------------------------------------


def notebook_of(root: Path, name: str, answers: dict[str, str] | None = None):
    exercise = load(name)
    released = nbformat.read(root / "assignments" / exercise.sheet / f"{name}.ipynb", as_version=4)
    return fill(released, answers or solutions(root, exercise))


def healed(notebook, root: Path, name: str):
    """A submitted notebook as nbgrader's first step leaves it."""
    notebook.cells = list(heal(notebook, source_notebook(root, load(name))).cells)
    return notebook


def variants_of(root: Path, name: str) -> list:
    """The known right and wrong solutions of an exercise, as notebooks: what a class hands in."""
    exercise = load(name)
    solved, known = solutions(root, exercise), load_variants(root, exercise)
    return [notebook_of(root, name, variant.apply(solved)) for variant in (*known.right, *known.wrong)]


@cache
def released(root: Path, name: str, config: str) -> tempfile.TemporaryDirectory:
    """A course with this exercise alone, released, with nothing handed in: nbgrader takes seconds for it."""
    kept, sheet = tempfile.TemporaryDirectory(), load(name).sheet
    folder = Path(kept.name)
    (folder / "nbgrader_config.py").write_text(config)
    shutil.copytree(
        root / "source" / sheet, folder / "source" / sheet,
        ignore=lambda _, found: [f for f in found if f.endswith(".ipynb") and f != f"{name}.ipynb"],
    )  # fmt: skip
    problems = CourseApi(folder).generate_assignment(sheet)
    if problems:
        raise SystemExit(problems[0])
    return kept


def make_course(folder: Path, root: Path, name: str, students: int, config: str, notebooks: Sequence = ()) -> Path:
    """A released course in which each student hands in a copy of one of the notebooks, its code edited a little."""
    sheet = load(name).sheet
    shutil.copytree(released(root, name, config).name, folder)
    texts = []
    for notebook in notebooks or [notebook_of(root, name)]:
        notebook.cells.append(nbformat.v4.new_code_cell("edition = 'EDITION'", id="edited"))
        texts.append(nbformat.writes(notebook))
    for number in range(students):
        path = folder / "submitted" / f"s{number:05d}" / sheet / f"{name}.ipynb"
        path.parent.mkdir(parents=True)
        path.write_text(texts[number % len(texts)].replace("EDITION", str(number)))
    return folder


# One submission -------------------------------------------------------------------------------------------------------


def median_of(rounds: int, function: Callable[[], object]) -> float:
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        function()
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def floor(root: Path, name: str, *, figures: bool, questions: bool = True) -> Callable[[], None]:
    """The notebook's cells by exec, beside the sheet's files; figures are encoded as a notebook shows them.

    With ``questions`` the probes call what the cells define, as they do in the sandbox.
    """
    import matplotlib

    matplotlib.use("Agg")
    exercise = load(name)
    cells = prepare(notebook_of(root, name), exercise, root=root, seed=1).whole.job.cells
    asked = challenges(exercise, 1) if questions else {}
    calls = [(probe.ask, one.given) for probe in exercise.probes for one in asked.get(probe.name, ())]
    code = [compile(cell.source.replace("%matplotlib inline", ""), "<cell>", "exec") for cell in cells]
    folder = Path(tempfile.mkdtemp())
    for path, data in sheet_files(root, exercise.sheet).items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)

    def run() -> None:
        import matplotlib.pyplot as plt

        here = Path.cwd()
        os.chdir(folder)
        sys.path.insert(0, str(folder))
        try:
            with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
                names: dict = {"__name__": "__main__"}
                for cell in code:
                    exec(cell, names)
                    for number in plt.get_fignums() if figures else ():
                        plt.figure(number).savefig(io.BytesIO(), format="png", bbox_inches="tight")
                    plt.close("all")
                for function, given in calls:
                    with names_kept(names):
                        gather(function(Student(names, set()), copy.deepcopy(dict(given))), {})
        finally:
            plt.close("all")
            sys.path.remove(str(folder))
            os.chdir(here)

    return run


def has_figures(root: Path, name: str) -> bool:
    job = prepare(notebook_of(root, name), load(name), root=root, seed=1).whole.job
    ran = execute(shared_sandbox("auto"), None, job)
    return any("image/png" in output.get("data", {}) for cell in ran.outcome.cells for output in cell.outputs)


def otter_run(program: str, root: Path, name: str, folder: Path) -> Callable[[], None]:
    """otter-grader's local run of the solved notebook, as one program from start to end."""
    (folder / "tests").mkdir(parents=True)
    (folder / "out").mkdir()
    (folder / "tests" / "q1.py").write_text(OTTER_TEST)
    beside = sheet_files(root, load(name).sheet)
    for path, data in beside.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    nbformat.write(notebook_of(root, name), folder / f"{name}.ipynb")
    environment = os.environ | {"PATH": f"{Path(program).parent}{os.pathsep}{os.environ['PATH']}"}

    def call(*arguments: str) -> None:
        subprocess.run(
            [program, *arguments], cwd=folder, check=True, env=environment, timeout=900,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    call("generate", "-t", "tests", "--no-environment", "--no-requirements", *beside)

    def run() -> None:
        call("run", f"{name}.ipynb", "-a", "autograder.zip", "-o", "out")
        assert json.loads((folder / "out" / "results.json").read_text())["tests"][-1]["score"] == 1.0

    return run


def stock_seconds(folder: Path, name: str) -> float:
    """Seconds of stock `nbgrader autograde` for a submission, the median of a class, without the program's start."""
    done = subprocess.run(
        [sys.executable, __file__, "--stock-in", str(folder), "--exercise", name], check=True, capture_output=True,
        text=True, timeout=3600, env=os.environ | {"MPLBACKEND": "Agg"},
    )  # fmt: skip
    return json.loads(done.stdout.splitlines()[-1])


def stock_in(folder: Path, name: str) -> float:
    """Grade each student of a course by nbgrader's own programming interface, as formgrader's button does."""
    from nbgrader.apps.api import NbGraderAPI
    from nbgrader.coursedir import CourseDirectory
    from traitlets.config import Config

    config = Config()
    config.CourseDirectory.root = str(folder)
    config.Execute.timeout = 300
    api, times = NbGraderAPI(CourseDirectory(config=config), config=config), []
    for student in sorted(path.name for path in (folder / "submitted").iterdir()):
        began = time.perf_counter()
        result = api.autograde(load(name).sheet, student)
        times.append(time.perf_counter() - began)
        if not result["success"]:
            raise SystemExit(result["log"][-2000:])
    return statistics.median(times[1:])  # the first one also pays for what is imported late


# A class --------------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def opened(folder: Path, seed: int = 1) -> Iterator[Course]:
    with Journal(folder) as journal, Writer(folder) as writer, ThreadPoolExecutor(JOBS) as pool:
        yield Course(folder, journal, writer, pool, journal.seed(seed), window=lambda: 2 * JOBS + 2)


def class_seconds(folder: Path, *, feedback: bool) -> tuple[float, int]:
    """Seconds of grading a class into the gradebook, and how many notebooks were done.

    Imports and the start of the sandbox are not in it, as the start of the program is not in stock nbgrader's figure.
    """
    shared_sandbox("auto")
    began, count = time.perf_counter(), 0
    with opened(folder) as course:
        for done in grade_class(course, find([folder / "submitted"]), feedback=feedback):
            if done.problem:
                raise SystemExit(done.problem)
            count += not done.feedback
    return time.perf_counter() - began, count


def command_seconds(folder: Path) -> tuple[float, float]:
    """Seconds of `autograder grade --gradebook` from its start to the first result, and to its end."""
    began = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, "-m", "autograder", "grade", "submitted", "--gradebook", "--marks-only", "--json"],
        cwd=folder, stdout=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        lines = iter(process.stdout)
        next(lines)
        first = time.perf_counter() - began
        for _ in lines:
            pass
    if process.returncode:
        raise SystemExit("autograder grade failed")
    return first, time.perf_counter() - began


def measure(root: Path, name: str, args: argparse.Namespace) -> dict[str, float]:
    """All figures of one exercise, in seconds per submission."""
    sandbox, exercise, notebook = shared_sandbox("auto"), load(name), notebook_of(root, name)
    found: dict[str, float] = {"figures": has_figures(root, name)}
    runs = {
        "floor": floor(root, name, figures=True),
        "bare_floor": floor(root, name, figures=False),
        "cells": floor(root, name, figures=True, questions=False),
    }
    for what, full in (("marks", False), ("full", True)):

        def one(full: bool = full) -> None:
            grade_notebook(notebook, exercise, sandbox, root=root, seed=1, full=full)

        runs[what] = one
    times: dict[str, list[float]] = {what: [] for what in runs}
    number, rounds = 0, args.rounds
    while number <= rounds:  # in turns, so that a busy moment strikes all of them
        began = time.perf_counter()
        for what, run in runs.items():
            if what == "full":
                run()  # as in a class: the notebook before was run for its figures, too
                time.sleep(REST)
            seconds = median_of(1, run)
            if number:
                times[what].append(seconds)
        if time.perf_counter() - began > LONG:
            rounds = 1  # what takes long varies little
        number += 1
    found |= {what: statistics.median(seconds) for what, seconds in times.items()}
    ours = (root / "nbgrader_config.py").read_text()
    with tempfile.TemporaryDirectory() as folder:
        if args.otter:
            found["otter"] = median_of(1, otter_run(args.otter, root, name, Path(folder) / "otter"))
        stock = make_course(Path(folder) / "stock", root, name, args.stock, STOCK)
        found["stock"] = stock_seconds(stock, name)
        course = make_course(Path(folder) / "ours", root, name, args.students, ours)
        seconds, count = class_seconds(course, feedback=False)
        found["class_marks"] = seconds / count
        whole = make_course(Path(folder) / "whole", root, name, max(JOBS, args.students // 5), ours)
        seconds, count = class_seconds(whole, feedback=True)
        found["class_full"] = seconds / count
        quick = make_course(Path(folder) / "quick", root, name, 4, ours)
        found["first_result"] = command_seconds(quick)[0]
    return found


# Growth, marking again, and where the time goes -----------------------------------------------------------------------


def grow(root: Path, sizes: Sequence[int]) -> list[dict[str, float]]:
    """A class of every size: seconds for a notebook and the peak memory of the program, each in its own process."""
    notebooks = [nbformat.writes(notebook) for notebook in variants_of(root, GROWING)]
    ours, found = (root / "nbgrader_config.py").read_text(), []
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder:
            fresh = [nbformat.reads(text, as_version=4) for text in notebooks]
            course = make_course(Path(folder) / "course", root, GROWING, size, ours, fresh)
            done = subprocess.run(
                [sys.executable, __file__, "--grown", str(course)], check=True, capture_output=True, text=True
            )
            found.append({"students": size} | json.loads(done.stdout))
            unchanged = command_seconds(course)
            found[-1] |= {"unchanged_first": unchanged[0], "unchanged": unchanged[1]}
            found[-1]["report"] = report_seconds(course)
        print(f"{size}: {found[-1]}", file=sys.stderr)
    return found


def report_seconds(course: Path) -> float:
    """Seconds of `autograder report` for a class, from the start of the program to its end."""
    began = time.perf_counter()
    command = [sys.executable, "-m", "autograder", "report", "--to", "report.html"]
    subprocess.run(command, cwd=course, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def pages(root: Path, students: int) -> dict[str, float]:
    """Seconds for each feedback page of a class: by nbgrader, by ours, and when nothing has changed."""
    ours = (root / "nbgrader_config.py").read_text()
    with tempfile.TemporaryDirectory() as folder:
        course = make_course(Path(folder) / "course", root, GROWING, students, ours)
        class_seconds(course, feedback=True)
        api, sheet = CourseApi(course), load(GROWING).sheet
        some = [f"s{number:05d}" for number in range(min(10, students))]
        times = [median_of(1, lambda student=student: api.generate_feedback(sheet, student)) for student in some]
        found = {"pages": students, "nbgrader": statistics.median(times)}
        shutil.rmtree(course / "feedback")
        for what in ("ours", "unchanged"):
            began = time.perf_counter()
            problems = renew(course)
            found[what] = (time.perf_counter() - began) / students
            if problems:
                raise SystemExit(problems[0])
        return found


def grown(folder: Path) -> dict[str, float]:
    """What a class of this size takes: grading, and marking again, as it is and as if no two answers were equal."""
    seconds, count = class_seconds(folder, feedback=False)
    # not getrusage: a new program takes over the peak of the one that started it
    status = Path("/proc/self/status").read_text()
    peak = int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) / 1024
    with Journal(folder) as journal:

        def mark_again() -> None:
            assert sum(1 for _ in remark(journal)) == count  # as the command, which keeps no records of marks

        again = median_of(3, mark_again)
        sample = [journal.stored(entry.run) for entry, _ in zip(journal.entries(), range(200), strict=False)]
        began = time.perf_counter()
        for stored in sample:
            mark(load(GROWING), 1, stored.ran.outcome.answers)
        each = (time.perf_counter() - began) / len(sample)
    again /= count
    return {"grade": seconds / count, "memory": peak, "again": again, "again_all_different": again + each}


def breakdown(root: Path, name: str, rounds: int, *, full: bool) -> dict[str, float]:
    """Seconds of every step of one submission: in the pass that gives the marks, or with ``full`` in the other."""
    sandbox, exercise, found = shared_sandbox("auto"), load(name), {}
    notebook = notebook_of(root, name)

    def planned():
        return prepare(healed(nbformat.from_dict(notebook), root, name), exercise, root=root, seed=1)

    one = planned()
    work, marks_job = (one.whole, None) if full else (one.marks, one.marks_job)
    found["read, heal and plan the notebook"] = median_of(rounds, planned)
    job = work.job
    found["its name in the journal"] = median_of(rounds, lambda: marks_key(one, "auto"))

    def run(part: Job) -> float:
        times = []
        for _ in range(rounds + 1):
            began = time.perf_counter()
            sandbox.run(part)
            times.append(time.perf_counter() - began)
            time.sleep(REST)
        return statistics.median(times[1:])

    nothing = (Cell("nothing", "# plt."),) if full else ()  # asks for a process that is ready to draw
    empty, cells = run(replace(job, cells=nothing, asks=())), run(replace(job, asks=()))
    found["a process of its own, walls, and its end"] = empty
    found["run the cells"] = max(0.0, cells - empty)
    found["ask the questions"] = max(0.0, run(job) - cells)
    ran = Ran(sandbox.run(job), marks_job is None)
    with tempfile.TemporaryDirectory() as folder:
        ours = (root / "nbgrader_config.py").read_text()
        course = make_course(Path(folder) / "course", root, name, 1, ours)
        with opened(course) as shared:
            key, questions = marks_key(one, "auto"), asked(one.whole.job.asks)
            found["keep the answers"] = median_of(rounds, lambda: shared.journal.keep(key, name, questions, ran))
            again = [replace(ran, outcome=unpack(pack(ran.outcome))) for _ in range(rounds)]  # no answer is known yet
            found["mark"] = median_of(rounds, lambda: give_marks(one, again.pop()))
            submitted = nbformat.read(course / "submitted" / "s00000" / exercise.sheet / f"{name}.ipynb", as_version=4)
            theirs = prepare(healed(submitted, course, name), exercise, root=course, seed=1)
            graded: Graded = give_marks(theirs, execute(sandbox, None if full else theirs.marks_job, theirs.whole.job))

            def write() -> None:
                shared.writer.write("s00000", exercise.sheet, {name: graded})

            write()
            found["write the notebook and its rows"] = median_of(rounds, write)
    return found


# The page -------------------------------------------------------------------------------------------------------------


def table_of_one(results: dict[str, dict[str, float]]) -> str:
    lines = [
        "| exercise | stock nbgrader | otter-grader | ours, everything | ours, marks | floor with figures |"
        " floor without | cells alone | everything to the floor |",
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for name, r in results.items():
        otter = ms(r["otter"]) if "otter" in r else "not measured"
        lines.append(
            f"| `{name}` | {ms(r['stock'])} | {otter} | {ms(r['full'])} | {ms(r['marks'])} | {ms(r['floor'])} | "
            f"{ms(r['bare_floor'])} | {ms(r['cells'])} | {r['full'] / r['floor']:.2f} × |"
        )
    return "\n".join(lines)


def table_of_class(results: dict[str, dict[str, float]]) -> str:
    lines = [
        "| exercise | marks of a class, each | times stock | marks and figures, each | times stock | first result |",
        "|---|--:|--:|--:|--:|--:|",
    ]
    for name, r in results.items():
        lines.append(
            f"| `{name}` | {ms(r['class_marks'])} | {r['stock'] / r['class_marks']:.1f} × | {ms(r['class_full'])} | "
            f"{r['stock'] / r['class_full']:.1f} × | {ms(r['first_result'])} |"
        )
    return "\n".join(lines)


def table_of_growth(grown: list[dict[str, float]]) -> str:
    lines = [
        "| class | graded, each | peak memory | marked again, each | if no answers were equal | unchanged, in all |",
        "|--:|--:|--:|--:|--:|--:|",
    ]
    lines += [
        f"| {r['students']:,} | {ms(r['grade'])} | {r['memory']:.0f} MB | {ms(r['again'])} | "
        f"{ms(r['again_all_different'])} | {ms(r['unchanged'])} |"
        for r in grown
    ]
    return "\n".join(lines)


def table_of_pages(made: dict[str, float]) -> str:
    return (
        "| pages | `nbgrader generate_feedback`, each | `autograder feedback`, each | times | nothing changed, each |\n"
        "|--:|--:|--:|--:|--:|\n"
        f"| {made['pages']} | {ms(made['nbgrader'])} | {ms(made['ours'])} | {made['nbgrader'] / made['ours']:.1f} × | "
        f"{ms(made['unchanged'])} |"
    )


def table_of_breakdown(steps: dict[str, dict[str, float]]) -> str:
    names = list(steps)
    lines = [f"| step | {' | '.join(names)} |", f"|---|{'--:|' * len(names)}"]
    for step in steps[names[0]]:
        lines.append(f"| {step} | {' | '.join(ms(steps[name][step]) for name in names)} |")
    lines.append(f"| together | {' | '.join(ms(sum(steps[name].values())) for name in names)} |")
    return "\n".join(lines)


def targets(results: dict[str, dict[str, float]], grown: list[dict[str, float]], made: dict[str, float]) -> str:
    """Each target with what was measured for it."""
    figures = [name for name in results if results[name]["figures"]]
    to_floor = {name: results[name]["full"] / results[name]["floor"] for name in figures}
    worst, within = max(figures, key=to_floor.get), sum(ratio <= 1.3 for ratio in to_floor.values())
    to_stock = {name: result["stock"] / result["class_marks"] for name, result in results.items()}
    least, enough = min(to_stock, key=to_stock.get), sum(ratio >= 25 for ratio in to_stock.values())
    thousand = next((r for r in grown if r["students"] >= 1000), grown[-1])
    count, largest = f"{thousand['students']:,}", grown[-1]
    first = max(results, key=lambda name: results[name]["first_result"])
    soon = sum(result["first_result"] < 3 for result in results.values())
    allowed = {name: r["class_marks"] / (3 * r["bare_floor"] + 0.010) for name, r in results.items()}
    most, good = max(allowed, key=allowed.get), sum(share <= 1 for share in allowed.values())
    rows = [
        ("everything, isolated, at most 1.3 × the floor on notebooks with figures",
         f"{to_floor[worst]:.2f} × at most (`{worst}`); median {statistics.median(to_floor.values()):.2f} ×, within "
         f"1.3 × on {within} of {len(figures)}", within == len(figures)),
        ("marks of a class at most 1 × the sum of three floors without figures and 10 ms, on every exercise",
         f"{allowed[most]:.2f} × at most (`{most}`), within it on {good} of {len(results)}", good == len(results)),
    ]  # fmt: skip
    if "tanh_swap" in results:
        rows.append(("marks of a class at least 150 × stock nbgrader on `tanh_swap`",
                     f"{to_stock['tanh_swap']:.1f} ×", to_stock["tanh_swap"] >= 150))  # fmt: skip
    rows.append(("marks of a class at least 25 × stock nbgrader on every exercise",
                 f"{to_stock[least]:.1f} × (`{least}`, the least); "
                 f"median {statistics.median(to_stock.values()):.1f} ×, "
                 f"reached on {enough} of {len(results)}", enough == len(results)))  # fmt: skip
    again, alone = (thousand["grade"] / thousand[name] for name in ("again", "again_all_different"))
    times = made["nbgrader"] / made["ours"]
    rows += [
        (f"marks of a class of {count} at most 20 ms each", f"{1000 * thousand['grade']:.1f} ms",
         thousand["grade"] <= 0.020),
        ("memory of the grading program at most 250 MB, whatever the class",
         f"{max(r['memory'] for r in grown):.1f} MB", max(r["memory"] for r in grown) <= 250),
        ("start to first result under 3 s", f"{results[first]['first_result']:.2f} s at most (`{first}`), under 3 s on "
         f"{soon} of {len(results)}", soon == len(results)),
        (f"marking {count} again at least 200 × faster than grading them", f"{again:.1f} ×", again >= 200),
        (f"marking {count} again at least 100 × faster, if no two answers were equal", f"{alone:.1f} ×", alone >= 100),
        (f"an unchanged class of {count} under 10 s, with the start of the program", f"{thousand['unchanged']:.2f} s",
         thousand["unchanged"] < 10),
        ("feedback pages at most 25 ms each", f"{1000 * made['ours']:.1f} ms", made["ours"] <= 0.025),
        ("feedback pages at least 10 × as fast as `nbgrader generate_feedback`", f"{times:.1f} ×", times >= 10),
        (f"the report on a class of {count} under 5 s, with the start of the program", f"{thousand['report']:.2f} s",
         thousand["report"] < 5),
    ]  # fmt: skip
    if largest is not thousand:
        more = largest["grade"] / thousand["grade"]
        rows.append((f"marks of a class of {largest['students']:,} at most 1.1 × the price of {count}",
                     f"{more:.2f} ×", more <= 1.1))  # fmt: skip
    lines = ["| target | measured | met |", "|---|---|---|"]
    return "\n".join(lines + [f"| {what} | {found} | {'yes' if met else '**no**'} |" for what, found, met in rows])


def said(args: argparse.Namespace, load_before: float) -> str:
    """The circumstances of a run, for the reader of its tables."""
    return (
        f"{measured_on(load_before)}. Medians of {args.rounds}; classes of {args.students}, "
        f"stock nbgrader with {args.stock}."
    )


def plot(grown: list[dict[str, float]], path: Path) -> None:
    """Seconds of a notebook, and memory, against the size of the class."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    sizes = [r["students"] for r in grown]
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.4), layout="constrained")
    for what, label in (("grade", "graded"), ("again_all_different", "marked again, no answers equal"),
                        ("again", "marked again")):  # fmt: skip
        left.loglog(sizes, [1000 * r[what] for r in grown], "o-", label=label)
    left.set(xlabel="notebooks in the class", ylabel="milliseconds for each", title="Time")
    figure.legend(loc="outside lower left", ncols=3, frameon=False)
    right.semilogx(sizes, [r["memory"] for r in grown], "o-")
    right.set(xlabel="notebooks in the class", ylabel="MB", title="Peak memory of the grading program")
    right.set_ylim(0, 1.2 * max(r["memory"] for r in grown))
    for axes in (left, right):
        axes.grid(alpha=0.3)
    figure.savefig(path, dpi=110, metadata={"Software": None})
    plt.close(figure)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--exercise", nargs="+", default=USUAL, help="names, or `all`")
    parser.add_argument("--class", dest="students", type=int, default=16, help="students in the class")
    parser.add_argument("--stock", type=int, default=2, help="students that stock nbgrader grades, 2 or more")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--pages", type=int, default=100, help="students whose feedback pages are made")
    parser.add_argument("--sizes", nargs="+", type=int, default=[10, 100, 1000], help="classes for the growth")
    parser.add_argument("--otter", help="otter-grader's program, in an environment of its own")
    parser.add_argument("--json", type=Path, help="write everything measured to this file")
    parser.add_argument("--docs", type=Path, help="write the tables and the plot of this page")
    parser.add_argument("--readme", type=Path, help="write the table of targets into this page, too")
    parser.add_argument("--grown", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--stock-in", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    put_programs_on_path()
    if args.stock_in:
        print(json.dumps(stock_in(args.stock_in, args.exercise[0])))
        return
    if args.grown:
        print(json.dumps(grown(args.grown)))
        return
    root, load_before = find_root(), os.getloadavg()[0]
    results = {}
    for name in NAMES if args.exercise == ["all"] else args.exercise:
        results[name] = measure(root, name, args)
        print(f"{name}: {json.dumps({k: round(v, 4) for k, v in results[name].items()})}", file=sys.stderr)
    steps = {
        f"`{name}`, {'everything' if full else 'marks'}": breakdown(root, name, args.rounds, full=full)
        for name in ("worked_calculation", "tanh_swap")
        for full in (False, True)
    }
    growth, made = grow(root, args.sizes), pages(root, args.pages)
    sections = {
        "targets": f"{targets(results, growth, made)}\n\n{said(args, load_before)}",
        "one": table_of_one(results), "class": table_of_class(results), "growth": table_of_growth(growth),
        "breakdown": table_of_breakdown(steps), "pages": table_of_pages(made),
    }  # fmt: skip
    if args.json:
        args.json.write_text(
            json.dumps({"results": results, "breakdown": steps, "growth": growth, "pages": made}, indent=1)
        )
    if args.docs:
        into(args.docs, sections)
        if args.readme:
            into(args.readme, {"targets": sections["targets"]})
        plot(growth, args.docs.parent / "pictures" / "growth.png")
    print("\n\n".join(sections.values()))


if __name__ == "__main__":
    main()
