"""The zygote: imports once what notebooks use, then forks a process for each submission. It never sees a submission.

What every notebook uses is there from the start; what a few use is imported while no job waits, so that the first
result does not have to. A notebook that comes earlier imports it itself.

For each job it gets two sockets over its control socket: the job's (student side) and the report (monitor side). The
forked monitor enters fresh namespaces, forks the student's process into them, sends a pidfd of it over the report
socket, so that the trusted side can kill it, and at the end how it ended and what it took.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import select
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable
from typing import Any

import msgpack

from . import frames, walls

Run = Callable[[int, bytes, dict[str, Any]], None]
CONTROL_BYTES = 1 << 16

COMMON = ("contourpy", "sklearn.datasets", "tqdm.auto")
FIRST_JOBS_SECONDS = 1.5  # the canary and the first notebooks have the machine to themselves
RARE = (
    "sklearn.linear_model", "sklearn.metrics", "sklearn.model_selection", "sklearn.neural_network", "sklearn.pipeline",
    "sklearn.preprocessing", "ipywidgets", "sympy", "scipy.optimize", "scipy.special", "scipy.stats",
)  # fmt: skip


def main(control_descriptor: int, settings: dict[str, Any]) -> None:
    """Get ready, say so on the control socket, and serve until it is closed."""
    control = socket.socket(fileno=control_descriptor)
    level = settings["level"]
    if level != "none":
        if os.getuid() == 0 and level == "full":
            walls.become_ordinary()
        walls.no_new_privileges()

    # Only now: these import everything, which root should not do.
    from .child import run_job
    from .probes import Surroundings
    from .shell import make_shell

    for name in COMMON:
        _import(name)
    shell = make_shell()
    fixed = {"shell": shell, "surroundings": Surroundings(), "settings": settings}
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel reaps the monitors
    _freeze()
    control.send(msgpack.packb({"python": sys.version, "numpy": sys.modules["numpy"].__version__, "tasks": _tasks()}))
    rare, quiet_until = list(RARE), time.monotonic() + FIRST_JOBS_SECONDS
    while True:
        while rare and not select.select([control], [], [], max(0.0, quiet_until - time.monotonic()))[0]:
            _import(rare.pop(0))
            fixed["surroundings"] = Surroundings()  # an import may add filters of warnings
            if not rare:
                _freeze()
        request, descriptors, _, _ = socket.recv_fds(control, CONTROL_BYTES, 2)
        if not request:
            return
        job, report = descriptors
        if _tasks() != 1:
            os.write(report, msgpack.packb({"error": "the zygote has more than one task and may not fork"}))
        elif os.fork() == 0:
            control.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            _monitor(job, report, lambda *arguments: run_job(*arguments, **fixed), level)
        os.close(job)
        os.close(report)


def _tasks() -> int:
    return len(os.listdir("/proc/self/task"))


def _import(name: str) -> None:
    """Import a module. Only import: an OpenMP region run here would hang every child."""
    with contextlib.suppress(ImportError):  # a course without it does not need it
        importlib.import_module(name)


def _freeze() -> None:
    """Leave what is there to itself: a collection in a child would otherwise copy every page that it looks at."""
    gc.collect()
    gc.freeze()


def _monitor(job: int, report: int, run: Run, level: str) -> None:
    """Fork the student's process, hand out the means to kill it, wait for its end and report it. Never returns."""
    try:
        base = walls.memory_high_water()
        began = time.monotonic()
        if level == "full":
            walls.new_namespaces()
        pid = os.fork()
        if pid == 0:
            _child(job, report, run, level)
        os.close(job)
        channel = socket.socket(fileno=report)
        pidfd = os.pidfd_open(pid)
        socket.send_fds(channel, [b"p"], [pidfd])
        _, status, usage = os.wait4(pid, 0)
        if level != "full":  # what it may have started; in a pid namespace the kernel sees to that
            with contextlib.suppress(OSError):
                os.killpg(pid, signal.SIGKILL)
        ending = {
            "exit": os.waitstatus_to_exitcode(status),
            "cpu": usage.ru_utime + usage.ru_stime,
            "memory": max(0, usage.ru_maxrss * 1024 - base),
            "seconds": time.monotonic() - began,
        }
        channel.send(msgpack.packb(ending))
    except BaseException:
        os.write(report, msgpack.packb({"error": traceback.format_exc()[-2000:]}))
    finally:
        os._exit(0)


def _child(job: int, report: int, run: Run, level: str) -> None:
    """Be the student's process. Never returns."""
    code = 0
    try:
        if level != "full":
            os.setsid()
        os.close(report)
        null = os.open("/dev/null", os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(null, descriptor)
        kept = os.dup2(job, 3) if job != 3 else 3
        os.closerange(4, 1024)
        nonce, body = frames.read_frame(kept)
        plan = msgpack.unpackb(body, strict_map_key=False)
        try:
            run(kept, nonce, plan)
        except Exception:
            problem = {"kind": "broken", "text": traceback.format_exc()[-2000:]}
            frames.write_frame(kept, nonce, msgpack.packb(problem))
            raise
    except BaseException:
        code = 70
    finally:
        os._exit(code)
