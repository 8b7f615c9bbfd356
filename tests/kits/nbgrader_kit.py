"""nbgrader's own commands, and a small course to type them in.

nbgrader computes for seconds to start, nearly all of them for its imports. So one process has done them, and forks for
each command; everything else is as if the command were typed where the environment is activated.
"""

import functools
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import nbformat

from autograder.build.submission import fill
from autograder.environment import put_programs_on_path

NAME, SHEET = "worked_calculation", "by_hand"

SERVER = """
import json, os, sys
import autograder.bridge.derived, autograder.bridge.feedback_page, autograder.bridge.preprocessors
import autograder.build.leakcheck, autograder.exercises.worked_calculation
from nbgrader.apps.nbgraderapp import main
for line in sys.stdin:
    asked = json.loads(line)
    pid = os.fork()
    if pid == 0:
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        for number in (1, 2):
            os.dup2(os.open(asked["said"][number - 1], os.O_WRONLY), number)
        os.chdir(asked["course"])
        os.environ.clear()
        os.environ.update(asked["environment"])
        sys.argv = ["nbgrader", *asked["arguments"]]
        sys.exit(main())
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
"""


@functools.cache
def _server() -> subprocess.Popen:
    """The process that forks. It ends with this one, when nobody can ask it any more."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    return subprocess.Popen([sys.executable, "-c", SERVER], text=True, env=_environment(), **pipes)


def _environment(**more: str) -> dict[str, str]:
    put_programs_on_path()
    return os.environ | {"MPLBACKEND": "Agg"} | more


def nbgrader(course: Path, *arguments: str, status: int | None = 0, **environment: str) -> subprocess.CompletedProcess:
    """Run nbgrader in a course; it must end with this status, if one is given."""
    with tempfile.TemporaryDirectory() as folder:
        said = [Path(folder, name) for name in ("out", "error")]
        for path in said:
            path.touch()
        asked = {"course": course, "arguments": arguments, "environment": _environment(**environment), "said": said}
        server = _server()
        server.stdin.write(json.dumps(asked, default=str) + "\n")
        server.stdin.flush()
        done = subprocess.CompletedProcess(arguments, int(server.stdout.readline()), *(p.read_text() for p in said))
    assert status in (None, done.returncode), done.stderr[-3000:]
    return done


def make_course(folder: Path, root: Path, configuration: str = "", parts=("source",), **submitted: dict) -> Path:
    """A course of one notebook, and what each student has handed in, as the sources of its cells.

    Without another one the configuration is that of this repository.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "nbgrader_config.py").write_text(configuration or (root / "nbgrader_config.py").read_text())
    for part in parts:
        shutil.copytree(
            root / part / SHEET,
            folder / part / SHEET,
            ignore=lambda _, names: [name for name in names if name.endswith(".ipynb") and name != f"{NAME}.ipynb"],
        )
    for student, cells in submitted.items():
        released = nbformat.read(root / "assignments" / SHEET / f"{NAME}.ipynb", as_version=4)
        hand_in(folder, student, fill(released, cells))
    return folder


def hand_in(course: Path, student: str, notebook: nbformat.NotebookNode) -> None:
    """Write a notebook where students hand in."""
    path = course / "submitted" / student / SHEET / f"{NAME}.ipynb"
    path.parent.mkdir(parents=True)
    nbformat.write(notebook, path)
