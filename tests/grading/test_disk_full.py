"""A disk that is really full: a small file system of its own, mounted for the test, under the course or a part of it.

Only root may mount; for others the tests are skipped, and fail with ``MOUNT_REQUIRED=1``.
"""

import contextlib
import os
import shutil
import subprocess

import pytest
from class_kit import NAME, SHEET, autograded, graded_wholly, hand_in, make_course, once, rows, solved
from sample_kit import sampled

from autograder.cli import main
from autograder.grading import batch

pytestmark = pytest.mark.slow  # each grades whole classes

STUDENTS = ("ada", "bo", "cy", "di")
FULL = "free some space"


@contextlib.contextmanager
def mounted(folder, megabytes):
    """A file system of so many megabytes at a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", folder]
    try:
        made = subprocess.run(command, capture_output=True, text=True, timeout=600)
        refused = made.stderr.strip() if made.returncode else ""
    except OSError as error:
        refused = str(error)
    if refused:
        if os.environ.get("MOUNT_REQUIRED"):
            raise AssertionError(refused)
        pytest.skip(f"a small disk has to be mounted, which only root may: {refused}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True, timeout=600)


def fill(folder, room):
    """Fill a file system up to so many bytes; the file that does it."""
    ballast = folder / ".ballast"
    state = os.statvfs(folder)
    with ballast.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, max(state.f_bavail * state.f_frsize - room, 1))
    return ballast


@pytest.fixture(scope="module")
def released(tmp_path_factory, root):
    course = make_course(tmp_path_factory.mktemp("released") / "course", root)
    for number, student in enumerate(STUDENTS):
        hand_in(course, student, solved(root, loss=f"y = 0.8\nloss = {number}" if number else "y = 0.8\nloss = 1.0"))
    return course


@pytest.fixture(scope="module")
def worker():
    """A worker that runs equal notebooks once for all tests of this file: it is the disk that is tested."""
    return once()


@pytest.fixture
def grade(worker, monkeypatch, capsys):
    """Run the command; its exit status and all that it said."""
    monkeypatch.setattr(batch, "run_isolated", worker)
    monkeypatch.setattr(batch, "BLOCKED_SECONDS", 0.0)

    def run(course, *more):
        monkeypatch.chdir(course)
        status = main(["grade", "submitted", "--gradebook", *more])
        return status, " ".join("".join(capsys.readouterr()).split())

    return run


@pytest.fixture
def expected(released, tmp_path, grade):
    """Gradebook and autograded folder where there is room."""
    course = shutil.copytree(released, tmp_path / "roomy")
    status, said = grade(course)
    assert status == 0, said
    return rows(course), autograded(course)


PLACES = {"course": "", "journal": ".autograder", "autograded": "autograded"}


@contextlib.contextmanager
def course_on_a_small_disk(released, course, where):
    """A copy of the course that lies on a small disk, or whose part `where` does; yields the disk."""
    with mounted(course / where, 16) as disk:
        shutil.copytree(released, course, dirs_exist_ok=True)
        yield disk


def notebooks(course):
    """The autograded notebooks, each of which can be read; nothing else is left lying about."""
    graded_wholly(course)
    found = autograded(course)
    assert all(name.endswith((".ipynb", ".py", ".ballast")) and "/.staging/" not in name for name in found), found
    return {name: data for name, data in found.items() if not name.endswith(".ballast")}


@pytest.mark.parametrize("where", sampled(PLACES.values(), ""), ids=PLACES)
def test_a_full_disk_says_so_and_with_room_the_same_command_completes_the_class(
    where, released, tmp_path, grade, expected
):
    course = tmp_path / "course"
    with course_on_a_small_disk(released, course, where) as disk:
        refused = 0
        for room in (0, 4096, *range(16384, 400000, 24576)):
            ballast = fill(disk, room)
            status, said = grade(course)
            notebooks(course)
            ballast.unlink()
            if status == 0:
                break
            refused += 1
            assert FULL in said, f"{room}: {said}"
        assert refused >= 2, "the disk was never full"
        status, said = grade(course)
        assert status == 0, said
        assert rows(course) == expected[0]
        assert notebooks(course) == expected[1]


@pytest.mark.parametrize("where", sampled(PLACES.values(), ".autograder"), ids=PLACES)
def test_a_full_disk_leaves_what_was_graded_before(where, released, root, tmp_path, grade, expected):
    course = tmp_path / "course"
    with course_on_a_small_disk(released, course, where) as disk:
        assert grade(course)[0] == 0
        hand_in(course, "bo", solved(root, loss="y = 0.8\nloss = 55"))
        ballast = fill(disk, 0)
        status, said = grade(course)
        assert status != 0
        assert FULL in said
        left = notebooks(course)
        if where != ".autograder":  # there, the marks may have been written and only the note of it be missing
            assert rows(course) == expected[0]
            assert left == expected[1]
        assert left.keys() == expected[1].keys()
        ballast.unlink()
        assert grade(course)[0] == 0
        changed = {name for name, data in notebooks(course).items() if data != expected[1][name]}
        assert changed == {f"autograded/bo/{SHEET}/{NAME}.ipynb"}
