"""What is written in bulk is what nbgrader's own steps write: row by row, cell by cell, file by file."""

import json
import shutil
import sqlite3
from concurrent.futures import Executor, Future, ThreadPoolExecutor

import nbformat
import pytest
from class_kit import (
    NAME,
    OTHER,
    SHEET,
    autograded,
    hand_in,
    hand_in_again,
    hand_in_class,
    make_course,
    once,
    rows,
    solved,
)
from nbformat.v4 import new_code_cell, new_output
from nbgrader.api import Gradebook
from sqlalchemy import event
from sqlalchemy.engine import Engine

from autograder.bridge import direct
from autograder.bridge.direct import Direct
from autograder.bridge.gradebook_writer import Writer
from autograder.bridge.notebook_text import text_of
from autograder.grading import batch
from autograder.grading.batch import Course, grade_class
from autograder.grading.finding import find
from autograder.grading.journal import Journal

LATE = {"bo"}
worker = once()


def grade(folder, monkeypatch, *, in_bulk, feedback=True):
    """Grade a class; who was written in bulk, and how many statements each of these took."""
    written, statements = {}, []
    write = Direct.write

    def counted(self, connection, student, sheet, graded, readable):
        before = len(statements)
        done = in_bulk and write(self, connection, student, sheet, graded, readable)
        if done:
            written.setdefault(student, []).append(len(statements) - before)
        return done

    with monkeypatch.context() as patch:
        patch.setattr(batch, "run_isolated", worker)
        patch.setattr(Direct, "write", counted)
        listener = lambda *_: statements.append(_[2])  # noqa: E731
        event.listen(Engine, "before_cursor_execute", listener)
        try:
            with Journal(folder) as journal, Writer(folder) as writer, ThreadPoolExecutor(1) as pool:
                course = Course(folder, journal, writer, pool, journal.seed(7))
                for _ in grade_class(course, find([folder / "submitted"]), feedback=feedback):
                    pass
        finally:
            event.remove(Engine, "before_cursor_execute", listener)
    return written


@pytest.fixture(scope="module")
def handed_in(tmp_path_factory, root):
    """A class with what students hand in: honest work, accidents, one of two notebooks, files of their own."""
    course = make_course(tmp_path_factory.mktemp("handed_in") / "course", root, (NAME, OTHER))
    hand_in_class(course, root)
    with sqlite3.connect(course / "gradebook.db") as db:
        db.execute("update assignment set duedate = '2025-01-01 00:00:00.000000'")
    hand_in(course, "ada", solved(root, OTHER), OTHER)
    (course / "submitted" / "ada" / SHEET / "timestamp.txt").write_text("2020-02-01 15:00:00 UTC")
    odd = solved(root)
    odd.cells.insert(1, new_code_cell("print('a\\n' * 1200)", metadata={"collapsed": True, "trusted": True}))
    odd.cells[1].outputs = [new_output("stream", text="before\n")]
    odd.cells.append(new_code_cell("'ä \\u2028 \\x0c \\ud83d'", metadata={"tags": ["mine"]}))
    hand_in(course, "ida", odd)
    for name in ("own/data.csv", "own/.hidden.pyc", "old.pyc", "__pycache__/x.txt", "feedback", "selfcheck.py"):
        path = course / "submitted" / "ida" / SHEET / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(name)
    return course


@pytest.mark.heavy
def test_rows_and_files_are_those_of_nbgraders_own_steps(handed_in, tmp_path, root, monkeypatch):
    ours, theirs = (shutil.copytree(handed_in, tmp_path / name, symlinks=True) for name in ("ours", "theirs"))
    everybody = {path.name for path in (ours / "submitted").iterdir()}
    for change in (None, hand_in_again, lambda course, root: hand_in(course, "di", solved(root, OTHER), OTHER)):
        for course in (ours, theirs):
            if change:
                change(course, root)
        assert grade(theirs, monkeypatch, in_bulk=False) == {}
        written = grade(ours, monkeypatch, in_bulk=True)
        assert written if change else written.keys() == everybody - LATE
        found, expected = rows(ours), rows(theirs)
        for table in expected:
            assert found[table] == expected[table], table
        found, expected = autograded(ours), autograded(theirs)
        assert found.keys() == expected.keys()
        for name in expected:
            assert found[name] == expected[name], name


