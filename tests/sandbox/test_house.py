"""How the sandbox is built: what it may import, its levels, its life."""

from __future__ import annotations

import ast
import contextlib
import json
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest
from sample_kit import sampled

import autograder.sandbox
from autograder.sandbox import CanaryReport, Sandbox, SandboxUnavailable, canary, view

from .conftest import ask, job

ROOM = Path(autograder.sandbox.__file__).parent
INSIDE_MAY_IMPORT = {"IPython", "matplotlib", "matplotlib_inline", "msgpack", "numpy", "traitlets"}


def imports(path: Path) -> list[tuple[int, str]]:
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found += [(0, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            found.append((node.level, node.module or ""))
    return found


@pytest.mark.parametrize("path", sorted(ROOM.rglob("*.py")), ids=lambda path: str(path.relative_to(ROOM)))
def test_it_imports_nothing_that_knows_an_answer(path: Path) -> None:
    depth = len(path.relative_to(ROOM).parts)
    for level, name in imports(path):
        assert level <= depth, f"{path.name} imports from outside the room: {'.' * level}{name}"
        assert name.split(".")[0] != "autograder" or name.startswith("autograder.sandbox")


@pytest.mark.parametrize("path", sorted((ROOM / "inside").rglob("*.py")), ids=lambda path: str(path.relative_to(ROOM)))
def test_the_inside_imports_only_itself_and_common_libraries(path: Path) -> None:
    depth = len(path.relative_to(ROOM / "inside").parts)
    for level, name in imports(path):
        first = name.split(".")[0]
        assert 1 <= level <= depth or (level == 0 and (first in sys.stdlib_module_names or first in INSIDE_MAY_IMPORT))


def test_the_trusted_side_never_imports_ipython() -> None:
    code = "import sys, autograder.sandbox; sys.exit('IPython' in sys.modules or 'matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("word", ["pickle", "marshal", "eval", "dill"])
def test_the_trusted_side_never_loads_code(word: str) -> None:
    for path in [*ROOM.glob("*.py"), ROOM / "inside" / "codec.py", ROOM / "inside" / "frames.py"]:
        names = {node.id for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Name)}
        names |= {name for _, name in imports(path)}
        assert word not in names


def test_a_blob_is_there_for_each_machine_and_level() -> None:
    for machine in ("x86_64", "aarch64"):
        for level in ("full", "reduced"):
            size = (ROOM / "seccomp" / f"{level}-{machine}.bpf").stat().st_size
            assert (size > 800, size % 8) == (True, 0)


def test_the_canary_holds(sandbox: Sandbox) -> None:
    report = canary(sandbox.run)
    assert report.holds, report.words()
    assert {"read", "write", "connect", "fork", "signal"} <= set(report.stopped_by)


def test_the_canary_fails_without_walls(unprotected: Sandbox) -> None:
    report = canary(unprotected.run)
    assert not report.holds
    assert {"read", "write", "connect", "fork", "signal"} <= {name for name, by in report.stopped_by.items() if not by}
    assert report.secret_out is False


def test_an_unknown_level_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown level"):
        Sandbox(level="Full")


def test_where_no_walls_hold_nothing_is_run_unless_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    tried = []

    def refuse(level: str, *_: object) -> None:
        tried.append(level)
        raise SandboxUnavailable(f"no {level} here.")

    monkeypatch.setattr("autograder.sandbox.sandbox.Zygote", refuse)
    with pytest.raises(SandboxUnavailable, match=r"no full here\. no reduced here\."):
        Sandbox()
    assert tried == ["full", "reduced"]


@pytest.mark.slow
def test_where_a_wall_has_a_hole_nothing_is_run_unless_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both levels start; the canary gets out of both."""
    monkeypatch.setattr("autograder.sandbox.sandbox.canary", lambda run: CanaryReport({"read": ""}, False))
    with pytest.raises(SandboxUnavailable, match="At level full the walls do not hold: read"):
        Sandbox()


def test_without_bubblewrap_the_reason_and_the_remedy_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(SandboxUnavailable, match="apt-get install bubblewrap"):
        Sandbox(level="full")


def test_where_bubblewrap_is_refused_its_words_are_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    fake = tmp_path / "bwrap"
    fake.write_text("#!/bin/sh\necho 'bwrap: setting up uid map: Permission denied' >&2\nexit 1\n")
    fake.chmod(0o755)
    monkeypatch.setattr(shutil, "which", lambda _: str(fake))
    with pytest.raises(SandboxUnavailable, match="setting up uid map"):
        Sandbox(level="full")


def test_many_threads_share_one_zygote(sandbox: Sandbox) -> None:
    def one(number: int) -> object:
        outcome = sandbox.run(job(f"n = {number}", asks=(ask("return {'n': student.n}"),)))
        return outcome.answers["q"][0].values["n"]

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(one, range(16))) == list(range(16))


def names_inside(pid: int) -> list[str]:
    """What the processes are called that one has started."""
    names = []
    for process in psutil.Process(pid).children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            names.append(process.name())
    return names


def end_all_inside(pid: int) -> None:
    """Kill the zygote and all that it has started; some of them end as soon as another one does."""
    for process in psutil.Process(pid).children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()


def ended(process: psutil.Process) -> bool:
    """Whether it runs no more, though nobody may have asked how it ended."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@pytest.mark.slow
def test_a_zygote_that_dies_is_replaced_and_the_job_done(modules: Path) -> None:
    with Sandbox(level="full", modules=modules) as box:
        first = box.pid
        end_all_inside(first)
        outcome = box.run(job("print(1)", asks=(ask("return {'n': 1}"),)))
        assert outcome.answers["q"][0].values == {"n": 1}
        assert box.pid != first


@pytest.mark.slow
def test_closing_leaves_no_process_and_no_folder(until: Callable) -> None:
    box = Sandbox(level="full")
    processes = [psutil.Process(box.pid), *psutil.Process(box.pid).children(recursive=True)]
    scratch = box._zygote.scratch
    box.close()
    assert not scratch.exists()
    until(lambda: all(map(ended, processes)))
    with pytest.raises(SandboxUnavailable, match="closed"):
        box.run(job("x = 1"))


@pytest.mark.slow
def test_the_zygote_ends_with_the_grader(until: Callable) -> None:
    code = (
        "import os\nfrom autograder.sandbox import Sandbox\nbox = Sandbox(level='full')\nprint(box.pid, flush=True)\n"
        "os.kill(os.getpid(), 9)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    pid = int(result.stdout)
    until(lambda: not psutil.pid_exists(pid) or ended(psutil.Process(pid)))


def test_the_package_is_masked_where_it_is_installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    library = tmp_path / "site-packages"
    (library / "autograder").mkdir(parents=True)
    monkeypatch.setattr(view, "PACKAGE", library / "autograder")
    monkeypatch.setattr(view, "visible", lambda: [library])
    assert view.masked(()) == [library / "autograder"]


@pytest.mark.slow
def test_a_zygote_killed_in_the_middle_of_a_job_costs_nothing(tmp_path: Path, until: Callable) -> None:
    """The job goes on only after the kill."""
    waits = (
        "import helper, os, time\nwhile not os.path.exists(os.path.dirname(helper.__file__) + '/go'): time.sleep(0.01)"
    )
    tmp_path.chmod(0o755)
    (tmp_path / "helper.py").touch()
    with Sandbox(level="full", modules=tmp_path) as box, ThreadPoolExecutor(1) as pool:
        running = pool.submit(box.run, job(waits, asks=(ask("return {'n': 1}"),)))
        until(lambda: "notebook" in names_inside(box.pid))
        end_all_inside(box.pid)
        (tmp_path / "go").touch()
        outcome = running.result()
        assert outcome.cells[0].status == "ok"
        assert outcome.answers["q"][0].values == {"n": 1}


@pytest.mark.slow
@pytest.mark.parametrize("level", sampled(["full", "reduced"], "full"))
def test_the_list_of_fonts_is_made_once_and_anew_where_it_is_damaged(level: str) -> None:
    kept = ROOM / "inside" / "__pycache__" / "fonts.json"
    fonts = "import matplotlib.font_manager as f; print(len(f.fontManager.ttflist) > 20, f.findfont('DejaVu Sans'))"
    said, written = [], []
    for content in (b"", None, b'{"of": 1', None):
        if content is not None:
            kept.write_bytes(content)
        with Sandbox(level=level) as box:
            said.append(box.run(job(fonts)).cells[0].outputs[0]["text"])
        written.append((kept.stat().st_mtime_ns, json.loads(kept.read_bytes())["name"]))
    assert len(set(said)) == 1
    assert said[0].startswith("True ")
    assert written[0] == written[1] != written[2] == written[3]


NO_NAMESPACES = """
import sys
from autograder.sandbox import Cell, Job, Sandbox
with Sandbox() as box:
    print(box.level, box.run(Job((Cell("a", "print(6 * 7)"),))).cells[0].outputs[0]["text"])
"""


@pytest.mark.slow
def test_where_namespaces_are_refused_the_level_is_reduced() -> None:
    # In a user namespace of its own, whose owner may forbid further ones: as in a container that refuses them.
    inner = f"echo 0 > /proc/sys/user/max_user_namespaces && exec {sys.executable} -c '{NO_NAMESPACES}'"
    command = ["unshare", "-Ur", "sh", "-c", inner]
    result = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    if "unshare" in result.stderr or "max_user_namespaces" in result.stderr:
        pytest.skip("cannot make a place without user namespaces here")
    assert result.stdout == "reduced 42\n\n", result.stderr


ORDINARY = """
import os, sys
from autograder.sandbox import Ask, Cell, Job, Sandbox, canary
assert os.getuid() != 0
with Sandbox(level="full") as box:
    report = canary(box.run)
    assert report.holds, report.words()
    probe = "def p(student, given): return {'y': student.f(2)}"
    source = "import numpy as np, matplotlib.pyplot as plt\\ndef f(x): return 2 * x\\nplt.plot([1, 2]);"
    hog = "import threading, time\\nfor _ in range(500): threading.Thread(target=time.sleep, args=(60,)).start()"
    outcome = box.run(Job((Cell("a", source), Cell("b", hog)), (Ask("q", probe, ({},)),)))
    assert outcome.cells[0].outputs[0]["output_type"] == "display_data", outcome
    assert outcome.cells[1].status == "raised", outcome
    assert outcome.answers["q"][0].values == {"y": 4}
print("all held")
"""


@pytest.mark.slow
def test_an_ordinary_user_has_the_same_walls(tmp_path_factory: pytest.TempPathFactory) -> None:
    if os.getuid() != 0:
        pytest.skip("this is already an ordinary user: the other tests show it")
    python = Path("/usr/bin", f"python{sys.version_info.major}.{sys.version_info.minor}")
    if not python.exists() or shutil.which("setpriv") is None:
        pytest.skip(f"needs {python} and setpriv to become an ordinary user with an interpreter that it can read")
    folder = Path("/tmp", f"ordinary-{os.getpid()}")
    packages = folder / "site-packages"
    try:
        packages.mkdir(parents=True)
        shutil.copytree(ROOM.parent, packages / "autograder", ignore=shutil.ignore_patterns("__pycache__"))
        libraries = sysconfig.get_path("purelib")
        command = ["setpriv", "--reuid", "12345", "--regid", "12345", "--clear-groups", "--no-new-privs"]
        environment = {"PYTHONPATH": f"{packages}:{libraries}", "PATH": "/usr/bin:/bin", "HOME": str(folder)}
        if subprocess.run([*command, python, "-c", "import numpy"], env=environment, capture_output=True).returncode:
            pytest.skip("an ordinary user cannot read the installed packages here")
        result = subprocess.run(
            [*command, python, "-c", ORDINARY], env=environment, capture_output=True, text=True, timeout=600, cwd="/"
        )
        assert result.stdout == "all held\n", result.stderr
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.slow
def test_libraries_below_tmp_are_seen_inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A checkout with its virtual environment may lie in /tmp, where a scratch folder would cover it."""
    library = Path("/tmp", f"library-{os.getpid()}")
    library.mkdir(mode=0o755)
    try:
        (library / "below_tmp").mkdir()
        (library / "below_tmp" / "__init__.py").write_text("WORD = 'seen'\n")
        monkeypatch.syspath_prepend(str(library))
        monkeypatch.setattr(view, "NEEDED", (*view.NEEDED, "below_tmp"))
        with Sandbox(level="full") as sandbox:
            outcome = sandbox.run(job("import below_tmp; print(below_tmp.WORD)"))
        assert outcome.cells[0].outputs[0]["text"] == "seen\n"
    finally:
        shutil.rmtree(library)


@pytest.mark.slow
def test_at_reduced_root_is_left_even_when_the_interpreter_lies_in_its_home(walled: Sandbox) -> None:
    """`nobody` keeps one capability there, to read; Landlock says what may be read."""
    looks = (
        "import ctypes, os, struct\nhead = struct.pack('Ii', 0x20080522, 0)\ndata = ctypes.create_string_buffer(24)\n"
        "ctypes.CDLL(None).capget(head, data)\nprint(os.getuid(), os.geteuid(), struct.unpack('6I', data.raw)[:2])\n"
        "import sklearn.cluster, wave"
    )
    said = walled.run(job(looks)).cells[0]
    assert said.status == "ok", said.message
    assert not said.outputs[0]["text"].startswith("0 ")
    assert said.outputs[0]["text"].strip().endswith(("(0, 0)", "(4, 4)"))
    for refused in ("open('/etc/shadow')", "open('/root/.bashrc')", "open('/root/.profile')"):
        assert walled.run(job(refused)).cells[0].status == "raised", refused


@pytest.mark.parametrize(("seconds", "patience", "counted"), [(0.2, 600, 1), (3600, 0.2, 2)])
def test_a_thread_that_is_ending_does_not_keep_the_zygote_from_forking(
    seconds: float, patience: float, counted: int
) -> None:
    code = (
        "import threading, time\nfrom autograder.sandbox.inside import zygote\n"
        f"zygote.TASK_ENDS_SECONDS = {patience}\n"
        f"threading.Thread(target=time.sleep, args=({seconds},), daemon=True).start()\nprint(zygote._tasks())"
    )
    one = os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=one)
    assert int(result.stdout) == counted
