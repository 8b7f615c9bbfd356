"""A marked sheet with answers in words, laid down without running anything: a desk to mark at."""

import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import nbformat
from class_kit import make_course
from nbformat import NotebookNode
from nbformat.v4 import new_output
from nbgrader.api import Gradebook

from autograder.bridge.given import grades_of
from autograder.bridge.settings import course_config
from autograder.build.submission import fill, solutions
from autograder.course import source_notebook
from autograder.exercises import load
from autograder.grading.notebook import digest, heal
from autograder.marking import LineMark, Marks, QuestionMark, to_json

NAME, SHEET, PART = "relu_derivative", "foundations", "why_a_mask"

SENTENCES = (
    "The slope of ReLU is either $1$ or $0$, so each number of the error passes or becomes zero.",
    "The sign of $Z_1$ in the forward pass decides which one passes.",
    "Only a comparison is needed, and no exponential.",
    "With the sigmoid the error is multiplied by at most $\\frac14$, so it shrinks at every layer.",
    "An example for which the unit is off adds nothing to its row of `dW1`.",
    "A unit that is always off gets no gradient and is dead.",
)
DIGITS = (1, 2, 3, 4, 5, 6)
"""The boxes that the sentences earn, in their order."""


def answers(count):
    """Varied answers: blanks, equal ones, nearly equal ones, and every mixture of sentences."""
    found = ["", "", SENTENCES[0], SENTENCES[0] + " ", SENTENCES[0].replace("either ", "")]
    for number in range(len(found), count):
        chosen = [one for bit, one in enumerate(SENTENCES) if (number * 7 + 11) >> bit & 1]
        found.append(" ".join(chosen) + f" My loss fell to 0.{number}.")
    return found[:count]


def marked_course(folder: Path, root: Path, texts) -> Path:
    """A course whose students s00, s01, … wrote these texts; everything else in their notebooks is right."""
    course = make_course(folder, root, (NAME,))
    exercise = load(NAME)
    released = nbformat.read(root / "assignments" / SHEET / f"{NAME}.ipynb", as_version=4)
    solved = fill(released, solutions(root, exercise))
    with Gradebook(f"sqlite:///{course}/gradebook.db") as book:
        for number, text in enumerate(texts):
            student = f"s{number:02}"
            book.add_student(student)
            book.add_submission(SHEET, student)
            notebook = book.find_submission_notebook(NAME, SHEET, student)
            for grade in grades_of(book.db, notebook):
                if grade.name != PART:
                    grade.auto_score, grade.needs_manual_grade = grade.max_score, False
            write(course, student, solved, text)
        book.db.commit()
    return course


def write(course, student, solved, text):
    """A student's autograded notebook with this answer."""
    mine = nbformat.from_dict(solved)
    for cell in mine.cells:
        if cell.id == f"{PART}_answer":
            cell.source = text
    next(cell for cell in mine.cells if cell.cell_type == "code").outputs = [
        new_output("stream", name="stdout", text=f"loss of {student}: 0.31\n")
    ]
    as_graded = NotebookNode(cells=list(heal(mine, source_notebook(course, load(NAME))).cells))
    mine.metadata["autograder"] = to_json(replace(_marks(student), digest=digest(as_graded)))
    path = course / "autograded" / student / SHEET / f"{NAME}.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(mine, path)


def _marks(student):
    questions = []
    for question in load(NAME).questions:
        lines = tuple(LineMark(one.name, one.label, one.points, one.points, "correct") for one in question.lines)
        questions.append(
            QuestionMark(question.id, question.title, question.points, question.points, "correct", (), "", lines, ())
        )
    return Marks(student, SHEET, NAME, tuple(questions), "full", 7, 6.0)


def settings(course):
    """The configuration of a course, as the command reads it."""
    return course_config(course)


def scores(course):
    """What the gradebook has for the part, by student; None while it waits."""
    with Gradebook(f"sqlite:///{course}/gradebook.db") as book:
        return {
            notebook.student.id: None if grade.needs_manual_grade else grade.score
            for notebook in book.notebook_submissions(NAME, SHEET)
            for grade in grades_of(book.db, notebook)
            if grade.name == PART
        }


@contextlib.contextmanager
def served(course, *arguments, started=None):
    """`autograder mark` on a free port; gives the address with its token. The process is added to ``started``."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "autograder", "mark", SHEET, "--no-browser", "--port", str(port), *arguments]
    with tempfile.TemporaryFile() as log:
        done = subprocess.Popen(
            command, cwd=course, stdout=log, stderr=log, env=os.environ | {"JUPYTER_TOKEN": "for-the-test"}
        )
        if started is not None:
            started.append(done)
        try:
            address = f"http://127.0.0.1:{port}/autograder/mark/{SHEET}"
            end = time.monotonic() + 600
            while time.monotonic() < end:
                with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                    break
                assert done.poll() is None, log.seek(0) or log.read().decode()
                time.sleep(0.2)
            yield f"{address}?token=for-the-test"
        finally:
            done.terminate()
            done.wait(600)
