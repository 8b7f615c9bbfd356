"""Results that are kept across runs: who may write them, what is not read, and that no notebook sees them."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from autograder import kept
from autograder.sandbox import Cell, Job, Sandbox

GIVEN = {"x": np.arange(3.0)}
FOUND = [0.1, 2.0**-1074, 1e300]


@pytest.fixture(autouse=True)
def _own_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(kept, "WORTH_SECONDS", 0.0)


def asked(given=GIVEN, name="a"):
    """What comes back, and whether it was worked out."""
    calls = []
    found = kept.kept(name, given, lambda: calls.append(1) or FOUND)
    assert found == FOUND
    return bool(calls)


def only_file():
    (place,) = kept.folder().iterdir()
    return place


def test_a_result_is_worked_out_once_for_its_inputs():
    assert [asked(), asked(), asked({"x": np.arange(3)}), asked(name="b"), asked()] == [True, False, True, True, False]
    assert kept.folder().stat().st_mode & 0o777 == 0o700
    assert {one.stat().st_mode & 0o777 for one in kept.folder().iterdir()} == {0o600}


def test_another_source_has_other_results(monkeypatch):
    asked()
    monkeypatch.setattr(kept, "source", lambda: b"other")
    assert asked()


def test_what_takes_no_time_is_not_kept(monkeypatch):
    monkeypatch.setattr(kept, "WORTH_SECONDS", 10.0)
    assert asked()
    assert asked()
    assert not kept.folder().exists()


@pytest.mark.parametrize("damage", [b"", b"[1, 2]", b"0" * 64 + b"\n[1.0, 2.0, 3.0]", os.urandom(200)])
def test_a_damaged_file_is_made_anew(damage):
    asked()
    only_file().write_bytes(damage)
    assert [asked(), asked()] == [True, False]


def test_what_others_could_have_written_is_not_read(tmp_path):
    asked()
    place = only_file()
    place.chmod(0o622)
    assert [asked(), asked()] == [True, False]  # it is replaced by a file of one's own
    elsewhere = tmp_path / "elsewhere"
    place.rename(elsewhere)
    place.symlink_to(elsewhere)
    assert [asked(), asked()] == [True, False]
    kept.folder().chmod(0o755)
    assert [asked(), asked()] == [True, True]


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a file away")
def test_the_file_of_another_user_is_not_read():
    asked()
    os.chown(only_file(), 65534, 65534)
    assert [asked(), asked()] == [True, False]
    os.chown(kept.folder(), 65534, 65534)
    assert [asked(), asked()] == [True, True]


def test_only_so_many_are_kept(monkeypatch):
    monkeypatch.setattr(kept, "MOST", 3)
    for number in range(6):
        asked({"x": np.array(number)})
    assert len(list(kept.folder().iterdir())) == 3


def test_nothing_is_kept_where_notebooks_may_read(monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", os.path.dirname(np.__file__))
    assert asked()
    assert not kept.folder().exists()


SECOND = """
import sys
import numpy as np
from autograder import kept
print(kept.kept("a", {"x": np.arange(3.0)}, lambda: sys.exit("worked out again")))
"""


@pytest.mark.slow
def test_another_program_finds_the_same_numbers():
    asked()
    run = subprocess.run([sys.executable, "-c", SECOND], capture_output=True, text=True, check=True)
    assert json.loads(run.stdout) == FOUND


@pytest.mark.slow
@pytest.mark.parametrize("level", ["full", "reduced"])
def test_no_notebook_sees_what_is_kept(level):
    asked()
    source = f"open({str(only_file())!r}).read()", f"import os; os.listdir({str(kept.folder())!r})"
    with Sandbox(level=level) as sandbox:
        job = Job(cells=tuple(Cell(str(k), text) for k, text in enumerate(source)), asks=(), seed=0)
        results = sandbox.run(job).cells
    assert [result.status for result in results] == ["raised", "raised"]
    assert all("No such file" in result.message or "Permission denied" in result.message for result in results)
