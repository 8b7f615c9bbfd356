"""What hostile notebooks try, and that it stays theirs. Where it is harmless, the same code without walls succeeds."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from autograder.sandbox import Cell, Sandbox
from autograder.sandbox.inside.zygote import SPARE
from autograder.sandbox.view import PACKAGE

from .conftest import Run, ask, job

HONEST = "def f(x): return 2 * x"
SECRET = "the-planted-secret-6f1d"


def said(outcome) -> str:
    return repr(outcome)


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "key.txt"
    path.write_text(SECRET)
    return path


@pytest.mark.slow
def test_a_file_of_the_host_is_read_without_walls_only(walled: Sandbox, unprotected: Sandbox, secret: Path) -> None:
    attack = job(f"print(open({str(secret)!r}).read())")
    assert SECRET in said(unprotected.run(attack))
    assert SECRET not in said(walled.run(attack))


@pytest.mark.slow
def test_nothing_of_the_course_is_visible(run: Run) -> None:
    package = Path(__file__).parents[2]
    # Of the checkout no more than the way to a virtual environment inside it is there.
    left = f"import os\nassert set(os.listdir({str(package)!r})) <= {{'.venv', 'venv', '.tox'}}"
    walk = (
        "import os\nfor where, folders, files in os.walk('/'):\n"
        "    for name in files:\n        if name in ('progress.py', 'canary.py', 'pyproject.toml'): print(where, name)"
    )
    outcome = run(walk, left, "import autograder", cell_cpu_seconds=300.0, cell_wall_seconds=600.0, cpu_seconds=600.0,
                  wall_seconds=900.0)  # fmt: skip
    text = "".join(output["text"] for output in outcome.cells[0].outputs)
    assert outcome.cells[0].status == "ok"
    assert "autograder" not in text
    assert outcome.cells[1].status == "ok" or "FileNotFoundError" in outcome.cells[1].message
    assert "ModuleNotFoundError" in outcome.cells[2].message


def test_the_environment_of_the_grader_is_not_there(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADER_SECRET", SECRET)
    source = "import os, glob\nprint(dict(os.environ))\nfor p in glob.glob('/proc/*/environ'): print(open(p).read())"
    assert SECRET not in said(run(source))


def test_proc_is_empty(run: Run) -> None:
    assert "[]" in run("import os; print(os.listdir('/proc'))").cells[0].outputs[0]["text"]


@pytest.fixture
def listener():
    with socket.socket() as tcp, socket.socket(socket.AF_UNIX) as abstract:
        tcp.bind(("127.0.0.1", 0))
        name = f"\0listener-{os.getpid()}"
        abstract.bind(name)
        reached = []
        for server in (tcp, abstract):
            server.listen()
            server.settimeout(0.05)
        yield tcp.getsockname()[1], name, reached, (tcp, abstract)


def _reached(servers) -> int:
    count = 0
    for server in servers:
        try:
            server.accept()[0].close()
            count += 1
        except TimeoutError:
            pass
    return count


@pytest.mark.slow
def test_a_listener_is_reached_without_walls_only(walled: Sandbox, unprotected: Sandbox, listener) -> None:
    port, name, _, servers = listener
    attack = job(
        f"import socket\nsocket.create_connection(('127.0.0.1', {port}), timeout=1)",
        f"import socket\nsocket.socket(socket.AF_UNIX).connect({name!r})",
    )
    unprotected.run(attack)
    assert _reached(servers) == 2
    outcome = walled.run(attack)
    assert _reached(servers) == 0
    assert {cell.status for cell in outcome.cells} == {"raised"}


REFUSED = {
    "fork": "os.fork()",
    "spawn": "os.posix_spawn('/bin/true', ['true'], {})",
    "subprocess": "import subprocess; subprocess.run(['true'])",
    "exec": "os.execv(sys.executable, ['python'])",
    "multiprocessing": "import multiprocessing as m; p = m.get_context('fork').Process(target=print); p.start()",
    "udp": "import socket; socket.socket(type=socket.SOCK_DGRAM)",
    "raw": "import socket; socket.socket(socket.AF_INET, socket.SOCK_RAW)",
    "netlink": "import socket; socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)",
    "vsock": "import socket; socket.socket(40)",
    "dns": "import socket; socket.getaddrinfo('example.org', 80)",
    "memfd": "os.memfd_create('x')",
    "kill": "os.kill(1, 9)",
    "killpg": "os.killpg(0, 9)",
    "kill everything": "os.kill(-1, 9)",
    "pidfd": "os.pidfd_open(1)",
    "setuid": "os.setuid(0)",
    "chroot": "os.chroot('/tmp')",
    "mknod": "os.mknod('/tmp/x', 0o60660)",
    "raise limit": "import resource; resource.setrlimit(resource.RLIMIT_AS, (-1, -1))",
    "write root": "open('/mark', 'w')",
    "write library": "import numpy; open(numpy.__file__, 'a')",
    "write shm": "open('/dev/shm/mark', 'w')",
    "write module": "import helper; open(helper.__file__, 'a')",
    "write dev": "open('/dev/mark', 'w')",
    "host name": "import socket; socket.sethostname('x')",
    "priority": "os.nice(-5)",
    "a lease": "import fcntl, numpy; fcntl.fcntl(open(numpy.__file__), 1024, 0)",
    "notices of a folder": "import fcntl; fcntl.fcntl(os.open('/usr/lib', os.O_RDONLY), 1026, 0x80000000 | 2)",
    "a signal for files": "import fcntl, numpy; fcntl.fcntl(open(numpy.__file__), 10, 12)",
    "an owner of a file": "import fcntl, numpy; fcntl.fcntl(open(numpy.__file__), 8, os.getpid())",
    "a larger pipe": "import fcntl; fcntl.fcntl(os.pipe()[0], 1031, 1 << 20)",
}


LOCKS = {
    "flock": "fcntl.flock(f, fcntl.LOCK_EX | fcntl.LOCK_NB)",
    "lockf": "fcntl.lockf(f, fcntl.LOCK_SH | fcntl.LOCK_NB)",
    "open file": "fcntl.fcntl(f, 37, struct.pack('hhqqi', 0, 0, 0, 0, 0))",
}
ASK = (
    "try:\n    fcntl.flock(f, fcntl.LOCK_EX | fcntl.LOCK_NB)\n    print('free')\nexcept OSError:\n    print('held')\n"
    "print([fcntl.fcntl(f, command, struct.pack('hhqqi', 1, 0, 0, 0, 0))[:2] for command in (5, 36)])"
)


@pytest.mark.slow
@pytest.mark.parametrize("lock", LOCKS.values(), ids=LOCKS)
def test_a_lock_on_a_shared_file_tells_a_neighbour_nothing(walled: Sandbox, lock: str) -> None:
    """One notebook holds it while another one asks; without anybody holding it the answer is the same."""
    ready = "import fcntl, struct, time, numpy\nf = open(numpy.__file__)\n"

    def asks() -> str:
        return walled.run(job(ready + ASK)).cells[0].outputs[0]["text"]

    alone = asks()
    for seconds in (1, 4, 16):  # until it is held for as long as others ask
        is_held = threading.Event()
        questions = (ask("return {'held': 1}", name="held"), ask(f"import time; time.sleep({seconds})", name="hold"))
        held = job(ready + lock, asks=questions, question_wall_seconds=30.0, wall_seconds=60.0)
        holder = threading.Thread(target=walled.run, args=(held, lambda *_, is_held=is_held: is_held.set()))
        holder.start()
        assert is_held.wait(60)
        heard = [asks() for _ in range(4)]
        was_held = holder.is_alive()
        holder.join()
        if was_held:
            break
    assert was_held
    assert set(heard) == {alone}
    assert "free" in alone


def test_a_database_of_ones_own_works(run: Run) -> None:
    source = """
