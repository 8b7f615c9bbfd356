"""Every command of the page on grading a class is run, in the order in which it stands there."""

import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import nbformat
import pytest

from autograder.bridge.api import CourseApi
from autograder.build.submission import fill, solutions
from autograder.exercises import load

NAME, SHEET = "worked_calculation", "by_hand"


def blocks(root, language):
    text = (root / "docs" / "class.md").read_text()
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def commands(root):
    return [line for block in blocks(root, "sh") for line in block.splitlines()]


@pytest.fixture
def course(tmp_path, root):
    shutil.copytree(root / "source" / SHEET, tmp_path / "source" / SHEET)
    for other in (tmp_path / "source" / SHEET).glob("*.ipynb"):
        if other.stem != NAME:
            other.unlink()
    shutil.copy(root / "nbgrader_config.py", tmp_path)
    assert CourseApi(tmp_path).generate_assignment(SHEET) == []
    released = nbformat.read(root / "assignments" / SHEET / f"{NAME}.ipynb", as_version=4)
    for student in ("carla", "dmitri"):
        path = tmp_path / "submitted" / student / SHEET / f"{NAME}.ipynb"
        path.parent.mkdir(parents=True)
        nbformat.write(fill(released, solutions(root, load(NAME))), path)
    return tmp_path


@pytest.mark.long
def test_every_command_works_in_its_order(course, root):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    running, said = [], []
    environment = os.environ | {"PYTHONPATH": str(root)}
    try:
        for line in commands(root):
            if line.startswith("pip "):
                continue
            program, *words = shlex.split(line.replace("tcp://scheduler:8786", f"tcp://127.0.0.1:{port}"))
            assert program in ("autograder", "dask"), line
            if program == "dask":  # these go on until they are stopped
                words += ["--host", "127.0.0.1"]
                words += ["--port", str(port), "--no-dashboard"] if "scheduler" in words else []
                running.append(subprocess.Popen(
                    [sys.executable, "-m", "dask", *words], cwd=course, env=environment,
                    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                ))  # fmt: skip
                continue
            if "--cluster" in words:
                _wait_for_workers(port)
                shutil.rmtree(course / ".autograder")  # so that there is something to run
            done = subprocess.run(
                [sys.executable, "-m", program, *words],
                cwd=course, capture_output=True, text=True, timeout=600, env=environment,
            )  # fmt: skip
            assert done.returncode == 0, f"{line}\n{done.stderr[-2000:]}"
            said.append(done.stdout)
    finally:
        for process in reversed(running):
            process.terminate()
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
    assert ["2 graded" in text for text in said] == [True, False, False, False, False, True]
    assert "0 would go up, 0 down" in said[3]


def _wait_for_workers(port):
    from distributed import Client

    for _ in range(600):
        try:
            with Client(f"tcp://127.0.0.1:{port}", timeout=5, set_as_default=False) as client:
                client.wait_for_workers(2, timeout=600)
                return
        except OSError:
            time.sleep(1)
    raise AssertionError("no scheduler")


def test_every_extra_that_is_named_exists(root):
    extras = tomllib.loads((root / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    named = {name for line in commands(root) for name in re.findall(r"backprop-autograder\[(\w+)\]", line)}
    assert named == {"cluster", "postgresql"} <= set(extras)


def test_the_url_of_postgresql_is_of_the_kind_that_is_tested(root):
    named = re.search(r'db_url = "(\S+?)://', "".join(blocks(root, "python")))[1]
    assert f"{named}://nbgrader@" in Path(root / "tests/bridge/test_postgresql.py").read_text()


def test_every_code_block_is_python(root):
    for block in blocks(root, "python"):
        compile(block, "docs/class.md", "exec")
