"""The gradebook on a real PostgreSQL server, which the test starts for itself.

Without a server's programs the tests are skipped; with ``POSTGRESQL_REQUIRED=1``, as in CI, they fail.
"""

import os
import shutil
import subprocess
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from class_kit import hand_in, make_course, solved

from autograder.grading.batch import Course, grade_class
from autograder.grading.gradebook import GradebookProblem, Writer
from autograder.grading.journal import Journal
from autograder.grading.submissions import find

PROGRAMS = [path.parent for path in sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))]
FOUND = PROGRAMS[-1] if PROGRAMS else Path(shutil.which("initdb") or "/nowhere/initdb").parent
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not ((FOUND / "initdb").exists() or os.environ.get("POSTGRESQL_REQUIRED")),
        reason="no PostgreSQL server: apt-get install postgresql",
    ),
]
NOBODY = 65534


@pytest.fixture(scope="module")
def server():
    """The URL of a database on a server of our own, reachable through a socket in a folder of its own."""
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    drop = []
    if os.getuid() == 0:  # PostgreSQL refuses to run as root
        os.chown(folder, NOBODY, NOBODY)
        drop = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    data = folder / "data"
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": folder}
    command = [*drop, FOUND / "initdb", "-D", data, "-A", "trust", "-U", "nbgrader", "-E", "UTF8", "--no-sync"]
    subprocess.run(command, check=True, timeout=120, **quiet)
    process = subprocess.Popen(
        [*drop, FOUND / "postgres", "-D", data, "-k", folder, "-c", "listen_addresses=", "-c", "fsync=off"], **quiet
    )
    try:
        for _ in range(200):
            try:
                psycopg.connect(host=str(folder), user="nbgrader", dbname="postgres").close()
                break
            except psycopg.OperationalError:
                time.sleep(0.1)
        yield f"postgresql+psycopg://nbgrader@/postgres?host={folder}"
    finally:
        process.terminate()
        process.wait(timeout=30)
        shutil.rmtree(folder, ignore_errors=True)


def scores(url):
    from nbgrader.api import Gradebook

    with Gradebook(url) as gradebook:
        return {
            (submission.student.id, grade.name): (grade.auto_score, grade.needs_manual_grade)
            for submission in gradebook.assignment_submissions("by_hand")
            for notebook in submission.notebooks
            for grade in notebook.grades
        }


def grade(course):
    with Journal(course) as journal, Writer(course) as writer, ThreadPoolExecutor(2) as pool:
        shared = Course(course, journal, writer, pool, journal.seed(7))
        return list(grade_class(shared, find([course / "submitted"]), feedback=False))


def test_postgresql_holds_what_sqlite_holds(server, tmp_path, root):
    here, there = make_course(tmp_path / "here", root), make_course(tmp_path / "there", root, db_url=server)
    for course in (here, there):
        hand_in(course, "ada", solved(root))
        hand_in(course, "bo", solved(root, loss="y = 0.8\nloss = 5.0"))
        assert [done.problem for done in grade(course)] == ["", ""]
    found = scores(server)
    assert found == scores(f"sqlite:///{here}/gradebook.db")
    assert found["ada", "loss_value"] == (2.0, False)
    assert found["bo", "loss_value"] == (0.0, False)
    assert not (there / "gradebook.db").exists()
    assert {done.how for done in grade(there)} == {"unchanged"}


def test_a_server_that_is_not_there_is_named_in_one_sentence(tmp_path, root):
    course = make_course(tmp_path / "course", root)
    with (course / "nbgrader_config.py").open("a") as config:
        config.write(f"c.CourseDirectory.db_url = 'postgresql+psycopg://nbgrader@/postgres?host={tmp_path}'\n")
    with pytest.raises(GradebookProblem, match="cannot be written"):
        Writer(course)