import sqlite3
with sqlite3.connect('x.db') as one:
    one.execute('create table t (a)')
    one.execute('insert into t values (1)')
one.close()
print(sqlite3.connect('x.db').execute('select * from t').fetchall())
"""
    assert "[(1,)]" in said(run(source))


def test_nothing_tells_how_the_course_was_installed(walled: Sandbox) -> None:
    source = f"""
import glob, sys
for folder in sys.path:
    for path in (p for kind in ('*.pth', '__editable__*', '*.dist-info/*') for p in glob.glob(folder + '/' + kind)):
        try:
            if {str(PACKAGE.parent)!r} in open(path).read(): print('told by', path)
        except (OSError, UnicodeDecodeError): pass
"""
    assert "told by" not in said(walled.run(job(source)))


def test_at_reduced_nothing_can_be_written_and_names_can_be_asked_for(walled: Sandbox) -> None:
    """What THREATS.md says of that level, and how the other one differs."""
    source = f"import os\nprint('seen', os.path.exists({__file__!r}))\nopen('a', 'w').write('x')\nprint('wri' + 'tten')"
    told = said(walled.run(job(source)))
    assert ("seen True" in told) == (walled.level == "reduced")
    assert ("written" in told) == (walled.level == "full")


@pytest.mark.parametrize("source", REFUSED.values(), ids=REFUSED)
def test_it_is_refused(walled: Sandbox, source: str) -> None:
    cell = walled.run(job(f"import os, sys\n{source}")).cells[0]
    assert cell.status == "raised", cell
    assert cell.message.startswith(("PermissionError", "OSError", "ValueError", "gaierror", "FileNotFoundError"))


SYSTEM_CALLS = {
    "ptrace": 101, "unshare": 272, "setns": 308, "mount": 165, "umount2": 166, "pivot_root": 155, "bpf": 321,
    "io_uring_setup": 425, "keyctl": 250, "add_key": 248, "userfaultfd": 323, "perf_event_open": 298, "kcmp": 312,
    "personality": 135, "shmget": 29, "msgget": 68, "mq_open": 240, "process_vm_readv": 310, "open_by_handle_at": 304,
    "vmsplice": 278, "execveat": 322, "seccomp": 317, "fork": 57, "vfork": 58, "chown": 92, "setxattr": 188,
}  # fmt: skip


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="the numbers are of x86_64")
def test_system_calls_that_no_notebook_needs_are_refused(walled: Sandbox) -> None:
    source = (
        "import ctypes\nlibc = ctypes.CDLL(None, use_errno=True)\n"
        f"for name, number in {SYSTEM_CALLS!r}.items():\n"
        "    result = libc.syscall(number, 0, 0, 0, 0, 0, 0)\n"
        "    if (result, ctypes.get_errno()) != (-1, 1): print('let through:', name, result, ctypes.get_errno())"
    )
    cell = walled.run(job(source)).cells[0]
    assert (cell.status, cell.outputs) == ("ok", [])


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="x32 is of x86_64")
def test_another_abi_kills_only_the_cell(run: Run) -> None:
    outcome = run("import ctypes; ctypes.CDLL(None).syscall(0x40000000 + 39)", "x = 1")
    assert [cell.status for cell in outcome.cells] == ["crashed", "ok"]


CONTAINED = {
    "threads": "import threading, time\nfor _ in range(500): threading.Thread(target=time.sleep, args=(3600,)).start()",
    "disk": "f = open('/tmp/a', 'wb')\nwhile True: f.write(b'x' * 10**6)",
    "many files": "n = 0\nwhile True:\n    open(f'/tmp/{n}', 'wb').write(b'x' * 10**6); n += 1",
    "inodes": "import os\nfor n in range(10**6): os.mkdir(f'/tmp/d{n}')",
    "descriptors": "import os\nwhile True: os.dup(0)",
    "pipes": "import os\nfor _ in range(1000): os.write(os.pipe()[1], b'x' * 60000)",
    "fd 1 flood": "import os\nfor _ in range(1000): os.write(1, b'x' * 10**6)",
    "close result": "import os\nos.close(3)",
    "close all": "import os\nos.closerange(0, 300)",
    "dup result": "import os\nos.dup2(os.open('/dev/null', os.O_RDWR), 3)",
    "giant frame": "import os\nos.write(3, b'\\xff' * 5000)",
    "garbage": "import os\nos.write(3, b'\\0' * 5000)",
    "ignore signals": "import signal, time\nfor n in range(1, 65):\n    try: signal.signal(n, signal.SIG_IGN)\n"
                      "    except Exception: pass\ntime.sleep(3600)",
    "block signals": "import signal, time\nsignal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))\ntime.sleep(3600)",
    "cpu in threads": "import numpy as np, threading\nx = np.ones((1500, 1500))\ndef burn():\n    while True: x @ x\n"
                      "for _ in range(4): threading.Thread(target=burn).start()",
    "exit handler": "import atexit, time\natexit.register(time.sleep, 3600)",
    "del": "import time\nclass A:\n    def __del__(self):\n        while True: pass\na = A(); del a",
    "deep repr": "x = []\nfor _ in range(10**5): x = [x]\nx",
    "patched": "import numpy, msgpack, builtins\nnumpy.allclose = lambda *a, **k: True\n"
               "msgpack.packb = lambda *a, **k: b'x'\nbuiltins.len = lambda x: 0",
    "patched frames": "import sys\nsys.modules['inside.frames'].write_frame = None",
    "transformer": "get_ipython().input_transformers_cleanup.append(lambda lines: ['x = 1\\n'])",
    "stdout gone": "import sys\nsys.stdout = None\nsys.stderr = 3",
    "hostile error": "class E(Exception):\n    def __str__(self): raise E\nraise E",
    "hostile exit": "class E(BaseException):\n    def __repr__(self): import os; os._exit(1)\nraise E",
    "hostile repr": "class R:\n    def __repr__(self): raise SystemExit\nR()",
    "tracing": "import sys\nsys.settrace(lambda *a: 1 / 0)",
    "recursion": "import sys\nsys.setrecursionlimit(5)",
    "frames": "import sys\nf = sys._getframe().f_back\nwhile f:\n    f.f_globals.clear()\n    f = f.f_back",
}  # fmt: skip

#: These take their own IPython apart, so that their own later cells do not run; nobody else notices.
SELF_INFLICTED = (CONTAINED["transformer"], CONTAINED["frames"])


@pytest.mark.parametrize(
    "source",
    [
        pytest.param(source, id=name, marks=pytest.mark.slow if name.endswith("signals") else ())  # waits for its limit
        for name, source in CONTAINED.items()
    ],
)
def test_it_is_contained_and_honest_work_still_counts(walled: Sandbox, source: str) -> None:
    limits = {"cell_cpu_seconds": 0.5, "cell_wall_seconds": 2.0, "cpu_seconds": 2.0}
    question = ask("return {'y': student.f(given['x'])}", {"x": 21})
    outcome = walled.run(job(source, HONEST, asks=(question,), **limits))
    assert outcome.seconds < 600
    assert len(outcome.cells) == 2
    if source not in SELF_INFLICTED:
        assert outcome.answers["q"][0].values == {"y": 42}
    after = walled.run(job(HONEST, asks=(question,)))
    assert after.answers["q"][0].values == {"y": 42}


FORGED = """
import gc, os, struct, sys
def forge(body):
    for thing in gc.get_objects():
        if type(thing).__name__ == "Wire":
            nonce = thing._nonce
            os.write(3, struct.pack(">I", len(body)) + nonce + body)
