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
from sample_kit import sampled

from autograder.bridge.gradebook_writer import Writer
from autograder.grading import batch
from autograder.grading.batch import Course, grade_class
from autograder.grading.finding import find
from autograder.grading.journal import Journal
from autograder.grading.writer import GradebookProblem

PROGRAMS = [path.parent for path in sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))]
FOUND = PROGRAMS[-1] if PROGRAMS else Path(shutil.which("initdb") or "/nowhere/initdb").parent
pytestmark = [
    pytest.mark.heavy,
    pytest.mark.skipif(
        not ((FOUND / "initdb").exists() or os.environ.get("POSTGRESQL_REQUIRED")),
        reason="no PostgreSQL server: apt-get install postgresql",
    ),
]
NOBODY = 65534
STUDENTS = ("ada", "bo", "cy", "di")


class Server:
    """A server of our own, reachable through a socket in a folder of its own, that can go away and come back."""

    def __init__(self, folder, drop):
        self.folder, self.drop, self.data = folder, drop, folder / "data"
        self.url = f"postgresql+psycopg://nbgrader@/postgres?host={folder}"
        self.quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": folder}
        command = [*drop, FOUND / "initdb", "-D", self.data, "-A", "trust", "-U", "nbgrader", "-E", "UTF8", "--no-sync"]
        subprocess.run(command, check=True, timeout=600, **self.quiet)

    def start(self):
        self.process = subprocess.Popen(
            [*self.drop, FOUND / "postgres", "-D", self.data, "-k", self.folder, "-c", "listen_addresses=",
             "-c", "fsync=off"], **self.quiet,
        )  # fmt: skip
        for _ in range(6000):
            try:
                psycopg.connect(host=str(self.folder), user="nbgrader", dbname="postgres").close()
                return
            except psycopg.OperationalError:
                time.sleep(0.1)
        raise AssertionError("the server does not start")

    def crash(self):
        """Without a goodbye to anybody; what was committed is found again at the next start."""
        command = [*self.drop, FOUND / "pg_ctl", "stop", "-D", self.data, "-m", "immediate"]
        subprocess.run(command, check=True, timeout=600, **self.quiet)
        self.process.wait(timeout=600)


@pytest.fixture(scope="module")
def server():
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    drop = []
    if os.getuid() == 0:  # PostgreSQL refuses to run as root
        os.chown(folder, NOBODY, NOBODY)
        drop = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    server = Server(folder, drop)
    server.start()
    try:
        yield server
    finally:
        if server.process.poll() is None:
            server.process.terminate()
            server.process.wait(timeout=600)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def url(server):
    """The URL of an empty database."""
    with psycopg.connect(host=str(server.folder), user="nbgrader", dbname="postgres") as connection:
        connection.execute("drop schema public cascade")
        connection.execute("create schema public")
    return server.url


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


def test_postgresql_holds_what_sqlite_holds(url, tmp_path, root):
    here, there = make_course(tmp_path / "here", root), make_course(tmp_path / "there", root, db_url=url)
    for course in (here, there):
        hand_in(course, "ada", solved(root))
        hand_in(course, "bo", solved(root, loss="y = 0.8\nloss = 5.0"))
        assert [done.problem for done in grade(course)] == ["", ""]
    found = scores(url)
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


SEAMS = {
    "before a sheet": ("_others", "before"),
    "before its commit": ("_made_directly", "after"),
    "when it is committed": ("_put_in_place", "before"),
}


@pytest.mark.parametrize("back", ["after the batch", pytest.param("at once", marks=pytest.mark.long)])
@pytest.mark.parametrize("seam", sampled(SEAMS, "before its commit"))
def test_a_server_that_goes_away_in_the_middle_costs_no_mark(server, url, tmp_path, root, monkeypatch, seam, back):
    course = make_course(tmp_path / "course", root, db_url=url)
    for number, student in enumerate(STUDENTS[:-1]):
        hand_in(course, student, solved(root, loss=f"y = 0.8\nloss = {number + 5}.0"))
    hand_in(course, STUDENTS[-1], solved(root))
    name, when = SEAMS[seam]
    real, times = getattr(Writer, name), []

    def crashing(*given, **more):
        result = real(*given, **more) if when == "after" else None
        times.append(1)
        if len(times) == 2:
            server.crash()
            if back == "at once":
                server.start()
        return result if when == "after" else real(*given, **more)

    with monkeypatch.context() as patch:
        patch.setattr(Writer, name, crashing)
        patch.setattr(batch, "BLOCKED_SECONDS", 0.5)
        done = grade(course)
    assert len(times) >= 2
    assert {one.submission.student for one in done} == set(STUDENTS)
    failed = [one.problem for one in done if one.problem]
    if back == "at once":
        assert failed == [], "what was refused is tried again at the end of the batch"
    else:
        assert len(failed) >= 1
        assert all("gradebook" in problem and "run the same command again" in problem for problem in failed), failed
        server.start()
    found = scores(url)
    assert all(score is not None for score, _ in found.values()), "half of a sheet's marks"
    again = grade(course)
    assert [one.problem for one in again] == [""] * len(STUDENTS)
    assert "graded" not in {one.how for one in again}, "nothing is run again"
    whole = scores(url)
    assert found.items() <= whole.items()
    losses = [whole[student, "loss_value"] for student in STUDENTS]
    assert losses == [(0.0, False)] * (len(STUDENTS) - 1) + [(2.0, False)]
