"""The attacks on nbgrader's own path: one course with our configuration, and the same notebooks under the stock one."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import nbformat
import nbgrader_kit
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell

from autograder.build.submission import fill, solutions
from autograder.exercises import load

from .corpus import duplicate_graded, strange_schema, tag_everything

pytestmark = pytest.mark.long

NAME = "worked_calculation"
STOCK = "c = get_config()\nc.CourseDirectory.release_directory = 'assignments'\nc.Execute.timeout = 300\n"

PATCHED = (
    "import sys, autograder.in_kernel\n"
    "def forged(*a):\n    sys.displayhook(2)\n    return 2\n"
    "autograder.in_kernel.mark_question = forged"
)
LAUNCHER = (
    "import os, sys\n"
    "sys.path.pop(0)\n"
    "open('planted.txt', 'w').write('the launcher of the submission ran')\n"
    "import runpy\n"
    "runpy.run_module('ipykernel_launcher', run_name='__main__')"
)
SQL = (
    "import sqlite3\nc = sqlite3.connect('@GRADEBOOK@', timeout=5)\n"
    "c.execute('update grade set extra_credit = 100')\nc.commit()\nc.close()"
)
STARTUP = (
    "import os\np = '@HOME@/.ipython/profile_default/startup'\nos.makedirs(p, exist_ok=True)\n"
    "open(p + '/00.py', 'w').write('import autograder.in_kernel as k\\nk.mark_question = lambda *a: 2')"
)
SCRIPT = (
    "from IPython.display import HTML, SVG, Javascript, Markdown, display\n"
    'display(HTML(\'<script>alert("html")</script><img src=x onerror=alert("img")><b>kept</b>\'),\n'
    '        Javascript(\'alert("js")\'), SVG(\'<svg xmlns="http://www.w3.org/2000/svg"><script>alert("svg")</script></svg>\'),\n'
    "        Markdown('<script>alert(\"md\")</script>'))"
).replace("</svg>'),\n", "</svg>'),")

#: student -> (solved?, code of a new first cell, what is done to the notebook), in the order in which they are graded
STUDENTS = {
    "a_neighbour": (True, "", None),
    "b_skip": (False, "", tag_everything),
    "c_patched": (False, PATCHED, None),
    "d_launcher": (False, "", None),
    "e_sql": (False, SQL, None),
    "f_startup": (False, STARTUP, None),
    "g_after_startup": (False, "", None),
    "h_link": (False, "", None),
    "i_script": (True, SCRIPT, None),
    "j_duplicated": (True, "", duplicate_graded),
    "k_schema": (True, "", strange_schema),
    "l_stderr": (True, "import sys, warnings\nwarnings.warn('x')\nprint('y', file=sys.stderr)", None),
    "m_float64": (True, "import numpy as np\nnp.float64(1.5)", None),
    "n_clock": (True, "", None),
    "o_no_time": (True, "", None),
    "p_mark": (True, "", None),
    "q_utf16": (True, "", None),
    "r_device": (True, "", None),
    "s_linked_notebook": (False, "", None),
    "t_broken": (True, "", None),
    "u_stale": (True, "", None),
    "v_exit": (True, "import os\nos._exit(0)", None),
    "z_last": (True, "", None),
}
FULL_MARKS = {name for name, (solved, _, _) in STUDENTS.items() if solved} - {"t_broken"}
STOCK_STUDENTS = (
    "a_neighbour", "b_skip", "c_patched", "d_launcher", "e_sql", "f_startup", "g_after_startup", "h_link", "i_script",
    "v_exit",
)  # fmt: skip


def nbgrader(course: Path, *arguments: str) -> subprocess.CompletedProcess:
    home = course.parent / "home"
    return nbgrader_kit.nbgrader(course, *arguments, status=None, HOME=str(home), IPYTHONDIR=str(home / ".ipython"))


def make_course(base: Path, root: Path, configuration: str, students: tuple[str, ...]) -> Path:
    course, home = base / "course", base / "home"
    home.mkdir(parents=True)
    sheet = course / "source" / "by_hand"
    shutil.copytree(root / "source" / "by_hand", sheet, ignore=lambda _, names: [
        name for name in names if name.endswith(".ipynb") and name != f"{NAME}.ipynb"])  # fmt: skip
    (course / "nbgrader_config.py").write_text(configuration)
    exercise = load(NAME)
    released = nbformat.read(root / "assignments" / "by_hand" / f"{NAME}.ipynb", as_version=4)
    words = {"@GRADEBOOK@": str(course / "gradebook.db"), "@HOME@": str(home)}
    for student in students:
        solved, first, edit = STUDENTS[student]
        notebook = fill(released, solutions(root, exercise) if solved else {})
        for word, text in words.items():
            first = first.replace(word, text)
        if first:
            notebook.cells.insert(0, new_code_cell(first))
        if student == "i_script":
            notebook.cells.insert(0, new_markdown_cell('Mine: <script>alert("cell")</script> ![x](http://spy/x.png)'))
        if edit:
            edit(notebook)
        path = course / "submitted" / student / "by_hand" / f"{NAME}.ipynb"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(notebook))
        _beside(student, path, course)
    return course


def _beside(student: str, path: Path, course: Path) -> None:
    folder = path.parent
    match student:
        case "d_launcher":
            (folder / "ipykernel_launcher.py").write_text(LAUNCHER)
        case "h_link":
            (folder / "data.csv").symlink_to("../../../gradebook.db")
        case "n_clock":
            (folder / "timestamp.txt").write_text("2020-01-01 00:00:00 UTC")
        case "o_no_time":
            (folder / "timestamp.txt").write_text("yesterday evening")
        case "p_mark":
            path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
        case "q_utf16":
            path.write_text(path.read_text(), encoding="utf-16")
        case "r_device":
            (folder / "zeros").symlink_to("/dev/zero")
            os.mkfifo(folder / "pipe")
        case "s_linked_notebook":
            path.unlink()
            path.symlink_to(f"../../a_neighbour/by_hand/{NAME}.ipynb")
        case "t_broken":
            path.write_text("{")
        case "u_stale":
            (folder / "timestamp.txt").write_text("2026-01-01 00:00:00 UTC")


def scores(course: Path) -> dict[str, float]:
    """What the gradebook says that each student has earned, extra credit included."""
    with sqlite3.connect(course / "gradebook.db") as database:
        rows = database.execute(
            "select a.student_id, coalesce(g.manual_score, g.auto_score, 0) + coalesce(g.extra_credit, 0) from grade g"
            " join submitted_notebook n on g.notebook_id = n.id join submitted_assignment a on n.assignment_id = a.id"
        ).fetchall()
    found: dict[str, float] = {}
    for student, score in rows:
        found[student] = found.get(student, 0.0) + score
    return found


def waiting(course: Path, student: str) -> set[int]:
    """Whether the machine-marked cells of a student wait for a person."""
    with sqlite3.connect(course / "gradebook.db") as database:
        return {row[0] for row in database.execute(
            "select g.needs_manual_grade from grade g join submitted_notebook n on g.notebook_id = n.id"
            " join submitted_assignment a on n.assignment_id = a.id where a.student_id = ?", (student,))}  # fmt: skip


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory, root: Path) -> tuple[Path, subprocess.CompletedProcess]:
    base = tmp_path_factory.mktemp("attacked")
    course = make_course(base, root, (root / "nbgrader_config.py").read_text(), tuple(STUDENTS))
    released = nbgrader(course, "generate_assignment", "by_hand")
    assert released.returncode == 0, released.stderr[-2000:]
    return course, nbgrader(course, "autograde", "by_hand")


def test_everybody_gets_what_the_work_deserves(graded) -> None:
    course, run = graded
    found = scores(course)
    assert {name for name, score in found.items() if score == 25} == FULL_MARKS, (found, run.stderr[-6000:])
    assert {score for name, score in found.items() if name not in FULL_MARKS} == {0}
    assert found.keys() == STUDENTS.keys()


def test_what_cannot_be_graded_is_told_and_no_zero(graded) -> None:
    course, run = graded
    assert run.returncode == 1
    for student in ("s_linked_notebook", "t_broken"):
        assert f"There was an error processing assignment 'by_hand' for student '{student}'" in run.stderr
        assert not (course / "autograded" / student / "by_hand").exists()
        assert waiting(course, student) == {1}
    assert "is not valid JSON" in run.stderr
    assert (course / "submitted" / "t_broken" / ".set_aside" / "by_hand" / f"{NAME}.ipynb").read_text() == "{"


def test_nothing_that_a_link_points_to_is_copied(graded) -> None:
    course, run = graded
    for student, name in (("h_link", "data.csv"), ("r_device", "zeros"), ("r_device", "pipe")):
        assert not (course / "autograded" / student / "by_hand" / name).exists()
        assert (course / "submitted" / student / ".set_aside" / "by_hand" / name).is_symlink() or name == "pipe"
    assert "a link to ../../../gradebook.db" in run.stderr


def test_the_home_of_the_grader_is_untouched(graded) -> None:
    course, _ = graded
    assert not (course.parent / "home" / ".ipython" / "profile_default" / "startup" / "00.py").exists()
    assert not list(course.rglob("planted.txt"))


def test_an_impossible_time_is_told(graded) -> None:
    _, run = graded
    assert "find out when it was really handed in" in run.stderr
    assert "holds no time" in run.stderr


def test_a_resubmission_that_cannot_be_graded_keeps_no_earlier_mark(graded) -> None:
    course, _ = graded
    folder = course / "submitted" / "u_stale" / "by_hand"
    assert scores(course)["u_stale"] == 25
    (folder / f"{NAME}.ipynb").write_text("{")
    (folder / "timestamp.txt").write_text("2026-02-01 00:00:00 UTC")
    assert nbgrader(course, "autograde", "by_hand", "--student", "u_stale").returncode == 1
    assert scores(course)["u_stale"] == 0
    assert waiting(course, "u_stale") == {1}


@pytest.mark.parametrize("time_stamp", ["none", "older", "unreadable", "a pipe", "the same"])
def test_other_work_is_graded_again_whatever_its_time_stamp_says(graded, root: Path, time_stamp: str) -> None:
    """nbgrader would keep the mark of the earlier work, or wait for ever."""
    course, _ = graded
    folder = course / "submitted" / "z_last" / "by_hand"
    stamp, exercise = folder / "timestamp.txt", load(NAME)
    released = nbformat.read(root / "assignments" / "by_hand" / f"{NAME}.ipynb", as_version=4)
    for cells, score in ((solutions(root, exercise), 25), ({}, 0)):
        nbformat.write(fill(released, cells), folder / f"{NAME}.ipynb")
        stamp.unlink(missing_ok=True)
        if score or time_stamp == "the same":
            stamp.write_text("2026-01-01 00:00:00 UTC")
        elif time_stamp == "a pipe":
            os.mkfifo(stamp)
        elif time_stamp != "none":
            stamp.write_text({"older": "2020-01-01 00:00:00 UTC"}.get(time_stamp, "yesterday evening"))
        done = nbgrader(course, "autograde", "by_hand", "--student", "z_last")
        assert done.returncode == 0, done.stderr[-2000:]
        assert scores(course)["z_last"] == score
    assert "is not the work that was graded" in done.stderr
    done = nbgrader(course, "autograde", "by_hand", "--student", "z_last")
    assert "not the work" not in done.stderr, "the same work is not graded twice"


def test_without_our_run_nothing_is_saved_as_earned(graded, root: Path) -> None:
    """Switched off, nbgrader would give full marks for cells without outputs."""
    course, _ = graded
    done = nbgrader(course, "autograde", "by_hand", "--student", "b_skip", "--force", "--IsolatedExecute.enabled=False")
    assert done.returncode == 0, done.stderr[-2000:]
    assert scores(course)["b_skip"] == 0
    assert 1 in waiting(course, "b_skip")


def test_the_feedback_page_runs_nothing_of_the_student(graded) -> None:
    course, _ = graded
    done = nbgrader(course, "generate_feedback", "by_hand", "--student", "i_script")
    assert done.returncode == 0, done.stderr[-2000:]
    page = (course / "feedback" / "i_script" / "by_hand" / f"{NAME}.html").read_text()
    assert "<b>kept</b>" in page
    assert "Everything that is marked by machine is right." in page
    assert live(page) == []


class _Live(HTMLParser):
    """Collects what a browser would run or load."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._script = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._script = tag == "script"
        for name, value in attrs:
            if name.startswith("on") or (name in ("src", "href") and "//spy" in (value or "")):
                self.found.append(f"{tag} {name}={value}")

    def handle_endtag(self, tag: str) -> None:
        self._script = False

    def handle_data(self, data: str) -> None:
        if self._script and "alert(" in data:
            self.found.append(data)


