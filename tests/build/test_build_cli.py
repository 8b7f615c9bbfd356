"""The command: its words and its exit status."""

from __future__ import annotations

import argparse

import pytest

from autograder.commands import build


@pytest.fixture
def command(course, capsys):
    def call(*arguments, root=None):
        parser = argparse.ArgumentParser()
        build.add_arguments(parser)
        args = parser.parse_args(["--root", str(root or course.root), *arguments])
        return build.run(args, exercises=course.exercises), *capsys.readouterr()

    return call


def test_build_says_what_it_wrote_and_then_that_all_was_current(command):
    status, out, err = command()
    assert (status, err) == (0, "")
    assert "wrote assignments/foundations/doubling.ipynb\n" in out
    assert command() == (0, "everything was current\n", "")


def test_check_of_a_current_course(command):
    command()
    assert command("--check")[0] == 0


def test_check_of_a_stale_course_gives_the_reason(command, course):
    command()
    course.edit("source/by_hand/adding.ipynb", "# Adding", "# Subtracting")
    status, out, _ = command("--check")
    assert status == 1
    assert out == "source/by_hand/adding.ipynb: stale; run `autograder build` and commit it\n1 problem\n"


def test_a_build_that_is_refused_gives_the_line(command, course):
    course.edit(course.doubling, "### BEGIN SOLUTION", "### BEGIN SOLUTOIN")
    status, out, _ = command()
    assert status == 1
    line = course.line(course.doubling, "SOLUTOIN")
    assert f"{course.doubling}:{line}: `### BEGIN SOLUTOIN` looks like a marker" in out
    assert out.endswith("2 problems; nothing was written\n")


@pytest.mark.parametrize("arguments", [(), ("--check",)])
def test_a_folder_that_is_no_course(command, tmp_path, arguments):
    (tmp_path / "empty").mkdir()
    status, out, err = command(*arguments, root=tmp_path / "empty")
    assert (status, out) == (2, "")
    assert "has no reference/ folder" in err
