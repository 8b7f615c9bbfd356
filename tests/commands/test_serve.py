"""A grader that stays warm: the same words as without it, for its owner alone, and never an older code or course."""

from __future__ import annotations

import os
import re
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from autograder import cli, warm
from autograder.sandbox import Ask, Cell, Job, shared_sandbox

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOK = ROOT / "source" / "by_hand" / "worked_calculation.ipynb"


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The socket of this test, where no server is yet, in a folder that everybody may enter up to our own."""
    with tempfile.TemporaryDirectory() as folder:  # the path of a socket is short
        Path(folder).chmod(0o755)
        monkeypatch.setenv("XDG_RUNTIME_DIR", folder)
        warm.folder().mkdir(mode=0o700)
        yield warm.address()


@pytest.fixture
def other_end(place: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind(str(place))
        listener.listen()
        yield listener


def test_nobody_there_is_no_error(place: Path) -> None:
    assert warm.connected() is None
    place.touch()
    assert warm.connected() is None


def test_a_folder_that_others_may_enter_is_not_used(other_end: socket.socket, place: Path) -> None:
    place.parent.chmod(0o755)
    assert warm.connected() is None


def test_a_link_in_the_place_of_the_folder_is_not_used(place: Path, tmp_path: Path) -> None:
    place.parent.rmdir()
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    place.parent.symlink_to(tmp_path / "elsewhere")
    assert not warm.is_private(place.parent)


def test_a_folder_or_process_of_another_user_is_not_used(
    other_end: socket.socket, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seen from the other user: the folder is not theirs, and neither is who listens."""
    client = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    client.connect(str(place))
    connection, _ = other_end.accept()
    assert warm.is_private(place.parent)
    assert warm.is_ours(connection)
    assert warm.is_ours(client)
    uid = os.getuid() + 1
    monkeypatch.setattr(os, "getuid", lambda: uid)
    assert not warm.is_private(place.parent)
    assert not warm.is_ours(connection)
    assert not warm.is_ours(client)
    for one in (client, connection):
        one.close()


@pytest.mark.skipif(os.getuid() != 0, reason="only root can be another user")
def test_another_user_cannot_connect(other_end: socket.socket, place: Path) -> None:
    code = (
        "import os, socket, sys\nos.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
        "try: socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET).connect(sys.argv[1]); print('connected')\n"
        "except OSError as error: print(type(error).__name__)"
    )

    def tried() -> str:
        return subprocess.run([sys.executable, "-c", code, str(place)], capture_output=True, text=True).stdout.strip()

    place.chmod(0o777)
    assert tried() == "PermissionError"  # the folder
    place.chmod(0o600)
    place.parent.chmod(0o755)
    assert tried() == "PermissionError"  # the socket
    place.chmod(0o777)
    assert tried() == "connected"  # without both, only the kernel's word on who it is stands between them


CONNECT = """
def probe(student, given):
    import socket
    socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET).connect(given["place"])
    return {"reached": 1}
"""


@pytest.mark.slow
def test_a_notebook_cannot_reach_it(other_end: socket.socket, place: Path) -> None:
    job = Job(cells=(Cell("a", "x = 1"),), asks=(Ask("connect", CONNECT, ({"place": str(place)},)),))
    (answer,) = shared_sandbox("auto").run(job).answers["connect"]
    assert (answer.status, dict(answer.values)) == ("raised", {})
    assert "PermissionError" in answer.message
    other_end.setblocking(False)
    with pytest.raises(BlockingIOError):
        other_end.accept()


def test_another_installation_has_another_place(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warm, "PACKAGE", Path("/elsewhere"))
    assert warm.address() != place


def test_a_file_that_changes_comes_or_goes_is_seen(tmp_path: Path) -> None:
    (tmp_path / "folder" / "__pycache__").mkdir(parents=True)
    file, other = tmp_path / "folder" / "a.py", tmp_path / "b.py"
    states = [warm.files([tmp_path, other])]
    for text in ("x", "xy"):
        file.write_text(text)
        states.append(warm.files([tmp_path, other]))
    other.write_text("")
    states.append(warm.files([tmp_path, other]))
    assert len(set(states)) == 4
    (tmp_path / "folder" / "__pycache__" / "a.pyc").write_text("")
    assert warm.files([tmp_path, other]) == states[-1]


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """A small course."""
    folder = tmp_path / "course"
    (folder / "source" / "by_hand").mkdir(parents=True)
    for name in (NOTEBOOK.name, "backprop.py", "selfcheck.py"):
        shutil.copy(NOTEBOOK.parent / name, folder / "source" / "by_hand")
    shutil.copy(ROOT / "nbgrader_config.py", folder)
    return folder


@pytest.fixture
def server(place: Path, course: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "autograder", "serve"]
    with subprocess.Popen(command, cwd=course, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert "Grading for" in process.stdout.readline()
            yield process
        finally:
            process.kill()


GRADE = """
import sys
from autograder import cli, warm
warm.PATIENCE_SECONDS = 600.0  # a busy machine is no reason to do without
status = cli.main(["grade", *sys.argv[1:]])
print("here" if "numpy" in sys.modules else "there", status)
"""


def grade(*words: object, course: Path) -> tuple[str, str, str]:
    """What is said, on the output and for errors, and who has graded with which status."""
    command = [sys.executable, "-c", GRADE, *map(str, words)]
    run = subprocess.run(command, cwd=course, capture_output=True, text=True, check=True)
    *said, who = run.stdout.splitlines(keepends=True)
    return without_seconds("".join(said)), run.stderr, who.strip()


def without_seconds(said: str) -> str:
    return re.sub(r'"seconds": [0-9.]+', "", said)


@pytest.mark.slow
def test_it_says_what_grading_says(
    server: subprocess.Popen[str], course: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    handed_in = course.parent / "handed_in"
    handed_in.mkdir()
    wrong = handed_in / "worked_calculation.ipynb"
    wrong.write_text(NOTEBOOK.read_text().replace("sigmoid", "tanh"))
    for status, *words in ((0, wrong), (0, "--json", wrong), (2, handed_in / "missing.ipynb")):
        there = grade("--seed", 3, *words, course=course)
        assert there[2] == f"there {status}"
        with monkeypatch.context() as alone:
            alone.setenv("XDG_RUNTIME_DIR", "/nowhere")
            alone.chdir(course)
            assert cli.main(["grade", "--seed", "3", *map(str, words)]) == status
        here = capsys.readouterr()
        assert there[:2] == (without_seconds(here.out), here.err)
        assert there[0] or there[1]


@pytest.mark.slow
def test_it_grades_for_its_own_course_and_only_while_that_stays(server: subprocess.Popen[str], course: Path) -> None:
    assert grade(NOTEBOOK, course=ROOT)[2] == "here 0"
    said = [grade(NOTEBOOK, course=course) for _ in range(3)]
    assert {who for _, _, who in said} == {"there 0"}
    assert len({re.search(r"seed: (\d+)", text)[1] for text, _, _ in said}) == 3
    with (course / "nbgrader_config.py").open("a") as config:
        config.write("# changed\n")
    assert grade(NOTEBOOK, course=course)[2] == "here 0"
    assert server.wait(600) == 0


@pytest.mark.slow
def test_it_ends_when_it_is_told_to(
    server: subprocess.Popen[str], place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    monkeypatch.setattr(warm, "PATIENCE_SECONDS", 600.0)
    assert cli.main(["serve"]) == 2  # there is one
    assert cli.main(["serve", "--stop"]) == 0
    assert server.wait(600) == 0
    assert not place.exists()
    assert cli.main(["serve", "--stop"]) == 1
