"""The zygote: imports once what notebooks use, then forks a process for each submission. It never sees a submission.

What every notebook uses is there from the start. While no job waits, what the first notebook is known to use is
imported, and figures and errors are rehearsed. A notebook that comes earlier does these things itself. What few
notebooks use is imported for the first job that names it.

One process always stands ready for the next job, a spare, so that no job waits for a fork. Asked over its control
socket, the zygote hands out two sockets of the spare: the job's (student side) and the report (monitor side). The
monitor has entered fresh namespaces and forked the student's process into them; it sends a pidfd of it over the report
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
import zlib
from collections.abc import Callable
from functools import partial
from typing import Any

import msgpack

from . import frames, pages, walls

Run = Callable[[int, bytes, dict[str, Any]], None]
CONTROL_BYTES = 1 << 16
TASK_ENDS_SECONDS = 2.0
SPARE = "spare"  # what a process is called that has no job yet

COMMON = ("numpy.random", "contourpy", "tqdm.auto")
FIRST_JOBS_SECONDS = 1.5  # the canary and the first notebooks have the machine to themselves
CANARY_SECONDS = 0.5  # until then the canary has come, whose process runs while what is next is imported


def main(control_descriptor: int, settings: dict[str, Any]) -> None:
    """Get ready, say so on the control socket, and serve until it is closed."""
    control = socket.socket(fileno=control_descriptor)
    level = settings["level"]
    if level != "none":
        if os.getuid() == 0 and level == "full":
            walls.become_ordinary()
        walls.no_new_privileges()

    gc.disable()  # imports leave nothing behind that is worth looking for

    # Only now: these import everything, which root should not do.
    from . import fonts

    known = fonts.lay_out()

    from .child import run_job
    from .probes import Surroundings
    from .shell import PLAIN_FIGURE, USUAL_CELLS, make_shell, rehearse, warm_up

    for name in COMMON:
        _import(name)
    shell = make_shell()
    fixed: dict[str, Any] = {"shell": shell, "surroundings": Surroundings(), "settings": settings}
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel reaps the monitors
    gc.enable()
    gc.freeze()
    hello = {"python": sys.version, "numpy": sys.modules["numpy"].__version__, "tasks": _tasks()}
    control.send(msgpack.packb(hello | {"fonts": b"" if known else zlib.compress(fonts.made())}))

    drawn: pages.Ranges = ()

    def spare() -> Spare:
        return Spare(lambda *job: run_job(*job, **fixed), level, control, drawn if with_figures else ())

    def settle() -> None:
        nonlocal drawn
        _freeze()
        pages.make_large()
        drawn = pages.written_by(lambda: rehearse(shell, PLAIN_FIGURE))

    warm: list[Callable[[], None]] = [partial(_import, name) for name in settings["soon"]]
    warm += [partial(warm_up, shell, cell) for cell in USUAL_CELLS]
    warm.append(_freeze)
    late, rare = [settle], {*frames.RARE}.difference(settings["soon"])
    quiet_until = time.monotonic() + FIRST_JOBS_SECONDS
    asked_until = time.monotonic() + CANARY_SECONDS * (level != "none")
    with_figures = False
    ready = spare()
    while True:
        while steps := warm or late:
            wait = max(0.0, (asked_until if steps is warm else quiet_until) - time.monotonic())
            if select.select([control], [], [], wait)[0]:
                break
            steps.pop(0)()
            fixed["surroundings"] = Surroundings()  # an import may add filters of warnings
            ready.dismiss()
            ready = spare()
        request = control.recv(CONTROL_BYTES)
        if not request:
            return
        asked_until = 0.0
        if wanted := rare.intersection(request[1:].decode().split()):
            rare -= wanted
            for name in sorted(wanted):
                _import(name)
            fixed["surroundings"] = Surroundings()
            late = [settle]
            ready.dismiss()
            ready = spare()
        ready.hand_over(control)
        with_figures = request[:1] == frames.WITH_FIGURES  # most probably the next job is like this one
        ready = spare()


class Spare:
    """A monitor and a student's process that wait for a job."""

    def __init__(self, run: Run, level: str, control: socket.socket, ranges: pages.Ranges) -> None:
        """Fork them, and let the second copy what `ranges` names, which a job would otherwise wait for."""
        self._refused = b""
        job, self._job = socket.socketpair()
        report, self._report = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with job, report:
            if _tasks() != 1:
                self._refused = b"the isolated process has more than one task and may not fork"
            elif os.fork() == 0:
                for near in (control, self._job, self._report):
                    near.close()
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                _monitor(job.detach(), report.detach(), run, level, ranges)

    def hand_over(self, control: socket.socket) -> None:
        """Give its sockets to who asked for them, or the reason why there are none."""
        if self._refused:
            control.send(self._refused)
        else:
            socket.send_fds(control, [b"s"], [self._job.fileno(), self._report.fileno()])
        self.dismiss()

    def dismiss(self) -> None:
        """Have no more to do with it; without a job it ends."""
        self._job.close()
        self._report.close()


def _tasks() -> int:
    """How many tasks this process has once those that are ending have ended: matplotlib starts a timer, for example."""
    until = time.monotonic() + TASK_ENDS_SECONDS
    while (count := len(os.listdir("/proc/self/task"))) > 1 and time.monotonic() < until:
        time.sleep(0.001)
    return count


def _import(name: str) -> None:
    """Import a module. Only import: an OpenMP region run here would hang every child."""
    with contextlib.suppress(ImportError):  # a course without it does not need it
        importlib.import_module(name)
        if name.startswith("sklearn."):  # its first call goes through all installed packages, and remembers them
            importlib.import_module("sklearn.utils").shuffle([0], random_state=0)


def _freeze() -> None:
    """Leave what is there to itself: a collection in a child would otherwise copy every page that it looks at."""
    gc.collect()
    gc.freeze()


def _monitor(job: int, report: int, run: Run, level: str, ranges: pages.Ranges) -> None:
    """Fork the student's process, hand out the means to kill it, wait for its end and report it. Never returns."""
    try:
        base = walls.memory_high_water()
        began = time.monotonic()
        if level == "full":
            walls.new_namespaces()
        pid = os.fork()
        if pid == 0:
            _child(job, report, run, level, ranges)
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


def _child(job: int, report: int, run: Run, level: str, ranges: pages.Ranges) -> None:
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
        walls.call_this_process(SPARE)
        pages.copy_now(ranges)
        nonce, body = frames.read_frame(kept)
        walls.call_this_process("notebook")
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
