"""A grader in another place: a process of its own that may be refused namespaces, as a container does, and is nobody.

As a program it grades the courses whose folders come in on standard input, one a line, with the level of isolation that
the canary chooses there, and answers each with a line of JSON. ``Elsewhere`` starts it and asks it.
"""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import struct
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ORDINARY_ID = 12345

#: machine -> its number for filters, and the numbers of unshare, setns, mount, umount2, pivot_root, clone, clone3
CALLS = {
    "x86_64": (0xC000003E, (272, 308, 165, 166, 155), 56, 435),
    "aarch64": (0xC00000B7, (97, 268, 40, 39, 41), 220, 435),
}
NEW_NAMESPACES = 0x7E020000  # every CLONE_NEW* flag
EPERM, ENOSYS = 1, 38


def refuse_namespaces() -> None:
    """Install for good, for this process and all that it starts, what Docker's own filter refuses its containers."""
    machine, refused, clone, clone3 = CALLS[os.uname().machine]
    load, equal, any_bit, result = 0x20, 0x15, 0x45, 0x06  # BPF: LD+W+ABS, JMP+JEQ+K, JMP+JSET+K, RET+K
    allow, error = 0x7FFF0000, 0x00050000

    def line(code: int, value: int, then: int = 0, otherwise: int = 0) -> bytes:
        return struct.pack("HBBI", code, then, otherwise, value)

    program = [line(load, 4), line(equal, machine, 1, 0), line(result, allow), line(load, 0)]
    for number in refused:
        program += [line(equal, number, 0, 1), line(result, error | EPERM)]
    program += [line(equal, clone3, 0, 1), line(result, error | ENOSYS)]  # so that the C library falls back to clone
    program += [line(equal, clone, 1, 0), line(result, allow), line(load, 16)]  # the flags are the first argument
    program += [line(any_bit, NEW_NAMESPACES, 0, 1), line(result, error | EPERM), line(result, allow)]
    blob = b"".join(program)

    class Program(ctypes.Structure):
        _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))

    prctl = ctypes.CDLL(None, use_errno=True).prctl
    prctl.argtypes = (ctypes.c_int, *[ctypes.c_ulong] * 4)
    for arguments in ((38, 1, 0, 0, 0), (22, 2, ctypes.addressof(Program(len(program), blob)), 0, 0)):
        if prctl(*arguments):
            raise OSError(ctypes.get_errno(), "the filter was refused")


def main(refuse: bool, limits: Mapping[str, Mapping[str, float]], level: str) -> None:
    """Grade what comes in, with these limits for these exercises."""
    if refuse:
        refuse_namespaces()
    from autograder.exercises import load
    from autograder.grading.finding import find
    from autograder.grading.many import grade_all
    from autograder.marking import to_json
    from autograder.sandbox import Sandbox

    for name, changed in limits.items():
        load(name).limits.update(changed)
    with Sandbox(level=level) as box, ThreadPoolExecutor(2) as pool:
        print(json.dumps({"level": box.level, "uid": os.getuid(), "pid": box.pid}), flush=True)
        for course in map(str.strip, sys.stdin):
            found = find([Path(course) / "submitted"])
            records = [to_json(marks) for _, marks in grade_all(found, box, pool, root=Path(course), seed=1)]
            print(json.dumps({"pid": box.pid, "records": records}), flush=True)


class NoSuchPlace(RuntimeError):
    """The machine, or the user, is not one on which there can be such a place. The message says why."""


class Elsewhere:
    """A running grader in another place. ``uid`` and ``level`` say where it found itself."""

    def __init__(
        self, *, refuse: bool, ordinary: bool, limits: Mapping[str, Mapping[str, float]], level: str = "auto"
    ) -> None:
        """Start it. Raises NoSuchPlace."""
        self._folder = Path(tempfile.mkdtemp(prefix="elsewhere-", dir="/tmp"))
        self._folder.chmod(0o755)
        try:
            self._process = self._start(refuse, ordinary, limits, level)
            hello = self._answer()
        except BaseException:
            self.close()
            raise
        self.level, self.uid, self.pid = hello["level"], hello["uid"], hello["pid"]

    def _start(
        self, refuse: bool, ordinary: bool, limits: Mapping[str, Mapping[str, float]], level: str
    ) -> subprocess.Popen:
        package = Path(__file__).parents[2] / "autograder"
        shutil.copytree(package, self._folder / "autograder", ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(__file__, self._folder / "elsewhere.py")
        for path in (self._folder, *self._folder.rglob("*")):  # a checkout may be closed to others
            path.chmod(0o755 if path.is_dir() else 0o644)
        libraries = sysconfig.get_path("purelib")
        environment = {
            "PYTHONPATH": f"{self._folder}:{libraries}",
            "PATH": "/usr/bin:/bin",
            "HOME": str(self._folder),
            "GRADER_TOKEN": os.environ.get("GRADER_TOKEN", ""),
        }
        command = [sys.executable]
        if ordinary:
            python = Path("/usr/bin", f"python{sys.version_info.major}.{sys.version_info.minor}")
            drop = ["setpriv", "--reuid", str(ORDINARY_ID), "--regid", str(ORDINARY_ID), "--clear-groups"]
            if os.getuid() != 0 or not python.exists() or shutil.which("setpriv") is None:
                raise NoSuchPlace(f"to become another user needs root, setpriv and {python}")
            command = [*drop, str(python)]
        tried = subprocess.run([*command, "-c", "import numpy"], env=environment, cwd="/", capture_output=True)
        if tried.returncode:
            raise NoSuchPlace("an ordinary user cannot read the installed packages here")
        code = f"import elsewhere; elsewhere.main({refuse}, {json.dumps(limits)}, {level!r})"
        return subprocess.Popen(
            [*command, "-c", code], env=environment, cwd="/", stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def _answer(self) -> dict:
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the grader elsewhere has ended; its last words are above")
        return json.loads(line)

    def grade(self, course: Path) -> list[dict]:
        """The records of everything that was handed in to a course."""
        self._process.stdin.write(f"{course}\n")
        self._process.stdin.flush()
        answer = self._answer()
        self.pid = answer["pid"]
        return answer["records"]

    def close(self) -> None:
        """End it."""
        process = getattr(self, "_process", None)
        if process is not None:
            process.stdin.close()
            process.wait(timeout=600)
            process.stdout.close()
        shutil.rmtree(self._folder, ignore_errors=True)
