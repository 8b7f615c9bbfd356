"""`autograder doctor`: what is there, what is not, and the line to type."""

import subprocess
import sys
from importlib import metadata

import pytest

from autograder.cli import main
from autograder.commands import doctor
from autograder.sandbox import SandboxUnavailable


@pytest.fixture
def levels(monkeypatch):
    """levels(*names): the levels of isolation that this machine is said to reach."""

    def only(*names):
        class Walls:
            def __init__(self, level):
                if level not in names:
                    raise SandboxUnavailable(f"no {level} here. Install it.")

            def __enter__(self):
                return self

            def __exit__(self, *error):
                pass

        monkeypatch.setattr(doctor, "Sandbox", Walls)

    return only


def said(capsys):
    return " ".join(capsys.readouterr().out.split())


@pytest.mark.slow
def test_this_machine_is_fit(root):
    done = subprocess.run(
        [sys.executable, "-m", "autograder", "doctor", "--root", root], capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, done.stdout
    assert "runs students' code at level full" in " ".join(done.stdout.split())


def test_without_any_isolation_it_fails_and_says_why(levels, root, capsys):
    levels()
    assert main(["doctor", "--root", str(root)]) == 1
    text = said(capsys)
    assert "no full here. Install it." in text
    assert "is refused, since students' code would run unprotected" in text


def test_reduced_isolation_is_enough_and_is_named(levels, root, capsys):
    levels("reduced")
    assert main(["doctor", "--root", str(root)]) == 0
    assert "runs students' code at level reduced" in said(capsys)


def test_missing_programs_get_the_line_to_type(levels, root, capsys, monkeypatch):
    levels("full")
    monkeypatch.setattr(doctor.shutil, "which", lambda name: None)
    assert main(["doctor", "--root", str(root)]) == 0
    text = said(capsys)
    assert "Type: sudo apt-get install bubblewrap" in text
    assert "does not find alembic on PATH" in text


def test_the_restriction_of_ubuntu_is_told(levels, root, capsys, monkeypatch, tmp_path):
    levels("full")
    (tmp_path / "switch").write_text("1\n")
    monkeypatch.setattr(doctor, "USERNS", tmp_path / "switch")
    main(["doctor", "--root", str(root)])
    assert "sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0" in said(capsys)


def test_a_missing_package_is_a_fault(levels, root, capsys, monkeypatch):
    levels("full")
    monkeypatch.setattr(
        doctor.metadata, "requires", lambda name: ["numpy>=2.0", "no-such-package>=1", "ruff; extra == 'test'"]
    )
    assert main(["doctor", "--root", str(root)]) == 1
    text = said(capsys)
    assert "missing no-such-package Type: make setup" in text
    assert f"numpy {metadata.version('numpy')}" in text


def test_a_course_that_was_not_built_is_a_fault(levels, tmp_path, capsys):
    levels("full")
    (tmp_path / "nbgrader_config.py").touch()
    (tmp_path / "source").mkdir()
    assert main(["doctor", "--root", str(tmp_path)]) == 1
    assert "Type: autograder build" in said(capsys)


def test_an_unrelated_package_of_the_same_name_is_a_fault(levels, root, capsys, monkeypatch, tmp_path):
    levels("full")
    for name in ("autograder", "backprop_autograder"):
        place = tmp_path / "site-packages" / f"{name}-1.0.dist-info"
        place.mkdir(parents=True)
        (place / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name.replace('_', '-')}\nVersion: 1.0\n")
        (place / "RECORD").write_text("autograder/__init__.py,sha256=x,1\n")
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path / "site-packages")])
    assert main(["doctor", "--root", str(root)]) == 1
    assert "the unrelated package autograder installs the same folder and the same command" in said(capsys)


def test_what_grading_needs_is_looked_for_and_what_only_tests_need_is_not(levels, root, capsys, monkeypatch):
    levels("full")
    needed = ["no-such-core", "no-such-grader; extra == 'grade'", "no-such-linter; extra == 'test'"]
    monkeypatch.setattr(doctor.metadata, "requires", lambda name: needed)
    assert main(["doctor", "--root", str(root)]) == 1
    assert "missing no-such-core, no-such-grader Type" in said(capsys)