def live(page: str) -> list[str]:
    """What of the student's would run in this page, or load from elsewhere into it."""
    parser = _Live()
    parser.feed(page)
    return [one for one in parser.found if not one.startswith("a href")]


@pytest.fixture(scope="module")
def stock(tmp_path_factory: pytest.TempPathFactory, root: Path) -> Path:
    course = make_course(tmp_path_factory.mktemp("stock"), root, STOCK, STOCK_STUDENTS)
    for step in (("generate_assignment",), ("autograde",), ("generate_feedback", "--student", "i_script")):
        nbgrader(course, step[0], "by_hand", *step[1:])
    return course


@pytest.mark.parametrize("student", ["b_skip", "c_patched", "g_after_startup"])
def test_control_stock_nbgrader_gives_marks_for_no_work(stock: Path, student: str) -> None:
    assert scores(stock)[student] > 0


def test_control_stock_nbgrader_is_open(stock: Path) -> None:
    assert scores(stock)["a_neighbour"] > 100, "the gradebook could be written"
    assert list((stock / "autograded" / "d_launcher").rglob("planted.txt"))
    assert (stock / "autograded" / "h_link" / "by_hand" / "data.csv").read_bytes().startswith(b"SQLite")
    page = (stock / "feedback" / "i_script" / "by_hand" / f"{NAME}.html").read_text()
    assert len(live(page)) >= 4, "scripts run, pictures are loaded"
    assert scores(stock)["v_exit"] <= 100, "all cells of an honest student are lost"
