"""Killed exactly between two steps of writing a sheet, and run again: the same as if it had never been killed.

The command runs in a process of its own, which kills itself at the seam: at its first time, then at its second, until
the command comes to its end. What was run once is not run again by the tests, only by the command.
"""

import multiprocessing
import os
import shutil
import signal
import sqlite3
from itertools import count
from pathlib import Path

import pytest
from class_kit import NAME, OTHER, SHEET, autograded, hand_in, make_course, once, rows, solved
from nbconvert.writers import FilesWriter
from sample_kit import sampled

from autograder.bridge.direct import Direct
from autograder.bridge.gradebook_writer import Writer
from autograder.cli import main
from autograder.grading import batch, searches
from autograder.grading.journal import Journal, key_of

pytestmark = pytest.mark.slow
FORK = multiprocessing.get_context("fork")


def always(*_):
    return True


def aside(_, target):
    """A rename that takes the old autograded folder away."""
    return str(target).endswith(".old")


def into_place(_, target):
    """A rename that puts the new autograded folder in its place."""
    return "autograded" in Path(target).parts


SEAMS = {
    "before the answers are kept": ("before", Journal, "keep", always),
    "when the answers are kept": ("after", Journal, "keep", always),
    "before nbgrader makes a notebook": ("before", FilesWriter, "write", always),
    "when nbgrader has made a notebook": ("after", FilesWriter, "write", always),
    "before the files of a sheet are made": ("before", Direct, "_write_files", always),
    "when the files of a sheet are made": ("after", Direct, "_write_files", always),
    "when a sheet is made in bulk": ("after", Writer, "_made_directly", always),
    "before the gradebook is committed": ("after", Writer, "_make", always),
    "when the gradebook is committed": ("before", Writer, "_put_in_place", always),
    "when the old folder is away": ("after", Path, "rename", aside),
    "before the new folder is in place": ("before", Path, "rename", into_place),
    "when the new folder is in place": ("after", Path, "rename", into_place),
    "before the journal's note": ("before", Journal, "note", always),
    "when the journal's note is written": ("after", Journal, "note", always),
}


def kill_at(seam, nth):
    """Let this process kill itself at a seam, when it comes there for the nth time."""
    when, place, name, meant = SEAMS[seam]
    real, times = getattr(place, name), count(1)

    def method(*given, **more):
        now = meant(*given) and next(times) == nth
        if now and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        result = real(*given, **more)
        if now:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(place, name, method)


worker = once()


def command(course, only):
    os.chdir(course)
    return main(["grade", str(Path("submitted", only)), "--gradebook", "--jobs", "2", "--seed", "7"])


def _child(course, only, seam, nth, log):
    """The command, with a log of what it gives to workers; killed at the seam when there is one."""
    submit = batch._Pass._submit

    def logged(self, sheet, at, part, *tries):
        shown = self.feedback and part.marks_ran is not None
        key = key_of(batch.only_to_show(part.prepared), self.course.level) if shown else part.key
        os.write(log, f"{key}\n".encode())
        submit(self, sheet, at, part, *tries)

    batch._Pass._submit, batch.run_isolated, searches.run_isolated = logged, worker, worker
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    os.dup2(1, 2)
    if seam:
        kill_at(seam, nth)
    os._exit(command(course, only))


def run(course, only, seam=None, nth=0):
    """Run the command; its exit status, and the keys of what it gave to workers."""
    reading, log = os.pipe()
    child = FORK.Process(target=_child, args=(course, only, seam, nth, log))
    child.start()
    os.close(log)
    with open(reading) as file:
        keys = file.read().split()
    child.join()
    return child.exitcode, keys


def journal(course):
    """Every row of every table of the journal."""
    Journal(course).__exit__()
    with sqlite3.connect(course / ".autograder" / "journal.db") as db:
        return {table: sorted(db.execute(f"select * from {table}")) for table in ("settings", "runs", "submissions")}


def first(course, root):
    """Nothing was graded before."""
    return ""


def handed_in_again(course, root):
    hand_in(course, "ada", solved(root, loss="y = 0.8\nloss = 77"))
    return ""


def graded_alone(course, root):
    """One notebook of a sheet, the other one stays."""
    hand_in(course, "ada", solved(root, loss="y = 0.8\nloss = 77"))
    return f"ada/{SHEET}/{NAME}.ipynb"


def not_to_be_graded(course, root):
    (course / "submitted" / "ada" / SHEET / f"{NAME}.ipynb").write_text("{")
    return ""


def nothing_to_be_graded(course, root):
    """No notebook of the sheet."""
    for name in (NAME, OTHER):
        (course / "submitted" / "ada" / SHEET / f"{name}.ipynb").write_text("{")
    return ""


SCENES = (
    first,
    *(pytest.param(change, marks=pytest.mark.long)
      for change in (graded_alone, handed_in_again, not_to_be_graded, nothing_to_be_graded)),
)  # fmt: skip


@pytest.fixture(scope="module")
def released(tmp_path_factory, root):
    course = make_course(tmp_path_factory.mktemp("released") / "course", root, (NAME, OTHER))
    for name in (NAME, OTHER):
        hand_in(course, "ada", solved(root, name), name)
    hand_in(course, "bo", solved(root, loss="y = 0.8\nloss = 5.0"))
    return course


@pytest.fixture(scope="module")
def graded(released, tmp_path_factory):
    course = shutil.copytree(released, tmp_path_factory.mktemp("graded") / "course")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(batch, "run_isolated", worker)
        patch.setattr(searches, "run_isolated", worker)
        patch.chdir(course)
        assert command(course, "") == 0
    return course


@pytest.fixture(scope="module", params=SCENES, ids=lambda change: change.__name__)
def scene(request, released, graded, root, tmp_path_factory):
    """A course before the command, what the command is to grade, its status, and the course after it."""
    folder = tmp_path_factory.mktemp("scene")
    before = shutil.copytree(released if request.param is first else graded, folder / "before")
    only = request.param(before, root)
    after = shutil.copytree(before, folder / "after")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(batch, "run_isolated", worker)
        patch.setattr(searches, "run_isolated", worker)
        patch.chdir(after)
        status = command(after, only)
    assert status == (1 if "to_be_graded" in request.param.__name__ else 0)
    return before, only, status, after


IN_CI = ("when the answers are kept", "before the gradebook is committed")


@pytest.mark.parametrize("seam", sampled(SEAMS, *IN_CI))
def test_killed_at_a_seam_and_run_again_it_is_as_if_never_killed(scene, seam, tmp_path):
    before, only, usual, after = scene
    for nth in count(1):
        course = shutil.copytree(before, tmp_path / f"course{nth}")
        status, _ = run(course, only, seam, nth)
        if status == usual:
            break
        assert status == -signal.SIGKILL
        known = {row[0] for row in journal(course)["runs"]}
        status, keys = run(course, only)
        assert status == usual
        assert not known.intersection(keys), "what was kept was run again"
        assert rows(course) == rows(after)
        assert autograded(course) == autograded(after)
        assert journal(course) == journal(after)
        assert not (course / ".autograder" / "staging").exists()
        shutil.rmtree(course)