@pytest.mark.slow
def test_a_sheet_takes_few_statements_however_many_cells_and_students_there_are(handed_in, tmp_path, monkeypatch):
    course = shutil.copytree(handed_in, tmp_path / "course", symlinks=True)
    written = grade(course, monkeypatch, in_bulk=True)
    new, again = [written[one][0] for one in sorted(written)], [n for one in sorted(written) for n in written[one][1:]]
    assert max(new) <= 14, "whoever comes first reads the sheet"
    assert sorted(new)[-2] <= 10
    assert len(again) >= 5
    assert max(again) <= 9, "completed in the second pass, where nothing is other"


class AtOnce(Executor):
    """Runs what it is given at once, so that all that is out is back at the same time."""

    def submit(self, work, *arguments):
        future = Future()
        future.set_result(work(*arguments))
        return future


@pytest.mark.slow
def test_sheets_that_are_back_at_the_same_time_are_one_transaction(handed_in, tmp_path, monkeypatch):
    course = shutil.copytree(handed_in, tmp_path / "course", symlinks=True)
    students, commits = len(list((course / "submitted").iterdir())), []
    monkeypatch.setattr(batch, "run_isolated", worker)
    with Journal(course) as journal, Writer(course) as writer:
        event.listen(writer._gradebook().engine, "commit", commits.append)
        shared = Course(course, journal, writer, AtOnce(), journal.seed(7), window=lambda: 3)
        done = list(grade_class(shared, find([course / "submitted"]), feedback=False))
    assert [one.problem for one in done] == [""] * (students + 1)  # ada hands in two
    assert students == 9
    assert len(commits) <= 5, "three at a time; who is late is written alone"


@pytest.mark.slow
def test_what_a_person_gave_is_left_to_nbgraders_steps(handed_in, tmp_path, monkeypatch):
    course = shutil.copytree(handed_in, tmp_path / "course", symlinks=True)
    assert "cy" in grade(course, monkeypatch, in_bulk=True, feedback=False)
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as gradebook:
        grades = gradebook.find_submission_notebook(NAME, SHEET, "cy").grades
        grades[0].manual_score = 0.5
        gradebook.db.commit()
    written = grade(course, monkeypatch, in_bulk=True)
    assert "ida" in written
    assert "cy" not in written


@pytest.mark.slow
@pytest.mark.parametrize(
    "setting",
    [
        "c.NotebookExporter.nbformat_version = 3", "c.OverwriteCells.add_missing_cells = True",
        "c.NbGraderPreprocessor.enabled = False", "c.Autograde.create_student = False",
        "c.CourseDirectory.groupshared = True", "c.CourseDirectory.student_id_exclude = 'ada'",
        "c.Autograde.sanitize_preprocessors.insert(1, 'nbgrader.preprocessors.ClearHiddenTests')",
        "c.Autograde.post_convert_hook = print", "c.IgnorePattern.pattern = 'Warning'",
        "c.Autograde.exclude_overwriting = {'by_hand': ['selfcheck.py']}",
    ],
)  # fmt: skip
def test_what_a_course_asks_for_is_left_to_nbgraders_steps(setting, tmp_path, root):
    course = make_course(tmp_path / "course", root)
    with Writer(course) as writer:
        assert writer._direct is not None
    config = course / "nbgrader_config.py"
    config.write_text(f"{config.read_text()}\n{setting}\n")
    with Writer(course) as writer:
        assert writer._direct is None


def test_the_text_of_a_notebook_is_that_of_nbformat(root):
    for path in sorted(root.glob("source/*/*.ipynb")):
        notebook = nbformat.read(path, as_version=4)
        notebook.metadata.signature = "x"
        notebook.cells[0].metadata.trusted = True
        notebook.cells[0].attachments = {"a.svg": {"image/svg+xml": "<svg>\n</svg>", "image/png": "abc\n"}}
        notebook.cells.append(
            new_code_cell("odd = 'ä\\n\u2028\"'\r\n\x0c\x1d", metadata={"x": [1.5, True, None, {}, []]})
        )
        notebook.cells[-1].outputs = [
            new_output("stream", text="a\nb\n"), new_output("error", traceback=["a\nb"]),
            new_output("display_data", {"text/plain": "a\nb", "application/json": {"z": 1, "a": 1e300 * 1e10}}),
        ]  # fmt: skip
        before = json.dumps(notebook)
        assert text_of(notebook) == nbformat.writes(notebook) + "\n"
        assert json.dumps(notebook) == before


def test_ids_grow_and_are_as_long_as_nbgraders():
    ids = [direct._new_id() for _ in range(1000)]
    assert {len(one) for one in ids} == {32}
    assert len(set(ids)) == 1000
    assert [one[:16] for one in ids] == sorted(one[:16] for one in ids)
