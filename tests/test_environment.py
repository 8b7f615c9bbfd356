"""The commands work when they are typed with their full path, without activating the environment."""

import contextlib
import os
import shutil
import sqlite3
import subprocess
import sys
import sysconfig

import pytest

from autograder.environment import put_programs_on_path

PROGRAMS = sysconfig.get_path("scripts")


def test_our_programs_come_first_and_nothing_is_lost(monkeypatch):
    monkeypatch.setenv("PATH", os.pathsep.join(["/usr/bin", "/bin"]))
    put_programs_on_path()
    assert os.environ["PATH"].split(os.pathsep) == [PROGRAMS, "/usr/bin", "/bin"]


def test_a_path_that_has_them_stays_as_it_is(monkeypatch):
    monkeypatch.setenv("PATH", os.pathsep.join(["/usr/bin", PROGRAMS]))
    put_programs_on_path()
    assert os.environ["PATH"].split(os.pathsep) == ["/usr/bin", PROGRAMS]


def test_without_any_path_the_systems_programs_are_still_found(monkeypatch):
    monkeypatch.delenv("PATH")
    put_programs_on_path()
    assert os.environ["PATH"].split(os.pathsep)[0] == PROGRAMS
    assert shutil.which("sh")


@pytest.mark.slow
def test_nbgrader_makes_a_gradebook_without_an_activated_environment(tmp_path, root):
    shutil.copy(root / "nbgrader_config.py", tmp_path)
    (tmp_path / "source").mkdir()
    done = subprocess.run(
        [sys.executable, "-m", "nbgrader", "db", "student", "add", "carla"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=600,
        env={"HOME": str(tmp_path), "PATH": os.defpath, "PYTHONPATH": str(root)},
    )
    assert done.returncode == 0, done.stderr[-2000:]
    with contextlib.closing(sqlite3.connect(tmp_path / "gradebook.db")) as db:
        (version,) = db.execute("select version_num from alembic_version").fetchone()
    known = subprocess.run([root / "tests" / "kits" / "programs" / "alembic", "heads"], capture_output=True, text=True)
    assert known.stdout.split()[0] == version  # what the other tests are told in alembic's place