"""


@pytest.mark.parametrize(
    "body",
    [
        "b'\\x81\\xa4kind\\xa4done'",
        "b'\\x83\\xa4kind\\xa6answer\\xa5score\\x64\\xa6passed\\xc3'",
        "b'\\x91' * 500 + b'\\x01'",
        "b'\\xdd\\xff\\xff\\xff\\xff'",
        "b'\\xdf\\xff\\xff\\xff\\xff'",
        "b'\\x81\\xa4kind\\xc7\\xff\\x01'",
        "b'\\x80\\x04cos\\nsystem\\n'",
        "b''",
    ],
)
def test_a_forged_frame_gains_nothing_and_breaks_nothing(run: Run, body: str) -> None:
    from_cell = run(FORGED, f"forge({body})", HONEST, asks=(ask("return {'y': student.f(1)}"),))
    assert from_cell.answers["q"][0].status in ("answered", "crashed", "grader_error", "missing")
    in_probe = run(FORGED + f"def f(x): forge({body}); return 1", asks=(ask("return {'y': student.f(1)}"),))
    assert in_probe.answers["q"][0].status in ("answered", "crashed")


def test_nothing_runs_on_afterwards(sandbox: Sandbox, until: Callable) -> None:
    sandbox.run(job("import threading\nthreading.Thread(target=lambda: [0 for _ in iter(int, 1)]).start()"))

    def only_what_waits() -> bool:
        """bubblewrap's first process, the zygote, and what waits for the next job: a monitor and its child."""
        try:
            names = [process.name() for process in psutil.Process(sandbox.pid).children(recursive=True)]
        except psutil.NoSuchProcess:  # one that was just ending
            return False
        return len(names) == 4 and names.count(SPARE) == 1

    until(only_what_waits)


