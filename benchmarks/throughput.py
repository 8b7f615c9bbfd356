"""How fast a class is graded: ``python benchmarks/throughput.py [--exercise NAME ...] [--class N] [--table FILE]``.

Everything is measured in one run on one machine, so that the ratios are fair: stock nbgrader (its own Execute, in the
notebook's kernel), our full pass, our marks pass, and the floor: the cells of the notebook by plain ``exec`` in this
process, with everything imported, without isolation, outputs or marks. Medians of a few rounds.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nbformat

from autograder.build.submission import fill, solutions
from autograder.course import find_root, sheet_files
from autograder.exercises import load
from autograder.grading.batch import Course, grade_class
from autograder.grading.course import CourseApi
from autograder.grading.grade import grade_notebook, prepare
from autograder.grading.gradebook import Writer
from autograder.grading.journal import Journal
from autograder.grading.remark import remark
from autograder.grading.submissions import find
from autograder.grading.worker import shared_sandbox

STOCK = "c = get_config()\nc.CourseDirectory.release_directory = 'assignments'\nc.Execute.timeout = 300\n"
JOBS = os.cpu_count() or 1
BEGIN, END = "<!-- throughput: begin -->", "<!-- throughput: end -->"


def notebook_of(root: Path, name: str):
    exercise = load(name)
    released = nbformat.read(root / "assignments" / exercise.sheet / f"{name}.ipynb", as_version=4)
    return fill(released, solutions(root, exercise))


def make_course(folder: Path, root: Path, name: str, students: int, config: str) -> Path:
    """A released course in which each student hands in a copy with a small edit of its code."""
    sheet = load(name).sheet
    folder.mkdir(parents=True)
    (folder / "nbgrader_config.py").write_text(config)
    shutil.copytree(
        root / "source" / sheet, folder / "source" / sheet,
        ignore=lambda _, found: [f for f in found if f.endswith(".ipynb") and f != f"{name}.ipynb"],
    )  # fmt: skip
    problems = CourseApi(folder).generate_assignment(sheet)
    if problems:
        raise SystemExit(problems[0])
    notebook = notebook_of(root, name)
    edited = nbformat.v4.new_code_cell("", id="edited")
    notebook.cells.append(edited)
    for number in range(students):
        edited.source = f"edition = {number}"
        path = folder / "submitted" / f"s{number:05d}" / sheet / f"{name}.ipynb"
        path.parent.mkdir(parents=True)
        nbformat.write(notebook, path)
    return folder


def median_of(rounds: int, function: Callable[[], object]) -> float:
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        function()
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def floor(root: Path, name: str) -> Callable[[], None]:
    """The notebook's cells by exec, in a folder with the sheet's files; figures are drawn and thrown away."""
    import matplotlib

    matplotlib.use("Agg")
    exercise = load(name)
    cells = prepare(notebook_of(root, name), exercise, root=root, seed=1).whole.job.cells
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
            with contextlib.redirect_stdout(io.StringIO()):
                names: dict = {"__name__": "__main__"}
                for cell in code:
                    exec(cell, names)
                for number in plt.get_fignums():
                    plt.figure(number).savefig(io.BytesIO(), format="png")
        finally:
            plt.close("all")
            sys.path.remove(str(folder))
            os.chdir(here)

    return run


def stock_seconds(folder: Path, name: str, students: int) -> float:
    """Seconds of stock `nbgrader autograde` per submission, without the start of the program.

    One run for one student and one for the others: the difference is what the further ones take.
    """

    def autograde(*more: str) -> float:
        began = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "nbgrader", "autograde", load(name).sheet, *more], cwd=folder, check=True,
            timeout=1800, env=os.environ | {"MPLBACKEND": "Agg"}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        return time.perf_counter() - began

    one = autograde("--student", "s00000")
    return (autograde() - one) / (students - 2)


def class_seconds(folder: Path, *, feedback: bool) -> tuple[float, float, int]:
    """Seconds of grading a class into the gradebook, until the first result, and how many notebooks were done.

    Imports and the start of the sandbox are not in it, as the start of the program is not in stock nbgrader's figure.
    """
    began, first, count = time.perf_counter(), 0.0, 0
    with Journal(folder) as journal, Writer(folder) as writer, ThreadPoolExecutor(JOBS) as pool:
        course = Course(folder, journal, writer, pool, journal.seed(1), window=2 * JOBS + 2)
        for done in grade_class(course, find([folder / "submitted"]), feedback=feedback):
            first = first or time.perf_counter() - began
            if done.problem:
                raise SystemExit(done.problem)
            count += not done.feedback
    return time.perf_counter() - began, first, count


def measure(root: Path, name: str, students: int, stock_students: int, rounds: int) -> dict[str, float]:
    """All figures of one exercise, in seconds per submission."""
    sandbox, exercise, notebook = shared_sandbox("auto"), load(name), notebook_of(root, name)
    found: dict[str, float] = {}
    exec_floor = floor(root, name)
    exec_floor()
    found["floor"] = median_of(rounds, exec_floor)
    for what, full in (("marks", False), ("full", True)):
        def one(full: bool = full) -> None:
            grade_notebook(notebook, exercise, sandbox, root=root, seed=1, full=full)

        one()
        found[what] = median_of(rounds, one)
    ours = (root / "nbgrader_config.py").read_text()
    with tempfile.TemporaryDirectory() as folder:
        stock = make_course(Path(folder) / "stock", root, name, stock_students, STOCK)
        found["stock"] = stock_seconds(stock, name, stock_students)
        course = make_course(Path(folder) / "ours", root, name, students, ours)
        seconds, first, count = class_seconds(course, feedback=False)
        found |= {"class_marks": seconds / count, "first_result": first}
        found["unchanged"] = class_seconds(course, feedback=False)[0] / count
        with Journal(course) as journal:
            began = time.perf_counter()
            assert len(list(remark(journal))) == count
            found["remark"] = (time.perf_counter() - began) / count
    return found


def table(results: dict[str, dict[str, float]]) -> str:
    """The figures as a table for people; ratios are to stock nbgrader and to the floor, from the same run."""
    lines = [
        "| exercise | stock nbgrader | ours, everything | to the floor | marks only, one | marks of a class, each"
        " | times stock | marked again | unchanged |",
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for name, r in results.items():
        lines.append(
            f"| {name} | {r['stock']:.2f} s | {r['full']:.2f} s | {r['full'] / r['floor']:.2f} × | "
            f"{1000 * r['marks']:.0f} ms | {1000 * r['class_marks']:.0f} ms | {r['stock'] / r['class_marks']:.0f} × | "
            f"{1000 * r['remark']:.2f} ms | {1000 * r['unchanged']:.1f} ms |"
        )
    return "\n".join(lines)


def said(args: argparse.Namespace) -> str:
    """The circumstances of a run, for the reader of its table."""
    return (
        f"{JOBS} cores, load {os.getloadavg()[0]:.1f} at the end, {args.students} students, stock nbgrader with "
        f"{args.stock}, medians of {args.rounds}; the start of the programs is in no figure. Stock nbgrader has no "
        "pass for the marks alone: its figure is a whole `nbgrader autograde`. The copies of the class give "
        "equal answers, which are marked again only once."
    )


def into(path: Path, text: str) -> None:
    """Replace what stands between the marks of a file."""
    before, rest = path.read_text().split(BEGIN)
    after = rest.split(END)[1]
    path.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--exercise", nargs="+", default=["worked_calculation", "tanh_swap"])
    parser.add_argument("--class", dest="students", type=int, default=50, help="students in the class")
    parser.add_argument("--stock", type=int, default=6, help="students that stock nbgrader grades, 3 or more")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--readme", type=Path, help="put the table between the marks in this file")
    args = parser.parse_args()
    root = find_root()
    results = {}
    for name in args.exercise:
        results[name] = measure(root, name, args.students, args.stock, args.rounds)
        print(f"{name}: {json.dumps({k: round(v, 4) for k, v in results[name].items()})}", file=sys.stderr)
    if args.readme:
        into(args.readme, f"{table(results)}\n\n{said(args)}")
    print(json.dumps(results) if args.json else table(results))


if __name__ == "__main__":
    main()
