"""Set-up: uv is told what pip is told, and where uv fails pip does its work."""

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def words(root):
    spec = importlib.util.spec_from_file_location("tools_uv", root / "tools" / "uv.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.words


@pytest.mark.slow
def test_indexes_and_certificates_of_pip_are_handed_over(words, tmp_path):
    """In the words of the installed pip, from its file and its variables; the variable is the stronger one."""
    file = tmp_path / "pip.conf"
    file.write_text(
        "[global]\nindex-url = https://a.invalid/simple\ncert = /etc/one.pem\n"
        "[install]\nfind-links =\n    /opt/one\n    /opt/two\n[download]\nfind-links = /opt/three\n"
    )
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "XDG_"))}
    told = {**clean, "PIP_CONFIG_FILE": str(file), "PIP_EXTRA_INDEX_URL": "file:///b c://d", "PIP_CERT": "/etc/two.pem"}
    told["HOME"] = str(tmp_path)
    pip = [sys.executable, "-m", "pip", "config", "list"]
    found = words(subprocess.run(pip, env=told, capture_output=True, text=True, check=True).stdout, {})
    assert found["UV_DEFAULT_INDEX"] == "https://a.invalid/simple"
    assert found["UV_INDEX"] == "file:///b c://d"
    assert found["UV_FIND_LINKS"] == "/opt/one,/opt/two"
    assert found["SSL_CERT_FILE"] == "/etc/two.pem"


def test_what_uv_was_told_itself_stays(words):
    listed = "global.index-url='https://a.invalid'\n:env:.no-index='1'\n"
    assert words(listed, {"UV_DEFAULT_INDEX": "https://b.invalid"}).keys() == {"UV_NO_INDEX", "UV_INDEX_STRATEGY"}


def test_uv_is_the_one_of_the_lock_with_its_hashes(root):
    piece = subprocess.run(
        ["sed", "-n", r"/^uv==/,/[^\\]$/p", "requirements.lock"], cwd=root, capture_output=True, text=True, check=True
    ).stdout
    assert piece.startswith("uv==")
    assert "--hash=sha256:" in piece
    assert all(line.startswith(("uv==", "    --hash=")) for line in piece.splitlines())
    assert piece.count("uv==") == 1
    assert r"sed -n '/^uv==/,/[^\\]$/p' requirements.lock" in (root / "tools/setup.sh").read_text()


PYTHON = """#!/bin/sh
# python of a .venv: says what it is asked, and fails where it is to
printf '%s\\n' "$*" >>"$LOG"
case "$*" in *"$FAILS"*) exit 1 ;; esac
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fails", "by_pip"),
    [("nothing fails", False), ("uv.py", True), ("uv.lock", True)],
    ids=["uv works", "uv fails", "no uv"],
)
def test_where_uv_fails_pip_installs(fails, by_pip, root, tmp_path):
    """With a Python that only writes down what it is asked to do."""
    for name in ("requirements.lock", "pyproject.toml", "tools/setup.sh"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(root / name, tmp_path / name)
    log = tmp_path / "log"
    fake = tmp_path / "fake"
    fake.write_text(PYTHON)
    fake.chmod(0o755)
    maker = tmp_path / "python"
    maker.write_text(
        f'#!/bin/sh\nif [ "$2" = venv ]; then mkdir -p .venv/bin; cp "{fake}" .venv/bin/python; '
        f'else exec "{sys.executable}" "$@"; fi\n'
    )
    maker.chmod(0o755)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "bwrap").symlink_to("/bin/true")  # so that nothing is installed
    path = f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "PYTHON": str(maker), "LOG": str(log), "FAILS": fails}
    setup = ["sh", str(tmp_path / "tools/setup.sh")]
    done = subprocess.run(setup, env=environment, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    asked = log.read_text().splitlines()
    whole = [line for line in asked if line.startswith("-m pip") and line.endswith("-r requirements.lock")]
    assert bool(whole) == by_pip
    assert done.stderr == ""
    assert (Path(tmp_path) / ".venv/.complete").exists()
    again = subprocess.run(setup, env=environment, capture_output=True, text=True, timeout=600)
    assert (again.returncode, again.stdout) == (0, "")
    assert log.read_text().splitlines() == asked