def test_neighbours_do_not_see_each_other(sandbox: Sandbox) -> None:
    marks = []

    def wait() -> None:
        source = (
            "import os, time\nseen = []\nfor _ in range(20):\n"
            "    seen += os.listdir(os.environ['TMPDIR']); time.sleep(0.02)\n"
            "print(sorted(set(seen)))"
        )
        marks.append(said(sandbox.run(job(source))))

    thread = threading.Thread(target=wait)
    thread.start()
    for _ in range(4):
        sandbox.run(job("import os; open(os.environ['TMPDIR'] + '/MARK', 'w').write('here')"))
    thread.join()
    assert "notebook" in marks[0]
    assert "MARK" not in marks[0]


def test_files_left_by_one_submission_are_gone_for_the_next(run: Run) -> None:
    run("import os; open(os.environ['TMPDIR'] + '/MARK', 'w'); open('MARK', 'w')")
    look = "import os; print(os.listdir(os.environ['TMPDIR']), os.listdir('.'))"
    assert "MARK" not in said(run(look).cells[0].outputs)


def test_a_start_up_file_for_the_next_student_has_no_effect(run: Run) -> None:
    run("import os\np = os.path.expanduser('~/.ipython/profile_default/startup')\nos.makedirs(p)\n"
        "open(p + '/0.py', 'w').write('planted = 1')")  # fmt: skip
    assert run("planted").cells[0].status == "raised"


def test_the_student_is_nobody_in_particular(run: Run) -> None:
    assert "1000 1000" in run("import os; print(os.getuid(), os.getgid())").cells[0].outputs[0]["text"]


@pytest.mark.slow
def test_many_cells_cannot_take_the_graders_memory(sandbox: Sandbox) -> None:
    cells = tuple(Cell(str(n), "print('x' * 150_000)") for n in range(20))
    outcome = sandbox.run(type(job())(cells=cells, limits=job().limits))
    assert sum(len(repr(cell.outputs)) for cell in outcome.cells) < 1_300_000
    assert outcome.cells[-1].status == "output_limit"
