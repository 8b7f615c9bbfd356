"""A course worth attacking: a key, a gradebook, a neighbour, a home, listeners; and what is seen of them afterwards."""

from __future__ import annotations

import contextlib
import hashlib
import os
import socket
import sqlite3
import stat
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import nbformat
import numpy
import psutil
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell

from autograder.audit import Variant
from autograder.build.submission import fill, solutions
from autograder.exercises import load
from autograder.sandbox.inside.zygote import SPARE

from .corpus import HAND, Attack

LARGEST = 64 << 20
"""Larger files, which are full of nothing, are not read for their digest."""

SECRET = "the-planted-secret-c0ffee"

LONG_SECONDS = 600.0
"""What has not ended by then never does, however slow the machine."""


@dataclass(frozen=True)
class Scene:
    """Where everything is, and the words that stand for it in the code of an attack."""

    base: Path
    words: Mapping[str, str]
    servers: tuple[socket.socket, ...]

    @property
    def course(self) -> Path:
        return self.base / "course"

    def hand_in(self, student: str, exercise: str, notebook: NotebookNode) -> Path:
        path = self.course / "submitted" / student / load(exercise).sheet / f"{exercise}.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(notebook, path)
        return path

    def filled(self, text: str) -> str:
        for name, word in self.words.items():
            text = text.replace(f"@{name}@", word)
        return text

    def reached(self) -> int:
        """How many connections have come in."""
        count = 0
        for server in self.servers:
            try:
                while True:
                    server.accept()[0].close()
                    count += 1
            except BlockingIOError:
                continue
        return count

    def state(self) -> dict[str, str]:
        """A digest of every watched file: the whole scene, and what student code could plant outside it."""
        found = {str(path): _seen(path) for path in self.base.rglob("*")}
        libraries = Path(numpy.__file__).parents[1]
        package = Path(__file__).parents[2] / "autograder"
        for folder in ("/tmp", "/var/tmp", "/dev/shm", "/run", "/", Path.home(), Path.cwd(), libraries):
            found |= {str(p): "planted" for p in Path(folder).glob(f"*{self.words['TOKEN']}*") if p != self.base}
        return found | {str(p): _seen(p) for p in (*package.rglob("*.py"), Path(numpy.__file__))}


def _seen(path: Path) -> str:
    info = path.lstat()
    facts = f"{stat.filemode(info.st_mode)} {info.st_uid} {info.st_nlink if path.is_file() else ''}"
    if path.is_symlink():
        return f"{facts} -> {os.readlink(path)}"
    if not stat.S_ISREG(info.st_mode):
        return facts
    if info.st_size > LARGEST:
        return f"{facts} {info.st_mtime_ns} {info.st_size}"
    return f"{facts} {info.st_mtime_ns} {hashlib.sha256(path.read_bytes()).hexdigest()}"


def solved(root: Path, attack: Attack) -> NotebookNode:
    """The notebook before it is changed: the solution, or the untouched stubs."""
    exercise = load(attack.exercise)
    released = nbformat.read(root / "assignments" / exercise.sheet / f"{exercise.name}.ipynb", as_version=4)
    return fill(released, solutions(root, exercise)) if attack.solved else released


def notebook(root: Path, attack: Attack, scene: Scene) -> NotebookNode:
    """What the attacker hands in."""
    made = fill(solved(root, attack), {name: scene.filled(source) for name, source in attack.cells.items()})
    if attack.first:
        made.cells.insert(0, new_code_cell(scene.filled(attack.first)))
    if attack.last:
        made.cells.append(new_code_cell(scene.filled(attack.last)))
    if attack.edit:
        attack.edit(made)
    return made


@contextmanager
def scene(base: Path, root: Path) -> Iterator[Scene]:
    """Build the scene in a folder."""
    course, home = base / "course", base / "home"
    token = f"tok{uuid.uuid4().hex[:12]}"
    for folder in (home / ".ssh", course / "reference"):
        folder.mkdir(parents=True)
    (course / "nbgrader_config.py").write_text("c = get_config()\n")
    (course / "source").symlink_to(root / "source")
    until = home / "until"
    os.mkfifo(until)
    key = course / "reference" / "key.txt"
    for path in (key, home / ".ssh" / "id_rsa", home / ".bashrc"):
        path.write_text(SECRET)
    with sqlite3.connect(course / "gradebook.db") as database:
        database.execute("create table grade (student, auto_score, extra_credit, note)")
        rows = [("mallory", 0, 0, SECRET), ("neighbour", 25, 0, SECRET)]
        database.executemany("insert into grade values (?, ?, ?, ?)", rows)
    for path in (base, *base.rglob("*")):  # so that only the walls stand in the way, also of an ordinary user
        if not path.is_symlink():
            path.chmod(0o777 if path.is_dir() else 0o666)
    exercise = load(HAND)
    released = nbformat.read(root / "assignments" / exercise.sheet / f"{HAND}.ipynb", as_version=4)
    with open(os.open(until, os.O_RDWR)), socket.socket() as tcp, socket.socket(socket.AF_UNIX) as abstract:
        tcp.bind(("127.0.0.1", 0))
        abstract.bind(f"\0{token}")
        for server in (tcp, abstract):
            server.listen()
            server.setblocking(False)
        words = {
            "KEY": str(key), "REFERENCE": str(key.parent), "GRADEBOOK": str(course / "gradebook.db"),
            "COURSE": str(course), "HOME": str(home), "PORT": str(tcp.getsockname()[1]), "ABSTRACT": token,
            "TOKEN": token, "UNTIL": str(until), "ZERO": "/dev/zero",
            "SUBMISSION": str(course / "submitted" / "mallory"),
        }  # fmt: skip
        made = Scene(base, words, (tcp, abstract))
        filled = fill(released, Variant("", "").apply(solutions(root, exercise)))
        filled.metadata["remark"] = SECRET
        path = made.hand_in("neighbour", HAND, filled)
        words["NEIGHBOUR"] = str(path)
        yield made


def left_over(before: set[int], token: str, command: list[str]) -> list[psutil.Process]:
    """Processes that were not there before: ours, orphans of the sandbox's, and whatever carries the token."""
    ours = set(psutil.Process().children(recursive=True))
    found = []
    for process in psutil.process_iter():
        try:
            if process.pid in before or process.status() == psutil.STATUS_ZOMBIE:
                continue
            line = process.cmdline()
            orphan = line == command and process.ppid() == 1
            if waits_for_a_job(process):
                continue
            if process in ours or orphan or any(token in word for word in line):
                found.append(process)
        except psutil.NoSuchProcess:
            continue
    return found


def waits_for_a_job(process: psutil.Process) -> bool:
    """Whether it is a process that the zygote holds ready for the next job, or the monitor of one."""
    return SPARE in (process.name(), *(child.name() for child in process.children()))


def settled(before: set[int], token: str, command: list[str], seconds: float) -> list[psutil.Process]:
    """What is still there after so many seconds; it returns as soon as nothing is."""
    deadline = time.monotonic() + seconds
    while (left := left_over(before, token, command)) and time.monotonic() < deadline:
        time.sleep(0.02)
    return left


def end(processes: list[psutil.Process]) -> None:
    """Kill processes, some of which may have ended."""
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
