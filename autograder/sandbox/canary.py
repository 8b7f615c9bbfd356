"""The canary: a submission that tries what no submission may do. Its failures decide whether a level holds."""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from .model import Ask, Cell, Job, Limits, Outcome
from .scratch import Scratch

ATTEMPTS = """
import ctypes, os, socket, sys

def attempt(function, *arguments):
    try:
        function(*arguments)
    except BaseException as error:
        return type(error).__name__
    return ""

def read(path):
    with open(path) as stream:
        stream.read()

def write(path):
    with open(path, "w") as stream:
        stream.write("x")

def connect(port):
    socket.create_connection(("127.0.0.1", port), timeout=1).close()

def fork():
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)

def execute():
    if not os.path.exists("/bin/true"):
        raise FileNotFoundError
    os.posix_spawn("/bin/true", ["true"], {})

def memory():
    descriptor = os.memfd_create("x")
    os.close(descriptor)

def namespaces():
    if ctypes.CDLL(None, use_errno=True).unshare(0x10000000):
        raise PermissionError

def work():
    import numpy as np
    assert (np.eye(2) @ np.ones(2)).sum() == 2
"""

PROBE = """
def probe(student, given):
    do = student.attempt
    return {
        "read": do(student.read, given["secret"]),
        "write": do(student.write, given["target"]),
        "connect": do(student.connect, given["port"]),
        "fork": do(student.fork),
        "execute": do(student.execute),
        "signal": do(student.os.kill, given["pid"], 0),
        "memory": do(student.memory),
        "namespaces": do(student.namespaces),
        "work": "held" if do(student.work) == "" else "",
    }
"""


@dataclass(frozen=True)
class CanaryReport:
    """What the canary tried, and by which error each attempt was stopped; an empty text is one that succeeded."""

    stopped_by: Mapping[str, str]
    secret_out: bool  #: the planted secret was in something that came out

    @property
    def holds(self) -> bool:
        """Whether every attempt was stopped, nothing leaked, and honest work still runs."""
        return bool(self.stopped_by) and all(self.stopped_by.values()) and not self.secret_out

    def words(self) -> str:
        """What did not hold, for people."""
        if not self.stopped_by:
            return "the canary gave no answer"
        failed = [name for name, stopped in self.stopped_by.items() if not stopped]
        return ", ".join([*failed, *(["the secret came out"] if self.secret_out else [])]) or "everything held"


def canary(run: Callable[[Job], Outcome]) -> CanaryReport:
    """Let ``run`` run the canary and report. Raises SandboxUnavailable when it cannot run anything."""
    token = secrets.token_hex(16)
    with contextlib.closing(Scratch()) as scratch, contextlib.closing(socket.socket()) as listener:
        folder = scratch.path
        secret, target = folder / "secret", folder / "written"
        secret.write_text(token)
        os.chmod(folder, 0o777)
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        challenge = {
            "secret": str(secret),
            "target": str(target),
            "port": listener.getsockname()[1],
            "pid": os.getpid(),
        }
        job = Job(
            cells=(Cell("canary", ATTEMPTS),),
            asks=(Ask("canary", PROBE, (challenge,)),),
            limits=Limits(wall_seconds=30.0),
        )
        outcome = run(job)
        answer = outcome.answers["canary"][0]
        stopped = {name: str(value) for name, value in answer.values.items()}
        if target.exists():
            stopped["write"] = ""
        listener.setblocking(False)
        with contextlib.suppress(OSError):
            listener.accept()
            stopped["connect"] = ""
    if not stopped and answer.message:
        stopped = {f"run ({answer.message[-300:]})": ""}
    return CanaryReport(stopped, token in repr(outcome))
