"""A small course with a class, and its gradebook as rows that two courses can be compared by."""

import functools
import json
import shutil
import sqlite3
import tempfile
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell

from autograder.bridge.api import CourseApi
from autograder.build.submission import fill, solutions
from autograder.exercises import load
from autograder.grading.journal import key_of
from autograder.grading.worker import run_isolated

NAME, SHEET = "worked_calculation", "by_hand"
OTHER = "two_hidden_layers"
"""Another notebook of the same sheet."""

CONFIG = "\nc.IsolatedExecute.seed = 7\n"


def make_course(folder: Path, root: Path, names=(NAME,), db_url=None) -> Path:
    """A course whose sheets are released, with nothing handed in; with a gradebook in a file, a copy of one."""
    if db_url is None:
        return Path(shutil.copytree(_released(root, tuple(names)).name, folder))
    return _release(folder, root, names, db_url)


@functools.cache
def _released(root: Path, names: tuple[str, ...]) -> tempfile.TemporaryDirectory:
    """The course that is copied: nbgrader takes seconds to release a sheet."""
    kept = tempfile.TemporaryDirectory(prefix="released-")
    _release(Path(kept.name), root, names, None)
    return kept


def _release(folder: Path, root: Path, names, db_url) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    more = f"c.CourseDirectory.db_url = {db_url!r}\n" if db_url else ""
    (folder / "nbgrader_config.py").write_text((root / "nbgrader_config.py").read_text() + CONFIG + more)
    for name in names:
        sheet = load(name).sheet
        shutil.copytree(
            root / "source" / sheet,
            folder / "source" / sheet,
            ignore=lambda _, found: [f for f in found if f.endswith(".ipynb") and f[:-6] not in names],
            dirs_exist_ok=True,
        )
    api = CourseApi(folder, db_url)
    for sheet in {load(name).sheet for name in names}:
        assert api.generate_assignment(sheet) == []
    return folder


def solved(root: Path, name=NAME, **cells):
    """The solved notebook of an exercise, with some cells replaced."""
    exercise = load(name)
    released = nbformat.read(root / "assignments" / exercise.sheet / f"{name}.ipynb", as_version=4)
    return fill(released, solutions(root, exercise) | cells)


def hand_in(course: Path, student: str, notebook, name=NAME) -> Path:
    """Write a notebook where students hand in."""
    path = course / "submitted" / student / load(name).sheet / f"{name}.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, path)
    return path


def hand_in_class(course: Path, root: Path) -> None:
    """Honest work, slips, accidents: what a gradebook has to hold."""
    hand_in(course, "ada", solved(root))
    hand_in(course, "bo", solved(root, loss="y = 0.8\nloss = 1.0"))
    (course / "submitted" / "bo" / SHEET / "timestamp.txt").write_text("2030-02-01 15:00:00 UTC")
    twice = solved(root)
    twice.cells = [*twice.cells[2:], twice.cells[-1].copy(), new_markdown_cell("a note"), new_code_cell("mine = 1")]
    hand_in(course, "cy", twice)
    hand_in(course, "di", solved(root, update="import os\nprint('bye')\nos._exit(0)"))
    hand_in(course, "el", solved(root, forward="1 / 0"))
    (course / "submitted" / "el" / SHEET / "own.txt").write_text("mine")
    released = nbformat.read(root / "assignments" / SHEET / f"{NAME}.ipynb", as_version=4)
    hand_in(course, "flo", released)
    path = hand_in(course, "gus", solved(root))
    path.write_text(path.read_text(), encoding="utf-16")
    path = hand_in(course, "hal", solved(root))
    (path.parent / "data.csv").symlink_to(course / "gradebook.db")


def hand_in_again(course: Path, root: Path) -> None:
    """Resubmissions: other work, work that was right before, and a file that is no notebook any more."""
    hand_in(course, "ada", solved(root, loss="y = 0.8\nloss = 1.0"))
    hand_in(course, "bo", solved(root))
    (course / "submitted" / "cy" / SHEET / f"{NAME}.ipynb").write_text("{")


def rows(course: Path) -> dict[str, list]:
    """Every row of every table, the random ids of submissions replaced by what they stand for."""
    with sqlite3.connect(course / "gradebook.db") as db:
        db.row_factory = sqlite3.Row
        tables = [name for (name,) in db.execute("select name from sqlite_master where type = 'table'")]
        found = {table: [dict(row) for row in db.execute(f"select * from {table}")] for table in tables}
    names = {}
    for row in found["submitted_assignment"]:
        names[row["id"]] = f"{row['student_id']}/{row['assignment_id']}"
    for row in found["submitted_notebook"]:
        names[row["id"]] = f"{names[row['assignment_id']]}/{row['notebook_id']}"
    for table in ("grade", "comment"):
        for row in found[table]:
            names[row["id"]] = f"{names[row['notebook_id']]}/{row['cell_id']}"
    return {
        table: sorted(json.dumps({key: names.get(value, value) for key, value in row.items()}) for row in entries)
        for table, entries in found.items()
    }


def autograded(course: Path) -> dict[str, object]:
    """Every file of the autograded folder; notebooks without what the clock wrote."""
    found = {}
    for path in sorted((course / "autograded").rglob("*")):
        if path.suffix == ".ipynb":
            notebook = json.loads(path.read_text())
            notebook["metadata"]["autograder"].pop("seconds")
            for cell in notebook["cells"]:
                for output in cell.get("outputs", []):
                    if "text" in output:  # a progress bar writes as often as the clock lets it
                        lines = "".join(output["text"]).split("\n")
                        output["text"] = "\n".join(line.rpartition("\r")[2] for line in lines)
                if "outputs" in cell:
                    cell["outputs"] = [one for one in cell["outputs"] if one.get("text") != ""]
            found[str(path.relative_to(course))] = notebook, path.stat().st_mode
        elif path.is_file():
            found[str(path.relative_to(course))] = path.read_bytes(), path.stat().st_mode
    return found


def graded_wholly(folder):
    """Every sheet in the gradebook has all its marks; every autograded notebook can be read. How many there are."""
    with sqlite3.connect(folder / "gradebook.db") as db:
        assert db.execute("pragma integrity_check").fetchone() == ("ok",)
        (sheets,) = db.execute("select count(*) from submitted_assignment").fetchone()
        empty = db.execute(
            "select count(*) from grade join grade_cells on grade.cell_id = grade_cells.id"
            " where grade.auto_score is null and grade_cells.cell_type = 'code'"
        ).fetchone()
        assert empty == (0,)
    for path in (folder / "autograded").rglob("*.ipynb"):
        assert json.loads(path.read_text())["metadata"]["autograder"]["questions"]
    return sheets


def once():
    """A worker that runs equal notebooks once, for tests of what becomes of the results."""
    known = {}

    def run(level, marks, whole):
        key = marks and key_of(marks, level), key_of(whole, level)
        if key not in known:
            known[key] = run_isolated(level, marks, whole)
        return known[key]

    return run
